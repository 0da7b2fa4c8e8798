/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TARGET_MAX = 256, DEFINITION_MAX = 64 * 1024, RUNS_MAX = 1000000 };

void mt_tasks_view_free(struct mt_tasks_view **v)
{
    if (*v != NULL) {
        mt_json_free(&(*v)->json);
        mt_buf_free(&(*v)->definition);
        free(*v);
        *v = NULL;
    }
}

static MT_ERR check_id(const char *id, mt_id *out)
{
    mt_err e = mt_hex_parse(mt_bytes_of_text(id), (mt_span){out->b, sizeof out->b});
    MT_REQUIRE(!mt_failed(e), MT_E_ARG, "a task is named by 32 lower-case digits");
    return MT_OK;
}

static MT_ERR parse_view(const struct mt_session *s, const mt_id *id, struct mt_tasks_view *v)
{
    mt_bytes hex;
    mt_span room;
    mt_hash said;
    MT_TRY(mt_json_text(v->json, "definition", &hex));
    MT_TRY(mt_buf_reserve(&v->definition, hex.len / 2, &room));
    MT_TRY(mt_hex_parse(hex, room));
    v->definition.len = room.len;
    MT_TRY(mt_task_parse(mt_buf_bytes(&v->definition), &v->task));
    mt_task_digest_of(mt_buf_bytes(&v->definition), &v->digest);
    MT_TRY(mt_json_hex(v->json, "digest", (mt_span){said.b, sizeof said.b}));
    MT_REQUIRE(mt_hash_equal(&said, &v->digest), MT_E_PROOF,
               "task-digest: the node names another digest than the definition has");
    MT_REQUIRE(mt_hash_equal(&v->task.cluster, &s->context->cluster), MT_E_PROOF,
               "task-cluster: the definition is for another cluster");
    MT_REQUIRE(mt_id_equal(&v->task.nonce, id), MT_E_PROOF,
               "task-other: the node shows another task than the one that was asked for");
    return MT_OK;
}

MT_ERR mt_tasks_fetch(struct mt_session *s, const char *id, uint64_t before,
                      struct mt_tasks_view **out)
{
    MT_DEFER(mt_tasks_view_free) struct mt_tasks_view *v = calloc(1, sizeof *v);
    char target[TARGET_MAX];
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    mt_id wanted;
    MT_REQUIRE(v != NULL, MT_E_NOMEM, "no memory for a task");
    v->definition = mt_buf_of_max(DEFINITION_MAX);
    MT_TRY(check_id(id, &wanted));
    int len = snprintf(target, sizeof target, "/tasks/%s", id);
    if (before > 0) {
        (void)snprintf(target + len, sizeof target - (size_t)len, "?before=%llu",
                       (unsigned long long)before);
    }
    MT_TRY(mt_session_request(s, &call, &v->json));
    MT_TRY(parse_view(s, &wanted, v));
    *out = v;
    v = NULL; /* given */
    return MT_OK;
}

static MT_ERR approval_body(const struct mt_session *s, const struct mt_tasks_view *v,
                            struct mt_buf *room, mt_bytes *body)
{
    uint8_t statement[512];
    mt_bytes bytes;
    struct mt_writer t = mt_writer_over((mt_span){statement, sizeof statement});
    struct mt_writer w = mt_writer_onto(room);
    struct mt_json_writer j = mt_json_writer_over(&w);
    MT_TRY(mt_approval_write(&t, s->context->key, &v->digest));
    MT_TRY(mt_write_end(&t, &bytes));
    mt_json_begin_object(&j, NULL);
    mt_json_put_hex(&j, "statement", bytes);
    mt_json_end_object(&j);
    return mt_write_end(&w, body);
}

static MT_ERR check_wanted(const struct mt_tasks_view *v, const mt_hash *wanted)
{
    MT_REQUIRE(wanted == NULL || mt_hash_equal(wanted, &v->digest), MT_E_DENIED,
               "task-changed: the task's digest is not the one that you named; nothing was signed");
    return MT_OK;
}

static MT_ERR check_policy(const struct mt_session *s, const struct mt_tasks_view *v)
{
    MT_REQUIRE(mt_hash_equal(&v->task.policy, &s->context->policy->hash), MT_E_DENIED,
               "task-policy: the task goes by another appraisal policy than your context; nothing "
               "was signed");
    return MT_OK;
}

MT_ERR mt_tasks_approve(struct mt_session *s, const struct mt_tasks_view *v, const mt_hash *wanted,
                        struct mt_json **out)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    char id[33];
    char target[TARGET_MAX];
    struct mt_call call = {.method = MT_HTTP_POST, .target = target};
    mt_bytes digits;
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)id, 32});
    mt_err e = check_wanted(v, wanted);
    if (mt_failed(e)) {
        return mt_session_explain(s, e, "mesatee task show", "%s", e.fault->what);
    }
    e = check_policy(s, v);
    if (mt_failed(e)) {
        return mt_session_explain(s, e, "agree on one policy, and use it in your context", "%s",
                                  e.fault->what);
    }
    mt_hex_write(&w, mt_id_bytes(&v->task.nonce));
    MT_TRY(mt_write_end(&w, &digits));
    (void)snprintf(target, sizeof target, "/tasks/%.32s/approvals", id);
    MT_TRY(approval_body(s, v, &room, &call.body));
    return mt_session_request(s, &call, out);
}

