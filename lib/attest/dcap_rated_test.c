/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Where Intel's lists say that a platform stands, and what a quote admits. */
#include "attest/dcap_own_test.h"

#include "base/time.h"

static void an_old_quoting_enclave_is_rated_and_one_below_all_levels_not_supported(void)
{
    begin_sgx();
    q.qe_report[258] = 3;
    MT_ASSERT(status() == MT_TCB_OUT_OF_DATE);
    q.qe_report[258] = 1;
    MT_ASSERT(status() == MT_TCB_NOT_SUPPORTED && claims.tcb_date_ms == 0);
}

/* QVL and the specification leave the first two to the module's own levels; dcap-qvl compares all
 * sixteen. Of the nameless module they count. */
static void the_first_two_tdx_components_are_the_named_modules_own(void)
{
    begin_tdx();
    q.levels.at[0].tdx[0] = 99;
    q.levels.at[0].tdx[1] = 99;
    MT_ASSERT(rewritten_status() == MT_TCB_UP_TO_DATE);
    q.report[1] = 0;
    MT_ASSERT(rewritten_status() == MT_TCB_NOT_SUPPORTED);
    q.levels.at[0].tdx[1] = 0;
    q.levels.at[1].tdx[1] = 0;
    MT_ASSERT(rewritten_status() == MT_TCB_OUT_OF_DATE);
    q.levels.at[0].tdx[0] = 3;
    MT_ASSERT(rewritten_status() == MT_TCB_UP_TO_DATE);
}

static void every_component_of_the_platform_counts(void)
{
    for (size_t i = 0; i < INTEL_COMPONENTS; i++) {
        begin_tdx();
        q.levels.at[0].sgx[i] = 6;
        MT_ASSERT(rewritten_status() == MT_TCB_OUT_OF_DATE);
        if (i >= 2) {
            begin_tdx();
            q.levels.at[0].tdx[i] = 4;
            MT_ASSERT(rewritten_status() == MT_TCB_OUT_OF_DATE);
        }
    }
    begin_sgx();
    q.levels.at[0].svn = 12;
    MT_ASSERT(rewritten_status() == MT_TCB_OUT_OF_DATE);
    q.levels.at[1].svn = 12;
    MT_ASSERT(rewritten_status() == MT_TCB_NOT_SUPPORTED && claims.tcb_date_ms == 0);
    MT_ASSERT(claims.advisories_count == 0);
}

/* Intel's EvaluateTcb: any Revoked wins, then a part that is out of date. */
static void every_status_of_platform_module_and_enclave_converges(void)
{
    static const char *const parts[] = {"UpToDate", "OutOfDate", "Revoked"};
    static const struct {
        const char *platform;
        enum mt_tcb_status alone;
        enum mt_tcb_status with_old_part;
    } table[] = {
        {"UpToDate", MT_TCB_UP_TO_DATE, MT_TCB_OUT_OF_DATE},
        {"SWHardeningNeeded", MT_TCB_SW_HARDENING_NEEDED, MT_TCB_OUT_OF_DATE},
        {"ConfigurationNeeded", MT_TCB_CONFIGURATION_NEEDED,
         MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED},
        {"ConfigurationAndSWHardeningNeeded", MT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
         MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED},
        {"OutOfDate", MT_TCB_OUT_OF_DATE, MT_TCB_OUT_OF_DATE},
        {"OutOfDateConfigurationNeeded", MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
         MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED},
        {"Revoked", MT_TCB_REVOKED, MT_TCB_REVOKED},
    };
    begin_tdx();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (size_t part = 0; part < 9; part++) {
            size_t worst = part % 3 > part / 3 ? part % 3 : part / 3;
            const enum mt_tcb_status want[] = {table[i].alone, table[i].with_old_part,
                                               MT_TCB_REVOKED};
            q.levels.at[0].status = table[i].platform;
            q.module.at[0].status = parts[part % 3];
            q.qe.at[0].status = parts[part / 3];
            MT_ASSERT(rewritten_status() == want[worst]);
        }
    }
}

/* TD 1.5 says what runs now beside what was launched; go-tdx-guest takes no note of it. */
static void a_td_that_was_launched_on_old_firmware_is_advised_to_launch_again(void)
{
    begin_td15();
    q.report[2] = 2; /* launched on the second level, runs on the first */
    MT_ASSERT(status() == MT_TCB_RELAUNCH_ADVISED && claims.advisories_count == 2);
    q.levels.at[0].status = "ConfigurationNeeded";
    MT_ASSERT(rewritten_status() == MT_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED);
    q.levels.at[0].status = "SWHardeningNeeded";
    MT_ASSERT(rewritten_status() == MT_TCB_RELAUNCH_ADVISED);
    q.levels.at[1].status = "OutOfDateConfigurationNeeded";
    MT_ASSERT(rewritten_status() == MT_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED);
    q.levels.at[0].status = "OutOfDate";
    MT_ASSERT(rewritten_status() == MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED);
    begin_td15();
    q.report[0] = 2; /* an old module at launch, the newest now */
    MT_ASSERT(status() == MT_TCB_RELAUNCH_ADVISED);
    q.report[584] = 2; /* and the same now */
    MT_ASSERT(status() == MT_TCB_OUT_OF_DATE);
    q.report[0] = 3; /* launched on a newer one than runs */
    MT_ASSERT(status() == MT_TCB_UP_TO_DATE);
}

