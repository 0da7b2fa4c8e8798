/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "mesatee/approve.h"
#include "mesatee/enrol.h"
#include "mesatee/policy_file.h"

enum { ROOT_MAX = 16 * 1024 };

int mt_cli_platform_enrol(struct mt_cli *c)
{
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf root = mt_buf_of_max(ROOT_MAX);
    struct mt_trace trace = {.count = 0};
    struct mt_cli_answer a;
    mt_hash platform;
    const char *file = mt_cli_option(c, "--root");
    const char *identity = mt_cli_option(c, "--identity");
    if (file == NULL || identity == NULL || !mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_identity_load(&c->home, identity, &k);
    e = mt_failed(e) ? e : mt_file_load(file, ROOT_MAX, &root);
    const struct mt_enrol_options o = {
        .address = c->argv[0], .key = k, .root = mt_buf_bytes(&root), .now_ms = mt_now_ms()};
    e = mt_failed(e) ? e : mt_enrol(&o, &platform, &trace);
    if (mt_failed(e)) {
        return mt_cli_fail_trace(c, e, c->argv[0], &trace);
    }
    mt_cli_answer_begin(&a);
    mt_json_put_hex(&a.j, "platform", mt_hash_bytes(&platform));
    return mt_cli_answer_end(c, &a);
}

int mt_cli_platform_approve(struct mt_cli *c)
{
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    struct mt_approved_image image;
    struct mt_cli_answer a;
    const char *identity = mt_cli_option(c, "--identity");
    if (identity == NULL || !mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_identity_load(&c->home, identity, &k);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, identity);
    }
    e = mt_approve_image(k, c->argv[0], c->argv[1], &image);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    mt_cli_answer_begin(&a);
    mt_json_put_hex(&a.j, "measurement", mt_hash_bytes(&image.measurement));
    mt_json_put_hex(&a.j, "policy", mt_hash_bytes(&image.policy));
    return mt_cli_answer_end(c, &a);
}
