/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "mesatee/policy_file.h"

/* identity, context, user, policy: who we are, where, and what we trust. */

static void print_identity(const struct mt_cli *c, const char *name, const struct mt_key *k)
{
    mt_hash subject;
    mt_identity_subject(k, &subject);
    if (c->is_json) {
        (void)printf("{\"name\":\"%s\",\"public_key\":\"", name);
        mt_cli_print_hex(stdout, mt_spki_bytes(mt_identity_public(k)));
        (void)fputs("\",\"subject\":\"", stdout);
        mt_cli_print_hex(stdout, mt_hash_bytes(&subject));
        (void)puts("\"}");
        return;
    }
    (void)printf("name:       %s\npublic key: ", name);
    mt_cli_print_hex(stdout, mt_spki_bytes(mt_identity_public(k)));
    (void)fputs("\nsubject:    ", stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(&subject));
    (void)putchar('\n');
}

int mt_cli_identity_new(struct mt_cli *c)
{
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_identity_new(&c->home, c->argv[0], &k);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    print_identity(c, c->argv[0], k);
    return MT_EXIT_DONE;
}

int mt_cli_identity_show(struct mt_cli *c)
{
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_identity_load(&c->home, c->argv[0], &k);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    print_identity(c, c->argv[0], k);
    return MT_EXIT_DONE;
}

/* Every --NAME HASH there is. */
static MT_ERR take_hashes(struct mt_cli *c, const char *name, mt_hash *out, size_t *count)
{
    *count = 0;
    for (const char *v = mt_cli_option(c, name); v != NULL; v = mt_cli_option(c, name)) {
        MT_REQUIRE(*count < MT_POLICY_HASHES_MAX, MT_E_LIMIT, "too many hashes");
        MT_TRY(mt_hex_parse(mt_bytes_of_text(v), (mt_span){out[*count].b, sizeof out[*count].b}));
        (*count)++;
    }
    return MT_OK;
}

static MT_ERR make_policy(struct mt_cli *c, const char *name, struct mt_policy *p)
{
    const char *level = mt_cli_option(c, "--level");
    memset(p, 0, sizeof *p);
    MT_REQUIRE(level == NULL || (level[0] >= '1' && level[0] <= '5' && level[1] == '\0'), MT_E_ARG,
               "a level is 1 to 5");
    p->name = mt_bytes_of_text(name);
    p->minimum_level = level == NULL ? 2 : (uint64_t)(level[0] - '0');
    MT_TRY(take_hashes(c, "--platform", p->platforms, &p->platforms_count));
    MT_TRY(take_hashes(c, "--operator", p->operators, &p->operators_count));
    MT_TRY(take_hashes(c, "--measurement", p->measurements, &p->measurements_count));
    return take_hashes(c, "--configuration", p->configurations, &p->configurations_count);
}

int mt_cli_policy_new(struct mt_cli *c)
{
    static struct mt_policy p;
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max((size_t)2 * MT_POLICY_BYTES_MAX);
    const char *identity = mt_cli_option(c, "--identity");
    const char *name = mt_cli_option(c, "--name");
    mt_err e = make_policy(c, name == NULL ? "" : name, &p);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "policy");
    }
    if (identity == NULL || name == NULL || !mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    e = mt_identity_load(&c->home, identity, &k);
    e = mt_failed(e) ? e : mt_policy_sign(k, &p, &file);
    e = mt_failed(e) ? e : mt_file_store(c->argv[0], mt_buf_bytes(&file));
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : MT_EXIT_DONE;
}

static void print_policy(const struct mt_policy *p)
{
    static uint8_t room[16384];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_policy_json(&w, p);
    if (!mt_failed(mt_write_end(&w, &text))) {
        mt_cli_print_bytes(stdout, text);
        (void)putchar('\n');
    }
}

int mt_cli_policy_show(struct mt_cli *c)
{
    static struct mt_policy p;
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(0);
    mt_hash who;
    mt_err e;
    if (c->argc == 0) {
        e = mt_context_load(&c->home, c->context_name, &c->context);
        if (mt_failed(e)) {
            return mt_cli_fail(c, e, "context");
        }
        print_policy(c->context->policy);
        return MT_EXIT_DONE;
    }
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    e = mt_file_load(c->argv[0], (size_t)2 * MT_POLICY_BYTES_MAX, &file);
    e = mt_failed(e) ? e : mt_policy_load(mt_buf_bytes(&file), &who, &p);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    print_policy(&p);
    if (!c->is_json) {
        (void)fputs("signed by ", stdout);
        mt_cli_print_hex(stdout, mt_hash_bytes(&who));
        (void)fputs("\nhash      ", stdout);
        mt_cli_print_hex(stdout, mt_hash_bytes(&p.hash));
        (void)putchar('\n');
    }
    return MT_EXIT_DONE;
}

/* The policy file is kept as it is: signed by somebody else it is refused when the context is
 * loaded. */
static MT_ERR fill_context(struct mt_cli *c, const char *policy, const char *auditors,
                           struct mt_context *x)
{
    MT_TRY(mt_file_load(policy, (size_t)2 * MT_POLICY_BYTES_MAX, &x->policy_file));
    if (auditors != NULL) {
        MT_TRY(mt_file_load(auditors, (size_t)256 * 1024, &x->auditors));
    }
    MT_TRY(mt_context_store(&c->home, x));
    return mt_context_load(&c->home, x->name, &c->context);
}

