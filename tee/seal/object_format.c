/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/object_format.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"

enum { VERSION = 1 };

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

void mt_chunk_aad_of(const struct mt_object_head *head, uint64_t number, bool is_last,
                     struct mt_chunk_aad *out)
{
    memcpy(out->b, head->b, sizeof head->b);
    for (size_t i = 0; i < 8; i++) {
        out->b[MT_OBJECT_HEAD_LEN + i] = (uint8_t)(number >> (56 - 8 * i));
    }
    out->b[MT_OBJECT_HEAD_LEN + 8] = is_last ? 1 : 0;
}

uint64_t mt_object_chunks(uint64_t size_bytes)
{
    return size_bytes == 0 ? 1 : (size_bytes + MT_CHUNK_BYTES - 1) / MT_CHUNK_BYTES;
}

void mt_object_leaf(uint64_t number, mt_bytes tag, mt_hash *out)
{
    uint8_t be[8];
    for (size_t i = 0; i < 8; i++) {
        be[i] = (uint8_t)(number >> (56 - 8 * i));
    }
    const mt_bytes parts[] = {{be, sizeof be}, tag};
    mt_merkle_leaf(parts, 2, out);
}

void mt_object_commit(const mt_hash *salt, uint64_t size_bytes, const mt_hash *plain, mt_hash *out)
{
    mt_bytes label = mt_label_bytes(MT_LABEL_COMMITMENT);
    const uint8_t len = (uint8_t)label.len;
    uint8_t be[8];
    for (size_t i = 0; i < 8; i++) {
        be[i] = (uint8_t)(size_bytes >> (56 - 8 * i));
    }
    const mt_bytes parts[] = {
        {&len, 1}, label, mt_hash_bytes(salt), {be, sizeof be}, mt_hash_bytes(plain)};
    mt_sha256(parts, 5, out);
}
