/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_WORLD_TEST_H
#define MT_ATTEST_WORLD_TEST_H

#include <stdlib.h>
#include <string.h>

#include "attest/appraise.h"
#include "attest/eventlog.h"
#include "attest/signed.h"
#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/hash.h"
#include "unit/runner.h"
#include "wire/cbor.h"

/* What the tests of this folder share: people with keys, a node's measurement log, a time. */

#define OK(call_) MT_ASSERT(!mt_failed(call_))

static inline bool is_code(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

/* Refused, and by this rule: it is the one that the trace names, too. */
static inline bool is_refused(mt_err e, enum mt_code code, const struct mt_trace *t,
                              const char *rule)
{
    const struct mt_check *failed = mt_trace_failed(t);
    return is_code(e, code) && failed != NULL && failed->mend != NULL &&
           mt_bytes_equal(mt_bytes_of_text(failed->rule), mt_bytes_of_text(rule)) &&
           mt_bytes_equal(mt_bytes_of_text(e.fault->what), mt_bytes_of_text(rule));
}

enum party {
    PLATFORM,
    FRESH_PLATFORM,
    OPERATOR,
    OTHER_OPERATOR,
    ANN, /* auditors */
    BEN,
    CAT,
    OWNER,
    STRANGER,
    SERVICE,
    PARTIES
};
enum { NOW_MS = 1700000000, HOUR_MS = 3600000 };

static struct mt_key *keys[PARTIES];

/* Of the bits, bytes and allocations that a test breaks one after another, each `step`-th is
 * broken; all, if the program's first argument is 1 (the suite adversary). */
static size_t step;

/* In a thorough run each length is tried, whatever its step. */
static inline size_t lengths_step(void)
{
    return step > 8 ? step : 1;
}
static uint64_t world_seed = 1;

static inline mt_err world_random(void *state, mt_span out)
{
    (void)state;
    for (size_t i = 0; i < out.len; i++) {
        world_seed = world_seed * 6364136223846793005U + 1442695040888963407U;
        out.ptr[i] = (uint8_t)(world_seed >> 56);
    }
    return MT_OK;
}

static inline void world_begin(int argc, char **argv)
{
    step = argc > 1 ? strtoul(argv[1], NULL, 10) : 41;
    OK(mt_crypto_init(world_random, NULL));
    for (size_t i = 0; i < PARTIES; i++) {
        const uint8_t d[MT_PRIVATE_LEN] = {(uint8_t)(i + 1), 7};
        OK(mt_key_of_private(MT_BYTES_OF(d), &keys[i]));
    }
}

static inline void world_end(void)
{
    for (size_t i = 0; i < PARTIES; i++) {
        mt_key_free(&keys[i]);
    }
    mt_crypto_done();
}

static inline mt_spki spki_of(enum party p)
{
    return *mt_key_public(keys[p]);
}

static inline mt_hash subject_of(enum party p)
{
    mt_hash h;
    mt_spki_hash(mt_key_public(keys[p]), &h);
    return h;
}

static inline mt_bytes written(const struct mt_writer *w)
{
    mt_bytes out;
    OK(mt_write_end(w, &out));
    return out;
}

static inline mt_bytes statement(struct mt_buf *room, enum party by, enum mt_label label,
                                 mt_bytes payload)
{
    struct mt_writer w = mt_writer_onto(room);
    mt_signed_write(&w, keys[by], label, payload);
    return written(&w);
}

/* A program, its configuration and what it says of the kernel. */
static inline mt_bytes world_log(struct mt_buf *room)
{
    const mt_bytes facts[] = {MT_LITERAL("listen = 1"), MT_LITERAL("smt = 0")};
    struct mt_event e = {MT_REGISTER_CODE, MT_EV_IPL, {{0xc0, 0xde}}, MT_LITERAL("/bin/node")};
    struct mt_writer w = mt_writer_onto(room);
    mt_eventlog_head_write(&w);
    mt_event_write(&w, &e);
    for (uint32_t i = 0; i < 2; i++) {
        e = (struct mt_event){MT_REGISTER_CONFIGURATION + i, MT_EV_ACTION, {{0}}, facts[i]};
        mt_sha256(&facts[i], 1, &e.digest);
        mt_event_write(&w, &e);
    }
    return written(&w);
}

/* The register after one event, as the specification says. */
static inline mt_hash world_register(const mt_hash *digest)
{
    static const mt_hash zeros;
    const mt_bytes parts[] = {mt_hash_bytes(&zeros), mt_hash_bytes(digest)};
    mt_hash h;
    mt_sha256(parts, 2, &h);
    return h;
}

static inline mt_hash world_measurement(void)
{
    const mt_hash code = {{0xc0, 0xde}};
    return world_register(&code);
}

static inline mt_hash world_configuration(void)
{
    const mt_bytes text = MT_LITERAL("listen = 1");
    mt_hash h;
    mt_sha256(&text, 1, &h);
    return world_register(&h);
}

/* Evidence of the node for this report data, signed by that platform. */
static inline mt_bytes world_evidence(struct mt_buf *room, enum party platform,
                                      const uint8_t report_data[MT_REPORT_DATA_LEN])
{
    MT_DEFER(mt_buf_free) struct mt_buf log = mt_buf_of_max(4096);
    struct mt_writer w = mt_writer_onto(room);
    mt_soft_evidence_write(&w, keys[platform], world_log(&log), report_data);
    return written(&w);
}

#endif
