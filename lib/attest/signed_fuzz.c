/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/signed.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* Nobody but the key signs: what verifies must be the very seed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    mt_spki signer;
    mt_bytes payload;
    if (!mt_failed(mt_signed_parse((mt_bytes){data, len}, MT_LABEL_APPROVAL, &signer, &payload))) {
        MT_ASSERT(payload.ptr >= data && payload.ptr + payload.len <= data + len);
    }
    return 0;
}
