/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/azure.h"
#include "attest/hcl.h"
#include "base/assert.h"
#include "unit/fuzz.h"

/* Whatever arrives as a vTPM's report is read or refused, and never genuine for what it was not
 * made for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    static const uint8_t other[] = {0x5a, 0x5b};
    static const struct mt_attest_roots nobody;
    static struct mt_claims claims;
    const mt_bytes in = {data, len};
    MT_DEFER(mt_hcl_claims_done) struct mt_hcl_claims said = {.ak = NULL};
    MT_DEFER(mt_hcl_claims_done) struct mt_hcl_claims within = {.ak = NULL};
    const struct mt_evidence evidence = {
        .hcl_report = in, .tpm_quote = in, .signature = in, .pcrs = in, .quote = in};
    struct mt_hcl_report report;
    struct mt_hcl_td_report td;
    struct mt_trace trace = {.count = 0};
    if (!mt_failed(mt_hcl_report_parse(in, &report))) {
        MT_ASSERT(report.runtime.len < len && len <= MT_HCL_REPORT_LEN);
        (void)mt_failed(mt_hcl_claims_parse(report.runtime, &within));
        (void)mt_hcl_is_about_claims(&report);
        if (!mt_failed(mt_hcl_td_report_parse(report.hardware, &td))) {
            MT_ASSERT(report.kind == MT_HCL_TDX && td.report_data.len == MT_REPORT_DATA_LEN);
        }
    }
    if (!mt_failed(mt_hcl_claims_parse(in, &said))) {
        MT_ASSERT(said.ak != NULL && mt_pubkey_bits(said.ak) >= 2048);
    }
    (void)mt_failed(mt_hcl_td_report_parse(in, &td));
    MT_ASSERT(mt_failed(mt_azure_verify(&evidence, &nobody, MT_BYTES_OF(other), &claims, &trace)));
    MT_ASSERT(mt_trace_failed(&trace) != NULL);
    return 0;
}
