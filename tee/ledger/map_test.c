/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"

/* Memory runs out at the n-th call, if n is set. */
static size_t calls_left;
void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);

void *__wrap_malloc(size_t len)
{
    if (calls_left > 0 && --calls_left == 0) {
        return NULL;
    }
    return __real_malloc(len);
}

static uint64_t seed = 1;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(seed >> 33) % n;
}

/* Keys are numbers, big endian, so their order is known; the model is a table. */
enum { KEYS = 300, VERSIONS = 12 };
struct model {
    uint32_t value[KEYS]; /* 0: absent */
};

static mt_bytes key_of(uint32_t k, uint8_t room[4])
{
    struct mt_writer w = mt_writer_over((mt_span){room, 4});
    mt_write_u32be(&w, k);
    return (mt_bytes){room, 4};
}

static struct mt_item *item_of(uint32_t k, uint32_t v)
{
    uint8_t key[4];
    uint8_t value[4];
    struct mt_item *item = NULL;
    mt_err e = mt_item_new(key_of(k, key), key_of(v, value), &item);
    MT_ASSERT(!mt_failed(e));
    return item;
}

static uint32_t number_in(mt_bytes b)
{
    struct mt_reader r = mt_reader_over(b);
    uint32_t n = 0;
    mt_err e = mt_read_u32be(&r, &n);
    MT_ASSERT(!mt_failed(e));
    return n;
}

static void is_as_the_model_says(const struct mt_map *m, const struct model *model)
{
    struct mt_map_cursor c;
    uint64_t count = 0;
    mt_map_seek(m, (mt_bytes){NULL, 0}, false, &c);
    for (uint32_t k = 0; k < KEYS; k++) {
        uint8_t room[4];
        const struct mt_item *found = mt_map_find(m, key_of(k, room));
        MT_ASSERT((found != NULL) == (model->value[k] != 0));
        if (found == NULL) {
            continue;
        }
        count++;
        MT_ASSERT(mt_map_next(&c) == found);
        MT_ASSERT(number_in(mt_item_key(found)) == k);
        MT_ASSERT(number_in(mt_item_value(found)) == model->value[k]);
    }
    MT_ASSERT(mt_map_next(&c) == NULL);
    MT_ASSERT(m->count == count);
}

static void change_one(struct mt_map_pool *pool, struct mt_map *m, struct model *model)
{
    uint8_t room[4];
    struct mt_item *old = NULL;
    uint32_t k = random_below(KEYS);
    uint32_t v = random_below(3) == 0 ? 0 : 1 + random_below(1000);
    mt_err e = v == 0 ? mt_map_del(pool, m, key_of(k, room), &old)
                      : mt_map_put(pool, m, item_of(k, v), &old);
    MT_ASSERT(!mt_failed(e));
    MT_ASSERT((old != NULL) == (model->value[k] != 0));
    if (old != NULL) {
        MT_ASSERT(number_in(mt_item_value(old)) == model->value[k]);
    }
    mt_item_drop(&old);
    model->value[k] = v;
}

static void a_map_does_what_a_table_does(void)
{
    struct mt_map_pool pool = {0};
    struct mt_map m = {0};
    struct model model = {0};
    for (size_t i = 0; i < 20000; i++) {
        change_one(&pool, &m, &model);
        if (i % 50 == 0) {
            is_as_the_model_says(&m, &model);
        }
    }
    mt_map_drop(&pool, &m);
    mt_map_pool_done(&pool);
}

static void a_held_version_stays_as_it_was(void)
{
    static struct model models[VERSIONS];
    struct mt_map_pool pool = {0};
    struct mt_map versions[VERSIONS] = {{0}};
    struct mt_map m = {0};
    struct model model = {0};
    for (size_t i = 0; i < 5000; i++) {
        size_t v = random_below(VERSIONS);
        if (i % 7 == 0) {
            mt_map_drop(&pool, &versions[v]);
            versions[v] = mt_map_hold(&m);
            models[v] = model;
        }
        change_one(&pool, &m, &model);
        is_as_the_model_says(&versions[v], &models[v]);
    }
    is_as_the_model_says(&m, &model);
    for (size_t v = 0; v < VERSIONS; v++) {
        is_as_the_model_says(&versions[v], &models[v]);
        mt_map_drop(&pool, &versions[v]);
    }
    is_as_the_model_says(&m, &model);
    mt_map_drop(&pool, &m);
    mt_map_pool_done(&pool);
}

static void keys_in_order_make_no_deep_tree(void)
{
    enum { MANY = 100000, DEEPEST = 24 }; /* 1.44 log2(100000) */
    struct mt_map_pool pool = {0};
    struct mt_map m = {0};
    struct mt_item *old = NULL;
    struct mt_map_cursor c;
    uint8_t room[4];
    for (uint32_t k = 0; k < MANY; k++) {
        mt_err e = mt_map_put(&pool, &m, item_of(k, 1), &old);
        MT_ASSERT(!mt_failed(e));
        MT_ASSERT(old == NULL);
    }
    mt_map_seek(&m, (mt_bytes){NULL, 0}, false, &c);
    MT_ASSERT(c.depth <= DEEPEST);
    for (uint32_t k = 0; k < MANY; k += 2) {
        mt_err e = mt_map_del(&pool, &m, key_of(k, room), &old);
        MT_ASSERT(!mt_failed(e));
        mt_item_drop(&old);
    }
    MT_ASSERT(m.count == MANY / 2);
    mt_map_seek(&m, key_of(50001, room), true, &c);
    MT_ASSERT(number_in(mt_item_key(mt_map_next(&c))) == 50003);
    mt_map_seek(&m, key_of(50002, room), false, &c);
    MT_ASSERT(number_in(mt_item_key(mt_map_next(&c))) == 50003);
    mt_map_seek(&m, key_of(50003, room), false, &c);
    MT_ASSERT(number_in(mt_item_key(mt_map_next(&c))) == 50003);
    mt_map_drop(&pool, &m);
    mt_map_pool_done(&pool);
}

static void without_memory_nothing_changes(void)
{
    for (size_t n = 1; n < 40; n++) {
        struct mt_map_pool pool = {0};
        struct mt_map m = {0};
        struct mt_map held = {0};
        struct model model = {0};
        for (uint32_t k = 0; k < KEYS; k++) {
            struct mt_item *old = NULL;
            struct mt_item *item = item_of(k, k + 1);
            held = mt_map_hold(&m); /* so that paths must be copied */
            calls_left = k == n * 7 ? 1 : 0;
            mt_err e = mt_map_put(&pool, &m, item, &old);
            calls_left = 0;
            if (mt_failed(e)) {
                MT_ASSERT(e.fault->code == MT_E_NOMEM);
                mt_item_drop(&item);
            } else {
                model.value[k] = k + 1;
            }
            mt_map_drop(&pool, &held);
            is_as_the_model_says(&m, &model);
        }
        mt_map_drop(&pool, &m);
        mt_map_pool_done(&pool);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_map_does_what_a_table_does),
        MT_TEST(a_held_version_stays_as_it_was),
        MT_TEST(keys_in_order_make_no_deep_tree),
        MT_TEST(without_memory_nothing_changes),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
