/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/pki.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/assert.h"

#define DONE(call_) MT_ASSERT((call_) == 1)

static OSSL_LIB_CTX *lib(void)
{
    return mt_crypto_native();
}

mt_err pki_random(void *state, mt_span out)
{
    static uint64_t seed;
    (void)state;
    for (size_t i = 0; i < out.len; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        out.ptr[i] = (uint8_t)(seed >> 56);
    }
    return MT_OK;
}

static EVP_PKEY *make_key(enum pki_key kind)
{
    EVP_PKEY *key = NULL;
    switch (kind) {
    case PKI_P256:
        key = EVP_PKEY_Q_keygen(lib(), NULL, "EC", "P-256");
        break;
    case PKI_P384:
        key = EVP_PKEY_Q_keygen(lib(), NULL, "EC", "P-384");
        break;
    case PKI_RSA_2048:
        key = EVP_PKEY_Q_keygen(lib(), NULL, "RSA", (size_t)2048);
        break;
    case PKI_RSA_1024:
        key = EVP_PKEY_Q_keygen(lib(), NULL, "RSA", (size_t)1024);
        break;
    }
    MT_ASSERT(key != NULL);
    return key;
}

static void add_extension(X509 *x, const char *oid, mt_bytes value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    MT_ASSERT(object != NULL && octets != NULL);
    DONE(ASN1_OCTET_STRING_set(octets, value.ptr, (int)value.len));
    X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
    MT_ASSERT(e != NULL);
    DONE(X509_add_ext(x, e, -1));
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
}

/* basicConstraints CA, keyUsage keyCertSign and cRLSign. */
static void add_ca(X509 *x, bool is_last)
{
    BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
    MT_ASSERT(basic != NULL && usage != NULL);
    basic->ca = 255;
    if (is_last) {
        basic->pathlen = ASN1_INTEGER_new();
        MT_ASSERT(basic->pathlen != NULL);
        DONE(ASN1_INTEGER_set(basic->pathlen, 0));
    }
    DONE(X509_add1_ext_i2d(x, NID_basic_constraints, basic, 1, X509V3_ADD_DEFAULT));
    DONE(ASN1_BIT_STRING_set_bit(usage, 5, 1));
    DONE(ASN1_BIT_STRING_set_bit(usage, 6, 1));
    DONE(X509_add1_ext_i2d(x, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT));
    BASIC_CONSTRAINTS_free(basic);
    ASN1_BIT_STRING_free(usage);
}

static const char *hash_of(EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == 384 ? "SHA2-384" : "SHA2-256";
}

static EVP_MD_CTX *signer(EVP_PKEY *key, const char *hash, bool is_pss)
{
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    MT_ASSERT(ctx != NULL);
    DONE(EVP_DigestSignInit_ex(ctx, &pctx, hash, lib(), NULL, key, NULL));
    if (is_pss) {
        MT_ASSERT(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1);
        MT_ASSERT(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    return ctx;
}

static void set_time(ASN1_TIME *t, uint64_t ms)
{
    MT_ASSERT(ASN1_TIME_set(t, (time_t)(ms / 1000)) != NULL);
}

void pki_make(const struct pki_wish *wish, const struct pki_cert *issuer, struct pki_cert *out)
{
    static const uint64_t y2020 = 1577836800000;
    static const uint64_t y2040 = 2208988800000;
    bool has_times = wish->not_after_ms > 0;
    EVP_PKEY *key = make_key(wish->key);
    X509 *x = X509_new_ex(lib(), NULL);
    MT_ASSERT(x != NULL);
    DONE(X509_set_version(x, 2));
    DONE(ASN1_INTEGER_set(X509_get_serialNumber(x), (long)wish->serial));
    set_time(X509_getm_notBefore(x), has_times ? wish->not_before_ms : y2020);
    set_time(X509_getm_notAfter(x), has_times ? wish->not_after_ms : y2040);
    DONE(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                                    (const uint8_t *)wish->name, -1, -1, 0));
    DONE(X509_set_issuer_name(x, X509_get_subject_name(issuer != NULL ? issuer->x : x)));
    DONE(X509_set_pubkey(x, key));
    if (wish->is_ca || wish->is_last_ca) {
        add_ca(x, wish->is_last_ca);
    }
    for (size_t i = 0; i < wish->extensions_count; i++) {
        add_extension(x, wish->extensions[i].oid, wish->extensions[i].value);
    }
    EVP_PKEY *by = issuer != NULL ? issuer->key : key;
    const char *hash = wish->is_pss ? "SHA2-384" : hash_of(by);
    EVP_MD_CTX *ctx = signer(by, wish->is_sha1 ? "SHA1" : hash, wish->is_pss);
    MT_ASSERT(X509_sign_ctx(x, ctx) > 0);
    EVP_MD_CTX_free(ctx);
    uint8_t *at = out->der;
    int len = i2d_X509(x, NULL);
    MT_ASSERT(len > 0 && len <= PKI_DER_MAX);
    out->len = (size_t)i2d_X509(x, &at);
    out->key = key;
    out->x = x;
}

void pki_done(struct pki_cert *c)
{
    EVP_PKEY_free(c->key);
    X509_free(c->x);
    c->key = NULL;
    c->x = NULL;
}

static mt_bytes take_memory(BIO *bio, mt_span room)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    MT_ASSERT(len > 0 && (size_t)len <= room.len);
    memcpy(room.ptr, text, (size_t)len);
    BIO_free(bio);
    return (mt_bytes){room.ptr, (size_t)len};
}

