/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sign.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/inside.h"

enum { POINT_LEN = 65, HALF = 32, DER_MAX = 80 };

/* RFC 5480: id-ecPublicKey, prime256v1, BIT STRING of 66 bytes; the uncompressed point follows. */
static const uint8_t spki_head[MT_SPKI_LEN - POINT_LEN] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

struct mt_key {
    EVP_PKEY *pkey;
    mt_spki public;
};

static void free_pkey(EVP_PKEY **p)
{
    EVP_PKEY_free(*p);
    *p = NULL;
}

static void free_pkey_ctx(EVP_PKEY_CTX **p)
{
    EVP_PKEY_CTX_free(*p);
    *p = NULL;
}

static void free_md_ctx(EVP_MD_CTX **p)
{
    EVP_MD_CTX_free(*p);
    *p = NULL;
}

MT_ERR mt_pkey_of_point(EVP_PKEY *curve, mt_bytes point, EVP_PKEY **out)
{
    MT_DEFER(free_pkey) EVP_PKEY *k = EVP_PKEY_dup(curve);
    MT_REQUIRE(k != NULL, MT_E_NOMEM, "no memory for a key");
    MT_REQUIRE(EVP_PKEY_set1_encoded_public_key(k, point.ptr, point.len) == 1, MT_E_FORMAT,
               "a public key is no point on the curve");
    *out = k;
    k = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_spki_parse(mt_bytes der, mt_spki *out)
{
    MT_DEFER(free_pkey) EVP_PKEY *pkey = NULL;
    bool has_shape =
        der.len == MT_SPKI_LEN && mt_bytes_equal((mt_bytes){der.ptr, sizeof spki_head},
                                                 (mt_bytes){spki_head, sizeof spki_head});
    MT_REQUIRE(has_shape && der.ptr[sizeof spki_head] == 4, MT_E_FORMAT,
               "a public key is not a P-256 SPKI with an uncompressed point");
    MT_TRY(
        mt_pkey_of_point(mt_crypto.p256, (mt_bytes){der.ptr + sizeof spki_head, POINT_LEN}, &pkey));
    memcpy(out->b, der.ptr, sizeof out->b);
    return MT_OK;
}

void mt_spki_hash(const mt_spki *k, mt_hash *out)
{
    const mt_bytes part = mt_spki_bytes(k);
    mt_sha256(&part, 1, out);
}

static MT_ERR finish_key(EVP_PKEY **pkey, struct mt_key **out)
{
    size_t len = 0;
    uint8_t point[POINT_LEN];
    struct mt_key *k = calloc(1, sizeof *k);
    MT_REQUIRE(k != NULL, MT_E_NOMEM, "no memory for a key");
    if (EVP_PKEY_get_octet_string_param(*pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                        &len) != 1 ||
        len != POINT_LEN) {
        free(k);
        MT_FAIL(MT_E_INTERNAL, "a key has no public point");
    }
    memcpy(k->public.b, spki_head, sizeof spki_head);
    memcpy(k->public.b + sizeof spki_head, point, sizeof point);
    k->pkey = *pkey;
    *pkey = NULL; /* given */
    *out = k;
    return MT_OK;
}

MT_ERR mt_key_new(struct mt_key **out)
{
    MT_DEFER(free_pkey) EVP_PKEY *pkey = EVP_PKEY_Q_keygen(mt_crypto.lib, NULL, "EC", "P-256");
    MT_REQUIRE(pkey != NULL, MT_E_INTERNAL, "a key cannot be made");
    return finish_key(&pkey, out);
}

/* The public point is not in a private scalar: an EC_GROUP multiplies it out. */
static MT_ERR point_of_private(const BIGNUM *d, uint8_t point[POINT_LEN])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name_ex(mt_crypto.lib, NULL, NID_X9_62_prime256v1);
    EC_POINT *p = group != NULL ? EC_POINT_new(group) : NULL;
    bool ok = p != NULL && !BN_is_zero(d) && BN_cmp(d, EC_GROUP_get0_order(group)) < 0;
    ok = ok && EC_POINT_mul(group, p, d, NULL, NULL, NULL) == 1;
    ok = ok && EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, point, POINT_LEN,
                                  NULL) == POINT_LEN;
    EC_POINT_free(p);
    EC_GROUP_free(group);
    MT_REQUIRE(ok, MT_E_FORMAT, "a private key is not between 0 and the order of the curve");
    return MT_OK;
}

static MT_ERR pkey_of_private(const BIGNUM *d, const uint8_t point[POINT_LEN], EVP_PKEY **out)
{
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    bool ok = b != NULL &&
              OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1;
    ok = ok && OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_LEN) == 1;
    ok = ok && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1;
    if (ok) {
        params = OSSL_PARAM_BLD_to_param(b);
    }
    OSSL_PARAM_BLD_free(b);
    MT_REQUIRE(params != NULL, MT_E_NOMEM, "no memory for a key");
    MT_DEFER(free_pkey_ctx)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(mt_crypto.lib, "EC", NULL);
    ok = ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
         EVP_PKEY_fromdata(ctx, out, EVP_PKEY_KEYPAIR, params) == 1;
    OSSL_PARAM_free(params);
    MT_REQUIRE(ok, MT_E_FORMAT, "a private key is refused");
    return MT_OK;
}

