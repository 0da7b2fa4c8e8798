/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/eventlog.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* What is accepted is written back byte for byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    static struct mt_eventlog log;
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max((size_t)1 << 20);
    struct mt_writer w = mt_writer_onto(&again);
    mt_bytes written;
    if (!mt_failed(mt_eventlog_parse((mt_bytes){data, len}, &log))) {
        mt_eventlog_head_write(&w);
        for (size_t i = 0; i < log.count; i++) {
            mt_event_write(&w, &log.events[i]);
        }
        MT_ASSERT(!mt_failed(mt_write_end(&w, &written)));
        MT_ASSERT(mt_bytes_equal(written, (mt_bytes){data, len}));
    }
    return 0;
}
