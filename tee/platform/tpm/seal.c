/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <tss2/tss2_mu.h>

#include "attest/tpm_policy.h"
#include "base/limits.h"
#include "crypto/ct.h"
#include "platform/tpm/inside.h"

/* A sealed secret: TPM2B_PUBLIC, then TPM2B_PRIVATE. */

static void wipe_sensitive(TPM2B_SENSITIVE_CREATE *s)
{
    mt_wipe((mt_span){(uint8_t *)s, sizeof *s});
}

static void release_values(struct mt_buf *b)
{
    mt_buf_free(b);
}

/* No password opens it, only the policy: userWithAuth is clear. */
static MT_ERR wanted_area(struct mt_tpm *t, TPM2B_PUBLIC *out)
{
    mt_hash policy;
    MT_DEFER(release_values) struct mt_buf values = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    MT_TRY(mt_tpm_read_pcrs(t, MT_TPM_PCRS_SEALED, &values));
    mt_tpm_policy_pcrs(MT_TPM_PCRS_SEALED, mt_buf_bytes(&values), &policy);
    *out = (TPM2B_PUBLIC){
        .publicArea = {.type = TPM2_ALG_KEYEDHASH,
                       .nameAlg = TPM2_ALG_SHA256,
                       .objectAttributes =
                           TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA,
                       .authPolicy = {.size = sizeof policy.b},
                       .parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL}};
    memcpy(out->publicArea.authPolicy.buffer, policy.b, sizeof policy.b);
    return MT_OK;
}

mt_err mt_tpm_seal(struct mt_device *d, mt_bytes secret, struct mt_buf *out)
{
    static const TPM2B_DATA nothing = {.size = 0};
    static const TPML_PCR_SELECTION no_pcrs = {.count = 0};
    TPM2B_PUBLIC wanted;
    uint8_t bytes[sizeof(TPM2B_PUBLIC) + sizeof(TPM2B_PRIVATE)];
    size_t len = 0;
    struct mt_tpm *t = mt_tpm_of(d);
    MT_DEFER(wipe_sensitive) TPM2B_SENSITIVE_CREATE sensitive = {.size = 0};
    MT_DEFER(mt_tpm_release) TPM2B_PUBLIC *area = NULL;
    MT_DEFER(mt_tpm_release) TPM2B_PRIVATE *private = NULL;
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object parent = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object session = {t, ESYS_TR_NONE};
    MT_REQUIRE(secret.len > 0 && secret.len <= sizeof sensitive.sensitive.data.buffer / 2, MT_E_ARG,
               "a TPM seals a key, nothing longer");
    sensitive.sensitive.data.size = (uint16_t)secret.len;
    memcpy(sensitive.sensitive.data.buffer, secret.ptr, secret.len);
    MT_TRY(wanted_area(t, &wanted));
    MT_TRY(mt_tpm_primary(&parent, MT_TPM_STORAGE, NULL));
    MT_TRY(mt_tpm_session(&session, &parent, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT));
    MT_TRY(mt_tpm_said(Esys_Create(t->esys, parent.at, session.at, ESYS_TR_NONE, ESYS_TR_NONE,
                                   &sensitive, &wanted, &nothing, &no_pcrs, &private, &area, NULL,
                                   NULL, NULL)));
    MT_TRY(mt_tpm_said(Tss2_MU_TPM2B_PUBLIC_Marshal(area, bytes, sizeof bytes, &len)));
    MT_TRY(mt_tpm_said(Tss2_MU_TPM2B_PRIVATE_Marshal(private, bytes, sizeof bytes, &len)));
    return mt_buf_append(out, (mt_bytes){bytes, len});
}

static MT_ERR load(const struct mt_tpm_object *parent, mt_bytes sealed, struct mt_tpm_object *out)
{
    size_t at = 0;
    TPM2B_PUBLIC area = {.size = 0};
    TPM2B_PRIVATE private = {.size = 0};
    MT_TRY(mt_tpm_said(Tss2_MU_TPM2B_PUBLIC_Unmarshal(sealed.ptr, sealed.len, &at, &area)));
    MT_TRY(mt_tpm_said(Tss2_MU_TPM2B_PRIVATE_Unmarshal(sealed.ptr, sealed.len, &at, &private)));
    MT_REQUIRE(at == sealed.len, MT_E_FORMAT, "a sealed secret has trailing bytes");
    return mt_tpm_said(Esys_Load(out->t->esys, parent->at, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                 ESYS_TR_NONE, &private, &area, &out->at));
}

mt_err mt_tpm_unseal(struct mt_device *d, mt_bytes sealed, mt_span secret)
{
    TPML_PCR_SELECTION selection;
    static const TPM2B_DIGEST as_they_are = {.size = 0};
    struct mt_tpm *t = mt_tpm_of(d);
    MT_DEFER(mt_tpm_release_secret) TPM2B_SENSITIVE_DATA *plain = NULL;
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object parent = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object object = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object policy = {t, ESYS_TR_NONE};
    MT_TRY(mt_tpm_primary(&parent, MT_TPM_STORAGE, NULL));
    MT_TRY(load(&parent, sealed, &object));
    MT_TRY(mt_tpm_session(&policy, &parent, TPM2_SE_POLICY, TPMA_SESSION_ENCRYPT));
    mt_tpm_selection(MT_TPM_PCRS_SEALED, &selection);
    MT_TRY(mt_tpm_said(Esys_PolicyPCR(t->esys, policy.at, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                      &as_they_are, &selection)));
    MT_TRY(mt_tpm_said(
        Esys_Unseal(t->esys, object.at, policy.at, ESYS_TR_NONE, ESYS_TR_NONE, &plain)));
    MT_REQUIRE(plain->size == secret.len, MT_E_FORMAT, "a sealed secret has another length");
    memcpy(secret.ptr, plain->buffer, plain->size);
    return MT_OK;
}
