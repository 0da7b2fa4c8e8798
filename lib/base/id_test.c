/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"

#include <stdlib.h>

#include "base/assert.h"
#include "unit/runner.h"

static bool fails_with(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

static void ids_and_hashes_are_equal_when_all_their_bytes_are(void)
{
    mt_hash a = {{1, 2, 3}};
    mt_hash b = a;
    mt_id c = {{1, 2, 3}};
    mt_id d = c;
    MT_ASSERT(mt_hash_equal(&a, &b) && mt_id_equal(&c, &d));
    b.b[31] = 1;
    d.b[15] = 1;
    MT_ASSERT(!mt_hash_equal(&a, &b) && !mt_id_equal(&c, &d));
}

static void a_hash_is_among_those_that_are_counted(void)
{
    const mt_hash list[] = {{{1}}, {{2}}, {{3}}};
    MT_ASSERT(mt_hash_is_among(&list[0], list, 3) && mt_hash_is_among(&list[2], list, 3));
    MT_ASSERT(!mt_hash_is_among(&list[2], list, 2));
    MT_ASSERT(!mt_hash_is_among(&list[0], NULL, 0));
}

static void hexadecimal_is_lower_case_and_comes_back(void)
{
    uint8_t all[256];
    uint8_t room[512];
    uint8_t back[256] = {0};
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (uint8_t)i;
    }
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_bytes text;
    mt_hex_write(&w, (mt_bytes){all, sizeof all});
    MT_ASSERT(!mt_failed(mt_write_end(&w, &text)));
    MT_ASSERT(mt_bytes_start_with(text, MT_LITERAL("000102030405060708090a0b0c0d0e0f10")));
    MT_ASSERT(!mt_failed(mt_hex_parse(text, (mt_span){back, sizeof back})));
    MT_ASSERT(mt_bytes_equal((mt_bytes){back, sizeof back}, (mt_bytes){all, sizeof all}));
}

static void hexadecimal_of_another_length_or_digit_is_refused(void)
{
    uint8_t out[2];
    mt_span span = {out, sizeof out};
    MT_ASSERT(!mt_failed(mt_hex_parse(MT_LITERAL("09af"), span)));
    MT_ASSERT(fails_with(mt_hex_parse(MT_LITERAL("09a"), span), MT_E_FORMAT));
    MT_ASSERT(fails_with(mt_hex_parse(MT_LITERAL("09aff"), span), MT_E_FORMAT));
    MT_ASSERT(fails_with(mt_hex_parse(MT_LITERAL("09AF"), span), MT_E_FORMAT));
    for (int c = 0; c < 256; c++) {
        bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        for (size_t at = 0; at < 4; at++) {
            uint8_t text[] = {'0', '0', '0', '0'};
            text[at] = (uint8_t)c;
            MT_ASSERT(mt_failed(mt_hex_parse((mt_bytes){text, 4}, span)) == !is_digit);
        }
    }
}

/* RFC 4648, section 10, without its padding; and both digits in which base64url differs. */
static void base64url_gives_the_vectors_of_its_standard(void)
{
    const struct {
        mt_bytes plain, text;
    } vectors[] = {
        {MT_LITERAL(""), MT_LITERAL("")},
        {MT_LITERAL("f"), MT_LITERAL("Zg")},
        {MT_LITERAL("fo"), MT_LITERAL("Zm8")},
        {MT_LITERAL("foo"), MT_LITERAL("Zm9v")},
        {MT_LITERAL("foob"), MT_LITERAL("Zm9vYg")},
        {MT_LITERAL("fooba"), MT_LITERAL("Zm9vYmE")},
        {MT_LITERAL("foobar"), MT_LITERAL("Zm9vYmFy")},
        {MT_LITERAL("\xfb\xff"), MT_LITERAL("-_8")},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t room[16];
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        MT_DEFER(mt_buf_free) struct mt_buf back = mt_buf_of_max(16);
        mt_bytes text;
        mt_base64url_write(&w, vectors[i].plain);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &text)));
        MT_ASSERT(mt_bytes_equal(text, vectors[i].text));
        MT_ASSERT(!mt_failed(mt_base64url_parse(text, &back)));
        MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&back), vectors[i].plain));
    }
}

static void base64url_that_is_not_canonical_is_refused_and_nothing_kept(void)
{
    const mt_bytes bad[] = {
        MT_LITERAL("A"),   MT_LITERAL("AAAAA"), MT_LITERAL("Zh"),   MT_LITERAL("Zm9"),
        MT_LITERAL("Z+"),  MT_LITERAL("Z/"),    MT_LITERAL("Zg=="), MT_LITERAL("Zg "),
        MT_LITERAL("\nZ"), MT_LITERAL("Zm9vY"), MT_LITERAL("A\0"),  MT_LITERAL("Zm9v\xff\xff"),
    };
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(16);
    MT_ASSERT(!mt_failed(mt_buf_append(&out, MT_LITERAL("kept"))));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        MT_ASSERT(fails_with(mt_base64url_parse(bad[i], &out), MT_E_FORMAT));
        MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&out), MT_LITERAL("kept")));
    }
    MT_ASSERT(fails_with(mt_base64url_parse(MT_LITERAL("AAAAAAAAAAAAAAAAAAAA"), &out), MT_E_LIMIT));
    MT_ASSERT(out.len == 4);
    MT_ASSERT(!mt_failed(mt_base64url_parse(MT_LITERAL("Zm8"), &out)));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&out), MT_LITERAL("keptfo")));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(ids_and_hashes_are_equal_when_all_their_bytes_are),
        MT_TEST(a_hash_is_among_those_that_are_counted),
        MT_TEST(hexadecimal_is_lower_case_and_comes_back),
        MT_TEST(hexadecimal_of_another_length_or_digit_is_refused),
        MT_TEST(base64url_gives_the_vectors_of_its_standard),
        MT_TEST(base64url_that_is_not_canonical_is_refused_and_nothing_kept),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
