/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/bundle.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* What is a bundle is written again to the very bytes: it has one encoding. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    struct mt_bundle b;
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max(len + 1);
    struct mt_writer w = mt_writer_onto(&again);
    mt_bytes bytes;
    if (mt_failed(mt_bundle_parse((mt_bytes){data, len}, &b))) {
        return 0;
    }
    mt_bundle_write(&w, &b);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &bytes)));
    MT_ASSERT(mt_bytes_equal(bytes, (mt_bytes){data, len}));
    return 0;
}
