/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Whose word is believed of a quote: keys, lists, names and forms, by machines that we made up. */
#include "attest/dcap_own_test.h"

#include "attest/files_test.h"

static const struct {
    uint16_t version;
    enum mt_dcap_body body;
} forms[] = {{3, MT_DCAP_SGX},  {4, MT_DCAP_SGX},  {5, MT_DCAP_SGX},    {4, MT_DCAP_TD10},
             {5, MT_DCAP_TD10}, {5, MT_DCAP_TD15}, {5, MT_DCAP_TD15_EX}};
enum { FORMS = sizeof forms / sizeof *forms };

static void an_up_to_date_machine_of_every_form_is_genuine_under_our_root_alone(void)
{
    for (size_t i = 0; i < FORMS; i++) {
        intel_begin(&q, &ours, forms[i].version, forms[i].body);
        MT_ASSERT(status() == MT_TCB_UP_TO_DATE);
        MT_ASSERT(claims.has_hardware_root && claims.weaknesses == 0);
        MT_ASSERT(claims.advisories_count == 0 && claims.tcb_date_ms > 0);
        MT_ASSERT(claims.kind ==
                  (forms[i].body == MT_DCAP_SGX ? MT_EVIDENCE_SGX : MT_EVIDENCE_TDX));
        MT_ASSERT(is_number(&claims, MT_LITERAL("tcb_evaluation_data_number"), 16));
        mt_err e = mt_dcap_verify(&q.in, mt_dcap_intel_roots(), q.report_data, &claims, &trace);
        MT_ASSERT(mt_failed(e));
        MT_ASSERT(strcmp(mt_trace_failed(&trace)->rule, "certificate-untrusted") == 0);
    }
}

static void every_byte_of_a_quote_of_every_form_counts(void)
{
    for (size_t i = 0; i < FORMS; i++) {
        intel_begin(&q, &ours, forms[i].version, forms[i].body);
        intel_sign(&q);
        for (size_t at = i % step; at < q.in.quote.len; at += step) {
            q.quote[at] ^= 1;
            MT_ASSERT(mt_failed(ask()));
            q.quote[at] ^= 1;
        }
        OK(ask());
        for (size_t len = 0; len < q.in.quote.len; len += 7) {
            struct mt_dcap_quote parsed;
            MT_ASSERT(mt_failed(mt_dcap_quote_parse((mt_bytes){q.quote, len}, &parsed)));
        }
    }
}

/* The same names and numbers, and another key, at each place where a key is believed. */
static void a_forger_with_all_of_intels_names_is_not_believed(void)
{
    intel_begin(&q, &forger, 4, MT_DCAP_TD10);
    MT_ASSERT(is_signed_named("certificate-untrusted"));
    begin_tdx();
    q.info_by = &forger;
    MT_ASSERT(is_signed_named("certificate-untrusted"));
    begin_tdx();
    q.identity_by = &forger;
    MT_ASSERT(is_signed_named("certificate-untrusted"));
}

/* CVE-2026-22696: whoever may choose the identity may choose the quoting enclave. */
static void an_identity_of_the_quoting_enclave_that_intel_did_not_sign_is_refused(void)
{
    begin_tdx();
    memset(q.qe_report + 128, 0x66, 32); /* an enclave of the forger's own */
    MT_ASSERT(is_signed_named("qe-identity"));
    intel_change(q.identity, "5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A",
                 "6666666666666666666666666666666666666666666666666666666666666666");
    intel_sign(&q);
    OK(ask());
    q.in.collateral.qe_identity_signature = q.in.collateral.tcb_info_signature;
    MT_ASSERT(is_named("collateral-signature"));
    q.identity_by = &forger;
    intel_sign(&q);
    q.in.collateral.qe_identity_chain = q.in.collateral.tcb_info_chain;
    MT_ASSERT(is_named("collateral-signature"));
}

static void the_platforms_key_signs_no_collateral(void)
{
    const struct pki_cert *const certs[] = {&ours.pck, &ours.authority, &ours.root};
    static uint8_t room[PKI_PEM_MAX];
    uint8_t signature[64];
    begin_sgx();
    intel_sign(&q);
    q.in.collateral.qe_identity_signature =
        pki_sign(&ours.pck, q.in.collateral.qe_identity, (mt_span){signature, sizeof signature});
    q.in.collateral.qe_identity_chain = pki_pem(certs, 3, (mt_span){room, sizeof room});
    MT_ASSERT(is_named("tcb-chain-format"));
    const struct pki_cert *const two[] = {&ours.authority, &ours.root};
    q.in.collateral.qe_identity_chain = pki_pem(two, 2, (mt_span){room, sizeof room});
    MT_ASSERT(is_named("tcb-chain-format"));
}

