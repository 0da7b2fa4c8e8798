/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cose.h"

#include "base/id.h"
#include "wire/cbor.h"

enum { TAG_SIGN1 = 18, SIGN1_FIELDS = 4, SIGNATURE_BYTES = 64 };
enum { HEADER_ALG = 1, HEADER_KID = 4, ALG_ES256 = -7 };

/* One map, nothing behind it. */
static MT_ERR check_map(mt_bytes encoded)
{
    struct mt_reader head = mt_reader_over(encoded);
    struct mt_reader whole = head;
    uint64_t count = 0;
    mt_bytes item;
    MT_TRY(mt_cbor_read_map(&head, UINT64_MAX, &count));
    MT_TRY(mt_cbor_read_item(&whole, &item));
    return mt_read_end(&whole);
}

/* RFC 9052, 3: "if the map is empty, the value is encoded as a zero-length string". Ours always
 * names the algorithm, so it is never empty. */
static MT_ERR read_protected(struct mt_reader *r, mt_bytes *out)
{
    mt_bytes b;
    MT_TRY(mt_cbor_read_bytes(r, &b));
    MT_REQUIRE(b.len > 0, MT_E_FORMAT, "COSE: an empty protected header");
    MT_TRY(check_map(b));
    MT_REQUIRE(b.ptr[0] != 0xa0, MT_E_FORMAT, "COSE: an empty protected header");
    *out = b;
    return MT_OK;
}

static MT_ERR read_payload(struct mt_reader *r, mt_bytes *out, bool *is_detached)
{
    MT_TRY(mt_cbor_read_null(r, is_detached));
    if (*is_detached) {
        *out = (mt_bytes){NULL, 0};
        return MT_OK;
    }
    return mt_cbor_read_bytes(r, out);
}

MT_ERR mt_cose_sign1_parse(mt_bytes in, struct mt_cose_sign1 *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_cose_sign1 m = {.is_detached = false};
    uint64_t count = 0;
    MT_TRY(mt_cbor_read_tag(&r, TAG_SIGN1));
    MT_TRY(mt_cbor_read_array(&r, SIGN1_FIELDS, &count));
    MT_REQUIRE(count == SIGN1_FIELDS, MT_E_FORMAT, "COSE: a Sign1 has four fields");
    MT_TRY(read_protected(&r, &m.protected_));
    MT_TRY(mt_cbor_read_item(&r, &m.unprotected));
    MT_TRY(check_map(m.unprotected));
    MT_TRY(read_payload(&r, &m.payload, &m.is_detached));
    MT_TRY(mt_cbor_read_bytes(&r, &m.signature));
    MT_REQUIRE(m.signature.len == SIGNATURE_BYTES, MT_E_FORMAT, "COSE: a signature has 64 bytes");
    MT_TRY(mt_read_end(&r));
    *out = m;
    return MT_OK;
}

void mt_cose_sign1_write(struct mt_writer *w, const struct mt_cose_sign1 *m)
{
    mt_cbor_write_tag(w, TAG_SIGN1);
    mt_cbor_write_array(w, SIGN1_FIELDS);
    mt_cbor_write_bytes(w, m->protected_);
    mt_write_bytes(w, m->unprotected);
    if (m->is_detached) {
        mt_cbor_write_null(w);
    } else {
        mt_cbor_write_bytes(w, m->payload);
    }
    mt_cbor_write_bytes(w, m->signature);
}

/* RFC 9052, 4.4. */
void mt_cose_tbs_write(struct mt_writer *w, mt_bytes protected_, mt_bytes external_aad,
                       mt_bytes payload)
{
    mt_cbor_write_array(w, 4);
    mt_cbor_write_text(w, MT_LITERAL("Signature1"));
    mt_cbor_write_bytes(w, protected_);
    mt_cbor_write_bytes(w, external_aad);
    mt_cbor_write_bytes(w, payload);
}

void mt_cose_protected_write(struct mt_writer *w, mt_bytes kid)
{
    mt_cbor_write_map(w, 2);
    mt_cbor_write_int(w, HEADER_ALG);
    mt_cbor_write_int(w, ALG_ES256);
    mt_cbor_write_int(w, HEADER_KID);
    mt_cbor_write_bytes(w, kid);
}

MT_ERR mt_cose_protected_parse(mt_bytes protected_, mt_bytes *kid)
{
    struct mt_reader r = mt_reader_over(protected_);
    uint64_t count = 0;
    int64_t alg = 0;
    mt_bytes id;
    MT_TRY(mt_cbor_read_map(&r, 2, &count));
    MT_REQUIRE(count == 2, MT_E_FORMAT, "COSE: a protected header but {alg, kid}");
    MT_TRY(mt_cbor_read_key(&r, HEADER_ALG));
    MT_TRY(mt_cbor_read_int(&r, &alg));
    MT_REQUIRE(alg == ALG_ES256, MT_E_FORMAT, "COSE: an algorithm but ES256");
    MT_TRY(mt_cbor_read_key(&r, HEADER_KID));
    MT_TRY(mt_cbor_read_bytes(&r, &id));
    MT_REQUIRE(id.len == sizeof(mt_hash), MT_E_FORMAT, "COSE: a key id that is no key's hash");
    MT_TRY(mt_read_end(&r));
    *kid = id;
    return MT_OK;
}
