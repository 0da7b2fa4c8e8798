/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "unit/runner.h"

static bool fails_with(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

static size_t allocations_left = SIZE_MAX;
static size_t allocations_made;
static size_t blocks_not_wiped;
static bool are_blocks_watched;
static size_t watched_offset; /* of the first byte given out, in its block */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __real_free(void *ptr);
void __wrap_free(void *ptr);

static bool may_allocate(void)
{
    if (allocations_left == 0) {
        return false;
    }
    allocations_left -= allocations_left != SIZE_MAX;
    allocations_made++;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

static const uint8_t *watched;

void __wrap_free(void *ptr)
{
    if (are_blocks_watched && ptr != NULL && ptr == watched) {
        blocks_not_wiped += watched[watched_offset] != 0;
    }
    __real_free(ptr);
}

static void pieces_are_zeroed_aligned_and_apart(void)
{
    MT_DEFER(mt_arena_free) struct mt_arena *a = NULL;
    MT_ASSERT(!mt_failed(mt_arena_new(100000, &a)));
    mt_span before = {NULL, 0};
    for (size_t len = 1; len < 200; len++) {
        mt_span s;
        MT_ASSERT(!mt_failed(mt_arena_get(a, len, &s)));
        MT_ASSERT(s.len == len);
        MT_ASSERT((uintptr_t)s.ptr % alignof(max_align_t) == 0);
        for (size_t i = 0; i < len; i++) {
            MT_ASSERT(s.ptr[i] == 0);
            s.ptr[i] = (uint8_t)len;
        }
        for (size_t i = 0; i < before.len; i++) {
            MT_ASSERT(before.ptr[i] == before.len);
        }
        before = s;
    }
}

static void the_budget_is_the_end(void)
{
    MT_DEFER(mt_arena_free) struct mt_arena *a = NULL;
    enum { BUDGET = MT_ARENA_BLOCK_BYTES * 2 + 64 };
    MT_ASSERT(!mt_failed(mt_arena_new(BUDGET, &a)));
    mt_span s = {NULL, 99};
    MT_ASSERT(fails_with(mt_arena_get(a, BUDGET + 1, &s), MT_E_NOMEM));
    MT_ASSERT(fails_with(mt_arena_get(a, SIZE_MAX, &s), MT_E_LIMIT));
    MT_ASSERT(fails_with(mt_arena_get(a, SIZE_MAX - 64, &s), MT_E_NOMEM));
    MT_ASSERT(s.len == 99 && mt_arena_used(a) == 0);
    size_t got = 0;
    while (!mt_failed(mt_arena_get(a, 64, &s))) {
        got += 64;
        MT_ASSERT(got <= BUDGET);
    }
    MT_ASSERT(got == BUDGET && mt_arena_used(a) == BUDGET);
    mt_arena_reset(a);
    MT_ASSERT(mt_arena_used(a) == 0);
    MT_ASSERT(!mt_failed(mt_arena_get(a, MT_ARENA_BLOCK_BYTES + 64, &s)));
}

static void a_reset_arena_gives_zeroes_again_without_allocating(void)
{
    MT_DEFER(mt_arena_free) struct mt_arena *a = NULL;
    MT_ASSERT(!mt_failed(mt_arena_new(100000, &a)));
    mt_span s;
    MT_ASSERT(!mt_failed(mt_arena_get(a, 1000, &s)));
    memset(s.ptr, 0x55, s.len);
    const uint8_t *first = s.ptr;
    MT_ASSERT(!mt_failed(mt_arena_get(a, 50000, &s)));
    memset(s.ptr, 0x55, s.len);
    mt_arena_reset(a);
    allocations_made = 0;
    MT_ASSERT(!mt_failed(mt_arena_get(a, 1000, &s)));
    MT_ASSERT(s.ptr == first && allocations_made == 0);
    for (size_t i = 0; i < s.len; i++) {
        MT_ASSERT(s.ptr[i] == 0);
    }
}

static void a_copy_has_the_same_bytes_elsewhere(void)
{
    MT_DEFER(mt_arena_free) struct mt_arena *a = NULL;
    MT_ASSERT(!mt_failed(mt_arena_new(1000, &a)));
    mt_bytes out;
    MT_ASSERT(!mt_failed(mt_arena_copy(a, MT_LITERAL("bytes"), &out)));
    MT_ASSERT(mt_bytes_equal(out, MT_LITERAL("bytes")));
    MT_ASSERT(!mt_failed(mt_arena_copy(a, (mt_bytes){NULL, 0}, &out)) && out.len == 0);
    MT_ASSERT(fails_with(mt_arena_copy(a, (mt_bytes){out.ptr, 2000}, &out), MT_E_NOMEM));
}

static void each_allocation_that_fails_is_an_error_and_leaks_nothing(void)
{
    for (size_t n = 0; n < 3; n++) {
        MT_DEFER(mt_arena_free) struct mt_arena *a = NULL;
        mt_span s;
        allocations_left = n;
        mt_err e = mt_arena_new(100000, &a);
        if (!mt_failed(e)) {
            e = mt_arena_get(a, 10, &s);
        }
        if (!mt_failed(e)) {
            e = mt_arena_get(a, 40000, &s);
        }
        allocations_left = SIZE_MAX;
        MT_ASSERT(fails_with(e, MT_E_NOMEM));
        MT_ASSERT((a == NULL) == (n == 0));
    }
    struct mt_arena *none = NULL;
    mt_arena_free(&none);
}

static void what_an_arena_gave_out_is_wiped_before_it_is_freed(void)
{
    struct mt_arena *a = NULL;
    mt_span s;
    MT_ASSERT(!mt_failed(mt_arena_new(100000, &a)));
    MT_ASSERT(!mt_failed(mt_arena_get(a, 50000, &s)));
    memset(s.ptr, 0x55, s.len);
    /* The piece lies behind its block's three words, padded to the alignment. */
    watched_offset = (3 * sizeof(size_t) + alignof(max_align_t) - 1) / alignof(max_align_t) *
                     alignof(max_align_t);
    watched = s.ptr - watched_offset;
    are_blocks_watched = true;
    mt_arena_free(&a);
    are_blocks_watched = false;
    MT_ASSERT(a == NULL && blocks_not_wiped == 0);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(pieces_are_zeroed_aligned_and_apart),
        MT_TEST(the_budget_is_the_end),
        MT_TEST(a_reset_arena_gives_zeroes_again_without_allocating),
        MT_TEST(a_copy_has_the_same_bytes_elsewhere),
        MT_TEST(each_allocation_that_fails_is_an_error_and_leaks_nothing),
        MT_TEST(what_an_arena_gave_out_is_wiped_before_it_is_freed),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
