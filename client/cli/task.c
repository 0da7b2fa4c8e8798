/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "mesatee/statement.h"

/* function, task. */

enum { TARGET_MAX = 256, DAY_MS = 24 * 60 * 60 * 1000, TASK_FILE_MAX = 64 * 1024 };

int mt_cli_function_list(struct mt_cli *c)
{
    return mt_cli_arguments(c, 0) ? mt_cli_show(c, MT_HTTP_GET, "/functions", (mt_bytes){NULL, 0})
                                  : MT_EXIT_USAGE;
}

int mt_cli_function_show(struct mt_cli *c)
{
    char target[TARGET_MAX];
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    (void)snprintf(target, sizeof target, "/functions/%.64s", c->argv[0]);
    return mt_cli_show(c, MT_HTTP_GET, target, (mt_bytes){NULL, 0});
}

static bool is_task(const char *text)
{
    mt_id id;
    return strlen(text) == 32 &&
           !mt_failed(mt_hex_parse(mt_bytes_of_text(text), (mt_span){id.b, sizeof id.b}));
}

static int on_task(struct mt_cli *c, enum mt_http_method method, const char *after, mt_bytes body)
{
    char target[TARGET_MAX];
    if (!mt_cli_arguments(c, 1) || !is_task(c->argv[0])) {
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
    return mt_failed(e) ? MT_EXIT_USAGE : on_task(c, MT_HTTP_POST, "/rejections", body);
}

int mt_cli_task_cancel(struct mt_cli *c)
{
    char after[64] = "";
    const char *run = mt_cli_option(c, "--run");
    if (run != NULL) {
        (void)snprintf(after, sizeof after, "/runs/%.32s", run);
    }
    return on_task(c, MT_HTTP_DELETE, after, (mt_bytes){NULL, 0});
}

/* ---- create: names become ids, what is left out gets a default */

static int put_inputs(struct mt_cli *c, const struct mt_json *file, struct mt_json_writer *j)
{
    const struct mt_json *list = NULL;
    size_t count = 0;
    mt_err e = mt_json_array(file, "inputs", MT_TASK_PARTIES_MAX, &list, &count);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "inputs");
    }
    mt_json_begin_array(j, "inputs");
    for (size_t i = 0; i < count; i++) {
        mt_bytes name;
        mt_bytes data;
        mt_id id;
        uint64_t version = 0;
        const struct mt_json *in = mt_json_at(list, i);
        e = mt_json_text(in, "name", &name);
        e = mt_failed(e) ? e : mt_json_text(in, "data", &data);
        if (!mt_failed(e) && mt_json_has(in, "version")) {
            e = mt_json_uint(in, "version", UINT32_MAX, &version);
        }
        if (mt_failed(e)) {
            return mt_cli_fail(c, e, "inputs");
        }
        int rc = mt_cli_data(c, data, &id);
        if (rc == MT_EXIT_DONE && version == 0) {
            rc = mt_cli_newest_version(c, &id, &version); /* and it is pinned */
        }
        if (rc != MT_EXIT_DONE) {
            return rc;
        }
        mt_json_begin_object(j, NULL);
        mt_json_put_hex(j, "data", mt_id_bytes(&id));
        mt_json_put_text(j, "name", name);
        mt_json_put_uint(j, "version", version);
        mt_json_end_object(j);
    }
    mt_json_end_array(j);
    return MT_EXIT_DONE;
}

static int put_receivers(struct mt_cli *c, const struct mt_json *output, struct mt_json_writer *j)
{
    const struct mt_json *list = NULL;
    size_t count = 0;
    mt_err e = mt_json_array(output, "receivers", MT_TASK_PARTIES_MAX, &list, &count);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "receivers");
    }
    mt_json_begin_array(j, "receivers");
    for (size_t i = 0; i < count; i++) {
        mt_bytes who;
        mt_hash h;
        e = mt_json_as_text(mt_json_at(list, i), &who);
        if (mt_failed(e)) {
            return mt_cli_fail(c, e, "receivers");
        }
        int rc = mt_cli_subject(c, who, &h);
        if (rc != MT_EXIT_DONE) {
            return rc;
        }
        mt_json_put_hex(j, NULL, mt_hash_bytes(&h));
    }
    mt_json_end_array(j);
    return MT_EXIT_DONE;
}

