/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/ct.h"
#include "seal/object.h"
#include "seal/object_format.h"

struct mt_object_reader {
    struct mt_file *file;
    struct mt_aead *aead;
    struct mt_object_handle handle;
    struct mt_object_head head;
    uint64_t chunks;
    uint64_t runs;
    uint64_t run;     /* whose tags are in `tags`, and are those that the root covers */
    uint64_t current; /* number of the chunk in `chunk`; chunks: none */
    mt_hash *roots;   /* of each run */
    uint8_t tags[MT_OBJECT_TABLE_LEN];
    size_t chunk_room; /* a chunk as it is sealed, or all of a smaller object */
    uint8_t chunk[];
};

static MT_ERR make_reader(const struct mt_object_handle *h, struct mt_object_reader **out)
{
    size_t chunk_len = h->size_bytes < MT_CHUNK_BYTES ? (size_t)h->size_bytes : MT_CHUNK_BYTES;
    size_t room = chunk_len + MT_AEAD_TAG_LEN;
    MT_DEFER(mt_object_reader_free) struct mt_object_reader *r = calloc(1, sizeof *r + room);
    MT_REQUIRE(r != NULL, MT_E_NOMEM, "no memory for an object");
    r->handle = *h;
    r->chunk_room = room;
    r->chunks = mt_object_chunks(h->size_bytes);
    r->runs = (r->chunks + MT_OBJECT_RUN_CHUNKS - 1) / MT_OBJECT_RUN_CHUNKS;
    r->current = r->chunks;
    r->roots = calloc(r->runs, sizeof *r->roots);
    MT_REQUIRE(r->roots != NULL, MT_E_NOMEM, "no memory for an object");
    *out = r;
    r = NULL; /* given */
    return MT_OK;
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
    MT_REQUIRE(size == mt_object_file_bytes(r->handle.size_bytes), MT_E_PROOF,
               "an object's file has another length");
    return MT_OK;
}

static MT_ERR read_table(struct mt_object_reader *r, uint64_t run, mt_hash *root)
{
    struct mt_object_tree tree = {.count = 0};
    uint64_t first = run * MT_OBJECT_RUN_CHUNKS;
    uint64_t left = r->chunks - first;
    size_t count = left < MT_OBJECT_RUN_CHUNKS ? (size_t)left : MT_OBJECT_RUN_CHUNKS;
    size_t len = 0;
    r->run = r->runs;
    MT_TRY(mt_file_read_at(r->file, mt_object_table_at(run, r->handle.size_bytes),
                           (mt_span){r->tags, count * MT_AEAD_TAG_LEN}, &len));
    MT_REQUIRE(len == count * MT_AEAD_TAG_LEN, MT_E_PROOF, "an object's file is cut off");
    for (size_t i = 0; i < count; i++) {
        mt_hash leaf;
        mt_object_leaf(first + i, (mt_bytes){r->tags + i * MT_AEAD_TAG_LEN, MT_AEAD_TAG_LEN},
                       &leaf);
        mt_object_tree_add(&tree, &leaf);
    }
    mt_object_tree_root(&tree, root);
    return MT_OK;
}

/* All tables against the root in the handle; what is kept of each is the root of its run. */
static MT_ERR check_tables(struct mt_object_reader *r)
{
    struct mt_object_tree tree = {.count = 0};
    mt_hash root;
    for (uint64_t run = 0; run < r->runs; run++) {
        MT_TRY(read_table(r, run, &r->roots[run]));
        mt_object_tree_add(&tree, &r->roots[run]);
    }
    mt_object_tree_root(&tree, &root);
    MT_REQUIRE(mt_hash_equal(&root, &r->handle.root), MT_E_PROOF,
               "an object's tags are not those that the ledger knows");
    r->run = r->runs - 1;
    return MT_OK;
}

