/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/ct.h"
#include "crypto/merkle.h"
#include "seal/object.h"
#include "seal/object_format.h"

struct mt_object_reader {
    struct mt_file *file;
    struct mt_aead *aead;
    struct mt_object_handle handle;
    struct mt_object_head head;
    uint64_t chunks;
    struct mt_buf tags;
    uint64_t current; /* number of the chunk in `chunk`; chunks: none */
    size_t current_len;
    uint8_t chunk[MT_OBJECT_SEALED_CHUNK];
};

static uint64_t table_at(const struct mt_object_reader *r)
{
    return MT_OBJECT_HEAD_LEN + r->handle.size_bytes + r->chunks * MT_AEAD_TAG_LEN;
}

static MT_ERR check_head(struct mt_object_reader *r)
{
    struct mt_object_head got;
    size_t len = 0;
    uint64_t size = 0;
    MT_TRY(mt_file_read_at(r->file, 0, (mt_span){got.b, sizeof got.b}, &len));
    MT_REQUIRE(len == sizeof got.b && mt_bytes_equal(MT_BYTES_OF(got), MT_BYTES_OF(r->head)),
               MT_E_PROOF, "an object's file has another head");
    MT_TRY(mt_file_size(r->file, &size));
    MT_REQUIRE(size == table_at(r) + r->chunks * MT_AEAD_TAG_LEN, MT_E_PROOF,
               "an object's file has another length");
    return MT_OK;
}

/* All tags against the root in the handle: from here on each chunk is proved by its own tag. */
static MT_ERR check_table(struct mt_object_reader *r)
{
    MT_DEFER(mt_merkle_free) struct mt_merkle *tree = NULL;
    mt_span room;
    size_t len = 0;
    mt_hash root;
    MT_TRY(mt_merkle_new(&tree));
    MT_TRY(mt_buf_reserve(&r->tags, (size_t)r->chunks * MT_AEAD_TAG_LEN, &room));
    MT_TRY(mt_file_read_at(r->file, table_at(r), room, &len));
    MT_REQUIRE(len == room.len, MT_E_PROOF, "an object's file is cut off");
    r->tags.len = len;
    for (uint64_t i = 0; i < r->chunks; i++) {
        mt_hash leaf;
        mt_object_leaf(i, (mt_bytes){r->tags.ptr + i * MT_AEAD_TAG_LEN, MT_AEAD_TAG_LEN}, &leaf);
        MT_TRY(mt_merkle_append(tree, &leaf));
    }
    MT_TRY(mt_merkle_root(tree, r->chunks, &root));
    MT_REQUIRE(mt_hash_equal(&root, &r->handle.root), MT_E_PROOF,
               "an object's tags are not those that the ledger knows");
    return MT_OK;
}

MT_ERR mt_object_reader_new(struct mt_fs *fs, const struct mt_object_handle *h, mt_bytes key,
                            struct mt_object_reader **out)
{
    char name[MT_OBJECT_NAME_MAX];
    MT_REQUIRE(h->size_bytes <= MT_OBJECT_BYTES_MAX, MT_E_LIMIT, "an object has at most 64 GiB");
    MT_DEFER(mt_object_reader_free) struct mt_object_reader *r = calloc(1, sizeof *r);
    MT_REQUIRE(r != NULL, MT_E_NOMEM, "no memory for an object");
    r->handle = *h;
    r->chunks = mt_object_chunks(h->size_bytes);
    r->current = r->chunks;
    r->tags = mt_buf_of_max((size_t)r->chunks * MT_AEAD_TAG_LEN);
    mt_object_head_of(&h->id, &r->head);
    mt_object_name("objects", &h->id, name);
    MT_TRY(mt_fs_open(fs, name, MT_FS_READ, &r->file));
    MT_TRY(mt_aead_new(key, &r->aead));
    MT_TRY(check_head(r));
    MT_TRY(check_table(r));
    *out = r;
    r = NULL; /* given */
    return MT_OK;
}

