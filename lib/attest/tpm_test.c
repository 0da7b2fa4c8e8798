/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Quotes of a real machine (tests/vectors/tpm, the program's argument), and of a TPM that we made
 * up where no real one shows what is to be refused. */
#include "attest/credential.h"
#include "attest/tpm_world_test.h"

static const uint64_t mid_2025_ms = 1751328000000;
static const uint8_t nonce[] = {0x90, 0x09};

static struct mt_trace trace;
static struct mt_claims claims;

/* A question to the verifier, to be changed by a test before it is asked. */
struct question {
    struct file quote;
    struct file signature;
    struct file pcrs;
    struct file key;
    struct file chain;
    struct mt_evidence in;
    struct mt_attest_roots roots;
    mt_bytes expected;
};
static struct question q;

static void load(const char *set)
{
    q.in = (struct mt_evidence){.quote = file_read(set, "quote_sha256.msg", &q.quote),
                                .signature = file_read(set, "quote_sha256.sig", &q.signature),
                                .pcrs = file_read(set, "pcrs_sha256.bin", &q.pcrs),
                                .ak_public = file_read(set, "ak_pub.tpmt", &q.key),
                                .collateral = {.ak_chain = file_read(set, "ak_cert.der", &q.chain)},
                                .now_ms = mid_2025_ms};
    q.roots = (struct mt_attest_roots){.machines = NULL};
    q.expected = MT_BYTES_OF(nonce);
}

static mt_err ask(void)
{
    trace.count = 0;
    memset(&claims, 0, sizeof claims);
    return mt_tpm_verify(&q.in, &q.roots, q.expected, &claims, &trace);
}

static bool is_named(enum mt_code code, const char *rule)
{
    return is_refused(ask(), code, &trace, rule);
}

static const char gce[] = "gce_cos85_nonce9009";

static void a_real_quote_is_genuine_and_says_what_its_registers_hold(void)
{
    load(gce);
    OK(ask());
    MT_ASSERT(mt_trace_failed(&trace) == NULL && claims.weaknesses == 0);
    MT_ASSERT(claims.kind == MT_EVIDENCE_TPM && claims.level == MT_LEVEL_TPM);
    MT_ASSERT(claims.has_hardware_root && claims.has_host_in_tcb);
    MT_ASSERT(is_number(&claims, MT_LITERAL("reset_count"), 10));
    MT_ASSERT(is_number(&claims, MT_LITERAL("restart_count"), 0));
    const struct mt_claimed *pcr = mt_claimed(&claims, MT_LITERAL("PCR9"));
    MT_ASSERT(mt_bytes_equal((mt_bytes){pcr->bytes, pcr->len},
                             (mt_bytes){q.pcrs.b + 9 * sizeof(mt_hash), sizeof(mt_hash)}));
}

/* u8 length || label, u32 count, then u32 index and value of each: spec/evidence-tpm.md. */
static void the_measurement_is_what_the_page_says(void)
{
    static const uint8_t which[] = {0, 2, 4, 7, 9, 11, 12, 13};
    uint8_t room[512];
    mt_hash want;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    load(gce);
    OK(ask());
    mt_write_bytes(&w, MT_LITERAL("\x1amesatee-tpm-measurement-v1"));
    mt_write_u32be(&w, sizeof which);
    for (size_t i = 0; i < sizeof which; i++) {
        mt_write_u32be(&w, which[i]);
        mt_write_bytes(&w, (mt_bytes){q.pcrs.b + which[i] * sizeof(mt_hash), sizeof(mt_hash)});
    }
    const mt_bytes all = mt_write_done(&w);
    mt_sha256(&all, 1, &want);
    MT_ASSERT(mt_hash_equal(&want, &claims.measurement));
}

static mt_bytes *mangled;

static bool is_good(const uint8_t *bytes, size_t len)
{
    *mangled = (mt_bytes){bytes, len};
    bool has_failed = mt_failed(ask());
    MT_ASSERT(has_failed == (mt_trace_failed(&trace) != NULL));
    MT_ASSERT(has_failed == (claims.level == 0));
    return !has_failed;
}

static void every_truncation_and_every_flipped_bit_of_a_quote_is_refused(void)
{
    enum { UNREAD_ATTRIBUTES = 4 }; /* stClear, userWithAuth, adminWithPolicy, noDA */
    static struct file good;
    const struct {
        mt_bytes *part;
        const struct file *file;
        size_t kept;
        size_t step;
    } parts[] = {{&q.in.quote, &q.quote, 0, step},
                 {&q.in.signature, &q.signature, 0, step},
                 {&q.in.pcrs, &q.pcrs, 0, step},
                 {&q.in.ak_public, &q.key, UNREAD_ATTRIBUTES, 1}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        load(gce);
        good = *parts[i].file;
        mangled = parts[i].part;
        mt_mangle_some_lengths(is_good, good.b, good.len, lengths_step());
        size_t kept = mt_mangle_some_bits(is_good, good.b, good.len, parts[i].step);
        MT_ASSERT(kept == parts[i].kept);
    }
}

static void certificates_of_a_key_are_refused_with_any_bit_flipped(void)
{
    static struct file good;
    load(gce);
    good = q.chain;
    mangled = &q.in.collateral.ak_chain;
    MT_ASSERT(mt_mangle_some_bits(is_good, good.b, good.len, step) == 0);
    for (size_t i = 0; i < good.len; i += lengths_step()) {
        MT_ASSERT(!is_good(good.b, i));
    }
    memset(good.b + good.len, 0, 64); /* as a TPM's memory gives it */
    MT_ASSERT(is_good(good.b, good.len + 64));
    good.b[good.len + 60] = 1;
    MT_ASSERT(!is_good(good.b, good.len + 64));
}

static void qualifying_data_is_compared_whole(void)
{
    static const uint8_t others[][3] = {{0x90, 0x08}, {0x10, 0x09}, {0x90, 0x09, 0}};
    load(gce);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        q.expected = (mt_bytes){others[i], i == 2 ? 3 : 2};
        MT_ASSERT(is_named(MT_E_PROOF, "report-data"));
    }
    q.expected = (mt_bytes){nonce, 1};
    MT_ASSERT(is_named(MT_E_PROOF, "report-data"));
    q.expected = (mt_bytes){nonce, 0};
    MT_ASSERT(is_named(MT_E_PROOF, "report-data"));
    load("gce_cos85_no_nonce"); /* about nothing: of any time */
    MT_ASSERT(is_named(MT_E_PROOF, "report-data"));
    q.expected = (mt_bytes){nonce, 0};
    MT_ASSERT(is_named(MT_E_PROOF, "report-data"));
}

