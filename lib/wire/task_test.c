/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/task.h"

#include <string.h>

#include "base/assert.h"
#include "unit/mangle.h"
#include "unit/runner.h"
#include "vectors/wire_formats.h"

static uint8_t room[65536];
static struct mt_task parsed;

static mt_hash hash_of(uint8_t first)
{
    mt_hash h;
    memset(h.b, first, sizeof h.b);
    return h;
}

static mt_hash hash_of_hex(const char *hex)
{
    mt_hash h;
    MT_ASSERT(!mt_failed(mt_hex_parse(mt_bytes_of_text(hex), (mt_span){h.b, sizeof h.b})));
    return h;
}

static mt_id id_of(uint8_t first)
{
    mt_id id;
    memset(id.b, first, sizeof id.b);
    return id;
}

static mt_bytes written(const struct mt_task *t, mt_span out_room)
{
    mt_bytes out;
    struct mt_writer w = mt_writer_over(out_room);
    mt_task_write(&w, t);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    return out;
}

static struct mt_task *good_task(void)
{
    static struct mt_task t;
    const mt_hash a = hash_of_hex(MT_VECTOR_OWNER_A);
    const mt_hash b = hash_of_hex(MT_VECTOR_OWNER_B);
    t = (struct mt_task){
        .cluster = hash_of(1),
        .nonce = id_of(2),
        .function = MT_LITERAL("psi"),
        .function_version = 1,
        .function_digest = hash_of(3),
        .arguments = MT_LITERAL("{\"column\":\"id\"}"),
        .inputs = {{MT_LITERAL("a"), id_of(4), id_of(5), 1, hash_of(6), a, 1000},
                   {MT_LITERAL("b"), id_of(8), id_of(9), 2, hash_of(10), b, 70000}},
        .inputs_count = 2,
        .outputs = {{MT_LITERAL("rows"), {b, a}, 2}},
        .outputs_count = 1,
        .time_ms = 60000,
        .memory_bytes = 1U << 28,
        .minimum_level = 2,
        .policy = hash_of(12),
        .not_before_ms = 1700000000000,
        .not_after_ms = 1800000000000,
        .runs = 1,
    };
    return &t;
}

static bool comes_back(const uint8_t *bytes, size_t len)
{
    if (mt_failed(mt_task_parse((mt_bytes){bytes, len}, &parsed))) {
        return false;
    }
    mt_bytes out = written(&parsed, (mt_span){room, sizeof room});
    MT_ASSERT(mt_bytes_equal(out, (mt_bytes){bytes, len}));
    return true;
}

static void the_bytes_are_those_of_the_specification(void)
{
    static uint8_t own[4096];
    static uint8_t digits[8192];
    mt_bytes hex;
    struct mt_writer w = mt_writer_over((mt_span){digits, sizeof digits});
    mt_hex_write(&w, written(good_task(), (mt_span){own, sizeof own}));
    MT_ASSERT(!mt_failed(mt_write_end(&w, &hex)));
    MT_ASSERT(mt_bytes_equal(hex, MT_LITERAL(MT_VECTOR_TASK)));
}

static void a_definition_comes_back_and_nothing_near_it_is_taken_for_it(void)
{
    static uint8_t own[4096];
    mt_bytes out = written(good_task(), (mt_span){own, sizeof own});
    MT_ASSERT(!mt_failed(mt_task_parse(out, &parsed)));
    MT_ASSERT(parsed.inputs_count == 2 && parsed.inputs[1].size_bytes == 70000);
    MT_ASSERT(parsed.outputs_count == 1 && parsed.outputs[0].receivers_count == 2);
    MT_ASSERT(mt_bytes_equal(parsed.function, MT_LITERAL("psi")) && parsed.runs == 1);
    mt_mangle_length(comes_back, out.ptr, out.len);
    MT_ASSERT(mt_mangle_bits(comes_back, out.ptr, out.len) > (size_t)8 * 32 * 7);
}

/* Each change of meaning changes the bytes, and so the digest that owners approve. */
static void every_field_is_in_the_bytes(void)
{
    static uint8_t before_room[4096];
    mt_bytes before = written(good_task(), (mt_span){before_room, sizeof before_room});
    struct mt_task *t = good_task();
    struct {
        void *field;
        size_t len;
    } fields[] = {
        {&t->cluster, 32},
        {&t->nonce, 16},
        {&t->function_version, 1},
        {&t->function_digest, 32},
        {&t->inputs[0].data, 16},
        {&t->inputs[0].object, 16},
        {&t->inputs[0].version, 1},
        {&t->inputs[0].commitment, 32},
        {&t->inputs[0].owner, 32},
        {&t->inputs[0].size_bytes, 1},
        {&t->outputs[0].receivers[1], 32},
        {&t->time_ms, 1},
        {&t->memory_bytes, 1},
        {&t->minimum_level, 1},
        {&t->policy, 32},
        {&t->not_before_ms, 1},
        {&t->not_after_ms, 1},
        {&t->runs, 1},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint8_t *last = (uint8_t *)fields[i].field + fields[i].len - 1;
        *last ^= 4;
        MT_ASSERT(!mt_bytes_equal(before, written(t, (mt_span){room, sizeof room})));
        *last ^= 4;
    }
    mt_bytes *texts[4] = {&t->function, &t->arguments, &t->inputs[1].name, &t->outputs[0].name};
    for (size_t i = 0; i < 4; i++) {
        mt_bytes kept = *texts[i];
        *texts[i] = MT_LITERAL("x");
        MT_ASSERT(!mt_bytes_equal(before, written(t, (mt_span){room, sizeof room})));
        *texts[i] = kept;
    }
    MT_ASSERT(mt_bytes_equal(before, written(t, (mt_span){room, sizeof room})));
}

