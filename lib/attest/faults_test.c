/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Genuine evidence (tests/vectors, the program's argument) while what the verifiers stand on fails
 * for want of memory: certificates, lists, keys, JSON, and room of their own. From the n-th
 * call on all fail, for every n, and then nothing is believed and nothing is claimed. */
#include "attest/credential.h"
#include "attest/dcap_quote.h"
#include "attest/ear.h"
#include "attest/image_approval.h"
#include "attest/snp_report.h"
#include "attest/td_test.h"
#include "attest/tpm_structs.h"
#include "attest/verify.h"
#include "attest/world_test.h"
#include "crypto/pubkey.h"
#include "crypto/wrap.h"
#include "crypto/x509.h"
#include "wire/json_flat.h"

static size_t fault_in; /* 0: memory is plenty */
static bool is_dry;

static bool is_due(void)
{
    is_dry = is_dry || (fault_in > 0 && --fault_in == 0);
    return is_dry;
}

/* `name_` as its users call it, with the arguments that it has. */
#define FAILS(name_, parameters_, arguments_)                                                      \
    mt_err __real_##name_ parameters_;                                                             \
    mt_err __wrap_##name_ parameters_;                                                             \
    mt_err __wrap_##name_ parameters_                                                              \
    {                                                                                              \
        MT_REQUIRE(!is_due(), MT_E_NOMEM, "no memory");                                            \
        return __real_##name_ arguments_;                                                          \
    }
FAILS(mt_x509_parse, (mt_bytes der, struct mt_x509 **out), (der, out))
FAILS(mt_x509_chain_parse, (mt_bytes pem, struct mt_x509_chain *out), (pem, out))
FAILS(mt_x509_chain_add, (struct mt_x509_chain * chain, mt_bytes der), (chain, der))
FAILS(mt_x509_extension, (const struct mt_x509 *c, const char *oid, mt_bytes *out), (c, oid, out))
FAILS(mt_x509_validity, (const struct mt_x509 *c, struct mt_x509_validity *out), (c, out))
FAILS(mt_x509_list_show, (mt_bytes der, struct mt_x509_list *out), (der, out))
FAILS(mt_flat_read, (mt_bytes text, struct mt_flat **out), (text, out))
FAILS(mt_pubkey_of_rsa, (mt_bytes n, mt_bytes e, struct mt_pubkey **out), (n, e, out))
FAILS(mt_sign, (const struct mt_key *k, mt_bytes message, uint8_t out[MT_SIGNATURE_LEN]),
      (k, message, out))
FAILS(mt_wrap_rsa, (const struct mt_pubkey *k, mt_bytes label, mt_bytes plain, mt_span out),
      (k, label, plain, out))
FAILS(mt_wrap_cfb, (mt_bytes key, mt_bytes plain, mt_span out), (key, plain, out))
FAILS(mt_buf_append, (struct mt_buf * b, mt_bytes bytes), (b, bytes))

void *__real_calloc(size_t count, size_t len);
void *__wrap_calloc(size_t count, size_t len);

/* Small things are keys and certificates, of which one wish has been counted. */
void *__wrap_calloc(size_t count, size_t len)
{
    return count * len >= 128 && is_due() ? NULL : __real_calloc(count, len);
}

static struct mt_evidence in;
static struct mt_attest_roots roots;
static mt_bytes expected;
static struct mt_claims claims;
static struct mt_trace trace;

static mt_err verify(void)
{
    trace.count = 0;
    return mt_evidence_verify(mt_evidence_kind_of(&in), &in, expected, &claims, &trace);
}

static mt_err show(void)
{
    return mt_evidence_show(&in, &claims);
}

/* Fails whenever it is made to; what it is told of without may go on. */
static size_t every_fault(mt_err (*act)(void), bool may_go_on)
{
    for (size_t n = 1;; n++) {
        memset(&claims, 0, sizeof claims);
        fault_in = n;
        mt_err e = act();
        bool was_reached = is_dry;
        fault_in = 0;
        is_dry = false;
        MT_ASSERT(was_reached ? may_go_on || mt_failed(e) : !mt_failed(e));
        MT_ASSERT(!mt_failed(e) || claims.kind == MT_EVIDENCE_NONE);
        if (!was_reached) {
            return n - 1;
        }
    }
}

static struct file parts[6];

static void load_snp(void)
{
    in = (struct mt_evidence){
        .quote = file_read("snp/milan_v2", "report.bin", &parts[0]),
        .collateral = {.vek = file_read("snp/milan_v2", "vcek.der", &parts[1])},
        .now_ms = 1751328000000,
    };
    expected = (mt_bytes){parts[0].b + 0x50, MT_REPORT_DATA_LEN};
}

static void load_td(void)
{
    static struct mt_dcap_quote q;
    td_read(&in);
    OK(mt_dcap_quote_parse(in.quote, &q));
    expected = q.td.report_data;
}

static void load_tpm(void)
{
    static const char set[] = "tpm/gce_cos85_nonce9009";
    static const uint8_t nonce[] = {0x90, 0x09};
    in = (struct mt_evidence){
        .quote = file_read(set, "quote_sha256.msg", &parts[0]),
        .signature = file_read(set, "quote_sha256.sig", &parts[1]),
        .pcrs = file_read(set, "pcrs_sha256.bin", &parts[2]),
        .ak_public = file_read(set, "ak_pub.tpmt", &parts[3]),
        .event_log = file_read(set, "eventlog.bin", &parts[4]),
        .collateral = {.ak_chain = file_read(set, "ak_cert.der", &parts[5])},
        .now_ms = 1751328000000,
        .roots = &roots,
    };
    expected = MT_BYTES_OF(nonce);
}

static void without_memory_no_hardware_is_believed(void)
{
    load_snp();
    MT_ASSERT(every_fault(verify, false) > 3);
    load_td();
    MT_ASSERT(every_fault(verify, false) > 20);
    load_tpm();
    MT_ASSERT(every_fault(verify, false) > 3);
}

/* What is shown is what could be read: nobody believes it anyway. */
static void without_memory_less_is_shown(void)
{
    load_snp();
    MT_ASSERT(every_fault(show, true) > 1);
    load_td();
    MT_ASSERT(every_fault(show, true) > 1);
}

static mt_err believe(void)
{
    trace.count = 0;
    return mt_evidence_collateral_verify(&in, &trace);
}

static void without_memory_no_collateral_is_believed(void)
{
    load_snp();
    MT_ASSERT(every_fault(believe, false) > 3);
    load_td();
    MT_ASSERT(every_fault(believe, false) > 20);
}

static mt_err say(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf token = mt_buf_of_max(64 * 1024);
    static struct mt_trace nothing;
    const struct mt_ear e = {.trace = &nothing, .nonce = MT_LITERAL("asked"), .now_ms = NOW_MS};
    struct mt_writer w = mt_writer_onto(&token);
    mt_bytes bytes;
    MT_TRY(mt_ear_write(&w, keys[OPERATOR], &e));
    return mt_write_end(&w, &bytes);
}

static mt_err approve(void)
{
    static const mt_hash policy = {{1}};
    struct mt_image_approval a;
    return mt_image_approval_sign(keys[OPERATOR], &policy, &a);
}

static void without_memory_nothing_is_attested_or_approved(void)
{
    MT_ASSERT(every_fault(say, false) == 1);
    MT_ASSERT(every_fault(approve, false) == 1);
}

/* TPMT_PUBLIC of an endorsement key, and of one on P-256 that quotes, with the hash of its name. */
static mt_bytes endorsement_key(mt_span room)
{
    struct mt_writer w = mt_writer_over(room);
    mt_write_u16be(&w, MT_TPM_RSA);
    mt_write_u16be(&w, MT_TPM_SHA256);
    mt_write_u32be(&w, 0x300b2);
    mt_write_u16be(&w, 0);
    mt_write_u16be(&w, MT_TPM_AES);
    mt_write_u16be(&w, 128);
    mt_write_u16be(&w, MT_TPM_CFB);
    mt_write_u16be(&w, MT_TPM_NULL);
    mt_write_u16be(&w, 2048);
    mt_write_u32be(&w, 0);
    mt_write_u16be(&w, 256);
    for (int i = 0; i < 256; i++) {
        mt_write_u8(&w, (uint8_t)(0x81 + i) | 1);
    }
    return written(&w);
}

static mt_bytes quoting_key(uint16_t hash, mt_span room)
{
    struct mt_writer w = mt_writer_over(room);
    mt_write_u16be(&w, MT_TPM_ECC);
    mt_write_u16be(&w, hash);
    mt_write_u32be(&w, 0x50472);
    mt_write_u16be(&w, 0);
    mt_write_u16be(&w, MT_TPM_NULL);
    mt_write_u16be(&w, MT_TPM_NULL);
    mt_write_u16be(&w, MT_TPM_CURVE_P256);
    mt_write_u16be(&w, MT_TPM_NULL);
    for (int i = 0; i < 2; i++) {
        mt_write_u16be(&w, 1);
        mt_write_u8(&w, 1);
    }
    return written(&w);
}

static uint16_t hash_of_name = MT_TPM_SHA256;
static size_t cut;

static mt_err challenge(void)
{
    uint8_t ek[512];
    uint8_t ak[128];
    uint8_t blob[256];
    uint8_t secret[512];
    static const uint8_t random[32] = {1};
    struct mt_credential_wish wish = {endorsement_key((mt_span){ek, sizeof ek}),
                                      quoting_key(hash_of_name, (mt_span){ak, sizeof ak}),
                                      MT_BYTES_OF(random), MT_BYTES_OF(random)};
    struct mt_writer b = mt_writer_over((mt_span){blob, sizeof blob});
    struct mt_writer s = mt_writer_over((mt_span){secret, sizeof secret});
    wish.ak_public.len -= cut;
    return mt_credential_make(&wish, &b, &s);
}

static void a_challenge_is_for_a_key_whose_name_can_be_told(void)
{
    MT_ASSERT(every_fault(challenge, false) >= 3);
    hash_of_name = MT_TPM_SHA384;
    MT_ASSERT(is_code(challenge(), MT_E_FORMAT));
    hash_of_name = MT_TPM_SHA256;
    cut = 1;
    MT_ASSERT(is_code(challenge(), MT_E_FORMAT));
    cut = 0;
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(without_memory_no_hardware_is_believed),
        MT_TEST(without_memory_less_is_shown),
        MT_TEST(without_memory_no_collateral_is_believed),
        MT_TEST(without_memory_nothing_is_attested_or_approved),
        MT_TEST(a_challenge_is_for_a_key_whose_name_can_be_told),
    };
    MT_ASSERT(argc > 1);
    files_folder = argv[1];
    world_begin(argc - 1, argv + 1);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
