/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ledger DIR OUTSTANDING: durable commits in process, 256-byte values under random keys: this
 * ledger (encrypted, chained, with receipts) against SQLite in WAL mode with synchronous=FULL, in
 * one directory of one disk. OUTSTANDING callers each wait for their own commit.
 *
 * SQLite has one writer at a time and commits for each caller; beside that it is given what no
 * such callers could have, the puts of all of them in one transaction: the same batch of work.
 *
 * Says "ready". For each line of input, which is a number of milliseconds, it lets each have its
 * turn of so long and says commits a second of: the ledger, SQLite in batches, SQLite one by one,
 * and fdatasync of 4 KiB alone; then the microseconds of CPU that the first two took for a commit.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "crypto/context.h"
#include "ledger/ledger.h"
#include "platform/posix/fs.h"
#include "platform/process.h"

enum { VALUE = 256, KEYS = 100000, SYNC_BLOCK = 4096, SYNC_BLOCKS = 256 };

static const struct mt_map_def maps[] = {{"bench", false}, {NULL, false}};
static uint8_t value[VALUE];
static uint64_t seed = 42;

static uint64_t next_key(void)
{
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    value[0]++;
    return (seed >> 33) % KEYS;
}

/* What a turn has brought. */
struct gain {
    double each_s;
    double cpu_us;
};

struct watch {
    uint64_t began_ns;
    uint64_t cpu_ns;
    uint64_t until_ns;
};

static struct watch watch_of(uint64_t ms)
{
    uint64_t now = bench_now_ns(CLOCK_MONOTONIC);
    return (struct watch){now, bench_now_ns(CLOCK_PROCESS_CPUTIME_ID), now + ms * 1000000};
}

static bool is_running(const struct watch *w)
{
    return bench_now_ns(CLOCK_MONOTONIC) < w->until_ns;
}

static struct gain gain_of(const struct watch *w, uint64_t count)
{
    double took = (double)(bench_now_ns(CLOCK_MONOTONIC) - w->began_ns);
    double cpu = (double)(bench_now_ns(CLOCK_PROCESS_CPUTIME_ID) - w->cpu_ns);
    return (struct gain){(double)count * 1e9 / took, cpu / 1000 / (double)count};
}

/* ---- ours, with a disk thread as the node has one */
struct ours {
    struct mt_fs *fs;
    struct mt_ledger *ledger;
    pthread_t thread;
    sem_t start;
    sem_t end;
    struct mt_ledger_write *write;
    mt_err result;
};

static void await(sem_t *s)
{
    while (sem_wait(s) != 0) {
    }
}

static void *run_disk(void *state)
{
    struct ours *o = state;
    for (;;) {
        await(&o->start);
        if (o->write == NULL) {
            return NULL;
        }
        o->result = mt_ledger_write_run(o->write);
        (void)sem_post(&o->end);
    }
}

static void ours_begin(struct ours *o)
{
    char here[4096]; /* it takes whole paths alone */
    MT_ASSERT(realpath("node", here) != NULL);
    OK(mt_fs_open_posix(here, &o->fs));
    const struct mt_ledger_options options = {
        .fs = o->fs,
        .secret = MT_LITERAL("the secret of a ledger, 32 bytes"),
        .incarnation = {{1}},
        .host_time_ms = 1000,
    };
    OK(mt_ledger_create(&options, &o->ledger));
    (void)sem_init(&o->start, 0, 0);
    (void)sem_init(&o->end, 0, 0);
    MT_ASSERT(pthread_create(&o->thread, NULL, run_disk, o) == 0);
}

static void ours_end(struct ours *o)
{
    o->write = NULL;
    (void)sem_post(&o->start);
    (void)pthread_join(o->thread, NULL);
    mt_ledger_free(&o->ledger);
    mt_fs_close(&o->fs);
}

static void put(struct mt_ledger *l)
{
    struct mt_tx *tx = NULL;
    uint64_t version = 0;
    uint64_t key = next_key();
    OK(mt_ledger_begin(l, maps, 1000, &tx));
    OK(mt_tx_put(tx, maps, MT_BYTES_OF(key), MT_BYTES_OF(value)));
    OK(mt_ledger_commit(l, &tx, &version));
}

