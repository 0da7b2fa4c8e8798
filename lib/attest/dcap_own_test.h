/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_DCAP_OWN_TEST_H
#define MT_ATTEST_DCAP_OWN_TEST_H

#include "attest/world_test.h"
#include "unit/intel.h"

/* What the tests share that ask about quotes of machines that we made up (tests/unit/intel.h),
 * where no real one shows what is to be refused: dcap_test.c has those. */
static struct intel_maker ours;
static struct intel_maker forger; /* who has the same names */
static struct intel_quote q;
static struct mt_trace trace;
static struct mt_claims claims;

static const uint64_t day_ms = 24ULL * 60 * 60 * 1000;

/* What is believed once says the same as what is believed each time. */
static inline mt_err ask(void)
{
    static struct mt_claims again;
    static struct mt_trace noted;
    MT_DEFER(mt_dcap_trust_free) struct mt_dcap_trust *trust = NULL;
    noted.count = trace.count = 0;
    memset(&claims, 0, sizeof claims);
    memset(&again, 0, sizeof again);
    mt_err e = mt_dcap_verify(&q.in, &ours.roots, q.report_data, &claims, &trace);
    if (mt_failed(mt_dcap_trust_new(&q.in, &ours.roots, &trust, &noted))) {
        MT_ASSERT(mt_failed(e));
    } else {
        mt_err same = mt_dcap_verify_with(trust, &q.in, q.report_data, &again, &noted);
        MT_ASSERT(mt_failed(e) == mt_failed(same) && claims.tcb_status == again.tcb_status);
        MT_ASSERT(claims.weaknesses == again.weaknesses && claims.kind == again.kind);
        MT_ASSERT(mt_hash_equal(&claims.measurement, &again.measurement));
    }
    return e;
}

/* Refused by this rule, without a claim. */
static inline bool is_named(const char *rule)
{
    mt_err e = ask();
    const struct mt_check *failed = mt_trace_failed(&trace);
    return mt_failed(e) && failed != NULL && strcmp(failed->rule, rule) == 0 &&
           claims.kind == MT_EVIDENCE_NONE;
}

static inline bool is_signed_named(const char *rule)
{
    intel_sign(&q);
    return is_named(rule);
}

static inline void begin_sgx(void)
{
    intel_begin(&q, &ours, 3, MT_DCAP_SGX);
}

static inline void begin_tdx(void)
{
    intel_begin(&q, &ours, 4, MT_DCAP_TD10);
}

static inline void begin_td15(void)
{
    intel_begin(&q, &ours, 5, MT_DCAP_TD15);
}

static inline enum mt_tcb_status status(void)
{
    intel_sign(&q);
    OK(ask());
    return claims.tcb_status;
}

static inline enum mt_tcb_status rewritten_status(void)
{
    intel_write(&q);
    return status();
}

static inline int own_run(const struct mt_test *tests, size_t count, int argc, char **argv)
{
    world_begin(argc, argv);
    intel_maker_make(&ours);
    intel_maker_make(&forger);
    int rc = mt_test_run(tests, count);
    intel_maker_done(&ours);
    intel_maker_done(&forger);
    world_end();
    return rc;
}

#endif
