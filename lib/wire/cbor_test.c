/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cbor.h"

#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/limits.h"
#include "unit/runner.h"

/* Hexadecimal to bytes, in `room`. */
static mt_bytes unhex(const char *hex, mt_span room)
{
    mt_span out = {room.ptr, strlen(hex) / 2};
    MT_ASSERT(out.len <= room.len);
    MT_ASSERT(!mt_failed(mt_hex_parse(mt_bytes_of_text(hex), out)));
    return mt_bytes_of(out);
}

static mt_err read_whole(mt_bytes in, mt_bytes *item)
{
    struct mt_reader r = mt_reader_over(in);
    MT_TRY(mt_cbor_read_item(&r, item));
    return mt_read_end(&r);
}

/* RFC 8949, appendix A: those that are deterministic and of our kinds. */
static const char *const accepted[] = {
    "00",
    "01",
    "0a",
    "17",
    "1818",
    "1819",
    "1864",
    "1903e8",
    "1a000f4240",
    "1b000000e8d4a51000",
    "1bffffffffffffffff",
    "3bffffffffffffffff",
    "20",
    "29",
    "3863",
    "3903e7",
    "f4",
    "f5",
    "f6",
    "c074323031332d30332d32315432303a30343a30305a",
    "c11a514b67b0",
    "d74401020304",
    "d818456449455446",
    "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
    "40",
    "4401020304",
    "60",
    "6161",
    "6449455446",
    "62225c",
    "62c3bc",
    "63e6b0b4",
    "64f0908591",
    "80",
    "83010203",
    "8301820203820405",
    "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
    "a0",
    "a201020304",
    "a26161016162820203",
    "826161a161626163",
    "a56161614161626142616361436164614461656145",
    /* the same, of our own making: keys of several kinds, an empty map among them */
    "a3001818418002a0f6",
    "a2820101f6820102f6",
};

/* The rest of appendix A, and one of each rule of 4.2.1, with the words of the refusal. */
static const struct {
    const char *hex;
    const char *what;
} refused[] = {
    {"", "truncated"},
    {"c249010000000000000000", "CBOR: a bignum"},
    {"c349010000000000000000", "CBOR: a bignum"},
    {"f90000", "CBOR: a floating-point number"},
    {"f93c00", "CBOR: a floating-point number"},
    {"fb3ff199999999999a", "CBOR: a floating-point number"},
    {"fa47c35000", "CBOR: a floating-point number"},
    {"f97e00", "CBOR: a floating-point number"},
    {"c1fb41d452d9ec200000", "CBOR: a floating-point number"},
    {"f7", "CBOR: undefined"},
    {"f0", "CBOR: a simple value but false, true, null"},
    {"f8ff", "CBOR: a simple value but false, true, null"},
    {"5f42010243030405ff", "CBOR: an indefinite length"},
    {"7f657374726561646d696e67ff", "CBOR: an indefinite length"},
    {"9fff", "CBOR: an indefinite length"},
    {"83018202039f0405ff", "CBOR: an indefinite length"},
    {"bf61610161629f0203ffff", "CBOR: an indefinite length"},
    {"ff", "CBOR: a break outside of anything"},
    {"1817", "CBOR: a head is not the shortest"},
    {"1900ff", "CBOR: a head is not the shortest"},
    {"1a0000ffff", "CBOR: a head is not the shortest"},
    {"1b00000000ffffffff", "CBOR: a head is not the shortest"},
    {"3817", "CBOR: a head is not the shortest"},
    {"5801aa", "CBOR: a head is not the shortest"},
    {"1c", "CBOR: a reserved head"},
    {"5e", "CBOR: a reserved head"},
    {"61ff", "CBOR: text is not UTF-8"},
    {"63eda080", "CBOR: text is not UTF-8"},
    {"62c080", "CBOR: text is not UTF-8"},
    {"a2010203", "truncated"},
    {"a201020102", "CBOR: a map key stands twice"},
    {"a202010102", "CBOR: map keys are not in order"},
    {"a2616201616102", "CBOR: map keys are not in order"},
    {"a220010002", "CBOR: map keys are not in order"},
    {"a282010201820101f6", "CBOR: map keys are not in order"},
    {"9bffffffffffffffff", "truncated"},
    {"bbffffffffffffffff", "truncated"},
    {"bb8000000000000000", "truncated"},
    {"5bffffffffffffffff", "truncated"},
    {"0000", "trailing bytes"},
};

static void the_examples_of_the_rfc_that_are_deterministic_are_read(void)
{
    uint8_t room[64];
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        mt_bytes in = unhex(accepted[i], (mt_span){room, sizeof room});
        mt_bytes item = {NULL, 0};
        MT_ASSERT(!mt_failed(read_whole(in, &item)));
        MT_ASSERT(item.ptr == in.ptr && item.len == in.len);
    }
}

