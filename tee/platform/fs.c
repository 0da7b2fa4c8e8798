/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/fs.h"

#include <string.h>

#include "base/assert.h"
#include "platform/fs_ops.h"

/* Our own code chooses names: a bad one is a bug. Two levels, no dot in front, nothing that a shell
 * or a path would read otherwise. */
static bool is_name(const char *name)
{
    size_t slashes = 0;
    bool is_start = true;
    for (const char *c = name; *c != '\0'; c++) {
        bool is_letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                         (*c >= '0' && *c <= '9') || *c == '_' || *c == '-';
        if (*c == '/') {
            slashes++;
        } else if (!is_letter && (*c != '.' || is_start)) {
            return false;
        }
        is_start = *c == '/';
    }
    return name[0] != '\0' && !is_start && slashes <= 1;
}

MT_ERR mt_fs_open(struct mt_fs *fs, const char *name, enum mt_fs_mode mode, struct mt_file **out)
{
    MT_ASSERT(is_name(name));
    return fs->ops->open(fs, name, mode, out);
}

MT_ERR mt_fs_make_dir(struct mt_fs *fs, const char *name)
{
    MT_ASSERT(is_name(name));
    return fs->ops->make_dir(fs, name);
}

MT_ERR mt_fs_rename(struct mt_fs *fs, const char *from, const char *to)
{
    MT_ASSERT(is_name(from));
    MT_ASSERT(is_name(to));
    return fs->ops->rename(fs, from, to);
}

MT_ERR mt_fs_remove(struct mt_fs *fs, const char *name)
{
    MT_ASSERT(is_name(name));
    return fs->ops->remove(fs, name);
}

MT_ERR mt_fs_sync_dir(struct mt_fs *fs, const char *dir)
{
    MT_ASSERT(strcmp(dir, ".") == 0 || is_name(dir));
    return fs->ops->sync_dir(fs, dir);
}

MT_ERR mt_fs_list(struct mt_fs *fs, const char *dir, mt_err (*each)(void *state, const char *name),
                  void *state)
{
    MT_ASSERT(strcmp(dir, ".") == 0 || is_name(dir));
    return fs->ops->list(fs, dir, each, state);
}

MT_ERR mt_fs_free_bytes(struct mt_fs *fs, uint64_t *out)
{
    return fs->ops->free_bytes(fs, out);
}

void mt_fs_close(struct mt_fs **fs)
{
    if (*fs != NULL) {
        (*fs)->ops->close(*fs);
        *fs = NULL;
    }
}

MT_ERR mt_file_read_at(struct mt_file *f, uint64_t at, mt_span out, size_t *got)
{
    return f->ops->read_at(f, at, out, got);
}

MT_ERR mt_file_write_at(struct mt_file *f, uint64_t at, mt_bytes bytes)
{
    return f->ops->write_at(f, at, bytes);
}

MT_ERR mt_file_sync(struct mt_file *f)
{
    return f->ops->sync(f);
}

MT_ERR mt_file_allocate(struct mt_file *f, uint64_t len)
{
    return f->ops->allocate(f, len);
}

MT_ERR mt_file_truncate(struct mt_file *f, uint64_t len)
{
    return f->ops->truncate(f, len);
}

MT_ERR mt_file_size(struct mt_file *f, uint64_t *out)
{
    return f->ops->size(f, out);
}

void mt_file_close(struct mt_file **f)
{
    if (*f != NULL) {
        (*f)->ops->close_file(*f);
        *f = NULL;
    }
}
