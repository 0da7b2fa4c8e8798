/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_DCAP_H
#define MT_ATTEST_DCAP_H

#include "attest/evidence.h"
#include "attest/trace.h"

/*
 * Intel DCAP quotes of SGX enclaves and TDX guests (spec/evidence-dcap.md): every signature from
 * Intel's root to the report, what Intel says of the platform's firmware, and the report data. It
 * judges nothing: status, advisories and weaknesses are claims, for appraisal to refuse.
 */
struct mt_dcap_roots {
    mt_bytes sgx_root; /* DER; chains end in exactly this certificate */
};

/* Intel's SGX Root CA, as built in. */
const struct mt_dcap_roots *mt_dcap_intel_roots(void);

/* MT_E_FORMAT or MT_E_PROOF, with the failed rule in `trace`. All 64 bytes of report data are
 * compared; there is no way to leave them out. `out->advisories` borrow from the collateral. */
MT_ERR mt_dcap_verify(const struct mt_evidence *in, const struct mt_dcap_roots *roots,
                      const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_claims *out,
                      struct mt_trace *trace);

/* What Intel says of one platform, verified once and used for as many of its quotes as come while
 * it holds: until the first list or certificate in it expires. If the quote shows its quoting
 * enclave's word for the key that signs, that too is believed of the same words. Borrows the quote
 * and the collateral of `in`, which outlive it. */
struct mt_dcap_trust;
MT_ERR mt_dcap_trust_new(const struct mt_evidence *in, const struct mt_dcap_roots *roots,
                         struct mt_dcap_trust **out, struct mt_trace *trace);
void mt_dcap_trust_free(struct mt_dcap_trust **t);

/* As mt_dcap_verify(), of a quote of this platform: other platforms, and other times, are refused.
 * The collateral of `in` is not looked at. */
MT_ERR mt_dcap_verify_with(const struct mt_dcap_trust *t, const struct mt_evidence *in,
                           const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_claims *out,
                           struct mt_trace *trace);

/* What a quote says of itself, and the certificate of its platform's key if there is one,
 * unverified, for people to read: never for a decision. */
MT_ERR mt_dcap_show(const struct mt_evidence *in, struct mt_claims *out);

#endif
