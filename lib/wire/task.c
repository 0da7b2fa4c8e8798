/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/task.h"

#include <string.h>

#include "wire/cbor.h"

enum { TASK_FIELDS = 14, TASK_VERSION = 1 };

static void write_inputs(struct mt_writer *w, const struct mt_task *t)
{
    mt_cbor_write_array(w, t->inputs_count);
    for (size_t i = 0; i < t->inputs_count; i++) {
        const struct mt_task_input *in = &t->inputs[i];
        mt_cbor_write_array(w, 7);
        mt_cbor_write_text(w, in->name);
        mt_cbor_write_bytes(w, mt_id_bytes(&in->data));
        mt_cbor_write_bytes(w, mt_id_bytes(&in->object));
        mt_cbor_write_uint(w, in->version);
        mt_cbor_write_bytes(w, mt_hash_bytes(&in->commitment));
        mt_cbor_write_bytes(w, mt_hash_bytes(&in->owner));
        mt_cbor_write_uint(w, in->size_bytes);
    }
}

static void write_outputs(struct mt_writer *w, const struct mt_task *t)
{
    mt_cbor_write_array(w, t->outputs_count);
    for (size_t i = 0; i < t->outputs_count; i++) {
        const struct mt_task_output *out = &t->outputs[i];
        mt_cbor_write_array(w, 2);
        mt_cbor_write_text(w, out->name);
        mt_cbor_write_array(w, out->receivers_count);
        for (size_t j = 0; j < out->receivers_count; j++) {
            mt_cbor_write_bytes(w, mt_hash_bytes(&out->receivers[j]));
        }
    }
}

/* Keys 1 to 14 in order, so that a field can never be taken for another. */
void mt_task_write(struct mt_writer *w, const struct mt_task *t)
{
    mt_cbor_write_map(w, TASK_FIELDS);
    mt_cbor_write_uint(w, 1);
    mt_cbor_write_uint(w, TASK_VERSION);
    mt_cbor_write_uint(w, 2);
    mt_cbor_write_bytes(w, mt_hash_bytes(&t->cluster));
    mt_cbor_write_uint(w, 3);
    mt_cbor_write_bytes(w, mt_id_bytes(&t->nonce));
    mt_cbor_write_uint(w, 4);
    mt_cbor_write_array(w, 3);
    mt_cbor_write_text(w, t->function);
    mt_cbor_write_uint(w, t->function_version);
    mt_cbor_write_bytes(w, mt_hash_bytes(&t->function_digest));
    mt_cbor_write_uint(w, 5);
    mt_cbor_write_bytes(w, t->arguments);
    mt_cbor_write_uint(w, 6);
    write_inputs(w, t);
    mt_cbor_write_uint(w, 7);
    write_outputs(w, t);
    mt_cbor_write_uint(w, 8);
    mt_cbor_write_uint(w, t->time_ms);
    mt_cbor_write_uint(w, 9);
    mt_cbor_write_uint(w, t->memory_bytes);
    mt_cbor_write_uint(w, 10);
    mt_cbor_write_uint(w, t->minimum_level);
    mt_cbor_write_uint(w, 11);
    mt_cbor_write_bytes(w, mt_hash_bytes(&t->policy));
    mt_cbor_write_uint(w, 12);
    mt_cbor_write_uint(w, t->not_before_ms);
    mt_cbor_write_uint(w, 13);
    mt_cbor_write_uint(w, t->not_after_ms);
    mt_cbor_write_uint(w, 14);
    mt_cbor_write_uint(w, t->runs);
}

static MT_ERR read_name(struct mt_reader *r, mt_bytes *out)
{
    mt_bytes name;
    MT_TRY(mt_cbor_read_text(r, &name));
    MT_REQUIRE(name.len > 0 && name.len <= MT_NAME_BYTES_MAX, MT_E_FORMAT,
               "a name in a task has 1 to 64 bytes");
    *out = name;
    return MT_OK;
}

static MT_ERR read_array_of(struct mt_reader *r, uint64_t count)
{
    uint64_t got = 0;
    MT_TRY(mt_cbor_read_array(r, count, &got));
    MT_REQUIRE(got == count, MT_E_FORMAT, "an array in a task has the wrong length");
    return MT_OK;
}

static MT_ERR read_input(struct mt_reader *r, struct mt_task_input *in)
{
    MT_TRY(read_array_of(r, 7));
    MT_TRY(read_name(r, &in->name));
    MT_TRY(mt_cbor_read_copy(r, (mt_span){in->data.b, sizeof in->data.b}));
    MT_TRY(mt_cbor_read_copy(r, (mt_span){in->object.b, sizeof in->object.b}));
    MT_TRY(mt_cbor_read_uint(r, &in->version));
    MT_TRY(mt_cbor_read_copy(r, (mt_span){in->commitment.b, sizeof in->commitment.b}));
    MT_TRY(mt_cbor_read_copy(r, (mt_span){in->owner.b, sizeof in->owner.b}));
    return mt_cbor_read_uint(r, &in->size_bytes);
}

