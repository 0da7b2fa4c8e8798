/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/dcap.h"

#include "attest/dcap_claims.h"
#include "attest/dcap_trust.h"
#include "crypto/ct.h"
#include "crypto/hash.h"

/* One verification. */
struct dcap {
    const struct mt_dcap_trust *by;
    struct mt_trace *trace;
    struct mt_dcap_quote quote;
};

static bool is_tdx(const struct dcap *d)
{
    return d->quote.body != MT_DCAP_SGX;
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
    const struct mt_tdx_module *m = module_of(&d->by->info, t->tee_tcb_svn.ptr[1]);
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
    const struct mt_qe_identity *i = &d->by->identity;
    const mt_bytes bound[] = {q->attestation_key, q->qe_auth_data};
    mt_hash h;
    mt_err e = MT_OK;
    if (!mt_dcap_trust_knows(d->by, q)) {
        e = mt_pubkey_verify(mt_x509_key(d->by->pck_chain.certs[0]), MT_ECDSA_P256_SHA256,
                             q->qe_report_bytes, q->qe_report_signature);
    }
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
    MT_DEFER(mt_pubkey_free) struct mt_pubkey *own = NULL;
    const struct mt_pubkey *key = d->by->attestation;
    mt_err e = MT_OK;
    if (!mt_dcap_trust_knows(d->by, q)) {
        e = mt_pubkey_of_point(q->attestation_key, &own);
        key = own;
    }
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
    size_t count;
};

/* The platform comes first, its parts follow. */
static void stand_on(struct standing *s, const struct mt_tcb_level *level)
{
    enum mt_tcb_status status = level != NULL ? level->status : MT_TCB_NOT_SUPPORTED;
    s->status = s->status == MT_TCB_UNRATED ? status : mt_tcb_converge(s->status, status);
    if (level != NULL) {
        s->date_ms = s->count == 0 || level->date_ms < s->date_ms ? level->date_ms : s->date_ms;
        s->levels[s->count++] = level;
    }
}

/* `tdx`: the versions of the TDX module and the rest, at launch or now; empty for SGX. */
static void stand(const struct dcap *d, mt_bytes tdx, struct standing *s)
{
    const struct mt_tcb_have have = {d->by->pck.components, d->by->pck.pce_svn, tdx};
    stand_on(s, mt_tcb_level_of(&d->by->info.levels, &have));
    if (tdx.len > 0 && tdx.ptr[1] > 0) {
        const struct mt_tdx_module *m = module_of(&d->by->info, tdx.ptr[1]);
        stand_on(s, m != NULL ? mt_tcb_level_of_svn(&m->levels, tdx.ptr[0]) : NULL);
    }
    stand_on(s, mt_tcb_level_of_svn(&d->by->identity.levels, d->quote.qe_report.isv_svn));
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

/* Their characters stand in the collateral, which outlives the index of it. */
static MT_ERR add_advisories(const struct mt_tcb_level *level, struct mt_claims *c)
{
    const struct mt_flat_node *item =
        level->advisories != NULL ? mt_flat_first(level->advisories) : NULL;
    for (; item != NULL; item = mt_flat_next(item)) {
        mt_bytes id;
        MT_TRY(mt_flat_as_text(item, &id));
        if (!has_advisory(c, id)) {
            MT_REQUIRE(c->advisories_count < MT_ADVISORIES_MAX, MT_E_LIMIT,
                       "collateral: too many advisories");
            c->advisories[c->advisories_count++] = id;
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
        MT_TRY(add_advisories(launched.levels[i], c));
    }
    return MT_OK;
}

static MT_ERR claim(const struct dcap *d, struct mt_claims *c)
{
    uint64_t older = d->by->info.head.evaluation < d->by->identity.head.evaluation
                         ? d->by->info.head.evaluation
                         : d->by->identity.head.evaluation;
    c->has_hardware_root = true;
    mt_dcap_claim_report(&d->quote, c);
    mt_dcap_claim_platform(&d->by->pck, c);
    mt_claim_number(c, "tcb_evaluation_data_number", older);
    return rate(d, c);
}

static MT_ERR check_platform(const struct dcap *d, const struct mt_evidence *in)
{
    const struct mt_dcap_quote *q = &d->quote;
    const mt_bytes pem =
        q->cert_type == MT_DCAP_CERT_CHAIN ? q->cert_data : in->collateral.pck_chain;
    MT_CHECK(d->trace, mt_bytes_equal(pem, d->by->pem) && is_tdx(d) == d->by->is_tdx, MT_E_PROOF,
             "platform-believed", "Intel's word was heard about this very platform",
             "verify the quote with the collateral of its own platform");
    MT_CHECK(d->trace, d->by->from_ms <= in->now_ms && in->now_ms <= d->by->until_ms, MT_E_PROOF,
             "collateral-window", "what was believed of the platform holds at this time",
             "fetch the collateral again, and see that the clock is right");
    return MT_OK;
}

static MT_ERR check_all(struct dcap *d, const uint8_t report_data[MT_REPORT_DATA_LEN],
                        struct mt_claims *out)
{
    struct mt_claims claims = {.kind = MT_EVIDENCE_NONE};
    if (is_tdx(d)) {
        MT_TRY(check_module(d));
    }
    MT_TRY(check_qe(d));
    MT_TRY(check_report(d, report_data));
    mt_err e = claim(d, &claims);
    MT_CHECK(d->trace, !mt_failed(e), MT_E_FORMAT, "tcb-level",
             "Intel's lists say where the platform stands", "use a newer release of this verifier");
    *out = claims;
    return MT_OK;
}

MT_ERR mt_dcap_verify_with(const struct mt_dcap_trust *t, const struct mt_evidence *in,
                           const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_claims *out,
                           struct mt_trace *trace)
{
    struct dcap d = {.by = t, .trace = trace};
    MT_TRY(mt_dcap_check_quote(in->quote, &d.quote, trace));
    MT_TRY(check_platform(&d, in));
    return check_all(&d, report_data, out);
}

MT_ERR mt_dcap_verify(const struct mt_evidence *in, const struct mt_dcap_roots *roots,
                      const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_claims *out,
                      struct mt_trace *trace)
{
    MT_DEFER(mt_dcap_trust_end) struct mt_dcap_trust t = {.root = NULL};
    struct dcap d = {.by = &t, .trace = trace};
    MT_TRY(mt_dcap_check_quote(in->quote, &d.quote, trace));
    MT_TRY(mt_dcap_trust_make(in, &d.quote, roots, &t, trace));
    return check_all(&d, report_data, out);
}
