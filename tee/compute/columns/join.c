/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/join.h"

#include <string.h>

#include "base/assert.h"
#include "base/limits.h"

/* A distinct key of a partition, whichever tables have it. */
struct entity {
    const uint8_t *key; /* of its first row */
    uint32_t key_len;
    uint32_t group;
    uint32_t tables; /* one bit each */
};

struct slot {
    uint32_t hash;
    uint32_t entity_plus_1; /* 0: free */
};

/* The lowest row that is wrong, of each kind and table. */
struct wrong {
    uint32_t repeated;
    uint32_t regrouped;
};

/* One partition at a time; the room is that of the largest. */
struct match {
    const struct mt_join_spec *spec;
    uint64_t rows_max;
    uint64_t slots_max; /* a power of two */
    uint64_t slots_count;
    struct slot *slots;
    struct entity *entities;
    uint32_t *entity_of; /* each row's, tables one after another */
    uint32_t entities_count;
    uint32_t joined; /* the tables that a joined key is in, at least */
    struct wrong wrong[MT_TASK_PARTIES_MAX];
};
_Static_assert(MT_TASK_PARTIES_MAX <= 32, "a bit for each table");

static void match_done(struct match *m)
{
    struct mt_job_memory *memory = m->spec->memory;
    mt_job_memory_put(memory, m->slots, m->slots_max * sizeof *m->slots);
    mt_job_memory_put(memory, m->entities, m->rows_max * sizeof *m->entities);
    mt_job_memory_put(memory, m->entity_of, m->rows_max * sizeof *m->entity_of);
}

static uint32_t partitions_of(const struct mt_join_spec *spec)
{
    return UINT32_C(1) << spec->tables[0]->partition_bits;
}

static uint64_t rows_of(const struct mt_join_spec *spec, uint32_t partition)
{
    uint64_t rows = 0;
    for (uint32_t t = 0; t < spec->count; t++) {
        rows += spec->tables[t]->partitions[partition].count;
    }
    return rows;
}

/* At most half full. */
static uint64_t slots_for(uint64_t rows)
{
    uint64_t slots = 16;
    while (slots < rows * 2) {
        slots *= 2;
    }
    return slots;
}

static MT_ERR match_init(struct match *m)
{
    const struct mt_join_spec *spec = m->spec;
    for (uint32_t p = 0; p < partitions_of(spec); p++) {
        uint64_t rows = rows_of(spec, p);
        m->rows_max = rows > m->rows_max ? rows : m->rows_max;
    }
    MT_REQUIRE(m->rows_max < UINT32_MAX / 2, MT_E_LIMIT, "too many rows in one partition");
    m->rows_max = m->rows_max > 0 ? m->rows_max : 1;
    m->slots_max = slots_for(m->rows_max);
    m->joined = spec->is_left ? 1 : (uint32_t)((UINT64_C(1) << spec->count) - 1);
    void *ptr = NULL;
    MT_TRY(mt_job_memory_get(spec->memory, m->slots_max * sizeof *m->slots, &ptr));
    m->slots = ptr;
    MT_TRY(mt_job_memory_get(spec->memory, m->rows_max * sizeof *m->entities, &ptr));
    m->entities = ptr;
    MT_TRY(mt_job_memory_get(spec->memory, m->rows_max * sizeof *m->entity_of, &ptr));
    m->entity_of = ptr;
    return MT_OK;
}

static inline uint64_t word_at(const uint8_t *p)
{
    uint64_t word = 0;
    memcpy(&word, p, sizeof word);
    return word;
}

/* By words; the last overlaps the one before it, or is cut where it is the only one. */
static inline bool is_same_key(const struct entity *e, mt_bytes key)
{
    if (e->key_len != key.len) {
        return false;
    }
    if (key.len < 8) {
        return (word_at(e->key) ^ word_at(key.ptr)) << (8 * (8 - key.len)) == 0;
    }
    for (size_t i = 0; i + 8 < key.len; i += 8) {
        if (word_at(e->key + i) != word_at(key.ptr + i)) {
            return false;
        }
    }
    return word_at(e->key + key.len - 8) == word_at(key.ptr + key.len - 8);
}

static inline uint32_t entity_of_row(struct match *m, const struct mt_table_row *row, mt_bytes key)
{
    uint64_t at = row->hash & (m->slots_count - 1);
    while (m->slots[at].entity_plus_1 != 0) {
        uint32_t entity = m->slots[at].entity_plus_1 - 1;
        if (m->slots[at].hash == row->hash && is_same_key(&m->entities[entity], key)) {
            return entity;
        }
        at = (at + 1) & (m->slots_count - 1);
    }
    uint32_t entity = m->entities_count++;
    m->slots[at] = (struct slot){row->hash, entity + 1};
    m->entities[entity] = (struct entity){key.ptr, row->key_len, 0, 0};
    return entity;
}

