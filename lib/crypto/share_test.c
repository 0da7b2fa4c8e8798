/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/share.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "unit/mangle.h"
#include "unit/runner.h"
#include "vectors/share_formats.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

enum { ALL = MT_SHARES_MAX, KEY = MT_SHARE_KEY_LEN };

struct world {
    struct mt_share_set set;
    struct mt_share shares[ALL];
    uint8_t key[KEY];
};

static bool fails_with(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

static void cut_into(struct world *w, uint8_t threshold, uint8_t count)
{
    uint8_t random[KEY * (ALL - 1)];
    w->set = (struct mt_share_set){threshold, count, {{{0}}}};
    OK(mt_random((mt_span){w->key, sizeof w->key}));
    OK(mt_random((mt_span){random, sizeof random}));
    OK(mt_share_split(MT_BYTES_OF(w->key), (mt_bytes){random, (threshold - 1U) * KEY}, &w->set,
                      w->shares));
}

static mt_err combine(const struct world *w, const struct mt_share *some, size_t count, size_t *at)
{
    uint8_t key[KEY];
    mt_err e = mt_share_combine(&w->set, some, count, (mt_span){key, sizeof key}, at);
    MT_ASSERT(mt_failed(e) || mt_bytes_equal(MT_BYTES_OF(key), MT_BYTES_OF(w->key)));
    return e;
}

/* Each way of taking k of them would be 65,535 for n = 16: those that follow each other, round and
 * backwards, and every one for n = 5. */
static void any_k_of_n_shares_make_the_key_for_every_k_and_n(void)
{
    static struct world w;
    struct mt_share some[ALL];
    size_t at = 0;
    for (size_t n = MT_SHARES_MIN; n <= ALL; n++) {
        for (size_t k = MT_SHARES_MIN; k <= n; k++) {
            cut_into(&w, (uint8_t)k, (uint8_t)n);
            for (size_t first = 0; first < n; first++) {
                for (size_t i = 0; i < k; i++) {
                    some[k - 1 - i] = w.shares[(first + i) % n];
                }
                OK(combine(&w, some, k, &at));
                MT_ASSERT(k == 2 || fails_with(combine(&w, some, k - 1, &at), MT_E_NOTFOUND));
            }
            OK(combine(&w, w.shares, n, &at));
        }
    }
    cut_into(&w, 3, 5);
    for (uint32_t chosen = 0; chosen < 32; chosen++) {
        size_t count = 0;
        for (size_t i = 0; i < 5; i++) {
            if ((chosen >> i & 1) != 0) {
                some[count++] = w.shares[i];
            }
        }
        mt_err e = combine(&w, some, count, &at);
        MT_ASSERT(mt_failed(e) == (count < 3));
        MT_ASSERT(count >= 3 || e.fault->code == MT_E_NOTFOUND);
    }
}

/* All choices of the coefficient: 32 at a time, one a byte. */
static void one_share_of_two_is_every_byte_once_whatever_the_key(void)
{
    for (uint32_t secret = 0; secret < 256; secret++) {
        uint8_t seen[3][256] = {{0}};
        for (uint32_t from = 0; from < 256; from += KEY) {
            struct mt_share_set set = {2, 3, {{{0}}}};
            struct mt_share shares[3];
            uint8_t key[KEY];
            uint8_t random[KEY];
            for (uint32_t i = 0; i < KEY; i++) {
                key[i] = (uint8_t)secret;
                random[i] = (uint8_t)(from + i);
            }
            OK(mt_share_split(MT_BYTES_OF(key), MT_BYTES_OF(random), &set, shares));
            for (size_t s = 0; s < 3; s++) {
                for (size_t i = 0; i < KEY; i++) {
                    seen[s][shares[s].value[i]]++;
                }
            }
        }
        for (size_t i = 0; i < sizeof seen; i++) {
            MT_ASSERT(seen[i / 256][i % 256] == 1);
        }
    }
}

/* All pairs of coefficients, for some keys. */
static void two_shares_of_three_are_every_pair_once_whatever_the_key(void)
{
    static uint8_t seen[3][65536];
    static const uint8_t secrets[] = {0x00, 0x01, 0x53, 0xff};
    for (size_t t = 0; t < sizeof secrets; t++) {
        memset(seen, 0, sizeof seen);
        for (uint32_t from = 0; from < 65536; from += KEY) {
            struct mt_share_set set = {3, 3, {{{0}}}};
            struct mt_share s[3];
            uint8_t key[KEY];
            uint8_t random[2 * KEY];
            memset(key, secrets[t], sizeof key);
            for (uint32_t i = 0; i < KEY; i++) {
                random[i] = (uint8_t)((from + i) >> 8);
                random[KEY + i] = (uint8_t)(from + i);
            }
            OK(mt_share_split(MT_BYTES_OF(key), MT_BYTES_OF(random), &set, s));
            for (size_t i = 0; i < KEY; i++) {
                seen[0][s[0].value[i] << 8 | s[1].value[i]]++;
                seen[1][s[0].value[i] << 8 | s[2].value[i]]++;
                seen[2][s[1].value[i] << 8 | s[2].value[i]]++;
            }
        }
        for (size_t i = 0; i < sizeof seen; i++) {
            MT_ASSERT(seen[i / 65536][i % 65536] == 1);
        }
    }
}

static void a_changed_share_is_named_before_anything_is_combined(void)
{
    static struct world w;
    struct mt_share some[ALL];
    uint8_t key[KEY] = {0};
    static const uint8_t untouched[KEY] = {0};
    size_t at = 0;
    cut_into(&w, 4, 7);
    for (size_t wrong = 0; wrong < 7; wrong++) {
        for (size_t bit = 0; bit < KEY * 8; bit++) {
            memcpy(some, w.shares, sizeof some);
            some[wrong].value[bit / 8] ^= (uint8_t)(1U << bit % 8);
            MT_ASSERT(fails_with(mt_share_verify(&w.set, &some[wrong]), MT_E_PROOF));
            at = ALL;
            MT_ASSERT(fails_with(mt_share_combine(&w.set, some, 7, (mt_span){key, sizeof key}, &at),
                                 MT_E_PROOF));
            MT_ASSERT(at == wrong);
            MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(key), MT_BYTES_OF(untouched)));
        }
        /* The value of one under the number of another. */
        memcpy(some, w.shares, sizeof some);
        some[wrong].index = (uint8_t)(wrong == 6 ? 1 : wrong + 2);
        MT_ASSERT(fails_with(mt_share_verify(&w.set, &some[wrong]), MT_E_PROOF));
    }
}

