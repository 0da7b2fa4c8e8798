/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "mesatee/seen.h"
#include "mesatee/tasks.h"

/* function, task, and the receipt of a run. */

enum { TARGET_MAX = 256, TASK_FILE_MAX = 64 * 1024, PROSE_MAX = 1024 * 1024 };

int mt_cli_function_list(struct mt_cli *c)
{
    return mt_cli_arguments(c, 0) ? mt_cli_show(c, MT_HTTP_GET, "/functions", (mt_bytes){NULL, 0})
                                  : MT_EXIT_USAGE;
}

int mt_cli_function_show(struct mt_cli *c)
{
    char target[TARGET_MAX];
    if (!mt_cli_arguments(c, 1) || strlen(c->argv[0]) > MT_NAME_BYTES_MAX) {
        return MT_EXIT_USAGE;
    }
    (void)snprintf(target, sizeof target, "/functions/%s", c->argv[0]);
    return mt_cli_show(c, MT_HTTP_GET, target, (mt_bytes){NULL, 0});
}

/* Of a task, a run, a grant. */
static bool is_id(const char *text)
{
    mt_id id;
    return !mt_failed(mt_hex_parse(mt_bytes_of_text(text), (mt_span){id.b, sizeof id.b}));
}

static int on_task(struct mt_cli *c, enum mt_http_method method, const char *after, mt_bytes body)
{
    char target[TARGET_MAX];
    if (!mt_cli_arguments(c, 1) || !is_id(c->argv[0])) {
        return MT_EXIT_USAGE;
    }
    (void)snprintf(target, sizeof target, "/tasks/%s%s", c->argv[0], after);
    return mt_cli_show(c, method, target, body);
}

int mt_cli_task_list(struct mt_cli *c)
{
    return mt_cli_arguments(c, 0) ? mt_cli_show(c, MT_HTTP_GET, "/tasks", (mt_bytes){NULL, 0})
                                  : MT_EXIT_USAGE;
}

int mt_cli_task_withdraw(struct mt_cli *c)
{
    return on_task(c, MT_HTTP_DELETE, "/approvals", (mt_bytes){NULL, 0});
}

int mt_cli_task_reject(struct mt_cli *c)
{
    uint8_t room[1024];
    mt_bytes body = {0};
    const char *reason = mt_cli_option(c, "--reason");
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_json_begin_object(&j, NULL);
    mt_json_put_text(&j, "reason", mt_bytes_of_text(reason == NULL ? "" : reason));
    mt_json_end_object(&j);
    mt_err e = mt_write_end(&w, &body);
    return mt_failed(e) ? mt_cli_fail(c, e, "reason")
                        : on_task(c, MT_HTTP_POST, "/rejections", body);
}

int mt_cli_task_cancel(struct mt_cli *c)
{
    char after[64] = "";
    const char *run = mt_cli_option(c, "--run");
    if (run != NULL && !is_id(run)) {
        return MT_EXIT_USAGE;
    }
    if (run != NULL) {
        (void)snprintf(after, sizeof after, "/runs/%.32s", run);
    }
    return on_task(c, MT_HTTP_DELETE, after, (mt_bytes){NULL, 0});
}

int mt_cli_task_create(struct mt_cli *c)
{
    MT_DEFER(mt_json_free) struct mt_json *answer = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(0);
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_file_load(c->argv[0], TASK_FILE_MAX, &text);
    e = mt_failed(e) ? e : mt_tasks_create(&c->s, mt_buf_bytes(&text), &answer);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    mt_cli_print(c, answer);
    return MT_EXIT_DONE;
}

/* The first argument is the task. */
static int fetch(struct mt_cli *c, uint64_t before, struct mt_tasks_view **out)
{
    int rc = is_id(c->argv[0]) ? mt_cli_connect(c) : MT_EXIT_USAGE;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_tasks_fetch(&c->s, c->argv[0], before, out);
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : MT_EXIT_DONE;
}

static void put_text_of(struct mt_writer *w, const struct mt_json *from, const char *name)
{
    mt_bytes text = {NULL, 0};
    if (!mt_failed(mt_json_text(from, name, &text))) {
        mt_seen_write(w, text);
    }
}

