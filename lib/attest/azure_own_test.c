/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Virtual machines on Azure that we made up, down to the processor (tests/unit/azure.h), where no
 * real one shows what is to be refused: azure_test.c has those. The verifier of Azure's evidence
 * takes no roots; linked here are ours, in the places of AMD's and Intel's. */
#include "attest/azure.h"

#include "attest/dcap.h"
#include "attest/snp.h"
#include "attest/tpm_world_test.h"
#include "attest/verify.h"
#include "unit/amd.h"
#include "unit/azure.h"
#include "unit/intel.h"

enum { PCRS = 15, REPORT_DATA = 0x50, VMPL = 0x30, MEASUREMENT = 0x90, POLICY = 8 };

static struct amd_maker amd;
static struct intel_maker intel;
static struct mt_snp_roots believed;

const struct mt_snp_roots *mt_snp_roots_amd(void)
{
    return &believed;
}

const struct mt_dcap_roots *mt_dcap_intel_roots(void)
{
    return &intel.roots;
}

/* A machine, of which a test may change any part before it is put together. */
struct machine {
    struct pki_cert vek;
    struct own_tpm tpm;
    uint8_t report[MT_SNP_REPORT_LEN];
    struct intel_quote td;
    char claims[AZURE_CLAIMS_MAX + 1];
    uint8_t values[PCRS * sizeof(mt_hash)];
    uint8_t hcl[MT_HCL_REPORT_LEN];
};
static struct machine mine;
static struct machine other;

static const uint8_t expected[MT_REPORT_DATA_LEN / 2] = "what the verifier has asked for";
static struct mt_evidence in;
static struct mt_trace trace;
static struct mt_claims claims;

static mt_bytes text_of(const struct machine *m)
{
    return mt_bytes_of_text(m->claims);
}

static void name_key(struct machine *m, struct own_tpm *key)
{
    MT_DEFER(mt_x509_free) struct mt_x509 *x = NULL;
    const mt_span room = {(uint8_t *)m->claims, AZURE_CLAIMS_MAX};
    m->claims[azure_claims(own_spki(key, &x), room).len] = '\0';
}

static void begin(struct machine *m)
{
    amd_report(m->report);
    memset(m->report + MEASUREMENT, 0x77, 48);
    memset(m->values, 0x33, sizeof m->values);
    name_key(m, &m->tpm);
}

/* The hardware's word for these claims. */
static void vouch(struct machine *m)
{
    mt_hcl_report_data(text_of(m), m->report + REPORT_DATA);
    amd_sign(&m->vek, m->report);
}

static void show_hardware(struct machine *m)
{
    const struct mt_hcl_report h = {MT_HCL_SNP, MT_BYTES_OF(m->report), text_of(m)};
    in = (struct mt_evidence){.now_ms = intel_now_ms};
    in.hcl_report = azure_hcl(&h, (mt_span){m->hcl, sizeof m->hcl});
    in.collateral.vek = pki_der(&m->vek);
}

static void show_quote(struct machine *m)
{
    in.pcrs = MT_BYTES_OF(m->values);
    in.tpm_quote = own_quote(&m->tpm, MT_BYTES_OF(expected), in.pcrs);
    in.signature = own_signature(&m->tpm, in.tpm_quote);
}

static void show(struct machine *m)
{
    vouch(m);
    show_hardware(m);
    show_quote(m);
}

static mt_err ask(void)
{
    trace.count = 0;
    memset(&claims, 0, sizeof claims);
    return mt_evidence_verify(MT_EVIDENCE_AZURE, &in, MT_BYTES_OF(expected), &claims, &trace);
}

static bool is_named(enum mt_code code, const char *rule)
{
    bool is_it = is_refused(ask(), code, &trace, rule);
    MT_ASSERT(claims.level == 0);
    return is_it;
}

/* By a policy that takes Azure's machines, but none with a weakness. */
static bool is_appraised(const char *rule)
{
    const struct mt_hardware_policy p = {
        .is_named = true, .kinds = 1U << MT_EVIDENCE_AZURE, .tcb_statuses = UINT32_MAX};
    trace.count = 0;
    mt_err e = mt_hardware_appraise(&p, &claims, &trace);
    const struct mt_check *failed = mt_trace_failed(&trace);
    return rule == NULL ? !mt_failed(e)
                        : is_code(e, MT_E_DENIED) && mt_bytes_equal(mt_bytes_of_text(failed->rule),
                                                                    mt_bytes_of_text(rule));
}

static void a_machine_of_our_own_is_genuine_under_our_roots_alone(void)
{
    begin(&mine);
    show(&mine);
    OK(ask());
    MT_ASSERT(claims.level == MT_LEVEL_CVM && claims.has_hardware_root && !claims.has_host_in_tcb);
    MT_ASSERT(claims.weaknesses == 0 && is_appraised(NULL));
    believed = (struct mt_snp_roots){.lines[MT_SNP_GENOA] = amd.roots.lines[MT_SNP_MILAN]};
    MT_ASSERT(is_named(MT_E_PROOF, "vek-root"));
    believed = amd.roots;
}

