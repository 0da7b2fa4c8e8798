/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The one door to the verifiers, with real evidence (tests/vectors, the program's argument). */
#include "attest/verify.h"

#include "attest/dcap_quote.h"
#include "attest/snp_report.h"
#include "attest/td_test.h"
#include "attest/tpm_structs.h"
#include "attest/world_test.h"

static struct file report;
static struct file vek;
static struct file quote;
static struct mt_evidence in;
static struct mt_claims claims;
static struct mt_trace trace;

static void begin(void)
{
    in = (struct mt_evidence){
        .quote = file_read("snp/milan_v2", "report.bin", &report),
        .collateral = {.vek = file_read("snp/milan_v2", "vcek.der", &vek)},
        .now_ms = 1751328000000, /* 2025-07-01 */
    };
    memset(&claims, 0, sizeof claims);
    trace.count = 0;
}

static mt_err ask(enum mt_evidence_kind kind, mt_bytes expected)
{
    trace.count = 0;
    return mt_evidence_verify(kind, &in, expected, &claims, &trace);
}

/* A verifier to whom nothing is expected has verified nothing (go-sev-guest: "not checked if
 * nil"). */
static void what_the_evidence_must_be_about_is_given_whole_or_refused(void)
{
    static const enum mt_evidence_kind kinds[] = {MT_EVIDENCE_SNP, MT_EVIDENCE_TDX,
                                                  MT_EVIDENCE_SGX};
    const mt_bytes none = {NULL, 0};
    begin();
    const uint8_t *said = report.b + 0x50;
    OK(ask(MT_EVIDENCE_SNP, (mt_bytes){said, MT_REPORT_DATA_LEN}));
    MT_ASSERT(claims.kind == MT_EVIDENCE_SNP);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        mt_err e = ask(kinds[i], none);
        MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "report-data-length"));
        for (size_t len = 0; len <= MT_REPORT_DATA_LEN + 1; len++) {
            if (len != MT_REPORT_DATA_LEN) {
                e = ask(kinds[i], (mt_bytes){said, len});
                MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "report-data-length"));
            }
        }
    }
}

static void evidence_is_told_by_its_form(void)
{
    begin();
    MT_ASSERT(mt_evidence_kind_of(&in) == MT_EVIDENCE_SNP);
    in.quote.len--;
    MT_ASSERT(mt_evidence_kind_of(&in) == MT_EVIDENCE_NONE);
    in.quote = file_read("dcap/sgx_v3_processor", "quote.bin", &quote);
    MT_ASSERT(mt_evidence_kind_of(&in) == MT_EVIDENCE_SGX);
    in.quote.len = 47;
    MT_ASSERT(mt_evidence_kind_of(&in) == MT_EVIDENCE_NONE);
    in.quote = file_read("dcap/tdx_v5_uptodate", "quote.bin", &quote);
    MT_ASSERT(mt_evidence_kind_of(&in) == MT_EVIDENCE_TDX);
    quote.b[4] = 0x82;
    MT_ASSERT(mt_evidence_kind_of(&in) == MT_EVIDENCE_NONE);
    quote.b[4] = 0x81;
    quote.b[0] = 2;
    MT_ASSERT(mt_evidence_kind_of(&in) == MT_EVIDENCE_NONE);
    quote.b[0] = 6;
    MT_ASSERT(mt_evidence_kind_of(&in) == MT_EVIDENCE_NONE);
    in.quote.len = 0;
    MT_ASSERT(mt_evidence_kind_of(&in) == MT_EVIDENCE_NONE);
}

static void evidence_of_one_kind_is_not_verified_as_another(void)
{
    begin();
    const mt_bytes said = {report.b + 0x50, MT_REPORT_DATA_LEN};
    mt_err e = ask(MT_EVIDENCE_TDX, said);
    MT_ASSERT(is_refused(e, MT_E_FORMAT, &trace, "quote-format"));
    in.quote = file_read("dcap/tdx_v5_uptodate", "quote.bin", &quote);
    e = ask(MT_EVIDENCE_SNP, said);
    MT_ASSERT(is_refused(e, MT_E_FORMAT, &trace, "snp-report-format"));
    MT_ASSERT(claims.kind == MT_EVIDENCE_NONE);
}

/* The kind may come from outside: a word in a greeting, the first bytes of a file. */
static void evidence_of_a_kind_that_no_hardware_makes_is_refused(void)
{
    static const enum mt_evidence_kind kinds[] = {MT_EVIDENCE_NONE, MT_EVIDENCE_SOFT,
                                                  MT_EVIDENCE_KINDS, (enum mt_evidence_kind)99};
    begin();
    const mt_bytes said = {report.b + 0x50, MT_REPORT_DATA_LEN};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        MT_ASSERT(is_refused(ask(kinds[i], said), MT_E_FORMAT, &trace, "evidence-kind"));
        MT_ASSERT(claims.kind == MT_EVIDENCE_NONE);
    }
}

