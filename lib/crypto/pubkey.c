/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pubkey.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/der.h"
#include "crypto/hash.h"
#include "crypto/inside.h"

enum {
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192,
    SPKI_BYTES_MAX = 2048,
    RAW_MAX = 96,
    DER_MAX = 112
};

struct mt_pubkey {
    EVP_PKEY *pkey;
    enum mt_pubkey_kind kind;
    uint32_t bits;
    uint8_t *spki;
    size_t spki_len;
};

/* RFC 5480: id-ecPublicKey, the curve, a BIT STRING; the uncompressed point follows. */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
static const uint8_t p384_head[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00};
/* RFC 3279: rsaEncryption, NULL. */
static const uint8_t rsa_head[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                   0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

struct curve {
    enum mt_pubkey_kind kind;
    EVP_PKEY **empty; /* of this curve, without a point */
    size_t point_len; /* 04 || x || y */
    mt_bytes head;
};
static const struct curve curves[] = {
    {MT_PUBKEY_P256, &mt_crypto.p256, 65, {p256_head, sizeof p256_head}},
    {MT_PUBKEY_P384, &mt_crypto.p384, 97, {p384_head, sizeof p384_head}},
};
enum { CURVES = sizeof curves / sizeof *curves };

static void free_md_ctx(EVP_MD_CTX **p)
{
    EVP_MD_CTX_free(*p);
    *p = NULL;
}

static void free_pkey_ctx(EVP_PKEY_CTX **p)
{
    EVP_PKEY_CTX_free(*p);
    *p = NULL;
}

void mt_pubkey_free(struct mt_pubkey **k)
{
    if (*k != NULL) {
        EVP_PKEY_free((*k)->pkey);
        free((*k)->spki);
        free(*k);
        *k = NULL;
    }
}

static MT_ERR read_point(const struct curve *c, mt_bytes point, struct mt_pubkey *k)
{
    MT_REQUIRE(point.ptr[0] == 4, MT_E_FORMAT, "a public key is no uncompressed point");
    MT_TRY(mt_pkey_of_point(*c->empty, point, &k->pkey));
    k->kind = c->kind;
    k->bits = (uint32_t)EVP_PKEY_get_bits(k->pkey);
    return MT_OK;
}

static void free_bignum(BIGNUM **b)
{
    BN_free(*b);
    *b = NULL;
}

static void free_params(OSSL_PARAM **p)
{
    OSSL_PARAM_free(*p);
    *p = NULL;
}

static OSSL_PARAM *rsa_params(const BIGNUM *n, const BIGNUM *e)
{
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    if (b != NULL && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(b);
    }
    OSSL_PARAM_BLD_free(b);
    return params;
}

static MT_ERR make_rsa(mt_bytes n, mt_bytes e, EVP_PKEY **out)
{
    MT_REQUIRE(n.len > 0 && n.len <= RSA_BITS_MAX / 8 + 1 && e.len > 0 && e.len <= 8, MT_E_FORMAT,
               "an RSA key is too long");
    MT_DEFER(free_bignum) BIGNUM *modulus = BN_bin2bn(n.ptr, (int)n.len, NULL);
    MT_DEFER(free_bignum) BIGNUM *exponent = BN_bin2bn(e.ptr, (int)e.len, NULL);
    MT_REQUIRE(modulus != NULL && exponent != NULL, MT_E_NOMEM, "no memory for a public key");
    MT_DEFER(free_params) OSSL_PARAM *params = rsa_params(modulus, exponent);
    MT_DEFER(free_pkey_ctx)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(mt_crypto.lib, "RSA", NULL);
    MT_REQUIRE(params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1, MT_E_NOMEM,
               "no memory for a public key");
    MT_REQUIRE(EVP_PKEY_fromdata(ctx, out, EVP_PKEY_PUBLIC_KEY, params) == 1, MT_E_FORMAT,
               "an RSA key is refused");
    return MT_OK;
}

/* In the one encoding: what is hashed, compared or pinned must not have a second form. */
static MT_ERR read_rsa(mt_bytes spki, struct mt_pubkey *k)
{
    struct mt_reader whole = mt_reader_over(spki);
    mt_bytes all;
    mt_bytes bits;
    mt_bytes numbers;
    mt_bytes n;
    mt_bytes e;
    MT_TRY(mt_der_read_tagged(&whole, MT_DER_SEQUENCE, &all));
    MT_TRY(mt_read_end(&whole));
    MT_REQUIRE(mt_bytes_start_with(all, MT_BYTES_OF(rsa_head)), MT_E_FORMAT,
               "a public key is neither P-256, P-384 nor RSA");
    struct mt_reader r =
        mt_reader_over((mt_bytes){all.ptr + sizeof rsa_head, all.len - sizeof rsa_head});
    MT_TRY(mt_der_read_bits(&r, &bits));
    MT_TRY(mt_read_end(&r));
    struct mt_reader of_bits = mt_reader_over(bits);
    MT_TRY(mt_der_read_tagged(&of_bits, MT_DER_SEQUENCE, &numbers));
    MT_TRY(mt_read_end(&of_bits));
    struct mt_reader in = mt_reader_over(numbers);
    MT_TRY(mt_der_read_integer(&in, &n));
    MT_TRY(mt_der_read_integer(&in, &e));
    MT_TRY(mt_read_end(&in));
    MT_TRY(make_rsa(n, e, &k->pkey));
    k->kind = MT_PUBKEY_RSA;
    k->bits = (uint32_t)EVP_PKEY_get_bits(k->pkey);
    MT_REQUIRE(k->bits >= RSA_BITS_MIN && k->bits <= RSA_BITS_MAX, MT_E_FORMAT,
               "an RSA key is too short or too long");
    return MT_OK;
}

static MT_ERR read_key(mt_bytes spki, struct mt_pubkey *k)
{
    for (size_t i = 0; i < CURVES; i++) {
        const struct curve *c = &curves[i];
        if (spki.len == c->head.len + c->point_len && mt_bytes_start_with(spki, c->head)) {
            return read_point(c, (mt_bytes){spki.ptr + c->head.len, c->point_len}, k);
        }
    }
    return read_rsa(spki, k);
}

MT_ERR mt_pubkey_parse(mt_bytes spki, struct mt_pubkey **out)
{
    MT_REQUIRE(spki.len > 0 && spki.len <= SPKI_BYTES_MAX, MT_E_FORMAT,
               "a public key is empty or too long");
    MT_DEFER(mt_pubkey_free) struct mt_pubkey *k = calloc(1, sizeof *k);
    MT_REQUIRE(k != NULL, MT_E_NOMEM, "no memory for a public key");
    MT_TRY(read_key(spki, k));
    k->spki = malloc(spki.len);
    MT_REQUIRE(k->spki != NULL, MT_E_NOMEM, "no memory for a public key");
    memcpy(k->spki, spki.ptr, spki.len);
    k->spki_len = spki.len;
    *out = k;
    k = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_pubkey_of_point(mt_bytes xy, struct mt_pubkey **out)
{
    uint8_t spki[sizeof p256_head + MT_POINT_LEN_MAX];
    mt_bytes all;
    for (size_t i = 0; i < CURVES; i++) {
        if (xy.len + 1 == curves[i].point_len) {
            struct mt_writer w = mt_writer_over((mt_span){spki, sizeof spki});
            mt_write_bytes(&w, curves[i].head);
            mt_write_u8(&w, 4);
            mt_write_bytes(&w, xy);
            MT_TRY(mt_write_end(&w, &all));
            return mt_pubkey_parse(all, out);
        }
    }
    MT_FAIL(MT_E_FORMAT, "a point is of no curve that we know");
}

MT_ERR mt_pubkey_of_rsa(mt_bytes n, mt_bytes e, struct mt_pubkey **out)
{
    EVP_PKEY *pkey = NULL;
    unsigned char *der = NULL;
    MT_TRY(make_rsa(n, e, &pkey));
    int len = i2d_PUBKEY(pkey, &der);
    EVP_PKEY_free(pkey);
    MT_REQUIRE(len > 0, MT_E_NOMEM, "no memory for a public key");
    mt_err failed = mt_pubkey_parse((mt_bytes){der, (size_t)len}, out);
    OPENSSL_free(der);
    return failed;
}

enum mt_pubkey_kind mt_pubkey_kind(const struct mt_pubkey *k)
{
    return k->kind;
}

uint32_t mt_pubkey_bits(const struct mt_pubkey *k)
{
    return k->bits;
}

mt_bytes mt_pubkey_spki(const struct mt_pubkey *k)
{
    return (mt_bytes){k->spki, k->spki_len};
}

struct scheme {
    enum mt_pubkey_kind kind;
    const char *hash;
    size_t raw_len; /* of an ECDSA signature */
    int padding;    /* of an RSA one */
};
static const struct scheme schemes[] = {
    [MT_ECDSA_P256_SHA256] = {MT_PUBKEY_P256, "SHA2-256", 64, 0},
    [MT_ECDSA_P384_SHA384] = {MT_PUBKEY_P384, "SHA2-384", 96, 0},
    [MT_RSA_PKCS1_SHA256] = {MT_PUBKEY_RSA, "SHA2-256", 0, RSA_PKCS1_PADDING},
    [MT_RSA_PKCS1_SHA384] = {MT_PUBKEY_RSA, "SHA2-384", 0, RSA_PKCS1_PADDING},
    [MT_RSA_PKCS1_SHA512] = {MT_PUBKEY_RSA, "SHA2-512", 0, RSA_PKCS1_PADDING},
    [MT_RSA_PSS_SHA256] = {MT_PUBKEY_RSA, "SHA2-256", 0, RSA_PKCS1_PSS_PADDING},
    [MT_RSA_PSS_SHA384] = {MT_PUBKEY_RSA, "SHA2-384", 0, RSA_PKCS1_PSS_PADDING},
};

enum mt_pubkey_kind mt_pubkey_kind_of(enum mt_scheme scheme)
{
    return schemes[scheme].kind;
}

/* Most signatures of hardware are of this kind, and OpenSSL takes less time to check a hash than to
 * be told how to make one. */
static MT_ERR verify_p256(const struct mt_pubkey *k, mt_bytes message, mt_bytes signature)
{
    mt_hash h;
    mt_sha256(&message, 1, &h);
    MT_DEFER(free_pkey_ctx)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(mt_crypto.lib, k->pkey, NULL);
    MT_REQUIRE(ctx != NULL && EVP_PKEY_verify_init(ctx) == 1, MT_E_INTERNAL,
               "a signature cannot be verified");
    MT_REQUIRE(EVP_PKEY_verify(ctx, signature.ptr, signature.len, h.b, sizeof h.b) == 1, MT_E_PROOF,
               "a signature does not verify");
    return MT_OK;
}

static MT_ERR verify(const struct mt_pubkey *k, const struct scheme *s, int salt, mt_bytes message,
                     mt_bytes signature)
{
    if (s->kind == MT_PUBKEY_P256) {
        return verify_p256(k, message, signature);
    }
    EVP_PKEY_CTX *pctx = NULL; /* of `ctx` */
    MT_DEFER(free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    MT_REQUIRE(ctx != NULL, MT_E_NOMEM, "no memory to verify");
    bool ok = EVP_DigestVerifyInit_ex(ctx, &pctx, s->hash, mt_crypto.lib, NULL, k->pkey, NULL) == 1;
    if (ok && s->raw_len == 0) {
        ok = EVP_PKEY_CTX_set_rsa_padding(pctx, s->padding) == 1;
    }
    if (ok && s->padding == RSA_PKCS1_PSS_PADDING) {
        ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt) == 1;
    }
    MT_REQUIRE(ok, MT_E_INTERNAL, "a signature cannot be verified");
    MT_REQUIRE(EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len) == 1,
               MT_E_PROOF, "a signature does not verify");
    return MT_OK;
}

MT_ERR mt_pubkey_verify(const struct mt_pubkey *k, enum mt_scheme scheme, mt_bytes message,
                        mt_bytes signature)
{
    uint8_t der[DER_MAX];
    size_t len = 0;
    const struct scheme *s = &schemes[scheme];
    MT_REQUIRE(k->kind == s->kind, MT_E_PROOF, "a key is of another kind than its signature");
    if (s->raw_len == 0) {
        return verify(k, s, RSA_PSS_SALTLEN_AUTO, message, signature);
    }
    MT_REQUIRE(signature.len == s->raw_len, MT_E_PROOF, "a signature has the wrong length");
    MT_TRY(mt_ecdsa_der_of_raw(signature, (mt_span){der, sizeof der}, &len));
    return verify(k, s, 0, message, (mt_bytes){der, len});
}

MT_ERR mt_pubkey_verify_held(const struct mt_pubkey *k, enum mt_scheme scheme, mt_bytes message,
                             mt_bytes signature)
{
    const struct scheme *s = &schemes[scheme];
    MT_REQUIRE(k->kind == s->kind, MT_E_PROOF, "a key is of another kind than its signature");
    return verify(k, s, RSA_PSS_SALTLEN_DIGEST, message, signature);
}
