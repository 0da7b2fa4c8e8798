/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_TPM_SEALED_H
#define MT_PLATFORM_TPM_SEALED_H

#include <tss2/tss2_mu.h>

#include "base/id.h"
#include "crypto/sign.h"

/* A secret that only this TPM opens (spec/tpm-sealed.md). The host keeps it: nothing in it is
 * believed that the TPM does not check. */
struct mt_tpm_sealed {
    mt_hash measured; /* policy of the PCRs when it was sealed */
    bool has_operator;
    mt_spki operator_key; /* whose word opens it to another image */
    bool is_counted;      /* not of version 1 */
    uint64_t until;       /* what the counter of key slots may have come to */
    TPM2B_PUBLIC area;
    TPM2B_PRIVATE private;
};

/* MT_E_CONFLICT: of another version. */
MT_ERR mt_tpm_sealed_parse(mt_bytes in, struct mt_tpm_sealed *out);
MT_ERR mt_tpm_sealed_write(const struct mt_tpm_sealed *s, struct mt_buf *out);

/* The policy of the whole: those PCRs, or whatever the operator has signed; and the counter. */
void mt_tpm_sealed_policy(const struct mt_tpm_sealed *s, mt_hash *out);

#endif
