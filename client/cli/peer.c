/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "mesatee/peers.h"

/* keyslot add --peer, keyslot kept. */

/* What went wrong there is that session's to say. */
static int fail_at(const struct mt_cli *c, const struct mt_session *at, mt_err e, const char *about)
{
    struct mt_cli there = *c;
    there.s = *at;
    return mt_cli_fail_trace(&there, e, about, mt_client_trace(at->client));
}

static int add(struct mt_cli *c, struct mt_session *keeper, mt_bytes policy)
{
    struct mt_peer_slot made;
    struct mt_cli_answer a;
    struct mt_session *at = NULL;
    mt_err e = mt_peer_slot_add(&c->s, keeper, policy, &made, &at);
    if (mt_failed(e)) {
        return fail_at(c, at, e, at == keeper ? "peer" : "keyslot");
    }
    mt_cli_answer_begin(&a);
    mt_json_put_uint(&a.j, "number", made.slot);
    mt_json_put_hex(&a.j, "peer", mt_id_bytes(&made.peer));
    return mt_cli_answer_end(c, &a);
}

int mt_cli_keyslot_peer(struct mt_cli *c, const char *context, const char *policy)
{
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(0);
    struct mt_session keeper = {.home = &c->home, .context_name = context};
    if (!mt_cli_arguments(c, 0) || context == NULL || policy == NULL) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_file_load(policy, MT_POLICY_BYTES_MAX, &file);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, policy);
    }
    int rc = add(c, &keeper, mt_buf_bytes(&file));
    mt_session_end(&keeper);
    return rc;
}

int mt_cli_keyslot_kept(struct mt_cli *c)
{
    return mt_cli_arguments(c, 0) ? mt_cli_show(c, MT_HTTP_GET, "/peers", (mt_bytes){NULL, 0})
                                  : MT_EXIT_USAGE;
}
