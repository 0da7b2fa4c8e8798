/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "crypto/aead.h"
#include "crypto/context.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "unit/runner.h"

/* A seeded source: what OpenSSL makes of it must be a function of the seed alone. */
static uint64_t seed;
static bool is_dry;

static mt_err seeded(void *state, mt_span out)
{
    (void)state;
    MT_REQUIRE(!is_dry, MT_E_IO, "the source is dry");
    for (size_t i = 0; i < out.len; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        out.ptr[i] = (uint8_t)(seed >> 56);
    }
    return MT_OK;
}

static void hex_is(mt_bytes got, const char *want)
{
    char text[257];
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)text, sizeof text});
    mt_bytes all;
    mt_hex_write(&w, got);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &all)));
    MT_ASSERT(mt_bytes_equal(all, mt_bytes_of_text(want)));
}

static void hashes_are_those_of_fips_180(void)
{
    const mt_bytes parts[] = {MT_LITERAL("a"), MT_LITERAL("bc")};
    uint8_t long_hash[MT_SHA512_LEN];
    mt_hash h;
    mt_sha256(parts, 2, &h);
    hex_is(mt_hash_bytes(&h), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    mt_sha512(parts, 2, long_hash);
    hex_is((mt_bytes){long_hash, 8}, "ddaf35a193617aba");
    mt_sha384(parts, 2, long_hash);
    hex_is((mt_bytes){long_hash, 8}, "cb00753f45a35e8b");
}

static void a_hash_piece_by_piece_is_the_hash_of_the_whole(void)
{
    MT_DEFER(mt_hasher_free) struct mt_hasher *h = NULL;
    const mt_bytes whole = MT_LITERAL("abc");
    mt_hash a;
    mt_hash b;
    MT_ASSERT(!mt_failed(mt_hasher_new(&h)));
    for (int round = 0; round < 2; round++) {
        mt_hasher_add(h, MT_LITERAL("ab"));
        mt_hasher_add(h, MT_LITERAL("c"));
        mt_hasher_end(h, &a);
        mt_sha256(&whole, 1, &b);
        MT_ASSERT(mt_hash_equal(&a, &b));
    }
}

static void hmac_is_that_of_rfc_4231(void)
{
    const mt_bytes part = MT_LITERAL("what do ya want for nothing?");
    mt_hash h;
    mt_hmac_sha256(MT_LITERAL("Jefe"), &part, 1, &h);
    hex_is(mt_hash_bytes(&h), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void labels_and_contexts_separate_keys(void)
{
    uint8_t a[32];
    uint8_t b[32];
    const mt_bytes key = MT_LITERAL("0123456789abcdef0123456789abcdef");
    MT_ASSERT(!mt_failed(mt_kdf(key, MT_LABEL_BLOCK_KEY, MT_LITERAL("x"), (mt_span){a, sizeof a})));
    MT_ASSERT(!mt_failed(mt_kdf(key, MT_LABEL_BLOCK_KEY, MT_LITERAL("x"), (mt_span){b, sizeof b})));
    MT_ASSERT(mt_ct_equal(MT_BYTES_OF(a), MT_BYTES_OF(b)));
    MT_ASSERT(!mt_failed(mt_kdf(key, MT_LABEL_BLOCK_KEY, MT_LITERAL("y"), (mt_span){b, sizeof b})));
    MT_ASSERT(!mt_ct_equal(MT_BYTES_OF(a), MT_BYTES_OF(b)));
    MT_ASSERT(
        !mt_failed(mt_kdf(key, MT_LABEL_SMALL_FILE, MT_LITERAL("x"), (mt_span){b, sizeof b})));
    MT_ASSERT(!mt_ct_equal(MT_BYTES_OF(a), MT_BYTES_OF(b)));
}

static void no_label_is_the_beginning_of_another(void)
{
    for (int i = 0; i < MT_LABEL_COUNT; i++) {
        mt_bytes label = mt_label_bytes((enum mt_label)i);
        MT_ASSERT(label.len > 0 && label.len < 256);
        for (int j = 0; j < MT_LABEL_COUNT; j++) {
            MT_ASSERT(i == j || !mt_bytes_start_with(mt_label_bytes((enum mt_label)j), label));
        }
    }
}

static void scrypt_outside_its_range_is_refused_before_it_is_paid_for(void)
{
    uint8_t out[32];
    MT_ASSERT(mt_failed(
        mt_kdf_passphrase(MT_LITERAL("p"), MT_LITERAL("salt"), 13, ((mt_span){out, sizeof out}))));
    MT_ASSERT(mt_failed(
        mt_kdf_passphrase(MT_LITERAL("p"), MT_LITERAL("salt"), 21, ((mt_span){out, sizeof out}))));
    MT_ASSERT(mt_failed(
        mt_kdf_passphrase(MT_LITERAL("p"), MT_LITERAL("salt"), 46, ((mt_span){out, sizeof out}))));
    /* RFC 7914, section 12, third vector. */
    uint8_t vector[64];
    MT_ASSERT(
        !mt_failed(mt_kdf_passphrase(MT_LITERAL("pleaseletmein"), MT_LITERAL("SodiumChloride"), 14,
                                     ((mt_span){vector, sizeof vector}))));
    hex_is((mt_bytes){vector, 16}, "7023bdcb3afd7348461c06cd81fd38eb");
}

static void what_was_sealed_is_unsealed_and_nothing_else(void)
{
    MT_DEFER(mt_aead_free) struct mt_aead *a = NULL;
    const uint8_t key[MT_AEAD_KEY_LEN] = {1};
    const mt_bytes plain = MT_LITERAL("forty-two bytes of the most secret of text");
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    uint8_t sealed[64 + MT_AEAD_TAG_LEN];
    uint8_t out[64];
    size_t len = plain.len + MT_AEAD_TAG_LEN;
    MT_ASSERT(!mt_failed(mt_aead_new(MT_BYTES_OF(key), &a)));
    mt_aead_nonce_of(7, nonce);
    MT_ASSERT(!mt_failed(
        mt_aead_seal(a, MT_BYTES_OF(nonce), MT_LITERAL("aad"), plain, (mt_span){sealed, len})));
    MT_ASSERT(!mt_failed(mt_aead_unseal(a, MT_BYTES_OF(nonce), MT_LITERAL("aad"),
                                        (mt_bytes){sealed, len}, (mt_span){out, plain.len})));
    MT_ASSERT(mt_bytes_equal((mt_bytes){out, plain.len}, plain));
    for (size_t bit = 0; bit < 8 * len; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        mt_err e = mt_aead_unseal(a, MT_BYTES_OF(nonce), MT_LITERAL("aad"), (mt_bytes){sealed, len},
                                  (mt_span){out, plain.len});
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_PROOF);
        MT_ASSERT(out[0] == 0 && out[plain.len - 1] == 0);
        sealed[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    MT_ASSERT(mt_failed(mt_aead_unseal(a, MT_BYTES_OF(nonce), MT_LITERAL("axd"),
                                       (mt_bytes){sealed, len}, (mt_span){out, plain.len})));
    mt_aead_nonce_of(8, nonce);
    MT_ASSERT(mt_failed(mt_aead_unseal(a, MT_BYTES_OF(nonce), MT_LITERAL("aad"),
                                       (mt_bytes){sealed, len}, (mt_span){out, plain.len})));
    MT_ASSERT(mt_failed(mt_aead_unseal(a, MT_BYTES_OF(nonce), MT_LITERAL("aad"),
                                       (mt_bytes){sealed, 5}, (mt_span){out, 0})));
}

static void a_signature_is_for_one_key_and_one_message(void)
{
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    MT_DEFER(mt_key_free) struct mt_key *other = NULL;
    uint8_t sig[MT_SIGNATURE_LEN];
    MT_ASSERT(!mt_failed(mt_key_new(&k)));
    MT_ASSERT(!mt_failed(mt_key_new(&other)));
    MT_ASSERT(!mt_failed(mt_sign(k, MT_LITERAL("message"), sig)));
    MT_ASSERT(!mt_failed(mt_verify(mt_key_public(k), MT_LITERAL("message"), MT_BYTES_OF(sig))));
    MT_ASSERT(mt_failed(mt_verify(mt_key_public(other), MT_LITERAL("message"), MT_BYTES_OF(sig))));
    MT_ASSERT(mt_failed(mt_verify(mt_key_public(k), MT_LITERAL("massage"), MT_BYTES_OF(sig))));
    MT_ASSERT(mt_failed(mt_verify(mt_key_public(k), MT_LITERAL("message"), (mt_bytes){sig, 63})));
    for (size_t i = 0; i < sizeof sig; i++) {
        sig[i] ^= 0x10;
        MT_ASSERT(mt_failed(mt_verify(mt_key_public(k), MT_LITERAL("message"), MT_BYTES_OF(sig))));
        sig[i] ^= 0x10;
    }
    memset(sig, 0, sizeof sig);
    MT_ASSERT(mt_failed(mt_verify(mt_key_public(k), MT_LITERAL("message"), MT_BYTES_OF(sig))));
}

static void a_private_key_makes_its_own_public_one(void)
{
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    MT_DEFER(mt_key_free) struct mt_key *again = NULL;
    uint8_t d[MT_PRIVATE_LEN];
    mt_spki parsed;
    MT_ASSERT(!mt_failed(mt_key_new(&k)));
    MT_ASSERT(!mt_failed(mt_key_private(k, ((mt_span){d, sizeof d}))));
    MT_ASSERT(!mt_failed(mt_key_of_private(MT_BYTES_OF(d), &again)));
    MT_ASSERT(mt_bytes_equal(mt_spki_bytes(mt_key_public(k)), mt_spki_bytes(mt_key_public(again))));
    MT_ASSERT(!mt_failed(mt_spki_parse(mt_spki_bytes(mt_key_public(k)), &parsed)));
    memset(d, 0, sizeof d);
    struct mt_key *none = NULL;
    MT_ASSERT(mt_failed(mt_key_of_private(MT_BYTES_OF(d), &none)));
    memset(d, 0xff, sizeof d);
    MT_ASSERT(mt_failed(mt_key_of_private(MT_BYTES_OF(d), &none)));
    MT_ASSERT(none == NULL);
}

static void a_public_key_off_the_curve_is_refused(void)
{
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    mt_spki parsed;
    MT_ASSERT(!mt_failed(mt_key_new(&k)));
    mt_spki spki = *mt_key_public(k);
    for (size_t i = 0; i < sizeof spki.b; i++) {
        spki.b[i] ^= 1;
        MT_ASSERT(mt_failed(mt_spki_parse(mt_spki_bytes(&spki), &parsed)));
        MT_ASSERT(mt_failed(mt_spki_parse((mt_bytes){spki.b, i}, &parsed)));
        spki.b[i] ^= 1;
    }
}

static void all_randomness_comes_from_the_source(void)
{
    MT_DEFER(mt_key_free) struct mt_key *a = NULL;
    MT_DEFER(mt_key_free) struct mt_key *b = NULL;
    seed = 42;
    MT_ASSERT(!mt_failed(mt_key_new(&a)));
    seed = 42;
    MT_ASSERT(!mt_failed(mt_key_new(&b)));
    MT_ASSERT(mt_bytes_equal(mt_spki_bytes(mt_key_public(a)), mt_spki_bytes(mt_key_public(b))));
}

static void a_dry_source_makes_no_keys(void)
{
    struct mt_key *k = NULL;
    struct mt_secret *s = NULL;
    is_dry = true;
    MT_ASSERT(mt_failed(mt_key_new(&k)));
    MT_ASSERT(mt_failed(mt_secret_random(32, &s)));
    is_dry = false;
    MT_ASSERT(k == NULL && s == NULL);
}

static void secrets_do_not_overlap_and_are_wiped(void)
{
    enum { MANY = 300 };
    struct mt_secret *many[MANY] = {NULL};
    for (size_t i = 0; i < MANY; i++) {
        MT_ASSERT(!mt_failed(mt_secret_new(1 + i % 256, &many[i])));
        mt_span s = mt_secret_span(many[i]);
        for (size_t k = 0; k < s.len; k++) {
            MT_ASSERT(s.ptr[k] == 0);
        }
        memset(s.ptr, (int)(i & 255), s.len);
    }
    for (size_t i = 0; i < MANY; i++) {
        mt_bytes s = mt_secret_bytes(many[i]);
        MT_ASSERT(s.ptr[0] == (uint8_t)i && s.ptr[s.len - 1] == (uint8_t)i);
        mt_secret_free(&many[i]);
        MT_ASSERT(s.ptr[0] == 0 && s.ptr[s.len - 1] == 0); /* the slab stays mapped */
    }
}

static void a_secret_too_large_and_one_too_many_are_refused(void)
{
    struct mt_secret *s = NULL;
    static struct mt_secret *all[8192];
    size_t count = 0;
    MT_ASSERT(mt_failed(mt_secret_new(257, &s)));
    MT_ASSERT(mt_failed(mt_secret_new(0, &s)));
    mt_err e = MT_OK;
    while (!mt_failed(e)) {
        MT_ASSERT(count < sizeof all / sizeof *all);
        e = mt_secret_new(32, &all[count]);
        count += mt_failed(e) ? 0 : 1;
    }
    MT_ASSERT(e.fault->code == MT_E_BUSY);
    while (count > 0) {
        mt_secret_free(&all[--count]);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(hashes_are_those_of_fips_180),
        MT_TEST(a_hash_piece_by_piece_is_the_hash_of_the_whole),
        MT_TEST(hmac_is_that_of_rfc_4231),
        MT_TEST(labels_and_contexts_separate_keys),
        MT_TEST(no_label_is_the_beginning_of_another),
        MT_TEST(scrypt_outside_its_range_is_refused_before_it_is_paid_for),
        MT_TEST(what_was_sealed_is_unsealed_and_nothing_else),
        MT_TEST(a_signature_is_for_one_key_and_one_message),
        MT_TEST(a_private_key_makes_its_own_public_one),
        MT_TEST(a_public_key_off_the_curve_is_refused),
        MT_TEST(all_randomness_comes_from_the_source),
        MT_TEST(a_dry_source_makes_no_keys),
        MT_TEST(secrets_do_not_overlap_and_are_wiped),
        MT_TEST(a_secret_too_large_and_one_too_many_are_refused),
    };
    MT_ASSERT(!mt_failed(mt_crypto_init(seeded, NULL)));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