static void parts_of_two_quotes_do_not_make_one(void)
{
    static struct file other;
    load(gce);
    q.in.signature = file_read("gce_cos85_no_nonce", "quote_sha256.sig", &other);
    MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature"));
    load(gce);
    q.in.quote = file_read("gce_cos85_no_nonce", "quote_sha256.msg", &other);
    MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature"));
    load(gce);
    q.in.pcrs = file_read(gce, "pcrs_sha1.bin", &other);
    MT_ASSERT(is_named(MT_E_FORMAT, "pcr-values"));
    q.in.pcrs = (mt_bytes){q.pcrs.b, q.pcrs.len - sizeof(mt_hash)};
    MT_ASSERT(is_named(MT_E_FORMAT, "pcr-values"));
}

static void a_bank_of_sha_1_proves_nothing(void)
{
    static const char *const banks[][3] = {
        {"quote_sha1.msg", "quote_sha1.sig", "pcrs_sha1.bin"},
        {"quote_sha384.msg", "quote_sha384.sig", "pcrs_sha384.bin"},
    };
    for (size_t i = 0; i < 2; i++) {
        load(gce);
        q.in.quote = file_read(gce, banks[i][0], &q.quote);
        q.in.signature = file_read(gce, banks[i][1], &q.signature);
        q.in.pcrs = file_read(gce, banks[i][2], &q.pcrs);
        MT_ASSERT(is_named(MT_E_PROOF, "pcr-bank"));
    }
}

