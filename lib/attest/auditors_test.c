/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/auditors.h"

#include "attest/world_test.h"
#include "unit/mangle.h"
#include "unit/scarce.h"

enum { SEQUENCE = 7 };

static struct mt_auditors_list parsed;
static struct mt_auditor_signature signatures[MT_AUDITORS_MAX];
static struct mt_trace trace;

static const struct mt_auditors_list *good_list(void)
{
    static struct mt_auditors_list l;
    l = (struct mt_auditors_list){
        .sequence = SEQUENCE,
        .not_before_ms = NOW_MS - HOUR_MS,
        .not_after_ms = NOW_MS + HOUR_MS,
        .values = {{{{1}}, MT_LITERAL("1.0")}, {{{2}}, MT_LITERAL("1.1")}},
        .values_count = 2,
    };
    return &l;
}

static mt_bytes payload_of(struct mt_buf *room, const struct mt_auditors_list *l)
{
    struct mt_writer w = mt_writer_onto(room);
    mt_auditors_payload_write(&w, l);
    return written(&w);
}

/* The list with a signature by each of these. */
static mt_bytes signed_by(struct mt_buf *room, const struct mt_auditors_list *l,
                          const enum party *who, size_t count)
{
    static struct mt_auditor_signature s[MT_AUDITORS_MAX + 1];
    MT_DEFER(mt_buf_free) struct mt_buf inner = mt_buf_of_max(8192);
    mt_bytes payload = payload_of(&inner, l);
    struct mt_writer w = mt_writer_onto(room);
    for (size_t i = 0; i < count; i++) {
        s[i].key = spki_of(who[i]);
        OK(mt_auditors_sign(keys[who[i]], payload, s[i].signature));
    }
    mt_auditors_write(&w, payload, s, count);
    return written(&w);
}

/* Two of Ann, Ben and Cat. */
static struct mt_auditors two_of_three(void)
{
    return (struct mt_auditors){.keys = {spki_of(ANN), spki_of(BEN), spki_of(CAT)},
                                .keys_count = 3,
                                .threshold = 2,
                                .minimum_sequence = SEQUENCE};
}

static mt_err verify_at(mt_bytes list, const struct mt_auditors *a, uint64_t now_ms)
{
    trace.count = 0;
    return mt_auditors_verify(list, a, now_ms, &parsed, &trace);
}

static mt_err verify(mt_bytes list)
{
    const struct mt_auditors a = two_of_three();
    return verify_at(list, &a, NOW_MS);
}

static mt_err verify_signed_by(const enum party *who, size_t count)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    return verify(signed_by(&room, good_list(), who, count));
}

static void two_of_three_auditors_are_believed(void)
{
    static const enum party pairs[][2] = {{ANN, BEN}, {BEN, CAT}, {CAT, ANN}};
    static const enum party all[] = {CAT, BEN, ANN};
    for (size_t i = 0; i < 3; i++) {
        OK(verify_signed_by(pairs[i], 2));
    }
    OK(verify_signed_by(all, 3));
    MT_ASSERT(mt_trace_failed(&trace) == NULL && trace.count == 4);
}

static void D1_a_list_without_signatures_is_refused(void)
{
    MT_ASSERT(is_refused(verify_signed_by(NULL, 0), MT_E_PROOF, &trace, "auditors-quorum"));
}

static void D1_one_auditor_who_signs_twice_counts_once(void)
{
    static const enum party twice[] = {ANN, ANN};
    static const enum party often[] = {ANN, ANN, ANN, ANN};
    static const enum party mixed[] = {ANN, ANN, BEN};
    MT_ASSERT(is_refused(verify_signed_by(twice, 2), MT_E_PROOF, &trace, "auditors-quorum"));
    MT_ASSERT(is_refused(verify_signed_by(often, 4), MT_E_PROOF, &trace, "auditors-quorum"));
    OK(verify_signed_by(mixed, 3));
}

static void D1_one_auditor_fewer_than_the_policy_demands_is_refused(void)
{
    static const enum party one[] = {BEN};
    MT_ASSERT(is_refused(verify_signed_by(one, 1), MT_E_PROOF, &trace, "auditors-quorum"));
}

