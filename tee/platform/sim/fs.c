/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/sim/fs.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "platform/sim/disk.h"

struct sim_fs {
    struct mt_fs base;
    struct mt_sim_disk *disk;
};

struct sim_file {
    struct mt_file base;
    struct mt_sim_disk *disk;
    struct mt_sim_node *node;
    uint64_t life; /* of the disk, in which the file was opened */
    bool is_writable;
};

static struct mt_sim_disk *disk_of(struct mt_fs *fs)
{
    return ((struct sim_fs *)(void *)fs)->disk;
}

static struct sim_file *file_of(struct mt_file *f)
{
    return (struct sim_file *)(void *)f;
}

/* Every call passes here: counts it, and fails it if its time has come. */
static MT_ERR enter(struct mt_sim_disk *d, bool needs_room)
{
    uint64_t call = d->calls++;
    if (d->fault == MT_SIM_POWER && call >= d->fault_at) {
        d->has_power = false;
    }
    if (d->fault == MT_SIM_FULL && call >= d->fault_at) {
        d->is_full = true;
    }
    MT_REQUIRE(d->has_power, MT_E_IO, "the power is off");
    MT_REQUIRE(d->fault != MT_SIM_ERROR || call != d->fault_at, MT_E_IO, "the disk failed");
    MT_REQUIRE(!needs_room || !d->is_full, MT_E_IO, "the disk is full");
    return MT_OK;
}

static MT_ERR enter_file(struct sim_file *f, bool needs_room)
{
    MT_TRY(enter(f->disk, needs_room));
    MT_REQUIRE(f->life == f->disk->life, MT_E_IO, "the file was opened before the power went");
    return MT_OK;
}

static MT_ERR find(struct mt_sim_disk *d, const char *text, size_t *out)
{
    const char *slash = strchr(text, '/');
    size_t name = 0;
    if (slash != NULL) {
        char dir[MT_SIM_NAME_MAX] = {0};
        MT_ASSERT((size_t)(slash - text) < sizeof dir);
        memcpy(dir, text, (size_t)(slash - text));
        MT_TRY(mt_sim_name_of(d, dir, &name));
        MT_REQUIRE(d->names[name].now != NULL, MT_E_NOTFOUND, "no such directory");
    }
    return mt_sim_name_of(d, text, out);
}

static const struct mt_fs_ops sim_ops;

static mt_err sim_open(struct mt_fs *fs, const char *text, enum mt_fs_mode mode,
                       struct mt_file **out)
{
    struct mt_sim_disk *d = disk_of(fs);
    size_t name = 0;
    MT_TRY(enter(d, mode == MT_FS_CREATE));
    MT_TRY(find(d, text, &name));
    struct mt_sim_node *node = d->names[name].now;
    MT_REQUIRE(node != NULL || mode == MT_FS_CREATE, MT_E_NOTFOUND, "no such file");
    MT_REQUIRE(node == NULL || mode != MT_FS_CREATE, MT_E_CONFLICT, "the file is there already");
    MT_REQUIRE(node == NULL || !node->is_dir, MT_E_IO, "the disk failed");
    struct sim_file *f = calloc(1, sizeof *f);
    MT_REQUIRE(f != NULL, MT_E_NOMEM, "no memory for a file");
    *f = (struct sim_file){.base.ops = &sim_ops, .disk = d, .node = node, .life = d->life};
    f->is_writable = mode != MT_FS_READ;
    mt_err e = MT_OK;
    if (mode == MT_FS_CREATE) {
        e = mt_sim_node_new(d, false, &f->node);
        e = mt_failed(e) ? e
                         : mt_sim_change_names(d, (struct mt_sim_change){name, f->node, SIZE_MAX});
    }
    if (mt_failed(e)) {
        free(f);
        return e;
    }
    f->node->handles++;
    *out = &f->base;
    return MT_OK;
}

static mt_err sim_make_dir(struct mt_fs *fs, const char *text)
{
    struct mt_sim_disk *d = disk_of(fs);
    struct mt_sim_node *node = NULL;
    size_t name = 0;
    MT_TRY(enter(d, true));
    MT_TRY(find(d, text, &name));
    if (d->names[name].now != NULL) {
        return MT_OK;
    }
    MT_TRY(mt_sim_node_new(d, true, &node));
    return mt_sim_change_names(d, (struct mt_sim_change){name, node, SIZE_MAX});
}

