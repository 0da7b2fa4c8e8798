/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "ledger/ledger.h"
#include "ledger/world_test.h"
#include "unit/runner.h"
#include "wire/cose.h"
#include "wire/receipt.h"

enum { HEADS_MAX = 40 };

static bool fails_with(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

/* What an outsider makes of a leaf, from spec/receipt.md alone. */
static void leaf_hash(const struct mt_ledger_leaf *leaf, mt_hash *out)
{
    uint8_t room[88];
    mt_hash claims;
    mt_bytes entry;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    const struct mt_receipt_entry e = {leaf->txid, leaf->write_set_hash, leaf->nonce};
    const mt_bytes hashes = {(const uint8_t *)leaf->item_hashes,
                             leaf->items_count * sizeof(mt_hash)};
    for (uint32_t i = 0; i < leaf->items_count; i++) {
        mt_hash h;
        mt_bytes label = mt_label_bytes(MT_LABEL_CLAIM_ITEM);
        const uint8_t len = (uint8_t)label.len;
        const mt_bytes parts[] = {{&len, 1}, label, mt_id_bytes(&leaf->salts[i]), leaf->items[i]};
        mt_sha256(parts, 4, &h);
        MT_ASSERT(mt_hash_equal(&h, &leaf->item_hashes[i]));
    }
    mt_sha256(&hashes, 1, &claims);
    mt_receipt_entry_write(&w, &e, &claims);
    OK(mt_write_end(&w, &entry));
    mt_merkle_leaf(&entry, 1, out);
}

/* The receipt's own path leads from this leaf to a root under its signature. */
static void receipt_holds(struct mt_ledger *l, const struct mt_key *key,
                          const struct mt_ledger_leaf *leaf)
{
    uint8_t room[4096];
    uint8_t tbs_room[512];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_writer t = mt_writer_over((mt_span){tbs_room, sizeof tbs_room});
    struct mt_cose_sign1 m;
    struct mt_receipt_header h;
    struct mt_receipt_proof p;
    mt_bytes receipt;
    mt_bytes tbs;
    mt_hash hash;
    mt_hash root;
    mt_hash kid;
    OK(mt_ledger_sign_receipt(l, key, leaf->txid, &w));
    OK(mt_write_end(&w, &receipt));
    OK(mt_cose_sign1_parse(receipt, &m));
    OK(mt_receipt_header_parse(m.protected_, &h));
    OK(mt_receipt_proof_parse(m.unprotected, &p));
    mt_spki_hash(mt_key_public(key), &kid);
    MT_ASSERT(m.is_detached && mt_hash_equal(&h.kid, &kid));
    MT_ASSERT(mt_hash_equal(&h.cluster, mt_ledger_cluster_id(l)));
    MT_ASSERT(h.recovery_epoch == mt_ledger_recovery_epoch(l));
    MT_ASSERT(h.tree_size == mt_ledger_durable(l) && p.tree_size == h.tree_size);
    MT_ASSERT(h.time_ms == WORLD_EPOCH_MS && p.leaf_index == leaf->txid - 1);
    leaf_hash(leaf, &hash);
    const struct mt_merkle_place at = {p.leaf_index, p.tree_size, p.path, p.path_count};
    OK(mt_merkle_root_of_path(&at, &hash, &root));
    mt_cose_tbs_write(&t, m.protected_, mt_label_bytes(MT_LABEL_RECEIPT), mt_hash_bytes(&root));
    OK(mt_write_end(&t, &tbs));
    OK(mt_verify(mt_key_public(key), tbs, m.signature));
    tbs_room[tbs.len - 1] ^= 1; /* another root */
    MT_ASSERT(fails_with(mt_verify(mt_key_public(key), tbs, m.signature), MT_E_PROOF));
}

static struct mt_ledger *grown_ledger(struct world *w)
{
    struct mt_ledger *l = NULL;
    *w = (struct world){.fs = world_disk(), .now_ms = WORLD_EPOCH_MS, .chunk_bytes = 8192};
    OK(world_create(w, &l));
    for (uint64_t i = 1; i < 30; i++) {
        OK(world_put(w, l, i, (uint8_t)i, 10 * i));
        if (i % 4 == 0) {
            OK(world_write(l));
        }
    }
    OK(world_write(l));
    return l;
}

static void every_receipt_verifies_before_and_after_a_restart(void)
{
    struct world w;
    struct mt_ledger *l = grown_ledger(&w);
    struct mt_buf room = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    struct mt_key *key = NULL;
    OK(mt_key_new(&key));
    for (size_t round = 0; round < 2; round++) {
        uint64_t size = 0;
        mt_hash root;
        OK(mt_ledger_head(l, &size, &root));
        MT_ASSERT(size == 30 + round);
        for (uint64_t txid = 1; txid <= size; txid++) {
            struct mt_ledger_leaf leaf;
            bool is_start = txid == 1 || txid == 31;
            OK(mt_ledger_leaf(l, txid, &room, &leaf));
            MT_ASSERT(leaf.txid == txid && leaf.items_count == (is_start ? 0 : 1));
            MT_ASSERT(is_start || mt_bytes_equal(leaf.items[0], MT_LITERAL("put")));
            receipt_holds(l, key, &leaf);
        }
        mt_ledger_free(&l);
        OK(world_open(&w, &l));
    }
    mt_key_free(&key);
    mt_buf_free(&room);
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

static void what_is_not_durable_has_no_leaf_and_no_receipt(void)
{
    struct world w;
    struct mt_ledger *l = grown_ledger(&w);
    struct mt_buf room = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    uint8_t out[4096];
    struct mt_writer writer = mt_writer_over((mt_span){out, sizeof out});
    struct mt_ledger_leaf leaf;
    struct mt_key *key = NULL;
    OK(mt_key_new(&key));
    OK(world_put(&w, l, 40, 40, 10));
    MT_ASSERT(fails_with(mt_ledger_leaf(l, 31, &room, &leaf), MT_E_NOTFOUND));
    MT_ASSERT(fails_with(mt_ledger_leaf(l, 0, &room, &leaf), MT_E_NOTFOUND));
    MT_ASSERT(fails_with(mt_ledger_sign_receipt(l, key, 31, &writer), MT_E_NOTFOUND));
    OK(world_write(l));
    OK(mt_ledger_leaf(l, 31, &room, &leaf));
    receipt_holds(l, key, &leaf);
    mt_key_free(&key);
    mt_buf_free(&room);
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

static void every_head_extends_every_head_before_it(void)
{
    struct world w;
    struct mt_ledger *l = NULL;
    static mt_hash roots[HEADS_MAX];
    w = (struct world){.fs = world_disk(), .now_ms = WORLD_EPOCH_MS};
    OK(world_create(&w, &l));
    for (uint64_t i = 1; i < HEADS_MAX; i++) {
        uint64_t size = 0;
        OK(mt_ledger_head(l, &size, &roots[i]));
        MT_ASSERT(size == i);
        OK(world_put(&w, l, i, 1, 5));
        OK(world_write(l));
    }
    for (uint64_t to = 1; to < HEADS_MAX; to++) {
        for (uint64_t from = 1; from <= to; from++) {
            mt_hash path[MT_MERKLE_PATH_MAX];
            size_t count = 0;
            OK(mt_ledger_consistency(l, from, to, path, &count));
            OK(mt_merkle_check_consistency(&(struct mt_merkle_head){from, roots[from]},
                                           &(struct mt_merkle_head){to, roots[to]}, path, count));
        }
    }
    mt_hash path[MT_MERKLE_PATH_MAX];
    size_t count = 0;
    MT_ASSERT(fails_with(mt_ledger_consistency(l, 1, HEADS_MAX + 1, path, &count), MT_E_NOTFOUND));
    MT_ASSERT(fails_with(mt_ledger_consistency(l, 3, 2, path, &count), MT_E_NOTFOUND));
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

/* The disk is read again, and is still the host's. */
static void a_leaf_from_a_changed_disk_is_refused(void)
{
    struct world w;
    struct mt_ledger *l = NULL;
    struct mt_buf room = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    struct mt_ledger_leaf leaf;
    w = (struct world){.fs = world_disk(), .now_ms = WORLD_EPOCH_MS};
    OK(world_create(&w, &l));
    for (uint64_t i = 1; i < 4; i++) {
        OK(world_put(&w, l, i, (uint8_t)i, 100));
        OK(world_write(l));
    }
    struct mt_buf chunk = world_file(w.fs, world_chunk(1));
    for (size_t at = 512; at < world_used(&chunk); at += 7) {
        uint64_t refused = 0;
        world_poke_byte(w.fs, world_chunk(1), at, (uint8_t)(chunk.ptr[at] ^ 0x10));
        for (uint64_t txid = 1; txid <= 4; txid++) {
            mt_err e = mt_ledger_leaf(l, txid, &room, &leaf);
            refused += mt_failed(e) ? 1 : 0;
        }
        MT_ASSERT(refused == 1);
        world_poke_byte(w.fs, world_chunk(1), at, chunk.ptr[at]);
    }
    mt_buf_free(&chunk);
    mt_buf_free(&room);
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

/* A clone of this disk, started elsewhere, has sealed a block of its own in the same place. */
static void a_leaf_from_a_clones_disk_is_refused(void)
{
    struct world w;
    struct mt_ledger *l = NULL;
    struct mt_buf room = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    struct mt_ledger_leaf leaf;
    w = (struct world){.fs = world_disk(), .now_ms = WORLD_EPOCH_MS};
    OK(world_create(&w, &l));
    mt_ledger_free(&l);
    struct mt_buf before = world_file(w.fs, world_chunk(1));
    OK(world_open(&w, &l));
    mt_ledger_free(&l);
    struct mt_buf clone = world_file(w.fs, world_chunk(1));
    world_put_file(w.fs, world_chunk(1), mt_buf_bytes(&before));
    OK(world_open(&w, &l));
    OK(mt_ledger_leaf(l, 1, &room, &leaf));
    world_put_file(w.fs, world_chunk(1), mt_buf_bytes(&clone));
    OK(mt_ledger_leaf(l, 1, &room, &leaf));
    MT_ASSERT(fails_with(mt_ledger_leaf(l, 2, &room, &leaf), MT_E_PROOF));
    mt_buf_free(&before);
    mt_buf_free(&clone);
    mt_buf_free(&room);
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

/* Two ledgers that say the same have different leaves: a leaf is hidden by its nonce. */
static void equal_transactions_have_different_leaves(void)
{
    struct world w;
    struct mt_ledger *l = NULL;
    struct mt_buf room = mt_buf_of_max(MT_BLOCK_BYTES_MAX);
    struct mt_ledger_leaf leaf;
    mt_hash first;
    mt_id salt;
    w = (struct world){.fs = world_disk(), .now_ms = WORLD_EPOCH_MS};
    OK(world_create(&w, &l));
    OK(world_put(&w, l, 1, 1, 100));
    OK(world_put(&w, l, 1, 1, 100));
    OK(world_write(l));
    OK(mt_ledger_leaf(l, 2, &room, &leaf));
    first = leaf.item_hashes[0];
    salt = leaf.salts[0];
    mt_id nonce = leaf.nonce;
    mt_hash write_set = leaf.write_set_hash;
    OK(mt_ledger_leaf(l, 3, &room, &leaf));
    MT_ASSERT(!mt_hash_equal(&first, &leaf.item_hashes[0]));
    MT_ASSERT(!mt_id_equal(&salt, &leaf.salts[0]));
    MT_ASSERT(!mt_id_equal(&nonce, &leaf.nonce));
    MT_ASSERT(!mt_hash_equal(&write_set, &leaf.write_set_hash));
    mt_buf_free(&room);
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(every_receipt_verifies_before_and_after_a_restart),
        MT_TEST(what_is_not_durable_has_no_leaf_and_no_receipt),
        MT_TEST(every_head_extends_every_head_before_it),
        MT_TEST(a_leaf_from_a_changed_disk_is_refused),
        MT_TEST(a_leaf_from_a_clones_disk_is_refused),
        MT_TEST(equal_transactions_have_different_leaves),
    };
    OK(mt_crypto_init(world_entropy, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
