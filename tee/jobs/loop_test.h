/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_JOBS_LOOP_TEST_H
#define MT_JOBS_LOOP_TEST_H

#include <stdlib.h>

#include "gate/acts_test.h"
#include "platform/loop.h"

/*
 * A loop and its pools without threads, in place of platform/loop.c: nothing moves but when a test
 * says so, so it can stand between any two steps of a job. Whoever includes this links neither.
 */
struct mt_pool {
    struct mt_work *first;
    struct mt_work **end;
    bool is_full;
};

struct mt_loop {
    void (*turn_end)(void *state);
    void *turn_end_state;
    struct mt_timer *timers;
    struct mt_pool posted;
};

static struct mt_loop loop;
static struct mt_pool disk_pool;
static struct mt_pool compute_pool;

static inline void pool_reset(struct mt_pool *p)
{
    p->first = NULL;
    p->end = &p->first;
    p->is_full = false;
}

static inline void pool_push(struct mt_pool *p, struct mt_work *w)
{
    w->next = NULL;
    *p->end = w;
    p->end = &w->next;
}

static inline struct mt_work *pool_pop(struct mt_pool *p)
{
    struct mt_work *w = p->first;
    if (w != NULL) {
        p->first = w->next;
        if (p->first == NULL) {
            p->end = &p->first;
        }
    }
    return w;
}

uint64_t mt_loop_ticks_ms(const struct mt_loop *l)
{
    (void)l;
    return now_ms;
}

uint64_t mt_loop_host_time_ms(const struct mt_loop *l)
{
    (void)l;
    return now_ms;
}

void mt_loop_set_turn_end(struct mt_loop *l, void (*run)(void *state), void *state)
{
    l->turn_end = run;
    l->turn_end_state = state;
}

void mt_loop_post(struct mt_loop *l, struct mt_work *w, mt_err e)
{
    w->result = e;
    pool_push(&l->posted, w);
}

MT_ERR mt_pool_submit(struct mt_pool *p, struct mt_work *w)
{
    MT_REQUIRE(!p->is_full, MT_E_BUSY, "the pool is full, says the test");
    pool_push(p, w);
    return MT_OK;
}

void mt_timer_clear(struct mt_loop *l, struct mt_timer *t)
{
    for (struct mt_timer **at = &l->timers; *at != NULL; at = &(*at)->next) {
        if (*at == t) {
            *at = t->next;
            break;
        }
    }
    t->is_set = false;
}

void mt_timer_set(struct mt_loop *l, struct mt_timer *t, uint64_t after_ms)
{
    mt_timer_clear(l, t);
    t->due_ms = now_ms + after_ms;
    t->is_set = true;
    t->next = l->timers;
    l->timers = t;
}

/* What is due by the test's clock. */
static inline void run_timers(void)
{
    struct mt_timer *t = loop.timers;
    while (t != NULL) {
        if (t->due_ms <= now_ms) {
            mt_timer_clear(&loop, t);
            t->run(t);
            t = loop.timers;
        } else {
            t = t->next;
        }
    }
}

static inline void run_posted(void)
{
    for (struct mt_work *w = pool_pop(&loop.posted); w != NULL; w = pool_pop(&loop.posted)) {
        w->done(w, w->result);
    }
}

/* One turn: timers, what was posted, the cut, and what the disk does with it: whatever was
 * committed before is durable afterwards. */
static inline void turn(void)
{
    run_timers();
    run_posted();
    loop.turn_end(loop.turn_end_state);
    for (struct mt_work *w = pool_pop(&disk_pool); w != NULL; w = pool_pop(&disk_pool)) {
        w->done(w, w->run(w));
    }
}

/* The first half of what a worker does; false if there is nothing to do. */
static struct mt_work *working;
static inline bool work(void)
{
    working = pool_pop(&compute_pool);
    if (working != NULL) {
        working->result = working->run(working);
    }
    return working != NULL;
}

/* The second, on the loop. */
static inline void work_done(void)
{
    struct mt_work *w = working;
    working = NULL;
    w->done(w, w->result);
    turn();
}

static inline void work_all(void)
{
    while (work()) {
        work_done();
    }
}

static inline void loop_begin(void)
{
    memset(&loop, 0, sizeof loop);
    pool_reset(&loop.posted);
    pool_reset(&disk_pool);
    pool_reset(&compute_pool);
}

#endif
