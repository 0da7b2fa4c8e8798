/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include "base/assert.h"
#include "unit/runner.h"

/* The encoding of RFC 3629, section 3, from the code point: the definition, not the table. */
static size_t encode(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (uint8_t)(marks[len] | c);
    return len;
}

static void every_character_is_valid_and_no_surrogate(void)
{
    for (uint32_t c = 0; c <= 0x110000; c++) {
        uint8_t b[4];
        size_t len = encode(c, b);
        bool is_character = (c < 0xd800 || c > 0xdfff) && c < 0x110000;
        MT_ASSERT(mt_utf8_len((mt_bytes){b, len}) == (is_character ? len : 0));
    }
}

/* All sequences of three bytes: as many are valid as there are ways to spell three bytes. */
static void nothing_but_characters_is_valid(void)
{
    size_t valid = 0;
    for (uint32_t i = 0; i < 1U << 24; i++) {
        const uint8_t b[] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        valid += mt_utf8_is_valid(MT_BYTES_OF(b)) ? 1 : 0;
    }
    const size_t one = 0x80;
    const size_t two = 0x800 - 0x80;
    const size_t three = 0x10000 - 0x800 - 0x800;
    MT_ASSERT(valid == one * one * one + 2 * one * two + three);
}

static void a_truncated_character_is_not_one(void)
{
    mt_bytes text = MT_LITERAL("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    static const bool is_whole[] = {true, true,  false, true,  false, false,
                                    true, false, false, false, true};
    MT_ASSERT(text.len + 1 == sizeof is_whole);
    for (size_t len = 0; len <= text.len; len++) {
        MT_ASSERT(mt_utf8_is_valid((mt_bytes){text.ptr, len}) == is_whole[len]);
    }
    MT_ASSERT(mt_utf8_len((mt_bytes){NULL, 0}) == 0);
}

static void plain_text_has_nothing_hidden(void)
{
    /* U+202E, byte by byte: as one literal a linter takes it for an attack on this file. */
    static const char rlo[] = {'\xe2', '\x80', '\xae', '\0'};
    static const char *const bad[] = {"\n",       "\x1b[2J",      "a\x7f",        "\xc2\x80",
                                      "\xc2\x9f", "\xe2\x80\x8b", "\xe2\x80\x8f", "\xe2\x80\xa8",
                                      rlo,        "\xe2\x81\xa0", "\xe2\x81\xaf", "\xef\xbb\xbf",
                                      "\xc3",     "\xff"};
    static const char *const good[] = {"",
                                       " ~",
                                       "\xc2\xa0",
                                       "\xe2\x80\x8a",
                                       "\xe2\x80\x90",
                                       "\xe2\x80\xaf",
                                       "\xe2\x81\xb0",
                                       "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        MT_ASSERT(!mt_text_is_plain(mt_bytes_of_text(bad[i])));
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        MT_ASSERT(mt_text_is_plain(mt_bytes_of_text(good[i])));
    }
    MT_ASSERT(!mt_text_is_plain(MT_LITERAL("a\0b")));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(every_character_is_valid_and_no_surrogate),
        MT_TEST(nothing_but_characters_is_valid),
        MT_TEST(a_truncated_character_is_not_one),
        MT_TEST(plain_text_has_nothing_hidden),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
