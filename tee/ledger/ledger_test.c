/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ledger.h"

#include "ledger/world_test.h"
#include "unit/runner.h"
#include "wire/cbor.h"

enum { HOUR_MS = 60 * 60 * 1000 };

static struct mt_tx *begin(struct world *w, struct mt_ledger *l)
{
    struct mt_tx *tx = NULL;
    OK(mt_ledger_begin(l, world_maps, w->now_ms, &tx));
    return tx;
}

static uint64_t commit(struct mt_ledger *l, struct mt_tx *tx)
{
    uint64_t version = 0;
    OK(mt_ledger_commit(l, &tx, &version));
    return version;
}

static bool fails_with(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

static struct mt_ledger *new_ledger(struct world *w)
{
    struct mt_ledger *l = NULL;
    *w = (struct world){.fs = world_disk(), .now_ms = WORLD_EPOCH_MS};
    OK(world_create(w, &l));
    return l;
}

static void end_world(struct world *w, struct mt_ledger *l)
{
    mt_ledger_free(&l);
    world_disk_done(&w->fs);
}

static struct mt_ledger *restart(struct world *w, struct mt_ledger *l)
{
    mt_ledger_free(&l);
    OK(world_open(w, &l));
    return l;
}

static void a_new_ledger_has_one_transaction_its_start(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    struct mt_ledger *second = NULL;
    MT_ASSERT(mt_ledger_version(l) == 1 && mt_ledger_durable(l) == 1);
    MT_ASSERT(mt_ledger_time_ms(l) == WORLD_EPOCH_MS);
    MT_ASSERT(mt_ledger_recovery_epoch(l) == 0);
    MT_ASSERT(fails_with(world_create(&w, &second), MT_E_CONFLICT));
    mt_hash id = *mt_ledger_cluster_id(l);
    l = restart(&w, l);
    MT_ASSERT(mt_hash_equal(&id, mt_ledger_cluster_id(l)));
    MT_ASSERT(mt_ledger_version(l) == 2 && mt_ledger_durable(l) == 2);
    MT_ASSERT(w.report.transactions == 1 && w.report.blocks == 1 && w.report.torn_bytes == 0);
    end_world(&w, l);
}

static void without_a_ledger_open_says_so(void)
{
    struct world w = {.fs = world_disk()};
    struct mt_ledger *l = NULL;
    OK(mt_fs_make_dir(w.fs, "ledger"));
    MT_ASSERT(fails_with(world_open(&w, &l), MT_E_NOTFOUND));
    MT_ASSERT(l == NULL);
    world_disk_done(&w.fs);
}

static void a_transaction_reads_its_own_writes_and_others_read_them_after_it(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    struct mt_tx *tx = begin(&w, l);
    mt_bytes first;
    mt_bytes second;
    MT_ASSERT(mt_tx_id(tx) == 2);
    OK(mt_tx_put(tx, SHUT_MAP, MT_LITERAL("k"), MT_LITERAL("one")));
    OK(mt_tx_get(tx, SHUT_MAP, MT_LITERAL("k"), &first));
    OK(mt_tx_put(tx, SHUT_MAP, MT_LITERAL("k"), MT_LITERAL("two")));
    OK(mt_tx_get(tx, SHUT_MAP, MT_LITERAL("k"), &second));
    OK(mt_tx_del(tx, SHUT_MAP, MT_LITERAL("absent")));
    /* What was borrowed stays until the transaction ends. */
    MT_ASSERT(mt_bytes_equal(first, MT_LITERAL("one")));
    MT_ASSERT(mt_bytes_equal(second, MT_LITERAL("two")));
    MT_ASSERT(!mt_tx_has(tx, OPEN_MAP, MT_LITERAL("k")));
    MT_ASSERT(commit(l, tx) == 2);
    tx = begin(&w, l);
    MT_ASSERT(mt_tx_has(tx, SHUT_MAP, MT_LITERAL("k")));
    MT_ASSERT(fails_with(mt_tx_get(tx, SHUT_MAP, MT_LITERAL("absent"), &first), MT_E_NOTFOUND));
    mt_ledger_abort(l, &tx);
    MT_ASSERT(mt_ledger_version(l) == 2 && mt_ledger_durable(l) == 1);
    OK(world_write(l));
    MT_ASSERT(mt_ledger_durable(l) == 2);
    end_world(&w, l);
}

static void of_an_aborted_transaction_nothing_remains(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    OK(world_put(&w, l, 1, 11, 3));
    struct mt_tx *tx = begin(&w, l);
    uint8_t key[8];
    OK(mt_tx_put(tx, SHUT_MAP, world_key(1, key), MT_LITERAL("x")));
    OK(mt_tx_put(tx, SHUT_MAP, world_key(2, key), MT_LITERAL("y")));
    OK(mt_tx_del(tx, SHUT_MAP, world_key(1, key)));
    mt_ledger_abort(l, &tx);
    MT_ASSERT(tx == NULL);
    MT_ASSERT(world_get(&w, l, 1) == 11);
    MT_ASSERT(world_get(&w, l, 2) == 0);
    MT_ASSERT(mt_ledger_version(l) == 2);
    end_world(&w, l);
}

static void a_rollback_takes_back_to_its_mark_and_no_further(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    uint8_t before[8];
    uint8_t again[8];
    uint32_t index = 9;
    const mt_id topic = {{1}};
    struct mt_tx *tx = begin(&w, l);
    mt_bytes value;
    OK(mt_tx_put(tx, SHUT_MAP, MT_LITERAL("a"), MT_LITERAL("1")));
    OK(mt_tx_claim(tx, MT_LITERAL("kept"), &index));
    struct mt_tx_mark mark = mt_tx_mark(tx);
    OK(mt_tx_random(tx, (mt_span){before, sizeof before}));
    OK(mt_tx_put(tx, SHUT_MAP, MT_LITERAL("a"), MT_LITERAL("2")));
    OK(mt_tx_put(tx, OPEN_MAP, MT_LITERAL("b"), MT_LITERAL("3")));
    OK(mt_tx_del(tx, SHUT_MAP, MT_LITERAL("a")));
    OK(mt_tx_claim(tx, MT_LITERAL("dropped"), &index));
    OK(mt_tx_emit(tx, &topic, MT_LITERAL("dropped")));
    mt_tx_rollback(tx, mark);
    OK(mt_tx_get(tx, SHUT_MAP, MT_LITERAL("a"), &value));
    MT_ASSERT(mt_bytes_equal(value, MT_LITERAL("1")));
    MT_ASSERT(!mt_tx_has(tx, OPEN_MAP, MT_LITERAL("b")));
    OK(mt_tx_claim(tx, MT_LITERAL("second"), &index));
    MT_ASSERT(index == 1);
    OK(mt_tx_random(tx, (mt_span){again, sizeof again}));
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(before), MT_BYTES_OF(again)));
    mt_tx_rollback(tx, (struct mt_tx_mark){0});
    MT_ASSERT(!mt_tx_has_writes(tx));
    mt_ledger_abort(l, &tx);
    end_world(&w, l);
}

