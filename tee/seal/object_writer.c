/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "seal/object.h"
#include "seal/object_format.h"

/* Chunks are sealed side by side in one buffer and written in one piece of a megabyte. */
enum { CHUNKS_PER_WRITE = 16, PIECE = CHUNKS_PER_WRITE * MT_OBJECT_SEALED_CHUNK };
_Static_assert(MT_OBJECT_RUN_CHUNKS % CHUNKS_PER_WRITE == 0, "a run is whole pieces");

struct mt_object_writer {
    struct mt_fs *fs;
    struct mt_file *file;
    mt_id id;
    mt_hash salt;
    mt_hash plain_hash;
    struct mt_secret *key;
    struct mt_aead *aead;
    struct mt_hasher *hasher;
    struct mt_object_tree tree;
    struct mt_object_head head;
    uint64_t size;
    uint64_t chunks; /* sealed so far */
    uint64_t at;     /* of the next piece in the file */
    size_t sealed;   /* bytes of whole sealed chunks in the piece */
    size_t filled;   /* plain bytes of the chunk that is being filled, behind them */
    size_t tags_len;
    mt_err failed; /* the first failure: what lies in the file is anybody's guess from then on */
    bool is_ended;
    uint8_t tags[MT_OBJECT_TABLE_LEN]; /* of this run */
    uint8_t piece[PIECE + MT_OBJECT_SEALED_CHUNK];
};

static MT_ERR set_up(struct mt_object_writer *w)
{
    char name[MT_OBJECT_NAME_MAX];
    MT_TRY(mt_random((mt_span){w->id.b, sizeof w->id.b}));
    MT_TRY(mt_random((mt_span){w->salt.b, sizeof w->salt.b}));
    MT_TRY(mt_secret_random(MT_AEAD_KEY_LEN, &w->key));
    MT_TRY(mt_aead_new(mt_secret_bytes(w->key), &w->aead));
    MT_TRY(mt_hasher_new(&w->hasher));
    mt_object_head_of(&w->id, &w->head);
    mt_object_name("staging", &w->id, name);
    MT_TRY(mt_fs_open(w->fs, name, MT_FS_CREATE, &w->file));
    w->at = MT_OBJECT_HEAD_LEN;
    return mt_file_write_at(w->file, 0, (mt_bytes){w->head.b, sizeof w->head.b});
}

MT_ERR mt_object_writer_new(struct mt_fs *fs, struct mt_object_writer **out)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *w = calloc(1, sizeof *w);
    MT_REQUIRE(w != NULL, MT_E_NOMEM, "no memory for an object");
    w->fs = fs;
    MT_TRY(set_up(w));
    *out = w;
    w = NULL; /* given */
    return MT_OK;
}

static MT_ERR put(struct mt_object_writer *w, const uint8_t *bytes, size_t *len)
{
    MT_TRY(mt_file_write_at(w->file, w->at, (mt_bytes){bytes, *len}));
    w->at += *len;
    *len = 0;
    return MT_OK;
}

/* Seals one chunk behind those in the piece; `plain` may lie there already. The nonce is its
 * number: the key is for this object alone. */
static MT_ERR seal_chunk(struct mt_object_writer *w, mt_bytes plain, bool is_last)
{
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    struct mt_chunk_aad aad;
    mt_hash leaf;
    uint8_t *chunk = w->piece + w->sealed;
    mt_aead_nonce_of(w->chunks, nonce);
    mt_chunk_aad_of(&w->head, w->chunks, is_last, &aad);
    mt_hasher_add(w->hasher, plain);
    MT_TRY(mt_aead_seal(w->aead, MT_BYTES_OF(nonce), MT_BYTES_OF(aad), plain,
                        (mt_span){chunk, plain.len + MT_AEAD_TAG_LEN}));
    const mt_bytes tag = {chunk + plain.len, MT_AEAD_TAG_LEN};
    mt_object_leaf(w->chunks, tag, &leaf);
    mt_object_tree_add(&w->tree, &leaf);
    memcpy(w->tags + w->tags_len, tag.ptr, tag.len);
    w->tags_len += tag.len;
    w->sealed += plain.len + MT_AEAD_TAG_LEN;
    w->filled = 0;
    w->chunks++;
    if (is_last || w->sealed == PIECE) {
        MT_TRY(put(w, w->piece, &w->sealed));
    }
    return is_last || w->tags_len == sizeof w->tags ? put(w, w->tags, &w->tags_len) : MT_OK;
}

