/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/posix/device_io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static MT_ERR fail_with_errno(int why)
{
    switch (why) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        MT_FAIL(MT_E_NOTFOUND, "no such file or device");
    case EEXIST:
        MT_FAIL(MT_E_CONFLICT, "it is there already");
    case EBUSY:
    case EAGAIN:
        MT_FAIL(MT_E_BUSY, "the device is busy");
    case EINVAL:
        MT_FAIL(MT_E_ARG, "the kernel calls what a device was asked meaningless");
    case ENOTTY:
        MT_FAIL(MT_E_CLOSED, "the device takes no such order");
    case EACCES:
    case EPERM:
        MT_FAIL(MT_E_DENIED, "the host does not let us at a device: check its owner and mode");
    default:
        MT_FAIL(MT_E_IO, "a device failed");
    }
}

static mt_err posix_open(struct mt_device_io *io, const char *path, enum mt_io_mode mode, int *fd)
{
    static const int flags[] = {
        [MT_IO_READ] = O_RDONLY, [MT_IO_WRITE] = O_WRONLY, [MT_IO_BOTH] = O_RDWR};
    (void)io;
    int got = open(path, flags[mode] | O_CLOEXEC);
    if (got < 0) {
        return fail_with_errno(errno);
    }
    *fd = got;
    return MT_OK;
}

static mt_err posix_read(struct mt_device_io *io, int fd, mt_span out, size_t *got)
{
    ssize_t n = 0;
    (void)io;
    do {
        n = read(fd, out.ptr, out.len);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return fail_with_errno(errno);
    }
    *got = (size_t)n;
    return MT_OK;
}

/* One call: what a device is told in two may be two things to it. */
static mt_err posix_write(struct mt_device_io *io, int fd, mt_bytes bytes)
{
    ssize_t n = 0;
    (void)io;
    do {
        n = write(fd, bytes.ptr, bytes.len);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return fail_with_errno(errno);
    }
    MT_REQUIRE((size_t)n == bytes.len, MT_E_IO, "a device took part of what it was told");
    return MT_OK;
}

static void posix_close(struct mt_device_io *io, int fd)
{
    (void)io;
    (void)close(fd);
}

static mt_err posix_make_dir(struct mt_device_io *io, const char *path)
{
    (void)io;
    return mkdir(path, 0700) == 0 ? MT_OK : fail_with_errno(errno);
}

static mt_err posix_remove_dir(struct mt_device_io *io, const char *path)
{
    (void)io;
    return rmdir(path) == 0 ? MT_OK : fail_with_errno(errno);
}

static mt_err posix_ioctl(struct mt_device_io *io, int fd, unsigned long request, void *argument)
{
    (void)io;
    return ioctl(fd, request, argument) == 0 ? MT_OK : fail_with_errno(errno);
}

struct mt_device_io *mt_device_io_posix(void)
{
    static const struct mt_device_io_ops ops = {posix_open,  posix_read,     posix_write,
                                                posix_close, posix_make_dir, posix_remove_dir,
                                                posix_ioctl};
    static struct mt_device_io io = {&ops};
    return &io;
}
