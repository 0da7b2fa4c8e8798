/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/hardware.h"

#include "attest/policy.h"
#include "attest/world_test.h"

static struct mt_policy policy;
static struct mt_claims claims;
static struct mt_appraisal result;

#define BIT(n_) (UINT32_C(1) << (n_))

/* An up-to-date TDX guest without any weakness, and the policy of somebody who waits for it. */
static void hardware_begin(void)
{
    memset(&claims, 0, sizeof claims);
    claims.kind = MT_EVIDENCE_TDX;
    claims.level = MT_LEVEL_CVM;
    claims.measurement.b[0] = 1;
    claims.platform.b[0] = 2;
    claims.tcb_status = MT_TCB_UP_TO_DATE;
    claims.tcb_date_ms = NOW_MS;
    mt_claim_number(&claims, "isv_svn", 7);
    mt_claim_bytes(&claims, "mrtd", MT_LITERAL("\1\2\3"));
    policy = (struct mt_policy){.name = MT_LITERAL("hardware"),
                                .minimum_level = MT_LEVEL_CVM,
                                .measurements = {claims.measurement},
                                .measurements_count = 1,
                                .hardware = {.is_named = true,
                                             .kinds = BIT(MT_EVIDENCE_TDX),
                                             .tcb_statuses = BIT(MT_TCB_UP_TO_DATE),
                                             .minimum_tcb_date_ms = NOW_MS,
                                             .minimums = {{"isv_svn", 7}},
                                             .minimums_count = 1,
                                             .platforms = {claims.platform},
                                             .platforms_count = 1}};
}

static mt_err appraise(void)
{
    const struct mt_appraiser a = {&policy, {NULL, 0}};
    memset(&result, 0, sizeof result);
    return mt_appraise(&a, &claims, NOW_MS, &result.verdict, &result.trace);
}

static bool is_denied(const char *rule)
{
    mt_err e = appraise();
    const struct mt_check *failed = mt_trace_failed(&result.trace);
    return is_code(e, MT_E_DENIED) && failed != NULL && failed->mend != NULL &&
           result.verdict.level == 0 && strcmp(failed->rule, rule) == 0;
}

static void what_the_policy_waits_for_is_accepted(void)
{
    hardware_begin();
    OK(appraise());
    MT_ASSERT(result.verdict.level == MT_LEVEL_CVM);
}

static void hardware_that_no_policy_names_is_refused(void)
{
    hardware_begin();
    policy.hardware.is_named = false;
    MT_ASSERT(is_denied("kind-unnamed"));
    hardware_begin();
    claims.kind = MT_EVIDENCE_SNP;
    MT_ASSERT(is_denied("kind-unnamed"));
    claims.kind = MT_EVIDENCE_NONE;
    MT_ASSERT(is_denied("kind-unnamed"));
    hardware_begin();
    policy.hardware.tcb_statuses = 0;
    MT_ASSERT(is_denied("tcb-status"));
}

static void every_status_but_the_named_ones_is_refused(void)
{
    for (unsigned i = 0; i < MT_TCB_STATUSES; i++) {
        hardware_begin();
        claims.tcb_status = (enum mt_tcb_status)i;
        MT_ASSERT(i == MT_TCB_UP_TO_DATE ? !mt_failed(appraise()) : is_denied("tcb-status"));
        policy.hardware.tcb_statuses = BIT(i);
        OK(appraise());
    }
}

static void every_weakness_is_refused_unless_it_is_allowed(void)
{
    for (unsigned i = 0; i < MT_WEAKNESSES; i++) {
        hardware_begin();
        mt_claim_weakness(&claims, (enum mt_weakness)i);
        policy.hardware.weaknesses = ~BIT(i);
        mt_err e = appraise();
        const struct mt_check *failed = mt_trace_failed(&result.trace);
        MT_ASSERT(is_code(e, MT_E_DENIED) && failed != NULL);
        MT_ASSERT(strcmp(failed->rule, mt_weakness_name((enum mt_weakness)i)) == 0);
        policy.hardware.weaknesses = BIT(i);
        OK(appraise());
    }
}

static void an_open_advisory_is_refused_unless_it_is_tolerated(void)
{
    hardware_begin();
    claims.advisories[0] = MT_LITERAL("INTEL-SA-00615");
    claims.advisories[1] = MT_LITERAL("INTEL-SA-00657");
    claims.advisories_count = 2;
    MT_ASSERT(is_denied("tcb-advisory"));
    memcpy(policy.hardware.advisories[0], "INTEL-SA-00657", 15);
    policy.hardware.advisories_count = 1;
    MT_ASSERT(is_denied("tcb-advisory"));
    memcpy(policy.hardware.advisories[1], "INTEL-SA-00615", 15);
    policy.hardware.advisories_count = 2;
    OK(appraise());
}