static void numbers_that_are_not_those_of_the_set_are_named_too(void)
{
    static struct world w;
    cut_into(&w, 2, 3);
    struct mt_share s = w.shares[0];
    s.index = 4;
    s.count = 16;
    MT_ASSERT(fails_with(mt_share_verify(&w.set, &s), MT_E_PROOF));
    s = w.shares[0];
    s.threshold = 3;
    MT_ASSERT(fails_with(mt_share_verify(&w.set, &s), MT_E_PROOF));
    s = w.shares[0];
    s.index = 0;
    MT_ASSERT(fails_with(mt_share_verify(&w.set, &s), MT_E_PROOF));
}

static void a_share_of_another_set_and_one_given_twice_are_named(void)
{
    static struct world w;
    static struct world other;
    size_t at = ALL;
    cut_into(&w, 3, 5);
    cut_into(&other, 3, 5);
    const struct mt_share foreign[] = {w.shares[0], w.shares[1], other.shares[2]};
    const struct mt_share twice[] = {w.shares[4], w.shares[1], w.shares[4]};
    MT_ASSERT(fails_with(combine(&w, foreign, 3, &at), MT_E_CONFLICT) && at == 2);
    MT_ASSERT(fails_with(combine(&w, twice, 3, &at), MT_E_ARG) && at == 2);
    /* A set that the host exchanged makes shares foreign, and nobody a forger. */
    w.set.commitments[1].b[0] ^= 1;
    MT_ASSERT(fails_with(combine(&w, w.shares, 3, &at), MT_E_CONFLICT) && at == 0);
}

