/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <tss2/tss2_mu.h>

#include "platform/tpm/inside.h"

/*
 * A counter that the TPM stores. One that was deleted and made again goes on above all that there
 * ever were in this TPM (TPM 2.0 Library, Part 1, 37.2.4): deleting it does not take it back.
 */
enum { COUNTER = 0x01804d54, COUNTER_LEN = 8 }; /* of the range that is the owner's */

static const TPMS_NV_PUBLIC wanted = {
    .nvIndex = COUNTER,
    .nameAlg = TPM2_ALG_SHA256,
    .attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA |
                  (TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT),
    .dataSize = COUNTER_LEN,
};

static MT_ERR name_of(const TPMS_NV_PUBLIC *area, uint8_t *out, size_t room, size_t *len)
{
    *len = 0;
    return mt_tpm_said(Tss2_MU_TPMS_NV_PUBLIC_Marshal(area, out, room, len));
}

/* What stands at our number must be what we would have made: a plain store under the same number
 * could be set to anything. */
static MT_ERR check_area(struct mt_tpm *t, ESYS_TR nv, bool *is_written)
{
    uint8_t ours[sizeof(TPMS_NV_PUBLIC)];
    uint8_t theirs[sizeof(TPMS_NV_PUBLIC)];
    size_t ours_len = 0;
    size_t theirs_len = 0;
    MT_DEFER(mt_tpm_release) TPM2B_NV_PUBLIC *area = NULL;
    MT_TRY(mt_tpm_said(
        Esys_NV_ReadPublic(t->esys, nv, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, NULL)));
    *is_written = (area->nvPublic.attributes & TPMA_NV_WRITTEN) != 0;
    area->nvPublic.attributes &= ~(TPMA_NV)TPMA_NV_WRITTEN;
    MT_TRY(name_of(&wanted, ours, sizeof ours, &ours_len));
    MT_TRY(name_of(&area->nvPublic, theirs, sizeof theirs, &theirs_len));
    MT_REQUIRE(mt_bytes_equal((mt_bytes){ours, ours_len}, (mt_bytes){theirs, theirs_len}),
               MT_E_PROOF, "what the TPM has in the counter's place is no counter of ours");
    return MT_OK;
}

static MT_ERR find(struct mt_tpm *t, ESYS_TR *nv)
{
    const TPM2B_NV_PUBLIC area = {.nvPublic = wanted};
    mt_err e = mt_tpm_said(
        Esys_TR_FromTPMPublic(t->esys, COUNTER, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nv));
    if (!mt_failed(e) || e.fault->code != MT_E_NOTFOUND) {
        return e;
    }
    return mt_tpm_said(Esys_NV_DefineSpace(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
                                           ESYS_TR_NONE, ESYS_TR_NONE, NULL, &area, nv));
}

/* Each command names the counter and each answer is authenticated, by a session whose key the bus
 * has not seen. */
static MT_ERR step_and_read(const struct mt_tpm_object *session, ESYS_TR nv, bool is_step,
                            uint64_t *out)
{
    bool is_written = false;
    struct mt_tpm *t = session->t;
    MT_DEFER(mt_tpm_release) TPM2B_MAX_NV_BUFFER *value = NULL;
    MT_TRY(check_area(t, nv, &is_written));
    if (is_step || !is_written) {
        MT_TRY(mt_tpm_said(
            Esys_NV_Increment(t->esys, nv, nv, session->at, ESYS_TR_NONE, ESYS_TR_NONE)));
    }
    MT_TRY(mt_tpm_said(Esys_NV_Read(t->esys, nv, nv, session->at, ESYS_TR_NONE, ESYS_TR_NONE,
                                    COUNTER_LEN, 0, &value)));
    struct mt_reader r = mt_reader_over((mt_bytes){value->buffer, value->size});
    uint64_t number = 0;
    MT_TRY(mt_read_u64be(&r, &number));
    MT_TRY(mt_read_end(&r));
    *out = number;
    return MT_OK;
}

mt_err mt_tpm_count(struct mt_device *d, bool is_step, uint64_t *out)
{
    ESYS_TR nv = ESYS_TR_NONE;
    struct mt_tpm *t = mt_tpm_of(d);
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object salt = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object session = {t, ESYS_TR_NONE};
    MT_TRY(mt_tpm_ready(t));
    MT_TRY(find(t, &nv));
    mt_err e = mt_tpm_primary(&salt, MT_TPM_STORAGE, NULL);
    if (!mt_failed(e)) {
        e = mt_tpm_session(&session, &salt, TPM2_SE_HMAC, 0);
    }
    if (!mt_failed(e)) {
        e = step_and_read(&session, nv, is_step, out);
    }
    MT_TRY(mt_tpm_said(Esys_TR_Close(t->esys, &nv)));
    return e;
}