/* What the node says beside it. */
static void write_state(struct mt_cli *c, const struct mt_json *task, struct mt_writer *w)
{
    const struct mt_json *approvals = NULL;
    size_t count = 0;
    mt_write_bytes(w, MT_LITERAL("State     "));
    put_text_of(w, task, "state");
    mt_write_bytes(w, MT_LITERAL("\n"));
    if (mt_failed(mt_json_array(task, "approvals", MT_TASK_PARTIES_MAX, &approvals, &count))) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct mt_json *a = mt_json_at(approvals, i);
        mt_hash h;
        char who[80];
        if (mt_failed(mt_json_hex(a, "subject", (mt_span){h.b, sizeof h.b}))) {
            continue;
        }
        mt_session_name(&c->s, &h, who);
        mt_write_bytes(w, MT_LITERAL("          "));
        mt_write_bytes(w, mt_bytes_of_text(who));
        mt_write_bytes(w, MT_LITERAL(": "));
        put_text_of(w, a, "state");
        if (mt_json_has(a, "reason")) {
            mt_write_bytes(w, MT_LITERAL(", because: "));
            put_text_of(w, a, "reason");
        }
        mt_write_bytes(w, MT_LITERAL("\n"));
    }
}

int mt_cli_task_show(struct mt_cli *c)
{
    MT_DEFER(mt_tasks_view_free) struct mt_tasks_view *v = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(PROSE_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    mt_bytes text;
    uint64_t number = 0;
    const char *before = mt_cli_option(c, "--before");
    bool is_right = before == NULL || (mt_cli_number(before, &number) && number > 0);
    int rc = is_right && mt_cli_arguments(c, 1) ? fetch(c, number, &v) : MT_EXIT_USAGE;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    if (c->is_json) {
        mt_cli_print(c, v->json);
        return MT_EXIT_DONE;
    }
    mt_tasks_prose(&c->s, v, &w);
    write_state(c, v->json, &w);
    mt_write_bytes(&w, MT_LITERAL("\nLimits enforced against a rolled-back disk: no\n\nWhat is "
                                  "signed, the digest:\n  "));
    mt_hex_write(&w, mt_hash_bytes(&v->digest));
    mt_write_bytes(&w, MT_LITERAL("\nof these bytes:\n  "));
    mt_hex_write(&w, mt_buf_bytes(&v->definition));
    mt_write_bytes(&w, MT_LITERAL("\n"));
    mt_err e = mt_write_end(&w, &text);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "task");
    }
    mt_cli_print_bytes(stdout, text);
    return MT_EXIT_DONE;
}

int mt_cli_task_approve(struct mt_cli *c)
{
    MT_DEFER(mt_tasks_view_free) struct mt_tasks_view *v = NULL;
    MT_DEFER(mt_json_free) struct mt_json *answer = NULL;
    const char *digest = mt_cli_option(c, "--digest");
    mt_hash wanted;
    bool is_right =
        mt_cli_arguments(c, 1) &&
        (digest == NULL ||
         !mt_failed(mt_hex_parse(mt_bytes_of_text(digest), (mt_span){wanted.b, sizeof wanted.b})));
    int rc = is_right ? fetch(c, 0, &v) : MT_EXIT_USAGE;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_tasks_approve(&c->s, v, digest == NULL ? NULL : &wanted, &answer);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "approve");
    }
    mt_cli_print(c, answer);
    return MT_EXIT_DONE;
}

static int wait_for_run(struct mt_cli *c, mt_bytes run)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    struct mt_cli_bar bar;
    mt_bytes state;
    mt_err e = mt_tasks_wait(&c->s, c->argv[0], run, mt_cli_bar_begin(c, &bar, false), &j);
    mt_cli_bar_end(&bar);
    if (mt_failed(e)) {
        (void)fprintf(stderr,
                      "note: the run goes on; mesatee task watch %s, or mesatee task cancel "
                      "%s --run %.*s\n",
                      c->argv[0], c->argv[0], (int)run.len, (const char *)run.ptr);
        return mt_cli_fail(c, e, "run");
    }
    mt_cli_print(c, j);
    bool is_done =
        !mt_failed(mt_json_text(j, "state", &state)) && mt_bytes_equal(state, MT_LITERAL("done"));
    return is_done ? MT_EXIT_DONE : MT_EXIT_FAILED;
}

