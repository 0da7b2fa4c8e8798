/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node/config.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is accepted is accepted again as it is measured, and measured the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct mt_config a;
    static struct mt_config b;
    struct mt_config_fault fault;
    MT_DEFER(mt_buf_free) struct mt_buf first = mt_buf_of_max((size_t)1 << 16);
    MT_DEFER(mt_buf_free) struct mt_buf second = mt_buf_of_max((size_t)1 << 16);
    struct mt_writer w = mt_writer_onto(&first);
    struct mt_writer v = mt_writer_onto(&second);
    if (mt_failed(mt_config_parse((mt_bytes){data, len}, &a, &fault))) {
        MT_ASSERT(fault.reason[0] != 0);
        return 0;
    }
    mt_config_write(&w, &a);
    MT_ASSERT(!mt_failed(w.failed));
    MT_ASSERT(!mt_failed(mt_config_parse(mt_buf_bytes(&first), &b, &fault)));
    mt_config_write(&v, &b);
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&first), mt_buf_bytes(&second)));
    return 0;
}
