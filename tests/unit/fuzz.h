/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_UNIT_FUZZ_H
#define MT_UNIT_FUZZ_H

#include <string.h>

#if defined __has_feature
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define FUZZ_HAS_MSAN 1
#endif
#endif

#include "base/assert.h"
#include "crypto/context.h"

/* What libFuzzer, and tests/unit/replay.c in its place, call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A fuzzer has no use for chance. */
static inline mt_err fuzz_no_random(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 7, out.len);
    return MT_OK;
}

/* MemorySanitizer has not seen OpenSSL write the texts that it measures here. */
static inline mt_err fuzz_crypto_init(void)
{
#ifdef FUZZ_HAS_MSAN
    __msan_scoped_disable_interceptor_checks();
    mt_err e = mt_crypto_init(fuzz_no_random, NULL);
    __msan_scoped_enable_interceptor_checks();
    return e;
#else
    return mt_crypto_init(fuzz_no_random, NULL);
#endif
}

/* For targets that call lib/crypto: before anything else, each time. */
static inline void fuzz_begin(void)
{
    static bool has_begun;
    if (!has_begun) {
        MT_ASSERT(!mt_failed(fuzz_crypto_init()));
        has_begun = true;
    }
}

#endif
