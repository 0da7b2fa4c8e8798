/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/data/store.h"

#include <string.h>

#include "wire/cbor.h"

enum { SETS, NAMES, VERSIONS };

const struct mt_map_def mt_data_maps[] = {
    [SETS] = {"data.sets", false},
    [NAMES] = {"data.names", false},
    [VERSIONS] = {"data.versions", false},
    {NULL, false},
};

MT_ERR mt_data_set_get(struct mt_tx *tx, const mt_id *id, struct mt_data_set *out)
{
    mt_bytes value;
    struct mt_data_set s = {.name = {NULL, 0}};
    uint64_t count = 0;
    MT_TRY(mt_tx_get(tx, &mt_data_maps[SETS], mt_id_bytes(id), &value));
    struct mt_reader r = mt_reader_over(value);
    MT_TRY(mt_cbor_read_array(&r, 3, &count));
    MT_REQUIRE(count == 3, MT_E_FORMAT, "a data set's record has three fields");
    MT_TRY(mt_cbor_read_text(&r, &s.name));
    MT_TRY(mt_cbor_read_uint(&r, &s.versions));
    MT_TRY(mt_cbor_read_bool(&r, &s.is_deleted));
    MT_TRY(mt_read_end(&r));
    *out = s;
    return MT_OK;
}

MT_ERR mt_data_set_put(struct mt_tx *tx, const mt_id *id, const struct mt_data_set *set)
{
    uint8_t room[MT_NAME_BYTES_MAX + 32];
    mt_bytes value;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cbor_write_array(&w, 3);
    mt_cbor_write_text(&w, set->name);
    mt_cbor_write_uint(&w, set->versions);
    mt_cbor_write_bool(&w, set->is_deleted);
    MT_TRY(mt_write_end(&w, &value));
    return mt_tx_put(tx, &mt_data_maps[SETS], mt_id_bytes(id), value);
}

struct version_key {
    uint8_t b[16 + 8];
};

static struct version_key version_key_of(const mt_id *id, uint64_t version)
{
    struct version_key k;
    memcpy(k.b, id->b, sizeof id->b);
    for (size_t i = 0; i < 8; i++) {
        k.b[16 + i] = (uint8_t)(version >> (56 - 8 * i));
    }
    return k;
}

MT_ERR mt_data_version_get(struct mt_tx *tx, const mt_id *id, uint64_t version,
                           struct mt_data_version *out)
{
    struct version_key k = version_key_of(id, version);
    mt_bytes value;
    struct mt_data_version v = {.made_ms = 0};
    uint64_t count = 0;
    MT_TRY(mt_tx_get(tx, &mt_data_maps[VERSIONS], MT_BYTES_OF(k), &value));
    struct mt_reader r = mt_reader_over(value);
    MT_TRY(mt_cbor_read_array(&r, 2, &count));
    MT_REQUIRE(count == 2, MT_E_FORMAT, "a data version's record has two fields");
    MT_TRY(mt_cbor_read_uint(&r, &v.made_ms));
    MT_TRY(mt_cbor_read_bytes(&r, &v.schema));
    MT_TRY(mt_read_end(&r));
    *out = v;
    return MT_OK;
}

MT_ERR mt_data_version_put(struct mt_tx *tx, const mt_id *id, uint64_t version,
                           const struct mt_data_version *v)
{
    struct version_key k = version_key_of(id, version);
    mt_bytes value;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_VALUE_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    mt_cbor_write_array(&w, 2);
    mt_cbor_write_uint(&w, v->made_ms);
    mt_cbor_write_bytes(&w, v->schema);
    MT_TRY(mt_write_end(&w, &value));
    return mt_tx_put(tx, &mt_data_maps[VERSIONS], MT_BYTES_OF(k), value);
}

static MT_ERR name_key_of(const mt_hash *owner, mt_bytes name, mt_span room, mt_bytes *out)
{
    struct mt_writer w = mt_writer_over(room);
    mt_write_bytes(&w, mt_hash_bytes(owner));
    mt_write_bytes(&w, name);
    return mt_write_end(&w, out);
}

MT_ERR mt_data_name_get(struct mt_tx *tx, const mt_hash *owner, mt_bytes name, mt_id *out)
{
    uint8_t room[32 + MT_NAME_BYTES_MAX];
    mt_bytes key;
    mt_bytes value;
    MT_TRY(name_key_of(owner, name, (mt_span){room, sizeof room}, &key));
    MT_TRY(mt_tx_get(tx, &mt_data_maps[NAMES], key, &value));
    MT_REQUIRE(value.len == sizeof out->b, MT_E_FORMAT,
               "an entry of data.names has the wrong length");
    memcpy(out->b, value.ptr, sizeof out->b);
    return MT_OK;
}

MT_ERR mt_data_name_put(struct mt_tx *tx, const mt_hash *owner, mt_bytes name, const mt_id *id)
{
    uint8_t room[32 + MT_NAME_BYTES_MAX];
    mt_bytes key;
    MT_TRY(name_key_of(owner, name, (mt_span){room, sizeof room}, &key));
    return mt_tx_put(tx, &mt_data_maps[NAMES], key, mt_id_bytes(id));
}

MT_ERR mt_data_name_del(struct mt_tx *tx, const mt_hash *owner, mt_bytes name)
{
    uint8_t room[32 + MT_NAME_BYTES_MAX];
    mt_bytes key;
    MT_TRY(name_key_of(owner, name, (mt_span){room, sizeof room}, &key));
    return mt_tx_del(tx, &mt_data_maps[NAMES], key);
}
