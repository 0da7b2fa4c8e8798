/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "services/task/inside.h"
#include "wire/run.h"

/* A run: started by the task's creator, admitted by the gate, ended by a transaction that makes its
 * claim. */

static const char job_name[] = "task.run";

static MT_ERR check_may_run(struct mt_tx *tx, const struct mt_task_view *v)
{
    uint64_t now_ms = mt_tx_now_ms(tx);
    MT_REQUIRE(!v->record.is_cancelled, MT_E_CONFLICT, "the task has been cancelled");
    MT_REQUIRE(now_ms >= v->task->not_before_ms, MT_E_STALE, "the task's time has not come");
    MT_REQUIRE(now_ms < v->task->not_after_ms, MT_E_STALE, "the task's time is over");
    MT_REQUIRE(v->record.runs_started < v->task->runs, MT_E_CONFLICT,
               "the task's runs are used up");
    return MT_OK;
}

/* Every owner has approved, and nobody has rejected: the gate asks for the grants again, this names
 * who is missing. */
static MT_ERR check_approvals(struct mt_tx *tx, const struct mt_task_view *v, struct mt_reply *rp)
{
    mt_hash owners[MT_TASK_PARTIES_MAX];
    size_t count = mt_task_owners(v->task, owners);
    for (size_t i = 0; i < count; i++) {
        struct mt_approval a;
        MT_TRY(mt_approval_get(tx, &v->task->nonce, &owners[i], &a));
        if (a.state != MT_APPROVAL_APPROVED) {
            mt_reply_detail(rp, "owner %zu of %zu (in the order of the inputs) has not approved",
                            i + 1, count);
            mt_reply_hint(
                rp, "mesatee task show TASK says who; they approve with mesatee task approve TASK");
            MT_FAIL(MT_E_DENIED, "an owner's approval is missing");
        }
    }
    return MT_OK;
}

static MT_ERR fill_start(struct mt_tx *tx, const struct mt_task_view *v, struct mt_job_start *s)
{
    const struct mt_task *t = v->task;
    s->row = job_name;
    s->task = t->nonce;
    s->grantee = v->record.digest;
    s->function = t->function;
    s->function_version = t->function_version;
    s->arguments = t->arguments;
    s->inputs_count = t->inputs_count;
    s->outputs_count = t->outputs_count;
    s->time_limit_ms = t->time_ms;
    s->memory_limit_bytes = t->memory_bytes;
    for (size_t i = 0; i < t->inputs_count; i++) {
        s->inputs[i].resource = t->inputs[i].data;
        MT_TRY(mt_permit_input(tx, &v->record.digest, &t->inputs[i].data, t->inputs[i].version,
                               &s->inputs[i].object));
        bool is_same = mt_id_equal(&s->inputs[i].object.id, &t->inputs[i].object) &&
                       mt_hash_equal(&s->inputs[i].object.commitment, &t->inputs[i].commitment);
        MT_REQUIRE(is_same, MT_E_CONFLICT, "an input is not what was approved");
    }
    return MT_OK;
}

mt_err mt_task_run(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                   struct mt_reply *rp)
{
    const mt_id *id = mt_permit_resource(p);
    struct mt_task_view v;
    mt_span room;
    struct mt_run run;
    static const char *const none[] = {NULL};
    if (rq->json != NULL) {
        MT_TRY(mt_json_known(rq->json, none));
    }
    MT_TRY(mt_task_load(rq->arena, tx, id, &v));
    MT_TRY(check_may_run(tx, &v));
    MT_TRY(check_approvals(tx, &v, rp));
    MT_TRY(mt_arena_get(rq->arena, sizeof(struct mt_job_start), &room));
    struct mt_job_start *s = (struct mt_job_start *)(void *)room.ptr;
    MT_TRY(fill_start(tx, &v, s));
    MT_TRY(mt_tx_random(tx, (mt_span){s->id.b, sizeof s->id.b}));
    v.record.runs_started++;
    memset(&run, 0, sizeof run);
    run.task = *id;
    run.number = v.record.runs_started;
    run.state = MT_RUN_QUEUED;
    run.txid = mt_tx_id(tx);
    MT_TRY(mt_task_record_put(tx, id, &v.record));
    MT_TRY(mt_run_put(tx, &s->id, &run));
    MT_TRY(mt_run_order_put(tx, id, run.number, &s->id));
    MT_TRY(mt_task_emit(tx, id, "run-queued", mt_permit_subject(p), &s->id));
    rp->job = s;
    struct mt_json_writer *j = mt_reply_json(rp, 202);
    mt_json_put_hex(j, "run", mt_id_bytes(&s->id));
    mt_json_put_uint(j, "number", run.number);
    mt_json_put_literal(j, "state", "queued");
    return MT_OK;
}

