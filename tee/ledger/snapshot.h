/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_SNAPSHOT_H
#define MT_LEDGER_SNAPSHOT_H

#include "base/id.h"

/*
 * The format of "snapshot/<transaction, 20 digits>.mts": a header of 128 bytes in clear, then
 * frames, each sealed under HKDF(ledger secret, the whole header) with its number as nonce. The
 * header holds 32 random bytes, so no two snapshots share a key. spec/snapshot.md.
 */
enum { MT_SNAPSHOT_HEAD_LEN = 128 };

struct mt_snapshot_head {
    mt_hash cluster_id;
    uint64_t txid;  /* the last one in it */
    uint64_t block; /* the block that ends with it */
    mt_hash block_hash;
    mt_hash salt;
};
void mt_snapshot_head_write(const struct mt_snapshot_head *h, uint8_t out[MT_SNAPSHOT_HEAD_LEN]);
MT_ERR mt_snapshot_head_parse(mt_bytes in, struct mt_snapshot_head *out);

/* The content of one frame: entries of one map in order; or the end, which says how many entries
 * all frames have. */
struct mt_snapshot_frame {
    bool is_end;
    uint64_t entries; /* here, or in all */
    mt_bytes map;
    bool is_public;
    mt_bytes pairs; /* key, value, key, value: byte strings of CBOR */
};
/* All but the pairs, which follow, in order of their keys. */
void mt_snapshot_frame_write(struct mt_writer *w, const struct mt_snapshot_frame *f);
MT_ERR mt_snapshot_frame_parse(mt_bytes in, struct mt_snapshot_frame *out);

#endif
