/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pubkey.h"

#include <openssl/x509.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/inside.h"
#include "crypto/x509.h"
#include "unit/pki.h"
#include "unit/resign.h"
#include "unit/runner.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

static const mt_bytes message = {(const uint8_t *)"message", 7};
static struct pki_cert certs[3]; /* by enum pki_key */
static struct mt_x509 *parsed[3];

static const struct mt_pubkey *key_of(enum pki_key kind)
{
    return mt_x509_key(parsed[kind]);
}

/* The signature is for this key, this message and this scheme, and for nothing else. */
static void only_this_is_signed(enum pki_key by, enum mt_scheme scheme, mt_span signature)
{
    const enum mt_scheme all[] = {MT_ECDSA_P256_SHA256, MT_ECDSA_P384_SHA384, MT_RSA_PKCS1_SHA256,
                                  MT_RSA_PKCS1_SHA384,  MT_RSA_PKCS1_SHA512,  MT_RSA_PSS_SHA256,
                                  MT_RSA_PSS_SHA384};
    const mt_bytes given = mt_bytes_of(signature);
    OK(mt_pubkey_verify(key_of(by), scheme, message, given));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        mt_err e = mt_pubkey_verify(key_of(by), all[i], message, given);
        MT_ASSERT(mt_failed(e) == (all[i] != scheme));
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_PROOF);
    }
    MT_ASSERT(mt_failed(mt_pubkey_verify(key_of(by), scheme, MT_LITERAL("massage"), given)));
    for (size_t i = 0; i < signature.len; i++) {
        signature.ptr[i] ^= 1;
        MT_ASSERT(mt_failed(mt_pubkey_verify(key_of(by), scheme, message, given)));
        signature.ptr[i] ^= 1;
        const mt_bytes shorter = {given.ptr, i};
        MT_ASSERT(mt_failed(mt_pubkey_verify(key_of(by), scheme, message, shorter)));
    }
}

static void a_signature_is_for_one_key_one_message_and_one_scheme(void)
{
    uint8_t room[512];
    const mt_span all = {room, sizeof room};
    size_t len = pki_sign(&certs[PKI_P256], message, all).len;
    only_this_is_signed(PKI_P256, MT_ECDSA_P256_SHA256, (mt_span){room, len});
    len = pki_sign(&certs[PKI_P384], message, all).len;
    only_this_is_signed(PKI_P384, MT_ECDSA_P384_SHA384, (mt_span){room, len});
    const struct pki_cert *rsa = &certs[PKI_RSA_2048];
    len = pki_sign_rsa(rsa, "SHA2-256", false, message, all).len;
    only_this_is_signed(PKI_RSA_2048, MT_RSA_PKCS1_SHA256, (mt_span){room, len});
    len = pki_sign_rsa(rsa, "SHA2-384", false, message, all).len;
    only_this_is_signed(PKI_RSA_2048, MT_RSA_PKCS1_SHA384, (mt_span){room, len});
    len = pki_sign_rsa(rsa, "SHA2-512", false, message, all).len;
    only_this_is_signed(PKI_RSA_2048, MT_RSA_PKCS1_SHA512, (mt_span){room, len});
    len = pki_sign_rsa(rsa, "SHA2-256", true, message, all).len;
    only_this_is_signed(PKI_RSA_2048, MT_RSA_PSS_SHA256, (mt_span){room, len});
    len = pki_sign_rsa(rsa, "SHA2-384", true, message, all).len;
    only_this_is_signed(PKI_RSA_2048, MT_RSA_PSS_SHA384, (mt_span){room, len});
}

static void zeros_sign_nothing(void)
{
    static const uint8_t zeros[96];
    const mt_bytes short_ones = {zeros, 64};
    const mt_bytes long_ones = {zeros, 96};
    MT_ASSERT(
        mt_failed(mt_pubkey_verify(key_of(PKI_P256), MT_ECDSA_P256_SHA256, message, short_ones)));
    MT_ASSERT(
        mt_failed(mt_pubkey_verify(key_of(PKI_P384), MT_ECDSA_P384_SHA384, message, long_ones)));
}

static void a_raw_point_is_the_same_key_and_must_be_on_its_curve(void)
{
    const enum pki_key kinds[] = {PKI_P256, PKI_P384};
    uint8_t xy[96];
    for (size_t i = 0; i < 2; i++) {
        MT_DEFER(mt_pubkey_free) struct mt_pubkey *k = NULL;
        struct mt_pubkey *none = NULL;
        mt_bytes spki = mt_pubkey_spki(key_of(kinds[i]));
        size_t len = mt_pubkey_bits(key_of(kinds[i])) / 4;
        memcpy(xy, spki.ptr + spki.len - len, len);
        OK(mt_pubkey_of_point((mt_bytes){xy, len}, &k));
        MT_ASSERT(mt_bytes_equal(mt_pubkey_spki(k), spki));
        MT_ASSERT(mt_failed(mt_pubkey_of_point((mt_bytes){xy, len - 1}, &none)));
        xy[len - 1] ^= 1;
        MT_ASSERT(mt_failed(mt_pubkey_of_point((mt_bytes){xy, len}, &none)) && none == NULL);
    }
}

