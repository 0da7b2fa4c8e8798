/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/dcap.h"
#include "attest/dcap_pck.h"
#include "attest/dcap_quote.h"
#include "attest/dcap_tcb.h"
#include "base/assert.h"
#include "unit/fuzz.h"

/* Whatever arrives as a quote or as collateral is read or refused, and genuine for nobody. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    static const uint8_t other[MT_REPORT_DATA_LEN] = {0x5a};
    const mt_bytes in = {data, len};
    struct mt_claims claims;
    struct mt_trace trace = {.count = 0};
    struct mt_dcap_quote quote;
    struct mt_dcap_pck pck;
    MT_DEFER(mt_tcb_info_free) struct mt_tcb_info info = {.root = NULL};
    MT_DEFER(mt_qe_identity_free) struct mt_qe_identity identity = {.root = NULL};
    const struct mt_evidence evidence = {.quote = in, .now_ms = 1750000000000};
    (void)mt_failed(mt_dcap_quote_parse(in, &quote));
    (void)mt_failed(mt_dcap_pck_parse(in, &pck));
    (void)mt_failed(mt_tcb_info_parse(in, &info));
    (void)mt_failed(mt_qe_identity_parse(in, &identity));
    MT_ASSERT(mt_failed(mt_dcap_verify(&evidence, mt_dcap_intel_roots(), other, &claims, &trace)));
    MT_ASSERT(mt_trace_failed(&trace) != NULL);
    return 0;
}
