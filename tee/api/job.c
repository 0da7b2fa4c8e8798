/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "api/job.h"

#include "base/assert.h"

/* A job's functions, as its run function calls them: through the door that tee/jobs has put first
 * in the context. */
static const struct mt_job_door *door_of(const struct mt_job_context *c)
{
    return (const struct mt_job_door *)(const void *)c;
}

MT_ERR mt_job_read(struct mt_job_context *c, size_t input, mt_span out, size_t *got)
{
    return door_of(c)->read(c, input, out, got);
}

MT_ERR mt_job_write(struct mt_job_context *c, size_t output, mt_bytes bytes)
{
    return door_of(c)->write(c, output, bytes);
}

uint64_t mt_job_input_size(const struct mt_job_context *c, size_t input)
{
    MT_ASSERT(input < door_of(c)->start->inputs_count);
    return door_of(c)->start->inputs[input].object.size_bytes;
}

const atomic_bool *mt_job_cancel_flag(const struct mt_job_context *c)
{
    return door_of(c)->cancel_flag;
}

void mt_job_progress(struct mt_job_context *c, uint64_t done, uint64_t all)
{
    door_of(c)->progress(c, done, all);
}

mt_bytes mt_job_arguments(const struct mt_job_context *c)
{
    return door_of(c)->start->arguments;
}

mt_bytes mt_job_function(const struct mt_job_context *c)
{
    return door_of(c)->start->function;
}

uint64_t mt_job_function_version(const struct mt_job_context *c)
{
    return door_of(c)->start->function_version;
}

size_t mt_job_inputs_count(const struct mt_job_context *c)
{
    return door_of(c)->start->inputs_count;
}

size_t mt_job_outputs_count(const struct mt_job_context *c)
{
    return door_of(c)->start->outputs_count;
}

uint64_t mt_job_memory_limit(const struct mt_job_context *c)
{
    return door_of(c)->start->memory_limit_bytes;
}

MT_ERR mt_job_seed(struct mt_job_context *c, uint8_t out[32])
{
    return door_of(c)->seed(c, out);
}

void mt_job_detail(struct mt_job_context *c, const char *text)
{
    door_of(c)->detail(c, text);
}
