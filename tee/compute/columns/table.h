/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_TABLE_H
#define MT_COMPUTE_COLUMNS_TABLE_H

#include "compute/columns/csv.h"
#include "compute/columns/decimal.h"
#include "compute/columns/keyhash.h"

/*
 * One input of a join, loaded: of each row the key, the number columns that are asked for, and the
 * number of its group. Rows lie in partitions by the hash of their key, each partition in the order
 * of the input, so that a join works on a few hundred KiB at a time whatever the tables' size.
 *
 * Loading is a function of its arguments: inputs may be loaded on threads of their own, as long as
 * each has its own source.
 */

/* What is done to keys before they are compared byte by byte. */
enum mt_canonical {
    MT_CANONICAL_NONE = 0,
    MT_CANONICAL_TRIM = 1,        /* no spaces, tabs and line ends at both ends */
    MT_CANONICAL_LOWER_ASCII = 2, /* A-Z as a-z; all other bytes as they are */
    MT_CANONICAL_TRIM_LOWER_ASCII = 3,
};

struct mt_table_value {
    mt_bytes name;
    uint32_t scale;
};

struct mt_table_spec {
    mt_bytes key; /* names in the header */
    enum mt_canonical canonical;
    mt_bytes group; /* ptr NULL: none */
    const struct mt_table_value *values;
    uint32_t values_count;
    uint32_t partition_bits; /* the same for all tables of a join */
    struct mt_keyhash hash;  /* the same for all tables of a join */
};

/* Why and where. `name` is the column's in the spec, and empty if the fault is not of one of them.
 */
struct mt_table_fault {
    struct mt_csv_place place;
    mt_bytes name;
};

/* Eight bytes aligned: this head, `values_count` values, then the key. At least 8 bytes may be read
 * from where the key begins. */
struct mt_table_row {
    uint32_t hash;
    uint32_t number; /* of the row in the input: the header is 1 */
    uint32_t group;
    uint32_t key_len;
};

struct mt_table_chunk {
    struct mt_table_chunk *next;
    uint64_t used; /* bytes of rows */
    uint8_t rows[MT_TABLE_CHUNK_BYTES - 16];
};

struct mt_names;

/* Where a partition's next row goes, in its last chunk: all that loading a row looks at. */
struct mt_table_end {
    uint8_t *at;
    size_t left;
};

struct mt_table_partition {
    struct mt_table_chunk *first;
    struct mt_table_chunk *last;
    uint64_t count; /* rows */
};

struct mt_table {
    struct mt_job_memory *memory;
    struct mt_slabs slabs;
    struct mt_table_partition *partitions;
    struct mt_table_end *ends;
    uint32_t partition_bits;
    uint32_t values_count;
    uint64_t count;      /* rows */
    uint32_t key_column; /* where they stand in the input; counted from 1 */
    uint32_t group_column;
    struct mt_names *groups; /* NULL without a group column: all rows are of group 0 */
};

/* How many partitions for inputs of so many bytes in all. */
uint32_t mt_table_partition_bits(uint64_t inputs_bytes);

/* The caller owns `*out` and ends it with mt_table_free(). On failure `fault` is set, whose name
 * borrows from the spec; its row is 0 if the input is not to blame. */
MT_ERR mt_table_load(struct mt_job_memory *memory, const struct mt_table_spec *spec,
                     struct mt_csv_source source, struct mt_table **out,
                     struct mt_table_fault *fault);
void mt_table_free(struct mt_table **table);

/* A walk over a partition's rows, in the order of the input. */
struct mt_table_walk {
    const struct mt_table_chunk *chunk;
    uint64_t at;
    uint32_t values_count;
};

static inline struct mt_table_walk mt_table_walk_over(const struct mt_table *t, uint32_t partition)
{
    return (struct mt_table_walk){t->partitions[partition].first, 0, t->values_count};
}

static inline const uint8_t *mt_table_row_value(const struct mt_table_row *row, uint32_t value)
{
    return (const uint8_t *)(row + 1) + value * sizeof(mt_int128);
}

static inline mt_bytes mt_table_row_key(const struct mt_table_row *row, uint32_t values_count)
{
    return (mt_bytes){mt_table_row_value(row, values_count), row->key_len};
}

static inline size_t mt_table_row_len(const struct mt_table_row *row, uint32_t values_count)
{
    size_t len = sizeof *row + values_count * sizeof(mt_int128) + row->key_len;
    return (len + 7) & ~(size_t)7;
}

/* NULL after the last. */
static inline const struct mt_table_row *mt_table_walk_next(struct mt_table_walk *w)
{
    while (w->chunk != NULL && w->at == w->chunk->used) {
        w->chunk = w->chunk->next;
        w->at = 0;
    }
    if (w->chunk == NULL) {
        return NULL;
    }
    const void *ptr = w->chunk->rows + w->at;
    const struct mt_table_row *row = ptr;
    w->at += mt_table_row_len(row, w->values_count);
    return row;
}

uint32_t mt_table_groups(const struct mt_table *t); /* how many; at least 1 */
mt_bytes mt_table_group_name(const struct mt_table *t, uint32_t group);

#endif