static mt_err join(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct mt_writer *out = state;
    mt_write_bytes(out, key);
    mt_write_u8(out, ' ');
    *is_enough = mt_bytes_equal(value, MT_LITERAL("last"));
    return MT_OK;
}

static void finds(struct mt_tx *tx, mt_bytes prefix, mt_bytes after, mt_bytes expected)
{
    uint8_t room[64];
    mt_bytes found;
    struct mt_writer out = mt_writer_over((mt_span){room, sizeof room});
    OK(mt_tx_scan(tx, SHUT_MAP, (struct mt_range){prefix, after}, join, &out));
    OK(mt_write_end(&out, &found));
    MT_ASSERT(mt_bytes_equal(found, expected));
}

static void a_scan_goes_in_order_through_what_begins_so(void)
{
    static const char *const keys[] = {"a", "ab", "abc", "b", "ba", "c"};
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    struct mt_tx *tx = begin(&w, l);
    const mt_bytes none = {NULL, 0};
    for (size_t i = 6; i > 0; i--) {
        OK(mt_tx_put(tx, SHUT_MAP, mt_bytes_of_text(keys[i - 1]),
                     i == 5 ? MT_LITERAL("last") : MT_LITERAL("")));
    }
    finds(tx, none, none, MT_LITERAL("a ab abc b ba "));
    finds(tx, MT_LITERAL("a"), none, MT_LITERAL("a ab abc "));
    finds(tx, MT_LITERAL("ab"), none, MT_LITERAL("ab abc "));
    finds(tx, MT_LITERAL("a"), MT_LITERAL("a"), MT_LITERAL("ab abc "));
    finds(tx, MT_LITERAL("a"), MT_LITERAL("abb"), MT_LITERAL("abc "));
    finds(tx, none, MT_LITERAL("ba"), MT_LITERAL("c "));
    finds(tx, MT_LITERAL("b"), MT_LITERAL("a"), MT_LITERAL("b ba "));
    finds(tx, MT_LITERAL("d"), none, none);
    mt_ledger_abort(l, &tx);
    end_world(&w, l);
}

