/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "compute/columns/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The first byte is the scale. What is accepted comes back from its canonical text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0) {
        return 0;
    }
    uint32_t scale = data[0] % (MT_DECIMAL_DIGITS_MAX + 1);
    mt_int128 value = 0;
    mt_err e = mt_decimal_parse((mt_bytes){data + 1, len - 1}, scale, &value);
    if (mt_failed(e)) {
        MT_ASSERT(e.fault->code == MT_E_FORMAT || e.fault->code == MT_E_LIMIT);
        return 0;
    }
    uint8_t room[MT_DECIMAL_TEXT_BYTES_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_decimal_write(&w, value, scale);
    MT_ASSERT(!mt_failed(w.failed));
    mt_int128 again = 0;
    MT_ASSERT(!mt_failed(mt_decimal_parse((mt_bytes){room, w.used}, scale, &again)));
    MT_ASSERT(again == value);
    return 0;
}
