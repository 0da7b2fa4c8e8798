/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "crypto/aead.h"
#include "crypto/context.h"
#include "seal/root.h"

/*
 * "MTSMALL1" || salt (32) || sealed content || tag. The key is derived from root, name and salt; a
 * fresh salt for each writing, so each key seals once and the nonce is zero. Name and magic are
 * AAD.
 */
enum { MAGIC_LEN = 8, SALT_LEN = 32, CONTENT_MAX = 64 * 1024, AAD_MAX = 96, NAME_MAX_BYTES = 64 };
static const uint8_t magic[MAGIC_LEN] = {'M', 'T', 'S', 'M', 'A', 'L', 'L', '1'};

static MT_ERR cipher_of(const struct mt_root *r, const char *name, mt_bytes salt,
                        struct mt_aead **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    uint8_t room[AAD_MAX + SALT_LEN];
    mt_bytes context;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, salt);
    mt_write_bytes(&w, mt_bytes_of_text(name));
    MT_TRY(mt_write_end(&w, &context));
    MT_TRY(mt_root_derive(r, MT_LABEL_SMALL_FILE, context, &key));
    return mt_aead_new(mt_secret_bytes(key), out);
}

static MT_ERR seal_content(const struct mt_root *r, const char *name, mt_bytes content,
                           struct mt_buf *out)
{
    static const uint8_t nonce[MT_AEAD_NONCE_LEN];
    uint8_t salt[SALT_LEN];
    mt_span room;
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    MT_TRY(mt_random((mt_span){salt, sizeof salt}));
    MT_TRY(cipher_of(r, name, MT_BYTES_OF(salt), &aead));
    MT_TRY(mt_buf_append(out, MT_BYTES_OF(magic)));
    MT_TRY(mt_buf_append(out, MT_BYTES_OF(salt)));
    MT_TRY(mt_buf_reserve(out, content.len + MT_AEAD_TAG_LEN, &room));
    MT_TRY(mt_aead_seal(aead, MT_BYTES_OF(nonce), mt_bytes_of_text(name), content, room));
    out->len += room.len;
    return MT_OK;
}

static void fresh_name(const char *name, char out[NAME_MAX_BYTES])
{
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)out, NAME_MAX_BYTES});
    mt_bytes all;
    mt_write_bytes(&w, mt_bytes_of_text(name));
    mt_write_bytes(&w, (mt_bytes){(const uint8_t *)".new", 5}); /* with its NUL */
    mt_err e = mt_write_end(&w, &all);
    MT_ASSERT(!mt_failed(e));
}

/* Keeps the old file under another name until the new one is durable, then overwrites and removes
 * it. */
MT_ERR mt_small_file_write(struct mt_fs *fs, const struct mt_root *r, const char *name,
                           mt_bytes content)
{
    char fresh[NAME_MAX_BYTES];
    MT_DEFER(mt_buf_free) struct mt_buf sealed = mt_buf_of_max(CONTENT_MAX + 256);
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    MT_DEFER(mt_file_close) struct mt_file *old = NULL;
    MT_REQUIRE(content.len <= CONTENT_MAX, MT_E_LIMIT, "a small file has at most 64 KiB");
    fresh_name(name, fresh);
    MT_TRY(seal_content(r, name, content, &sealed));
    mt_err e = mt_fs_remove(fs, fresh);
    MT_REQUIRE(!mt_failed(e) || e.fault->code == MT_E_NOTFOUND, MT_E_IO,
               "an unfinished small file cannot be removed");
    MT_TRY(mt_fs_open(fs, fresh, MT_FS_CREATE, &f));
    MT_TRY(mt_file_write_at(f, 0, mt_buf_bytes(&sealed)));
    MT_TRY(mt_file_sync(f));
    /* The old file stays open under no name once it is replaced: its blocks are zeroed through this
     * descriptor after the new one is durable. */
    (void)mt_failed(mt_fs_open(fs, name, MT_FS_WRITE, &old));
    MT_TRY(mt_fs_rename(fs, fresh, name));
    MT_TRY(mt_fs_sync_dir(fs, "."));
    if (old != NULL) {
        static const uint8_t zeros[CONTENT_MAX + 256];
        uint64_t size = 0;
        if (!mt_failed(mt_file_size(old, &size)) && size <= sizeof zeros &&
            !mt_failed(mt_file_write_at(old, 0, (mt_bytes){zeros, (size_t)size}))) {
            (void)mt_failed(mt_file_sync(old));
        }
    }
    return MT_OK;
}

MT_ERR mt_small_file_read(struct mt_fs *fs, const struct mt_root *r, const char *name,
                          struct mt_buf *out)
{
    static const uint8_t nonce[MT_AEAD_NONCE_LEN];
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf sealed = mt_buf_of_max(CONTENT_MAX + 256);
    uint64_t size = 0;
    size_t got = 0;
    mt_span room;
    MT_TRY(mt_fs_open(fs, name, MT_FS_READ, &f));
    MT_TRY(mt_file_size(f, &size));
    MT_REQUIRE(size >= MAGIC_LEN + SALT_LEN + MT_AEAD_TAG_LEN && size <= CONTENT_MAX + 256,
               MT_E_PROOF, "a small sealed file has an impossible length");
    MT_TRY(mt_buf_reserve(&sealed, (size_t)size, &room));
    MT_TRY(mt_file_read_at(f, 0, room, &got));
    MT_REQUIRE(got == size && mt_bytes_equal((mt_bytes){room.ptr, MAGIC_LEN}, MT_BYTES_OF(magic)),
               MT_E_PROOF, "a small sealed file is not one");
    sealed.len = got;
    MT_TRY(cipher_of(r, name, (mt_bytes){sealed.ptr + MAGIC_LEN, SALT_LEN}, &aead));
    const mt_bytes body = {sealed.ptr + MAGIC_LEN + SALT_LEN, got - MAGIC_LEN - SALT_LEN};
    MT_TRY(mt_buf_reserve(out, body.len - MT_AEAD_TAG_LEN, &room));
    MT_TRY(mt_aead_unseal(aead, MT_BYTES_OF(nonce), mt_bytes_of_text(name), body, room));
    out->len += room.len;
    return MT_OK;
}
