/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_OBJECT_FORMAT_H
#define MT_SEAL_OBJECT_FORMAT_H

#include "base/limits.h"
#include "crypto/aead.h"
#include "seal/handle.h"

/* The file of an object, as bytes (spec/sealed-object.md): what writer and reader share. */
enum {
    MT_OBJECT_HEAD_LEN = 32, /* "MTOBJCT1", u32be version, u32be chunk bytes, id */
    MT_OBJECT_SEALED_CHUNK = MT_CHUNK_BYTES + MT_AEAD_TAG_LEN,
    MT_OBJECT_NAME_MAX = 48,
};
#define MT_OBJECT_BYTES_MAX ((uint64_t)64 << 30)

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

/* Leaf of the tree: u64be chunk number || tag. */
void mt_object_leaf(uint64_t number, mt_bytes tag, mt_hash *out);

void mt_object_commit(const mt_hash *salt, uint64_t size_bytes, const mt_hash *plain, mt_hash *out);

#endif
