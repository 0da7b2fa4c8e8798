/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_SIGN_H
#define MT_CRYPTO_SIGN_H

#include "base/id.h"

/* ES256: ECDSA on P-256 with SHA-256, signatures as 64 raw bytes r || s (RFC 7518, 3.4; RFC
 * 9053, 2.1). */
enum { MT_SIGNATURE_LEN = 64, MT_SPKI_LEN = 91, MT_PRIVATE_LEN = 32 };

/* A public key: SubjectPublicKeyInfo in DER, uncompressed point. A value. */
typedef struct mt_spki {
    uint8_t b[MT_SPKI_LEN];
} mt_spki;

static inline mt_bytes mt_spki_bytes(const mt_spki *k)
{
    return (mt_bytes){k->b, sizeof k->b};
}

/* MT_E_FORMAT unless it is exactly such an SPKI with a point on the curve. */
MT_ERR mt_spki_parse(mt_bytes der, mt_spki *out);

/* Who this is: SHA-256 of the SPKI. */
void mt_spki_hash(const mt_spki *k, mt_hash *out);

/* A key pair. Owned, opaque; single owner. */
struct mt_key;

MT_ERR mt_key_new(struct mt_key **out);
/* The private scalar, big endian, 32 bytes, 0 < d < n. A secret. */
MT_ERR mt_key_of_private(mt_bytes d, struct mt_key **out);
MT_ERR mt_key_private(const struct mt_key *k, mt_span out);
const mt_spki *mt_key_public(const struct mt_key *k); /* borrows */
void mt_key_free(struct mt_key **k);

MT_ERR mt_sign(const struct mt_key *k, mt_bytes message, uint8_t out[MT_SIGNATURE_LEN]);

/* MT_E_PROOF if it does not verify. */
MT_ERR mt_verify(const mt_spki *k, mt_bytes message, mt_bytes signature);

/* For lib/channel alone: the OpenSSL EVP_PKEY under the key, borrowed. */
void *mt_key_native(const struct mt_key *k);
/* For lib/channel alone: the OSSL_LIB_CTX of mt_crypto_init(). */
void *mt_crypto_native(void);

#endif
