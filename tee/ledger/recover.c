/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/assert.h"
#include "ledger/inside.h"

/*
 * Reads every byte of the ledger, in order, and accepts exactly what a node of this cluster has
 * written: sectors, chain of hashes, terms, tags, write sets, leaves. The one thing that it
 * forgives is a torn write behind the last block, which nobody was told about.
 *
 * With a snapshot, blocks up to its own are read and held against the chain, which must lead to the
 * hash that the snapshot names; they are not decrypted and applied again, and their leaves are
 * taken from them.
 */
struct recovery {
    struct mt_ledger *l;
    const struct mt_ledger_options *o;
    const struct mt_snapshot_head *snapshot; /* NULL: from the first block on */
    struct mt_aead *key;                     /* of the term at hand */
    struct mt_buf plain;                     /* the private part of the block at hand */
    uint64_t next_txid;
    uint64_t done_bytes;
    uint64_t all_bytes;
    uint64_t torn_bytes;
    uint64_t replayed_bytes;
    struct mt_place end;
};

static void done(struct recovery *r)
{
    mt_aead_free(&r->key);
    mt_buf_free(&r->plain);
}

MT_ERR mt_ledger_apply(struct mt_ledger *l, const struct mt_write_set *s, uint64_t txid)
{
    struct mt_tx *tx = &l->tx;
    const mt_bytes parts[] = {s->public_, s->changes};
    struct mt_tagged_cursor events;
    struct mt_tagged t;
    bool is_end = false;
    for (size_t i = 0; i < 2; i++) {
        struct mt_changes_cursor c;
        struct mt_change change;
        struct mt_state_map *map = NULL;
        MT_TRY(mt_changes_begin(parts[i], &c));
        for (;;) {
            MT_TRY(mt_changes_next(&c, &change, &is_end));
            if (is_end) {
                break;
            }
            MT_TRY(mt_state_reach(&l->state, change.map, i == 0, &map));
            MT_TRY(mt_tx_change(tx, map, change.key, change.is_delete ? NULL : &change.value));
        }
    }
    MT_TRY(mt_tagged_begin(s->events, &events));
    for (;;) {
        MT_TRY(mt_tagged_next(&events, &t, &is_end));
        if (is_end) {
            break;
        }
        MT_ASSERT(tx->events_count < MT_TX_EVENTS_MAX);
        MT_TRY(mt_item_new(mt_id_bytes(&t.id), t.bytes, &tx->events[tx->events_count]));
        tx->events_count++;
    }
    return mt_tx_put_events(tx, txid);
}

static MT_ERR check_header(const struct recovery *r, const struct mt_block_header *h)
{
    const struct mt_ledger *l = r->l;
    MT_REQUIRE(h->number == l->last_block + 1, MT_E_PROOF, "a block of the ledger is missing");
    MT_REQUIRE(mt_hash_equal(&h->previous, &l->last_hash), MT_E_PROOF,
               "a block does not follow the one before it");
    MT_REQUIRE(h->first_txid == r->next_txid, MT_E_PROOF, "transactions are missing");
    MT_REQUIRE(h->time_ms >= l->last_time_ms, MT_E_PROOF, "block time goes back");
    bool is_same_start = h->term == l->term && mt_hash_equal(&h->incarnation, &l->last_incarnation);
    bool is_next_start = h->term == l->term + 1;
    MT_REQUIRE(is_same_start || is_next_start, MT_E_PROOF, "a term is missing");
    return MT_OK;
}

static MT_ERR append_leaf(struct recovery *r, const struct mt_block *b, uint32_t i, mt_hash *out)
{
    struct mt_reader leaves = mt_reader_over(b->leaves);
    mt_bytes before;
    mt_hash leaf;
    MT_TRY(mt_read_bytes(&leaves, i * sizeof leaf, &before));
    MT_TRY(mt_read_copy(&leaves, (mt_span){leaf.b, sizeof leaf.b}));
    *out = leaf;
    return mt_merkle_append(r->l->leaves, &leaf);
}

static MT_ERR read_transaction(struct recovery *r, const struct mt_leaf_parts *place,
                               const struct mt_write_set *s, const mt_hash *stated)
{
    mt_hash hashes[MT_CLAIM_ITEMS_MAX];
    mt_hash leaf;
    struct mt_leaf_parts parts = *place;
    MT_TRY(mt_claims_hash(s, hashes, &parts.claims));
    mt_leaf_hash(r->l->hasher, &parts, &leaf);
    MT_REQUIRE(mt_hash_equal(&leaf, stated), MT_E_PROOF, "a leaf is not that of its transaction");
    mt_tx_open(&r->l->tx, mt_ledger_own_maps, 0);
    mt_err e = mt_ledger_apply(r->l, s, parts.txid);
    mt_tx_end(&r->l->tx);
    return e;
}