static void certificates_are_of_this_key_and_of_this_time(void)
{
    enum { YEAR_DAYS = 366 };
    const uint64_t year_ms = YEAR_DAYS * 86400000ULL;
    static struct file other;
    load(gce);
    q.in.now_ms = mid_2025_ms + 30 * year_ms;
    MT_ASSERT(is_named(MT_E_PROOF, "ak-validity"));
    q.in.now_ms = mid_2025_ms - 5 * year_ms;
    MT_ASSERT(is_named(MT_E_PROOF, "ak-validity"));
    load(gce);
    q.in.collateral.ak_chain = file_read(gce, "ek_ak_intermediate.crt", &other);
    MT_ASSERT(is_named(MT_E_PROOF, "ak-certificate"));
    q.in.collateral.ak_chain = MT_LITERAL("\0\0\0\0");
    MT_ASSERT(is_named(MT_E_PROOF, "ak-certificate"));
    q.in.collateral.ak_chain = MT_LITERAL("certificate");
    MT_ASSERT(is_named(MT_E_FORMAT, "ak-chain-format"));
}

/* From here on a TPM of our own. */
static struct own_tpm tpm;
static const uint8_t values[15 * 32] = {1, 2, 3};
static mt_hash name;

static void sign_quote(void)
{
    q.in.ak_public = own_public(&tpm);
    q.in.quote = own_quote(&tpm, MT_BYTES_OF(nonce), MT_BYTES_OF(values));
    q.in.signature = own_signature(&tpm, q.in.quote);
    name = own_name(&tpm); /* known as it is now */
}

/* Its quote is genuine for whoever knows the key. */
static void begin(enum pki_key kind)
{
    pki_done(&tpm.key);
    tpm = own_tpm(kind);
    q.in = (struct mt_evidence){.pcrs = MT_BYTES_OF(values), .now_ms = NOW_MS};
    q.roots = (struct mt_attest_roots){.known = {.platforms = &name, .platforms_count = 1}};
    q.expected = MT_BYTES_OF(nonce);
    sign_quote();
}

static void keys_of_each_kind_quote(void)
{
    static const enum pki_key kinds[] = {PKI_P256, PKI_P384, PKI_RSA_2048};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        begin(kinds[i]);
        OK(ask());
        MT_ASSERT(mt_hash_equal(&claims.platform, &name));
        MT_ASSERT(mt_claimed(&claims, MT_LITERAL("PCR10")) == NULL);
        MT_ASSERT(mt_claimed(&claims, MT_LITERAL("PCR15")) != NULL);
    }
    tpm.scheme = MT_TPM_RSAPSS;
    sign_quote();
    OK(ask());
}

/* Whoever reads the registers gives perhaps all there are. */
static void values_that_are_not_quoted_are_left_out(void)
{
    static uint8_t all[MT_TPM_PCRS * sizeof(mt_hash)];
    size_t n = 0;
    begin(PKI_P256);
    OK(ask());
    mt_hash measurement = claims.measurement;
    for (size_t i = 0; i < MT_TPM_PCRS; i++) {
        bool is_quoted = (tpm.pcrs >> i & 1) != 0;
        memcpy(all + i * 32, is_quoted ? values + 32 * n : all, 32);
        n += is_quoted ? 1 : 0;
    }
    q.in.pcrs = MT_BYTES_OF(all);
    OK(ask());
    MT_ASSERT(mt_hash_equal(&measurement, &claims.measurement));
    MT_ASSERT(mt_claimed(&claims, MT_LITERAL("PCR10")) == NULL);
    q.in.pcrs.len--;
    MT_ASSERT(is_named(MT_E_FORMAT, "pcr-values"));
}

