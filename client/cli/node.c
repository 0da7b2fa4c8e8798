/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "mesatee/dev.h"
#include "mesatee/mesatee.h"

/* dev, status, version, keyslot. */

int mt_cli_version(struct mt_cli *c)
{
    if (!mt_cli_arguments(c, 0)) {
        return MT_EXIT_USAGE;
    }
    (void)puts(c->is_json ? "{\"version\":\"" MESATEE_VERSION "\"}" : "mesatee " MESATEE_VERSION);
    return MT_EXIT_DONE;
}

int mt_cli_status(struct mt_cli *c)
{
    return mt_cli_arguments(c, 0) ? mt_cli_show(c, MT_HTTP_GET, "/status", (mt_bytes){NULL, 0})
                                  : MT_EXIT_USAGE;
}

int mt_cli_keyslot_list(struct mt_cli *c)
{
    return mt_cli_arguments(c, 0) ? mt_cli_show(c, MT_HTTP_GET, "/keyslots", (mt_bytes){NULL, 0})
                                  : MT_EXIT_USAGE;
}

int mt_cli_keyslot_add(struct mt_cli *c)
{
    MT_DEFER(mt_buf_free) struct mt_buf secret = mt_buf_of_max(0);
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(16384);
    mt_bytes body;
    struct mt_writer w = mt_writer_onto(&room);
    struct mt_json_writer j = mt_json_writer_over(&w);
    const char *shares = mt_cli_option(c, "--shares");
    const char *out = mt_cli_option(c, "--out");
    const char *peer = mt_cli_option(c, "--peer");
    const char *policy = mt_cli_option(c, "--policy");
    bool is_device = mt_cli_flag(c, "--device");
    if (!is_device && shares == NULL && out == NULL && (peer != NULL || policy != NULL)) {
        return mt_cli_keyslot_peer(c, peer, policy);
    }
    if (!is_device && peer == NULL && policy == NULL && (shares != NULL || out != NULL)) {
        return mt_cli_keyslot_share(c, shares, out);
    }
    bool is_mixed = shares != NULL || out != NULL || peer != NULL || policy != NULL;
    if (!mt_cli_arguments(c, is_device ? 0 : 2) || is_mixed) {
        return MT_EXIT_USAGE;
    }
    if (is_device) {
        return mt_cli_show(c, MT_HTTP_POST, "/keyslots", MT_LITERAL("{\"kind\":\"device\"}"));
    }
    mt_err e = mt_file_load(c->argv[1], 2048, &secret);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[1]);
    }
    mt_json_begin_object(&j, NULL);
    mt_json_put_text(&j, "kind", mt_bytes_of_text(c->argv[0]));
    mt_json_put_hex(&j, "secret", mt_buf_bytes(&secret));
    mt_json_end_object(&j);
    e = mt_write_end(&w, &body);
    return mt_failed(e) ? mt_cli_fail(c, e, "keyslot")
                        : mt_cli_show(c, MT_HTTP_POST, "/keyslots", body);
}

int mt_cli_keyslot_remove(struct mt_cli *c)
{
    char target[64];
    uint64_t number = 0;
    mt_id kept;
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    bool is_kept =
        !mt_failed(mt_hex_parse(mt_bytes_of_text(c->argv[0]), (mt_span){kept.b, sizeof kept.b}));
    if (!is_kept && !mt_cli_number(c->argv[0], &number)) {
        return MT_EXIT_USAGE;
    }
    if (is_kept) {
        (void)snprintf(target, sizeof target, "/peers/%s", c->argv[0]);
    } else {
        (void)snprintf(target, sizeof target, "/keyslots/%llu", (unsigned long long)number);
    }
    return mt_cli_show(c, MT_HTTP_DELETE, target, (mt_bytes){NULL, 0});
}

/* Said while the node runs: whoever starts it from a program waits for this line. */
static void tell_ready(void *state, const struct mt_dev_ready *r)
{
    const struct mt_cli *c = state;
    struct mt_cli_answer a;
    if (c->is_json) {
        mt_cli_answer_begin(&a);
        mt_json_put_text(&a.j, "address", mt_bytes_of_text(r->address));
        mt_json_put_literal(&a.j, "context", "dev");
        mt_json_put_text(&a.j, "identity", mt_bytes_of_text(r->identity));
        mt_json_put_text(&a.j, "state", mt_bytes_of_text(r->state));
        (void)mt_cli_answer_end(c, &a);
    } else {
        (void)printf("A level 2 node listens on %s. It keeps its data in %s.\nContext \"dev\" is "
                     "in use, identity \"%s\" is its administrator. Ctrl-C ends it; the data "
                     "stays.\n",
                     r->address, r->state, r->identity);
    }
    (void)fflush(stdout);
}

int mt_cli_dev(struct mt_cli *c)
{
    struct mt_dev_options o = {.home = &c->home, .on_ready = tell_ready, .on_ready_state = c};
    o.dir = mt_cli_option(c, "--dir");
    o.identity = mt_cli_option(c, "--identity");
    o.listen = mt_cli_option(c, "--listen");
    o.node = mt_cli_option(c, "--node");
    if (!mt_cli_arguments(c, 0)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_dev_run(&o);
    return mt_failed(e) ? mt_cli_fail(c, e, "dev") : MT_EXIT_DONE;
}