static void D1_an_auditor_whom_the_policy_does_not_name_does_not_count(void)
{
    static const enum party strangers[] = {STRANGER, OWNER};
    static const enum party one_stranger[] = {STRANGER, ANN};
    MT_ASSERT(is_refused(verify_signed_by(strangers, 2), MT_E_PROOF, &trace, "auditors-quorum"));
    MT_ASSERT(is_refused(verify_signed_by(one_stranger, 2), MT_E_PROOF, &trace, "auditors-quorum"));
}

static void D1_a_policy_without_a_threshold_believes_no_list(void)
{
    static const enum party all[] = {ANN, BEN, CAT};
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    struct mt_auditors a = two_of_three();
    a.threshold = 0;
    mt_err e = verify_at(signed_by(&room, good_list(), all, 3), &a, NOW_MS);
    MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "auditors-quorum"));
}

static void a_signature_under_another_list_does_not_count(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(8192);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(8192);
    MT_DEFER(mt_buf_free) struct mt_buf c = mt_buf_of_max(8192);
    static struct mt_auditors_list other;
    other = *good_list();
    other.values[1].measurement.b[0] = 66;
    struct mt_auditor_signature s[2] = {{.key = spki_of(ANN)}, {.key = spki_of(BEN)}};
    mt_bytes payload = payload_of(&a, &other);
    OK(mt_auditors_sign(keys[ANN], payload, s[0].signature));
    OK(mt_auditors_sign(keys[BEN], payload_of(&b, good_list()), s[1].signature));
    struct mt_writer w = mt_writer_onto(&c);
    mt_auditors_write(&w, payload, s, 2);
    MT_ASSERT(is_refused(verify(written(&w)), MT_E_PROOF, &trace, "auditors-quorum"));
}

static void what_an_auditor_signed_for_another_purpose_does_not_count(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf inner = mt_buf_of_max(8192);
    MT_DEFER(mt_buf_free) struct mt_buf bare = mt_buf_of_max(8192);
    mt_bytes payload = payload_of(&inner, good_list());
    struct mt_auditor_signature s[2] = {{.key = spki_of(ANN)}, {.key = spki_of(BEN)}};
    OK(mt_sign(keys[ANN], payload, s[0].signature)); /* the bare payload, no label */
    OK(mt_sign(keys[BEN], payload, s[1].signature));
    struct mt_writer w = mt_writer_onto(&bare);
    mt_auditors_write(&w, payload, s, 2);
    MT_ASSERT(is_refused(verify(written(&w)), MT_E_PROOF, &trace, "auditors-quorum"));
}

static void a_list_holds_from_its_first_to_before_its_last_millisecond(void)
{
    static const enum party who[] = {ANN, CAT};
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    const struct mt_auditors a = two_of_three();
    mt_bytes list = signed_by(&room, good_list(), who, 2);
    OK(verify_at(list, &a, NOW_MS - HOUR_MS));
    OK(verify_at(list, &a, NOW_MS + HOUR_MS - 1));
    mt_err early = verify_at(list, &a, NOW_MS - HOUR_MS - 1);
    MT_ASSERT(is_refused(early, MT_E_STALE, &trace, "auditors-expired"));
    mt_err expired = verify_at(list, &a, NOW_MS + HOUR_MS);
    MT_ASSERT(is_refused(expired, MT_E_STALE, &trace, "auditors-expired"));
}

static void an_older_list_than_one_that_was_seen_is_refused(void)
{
    static const enum party who[] = {ANN, CAT};
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    struct mt_auditors a = two_of_three();
    mt_bytes list = signed_by(&room, good_list(), who, 2);
    a.minimum_sequence = SEQUENCE + 1;
    MT_ASSERT(is_refused(verify_at(list, &a, NOW_MS), MT_E_STALE, &trace, "auditors-sequence"));
    a.minimum_sequence = SEQUENCE - 1;
    OK(verify_at(list, &a, NOW_MS));
}

static bool is_good(const uint8_t *bytes, size_t len)
{
    bool has_failed = mt_failed(verify((mt_bytes){bytes, len}));
    MT_ASSERT(has_failed == (mt_trace_failed(&trace) != NULL));
    return !has_failed;
}

static void every_truncation_and_every_flipped_bit_is_refused(void)
{
    static const enum party who[] = {ANN, CAT};
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(8192);
    mt_bytes list = signed_by(&room, good_list(), who, 2);
    mt_mangle_length(is_good, list.ptr, list.len);
    MT_ASSERT(mt_mangle_some_bits(is_good, list.ptr, list.len, step) == 0);
}

