/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_INSIDE_H
#define MT_CRYPTO_INSIDE_H

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "crypto/x509.h"

/* What the files of this folder share, and nobody else includes: OpenSSL's objects, fetched once.
 */
struct mt_crypto {
    OSSL_LIB_CTX *lib;
    OSSL_PROVIDER *standard;
    OSSL_PROVIDER *entropy;
    EVP_MD *sha256;
    EVP_MD *sha384;
    EVP_MD *sha512;
    EVP_MAC *hmac;
    EVP_KDF *hkdf;
    EVP_KDF *scrypt;
    EVP_CIPHER *aes_256_gcm;
    EVP_PKEY *p256; /* keys without a point: to copy one is cheaper than to ask for its curve */
    EVP_PKEY *p384;
    _Atomic(EVP_MD_CTX *) spare; /* for SHA-256; whoever takes it has it alone */
};

extern struct mt_crypto mt_crypto;

/* A public key like mt_crypto.p256 or p384; 04 || x || y. */
enum { MT_POINT_LEN_MAX = 97 };
MT_ERR mt_pkey_of_point(EVP_PKEY *curve, mt_bytes point, EVP_PKEY **out);

/* An ECDSA signature r || s, as OpenSSL wants it. MT_E_PROOF if `der` is too small for it. */
MT_ERR mt_ecdsa_der_of_raw(mt_bytes raw, mt_span der, size_t *len);

/* A signature as certificates hold it: ECDSA in DER, RSA-PSS with a salt as long as the hash. */
MT_ERR mt_pubkey_verify_held(const struct mt_pubkey *k, enum mt_scheme scheme, mt_bytes message,
                             mt_bytes signature);
enum mt_pubkey_kind mt_pubkey_kind_of(enum mt_scheme scheme);

struct mt_x509_plain;
MT_ERR mt_x509_native(const struct mt_x509 *c, X509 **out); /* the caller frees it */
/* NULL if it is not plain. */
const struct mt_x509_plain *mt_x509_plain_of(const struct mt_x509 *c);
/* The two halves of mt_x509_verify(): true only if OpenSSL says sound too, while false says
 * nothing; and OpenSSL alone. */
bool mt_x509_is_quickly_sound(const struct mt_x509_chain *chain, const struct mt_x509_trust *trust);
MT_ERR mt_x509_verify_slowly(const struct mt_x509_chain *chain, const struct mt_x509_trust *trust,
                             enum mt_x509_fault *why);
MT_ERR mt_x509_ms_of_time(const ASN1_TIME *t, uint64_t *out);
/* A list in DER, whole, that says when the next one comes; the caller frees it. */
MT_ERR mt_x509_list_read(mt_bytes der, X509_CRL **out);

MT_ERR mt_secret_slab_new(void);
void mt_secret_slab_free(void);

#endif
