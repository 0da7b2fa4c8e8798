/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/device_io.h"

#include "crypto/ct.h"

enum { STEP = 4096 };

static MT_ERR read_all(struct mt_device_io *io, int fd, struct mt_buf *out)
{
    size_t got = 1;
    while (got > 0) {
        uint8_t room[STEP];
        MT_TRY(io->ops->read(io, fd, (mt_span){room, sizeof room}, &got));
        mt_err e = mt_buf_append(out, (mt_bytes){room, got});
        mt_wipe((mt_span){room, got}); /* it may be a key */
        MT_TRY(e);
    }
    return MT_OK;
}

MT_ERR mt_io_get(struct mt_device_io *io, const char *path, struct mt_buf *out)
{
    int fd = -1;
    MT_TRY(io->ops->open(io, path, MT_IO_READ, &fd));
    out->len = 0;
    mt_err e = read_all(io, fd, out);
    io->ops->close(io, fd);
    return e;
}

MT_ERR mt_io_put(struct mt_device_io *io, const char *path, mt_bytes content)
{
    int fd = -1;
    MT_TRY(io->ops->open(io, path, MT_IO_WRITE, &fd));
    mt_err e = io->ops->write(io, fd, content);
    io->ops->close(io, fd);
    return e;
}