static MT_ERR read_body(struct recovery *r, const struct mt_block *b)
{
    const struct mt_block_header *h = &b->header;
    struct mt_reader public_ = mt_reader_over(b->public_);
    mt_span plain;
    mt_buf_drop(&r->plain, r->plain.len);
    MT_TRY(mt_buf_reserve(&r->plain, h->private_len, &plain));
    r->plain.len = plain.len;
    struct mt_reader private_ = mt_reader_over(mt_bytes_of(plain));
    if (r->key == NULL || h->term != r->l->term) {
        mt_aead_free(&r->key);
        MT_TRY(mt_block_key(r->l->secret, h->term, &h->incarnation, &r->key));
    }
    MT_TRY(mt_block_unseal(r->key, b, plain));
    for (uint32_t i = 0; i < h->tx_count; i++) {
        struct mt_write_set s;
        MT_TRY(mt_write_set_parse(&public_, &private_, &s));
        const struct mt_leaf_parts parts = {
            .txid = h->first_txid + i,
            .public_ = s.public_,
            .sealed = {b->sealed.ptr + (s.private_.ptr - plain.ptr), s.private_.len},
            .nonce = s.nonce,
        };
        mt_hash leaf;
        MT_TRY(append_leaf(r, b, i, &leaf));
        MT_TRY(read_transaction(r, &parts, &s, &leaf));
    }
    MT_TRY(mt_read_end(&public_));
    return mt_read_end(&private_);
}

static MT_ERR read_block(struct recovery *r, mt_bytes bytes)
{
    struct mt_ledger *l = r->l;
    struct mt_block b;
    MT_TRY(mt_block_parse(bytes, &b));
    const struct mt_block_header *h = &b.header;
    MT_TRY(check_header(r, h));
    bool is_in_snapshot = r->snapshot != NULL && h->number <= r->snapshot->block;
    if (is_in_snapshot) {
        for (uint32_t i = 0; i < h->tx_count; i++) {
            mt_hash leaf;
            MT_TRY(append_leaf(r, &b, i, &leaf));
        }
    } else {
        MT_TRY(read_body(r, &b));
    }
    mt_block_hash(bytes, &l->last_hash);
    l->last_block = h->number;
    l->last_time_ms = h->time_ms;
    l->last_incarnation = h->incarnation;
    l->term = h->term;
    r->next_txid += h->tx_count;
    if (r->snapshot != NULL && h->number == r->snapshot->block) {
        MT_REQUIRE(mt_hash_equal(&l->last_hash, &r->snapshot->block_hash) &&
                       mt_hash_equal(&l->cluster_id, &r->snapshot->cluster_id) &&
                       r->next_txid == r->snapshot->txid + 1,
                   MT_E_CONFLICT, "the snapshot is of another ledger");
    }
    return MT_OK;
}

static MT_ERR check_chunk(struct recovery *r, const struct mt_chunk_header *h)
{
    struct mt_ledger *l = r->l;
    if (l->last_block == 0) {
        l->cluster_id = h->cluster_id;
        l->last_hash = h->cluster_id;
    }
    MT_REQUIRE(mt_hash_equal(&h->cluster_id, &l->cluster_id), MT_E_PROOF,
               "a chunk is of another ledger");
    MT_REQUIRE(h->first_block == l->last_block + 1 && h->first_txid == r->next_txid &&
                   mt_hash_equal(&h->previous, &l->last_hash),
               MT_E_PROOF, "a chunk of the ledger is missing");
    return MT_OK;
}

static void tell_progress(struct recovery *r, uint64_t offset)
{
    if (r->o->progress != NULL) {
        r->o->progress(r->o->state, r->done_bytes + offset, r->all_bytes);
    }
}

static void count_bytes(struct recovery *r, uint64_t bytes)
{
    bool is_in_snapshot = r->snapshot != NULL && r->l->last_block <= r->snapshot->block;
    r->l->bytes += bytes;
    r->replayed_bytes += is_in_snapshot ? 0 : bytes;
}

static MT_ERR read_chunk(struct recovery *r, uint64_t first_block, bool is_last)
{
    struct mt_ledger *l = r->l;
    MT_DEFER(mt_chunk_scan_close) struct mt_chunk_scan *s = NULL;
    mt_bytes block;
    bool is_end = false;
    l->at = (struct mt_ledger_position){.chunk = first_block};
    MT_TRY(mt_chunk_scan_open(l->fs, first_block, &s));
    MT_TRY(check_chunk(r, mt_chunk_scan_header(s)));
    for (;;) {
        struct mt_place place = {first_block, mt_chunk_scan_at(s)};
        l->at = (struct mt_ledger_position){l->last_block + 1, place.chunk, place.offset};
        MT_TRY(mt_chunk_scan_next(s, &block, &is_end));
        if (is_end) {
            r->end = place;
            break;
        }
        MT_TRY(mt_ledger_index(l, r->next_txid, place));
        MT_TRY(read_block(r, block));
        count_bytes(r, mt_chunk_scan_at(s) - place.offset);
        tell_progress(r, mt_chunk_scan_at(s));
    }
    MT_REQUIRE(l->last_block >= first_block, MT_E_PROOF, "a chunk has no block");
    const struct mt_tail tail = {is_last, l->last_block + 1, l->last_hash};
    MT_TRY(mt_chunk_scan_tail(s, &tail, &r->torn_bytes));
    r->done_bytes += mt_chunk_scan_size(s);
    tell_progress(r, 0);
    return MT_OK;
}

