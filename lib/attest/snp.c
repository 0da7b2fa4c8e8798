/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/snp.h"

#include "base/assert.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/x509.h"

/* A version of firmware has eight parts. Milan and Genoa lay them out in one way, Turin in another;
 * the certificate has an extension for each, 1.3.6.1.4.1.3704.1.3.N. */
enum { PART_FMC = 9, PART_BOOT_LOADER = 1, PART_TEE = 2, PART_SNP = 3, PART_MICROCODE = 8 };
static const uint8_t parts_of_line[MT_SNP_LINES][MT_SNP_TCB_LEN] = {
    [MT_SNP_MILAN] = {PART_BOOT_LOADER, PART_TEE, 4, 5, 6, 7, PART_SNP, PART_MICROCODE},
    [MT_SNP_GENOA] = {PART_BOOT_LOADER, PART_TEE, 4, 5, 6, 7, PART_SNP, PART_MICROCODE},
    [MT_SNP_TURIN] = {PART_FMC, PART_BOOT_LOADER, PART_TEE, PART_SNP, 5, 6, 7, PART_MICROCODE},
};

static const char *const oid_of_part[] = {
    [1] = "1.3.6.1.4.1.3704.1.3.1", [2] = "1.3.6.1.4.1.3704.1.3.2", [3] = "1.3.6.1.4.1.3704.1.3.3",
    [4] = "1.3.6.1.4.1.3704.1.3.4", [5] = "1.3.6.1.4.1.3704.1.3.5", [6] = "1.3.6.1.4.1.3704.1.3.6",
    [7] = "1.3.6.1.4.1.3704.1.3.7", [8] = "1.3.6.1.4.1.3704.1.3.8", [9] = "1.3.6.1.4.1.3704.1.3.9",
};
static const char *const oid_product = "1.3.6.1.4.1.3704.1.2";
static const char *const oid_hwid = "1.3.6.1.4.1.3704.1.4";
static const char *const oid_csp_id = "1.3.6.1.4.1.3704.1.5";

enum { ASN1_INTEGER = 0x02, ASN1_OCTET_STRING = 0x04, ASN1_IA5_STRING = 0x16, CSP_ID_MAX = 64 };

static const char *const line_names[MT_SNP_LINES] = {"Milan", "Genoa", "Turin"};
static const char *const key_names[] = {
    [MT_SNP_VCEK] = "VCEK", [MT_SNP_VLEK] = "VLEK", [MT_SNP_UNSIGNED] = "none"};

/* What is known so far. */
struct step {
    const struct mt_evidence *in;
    const struct mt_snp_roots *roots;
    struct mt_snp_report report;
    bool is_line_known;
    struct mt_x509_chain chain; /* VEK, ASK or ASVK, ARK */
    mt_bytes csp_id;            /* of a VLEK; borrows from its certificate */
};

static void end_step(struct step *s)
{
    mt_x509_chain_free(&s->chain);
}

/* The first certificate of a text in PEM, or the one in DER. */
static MT_ERR add_certificate(struct mt_x509_chain *chain, mt_bytes in)
{
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain pem = {.count = 0};
    if (in.len > 0 && in.ptr[0] == 0x30) {
        return mt_x509_chain_add(chain, in);
    }
    MT_TRY(mt_x509_chain_parse(in, &pem));
    MT_REQUIRE(chain->count < MT_X509_CHAIN_MAX, MT_E_FORMAT, "too many certificates");
    chain->certs[chain->count++] = pem.certs[0];
    pem.certs[0] = NULL; /* given */
    return MT_OK;
}

/* The content of an extension that is one string or number with a length below 128. */
static MT_ERR read_value(const struct mt_x509 *vek, const char *oid, uint8_t tag, mt_bytes *out)
{
    mt_bytes all;
    uint8_t got = 0;
    uint8_t len = 0;
    MT_TRY(mt_x509_extension(vek, oid, &all));
    struct mt_reader r = mt_reader_over(all);
    MT_TRY(mt_read_u8(&r, &got));
    MT_TRY(mt_read_u8(&r, &len));
    MT_REQUIRE(got == tag && len < 0x80 && len > 0, MT_E_FORMAT,
               "an extension of a VEK certificate is of another type");
    MT_TRY(mt_read_bytes(&r, len, out));
    return mt_read_end(&r);
}

