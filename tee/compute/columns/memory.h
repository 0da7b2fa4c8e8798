/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_MEMORY_H
#define MT_COMPUTE_COLUMNS_MEMORY_H

#include <stdatomic.h>

#include "base/bytes.h"

/*
 * The memory of one job: every byte that a function works with is counted here, so that a job
 * cannot take more than its task allows. Counting is atomic: inputs may be loaded on several
 * threads.
 */
struct mt_job_memory {
    size_t max;
    atomic_size_t used;
    atomic_size_t peak;
};

void mt_job_memory_init(struct mt_job_memory *m, size_t max);

/* Zeroed, aligned for any type. MT_E_LIMIT beyond the job's limit, MT_E_NOMEM if the machine
 * has no more. `len` is not 0. The caller owns it and gives it back with mt_job_memory_put(). */
MT_ERR mt_job_memory_get(struct mt_job_memory *m, size_t len, void **out);
MT_ERR mt_job_memory_get_array(struct mt_job_memory *m, size_t count, size_t size, void **out);

/* `len` as it was asked for; NULL is nothing. */
void mt_job_memory_put(struct mt_job_memory *m, void *ptr, size_t len);

/*
 * Room that is given out piece by piece and given back whole: slabs that grow with what is taken,
 * from 16 KiB to 8 MiB. Single-owner.
 */
struct mt_slab;
struct mt_slabs {
    struct mt_job_memory *memory;
    struct mt_slab *first; /* newest first */
    uint8_t *at;
    size_t left;
    size_t next_len;
};

void mt_slabs_init(struct mt_slabs *s, struct mt_job_memory *memory);
/* Zeroed, aligned to 16 bytes; valid until mt_slabs_done(). */
MT_ERR mt_slabs_get(struct mt_slabs *s, size_t len, uint8_t **out);
void mt_slabs_done(struct mt_slabs *s);

#endif
