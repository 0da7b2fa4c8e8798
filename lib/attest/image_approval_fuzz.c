/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/image_approval.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* What is read is written again to the very bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    static struct mt_image_approvals all;
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max(len + 1);
    struct mt_writer w = mt_writer_onto(&again);
    mt_bytes bytes;
    if (mt_failed(mt_image_approvals_parse((mt_bytes){data, len}, &all))) {
        return 0;
    }
    for (size_t i = 0; i < all.count; i++) {
        mt_image_approval_write(&w, &all.list[i]);
    }
    MT_ASSERT(!mt_failed(mt_write_end(&w, &bytes)));
    MT_ASSERT(mt_bytes_equal(bytes, (mt_bytes){data, len}));
    return 0;
}
