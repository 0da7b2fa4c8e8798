/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/aead.h"
#include "crypto/context.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/sign.h"
#include "unit/runner.h"

/*
 * Each door of lib/crypto, once for every call to OpenSSL behind it, which says no: then the door
 * says so and gives nothing. What memory that runs out comes to is in memory_test.c.
 */
#define OK(call_) MT_ASSERT(!mt_failed(call_))

static size_t refused_in; /* 0: OpenSSL does what it is asked */

static bool is_refused(void)
{
    return refused_in > 0 && --refused_in == 0;
}

/* OpenSSL's own calls of these go the same way. */
#define REFUSES(type_, no_, name_, takes_, gives_)                                                 \
    type_ __real_##name_ takes_;                                                                   \
    type_ __wrap_##name_ takes_;                                                                   \
    type_ __wrap_##name_ takes_                                                                    \
    {                                                                                              \
        return is_refused() ? (no_) : __real_##name_ gives_;                                       \
    }

#define INIT                                                                                       \
    (EVP_CIPHER_CTX * c, const EVP_CIPHER *t, const uint8_t *k, const uint8_t *iv,                 \
     const OSSL_PARAM *p)
#define UPDATE  (EVP_CIPHER_CTX * c, uint8_t * out, int *n, const uint8_t *in, int len)
#define FETCH   (OSSL_LIB_CTX * c, const char *name, const char *query)
#define FETCHED (c, name, query)
typedef OSSL_provider_init_fn *provider_start;

REFUSES(int, 0, EVP_EncryptInit_ex2, INIT, (c, t, k, iv, p))
REFUSES(int, 0, EVP_DecryptInit_ex2, INIT, (c, t, k, iv, p))
REFUSES(int, 0, EVP_EncryptUpdate, UPDATE, (c, out, n, in, len))
REFUSES(int, 0, EVP_DecryptUpdate, UPDATE, (c, out, n, in, len))
REFUSES(int, 0, EVP_EncryptFinal_ex, (EVP_CIPHER_CTX * c, uint8_t *out, int *n), (c, out, n))
REFUSES(int, 0, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * c, int what, int n, void *p),
        (c, what, n, p))
REFUSES(int, 0, EVP_KDF_derive, (EVP_KDF_CTX * c, uint8_t *out, size_t n, const OSSL_PARAM *p),
        (c, out, n, p))
REFUSES(EVP_MD *, NULL, EVP_MD_fetch, FETCH, FETCHED)
REFUSES(EVP_MAC *, NULL, EVP_MAC_fetch, FETCH, FETCHED)
REFUSES(EVP_KDF *, NULL, EVP_KDF_fetch, FETCH, FETCHED)
REFUSES(EVP_CIPHER *, NULL, EVP_CIPHER_fetch, FETCH, FETCHED)
REFUSES(OSSL_LIB_CTX *, NULL, OSSL_LIB_CTX_new, (void), ())
REFUSES(OSSL_PROVIDER *, NULL, OSSL_PROVIDER_load, (OSSL_LIB_CTX * c, const char *name), (c, name))
REFUSES(int, 0, OSSL_PROVIDER_add_builtin,
        (OSSL_LIB_CTX * c, const char *name, provider_start start), (c, name, start))
REFUSES(int, 0, RAND_set_DRBG_type,
        (OSSL_LIB_CTX * c, const char *name, const char *query, const char *cipher,
         const char *digest),
        (c, name, query, cipher, digest))
REFUSES(int, 0, EVP_PKEY_fromdata_init, (EVP_PKEY_CTX * c), (c))
REFUSES(int, 0, EVP_PKEY_fromdata, (EVP_PKEY_CTX * c, EVP_PKEY **out, int what, OSSL_PARAM *p),
        (c, out, what, p))
REFUSES(int, 0, EVP_PKEY_get_octet_string_param,
        (const EVP_PKEY *k, const char *name, uint8_t *out, size_t max, size_t *n),
        (k, name, out, max, n))
REFUSES(int, 0, EVP_PKEY_get_bn_param, (const EVP_PKEY *k, const char *name, BIGNUM **out),
        (k, name, out))
REFUSES(int, 0, EVP_DigestSign,
        (EVP_MD_CTX * c, uint8_t *out, size_t *n, const uint8_t *in, size_t len),
        (c, out, n, in, len))
REFUSES(ECDSA_SIG *, NULL, d2i_ECDSA_SIG, (ECDSA_SIG * *out, const uint8_t **in, long len),
        (out, in, len))
REFUSES(int, 0, i2d_ECDSA_SIG, (const ECDSA_SIG *s, uint8_t **out), (s, out))
REFUSES(int, -1, BN_bn2binpad, (const BIGNUM *n, uint8_t *out, int len), (n, out, len))
REFUSES(int, 0, EC_POINT_mul,
        (const EC_GROUP *g, EC_POINT *p, const BIGNUM *n, const EC_POINT *q, const BIGNUM *m,
         BN_CTX *c),
        (g, p, n, q, m, c))

