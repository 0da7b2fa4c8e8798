/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Intel's lists as texts: what Open Enclave refuses, what other verifiers let through, and the
 * sample that Intel ships under a root of its own (tests/vectors/dcap, the program's argument). */
#include "attest/dcap_tcb.h"

#include "attest/files_test.h"
#include "attest/world_test.h"
#include "base/time.h"
#include "crypto/x509.h"
#include "unit/intel.h"

static struct intel_quote q; /* for its texts: nobody signs here */

static bool is_info(const char *text)
{
    MT_DEFER(mt_tcb_info_free) struct mt_tcb_info info = {.root = NULL};
    mt_err e = mt_tcb_info_parse(mt_bytes_of_text(text), &info);
    MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_FORMAT || e.fault->code == MT_E_LIMIT);
    return !mt_failed(e);
}

static bool is_identity(const char *text)
{
    MT_DEFER(mt_qe_identity_free) struct mt_qe_identity identity = {.root = NULL};
    mt_err e = mt_qe_identity_parse(mt_bytes_of_text(text), &identity);
    MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_FORMAT || e.fault->code == MT_E_LIMIT);
    return !mt_failed(e);
}

static void begin(enum mt_dcap_body body)
{
    intel_begin(&q, NULL, 4, body);
}

/* The TCB info of TDX, with one thing changed. */
static bool is_info_with(const char *from, const char *to)
{
    begin(MT_DCAP_TD10);
    intel_change(q.info, from, to);
    return is_info(q.info);
}

static bool is_identity_with(const char *from, const char *to)
{
    begin(MT_DCAP_TD10);
    intel_change(q.identity, from, to);
    return is_identity(q.identity);
}

static void the_lists_that_the_tests_change_are_good(void)
{
    begin(MT_DCAP_TD10);
    MT_ASSERT(is_info(q.info) && is_identity(q.identity));
    begin(MT_DCAP_SGX);
    MT_ASSERT(is_info(q.info) && is_identity(q.identity));
}

/* Each field of Intel's once: missing, twice, or under a name that nobody knows. */
static void every_field_must_be_there_once(void)
{
    static const char *const of_info[] = {"\"id\"",
                                          "\"version\"",
                                          "\"issueDate\"",
                                          "\"nextUpdate\"",
                                          "\"fmspc\"",
                                          "\"pceId\"",
                                          "\"tcbType\"",
                                          "\"tcbEvaluationDataNumber\"",
                                          "\"tdxModule\"",
                                          "\"tcbLevels\"",
                                          "\"tcb\"",
                                          "\"tcbDate\"",
                                          "\"tcbStatus\"",
                                          "\"pcesvn\"",
                                          "\"isvsvn\"",
                                          "\"sgxtcbcomponents\"",
                                          "\"svn\"",
                                          "\"mrsigner\"",
                                          "\"attributesMask\"",
                                          "\"tdxtcbcomponents\"",
                                          "\"attributes\""};
    static const char *const of_identity[] = {
        "\"id\"",        "\"version\"",        "\"issueDate\"",  "\"nextUpdate\"",
        "\"isvprodid\"", "\"miscselect\"",     "\"attributes\"", "\"tcbEvaluationDataNumber\"",
        "\"mrsigner\"",  "\"miscselectMask\"", "\"isvsvn\"",     "\"attributesMask\"",
        "\"tcbLevels\"", "\"tcbDate\"",        "\"tcbStatus\"",  "\"tcb\""};
    char twice[64];
    for (size_t i = 0; i < sizeof of_info / sizeof *of_info; i++) {
        (void)snprintf(twice, sizeof twice, "%s:0,%s", of_info[i], of_info[i]);
        MT_ASSERT(!is_info_with(of_info[i], "\"other\""));
        MT_ASSERT(!is_info_with(of_info[i], twice));
    }
    for (size_t i = 0; i < sizeof of_identity / sizeof *of_identity; i++) {
        (void)snprintf(twice, sizeof twice, "%s:0,%s", of_identity[i], of_identity[i]);
        MT_ASSERT(!is_identity_with(of_identity[i], "\"other\""));
        MT_ASSERT(!is_identity_with(of_identity[i], twice));
    }
    MT_ASSERT(!is_info_with("\"tcbType\"", "\"other\":0,\"tcbType\""));
    MT_ASSERT(!is_identity_with("\"isvprodid\"", "\"other\":0,\"isvprodid\""));
}

