/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/dcap.h"
#include "attest/dcap_claims.h"
#include "crypto/x509.h"

/* Which of Intel's two authorities vouches for the platform's key: each has a list of its own. */
static void claim_authority(const struct mt_x509 *pck, struct mt_claims *c)
{
    mt_bytes issuer;
    if (mt_failed(mt_x509_issuer_name(pck, &issuer))) {
        return;
    }
    if (mt_bytes_equal(issuer, MT_LITERAL(MT_DCAP_PLATFORM_CA))) {
        mt_claim_text(c, "pck_ca", "platform");
    } else if (mt_bytes_equal(issuer, MT_LITERAL(MT_DCAP_PROCESSOR_CA))) {
        mt_claim_text(c, "pck_ca", "processor");
    }
}

static MT_ERR claim_pck(mt_bytes pem, struct mt_claims *c)
{
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain chain = {.count = 0};
    struct mt_dcap_pck pck;
    mt_bytes extension;
    MT_TRY(mt_x509_chain_parse(pem, &chain));
    MT_TRY(mt_x509_extension(chain.certs[0], MT_DCAP_PCK_OID, &extension));
    MT_TRY(mt_dcap_pck_parse(extension, &pck));
    mt_dcap_claim_platform(&pck, c);
    claim_authority(chain.certs[0], c);
    return MT_OK;
}

MT_ERR mt_dcap_show(const struct mt_evidence *in, struct mt_claims *out)
{
    struct mt_dcap_quote q;
    struct mt_claims c = {.kind = MT_EVIDENCE_NONE};
    MT_TRY(mt_dcap_quote_parse(in->quote, &q));
    mt_dcap_claim_report(&q, &c);
    mt_claim_number(&c, "quote_version", q.version);
    mt_claim_number(&c, "qe_isv_svn", q.qe_report.isv_svn);
    const mt_bytes pem = q.cert_type == MT_DCAP_CERT_CHAIN ? q.cert_data : in->collateral.pck_chain;
    if (pem.len > 0) {
        MT_TRY(claim_pck(pem, &c));
    }
    mt_claim_bytes(&c, "report_data", q.body == MT_DCAP_SGX ? q.sgx.report_data : q.td.report_data);
    *out = c;
    return MT_OK;
}
