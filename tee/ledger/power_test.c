/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Power fails at any call, in start, write, new chunk and snapshot, again and again: what was
 * acknowledged is there, what is there was committed, in order, and the tree goes on from the head
 * that a client last saw. Each round is made from its number; a failing one is run alone by giving
 * it as the argument, and others by giving the first and how many. */
#include "crypto/merkle.h"
#include "ledger/ledger.h"
#include "ledger/world_test.h"
#include "unit/runner.h"

enum { LIVES = 5 };

static uint64_t first_round, rounds = 2000;

struct round {
    struct world w;
    struct mt_sim_disk *disk;
    uint64_t seed;
    uint64_t next;  /* number of the next put */
    uint64_t acked; /* puts below this are acknowledged */
    uint64_t head;  /* what a client was shown last */
    mt_hash root;
};

static uint64_t below(struct round *r, uint64_t n)
{
    return world_next(&r->seed) % n;
}

static void show_head(struct round *r, struct mt_ledger *l)
{
    r->acked = r->next;
    OK(mt_ledger_head(l, &r->head, &r->root));
}

static mt_err snapshot(struct mt_ledger *l)
{
    struct mt_ledger_snapshot *s = NULL;
    MT_TRY(mt_ledger_snapshot_begin(l, &s));
    mt_err e = mt_ledger_snapshot_run(s);
    mt_ledger_snapshot_end(l, &s);
    return e;
}

/* Until the power fails, or enough. */
static void live(struct round *r, struct mt_ledger *l)
{
    for (uint64_t block = below(r, 12); block > 0; block--) {
        for (uint64_t puts = 1 + below(r, 4); puts > 0; puts--) {
            OK(world_put(&r->w, l, r->next, (uint8_t)(r->next % 250 + 1), 1 + below(r, 1500)));
            r->next++;
        }
        if (mt_failed(world_write(l))) {
            return;
        }
        show_head(r, l);
        if (below(r, 6) == 0 && mt_failed(snapshot(l))) {
            return;
        }
    }
}

static void is_whole(struct round *r, struct mt_ledger *l)
{
    uint64_t there = 0;
    while (world_get(&r->w, l, there) == there % 250 + 1) {
        there++;
    }
    MT_ASSERT(there >= r->acked && there <= r->next);
    for (uint64_t i = there; i < r->next; i++) {
        MT_ASSERT(world_get(&r->w, l, i) == 0);
    }
    r->next = there;
    uint64_t size = 0;
    mt_hash root;
    mt_hash path[MT_MERKLE_PATH_MAX];
    size_t count = 0;
    OK(mt_ledger_head(l, &size, &root));
    if (r->head > 0) {
        OK(mt_ledger_consistency(l, r->head, size, path, &count));
        OK(mt_merkle_check_consistency(&(struct mt_merkle_head){r->head, r->root},
                                       &(struct mt_merkle_head){size, root}, path, count));
    }
    MT_ASSERT(!r->w.report.snapshot_refused);
    show_head(r, l);
}

static mt_err create_or_open(struct round *r, struct mt_ledger **out)
{
    mt_err e = world_open(&r->w, out);
    return mt_failed(e) && e.fault->code == MT_E_NOTFOUND ? world_create(&r->w, out) : e;
}

static void run_round(uint64_t number)
{
    struct round r = {
        .w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS, .chunk_bytes = 8192},
        .seed = number * 2654435761U + 1,
    };
    r.disk = world_disks[world_find(r.w.fs)];
    for (uint64_t i = 0; i < LIVES; i++) {
        struct mt_ledger *l = NULL;
        uint64_t calls = 1 + below(&r, 60);
        mt_sim_disk_fault(r.disk, MT_SIM_POWER, mt_sim_disk_calls(r.disk) + calls);
        if (!mt_failed(create_or_open(&r, &l))) {
            is_whole(&r, l);
            live(&r, l);
            mt_ledger_free(&l);
        }
        uint64_t what = below(&r, 8);
        mt_sim_disk_restart(r.disk, what == 0   ? 0
                                    : what == 1 ? UINT64_MAX
                                                : below(&r, 1U << 30) + 1);
    }
    struct mt_ledger *l = NULL;
    OK(create_or_open(&r, &l));
    is_whole(&r, l);
    mt_ledger_free(&l);
    world_disk_done(&r.w.fs);
}

static void after_power_loss_everything_acknowledged_is_there(void)
{
    for (uint64_t number = 0; number < rounds; number++) {
        run_round(first_round + number);
    }
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(after_power_loss_everything_acknowledged_is_there),
    };
    int result = 0;
    OK(mt_crypto_init(world_entropy, NULL));
    if (argc >= 2) {
        first_round = strtoull(argv[1], NULL, 10);
        rounds = argc == 3 ? strtoull(argv[2], NULL, 10) : 1;
    }
    result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
