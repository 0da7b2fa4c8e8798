/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/posix/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "platform/fs_ops.h"

/* A piece so long is one of many: the disk may begin with it while the next is made. */
enum { WRITE_BEHIND_BYTES = 512 * 1024 };

struct posix_fs {
    struct mt_fs base;
    int dir;
    int lock;
};

struct posix_file {
    struct mt_file base;
    int fd;
};

static struct posix_fs *fs_of(struct mt_fs *fs)
{
    return (struct posix_fs *)(void *)fs;
}

static int fd_of(struct mt_file *f)
{
    return ((struct posix_file *)(void *)f)->fd;
}

static MT_ERR fail_with_errno(int why)
{
    switch (why) {
    case ENOENT:
        MT_FAIL(MT_E_NOTFOUND, "no such file");
    case EEXIST:
        MT_FAIL(MT_E_CONFLICT, "the file is there already");
    case ENOSPC:
    case EDQUOT:
        MT_FAIL(MT_E_IO, "the disk is full");
    case EMFILE:
    case ENFILE:
        MT_FAIL(MT_E_LIMIT, "out of file descriptors: raise RLIMIT_NOFILE");
    case EACCES:
    case EPERM:
    case EROFS:
        MT_FAIL(MT_E_IO,
                "the host does not let us at a file: check owner and mode of the state directory");
    default:
        MT_FAIL(MT_E_IO, "the disk failed");
    }
}

static const struct mt_fs_ops posix_ops;

static mt_err posix_open(struct mt_fs *fs, const char *name, enum mt_fs_mode mode,
                         struct mt_file **out)
{
    int flags = O_CLOEXEC | O_NOFOLLOW;
    switch (mode) {
    case MT_FS_READ:
        flags |= O_RDONLY;
        break;
    case MT_FS_WRITE:
        flags |= O_RDWR;
        break;
    case MT_FS_CREATE:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
    }
    struct posix_file *f = calloc(1, sizeof *f);
    MT_REQUIRE(f != NULL, MT_E_NOMEM, "no memory for a file");
    f->base.ops = &posix_ops;
    f->fd = openat(fs_of(fs)->dir, name, flags, 0600);
    if (f->fd < 0) {
        int why = errno;
        free(f);
        return fail_with_errno(why);
    }
    *out = &f->base;
    return MT_OK;
}

static mt_err posix_make_dir(struct mt_fs *fs, const char *name)
{
    if (mkdirat(fs_of(fs)->dir, name, 0700) != 0 && errno != EEXIST) {
        return fail_with_errno(errno);
    }
    return MT_OK;
}

static mt_err posix_rename(struct mt_fs *fs, const char *from, const char *to)
{
    int dir = fs_of(fs)->dir;
    return renameat(dir, from, dir, to) == 0 ? MT_OK : fail_with_errno(errno);
}

static mt_err posix_remove(struct mt_fs *fs, const char *name)
{
    return unlinkat(fs_of(fs)->dir, name, 0) == 0 ? MT_OK : fail_with_errno(errno);
}

static mt_err posix_sync_dir(struct mt_fs *fs, const char *name)
{
    int fd = openat(fs_of(fs)->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return fail_with_errno(errno);
    }
    int rc = fsync(fd);
    int why = errno;
    (void)close(fd);
    return rc == 0 ? MT_OK : fail_with_errno(why);
}

