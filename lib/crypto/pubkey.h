/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_PUBKEY_H
#define MT_CRYPTO_PUBKEY_H

#include "base/bytes.h"

/*
 * Public keys of others, of the kinds that makers of hardware use: to verify with, never to sign.
 * Our own keys are those of crypto/sign.h alone.
 */
enum mt_pubkey_kind { MT_PUBKEY_P256, MT_PUBKEY_P384, MT_PUBKEY_RSA };

/* ECDSA signatures are raw: r || s, big endian, each as long as the curve's order. */
enum mt_scheme {
    MT_ECDSA_P256_SHA256,
    MT_ECDSA_P384_SHA384,
    MT_RSA_PKCS1_SHA256,
    MT_RSA_PKCS1_SHA384,
    MT_RSA_PKCS1_SHA512,
    MT_RSA_PSS_SHA256, /* salts of any length: a TPM chooses its own */
    MT_RSA_PSS_SHA384,
};

/* Owned, opaque; read by any thread. */
struct mt_pubkey;

/* SubjectPublicKeyInfo in its one DER encoding; elliptic points uncompressed and on the curve, RSA
 * from 2048 to 8192 bits with an exponent below 2^63. MT_E_FORMAT for anything else. */
MT_ERR mt_pubkey_parse(mt_bytes spki, struct mt_pubkey **out);
/* x || y, 32 or 48 bytes each, big endian. */
MT_ERR mt_pubkey_of_point(mt_bytes xy, struct mt_pubkey **out);
/* Modulus and exponent, big endian. */
MT_ERR mt_pubkey_of_rsa(mt_bytes n, mt_bytes e, struct mt_pubkey **out);
void mt_pubkey_free(struct mt_pubkey **k);

enum mt_pubkey_kind mt_pubkey_kind(const struct mt_pubkey *k);
uint32_t mt_pubkey_bits(const struct mt_pubkey *k);
mt_bytes mt_pubkey_spki(const struct mt_pubkey *k); /* borrows */

/* MT_E_PROOF if it does not verify, a key of another kind than the scheme's included. */
MT_ERR mt_pubkey_verify(const struct mt_pubkey *k, enum mt_scheme scheme, mt_bytes message,
                        mt_bytes signature);

#endif