static void append(char text[INTEL_TEXT_MAX], const char *more)
{
    size_t len = strlen(text);
    MT_ASSERT(len + strlen(more) < INTEL_TEXT_MAX);
    memcpy(text + len, more, strlen(more) + 1);
}

/* dcap-qvl read on after the first value once. */
static void what_follows_a_list_is_refused(void)
{
    static const char *const more[] = {"{}", " {}", "x", ",", "}", "0"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        begin(MT_DCAP_TD10);
        append(q.info, more[i]);
        append(q.identity, more[i]);
        MT_ASSERT(!is_info(q.info) && !is_identity(q.identity));
    }
}

static void every_truncation_of_a_list_is_refused(void)
{
    begin(MT_DCAP_TD10);
    for (size_t len = strlen(q.info); len-- > 0;) {
        q.info[len] = '\0';
        MT_ASSERT(!is_info(q.info));
    }
    for (size_t len = strlen(q.identity); len-- > 0;) {
        q.identity[len] = '\0';
        MT_ASSERT(!is_identity(q.identity));
    }
}

/* dcap-qvl compared as many as there were: with a shorter array, old components passed. */
static void an_array_of_components_has_sixteen(void)
{
    MT_ASSERT(!is_info_with("[{\"svn\":5},{\"svn\":5}", "[{\"svn\":5}"));
    MT_ASSERT(!is_info_with("[{\"svn\":5}", "[{\"svn\":5},{\"svn\":5}"));
    MT_ASSERT(!is_info_with("[{\"svn\":3},{\"svn\":3}", "[{\"svn\":3}"));
    MT_ASSERT(!is_info_with("[{\"svn\":3}", "[{\"svn\":3},{\"svn\":3}"));
    MT_ASSERT(is_info_with("[{\"svn\":5}", "[{\"category\":\"BIOS\",\"svn\":5,\"type\":\"\"}"));
}

static void a_version_is_a_number_of_its_size(void)
{
    static const char *const bad[] = {"{\"svn\":256}",   "{\"svn\":-1}",  "{\"svn\":5.0}",
                                      "{\"svn\":\"5\"}", "{\"svn\":5e0}", "{\"svn\":null}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        MT_ASSERT(!is_info_with("{\"svn\":5}", bad[i]));
    }
    MT_ASSERT(is_info_with("{\"svn\":5}", "{\"svn\":255}"));
    MT_ASSERT(!is_info_with("\"pcesvn\":11", "\"pcesvn\":65536"));
    MT_ASSERT(is_info_with("\"pcesvn\":11", "\"pcesvn\":65535"));
    MT_ASSERT(!is_identity_with("\"isvprodid\":2", "\"isvprodid\":65536"));
    MT_ASSERT(!is_info_with("\"tcbType\":0", "\"tcbType\":1"));
}

/* dcap-qvl once dropped a module whose name it could not read, and judged by the nameless one. */
static void a_module_whose_name_cannot_be_read_is_not_dropped(void)
{
    static const char *const bad[] = {"\"TDX_1\"",        "\"TDX_0g\"", "\"tdx_01\"", "\"TDX_0a\"",
                                      "\"TDX_001\"",      "\"\"",       "\"TDX-01\"", "1",
                                      "\"TDX_0\\u0000\"", "\"TDX_G1\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        MT_ASSERT(!is_info_with("\"TDX_01\"", bad[i]));
    }
    MT_ASSERT(is_info_with("\"TDX_01\"", "\"TDX_AF\""));
    MT_ASSERT(!is_info_with("\"tdxModuleIdentities\":[{", "\"tdxModuleIdentities\":[{},{"));
    MT_ASSERT(!is_info_with("\"tdxModuleIdentities\":[{", "\"tdxModuleIdentities\":[0,{"));
}

/* From here through there, something else. */
static bool is_info_but(const char *from, const char *through, const char *to)
{
    begin(MT_DCAP_TD10);
    char *at = strstr(q.info, from);
    MT_ASSERT(at != NULL);
    char *behind = strstr(at, through);
    MT_ASSERT(behind != NULL);
    behind += strlen(through);
    MT_ASSERT(strlen(to) <= (size_t)(behind - at));
    size_t len = strlen(to);
    memmove(at + len, behind, strlen(behind) + 1);
    for (size_t i = 0; i < len; i++) {
        at[i] = to[i];
    }
    return is_info(q.info);
}