/* A context that names no cluster yet: the node is appraised with evidence that is bound to none,
 * and its id is pinned. */
static int pin_cluster(struct mt_cli *c)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    int rc = mt_cli_request(c, MT_HTTP_GET, "/status", (mt_bytes){NULL, 0}, &j);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_json_hex(j, "cluster_id",
                           (mt_span){c->context->cluster.b, sizeof c->context->cluster.b});
    e = mt_failed(e) ? e : mt_context_store(&c->home, c->context);
    return mt_failed(e) ? mt_cli_fail(c, e, "context") : MT_EXIT_DONE;
}

int mt_cli_context_add(struct mt_cli *c)
{
    MT_DEFER(mt_context_free) struct mt_context *x = calloc(1, sizeof *x);
    const char *address = mt_cli_option(c, "--address");
    const char *identity = mt_cli_option(c, "--identity");
    const char *policy = mt_cli_option(c, "--policy");
    const char *auditors = mt_cli_option(c, "--auditors");
    const char *cluster = mt_cli_option(c, "--cluster");
    static const mt_hash unknown = {{0}};
    if (x == NULL || address == NULL || identity == NULL || policy == NULL ||
        !mt_cli_arguments(c, 1) || strlen(c->argv[0]) > MT_NAME_MAX ||
        strlen(identity) > MT_NAME_MAX) {
        return MT_EXIT_USAGE;
    }
    (void)snprintf(x->name, sizeof x->name, "%s", c->argv[0]);
    (void)snprintf(x->address, sizeof x->address, "%s", address);
    (void)snprintf(x->identity, sizeof x->identity, "%s", identity);
    mt_err e = cluster == NULL ? MT_OK
                               : mt_hex_parse(mt_bytes_of_text(cluster),
                                              (mt_span){x->cluster.b, sizeof x->cluster.b});
    e = mt_failed(e) ? e : fill_context(c, policy, auditors, x);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    c->context_name = c->context->name;
    if (mt_hash_equal(&c->context->cluster, &unknown)) {
        struct mt_context *loaded = c->context;
        e = mt_context_connect(loaded, &c->client);
        if (mt_failed(e)) {
            mt_cli_print_trace(stderr, mt_client_trace(c->client), false);
            return mt_cli_fail(c, e, address);
        }
        int rc = pin_cluster(c);
        if (rc != MT_EXIT_DONE) {
            return rc;
        }
    }
    e = mt_context_use(&c->home, x->name);
    return mt_failed(e) ? mt_cli_fail(c, e, x->name) : MT_EXIT_DONE;
}

int mt_cli_context_use(struct mt_cli *c)
{
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_context_use(&c->home, c->argv[0]);
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : MT_EXIT_DONE;
}

static int is_context(const struct dirent *d)
{
    size_t len = strlen(d->d_name);
    return len > 5 && strcmp(d->d_name + len - 5, ".json") == 0;
}

int mt_cli_context_list(struct mt_cli *c)
{
    char path[MT_PATH_MAX + 16];
    struct dirent **entries = NULL;
    (void)snprintf(path, sizeof path, "%s/contexts", c->home.path);
    int count = scandir(path, &entries, is_context, alphasort);
    for (int i = 0; i < count; i++) {
        (void)printf("%.*s\n", (int)(strlen(entries[i]->d_name) - 5), entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return count < 0 ? MT_EXIT_IO : MT_EXIT_DONE;
}

int mt_cli_user_add(struct mt_cli *c)
{
    uint8_t room[1024];
    mt_bytes body;
    const char *role = mt_cli_option(c, "--role");
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    if (!mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    mt_json_begin_object(&j, NULL);
    mt_json_put_text(&j, "key", mt_bytes_of_text(c->argv[1]));
    mt_json_put_text(&j, "name", mt_bytes_of_text(c->argv[0]));
    mt_json_put_text(&j, "role", mt_bytes_of_text(role == NULL ? "user" : role));
    mt_json_end_object(&j);
    mt_err e = mt_write_end(&w, &body);
    return mt_failed(e) ? mt_cli_fail(c, e, "user") : mt_cli_show(c, MT_HTTP_POST, "/users", body);
}

int mt_cli_user_list(struct mt_cli *c)
{
    return mt_cli_arguments(c, 0) ? mt_cli_show(c, MT_HTTP_GET, "/users", (mt_bytes){NULL, 0})
                                  : MT_EXIT_USAGE;
}

int mt_cli_user_revoke(struct mt_cli *c)
{
    char target[128] = "/users/";
    mt_hash h;
    mt_bytes hex;
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_subject(c, mt_bytes_of_text(c->argv[0]), &h);
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)target + 7, 64});
    mt_hex_write(&w, mt_hash_bytes(&h));
    if (rc != MT_EXIT_DONE || mt_failed(mt_write_end(&w, &hex))) {
        return rc;
    }
    return mt_cli_show(c, MT_HTTP_DELETE, target, (mt_bytes){NULL, 0});
}