static int in_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_ours(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static mt_err posix_list(struct mt_fs *fs, const char *name,
                         mt_err (*each)(void *state, const char *name), void *state)
{
    struct dirent **entries = NULL;
    int count = scandirat(fs_of(fs)->dir, name, &entries, is_ours, in_order);
    mt_err e = MT_OK;
    if (count < 0) {
        return fail_with_errno(errno);
    }
    for (int i = 0; i < count; i++) {
        if (!mt_failed(e)) {
            e = each(state, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    return e;
}

static mt_err posix_free_bytes(struct mt_fs *fs, uint64_t *out)
{
    struct statvfs v;
    if (fstatvfs(fs_of(fs)->dir, &v) != 0) {
        return fail_with_errno(errno);
    }
    *out = (uint64_t)v.f_bavail * v.f_frsize;
    return MT_OK;
}

static void posix_close(struct mt_fs *fs)
{
    (void)close(fs_of(fs)->lock);
    (void)close(fs_of(fs)->dir);
    free(fs_of(fs));
}

static mt_err posix_read_at(struct mt_file *f, uint64_t at, mt_span out, size_t *got)
{
    size_t done = 0;
    while (done < out.len) {
        ssize_t n = pread(fd_of(f), out.ptr + done, out.len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_with_errno(errno);
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    *got = done;
    return MT_OK;
}

static mt_err posix_write_at(struct mt_file *f, uint64_t at, mt_bytes bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t n = pwrite(fd_of(f), bytes.ptr + done, bytes.len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail_with_errno(n < 0 ? errno : ENOSPC);
        }
        done += (size_t)n;
    }
    if (bytes.len >= WRITE_BEHIND_BYTES) { /* waits for nothing, and leaves errors to posix_sync */
        (void)sync_file_range(fd_of(f), (off_t)at, (off_t)bytes.len, SYNC_FILE_RANGE_WRITE);
    }
    return MT_OK;
}

/* An error here is final: what the kernel could not write it may have thrown away, and a second
 * call would say all is well. */
static mt_err posix_sync(struct mt_file *f)
{
    return fdatasync(fd_of(f)) == 0 ? MT_OK : fail_with_errno(errno);
}

static mt_err posix_allocate(struct mt_file *f, uint64_t len)
{
    int why = 0;
    do { /* a signal of the loop's thread may interrupt it, and it is not taken up again by itself
          */
        why = posix_fallocate(fd_of(f), 0, (off_t)len);
    } while (why == EINTR);
    return why == 0 ? MT_OK : fail_with_errno(why);
}

static mt_err posix_truncate(struct mt_file *f, uint64_t len)
{
    return ftruncate(fd_of(f), (off_t)len) == 0 ? MT_OK : fail_with_errno(errno);
}

static mt_err posix_size(struct mt_file *f, uint64_t *out)
{
    struct stat st;
    if (fstat(fd_of(f), &st) != 0) {
        return fail_with_errno(errno);
    }
    *out = (uint64_t)st.st_size;
    return MT_OK;
}

static void posix_close_file(struct mt_file *f)
{
    (void)close(fd_of(f));
    free(f);
}

static const struct mt_fs_ops posix_ops = {
    .open = posix_open,
    .make_dir = posix_make_dir,
    .rename = posix_rename,
    .remove = posix_remove,
    .sync_dir = posix_sync_dir,
    .list = posix_list,
    .free_bytes = posix_free_bytes,
    .close = posix_close,
    .read_at = posix_read_at,
    .write_at = posix_write_at,
    .sync = posix_sync,
    .allocate = posix_allocate,
    .truncate = posix_truncate,
    .size = posix_size,
    .close_file = posix_close_file,
};

static MT_ERR check_dir(int dir)
{
    struct stat st;
    if (fstat(dir, &st) != 0) {
        return fail_with_errno(errno);
    }
    MT_REQUIRE(st.st_uid == geteuid(), MT_E_DENIED, "the state directory belongs to somebody else");
    MT_REQUIRE((st.st_mode & 077) == 0, MT_E_DENIED,
               "the state directory is open to others: chmod 700");
    return MT_OK;
}

MT_ERR mt_fs_open_posix(const char *path, struct mt_fs **out)
{
    struct posix_fs *fs = calloc(1, sizeof *fs);
    MT_REQUIRE(fs != NULL, MT_E_NOMEM, "no memory for the disk");
    fs->base.ops = &posix_ops;
    fs->lock = -1;
    fs->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mt_err e = fs->dir >= 0 ? check_dir(fs->dir) : fail_with_errno(errno);
    if (!mt_failed(e)) {
        fs->lock = openat(fs->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        e = fs->lock >= 0 ? MT_OK : fail_with_errno(errno);
    }
    if (!mt_failed(e) && flock(fs->lock, LOCK_EX | LOCK_NB) != 0) {
        static const struct mt_fault busy = {MT_E_BUSY, __LINE__, __FILE__,
                                             "another node uses this state directory"};
        e = (mt_err){&busy};
    }
    if (mt_failed(e)) {
        if (fs->lock >= 0) {
            (void)close(fs->lock);
        }
        if (fs->dir >= 0) {
            (void)close(fs->dir);
        }
        free(fs);
        return e;
    }
    *out = &fs->base;
    return MT_OK;
}