static int put_outputs(struct mt_cli *c, const struct mt_json *file, struct mt_json_writer *j)
{
    const struct mt_json *list = NULL;
    size_t count = 0;
    mt_err e = mt_json_array(file, "outputs", MT_TASK_PARTIES_MAX, &list, &count);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "outputs");
    }
    mt_json_begin_array(j, "outputs");
    for (size_t i = 0; i < count; i++) {
        mt_bytes name;
        e = mt_json_text(mt_json_at(list, i), "name", &name);
        if (mt_failed(e)) {
            return mt_cli_fail(c, e, "outputs");
        }
        mt_json_begin_object(j, NULL);
        mt_json_put_text(j, "name", name);
        int rc = put_receivers(c, mt_json_at(list, i), j);
        if (rc != MT_EXIT_DONE) {
            return rc;
        }
        mt_json_end_object(j);
    }
    mt_json_end_array(j);
    return MT_EXIT_DONE;
}

static void put_or(const struct mt_json *file, const char *name, uint64_t otherwise,
                   struct mt_json_writer *j)
{
    const struct mt_json *given = mt_json_get(file, name);
    if (given != NULL) {
        mt_json_put_node(j, name, given);
    } else {
        mt_json_put_uint(j, name, otherwise);
    }
}

static void put_limits(const struct mt_json *file, struct mt_json_writer *j)
{
    enum { MINUTE_MS = 60 * 1000 };
    const struct mt_json *given = mt_json_get(file, "limits");
    if (given != NULL) {
        mt_json_put_node(j, "limits", given);
        return;
    }
    mt_json_begin_object(j, "limits");
    mt_json_put_uint(j, "memory_bytes", (uint64_t)4 << 30);
    mt_json_put_uint(j, "time_ms", (uint64_t)10 * MINUTE_MS);
    mt_json_end_object(j);
}

static int put_task(struct mt_cli *c, const struct mt_json *file, struct mt_json_writer *j)
{
    uint64_t now = mt_cli_now_ms();
    const struct mt_json *function = mt_json_get(file, "function");
    const struct mt_json *arguments = mt_json_get(file, "arguments");
    if (function == NULL || arguments == NULL) {
        (void)fputs("mesatee: a task file has function, arguments, inputs and outputs\n  mend: see "
                    "docs/tutorial.md\n",
                    stderr);
        return MT_EXIT_USAGE;
    }
    mt_json_begin_object(j, NULL);
    mt_json_put_node(j, "arguments", arguments);
    mt_json_put_node(j, "function", function);
    int rc = put_inputs(c, file, j);
    rc = rc == MT_EXIT_DONE ? put_outputs(c, file, j) : rc;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    put_limits(file, j);
    put_or(file, "minimum_level", 2, j);
    put_or(file, "not_after_ms", now + 7 * (uint64_t)DAY_MS, j);
    put_or(file, "not_before_ms", 0, j);
    mt_json_put_hex(j, "policy", mt_hash_bytes(&c->context->policy->hash));
    put_or(file, "runs", 1, j);
    mt_json_end_object(j);
    return MT_EXIT_DONE;
}

int mt_cli_task_create(struct mt_cli *c)
{
    static const char *const fields[] = {
        "function",      "arguments",     "inputs",       "outputs", "limits",
        "minimum_level", "not_before_ms", "not_after_ms", "runs",    NULL};
    MT_DEFER(mt_json_free) struct mt_json *file = NULL;
    MT_DEFER(mt_json_free) struct mt_json *answer = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(0);
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(TASK_FILE_MAX);
    struct mt_text_place place = {0};
    struct mt_writer w = mt_writer_onto(&room);
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_bytes body = {0};
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_file_load(c->argv[0], TASK_FILE_MAX, &text);
    if (!mt_failed(e)) {
        e = mt_json_parse(mt_buf_bytes(&text), &file, &place);
        if (mt_failed(e)) {
            (void)fprintf(stderr, "mesatee: %s:%u:%u: %s\n", c->argv[0], place.line, place.column,
                          e.fault->what);
            return MT_EXIT_FAILED;
        }
        e = mt_json_known(file, fields);
    }
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    int rc = mt_cli_connect(c);
    rc = rc == MT_EXIT_DONE ? put_task(c, file, &j) : rc;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    e = mt_write_end(&w, &body);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "task");
    }
    rc = mt_cli_request(c, MT_HTTP_POST, "/tasks", body, &answer);
    if (rc == MT_EXIT_DONE) {
        mt_cli_print(c, answer);
    }
    return rc;
}