static void what_is_no_module_no_level_and_no_advisory_is_refused(void)
{
    MT_ASSERT(is_info_but("\"tdxModuleIdentities\":", "}]}],", ""));
    MT_ASSERT(!is_info_but("\"tdxModuleIdentities\":", "}]}]", "\"tdxModuleIdentities\":7"));
    MT_ASSERT(!is_info_but("\"tdxModule\":{", "}", "\"tdxModule\":7"));
    MT_ASSERT(!is_info_but("\"tcb\":{", "}", "\"tcb\":7"));
    MT_ASSERT(is_info_with("\"tcbStatus\"", "\"advisoryIDs\":[\"INTEL-SA-1\"],\"tcbStatus\""));
    MT_ASSERT(!is_info_with("\"tcbStatus\"", "\"advisoryIDs\":{},\"tcbStatus\""));
    MT_ASSERT(!is_info_with("\"tcbStatus\"", "\"advisoryIDs\":[\"\"],\"tcbStatus\""));
    MT_ASSERT(!is_info_with(
        "\"tcbStatus\"",
        "\"advisoryIDs\":[\"INTEL-SA-1234567890-1234567890-1234567890\"],\"tcbStatus\""));
}

/* Of platform and part the worse, and what a new launch would mend. */
static void verdicts_converge_on_the_worse(void)
{
    static const enum mt_tcb_status needing[] = {MT_TCB_CONFIGURATION_NEEDED,
                                                 MT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
                                                 MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED};
    for (size_t i = 0; i < 3; i++) {
        MT_ASSERT(mt_tcb_converge(needing[i], MT_TCB_UP_TO_DATE) == needing[i]);
        MT_ASSERT(mt_tcb_converge(needing[i], MT_TCB_OUT_OF_DATE) ==
                  MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED);
    }
    MT_ASSERT(mt_tcb_converge(MT_TCB_SW_HARDENING_NEEDED, MT_TCB_OUT_OF_DATE) ==
              MT_TCB_OUT_OF_DATE);
    for (size_t i = 0; i < 2; i++) {
        MT_ASSERT(mt_tcb_relaunch(MT_TCB_OUT_OF_DATE, needing[i]) ==
                  MT_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED);
    }
    MT_ASSERT(mt_tcb_relaunch(MT_TCB_OUT_OF_DATE, MT_TCB_SW_HARDENING_NEEDED) ==
              MT_TCB_RELAUNCH_ADVISED);
    MT_ASSERT(mt_tcb_relaunch(MT_TCB_OUT_OF_DATE, MT_TCB_OUT_OF_DATE) == MT_TCB_OUT_OF_DATE);
    MT_ASSERT(mt_tcb_relaunch(MT_TCB_UP_TO_DATE, MT_TCB_REVOKED) == MT_TCB_REVOKED);
}

static void a_status_is_one_that_its_list_may_give(void)
{
    static const char *const never[] = {
        "\"Uptodate\"", "\"TDRelaunchAdvised\"", "\"Unrated\"", "\"NotSupported\"", "\"\"", "0"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        MT_ASSERT(!is_info_with("\"UpToDate\"", never[i]));
        MT_ASSERT(!is_identity_with("\"UpToDate\"", never[i]));
    }
    MT_ASSERT(!is_identity_with("\"UpToDate\"", "\"SWHardeningNeeded\"")); /* of platforms alone */
    MT_ASSERT(is_identity_with("\"UpToDate\"", "\"Revoked\""));
}

static void times_and_bytes_have_one_form(void)
{
    MT_ASSERT(!is_info_with("2026-06-20T00:00:00Z", "2026-06-20T00:00:00+00:00"));
    MT_ASSERT(!is_info_with("2026-06-20T00:00:00Z", "2026-06-20"));
    MT_ASSERT(!is_info_with("2024-03-13T00:00:00Z", "2024-13-13T00:00:00Z"));
    MT_ASSERT(!is_info_with("00A067110000", "00A06711000"));
    MT_ASSERT(!is_info_with("00A067110000", "00A06711000000"));
    MT_ASSERT(!is_info_with("00A067110000", "00A06711000G"));
    MT_ASSERT(is_info_with("00A067110000", "00a067110000"));
    MT_ASSERT(!is_identity_with("5A5A", "5A"));
    MT_ASSERT(!is_info_with("\"INTEL-SA-00001\"", "\"\""));
    MT_ASSERT(!is_info_with("\"INTEL-SA-00001\"", "\"INTEL SA\""));
    MT_ASSERT(!is_info_with("\"INTEL-SA-00001\"", "7"));
}