static MT_ERR add(struct mt_object_writer *w, mt_bytes plain)
{
    MT_REQUIRE(plain.len <= MT_OBJECT_BYTES_MAX - w->size, MT_E_LIMIT,
               "an object has at most 64 GiB");
    w->size += plain.len;
    while (plain.len > 0) {
        uint8_t *chunk = w->piece + w->sealed;
        if (w->filled == MT_CHUNK_BYTES) { /* not the last: more has come */
            MT_TRY(seal_chunk(w, (mt_bytes){chunk, w->filled}, false));
            continue;
        }
        size_t n = MT_CHUNK_BYTES - w->filled;
        n = n < plain.len ? n : plain.len;
        if (w->filled == 0 && plain.len > MT_CHUNK_BYTES) { /* whole, and not the last: no copy */
            MT_TRY(seal_chunk(w, (mt_bytes){plain.ptr, n}, false));
        } else {
            memcpy(chunk + w->filled, plain.ptr, n);
            w->filled += n;
        }
        plain = (mt_bytes){plain.ptr + n, plain.len - n};
    }
    return MT_OK;
}

MT_ERR mt_object_writer_add(struct mt_object_writer *w, mt_bytes plain)
{
    MT_ASSERT(!w->is_ended);
    w->failed = mt_failed(w->failed) ? w->failed : add(w, plain);
    return w->failed;
}

static MT_ERR end(struct mt_object_writer *w)
{
    MT_TRY(seal_chunk(w, (mt_bytes){w->piece + w->sealed, w->filled}, true));
    MT_TRY(mt_file_sync(w->file));
    return mt_fs_sync_dir(w->fs, "staging");
}

MT_ERR mt_object_writer_end(struct mt_object_writer *w, struct mt_object_handle *out)
{
    struct mt_object_handle h = {.id = w->id, .size_bytes = w->size, .salt = w->salt};
    MT_ASSERT(!w->is_ended);
    w->is_ended = true;
    w->failed = mt_failed(w->failed) ? w->failed : end(w);
    MT_TRY(w->failed);
    mt_object_tree_root(&w->tree, &h.root);
    mt_hasher_end(w->hasher, &w->plain_hash);
    mt_object_commit(&h.salt, h.size_bytes, &w->plain_hash, &h.commitment);
    mt_file_close(&w->file);
    *out = h;
    return MT_OK;
}

const mt_id *mt_object_writer_id(const struct mt_object_writer *w)
{
    return &w->id;
}

const struct mt_secret *mt_object_writer_key(const struct mt_object_writer *w)
{
    return w->key;
}

const mt_hash *mt_object_writer_hash(const struct mt_object_writer *w)
{
    MT_ASSERT(w->is_ended);
    return &w->plain_hash;
}

MT_ERR mt_object_keep(struct mt_fs *fs, const mt_id *id)
{
    char from[MT_OBJECT_NAME_MAX];
    char to[MT_OBJECT_NAME_MAX];
    mt_object_name("staging", id, from);
    mt_object_name("objects", id, to);
    MT_TRY(mt_fs_rename(fs, from, to));
    return mt_fs_sync_dir(fs, "objects");
}

void mt_object_writer_free(struct mt_object_writer **wp)
{
    struct mt_object_writer *w = *wp;
    char name[MT_OBJECT_NAME_MAX];
    if (w == NULL) {
        return;
    }
    mt_file_close(&w->file);
    if (w->head.b[0] != 0) {
        mt_object_name("staging", &w->id, name);
        (void)mt_failed(mt_fs_remove(w->fs, name)); /* kept: it is not there any more */
    }
    mt_secret_free(&w->key);
    mt_aead_free(&w->aead);
    mt_hasher_free(&w->hasher);
    mt_wipe((mt_span){w->piece, sizeof w->piece});
    free(w);
    *wp = NULL;
}
