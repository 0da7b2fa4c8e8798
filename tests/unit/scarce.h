/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_UNIT_SCARCE_H
#define MT_UNIT_SCARCE_H

#include "crypto/hash.h"

/*
 * Memory that runs out, for tests linked with the `scarce` of tests/meson.build: the n-th
 * allocation from now on fails, once, in our code and in OpenSSL's alike. Hashes end the process
 * without memory, as their header says, so inside them nothing is counted.
 */
static size_t scarce_in; /* 0: memory is plenty */
static unsigned scarce_pauses;
static size_t scarce_largest; /* that was asked for, in bytes */

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *ptr, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *ptr, size_t len);
void __real_mt_sha256(const mt_bytes *parts, size_t count, mt_hash *out);
void __wrap_mt_sha256(const mt_bytes *parts, size_t count, mt_hash *out);
void __real_mt_sha512(const mt_bytes *parts, size_t count, uint8_t out[MT_SHA512_LEN]);
void __wrap_mt_sha512(const mt_bytes *parts, size_t count, uint8_t out[MT_SHA512_LEN]);
void __real_mt_sha256_labelled(enum mt_label label, const mt_bytes *parts, size_t count,
                               mt_hash *out);
void __wrap_mt_sha256_labelled(enum mt_label label, const mt_bytes *parts, size_t count,
                               mt_hash *out);
void __real_mt_hasher_end(struct mt_hasher *h, mt_hash *out);
void __wrap_mt_hasher_end(struct mt_hasher *h, mt_hash *out);

static inline bool scarce_is_due(size_t len)
{
    scarce_largest = len > scarce_largest ? len : scarce_largest;
    return scarce_pauses == 0 && scarce_in > 0 && --scarce_in == 0;
}

void *__wrap_malloc(size_t len)
{
    return scarce_is_due(len) ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t len)
{
    return scarce_is_due(len) ? NULL : __real_calloc(count, len);
}

void *__wrap_realloc(void *ptr, size_t len)
{
    return scarce_is_due(len) ? NULL : __real_realloc(ptr, len);
}

void __wrap_mt_sha256(const mt_bytes *parts, size_t count, mt_hash *out)
{
    scarce_pauses++;
    __real_mt_sha256(parts, count, out);
    scarce_pauses--;
}

void __wrap_mt_sha512(const mt_bytes *parts, size_t count, uint8_t out[MT_SHA512_LEN])
{
    scarce_pauses++;
    __real_mt_sha512(parts, count, out);
    scarce_pauses--;
}

void __wrap_mt_sha256_labelled(enum mt_label label, const mt_bytes *parts, size_t count,
                               mt_hash *out)
{
    scarce_pauses++;
    __real_mt_sha256_labelled(label, parts, count, out);
    scarce_pauses--;
}

void __wrap_mt_hasher_end(struct mt_hasher *h, mt_hash *out)
{
    scarce_pauses++;
    __real_mt_hasher_end(h, out);
    scarce_pauses--;
}

/* Whether the allocation that `scarce_in` was set to has been reached. Memory is plenty again. */
static inline bool scarce_end(void)
{
    bool was_reached = scarce_in == 0;
    scarce_in = 0;
    return was_reached;
}

#endif
