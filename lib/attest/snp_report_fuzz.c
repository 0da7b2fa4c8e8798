/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/snp.h"
#include "unit/fuzz.h"

/* Never genuine for report data that it was not made for, with no certificate or with itself for
 * one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    static const uint8_t other[MT_REPORT_DATA_LEN] = {0x5a, 0x5b};
    static struct mt_claims claims;
    struct mt_trace trace = {.count = 0};
    struct mt_snp_report report;
    const mt_bytes all = {data, len};
    const mt_bytes rest = len > MT_SNP_REPORT_LEN
                              ? (mt_bytes){data + MT_SNP_REPORT_LEN, len - MT_SNP_REPORT_LEN}
                              : all;
    const struct mt_evidence in = {
        .quote = {data, len > MT_SNP_REPORT_LEN ? MT_SNP_REPORT_LEN : len},
        .collateral = {.vek = rest},
        .now_ms = 1782864000000};
    if (!mt_failed(mt_snp_report_parse(all, &report))) {
        MT_ASSERT(report.signed_part.len == MT_SNP_SIGNED_LEN);
    }
    MT_ASSERT(mt_failed(mt_snp_verify(&in, mt_snp_roots_amd(), other, &claims, &trace)));
    MT_ASSERT(mt_trace_failed(&trace) != NULL);
    return 0;
}
