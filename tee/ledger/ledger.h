/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_LEDGER_H
#define MT_LEDGER_LEDGER_H

#include "crypto/secret.h"
#include "crypto/sign.h"
#include "ledger/tx.h"
#include "platform/fs.h"
#include "wire/receipt.h"

/*
 * The ledger of a cluster of one: transactions in, sealed blocks out, state in ordered maps in
 * memory. An engine: it is owned by the loop thread and does no I/O of its own after
 * mt_ledger_open(); a cut block is a value which the disk thread writes, and its outcome comes back
 * by mt_ledger_written(). Formats: spec/ledger-block.md, ledger-chunk.md, write-set.md,
 * snapshot.md.
 */
struct mt_ledger;

/* Where on the disk verification failed. */
struct mt_ledger_position {
    uint64_t block;  /* number; 0: not in a block */
    uint64_t chunk;  /* first block of the file, which its name says */
    uint64_t offset; /* in the file */
};

struct mt_ledger_options {
    struct mt_fs *fs;
    mt_bytes secret; /* ledger secret of the epoch, from the key tree */
    mt_spki
        incarnation; /* public key of this start; block key = HKDF(secret, term || incarnation) */
    uint64_t host_time_ms;
    uint64_t chunk_bytes; /* a chunk file that is so long is full; 0: MT_LEDGER_CHUNK_BYTES */
    void (*progress)(void *state, uint64_t done_bytes,
                     uint64_t all_bytes); /* of recovery; may be NULL */
    void *state;
    struct mt_ledger_position *damage; /* set with MT_E_PROOF; may be NULL */
};

struct mt_ledger_recovery {
    uint64_t transactions;
    uint64_t blocks;
    uint64_t torn_bytes;     /* of an unfinished last write, dropped */
    uint64_t snapshot_txid;  /* 0: everything was replayed */
    uint64_t replayed_bytes; /* of blocks that no snapshot held */
    bool snapshot_refused;   /* there is one, and it is damaged or does not fit: everything was
                                replayed instead. Nothing but a fault or a hand does that */
};

/* A new, empty ledger with a random cluster id. MT_E_CONFLICT if there is one. */
MT_ERR mt_ledger_create(const struct mt_ledger_options *o, struct mt_ledger **out);
/* Reads and verifies everything: MT_E_PROOF for anything but a torn tail, MT_E_NOTFOUND if there is
 * no ledger. */
MT_ERR mt_ledger_open(const struct mt_ledger_options *o, struct mt_ledger **out,
                      struct mt_ledger_recovery *report);
void mt_ledger_free(struct mt_ledger **l);

const mt_hash *mt_ledger_cluster_id(const struct mt_ledger *l);
uint64_t mt_ledger_recovery_epoch(const struct mt_ledger *l); /* 0, plus one per restore */
uint64_t mt_ledger_time_ms(const struct mt_ledger *l);        /* of the last block */

/* Transactions run one after another: one open at a time. `maps` ends with a NULL name. MT_E_STALE
 * when the host's clock is more than an hour ahead of all that the ledger knows (the last block,
 * earlier calls, what was accepted): mt_ledger_accept_time() first, by an administrator. With
 * mt_ledger_time_ms() for the host's time it never is: so the administrator can be asked who they
 * are while the clock stands. A node that idles calls this with the host's time now and then, and
 * commits at least twice an hour, so that neither a quiet night nor the restart after it looks like
 * a jump. */
MT_ERR mt_ledger_begin(struct mt_ledger *l, const struct mt_map_def *maps, uint64_t host_time_ms,
                       struct mt_tx **out);
/* Who else may be reached from now on, for tee/gate alone; returns what it was. */
const struct mt_map_def *mt_tx_reach(struct mt_tx *tx, const struct mt_map_def *maps);
/* A place to come back to when a later part of the same transaction fails. */
struct mt_tx_mark {
    size_t writes, claims, events, seed;
};
struct mt_tx_mark mt_tx_mark(const struct mt_tx *tx);
void mt_tx_rollback(struct mt_tx *tx, struct mt_tx_mark mark);
bool mt_tx_has_writes(const struct mt_tx *tx); /* or claims */
/* Appends to the open block; visible to the next transaction. *version is its id. Ends the
 * transaction, also when it fails: then nothing of it remains. MT_E_BUSY: the block is full, cut
 * first. A transaction without writes may be committed: it moves the block time on. */
