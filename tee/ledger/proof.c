/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>

#include "base/assert.h"
#include "crypto/hash.h"
#include "ledger/inside.h"
#include "wire/cose.h"
#include "wire/receipt.h"

/* What the ledger can show of itself: heads, leaves, receipts. All over durable transactions. */

MT_ERR mt_ledger_head(const struct mt_ledger *l, uint64_t *size, mt_hash *root)
{
    MT_ASSERT(mt_merkle_size(l->leaves) == l->durable);
    MT_TRY(mt_merkle_root(l->leaves, l->durable, root));
    *size = l->durable;
    return MT_OK;
}

MT_ERR mt_ledger_consistency(const struct mt_ledger *l, uint64_t from, uint64_t to, mt_hash *path,
                             size_t *count)
{
    MT_REQUIRE(from <= to && to <= l->durable, MT_E_NOTFOUND, "there is no such head");
    return mt_merkle_consistency(l->leaves, from, to, path, count);
}

static const struct mt_block_at *find_block(const struct mt_ledger *l, uint64_t txid)
{
    size_t low = 0;
    size_t high = l->blocks_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (l->blocks[middle].first_txid <= txid) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &l->blocks[low];
}

/* The block is read and verified once for all the leaves that are asked for in a row. */
static MT_ERR load_block(struct mt_ledger *l, uint64_t txid, struct mt_block *out)
{
    const struct mt_block_at *at = find_block(l, txid);
    struct mt_block b;
    mt_span plain;
    if (l->leaf_first_txid == at->first_txid) {
        return mt_block_parse(mt_buf_bytes(&l->leaf_block), out);
    }
    l->leaf_first_txid = 0;
    MT_TRY(mt_chunk_read(l->fs, at->place, &l->leaf_block));
    MT_TRY(mt_block_parse(mt_buf_bytes(&l->leaf_block), &b));
    MT_REQUIRE(b.header.first_txid == at->first_txid, MT_E_PROOF,
               "a block of the ledger is no longer there");
    MT_DEFER(mt_aead_free) struct mt_aead *key = NULL;
    MT_TRY(mt_block_key(l->secret, b.header.term, &b.header.incarnation, &key));
    mt_buf_drop(&l->leaf_private, l->leaf_private.len);
    MT_TRY(mt_buf_reserve(&l->leaf_private, b.header.private_len, &plain));
    MT_TRY(mt_block_unseal(key, &b, plain));
    l->leaf_private.len = plain.len;
    l->leaf_first_txid = at->first_txid;
    *out = b;
    return MT_OK;
}

/* Leaf `txid` of the tree we hold is what the disk says: else the disk is not what it was. */
static MT_ERR is_in_tree(const struct mt_ledger *l, const struct mt_leaf_parts *p)
{
    mt_hash leaf;
    mt_hash root;
    mt_hash expected;
    mt_hash path[MT_MERKLE_PATH_MAX];
    size_t count = 0;
    mt_leaf_hash(l->hasher, p, &leaf);
    MT_TRY(mt_merkle_root(l->leaves, l->durable, &expected));
    MT_TRY(mt_merkle_path(l->leaves, p->txid - 1, l->durable, path, &count));
    const struct mt_merkle_place at = {p->txid - 1, l->durable, path, count};
    MT_TRY(mt_merkle_root_of_path(&at, &leaf, &root));
    MT_REQUIRE(mt_hash_equal(&root, &expected), MT_E_PROOF,
               "a block of the ledger is not the one that was written");
    return MT_OK;
}

static MT_ERR find_write_set(const struct mt_ledger *l, const struct mt_block *b, uint64_t txid,
                             struct mt_write_set *out)
{
    struct mt_reader public_ = mt_reader_over(b->public_);
    struct mt_reader private_ = mt_reader_over(mt_buf_bytes(&l->leaf_private));
    MT_ASSERT(b->header.first_txid <= txid);
    for (uint64_t id = b->header.first_txid; id <= txid; id++) {
        MT_TRY(mt_write_set_parse(&public_, &private_, out));
    }
    return MT_OK;
}

