/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/assert.h"
#include "seal/backup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_head(mt_bytes in)
{
    struct mt_backup_head h;
    uint8_t again[MT_BACKUP_HEAD_LEN];
    if (!mt_failed(mt_backup_head_parse(in, &h))) {
        mt_backup_head_write(&h, again);
        MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(again), in));
    }
}

/* What is accepted, as head or as the content of a frame, is written back byte for byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mt_backup_frame f;
    mt_bytes again;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_BACKUP_FRAME_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    try_head((mt_bytes){data, len});
    if (!mt_failed(mt_backup_frame_parse((mt_bytes){data, len}, &f))) {
        mt_backup_frame_write(&w, &f);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &again)));
        MT_ASSERT(mt_bytes_equal(again, (mt_bytes){data, len}));
    }
    return 0;
}
