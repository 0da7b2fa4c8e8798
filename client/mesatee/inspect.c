/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/inspect.h"

#include <stdlib.h>

#include "attest/signed.h"

enum { FILE_MAX = MT_RECEIPT_BYTES_MAX };

const char *mt_file_kind_name(enum mt_file_kind k)
{
    switch (k) {
    case MT_FILE_RECEIPT:
        return "receipt";
    case MT_FILE_POLICY:
        return "policy";
    case MT_FILE_AUDITORS:
        return "auditors";
    case MT_FILE_EVIDENCE:
        return "evidence";
    case MT_FILE_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}

void mt_inspected_free(struct mt_inspected **i)
{
    if (*i != NULL) {
        mt_buf_free(&(*i)->file);
        free(*i);
        *i = NULL;
    }
}

/* By its form alone: the formats have no common head, and none can be taken for another. */
static enum mt_file_kind kind_of(struct mt_inspected *x)
{
    struct mt_auditor_signature signatures[MT_AUDITORS_MAX];
    mt_bytes in = mt_buf_bytes(&x->file);
    mt_bytes payload;
    mt_spki signer;
    if (!mt_failed(mt_receipt_parse(in, &x->run.receipt))) {
        return MT_FILE_RECEIPT;
    }
    if (!mt_failed(mt_auditors_parse(in, &x->list, &payload, signatures, &x->signatures_count))) {
        return MT_FILE_AUDITORS;
    }
    if (!mt_failed(mt_soft_evidence_show(in, &x->claims))) {
        return MT_FILE_EVIDENCE;
    }
    mt_err e = mt_signed_parse(in, MT_LABEL_POLICY, &signer, &payload);
    bool is_signed = !mt_failed(e) || e.fault->code == MT_E_PROOF;
    return is_signed ? MT_FILE_POLICY : MT_FILE_UNKNOWN;
}

static MT_ERR check_receipt(struct mt_inspected *x, const struct mt_inspect_options *o)
{
    const struct mt_appraiser a = {o->context->policy, mt_buf_bytes(&o->context->auditors)};
    mt_err e = mt_run_receipt_verify(mt_buf_bytes(&x->file), &a, o->now_ms, &x->run);
    x->trace = x->run.facts.appraisal.trace;
    return e;
}

static MT_ERR check_policy(struct mt_inspected *x, const struct mt_inspect_options *o)
{
    mt_spki signer;
    mt_hash us;
    mt_err e = mt_policy_file_parse(mt_buf_bytes(&x->file), &signer, &x->policy);
    MT_CHECK(&x->trace, !mt_failed(e), MT_E_PROOF, "policy-signature",
             "the policy is as its signer signed it", "get the file again from whoever signed it");
    mt_spki_hash(&signer, &x->signer);
    mt_spki_hash(mt_key_public(o->context->key), &us);
    MT_CHECK(&x->trace, mt_hash_equal(&us, &x->signer), MT_E_PROOF, "policy-signer",
             "the policy is signed by your own identity",
             "somebody else's policy is advice: read it, then mesatee policy sign");
    return MT_OK;
}

static MT_ERR check_auditors(struct mt_inspected *x, const struct mt_inspect_options *o)
{
    const struct mt_auditors *a = &o->context->policy->auditors;
    MT_CHECK(&x->trace, a->threshold > 0, MT_E_DENIED, "auditors-unnamed",
             "your policy names auditors whom it believes",
             "name them: mesatee policy new --auditor KEY --threshold N");
    return mt_auditors_verify(mt_buf_bytes(&x->file), a, o->now_ms, &x->list, &x->trace);
}

static MT_ERR check_evidence(struct mt_inspected *x, const struct mt_inspect_options *o)
{
    const struct mt_appraiser a = {o->context->policy, mt_buf_bytes(&o->context->auditors)};
    const struct mt_shown shown = {.format = MT_LITERAL("soft"),
                                   .evidence = mt_buf_bytes(&x->file)};
    struct mt_appraisal appraisal = {.trace = {.count = 0}};
    MT_REQUIRE(
        o->report_data != NULL, MT_E_ARG,
        "evidence proves something about the report data that you expect: --report-data HEX");
    mt_err e = mt_appraise_evidence(&a, &shown, o->report_data, o->now_ms, &appraisal);
    x->trace = appraisal.trace;
    x->claims = mt_failed(e) && e.fault->code == MT_E_PROOF ? x->claims : appraisal.claims;
    return e;
}

static MT_ERR check(struct mt_inspected *x, const struct mt_inspect_options *o)
{
    switch (x->kind) {
    case MT_FILE_RECEIPT:
        return check_receipt(x, o);
    case MT_FILE_POLICY:
        return check_policy(x, o);
    case MT_FILE_AUDITORS:
        return check_auditors(x, o);
    case MT_FILE_EVIDENCE:
        return check_evidence(x, o);
    case MT_FILE_UNKNOWN:
        break;
    }
    MT_FAIL(MT_E_FORMAT, "the file is no receipt, policy, auditors' list or evidence");
}

static MT_ERR load(const char *path, struct mt_inspected **out)
{
    MT_DEFER(mt_inspected_free) struct mt_inspected *x = calloc(1, sizeof *x);
    MT_REQUIRE(x != NULL, MT_E_NOMEM, "no memory for a file");
    MT_TRY(mt_file_load(path, FILE_MAX, &x->file));
    *out = x;
    x = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_inspect(const char *path, const struct mt_inspect_options *o, struct mt_inspected **out)
{
    MT_TRY(load(path, out));
    (*out)->kind = kind_of(*out);
    return check(*out, o);
}

MT_ERR mt_inspect_receipt(const char *path, const struct mt_inspect_options *o,
                          struct mt_inspected **out)
{
    MT_TRY(load(path, out));
    (*out)->kind = MT_FILE_RECEIPT;
    mt_err e = check_receipt(*out, o);
    MT_REQUIRE(!mt_failed(e) || e.fault->code != MT_E_FORMAT, MT_E_PROOF,
               "receipt-file: the file is damaged, or no receipt");
    return e;
}
