/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/audit.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static mt_err again(mt_bytes in, struct mt_writer *w)
{
    struct mt_reader records;
    struct mt_audit_record r;
    uint64_t count = 0;
    MT_TRY(mt_audit_item_parse(in, &records, &count));
    mt_audit_item_write(w, (size_t)count);
    for (uint64_t i = 0; i < count; i++) {
        MT_TRY(mt_audit_record_parse(&records, &r));
        mt_audit_record_write(w, &r);
    }
    return mt_read_end(&records);
}

/* What is accepted is what the writer makes: one item has one hash. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    mt_bytes in = {data, len};
    mt_bytes out;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(len);
    struct mt_writer w = mt_writer_onto(&room);
    if (!mt_failed(again(in, &w))) {
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)) && mt_bytes_equal(in, out));
    }
    return 0;
}
