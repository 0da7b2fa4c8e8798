/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A TPM in software in the place of the vTPM that a paravisor on Azure keeps; what the hardware
 * says of it is by makers of our own, whose roots are linked here in AMD's and Intel's place. */
#include <string.h>

#include "attest/azure.h"
#include "attest/dcap.h"
#include "attest/snp.h"
#include "attest/verify.h"
#include "crypto/hash.h"
#include "platform/tpm/inside.h"
#include "platform/tpm/world_test.h"
#include "unit/amd.h"
#include "unit/azure.h"
#include "unit/intel.h"

enum { KEY_MAX = 1024, REPORT_DATA = 0x50, TD_REPORT_DATA = 520 };
#define KEY   "0x81000003"
#define INDEX "0x01400001"

static const char any_key[] = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign";
static const char own_key[] =
    "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign|restricted";
static const uint8_t report_data[MT_REPORT_DATA_LEN] = {1, 2, 3};
static struct amd_maker amd;
static struct intel_maker intel;
static struct intel_quote td;
static struct pki_cert vek;
static uint8_t spki[KEY_MAX];
static mt_bytes key;
static uint8_t hcl[MT_HCL_REPORT_LEN];
static bool has_report;

const struct mt_snp_roots *mt_snp_roots_amd(void)
{
    return &amd.roots;
}

const struct mt_dcap_roots *mt_dcap_intel_roots(void)
{
    return &intel.roots;
}

static void make_key(const char *attributes)
{
    static const char *now;
    if (attributes == now) { /* it takes a TPM its time */
        return;
    }
    if (now != NULL) {
        RUN("tpm2_evictcontrol", "-T", TCTI, "-C", "o", "-c", KEY);
    }
    now = attributes;
    if (now == NULL) {
        return;
    }
    MT_DEFER(mt_buf_free) struct mt_buf der = mt_buf_of_max(KEY_MAX);
    char path[96];
    (void)snprintf(path, sizeof path, "%s/ak.der", folder);
    RUN("tpm2_createprimary", "-T", TCTI, "-C", "e", "-G", "rsa2048:rsassa-sha256:null", "-a",
        attributes, "-c", "ak.ctx");
    RUN("tpm2_evictcontrol", "-T", TCTI, "-C", "o", "-c", "ak.ctx", KEY);
    RUN("tpm2_flushcontext", "-T", TCTI, "-t");
    RUN("tpm2_readpublic", "-T", TCTI, "-c", KEY, "-f", "der", "-o", "ak.der");
    OK(mt_process_read_file(path, KEY_MAX, &der));
    memcpy(spki, der.ptr, der.len);
    key = (mt_bytes){spki, der.len};
}

static void keep(mt_bytes report)
{
    char size[16];
    (void)snprintf(size, sizeof size, "%zu", report.len);
    put("hcl", report);
    RUN("tpm2_nvdefine", "-T", TCTI, "-C", "p", "-s", size, "-a",
        "platformcreate|ppwrite|ppread|ownerread|no_da", INDEX);
    RUN("tpm2_nvwrite", "-T", TCTI, "-C", "p", "-i", "hcl", INDEX);
    has_report = true;
}

/* The hardware's word for the key of this vTPM; a bit of the claims may be changed afterwards. */
static void keep_snp(bool is_changed)
{
    uint8_t claims[AZURE_CLAIMS_MAX];
    uint8_t report[MT_SNP_REPORT_LEN];
    const struct mt_hcl_report h = {MT_HCL_SNP, MT_BYTES_OF(report),
                                    azure_claims(key, (mt_span){claims, sizeof claims})};
    amd_report(report);
    mt_hcl_report_data(h.runtime, report + REPORT_DATA);
    amd_sign(&vek, report);
    claims[h.runtime.len - 4] ^= is_changed ? 1 : 0; /* a digit of the user data */
    keep(azure_hcl(&h, (mt_span){hcl, sizeof hcl}));
}

static void keep_td(void)
{
    uint8_t claims[AZURE_CLAIMS_MAX];
    uint8_t report[MT_HCL_TD_REPORT_LEN];
    const struct mt_hcl_report h = {MT_HCL_TDX, MT_BYTES_OF(report),
                                    azure_claims(key, (mt_span){claims, sizeof claims})};
    intel_begin(&td, &intel, 4, MT_DCAP_TD10);
    mt_hcl_report_data(h.runtime, td.report + TD_REPORT_DATA);
    intel_sign(&td);
    azure_td_report(td.report, report);
    keep(azure_hcl(&h, (mt_span){hcl, sizeof hcl}));
}