static void firmware_from_before_the_minimum_date_is_refused(void)
{
    hardware_begin();
    claims.tcb_date_ms = NOW_MS - 1;
    MT_ASSERT(is_denied("tcb-date"));
    claims.tcb_date_ms = 0; /* of which no date is known */
    MT_ASSERT(is_denied("tcb-date"));
}

static void a_minimum_holds_for_numbers_that_are_there(void)
{
    hardware_begin();
    policy.hardware.minimums[0].value = 8;
    MT_ASSERT(is_denied("minimum-version"));
    hardware_begin();
    memcpy(policy.hardware.minimums[0].name, "isv_svm", 8);
    MT_ASSERT(is_denied("minimum-version"));
    memcpy(policy.hardware.minimums[0].name, "mrtd", 5); /* no number */
    MT_ASSERT(is_denied("minimum-version"));
    policy.hardware.minimums[1] = (struct mt_policy_minimum){"isv_svn", 7};
    policy.hardware.minimums_count = 2; /* one of two */
    MT_ASSERT(is_denied("minimum-version"));
}

static void a_genuine_machine_of_somebody_else_is_refused(void)
{
    hardware_begin();
    claims.platform.b[31] ^= 1;
    MT_ASSERT(is_denied("platform-foreign"));
    policy.hardware.platforms[1] = claims.platform;
    policy.hardware.platforms[2] = (mt_hash){{9}};
    policy.hardware.platforms_count = 3;
    OK(appraise());
    policy.hardware.platforms_count = 0;
    OK(appraise());
}

static mt_bytes text_of(struct mt_buf *room, const struct mt_policy *p)
{
    struct mt_writer w = mt_writer_onto(room);
    mt_bytes text;
    mt_policy_write(&w, p);
    OK(mt_write_end(&w, &text));
    return text;
}

static void the_policy_is_read_as_it_was_written(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(16384);
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max(16384);
    static struct mt_policy parsed;
    hardware_begin();
    policy.hardware.kinds =
        BIT(MT_EVIDENCE_KINDS) - 1 - BIT(MT_EVIDENCE_NONE) - BIT(MT_EVIDENCE_SOFT);
    policy.hardware.tcb_statuses = BIT(MT_TCB_STATUSES) - 1;
    policy.hardware.weaknesses = BIT(MT_WEAKNESSES) - 1;
    memcpy(policy.hardware.advisories[0], "INTEL-SA-00657", 15);
    policy.hardware.advisories_count = 1;
    mt_bytes text = text_of(&room, &policy);
    OK(mt_policy_parse(text, &parsed));
    MT_ASSERT(parsed.hardware.is_named && parsed.hardware.kinds == policy.hardware.kinds);
    MT_ASSERT(parsed.hardware.tcb_statuses == policy.hardware.tcb_statuses);
    MT_ASSERT(parsed.hardware.weaknesses == policy.hardware.weaknesses);
    MT_ASSERT(parsed.hardware.minimums[0].value == 7 && parsed.hardware.platforms_count == 1);
    MT_ASSERT(strcmp(parsed.hardware.advisories[0], "INTEL-SA-00657") == 0);
    MT_ASSERT(mt_bytes_equal(text_of(&again, &parsed), text));
    policy.hardware.platforms_count = 0; /* of any machine */
    room.len = 0;
    OK(mt_policy_parse(text_of(&room, &policy), &parsed));
    MT_ASSERT(parsed.hardware.platforms_count == 0);
}

