/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/ct.h"

struct mt_item {
    uint32_t counts;
    uint32_t key_len;
    size_t value_len;
    uint8_t bytes[];
};

struct mt_map_node {
    uint32_t counts; /* versions and nodes that point here; the owner's alone */
    uint32_t height;
    struct mt_map_node *side[2]; /* left: before; right: after */
    struct mt_item *item;
    uint64_t start; /* of the item's key: most comparisons need not look further */
};

enum { SLAB_NODES = 250 };
struct mt_map_slab {
    struct mt_map_slab *next;
    struct mt_map_node nodes[SLAB_NODES];
};

/* A change copies at most the path from the root, and for a deletion one sibling and its child on
 * each step of it. With so many spare nodes at the start, no change fails half way. */
enum { SPARE_MIN = 3 * MT_MAP_HEIGHT_MAX, WAITING_MAX = 2 * MT_MAP_HEIGHT_MAX };

MT_ERR mt_item_new(mt_bytes key, mt_bytes value, struct mt_item **out)
{
    size_t len = 0;
    MT_REQUIRE(key.len <= UINT32_MAX, MT_E_LIMIT, "a key is too long");
    MT_TRY(mt_add_size(sizeof(struct mt_item), key.len, &len));
    MT_TRY(mt_add_size(len, value.len, &len));
    struct mt_item *item = malloc(len);
    MT_REQUIRE(item != NULL, MT_E_NOMEM, "no memory for an entry of a map");
    item->counts = 1;
    item->key_len = (uint32_t)key.len;
    item->value_len = value.len;
    if (key.len > 0) {
        memcpy(item->bytes, key.ptr, key.len);
    }
    if (value.len > 0) {
        memcpy(item->bytes + key.len, value.ptr, value.len);
    }
    *out = item;
    return MT_OK;
}

void mt_item_drop(struct mt_item **item)
{
    struct mt_item *i = *item;
    *item = NULL;
    if (i != NULL && --i->counts == 0) {
        mt_wipe((mt_span){i->bytes, i->key_len + i->value_len});
        free(i);
    }
}

mt_bytes mt_item_key(const struct mt_item *item)
{
    return (mt_bytes){item->bytes, item->key_len};
}

mt_bytes mt_item_value(const struct mt_item *item)
{
    return (mt_bytes){item->bytes + item->key_len, item->value_len};
}

/* The first eight bytes as a number, so that numbers are in the order of keys or equal. */
static uint64_t start_of(mt_bytes key)
{
    uint64_t start = 0;
    if (key.len >= sizeof start) {
        memcpy(&start, key.ptr, sizeof start);
        return __builtin_bswap64(start);
    }
    for (size_t i = 0; i < sizeof start; i++) {
        start = start << 8 | (i < key.len ? key.ptr[i] : 0);
    }
    return start;
}

/* As mt_bytes_order() of the key and the node's. */
static int order_of(uint64_t start, mt_bytes key, const struct mt_map_node *n)
{
    if (start != n->start) {
        return start < n->start ? -1 : 1;
    }
    return mt_bytes_order(key, mt_item_key(n->item));
}

static void give_node(struct mt_map_pool *pool, struct mt_map_node *n)
{
    n->side[0] = pool->spare;
    pool->spare = n;
    pool->spare_count++;
}

static MT_ERR reserve(struct mt_map_pool *pool)
{
    while (pool->spare_count < SPARE_MIN) {
        struct mt_map_slab *s = malloc(sizeof *s);
        MT_REQUIRE(s != NULL, MT_E_NOMEM, "no memory for a map");
        s->next = pool->slabs;
        pool->slabs = s;
        for (size_t i = 0; i < SLAB_NODES; i++) {
            give_node(pool, &s->nodes[i]);
        }
    }
    return MT_OK;
}

void mt_map_pool_done(struct mt_map_pool *pool)
{
    while (pool->slabs != NULL) {
        struct mt_map_slab *s = pool->slabs;
        pool->slabs = s->next;
        free(s);
    }
    *pool = (struct mt_map_pool){0};
}

static struct mt_map_node *take_node(struct mt_map_pool *pool)
{
    struct mt_map_node *n = pool->spare;
    MT_ASSERT(n != NULL);
    pool->spare = n->side[0];
    pool->spare_count--;
    return n;
}

/* After this, whoever holds `*slot` is the only one who points to the node, and may change it. */
static struct mt_map_node *own(struct mt_map_pool *pool, struct mt_map_node **slot)
{
    struct mt_map_node *shared = *slot;
    if (shared->counts == 1) {
        return shared;
    }
    struct mt_map_node *n = take_node(pool);
    *n = *shared;
    n->counts = 1;
    n->item->counts++;
    for (size_t i = 0; i < 2; i++) {
        if (n->side[i] != NULL) {
            n->side[i]->counts++;
        }
    }
    shared->counts--;
    *slot = n;
    return n;
}

static uint32_t height_of(const struct mt_map_node *n)
{
    return n == NULL ? 0 : n->height;
}

static void measure(struct mt_map_node *n)
{
    uint32_t left = height_of(n->side[0]);
    uint32_t right = height_of(n->side[1]);
    n->height = 1 + (left > right ? left : right);
}

/* The child on `side` comes up, its other child changes over. Both are owned. */
static void rotate(struct mt_map_node **slot, size_t side)
{
    struct mt_map_node *down = *slot;
    struct mt_map_node *up = down->side[side];
    down->side[side] = up->side[1 - side];
    up->side[1 - side] = down;
    measure(down);
    measure(up);
    *slot = up;
}

