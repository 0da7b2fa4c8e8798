/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gate/inside.h"
#include "wire/cbor.h"

/*
 * Retries. gate.requests: subject || session || number -> [request hash, status, body, time].
 * gate.order is a ring for each subject: subject -> how many so far; subject || slot -> session ||
 * number. The newest MT_DEDUPE_PER_SUBJECT_MAX are kept, and hold for a day.
 */
enum {
    SESSION_KEY = 16 + 8,
    REQUEST_KEY = 32 + SESSION_KEY,
    SLOT_KEY = 32 + 2,
    DAY_MS = 24 * 60 * 60 * 1000
};

static mt_bytes request_key_of(const struct mt_ask *ask, uint8_t out[REQUEST_KEY])
{
    struct mt_writer w = mt_writer_over((mt_span){out, REQUEST_KEY});
    mt_write_bytes(&w, mt_hash_bytes(&ask->subject));
    mt_write_bytes(&w, mt_id_bytes(&ask->session));
    mt_write_u64be(&w, ask->number);
    return mt_write_done(&w);
}

struct remembered {
    mt_hash request_hash;
    uint32_t status;
    mt_bytes body;
    uint64_t at_ms;
};

static MT_ERR parse_remembered(mt_bytes value, struct remembered *out)
{
    struct mt_reader r = mt_reader_over(value);
    struct remembered m = {0};
    uint64_t count = 0;
    uint64_t status = 0;
    MT_TRY(mt_cbor_read_array(&r, 4, &count));
    MT_REQUIRE(count == 4, MT_E_FORMAT, "a request's record has four fields");
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){m.request_hash.b, sizeof m.request_hash.b}));
    MT_TRY(mt_cbor_read_uint(&r, &status));
    MT_REQUIRE(status < 1000, MT_E_FORMAT, "a request's status is no status");
    m.status = (uint32_t)status;
    MT_TRY(mt_cbor_read_bytes(&r, &m.body));
    MT_TRY(mt_cbor_read_uint(&r, &m.at_ms));
    MT_TRY(mt_read_end(&r));
    *out = m;
    return MT_OK;
}

MT_ERR mt_gate_recall(struct mt_gate *g, struct mt_tx *tx, const struct mt_ask *ask,
                      struct mt_recalled *out)
{
    MT_GATE_REACHES(tx);
    uint8_t room[REQUEST_KEY];
    const mt_bytes key = request_key_of(ask, room);
    mt_bytes value;
    struct remembered m;
    (void)g;
    if (!ask->is_numbered ||
        mt_failed(mt_tx_get(tx, &mt_gate_maps[MT_GATE_REQUESTS], key, &value))) {
        out->is_known = false; /* there is no such entry: no other failure is there */
        return MT_OK;
    }
    MT_TRY(parse_remembered(value, &m));
    if (mt_tx_now_ms(tx) - m.at_ms > DAY_MS) {
        out->is_known = false;
        return MT_OK;
    }
    MT_REQUIRE(mt_hash_equal(&m.request_hash, &ask->request_hash), MT_E_CONFLICT,
               "this request number was used for another request");
    MT_TRY(mt_arena_copy(ask->arena, m.body, &out->body));
    out->status = m.status;
    out->is_known = true;
    return MT_OK;
}

static MT_ERR read_count(struct mt_tx *tx, const mt_hash *subject, uint64_t *out)
{
    mt_bytes value;
    *out = 0;
    if (mt_failed(mt_tx_get(tx, &mt_gate_maps[MT_GATE_ORDER], mt_hash_bytes(subject), &value))) {
        return MT_OK;
    }
    struct mt_reader r = mt_reader_over(value);
    MT_TRY(mt_read_u64be(&r, out));
    return mt_read_end(&r);
}

/* Takes the next slot of the subject's ring, and forgets the request that had it. */
static MT_ERR take_slot(struct mt_tx *tx, const struct mt_ask *ask, mt_bytes key)
{
    uint64_t count = 0;
    uint8_t slot[SLOT_KEY];
    uint8_t next[8];
    mt_bytes value;
    MT_TRY(read_count(tx, &ask->subject, &count));
    struct mt_writer w = mt_writer_over((mt_span){slot, sizeof slot});
    mt_write_bytes(&w, mt_hash_bytes(&ask->subject));
    mt_write_u16be(&w, (uint16_t)(count % MT_DEDUPE_PER_SUBJECT_MAX));
    const mt_bytes slot_key = mt_write_done(&w);
    if (!mt_failed(mt_tx_get(tx, &mt_gate_maps[MT_GATE_ORDER], slot_key, &value))) {
        uint8_t old[REQUEST_KEY];
        MT_REQUIRE(value.len == SESSION_KEY, MT_E_FORMAT,
                   "an entry of gate.order has the wrong length");
        memcpy(old, ask->subject.b, 32);
        memcpy(old + 32, value.ptr, SESSION_KEY);
        MT_TRY(mt_tx_del(tx, &mt_gate_maps[MT_GATE_REQUESTS], (mt_bytes){old, sizeof old}));
    }
    MT_TRY(mt_tx_put(tx, &mt_gate_maps[MT_GATE_ORDER], slot_key,
                     (mt_bytes){key.ptr + 32, SESSION_KEY}));
    struct mt_writer n = mt_writer_over((mt_span){next, sizeof next});
    mt_write_u64be(&n, count + 1);
    return mt_tx_put(tx, &mt_gate_maps[MT_GATE_ORDER], mt_hash_bytes(&ask->subject),
                     mt_write_done(&n));
}

MT_ERR mt_gate_remember(struct mt_gate *g, struct mt_tx *tx, const struct mt_ask *ask,
                        uint32_t status, mt_bytes body)
{
    MT_GATE_REACHES(tx);
    uint8_t key_room[REQUEST_KEY];
    const mt_bytes key = request_key_of(ask, key_room);
    mt_bytes value;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_VALUE_BYTES_MAX);
    (void)g;
    if (!ask->is_numbered) {
        return MT_OK;
    }
    MT_TRY(take_slot(tx, ask, key));
    struct mt_writer w = mt_writer_onto(&room);
    mt_cbor_write_array(&w, 4);
    mt_cbor_write_bytes(&w, mt_hash_bytes(&ask->request_hash));
    mt_cbor_write_uint(&w, status);
    mt_cbor_write_bytes(&w, body);
    mt_cbor_write_uint(&w, mt_tx_now_ms(tx));
    MT_TRY(mt_write_end(&w, &value));
    return mt_tx_put(tx, &mt_gate_maps[MT_GATE_REQUESTS], key, value);
}
