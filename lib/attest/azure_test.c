/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Virtual machines on Azure, with the vTPM that their hardware vouches for (tests/vectors, the
 * program's argument). */
#include "attest/azure.h"

#include "attest/bundle.h"
#include "attest/files_test.h"
#include "attest/hcl.h"
#include "attest/tpm.h"
#include "attest/verify.h"
#include "attest/world_test.h"
#include "unit/mangle.h"

enum { GENOA, MILAN, TDX, SETS };
enum { HCL, QUOTE, SIGNATURE, PCRS, VEK, TD_QUOTE, LISTS, FILES = LISTS + 8 };
enum { TPMT_HEAD = 6, CLAIMS_AT = 32 + MT_HCL_HARDWARE_LEN + 20 };

static const struct {
    const char *folder;
    const char *nonce;
    const char *vek; /* NULL: TDX */
    uint64_t now_ms;
} sets[SETS] = {
    [GENOA] = {"azure/snp_genoa",
               "0218488bae25d2509232bf676f1a66a30d7372add909109b36016ef136f2938c"
               "a05475f8b46094de6b64270ea35d950f",
               "vcek.pem", 1767225600000},
    [MILAN] = {"azure/snp_milan",
               "982f5c6e45df0ed3f10b6f60b02f0c8390e281300f3805e2279c16168cd6ae9a"
               "a398f647caa2338748cd0fd9f5f819ef",
               "vcek.der", 1767225600000},
    [TDX] = {"azure/tdx", "0000000000000000000000000000000000000000000000000000000000000000", NULL,
             1780922561000},
};

/* A question to the verifier, to be changed by a test before it is asked. */
struct question {
    struct file files[FILES];
    struct mt_evidence in;
    uint8_t nonce[48];
    mt_bytes expected;
};
static struct question q;
static struct question other;
static struct mt_trace trace;
static struct mt_claims claims;

static void load_intel(struct question *to)
{
    static const char set[] = "dcap/tdx_v4_azure";
    struct mt_collateral *c = &to->in.collateral;
    const struct {
        const char *name;
        mt_bytes *part;
    } lists[] = {{"tcb_info.json", &c->tcb_info},
                 {"tcb_info.sig", &c->tcb_info_signature},
                 {"tcb_info_chain.pem", &c->tcb_info_chain},
                 {"qe_identity.json", &c->qe_identity},
                 {"qe_identity.sig", &c->qe_identity_signature},
                 {"qe_identity_chain.pem", &c->qe_identity_chain},
                 {"root_ca_crl.der", &c->root_ca_crl},
                 {"pck_crl.der", &c->pck_crl}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        *lists[i].part = file_read(set, lists[i].name, &to->files[LISTS + i]);
    }
    to->in.quote = file_read(set, "quote.bin", &to->files[TD_QUOTE]);
}

/* The file holds what RSA gave; a TPM writes the scheme and the length before it. */
static mt_bytes tpm_signature(const char *folder, struct file *f)
{
    static const uint8_t head[TPMT_HEAD] = {0, 0x14, 0, 0x0b, 1, 0};
    (void)file_read(folder, "tpm_quote.sig.rsassa-sha256.raw", f);
    memmove(f->b + TPMT_HEAD, f->b, f->len);
    memcpy(f->b, head, sizeof head);
    f->len += TPMT_HEAD;
    return (mt_bytes){f->b, f->len};
}

static void load_into(struct question *to, size_t set)
{
    const char *folder = sets[set].folder;
    size_t len = strlen(sets[set].nonce) / 2;
    memset(&to->in, 0, sizeof to->in);
    to->in.hcl_report = file_read(folder, "hcl_report.bin", &to->files[HCL]);
    to->in.tpm_quote = file_read(folder, "tpm_quote.msg", &to->files[QUOTE]);
    to->in.signature = tpm_signature(folder, &to->files[SIGNATURE]);
    to->in.pcrs = file_read(folder, "tpm_pcrs_sha256.bin", &to->files[PCRS]);
    to->in.now_ms = sets[set].now_ms;
    if (sets[set].vek != NULL) {
        to->in.collateral.vek = file_read(folder, sets[set].vek, &to->files[VEK]);
    } else {
        load_intel(to);
    }
    OK(mt_hex_parse(mt_bytes_of_text(sets[set].nonce), (mt_span){to->nonce, len}));
    to->expected = (mt_bytes){to->nonce, len};
}

static void load(size_t set)
{
    load_into(&q, set);
}

static mt_err ask(void)
{
    trace.count = 0;
    memset(&claims, 0, sizeof claims);
    return mt_evidence_verify(MT_EVIDENCE_AZURE, &q.in, q.expected, &claims, &trace);
}

static bool is_named(enum mt_code code, const char *rule)
{
    bool is_it = is_refused(ask(), code, &trace, rule);
    MT_ASSERT(claims.level == 0);
    return is_it;
}

static bool is_text(const char *name, mt_bytes text)
{
    const struct mt_claimed *x = mt_claimed(&claims, mt_bytes_of_text(name));
    return x != NULL && mt_bytes_equal((mt_bytes){x->bytes, x->len}, text);
}

static void real_machines_are_genuine_by_their_hardware_and_their_vtpm(void)
{
    for (size_t i = 0; i < SETS; i++) {
        load(i);
        MT_ASSERT(mt_evidence_kind_of(&q.in) == MT_EVIDENCE_AZURE);
        OK(ask());
        MT_ASSERT(mt_trace_failed(&trace) == NULL && trace.count < MT_TRACE_MAX);
        MT_ASSERT(claims.kind == MT_EVIDENCE_AZURE && claims.level == MT_LEVEL_CVM);
        MT_ASSERT(claims.has_hardware_root && !claims.has_host_in_tcb && claims.weaknesses == 0);
        MT_ASSERT(claims.tcb_status == (i == TDX ? MT_TCB_UP_TO_DATE : MT_TCB_UNRATED));
        MT_ASSERT(is_text("hardware", i == TDX ? MT_LITERAL("tdx") : MT_LITERAL("snp")));
        MT_ASSERT(is_number(&claims, MT_LITERAL("secure_boot"), 1));
        MT_ASSERT(is_text("PCR7", (mt_bytes){q.files[PCRS].b + 7 * sizeof(mt_hash), 32}));
    }
}

/* u8 length || label, the hardware's measurement, that of the PCRs: spec/evidence-azure.md. */
static void the_measurement_is_of_paravisor_and_pcrs_and_the_platform_of_the_hardware(void)
{
    for (size_t i = 0; i < SETS; i++) {
        static struct mt_claims alone;
        struct mt_evidence hardware;
        uint8_t said[MT_REPORT_DATA_LEN] = {0};
        mt_hash want;
        load(i);
        OK(mt_evidence_hardware(&q.in, &hardware));
        struct mt_hcl_report h;
        OK(mt_hcl_report_parse(q.in.hcl_report, &h));
        mt_hash runtime;
        mt_sha256(&h.runtime, 1, &runtime);
        memcpy(said, runtime.b, sizeof runtime.b);
        trace.count = 0;
        OK(mt_evidence_verify(mt_evidence_kind_of(&hardware), &hardware, MT_BYTES_OF(said), &alone,
                              &trace));
        OK(ask());
        const struct mt_claimed *pcrs = mt_claimed(&claims, MT_LITERAL("tpm_measurement"));
        const mt_bytes parts[] = {MT_LITERAL("\x1cmesatee-azure-measurement-v1"),
                                  mt_hash_bytes(&alone.measurement),
                                  {pcrs->bytes, pcrs->len}};
        mt_sha256(parts, 3, &want);
        MT_ASSERT(mt_hash_equal(&want, &claims.measurement));
        MT_ASSERT(mt_bytes_equal(mt_hash_bytes(&claims.kernel), parts[2]));
        MT_ASSERT(mt_hash_equal(&claims.platform, &alone.platform));
        MT_ASSERT(claims.tcb_status == alone.tcb_status && claims.tcb_date_ms == alone.tcb_date_ms);
    }
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

/* What no one but the machine can check, and nobody decides by: CPUSVN and MAC of a TD's report. */
static bool is_unread(size_t set, size_t at)
{
    enum { REPORT = 32 };
    bool is_cpu_svn = at >= REPORT + 16 && at < REPORT + 32;
    bool is_mac = at >= REPORT + 224 && at < REPORT + 256;
    return set == TDX && (is_cpu_svn || is_mac);
}

static void every_flipped_bit_of_an_hcl_report_is_refused(void)
{
    static uint8_t room[MT_HCL_REPORT_LEN];
    for (size_t i = 0; i < SETS; i++) {
        load(i);
        mangled = &q.in.hcl_report;
        memcpy(room, q.files[HCL].b, sizeof room);
        for (size_t bit = i; bit < 8 * sizeof room; bit += step) {
            room[bit / 8] ^= (uint8_t)(1 << bit % 8);
            MT_ASSERT(is_good(room, sizeof room) == is_unread(i, bit / 8));
            room[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

/* The zeros of the NV index may be left out: then all of them. */
static void every_truncation_of_an_hcl_report_is_refused(void)
{
    for (size_t i = 0; i < SETS; i++) {
        struct mt_hcl_report h;
        load(i);
        OK(mt_hcl_report_parse(q.in.hcl_report, &h));
        size_t whole = CLAIMS_AT + h.runtime.len;
        mangled = &q.in.hcl_report;
        for (size_t len = 0; len < MT_HCL_REPORT_LEN; len++) {
            uint8_t *cut = malloc(len + 1); /* the first byte too many is not there */
            MT_ASSERT(cut != NULL);
            memcpy(cut, q.files[HCL].b, len);
            MT_ASSERT(mt_failed(mt_hcl_report_parse((mt_bytes){cut, len}, &h)) == (len != whole));
            free(cut);
        }
        MT_ASSERT(is_good(q.files[HCL].b, whole));
        memset(q.files[HCL].b + MT_HCL_REPORT_LEN, 0, 4);
        MT_ASSERT(!is_good(q.files[HCL].b, MT_HCL_REPORT_LEN + 4));
    }
}

static void every_truncation_and_every_flipped_bit_of_the_quote_is_refused(void)
{
    static struct file good;
    const struct {
        mt_bytes *part;
        size_t file;
    } parts[] = {{&q.in.tpm_quote, QUOTE}, {&q.in.signature, SIGNATURE}, {&q.in.pcrs, PCRS}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        load(MILAN);
        good = q.files[parts[i].file];
        mangled = parts[i].part;
        mt_mangle_some_lengths(is_good, good.b, good.len, lengths_step());
        MT_ASSERT(mt_mangle_some_bits(is_good, good.b, good.len, step) == 0);
    }
}

static void halves_of_two_machines_are_refused(void)
{
    for (size_t i = 0; i < SETS; i++) {
        for (size_t j = 0; j < SETS; j++) {
            if (i == j) {
                continue;
            }
            load_into(&other, j);
            load(i); /* the TPM's half of another */
            q.in.tpm_quote = other.in.tpm_quote;
            q.in.signature = other.in.signature;
            q.in.pcrs = other.in.pcrs;
            q.expected = other.expected;
            MT_ASSERT(is_named(MT_E_PROOF, "tpm-signature"));
        }
    }
    struct mt_hcl_report h;
    load_into(&other, GENOA); /* its report, and the claims, key and quote of Milan's vTPM */
    OK(mt_hcl_report_parse(other.in.hcl_report, &h));
    const mt_bytes report = h.hardware;
    load(MILAN);
    OK(mt_hcl_report_parse(q.in.hcl_report, &h));
    q.in.quote = report;
    q.in.runtime_data = h.runtime;
    q.in.hcl_report = (mt_bytes){NULL, 0};
    q.in.collateral.vek = other.in.collateral.vek;
    MT_ASSERT(is_named(MT_E_PROOF, "runtime-claims-hash"));
}

static void what_was_asked_is_in_the_quote_and_not_in_the_hardwares_report(void)
{
    static uint8_t hashed[MT_REPORT_DATA_LEN];
    for (size_t i = 0; i < SETS; i++) {
        load(i);
        for (size_t at = 0; at < q.expected.len; at++) {
            q.nonce[at] ^= 1;
            MT_ASSERT(is_named(MT_E_PROOF, "report-data"));
            q.nonce[at] ^= 1;
        }
        q.expected.len--;
        MT_ASSERT(is_named(MT_E_PROOF, "report-data"));
        struct mt_hcl_report h;
        mt_hash runtime;
        OK(mt_hcl_report_parse(q.in.hcl_report, &h));
        mt_sha256(&h.runtime, 1, &runtime);
        memcpy(hashed, runtime.b, sizeof runtime.b);
        q.expected = MT_BYTES_OF(hashed);
        MT_ASSERT(is_named(MT_E_PROOF, "report-data"));
        q.expected.len = 0;
        MT_ASSERT(is_named(MT_E_PROOF, "report-data-length"));
    }
}

/* Without the TPM's half there is a report of a paravisor that nobody asked anything. */
static void a_part_that_is_left_out_is_missed(void)
{
    const mt_bytes none = {NULL, 0};
    load(GENOA);
    q.in.tpm_quote = none;
    MT_ASSERT(mt_evidence_kind_of(&q.in) == MT_EVIDENCE_AZURE);
    MT_ASSERT(is_named(MT_E_FORMAT, "tpm-quote-format"));
    load(GENOA);
    q.in.signature = none;
    MT_ASSERT(is_named(MT_E_FORMAT, "tpm-signature-format"));
    load(GENOA);
    q.in.pcrs = none;
    MT_ASSERT(is_named(MT_E_FORMAT, "pcr-values"));
    load(GENOA);
    q.in.collateral.vek = none;
    MT_ASSERT(is_named(MT_E_FORMAT, "vek-format"));
    load(TDX);
    q.in.quote = none; /* a TD's own report is good on its machine alone */
    MT_ASSERT(is_named(MT_E_FORMAT, "hcl-report"));
    load(TDX);
    q.in.collateral.qe_identity = none;
    MT_ASSERT(is_named(MT_E_PROOF, "collateral-signature"));
    load(GENOA);
    q.in.hcl_report = none;
    MT_ASSERT(is_named(MT_E_FORMAT, "hcl-report"));
}

static void what_stands_beside_an_hcl_report_is_what_it_holds(void)
{
    static uint8_t changed[MT_HCL_HARDWARE_LEN + 1500];
    struct mt_hcl_report h;
    load(GENOA);
    OK(mt_hcl_report_parse(q.in.hcl_report, &h));
    q.in.quote = h.hardware;
    q.in.runtime_data = h.runtime;
    OK(ask());
    memcpy(changed, h.hardware.ptr, h.hardware.len);
    changed[0x90] ^= 1; /* its measurement */
    q.in.quote = (mt_bytes){changed, h.hardware.len};
    MT_ASSERT(is_named(MT_E_FORMAT, "hcl-report"));
    q.in.quote = (mt_bytes){NULL, 0};
    memcpy(changed, h.runtime.ptr, h.runtime.len);
    changed[h.runtime.len - 3] ^= 1; /* a digit of the user data */
    q.in.runtime_data = (mt_bytes){changed, h.runtime.len};
    MT_ASSERT(is_named(MT_E_FORMAT, "hcl-report"));
    load(GENOA); /* and without the HCL report they are enough */
    q.in.quote = h.hardware;
    q.in.runtime_data = h.runtime;
    q.in.hcl_report = (mt_bytes){NULL, 0};
    OK(ask());
}

static void the_quote_of_another_td_is_refused(void)
{
    load(TDX);
    q.in.quote = file_read("dcap/tdx_v4_gcp", "quote.bin", &q.files[TD_QUOTE]);
    MT_ASSERT(is_named(MT_E_PROOF, "td-report"));
    load(TDX);
    q.in.quote = file_read("dcap/sgx_v3_processor", "quote.bin", &q.files[TD_QUOTE]);
    MT_ASSERT(is_named(MT_E_FORMAT, "azure-hardware"));
    load(TDX);
    q.in.quote.len = 600;
    MT_ASSERT(is_named(MT_E_FORMAT, "azure-hardware"));
    load_into(&other, GENOA);
    load(TDX);
    struct mt_hcl_report h;
    OK(mt_hcl_report_parse(other.in.hcl_report, &h));
    q.in.quote = h.hardware;
    MT_ASSERT(is_named(MT_E_FORMAT, "hcl-report"));
}

/* Whole, and of another guest or another module than the one that was quoted. */
static void a_quote_is_of_each_field_of_the_report(void)
{
    enum { REPORT = 32, MODULE = REPORT + 256, TD = REPORT + 512, HASHES = REPORT + 32 };
    static const size_t fields[] = {REPORT + 128, MODULE + 8,   MODULE + 24,
                                    MODULE + 72,  MODULE + 120, TD,
                                    TD + 8,       TD + 16,      TD + 16 + 384 - 1};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        load(TDX);
        uint8_t *b = q.files[HCL].b;
        b[fields[i]] ^= 1;
        mt_sha384(&(mt_bytes){b + MODULE, 239}, 1, b + HASHES);
        mt_sha384(&(mt_bytes){b + TD, 512}, 1, b + HASHES + MT_SHA384_LEN);
        MT_ASSERT(is_named(MT_E_PROOF, "td-report"));
    }
}

/* A time outside the lists and certificates of the hardware. */
static void the_hardwares_own_checks_are_made(void)
{
    const uint64_t year_ms = 400 * 86400000ULL;
    load(TDX);
    q.in.now_ms += year_ms;
    MT_ASSERT(mt_failed(ask()) && claims.level == 0);
    load(GENOA);
    q.in.now_ms += 20 * year_ms;
    MT_ASSERT(is_named(MT_E_PROOF, "vek-validity"));
    load_into(&other, MILAN);
    load(GENOA);
    q.in.collateral.vek = other.in.collateral.vek;
    MT_ASSERT(mt_failed(ask()) && claims.level == 0);
}

/* Not needed, for the hardware vouches for the key; but what is shown must hold. */
static void certificates_that_are_shown_are_of_the_key_and_of_a_known_root(void)
{
    static struct file chain;
    static struct file signers;
    load(TDX);
    (void)file_read("azure/tdx", "ak_cert.pem", &chain);
    q.in.collateral.ak_chain = (mt_bytes){chain.b, chain.len};
    MT_ASSERT(is_named(MT_E_PROOF, "platform-unknown"));
    (void)file_read("azure/tdx", "ak_intermediates.pem", &signers);
    memcpy(chain.b + chain.len, signers.b, signers.len);
    q.in.collateral.ak_chain.len += signers.len;
    OK(ask());
    chain.b[700] ^= 1;
    MT_ASSERT(mt_failed(ask()));
    chain.b[700] ^= 1;
    load_into(&other, GENOA);
    other.in.collateral.ak_chain = q.in.collateral.ak_chain;
    q.in = other.in;
    q.expected = other.expected;
    MT_ASSERT(is_named(MT_E_PROOF, "ak-certificate"));
}

#define NUMBER                                                                                     \
    "v5q34gAAqd1KNv4-URtPlGGeoMHjXcYI7hIsgG0ZPlJRAABc9DlvxMQ9Ic1Ut70_5D-s7aLdh74DMpspXtRcjkXcdZyq" \
    "5oCPmxWabg2ITqadmPz2wP-G1B5DRolZqohyXoW_tA6RfAVTEUikEkf1PMZYSLpW88hhHpsPjHFjjsFkvDBMtc8ij-hF" \
    "G-X8fXAMdPW6e4UZrXe9hTEo-53-oNXo3vyAwCII5kXnQLVLQp0lVsymC6tCMXVjFJHNd-PSYPe06Kl4Emv6LiD0PK2U" \
    "wcuBTMB157W1ixp-L5qz0YPsHqxIhSlYWC5JFNXr7BeYI1dOHMG7A8qHpYsDe4uR_w"
#define KEY(id_, use_, n_)                                                                         \
    "{\"kid\":\"" id_ "\",\"key_ops\":[" use_ "],\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" n_ "\"}"
#define AK    KEY("HCLAkPub", "\"sign\"", NUMBER)
#define NAMED "\"kid\":\"HCLAkPub\",\"key_ops\":[\"sign\"]"
#define DIGITS                                                                                     \
    "0000000000000000000000000000000000000000000000000000000000000000"                             \
    "00000000000000000000000000000000000000000000000000000000000000a"
#define EK KEY("HCLEkPub", "\"encrypt\"", NUMBER)

static bool is_read(const char *json)
{
    MT_DEFER(mt_hcl_claims_done) struct mt_hcl_claims c = {.ak = NULL};
    bool is_it = !mt_failed(mt_hcl_claims_parse(mt_bytes_of_text(json), &c));
    MT_ASSERT(is_it == (c.ak != NULL));
    return is_it;
}

static void runtime_claims_name_one_key_that_signs(void)
{
    static const char *const refused[] = {
        "",
        "[]",
        "{}",
        "{\"keys\":[]}",
        "{\"keys\":[7]}",
        "{\"keys\":{}}",
        "{\"keys\":[" EK "]}",                                     /* names none */
        "{\"keys\":[" AK "," AK "]}",                              /* two */
        "{\"keys\":[" KEY("HCLAkPub", "\"encrypt\"", NUMBER) "]}", /* for another use */
        "{\"keys\":[" KEY("HCLAkPub", "\"sign\",\"encrypt\"", NUMBER) "]}",
        "{\"keys\":[" KEY("HCLAkPub", "", NUMBER) "]}",
        "{\"keys\":[" KEY("HCLAkPub", "\"sign\"", "AQAB") "]}", /* 24 bits */
        "{\"keys\":[" KEY("HCLAkPub", "\"sign\"", NUMBER "=") "]}",
        "{\"keys\":[" AK "],\"keys\":[" AK "]}",
        "{\"keys\":[" AK "]} ,",
        "{\"keys\":[" AK "],\"user-data\":\"00\"}",
        "{\"keys\":[" AK "],\"user-data\":7}",
        "{\"keys\":[" AK "],\"user-data\":\"g" DIGITS "\"}",
        "{\"keys\":[{}]}",
        "{\"keys\":[" KEY("HCLAkPub", "7", NUMBER) "]}",
        "{\"keys\":[{" NAMED "}]}",
        "{\"keys\":[{" NAMED ",\"kty\":\"EC\"}]}",
        "{\"keys\":[{" NAMED ",\"kty\":\"RSA\"}]}",
        "{\"keys\":[{" NAMED ",\"kty\":\"RSA\",\"n\":\"" NUMBER "\"}]}",
        "{\"keys\":[{" NAMED ",\"kty\":\"RSA\",\"n\":\"" NUMBER "\",\"e\":\"?\"}]}",
        "{\"keys\":[" AK "],\"vm-configuration\":7}",
        "{\"keys\":[" AK "],\"vm-configuration\":{\"secure-boot\":1}}",
    };
    MT_ASSERT(is_read("{\"keys\":[" AK "]}"));
    MT_ASSERT(is_read("{\"keys\":[" AK "],\"user-data\":\"F" DIGITS "\"}"));
    MT_ASSERT(is_read("{\"keys\":[" EK "," AK "],\"vm-configuration\":{},\"other\":[1]}"));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        MT_ASSERT(!is_read(refused[i]));
    }
}

static void what_an_hcl_report_may_not_say_is_refused(void)
{
    static const struct {
        size_t at;
        uint8_t is;
    } words[] = {{4, 3},                      /* version */
                 {12, 3},                     /* for another request */
                 {16, 1},                     /* status */
                 {20, 1},                     /* reserved */
                 {CLAIMS_AT - 20, 0},         /* lengths that do not agree */
                 {CLAIMS_AT - 16, 2},         /* version of the claims */
                 {CLAIMS_AT - 12, 3},         /* VBS: of no hardware */
                 {CLAIMS_AT - 8, 2},          /* SHA-384 */
                 {CLAIMS_AT - 4, 0},          /* length of the claims */
                 {MT_HCL_REPORT_LEN - 1, 1}}; /* behind them */
    static uint8_t room[MT_HCL_REPORT_LEN];
    struct mt_hcl_report h;
    load(GENOA);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        memcpy(room, q.files[HCL].b, sizeof room);
        room[words[i].at] = words[i].is;
        MT_ASSERT(mt_failed(mt_hcl_report_parse(MT_BYTES_OF(room), &h)));
    }
}

static void the_parts_travel_in_a_bundle(void)
{
    static uint8_t room[MT_EVIDENCE_BYTES_MAX];
    for (size_t i = 0; i < SETS; i++) {
        struct mt_hcl_report h;
        struct mt_bundle b = {.log = MT_LITERAL("log")};
        struct mt_bundle back;
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        load(i);
        OK(mt_hcl_report_parse(q.in.hcl_report, &h));
        b.evidence = q.in;
        b.evidence.hcl_report = (mt_bytes){NULL, 0};
        b.evidence.quote = i == TDX ? q.in.quote : h.hardware;
        b.evidence.runtime_data = h.runtime;
        mt_bundle_write(&w, &b);
        OK(mt_bundle_parse(mt_write_done(&w), &back));
        back.evidence.now_ms = q.in.now_ms;
        q.in = back.evidence;
        OK(ask());
    }
}

static void what_it_says_can_be_read_unverified(void)
{
    for (size_t i = 0; i < SETS; i++) {
        load(i);
        OK(mt_evidence_show(&q.in, &claims));
        MT_ASSERT(claims.kind == MT_EVIDENCE_AZURE && is_text("report_data", q.expected));
        trace.count = 0;
        OK(mt_evidence_collateral_verify(&q.in, &trace));
    }
    q.in.tpm_quote.len--;
    MT_ASSERT(is_code(mt_evidence_show(&q.in, &claims), MT_E_FORMAT));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(real_machines_are_genuine_by_their_hardware_and_their_vtpm),
        MT_TEST(the_measurement_is_of_paravisor_and_pcrs_and_the_platform_of_the_hardware),
        MT_TEST(every_flipped_bit_of_an_hcl_report_is_refused),
        MT_TEST(every_truncation_of_an_hcl_report_is_refused),
        MT_TEST(every_truncation_and_every_flipped_bit_of_the_quote_is_refused),
        MT_TEST(halves_of_two_machines_are_refused),
        MT_TEST(what_was_asked_is_in_the_quote_and_not_in_the_hardwares_report),
        MT_TEST(a_part_that_is_left_out_is_missed),
        MT_TEST(what_stands_beside_an_hcl_report_is_what_it_holds),
        MT_TEST(the_quote_of_another_td_is_refused),
        MT_TEST(a_quote_is_of_each_field_of_the_report),
        MT_TEST(the_hardwares_own_checks_are_made),
        MT_TEST(certificates_that_are_shown_are_of_the_key_and_of_a_known_root),
        MT_TEST(runtime_claims_name_one_key_that_signs),
        MT_TEST(what_an_hcl_report_may_not_say_is_refused),
        MT_TEST(the_parts_travel_in_a_bundle),
        MT_TEST(what_it_says_can_be_read_unverified),
    };
    MT_ASSERT(argc > 1);
    files_folder = argv[1];
    world_begin(argc - 1, argv + 1);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
