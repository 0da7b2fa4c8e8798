/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_WORLD_TEST_H
#define MT_LEDGER_WORLD_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "crypto/context.h"
#include "ledger/chunk.h"
#include "ledger/ledger.h"
#include "platform/fs.h"
#include "platform/sim/fs.h"

/* A node's life with its ledger, as the tests of this folder tell it: one disk, many starts. */

#define OK(call_) MT_ASSERT(!mt_failed(call_))

static const struct mt_map_def world_maps[] = {
    {"test.open", true},
    {"test.shut", false},
    {NULL, false},
};
#define OPEN_MAP (&world_maps[0])
#define SHUT_MAP (&world_maps[1])

enum { WORLD_EPOCH_MS = 1700000000 };

/* A new disk in memory. */
enum { WORLD_DISKS_MAX = 8 };
static struct mt_sim_disk *world_disks[WORLD_DISKS_MAX];
static struct mt_fs *world_fs[WORLD_DISKS_MAX];

static inline size_t world_find(const struct mt_fs *fs)
{
    for (size_t i = 0; i < WORLD_DISKS_MAX; i++) {
        if (world_fs[i] == fs) {
            return i;
        }
    }
    MT_ASSERT(false);
    return 0;
}

static inline struct mt_fs *world_disk(void)
{
    const struct mt_sim_options o = {.bytes_max = 0};
    size_t i = world_find(NULL);
    OK(mt_sim_disk_new(&o, &world_disks[i]));
    OK(mt_fs_open_sim(world_disks[i], &world_fs[i]));
    return world_fs[i];
}

static inline void world_disk_done(struct mt_fs **fs)
{
    size_t i = world_find(*fs);
    mt_fs_close(fs);
    world_fs[i] = NULL;
    mt_sim_disk_free(&world_disks[i]);
}

struct world {
    struct mt_fs *fs;
    uint64_t now_ms;
    uint64_t chunk_bytes;
    struct mt_ledger_recovery report;
    struct mt_ledger_position damage;
};

static inline uint64_t world_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static uint64_t world_starts; /* of all worlds */
static uint64_t world_entropy_seed = 88172645463325252U;

static inline mt_err world_entropy(void *state, mt_span out)
{
    (void)state;
    for (size_t i = 0; i < out.len; i++) {
        out.ptr[i] = (uint8_t)world_next(&world_entropy_seed);
    }
    return MT_OK;
}

static inline struct mt_ledger_options world_options(struct world *w)
{
    struct mt_ledger_options o = {
        .fs = w->fs,
        .secret = MT_LITERAL("the secret of a ledger, 32 bytes"),
        .host_time_ms = w->now_ms,
        .chunk_bytes = w->chunk_bytes,
        .damage = &w->damage,
    };
    world_starts++;
    memcpy(o.incarnation.b, &world_starts, sizeof world_starts); /* another key at each start */
    return o;
}

static inline mt_err world_create(struct world *w, struct mt_ledger **out)
{
    struct mt_ledger_options o = world_options(w);
    return mt_ledger_create(&o, out);
}

static inline mt_err world_open(struct world *w, struct mt_ledger **out)
{
    struct mt_ledger_options o = world_options(w);
    return mt_ledger_open(&o, out, &w->report);
}

static inline mt_err world_write(struct mt_ledger *l)
{
    struct mt_ledger_write *write = NULL;
    MT_TRY(mt_ledger_cut(l, &write));
    if (write == NULL) {
        return MT_OK;
    }
    mt_err e = mt_ledger_write_run(write);
    return mt_ledger_written(l, &write, e);
}

static inline mt_bytes world_key(uint64_t number, uint8_t room[8])
{
    struct mt_writer w = mt_writer_over((mt_span){room, 8});
    mt_write_u64be(&w, number);
    return (mt_bytes){room, 8};
}

/* Entry `number` of the private map becomes `value`, `len` times over; with a claim and an event.
 */