/* ---- show, approve: from the definition's bytes alone, never from what the node says about them
 */

struct loaded_task {
    struct mt_json *json;
    struct mt_json *run; /* one that was asked for by its id */
    struct mt_buf definition;
    struct mt_task task;
    mt_hash digest;
};

static void free_loaded(struct loaded_task **t)
{
    if (*t != NULL) {
        mt_json_free(&(*t)->json);
        mt_json_free(&(*t)->run);
        mt_buf_free(&(*t)->definition);
        free(*t);
        *t = NULL;
    }
}

static MT_ERR parse_loaded(const struct mt_cli *c, struct loaded_task *t)
{
    mt_bytes hex;
    mt_span room;
    mt_hash said;
    MT_TRY(mt_json_text(t->json, "definition", &hex));
    MT_TRY(mt_buf_reserve(&t->definition, hex.len / 2, &room));
    MT_TRY(mt_hex_parse(hex, room));
    t->definition.len = room.len;
    MT_TRY(mt_task_parse(mt_buf_bytes(&t->definition), &t->task));
    mt_task_digest_of(mt_buf_bytes(&t->definition), &t->digest);
    MT_TRY(mt_json_hex(t->json, "digest", (mt_span){said.b, sizeof said.b}));
    MT_REQUIRE(mt_hash_equal(&said, &t->digest), MT_E_PROOF,
               "task-digest: the node names another digest than the definition has");
    MT_REQUIRE(mt_hash_equal(&t->task.cluster, &c->context->cluster), MT_E_PROOF,
               "task-cluster: the definition is for another cluster");
    return MT_OK;
}

/* `query`: what to ask of it, or "". */
static int load_task(struct mt_cli *c, const char *id, const char *query, struct loaded_task **out)
{
    char target[TARGET_MAX];
    struct loaded_task *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return MT_EXIT_FAILED;
    }
    t->definition = mt_buf_of_max(TASK_FILE_MAX);
    *out = t;
    (void)snprintf(target, sizeof target, "/tasks/%s%s", id, query);
    int rc = mt_cli_request(c, MT_HTTP_GET, target, (mt_bytes){NULL, 0}, &t->json);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = parse_loaded(c, t);
    return mt_failed(e) ? mt_cli_fail(c, e, id) : MT_EXIT_DONE;
}

static void print_prose(struct mt_cli *c, const struct mt_task *t)
{
    char who[80];
    (void)printf("Function  %.*s, version %llu, digest ", (int)t->function.len,
                 (const char *)t->function.ptr, (unsigned long long)t->function_version);
    mt_cli_print_hex(stdout, mt_hash_bytes(&t->function_digest));
    (void)printf("\nArguments %.*s\n", (int)t->arguments.len, (const char *)t->arguments.ptr);
    for (size_t i = 0; i < t->inputs_count; i++) {
        const struct mt_task_input *in = &t->inputs[i];
        mt_cli_subject_name(c, &in->owner, who);
        (void)printf("Input     %.*s: version %llu of data ", (int)in->name.len,
                     (const char *)in->name.ptr, (unsigned long long)in->version);
        mt_cli_print_hex(stdout, mt_id_bytes(&in->data));
        (void)printf(", %llu bytes, owned by %s, commitment ", (unsigned long long)in->size_bytes,
                     who);
        mt_cli_print_hex(stdout, mt_hash_bytes(&in->commitment));
        (void)putchar('\n');
    }
    for (size_t i = 0; i < t->outputs_count; i++) {
        (void)printf("Output    %.*s, readable by", (int)t->outputs[i].name.len,
                     (const char *)t->outputs[i].name.ptr);
        for (size_t k = 0; k < t->outputs[i].receivers_count; k++) {
            mt_cli_subject_name(c, &t->outputs[i].receivers[k], who);
            (void)printf("%s %s", k > 0 ? "," : "", who);
        }
        (void)fputs(" and nobody else\n", stdout);
    }
    (void)printf(
        "Limits    %llu ms, %llu bytes of memory; level %llu at least; at most %llu runs\n",
        (unsigned long long)t->time_ms, (unsigned long long)t->memory_bytes,
        (unsigned long long)t->minimum_level, (unsigned long long)t->runs);
    (void)printf("Time      not before %llu, not after %llu (milliseconds since 1970)\n",
                 (unsigned long long)t->not_before_ms, (unsigned long long)t->not_after_ms);
    (void)fputs("Policy    ", stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(&t->policy));
    (void)puts(mt_hash_equal(&t->policy, &c->context->policy->hash) ? " (yours)" : " (NOT yours)");
}

