/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Durable commits in process, 256-byte values under random keys: this ledger (encrypted, chained,
 * with receipts) against SQLite in WAL mode with synchronous=FULL, in one directory of one disk,
 * turn by turn. Argument: the directory.
 *
 * "one by one": each commit is waited for before the next. "64 outstanding": 64 callers, each of
 * whom waits for its own commit; SQLite has one writer at a time and commits for each, so a second
 * figure gives it what no caller can have, 64 puts of all callers in one transaction.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "ledger/ledger.h"
#include "platform/posix/fs.h"
#include "platform/process.h"

enum { ROUNDS = 5, VALUE = 256, OUTSTANDING = 64, SECONDS = 1, REPLAYED = 100000 };

#define OK(call_) MT_ASSERT(!mt_failed(call_))

static const struct mt_map_def maps[] = {{"bench", false}, {NULL, false}};
static uint8_t value[VALUE];
static uint64_t seed = 42;

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t next_key(void)
{
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return (seed >> 33) % 100000;
}

/* The disk thread. */
struct disk {
    pthread_t thread;
    sem_t start;
    sem_t end;
    struct mt_ledger_write *write;
    mt_err result;
    bool is_over;
};

static void *run_disk(void *state)
{
    struct disk *d = state;
    for (;;) {
        while (sem_wait(&d->start) != 0) {
        }
        if (d->is_over) {
            return NULL;
        }
        d->result = mt_ledger_write_run(d->write);
        (void)sem_post(&d->end);
    }
}

static void put(struct mt_ledger *l)
{
    struct mt_tx *tx = NULL;
    uint64_t version = 0;
    uint64_t key = next_key();
    value[0]++;
    OK(mt_ledger_begin(l, maps, 1000, &tx));
    OK(mt_tx_put(tx, maps, MT_BYTES_OF(key), MT_BYTES_OF(value)));
    OK(mt_ledger_commit(l, &tx, &version));
}

/* Commits a second. Whoever is durable puts again at once, while the next block is on its way. */
static double bench_ledger(struct mt_ledger *l, struct disk *d, uint64_t outstanding)
{
    double begin = now();
    uint64_t first = mt_ledger_durable(l);
    while (now() - begin < SECONDS) {
        while (mt_ledger_version(l) - mt_ledger_durable(l) < outstanding) {
            put(l);
        }
        OK(mt_ledger_cut(l, &d->write));
        (void)sem_post(&d->start);
        while (sem_wait(&d->end) != 0) {
        }
        OK(mt_ledger_written(l, &d->write, d->result));
    }
    return (double)(mt_ledger_durable(l) - first) / (now() - begin);
}