static void after_a_restart_everything_durable_is_there_and_nothing_else(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    uint8_t key[8];
    for (uint64_t i = 0; i < 50; i++) {
        OK(world_put(&w, l, i, (uint8_t)(i + 1), 100 + i * 37));
        if (i % 3 == 0) {
            OK(world_write(l));
        }
    }
    struct mt_tx *tx = begin(&w, l);
    OK(mt_tx_del(tx, SHUT_MAP, world_key(7, key)));
    OK(mt_tx_put(tx, OPEN_MAP, MT_LITERAL("public"), MT_LITERAL("yes")));
    (void)commit(l, tx);
    OK(world_write(l));
    uint64_t durable = mt_ledger_durable(l);
    OK(world_put(&w, l, 99, 99, 10)); /* never written */
    l = restart(&w, l);
    MT_ASSERT(w.report.transactions == durable);
    for (uint64_t i = 0; i < 50; i++) {
        MT_ASSERT(world_get(&w, l, i) == (i == 7 ? 0 : i + 1));
    }
    MT_ASSERT(world_get(&w, l, 99) == 0);
    tx = begin(&w, l);
    MT_ASSERT(mt_tx_has(tx, OPEN_MAP, MT_LITERAL("public")));
    mt_ledger_abort(l, &tx);
    end_world(&w, l);
}

static void one_write_is_under_way_and_the_rest_gathers(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    struct mt_ledger_write *first = NULL;
    struct mt_ledger_write *second = NULL;
    OK(mt_ledger_cut(l, &first));
    MT_ASSERT(first == NULL); /* nothing to write */
    OK(world_put(&w, l, 1, 1, 10));
    OK(mt_ledger_cut(l, &first));
    MT_ASSERT(first != NULL);
    OK(world_put(&w, l, 2, 2, 10));
    OK(world_put(&w, l, 3, 3, 10));
    OK(mt_ledger_cut(l, &second));
    MT_ASSERT(second == NULL);
    MT_ASSERT(mt_ledger_durable(l) == 1);
    mt_err e = mt_ledger_write_run(first);
    MT_ASSERT(mt_ledger_durable(l) == 1);
    OK(mt_ledger_written(l, &first, e));
    MT_ASSERT(mt_ledger_durable(l) == 2 && first == NULL);
    OK(world_write(l));
    MT_ASSERT(mt_ledger_durable(l) == 4);
    end_world(&w, l);
}

static void after_a_failed_write_the_ledger_is_dead(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    struct mt_ledger_write *write = NULL;
    struct mt_tx *tx = NULL;
    const struct mt_fault fault = {MT_E_IO, 1, "test", "the disk is gone"};
    OK(world_put(&w, l, 1, 1, 10));
    OK(mt_ledger_cut(l, &write));
    OK(mt_ledger_write_run(write)); /* it may even have arrived */
    MT_ASSERT(fails_with(mt_ledger_written(l, &write, (mt_err){&fault}), MT_E_IO));
    MT_ASSERT(mt_ledger_durable(l) == 1);
    MT_ASSERT(fails_with(mt_ledger_begin(l, world_maps, w.now_ms, &tx), MT_E_CLOSED));
    MT_ASSERT(fails_with(mt_ledger_cut(l, &write), MT_E_CLOSED));
    end_world(&w, l);
}

