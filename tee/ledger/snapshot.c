/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/snapshot.h"

#include "base/assert.h"
#include "base/limits.h"
#include "wire/cbor.h"

enum { VERSION = 1, KIND_END = 0, KIND_MAP = 1 };
static const uint8_t magic[8] = {'M', 'T', 'S', 'N', 'A', 'P', 'S', '1'};

void mt_snapshot_head_write(const struct mt_snapshot_head *h, uint8_t out[MT_SNAPSHOT_HEAD_LEN])
{
    struct mt_writer w = mt_writer_over((mt_span){out, MT_SNAPSHOT_HEAD_LEN});
    mt_bytes done;
    mt_write_bytes(&w, MT_BYTES_OF(magic));
    mt_write_u32le(&w, VERSION);
    mt_write_u32le(&w, 0);
    mt_write_bytes(&w, mt_hash_bytes(&h->cluster_id));
    mt_write_u64le(&w, h->txid);
    mt_write_u64le(&w, h->block);
    mt_write_bytes(&w, mt_hash_bytes(&h->block_hash));
    mt_write_bytes(&w, mt_hash_bytes(&h->salt));
    mt_err e = mt_write_end(&w, &done);
    MT_ASSERT(!mt_failed(e));
    MT_ASSERT(done.len == MT_SNAPSHOT_HEAD_LEN);
}

MT_ERR mt_snapshot_head_parse(mt_bytes in, struct mt_snapshot_head *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_snapshot_head h;
    mt_bytes start;
    uint32_t version = 0;
    uint32_t zero = 0;
    MT_TRY(mt_read_bytes(&r, sizeof magic, &start));
    MT_REQUIRE(mt_bytes_equal(start, MT_BYTES_OF(magic)), MT_E_FORMAT, "not a snapshot");
    MT_TRY(mt_read_u32le(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_FORMAT, "a snapshot of another version");
    MT_TRY(mt_read_u32le(&r, &zero));
    MT_REQUIRE(zero == 0, MT_E_FORMAT, "a snapshot of a kind we do not know");
    MT_TRY(mt_read_copy(&r, (mt_span){h.cluster_id.b, sizeof h.cluster_id.b}));
    MT_TRY(mt_read_u64le(&r, &h.txid));
    MT_TRY(mt_read_u64le(&r, &h.block));
    MT_TRY(mt_read_copy(&r, (mt_span){h.block_hash.b, sizeof h.block_hash.b}));
    MT_TRY(mt_read_copy(&r, (mt_span){h.salt.b, sizeof h.salt.b}));
    MT_TRY(mt_read_end(&r));
    MT_REQUIRE(h.txid > 0 && h.block > 0, MT_E_FORMAT,
               "blocks and transactions are numbered from 1");
    *out = h;
    return MT_OK;
}

static MT_ERR parse_map_frame(struct mt_reader *r, struct mt_snapshot_frame *f)
{
    uint64_t halves = 0;
    mt_bytes last = {NULL, 0};
    MT_TRY(mt_cbor_read_text(r, &f->map));
    MT_REQUIRE(f->map.len > 0 && f->map.len <= MT_MAP_NAME_BYTES_MAX, MT_E_FORMAT,
               "a map's name is too short or too long");
    MT_TRY(mt_cbor_read_bool(r, &f->is_public));
    MT_TRY(mt_cbor_read_array(r, 2 * (uint64_t)MT_SNAPSHOT_FRAME_ENTRIES_MAX, &halves));
    MT_REQUIRE(halves > 0 && halves % 2 == 0, MT_E_FORMAT, "entries are keys and values in turn");
    f->entries = halves / 2;
    f->pairs = r->rest;
    for (uint64_t i = 0; i < f->entries; i++) {
        mt_bytes key;
        mt_bytes value;
        MT_TRY(mt_cbor_read_bytes(r, &key));
        MT_TRY(mt_cbor_read_bytes(r, &value));
        MT_REQUIRE(key.len > 0 && key.len <= MT_KEY_BYTES_MAX && value.len <= MT_VALUE_BYTES_MAX,
                   MT_E_FORMAT, "an entry is too large");
        MT_REQUIRE(mt_bytes_order(key, last) > 0, MT_E_FORMAT, "entries are not in order");
        last = key;
    }
    return MT_OK;
}

MT_ERR mt_snapshot_frame_parse(mt_bytes in, struct mt_snapshot_frame *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_snapshot_frame f = {.is_end = false};
    uint64_t fields = 0;
    uint64_t kind = 0;
    MT_TRY(mt_cbor_read_array(&r, 4, &fields));
    MT_TRY(mt_cbor_read_uint(&r, &kind));
    if (fields == 2 && kind == KIND_END) {
        f.is_end = true;
        MT_TRY(mt_cbor_read_uint(&r, &f.entries));
    } else {
        MT_REQUIRE(fields == 4 && kind == KIND_MAP, MT_E_FORMAT,
                   "a frame of a kind we do not know");
        MT_TRY(parse_map_frame(&r, &f));
    }
    MT_TRY(mt_read_end(&r));
    *out = f;
    return MT_OK;
}

void mt_snapshot_frame_write(struct mt_writer *w, const struct mt_snapshot_frame *f)
{
    mt_cbor_write_array(w, f->is_end ? 2 : 4);
    mt_cbor_write_uint(w, f->is_end ? KIND_END : KIND_MAP);
    if (f->is_end) {
        mt_cbor_write_uint(w, f->entries);
        return;
    }
    mt_cbor_write_text(w, f->map);
    mt_cbor_write_bool(w, f->is_public);
    mt_cbor_write_array(w, 2 * f->entries);
}
