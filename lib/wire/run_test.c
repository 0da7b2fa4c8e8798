/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/run.h"

#include <string.h>

#include "base/assert.h"
#include "unit/mangle.h"
#include "unit/runner.h"
#include "vectors/wire_formats.h"
#include "wire/cbor.h"
#include "wire/cose.h"
#include "wire/task.h"

static uint8_t room[4096];

static mt_bytes written(const struct mt_run_claim *c, mt_span out_room)
{
    mt_bytes out;
    struct mt_writer w = mt_writer_over(out_room);
    mt_run_claim_write(&w, c);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    return out;
}

static struct mt_run_claim good_claim(void)
{
    return (struct mt_run_claim){
        .definition = MT_LITERAL("definition"),
        .approvals = {MT_LITERAL("first"), MT_LITERAL("second")},
        .approvals_count = 2,
        .run = {{1, 2, 3}},
        .number = 1,
        .outputs = {{MT_LITERAL("rows"), {{4, 5, 6}}, 7}, {MT_LITERAL("sums"), {{8, 9, 10}}, 11}},
        .outputs_count = 2,
        .level = 2,
        .is_oblivious = false,
        .are_limits_enforced = false,
        .started_ms = 1700000000000,
        .ended_ms = 1700000001000};
}

static bool comes_back(const uint8_t *bytes, size_t len)
{
    struct mt_run_claim c;
    if (mt_failed(mt_run_claim_parse((mt_bytes){bytes, len}, &c))) {
        return false;
    }
    mt_bytes out = written(&c, (mt_span){room, sizeof room});
    MT_ASSERT(mt_bytes_equal(out, (mt_bytes){bytes, len}));
    return true;
}

static void a_claim_comes_back_and_nothing_near_it_is_taken_for_it(void)
{
    uint8_t own[1024];
    struct mt_run_claim c = good_claim();
    struct mt_run_claim back;
    mt_bytes out = written(&c, (mt_span){own, sizeof own});
    MT_ASSERT(!mt_failed(mt_run_claim_parse(out, &back)));
    MT_ASSERT(back.approvals_count == 2 && back.outputs_count == 2 && back.number == 1);
    MT_ASSERT(mt_bytes_equal(back.approvals[1], MT_LITERAL("second")) && !back.is_oblivious);
    mt_mangle_length(comes_back, out.ptr, out.len);
    MT_ASSERT(mt_mangle_bits(comes_back, out.ptr, out.len) > (size_t)8 * 32 * 2);
}

static void the_example_of_the_specification_is_read(void)
{
    static uint8_t bytes[(sizeof MT_VECTOR_RUN_CLAIM - 1) / 2];
    static struct mt_task t;
    struct mt_run_claim c;
    struct mt_cose_sign1 m;
    const mt_span in = {bytes, sizeof bytes};
    MT_ASSERT(!mt_failed(mt_hex_parse(MT_LITERAL(MT_VECTOR_RUN_CLAIM), in)));
    MT_ASSERT(comes_back(bytes, sizeof bytes));
    MT_ASSERT(!mt_failed(mt_run_claim_parse(mt_bytes_of(in), &c)));
    MT_ASSERT(c.run.b[0] == 13 && c.number == 1 && c.level == 2 && c.outputs_count == 1);
    MT_ASSERT(c.outputs[0].size_bytes == 4096 && c.ended_ms == 1700000002000);
    MT_ASSERT(!mt_failed(mt_task_parse(c.definition, &t)) && t.inputs_count == c.approvals_count);
    for (size_t i = 0; i < c.approvals_count; i++) {
        struct mt_reader r = mt_reader_over(c.approvals[i]);
        uint64_t parts = 0;
        mt_bytes kid;
        mt_bytes message;
        MT_ASSERT(!mt_failed(mt_cbor_read_array(&r, 2, &parts)) && parts == 2);
        MT_ASSERT(!mt_failed(mt_cbor_read_bytes(&r, &message)) && message.len == 91);
        MT_ASSERT(!mt_failed(mt_cbor_read_bytes(&r, &message)));
        MT_ASSERT(!mt_failed(mt_cose_sign1_parse(message, &m)));
        MT_ASSERT(!mt_failed(mt_cose_protected_parse(m.protected_, &kid)));
        MT_ASSERT(mt_bytes_equal(kid, mt_hash_bytes(&t.inputs[i].owner)));
    }
}

static void a_claim_of_another_kind_or_version_is_refused(void)
{
    uint8_t own[1024];
    struct mt_run_claim c = good_claim();
    mt_bytes out = written(&c, (mt_span){own, sizeof own});
    own[5] = 2;
    mt_err e = mt_run_claim_parse(out, &c);
    MT_ASSERT(mt_failed(e));
    MT_ASSERT(strcmp(e.fault->what, "this run's claim is of another version") == 0);
    own[4] = 'm';
    e = mt_run_claim_parse(out, &c);
    MT_ASSERT(mt_failed(e) && strcmp(e.fault->what, "this claim is not about a run") == 0);
    MT_ASSERT(c.number == 1); /* untouched */
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_claim_comes_back_and_nothing_near_it_is_taken_for_it),
        MT_TEST(the_example_of_the_specification_is_read),
        MT_TEST(a_claim_of_another_kind_or_version_is_refused),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