int mt_cli_task_show(struct mt_cli *c)
{
    MT_DEFER(free_loaded) struct loaded_task *t = NULL;
    mt_bytes state = {NULL, 0};
    const struct mt_json *approvals = NULL;
    size_t count = 0;
    char query[64] = "";
    const char *before = mt_cli_option(c, "--before");
    if (before != NULL) {
        (void)snprintf(query, sizeof query, "?before=%.20s", before);
    }
    if (!mt_cli_arguments(c, 1) || !is_task(c->argv[0])) {
        return MT_EXIT_USAGE;
    }
    int rc = load_task(c, c->argv[0], "", &t);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    if (c->is_json) {
        mt_cli_print(c, t->json);
        return MT_EXIT_DONE;
    }
    print_prose(c, &t->task);
    (void)mt_failed(mt_json_text(t->json, "state", &state));
    (void)printf("State     %.*s", (int)state.len, (const char *)state.ptr);
    if (!mt_failed(mt_json_array(t->json, "approvals", MT_TASK_PARTIES_MAX, &approvals, &count))) {
        for (size_t i = 0; i < count; i++) {
            mt_hash h;
            mt_bytes s;
            char who[80];
            if (!mt_failed(
                    mt_json_hex(mt_json_at(approvals, i), "subject", (mt_span){h.b, sizeof h.b})) &&
                !mt_failed(mt_json_text(mt_json_at(approvals, i), "state", &s))) {
                mt_cli_subject_name(c, &h, who);
                (void)printf("; %s: %.*s", who, (int)s.len, (const char *)s.ptr);
            }
        }
    }
    (void)fputs(
        "\nLimits enforced against a rolled-back disk: no\n\nWhat is signed, the digest:\n  ",
        stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(&t->digest));
    (void)fputs("\nof these bytes:\n  ", stdout);
    mt_cli_print_hex(stdout, mt_buf_bytes(&t->definition));
    (void)putchar('\n');
    return MT_EXIT_DONE;
}

static MT_ERR approval_body(const struct mt_cli *c, const struct loaded_task *t,
                            struct mt_buf *room, mt_bytes *body)
{
    uint8_t statement[512];
    mt_bytes bytes;
    struct mt_writer s = mt_writer_over((mt_span){statement, sizeof statement});
    struct mt_writer w = mt_writer_onto(room);
    struct mt_json_writer j = mt_json_writer_over(&w);
    MT_TRY(mt_approval_write(&s, c->context->key, &t->digest));
    MT_TRY(mt_write_end(&s, &bytes));
    mt_json_begin_object(&j, NULL);
    mt_json_put_hex(&j, "statement", bytes);
    mt_json_end_object(&j);
    return mt_write_end(&w, body);
}

