/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/eventlog.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/hash.h"

enum { ALG_SHA256 = 0x000b, EV_NO_ACTION = 3, EVENT_DATA_MAX = 4096 };

/* TCG_EfiSpecIDEvent: one bank of 32 bytes, no vendor information. */
static const uint8_t spec_id[] = {'S', 'p', 'e', 'c', ' ', 'I', 'D',  ' ', 'E', 'v', 'e',
                                  'n', 't', '0', '3', 0,   0,   0,    0,   0,   0,   2,
                                  0,   2,   1,   0,   0,   0,   0x0b, 0,   32,  0,   0};

/* TCG_PCClientPCREvent: the old form, with a SHA-1 digest of zeros; never extended. */
void mt_eventlog_head_write(struct mt_writer *w)
{
    static const uint8_t zeros[20];
    mt_write_u32le(w, 0);
    mt_write_u32le(w, EV_NO_ACTION);
    mt_write_bytes(w, MT_BYTES_OF(zeros));
    mt_write_u32le(w, sizeof spec_id);
    mt_write_bytes(w, MT_BYTES_OF(spec_id));
}

void mt_event_write(struct mt_writer *w, const struct mt_event *e)
{
    mt_write_u32le(w, e->index);
    mt_write_u32le(w, (uint32_t)e->type);
    mt_write_u32le(w, 1);
    mt_write_u16le(w, ALG_SHA256);
    mt_write_bytes(w, mt_hash_bytes(&e->digest));
    mt_write_u32le(w, (uint32_t)e->data.len);
    mt_write_bytes(w, e->data);
}

static MT_ERR read_head(struct mt_reader *r)
{
    uint8_t room[32 + sizeof spec_id];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_bytes want;
    mt_bytes got;
    mt_eventlog_head_write(&w);
    mt_err e = mt_write_end(&w, &want);
    MT_ASSERT(!mt_failed(e)); /* the room above is as long as the head */
    MT_TRY(mt_read_bytes(r, want.len, &got));
    MT_REQUIRE(mt_bytes_equal(got, want), MT_E_FORMAT,
               "a measurement log does not begin with our Spec ID event");
    return MT_OK;
}

static MT_ERR read_event(struct mt_reader *r, struct mt_event *out)
{
    struct mt_event e = {.index = 0};
    uint32_t type = 0;
    uint32_t banks = 0;
    uint16_t algorithm = 0;
    uint32_t len = 0;
    MT_TRY(mt_read_u32le(r, &e.index));
    MT_REQUIRE(e.index < MT_REGISTERS, MT_E_FORMAT, "a measurement log has an unknown register");
    MT_TRY(mt_read_u32le(r, &type));
    MT_REQUIRE(type == MT_EV_ACTION || type == MT_EV_IPL, MT_E_FORMAT,
               "a measurement log has an unknown event");
    e.type = (enum mt_event_type)type;
    MT_TRY(mt_read_u32le(r, &banks));
    MT_TRY(mt_read_u16le(r, &algorithm));
    MT_REQUIRE(banks == 1 && algorithm == ALG_SHA256, MT_E_FORMAT,
               "a measurement log has other digests than SHA-256");
    MT_TRY(mt_read_copy(r, (mt_span){e.digest.b, sizeof e.digest.b}));
    MT_TRY(mt_read_u32le(r, &len));
    MT_REQUIRE(len <= EVENT_DATA_MAX, MT_E_LIMIT, "an event of a measurement log is too long");
    MT_TRY(mt_read_bytes(r, len, &e.data));
    if (e.type == MT_EV_ACTION) {
        mt_hash digest;
        mt_sha256(&e.data, 1, &digest);
        MT_REQUIRE(mt_hash_equal(&digest, &e.digest), MT_E_PROOF,
                   "an event of a measurement log is not what its digest says");
    }
    *out = e;
    return MT_OK;
}

static void extend(mt_hash *value, const mt_hash *digest)
{
    mt_hash before = *value;
    const mt_bytes parts[] = {mt_hash_bytes(&before), mt_hash_bytes(digest)};
    mt_sha256(parts, 2, value);
}

MT_ERR mt_eventlog_parse(mt_bytes in, struct mt_eventlog *out)
{
    struct mt_reader r = mt_reader_over(in);
    memset(out, 0, sizeof *out);
    MT_TRY(read_head(&r));
    while (r.rest.len > 0) {
        MT_REQUIRE(out->count < MT_EVENTS_MAX, MT_E_LIMIT, "a measurement log has too many events");
        struct mt_event *e = &out->events[out->count];
        MT_TRY(read_event(&r, e));
        extend(&out->registers[e->index], &e->digest);
        out->count++;
    }
    return MT_OK;
}

static void free_log(struct mt_eventlog **log)
{
    free(*log);
    *log = NULL;
}

MT_ERR mt_eventlog_replay(mt_bytes in, mt_hash registers[MT_REGISTERS])
{
    MT_DEFER(free_log) struct mt_eventlog *log = calloc(1, sizeof *log);
    MT_REQUIRE(log != NULL, MT_E_NOMEM, "no memory for a measurement log");
    MT_TRY(mt_eventlog_parse(in, log));
    memcpy(registers, log->registers, sizeof log->registers);
    return MT_OK;
}
