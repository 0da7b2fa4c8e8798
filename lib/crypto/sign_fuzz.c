/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sign.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* One encoding a key. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    mt_spki key;
    if (!mt_failed(mt_spki_parse((mt_bytes){data, len}, &key))) {
        MT_ASSERT(mt_bytes_equal(mt_spki_bytes(&key), (mt_bytes){data, len}));
    }
    return 0;
}
