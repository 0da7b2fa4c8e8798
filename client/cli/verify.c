/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "cli/evidence.h"

/* verify: a node from its evidence to its administrators, or a file. */

enum { USERS_MAX = 100000, NAMES_MAX = 16 };

struct administrators {
    struct mt_hash_and_name {
        mt_hash subject;
        char name[80];
    } list[NAMES_MAX];
    size_t count;
    bool are_told;
};

static bool is_admin(const struct mt_json *user)
{
    mt_bytes role;
    bool is_revoked = false;
    (void)mt_failed(mt_json_bool(user, "revoked", &is_revoked));
    return !is_revoked && !mt_failed(mt_json_text(user, "role", &role)) &&
           mt_bytes_equal(role, MT_LITERAL("admin"));
}

/* Who may add people there: told by the node that was just verified, over its channel. */
static void find_administrators(struct mt_cli *c, struct mt_trace *t, struct administrators *out)
{
    static const struct mt_call call = {.method = MT_HTTP_GET, .target = "/users"};
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    const struct mt_json *users = NULL;
    size_t count = 0;
    mt_err e = mt_session_request(&c->s, &call, &j);
    e = mt_failed(e) ? e : mt_json_array(j, "users", USERS_MAX, &users, &count);
    for (size_t i = 0; !mt_failed(e) && i < count && out->count < NAMES_MAX; i++) {
        struct mt_hash_and_name *a = &out->list[out->count];
        const struct mt_json *u = mt_json_at(users, i);
        if (is_admin(u) && !mt_failed(mt_json_hex(u, "subject", (mt_span){a->subject.b, 32}))) {
            mt_session_name(&c->s, &a->subject, a->name);
            out->count++;
        }
    }
    out->are_told = !mt_failed(e);
    (void)mt_cli_report_note(
        t, (struct mt_check){"administrator-known", out->are_told,
                             "the node names its administrators to you",
                             "it does not know you: have an administrator add you (mesatee user "
                             "add); whom the operator made the first one is in the configuration, "
                             "which is measured"});
}

/* README.md says it at length. */
static const char *meaning_of(const struct mt_claims *k)
{
    if (!k->has_hardware_root) {
        return "software measured itself. Protects from the network, other users and a stolen\n"
               "disk; not from root, hypervisor or operator of that machine.";
    }
    return k->has_host_in_tcb
               ? "a TPM signed what has started. Protects from a changed boot and an old\n"
                 "disk, too; not from the operator, nor from whoever touches the machine."
               : "the processor signed what runs. Protects from hypervisor and operator, too; not\n"
                 "from physical attacks on the processor.";
}

static void print_claims(const struct mt_cli *c, const struct mt_claims *k,
                         const struct administrators *who)
{
    const struct {
        const char *title;
        const mt_hash *hash;
    } rows[] = {{"measurement  ", &k->measurement},
                {"configuration", &k->configuration},
                {"kernel       ", &k->kernel},
                {"platform     ", &k->platform},
                {"channel key  ", mt_client_node(c->s.client)},
                {"cluster      ", &c->s.context->cluster}};
    (void)printf("level %u, hardware_root=%s, host_in_tcb=%s: %s\n", (unsigned)k->level,
                 k->has_hardware_root ? "true" : "false", k->has_host_in_tcb ? "true" : "false",
                 meaning_of(k));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)printf("%s ", rows[i].title);
        mt_cli_print_hex(stdout, mt_hash_bytes(rows[i].hash));
        (void)putchar('\n');
    }
    if (who->are_told && who->count == 0) {
        (void)puts("administrator the one that the configuration names, who has not acted yet");
    }
    for (size_t i = 0; i < who->count; i++) {
        (void)fputs("administrator ", stdout);
        mt_cli_print_hex(stdout, mt_hash_bytes(&who->list[i].subject));
        (void)printf(" %s\n", who->list[i].name);
    }
}