static void all_else_is_refused_with_its_own_words(void)
{
    uint8_t room[64];
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        mt_bytes in = unhex(refused[i].hex, (mt_span){room, sizeof room});
        mt_bytes item = {NULL, 0};
        mt_err e = read_whole(in, &item);
        MT_ASSERT(mt_failed(e));
        MT_ASSERT(e.fault->code == MT_E_FORMAT);
        MT_ASSERT(strcmp(e.fault->what, refused[i].what) == 0);
    }
}

static void every_truncation_of_a_good_item_is_refused(void)
{
    uint8_t room[64];
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        mt_bytes in = unhex(accepted[i], (mt_span){room, sizeof room});
        for (size_t len = 0; len < in.len; len++) {
            struct mt_reader r = mt_reader_over((mt_bytes){in.ptr, len});
            mt_bytes item = {NULL, 0};
            mt_err e = mt_cbor_read_item(&r, &item);
            MT_ASSERT(mt_failed(e) && strcmp(e.fault->what, "truncated") == 0);
            MT_ASSERT(item.ptr == NULL && r.rest.len == len);
        }
    }
}

static void an_item_may_nest_to_the_limit_and_not_beyond(void)
{
    uint8_t deep[MT_CBOR_DEPTH_MAX + 2];
    for (size_t depth = 1; depth <= MT_CBOR_DEPTH_MAX + 1; depth++) {
        mt_bytes item = {NULL, 0};
        memset(deep, 0x81, depth);
        deep[depth] = 0x00;
        mt_err e = read_whole((mt_bytes){deep, depth + 1}, &item);
        MT_ASSERT(mt_failed(e) == (depth > MT_CBOR_DEPTH_MAX));
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_LIMIT);
        memset(deep, 0xc0, depth); /* tags nest too */
        e = read_whole((mt_bytes){deep, depth + 1}, &item);
        MT_ASSERT(mt_failed(e) == (depth > MT_CBOR_DEPTH_MAX));
    }
}

static void integers_of_every_size_come_back(void)
{
    static const uint64_t edges[] = {
        0, 1, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, UINT32_MAX + 1ULL, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        uint8_t room[9];
        uint64_t u = 1;
        int64_t n = 1;
        mt_bytes out;
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        mt_cbor_write_uint(&w, edges[i]);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
        struct mt_reader r = mt_reader_over(out);
        MT_ASSERT(!mt_failed(mt_cbor_read_uint(&r, &u)) && u == edges[i]);
        MT_ASSERT(!mt_failed(mt_read_end(&r)));
        r = mt_reader_over(out);
        MT_ASSERT(mt_failed(mt_cbor_read_int(&r, &n)) == (edges[i] > INT64_MAX));
        if (edges[i] > INT64_MAX) {
            continue;
        }
        MT_ASSERT(n == (int64_t)edges[i]);
        w = mt_writer_over((mt_span){room, sizeof room});
        mt_cbor_write_int(&w, -1 - (int64_t)edges[i]);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
        r = mt_reader_over(out);
        MT_ASSERT(!mt_failed(mt_cbor_read_int(&r, &n)) && n == -1 - (int64_t)edges[i]);
        r = mt_reader_over(out);
        MT_ASSERT(mt_failed(mt_cbor_read_uint(&r, &u)));
    }
    struct mt_reader r = mt_reader_over(MT_LITERAL("\x3b\x80\0\0\0\0\0\0\0"));
    int64_t n = 7;
    MT_ASSERT(mt_failed(mt_cbor_read_int(&r, &n)) && n == 7 && r.rest.len == 9);
}

/* One record with every kind of item; the reader below must meet each where it was written. */
static mt_bytes record(mt_span room)
{
    mt_bytes out;
    struct mt_writer w = mt_writer_over(room);
    mt_cbor_write_tag(&w, 18);
    mt_cbor_write_map(&w, 3);
    mt_cbor_write_int(&w, 1);
    mt_cbor_write_bytes(&w, MT_LITERAL("\1\2\3"));
    mt_cbor_write_int(&w, 2);
    mt_cbor_write_array(&w, 4);
    mt_cbor_write_bool(&w, true);
    mt_cbor_write_bool(&w, false);
    mt_cbor_write_null(&w);
    mt_cbor_write_uint(&w, 500);
    mt_cbor_write_int(&w, -1);
    mt_cbor_write_text(&w, MT_LITERAL("gr\xc3\xbc\xc3\x9f"));
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    return out;
}

