/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/audit.h"

#include <string.h>

#include "wire/cbor.h"

enum { ITEM_FIELDS = 3, ITEM_VERSION = 1, RECORD_FIELDS = 7, RECORDS_MAX = MT_GATE_NOTES_MAX + 1 };

static const mt_id no_resource = {{0}};

/* ["audit", 1, [record...]] */
void mt_audit_item_write(struct mt_writer *w, size_t count)
{
    mt_cbor_write_array(w, ITEM_FIELDS);
    mt_cbor_write_text(w, MT_LITERAL("audit"));
    mt_cbor_write_uint(w, ITEM_VERSION);
    mt_cbor_write_array(w, count);
}

/* [subject, action, resource | null, phase, outcome, count, first] */
void mt_audit_record_write(struct mt_writer *w, const struct mt_audit_record *r)
{
    mt_cbor_write_array(w, RECORD_FIELDS);
    mt_cbor_write_bytes(w, mt_hash_bytes(&r->subject));
    mt_cbor_write_text(w, r->action);
    if (mt_id_equal(&r->resource, &no_resource)) {
        mt_cbor_write_null(w);
    } else {
        mt_cbor_write_bytes(w, mt_id_bytes(&r->resource));
    }
    mt_cbor_write_uint(w, (uint64_t)r->phase);
    mt_cbor_write_uint(w, r->outcome);
    mt_cbor_write_uint(w, r->count);
    mt_cbor_write_uint(w, r->first_ms);
}

MT_ERR mt_audit_item_parse(mt_bytes item, struct mt_reader *records, uint64_t *count)
{
    struct mt_reader r = mt_reader_over(item);
    uint64_t fields = 0;
    uint64_t version = 0;
    uint64_t found = 0;
    mt_bytes kind;
    MT_TRY(mt_cbor_read_array(&r, ITEM_FIELDS, &fields));
    MT_REQUIRE(fields == ITEM_FIELDS, MT_E_FORMAT, "an audit item has three fields");
    MT_TRY(mt_cbor_read_text(&r, &kind));
    MT_REQUIRE(mt_bytes_equal(kind, MT_LITERAL("audit")), MT_E_FORMAT,
               "this item is not of the audit log");
    MT_TRY(mt_cbor_read_uint(&r, &version));
    MT_REQUIRE(version == ITEM_VERSION, MT_E_FORMAT, "this audit item is of another version");
    MT_TRY(mt_cbor_read_array(&r, RECORDS_MAX, &found));
    *records = r;
    *count = found;
    return MT_OK;
}

static MT_ERR read_resource(struct mt_reader *r, mt_id *out)
{
    bool is_none = false;
    MT_TRY(mt_cbor_read_null(r, &is_none));
    if (is_none) {
        return MT_OK;
    }
    MT_TRY(mt_cbor_read_copy(r, (mt_span){out->b, sizeof out->b}));
    MT_REQUIRE(!mt_id_equal(out, &no_resource), MT_E_FORMAT,
               "an audit record names no resource by zeros");
    return MT_OK;
}

MT_ERR mt_audit_record_parse(struct mt_reader *records, struct mt_audit_record *out)
{
    struct mt_audit_record x;
    uint64_t fields = 0;
    uint64_t phase = 0;
    memset(&x, 0, sizeof x);
    MT_TRY(mt_cbor_read_array(records, RECORD_FIELDS, &fields));
    MT_REQUIRE(fields == RECORD_FIELDS, MT_E_FORMAT, "an audit record has seven fields");
    MT_TRY(mt_cbor_read_copy(records, (mt_span){x.subject.b, sizeof x.subject.b}));
    MT_TRY(mt_cbor_read_text(records, &x.action));
    MT_TRY(read_resource(records, &x.resource));
    MT_TRY(mt_cbor_read_uint(records, &phase));
    MT_REQUIRE(phase >= MT_AUDIT_ACT && phase <= MT_AUDIT_REFUSED, MT_E_FORMAT,
               "an audit record's phase is 1 to 4");
    x.phase = (enum mt_audit_phase)phase;
    MT_TRY(mt_cbor_read_uint(records, &x.outcome));
    MT_TRY(mt_cbor_read_uint(records, &x.count));
    MT_TRY(mt_cbor_read_uint(records, &x.first_ms));
    *out = x;
    return MT_OK;
}
