/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/assert.h"
#include "crypto/aead.h"
#include "crypto/context.h"
#include "crypto/kdf.h"
#include "crypto/merkle.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "unit/runner.h"
#include "unit/scarce.h"

/*
 * Each door of lib/crypto, once for every allocation behind it, which fails: then the door says so
 * and gives nothing, or it did without and what it gives is right. Not mt_crypto_init():
 * OpenSSL 3.0 loses memory when it cannot load a provider.
 */
#define OK(call_) MT_ASSERT(!mt_failed(call_))

static const mt_bytes message = {(const uint8_t *)"message", 7};
static const uint8_t scalar[MT_PRIVATE_LEN] = {1, 2, 3};
static const uint8_t nonce[MT_AEAD_NONCE_LEN];
static struct mt_key *key;

static mt_err sevens(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 7, out.len);
    return MT_OK;
}

/* One turn at a door: false if it gave nothing. Asserts that what it gave is right. */
typedef bool turn(void);

/* Returns how many allocations there were. */
static size_t sweep(turn *one)
{
    size_t n = 0;
    bool was_reached = true;
    while (was_reached) {
        scarce_in = ++n;
        bool is_good = one();
        was_reached = scarce_end();
        MT_ASSERT(was_reached || is_good);
    }
    return n - 1;
}

/* The assertions of a turn are made in plenty. */
static bool is_done(mt_err e, bool has_given)
{
    MT_ASSERT(mt_failed(e) == !has_given);
    scarce_pauses++;
    return has_given;
}

static void proceed(void)
{
    scarce_pauses--;
}

static bool make_key(void)
{
    struct mt_key *k = NULL;
    mt_err e = mt_key_new(&k);
    bool is_good = is_done(e, k != NULL);
    mt_key_free(&k);
    proceed();
    return is_good;
}

static bool read_key(void)
{
    struct mt_key *k = NULL;
    mt_err e = mt_key_of_private(MT_BYTES_OF(scalar), &k);
    bool is_good = is_done(e, k != NULL);
    MT_ASSERT(!is_good ||
              mt_bytes_equal(mt_spki_bytes(mt_key_public(k)), mt_spki_bytes(mt_key_public(key))));
    mt_key_free(&k);
    proceed();
    return is_good;
}

static bool write_key(void)
{
    uint8_t out[MT_PRIVATE_LEN];
    mt_err e = mt_key_private(key, (mt_span){out, sizeof out});
    MT_ASSERT(mt_failed(e) || mt_bytes_equal(MT_BYTES_OF(out), MT_BYTES_OF(scalar)));
    return !mt_failed(e);
}

static bool sign(void)
{
    uint8_t signature[MT_SIGNATURE_LEN];
    mt_err e = mt_sign(key, message, signature);
    bool is_good = is_done(e, !mt_failed(e));
    MT_ASSERT(!is_good ||
              !mt_failed(mt_verify(mt_key_public(key), message, MT_BYTES_OF(signature))));
    proceed();
    return is_good;
}

static uint8_t good_signature[MT_SIGNATURE_LEN];

static bool verify(void)
{
    return !mt_failed(mt_verify(mt_key_public(key), message, MT_BYTES_OF(good_signature)));
}

static bool refuse(void)
{
    uint8_t forged[MT_SIGNATURE_LEN];
    memcpy(forged, good_signature, sizeof forged);
    forged[5] ^= 1;
    MT_ASSERT(mt_failed(mt_verify(mt_key_public(key), message, MT_BYTES_OF(forged))));
    return true;
}

static bool parse_key(void)
{
    mt_spki out;
    return !mt_failed(mt_spki_parse(mt_spki_bytes(mt_key_public(key)), &out));
}

