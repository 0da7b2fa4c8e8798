/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Reports of a chip that we made up, where no real one shows what is to be refused: snp_test.c has
 * those. */
#include "attest/snp_ask_test.h"

#include "unit/amd.h"

static const uint64_t mid_2026_ms = 1782864000000;

/* A maker of our own, a chip's key or a cloud's, and what a test may have its certificate say. */
static struct amd_maker own;
static struct pki_cert other_ark;
static struct pki_cert vek;
static struct amd_chip says;

static void make_vek(const struct pki_cert *signer, bool is_vlek)
{
    pki_done(&vek);
    amd_certify(&says, is_vlek, signer, &vek);
    q.in.collateral.vek = pki_der(&vek);
}

static void sign_report(void)
{
    amd_sign(&vek, q.report.b);
}

static void make_world(void)
{
    const struct pki_wish other = {
        .name = "ARK", .key = PKI_RSA_2048, .is_ca = true, .is_pss = true, .serial = 1};
    amd_maker_make(&own);
    pki_make(&other, NULL, &other_ark);
}

/* Our chip's report, genuine. */
static void begin(void)
{
    says = amd_milan();
    q.in = (struct mt_evidence){.now_ms = mid_2026_ms};
    q.roots = &own.roots;
    amd_report(q.report.b);
    q.report.len = MT_SNP_REPORT_LEN;
    q.in.quote = (mt_bytes){q.report.b, q.report.len};
    memcpy(q.report_data, q.report.b + REPORT_DATA, sizeof q.report_data);
    make_vek(&own.ask, false);
    sign_report();
}

static void a_chip_of_our_own_is_genuine_under_our_root_alone(void)
{
    begin();
    OK(ask());
    MT_ASSERT(claims.weaknesses == 0);
    q.roots = mt_snp_roots_amd();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chain"));
    struct mt_snp_roots other = own.roots;
    other.lines[MT_SNP_MILAN].ark = pki_der(&other_ark);
    q.roots = &other;
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chain"));
    memset(&other, 0, sizeof other);
    MT_ASSERT(is_named(MT_E_PROOF, "vek-root"));
}

