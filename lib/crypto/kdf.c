/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/assert.h"
#include "crypto/hash.h"
#include "crypto/inside.h"

/* OpenSSL takes what it only reads as a writable pointer. */
static void *as_writable(mt_bytes b)
{
    const union {
        const uint8_t *read;
        void *write;
    } u = {.read = b.ptr};
    return u.write;
}

static MT_ERR derive(EVP_KDF *kdf, const OSSL_PARAM *params, mt_span out)
{
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    MT_REQUIRE(ctx != NULL, MT_E_NOMEM, "no memory to derive a key");
    int ok = EVP_KDF_derive(ctx, out.ptr, out.len, params);
    EVP_KDF_CTX_free(ctx);
    MT_REQUIRE(ok == 1, MT_E_INTERNAL, "a key cannot be derived");
    return MT_OK;
}

MT_ERR mt_kdf(mt_bytes key, enum mt_label label, mt_bytes context, mt_span out)
{
    enum { INFO_MAX = 512 };
    uint8_t room[INFO_MAX];
    char digest[] = "SHA2-256";
    mt_bytes text = mt_label_bytes(label);
    mt_bytes info;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    MT_ASSERT(key.len > 0);
    mt_write_u8(&w, (uint8_t)text.len);
    mt_write_bytes(&w, text);
    mt_write_bytes(&w, context);
    MT_TRY(mt_write_end(&w, &info));
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, as_writable(key), key.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, as_writable(info), info.len),
        OSSL_PARAM_construct_end(),
    };
    return derive(mt_crypto.hkdf, params, out);
}

MT_ERR mt_kdf_passphrase(mt_bytes passphrase, mt_bytes salt, uint32_t log2_n, mt_span out)
{
    enum { BLOCK = 8, PARALLEL = 1, LOG2_MIN = 14, LOG2_MAX = 20 };
    uint64_t n = (uint64_t)1 << (log2_n & 31);
    uint32_t r = BLOCK;
    uint32_t p = PARALLEL;
    uint64_t memory_max = ((uint64_t)128 * BLOCK << LOG2_MAX) + ((uint64_t)1 << 20);
    MT_REQUIRE(log2_n >= LOG2_MIN && log2_n <= LOG2_MAX, MT_E_LIMIT,
               "scrypt's cost is out of its range");
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, as_writable(passphrase),
                                          passphrase.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, as_writable(salt), salt.len),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_max),
        OSSL_PARAM_construct_end(),
    };
    return derive(mt_crypto.scrypt, params, out);
}
