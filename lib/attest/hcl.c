/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/hcl.h"

#include <string.h>

#include "attest/snp_report.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "wire/json.h"

enum {
    SIGNATURE = 0x414c4348, /* "HCLA" */
    HEAD_LEN = 32,
    CLAIMS_HEAD_LEN = 20,
    REQUEST_AK_CERT = 2,
    CLAIMS_VERSION = 1,
    HASH_SHA256 = 1,
    CLAIMS_MAX = MT_HCL_REPORT_LEN - HEAD_LEN - MT_HCL_HARDWARE_LEN - CLAIMS_HEAD_LEN,
};

static MT_ERR read_zeros(struct mt_reader *r, size_t len)
{
    mt_bytes all;
    MT_TRY(mt_read_bytes(r, len, &all));
    for (size_t i = 0; i < len; i++) {
        MT_REQUIRE(all.ptr[i] == 0, MT_E_FORMAT, "something stands where there is nothing");
    }
    return MT_OK;
}

static MT_ERR read_u32_of(struct mt_reader *r, uint32_t wanted)
{
    uint32_t got = 0;
    MT_TRY(mt_read_u32le(r, &got));
    MT_REQUIRE(got == wanted, MT_E_FORMAT, "an HCL report says something else than is known");
    return MT_OK;
}

/* IgvmAttestRequestHeader: `len` is of all that is no filler. */
static MT_ERR read_head(struct mt_reader *r, uint32_t *len)
{
    enum { STATUS_AND_RESERVED = 16 };
    uint32_t version = 0;
    MT_TRY(read_u32_of(r, SIGNATURE));
    MT_TRY(mt_read_u32le(r, &version));
    MT_REQUIRE(version == 1 || version == 2, MT_E_FORMAT, "an HCL report of another version");
    MT_TRY(mt_read_u32le(r, len));
    MT_TRY(read_u32_of(r, REQUEST_AK_CERT));
    return read_zeros(r, STATUS_AND_RESERVED);
}

/* IgvmAttestRequestData, then the claims. */
static MT_ERR read_claims(struct mt_reader *r, struct mt_hcl_report *out)
{
    uint32_t len = 0;
    uint32_t kind = 0;
    uint32_t claims_len = 0;
    MT_TRY(mt_read_u32le(r, &len));
    MT_TRY(read_u32_of(r, CLAIMS_VERSION));
    MT_TRY(mt_read_u32le(r, &kind));
    MT_REQUIRE(kind == MT_HCL_SNP || kind == MT_HCL_TDX, MT_E_FORMAT,
               "an HCL report of other hardware than SEV-SNP and TDX");
    MT_TRY(read_u32_of(r, HASH_SHA256));
    MT_TRY(mt_read_u32le(r, &claims_len));
    MT_REQUIRE(claims_len > 0 && claims_len <= CLAIMS_MAX && len == CLAIMS_HEAD_LEN + claims_len,
               MT_E_FORMAT, "the claims in an HCL report are not as long as it says");
    out->kind = (enum mt_hcl_hardware)kind;
    return mt_read_bytes(r, claims_len, &out->runtime);
}

MT_ERR mt_hcl_report_parse(mt_bytes in, struct mt_hcl_report *out)
{
    struct mt_hcl_report h = {.kind = MT_HCL_SNP};
    struct mt_reader r = mt_reader_over(in);
    uint32_t len = 0;
    MT_TRY(read_head(&r, &len));
    MT_REQUIRE(in.len == len || in.len == MT_HCL_REPORT_LEN, MT_E_FORMAT,
               "an HCL report is not whole");
    MT_TRY(mt_read_bytes(&r, MT_HCL_HARDWARE_LEN, &h.hardware));
    MT_TRY(read_claims(&r, &h));
    MT_REQUIRE(in.len - r.rest.len == len, MT_E_FORMAT, "an HCL report has another length");
    MT_TRY(read_zeros(&r, r.rest.len));
    if (h.kind == MT_HCL_TDX) {
        struct mt_reader t = mt_reader_over(h.hardware);
        h.hardware = mt_take_bytes(&t, MT_HCL_TD_REPORT_LEN);
        MT_TRY(read_zeros(&t, t.rest.len));
    }
    *out = h;
    return MT_OK;
}

/* REPORTTYPE of a TD, version 0 or, with a service TD, 1; the hashes bind what follows to what the
 * processor has MACed. CPUSVN and MAC are for the machine itself. */
