/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

struct block {
    struct block *next;
    size_t room;
    size_t used;
    alignas(max_align_t) uint8_t bytes[];
};

struct mt_arena {
    size_t budget;
    size_t taken;        /* room of all blocks */
    struct block *first; /* newest first; the oldest, last in the list, survives a reset */
};

MT_ERR mt_arena_new(size_t budget_bytes, struct mt_arena **out)
{
    struct mt_arena *a = calloc(1, sizeof *a);
    MT_REQUIRE(a != NULL, MT_E_NOMEM, "no memory for an arena");
    a->budget = budget_bytes;
    *out = a;
    return MT_OK;
}

static void wipe_block(struct block *b)
{
    memset(b->bytes, 0, b->used);
    __asm__ volatile("" : : "r"(b->bytes) : "memory");
    b->used = 0;
}

void mt_arena_reset(struct mt_arena *arena)
{
    while (arena->first != NULL) {
        struct block *b = arena->first;
        wipe_block(b);
        if (b->next == NULL) {
            return;
        }
        arena->first = b->next;
        arena->taken -= b->room;
        free(b);
    }
}

void mt_arena_free(struct mt_arena **arena)
{
    if (*arena == NULL) {
        return;
    }
    mt_arena_reset(*arena);
    free((*arena)->first);
    free(*arena);
    *arena = NULL;
}

static MT_ERR add_block(struct mt_arena *arena, size_t len)
{
    size_t room = len < MT_ARENA_BLOCK_BYTES ? MT_ARENA_BLOCK_BYTES : len;
    size_t left = arena->budget - arena->taken;
    MT_REQUIRE(len <= left, MT_E_NOMEM, "the request needs more memory than its budget");
    room = room < left ? room : left;
    struct block *b = malloc(sizeof *b + room);
    MT_REQUIRE(b != NULL, MT_E_NOMEM, "no memory for an arena");
    b->next = arena->first;
    b->room = room;
    b->used = 0;
    memset(b->bytes, 0, room);
    arena->first = b;
    arena->taken += room;
    return MT_OK;
}

MT_ERR mt_arena_get(struct mt_arena *arena, size_t len, mt_span *out)
{
    size_t need = 0;
    MT_TRY(mt_add_size(len, alignof(max_align_t) - 1, &need));
    need &= ~(alignof(max_align_t) - 1);
    if (arena->first == NULL || need > arena->first->room - arena->first->used) {
        MT_TRY(add_block(arena, need));
    }
    *out = (mt_span){arena->first->bytes + arena->first->used, len};
    arena->first->used += need;
    return MT_OK;
}

MT_ERR mt_arena_copy(struct mt_arena *arena, mt_bytes bytes, mt_bytes *out)
{
    mt_span room;
    MT_TRY(mt_arena_get(arena, bytes.len, &room));
    if (bytes.len > 0) {
        memcpy(room.ptr, bytes.ptr, bytes.len);
    }
    *out = mt_bytes_of(room);
    return MT_OK;
}

size_t mt_arena_used(const struct mt_arena *arena)
{
    size_t used = 0;
    for (const struct block *b = arena->first; b != NULL; b = b->next) {
        used += b->used;
    }
    return used;
}
