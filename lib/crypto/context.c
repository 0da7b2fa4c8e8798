/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/context.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/inside.h"
#include "crypto/sign.h"

struct mt_crypto mt_crypto;

/*
 * A provider with one algorithm: random bytes from the caller's source. OpenSSL asks a RAND object
 * for everything, so its keys, nonces and TLS randoms come from there too, and a simulator may seed
 * them.
 */
static mt_entropy_fill *source;
static void *source_state;

struct rand_object {
    int state;
};

static void *rand_new(void *provctx, void *parent, const OSSL_DISPATCH *parent_calls)
{
    (void)provctx;
    (void)parent;
    (void)parent_calls;
    struct rand_object *r = OPENSSL_zalloc(sizeof *r);
    if (r != NULL) {
        r->state = EVP_RAND_STATE_UNINITIALISED;
    }
    return r;
}

static void rand_free(void *ctx)
{
    OPENSSL_free(ctx);
}

static int rand_instantiate(void *ctx, unsigned int strength, int resistance,
                            const unsigned char *pstr, size_t pstr_len, const OSSL_PARAM params[])
{
    struct rand_object *r = ctx;
    (void)strength;
    (void)resistance;
    (void)pstr;
    (void)pstr_len;
    (void)params;
    r->state = EVP_RAND_STATE_READY;
    return 1;
}

static int rand_uninstantiate(void *ctx)
{
    struct rand_object *r = ctx;
    r->state = EVP_RAND_STATE_UNINITIALISED;
    return 1;
}

static int rand_generate(void *ctx, unsigned char *out, size_t out_len, unsigned int strength,
                         int resistance, const unsigned char *in, size_t in_len)
{
    (void)ctx;
    (void)strength;
    (void)resistance;
    (void)in;
    (void)in_len;
    return source != NULL && !mt_failed(source(source_state, (mt_span){out, out_len})) ? 1 : 0;
}

static int rand_reseed(void *ctx, int resistance, const unsigned char *entropy, size_t entropy_len,
                       const unsigned char *in, size_t in_len)
{
    (void)ctx;
    (void)resistance;
    (void)entropy;
    (void)entropy_len;
    (void)in;
    (void)in_len;
    return 1;
}

/* No state that two threads could spoil: the source is asked each time. */
static int rand_enable_locking(void *ctx)
{
    (void)ctx;
    return 1;
}

static int rand_lock(void *ctx)
{
    (void)ctx;
    return 1;
}

static void rand_unlock(void *ctx)
{
    (void)ctx;
}

static const OSSL_PARAM *rand_gettable(void *ctx, void *provctx)
{
    static const OSSL_PARAM known[] = {
        OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, NULL),
        OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, NULL),
        OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, NULL),
        OSSL_PARAM_END,
    };
    (void)ctx;
    (void)provctx;
    return known;
}

static int rand_get(void *ctx, OSSL_PARAM params[])
{
    enum { STRENGTH_BITS = 256 };
    const struct rand_object *r = ctx;
    OSSL_PARAM *p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
    if (p != NULL && OSSL_PARAM_set_int(p, r->state) != 1) {
        return 0;
    }
    p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
    if (p != NULL && OSSL_PARAM_set_uint(p, STRENGTH_BITS) != 1) {
        return 0;
    }
    p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
    return p == NULL || OSSL_PARAM_set_size_t(p, (size_t)1 << 20) == 1 ? 1 : 0;
}

/* OpenSSL's tables hold functions of many types behind one pointer type: the casts are its
 * interface. */
typedef void (*any_function)(void);

static const OSSL_DISPATCH rand_functions[] = {
    {OSSL_FUNC_RAND_NEWCTX, (any_function)rand_new},
    {OSSL_FUNC_RAND_FREECTX, (any_function)rand_free},
    {OSSL_FUNC_RAND_INSTANTIATE, (any_function)rand_instantiate},
    {OSSL_FUNC_RAND_UNINSTANTIATE, (any_function)rand_uninstantiate},
    {OSSL_FUNC_RAND_GENERATE, (any_function)rand_generate},
    {OSSL_FUNC_RAND_RESEED, (any_function)rand_reseed},
    {OSSL_FUNC_RAND_ENABLE_LOCKING, (any_function)rand_enable_locking},
    {OSSL_FUNC_RAND_LOCK, (any_function)rand_lock},
    {OSSL_FUNC_RAND_UNLOCK, (any_function)rand_unlock},
    {OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, (any_function)rand_gettable},
    {OSSL_FUNC_RAND_GET_CTX_PARAMS, (any_function)rand_get},
    {0, NULL},
};

static const OSSL_ALGORITHM algorithms[] = {
    {"MESATEE-SOURCE", "provider=mesatee", rand_functions, "the caller's entropy"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *query(void *provctx, int operation, int *no_cache)
{
    (void)provctx;
    *no_cache = 0;
    return operation == OSSL_OP_RAND ? algorithms : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (any_function)query},
    {0, NULL},
};

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                         const OSSL_DISPATCH **out, void **provctx)
{
    (void)in;
    *out = provider_functions;
    (void)handle;
    *provctx = &mt_crypto; /* anything but NULL: nothing is kept there */
    return 1;
}

