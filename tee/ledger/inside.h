/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_INSIDE_H
#define MT_LEDGER_INSIDE_H

#include "base/limits.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "ledger/chunk.h"
#include "ledger/ledger.h"
#include "ledger/map.h"
#include "ledger/snapshot.h"
#include "ledger/write_set.h"

/* What the files of this folder share, and nobody else sees. */

/* All maps of the node, by name. */
struct mt_state_map {
    uint8_t name[MT_MAP_NAME_BYTES_MAX];
    size_t name_len;
    bool is_public;
    bool is_derived; /* follows from the write sets and stands in none: ledger.events */
    struct mt_map map;
};

struct mt_state {
    struct mt_map_pool pool;
    struct mt_state_map maps[MT_LEDGER_MAPS_MAX];
    size_t count;
};

/* The map of that name, made empty if there is none. MT_E_CONFLICT if it is public for one and
 * private for the other. */
MT_ERR mt_state_reach(struct mt_state *s, mt_bytes name, bool is_public, struct mt_state_map **out);
void mt_state_done(struct mt_state *s);

extern const struct mt_map_def mt_ledger_own_maps[]; /* the ledger's own */
enum { MT_OWN_STARTS, MT_OWN_EPOCHS, MT_OWN_EVENTS };

/* One step of an open transaction: what it put (NULL: deleted), and what stood there. */
struct mt_logged {
    struct mt_state_map *map;
    struct mt_item *old; /* counted here */
    struct mt_item *now; /* the map's, or the `old` of a later step */
    size_t cost;
};

/* The same in order of map and key. */
struct mt_ordered {
    struct mt_change change;
    size_t index; /* in the log */
    bool is_public;
    bool was_absent;
};

struct mt_tx {
    struct mt_ledger *ledger;
    const struct mt_map_def *reach;
    uint64_t now_ms;
    size_t bytes; /* upper bound of its size in the block */
    bool is_open;
    struct mt_logged *log;
    size_t log_count;
    size_t log_room;
    struct mt_item **dead; /* rolled back, kept because a reader may still borrow from them */
    size_t dead_count;
    size_t dead_room;
    struct mt_item *claims[MT_CLAIM_ITEMS_MAX]; /* key: salt */
    size_t claims_count;
    struct mt_item *events[MT_TX_EVENTS_MAX]; /* key: topic */
    size_t events_count;
    struct mt_ordered *ordered; /* of the commit: the log, sorted */
    size_t ordered_room;
    struct mt_change *changes; /* and what remains of it */
    size_t changes_room;
    /* of the commit too; on the stack they would be zeroed each time, and few are ever used */
    struct mt_tagged claims_written[MT_CLAIM_ITEMS_MAX];
    struct mt_tagged events_written[MT_TX_EVENTS_MAX];
    mt_hash claims_hashed[MT_CLAIM_ITEMS_MAX];
    struct mt_secret *seed;
    bool has_seed;
    uint8_t pool[1024]; /* random bytes for nonces and salts, drawn many at a time */
    size_t pool_left;
    uint64_t drawn; /* calls of mt_tx_random() */
};

/* Of tx.c, for the ledger itself: without reach and limits. */
MT_ERR mt_tx_draw(struct mt_tx *tx, mt_id *out);
MT_ERR mt_tx_change(struct mt_tx *tx, struct mt_state_map *map, mt_bytes key,
                    const mt_bytes *value); /* NULL: delete */
MT_ERR mt_tx_put_events(struct mt_tx *tx, uint64_t txid);
void mt_tx_open(struct mt_tx *tx, const struct mt_map_def *reach, uint64_t now_ms);
void mt_tx_end(struct mt_tx *tx); /* keeps what it changed */

/* Where a transaction lies in the open block, and what its leaf needs. */
struct mt_tx_place {
    size_t public_at;
    size_t public_len;
    size_t private_at;
    size_t private_len;
    mt_id nonce;
    mt_hash claims;
};

struct mt_block_draft {
    struct mt_buf public_;
    struct mt_buf private_;
    struct mt_tx_place *places;
    size_t count;
    size_t room;
    uint64_t first_txid;
};
void mt_draft_done(struct mt_block_draft *d);

/* Writes the open transaction behind the others. On failure the draft is as before. */
MT_ERR mt_draft_add(struct mt_block_draft *d, struct mt_tx *tx);

