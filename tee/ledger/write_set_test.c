/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/write_set.h"

#include "base/assert.h"
#include "base/limits.h"
#include "unit/runner.h"

/* MT_LITERAL() is no constant. */
#define TEXT(text_)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text_), sizeof(text_) - 1                                                \
    }

static const struct mt_change public_changes[] = {
    {.map = TEXT("ledger.starts"), .key = TEXT("1"), .value = TEXT("one")},
};
static const struct mt_change private_changes[] = {
    {.map = TEXT("data"), .key = TEXT("a"), .value = TEXT("alpha")},
    {.map = TEXT("data"), .key = TEXT("b"), .is_delete = true},
    {.map = TEXT("gate.users"), .key = TEXT("u"), .value = TEXT("")},
};
static const struct mt_tagged claims[] = {
    {{{1}}, TEXT("a claim")},
    {{{2}}, TEXT("another")},
};
static const struct mt_tagged events[] = {{{{3}}, TEXT("{}")}};

struct good {
    uint8_t public_room[64];
    uint8_t private_room[256];
    mt_bytes public_;
    mt_bytes private_;
};

static void write_good(struct good *g)
{
    struct mt_writer w = mt_writer_over((mt_span){g->public_room, sizeof g->public_room});
    struct mt_writer x = mt_writer_over((mt_span){g->private_room, sizeof g->private_room});
    const struct mt_private_part p = {
        {{9}}, claims, 2, private_changes, 3, events, 1,
    };
    mt_public_part_write(&w, public_changes, 1);
    mt_private_part_write(&x, &p);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &g->public_)));
    MT_ASSERT(!mt_failed(mt_write_end(&x, &g->private_)));
}

static mt_err parse(mt_bytes public_, mt_bytes private_, struct mt_write_set *out)
{
    struct mt_reader p = mt_reader_over(public_);
    struct mt_reader q = mt_reader_over(private_);
    MT_TRY(mt_write_set_parse(&p, &q, out));
    MT_TRY(mt_read_end(&p));
    return mt_read_end(&q);
}

static void are_these(mt_bytes item, const struct mt_change *expected, size_t count)
{
    struct mt_changes_cursor c;
    struct mt_change change;
    bool is_end = false;
    MT_ASSERT(!mt_failed(mt_changes_begin(item, &c)));
    for (size_t i = 0; i < count; i++) {
        MT_ASSERT(!mt_failed(mt_changes_next(&c, &change, &is_end)));
        MT_ASSERT(!is_end);
        MT_ASSERT(mt_bytes_equal(change.map, expected[i].map));
        MT_ASSERT(mt_bytes_equal(change.key, expected[i].key));
        MT_ASSERT(mt_bytes_equal(change.value, expected[i].value));
        MT_ASSERT(change.is_delete == expected[i].is_delete);
    }
    MT_ASSERT(!mt_failed(mt_changes_next(&c, &change, &is_end)));
    MT_ASSERT(is_end);
}

static void what_is_written_is_read(void)
{
    struct good g;
    struct mt_write_set s;
    struct mt_tagged_cursor c;
    struct mt_tagged t;
    bool is_end = false;
    write_good(&g);
    MT_ASSERT(!mt_failed(parse(g.public_, g.private_, &s)));
    MT_ASSERT(mt_bytes_equal(s.public_, g.public_));
    MT_ASSERT(mt_bytes_equal(s.private_, g.private_));
    MT_ASSERT(s.nonce.b[0] == 9 && s.claims_count == 2);
    are_these(s.public_, public_changes, 1);
    are_these(s.changes, private_changes, 3);
    MT_ASSERT(!mt_failed(mt_tagged_begin(s.claims, &c)));
    MT_ASSERT(!mt_failed(mt_tagged_next(&c, &t, &is_end)));
    MT_ASSERT(!is_end && t.id.b[0] == 1 && mt_bytes_equal(t.bytes, claims[0].bytes));
    MT_ASSERT(!mt_failed(mt_tagged_begin(s.events, &c)));
    MT_ASSERT(!mt_failed(mt_tagged_next(&c, &t, &is_end)));
    MT_ASSERT(!is_end && mt_bytes_equal(t.bytes, events[0].bytes));
    MT_ASSERT(!mt_failed(mt_tagged_next(&c, &t, &is_end)) && is_end);
}

static void every_truncation_is_refused(void)
{
    struct good g;
    struct mt_write_set s;
    write_good(&g);
    for (size_t len = 0; len < g.public_.len; len++) {
        MT_ASSERT(mt_failed(parse((mt_bytes){g.public_.ptr, len}, g.private_, &s)));
    }
    for (size_t len = 0; len < g.private_.len; len++) {
        MT_ASSERT(mt_failed(parse(g.public_, (mt_bytes){g.private_.ptr, len}, &s)));
    }
}

/* A flipped bit that is still well formed means something else, and is written so. */
static void every_flipped_bit_is_refused_or_means_something_else(void)
{
    struct good g;
    write_good(&g);
    for (size_t bit = 0; bit < 8 * g.private_.len; bit++) {
        struct mt_write_set s;
        g.private_room[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        if (!mt_failed(parse(g.public_, g.private_, &s))) {
            MT_ASSERT(mt_bytes_equal(s.private_, g.private_));
        }
        g.private_room[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

static void changes_out_of_order_are_refused(void)
{
    static const struct mt_change twice[] = {
        {.map = TEXT("m"), .key = TEXT("a"), .value = TEXT("1")},
        {.map = TEXT("m"), .key = TEXT("a"), .value = TEXT("2")},
    };
    static const struct mt_change maps[] = {
        {.map = TEXT("n"), .key = TEXT("a"), .value = TEXT("1")},
        {.map = TEXT("m"), .key = TEXT("a"), .value = TEXT("2")},
    };
    static const struct mt_change no_key[] = {
        {.map = TEXT("m"), .key = TEXT(""), .value = TEXT("1")},
    };
    static const struct mt_change *const bad[] = {twice, maps, no_key};
    static const size_t counts[] = {2, 2, 1};
    struct good g;
    struct mt_write_set s;
    write_good(&g);
    for (size_t i = 0; i < 3; i++) {
        uint8_t room[64];
        mt_bytes item;
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        mt_public_part_write(&w, bad[i], counts[i]);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &item)));
        mt_err e = parse(item, g.private_, &s);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_FORMAT);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(what_is_written_is_read),
        MT_TEST(every_truncation_is_refused),
        MT_TEST(every_flipped_bit_is_refused_or_means_something_else),
        MT_TEST(changes_out_of_order_are_refused),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
