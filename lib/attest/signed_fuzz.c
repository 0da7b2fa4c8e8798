/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/signed.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static mt_err zeros(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 7, out.len);
    return MT_OK;
}

static void begin(void)
{
    static bool has_begun;
    if (!has_begun) {
        MT_ASSERT(!mt_failed(mt_crypto_init(zeros, NULL)));
        has_begun = true;
    }
}

/* Nobody but the key signs: what verifies must be the very seed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    begin();
    mt_spki signer;
    mt_bytes payload;
    if (!mt_failed(mt_signed_parse((mt_bytes){data, len}, MT_LABEL_APPROVAL, &signer, &payload))) {
        MT_ASSERT(payload.ptr >= data && payload.ptr + payload.len <= data + len);
    }
    return 0;
}
