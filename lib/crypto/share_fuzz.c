/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/share.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* A share that is accepted is written in one way, which is accepted as the same share; a set comes
 * back byte for byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    const mt_bytes in = {data, len};
    uint8_t room[MT_SHARE_SET_LEN_MAX];
    uint8_t again[MT_SHARE_TEXT_LEN];
    struct mt_share a;
    struct mt_share b;
    struct mt_share_set set;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (!mt_failed(mt_share_parse(in, &a))) {
        struct mt_writer second = mt_writer_over((mt_span){again, sizeof again});
        mt_share_write(&w, &a);
        MT_ASSERT(!mt_failed(mt_share_parse(mt_write_done(&w), &b)));
        mt_share_write(&second, &b);
        MT_ASSERT(mt_bytes_equal(mt_write_done(&w), mt_write_done(&second)));
        w = mt_writer_over((mt_span){room, sizeof room});
    }
    if (!mt_failed(mt_share_set_parse(in, &set))) {
        mt_share_set_write(&w, &set);
        MT_ASSERT(mt_bytes_equal(in, mt_write_done(&w)));
    }
    return 0;
}
