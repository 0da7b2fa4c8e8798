/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/table.h"

#include <emmintrin.h>
#include <string.h>

#include "base/assert.h"
#include "compute/columns/names.h"

/* Of the inputs' bytes, for one partition: what a join does with them stays in the second level
 * cache. Without partitions the join of 3 x 1 M rows takes twice as long. */
enum { PARTITION_BYTES = 256 * 1024 };

_Static_assert(sizeof(struct mt_table_row) + MT_TABLE_VALUES_MAX * sizeof(mt_int128) +
                       MT_TABLE_KEY_BYTES_MAX + 8 + MT_CSV_SLACK_BYTES <=
                   sizeof((struct mt_table_chunk *)0)->rows,
               "every row fits a chunk");
_Static_assert(sizeof(struct mt_table_chunk) == MT_TABLE_CHUNK_BYTES, "no padding");

/* A table while it is loaded: where its columns stand in the input. */
struct load {
    const struct mt_table_spec *spec;
    struct mt_table *table;
    struct mt_csv *csv;
    struct mt_table_fault *fault;
    uint32_t key_at;
    uint32_t group_at;
    uint32_t value_at[MT_TABLE_VALUES_MAX];
    mt_int128 value[MT_TABLE_VALUES_MAX];
    uint8_t key[MT_TABLE_KEY_BYTES_MAX + MT_CSV_SLACK_BYTES]; /* where keys become lower case */
};

uint32_t mt_table_partition_bits(uint64_t inputs_bytes)
{
    uint32_t bits = 0;
    while ((uint64_t)PARTITION_BYTES << bits < inputs_bytes &&
           UINT32_C(1) << bits < MT_TABLE_PARTITIONS_MAX) {
        bits++;
    }
    return bits;
}

/* Where the spec's name stands in the header. */
static MT_ERR find(struct load *l, mt_bytes name, uint32_t *at)
{
    for (uint32_t i = 0; i < mt_csv_columns(l->csv); i++) {
        if (mt_bytes_equal(mt_csv_name(l->csv, i), name)) {
            *at = i;
            return MT_OK;
        }
    }
    *l->fault = (struct mt_table_fault){{.row = 1}, name};
    MT_FAIL(MT_E_FORMAT, "the header has no column of this name");
}

