/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/share.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/ct.h"
#include "crypto/hash.h"

/*
 * Bytes are elements of GF(2^8), the polynomial that of AES: each byte of the key is the value at 0
 * of a polynomial of its own, whose other coefficients are random. Products are made of shifts and
 * masks: a table of logarithms would show in the cache what was looked up.
 */
enum { REDUCTION = 0x11b, VERSION = 1, CHECK_LEN = 3, BODY_LEN = 4 + 16 + MT_SHARE_KEY_LEN };
enum { ALL_LEN = BODY_LEN + CHECK_LEN, SYMBOLS = ALL_LEN * 8 / 5, GROUP = 8 };

_Static_assert(ALL_LEN * 8 % 5 == 0, "a share fills its last symbol");
_Static_assert(MT_SHARE_TEXT_LEN == 7 + SYMBOLS + SYMBOLS / GROUP, "and its text");
_Static_assert(MT_SHARE_SET_LEN_MAX == 2 + MT_SHARES_MAX * sizeof(mt_hash), "a set");

static const char prefix[] = "MTSHARE";

/* All ones for 1, none for 0. The barrier keeps a compiler from making a branch of it. */
static uint32_t mask_of(uint32_t bit)
{
    uint32_t mask = 0U - bit;
    __asm__ volatile("" : "+r"(mask));
    return mask;
}

static uint8_t times(uint8_t a, uint8_t b)
{
    uint32_t left = a;
    uint32_t product = 0;
    for (uint32_t i = 0; i < 8; i++) {
        product ^= left & mask_of((uint32_t)b >> i & 1);
        left = left << 1 ^ (REDUCTION & mask_of(left >> 7));
    }
    return (uint8_t)product;
}

/* a^254, of what is public and not 0. */
static uint8_t inverse(uint8_t a)
{
    uint8_t power = 1;
    for (int i = 0; i < 254; i++) {
        power = times(power, a);
    }
    return power;
}

MT_ERR mt_share_check_numbers(uint64_t threshold, uint64_t count)
{
    MT_REQUIRE(count <= MT_SHARES_MAX, MT_E_ARG, "there are at most 16 shares");
    MT_REQUIRE(threshold >= MT_SHARES_MIN, MT_E_ARG,
               "it takes at least two shares: one alone would be the key");
    MT_REQUIRE(threshold <= count, MT_E_ARG, "it cannot take more shares than there are");
    return MT_OK;
}

static void commit(const struct mt_share *s, mt_hash *out)
{
    const uint8_t numbers[] = {s->threshold, s->count, s->index};
    const mt_bytes parts[] = {MT_BYTES_OF(numbers), MT_BYTES_OF(s->value)};
    mt_sha256_labelled(MT_LABEL_SHARE, parts, sizeof parts / sizeof *parts, out);
}

void mt_share_set_name(const struct mt_share_set *set, mt_id *out)
{
    const uint8_t numbers[] = {set->threshold, set->count};
    const mt_bytes parts[] = {
        MT_BYTES_OF(numbers),
        {(const uint8_t *)set->commitments, set->count * sizeof(mt_hash)},
    };
    mt_hash h;
    mt_sha256_labelled(MT_LABEL_SHARE_SET, parts, sizeof parts / sizeof *parts, &h);
    memcpy(out->b, h.b, sizeof out->b);
}

/* The polynomials' values at `x`: Horner, from the highest coefficient down to the key. */
static void value_at(mt_bytes key, mt_bytes random, uint8_t x, uint8_t out[MT_SHARE_KEY_LEN])
{
    for (size_t i = 0; i < MT_SHARE_KEY_LEN; i++) {
        uint8_t value = 0;
        for (size_t at = random.len; at > 0; at -= MT_SHARE_KEY_LEN) {
            value = times((uint8_t)(value ^ random.ptr[at - MT_SHARE_KEY_LEN + i]), x);
        }
        out[i] = (uint8_t)(value ^ key.ptr[i]);
    }
}

MT_ERR mt_share_split(mt_bytes key, mt_bytes random, struct mt_share_set *set,
                      struct mt_share *shares)
{
    mt_id name;
    MT_TRY(mt_share_check_numbers(set->threshold, set->count));
    MT_REQUIRE(key.len == MT_SHARE_KEY_LEN, MT_E_ARG, "a key that is shared has 32 bytes");
    MT_REQUIRE(random.len == (set->threshold - 1U) * MT_SHARE_KEY_LEN, MT_E_ARG,
               "shares need 32 random bytes for each but one that it takes");
    for (uint8_t i = 0; i < set->count; i++) {
        struct mt_share *s = &shares[i];
        *s = (struct mt_share){set->threshold, set->count, (uint8_t)(i + 1), {{0}}, {0}};
        value_at(key, random, s->index, s->value);
        commit(s, &set->commitments[i]);
    }
    mt_share_set_name(set, &name);
    for (uint8_t i = 0; i < set->count; i++) {
        shares[i].set = name;
    }
    return MT_OK;
}

