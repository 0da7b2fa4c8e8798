/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/loop.h"

#include <pthread.h>
#include <unistd.h>

#include "base/assert.h"
#include "unit/runner.h"

enum { COUNT = 3 };

struct world {
    struct mt_loop *loop;
    int pipes[COUNT][2];
    struct mt_watch watches[COUNT];
    unsigned calls[COUNT];
    bool is_ended[COUNT];
    struct mt_timer end;
};

static struct world world;

static void stop(struct mt_timer *t)
{
    mt_loop_stop(((struct world *)t->state)->loop);
}

/* All pipes are readable when the loop looks for the first time. */
static void begin(void (*ready)(struct mt_watch *, unsigned))
{
    world = (struct world){.end = {.run = stop, .state = &world}};
    MT_ASSERT(!mt_failed(mt_loop_new(&world.loop)));
    for (size_t i = 0; i < COUNT; i++) {
        MT_ASSERT(pipe(world.pipes[i]) == 0);
        MT_ASSERT(write(world.pipes[i][1], "x", 1) == 1);
        world.watches[i] = (struct mt_watch){.ready = ready, .state = &world};
        MT_ASSERT(!mt_failed(
            mt_watch_begin(world.loop, &world.watches[i], world.pipes[i][0], MT_WATCH_READ)));
    }
    mt_timer_set(world.loop, &world.end, 50);
}

static void run_to_end(void)
{
    MT_ASSERT(!mt_failed(mt_loop_run(world.loop)));
    for (size_t i = 0; i < COUNT; i++) {
        if (!world.is_ended[i]) {
            mt_watch_end(world.loop, &world.watches[i]);
        }
        (void)close(world.pipes[i][0]);
        (void)close(world.pipes[i][1]);
    }
    mt_loop_free(&world.loop);
}

static void take(struct mt_watch *w, unsigned events)
{
    char byte = 0;
    MT_ASSERT((events & MT_WATCH_READ) != 0);
    MT_ASSERT(read(w->fd, &byte, 1) == 1);
    world.calls[w - world.watches]++;
}

static void all_that_is_ready_is_called_once_while_it_is_ready(void)
{
    begin(take);
    run_to_end();
    for (size_t i = 0; i < COUNT; i++) {
        MT_ASSERT(world.calls[i] == 1);
    }
}

/* As a connection that closes another: the other's watch may lie in freed memory from then on. */
static void end_all(struct mt_watch *w, unsigned events)
{
    (void)events;
    world.calls[w - world.watches]++;
    for (size_t i = 0; i < COUNT; i++) {
        MT_ASSERT(!world.is_ended[i]);
        mt_watch_end(world.loop, &world.watches[i]);
        world.is_ended[i] = true;
    }
}

static void a_watch_that_has_ended_is_not_called_though_it_was_ready(void)
{
    begin(end_all);
    run_to_end();
    MT_ASSERT(world.calls[0] + world.calls[1] + world.calls[2] == 1);
}

/* As a connection whose reply makes another one stop reading. */
static void quiet_all(struct mt_watch *w, unsigned events)
{
    (void)events;
    world.calls[w - world.watches]++;
    for (size_t i = 0; i < COUNT; i++) {
        MT_ASSERT(!mt_failed(mt_watch_change(world.loop, &world.watches[i], 0)));
    }
}

static void a_watch_is_not_told_what_it_does_not_want_any_more(void)
{
    begin(quiet_all);
    run_to_end();
    MT_ASSERT(world.calls[0] + world.calls[1] + world.calls[2] == 1);
}

enum { POSTERS = 4, POSTS = 2000 };

struct poster {
    pthread_t thread;
    struct mt_work works[POSTS];
};

static void count(struct mt_work *w, mt_err e)
{
    (void)w;
    MT_ASSERT(!mt_failed(e));
    if (++world.calls[0] == POSTERS * POSTS) {
        mt_loop_stop(world.loop);
    }
}

static void *post_all(void *state)
{
    struct poster *p = state;
    for (size_t i = 0; i < POSTS; i++) {
        p->works[i] = (struct mt_work){.done = count};
        mt_loop_post(world.loop, &p->works[i], MT_OK);
    }
    return NULL;
}

static void what_any_thread_posts_is_done(void)
{
    static struct poster posters[POSTERS];
    world = (struct world){.end = {.run = stop, .state = &world}};
    MT_ASSERT(!mt_failed(mt_loop_new(&world.loop)));
    for (size_t i = 0; i < POSTERS; i++) {
        MT_ASSERT(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]) == 0);
    }
    MT_ASSERT(!mt_failed(mt_loop_run(world.loop)));
    MT_ASSERT(world.calls[0] == POSTERS * POSTS);
    for (size_t i = 0; i < POSTERS; i++) {
        (void)pthread_join(posters[i].thread, NULL);
    }
    mt_loop_free(&world.loop);
}

static void turn(void *state)
{
    (void)state;
    world.calls[1]++;
}

static void count_one(struct mt_work *w, mt_err e)
{
    (void)w;
    MT_ASSERT(!mt_failed(e));
    world.calls[0]++;
}

static void the_loop_sleeps_again_after_a_wake(void)
{
    enum { TURNS_MAX = 100 }; /* it takes a few, and thousands if it never sleeps */
    static struct mt_work w = {.done = count_one};
    world = (struct world){.end = {.run = stop, .state = &world}};
    MT_ASSERT(!mt_failed(mt_loop_new(&world.loop)));
    mt_loop_set_turn_end(world.loop, turn, NULL);
    mt_loop_post(world.loop, &w, MT_OK);
    mt_timer_set(world.loop, &world.end, 50);
    MT_ASSERT(!mt_failed(mt_loop_run(world.loop)));
    MT_ASSERT(world.calls[0] == 1 && world.calls[1] < TURNS_MAX);
    mt_loop_free(&world.loop);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(all_that_is_ready_is_called_once_while_it_is_ready),
        MT_TEST(a_watch_that_has_ended_is_not_called_though_it_was_ready),
        MT_TEST(a_watch_is_not_told_what_it_does_not_want_any_more),
        MT_TEST(what_any_thread_posts_is_done),
        MT_TEST(the_loop_sleeps_again_after_a_wake),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
