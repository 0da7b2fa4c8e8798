/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_DCAP_TRUST_H
#define MT_ATTEST_DCAP_TRUST_H

#include "attest/dcap.h"
#include "attest/dcap_pck.h"
#include "attest/dcap_quote.h"
#include "attest/dcap_tcb.h"
#include "crypto/x509.h"

/* Inside the DCAP verifier: what Intel says of one platform, believed. */
struct mt_dcap_trust {
    const struct mt_collateral *collateral; /* borrowed, and so is the next */
    mt_bytes pem;                           /* certificates of the platform's key */
    bool is_tdx;
    uint64_t now_ms;   /* when it was believed, */
    uint64_t from_ms;  /* and when it may be used: */
    uint64_t until_ms; /* both included */
    struct mt_x509_memo memo;
    struct mt_x509 *root;
    struct mt_x509_chain pck_chain;
    struct mt_x509_chain info_chain;
    struct mt_x509_chain identity_chain; /* empty: the same as that of the TCB info */
    struct mt_dcap_pck pck;
    struct mt_tcb_info info;
    struct mt_qe_identity identity;
    struct mt_dcap_quote heard;    /* the quote it came with: */
    struct mt_pubkey *attestation; /* NULL, or its key, for which the platform's key has signed */
};

/* Whether the quoting enclave says the same of the same key, word for word. */
bool mt_dcap_trust_knows(const struct mt_dcap_trust *t, const struct mt_dcap_quote *q);

MT_ERR mt_dcap_check_quote(mt_bytes in, struct mt_dcap_quote *out, struct mt_trace *trace);

/* Good for in->now_ms alone. Zero `t` before; ended by the other, also after a failure. */
MT_ERR mt_dcap_trust_make(const struct mt_evidence *in, const struct mt_dcap_quote *q,
                          const struct mt_dcap_roots *roots, struct mt_dcap_trust *t,
                          struct mt_trace *trace);
void mt_dcap_trust_end(struct mt_dcap_trust *t);

#endif
