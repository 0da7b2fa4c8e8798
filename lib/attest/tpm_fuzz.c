/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/tpm.h"
#include "base/assert.h"
#include "unit/fuzz.h"

/* Whatever arrives as a part of a TPM's evidence is read or refused, and genuine for nobody. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    static struct mt_claims claims;
    struct mt_trace trace = {.count = 0};
    const mt_bytes in = {data, len};
    const struct mt_attest_roots nobody = {.machines = NULL};
    const struct mt_evidence evidence = {
        .quote = in, .signature = in, .pcrs = in, .ak_public = in, .collateral = {.ak_chain = in}};
    MT_DEFER(mt_tpm_ak_done) struct mt_tpm_ak ak = {.key = NULL};
    struct mt_tpm_quote quote;
    struct mt_tpm_signature signature;
    struct mt_tpm_public public;
    if (!mt_failed(mt_tpm_quote_parse(in, &quote))) {
        MT_ASSERT(quote.banks_count > 0 && quote.extra_data.len <= MT_TPM_DATA_MAX);
    }
    (void)mt_failed(mt_tpm_signature_parse(in, &signature));
    if (!mt_failed(mt_tpm_public_parse(in, &public)) && !mt_failed(mt_tpm_ak_of(in, &ak, &trace))) {
        MT_ASSERT((public.attributes & MT_TPM_RESTRICTED) != 0);
        MT_ASSERT(mt_failed(mt_tpm_ak_check(&ak, &evidence, &nobody, &trace)));
    }
    MT_ASSERT(mt_failed(mt_tpm_verify(&evidence, &nobody, in, &claims, &trace)));
    MT_ASSERT(mt_trace_failed(&trace) != NULL);
    return 0;
}
