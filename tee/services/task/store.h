/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVICES_TASK_STORE_H
#define MT_SERVICES_TASK_STORE_H

#include "api/service.h"
#include "wire/task.h"

/*
 * task.tasks:     id -> [definition, digest, creator, made, is cancelled, runs started]
 * task.approvals: id || subject -> [state, time, statement, reason]
 * task.runs:      run -> [task, number, state, started, ended, [[name, result, size,
 * commitment]...], code, check, detail, transaction, claim item] task.order:     id || number ->
 * run
 */
extern const struct mt_map_def mt_task_maps[];

struct mt_task_record {
    mt_bytes definition;
    mt_hash digest;
    mt_hash creator;
    uint64_t made_ms;
    bool is_cancelled;
    uint64_t runs_started;
};
MT_ERR mt_task_record_get(struct mt_tx *tx, const mt_id *id, struct mt_task_record *out);
MT_ERR mt_task_record_put(struct mt_tx *tx, const mt_id *id, const struct mt_task_record *rec);

enum mt_approval_state {
    MT_APPROVAL_PENDING = 0,
    MT_APPROVAL_APPROVED,
    MT_APPROVAL_REJECTED,
    MT_APPROVAL_WITHDRAWN
};

struct mt_approval {
    enum mt_approval_state state;
    uint64_t at_ms;
    mt_bytes statement; /* COSE_Sign1 over the digest */
    mt_bytes reason;
};
/* MT_APPROVAL_PENDING if there is none. */
MT_ERR mt_approval_get(struct mt_tx *tx, const mt_id *task, const mt_hash *owner,
                       struct mt_approval *out);
MT_ERR mt_approval_put(struct mt_tx *tx, const mt_id *task, const mt_hash *owner,
                       const struct mt_approval *a);

enum mt_run_state { MT_RUN_QUEUED = 1, MT_RUN_DONE, MT_RUN_FAILED, MT_RUN_CANCELLED };

struct mt_run_result {
    mt_bytes name;
    mt_id result;
    uint64_t size_bytes;
    mt_hash commitment;
};

struct mt_run {
    mt_id task;
    uint64_t number;
    enum mt_run_state state;
    uint64_t started_ms;
    uint64_t ended_ms;
    struct mt_run_result results[MT_TASK_PARTIES_MAX];
    size_t results_count;
    uint64_t code; /* enum mt_code; 0: none */
    mt_bytes check;
    mt_bytes detail;
    uint64_t txid; /* that made it what it is */
    uint64_t claim_item;
};
MT_ERR mt_run_get(struct mt_tx *tx, const mt_id *run, struct mt_run *out);
MT_ERR mt_run_put(struct mt_tx *tx, const mt_id *run, const struct mt_run *r);
MT_ERR mt_run_order_put(struct mt_tx *tx, const mt_id *task, uint64_t number, const mt_id *run);
typedef mt_err mt_run_each(void *state, const mt_id *run);
/* The newest of those with a number below `before`, at most MT_TASK_RUNS_SHOWN, in order. */
MT_ERR mt_run_order_each(struct mt_tx *tx, const mt_id *task, uint64_t before, mt_run_each *each,
                         void *state);

#endif