/* Canonical, and of the form that spec/policy.md gives, with one thing wrong in each. */
static void what_is_not_well_formed_is_refused(void)
{
#define HEAD "{\"hardware\":{\"advisories\":["
#define MIDDLE(advisories_, allow_, kinds_, date_, minimums_, more_, statuses_)                    \
    HEAD advisories_ "],\"allow\":[" allow_ "],\"kinds\":[" kinds_ "],\"minimum_tcb_date\":" date_ \
                     ",\"minimums\":{" minimums_ "}" more_ ",\"tcb_statuses\":[" statuses_         \
                     "]},\"measurements\":[],\"minimum_level\":3,\"name\":\"n\",\"soft\":"         \
                     "{\"operators\":[],\"platforms\":[]},\"version\":1}"
    static const char *const bad[] = {
        MIDDLE("\"a b\"", "", "", "0", "", "", ""),
        MIDDLE("\"a:b\"", "", "", "0", "", "", ""),
        MIDDLE("\"a[b\"", "", "", "0", "", "", ""),
        MIDDLE("\"a~b\"", "", "", "0", "", "", ""),
        MIDDLE("\"\"", "", "", "0", "", "", ""),
        MIDDLE("7", "", "", "0", "", "", ""),
        MIDDLE("\"12345678901234567890123456789012\"", "", "", "0", "", "", ""),
        MIDDLE("", "\"debugs\"", "", "0", "", "", ""),
        MIDDLE("", "\"debug\",\"debug\"", "", "0", "", "", ""),
        MIDDLE("", "7", "", "0", "", "", ""),
        MIDDLE("", "", "\"sgx\",\"tdx\"", "0", "", "", ""), /* not in order */
        MIDDLE("", "", "\"soft\"", "0", "", "", ""),
        MIDDLE("", "", "\"none\"", "0", "", "", ""),
        MIDDLE("", "", "", "-1", "", "", ""),
        MIDDLE("", "", "", "0", "\"a\":\"b\"", "", ""),
        MIDDLE("", "", "", "0", "\"a b\":1", "", ""),
        MIDDLE("", "", "", "0",
               "\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,"
               "\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1",
               "", ""),
        MIDDLE("", "", "", "0", "", ",\"platforms\":[]", ""),
        MIDDLE("", "", "", "0", "", ",\"platforms\":{}", ""),
        "{\"hardware\":{\"allow\":[],\"kinds\":[],\"minimum_tcb_date\":0,\"minimums\":{},"
        "\"tcb_statuses\":[]},\"measurements\":[],\"minimum_level\":3,\"name\":\"n\",\"soft\":"
        "{\"operators\":[],\"platforms\":[]},\"version\":1}", /* no advisories */
        HEAD "],\"allow\":[],\"kinds\":[],\"minimum_tcb_date\":0,\"minimums\":[],"
             "\"tcb_statuses\":[]},\"measurements\":[],\"minimum_level\":3,\"name\":\"n\",\"soft\":"
             "{\"operators\":[],\"platforms\":[]},\"version\":1}", /* minimums by no name */
        MIDDLE("", "", "", "0", "", ",\"platforms\":[7]", ""),
        MIDDLE("", "", "", "0", "", ",\"platforms\":[\"00\"]", ""),
        MIDDLE("", "", "", "0", "", ",\"rules\":[]", ""),
        MIDDLE("", "", "", "0", "", "", "\"uptodate\""),
        "{\"hardware\":[],\"measurements\":[],\"minimum_level\":3,\"name\":\"n\",\"soft\":"
        "{\"operators\":[],\"platforms\":[]},\"version\":1}",
        "{\"hardware\":{},\"measurements\":[],\"minimum_level\":3,\"name\":\"n\",\"soft\":"
        "{\"operators\":[],\"platforms\":[]},\"version\":1}",
    };
    static struct mt_policy parsed;
    OK(mt_policy_parse(mt_bytes_of_text(MIDDLE("", "", "", "0", "", "", "")), &parsed));
    OK(mt_policy_parse(mt_bytes_of_text(MIDDLE("\"a-b_c.d\"", "", "", "0", "", "", "")), &parsed));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        MT_ASSERT(is_code(mt_policy_parse(mt_bytes_of_text(bad[i]), &parsed), MT_E_FORMAT) ||
                  is_code(mt_policy_parse(mt_bytes_of_text(bad[i]), &parsed), MT_E_LIMIT));
    }
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(what_the_policy_waits_for_is_accepted),
        MT_TEST(hardware_that_no_policy_names_is_refused),
        MT_TEST(every_status_but_the_named_ones_is_refused),
        MT_TEST(every_weakness_is_refused_unless_it_is_allowed),
        MT_TEST(an_open_advisory_is_refused_unless_it_is_tolerated),
        MT_TEST(firmware_from_before_the_minimum_date_is_refused),
        MT_TEST(a_minimum_holds_for_numbers_that_are_there),
        MT_TEST(a_genuine_machine_of_somebody_else_is_refused),
        MT_TEST(the_policy_is_read_as_it_was_written),
        MT_TEST(what_is_not_well_formed_is_refused),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
