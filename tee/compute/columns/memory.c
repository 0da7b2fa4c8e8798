/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/limits.h"

/* From MAPPED on, memory is mapped and not heap. */
enum { SLAB_BYTES_FIRST = 16 * 1024, SLAB_ALIGN = 16, MAPPED = 4096, HUGE = 2 * 1024 * 1024 };

struct mt_slab {
    struct mt_slab *next;
    size_t len; /* of the whole, with this head */
    alignas(SLAB_ALIGN) uint8_t bytes[];
};

void mt_job_memory_init(struct mt_job_memory *m, size_t max)
{
    m->max = max;
    atomic_init(&m->used, 0);
    atomic_init(&m->peak, 0);
}

/* Counted before it is taken, so that two threads never pass the limit together. */
static MT_ERR count(struct mt_job_memory *m, size_t len)
{
    size_t used = atomic_load(&m->used);
    do {
        MT_REQUIRE(used <= m->max && len <= m->max - used, MT_E_LIMIT,
                   "the job's memory limit is reached");
    } while (!atomic_compare_exchange_weak(&m->used, &used, used + len));
    used += len;
    size_t peak = atomic_load(&m->peak);
    while (peak < used && !atomic_compare_exchange_weak(&m->peak, &peak, used)) {
    }
    return MT_OK;
}

/*
 * What holds rows is mapped for itself: no core file has it (MADV_DONTDUMP), the kernel takes it
 * back when it is given back, and from 2 MiB on it may be of huge pages, which saves a tenth of a
 * join's time in page faults. Both kinds of advice may be refused, on kernels that do not know
 * them; then it is plain memory.
 */
static void *map(size_t len)
{
    size_t slack = len >= HUGE ? HUGE : 0;
    size_t whole = 0;
    if (mt_failed(mt_add_size(len, slack, &whole))) {
        return NULL;
    }
    void *ptr = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ptr == MAP_FAILED) {
        return NULL;
    }
    if (slack > 0) { /* huge pages are aligned: the rest goes back */
        uint8_t *from = ptr;
        size_t before = (HUGE - (uintptr_t)ptr % HUGE) % HUGE;
        size_t kept = (len + MAPPED - 1) & ~(size_t)(MAPPED - 1);
        ptr = from + before;
        (void)(before == 0 || munmap(from, before));
        (void)(before + kept == whole || munmap(from + before + kept, whole - before - kept));
        (void)madvise(ptr, len, MADV_HUGEPAGE);
    }
    (void)madvise(ptr, len, MADV_DONTDUMP);
    return ptr;
}

static void *take(size_t len)
{
    return len < MAPPED ? calloc(1, len) : map(len);
}

MT_ERR mt_job_memory_get(struct mt_job_memory *m, size_t len, void **out)
{
    MT_ASSERT(len > 0);
    MT_TRY(count(m, len));
    void *ptr = take(len);
    if (ptr == NULL) {
        atomic_fetch_sub(&m->used, len);
        MT_FAIL(MT_E_NOMEM, "no memory for a job");
    }
    *out = ptr;
    return MT_OK;
}

MT_ERR mt_job_memory_get_array(struct mt_job_memory *m, size_t count_of, size_t size, void **out)
{
    size_t len = 0;
    MT_TRY(mt_mul_size(count_of, size, &len));
    return mt_job_memory_get(m, len, out);
}

void mt_job_memory_put(struct mt_job_memory *m, void *ptr, size_t len)
{
    if (ptr == NULL) {
        return;
    }
    MT_ASSERT(atomic_load(&m->used) >= len);
    atomic_fetch_sub(&m->used, len);
    if (len < MAPPED) {
        free(ptr);
    } else {
        int rc = munmap(ptr, len);
        MT_ASSERT(rc == 0);
    }
}

void mt_slabs_init(struct mt_slabs *s, struct mt_job_memory *memory)
{
    *s = (struct mt_slabs){.memory = memory, .next_len = SLAB_BYTES_FIRST};
}

MT_ERR mt_slabs_get(struct mt_slabs *s, size_t len, uint8_t **out)
{
    size_t need = 0;
    MT_TRY(mt_add_size(len, SLAB_ALIGN - 1, &need));
    need &= ~(size_t)(SLAB_ALIGN - 1);
    if (need > s->left) {
        void *ptr = NULL;
        size_t whole = 0;
        MT_TRY(mt_add_size(need, sizeof(struct mt_slab), &whole));
        whole = whole < s->next_len ? s->next_len : whole;
        MT_TRY(mt_job_memory_get(s->memory, whole, &ptr));
        struct mt_slab *slab = ptr;
        slab->next = s->first;
        slab->len = whole;
        s->first = slab;
        s->at = slab->bytes;
        s->left = whole - sizeof *slab;
        s->next_len = s->next_len < MT_SLAB_BYTES_MAX ? s->next_len * 2 : MT_SLAB_BYTES_MAX;
    }
    *out = s->at;
    s->at += need;
    s->left -= need;
    return MT_OK;
}

void mt_slabs_done(struct mt_slabs *s)
{
    while (s->first != NULL) {
        struct mt_slab *slab = s->first;
        s->first = slab->next;
        mt_job_memory_put(s->memory, slab, slab->len);
    }
    mt_slabs_init(s, s->memory);
}