/* It has keys of its own to the firmware: what it asks for is genuine but for this. */
static void claims_that_the_guest_made_up_above_its_paravisor_are_refused(void)
{
    for (uint8_t vmpl = 1; vmpl <= 3; vmpl++) {
        begin(&mine);
        mine.report[VMPL] = vmpl;
        show(&mine);
        MT_ASSERT(is_named(MT_E_PROOF, "azure-vmpl"));
    }
}

static void a_report_about_other_claims_is_refused(void)
{
    static const size_t places[] = {0, 31, 32, 63}; /* behind the hash nothing stands either */
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        begin(&mine);
        mt_hcl_report_data(text_of(&mine), mine.report + REPORT_DATA);
        mine.report[REPORT_DATA + places[i]] ^= 1;
        amd_sign(&mine.vek, mine.report);
        show_hardware(&mine);
        show_quote(&mine);
        MT_ASSERT(is_named(MT_E_PROOF, "runtime-claims-hash"));
    }
}

static void a_guest_whose_memory_may_be_read_is_refused_unless_a_policy_allows_it(void)
{
    static const struct {
        uint8_t bit;
        const char *rule;
    } weak[] = {{1 << 3, "debug"}, {1 << 2, "migratable"}};
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
        begin(&mine);
        mine.report[POLICY + 2] |= weak[i].bit;
        show(&mine);
        OK(ask());
        MT_ASSERT(is_appraised(weak[i].rule));
    }
}

static void the_key_that_quotes_is_the_one_that_the_hardware_vouches_for(void)
{
    begin(&mine);
    vouch(&mine);
    name_key(&mine, &other.tpm); /* swapped afterwards */
    show_hardware(&mine);
    show_quote(&mine);
    MT_ASSERT(is_named(MT_E_PROOF, "runtime-claims-hash"));
    vouch(&mine); /* or before: then it is another machine */
    show_hardware(&mine);
    show_quote(&mine);
    MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature"));
    begin(&mine);
    begin(&other);
    show(&mine);
    show_quote(&other); /* another vTPM's */
    MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature"));
    mine.tpm.scheme = MT_TPM_RSAPSS; /* any scheme of this key, but none with SHA-1 */
    show(&mine);
    OK(ask());
    mine.tpm.scheme = MT_TPM_RSASSA;
    mine.tpm.hash = MT_TPM_SHA1;
    show(&mine);
    MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature-scheme"));
    mine.tpm.hash = MT_TPM_SHA256;
}

static void what_was_started_is_what_the_quote_says(void)
{
    mt_hash before;
    begin(&mine);
    show(&mine);
    OK(ask());
    before = claims.measurement;
    for (size_t i = 0; i < sizeof mine.values; i += sizeof(mt_hash)) {
        mine.values[i] ^= 1; /* behind the quote's back */
        MT_ASSERT(is_named(MT_E_PROOF, "pcr-digest"));
        mine.values[i] ^= 1;
    }
    mine.values[4 * sizeof(mt_hash)] ^= 1; /* another boot loader */
    show(&mine);
    OK(ask());
    MT_ASSERT(!mt_hash_equal(&before, &claims.measurement));
    begin(&mine); /* another paravisor, which may sign any values */
    mine.report[MEASUREMENT] ^= 1;
    show(&mine);
    OK(ask());
    MT_ASSERT(!mt_hash_equal(&before, &claims.measurement));
}

/* The two texts as claims, with something before, between and behind them, and the hardware's word
 * for it. */
static void say(const char *const with[3], const char *first, const char *second)
{
    const char *const parts[] = {with[0], first, with[1], second, with[2]};
    const mt_span room = {(uint8_t *)mine.claims, AZURE_CLAIMS_MAX};
    struct mt_writer w = mt_writer_over(room);
    begin(&mine);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        mt_write_bytes(&w, mt_bytes_of_text(parts[i]));
    }
    mine.claims[mt_write_done(&w).len] = '\0';
    show(&mine);
}

static void claims_that_can_be_read_in_two_ways_are_refused(void)
{
    static char key[AZURE_CLAIMS_MAX];
    static char twin[AZURE_CLAIMS_MAX];
    MT_DEFER(mt_x509_free) struct mt_x509 *x = NULL;
    MT_DEFER(mt_x509_free) struct mt_x509 *y = NULL;
    static const char *const with[][3] = {
        {"{\"keys\":[", ",", "]}"},                  /* two of one name */
        {"{\"keys\":[", "],\"keys\":[", "]}"},       /* two lists */
        {"{\"keys\":[", "],\"k\\u0065ys\":[", "]}"}, /* written otherwise */
        {"{\"keys\":[", "]}{\"keys\":[", "]}"},
    };
    static const char *const alone[3] = {"{\"keys\":[", "", "]}"};
    const mt_span last = {(uint8_t *)key, sizeof key - 1};
    const mt_span room = {(uint8_t *)twin, sizeof twin - 1};
    key[azure_key("HCLAkPub", "\"sign\"", own_spki(&mine.tpm, &x), last).len] = '\0';
    twin[azure_key("HCLAkPub", "\"sign\"", own_spki(&other.tpm, &y), room).len] = '\0';
    for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
        say(with[i], key, twin);
        MT_ASSERT(is_named(MT_E_FORMAT, "runtime-claims"));
    }
    say(alone, key, "");
    OK(ask());
    key[strlen(key) - 1] = '\0'; /* two numbers in one key */
    say(with[0], key, strstr(twin, "\"n\""));
    MT_ASSERT(is_named(MT_E_FORMAT, "runtime-claims"));
}

