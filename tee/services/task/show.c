/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "crypto/hash.h"
#include "services/task/inside.h"

MT_ERR mt_task_load(struct mt_arena *arena, struct mt_tx *tx, const mt_id *id,
                    struct mt_task_view *out)
{
    mt_span room;
    mt_bytes definition;
    MT_TRY(mt_task_record_get(tx, id, &out->record));
    MT_TRY(mt_arena_copy(arena, out->record.definition, &definition));
    out->record.definition = definition;
    MT_TRY(mt_arena_get(arena, sizeof(struct mt_task), &room));
    out->task = (struct mt_task *)(void *)room.ptr;
    return mt_task_parse(definition, out->task);
}

size_t mt_task_owners(const struct mt_task *t, mt_hash owners[MT_TASK_PARTIES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < t->inputs_count; i++) {
        bool is_new = true;
        for (size_t j = 0; j < count && is_new; j++) {
            is_new = !mt_hash_equal(&owners[j], &t->inputs[i].owner);
        }
        if (is_new) {
            owners[count++] = t->inputs[i].owner;
        }
    }
    return count;
}

MT_ERR mt_task_emit(struct mt_tx *tx, const mt_id *task, const char *event, const mt_hash *subject,
                    const mt_id *run)
{
    uint8_t room[256];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_json_begin_object(&j, NULL);
    mt_json_put_literal(&j, "event", event);
    if (subject != NULL) {
        mt_json_put_hex(&j, "subject", mt_hash_bytes(subject));
    }
    if (run != NULL) {
        mt_json_put_hex(&j, "run", mt_id_bytes(run));
    }
    mt_json_end_object(&j);
    MT_TRY(mt_write_end(&w, &text));
    return mt_tx_emit(tx, task, text);
}

static const char *approval_name(enum mt_approval_state s)
{
    switch (s) {
    case MT_APPROVAL_PENDING:
        return "pending";
    case MT_APPROVAL_APPROVED:
        return "approved";
    case MT_APPROVAL_REJECTED:
        return "rejected";
    case MT_APPROVAL_WITHDRAWN:
        return "withdrawn";
    }
    return "";
}

/* What the task as a whole has come to. */
static MT_ERR state_of(struct mt_tx *tx, const mt_id *id, const struct mt_task_view *v,
                       const char **out)
{
    mt_hash owners[MT_TASK_PARTIES_MAX];
    size_t count = mt_task_owners(v->task, owners);
    bool are_all_there = true;
    bool is_rejected = false;
    for (size_t i = 0; i < count; i++) {
        struct mt_approval a;
        MT_TRY(mt_approval_get(tx, id, &owners[i], &a));
        are_all_there = are_all_there && a.state == MT_APPROVAL_APPROVED;
        is_rejected = is_rejected || a.state == MT_APPROVAL_REJECTED;
    }
    if (v->record.is_cancelled) {
        *out = "cancelled";
    } else if (is_rejected) {
        *out = "rejected";
    } else if (v->record.runs_started >= v->task->runs) {
        *out = "exhausted";
    } else if (mt_tx_now_ms(tx) >= v->task->not_after_ms) {
        *out = "expired";
    } else {
        *out = are_all_there ? "approved" : "proposed";
    }
    return MT_OK;
}

static MT_ERR put_approvals(struct mt_tx *tx, const mt_id *id, const struct mt_task *t,
                            struct mt_json_writer *j)
{
    mt_hash owners[MT_TASK_PARTIES_MAX];
    size_t count = mt_task_owners(t, owners);
    mt_json_begin_array(j, "approvals");
    for (size_t i = 0; i < count; i++) {
        struct mt_approval a;
        MT_TRY(mt_approval_get(tx, id, &owners[i], &a));
        mt_json_begin_object(j, NULL);
        mt_json_put_hex(j, "subject", mt_hash_bytes(&owners[i]));
        mt_json_put_literal(j, "state", approval_name(a.state));
        mt_json_put_uint(j, "at_ms", a.at_ms);
        if (a.statement.len > 0) {
            mt_json_put_hex(j, "statement", a.statement);
        }
        if (a.reason.len > 0) {
            mt_json_put_text(j, "reason", a.reason);
        }
        mt_json_end_object(j);
    }
    mt_json_end_array(j);
    return MT_OK;
}

static const char *run_state_name(enum mt_run_state s, bool is_running)
{
    switch (s) {
    case MT_RUN_QUEUED:
        return is_running ? "running" : "queued";
    case MT_RUN_DONE:
        return "done";
    case MT_RUN_FAILED:
        return "failed";
    case MT_RUN_CANCELLED:
        return "cancelled";
    }
    return "";
}

