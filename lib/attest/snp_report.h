/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_SNP_REPORT_H
#define MT_ATTEST_SNP_REPORT_H

#include "attest/claims.h"

/*
 * An attestation report of AMD SEV-SNP (AMD 56860, SEV Secure Nested Paging Firmware ABI, table
 * ATTESTATION_REPORT): 1184 bytes, little endian, versions 2, 3 and 5. Others are refused by name:
 * what a field means there is not ours to guess.
 */
enum {
    MT_SNP_REPORT_LEN = 1184,
    MT_SNP_SIGNED_LEN = 0x2a0, /* the signature is over these first bytes */
    MT_SNP_MEASUREMENT_LEN = 48,
    MT_SNP_CHIP_ID_LEN = 64,
    MT_SNP_TCB_LEN = 8,
    MT_SNP_SIGNATURE_LEN = 96, /* r || s, big endian */
};

/* Bits of the guest policy. */
#define MT_SNP_POLICY_RESERVED_ONE (UINT64_C(1) << 17)
#define MT_SNP_POLICY_MIGRATE_MA   (UINT64_C(1) << 18)
#define MT_SNP_POLICY_DEBUG        (UINT64_C(1) << 19)
#define MT_SNP_POLICY_UNKNOWN      (~UINT64_C(0) << 26)

/* What signed the report: a key of this chip, a key that a cloud was lent, or nothing. */
enum mt_snp_key { MT_SNP_VCEK = 0, MT_SNP_VLEK = 1, MT_SNP_UNSIGNED = 7 };

/* Product lines: each has a root of its own. */
enum mt_snp_line { MT_SNP_MILAN, MT_SNP_GENOA, MT_SNP_TURIN, MT_SNP_LINES };

struct mt_snp_report {
    uint32_t version;
    uint32_t guest_svn;
    uint64_t policy;
    uint32_t vmpl;
    uint64_t platform_info;
    bool is_chip_key_masked;
    enum mt_snp_key key;
    bool has_line; /* versions 3 and up name the processor */
    enum mt_snp_line line;
    uint64_t launch_mitigations; /* version 5 */
    uint64_t current_mitigations;
    /* Borrowed from the report, in its own byte order. */
    mt_bytes family_id;
    mt_bytes image_id;
    mt_bytes report_data;
    mt_bytes measurement;
    mt_bytes host_data;
    mt_bytes id_key_digest;
    mt_bytes author_key_digest;
    mt_bytes report_id;
    mt_bytes report_id_ma;
    mt_bytes chip_id;
    mt_bytes current_tcb;
    mt_bytes reported_tcb;
    mt_bytes committed_tcb;
    mt_bytes launch_tcb;
    mt_bytes cpuid;         /* family, model, stepping; zeros in version 2 */
    mt_bytes current_build; /* build, minor, major */
    mt_bytes committed_build;
    mt_bytes signed_part;
    uint8_t signature[MT_SNP_SIGNATURE_LEN];
};

/* MT_E_FORMAT unless it is exactly such a report, with zeros where the specification wants them. */
MT_ERR mt_snp_report_parse(mt_bytes in, struct mt_snp_report *out);

#endif
