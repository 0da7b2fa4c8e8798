/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_FS_H
#define MT_PLATFORM_FS_H

#include "base/bytes.h"

/*
 * Files below one directory, the only durable thing a node has. Two makers: platform/posix/fs.c
 * (the real one) and platform/sim/fs.c (a disk in memory with a volatile cache, power loss and
 * faults). The host owns what lies here and may change all of it: what is read back is a stranger's
 * bytes until tee/seal has verified them.
 *
 * Names are relative to that directory, at most two levels, of letters, digits, '.', '_' and '-'.
 * All calls block. One file is used by one thread at a time. The file system itself, posix/ at
 * least, takes calls from any number of threads at once: the node's loop, disk thread, object
 * thread, snapshot thread and workers share one. What two threads do to one name at the same time
 * is theirs to order. sim/ is for one thread.
 */
struct mt_fs;
struct mt_file;

enum mt_fs_mode {
    MT_FS_READ,   /* must exist */
    MT_FS_WRITE,  /* must exist; read and write */
    MT_FS_CREATE, /* must not exist; read and write; mode 0600 */
};

/* MT_E_NOTFOUND, MT_E_CONFLICT (exists), MT_E_IO. */
MT_ERR mt_fs_open(struct mt_fs *fs, const char *name, enum mt_fs_mode mode, struct mt_file **out);
MT_ERR mt_fs_make_dir(struct mt_fs *fs, const char *name);               /* there already: fine */
MT_ERR mt_fs_rename(struct mt_fs *fs, const char *from, const char *to); /* replaces */
MT_ERR mt_fs_remove(struct mt_fs *fs, const char *name);
MT_ERR mt_fs_sync_dir(struct mt_fs *fs,
                      const char *dir); /* "." for the top: names are durable after it */
/* Calls `each` with the name (no path) of every entry of `dir`, in bytewise order; stops at its
 * first failure. */
MT_ERR mt_fs_list(struct mt_fs *fs, const char *dir, mt_err (*each)(void *state, const char *name),
                  void *state);
MT_ERR mt_fs_free_bytes(struct mt_fs *fs, uint64_t *out);
void mt_fs_close(struct mt_fs **fs);

/* Reads until `out` is full or the file ends; `got` says how much. */
MT_ERR mt_file_read_at(struct mt_file *f, uint64_t at, mt_span out, size_t *got);
MT_ERR mt_file_write_at(struct mt_file *f, uint64_t at, mt_bytes bytes); /* all of it, or MT_E_IO */
MT_ERR mt_file_sync(struct mt_file *f);                                  /* fdatasync(2) */
MT_ERR mt_file_allocate(struct mt_file *f,
                        uint64_t len); /* room on the disk, size grows, content zero */
MT_ERR mt_file_truncate(struct mt_file *f, uint64_t len);
MT_ERR mt_file_size(struct mt_file *f, uint64_t *out);
void mt_file_close(struct mt_file **f);

#endif
