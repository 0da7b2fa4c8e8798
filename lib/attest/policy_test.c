/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy.h"

#include <stdio.h>

#include "attest/world_test.h"
#include "unit/mangle.h"

static struct mt_policy parsed;
static struct mt_policy policy;

static void policy_begin(void)
{
    policy = (struct mt_policy){.name = MT_LITERAL("production"),
                                .minimum_level = MT_LEVEL_SOFT,
                                .platforms = {subject_of(PLATFORM)},
                                .platforms_count = 1,
                                .operators = {subject_of(OPERATOR)},
                                .operators_count = 1,
                                .measurements = {{{1}}, {{2}}},
                                .measurements_count = 2,
                                .configurations = {{{3}}},
                                .configurations_count = 1,
                                .tpm_roots = {{{4}}},
                                .tpm_roots_count = 1,
                                .auditors = {.keys = {spki_of(ANN), spki_of(BEN)},
                                             .keys_count = 2,
                                             .threshold = 2,
                                             .minimum_sequence = 7}};
}

static mt_bytes text_of(struct mt_buf *room, const struct mt_policy *p)
{
    struct mt_writer w = mt_writer_onto(room);
    mt_policy_write(&w, p);
    return written(&w);
}

static void a_policy_is_read_as_it_was_written(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max(8192);
    mt_hash hash;
    policy_begin();
    mt_bytes text = text_of(&room, &policy);
    OK(mt_policy_parse(text, &parsed));
    MT_ASSERT(mt_bytes_equal(parsed.name, policy.name));
    MT_ASSERT(parsed.auditors.threshold == 2 && parsed.auditors.minimum_sequence == 7);
    MT_ASSERT(mt_bytes_equal(text_of(&again, &parsed), text));
    mt_sha256(&text, 1, &hash);
    MT_ASSERT(mt_hash_equal(&hash, &parsed.hash));
}

static void what_a_policy_does_not_name_is_empty(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    const struct mt_policy least = {.name = MT_LITERAL("n"), .minimum_level = MT_LEVEL_NONE};
    OK(mt_policy_parse(text_of(&room, &least), &parsed));
    MT_ASSERT(parsed.platforms_count == 0 && parsed.operators_count == 0);
    MT_ASSERT(parsed.measurements_count == 0 && parsed.configurations_count == 0);
    MT_ASSERT(parsed.tpm_roots_count == 0);
    MT_ASSERT(parsed.auditors.threshold == 0 && parsed.auditors.keys_count == 0);
}

static void a_name_that_json_would_escape_is_not_written(void)
{
    static const uint8_t turns[] = {0xe2, 0x80, 0xae}; /* the direction of writing */
    static const mt_bytes names[] = {{(const uint8_t *)"", 0},
                                     {(const uint8_t *)"a \"lab\"", 7},
                                     {(const uint8_t *)"back\\slash", 10},
                                     {(const uint8_t *)"line\nfeed", 9},
                                     {turns, sizeof turns}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
        struct mt_writer w = mt_writer_onto(&room);
        mt_bytes text;
        policy_begin();
        policy.name = names[i];
        mt_policy_write(&w, &policy);
        MT_ASSERT(is_code(mt_write_end(&w, &text), MT_E_FORMAT));
    }
}

static bool comes_back(const uint8_t *bytes, size_t len)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    mt_bytes text = {bytes, len};
    if (mt_failed(mt_policy_parse(text, &parsed))) {
        return false;
    }
    MT_ASSERT(mt_bytes_equal(text_of(&room, &parsed), text));
    return true;
}

static void every_truncation_is_refused_and_every_bit_counts(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    policy_begin();
    policy.auditors.threshold = 0;
    mt_bytes text = text_of(&room, &policy);
    mt_mangle_length(comes_back, text.ptr, text.len);
    MT_ASSERT(mt_mangle_some_bits(comes_back, text.ptr, text.len, step) > 0);
}

static mt_err parse_text(const char *text)
{
    return mt_policy_parse(mt_bytes_of_text(text), &parsed);
}

