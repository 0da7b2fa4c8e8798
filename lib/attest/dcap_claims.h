/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_DCAP_CLAIMS_H
#define MT_ATTEST_DCAP_CLAIMS_H

#include "attest/claims.h"
#include "attest/dcap_pck.h"
#include "attest/dcap_quote.h"

/* What a quote and the certificate of its platform's key come to as claims. Whether either is to be
 * believed is for others to say. */
void mt_dcap_claim_report(const struct mt_dcap_quote *q, struct mt_claims *c);
void mt_dcap_claim_platform(const struct mt_dcap_pck *p, struct mt_claims *c);

#endif
