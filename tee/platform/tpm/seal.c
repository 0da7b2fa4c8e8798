/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <tss2/tss2_mu.h>

#include "base/limits.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "platform/tpm.h"
#include "platform/tpm/inside.h"
#include "platform/tpm/sealed.h"

/*
 * Secrets that open while the same is measured as when they were sealed, or when the operator of a
 * key has signed what is measured now: sealed.h has what the host keeps of them.
 */

void mt_tpm_operator(struct mt_device *d, const mt_spki *operator_key,
                     const struct mt_image_approvals *approvals)
{
    struct mt_tpm *t = mt_tpm_of(d);
    t->has_operator = operator_key != NULL;
    t->operator_key = operator_key != NULL ? *operator_key : (mt_spki){.b = {0}};
    t->approvals = *approvals;
}

static MT_ERR policy_now(struct mt_tpm *t, mt_hash *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf values = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    MT_TRY(mt_tpm_read_pcrs(t, MT_TPM_PCRS_SEALED, &values));
    mt_tpm_policy_pcrs(MT_TPM_PCRS_SEALED, mt_buf_bytes(&values), out);
    return MT_OK;
}

static void wipe_sensitive(TPM2B_SENSITIVE_CREATE *s)
{
    mt_wipe((mt_span){(uint8_t *)s, sizeof *s});
}

/* No password opens it, only the policy: userWithAuth is clear. */
static void wanted_area(const struct mt_tpm_sealed *s, TPM2B_PUBLIC *out)
{
    mt_hash policy;
    mt_tpm_sealed_policy(s, &policy);
    *out = (TPM2B_PUBLIC){
        .publicArea = {.type = TPM2_ALG_KEYEDHASH,
                       .nameAlg = TPM2_ALG_SHA256,
                       .objectAttributes =
                           TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA,
                       .authPolicy = {.size = sizeof policy.b},
                       .parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL}};
    memcpy(out->publicArea.authPolicy.buffer, policy.b, sizeof policy.b);
}

mt_err mt_tpm_seal(struct mt_device *d, mt_bytes secret, bool is_next, struct mt_buf *out)
{
    static const TPM2B_DATA nothing = {.size = 0};
    static const TPML_PCR_SELECTION no_pcrs = {.count = 0};
    TPM2B_PUBLIC wanted;
    struct mt_tpm *t = mt_tpm_of(d);
    struct mt_tpm_sealed s = {
        .has_operator = t->has_operator, .operator_key = t->operator_key, .is_counted = true};
    MT_DEFER(wipe_sensitive) TPM2B_SENSITIVE_CREATE sensitive = {.size = 0};
    MT_DEFER(mt_tpm_release) TPM2B_PUBLIC *area = NULL;
    MT_DEFER(mt_tpm_release) TPM2B_PRIVATE *private = NULL;
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object parent = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object session = {t, ESYS_TR_NONE};
    MT_REQUIRE(secret.len > 0 && secret.len <= sizeof sensitive.sensitive.data.buffer / 2, MT_E_ARG,
               "a TPM seals a key, nothing longer");
    sensitive.sensitive.data.size = (uint16_t)secret.len;
    memcpy(sensitive.sensitive.data.buffer, secret.ptr, secret.len);
    MT_TRY(mt_tpm_ready(t));
    MT_TRY(policy_now(t, &s.measured));
    MT_TRY(mt_tpm_count_slots(t, false, &s.until));
    s.until += is_next ? 1 : 0;
    wanted_area(&s, &wanted);
    MT_TRY(mt_tpm_primary(&parent, MT_TPM_STORAGE, NULL));
    MT_TRY(mt_tpm_session(&session, &parent, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT));
    MT_TRY(mt_tpm_said(Esys_Create(t->esys, parent.at, session.at, ESYS_TR_NONE, ESYS_TR_NONE,
                                   &sensitive, &wanted, &nothing, &no_pcrs, &private, &area, NULL,
                                   NULL, NULL)));
    s.area = *area;
    s.private = *private;
    return mt_tpm_sealed_write(&s, out);
}

