/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/chunk.h"

#include "base/assert.h"
#include "unit/runner.h"

/* The format alone; what becomes of chunks on a disk is in disk_test.c. */
static void write_header(uint8_t out[MT_CHUNK_HEADER_LEN])
{
    const struct mt_chunk_header h = {{{1}}, 7, 70, {{2}}};
    mt_chunk_header_write(&h, out);
}

static void a_header_comes_back(void)
{
    uint8_t bytes[MT_CHUNK_HEADER_LEN];
    struct mt_chunk_header h;
    write_header(bytes);
    MT_ASSERT(!mt_failed(mt_chunk_header_parse(MT_BYTES_OF(bytes), &h)));
    MT_ASSERT(h.cluster_id.b[0] == 1 && h.first_block == 7);
    MT_ASSERT(h.first_txid == 70 && h.previous.b[0] == 2);
}

static void every_truncation_is_refused(void)
{
    uint8_t bytes[MT_CHUNK_HEADER_LEN + 1] = {0};
    struct mt_chunk_header h;
    write_header(bytes);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        mt_err e = mt_chunk_header_parse((mt_bytes){bytes, len}, &h);
        MT_ASSERT(mt_failed(e) == (len != MT_CHUNK_HEADER_LEN));
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_FORMAT);
    }
}

static void every_flipped_bit_is_refused_or_kept(void)
{
    uint8_t bytes[MT_CHUNK_HEADER_LEN];
    uint8_t again[MT_CHUNK_HEADER_LEN];
    struct mt_chunk_header h;
    write_header(bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        mt_err e = mt_chunk_header_parse(MT_BYTES_OF(bytes), &h);
        MT_ASSERT(mt_failed(e) || bit >= 16 * 8); /* magic, version, kind */
        if (!mt_failed(e)) {
            mt_chunk_header_write(&h, again);
            MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(bytes), MT_BYTES_OF(again)));
        }
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

static void numbers_begin_at_one(void)
{
    uint8_t bytes[MT_CHUNK_HEADER_LEN];
    struct mt_chunk_header h;
    const struct mt_chunk_header no_block = {{{1}}, 0, 70, {{2}}};
    const struct mt_chunk_header no_transaction = {{{1}}, 7, 0, {{2}}};
    mt_chunk_header_write(&no_block, bytes);
    MT_ASSERT(mt_failed(mt_chunk_header_parse(MT_BYTES_OF(bytes), &h)));
    mt_chunk_header_write(&no_transaction, bytes);
    MT_ASSERT(mt_failed(mt_chunk_header_parse(MT_BYTES_OF(bytes), &h)));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_header_comes_back),
        MT_TEST(every_truncation_is_refused),
        MT_TEST(every_flipped_bit_is_refused_or_kept),
        MT_TEST(numbers_begin_at_one),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