static MT_ERR read_output(struct mt_reader *r, struct mt_task_output *out)
{
    uint64_t count = 0;
    MT_TRY(read_array_of(r, 2));
    MT_TRY(read_name(r, &out->name));
    MT_TRY(mt_cbor_read_array(r, MT_TASK_PARTIES_MAX, &count));
    for (uint64_t i = 0; i < count; i++) {
        mt_hash *h = &out->receivers[i];
        MT_TRY(mt_cbor_read_copy(r, (mt_span){h->b, sizeof h->b}));
        bool is_in_order =
            i == 0 || mt_bytes_order(mt_hash_bytes(&out->receivers[i - 1]), mt_hash_bytes(h)) < 0;
        MT_REQUIRE(is_in_order, MT_E_FORMAT, "an output's receivers are not in order and distinct");
    }
    out->receivers_count = (size_t)count;
    return MT_OK;
}

static MT_ERR read_parties(struct mt_reader *r, struct mt_task *t)
{
    uint64_t count = 0;
    MT_TRY(mt_cbor_read_key(r, 6));
    MT_TRY(mt_cbor_read_array(r, MT_TASK_PARTIES_MAX, &count));
    for (uint64_t i = 0; i < count; i++) {
        MT_TRY(read_input(r, &t->inputs[i]));
    }
    t->inputs_count = (size_t)count;
    MT_TRY(mt_cbor_read_key(r, 7));
    MT_TRY(mt_cbor_read_array(r, MT_TASK_PARTIES_MAX, &count));
    for (uint64_t i = 0; i < count; i++) {
        MT_TRY(read_output(r, &t->outputs[i]));
    }
    t->outputs_count = (size_t)count;
    return MT_OK;
}

static MT_ERR read_number(struct mt_reader *r, int64_t key, uint64_t *out)
{
    MT_TRY(mt_cbor_read_key(r, key));
    return mt_cbor_read_uint(r, out);
}

static MT_ERR read_limits(struct mt_reader *r, struct mt_task *t)
{
    MT_TRY(read_number(r, 8, &t->time_ms));
    MT_TRY(read_number(r, 9, &t->memory_bytes));
    MT_TRY(read_number(r, 10, &t->minimum_level));
    MT_TRY(mt_cbor_read_key(r, 11));
    MT_TRY(mt_cbor_read_copy(r, (mt_span){t->policy.b, sizeof t->policy.b}));
    MT_TRY(read_number(r, 12, &t->not_before_ms));
    MT_TRY(read_number(r, 13, &t->not_after_ms));
    return read_number(r, 14, &t->runs);
}

/* What a name stands for is told by the name alone, so each stands once. */
static MT_ERR check_parties(const struct mt_task *t)
{
    MT_REQUIRE(t->inputs_count > 0, MT_E_FORMAT, "a task has no input");
    MT_REQUIRE(t->outputs_count > 0, MT_E_FORMAT, "a task has no output");
    for (size_t i = 0; i < t->inputs_count; i++) {
        for (size_t j = 0; j < i; j++) {
            MT_REQUIRE(!mt_bytes_equal(t->inputs[i].name, t->inputs[j].name), MT_E_FORMAT,
                       "two inputs of a task have one name");
        }
    }
    for (size_t i = 0; i < t->outputs_count; i++) {
        MT_REQUIRE(t->outputs[i].receivers_count > 0, MT_E_FORMAT,
                   "an output of a task has no receiver");
        for (size_t j = 0; j < i; j++) {
            MT_REQUIRE(!mt_bytes_equal(t->outputs[i].name, t->outputs[j].name), MT_E_FORMAT,
                       "two outputs of a task have one name");
        }
    }
    return MT_OK;
}

/* An owner's client holds a definition to the same as the node that made it. */
static MT_ERR check_task(const struct mt_task *t)
{
    MT_REQUIRE(t->arguments.len <= MT_TASK_ARGUMENT_BYTES_MAX, MT_E_LIMIT,
               "a task's arguments are too long");
    MT_REQUIRE(t->not_before_ms < t->not_after_ms, MT_E_FORMAT,
               "a task's time ends before it begins");
    MT_REQUIRE(t->runs > 0, MT_E_FORMAT, "a task allows no run");
    return check_parties(t);
}

MT_ERR mt_task_parse(mt_bytes in, struct mt_task *out)
{
    struct mt_reader r = mt_reader_over(in);
    uint64_t version = 0;
    uint64_t fields = 0;
    memset(out, 0, sizeof *out);
    MT_TRY(mt_cbor_read_map(&r, UINT64_MAX, &fields));
    MT_TRY(read_number(&r, 1, &version));
    MT_REQUIRE(version == TASK_VERSION, MT_E_FORMAT, "this task is of another version");
    MT_REQUIRE(fields == TASK_FIELDS, MT_E_FORMAT, "a task has fourteen fields");
    MT_TRY(mt_cbor_read_key(&r, 2));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){out->cluster.b, sizeof out->cluster.b}));
    MT_TRY(mt_cbor_read_key(&r, 3));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){out->nonce.b, sizeof out->nonce.b}));
    MT_TRY(mt_cbor_read_key(&r, 4));
    MT_TRY(read_array_of(&r, 3));
    MT_TRY(read_name(&r, &out->function));
    MT_TRY(mt_cbor_read_uint(&r, &out->function_version));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){out->function_digest.b, sizeof out->function_digest.b}));
    MT_TRY(mt_cbor_read_key(&r, 5));
    MT_TRY(mt_cbor_read_bytes(&r, &out->arguments));
    MT_TRY(read_parties(&r, out));
    MT_TRY(read_limits(&r, out));
    MT_TRY(mt_read_end(&r));
    return check_task(out);
}
