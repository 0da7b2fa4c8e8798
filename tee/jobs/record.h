/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_JOBS_RECORD_H
#define MT_JOBS_RECORD_H

#include "api/job.h"

/*
 * What the ledger keeps of a job until it has ended: enough to start it again. What became of it is
 * the service's to remember. [1, attempt, row, id, task, grantee, function, its version, arguments,
 * [[resource, handle]...], outputs, time, memory]
 */
struct mt_job_record {
    uint64_t attempt;
    mt_bytes row;
    struct mt_job_start start; /* start.row is not set */
};

void mt_job_record_write(struct mt_writer *w, const struct mt_job_start *start, uint64_t attempt);
/* Borrows from `in`. */
MT_ERR mt_job_record_parse(mt_bytes in, struct mt_job_record *out);

#endif
