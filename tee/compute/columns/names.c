/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/names.h"

#include <string.h>

#include "base/assert.h"

enum { SLOTS_FIRST = 64 };

struct slot {
    uint32_t hash;
    uint32_t number_plus_1; /* 0: free */
};

/* Open addressing, at most half full; the texts of a number lie beside, half as many. */
struct mt_names {
    struct mt_job_memory *memory;
    struct mt_keyhash hash;
    struct mt_slabs texts;
    struct slot *slots;
    mt_bytes *text;
    uint32_t slots_count; /* a power of two */
    uint32_t count;
};

static void release(struct mt_names *n)
{
    mt_job_memory_put(n->memory, n->slots, n->slots_count * sizeof *n->slots);
    mt_job_memory_put(n->memory, n->text, n->slots_count / 2 * sizeof *n->text);
}

static void place(struct slot *slots, uint32_t slots_count, struct slot what)
{
    uint32_t at = what.hash & (slots_count - 1);
    while (slots[at].number_plus_1 != 0) {
        at = (at + 1) & (slots_count - 1);
    }
    slots[at] = what;
}

/* To twice the room, or the first. */
static MT_ERR grow(struct mt_names *n)
{
    uint32_t slots_count = n->slots_count == 0 ? SLOTS_FIRST : n->slots_count * 2;
    void *slots = NULL;
    void *text = NULL;
    MT_REQUIRE(slots_count > n->slots_count, MT_E_LIMIT, "too many groups");
    MT_TRY(mt_job_memory_get_array(n->memory, slots_count, sizeof *n->slots, &slots));
    mt_err e = mt_job_memory_get(n->memory, slots_count / 2 * sizeof *n->text, &text);
    if (mt_failed(e)) {
        mt_job_memory_put(n->memory, slots, slots_count * sizeof *n->slots);
        return e;
    }
    for (uint32_t i = 0; i < n->slots_count; i++) {
        if (n->slots[i].number_plus_1 != 0) {
            place(slots, slots_count, n->slots[i]);
        }
    }
    if (n->count > 0) {
        memcpy(text, n->text, n->count * sizeof *n->text);
    }
    release(n);
    n->slots = slots;
    n->text = text;
    n->slots_count = slots_count;
    return MT_OK;
}

MT_ERR mt_names_new(struct mt_job_memory *memory, const struct mt_keyhash *hash,
                    struct mt_names **out)
{
    void *ptr = NULL;
    uint32_t empty = 0;
    MT_TRY(mt_job_memory_get_array(memory, 1, sizeof(struct mt_names), &ptr));
    MT_DEFER(mt_names_free) struct mt_names *n = ptr;
    n->memory = memory;
    n->hash = *hash;
    mt_slabs_init(&n->texts, memory);
    MT_TRY(mt_names_put(n, (mt_bytes){NULL, 0}, &empty));
    MT_ASSERT(empty == 0);
    *out = n;
    n = NULL; /* given */
    return MT_OK;
}

void mt_names_free(struct mt_names **names)
{
    struct mt_names *n = *names;
    if (n != NULL) {
        release(n);
        mt_slabs_done(&n->texts);
        mt_job_memory_put(n->memory, n, sizeof *n);
        *names = NULL;
    }
}

MT_ERR mt_names_put(struct mt_names *names, mt_bytes text, uint32_t *number)
{
    uint32_t hash = (uint32_t)mt_keyhash_get(&names->hash, text);
    for (uint32_t i = hash; names->slots_count > 0; i++) {
        struct slot slot = names->slots[i & (names->slots_count - 1)];
        if (slot.number_plus_1 == 0) {
            break;
        }
        if (slot.hash == hash && mt_bytes_equal(names->text[slot.number_plus_1 - 1], text)) {
            *number = slot.number_plus_1 - 1;
            return MT_OK;
        }
    }
    if (names->count == names->slots_count / 2) {
        MT_TRY(grow(names));
    }
    uint8_t *copy = NULL;
    MT_TRY(mt_slabs_get(&names->texts, text.len, &copy));
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    names->text[names->count] = (mt_bytes){copy, text.len};
    names->count++;
    place(names->slots, names->slots_count, (struct slot){hash, names->count});
    *number = names->count - 1;
    return MT_OK;
}

uint32_t mt_names_count(const struct mt_names *names)
{
    return names->count;
}

mt_bytes mt_names_get(const struct mt_names *names, uint32_t number)
{
    MT_ASSERT(number < names->count);
    return names->text[number];
}