static void the_processor_chooses_the_root_and_not_the_certificate(void)
{
    begin();
    own.roots.lines[MT_SNP_GENOA] =
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
    make_vek(&own.asvk, true);
    sign_report();
    OK(ask());
    const struct mt_claimed *cloud = mt_claimed(&claims, MT_LITERAL("csp_id"));
    MT_ASSERT(mt_bytes_equal((mt_bytes){cloud->bytes, cloud->len}, MT_LITERAL("cloud")));
    make_vek(&own.asvk, false); /* names a chip, and no cloud */
    sign_report();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-cloud"));
    begin();
    make_vek(&own.asvk, true);
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

/* The chip's certificate again, as `says` has it now. */
static void certify(void)
{
    make_vek(&own.ask, false);
    sign_report();
}

/* FMC, boot loader, TEE, SNP and microcode; an id of 8 bytes, which may stand in an OCTET STRING.
 */
static void a_turin_chip_has_an_order_of_its_own(void)
{
    static const uint8_t tcb[] = {4, 1, 2, 3, 0, 0, 0, 0xf0};
    static const size_t tcbs[] = {0x38, 0x180, 0x1e0, 0x1f0};
    begin();
    own.roots.lines[MT_SNP_TURIN] = own.roots.lines[MT_SNP_MILAN];
    says.product = MT_LITERAL("\x16\x05Turin");
    says.hwid = MT_LITERAL("\xc4\x1b\0\0\0\0\0\0");
    says.fmc = MT_LITERAL("\x02\x01\x04");
    q.report.b[0x188] = 0x1a;
    certify();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-tcb")); /* in Milan's order */
    for (size_t i = 0; i < sizeof tcbs / sizeof *tcbs; i++) {
        memcpy(q.report.b + tcbs[i], tcb, sizeof tcb);
    }
    certify();
    OK(ask());
    MT_ASSERT(is_number(&claims, MT_LITERAL("tcb_fmc"), 4));
    MT_ASSERT(is_number(&claims, MT_LITERAL("tcb_boot_loader"), 1));
    MT_ASSERT(is_number(&claims, MT_LITERAL("tcb_snp"), 3));
    says.hwid = MT_LITERAL("\x04\x08\xc4\x1b\0\0\0\0\0\0");
    certify();
    OK(ask());
    q.report.b[0x1a0 + 63] = 1; /* more of an id than eight bytes */
    sign_report();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chip"));
    says.fmc = (mt_bytes){NULL, 0};
    certify();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-tcb"));
}

static void a_certificate_says_every_part_of_the_version_and_the_chip(void)
{
    for (size_t i = 0; i < AMD_PARTS; i++) {
        begin();
        says.left_out = i;
        certify();
        bool is_reserved = i == 3 || i == 4 || i == 5 || i == 7; /* 4 to 7: zero if absent */
        MT_ASSERT(is_reserved ? !mt_failed(ask()) : is_named(MT_E_PROOF, "vek-tcb"));
    }
    begin();
    says.hwid = (mt_bytes){amd_milan().hwid.ptr, 63};
    certify();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chip"));
    begin();
    memset(q.report.b + 0x1a0, 0, 64); /* MASK_CHIP_ID: the host hides which chip it is */
    sign_report();
    MT_ASSERT(is_named(MT_E_PROOF, "vek-chip"));
}

/* Reports of version 2 do not say which processor it is. */
static void an_old_report_is_of_the_product_in_its_certificate(void)
{
    static const struct {
        mt_bytes product;
        const char *rule;
    } products[] = {
        {{(const uint8_t *)"\x16\x05Milan", 7}, NULL},
        {{(const uint8_t *)"\x16\x08Milan-B1", 10}, NULL},
        {{(const uint8_t *)"\x16\x08Milanese", 10}, "vek-product"},
        {{(const uint8_t *)"\x16\x04Rome", 6}, "vek-product"},
        {{(const uint8_t *)"\x0c\x05Milan", 7}, "vek-product"},
        {{(const uint8_t *)"\x16\x05Milan!", 8}, "vek-product"},
    };
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        begin();
        q.report.b[0] = 2;
        memset(q.report.b + 0x188, 0, 3);
        says.product = products[i].product;
        certify();
        MT_ASSERT(products[i].rule == NULL ? !mt_failed(ask())
                                           : is_named(MT_E_PROOF, products[i].rule));
    }
}

static void what_is_reserved_in_a_report_is_zero(void)
{
    static const size_t places[] = {0x4c,  0x4f,  0x18b, 0x19f, 0x1eb,
                                    0x1ef, 0x1f8, 0x200, 0x208, 0x29f};
    static const size_t behind[] = {0x2a0 + 48, 0x2a0 + 71, 0x2a0 + 120, 0x2a0 + 143, 0x330, 0x49f};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        begin();
        q.report.b[places[i]] = 1;
        sign_report();
        MT_ASSERT(is_named(MT_E_FORMAT, "snp-report-format"));
    }
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        begin();
        q.report.b[behind[i]] = 1; /* beside the signature: signed by nobody */
        MT_ASSERT(is_named(MT_E_FORMAT, "snp-report-format"));
    }
}

