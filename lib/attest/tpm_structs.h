/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_TPM_STRUCTS_H
#define MT_ATTEST_TPM_STRUCTS_H

#include "base/bytes.h"

/*
 * What a TPM signs and what it signs with, in the words of the TPM 2.0 Library, Part 2 (big
 * endian). Each parser takes one structure and not a byte more; everything borrows from its bytes.
 */
enum {
    MT_TPM_PCRS = 24,      /* of a PC client */
    MT_TPM_BANKS_MAX = 4,  /* in one quote */
    MT_TPM_DATA_MAX = 64,  /* TPM2B_DATA that we take: as long as the longest digest */
    MT_TPM_DIGEST_MAX = 64 /* SHA-512 */
};

/* TPM_ALG_ID: of those that we know, none else is parsed. */
enum mt_tpm_alg {
    MT_TPM_RSA = 0x0001,
    MT_TPM_SHA1 = 0x0004,
    MT_TPM_AES = 0x0006,
    MT_TPM_SHA256 = 0x000b,
    MT_TPM_SHA384 = 0x000c,
    MT_TPM_SHA512 = 0x000d,
    MT_TPM_NULL = 0x0010,
    MT_TPM_RSASSA = 0x0014,
    MT_TPM_RSAPSS = 0x0016,
    MT_TPM_ECDSA = 0x0018,
    MT_TPM_ECC = 0x0023,
    MT_TPM_CFB = 0x0043,
};

/* Bytes of a digest; 0 for what is no hash that we know. */
size_t mt_tpm_digest_len(uint16_t hash);

/* TPMS_ATTEST of the type TPM_ST_ATTEST_QUOTE. */
struct mt_tpm_selection {
    uint16_t hash; /* the bank */
    uint32_t pcrs; /* a bit for each */
};
struct mt_tpm_quote {
    mt_bytes signer; /* TPM2B_NAME: the qualified name of the key */
    mt_bytes extra_data;
    uint64_t clock; /* ms that this TPM has run since it was cleared */
    uint32_t reset_count;
    uint32_t restart_count;
    bool is_safe;              /* the clock was stopped in order: it does not repeat */
    mt_bytes firmware_version; /* 8 bytes, in its maker's order of them */
    struct mt_tpm_selection banks[MT_TPM_BANKS_MAX];
    size_t banks_count;
    mt_bytes pcr_digest;
};
MT_ERR mt_tpm_quote_parse(mt_bytes in, struct mt_tpm_quote *out);
/* Whether it begins as anything does that a TPM has made and signed (TPM_GENERATED_VALUE). */
bool mt_tpm_is_generated(mt_bytes in);

/* TPMT_SIGNATURE: RSASSA, RSAPSS or ECDSA. */
struct mt_tpm_signature {
    uint16_t scheme;
    uint16_t hash;
    mt_bytes rsa;
    mt_bytes r; /* ECDSA: big endian, zeros in front perhaps left out */
    mt_bytes s;
};
MT_ERR mt_tpm_signature_parse(mt_bytes in, struct mt_tpm_signature *out);

/* TPMA_OBJECT. */
enum {
    MT_TPM_FIXED_TPM = 1 << 1,
    MT_TPM_FIXED_PARENT = 1 << 4,
    MT_TPM_SENSITIVE_DATA_ORIGIN = 1 << 5,
    MT_TPM_RESTRICTED = 1 << 16,
    MT_TPM_DECRYPT = 1 << 17,
    MT_TPM_SIGN = 1 << 18
};
enum { MT_TPM_CURVE_P256 = 3, MT_TPM_CURVE_P384 = 4 };

/* TPMT_PUBLIC of a key that signs, or of one that keeps others: RSA, or ECC on P-256 or P-384. */
struct mt_tpm_public {
    uint16_t type;
    uint16_t name_hash;
    uint32_t attributes;
    uint16_t symmetric; /* what it wraps others with; MT_TPM_NULL: it does not */
    uint16_t symmetric_bits;
    uint16_t symmetric_mode;
    uint16_t scheme; /* MT_TPM_NULL: any */
    uint16_t scheme_hash;
    uint16_t curve;
    uint32_t exponent; /* of RSA; never 0 */
    mt_bytes n;
    mt_bytes x; /* zeros in front perhaps left out */
    mt_bytes y;
};
MT_ERR mt_tpm_public_parse(mt_bytes in, struct mt_tpm_public *out);

#endif
