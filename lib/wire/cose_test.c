/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cose.h"

#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "unit/mangle.h"
#include "unit/runner.h"

/* RFC 9052, appendix C.2.1: a Sign1 by the key "11", and the Sig_structure that was signed. */
static const char rfc_message[] =
    "d28443a10126a10442313154546869732069732074686520636f6e74656e742e58408eb33e4ca31d1c465ab05aac"
    "34cc6b23d58fef5c083106c4d25a91aef0b0117e2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5"
    "a4c345cacb36";
static const char rfc_tbs[] =
    "846a5369676e61747572653143a101264054546869732069732074686520636f6e74656e742e";

static mt_bytes unhex(const char *hex, mt_span room)
{
    mt_span out = {room.ptr, strlen(hex) / 2};
    MT_ASSERT(out.len <= room.len);
    MT_ASSERT(!mt_failed(mt_hex_parse(mt_bytes_of_text(hex), out)));
    return mt_bytes_of(out);
}

static mt_bytes written(const struct mt_cose_sign1 *m, mt_span room)
{
    struct mt_writer w = mt_writer_over(room);
    mt_bytes out;
    mt_cose_sign1_write(&w, m);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    return out;
}

static bool comes_back(const uint8_t *bytes, size_t len)
{
    uint8_t room[512];
    mt_bytes in = {bytes, len};
    struct mt_cose_sign1 m;
    if (mt_failed(mt_cose_sign1_parse(in, &m))) {
        return false;
    }
    MT_ASSERT(mt_bytes_equal(written(&m, (mt_span){room, sizeof room}), in));
    return true;
}

static void the_example_of_the_rfc_is_read(void)
{
    uint8_t room[256];
    uint8_t tbs_room[128];
    uint8_t again[128];
    mt_bytes in = unhex(rfc_message, (mt_span){room, sizeof room});
    mt_bytes expected = unhex(rfc_tbs, (mt_span){tbs_room, sizeof tbs_room});
    mt_bytes tbs;
    struct mt_cose_sign1 m;
    MT_ASSERT(!mt_failed(mt_cose_sign1_parse(in, &m)));
    MT_ASSERT(mt_bytes_equal(m.protected_, MT_LITERAL("\xa1\x01\x26")));
    MT_ASSERT(mt_bytes_equal(m.unprotected, MT_LITERAL("\xa1\x04\x42\x31\x31")));
    MT_ASSERT(mt_bytes_equal(m.payload, MT_LITERAL("This is the content.")));
    MT_ASSERT(!m.is_detached && m.signature.len == 64);
    struct mt_writer w = mt_writer_over((mt_span){again, sizeof again});
    mt_cose_tbs_write(&w, m.protected_, MT_LITERAL(""), m.payload);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &tbs)) && mt_bytes_equal(tbs, expected));
}

static void a_message_comes_back_and_nothing_near_it_is_taken_for_another(void)
{
    uint8_t room[256];
    mt_bytes in = unhex(rfc_message, (mt_span){room, sizeof room});
    mt_mangle_length(comes_back, in.ptr, in.len);
    MT_ASSERT(mt_mangle_bits(comes_back, in.ptr, in.len) > 8 * (64 + 20) - 1);
    struct mt_cose_sign1 m;
    MT_ASSERT(!mt_failed(mt_cose_sign1_parse(in, &m)));
    uint8_t detached_room[256];
    m.is_detached = true;
    m.payload = (mt_bytes){NULL, 0};
    mt_bytes detached = written(&m, (mt_span){detached_room, sizeof detached_room});
    MT_ASSERT(!mt_failed(mt_cose_sign1_parse(detached, &m)) && m.is_detached && m.payload.len == 0);
    mt_mangle_length(comes_back, detached.ptr, detached.len);
    MT_ASSERT(mt_mangle_bits(comes_back, detached.ptr, detached.len) >= (size_t)8 * 64);
}

/* A signature of zeros. */
#define Z16 "00000000000000000000000000000000"
#define Z   "5840" Z16 Z16 Z16 Z16
static const struct {
    const char *hex;
    const char *what; /* NULL: good */
} shapes[] = {
    {"d28443a10126a0f6" Z, NULL},
    {"d28443a10126a040" Z, NULL},
    {"8443a10126a040" Z, "CBOR: not a tag"},
    {"d18443a10126a040" Z, "CBOR: another tag"},
    {"d28343a10126a040", "COSE: a Sign1 has four fields"},
    {"d28543a10126a040" Z "00", "CBOR: an array has too many items"},
    {"d28440a040" Z, "COSE: an empty protected header"},
    {"d28441a0a040" Z, "COSE: an empty protected header"},
    {"d28444a1012600a040" Z, "trailing bytes"},
    {"d2844480a0a0a0a040" Z, "CBOR: not a map"},
    {"d28446a20126012600a040" Z, "CBOR: a map key stands twice"},
    {"d28444a1180126a040" Z, "CBOR: a head is not the shortest"},
    {"d28443a101268040" Z, "CBOR: not a map"},
    {"d28443a10126a20100010040" Z, "CBOR: a map key stands twice"},
    {"d28443a10126a060" Z, "CBOR: not a byte string"},
    {"d28443a10126a0f7" Z, "CBOR: undefined"},
    {"d28443a10126a040583f"
     "00",
     "truncated"},
    {"d28443a10126a04041"
     "00",
     "COSE: a signature has 64 bytes"},
    {"d28443a10126a040" Z "00", "trailing bytes"},
};

static void other_shapes_are_refused_with_their_words(void)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        uint8_t room[128];
        struct mt_cose_sign1 m = {.signature = {NULL, 7}};
        mt_err e = mt_cose_sign1_parse(unhex(shapes[i].hex, (mt_span){room, sizeof room}), &m);
        MT_ASSERT(mt_failed(e) == (shapes[i].what != NULL));
        MT_ASSERT(shapes[i].what == NULL || strcmp(e.fault->what, shapes[i].what) == 0);
        MT_ASSERT(!mt_failed(e) || m.signature.len == 7);
    }
}

static bool header_comes_back(const uint8_t *bytes, size_t len)
{
    uint8_t room[64];
    mt_bytes in = {bytes, len};
    mt_bytes kid;
    mt_bytes out;
    if (mt_failed(mt_cose_protected_parse(in, &kid))) {
        return false;
    }
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cose_protected_write(&w, kid);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)) && mt_bytes_equal(out, in));
    return true;
}

static void the_protected_header_is_exactly_algorithm_and_key(void)
{
    static const uint8_t kid[32] = {1, 2, 3};
    uint8_t room[64];
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cose_protected_write(&w, MT_BYTES_OF(kid));
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    mt_mangle_length(header_comes_back, out.ptr, out.len);
    MT_ASSERT(mt_mangle_bits(header_comes_back, out.ptr, out.len) == 8 * sizeof kid);
    mt_bytes found = {NULL, 7};
    mt_err e = mt_cose_protected_parse(MT_LITERAL("\xa2\x01\x26\x04\x42\x31\x31"), &found);
    MT_ASSERT(mt_failed(e) && found.len == 7);
    e = mt_cose_protected_parse(MT_LITERAL("\xa1\x01\x26"), &found);
    MT_ASSERT(mt_failed(e) &&
              strcmp(e.fault->what, "COSE: a protected header but {alg, kid}") == 0);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(the_example_of_the_rfc_is_read),
        MT_TEST(a_message_comes_back_and_nothing_near_it_is_taken_for_another),
        MT_TEST(other_shapes_are_refused_with_their_words),
        MT_TEST(the_protected_header_is_exactly_algorithm_and_key),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
