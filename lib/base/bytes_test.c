/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdlib.h>

#include "base/assert.h"
#include "unit/runner.h"

static bool fails_with(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

static mt_bytes text(const char *t)
{
    return mt_bytes_of_text(t);
}

static void order_is_bytewise_and_a_prefix_comes_first(void)
{
    MT_ASSERT(mt_bytes_order(text("a"), text("b")) < 0);
    MT_ASSERT(mt_bytes_order(text("b"), text("a")) > 0);
    MT_ASSERT(mt_bytes_order(text("a"), text("ab")) < 0);
    MT_ASSERT(mt_bytes_order(text("ab"), text("a")) > 0);
    MT_ASSERT(mt_bytes_order(text("\x7f"), text("\x80")) < 0); /* unsigned */
    MT_ASSERT(mt_bytes_order((mt_bytes){NULL, 0}, (mt_bytes){NULL, 0}) == 0);
    MT_ASSERT(mt_bytes_equal(MT_LITERAL("same"), text("same")));
    MT_ASSERT(!mt_bytes_equal(text("same"), text("sama")));
    MT_ASSERT(!mt_bytes_equal(text("same"), text("sam")));
    MT_ASSERT(mt_bytes_start_with(text("whole"), text("who")));
    MT_ASSERT(mt_bytes_start_with(text("whole"), (mt_bytes){NULL, 0}));
    MT_ASSERT(!mt_bytes_start_with(text("who"), text("whole")));
    MT_ASSERT(!mt_bytes_start_with(text("whole"), text("hol")));
}

static void sizes_that_overflow_are_refused_and_nothing_is_written(void)
{
    size_t out = 7;
    MT_ASSERT(!mt_failed(mt_add_size(SIZE_MAX - 1, 1, &out)));
    MT_ASSERT(out == SIZE_MAX);
    MT_ASSERT(!mt_failed(mt_mul_size(SIZE_MAX / 2, 2, &out)));
    MT_ASSERT(out == SIZE_MAX - 1);
    out = 7;
    MT_ASSERT(fails_with(mt_add_size(SIZE_MAX, 1, &out), MT_E_LIMIT));
    MT_ASSERT(fails_with(mt_mul_size(SIZE_MAX / 2 + 1, 2, &out), MT_E_LIMIT));
    MT_ASSERT(out == 7);
}

static void numbers_are_read_in_the_order_of_their_bytes(void)
{
    static const uint8_t b[] = {1, 2, 3, 4, 5, 6, 7, 0xf8};
    struct mt_reader r = mt_reader_over((mt_bytes){b, sizeof b});
    uint8_t u8 = 0;
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;

    MT_ASSERT(!mt_failed(mt_read_u64be(&r, &u64)) && u64 == 0x01020304050607f8);
    r = mt_reader_over((mt_bytes){b, sizeof b});
    MT_ASSERT(!mt_failed(mt_read_u64le(&r, &u64)) && u64 == 0xf807060504030201);
    r = mt_reader_over((mt_bytes){b, sizeof b});
    MT_ASSERT(!mt_failed(mt_read_u32be(&r, &u32)) && u32 == 0x01020304);
    MT_ASSERT(!mt_failed(mt_read_u32le(&r, &u32)) && u32 == 0xf8070605);
    MT_ASSERT(!mt_failed(mt_read_end(&r)));
    r = mt_reader_over((mt_bytes){b, sizeof b});
    MT_ASSERT(!mt_failed(mt_read_u16be(&r, &u16)) && u16 == 0x0102);
    MT_ASSERT(!mt_failed(mt_read_u16le(&r, &u16)) && u16 == 0x0403);
    MT_ASSERT(!mt_failed(mt_read_u8(&r, &u8)) && u8 == 5);
}

static void a_reader_never_passes_its_end(void)
{
    static const uint8_t b[] = {1, 2, 3, 4, 5, 6, 7};
    for (size_t len = 0; len <= sizeof b; len++) {
        struct mt_reader r = mt_reader_over((mt_bytes){b, len});
        mt_bytes out = {NULL, 99};
        uint8_t copy[8] = {0};
        uint64_t u64 = 99;
        MT_ASSERT(fails_with(mt_read_u64be(&r, &u64), MT_E_FORMAT));
        MT_ASSERT(fails_with(mt_read_u64le(&r, &u64), MT_E_FORMAT));
        MT_ASSERT(fails_with(mt_read_bytes(&r, len + 1, &out), MT_E_FORMAT));
        MT_ASSERT(fails_with(mt_read_bytes(&r, SIZE_MAX, &out), MT_E_FORMAT));
        MT_ASSERT(fails_with(mt_read_copy(&r, (mt_span){copy, len + 1}), MT_E_FORMAT));
        MT_ASSERT(u64 == 99 && out.len == 99 && copy[0] == 0);
        MT_ASSERT(r.rest.ptr == b && r.rest.len == len);
    }
    struct mt_reader r = mt_reader_over((mt_bytes){b, 1});
    uint16_t u16 = 99;
    uint32_t u32 = 99;
    MT_ASSERT(mt_failed(mt_read_u16be(&r, &u16)) && mt_failed(mt_read_u16le(&r, &u16)));
    MT_ASSERT(mt_failed(mt_read_u32be(&r, &u32)) && mt_failed(mt_read_u32le(&r, &u32)));
    r = mt_reader_over((mt_bytes){NULL, 0});
    uint8_t u8 = 99;
    MT_ASSERT(mt_failed(mt_read_u8(&r, &u8)) && u8 == 99);
}

static void trailing_bytes_are_refused(void)
{
    struct mt_reader r = mt_reader_over(text("ab"));
    mt_bytes out;
    MT_ASSERT(!mt_failed(mt_read_bytes(&r, 1, &out)));
    MT_ASSERT(fails_with(mt_read_end(&r), MT_E_FORMAT));
    MT_ASSERT(!mt_failed(mt_read_bytes(&r, 1, &out)));
    MT_ASSERT(!mt_failed(mt_read_end(&r)));
}

static void a_writer_fills_its_room_and_not_a_byte_more(void)
{
    for (size_t len = 0; len <= 16; len++) {
        uint8_t room[17] = {[16] = 0xee};
        struct mt_writer w = mt_writer_over((mt_span){room, len});
        mt_bytes out = {NULL, 99};
        mt_write_u64be(&w, 0x0102030405060708);
        mt_write_u64le(&w, 0x0102030405060708);
        MT_ASSERT(mt_failed(mt_write_end(&w, &out)) == (len < 16));
        MT_ASSERT(out.len == (len < 16 ? 99 : 16));
        for (size_t i = len; i < 16; i++) {
            MT_ASSERT(room[i] == 0);
        }
        MT_ASSERT(room[16] == 0xee);
    }
}

static void the_first_failure_of_a_writer_stays(void)
{
    uint8_t room[2];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_bytes out;
    mt_write_u32be(&w, 1); /* its first half fits, its second does not */
    mt_write_bytes(&w, (mt_bytes){NULL, 0});
    mt_err first = w.failed;
    mt_write_u8(&w, 1);
    MT_ASSERT(w.failed.fault == first.fault);
    MT_ASSERT(fails_with(mt_write_end(&w, &out), MT_E_LIMIT));
}

static void what_is_written_is_read_again(void)
{
    uint8_t room[64];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_u8(&w, 0xfe);
    mt_write_u16le(&w, 0xfedc);
    mt_write_u16be(&w, 0xfedc);
    mt_write_u32le(&w, 0xfedcba98);
    mt_write_u32be(&w, 0xfedcba98);
    mt_write_number(&w, 0);
    mt_write_number(&w, UINT64_MAX);
    mt_bytes out;
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));

    struct mt_reader r = mt_reader_over(out);
    uint8_t u8 = 0;
    uint16_t a = 0;
    uint16_t b = 0;
    uint32_t c = 0;
    uint32_t d = 0;
    mt_bytes numbers;
    MT_ASSERT(!mt_failed(mt_read_u8(&r, &u8)) && u8 == 0xfe);
    MT_ASSERT(!mt_failed(mt_read_u16le(&r, &a)) && a == 0xfedc);
    MT_ASSERT(!mt_failed(mt_read_u16be(&r, &b)) && b == 0xfedc);
    MT_ASSERT(!mt_failed(mt_read_u32le(&r, &c)) && c == 0xfedcba98);
    MT_ASSERT(!mt_failed(mt_read_u32be(&r, &d)) && d == 0xfedcba98);
    MT_ASSERT(!mt_failed(mt_read_bytes(&r, r.rest.len, &numbers)));
    MT_ASSERT(mt_bytes_equal(numbers, text("018446744073709551615")));
}