int mt_cli_task_approve(struct mt_cli *c)
{
    MT_DEFER(free_loaded) struct loaded_task *t = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    const char *digest = mt_cli_option(c, "--digest");
    mt_hash wanted;
    mt_bytes body = {0};
    if (!mt_cli_arguments(c, 1) || !is_task(c->argv[0])) {
        return MT_EXIT_USAGE;
    }
    int rc = load_task(c, c->argv[0], "", &t);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    if (digest != NULL &&
        (mt_failed(mt_hex_parse(mt_bytes_of_text(digest), (mt_span){wanted.b, sizeof wanted.b})) ||
         !mt_hash_equal(&wanted, &t->digest))) {
        (void)fputs("mesatee: task-changed: the task's digest is not the one that you named; "
                    "nothing was signed\n  mend: mesatee task show\n",
                    stderr);
        return MT_EXIT_REFUSED;
    }
    if (!mt_hash_equal(&t->task.policy, &c->context->policy->hash)) {
        (void)fputs(
            "mesatee: task-policy: the task goes by another appraisal policy than your context; "
            "nothing was signed\n  mend: agree on one policy, and use it in your context\n",
            stderr);
        return MT_EXIT_REFUSED;
    }
    mt_err e = approval_body(c, t, &room, &body);
    return mt_failed(e) ? mt_cli_fail(c, e, "approve")
                        : on_task(c, MT_HTTP_POST, "/approvals", body);
}

/* ---- run, watch, result */

static int wait_for_run(struct mt_cli *c, const char *target)
{
    enum { FIRST_US = 2000, MOST_US = 100000 };
    useconds_t pause = FIRST_US;
    for (;;) {
        MT_DEFER(mt_json_free) struct mt_json *j = NULL;
        mt_bytes state;
        int rc = mt_cli_request(c, MT_HTTP_GET, target, (mt_bytes){NULL, 0}, &j);
        if (rc != MT_EXIT_DONE) {
            return rc;
        }
        if (mt_failed(mt_json_text(j, "state", &state))) {
            return MT_EXIT_FAILED;
        }
        bool is_over = !mt_bytes_equal(state, MT_LITERAL("queued")) &&
                       !mt_bytes_equal(state, MT_LITERAL("running"));
        if (is_over) {
            mt_cli_print(c, j);
            return mt_bytes_equal(state, MT_LITERAL("done")) ? MT_EXIT_DONE : MT_EXIT_FAILED;
        }
        (void)usleep(pause);
        pause = pause * 2 < MOST_US ? pause * 2 : MOST_US;
    }
}

int mt_cli_task_run(struct mt_cli *c)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    char target[TARGET_MAX];
    mt_bytes run;
    bool is_patient = !mt_cli_flag(c, "--no-wait");
    if (!mt_cli_arguments(c, 1) || !is_task(c->argv[0])) {
        return MT_EXIT_USAGE;
    }
    (void)snprintf(target, sizeof target, "/tasks/%s/runs", c->argv[0]);
    int rc = mt_cli_request(c, MT_HTTP_POST, target, MT_LITERAL("{}"), &j);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    if (!is_patient || mt_failed(mt_json_text(j, "run", &run))) {
        mt_cli_print(c, j);
        return MT_EXIT_DONE;
    }
    (void)snprintf(target, sizeof target, "/tasks/%s/runs/%.*s", c->argv[0], (int)run.len,
                   (const char *)run.ptr);
    return wait_for_run(c, target);
}

int mt_cli_task_watch(struct mt_cli *c)
{
    char target[TARGET_MAX];
    struct mt_answer a;
    MT_DEFER(mt_buf_free) struct mt_buf data = mt_buf_of_max(65536);
    const char *after = mt_cli_option(c, "--after");
    if (!mt_cli_arguments(c, 1) || !is_task(c->argv[0])) {
        return MT_EXIT_USAGE;
    }
    (void)snprintf(target, sizeof target, "/tasks/%s/events?after=%.20s", c->argv[0],
                   after == NULL ? "0" : after);
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    mt_err e = mt_client_call(c->client, &call, &a);
    if (!mt_failed(e) && a.status >= 400) {
        rc = mt_cli_refused(c, &a);
    }
    mt_buf_free(&a.body);
    while (!mt_failed(e) && rc == MT_EXIT_DONE) {
        uint64_t txid = 0;
        e = mt_client_next_event(c->client, &data, &txid);
        if (!mt_failed(e)) {
            (void)printf("%llu %.*s\n", (unsigned long long)txid, (int)data.len,
                         (const char *)data.ptr);
            (void)fflush(stdout);
        }
    }
    return mt_failed(e) ? mt_cli_fail(c, e, "watch") : rc;
}