static MT_ERR read_mac_part(struct mt_reader *r, struct mt_hcl_td_report *out, mt_bytes hashes[2])
{
    enum { TYPE_TDX = 0x81, RESERVED = 12, CPU_SVN = 16, RESERVED_BEFORE_MAC = 32, MAC = 32 };
    uint8_t type[4];
    mt_bytes unread;
    MT_TRY(mt_read_copy(r, (mt_span){type, sizeof type}));
    MT_REQUIRE(type[0] == TYPE_TDX && type[1] == 0 && type[2] <= 1 && type[3] == 0, MT_E_FORMAT,
               "a report is not of a TD");
    MT_TRY(read_zeros(r, RESERVED));
    MT_TRY(mt_read_bytes(r, CPU_SVN, &unread));
    MT_TRY(mt_read_bytes(r, MT_SHA384_LEN, &hashes[0]));
    MT_TRY(mt_read_bytes(r, MT_SHA384_LEN, &hashes[1]));
    MT_TRY(mt_read_bytes(r, MT_REPORT_DATA_LEN, &out->report_data));
    MT_TRY(read_zeros(r, RESERVED_BEFORE_MAC));
    return mt_read_bytes(r, MAC, &unread);
}

/* TEE_TCB_INFO: which module runs. */
static void read_module(mt_bytes all, struct mt_hcl_td_report *out)
{
    enum { VALID = 8, SVN = 16, ATTRIBUTES = 8 };
    struct mt_reader r = mt_reader_over(all);
    (void)mt_take_bytes(&r, VALID);
    out->tee_tcb_svn = mt_take_bytes(&r, SVN);
    out->mr_seam = mt_take_bytes(&r, MT_SHA384_LEN);
    out->mr_signer_seam = mt_take_bytes(&r, MT_SHA384_LEN);
    out->seam_attributes = mt_take_bytes(&r, ATTRIBUTES);
}

static bool is_hash_of(mt_bytes hash, mt_bytes all)
{
    uint8_t got[MT_SHA384_LEN];
    mt_sha384(&all, 1, got);
    return mt_bytes_equal(hash, MT_BYTES_OF(got));
}

MT_ERR mt_hcl_td_report_parse(mt_bytes in, struct mt_hcl_td_report *out)
{
    enum { MODULE = 239, RESERVED = 17, TD = 512, ATTRIBUTES = 8, REGISTERS = 8 * MT_SHA384_LEN };
    struct mt_hcl_td_report t = {.report_data = {NULL, 0}};
    struct mt_reader r = mt_reader_over(in);
    mt_bytes hashes[2];
    mt_bytes module;
    mt_bytes td;
    MT_TRY(read_mac_part(&r, &t, hashes));
    MT_TRY(mt_read_bytes(&r, MODULE, &module));
    MT_TRY(read_zeros(&r, RESERVED));
    MT_TRY(mt_read_bytes(&r, TD, &td));
    MT_TRY(mt_read_end(&r));
    MT_REQUIRE(is_hash_of(hashes[0], module) && is_hash_of(hashes[1], td), MT_E_FORMAT,
               "a report of a TD is not what its hashes say");
    read_module(module, &t);
    struct mt_reader of_td = mt_reader_over(td);
    t.td_attributes = mt_take_bytes(&of_td, ATTRIBUTES);
    t.xfam = mt_take_bytes(&of_td, ATTRIBUTES);
    t.registers = mt_take_bytes(&of_td, REGISTERS);
    *out = t;
    return MT_OK;
}

void mt_hcl_report_data(mt_bytes runtime, uint8_t out[MT_REPORT_DATA_LEN])
{
    mt_hash h;
    mt_sha256(&runtime, 1, &h);
    memset(out, 0, MT_REPORT_DATA_LEN);
    memcpy(out, h.b, sizeof h.b);
}

bool mt_hcl_is_about_claims(const struct mt_hcl_report *h)
{
    uint8_t wanted[MT_REPORT_DATA_LEN];
    struct mt_snp_report report;
    struct mt_hcl_td_report td;
    bool is_snp = h->kind == MT_HCL_SNP;
    mt_hcl_report_data(h->runtime, wanted);
    mt_err e = is_snp ? mt_snp_report_parse(h->hardware, &report)
                      : mt_hcl_td_report_parse(h->hardware, &td);
    return !mt_failed(e) &&
           mt_bytes_equal(is_snp ? report.report_data : td.report_data, MT_BYTES_OF(wanted));
}

void mt_hcl_claims_done(struct mt_hcl_claims *c)
{
    mt_pubkey_free(&c->ak);
}

