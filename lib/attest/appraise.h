/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_APPRAISE_H
#define MT_ATTEST_APPRAISE_H

#include "attest/policy.h"
#include "attest/trace.h"
#include "attest/verdict.h"

/* Appraisal (RFC 9334): a policy's judgement of claims. Default deny; the first rule that fails
 * ends it and names itself. */

struct mt_appraiser {
    const struct mt_policy *policy;
    mt_bytes auditors_list; /* the file; empty: none */
};

MT_ERR mt_appraise(const struct mt_appraiser *a, const struct mt_claims *claims, uint64_t now_ms,
                   struct mt_verdict *out, struct mt_trace *trace);

/* What a party showed, verified by the format that it names and appraised. MT_E_PROOF: not genuine;
 * MT_E_DENIED: genuine, and refused by policy. `out->claims` is set when the evidence is genuine,
 * `out->verdict` on success alone, the trace always. */
struct mt_shown {
    mt_bytes format;
    mt_bytes evidence;
    const mt_bytes *endorsements;
    size_t endorsements_count;
};
struct mt_appraisal {
    struct mt_claims claims;
    struct mt_verdict verdict;
    struct mt_trace trace;
};
MT_ERR mt_appraise_evidence(const struct mt_appraiser *a, const struct mt_shown *shown,
                            const uint8_t report_data[MT_REPORT_DATA_LEN], uint64_t now_ms,
                            struct mt_appraisal *out);

#endif
