/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_BLOCK_H
#define MT_LEDGER_BLOCK_H

#include "crypto/aead.h"
#include "crypto/secret.h"

#include "base/id.h"

/*
 * A block: header of 128 bytes | public part | AES-256-GCM of the private part | tag | leaf hash of
 * each transaction. spec/ledger-block.md. Key = HKDF(ledger secret, term || incarnation), nonce =
 * block number: every start has an incarnation of its own, and within one start no number comes
 * twice, because a number is used by a successful mt_ledger_cut() and a failed write ends the
 * ledger.
 */
enum { MT_BLOCK_HEADER_LEN = 128, MT_BLOCK_OVERHEAD = MT_BLOCK_HEADER_LEN + MT_AEAD_TAG_LEN };

struct mt_block_header {
    uint32_t tx_count;
    uint32_t public_len;
    uint32_t private_len;
    uint64_t number; /* from 1 */
    uint64_t term;   /* the count of starts */
    uint64_t first_txid;
    uint64_t time_ms;
    mt_hash previous; /* hash of the block before; the cluster id before block 1 */
    mt_hash incarnation;
};

/* Whole block in bytes, and where its leaves begin. */
size_t mt_block_len(const struct mt_block_header *h);
size_t mt_block_leaves_at(const struct mt_block_header *h);

void mt_block_header_write(const struct mt_block_header *h, uint8_t out[MT_BLOCK_HEADER_LEN]);
/* MT_E_FORMAT unless it is what mt_block_header_write() makes, of a block within the limits. */
MT_ERR mt_block_header_parse(mt_bytes in, struct mt_block_header *out);

struct mt_block {
    struct mt_block_header header;
    mt_bytes head; /* header and public part: what the tag vouches for in clear */
    mt_bytes public_;
    mt_bytes sealed; /* ciphertext, then tag */
    mt_bytes leaves; /* tx_count hashes */
};
/* Borrows. Exactly one whole block. */
MT_ERR mt_block_parse(mt_bytes in, struct mt_block *out);

/* SHA-256 over all of it: what the next block names. */
void mt_block_hash(mt_bytes block, mt_hash *out);

MT_ERR mt_block_key(const struct mt_secret *ledger_secret, uint64_t term,
                    const mt_hash *incarnation, struct mt_aead **out);

/* `block` has mt_block_len() bytes with public and private part in their places; writes the header,
 * encrypts in place, adds the tag. The leaves, which are made of the ciphertext, are then the
 * caller's to add. */
MT_ERR mt_block_seal(struct mt_aead *key, const struct mt_block_header *h, mt_span block);
/* The private part; out.len is header.private_len. MT_E_PROOF. */
MT_ERR mt_block_unseal(struct mt_aead *key, const struct mt_block *b, mt_span out);

#endif
