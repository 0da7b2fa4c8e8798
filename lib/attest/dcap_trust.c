/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/dcap_trust.h"

#include <stdlib.h>

#include "attest/dcap_quote.h"

void mt_dcap_trust_end(struct mt_dcap_trust *t)
{
    mt_x509_free(&t->root);
    mt_x509_chain_free(&t->pck_chain);
    mt_x509_chain_free(&t->info_chain);
    mt_x509_chain_free(&t->identity_chain);
    mt_tcb_info_free(&t->info);
    mt_qe_identity_free(&t->identity);
    mt_pubkey_free(&t->attestation);
}

static bool is_named(const struct mt_x509 *c, mt_bytes wanted)
{
    mt_bytes name;
    return !mt_failed(mt_x509_subject_name(c, &name)) && mt_bytes_equal(name, wanted);
}

static bool is_root(const struct mt_x509 *c)
{
    return is_named(c, MT_LITERAL("Intel SGX Root CA"));
}

static const struct mt_check faults[] = {
    [MT_X509_SOUND] = {"certificate-untrusted", false, "", ""},
    [MT_X509_MALFORMED] = {"certificate-malformed", false,
                           "certificates and revocation lists can be read",
                           "fetch the collateral again"},
    [MT_X509_UNTRUSTED] = {"certificate-untrusted", false,
                           "every certificate leads to Intel's pinned root",
                           "somebody else than Intel vouches for this: do not trust it"},
    [MT_X509_NOT_YET_VALID] = {"certificate-not-yet-valid", false,
                               "every certificate is valid by now",
                               "is the clock of this machine right?"},
    [MT_X509_EXPIRED] = {"certificate-expired", false, "no certificate has expired",
                         "fetch the collateral again, and see that the clock is right"},
    [MT_X509_REVOKED] = {"certificate-revoked", false, "Intel has revoked no certificate",
                         "the platform's keys are known to be stolen or wrong: do not trust it"},
    [MT_X509_CRL_MISSING] = {"crl-missing", false,
                             "there is a revocation list of each issuer, signed by it",
                             "fetch root_ca_crl and pck_crl with the collateral"},
    [MT_X509_CRL_EXPIRED] = {"crl-expired", false, "every revocation list is current",
                             "fetch the collateral again, and see that the clock is right"},
};

static MT_ERR believe(struct mt_dcap_trust *t, const struct mt_x509_chain *chain,
                      const mt_bytes *crls, size_t crls_count, struct mt_trace *trace)
{
    enum mt_x509_fault why = MT_X509_SOUND;
    mt_bytes given[2];
    size_t count = 0;
    for (size_t i = 0; i < crls_count; i++) {
        if (crls[i].len > 0) {
            given[count++] = crls[i];
        }
    }
    const struct mt_x509 *const anchors[] = {t->root};
    const struct mt_x509_trust trust = {anchors, 1, given, count, true, t->now_ms, &t->memo};
    bool is_pinned = mt_x509_equal(chain->certs[chain->count - 1], t->root);
    mt_err e = mt_x509_verify(chain, &trust, &why);
    if (mt_failed(e) || !is_pinned) {
        const struct mt_check *c = &faults[is_pinned ? why : MT_X509_UNTRUSTED];
        mt_trace_fail(trace, c->rule, c->meaning, c->mend);
        MT_FAIL(MT_E_PROOF, "a certificate chain is not believed");
    }
    return MT_OK;
}

static MT_ERR check_pck(struct mt_dcap_trust *t, const struct mt_dcap_roots *roots,
                        struct mt_trace *trace)
{
    const mt_bytes crls[] = {t->collateral->root_ca_crl, t->collateral->pck_crl};
    struct mt_x509_chain *c = &t->pck_chain;
    mt_bytes extension;
    MT_TRY(mt_x509_parse(roots->sgx_root, &t->root));
    mt_err e = mt_x509_chain_parse(t->pem, c);
    bool is_shaped = !mt_failed(e) && c->count == 3 &&
                     is_named(c->certs[0], MT_LITERAL("Intel SGX PCK Certificate")) &&
                     (is_named(c->certs[1], MT_LITERAL(MT_DCAP_PLATFORM_CA)) ||
                      is_named(c->certs[1], MT_LITERAL(MT_DCAP_PROCESSOR_CA))) &&
                     is_root(c->certs[2]);
    MT_CHECK(trace, is_shaped, MT_E_PROOF, "pck-chain-format",
             "the platform's certificate comes with its authority's and Intel's root",
             "the quote carries no certificates: give pck_chain with the collateral");
    MT_TRY(believe(t, c, crls, 2, trace));
    mt_trace_pass(trace, "pck-chain", "Intel's root vouches for the platform's key today");
    bool is_read = !mt_failed(mt_x509_extension(c->certs[0], MT_DCAP_PCK_OID, &extension)) &&
                   !mt_failed(mt_dcap_pck_parse(extension, &t->pck));
    MT_CHECK(trace, is_read, MT_E_PROOF, "pck-extension",
             "the platform's certificate says which platform and firmware it is for",
             "the certificate is no PCK certificate");
    return MT_OK;
}