/* "Milan-B0", "Genoa", "Turin": reports of version 2 do not name the processor. */
static MT_ERR line_of_certificate(const struct mt_x509 *vek, enum mt_snp_line *out)
{
    const struct {
        mt_bytes start;
        enum mt_snp_line line;
    } products[] = {
        {MT_LITERAL("Milan"), MT_SNP_MILAN},   {MT_LITERAL("Genoa"), MT_SNP_GENOA},
        {MT_LITERAL("Bergamo"), MT_SNP_GENOA}, {MT_LITERAL("Siena"), MT_SNP_GENOA},
        {MT_LITERAL("Turin"), MT_SNP_TURIN},
    };
    mt_bytes product;
    MT_TRY(read_value(vek, oid_product, ASN1_IA5_STRING, &product));
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        mt_bytes start = products[i].start;
        if (mt_bytes_start_with(product, start) &&
            (product.len == start.len || product.ptr[start.len] == '-')) {
            *out = products[i].line;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_FORMAT, "a VEK certificate names a product that is none we know");
}

static MT_ERR check_report(struct step *s, struct mt_trace *trace)
{
    mt_err e = mt_snp_report_parse(s->in->quote, &s->report);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "snp-report-format",
             "the report is one of SEV-SNP, version 2, 3 or 5, with nothing unknown in it",
             "fetch the report again; if the firmware is newer than this verifier, update the "
             "verifier");
    MT_CHECK(trace, s->report.key == MT_SNP_VCEK || s->report.key == MT_SNP_VLEK, MT_E_PROOF,
             "snp-report-signed", "the report is signed by a VCEK or a VLEK",
             "the host has told its firmware to sign nothing (MASK_CHIP_KEY): use another host");
    return MT_OK;
}

/* Finds the product line, and puts its pinned certificates behind the VEK's. */
static MT_ERR find_chain(struct step *s, struct mt_trace *trace)
{
    struct mt_x509_chain *chain = &s->chain;
    mt_err e = add_certificate(chain, s->in->collateral.vek);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "vek-format",
             "the VCEK or VLEK certificate was given and is well formed",
             "add the certificate of the chip's key, as the guest's extended report or AMD's key "
             "service gives it");
    if (!s->report.has_line) {
        e = line_of_certificate(chain->certs[0], &s->report.line);
        MT_CHECK(trace, !mt_failed(e), MT_E_PROOF, "vek-product",
                 "the certificate names a product line whose root is pinned",
                 "give the certificate of the chip's key, not another one");
    }
    s->is_line_known = true;
    const struct mt_snp_line_roots *roots = &s->roots->lines[s->report.line];
    e = add_certificate(chain, s->report.key == MT_SNP_VLEK ? roots->asvk : roots->ask);
    MT_CHECK(trace, !mt_failed(e) && !mt_failed(add_certificate(chain, roots->ark)), MT_E_PROOF,
             "vek-root", "the roots of this product line are pinned",
             "use a verifier that knows this product line");
    return MT_OK;
}

static MT_ERR check_chain(struct step *s, struct mt_trace *trace)
{
    enum mt_x509_fault why = MT_X509_MALFORMED;
    const struct mt_x509 *ark = s->chain.certs[2];
    const struct mt_x509_trust trust = {
        .anchors = &ark, .anchors_count = 1, .now_ms = s->in->now_ms};
    mt_err e = mt_x509_verify(&s->chain, &trust, &why);
    MT_CHECK(trace, why != MT_X509_EXPIRED && why != MT_X509_NOT_YET_VALID, MT_E_PROOF,
             "vek-validity", "the certificates of the chip's key hold at this time",
             "fetch the certificate again from AMD's key service; if that does not help, look at "
             "this machine's clock");
    MT_CHECK(trace, !mt_failed(e), MT_E_PROOF, "vek-chain",
             "the certificate of the chip's key goes back to AMD's root for this product line, and "
             "is of the kind that the report names",
             "give the VCEK or VLEK certificate of this very chip; if it is, do not trust the "
             "report");
    return MT_OK;
}

/* AMD's list is issued by the ARK: it can take back an ASK or ASVK. No list names one VEK, for
 * their serial numbers are all 0. */
static MT_ERR check_revoked(struct step *s, struct mt_trace *trace)
{
    enum mt_x509_fault why = MT_X509_MALFORMED;
    const struct mt_x509 *ark = s->chain.certs[2];
    const struct mt_x509_trust trust = {.anchors = &ark,
                                        .anchors_count = 1,
                                        .crls = &s->in->collateral.amd_crl,
                                        .crls_count = 1,
                                        .needs_crls = true,
                                        .now_ms = s->in->now_ms};
    const struct mt_x509_chain signers = {.certs = {s->chain.certs[1], s->chain.certs[2]},
                                          .count = 2};
    if (s->in->collateral.amd_crl.len == 0) {
        return MT_OK;
    }
    mt_err e = mt_x509_verify(&signers, &trust, &why);
    MT_CHECK(trace, why != MT_X509_REVOKED, MT_E_PROOF, "amd-revoked",
             "AMD has not taken back the key that signed the certificate",
             "AMD has revoked this signing key: do not trust any report under it");
    MT_CHECK(trace, !mt_failed(e), MT_E_PROOF, "amd-crl",
             "AMD's revocation list is signed by its root and holds at this time",
             "fetch the list of this product line again from AMD's key service");
    return MT_OK;
}

