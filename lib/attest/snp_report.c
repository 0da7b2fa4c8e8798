/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/snp_report.h"

#include "base/assert.h"

enum { ECDSA_P384_SHA384 = 1, SCALAR_LEN = 48, SCALAR_ROOM = 72 };

static bool is_zero(mt_bytes b)
{
    uint8_t all = 0;
    for (size_t i = 0; i < b.len; i++) {
        all |= b.ptr[i];
    }
    return all == 0;
}

/* The next `len` bytes, which the specification reserves. */
static MT_ERR read_zeros(struct mt_reader *r, size_t len)
{
    MT_REQUIRE(is_zero(mt_take_bytes(r, len)), MT_E_FORMAT,
               "a reserved field of an SNP report is not zero");
    return MT_OK;
}

static MT_ERR read_version(struct mt_reader *r, uint32_t *out)
{
    *out = mt_take_u32le(r);
    MT_REQUIRE(*out != 4, MT_E_FORMAT, "an SNP report of version 4, which no verifier knows");
    MT_REQUIRE(*out == 2 || *out == 3 || *out == 5, MT_E_FORMAT,
               "an SNP report of another version than 2, 3 and 5");
    return MT_OK;
}

/* SIGNING_KEY in bits 4:2, MASK_CHIP_KEY in bit 1, AUTHOR_KEY_EN in bit 0. */
static MT_ERR read_signer(struct mt_reader *r, struct mt_snp_report *out)
{
    uint32_t signer = mt_take_u32le(r);
    uint32_t key = signer >> 2;
    MT_REQUIRE(key == MT_SNP_VCEK || key == MT_SNP_VLEK || key == MT_SNP_UNSIGNED, MT_E_FORMAT,
               "an SNP report names a signing key that is none");
    out->key = (enum mt_snp_key)key;
    out->is_chip_key_masked = (signer & 2) != 0;
    return MT_OK;
}

/* All of a report is there: its length is the first that is looked at. Up to the reported TCB. */
static MT_ERR read_guest(struct mt_reader *r, struct mt_snp_report *out)
{
    MT_TRY(read_version(r, &out->version));
    out->guest_svn = mt_take_u32le(r);
    out->policy = mt_take_u64le(r);
    MT_REQUIRE((out->policy & MT_SNP_POLICY_RESERVED_ONE) != 0, MT_E_FORMAT,
               "the guest policy of an SNP report lacks the bit that all have");
    out->family_id = mt_take_bytes(r, 16);
    out->image_id = mt_take_bytes(r, 16);
    out->vmpl = mt_take_u32le(r);
    MT_REQUIRE(out->vmpl <= 3, MT_E_FORMAT, "an SNP report names a VMPL that is none");
    MT_REQUIRE(mt_take_u32le(r) == ECDSA_P384_SHA384, MT_E_FORMAT,
               "an SNP report is not signed with ECDSA on P-384");
    out->current_tcb = mt_take_bytes(r, MT_SNP_TCB_LEN);
    out->platform_info = mt_take_u64le(r);
    MT_TRY(read_signer(r, out));
    MT_TRY(read_zeros(r, 4));
    out->report_data = mt_take_bytes(r, MT_REPORT_DATA_LEN);
    out->measurement = mt_take_bytes(r, MT_SNP_MEASUREMENT_LEN);
    out->host_data = mt_take_bytes(r, 32);
    out->id_key_digest = mt_take_bytes(r, 48);
    out->author_key_digest = mt_take_bytes(r, 48);
    out->report_id = mt_take_bytes(r, 32);
    out->report_id_ma = mt_take_bytes(r, 32);
    out->reported_tcb = mt_take_bytes(r, MT_SNP_TCB_LEN);
    return MT_OK;
}

/* Family and model as CPUID leaf 1 tells them, extended parts added. */
static MT_ERR line_of(uint8_t family, uint8_t model, enum mt_snp_line *out)
{
    if (family == 0x19 && model <= 0x0f) {
        *out = MT_SNP_MILAN;
    } else if (family == 0x19 && (model >> 4 == 0x1 || model >> 4 == 0xa)) {
        *out = MT_SNP_GENOA; /* and Bergamo, Siena */
    } else if (family == 0x1a && model <= 0x11) {
        *out = MT_SNP_TURIN;
    } else {
        MT_FAIL(MT_E_FORMAT, "an SNP report of a processor that is not Milan, Genoa or Turin");
    }
    return MT_OK;
}

static MT_ERR read_processor(struct mt_reader *r, struct mt_snp_report *out)
{
    out->cpuid = mt_take_bytes(r, 3);
    out->has_line = out->version >= 3;
    if (out->has_line) {
        MT_TRY(line_of(out->cpuid.ptr[0], out->cpuid.ptr[1], &out->line));
    } else {
        MT_REQUIRE(is_zero(out->cpuid), MT_E_FORMAT,
                   "a reserved field of an SNP report is not zero");
    }
    return read_zeros(r, 21);
}

/* From the processor to the end of what is signed. */
static MT_ERR read_host(struct mt_reader *r, struct mt_snp_report *out)
{
    MT_TRY(read_processor(r, out));
    out->chip_id = mt_take_bytes(r, MT_SNP_CHIP_ID_LEN);
    out->committed_tcb = mt_take_bytes(r, MT_SNP_TCB_LEN);
    out->current_build = mt_take_bytes(r, 3);
    MT_TRY(read_zeros(r, 1));
    out->committed_build = mt_take_bytes(r, 3);
    MT_TRY(read_zeros(r, 1));
    out->launch_tcb = mt_take_bytes(r, MT_SNP_TCB_LEN);
    if (out->version >= 5) {
        out->launch_mitigations = mt_take_u64le(r);
        out->current_mitigations = mt_take_u64le(r);
        return read_zeros(r, 152);
    }
    return read_zeros(r, 168);
}

/* A number of 72 bytes, little endian, as P-384 wants it: 48, big endian. */
static MT_ERR read_scalar(struct mt_reader *r, uint8_t out[SCALAR_LEN])
{
    mt_bytes number = mt_take_bytes(r, SCALAR_LEN);
    for (size_t i = 0; i < SCALAR_LEN; i++) {
        out[i] = number.ptr[SCALAR_LEN - 1 - i];
    }
    return read_zeros(r, SCALAR_ROOM - SCALAR_LEN);
}

MT_ERR mt_snp_report_parse(mt_bytes in, struct mt_snp_report *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_snp_report got = {.version = 0};
    MT_REQUIRE(in.len == MT_SNP_REPORT_LEN, MT_E_FORMAT, "an SNP report has 1184 bytes");
    MT_TRY(read_guest(&r, &got));
    MT_TRY(read_host(&r, &got));
    MT_ASSERT(in.len - r.rest.len == MT_SNP_SIGNED_LEN); /* the fields above are all of it */
    got.signed_part = (mt_bytes){in.ptr, MT_SNP_SIGNED_LEN};
    MT_TRY(read_scalar(&r, got.signature));
    MT_TRY(read_scalar(&r, got.signature + SCALAR_LEN));
    MT_TRY(read_zeros(&r, r.rest.len));
    *out = got;
    return MT_OK;
}
