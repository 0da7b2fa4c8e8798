/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ct.h"

#include <string.h>
#include <valgrind/memcheck.h>

#include "base/assert.h"
#include "crypto/aead.h"
#include "crypto/context.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/share.h"
#include "unit/runner.h"

/*
 * Constant time, as far as valgrind sees it: secrets are marked undefined, so a branch that depends
 * on one, or an address, is an error. What comes out of a function is public, and is marked so
 * before it is looked at. Runs under valgrind alone, which makes an error of each report.
 */
#define OK(call_) MT_ASSERT(!mt_failed(call_))

static uint8_t key[32] = {1, 2, 3};

static void hide(const void *at, size_t len)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(at, len);
}

static void reveal(const void *at, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(at, len);
}

/* Whether two things are equal is said to whoever asked: what comes of it is no leak. */
bool __real_mt_ct_equal(mt_bytes a, mt_bytes b);
bool __wrap_mt_ct_equal(mt_bytes a, mt_bytes b);
bool __wrap_mt_ct_equal(mt_bytes a, mt_bytes b)
{
    bool is_equal = __real_mt_ct_equal(a, b);
    reveal(&is_equal, sizeof is_equal);
    return is_equal;
}

static void comparing_leaks_no_contents(void)
{
    uint8_t same[32];
    uint8_t first[32];
    uint8_t last[32];
    memcpy(same, key, sizeof same);
    memcpy(first, key, sizeof first);
    memcpy(last, key, sizeof last);
    first[0] ^= 1;
    last[31] ^= 1;
    hide(key, sizeof key);
    bool is_equal[] = {mt_ct_equal(MT_BYTES_OF(key), MT_BYTES_OF(same)),
                       mt_ct_equal(MT_BYTES_OF(key), MT_BYTES_OF(first)),
                       mt_ct_equal(MT_BYTES_OF(key), MT_BYTES_OF(last))};
    reveal(key, sizeof key);
    MT_ASSERT(is_equal[0] && !is_equal[1] && !is_equal[2]);
}

static void authenticating_and_deriving_leak_nothing_of_the_key(void)
{
    const mt_bytes part = MT_LITERAL("message");
    uint8_t derived[32];
    mt_hash h;
    hide(key, sizeof key);
    mt_hmac_sha256(MT_BYTES_OF(key), &part, 1, &h);
    OK(mt_kdf(MT_BYTES_OF(key), MT_LABEL_BLOCK_KEY, part, (mt_span){derived, sizeof derived}));
    reveal(key, sizeof key);
}

static void sealing_leaks_nothing_of_key_and_contents(void)
{
    static const uint8_t nonce[MT_AEAD_NONCE_LEN];
    static uint8_t plain[100];
    uint8_t sealed[sizeof plain + MT_AEAD_TAG_LEN];
    struct mt_aead *a = NULL;
    hide(key, sizeof key);
    hide(plain, sizeof plain);
    OK(mt_aead_new(MT_BYTES_OF(key), &a));
    OK(mt_aead_seal(a, MT_BYTES_OF(nonce), MT_LITERAL("aad"), MT_BYTES_OF(plain),
                    (mt_span){sealed, sizeof sealed}));
    mt_aead_free(&a);
    reveal(key, sizeof key);
    reveal(plain, sizeof plain);
}

static void cutting_a_key_and_combining_its_shares_leak_nothing_of_either(void)
{
    static uint8_t coefficients[64] = {4, 5, 6};
    static struct mt_share shares[5];
    struct mt_share_set set = {3, 5, {{{0}}}};
    uint8_t again[32];
    uint8_t text[MT_SHARE_TEXT_LEN];
    size_t at = 0;
    struct mt_writer w = mt_writer_over((mt_span){text, sizeof text});
    hide(key, sizeof key);
    hide(coefficients, sizeof coefficients);
    OK(mt_share_split(MT_BYTES_OF(key), MT_BYTES_OF(coefficients), &set, shares));
    reveal(&set, sizeof set); /* a hash is public */
    for (size_t i = 0; i < 5; i++) {
        reveal(&shares[i].set, sizeof shares[i].set);
    }
    mt_share_write(&w, &shares[1]);
    OK(mt_share_combine(&set, shares + 2, 3, (mt_span){again, sizeof again}, &at));
    reveal(key, sizeof key);
    reveal(again, sizeof again);
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(again), MT_BYTES_OF(key)));
}

/* Nothing here is random. */
static mt_err no_entropy(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 0, out.len);
    return MT_OK;
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(comparing_leaks_no_contents),
        MT_TEST(authenticating_and_deriving_leak_nothing_of_the_key),
        MT_TEST(sealing_leaks_nothing_of_key_and_contents),
        MT_TEST(cutting_a_key_and_combining_its_shares_leak_nothing_of_either),
    };
    MT_ASSERT(RUNNING_ON_VALGRIND);
    OK(mt_crypto_init(no_entropy, NULL));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
