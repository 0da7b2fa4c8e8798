/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/handle.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is accepted is written back byte for byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mt_object_handle h;
    uint8_t room[256];
    mt_bytes written;
    struct mt_reader r = mt_reader_over((mt_bytes){data, len});
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (!mt_failed(mt_object_handle_parse(&r, &h))) {
        mt_object_handle_write(&w, &h);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &written)));
        MT_ASSERT(mt_bytes_equal(written, (mt_bytes){data, len - r.rest.len}));
    }
    return 0;
}
