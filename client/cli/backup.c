/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "mesatee/statement.h"

/* backup, restore, time. */

enum { SECRET_BYTES_MAX = 256 };

static MT_ERR write_request(const char *path, bool is_passphrase, struct mt_buf *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf secret = mt_buf_of_max(0);
    struct mt_writer w = mt_writer_onto(out);
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_bytes body;
    MT_TRY(mt_file_load(path, SECRET_BYTES_MAX, &secret));
    mt_json_begin_object(&j, NULL);
    mt_json_put_literal(&j, "kind", is_passphrase ? "passphrase" : "file");
    mt_json_put_hex(&j, "secret", mt_buf_bytes(&secret));
    mt_json_end_object(&j);
    return mt_write_end(&w, &body);
}

int mt_cli_backup(struct mt_cli *c)
{
    MT_DEFER(mt_buf_free) struct mt_buf body = mt_buf_of_max((size_t)8 * SECRET_BYTES_MAX);
    struct mt_cli_bar bar;
    const char *secret = mt_cli_option(c, "--secret");
    bool is_passphrase = mt_cli_flag(c, "--passphrase");
    if (!mt_cli_arguments(c, 1) || secret == NULL) {
        return MT_EXIT_USAGE;
    }
    mt_err e = write_request(secret, is_passphrase, &body);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, secret);
    }
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    const struct mt_call call = {
        .method = MT_HTTP_POST, .target = "/backup", .body = mt_buf_bytes(&body)};
    e = mt_transfer_get(&c->s, &call, c->argv[0], mt_cli_bar_begin(c, &bar, true));
    mt_cli_bar_end(&bar);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    const struct mt_head *head = mt_client_head(c->s.client);
    (void)printf(c->is_json ? "{\"transactions\":%llu}\n"
                            : "backed up, with all that was durable: %llu transactions or more\n",
                 (unsigned long long)(head->size > 0 ? head->size - 1 : 0));
    return MT_EXIT_DONE;
}

int mt_cli_time_accept(struct mt_cli *c)
{
    char body[64];
    if (!mt_cli_arguments(c, 0)) {
        return MT_EXIT_USAGE;
    }
    (void)snprintf(body, sizeof body, "{\"time_ms\":%llu}", (unsigned long long)mt_now_ms());
    return mt_cli_show(c, MT_HTTP_POST, "/time", mt_bytes_of_text(body));
}

static MT_ERR read_recovery(const struct mt_json *j, struct mt_recovery *out, bool *awaits)
{
    MT_TRY(mt_json_bool(j, "awaits_recovery", awaits));
    MT_TRY(mt_json_hex(j, "cluster_id", (mt_span){out->cluster.b, sizeof out->cluster.b}));
    MT_TRY(mt_json_uint(j, "next_epoch", UINT64_MAX >> 1, &out->epoch));
    MT_TRY(mt_json_uint(j, "size", UINT64_MAX >> 1, &out->size));
    return mt_json_hex(j, "root", (mt_span){out->root.b, sizeof out->root.b});
}

static MT_ERR write_statement(const struct mt_cli *c, const struct mt_recovery *r,
                              struct mt_buf *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf statement = mt_buf_of_max(1024);
    mt_bytes body;
    struct mt_writer s = mt_writer_onto(&statement);
    struct mt_writer w = mt_writer_onto(out);
    struct mt_json_writer j = mt_json_writer_over(&w);
    MT_TRY(mt_recovery_sign(&s, c->s.context->key, r));
    mt_json_begin_object(&j, NULL);
    mt_json_put_hex(&j, "statement", mt_buf_bytes(&statement));
    mt_json_end_object(&j);
    return mt_write_end(&w, &body);
}

/* What is given up, as far as this client knows; what will be signed. */
static void tell(const struct mt_cli *c, const struct mt_recovery *r)
{
    const struct mt_head *seen = &c->s.context->head;
    (void)printf("The node goes on from %llu transactions, as recovery epoch %llu.\n",
                 (unsigned long long)r->size, (unsigned long long)r->epoch);
    if (seen->size > r->size) {
        (void)printf("You have seen %llu: what came after is given up, with counts of runs, "
                     "revocations and deletions.\n",
                     (unsigned long long)seen->size);
    }
    (void)fputs("root of the tree  ", stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(&r->root));
    (void)putchar('\n');
}

static int open_epoch(struct mt_cli *c, const struct mt_recovery *r)
{
    MT_DEFER(mt_buf_free) struct mt_buf body = mt_buf_of_max(4096);
    mt_err e = write_statement(c, r, &body);
    return mt_failed(e) ? mt_cli_fail(c, e, "restore")
                        : mt_cli_show(c, MT_HTTP_POST, "/recovery", mt_buf_bytes(&body));
}

static int look(struct mt_cli *c, struct mt_json **out)
{
    static const struct mt_call call = {.method = MT_HTTP_GET, .target = "/recovery"};
    enum { STALE = 410 };
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_session_request(&c->s, &call, out);
    if (mt_failed(e) && c->s.complaint.status == STALE) {
        /* The backup is older than an hour, as most are. */
        rc = mt_cli_time_accept(c);
        e = rc == MT_EXIT_DONE ? mt_session_request(&c->s, &call, out) : MT_OK;
    }
    return mt_failed(e) ? mt_cli_fail(c, e, "restore") : rc;
}

int mt_cli_restore(struct mt_cli *c)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    struct mt_recovery r;
    bool awaits = false;
    bool is_sure = mt_cli_flag(c, "--yes");
    if (!mt_cli_arguments(c, 0)) {
        return MT_EXIT_USAGE;
    }
    c->s.may_go_back = true;
    int rc = look(c, &j);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = read_recovery(j, &r, &awaits);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "restore");
    }
    if (!awaits) {
        (void)fputs("mesatee: this node was not restored from a backup\n  mend: run mesateed "
                    "--restore BACKUP --secret FILE first, on an empty state directory\n",
                    stderr);
        return MT_EXIT_FAILED;
    }
    if (!c->is_json) {
        tell(c, &r);
    }
    if (!is_sure) {
        (void)(c->is_json ? printf("{\"epoch\":%llu,\"is_signed\":false,\"size\":%llu}\n",
                                   (unsigned long long)r.epoch, (unsigned long long)r.size)
                          : puts("Nothing is signed yet. To sign: mesatee restore --yes"));
        return MT_EXIT_DONE;
    }
    return open_epoch(c, &r);
}
