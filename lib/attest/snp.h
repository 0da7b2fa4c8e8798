/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_SNP_H
#define MT_ATTEST_SNP_H

#include "attest/evidence.h"
#include "attest/snp_report.h"
#include "attest/trace.h"

/*
 * Evidence of AMD SEV-SNP, level 4 (spec/evidence-snp.md): a report in `quote`, and in
 * `collateral.vek` the certificate of the key that signed it. Whether the guest may be debugged or
 * migrated, which firmware is under it and at which VMPL it runs are claims: refusing them is the
 * policy's.
 */

/* Certificates in PEM or DER. The ARK is the root of a product line; the ASK signs the keys of its
 * chips (VCEK), the ASVK those that clouds are lent (VLEK). */
struct mt_snp_roots {
    struct mt_snp_line_roots {
        mt_bytes ark;
        mt_bytes ask;
        mt_bytes asvk;
    } lines[MT_SNP_LINES];
};

/* AMD's, as they are pinned in this build. */
const struct mt_snp_roots *mt_snp_roots_amd(void);

/* MT_E_FORMAT or MT_E_PROOF, with the failed rule in `trace`. All 64 bytes of report data are
 * compared; there is no way to leave them out. */
MT_ERR mt_snp_verify(const struct mt_evidence *in, const struct mt_snp_roots *roots,
                     const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_claims *out,
                     struct mt_trace *trace);

/* Whether the certificate, and the list if there is one, are AMD's and belong to this report at
 * this time. Of the report itself nothing is believed. */
MT_ERR mt_snp_collateral_verify(const struct mt_evidence *in, const struct mt_snp_roots *roots,
                                struct mt_trace *trace);

/* What a report says of itself, unverified, for people to read: never for a decision. */
MT_ERR mt_snp_show(const struct mt_evidence *in, struct mt_claims *out);

#endif
