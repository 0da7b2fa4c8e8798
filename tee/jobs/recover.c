/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "jobs/inside.h"
#include "jobs/record.h"

/* What the last incarnation left running: its threads are gone, its record is there. */

struct left_over {
    mt_id ids[MT_JOBS_MAX];
    bool is_started[MT_JOBS_MAX];
    size_t count;
};

static mt_err collect(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct left_over *l = state;
    (void)value;
    MT_REQUIRE(key.len == sizeof l->ids[0].b, MT_E_FORMAT, "a job's key has the wrong length");
    memcpy(l->ids[l->count++].b, key.ptr, key.len);
    *is_enough = l->count == MT_JOBS_MAX;
    return MT_OK;
}

/* Tells the service that the run failed, with a permit that covers nothing. */
static MT_ERR fail_left_over(struct mt_jobs *j, struct mt_tx *tx, const struct mt_job_record *rec,
                             mt_err why)
{
    struct mt_job job = {.jobs = j};
    MT_DEFER(mt_arena_free) struct mt_arena *arena = NULL;
    MT_TRY(mt_jobs_find_row(j, rec->row, &job));
    MT_TRY(mt_arena_new(MT_JOB_ARENA_BYTES, &arena));
    MT_TRY(mt_gate_admit_nothing(j->o.gate, &rec->start.grantee, arena, &job.permit));
    const struct mt_job_end end = {.id = rec->start.id,
                                   .task = rec->start.task,
                                   .result = why,
                                   .ended_ms = mt_tx_now_ms(tx),
                                   .level = j->o.level,
                                   .was_interrupted = true};
    const struct mt_map_def *before = mt_tx_reach(tx, job.service->maps);
    mt_err e = job.row->resume(job.permit, &end, tx);
    (void)mt_tx_reach(tx, before);
    mt_gate_leave(&job.permit);
    return e;
}

static MT_ERR recover_one(struct mt_jobs *j, struct mt_tx *tx, const mt_id *id, bool *is_started)
{
    static const struct mt_fault interrupted = {MT_E_CANCELLED, __LINE__, __FILE__,
                                                "the node stopped while the run was under way"};
    enum { ATTEMPTS_MAX = 3 };
    mt_bytes value;
    struct mt_job_record rec;
    struct mt_job probe = {.jobs = j};
    MT_TRY(mt_tx_get(tx, &mt_jobs_maps[0], mt_id_bytes(id), &value));
    MT_TRY(mt_job_record_parse(value, &rec));
    if (mt_failed(mt_jobs_find_row(j, rec.row, &probe))) {
        return MT_OK; /* of another version of this program: it is kept for that */
    }
    mt_err why = {&interrupted};
    if (probe.row->is_retried && rec.attempt < ATTEMPTS_MAX) {
        struct mt_tx_mark mark = mt_tx_mark(tx);
        why = mt_jobs_start_attempt(j, tx, &rec.start, rec.row, rec.attempt + 1);
        if (!mt_failed(why)) {
            *is_started = true;
            return MT_OK;
        }
        mt_tx_rollback(tx, mark);
    }
    MT_TRY(fail_left_over(j, tx, &rec, why));
    return mt_jobs_record_del(tx, id);
}

MT_ERR mt_jobs_recover(struct mt_jobs *j, uint64_t host_time_ms)
{
    struct left_over l = {.count = 0};
    struct mt_tx *tx = NULL;
    uint64_t version = 0;
    MT_TRY(mt_ledger_begin(j->o.ledger, mt_jobs_maps, host_time_ms, &tx));
    mt_err e = mt_tx_scan(tx, &mt_jobs_maps[0], MT_ALL, collect, &l);
    for (size_t i = 0; i < l.count && !mt_failed(e); i++) {
        e = recover_one(j, tx, &l.ids[i], &l.is_started[i]);
    }
    if (mt_failed(e) || l.count == 0) {
        mt_ledger_abort(j->o.ledger, &tx);
        return e;
    }
    MT_TRY(mt_ledger_commit(j->o.ledger, &tx, &version));
    for (size_t i = 0; i < l.count; i++) {
        if (l.is_started[i]) {
            mt_jobs_go(j, &l.ids[i], version);
        }
    }
    return MT_OK;
}
