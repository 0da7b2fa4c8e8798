/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/bundle.h"

#include <stddef.h>

#include "base/limits.h"
#include "wire/cbor.h"

enum { VERSION = 1 };

/* Where the part with the key i + 1 lies; the order is the format's (spec/evidence-node.md). */
#define AT(field_) offsetof(struct mt_bundle, field_)
static const size_t parts[] = {
    AT(log),
    AT(evidence.quote),
    AT(evidence.signature),
    AT(evidence.pcrs),
    AT(evidence.event_log),
    AT(evidence.ak_public),
    AT(evidence.runtime_data),
    AT(evidence.collateral.ak_chain),
    AT(evidence.collateral.vek),
    AT(evidence.collateral.amd_crl),
    AT(evidence.collateral.tcb_info),
    AT(evidence.collateral.tcb_info_signature),
    AT(evidence.collateral.tcb_info_chain),
    AT(evidence.collateral.qe_identity),
    AT(evidence.collateral.qe_identity_signature),
    AT(evidence.collateral.qe_identity_chain),
    AT(evidence.collateral.root_ca_crl),
    AT(evidence.collateral.pck_crl),
    AT(evidence.collateral.pck_chain),
    AT(evidence.tpm_quote),
};
enum { PARTS = sizeof parts / sizeof *parts };

static const mt_bytes *part_of(const struct mt_bundle *b, size_t i)
{
    return (const mt_bytes *)(const void *)((const uint8_t *)b + parts[i]);
}

void mt_bundle_write(struct mt_writer *w, const struct mt_bundle *b)
{
    uint64_t count = 0;
    for (size_t i = 0; i < PARTS; i++) {
        count += part_of(b, i)->len > 0 ? 1 : 0;
    }
    mt_cbor_write_array(w, 2);
    mt_cbor_write_uint(w, VERSION);
    mt_cbor_write_map(w, count);
    for (size_t i = 0; i < PARTS; i++) {
        if (part_of(b, i)->len > 0) {
            mt_cbor_write_uint(w, i + 1);
            mt_cbor_write_bytes(w, *part_of(b, i));
        }
    }
}

void mt_bundle_trim(struct mt_bundle *b)
{
    enum { HEAD_MAX = 8 }; /* of the whole; of a part, with its number */
    size_t len = HEAD_MAX;
    for (size_t i = 0; i < PARTS; i++) {
        len += part_of(b, i)->len + HEAD_MAX;
    }
    if (len > MT_EVIDENCE_BYTES_MAX) {
        b->evidence.event_log = (mt_bytes){NULL, 0};
    }
}

static MT_ERR read_parts(struct mt_reader *r, struct mt_bundle *out)
{
    uint64_t count = 0;
    uint64_t before = 0;
    MT_TRY(mt_cbor_read_map(r, PARTS, &count));
    for (uint64_t i = 0; i < count; i++) {
        uint64_t key = 0;
        mt_bytes value;
        MT_TRY(mt_cbor_read_uint(r, &key));
        MT_REQUIRE(key > before && key <= PARTS, MT_E_FORMAT,
                   "a bundle has a part that is unknown, or out of order");
        MT_TRY(mt_cbor_read_bytes(r, &value));
        MT_REQUIRE(value.len > 0, MT_E_FORMAT, "a part of a bundle is empty");
        *(mt_bytes *)(void *)((uint8_t *)out + parts[key - 1]) = value;
        before = key;
    }
    return MT_OK;
}

MT_ERR mt_bundle_parse(mt_bytes in, struct mt_bundle *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_bundle b = {.log = {NULL, 0}};
    uint64_t count = 0;
    uint64_t version = 0;
    MT_TRY(mt_cbor_read_array(&r, 2, &count));
    MT_REQUIRE(count == 2, MT_E_FORMAT, "a bundle has two parts");
    MT_TRY(mt_cbor_read_uint(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_FORMAT, "a bundle of another version");
    MT_TRY(read_parts(&r, &b));
    MT_TRY(mt_read_end(&r));
    MT_REQUIRE(b.evidence.quote.len > 0 && b.log.len > 0, MT_E_FORMAT,
               "a bundle has a quote and the node's log");
    *out = b;
    return MT_OK;
}
