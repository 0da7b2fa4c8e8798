/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Reports of real machines (tests/vectors/snp, the program's argument), and of a chip that we made
 * up where no real one shows what is to be refused. */
#include "attest/snp.h"

#include "attest/files_test.h"
#include "attest/world_test.h"
#include "unit/mangle.h"
#include "unit/pki.h"

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
enum { SETS = sizeof sets / sizeof *sets, REPORT_DATA = 0x50 };

static struct mt_trace trace;
static struct mt_claims claims;

/* A question to the verifier, to be changed by a test before it is asked. */
struct question {
    struct file report;
    struct file vek;
    struct mt_evidence in;
    const struct mt_snp_roots *roots;
    uint8_t report_data[MT_REPORT_DATA_LEN];
};
static struct question q;

static void load(const struct set *s)
{
    q.in = (struct mt_evidence){.quote = file_read(s->name, "report.bin", &q.report),
                                .collateral = {.vek = file_read(s->name, s->vek, &q.vek)},
                                .now_ms = *s->now_ms};
    q.roots = mt_snp_roots_amd();
    memcpy(q.report_data, q.report.b + REPORT_DATA, sizeof q.report_data);
}

static mt_err ask(void)
{
    trace.count = 0;
    memset(&claims, 0, sizeof claims);
    return mt_snp_verify(&q.in, q.roots, q.report_data, &claims, &trace);
}

static bool is_named(enum mt_code code, const char *rule)
{
    return is_refused(ask(), code, &trace, rule);
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
        mt_mangle_length(is_good, good.b, good.len);
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

/* From here on a maker of our own: ARK, ASK, ASVK, and a chip's key and a cloud's. */
static struct pki_cert ark;
static struct pki_cert ask_cert;
static struct pki_cert asvk;
static struct pki_cert other_ark;
static struct pki_cert vek;
static struct mt_snp_roots own;

struct part {
    const char *oid;
    const char value[4];
};
enum { PARTS = 8 };

/* What a chip's certificate says: firmware 1.2.3, microcode 0xf0. */
static size_t vek_extensions(bool is_vlek, struct pki_extension *out)
{
    static const uint8_t hwid[64] = {0xc4, 0x1b};
    static const struct part parts[PARTS] = {
        {"1.3.6.1.4.1.3704.1.3.1", "\x02\x01\x01"},   {"1.3.6.1.4.1.3704.1.3.2", "\x02\x01\x02"},
        {"1.3.6.1.4.1.3704.1.3.3", "\x02\x01\x03"},   {"1.3.6.1.4.1.3704.1.3.4", "\x02\x01\0"},
        {"1.3.6.1.4.1.3704.1.3.5", "\x02\x01\0"},     {"1.3.6.1.4.1.3704.1.3.6", "\x02\x01\0"},
        {"1.3.6.1.4.1.3704.1.3.8", "\x02\x02\0\xf0"}, {"1.3.6.1.4.1.3704.1.3.7", "\x02\x01\0"},
    };
    size_t count = 0;
    out[count++] = (struct pki_extension){"1.3.6.1.4.1.3704.1.2", MT_LITERAL("\x16\x08Milan-B0")};
    for (size_t i = 0; i < PARTS; i++) {
        size_t len = parts[i].value[1] == 2 ? 4 : 3;
        out[count++] = (struct pki_extension){parts[i].oid, {(const uint8_t *)parts[i].value, len}};
    }
    if (is_vlek) {
        out[count++] = (struct pki_extension){"1.3.6.1.4.1.3704.1.5", MT_LITERAL("\x16\x05"
                                                                                 "cloud")};
    } else {
        out[count++] = (struct pki_extension){"1.3.6.1.4.1.3704.1.4", MT_BYTES_OF(hwid)};
    }
    return count;
}

static void make_vek(const struct pki_cert *signer, bool is_vlek)
{
    struct pki_extension extensions[16];
    const struct pki_wish wish = {.name = is_vlek ? "SEV-VLEK" : "SEV-VCEK",
                                  .key = PKI_P384,
                                  .is_pss = true,
                                  .extensions = extensions,
                                  .extensions_count = vek_extensions(is_vlek, extensions)};
    pki_done(&vek);
    pki_make(&wish, signer, &vek);
    q.in.collateral.vek = pki_der(&vek);
}

static void sign_report(void)
{
    uint8_t room[MT_SNP_SIGNATURE_LEN];
    mt_bytes s =
        pki_sign(&vek, (mt_bytes){q.report.b, MT_SNP_SIGNED_LEN}, (mt_span){room, sizeof room});
    MT_ASSERT(s.len == sizeof room);
    memset(q.report.b + MT_SNP_SIGNED_LEN, 0, MT_SNP_REPORT_LEN - MT_SNP_SIGNED_LEN);
    for (size_t i = 0; i < 48; i++) {
        q.report.b[MT_SNP_SIGNED_LEN + i] = s.ptr[47 - i];
        q.report.b[MT_SNP_SIGNED_LEN + 72 + i] = s.ptr[95 - i];
    }
}

/* A report of version 3 by our chip, not yet signed. */
static void make_report(void)
{
    static const uint8_t tcb[] = {1, 2, 0, 0, 0, 0, 3, 0xf0};
    static const size_t tcbs[] = {0x38, 0x180, 0x1e0, 0x1f0};
    uint8_t *b = q.report.b;
    memset(b, 0, MT_SNP_REPORT_LEN);
    q.report.len = MT_SNP_REPORT_LEN;
    b[0] = 3;
    b[8 + 2] = 3; /* SMT, and the bit that is always one */
    b[0x34] = 1;
    for (size_t i = 0; i < sizeof tcbs / sizeof *tcbs; i++) {
        memcpy(b + tcbs[i], tcb, sizeof tcb);
    }
    b[0x188] = 0x19;
    b[0x189] = 1;
    b[0x1a0] = 0xc4;
    b[0x1a1] = 0x1b;
    b[REPORT_DATA] = 0xa5;
    q.in.quote = (mt_bytes){b, MT_SNP_REPORT_LEN};
    memcpy(q.report_data, b + REPORT_DATA, sizeof q.report_data);
}

static void make_world(void)
{
    const struct pki_wish a = {
        .name = "ARK", .key = PKI_RSA_2048, .is_ca = true, .is_pss = true, .serial = 1};
    const struct pki_wish b = {
        .name = "ASK", .key = PKI_RSA_2048, .is_ca = true, .is_pss = true, .serial = 2};
    const struct pki_wish c = {
        .name = "ASVK", .key = PKI_RSA_2048, .is_ca = true, .is_pss = true, .serial = 3};
    pki_make(&a, NULL, &ark);
    pki_make(&a, NULL, &other_ark);
    pki_make(&b, &ark, &ask_cert);
    pki_make(&c, &ark, &asvk);
    own.lines[MT_SNP_MILAN] =
        (struct mt_snp_line_roots){pki_der(&ark), pki_der(&ask_cert), pki_der(&asvk)};
    make_vek(&ask_cert, false);
}

/* Our chip's report, genuine. */
static void begin(void)
{
    q.in = (struct mt_evidence){.now_ms = mid_2026_ms};
    q.roots = &own;
    make_report();
    make_vek(&ask_cert, false);
    sign_report();
}

static void a_chip_of_our_own_is_genuine_under_our_root_alone(void)
{
    begin();
    OK(ask());
    MT_ASSERT(claims.weaknesses == 0);
    q.roots = mt_snp_roots_amd();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chain"));
    struct mt_snp_roots other = own;
    other.lines[MT_SNP_MILAN].ark = pki_der(&other_ark);
    q.roots = &other;
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chain"));
    memset(&other, 0, sizeof other);
    MT_ASSERT(is_named(MT_E_PROOF, "vek-root"));
}

static void the_processor_chooses_the_root_and_not_the_certificate(void)
{
    begin();
    own.lines[MT_SNP_GENOA] =
        (struct mt_snp_line_roots){pki_der(&other_ark), pki_der(&other_ark), pki_der(&other_ark)};
    q.report.b[0x189] = 0x11; /* Genoa */
    sign_report();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chain"));
    q.report.b[0x188] = 0x17;
    sign_report();
    MT_ASSERT(is_named(MT_E_FORMAT, "snp-report-format"));
}

static void other_versions_are_refused_by_name(void)
{
    struct mt_snp_report r;
    begin();
    q.report.b[0] = 4;
    sign_report();
    mt_err e = mt_snp_report_parse(q.in.quote, &r);
    MT_ASSERT(mt_failed(e) && strstr(e.fault->what, "version 4") != NULL);
    MT_ASSERT(is_named(MT_E_FORMAT, "snp-report-format"));
    q.report.b[0] = 6;
    sign_report();
    MT_ASSERT(is_named(MT_E_FORMAT, "snp-report-format"));
}

static void a_lent_key_speaks_for_its_cloud_and_not_for_a_chip(void)
{
    begin();
    q.report.b[0x48] = MT_SNP_VLEK << 2;
    sign_report();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chain")); /* the VCEK chain */
    make_vek(&asvk, true);
    sign_report();
    OK(ask());
    const struct mt_claimed *cloud = mt_claimed(&claims, MT_LITERAL("csp_id"));
    MT_ASSERT(mt_bytes_equal((mt_bytes){cloud->bytes, cloud->len}, MT_LITERAL("cloud")));
    make_vek(&asvk, false); /* names a chip, and no cloud */
    sign_report();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-cloud"));
    begin();
    make_vek(&asvk, true);
    sign_report();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chain")); /* calls itself a VCEK */
    q.report.b[0x48] = MT_SNP_UNSIGNED << 2;
    sign_report();
    MT_ASSERT(is_named(MT_E_PROOF, "snp-report-signed"));
}

static void the_certificate_is_for_this_firmware_and_this_chip(void)
{
    for (size_t i = 0; i < MT_SNP_TCB_LEN; i++) {
        begin();
        q.report.b[0x180 + i] ^= 1;
        sign_report();
        MT_ASSERT(is_named(MT_E_PROOF, "vek-tcb"));
    }
    for (size_t i = 0; i < MT_SNP_CHIP_ID_LEN; i++) {
        begin();
        q.report.b[0x1a0 + i] ^= 1;
        sign_report();
        MT_ASSERT(is_named(MT_E_PROOF, "vek-chip"));
    }
    begin();
    q.report.b[0x38] = 0; /* runs an older boot loader than it reports */
    sign_report();
    MT_ASSERT(is_named(MT_E_PROOF, "snp-tcb-order"));
}

static void what_a_policy_may_refuse_is_claimed(void)
{
    begin();
    q.report.b[0x38 + 7] = 0xf1; /* provisional microcode */
    q.report.b[8 + 2] |= 0x0c;   /* DEBUG, MIGRATE_MA */
    q.report.b[8 + 6] = 1;       /* unknown */
    q.report.b[0x30] = 2;        /* VMPL */
    sign_report();
    OK(ask());
    MT_ASSERT(mt_claims_has(&claims, MT_WEAK_PROVISIONAL_FIRMWARE));
    MT_ASSERT(mt_claims_has(&claims, MT_WEAK_DEBUG));
    MT_ASSERT(mt_claims_has(&claims, MT_WEAK_MIGRATABLE));
    MT_ASSERT(mt_claims_has(&claims, MT_WEAK_RESERVED));
    MT_ASSERT(mt_claims_has(&claims, MT_WEAK_VMPL));
}

static void a_signing_key_that_was_taken_back_is_refused(void)
{
    static const uint32_t ask_serial[] = {2};
    static const uint32_t other[] = {77};
    uint8_t room[PKI_CRL_MAX];
    struct pki_list list = {&ark, mid_2026_ms - 1000, mid_2026_ms + 1000, other, 1};
    begin();
    q.in.collateral.amd_crl = pki_crl(&list, (mt_span){room, sizeof room});
    OK(ask());
    q.in.now_ms = mid_2026_ms + 86400000;
    MT_ASSERT(is_named(MT_E_PROOF, "amd-crl"));
    q.in.now_ms = mid_2026_ms;
    list.issuer = &other_ark;
    q.in.collateral.amd_crl = pki_crl(&list, (mt_span){room, sizeof room});
    MT_ASSERT(is_named(MT_E_PROOF, "amd-crl"));
    list = (struct pki_list){&ark, mid_2026_ms - 1000, mid_2026_ms + 1000, ask_serial, 1};
    q.in.collateral.amd_crl = pki_crl(&list, (mt_span){room, sizeof room});
    MT_ASSERT(is_named(MT_E_PROOF, "amd-revoked"));
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
        MT_TEST(a_chip_of_our_own_is_genuine_under_our_root_alone),
        MT_TEST(the_processor_chooses_the_root_and_not_the_certificate),
        MT_TEST(other_versions_are_refused_by_name),
        MT_TEST(a_lent_key_speaks_for_its_cloud_and_not_for_a_chip),
        MT_TEST(the_certificate_is_for_this_firmware_and_this_chip),
        MT_TEST(what_a_policy_may_refuse_is_claimed),
        MT_TEST(a_signing_key_that_was_taken_back_is_refused),
    };
    MT_ASSERT(argc > 1);
    files_folder = argv[1];
    world_begin(argc - 1, argv + 1);
    make_world();
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    pki_done(&ark);
    pki_done(&other_ark);
    pki_done(&ask_cert);
    pki_done(&asvk);
    pki_done(&vek);
    world_end();
    return rc;
}
