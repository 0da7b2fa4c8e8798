/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_JOBS_CALL_TEST_H
#define MT_JOBS_CALL_TEST_H

#include "jobs/world_test.h"

/* Services, called as tee/server calls them. */

struct call {
    enum person who;
    const char *action;
    const char *args[MT_PATH_ARGUMENTS_MAX];
    const char *query;
    const char *body;   /* JSON; NULL: none */
    const char *upload; /* a streamed body; NULL: none */
    uint64_t number;    /* of the request, for retries; 0: none */
};

static struct mt_reply reply;
static struct mt_json *answer; /* the last reply, parsed; NULL if it was none or no JSON */
static struct mt_buf content;  /* of the object in the last reply */
static char refusal_detail[256];

static inline const struct mt_route *find_route(const char *action, const struct mt_service **out)
{
    for (const struct mt_service *const *s = node_services; *s != NULL; s++) {
        for (const struct mt_route *r = (*s)->routes; r->path != NULL; r++) {
            if (strcmp(r->action, action) == 0) {
                *out = *s;
                return r;
            }
        }
    }
    MT_ASSERT(false);
    return NULL;
}

static inline void forget_answer(void)
{
    mt_json_free(&answer);
    mt_buf_free(&content);
    content = mt_buf_of_max(SIZE_MAX / 2);
    mt_buf_free(&reply.body);
    reply = (struct mt_reply){.kind = MT_REPLY_JSON, .status = 200};
    reply.body = mt_buf_of_max((size_t)MT_JSON_BYTES_MAX * 2);
}

static inline void fetch_content(struct mt_secret *key)
{
    struct mt_object_reader *r = NULL;
    mt_span room;
    size_t got = 0;
    OK(mt_object_reader_new(fs, &reply.object, mt_secret_bytes(key), &r));
    OK(mt_buf_reserve(&content, (size_t)reply.object.size_bytes + 1, &room));
    OK(mt_object_reader_read_at(r, 0, room, &got));
    MT_ASSERT(got == reply.object.size_bytes);
    content.len = got;
    mt_object_reader_free(&r);
}

/* Gate and handler in the open transaction, as exchange.c has it. */
static inline mt_err call_in_tx(const struct mt_route *route, const struct mt_ask *ask,
                                const struct mt_request *rq, const struct mt_object_writer *staged)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(mt_gate_admit(gate, tx, ask, &permit));
    if (staged != NULL) {
        mt_gate_put_staged(permit, &rq->staged->id, mt_object_writer_key(staged));
    }
    MT_TRY(mt_handler_call(route->handler, permit, rq, tx, &reply));
    if (reply.kind == MT_REPLY_JSON) {
        mt_bytes body;
        mt_json_end_object(&reply.json);
        MT_TRY(mt_write_end(&reply.writer, &body));
    }
    if (reply.kind == MT_REPLY_OBJECT) {
        MT_TRY(mt_gate_unwrap(gate, permit, tx, &reply.object.id, &key));
        fetch_content(key);
    }
    if (reply.job != NULL) {
        MT_TRY(mt_jobs_start(jobs, tx, reply.job));
    }
    return ask->is_write ? mt_gate_remember(gate, tx, ask, reply.status, mt_buf_bytes(&reply.body))
                         : MT_OK;
}

static inline mt_err call_or_recall(const struct mt_route *route, const struct mt_ask *ask,
                                    const struct mt_request *rq,
                                    const struct mt_object_writer *staged)
{
    struct mt_recalled was = {.is_known = false};
    if (ask->is_numbered) {
        MT_TRY(mt_gate_check(gate, tx, ask));
        MT_TRY(mt_gate_recall(gate, tx, ask, &was));
    }
    if (!was.is_known) {
        return call_in_tx(route, ask, rq, staged);
    }
    reply.status = was.status;
    return mt_buf_append(&reply.body, was.body);
}

static inline void call_follow_up(uint64_t version)
{
    if (reply.job != NULL) {
        mt_jobs_go(jobs, &reply.job->id, version);
    }
    if (reply.cancels) {
        mt_jobs_cancel(jobs, &reply.cancelled_job);
    }
    if (reply.cancels_task) {
        mt_jobs_cancel_task(jobs, &reply.cancelled_task);
    }
}

