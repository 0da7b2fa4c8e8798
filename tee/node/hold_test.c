/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node/held_world_test.h"
#include "node/node.h"
#include "platform/log.h"

/*
 * The node's hours: loop, pool, clock and log are this test's, so that a year takes no time and
 * work ends when a test says so. The machine is a real one's quote.
 */
enum { HOUR_MS = 60 * 60 * 1000 };

static struct mt_node node;
static struct mt_timer *set_timer;
static uint64_t due_ms;
static struct mt_work *waiting;
static bool is_full;
static unsigned not_taken;
static unsigned run_out;

uint64_t mt_loop_host_time_ms(const struct mt_loop *l)
{
    (void)l;
    return now_ms;
}

void mt_timer_set(struct mt_loop *l, struct mt_timer *t, uint64_t after_ms)
{
    (void)l;
    set_timer = t;
    due_ms = now_ms + after_ms;
}

MT_ERR mt_pool_submit(struct mt_pool *p, struct mt_work *w)
{
    (void)p;
    MT_REQUIRE(!is_full, MT_E_BUSY, "the pool is full, says the test");
    MT_ASSERT(waiting == NULL);
    waiting = w;
    return MT_OK;
}

/* Whoever runs the node reads no more than this. */
void mt_log(const char *event, const struct mt_log_field *fields, size_t count)
{
    not_taken += strcmp(event, "collateral-not-taken") == 0 ? 1 : 0;
    run_out += strcmp(event, "collateral-run-out") == 0 ? 1 : 0;
    MT_ASSERT(count > 0);
    MT_ASSERT(strcmp(fields[count - 1].name, "mend") == 0 && fields[count - 1].literal != NULL);
}

void mt_log_fault(const char *event, mt_err e)
{
    (void)event;
    MT_ASSERT(!mt_failed(e));
}

mt_err mt_node_device_evidence(const struct mt_node *n, const uint8_t asked[MT_REPORT_DATA_LEN],
                               struct mt_writer *w)
{
    struct mt_bundle b = own;
    MT_ASSERT(n == &node && asked == report_data);
    mt_held_lend(&n->holding.held, &b.evidence.collateral);
    mt_bundle_write(w, &b);
    return w->failed;
}

/* Until the next look, and the look itself if the pool takes it. */
static void pass_an_hour(void)
{
    now_ms += HOUR_MS;
    MT_ASSERT(set_timer == &node.holding.turn && due_ms == now_ms);
    set_timer = NULL;
    node.holding.turn.run(&node.holding.turn);
    MT_ASSERT(set_timer != NULL); /* and again in an hour, whatever comes of this */
}

static void work(void)
{
    struct mt_work *w = waiting;
    waiting = NULL;
    w->done(w, w->run(w));
}

static void look(void)
{
    pass_an_hour();
    work();
}

static void node_begin(void)
{
    begin();
    node = (struct mt_node){.fs = fs, .root = root};
    (void)snprintf(node.config.collateral, sizeof node.config.collateral, "%s", folder);
    node.holding.bytes = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    set_timer = NULL;
    waiting = NULL;
    is_full = false;
    not_taken = 0;
    run_out = 0;
}

static void node_start(void)
{
    OK(mt_node_open_collateral(&node, report_data));
    mt_node_start_collateral(&node);
}

static void node_end(void)
{
    mt_node_close_collateral(&node);
    end();
}

static mt_err shown(void)
{
    return verify_shown(&node.holding.held);
}

static void what_was_fetched_is_taken_within_the_hour(void)
{
    node_begin();
    clear();
    node_start();
    MT_ASSERT(node.collateral == MT_COLLATERAL_REFUSED && not_taken == 1 && run_out == 1);
    MT_ASSERT(mt_failed(shown()));
    fetch(set);
    pass_an_hour();
    MT_ASSERT(node.collateral == MT_COLLATERAL_REFUSED); /* not before it was looked at */
    work();
    MT_ASSERT(node.collateral == MT_COLLATERAL_GOOD && not_taken == 1 && run_out == 1);
    OK(shown());
    MT_DEFER(mt_held_free) struct mt_held sealed = opened();
    OK(verify_shown(&sealed));
    node_end();
}

/* A folder that somebody has spoilt, or emptied, is said, and harms nobody while the last holds. */
static void rubbish_in_the_folder_takes_nothing_away(void)
{
    node_begin();
    node_start();
    MT_ASSERT(node.collateral == MT_COLLATERAL_GOOD && not_taken == 0);
    put(names[0], MT_LITERAL("{}"));
    look();
    MT_ASSERT(node.collateral == MT_COLLATERAL_GOOD && not_taken == 1 && run_out == 0);
    OK(shown());
    fetch(other_set); /* of another machine */
    look();
    MT_ASSERT(node.collateral == MT_COLLATERAL_GOOD && not_taken == 2);
    clear();
    look();
    MT_ASSERT(node.collateral == MT_COLLATERAL_GOOD && not_taken == 3);
    OK(shown());
    fetch(set);
    look();
    MT_ASSERT(node.collateral == MT_COLLATERAL_GOOD && not_taken == 3 && run_out == 0);
    node_end();
}

static void what_runs_out_while_the_node_runs_is_said_and_mended(void)
{
    node_begin();
    uint64_t began_ms = now_ms;
    node_start();
    now_ms += (uint64_t)400 * DAY_MS;
    due_ms = now_ms + HOUR_MS;
    look();
    MT_ASSERT(node.collateral == MT_COLLATERAL_REFUSED && not_taken == 1 && run_out == 1);
    look();
    MT_ASSERT(run_out == 2); /* each hour: nobody has mended it */
    now_ms = began_ms;       /* what is fetched then is good then */
    due_ms = now_ms + HOUR_MS;
    look();
    MT_ASSERT(node.collateral == MT_COLLATERAL_GOOD && run_out == 2);
    node_end();
}

/* An hour in which the thread is busy, or has not ended with the one before, is passed over. */
static void an_hour_without_room_is_made_up_for(void)
{
    node_begin();
    clear();
    node_start();
    fetch(set);
    is_full = true;
    pass_an_hour();
    is_full = false;
    MT_ASSERT(waiting == NULL && node.collateral == MT_COLLATERAL_REFUSED);
    pass_an_hour();
    pass_an_hour(); /* the pool would have been given the same work twice */
    work();
    MT_ASSERT(node.collateral == MT_COLLATERAL_GOOD);
    look();
    MT_ASSERT(waiting == NULL && node.collateral == MT_COLLATERAL_GOOD);
    node_end();
}

static void without_a_folder_nothing_is_looked_at(void)
{
    node_begin();
    node.config.collateral[0] = '\0';
    node_start();
    MT_ASSERT(set_timer == NULL && node.collateral == MT_COLLATERAL_NONE && not_taken == 0);
    node_end();
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(what_was_fetched_is_taken_within_the_hour),
        MT_TEST(rubbish_in_the_folder_takes_nothing_away),
        MT_TEST(what_runs_out_while_the_node_runs_is_said_and_mended),
        MT_TEST(an_hour_without_room_is_made_up_for),
        MT_TEST(without_a_folder_nothing_is_looked_at),
    };
    MT_ASSERT(mkdtemp(folder) != NULL);
    return held_main(argc, argv, tests, sizeof tests / sizeof *tests);
}