static void an_rsa_key_of_its_numbers_is_the_same_key(void)
{
    MT_DEFER(mt_pubkey_free) struct mt_pubkey *k = NULL;
    struct mt_pubkey *none = NULL;
    const struct mt_pubkey *want = key_of(PKI_RSA_2048);
    mt_bytes spki = mt_pubkey_spki(want);
    /* The end of it: modulus, then INTEGER of three bytes, 65537. */
    const mt_bytes e = {spki.ptr + spki.len - 3, 3};
    const mt_bytes n = {e.ptr - 2 - 256, 256};
    OK(mt_pubkey_of_rsa(n, e, &k));
    MT_ASSERT(mt_bytes_equal(mt_pubkey_spki(k), spki) && mt_pubkey_bits(k) == 2048);
    MT_ASSERT(mt_failed(mt_pubkey_of_rsa((mt_bytes){n.ptr, 128}, e, &none)));
    MT_ASSERT(mt_failed(mt_pubkey_of_rsa((mt_bytes){n.ptr, 0}, e, &none)));
    MT_ASSERT(mt_failed(mt_pubkey_of_rsa(n, (mt_bytes){e.ptr, 0}, &none)) && none == NULL);
}

static void a_key_has_one_encoding(void)
{
    static uint8_t room[512];
    for (size_t i = 0; i < 3; i++) {
        mt_bytes spki = mt_pubkey_spki(key_of((enum pki_key)i));
        memcpy(room, spki.ptr, spki.len);
        for (size_t len = 0; len <= spki.len + 1; len++) {
            MT_DEFER(mt_pubkey_free) struct mt_pubkey *k = NULL;
            mt_err e = mt_pubkey_parse((mt_bytes){room, len}, &k);
            MT_ASSERT(mt_failed(e) == (len != spki.len));
        }
        for (size_t at = 0; at < spki.len; at++) {
            MT_DEFER(mt_pubkey_free) struct mt_pubkey *k = NULL;
            room[at] ^= 1;
            if (!mt_failed(mt_pubkey_parse((mt_bytes){room, spki.len}, &k))) {
                MT_ASSERT(mt_bytes_equal(mt_pubkey_spki(k), (mt_bytes){room, spki.len}));
            }
            room[at] ^= 1;
        }
    }
}

static bool openssl_writes(mt_bytes spki)
{
    const uint8_t *at = spki.ptr;
    unsigned char *again = NULL;
    EVP_PKEY *k = d2i_PUBKEY_ex(NULL, &at, (long)spki.len, mt_crypto.lib, NULL);
    int len = k != NULL ? i2d_PUBKEY(k, &again) : 0;
    bool is_same = len > 0 && mt_bytes_equal((mt_bytes){again, (size_t)len}, spki);
    OPENSSL_free(again);
    EVP_PKEY_free(k);
    return is_same;
}

/* What is read of it without OpenSSL, OpenSSL reads and writes so. */
static bool is_read_alike(const struct asn1_tree *t, const struct asn1_change *c)
{
    uint8_t room[1024];
    MT_DEFER(mt_pubkey_free) struct mt_pubkey *k = NULL;
    const mt_bytes spki = asn1_write(t, 0, c, 1, (mt_span){room, sizeof room});
    bool is_read = !mt_failed(mt_pubkey_parse(spki, &k));
    MT_ASSERT(!is_read || (openssl_writes(spki) && mt_bytes_equal(mt_pubkey_spki(k), spki)));
    return is_read;
}

static void every_change_of_a_key_is_read_as_openssl_does(void)
{
    for (size_t i = 0; i < sizeof parsed / sizeof *parsed; i++) {
        static struct asn1_tree t;
        size_t read = 0;
        OK(asn1_read(mt_pubkey_spki(mt_x509_key(parsed[i])), &t));
        for (size_t at = 0; at < t.count; at++) {
            for (int how = 0; how < ASN1_HOWS; how++) {
                bool has_blob = how >= ASN1_BECOME;
                bool has_bits = how == ASN1_FLIP || how == ASN1_TAG;
                size_t count = has_blob ? resign_blobs_count : has_bits ? 64 : 1;
                for (size_t n = 0; n < count; n++) {
                    const struct asn1_change c = {
                        .at = at,
                        .how = (enum asn1_how)how,
                        .arg = how == ASN1_FLIP ? 13 * n : n,
                        .blob = has_blob ? resign_blobs[n] : (mt_bytes){NULL, 0},
                    };
                    read += is_read_alike(&t, &c) ? 1 : 0;
                }
            }
        }
        MT_ASSERT(i != PKI_RSA_2048 || read > 50);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_signature_is_for_one_key_one_message_and_one_scheme),
        MT_TEST(zeros_sign_nothing),
        MT_TEST(a_raw_point_is_the_same_key_and_must_be_on_its_curve),
        MT_TEST(an_rsa_key_of_its_numbers_is_the_same_key),
        MT_TEST(a_key_has_one_encoding),
        MT_TEST(every_change_of_a_key_is_read_as_openssl_does),
    };
    OK(mt_crypto_init(pki_random, NULL));
    for (size_t i = 0; i < 3; i++) {
        const struct pki_wish wish = {.name = "Key", .key = (enum pki_key)i, .serial = 1};
        pki_make(&wish, NULL, &certs[i]);
        OK(mt_x509_parse(pki_der(&certs[i]), &parsed[i]));
    }
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    for (size_t i = 0; i < 3; i++) {
        pki_done(&certs[i]);
        mt_x509_free(&parsed[i]);
    }
    mt_crypto_done();
    return rc;
}
