/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/attest.h"

#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "unit/mangle.h"
#include "unit/runner.h"
#include "vectors/attest_round.h"

static uint8_t room[2 * MT_ATTEST_MESSAGE_BYTES_MAX];

static mt_bytes written(struct mt_writer *w)
{
    mt_bytes out;
    MT_ASSERT(!mt_failed(mt_write_end(w, &out)));
    return out;
}

static struct mt_attest_request request(void)
{
    struct mt_attest_request q = {.formats = {MT_LITERAL("soft"), MT_LITERAL("none")},
                                  .formats_count = 2};
    for (size_t i = 0; i < sizeof q.nonce; i++) {
        q.nonce[i] = (uint8_t)i;
    }
    return q;
}

static struct mt_attest attest(void)
{
    return (struct mt_attest){.format = MT_LITERAL("soft"),
                              .evidence = MT_LITERAL("evidence-1"),
                              .endorsements = {MT_LITERAL("e1"), MT_LITERAL("e2")},
                              .endorsements_count = 2};
}

/* The vectors of spec/attest-round.md, made by a program that shares nothing with us. */
static bool is_hex(mt_bytes b, const char *hex)
{
    uint8_t digits[512];
    struct mt_writer w = mt_writer_over((mt_span){digits, sizeof digits});
    mt_hex_write(&w, b);
    return mt_bytes_equal(written(&w), mt_bytes_of_text(hex));
}

static bool request_comes_back(const uint8_t *bytes, size_t len)
{
    struct mt_attest_request q;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (mt_failed(mt_attest_request_parse((mt_bytes){bytes, len}, &q))) {
        return false;
    }
    mt_attest_request_write(&w, &q);
    MT_ASSERT(mt_bytes_equal(written(&w), (mt_bytes){bytes, len}));
    return true;
}

static bool attest_comes_back(const uint8_t *bytes, size_t len)
{
    struct mt_attest a;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (mt_failed(mt_attest_parse((mt_bytes){bytes, len}, &a))) {
        return false;
    }
    mt_attest_write(&w, &a);
    MT_ASSERT(mt_bytes_equal(written(&w), (mt_bytes){bytes, len}));
    return true;
}

static void the_messages_are_those_of_the_specification(void)
{
    uint8_t own[256];
    const struct mt_attest_request q = request();
    const struct mt_attest a = attest();
    struct mt_writer w = mt_writer_over((mt_span){own, sizeof own});
    mt_attest_request_write(&w, &q);
    mt_bytes out = written(&w);
    MT_ASSERT(is_hex(out, MT_VECTOR_ATTEST_REQUEST));
    struct mt_writer f = mt_writer_over((mt_span){room, sizeof room});
    mt_attest_frame_write(&f, out);
    MT_ASSERT(is_hex(written(&f), MT_VECTOR_ATTEST_REQUEST_FRAME));
    mt_mangle_length(request_comes_back, out.ptr, out.len);
    MT_ASSERT(mt_mangle_bits(request_comes_back, out.ptr, out.len) >= 8 * sizeof q.nonce);
    w = mt_writer_over((mt_span){own, sizeof own});
    mt_attest_write(&w, &a);
    out = written(&w);
    MT_ASSERT(is_hex(out, MT_VECTOR_ATTEST));
    f = mt_writer_over((mt_span){room, sizeof room});
    mt_attest_frame_write(&f, out);
    MT_ASSERT(is_hex(written(&f), MT_VECTOR_ATTEST_FRAME));
    mt_mangle_length(attest_comes_back, out.ptr, out.len);
    MT_ASSERT(mt_mangle_bits(attest_comes_back, out.ptr, out.len) >= 8 * a.evidence.len);
}

static void a_party_without_evidence_says_none_and_nothing_else(void)
{
    uint8_t own[64];
    struct mt_attest a = {.format = MT_LITERAL("none")};
    const struct mt_attest_request empty = {.formats_count = 0};
    struct mt_attest back;
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){own, sizeof own});
    mt_attest_write(&w, &a);
    MT_ASSERT(is_hex(written(&w), MT_VECTOR_ATTEST_NONE));
    MT_ASSERT(!mt_failed(mt_attest_parse(written(&w), &back)));
    MT_ASSERT(back.evidence.len == 0 && back.endorsements_count == 0);
    a.evidence = MT_LITERAL("x");
    w = mt_writer_over((mt_span){own, sizeof own});
    mt_attest_write(&w, &a);
    MT_ASSERT(mt_failed(mt_write_end(&w, &out)));
    a = (struct mt_attest){
        .format = MT_LITERAL("none"), .endorsements = {MT_LITERAL("x")}, .endorsements_count = 1};
    w = mt_writer_over((mt_span){own, sizeof own});
    mt_attest_write(&w, &a);
    MT_ASSERT(mt_failed(mt_write_end(&w, &out)));
    a = (struct mt_attest){.format = MT_LITERAL("tpm-2"), .evidence = MT_LITERAL("x")};
    w = mt_writer_over((mt_span){own, sizeof own});
    mt_attest_write(&w, &a);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    w = mt_writer_over((mt_span){own, sizeof own});
    mt_attest_request_write(&w, &empty);
    MT_ASSERT(mt_failed(mt_write_end(&w, &out)));
    a = (struct mt_attest){.format = MT_LITERAL("soft")};
    w = mt_writer_over((mt_span){own, sizeof own});
    mt_attest_write(&w, &a);
    MT_ASSERT(mt_failed(mt_write_end(&w, &out)));
}

