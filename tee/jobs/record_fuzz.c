/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/record.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is accepted is written back byte for byte; the name of the row is a literal of the service
 * there, so not here. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct mt_job_record rec;
    static char row[4096];
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max((size_t)1 << 20);
    struct mt_writer w = mt_writer_onto(&again);
    mt_bytes written;
    if (!mt_failed(mt_job_record_parse((mt_bytes){data, len}, &rec)) && rec.row.len < sizeof row) {
        for (size_t i = 0; i < rec.row.len; i++) {
            row[i] = (char)rec.row.ptr[i];
            if (row[i] == 0) {
                return 0;
            }
        }
        row[rec.row.len] = 0;
        rec.start.row = row;
        mt_job_record_write(&w, &rec.start, rec.attempt);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &written)));
        MT_ASSERT(mt_bytes_equal(written, (mt_bytes){data, len}));
    }
    return 0;
}