MT_ERR mt_key_of_private(mt_bytes d, struct mt_key **out)
{
    uint8_t point[POINT_LEN];
    MT_DEFER(free_pkey) EVP_PKEY *pkey = NULL;
    MT_REQUIRE(d.len == MT_PRIVATE_LEN, MT_E_FORMAT, "a private key has 32 bytes");
    BIGNUM *n = BN_secure_new();
    if (n == NULL || BN_bin2bn(d.ptr, (int)d.len, n) == NULL) {
        BN_clear_free(n);
        MT_FAIL(MT_E_NOMEM, "no memory for a key");
    }
    mt_err e = point_of_private(n, point);
    if (!mt_failed(e)) {
        e = pkey_of_private(n, point, &pkey);
    }
    BN_clear_free(n);
    MT_TRY(e);
    return finish_key(&pkey, out);
}

MT_ERR mt_key_private(const struct mt_key *k, mt_span out)
{
    BIGNUM *d = NULL;
    MT_ASSERT(out.len == MT_PRIVATE_LEN);
    MT_REQUIRE(EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1, MT_E_INTERNAL,
               "a key has no private part");
    int len = BN_bn2binpad(d, out.ptr, (int)out.len);
    BN_clear_free(d);
    MT_REQUIRE(len == MT_PRIVATE_LEN, MT_E_INTERNAL, "a private key has the wrong length");
    return MT_OK;
}

const mt_spki *mt_key_public(const struct mt_key *k)
{
    return &k->public;
}

void mt_key_free(struct mt_key **k)
{
    if (*k != NULL) {
        EVP_PKEY_free((*k)->pkey);
        free(*k);
        *k = NULL;
    }
}

void *mt_key_native(const struct mt_key *k)
{
    return k->pkey;
}

MT_ERR mt_sign(const struct mt_key *k, mt_bytes message, uint8_t out[MT_SIGNATURE_LEN])
{
    uint8_t der[DER_MAX];
    size_t len = sizeof der;
    const uint8_t *at = der;
    MT_DEFER(free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    MT_REQUIRE(ctx != NULL, MT_E_NOMEM, "no memory to sign");
    bool ok = EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", mt_crypto.lib, NULL, k->pkey, NULL) == 1;
    MT_REQUIRE(ok && EVP_DigestSign(ctx, der, &len, message.ptr, message.len) == 1, MT_E_INTERNAL,
               "signing failed");
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    MT_REQUIRE(sig != NULL, MT_E_INTERNAL, "a signature of ours is malformed");
    ok = BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, HALF) == HALF &&
         BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + HALF, HALF) == HALF;
    ECDSA_SIG_free(sig);
    MT_REQUIRE(ok, MT_E_INTERNAL, "a signature of ours is too long");
    return MT_OK;
}

MT_ERR mt_ecdsa_der_of_raw(mt_bytes raw, mt_span der, size_t *len)
{
    uint8_t *at = der.ptr;
    int half = (int)(raw.len / 2);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw.ptr, half, NULL);
    BIGNUM *s = BN_bin2bn(raw.ptr + half, half, NULL);
    if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
        ECDSA_SIG_free(sig);
        BN_free(r);
        BN_free(s);
        MT_FAIL(MT_E_NOMEM, "no memory to verify");
    }
    int n = i2d_ECDSA_SIG(sig, NULL);
    if (n > 0 && (size_t)n <= der.len) {
        n = i2d_ECDSA_SIG(sig, &at);
    }
    ECDSA_SIG_free(sig);
    MT_REQUIRE(n > 0 && (size_t)n <= der.len, MT_E_PROOF, "a signature does not verify");
    *len = (size_t)n;
    return MT_OK;
}

MT_ERR mt_verify(const mt_spki *k, mt_bytes message, mt_bytes signature)
{
    uint8_t der[DER_MAX];
    size_t len = 0;
    MT_DEFER(free_pkey) EVP_PKEY *pkey = NULL;
    MT_DEFER(free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    MT_REQUIRE(signature.len == MT_SIGNATURE_LEN, MT_E_PROOF, "a signature does not have 64 bytes");
    MT_REQUIRE(ctx != NULL, MT_E_NOMEM, "no memory to verify");
    MT_TRY(mt_ecdsa_der_of_raw(signature, (mt_span){der, sizeof der}, &len));
    MT_TRY(mt_pkey_of_point(mt_crypto.p256, (mt_bytes){k->b + sizeof spki_head, POINT_LEN}, &pkey));
    bool ok = EVP_DigestVerifyInit_ex(ctx, NULL, "SHA2-256", mt_crypto.lib, NULL, pkey, NULL) == 1;
    MT_REQUIRE(ok, MT_E_INTERNAL, "a signature cannot be verified");
    MT_REQUIRE(EVP_DigestVerify(ctx, der, len, message.ptr, message.len) == 1, MT_E_PROOF,
               "a signature does not verify");
    return MT_OK;
}
