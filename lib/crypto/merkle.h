/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_MERKLE_H
#define MT_CRYPTO_MERKLE_H

#include "base/id.h"

/*
 * The Merkle tree of RFC 9162, section 2.1, over SHA-256. Leaves enter as their hashes,
 * SHA-256(0x00 || entry).
 */
enum { MT_MERKLE_PATH_MAX = 64 };

void mt_merkle_leaf(const mt_bytes *parts, size_t count, mt_hash *out); /* prepends the 0x00 */
void mt_merkle_node(const mt_hash *left, const mt_hash *right, mt_hash *out);

/* All leaves kept: 32 bytes each and as many inner nodes. Append is amortised O(1), paths O(log n).
 */
struct mt_merkle;
MT_ERR mt_merkle_new(struct mt_merkle **out);
void mt_merkle_free(struct mt_merkle **m);
MT_ERR mt_merkle_append(struct mt_merkle *m, const mt_hash *leaf);
uint64_t mt_merkle_size(const struct mt_merkle *m);
/* Root of the first `size` leaves; size 0 gives SHA-256 of nothing. */
MT_ERR mt_merkle_root(const struct mt_merkle *m, uint64_t size, mt_hash *out);
/* RFC 9162 2.1.3.1; `path` has room for MT_MERKLE_PATH_MAX. */
MT_ERR mt_merkle_path(const struct mt_merkle *m, uint64_t index, uint64_t size, mt_hash *path,
                      size_t *count);
/* RFC 9162 2.1.4.1. */
MT_ERR mt_merkle_consistency(const struct mt_merkle *m, uint64_t from, uint64_t to, mt_hash *path,
                             size_t *count);

/* A leaf's place and its way up. */
struct mt_merkle_place {
    uint64_t index;
    uint64_t size;
    const mt_hash *path;
    size_t count;
};

/* Pure: the root that a leaf and its path lead to (2.1.3.2), for the caller to compare. MT_E_PROOF
 * for a path of the wrong length. */
MT_ERR mt_merkle_root_of_path(const struct mt_merkle_place *at, const mt_hash *leaf, mt_hash *out);

struct mt_merkle_head {
    uint64_t size;
    mt_hash root;
};

/* Pure: 2.1.4.2. MT_E_PROOF unless `to` extends `from`. */
MT_ERR mt_merkle_check_consistency(const struct mt_merkle_head *from,
                                   const struct mt_merkle_head *to, const mt_hash *path,
                                   size_t count);

#endif