static void sql(sqlite3 *db, const char *text)
{
    MT_ASSERT(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

static double bench_sqlite(sqlite3 *db, sqlite3_stmt *insert, uint64_t batch)
{
    double begin = now();
    uint64_t count = 0;
    while (now() - begin < SECONDS) {
        sql(db, "BEGIN IMMEDIATE");
        for (uint64_t i = 0; i < batch; i++, count++) {
            uint64_t key = next_key();
            value[0]++;
            MT_ASSERT(sqlite3_bind_blob(insert, 1, &key, sizeof key, SQLITE_STATIC) == SQLITE_OK);
            MT_ASSERT(sqlite3_bind_blob(insert, 2, value, VALUE, SQLITE_STATIC) == SQLITE_OK);
            MT_ASSERT(sqlite3_step(insert) == SQLITE_DONE);
            (void)sqlite3_reset(insert);
        }
        sql(db, "COMMIT");
    }
    return (double)count / (now() - begin);
}

static double bench_sync(const char *dir)
{
    char path[512];
    uint64_t count = 0;
    uint8_t block[4096] = {1};
    (void)snprintf(path, sizeof path, "%s/sync", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    MT_ASSERT(fd >= 0);
    for (off_t at = 0; at < (off_t)256 * 4096; at += 4096) {
        MT_ASSERT(pwrite(fd, block, sizeof block, at) == (ssize_t)sizeof block);
    }
    (void)fsync(fd);
    double begin = now();
    for (; now() - begin < 1; count++) {
        MT_ASSERT(pwrite(fd, block, sizeof block, (off_t)(count % 256) * 4096) ==
                  (ssize_t)sizeof block);
        (void)fdatasync(fd);
    }
    (void)close(fd);
    return (double)count / (now() - begin);
}

static int by_size(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return *x < *y ? -1 : *x > *y ? 1 : 0;
}

static double median(double *figures)
{
    qsort(figures, ROUNDS, sizeof *figures, by_size);
    return figures[ROUNDS / 2];
}

static struct mt_ledger_options options(struct mt_fs *fs, uint8_t start)
{
    return (struct mt_ledger_options){
        .fs = fs,
        .secret = MT_LITERAL("the secret of a ledger, 32 bytes"),
        .incarnation = {{start}},
        .host_time_ms = 1000,
    };
}

static void compare(struct mt_fs *fs, const char *dir)
{
    char path[512];
    double figures[6][ROUNDS];
    struct disk d = {.is_over = false};
    struct mt_ledger *l = NULL;
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    struct mt_ledger_options o = options(fs, 1);
    OK(mt_ledger_create(&o, &l));
    (void)sem_init(&d.start, 0, 0);
    (void)sem_init(&d.end, 0, 0);
    MT_ASSERT(pthread_create(&d.thread, NULL, run_disk, &d) == 0);
    (void)snprintf(path, sizeof path, "%s/peer.db", dir);
    MT_ASSERT(sqlite3_open(path, &db) == SQLITE_OK);
    sql(db, "PRAGMA journal_mode=WAL");
    sql(db, "PRAGMA synchronous=FULL");
    sql(db, "CREATE TABLE t (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
    MT_ASSERT(sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO t VALUES (?,?)", -1, &insert, NULL) ==
              SQLITE_OK);
    for (size_t i = 0; i < ROUNDS; i++) {
        figures[0][i] = bench_sync(dir);
        figures[1][i] = bench_ledger(l, &d, 1);
        figures[2][i] = bench_sqlite(db, insert, 1);
        figures[3][i] = bench_ledger(l, &d, OUTSTANDING);
        figures[4][i] = bench_sqlite(db, insert, OUTSTANDING);
        figures[5][i] = bench_ledger(l, &d, 512);
    }
    for (size_t i = 0; i < 6; i++) {
        (void)median(figures[i]);
    }
    double sync = figures[0][ROUNDS / 2];
    double one = figures[1][ROUNDS / 2];
    double peer = figures[2][ROUNDS / 2];
    double many = figures[3][ROUNDS / 2];
    double batch = figures[4][ROUNDS / 2];
    (void)printf("# durable commits of 256 bytes a second, medians of %d\n", ROUNDS);
    (void)printf("fdatasync of 4 KiB alone            %10.0f\n", sync);
    (void)printf("ledger, one by one                  %10.0f\n", one);
    (void)printf("SQLite WAL FULL, one by one         %10.0f   ledger %.1f x\n", peer, one / peer);
    (void)printf("ledger, 64 outstanding              %10.0f\n", many);
    (void)printf("SQLite, 64 outstanding (one writer) %10.0f   ledger %.1f x\n", peer, many / peer);
    (void)printf("SQLite, 64 puts in one transaction  %10.0f   ledger %.1f x\n", batch,
                 many / batch);
    (void)printf("ledger, 512 outstanding             %10.0f\n", figures[5][ROUNDS / 2]);
    d.is_over = true;
    (void)sem_post(&d.start);
    (void)pthread_join(d.thread, NULL);
    (void)sqlite3_finalize(insert);
    (void)sqlite3_close(db);
    mt_ledger_free(&l);
}

static void replay(struct mt_fs *fs, uint64_t per_block, uint8_t start)
{
    struct mt_ledger *l = NULL;
    struct mt_ledger_recovery report;
    struct mt_ledger_options o = options(fs, start);
    struct mt_ledger_snapshot *s = NULL;
    OK(mt_ledger_create(&o, &l));
    for (uint64_t i = 1; i < REPLAYED; i++) {
        struct mt_ledger_write *w = NULL;
        put(l);
        if (i % per_block == 0) {
            OK(mt_ledger_cut(l, &w));
            mt_err e = mt_ledger_write_run(w);
            OK(mt_ledger_written(l, &w, e));
        }
    }
    uint64_t size = 0;
    mt_hash root;
    OK(mt_ledger_head(l, &size, &root));
    for (uint8_t with_snapshot = 0; with_snapshot < 2; with_snapshot++) {
        mt_ledger_free(&l);
        o = options(fs, (uint8_t)(start + 1 + with_snapshot));
        double begin = now();
        OK(mt_ledger_open(&o, &l, &report));
        (void)printf("start with %llu transactions, %llu to a block, %s  %.3f s\n",
                     (unsigned long long)report.transactions, (unsigned long long)per_block,
                     with_snapshot == 1 ? "from a snapshot" : "all replayed", now() - begin);
        OK(mt_ledger_snapshot_begin(l, &s));
        OK(mt_ledger_snapshot_run(s));
        mt_ledger_snapshot_end(l, &s);
    }
    mt_ledger_free(&l);
}

static struct mt_fs *fresh(const char *dir, const char *name)
{
    char path[512];
    struct mt_fs *fs = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    MT_ASSERT(mkdir(path, 0700) == 0);
    OK(mt_fs_open_posix(path, &fs));
    return fs;
}

struct folder {
    struct mt_fs *fs;
    const char *name;
};

static mt_err remove_one(void *state, const char *name)
{
    const struct folder *f = state;
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", f->name, name);
    return mt_fs_remove(f->fs, path);
}

/* What fresh() made, and what came into it. */
static void remove_all(struct mt_fs **fs, const char *dir, const char *name)
{
    static const char *const folders[] = {"ledger", "snapshot"};
    char path[512];
    for (size_t i = 0; i < 2; i++) {
        struct folder f = {*fs, folders[i]};
        OK(mt_fs_list(*fs, folders[i], remove_one, &f));
        (void)snprintf(path, sizeof path, "%s/%s/%s", dir, name, folders[i]);
        (void)rmdir(path);
    }
    mt_fs_close(fs);
    (void)snprintf(path, sizeof path, "%s/%s/lock", dir, name);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    (void)rmdir(path);
}

static void remove_peer(const char *dir)
{
    static const char *const files[] = {"peer.db", "peer.db-wal", "peer.db-shm", "sync"};
    for (size_t i = 0; i < 4; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
}

int main(int argc, char **argv)
{
    char dir[] = "ledger-bench-XXXXXX";
    MT_ASSERT(argc <= 2);
    if (argc == 2) {
        MT_ASSERT(chdir(argv[1]) == 0);
    }
    MT_ASSERT(mkdtemp(dir) != NULL);
    OK(mt_crypto_init(mt_process_entropy, NULL));
    struct mt_fs *fs = fresh(dir, "a");
    compare(fs, dir);
    remove_all(&fs, dir, "a");
    fs = fresh(dir, "b");
    replay(fs, 64, 10);
    remove_all(&fs, dir, "b");
    if (argc == 2) { /* one block for each transaction takes a sync each: only where asked */
        fs = fresh(dir, "c");
        replay(fs, 4, 20);
        remove_all(&fs, dir, "c");
    }
    remove_peer(dir);
    mt_crypto_done();
    return 0;
}
