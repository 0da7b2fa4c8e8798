/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_BENCH_H
#define MT_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "base/err.h"

/* What the programs of bench/ share: each prints plain lines of figures, which bench/run.py reads.
 * Whatever fails ends the program: a benchmark has nobody to tell. */
static inline void bench_ok(mt_err e, const char *call)
{
    if (mt_failed(e)) {
        (void)fprintf(stderr, "%s: %s\n", call, e.fault->what);
        abort();
    }
}
#define OK(call_) bench_ok(call_, #call_)

static inline uint64_t bench_now_ns(clockid_t clock)
{
    struct timespec t = {0};
    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#endif
