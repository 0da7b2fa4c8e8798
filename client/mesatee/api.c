/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/mesatee.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesatee/entropy.h"
#include "mesatee/inspect.h"
#include "mesatee/policy_file.h"
#include "mesatee/tasks.h"

/* The public library: names, text and plain structs around what lies beside it. */

#define SAME(name_)                                                                                \
    _Static_assert((int)MESATEE_##name_ == (int)MT_EXIT_##name_, "there is one table of results")
SAME(DONE);
SAME(FAILED);
SAME(REFUSED);
SAME(NOT_GENUINE);
SAME(USAGE);
SAME(UNREACHABLE);
SAME(IO);

enum { PROSE_MAX = 1024 * 1024 };

struct mesatee {
    struct mt_home home;
    char context_name[MT_NAME_MAX + 1];
    struct mt_session s;
    struct mt_trace trace; /* of a node that could not be connected to, or of a receipt */
    bool has_trace;        /* else the connection has it */
    char subject[65];
    char why[256];
    char mend[256];
};

/* lib/crypto has one state in a process. */
static unsigned objects;

static MT_ERR enter(void)
{
    if (objects == 0) {
        MT_TRY(mt_entropy_open());
    }
    objects++;
    return MT_OK;
}

static void leave(void)
{
    if (--objects == 0) {
        mt_entropy_close();
    }
}

const char *mesatee_version(void)
{
    return MESATEE_VERSION;
}

/* Forgets what went wrong before: a complaint belongs to one call. */
static void begin(struct mesatee *m)
{
    m->why[0] = '\0';
    m->mend[0] = '\0';
    m->s.complaint.fault = NULL;
}

static int end(struct mesatee *m, mt_err e)
{
    const struct mt_complaint *k = &m->s.complaint;
    if (!mt_failed(e)) {
        return MESATEE_DONE;
    }
    bool is_explained = k->fault == e.fault;
    (void)snprintf(m->why, sizeof m->why, "%s", is_explained ? k->what : e.fault->what);
    (void)snprintf(m->mend, sizeof m->mend, "%s", is_explained ? k->mend : "");
    const struct mt_check *failed =
        m->s.client == NULL || m->s.is_connected ? NULL : mt_client_failed(m->s.client);
    if (!is_explained && failed != NULL) {
        (void)snprintf(m->mend, sizeof m->mend, "%s", failed->mend);
    }
    return (int)mt_session_exit(&m->s, e);
}

static void put_hex(char *out, mt_bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", b.ptr[i]);
    }
}

static void name_subject(struct mesatee *m)
{
    mt_hash subject;
    mt_identity_subject(m->s.context->key, &subject);
    put_hex(m->subject, mt_hash_bytes(&subject));
}

static MT_ERR open_context(struct mesatee *m, const char *home, const char *context)
{
    MT_TRY(mt_home_open(home, &m->home));
    m->s.home = &m->home;
    if (context != NULL) {
        int len = snprintf(m->context_name, sizeof m->context_name, "%s", context);
        MT_REQUIRE(len > 0 && (size_t)len < sizeof m->context_name, MT_E_ARG,
                   "a context's name has 1 to 64 letters");
        m->s.context_name = m->context_name;
    }
    return mt_session_load(&m->s);
}

static MT_ERR open_parts(struct mesatee *m, const struct mesatee_options *options)
{
    struct mt_key *k = NULL;
    const struct mt_context_options o = {.address = options->address,
                                         .policy = options->policy,
                                         .auditors = options->auditors,
                                         .cluster = options->cluster};
    MT_REQUIRE(o.address != NULL && options->identity != NULL && o.policy != NULL &&
                   o.cluster != NULL,
               MT_E_ARG, "address, identity, policy and cluster are needed");
    MT_TRY(mt_identity_read(options->identity, &k));
    m->has_trace = true;
    MT_TRY(mt_context_new(&o, k, &m->trace, &m->s.context));
    m->has_trace = false;
    return MT_OK;
}

