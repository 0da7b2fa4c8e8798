/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_RECEIPT_H
#define MT_WIRE_RECEIPT_H

#include "base/id.h"
#include "base/limits.h"

/*
 * The receipt file (spec/receipt.md): everything that shows, offline, that a transaction stands in
 * the ledger of a cluster, and as much of what it claims as its holder may see. The signed part is
 * a COSE receipt (RFC 9942) over a tree of RFC 9162. Parsing proves nothing: hashes, signature and
 * evidence are checked by whoever verifies.
 */
enum { MT_RECEIPT_SPKI_BYTES = 91, MT_RECEIPT_PATH_MAX = 64 };

/* The protected header of the COSE_Sign1: who signs, and what the root stands for. */
struct mt_receipt_header {
    mt_hash kid; /* SHA-256 of the service key's SPKI */
    mt_hash cluster;
    uint64_t recovery_epoch;
    uint64_t tree_size;
    uint64_t time_ms; /* of the last block under the root, claimed by the host */
};

/* Encoded map, without a byte string head: what goes into mt_cose_sign1.protected_. */
void mt_receipt_header_write(struct mt_writer *w, const struct mt_receipt_header *h);
MT_ERR mt_receipt_header_parse(mt_bytes protected_, struct mt_receipt_header *out);

/* The inclusion proof, which is the unprotected header. Leaf i is transaction i + 1. */
struct mt_receipt_proof {
    uint64_t tree_size;
    uint64_t leaf_index; /* below tree_size */
    mt_hash path[MT_RECEIPT_PATH_MAX];
    size_t path_count;
};

/* What goes into mt_cose_sign1.unprotected. */
void mt_receipt_proof_write(struct mt_writer *w, const struct mt_receipt_proof *p);
MT_ERR mt_receipt_proof_parse(mt_bytes unprotected, struct mt_receipt_proof *out);

/*
 * The tree's entry of a transaction, 88 bytes:
 *     u64be txid || write set hash || nonce || claims commitment
 * Its leaf hash is SHA-256(0x00 || entry). The claims commitment is SHA-256 over the item hashes,
 * one after another (of none: over nothing). An item hash is
 *     SHA-256(u8 length of the label || MT_LABEL_CLAIM_ITEM || salt || item).
 */
struct mt_receipt_entry {
    uint64_t txid;          /* from 1 */
    mt_hash write_set_hash; /* over the sealed write set */
    mt_id nonce;
};
void mt_receipt_entry_write(struct mt_writer *w, const struct mt_receipt_entry *e,
                            const mt_hash *claims);

/* One claim item that this receipt shows. */
struct mt_receipt_item {
    uint32_t index; /* into item_hashes */
    mt_id salt;
    mt_bytes item;
};

struct mt_receipt {
    mt_bytes signed_; /* COSE_Sign1, detached: the payload is the root that the path leads to */
    struct mt_receipt_entry entry;
    mt_hash item_hashes[MT_CLAIM_ITEMS_MAX];
    size_t item_hashes_count;
    struct mt_receipt_item shown[MT_CLAIM_ITEMS_MAX]; /* by ascending index */
    size_t shown_count;
    mt_bytes service_key;  /* SPKI, DER, MT_RECEIPT_SPKI_BYTES */
    mt_hash incarnation;   /* SHA-256 of the SPKI of the start's key: the evidence binds it too */
    mt_bytes format;       /* of the evidence, as in wire/attest.h */
    mt_bytes evidence;     /* for the service key: binder mesatee-service-key-v1 */
    mt_hash configuration; /* SHA-256 of the node's configuration file */
    mt_bytes endorsements[MT_ENDORSEMENTS_MAX]; /* of the evidence: collateral */
    size_t endorsements_count;
};

void mt_receipt_write(struct mt_writer *w, const struct mt_receipt *r);
/* Borrows from `in`. Some KiB: keep it out of deep stacks. On failure `out` is untouched. */
MT_ERR mt_receipt_parse(mt_bytes in, struct mt_receipt *out);

#endif