static void limits_of_a_transaction_are_refused_and_harm_nothing(void)
{
    static uint8_t big[MT_VALUE_BYTES_MAX + 1];
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    struct mt_tx *tx = begin(&w, l);
    mt_bytes most = {big, MT_VALUE_BYTES_MAX};
    uint32_t index = 0;
    uint8_t key[8];
    mt_err e = MT_OK;
    MT_ASSERT(fails_with(mt_tx_put(tx, SHUT_MAP, MT_LITERAL("k"), MT_BYTES_OF(big)), MT_E_LIMIT));
    MT_ASSERT(
        fails_with(mt_tx_put(tx, SHUT_MAP, (mt_bytes){big, MT_KEY_BYTES_MAX + 1}, MT_LITERAL("")),
                   MT_E_LIMIT));
    for (uint64_t i = 0; !mt_failed(e); i++) {
        e = mt_tx_put(tx, SHUT_MAP, world_key(i, key), most);
        MT_ASSERT(i < 5);
    }
    MT_ASSERT(e.fault->code == MT_E_LIMIT);
    (void)commit(l, tx);
    OK(world_write(l));
    tx = begin(&w, l);
    for (size_t i = 0; i < MT_CLAIM_ITEMS_MAX; i++) {
        OK(mt_tx_claim(tx, MT_LITERAL("c"), &index));
        MT_ASSERT(index == i);
    }
    MT_ASSERT(fails_with(mt_tx_claim(tx, MT_LITERAL("c"), &index), MT_E_LIMIT));
    (void)commit(l, tx);
    OK(world_write(l));
    l = restart(&w, l);
    MT_ASSERT(w.report.transactions == 3);
    end_world(&w, l);
}

static void a_full_block_is_busy_until_it_is_cut(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    mt_err e = MT_OK;
    uint64_t count = 0;
    for (; !mt_failed(e); count++) {
        e = world_put(&w, l, count, (uint8_t)(count + 1), MT_VALUE_BYTES_MAX);
        MT_ASSERT(count < 20);
    }
    MT_ASSERT(e.fault->code == MT_E_BUSY && count > 10);
    MT_ASSERT(world_get(&w, l, count - 1) == 0); /* nothing of it remains */
    OK(world_write(l));
    OK(world_put(&w, l, count - 1, 77, MT_VALUE_BYTES_MAX));
    OK(world_write(l));
    l = restart(&w, l);
    MT_ASSERT(world_get(&w, l, count - 1) == 77 && world_get(&w, l, 0) == 1);
    end_world(&w, l);
}

static void block_time_never_goes_back_and_jumps_only_when_accepted(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    struct mt_tx *tx = NULL;
    w.now_ms += 1000;
    OK(world_put(&w, l, 1, 1, 1));
    OK(world_write(l));
    MT_ASSERT(mt_ledger_time_ms(l) == WORLD_EPOCH_MS + 1000);
    OK(mt_ledger_begin(l, world_maps, 5, &tx)); /* a host that says 1970 */
    MT_ASSERT(mt_tx_now_ms(tx) == WORLD_EPOCH_MS + 1000);
    (void)commit(l, tx);
    OK(world_write(l));
    MT_ASSERT(mt_ledger_time_ms(l) == WORLD_EPOCH_MS + 1000);
    w.now_ms = 5;
    l = restart(&w, l); /* still 1970: the disk knows better */
    MT_ASSERT(mt_ledger_time_ms(l) == WORLD_EPOCH_MS + 1000);

    uint64_t late = mt_ledger_time_ms(l) + HOUR_MS + 1;
    MT_ASSERT(fails_with(mt_ledger_begin(l, world_maps, late, &tx), MT_E_STALE));
    OK(mt_ledger_begin(l, world_maps, mt_ledger_time_ms(l), &tx)); /* the clock stands */
    MT_ASSERT(mt_tx_now_ms(tx) == WORLD_EPOCH_MS + 1000);
    mt_ledger_abort(l, &tx);
    mt_ledger_accept_time(l, late);
    OK(mt_ledger_begin(l, world_maps, late, &tx));
    MT_ASSERT(mt_tx_now_ms(tx) == late);
    (void)commit(l, tx);
    OK(world_write(l));
    MT_ASSERT(mt_ledger_time_ms(l) == late);
    end_world(&w, l);
}