MT_ERR mt_share_verify(const struct mt_share_set *set, const struct mt_share *share)
{
    mt_id name;
    mt_hash commitment;
    mt_share_set_name(set, &name);
    MT_REQUIRE(mt_id_equal(&name, &share->set), MT_E_CONFLICT, "a share of another set");
    MT_REQUIRE(share->threshold == set->threshold && share->count == set->count &&
                   share->index >= 1 && share->index <= set->count,
               MT_E_PROOF, "a share that was changed: its numbers are not those of its set");
    commit(share, &commitment);
    MT_REQUIRE(
        mt_ct_equal(mt_hash_bytes(&commitment), mt_hash_bytes(&set->commitments[share->index - 1])),
        MT_E_PROOF, "a share that was changed: it is not what was handed out");
    return MT_OK;
}

/* What the value at share `i` counts for the value at 0, by Lagrange: of indices alone. */
static uint8_t weight_of(const struct mt_share *shares, size_t count, size_t i)
{
    uint8_t above = 1;
    uint8_t below = 1;
    for (size_t j = 0; j < count; j++) {
        if (j != i) {
            above = times(above, shares[j].index);
            below = times(below, (uint8_t)(shares[j].index ^ shares[i].index));
        }
    }
    return times(above, inverse(below));
}

static MT_ERR check_all(const struct mt_share_set *set, const struct mt_share *shares, size_t count,
                        size_t *at)
{
    bool is_given[MT_SHARES_MAX + 1] = {false};
    for (size_t i = 0; i < count; i++) {
        mt_err e = mt_share_verify(set, &shares[i]);
        *at = i;
        MT_TRY(e);
        MT_REQUIRE(!is_given[shares[i].index], MT_E_ARG, "a share that is given twice");
        is_given[shares[i].index] = true;
    }
    return MT_OK;
}

MT_ERR mt_share_combine(const struct mt_share_set *set, const struct mt_share *shares, size_t count,
                        mt_span key, size_t *at)
{
    MT_ASSERT(key.len == MT_SHARE_KEY_LEN);
    MT_TRY(mt_share_check_numbers(set->threshold, set->count));
    MT_TRY(check_all(set, shares, count, at));
    MT_REQUIRE(count >= set->threshold, MT_E_NOTFOUND, "these are fewer shares than it takes");
    memset(key.ptr, 0, key.len);
    for (size_t i = 0; i < set->threshold; i++) {
        uint8_t weight = weight_of(shares, set->threshold, i);
        for (size_t b = 0; b < key.len; b++) {
            key.ptr[b] = (uint8_t)(key.ptr[b] ^ times(shares[i].value[b], weight));
        }
    }
    return MT_OK;
}

static void checksum(mt_bytes body, uint8_t out[CHECK_LEN])
{
    mt_hash h;
    mt_sha256_labelled(MT_LABEL_SHARE_TEXT, &body, 1, &h);
    memcpy(out, h.b, CHECK_LEN);
}

/* RFC 4648 base32, A to Z and 2 to 7, without a table. */
static uint8_t symbol_of(uint32_t five)
{
    return (uint8_t)('A' + five + (mask_of((25 - five) >> 31) & (uint32_t)('2' - 26 - 'A')));
}

/* 32 or more for what is no symbol. */
static uint32_t five_of(uint8_t symbol)
{
    uint32_t c = symbol;
    uint32_t capital = c ^ (0x20 & mask_of((('a' - 1 - c) & (c - 'z' - 1)) >> 31));
    uint32_t is_letter = mask_of((('A' - 1 - capital) & (capital - 'Z' - 1)) >> 31);
    uint32_t is_digit = mask_of((('2' - 1 - c) & (c - '7' - 1)) >> 31);
    return (is_letter & (capital - 'A')) | (is_digit & (c - '2' + 26)) |
           (~(is_letter | is_digit) & 32);
}

void mt_share_write(struct mt_writer *w, const struct mt_share *share)
{
    uint8_t all[ALL_LEN] = {VERSION, share->threshold, share->count, share->index};
    uint8_t text[MT_SHARE_TEXT_LEN];
    size_t used = 0;
    uint32_t bits = 0;
    uint32_t have = 0;
    memcpy(all + 4, share->set.b, sizeof share->set.b);
    memcpy(all + BODY_LEN - MT_SHARE_KEY_LEN, share->value, MT_SHARE_KEY_LEN);
    checksum((mt_bytes){all, BODY_LEN}, all + BODY_LEN);
    memcpy(text, prefix, sizeof prefix - 1);
    used = sizeof prefix - 1;
    for (size_t i = 0, symbols = 0; i < ALL_LEN; i++) {
        bits = bits << 8 | all[i];
        for (have += 8; have >= 5; have -= 5) {
            if (symbols++ % GROUP == 0) {
                text[used++] = '-';
            }
            text[used++] = symbol_of(bits >> (have - 5) & 31);
        }
    }
    MT_ASSERT(used == sizeof text);
    mt_write_bytes(w, MT_BYTES_OF(text));
    mt_wipe((mt_span){all, sizeof all});
    mt_wipe((mt_span){text, sizeof text});
}

