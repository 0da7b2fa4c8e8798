/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/tpm/inside.h"

enum { PIECE_MAX = 512 }; /* every TPM reads as much at a time */

static MT_ERR read_pieces(struct mt_tpm *t, ESYS_TR nv, ESYS_TR by, size_t max, struct mt_buf *out)
{
    MT_DEFER(mt_tpm_release) TPM2B_NV_PUBLIC *area = NULL;
    MT_TRY(mt_tpm_said(
        Esys_NV_ReadPublic(t->esys, nv, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, NULL)));
    const uint16_t size = area->nvPublic.dataSize;
    MT_REQUIRE(size <= max, MT_E_FORMAT, "what a TPM stores is too long");
    for (uint16_t at = 0; at < size;) {
        MT_DEFER(mt_tpm_release) TPM2B_MAX_NV_BUFFER *piece = NULL;
        const uint16_t len = size - at < PIECE_MAX ? (uint16_t)(size - at) : PIECE_MAX;
        MT_TRY(mt_tpm_said(Esys_NV_Read(t->esys, by == ESYS_TR_NONE ? nv : by, nv, ESYS_TR_PASSWORD,
                                        ESYS_TR_NONE, ESYS_TR_NONE, len, at, &piece)));
        MT_REQUIRE(piece->size == len, MT_E_FORMAT, "what a TPM stores is cut");
        MT_TRY(mt_buf_append(out, (mt_bytes){piece->buffer, piece->size}));
        at = (uint16_t)(at + len);
    }
    return MT_OK;
}

MT_ERR mt_tpm_read_nv(struct mt_tpm *t, TPM2_HANDLE index, ESYS_TR by, size_t max,
                      struct mt_buf *out)
{
    ESYS_TR nv = ESYS_TR_NONE;
    MT_TRY(mt_tpm_said(
        Esys_TR_FromTPMPublic(t->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv)));
    mt_err e = read_pieces(t, nv, by, max, out);
    MT_TRY(mt_tpm_said(Esys_TR_Close(t->esys, &nv)));
    return e;
}