static void put_run(const struct mt_request *rq, const mt_id *id, const struct mt_run *run,
                    struct mt_json_writer *j)
{
    uint64_t done = 0;
    uint64_t all = 0;
    bool is_running = rq->progress(rq->jobs, id, &done, &all);
    mt_json_put_hex(j, "run", mt_id_bytes(id));
    mt_json_put_uint(j, "number", run->number);
    mt_json_put_literal(j, "state", run_state_name(run->state, is_running));
    if (is_running) {
        mt_json_begin_object(j, "progress");
        mt_json_put_uint(j, "done", done);
        mt_json_put_uint(j, "all", all);
        mt_json_end_object(j);
    }
    mt_json_put_uint(j, "started_ms", run->started_ms);
    mt_json_put_uint(j, "ended_ms", run->ended_ms);
    mt_json_begin_array(j, "results");
    for (size_t i = 0; i < run->results_count; i++) {
        mt_json_begin_object(j, NULL);
        mt_json_put_text(j, "output", run->results[i].name);
        mt_json_put_hex(j, "result", mt_id_bytes(&run->results[i].result));
        mt_json_put_uint(j, "size_bytes", run->results[i].size_bytes);
        mt_json_put_hex(j, "commitment", mt_hash_bytes(&run->results[i].commitment));
        mt_json_end_object(j);
    }
    mt_json_end_array(j);
    if (run->code != 0 && run->state != MT_RUN_QUEUED) {
        mt_json_begin_object(j, "error");
        mt_json_put_literal(j, "code", mt_code_name((enum mt_code)run->code));
        mt_json_put_text(j, "check", run->check);
        mt_json_put_text(j, "detail", run->detail);
        mt_json_end_object(j);
    }
    mt_json_put_uint(j, "transaction", run->txid);
}

struct run_list {
    const struct mt_request *rq;
    struct mt_tx *tx;
    struct mt_json_writer *j;
};

static mt_err list_run(void *state, const mt_id *id)
{
    const struct run_list *l = state;
    struct mt_run run;
    MT_TRY(mt_run_get(l->tx, id, &run));
    mt_json_begin_object(l->j, NULL);
    put_run(l->rq, id, &run, l->j);
    mt_json_end_object(l->j);
    return MT_OK;
}

mt_err mt_task_show(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                    struct mt_reply *rp)
{
    const mt_id *id = mt_permit_resource(p);
    struct mt_task_view v;
    const char *state = NULL;
    MT_TRY(mt_task_load(rq->arena, tx, id, &v));
    MT_TRY(state_of(tx, id, &v, &state));
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    struct run_list l = {rq, tx, j};
    uint64_t newest = v.record.runs_started;
    uint64_t left = newest < v.task->runs ? v.task->runs - newest : 0;
    uint64_t before = 0;
    MT_TRY(mt_request_query_uint(rq, "before", newest + 1, UINT64_MAX >> 11, &before));
    mt_json_put_hex(j, "task", mt_id_bytes(id));
    mt_json_put_hex(j, "digest", mt_hash_bytes(&v.record.digest));
    mt_json_put_hex(j, "definition", v.record.definition);
    mt_json_put_hex(j, "creator", mt_hash_bytes(&v.record.creator));
    mt_json_put_uint(j, "created_ms", v.record.made_ms);
    mt_json_put_literal(j, "state", state);
    MT_TRY(put_approvals(tx, id, v.task, j));
    mt_json_put_uint(j, "runs_left", left);
    mt_json_put_uint(j, "runs_started", newest);
    mt_json_begin_array(j, "runs");
    MT_TRY(mt_run_order_each(tx, id, before <= newest ? before : newest + 1, list_run, &l));
    mt_json_end_array(j);
    mt_json_put_bool(j, "limits_enforced_against_rollback", false);
    return MT_OK;
}

struct task_list {
    struct mt_tx *tx;
    struct mt_arena *arena; /* of one task at a time */
    struct mt_json_writer *j;
    uint64_t left;
};

static mt_err list_task(void *state, const mt_id *id, bool *is_enough)
{
    struct task_list *l = state;
    struct mt_task_view v;
    const char *name = NULL;
    MT_TRY(mt_task_load(l->arena, l->tx, id, &v));
    MT_TRY(state_of(l->tx, id, &v, &name));
    mt_json_begin_object(l->j, NULL);
    mt_json_put_hex(l->j, "task", mt_id_bytes(id));
    mt_json_put_hex(l->j, "digest", mt_hash_bytes(&v.record.digest));
    mt_json_put_text(l->j, "function", v.task->function);
    mt_json_put_literal(l->j, "state", name);
    mt_json_put_hex(l->j, "creator", mt_hash_bytes(&v.record.creator));
    mt_json_put_uint(l->j, "created_ms", v.record.made_ms);
    mt_json_end_object(l->j);
    mt_arena_reset(l->arena);
    *is_enough = --l->left == 0;
    return MT_OK;
}

