/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_COSE_H
#define MT_WIRE_COSE_H

#include "base/bytes.h"

/*
 * COSE_Sign1 (RFC 9052, section 4.2), tag 18, as bytes and as values. Pure format: lib/crypto signs
 * and verifies what mt_cose_tbs_write() makes. ES256 only. The external_aad is one of our labels
 * (crypto/labels.h), so that a signature for one purpose is never good for another.
 */
struct mt_cose_sign1 {
    mt_bytes protected_;  /* the encoded protected header map, without its byte string head */
    mt_bytes unprotected; /* the encoded unprotected map, whole item; empty map: a0 */
    mt_bytes payload;
    bool is_detached;   /* payload nil on the wire: the verifier rebuilds it */
    mt_bytes signature; /* 64 bytes r || s */
};

/* Borrows from `in`. Whole message, tagged, no trailing bytes. */
MT_ERR mt_cose_sign1_parse(mt_bytes in, struct mt_cose_sign1 *out);
void mt_cose_sign1_write(struct mt_writer *w, const struct mt_cose_sign1 *m);

/* The Sig_structure: ["Signature1", protected, external_aad, payload]. */
void mt_cose_tbs_write(struct mt_writer *w, mt_bytes protected_, mt_bytes external_aad,
                       mt_bytes payload);

/* Protected header {1: -7, 4: kid}: ES256, and the key hash of the signer (32 bytes). */
void mt_cose_protected_write(struct mt_writer *w, mt_bytes kid);
/* Exactly such a header. */
MT_ERR mt_cose_protected_parse(mt_bytes protected_, mt_bytes *kid);

#endif
