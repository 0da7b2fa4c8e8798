/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/receipt.h"

#include "base/assert.h"
#include "wire/attest.h"
#include "wire/cbor.h"

enum { RECEIPT_VERSION = 1, RECEIPT_FIELDS = 9 };

/* RFC 9052, 3.1; RFC 9597 (15: CWT claims); RFC 9942, 2 (395, 396). */
enum { HEADER_ALG = 1, HEADER_KID = 4, HEADER_CLAIMS = 15, HEADER_VDS = 395, HEADER_VDP = 396 };
enum { ALG_ES256 = -7, VDS_RFC9162_SHA256 = 1, VDP_INCLUSION = -1 };

/* RFC 8392, 9.1.1: "integer values less than -65536 are marked as Private Use". */
enum {
    CLAIM_CLUSTER = -65537,
    CLAIM_RECOVERY_EPOCH = -65538,
    CLAIM_TREE_SIZE = -65539,
    CLAIM_TIME_MS = -65540,
};

/* [size, index, [path]]: three heads of at most 9, 9 and 2 bytes beside the array's own, and the
 * path. */
enum { PROOF_BYTES_MAX = 1 + 9 + 9 + 2 + MT_RECEIPT_PATH_MAX * 34 };

static MT_ERR read_map_of(struct mt_reader *r, uint64_t count)
{
    uint64_t got = 0;
    MT_TRY(mt_cbor_read_map(r, UINT64_MAX, &got));
    MT_REQUIRE(got == count, MT_E_FORMAT, "a map in a receipt has too many or too few members");
    return MT_OK;
}

static MT_ERR read_array_of(struct mt_reader *r, uint64_t count)
{
    uint64_t got = 0;
    MT_TRY(mt_cbor_read_array(r, UINT64_MAX, &got));
    MT_REQUIRE(got == count, MT_E_FORMAT, "an array in a receipt has the wrong length");
    return MT_OK;
}

static MT_ERR read_hash(struct mt_reader *r, int64_t key, mt_hash *out)
{
    MT_TRY(mt_cbor_read_key(r, key));
    return mt_cbor_read_copy(r, (mt_span){out->b, sizeof out->b});
}

static MT_ERR read_uint(struct mt_reader *r, int64_t key, uint64_t *out)
{
    MT_TRY(mt_cbor_read_key(r, key));
    return mt_cbor_read_uint(r, out);
}

static MT_ERR read_constant(struct mt_reader *r, int64_t key, int64_t value)
{
    int64_t got = 0;
    MT_TRY(mt_cbor_read_key(r, key));
    MT_TRY(mt_cbor_read_int(r, &got));
    MT_REQUIRE(got == value, MT_E_FORMAT, "a receipt of another algorithm or another kind of tree");
    return MT_OK;
}

void mt_receipt_header_write(struct mt_writer *w, const struct mt_receipt_header *h)
{
    mt_cbor_write_map(w, 4);
    mt_cbor_write_int(w, HEADER_ALG);
    mt_cbor_write_int(w, ALG_ES256);
    mt_cbor_write_int(w, HEADER_KID);
    mt_cbor_write_bytes(w, mt_hash_bytes(&h->kid));
    mt_cbor_write_int(w, HEADER_CLAIMS);
    mt_cbor_write_map(w, 4);
    mt_cbor_write_int(w, CLAIM_CLUSTER);
    mt_cbor_write_bytes(w, mt_hash_bytes(&h->cluster));
    mt_cbor_write_int(w, CLAIM_RECOVERY_EPOCH);
    mt_cbor_write_uint(w, h->recovery_epoch);
    mt_cbor_write_int(w, CLAIM_TREE_SIZE);
    mt_cbor_write_uint(w, h->tree_size);
    mt_cbor_write_int(w, CLAIM_TIME_MS);
    mt_cbor_write_uint(w, h->time_ms);
    mt_cbor_write_int(w, HEADER_VDS);
    mt_cbor_write_int(w, VDS_RFC9162_SHA256);
}

