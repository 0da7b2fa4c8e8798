/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sign.h"

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

/* One encoding a key. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    begin();
    mt_spki key;
    if (!mt_failed(mt_spki_parse((mt_bytes){data, len}, &key))) {
        MT_ASSERT(mt_bytes_equal(mt_spki_bytes(&key), (mt_bytes){data, len}));
    }
    return 0;
}
