/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A disk whose n-th call fails, for every n: nothing that was not synced is acknowledged, the
 * ledger is dead, and the next start finds all that was. */
#include "ledger/ledger.h"

#include "ledger/world_test.h"
#include "platform/fs_ops.h"
#include "unit/runner.h"

struct faulty {
    struct mt_fs fs;
    struct mt_fs *inner;
    uint64_t calls;
    uint64_t fail_at; /* 0: never */
    bool has_failed;
    bool is_dirty; /* something was written and not yet synced, or named and its folder not */
    bool fails_on; /* and all calls after it: a disk that is gone, not one that hiccups */
};

struct faulty_file {
    struct mt_file file;
    struct mt_file *inner;
    struct faulty *fs;
};

static bool is_time(struct faulty *f)
{
    f->calls++;
    bool fails = f->calls == f->fail_at || (f->fails_on && f->has_failed);
    f->has_failed = f->has_failed || fails;
    return fails;
}

static struct faulty *faulty_of(struct mt_fs *fs)
{
    return (struct faulty *)(void *)fs;
}

static struct faulty_file *file_of(struct mt_file *f)
{
    return (struct faulty_file *)(void *)f;
}

#define FAIL_IN_TIME(f_) MT_REQUIRE(!is_time(f_), MT_E_IO, "the disk has failed")

static mt_err f_open(struct mt_fs *fs, const char *name, enum mt_fs_mode mode, struct mt_file **out)
{
    struct faulty *f = faulty_of(fs);
    struct mt_file *inner = NULL;
    FAIL_IN_TIME(f);
    MT_TRY(mt_fs_open(f->inner, name, mode, &inner));
    struct faulty_file *file = calloc(1, sizeof *file);
    MT_ASSERT(file != NULL);
    *file = (struct faulty_file){{fs->ops}, inner, f};
    *out = &file->file;
    return MT_OK;
}

static mt_err f_make_dir(struct mt_fs *fs, const char *name)
{
    FAIL_IN_TIME(faulty_of(fs));
    return mt_fs_make_dir(faulty_of(fs)->inner, name);
}

static mt_err f_rename(struct mt_fs *fs, const char *from, const char *to)
{
    FAIL_IN_TIME(faulty_of(fs));
    MT_ASSERT(!faulty_of(fs)->is_dirty); /* what gets its name is durable */
    faulty_of(fs)->is_dirty = true;
    return mt_fs_rename(faulty_of(fs)->inner, from, to);
}

static mt_err f_remove(struct mt_fs *fs, const char *name)
{
    FAIL_IN_TIME(faulty_of(fs));
    return mt_fs_remove(faulty_of(fs)->inner, name);
}

static mt_err f_sync_dir(struct mt_fs *fs, const char *dir)
{
    FAIL_IN_TIME(faulty_of(fs));
    faulty_of(fs)->is_dirty = false;
    return mt_fs_sync_dir(faulty_of(fs)->inner, dir);
}

static mt_err f_list(struct mt_fs *fs, const char *dir, mt_err (*each)(void *, const char *),
                     void *state)
{
    FAIL_IN_TIME(faulty_of(fs));
    return mt_fs_list(faulty_of(fs)->inner, dir, each, state);
}

static mt_err f_free_bytes(struct mt_fs *fs, uint64_t *out)
{
    return mt_fs_free_bytes(faulty_of(fs)->inner, out);
}

static void f_close(struct mt_fs *fs)
{
    (void)fs;
}

static mt_err f_read_at(struct mt_file *f, uint64_t at, mt_span out, size_t *got)
{
    FAIL_IN_TIME(file_of(f)->fs);
    return mt_file_read_at(file_of(f)->inner, at, out, got);
}

/* A write that fails has done half of it. */
static mt_err f_write_at(struct mt_file *f, uint64_t at, mt_bytes bytes)
{
    if (is_time(file_of(f)->fs)) {
        MT_TRY(mt_file_write_at(file_of(f)->inner, at, (mt_bytes){bytes.ptr, bytes.len / 2}));
        MT_FAIL(MT_E_IO, "the disk is full");
    }
    file_of(f)->fs->is_dirty = true;
    return mt_file_write_at(file_of(f)->inner, at, bytes);
}

static mt_err f_sync(struct mt_file *f)
{
    FAIL_IN_TIME(file_of(f)->fs);
    file_of(f)->fs->is_dirty = false;
    return mt_file_sync(file_of(f)->inner);
}

static mt_err f_allocate(struct mt_file *f, uint64_t len)
{
    FAIL_IN_TIME(file_of(f)->fs);
    return mt_file_allocate(file_of(f)->inner, len);
}

static mt_err f_truncate(struct mt_file *f, uint64_t len)
{
    FAIL_IN_TIME(file_of(f)->fs);
    file_of(f)->fs->is_dirty = true;
    return mt_file_truncate(file_of(f)->inner, len);
}

static mt_err f_size(struct mt_file *f, uint64_t *out)
{
    FAIL_IN_TIME(file_of(f)->fs);
    return mt_file_size(file_of(f)->inner, out);
}

static void f_close_file(struct mt_file *f)
{
    mt_file_close(&file_of(f)->inner);
    free(file_of(f));
}

static const struct mt_fs_ops faulty_ops = {
    .open = f_open,
    .make_dir = f_make_dir,
    .rename = f_rename,
    .remove = f_remove,
    .sync_dir = f_sync_dir,
    .list = f_list,
    .free_bytes = f_free_bytes,
    .close = f_close,
    .read_at = f_read_at,
    .write_at = f_write_at,
    .sync = f_sync,
    .allocate = f_allocate,
    .truncate = f_truncate,
    .size = f_size,
    .close_file = f_close_file,
};