static void a_key_that_nobody_vouches_for_is_refused(void)
{
    begin(PKI_P256);
    const mt_hash other = {{1}};
    q.roots = (struct mt_attest_roots){.tpm_roots = &name, .tpm_roots_count = 1};
    MT_ASSERT(is_named(MT_E_PROOF, "platform-unknown"));
    q.roots = (struct mt_attest_roots){.machines = &other, .machines_count = 1};
    MT_ASSERT(is_named(MT_E_PROOF, "platform-unknown"));
    q.in.collateral.ak_chain = pki_der(&tpm.key); /* vouches for itself */
    MT_ASSERT(is_named(MT_E_PROOF, "platform-unknown"));
}

static void whoever_knows_the_machine_says_so(void)
{
    uint8_t room[1024];
    mt_bytes certificate;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    const mt_hash by = subject_of(OPERATOR);
    begin(PKI_P256);
    q.roots = (struct mt_attest_roots){.machines = &name, .machines_count = 1};
    OK(ask());
    mt_platform_certificate_write(&w, keys[OPERATOR], &name, NOW_MS - 1, NOW_MS + HOUR_MS);
    certificate = mt_write_done(&w);
    q.in.endorsements = &certificate;
    q.in.endorsements_count = 1;
    q.roots = (struct mt_attest_roots){.known = {.operators = &by, .operators_count = 1}};
    OK(ask());
    q.in.now_ms = NOW_MS + HOUR_MS;
    MT_ASSERT(is_named(MT_E_PROOF, "platform-unknown"));
    const mt_hash other = subject_of(OTHER_OPERATOR);
    q.in.now_ms = NOW_MS;
    q.roots.known.operators = &other;
    MT_ASSERT(is_named(MT_E_PROOF, "platform-unknown"));
}

static void a_root_counts_if_the_policy_names_it(void)
{
    static struct pki_cert root;
    static struct pki_cert leaf;
    static uint8_t pem[PKI_PEM_MAX];
    static uint8_t der[2 * PKI_DER_MAX];
    const struct pki_wish wishes[] = {{.name = "maker", .key = PKI_P256, .is_ca = true},
                                      {.name = "AK", .key = PKI_P256, .serial = 2}};
    const struct pki_cert *const both[] = {&tpm.key, &root};
    pki_make(&wishes[0], NULL, &root);
    pki_make(&wishes[1], &root, &leaf);
    begin(PKI_P256);
    pki_done(&tpm.key);
    tpm.key = leaf;
    sign_quote();
    const mt_bytes bytes = pki_der(&root);
    mt_hash hash;
    mt_sha256(&bytes, 1, &hash);
    q.in.now_ms = mid_2025_ms;
    q.roots = (struct mt_attest_roots){.tpm_roots = &hash, .tpm_roots_count = 1};
    q.in.collateral.ak_chain = pki_pem(both, 2, (mt_span){pem, sizeof pem});
    OK(ask());
    memcpy(der, leaf.der, leaf.len);
    memcpy(der + leaf.len, root.der, root.len);
    q.in.collateral.ak_chain = (mt_bytes){der, leaf.len + root.len};
    OK(ask());
    q.in.collateral.ak_chain = pki_der(&leaf); /* the root is named, and not there */
    MT_ASSERT(is_named(MT_E_PROOF, "platform-unknown"));
    q.in.collateral.ak_chain = (mt_bytes){der, leaf.len + root.len};
    hash.b[31] ^= 1;
    MT_ASSERT(is_named(MT_E_PROOF, "platform-unknown"));
    pki_done(&root);
}

static void a_key_that_signs_anything_else_is_refused(void)
{
    static const uint32_t wrong[] = {
        MT_TPM_FIXED_TPM,  MT_TPM_FIXED_PARENT, MT_TPM_SENSITIVE_DATA_ORIGIN,
        MT_TPM_RESTRICTED, MT_TPM_SIGN,         MT_TPM_DECRYPT};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin(PKI_P256);
        tpm.attributes ^= wrong[i];
        sign_quote();
        MT_ASSERT(is_named(MT_E_PROOF, "ak-attributes"));
    }
    begin(PKI_P256);
    tpm.attributes |= 1U << 19; /* signs certificates */
    sign_quote();
    MT_ASSERT(is_named(MT_E_FORMAT, "ak-format"));
}