#define NONCE "5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
static const struct {
    const char *hex;
    bool is_request;
    const char *what;
} refused[] = {
    {"840201" NONCE "8164736f6674", true, "ATTEST: another version"},
    {"850201" NONCE "8164736f667400", true, "ATTEST: another version"},
    {"840102" NONCE "8164736f6674", true, "ATTEST: another message was due"},
    {"850101" NONCE "8164736f667400", true, "ATTEST: too many or too few fields"},
    {"840101" NONCE "80", true, "ATTEST: a request accepts no format"},
    {"840101" NONCE "8264736f667464736f6674", true, "ATTEST: a request names a format twice"},
    {"840101" NONCE "8160", true, "ATTEST: the name of a format has 1 to 32 bytes"},
    {"840101" NONCE "816453"
     "6f6674",
     true, "ATTEST: the name of a format has letters, digits and '-' alone"},
    {"840101" NONCE "89616161626163616461656166616761686169", true,
     "CBOR: an array has too many items"},
    {"840101"
     "4400010203"
     "8164736f6674",
     true, "CBOR: a byte string of the wrong length"},
    {"85010164736f66744a65766964656e63652d3180", false, "ATTEST: another message was due"},
    {"85010264736f66744080", false,
     "ATTEST: evidence is empty if, and only if, its format is none"},
    {"850102646e6f6e65417880", false,
     "ATTEST: evidence is empty if, and only if, its format is none"},
    {"850102646e6f6e6540814178", false, "ATTEST: no evidence, and yet it is endorsed"},
    {"85010264736f667441789140404040404040404040404040404040"
     "40",
     false, "CBOR: an array has too many items"},
};

static void other_messages_are_refused_with_their_words(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        uint8_t own[128];
        struct mt_attest_request q = {.formats_count = 7};
        struct mt_attest a = {.endorsements_count = 7};
        mt_span in = {own, strlen(refused[i].hex) / 2};
        MT_ASSERT(!mt_failed(mt_hex_parse(mt_bytes_of_text(refused[i].hex), in)));
        mt_err e = refused[i].is_request ? mt_attest_request_parse(mt_bytes_of(in), &q)
                                         : mt_attest_parse(mt_bytes_of(in), &a);
        MT_ASSERT(mt_failed(e) && strcmp(e.fault->what, refused[i].what) == 0);
        MT_ASSERT(q.formats_count == 7 && a.endorsements_count == 7);
    }
}

static void evidence_has_its_limit(void)
{
    static uint8_t big[MT_EVIDENCE_BYTES_MAX + 1];
    for (size_t len = MT_EVIDENCE_BYTES_MAX; len <= MT_EVIDENCE_BYTES_MAX + 1; len++) {
        const struct mt_attest a = {.format = MT_LITERAL("soft"), .evidence = {big, len}};
        mt_bytes out;
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        mt_attest_write(&w, &a);
        MT_ASSERT(mt_failed(mt_write_end(&w, &out)) == (len > MT_EVIDENCE_BYTES_MAX));
    }
}

static void a_frame_is_whole_or_it_is_not_there(void)
{
    uint8_t own[64];
    struct mt_writer w = mt_writer_over((mt_span){own, sizeof own});
    mt_attest_frame_write(&w, MT_LITERAL("hello"));
    mt_attest_frame_write(&w, MT_LITERAL("x"));
    mt_bytes all = written(&w);
    MT_ASSERT(mt_bytes_equal(all, MT_LITERAL("\0\0\0\5hello\0\0\0\1x")));
    for (size_t len = 0; len < 9; len++) {
        mt_bytes in = {all.ptr, len};
        mt_bytes message = {NULL, 7};
        bool is_whole = true;
        MT_ASSERT(!mt_failed(mt_attest_frame_read(&in, &message, &is_whole)));
        MT_ASSERT(!is_whole && in.len == len && message.len == 7);
    }
    mt_bytes message;
    bool is_whole = false;
    MT_ASSERT(!mt_failed(mt_attest_frame_read(&all, &message, &is_whole)) && is_whole);
    MT_ASSERT(mt_bytes_equal(message, MT_LITERAL("hello")) && all.len == 5);
    MT_ASSERT(!mt_failed(mt_attest_frame_read(&all, &message, &is_whole)) && is_whole);
    MT_ASSERT(mt_bytes_equal(message, MT_LITERAL("x")) && all.len == 0);
}

static void a_frame_that_is_too_long_or_empty_is_refused_by_its_length_alone(void)
{
    mt_bytes in = MT_LITERAL("\0\1\0\1");
    mt_bytes message = {NULL, 7};
    bool is_whole = true;
    mt_err e = mt_attest_frame_read(&in, &message, &is_whole);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT && in.len == 4);
    in = MT_LITERAL("\0\1\0\0");
    MT_ASSERT(!mt_failed(mt_attest_frame_read(&in, &message, &is_whole)) && !is_whole);
    in = MT_LITERAL("\0\0\0\0");
    e = mt_attest_frame_read(&in, &message, &is_whole);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_FORMAT && message.len == 7);
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_attest_frame_write(&w, (mt_bytes){room, MT_ATTEST_MESSAGE_BYTES_MAX + 1});
    MT_ASSERT(mt_failed(mt_write_end(&w, &message)));
    w = mt_writer_over((mt_span){room, sizeof room});
    mt_attest_frame_write(&w, (mt_bytes){NULL, 0});
    MT_ASSERT(mt_failed(mt_write_end(&w, &message)));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(the_messages_are_those_of_the_specification),
        MT_TEST(a_party_without_evidence_says_none_and_nothing_else),
        MT_TEST(other_messages_are_refused_with_their_words),
        MT_TEST(evidence_has_its_limit),
        MT_TEST(a_frame_is_whole_or_it_is_not_there),
        MT_TEST(a_frame_that_is_too_long_or_empty_is_refused_by_its_length_alone),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