static void note_lowest(uint32_t *lowest, uint32_t row)
{
    *lowest = *lowest == 0 || row < *lowest ? row : *lowest;
}

static void match_table(struct match *m, uint32_t partition, uint32_t t, uint32_t *entity_of)
{
    const struct mt_join_spec *spec = m->spec;
    const struct mt_table *table = spec->tables[t];
    struct mt_table_walk walk = mt_table_walk_over(table, partition);
    const struct mt_table_row *row = NULL;
    while ((row = mt_table_walk_next(&walk)) != NULL) {
        uint32_t number = entity_of_row(m, row, mt_table_row_key(row, table->values_count));
        struct entity *e = &m->entities[number];
        bool is_repeated = (e->tables >> t & 1) == 1;
        if (is_repeated && !spec->may_repeat[t]) {
            note_lowest(&m->wrong[t].repeated, row->number);
        }
        if (t == spec->group_table) {
            if (is_repeated && e->group != row->group) {
                note_lowest(&m->wrong[t].regrouped, row->number);
            }
            e->group = row->group;
        }
        e->tables |= UINT32_C(1) << t;
        *entity_of++ = number;
    }
}

/* All rows of a partition get their entity, all entities their tables. */
static MT_ERR match_partition(struct match *m, uint32_t partition)
{
    const atomic_bool *is_cancelled = m->spec->is_cancelled;
    MT_REQUIRE(is_cancelled == NULL || !atomic_load(is_cancelled), MT_E_CANCELLED, "cancelled");
    m->slots_count = slots_for(rows_of(m->spec, partition));
    memset(m->slots, 0, m->slots_count * sizeof *m->slots);
    m->entities_count = 0;
    uint32_t *entity_of = m->entity_of;
    for (uint32_t t = 0; t < m->spec->count; t++) {
        match_table(m, partition, t, entity_of);
        entity_of += m->spec->tables[t]->partitions[partition].count;
    }
    return MT_OK;
}

static MT_ERR refuse_wrong(const struct match *m, struct mt_join_fault *fault)
{
    for (uint32_t t = 0; t < m->spec->count; t++) {
        if (m->wrong[t].repeated != 0) {
            *fault = (struct mt_join_fault){t, m->wrong[t].repeated, false};
            MT_FAIL(MT_E_FORMAT, "a key that was there before");
        }
        if (m->wrong[t].regrouped != 0) {
            *fault = (struct mt_join_fault){t, m->wrong[t].regrouped, true};
            MT_FAIL(MT_E_FORMAT, "another group than in an earlier row of the same key");
        }
    }
    return MT_OK;
}

static bool is_joined(const struct match *m, const struct entity *e)
{
    return (e->tables & m->joined) == m->joined;
}

static void add_value(struct mt_aggregate *a, mt_int128 value)
{
    mt_decimal_sum_add(&a->sum, value);
    a->least = a->count == 0 || value < a->least ? value : a->least;
    a->most = a->count == 0 || value > a->most ? value : a->most;
    a->count++;
}

/* The values of one table's rows in a partition, into their groups. `first` is its first column
 * among all tables'. */
static void add_table(const struct match *m, const struct mt_table_walk *over, uint32_t first,
                      const uint32_t *entity_of, struct mt_join_groups *g)
{
    struct mt_table_walk walk = *over;
    const struct mt_table_row *row = NULL;
    while ((row = mt_table_walk_next(&walk)) != NULL) {
        const struct entity *e = &m->entities[*entity_of++];
        if (!is_joined(m, e)) {
            continue;
        }
        struct mt_aggregate *a = &g->columns_of[(size_t)e->group * g->columns + first];
        for (uint32_t v = 0; v < walk.values_count; v++) {
            mt_int128 value = 0;
            memcpy(&value, mt_table_row_value(row, v), sizeof value);
            add_value(&a[v], value);
        }
    }
}

static void add_partition(const struct match *m, uint32_t partition, struct mt_join_groups *g)
{
    const struct mt_join_spec *spec = m->spec;
    for (uint32_t i = 0; i < m->entities_count; i++) {
        g->keys[m->entities[i].group] += is_joined(m, &m->entities[i]);
    }
    const uint32_t *entity_of = m->entity_of;
    uint32_t first = 0;
    for (uint32_t t = 0; t < spec->count; t++) {
        const struct mt_table *table = spec->tables[t];
        if (table->values_count > 0) {
            struct mt_table_walk walk = mt_table_walk_over(table, partition);
            add_table(m, &walk, first, entity_of, g);
        }
        first += table->values_count;
        entity_of += table->partitions[partition].count;
    }
}