static MT_ERR check_signature(struct step *s, struct mt_trace *trace)
{
    mt_err e = mt_pubkey_verify(mt_x509_key(s->chain.certs[0]), MT_ECDSA_P384_SHA384,
                                s->report.signed_part, MT_BYTES_OF(s->report.signature));
    MT_CHECK(trace, !mt_failed(e), MT_E_PROOF, "snp-signature",
             "the report's own bytes are signed by the key of the certificate",
             "the report was changed, or the certificate is of another chip or firmware version");
    return MT_OK;
}

/* One part of a certificate's version; parts that are reserved may be absent and are then 0. */
static MT_ERR read_part(const struct mt_x509 *vek, uint8_t part, uint8_t *out)
{
    mt_bytes value;
    bool is_reserved = part >= 4 && part <= 7;
    mt_err e = read_value(vek, oid_of_part[part], ASN1_INTEGER, &value);
    if (is_reserved && mt_failed(e) && e.fault->code == MT_E_NOTFOUND) {
        *out = 0;
        return MT_OK;
    }
    MT_TRY(e);
    bool is_long = value.len == 2 && value.ptr[0] == 0 && value.ptr[1] >= 0x80;
    MT_REQUIRE(is_long || (value.len == 1 && value.ptr[0] < 0x80), MT_E_FORMAT,
               "a version in a VEK certificate is not a byte");
    *out = value.ptr[value.len - 1];
    return MT_OK;
}

static bool is_tcb_certified(const struct step *s)
{
    for (size_t i = 0; i < MT_SNP_TCB_LEN; i++) {
        uint8_t part = 0;
        if (mt_failed(read_part(s->chain.certs[0], parts_of_line[s->report.line][i], &part)) ||
            part != s->report.reported_tcb.ptr[i]) {
            return false;
        }
    }
    return true;
}

/* Part by part: there is no order between versions of which one is newer here, the other there. */
static bool is_at_most(mt_bytes tcb, mt_bytes limit)
{
    for (size_t i = 0; i < MT_SNP_TCB_LEN; i++) {
        if (tcb.ptr[i] > limit.ptr[i]) {
            return false;
        }
    }
    return true;
}

static MT_ERR check_tcb(struct step *s, struct mt_trace *trace)
{
    const struct mt_snp_report *r = &s->report;
    MT_CHECK(trace, is_tcb_certified(s), MT_E_PROOF, "vek-tcb",
             "the certificate is for the firmware version that the report names",
             "fetch the certificate for the reported version: after a firmware update there is "
             "another one");
    MT_CHECK(trace,
             is_at_most(r->reported_tcb, r->current_tcb) &&
                 is_at_most(r->committed_tcb, r->current_tcb),
             MT_E_PROOF, "snp-tcb-order",
             "the firmware that runs is no older than the one that is reported and committed",
             "the report contradicts itself: do not trust the machine");
    return MT_OK;
}

/* 64 bytes, or 8 on Turin; bare, or in an OCTET STRING. */
static bool is_chip_certified(const struct step *s)
{
    mt_bytes hwid;
    mt_bytes chip = s->report.chip_id;
    size_t len = s->report.line == MT_SNP_TURIN ? 8 : MT_SNP_CHIP_ID_LEN;
    uint8_t rest = 0;
    if (mt_failed(mt_x509_extension(s->chain.certs[0], oid_hwid, &hwid))) {
        return false;
    }
    if (hwid.len != len &&
        mt_failed(read_value(s->chain.certs[0], oid_hwid, ASN1_OCTET_STRING, &hwid))) {
        return false;
    }
    for (size_t i = len; i < MT_SNP_CHIP_ID_LEN; i++) {
        rest |= chip.ptr[i];
    }
    return hwid.len == len && mt_bytes_equal(hwid, (mt_bytes){chip.ptr, len}) && rest == 0;
}