static MT_ERR keep_results(const struct mt_permit *p, const struct mt_job_end *end,
                           struct mt_tx *tx, const struct mt_task *t, struct mt_run *run)
{
    MT_REQUIRE(end->outputs_count == t->outputs_count, MT_E_INTERNAL,
               "a run has other outputs than its task");
    for (size_t i = 0; i < end->outputs_count; i++) {
        struct mt_run_result *r = &run->results[i];
        r->name = t->outputs[i].name;
        r->size_bytes = end->outputs[i].size_bytes;
        r->commitment = end->outputs[i].commitment;
        MT_TRY(mt_tx_random(tx, (mt_span){r->result.b, sizeof r->result.b}));
        const struct mt_kept_result kept = {&r->result, &end->outputs[i], t->outputs[i].receivers,
                                            t->outputs[i].receivers_count};
        MT_TRY(mt_permit_keep_result(p, tx, &kept));
    }
    run->results_count = end->outputs_count;
    return MT_OK;
}

static MT_ERR claim(const struct mt_job_end *end, struct mt_tx *tx, const struct mt_task_view *v,
                    struct mt_run *run)
{
    mt_hash owners[MT_TASK_PARTIES_MAX];
    struct mt_run_claim c;
    mt_bytes item;
    uint32_t index = 0;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_VALUE_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    memset(&c, 0, sizeof c);
    c.definition = v->record.definition;
    c.approvals_count = mt_task_owners(v->task, owners);
    for (size_t i = 0; i < c.approvals_count; i++) {
        struct mt_approval a;
        MT_TRY(mt_approval_get(tx, &v->task->nonce, &owners[i], &a));
        MT_REQUIRE(a.state == MT_APPROVAL_APPROVED, MT_E_CANCELLED,
                   "an approval was withdrawn while the job ran");
        c.approvals[i] = a.statement;
    }
    c.run = end->id;
    c.number = run->number;
    for (size_t i = 0; i < run->results_count; i++) {
        c.outputs[i] = (struct mt_run_output){run->results[i].name, run->results[i].commitment,
                                              run->results[i].size_bytes};
    }
    c.outputs_count = run->results_count;
    c.level = end->level;
    c.started_ms = end->started_ms;
    c.ended_ms = end->ended_ms;
    mt_run_claim_write(&w, &c);
    MT_TRY(mt_write_end(&w, &item));
    MT_TRY(mt_tx_claim(tx, item, &index));
    run->claim_item = index;
    return MT_OK;
}

static void note_failure(const struct mt_job_end *end, struct mt_run *run)
{
    run->state = end->result.fault->code == MT_E_CANCELLED ? MT_RUN_CANCELLED : MT_RUN_FAILED;
    run->code = (uint64_t)end->result.fault->code;
    run->check = mt_bytes_of_text(end->result.fault->what);
    run->detail = end->detail;
}

mt_err mt_task_job_resume(const struct mt_permit *p, const struct mt_job_end *end, struct mt_tx *tx)
{
    MT_DEFER(mt_arena_free) struct mt_arena *arena = NULL;
    struct mt_task_view v;
    struct mt_run run;
    MT_TRY(mt_arena_new(MT_REQUEST_ARENA_BYTES, &arena));
    MT_TRY(mt_task_load(arena, tx, &end->task, &v));
    MT_TRY(mt_run_get(tx, &end->id, &run));
    MT_REQUIRE(run.state == MT_RUN_QUEUED, MT_E_CONFLICT, "the run has ended already");
    run.started_ms = end->started_ms;
    run.ended_ms = end->ended_ms;
    run.txid = mt_tx_id(tx);
    if (mt_failed(end->result)) {
        note_failure(end, &run);
    } else {
        /* Asked for before the end, perhaps of an earlier incarnation: nothing comes out of it. */
        MT_REQUIRE(run.code != MT_E_CANCELLED, MT_E_CANCELLED, "the run was cancelled");
        MT_REQUIRE(!v.record.is_cancelled, MT_E_CANCELLED,
                   "the task was cancelled while the job ran");
        MT_TRY(keep_results(p, end, tx, v.task, &run));
        MT_TRY(claim(end, tx, &v, &run));
        run.state = MT_RUN_DONE;
    }
    MT_TRY(mt_run_put(tx, &end->id, &run));
    const char *event = run.state == MT_RUN_DONE        ? "run-done"
                        : run.state == MT_RUN_CANCELLED ? "run-cancelled"
                                                        : "run-failed";
    return mt_task_emit(tx, &end->task, event, NULL, &end->id);
}
