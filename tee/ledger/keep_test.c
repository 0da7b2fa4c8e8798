/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Snapshots: a start from one finds what a full replay finds, and a bad one does no harm. */
#include <pthread.h>

#include "crypto/merkle.h"
#include "ledger/ledger.h"
#include "ledger/sector.h"
#include "ledger/world_test.h"
#include "unit/runner.h"

static bool fails_with(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

static void take_snapshot(struct mt_ledger *l)
{
    struct mt_ledger_snapshot *s = NULL;
    OK(mt_ledger_snapshot_begin(l, &s));
    OK(mt_ledger_snapshot_run(s));
    mt_ledger_snapshot_end(l, &s);
    MT_ASSERT(s == NULL);
}

static const char *snapshot_name(uint64_t txid)
{
    static char name[64];
    (void)snprintf(name, sizeof name, "snapshot/%020llu.mts", (unsigned long long)txid);
    return name;
}

static void put_many(struct world *w, struct mt_ledger *l, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        OK(world_put(w, l, i, (uint8_t)(i % 250 + 1), 60));
        if (i % 5 == 0) {
            OK(world_write(l));
        }
    }
    OK(world_write(l));
}

static void has_many(struct world *w, struct mt_ledger *l, uint64_t to)
{
    for (uint64_t i = 0; i < to; i++) {
        MT_ASSERT(world_get(w, l, i) == i % 250 + 1);
    }
    MT_ASSERT(world_get(w, l, to) == 0);
}

static mt_err count_event(void *state, uint64_t txid, mt_bytes event, bool *is_enough)
{
    uint64_t *count = state;
    (void)txid;
    (void)event;
    (void)is_enough;
    ++*count;
    return MT_OK;
}

static void a_start_from_a_snapshot_finds_what_a_replay_finds(void)
{
    struct world w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS, .chunk_bytes = 16384};
    struct mt_ledger *l = NULL;
    const mt_id topic = {"the test's topic"};
    mt_hash roots[2];
    uint64_t size = 0;
    OK(world_create(&w, &l));
    put_many(&w, l, 0, 2000);
    struct mt_tx *tx = NULL;
    uint64_t version = 0;
    OK(mt_ledger_begin(l, world_maps, w.now_ms, &tx));
    OK(mt_tx_put(tx, OPEN_MAP, MT_LITERAL("public"), MT_LITERAL("yes")));
    OK(mt_ledger_begin_epoch(tx, MT_LITERAL("signed")));
    OK(mt_ledger_commit(l, &tx, &version));
    OK(world_write(l));
    take_snapshot(l);
    put_many(&w, l, 2000, 2100);
    OK(mt_ledger_head(l, &size, &roots[0]));
    mt_ledger_free(&l);
    OK(world_open(&w, &l));
    MT_ASSERT(w.report.snapshot_txid == version && !w.report.snapshot_refused);
    MT_ASSERT(w.report.transactions == size);
    has_many(&w, l, 2100);
    MT_ASSERT(mt_ledger_recovery_epoch(l) == 1);
    uint64_t events = 0;
    OK(mt_ledger_events(l, &topic, 0, count_event, &events));
    MT_ASSERT(events == MT_TOPIC_EVENTS_MAX);
    /* Leaves of blocks that were not decrypted are in the tree, and can be shown. */
    struct mt_buf room = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    struct mt_ledger_leaf leaf;
    OK(mt_ledger_leaf(l, 700, &room, &leaf));
    mt_buf_free(&room);
    mt_hash path[MT_MERKLE_PATH_MAX];
    size_t count = 0;
    OK(mt_ledger_head(l, &size, &roots[1]));
    OK(mt_ledger_consistency(l, size - 1, size, path, &count));
    OK(mt_merkle_check_consistency(&(struct mt_merkle_head){size - 1, roots[0]},
                                   &(struct mt_merkle_head){size, roots[1]}, path, count));
    mt_ledger_free(&l);
    OK(mt_fs_remove(w.fs, snapshot_name(version)));
    OK(world_open(&w, &l));
    MT_ASSERT(w.report.snapshot_txid == 0 && !w.report.snapshot_refused);
    has_many(&w, l, 2100);
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

