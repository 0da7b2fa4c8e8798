/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/snapshot.h"

#include "base/assert.h"
#include "base/limits.h"
#include "unit/runner.h"
#include "wire/cbor.h"

static bool is_format(mt_err e)
{
    return mt_failed(e) && e.fault->code == MT_E_FORMAT;
}

static void write_head(uint8_t out[MT_SNAPSHOT_HEAD_LEN])
{
    const struct mt_snapshot_head h = {{{1}}, 9, 3, {{2}}, {{3}}};
    mt_snapshot_head_write(&h, out);
}

static void a_header_comes_back(void)
{
    uint8_t bytes[MT_SNAPSHOT_HEAD_LEN];
    struct mt_snapshot_head h;
    write_head(bytes);
    MT_ASSERT(!mt_failed(mt_snapshot_head_parse(MT_BYTES_OF(bytes), &h)));
    MT_ASSERT(h.cluster_id.b[0] == 1 && h.txid == 9 && h.block == 3);
    MT_ASSERT(h.block_hash.b[0] == 2 && h.salt.b[0] == 3);
}

static void every_truncation_and_flipped_bit_of_a_header_is_refused_or_kept(void)
{
    uint8_t bytes[MT_SNAPSHOT_HEAD_LEN + 1] = {0};
    uint8_t again[MT_SNAPSHOT_HEAD_LEN];
    struct mt_snapshot_head h;
    write_head(bytes);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        bool is_whole = len == MT_SNAPSHOT_HEAD_LEN;
        MT_ASSERT(is_format(mt_snapshot_head_parse((mt_bytes){bytes, len}, &h)) == !is_whole);
    }
    for (size_t bit = 0; bit < 8 * (size_t)MT_SNAPSHOT_HEAD_LEN; bit++) {
        mt_bytes in = {bytes, MT_SNAPSHOT_HEAD_LEN};
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        mt_err e = mt_snapshot_head_parse(in, &h);
        MT_ASSERT(is_format(e) || !mt_failed(e));
        MT_ASSERT(mt_failed(e) || bit >= 16 * 8); /* magic, version, kind */
        if (!mt_failed(e)) {
            mt_snapshot_head_write(&h, again);
            MT_ASSERT(mt_bytes_equal(in, MT_BYTES_OF(again)));
        }
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

/* A frame of two entries. */
static mt_bytes write_frame(mt_span room, mt_bytes first, mt_bytes second)
{
    struct mt_writer w = mt_writer_over(room);
    mt_bytes out;
    const struct mt_snapshot_frame f = {.entries = 2, .map = MT_LITERAL("data"), .is_public = true};
    mt_snapshot_frame_write(&w, &f);
    mt_cbor_write_bytes(&w, first);
    mt_cbor_write_bytes(&w, MT_LITERAL("1"));
    mt_cbor_write_bytes(&w, second);
    mt_cbor_write_bytes(&w, MT_LITERAL(""));
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    return out;
}

static void frames_come_back(void)
{
    uint8_t room[64];
    struct mt_snapshot_frame f;
    mt_bytes in = write_frame((mt_span){room, sizeof room}, MT_LITERAL("a"), MT_LITERAL("b"));
    MT_ASSERT(!mt_failed(mt_snapshot_frame_parse(in, &f)));
    MT_ASSERT(!f.is_end && f.is_public && f.entries == 2);
    MT_ASSERT(mt_bytes_equal(f.map, MT_LITERAL("data")));
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_snapshot_frame_write(&w, &(struct mt_snapshot_frame){.is_end = true, .entries = 1000});
    MT_ASSERT(!mt_failed(mt_write_end(&w, &in)));
    MT_ASSERT(!mt_failed(mt_snapshot_frame_parse(in, &f)));
    MT_ASSERT(f.is_end && f.entries == 1000);
}

static void every_truncation_of_a_frame_is_refused(void)
{
    uint8_t room[64] = {0};
    struct mt_snapshot_frame f;
    mt_bytes in = write_frame((mt_span){room, sizeof room}, MT_LITERAL("a"), MT_LITERAL("b"));
    for (size_t len = 0; len <= in.len + 1; len++) {
        mt_err e = mt_snapshot_frame_parse((mt_bytes){in.ptr, len}, &f);
        MT_ASSERT(mt_failed(e) == (len != in.len));
    }
}

static void entries_out_of_order_twice_or_without_key_are_refused(void)
{
    uint8_t room[64];
    struct mt_snapshot_frame f;
    mt_span r = {room, sizeof room};
    MT_ASSERT(
        is_format(mt_snapshot_frame_parse(write_frame(r, MT_LITERAL("b"), MT_LITERAL("a")), &f)));
    MT_ASSERT(
        is_format(mt_snapshot_frame_parse(write_frame(r, MT_LITERAL("a"), MT_LITERAL("a")), &f)));
    MT_ASSERT(
        is_format(mt_snapshot_frame_parse(write_frame(r, MT_LITERAL(""), MT_LITERAL("a")), &f)));
}

static void frames_of_another_kind_are_refused(void)
{
    for (uint64_t fields = 0; fields < 6; fields++) {
        for (uint64_t kind = 0; kind < 4; kind++) {
            uint8_t room[16];
            mt_bytes in;
            struct mt_snapshot_frame f;
            struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
            mt_cbor_write_array(&w, fields);
            mt_cbor_write_uint(&w, kind);
            mt_cbor_write_uint(&w, 7);
            MT_ASSERT(!mt_failed(mt_write_end(&w, &in)));
            MT_ASSERT(mt_failed(mt_snapshot_frame_parse(in, &f)) == (fields != 2 || kind != 0));
        }
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_header_comes_back),
        MT_TEST(every_truncation_and_flipped_bit_of_a_header_is_refused_or_kept),
        MT_TEST(frames_come_back),
        MT_TEST(every_truncation_of_a_frame_is_refused),
        MT_TEST(entries_out_of_order_twice_or_without_key_are_refused),
        MT_TEST(frames_of_another_kind_are_refused),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
