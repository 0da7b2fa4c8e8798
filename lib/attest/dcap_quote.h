/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_DCAP_QUOTE_H
#define MT_ATTEST_DCAP_QUOTE_H

#include "base/bytes.h"

/*
 * The layout of an Intel DCAP quote (spec/evidence-dcap.md): version 3 (SGX), 4 and 5 (SGX, TDX).
 * It says what stands where and believes nothing. Little endian; everything borrows from the quote.
 */
enum mt_dcap_body { MT_DCAP_SGX = 1, MT_DCAP_TD10, MT_DCAP_TD15, MT_DCAP_TD15_EX };

struct mt_sgx_report {
    mt_bytes cpu_svn;
    mt_bytes misc_select;
    mt_bytes attributes;
    mt_bytes mr_enclave;
    mt_bytes mr_signer;
    uint16_t isv_prod_id;
    uint16_t isv_svn;
    mt_bytes report_data;
};

struct mt_td_report {
    mt_bytes tee_tcb_svn;
    mt_bytes mr_seam;
    mt_bytes mr_signer_seam;
    mt_bytes seam_attributes;
    mt_bytes td_attributes;
    mt_bytes xfam;
    mt_bytes mr_td;
    mt_bytes mr_config_id;
    mt_bytes mr_owner;
    mt_bytes mr_owner_config;
    mt_bytes rtmr[4];
    mt_bytes report_data;
    mt_bytes tee_tcb_svn2;  /* empty before TD 1.5 */
    mt_bytes mr_service_td; /* likewise */
};

enum { MT_DCAP_CERT_CHAIN = 5 };

struct mt_dcap_quote {
    uint16_t version;
    enum mt_dcap_body body;
    mt_bytes signed_bytes;
    struct mt_sgx_report sgx; /* of MT_DCAP_SGX */
    struct mt_td_report td;   /* of the others */
    mt_bytes signature;       /* by the attestation key */
    mt_bytes attestation_key; /* x || y */
    mt_bytes qe_report_bytes;
    struct mt_sgx_report qe_report;
    mt_bytes qe_report_signature; /* by the PCK */
    mt_bytes qe_auth_data;
    uint16_t cert_type;
    mt_bytes cert_data;
};

/* Bytes after the signature data are nobody's: senders hand out whole buffers. Every length inside
 * must be exact. */
MT_ERR mt_dcap_quote_parse(mt_bytes in, struct mt_dcap_quote *out);

#endif