/* A log that a TPM's quote, or a guest's, does not bear out. */
static void a_log_must_explain_what_was_signed(void)
{
    static struct file parts[6];
    static const char set[] = "tpm/gce_cos85_nonce9009";
    static const uint8_t nonce[] = {0x90, 0x09};
    mt_hash ak;
    in = (struct mt_evidence){.quote = file_read(set, "quote_sha256.msg", &parts[0]),
                              .signature = file_read(set, "quote_sha256.sig", &parts[1]),
                              .pcrs = file_read(set, "pcrs_sha256.bin", &parts[2]),
                              .ak_public = file_read(set, "ak_pub.tpmt", &parts[3]),
                              .event_log = file_read(set, "eventlog.bin", &parts[4]),
                              .now_ms = 1751328000000};
    mt_sha256(&in.ak_public, 1, &ak);
    const struct mt_attest_roots roots = {.known = {.platforms = &ak, .platforms_count = 1}};
    in.roots = &roots;
    OK(ask(MT_EVIDENCE_TPM, MT_BYTES_OF(nonce)));
    parts[4].b[290] ^= 1; /* a digest */
    MT_ASSERT(
        is_refused(ask(MT_EVIDENCE_TPM, MT_BYTES_OF(nonce)), MT_E_PROOF, &trace, "event-log"));
    in.event_log = file_read("eventlogs/logs", "event-bootorder.bin", &parts[4]);
    MT_ASSERT(
        is_refused(ask(MT_EVIDENCE_TPM, MT_BYTES_OF(nonce)), MT_E_PROOF, &trace, "event-log"));
    in.event_log.len -= 3;
    MT_ASSERT(is_refused(ask(MT_EVIDENCE_TPM, MT_BYTES_OF(nonce)), MT_E_FORMAT, &trace,
                         "event-log-format"));
}

static void what_a_tpms_quote_must_be_about_fits_into_it(void)
{
    static const uint8_t long_one[MT_TPM_DATA_MAX + 1] = {1};
    begin();
    mt_err e = ask(MT_EVIDENCE_TPM, MT_BYTES_OF(long_one));
    MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "report-data-length"));
    e = ask(MT_EVIDENCE_TPM, (mt_bytes){long_one, MT_TPM_DATA_MAX});
    MT_ASSERT(is_refused(e, MT_E_FORMAT, &trace, "ak-format"));
}

/* Of a guest the log gives the registers that its processor has signed. */
static void a_guests_log_must_explain_its_registers(void)
{
    static struct file log;
    struct mt_dcap_quote q;
    td_read(&in);
    OK(mt_dcap_quote_parse(in.quote, &q));
    OK(ask(MT_EVIDENCE_TDX, q.td.report_data));
    in.event_log = file_read("eventlogs/logs", "ccel.bin", &log); /* of another */
    MT_ASSERT(is_refused(ask(MT_EVIDENCE_TDX, q.td.report_data), MT_E_PROOF, &trace, "event-log"));
}

static void hardware_without_collateral_has_none_to_be_believed(void)
{
    static struct file f;
    begin();
    in =
        (struct mt_evidence){.quote = file_read("tpm/gce_cos85_nonce9009", "quote_sha256.msg", &f)};
    MT_ASSERT(is_code(mt_evidence_collateral_verify(&in, &trace), MT_E_FORMAT));
    in.quote = MT_LITERAL("of nobody");
    MT_ASSERT(is_code(mt_evidence_collateral_verify(&in, &trace), MT_E_FORMAT));
    in.runtime_data = MT_LITERAL("{}"); /* half of what Azure gives */
    in.quote.len = 0;
    MT_ASSERT(is_code(mt_evidence_collateral_verify(&in, &trace), MT_E_FORMAT));
}

static bool has(const char *claim)
{
    return mt_claimed(&claims, mt_bytes_of_text(claim)) != NULL;
}

static mt_err show(void)
{
    memset(&claims, 0, sizeof claims);
    mt_err e = mt_evidence_show(&in, &claims);
    MT_ASSERT(!mt_failed(e) || claims.kind == MT_EVIDENCE_NONE);
    return e;
}

static bool is_shown(const char *set, const char *name, const char *claim)
{
    static struct file f;
    in = (struct mt_evidence){.quote = file_read(set, name, &f)};
    OK(show());
    bool is_there = has(claim) && has("report_data");
    in.quote.len = 100; /* cut, no kind of evidence says anything */
    MT_ASSERT(mt_failed(show()));
    return is_there;
}

static void evidence_of_each_kind_is_shown_unverified(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    static const uint8_t about[MT_REPORT_DATA_LEN] = {1};
    MT_ASSERT(is_shown("snp/milan_v2", "report.bin", "chip_id"));
    MT_ASSERT(is_shown("snp/turin_v5", "report.bin", "chip_id"));
    MT_ASSERT(is_shown("dcap/sgx_v3_processor", "quote.bin", "pck_ca"));
    MT_ASSERT(is_shown("dcap/tdx_v4_gcp", "quote.bin", "pck_ca"));
    MT_ASSERT(is_shown("tpm/gce_cos85_nonce9009", "quote_sha256.msg", "reset_count"));
    in = (struct mt_evidence){.quote = world_evidence(&room, PLATFORM, about)};
    OK(show());
    in.quote.len--;
    MT_ASSERT(mt_failed(show()));
}

static void of_an_old_report_the_certificate_says_which_processor_it_is_of(void)
{
    begin();
    OK(show());
    MT_ASSERT(has("product"));
    in.collateral.vek = MT_LITERAL("no certificate");
    OK(show());
    MT_ASSERT(!has("product"));
    in.collateral.vek.len = 0;
    OK(show());
    MT_ASSERT(!has("product"));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(what_the_evidence_must_be_about_is_given_whole_or_refused),
        MT_TEST(evidence_is_told_by_its_form),
        MT_TEST(evidence_of_one_kind_is_not_verified_as_another),
        MT_TEST(evidence_of_a_kind_that_no_hardware_makes_is_refused),
        MT_TEST(a_log_must_explain_what_was_signed),
        MT_TEST(what_a_tpms_quote_must_be_about_fits_into_it),
        MT_TEST(a_guests_log_must_explain_its_registers),
        MT_TEST(hardware_without_collateral_has_none_to_be_believed),
        MT_TEST(evidence_of_each_kind_is_shown_unverified),
        MT_TEST(of_an_old_report_the_certificate_says_which_processor_it_is_of),
    };
    MT_ASSERT(argc > 1);
    files_folder = argv[1];
    world_begin(argc - 1, argv + 1);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
