/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"

/* context: where we go, as whom, and what we trust there. */

/* A node whose cluster is not known yet is appraised with evidence that is bound to none, and says
 * its id. */
static MT_ERR pin_cluster(struct mt_session *s)
{
    static const struct mt_call call = {.method = MT_HTTP_GET, .target = "/status"};
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    mt_hash *cluster = &s->context->cluster;
    MT_TRY(mt_session_request(s, &call, &j));
    return mt_json_hex(j, "cluster_id", (mt_span){cluster->b, sizeof cluster->b});
}

/* Added again, a context forgets nothing: the node has to go on from what was seen before. */
static MT_ERR inherit(struct mt_cli *c)
{
    static const struct mt_call call = {.method = MT_HTTP_GET, .target = "/status"};
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    struct mt_session *s = &c->s;
    MT_TRY(mt_context_inherit(&c->home, s->context));
    if (!s->is_connected || s->context->head.size == 0) {
        return MT_OK;
    }
    s->is_connected = false;
    return mt_session_request(s, &call, &j);
}

/* Nothing is stored before everything was found good. */
static int add(struct mt_cli *c, bool is_pinned)
{
    struct mt_session *s = &c->s;
    const char *name = s->context->name;
    mt_err e = is_pinned ? MT_OK : mt_session_connect(s);
    if (mt_failed(e)) {
        return mt_cli_fail_trace(c, e, s->context->address, mt_client_trace(s->client));
    }
    e = is_pinned ? MT_OK : pin_cluster(s);
    e = mt_failed(e) ? e : inherit(c);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, s->context->address);
    }
    e = mt_context_store(&c->home, s->context);
    e = mt_failed(e) ? e : mt_context_use(&c->home, name);
    return mt_failed(e) ? mt_cli_fail(c, e, name) : MT_EXIT_DONE;
}

static int print_context(const struct mt_cli *c)
{
    const struct mt_context *x = c->s.context;
    struct mt_cli_answer a;
    if (!c->is_json) {
        return MT_EXIT_DONE;
    }
    mt_cli_answer_begin(&a);
    mt_json_put_text(&a.j, "name", mt_bytes_of_text(x->name));
    mt_json_put_text(&a.j, "address", mt_bytes_of_text(x->address));
    mt_json_put_text(&a.j, "identity", mt_bytes_of_text(x->identity));
    mt_json_put_hex(&a.j, "cluster_id", mt_hash_bytes(&x->cluster));
    mt_json_put_hex(&a.j, "policy", mt_hash_bytes(&x->policy->hash));
    return mt_cli_answer_end(c, &a);
}

int mt_cli_context_add(struct mt_cli *c)
{
    struct mt_trace trace = {.count = 0};
    struct mt_key *k = NULL;
    char path[MT_PATH_MAX];
    struct mt_context_options o = {.address = mt_cli_option(c, "--address"),
                                   .identity = mt_cli_option(c, "--identity"),
                                   .policy = mt_cli_option(c, "--policy"),
                                   .auditors = mt_cli_option(c, "--auditors"),
                                   .cluster = mt_cli_option(c, "--cluster")};
    if (o.address == NULL || o.identity == NULL || o.policy == NULL || !mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    o.name = c->argv[0];
    mt_err e = mt_home_path(&c->home, "contexts", o.name, ".json", path);
    e = mt_failed(e) ? e : mt_identity_load(&c->home, o.identity, &k);
    e = mt_failed(e) ? e : mt_context_new(&o, k, &trace, &c->s.context);
    if (mt_failed(e)) {
        return mt_cli_fail_trace(c, e, o.name, &trace);
    }
    c->s.home = NULL; /* until it is stored there is nothing to remember a head in */
    int rc = add(c, o.cluster != NULL);
    c->s.home = rc == MT_EXIT_DONE ? &c->home : NULL;
    return rc == MT_EXIT_DONE ? print_context(c) : rc;
}

int mt_cli_context_use(struct mt_cli *c)
{
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_context_use(&c->home, c->argv[0]);
    e = mt_failed(e) ? e : mt_context_load(&c->home, c->argv[0], &c->s.context);
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : print_context(c);
}

int mt_cli_context_list(struct mt_cli *c)
{
    MT_DEFER(mt_context_names_free) struct mt_context_names all = {NULL, 0};
    char current[MT_NAME_MAX + 1];
    struct mt_cli_answer a;
    if (!mt_cli_arguments(c, 0)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_context_names_list(&c->home, &all);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "context");
    }
    if (mt_failed(mt_context_current(&c->home, current))) {
        current[0] = '\0';
    }
    if (!c->is_json) {
        for (size_t i = 0; i < all.count; i++) {
            (void)printf("%c %s\n", strcmp(all.names[i], current) == 0 ? '*' : ' ', all.names[i]);
        }
        return MT_EXIT_DONE;
    }
    mt_cli_answer_begin(&a);
    mt_json_begin_array(&a.j, "contexts");
    for (size_t i = 0; i < all.count; i++) {
        mt_json_begin_object(&a.j, NULL);
        mt_json_put_text(&a.j, "name", mt_bytes_of_text(all.names[i]));
        mt_json_put_bool(&a.j, "is_in_use", strcmp(all.names[i], current) == 0);
        mt_json_end_object(&a.j);
    }
    mt_json_end_array(&a.j);
    return mt_cli_answer_end(c, &a);
}