static void after_a_long_pause_the_node_starts_and_its_clock_stands(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    struct mt_tx *tx = NULL;
    w.now_ms += 30 * (uint64_t)24 * HOUR_MS;
    l = restart(&w, l);
    MT_ASSERT(mt_ledger_time_ms(l) == WORLD_EPOCH_MS);
    MT_ASSERT(fails_with(mt_ledger_begin(l, world_maps, w.now_ms, &tx), MT_E_STALE));
    mt_ledger_accept_time(l, w.now_ms);
    OK(mt_ledger_begin(l, world_maps, w.now_ms, &tx));
    (void)commit(l, tx);
    OK(world_write(l));
    l = restart(&w, l);
    MT_ASSERT(mt_ledger_time_ms(l) == w.now_ms);
    end_world(&w, l);
}

static void a_clock_that_is_looked_at_may_go_on_for_a_night(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    for (size_t i = 0; i < 12; i++) {
        struct mt_tx *tx = NULL;
        w.now_ms += HOUR_MS;
        OK(mt_ledger_begin(l, world_maps, w.now_ms, &tx));
        mt_ledger_abort(l, &tx);
    }
    end_world(&w, l);
}

struct seen {
    uint64_t count;
    uint64_t first;
    uint64_t last;
    uint64_t stop_at;
};

static mt_err see(void *state, uint64_t txid, mt_bytes event, bool *is_enough)
{
    struct seen *s = state;
    MT_ASSERT(event.len == 1);
    MT_ASSERT(txid >= s->last);
    s->first = s->count == 0 ? txid : s->first;
    s->last = txid;
    s->count++;
    *is_enough = s->count == s->stop_at;
    return MT_OK;
}

static struct seen events_after(struct mt_ledger *l, uint8_t topic, uint64_t after)
{
    const mt_id id = {{topic}};
    struct seen s = {.stop_at = 1000};
    OK(mt_ledger_events(l, &id, after, see, &s));
    return s;
}

static void emit(struct world *w, struct mt_ledger *l, uint8_t topic, size_t count)
{
    struct mt_tx *tx = begin(w, l);
    const mt_id id = {{topic}};
    for (size_t i = 0; i < count; i++) {
        OK(mt_tx_emit(tx, &id, MT_LITERAL("e")));
    }
    (void)commit(l, tx);
}

static void events_are_seen_when_durable_and_after_where_a_watcher_was(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    emit(&w, l, 1, 2);                           /* 2 */
    MT_ASSERT(events_after(l, 1, 0).count == 0); /* not yet durable */
    OK(world_write(l));
    MT_ASSERT(events_after(l, 1, 0).count == 2);
    emit(&w, l, 2, 1); /* 3 */
    emit(&w, l, 1, 1); /* 4 */
    OK(world_write(l));
    MT_ASSERT(events_after(l, 1, 0).count == 3);
    MT_ASSERT(events_after(l, 1, 2).count == 1 && events_after(l, 1, 2).first == 4);
    MT_ASSERT(events_after(l, 1, 4).count == 0);
    MT_ASSERT(events_after(l, 2, 0).count == 1 && events_after(l, 2, 0).first == 3);
    MT_ASSERT(events_after(l, 3, 0).count == 0);
    l = restart(&w, l);
    MT_ASSERT(events_after(l, 1, 0).count == 3 && events_after(l, 2, 0).count == 1);
    end_world(&w, l);
}

