/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "mesatee/dev.h"

/* dev, verify, status, doctor, version, keyslot. */

int mt_cli_version(struct mt_cli *c)
{
    (void)puts(c->is_json ? "{\"version\":\"0.1.0\"}" : "mesatee 0.1.0");
    return MT_EXIT_DONE;
}

int mt_cli_status(struct mt_cli *c)
{
    return mt_cli_arguments(c, 0) ? mt_cli_show(c, MT_HTTP_GET, "/status", (mt_bytes){NULL, 0})
                                  : MT_EXIT_USAGE;
}

static void print_claims(const struct mt_cli *c, const struct mt_claims *k,
                         const struct mt_hash *node)
{
    (void)printf("level 2, hardware_root=false, host_in_tcb=true: software measured itself. "
                 "Protects from the network, other users and a stolen\n"
                 "disk; not from root, hypervisor or operator of that machine.\n");
    (void)fputs("measurement   ", stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(&k->measurement));
    (void)fputs("\nconfiguration ", stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(&k->configuration));
    (void)fputs("\nkernel        ", stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(&k->kernel));
    (void)fputs("\nplatform      ", stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(&k->platform));
    (void)fputs("\nchannel key   ", stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(node));
    (void)fputs("\ncluster       ", stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(&c->context->cluster));
    (void)putchar('\n');
}

static void print_verdict_json(const struct mt_check *f, const struct mt_claims *k, mt_err e)
{
    uint8_t room[8192];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_json_begin_object(&j, NULL);
    mt_json_put_bool(&j, "accepted", !mt_failed(e));
    mt_json_put_uint(&j, "level", (uint64_t)k->level);
    mt_json_put_bool(&j, "hardware_root", k->has_hardware_root);
    mt_json_put_bool(&j, "host_in_tcb", k->has_host_in_tcb);
    mt_json_put_hex(&j, "measurement", mt_hash_bytes(&k->measurement));
    mt_json_put_hex(&j, "configuration", mt_hash_bytes(&k->configuration));
    mt_json_put_hex(&j, "platform", mt_hash_bytes(&k->platform));
    mt_json_begin_array(&j, "failed");
    if (f != NULL) {
        mt_json_begin_object(&j, NULL);
        mt_json_put_literal(&j, "rule", f->rule);
        mt_json_put_literal(&j, "detail", f->meaning);
        mt_json_put_literal(&j, "mend", f->mend);
        mt_json_end_object(&j);
    }
    mt_json_end_array(&j);
    mt_json_end_object(&j);
    if (!mt_failed(mt_write_end(&w, &text))) {
        mt_cli_print_bytes(stdout, text);
        (void)putchar('\n');
    }
}

int mt_cli_verify(struct mt_cli *c)
{
    bool is_long = mt_cli_flag(c, "--explain");
    if (!mt_cli_arguments(c, 0)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_context_load(&c->home, c->context_name, &c->context);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "context");
    }
    e = mt_context_connect(c->context, &c->client);
    if (mt_failed(e) && (e.fault->code == MT_E_IO || c->client == NULL)) {
        (void)mt_cli_fail(c, e, c->context->address);
        return MT_EXIT_UNREACHABLE;
    }
    const struct mt_trace *t = mt_client_trace(c->client);
    if (c->is_json) {
        print_verdict_json(mt_client_failed(c->client), &mt_client_appraisal(c->client)->claims, e);
        return mt_failed(e) ? mt_cli_exit_of(e) : MT_EXIT_DONE;
    }
    mt_cli_print_trace(stdout, t, is_long);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->context->address);
    }
    print_claims(c, &mt_client_appraisal(c->client)->claims, mt_client_node(c->client));
    (void)puts("The node is what your policy trusts.");
    return MT_EXIT_DONE;
}

static void tell(const char *check, bool is_good, const char *mend, int *failures)
{
    (void)printf("  %s  %s\n", is_good ? "ok    " : "FAILED", check);
    if (!is_good) {
        (void)printf("          mend: %s\n", mend);
        (*failures)++;
    }
}

int mt_cli_doctor(struct mt_cli *c)
{
    struct stat st;
    int failures = 0;
    if (!mt_cli_arguments(c, 0)) {
        return MT_EXIT_USAGE;
    }
    tell("home-private: only you can read your MesaTEE home",
         stat(c->home.path, &st) == 0 && (st.st_mode & 077) == 0, "chmod 700 on it", &failures);
    mt_err e = mt_context_load(&c->home, c->context_name, &c->context);
    tell("context: one is in use, with an identity and a policy signed by it", !mt_failed(e),
         mt_failed(e) ? e.fault->what : "", &failures);
    if (!mt_failed(e)) {
        e = mt_context_connect(c->context, &c->client);
        bool is_there = !mt_failed(e) || e.fault->code != MT_E_IO;
        tell("node-reachable: something answers at the context's address", is_there,
             "start the node (mesatee dev, or mesateed), or mend the address", &failures);
        if (is_there) {
            const struct mt_check *f = mt_client_failed(c->client);
            tell("node-verified: the node is what your policy trusts", !mt_failed(e),
                 f != NULL      ? f->mend
                 : mt_failed(e) ? e.fault->what
                                : "",
                 &failures);
        }
        if (!mt_failed(e)) {
            MT_DEFER(mt_json_free) struct mt_json *j = NULL;
            bool is_known =
                mt_cli_request(c, MT_HTTP_GET, "/status", (mt_bytes){NULL, 0}, &j) == MT_EXIT_DONE;
            tell("identity-known: the node knows you", is_known,
                 "an administrator adds you: mesatee user add", &failures);
        }
    }
    (void)printf("%d checks failed. Endpoints outside of this machine that are contacted: the "
                 "context's node, nothing else.\n",
                 failures);
    return failures == 0 ? MT_EXIT_DONE : MT_EXIT_FAILED;
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
    if (!mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
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
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    (void)snprintf(target, sizeof target, "/keyslots/%.8s", c->argv[0]);
    return mt_cli_show(c, MT_HTTP_DELETE, target, (mt_bytes){NULL, 0});
}

int mt_cli_dev(struct mt_cli *c)
{
    struct mt_dev_options o = {.home = &c->home};
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
