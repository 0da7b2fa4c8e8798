/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "seal/inside.h"

/*
 * "MTSMALL1" || u32be version || salt (32) || sealed content || tag. The key is derived from root,
 * salt and name; a fresh salt for each writing, so each key seals once and the nonce is zero.
 * Magic, version and name are AAD.
 */
enum {
    VERSION = 1,
    FIXED_LEN = 12, /* magic, version */
    SALT_LEN = 32,
    OVERHEAD = FIXED_LEN + SALT_LEN + MT_AEAD_TAG_LEN,
    NAME_ROOM = 64,
};

static const uint8_t nonce[MT_AEAD_NONCE_LEN];

struct fixed {
    uint8_t b[FIXED_LEN];
};

static struct fixed fixed_part(void)
{
    struct fixed f;
    mt_bytes all;
    struct mt_writer w = mt_writer_over((mt_span){f.b, sizeof f.b});
    mt_write_bytes(&w, MT_LITERAL("MTSMALL1"));
    mt_write_u32be(&w, VERSION);
    mt_err e = mt_write_end(&w, &all);
    MT_ASSERT(!mt_failed(e) && all.len == sizeof f.b);
    return f;
}

/* The file, the next version of it while that is written, and the one before while it is
 * destroyed. */
struct names {
    char now[NAME_ROOM];
    char next[NAME_ROOM];
    char last[NAME_ROOM];
};

static void with_suffix(const char *name, mt_bytes suffix, char out[NAME_ROOM])
{
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)out, NAME_ROOM});
    mt_bytes all;
    mt_write_bytes(&w, mt_bytes_of_text(name));
    mt_write_bytes(&w, suffix);
    mt_write_u8(&w, '\0');
    mt_err e = mt_write_end(&w, &all);
    MT_ASSERT(!mt_failed(e));
}

static struct names names_of(const char *name)
{
    struct names n;
    MT_ASSERT(strchr(name, '/') == NULL); /* its directory is the one that is synced below */
    with_suffix(name, MT_LITERAL(""), n.now);
    with_suffix(name, MT_LITERAL(".new"), n.next);
    with_suffix(name, MT_LITERAL(".old"), n.last);
    return n;
}

static MT_ERR exists(struct mt_fs *fs, const char *name, bool *out)
{
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    mt_err e = mt_fs_open(fs, name, MT_FS_READ, &f);
    if (mt_failed(e) && e.fault->code != MT_E_NOTFOUND) {
        return e;
    }
    *out = !mt_failed(e);
    return MT_OK;
}

/*
 * Takes up what a crash or a failing disk cut short. Writing goes: the next version is durable;
 * the file becomes the last one; the next one becomes the file; the last one is destroyed. So if
 * the file is missing while there is a last one, the next one is whole. Each step is durable before
 * the one after it.
 */
static MT_ERR settle(struct mt_fs *fs, const struct names *n)
{
    bool has_now = false;
    bool has_next = false;
    bool has_last = false;
    MT_TRY(exists(fs, n->now, &has_now));
    MT_TRY(exists(fs, n->next, &has_next));
    MT_TRY(exists(fs, n->last, &has_last));
    if (!has_now && has_next && has_last) {
        MT_TRY(mt_fs_rename(fs, n->next, n->now));
        MT_TRY(mt_fs_sync_dir(fs, "."));
        has_now = true;
        has_next = false;
    }
    if (has_next) { /* nobody was told that it was written */
        MT_TRY(mt_seal_destroy(fs, n->next));
    }
    return has_now && has_last ? mt_seal_destroy(fs, n->last) : MT_OK;
}

static MT_ERR cipher_of(const struct mt_root *r, const char *name, mt_bytes salt,
                        struct mt_aead **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    uint8_t room[NAME_ROOM + SALT_LEN];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, salt);
    mt_write_bytes(&w, mt_bytes_of_text(name));
    MT_TRY(mt_root_derive(r, MT_LABEL_SMALL_FILE, mt_write_done(&w), &key));
    return mt_aead_new(mt_secret_bytes(key), out);
}

static mt_bytes aad_of(const char *name, mt_span room)
{
    struct fixed f = fixed_part();
    struct mt_writer w = mt_writer_over(room);
    mt_write_bytes(&w, MT_BYTES_OF(f));
    mt_write_bytes(&w, mt_bytes_of_text(name));
    return mt_write_done(&w);
}

