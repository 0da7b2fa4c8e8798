/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/log.h"
#include "server/inside.h"
#include "server/upkeep.h"

/*
 * Rotation of the shred key: a new key, every live object key wrapped anew, and, once that is
 * durable, the end of the old key. Until then a deleted object could still be opened by whoever has
 * the root key and an old disk; from then on nobody opens it.
 */
static void next_batch(struct mt_hold *h);

static MT_ERR rewrap(struct mt_server *s, bool *is_done)
{
    static const struct mt_map_def no_maps[] = {{NULL, false}};
    struct mt_tx *tx = NULL;
    uint64_t version = 0;
    MT_TRY(mt_ledger_begin(s->o.ledger, no_maps, mt_ledger_time_ms(s->o.ledger), &tx));
    mt_err e = mt_gate_rewrap(s->o.gate, tx, is_done);
    if (mt_failed(e)) {
        mt_ledger_abort(s->o.ledger, &tx);
        return e;
    }
    return mt_ledger_commit(s->o.ledger, &tx, &version);
}

static void stop(struct mt_server *s, mt_err e)
{
    if (mt_failed(e)) {
        mt_log_fault("shredding-failed",
                     e); /* both keys are still in the file: the next rotation takes it up */
    }
    s->is_shredding = false;
    if (s->shreds_again && !mt_failed(e)) {
        s->shreds_again = false;
        mt_server_shred_now(s);
    }
}

static void end_old_key(struct mt_hold *h)
{
    struct mt_server *s = h->state;
    stop(s, mt_shred_end(s->o.shred));
}

static void next_batch(struct mt_hold *h)
{
    struct mt_server *s = h->state;
    bool is_done = false;
    mt_err e = rewrap(s, &is_done);
    if (mt_failed(e)) {
        stop(s, e);
        return;
    }
    s->shred_hold = (struct mt_hold){.version = mt_ledger_version(s->o.ledger),
                                     .run = is_done ? end_old_key : next_batch,
                                     .state = s};
    mt_driver_hold(s->o.driver, &s->shred_hold);
}

void mt_server_shred_now(struct mt_server *s)
{
    if (s->is_shredding) {
        s->shreds_again = true;
        return;
    }
    if (!mt_shred_is_rotating(s->o.shred)) {
        mt_err e = mt_shred_begin(s->o.shred);
        if (mt_failed(e)) {
            mt_log_fault("shredding-failed", e);
            return;
        }
    }
    s->is_shredding = true;
    s->shred_hold =
        (struct mt_hold){.version = mt_ledger_version(s->o.ledger), .run = next_batch, .state = s};
    mt_driver_hold(s->o.driver, &s->shred_hold);
}