static void halves_of_two_machines_of_our_own_are_refused(void)
{
    begin(&mine);
    begin(&other);
    name_key(&other, &other.tpm);
    vouch(&mine);
    vouch(&other);
    const struct mt_hcl_report mixed = {MT_HCL_SNP, MT_BYTES_OF(other.report), text_of(&mine)};
    show_hardware(&mine);
    show_quote(&mine);
    OK(ask());
    in.collateral.vek = pki_der(&other.vek); /* the certificate of the other's chip */
    MT_ASSERT(is_named(MT_E_PROOF, "snp-signature"));
    show_hardware(&mine); /* its report */
    show_quote(&mine);
    in.hcl_report = azure_hcl(&mixed, (mt_span){mine.hcl, sizeof mine.hcl});
    MT_ASSERT(is_named(MT_E_PROOF, "runtime-claims-hash"));
    show_hardware(&other); /* all of its hardware */
    show_quote(&mine);
    MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature"));
}

/* A TD of ours, whose report a paravisor keeps and whose quote somebody has fetched. */
static void show_td(struct machine *m)
{
    uint8_t report[MT_HCL_TD_REPORT_LEN];
    azure_td_report(m->td.report, report);
    const struct mt_hcl_report h = {MT_HCL_TDX, MT_BYTES_OF(report), text_of(m)};
    intel_sign(&m->td);
    in = m->td.in;
    in.now_ms = intel_now_ms;
    in.hcl_report = azure_hcl(&h, (mt_span){m->hcl, sizeof m->hcl});
    show_quote(m);
}

static void begin_td(struct machine *m)
{
    enum { DATA = 520 };
    begin(m);
    intel_begin(&m->td, &intel, 4, MT_DCAP_TD10);
    mt_hcl_report_data(text_of(m), m->td.report + DATA);
}

static void a_td_of_our_own_is_genuine_with_the_quote_of_its_own_report(void)
{
    enum { TD_ATTRIBUTES = 120, RTMR0 = 328 };
    static uint8_t old[INTEL_QUOTE_MAX];
    begin_td(&mine);
    show_td(&mine);
    OK(ask());
    MT_ASSERT(claims.level == MT_LEVEL_CVM && is_appraised(NULL));
    const mt_bytes quote = {old, in.quote.len};
    memcpy(old, in.quote.ptr, in.quote.len);
    mine.td.report[RTMR0] ^= 1; /* it was started again, otherwise */
    show_td(&mine);
    OK(ask());
    in.quote = quote;
    MT_ASSERT(is_named(MT_E_PROOF, "td-report"));
    begin_td(&mine);
    mine.td.report[TD_ATTRIBUTES] |= 1;
    show_td(&mine);
    OK(ask());
    MT_ASSERT(is_appraised("debug"));
}

static void make_machine(struct machine *m)
{
    const struct amd_chip chip = amd_milan();
    amd_certify(&chip, false, &amd.ask, &m->vek);
    m->tpm = own_tpm(PKI_RSA_2048);
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(a_machine_of_our_own_is_genuine_under_our_roots_alone),
        MT_TEST(claims_that_the_guest_made_up_above_its_paravisor_are_refused),
        MT_TEST(a_report_about_other_claims_is_refused),
        MT_TEST(a_guest_whose_memory_may_be_read_is_refused_unless_a_policy_allows_it),
        MT_TEST(the_key_that_quotes_is_the_one_that_the_hardware_vouches_for),
        MT_TEST(what_was_started_is_what_the_quote_says),
        MT_TEST(claims_that_can_be_read_in_two_ways_are_refused),
        MT_TEST(halves_of_two_machines_of_our_own_are_refused),
        MT_TEST(a_td_of_our_own_is_genuine_with_the_quote_of_its_own_report),
    };
    world_begin(argc, argv);
    amd_maker_make(&amd);
    intel_maker_make(&intel);
    believed = amd.roots;
    make_machine(&mine);
    make_machine(&other);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    pki_done(&mine.vek);
    pki_done(&other.vek);
    pki_done(&mine.tpm.key);
    pki_done(&other.tpm.key);
    amd_maker_done(&amd);
    intel_maker_done(&intel);
    world_end();
    return rc;
}