static inline mt_err world_put(struct world *w, struct mt_ledger *l, uint64_t number, uint8_t value,
                               size_t len)
{
    static const mt_id topic = {"the test's topic"};
    static uint8_t bytes[MT_VALUE_BYTES_MAX];
    struct mt_tx *tx = NULL;
    uint8_t key[8];
    uint32_t index = 0;
    uint64_t version = 0;
    memset(bytes, value, len);
    MT_TRY(mt_ledger_begin(l, world_maps, w->now_ms, &tx));
    mt_err e = mt_tx_put(tx, SHUT_MAP, world_key(number, key), (mt_bytes){bytes, len});
    if (!mt_failed(e)) {
        e = mt_tx_claim(tx, MT_LITERAL("put"), &index);
    }
    if (!mt_failed(e)) {
        e = mt_tx_emit(tx, &topic, MT_LITERAL("{}"));
    }
    if (mt_failed(e)) {
        mt_ledger_abort(l, &tx);
        return e;
    }
    return mt_ledger_commit(l, &tx, &version);
}

/* The value's first byte; 0 if there is no such entry. */
static inline uint8_t world_get(struct world *w, struct mt_ledger *l, uint64_t number)
{
    struct mt_tx *tx = NULL;
    uint8_t key[8];
    mt_bytes value;
    (void)w;
    OK(mt_ledger_begin(l, world_maps, mt_ledger_time_ms(l), &tx));
    mt_err e = mt_tx_get(tx, SHUT_MAP, world_key(number, key), &value);
    uint8_t first = mt_failed(e) ? 0 : value.ptr[0];
    mt_ledger_abort(l, &tx);
    return first;
}

/* Name of the chunk file whose first block is `number`. */
static inline const char *world_chunk(uint64_t number)
{
    static char name[64];
    (void)snprintf(name, sizeof name, "ledger/ledger_%020llu.mtl", (unsigned long long)number);
    return name;
}

static inline struct mt_buf world_file(struct mt_fs *fs, const char *name)
{
    struct mt_buf b = mt_buf_of_max(MT_LEDGER_CHUNK_BYTES);
    struct mt_file *f = NULL;
    mt_span room;
    uint64_t size = 0;
    size_t got = 0;
    OK(mt_fs_open(fs, name, MT_FS_READ, &f));
    OK(mt_file_size(f, &size));
    OK(mt_buf_reserve(&b, (size_t)size, &room));
    OK(mt_file_read_at(f, 0, room, &got));
    MT_ASSERT(got == size);
    b.len = got;
    mt_file_close(&f);
    return b;
}

/* Makes the file exactly this, there or not. */
static inline void world_put_file(struct mt_fs *fs, const char *name, mt_bytes content)
{
    struct mt_file *f = NULL;
    if (mt_failed(mt_fs_open(fs, name, MT_FS_WRITE, &f))) {
        OK(mt_fs_open(fs, name, MT_FS_CREATE, &f));
    }
    OK(mt_file_truncate(f, 0));
    OK(mt_file_write_at(f, 0, content));
    mt_file_close(&f);
}

/* Without the zeros at the end, so that tests which open it a thousand times are quick. */
static inline size_t world_used(const struct mt_buf *b)
{
    size_t len = b->len;
    while (len > 0 && b->ptr[len - 1] == 0) {
        len--;
    }
    return len;
}

static inline void world_poke(struct mt_fs *fs, const char *name, uint64_t at, mt_bytes bytes)
{
    struct mt_file *f = NULL;
    OK(mt_fs_open(fs, name, MT_FS_WRITE, &f));
    OK(mt_file_write_at(f, at, bytes));
    mt_file_close(&f);
}

static inline void world_poke_byte(struct mt_fs *fs, const char *name, uint64_t at, uint8_t byte)
{
    world_poke(fs, name, at, (mt_bytes){&byte, 1});
}

#endif
