/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_DCAP_PCK_H
#define MT_ATTEST_DCAP_PCK_H

#include "base/bytes.h"

/* Names by which a platform's certificate and what stands in it are known. */
#define MT_DCAP_PCK_OID      "1.2.840.113741.1.13.1"
#define MT_DCAP_PLATFORM_CA  "Intel SGX PCK Platform CA"
#define MT_DCAP_PROCESSOR_CA "Intel SGX PCK Processor CA"

/* What Intel says of a platform in its provisioning certificate: the extension
 * 1.2.840.113741.1.13.1 (spec/evidence-dcap.md). Borrows. */
struct mt_dcap_pck {
    mt_bytes ppid;          /* 16 bytes */
    uint8_t components[16]; /* security versions, as stored */
    uint16_t pce_svn;
    mt_bytes pce_id;               /* 2 */
    mt_bytes fmspc;                /* 6 */
    mt_bytes platform_instance_id; /* 16, or empty */
};

MT_ERR mt_dcap_pck_parse(mt_bytes extension, struct mt_dcap_pck *out);

#endif
