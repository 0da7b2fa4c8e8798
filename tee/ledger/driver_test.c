/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/driver.h"

#include "ledger/world_test.h"
#include "unit/runner.h"

/* A loop and a disk thread that move when a test says so. Whoever links this links no platform/. */
struct mt_loop {
    void (*turn_end)(void *state);
    void *state;
};

struct mt_pool {
    struct mt_work *work; /* under way: the driver gives one at a time */
};

void mt_loop_set_turn_end(struct mt_loop *l, void (*run)(void *state), void *state)
{
    *l = (struct mt_loop){run, state};
}

MT_ERR mt_pool_submit(struct mt_pool *p, struct mt_work *w)
{
    MT_ASSERT(p->work == NULL);
    p->work = w;
    return MT_OK;
}

enum { HOLDS = 4 };

struct driven {
    struct world w;
    struct mt_loop loop;
    struct mt_pool disk;
    struct mt_ledger *ledger;
    struct mt_driver *driver;
    struct mt_hold holds[HOLDS];
    size_t left[HOLDS]; /* in which order they did */
    size_t left_count;
    size_t deaths;
};

static void on_dead(void *state, mt_err why)
{
    struct driven *n = state;
    MT_ASSERT(mt_failed(why));
    n->deaths++;
}

static void leave(struct mt_hold *h)
{
    struct driven *n = h->state;
    MT_ASSERT(h->version <= mt_ledger_durable(n->ledger)); /* what it is all about */
    n->left[n->left_count++] = (size_t)(h - n->holds);
}

static void begin(struct driven *n)
{
    *n = (struct driven){.w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS}};
    OK(world_create(&n->w, &n->ledger));
    const struct mt_driver_options o = {&n->loop, &n->disk, n->ledger, NULL, on_dead, n};
    OK(mt_driver_new(&o, &n->driver));
}

static void end(struct driven *n)
{
    mt_driver_free(&n->driver);
    mt_ledger_free(&n->ledger);
    world_disk_done(&n->w.fs);
}

static void put(struct driven *n, uint64_t number)
{
    OK(world_put(&n->w, n->ledger, number, 1, 10));
}

/* Until `version`, `more` than what the ledger has now. */
static void hold(struct driven *n, size_t i, uint64_t more)
{
    n->holds[i] =
        (struct mt_hold){.version = mt_ledger_version(n->ledger) + more, .run = leave, .state = n};
    mt_driver_hold(n->driver, &n->holds[i]);
}

static void turn_end(struct driven *n)
{
    n->loop.turn_end(n->loop.state);
}

/* The disk is done, well or badly. */
static void disk_returns(struct driven *n, mt_err e)
{
    struct mt_work *w = n->disk.work;
    MT_ASSERT(w != NULL);
    n->disk.work = NULL;
    w->done(w, mt_failed(e) ? e : w->run(w));
}

static mt_err disk_failed(void)
{
    MT_FAIL(MT_E_IO, "the disk has failed");
}

static void nothing_leaves_before_its_version_is_durable(void)
{
    struct driven n;
    begin(&n);
    put(&n, 1);
    hold(&n, 0, 0);
    MT_ASSERT(n.left_count == 0 && !mt_driver_is_idle(n.driver));
    turn_end(&n); /* the write is under way, perhaps for ever */
    turn_end(&n);
    turn_end(&n);
    MT_ASSERT(n.left_count == 0 && n.holds[0].is_held);
    disk_returns(&n, MT_OK);
    MT_ASSERT(n.left_count == 1 && !n.holds[0].is_held && mt_driver_is_idle(n.driver));
    hold(&n, 1, 0); /* of what is durable already */
    MT_ASSERT(n.left_count == 2);
    end(&n);
}

static void what_is_committed_while_a_write_is_under_way_waits_for_the_next(void)
{
    struct driven n;
    begin(&n);
    put(&n, 1);
    hold(&n, 0, 0);
    turn_end(&n);
    put(&n, 2);
    hold(&n, 1, 0);
    turn_end(&n);
    disk_returns(&n, MT_OK);
    MT_ASSERT(n.left_count == 1 && n.left[0] == 0);
    turn_end(&n);
    disk_returns(&n, MT_OK);
    MT_ASSERT(n.left_count == 2 && n.left[1] == 1);
    end(&n);
}

static void what_is_held_leaves_in_the_order_of_its_versions(void)
{
    struct driven n;
    begin(&n);
    hold(&n, 0, 3);
    hold(&n, 1, 1);
    hold(&n, 2, 2);
    hold(&n, 3, 1);
    for (uint64_t i = 0; i < 3; i++) {
        put(&n, i);
    }
    turn_end(&n);
    disk_returns(&n, MT_OK);
    static const size_t order[HOLDS] = {1, 3, 2, 0};
    MT_ASSERT(n.left_count == HOLDS &&
              mt_bytes_equal((mt_bytes){(const uint8_t *)n.left, sizeof n.left},
                             (mt_bytes){(const uint8_t *)order, sizeof order}));
    end(&n);
}

static void after_a_write_that_failed_nothing_leaves_any_more(void)
{
    struct driven n;
    begin(&n);
    put(&n, 1);
    hold(&n, 0, 0);
    turn_end(&n);
    disk_returns(&n, disk_failed());
    MT_ASSERT(n.left_count == 0 && n.deaths == 1 && mt_driver_is_dead(n.driver));
    hold(&n, 1, 0);
    n.holds[2] = (struct mt_hold){.version = 1, .run = leave, .state = &n};
    mt_driver_hold(n.driver, &n.holds[2]); /* not even what was durable before */
    turn_end(&n);
    MT_ASSERT(n.left_count == 0 && n.disk.work == NULL && n.deaths == 1);
    end(&n);
}

static void what_was_released_does_not_leave(void)
{
    struct driven n;
    begin(&n);
    put(&n, 1);
    hold(&n, 0, 0);
    hold(&n, 1, 0);
    mt_driver_release(n.driver, &n.holds[0]);
    mt_driver_release(n.driver, &n.holds[0]); /* as often as one likes */
    turn_end(&n);
    disk_returns(&n, MT_OK);
    MT_ASSERT(n.left_count == 1 && n.left[0] == 1);
    end(&n);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(nothing_leaves_before_its_version_is_durable),
        MT_TEST(what_is_committed_while_a_write_is_under_way_waits_for_the_next),
        MT_TEST(what_is_held_leaves_in_the_order_of_its_versions),
        MT_TEST(after_a_write_that_failed_nothing_leaves_any_more),
        MT_TEST(what_was_released_does_not_leave),
    };
    OK(mt_crypto_init(world_entropy, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
