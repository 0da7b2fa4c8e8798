/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_SNP_ASK_TEST_H
#define MT_ATTEST_SNP_ASK_TEST_H

#include "attest/files_test.h"
#include "attest/snp.h"
#include "attest/world_test.h"

/* One question to the verifier of SNP reports, and what it answers. */
enum { REPORT_DATA = 0x50 };

static struct mt_trace trace;
static struct mt_claims claims;

/* A question to the verifier, to be changed by a test before it is asked. */
struct question {
    struct file report;
    struct file vek;
    struct mt_evidence in;
    const struct mt_snp_roots *roots;
    uint8_t report_data[MT_REPORT_DATA_LEN];
};
static struct question q;

static inline mt_err ask(void)
{
    trace.count = 0;
    memset(&claims, 0, sizeof claims);
    return mt_snp_verify(&q.in, q.roots, q.report_data, &claims, &trace);
}

static inline bool is_named(enum mt_code code, const char *rule)
{
    return is_refused(ask(), code, &trace, rule);
}

#endif
