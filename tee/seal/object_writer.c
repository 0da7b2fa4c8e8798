/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "seal/object.h"
#include "seal/object_format.h"

/* Chunks are sealed side by side in one buffer and written in one piece of half a megabyte. */
enum { CHUNKS_PER_WRITE = 8, PIECE = CHUNKS_PER_WRITE * MT_OBJECT_SEALED_CHUNK };

struct mt_object_writer {
    struct mt_fs *fs;
    struct mt_file *file;
    mt_id id;
    mt_hash salt;
    mt_hash plain_hash;
    struct mt_secret *key;
    struct mt_aead *aead;
    struct mt_hasher *hasher;
    struct mt_merkle *tree;
    struct mt_object_head head;
    uint64_t size;
    uint64_t chunks; /* sealed so far */
    uint64_t at;     /* of the next piece in the file */
    size_t sealed;   /* bytes of whole sealed chunks in the piece */
    size_t filled;   /* plain bytes of the chunk that is being filled, behind them */
    struct mt_buf tags;
    bool is_ended;
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
    MT_TRY(mt_merkle_new(&w->tree));
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
    w->tags = mt_buf_of_max((size_t)(MT_OBJECT_BYTES_MAX / MT_CHUNK_BYTES + 1) * MT_AEAD_TAG_LEN);
    MT_TRY(set_up(w));
    *out = w;
    w = NULL; /* given */
    return MT_OK;
}

static MT_ERR flush(struct mt_object_writer *w)
{
    MT_TRY(mt_file_write_at(w->file, w->at, (mt_bytes){w->piece, w->sealed}));
    w->at += w->sealed;
    memmove(w->piece, w->piece + w->sealed, w->filled);
    w->sealed = 0;
    return MT_OK;
}

/* Seals the chunk that has been filled, in its place. The nonce is its number: the key is for this
 * object alone. */
static MT_ERR seal_chunk(struct mt_object_writer *w, bool is_last)
{
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    struct mt_chunk_aad aad;
    mt_hash leaf;
    uint8_t *chunk = w->piece + w->sealed;
    mt_aead_nonce_of(w->chunks, nonce);
    mt_chunk_aad_of(&w->head, w->chunks, is_last, &aad);
    mt_hasher_add(w->hasher, (mt_bytes){chunk, w->filled});
    MT_TRY(mt_aead_seal(w->aead, MT_BYTES_OF(nonce), MT_BYTES_OF(aad), (mt_bytes){chunk, w->filled},
                        (mt_span){chunk, w->filled + MT_AEAD_TAG_LEN}));
    const mt_bytes tag = {chunk + w->filled, MT_AEAD_TAG_LEN};
    mt_object_leaf(w->chunks, tag, &leaf);
    MT_TRY(mt_merkle_append(w->tree, &leaf));
    MT_TRY(mt_buf_append(&w->tags, tag));
    w->sealed += w->filled + MT_AEAD_TAG_LEN;
    w->filled = 0;
    w->chunks++;
    return w->sealed >= PIECE ? flush(w) : MT_OK;
}

MT_ERR mt_object_writer_add(struct mt_object_writer *w, mt_bytes plain)
{
    MT_ASSERT(!w->is_ended);
    MT_REQUIRE(w->size + plain.len <= MT_OBJECT_BYTES_MAX, MT_E_LIMIT,
               "an object has at most 64 GiB");
    w->size += plain.len;
    while (plain.len > 0) {
        if (w->filled == MT_CHUNK_BYTES) { /* not the last: more has come */
            MT_TRY(seal_chunk(w, false));
        }
        size_t n = MT_CHUNK_BYTES - w->filled;
        n = n < plain.len ? n : plain.len;
        memcpy(w->piece + w->sealed + w->filled, plain.ptr, n);
        w->filled += n;
        plain = (mt_bytes){plain.ptr + n, plain.len - n};
    }
    return MT_OK;
}

MT_ERR mt_object_writer_end(struct mt_object_writer *w, struct mt_object_handle *out)
{
    struct mt_object_handle h = {.id = w->id, .size_bytes = w->size, .salt = w->salt};
    MT_ASSERT(!w->is_ended);
    w->is_ended = true;
    MT_TRY(seal_chunk(w, true));
    MT_TRY(flush(w));
    MT_TRY(mt_file_write_at(w->file, w->at, mt_buf_bytes(&w->tags)));
    MT_TRY(mt_file_sync(w->file));
    MT_TRY(mt_fs_sync_dir(w->fs, "staging"));
    MT_TRY(mt_merkle_root(w->tree, w->chunks, &h.root));
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
    mt_merkle_free(&w->tree);
    mt_buf_free(&w->tags);
    mt_wipe((mt_span){w->piece, sizeof w->piece});
    free(w);
    *wp = NULL;
}