/* TPMT_PUBLIC of an endorsement key, its words one after another. */
struct ek_words {
    uint16_t type;
    uint16_t name_hash;
    uint32_t attributes;
    uint16_t symmetric;
    uint16_t bits;
    uint16_t mode;
};

static mt_err ask_ek(const struct ek_words *k, mt_bytes n)
{
    MT_DEFER(mt_pubkey_free) struct mt_pubkey *key = NULL;
    uint8_t room[ROOM];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_u16be(&w, k->type);
    mt_write_u16be(&w, k->name_hash);
    mt_write_u32be(&w, k->attributes);
    put_sized(&w, MT_LITERAL("policy"));
    mt_write_u16be(&w, k->symmetric);
    mt_write_u16be(&w, k->bits);
    mt_write_u16be(&w, k->mode);
    mt_write_u16be(&w, MT_TPM_NULL); /* it signs nothing */
    mt_write_u16be(&w, (uint16_t)(n.len * 8));
    mt_write_u32be(&w, 0);
    put_sized(&w, n);
    mt_err e = mt_credential_ek(mt_write_done(&w), &key);
    MT_ASSERT(mt_failed(e) == (key == NULL));
    return e;
}

/* Another key would give the secret to whoever asks, or be read as what it is not. */
static void only_an_endorsement_key_is_challenged(void)
{
    enum { EK = 0x300b2 };
    MT_DEFER(mt_x509_free) struct mt_x509 *x = NULL;
    begin(PKI_RSA_2048);
    const mt_bytes spki = own_spki(&tpm, &x);
    const mt_bytes n = {spki.ptr + spki.len - 5 - 256, 256};
    const struct ek_words ek = {MT_TPM_RSA, MT_TPM_SHA256, EK, MT_TPM_AES, 128, MT_TPM_CFB};
    const struct ek_words wrong[] = {
        {MT_TPM_ECC, ek.name_hash, EK, MT_TPM_AES, 128, MT_TPM_CFB},
        {MT_TPM_RSA, MT_TPM_SHA384, EK, MT_TPM_AES, 128, MT_TPM_CFB},
        {MT_TPM_RSA, ek.name_hash, EK, MT_TPM_AES, 256, MT_TPM_CFB},
        {MT_TPM_RSA, ek.name_hash, EK, MT_TPM_AES, 128, MT_TPM_CFB - 1},
        {MT_TPM_RSA, ek.name_hash, EK, MT_TPM_AES + 1, 128, MT_TPM_CFB},
    };
    static const uint32_t attributes[] = {
        MT_TPM_FIXED_TPM,  MT_TPM_FIXED_PARENT, MT_TPM_SENSITIVE_DATA_ORIGIN,
        MT_TPM_RESTRICTED, MT_TPM_DECRYPT,      MT_TPM_SIGN};
    OK(ask_ek(&ek, n));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(is_code(ask_ek(&wrong[i], n), MT_E_FORMAT));
    }
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        struct ek_words other = ek;
        other.attributes ^= attributes[i];
        MT_ASSERT(is_code(ask_ek(&other, n), MT_E_FORMAT));
    }
    MT_ASSERT(is_code(ask_ek(&ek, (mt_bytes){n.ptr, 128}), MT_E_FORMAT));
    MT_ASSERT(is_code(mt_credential_ek(own_public(&tpm), NULL), MT_E_FORMAT)); /* it quotes */
}

/* The digest of the PCRs is then of that hash, too, whatever their bank's. */
static void rsa_signs_with_any_hash_of_sha_2(void)
{
    static const uint16_t hashes[] = {MT_TPM_SHA256, MT_TPM_SHA384, MT_TPM_SHA512};
    static const uint8_t others[sizeof values] = {3, 2, 1};
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        begin(PKI_RSA_2048);
        tpm.hash = hashes[i];
        sign_quote();
        OK(ask());
        tpm.signature[3] = (uint8_t)hashes[(i + 1) % 3]; /* the key says otherwise */
        MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature-scheme"));
        tpm.signature[3] = (uint8_t)hashes[i];
        tpm.signature[100] ^= 1;
        MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature"));
        tpm.signature[100] ^= 1;
        q.in.pcrs = MT_BYTES_OF(others);
        MT_ASSERT(is_named(MT_E_PROOF, "pcr-digest"));
    }
}

