/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_INSIDE_H
#define MT_CRYPTO_INSIDE_H

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>
#include <stdatomic.h>

#include "base/bytes.h"

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
    _Atomic(EVP_MD_CTX *) spare; /* for SHA-256; whoever takes it has it alone */
};

extern struct mt_crypto mt_crypto;

/* A public key on "P-256" or "P-384"; 04 || x || y. */
enum { MT_POINT_LEN_MAX = 97 };
MT_ERR mt_pkey_of_point(const char *curve, mt_bytes point, EVP_PKEY **out);

/* An ECDSA signature r || s, as OpenSSL wants it. MT_E_PROOF if `der` is too small for it. */
MT_ERR mt_ecdsa_der_of_raw(mt_bytes raw, mt_span der, size_t *len);

struct mt_x509;
X509 *mt_x509_native(const struct mt_x509 *c); /* borrows */
MT_ERR mt_x509_ms_of_time(const ASN1_TIME *t, uint64_t *out);
/* A list in DER, whole, that says when the next one comes; the caller frees it. */
MT_ERR mt_x509_list_read(mt_bytes der, X509_CRL **out);

MT_ERR mt_secret_slab_new(void);
void mt_secret_slab_free(void);

#endif
