/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/evidence_set.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "attest/ear.h"
#include "attest/verify.h"
#include "base/time.h"
#include "mesatee/home.h"
#include "mesatee/policy_file.h"
#include "mesatee/session.h"

enum { FILE_MAX = 1024 * 1024 };

/* A signature without what a TPM writes in front of it, which its name says instead. */
#define RAW_SIGNATURE "tpm_quote.sig.rsassa-sha256.raw"

/* Which file is what; of several names for one thing the first that is there counts. */
static const struct {
    const char *name;
    size_t at; /* of an mt_bytes in struct mt_evidence */
} names[] = {
#define IS(name_, field_)                                                                          \
    {                                                                                              \
        name_, offsetof(struct mt_evidence, field_)                                                \
    }
    IS("quote.bin", quote),
    IS("report.bin", quote),
    IS("snp_report.bin", quote),
    IS("quote.msg", tpm_quote),
    IS("tpm_quote.msg", tpm_quote),
    IS("quote_sha256.msg", tpm_quote),
    IS("quote.sig", signature),
    IS("tpm_quote.sig", signature),
    IS("quote_sha256.sig", signature),
    IS(RAW_SIGNATURE, signature),
    IS("pcrs_sha256.bin", pcrs),
    IS("tpm_pcrs_sha256.bin", pcrs),
    IS("ak_pub.tpmt", ak_public),
    IS("eventlog.bin", event_log),
    IS("ccel.bin", event_log),
    IS("var_data.json", runtime_data),
    IS("hcl_report.bin", hcl_report),
    IS("tcb_info.json", collateral.tcb_info),
    IS("tcb_info.sig", collateral.tcb_info_signature),
    IS("tcb_info_chain.pem", collateral.tcb_info_chain),
    IS("qe_identity.json", collateral.qe_identity),
    IS("qe_identity.sig", collateral.qe_identity_signature),
    IS("qe_identity_chain.pem", collateral.qe_identity_chain),
    IS("root_ca_crl.der", collateral.root_ca_crl),
    IS("pck_crl.der", collateral.pck_crl),
    IS("pck_chain.pem", collateral.pck_chain),
    IS("vcek.der", collateral.vek),
    IS("vcek.pem", collateral.vek),
    IS("vlek.der", collateral.vek),
    IS("vlek.pem", collateral.vek),
    IS("amd_crl.der", collateral.amd_crl),
    IS("ak_chain.pem", collateral.ak_chain),
    IS("ak_cert.der", collateral.ak_chain),
    IS("ak_cert.pem", collateral.ak_chain),
#undef IS
};

void mt_evidence_set_free(struct mt_evidence_set **s)
{
    if (*s != NULL) {
        for (size_t i = 0; i < (*s)->files_count; i++) {
            mt_buf_free(&(*s)->files[i]);
        }
        free(*s);
        *s = NULL;
    }
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* One file more, and what of the evidence it is. */
static MT_ERR add_file(struct mt_evidence_set *s, const char *path, size_t at)
{
    MT_REQUIRE(s->files_count < MT_EVIDENCE_FILES_MAX, MT_E_LIMIT,
               "a folder holds too many files of evidence");
    struct mt_buf *b = &s->files[s->files_count++];
    MT_TRY(mt_file_load(path, FILE_MAX, b));
    const mt_bytes content = mt_buf_bytes(b);
    memcpy((uint8_t *)&s->evidence + at, &content, sizeof content);
    return MT_OK;
}

/* Two texts in PEM that belong together: the certificate of a key, and those of its issuers. */
static MT_ERR append_signers(struct mt_evidence_set *s, const char *path)
{
    MT_DEFER(mt_buf_free) struct mt_buf signers = mt_buf_of_max(0);
    mt_bytes *chain = &s->evidence.collateral.ak_chain;
    MT_REQUIRE(s->files_count < MT_EVIDENCE_FILES_MAX, MT_E_LIMIT,
               "a folder holds too many files of evidence");
    MT_TRY(mt_file_load(path, FILE_MAX, &signers));
    struct mt_buf *b = &s->files[s->files_count++];
    *b = mt_buf_of_max((size_t)2 * FILE_MAX);
    MT_TRY(mt_buf_append(b, *chain));
    MT_TRY(mt_buf_append(b, mt_buf_bytes(&signers)));
    *chain = mt_buf_bytes(b);
    return MT_OK;
}

/* TPMT_SIGNATURE: RSASSA, SHA-256, the length, and what the file holds. */
static MT_ERR wrap_signature(struct mt_evidence_set *s)
{
    enum { RSASSA = 0x14, SHA256 = 0x0b, RAW_MAX = 512, HEAD = 6 };
    const mt_bytes raw = s->evidence.signature;
    MT_REQUIRE(s->files_count < MT_EVIDENCE_FILES_MAX && raw.len <= RAW_MAX, MT_E_LIMIT,
               "a TPM's signature is too long");
    struct mt_buf *b = &s->files[s->files_count++];
    *b = mt_buf_of_max(HEAD + RAW_MAX);
    struct mt_writer w = mt_writer_onto(b);
    mt_write_u16be(&w, RSASSA);
    mt_write_u16be(&w, SHA256);
    mt_write_u16be(&w, (uint16_t)raw.len);
    mt_write_bytes(&w, raw);
    return mt_write_end(&w, &s->evidence.signature);
}

/* What is missing yet, of a folder. */
static MT_ERR add_folder(struct mt_evidence_set *s, const char *folder)
{
    char path[MT_PATH_MAX];
    struct stat st;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        mt_bytes have;
        memcpy(&have, (const uint8_t *)&s->evidence + names[i].at, sizeof have);
        int len = snprintf(path, sizeof path, "%s/%s", folder, names[i].name);
        MT_REQUIRE(len > 0 && (size_t)len < sizeof path, MT_E_ARG,
                   "the path of the evidence is too long");
        if (have.len == 0 && stat(path, &st) == 0) {
            MT_TRY(add_file(s, path, names[i].at));
            MT_TRY(strcmp(names[i].name, RAW_SIGNATURE) == 0 ? wrap_signature(s) : MT_OK);
        }
    }
    return MT_OK;
}