MT_ERR mt_receipt_header_parse(mt_bytes protected_, struct mt_receipt_header *out)
{
    struct mt_reader r = mt_reader_over(protected_);
    struct mt_receipt_header h;
    MT_TRY(read_map_of(&r, 4));
    MT_TRY(read_constant(&r, HEADER_ALG, ALG_ES256));
    MT_TRY(read_hash(&r, HEADER_KID, &h.kid));
    MT_TRY(mt_cbor_read_key(&r, HEADER_CLAIMS));
    MT_TRY(read_map_of(&r, 4));
    MT_TRY(read_hash(&r, CLAIM_CLUSTER, &h.cluster));
    MT_TRY(read_uint(&r, CLAIM_RECOVERY_EPOCH, &h.recovery_epoch));
    MT_TRY(read_uint(&r, CLAIM_TREE_SIZE, &h.tree_size));
    MT_TRY(read_uint(&r, CLAIM_TIME_MS, &h.time_ms));
    MT_TRY(read_constant(&r, HEADER_VDS, VDS_RFC9162_SHA256));
    MT_TRY(mt_read_end(&r));
    *out = h;
    return MT_OK;
}

static MT_ERR check_proof(const struct mt_receipt_proof *p)
{
    MT_REQUIRE(p->leaf_index < p->tree_size, MT_E_FORMAT,
               "a receipt's proof is for a leaf outside of the tree");
    return MT_OK;
}

static void write_proof(struct mt_writer *w, const struct mt_receipt_proof *p)
{
    mt_cbor_write_array(w, 3);
    mt_cbor_write_uint(w, p->tree_size);
    mt_cbor_write_uint(w, p->leaf_index);
    mt_cbor_write_array(w, p->path_count);
    for (size_t i = 0; i < p->path_count; i++) {
        mt_cbor_write_bytes(w, mt_hash_bytes(&p->path[i]));
    }
}

/* {396: {-1: [bstr .cbor [tree size, leaf index, [path]]]}} (RFC 9942, 5.2.1). */
void mt_receipt_proof_write(struct mt_writer *w, const struct mt_receipt_proof *p)
{
    uint8_t room[PROOF_BYTES_MAX];
    mt_bytes inner = {NULL, 0};
    struct mt_writer i = mt_writer_over((mt_span){room, sizeof room});
    MT_ASSERT(p->path_count <= MT_RECEIPT_PATH_MAX);
    mt_write_err(w, check_proof(p));
    write_proof(&i, p);
    mt_write_err(w, mt_write_end(&i, &inner));
    mt_cbor_write_map(w, 1);
    mt_cbor_write_int(w, HEADER_VDP);
    mt_cbor_write_map(w, 1);
    mt_cbor_write_int(w, VDP_INCLUSION);
    mt_cbor_write_array(w, 1);
    mt_cbor_write_bytes(w, inner);
}

static MT_ERR read_proof(struct mt_reader *r, struct mt_receipt_proof *p)
{
    uint64_t count = 0;
    MT_TRY(read_array_of(r, 3));
    MT_TRY(mt_cbor_read_uint(r, &p->tree_size));
    MT_TRY(mt_cbor_read_uint(r, &p->leaf_index));
    MT_TRY(mt_cbor_read_array(r, MT_RECEIPT_PATH_MAX, &count));
    while (p->path_count < count) {
        mt_hash *h = &p->path[p->path_count];
        MT_TRY(mt_cbor_read_copy(r, (mt_span){h->b, sizeof h->b}));
        p->path_count++;
    }
    MT_TRY(mt_read_end(r));
    return check_proof(p);
}

MT_ERR mt_receipt_proof_parse(mt_bytes unprotected, struct mt_receipt_proof *out)
{
    struct mt_reader r = mt_reader_over(unprotected);
    struct mt_receipt_proof p = {.path_count = 0};
    mt_bytes inner;
    MT_TRY(read_map_of(&r, 1));
    MT_TRY(mt_cbor_read_key(&r, HEADER_VDP));
    MT_TRY(read_map_of(&r, 1));
    MT_TRY(mt_cbor_read_key(&r, VDP_INCLUSION));
    MT_TRY(read_array_of(&r, 1));
    MT_TRY(mt_cbor_read_bytes(&r, &inner));
    MT_TRY(mt_read_end(&r));
    struct mt_reader i = mt_reader_over(inner);
    MT_TRY(read_proof(&i, &p));
    *out = p;
    return MT_OK;
}

