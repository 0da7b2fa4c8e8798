/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/ct.h"
#include "ledger/inside.h"
#include "ledger/sector.h"
#include "wire/cbor.h"

const struct mt_map_def mt_ledger_own_maps[] = {
    [MT_OWN_STARTS] = {"ledger.starts", true}, /* u64be term -> [incarnation, block time] */
    [MT_OWN_EPOCHS] = {"ledger.epochs", true}, /* u64be recovery epoch -> signed statement */
    [MT_OWN_EVENTS] = {"ledger.events", false},
    {NULL, false},
};

static const struct mt_map_def no_maps[] = {{NULL, false}};

MT_ERR mt_ledger_init(const struct mt_ledger_options *o, struct mt_ledger **out)
{
    MT_DEFER(mt_ledger_free) struct mt_ledger *l = calloc(1, sizeof *l);
    MT_REQUIRE(l != NULL, MT_E_NOMEM, "no memory for the ledger");
    l->fs = o->fs;
    l->chunk.fs = o->fs;
    bool is_small = o->chunk_bytes > 0 && o->chunk_bytes < MT_LEDGER_CHUNK_BYTES;
    l->chunk.bytes_max = is_small ? o->chunk_bytes : MT_LEDGER_CHUNK_BYTES;
    l->tx.ledger = l;
    l->draft.public_ = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    l->draft.private_ = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    l->write.draft = l->draft;
    l->write.block = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    l->write.sectors = mt_buf_of_max(mt_sector_room(MT_BLOCK_BYTES_MAX));
    l->leaf_block = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    l->leaf_private = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    MT_TRY(mt_secret_copy(o->secret, &l->secret));
    MT_TRY(mt_secret_new(sizeof(mt_hash), &l->tx.seed));
    MT_TRY(mt_merkle_new(&l->leaves));
    MT_TRY(mt_hasher_new(&l->hasher));
    MT_TRY(mt_hasher_new(&l->write.hasher));
    mt_spki_hash(&o->incarnation, &l->incarnation);
    *out = l;
    l = NULL; /* given */
    return MT_OK;
}

static void free_tx(struct mt_tx *tx)
{
    MT_ASSERT(!tx->is_open);
    free(tx->log);
    free(tx->dead);
    free(tx->ordered);
    free(tx->changes);
    mt_secret_free(&tx->seed);
    mt_wipe((mt_span){tx->pool, sizeof tx->pool});
}

void mt_ledger_free(struct mt_ledger **ledger)
{
    struct mt_ledger *l = *ledger;
    *ledger = NULL;
    if (l == NULL) {
        return;
    }
    MT_ASSERT(!l->is_writing);
    mt_ledger_snapshot_end(l, &l->held);
    free_tx(&l->tx);
    mt_draft_done(&l->draft);
    mt_draft_done(&l->write.draft);
    mt_buf_free(&l->write.block);
    mt_buf_free(&l->write.sectors);
    free(l->write.leaves);
    mt_hasher_free(&l->write.hasher);
    mt_hasher_free(&l->hasher);
    mt_buf_free(&l->leaf_block);
    mt_buf_free(&l->leaf_private);
    mt_state_done(&l->state);
    mt_aead_free(&l->seal_key);
    mt_chunk_writer_done(&l->chunk);
    mt_merkle_free(&l->leaves);
    mt_secret_free(&l->secret);
    free(l->blocks);
    free(l);
}

const mt_hash *mt_ledger_cluster_id(const struct mt_ledger *l)
{
    return &l->cluster_id;
}

uint64_t mt_ledger_recovery_epoch(const struct mt_ledger *l)
{
    return l->epoch;
}

uint64_t mt_ledger_time_ms(const struct mt_ledger *l)
{
    return l->time_ms;
}

uint64_t mt_ledger_version(const struct mt_ledger *l)
{
    return l->version;
}

uint64_t mt_ledger_durable(const struct mt_ledger *l)
{
    return l->durable;
}

bool mt_ledger_is_unused(const struct mt_ledger *l)
{
    return l->durable == l->term;
}

