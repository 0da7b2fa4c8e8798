/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/keyhash.h"

#include "base/assert.h"
#include "compute/columns/memory.h"
#include "compute/columns/names.h"
#include "compute/columns/sort.h"
#include "unit/runner.h"

/* Of the zero key as CPython 3.11's hash() says, of the other as an independent program does. */
static void hashes_are_those_of_siphash_1_3(void)
{
    static const struct {
        const char *text;
        uint64_t zero_key;
        uint64_t counting_key;
    } vectors[] = {
        {"a", UINT64_C(0x407448d2b89b1813), UINT64_C(0x1c2697ab786a6237)},
        {"abcdefg", UINT64_C(0x6db12aae9070f506), UINT64_C(0x639b490caba831bb)},
        {"abcdefgh", UINT64_C(0x3f7b849c0b8e35ea), UINT64_C(0x12d8c08c2ee9e620)},
        {"user000123@example.com", UINT64_C(0x5ce4bfbdad57636c), UINT64_C(0x4010f069a44e69e0)},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         UINT64_C(0x4befba7c9610aea3), UINT64_C(0xbb1b6fe2ce97f4ea)},
    };
    static const uint8_t zero[16] = {0};
    static const uint8_t counting[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct mt_keyhash a = mt_keyhash_of(zero);
    struct mt_keyhash b = mt_keyhash_of(counting);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        mt_bytes text = mt_bytes_of_text(vectors[i].text);
        MT_ASSERT(mt_keyhash_get(&a, text) == vectors[i].zero_key);
        MT_ASSERT(mt_keyhash_get(&b, text) == vectors[i].counting_key);
    }
}

enum { TEXTS = 3000, TEXT_BYTES_MAX = 24 };

/* Texts over a small alphabet, so that they share beginnings and repeat. */
static void make_texts(uint64_t seed, uint8_t room[TEXTS][TEXT_BYTES_MAX], mt_bytes texts[TEXTS])
{
    for (size_t i = 0; i < TEXTS; i++) {
        size_t len = 0;
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t wanted = (seed >> 40) % TEXT_BYTES_MAX;
        for (uint64_t bits = seed; len < wanted; bits = bits >> 1 | bits << 63) {
            room[i][len++] = (bits >> 13 & 7) < 7 ? 'a' : 0xff;
        }
        texts[i] = (mt_bytes){room[i], len};
    }
}

static void texts_are_sorted_bytewise_and_equal_ones_keep_their_order(void)
{
    static uint8_t room[TEXTS][TEXT_BYTES_MAX];
    static mt_bytes texts[TEXTS];
    static uint32_t order[TEXTS];
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct mt_job_memory memory;
        mt_job_memory_init(&memory, TEXTS * 64);
        make_texts(seed, room, texts);
        size_t count = seed % 2 == 0 ? TEXTS : (size_t)seed;
        MT_ASSERT(!mt_failed(mt_sort_texts(&memory, texts, count, order)));
        MT_ASSERT(atomic_load(&memory.used) == 0);
        for (size_t i = 1; i < count; i++) {
            int way = mt_bytes_order(texts[order[i - 1]], texts[order[i]]);
            MT_ASSERT(way <= 0);
            MT_ASSERT(way < 0 || order[i - 1] < order[i]);
        }
    }
}

static void names_get_numbers_in_the_order_they_come(void)
{
    static uint8_t room[TEXTS][TEXT_BYTES_MAX];
    static mt_bytes texts[TEXTS];
    static const uint8_t seed[16] = {1};
    struct mt_job_memory memory;
    struct mt_keyhash hash = mt_keyhash_of(seed);
    mt_job_memory_init(&memory, 1 << 20);
    make_texts(7, room, texts);
    struct mt_names *names = NULL;
    MT_ASSERT(!mt_failed(mt_names_new(&memory, &hash, &names)));
    MT_ASSERT(mt_names_count(names) == 1);
    MT_ASSERT(mt_names_get(names, 0).len == 0);
    for (size_t i = 0; i < TEXTS; i++) {
        uint32_t before = mt_names_count(names);
        uint32_t number = 0;
        uint32_t first = 0; /* found the slow way */
        MT_ASSERT(!mt_failed(mt_names_put(names, texts[i], &number)));
        while (!mt_bytes_equal(mt_names_get(names, first), texts[i])) {
            first++;
        }
        MT_ASSERT(first == number);
        MT_ASSERT(number <= before);
        MT_ASSERT(mt_names_count(names) == before + (number == before));
    }
    MT_ASSERT(mt_names_count(names) > 1000);
    mt_names_free(&names);
    MT_ASSERT(atomic_load(&memory.used) == 0);
}

static void every_shortage_of_memory_is_an_error_and_leaves_nothing_behind(void)
{
    static uint8_t room[TEXTS][TEXT_BYTES_MAX];
    static mt_bytes texts[TEXTS];
    static uint32_t order[TEXTS];
    static const uint8_t seed[16] = {1};
    struct mt_keyhash hash = mt_keyhash_of(seed);
    make_texts(7, room, texts);
    bool has_failed = false;
    bool has_worked = false;
    for (size_t max = 0; max < 400000; max += 1009) {
        struct mt_job_memory memory;
        mt_job_memory_init(&memory, max);
        MT_DEFER(mt_names_free) struct mt_names *names = NULL;
        mt_err e = mt_names_new(&memory, &hash, &names);
        for (size_t i = 0; i < TEXTS && !mt_failed(e); i++) {
            uint32_t number = 0;
            e = mt_names_put(names, texts[i], &number);
        }
        if (!mt_failed(e)) {
            e = mt_sort_texts(&memory, texts, TEXTS, order);
        }
        has_failed = has_failed || mt_failed(e);
        has_worked = has_worked || !mt_failed(e);
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_LIMIT);
        mt_names_free(&names);
        MT_ASSERT(atomic_load(&memory.used) == 0);
    }
    MT_ASSERT(has_failed);
    MT_ASSERT(has_worked);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(hashes_are_those_of_siphash_1_3),
        MT_TEST(texts_are_sorted_bytewise_and_equal_ones_keep_their_order),
        MT_TEST(names_get_numbers_in_the_order_they_come),
        MT_TEST(every_shortage_of_memory_is_an_error_and_leaves_nothing_behind),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