static void what_intel_has_revoked_is_refused(void)
{
    static const struct {
        const struct intel_maker *by;
        bool is_of_root;
        uint32_t serial;
    } revoked[] = {{&ours, false, 3}, {&ours, true, 2}, {&ours, true, 4}};
    static uint8_t room[PKI_CRL_MAX];
    for (size_t i = 0; i < 3; i++) {
        const struct pki_list list = {revoked[i].is_of_root ? &ours.root : &ours.authority,
                                      intel_now_ms - day_ms, intel_now_ms + day_ms,
                                      &revoked[i].serial, 1};
        begin_tdx();
        intel_sign(&q);
        mt_bytes crl = pki_crl(&list, (mt_span){room, sizeof room});
        *(revoked[i].is_of_root ? &q.in.collateral.root_ca_crl : &q.in.collateral.pck_crl) = crl;
        MT_ASSERT(is_named("certificate-revoked"));
    }
}

static void a_list_of_the_revoked_that_is_old_early_or_forged_is_refused(void)
{
    const struct {
        const struct pki_cert *issuer;
        int64_t from_days;
        int64_t to_days;
        const char *rule;
    } bad[] = {{&ours.root, -9, -1, "crl-expired"},      {&ours.root, 1, 9, "crl-expired"},
               {&ours.authority, -9, -1, "crl-expired"}, {&ours.authority, 1, 9, "crl-expired"},
               {&forger.root, -1, 1, "crl-missing"},     {&forger.authority, -1, 1, "crl-missing"}};
    static uint8_t room[PKI_CRL_MAX];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct pki_list list = {bad[i].issuer,
                                      intel_now_ms + (uint64_t)bad[i].from_days * day_ms,
                                      intel_now_ms + (uint64_t)bad[i].to_days * day_ms, NULL, 0};
        begin_sgx();
        intel_sign(&q);
        mt_bytes crl = pki_crl(&list, (mt_span){room, sizeof room});
        bool is_of_root = bad[i].issuer == &ours.root || bad[i].issuer == &forger.root;
        *(is_of_root ? &q.in.collateral.root_ca_crl : &q.in.collateral.pck_crl) = crl;
        MT_ASSERT(is_named(bad[i].rule));
    }
}