static MT_ERR load(struct mt_object_reader *r, uint64_t number)
{
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    struct mt_chunk_aad aad;
    size_t got = 0;
    bool is_last = number + 1 == r->chunks;
    uint64_t before = number * MT_CHUNK_BYTES;
    size_t len = is_last ? (size_t)(r->handle.size_bytes - before) : MT_CHUNK_BYTES;
    r->current = r->chunks;
    MT_TRY(mt_file_read_at(r->file, MT_OBJECT_HEAD_LEN + number * MT_OBJECT_SEALED_CHUNK,
                           (mt_span){r->chunk, len + MT_AEAD_TAG_LEN}, &got));
    MT_REQUIRE(got == len + MT_AEAD_TAG_LEN, MT_E_PROOF, "an object's file is cut off");
    bool is_known =
        mt_ct_equal((mt_bytes){r->chunk + len, MT_AEAD_TAG_LEN},
                    (mt_bytes){r->tags.ptr + number * MT_AEAD_TAG_LEN, MT_AEAD_TAG_LEN});
    MT_REQUIRE(is_known, MT_E_PROOF, "a chunk of an object is not the one that was sealed");
    mt_aead_nonce_of(number, nonce);
    mt_chunk_aad_of(&r->head, number, is_last, &aad);
    MT_TRY(mt_aead_unseal(r->aead, MT_BYTES_OF(nonce), MT_BYTES_OF(aad), (mt_bytes){r->chunk, got},
                          (mt_span){r->chunk, len}));
    r->current = number;
    r->current_len = len;
    return MT_OK;
}

MT_ERR mt_object_reader_read_at(struct mt_object_reader *r, uint64_t at, mt_span out, size_t *got)
{
    size_t done = 0;
    if (r->handle.size_bytes == 0 && r->current == r->chunks) {
        MT_TRY(load(r, 0)); /* that nothing is there is proved too */
    }
    while (done < out.len && at + done < r->handle.size_bytes) {
        uint64_t number = (at + done) / MT_CHUNK_BYTES;
        if (number != r->current) {
            MT_TRY(load(r, number));
        }
        size_t from = (size_t)((at + done) % MT_CHUNK_BYTES);
        size_t n = r->current_len - from;
        n = n < out.len - done ? n : out.len - done;
        memcpy(out.ptr + done, r->chunk + from, n);
        done += n;
    }
    *got = done;
    return MT_OK;
}

void mt_object_reader_free(struct mt_object_reader **rp)
{
    struct mt_object_reader *r = *rp;
    if (r != NULL) {
        mt_file_close(&r->file);
        mt_aead_free(&r->aead);
        mt_buf_free(&r->tags);
        mt_wipe((mt_span){r->chunk, sizeof r->chunk});
        free(r);
        *rp = NULL;
    }
}

MT_ERR mt_object_remove(struct mt_fs *fs, const mt_id *id)
{
    char name[MT_OBJECT_NAME_MAX];
    mt_object_name("objects", id, name);
    MT_TRY(mt_fs_remove(fs, name));
    return mt_fs_sync_dir(fs, "objects");
}

struct sweep {
    struct mt_fs *fs;
    const char *dir;
    bool (*is_live)(void *state, const mt_id *id); /* NULL: nothing is */
    void *state;
};

/* What is not the name of an object is not ours to remove. */
static mt_err sweep_one(void *state, const char *name)
{
    const struct sweep *s = state;
    mt_id id;
    char path[MT_OBJECT_NAME_MAX];
    mt_bytes text = mt_bytes_of_text(name);
    bool is_object =
        text.len == 36 && mt_bytes_equal((mt_bytes){text.ptr + 32, 4}, MT_LITERAL(".mto")) &&
        !mt_failed(mt_hex_parse((mt_bytes){text.ptr, 32}, (mt_span){id.b, sizeof id.b}));
    if (!is_object || (s->is_live != NULL && s->is_live(s->state, &id))) {
        return MT_OK;
    }
    mt_object_name(s->dir, &id, path);
    return mt_fs_remove(s->fs, path);
}

MT_ERR mt_object_sweep(struct mt_fs *fs, bool (*is_live)(void *state, const mt_id *id), void *state)
{
    struct sweep staging = {fs, "staging", NULL, NULL};
    struct sweep objects = {fs, "objects", is_live, state};
    MT_TRY(mt_fs_make_dir(fs, "staging"));
    MT_TRY(mt_fs_make_dir(fs, "objects"));
    MT_TRY(mt_fs_sync_dir(fs, "."));
    MT_TRY(mt_fs_list(fs, "staging", sweep_one, &staging));
    return mt_fs_list(fs, "objects", sweep_one, &objects);
}