static MT_ERR seal_content(const struct mt_root *r, const char *name, mt_bytes content,
                           struct mt_buf *out)
{
    struct fixed f = fixed_part();
    uint8_t salt[SALT_LEN];
    uint8_t aad_room[FIXED_LEN + NAME_ROOM];
    const mt_bytes aad = aad_of(name, (mt_span){aad_room, sizeof aad_room});
    mt_span room;
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    MT_TRY(mt_random((mt_span){salt, sizeof salt}));
    MT_TRY(cipher_of(r, name, MT_BYTES_OF(salt), &aead));
    MT_TRY(mt_buf_reserve(out, OVERHEAD + content.len, &room));
    memcpy(room.ptr, f.b, FIXED_LEN);
    memcpy(room.ptr + FIXED_LEN, salt, SALT_LEN);
    MT_TRY(mt_aead_seal(aead, MT_BYTES_OF(nonce), aad, content,
                        (mt_span){room.ptr + FIXED_LEN + SALT_LEN, content.len + MT_AEAD_TAG_LEN}));
    out->len += room.len;
    return MT_OK;
}

/* Its name is durable before its content is: what power loss leaves behind can be found, and
 * destroyed. */
static MT_ERR write_next(struct mt_fs *fs, const char *name, mt_bytes bytes)
{
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    MT_TRY(mt_fs_open(fs, name, MT_FS_CREATE, &f));
    MT_TRY(mt_fs_sync_dir(fs, "."));
    MT_TRY(mt_file_write_at(f, 0, bytes));
    return mt_file_sync(f);
}

MT_ERR mt_small_file_write(struct mt_fs *fs, const struct mt_root *r, const char *name,
                           mt_bytes content)
{
    struct names n = names_of(name);
    MT_DEFER(mt_buf_free) struct mt_buf sealed = mt_buf_of_max(MT_SMALL_FILE_BYTES_MAX + OVERHEAD);
    MT_REQUIRE(content.len <= MT_SMALL_FILE_BYTES_MAX, MT_E_LIMIT,
               "a small file has at most 64 KiB");
    MT_TRY(seal_content(r, name, content, &sealed));
    MT_TRY(settle(fs, &n));
    MT_TRY(write_next(fs, n.next, mt_buf_bytes(&sealed)));
    mt_err e = mt_fs_rename(fs, n.now, n.last);
    bool had = !mt_failed(e);
    MT_TRY(!had && e.fault->code == MT_E_NOTFOUND ? MT_OK : e);
    if (had) {
        MT_TRY(mt_fs_sync_dir(fs, "."));
    }
    MT_TRY(mt_fs_rename(fs, n.next, n.now));
    MT_TRY(mt_fs_sync_dir(fs, "."));
    return had ? mt_seal_destroy(fs, n.last) : MT_OK;
}

static MT_ERR read_whole(struct mt_fs *fs, const char *name, struct mt_buf *out)
{
    struct fixed f = fixed_part();
    MT_DEFER(mt_file_close) struct mt_file *file = NULL;
    uint64_t size = 0;
    size_t got = 0;
    mt_span room;
    MT_TRY(mt_fs_open(fs, name, MT_FS_READ, &file));
    MT_TRY(mt_file_size(file, &size));
    MT_REQUIRE(size >= OVERHEAD && size <= MT_SMALL_FILE_BYTES_MAX + OVERHEAD, MT_E_PROOF,
               "a small sealed file has an impossible length");
    MT_TRY(mt_buf_reserve(out, (size_t)size, &room));
    MT_TRY(mt_file_read_at(file, 0, room, &got));
    MT_REQUIRE(got == size, MT_E_PROOF, "a small sealed file is cut off");
    MT_REQUIRE(mt_bytes_equal((mt_bytes){room.ptr, FIXED_LEN}, MT_BYTES_OF(f)), MT_E_PROOF,
               "a small sealed file is not one, or of another version");
    out->len = got;
    return MT_OK;
}

MT_ERR mt_small_file_read(struct mt_fs *fs, const struct mt_root *r, const char *name,
                          struct mt_buf *out)
{
    struct names n = names_of(name);
    uint8_t aad_room[FIXED_LEN + NAME_ROOM];
    const mt_bytes aad = aad_of(name, (mt_span){aad_room, sizeof aad_room});
    mt_span room;
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf sealed = mt_buf_of_max(MT_SMALL_FILE_BYTES_MAX + OVERHEAD);
    MT_TRY(settle(fs, &n));
    MT_TRY(read_whole(fs, name, &sealed));
    MT_TRY(cipher_of(r, name, (mt_bytes){sealed.ptr + FIXED_LEN, SALT_LEN}, &aead));
    const mt_bytes body = {sealed.ptr + FIXED_LEN + SALT_LEN, sealed.len - FIXED_LEN - SALT_LEN};
    MT_TRY(mt_buf_reserve(out, body.len - MT_AEAD_TAG_LEN, &room));
    MT_TRY(mt_aead_unseal(aead, MT_BYTES_OF(nonce), aad, body, room));
    out->len += room.len;
    return MT_OK;
}
