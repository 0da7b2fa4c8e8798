/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_DRIVER_H
#define MT_LEDGER_DRIVER_H

#include "ledger/ledger.h"
#include "platform/loop.h"

/*
 * Drives the ledger engine on the loop: at the end of every turn it cuts the open block and gives
 * it to the disk thread; one write is under way at a time, and what is committed meanwhile makes
 * the next block. What may only leave once it is durable waits here.
 */
struct mt_driver;

/* Something held until `version` is durable. In memory of the caller, which must release it before
 * that memory goes. */
struct mt_hold {
    uint64_t version;
    void (*run)(struct mt_hold *); /* on the loop, once */
    void *state;
    bool is_held; /* below: the driver's own */
    struct mt_hold *next;
    struct mt_hold *previous;
};

struct mt_driver_options {
    struct mt_loop *loop;
    struct mt_pool *disk; /* one thread */
    struct mt_ledger *ledger;
    void (*before_cut)(
        void *state); /* the last chance of a turn to commit: the audit log's flush; may be NULL */
    void (*on_dead)(void *state,
                    mt_err why); /* a write failed: nothing leaves any more, the node must stop */
    void *state;
};

MT_ERR mt_driver_new(const struct mt_driver_options *o, struct mt_driver **out);
/* Waits for nothing: the disk pool must have ended before. */
void mt_driver_free(struct mt_driver **d);

/* Runs h->run() as soon as h->version is durable: at once if it is already. */
void mt_driver_hold(struct mt_driver *d, struct mt_hold *h);
/* Forgets it, if it is still held. */
void mt_driver_release(struct mt_driver *d, struct mt_hold *h);

bool mt_driver_is_dead(const struct mt_driver *d);
/* Nothing open and nothing under way. */
bool mt_driver_is_idle(const struct mt_driver *d);

#endif