static void a_text_of_another_form_is_refused(void)
{
    static const char good[] = "{\"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
                               "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}";
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        /* version */
        "{\"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":2}",
        "{\"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[]}}",
        /* name */
        "{\"measurements\":[],\"minimum_level\":2,\"name\":\"\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        "{\"measurements\":[],\"minimum_level\":2,"
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        "{\"measurements\":[],\"minimum_level\":2,\"name\":"
        "\"a name that is longer than any name may be, which is sixty-four bytes\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        "{\"measurements\":[],\"minimum_level\":2,\"name\":\"a \\\"lab\\\"\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        /* level */
        "{\"measurements\":[],\"minimum_level\":0,\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        "{\"measurements\":[],\"minimum_level\":6,\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        "{\"measurements\":[],\"minimum_level\":\"2\",\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        /* soft */
        "{\"measurements\":[],\"minimum_level\":2,\"name\":\"n\",\"soft\":[],\"version\":1}",
        "{\"measurements\":[],\"minimum_level\":2,\"name\":\"n\",\"version\":1}",
        "{\"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
        "\"soft\":{\"any\":true,\"operators\":[],\"platforms\":[]},\"version\":1}",
        "{\"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
        "\"soft\":{\"operators\":[]},\"version\":1}",
        "{\"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
        "\"soft\":{\"operators\":[7],\"platforms\":[]},\"version\":1}",
        "{\"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[\"00\"]},\"version\":1}",
        /* measurements, configurations */
        "{\"minimum_level\":2,\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        "{\"configurations\":[\"\"],\"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        /* a switch that turns a check off */
        "{\"insecure\":true,\"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        /* not canonical */
        "{\"minimum_level\":2,\"measurements\":[],\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
        "{ \"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
        "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
    };
    OK(parse_text(good));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(is_code(parse_text(wrong[i]), MT_E_FORMAT) ||
                  is_code(parse_text(wrong[i]), MT_E_LIMIT));
    }
}

/* A policy around this text for its auditors. */
static mt_err parse_auditors(const char *auditors)
{
    char text[2048];
    int len = snprintf(text, sizeof text,
                       "{\"auditors\":%s,\"measurements\":[],\"minimum_level\":2,\"name\":\"n\","
                       "\"soft\":{\"operators\":[],\"platforms\":[]},\"version\":1}",
                       auditors);
    MT_ASSERT(len > 0 && (size_t)len < sizeof text);
    return parse_text(text);
}

static void auditors_of_another_form_are_refused(void)
{
    static const char *const wrong[] = {
        "[]",
        "{\"any\":true,\"keys\":[],\"minimum_sequence\":0,\"threshold\":1}",
        "{\"minimum_sequence\":0,\"threshold\":1}",
        "{\"keys\":[],\"minimum_sequence\":0,\"threshold\":0}",
        "{\"keys\":[],\"minimum_sequence\":0,\"threshold\":1}",
        "{\"keys\":[],\"minimum_sequence\":0}",
        "{\"keys\":[1],\"minimum_sequence\":0,\"threshold\":1}",
        "{\"keys\":[\"00\"],\"minimum_sequence\":0,\"threshold\":1}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(is_code(parse_auditors(wrong[i]), MT_E_FORMAT));
    }
}

static void an_auditor_is_a_key_on_the_curve_and_named_once(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(8192);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(8192);
    policy_begin();
    policy.auditors.keys[1].b[90] ^= 1;
    MT_ASSERT(is_code(mt_policy_parse(text_of(&a, &policy), &parsed), MT_E_FORMAT));
    policy.auditors.keys[1] = policy.auditors.keys[0];
    MT_ASSERT(is_code(mt_policy_parse(text_of(&b, &policy), &parsed), MT_E_FORMAT));
}

static void D1_a_threshold_is_between_1_and_the_number_of_auditors(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(8192);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(8192);
    policy_begin();
    policy.auditors.threshold = 3;
    MT_ASSERT(is_code(mt_policy_parse(text_of(&a, &policy), &parsed), MT_E_FORMAT));
    policy.auditors.threshold = 1;
    OK(mt_policy_parse(text_of(&b, &policy), &parsed));
}

static void a_policy_too_long_is_not_read(void)
{
    static uint8_t text[MT_POLICY_BYTES_MAX + 1];
    MT_ASSERT(is_code(mt_policy_parse(MT_BYTES_OF(text), &parsed), MT_E_LIMIT));
}

static mt_bytes file_of(struct mt_buf *room, enum party by, enum mt_label label)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(8192);
    return statement(room, by, label, text_of(&text, &policy));
}

static bool is_owners(const uint8_t *bytes, size_t len)
{
    const mt_spki owner = spki_of(OWNER);
    mt_spki signer;
    return !mt_failed(mt_policy_file_parse((mt_bytes){bytes, len}, &signer, &parsed)) &&
           mt_bytes_equal(mt_spki_bytes(&signer), mt_spki_bytes(&owner));
}

static void a_policy_edited_after_signing_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    policy_begin();
    policy.auditors.threshold = 0;
    mt_bytes file = file_of(&room, OWNER, MT_LABEL_POLICY);
    static const char level[] = "\"minimum_level\":";
    uint8_t *digit = memmem(room.ptr, room.len, level, sizeof level - 1);
    MT_ASSERT(digit != NULL && is_owners(file.ptr, file.len));
    digit[sizeof level - 1] = '1';
    MT_ASSERT(!is_owners(file.ptr, file.len));
    digit[sizeof level - 1] = '2';
    mt_mangle_length(is_owners, file.ptr, file.len);
    MT_ASSERT(mt_mangle_some_bits(is_owners, file.ptr, file.len, step) == 0);
}

static void a_policy_tells_who_has_signed_it(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(8192);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(8192);
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(8192);
    const mt_spki stranger = spki_of(STRANGER);
    mt_spki signer;
    policy_begin();
    mt_bytes file = file_of(&a, STRANGER, MT_LABEL_POLICY);
    OK(mt_policy_file_parse(file, &signer, &parsed));
    MT_ASSERT(mt_bytes_equal(mt_spki_bytes(&signer), mt_spki_bytes(&stranger)));
    struct mt_writer w = mt_writer_onto(&b);
    mt_policy_file_write(&w, keys[OWNER], text_of(&text, &policy));
    mt_bytes owners = written(&w);
    MT_ASSERT(is_owners(owners.ptr, owners.len));
}

static void what_its_owner_signed_for_another_purpose_is_no_policy(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    policy_begin();
    mt_bytes file = file_of(&room, OWNER, MT_LABEL_APPROVAL);
    MT_ASSERT(!is_owners(file.ptr, file.len));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(a_policy_is_read_as_it_was_written),
        MT_TEST(what_a_policy_does_not_name_is_empty),
        MT_TEST(a_name_that_json_would_escape_is_not_written),
        MT_TEST(every_truncation_is_refused_and_every_bit_counts),
        MT_TEST(a_text_of_another_form_is_refused),
        MT_TEST(auditors_of_another_form_are_refused),
        MT_TEST(an_auditor_is_a_key_on_the_curve_and_named_once),
        MT_TEST(D1_a_threshold_is_between_1_and_the_number_of_auditors),
        MT_TEST(a_policy_too_long_is_not_read),
        MT_TEST(a_policy_edited_after_signing_is_refused),
        MT_TEST(a_policy_tells_who_has_signed_it),
        MT_TEST(what_its_owner_signed_for_another_purpose_is_no_policy),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
