/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/wrap.h"
#include "crypto/x509.h"
#include "unit/pki.h"
#include "unit/runner.h"
#include "unit/scarce.h"

/*
 * Certificates, lists and foreign keys, again and again with an allocation that fails: what is good
 * is believed or refused, what is revoked is never believed, and what is encrypted is whole.
 */
#define OK(call_) MT_ASSERT(!mt_failed(call_))
enum { SERIAL_GOOD = 7, SERIAL_REVOKED = 8 };
#define NOW_MS UINT64_C(1700000000000)

static struct pki_cert root;
static struct pki_cert good;
static struct pki_cert revoked;
static uint8_t list_room[PKI_CRL_MAX];
static uint8_t pem_room[PKI_PEM_MAX];
static mt_bytes list;
static mt_bytes pem;
static struct mt_x509 *anchor;

/* Whether it succeeded; and without a failure it does. */
typedef bool turn(void);

/* Of OpenSSL's many, which come last, every fifth. */
static size_t sweep(turn *one)
{
    for (size_t n = 1;; n += n < 100 ? 1 : 5) {
        scarce_in = n;
        bool is_good = one();
        if (!scarce_end()) {
            MT_ASSERT(is_good);
            return n - 1;
        }
    }
}

static bool read_certificate(void)
{
    MT_DEFER(mt_x509_free) struct mt_x509 *c = NULL;
    mt_err e = mt_x509_parse(pki_der(&good), &c);
    MT_ASSERT(mt_failed(e) == (c == NULL));
    MT_ASSERT(c == NULL || mt_bytes_equal(mt_x509_der(c), pki_der(&good)));
    return c != NULL;
}

static bool read_chain(void)
{
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain chain = {.count = 0};
    struct mt_x509_validity v;
    mt_bytes held;
    mt_err e = mt_x509_chain_parse(pem, &chain);
    if (mt_failed(e)) {
        return false;
    }
    MT_ASSERT(chain.count == 2);
    /* id-ce-basicConstraints: the root is a CA. */
    return !mt_failed(mt_x509_extension(chain.certs[1], "2.5.29.19", &held)) && held.len > 0 &&
           !mt_failed(mt_x509_validity(chain.certs[0], &v)) && v.not_before_ms < NOW_MS;
}

static bool is_believed(const struct pki_cert *leaf, enum mt_x509_fault *why)
{
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain chain = {.count = 0};
    const struct mt_x509 *const anchors[] = {anchor};
    const struct mt_x509_trust trust = {anchors, 1, &list, 1, true, NOW_MS, NULL};
    *why = MT_X509_MALFORMED;
    if (mt_failed(mt_x509_chain_add(&chain, pki_der(leaf))) ||
        mt_failed(mt_x509_chain_add(&chain, pki_der(&root)))) {
        return false;
    }
    mt_err e = mt_x509_verify(&chain, &trust, why);
    MT_ASSERT(mt_failed(e) == (*why != MT_X509_SOUND));
    return !mt_failed(e);
}

static bool believe(void)
{
    enum mt_x509_fault why;
    return is_believed(&good, &why);
}

static bool disbelieve(void)
{
    enum mt_x509_fault why;
    MT_ASSERT(!is_believed(&revoked, &why));
    return why == MT_X509_REVOKED;
}

static bool show_list(void)
{
    struct mt_x509_list l;
    if (mt_failed(mt_x509_list_show(list, &l))) {
        return false;
    }
    MT_ASSERT(l.revoked_count == 1 && l.this_ms < NOW_MS && l.next_ms > NOW_MS);
    return true;
}

/* The end of an SPKI: modulus, then INTEGER of three bytes, 65537. */
static mt_err key_of_numbers(struct mt_pubkey **out)
{
    const mt_bytes spki = mt_pubkey_spki(mt_x509_key(anchor));
    const mt_bytes e = {spki.ptr + spki.len - 3, 3};
    return mt_pubkey_of_rsa((mt_bytes){e.ptr - 2 - 256, 256}, e, out);
}

static bool make_key(void)
{
    MT_DEFER(mt_pubkey_free) struct mt_pubkey *k = NULL;
    mt_err e = key_of_numbers(&k);
    MT_ASSERT(mt_failed(e) == (k == NULL));
    MT_ASSERT(k == NULL || mt_bytes_equal(mt_pubkey_spki(k), mt_pubkey_spki(mt_x509_key(anchor))));
    return k != NULL;
}

static uint8_t signature_room[512];
static mt_bytes signature;

static bool verify(void)
{
    return !mt_failed(
        mt_pubkey_verify(mt_x509_key(anchor), MT_RSA_PSS_SHA256, MT_LITERAL("message"), signature));
}

static bool refuse(void)
{
    mt_err e =
        mt_pubkey_verify(mt_x509_key(anchor), MT_RSA_PSS_SHA256, MT_LITERAL("massage"), signature);
    MT_ASSERT(mt_failed(e));
    return e.fault->code == MT_E_PROOF;
}

static uint8_t encrypted[5]; /* in plenty */