static uint64_t number_at(const struct mt_buf *list, size_t i)
{
    uint64_t number = 0;
    memcpy(&number, list->ptr + i * sizeof number, sizeof number);
    return number;
}

static MT_ERR add_sizes(struct recovery *r, const struct mt_buf *list)
{
    for (size_t i = 0; i < list->len / sizeof(uint64_t); i++) {
        MT_DEFER(mt_file_close) struct mt_file *f = NULL;
        uint64_t size = 0;
        MT_TRY(mt_chunk_open(r->l->fs, number_at(list, i), &f));
        MT_TRY(mt_file_size(f, &size));
        r->all_bytes += size;
    }
    return MT_OK;
}

/* What the disk says wrongly is a failed proof, whichever check found it. */
static mt_err unproven(mt_err e)
{
    enum mt_code code = mt_failed(e) ? e.fault->code : MT_E_INTERNAL;
    if (code == MT_E_FORMAT || code == MT_E_LIMIT || code == MT_E_ARG) {
        MT_FAIL(MT_E_PROOF, "the ledger holds what no node of ours has written");
    }
    return e;
}

static MT_ERR read_all(struct recovery *r, const struct mt_buf *list)
{
    struct mt_ledger *l = r->l;
    size_t count = list->len / sizeof(uint64_t);
    MT_TRY(add_sizes(r, list));
    for (size_t i = 0; i < count; i++) {
        MT_TRY(unproven(read_chunk(r, number_at(list, i), i + 1 == count)));
    }
    MT_REQUIRE(r->snapshot == NULL || l->last_block >= r->snapshot->block, MT_E_CONFLICT,
               "the snapshot is newer than the ledger");
    l->version = r->next_txid - 1;
    l->durable = l->version;
    l->time_ms = l->last_time_ms;
    l->epoch = mt_ledger_count_epochs(l);
    l->end = r->end.offset;
    l->chunk.cluster_id = l->cluster_id;
    return mt_chunk_resume(&l->chunk, r->end, r->torn_bytes);
}

/* From the newest snapshot that is whole, or, without one, from nothing. */
static MT_ERR try_open(const struct mt_ledger_options *o, const struct mt_buf *list,
                       bool with_snapshot, struct mt_ledger **out,
                       struct mt_ledger_recovery *report)
{
    MT_DEFER(mt_ledger_free) struct mt_ledger *l = NULL;
    struct mt_snapshot_head head;
    bool is_found = false;
    MT_TRY(mt_ledger_init(o, &l));
    if (with_snapshot) {
        MT_TRY(mt_snapshot_load(l, &head, &is_found));
        MT_REQUIRE(is_found, MT_E_NOTFOUND, "there is no snapshot");
    }
    MT_DEFER(done)
    struct recovery r = {.l = l,
                         .o = o,
                         .snapshot = with_snapshot ? &head : NULL,
                         .next_txid = 1,
                         .plain = mt_buf_of_max(MT_BLOCK_BYTES_MAX)};
    mt_err e = read_all(&r, list);
    if (mt_failed(e)) {
        if (o->damage != NULL && e.fault->code == MT_E_PROOF) {
            *o->damage = l->at;
        }
        return e;
    }
    *report = (struct mt_ledger_recovery){
        .transactions = l->version,
        .blocks = l->last_block,
        .torn_bytes = r.torn_bytes,
        .snapshot_txid = with_snapshot ? head.txid : 0,
        .replayed_bytes = r.replayed_bytes,
    };
    *out = l;
    l = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_ledger_open(const struct mt_ledger_options *o, struct mt_ledger **out,
                      struct mt_ledger_recovery *report)
{
    MT_DEFER(mt_buf_free) struct mt_buf list = mt_buf_of_max(MT_LEDGER_CHUNK_BYTES);
    MT_DEFER(mt_ledger_free) struct mt_ledger *l = NULL;
    struct mt_ledger_recovery r = {0};
    MT_TRY(mt_chunk_list(o->fs, &list));
    mt_err e = try_open(o, &list, true, &l, &r);
    enum mt_code code = mt_failed(e) ? e.fault->code : MT_E_INTERNAL;
    if (code == MT_E_NOTFOUND || code == MT_E_CONFLICT || code == MT_E_PROOF) {
        /* The blocks alone say everything. A snapshot that does not fit them is only mentioned. */
        MT_TRY(try_open(o, &list, false, &l, &r));
        r.snapshot_refused = code != MT_E_NOTFOUND;
    } else if (mt_failed(e)) {
        return e;
    }
    MT_TRY(mt_ledger_start(l, o));
    *out = l;
    *report = r;
    l = NULL; /* given */
    return MT_OK;
}
