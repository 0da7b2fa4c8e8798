/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/receipt.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "wire/receipt.h"

static void free_receipt(struct mt_receipt **r)
{
    free(*r);
    *r = NULL;
}

MT_ERR mt_server_receipt(const struct mt_server_options *o, uint64_t txid, uint32_t item,
                         struct mt_buf *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max((size_t)MT_BLOCK_BYTES_MAX * 2);
    MT_DEFER(mt_buf_free) struct mt_buf signed_ = mt_buf_of_max(MT_JSON_BYTES_MAX);
    MT_DEFER(free_receipt) struct mt_receipt *r = calloc(1, sizeof *r);
    struct mt_ledger_leaf leaf;
    struct mt_writer sw = mt_writer_onto(&signed_);
    struct mt_writer w = mt_writer_onto(out);
    mt_bytes done;
    MT_REQUIRE(r != NULL, MT_E_NOMEM, "no memory for a receipt");
    MT_TRY(mt_ledger_leaf(o->ledger, txid, &room, &leaf));
    MT_REQUIRE(item < leaf.items_count && leaf.items_count <= MT_CLAIM_ITEMS_MAX, MT_E_INTERNAL,
               "a transaction has not the claim that a receipt should show");
    MT_TRY(mt_ledger_sign_receipt(o->ledger, o->service_key, txid, &sw));
    MT_TRY(mt_write_end(&sw, &r->signed_));
    r->entry = (struct mt_receipt_entry){txid, leaf.write_set_hash, leaf.nonce};
    memcpy(r->item_hashes, leaf.item_hashes, leaf.items_count * sizeof *leaf.item_hashes);
    r->item_hashes_count = leaf.items_count;
    r->shown[0] = (struct mt_receipt_item){item, leaf.salts[item], leaf.items[item]};
    r->shown_count = 1;
    r->service_key = mt_spki_bytes(mt_key_public(o->service_key));
    mt_spki_hash(mt_key_public(o->tls_key), &r->incarnation);
    r->format = o->facts.format;
    r->evidence = o->facts.service_evidence;
    r->configuration = o->facts.configuration;
    mt_receipt_write(&w, r);
    return mt_write_end(&w, &done);
}
