/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/wrap.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "base/assert.h"
#include "crypto/inside.h"

static void free_cipher(EVP_CIPHER **c)
{
    EVP_CIPHER_free(*c);
}

static void free_cipher_ctx(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c);
}

static void free_pkey(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void free_pkey_ctx(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}

MT_ERR mt_wrap_cfb(mt_bytes key, mt_bytes plain, mt_span out)
{
    static const uint8_t zero[MT_AES_128_LEN];
    int len = 0;
    MT_ASSERT(key.len == MT_AES_128_LEN);
    MT_ASSERT(out.len == plain.len);
    MT_ASSERT(plain.len <= MT_AES_128_LEN * 8);
    MT_DEFER(free_cipher)
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(mt_crypto.lib, "AES-128-CFB", NULL);
    MT_DEFER(free_cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    MT_REQUIRE(cipher != NULL && ctx != NULL, MT_E_NOMEM, "no memory to encrypt");
    MT_REQUIRE(EVP_EncryptInit_ex2(ctx, cipher, key.ptr, zero, NULL) == 1 &&
                   EVP_EncryptUpdate(ctx, out.ptr, &len, plain.ptr, (int)plain.len) == 1 &&
                   (size_t)len == plain.len,
               MT_E_INTERNAL, "OpenSSL does not encrypt");
    return MT_OK;
}

MT_ERR mt_wrap_rsa(const struct mt_pubkey *k, mt_bytes label, mt_bytes plain, mt_span out)
{
    char digest[] = "SHA2-256";
    char padding[] = OSSL_PKEY_RSA_PAD_MODE_OAEP;
    uint8_t name[32]; /* OpenSSL's table wants it writable */
    size_t len = out.len;
    MT_REQUIRE(mt_pubkey_kind(k) == MT_PUBKEY_RSA, MT_E_ARG, "a key cannot encrypt");
    MT_ASSERT(label.len <= sizeof name);
    MT_ASSERT(out.len == mt_pubkey_bits(k) / 8);
    memcpy(name, label.ptr, label.len);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, padding, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, digest, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, name, label.len),
        OSSL_PARAM_construct_end()};
    const mt_bytes spki = mt_pubkey_spki(k);
    const uint8_t *at = spki.ptr;
    MT_DEFER(free_pkey)
    EVP_PKEY *pkey = d2i_PUBKEY_ex(NULL, &at, (long)spki.len, mt_crypto.lib, NULL);
    MT_REQUIRE(pkey != NULL, MT_E_NOMEM, "no memory to encrypt");
    MT_DEFER(free_pkey_ctx)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(mt_crypto.lib, pkey, NULL);
    MT_REQUIRE(ctx != NULL, MT_E_NOMEM, "no memory to encrypt");
    MT_REQUIRE(EVP_PKEY_encrypt_init_ex(ctx, params) == 1 &&
                   EVP_PKEY_encrypt(ctx, out.ptr, &len, plain.ptr, plain.len) == 1 &&
                   len == out.len,
               MT_E_INTERNAL, "OpenSSL does not encrypt");
    return MT_OK;
}
