/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A disk that an independent program wrote from the words of spec/
 * (tests/vectors/ledger_formats.py) opens here, block by block and from its snapshot. */
#include "ledger/block.h"
#include "ledger/world_test.h"
#include "unit/runner.h"
#include "vectors/ledger_formats.h"

enum { BYTES_MAX = 4096 };

static mt_bytes bytes_of(mt_bytes hex, uint8_t room[BYTES_MAX])
{
    MT_ASSERT(hex.len / 2 <= BYTES_MAX);
    OK(mt_hex_parse(hex, (mt_span){room, hex.len / 2}));
    return (mt_bytes){room, hex.len / 2};
}

static mt_err open_vector(struct mt_fs *fs, struct mt_ledger **out, struct mt_ledger_recovery *r)
{
    uint8_t secret[32];
    memset(secret, 1, sizeof secret);
    const struct mt_ledger_options o = {
        .fs = fs,
        .secret = MT_BYTES_OF(secret),
        .incarnation = {{9}},
        .host_time_ms = 1700000000000,
        .chunk_bytes = 4096,
    };
    return mt_ledger_open(&o, out, r);
}

static void is_what_was_written(struct mt_ledger *l)
{
    static const struct mt_map_def maps[] = {
        {"ledger.starts", true}, {"data", false}, {"gate.users", false}, {NULL, false}};
    uint8_t room[BYTES_MAX];
    uint8_t cluster[32];
    struct mt_tx *tx = NULL;
    struct mt_ledger_leaf leaf;
    mt_bytes value;
    MT_DEFER(mt_buf_free) struct mt_buf claims = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    memset(cluster, 3, sizeof cluster);
    MT_ASSERT(mt_bytes_equal(mt_hash_bytes(mt_ledger_cluster_id(l)), MT_BYTES_OF(cluster)));
    OK(mt_ledger_begin(l, maps, mt_ledger_time_ms(l), &tx));
    OK(mt_tx_get(tx, &maps[1], MT_LITERAL("a"), &value));
    MT_ASSERT(mt_bytes_equal(value, MT_LITERAL("alpha")));
    MT_ASSERT(!mt_tx_has(tx, &maps[1], MT_LITERAL("b")));
    MT_ASSERT(mt_tx_has(tx, &maps[2], MT_LITERAL("u")));
    MT_ASSERT(mt_tx_has(tx, &maps[0], MT_LITERAL("\0\0\0\0\0\0\0\1")));
    mt_ledger_abort(l, &tx);
    OK(mt_ledger_leaf(l, 2, &claims, &leaf));
    MT_ASSERT(leaf.items_count == 1 && mt_bytes_equal(leaf.items[0], MT_LITERAL("a claim")));
    mt_bytes block = bytes_of(MT_LITERAL(MT_VECTOR_BLOCK), room);
    mt_hash hash;
    uint8_t expected[BYTES_MAX];
    mt_block_hash(block, &hash);
    MT_ASSERT(
        mt_bytes_equal(mt_hash_bytes(&hash), bytes_of(MT_LITERAL(MT_VECTOR_BLOCK_HASH), expected)));
}

static struct mt_fs *vector_disk(void)
{
    uint8_t room[BYTES_MAX];
    struct mt_fs *fs = world_disk();
    OK(mt_fs_make_dir(fs, "ledger"));
    OK(mt_fs_make_dir(fs, "snapshot"));
    world_put_file(fs, world_chunk(1), bytes_of(MT_LITERAL(MT_VECTOR_CHUNK), room));
    return fs;
}

static void the_blocks_of_an_independent_program_open(void)
{
    struct mt_fs *fs = vector_disk();
    struct mt_ledger *l = NULL;
    struct mt_ledger_recovery r;
    OK(open_vector(fs, &l, &r));
    MT_ASSERT(r.transactions == 2 && r.blocks == 1 && r.torn_bytes == 0 && r.snapshot_txid == 0);
    is_what_was_written(l);
    mt_ledger_free(&l);
    world_disk_done(&fs);
}

static void the_snapshot_of_an_independent_program_opens(void)
{
    uint8_t room[BYTES_MAX];
    struct mt_fs *fs = vector_disk();
    struct mt_ledger *l = NULL;
    struct mt_ledger_recovery r;
    world_put_file(fs, "snapshot/00000000000000000002.mts",
                   bytes_of(MT_LITERAL(MT_VECTOR_SNAPSHOT), room));
    OK(open_vector(fs, &l, &r));
    MT_ASSERT(r.transactions == 2 && r.snapshot_txid == 2 && !r.snapshot_refused);
    is_what_was_written(l);
    mt_ledger_free(&l);
    world_disk_done(&fs);
}

/* spec/versions.md: set aside, and the blocks are replayed. */
static void a_snapshot_of_the_next_version_is_set_aside(void)
{
    uint8_t room[BYTES_MAX];
    struct mt_fs *fs = vector_disk();
    struct mt_ledger *l = NULL;
    struct mt_ledger_recovery r;
    mt_bytes snapshot = bytes_of(MT_LITERAL(MT_VECTOR_SNAPSHOT), room);
    room[8] = 2;
    world_put_file(fs, "snapshot/00000000000000000002.mts", snapshot);
    OK(open_vector(fs, &l, &r));
    MT_ASSERT(r.transactions == 2 && r.snapshot_txid == 0 && r.snapshot_refused);
    is_what_was_written(l);
    mt_ledger_free(&l);
    world_disk_done(&fs);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(the_blocks_of_an_independent_program_open),
        MT_TEST(the_snapshot_of_an_independent_program_opens),
        MT_TEST(a_snapshot_of_the_next_version_is_set_aside),
    };
    OK(mt_crypto_init(world_entropy, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
