/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_JOBS_JOBS_H
#define MT_JOBS_JOBS_H

#include "api/service.h"
#include "gate/gate.h"
#include "ledger/driver.h"

/*
 * Jobs: what services start and the loop must not do itself. A job is admitted by the gate and
 * recorded in the transaction of the request that starts it; its keys are unwrapped then, and used
 * once that transaction is durable. It runs on the compute pool; its resume handler runs as a
 * transaction of its own when it has ended. What a crash interrupts is run again where its row
 * allows.
 */
struct mt_jobs;

extern const struct mt_map_def mt_jobs_maps[]; /* "jobs": job id -> record */

struct mt_jobs_options {
    struct mt_loop *loop;
    struct mt_pool *compute;
    struct mt_ledger *ledger;
    struct mt_driver *driver;
    struct mt_gate *gate;
    struct mt_fs *fs;
    const struct mt_service *const *services; /* ends with NULL */
    uint64_t level;                           /* of this node's evidence, for what runs claim */
};
MT_ERR mt_jobs_new(const struct mt_jobs_options *o, struct mt_jobs **out);
/* The compute pool must have ended before. */
void mt_jobs_free(struct mt_jobs **j);

/* Inside the request's transaction, whose version is not known yet: admits, records, unwraps.
 * MT_E_BUSY beyond MT_JOBS_MAX. The caller then says mt_jobs_go() with the version if it commits,
 * mt_jobs_drop() if it does not. */
MT_ERR mt_jobs_start(struct mt_jobs *j, struct mt_tx *tx, const struct mt_job_start *start);
void mt_jobs_go(struct mt_jobs *j, const mt_id *job, uint64_t version);
void mt_jobs_drop(struct mt_jobs *j, const mt_id *job);

/* Asks it to end; its resume handler learns MT_E_CANCELLED. Unknown: fine, it has ended. */
void mt_jobs_cancel(struct mt_jobs *j, const mt_id *job);
void mt_jobs_cancel_task(struct mt_jobs *j, const mt_id *task);
bool mt_jobs_progress(const void *jobs, const mt_id *job, uint64_t *done, uint64_t *all);
size_t mt_jobs_count(const struct mt_jobs *j);

/* After recovery, once: starts again or fails what the last incarnation left running. */
MT_ERR mt_jobs_recover(struct mt_jobs *j, uint64_t host_time_ms);

#endif