MT_ERR mt_object_reader_new(struct mt_fs *fs, const struct mt_object_handle *h, mt_bytes key,
                            struct mt_object_reader **out)
{
    char name[MT_OBJECT_NAME_MAX];
    MT_REQUIRE(h->size_bytes <= MT_OBJECT_BYTES_MAX, MT_E_LIMIT, "an object has at most 64 GiB");
    MT_DEFER(mt_object_reader_free) struct mt_object_reader *r = NULL;
    MT_TRY(make_reader(h, &r));
    mt_object_head_of(&h->id, &r->head);
    mt_object_name("objects", &h->id, name);
    MT_TRY(mt_fs_open(fs, name, MT_FS_READ, &r->file));
    MT_TRY(mt_aead_new(key, &r->aead));
    MT_TRY(check_head(r));
    MT_TRY(check_tables(r));
    *out = r;
    r = NULL; /* given */
    return MT_OK;
}

static MT_ERR need_run(struct mt_object_reader *r, uint64_t run)
{
    mt_hash root;
    if (run == r->run) {
        return MT_OK;
    }
    MT_TRY(read_table(r, run, &root));
    MT_REQUIRE(mt_hash_equal(&root, &r->roots[run]), MT_E_PROOF,
               "an object's tags have changed since it was opened");
    r->run = run;
    return MT_OK;
}

static size_t len_of(const struct mt_object_reader *r, uint64_t number)
{
    uint64_t left = r->handle.size_bytes - number * MT_CHUNK_BYTES;
    return left < MT_CHUNK_BYTES ? (size_t)left : MT_CHUNK_BYTES;
}

/* Opens a chunk into `out`, which has its length and may be the buffer that the sealed one is read
 * into. */
static MT_ERR unseal(struct mt_object_reader *r, uint64_t number, mt_span out)
{
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    struct mt_chunk_aad aad;
    size_t got = 0;
    size_t sealed_len = out.len + MT_AEAD_TAG_LEN;
    r->current = r->chunks;
    MT_TRY(need_run(r, number / MT_OBJECT_RUN_CHUNKS));
    MT_TRY(mt_file_read_at(r->file, mt_object_chunk_at(number), (mt_span){r->chunk, sealed_len},
                           &got));
    MT_REQUIRE(got == sealed_len, MT_E_PROOF, "an object's file is cut off");
    const mt_bytes tag = {r->tags + number % MT_OBJECT_RUN_CHUNKS * MT_AEAD_TAG_LEN,
                          MT_AEAD_TAG_LEN};
    bool is_known = mt_ct_equal((mt_bytes){r->chunk + out.len, MT_AEAD_TAG_LEN}, tag);
    MT_REQUIRE(is_known, MT_E_PROOF, "a chunk of an object is not the one that was sealed");
    mt_aead_nonce_of(number, nonce);
    mt_chunk_aad_of(&r->head, number, number + 1 == r->chunks, &aad);
    return mt_aead_unseal(r->aead, MT_BYTES_OF(nonce), MT_BYTES_OF(aad), (mt_bytes){r->chunk, got},
                          out);
}

static MT_ERR load(struct mt_object_reader *r, uint64_t number)
{
    if (number != r->current) {
        MT_TRY(unseal(r, number, (mt_span){r->chunk, len_of(r, number)}));
        r->current = number;
    }
    return MT_OK;
}

MT_ERR mt_object_reader_read_at(struct mt_object_reader *r, uint64_t at, mt_span out, size_t *got)
{
    size_t done = 0;
    if (r->handle.size_bytes == 0) {
        MT_TRY(load(r, 0)); /* that nothing is there is proved too */
    }
    while (done < out.len && at < r->handle.size_bytes) {
        uint64_t number = at / MT_CHUNK_BYTES;
        size_t from = (size_t)(at % MT_CHUNK_BYTES);
        size_t n = len_of(r, number) - from;
        if (from == 0 && n <= out.len - done) { /* whole: straight to where it is wanted */
            MT_TRY(unseal(r, number, (mt_span){out.ptr + done, n}));
        } else {
            MT_TRY(load(r, number));
            n = n < out.len - done ? n : out.len - done;
            memcpy(out.ptr + done, r->chunk + from, n);
        }
        done += n;
        at += n;
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
        mt_wipe((mt_span){r->chunk, r->chunk_room});
        free(r->roots);
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