int mt_cli_task_run(struct mt_cli *c)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    mt_bytes run;
    bool is_patient = !mt_cli_flag(c, "--no-wait");
    int rc = mt_cli_arguments(c, 1) && is_id(c->argv[0]) ? mt_cli_connect(c) : MT_EXIT_USAGE;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_tasks_run(&c->s, c->argv[0], &j);
    e = mt_failed(e) ? e : mt_json_text(j, "run", &run);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    if (is_patient) {
        return wait_for_run(c, run);
    }
    mt_cli_print(c, j);
    return MT_EXIT_DONE;
}

static void print_event(const struct mt_cli *c, uint64_t txid, mt_bytes data)
{
    (void)fputs(c->is_json ? "{\"transaction\":" : "", stdout);
    (void)printf("%llu", (unsigned long long)txid);
    (void)fputs(c->is_json ? ",\"event\":" : " ", stdout);
    mt_cli_print_bytes(stdout, data);
    (void)fputs(c->is_json ? "}\n" : "\n", stdout);
    (void)fflush(stdout);
}

/* The events behind a transaction, until the verdict on the node is due for renewal. */
static mt_err follow(struct mt_cli *c, uint64_t *txid)
{
    char target[TARGET_MAX];
    struct mt_answer a;
    MT_DEFER(mt_buf_free) struct mt_buf data = mt_buf_of_max(65536);
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    (void)snprintf(target, sizeof target, "/tasks/%s/events?after=%llu", c->argv[0],
                   (unsigned long long)*txid);
    mt_err e = mt_session_call(&c->s, &call, &a);
    mt_buf_free(&a.body);
    while (!mt_failed(e) && !mt_session_is_stale(&c->s)) {
        e = mt_client_next_event(c->s.client, &data, txid);
        if (!mt_failed(e) && data.len > 0) {
            print_event(c, *txid, mt_buf_bytes(&data));
        }
    }
    return e;
}

int mt_cli_task_watch(struct mt_cli *c)
{
    const char *after = mt_cli_option(c, "--after");
    const char *renew = mt_cli_option(c, "--renew");
    uint64_t txid = 0;
    uint64_t renew_s = MT_RENEW_MS / 1000;
    if (!mt_cli_arguments(c, 1) || !is_id(c->argv[0]) ||
        (after != NULL && !mt_cli_number(after, &txid)) ||
        (renew != NULL &&
         (!mt_cli_number(renew, &renew_s) || renew_s == 0 || renew_s > MT_RENEW_MS / 1000))) {
        return MT_EXIT_USAGE;
    }
    c->s.renew_ms = renew_s * 1000;
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = MT_OK;
    while (!mt_failed(e)) {
        e = follow(c, &txid);
        e = mt_failed(e) ? e : mt_session_reconnect(&c->s);
    }
    return mt_cli_fail(c, e, "watch");
}

/* An output of a run, or its receipt, into a file. */
static int download(struct mt_cli *c, struct mt_tasks_wanted *wanted)
{
    MT_DEFER(mt_tasks_view_free) struct mt_tasks_view *v = NULL;
    struct mt_cli_bar bar;
    struct mt_cli_answer a;
    int rc = wanted->run == NULL || is_id(wanted->run) ? fetch(c, 0, &v) : MT_EXIT_USAGE;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    wanted->progress = mt_cli_bar_begin(c, &bar, true);
    mt_err e = mt_tasks_download(&c->s, v, wanted);
    mt_cli_bar_end(&bar);
    if (mt_failed(e) || !c->is_json) {
        return mt_failed(e) ? mt_cli_fail(c, e, wanted->path) : MT_EXIT_DONE;
    }
    mt_cli_answer_begin(&a);
    mt_json_put_text(&a.j, "file", mt_bytes_of_text(wanted->path));
    return mt_cli_answer_end(c, &a);
}

int mt_cli_task_result(struct mt_cli *c)
{
    struct mt_tasks_wanted w = {.run = mt_cli_option(c, "--run")};
    if (!mt_cli_arguments(c, 3)) {
        return MT_EXIT_USAGE;
    }
    w.output = c->argv[1];
    w.path = c->argv[2];
    return download(c, &w);
}

int mt_cli_receipt_get(struct mt_cli *c)
{
    struct mt_tasks_wanted w = {.run = mt_cli_option(c, "--run")};
    if (!mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    w.path = c->argv[1];
    return download(c, &w);
}