static int open_as(const char *home, const char *context, const struct mesatee_options *options,
                   struct mesatee **out)
{
    struct mesatee *m = calloc(1, sizeof *m);
    *out = NULL;
    if (m == NULL) {
        return MESATEE_FAILED;
    }
    if (mt_failed(enter())) {
        free(m);
        return MESATEE_FAILED;
    }
    mt_err e = options == NULL ? open_context(m, home, context) : open_parts(m, options);
    if (!mt_failed(e) && m->s.context != NULL) {
        name_subject(m);
    }
    *out = m;
    return end(m, e);
}

int mesatee_open(const char *home, const char *context, struct mesatee **out)
{
    return open_as(home, context, NULL, out);
}

int mesatee_open_with(const struct mesatee_options *options, struct mesatee **out)
{
    return open_as(NULL, NULL, options, out);
}

void mesatee_close(struct mesatee *m)
{
    if (m != NULL) {
        mt_session_end(&m->s);
        free(m);
        leave();
    }
}

const char *mesatee_why(const struct mesatee *m)
{
    return m->why;
}

const char *mesatee_mend(const struct mesatee *m)
{
    return m->mend;
}

const char *mesatee_subject(const struct mesatee *m)
{
    return m->subject;
}

int mesatee_verify(struct mesatee *m)
{
    begin(m);
    m->has_trace = false;
    m->s.is_connected = false; /* appraised anew, whatever was before */
    return end(m, mt_session_connect(&m->s));
}

static MT_ERR check_age(unsigned seconds)
{
    MT_REQUIRE(seconds > 0 && seconds <= MT_RENEW_MS / 1000, MT_E_ARG,
               "a verdict is renewed after 1 to 600 seconds");
    return MT_OK;
}

int mesatee_renew_every(struct mesatee *m, unsigned seconds)
{
    begin(m);
    mt_err e = check_age(seconds);
    if (!mt_failed(e)) {
        m->s.renew_ms = (uint64_t)seconds * 1000;
    }
    return end(m, e);
}

static const struct mt_trace *trace_of(const struct mesatee *m)
{
    static const struct mt_trace nothing = {.count = 0};
    return m->has_trace ? &m->trace : m->s.client == NULL ? &nothing : mt_client_trace(m->s.client);
}

size_t mesatee_checks(const struct mesatee *m)
{
    return trace_of(m)->count;
}

struct mesatee_check mesatee_check_at(const struct mesatee *m, size_t index)
{
    const struct mt_trace *t = trace_of(m);
    if (index >= t->count) {
        return (struct mesatee_check){.rule = "", .meaning = ""};
    }
    const struct mt_check *k = &t->checks[index];
    return (struct mesatee_check){k->rule, k->meaning, k->mend, k->has_passed};
}

int mesatee_node_show(struct mesatee *m, struct mesatee_node *out)
{
    begin(m);
    mt_err e = mt_session_connect(&m->s);
    if (mt_failed(e)) {
        return end(m, e);
    }
    const struct mt_claims *k = &mt_client_appraisal(m->s.client)->claims;
    *out = (struct mesatee_node){.level = (int)k->level,
                                 .has_hardware_root = k->has_hardware_root,
                                 .has_host_in_tcb = k->has_host_in_tcb};
    put_hex(out->measurement, mt_hash_bytes(&k->measurement));
    put_hex(out->configuration, mt_hash_bytes(&k->configuration));
    put_hex(out->platform, mt_hash_bytes(&k->platform));
    put_hex(out->cluster, mt_hash_bytes(&m->s.context->cluster));
    return MESATEE_DONE;
}

int mesatee_data_put(struct mesatee *m, const char *name, const char *path)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    const struct mt_progress silent = {NULL, NULL};
    begin(m);
    return end(m, mt_transfer_put(&m->s, name, path, silent, &j));
}

