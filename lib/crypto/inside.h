/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_INSIDE_H
#define MT_CRYPTO_INSIDE_H

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/err.h"

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
};

extern struct mt_crypto mt_crypto;

MT_ERR mt_secret_slab_new(void);
void mt_secret_slab_free(void);

#endif
