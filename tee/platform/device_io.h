/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_DEVICE_IO_H
#define MT_PLATFORM_DEVICE_IO_H

#include "base/bytes.h"

/*
 * How makers of devices reach the kernel: files of absolute names, directories that the kernel
 * makes something of, ioctls. Two makers: posix/device_io.c, and sim/machine.c with the kernel's
 * semantics, which a plain directory does not have (what is written may count only when it is
 * closed). A descriptor is used by one thread; the table takes calls from any.
 */
struct mt_device_io;

enum mt_io_mode { MT_IO_READ, MT_IO_WRITE, MT_IO_BOTH };

/* MT_E_NOTFOUND: no such file or device; MT_E_CONFLICT: it is there already; MT_E_BUSY; MT_E_ARG:
 * the kernel calls it meaningless (EINVAL); MT_E_CLOSED: a device that takes no such order (any
 * more) (ENOTTY); MT_E_DENIED; else MT_E_IO. */
struct mt_device_io_ops {
    mt_err (*open)(struct mt_device_io *io, const char *path, enum mt_io_mode mode, int *fd);
    mt_err (*read)(struct mt_device_io *io, int fd, mt_span out, size_t *got); /* 0: the end */
    mt_err (*write)(struct mt_device_io *io, int fd, mt_bytes bytes);          /* all of it */
    void (*close)(struct mt_device_io *io, int fd); /* says nothing, as the kernel does */
    mt_err (*make_dir)(struct mt_device_io *io, const char *path);
    mt_err (*remove_dir)(struct mt_device_io *io, const char *path);
    mt_err (*ioctl)(struct mt_device_io *io, int fd, unsigned long request, void *argument);
};

/* First member of every maker's own struct. */
struct mt_device_io {
    const struct mt_device_io_ops *ops;
};

/* The whole of a file, opened for this: what a descriptor was told once it may go on to say. */
MT_ERR mt_io_get(struct mt_device_io *io, const char *path, struct mt_buf *out);
/* Open, write once, close. */
MT_ERR mt_io_put(struct mt_device_io *io, const char *path, mt_bytes content);

#endif