static MT_ERR load_providers(struct mt_crypto *c)
{
    c->lib = OSSL_LIB_CTX_new();
    MT_REQUIRE(c->lib != NULL, MT_E_NOMEM, "no memory for OpenSSL's context");
    MT_REQUIRE(OSSL_PROVIDER_add_builtin(c->lib, "mesatee", provider_init) == 1, MT_E_INTERNAL,
               "OpenSSL refuses our entropy provider");
    c->entropy = OSSL_PROVIDER_load(c->lib, "mesatee");
    c->standard = OSSL_PROVIDER_load(c->lib, "default");
    MT_REQUIRE(c->entropy != NULL && c->standard != NULL, MT_E_INTERNAL,
               "an OpenSSL provider does not load");
    MT_REQUIRE(RAND_set_DRBG_type(c->lib, "MESATEE-SOURCE", NULL, NULL, NULL) == 1, MT_E_INTERNAL,
               "OpenSSL refuses our random generator");
    return MT_OK;
}

/* What keys of one curve have in common. */
static EVP_PKEY *new_curve(OSSL_LIB_CTX *lib, const char *name)
{
    char group[8] = {0};
    EVP_PKEY *k = NULL;
    MT_ASSERT(strlen(name) < sizeof group);
    memcpy(group, name, strlen(name) + 1);
    OSSL_PARAM given[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                          OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(lib, "EC", NULL);
    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1) {
        (void)EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_KEY_PARAMETERS, given); /* NULL: it failed */
    }
    EVP_PKEY_CTX_free(ctx);
    return k;
}

static MT_ERR fetch(struct mt_crypto *c)
{
    c->sha256 = EVP_MD_fetch(c->lib, "SHA2-256", NULL);
    c->sha384 = EVP_MD_fetch(c->lib, "SHA2-384", NULL);
    c->sha512 = EVP_MD_fetch(c->lib, "SHA2-512", NULL);
    c->hmac = EVP_MAC_fetch(c->lib, "HMAC", NULL);
    c->hkdf = EVP_KDF_fetch(c->lib, "HKDF", NULL);
    c->scrypt = EVP_KDF_fetch(c->lib, "SCRYPT", NULL);
    c->aes_256_gcm = EVP_CIPHER_fetch(c->lib, "AES-256-GCM", NULL);
    MT_REQUIRE(c->sha256 != NULL && c->sha384 != NULL && c->sha512 != NULL, MT_E_INTERNAL,
               "OpenSSL lacks a hash");
    MT_REQUIRE(c->hmac != NULL && c->hkdf != NULL && c->scrypt != NULL, MT_E_INTERNAL,
               "OpenSSL lacks a key derivation");
    MT_REQUIRE(c->aes_256_gcm != NULL, MT_E_INTERNAL, "OpenSSL lacks AES-256-GCM");
    c->p256 = new_curve(c->lib, "P-256");
    c->p384 = new_curve(c->lib, "P-384");
    MT_REQUIRE(c->p256 != NULL && c->p384 != NULL, MT_E_INTERNAL, "OpenSSL lacks a curve");
    return MT_OK;
}

MT_ERR mt_crypto_init(mt_entropy_fill *fill, void *state)
{
    MT_ASSERT(mt_crypto.lib == NULL);
    source = fill;
    source_state = state;
    /* OpenSSL's own default context must read no file either: some of its older functions still
     * look there. */
    MT_REQUIRE(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1, MT_E_INTERNAL,
               "OpenSSL does not start");
    mt_err e = mt_secret_slab_new();
    if (!mt_failed(e)) {
        e = load_providers(&mt_crypto);
    }
    if (!mt_failed(e)) {
        e = fetch(&mt_crypto);
    }
    if (mt_failed(e)) {
        mt_crypto_done();
    }
    return e;
}

void mt_crypto_done(void)
{
    struct mt_crypto *c = &mt_crypto;
    EVP_MD_free(c->sha256);
    EVP_MD_free(c->sha384);
    EVP_MD_free(c->sha512);
    EVP_MAC_free(c->hmac);
    EVP_KDF_free(c->hkdf);
    EVP_KDF_free(c->scrypt);
    EVP_CIPHER_free(c->aes_256_gcm);
    EVP_PKEY_free(c->p256);
    EVP_PKEY_free(c->p384);
    EVP_MD_CTX_free(atomic_exchange(&c->spare, NULL));
    if (c->entropy != NULL) {
        (void)OSSL_PROVIDER_unload(c->entropy);
    }
    if (c->standard != NULL) {
        (void)OSSL_PROVIDER_unload(c->standard);
    }
    OSSL_LIB_CTX_free(c->lib);
    *c = (struct mt_crypto){.lib = NULL};
    mt_secret_slab_free();
    source = NULL;
}

MT_ERR mt_random(mt_span out)
{
    MT_ASSERT(source != NULL);
    return source(source_state, out);
}

void *mt_crypto_native(void)
{
    MT_ASSERT(mt_crypto.lib != NULL);
    return mt_crypto.lib;
}