static MT_ERR check_chip(struct step *s, struct mt_trace *trace)
{
    if (s->report.key == MT_SNP_VCEK) {
        MT_CHECK(trace, is_chip_certified(s), MT_E_PROOF, "vek-chip",
                 "the certificate is for the chip that the report names",
                 "fetch the certificate of this chip; if the host hides the chip's id "
                 "(MASK_CHIP_ID), have it shown: a chip without a name cannot be known again");
        return MT_OK;
    }
    mt_err e = read_value(s->chain.certs[0], oid_csp_id, ASN1_IA5_STRING, &s->csp_id);
    MT_CHECK(trace, !mt_failed(e) && s->csp_id.len <= CSP_ID_MAX, MT_E_PROOF, "vek-cloud",
             "the certificate names the cloud that its key was lent to",
             "give the VLEK certificate that the guest's extended report holds");
    return MT_OK;
}

static void hash_identities(const struct step *s, struct mt_claims *c)
{
    const struct mt_snp_report *r = &s->report;
    const uint8_t kind = (uint8_t)r->key;
    const uint8_t csp_id_len = (uint8_t)s->csp_id.len;
    uint8_t room[12];
    mt_bytes numbers;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_u64le(&w, r->policy);
    mt_write_u32le(&w, r->guest_svn);
    mt_err e = mt_write_end(&w, &numbers);
    MT_ASSERT(!mt_failed(e)); /* the room is as long as the two */
    const mt_bytes policy = {room, 8};
    const mt_bytes svn = {room + 8, 4};
    const mt_bytes code[] = {r->measurement, policy};
    const mt_bytes configuration[] = {r->host_data, r->id_key_digest, r->author_key_digest,
                                      r->family_id, r->image_id,      svn};
    const mt_bytes platform[] = {MT_BYTES_OF(kind), r->chip_id, MT_BYTES_OF(csp_id_len), s->csp_id};
    mt_sha256_labelled(MT_LABEL_SNP_MEASUREMENT, code, 2, &c->measurement);
    mt_sha256_labelled(MT_LABEL_SNP_CONFIGURATION, configuration, 6, &c->configuration);
    mt_sha256_labelled(MT_LABEL_SNP_PLATFORM, platform, 4, &c->platform);
}

/* For minima of a policy; each line has its own order of bytes, and no FMC before Turin. */
static void claim_parts(const struct mt_snp_report *r, struct mt_claims *c)
{
    static const char *const names[] = {[PART_FMC] = "tcb_fmc",
                                        [PART_BOOT_LOADER] = "tcb_boot_loader",
                                        [PART_TEE] = "tcb_tee",
                                        [PART_SNP] = "tcb_snp",
                                        [PART_MICROCODE] = "tcb_microcode"};
    for (size_t i = 0; i < MT_SNP_TCB_LEN; i++) {
        const char *name = names[parts_of_line[r->line][i]];
        if (name != NULL) {
            mt_claim_number(c, name, r->reported_tcb.ptr[i]);
        }
    }
}

/* Major, minor and build, so that a newer one is a larger number. */
static void claim_build(struct mt_claims *c, const char *name, mt_bytes build)
{
    uint64_t number = (uint64_t)build.ptr[2] << 16 | (uint64_t)build.ptr[1] << 8 | build.ptr[0];
    mt_claim_number(c, name, number);
}

static void claim_firmware(const struct mt_snp_report *r, struct mt_claims *c)
{
    mt_claim_bytes(c, "reported_tcb", r->reported_tcb);
    mt_claim_bytes(c, "committed_tcb", r->committed_tcb);
    mt_claim_bytes(c, "current_tcb", r->current_tcb);
    mt_claim_bytes(c, "launch_tcb", r->launch_tcb);
    claim_build(c, "current_version", r->current_build);
    claim_build(c, "committed_version", r->committed_build);
    mt_claim_number(c, "platform_info", r->platform_info);
    if (r->version >= 5) {
        mt_claim_number(c, "launch_mit_vector", r->launch_mitigations);
        mt_claim_number(c, "current_mit_vector", r->current_mitigations);
    }
}

static void admit_weaknesses(const struct mt_snp_report *r, struct mt_claims *c)
{
    const struct {
        bool is_there;
        enum mt_weakness weakness;
    } weaknesses[] = {
        {(r->policy & MT_SNP_POLICY_DEBUG) != 0, MT_WEAK_DEBUG},
        {(r->policy & MT_SNP_POLICY_MIGRATE_MA) != 0, MT_WEAK_MIGRATABLE},
        {(r->policy & MT_SNP_POLICY_UNKNOWN) != 0, MT_WEAK_RESERVED},
        {r->vmpl != 0, MT_WEAK_VMPL},
        {!mt_bytes_equal(r->current_tcb, r->committed_tcb) ||
             !mt_bytes_equal(r->current_build, r->committed_build),
         MT_WEAK_PROVISIONAL_FIRMWARE},
    };
    for (size_t i = 0; i < sizeof weaknesses / sizeof *weaknesses; i++) {
        if (weaknesses[i].is_there) {
            mt_claim_weakness(c, weaknesses[i].weakness);
        }
    }
}

