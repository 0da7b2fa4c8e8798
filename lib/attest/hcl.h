/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_HCL_H
#define MT_ATTEST_HCL_H

#include "attest/claims.h"
#include "crypto/pubkey.h"

/*
 * What the paravisor of a confidential virtual machine on Azure (Host Compatibility Layer, OpenHCL)
 * keeps in its vTPM at NV index 0x01400001 (spec/evidence-azure.md): a report of the hardware, and
 * the runtime claims that the report is about. Little endian; everything borrows from its bytes.
 */
enum {
    MT_HCL_REPORT_LEN = 2600,   /* of the NV index: zeros behind the claims */
    MT_HCL_HARDWARE_LEN = 1184, /* room for the longest report: of SEV-SNP */
    MT_HCL_TD_REPORT_LEN = 1024
};
enum mt_hcl_hardware { MT_HCL_SNP = 2, MT_HCL_TDX = 4 };

struct mt_hcl_report {
    enum mt_hcl_hardware kind;
    mt_bytes hardware; /* SNP: the report; TDX: TDREPORT_STRUCT, which only its machine can check */
    mt_bytes runtime;  /* JSON, as it was hashed */
};

/* MT_E_FORMAT unless it is the whole index, or all of it but the zeros. */
MT_ERR mt_hcl_report_parse(mt_bytes in, struct mt_hcl_report *out);

/* TDREPORT_STRUCT (Intel TDX module ABI): what a quote says as well. */
struct mt_hcl_td_report {
    mt_bytes report_data;
    mt_bytes tee_tcb_svn;
    mt_bytes mr_seam;
    mt_bytes mr_signer_seam;
    mt_bytes seam_attributes;
    mt_bytes td_attributes;
    mt_bytes xfam;
    mt_bytes registers; /* MRTD, MRCONFIGID, MROWNER, MROWNERCONFIG, RTMR 0 to 3 */
};
MT_ERR mt_hcl_td_report_parse(mt_bytes in, struct mt_hcl_td_report *out);

/* Whether the hardware's report is about the claims beside it: SHA-256 of them, byte for byte, then
 * zeros. A report of a TD proves nothing by that; nor does one of SNP that nobody has verified. */
bool mt_hcl_is_about_claims(const struct mt_hcl_report *h);
/* What a report about these claims says. */
void mt_hcl_report_data(mt_bytes runtime, uint8_t out[MT_REPORT_DATA_LEN]);

/* What the paravisor says of its virtual machine. */
struct mt_hcl_claims {
    struct mt_pubkey *ak; /* owned; mt_hcl_claims_done(): the key that quotes, RSA */
    uint8_t user_data[64];
    bool has_user_data;
    bool has_secure_boot; /* whether it says so at all */
    bool is_secure_boot;
};
MT_ERR mt_hcl_claims_parse(mt_bytes json, struct mt_hcl_claims *out);
void mt_hcl_claims_done(struct mt_hcl_claims *c);

#endif
