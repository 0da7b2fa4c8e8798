/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "seal/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is accepted is written back byte for byte, and fits its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mt_slot s;
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    mt_bytes in = {data, len};
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (!mt_failed(mt_slot_parse(in, &s))) {
        mt_slot_write(&w, &s);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)) && mt_bytes_equal(in, out));
    }
    return 0;
}
