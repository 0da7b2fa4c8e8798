/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_RUN_H
#define MT_WIRE_RUN_H

#include "base/id.h"
#include "base/limits.h"

/*
 * What a receipt shows of a run (spec/run-claim.md): the whole definition of the task, the
 * approvals of its owners as they signed them, and what came out. Whoever has this and the receipt
 * around it can check offline that exactly the approved computation ran.
 */
struct mt_run_output {
    mt_bytes name;
    mt_hash commitment;
    uint64_t size_bytes;
};

struct mt_run_claim {
    mt_bytes definition; /* wire/task.h */
    mt_bytes
        approvals[MT_TASK_PARTIES_MAX]; /* signed statements over the digest, one for each owner */
    size_t approvals_count;
    mt_id run;
    uint64_t number;
    struct mt_run_output outputs[MT_TASK_PARTIES_MAX];
    size_t outputs_count;
    uint64_t level;
    bool is_oblivious;
    bool are_limits_enforced; /* against a rolled-back disk */
    uint64_t started_ms;      /* both claimed by the host */
    uint64_t ended_ms;
};

void mt_run_claim_write(struct mt_writer *w, const struct mt_run_claim *c);
/* Borrows from `in`. */
MT_ERR mt_run_claim_parse(mt_bytes in, struct mt_run_claim *out);

#endif