static MT_ERR get_data(struct mesatee *m, const char *name, uint64_t version, const char *path)
{
    char target[128];
    char digits[33];
    mt_id id;
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    const struct mt_progress silent = {NULL, NULL};
    MT_TRY(mt_session_data(&m->s, mt_bytes_of_text(name), &id));
    if (version == 0) {
        MT_TRY(mt_session_newest(&m->s, &id, &version));
    }
    put_hex(digits, mt_id_bytes(&id));
    (void)snprintf(target, sizeof target, "/data/%s/versions/%llu/content", digits,
                   (unsigned long long)version);
    return mt_transfer_get(&m->s, &call, path, silent);
}

int mesatee_data_get(struct mesatee *m, const char *name, uint64_t version, const char *path)
{
    begin(m);
    return end(m, get_data(m, name, version, path));
}

int mesatee_data_grant(struct mesatee *m, const char *name, const char *who, const char *function)
{
    const struct mt_grant_wanted g = {.function = function};
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    begin(m);
    return end(m, mt_session_grant(&m->s, name, who, &g, &j));
}

static MT_ERR copy_id(const struct mt_json *j, const char *name, char out[33])
{
    mt_bytes text;
    MT_TRY(mt_json_text(j, name, &text));
    MT_REQUIRE(text.len == 32, MT_E_FORMAT,
               "the node names something by another id than 32 digits");
    memcpy(out, text.ptr, 32);
    out[32] = '\0';
    return MT_OK;
}

int mesatee_task_create(struct mesatee *m, const char *json, char task[33])
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    begin(m);
    mt_err e = mt_tasks_create(&m->s, mt_bytes_of_text(json), &j);
    return end(m, mt_failed(e) ? e : copy_id(j, "task", task));
}

void mesatee_task_free(struct mesatee_task *t)
{
    if (t != NULL) {
        free(t->prose);
        free(t->definition);
        free(t);
    }
}

static MT_ERR fill_task(struct mesatee *m, const struct mt_tasks_view *v, struct mesatee_task *t)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(PROSE_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    mt_bytes text;
    mt_tasks_prose(&m->s, v, &w);
    mt_write_u8(&w, 0);
    MT_TRY(mt_write_end(&w, &text));
    t->prose = malloc(text.len);
    t->definition = malloc(v->definition.len);
    MT_REQUIRE(t->prose != NULL && t->definition != NULL, MT_E_NOMEM, "no memory for a task");
    memcpy(t->prose, text.ptr, text.len);
    memcpy(t->definition, v->definition.ptr, v->definition.len);
    t->definition_len = v->definition.len;
    put_hex(t->digest, mt_hash_bytes(&v->digest));
    return MT_OK;
}

int mesatee_task_show(struct mesatee *m, const char *task, struct mesatee_task **out)
{
    MT_DEFER(mt_tasks_view_free) struct mt_tasks_view *v = NULL;
    begin(m);
    mt_err e = mt_tasks_fetch(&m->s, task, 0, &v);
    if (mt_failed(e)) {
        return end(m, e);
    }
    struct mesatee_task *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return MESATEE_FAILED;
    }
    e = fill_task(m, v, t);
    if (mt_failed(e)) {
        mesatee_task_free(t);
        return end(m, e);
    }
    *out = t;
    return MESATEE_DONE;
}

static MT_ERR approve(struct mesatee *m, const char *task, const char *digest)
{
    MT_DEFER(mt_tasks_view_free) struct mt_tasks_view *v = NULL;
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    mt_hash wanted;
    mt_err e = mt_hex_parse(mt_bytes_of_text(digest), (mt_span){wanted.b, sizeof wanted.b});
    MT_REQUIRE(!mt_failed(e), MT_E_ARG, "a digest has 64 lower-case digits");
    MT_TRY(mt_tasks_fetch(&m->s, task, 0, &v));
    return mt_tasks_approve(&m->s, v, &wanted, &j);
}

int mesatee_task_approve(struct mesatee *m, const char *task, const char *digest)
{
    begin(m);
    return end(m, approve(m, task, digest));
}

