/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/jobs.h"

#include <stdlib.h>

#include "base/assert.h"
#include "jobs/inside.h"
#include "jobs/record.h"
#include "platform/log.h"

const struct mt_map_def mt_jobs_maps[] = {{"jobs", false}, {NULL, false}};

MT_ERR mt_jobs_new(const struct mt_jobs_options *o, struct mt_jobs **out)
{
    struct mt_jobs *j = calloc(1, sizeof *j);
    MT_REQUIRE(j != NULL, MT_E_NOMEM, "no memory for jobs");
    j->o = *o;
    *out = j;
    return MT_OK;
}

static void end_job(struct mt_job *job)
{
    if (job->state == MT_JOB_RUNNING) {
        mt_timer_clear(job->jobs->o.loop, &job->time_limit);
    }
    mt_driver_release(job->jobs->o.driver, &job->hold);
    mt_gate_leave(&job->permit);
    mt_job_context_free(&job->context);
    job->state = MT_JOB_FREE;
}

void mt_jobs_free(struct mt_jobs **j)
{
    if (*j == NULL) {
        return;
    }
    for (size_t i = 0; i < MT_JOBS_MAX; i++) {
        if ((*j)->jobs[i].state != MT_JOB_FREE) {
            end_job(&(*j)->jobs[i]);
        }
    }
    free(*j);
    *j = NULL;
}

static struct mt_job *find(struct mt_jobs *j, const mt_id *id)
{
    for (size_t i = 0; i < MT_JOBS_MAX; i++) {
        if (j->jobs[i].state != MT_JOB_FREE && mt_id_equal(&j->jobs[i].context->start.id, id)) {
            return &j->jobs[i];
        }
    }
    return NULL;
}

size_t mt_jobs_count(const struct mt_jobs *j)
{
    size_t count = 0;
    for (size_t i = 0; i < MT_JOBS_MAX; i++) {
        count += j->jobs[i].state != MT_JOB_FREE ? 1 : 0;
    }
    return count;
}

MT_ERR mt_jobs_find_row(struct mt_jobs *j, mt_bytes name, struct mt_job *job)
{
    for (const struct mt_service *const *s = j->o.services; *s != NULL; s++) {
        for (const struct mt_job_row *row = (*s)->jobs; row != NULL && row->name != NULL; row++) {
            if (mt_bytes_equal(mt_bytes_of_text(row->name), name)) {
                job->service = *s;
                job->row = row;
                return MT_OK;
            }
        }
    }
    MT_FAIL(MT_E_NOTFOUND, "this node has no such kind of job");
}

struct job_ask {
    mt_id resources[MT_TASK_PARTIES_MAX];
    mt_id objects[MT_TASK_PARTIES_MAX];
    struct mt_job_ask ask;
};

static void ask_of(const struct mt_job_start *start, bool is_repeat, struct job_ask *out)
{
    for (size_t i = 0; i < start->inputs_count; i++) {
        out->resources[i] = start->inputs[i].resource;
        out->objects[i] = start->inputs[i].object.id;
    }
    out->ask = (struct mt_job_ask){
        .job = start->id,
        .grantee = start->grantee,
        .function = start->function,
        .inputs = out->resources,
        .objects = out->objects,
        .inputs_count = start->inputs_count,
        .is_repeat = is_repeat,
    };
}

static MT_ERR put_record(struct mt_tx *tx, const struct mt_job_start *start, uint64_t attempt)
{
    mt_bytes record;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_VALUE_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    mt_job_record_write(&w, start, attempt);
    MT_TRY(mt_write_end(&w, &record));
    const struct mt_map_def *before = mt_tx_reach(tx, mt_jobs_maps);
    mt_err e = mt_tx_put(tx, &mt_jobs_maps[0], mt_id_bytes(&start->id), record);
    (void)mt_tx_reach(tx, before);
    return e;
}

MT_ERR mt_jobs_record_del(struct mt_tx *tx, const mt_id *job)
{
    const struct mt_map_def *before = mt_tx_reach(tx, mt_jobs_maps);
    mt_err e = mt_tx_del(tx, &mt_jobs_maps[0], mt_id_bytes(job));
    (void)mt_tx_reach(tx, before);
    return e;
}

