/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/dcap.h"

#include <string.h>

#include "attest/dcap_pck.h"
#include "attest/dcap_quote.h"
#include "attest/dcap_tcb.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/x509.h"

/* One verification. */
struct dcap {
    const struct mt_evidence *in;
    struct mt_trace *trace;
    struct mt_dcap_quote quote;
    struct mt_x509 *root;
    struct mt_x509_chain pck_chain;
    struct mt_x509_chain info_chain;
    struct mt_x509_chain identity_chain;
    struct mt_dcap_pck pck;
    struct mt_tcb_info info;
    struct mt_qe_identity identity;
};

static void end(struct dcap *d)
{
    mt_x509_free(&d->root);
    mt_x509_chain_free(&d->pck_chain);
    mt_x509_chain_free(&d->info_chain);
    mt_x509_chain_free(&d->identity_chain);
    mt_tcb_info_free(&d->info);
    mt_qe_identity_free(&d->identity);
}

static bool is_tdx(const struct dcap *d)
{
    return d->quote.body != MT_DCAP_SGX;
}

static bool is_named(const struct mt_x509 *c, mt_bytes a, mt_bytes b)
{
    mt_bytes name;
    return !mt_failed(mt_x509_subject_name(c, &name)) &&
           (mt_bytes_equal(name, a) || mt_bytes_equal(name, b));
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

static MT_ERR check_chain(struct dcap *d, const struct mt_x509_chain *chain, const mt_bytes *crls,
                          size_t crls_count)
{
    enum mt_x509_fault why = MT_X509_SOUND;
    mt_bytes given[2];
    size_t count = 0;
    for (size_t i = 0; i < crls_count; i++) {
        if (crls[i].len > 0) {
            given[count++] = crls[i];
        }
    }
    const struct mt_x509 *const anchors[] = {d->root};
    const struct mt_x509_trust trust = {anchors, 1, given, count, true, d->in->now_ms};
    bool is_pinned = mt_x509_equal(chain->certs[chain->count - 1], d->root);
    mt_err e = mt_x509_verify(chain, &trust, &why);
    if (mt_failed(e) || !is_pinned) {
        const struct mt_check *c = &faults[is_pinned ? why : MT_X509_UNTRUSTED];
        mt_trace_fail(d->trace, c->rule, c->meaning, c->mend);
        MT_FAIL(MT_E_PROOF, "a certificate chain is not believed");
    }
    return MT_OK;
}

static MT_ERR check_quote(struct dcap *d)
{
    mt_err e = mt_dcap_quote_parse(d->in->quote, &d->quote);
    MT_CHECK(d->trace, !mt_failed(e), MT_E_FORMAT, "quote-format",
             "the evidence is a DCAP quote of version 3, 4 or 5 by Intel's quoting enclave",
             "the evidence was damaged, or is of another kind");
    return MT_OK;
}

static MT_ERR check_pck(struct dcap *d, const struct mt_dcap_roots *roots)
{
    const mt_bytes crls[] = {d->in->collateral.root_ca_crl, d->in->collateral.pck_crl};
    const mt_bytes pem =
        d->quote.cert_type == MT_DCAP_CERT_CHAIN ? d->quote.cert_data : d->in->collateral.pck_chain;
    struct mt_x509_chain *c = &d->pck_chain;
    mt_bytes extension;
    MT_TRY(mt_x509_parse(roots->sgx_root, &d->root));
    mt_err e = mt_x509_chain_parse(pem, c);
    bool is_shaped =
        !mt_failed(e) && c->count == 3 &&
        is_named(c->certs[0], MT_LITERAL("Intel SGX PCK Certificate"),
                 MT_LITERAL("Intel SGX PCK Certificate")) &&
        is_named(c->certs[1], MT_LITERAL("Intel SGX PCK Platform CA"),
                 MT_LITERAL("Intel SGX PCK Processor CA")) &&
        is_named(c->certs[2], MT_LITERAL("Intel SGX Root CA"), MT_LITERAL("Intel SGX Root CA"));
    MT_CHECK(d->trace, is_shaped, MT_E_PROOF, "pck-chain-format",
             "the platform's certificate comes with its authority's and Intel's root",
             "the quote carries no certificates: give pck_chain with the collateral");
    MT_TRY(check_chain(d, c, crls, 2));
    mt_trace_pass(d->trace, "pck-chain", "Intel's root vouches for the platform's key today");
    bool is_read =
        !mt_failed(mt_x509_extension(c->certs[0], "1.2.840.113741.1.13.1", &extension)) &&
        !mt_failed(mt_dcap_pck_parse(extension, &d->pck));
    MT_CHECK(d->trace, is_read, MT_E_PROOF, "pck-extension",
             "the platform's certificate says which platform and firmware it is for",
             "the certificate is no PCK certificate");
    return MT_OK;
}

/* Believes the signer, then the signature over the bytes as they came; nothing is parsed before. */
static MT_ERR check_signed(struct dcap *d, mt_bytes pem, struct mt_x509_chain *c,
                           const mt_bytes part[2])
{
    mt_err e = mt_x509_chain_parse(pem, c);
    bool is_shaped =
        !mt_failed(e) && c->count == 2 &&
        is_named(c->certs[0], MT_LITERAL("Intel SGX TCB Signing"),
                 MT_LITERAL("Intel SGX TCB Signing")) &&
        is_named(c->certs[1], MT_LITERAL("Intel SGX Root CA"), MT_LITERAL("Intel SGX Root CA"));
    MT_CHECK(d->trace, is_shaped, MT_E_PROOF, "tcb-chain-format",
             "the collateral comes with Intel's TCB signing certificate and root",
             "fetch the collateral again");
    MT_TRY(check_chain(d, c, &d->in->collateral.root_ca_crl, 1));
    e = mt_pubkey_verify(mt_x509_key(c->certs[0]), MT_ECDSA_P256_SHA256, part[0], part[1]);
    MT_CHECK(d->trace, !mt_failed(e), MT_E_PROOF, "collateral-signature",
             "Intel has signed the collateral, byte for byte",
             "the collateral was damaged or forged: fetch it again");
    return MT_OK;
}

static MT_ERR check_info(struct dcap *d)
{
    const struct mt_collateral *c = &d->in->collateral;
    const mt_bytes part[] = {c->tcb_info, c->tcb_info_signature};
    MT_TRY(check_signed(d, c->tcb_info_chain, &d->info_chain, part));
    mt_err e = mt_tcb_info_parse(c->tcb_info, &d->info);
    MT_CHECK(d->trace, !mt_failed(e), MT_E_FORMAT, "tcb-info-format",
             "the TCB info has the form that this verifier knows",
             "use a newer release of this verifier");
    MT_CHECK(d->trace, d->info.is_tdx == is_tdx(d), MT_E_PROOF, "tcb-info-kind",
             "the TCB info is for this kind of TEE",
             "fetch the TCB info of SGX for SGX, of TDX "
             "for TDX");
    MT_CHECK(d->trace, d->info.issue_ms <= d->in->now_ms && d->in->now_ms <= d->info.next_ms,
             MT_E_PROOF, "tcb-info-date", "the TCB info is current",
             "fetch the collateral again, and see that the clock is right");
    bool is_same = mt_bytes_equal(MT_BYTES_OF(d->info.fmspc), d->pck.fmspc) &&
                   mt_bytes_equal(MT_BYTES_OF(d->info.pce_id), d->pck.pce_id);
    MT_CHECK(d->trace, is_same, MT_E_PROOF, "fmspc", "the TCB info is for this model of platform",
             "fetch the TCB info of the FMSPC that the platform's certificate names");
    return MT_OK;
}

static MT_ERR check_identity(struct dcap *d)
{
    const struct mt_collateral *c = &d->in->collateral;
    const mt_bytes part[] = {c->qe_identity, c->qe_identity_signature};
    MT_TRY(check_signed(d, c->qe_identity_chain, &d->identity_chain, part));
    mt_err e = mt_qe_identity_parse(c->qe_identity, &d->identity);
    MT_CHECK(d->trace, !mt_failed(e), MT_E_FORMAT, "qe-identity-format",
             "the quoting enclave's identity has the form that this verifier knows",
             "use a newer release of this verifier");
    MT_CHECK(d->trace, d->identity.is_tdx == is_tdx(d), MT_E_PROOF, "qe-identity-kind",
             "the identity is that of the quoting enclave for this kind of TEE",
             "fetch the identity of QE for SGX, of TD_QE for TDX");
    MT_CHECK(d->trace,
             d->identity.issue_ms <= d->in->now_ms && d->in->now_ms <= d->identity.next_ms,
             MT_E_PROOF, "qe-identity-date", "the quoting enclave's identity is current",
             "fetch the collateral again, and see that the clock is right");
    return MT_OK;
}

static bool is_masked(mt_bytes have, const uint8_t *mask, const uint8_t *want)
{
    for (size_t i = 0; i < have.len; i++) {
        if ((have.ptr[i] & mask[i]) != want[i]) {
            return false;
        }
    }
    return true;
}

/* NULL if Intel knows no such module. The nameless one is meant when there are no versions. */
static const struct mt_tdx_module *module_of(const struct mt_tcb_info *info, uint8_t version)
{
    for (size_t i = 1; version > 0 && i < info->modules_count; i++) {
        if (info->modules[i].version == version) {
            return &info->modules[i];
        }
    }
    return version > 0 ? NULL : &info->modules[0];
}

static MT_ERR check_module(struct dcap *d)
{
    const struct mt_td_report *t = &d->quote.td;
    const struct mt_tdx_module *m = module_of(&d->info, t->tee_tcb_svn.ptr[1]);
    bool is_intels = m != NULL && mt_bytes_equal(t->mr_signer_seam, MT_BYTES_OF(m->mr_signer)) &&
                     is_masked(t->seam_attributes, m->attributes_mask, m->attributes);
    MT_CHECK(d->trace, is_intels, MT_E_PROOF, "tdx-module",
             "the TDX module is one that Intel names",
             "the platform runs a module of somebody else, or the TCB info is old");
    return MT_OK;
}

static MT_ERR check_qe(struct dcap *d)
{
    static const uint8_t zeros[32];
    const struct mt_dcap_quote *q = &d->quote;
    const struct mt_sgx_report *r = &q->qe_report;
    const struct mt_qe_identity *i = &d->identity;
    const mt_bytes bound[] = {q->attestation_key, q->qe_auth_data};
    mt_hash h;
    mt_err e = mt_pubkey_verify(mt_x509_key(d->pck_chain.certs[0]), MT_ECDSA_P256_SHA256,
                                q->qe_report_bytes, q->qe_report_signature);
    MT_CHECK(d->trace, !mt_failed(e), MT_E_PROOF, "qe-report-signature",
             "the platform's key has signed the quoting enclave's report",
             "the quote was damaged or forged: do not trust whoever sent it");
    mt_sha256(bound, 2, &h);
    bool is_bound = mt_bytes_equal((mt_bytes){r->report_data.ptr, 32}, mt_hash_bytes(&h)) &&
                    mt_bytes_equal((mt_bytes){r->report_data.ptr + 32, 32}, MT_BYTES_OF(zeros));
    MT_CHECK(d->trace, is_bound, MT_E_PROOF, "attestation-key",
             "the quoting enclave's report names the key that signed the quote",
             "the quote was damaged or forged: do not trust whoever sent it");
    bool is_intels = is_masked(r->misc_select, i->misc_select_mask, i->misc_select) &&
                     is_masked(r->attributes, i->attributes_mask, i->attributes) &&
                     mt_bytes_equal(r->mr_signer, MT_BYTES_OF(i->mr_signer)) &&
                     r->isv_prod_id == i->isv_prod_id;
    MT_CHECK(d->trace, is_intels, MT_E_PROOF, "qe-identity", "the quoting enclave is Intel's",
             "another enclave signed the quote: do not trust whoever sent it");
    return MT_OK;
}

static MT_ERR check_report(struct dcap *d, const uint8_t report_data[MT_REPORT_DATA_LEN])
{
    const struct mt_dcap_quote *q = &d->quote;
    MT_DEFER(mt_pubkey_free) struct mt_pubkey *key = NULL;
    mt_err e = mt_pubkey_of_point(q->attestation_key, &key);
    if (!mt_failed(e)) {
        e = mt_pubkey_verify(key, MT_ECDSA_P256_SHA256, q->signed_bytes, q->signature);
    }
    MT_CHECK(d->trace, !mt_failed(e), MT_E_PROOF, "quote-signature",
             "the quoting enclave's key has signed the quote",
             "the quote was damaged or forged: do not trust whoever sent it");
    const mt_bytes said = is_tdx(d) ? q->td.report_data : q->sgx.report_data;
    MT_CHECK(d->trace, mt_ct_equal(said, (mt_bytes){report_data, MT_REPORT_DATA_LEN}), MT_E_PROOF,
             "report-data",
             "the evidence was made for this very connection or key, and for nothing else",
             "evidence of another connection was shown: replayed, relayed or reflected; do not "
             "trust whoever sent it");
    return MT_OK;
}

/* One verdict of Intel's lists, and what it stands on. */
struct standing {
    enum mt_tcb_status status;
    uint64_t date_ms;
    const struct mt_tcb_level *levels[3];
    mt_bytes texts[3]; /* where each level stands */
    size_t count;
};

/* The platform comes first, its parts follow. */
static void stand_on(struct standing *s, const struct mt_tcb_level *level, mt_bytes text)
{
    enum mt_tcb_status status = level != NULL ? level->status : MT_TCB_NOT_SUPPORTED;
    s->status = s->status == MT_TCB_UNRATED ? status : mt_tcb_converge(s->status, status);
    if (level != NULL) {
        s->date_ms = s->count == 0 || level->date_ms < s->date_ms ? level->date_ms : s->date_ms;
        s->levels[s->count] = level;
        s->texts[s->count++] = text;
    }
}

/* `tdx`: the versions of the TDX module and the rest, at launch or now; empty for SGX. */
static void stand(const struct dcap *d, mt_bytes tdx, struct standing *s)
{
    const mt_bytes info = d->in->collateral.tcb_info;
    const struct mt_tcb_have have = {d->pck.components, d->pck.pce_svn, tdx};
    stand_on(s, mt_tcb_level_of(&d->info.levels, &have), info);
    if (tdx.len > 0 && tdx.ptr[1] > 0) {
        const struct mt_tdx_module *m = module_of(&d->info, tdx.ptr[1]);
        stand_on(s, m != NULL ? mt_tcb_level_of_svn(&m->levels, tdx.ptr[0]) : NULL, info);
    }
    stand_on(s, mt_tcb_level_of_svn(&d->identity.levels, d->quote.qe_report.isv_svn),
             d->in->collateral.qe_identity);
}

static bool has_advisory(const struct mt_claims *c, mt_bytes id)
{
    for (size_t i = 0; i < c->advisories_count; i++) {
        if (mt_bytes_equal(c->advisories[i], id)) {
            return true;
        }
    }
    return false;
}

/* The tree of the text ends with this verification: claims borrow the same characters from the
 * text. */
static MT_ERR add_advisories(const struct mt_tcb_level *level, mt_bytes text, struct mt_claims *c)
{
    size_t count = level->advisories != NULL ? mt_json_count(level->advisories) : 0;
    for (size_t i = 0; i < count; i++) {
        mt_bytes id;
        MT_TRY(mt_json_as_text(mt_json_at(level->advisories, i), &id));
        const uint8_t *at = memmem(text.ptr, text.len, id.ptr, id.len);
        MT_REQUIRE(at != NULL, MT_E_FORMAT, "collateral: an advisory written with escapes");
        if (!has_advisory(c, id)) {
            MT_REQUIRE(c->advisories_count < MT_ADVISORIES_MAX, MT_E_LIMIT,
                       "collateral: too many advisories");
            c->advisories[c->advisories_count++] = (mt_bytes){at, id.len};
        }
    }
    return MT_OK;
}

static MT_ERR rate(const struct dcap *d, struct mt_claims *c)
{
    const mt_bytes none = {NULL, 0};
    struct standing launched = {.status = MT_TCB_UNRATED};
    stand(d, is_tdx(d) ? d->quote.td.tee_tcb_svn : none, &launched);
    c->tcb_status = launched.status;
    if (is_tdx(d) && d->quote.td.tee_tcb_svn2.len > 0) {
        struct standing current = {.status = MT_TCB_UNRATED};
        stand(d, d->quote.td.tee_tcb_svn2, &current);
        c->tcb_status = mt_tcb_relaunch(launched.status, current.status);
    }
    if (launched.status == MT_TCB_NOT_SUPPORTED) {
        return MT_OK;
    }
    c->tcb_date_ms = launched.date_ms;
    for (size_t i = 0; i < launched.count; i++) {
        MT_TRY(add_advisories(launched.levels[i], launched.texts[i], c));
    }
    return MT_OK;
}

static uint64_t number_of(mt_bytes little_endian)
{
    uint64_t n = 0;
    for (size_t i = 8; i-- > 0;) {
        n = n << 8 | little_endian.ptr[i];
    }
    return n;
}

#define BIT(n_) (UINT64_C(1) << (n_))

/* INIT, DEBUG, MODE64BIT, PROVISIONKEY, EINITTOKEN_KEY, CET, KSS, AEXNOTIFY. */
static const uint64_t sgx_known =
    BIT(0) | BIT(1) | BIT(2) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(10);
/* DEBUG, SEPT_VE_DISABLE, MIGRATABLE, PKS, KL, PERFMON. */
static const uint64_t tdx_known = BIT(0) | BIT(28) | BIT(29) | BIT(30) | BIT(31) | BIT(63);

static void claim_sgx(const struct mt_sgx_report *r, struct mt_claims *c)
{
    static const uint8_t kind = 0;
    const mt_bytes label = mt_label_bytes(MT_LABEL_DCAP_MEASUREMENT);
    const uint8_t len = (uint8_t)label.len;
    const mt_bytes parts[] = {MT_BYTES_OF(len), label, MT_BYTES_OF(kind), r->mr_enclave};
    uint64_t flags = number_of(r->attributes);
    mt_sha256(parts, sizeof parts / sizeof *parts, &c->measurement);
    c->kind = MT_EVIDENCE_SGX;
    c->level = MT_LEVEL_SGX;
    if ((flags & BIT(1)) != 0) {
        mt_claim_weakness(c, MT_WEAK_DEBUG);
    }
    if ((flags & ~sgx_known) != 0) {
        mt_claim_weakness(c, MT_WEAK_RESERVED);
    }
    mt_claim_bytes(c, "MRENCLAVE", r->mr_enclave);
    mt_claim_bytes(c, "MRSIGNER", r->mr_signer);
    mt_claim_bytes(c, "ATTRIBUTES", r->attributes);
    mt_claim_number(c, "isv_prod_id", r->isv_prod_id);
    mt_claim_number(c, "isv_svn", r->isv_svn);
}

static void claim_td_weaknesses(const struct mt_td_report *t, struct mt_claims *c)
{
    static const uint8_t zeros[48];
    uint64_t flags = number_of(t->td_attributes);
    if ((flags & BIT(0)) != 0) {
        mt_claim_weakness(c, MT_WEAK_DEBUG);
    }
    if ((flags & BIT(28)) == 0) {
        mt_claim_weakness(c, MT_WEAK_SEPT_VE);
    }
    if ((flags & BIT(29)) != 0) {
        mt_claim_weakness(c, MT_WEAK_MIGRATABLE);
    }
    if ((flags & ~tdx_known) != 0) {
        mt_claim_weakness(c, MT_WEAK_RESERVED);
    }
    if (t->mr_service_td.len > 0 && !mt_bytes_equal(t->mr_service_td, MT_BYTES_OF(zeros))) {
        mt_claim_weakness(c, MT_WEAK_SERVICE_TD);
    }
}

static void claim_td(const struct mt_td_report *t, struct mt_claims *c)
{
    static const char *const names[] = {"RTMR0", "RTMR1", "RTMR2", "RTMR3"};
    static const uint8_t kind = 0x81;
    const mt_bytes label = mt_label_bytes(MT_LABEL_DCAP_MEASUREMENT);
    const uint8_t len = (uint8_t)label.len;
    const mt_bytes parts[] = {MT_BYTES_OF(len), label,       MT_BYTES_OF(kind),  t->mr_td,
                              t->rtmr[0],       t->rtmr[1],  t->rtmr[2],         t->rtmr[3],
                              t->mr_config_id,  t->mr_owner, t->mr_owner_config, t->td_attributes,
                              t->xfam};
    mt_sha256(parts, sizeof parts / sizeof *parts, &c->measurement);
    c->kind = MT_EVIDENCE_TDX;
    c->level = MT_LEVEL_CVM;
    claim_td_weaknesses(t, c);
    mt_claim_bytes(c, "MRTD", t->mr_td);
    for (size_t i = 0; i < 4; i++) {
        mt_claim_bytes(c, names[i], t->rtmr[i]);
    }
    mt_claim_bytes(c, "MRCONFIGID", t->mr_config_id);
    mt_claim_bytes(c, "MROWNER", t->mr_owner);
    mt_claim_bytes(c, "MROWNERCONFIG", t->mr_owner_config);
    mt_claim_bytes(c, "TDATTRIBUTES", t->td_attributes);
    mt_claim_bytes(c, "XFAM", t->xfam);
    mt_claim_bytes(c, "MRSEAM", t->mr_seam);
    mt_claim_bytes(c, "TEE_TCB_SVN", t->tee_tcb_svn);
    if (t->mr_service_td.len > 0) {
        mt_claim_bytes(c, "MRSERVICETD", t->mr_service_td);
    }
}

static MT_ERR claim(const struct dcap *d, struct mt_claims *c)
{
    const mt_bytes label = mt_label_bytes(MT_LABEL_DCAP_PLATFORM);
    const uint8_t len = (uint8_t)label.len;
    const mt_bytes parts[] = {MT_BYTES_OF(len), label, d->pck.ppid, d->pck.platform_instance_id};
    uint64_t older =
        d->info.evaluation < d->identity.evaluation ? d->info.evaluation : d->identity.evaluation;
    c->has_hardware_root = true;
    mt_sha256(parts, sizeof parts / sizeof *parts, &c->platform);
    if (is_tdx(d)) {
        claim_td(&d->quote.td, c);
    } else {
        claim_sgx(&d->quote.sgx, c);
    }
    mt_claim_bytes(c, "FMSPC", d->pck.fmspc);
    mt_claim_number(c, "pce_svn", d->pck.pce_svn);
    mt_claim_number(c, "tcb_evaluation_data_number", older);
    return rate(d, c);
}

MT_ERR mt_dcap_verify(const struct mt_evidence *in, const struct mt_dcap_roots *roots,
                      const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_claims *out,
                      struct mt_trace *trace)
{
    MT_DEFER(end) struct dcap d = {.in = in, .trace = trace};
    struct mt_claims claims = {.kind = MT_EVIDENCE_NONE};
    MT_TRY(check_quote(&d));
    MT_TRY(check_pck(&d, roots));
    MT_TRY(check_info(&d));
    MT_TRY(check_identity(&d));
    if (is_tdx(&d)) {
        MT_TRY(check_module(&d));
    }
    MT_TRY(check_qe(&d));
    MT_TRY(check_report(&d, report_data));
    mt_err e = claim(&d, &claims);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "tcb-level",
             "Intel's lists say where the platform stands", "use a newer release of this verifier");
    *out = claims;
    return MT_OK;
}