/* Both ends of the time belong to it. */
static void lists_hold_from_their_issue_to_their_next_update(void)
{
    static const struct {
        bool is_identity;
        const char *from;
        const char *to;
        const char *rule;
    } cases[] = {
        {false, "2026-06-20T00:00:00Z", "2026-07-01T00:00:00Z", NULL},
        {false, "2026-06-20T00:00:00Z", "2026-07-01T00:00:01Z", "tcb-info-date"},
        {false, "2026-07-20T00:00:00Z", "2026-07-01T00:00:00Z", NULL},
        {false, "2026-07-20T00:00:00Z", "2026-06-30T23:59:59Z", "tcb-info-date"},
        {true, "2026-06-21T00:00:00Z", "2026-07-01T00:00:00Z", NULL},
        {true, "2026-06-21T00:00:00Z", "2026-07-01T00:00:01Z", "qe-identity-date"},
        {true, "2026-07-21T00:00:00Z", "2026-07-01T00:00:00Z", NULL},
        {true, "2026-07-21T00:00:00Z", "2026-06-30T23:59:59Z", "qe-identity-date"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_tdx();
        intel_change(cases[i].is_identity ? q.identity : q.info, cases[i].from, cases[i].to);
        intel_sign(&q);
        MT_ASSERT(cases[i].rule == NULL ? !mt_failed(ask()) : is_named(cases[i].rule));
    }
}

static void lists_of_the_other_kind_of_tee_are_refused(void)
{
    static struct intel_quote other;
    begin_tdx();
    intel_begin(&other, &ours, 3, MT_DCAP_SGX);
    memcpy(q.info, other.info, sizeof q.info);
    MT_ASSERT(is_signed_named("tcb-info-kind"));
    begin_tdx();
    memcpy(q.identity, other.identity, sizeof q.identity);
    MT_ASSERT(is_signed_named("qe-identity-kind"));
    begin_sgx();
    intel_begin(&other, &ours, 4, MT_DCAP_TD10);
    memcpy(q.info, other.info, sizeof q.info);
    MT_ASSERT(is_signed_named("tcb-info-kind"));
    begin_sgx();
    memcpy(q.identity, other.identity, sizeof q.identity);
    MT_ASSERT(is_signed_named("qe-identity-kind"));
    begin_sgx();
    intel_change(q.identity, "\"QE\"", "\"QVE\""); /* signed by Intel too, and no QE */
    MT_ASSERT(is_signed_named("qe-identity-format"));
}

static void lists_of_another_model_of_platform_are_refused(void)
{
    begin_sgx();
    intel_change(q.info, "00A067110000", "00A067110001");
    MT_ASSERT(is_signed_named("fmspc"));
    begin_sgx();
    intel_change(q.info, "\"pceId\":\"0000\"", "\"pceId\":\"0100\"");
    MT_ASSERT(is_signed_named("fmspc"));
}

static void a_quoting_enclave_that_is_not_intels_is_refused(void)
{
    static const size_t places[] = {16, 19, 49, 55, 128, 159, 256, 257};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        begin_tdx();
        q.qe_report[places[i]] ^= 0x40;
        MT_ASSERT(is_signed_named("qe-identity"));
    }
    begin_tdx();
    q.qe_report[48] |= 2; /* a debug one: whoever runs it has its key */
    MT_ASSERT(is_signed_named("qe-identity"));
    begin_tdx();
    q.qe_report[48] |= 4;   /* MODE64BIT, which the mask leaves open */
    q.qe_report[56] = 0xe7; /* XFRM likewise */
    MT_ASSERT(status() == MT_TCB_UP_TO_DATE);
}

static void the_quoting_enclave_names_the_attestation_key_and_nothing_else(void)
{
    begin_tdx();
    q.qe_report[320] = 1;
    MT_ASSERT(is_signed_named("attestation-key"));
    begin_tdx();
    q.qe_report[351] = 1;
    MT_ASSERT(is_signed_named("attestation-key"));
    begin_tdx();
    q.qe_report[352] = 1; /* the half that is zeros */
    MT_ASSERT(is_signed_named("attestation-key"));
    begin_tdx();
    q.qe_report[383] = 1;
    MT_ASSERT(is_signed_named("attestation-key"));
}

/* dcap-qvl wants 32 bytes; the format does not. */
static void authentication_data_of_any_length_is_bound(void)
{
    static const size_t lengths[] = {0, 1, 31, 33, 64};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        begin_tdx();
        q.qe_auth_len = lengths[i];
        MT_ASSERT(status() == MT_TCB_UP_TO_DATE);
    }
}

static void a_tdx_module_that_intel_does_not_name_is_refused(void)
{
    static const size_t places[] = {64, 111, 112, 119}; /* MRSIGNERSEAM, SEAMATTRIBUTES */
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        for (uint8_t version = 0; version < 2; version++) {
            begin_tdx();
            q.report[1] = version;
            q.report[places[i]] = 1;
            MT_ASSERT(is_signed_named("tdx-module"));
        }
    }
    begin_tdx();
    q.report[1] = 2; /* Intel names TDX_01 alone */
    MT_ASSERT(is_signed_named("tdx-module"));
    begin_tdx();
    intel_change(q.info, "\"TDX_01\"", "\"TDX_1F\"");
    MT_ASSERT(is_signed_named("tdx-module"));
    q.report[1] = 0x1f;
    MT_ASSERT(status() == MT_TCB_UP_TO_DATE);
    begin_tdx();
    intel_change(q.info, "\"attributesMask\":\"FF", "\"attributesMask\":\"00"); /* nameless */
    q.report[112] = 1;
    MT_ASSERT(is_signed_named("tdx-module"));
    q.report[1] = 0; /* below every level, but Intel's */
    MT_ASSERT(status() == MT_TCB_NOT_SUPPORTED);
}

