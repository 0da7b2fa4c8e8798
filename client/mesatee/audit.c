/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/audit.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "wire/receipt.h"

enum { PAGE_MAX = 1000, ENTRY_BYTES = 88 };

struct mt_audit {
    struct mt_merkle *tree;
    uint64_t records;
};

MT_ERR mt_audit_new(struct mt_audit **out)
{
    MT_DEFER(mt_audit_free) struct mt_audit *a = calloc(1, sizeof *a);
    MT_REQUIRE(a != NULL, MT_E_NOMEM, "no memory for an audit");
    MT_TRY(mt_merkle_new(&a->tree));
    *out = a;
    a = NULL; /* given */
    return MT_OK;
}

void mt_audit_free(struct mt_audit **a)
{
    if (*a != NULL) {
        mt_merkle_free(&(*a)->tree);
        free(*a);
        *a = NULL;
    }
}

uint64_t mt_audit_size(const struct mt_audit *a)
{
    return mt_merkle_size(a->tree);
}

static MT_ERR item_hash(const struct mt_json *record, mt_hash *out)
{
    mt_bytes label = mt_label_bytes(MT_LABEL_CLAIM_ITEM);
    const uint8_t len = (uint8_t)label.len;
    MT_DEFER(mt_buf_free) struct mt_buf item = mt_buf_of_max(MT_JSON_BYTES_MAX);
    mt_id salt;
    mt_bytes hex;
    mt_span room;
    MT_TRY(mt_json_hex(record, "salt", (mt_span){salt.b, sizeof salt.b}));
    MT_TRY(mt_json_text(record, "item", &hex));
    MT_TRY(mt_buf_reserve(&item, hex.len / 2, &room));
    MT_TRY(mt_hex_parse(hex, room));
    const mt_bytes parts[] = {{&len, 1}, label, mt_id_bytes(&salt), mt_bytes_of(room)};
    mt_sha256(parts, 4, out);
    return MT_OK;
}

/* Every shown record must be the item whose hash the leaf has. */
static MT_ERR check_records(struct mt_audit *a, const struct mt_json *leaf,
                            const struct mt_json *hashes, size_t count)
{
    const struct mt_json *records = NULL;
    size_t shown = 0;
    MT_TRY(mt_json_array(leaf, "records", PAGE_MAX, &records, &shown));
    for (size_t i = 0; i < shown; i++) {
        uint64_t index = 0;
        mt_hash got;
        mt_hash want;
        mt_bytes text;
        MT_TRY(mt_json_uint(mt_json_at(records, i), "index", UINT32_MAX, &index));
        MT_REQUIRE(index < count, MT_E_PROOF,
                   "audit-record: a record is not among the items of its transaction");
        MT_TRY(mt_json_as_text(mt_json_at(hashes, (size_t)index), &text));
        MT_TRY(mt_hex_parse(text, (mt_span){want.b, sizeof want.b}));
        MT_TRY(item_hash(mt_json_at(records, i), &got));
        MT_REQUIRE(mt_hash_equal(&got, &want), MT_E_PROOF, "audit-record: a record was changed");
        a->records++;
    }
    return MT_OK;
}

static MT_ERR add_leaf(struct mt_audit *a, const struct mt_json *leaf)
{
    MT_DEFER(mt_buf_free) struct mt_buf all = mt_buf_of_max((size_t)PAGE_MAX * sizeof(mt_hash));
    const struct mt_json *hashes = NULL;
    struct mt_receipt_entry entry;
    uint8_t room[ENTRY_BYTES];
    mt_hash commitment;
    mt_hash h;
    mt_bytes bytes;
    size_t count = 0;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    MT_TRY(mt_json_uint(leaf, "txid", UINT64_MAX >> 11, &entry.txid));
    MT_REQUIRE(entry.txid == mt_audit_size(a) + 1, MT_E_PROOF,
               "audit-gap: a transaction is missing");
    MT_TRY(mt_json_hex(leaf, "write_set_hash",
                       (mt_span){entry.write_set_hash.b, sizeof entry.write_set_hash.b}));
    MT_TRY(mt_json_hex(leaf, "nonce", (mt_span){entry.nonce.b, sizeof entry.nonce.b}));
    MT_TRY(mt_json_array(leaf, "item_hashes", PAGE_MAX, &hashes, &count));
    for (size_t i = 0; i < count; i++) {
        mt_bytes text;
        MT_TRY(mt_json_as_text(mt_json_at(hashes, i), &text));
        MT_TRY(mt_hex_parse(text, (mt_span){h.b, sizeof h.b}));
        MT_TRY(mt_buf_append(&all, mt_hash_bytes(&h)));
    }
    MT_TRY(check_records(a, leaf, hashes, count));
    const mt_bytes items = mt_buf_bytes(&all);
    mt_sha256(&items, 1, &commitment);
    mt_receipt_entry_write(&w, &entry, &commitment);
    MT_TRY(mt_write_end(&w, &bytes));
    mt_merkle_leaf(&bytes, 1, &h);
    return mt_merkle_append(a->tree, &h);
}

/* The node's ledger grows while it is read: the root is compared at the size that the last page
 * names. */
MT_ERR mt_audit_add(struct mt_audit *a, const struct mt_json *page, bool *is_done)
{
    const struct mt_json *leaves = NULL;
    size_t count = 0;
    uint64_t size = 0;
    mt_hash root;
    mt_hash got;
    MT_TRY(mt_json_uint(page, "size", UINT64_MAX >> 11, &size));
    MT_TRY(mt_json_hex(page, "root", (mt_span){root.b, sizeof root.b}));
    MT_TRY(mt_json_array(page, "leaves", PAGE_MAX, &leaves, &count));
    MT_REQUIRE(count > 0 || mt_audit_size(a) == size, MT_E_PROOF,
               "audit-gap: the node lists fewer transactions than it has");
    for (size_t i = 0; i < count; i++) {
        MT_TRY(add_leaf(a, mt_json_at(leaves, i)));
    }
    *is_done = mt_audit_size(a) == size;
    if (*is_done) {
        MT_TRY(mt_merkle_root(a->tree, size, &got));
        MT_REQUIRE(mt_hash_equal(&got, &root), MT_E_PROOF,
                   "audit-root: the listed transactions do not make the root that the node shows");
    }
    return MT_OK;
}

MT_ERR mt_audit_holds(const struct mt_audit *a, const struct mt_merkle_head *head)
{
    mt_hash got;
    MT_REQUIRE(head->size <= mt_audit_size(a), MT_E_PROOF,
               "audit-gap: the node lists fewer transactions than it has");
    MT_TRY(mt_merkle_root(a->tree, head->size, &got));
    MT_REQUIRE(mt_hash_equal(&got, &head->root), MT_E_PROOF,
               "audit-head: the listed transactions are not those of the ledger that you know");
    return MT_OK;
}

void mt_audit_counts(const struct mt_audit *a, uint64_t *leaves, uint64_t *records)
{
    *leaves = mt_audit_size(a);
    *records = a->records;
}