static void a_list_of_another_version_or_kind_is_refused(void)
{
    MT_ASSERT(!is_info_with("\"version\":3", "\"version\":4"));
    MT_ASSERT(!is_info_with("\"version\":3", "\"version\":2"));
    MT_ASSERT(!is_info_with("\"TDX\"", "\"SGX\"")); /* has fields of TDX */
    MT_ASSERT(!is_info_with("\"TDX\"", "\"SEV\""));
    MT_ASSERT(!is_identity_with("\"version\":2", "\"version\":1"));
    MT_ASSERT(!is_identity_with("\"TD_QE\"", "\"QVE\""));
    MT_ASSERT(!is_info("[]") && !is_info("0") && !is_identity("[]") && !is_identity("null"));
    begin(MT_DCAP_SGX);
    q.levels.count = 0;
    q.qe.count = 0;
    intel_write(&q);
    MT_ASSERT(!is_info(q.info) && !is_identity(q.identity));
}

/* The object of that name, as it stands in a file that holds it beside its signature. */
static mt_bytes inner_of(mt_bytes file, const char *name)
{
    const uint8_t *at = memmem(file.ptr, file.len, name, strlen(name));
    size_t depth = 0;
    MT_ASSERT(at != NULL);
    at = memchr(at, '{', file.len - (size_t)(at - file.ptr));
    MT_ASSERT(at != NULL);
    for (const uint8_t *p = at; p < file.ptr + file.len; p++) {
        depth += *p == '{' ? 1 : 0;
        depth -= *p == '}' ? 1 : 0;
        if (depth == 0) {
            return (mt_bytes){at, (size_t)(p - at) + 1};
        }
    }
    MT_ASSERT(false);
    return file;
}

static bool is_info_of(const char *name)
{
    static struct file f;
    begin(MT_DCAP_SGX);
    mt_bytes text = inner_of(file_read("json", name, &f), "\"tcbInfo\"");
    memcpy(q.info, text.ptr, text.len);
    q.info[text.len] = '\0';
    if (strstr(q.info, "\"pceId\"") == NULL) {
        MT_ASSERT(!is_info(q.info)); /* Open Enclave reads on without; it must say which platform */
        intel_change(q.info, "\"tcbType\"", "\"pceId\":\"0000\",\"tcbType\"");
    }
    return is_info(q.info);
}

static bool is_identity_of(const char *name)
{
    static struct file f;
    mt_bytes text = inner_of(file_read("json", name, &f), "\"enclaveIdentity\"");
    memcpy(q.identity, text.ptr, text.len);
    q.identity[text.len] = '\0';
    return is_identity(q.identity);
}

static void what_open_enclave_refuses_is_refused(void)
{
    static const char *const infos[] = {"CompSvn",
                                        "Float",
                                        "IntegerOverflow",
                                        "IntegerWithSign",
                                        "InvalidIssueDate",
                                        "InvalidNextUpdate",
                                        "MissingNextUpdate",
                                        "PceSvn",
                                        "PropertyMissingLevel1",
                                        "PropertyMissingLevel2",
                                        "PropertyMissingLevel3",
                                        "PropertyWrongTypeLevel1",
                                        "PropertyWrongTypeLevel2",
                                        "PropertyWrongTypeLevel3",
                                        "StringEscape",
                                        "TcbType"};
    static const char *const fields[] = {
        "attributes", "attributesmask", "id",       "issuedate",  "isvprodid",
        "isvsvn",     "miscselect",     "mrsigner", "nextupdate", "miscselectmask",
        "tcb_date",   "tcb_levels",     "version",  "tcb_status", "tcb_eval_data_num"};
    char name[64];
    MT_ASSERT(is_info_of("tcbInfo.json") && is_info_of("tcbInfoAdvisoryIds.json"));
    MT_ASSERT(is_info_of("tcbInfo_with_pceid.json"));
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        (void)snprintf(name, sizeof name, "tcbInfoNegative%s.json", infos[i]);
        MT_ASSERT(!is_info_of(name));
    }
    MT_ASSERT(is_identity_of("qe_identity_ok.json"));
    MT_ASSERT(is_identity_of("qe_identity_with_advisoryids.json"));
    MT_ASSERT(!is_identity_of("qve_identity_ok.json")); /* of the enclave that verifies */
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        (void)snprintf(name, sizeof name, "qe_identity_missing_%s.json", fields[i]);
        MT_ASSERT(!is_identity_of(name));
    }
}

/* What Intel's sample application verifies. */
struct sample {
    struct file files[10];
    struct mt_evidence in;
    mt_bytes root;
};

