/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "platform/log.h"
#include "server/peers.h"

/*
 * The node's evidence for one connection. A device makes one at a time and takes its time over it,
 * so this happens on a thread of its own, and strangers share what a node can spare.
 */
enum { STRANGERS_AT_ONCE = 16 };

struct showing {
    struct mt_work work;
    struct mt_conn *conn;
    mt_showing_end *shown;
    uint8_t report_data[MT_REPORT_DATA_LEN];
    struct mt_buf evidence;
};

static bool is_known(struct mt_server *s, const mt_hash *subject)
{
    struct mt_tx *tx = NULL;
    if (mt_failed(
            mt_ledger_begin(s->o.ledger, mt_gate_maps, mt_ledger_time_ms(s->o.ledger), &tx))) {
        return false;
    }
    bool knows = mt_gate_knows(s->o.gate, tx, subject);
    mt_ledger_abort(s->o.ledger, &tx);
    return knows;
}

/* So many a second, and a few at once. `until_ms`: until then what there is is spoken for. */
static bool is_spared(const struct mt_server *s, uint64_t rate, uint64_t *until_ms)
{
    uint64_t now_ms = mt_loop_ticks_ms(s->o.loop);
    uint64_t step_ms = 1000 / rate;
    uint64_t from_ms = *until_ms > now_ms ? *until_ms : now_ms;
    if (from_ms - now_ms > (STRANGERS_AT_ONCE - 1) * step_ms) {
        return false;
    }
    *until_ms = from_ms + step_ms;
    return true;
}

/* Strangers share a rate; whoever is somebody here waits for nobody. */
MT_ERR mt_showing_admit(struct mt_conn *c)
{
    struct mt_server *s = c->server;
    uint64_t rate = s->o.facts.strangers_per_s;
    if (rate == 0 || is_known(s, &mt_channel_peer(c->channel)->subject)) {
        return MT_OK;
    }
    MT_REQUIRE(is_spared(s, rate, &s->strangers_ms), MT_E_BUSY,
               "too many strangers ask for evidence");
    return MT_OK;
}

MT_ERR mt_showing_admit_asker(struct mt_server *s)
{
    MT_REQUIRE(is_spared(s, s->o.handovers_per_s, &s->handovers_ms), MT_E_BUSY,
               "too many ask for keys");
    return MT_OK;
}

static mt_err run(struct mt_work *w)
{
    struct showing *x = w->state;
    const struct mt_server_options *o = &x->conn->server->o;
    mt_bytes evidence;
    struct mt_writer writer = mt_writer_onto(&x->evidence);
    MT_TRY(o->evidence(o->evidence_state, x->report_data, &writer));
    return mt_write_end(&writer, &evidence);
}

static void showing_free(struct showing **x)
{
    if (*x != NULL) {
        mt_buf_free(&(*x)->evidence);
        free(*x);
        *x = NULL;
    }
}

static void done(struct mt_work *w, mt_err e)
{
    MT_DEFER(showing_free) struct showing *x = w->state;
    if (mt_conn_work_ends(x->conn)) {
        x->shown(x->conn, e, &x->evidence);
    }
}

MT_ERR mt_showing_begin(struct mt_conn *c, const uint8_t report_data[MT_REPORT_DATA_LEN],
                        mt_showing_end *shown)
{
    MT_DEFER(showing_free) struct showing *x = NULL;
    MT_TRY(mt_showing_admit(c));
    x = calloc(1, sizeof *x);
    MT_REQUIRE(x != NULL, MT_E_NOMEM, "no memory for evidence");
    x->work = (struct mt_work){.run = run, .done = done, .state = x};
    x->conn = c;
    x->shown = shown;
    x->evidence = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    memcpy(x->report_data, report_data, sizeof x->report_data);
    MT_TRY(mt_pool_submit(c->server->o.evidence_pool, &x->work));
    mt_conn_work_begins(c);
    x = NULL; /* it comes back to done() */
    return MT_OK;
}

static void shown_to_channel(struct mt_conn *c, mt_err e, struct mt_buf *evidence)
{
    if (mt_failed(e)) {
        mt_log_fault("no-evidence", e);
    } else {
        const struct mt_shown shown = {.format = c->server->o.facts.format,
                                       .evidence = mt_buf_bytes(evidence)};
        e = mt_channel_put_evidence(c->channel, &shown);
    }
    if (mt_failed(e)) {
        c->server->handshakes_failed++;
        mt_conn_close(c);
        return;
    }
    mt_conn_pump(c);
}

MT_ERR mt_showing_to_channel(struct mt_conn *c)
{
    uint8_t report_data[MT_REPORT_DATA_LEN];
    if (c->is_showing || !mt_channel_wants_evidence(c->channel, report_data)) {
        return MT_OK;
    }
    MT_TRY(mt_showing_begin(c, report_data, shown_to_channel));
    c->is_showing = true;
    return MT_OK;
}
