/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_LOOP_H
#define MT_PLATFORM_LOOP_H

#include "base/bytes.h"

/*
 * The event loop: one thread owns it and every connection, the gate, the handlers and the ledger's
 * state. Nothing called from here blocks. Other threads reach it by mt_loop_post() alone.
 */
struct mt_loop;

MT_ERR mt_loop_new(struct mt_loop **out);
void mt_loop_free(struct mt_loop **loop);

/* Runs until mt_loop_stop(); false when a system call of the loop itself failed. */
MT_ERR mt_loop_run(struct mt_loop *loop);
void mt_loop_stop(struct mt_loop *loop);

/* Monotonic milliseconds, as of the start of this turn of the loop. */
uint64_t mt_loop_ticks_ms(const struct mt_loop *loop);
/* What the host claims the time is: milliseconds since 1970. */
uint64_t mt_loop_host_time_ms(const struct mt_loop *loop);

/* Called after all events of a turn: where the ledger cuts its block. One only. */
void mt_loop_set_turn_end(struct mt_loop *loop, void (*run)(void *state), void *state);

/* A one-shot timer in memory of the caller. */
struct mt_timer {
    void (*run)(struct mt_timer *);
    void *state;
    uint64_t due_ms; /* below this line: the loop's own */
    bool is_set;
    struct mt_timer *next;
    struct mt_timer *previous;
};
void mt_timer_set(struct mt_loop *loop, struct mt_timer *t, uint64_t after_ms);
void mt_timer_clear(struct mt_loop *loop, struct mt_timer *t);

/* A descriptor, watched edge by edge as asked. Owned by the caller until mt_watch_end(), which does
 * not close it. */
enum { MT_WATCH_READ = 1, MT_WATCH_WRITE = 2 };
struct mt_watch {
    void (*ready)(struct mt_watch *, unsigned events); /* MT_WATCH_...; both on error or hang-up */
    void *state;
    int fd;
    unsigned wanted; /* the loop's own */
};
MT_ERR mt_watch_begin(struct mt_loop *loop, struct mt_watch *w, int fd,
                      unsigned events); /* level triggered */
MT_ERR mt_watch_change(struct mt_loop *loop, struct mt_watch *w, unsigned events);
void mt_watch_end(struct mt_loop *loop, struct mt_watch *w);

/* A piece of work that moves between threads; lives in memory of whoever made it. */
struct mt_work {
    mt_err (*run)(struct mt_work *);          /* on a thread of the pool */
    void (*done)(struct mt_work *, mt_err e); /* on the loop, with what run() returned */
    void *state;
    mt_err result;
    struct mt_work *next;
};

/* From any thread: w->done(w, e) will be called on the loop. */
void mt_loop_post(struct mt_loop *loop, struct mt_work *w, mt_err e);

/*
 * A fixed pool of threads with one bounded queue, first come first served. The node has five:
 * "disk" (one thread: ledger writes, in order), "object" (one: sealed objects), "compute" (k:
 * jobs), "snapshot" (one), "evidence" (one: what a device says takes its time).
 */
struct mt_pool;
MT_ERR mt_pool_new(struct mt_loop *loop, const char *name, size_t threads, size_t queue_max,
                   struct mt_pool **out);
/* MT_E_BUSY when the queue is full. */
MT_ERR mt_pool_submit(struct mt_pool *pool, struct mt_work *w);
size_t mt_pool_waiting(struct mt_pool *pool);
/* Waits for what runs; what waits is given back through done() with MT_E_CLOSED. */
void mt_pool_free(struct mt_pool **pool);

#endif
