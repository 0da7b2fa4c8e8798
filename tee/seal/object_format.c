/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/object_format.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"

enum { VERSION = 1 };
/* A run is a complete subtree, so that roots of runs are leaves of the tree above. */
_Static_assert((MT_OBJECT_RUN_CHUNKS & (MT_OBJECT_RUN_CHUNKS - 1)) == 0, "a run is a power of two");

void mt_object_head_of(const mt_id *id, struct mt_object_head *out)
{
    struct mt_writer w = mt_writer_over((mt_span){out->b, sizeof out->b});
    mt_bytes all;
    mt_write_bytes(&w, MT_LITERAL("MTOBJCT1"));
    mt_write_u32be(&w, VERSION);
    mt_write_u32be(&w, MT_CHUNK_BYTES);
    mt_write_bytes(&w, mt_id_bytes(id));
    mt_err e = mt_write_end(&w, &all);
    MT_ASSERT(!mt_failed(e) && all.len == MT_OBJECT_HEAD_LEN);
}

void mt_object_name(const char *dir, const mt_id *id, char out[MT_OBJECT_NAME_MAX])
{
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)out, MT_OBJECT_NAME_MAX});
    mt_bytes all;
    mt_write_bytes(&w, mt_bytes_of_text(dir));
    mt_write_u8(&w, '/');
    mt_hex_write(&w, mt_id_bytes(id));
    mt_write_bytes(&w, (mt_bytes){(const uint8_t *)".mto", 5}); /* with its NUL */
    mt_err e = mt_write_end(&w, &all);
    MT_ASSERT(!mt_failed(e));
}

static void put_u64be(uint64_t value, uint8_t out[8])
{
    for (size_t i = 0; i < 8; i++) {
        out[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

void mt_chunk_aad_of(const struct mt_object_head *head, uint64_t number, bool is_last,
                     struct mt_chunk_aad *out)
{
    memcpy(out->b, head->b, sizeof head->b);
    put_u64be(number, out->b + MT_OBJECT_HEAD_LEN);
    out->b[MT_OBJECT_HEAD_LEN + 8] = is_last ? 1 : 0;
}

uint64_t mt_object_chunks(uint64_t size_bytes)
{
    return size_bytes == 0 ? 1 : (size_bytes + MT_CHUNK_BYTES - 1) / MT_CHUNK_BYTES;
}

uint64_t mt_object_chunk_at(uint64_t number)
{
    uint64_t tables = number / MT_OBJECT_RUN_CHUNKS * MT_OBJECT_TABLE_LEN;
    return MT_OBJECT_HEAD_LEN + number * MT_OBJECT_SEALED_CHUNK + tables;
}

uint64_t mt_object_table_at(uint64_t run, uint64_t size_bytes)
{
    uint64_t chunks = mt_object_chunks(size_bytes);
    uint64_t end = (run + 1) * MT_OBJECT_RUN_CHUNKS;
    if (end <= chunks - 1) { /* the last chunk, which may be short, is in a later run */
        return mt_object_chunk_at(end) - MT_OBJECT_TABLE_LEN;
    }
    uint64_t last_len = size_bytes - (chunks - 1) * MT_CHUNK_BYTES;
    return mt_object_chunk_at(chunks - 1) + last_len + MT_AEAD_TAG_LEN;
}

uint64_t mt_object_file_bytes(uint64_t size_bytes)
{
    uint64_t chunks = mt_object_chunks(size_bytes);
    return MT_OBJECT_HEAD_LEN + size_bytes + chunks * 2 * MT_AEAD_TAG_LEN;
}

void mt_object_leaf(uint64_t number, mt_bytes tag, mt_hash *out)
{
    uint8_t be[8];
    put_u64be(number, be);
    const mt_bytes parts[] = {{be, sizeof be}, tag};
    mt_merkle_leaf(parts, 2, out);
}

void mt_object_tree_add(struct mt_object_tree *t, const mt_hash *leaf)
{
    mt_hash h = *leaf;
    size_t i = 0;
    for (; (t->count >> i & 1) != 0; i++) {
        mt_hash right = h;
        mt_merkle_node(&t->roots[i], &right, &h);
    }
    MT_ASSERT(i < MT_OBJECT_TREE_DEPTH);
    t->roots[i] = h;
    t->count++;
}

void mt_object_tree_root(const struct mt_object_tree *t, mt_hash *out)
{
    mt_hash h = {{0}};
    bool has_right = false;
    MT_ASSERT(t->count > 0);
    for (size_t i = 0; i < MT_OBJECT_TREE_DEPTH; i++) {
        if ((t->count >> i & 1) != 0) {
            mt_hash right = h;
            h = t->roots[i];
            if (has_right) {
                mt_merkle_node(&t->roots[i], &right, &h);
            }
            has_right = true;
        }
    }
    *out = h;
}

void mt_object_commit(const mt_hash *salt, uint64_t size_bytes, const mt_hash *plain, mt_hash *out)
{
    mt_bytes label = mt_label_bytes(MT_LABEL_COMMITMENT);
    const uint8_t len = (uint8_t)label.len;
    uint8_t be[8];
    put_u64be(size_bytes, be);
    const mt_bytes parts[] = {
        {&len, 1}, label, mt_hash_bytes(salt), {be, sizeof be}, mt_hash_bytes(plain)};
    mt_sha256(parts, 5, out);
}