static MT_ERR admit(struct mt_job *job, struct mt_tx *tx, uint64_t attempt)
{
    struct mt_job_context *c = job->context;
    struct mt_gate *gate = job->jobs->o.gate;
    struct job_ask a;
    ask_of(&c->start, attempt > 1, &a);
    MT_TRY(mt_gate_admit_job(gate, tx, &a.ask, c->arena, &job->permit));
    for (size_t i = 0; i < c->start.inputs_count; i++) {
        MT_TRY(mt_gate_unwrap(gate, job->permit, tx, &a.objects[i], &c->keys[i]));
    }
    return put_record(tx, &c->start, attempt);
}

MT_ERR mt_jobs_start_attempt(struct mt_jobs *j, struct mt_tx *tx, const struct mt_job_start *start,
                             mt_bytes row, uint64_t attempt)
{
    struct mt_job *job = NULL;
    for (size_t i = 0; i < MT_JOBS_MAX && job == NULL; i++) {
        job = j->jobs[i].state == MT_JOB_FREE ? &j->jobs[i] : NULL;
    }
    MT_REQUIRE(job != NULL, MT_E_BUSY, "too many runs are under way");
    *job = (struct mt_job){.jobs = j};
    MT_TRY(mt_jobs_find_row(j, row, job));
    MT_TRY(mt_job_context_new(j->o.fs, start, &job->context));
    job->context->start.row = job->row->name;
    job->state = MT_JOB_STARTING;
    mt_err e = admit(job, tx, attempt);
    if (mt_failed(e)) {
        end_job(job);
    }
    return e;
}

MT_ERR mt_jobs_start(struct mt_jobs *j, struct mt_tx *tx, const struct mt_job_start *start)
{
    return mt_jobs_start_attempt(j, tx, start, mt_bytes_of_text(start->row), 1);
}

static mt_err run_job(struct mt_work *w)
{
    struct mt_job *job = w->state;
    MT_TRY(job->row->run(job->context));
    return mt_job_context_end_outputs(job->context);
}

/* A job whose flag is set has ended for that reason, whatever it said, and even if its work was
 * just done: who was told that a run is being cancelled gets nothing of it. */
static mt_err verdict_of(const struct mt_job_context *c, mt_err e)
{
    static const struct mt_fault cancelled = {MT_E_CANCELLED, __LINE__, __FILE__,
                                              "the run was cancelled"};
    static const struct mt_fault out_of_time = {MT_E_LIMIT, __LINE__, __FILE__,
                                                "the task's time limit is reached"};
    if (atomic_load(&c->is_out_of_time)) {
        return (mt_err){&out_of_time};
    }
    return atomic_load(&c->is_cancelled) ? (mt_err){&cancelled} : e;
}

/* The transaction that ends a run: the gate once more, then the service. */
static MT_ERR resume(struct mt_job *job, struct mt_tx *tx, mt_err result)
{
    struct mt_job_context *c = job->context;
    struct job_ask a;
    ask_of(&c->start, true, &a);
    if (!mt_failed(result) || result.fault->code == MT_E_NOTFOUND) {
        /* Of an input that was deleted meanwhile the file may be gone too: that is not the reason.
         */
        mt_err e = mt_gate_check_job(job->jobs->o.gate, tx, &a.ask);
        result = mt_failed(e) ? e : result;
    }
    bool is_done = !mt_failed(result);
    for (size_t i = 0; is_done && i < c->kept_count; i++) {
        mt_gate_put_staged(job->permit, &c->outputs[i].id, mt_object_writer_key(c->writers[i]));
    }
    const struct mt_job_end end = {
        .id = c->start.id,
        .task = c->start.task,
        .result = result,
        .detail = mt_bytes_of_text(c->detail),
        .outputs = is_done ? c->outputs : NULL,
        .outputs_count = is_done ? c->start.outputs_count : 0,
        .started_ms = job->started_ms,
        .ended_ms = mt_tx_now_ms(tx),
        .level = job->jobs->o.level,
    };
    MT_TRY(job->row->resume(job->permit, &end, tx));
    MT_TRY(mt_jobs_record_del(tx, &c->start.id));
    return result;
}

