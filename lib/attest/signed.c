/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/signed.h"

#include "base/assert.h"
#include "crypto/hash.h"
#include "wire/cbor.h"
#include "wire/cose.h"

enum { TBS_EXTRA = 256 };

static MT_ERR write_signed(struct mt_writer *w, const struct mt_key *k, enum mt_label label,
                           mt_bytes payload)
{
    uint8_t protected_room[64];
    uint8_t signature[MT_SIGNATURE_LEN];
    mt_bytes protected_;
    mt_bytes tbs;
    mt_bytes message;
    mt_hash kid;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(payload.len + TBS_EXTRA);
    MT_DEFER(mt_buf_free) struct mt_buf cose = mt_buf_of_max(payload.len + TBS_EXTRA);
    struct mt_writer p = mt_writer_over((mt_span){protected_room, sizeof protected_room});
    struct mt_writer t = mt_writer_onto(&room);
    struct mt_writer c = mt_writer_onto(&cose);
    mt_spki_hash(mt_key_public(k), &kid);
    mt_cose_protected_write(&p, mt_hash_bytes(&kid));
    mt_err e = mt_write_end(&p, &protected_);
    MT_ASSERT(!mt_failed(e)); /* the room above holds every header */
    mt_cose_tbs_write(&t, protected_, mt_label_bytes(label), payload);
    MT_TRY(mt_write_end(&t, &tbs));
    MT_TRY(mt_sign(k, tbs, signature));
    const struct mt_cose_sign1 m = {.protected_ = protected_,
                                    .unprotected = MT_LITERAL("\xa0"),
                                    .payload = payload,
                                    .signature = MT_BYTES_OF(signature)};
    mt_cose_sign1_write(&c, &m);
    MT_TRY(mt_write_end(&c, &message));
    mt_cbor_write_array(w, 2);
    mt_cbor_write_bytes(w, mt_spki_bytes(mt_key_public(k)));
    mt_cbor_write_bytes(w, message);
    return MT_OK;
}

void mt_signed_write(struct mt_writer *w, const struct mt_key *k, enum mt_label label,
                     mt_bytes payload)
{
    mt_err e = write_signed(w, k, label, payload);
    if (mt_failed(e) && !mt_failed(w->failed)) {
        w->failed = e;
    }
}

MT_ERR mt_signed_parse(mt_bytes in, enum mt_label label, mt_spki *signer, mt_bytes *payload)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_cose_sign1 m;
    uint64_t count = 0;
    mt_bytes der;
    mt_bytes message;
    mt_bytes kid;
    mt_bytes tbs;
    mt_spki key;
    mt_hash hash;
    MT_TRY(mt_cbor_read_array(&r, 2, &count));
    MT_REQUIRE(count == 2, MT_E_FORMAT, "a signed statement has two parts");
    MT_TRY(mt_cbor_read_bytes(&r, &der));
    MT_TRY(mt_cbor_read_bytes(&r, &message));
    MT_TRY(mt_read_end(&r));
    MT_TRY(mt_spki_parse(der, &key));
    MT_TRY(mt_cose_sign1_parse(message, &m));
    MT_TRY(mt_cose_protected_parse(m.protected_, &kid));
    mt_spki_hash(&key, &hash);
    MT_REQUIRE(mt_bytes_equal(kid, mt_hash_bytes(&hash)), MT_E_PROOF,
               "a statement names another key than it carries");
    MT_REQUIRE(!m.is_detached && mt_bytes_equal(m.unprotected, MT_LITERAL("\xa0")), MT_E_FORMAT,
               "a statement has its payload inside and no unprotected header");
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(in.len + TBS_EXTRA);
    struct mt_writer t = mt_writer_onto(&room);
    mt_cose_tbs_write(&t, m.protected_, mt_label_bytes(label), m.payload);
    MT_TRY(mt_write_end(&t, &tbs));
    MT_TRY(mt_verify(&key, tbs, m.signature));
    *signer = key;
    *payload = m.payload;
    return MT_OK;
}