static struct faulty faulty_over(struct mt_fs *inner, uint64_t fail_at, bool fails_on)
{
    return (struct faulty){
        .fs = {&faulty_ops}, .inner = inner, .fail_at = fail_at, .fails_on = fails_on};
}

static bool fails_with(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

enum { PUTS = 8 };

static mt_err take_snapshot(struct mt_ledger *l)
{
    struct mt_ledger_snapshot *s = NULL;
    MT_TRY(mt_ledger_snapshot_begin(l, &s));
    mt_err e = mt_ledger_snapshot_run(s);
    mt_ledger_snapshot_end(l, &s);
    return e;
}

static void is_dead(struct world *w, struct mt_ledger *l, uint64_t durable)
{
    struct mt_tx *tx = NULL;
    struct mt_ledger_write *write = NULL;
    MT_ASSERT(mt_ledger_durable(l) == durable);
    MT_ASSERT(fails_with(mt_ledger_begin(l, world_maps, w->now_ms, &tx), MT_E_CLOSED));
    MT_ASSERT(fails_with(mt_ledger_cut(l, &write), MT_E_CLOSED));
}

/* Puts 1 to PUTS, each in a block, with two snapshots between; *acknowledged is the last one that
 * was. */
static void live(struct world *w, struct mt_ledger *l, uint64_t *acknowledged)
{
    const struct faulty *f = w->fs->ops == &faulty_ops ? faulty_of(w->fs) : NULL;
    for (uint64_t i = 1; i <= PUTS; i++) {
        uint64_t durable = mt_ledger_durable(l);
        OK(world_put(w, l, i, (uint8_t)i, 700));
        if (mt_failed(world_write(l))) {
            is_dead(w, l, durable);
            return;
        }
        MT_ASSERT(f == NULL || !f->is_dirty); /* nothing is acknowledged before it is synced */
        *acknowledged = i;
        if (i % 3 == 0) {
            mt_err e = take_snapshot(l); /* its failure is no failure of the ledger */
            (void)e;
        }
    }
}

static void finds_all(struct world *w, uint64_t acknowledged)
{
    struct mt_ledger *l = NULL;
    OK(world_open(w, &l));
    MT_ASSERT(!w->report.snapshot_refused);
    for (uint64_t i = 1; i <= PUTS; i++) {
        uint8_t found = world_get(w, l, i);
        MT_ASSERT(found == i || (found == 0 && i > acknowledged));
    }
    OK(world_put(w, l, 77, 77, 10));
    OK(world_write(l));
    mt_ledger_free(&l);
}

/* One life on a disk that fails at call `n`; returns whether it came to that. */
static bool try_life(uint64_t n, bool fails_on)
{
    struct world w = {.now_ms = WORLD_EPOCH_MS, .chunk_bytes = 4096};
    struct mt_fs *disk = world_disk();
    struct faulty faulty = faulty_over(disk, n, fails_on);
    struct mt_ledger *l = NULL;
    uint64_t acknowledged = 0;
    w.fs = &faulty.fs;
    mt_err e = world_create(&w, &l);
    if (!mt_failed(e)) {
        live(&w, l, &acknowledged);
        mt_ledger_free(&l);
    }
    w.fs = disk;
    if (mt_failed(e)) {
        /* Nothing was promised: it is there whole, or it can be made. */
        mt_err again = world_create(&w, &l);
        MT_ASSERT(!mt_failed(again) || again.fault->code == MT_E_CONFLICT);
        mt_ledger_free(&l);
    }
    finds_all(&w, acknowledged);
    world_disk_done(&disk);
    return faulty.has_failed;
}

static void whatever_call_fails_what_was_acknowledged_stays(void)
{
    uint64_t n = 1;
    while (try_life(n, false)) {
        n++;
    }
    MT_ASSERT(n > 40);
}

static void wherever_the_disk_goes_away_what_was_acknowledged_stays(void)
{
    uint64_t n = 1;
    while (try_life(n, true)) {
        n++;
    }
    MT_ASSERT(n > 40);
}

/* A disk with a torn tail and a snapshot, opened while call `n` fails. */
static bool try_open(uint64_t n)
{
    struct world w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS};
    struct mt_fs *disk = w.fs;
    struct mt_ledger *l = NULL;
    uint64_t acknowledged = 0;
    OK(world_create(&w, &l));
    live(&w, l, &acknowledged);
    mt_ledger_free(&l);
    struct mt_buf chunk = world_file(disk, world_chunk(1));
    size_t used = world_used(&chunk);
    world_put_file(disk, world_chunk(1), (mt_bytes){chunk.ptr, used - 400});
    mt_buf_free(&chunk);

    struct faulty faulty = faulty_over(disk, n, false);
    w.fs = &faulty.fs;
    mt_err e = world_open(&w, &l);
    MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_IO);
    mt_ledger_free(&l);
    w.fs = disk;
    finds_all(&w, acknowledged - 1);
    world_disk_done(&disk);
    return faulty.has_failed;
}

static void whatever_call_fails_at_start_the_next_start_is_whole(void)
{
    uint64_t n = 1;
    while (try_open(n)) {
        n++;
    }
    MT_ASSERT(n > 10);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(whatever_call_fails_what_was_acknowledged_stays),
        MT_TEST(wherever_the_disk_goes_away_what_was_acknowledged_stays),
        MT_TEST(whatever_call_fails_at_start_the_next_start_is_whole),
    };
    OK(mt_crypto_init(world_entropy, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