static mt_err encrypt_into(mt_span out)
{
    static const uint8_t key[MT_AES_128_LEN] = {1, 2, 3};
    return mt_wrap_cfb(MT_BYTES_OF(key), MT_LITERAL("12345"), out);
}

static bool encrypt(void)
{
    uint8_t out[sizeof encrypted];
    mt_err e = encrypt_into((mt_span){out, sizeof out});
    MT_ASSERT(mt_failed(e) || mt_bytes_equal(MT_BYTES_OF(out), MT_BYTES_OF(encrypted)));
    return !mt_failed(e);
}

static bool wrap(void)
{
    uint8_t out[256] = {0};
    return !mt_failed(mt_wrap_rsa(mt_x509_key(anchor), MT_LITERAL("LABEL\0"), MT_LITERAL("seed"),
                                  (mt_span){out, sizeof out}));
}

static void certificates_and_lists_are_read_whole_or_not(void)
{
    MT_ASSERT(sweep(read_certificate) > 10);
    MT_ASSERT(sweep(read_chain) > 20);
    MT_ASSERT(sweep(show_list) > 5);
}

static void what_is_revoked_is_never_believed(void)
{
    MT_ASSERT(sweep(believe) > 30);
    MT_ASSERT(sweep(disbelieve) > 30);
}

static void a_key_of_numbers_is_the_same_or_not_there(void)
{
    MT_ASSERT(sweep(make_key) > 10);
}

static void a_forged_signature_never_verifies(void)
{
    MT_ASSERT(sweep(verify) > 2);
    MT_ASSERT(sweep(refuse) > 2);
}

static void what_is_encrypted_is_whole_or_refused(void)
{
    MT_ASSERT(sweep(encrypt) > 1);
    MT_ASSERT(sweep(wrap) > 5);
}

static void only_a_key_that_encrypts_wraps(void)
{
    MT_DEFER(mt_x509_free) struct mt_x509 *c = NULL;
    uint8_t out[256];
    OK(mt_x509_parse(pki_der(&good), &c));
    mt_err e = mt_wrap_rsa(mt_x509_key(c), MT_LITERAL("LABEL\0"), MT_LITERAL("seed"),
                           (mt_span){out, sizeof out});
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_ARG);
}

static void lists_and_certificates_have_a_bound(void)
{
    static uint8_t much[MT_X509_CRL_BYTES_MAX + 1];
    struct mt_x509 *c = NULL;
    struct mt_x509_list l;
    MT_ASSERT(mt_failed(mt_x509_list_show((mt_bytes){much, sizeof much}, &l)));
    MT_ASSERT(mt_failed(mt_x509_list_show((mt_bytes){much, 0}, &l)));
    MT_ASSERT(mt_failed(mt_x509_list_show((mt_bytes){list.ptr, list.len - 1}, &l)));
    MT_ASSERT(mt_failed(mt_x509_parse((mt_bytes){much, MT_X509_BYTES_MAX + 1}, &c)));
    MT_ASSERT(mt_failed(mt_x509_parse((mt_bytes){much, 0}, &c)) && c == NULL);
}

static void begin(void)
{
    static const uint32_t serials[] = {SERIAL_REVOKED};
    const struct pki_wish ca = {.name = "CA", .key = PKI_RSA_2048, .is_ca = true, .serial = 1};
    const struct pki_wish one = {.name = "Good", .key = PKI_P256, .serial = SERIAL_GOOD};
    const struct pki_wish other = {.name = "Revoked", .key = PKI_P256, .serial = SERIAL_REVOKED};
    pki_make(&ca, NULL, &root);
    pki_make(&one, &root, &good);
    pki_make(&other, &root, &revoked);
    const struct pki_list wish = {&root, NOW_MS - 1000, NOW_MS + 1000000, serials, 1};
    const struct pki_cert *const chain[] = {&good, &root};
    list = pki_crl(&wish, (mt_span){list_room, sizeof list_room});
    pem = pki_pem(chain, 2, (mt_span){pem_room, sizeof pem_room});
    OK(mt_x509_parse(pki_der(&root), &anchor));
    OK(encrypt_into((mt_span){encrypted, sizeof encrypted}));
    signature = pki_sign_rsa(&root, "SHA2-256", true, MT_LITERAL("message"),
                             (mt_span){signature_room, sizeof signature_room});
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(certificates_and_lists_are_read_whole_or_not),
        MT_TEST(what_is_revoked_is_never_believed),
        MT_TEST(a_key_of_numbers_is_the_same_or_not_there),
        MT_TEST(a_forged_signature_never_verifies),
        MT_TEST(what_is_encrypted_is_whole_or_refused),
        MT_TEST(only_a_key_that_encrypts_wraps),
        MT_TEST(lists_and_certificates_have_a_bound),
    };
    OK(mt_crypto_init(pki_random, NULL));
    begin();
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_x509_free(&anchor);
    pki_done(&root);
    pki_done(&good);
    pki_done(&revoked);
    mt_crypto_done();
    return rc;
}