/* A payload by hand, with one field wrong. */
struct says {
    uint64_t fields;
    uint64_t version;
    uint64_t values;
    uint64_t value_fields;
    size_t hash_len;
};

static mt_err parse_by_hand(const struct says *p)
{
    static const uint8_t hash[32];
    uint8_t inner[8192];
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(16384);
    size_t count = 0;
    mt_bytes payload;
    struct mt_writer in = mt_writer_over((mt_span){inner, sizeof inner});
    struct mt_writer w = mt_writer_onto(&room);
    mt_cbor_write_array(&in, p->fields);
    mt_cbor_write_uint(&in, p->version);
    for (uint64_t i = 3; i <= p->fields; i++) { /* sequence and times, if all are there */
        mt_cbor_write_uint(&in, i);
    }
    mt_cbor_write_array(&in, p->values);
    for (uint64_t i = 0; i < p->values; i++) {
        mt_cbor_write_array(&in, p->value_fields);
        mt_cbor_write_bytes(&in, (mt_bytes){hash, p->hash_len});
        mt_cbor_write_text(&in, MT_LITERAL("n"));
    }
    mt_auditors_write(&w, written(&in), NULL, 0);
    return mt_auditors_parse(written(&w), &parsed, &payload, signatures, &count);
}

static void a_list_of_another_form_is_refused(void)
{
    const struct says good = {5, 1, 2, 2, 32};
    struct says wrong[] = {good, good, good, good, good, good};
    wrong[0].fields = 4;
    wrong[1].fields = 6;
    wrong[2].version = 2;
    wrong[3].values = MT_MEASUREMENTS_MAX + 1;
    wrong[4].value_fields = 3;
    wrong[5].hash_len = 31;
    OK(parse_by_hand(&good));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        mt_err e = parse_by_hand(&wrong[i]);
        MT_ASSERT(is_code(e, MT_E_FORMAT) || is_code(e, MT_E_LIMIT));
    }
}

static void a_file_of_another_form_is_refused(void)
{
    static const enum party many[MT_AUDITORS_MAX + 1] = {ANN, BEN, CAT, OWNER, STRANGER};
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(16384);
    mt_err e = verify(signed_by(&a, good_list(), many, MT_AUDITORS_MAX + 1));
    MT_ASSERT(is_refused(e, MT_E_FORMAT, &trace, "auditors-format"));
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(16384);
    OK(verify(signed_by(&b, good_list(), many, MT_AUDITORS_MAX)));
}

static void in_scarcity_of_memory_no_list_is_believed(void)
{
    static const enum party one[] = {ANN};
    static const enum party two[] = {ANN, BEN};
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(8192);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(8192);
    mt_bytes bad = signed_by(&a, good_list(), one, 1);
    mt_bytes good = signed_by(&b, good_list(), two, 2);
    bool was_reached = true;
    for (size_t n = 1; was_reached; n++) {
        uint8_t signature[MT_SIGNATURE_LEN];
        scarce_in = n;
        MT_ASSERT(mt_failed(verify(bad)));
        (void)scarce_end();
        scarce_in = n;
        bool has_failed = mt_failed(verify(good));
        was_reached = scarce_end();
        MT_ASSERT(was_reached || !has_failed);
        scarce_in = n;
        has_failed = mt_failed(mt_auditors_sign(keys[ANN], MT_LITERAL("payload"), signature));
        MT_ASSERT(scarce_end() || !has_failed);
    }
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(two_of_three_auditors_are_believed),
        MT_TEST(D1_a_list_without_signatures_is_refused),
        MT_TEST(D1_one_auditor_who_signs_twice_counts_once),
        MT_TEST(D1_one_auditor_fewer_than_the_policy_demands_is_refused),
        MT_TEST(D1_an_auditor_whom_the_policy_does_not_name_does_not_count),
        MT_TEST(D1_a_policy_without_a_threshold_believes_no_list),
        MT_TEST(a_signature_under_another_list_does_not_count),
        MT_TEST(what_an_auditor_signed_for_another_purpose_does_not_count),
        MT_TEST(a_list_holds_from_its_first_to_before_its_last_millisecond),
        MT_TEST(an_older_list_than_one_that_was_seen_is_refused),
        MT_TEST(every_truncation_and_every_flipped_bit_is_refused),
        MT_TEST(a_list_of_another_form_is_refused),
        MT_TEST(a_file_of_another_form_is_refused),
        MT_TEST(in_scarcity_of_memory_no_list_is_believed),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
