/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_TPM_H
#define MT_ATTEST_TPM_H

#include "attest/tpm_ak.h"

/*
 * Evidence of a TPM 2.0, level 3 (spec/evidence-tpm.md): a quote with its signature, the values of
 * the quoted PCRs and the key that quoted. A TPM says what has started on its machine, in order,
 * and nothing of what has happened since: whoever owns the running system, or the bus to the TPM,
 * is believed with it.
 */

/* MT_E_FORMAT or MT_E_PROOF, with the failed rule in `trace`. `expected` is the whole of the
 * quote's qualifying data (extraData), and not empty. */
MT_ERR mt_tpm_verify(const struct mt_evidence *in, const struct mt_attest_roots *roots,
                     mt_bytes expected, struct mt_claims *out, struct mt_trace *trace);
/* What a quote says of itself, unverified. */
MT_ERR mt_tpm_show(const struct mt_evidence *in, struct mt_claims *out);

/* A quote that its key has signed about what was expected, and the PCRs of its SHA-256 bank. Of
 * whom the key is, is for the caller to find out. */
struct mt_tpm_said {
    struct mt_tpm_quote quote;
    uint32_t pcrs; /* a bit for each in the SHA-256 bank */
    mt_hash values[MT_TPM_PCRS];
};
struct mt_tpm_shown {
    mt_bytes quote;
    mt_bytes signature;
    mt_bytes pcrs;
};
MT_ERR mt_tpm_quote_verify(const struct mt_tpm_shown *in, const struct mt_tpm_ak *ak,
                           mt_bytes expected, struct mt_tpm_said *out, struct mt_trace *trace);
/* What they say, unverified. */
MT_ERR mt_tpm_quote_show(const struct mt_tpm_shown *in, struct mt_tpm_said *out);
/* The labelled hash of the PCRs that say which code runs. */
void mt_tpm_measurement(const struct mt_tpm_said *s, mt_hash *out);
/* Counters and weaknesses; then registers too: added to what is claimed already. */
void mt_tpm_claim_quote(const struct mt_tpm_quote *q, struct mt_claims *c);
void mt_tpm_claim(const struct mt_tpm_said *s, struct mt_claims *c);

#endif
