/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/block.h"

#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "crypto/context.h"
#include "unit/runner.h"

enum { PUBLIC_LEN = 5, PRIVATE_LEN = 40, ROOM = 512 };

static mt_err no_entropy(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 7, out.len);
    return MT_OK;
}

static struct mt_aead *key_of(uint64_t term, uint8_t incarnation)
{
    const mt_hash id = {{incarnation}};
    MT_DEFER(mt_secret_free) struct mt_secret *secret = NULL;
    struct mt_aead *key = NULL;
    MT_ASSERT(!mt_failed(mt_secret_copy(MT_LITERAL("the secret of a ledger, 32 bytes"), &secret)));
    MT_ASSERT(!mt_failed(mt_block_key(secret, term, &id, &key)));
    return key;
}

static mt_span good_block(uint8_t room[ROOM])
{
    const struct mt_block_header h = {
        .tx_count = 1,
        .public_len = PUBLIC_LEN,
        .private_len = PRIVATE_LEN,
        .number = 3,
        .term = 2,
        .first_txid = 17,
        .time_ms = 1700000000000,
        .previous = {{4}},
        .incarnation = {{5}},
    };
    mt_span block = {room, mt_block_len(&h)};
    memset(room, 'p', ROOM);
    MT_DEFER(mt_aead_free) struct mt_aead *key = key_of(2, 5);
    MT_ASSERT(!mt_failed(mt_block_seal(key, &h, block)));
    memset(room + mt_block_leaves_at(&h), 'l', sizeof(mt_hash));
    return block;
}

static mt_err read_block(mt_bytes in, struct mt_aead *key)
{
    struct mt_block b;
    uint8_t plain[PRIVATE_LEN];
    MT_TRY(mt_block_parse(in, &b));
    MT_REQUIRE(b.header.private_len == PRIVATE_LEN, MT_E_FORMAT, "another length");
    return mt_block_unseal(key, &b, (mt_span){plain, sizeof plain});
}

static void a_sealed_block_opens_again(void)
{
    uint8_t room[ROOM];
    uint8_t plain[PRIVATE_LEN];
    struct mt_block b;
    mt_bytes block = mt_bytes_of(good_block(room));
    MT_DEFER(mt_aead_free) struct mt_aead *key = key_of(2, 5);
    MT_ASSERT(!mt_failed(mt_block_parse(block, &b)));
    MT_ASSERT(b.header.number == 3 && b.header.term == 2 && b.header.first_txid == 17);
    MT_ASSERT(b.header.time_ms == 1700000000000);
    MT_ASSERT(b.header.previous.b[0] == 4 && b.header.incarnation.b[0] == 5);
    MT_ASSERT(mt_bytes_equal(b.public_, MT_LITERAL("ppppp")));
    MT_ASSERT(b.leaves.len == sizeof(mt_hash) && b.leaves.ptr[0] == 'l');
    MT_ASSERT(!mt_failed(mt_block_unseal(key, &b, (mt_span){plain, sizeof plain})));
    MT_ASSERT(plain[0] == 'p' && plain[PRIVATE_LEN - 1] == 'p');
}

static void every_truncation_is_refused(void)
{
    uint8_t room[ROOM];
    struct mt_block b;
    mt_span block = good_block(room);
    for (size_t len = 0; len < block.len; len++) {
        mt_err e = mt_block_parse((mt_bytes){block.ptr, len}, &b);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_FORMAT);
    }
    MT_ASSERT(mt_failed(mt_block_parse((mt_bytes){block.ptr, block.len + 1}, &b)));
}

/* Leaves stand behind the tag: they are proven by recomputing them, and by the chain. */
static void every_flipped_bit_before_the_leaves_is_refused(void)
{
    uint8_t room[ROOM];
    mt_span block = good_block(room);
    MT_DEFER(mt_aead_free) struct mt_aead *key = key_of(2, 5);
    for (size_t bit = 0; bit < 8 * (block.len - sizeof(mt_hash)); bit++) {
        room[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        MT_ASSERT(mt_failed(read_block(mt_bytes_of(block), key)));
        room[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    MT_ASSERT(!mt_failed(read_block(mt_bytes_of(block), key)));
}

static void every_flipped_bit_changes_the_hash(void)
{
    uint8_t room[ROOM];
    mt_hash before;
    mt_hash after;
    mt_span block = good_block(room);
    mt_block_hash(mt_bytes_of(block), &before);
    for (size_t bit = 0; bit < 8 * block.len; bit++) {
        room[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        mt_block_hash(mt_bytes_of(block), &after);
        MT_ASSERT(!mt_hash_equal(&before, &after));
        room[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

static void another_term_or_incarnation_has_another_key(void)
{
    uint8_t room[ROOM];
    mt_span block = good_block(room);
    MT_DEFER(mt_aead_free) struct mt_aead *term = key_of(3, 5);
    MT_DEFER(mt_aead_free) struct mt_aead *start = key_of(2, 6);
    mt_err e = read_block(mt_bytes_of(block), term);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_PROOF);
    e = read_block(mt_bytes_of(block), start);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_PROOF);
}

static void a_header_beyond_the_limits_is_refused(void)
{
    uint8_t out[MT_BLOCK_HEADER_LEN];
    struct mt_block_header back;
    struct mt_block_header h = {.tx_count = 1, .number = 1, .term = 1, .first_txid = 1};
    mt_block_header_write(&h, out);
    MT_ASSERT(!mt_failed(mt_block_header_parse(MT_BYTES_OF(out), &back)));
    h.private_len = MT_BLOCK_BYTES_MAX;
    mt_block_header_write(&h, out);
    MT_ASSERT(mt_failed(mt_block_header_parse(MT_BYTES_OF(out), &back)));
    h.private_len = UINT32_MAX; /* lengths that come round again */
    h.public_len = 1;
    mt_block_header_write(&h, out);
    MT_ASSERT(mt_failed(mt_block_header_parse(MT_BYTES_OF(out), &back)));
    h = (struct mt_block_header){.tx_count = 0, .number = 1, .term = 1, .first_txid = 1};
    mt_block_header_write(&h, out);
    MT_ASSERT(mt_failed(mt_block_header_parse(MT_BYTES_OF(out), &back)));
    h.tx_count = MT_BLOCK_TX_MAX + 1;
    mt_block_header_write(&h, out);
    MT_ASSERT(mt_failed(mt_block_header_parse(MT_BYTES_OF(out), &back)));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_sealed_block_opens_again),
        MT_TEST(every_truncation_is_refused),
        MT_TEST(every_flipped_bit_before_the_leaves_is_refused),
        MT_TEST(every_flipped_bit_changes_the_hash),
        MT_TEST(another_term_or_incarnation_has_another_key),
        MT_TEST(a_header_beyond_the_limits_is_refused),
    };
    MT_ASSERT(!mt_failed(mt_crypto_init(no_entropy, NULL)));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