static mt_err sim_rename(struct mt_fs *fs, const char *from, const char *to)
{
    struct mt_sim_disk *d = disk_of(fs);
    size_t a = 0;
    size_t b = 0;
    MT_TRY(enter(d, true));
    MT_TRY(find(d, from, &a));
    MT_TRY(find(d, to, &b));
    MT_REQUIRE(d->names[a].now != NULL, MT_E_NOTFOUND, "no such file");
    MT_ASSERT(a != b);
    return mt_sim_change_names(d, (struct mt_sim_change){b, d->names[a].now, a});
}

static mt_err sim_remove(struct mt_fs *fs, const char *text)
{
    struct mt_sim_disk *d = disk_of(fs);
    size_t name = 0;
    MT_TRY(enter(d, false));
    MT_TRY(find(d, text, &name));
    MT_REQUIRE(d->names[name].now != NULL, MT_E_NOTFOUND, "no such file");
    MT_ASSERT(!d->names[name].now->is_dir);
    return mt_sim_change_names(d, (struct mt_sim_change){name, NULL, SIZE_MAX});
}

static mt_err sim_sync_dir(struct mt_fs *fs, const char *dir)
{
    struct mt_sim_disk *d = disk_of(fs);
    size_t name = 0;
    MT_TRY(enter(d, false));
    if (strcmp(dir, ".") != 0) {
        MT_TRY(mt_sim_name_of(d, dir, &name));
        MT_REQUIRE(d->names[name].now != NULL, MT_E_NOTFOUND, "no such directory");
    }
    mt_sim_settle(d, dir);
    return MT_OK;
}

static int in_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static mt_err sim_list(struct mt_fs *fs, const char *dir,
                       mt_err (*each)(void *state, const char *name), void *state)
{
    struct mt_sim_disk *d = disk_of(fs);
    size_t at = 0;
    size_t count = 0;
    mt_err e = MT_OK;
    MT_TRY(enter(d, false));
    if (strcmp(dir, ".") != 0) {
        MT_TRY(mt_sim_name_of(d, dir, &at));
        MT_REQUIRE(d->names[at].now != NULL, MT_E_NOTFOUND, "no such directory");
    }
    /* Copies, in order: whoever is called may change names, and their table moves when it grows. */
    char **found = calloc(d->names_count + 1, sizeof *found);
    MT_REQUIRE(found != NULL, MT_E_NOMEM, "no memory for a simulated disk");
    for (size_t i = 0; i < d->names_count; i++) {
        if (d->names[i].now != NULL && mt_sim_is_in(d->names[i].text, dir)) {
            const char *slash = strchr(d->names[i].text, '/');
            const char *last = slash == NULL ? d->names[i].text : slash + 1;
            size_t len = strlen(last) + 1;
            found[count] = malloc(len);
            MT_ASSERT(found[count] != NULL);
            memcpy(found[count++], last, len);
        }
    }
    qsort(found, count, sizeof *found, in_order);
    for (size_t i = 0; i < count; i++) {
        e = mt_failed(e) ? e : each(state, found[i]);
        free(found[i]);
    }
    free(found);
    return e;
}

static mt_err sim_free_bytes(struct mt_fs *fs, uint64_t *out)
{
    struct mt_sim_disk *d = disk_of(fs);
    uint64_t used = mt_sim_used(d);
    MT_TRY(enter(d, false));
    if (d->options.bytes_max == 0) {
        *out = d->is_full ? 0 : UINT64_MAX / 2;
    } else {
        *out = d->is_full || used > d->options.bytes_max ? 0 : d->options.bytes_max - used;
    }
    return MT_OK;
}

static void sim_close(struct mt_fs *fs)
{
    free((struct sim_fs *)(void *)fs);
}

static mt_err sim_read_at(struct mt_file *file, uint64_t at, mt_span out, size_t *got)
{
    struct sim_file *f = file_of(file);
    MT_TRY(enter_file(f, false));
    const struct mt_buf *b = &f->node->now;
    size_t n = at < b->len ? b->len - (size_t)at : 0;
    n = n < out.len ? n : out.len;
    if (n > 0) {
        memcpy(out.ptr, b->ptr + at, n);
    }
    *got = n;
    return MT_OK;
}