static bool seal(void)
{
    struct mt_aead *a = NULL;
    uint8_t sealed[7 + MT_AEAD_TAG_LEN];
    uint8_t out[7];
    mt_err e = mt_aead_new(MT_BYTES_OF(scalar), &a);
    MT_ASSERT(mt_failed(e) == (a == NULL));
    e = mt_failed(e) ? e
                     : mt_aead_seal(a, MT_BYTES_OF(nonce), message, message,
                                    (mt_span){sealed, sizeof sealed});
    e = mt_failed(e) ? e
                     : mt_aead_unseal(a, MT_BYTES_OF(nonce), message, MT_BYTES_OF(sealed),
                                      (mt_span){out, sizeof out});
    MT_ASSERT(mt_failed(e) || mt_bytes_equal(MT_BYTES_OF(out), message));
    mt_aead_free(&a);
    return !mt_failed(e);
}

static bool derive(void)
{
    uint8_t first[32] = {0};
    uint8_t out[32] = {0};
    mt_err e = mt_kdf(message, MT_LABEL_BLOCK_KEY, message, (mt_span){out, sizeof out});
    bool is_good = is_done(e, !mt_failed(e));
    OK(mt_kdf(message, MT_LABEL_BLOCK_KEY, message, (mt_span){first, sizeof first}));
    MT_ASSERT(!is_good || mt_bytes_equal(MT_BYTES_OF(out), MT_BYTES_OF(first)));
    proceed();
    return is_good;
}

static bool hash(void)
{
    struct mt_hasher *h = NULL;
    mt_err e = mt_hasher_new(&h);
    bool is_good = is_done(e, h != NULL);
    mt_hasher_free(&h);
    proceed();
    return is_good;
}

static bool keep_secret(void)
{
    struct mt_secret *s = NULL;
    struct mt_secret *copy = NULL;
    mt_err e = mt_secret_random(32, &s);
    MT_ASSERT(mt_failed(e) == (s == NULL));
    e = mt_failed(e) ? e : mt_secret_copy(mt_secret_bytes(s), &copy);
    MT_ASSERT(mt_failed(e) == (copy == NULL));
    mt_secret_free(&s);
    mt_secret_free(&copy);
    return !mt_failed(e);
}

static bool grow_tree(void)
{
    enum { LEAVES = 70 }; /* past the first room of the lowest level */
    struct mt_merkle *t = NULL;
    mt_err e = mt_merkle_new(&t);
    MT_ASSERT(mt_failed(e) == (t == NULL));
    for (size_t i = 0; i < LEAVES && !mt_failed(e); i++) {
        const mt_hash leaf = {{(uint8_t)i}};
        e = mt_merkle_append(t, &leaf);
    }
    mt_merkle_free(&t);
    return !mt_failed(e);
}

static void keys_are_whole_or_not_there(void)
{
    MT_ASSERT(sweep(make_key) > 2);
    MT_ASSERT(sweep(read_key) > 2);
    MT_ASSERT(sweep(write_key) > 0);
    MT_ASSERT(sweep(parse_key) > 2);
}

static void signatures_are_good_or_not_there_and_no_forged_one_verifies(void)
{
    MT_ASSERT(sweep(sign) > 2);
    OK(mt_sign(key, message, good_signature));
    MT_ASSERT(sweep(verify) > 2);
    MT_ASSERT(sweep(refuse) > 2);
}

static void sealed_bytes_are_whole_or_not_there(void)
{
    MT_ASSERT(sweep(seal) > 2);
}

static void derived_keys_are_right_or_not_there(void)
{
    MT_ASSERT(sweep(derive) > 2);
}

static void secrets_hashes_and_trees_are_whole_or_not_there(void)
{
    MT_ASSERT(sweep(hash) > 1);
    MT_ASSERT(sweep(keep_secret) == 2);
    MT_ASSERT(sweep(grow_tree) > 2);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(keys_are_whole_or_not_there),
        MT_TEST(signatures_are_good_or_not_there_and_no_forged_one_verifies),
        MT_TEST(sealed_bytes_are_whole_or_not_there),
        MT_TEST(derived_keys_are_right_or_not_there),
        MT_TEST(secrets_hashes_and_trees_are_whole_or_not_there),
    };
    OK(mt_crypto_init(sevens, NULL));
    OK(mt_key_of_private(MT_BYTES_OF(scalar), &key));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_key_free(&key);
    mt_crypto_done();
    return rc;
}
