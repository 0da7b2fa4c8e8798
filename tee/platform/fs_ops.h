/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_FS_OPS_H
#define MT_PLATFORM_FS_OPS_H

#include "platform/fs.h"

/* For makers of file systems, posix/ and sim/: the table behind platform/fs.h. Names have been
 * checked by the caller of these. */
struct mt_fs_ops {
    mt_err (*open)(struct mt_fs *fs, const char *name, enum mt_fs_mode mode, struct mt_file **out);
    mt_err (*make_dir)(struct mt_fs *fs, const char *name);
    mt_err (*rename)(struct mt_fs *fs, const char *from, const char *to);
    mt_err (*remove)(struct mt_fs *fs, const char *name);
    mt_err (*sync_dir)(struct mt_fs *fs, const char *dir);
    mt_err (*list)(struct mt_fs *fs, const char *dir, mt_err (*each)(void *state, const char *name),
                   void *state);
    mt_err (*free_bytes)(struct mt_fs *fs, uint64_t *out);
    void (*close)(struct mt_fs *fs);

    mt_err (*read_at)(struct mt_file *f, uint64_t at, mt_span out, size_t *got);
    mt_err (*write_at)(struct mt_file *f, uint64_t at, mt_bytes bytes);
    mt_err (*sync)(struct mt_file *f);
    mt_err (*allocate)(struct mt_file *f, uint64_t len);
    mt_err (*truncate)(struct mt_file *f, uint64_t len);
    mt_err (*size)(struct mt_file *f, uint64_t *out);
    void (*close_file)(struct mt_file *f);
};

/* First member of every maker's own struct. */
struct mt_fs {
    const struct mt_fs_ops *ops;
};

struct mt_file {
    const struct mt_fs_ops *ops;
};

#endif
