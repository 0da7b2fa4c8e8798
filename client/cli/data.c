/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "mesatee/transfer.h"

/* data: put, get, list, show, grant, revoke, delete. */

static int target_of(const mt_id *id, const char *after, char out[256])
{
    char hex[33] = {0};
    mt_bytes done;
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)hex, 32});
    mt_hex_write(&w, mt_id_bytes(id));
    bool ok = !mt_failed(mt_write_end(&w, &done));
    int len = snprintf(out, 256, "/data/%s%s", hex, after);
    return ok && len > 0 && len < 256 ? MT_EXIT_DONE : MT_EXIT_FAILED;
}

int mt_cli_data_put(struct mt_cli *c)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf answer = mt_buf_of_max(0);
    struct mt_transfer t;
    if (!mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_transfer_open(c->argv[1], !c->is_json && isatty(STDERR_FILENO) == 1, &t);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[1]);
    }
    int rc = mt_cli_connect(c);
    uint32_t status = 0;
    if (rc == MT_EXIT_DONE) {
        e = mt_transfer_put(&t, c->client, c->argv[0], &answer, &status);
    }
    mt_transfer_close(&t);
    if (rc != MT_EXIT_DONE || mt_failed(e)) {
        return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : rc;
    }
    if (status >= 400) {
        const struct mt_answer a = {.status = status, .body = answer};
        return mt_cli_refused(c, &a);
    }
    if (!mt_failed(mt_json_parse(mt_buf_bytes(&answer), &j, NULL))) {
        mt_cli_print(c, j);
    }
    return MT_EXIT_DONE;
}

int mt_cli_data_get(struct mt_cli *c)
{
    const char *version = mt_cli_option(c, "--version");
    char after[64];
    char target[256];
    mt_id id;
    uint64_t newest = 0;
    if (!mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_data(c, mt_bytes_of_text(c->argv[0]), &id);
    if (rc == MT_EXIT_DONE && version == NULL) {
        rc = mt_cli_newest_version(c, &id, &newest);
    }
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    if (version == NULL) {
        (void)snprintf(after, sizeof after, "/versions/%llu/content", (unsigned long long)newest);
    } else {
        (void)snprintf(after, sizeof after, "/versions/%.20s/content", version);
    }
    rc = target_of(&id, after, target);
    return rc == MT_EXIT_DONE ? mt_cli_download(c, target, c->argv[1]) : rc;
}

int mt_cli_download(struct mt_cli *c, const char *target, const char *path)
{
    struct mt_answer a;
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e =
        mt_transfer_get(c->client, target, path, !c->is_json && isatty(STDERR_FILENO) == 1, &a);
    if (!mt_failed(e) && a.status >= 400) {
        rc = mt_cli_refused(c, &a);
    }
    mt_buf_free(&a.body);
    return mt_failed(e) ? mt_cli_fail(c, e, path) : rc;
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
    mt_id id;
    const char *before = mt_cli_option(c, "--before");
    if (before != NULL) {
        (void)snprintf(query, sizeof query, "?before=%.20s", before);
    }
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_data(c, mt_bytes_of_text(c->argv[0]), &id);
    rc = rc == MT_EXIT_DONE ? target_of(&id, query, target) : rc;
    return rc == MT_EXIT_DONE ? mt_cli_show(c, MT_HTTP_GET, target, (mt_bytes){NULL, 0}) : rc;
}

static bool put_number(struct mt_json_writer *j, const char *name, const char *text)
{
    uint64_t v = 0;
    if (text == NULL) {
        return true;
    }
    for (const char *t = text; *t != '\0'; t++) {
        if (*t < '0' || *t > '9' || v > UINT64_MAX / 20) {
            return false;
        }
        v = v * 10 + (uint64_t)(*t - '0');
    }
    mt_json_put_uint(j, name, v);
    return *text != '\0';
}

int mt_cli_data_grant(struct mt_cli *c)
{
    uint8_t room[1024];
    char target[256];
    mt_bytes body;
    mt_id id;
    mt_hash grantee;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    const char *right = mt_cli_option(c, "--right");
    const char *function = mt_cli_option(c, "--function");
    const char *until = mt_cli_option(c, "--until");
    const char *count = mt_cli_option(c, "--count");
    if (!mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_data(c, mt_bytes_of_text(c->argv[0]), &id);
    rc = rc == MT_EXIT_DONE ? mt_cli_subject(c, mt_bytes_of_text(c->argv[1]), &grantee) : rc;
    rc = rc == MT_EXIT_DONE ? target_of(&id, "/grants", target) : rc;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_json_begin_object(&j, NULL);
    if (!put_number(&j, "count", count) || !put_number(&j, "until_ms", until)) {
        return MT_EXIT_USAGE;
    }
    if (function != NULL) {
        mt_json_put_text(&j, "function", mt_bytes_of_text(function));
    }
    mt_json_put_hex(&j, "grantee", mt_hash_bytes(&grantee));
    mt_json_put_text(&j, "right", mt_bytes_of_text(right == NULL ? "use" : right));
    mt_json_end_object(&j);
    mt_err e = mt_write_end(&w, &body);
    return mt_failed(e) ? mt_cli_fail(c, e, "grant") : mt_cli_show(c, MT_HTTP_POST, target, body);
}

int mt_cli_data_revoke(struct mt_cli *c)
{
    char target[256];
    char after[64];
    mt_id id;
    if (!mt_cli_arguments(c, 2) || strlen(c->argv[1]) != 32) {
        return MT_EXIT_USAGE;
    }
    (void)snprintf(after, sizeof after, "/grants/%s", c->argv[1]);
    int rc = mt_cli_data(c, mt_bytes_of_text(c->argv[0]), &id);
    rc = rc == MT_EXIT_DONE ? target_of(&id, after, target) : rc;
    return rc == MT_EXIT_DONE ? mt_cli_show(c, MT_HTTP_DELETE, target, (mt_bytes){NULL, 0}) : rc;
}

int mt_cli_data_delete(struct mt_cli *c)
{
    char target[256];
    mt_id id;
    bool is_now = mt_cli_flag(c, "--now");
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_data(c, mt_bytes_of_text(c->argv[0]), &id);
    rc = rc == MT_EXIT_DONE ? target_of(&id, is_now ? "?now=true" : "", target) : rc;
    return rc == MT_EXIT_DONE ? mt_cli_show(c, MT_HTTP_DELETE, target, (mt_bytes){NULL, 0}) : rc;
}
