/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/appraise.h"

#include "attest/world_test.h"
#include "unit/scarce.h"

static const uint8_t asked[MT_REPORT_DATA_LEN] = {0xda, 0x7a};
static struct mt_policy policy;
static struct mt_appraisal result;

/* What the node of these tests satisfies, by naming everything. */
static void policy_begin(void)
{
    policy = (struct mt_policy){.name = MT_LITERAL("test"),
                                .minimum_level = MT_LEVEL_SOFT,
                                .platforms = {subject_of(STRANGER), subject_of(PLATFORM)},
                                .platforms_count = 2,
                                .measurements = {{{9}}, world_measurement()},
                                .measurements_count = 2,
                                .configurations = {{{8}}, world_configuration()},
                                .configurations_count = 2};
}

static mt_err appraise(mt_bytes format, mt_bytes auditors_list)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    const struct mt_appraiser a = {&policy, auditors_list};
    const struct mt_shown shown = {format, world_evidence(&room, PLATFORM, asked), NULL, 0};
    memset(&result, 0, sizeof result);
    return mt_appraise_evidence(&a, &shown, asked, NOW_MS, &result);
}

static mt_err appraise_soft(void)
{
    return appraise(MT_LITERAL("soft"), (mt_bytes){NULL, 0});
}

static void what_the_policy_names_is_accepted_with_its_level(void)
{
    policy_begin();
    OK(appraise_soft());
    MT_ASSERT(result.verdict.level == MT_LEVEL_SOFT);
    MT_ASSERT(mt_trace_failed(&result.trace) == NULL);
}

static void an_empty_policy_refuses_everything(void)
{
    policy = (struct mt_policy){.minimum_level = MT_LEVEL_NONE};
    MT_ASSERT(is_refused(appraise_soft(), MT_E_PROOF, &result.trace, "platform-unknown"));
    MT_ASSERT(result.verdict.level == 0);
    policy_begin();
    policy.measurements_count = 0; /* and no auditors: not any code of a known machine */
    MT_ASSERT(is_refused(appraise_soft(), MT_E_DENIED, &result.trace, "measurement-unknown"));
    MT_ASSERT(result.verdict.level == 0);
}

static void a_wrong_measurement_is_refused(void)
{
    policy_begin();
    policy.measurements[1].b[31] ^= 1;
    MT_ASSERT(is_refused(appraise_soft(), MT_E_DENIED, &result.trace, "measurement-unknown"));
    MT_ASSERT(result.verdict.level == 0);
    MT_ASSERT(result.claims.level == MT_LEVEL_SOFT); /* genuine, and refused */
    policy.measurements_count = 0;
    MT_ASSERT(is_refused(appraise_soft(), MT_E_DENIED, &result.trace, "measurement-unknown"));
}

static void a_level_below_the_minimum_is_refused(void)
{
    policy_begin();
    for (uint64_t level = MT_LEVEL_TPM; level <= MT_LEVEL_SGX; level++) {
        policy.minimum_level = level;
        MT_ASSERT(is_refused(appraise_soft(), MT_E_DENIED, &result.trace, "level-minimum"));
    }
}

static void another_configuration_is_refused_unless_the_policy_names_none(void)
{
    policy_begin();
    policy.configurations[1].b[0] ^= 1;
    MT_ASSERT(is_refused(appraise_soft(), MT_E_DENIED, &result.trace, "configuration-unknown"));
    policy.configurations_count = 0;
    OK(appraise_soft());
}

static void a_platform_that_the_policy_does_not_name_is_refused(void)
{
    policy_begin();
    policy.platforms_count = 1;
    MT_ASSERT(is_refused(appraise_soft(), MT_E_PROOF, &result.trace, "platform-unknown"));
    MT_ASSERT(result.claims.level == 0);
}

static void D7_no_evidence_and_evidence_of_another_kind_are_refused(void)
{
    static const mt_bytes kinds[] = {{(const uint8_t *)"none", 4},
                                     {(const uint8_t *)"sof", 3},
                                     {(const uint8_t *)"soft-any", 8},
                                     {(const uint8_t *)"sgx-dcap-v3", 11}};
    policy_begin();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        mt_err e = appraise(kinds[i], (mt_bytes){NULL, 0});
        MT_ASSERT(is_refused(e, MT_E_PROOF, &result.trace, "evidence-kind"));
    }
}

/* Signed by Ann: that this measurement is good, as the list with this number. */
static mt_bytes list_of(struct mt_buf *room, const mt_hash *measurement, uint64_t sequence)
{
    static struct mt_auditors_list l;
    uint8_t inner[256];
    struct mt_auditor_signature s = {.key = spki_of(ANN)};
    struct mt_writer in = mt_writer_over((mt_span){inner, sizeof inner});
    struct mt_writer w = mt_writer_onto(room);
    l = (struct mt_auditors_list){.sequence = sequence,
                                  .not_after_ms = NOW_MS + HOUR_MS,
                                  .values = {{{{3}}, MT_LITERAL("0.9")},
                                             {*measurement, MT_LITERAL("1.0")},
                                             {{{5}}, MT_LITERAL("1.1")}},
                                  .values_count = 3};
    mt_auditors_payload_write(&in, &l);
    OK(mt_auditors_sign(keys[ANN], written(&in), s.signature));
    mt_auditors_write(&w, written(&in), &s, 1);
    return written(&w);
}

