/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_OBJECT_FORMAT_H
#define MT_SEAL_OBJECT_FORMAT_H

#include "base/limits.h"
#include "crypto/aead.h"
#include "seal/handle.h"

/*
 * The file of an object, as bytes (spec/sealed-object.md): what writer and reader share.
 *
 * Chunks stand in runs. Behind each run stands the table of its tags, so that neither side ever
 * holds more than one table: an object of 64 GiB takes the memory of a small one.
 */
enum {
    MT_OBJECT_HEAD_LEN = 32, /* "MTOBJCT1", u32be version, u32be chunk bytes, id */
    MT_OBJECT_SEALED_CHUNK = MT_CHUNK_BYTES + MT_AEAD_TAG_LEN,
    MT_OBJECT_NAME_MAX = 48,
    MT_OBJECT_TABLE_LEN = MT_OBJECT_RUN_CHUNKS * MT_AEAD_TAG_LEN, /* of a whole run */
    MT_OBJECT_RUNS_MAX =
        (int)(MT_OBJECT_BYTES_MAX / MT_CHUNK_BYTES / (uint64_t)MT_OBJECT_RUN_CHUNKS),
    MT_OBJECT_TREE_DEPTH = 40,
};

struct mt_object_head {
    uint8_t b[MT_OBJECT_HEAD_LEN];
};
void mt_object_head_of(const mt_id *id, struct mt_object_head *out);

/* "staging/<id>.mto", "objects/<id>.mto" */
void mt_object_name(const char *dir, const mt_id *id, char out[MT_OBJECT_NAME_MAX]);

/* AAD of a chunk: the head, its number, whether it is the last. So nothing can be cut off, put
 * behind, or moved. */
struct mt_chunk_aad {
    uint8_t b[MT_OBJECT_HEAD_LEN + 8 + 1];
};
void mt_chunk_aad_of(const struct mt_object_head *head, uint64_t number, bool is_last,
                     struct mt_chunk_aad *out);

/* An empty object has one empty chunk. */
uint64_t mt_object_chunks(uint64_t size_bytes);

/* Where in the file a chunk begins, and where the table of a run of so many chunks does. */
uint64_t mt_object_chunk_at(uint64_t number);
uint64_t mt_object_table_at(uint64_t run, uint64_t size_bytes);
uint64_t mt_object_file_bytes(uint64_t size_bytes);

/* Leaf of the tree: u64be chunk number || tag. */
void mt_object_leaf(uint64_t number, mt_bytes tag, mt_hash *out);

/* The tree of RFC 9162, 2.1, whose root alone is wanted: of each complete subtree that is not yet
 * part of a larger one, the root. Zeroed is empty. */
struct mt_object_tree {
    mt_hash roots[MT_OBJECT_TREE_DEPTH]; /* of 2^i leaves, where bit i of count is set */
    uint64_t count;
};
void mt_object_tree_add(struct mt_object_tree *t, const mt_hash *leaf);
/* Of at least one leaf. The roots of whole runs may be added to another tree: its root is that of
 * all their leaves. */
void mt_object_tree_root(const struct mt_object_tree *t, mt_hash *out);

void mt_object_commit(const mt_hash *salt, uint64_t size_bytes, const mt_hash *plain, mt_hash *out);

#endif
