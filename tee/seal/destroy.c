/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/inside.h"

/*
 * The bytes are overwritten where they lie, and that is durable before the name goes. What this
 * does not reach, copies that the host made and cells that a flash disk has put aside, is said in
 * spec/sealed-object.md.
 */
MT_ERR mt_seal_destroy(struct mt_fs *fs, const char *name)
{
    static const uint8_t zeros[4096];
    enum { BYTES_MAX = 2 * MT_SMALL_FILE_BYTES_MAX }; /* larger ones are none of ours */
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    uint64_t size = 0;
    mt_err e = mt_fs_open(fs, name, MT_FS_WRITE, &f);
    if (mt_failed(e) && e.fault->code == MT_E_NOTFOUND) {
        return MT_OK;
    }
    MT_TRY(e);
    MT_TRY(mt_file_size(f, &size));
    size = size < BYTES_MAX ? size : BYTES_MAX;
    for (uint64_t at = 0; at < size; at += sizeof zeros) {
        uint64_t left = size - at;
        size_t len = left < sizeof zeros ? (size_t)left : sizeof zeros;
        MT_TRY(mt_file_write_at(f, at, (mt_bytes){zeros, len}));
    }
    MT_TRY(mt_file_sync(f));
    return mt_fs_remove(fs, name);
}