static void a_field_with_a_value_that_is_none_is_refused(void)
{
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {{8 + 2, 1}, {0x30, 4}, {0x33, 1}, {0x34, 0}, {0x34, 2}, {0x48, 2 << 2}, {0x49, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin();
        q.report.b[bad[i].at] = bad[i].value;
        sign_report();
        MT_ASSERT(is_named(MT_E_FORMAT, "snp-report-format"));
    }
}

/* Each bit of a policy and each field by itself. */
static void every_weakness_is_claimed_for_its_own_reason_alone(void)
{
    static const struct {
        size_t at;
        uint8_t value;
        uint32_t weaknesses;
    } cases[] = {
        {8 + 2, 2, 0}, /* without SMT */
        {8 + 2, 7, 1U << MT_WEAK_MIGRATABLE},
        {8 + 2, 11, 1U << MT_WEAK_DEBUG},
        {8 + 2, 0xf3, 0}, /* SINGLE_SOCKET, CXL, AES256_XTS, RAPL_DIS */
        {8 + 3, 3, 0},    /* CIPHERTEXT_HIDING, PAGE_SWAP_DISABLE */
        {8 + 3, 4, 1U << MT_WEAK_RESERVED},
        {8 + 7, 0x80, 1U << MT_WEAK_RESERVED},
        {0x30, 1, 1U << MT_WEAK_VMPL},
        {0x30, 3, 1U << MT_WEAK_VMPL},
        {0x3f, 0xf1, 1U << MT_WEAK_PROVISIONAL_FIRMWARE},
        {0x1e7, 0xef, 1U << MT_WEAK_PROVISIONAL_FIRMWARE},
        {0x1e8, 1, 1U << MT_WEAK_PROVISIONAL_FIRMWARE}, /* its build */
        {0x1ee, 1, 1U << MT_WEAK_PROVISIONAL_FIRMWARE},
        {0x40, 0xff, 0}, /* what the platform has is for a policy's minimums */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        q.report.b[cases[i].at] = cases[i].value;
        sign_report();
        OK(ask());
        MT_ASSERT(claims.weaknesses == cases[i].weaknesses);
    }
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
    static const uint32_t asvk_serial[] = {3};
    static const uint32_t other[] = {77};
    uint8_t room[PKI_CRL_MAX];
    struct pki_list list = {&own.ark, mid_2026_ms - 1000, mid_2026_ms + 1000, other, 1};
    begin();
    q.in.collateral.amd_crl = pki_crl(&list, (mt_span){room, sizeof room});
    OK(ask());
    q.in.now_ms = mid_2026_ms + 86400000;
    MT_ASSERT(is_named(MT_E_PROOF, "amd-crl"));
    q.in.now_ms = mid_2026_ms;
    list.issuer = &other_ark;
    q.in.collateral.amd_crl = pki_crl(&list, (mt_span){room, sizeof room});
    MT_ASSERT(is_named(MT_E_PROOF, "amd-crl"));
    list = (struct pki_list){&own.ark, mid_2026_ms - 1000, mid_2026_ms + 1000, ask_serial, 1};
    q.in.collateral.amd_crl = pki_crl(&list, (mt_span){room, sizeof room});
    MT_ASSERT(is_named(MT_E_PROOF, "amd-revoked"));
    mt_bytes crl = q.in.collateral.amd_crl;
    q.report.b[0x48] = MT_SNP_VLEK
                       << 2; /* the list is of the ASK: keys that clouds are lent hold */
    make_vek(&own.asvk, true);
    sign_report();
    OK(ask());
    list.serials = asvk_serial;
    q.in.collateral.amd_crl = pki_crl(&list, (mt_span){room, sizeof room});
    MT_ASSERT(is_named(MT_E_PROOF, "amd-revoked"));
    q.in.collateral.amd_crl = (mt_bytes){crl.ptr, crl.len - 1};
    MT_ASSERT(is_named(MT_E_PROOF, "amd-crl"));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(a_chip_of_our_own_is_genuine_under_our_root_alone),
        MT_TEST(the_processor_chooses_the_root_and_not_the_certificate),
        MT_TEST(other_versions_are_refused_by_name),
        MT_TEST(a_lent_key_speaks_for_its_cloud_and_not_for_a_chip),
        MT_TEST(the_certificate_is_for_this_firmware_and_this_chip),
        MT_TEST(a_turin_chip_has_an_order_of_its_own),
        MT_TEST(a_certificate_says_every_part_of_the_version_and_the_chip),
        MT_TEST(an_old_report_is_of_the_product_in_its_certificate),
        MT_TEST(what_is_reserved_in_a_report_is_zero),
        MT_TEST(a_field_with_a_value_that_is_none_is_refused),
        MT_TEST(every_weakness_is_claimed_for_its_own_reason_alone),
        MT_TEST(what_a_policy_may_refuse_is_claimed),
        MT_TEST(a_signing_key_that_was_taken_back_is_refused),
    };
    world_begin(argc, argv);
    make_world();
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    amd_maker_done(&own);
    pki_done(&other_ark);
    pki_done(&vek);
    world_end();
    return rc;
}
