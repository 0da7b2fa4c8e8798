/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_JOBS_CONTEXT_H
#define MT_JOBS_CONTEXT_H

#include "api/job.h"
#include "base/arena.h"
#include "crypto/secret.h"
#include "seal/object.h"

/* A job in memory. The loop makes and ends it; between, the worker owns all but the atomics. */
struct mt_job_context {
    struct mt_job_door door;   /* first: tee/api/job.c goes through it */
    struct mt_job_start start; /* borrows from the arena */
    struct mt_arena *arena;
    struct mt_fs *fs;
    struct mt_secret *keys[MT_TASK_PARTIES_MAX];
    struct mt_object_reader *readers[MT_TASK_PARTIES_MAX];
    uint64_t positions[MT_TASK_PARTIES_MAX];
    struct mt_object_writer *writers[MT_TASK_PARTIES_MAX];
    struct mt_object_handle outputs[MT_TASK_PARTIES_MAX];
    size_t kept_count; /* outputs that are durable in objects/ */
    char detail[MT_JOB_DETAIL_BYTES];
    atomic_bool is_cancelled;
    atomic_bool is_out_of_time;
    atomic_uint_fast64_t progress_done;
    atomic_uint_fast64_t progress_all;
};

MT_ERR mt_job_context_new(struct mt_fs *fs, const struct mt_job_start *start,
                          struct mt_job_context **out);
/* After run() succeeded, on the worker: outputs sealed, synced and moved to objects/. */
MT_ERR mt_job_context_end_outputs(struct mt_job_context *c);
/* Removes outputs that are durable but will not be kept. */
void mt_job_context_remove_outputs(struct mt_job_context *c);
void mt_job_context_free(struct mt_job_context **c);

#endif