uint64_t mt_ledger_bytes(const struct mt_ledger *l)
{
    return l->bytes;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Chunks before the last one are full, and stay as they are. */
static MT_ERR chunk_bytes(const struct mt_ledger *l, uint64_t chunk, bool is_last, uint64_t *out)
{
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    if (is_last) {
        *out = l->end;
        return MT_OK;
    }
    MT_TRY(mt_chunk_open(l->fs, chunk, &f));
    return mt_file_size(f, out);
}

MT_ERR mt_ledger_files(const struct mt_ledger *l,
                       mt_err (*each)(void *state, const char *name, uint64_t bytes), void *state)
{
    for (size_t i = 0; i < l->blocks_count; i++) {
        char name[MT_CHUNK_NAME_ROOM];
        uint64_t bytes = 0;
        uint64_t chunk = l->blocks[i].place.chunk;
        bool is_last = chunk == l->blocks[l->blocks_count - 1].place.chunk;
        if (i > 0 && chunk == l->blocks[i - 1].place.chunk) {
            continue;
        }
        MT_TRY(chunk_bytes(l, chunk, is_last, &bytes));
        mt_chunk_name(chunk, name);
        MT_TRY(each(state, name, bytes));
    }
    return MT_OK;
}

/* Whether the host's clock is further ahead than we follow by ourselves. */
static bool is_jump(const struct mt_ledger *l, uint64_t host_time_ms)
{
    uint64_t known = later(l->time_ms, l->accepted_ms);
    return host_time_ms > known && host_time_ms - known > MT_TIME_JUMP_MS_MAX;
}

MT_ERR mt_ledger_begin(struct mt_ledger *l, const struct mt_map_def *maps, uint64_t host_time_ms,
                       struct mt_tx **out)
{
    MT_REQUIRE(!l->is_dead, MT_E_CLOSED, "a write of the ledger has failed: the node must stop");
    MT_REQUIRE(!is_jump(l, host_time_ms), MT_E_STALE,
               "the host's clock is more than an hour ahead of the last block");
    l->accepted_ms = later(l->accepted_ms, host_time_ms);
    mt_tx_open(&l->tx, maps, later(l->time_ms, host_time_ms));
    *out = &l->tx;
    return MT_OK;
}

void mt_ledger_accept_time(struct mt_ledger *l, uint64_t host_time_ms)
{
    l->accepted_ms = later(l->accepted_ms, host_time_ms);
}

void mt_ledger_abort(struct mt_ledger *l, struct mt_tx **tx)
{
    MT_ASSERT(*tx == &l->tx);
    mt_tx_rollback(*tx, (struct mt_tx_mark){0});
    mt_tx_end(*tx);
    *tx = NULL;
}

MT_ERR mt_ledger_commit(struct mt_ledger *l, struct mt_tx **tx, uint64_t *version)
{
    MT_ASSERT(*tx == &l->tx);
    mt_err e = mt_tx_put_events(*tx, l->version + 1);
    if (!mt_failed(e)) {
        e = mt_draft_add(&l->draft, *tx);
    }
    if (mt_failed(e)) {
        mt_ledger_abort(l, tx);
        return e;
    }
    l->time_ms = (*tx)->now_ms;
    if (l->draft.count == 1) {
        l->draft.first_txid = l->version + 1;
    }
    *version = ++l->version;
    mt_tx_end(*tx);
    *tx = NULL;
    return MT_OK;
}

MT_ERR mt_ledger_begin_epoch(struct mt_tx *tx, mt_bytes statement)
{
    uint8_t key[8];
    struct mt_state_map *map = NULL;
    const struct mt_map_def *def = &mt_ledger_own_maps[MT_OWN_EPOCHS];
    struct mt_writer w = mt_writer_over((mt_span){key, sizeof key});
    MT_ASSERT(tx->is_open);
    MT_REQUIRE(statement.len <= MT_VALUE_BYTES_MAX, MT_E_LIMIT, "a statement is too long");
    MT_TRY(mt_state_reach(&tx->ledger->state, mt_bytes_of_text(def->name), true, &map));
    mt_write_u64be(&w, map->map.count + 1);
    return mt_tx_change(tx, map, MT_BYTES_OF(key), &statement);
}

uint64_t mt_ledger_count_epochs(struct mt_ledger *l)
{
    struct mt_state_map *map = NULL;
    const struct mt_map_def *def = &mt_ledger_own_maps[MT_OWN_EPOCHS];
    mt_err e = mt_state_reach(&l->state, mt_bytes_of_text(def->name), true, &map);
    MT_ASSERT(!mt_failed(e));
    return map->map.count;
}

MT_ERR mt_ledger_cut(struct mt_ledger *l, struct mt_ledger_write **out)
{
    struct mt_ledger_write *w = &l->write;
    MT_ASSERT(!l->tx.is_open);
    MT_REQUIRE(!l->is_dead, MT_E_CLOSED, "a write of the ledger has failed: the node must stop");
    if (l->is_writing || l->draft.count == 0) {
        *out = NULL;
        return MT_OK;
    }
    while (w->leaves_room < l->draft.count) {
        mt_hash *leaves = mt_array_grow(w->leaves, &w->leaves_room, w->leaves_room, sizeof *leaves);
        MT_REQUIRE(leaves != NULL, MT_E_NOMEM, "no memory for the leaves of a block");
        w->leaves = leaves;
    }
    if (l->wants_snapshot && l->held == NULL) {
        MT_TRY(mt_snapshot_hold(l, l->last_block + 1, &l->held));
    }
    struct mt_block_draft full = l->draft;
    l->draft = w->draft;
    w->draft = full;
    w->header = (struct mt_block_header){
        .tx_count = (uint32_t)full.count,
        .public_len = (uint32_t)full.public_.len,
        .private_len = (uint32_t)full.private_.len,
        .number = l->last_block + 1,
        .term = l->term,
        .first_txid = full.first_txid,
        .time_ms = l->time_ms,
        .previous = l->last_hash,
        .incarnation = l->incarnation,
    };
    w->key = l->seal_key;
    w->chunk = &l->chunk;
    w->epoch = mt_ledger_count_epochs(l);
    w->is_done = false;
    l->is_writing = true;
    *out = w;
    return MT_OK;
}

static MT_ERR seal(struct mt_ledger_write *w, mt_bytes *out)
{
    const struct mt_block_header *h = &w->header;
    size_t sealed_at = (size_t)MT_BLOCK_HEADER_LEN + h->public_len;
    mt_span block;
    MT_TRY(mt_buf_reserve(&w->block, mt_block_len(h), &block));
    memcpy(block.ptr + MT_BLOCK_HEADER_LEN, w->draft.public_.ptr, h->public_len);
    memcpy(block.ptr + sealed_at, w->draft.private_.ptr, h->private_len);
    MT_TRY(mt_block_seal(w->key, h, block));
    for (size_t i = 0; i < w->draft.count; i++) {
        const struct mt_tx_place *p = &w->draft.places[i];
        const struct mt_leaf_parts parts = {
            .txid = h->first_txid + i,
            .public_ = {block.ptr + MT_BLOCK_HEADER_LEN + p->public_at, p->public_len},
            .sealed = {block.ptr + sealed_at + p->private_at, p->private_len},
            .nonce = p->nonce,
            .claims = p->claims,
        };
        mt_leaf_hash(w->hasher, &parts, &w->leaves[i]);
    }
    memcpy(block.ptr + mt_block_leaves_at(h), w->leaves, w->draft.count * sizeof *w->leaves);
    mt_block_hash(mt_bytes_of(block), &w->hash);
    *out = mt_bytes_of(block);
    return MT_OK;
}

MT_ERR mt_ledger_write_run(struct mt_ledger_write *w)
{
    mt_bytes block = {NULL, 0};
    mt_span sectors;
    const struct mt_chunk_header h = {
        .cluster_id = w->chunk->cluster_id,
        .first_block = w->header.number,
        .first_txid = w->header.first_txid,
        .previous = w->header.previous,
    };
    MT_TRY(seal(w, &block));
    MT_TRY(mt_buf_reserve(&w->sectors, mt_sector_room(block.len), &sectors));
    mt_sectors_write(block, sectors);
    MT_TRY(mt_chunk_append(w->chunk, &h, mt_bytes_of(sectors), &w->place));
    w->is_done = true;
    return MT_OK;
}

MT_ERR mt_ledger_index(struct mt_ledger *l, uint64_t first_txid, struct mt_place place)
{
    struct mt_block_at *blocks =
        mt_array_grow(l->blocks, &l->blocks_room, l->blocks_count, sizeof *blocks);
    MT_REQUIRE(blocks != NULL, MT_E_NOMEM, "no memory for the index of the ledger");
    l->blocks = blocks;
    l->blocks[l->blocks_count++] = (struct mt_block_at){first_txid, place};
    return MT_OK;
}

static MT_ERR take_written(struct mt_ledger *l, const struct mt_ledger_write *w)
{
    MT_REQUIRE(w->is_done, MT_E_INTERNAL, "a block was not written");
    for (size_t i = 0; i < w->draft.count; i++) {
        MT_TRY(mt_merkle_append(l->leaves, &w->leaves[i]));
    }
    MT_TRY(mt_ledger_index(l, w->header.first_txid, w->place));
    l->last_block = w->header.number;
    l->last_time_ms = w->header.time_ms;
    l->last_hash = w->hash;
    l->last_incarnation = w->header.incarnation;
    l->epoch = w->epoch;
    l->durable = w->header.first_txid + w->draft.count - 1;
    l->bytes += mt_sector_room(mt_block_len(&w->header));
    l->end = w->place.offset + mt_sector_room(mt_block_len(&w->header));
    if (l->held != NULL && !l->held->is_durable) {
        l->held->head.block_hash = w->hash;
        l->held->ledger_bytes = l->bytes;
        l->held->is_durable = true;
    }
    return MT_OK;
}

MT_ERR mt_ledger_written(struct mt_ledger *l, struct mt_ledger_write **write, mt_err result)
{
    struct mt_ledger_write *w = *write;
    MT_ASSERT(w == &l->write);
    MT_ASSERT(l->is_writing);
    *write = NULL;
    l->is_writing = false;
    mt_err e = mt_failed(result) ? result : take_written(l, w);
    mt_buf_drop(&w->draft.public_, w->draft.public_.len);
    mt_buf_drop(&w->draft.private_, w->draft.private_.len);
    w->draft.count = 0;
    l->is_dead = mt_failed(e);
    return e;
}

static MT_ERR write_start(struct mt_tx *tx)
{
    struct mt_ledger *l = tx->ledger;
    uint8_t key[8];
    uint8_t room[64];
    mt_bytes value;
    struct mt_state_map *map = NULL;
    const struct mt_map_def *def = &mt_ledger_own_maps[MT_OWN_STARTS];
    struct mt_writer k = mt_writer_over((mt_span){key, sizeof key});
    struct mt_writer v = mt_writer_over((mt_span){room, sizeof room});
    mt_write_u64be(&k, l->term);
    mt_cbor_write_array(&v, 2);
    mt_cbor_write_bytes(&v, mt_hash_bytes(&l->incarnation));
    mt_cbor_write_uint(&v, tx->now_ms);
    MT_TRY(mt_write_end(&v, &value));
    MT_TRY(mt_state_reach(&l->state, mt_bytes_of_text(def->name), true, &map));
    return mt_tx_change(tx, map, MT_BYTES_OF(key), &value);
}

MT_ERR mt_ledger_start(struct mt_ledger *l, const struct mt_ledger_options *o)
{
    struct mt_tx *tx = NULL;
    struct mt_ledger_write *w = NULL;
    uint64_t version = 0;
    MT_REQUIRE(!mt_hash_equal(&l->incarnation, &l->last_incarnation), MT_E_ARG,
               "every start needs an incarnation key of its own");
    l->term++;
    MT_TRY(mt_block_key(l->secret, l->term, &l->incarnation, &l->seal_key));
    bool is_first = l->last_block == 0;
    uint64_t now_ms = !is_first && is_jump(l, o->host_time_ms) ? l->time_ms : o->host_time_ms;
    l->accepted_ms = now_ms;
    MT_TRY(mt_ledger_begin(l, no_maps, now_ms, &tx));
    mt_err e = write_start(tx);
    if (mt_failed(e)) {
        mt_ledger_abort(l, &tx);
        return e;
    }
    MT_TRY(mt_ledger_commit(l, &tx, &version));
    MT_TRY(mt_ledger_cut(l, &w));
    MT_ASSERT(w != NULL); /* there is a transaction, and no write under way */
    e = mt_ledger_write_run(w);
    return mt_ledger_written(l, &w, e);
}

static MT_ERR make_places(struct mt_fs *fs)
{
    MT_TRY(mt_fs_make_dir(fs, "ledger"));
    MT_TRY(mt_fs_make_dir(fs, "snapshot"));
    return mt_fs_sync_dir(fs, ".");
}

MT_ERR mt_ledger_create(const struct mt_ledger_options *o, struct mt_ledger **out)
{
    MT_DEFER(mt_buf_free) struct mt_buf chunks = mt_buf_of_max(MT_LEDGER_CHUNK_BYTES);
    MT_DEFER(mt_ledger_free) struct mt_ledger *l = NULL;
    uint8_t seed[32];
    MT_TRY(make_places(o->fs));
    mt_err e = mt_chunk_list(o->fs, &chunks);
    MT_REQUIRE(mt_failed(e), MT_E_CONFLICT, "there is a ledger already");
    if (e.fault->code != MT_E_NOTFOUND) {
        return e;
    }
    MT_TRY(mt_ledger_init(o, &l));
    MT_ASSERT(l != NULL);
    MT_TRY(mt_random((mt_span){seed, sizeof seed}));
    const mt_bytes parts[] = {mt_label_bytes(MT_LABEL_CLUSTER_ID), MT_BYTES_OF(seed)};
    mt_sha256(parts, 2, &l->cluster_id);
    l->chunk.cluster_id = l->cluster_id;
    l->last_hash = l->cluster_id;
    MT_TRY(mt_ledger_start(l, o));
    *out = l;
    l = NULL; /* given */
    return MT_OK;
}
