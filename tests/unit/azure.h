/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_UNIT_AZURE_H
#define MT_UNIT_AZURE_H

#include "attest/hcl.h"

/*
 * What a paravisor on Azure keeps in its vTPM, around hardware reports of makers who are neither
 * AMD nor Intel (unit/amd.h, unit/intel.h). Nobody at Microsoft has had a hand in it.
 */
enum { AZURE_CLAIMS_MAX = 1344, AZURE_TD_BODY_LEN = 584 };

/* One JWK of that kid for an RSA-2048 key with the exponent 65537 (SPKI); and the claims with this
 * key alone. */
mt_bytes azure_key(const char *kid, const char *uses, mt_bytes spki, mt_span room);
mt_bytes azure_claims(mt_bytes ak, mt_span room);

/* The HCL report, without the zeros at its end. */
mt_bytes azure_hcl(const struct mt_hcl_report *h, mt_span room);

/* TDREPORT_STRUCT of the TD that a quote's body (TD report 1.0) is of. */
void azure_td_report(const uint8_t body[AZURE_TD_BODY_LEN], uint8_t out[MT_HCL_TD_REPORT_LEN]);

#endif