/* RFC 7517, RSA: both numbers in base64url. */
static MT_ERR read_key(const struct mt_json *jwk, struct mt_pubkey **out)
{
    enum { NUMBER_MAX = 1024 };
    MT_DEFER(mt_buf_free) struct mt_buf n = mt_buf_of_max(NUMBER_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf e = mt_buf_of_max(NUMBER_MAX);
    mt_bytes text;
    MT_TRY(mt_json_text(jwk, "kty", &text));
    MT_REQUIRE(mt_bytes_equal(text, MT_LITERAL("RSA")), MT_E_FORMAT, "a vTPM's key is not RSA");
    MT_TRY(mt_json_text(jwk, "n", &text));
    MT_TRY(mt_base64url_parse(text, &n));
    MT_TRY(mt_json_text(jwk, "e", &text));
    MT_TRY(mt_base64url_parse(text, &e));
    return mt_pubkey_of_rsa(mt_buf_bytes(&n), mt_buf_bytes(&e), out);
}

/* A key that may only sign. */
static MT_ERR check_use(const struct mt_json *jwk)
{
    const struct mt_json *uses = NULL;
    size_t count = 0;
    mt_bytes use = {NULL, 0};
    MT_TRY(mt_json_array(jwk, "key_ops", 1, &uses, &count));
    MT_REQUIRE(count == 1, MT_E_FORMAT, "a vTPM's key is for nothing");
    MT_TRY(mt_json_as_text(mt_json_at(uses, 0), &use));
    MT_REQUIRE(mt_bytes_equal(use, MT_LITERAL("sign")), MT_E_FORMAT,
               "a vTPM's attestation key is for something else than signing");
    return MT_OK;
}

/* The one of that name; two would leave open which one is meant. */
static MT_ERR find_ak(const struct mt_json *root, const struct mt_json **out)
{
    enum { KEYS_MAX = 16 };
    const struct mt_json *keys = NULL;
    size_t count = 0;
    MT_TRY(mt_json_array(root, "keys", KEYS_MAX, &keys, &count));
    for (size_t i = 0; i < count; i++) {
        const struct mt_json *jwk = mt_json_at(keys, i);
        mt_bytes id;
        MT_REQUIRE(mt_json_is_object(jwk), MT_E_FORMAT, "a key in runtime claims is no object");
        MT_TRY(mt_json_text(jwk, "kid", &id));
        if (mt_bytes_equal(id, MT_LITERAL("HCLAkPub"))) {
            MT_REQUIRE(*out == NULL, MT_E_FORMAT, "runtime claims name two attestation keys");
            *out = jwk;
        }
    }
    MT_REQUIRE(*out != NULL, MT_E_FORMAT, "runtime claims name no attestation key");
    return MT_OK;
}

/* 64 bytes that the guest has chosen, in digits of either case. */
static MT_ERR read_user_data(const struct mt_json *root, struct mt_hcl_claims *out)
{
    uint8_t digits[2 * sizeof out->user_data];
    mt_bytes text;
    if (!mt_json_has(root, "user-data")) {
        return MT_OK;
    }
    MT_TRY(mt_json_text(root, "user-data", &text));
    MT_REQUIRE(text.len == sizeof digits, MT_E_FORMAT, "user data is not of 64 bytes");
    for (size_t i = 0; i < sizeof digits; i++) {
        uint8_t c = text.ptr[i];
        digits[i] = c >= 'A' && c <= 'F' ? (uint8_t)(c - 'A' + 'a') : c;
    }
    MT_TRY(mt_hex_parse(MT_BYTES_OF(digits), (mt_span){out->user_data, sizeof out->user_data}));
    out->has_user_data = true;
    return MT_OK;
}

static MT_ERR read_machine(const struct mt_json *root, struct mt_hcl_claims *out)
{
    const struct mt_json *vm = NULL;
    if (!mt_json_has(root, "vm-configuration")) {
        return MT_OK;
    }
    MT_TRY(mt_json_object(root, "vm-configuration", &vm));
    out->has_secure_boot = mt_json_has(vm, "secure-boot");
    return out->has_secure_boot ? mt_json_bool(vm, "secure-boot", &out->is_secure_boot) : MT_OK;
}

MT_ERR mt_hcl_claims_parse(mt_bytes json, struct mt_hcl_claims *out)
{
    MT_DEFER(mt_json_free) struct mt_json *root = NULL;
    struct mt_hcl_claims c = {.ak = NULL};
    const struct mt_json *ak = NULL;
    MT_TRY(mt_json_parse(json, &root, NULL));
    MT_REQUIRE(mt_json_is_object(root), MT_E_FORMAT, "runtime claims are no object");
    MT_TRY(find_ak(root, &ak));
    MT_TRY(check_use(ak));
    MT_TRY(read_user_data(root, &c));
    MT_TRY(read_machine(root, &c));
    MT_TRY(read_key(ak, &c.ak));
    *out = c;
    return MT_OK;
}
