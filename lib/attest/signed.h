/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_SIGNED_H
#define MT_ATTEST_SIGNED_H

#include "crypto/labels.h"
#include "crypto/sign.h"

/*
 * A signed statement: CBOR [SPKI of the signer, COSE_Sign1 with the label as external_aad and the
 * payload inside] (spec/signed-statement.md). Who the signer is, and whether to believe it, is the
 * caller's question.
 */
void mt_signed_write(struct mt_writer *w, const struct mt_key *k, enum mt_label label,
                     mt_bytes payload);

/* Verifies. MT_E_FORMAT, or MT_E_PROOF if the signature is not the signer's. `payload` borrows from
 * `in`. */
MT_ERR mt_signed_parse(mt_bytes in, enum mt_label label, mt_spki *signer, mt_bytes *payload);

#endif
