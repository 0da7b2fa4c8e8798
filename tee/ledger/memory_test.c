/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Memory runs out at the n-th call, for every n: an error says so, nothing that was acknowledged is
 * lost, and an open transaction is undone. */
#include <openssl/crypto.h>

#include "ledger/ledger.h"
#include "ledger/world_test.h"
#include "unit/runner.h"

static size_t calls;
static size_t fail_at; /* 0: never */

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *p, size_t len);
void *__real_reallocarray(void *p, size_t count, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *p, size_t len);
void *__wrap_reallocarray(void *p, size_t count, size_t len);

static bool is_out(void)
{
    return ++calls == fail_at;
}

void *__wrap_malloc(size_t len)
{
    return is_out() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t len)
{
    return is_out() ? NULL : __real_calloc(count, len);
}

void *__wrap_realloc(void *p, size_t len)
{
    return is_out() ? NULL : __real_realloc(p, len);
}

void *__wrap_reallocarray(void *p, size_t count, size_t len)
{
    return is_out() ? NULL : __real_reallocarray(p, count, len);
}

/* The simulated disk lists names in memory of its own, and ends the process without it. */
mt_err __real_mt_fs_list(struct mt_fs *fs, const char *dir, mt_err (*each)(void *, const char *),
                         void *state);
mt_err __wrap_mt_fs_list(struct mt_fs *fs, const char *dir, mt_err (*each)(void *, const char *),
                         void *state);

mt_err __wrap_mt_fs_list(struct mt_fs *fs, const char *dir, mt_err (*each)(void *, const char *),
                         void *state)
{
    size_t at = fail_at;
    fail_at = 0;
    mt_err e = __real_mt_fs_list(fs, dir, each, state);
    fail_at = at;
    return e;
}

/* OpenSSL has memory always: it is not under test. */
static void *ssl_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return __real_malloc(len);
}

static void *ssl_realloc(void *p, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return __real_realloc(p, len);
}

static void ssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

struct life {
    struct world w;
    uint64_t acked; /* puts 1 to this are acknowledged */
};

/* An entry changed, put and deleted again, an event, a claim, randomness; then undone by half. */
static mt_err change(struct life *f, struct mt_ledger *l, uint64_t i)
{
    struct mt_tx *tx = NULL;
    const mt_id topic = {{1}};
    uint8_t key[8];
    uint8_t random[40];
    uint32_t index = 0;
    uint64_t version = 0;
    const uint8_t value = (uint8_t)i;
    MT_TRY(mt_ledger_begin(l, world_maps, f->w.now_ms, &tx));
    mt_err e = mt_tx_put(tx, SHUT_MAP, world_key(i, key), (mt_bytes){&value, 1});
    struct mt_tx_mark mark = mt_tx_mark(tx);
    for (uint64_t k = 0; k < 20 && !mt_failed(e); k++) {
        e = mt_tx_put(tx, OPEN_MAP, world_key(k, key), MT_LITERAL("passing"));
    }
    mt_tx_rollback(tx, mark);
    e = mt_failed(e) ? e : mt_tx_put(tx, OPEN_MAP, world_key(i, key), MT_LITERAL("public"));
    e = mt_failed(e) ? e : mt_tx_claim(tx, MT_LITERAL("claim"), &index);
    e = mt_failed(e) ? e : mt_tx_emit(tx, &topic, MT_LITERAL("event"));
    e = mt_failed(e) ? e : mt_tx_random(tx, (mt_span){random, sizeof random});
    if (mt_failed(e)) {
        mt_ledger_abort(l, &tx);
        return e;
    }
    return mt_ledger_commit(l, &tx, &version);
}

static mt_err look(struct mt_ledger *l)
{
    struct mt_ledger_snapshot *s = NULL;
    struct mt_ledger_leaf leaf;
    uint64_t size = 0;
    mt_hash root;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    MT_TRY(mt_ledger_head(l, &size, &root));
    MT_TRY(mt_ledger_leaf(l, size, &room, &leaf));
    MT_TRY(mt_ledger_snapshot_begin(l, &s));
    mt_err e = mt_ledger_snapshot_run(s);
    mt_ledger_snapshot_end(l, &s);
    return e;
}

static mt_err live(struct life *f, struct mt_ledger *l)
{
    for (uint64_t i = f->acked + 1; i <= 6; i++) {
        uint64_t version = mt_ledger_version(l);
        mt_err e = change(f, l, i);
        if (mt_failed(e)) {
            size_t at = fail_at;
            fail_at = 0;
            MT_ASSERT(mt_ledger_version(l) == version);
            MT_ASSERT(world_get(&f->w, l, i) == 0); /* undone */
            fail_at = at;
            return e;
        }
        MT_TRY(world_write(l));
        f->acked = i;
        if (i % 2 == 0) {
            MT_TRY(look(l));
        }
    }
    return MT_OK;
}

static mt_err run_life(struct life *f)
{
    MT_DEFER(mt_ledger_free) struct mt_ledger *l = NULL;
    MT_TRY(world_create(&f->w, &l));
    MT_TRY(live(f, l));
    mt_ledger_free(&l);
    return world_open(&f->w, &l);
}

static void without_memory_an_error_says_so_and_nothing_is_lost(void)
{
    bool is_over = false;
    for (size_t n = 1; !is_over; n++) {
        struct life f = {.w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS, .chunk_bytes = 2048}};
        struct mt_ledger *l = NULL;
        calls = 0;
        fail_at = n;
        mt_err e = run_life(&f);
        is_over = calls < n;
        fail_at = 0;
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_NOMEM);
        mt_err opened = world_open(&f.w, &l);
        if (mt_failed(opened)) {
            MT_ASSERT(opened.fault->code == MT_E_NOTFOUND && f.acked == 0);
            OK(world_create(&f.w, &l));
        }
        for (uint64_t i = 1; i <= f.acked; i++) {
            MT_ASSERT(world_get(&f.w, l, i) == i);
        }
        mt_ledger_free(&l);
        world_disk_done(&f.w.fs);
        MT_ASSERT(n < 5000);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(without_memory_an_error_says_so_and_nothing_is_lost),
    };
    MT_ASSERT(CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free) == 1);
    OK(mt_crypto_init(world_entropy, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