static void a_snapshot_is_of_durable_transactions_and_waits_for_them(void)
{
    struct world w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS};
    struct mt_ledger *l = NULL;
    struct mt_ledger_snapshot *s = NULL;
    struct mt_ledger_write *write = NULL;
    OK(world_create(&w, &l));
    OK(world_put(&w, l, 0, 1, 10));
    MT_ASSERT(fails_with(mt_ledger_snapshot_begin(l, &s), MT_E_BUSY));
    OK(mt_ledger_cut(l, &write)); /* taken here, */
    OK(world_put(&w, l, 1, 2, 10));
    MT_ASSERT(fails_with(mt_ledger_snapshot_begin(l, &s), MT_E_BUSY));
    mt_err e = mt_ledger_write_run(write);
    OK(mt_ledger_written(l, &write, e)); /* durable here, though more is open */
    OK(mt_ledger_snapshot_begin(l, &s));
    OK(world_put(&w, l, 0, 99, 10));
    OK(mt_ledger_snapshot_run(s));
    mt_ledger_snapshot_end(l, &s);
    mt_ledger_free(&l);
    OK(world_open(&w, &l));
    MT_ASSERT(w.report.snapshot_txid == 2 && w.report.transactions == 2);
    has_many(&w, l, 1);
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

/* What a node goes by when it decides whether a snapshot is worth writing. */
static void bytes_are_counted_up_to_the_version_of_a_snapshot_and_from_there_on(void)
{
    struct world w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS, .chunk_bytes = 16384};
    struct mt_ledger *l = NULL;
    struct mt_ledger_snapshot *s = NULL;
    uint64_t bytes = 0;
    uint64_t file_bytes = 0;
    uint64_t size = 0;
    struct mt_file *f = NULL;
    OK(world_create(&w, &l));
    put_many(&w, l, 0, 400);
    uint64_t before = mt_ledger_bytes(l);
    MT_ASSERT(before > 16384 && before % MT_SECTOR_LEN == 0);
    OK(mt_ledger_snapshot_begin(l, &s));
    put_many(&w, l, 400, 500);
    OK(mt_ledger_snapshot_run(s));
    mt_ledger_snapshot_bytes(s, &bytes, &file_bytes);
    mt_ledger_snapshot_end(l, &s);
    MT_ASSERT(bytes == before);
    uint64_t after = mt_ledger_bytes(l);
    mt_ledger_free(&l);
    OK(world_open(&w, &l));
    MT_ASSERT(w.report.replayed_bytes == after - before);
    MT_ASSERT(mt_ledger_bytes(l) == after + MT_SECTOR_LEN); /* the start's own block */
    OK(mt_fs_open(w.fs, snapshot_name(w.report.snapshot_txid), MT_FS_READ, &f));
    OK(mt_file_size(f, &size));
    MT_ASSERT(size == file_bytes);
    mt_file_close(&f);
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

static void *run_in_thread(void *snapshot)
{
    OK(mt_ledger_snapshot_run(snapshot));
    return NULL;
}

static void the_ledger_goes_on_while_a_snapshot_is_written(void)
{
    struct world w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS};
    struct mt_ledger *l = NULL;
    struct mt_ledger_snapshot *s = NULL;
    pthread_t thread;
    OK(world_create(&w, &l));
    put_many(&w, l, 0, 5000);
    uint64_t version = mt_ledger_durable(l);
    OK(mt_ledger_snapshot_begin(l, &s));
    MT_ASSERT(pthread_create(&thread, NULL, run_in_thread, s) == 0);
    for (uint64_t i = 0; i < 6000; i++) {
        OK(world_put(&w, l, i, 251, 30)); /* in memory: the disk of these tests has one owner */
    }
    MT_ASSERT(pthread_join(thread, NULL) == 0);
    OK(world_write(l));
    mt_ledger_snapshot_end(l, &s);
    mt_ledger_free(&l);
    OK(world_open(&w, &l));
    MT_ASSERT(w.report.snapshot_txid == version && !w.report.snapshot_refused);
    for (uint64_t i = 0; i < 6000; i++) {
        MT_ASSERT(world_get(&w, l, i) == 251);
    }
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

static void only_the_newest_snapshot_is_kept(void)
{
    struct world w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS};
    struct mt_ledger *l = NULL;
    struct mt_file *f = NULL;
    OK(world_create(&w, &l));
    for (uint64_t i = 0; i < 3; i++) {
        put_many(&w, l, 2 * i, 2 * i + 2);
        take_snapshot(l);
    }
    MT_ASSERT(fails_with(mt_fs_open(w.fs, snapshot_name(5), MT_FS_READ, &f), MT_E_NOTFOUND));
    OK(mt_fs_open(w.fs, snapshot_name(7), MT_FS_READ, &f));
    mt_file_close(&f);
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

/* A small ledger with a snapshot in its middle; chunk without free room. */
struct disk {
    struct world w;
    struct mt_buf chunk;
    struct mt_buf snapshot;
    uint64_t txid;
};

static void make_disk(struct disk *d)
{
    struct mt_ledger *l = NULL;
    *d = (struct disk){.w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS, .chunk_bytes = 65536}};
    OK(world_create(&d->w, &l));
    put_many(&d->w, l, 0, 4);
    d->txid = mt_ledger_durable(l);
    take_snapshot(l);
    put_many(&d->w, l, 4, 8);
    mt_ledger_free(&l);
    d->chunk = world_file(d->w.fs, world_chunk(1));
    d->chunk.len = world_used(&d->chunk);
    d->snapshot = world_file(d->w.fs, snapshot_name(d->txid));
}