/* `*kept` says whether the outputs now belong to the ledger. */
static MT_ERR commit_end(struct mt_job *job, mt_err result, bool *kept)
{
    struct mt_jobs *j = job->jobs;
    struct mt_tx *tx = NULL;
    uint64_t version = 0;
    /* Not at the host's time if that has jumped: an end must be written whatever the clock says. */
    mt_err e =
        mt_ledger_begin(j->o.ledger, job->service->maps, mt_loop_host_time_ms(j->o.loop), &tx);
    if (mt_failed(e)) {
        MT_TRY(
            mt_ledger_begin(j->o.ledger, job->service->maps, mt_ledger_time_ms(j->o.ledger), &tx));
    }
    struct mt_tx_mark mark = mt_tx_mark(tx);
    e = resume(job, tx, result);
    *kept = !mt_failed(e);
    if (mt_failed(e) && !mt_failed(result)) {
        /* The gate or the service did not take the result: then the run failed, and that must be
         * written. */
        mt_tx_rollback(tx, mark);
        (void)mt_failed(resume(job, tx, e));
    }
    return mt_ledger_commit(j->o.ledger, &tx, &version);
}

static void job_done(struct mt_work *w, mt_err e)
{
    struct mt_job *job = w->state;
    bool is_kept = false;
    e = commit_end(job, verdict_of(job->context, e), &is_kept);
    if (mt_failed(e)) {
        /* Nothing was given out; the record is still there, and the next start ends the run. */
        mt_log_fault("job-end-not-written", e);
    }
    if (!is_kept) {
        mt_job_context_remove_outputs(job->context);
    }
    end_job(job);
}

static void out_of_time(struct mt_timer *t)
{
    struct mt_job *job = t->state;
    atomic_store(&job->context->is_out_of_time, true);
    atomic_store(&job->context->is_cancelled, true);
}

static void go(struct mt_hold *h)
{
    struct mt_job *job = h->state;
    struct mt_jobs *j = job->jobs;
    job->state = MT_JOB_RUNNING;
    job->started_ms = mt_loop_host_time_ms(j->o.loop);
    job->work = (struct mt_work){.run = run_job, .done = job_done, .state = job};
    job->time_limit = (struct mt_timer){.run = out_of_time, .state = job};
    if (job->context->start.time_limit_ms > 0) {
        mt_timer_set(j->o.loop, &job->time_limit, job->context->start.time_limit_ms);
    }
    mt_err e = mt_pool_submit(j->o.compute, &job->work);
    if (mt_failed(e)) {
        mt_loop_post(j->o.loop, &job->work, e);
    }
}

void mt_jobs_go(struct mt_jobs *j, const mt_id *id, uint64_t version)
{
    struct mt_job *job = find(j, id);
    MT_ASSERT(job != NULL);
    MT_ASSERT(job->state == MT_JOB_STARTING);
    job->state = MT_JOB_HELD;
    job->hold = (struct mt_hold){.version = version, .run = go, .state = job};
    mt_driver_hold(j->o.driver, &job->hold);
}

void mt_jobs_drop(struct mt_jobs *j, const mt_id *id)
{
    struct mt_job *job = find(j, id);
    if (job != NULL) {
        MT_ASSERT(job->state == MT_JOB_STARTING);
        end_job(job);
    }
}

void mt_jobs_cancel(struct mt_jobs *j, const mt_id *id)
{
    struct mt_job *job = find(j, id);
    if (job != NULL) {
        atomic_store(&job->context->is_cancelled, true);
    }
}

void mt_jobs_cancel_task(struct mt_jobs *j, const mt_id *task)
{
    for (size_t i = 0; i < MT_JOBS_MAX; i++) {
        if (j->jobs[i].state != MT_JOB_FREE && mt_id_equal(&j->jobs[i].context->start.task, task)) {
            atomic_store(&j->jobs[i].context->is_cancelled, true);
        }
    }
}

bool mt_jobs_progress(const void *jobs, const mt_id *id, uint64_t *done, uint64_t *all)
{
    const struct mt_jobs *j = jobs;
    for (size_t i = 0; i < MT_JOBS_MAX; i++) {
        if (j->jobs[i].state == MT_JOB_RUNNING && mt_id_equal(&j->jobs[i].context->start.id, id)) {
            *done = atomic_load(&j->jobs[i].context->progress_done);
            *all = atomic_load(&j->jobs[i].context->progress_all);
            return true;
        }
    }
    return false;
}