MT_ERR mt_tasks_run(struct mt_session *s, const char *id, struct mt_json **out)
{
    char target[TARGET_MAX];
    const struct mt_call call = {
        .method = MT_HTTP_POST, .target = target, .body = MT_LITERAL("{}")};
    mt_id task;
    MT_TRY(check_id(id, &task));
    (void)snprintf(target, sizeof target, "/tasks/%s/runs", id);
    return mt_session_request(s, &call, out);
}

static void tell(const struct mt_json *run, struct mt_progress progress)
{
    const struct mt_json *p = NULL;
    uint64_t done = 0;
    uint64_t all = 0;
    if (progress.tell != NULL && !mt_failed(mt_json_object(run, "progress", &p)) &&
        !mt_failed(mt_json_uint(p, "done", UINT64_MAX, &done)) &&
        !mt_failed(mt_json_uint(p, "all", UINT64_MAX, &all))) {
        progress.tell(progress.state, done, all);
    }
}

/* Asks again and again, seldomer and seldomer: a watch would hold the connection. */
MT_ERR mt_tasks_wait(struct mt_session *s, const char *id, mt_bytes run,
                     struct mt_progress progress, struct mt_json **out)
{
    enum { FIRST_NS = 2000000, MOST_NS = 100000000 };
    char target[TARGET_MAX];
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    struct timespec pause = {.tv_nsec = FIRST_NS};
    mt_id task;
    MT_TRY(check_id(id, &task));
    (void)snprintf(target, sizeof target, "/tasks/%s/runs/%.*s", id, (int)run.len,
                   (const char *)run.ptr);
    for (;;) {
        MT_DEFER(mt_json_free) struct mt_json *j = NULL;
        mt_bytes state;
        MT_TRY(mt_session_request(s, &call, &j));
        MT_TRY(mt_json_text(j, "state", &state));
        bool is_over = !mt_bytes_equal(state, MT_LITERAL("queued")) &&
                       !mt_bytes_equal(state, MT_LITERAL("running"));
        if (is_over) {
            *out = j;
            j = NULL; /* given */
            return MT_OK;
        }
        tell(j, progress);
        (void)nanosleep(&pause, NULL);
        pause.tv_nsec = pause.tv_nsec * 2 < MOST_NS ? pause.tv_nsec * 2 : MOST_NS;
    }
}

/* The newest that is done: its JSON lies in the task's. */
static MT_ERR newest_done(const struct mt_json *task, const struct mt_json **out)
{
    const struct mt_json *runs = NULL;
    const struct mt_json *found = NULL;
    size_t count = 0;
    MT_TRY(mt_json_array(task, "runs", RUNS_MAX, &runs, &count));
    for (size_t i = 0; i < count; i++) {
        mt_bytes state;
        const struct mt_json *r = mt_json_at(runs, i);
        MT_TRY(mt_json_text(r, "state", &state));
        found = mt_bytes_equal(state, MT_LITERAL("done")) ? r : found;
    }
    MT_REQUIRE(found != NULL, MT_E_CONFLICT, "the task has no run that is done");
    *out = found;
    return MT_OK;
}

/* The run that is named, however old: its JSON is asked for by itself. */
static MT_ERR named_run(struct mt_session *s, const struct mt_tasks_view *v, const char *run,
                        struct mt_json **out)
{
    char target[TARGET_MAX];
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    mt_bytes task;
    MT_TRY(mt_json_text(v->json, "task", &task));
    (void)snprintf(target, sizeof target, "/tasks/%.*s/runs/%.32s", (int)task.len,
                   (const char *)task.ptr, run);
    return mt_session_request(s, &call, out);
}

static MT_ERR target_of(const struct mt_json *run, const struct mt_tasks_view *v,
                        const char *output, char target[TARGET_MAX])
{
    const struct mt_json *results = NULL;
    size_t count = 0;
    mt_bytes id;
    mt_bytes task;
    MT_TRY(mt_json_text(run, "run", &id));
    MT_TRY(mt_json_text(v->json, "task", &task));
    if (output == NULL) {
        (void)snprintf(target, TARGET_MAX, "/tasks/%.*s/runs/%.*s/receipt", (int)task.len,
                       (const char *)task.ptr, (int)id.len, (const char *)id.ptr);
        return MT_OK;
    }
    MT_TRY(mt_json_array(run, "results", MT_TASK_PARTIES_MAX, &results, &count));
    for (size_t i = 0; i < count; i++) {
        mt_bytes name;
        MT_TRY(mt_json_text(mt_json_at(results, i), "output", &name));
        if (mt_bytes_equal(name, mt_bytes_of_text(output))) {
            MT_TRY(mt_json_text(mt_json_at(results, i), "result", &id));
            (void)snprintf(target, TARGET_MAX, "/results/%.*s", (int)id.len, (const char *)id.ptr);
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_CONFLICT, "the run has no output of this name");
}

MT_ERR mt_tasks_download(struct mt_session *s, const struct mt_tasks_view *v,
                         const struct mt_tasks_wanted *wanted)
{
    MT_DEFER(mt_json_free) struct mt_json *named = NULL;
    const struct mt_json *run = NULL;
    char target[TARGET_MAX];
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    if (wanted->run != NULL) {
        MT_TRY(named_run(s, v, wanted->run, &named));
    }
    run = named;
    mt_err e = run != NULL ? MT_OK : newest_done(v->json, &run);
    e = mt_failed(e) ? e : target_of(run, v, wanted->output, target);
    if (mt_failed(e)) {
        return mt_session_explain(s, e, "mesatee task show says what there is; mesatee task run",
                                  "%s", e.fault->what);
    }
    return mt_transfer_get(s, &call, wanted->path, wanted->progress);
}
