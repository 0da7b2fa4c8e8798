/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/tpm_structs.h"

enum {
    ST_ATTEST_QUOTE = 0x8018,
    NAME_MAX = 2 + MT_TPM_DIGEST_MAX,
    RSA_BYTES_MAX = 512,
    COORDINATE_MAX = 48,
    RSA_EXPONENT_DEFAULT = 65537,
    KNOWN_ATTRIBUTES = 0x704f6 /* TPMA_OBJECT without encryptedDuplication and x509sign */
};
static const uint8_t generated[] = {0xff, 'T', 'C', 'G'};

size_t mt_tpm_digest_len(uint16_t hash)
{
    switch (hash) {
    case MT_TPM_SHA1:
        return 20;
    case MT_TPM_SHA256:
        return 32;
    case MT_TPM_SHA384:
        return 48;
    case MT_TPM_SHA512:
        return 64;
    default:
        return 0;
    }
}

/* TPM2B_...: a length, then so many bytes. */
static MT_ERR read_sized(struct mt_reader *r, size_t max, mt_bytes *out)
{
    uint16_t len = 0;
    MT_TRY(mt_read_u16be(r, &len));
    MT_REQUIRE(len <= max, MT_E_FORMAT, "a part of a TPM's structure is too long");
    return mt_read_bytes(r, len, out);
}

static MT_ERR read_hash(struct mt_reader *r, uint16_t *out)
{
    MT_TRY(mt_read_u16be(r, out));
    MT_REQUIRE(mt_tpm_digest_len(*out) > 0, MT_E_FORMAT, "a TPM's structure names no known hash");
    return MT_OK;
}

bool mt_tpm_is_generated(mt_bytes in)
{
    return mt_bytes_start_with(in, MT_BYTES_OF(generated));
}

static MT_ERR read_clock(struct mt_reader *r, struct mt_tpm_quote *q)
{
    uint8_t safe = 0;
    MT_TRY(mt_read_u64be(r, &q->clock));
    MT_TRY(mt_read_u32be(r, &q->reset_count));
    MT_TRY(mt_read_u32be(r, &q->restart_count));
    MT_TRY(mt_read_u8(r, &safe));
    MT_REQUIRE(safe <= 1, MT_E_FORMAT, "a TPM says neither yes nor no");
    q->is_safe = safe == 1;
    return mt_read_bytes(r, 8, &q->firmware_version);
}

/* TPMS_PCR_SELECTION: a hash, and a bit for each PCR. */
static MT_ERR read_selection(struct mt_reader *r, struct mt_tpm_selection *out)
{
    uint8_t len = 0;
    MT_TRY(read_hash(r, &out->hash));
    MT_TRY(mt_read_u8(r, &len));
    MT_REQUIRE(len > 0 && len <= MT_TPM_PCRS / 8, MT_E_FORMAT,
               "a quote selects PCRs that no PC has");
    out->pcrs = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t eight = 0;
        MT_TRY(mt_read_u8(r, &eight));
        out->pcrs |= (uint32_t)eight << (8 * i);
    }
    return MT_OK;
}

static MT_ERR read_selections(struct mt_reader *r, struct mt_tpm_quote *q)
{
    uint32_t count = 0;
    MT_TRY(mt_read_u32be(r, &count));
    MT_REQUIRE(count > 0 && count <= MT_TPM_BANKS_MAX, MT_E_FORMAT,
               "a quote is about no bank of PCRs, or too many");
    for (size_t i = 0; i < count; i++) {
        MT_TRY(read_selection(r, &q->banks[i]));
        for (size_t j = 0; j < i; j++) {
            MT_REQUIRE(q->banks[j].hash != q->banks[i].hash, MT_E_FORMAT,
                       "a quote selects a bank twice");
        }
    }
    q->banks_count = count;
    return MT_OK;
}

MT_ERR mt_tpm_quote_parse(mt_bytes in, struct mt_tpm_quote *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_tpm_quote q = {.clock = 0};
    mt_bytes magic;
    uint16_t type = 0;
    MT_TRY(mt_read_bytes(&r, sizeof generated, &magic));
    MT_REQUIRE(mt_tpm_is_generated(magic), MT_E_FORMAT, "no TPM has made these bytes");
    MT_TRY(mt_read_u16be(&r, &type));
    MT_REQUIRE(type == ST_ATTEST_QUOTE, MT_E_FORMAT, "a TPM has signed this, and it is no quote");
    MT_TRY(read_sized(&r, NAME_MAX, &q.signer));
    MT_TRY(read_sized(&r, MT_TPM_DATA_MAX, &q.extra_data));
    MT_TRY(read_clock(&r, &q));
    MT_TRY(read_selections(&r, &q));
    MT_TRY(read_sized(&r, MT_TPM_DIGEST_MAX, &q.pcr_digest));
    MT_TRY(mt_read_end(&r));
    *out = q;
    return MT_OK;
}