static const mt_bytes message = {(const uint8_t *)"message", 7};
static const uint8_t scalar[MT_PRIVATE_LEN] = {1, 2, 3};
static const uint8_t nonce[MT_AEAD_NONCE_LEN];
static struct mt_key *key;
static uint8_t signature[MT_SIGNATURE_LEN];

static mt_err sevens(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 7, out.len);
    return MT_OK;
}

/* A turn fails where OpenSSL says no; or OpenSSL, having said no to itself, did it another way, and
 * what the turn gives is right. */
typedef mt_err turn(void);

/* What a turn gave is looked at in peace. */
static size_t put_off;

static void in_peace(void)
{
    put_off = refused_in;
    refused_in = 0;
}

static void go_on(void)
{
    refused_in = put_off;
}

static size_t sweep(turn *one)
{
    for (size_t n = 1;; n++) {
        refused_in = n;
        mt_err e = one();
        bool was_reached = refused_in == 0;
        refused_in = 0;
        MT_ASSERT(was_reached || !mt_failed(e));
        if (!was_reached) {
            return n - 1;
        }
    }
}

static mt_err start(void)
{
    mt_err e = mt_crypto_init(sevens, NULL);
    if (!mt_failed(e)) {
        mt_crypto_done();
    }
    return e;
}

static mt_err seal(void)
{
    MT_DEFER(mt_aead_free) struct mt_aead *a = NULL;
    uint8_t sealed[7 + MT_AEAD_TAG_LEN];
    uint8_t out[7] = {0};
    static const uint8_t nothing[7];
    MT_TRY(mt_aead_new(MT_BYTES_OF(scalar), &a));
    MT_TRY(mt_aead_seal(a, MT_BYTES_OF(nonce), message, message, (mt_span){sealed, sizeof sealed}));
    mt_err e = mt_aead_unseal(a, MT_BYTES_OF(nonce), message, MT_BYTES_OF(sealed),
                              (mt_span){out, sizeof out});
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(out), mt_failed(e) ? MT_BYTES_OF(nothing) : message));
    return e;
}

static mt_err derive(void)
{
    uint8_t out[32];
    return mt_kdf(message, MT_LABEL_BLOCK_KEY, message, (mt_span){out, sizeof out});
}

static mt_err read_key(void)
{
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    MT_TRY(mt_key_of_private(MT_BYTES_OF(scalar), &k));
    MT_ASSERT(mt_bytes_equal(mt_spki_bytes(mt_key_public(k)), mt_spki_bytes(mt_key_public(key))));
    return MT_OK;
}

static mt_err make_key(void)
{
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    return mt_key_new(&k);
}

static mt_err write_key(void)
{
    uint8_t out[MT_PRIVATE_LEN];
    MT_TRY(mt_key_private(key, (mt_span){out, sizeof out}));
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(out), MT_BYTES_OF(scalar)));
    return MT_OK;
}

static mt_err sign(void)
{
    uint8_t out[MT_SIGNATURE_LEN];
    MT_TRY(mt_sign(key, message, out));
    in_peace();
    OK(mt_verify(mt_key_public(key), message, MT_BYTES_OF(out)));
    go_on();
    return MT_OK;
}

static mt_err verify(void)
{
    return mt_verify(mt_key_public(key), message, MT_BYTES_OF(signature));
}

static mt_err refuse(void)
{
    uint8_t forged[MT_SIGNATURE_LEN];
    memcpy(forged, signature, sizeof forged);
    forged[5] ^= 1;
    MT_ASSERT(mt_failed(mt_verify(mt_key_public(key), message, MT_BYTES_OF(forged))));
    return MT_OK;
}

/* Once in a process: what the other tests stand on goes, and comes back. */
static void nothing_starts_without_what_it_needs(void)
{
    mt_key_free(&key);
    mt_crypto_done();
    MT_ASSERT(sweep(start) > 8);
    OK(mt_crypto_init(sevens, NULL));
    OK(mt_key_of_private(MT_BYTES_OF(scalar), &key));
}

static void what_a_cipher_refuses_is_neither_sealed_nor_opened(void)
{
    MT_ASSERT(sweep(seal) > 8);
    MT_ASSERT(sweep(derive) > 0);
}

static void what_is_refused_is_no_key_and_no_signature(void)
{
    MT_ASSERT(sweep(read_key) > 2);
    MT_ASSERT(sweep(make_key) > 0);
    MT_ASSERT(sweep(write_key) > 1);
    MT_ASSERT(sweep(sign) > 2);
    MT_ASSERT(sweep(verify) > 1);
    MT_ASSERT(sweep(refuse) > 1);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(what_a_cipher_refuses_is_neither_sealed_nor_opened),
        MT_TEST(what_is_refused_is_no_key_and_no_signature),
        MT_TEST(nothing_starts_without_what_it_needs),
    };
    OK(mt_crypto_init(sevens, NULL));
    OK(mt_key_of_private(MT_BYTES_OF(scalar), &key));
    OK(mt_sign(key, message, signature));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_key_free(&key);
    mt_crypto_done();
    return rc;
}
