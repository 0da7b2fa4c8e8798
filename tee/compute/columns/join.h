/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_JOIN_H
#define MT_COMPUTE_COLUMNS_JOIN_H

#include <stdatomic.h>

#include "compute/columns/table.h"

/*
 * The join of 2 to 16 tables on their keys, and what is computed over it.
 *
 * A key is joined if every table has a row of it (inner), or if the first table has (left). Nothing
 * is multiplied: a joined key counts once however many rows it has, and an aggregate of a column is
 * over the rows of the column's own table whose key is joined, each row once. A table that may not
 * repeat its keys is refused if it does, whatever the other tables hold.
 *
 * A joined key belongs to the group that the group table says; where that has no row of it (left),
 * to the group of the empty name.
 */
struct mt_join_spec {
    const struct mt_table *const *tables; /* loaded with the same hash and partition bits */
    const bool *may_repeat;
    uint32_t count;
    bool is_left;
    uint32_t group_table; /* whose table has groups; >= count: there is one group, 0 */
    struct mt_job_memory *memory;
    const atomic_bool *is_cancelled; /* NULL: nobody may */
};

/* Which table, and which row of it. */
struct mt_join_fault {
    uint32_t table;
    uint64_t row;     /* 0: no row is to blame */
    bool is_of_group; /* the column: the group's, or else the key's */
};

/* Of one column of one table, in one group. */
struct mt_aggregate {
    struct mt_decimal_sum sum;
    mt_int128 least; /* of no meaning while count is 0 */
    mt_int128 most;
    uint32_t count; /* rows */
};

struct mt_join_groups {
    struct mt_job_memory *memory;
    uint32_t count;                  /* groups */
    uint32_t columns;                /* values of all tables, the first table's first */
    uint32_t *keys;                  /* [count]: joined keys */
    struct mt_aggregate *columns_of; /* [count][columns] */
};

/*
 * MT_E_FORMAT with `fault` set, the lowest row of the first table that has one: a key that repeats
 * and may not; rows of one key with different groups. The caller owns `*out` and ends it with
 * mt_join_groups_free().
 */
MT_ERR mt_join_groups(const struct mt_join_spec *spec, struct mt_join_groups **out,
                      struct mt_join_fault *fault);
void mt_join_groups_free(struct mt_join_groups **groups);

/* The joined keys, in no order; they borrow from the tables. */
struct mt_join_keys {
    struct mt_job_memory *memory;
    size_t count;
    size_t room;
    mt_bytes *keys;
};

MT_ERR mt_join_keys(const struct mt_join_spec *spec, struct mt_join_keys **out,
                    struct mt_join_fault *fault);
void mt_join_keys_free(struct mt_join_keys **keys);

#endif
