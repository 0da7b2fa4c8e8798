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

#endif
