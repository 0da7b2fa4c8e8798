/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/sort.h"

#include <string.h>

#include "base/assert.h"

enum { DIGITS = 8, RADIX = 256, INSERTED_MAX = 16 };

/* Eight bytes of a text, behind what all texts begin with, as a number that sorts as they do. */
struct item {
    uint64_t head;
    uint32_t index;
};

struct sorter {
    struct mt_job_memory *memory;
    const mt_bytes *texts;
    size_t count;
    size_t common; /* bytes that all texts begin with */
    struct item *items;
    struct item *spare;
};

static void sorter_done(struct sorter *s)
{
    mt_job_memory_put(s->memory, s->items, s->count * sizeof *s->items);
    mt_job_memory_put(s->memory, s->spare, s->count * sizeof *s->spare);
}

static size_t common_start(mt_bytes a, mt_bytes b, size_t max)
{
    max = a.len < max ? a.len : max;
    max = b.len < max ? b.len : max;
    size_t i = 0;
    while (i < max && a.ptr[i] == b.ptr[i]) {
        i++;
    }
    return i;
}

static uint64_t head_of(mt_bytes text, size_t from)
{
    uint64_t head = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        head = head << 8 | (from + i < text.len ? text.ptr[from + i] : 0);
    }
    return head;
}

/* Least digit first; each pass keeps the order of the one before. Digits that do not differ are
 * skipped. */
static void sort_by_head(struct sorter *s)
{
    uint32_t counts[DIGITS][RADIX] = {{0}};
    for (size_t i = 0; i < s->count; i++) {
        for (uint32_t d = 0; d < DIGITS; d++) {
            counts[d][s->items[i].head >> (8 * d) & 0xff]++;
        }
    }
    for (uint32_t d = 0; d < DIGITS; d++) {
        if (counts[d][s->items[0].head >> (8 * d) & 0xff] == s->count) {
            continue;
        }
        uint32_t at = 0;
        for (uint32_t v = 0; v < RADIX; v++) {
            uint32_t here = counts[d][v];
            counts[d][v] = at;
            at += here;
        }
        for (size_t i = 0; i < s->count; i++) {
            s->spare[counts[d][s->items[i].head >> (8 * d) & 0xff]++] = s->items[i];
        }
        struct item *swap = s->items;
        s->items = s->spare;
        s->spare = swap;
    }
}

static bool is_before(const struct sorter *s, struct item a, struct item b)
{
    return mt_bytes_order(s->texts[a.index], s->texts[b.index]) < 0;
}

static void insert_sort(const struct sorter *s, struct item *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct item moved = items[i];
        size_t at = i;
        for (; at > 0 && is_before(s, moved, items[at - 1]); at--) {
            items[at] = items[at - 1];
        }
        items[at] = moved;
    }
}

/* Two sorted runs that lie side by side, into `out`. */
static void merge(const struct sorter *s, const struct item *in, size_t counts[2], struct item *out)
{
    const struct item *a = in;
    const struct item *a_end = in + counts[0];
    const struct item *b = a_end;
    const struct item *b_end = b + counts[1];
    while (a < a_end && b < b_end) {
        *out++ = is_before(s, *b, *a) ? *b++ : *a++;
    }
    while (a < a_end) {
        *out++ = *a++;
    }
    while (b < b_end) {
        *out++ = *b++;
    }
}

/* Texts whose heads are equal, by all their bytes: sorted pieces, merged pairwise. */
static void sort_run(struct sorter *s, size_t from, size_t count)
{
    struct item *in = s->items + from;
    struct item *out = s->spare + from;
    for (size_t i = 0; i < count; i += INSERTED_MAX) {
        insert_sort(s, in + i, count - i < INSERTED_MAX ? count - i : INSERTED_MAX);
    }
    for (size_t len = INSERTED_MAX; len < count; len *= 2) {
        for (size_t i = 0; i < count; i += 2 * len) {
            size_t left = count - i;
            size_t counts[2] = {left < len ? left : len, 0};
            counts[1] = left - counts[0] < len ? left - counts[0] : len;
            merge(s, in + i, counts, out + i);
        }
        struct item *swap = in;
        in = out;
        out = swap;
    }
    if (in != s->items + from) {
        memcpy(s->items + from, in, count * sizeof *in);
    }
}

MT_ERR mt_sort_texts(struct mt_job_memory *memory, const mt_bytes *texts, size_t count,
                     uint32_t *order)
{
    MT_REQUIRE(count <= UINT32_MAX, MT_E_LIMIT, "too many texts to sort");
    if (count == 0) {
        return MT_OK;
    }
    MT_DEFER(sorter_done) struct sorter s = {.memory = memory, .texts = texts, .count = count};
    void *ptr = NULL;
    MT_TRY(mt_job_memory_get(memory, count * sizeof(struct item), &ptr));
    s.items = ptr;
    MT_TRY(mt_job_memory_get(memory, count * sizeof(struct item), &ptr));
    s.spare = ptr;
    s.common = texts[0].len;
    for (size_t i = 1; i < count && s.common > 0; i++) {
        s.common = common_start(texts[0], texts[i], s.common);
    }
    for (size_t i = 0; i < count; i++) {
        s.items[i] = (struct item){head_of(texts[i], s.common), (uint32_t)i};
    }
    sort_by_head(&s);
    for (size_t from = 0, to = 0; from < count; from = to) {
        for (to = from + 1; to < count && s.items[to].head == s.items[from].head; to++) {
        }
        if (to - from > 1) {
            sort_run(&s, from, to - from);
        }
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = s.items[i].index;
    }
    return MT_OK;
}