static MT_ERR put(struct sim_file *f, uint64_t at, mt_bytes bytes)
{
    struct mt_sim_node *n = f->node;
    size_t end = 0;
    MT_TRY(mt_add_size((size_t)at, bytes.len, &end));
    if (end > n->now.len) {
        uint64_t max = f->disk->options.bytes_max;
        MT_REQUIRE(max == 0 || mt_sim_used(f->disk) + (end - n->now.len) <= max, MT_E_IO,
                   "the disk is full");
        MT_TRY(mt_sim_resize(f->disk, n, end));
    }
    if (bytes.len > 0) {
        memcpy(n->now.ptr + at, bytes.ptr, bytes.len);
        mt_sim_touch(n, (size_t)at, end);
    }
    return MT_OK;
}

static mt_err sim_write_at(struct mt_file *file, uint64_t at, mt_bytes bytes)
{
    struct sim_file *f = file_of(file);
    bool had_power = f->disk->has_power;
    MT_ASSERT(f->is_writable);
    mt_err e = enter_file(f, true);
    if (mt_failed(e)) {
        if (had_power && f->life == f->disk->life) { /* it got half of the way */
            mt_err half = put(f, at, (mt_bytes){bytes.ptr, bytes.len / 2});
            (void)mt_failed(half);
        }
        return e;
    }
    return put(f, at, bytes);
}

static mt_err sim_sync(struct mt_file *file)
{
    struct sim_file *f = file_of(file);
    mt_err e = enter_file(f, false);
    if (mt_failed(e) && f->disk->has_power) { /* as kernels do: clean, and not written */
        f->node->dirty_from = 0;
        f->node->dirty_to = 0;
    }
    MT_TRY(e);
    return mt_sim_sync(f->node);
}

static mt_err sim_allocate(struct mt_file *file, uint64_t len)
{
    struct sim_file *f = file_of(file);
    MT_ASSERT(f->is_writable);
    MT_TRY(enter_file(f, true));
    if (len > f->node->now.len) {
        uint64_t max = f->disk->options.bytes_max;
        MT_REQUIRE(max == 0 || mt_sim_used(f->disk) + (len - f->node->now.len) <= max, MT_E_IO,
                   "the disk is full");
        return mt_sim_resize(f->disk, f->node, (size_t)len);
    }
    return MT_OK;
}

static mt_err sim_truncate(struct mt_file *file, uint64_t len)
{
    struct sim_file *f = file_of(file);
    MT_ASSERT(f->is_writable);
    MT_TRY(enter_file(f, false));
    return mt_sim_resize(f->disk, f->node, (size_t)len);
}

static mt_err sim_size(struct mt_file *file, uint64_t *out)
{
    struct sim_file *f = file_of(file);
    MT_TRY(enter_file(f, false));
    *out = f->node->now.len;
    return MT_OK;
}

static void sim_close_file(struct mt_file *file)
{
    struct sim_file *f = file_of(file);
    f->node->handles--;
    mt_sim_collect(f->disk);
    free(f);
}

static const struct mt_fs_ops sim_ops = {
    .open = sim_open,
    .make_dir = sim_make_dir,
    .rename = sim_rename,
    .remove = sim_remove,
    .sync_dir = sim_sync_dir,
    .list = sim_list,
    .free_bytes = sim_free_bytes,
    .close = sim_close,
    .read_at = sim_read_at,
    .write_at = sim_write_at,
    .sync = sim_sync,
    .allocate = sim_allocate,
    .truncate = sim_truncate,
    .size = sim_size,
    .close_file = sim_close_file,
};

MT_ERR mt_fs_open_sim(struct mt_sim_disk *d, struct mt_fs **out)
{
    struct sim_fs *fs = calloc(1, sizeof *fs);
    MT_REQUIRE(fs != NULL, MT_E_NOMEM, "no memory for a simulated disk");
    *fs = (struct sim_fs){.base.ops = &sim_ops, .disk = d};
    *out = &fs->base;
    return MT_OK;
}
