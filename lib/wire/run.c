/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/run.h"

#include <string.h>

#include "wire/cbor.h"

enum { RUN_FIELDS = 12, RUN_VERSION = 1 };

/* ["run", 1, definition, [approval...], run, number, [[name, commitment, size]...], level,
 * oblivious, limits enforced, started, ended] */
void mt_run_claim_write(struct mt_writer *w, const struct mt_run_claim *c)
{
    mt_cbor_write_array(w, RUN_FIELDS);
    mt_cbor_write_text(w, MT_LITERAL("run"));
    mt_cbor_write_uint(w, RUN_VERSION);
    mt_cbor_write_bytes(w, c->definition);
    mt_cbor_write_array(w, c->approvals_count);
    for (size_t i = 0; i < c->approvals_count; i++) {
        mt_cbor_write_bytes(w, c->approvals[i]);
    }
    mt_cbor_write_bytes(w, mt_id_bytes(&c->run));
    mt_cbor_write_uint(w, c->number);
    mt_cbor_write_array(w, c->outputs_count);
    for (size_t i = 0; i < c->outputs_count; i++) {
        mt_cbor_write_array(w, 3);
        mt_cbor_write_text(w, c->outputs[i].name);
        mt_cbor_write_bytes(w, mt_hash_bytes(&c->outputs[i].commitment));
        mt_cbor_write_uint(w, c->outputs[i].size_bytes);
    }
    mt_cbor_write_uint(w, c->level);
    mt_cbor_write_bool(w, c->is_oblivious);
    mt_cbor_write_bool(w, c->are_limits_enforced);
    mt_cbor_write_uint(w, c->started_ms);
    mt_cbor_write_uint(w, c->ended_ms);
}

static MT_ERR read_head(struct mt_reader *r, struct mt_run_claim *c)
{
    uint64_t fields = 0;
    uint64_t version = 0;
    uint64_t count = 0;
    mt_bytes kind;
    MT_TRY(mt_cbor_read_array(r, RUN_FIELDS, &fields));
    MT_REQUIRE(fields == RUN_FIELDS, MT_E_FORMAT, "a run's claim has twelve fields");
    MT_TRY(mt_cbor_read_text(r, &kind));
    MT_REQUIRE(mt_bytes_equal(kind, MT_LITERAL("run")), MT_E_FORMAT,
               "this claim is not about a run");
    MT_TRY(mt_cbor_read_uint(r, &version));
    MT_REQUIRE(version == RUN_VERSION, MT_E_FORMAT, "this run's claim is of another version");
    MT_TRY(mt_cbor_read_bytes(r, &c->definition));
    MT_TRY(mt_cbor_read_array(r, MT_TASK_PARTIES_MAX, &count));
    for (uint64_t i = 0; i < count; i++) {
        MT_TRY(mt_cbor_read_bytes(r, &c->approvals[i]));
    }
    c->approvals_count = (size_t)count;
    return MT_OK;
}

static MT_ERR read_outputs(struct mt_reader *r, struct mt_run_claim *c)
{
    uint64_t count = 0;
    MT_TRY(mt_cbor_read_array(r, MT_TASK_PARTIES_MAX, &count));
    for (uint64_t i = 0; i < count; i++) {
        struct mt_run_output *o = &c->outputs[i];
        uint64_t fields = 0;
        MT_TRY(mt_cbor_read_array(r, 3, &fields));
        MT_REQUIRE(fields == 3, MT_E_FORMAT, "an output in a run's claim has three fields");
        MT_TRY(mt_cbor_read_text(r, &o->name));
        MT_REQUIRE(o->name.len > 0 && o->name.len <= MT_NAME_BYTES_MAX, MT_E_FORMAT,
                   "a name in a run's claim has 1 to 64 bytes");
        MT_TRY(mt_cbor_read_copy(r, (mt_span){o->commitment.b, sizeof o->commitment.b}));
        MT_TRY(mt_cbor_read_uint(r, &o->size_bytes));
    }
    c->outputs_count = (size_t)count;
    return MT_OK;
}

MT_ERR mt_run_claim_parse(mt_bytes in, struct mt_run_claim *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_run_claim c;
    memset(&c, 0, sizeof c);
    MT_TRY(read_head(&r, &c));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){c.run.b, sizeof c.run.b}));
    MT_TRY(mt_cbor_read_uint(&r, &c.number));
    MT_TRY(read_outputs(&r, &c));
    MT_TRY(mt_cbor_read_uint(&r, &c.level));
    MT_TRY(mt_cbor_read_bool(&r, &c.is_oblivious));
    MT_TRY(mt_cbor_read_bool(&r, &c.are_limits_enforced));
    MT_TRY(mt_cbor_read_uint(&r, &c.started_ms));
    MT_TRY(mt_cbor_read_uint(&r, &c.ended_ms));
    MT_TRY(mt_read_end(&r));
    *out = c;
    return MT_OK;
}
