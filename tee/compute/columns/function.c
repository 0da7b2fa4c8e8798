/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/function.h"

#include "base/assert.h"
#include "compute/columns/inside.h"
#include "compute/columns/schema.h"

static const struct mt_function functions[] = {
    {"echo", 1, MT_SCHEMA_ECHO, &mt_function_echo_steps},
    {"private-join-and-compute", 1, MT_SCHEMA_JOIN, &mt_function_join_steps},
    {"psi", 1, MT_SCHEMA_PSI, &mt_function_psi_steps},
};

const struct mt_function *mt_function_list(size_t *count)
{
    *count = sizeof functions / sizeof functions[0];
    return functions;
}

const struct mt_function *mt_function_find(mt_bytes name, uint64_t version)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        const struct mt_function *f = &functions[i];
        if (f->version == version && mt_bytes_equal(name, mt_bytes_of_text(f->name))) {
            return f;
        }
    }
    return NULL;
}

MT_ERR mt_function_check(const struct mt_function *f, const struct mt_function_task *task,
                         struct mt_function_fault *fault)
{
    fault->detail[0] = '\0';
    MT_TRY(f->steps->check(task, fault));
    fault->detail[0] = '\0';
    return MT_OK;
}

MT_ERR mt_function_run(const struct mt_function *f, const struct mt_function_job *job,
                       uint64_t *memory_peak_bytes, struct mt_function_fault *fault)
{
    struct mt_function_under_way r = {.job = job, .fault = fault};
    MT_ASSERT(job->inputs_count <= MT_TASK_PARTIES_MAX);
    MT_ASSERT(job->outputs_count <= MT_TASK_PARTIES_MAX);
    mt_job_memory_init(&r.memory, job->memory_max_bytes);
    for (size_t i = 0; i < job->inputs_count; i++) {
        /* Sizes are hints: a sum that wraps would only be a bad one. */
        r.bytes_all += job->input_bytes[i];
    }
    fault->detail[0] = '\0';
    /* The error is a constant, which cppcheck does not see in a mt_err that a pointer returned. */
    const struct mt_fault *why = f->steps->run(&r).fault;
    MT_ASSERT(atomic_load(&r.memory.used) == 0);
    if (memory_peak_bytes != NULL) {
        *memory_peak_bytes = atomic_load(&r.memory.peak);
    }
    return (mt_err){why};
}

MT_ERR mt_function_read(struct mt_function_under_way *r, size_t input, mt_span out, size_t *got)
{
    const struct mt_function_job *job = r->job;
    MT_REQUIRE(job->is_cancelled == NULL || !atomic_load(job->is_cancelled), MT_E_CANCELLED,
               "cancelled");
    MT_TRY(job->read(job->context, input, out, got));
    r->bytes_done += *got;
    if (job->progress != NULL) {
        uint64_t done = r->bytes_done < r->bytes_all ? r->bytes_done : r->bytes_all;
        job->progress(job->context, done, r->bytes_all);
    }
    return MT_OK;
}

mt_err mt_function_end_read(void *context, mt_span out, size_t *got)
{
    const struct mt_function_end *e = context;
    return mt_function_read(e->run, e->index, out, got);
}

mt_err mt_function_end_write(void *context, mt_bytes bytes)
{
    const struct mt_function_end *e = context;
    return e->run->job->write(e->run->job->context, e->index, bytes);
}

struct mt_function_task mt_function_task_of(const struct mt_function_job *job)
{
    return (struct mt_function_task){job->arguments, job->inputs_count, job->outputs_count, NULL,
                                     NULL};
}