/* Whoever is durable puts again at once. */
static struct gain ours_turn(struct ours *o, uint64_t ms, uint64_t outstanding)
{
    struct mt_ledger *l = o->ledger;
    struct watch w = watch_of(ms);
    uint64_t first = mt_ledger_durable(l);
    while (is_running(&w)) {
        while (mt_ledger_version(l) - mt_ledger_durable(l) < outstanding) {
            put(l);
        }
        OK(mt_ledger_cut(l, &o->write));
        (void)sem_post(&o->start);
        await(&o->end);
        OK(mt_ledger_written(l, &o->write, o->result));
    }
    return gain_of(&w, mt_ledger_durable(l) - first);
}

/* ---- the peer */
struct peer {
    sqlite3 *db;
    sqlite3_stmt *insert;
};

static void sql(sqlite3 *db, const char *text)
{
    MT_ASSERT(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

static void peer_begin(struct peer *p)
{
    MT_ASSERT(sqlite3_open("peer.db", &p->db) == SQLITE_OK);
    sql(p->db, "PRAGMA journal_mode=WAL");
    sql(p->db, "PRAGMA synchronous=FULL");
    sql(p->db, "CREATE TABLE t (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
    MT_ASSERT(sqlite3_prepare_v2(p->db, "INSERT OR REPLACE INTO t VALUES (?,?)", -1, &p->insert,
                                 NULL) == SQLITE_OK);
}

static void peer_end(struct peer *p)
{
    (void)sqlite3_finalize(p->insert);
    (void)sqlite3_close(p->db);
}

static struct gain peer_turn(const struct peer *p, uint64_t ms, uint64_t batch)
{
    struct watch w = watch_of(ms);
    uint64_t count = 0;
    while (is_running(&w)) {
        sql(p->db, "BEGIN IMMEDIATE");
        for (uint64_t i = 0; i < batch; i++, count++) {
            uint64_t key = next_key();
            MT_ASSERT(sqlite3_bind_blob(p->insert, 1, &key, sizeof key, SQLITE_STATIC) ==
                      SQLITE_OK);
            MT_ASSERT(sqlite3_bind_blob(p->insert, 2, value, VALUE, SQLITE_STATIC) == SQLITE_OK);
            MT_ASSERT(sqlite3_step(p->insert) == SQLITE_DONE);
            (void)sqlite3_reset(p->insert);
        }
        sql(p->db, "COMMIT");
    }
    return gain_of(&w, count);
}

/* ---- what the disk itself can do */
static int sync_begin(void)
{
    static const uint8_t block[SYNC_BLOCK] = {1};
    int fd = open("sync", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    MT_ASSERT(fd >= 0);
    for (off_t i = 0; i < SYNC_BLOCKS; i++) {
        MT_ASSERT(pwrite(fd, block, sizeof block, i * SYNC_BLOCK) == SYNC_BLOCK);
    }
    MT_ASSERT(fsync(fd) == 0);
    return fd;
}

static struct gain sync_turn(int fd, uint64_t ms)
{
    static const uint8_t block[SYNC_BLOCK] = {2};
    struct watch w = watch_of(ms);
    off_t count = 0;
    for (; is_running(&w); count++) {
        off_t at = count % SYNC_BLOCKS * SYNC_BLOCK;
        MT_ASSERT(pwrite(fd, block, sizeof block, at) == SYNC_BLOCK);
        MT_ASSERT(fdatasync(fd) == 0);
    }
    return gain_of(&w, (uint64_t)count);
}

int main(int argc, char **argv)
{
    static struct ours o;
    struct peer p = {NULL, NULL};
    char line[64];
    MT_ASSERT(argc == 3);
    uint64_t outstanding = strtoul(argv[2], NULL, 10);
    MT_ASSERT(chdir(argv[1]) == 0);
    OK(mt_crypto_init(mt_process_entropy, NULL));
    ours_begin(&o);
    peer_begin(&p);
    int fd = sync_begin();
    (void)puts("ready");
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        uint64_t ms = strtoul(line, NULL, 10);
        struct gain ours = ours_turn(&o, ms, outstanding);
        struct gain batch = peer_turn(&p, ms, outstanding);
        struct gain single = peer_turn(&p, ms, 1);
        struct gain disk = sync_turn(fd, ms);
        (void)printf("%.0f %.0f %.0f %.0f %.2f %.2f\n", ours.each_s, batch.each_s, single.each_s,
                     disk.each_s, ours.cpu_us, batch.cpu_us);
        (void)fflush(stdout);
    }
    (void)close(fd);
    peer_end(&p);
    ours_end(&o);
    mt_crypto_done();
    return 0;
}
