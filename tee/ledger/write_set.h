/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_WRITE_SET_H
#define MT_LEDGER_WRITE_SET_H

#include "base/id.h"

/*
 * What one transaction changes, as deterministic CBOR in two parts: changes of public maps, which
 * stand in clear inside the block, and the rest, which is encrypted. spec/write-set.md.
 */
struct mt_change {
    mt_bytes map; /* its name */
    mt_bytes key;
    mt_bytes value;
    bool is_delete;
};

/* A claim item with its salt, or an event with its topic. */
struct mt_tagged {
    mt_id id;
    mt_bytes bytes;
};

/* What mt_write_set_parse() has found well formed. All of it borrows. */
struct mt_write_set {
    mt_bytes public_; /* the whole items, as they are hashed */
    mt_bytes private_;
    mt_id nonce;
    mt_bytes claims;
    mt_bytes changes; /* of private maps */
    mt_bytes events;
    uint64_t claims_count;
};

/* `changes` in order of map, then of key, each key once. */
void mt_public_part_write(struct mt_writer *w, const struct mt_change *changes, size_t count);

struct mt_private_part {
    mt_id nonce;
    const struct mt_tagged *claims;
    size_t claims_count;
    const struct mt_change *changes;
    size_t changes_count;
    const struct mt_tagged *events;
    size_t events_count;
};
void mt_private_part_write(struct mt_writer *w, const struct mt_private_part *p);

/* Takes one transaction from each part of a block. */
MT_ERR mt_write_set_parse(struct mt_reader *public_, struct mt_reader *private_,
                          struct mt_write_set *out);

/* Over public_ or changes of a parsed write set. */
struct mt_changes_cursor {
    struct mt_reader r;
    uint64_t maps_left;
    uint64_t halves_left; /* keys and values of the map at hand */
    struct mt_change last;
};
MT_ERR mt_changes_begin(mt_bytes item, struct mt_changes_cursor *c);
MT_ERR mt_changes_next(struct mt_changes_cursor *c, struct mt_change *out, bool *is_end);

/* Over claims or events. */
struct mt_tagged_cursor {
    struct mt_reader r;
    uint64_t halves_left;
};
MT_ERR mt_tagged_begin(mt_bytes item, struct mt_tagged_cursor *c);
MT_ERR mt_tagged_next(struct mt_tagged_cursor *c, struct mt_tagged *out, bool *is_end);

#endif
