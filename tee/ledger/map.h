/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_MAP_H
#define MT_LEDGER_MAP_H

#include "base/bytes.h"

/*
 * An ordered map of bytes to bytes with versions: an AVL tree (Adelson-Velsky and Landis, 1962)
 * whose nodes are counted. A node that one version alone holds is changed in place; one that two
 * versions share is copied on the way down from the root. So a version costs nothing until
 * something is changed beside it.
 *
 * One thread owns a pool and all versions of its maps: counts are changed there alone. A version
 * that is held may be read (mt_map_next) by one other thread meanwhile, because no field that a
 * reader sees changes in a node that a held version reaches.
 */

/* A key with its value: one piece of memory, never changed, counted. Wiped when let go. */
struct mt_item;

MT_ERR mt_item_new(mt_bytes key, mt_bytes value, struct mt_item **out);
void mt_item_drop(struct mt_item **item); /* gives one count back */
mt_bytes mt_item_key(const struct mt_item *item);
mt_bytes mt_item_value(const struct mt_item *item);

/* Where nodes come from and go to. All maps that use it must be let go before it. */
struct mt_map_pool {
    struct mt_map_node *spare;
    size_t spare_count;
    struct mt_map_slab *slabs;
};
void mt_map_pool_done(struct mt_map_pool *pool);

/* A version. A value: copied by mt_map_hold() alone. */
struct mt_map {
    struct mt_map_node *root;
    uint64_t count;
};

const struct mt_item *mt_map_find(const struct mt_map *m, mt_bytes key); /* NULL: absent; borrows */

/* Takes the caller's count of `item`. *old is what stood there, with its count, or NULL. On failure
 * nothing has changed. */
MT_ERR mt_map_put(struct mt_map_pool *pool, struct mt_map *m, struct mt_item *item,
                  struct mt_item **old);
MT_ERR mt_map_del(struct mt_map_pool *pool, struct mt_map *m, mt_bytes key, struct mt_item **old);

struct mt_map mt_map_hold(const struct mt_map *m);
void mt_map_drop(struct mt_map_pool *pool, struct mt_map *m);

/* In bytewise order. The version must not change while a cursor stands in it. */
enum { MT_MAP_HEIGHT_MAX = 64 }; /* 1.44 log2 of more items than memory can hold */
struct mt_map_cursor {
    const struct mt_map_node *path[MT_MAP_HEIGHT_MAX];
    size_t depth;
};
/* Stands before the first key at or after `key`, or strictly after it. */
void mt_map_seek(const struct mt_map *m, mt_bytes key, bool is_strict, struct mt_map_cursor *c);
const struct mt_item *mt_map_next(struct mt_map_cursor *c); /* NULL at the end */

#endif