void mt_receipt_entry_write(struct mt_writer *w, const struct mt_receipt_entry *e,
                            const mt_hash *claims)
{
    mt_write_u64be(w, e->txid);
    mt_write_bytes(w, mt_hash_bytes(&e->write_set_hash));
    mt_write_bytes(w, mt_id_bytes(&e->nonce));
    mt_write_bytes(w, mt_hash_bytes(claims));
}

static MT_ERR check_receipt(const struct mt_receipt *r)
{
    MT_REQUIRE(r->entry.txid > 0, MT_E_FORMAT, "a receipt for no transaction: they count from 1");
    MT_REQUIRE(r->service_key.len == MT_RECEIPT_SPKI_BYTES, MT_E_FORMAT,
               "a receipt's service key has 91 bytes");
    for (size_t i = 0; i < r->shown_count; i++) {
        MT_REQUIRE(r->shown[i].index < r->item_hashes_count, MT_E_FORMAT,
                   "a receipt shows an item that the transaction has not");
        MT_REQUIRE(i == 0 || r->shown[i - 1].index < r->shown[i].index, MT_E_FORMAT,
                   "the items that a receipt shows are not in order");
    }
    return MT_OK;
}

static void write_entry_and_items(struct mt_writer *w, const struct mt_receipt *r)
{
    mt_cbor_write_uint(w, 3);
    mt_cbor_write_array(w, 3);
    mt_cbor_write_uint(w, r->entry.txid);
    mt_cbor_write_bytes(w, mt_hash_bytes(&r->entry.write_set_hash));
    mt_cbor_write_bytes(w, mt_id_bytes(&r->entry.nonce));
    mt_cbor_write_uint(w, 4);
    mt_cbor_write_array(w, r->item_hashes_count);
    for (size_t i = 0; i < r->item_hashes_count; i++) {
        mt_cbor_write_bytes(w, mt_hash_bytes(&r->item_hashes[i]));
    }
    mt_cbor_write_uint(w, 5);
    mt_cbor_write_array(w, r->shown_count);
    for (size_t i = 0; i < r->shown_count; i++) {
        mt_cbor_write_array(w, 3);
        mt_cbor_write_uint(w, r->shown[i].index);
        mt_cbor_write_bytes(w, mt_id_bytes(&r->shown[i].salt));
        mt_cbor_write_bytes(w, r->shown[i].item);
    }
}

static void write_service_key(struct mt_writer *w, const struct mt_receipt *r)
{
    struct mt_attest a = {
        .format = r->format, .evidence = r->evidence, .endorsements_count = r->endorsements_count};
    for (size_t i = 0; i < r->endorsements_count; i++) {
        a.endorsements[i] = r->endorsements[i];
    }
    mt_cbor_write_uint(w, 6);
    mt_cbor_write_bytes(w, r->service_key);
    mt_cbor_write_uint(w, 7);
    mt_cbor_write_bytes(w, mt_hash_bytes(&r->incarnation));
    mt_cbor_write_uint(w, 8);
    mt_cbor_write_array(w, 3);
    mt_attest_fields_write(w, &a);
}

void mt_receipt_write(struct mt_writer *w, const struct mt_receipt *r)
{
    MT_ASSERT(r->item_hashes_count <= MT_CLAIM_ITEMS_MAX);
    MT_ASSERT(r->shown_count <= MT_CLAIM_ITEMS_MAX);
    MT_ASSERT(r->endorsements_count <= MT_ENDORSEMENTS_MAX);
    mt_write_err(w, check_receipt(r));
    mt_cbor_write_map(w, RECEIPT_FIELDS);
    mt_cbor_write_uint(w, 1);
    mt_cbor_write_uint(w, RECEIPT_VERSION);
    mt_cbor_write_uint(w, 2);
    mt_cbor_write_bytes(w, r->signed_);
    write_entry_and_items(w, r);
    write_service_key(w, r);
    mt_cbor_write_uint(w, 9);
    mt_cbor_write_bytes(w, mt_hash_bytes(&r->configuration));
}