MT_ERR mt_tpm_signature_parse(mt_bytes in, struct mt_tpm_signature *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_tpm_signature s = {.scheme = 0};
    MT_TRY(mt_read_u16be(&r, &s.scheme));
    MT_REQUIRE(s.scheme == MT_TPM_RSASSA || s.scheme == MT_TPM_RSAPSS || s.scheme == MT_TPM_ECDSA,
               MT_E_FORMAT, "a TPM's signature is of no known scheme");
    MT_TRY(read_hash(&r, &s.hash));
    if (s.scheme == MT_TPM_ECDSA) {
        MT_TRY(read_sized(&r, COORDINATE_MAX, &s.r));
        MT_TRY(read_sized(&r, COORDINATE_MAX, &s.s));
    } else {
        MT_TRY(read_sized(&r, RSA_BYTES_MAX, &s.rsa));
    }
    MT_TRY(mt_read_end(&r));
    *out = s;
    return MT_OK;
}

/* TPMT_SYM_DEF_OBJECT: what a key that wraps others wraps them with. */
static MT_ERR read_symmetric(struct mt_reader *r, struct mt_tpm_public *p)
{
    MT_TRY(mt_read_u16be(r, &p->symmetric));
    if (p->symmetric != MT_TPM_NULL) {
        MT_TRY(mt_read_u16be(r, &p->symmetric_bits));
        MT_TRY(mt_read_u16be(r, &p->symmetric_mode));
    }
    return MT_OK;
}

static MT_ERR read_scheme(struct mt_reader *r, struct mt_tpm_public *p)
{
    MT_TRY(mt_read_u16be(r, &p->scheme));
    if (p->scheme == MT_TPM_NULL) {
        return MT_OK;
    }
    MT_REQUIRE(p->scheme == MT_TPM_RSASSA || p->scheme == MT_TPM_RSAPSS ||
                   p->scheme == MT_TPM_ECDSA,
               MT_E_FORMAT, "a TPM's key signs by no known scheme");
    return read_hash(r, &p->scheme_hash);
}

static MT_ERR read_rsa(struct mt_reader *r, struct mt_tpm_public *p)
{
    uint16_t bits = 0;
    MT_TRY(mt_read_u16be(r, &bits));
    MT_TRY(mt_read_u32be(r, &p->exponent));
    p->exponent = p->exponent == 0 ? RSA_EXPONENT_DEFAULT : p->exponent;
    MT_TRY(read_sized(r, RSA_BYTES_MAX, &p->n));
    MT_REQUIRE(p->n.len * 8 == bits, MT_E_FORMAT, "a TPM's key has another length than it says");
    return MT_OK;
}

static MT_ERR read_ecc(struct mt_reader *r, struct mt_tpm_public *p)
{
    uint16_t kdf = 0;
    MT_TRY(mt_read_u16be(r, &p->curve));
    MT_REQUIRE(p->curve == MT_TPM_CURVE_P256 || p->curve == MT_TPM_CURVE_P384, MT_E_FORMAT,
               "a TPM's key is on no known curve");
    size_t len = p->curve == MT_TPM_CURVE_P256 ? 32 : 48;
    MT_TRY(mt_read_u16be(r, &kdf));
    MT_REQUIRE(kdf == MT_TPM_NULL, MT_E_FORMAT, "a TPM's key derives no others");
    MT_TRY(read_sized(r, len, &p->x));
    return read_sized(r, len, &p->y);
}

MT_ERR mt_tpm_public_parse(mt_bytes in, struct mt_tpm_public *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_tpm_public p = {.type = 0};
    mt_bytes policy;
    MT_TRY(mt_read_u16be(&r, &p.type));
    MT_REQUIRE(p.type == MT_TPM_RSA || p.type == MT_TPM_ECC, MT_E_FORMAT,
               "a TPM's key is neither RSA nor elliptic");
    MT_TRY(read_hash(&r, &p.name_hash));
    MT_TRY(mt_read_u32be(&r, &p.attributes));
    MT_REQUIRE((p.attributes & ~(uint32_t)KNOWN_ATTRIBUTES) == 0, MT_E_FORMAT,
               "a TPM's key has an attribute that we do not know");
    MT_TRY(read_sized(&r, MT_TPM_DIGEST_MAX, &policy));
    MT_TRY(read_symmetric(&r, &p));
    MT_TRY(read_scheme(&r, &p));
    MT_TRY(p.type == MT_TPM_RSA ? read_rsa(&r, &p) : read_ecc(&r, &p));
    MT_TRY(mt_read_end(&r));
    *out = p;
    return MT_OK;
}
