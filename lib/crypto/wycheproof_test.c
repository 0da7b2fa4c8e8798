/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Known attacks (tests/vectors/wycheproof) against the doors of lib/crypto. Argument: that folder.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "crypto/aead.h"
#include "crypto/context.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/sign.h"
#include "unit/runner.h"
#include "wire/json.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

enum { FILE_BYTES_MAX = 128 * 1024, FIELD_BYTES_MAX = 16 * 1024, TESTS_MAX = 1024 };

static const char *folder;

/* One test, and the group that it stands in. */
struct wycheproof {
    const struct mt_json *group;
    const struct mt_json *test;
    bool is_valid;
};
typedef void check(const struct wycheproof *t);

/* A field in hexadecimal, in room that stays until the fields are begun anew. */
static uint8_t rooms[8][FIELD_BYTES_MAX];
static size_t rooms_used;

static mt_bytes field(const struct mt_json *object, const char *name)
{
    mt_bytes text;
    MT_ASSERT(rooms_used < sizeof rooms / sizeof *rooms);
    uint8_t *room = rooms[rooms_used++];
    OK(mt_json_text(object, name, &text));
    MT_ASSERT(text.len % 2 == 0 && text.len / 2 <= FIELD_BYTES_MAX);
    OK(mt_hex_parse(text, (mt_span){room, text.len / 2}));
    return (mt_bytes){room, text.len / 2};
}

static mt_bytes load(const char *name)
{
    static uint8_t text[FILE_BYTES_MAX];
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s.json", folder, name);
    FILE *f = fopen(path, "rb");
    MT_ASSERT(f != NULL);
    size_t len = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    MT_ASSERT(len < sizeof text);
    return (mt_bytes){text, len};
}

static void run(const struct mt_json *group, const struct mt_json *test, check *one)
{
    mt_bytes result;
    struct wycheproof t = {.group = group, .test = test};
    OK(mt_json_text(test, "result", &result));
    t.is_valid = mt_bytes_equal(result, MT_LITERAL("valid"));
    MT_ASSERT(t.is_valid || mt_bytes_equal(result, MT_LITERAL("invalid")) ||
              mt_bytes_equal(result, MT_LITERAL("acceptable")));
    rooms_used = 0;
    one(&t);
}

/* All tests of a file, and as many as it says. */
static void run_file(const char *name, uint64_t expected, check *one)
{
    MT_DEFER(mt_json_free) struct mt_json *root = NULL;
    const struct mt_json *groups = NULL;
    size_t groups_count = 0;
    uint64_t said = 0;
    uint64_t count = 0;
    OK(mt_json_parse(load(name), &root, NULL));
    OK(mt_json_uint(root, "numberOfTests", TESTS_MAX, &said));
    OK(mt_json_array(root, "testGroups", TESTS_MAX, &groups, &groups_count));
    for (size_t g = 0; g < groups_count; g++) {
        const struct mt_json *group = mt_json_at(groups, g);
        const struct mt_json *tests = NULL;
        size_t tests_count = 0;
        OK(mt_json_array(group, "tests", TESTS_MAX, &tests, &tests_count));
        for (size_t i = 0; i < tests_count; i++) {
            run(group, mt_json_at(tests, i), one);
            count++;
        }
    }
    MT_ASSERT(count == said && count == expected);
}

static void aead(const struct wycheproof *t)
{
    MT_DEFER(mt_aead_free) struct mt_aead *a = NULL;
    static uint8_t sealed[FIELD_BYTES_MAX];
    static uint8_t out[FIELD_BYTES_MAX];
    mt_bytes nonce = field(t->test, "iv");
    mt_bytes aad = field(t->test, "aad");
    mt_bytes plain = field(t->test, "msg");
    mt_bytes cipher = field(t->test, "ct");
    mt_bytes tag = field(t->test, "tag");
    OK(mt_aead_new(field(t->test, "key"), &a));
    struct mt_writer w = mt_writer_over((mt_span){sealed, sizeof sealed});
    mt_bytes all;
    mt_write_bytes(&w, cipher);
    mt_write_bytes(&w, tag);
    OK(mt_write_end(&w, &all));
    mt_err e = mt_aead_unseal(a, nonce, aad, all, (mt_span){out, cipher.len});
    MT_ASSERT(mt_failed(e) == !t->is_valid);
    if (t->is_valid) {
        MT_ASSERT(mt_bytes_equal((mt_bytes){out, cipher.len}, plain));
        OK(mt_aead_seal(a, nonce, aad, plain, (mt_span){out, all.len}));
        MT_ASSERT(mt_bytes_equal((mt_bytes){out, all.len}, all));
    }
}

static void verify(const struct wycheproof *t)
{
    mt_spki key;
    OK(mt_spki_parse(field(t->group, "publicKeyDer"), &key));
    mt_err e = mt_verify(&key, field(t->test, "msg"), field(t->test, "sig"));
    MT_ASSERT(mt_failed(e) == !t->is_valid);
    MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_PROOF);
}