static void take_signature(mt_bytes file, uint8_t out[64])
{
    static const char name[] = "\"signature\":\"";
    const uint8_t *at = memmem(file.ptr, file.len, name, sizeof name - 1);
    MT_ASSERT(at != NULL);
    OK(mt_hex_parse((mt_bytes){at + sizeof name - 1, 128}, (mt_span){out, 64}));
}

static void load_sample(struct sample *s)
{
    static uint8_t signatures[2][64];
    static uint8_t pem[2 * FILE_ROOM];
    const char *set = "intel_sample";
    struct mt_collateral *c = &s->in.collateral;
    mt_bytes info = file_read(set, "tcbInfo.json", &s->files[0]);
    mt_bytes identity = file_read(set, "qeIdentity.json", &s->files[1]);
    mt_bytes leaf = file_read(set, "pckCert.pem", &s->files[2]);
    mt_bytes above = file_read(set, "pckSignChain.pem", &s->files[3]);
    take_signature(info, signatures[0]);
    take_signature(identity, signatures[1]);
    memcpy(pem, leaf.ptr, leaf.len);
    memcpy(pem + leaf.len, above.ptr, above.len);
    *c = (struct mt_collateral){.tcb_info = inner_of(info, "\"tcbInfo\""),
                                .tcb_info_signature = MT_BYTES_OF(signatures[0]),
                                .qe_identity = inner_of(identity, "\"enclaveIdentity\""),
                                .qe_identity_signature = MT_BYTES_OF(signatures[1]),
                                .pck_chain = {pem, leaf.len + above.len}};
    c->tcb_info_chain = file_read(set, "tcbSignChain.pem", &s->files[4]);
    c->qe_identity_chain = c->tcb_info_chain;
    c->root_ca_crl = file_read(set, "rootCaCrl.der", &s->files[5]);
    c->pck_crl = file_read(set, "intermediateCaCrl.der", &s->files[6]);
    s->in.quote = file_read(set, "quote.dat", &s->files[7]);
    s->root = file_read(set, "trustedRootCaCert.pem", &s->files[8]);
    OK(mt_time_parse(MT_LITERAL("2024-01-01T00:00:00Z"), &s->in.now_ms));
}

static void intels_own_sample_is_genuine_under_its_own_root_alone(void)
{
    static struct sample s;
    static struct mt_claims claims;
    static const uint8_t zeros[MT_REPORT_DATA_LEN];
    struct mt_trace trace = {.count = 0};
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain root = {.count = 0};
    load_sample(&s);
    OK(mt_x509_chain_parse(s.root, &root));
    const struct mt_dcap_roots roots = {mt_x509_der(root.certs[0])};
    OK(mt_dcap_verify(&s.in, &roots, zeros, &claims, &trace));
    MT_ASSERT(claims.tcb_status == MT_TCB_UP_TO_DATE && claims.kind == MT_EVIDENCE_SGX);
    mt_err e = mt_dcap_verify(&s.in, mt_dcap_intel_roots(), zeros, &claims, &trace);
    const struct mt_check *failed = mt_trace_failed(&trace);
    MT_ASSERT(mt_failed(e) && strcmp(failed->rule, "certificate-untrusted") == 0);
    s.in.collateral.pck_chain.len = 0;
    trace.count = 0;
    e = mt_dcap_verify(&s.in, &roots, zeros, &claims, &trace);
    MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "pck-chain-format"));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(the_lists_that_the_tests_change_are_good),
        MT_TEST(every_field_must_be_there_once),
        MT_TEST(what_follows_a_list_is_refused),
        MT_TEST(every_truncation_of_a_list_is_refused),
        MT_TEST(an_array_of_components_has_sixteen),
        MT_TEST(a_version_is_a_number_of_its_size),
        MT_TEST(a_module_whose_name_cannot_be_read_is_not_dropped),
        MT_TEST(what_is_no_module_no_level_and_no_advisory_is_refused),
        MT_TEST(verdicts_converge_on_the_worse),
        MT_TEST(a_status_is_one_that_its_list_may_give),
        MT_TEST(times_and_bytes_have_one_form),
        MT_TEST(a_list_of_another_version_or_kind_is_refused),
        MT_TEST(what_open_enclave_refuses_is_refused),
        MT_TEST(intels_own_sample_is_genuine_under_its_own_root_alone),
    };
    MT_ASSERT(argc > 1);
    files_folder = argv[1];
    world_begin(argc - 1, argv + 1);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
