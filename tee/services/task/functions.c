/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/function.h"
#include "crypto/hash.h"
#include "services/task/inside.h"

/* The built-in functions, as the API shows them and as a job runs them. */

void mt_task_function_digest(const struct mt_function *f, mt_hash *out)
{
    mt_bytes label = mt_label_bytes(MT_LABEL_FUNCTION_DIGEST);
    mt_bytes schema = mt_bytes_of_text(f->schema);
    mt_bytes name = mt_bytes_of_text(f->name);
    uint8_t room[64];
    mt_bytes numbers[3];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_u8(&w, (uint8_t)label.len);
    mt_write_u64be(&w, schema.len);
    mt_write_u64be(&w, name.len);
    mt_write_u64be(&w, f->version);
    numbers[0] = (mt_bytes){room, 1};
    numbers[1] = (mt_bytes){room + 1, 16};
    numbers[2] = (mt_bytes){room + 17, 8};
    const mt_bytes parts[] = {numbers[0], label, numbers[1], schema, name, numbers[2]};
    mt_sha256(parts, 6, out);
}

static void put_function(struct mt_json_writer *j, const struct mt_function *f)
{
    MT_DEFER(mt_json_free) struct mt_json *schema = NULL;
    mt_hash digest;
    mt_task_function_digest(f, &digest);
    mt_json_put_literal(j, "name", f->name);
    mt_json_put_uint(j, "version", f->version);
    mt_json_put_hex(j, "digest", mt_hash_bytes(&digest));
    mt_json_put_bool(j, "oblivious", false);
    if (mt_failed(mt_json_parse(mt_bytes_of_text(f->schema), &schema, NULL))) {
        mt_json_put_null(j, "schema");
    } else {
        mt_json_put_node(j, "schema", schema);
    }
}

mt_err mt_task_functions(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                         struct mt_reply *rp)
{
    size_t count = 0;
    const struct mt_function *all = mt_function_list(&count);
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    (void)p;
    (void)rq;
    (void)tx;
    mt_json_begin_array(j, "functions");
    for (size_t i = 0; i < count; i++) {
        mt_json_begin_object(j, NULL);
        put_function(j, &all[i]);
        mt_json_end_object(j);
    }
    mt_json_end_array(j);
    return MT_OK;
}

mt_err mt_task_function(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                        struct mt_reply *rp)
{
    size_t count = 0;
    const struct mt_function *all = mt_function_list(&count);
    const struct mt_function *newest = NULL;
    (void)p;
    (void)tx;
    for (size_t i = 0; i < count; i++) {
        if (mt_bytes_equal(mt_bytes_of_text(all[i].name), rq->arguments[0])) {
            newest = &all[i];
        }
    }
    MT_REQUIRE(newest != NULL, MT_E_NOTFOUND, "this node has no function of this name");
    put_function(mt_reply_json(rp, 200), newest);
    return MT_OK;
}

MT_ERR mt_task_check_arguments(const struct mt_task *t, struct mt_reply *rp)
{
    mt_bytes inputs[MT_TASK_PARTIES_MAX];
    mt_bytes outputs[MT_TASK_PARTIES_MAX];
    struct mt_function_fault fault = {{0}};
    const struct mt_function *f = mt_function_find(t->function, t->function_version);
    MT_REQUIRE(f != NULL, MT_E_NOTFOUND, "this node has no such function in this version");
    for (size_t i = 0; i < t->inputs_count; i++) {
        inputs[i] = t->inputs[i].name;
    }
    for (size_t i = 0; i < t->outputs_count; i++) {
        outputs[i] = t->outputs[i].name;
    }
    const struct mt_function_task task = {
        .arguments = t->arguments,
        .inputs_count = t->inputs_count,
        .outputs_count = t->outputs_count,
        .input_names = inputs,
        .output_names = outputs,
    };
    mt_err e = mt_function_check(f, &task, &fault);
    if (mt_failed(e)) {
        mt_reply_detail(rp, "%s", fault.detail);
        mt_reply_hint(rp, "mesatee function show NAME prints the schema of its arguments");
    }
    return e;
}

static mt_err read_input(void *context, size_t input, mt_span out, size_t *got)
{
    return mt_job_read(context, input, out, got);
}

static mt_err write_output(void *context, size_t output, mt_bytes bytes)
{
    return mt_job_write(context, output, bytes);
}

static void tell_progress(void *context, uint64_t done, uint64_t all)
{
    mt_job_progress(context, done, all);
}

mt_err mt_task_job_run(struct mt_job_context *c)
{
    struct mt_function_fault fault = {{0}};
    const struct mt_function *f = mt_function_find(mt_job_function(c), mt_job_function_version(c));
    MT_REQUIRE(f != NULL, MT_E_NOTFOUND, "this node has no such function in this version");
    struct mt_function_job job = {
        .arguments = mt_job_arguments(c),
        .inputs_count = mt_job_inputs_count(c),
        .outputs_count = mt_job_outputs_count(c),
        .context = c,
        .read = read_input,
        .write = write_output,
        .progress = tell_progress,
        .is_cancelled = mt_job_cancel_flag(c),
        .memory_max_bytes = mt_job_memory_limit(c),
    };
    for (size_t i = 0; i < job.inputs_count; i++) {
        job.input_bytes[i] = mt_job_input_size(c, i);
    }
    MT_TRY(mt_job_seed(c, job.seed));
    mt_err e = mt_function_run(f, &job, NULL, &fault);
    if (mt_failed(e)) {
        mt_job_detail(c, fault.detail);
    }
    return e;
}