MT_ERR mt_ledger_commit(struct mt_ledger *l, struct mt_tx **tx, uint64_t *version);
void mt_ledger_abort(struct mt_ledger *l, struct mt_tx **tx);
/* Writes the administrator's signed statement that opens the next recovery epoch (after a restore);
 * whoever calls has verified it. */
MT_ERR mt_ledger_begin_epoch(struct mt_tx *tx, mt_bytes statement);
void mt_ledger_accept_time(struct mt_ledger *l, uint64_t host_time_ms);

uint64_t mt_ledger_version(const struct mt_ledger *l); /* newest appended transaction */
uint64_t
mt_ledger_durable(const struct mt_ledger *l); /* newest durable one: outputs up to here may leave */

/* Nothing durable but starts, of which each writes one transaction: nobody was told of anything. */
bool mt_ledger_is_unused(const struct mt_ledger *l);

uint64_t
mt_ledger_bytes(const struct mt_ledger *l); /* of all durable blocks, as they lie on disk */

/* The files that hold the durable blocks, and how many bytes of each, in order: for a backup. They
 * only grow behind what is said here. */
MT_ERR mt_ledger_files(const struct mt_ledger *l,
                       mt_err (*each)(void *state, const char *name, uint64_t bytes), void *state);

/* The open block as a value to be written, or NULL if it is empty or a write is under way (one at a
 * time: that is group commit). */
struct mt_ledger_write;
MT_ERR mt_ledger_cut(struct mt_ledger *l, struct mt_ledger_write **out);
MT_ERR mt_ledger_write_run(
    struct mt_ledger_write *w); /* on the disk thread: write, new chunk if needed, fdatasync */
/* Back on the loop. After any failure the ledger is dead: the node must stop, and nothing may
 * leave. Frees `*w`. */
MT_ERR mt_ledger_written(struct mt_ledger *l, struct mt_ledger_write **w, mt_err result);

/* Tree head over the durable transactions: leaf i is transaction i + 1. */
MT_ERR mt_ledger_head(const struct mt_ledger *l, uint64_t *size, mt_hash *root);
MT_ERR mt_ledger_consistency(const struct mt_ledger *l, uint64_t from, uint64_t to, mt_hash *path,
                             size_t *count);

/* Durable events of `topic`, in order, of transactions after `after_txid`. `each` may stop with
 * *is_enough. Of each topic the last MT_TOPIC_EVENTS_MAX are kept. */
typedef mt_err mt_event_each(void *state, uint64_t txid, mt_bytes event, bool *is_enough);
MT_ERR mt_ledger_events(struct mt_ledger *l, const mt_id *topic, uint64_t after_txid,
                        mt_event_each *each, void *state);

/* What a receipt says of a durable transaction; reads and verifies its block. `room` owns what
 * `out` borrows. Blocking read of one block. */
struct mt_ledger_leaf {
    uint64_t txid;
    mt_hash write_set_hash;
    mt_id nonce;
    uint32_t items_count;
    const mt_hash *item_hashes;
    const mt_bytes *items; /* item i, and its salt */
    const mt_id *salts;
};
MT_ERR mt_ledger_leaf(struct mt_ledger *l, uint64_t txid, struct mt_buf *room,
                      struct mt_ledger_leaf *out);
/* The COSE receipt part for transaction `txid` at the durable head, signed by the service key:
 * protected header, proof, signature. */
MT_ERR mt_ledger_sign_receipt(struct mt_ledger *l, const struct mt_key *service_key, uint64_t txid,
                              struct mt_writer *w);

/* Snapshot of the durable state, so that a start does not replay everything: begin on the loop
 * (takes an immutable version), run on a pool thread, end on the loop. MT_E_BUSY: what is appended
 * is not yet durable; a version is taken with the next cut, ask again when it is. One at a time.
 * mt_ledger_snapshot_bytes(): before run, mt_ledger_bytes() as of the version; after it, also the
 * size of the file. spec/snapshot.md. */
struct mt_ledger_snapshot;
MT_ERR mt_ledger_snapshot_begin(struct mt_ledger *l, struct mt_ledger_snapshot **out);
MT_ERR mt_ledger_snapshot_run(struct mt_ledger_snapshot *s);
void mt_ledger_snapshot_bytes(const struct mt_ledger_snapshot *s, uint64_t *ledger, uint64_t *file);
void mt_ledger_snapshot_end(struct mt_ledger *l, struct mt_ledger_snapshot **s);

#endif