/* The point, in the head that every key of ours has. */
static void point(const struct wycheproof *t)
{
    static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    uint8_t room[256];
    mt_spki key;
    mt_bytes der;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, MT_BYTES_OF(head));
    mt_write_bytes(&w, field(t->test, "public"));
    OK(mt_write_end(&w, &der));
    MT_ASSERT(mt_failed(mt_spki_parse(der, &key)) == !t->is_valid);
}

static void hmac(const struct wycheproof *t)
{
    const mt_bytes part = field(t->test, "msg");
    mt_bytes tag = field(t->test, "tag");
    uint64_t bits = 0;
    mt_hash h;
    OK(mt_json_uint(t->group, "tagSize", 8 * sizeof h.b, &bits));
    mt_hmac_sha256(field(t->test, "key"), &part, 1, &h);
    bool is_equal = mt_bytes_equal((mt_bytes){h.b, bits / 8}, tag);
    MT_ASSERT(is_equal == t->is_valid);
}

/* RFC 5869: 255 blocks at most, which is what the invalid tests are about. */
static bool hkdf(mt_bytes key, mt_bytes salt, mt_bytes info, mt_span out)
{
    enum { BLOCKS_MAX = 255 };
    static const mt_hash zeros;
    mt_hash prk;
    mt_hash block;
    size_t done = 0;
    if (out.len > BLOCKS_MAX * sizeof block.b) {
        return false;
    }
    mt_hmac_sha256(salt.len == 0 ? mt_hash_bytes(&zeros) : salt, &key, 1, &prk);
    for (uint8_t i = 1; done < out.len; i++) {
        const mt_bytes parts[] = {{block.b, i == 1 ? 0 : sizeof block.b}, info, {&i, 1}};
        size_t len = out.len - done < sizeof block.b ? out.len - done : sizeof block.b;
        mt_hash next;
        mt_hmac_sha256(mt_hash_bytes(&prk), parts, 3, &next);
        block = next;
        memcpy(out.ptr + done, block.b, len);
        done += len;
    }
    return true;
}

static void derive(const struct wycheproof *t)
{
    static uint8_t out[FIELD_BYTES_MAX];
    uint64_t size = 0;
    OK(mt_json_uint(t->test, "size", sizeof out, &size));
    bool is_done = hkdf(field(t->test, "ikm"), field(t->test, "salt"), field(t->test, "info"),
                        (mt_span){out, (size_t)size});
    MT_ASSERT(is_done == t->is_valid);
    if (is_done) {
        MT_ASSERT(mt_bytes_equal((mt_bytes){out, (size_t)size}, field(t->test, "okm")));
    }
}

static void AES_256_GCM_seals_as_it_should_and_unseals_no_forgery(void)
{
    run_file("aes_gcm", 66, aead);
}

static void ECDSA_on_P_256_verifies_what_it_should_and_no_forgery(void)
{
    run_file("ecdsa_secp256r1_sha256_p1363", 262, verify);
}

static void no_point_off_the_curve_is_a_public_key(void)
{
    run_file("ecdh_secp256r1_ecpoint", 355, point);
}

static void HMAC_SHA_256_is_what_it_should_be(void)
{
    run_file("hmac_sha256", 174, hmac);
}

static void HKDF_over_that_HMAC_is_what_it_should_be(void)
{
    run_file("hkdf_sha256", 86, derive);
}

static void our_key_derivation_is_that_HKDF_with_label_and_context_as_info(void)
{
    static const uint8_t key[32] = {1, 2, 3};
    for (int i = 0; i < MT_LABEL_COUNT; i++) {
        uint8_t room[128];
        uint8_t got[80];
        uint8_t expected[80];
        mt_bytes label = mt_label_bytes((enum mt_label)i);
        mt_bytes info;
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        mt_write_u8(&w, (uint8_t)label.len);
        mt_write_bytes(&w, label);
        mt_write_bytes(&w, MT_LITERAL("context"));
        OK(mt_write_end(&w, &info));
        MT_ASSERT(hkdf(MT_BYTES_OF(key), (mt_bytes){NULL, 0}, info,
                       (mt_span){expected, sizeof expected}));
        OK(mt_kdf(MT_BYTES_OF(key), (enum mt_label)i, MT_LITERAL("context"),
                  (mt_span){got, sizeof got}));
        MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(got), MT_BYTES_OF(expected)));
    }
}

/* Nothing here is random. */
static mt_err no_entropy(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 0, out.len);
    return MT_OK;
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(AES_256_GCM_seals_as_it_should_and_unseals_no_forgery),
        MT_TEST(ECDSA_on_P_256_verifies_what_it_should_and_no_forgery),
        MT_TEST(no_point_off_the_curve_is_a_public_key),
        MT_TEST(HMAC_SHA_256_is_what_it_should_be),
        MT_TEST(HKDF_over_that_HMAC_is_what_it_should_be),
        MT_TEST(our_key_derivation_is_that_HKDF_with_label_and_context_as_info),
    };
    MT_ASSERT(argc == 2);
    folder = argv[1];
    OK(mt_crypto_init(no_entropy, NULL));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