static int report_json(const struct mt_cli *c, const struct mt_claims *k, const struct mt_trace *t,
                       const struct administrators *who, mt_err e)
{
    struct mt_cli_answer a;
    mt_cli_answer_begin(&a);
    mt_json_put_bool(&a.j, "genuine", !mt_failed(e) || mt_exit_of(e) == MT_EXIT_REFUSED);
    mt_json_put_bool(&a.j, "accepted", !mt_failed(e));
    mt_json_put_uint(&a.j, "level", (uint64_t)k->level);
    mt_json_put_bool(&a.j, "hardware_root", k->has_hardware_root);
    mt_json_put_bool(&a.j, "host_in_tcb", k->has_host_in_tcb);
    mt_json_put_hex(&a.j, "measurement", mt_hash_bytes(&k->measurement));
    mt_json_put_hex(&a.j, "configuration", mt_hash_bytes(&k->configuration));
    mt_json_put_hex(&a.j, "platform", mt_hash_bytes(&k->platform));
    mt_json_begin_array(&a.j, "administrators");
    for (size_t i = 0; i < who->count; i++) {
        mt_json_put_hex(&a.j, NULL, mt_hash_bytes(&who->list[i].subject));
    }
    mt_json_end_array(&a.j);
    mt_cli_report_checks(&a.j, t);
    int rc = mt_cli_answer_end(c, &a);
    return mt_failed(e) ? (int)mt_exit_of(e) : rc;
}

static int verify_node(struct mt_cli *c, bool is_long)
{
    static struct administrators who;
    static struct mt_trace t;
    const char *address = c->s.context->address;
    mt_err e = mt_session_connect(&c->s);
    if (mt_failed(e) && (mt_exit_of(e) == MT_EXIT_UNREACHABLE || c->s.client == NULL)) {
        return mt_cli_fail(c, e, address);
    }
    const struct mt_claims *claims = &mt_client_appraisal(c->s.client)->claims;
    t = *mt_client_trace(c->s.client);
    if (!mt_failed(e)) {
        find_administrators(c, &t, &who);
    }
    if (c->is_json) {
        return report_json(c, claims, &t, &who, e);
    }
    if (is_long) {
        mt_cli_report_trace(stdout, &t, true);
    }
    if (mt_failed(e)) {
        return is_long ? mt_cli_fail(c, e, address) : mt_cli_fail_trace(c, e, address, &t);
    }
    print_claims(c, claims, &who);
    (void)puts("The node is what your policy trusts.");
    return MT_EXIT_DONE;
}

static int verify_file(struct mt_cli *c, const char *path, bool is_long, const char *report_data)
{
    MT_DEFER(mt_inspected_free) struct mt_inspected *x = NULL;
    uint8_t expected[MT_REPORT_DATA_LEN];
    struct mt_inspect_options o = {.context = c->s.context, .now_ms = mt_now_ms()};
    if (report_data != NULL) {
        if (mt_failed(mt_hex_parse(mt_bytes_of_text(report_data),
                                   (mt_span){expected, sizeof expected}))) {
            return MT_EXIT_USAGE;
        }
        o.report_data = expected;
    }
    mt_err e = mt_inspect(path, &o, &x);
    return x == NULL ? mt_cli_fail(c, e, path) : mt_cli_report_file(c, path, x, e, is_long);
}

static bool is_context(const struct mt_cli *c, const char *name)
{
    char path[MT_PATH_MAX];
    struct stat st;
    return !mt_failed(mt_home_path(&c->home, "contexts", name, ".json", path)) &&
           stat(path, &st) == 0;
}

/* A context by its name, a file that is there, else HOST:PORT. */
int mt_cli_verify(struct mt_cli *c)
{
    struct stat st;
    struct mt_evidence_words words;
    bool is_long = mt_cli_flag(c, "--explain");
    mt_cli_evidence_words(c, &words);
    const char *report_data = words.report_data;
    if (!mt_cli_arguments(c, c->argc == 1 ? 1 : 0)) {
        return MT_EXIT_USAGE;
    }
    const char *target = c->argc == 1 ? c->argv[0] : NULL;
    bool is_named = target != NULL && is_context(c, target);
    if (target != NULL && !is_named && mt_cli_is_evidence(target, &words)) {
        return mt_cli_verify_evidence(c, target, &words, is_long);
    }
    c->s.context_name = is_named ? target : c->s.context_name;
    mt_err e = mt_session_load(&c->s);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "context");
    }
    bool is_file =
        target != NULL && !is_named && (stat(target, &st) == 0 || strchr(target, ':') == NULL);
    if (is_file) {
        return verify_file(c, target, is_long, report_data);
    }
    if (report_data != NULL) {
        return MT_EXIT_USAGE;
    }
    if (target != NULL && !is_named) {
        (void)snprintf(c->s.context->address, sizeof c->s.context->address, "%s", target);
        c->s.home = NULL; /* the context stays as it is */
    }
    return verify_node(c, is_long);
}
