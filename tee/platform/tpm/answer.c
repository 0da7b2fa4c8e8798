/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ct.h"
#include "platform/tpm/inside.h"

/* Of a code that names a handle, a parameter or a session, the error alone. */
static TSS2_RC plain(TSS2_RC rc)
{
    enum { NUMBER = 0xf40 }; /* which one, and of which kind */
    return (rc & TPM2_RC_FMT1) != 0 ? rc & ~(TSS2_RC)NUMBER : rc;
}

static MT_ERR said_by_tpm(TSS2_RC rc)
{
    switch (plain(rc)) {
    case TPM2_RC_LOCKOUT:
        MT_FAIL(MT_E_DENIED, "the TPM is locked out: too many wrong authorizations");
    case TPM2_RC_POLICY_FAIL:
    case TPM2_RC_PCR_CHANGED:
        MT_FAIL(MT_E_DENIED, "the TPM's policy says no: what runs was measured otherwise");
    case TPM2_RC_POLICY: /* of PolicyNV: the comparison fails */
        MT_FAIL(MT_E_DENIED, "what the TPM sealed was replaced since, and opens no more");
    case TPM2_RC_RETRY:
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
    case TPM2_RC_CANCELED:
    case TPM2_RC_NV_RATE:
        MT_FAIL(MT_E_BUSY, "the TPM is busy");
    case TPM2_RC_OBJECT_MEMORY:
    case TPM2_RC_SESSION_MEMORY:
    case TPM2_RC_MEMORY:
    case TPM2_RC_OBJECT_HANDLES:
    case TPM2_RC_SESSION_HANDLES:
        MT_FAIL(MT_E_BUSY, "others fill the TPM's memory");
    case TPM2_RC_NV_SPACE:
        MT_FAIL(MT_E_LIMIT, "the TPM has no room to store anything");
    case TPM2_RC_NV_DEFINED:
        MT_FAIL(MT_E_CONFLICT, "the TPM has this already");
    case TPM2_RC_HANDLE:
        MT_FAIL(MT_E_NOTFOUND, "the TPM has no such thing");
    case TPM2_RC_INTEGRITY:
        MT_FAIL(MT_E_PROOF, "this was made for another TPM, or changed");
    case TPM2_RC_AUTH_FAIL:
    case TPM2_RC_BAD_AUTH:
        MT_FAIL(MT_E_DENIED, "the TPM's owner has set a password");
    case TPM2_RC_SIGNATURE:
        MT_FAIL(MT_E_DENIED, "the operator has signed something else than what runs");
    case TPM2_RC_FAILURE:
        MT_FAIL(MT_E_IO, "the TPM is broken: it failed its own tests");
    default:
        MT_FAIL(MT_E_IO, "the TPM refuses a command");
    }
}

MT_ERR mt_tpm_said(TSS2_RC rc)
{
    if (rc == TSS2_RC_SUCCESS) {
        return MT_OK;
    }
    switch (rc & TSS2_RC_LAYER_MASK) {
    case TSS2_TPM_RC_LAYER:
    case TSS2_RESMGR_TPM_RC_LAYER:
        return said_by_tpm(rc & ~(TSS2_RC)TSS2_RC_LAYER_MASK);
    default:
        break;
    }
    switch (rc & ~(TSS2_RC)TSS2_RC_LAYER_MASK) {
    case TSS2_BASE_RC_MEMORY:
        MT_FAIL(MT_E_NOMEM, "no memory to ask a TPM");
    case TSS2_BASE_RC_IO_ERROR:
    case TSS2_BASE_RC_NO_CONNECTION:
    case TSS2_BASE_RC_BAD_SEQUENCE: /* what ESAPI says ever after */
        MT_FAIL(MT_E_CLOSED, "the TPM does not answer any more");
    case TSS2_BASE_RC_TRY_AGAIN:
        MT_FAIL(MT_E_BUSY, "the TPM is busy");
    case TSS2_BASE_RC_RSP_AUTH_FAILED:
    case TSS2_BASE_RC_INVALID_SESSIONS:
        MT_FAIL(MT_E_PROOF, "an answer of the TPM was changed on its way");
    default:
        MT_FAIL(MT_E_FORMAT, "an answer of the TPM is malformed");
    }
}

void mt_tpm_release(void *pointer)
{
    void **p = pointer;
    Esys_Free(*p);
    *p = NULL;
}

void mt_tpm_release_secret(TPM2B_SENSITIVE_DATA **secret)
{
    if (*secret != NULL) {
        mt_wipe((mt_span){(uint8_t *)*secret, sizeof **secret});
    }
    mt_tpm_release(secret);
}

void mt_tpm_release_digest(TPM2B_DIGEST **secret)
{
    if (*secret != NULL) {
        mt_wipe((mt_span){(uint8_t *)*secret, sizeof **secret});
    }
    mt_tpm_release(secret);
}

void mt_tpm_flush(struct mt_tpm_object *o)
{
    if (o->at != ESYS_TR_NONE) {
        /* What a TPM that is gone still holds, its next start forgets. */
        (void)Esys_FlushContext(o->t->esys, o->at);
        o->at = ESYS_TR_NONE;
    }
}