/* The operator's word for the policy that the session has now. The TPM checks the signature, and
 * hands over a ticket that it did. */
static MT_ERR take_approval(struct mt_tpm *t, const mt_spki *operator_key,
                            const struct mt_image_approval *approval, TPMT_TK_VERIFIED **ticket,
                            TPM2B_NAME **name)
{
    mt_hash digest;
    uint8_t room[MT_TPM_APPROVED_LEN];
    uint8_t area[128];
    size_t at = 0;
    TPM2B_PUBLIC key = {.size = 0};
    TPM2B_DIGEST message = {.size = sizeof digest.b};
    TPMT_SIGNATURE signature = {.sigAlg = TPM2_ALG_ECDSA,
                                .signature.ecdsa = {.hash = TPM2_ALG_SHA256,
                                                    .signatureR = {.size = 32},
                                                    .signatureS = {.size = 32}}};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object loaded = {t, ESYS_TR_NONE};
    struct mt_writer w = mt_writer_over((mt_span){area, sizeof area});
    mt_tpm_policy_key(operator_key, &w);
    const mt_bytes written = mt_write_done(&w);
    const mt_bytes approved =
        mt_tpm_policy_approved(&approval->policy, (mt_span){room, sizeof room});
    mt_sha256(&approved, 1, &digest);
    memcpy(message.buffer, digest.b, sizeof digest.b);
    memcpy(signature.signature.ecdsa.signatureR.buffer, approval->signature, 32);
    memcpy(signature.signature.ecdsa.signatureS.buffer, approval->signature + 32, 32);
    MT_TRY(
        mt_tpm_said(Tss2_MU_TPMT_PUBLIC_Unmarshal(written.ptr, written.len, &at, &key.publicArea)));
    MT_TRY(mt_tpm_said(Esys_LoadExternal(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
                                         &key, ESYS_TR_RH_OWNER, &loaded.at)));
    MT_TRY(mt_tpm_said(Esys_TR_GetName(t->esys, loaded.at, name)));
    return mt_tpm_said(Esys_VerifySignature(t->esys, loaded.at, ESYS_TR_NONE, ESYS_TR_NONE,
                                            ESYS_TR_NONE, &message, &signature, ticket));
}

static MT_ERR authorize(const struct mt_tpm_object *policy, const mt_spki *operator_key,
                        const mt_hash *now)
{
    struct mt_tpm *t = policy->t;
    TPM2B_DIGEST approved = {.size = sizeof now->b};
    TPM2B_NONCE reference = {.size = 0};
    const mt_bytes label = mt_label_bytes(MT_LABEL_TPM_POLICY);
    MT_DEFER(mt_tpm_release) TPMT_TK_VERIFIED *ticket = NULL;
    MT_DEFER(mt_tpm_release) TPM2B_NAME *name = NULL;
    const struct mt_image_approval *approval = mt_image_approvals_find(&t->approvals, now);
    MT_REQUIRE(approval != NULL, MT_E_DENIED,
               "what runs was measured otherwise, and no operator's word for it is here");
    MT_TRY(take_approval(t, operator_key, approval, &ticket, &name));
    memcpy(approved.buffer, now->b, sizeof now->b);
    reference.size = (uint16_t)label.len;
    memcpy(reference.buffer, label.ptr, label.len);
    return mt_tpm_said(Esys_PolicyAuthorize(t->esys, policy->at, ESYS_TR_NONE, ESYS_TR_NONE,
                                            ESYS_TR_NONE, &approved, &reference, name, ticket));
}

