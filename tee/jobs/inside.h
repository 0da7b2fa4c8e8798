/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_JOBS_INSIDE_H
#define MT_JOBS_INSIDE_H

#include "jobs/context.h"
#include "jobs/jobs.h"

/* What the files of this folder share, and nobody else includes. */

/* free -> starting (inside a transaction) -> held (until it is durable) -> running -> free */
enum mt_job_state { MT_JOB_FREE, MT_JOB_STARTING, MT_JOB_HELD, MT_JOB_RUNNING };

struct mt_job {
    enum mt_job_state state;
    struct mt_jobs *jobs;
    const struct mt_service *service;
    const struct mt_job_row *row;
    struct mt_job_context *context;
    struct mt_permit *permit; /* in the context's arena */
    struct mt_hold hold;
    struct mt_work work;
    struct mt_timer time_limit;
    uint64_t started_ms;
};

struct mt_jobs {
    struct mt_jobs_options o;
    struct mt_job jobs[MT_JOBS_MAX];
};

MT_ERR mt_jobs_find_row(struct mt_jobs *j, mt_bytes name, struct mt_job *job);
MT_ERR mt_jobs_start_attempt(struct mt_jobs *j, struct mt_tx *tx, const struct mt_job_start *start,
                             mt_bytes row, uint64_t attempt);
/* With the jobs' own map in reach. */
MT_ERR mt_jobs_record_del(struct mt_tx *tx, const mt_id *job);

#endif
