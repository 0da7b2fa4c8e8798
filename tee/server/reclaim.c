/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "seal/object.h"
#include "server/inside.h"

/*
 * The disk space of what was deleted. A file goes once the transaction that ended its object is
 * durable, so a crash at any point loses nothing live; what a crash leaves over, or what this list
 * has no room for, is swept at the next start. Who reads such an object now has its file open:
 * every reader that was let in before has been put in front of the object thread before this is,
 * and a file without a name stays until it is closed. A backup opens its files one by one, so it is
 * waited for. A run whose input goes has lost its owner's approval in the same transaction.
 */
static void go(struct mt_server *s);

static mt_err run_remove(struct mt_work *w)
{
    struct mt_server *s = w->state;
    return mt_object_remove(s->o.fs, &s->reclaim.objects[0]);
}

/* One file a turn, so that bodies under way are not kept waiting. */
static void removed(struct mt_work *w, mt_err e)
{
    struct mt_server *s = w->state;
    struct mt_reclaim *r = &s->reclaim;
    (void)mt_failed(e); /* what stays is swept at the next start */
    r->is_busy = false;
    r->count--;
    r->durable_count--;
    memmove(r->objects, r->objects + 1, r->count * sizeof *r->objects);
    go(s);
}

static void is_durable(struct mt_hold *h)
{
    struct mt_server *s = h->state;
    s->reclaim.durable_count = s->reclaim.held_count;
    s->reclaim.held_count = 0;
    go(s);
}

static void hold(struct mt_server *s)
{
    struct mt_reclaim *r = &s->reclaim;
    r->held_count = r->count;
    r->hold =
        (struct mt_hold){.version = mt_ledger_version(s->o.ledger), .run = is_durable, .state = s};
    mt_driver_hold(s->o.driver, &r->hold);
}

static void go(struct mt_server *s)
{
    struct mt_reclaim *r = &s->reclaim;
    if (r->is_busy || r->held_count > 0 || r->count == 0 || s->backups > 0) {
        return;
    }
    if (r->durable_count == 0) {
        hold(s);
        return;
    }
    r->work = (struct mt_work){.run = run_remove, .done = removed, .state = s};
    r->is_busy = true;
    mt_err e = mt_pool_submit(s->o.object, &r->work);
    if (mt_failed(e)) {
        mt_loop_post(s->o.loop, &r->work, e);
    }
}

void mt_reclaim_add(struct mt_server *s, const mt_id *objects, size_t count)
{
    struct mt_reclaim *r = &s->reclaim;
    size_t room = MT_RECLAIM_MAX - r->count;
    count = count < room ? count : room;
    memcpy(r->objects + r->count, objects, count * sizeof *objects);
    r->count += count;
    go(s);
}

void mt_reclaim_backup_begins(struct mt_server *s)
{
    s->backups++;
}

void mt_reclaim_backup_ends(struct mt_server *s)
{
    s->backups--;
    go(s);
}

void mt_reclaim_stop(struct mt_server *s)
{
    mt_driver_release(s->o.driver, &s->reclaim.hold);
    s->reclaim.count = 0;
}
