/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "ledger/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mt_chunk_header h;
    uint8_t written[MT_CHUNK_HEADER_LEN];
    mt_bytes in = {data, len};

    if (!mt_failed(mt_chunk_header_parse(in, &h))) {
        mt_chunk_header_write(&h, written);
        MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(written), in));
    }
    return 0;
}