static void end_disk(struct disk *d)
{
    mt_buf_free(&d->chunk);
    mt_buf_free(&d->snapshot);
    world_disk_done(&d->w.fs);
}

static void is_set_aside(struct disk *d, mt_bytes snapshot)
{
    struct mt_ledger *l = NULL;
    world_put_file(d->w.fs, world_chunk(1), mt_buf_bytes(&d->chunk));
    world_put_file(d->w.fs, snapshot_name(d->txid), snapshot);
    OK(world_open(&d->w, &l));
    MT_ASSERT(d->w.report.snapshot_refused && d->w.report.snapshot_txid == 0);
    has_many(&d->w, l, 8);
    mt_ledger_free(&l);
}

static void every_flipped_bit_of_a_snapshot_sets_it_aside(void)
{
    struct disk d;
    make_disk(&d);
    for (size_t bit = 0; bit < 8 * d.snapshot.len; bit++) {
        d.snapshot.ptr[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        is_set_aside(&d, mt_buf_bytes(&d.snapshot));
        d.snapshot.ptr[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    end_disk(&d);
}

static void every_truncation_of_a_snapshot_sets_it_aside(void)
{
    struct disk d;
    make_disk(&d);
    for (size_t len = 0; len < d.snapshot.len; len += 3) {
        is_set_aside(&d, (mt_bytes){d.snapshot.ptr, len});
    }
    OK(mt_buf_append(&d.snapshot, MT_LITERAL("x")));
    is_set_aside(&d, mt_buf_bytes(&d.snapshot));
    end_disk(&d);
}

static void a_snapshot_of_another_ledger_is_set_aside(void)
{
    struct disk mine;
    struct disk other;
    make_disk(&mine);
    make_disk(&other);
    is_set_aside(&mine, mt_buf_bytes(&other.snapshot));
    end_disk(&mine);
    end_disk(&other);
}

static void a_snapshot_that_is_newer_than_the_ledger_is_set_aside(void)
{
    struct disk d;
    struct mt_ledger *l = NULL;
    make_disk(&d);
    OK(world_open(&d.w, &l));
    put_many(&d.w, l, 8, 12);
    take_snapshot(l);
    mt_ledger_free(&l);
    world_put_file(d.w.fs, world_chunk(1), mt_buf_bytes(&d.chunk)); /* an older disk */
    OK(world_open(&d.w, &l));
    MT_ASSERT(d.w.report.snapshot_refused);
    has_many(&d.w, l, 8);
    mt_ledger_free(&l);
    end_disk(&d);
}

static void a_snapshot_does_not_cover_for_a_changed_block(void)
{
    struct disk d;
    make_disk(&d);
    for (size_t at = 0; at + 512 <= d.chunk.len; at += 512) {
        for (size_t i = 0; i < 507; i += 3) {
            struct mt_ledger *l = NULL;
            uint8_t content[507];
            uint8_t sector[512];
            memcpy(content, d.chunk.ptr + at, sizeof content);
            content[i] ^= 4;
            mt_sectors_write(MT_BYTES_OF(content), (mt_span){sector, sizeof sector});
            world_poke(d.w.fs, world_chunk(1), at, MT_BYTES_OF(sector));
            mt_err e = world_open(&d.w, &l);
            MT_ASSERT(fails_with(e, MT_E_PROOF) ||
                      fails_with(e, MT_E_CONFLICT)); /* another version */
            world_poke(d.w.fs, world_chunk(1), at, (mt_bytes){d.chunk.ptr + at, sizeof sector});
        }
    }
    end_disk(&d);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_start_from_a_snapshot_finds_what_a_replay_finds),
        MT_TEST(bytes_are_counted_up_to_the_version_of_a_snapshot_and_from_there_on),
        MT_TEST(a_snapshot_is_of_durable_transactions_and_waits_for_them),
        MT_TEST(the_ledger_goes_on_while_a_snapshot_is_written),
        MT_TEST(only_the_newest_snapshot_is_kept),
        MT_TEST(every_flipped_bit_of_a_snapshot_sets_it_aside),
        MT_TEST(every_truncation_of_a_snapshot_sets_it_aside),
        MT_TEST(a_snapshot_of_another_ledger_is_set_aside),
        MT_TEST(a_snapshot_that_is_newer_than_the_ledger_is_set_aside),
        MT_TEST(a_snapshot_does_not_cover_for_a_changed_block),
    };
    OK(mt_crypto_init(world_entropy, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