/* One piece of memory: the slices, then hashes, salts and the items themselves. */
static MT_ERR copy_claims(const struct mt_write_set *s, const mt_hash *hashes, struct mt_buf *room,
                          struct mt_ledger_leaf *out)
{
    struct mt_tagged_cursor c;
    struct mt_tagged t;
    bool is_end = false;
    size_t count = (size_t)s->claims_count;
    size_t per_item = sizeof(mt_bytes) + sizeof(mt_hash) + sizeof(mt_id);
    mt_span all;
    mt_buf_drop(room, room->len);
    MT_TRY(mt_buf_reserve(room, count * per_item + s->claims.len, &all));
    MT_ASSERT((uintptr_t)all.ptr % alignof(mt_bytes) == 0);
    mt_bytes *items = (mt_bytes *)(void *)all.ptr;
    mt_hash *item_hashes = (mt_hash *)(all.ptr + count * sizeof(mt_bytes));
    mt_id *salts = (mt_id *)(item_hashes + count);
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)(salts + count), s->claims.len});
    MT_TRY(mt_tagged_begin(s->claims, &c));
    for (size_t i = 0; i < count; i++) {
        MT_TRY(mt_tagged_next(&c, &t, &is_end));
        items[i] = (mt_bytes){(uint8_t *)(salts + count) + w.used, t.bytes.len};
        item_hashes[i] = hashes[i];
        salts[i] = t.id;
        mt_write_bytes(&w, t.bytes);
    }
    room->len = all.len;
    out->items_count = (uint32_t)count;
    out->items = items;
    out->item_hashes = item_hashes;
    out->salts = salts;
    return w.failed;
}

MT_ERR mt_ledger_leaf(struct mt_ledger *l, uint64_t txid, struct mt_buf *room,
                      struct mt_ledger_leaf *out)
{
    mt_hash hashes[MT_CLAIM_ITEMS_MAX];
    struct mt_block b;
    struct mt_write_set s = {.private_ = {NULL, 0}};
    MT_REQUIRE(txid > 0 && txid <= l->durable, MT_E_NOTFOUND, "there is no such transaction");
    MT_TRY(load_block(l, txid, &b));
    MT_TRY(find_write_set(l, &b, txid, &s));
    struct mt_leaf_parts parts = {
        .txid = txid,
        .public_ = s.public_,
        .sealed = {b.sealed.ptr + (s.private_.ptr - l->leaf_private.ptr), s.private_.len},
        .nonce = s.nonce,
    };
    MT_TRY(mt_claims_hash(&s, hashes, &parts.claims));
    MT_TRY(is_in_tree(l, &parts));
    struct mt_ledger_leaf leaf = {.txid = txid, .nonce = s.nonce};
    mt_leaf_write_set_hash(l->hasher, &parts, &leaf.write_set_hash);
    MT_TRY(copy_claims(&s, hashes, room, &leaf));
    *out = leaf;
    return MT_OK;
}

MT_ERR mt_ledger_sign_receipt(struct mt_ledger *l, const struct mt_key *service_key, uint64_t txid,
                              struct mt_writer *out)
{
    enum { HEADER_ROOM = 256, PROOF_ROOM = MT_RECEIPT_PATH_MAX * 34 + 64, TBS_ROOM = 512 };
    uint8_t header_room[HEADER_ROOM];
    uint8_t proof_room[PROOF_ROOM];
    uint8_t tbs_room[TBS_ROOM];
    uint8_t signature[MT_SIGNATURE_LEN];
    mt_bytes tbs;
    mt_hash root;
    struct mt_receipt_header h = {
        .cluster = l->cluster_id, .recovery_epoch = l->epoch, .time_ms = l->last_time_ms};
    struct mt_receipt_proof p = {.tree_size = l->durable, .leaf_index = txid - 1};
    struct mt_cose_sign1 m = {.is_detached = true};
    MT_REQUIRE(txid > 0 && txid <= l->durable, MT_E_NOTFOUND, "there is no such transaction");
    mt_spki_hash(mt_key_public(service_key), &h.kid);
    MT_TRY(mt_ledger_head(l, &h.tree_size, &root));
    MT_TRY(mt_merkle_path(l->leaves, p.leaf_index, p.tree_size, p.path, &p.path_count));
    struct mt_writer w = mt_writer_over((mt_span){header_room, sizeof header_room});
    mt_receipt_header_write(&w, &h);
    MT_TRY(mt_write_end(&w, &m.protected_));
    w = mt_writer_over((mt_span){proof_room, sizeof proof_room});
    mt_receipt_proof_write(&w, &p);
    MT_TRY(mt_write_end(&w, &m.unprotected));
    w = mt_writer_over((mt_span){tbs_room, sizeof tbs_room});
    mt_cose_tbs_write(&w, m.protected_, mt_label_bytes(MT_LABEL_RECEIPT), mt_hash_bytes(&root));
    MT_TRY(mt_write_end(&w, &tbs));
    MT_TRY(mt_sign(service_key, tbs, signature));
    m.signature = MT_BYTES_OF(signature);
    mt_cose_sign1_write(out, &m);
    return out->failed;
}