static MT_ERR find_columns(struct load *l)
{
    const struct mt_table_spec *spec = l->spec;
    MT_TRY(find(l, spec->key, &l->key_at));
    if (spec->group.ptr != NULL) {
        MT_TRY(find(l, spec->group, &l->group_at));
        l->table->group_column = l->group_at + 1;
    }
    l->table->key_column = l->key_at + 1;
    for (uint32_t i = 0; i < spec->values_count; i++) {
        MT_TRY(find(l, spec->values[i].name, &l->value_at[i]));
    }
    return MT_OK;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static mt_bytes trim(mt_bytes text)
{
    while (text.len > 0 && is_space(text.ptr[0])) {
        text = (mt_bytes){text.ptr + 1, text.len - 1};
    }
    while (text.len > 0 && is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* Sixteen at a time, up to 15 bytes beyond the text's end: csv.h promises so many. */
static mt_bytes lower(struct load *l, mt_bytes text)
{
    const __m128i before_a = _mm_set1_epi8('A' - 1);
    const __m128i after_z = _mm_set1_epi8('Z' + 1);
    for (size_t at = 0; at < text.len; at += sizeof(__m128i)) {
        __m128i c = _mm_loadu_si128((const __m128i_u *)(text.ptr + at));
        __m128i is_upper = _mm_and_si128(_mm_cmpgt_epi8(c, before_a), _mm_cmplt_epi8(c, after_z));
        c = _mm_or_si128(c, _mm_and_si128(is_upper, _mm_set1_epi8('a' - 'A')));
        _mm_storeu_si128((__m128i_u *)(l->key + at), c);
    }
    return (mt_bytes){l->key, text.len};
}

static void note_fault(struct load *l, uint32_t column, mt_bytes name)
{
    *l->fault = (struct mt_table_fault){mt_csv_place_of_field(l->csv, column), name};
}

static MT_ERR take_key(struct load *l, mt_bytes field, mt_bytes *key)
{
    uint32_t canonical = (uint32_t)l->spec->canonical;
    mt_bytes text = (canonical & MT_CANONICAL_TRIM) != 0 ? trim(field) : field;
    if (text.len == 0 || text.len > MT_TABLE_KEY_BYTES_MAX) {
        note_fault(l, l->key_at, l->spec->key);
        MT_REQUIRE(text.len == 0, MT_E_LIMIT, "a key is longer than 4 KiB");
        MT_FAIL(MT_E_FORMAT, "the key is missing");
    }
    *key = (canonical & MT_CANONICAL_LOWER_ASCII) != 0 ? lower(l, text) : text;
    return MT_OK;
}

static MT_ERR take_values(struct load *l, const mt_bytes *fields)
{
    for (uint32_t i = 0; i < l->spec->values_count; i++) {
        const struct mt_table_value *v = &l->spec->values[i];
        mt_err e = mt_decimal_parse(fields[l->value_at[i]], v->scale, &l->value[i]);
        if (mt_failed(e)) {
            note_fault(l, l->value_at[i], v->name);
            return e;
        }
    }
    return MT_OK;
}

static MT_ERR take_group(struct load *l, const mt_bytes *fields, uint32_t *group)
{
    *group = 0;
    if (l->table->groups == NULL) {
        return MT_OK;
    }
    mt_bytes name = fields[l->group_at];
    if (name.len > MT_TABLE_KEY_BYTES_MAX) {
        note_fault(l, l->group_at, l->spec->group);
        MT_FAIL(MT_E_LIMIT, "a group's name is longer than 4 KiB");
    }
    return mt_names_put(l->table->groups, name, group);
}

/* Closes the last chunk of a partition. */
static void close_chunk(struct mt_table *t, size_t partition)
{
    struct mt_table_partition *p = &t->partitions[partition];
    if (p->last != NULL) {
        p->last->used = (uint64_t)(t->ends[partition].at - p->last->rows);
    }
}

static MT_ERR add_chunk(struct mt_table *t, size_t partition)
{
    struct mt_table_partition *p = &t->partitions[partition];
    uint8_t *room = NULL;
    close_chunk(t, partition);
    MT_TRY(mt_slabs_get(&t->slabs, sizeof(struct mt_table_chunk), &room));
    void *ptr = room;
    struct mt_table_chunk *chunk = ptr;
    chunk->next = NULL;
    if (p->last == NULL) {
        p->first = chunk;
    } else {
        p->last->next = chunk;
    }
    p->last = chunk;
    t->ends[partition] = (struct mt_table_end){chunk->rows, sizeof chunk->rows};
    return MT_OK;
}

/* Up to 15 bytes more, on both sides: of a field or of l->key, into a chunk that has the room. */
static inline void copy_key(uint8_t *to, mt_bytes key)
{
    for (size_t at = 0; at < key.len; at += sizeof(__m128i)) {
        __m128i c = _mm_loadu_si128((const __m128i_u *)(key.ptr + at));
        _mm_storeu_si128((__m128i_u *)(to + at), c);
    }
}

static MT_ERR put_row(struct load *l, mt_bytes key, const struct mt_table_row *head,
                      size_t partition)
{
    struct mt_table *t = l->table;
    struct mt_table_end *end = &t->ends[partition];
    size_t len = mt_table_row_len(head, t->values_count);
    if (end->left < len + MT_CSV_SLACK_BYTES) {
        MT_TRY(add_chunk(t, partition));
    }
    uint8_t *at = end->at;
    memcpy(at, head, sizeof *head);
    at += sizeof *head;
    for (uint32_t i = 0; i < t->values_count; i++) {
        memcpy(at, &l->value[i], sizeof l->value[i]);
        at += sizeof l->value[i];
    }
    copy_key(at, key);
    end->at += len;
    end->left -= len;
    __builtin_prefetch(end->at + 64, 1);
    __builtin_prefetch(end->at + 128, 1);
    t->partitions[partition].count++;
    return MT_OK;
}

/* The row goes to the partition that the top bits of its key's hash say. Its line of memory is
 * asked for now, and will have come when the other cells have been read. */
static size_t find_partition(const struct load *l, mt_bytes key, struct mt_table_row *head)
{
    uint64_t hash = mt_keyhash_get(&l->spec->hash, key);
    size_t partition = hash >> 1 >> (63 - l->table->partition_bits); /* one by 64 is undefined */
    const uint8_t *at = l->table->ends[partition].at;
    __builtin_prefetch(at, 1);
    __builtin_prefetch(at + 64, 1);
    head->hash = (uint32_t)hash;
    head->key_len = (uint32_t)key.len;
    return partition;
}

static MT_ERR take_row(struct load *l, const mt_bytes *fields, uint32_t number)
{
    mt_bytes key;
    struct mt_table_row head = {.number = number};
    MT_TRY(take_key(l, fields[l->key_at], &key));
    size_t partition = find_partition(l, key, &head);
    MT_TRY(take_values(l, fields));
    MT_TRY(take_group(l, fields, &head.group));
    return put_row(l, key, &head, partition);
}

static MT_ERR load_rows(struct load *l)
{
    const mt_bytes *fields = NULL;
    for (uint32_t number = 2;; number++) {
        mt_err e = mt_csv_next(l->csv, &fields);
        if (mt_failed(e)) {
            *l->fault = (struct mt_table_fault){mt_csv_place_of_fault(l->csv), {NULL, 0}};
            return e;
        }
        if (fields == NULL) {
            l->table->count = number - 2;
            return MT_OK;
        }
        MT_REQUIRE(number < UINT32_MAX, MT_E_LIMIT, "more than 4,294,967,292 rows");
        MT_TRY(take_row(l, fields, number));
    }
}

static MT_ERR table_new(struct mt_job_memory *memory, const struct mt_table_spec *spec,
                        struct mt_table **out)
{
    void *ptr = NULL;
    MT_TRY(mt_job_memory_get_array(memory, 1, sizeof(struct mt_table), &ptr));
    MT_DEFER(mt_table_free) struct mt_table *t = ptr;
    t->memory = memory;
    t->partition_bits = spec->partition_bits;
    t->values_count = spec->values_count;
    mt_slabs_init(&t->slabs, memory);
    MT_TRY(mt_job_memory_get_array(memory, (size_t)1 << spec->partition_bits, sizeof *t->partitions,
                                   &ptr));
    t->partitions = ptr;
    MT_TRY(
        mt_job_memory_get_array(memory, (size_t)1 << spec->partition_bits, sizeof *t->ends, &ptr));
    t->ends = ptr;
    if (spec->group.ptr != NULL) {
        MT_TRY(mt_names_new(memory, &spec->hash, &t->groups));
    }
    *out = t;
    t = NULL; /* given */
    return MT_OK;
}

static void load_done(struct load *l)
{
    mt_csv_free(&l->csv);
    mt_table_free(&l->table);
}

/* The columns, then the rows; the last chunk of each partition is told its length. */
static MT_ERR load_all(struct load *l)
{
    struct mt_table *t = l->table;
    MT_TRY(find_columns(l));
    MT_TRY(load_rows(l));
    for (size_t i = 0; i < (size_t)1 << t->partition_bits; i++) {
        close_chunk(t, i);
    }
    return MT_OK;
}

MT_ERR mt_table_load(struct mt_job_memory *memory, const struct mt_table_spec *spec,
                     struct mt_csv_source source, struct mt_table **out,
                     struct mt_table_fault *fault)
{
    MT_ASSERT(spec->values_count <= MT_TABLE_VALUES_MAX);
    MT_DEFER(load_done) struct load l = {.spec = spec, .fault = fault};
    *fault = (struct mt_table_fault){.name = {NULL, 0}};
    MT_TRY(table_new(memory, spec, &l.table));
    MT_TRY(mt_csv_open(memory, source, false, &l.csv, &fault->place));
    MT_TRY(load_all(&l));
    *out = l.table;
    l.table = NULL; /* given */
    return MT_OK;
}

void mt_table_free(struct mt_table **table)
{
    struct mt_table *t = *table;
    if (t != NULL) {
        mt_names_free(&t->groups);
        mt_slabs_done(&t->slabs);
        mt_job_memory_put(t->memory, t->partitions, sizeof *t->partitions << t->partition_bits);
        mt_job_memory_put(t->memory, t->ends, sizeof *t->ends << t->partition_bits);
        mt_job_memory_put(t->memory, t, sizeof *t);
        *table = NULL;
    }
}

uint32_t mt_table_groups(const struct mt_table *t)
{
    return t->groups == NULL ? 1 : mt_names_count(t->groups);
}

mt_bytes mt_table_group_name(const struct mt_table *t, uint32_t group)
{
    return t->groups == NULL ? (mt_bytes){NULL, 0} : mt_names_get(t->groups, group);
}
