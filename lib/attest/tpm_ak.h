/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_TPM_AK_H
#define MT_ATTEST_TPM_AK_H

#include "attest/evidence.h"
#include "attest/roots.h"
#include "attest/tpm_structs.h"
#include "attest/trace.h"
#include "crypto/pubkey.h"

/*
 * The key that quotes (attestation key, AK). Evidence brings it along, so it proves nothing until
 * somebody else vouches for it: a policy that names it, an operator, or a maker of TPMs.
 */
enum { MT_TPM_ROOTS = 2, MT_TPM_SIGNERS = 1 };

/* Certificates in PEM: roots, and what they have signed and machines do not carry. */
struct mt_tpm_roots {
    mt_bytes roots[MT_TPM_ROOTS];
    mt_bytes signers[MT_TPM_SIGNERS];
};

/* Those of this build. */
const struct mt_tpm_roots *mt_tpm_roots_pinned(void);

/* The key out of TPMT_PUBLIC, if a TPM will quote with it and sign nothing of others with it. */
struct mt_tpm_ak {
    struct mt_pubkey *key; /* owned; mt_tpm_ak_done() */
    uint16_t scheme;       /* its own: MT_TPM_NULL for any */
    uint16_t hash;
    mt_hash name; /* SHA-256 of its TPMT_PUBLIC: with the attributes, as TPMs name keys */
};
MT_ERR mt_tpm_ak_of(mt_bytes public, struct mt_tpm_ak *out, struct mt_trace *trace);
void mt_tpm_ak_done(struct mt_tpm_ak *ak);

/* Whether anybody vouches for it; the failed rule stands in `trace`. */
MT_ERR mt_tpm_ak_check(const struct mt_tpm_ak *ak, const struct mt_evidence *in,
                       const struct mt_attest_roots *roots, struct mt_trace *trace);
/* Whether its certificates, `in->collateral.ak_chain`, are of this very key and lead to a root that
 * counts. */
MT_ERR mt_tpm_ak_chain_check(const struct mt_tpm_ak *ak, const struct mt_evidence *in,
                             const struct mt_attest_roots *roots, struct mt_trace *trace);

#endif