mt_bytes pki_pem(const struct pki_cert *const *certs, size_t count, mt_span room)
{
    BIO *bio = BIO_new(BIO_s_mem());
    MT_ASSERT(bio != NULL);
    for (size_t i = 0; i < count; i++) {
        DONE(PEM_write_bio_X509(bio, certs[i]->x));
    }
    return take_memory(bio, room);
}

mt_bytes pki_crl(const struct pki_list *list, mt_span room)
{
    X509_CRL *crl = X509_CRL_new_ex(lib(), NULL);
    ASN1_TIME *t = ASN1_TIME_new();
    MT_ASSERT(crl != NULL && t != NULL);
    DONE(X509_CRL_set_version(crl, 1));
    DONE(X509_CRL_set_issuer_name(crl, X509_get_subject_name(list->issuer->x)));
    set_time(t, list->this_update_ms);
    DONE(X509_CRL_set1_lastUpdate(crl, t));
    if (list->next_update_ms > 0) {
        set_time(t, list->next_update_ms);
        DONE(X509_CRL_set1_nextUpdate(crl, t));
    }
    set_time(t, list->this_update_ms);
    for (size_t i = 0; i < list->serials_count; i++) {
        X509_REVOKED *revoked = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();
        MT_ASSERT(revoked != NULL && serial != NULL);
        DONE(ASN1_INTEGER_set(serial, (long)list->serials[i]));
        DONE(X509_REVOKED_set_serialNumber(revoked, serial));
        DONE(X509_REVOKED_set_revocationDate(revoked, t));
        DONE(X509_CRL_add0_revoked(crl, revoked));
        ASN1_INTEGER_free(serial);
    }
    EVP_MD_CTX *ctx = signer(list->issuer->key, hash_of(list->issuer->key), false);
    MT_ASSERT(X509_CRL_sign_ctx(crl, ctx) > 0);
    EVP_MD_CTX_free(ctx);
    ASN1_TIME_free(t);
    int len = i2d_X509_CRL(crl, NULL);
    MT_ASSERT(len > 0 && (size_t)len <= room.len);
    uint8_t *at = room.ptr;
    len = i2d_X509_CRL(crl, &at);
    X509_CRL_free(crl);
    return (mt_bytes){room.ptr, (size_t)len};
}

mt_bytes pki_sign(const struct pki_cert *by, mt_bytes message, mt_span room)
{
    uint8_t der[128];
    const uint8_t *at = der;
    size_t len = sizeof der;
    int half = EVP_PKEY_get_bits(by->key) / 8;
    EVP_MD_CTX *ctx = signer(by->key, hash_of(by->key), false);
    DONE(EVP_DigestSign(ctx, der, &len, message.ptr, message.len));
    EVP_MD_CTX_free(ctx);
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    MT_ASSERT(sig != NULL && room.len >= 2 * (size_t)half);
    MT_ASSERT(BN_bn2binpad(ECDSA_SIG_get0_r(sig), room.ptr, half) == half);
    MT_ASSERT(BN_bn2binpad(ECDSA_SIG_get0_s(sig), room.ptr + half, half) == half);
    ECDSA_SIG_free(sig);
    return (mt_bytes){room.ptr, 2 * (size_t)half};
}

mt_bytes pki_sign_rsa(const struct pki_cert *by, const char *hash, bool is_pss, mt_bytes message,
                      mt_span room)
{
    size_t len = room.len;
    EVP_MD_CTX *ctx = signer(by->key, hash, is_pss);
    DONE(EVP_DigestSign(ctx, room.ptr, &len, message.ptr, message.len));
    EVP_MD_CTX_free(ctx);
    return (mt_bytes){room.ptr, len};
}