static MT_ERR check_signer(struct mt_dcap_trust *t, mt_bytes pem, struct mt_x509_chain *c,
                           struct mt_trace *trace)
{
    mt_err e = mt_x509_chain_parse(pem, c);
    bool is_shaped = !mt_failed(e) && c->count == 2 &&
                     is_named(c->certs[0], MT_LITERAL("Intel SGX TCB Signing")) &&
                     is_root(c->certs[1]);
    MT_CHECK(trace, is_shaped, MT_E_PROOF, "tcb-chain-format",
             "the collateral comes with Intel's TCB signing certificate and root",
             "fetch the collateral again");
    return believe(t, c, &t->collateral->root_ca_crl, 1, trace);
}

/* The bytes as they came; nothing is parsed before. */
static MT_ERR check_signature(const struct mt_x509_chain *signer, const mt_bytes part[2],
                              struct mt_trace *trace)
{
    mt_err e =
        mt_pubkey_verify(mt_x509_key(signer->certs[0]), MT_ECDSA_P256_SHA256, part[0], part[1]);
    MT_CHECK(trace, !mt_failed(e), MT_E_PROOF, "collateral-signature",
             "Intel has signed the collateral, byte for byte",
             "the collateral was damaged or forged: fetch it again");
    return MT_OK;
}

/* A list, by the certificates that come with it. The other list may have come with the same, which
 * are believed already. */
static MT_ERR check_signed(struct mt_dcap_trust *t, mt_bytes pem, const mt_bytes part[2],
                           struct mt_x509_chain *signer, struct mt_trace *trace)
{
    if (signer->count == 0) {
        MT_TRY(check_signer(t, pem, signer, trace));
    }
    return check_signature(signer, part, trace);
}

static bool is_current(const struct mt_dcap_trust *t, const struct mt_tcb_head *h)
{
    return h->issue_ms <= t->now_ms && t->now_ms <= h->next_ms;
}

static MT_ERR check_info(struct mt_dcap_trust *t, struct mt_trace *trace)
{
    const struct mt_collateral *c = t->collateral;
    const mt_bytes part[] = {c->tcb_info, c->tcb_info_signature};
    MT_TRY(check_signed(t, c->tcb_info_chain, part, &t->info_chain, trace));
    mt_err e = mt_tcb_info_parse(c->tcb_info, &t->info);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "tcb-info-format",
             "the TCB info has the form that this verifier knows",
             "use a newer release of this verifier");
    MT_CHECK(trace, t->info.head.is_tdx == t->is_tdx, MT_E_PROOF, "tcb-info-kind",
             "the TCB info is for this kind of TEE",
             "fetch the TCB info of SGX for SGX, of TDX for TDX");
    MT_CHECK(trace, is_current(t, &t->info.head), MT_E_PROOF, "tcb-info-date",
             "the TCB info is current",
             "fetch the collateral again, and see that the clock is right");
    bool is_same = mt_bytes_equal(MT_BYTES_OF(t->info.fmspc), t->pck.fmspc) &&
                   mt_bytes_equal(MT_BYTES_OF(t->info.pce_id), t->pck.pce_id);
    MT_CHECK(trace, is_same, MT_E_PROOF, "fmspc", "the TCB info is for this model of platform",
             "fetch the TCB info of the FMSPC that the platform's certificate names");
    return MT_OK;
}

static MT_ERR check_identity(struct mt_dcap_trust *t, struct mt_trace *trace)
{
    const struct mt_collateral *c = t->collateral;
    const mt_bytes part[] = {c->qe_identity, c->qe_identity_signature};
    bool is_same = mt_bytes_equal(c->qe_identity_chain, c->tcb_info_chain);
    struct mt_x509_chain *signer = is_same ? &t->info_chain : &t->identity_chain;
    MT_TRY(check_signed(t, c->qe_identity_chain, part, signer, trace));
    mt_err e = mt_qe_identity_parse(c->qe_identity, &t->identity);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "qe-identity-format",
             "the quoting enclave's identity has the form that this verifier knows",
             "use a newer release of this verifier");
    MT_CHECK(trace, t->identity.head.is_tdx == t->is_tdx, MT_E_PROOF, "qe-identity-kind",
             "the identity is that of the quoting enclave for this kind of TEE",
             "fetch the identity of QE for SGX, of TD_QE for TDX");
    MT_CHECK(trace, is_current(t, &t->identity.head), MT_E_PROOF, "qe-identity-date",
             "the quoting enclave's identity is current",
             "fetch the collateral again, and see that the clock is right");
    return MT_OK;
}

