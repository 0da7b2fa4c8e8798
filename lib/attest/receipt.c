/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/receipt.h"

#include "attest/binder.h"
#include "base/assert.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "wire/cose.h"

enum { ENTRY_BYTES = 88, TBS_BYTES_MAX = 512 };

static void claims_commitment(const struct mt_receipt *r, mt_hash *out)
{
    const mt_bytes all = {(const uint8_t *)r->item_hashes,
                          r->item_hashes_count * sizeof *r->item_hashes};
    mt_sha256(&all, 1, out);
}

static void leaf_of(const struct mt_receipt *r, mt_hash *out)
{
    uint8_t room[ENTRY_BYTES];
    mt_hash claims;
    mt_bytes entry;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    claims_commitment(r, &claims);
    mt_receipt_entry_write(&w, &r->entry, &claims);
    mt_err e = mt_write_end(&w, &entry);
    MT_ASSERT(!mt_failed(e)); /* the room above is as long as an entry */
    mt_merkle_leaf(&entry, 1, out);
}

static MT_ERR check_items(const struct mt_receipt *r)
{
    mt_bytes label = mt_label_bytes(MT_LABEL_CLAIM_ITEM);
    const uint8_t len = (uint8_t)label.len;
    for (size_t i = 0; i < r->shown_count; i++) {
        const struct mt_receipt_item *it = &r->shown[i];
        const mt_bytes parts[] = {{&len, 1}, label, mt_id_bytes(&it->salt), it->item};
        mt_hash h;
        MT_REQUIRE(it->index < r->item_hashes_count, MT_E_PROOF,
                   "a shown item is not among those of the transaction");
        mt_sha256(parts, 4, &h);
        MT_REQUIRE(mt_hash_equal(&h, &r->item_hashes[it->index]), MT_E_PROOF,
                   "a shown item is not what the transaction claimed");
    }
    return MT_OK;
}

static MT_ERR check_signature(const struct mt_cose_sign1 *m, const mt_spki *key,
                              const mt_hash *root)
{
    uint8_t room[TBS_BYTES_MAX];
    mt_bytes tbs;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cose_tbs_write(&w, m->protected_, mt_label_bytes(MT_LABEL_RECEIPT), mt_hash_bytes(root));
    mt_err e = mt_write_end(&w, &tbs);
    MT_ASSERT(!mt_failed(e)); /* the header has been parsed: it is short */
    return mt_verify(key, tbs, m->signature);
}

static MT_ERR check_service_key(const struct mt_receipt *r, const struct mt_appraiser *a,
                                uint64_t now_ms, const mt_spki *key, struct mt_receipt_facts *out)
{
    uint8_t report_data[MT_REPORT_DATA_LEN];
    const struct mt_shown shown = {r->format, r->evidence, r->endorsements, r->endorsements_count};
    mt_bind_service_key(&out->header.cluster, &r->incarnation, key, report_data);
    return mt_appraise_evidence(a, &shown, report_data, now_ms, &out->appraisal);
}

static MT_ERR read_signed(const struct mt_receipt *r, struct mt_cose_sign1 *m, mt_spki *key,
                          struct mt_receipt_facts *out)
{
    mt_hash hash;
    MT_TRY(mt_cose_sign1_parse(r->signed_, m));
    MT_REQUIRE(m->is_detached, MT_E_FORMAT, "a receipt's payload is detached");
    MT_TRY(mt_receipt_header_parse(m->protected_, &out->header));
    MT_TRY(mt_receipt_proof_parse(m->unprotected, &out->proof));
    MT_TRY(mt_spki_parse(r->service_key, key));
    mt_spki_hash(key, &hash);
    MT_REQUIRE(mt_hash_equal(&hash, &out->header.kid), MT_E_PROOF,
               "a receipt names another key than it carries");
    MT_REQUIRE(out->proof.tree_size == out->header.tree_size, MT_E_PROOF,
               "a receipt's proof is for another tree than was signed");
    MT_REQUIRE(out->proof.leaf_index + 1 == r->entry.txid, MT_E_PROOF,
               "a receipt's proof is for another transaction");
    return MT_OK;
}

MT_ERR mt_receipt_verify(const struct mt_receipt *r, const struct mt_appraiser *a, uint64_t now_ms,
                         struct mt_receipt_facts *out)
{
    struct mt_trace *t = &out->appraisal.trace;
    struct mt_cose_sign1 m;
    mt_spki key;
    mt_err e = read_signed(r, &m, &key, out);
    MT_CHECK(t, !mt_failed(e), MT_E_PROOF, "receipt-format", "the receipt's parts belong together",
             "the receipt is damaged: fetch it again");
    MT_TRY(check_service_key(r, a, now_ms, &key, out));
    const struct mt_merkle_place at = {out->proof.leaf_index, out->proof.tree_size, out->proof.path,
                                       out->proof.path_count};
    MT_CHECK(t, mt_hash_equal(&r->configuration, &out->appraisal.claims.configuration), MT_E_PROOF,
             "receipt-configuration", "the receipt names the configuration that was measured",
             "the receipt was altered: do not trust whoever gave it");
    leaf_of(r, &out->leaf);
    e = mt_merkle_root_of_path(&at, &out->leaf, &out->root);
    MT_CHECK(t, !mt_failed(e), MT_E_PROOF, "receipt-path",
             "the transaction's leaf and its path lead to a root",
             "the receipt was altered: do not trust whoever gave it");
    e = check_signature(&m, &key, &out->root);
    MT_CHECK(t, !mt_failed(e), MT_E_PROOF, "receipt-signature",
             "the attested service key has signed that root",
             "the receipt was altered: do not trust whoever gave it");
    e = check_items(r);
    MT_CHECK(t, !mt_failed(e), MT_E_PROOF, "receipt-items",
             "what is shown is what the transaction claimed",
             "the receipt was altered: do not trust whoever gave it");
    return MT_OK;
}

MT_ERR mt_receipt_compare(const struct mt_receipt_facts *a, const struct mt_receipt_facts *b)
{
    MT_REQUIRE(mt_hash_equal(&a->header.cluster, &b->header.cluster), MT_E_ARG,
               "the receipts are of two clusters");
    bool is_same_tree = a->header.recovery_epoch == b->header.recovery_epoch &&
                        a->header.tree_size == b->header.tree_size;
    MT_REQUIRE(!is_same_tree || mt_hash_equal(&a->root, &b->root), MT_E_PROOF,
               "two ledgers of one size have two roots: forked");
    bool is_same_place = a->header.recovery_epoch == b->header.recovery_epoch &&
                         a->proof.leaf_index == b->proof.leaf_index;
    MT_REQUIRE(!is_same_place || mt_hash_equal(&a->leaf, &b->leaf), MT_E_PROOF,
               "one place in the ledger has two transactions: forked");
    return MT_OK;
}
