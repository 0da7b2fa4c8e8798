/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_TX_H
#define MT_LEDGER_TX_H

#include "base/id.h"

/*
 * A transaction as a handler sees it: reads see the newest appended state and the transaction's own
 * writes; writes become visible to others, all or none, when the handler has succeeded. Maps are
 * ordered bytewise by key. A transaction reaches the maps of its own service and no others: a
 * stranger's map is an assertion, for it is a bug of ours.
 */
struct mt_tx;

struct mt_map_def {
    const char *name; /* "data.versions" */
    bool is_public; /* in clear inside the block: configuration, member keys, heads, nothing else */
};

/* Borrows; valid until the transaction ends. MT_E_NOTFOUND. */
MT_ERR mt_tx_get(struct mt_tx *tx, const struct mt_map_def *map, mt_bytes key, mt_bytes *out);
bool mt_tx_has(struct mt_tx *tx, const struct mt_map_def *map, mt_bytes key);
/* Copies. MT_E_LIMIT beyond MT_KEY_BYTES_MAX, MT_VALUE_BYTES_MAX or MT_TX_BYTES_MAX. */
MT_ERR mt_tx_put(struct mt_tx *tx, const struct mt_map_def *map, mt_bytes key, mt_bytes value);
MT_ERR mt_tx_del(struct mt_tx *tx, const struct mt_map_def *map, mt_bytes key); /* absent: fine */

struct mt_range {
    mt_bytes prefix;
    mt_bytes after; /* empty: from the first */
};
#define MT_RANGE(prefix_, after_) ((struct mt_range){(prefix_), (after_)})
#define MT_ALL_OF(prefix_)        MT_RANGE((prefix_), ((mt_bytes){NULL, 0}))
#define MT_ALL                    MT_ALL_OF(((mt_bytes){NULL, 0}))

/* In order, every key that starts with the prefix and comes after `after`; `each` may stop with
 * *is_enough. No writes to the same map meanwhile. */
typedef mt_err mt_scan_each(void *state, mt_bytes key, mt_bytes value, bool *is_enough);
MT_ERR mt_tx_scan(struct mt_tx *tx, const struct mt_map_def *map, struct mt_range range,
                  mt_scan_each *each, void *state);

/* One claim item: what a receipt for this transaction can later show, each on its own
 * (spec/receipt.md). *index from 0. */
MT_ERR mt_tx_claim(struct mt_tx *tx, mt_bytes item, uint32_t *index);

/* Tells those who watch `topic`, once this transaction is durable. Kept for resuming watchers, the
 * last 256 of each topic. */
MT_ERR mt_tx_emit(struct mt_tx *tx, const mt_id *topic, mt_bytes event);

/* From the transaction's own seed: a repeat of the same handler on the same transaction gives the
 * same. */
MT_ERR mt_tx_random(struct mt_tx *tx, mt_span out);

/* Block time: max(previous block, what the host claims). Milliseconds since 1970. */
uint64_t mt_tx_now_ms(const struct mt_tx *tx);

/* The number that this transaction will have if it is committed. */
uint64_t mt_tx_id(const struct mt_tx *tx);

#endif
