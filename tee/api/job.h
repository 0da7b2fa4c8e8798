/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_API_JOB_H
#define MT_API_JOB_H

#include <stdatomic.h>

#include "base/id.h"
#include "base/limits.h"
#include "ledger/tx.h"
#include "seal/handle.h"

/*
 * A job: long work outside the loop. States in the ledger's map "jobs": queued, running (attempt),
 * done, failed, cancelled. The run function sees readers, writers, arguments, a cancel flag and
 * progress; no other door. When it has ended, the service's resume handler runs as a transaction
 * and says what became of it.
 */
struct mt_job_context;
struct mt_job_start;

/* Behind the functions below: how tee/jobs does it. First member of its struct mt_job_context. */
struct mt_job_door {
    const struct mt_job_start *start;
    const atomic_bool *cancel_flag;
    mt_err (*read)(struct mt_job_context *c, size_t input, mt_span out, size_t *got);
    mt_err (*write)(struct mt_job_context *c, size_t output, mt_bytes bytes);
    mt_err (*seed)(struct mt_job_context *c, uint8_t out[32]);
    void (*progress)(struct mt_job_context *c, uint64_t done, uint64_t all);
    void (*detail)(struct mt_job_context *c, const char *text);
};

struct mt_job_input {
    mt_id resource; /* MT_KIND_DATA; the gate checks a RUN grant of the task for it */
    struct mt_object_handle object;
};

struct mt_job_start {
    const char *row; /* name of the service's mt_job_row */
    mt_id id;        /* of the job: the run's id */
    mt_id task;
    mt_hash grantee; /* task digest, holder of the RUN grants */
    mt_bytes function;
    uint64_t function_version; /* name, for the grants */
    mt_bytes arguments;        /* canonical JSON */
    struct mt_job_input inputs[MT_TASK_PARTIES_MAX];
    size_t inputs_count;
    size_t outputs_count;
    uint64_t time_limit_ms;
    uint64_t memory_limit_bytes;
};

/* What the run function may touch. Blocking; on a worker thread. */
MT_ERR mt_job_read(struct mt_job_context *c, size_t input, mt_span out,
                   size_t *got); /* *got 0 at the end */
MT_ERR mt_job_write(struct mt_job_context *c, size_t output, mt_bytes bytes);
uint64_t mt_job_input_size(const struct mt_job_context *c, size_t input);
const atomic_bool *mt_job_cancel_flag(const struct mt_job_context *c);
void mt_job_progress(struct mt_job_context *c, uint64_t done, uint64_t all);
mt_bytes mt_job_arguments(const struct mt_job_context *c);
mt_bytes mt_job_function(const struct mt_job_context *c);
uint64_t mt_job_function_version(const struct mt_job_context *c);
size_t mt_job_inputs_count(const struct mt_job_context *c);
size_t mt_job_outputs_count(const struct mt_job_context *c);
uint64_t mt_job_memory_limit(const struct mt_job_context *c);
MT_ERR mt_job_seed(struct mt_job_context *c, uint8_t out[32]);
/* Text for the parties when the run fails: positions and column names, never contents. */
void mt_job_detail(struct mt_job_context *c, const char *text);

struct mt_job_end {
    mt_id id;
    mt_id task;
    mt_err result;
    mt_bytes detail;
    const struct mt_object_handle *outputs; /* durable staging objects; set when result is MT_OK */
    size_t outputs_count;
    uint64_t started_ms;
    uint64_t ended_ms;
    uint64_t level;       /* of this node's evidence */
    bool was_interrupted; /* by a crash or a shutdown of the node: nothing was given out */
};

struct mt_permit; /* the job's own, derived from the task: its inputs, nothing else */
typedef mt_err mt_job_run(struct mt_job_context *c);
/* As a transaction; keeps outputs by mt_permit_keep_result(). */
typedef mt_err mt_job_resume(const struct mt_permit *p, const struct mt_job_end *end,
                             struct mt_tx *tx);

struct mt_job_row {
    const char *name;
    uint32_t version;
    bool is_retried; /* after a crash: run again; else failed with the reason */
    mt_job_run *run;
    mt_job_resume *resume;
};

#endif
