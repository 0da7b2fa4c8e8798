/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/upkeep.h"
#include "node/node.h"
#include "platform/log.h"

enum { MINUTE_MS = 60 * 1000, UPKEEP_MS = 20 * MINUTE_MS };

static void shred_now(struct mt_timer *t)
{
    struct mt_node *n = t->state;
    mt_server_shred_now(n->server);
    mt_timer_set(n->loop, t, n->config.shred_minutes * MINUTE_MS);
}

/* A commit every twenty minutes keeps the ledger's time near the host's, so that a quiet night is
 * no jump of the clock. */
static void keep_time(struct mt_timer *t)
{
    static const struct mt_map_def no_maps[] = {{NULL, false}};
    struct mt_node *n = t->state;
    struct mt_tx *tx = NULL;
    uint64_t version = 0;
    uint32_t index = 0;
    mt_err e = mt_ledger_begin(n->ledger, no_maps, mt_loop_host_time_ms(n->loop), &tx);
    if (!mt_failed(e)) {
        e = mt_tx_claim(tx,
                        MT_LITERAL("\x64"
                                   "time"),
                        &index);
        e = mt_failed(e) ? e : mt_ledger_commit(n->ledger, &tx, &version);
        if (tx != NULL) {
            mt_ledger_abort(n->ledger, &tx);
        }
    }
    if (mt_failed(e)) {
        mt_log_fault("time-not-kept", e);
    }
    mt_timer_set(n->loop, t, UPKEEP_MS);
}

void mt_node_start_upkeep(struct mt_node *n)
{
    n->shredding = (struct mt_timer){.run = shred_now, .state = n};
    n->upkeep = (struct mt_timer){.run = keep_time, .state = n};
    mt_timer_set(n->loop, &n->shredding, n->config.shred_minutes * MINUTE_MS);
    mt_timer_set(n->loop, &n->upkeep, UPKEEP_MS);
}
