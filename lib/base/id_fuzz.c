/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Whatever is accepted is written back byte for byte: there is one text for each value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    mt_bytes in = {data, len};
    MT_DEFER(mt_buf_free) struct mt_buf value = mt_buf_of_max(MT_NAME_BYTES_MAX * 2);
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(MT_NAME_BYTES_MAX * 4);
    struct mt_writer w = mt_writer_onto(&text);
    uint8_t room[MT_NAME_BYTES_MAX];
    mt_bytes written;
    uint64_t ms = 0;

    if (!mt_failed(mt_time_parse(in, &ms))) {
        mt_time_write(&w, ms);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &written)));
        MT_ASSERT(mt_bytes_equal(in, written));
        w = mt_writer_onto(&text);
    }
    if (!mt_failed(mt_base64url_parse(in, &value))) {
        mt_base64url_write(&w, mt_buf_bytes(&value));
        MT_ASSERT(!mt_failed(mt_write_end(&w, &written)));
        MT_ASSERT(mt_bytes_equal(in, written));
    }
    mt_span half = {room, len / 2 < sizeof room ? len / 2 : sizeof room};
    if (!mt_failed(mt_hex_parse(in, half))) {
        w = mt_writer_onto(&text);
        mt_hex_write(&w, mt_bytes_of(half));
        MT_ASSERT(!mt_failed(mt_write_end(&w, &written)));
        MT_ASSERT(mt_bytes_equal(in, written));
    }
    return 0;
}
