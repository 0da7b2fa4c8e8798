/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node.h"
#include "platform/log.h"

/*
 * Snapshots of the ledger's state, and the node's end. A snapshot is taken when so many bytes of
 * blocks would have to be replayed that a start would be felt, and once more at the end, so that
 * the next start replays next to nothing. It is a convenience: the blocks alone say everything, so
 * one that fails is mentioned and tried again later, and nothing else comes of it.
 */
enum {
    MIB = 1024 * 1024,
    UNSAVED_BYTES = 8 * MIB,         /* about a quarter of a second of a start */
    UNSAVED_BYTES_AT_END = MIB / 16, /* less is not worth a file */
    TURN_MS = 10,
    LOOK_MS = 1000,
    STUCK_MS =
        10 * 1000, /* a disk that has not answered for so long at the end is not waited for */
};

static uint64_t unsaved_bytes(const struct mt_node *n)
{
    return mt_ledger_bytes(n->ledger) - n->keeper.saved_bytes;
}

/* Writing everything again for each few blocks would wear the disk out: a snapshot waits for as
 * many bytes of blocks as the one before it had itself. */
static bool is_due(const struct mt_node *n)
{
    uint64_t bytes = unsaved_bytes(n);
    if (n->keeper.is_ending) {
        return bytes >= UNSAVED_BYTES_AT_END && !n->keeper.has_failed;
    }
    return bytes >= UNSAVED_BYTES && bytes >= n->keeper.file_bytes;
}

static mt_err run_snapshot(struct mt_work *w)
{
    struct mt_node *n = w->state;
    return mt_ledger_snapshot_run(n->keeper.snapshot);
}

static void snapshot_done(struct mt_work *w, mt_err e)
{
    struct mt_node *n = w->state;
    struct mt_keeper *k = &n->keeper;
    uint64_t bytes = 0;
    uint64_t file_bytes = 0;
    mt_ledger_snapshot_bytes(k->snapshot, &bytes, &file_bytes);
    mt_ledger_snapshot_end(n->ledger, &k->snapshot);
    k->has_failed = mt_failed(e);
    /* After a failure too: a full disk is not written to again and again. */
    k->saved_bytes = bytes;
    if (mt_failed(e)) {
        mt_log_fault("snapshot-not-written", e);
        return;
    }
    k->file_bytes = file_bytes;
    const struct mt_log_field fields[] = {{.name = "bytes", .number = file_bytes}};
    mt_log("snapshot-written", fields, sizeof fields / sizeof *fields);
}

/* MT_E_BUSY is no fault: a version is taken with the next block, and asked for again. */
static void take_snapshot(struct mt_node *n)
{
    struct mt_keeper *k = &n->keeper;
    if (k->snapshot != NULL || mt_driver_is_dead(n->driver) || !is_due(n)) {
        return;
    }
    mt_err e = mt_ledger_snapshot_begin(n->ledger, &k->snapshot);
    if (mt_failed(e)) {
        if (e.fault->code != MT_E_BUSY) {
            k->saved_bytes = mt_ledger_bytes(n->ledger);
            k->has_failed = true;
            mt_log_fault("snapshot-not-written", e);
        }
        return;
    }
    k->work = (struct mt_work){.run = run_snapshot, .done = snapshot_done, .state = n};
    e = mt_pool_submit(n->snapshots, &k->work);
    if (mt_failed(e)) {
        mt_loop_post(n->loop, &k->work, e);
    }
}

static void look(struct mt_timer *t)
{
    struct mt_node *n = t->state;
    take_snapshot(n);
    mt_timer_set(n->loop, t, LOOK_MS);
}

/* The end: what is appended becomes durable, then a last snapshot, then the loop stops. Whatever
 * does not end by itself is left to the next start, as after a crash. */
static void end_turn(struct mt_timer *t)
{
    struct mt_node *n = t->state;
    struct mt_keeper *k = &n->keeper;
    bool is_idle = mt_driver_is_idle(n->driver) && k->snapshot == NULL;
    bool is_late = mt_loop_ticks_ms(n->loop) >= k->late_ms;
    if (is_late && !is_idle) {
        mt_log("disk-does-not-answer", NULL, 0);
    }
    if (is_late || (is_idle && !is_due(n))) {
        n->is_quiet = is_idle && mt_jobs_count(n->jobs) == 0;
        mt_loop_stop(n->loop);
        return;
    }
    take_snapshot(n);
    mt_timer_set(n->loop, t, TURN_MS);
}

void mt_node_end(void *state)
{
    struct mt_node *n = state;
    struct mt_keeper *k = &n->keeper;
    if (k->is_ending) {
        return;
    }
    k->is_ending = true;
    k->late_ms = mt_loop_ticks_ms(n->loop) + STUCK_MS;
    mt_server_flush(n->server);
    mt_timer_clear(n->loop, &k->look);
    k->look.run = end_turn;
    mt_timer_set(n->loop, &k->look, 0);
}

void mt_node_start_keeper(struct mt_node *n)
{
    n->keeper.look = (struct mt_timer){.run = look, .state = n};
    mt_timer_set(n->loop, &n->keeper.look, LOOK_MS);
}
