/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/driver.h"

#include <stdlib.h>

#include "base/assert.h"

struct mt_driver {
    struct mt_driver_options o;
    struct mt_work work;
    struct mt_ledger_write *write; /* under way */
    bool is_dead;
    struct mt_hold first; /* ring, in order of version */
};

static mt_err run_write(struct mt_work *w)
{
    struct mt_driver *d = w->state;
    return mt_ledger_write_run(d->write);
}

static void release_durable(struct mt_driver *d)
{
    uint64_t durable = mt_ledger_durable(d->o.ledger);
    while (d->first.next != &d->first && d->first.next->version <= durable) {
        struct mt_hold *h = d->first.next;
        mt_driver_release(d, h);
        h->run(h);
    }
}

static void die(struct mt_driver *d, mt_err why)
{
    d->is_dead = true;
    d->o.on_dead(d->o.state, why);
}

static void end_write(struct mt_work *w, mt_err e)
{
    struct mt_driver *d = w->state;
    mt_err result = mt_ledger_written(d->o.ledger, &d->write, e);
    if (mt_failed(result)) {
        die(d, result);
        return;
    }
    release_durable(d);
}

static void end_turn(void *state)
{
    struct mt_driver *d = state;
    if (d->is_dead) {
        return;
    }
    if (d->o.before_cut != NULL) {
        d->o.before_cut(d->o.state);
    }
    if (d->write != NULL) {
        return;
    }
    mt_err e = mt_ledger_cut(d->o.ledger, &d->write);
    if (!mt_failed(e) && d->write != NULL) {
        e = mt_pool_submit(d->o.disk, &d->work);
    }
    if (mt_failed(e)) {
        die(d, e);
    }
}

MT_ERR mt_driver_new(const struct mt_driver_options *o, struct mt_driver **out)
{
    struct mt_driver *d = calloc(1, sizeof *d);
    MT_REQUIRE(d != NULL, MT_E_NOMEM, "no memory for the ledger's driver");
    d->o = *o;
    d->work = (struct mt_work){.run = run_write, .done = end_write, .state = d};
    d->first.next = &d->first;
    d->first.previous = &d->first;
    mt_loop_set_turn_end(o->loop, end_turn, d);
    *out = d;
    return MT_OK;
}

void mt_driver_free(struct mt_driver **d)
{
    free(*d);
    *d = NULL;
}

void mt_driver_hold(struct mt_driver *d, struct mt_hold *h)
{
    MT_ASSERT(!h->is_held);
    if (d->is_dead) {
        return; /* nothing leaves any more; whoever waits is closed by the node's stop */
    }
    if (h->version <= mt_ledger_durable(d->o.ledger)) {
        h->run(h);
        return;
    }
    /* Versions only grow, so the place is nearly always the end. */
    struct mt_hold *before = d->first.previous;
    while (before != &d->first && before->version > h->version) {
        before = before->previous;
    }
    h->previous = before;
    h->next = before->next;
    before->next->previous = h;
    before->next = h;
    h->is_held = true;
}

void mt_driver_release(struct mt_driver *d, struct mt_hold *h)
{
    (void)d;
    if (h->is_held) {
        h->previous->next = h->next;
        h->next->previous = h->previous;
        h->is_held = false;
    }
}

bool mt_driver_is_dead(const struct mt_driver *d)
{
    return d->is_dead;
}

bool mt_driver_is_idle(const struct mt_driver *d)
{
    return d->write == NULL && mt_ledger_version(d->o.ledger) == mt_ledger_durable(d->o.ledger);
}
