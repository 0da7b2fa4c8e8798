/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "ledger/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void write_back(const struct mt_snapshot_frame *f, mt_bytes in)
{
    static uint8_t room[1024 * 1024];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_bytes written;
    mt_snapshot_frame_write(&w, f);
    mt_write_bytes(&w, f->pairs);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &written)));
    MT_ASSERT(mt_bytes_equal(written, in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mt_snapshot_head h;
    struct mt_snapshot_frame f;
    uint8_t written[MT_SNAPSHOT_HEAD_LEN];
    mt_bytes in = {data, len};

    if (!mt_failed(mt_snapshot_head_parse(in, &h))) {
        mt_snapshot_head_write(&h, written);
        MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(written), in));
    }
    if (len < (size_t)512 * 1024 && !mt_failed(mt_snapshot_frame_parse(in, &f))) {
        write_back(&f, in);
    }
    return 0;
}