/* Leaf of one transaction: its slices of the public part and of the ciphertext. */
struct mt_leaf_parts {
    uint64_t txid;
    mt_bytes public_;
    mt_bytes sealed;
    mt_id nonce;
    mt_hash claims;
};
void mt_leaf_write_set_hash(struct mt_hasher *h, const struct mt_leaf_parts *p, mt_hash *out);
void mt_leaf_hash(struct mt_hasher *h, const struct mt_leaf_parts *p, mt_hash *out);
void mt_claim_hash(const mt_id *salt, mt_bytes item, mt_hash *out);
/* Over the claims of a parsed write set; `hashes` has MT_CLAIM_ITEMS_MAX places. */
MT_ERR mt_claims_hash(const struct mt_write_set *s, mt_hash *hashes, mt_hash *out);

/* A block on its way to the disk: the disk thread's from mt_ledger_cut() to mt_ledger_written(). */
struct mt_ledger_write {
    struct mt_block_draft draft;
    struct mt_block_header header;
    struct mt_aead *key;
    struct mt_chunk_writer *chunk;
    struct mt_buf block;
    struct mt_buf sectors;
    struct mt_hasher *hasher; /* for the leaves */
    mt_hash *leaves;
    size_t leaves_room;
    uint64_t epoch; /* recovery epoch as of its last transaction */
    mt_hash hash;
    struct mt_place place;
    bool is_done;
};

/* One block on disk, for finding a transaction. */
struct mt_block_at {
    uint64_t first_txid;
    struct mt_place place;
};

/* A version of all maps. The loop's, but for mt_ledger_snapshot_run(), which only reads. */
struct mt_ledger_snapshot {
    struct mt_fs *fs;
    struct mt_snapshot_head head;
    struct mt_aead *key;
    bool is_durable;       /* its last block is */
    uint64_t ledger_bytes; /* up to its last block */
    uint64_t file_bytes;   /* once written */
    size_t count;
    struct mt_state_map maps[MT_LEDGER_MAPS_MAX];
};

struct mt_ledger {
    struct mt_fs *fs;
    struct mt_secret *secret;
    mt_hash incarnation;
    mt_hash cluster_id;
    struct mt_state state;
    struct mt_tx tx;
    struct mt_block_draft draft; /* the open block */
    struct mt_ledger_write write;
    bool is_writing;
    bool is_dead;
    struct mt_aead *seal_key; /* of this start; the disk thread's while a write is under way */
    struct mt_chunk_writer chunk;
    struct mt_merkle *leaves; /* durable transactions */
    struct mt_block_at *blocks;
    size_t blocks_count;
    size_t blocks_room;
    uint64_t term;
    uint64_t version;
    uint64_t durable;
    uint64_t time_ms;     /* of the newest transaction */
    uint64_t accepted_ms; /* the host's clock may be up to an hour ahead of this or of time_ms */
    uint64_t epoch;       /* durable */
    uint64_t bytes;       /* of durable blocks, in sectors */
    uint64_t end;         /* of the last durable block, in its chunk */
    /* of the last durable block */
    uint64_t last_block;
    uint64_t last_time_ms;
    mt_hash last_hash;
    mt_hash last_incarnation;
    struct mt_ledger_position at; /* what recovery is looking at */
    struct mt_hasher *hasher;     /* of the loop */
    /* the block that a leaf was last read from, verified */
    struct mt_buf leaf_block;
    struct mt_buf leaf_private;
    uint64_t leaf_first_txid; /* 0: none */
    bool wants_snapshot;
    struct mt_ledger_snapshot *held; /* taken when the block under way was cut, or durable */
};

/* Makes one more place in an array of `size`-byte elements, NULL without memory. */
void *mt_array_grow(void *array, size_t *room, size_t count, size_t size);

/* Of ledger.c, for recovery. */
MT_ERR mt_ledger_init(const struct mt_ledger_options *o, struct mt_ledger **out);
MT_ERR mt_ledger_start(struct mt_ledger *l, const struct mt_ledger_options *o);
MT_ERR mt_ledger_index(struct mt_ledger *l, uint64_t first_txid, struct mt_place place);
uint64_t mt_ledger_count_epochs(struct mt_ledger *l);

/* Of keep.c: a version of all that is appended now, the last of it in block `block`. */
MT_ERR mt_snapshot_hold(struct mt_ledger *l, uint64_t block, struct mt_ledger_snapshot **out);
/* Fills the state of `l` from the newest snapshot, if there is any. MT_E_PROOF if it is not as it
 * was written. */
MT_ERR mt_snapshot_load(struct mt_ledger *l, struct mt_snapshot_head *out, bool *is_found);

/* Of recover.c: applies a parsed write set to the state. */
MT_ERR mt_ledger_apply(struct mt_ledger *l, const struct mt_write_set *s, uint64_t txid);

#endif
