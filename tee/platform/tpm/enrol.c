/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <tss2/tss2_mu.h>

#include "platform/tpm/inside.h"

enum {
    EK_CERTIFICATE = 0x01c00002, /* TCG EK Credential Profile 2.5, 2.2.1.4: of the RSA-2048 key */
    CERTIFICATE_MAX = 8 * 1024
};

/* Whoever put it there padded it: what follows is not ours to judge, whoever reads DER does. */
static MT_ERR read_certificate(struct mt_tpm *t, struct mt_buf *out)
{
    mt_err e = mt_tpm_read_nv(t, EK_CERTIFICATE, ESYS_TR_NONE, CERTIFICATE_MAX, out);
    return mt_failed(e) && e.fault->code == MT_E_NOTFOUND ? MT_OK : e; /* the maker gave none */
}

mt_err mt_tpm_endorsement(struct mt_device *d, struct mt_buf *certificate,
                          struct mt_buf *public_area)
{
    uint8_t bytes[sizeof(TPMT_PUBLIC)];
    size_t len = 0;
    struct mt_tpm *t = mt_tpm_of(d);
    MT_DEFER(mt_tpm_release) TPM2B_PUBLIC *area = NULL;
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object ek = {t, ESYS_TR_NONE};
    MT_TRY(mt_tpm_ready(t));
    MT_TRY(mt_tpm_primary(&ek, MT_TPM_EK, &area));
    MT_TRY(mt_tpm_said(Tss2_MU_TPMT_PUBLIC_Marshal(&area->publicArea, bytes, sizeof bytes, &len)));
    MT_TRY(mt_buf_append(public_area, (mt_bytes){bytes, len}));
    return read_certificate(t, certificate);
}

mt_err mt_tpm_activate(struct mt_device *d, mt_bytes blob, mt_bytes secret, mt_span out,
                       size_t *got)
{
    size_t blob_at = 0;
    size_t secret_at = 0;
    TPM2B_ID_OBJECT id;
    TPM2B_ENCRYPTED_SECRET key;
    struct mt_tpm *t = mt_tpm_of(d);
    MT_DEFER(mt_tpm_release_digest) TPM2B_DIGEST *plain = NULL;
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object ek = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object ak = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object session = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object policy = {t, ESYS_TR_NONE};
    MT_TRY(mt_tpm_ready(t));
    MT_TRY(mt_tpm_said(Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(blob.ptr, blob.len, &blob_at, &id)));
    MT_TRY(mt_tpm_said(
        Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(secret.ptr, secret.len, &secret_at, &key)));
    MT_REQUIRE(blob_at == blob.len && secret_at == secret.len, MT_E_FORMAT,
               "a challenge has trailing bytes");
    MT_TRY(mt_tpm_primary(&ek, MT_TPM_EK, NULL));
    MT_TRY(mt_tpm_primary(&ak, MT_TPM_AK, NULL));
    MT_TRY(mt_tpm_session(&session, &ek, TPM2_SE_HMAC, TPMA_SESSION_ENCRYPT));
    MT_TRY(mt_tpm_session(&policy, &ek, TPM2_SE_POLICY, 0));
    MT_TRY(mt_tpm_said(Esys_PolicySecret(t->esys, ESYS_TR_RH_ENDORSEMENT, policy.at,
                                         ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL,
                                         NULL, 0, NULL, NULL)));
    MT_TRY(mt_tpm_said(Esys_ActivateCredential(t->esys, ak.at, ek.at, session.at, policy.at,
                                               ESYS_TR_NONE, &id, &key, &plain)));
    MT_REQUIRE(plain->size <= out.len, MT_E_FORMAT, "an answer to a challenge is too long");
    memcpy(out.ptr, plain->buffer, plain->size);
    *got = plain->size;
    return MT_OK;
}