static void numbers_out_of_range_cut_nothing(void)
{
    static struct world w;
    uint8_t random[KEY * ALL] = {0};
    static const uint8_t bad[][2] = {{0, 2}, {1, 2}, {3, 2}, {2, 17}, {17, 17}, {1, 1}, {0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        w.set.threshold = bad[i][0];
        w.set.count = bad[i][1];
        MT_ASSERT(fails_with(
            mt_share_split(MT_BYTES_OF(w.key), (mt_bytes){random, KEY}, &w.set, w.shares),
            MT_E_ARG));
    }
    w.set = (struct mt_share_set){3, 5, {{{0}}}};
    MT_ASSERT(fails_with(
        mt_share_split(MT_BYTES_OF(w.key), (mt_bytes){random, KEY}, &w.set, w.shares), MT_E_ARG));
    MT_ASSERT(fails_with(
        mt_share_split((mt_bytes){w.key, 31}, (mt_bytes){random, 2 * KEY}, &w.set, w.shares),
        MT_E_ARG));
}

static mt_bytes bytes_of(mt_bytes hex, uint8_t *room)
{
    OK(mt_hex_parse(hex, (mt_span){room, hex.len / 2}));
    return (mt_bytes){room, hex.len / 2};
}

static mt_bytes text_of(const struct mt_share *s, uint8_t room[MT_SHARE_TEXT_LEN])
{
    struct mt_writer w = mt_writer_over((mt_span){room, MT_SHARE_TEXT_LEN});
    mt_share_write(&w, s);
    return mt_write_done(&w);
}

static void shares_are_those_that_an_independent_program_made(void)
{
    uint8_t room[2][MT_SHARE_SET_LEN_MAX];
    uint8_t random[KEY * (ALL - 1)];
    struct mt_share_set set = {3, 5, {{{0}}}};
    struct mt_share s[ALL];
    struct mt_writer w = mt_writer_over((mt_span){room[0], sizeof room[0]});
    uint8_t key[KEY];
    mt_bytes k = bytes_of(MT_LITERAL(MT_VECTOR_SHARE_KEY), key);
    (void)bytes_of(MT_LITERAL(MT_VECTOR_SHARE_RANDOM), random);
    OK(mt_share_split(k, (mt_bytes){random, 2 * KEY}, &set, s));
    mt_share_set_write(&w, &set);
    MT_ASSERT(
        mt_bytes_equal(mt_write_done(&w), bytes_of(MT_LITERAL(MT_VECTOR_SHARE_SET), room[1])));
    MT_ASSERT(mt_bytes_equal(text_of(&s[0], room[0]),
                             bytes_of(MT_LITERAL(MT_VECTOR_SHARE_FIRST), room[1])));
    MT_ASSERT(mt_bytes_equal(text_of(&s[4], room[0]),
                             bytes_of(MT_LITERAL(MT_VECTOR_SHARE_LAST), room[1])));
    set = (struct mt_share_set){16, 16, {{{0}}}};
    OK(mt_share_split(k, MT_BYTES_OF(random), &set, s));
    MT_ASSERT(mt_bytes_equal(text_of(&s[15], room[0]),
                             bytes_of(MT_LITERAL(MT_VECTOR_SHARE_WIDEST), room[1])));
}

static void every_mistyped_symbol_is_noticed(void)
{
    static struct world w;
    uint8_t room[MT_SHARE_TEXT_LEN];
    struct mt_share s;
    cut_into(&w, 2, 2);
    OK(mt_share_parse(text_of(&w.shares[1], room), &s));
    for (size_t i = 0; i < sizeof room; i++) {
        const uint8_t good = room[i];
        for (uint32_t c = 0; c < 256; c++) {
            room[i] = (uint8_t)c;
            bool is_same = (c | 0x20) == (good | 0x20U) && c >= 'A';
            is_same = is_same || c == good ||
                      (good == '-' && (c == ' ' || c == '\t' || c == '\n' || c == '\r'));
            MT_ASSERT(mt_failed(mt_share_parse(MT_BYTES_OF(room), &s)) == !is_same);
        }
        room[i] = good;
    }
    for (size_t len = 0; len < sizeof room; len++) {
        MT_ASSERT(fails_with(mt_share_parse((mt_bytes){room, len}, &s), MT_E_FORMAT));
    }
}

static void a_share_is_read_as_a_person_types_it(void)
{
    uint8_t room[MT_SHARE_TEXT_LEN];
    uint8_t typed[MT_SHARE_TEXT_MAX + 1];
    static struct world w;
    struct mt_share s;
    size_t len = 0;
    cut_into(&w, 2, 3);
    (void)text_of(&w.shares[2], room);
    for (size_t i = 0; i < sizeof room; i++) {
        if (room[i] != '-') {
            typed[len++] = (uint8_t)(room[i] >= 'A' ? room[i] | 0x20 : room[i]);
            typed[len++] = i % 3 == 0 ? ' ' : '\n';
        }
    }
    OK(mt_share_parse((mt_bytes){typed, len}, &s));
    MT_ASSERT(s.index == 3 && s.threshold == 2 && s.count == 3 &&
              mt_id_equal(&s.set, &w.shares[2].set) &&
              mt_bytes_equal(MT_BYTES_OF(s.value), MT_BYTES_OF(w.shares[2].value)));
    typed[len] = 'a';
    MT_ASSERT(fails_with(mt_share_parse((mt_bytes){typed, len + 1}, &s), MT_E_FORMAT));
    memset(typed + len, ' ', sizeof typed - len);
    OK(mt_share_parse((mt_bytes){typed, MT_SHARE_TEXT_MAX}, &s));
    MT_ASSERT(fails_with(mt_share_parse(MT_BYTES_OF(typed), &s), MT_E_FORMAT));
}

static void shares_of_other_versions_and_numbers_are_refused(void)
{
    static struct world w;
    uint8_t room[MT_SHARE_TEXT_LEN];
    struct mt_share s;
    static const uint8_t bad[][3] = {{1, 3, 1}, {4, 3, 1}, {2, 17, 1}, {2, 3, 0}, {2, 3, 4}};
    cut_into(&w, 2, 3);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s = w.shares[0];
        s.threshold = bad[i][0];
        s.count = bad[i][1];
        s.index = bad[i][2];
        MT_ASSERT(fails_with(mt_share_parse(text_of(&s, room), &s), MT_E_FORMAT));
    }
    (void)text_of(&w.shares[0], room);
    room[9] = 'I'; /* the second symbol: the version is 2 */
    MT_ASSERT(fails_with(mt_share_parse(MT_BYTES_OF(room), &s), MT_E_CONFLICT));
}

