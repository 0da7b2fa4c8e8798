/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node.h"
#include "platform/log.h"

/*
 * The folder of collateral is looked at when the node starts and every hour, on the thread that
 * makes evidence, which alone uses what is held while the node runs.
 */
enum { HOUR_MS = 60 * 60 * 1000 };

static struct mt_held_order order_of(struct mt_node *n, uint64_t now_ms)
{
    return (struct mt_held_order){.fs = n->fs,
                                  .root = n->root,
                                  .folder = n->config.collateral,
                                  .own = &n->holding.own,
                                  .now_ms = now_ms};
}

/* The last that was good stays, and is judged by itself: as long as it holds nobody is harmed. */
static mt_err look(struct mt_node *n, uint64_t now_ms)
{
    struct mt_holding *h = &n->holding;
    const struct mt_held_order o = order_of(n, now_ms);
    struct mt_trace held = {.count = 0};
    h->trace.count = 0;
    mt_err e = mt_held_take(&h->held, &o, &h->trace);
    h->is_good = !mt_failed(e) || !mt_failed(mt_held_check(&h->held, &h->own, now_ms, &held));
    return e;
}

static void tell(struct mt_node *n, mt_err e)
{
    struct mt_holding *h = &n->holding;
    const struct mt_check *why = mt_trace_failed(&h->trace);
    n->collateral = h->is_good ? MT_COLLATERAL_GOOD : MT_COLLATERAL_REFUSED;
    if (mt_failed(e)) {
        const struct mt_log_field fields[] = {
            {.name = "rule", .literal = why == NULL ? e.fault->what : why->rule},
            {.name = "mend",
             .literal = why == NULL ? "fetch it again: mesatee collateral get" : why->mend},
        };
        mt_log("collateral-not-taken", fields, sizeof fields / sizeof *fields);
    }
    if (!h->is_good) {
        const struct mt_log_field mend = {
            .name = "mend",
            .literal = "clients refuse this node until what its maker says of the machine was "
                       "fetched again: mesatee collateral get"};
        mt_log("collateral-run-out", &mend, 1);
    }
}

/* The node starts all the same: whoever verifies it says what is missing. */
MT_ERR mt_node_open_collateral(struct mt_node *n, const uint8_t report_data[MT_REPORT_DATA_LEN])
{
    struct mt_holding *h = &n->holding;
    struct mt_writer w = mt_writer_onto(&h->bytes);
    mt_bytes bytes;
    if (n->config.collateral[0] == '\0') {
        return MT_OK;
    }
    MT_TRY(mt_node_device_evidence(n, report_data, &w)); /* nothing is lent to it yet */
    MT_TRY(mt_write_end(&w, &bytes));
    MT_TRY(mt_bundle_parse(bytes, &h->own));
    MT_TRY(mt_held_open(n->fs, n->root, &h->held));
    tell(n, look(n, mt_loop_host_time_ms(n->loop)));
    return MT_OK;
}

static mt_err run(struct mt_work *w)
{
    struct mt_node *n = w->state;
    return look(n, n->holding.now_ms);
}

static void done(struct mt_work *w, mt_err e)
{
    struct mt_node *n = w->state;
    n->holding.is_under_way = false;
    tell(n, e);
}

static void turn(struct mt_timer *t)
{
    struct mt_node *n = t->state;
    struct mt_holding *h = &n->holding;
    mt_timer_set(n->loop, t, HOUR_MS);
    if (h->is_under_way) {
        return;
    }
    h->work = (struct mt_work){.run = run, .done = done, .state = n};
    h->now_ms = mt_loop_host_time_ms(n->loop);
    h->is_under_way = !mt_failed(mt_pool_submit(n->evidence, &h->work));
}

void mt_node_start_collateral(struct mt_node *n)
{
    if (n->config.collateral[0] != '\0') {
        n->holding.turn = (struct mt_timer){.run = turn, .state = n};
        mt_timer_set(n->loop, &n->holding.turn, HOUR_MS);
    }
}

void mt_node_close_collateral(struct mt_node *n)
{
    mt_held_free(&n->holding.held);
    mt_buf_free(&n->holding.bytes);
}