static mt_err open_azure(mt_bytes td_quote)
{
    char where[128];
    (void)snprintf(where, sizeof where, "swtpm:path=%s/tpm", folder);
    mt_device_close(&device);
    return mt_tpm_open_azure(where, td_quote, &device);
}

static void begin_azure(void)
{
    const struct amd_chip chip = amd_milan();
    begin();
    amd_maker_make(&amd);
    intel_maker_make(&intel);
    amd_certify(&chip, false, &amd.ask, &vek);
}

static void end_azure(void)
{
    pki_done(&vek);
    amd_maker_done(&amd);
    intel_maker_done(&intel);
    mt_device_close(&device);
    open_device();
    end();
}

/* A vTPM with such a key and no report; the software takes one connection at a time. */
static void have_key(const char *attributes)
{
    mt_device_close(&device);
    make_key(attributes);
    if (has_report) {
        RUN("tpm2_nvundefine", "-T", TCTI, "-C", "p", INDEX);
        has_report = false;
    }
}

/* What the device shows, before a verifier. */
static mt_err verify(const struct mt_collateral *collateral, struct mt_claims *out)
{
    static struct mt_trace trace;
    MT_DEFER(mt_device_evidence_free) struct mt_device_evidence e;
    mt_hash extra;
    const mt_bytes all = MT_BYTES_OF(report_data);
    mt_device_evidence_init(&e);
    MT_TRY(mt_device_evidence(device, report_data, &e));
    MT_ASSERT(e.kind == MT_EVIDENCE_AZURE && device->kind == MT_EVIDENCE_AZURE);
    const struct mt_evidence in = {.quote = mt_buf_bytes(&e.quote),
                                   .runtime_data = mt_buf_bytes(&e.runtime),
                                   .tpm_quote = mt_buf_bytes(&e.tpm_quote),
                                   .signature = mt_buf_bytes(&e.signature),
                                   .pcrs = mt_buf_bytes(&e.pcrs),
                                   .collateral = *collateral,
                                   .now_ms = intel_now_ms};
    mt_sha256(&all, 1, &extra);
    trace.count = 0;
    return mt_evidence_verify(MT_EVIDENCE_AZURE, &in, mt_hash_bytes(&extra), out, &trace);
}

static void what_it_shows_is_genuine(void)
{
    struct mt_claims claims;
    have_key(own_key);
    keep_snp(false);
    OK(open_azure((mt_bytes){NULL, 0}));
    const struct mt_collateral collateral = {.vek = pki_der(&vek)};
    OK(verify(&collateral, &claims));
    MT_ASSERT(claims.level == MT_LEVEL_CVM && claims.has_hardware_root);
    OK(verify(&collateral, &claims)); /* and again */
}

static void a_tpm_without_report_or_key_is_another(void)
{
    have_key(own_key);
    fails(open_azure((mt_bytes){NULL, 0}), MT_E_NOTFOUND);
    MT_ASSERT(device == NULL);
    have_key(NULL);
    keep_snp(false);
    fails(open_azure((mt_bytes){NULL, 0}), MT_E_NOTFOUND);
}

/* The claims name it, and do not say that it would sign what its TPM has not made. */
static void a_key_that_signs_anything_is_refused(void)
{
    have_key(any_key);
    keep_snp(false);
    fails(open_azure((mt_bytes){NULL, 0}), MT_E_PROOF);
}

static void a_report_about_other_claims_than_those_beside_it_is_refused(void)
{
    have_key(own_key);
    keep_snp(true);
    fails(open_azure((mt_bytes){NULL, 0}), MT_E_PROOF);
}

static TSS2_TCTI_TRANSMIT_FCN sends;
static TSS2_TCTI_RECEIVE_FCN receives;
static uint16_t asked;
static unsigned reads;    /* so far */
static unsigned changed;  /* the first so many answers */
static unsigned fails_in; /* 0: not */
static bool is_failing;

static TSS2_RC send_asked(TSS2_TCTI_CONTEXT *t, size_t len, const uint8_t *command)
{
    asked = (uint16_t)(command[8] << 8 | command[9]);
    is_failing = fails_in > 0 && --fails_in == 0;
    if (is_failing) { /* it does not reach the TPM */
        return TSS2_RC_SUCCESS;
    }
    return sends(t, len, command);
}