static mt_err read_record(mt_bytes in)
{
    struct mt_reader r = mt_reader_over(in);
    uint64_t count = 0;
    uint64_t number = 0;
    bool flag = false;
    bool is_null = false;
    uint8_t three[3];
    mt_bytes text;
    MT_TRY(mt_cbor_read_tag(&r, 18));
    MT_TRY(mt_cbor_read_map(&r, 3, &count));
    MT_REQUIRE(count == 3, MT_E_FORMAT, "count");
    MT_TRY(mt_cbor_read_key(&r, 1));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){three, sizeof three}));
    MT_TRY(mt_cbor_read_key(&r, 2));
    MT_TRY(mt_cbor_read_array(&r, 4, &count));
    MT_REQUIRE(count == 4, MT_E_FORMAT, "count");
    MT_TRY(mt_cbor_read_bool(&r, &flag));
    MT_REQUIRE(flag, MT_E_FORMAT, "true");
    MT_TRY(mt_cbor_read_bool(&r, &flag));
    MT_REQUIRE(!flag, MT_E_FORMAT, "false");
    MT_TRY(mt_cbor_read_null(&r, &is_null));
    MT_REQUIRE(is_null, MT_E_FORMAT, "null");
    MT_TRY(mt_cbor_read_uint(&r, &number));
    MT_REQUIRE(number == 500, MT_E_FORMAT, "number");
    MT_TRY(mt_cbor_read_key(&r, -1));
    MT_TRY(mt_cbor_read_text(&r, &text));
    MT_REQUIRE(mt_bytes_equal(text, MT_LITERAL("gr\xc3\xbc\xc3\x9f")), MT_E_FORMAT, "text");
    MT_REQUIRE(mt_bytes_equal((mt_bytes){three, 3}, MT_LITERAL("\1\2\3")), MT_E_FORMAT, "bytes");
    return mt_read_end(&r);
}

static void a_record_is_read_as_it_was_written_and_no_other_way(void)
{
    uint8_t room[64];
    mt_bytes in = record((mt_span){room, sizeof room});
    mt_bytes item;
    MT_ASSERT(!mt_failed(read_record(in)));
    MT_ASSERT(!mt_failed(read_whole(in, &item)));
    for (size_t len = 0; len < in.len; len++) {
        MT_ASSERT(mt_failed(read_record((mt_bytes){in.ptr, len})));
    }
    for (size_t bit = 0; bit < 8 * in.len; bit++) {
        room[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        MT_ASSERT(mt_failed(read_record(in)));
        room[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

static void a_reader_that_fails_has_not_moved(void)
{
    static const uint8_t in[] = {0xf6, 0x00};
    struct mt_reader r = mt_reader_over(MT_BYTES_OF(in));
    uint64_t number = 9;
    int64_t integer = 9;
    bool flag = true;
    mt_bytes bytes = {NULL, 9};
    uint8_t byte = 9;
    MT_ASSERT(mt_failed(mt_cbor_read_uint(&r, &number)) &&
              mt_failed(mt_cbor_read_int(&r, &integer)));
    MT_ASSERT(mt_failed(mt_cbor_read_bytes(&r, &bytes)) &&
              mt_failed(mt_cbor_read_text(&r, &bytes)));
    MT_ASSERT(mt_failed(mt_cbor_read_copy(&r, (mt_span){&byte, 1})));
    MT_ASSERT(mt_failed(mt_cbor_read_array(&r, 9, &number)));
    MT_ASSERT(mt_failed(mt_cbor_read_map(&r, 9, &number)));
    MT_ASSERT(mt_failed(mt_cbor_read_tag(&r, 0)) && mt_failed(mt_cbor_read_bool(&r, &flag)));
    MT_ASSERT(mt_failed(mt_cbor_read_key(&r, 0)));
    MT_ASSERT(r.rest.len == 2 && number == 9 && integer == 9 && flag && bytes.len == 9);
    MT_ASSERT(byte == 9);
    MT_ASSERT(!mt_failed(mt_cbor_read_null(&r, &flag)) && flag && r.rest.len == 1);
    MT_ASSERT(!mt_failed(mt_cbor_read_null(&r, &flag)) && !flag && r.rest.len == 1);
}

static void counts_beyond_what_the_caller_takes_are_refused(void)
{
    uint64_t count = 9;
    struct mt_reader r = mt_reader_over(MT_LITERAL("\x83\x01\x02\x03"));
    mt_err e = mt_cbor_read_array(&r, 2, &count);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT && count == 9);
    r = mt_reader_over(MT_LITERAL("\xa2\x01\x02\x03\x04"));
    e = mt_cbor_read_map(&r, 1, &count);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT && count == 9);
}

static void text_that_no_reader_takes_is_not_written(void)
{
    uint8_t room[16];
    mt_bytes out = {NULL, 0};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cbor_write_text(&w, MT_LITERAL("\xff"));
    MT_ASSERT(mt_failed(mt_write_end(&w, &out)) && out.ptr == NULL);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(the_examples_of_the_rfc_that_are_deterministic_are_read),
        MT_TEST(all_else_is_refused_with_its_own_words),
        MT_TEST(every_truncation_of_a_good_item_is_refused),
        MT_TEST(an_item_may_nest_to_the_limit_and_not_beyond),
        MT_TEST(integers_of_every_size_come_back),
        MT_TEST(a_record_is_read_as_it_was_written_and_no_other_way),
        MT_TEST(a_reader_that_fails_has_not_moved),
        MT_TEST(counts_beyond_what_the_caller_takes_are_refused),
        MT_TEST(text_that_no_reader_takes_is_not_written),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
