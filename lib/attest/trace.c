/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/trace.h"

/* What no longer fits takes the last one's place, so that a failure is always there to be read. */
static void note(struct mt_trace *t, const struct mt_check *c)
{
    t->count = t->count < MT_TRACE_MAX ? t->count + 1 : MT_TRACE_MAX;
    t->checks[t->count - 1] = *c;
}

void mt_trace_pass(struct mt_trace *t, const char *rule, const char *meaning)
{
    const struct mt_check c = {rule, true, meaning, NULL};
    note(t, &c);
}

void mt_trace_fail(struct mt_trace *t, const char *rule, const char *meaning, const char *mend)
{
    const struct mt_check c = {rule, false, meaning, mend};
    note(t, &c);
}

const struct mt_check *mt_trace_failed(const struct mt_trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (!t->checks[i].has_passed) {
            return &t->checks[i];
        }
    }
    return NULL;
}
