/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ADVERSARY_TAP_H
#define MT_ADVERSARY_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* Sentences that hold or do not. One that does not is followed by what was seen instead. */

static int tap_count;
static int tap_failures;

static inline __attribute__((format(printf, 3, 4))) bool tap_ok(bool holds, const char *sentence,
                                                                const char *seen, ...)
{
    va_list args;
    tap_count++;
    tap_failures += holds ? 0 : 1;
    (void)printf("%s %d - %s\n", holds ? "ok" : "not ok", tap_count, sentence);
    if (!holds) {
        va_start(args, seen);
        (void)printf("# ");
        (void)vprintf(seen, args);
        (void)printf("\n");
        va_end(args);
    }
    (void)fflush(stdout);
    return holds;
}

static inline void tap_skip(const char *sentence, const char *why)
{
    (void)printf("ok %d - %s # SKIP %s\n", ++tap_count, sentence, why);
}

static inline int tap_done(void)
{
    (void)printf("1..%d\n", tap_count);
    return tap_failures > 0 ? 1 : 0;
}

#endif
