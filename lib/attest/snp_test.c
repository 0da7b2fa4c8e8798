/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Reports of real machines (tests/vectors/snp, the program's argument). */
#include "attest/snp_ask_test.h"

#include "unit/mangle.h"

static const uint64_t mid_2025_ms = 1751328000000;
static const uint64_t early_2026_ms = 1767225600000;
static const uint64_t mid_2026_ms = 1782864000000;

struct set {
    const char *name;
    const char *vek;
    const uint64_t *now_ms;
    uint32_t weaknesses;
    const char *product;
    uint64_t microcode;
};
static const struct set sets[] = {
    {"milan_v2", "vcek.der", &mid_2025_ms, 0, "Milan", 0x73},
    {"milan_v2_debug_policy", "vcek.der", &mid_2025_ms, 1U << MT_WEAK_DEBUG, "Milan", 0x44},
    {"milan_v2_provisional_fw", "vcek.der", &mid_2025_ms, 1U << MT_WEAK_PROVISIONAL_FIRMWARE,
     "Milan", 0x73},
    {"milan_v3", "vcek.pem", &mid_2026_ms, 0, "Milan", 0xdb},
    {"azure_milan_v3", "vcek.der", &early_2026_ms, 0, "Milan", 0xdb},
    {"azure_genoa_v3", "vcek.pem", &early_2026_ms, 0, "Genoa", 0x54},
    {"turin_v5", "vcek.pem", &mid_2026_ms, 0, "Turin", 0x51},
};
enum { SETS = sizeof sets / sizeof *sets };

static void load(const struct set *s)
{
    q.in = (struct mt_evidence){.quote = file_read(s->name, "report.bin", &q.report),
                                .collateral = {.vek = file_read(s->name, s->vek, &q.vek)},
                                .now_ms = *s->now_ms};
    q.roots = mt_snp_roots_amd();
    memcpy(q.report_data, q.report.b + REPORT_DATA, sizeof q.report_data);
}

static void every_real_report_is_genuine_and_says_what_its_set_says(void)
{
    for (size_t i = 0; i < SETS; i++) {
        load(&sets[i]);
        OK(ask());
        MT_ASSERT(mt_trace_failed(&trace) == NULL);
        MT_ASSERT(claims.kind == MT_EVIDENCE_SNP && claims.level == MT_LEVEL_CVM);
        MT_ASSERT(claims.has_hardware_root && !claims.has_host_in_tcb);
        MT_ASSERT(claims.weaknesses == sets[i].weaknesses);
        MT_ASSERT(is_number(&claims, MT_LITERAL("tcb_microcode"), sets[i].microcode));
        const struct mt_claimed *product = mt_claimed(&claims, MT_LITERAL("product"));
        MT_ASSERT(mt_bytes_equal((mt_bytes){product->bytes, product->len},
                                 mt_bytes_of_text(sets[i].product)));
    }
    MT_ASSERT(is_number(&claims, MT_LITERAL("tcb_fmc"), 1)); /* Turin's own */
    MT_ASSERT(is_number(&claims, MT_LITERAL("tcb_snp"), 4));
    MT_ASSERT(is_number(&claims, MT_LITERAL("platform_info"), 0x65));
    MT_ASSERT(is_number(&claims, MT_LITERAL("current_mit_vector"), 0x3f));
}

/* SHA-256 over u8 length || label || the parts, as spec/evidence-snp.md has it. */
static void what_is_hashed_is_what_the_page_says(void)
{
    static const char label[] = "\x1amesatee-snp-measurement-v1";
    static const char name[] = "\x17mesatee-snp-platform-v1";
    const uint8_t kind = MT_SNP_VCEK;
    const uint8_t none = 0;
    mt_hash want;
    load(&sets[0]);
    OK(ask());
    const mt_bytes code[] = {
        {(const uint8_t *)label, sizeof label - 1}, {q.report.b + 0x90, 48}, {q.report.b + 8, 8}};
    mt_sha256(code, 3, &want);
    MT_ASSERT(mt_hash_equal(&want, &claims.measurement));
    const mt_bytes platform[] = {{(const uint8_t *)name, sizeof name - 1},
                                 MT_BYTES_OF(kind),
                                 {q.report.b + 0x1a0, 64},
                                 MT_BYTES_OF(none)};
    mt_sha256(platform, 4, &want);
    MT_ASSERT(mt_hash_equal(&want, &claims.platform));
}

static bool is_good(const uint8_t *bytes, size_t len)
{
    q.in.quote = (mt_bytes){bytes, len};
    bool has_failed = mt_failed(ask());
    MT_ASSERT(has_failed == (mt_trace_failed(&trace) != NULL));
    MT_ASSERT(has_failed == (claims.level == 0));
    return !has_failed;
}

static void every_truncation_and_every_flipped_bit_of_a_report_is_refused(void)
{
    static struct file good;
    for (size_t i = 0; i < SETS; i++) {
        load(&sets[i]);
        good = q.report;
        mt_mangle_some_lengths(is_good, good.b, good.len, lengths_step());
        MT_ASSERT(mt_mangle_some_bits(is_good, good.b, good.len, step) == 0);
    }
}

static void report_data_one_bit_off_is_refused_in_each_of_its_64_bytes(void)
{
    load(&sets[0]);
    for (size_t i = 0; i < MT_REPORT_DATA_LEN; i++) {
        q.report_data[i] ^= 0x10;
        MT_ASSERT(is_named(MT_E_PROOF, "report-data"));
        q.report_data[i] ^= 0x10;
    }
    OK(ask());
}

static void a_certificate_of_another_time_is_refused(void)
{
    const uint64_t day_ms = 24ULL * 60 * 60 * 1000;
    for (size_t i = 0; i < SETS; i++) {
        load(&sets[i]);
        q.in.now_ms = *sets[i].now_ms + 8 * 365 * day_ms;
        MT_ASSERT(is_named(MT_E_PROOF, "vek-validity"));
        q.in.now_ms = *sets[i].now_ms - 6 * 365 * day_ms;
        MT_ASSERT(is_named(MT_E_PROOF, "vek-validity"));
    }
}

static void a_certificate_of_another_machine_is_refused(void)
{
    static struct file other;
    for (size_t i = 0; i < SETS; i++) {
        for (size_t j = 0; j < SETS; j++) {
            load(&sets[i]);
            q.in.now_ms = mid_2026_ms;
            q.in.collateral.vek = file_read(sets[j].name, sets[j].vek, &other);
            MT_ASSERT(mt_failed(ask()) == (i != j));
        }
    }
}

static void a_certificate_that_nobody_signed_is_refused(void)
{
    load(&sets[2]);
    q.in.collateral.vek = file_read(sets[2].name, "vcek-invalid-legacy.der", &q.vek);
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chain"));
    q.in.collateral.vek = file_read(sets[2].name, "vcek-invalid-new.der", &q.vek);
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chain"));
    q.in.collateral.vek = (mt_bytes){NULL, 0};
    MT_ASSERT(is_named(MT_E_FORMAT, "vek-format"));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(every_real_report_is_genuine_and_says_what_its_set_says),
        MT_TEST(what_is_hashed_is_what_the_page_says),
        MT_TEST(every_truncation_and_every_flipped_bit_of_a_report_is_refused),
        MT_TEST(report_data_one_bit_off_is_refused_in_each_of_its_64_bytes),
        MT_TEST(a_certificate_of_another_time_is_refused),
        MT_TEST(a_certificate_of_another_machine_is_refused),
        MT_TEST(a_certificate_that_nobody_signed_is_refused),
    };
    MT_ASSERT(argc > 1);
    files_folder = argv[1];
    world_begin(argc - 1, argv + 1);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