static TSS2_RC receive_changed(TSS2_TCTI_CONTEXT *t, size_t *len, uint8_t *answer, int32_t timeout)
{
    enum { VALUE_AT = 16 + 300 };
    static const uint8_t failure[] = {0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1}; /* TPM_RC_FAILURE */
    if (is_failing) {
        if (answer != NULL) {
            memcpy(answer, failure, sizeof failure);
        }
        *len = sizeof failure;
        return TSS2_RC_SUCCESS;
    }
    TSS2_RC rc = receives(t, len, answer, timeout);
    if (rc == TSS2_RC_SUCCESS && answer != NULL && asked == TPM2_CC_NV_Read && reads++ < changed) {
        answer[VALUE_AT] ^= 1;
    }
    return rc;
}

static void interpose(void)
{
    TSS2_TCTI_CONTEXT_COMMON_V1 *bus = (void *)mt_tpm_of(device)->tcti;
    sends = bus->transmit;
    receives = bus->receive;
    bus->transmit = send_asked;
    bus->receive = receive_changed;
    changed = reads = 0;
}

/* Somebody else began to read, and the paravisor renewed the report between two pieces of ours. */
static void a_report_that_was_renewed_while_it_was_read_is_read_again(void)
{
    struct mt_claims claims;
    have_key(own_key);
    keep_snp(false);
    OK(open_azure((mt_bytes){NULL, 0}));
    const struct mt_collateral collateral = {.vek = pki_der(&vek)};
    interpose();
    changed = 3; /* all that is read at first but the last piece */
    OK(verify(&collateral, &claims));
    MT_ASSERT(reads == 8);
    reads = 0;
    changed = UINT32_MAX;
    fails(verify(&collateral, &claims), MT_E_PROOF);
}

/* Nothing of it stays behind: the next time is as good as any. */
static void a_vtpm_that_fails_at_any_command_shows_nothing_once(void)
{
    struct mt_claims claims;
    have_key(own_key);
    keep_snp(false);
    OK(open_azure((mt_bytes){NULL, 0}));
    const struct mt_collateral collateral = {.vek = pki_der(&vek)};
    interpose();
    for (unsigned n = 1; fails_in == 0; n++) {
        fails_in = n;
        mt_err e = verify(&collateral, &claims);
        if (fails_in > 0) { /* it has no more commands */
            OK(e);
            MT_ASSERT(n > 8);
            break;
        }
        if (n > 1 || mt_failed(e)) { /* the first only asks whether the bus is there */
            fails(e, MT_E_IO);
        }
        OK(verify(&collateral, &claims));
    }
    fails_in = 0;
}

static void a_td_shows_the_quote_of_its_own_report(void)
{
    static uint8_t old[INTEL_QUOTE_MAX];
    struct mt_claims claims;
    have_key(own_key);
    keep_td();
    fails(open_azure((mt_bytes){NULL, 0}), MT_E_NOTFOUND);
    OK(open_azure(td.in.quote));
    OK(verify(&td.in.collateral, &claims));
    MT_ASSERT(claims.level == MT_LEVEL_CVM);
    const mt_bytes quote = {old, td.in.quote.len};
    memcpy(old, td.in.quote.ptr, td.in.quote.len);
    old[48 + 328] ^= 1; /* RTMR0, as of another start */
    fails(open_azure(quote), MT_E_PROOF);
}

/* What a vTPM stores lies with the host, who may put an old state back. */
static void it_seals_and_promises_no_counter(void)
{
    static const uint8_t secret[MT_DEVICE_SECRET_LEN] = "one key of thirty-two bytes, yes";
    uint8_t out[sizeof secret];
    MT_DEFER(mt_buf_free) struct mt_buf sealed = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    have_key(own_key);
    keep_snp(false);
    OK(open_azure((mt_bytes){NULL, 0}));
    MT_ASSERT(mt_device_seals(device) && !mt_device_counts(device) && !mt_device_enrols(device));
    OK(mt_device_seal(device, MT_BYTES_OF(secret), false, &sealed));
    OK(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}));
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(out), MT_BYTES_OF(secret)));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(what_it_shows_is_genuine),
        MT_TEST(a_tpm_without_report_or_key_is_another),
        MT_TEST(a_key_that_signs_anything_is_refused),
        MT_TEST(a_report_about_other_claims_than_those_beside_it_is_refused),
        MT_TEST(a_report_that_was_renewed_while_it_was_read_is_read_again),
        MT_TEST(a_vtpm_that_fails_at_any_command_shows_nothing_once),
        MT_TEST(a_td_shows_the_quote_of_its_own_report),
        MT_TEST(it_seals_and_promises_no_counter),
    };
    if (!has_program("swtpm") || !has_program("tpm2_nvdefine")) {
        (void)puts("1..0 # skip swtpm or tpm2-tools are not here");
        return 0;
    }
    begin_azure();
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    end_azure();
    return rc;
}
