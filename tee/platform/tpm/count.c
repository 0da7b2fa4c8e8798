/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <tss2/tss2_mu.h>

#include "platform/tpm/inside.h"

/*
 * Counters that the TPM stores: one against a disk that was put back (seal/fresh.h), one that says
 * which sealed secrets have been replaced (sealed.h). One that was deleted and made again goes on
 * above all that there ever were in this TPM (TPM 2.0 Library, Part 1, 37.2.4): deleting it does
 * not take it back.
 */
enum { COUNTER = 0x01804d54 }; /* of the range that is the owner's */

_Static_assert(MT_TPM_COUNTER_ATTRIBUTES == (TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA |
                                             (TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT)),
               "a policy names the counter that we make");
_Static_assert(MT_TPM_COUNTER_WRITTEN == TPMA_NV_WRITTEN, "and once it was written");

static TPMS_NV_PUBLIC wanted_at(TPM2_HANDLE index)
{
    return (TPMS_NV_PUBLIC){.nvIndex = index,
                            .nameAlg = TPM2_ALG_SHA256,
                            .attributes = MT_TPM_COUNTER_ATTRIBUTES,
                            .dataSize = MT_TPM_COUNTER_LEN};
}

static MT_ERR name_of(const TPMS_NV_PUBLIC *area, uint8_t *out, size_t room, size_t *len)
{
    *len = 0;
    return mt_tpm_said(Tss2_MU_TPMS_NV_PUBLIC_Marshal(area, out, room, len));
}

/* What stands at our number must be what we would have made: a plain store under the same number
 * could be set to anything. */
static MT_ERR check_area(struct mt_tpm *t, TPM2_HANDLE index, ESYS_TR nv, bool *is_written)
{
    const TPMS_NV_PUBLIC wanted = wanted_at(index);
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

static MT_ERR find(struct mt_tpm *t, TPM2_HANDLE index, ESYS_TR *nv)
{
    const TPM2B_NV_PUBLIC area = {.nvPublic = wanted_at(index)};
    mt_err e = mt_tpm_said(
        Esys_TR_FromTPMPublic(t->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nv));
    if (!mt_failed(e) || e.fault->code != MT_E_NOTFOUND) {
        return e;
    }
    return mt_tpm_said(Esys_NV_DefineSpace(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
                                           ESYS_TR_NONE, ESYS_TR_NONE, NULL, &area, nv));
}

/* Each command names the counter and each answer is authenticated, by a session whose key the bus
 * has not seen. */
static MT_ERR step_and_read(const struct mt_tpm_object *session, TPM2_HANDLE index, ESYS_TR nv,
                            bool is_step, uint64_t *out)
{
    bool is_written = false;
    struct mt_tpm *t = session->t;
    MT_DEFER(mt_tpm_release) TPM2B_MAX_NV_BUFFER *value = NULL;
    MT_TRY(check_area(t, index, nv, &is_written));
    if (is_step || !is_written) {
        MT_TRY(mt_tpm_said(
            Esys_NV_Increment(t->esys, nv, nv, session->at, ESYS_TR_NONE, ESYS_TR_NONE)));
    }
    MT_TRY(mt_tpm_said(Esys_NV_Read(t->esys, nv, nv, session->at, ESYS_TR_NONE, ESYS_TR_NONE,
                                    MT_TPM_COUNTER_LEN, 0, &value)));
    struct mt_reader r = mt_reader_over((mt_bytes){value->buffer, value->size});
    uint64_t number = 0;
    MT_TRY(mt_read_u64be(&r, &number));
    MT_TRY(mt_read_end(&r));
    *out = number;
    return MT_OK;
}

/* Nobody without the private half of the key that salts the session could have answered in it: so
 * the key's name says which TPM counts. Its seed is the owner's, and so is the counter. */
static MT_ERR name_key(const struct mt_tpm_object *salt, mt_hash *out)
{
    enum { ALGORITHM_LEN = 2 };
    MT_DEFER(mt_tpm_release) TPM2B_NAME *name = NULL;
    MT_TRY(mt_tpm_said(Esys_TR_GetName(salt->t->esys, salt->at, &name)));
    MT_REQUIRE(name->size == ALGORITHM_LEN + sizeof out->b, MT_E_FORMAT,
               "a TPM's key has a name of another length");
    memcpy(out->b, name->name + ALGORITHM_LEN, sizeof out->b);
    return MT_OK;
}

static MT_ERR count(struct mt_tpm *t, TPM2_HANDLE index, bool is_step, uint64_t *out,
                    mt_hash *whose)
{
    ESYS_TR nv = ESYS_TR_NONE;
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object salt = {t, ESYS_TR_NONE};
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object session = {t, ESYS_TR_NONE};
    MT_TRY(find(t, index, &nv));
    mt_err e = mt_tpm_primary(&salt, MT_TPM_STORAGE, NULL);
    if (!mt_failed(e)) {
        e = mt_tpm_session(&session, &salt, TPM2_SE_HMAC, 0);
    }
    if (!mt_failed(e)) {
        e = step_and_read(&session, index, nv, is_step, out);
    }
    if (!mt_failed(e)) {
        e = name_key(&salt, whose);
    }
    MT_TRY(mt_tpm_said(Esys_TR_Close(t->esys, &nv)));
    return e;
}

mt_err mt_tpm_count(struct mt_device *d, bool is_step, uint64_t *out, mt_hash *whose)
{
    MT_TRY(mt_tpm_ready(mt_tpm_of(d)));
    return count(mt_tpm_of(d), COUNTER, is_step, out, whose);
}

MT_ERR mt_tpm_count_slots(struct mt_tpm *t, bool is_step, uint64_t *out)
{
    mt_hash whose;
    return count(t, MT_TPM_SLOT_COUNTER, is_step, out, &whose);
}

MT_ERR mt_tpm_policy_slots(const struct mt_tpm_object *policy, uint64_t until)
{
    ESYS_TR nv = ESYS_TR_NONE;
    struct mt_tpm *t = policy->t;
    TPM2B_OPERAND most = {.size = MT_TPM_COUNTER_LEN};
    struct mt_writer w = mt_writer_over((mt_span){most.buffer, MT_TPM_COUNTER_LEN});
    mt_write_u64be(&w, until);
    mt_err e = mt_tpm_said(Esys_TR_FromTPMPublic(t->esys, MT_TPM_SLOT_COUNTER, ESYS_TR_NONE,
                                                 ESYS_TR_NONE, ESYS_TR_NONE, &nv));
    bool is_gone = mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
    MT_REQUIRE(!is_gone, MT_E_DENIED, "the TPM's counter of key slots was deleted");
    MT_TRY(e);
    e = mt_tpm_said(Esys_PolicyNV(t->esys, nv, nv, policy->at, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                  ESYS_TR_NONE, &most, 0, MT_TPM_UNSIGNED_LE));
    MT_TRY(mt_tpm_said(Esys_TR_Close(t->esys, &nv)));
    return e;
}