/* The newest that is done: its JSON lies in the task's. */
static const struct mt_json *newest_done(const struct mt_json *task)
{
    const struct mt_json *runs = NULL;
    const struct mt_json *found = NULL;
    size_t count = 0;
    if (mt_failed(mt_json_array(task, "runs", 1000000, &runs, &count))) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        mt_bytes state;
        const struct mt_json *r = mt_json_at(runs, i);
        if (mt_failed(mt_json_text(r, "state", &state))) {
            return NULL;
        }
        found = mt_bytes_equal(state, MT_LITERAL("done")) ? r : found;
    }
    return found;
}

/* The run that is named, however old, or else the newest that is done. */
static int find_run(struct mt_cli *c, struct loaded_task *t, const char *run,
                    const struct mt_json **out)
{
    char target[TARGET_MAX];
    if (run != NULL) {
        (void)snprintf(target, sizeof target, "/tasks/%s/runs/%.32s", c->argv[0], run);
        int rc = mt_cli_request(c, MT_HTTP_GET, target, (mt_bytes){NULL, 0}, &t->run);
        *out = t->run;
        return rc;
    }
    *out = newest_done(t->json);
    if (*out == NULL) {
        (void)fputs("mesatee: the task has no run that is done\n  mend: mesatee task run\n",
                    stderr);
        return MT_EXIT_FAILED;
    }
    return MT_EXIT_DONE;
}

static MT_ERR result_of(const struct mt_json *run, mt_bytes output, mt_bytes *out)
{
    const struct mt_json *results = NULL;
    size_t count = 0;
    MT_TRY(mt_json_array(run, "results", MT_TASK_PARTIES_MAX, &results, &count));
    for (size_t i = 0; i < count; i++) {
        mt_bytes name;
        MT_TRY(mt_json_text(mt_json_at(results, i), "output", &name));
        if (mt_bytes_equal(name, output)) {
            return mt_json_text(mt_json_at(results, i), "result", out);
        }
    }
    MT_FAIL(MT_E_NOTFOUND, "the run has no output of this name");
}

int mt_cli_task_result(struct mt_cli *c)
{
    MT_DEFER(free_loaded) struct loaded_task *t = NULL;
    const char *run = mt_cli_option(c, "--run");
    char target[TARGET_MAX];
    mt_bytes result = {0};
    if (!mt_cli_arguments(c, 3) || !is_task(c->argv[0])) {
        return MT_EXIT_USAGE;
    }
    const struct mt_json *r = NULL;
    int rc = load_task(c, c->argv[0], "", &t);
    rc = rc == MT_EXIT_DONE ? find_run(c, t, run, &r) : rc;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = result_of(r, mt_bytes_of_text(c->argv[1]), &result);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[1]);
    }
    (void)snprintf(target, sizeof target, "/results/%.*s", (int)result.len,
                   (const char *)result.ptr);
    return mt_cli_download(c, target, c->argv[2]);
}

int mt_cli_receipt_get(struct mt_cli *c)
{
    MT_DEFER(free_loaded) struct loaded_task *t = NULL;
    const char *run = mt_cli_option(c, "--run");
    char target[TARGET_MAX];
    mt_bytes id = {NULL, 0};
    if (!mt_cli_arguments(c, 2) || !is_task(c->argv[0])) {
        return MT_EXIT_USAGE;
    }
    const struct mt_json *r = NULL;
    int rc = load_task(c, c->argv[0], "", &t);
    rc = rc == MT_EXIT_DONE ? find_run(c, t, run, &r) : rc;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_json_text(r, "run", &id);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "run");
    }
    (void)snprintf(target, sizeof target, "/tasks/%s/runs/%.*s/receipt", c->argv[0], (int)id.len,
                   (const char *)id.ptr);
    return mt_cli_download(c, target, c->argv[1]);
}
