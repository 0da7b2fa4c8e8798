/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/inside.h"
#include "wire/cbor.h"

/* CBOR [1, [[epoch, key]...]]: one key, or two of which the second is of the next epoch. */
enum { VERSION = 1 };

void mt_shred_keys_write(struct mt_writer *w, const struct mt_shred_keys *k)
{
    mt_cbor_write_array(w, 2);
    mt_cbor_write_uint(w, VERSION);
    mt_cbor_write_array(w, k->count);
    for (size_t i = 0; i < k->count; i++) {
        mt_cbor_write_array(w, 2);
        mt_cbor_write_uint(w, k->keys[i].epoch);
        mt_cbor_write_bytes(w, k->keys[i].key);
    }
}

MT_ERR mt_shred_keys_parse(mt_bytes in, struct mt_shred_keys *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_shred_keys k = {.count = 0};
    uint64_t fields = 0;
    uint64_t version = 0;
    uint64_t count = 0;
    MT_TRY(mt_cbor_read_array(&r, UINT64_MAX, &fields));
    MT_TRY(mt_cbor_read_uint(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_FORMAT, "the shred file is of another version");
    MT_REQUIRE(fields == 2, MT_E_FORMAT, "the shred file has two fields");
    MT_TRY(mt_cbor_read_array(&r, MT_SHRED_KEYS_MAX, &count));
    MT_REQUIRE(count > 0, MT_E_FORMAT, "the shred file has no key");
    for (; k.count < count; k.count++) {
        uint64_t epoch = 0;
        mt_bytes key;
        MT_TRY(mt_cbor_read_array(&r, 2, &fields));
        MT_REQUIRE(fields == 2, MT_E_FORMAT, "a shred key has two parts");
        MT_TRY(mt_cbor_read_uint(&r, &epoch));
        MT_TRY(mt_cbor_read_bytes(&r, &key));
        MT_REQUIRE(key.len == MT_AEAD_KEY_LEN, MT_E_FORMAT, "a shred key has 32 bytes");
        MT_REQUIRE(epoch > 0 && (k.count == 0 || epoch - 1 == k.keys[0].epoch), MT_E_FORMAT,
                   "the epochs of the shred keys do not follow each other");
        k.keys[k.count].epoch = epoch;
        k.keys[k.count].key = key;
    }
    MT_TRY(mt_read_end(&r));
    *out = k;
    return MT_OK;
}