static MT_ERR groups_new(const struct mt_join_spec *spec, struct mt_join_groups **out)
{
    void *ptr = NULL;
    MT_TRY(mt_job_memory_get_array(spec->memory, 1, sizeof(struct mt_join_groups), &ptr));
    MT_DEFER(mt_join_groups_free) struct mt_join_groups *g = ptr;
    g->memory = spec->memory;
    g->count =
        spec->group_table < spec->count ? mt_table_groups(spec->tables[spec->group_table]) : 1;
    for (uint32_t t = 0; t < spec->count; t++) {
        g->columns += spec->tables[t]->values_count;
    }
    MT_TRY(mt_job_memory_get_array(spec->memory, g->count, sizeof *g->keys, &ptr));
    g->keys = ptr;
    if (g->columns > 0) {
        MT_TRY(mt_job_memory_get_array(spec->memory, (size_t)g->count * g->columns,
                                       sizeof *g->columns_of, &ptr));
        g->columns_of = ptr;
    }
    *out = g;
    g = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_join_groups(const struct mt_join_spec *spec, struct mt_join_groups **out,
                      struct mt_join_fault *fault)
{
    MT_DEFER(match_done) struct match m = {.spec = spec};
    MT_DEFER(mt_join_groups_free) struct mt_join_groups *g = NULL;
    *fault = (struct mt_join_fault){.row = 0};
    MT_TRY(match_init(&m));
    MT_TRY(groups_new(spec, &g));
    for (uint32_t p = 0; p < partitions_of(spec); p++) {
        MT_TRY(match_partition(&m, p));
        add_partition(&m, p, g);
    }
    MT_TRY(refuse_wrong(&m, fault));
    *out = g;
    g = NULL; /* given */
    return MT_OK;
}

void mt_join_groups_free(struct mt_join_groups **groups)
{
    struct mt_join_groups *g = *groups;
    if (g != NULL) {
        mt_job_memory_put(g->memory, g->keys, g->count * sizeof *g->keys);
        mt_job_memory_put(g->memory, g->columns_of,
                          (size_t)g->count * g->columns * sizeof *g->columns_of);
        mt_job_memory_put(g->memory, g, sizeof *g);
        *groups = NULL;
    }
}

static void keep_keys(const struct match *m, struct mt_join_keys *k)
{
    for (uint32_t i = 0; i < m->entities_count; i++) {
        const struct entity *e = &m->entities[i];
        if (is_joined(m, e)) {
            MT_ASSERT(k->count < k->room);
            k->keys[k->count++] = (mt_bytes){e->key, e->key_len};
        }
    }
}

/* Room for as many keys as there can be: those of the smallest table, or of the first. */
static MT_ERR keys_new(const struct mt_join_spec *spec, struct mt_join_keys **out)
{
    void *ptr = NULL;
    MT_TRY(mt_job_memory_get_array(spec->memory, 1, sizeof(struct mt_join_keys), &ptr));
    MT_DEFER(mt_join_keys_free) struct mt_join_keys *k = ptr;
    k->memory = spec->memory;
    k->room = spec->tables[0]->count;
    for (uint32_t t = 1; t < spec->count && !spec->is_left; t++) {
        k->room = spec->tables[t]->count < k->room ? spec->tables[t]->count : k->room;
    }
    if (k->room > 0) {
        MT_TRY(mt_job_memory_get(spec->memory, k->room * sizeof *k->keys, &ptr));
        k->keys = ptr;
    }
    *out = k;
    k = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_join_keys(const struct mt_join_spec *spec, struct mt_join_keys **out,
                    struct mt_join_fault *fault)
{
    MT_DEFER(match_done) struct match m = {.spec = spec};
    MT_DEFER(mt_join_keys_free) struct mt_join_keys *k = NULL;
    *fault = (struct mt_join_fault){.row = 0};
    MT_TRY(match_init(&m));
    MT_TRY(keys_new(spec, &k));
    for (uint32_t p = 0; p < partitions_of(spec); p++) {
        MT_TRY(match_partition(&m, p));
        keep_keys(&m, k);
    }
    MT_TRY(refuse_wrong(&m, fault));
    *out = k;
    k = NULL; /* given */
    return MT_OK;
}

void mt_join_keys_free(struct mt_join_keys **keys)
{
    struct mt_join_keys *k = *keys;
    if (k != NULL) {
        mt_job_memory_put(k->memory, k->keys, k->room * sizeof *k->keys);
        mt_job_memory_put(k->memory, k, sizeof *k);
        *keys = NULL;
    }
}
