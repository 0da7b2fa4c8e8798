/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/context.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "crypto/context.h"

static MT_ERR check_flags(const struct mt_job_context *c)
{
    MT_REQUIRE(!atomic_load(&c->is_out_of_time), MT_E_LIMIT, "the task's time limit is reached");
    MT_REQUIRE(!atomic_load(&c->is_cancelled), MT_E_CANCELLED, "the run was cancelled");
    return MT_OK;
}

static mt_err job_read(struct mt_job_context *c, size_t input, mt_span out, size_t *got)
{
    MT_ASSERT(input < c->start.inputs_count);
    MT_TRY(check_flags(c));
    if (c->readers[input] == NULL) {
        MT_TRY(mt_object_reader_new(c->fs, &c->start.inputs[input].object,
                                    mt_secret_bytes(c->keys[input]), &c->readers[input]));
    }
    size_t len = 0;
    MT_TRY(mt_object_reader_read_at(c->readers[input], c->positions[input], out, &len));
    c->positions[input] += len;
    *got = len;
    return MT_OK;
}

static MT_ERR open_output(struct mt_job_context *c, size_t output)
{
    if (c->writers[output] != NULL) {
        return MT_OK;
    }
    return mt_object_writer_new(c->fs, &c->writers[output]);
}

static mt_err job_write(struct mt_job_context *c, size_t output, mt_bytes bytes)
{
    MT_ASSERT(output < c->start.outputs_count);
    MT_TRY(check_flags(c));
    MT_TRY(open_output(c, output));
    return mt_object_writer_add(c->writers[output], bytes);
}

static void job_progress(struct mt_job_context *c, uint64_t done, uint64_t all)
{
    atomic_store(&c->progress_done, done);
    atomic_store(&c->progress_all, all);
}

static mt_err job_seed(struct mt_job_context *c, uint8_t out[32])
{
    (void)c;
    return mt_random((mt_span){out, 32});
}

static void job_detail(struct mt_job_context *c, const char *text)
{
    (void)snprintf(c->detail, sizeof c->detail, "%s", text);
}

MT_ERR mt_job_context_new(struct mt_fs *fs, const struct mt_job_start *start,
                          struct mt_job_context **out)
{
    MT_DEFER(mt_job_context_free) struct mt_job_context *c = calloc(1, sizeof *c);
    MT_REQUIRE(c != NULL, MT_E_NOMEM, "no memory for a job");
    MT_TRY(mt_arena_new(MT_JOB_ARENA_BYTES, &c->arena));
    c->start = *start;
    MT_TRY(mt_arena_copy(c->arena, start->arguments, &c->start.arguments));
    MT_TRY(mt_arena_copy(c->arena, start->function, &c->start.function));
    c->fs = fs;
    c->door = (struct mt_job_door){
        .start = &c->start,
        .cancel_flag = &c->is_cancelled,
        .read = job_read,
        .write = job_write,
        .seed = job_seed,
        .progress = job_progress,
        .detail = job_detail,
    };
    *out = c;
    c = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_job_context_end_outputs(struct mt_job_context *c)
{
    for (size_t i = 0; i < c->start.outputs_count; i++) {
        MT_TRY(
            open_output(c, i)); /* an output that the function never wrote is empty, not absent */
        MT_TRY(mt_object_writer_end(c->writers[i], &c->outputs[i]));
        MT_TRY(check_flags(c));
    }
    for (size_t i = 0; i < c->start.outputs_count; i++) {
        MT_TRY(mt_object_keep(c->fs, &c->outputs[i].id));
        c->kept_count = i + 1;
    }
    return MT_OK;
}

void mt_job_context_remove_outputs(struct mt_job_context *c)
{
    for (size_t i = 0; i < c->kept_count; i++) {
        (void)mt_failed(
            mt_object_remove(c->fs, &c->outputs[i].id)); /* what stays is swept at the next start */
    }
    c->kept_count = 0;
}

void mt_job_context_free(struct mt_job_context **cp)
{
    struct mt_job_context *c = *cp;
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < MT_TASK_PARTIES_MAX; i++) {
        mt_secret_free(&c->keys[i]);
        mt_object_reader_free(&c->readers[i]);
        mt_object_writer_free(&c->writers[i]);
    }
    mt_arena_free(&c->arena);
    free(c);
    *cp = NULL;
}