/* The policy names no measurement itself, but an auditor. */
static void believe_ann(void)
{
    policy_begin();
    policy.measurements_count = 0;
    policy.auditors = (struct mt_auditors){
        .keys = {spki_of(ANN)}, .keys_count = 1, .threshold = 1, .minimum_sequence = 5};
}

static void a_measurement_that_auditors_list_is_accepted(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(1024);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(1024);
    const mt_hash measurement = world_measurement();
    const mt_hash other = {{4}};
    believe_ann();
    OK(appraise(MT_LITERAL("soft"), list_of(&a, &measurement, 5)));
    mt_err e = appraise(MT_LITERAL("soft"), list_of(&b, &other, 5));
    MT_ASSERT(is_refused(e, MT_E_DENIED, &result.trace, "measurement-unknown"));
}

static void a_list_that_does_not_hold_vouches_for_nothing(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(1024);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(1024);
    const mt_hash measurement = world_measurement();
    believe_ann();
    mt_err e = appraise(MT_LITERAL("soft"), list_of(&a, &measurement, 4));
    MT_ASSERT(is_refused(e, MT_E_STALE, &result.trace, "auditors-sequence"));
    policy.auditors.keys[0] = spki_of(BEN);
    e = appraise(MT_LITERAL("soft"), list_of(&b, &measurement, 5));
    MT_ASSERT(is_refused(e, MT_E_PROOF, &result.trace, "auditors-quorum"));
    e = appraise_soft();
    MT_ASSERT(is_refused(e, MT_E_DENIED, &result.trace, "auditors-missing"));
}

static void a_list_is_not_read_by_a_policy_that_names_no_auditors(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(1024);
    const mt_hash measurement = world_measurement();
    believe_ann();
    policy.auditors.threshold = 0;
    mt_err e = appraise(MT_LITERAL("soft"), list_of(&a, &measurement, 5));
    MT_ASSERT(is_refused(e, MT_E_DENIED, &result.trace, "measurement-unknown"));
}

static void in_scarcity_of_memory_nothing_is_accepted(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    MT_DEFER(mt_buf_free) struct mt_buf list = mt_buf_of_max(1024);
    const mt_hash measurement = world_measurement();
    const mt_hash other = {{4}};
    believe_ann();
    const struct mt_appraiser good = {&policy, list_of(&list, &measurement, 5)};
    MT_DEFER(mt_buf_free) struct mt_buf list_of_others = mt_buf_of_max(1024);
    const struct mt_appraiser bad = {&policy, list_of(&list_of_others, &other, 5)};
    const struct mt_shown shown = {MT_LITERAL("soft"), world_evidence(&room, PLATFORM, asked), NULL,
                                   0};
    bool was_reached = true;
    for (size_t n = 1; was_reached; n++) {
        memset(&result, 0, sizeof result);
        scarce_in = n;
        MT_ASSERT(mt_failed(mt_appraise_evidence(&bad, &shown, asked, NOW_MS, &result)));
        (void)scarce_end();
        MT_ASSERT(result.verdict.level == 0);
        scarce_in = n;
        bool has_failed = mt_failed(mt_appraise_evidence(&good, &shown, asked, NOW_MS, &result));
        was_reached = scarce_end();
        MT_ASSERT(was_reached || !has_failed);
        MT_ASSERT(has_failed == (result.verdict.level == 0));
    }
}

static void a_trace_that_is_full_still_shows_the_failure(void)
{
    struct mt_trace t = {.count = 0};
    for (size_t i = 0; i < MT_TRACE_MAX; i++) {
        mt_trace_pass(&t, "rule", "it holds");
    }
    mt_trace_fail(&t, "late", "it does not hold", "mend it");
    MT_ASSERT(t.count == MT_TRACE_MAX);
    MT_ASSERT(mt_trace_failed(&t) == &t.checks[MT_TRACE_MAX - 1]); /* a failure always shows */
    t.count = 1;
    mt_trace_fail(&t, "early", "it does not hold", "mend it");
    MT_ASSERT(mt_trace_failed(&t) == &t.checks[1]);
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(what_the_policy_names_is_accepted_with_its_level),
        MT_TEST(an_empty_policy_refuses_everything),
        MT_TEST(a_wrong_measurement_is_refused),
        MT_TEST(a_level_below_the_minimum_is_refused),
        MT_TEST(another_configuration_is_refused_unless_the_policy_names_none),
        MT_TEST(a_platform_that_the_policy_does_not_name_is_refused),
        MT_TEST(D7_no_evidence_and_evidence_of_another_kind_are_refused),
        MT_TEST(a_measurement_that_auditors_list_is_accepted),
        MT_TEST(a_list_that_does_not_hold_vouches_for_nothing),
        MT_TEST(a_list_is_not_read_by_a_policy_that_names_no_auditors),
        MT_TEST(in_scarcity_of_memory_nothing_is_accepted),
        MT_TEST(a_trace_that_is_full_still_shows_the_failure),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
