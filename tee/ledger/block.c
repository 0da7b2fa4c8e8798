/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/block.h"

#include "base/assert.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"

enum { VERSION = 1 };
static const uint8_t magic[4] = {'M', 'T', 'B', 'K'};

size_t mt_block_leaves_at(const struct mt_block_header *h)
{
    return (size_t)MT_BLOCK_OVERHEAD + h->public_len + h->private_len;
}

size_t mt_block_len(const struct mt_block_header *h)
{
    return mt_block_leaves_at(h) + h->tx_count * sizeof(mt_hash);
}

void mt_block_header_write(const struct mt_block_header *h, uint8_t out[MT_BLOCK_HEADER_LEN])
{
    struct mt_writer w = mt_writer_over((mt_span){out, MT_BLOCK_HEADER_LEN});
    mt_bytes done;
    mt_write_bytes(&w, MT_BYTES_OF(magic));
    mt_write_u32le(&w, VERSION);
    mt_write_u32le(&w, (uint32_t)mt_block_len(h));
    mt_write_u32le(&w, h->tx_count);
    mt_write_u32le(&w, h->public_len);
    mt_write_u32le(&w, h->private_len);
    mt_write_u32le(&w, 0); /* key epoch */
    mt_write_u32le(&w, 0); /* flags */
    mt_write_u64le(&w, h->number);
    mt_write_u64le(&w, h->term);
    mt_write_u64le(&w, h->first_txid);
    mt_write_u64le(&w, h->time_ms);
    mt_write_bytes(&w, mt_hash_bytes(&h->previous));
    mt_write_bytes(&w, mt_hash_bytes(&h->incarnation));
    mt_err e = mt_write_end(&w, &done);
    MT_ASSERT(!mt_failed(e));
    MT_ASSERT(done.len == MT_BLOCK_HEADER_LEN);
}

static MT_ERR read_lengths(struct mt_reader *r, struct mt_block_header *h)
{
    uint32_t total = 0;
    uint32_t key_epoch = 0;
    uint32_t flags = 0;
    MT_TRY(mt_read_u32le(r, &total));
    MT_TRY(mt_read_u32le(r, &h->tx_count));
    MT_TRY(mt_read_u32le(r, &h->public_len));
    MT_TRY(mt_read_u32le(r, &h->private_len));
    MT_TRY(mt_read_u32le(r, &key_epoch));
    MT_TRY(mt_read_u32le(r, &flags));
    MT_REQUIRE(key_epoch == 0 && flags == 0, MT_E_FORMAT, "a block of a kind we do not know");
    MT_REQUIRE(h->tx_count > 0 && h->tx_count <= MT_BLOCK_TX_MAX, MT_E_FORMAT,
               "a block has no transactions, or too many");
    MT_REQUIRE(h->public_len <= MT_BLOCK_BYTES_MAX && h->private_len <= MT_BLOCK_BYTES_MAX &&
                   mt_block_len(h) <= MT_BLOCK_BYTES_MAX,
               MT_E_FORMAT, "a block is larger than we make them");
    MT_REQUIRE(total == mt_block_len(h), MT_E_FORMAT, "a block's lengths do not add up");
    return MT_OK;
}

MT_ERR mt_block_header_parse(mt_bytes in, struct mt_block_header *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_block_header h = {0};
    mt_bytes start;
    uint32_t version = 0;
    MT_TRY(mt_read_bytes(&r, sizeof magic, &start));
    MT_REQUIRE(mt_bytes_equal(start, MT_BYTES_OF(magic)), MT_E_FORMAT, "not a block");
    MT_TRY(mt_read_u32le(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_CONFLICT, "a block of another version");
    MT_TRY(read_lengths(&r, &h));
    MT_TRY(mt_read_u64le(&r, &h.number));
    MT_TRY(mt_read_u64le(&r, &h.term));
    MT_TRY(mt_read_u64le(&r, &h.first_txid));
    MT_TRY(mt_read_u64le(&r, &h.time_ms));
    MT_TRY(mt_read_copy(&r, (mt_span){h.previous.b, sizeof h.previous.b}));
    MT_TRY(mt_read_copy(&r, (mt_span){h.incarnation.b, sizeof h.incarnation.b}));
    MT_TRY(mt_read_end(&r));
    MT_REQUIRE(h.number > 0 && h.term > 0 && h.first_txid > 0, MT_E_FORMAT,
               "blocks, terms and transactions are numbered from 1");
    *out = h;
    return MT_OK;
}

MT_ERR mt_block_parse(mt_bytes in, struct mt_block *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_block b;
    mt_bytes header;
    MT_TRY(mt_read_bytes(&r, MT_BLOCK_HEADER_LEN, &header));
    MT_TRY(mt_block_header_parse(header, &b.header));
    MT_TRY(mt_read_bytes(&r, b.header.public_len, &b.public_));
    MT_TRY(mt_read_bytes(&r, (size_t)b.header.private_len + MT_AEAD_TAG_LEN, &b.sealed));
    MT_TRY(mt_read_bytes(&r, b.header.tx_count * sizeof(mt_hash), &b.leaves));
    MT_TRY(mt_read_end(&r));
    b.head = (mt_bytes){in.ptr, MT_BLOCK_HEADER_LEN + b.public_.len};
    *out = b;
    return MT_OK;
}

void mt_block_hash(mt_bytes block, mt_hash *out)
{
    mt_sha256(&block, 1, out);
}

MT_ERR mt_block_key(const struct mt_secret *ledger_secret, uint64_t term,
                    const mt_hash *incarnation, struct mt_aead **out)
{
    uint8_t context[8 + sizeof(mt_hash)];
    struct mt_writer w = mt_writer_over((mt_span){context, sizeof context});
    mt_write_u64le(&w, term);
    mt_write_bytes(&w, mt_hash_bytes(incarnation));
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(mt_secret_new(MT_AEAD_KEY_LEN, &key));
    MT_TRY(mt_kdf(mt_secret_bytes(ledger_secret), MT_LABEL_BLOCK_KEY, MT_BYTES_OF(context),
                  mt_secret_span(key)));
    return mt_aead_new(mt_secret_bytes(key), out);
}

MT_ERR mt_block_seal(struct mt_aead *key, const struct mt_block_header *h, mt_span block)
{
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    size_t head_len = (size_t)MT_BLOCK_HEADER_LEN + h->public_len;
    MT_ASSERT(block.len == mt_block_len(h));
    mt_block_header_write(h, block.ptr);
    mt_aead_nonce_of(h->number, nonce);
    return mt_aead_seal(key, MT_BYTES_OF(nonce), (mt_bytes){block.ptr, head_len},
                        (mt_bytes){block.ptr + head_len, h->private_len},
                        (mt_span){block.ptr + head_len, h->private_len + MT_AEAD_TAG_LEN});
}

MT_ERR mt_block_unseal(struct mt_aead *key, const struct mt_block *b, mt_span out)
{
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    MT_ASSERT(out.len == b->header.private_len);
    mt_aead_nonce_of(b->header.number, nonce);
    return mt_aead_unseal(key, MT_BYTES_OF(nonce), b->head, b->sealed, out);
}
