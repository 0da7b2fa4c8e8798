/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/assert.h"
#include "ledger/inside.h"
#include "wire/receipt.h"

/* The open block: transactions one behind another, as they will be hashed and sealed. */

enum {
    /* Heads of the parts and, for every map, its name and heads: beside what mt_tx counts. */
    TX_OVERHEAD = 256 + MT_LEDGER_MAPS_MAX * (MT_MAP_NAME_BYTES_MAX + 16),
    ENTRY_LEN = 88,
};

_Static_assert(MT_TX_BYTES_MAX + (size_t)MT_TX_EVENTS_MAX * 256 + TX_OVERHEAD <
                   MT_BLOCK_BYTES_MAX / 2,
               "an empty block has room for any transaction");

void mt_draft_done(struct mt_block_draft *d)
{
    mt_buf_free(&d->public_);
    mt_buf_free(&d->private_);
    free(d->places);
    *d = (struct mt_block_draft){.public_ = d->public_, .private_ = d->private_};
}

static int in_order(const void *a, const void *b)
{
    const struct mt_ordered *x = a;
    const struct mt_ordered *y = b;
    int order = x->is_public == y->is_public ? 0 : x->is_public ? -1 : 1;
    order = order != 0 ? order : mt_bytes_order(x->change.map, y->change.map);
    order = order != 0 ? order : mt_bytes_order(x->change.key, y->change.key);
    return order != 0 ? order : x->index < y->index ? -1 : 1;
}

static MT_ERR order_log(struct mt_tx *tx, size_t *count)
{
    size_t n = 0;
    for (size_t i = 0; i < tx->log_count; i++) {
        const struct mt_logged *step = &tx->log[i];
        struct mt_ordered *ordered =
            mt_array_grow(tx->ordered, &tx->ordered_room, n, sizeof *tx->ordered);
        MT_REQUIRE(ordered != NULL, MT_E_NOMEM, "no memory for a write set");
        tx->ordered = ordered;
        struct mt_change *changes =
            mt_array_grow(tx->changes, &tx->changes_room, n, sizeof *tx->changes);
        MT_REQUIRE(changes != NULL, MT_E_NOMEM, "no memory for a write set");
        tx->changes = changes;
        if (step->map->is_derived) {
            continue;
        }
        tx->ordered[n++] = (struct mt_ordered){
            .change = {.map = {step->map->name, step->map->name_len},
                       .key = mt_item_key(step->now != NULL ? step->now : step->old),
                       .value = step->now != NULL ? mt_item_value(step->now) : (mt_bytes){0},
                       .is_delete = step->now == NULL},
            .index = i,
            .is_public = step->map->is_public,
            .was_absent = step->old == NULL,
        };
    }
    if (n > 1) {
        qsort(tx->ordered, n, sizeof *tx->ordered, in_order);
    }
    *count = n;
    return MT_OK;
}

static bool is_same_key(const struct mt_ordered *a, const struct mt_ordered *b)
{
    return mt_bytes_equal(a->change.key, b->change.key) &&
           mt_bytes_equal(a->change.map, b->change.map);
}

/* Of each key the last change counts, and none if it came and went. Public ones first. */
static MT_ERR collect(struct mt_tx *tx, size_t *public_count, size_t *count)
{
    size_t steps = 0;
    size_t n = 0;
    size_t n_public = 0;
    MT_TRY(order_log(tx, &steps));
    for (size_t first = 0; first < steps;) {
        size_t last = first;
        while (last + 1 < steps && is_same_key(&tx->ordered[first], &tx->ordered[last + 1])) {
            last++;
        }
        const struct mt_ordered *o = &tx->ordered[last];
        if (!(tx->ordered[first].was_absent && o->change.is_delete)) {
            tx->changes[n++] = o->change;
            n_public += o->is_public ? 1 : 0;
        }
        first = last + 1;
    }
    *public_count = n_public;
    *count = n;
    return MT_OK;
}

static struct mt_tagged tagged(const struct mt_item *item)
{
    struct mt_tagged t = {.bytes = mt_item_value(item)};
    struct mt_reader r = mt_reader_over(mt_item_key(item));
    mt_err e = mt_read_copy(&r, (mt_span){t.id.b, sizeof t.id.b});
    MT_ASSERT(!mt_failed(e));
    return t;
}

static void hash_list(const mt_hash *hashes, size_t count, mt_hash *out)
{
    /* SHA-256 of nothing: most transactions that are not of the gate claim nothing. */
    static const mt_hash of_none = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
                                     0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
                                     0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
                                     0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};
    if (count == 0) {
        *out = of_none;
        return;
    }
    const mt_bytes part = {hashes[0].b, count * sizeof *hashes};
    mt_sha256(&part, 1, out);
}