static MT_ERR add_folder_and_collateral(struct mt_evidence_set *s, const char *folder)
{
    char below[MT_PATH_MAX];
    int len = snprintf(below, sizeof below, "%s/collateral", folder);
    MT_REQUIRE(len > 0 && (size_t)len < sizeof below, MT_E_ARG,
               "the path of the evidence is too long");
    MT_TRY(add_folder(s, folder));
    return is_folder(below) ? add_folder(s, below) : MT_OK;
}

/* Beside ak_cert.pem alone: the other files hold their chains whole. */
static MT_ERR add_signers(struct mt_evidence_set *s, const char *folder)
{
    char path[MT_PATH_MAX];
    struct stat st;
    int len = snprintf(path, sizeof path, "%s/%s", folder, "ak_intermediates.pem");
    MT_REQUIRE(len > 0 && (size_t)len < sizeof path, MT_E_ARG,
               "the path of the evidence is too long");
    return s->evidence.collateral.ak_chain.len > 0 && stat(path, &st) == 0 ? append_signers(s, path)
                                                                           : MT_OK;
}

/* A quote of a TPM is the evidence itself, unless hardware stands beside it. */
static void find_evidence(struct mt_evidence_set *s)
{
    struct mt_evidence *e = &s->evidence;
    if (e->quote.len == 0 && e->hcl_report.len == 0 && e->runtime_data.len == 0) {
        e->quote = e->tpm_quote;
    }
    s->kind = mt_evidence_kind_of(e);
}