static bool set_comes_back(const uint8_t *bytes, size_t len)
{
    struct mt_share_set set;
    uint8_t room[MT_SHARE_SET_LEN_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (mt_failed(mt_share_set_parse((mt_bytes){bytes, len}, &set))) {
        return false;
    }
    mt_share_set_write(&w, &set);
    MT_ASSERT(mt_bytes_equal(mt_write_done(&w), (mt_bytes){bytes, len}));
    return true;
}

static void every_truncation_and_flipped_bit_of_a_set_is_refused_or_another_set(void)
{
    uint8_t room[MT_SHARE_SET_LEN_MAX];
    mt_bytes set = bytes_of(MT_LITERAL(MT_VECTOR_SHARE_SET), room);
    mt_mangle_length(set_comes_back, set.ptr, set.len);
    MT_ASSERT(mt_mangle_bits(set_comes_back, set.ptr, set.len) > 0);
}

static mt_err shuffled(void *state, mt_span out)
{
    static uint64_t next = 88172645463325252U; /* xorshift */
    (void)state;
    for (size_t i = 0; i < out.len; i++) {
        next ^= next << 13;
        next ^= next >> 7;
        next ^= next << 17;
        out.ptr[i] = (uint8_t)(next >> 24);
    }
    return MT_OK;
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(any_k_of_n_shares_make_the_key_for_every_k_and_n),
        MT_TEST(one_share_of_two_is_every_byte_once_whatever_the_key),
        MT_TEST(two_shares_of_three_are_every_pair_once_whatever_the_key),
        MT_TEST(a_changed_share_is_named_before_anything_is_combined),
        MT_TEST(numbers_that_are_not_those_of_the_set_are_named_too),
        MT_TEST(a_share_of_another_set_and_one_given_twice_are_named),
        MT_TEST(numbers_out_of_range_cut_nothing),
        MT_TEST(shares_are_those_that_an_independent_program_made),
        MT_TEST(every_mistyped_symbol_is_noticed),
        MT_TEST(a_share_is_read_as_a_person_types_it),
        MT_TEST(shares_of_other_versions_and_numbers_are_refused),
        MT_TEST(every_truncation_and_flipped_bit_of_a_set_is_refused_or_another_set),
    };
    OK(mt_crypto_init(shuffled, NULL));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