static void signatures_by_other_schemes_are_refused(void)
{
    begin(PKI_RSA_2048);
    tpm.hash = MT_TPM_SHA1;
    sign_quote();
    MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature-scheme"));
    begin(PKI_RSA_2048);
    tpm.scheme = MT_TPM_RSAPSS; /* of the signature, not of the key */
    q.in.signature = own_signature(&tpm, q.in.quote);
    MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature-scheme"));
    begin(PKI_P256);
    tpm.signature[3] = MT_TPM_SHA384;
    MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature-scheme"));
}

static void what_is_signed_and_no_quote_is_refused(void)
{
    begin(PKI_P256);
    tpm.magic = 0xfe;
    sign_quote();
    MT_ASSERT(is_named(MT_E_FORMAT, "tpm-quote-format"));
    begin(PKI_P256);
    tpm.type = 0x801a; /* of the creation of a key */
    sign_quote();
    MT_ASSERT(is_named(MT_E_FORMAT, "tpm-quote-format"));
    begin(PKI_P256);
    tpm.behind = MT_LITERAL("x");
    sign_quote();
    MT_ASSERT(is_named(MT_E_FORMAT, "tpm-quote-format"));
    begin(PKI_P256);
    tpm.safe = 2;
    sign_quote();
    MT_ASSERT(is_named(MT_E_FORMAT, "tpm-quote-format"));
}

static void a_clock_that_may_repeat_is_a_weakness(void)
{
    begin(PKI_P256);
    tpm.safe = 0;
    sign_quote();
    OK(ask());
    MT_ASSERT(claims.weaknesses == 1U << MT_WEAK_UNCLEAN_STOP);
}

static void a_quote_of_no_registers_is_refused(void)
{
    begin(PKI_P256);
    tpm.pcrs = 0;
    q.in.ak_public = own_public(&tpm);
    q.in.quote = own_quote(&tpm, MT_BYTES_OF(nonce), (mt_bytes){NULL, 0});
    q.in.signature = own_signature(&tpm, q.in.quote);
    q.in.pcrs = (mt_bytes){NULL, 0};
    MT_ASSERT(is_named(MT_E_PROOF, "pcr-bank"));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(a_real_quote_is_genuine_and_says_what_its_registers_hold),
        MT_TEST(the_measurement_is_what_the_page_says),
        MT_TEST(every_truncation_and_every_flipped_bit_of_a_quote_is_refused),
        MT_TEST(certificates_of_a_key_are_refused_with_any_bit_flipped),
        MT_TEST(qualifying_data_is_compared_whole),
        MT_TEST(parts_of_two_quotes_do_not_make_one),
        MT_TEST(a_bank_of_sha_1_proves_nothing),
        MT_TEST(certificates_are_of_this_key_and_of_this_time),
        MT_TEST(keys_of_each_kind_quote),
        MT_TEST(values_that_are_not_quoted_are_left_out),
        MT_TEST(a_key_that_nobody_vouches_for_is_refused),
        MT_TEST(whoever_knows_the_machine_says_so),
        MT_TEST(a_root_counts_if_the_policy_names_it),
        MT_TEST(a_key_that_signs_anything_else_is_refused),
        MT_TEST(only_an_endorsement_key_is_challenged),
        MT_TEST(rsa_signs_with_any_hash_of_sha_2),
        MT_TEST(signatures_by_other_schemes_are_refused),
        MT_TEST(what_is_signed_and_no_quote_is_refused),
        MT_TEST(a_clock_that_may_repeat_is_a_weakness),
        MT_TEST(a_quote_of_no_registers_is_refused),
    };
    MT_ASSERT(argc > 1);
    files_folder = argv[1];
    world_begin(argc - 1, argv + 1);
    begin(PKI_P256);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    pki_done(&tpm.key);
    world_end();
    return rc;
}