static void balance(struct mt_map_pool *pool, struct mt_map_node **slot)
{
    struct mt_map_node *n = *slot;
    for (size_t side = 0; side < 2; side++) {
        if (height_of(n->side[side]) > height_of(n->side[1 - side]) + 1) {
            struct mt_map_node *child = own(pool, &n->side[side]);
            if (height_of(child->side[1 - side]) > height_of(child->side[side])) {
                (void)own(pool, &child->side[1 - side]);
                rotate(&n->side[side], 1 - side);
            }
            rotate(slot, side);
            return;
        }
    }
    measure(n);
}

/* The way down, as the places that point to each node on it. */
struct path {
    struct mt_map_node **slots[MT_MAP_HEIGHT_MAX];
    size_t depth;
};

static void step(struct path *p, struct mt_map_node **slot)
{
    MT_ASSERT(p->depth < MT_MAP_HEIGHT_MAX);
    p->slots[p->depth++] = slot;
}

static void balance_up(struct mt_map_pool *pool, struct path *p)
{
    while (p->depth > 0) {
        balance(pool, p->slots[--p->depth]);
    }
}

/* The place of `key`, or where it would be; every node above it owned and on the path. */
static struct mt_map_node **descend(struct mt_map_pool *pool, struct mt_map *m, mt_bytes key,
                                    struct path *p)
{
    struct mt_map_node **slot = &m->root;
    uint64_t start = start_of(key);
    while (*slot != NULL) {
        struct mt_map_node *n = own(pool, slot);
        int order = order_of(start, key, n);
        if (order == 0) {
            break;
        }
        step(p, slot);
        slot = &n->side[order > 0];
    }
    return slot;
}

MT_ERR mt_map_put(struct mt_map_pool *pool, struct mt_map *m, struct mt_item *item,
                  struct mt_item **old)
{
    struct path p = {.depth = 0};
    MT_TRY(reserve(pool));
    struct mt_map_node **slot = descend(pool, m, mt_item_key(item), &p);
    if (*slot != NULL) {
        *old = (*slot)->item;
        (*slot)->item = item;
        return MT_OK;
    }
    *slot = take_node(pool);
    **slot = (struct mt_map_node){
        .counts = 1, .height = 1, .item = item, .start = start_of(mt_item_key(item))};
    m->count++;
    balance_up(pool, &p);
    *old = NULL;
    return MT_OK;
}

MT_ERR mt_map_del(struct mt_map_pool *pool, struct mt_map *m, mt_bytes key, struct mt_item **old)
{
    struct path p = {.depth = 0};
    if (mt_map_find(m, key) == NULL) {
        *old = NULL;
        return MT_OK;
    }
    MT_TRY(reserve(pool));
    struct mt_map_node **slot = descend(pool, m, key, &p);
    struct mt_map_node *gone = *slot;
    MT_ASSERT(gone != NULL);
    *old = gone->item;
    if (gone->side[0] != NULL && gone->side[1] != NULL) {
        /* The next key moves up into its place, and the node of that one goes instead. */
        struct mt_map_node *above = gone;
        step(&p, slot);
        slot = &above->side[1];
        while (own(pool, slot)->side[0] != NULL) {
            step(&p, slot);
            slot = &(*slot)->side[0];
        }
        gone = *slot;
        above->item = gone->item;
        above->start = gone->start;
    }
    *slot = gone->side[gone->side[0] == NULL];
    give_node(pool, gone);
    m->count--;
    balance_up(pool, &p);
    return MT_OK;
}

const struct mt_item *mt_map_find(const struct mt_map *m, mt_bytes key)
{
    const struct mt_map_node *n = m->root;
    uint64_t start = start_of(key);
    while (n != NULL) {
        int order = order_of(start, key, n);
        if (order == 0) {
            return n->item;
        }
        n = n->side[order > 0];
    }
    return NULL;
}

struct mt_map mt_map_hold(const struct mt_map *m)
{
    if (m->root != NULL) {
        m->root->counts++;
    }
    return *m;
}

void mt_map_drop(struct mt_map_pool *pool, struct mt_map *m)
{
    struct mt_map_node *waiting[WAITING_MAX];
    size_t count = 0;
    if (m->root != NULL) {
        waiting[count++] = m->root;
    }
    while (count > 0) {
        struct mt_map_node *n = waiting[--count];
        if (--n->counts > 0) {
            continue;
        }
        for (size_t i = 0; i < 2; i++) {
            if (n->side[i] != NULL) {
                MT_ASSERT(count < WAITING_MAX);
                waiting[count++] = n->side[i];
            }
        }
        mt_item_drop(&n->item);
        give_node(pool, n);
    }
    *m = (struct mt_map){0};
}

void mt_map_seek(const struct mt_map *m, mt_bytes key, bool is_strict, struct mt_map_cursor *c)
{
    c->depth = 0;
    const struct mt_map_node *n = m->root;
    uint64_t start = start_of(key);
    while (n != NULL) {
        int order = order_of(start, key, n);
        bool is_after = is_strict ? order < 0 : order <= 0;
        if (is_after) {
            MT_ASSERT(c->depth < MT_MAP_HEIGHT_MAX);
            c->path[c->depth++] = n; /* it comes once all that is left of it has come */
        }
        n = n->side[!is_after];
    }
}

const struct mt_item *mt_map_next(struct mt_map_cursor *c)
{
    if (c->depth == 0) {
        return NULL;
    }
    const struct mt_map_node *n = c->path[--c->depth];
    const struct mt_item *item = n->item;
    for (n = n->side[1]; n != NULL; n = n->side[0]) {
        MT_ASSERT(c->depth < MT_MAP_HEIGHT_MAX);
        c->path[c->depth++] = n;
    }
    return item;
}
