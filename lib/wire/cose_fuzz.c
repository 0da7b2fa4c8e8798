/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cose.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_message(mt_bytes in)
{
    struct mt_cose_sign1 m;
    mt_bytes out;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(in.len);
    struct mt_writer w = mt_writer_onto(&room);
    if (!mt_failed(mt_cose_sign1_parse(in, &m))) {
        mt_cose_sign1_write(&w, &m);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)) && mt_bytes_equal(in, out));
    }
}

static void check_header(mt_bytes in)
{
    uint8_t room[64];
    mt_bytes kid;
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (!mt_failed(mt_cose_protected_parse(in, &kid))) {
        mt_cose_protected_write(&w, kid);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)) && mt_bytes_equal(in, out));
    }
}

/* What is accepted is what the writer makes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    check_message((mt_bytes){data, len});
    check_header((mt_bytes){data, len});
    return 0;
}