static MT_ERR run_task(struct mesatee *m, const char *task, char run[33])
{
    MT_DEFER(mt_json_free) struct mt_json *started = NULL;
    MT_DEFER(mt_json_free) struct mt_json *over = NULL;
    const struct mt_progress silent = {NULL, NULL};
    mt_bytes state;
    MT_TRY(mt_tasks_run(&m->s, task, &started));
    MT_TRY(copy_id(started, "run", run));
    MT_TRY(mt_tasks_wait(&m->s, task, mt_bytes_of_text(run), silent, &over));
    MT_TRY(mt_json_text(over, "state", &state));
    MT_REQUIRE(mt_bytes_equal(state, MT_LITERAL("done")), MT_E_CONFLICT,
               "the run ended without results: mesatee task show says why");
    return MT_OK;
}

int mesatee_task_run(struct mesatee *m, const char *task, char run[33])
{
    begin(m);
    return end(m, run_task(m, task, run));
}

static MT_ERR download(struct mesatee *m, const char *task, const struct mt_tasks_wanted *wanted)
{
    MT_DEFER(mt_tasks_view_free) struct mt_tasks_view *v = NULL;
    MT_TRY(mt_tasks_fetch(&m->s, task, 0, &v));
    return mt_tasks_download(&m->s, v, wanted);
}

int mesatee_task_result(struct mesatee *m, const char *task, const char *run, const char *output,
                        const char *path)
{
    const struct mt_tasks_wanted w = {.run = run, .output = output, .path = path};
    begin(m);
    return end(m, download(m, task, &w));
}

int mesatee_receipt_get(struct mesatee *m, const char *task, const char *run, const char *path)
{
    const struct mt_tasks_wanted w = {.run = run, .path = path};
    begin(m);
    return end(m, download(m, task, &w));
}

/* By now, by our policy; its chain of checks is the last one. */
static MT_ERR inspect(struct mesatee *m, const char *path, struct mt_inspected **out)
{
    MT_TRY(mt_session_load(&m->s));
    const struct mt_inspect_options o = {.context = m->s.context, .now_ms = mt_now_ms()};
    mt_err e = mt_inspect_receipt(path, &o, out);
    m->has_trace = *out != NULL;
    if (*out != NULL) {
        m->trace = (*out)->trace;
    }
    return e;
}

int mesatee_receipt_verify(struct mesatee *m, const char *path, struct mesatee_receipt *out)
{
    MT_DEFER(mt_inspected_free) struct mt_inspected *x = NULL;
    begin(m);
    mt_err e = inspect(m, path, &x);
    if (mt_failed(e)) {
        return end(m, e);
    }
    const struct mt_run_receipt *r = &x->run;
    *out = (struct mesatee_receipt){.number = r->claim.number,
                                    .transaction = r->receipt.entry.txid,
                                    .ledger_size = r->facts.header.tree_size,
                                    .recovery_epoch = r->facts.header.recovery_epoch,
                                    .level = (int)r->claim.level,
                                    .is_oblivious = r->claim.is_oblivious,
                                    .are_limits_enforced = r->claim.are_limits_enforced};
    put_hex(out->task, mt_id_bytes(&r->task.nonce));
    put_hex(out->digest, mt_hash_bytes(&r->digest));
    put_hex(out->run, mt_id_bytes(&r->claim.run));
    put_hex(out->cluster, mt_hash_bytes(&r->facts.header.cluster));
    return MESATEE_DONE;
}

int mesatee_receipt_compare(struct mesatee *m, const char *path, const char *other_path)
{
    MT_DEFER(mt_inspected_free) struct mt_inspected *a = NULL;
    MT_DEFER(mt_inspected_free) struct mt_inspected *b = NULL;
    begin(m);
    mt_err e = inspect(m, path, &a);
    e = mt_failed(e) ? e : inspect(m, other_path, &b);
    return end(m, mt_failed(e) ? e : mt_run_receipts_agree(&a->run, &b->run));
}