static bool is_blank(uint8_t c)
{
    return c == '-' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Letters and digits alone, whatever stands between them. */
static MT_ERR read_symbols(mt_bytes text, uint8_t out[sizeof prefix - 1 + SYMBOLS])
{
    size_t used = 0;
    MT_REQUIRE(text.len <= MT_SHARE_TEXT_MAX, MT_E_FORMAT, "this is too long for a share");
    for (size_t i = 0; i < text.len; i++) {
        if (!is_blank(text.ptr[i])) {
            MT_REQUIRE(used < sizeof prefix - 1 + SYMBOLS, MT_E_FORMAT,
                       "a share has eleven groups of eight symbols: this one has more");
            out[used++] = text.ptr[i];
        }
    }
    MT_REQUIRE(used >= sizeof prefix - 1, MT_E_FORMAT, "a share begins with MTSHARE");
    for (size_t i = 0; i < sizeof prefix - 1; i++) {
        MT_REQUIRE(five_of(out[i]) == (uint32_t)(prefix[i] - 'A'), MT_E_FORMAT,
                   "a share begins with MTSHARE");
    }
    MT_REQUIRE(used == sizeof prefix - 1 + SYMBOLS, MT_E_FORMAT,
               "a share has eleven groups of eight symbols: some are missing");
    return MT_OK;
}

static MT_ERR read_bytes(const uint8_t symbols[SYMBOLS], uint8_t out[ALL_LEN])
{
    uint32_t strange = 0;
    uint32_t bits = 0;
    uint32_t have = 0;
    size_t used = 0;
    for (size_t i = 0; i < SYMBOLS; i++) {
        uint32_t five = five_of(symbols[i]);
        strange |= five >> 5;
        bits = bits << 5 | (five & 31);
        have += 5;
        if (have >= 8) {
            have -= 8;
            out[used++] = (uint8_t)(bits >> have);
        }
    }
    MT_REQUIRE(strange == 0, MT_E_FORMAT,
               "a share has the letters A to Z and the digits 2 to 7: no 0, 1, 8 or 9");
    MT_ASSERT(used == ALL_LEN);
    return MT_OK;
}

static MT_ERR read_share(mt_bytes text, uint8_t symbols[sizeof prefix - 1 + SYMBOLS],
                         uint8_t all[ALL_LEN], struct mt_share *s)
{
    uint8_t check[CHECK_LEN];
    MT_TRY(read_symbols(text, symbols));
    MT_TRY(read_bytes(symbols + sizeof prefix - 1, all));
    MT_REQUIRE(all[0] == VERSION, MT_E_CONFLICT, "a share of another version, or mistyped");
    checksum((mt_bytes){all, BODY_LEN}, check);
    MT_REQUIRE(mt_ct_equal(MT_BYTES_OF(check), (mt_bytes){all + BODY_LEN, CHECK_LEN}), MT_E_FORMAT,
               "this share is mistyped: its check does not hold");
    s->threshold = all[1];
    s->count = all[2];
    s->index = all[3];
    MT_REQUIRE(!mt_failed(mt_share_check_numbers(s->threshold, s->count)) && s->index >= 1 &&
                   s->index <= s->count,
               MT_E_FORMAT, "the numbers of a share are out of their range");
    memcpy(s->set.b, all + 4, sizeof s->set.b);
    memcpy(s->value, all + BODY_LEN - MT_SHARE_KEY_LEN, MT_SHARE_KEY_LEN);
    return MT_OK;
}

MT_ERR mt_share_parse(mt_bytes text, struct mt_share *out)
{
    uint8_t symbols[sizeof prefix - 1 + SYMBOLS];
    uint8_t all[ALL_LEN];
    struct mt_share s = {.count = 0};
    mt_err e = read_share(text, symbols, all, &s);
    if (!mt_failed(e)) {
        *out = s;
    }
    mt_share_wipe(&s);
    mt_wipe((mt_span){symbols, sizeof symbols});
    mt_wipe((mt_span){all, sizeof all});
    return e;
}

void mt_share_set_write(struct mt_writer *w, const struct mt_share_set *set)
{
    mt_write_u8(w, set->threshold);
    mt_write_u8(w, set->count);
    mt_write_bytes(w, (mt_bytes){(const uint8_t *)set->commitments, set->count * sizeof(mt_hash)});
}

MT_ERR mt_share_set_parse(mt_bytes in, struct mt_share_set *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_share_set s = {.count = 0};
    MT_TRY(mt_read_u8(&r, &s.threshold));
    MT_TRY(mt_read_u8(&r, &s.count));
    MT_REQUIRE(!mt_failed(mt_share_check_numbers(s.threshold, s.count)), MT_E_FORMAT,
               "the numbers of a set of shares are out of their range");
    MT_TRY(mt_read_copy(&r, (mt_span){(uint8_t *)s.commitments, s.count * sizeof(mt_hash)}));
    MT_TRY(mt_read_end(&r));
    *out = s;
    return MT_OK;
}

void mt_share_wipe(struct mt_share *share)
{
    mt_wipe((mt_span){(uint8_t *)share, sizeof *share});
}