static void what_runs_now_and_is_revoked_is_never_merely_old(void)
{
    begin_td15();
    q.report[2] = 2;
    q.levels.at[0].status = "Revoked";
    MT_ASSERT(rewritten_status() == MT_TCB_REVOKED);
    begin_td15();
    q.levels.at[0].status = "Revoked";
    MT_ASSERT(rewritten_status() == MT_TCB_REVOKED);
}

static bool has(const char *advisory)
{
    size_t found = 0;
    for (size_t i = 0; i < claims.advisories_count; i++) {
        found += mt_bytes_equal(claims.advisories[i], mt_bytes_of_text(advisory)) ? 1 : 0;
    }
    return found == 1;
}

static void advisories_are_those_of_all_and_the_date_is_the_oldest(void)
{
    uint64_t want_ms = 0;
    begin_tdx();
    q.report[2] = 2;
    q.qe_report[258] = 2;
    q.module.at[0].advisories = "\"INTEL-SA-00004\"";
    MT_ASSERT(rewritten_status() == MT_TCB_OUT_OF_DATE && claims.advisories_count == 4);
    MT_ASSERT(has("INTEL-SA-00001") && has("INTEL-SA-00002"));
    MT_ASSERT(has("INTEL-SA-00003") && has("INTEL-SA-00004"));
    OK(mt_time_parse(MT_LITERAL("2019-01-01T00:00:00Z"), &want_ms)); /* of the QE */
    MT_ASSERT(claims.tcb_date_ms == want_ms);
    q.qe_report[258] = 4;
    OK(mt_time_parse(MT_LITERAL("2020-01-01T00:00:00Z"), &want_ms)); /* of the platform */
    MT_ASSERT(status() == MT_TCB_OUT_OF_DATE && claims.tcb_date_ms == want_ms);
    q.report[2] = 3;
    q.module.at[0].date = "2018-01-01T00:00:00Z";
    OK(mt_time_parse(MT_LITERAL("2018-01-01T00:00:00Z"), &want_ms));
    MT_ASSERT(rewritten_status() == MT_TCB_UP_TO_DATE && claims.tcb_date_ms == want_ms);
}

static void what_a_policy_may_refuse_is_claimed(void)
{
    static const struct {
        enum mt_dcap_body body;
        size_t at;
        uint8_t bit;
        uint32_t weaknesses;
    } cases[] = {
        {MT_DCAP_SGX, 48, 0x02, 1U << MT_WEAK_DEBUG},
        {MT_DCAP_SGX, 48, 0x08, 1U << MT_WEAK_RESERVED},
        {MT_DCAP_SGX, 55, 0x80, 1U << MT_WEAK_RESERVED},
        {MT_DCAP_SGX, 48, 0x10, 0}, /* PROVISIONKEY */
        {MT_DCAP_TD10, 120, 0x01, 1U << MT_WEAK_DEBUG},
        {MT_DCAP_TD10, 120, 0x02, 1U << MT_WEAK_RESERVED},
        {MT_DCAP_TD10, 123, 0x10, 1U << MT_WEAK_SEPT_VE},
        {MT_DCAP_TD10, 123, 0x20, 1U << MT_WEAK_MIGRATABLE},
        {MT_DCAP_TD10, 123, 0xc0, 0}, /* PKS, KL */
        {MT_DCAP_TD10, 127, 0x80, 0}, /* PERFMON */
        {MT_DCAP_TD10, 127, 0x40, 1U << MT_WEAK_RESERVED},
        {MT_DCAP_TD15, 600, 0x01, 1U << MT_WEAK_SERVICE_TD},
        {MT_DCAP_TD15, 647, 0x80, 1U << MT_WEAK_SERVICE_TD},
        {MT_DCAP_TD15_EX, 600, 0x01, 1U << MT_WEAK_SERVICE_TD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        intel_begin(&q, &ours, 5, cases[i].body);
        q.report[cases[i].at] ^= cases[i].bit;
        MT_ASSERT(status() == MT_TCB_UP_TO_DATE);
        MT_ASSERT(claims.weaknesses == cases[i].weaknesses);
    }
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(an_old_quoting_enclave_is_rated_and_one_below_all_levels_not_supported),
        MT_TEST(the_first_two_tdx_components_are_the_named_modules_own),
        MT_TEST(every_component_of_the_platform_counts),
        MT_TEST(every_status_of_platform_module_and_enclave_converges),
        MT_TEST(a_td_that_was_launched_on_old_firmware_is_advised_to_launch_again),
        MT_TEST(what_runs_now_and_is_revoked_is_never_merely_old),
        MT_TEST(advisories_are_those_of_all_and_the_date_is_the_oldest),
        MT_TEST(what_a_policy_may_refuse_is_claimed),
    };
    return own_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