static void of_each_topic_the_last_256_events_are_kept(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    for (uint64_t i = 0; i < 10; i++) {
        emit(&w, l, 1, 50); /* transactions 2 to 11 */
    }
    emit(&w, l, 2, 3);
    OK(world_write(l));
    for (size_t round = 0; round < 2; round++) {
        struct seen s = events_after(l, 1, 0);
        MT_ASSERT(s.count == MT_TOPIC_EVENTS_MAX);
        MT_ASSERT(s.first == 6 && s.last == 11); /* 244 dropped: four and most of the fifth */
        MT_ASSERT(events_after(l, 2, 0).count == 3);
        l = restart(&w, l);
    }
    end_world(&w, l);
}

static void randomness_differs_between_transactions_and_calls(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    static uint8_t r[4][10000];
    for (size_t i = 0; i < 4; i += 2) {
        struct mt_tx *tx = begin(&w, l);
        OK(mt_tx_random(tx, (mt_span){r[i], sizeof r[i]}));
        OK(mt_tx_random(tx, (mt_span){r[i + 1], sizeof r[i + 1]}));
        mt_ledger_abort(l, &tx);
    }
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < i; j++) {
            MT_ASSERT(!mt_bytes_equal(MT_BYTES_OF(r[i]), MT_BYTES_OF(r[j])));
        }
        MT_ASSERT(!mt_bytes_equal((mt_bytes){r[i], 32}, (mt_bytes){r[i] + 8160, 32}));
    }
    end_world(&w, l);
}

static void a_recovery_epoch_is_counted_when_it_is_durable(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    struct mt_tx *tx = begin(&w, l);
    OK(mt_ledger_begin_epoch(tx, MT_LITERAL("signed")));
    (void)commit(l, tx);
    MT_ASSERT(mt_ledger_recovery_epoch(l) == 0);
    OK(world_write(l));
    MT_ASSERT(mt_ledger_recovery_epoch(l) == 1);
    l = restart(&w, l);
    MT_ASSERT(mt_ledger_recovery_epoch(l) == 1);
    tx = begin(&w, l);
    OK(mt_ledger_begin_epoch(tx, MT_LITERAL("signed again")));
    (void)commit(l, tx);
    OK(world_write(l));
    MT_ASSERT(mt_ledger_recovery_epoch(l) == 2);
    end_world(&w, l);
}

static void a_start_needs_an_incarnation_of_its_own(void)
{
    struct world w;
    struct mt_ledger *l = new_ledger(&w);
    mt_ledger_free(&l);
    world_starts--;
    MT_ASSERT(fails_with(world_open(&w, &l), MT_E_ARG));
    OK(world_open(&w, &l));
    end_world(&w, l);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_new_ledger_has_one_transaction_its_start),
        MT_TEST(without_a_ledger_open_says_so),
        MT_TEST(a_transaction_reads_its_own_writes_and_others_read_them_after_it),
        MT_TEST(of_an_aborted_transaction_nothing_remains),
        MT_TEST(a_rollback_takes_back_to_its_mark_and_no_further),
        MT_TEST(a_scan_goes_in_order_through_what_begins_so),
        MT_TEST(after_a_restart_everything_durable_is_there_and_nothing_else),
        MT_TEST(one_write_is_under_way_and_the_rest_gathers),
        MT_TEST(after_a_failed_write_the_ledger_is_dead),
        MT_TEST(limits_of_a_transaction_are_refused_and_harm_nothing),
        MT_TEST(a_full_block_is_busy_until_it_is_cut),
        MT_TEST(block_time_never_goes_back_and_jumps_only_when_accepted),
        MT_TEST(after_a_long_pause_the_node_starts_and_its_clock_stands),
        MT_TEST(a_clock_that_is_looked_at_may_go_on_for_a_night),
        MT_TEST(events_are_seen_when_durable_and_after_where_a_watcher_was),
        MT_TEST(of_each_topic_the_last_256_events_are_kept),
        MT_TEST(randomness_differs_between_transactions_and_calls),
        MT_TEST(a_recovery_epoch_is_counted_when_it_is_durable),
        MT_TEST(a_start_needs_an_incarnation_of_its_own),
    };
    OK(mt_crypto_init(world_entropy, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
