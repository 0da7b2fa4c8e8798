/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/tpm/sealed.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* What is a sealed secret is written again to the very bytes: it has one form. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    struct mt_tpm_sealed s;
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max(len + 1);
    if (mt_failed(mt_tpm_sealed_parse((mt_bytes){data, len}, &s))) {
        return 0;
    }
    MT_ASSERT(!mt_failed(mt_tpm_sealed_write(&s, &again)));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&again), (mt_bytes){data, len}));
    return 0;
}