static MT_ERR read_entry(struct mt_reader *r, struct mt_receipt_entry *e)
{
    MT_TRY(mt_cbor_read_key(r, 3));
    MT_TRY(read_array_of(r, 3));
    MT_TRY(mt_cbor_read_uint(r, &e->txid));
    MT_TRY(mt_cbor_read_copy(r, (mt_span){e->write_set_hash.b, sizeof e->write_set_hash.b}));
    return mt_cbor_read_copy(r, (mt_span){e->nonce.b, sizeof e->nonce.b});
}

static MT_ERR read_hashes(struct mt_reader *r, struct mt_receipt *out)
{
    uint64_t count = 0;
    MT_TRY(mt_cbor_read_key(r, 4));
    MT_TRY(mt_cbor_read_array(r, MT_CLAIM_ITEMS_MAX, &count));
    while (out->item_hashes_count < count) {
        mt_hash *h = &out->item_hashes[out->item_hashes_count];
        MT_TRY(mt_cbor_read_copy(r, (mt_span){h->b, sizeof h->b}));
        out->item_hashes_count++;
    }
    return MT_OK;
}

static MT_ERR read_item(struct mt_reader *r, struct mt_receipt_item *out)
{
    uint64_t index = 0;
    MT_TRY(read_array_of(r, 3));
    MT_TRY(mt_cbor_read_uint(r, &index));
    MT_REQUIRE(index < MT_CLAIM_ITEMS_MAX, MT_E_FORMAT,
               "a receipt shows an item that the transaction has not");
    out->index = (uint32_t)index;
    MT_TRY(mt_cbor_read_copy(r, (mt_span){out->salt.b, sizeof out->salt.b}));
    return mt_cbor_read_bytes(r, &out->item);
}

static MT_ERR read_shown(struct mt_reader *r, struct mt_receipt *out)
{
    uint64_t count = 0;
    MT_TRY(mt_cbor_read_key(r, 5));
    MT_TRY(mt_cbor_read_array(r, MT_CLAIM_ITEMS_MAX, &count));
    while (out->shown_count < count) {
        MT_TRY(read_item(r, &out->shown[out->shown_count]));
        out->shown_count++;
    }
    return MT_OK;
}

static MT_ERR read_service_key(struct mt_reader *r, struct mt_receipt *out)
{
    struct mt_attest a;
    MT_TRY(mt_cbor_read_key(r, 6));
    MT_TRY(mt_cbor_read_bytes(r, &out->service_key));
    MT_TRY(read_hash(r, 7, &out->incarnation));
    MT_TRY(mt_cbor_read_key(r, 8));
    MT_TRY(read_array_of(r, 3));
    MT_TRY(mt_attest_fields_read(r, &a));
    out->format = a.format;
    out->evidence = a.evidence;
    for (size_t i = 0; i < a.endorsements_count; i++) {
        out->endorsements[i] = a.endorsements[i];
    }
    out->endorsements_count = a.endorsements_count;
    return MT_OK;
}

MT_ERR mt_receipt_parse(mt_bytes in, struct mt_receipt *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_receipt c = {.shown_count = 0};
    uint64_t version = 0;
    uint64_t fields = 0;
    MT_REQUIRE(in.len <= MT_RECEIPT_BYTES_MAX, MT_E_LIMIT, "a receipt is too long");
    MT_TRY(mt_cbor_read_map(&r, UINT64_MAX, &fields));
    MT_TRY(read_uint(&r, 1, &version));
    MT_REQUIRE(version == RECEIPT_VERSION, MT_E_FORMAT, "this receipt is of another version");
    MT_REQUIRE(fields == RECEIPT_FIELDS, MT_E_FORMAT, "a receipt has nine fields");
    MT_TRY(mt_cbor_read_key(&r, 2));
    MT_TRY(mt_cbor_read_bytes(&r, &c.signed_));
    MT_TRY(read_entry(&r, &c.entry));
    MT_TRY(read_hashes(&r, &c));
    MT_TRY(read_shown(&r, &c));
    MT_TRY(read_service_key(&r, &c));
    MT_TRY(read_hash(&r, 9, &c.configuration));
    MT_TRY(mt_read_end(&r));
    MT_TRY(check_receipt(&c));
    *out = c;
    return MT_OK;
}