MT_ERR mt_evidence_set_load(const char *path, const char *collateral, struct mt_evidence_set **out)
{
    MT_DEFER(mt_evidence_set_free) struct mt_evidence_set *s = calloc(1, sizeof *s);
    MT_REQUIRE(s != NULL, MT_E_NOMEM, "no memory for evidence");
    if (is_folder(path)) {
        MT_TRY(add_folder_and_collateral(s, path));
        MT_TRY(add_signers(s, path));
    } else {
        MT_TRY(add_file(s, path, offsetof(struct mt_evidence, quote)));
    }
    find_evidence(s);
    MT_REQUIRE(s->evidence.quote.len > 0 || s->evidence.hcl_report.len > 0, MT_E_NOTFOUND,
               "no evidence is there: a folder has quote.bin, report.bin or quote.msg");
    if (collateral != NULL) {
        MT_REQUIRE(is_folder(collateral), MT_E_NOTFOUND, "the collateral is no folder");
        MT_TRY(add_folder_and_collateral(s, collateral));
    }
    *out = s;
    s = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_collateral_load(const char *folder, struct mt_evidence_set **out)
{
    MT_DEFER(mt_evidence_set_free) struct mt_evidence_set *s = calloc(1, sizeof *s);
    MT_REQUIRE(s != NULL, MT_E_NOMEM, "no memory for collateral");
    MT_REQUIRE(is_folder(folder), MT_E_NOTFOUND, "the collateral is no folder");
    MT_TRY(add_folder_and_collateral(s, folder));
    *out = s;
    s = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_evidence_read(const char *path, const char *collateral, struct mt_claims *out)
{
    MT_DEFER(mt_evidence_set_free) struct mt_evidence_set *s = NULL;
    MT_TRY(mt_evidence_set_load(path, collateral, &s));
    return mt_evidence_show(&s->evidence, out);
}

void mt_evidence_report_free(struct mt_evidence_report **r)
{
    if (*r != NULL) {
        mt_evidence_set_free(&(*r)->set);
        mt_buf_free(&(*r)->policy_file);
        mt_buf_free(&(*r)->auditors_list);
        free(*r);
        *r = NULL;
    }
}

/* Of a composite the hardware's part may be asked for, about its own report data. */
static void narrow_to(enum mt_evidence_kind wanted, struct mt_evidence_set *s)
{
    struct mt_evidence hardware;
    if (s->kind == MT_EVIDENCE_AZURE && wanted != MT_EVIDENCE_AZURE &&
        !mt_failed(mt_evidence_hardware(&s->evidence, &hardware)) &&
        mt_evidence_kind_of(&hardware) == wanted) {
        s->evidence = hardware;
        s->kind = wanted;
    }
}

static MT_ERR check_kind(const struct mt_evidence_options *o, struct mt_evidence_report *r)
{
    struct mt_trace *t = &r->appraisal.trace;
    narrow_to(o->expected, r->set);
    enum mt_evidence_kind kind = r->set->kind;
    MT_CHECK(t, kind != MT_EVIDENCE_NONE, MT_E_FORMAT, "evidence-kind",
             "the file has the form of evidence that this verifier knows",
             "give a DCAP quote, an SNP report, a TPM's quote, or a folder with one");
    MT_CHECK(t, o->expected == MT_EVIDENCE_NONE || o->expected == kind, MT_E_PROOF,
             "evidence-expected", "the evidence is of the kind that was asked for",
             "another kind is offered than --format says");
    return MT_OK;
}

/* Claims first, by the roots of this build and, for what carries its own key, those of the policy;
 * then what the policy makes of them. */
static MT_ERR judge(const struct mt_evidence_options *o, const struct mt_policy *p,
                    struct mt_evidence_report *r)
{
    struct mt_appraisal *a = &r->appraisal;
    const struct mt_appraiser appraiser = {p, mt_buf_bytes(&r->auditors_list)};
    MT_TRY(check_kind(o, r));
    r->set->evidence.now_ms = o->now_ms;
    const struct mt_attest_roots roots = mt_policy_roots(p);
    r->set->evidence.roots = &roots;
    mt_err e =
        mt_evidence_verify(r->set->kind, &r->set->evidence, o->report_data, &a->claims, &a->trace);
    r->set->evidence.roots = NULL; /* they end here */
    if (mt_failed(e)) {
        return e;
    }
    r->is_genuine = true;
    MT_CHECK(&a->trace, o->policy != NULL, MT_E_DENIED, "policy-missing",
             "a policy says what is accepted",
             "genuine is not acceptable: name a policy with --policy FILE");
    return mt_appraise(&appraiser, &a->claims, o->now_ms, &a->verdict, &a->trace);
}

static void free_policy(struct mt_policy **p)
{
    free(*p);
    *p = NULL;
}

MT_ERR mt_evidence_check(const struct mt_evidence_options *o, struct mt_evidence_report **out)
{
    MT_DEFER(mt_evidence_report_free) struct mt_evidence_report *r = calloc(1, sizeof *r);
    MT_DEFER(free_policy) struct mt_policy *p = calloc(1, sizeof *p);
    MT_REQUIRE(r != NULL && p != NULL, MT_E_NOMEM, "no memory for a report");
    MT_TRY(mt_evidence_set_load(o->path, o->collateral, &r->set));
    if (o->policy != NULL) {
        MT_TRY(mt_file_load(o->policy, FILE_MAX, &r->policy_file));
        MT_TRY(mt_policy_read(mt_buf_bytes(&r->policy_file), p));
    }
    if (o->auditors != NULL) {
        MT_TRY(mt_file_load(o->auditors, FILE_MAX, &r->auditors_list));
    }
    r->policy = p->hash;
    mt_err e = judge(o, p, r);
    r->is_accepted = !mt_failed(e);
    *out = r;
    r = NULL; /* given */
    return e;
}

MT_ERR mt_evidence_token(const struct mt_evidence_options *o, const struct mt_evidence_report *r,
                         const struct mt_key *k, struct mt_buf *out)
{
    enum { HOUR_MS = 60 * 60 * 1000 };
    mt_bytes token;
    const struct mt_ear e = {.claims = r->is_genuine ? &r->appraisal.claims : NULL,
                             .trace = &r->appraisal.trace,
                             .is_accepted = r->is_accepted,
                             .policy = o->policy == NULL ? NULL : &r->policy,
                             .nonce = o->report_data,
                             .now_ms = mt_now_ms(),
                             .valid_ms = HOUR_MS};
    struct mt_writer w = mt_writer_onto(out);
    MT_TRY(mt_ear_write(&w, k, &e));
    return mt_write_end(&w, &token);
}

bool mt_evidence_kind_of_word(const char *word, enum mt_evidence_kind *out)
{
    for (unsigned i = MT_EVIDENCE_NONE + 1; i < MT_EVIDENCE_KINDS; i++) {
        if (strcmp(word, mt_evidence_kind_name((enum mt_evidence_kind)i)) == 0) {
            *out = (enum mt_evidence_kind)i;
            return true;
        }
    }
    return false;
}

static void put_time(struct mt_json_writer *j, const char *name, uint64_t ms)
{
    uint8_t room[MT_TIME_TEXT_LEN];
    mt_bytes text = {NULL, 0};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_time_write(&w, ms);
    if (ms == 0 || mt_failed(mt_write_end(&w, &text))) {
        mt_json_put_null(j, name);
    } else {
        mt_json_put_text(j, name, text);
    }
}

static void put_what_is_said(struct mt_json_writer *j, const struct mt_claims *c)
{
    mt_json_begin_array(j, "weaknesses");
    for (unsigned i = 0; i < MT_WEAKNESSES; i++) {
        if (mt_claims_has(c, (enum mt_weakness)i)) {
            mt_json_put_literal(j, NULL, mt_weakness_name((enum mt_weakness)i));
        }
    }
    mt_json_end_array(j);
    mt_json_begin_object(j, "fields");
    for (size_t i = 0; i < c->claimed_count; i++) {
        const struct mt_claimed *x = &c->claimed[i];
        if (x->is_number) {
            mt_json_put_uint(j, x->name, x->number);
        } else if (x->is_text) {
            mt_json_put_text(j, x->name, (mt_bytes){x->bytes, x->len});
        } else {
            mt_json_put_hex(j, x->name, (mt_bytes){x->bytes, x->len});
        }
    }
    mt_json_end_object(j);
}

void mt_evidence_claims_put(struct mt_json_writer *j, const struct mt_claims *c)
{
    static const char *const members[] = {"kind", "tcb_status", "advisories", "debug", "claims"};
    for (size_t i = 0; c == NULL && i < sizeof members / sizeof *members; i++) {
        mt_json_put_null(j, members[i]);
    }
    if (c == NULL) {
        return;
    }
    mt_json_put_literal(j, "kind", mt_evidence_kind_name(c->kind));
    mt_json_put_literal(j, "tcb_status", mt_tcb_status_name(c->tcb_status));
    mt_json_begin_array(j, "advisories");
    for (size_t i = 0; i < c->advisories_count; i++) {
        mt_json_put_text(j, NULL, c->advisories[i]);
    }
    mt_json_end_array(j);
    mt_json_put_bool(j, "debug", mt_claims_has(c, MT_WEAK_DEBUG));
    mt_json_begin_object(j, "claims");
    mt_json_put_uint(j, "level", (uint64_t)c->level);
    mt_json_put_bool(j, "hardware_root", c->has_hardware_root);
    mt_json_put_bool(j, "host_in_tcb", c->has_host_in_tcb);
    mt_json_put_hex(j, "measurement", mt_hash_bytes(&c->measurement));
    mt_json_put_hex(j, "platform", mt_hash_bytes(&c->platform));
    put_time(j, "tcb_date", c->tcb_date_ms);
    put_what_is_said(j, c);
    mt_json_end_object(j);
}

void mt_evidence_said_put(struct mt_json_writer *j, const struct mt_claims *c)
{
    mt_json_put_bool(j, "verified", false);
    mt_json_put_literal(j, "kind", mt_evidence_kind_name(c->kind));
    mt_json_begin_object(j, "says");
    mt_json_put_hex(j, "measurement", mt_hash_bytes(&c->measurement));
    put_what_is_said(j, c);
    mt_json_end_object(j);
}