/* What runs now; and if a choice was sealed in, that this is one of the two. */
static MT_ERR satisfy_images(const struct mt_tpm_object *policy, const struct mt_tpm_sealed *s)
{
    mt_hash now;
    mt_hash signed_in;
    TPML_PCR_SELECTION selection;
    static const TPM2B_DIGEST as_they_are = {.size = 0};
    struct mt_tpm *t = policy->t;
    mt_tpm_selection(MT_TPM_PCRS_SEALED, &selection);
    MT_TRY(mt_tpm_said(Esys_PolicyPCR(t->esys, policy->at, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                      &as_they_are, &selection)));
    if (!s->has_operator) {
        return MT_OK;
    }
    MT_TRY(policy_now(t, &now));
    if (!mt_hash_equal(&s->measured, &now)) {
        MT_TRY(authorize(policy, &s->operator_key, &now));
    }
    TPML_DIGEST either = {.count = 2, .digests = {{.size = sizeof now.b}, {.size = sizeof now.b}}};
    mt_tpm_policy_authorize(&s->operator_key, &signed_in);
    memcpy(either.digests[0].buffer, s->measured.b, sizeof s->measured.b);
    memcpy(either.digests[1].buffer, signed_in.b, sizeof signed_in.b);
    return mt_tpm_said(
        Esys_PolicyOR(t->esys, policy->at, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &either));
}

/* And that it has not been replaced since. */
static MT_ERR satisfy(const struct mt_tpm_object *policy, const struct mt_tpm_sealed *s)
{
    MT_TRY(satisfy_images(policy, s));
    return s->is_counted ? mt_tpm_policy_slots(policy, s->until) : MT_OK;
}

mt_err mt_tpm_unseal(struct mt_device *d, mt_bytes sealed, mt_span secret)
{
    struct mt_tpm *t = mt_tpm_of(d);
    struct mt_tpm_sealed s;
    MT_DEFER(mt_tpm_release_secret) TPM2B_SENSITIVE_DATA *plain = NULL;
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object parent = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object object = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object policy = {t, ESYS_TR_NONE};
    MT_TRY(mt_tpm_sealed_parse(sealed, &s));
    MT_TRY(mt_tpm_ready(t));
    MT_TRY(mt_tpm_primary(&parent, MT_TPM_STORAGE, NULL));
    MT_TRY(mt_tpm_said(Esys_Load(t->esys, parent.at, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                 &s.private, &s.area, &object.at)));
    MT_TRY(mt_tpm_session(&policy, &parent, TPM2_SE_POLICY, TPMA_SESSION_ENCRYPT));
    MT_TRY(satisfy(&policy, &s));
    MT_TRY(mt_tpm_said(
        Esys_Unseal(t->esys, object.at, policy.at, ESYS_TR_NONE, ESYS_TR_NONE, &plain)));
    MT_REQUIRE(plain->size == secret.len, MT_E_FORMAT, "a sealed secret has another length");
    memcpy(secret.ptr, plain->buffer, plain->size);
    return MT_OK;
}

/* What the operator let in is not what was sealed for; and another operator's word counts now. */
mt_err mt_tpm_is_current(struct mt_device *d, mt_bytes sealed, bool *out)
{
    struct mt_tpm *t = mt_tpm_of(d);
    struct mt_tpm_sealed s;
    mt_hash now;
    MT_TRY(mt_tpm_sealed_parse(sealed, &s));
    MT_TRY(mt_tpm_ready(t));
    MT_TRY(policy_now(t, &now));
    bool is_same_operator = s.has_operator == t->has_operator &&
                            (!s.has_operator || mt_bytes_equal(mt_spki_bytes(&s.operator_key),
                                                               mt_spki_bytes(&t->operator_key)));
    *out = s.is_counted && is_same_operator && mt_hash_equal(&s.measured, &now);
    return MT_OK;
}

/* One step at most: what was sealed as the next is one ahead, everything else is not. */
mt_err mt_tpm_retire(struct mt_device *d, mt_bytes sealed)
{
    struct mt_tpm *t = mt_tpm_of(d);
    struct mt_tpm_sealed s;
    uint64_t now = 0;
    MT_TRY(mt_tpm_sealed_parse(sealed, &s));
    if (!s.is_counted) {
        return MT_OK;
    }
    MT_TRY(mt_tpm_ready(t));
    MT_TRY(mt_tpm_count_slots(t, false, &now));
    return now + 1 == s.until ? mt_tpm_count_slots(t, true, &now) : MT_OK;
}
