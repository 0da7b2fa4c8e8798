/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_BASE_ARENA_H
#define MT_BASE_ARENA_H

#include "base/bytes.h"

/*
 * The memory of one request: given out piece by piece, never freed piecemeal, wiped and dropped
 * whole. Its budget is fixed at birth; MT_E_NOMEM beyond it. Nothing long-lived and no key lives
 * here.
 */
struct mt_arena;

/* The caller owns `*out` and ends it with mt_arena_free(). Memory is taken as it is needed, up to
 * the budget. */
MT_ERR mt_arena_new(size_t budget_bytes, struct mt_arena **out);

/* Wipes all of it. */
void mt_arena_free(struct mt_arena **arena);

/* Wipes what was given out and starts again; keeps the first block, so that whoever takes it next
 * allocates nothing. */
void mt_arena_reset(struct mt_arena *arena);

/* Zeroed, aligned for any type; valid until reset or free. */
MT_ERR mt_arena_get(struct mt_arena *arena, size_t len, mt_span *out);

MT_ERR mt_arena_copy(struct mt_arena *arena, mt_bytes bytes, mt_bytes *out);

size_t mt_arena_used(const struct mt_arena *arena);

#endif
