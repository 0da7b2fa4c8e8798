/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/appraise.h"
#include "attest/binder.h"
#include "attest/bundle.h"
#include "attest/eventlog.h"
#include "attest/verify.h"
#include "crypto/hash.h"

/* What a party shows is verified by the format that it names: `soft`, or a bundle of hardware. */

static MT_ERR verify_soft(const struct mt_appraiser *a, const struct mt_shown *shown,
                          const uint8_t report_data[MT_REPORT_DATA_LEN], uint64_t now_ms,
                          struct mt_appraisal *out)
{
    const struct mt_policy *p = a->policy;
    const struct mt_soft_input in = {
        .evidence = shown->evidence,
        .endorsements = shown->endorsements,
        .endorsements_count = shown->endorsements_count,
        .roots = {p->platforms, p->platforms_count, p->operators, p->operators_count},
        .now_ms = now_ms,
    };
    return mt_soft_verify(&in, report_data, &out->claims, &out->trace);
}

/* Measured code wrote the log, and the hardware's evidence is about it. */
static MT_ERR claim_log(mt_bytes bytes, struct mt_claims *out, struct mt_trace *trace)
{
    mt_hash registers[MT_REGISTERS];
    mt_err e = mt_eventlog_replay(bytes, registers);
    if (mt_failed(e) && e.fault->code == MT_E_NOMEM) {
        return e; /* which says nothing of the log */
    }
    MT_CHECK(trace, !mt_failed(e), MT_E_PROOF, "measurement-log",
             "the measurement log is whole and its events are what their digests say",
             "the node's log is broken: do not trust it");
    out->configuration = registers[MT_REGISTER_CONFIGURATION];
    out->kernel = registers[MT_REGISTER_KERNEL];
    return MT_OK;
}

static MT_ERR verify_hardware(const struct mt_appraiser *a, const struct mt_shown *shown,
                              const uint8_t report_data[MT_REPORT_DATA_LEN], uint64_t now_ms,
                              struct mt_appraisal *out)
{
    unsigned at = MT_EVIDENCE_NONE;
    uint8_t bound[MT_REPORT_DATA_LEN];
    mt_hash extra_data;
    struct mt_bundle b;
    mt_err e = mt_bundle_parse(shown->evidence, &b);
    MT_CHECK(&out->trace, !mt_failed(e), MT_E_FORMAT, "evidence-format",
             "what is shown is a bundle of version 1",
             "use a verifier of the same release as the node");
    b.evidence.endorsements = shown->endorsements;
    b.evidence.endorsements_count = shown->endorsements_count;
    b.evidence.now_ms = now_ms;
    MT_TRY(mt_words_find(MT_WORDS_KIND, shown->format, &at));
    enum mt_evidence_kind kind = (enum mt_evidence_kind)at;
    mt_bind_log(report_data, b.log, bound);
    mt_bytes expected = MT_BYTES_OF(bound);
    if (kind == MT_EVIDENCE_TPM || kind == MT_EVIDENCE_AZURE) {
        mt_sha256(&expected, 1, &extra_data);
        expected = mt_hash_bytes(&extra_data);
    }
    const struct mt_attest_roots roots = mt_policy_roots(a->policy);
    b.evidence.roots = &roots;
    MT_TRY(mt_evidence_verify(kind, &b.evidence, expected, &out->claims, &out->trace));
    return claim_log(b.log, &out->claims, &out->trace);
}

MT_ERR mt_appraise_evidence(const struct mt_appraiser *a, const struct mt_shown *shown,
                            const uint8_t report_data[MT_REPORT_DATA_LEN], uint64_t now_ms,
                            struct mt_appraisal *out)
{
    unsigned at = MT_EVIDENCE_NONE;
    bool is_known = !mt_failed(mt_words_find(MT_WORDS_KIND, shown->format, &at));
    enum mt_evidence_kind kind = (enum mt_evidence_kind)at;
    MT_CHECK(&out->trace, is_known && kind != MT_EVIDENCE_NONE, MT_E_PROOF, "evidence-kind",
             "the party shows evidence of a kind that this verifier knows",
             "the peer shows no evidence, or of another kind: is it a MesaTEE node?");
    MT_TRY(kind == MT_EVIDENCE_SOFT ? verify_soft(a, shown, report_data, now_ms, out)
                                    : verify_hardware(a, shown, report_data, now_ms, out));
    return mt_appraise(a, &out->claims, now_ms, &out->verdict, &out->trace);
}