static void a_buffer_grows_to_its_maximum_and_stays_whole_beyond(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(1000);
    static const uint8_t piece[7] = {1, 2, 3, 4, 5, 6, 7};
    for (size_t i = 0; i < 142; i++) {
        MT_ASSERT(!mt_failed(mt_buf_append(&b, (mt_bytes){piece, sizeof piece})));
    }
    MT_ASSERT(b.len == 994);
    MT_ASSERT(fails_with(mt_buf_append(&b, (mt_bytes){piece, sizeof piece}), MT_E_LIMIT));
    MT_ASSERT(b.len == 994);
    MT_ASSERT(!mt_failed(mt_buf_append(&b, (mt_bytes){piece, 6})));
    MT_ASSERT(b.len == 1000);
    for (size_t i = 0; i < b.len; i++) {
        MT_ASSERT(b.ptr[i] == piece[i % sizeof piece]);
    }
    mt_span out = {NULL, 99};
    MT_ASSERT(fails_with(mt_buf_reserve(&b, SIZE_MAX, &out), MT_E_LIMIT));
    MT_ASSERT(out.len == 99);
}

static void a_buffer_forgets_from_its_front(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(64);
    MT_ASSERT(!mt_failed(mt_buf_append(&b, text("secret tail"))));
    mt_buf_drop(&b, 0);
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&b), text("secret tail")));
    mt_buf_drop(&b, 7);
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&b), text("tail")));
    for (size_t i = 4; i < 11; i++) {
        MT_ASSERT(b.ptr[i] == 0); /* wiped, not only forgotten */
    }
    mt_buf_drop(&b, 4);
    MT_ASSERT(b.len == 0);
    mt_buf_free(&b);
    MT_ASSERT(b.ptr == NULL && b.len == 0 && b.max == 64);
}

