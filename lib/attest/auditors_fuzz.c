/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/auditors.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* What is accepted is written back byte for byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    static struct mt_auditors_list list;
    static struct mt_auditor_signature signatures[MT_AUDITORS_MAX];
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max((size_t)1 << 20);
    MT_DEFER(mt_buf_free) struct mt_buf inner = mt_buf_of_max((size_t)1 << 20);
    struct mt_writer w = mt_writer_onto(&again);
    struct mt_writer p = mt_writer_onto(&inner);
    mt_bytes payload;
    mt_bytes written;
    size_t count = 0;
    if (!mt_failed(mt_auditors_parse((mt_bytes){data, len}, &list, &payload, signatures, &count))) {
        mt_auditors_payload_write(&p, &list);
        MT_ASSERT(!mt_failed(mt_write_end(&p, &written)) && mt_bytes_equal(written, payload));
        mt_auditors_write(&w, payload, signatures, count);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &written)) &&
                  mt_bytes_equal(written, (mt_bytes){data, len}));
    }
    return 0;
}
