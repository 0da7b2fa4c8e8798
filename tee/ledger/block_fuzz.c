/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "ledger/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A header that is accepted is written back byte for byte; the parts of a block make up the whole.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mt_block_header h;
    struct mt_block b;
    uint8_t written[MT_BLOCK_HEADER_LEN];
    mt_bytes in = {data, len};

    if (len >= MT_BLOCK_HEADER_LEN &&
        !mt_failed(mt_block_header_parse((mt_bytes){data, MT_BLOCK_HEADER_LEN}, &h))) {
        mt_block_header_write(&h, written);
        MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(written), (mt_bytes){data, MT_BLOCK_HEADER_LEN}));
    }
    if (!mt_failed(mt_block_parse(in, &b))) {
        MT_ASSERT(b.head.len + b.sealed.len + b.leaves.len == len);
        MT_ASSERT(b.leaves.ptr + b.leaves.len == data + len);
        MT_ASSERT(mt_block_len(&b.header) == len);
    }
    return 0;
}