static void a_writer_at_the_end_of_a_buffer_returns_its_own_part(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(300);
    MT_ASSERT(!mt_failed(mt_buf_append(&b, text("head "))));
    struct mt_writer w = mt_writer_onto(&b);
    mt_bytes out;
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)) && out.len == 0);
    for (size_t i = 0; i < 290; i++) {
        mt_write_u8(&w, 'x'); /* grows under the writer */
    }
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    MT_ASSERT(out.len == 290 && out.ptr == b.ptr + 5);
    mt_write_u64be(&w, 0);
    MT_ASSERT(fails_with(mt_write_end(&w, &out), MT_E_LIMIT));
    MT_ASSERT(out.len == 290);
}

static size_t allocations_left = SIZE_MAX;
static const uint8_t *freed_ptr;
static bool is_freed_wiped;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void __real_free(void *ptr);
void __wrap_free(void *ptr);

void *__wrap_malloc(size_t size)
{
    if (allocations_left == 0) {
        return NULL;
    }
    allocations_left -= allocations_left != SIZE_MAX;
    return __real_malloc(size);
}

void __wrap_free(void *ptr)
{
    if (ptr != NULL && ptr == freed_ptr) {
        const uint8_t *b = ptr;
        is_freed_wiped = b[0] == 0 && b[5] == 0;
    }
    __real_free(ptr);
}

static void without_memory_a_buffer_stays_as_it_was(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(1000);
    MT_ASSERT(!mt_failed(mt_buf_append(&b, text("kept"))));
    uint8_t more[300] = {0};
    allocations_left = 0;
    mt_err e = mt_buf_append(&b, (mt_bytes){more, sizeof more});
    allocations_left = SIZE_MAX;
    MT_ASSERT(fails_with(e, MT_E_NOMEM));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&b), text("kept")));
}

static void what_a_buffer_held_is_wiped_when_it_grows_and_when_it_ends(void)
{
    struct mt_buf b = mt_buf_of_max(1000);
    uint8_t more[300] = {0};
    MT_ASSERT(!mt_failed(mt_buf_append(&b, text("secret"))));
    freed_ptr = b.ptr;
    is_freed_wiped = false;
    MT_ASSERT(!mt_failed(mt_buf_append(&b, (mt_bytes){more, sizeof more})));
    MT_ASSERT(is_freed_wiped);
    freed_ptr = b.ptr;
    is_freed_wiped = false;
    mt_buf_free(&b);
    MT_ASSERT(is_freed_wiped);
    freed_ptr = NULL;
}

static void every_code_has_a_name_of_its_own(void)
{
    for (int a = MT_E_INTERNAL; a <= MT_E_CANCELLED; a++) {
        for (int b = MT_E_INTERNAL; b < a; b++) {
            MT_ASSERT(!mt_bytes_equal(text(mt_code_name((enum mt_code)a)),
                                      text(mt_code_name((enum mt_code)b))));
        }
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(order_is_bytewise_and_a_prefix_comes_first),
        MT_TEST(sizes_that_overflow_are_refused_and_nothing_is_written),
        MT_TEST(numbers_are_read_in_the_order_of_their_bytes),
        MT_TEST(a_reader_never_passes_its_end),
        MT_TEST(trailing_bytes_are_refused),
        MT_TEST(a_writer_fills_its_room_and_not_a_byte_more),
        MT_TEST(the_first_failure_of_a_writer_stays),
        MT_TEST(what_is_written_is_read_again),
        MT_TEST(a_buffer_grows_to_its_maximum_and_stays_whole_beyond),
        MT_TEST(a_buffer_forgets_from_its_front),
        MT_TEST(a_writer_at_the_end_of_a_buffer_returns_its_own_part),
        MT_TEST(without_memory_a_buffer_stays_as_it_was),
        MT_TEST(what_a_buffer_held_is_wiped_when_it_grows_and_when_it_ends),
        MT_TEST(every_code_has_a_name_of_its_own),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
