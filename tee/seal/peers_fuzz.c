/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "seal/peers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is accepted is written back byte for byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct mt_peers p;
    mt_bytes in = {data, len};
    mt_bytes out;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(len);
    struct mt_writer w = mt_writer_onto(&room);
    if (!mt_failed(mt_peers_parse(in, &p))) {
        mt_peers_write(&w, &p);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)) && mt_bytes_equal(in, out));
    }
    return 0;
}