static inline mt_err call_end(mt_err e)
{
    mt_id job = {{0}};
    bool has_job = reply.job != NULL;
    if (has_job) {
        job = reply.job->id; /* its arena goes with the transaction */
    }
    (void)snprintf(refusal_detail, sizeof refusal_detail, "%s", reply.detail);
    if (mt_failed(e)) {
        abort_tx();
        if (has_job) {
            mt_jobs_drop(jobs, &job);
        }
        return e;
    }
    uint64_t version = 0;
    mt_gate_leave(&permit);
    OK(mt_ledger_commit(ledger, &tx, &version));
    call_follow_up(version);
    mt_arena_reset(arena);
    if (reply.kind == MT_REPLY_JSON) {
        OK(mt_json_parse(mt_buf_bytes(&reply.body), &answer, NULL));
    }
    return MT_OK;
}

static inline struct mt_ask call_ask(const struct call *c, const struct mt_route *route,
                                     const struct mt_request *rq)
{
    struct mt_ask ask = ask_of(c->who, route->right);
    ask.action = route->action;
    ask.kind = route->kind;
    ask.is_write = route->is_write;
    ask.is_intent = route->is_intent;
    if (route->kind != MT_KIND_NONE) {
        OK(mt_request_id(rq, 0, &ask.resource));
    }
    if (c->number != 0) {
        const mt_bytes parts[] = {rq->arguments[0], rq->query, rq->body};
        ask.is_numbered = route->is_write;
        ask.number = c->number;
        mt_sha256(parts, 3, &ask.request_hash);
    }
    return ask;
}

static inline mt_err call(const struct call *c)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *staged = NULL;
    MT_DEFER(mt_json_free) struct mt_json *json = NULL;
    const struct mt_service *service = NULL;
    struct mt_object_handle h;
    const struct mt_route *route = find_route(c->action, &service);
    const char *body = c->body != NULL ? c->body : "";
    struct mt_request rq = {.arena = arena,
                            .action = route->action,
                            .query = mt_bytes_of_text(c->query != NULL ? c->query : ""),
                            .body = mt_bytes_of_text(body),
                            .cluster = mt_ledger_cluster_id(ledger),
                            .level = 2,
                            .progress = mt_jobs_progress,
                            .jobs = jobs};
    forget_answer();
    for (size_t i = 0; i < MT_PATH_ARGUMENTS_MAX && c->args[i] != NULL; i++) {
        rq.arguments[i] = mt_bytes_of_text(c->args[i]);
    }
    if (rq.body.len > 0) {
        OK(mt_json_parse(rq.body, &json, NULL));
        rq.json = json;
    }
    if (c->upload != NULL) {
        mt_bytes bytes = mt_bytes_of_text(c->upload);
        staged = make_object(bytes, &h);
        rq.staged = &h;
        rq.staged_head = bytes;
        rq.staged_head.len =
            bytes.len < MT_BODY_INLINE_BYTES_MAX ? bytes.len : MT_BODY_INLINE_BYTES_MAX;
    }
    const struct mt_ask ask = call_ask(c, route, &rq);
    OK(mt_ledger_begin(ledger, service->maps, now_ms, &tx));
    return call_end(call_or_recall(route, &ask, &rq, staged));
}
/* CALL(who, action, .args = {...}, .body = ...) */
#define CALL(who_, ...) call(&(const struct call){.who = (who_), .action = __VA_ARGS__})

static inline const char *text_of(const struct mt_json *node, const char *name)
{
    static char room[8][256];
    static size_t next;
    char *out = room[next++ % 8];
    mt_bytes text;
    OK(mt_json_text(node, name, &text));
    (void)snprintf(out, sizeof room[0], "%.*s", (int)text.len, (const char *)text.ptr);
    return out;
}

static inline bool says(const char *name, const char *wanted)
{
    return strcmp(text_of(answer, name), wanted) == 0;
}

static inline uint64_t number_of(const struct mt_json *node, const char *name)
{
    uint64_t n = 0;
    OK(mt_json_uint(node, name, UINT64_MAX >> 11, &n));
    return n;
}

/* The end of a test that called. */
static inline void calls_end(void)
{
    forget_answer();
    mt_buf_free(&reply.body);
    node_end();
}

#endif