MT_ERR mt_dcap_check_quote(mt_bytes in, struct mt_dcap_quote *out, struct mt_trace *trace)
{
    mt_err e = mt_dcap_quote_parse(in, out);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "quote-format",
             "the evidence is a DCAP quote of version 3, 4 or 5 by Intel's quoting enclave",
             "the evidence was damaged, or is of another kind");
    return MT_OK;
}

MT_ERR mt_dcap_trust_make(const struct mt_evidence *in, const struct mt_dcap_quote *q,
                          const struct mt_dcap_roots *roots, struct mt_dcap_trust *t,
                          struct mt_trace *trace)
{
    t->collateral = &in->collateral;
    t->pem = q->cert_type == MT_DCAP_CERT_CHAIN ? q->cert_data : in->collateral.pck_chain;
    t->is_tdx = q->body != MT_DCAP_SGX;
    t->now_ms = in->now_ms;
    t->from_ms = in->now_ms;
    t->until_ms = in->now_ms;
    MT_TRY(check_pck(t, roots, trace));
    MT_TRY(check_info(t, trace));
    return check_identity(t, trace);
}

static void narrow(struct mt_dcap_trust *t, uint64_t from_ms, uint64_t until_ms)
{
    t->from_ms = from_ms > t->from_ms ? from_ms : t->from_ms;
    t->until_ms = until_ms < t->until_ms ? until_ms : t->until_ms;
}

static MT_ERR narrow_by_chain(struct mt_dcap_trust *t, const struct mt_x509_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        struct mt_x509_validity v;
        MT_TRY(mt_x509_validity(chain->certs[i], &v));
        narrow(t, v.not_before_ms, v.not_after_ms - 1); /* expired in that second */
    }
    return MT_OK;
}

/* Each check against the time asks whether it lies in a window: they all hold where all windows
 * meet. */
static MT_ERR find_window(struct mt_dcap_trust *t)
{
    const mt_bytes crls[] = {t->collateral->root_ca_crl, t->collateral->pck_crl};
    t->from_ms = 0;
    t->until_ms = UINT64_MAX;
    narrow(t, t->info.head.issue_ms, t->info.head.next_ms);
    narrow(t, t->identity.head.issue_ms, t->identity.head.next_ms);
    MT_TRY(narrow_by_chain(t, &t->pck_chain));
    MT_TRY(narrow_by_chain(t, &t->info_chain));
    MT_TRY(narrow_by_chain(t, &t->identity_chain));
    for (size_t i = 0; i < sizeof crls / sizeof *crls; i++) {
        struct mt_x509_list l;
        MT_TRY(mt_x509_list_show(crls[i], &l));
        narrow(t, l.this_ms, l.next_ms - 1);
    }
    return MT_OK;
}

/* A quoting enclave keeps its key, and the report about it. Of the quote that came along nothing
 * needs to be true: this is then left out, and asked each time. */
static void remember_key(struct mt_dcap_trust *t, const struct mt_dcap_quote *q)
{
    mt_err e = mt_pubkey_verify(mt_x509_key(t->pck_chain.certs[0]), MT_ECDSA_P256_SHA256,
                                q->qe_report_bytes, q->qe_report_signature);
    if (!mt_failed(e) && !mt_failed(mt_pubkey_of_point(q->attestation_key, &t->attestation))) {
        t->heard = *q;
    }
}

bool mt_dcap_trust_knows(const struct mt_dcap_trust *t, const struct mt_dcap_quote *q)
{
    return t->attestation != NULL && mt_bytes_equal(q->attestation_key, t->heard.attestation_key) &&
           mt_bytes_equal(q->qe_report_bytes, t->heard.qe_report_bytes) &&
           mt_bytes_equal(q->qe_report_signature, t->heard.qe_report_signature);
}

MT_ERR mt_dcap_trust_new(const struct mt_evidence *in, const struct mt_dcap_roots *roots,
                         struct mt_dcap_trust **out, struct mt_trace *trace)
{
    MT_DEFER(mt_dcap_trust_free) struct mt_dcap_trust *t = calloc(1, sizeof *t);
    struct mt_dcap_quote q;
    MT_REQUIRE(t != NULL, MT_E_NOMEM, "no memory for what is believed of a platform");
    MT_TRY(mt_dcap_check_quote(in->quote, &q, trace));
    MT_TRY(mt_dcap_trust_make(in, &q, roots, t, trace));
    MT_TRY(find_window(t));
    remember_key(t, &q);
    *out = t;
    t = NULL; /* given */
    return MT_OK;
}

void mt_dcap_trust_free(struct mt_dcap_trust **t)
{
    if (*t != NULL) {
        mt_dcap_trust_end(*t);
        free(*t);
        *t = NULL;
    }
}
