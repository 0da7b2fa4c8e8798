/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"

/* data: put, get, list, show, grant, revoke, delete. */

/* The target of a data set that is named: connects, for names are the node's. */
static int target_of(struct mt_cli *c, const char *name, const char *after, char out[256])
{
    mt_id id;
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_session_data(&c->s, mt_bytes_of_text(name), &id);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, name);
    }
    mt_cli_target(out, "/data", mt_id_bytes(&id), after);
    return MT_EXIT_DONE;
}

int mt_cli_data_put(struct mt_cli *c)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    struct mt_cli_bar bar;
    if (!mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_transfer_put(&c->s, c->argv[0], c->argv[1], mt_cli_bar_begin(c, &bar, true), &j);
    mt_cli_bar_end(&bar);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[1]);
    }
    mt_cli_print(c, j);
    return MT_EXIT_DONE;
}

/* The version that is wanted, else the newest. */
static MT_ERR content_of(struct mt_session *s, const char *name, uint64_t *version, char out[256])
{
    mt_id id;
    char after[64];
    MT_TRY(mt_session_data(s, mt_bytes_of_text(name), &id));
    if (*version == 0) {
        MT_TRY(mt_session_newest(s, &id, version));
    }
    (void)snprintf(after, sizeof after, "/versions/%llu/content", (unsigned long long)*version);
    mt_cli_target(out, "/data", mt_id_bytes(&id), after);
    return MT_OK;
}

int mt_cli_data_get(struct mt_cli *c)
{
    const char *wanted = mt_cli_option(c, "--version");
    char target[256];
    uint64_t version = 0;
    struct mt_cli_bar bar;
    struct mt_cli_answer a;
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    if (!mt_cli_arguments(c, 2) ||
        (wanted != NULL && (!mt_cli_number(wanted, &version) || version == 0))) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = content_of(&c->s, c->argv[0], &version, target);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    e = mt_transfer_get(&c->s, &call, c->argv[1], mt_cli_bar_begin(c, &bar, true));
    mt_cli_bar_end(&bar);
    if (mt_failed(e) || !c->is_json) {
        return mt_failed(e) ? mt_cli_fail(c, e, c->argv[1]) : MT_EXIT_DONE;
    }
    mt_cli_answer_begin(&a);
    mt_json_put_text(&a.j, "file", mt_bytes_of_text(c->argv[1]));
    mt_json_put_uint(&a.j, "version", version);
    return mt_cli_answer_end(c, &a);
}

int mt_cli_data_list(struct mt_cli *c)
{
    return mt_cli_arguments(c, 0) ? mt_cli_show(c, MT_HTTP_GET, "/data", (mt_bytes){NULL, 0})
                                  : MT_EXIT_USAGE;
}

int mt_cli_data_show(struct mt_cli *c)
{
    char target[256];
    char query[64] = "";
    uint64_t version = 0;
    const char *before = mt_cli_option(c, "--before");
    if (!mt_cli_arguments(c, 1) || (before != NULL && !mt_cli_number(before, &version))) {
        return MT_EXIT_USAGE;
    }
    if (before != NULL) {
        (void)snprintf(query, sizeof query, "?before=%llu", (unsigned long long)version);
    }
    int rc = target_of(c, c->argv[0], query, target);
    return rc == MT_EXIT_DONE ? mt_cli_show(c, MT_HTTP_GET, target, (mt_bytes){NULL, 0}) : rc;
}

int mt_cli_data_grant(struct mt_cli *c)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    const char *until = mt_cli_option(c, "--until");
    const char *count = mt_cli_option(c, "--count");
    uint64_t until_ms = 0;
    uint64_t times = 0;
    const struct mt_grant_wanted wanted = {.right = mt_cli_option(c, "--right"),
                                           .function = mt_cli_option(c, "--function"),
                                           .until_ms = until == NULL ? NULL : &until_ms,
                                           .count = count == NULL ? NULL : &times};
    if (!mt_cli_arguments(c, 2) || (until != NULL && !mt_cli_number(until, &until_ms)) ||
        (count != NULL && !mt_cli_number(count, &times))) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_session_grant(&c->s, c->argv[0], c->argv[1], &wanted, &j);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    mt_cli_print(c, j);
    return MT_EXIT_DONE;
}

int mt_cli_data_revoke(struct mt_cli *c)
{
    char target[256];
    char after[64];
    mt_id grant;
    if (!mt_cli_arguments(c, 2) ||
        mt_failed(mt_hex_parse(mt_bytes_of_text(c->argv[1]), (mt_span){grant.b, sizeof grant.b}))) {
        return MT_EXIT_USAGE;
    }
    (void)snprintf(after, sizeof after, "/grants/%.32s", c->argv[1]);
    int rc = target_of(c, c->argv[0], after, target);
    return rc == MT_EXIT_DONE ? mt_cli_show(c, MT_HTTP_DELETE, target, (mt_bytes){NULL, 0}) : rc;
}

int mt_cli_data_delete(struct mt_cli *c)
{
    char target[256];
    bool is_now = mt_cli_flag(c, "--now");
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    int rc = target_of(c, c->argv[0], is_now ? "?now=true" : "", target);
    return rc == MT_EXIT_DONE ? mt_cli_show(c, MT_HTTP_DELETE, target, (mt_bytes){NULL, 0}) : rc;
}
