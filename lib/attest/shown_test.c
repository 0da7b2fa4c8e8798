/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What a node with a TPM shows: the quote, and the log that it vouches for. */
#include "attest/appraise.h"
#include "attest/binder.h"
#include "attest/bundle.h"
#include "attest/tpm_world_test.h"

static struct own_tpm tpm;
static const uint8_t values[15 * 32] = {1, 2, 3};
static const uint8_t asked[MT_REPORT_DATA_LEN] = {1, 2, 3};
static struct mt_policy policy;
static struct mt_appraisal result;

/* Made for `asked` and the log of the tests; shown with `log`, in answer to `question`. */
static mt_err show(const uint8_t question[MT_REPORT_DATA_LEN], mt_bytes log, const char *format)
{
    MT_DEFER(mt_buf_free) struct mt_buf log_room = mt_buf_of_max(4096);
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(16384);
    uint8_t bound[MT_REPORT_DATA_LEN];
    mt_hash extra;
    struct mt_writer w = mt_writer_onto(&room);
    mt_bytes own_log = world_log(&log_room);
    mt_bind_log(asked, own_log, bound);
    const mt_bytes all = MT_BYTES_OF(bound);
    mt_sha256(&all, 1, &extra);
    struct mt_bundle b = {.log = log.len > 0 ? log : own_log};
    b.evidence.ak_public = own_public(&tpm);
    b.evidence.quote = own_quote(&tpm, mt_hash_bytes(&extra), MT_BYTES_OF(values));
    b.evidence.signature = own_signature(&tpm, b.evidence.quote);
    b.evidence.pcrs = MT_BYTES_OF(values);
    mt_bundle_write(&w, &b);
    const struct mt_appraiser a = {&policy, {NULL, 0}};
    const struct mt_shown shown = {mt_bytes_of_text(format), written(&w), NULL, 0};
    memset(&result, 0, sizeof result);
    return mt_appraise_evidence(&a, &shown, question, NOW_MS, &result);
}

static mt_err show_own(const char *format)
{
    return show(asked, (mt_bytes){NULL, 0}, format);
}

static void begin(void)
{
    pki_done(&tpm.key);
    tpm = own_tpm(PKI_P256);
    memset(&policy, 0, sizeof policy);
    policy.name = MT_LITERAL("test");
    policy.minimum_level = MT_LEVEL_TPM;
    policy.platforms[0] = own_name(&tpm);
    policy.platforms_count = 1;
    policy.measurements_count = 1;
    policy.configurations[0] = world_configuration();
    policy.configurations_count = 1;
    policy.hardware.is_named = true;
    policy.hardware.kinds = 1U << MT_EVIDENCE_TPM;
    policy.hardware.tcb_statuses = 1U << MT_TCB_UNRATED;
    MT_ASSERT(is_code(show_own("tpm"), MT_E_DENIED)); /* genuine, of an unknown measurement */
    policy.measurements[0] = result.claims.measurement;
}

static void a_node_is_accepted_by_what_its_machine_started(void)
{
    begin();
    OK(show_own("tpm"));
    MT_ASSERT(result.verdict.level == MT_LEVEL_TPM);
    const mt_hash wanted = world_configuration();
    MT_ASSERT(mt_hash_equal(&result.claims.configuration, &wanted));
    policy.configurations[0].b[0] ^= 1;
    MT_ASSERT(is_refused(show_own("tpm"), MT_E_DENIED, &result.trace, "configuration-unknown"));
}

static void evidence_of_another_connection_is_refused(void)
{
    const uint8_t other[MT_REPORT_DATA_LEN] = {1, 2, 4};
    begin();
    MT_ASSERT(is_refused(show(other, (mt_bytes){NULL, 0}, "tpm"), MT_E_PROOF, &result.trace,
                         "report-data"));
}

static void the_log_of_another_node_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    struct mt_writer w = mt_writer_onto(&room);
    mt_eventlog_head_write(&w);
    begin();
    MT_ASSERT(
        is_refused(show(asked, written(&w), "tpm"), MT_E_PROOF, &result.trace, "report-data"));
}

static void evidence_goes_by_the_format_that_it_names(void)
{
    static const char *const others[] = {"snp", "tdx", "sgx", "azure", "soft"};
    begin();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        MT_ASSERT(mt_failed(show_own(others[i])));
        MT_ASSERT(result.verdict.level == 0);
    }
    MT_ASSERT(is_refused(show_own("none"), MT_E_PROOF, &result.trace, "evidence-kind"));
    MT_ASSERT(is_refused(show_own("tpm2"), MT_E_PROOF, &result.trace, "evidence-kind"));
}

static void a_policy_must_name_the_kind(void)
{
    begin();
    policy.hardware.kinds = 1U << MT_EVIDENCE_SNP;
    MT_ASSERT(is_code(show_own("tpm"), MT_E_DENIED));
    MT_ASSERT(result.claims.kind == MT_EVIDENCE_TPM);
}

static void what_is_no_bundle_is_refused(void)
{
    begin();
    const struct mt_appraiser a = {&policy, {NULL, 0}};
    const struct mt_shown shown = {MT_LITERAL("tpm"), MT_LITERAL("quote"), NULL, 0};
    memset(&result, 0, sizeof result);
    MT_ASSERT(is_refused(mt_appraise_evidence(&a, &shown, asked, NOW_MS, &result), MT_E_FORMAT,
                         &result.trace, "evidence-format"));
}

/* Byte by byte about where all of it is just as long as evidence may be. */
static void a_long_event_log_costs_no_evidence(void)
{
    static uint8_t bytes[MT_EVIDENCE_BYTES_MAX];
    size_t kept = 0;
    for (size_t len = sizeof bytes - 2048; len <= sizeof bytes; len++) {
        MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
        struct mt_writer w = mt_writer_onto(&room);
        struct mt_bundle b = {.log = {bytes, 1000}};
        b.evidence.quote = (mt_bytes){bytes, 500};
        b.evidence.event_log = (mt_bytes){bytes, len};
        mt_bundle_trim(&b);
        mt_bundle_write(&w, &b);
        OK(w.failed);
        MT_ASSERT(b.evidence.event_log.len == len || b.evidence.event_log.len == 0);
        kept += b.evidence.event_log.len > 0 ? 1 : 0;
        MT_ASSERT(b.log.len == 1000 && b.evidence.quote.len == 500);
    }
    MT_ASSERT(kept > 256 && kept < 1024);
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(a_node_is_accepted_by_what_its_machine_started),
        MT_TEST(evidence_of_another_connection_is_refused),
        MT_TEST(the_log_of_another_node_is_refused),
        MT_TEST(evidence_goes_by_the_format_that_it_names),
        MT_TEST(a_policy_must_name_the_kind),
        MT_TEST(what_is_no_bundle_is_refused),
        MT_TEST(a_long_event_log_costs_no_evidence),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    pki_done(&tpm.key);
    world_end();
    return rc;
}