mt_err mt_task_list(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                    struct mt_reply *rp)
{
    enum { LIST_MAX = 1000 };
    MT_DEFER(mt_arena_free) struct mt_arena *arena = NULL;
    struct task_list l = {.tx = tx};
    mt_id after = {{0}};
    mt_bytes text;
    MT_TRY(mt_request_query_uint(rq, "limit", LIST_MAX, LIST_MAX, &l.left));
    MT_REQUIRE(l.left > 0, MT_E_ARG, "limit is at least 1");
    MT_TRY(mt_request_query(rq, "after", &text));
    if (text.ptr != NULL) {
        MT_TRY(mt_hex_parse(text, (mt_span){after.b, sizeof after.b}));
    }
    MT_TRY(mt_arena_new(MT_REQUEST_ARENA_BYTES, &arena));
    l.arena = arena;
    l.j = mt_reply_json(rp, 200);
    mt_json_begin_array(l.j, "tasks");
    MT_TRY(mt_permit_list(p, tx, MT_REF(MT_KIND_TASK, &after), list_task, &l));
    mt_json_end_array(l.j);
    return MT_OK;
}

mt_err mt_task_cancel(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                      struct mt_reply *rp)
{
    const mt_id *id = mt_permit_resource(p);
    struct mt_task_view v;
    MT_TRY(mt_task_load(rq->arena, tx, id, &v));
    MT_REQUIRE(!v.record.is_cancelled, MT_E_CONFLICT, "the task has been cancelled already");
    v.record.is_cancelled = true;
    MT_TRY(mt_task_record_put(tx, id, &v.record));
    MT_TRY(mt_task_emit(tx, id, "cancelled", mt_permit_subject(p), NULL));
    rp->cancels_task = true;
    rp->cancelled_task = *id;
    mt_json_put_literal(mt_reply_json(rp, 200), "state", "cancelled");
    return MT_OK;
}

mt_err mt_task_events(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                      struct mt_reply *rp)
{
    (void)tx;
    MT_TRY(mt_request_query_uint(rq, "after", 0, UINT64_MAX >> 11, &rp->after_txid));
    rp->kind = MT_REPLY_WATCH;
    rp->topic = *mt_permit_resource(p);
    return MT_OK;
}

static MT_ERR run_of(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                     mt_id *id, struct mt_run *run)
{
    MT_TRY(mt_request_id(rq, 1, id));
    MT_TRY(mt_run_get(tx, id, run));
    MT_REQUIRE(mt_id_equal(&run->task, mt_permit_resource(p)), MT_E_NOTFOUND,
               "this task has no such run");
    return MT_OK;
}

mt_err mt_task_run_show(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                        struct mt_reply *rp)
{
    mt_id id;
    struct mt_run run;
    MT_TRY(run_of(p, rq, tx, &id, &run));
    put_run(rq, &id, &run, mt_reply_json(rp, 200));
    return MT_OK;
}

mt_err mt_task_run_cancel(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                          struct mt_reply *rp)
{
    mt_id id;
    struct mt_run run;
    MT_TRY(run_of(p, rq, tx, &id, &run));
    MT_REQUIRE(run.state == MT_RUN_QUEUED, MT_E_CONFLICT, "the run has ended");
    run.code = MT_E_CANCELLED; /* in the ledger, so that a crash does not bring it back */
    MT_TRY(mt_run_put(tx, &id, &run));
    rp->cancels = true;
    rp->cancelled_job = id;
    mt_json_put_literal(mt_reply_json(rp, 202), "state", "cancelling");
    return MT_OK;
}

mt_err mt_task_receipt(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                       struct mt_reply *rp)
{
    mt_id id;
    struct mt_run run;
    MT_TRY(run_of(p, rq, tx, &id, &run));
    MT_REQUIRE(run.state == MT_RUN_DONE, MT_E_CONFLICT,
               "there is a receipt for a run that is done");
    rp->kind = MT_REPLY_RECEIPT;
    rp->receipt_txid = run.txid;
    rp->receipt_item = (uint32_t)run.claim_item;
    return MT_OK;
}

mt_err mt_task_result(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                      struct mt_reply *rp)
{
    (void)rq;
    MT_TRY(mt_permit_object(p, tx, MT_REF(MT_KIND_RESULT, mt_permit_resource(p)), 1, &rp->object));
    rp->kind = MT_REPLY_OBJECT;
    return MT_OK;
}
