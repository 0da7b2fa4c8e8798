/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_TRACE_H
#define MT_ATTEST_TRACE_H

#include "base/bytes.h"

/*
 * The chain of checks as data: what was checked, whether it held, what that means and how to mend
 * it. Everything is a literal of ours. It explains a verdict and never makes one: a function that
 * fails has also noted why.
 */
struct mt_check {
    const char *rule; /* "platform-unknown" */
    bool has_passed;
    const char *meaning;
    const char *mend; /* of a failed one */
};

enum { MT_TRACE_MAX = 64 };

struct mt_trace {
    struct mt_check checks[MT_TRACE_MAX];
    size_t count;
};

void mt_trace_pass(struct mt_trace *t, const char *rule, const char *meaning);
void mt_trace_fail(struct mt_trace *t, const char *rule, const char *meaning, const char *mend);
/* NULL if none failed. */
const struct mt_check *mt_trace_failed(const struct mt_trace *t);

/* Notes the check, and returns from this function if it does not hold. */
#define MT_CHECK(trace_, cond_, code_, rule_, meaning_, mend_)                                     \
    do {                                                                                           \
        if (cond_) {                                                                               \
            mt_trace_pass((trace_), (rule_), (meaning_));                                          \
        } else {                                                                                   \
            mt_trace_fail((trace_), (rule_), (meaning_), (mend_));                                 \
            MT_FAIL((code_), rule_);                                                               \
        }                                                                                          \
    } while (0)

#endif
