/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_WORLD_TEST_H
#define MT_SEAL_WORLD_TEST_H

#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/limits.h"
#include "crypto/context.h"
#include "platform/sim/fs.h"
#include "seal/root.h"
#include "unit/runner.h"

/* What the tests of this folder share: a disk, a stream of random numbers, ways to break files. */

#define OK(call_) MT_ASSERT(!mt_failed(call_))

static inline bool is_code(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

static struct mt_sim_disk *disk;
static struct mt_fs *fs;

/* A new disk that shows what remains on it. */
static inline void disk_begin(void)
{
    const struct mt_sim_options o = {0, true};
    OK(mt_sim_disk_new(&o, &disk));
    OK(mt_fs_open_sim(disk, &fs));
}

static inline void disk_end(void)
{
    mt_fs_close(&fs);
    mt_sim_disk_free(&disk);
}

/* The n-th call from now on fails. */
static inline void disk_fault(enum mt_sim_fault fault, uint64_t n)
{
    mt_sim_disk_fault(disk, fault, mt_sim_disk_calls(disk) + n);
}

static inline void disk_heal(void)
{
    mt_sim_disk_fault(disk, MT_SIM_NOTHING, 0);
}

static uint64_t world_random_state = 1;

static inline uint8_t world_random_byte(void)
{
    world_random_state = world_random_state * 6364136223846793005U + 1442695040888963407U;
    return (uint8_t)(world_random_state >> 56);
}

static inline mt_err world_random(void *state, mt_span out)
{
    (void)state;
    for (size_t i = 0; i < out.len; i++) {
        out.ptr[i] = world_random_byte();
    }
    return MT_OK;
}

static inline struct mt_buf file_get(struct mt_fs *of, const char *name)
{
    struct mt_buf b = mt_buf_of_max(SIZE_MAX / 2);
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    uint64_t size = 0;
    size_t got = 0;
    mt_span room;
    OK(mt_fs_open(of, name, MT_FS_READ, &f));
    OK(mt_file_size(f, &size));
    OK(mt_buf_reserve(&b, (size_t)size, &room));
    OK(mt_file_read_at(f, 0, room, &b.len));
    got = b.len;
    MT_ASSERT(got == size);
    return b;
}

static inline void file_put(struct mt_fs *on, const char *name, mt_bytes content)
{
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    mt_err e = mt_fs_remove(on, name);
    MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_NOTFOUND);
    OK(mt_fs_open(on, name, MT_FS_CREATE, &f));
    OK(mt_file_write_at(f, 0, content));
    OK(mt_file_sync(f));
}

static inline void file_flip(struct mt_fs *on, const char *name, uint64_t bit)
{
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    uint8_t byte = 0;
    size_t got = 0;
    OK(mt_fs_open(on, name, MT_FS_WRITE, &f));
    OK(mt_file_read_at(f, bit / 8, (mt_span){&byte, 1}, &got));
    MT_ASSERT(got == 1);
    byte ^= (uint8_t)(1U << (bit % 8));
    OK(mt_file_write_at(f, bit / 8, (mt_bytes){&byte, 1}));
}

struct world_search {
    mt_bytes wanted;
    size_t found;
};

static inline void world_look(void *state, mt_bytes content)
{
    struct world_search *s = state;
    bool is_in = content.len >= s->wanted.len &&
                 memmem(content.ptr, content.len, s->wanted.ptr, s->wanted.len) != NULL;
    s->found += is_in ? 1 : 0;
}

/* Whether a thief of the disk finds these bytes. */
static inline bool disk_shows(mt_bytes wanted)
{
    struct world_search s = {wanted, 0};
    mt_sim_disk_remains(disk, world_look, &s);
    return s.found > 0;
}

static const struct mt_credential world_file = {
    .kind = MT_SLOT_FILE, .secret = {(const uint8_t *)"the content of a key file: 32 by", 32}};
static const struct mt_credential world_other_file = {
    .kind = MT_SLOT_FILE, .secret = {(const uint8_t *)"another key file, of 32 bytes too", 33}};

#endif