static void claim_all(const struct step *s, struct mt_claims *c)
{
    const struct mt_snp_report *r = &s->report;
    mt_claim_number(c, "report_version", r->version);
    mt_claim_number(c, "guest_policy", r->policy);
    mt_claim_number(c, "guest_svn", r->guest_svn);
    mt_claim_number(c, "vmpl", r->vmpl);
    mt_claim_bytes(c, "measurement", r->measurement);
    mt_claim_bytes(c, "host_data", r->host_data);
    mt_claim_bytes(c, "id_key_digest", r->id_key_digest);
    mt_claim_bytes(c, "author_key_digest", r->author_key_digest);
    mt_claim_bytes(c, "family_id", r->family_id);
    mt_claim_bytes(c, "image_id", r->image_id);
    mt_claim_bytes(c, "report_id", r->report_id);
    mt_claim_bytes(c, "report_id_ma", r->report_id_ma);
    mt_claim_bytes(c, "chip_id", r->chip_id);
    if (s->is_line_known) {
        mt_claim_text(c, "product", line_names[r->line]);
    }
    if (s->is_line_known || !r->has_line) {
        claim_parts(r, c); /* version 2 is older than Turin: the others have one order */
    }
    if (r->has_line) {
        mt_claim_bytes(c, "cpuid", r->cpuid);
    }
    mt_claim_text(c, "signing_key", key_names[r->key]);
    if (s->csp_id.len > 0) {
        mt_claim_bytes(c, "csp_id", s->csp_id);
    }
    claim_firmware(r, c);
}

MT_ERR mt_snp_verify(const struct mt_evidence *in, const struct mt_snp_roots *roots,
                     const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_claims *out,
                     struct mt_trace *trace)
{
    MT_DEFER(end_step) struct step s = {.in = in, .roots = roots};
    MT_TRY(check_report(&s, trace));
    MT_TRY(find_chain(&s, trace));
    MT_TRY(check_chain(&s, trace));
    MT_TRY(check_revoked(&s, trace));
    MT_TRY(check_signature(&s, trace));
    MT_TRY(check_tcb(&s, trace));
    MT_TRY(check_chip(&s, trace));
    MT_CHECK(trace, mt_ct_equal(s.report.report_data, (mt_bytes){report_data, MT_REPORT_DATA_LEN}),
             MT_E_PROOF, "report-data",
             "the evidence was made for this very connection or key, and for nothing else",
             "evidence of another connection was shown: replayed, relayed or reflected; do not "
             "trust whoever sent it");
    *out = (struct mt_claims){
        .kind = MT_EVIDENCE_SNP, .level = MT_LEVEL_CVM, .has_hardware_root = true};
    admit_weaknesses(&s.report, out);
    hash_identities(&s, out);
    claim_all(&s, out);
    return MT_OK;
}

MT_ERR mt_snp_collateral_verify(const struct mt_evidence *in, const struct mt_snp_roots *roots,
                                struct mt_trace *trace)
{
    MT_DEFER(end_step) struct step s = {.in = in, .roots = roots};
    MT_TRY(check_report(&s, trace));
    MT_TRY(find_chain(&s, trace));
    MT_TRY(check_chain(&s, trace));
    MT_TRY(check_revoked(&s, trace));
    MT_TRY(check_tcb(&s, trace));
    return check_chip(&s, trace);
}

/* Reports of version 2 leave it to the certificate, which may not be there. */
static void find_line(struct step *s)
{
    s->is_line_known =
        s->report.has_line || (!mt_failed(add_certificate(&s->chain, s->in->collateral.vek)) &&
                               !mt_failed(line_of_certificate(s->chain.certs[0], &s->report.line)));
}

MT_ERR mt_snp_show(const struct mt_evidence *in, struct mt_claims *out)
{
    MT_DEFER(end_step) struct step s = {.in = in};
    struct mt_claims c = {.kind = MT_EVIDENCE_SNP, .level = MT_LEVEL_CVM};
    MT_TRY(mt_snp_report_parse(in->quote, &s.report));
    find_line(&s);
    admit_weaknesses(&s.report, &c);
    hash_identities(&s, &c);
    claim_all(&s, &c);
    mt_claim_bytes(&c, "report_data", s.report.report_data);
    *out = c;
    return MT_OK;
}
