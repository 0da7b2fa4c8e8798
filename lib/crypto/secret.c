/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "crypto/context.h"
#include "crypto/ct.h"
#include "crypto/inside.h"

/*
 * One slab of slots of one size: secrets are keys, nearly all of 32 bytes, and a slot too large is
 * cheaper than an allocator. The headers lie outside, so that an overrun of a key meets the next
 * key's slack before it meets anything that is believed.
 */
enum { SLOT = 64, SLOTS = MT_SECRET_SLAB_BYTES / SLOT };
_Static_assert(MT_SECRET_BYTES_MAX % SLOT == 0, "the largest secret is whole slots");

struct mt_secret {
    uint32_t first; /* slot */
    uint32_t slots;
    size_t len;
};

static struct {
    uint8_t *map; /* guard page, slab, guard page */
    size_t page;
    bool is_used[SLOTS];
    uint32_t hint;
    atomic_flag lock;
} slab = {.lock = ATOMIC_FLAG_INIT};

/* Held for a few loads and stores: a spin is shorter than a system call would be. */
static void lock_slab(void)
{
    while (atomic_flag_test_and_set_explicit(&slab.lock, memory_order_acquire)) {
    }
}

static void unlock_slab(void)
{
    atomic_flag_clear_explicit(&slab.lock, memory_order_release);
}

/* Gramine has none of this advice, and neither core dumps nor, by our manifest, children. Linux
 * knows it, and what Linux refuses is refused. */
static bool advise(uint8_t *ptr, size_t len, int advice)
{
    return madvise(ptr, len, advice) == 0 || errno == ENOSYS;
}

MT_ERR mt_secret_slab_new(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t len = MT_SECRET_SLAB_BYTES;
    MT_ASSERT(slab.map == NULL);
    MT_ASSERT(len % page == 0);
    uint8_t *map = mmap(NULL, len + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MT_REQUIRE(map != MAP_FAILED, MT_E_NOMEM, "no memory for secrets");
    bool ok = mprotect(map + page, len, PROT_READ | PROT_WRITE) == 0 &&
              mlock(map + page, len) == 0 && advise(map + page, len, MADV_DONTDUMP) &&
              advise(map + page, len, MADV_WIPEONFORK);
    if (!ok) {
        (void)munmap(map, len + 2 * page);
        MT_FAIL(MT_E_LIMIT, "cannot lock the memory for secrets: raise RLIMIT_MEMLOCK to 256 KiB");
    }
    slab.map = map;
    slab.page = page;
    return MT_OK;
}

void mt_secret_slab_free(void)
{
    if (slab.map == NULL) {
        return;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        MT_ASSERT(!slab.is_used[i]); /* a secret that outlives its process's work is a leak */
    }
    mt_wipe((mt_span){slab.map + slab.page, MT_SECRET_SLAB_BYTES});
    int unmapped = munmap(slab.map, MT_SECRET_SLAB_BYTES + 2 * slab.page);
    MT_ASSERT(unmapped == 0);
    slab.map = NULL;
}

static bool is_run_free(uint32_t first, uint32_t slots)
{
    for (uint32_t i = 0; i < slots; i++) {
        if (slab.is_used[first + i]) {
            return false;
        }
    }
    return true;
}

/* First fit from where the last one was found. */
static bool take(uint32_t slots, uint32_t *first)
{
    for (uint32_t n = 0; n < SLOTS; n++) {
        uint32_t at = (slab.hint + n) % SLOTS;
        if (at + slots <= SLOTS && is_run_free(at, slots)) {
            for (uint32_t i = 0; i < slots; i++) {
                slab.is_used[at + i] = true;
            }
            slab.hint = (at + slots) % SLOTS;
            *first = at;
            return true;
        }
    }
    return false;
}

MT_ERR mt_secret_new(size_t len, struct mt_secret **out)
{
    MT_REQUIRE(len > 0 && len <= MT_SECRET_BYTES_MAX, MT_E_ARG, "a secret has 1 to 256 bytes");
    MT_ASSERT(slab.map != NULL);
    struct mt_secret *s = calloc(1, sizeof *s);
    MT_REQUIRE(s != NULL, MT_E_NOMEM, "no memory for a secret");
    s->len = len;
    s->slots = (uint32_t)((len + SLOT - 1) / SLOT);
    lock_slab();
    bool ok = take(s->slots, &s->first);
    unlock_slab();
    if (!ok) {
        free(s);
        MT_FAIL(MT_E_BUSY, "too many secrets are in use at once");
    }
    *out = s;
    return MT_OK;
}

MT_ERR mt_secret_random(size_t len, struct mt_secret **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *s = NULL;
    MT_TRY(mt_secret_new(len, &s));
    MT_TRY(mt_random(mt_secret_span(s)));
    *out = s;
    s = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_secret_copy(mt_bytes bytes, struct mt_secret **out)
{
    struct mt_secret *s = NULL;
    MT_TRY(mt_secret_new(bytes.len, &s));
    memcpy(mt_secret_span(s).ptr, bytes.ptr, bytes.len);
    *out = s;
    return MT_OK;
}

void mt_secret_free(struct mt_secret **sp)
{
    struct mt_secret *s = *sp;
    if (s == NULL) {
        return;
    }
    mt_wipe((mt_span){slab.map + slab.page + (size_t)s->first * SLOT, (size_t)s->slots * SLOT});
    lock_slab();
    for (uint32_t i = 0; i < s->slots; i++) {
        slab.is_used[s->first + i] = false;
    }
    unlock_slab();
    free(s);
    *sp = NULL;
}

mt_span mt_secret_span(struct mt_secret *s)
{
    return (mt_span){slab.map + slab.page + (size_t)s->first * SLOT, s->len};
}

mt_bytes mt_secret_bytes(const struct mt_secret *s)
{
    return (mt_bytes){slab.map + slab.page + (size_t)s->first * SLOT, s->len};
}