static const char *refusal_of(const struct mt_task *t)
{
    mt_bytes out = written(t, (mt_span){room, sizeof room});
    mt_err e = mt_task_parse(out, &parsed);
    return mt_failed(e) ? e.fault->what : "accepted";
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void a_definition_without_one_meaning_is_refused(void)
{
    struct mt_task *t = good_task();
    MT_ASSERT(is(refusal_of(t), "accepted"));
    t->inputs[1].name = MT_LITERAL("a");
    MT_ASSERT(is(refusal_of(t), "two inputs of a task have one name"));
    t = good_task();
    t->outputs[1] = t->outputs[0];
    t->outputs_count = 2;
    MT_ASSERT(is(refusal_of(t), "two outputs of a task have one name"));
    t = good_task();
    t->outputs[0].receivers[1] = t->outputs[0].receivers[0];
    MT_ASSERT(is(refusal_of(t), "an output's receivers are not in order and distinct"));
    t->outputs[0].receivers[0] = hash_of(0xff);
    MT_ASSERT(is(refusal_of(t), "an output's receivers are not in order and distinct"));
    t->outputs[0].receivers_count = 0;
    MT_ASSERT(is(refusal_of(t), "an output of a task has no receiver"));
    t = good_task();
    t->inputs_count = 0;
    MT_ASSERT(is(refusal_of(t), "a task has no input"));
    t = good_task();
    t->outputs_count = 0;
    MT_ASSERT(is(refusal_of(t), "a task has no output"));
    t = good_task();
    t->runs = 0;
    MT_ASSERT(is(refusal_of(t), "a task allows no run"));
    t = good_task();
    t->not_after_ms = t->not_before_ms;
    MT_ASSERT(is(refusal_of(t), "a task's time ends before it begins"));
    t = good_task();
    t->function = MT_LITERAL("");
    MT_ASSERT(is(refusal_of(t), "a name in a task has 1 to 64 bytes"));
}

static void names_arguments_and_parties_have_their_limits(void)
{
    static uint8_t spaces[MT_TASK_ARGUMENT_BYTES_MAX + 1];
    struct mt_task *t = good_task();
    t->arguments = (mt_bytes){spaces, MT_TASK_ARGUMENT_BYTES_MAX};
    MT_ASSERT(is(refusal_of(t), "accepted"));
    t->arguments.len++;
    MT_ASSERT(is(refusal_of(t), "a task's arguments are too long"));
    t = good_task();
    t->function = (mt_bytes){spaces, MT_NAME_BYTES_MAX + 1};
    MT_ASSERT(is(refusal_of(t), "a name in a task has 1 to 64 bytes"));
    t = good_task();
    for (size_t i = 0; i < MT_TASK_PARTIES_MAX; i++) {
        static const char letters[] = "abcdefghijklmnop";
        t->inputs[i] = t->inputs[0];
        t->inputs[i].name = (mt_bytes){(const uint8_t *)letters + i, 1};
        t->outputs[i].name = t->inputs[i].name;
        t->outputs[i].receivers_count = MT_TASK_PARTIES_MAX;
        for (size_t j = 0; j < MT_TASK_PARTIES_MAX; j++) {
            t->outputs[i].receivers[j] = hash_of((uint8_t)j);
        }
    }
    t->inputs_count = MT_TASK_PARTIES_MAX;
    t->outputs_count = MT_TASK_PARTIES_MAX;
    MT_ASSERT(is(refusal_of(t), "accepted"));
}

static void another_version_is_refused_first(void)
{
    struct mt_task *t = &parsed;
    mt_err e = mt_task_parse(MT_LITERAL("\xaf\x01\x02\x00"), t);
    MT_ASSERT(mt_failed(e) && is(e.fault->what, "this task is of another version"));
    e = mt_task_parse(MT_LITERAL("\xaf\x01\x01\x00"), t);
    MT_ASSERT(mt_failed(e) && is(e.fault->what, "a task has fourteen fields"));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(the_bytes_are_those_of_the_specification),
        MT_TEST(a_definition_comes_back_and_nothing_near_it_is_taken_for_it),
        MT_TEST(every_field_is_in_the_bytes),
        MT_TEST(a_definition_without_one_meaning_is_refused),
        MT_TEST(names_arguments_and_parties_have_their_limits),
        MT_TEST(another_version_is_refused_first),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