void mt_claim_hash(const mt_id *salt, mt_bytes item, mt_hash *out)
{
    mt_bytes label = mt_label_bytes(MT_LABEL_CLAIM_ITEM);
    const uint8_t len = (uint8_t)label.len;
    const mt_bytes parts[] = {{&len, 1}, label, mt_id_bytes(salt), item};
    mt_sha256(parts, 4, out);
}

MT_ERR mt_claims_hash(const struct mt_write_set *s, mt_hash *hashes, mt_hash *out)
{
    struct mt_tagged_cursor c;
    struct mt_tagged t;
    bool is_end = false;
    size_t count = 0;
    MT_TRY(mt_tagged_begin(s->claims, &c));
    for (;;) {
        MT_TRY(mt_tagged_next(&c, &t, &is_end));
        if (is_end) {
            break;
        }
        MT_ASSERT(count < MT_CLAIM_ITEMS_MAX);
        mt_claim_hash(&t.id, t.bytes, &hashes[count++]);
    }
    hash_list(hashes, count, out);
    return MT_OK;
}

void mt_leaf_write_set_hash(struct mt_hasher *h, const struct mt_leaf_parts *p, mt_hash *out)
{
    mt_hasher_add(h, p->public_);
    mt_hasher_add(h, p->sealed);
    mt_hasher_end(h, out);
}

void mt_leaf_hash(struct mt_hasher *h, const struct mt_leaf_parts *p, mt_hash *out)
{
    uint8_t entry[1 + ENTRY_LEN]; /* behind the zero that RFC 9162 puts before a leaf */
    struct mt_writer w = mt_writer_over((mt_span){entry, sizeof entry});
    mt_bytes written;
    struct mt_receipt_entry e = {.txid = p->txid, .nonce = p->nonce};
    mt_leaf_write_set_hash(h, p, &e.write_set_hash);
    mt_write_u8(&w, 0);
    mt_receipt_entry_write(&w, &e, &p->claims);
    mt_err failed = mt_write_end(&w, &written);
    MT_ASSERT(!mt_failed(failed));
    mt_hasher_add(h, written);
    mt_hasher_end(h, out);
}

static MT_ERR write_parts(struct mt_block_draft *d, struct mt_tx *tx, struct mt_tx_place *place)
{
    size_t public_count = 0;
    size_t count = 0;
    struct mt_tagged *claims = tx->claims_written;
    struct mt_tagged *events = tx->events_written;
    mt_hash *hashes = tx->claims_hashed;
    struct mt_writer w = mt_writer_onto(&d->public_);
    struct mt_writer x = mt_writer_onto(&d->private_);
    MT_TRY(mt_tx_draw(tx, &place->nonce));
    MT_TRY(collect(tx, &public_count, &count));
    for (size_t i = 0; i < tx->claims_count; i++) {
        claims[i] = tagged(tx->claims[i]);
        mt_claim_hash(&claims[i].id, claims[i].bytes, &hashes[i]);
    }
    for (size_t i = 0; i < tx->events_count; i++) {
        events[i] = tagged(tx->events[i]);
    }
    hash_list(hashes, tx->claims_count, &place->claims);
    mt_public_part_write(&w, tx->changes, public_count);
    const struct mt_private_part p = {
        .nonce = place->nonce,
        .claims = claims,
        .claims_count = tx->claims_count,
        .changes = tx->changes + public_count,
        .changes_count = count - public_count,
        .events = events,
        .events_count = tx->events_count,
    };
    mt_private_part_write(&x, &p);
    MT_TRY(w.failed);
    return x.failed;
}

MT_ERR mt_draft_add(struct mt_block_draft *d, struct mt_tx *tx)
{
    size_t used =
        MT_BLOCK_OVERHEAD + d->public_.len + d->private_.len + (d->count + 1) * sizeof(mt_hash);
    bool has_room =
        d->count < MT_BLOCK_TX_MAX && tx->bytes + TX_OVERHEAD <= MT_BLOCK_BYTES_MAX - used;
    MT_REQUIRE(has_room, MT_E_BUSY, "the open block is full");
    struct mt_tx_place *places = mt_array_grow(d->places, &d->room, d->count, sizeof *d->places);
    MT_REQUIRE(places != NULL, MT_E_NOMEM, "no memory for the open block");
    d->places = places;
    struct mt_tx_place place = {.public_at = d->public_.len, .private_at = d->private_.len};
    mt_err e = write_parts(d, tx, &place);
    if (mt_failed(e)) {
        d->public_.len = place.public_at;
        d->private_.len = place.private_at;
        return e;
    }
    place.public_len = d->public_.len - place.public_at;
    place.private_len = d->private_.len - place.private_at;
    d->places[d->count++] = place;
    return MT_OK;
}
