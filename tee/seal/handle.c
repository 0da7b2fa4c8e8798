/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/handle.h"

#include "wire/cbor.h"

enum { VERSION = 1, FIELDS = 6 };

void mt_object_handle_write(struct mt_writer *w, const struct mt_object_handle *h)
{
    mt_cbor_write_array(w, FIELDS);
    mt_cbor_write_uint(w, VERSION);
    mt_cbor_write_bytes(w, mt_id_bytes(&h->id));
    mt_cbor_write_uint(w, h->size_bytes);
    mt_cbor_write_bytes(w, mt_hash_bytes(&h->root));
    mt_cbor_write_bytes(w, mt_hash_bytes(&h->salt));
    mt_cbor_write_bytes(w, mt_hash_bytes(&h->commitment));
}

MT_ERR mt_object_handle_parse(struct mt_reader *r, struct mt_object_handle *out)
{
    struct mt_object_handle h;
    uint64_t count = 0;
    uint64_t version = 0;
    MT_TRY(mt_cbor_read_array(r, UINT64_MAX, &count));
    MT_TRY(mt_cbor_read_uint(r, &version));
    MT_REQUIRE(version == VERSION, MT_E_FORMAT, "an object's handle is of another version");
    MT_REQUIRE(count == FIELDS, MT_E_FORMAT, "an object's handle has six fields");
    MT_TRY(mt_cbor_read_copy(r, (mt_span){h.id.b, sizeof h.id.b}));
    MT_TRY(mt_cbor_read_uint(r, &h.size_bytes));
    MT_TRY(mt_cbor_read_copy(r, (mt_span){h.root.b, sizeof h.root.b}));
    MT_TRY(mt_cbor_read_copy(r, (mt_span){h.salt.b, sizeof h.salt.b}));
    MT_TRY(mt_cbor_read_copy(r, (mt_span){h.commitment.b, sizeof h.commitment.b}));
    *out = h;
    return MT_OK;
}