/* An encrypted or plain platform id, or the leaf alone, says nothing by itself. */
static void a_quote_without_its_certificates_needs_them_from_the_collateral(void)
{
    const struct pki_cert *const certs[] = {&ours.pck, &ours.authority, &ours.root};
    static uint8_t room[PKI_PEM_MAX];
    const mt_bytes chain = pki_pem(certs, 3, (mt_span){room, sizeof room});
    for (uint16_t type = 1; type <= 4; type++) {
        begin_sgx();
        q.cert_type = type;
        MT_ASSERT(is_signed_named("pck-chain-format"));
        q.in.collateral.pck_chain = chain;
        OK(ask());
    }
    begin_sgx();
    q.is_bare = true; /* says that it has them */
    intel_sign(&q);
    q.in.collateral.pck_chain = chain;
    MT_ASSERT(is_named("pck-chain-format"));
}

static void a_quote_by_another_kind_of_key_or_vendor_is_refused_by_name(void)
{
    struct mt_dcap_quote parsed;
    begin_tdx();
    q.key_type = 3; /* P-384 */
    MT_ASSERT(is_signed_named("quote-format"));
    mt_err e = mt_dcap_quote_parse(q.in.quote, &parsed);
    MT_ASSERT(mt_failed(e) && strstr(e.fault->what, "P-384") != NULL);
    begin_tdx();
    q.vendor[15] ^= 1;
    MT_ASSERT(is_signed_named("quote-format"));
    e = mt_dcap_quote_parse(q.in.quote, &parsed);
    MT_ASSERT(mt_failed(e) && strstr(e.fault->what, "vendor") != NULL);
    begin_tdx();
    q.version = 6;
    MT_ASSERT(is_signed_named("quote-format"));
}

static void a_body_that_is_not_what_the_head_says_is_refused(void)
{
    begin_td15();
    intel_sign(&q);
    for (uint8_t type = 0; type < 8; type++) {
        q.quote[48] = type;
        MT_ASSERT(type == MT_DCAP_TD15 ? !mt_failed(ask()) : is_named("quote-format"));
    }
    begin_td15();
    intel_sign(&q);
    q.quote[4] = 0; /* SGX */
    MT_ASSERT(is_named("quote-format"));
}

/* go-tdx-guest refuses an empty line; senders end the text with a NUL, and hand out buffers. */
static void what_follows_the_certificates_or_the_quote_is_nothing_or_refused(void)
{
    static const char *const ends[] = {"\n", "\r\n\n"};
    for (size_t i = 0; i < 2; i++) {
        begin_tdx();
        q.pem_end = ends[i];
        MT_ASSERT(status() == MT_TCB_UP_TO_DATE);
    }
    begin_tdx();
    q.pem_end = "x";
    MT_ASSERT(is_signed_named("pck-chain-format"));
    begin_tdx();
    intel_sign(&q);
    q.in.quote.len += 100; /* zeros: nobody's */
    OK(ask());
    q.quote[632]++; /* the length says that one of them is of the quote */
    MT_ASSERT(is_named("quote-format"));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(an_up_to_date_machine_of_every_form_is_genuine_under_our_root_alone),
        MT_TEST(every_byte_of_a_quote_of_every_form_counts),
        MT_TEST(a_forger_with_all_of_intels_names_is_not_believed),
        MT_TEST(an_identity_of_the_quoting_enclave_that_intel_did_not_sign_is_refused),
        MT_TEST(the_platforms_key_signs_no_collateral),
        MT_TEST(what_intel_has_revoked_is_refused),
        MT_TEST(a_list_of_the_revoked_that_is_old_early_or_forged_is_refused),
        MT_TEST(lists_hold_from_their_issue_to_their_next_update),
        MT_TEST(lists_of_the_other_kind_of_tee_are_refused),
        MT_TEST(lists_of_another_model_of_platform_are_refused),
        MT_TEST(a_quoting_enclave_that_is_not_intels_is_refused),
        MT_TEST(the_quoting_enclave_names_the_attestation_key_and_nothing_else),
        MT_TEST(authentication_data_of_any_length_is_bound),
        MT_TEST(a_tdx_module_that_intel_does_not_name_is_refused),
        MT_TEST(a_quote_without_its_certificates_needs_them_from_the_collateral),
        MT_TEST(a_quote_by_another_kind_of_key_or_vendor_is_refused_by_name),
        MT_TEST(a_body_that_is_not_what_the_head_says_is_refused),
        MT_TEST(what_follows_the_certificates_or_the_quote_is_nothing_or_refused),
    };
    return own_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
