/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/auditors.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/hash.h"
#include "wire/cbor.h"
#include "wire/cose.h"

enum { VERSION = 1, TBS_EXTRA = 256 };

void mt_auditors_payload_write(struct mt_writer *w, const struct mt_auditors_list *l)
{
    mt_cbor_write_array(w, 5);
    mt_cbor_write_uint(w, VERSION);
    mt_cbor_write_uint(w, l->sequence);
    mt_cbor_write_uint(w, l->not_before_ms);
    mt_cbor_write_uint(w, l->not_after_ms);
    mt_cbor_write_array(w, l->values_count);
    for (size_t i = 0; i < l->values_count; i++) {
        mt_cbor_write_array(w, 2);
        mt_cbor_write_bytes(w, mt_hash_bytes(&l->values[i].measurement));
        mt_cbor_write_text(w, l->values[i].name);
    }
}

/* The Sig_structure of a COSE_Sign1 by this key, whose message is never sent: the file keeps the
 * payload once. */
static MT_ERR tbs_of(const mt_spki *k, mt_bytes payload, struct mt_buf *room, mt_bytes *out)
{
    uint8_t protected_room[64];
    mt_bytes protected_;
    mt_hash kid;
    struct mt_writer p = mt_writer_over((mt_span){protected_room, sizeof protected_room});
    struct mt_writer t = mt_writer_onto(room);
    mt_spki_hash(k, &kid);
    mt_cose_protected_write(&p, mt_hash_bytes(&kid));
    mt_err e = mt_write_end(&p, &protected_);
    MT_ASSERT(!mt_failed(e)); /* the room above holds every header */
    mt_cose_tbs_write(&t, protected_, mt_label_bytes(MT_LABEL_AUDITORS), payload);
    return mt_write_end(&t, out);
}

MT_ERR mt_auditors_sign(const struct mt_key *k, mt_bytes payload, uint8_t out[MT_SIGNATURE_LEN])
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(payload.len + TBS_EXTRA);
    mt_bytes tbs;
    MT_TRY(tbs_of(mt_key_public(k), payload, &room, &tbs));
    return mt_sign(k, tbs, out);
}

void mt_auditors_write(struct mt_writer *w, mt_bytes payload, const struct mt_auditor_signature *s,
                       size_t count)
{
    mt_cbor_write_array(w, 2);
    mt_cbor_write_bytes(w, payload);
    mt_cbor_write_array(w, count);
    for (size_t i = 0; i < count; i++) {
        mt_cbor_write_array(w, 2);
        mt_cbor_write_bytes(w, mt_spki_bytes(&s[i].key));
        mt_cbor_write_bytes(w, MT_BYTES_OF(s[i].signature));
    }
}

static MT_ERR expect_array(struct mt_reader *r, uint64_t count)
{
    uint64_t got = 0;
    MT_TRY(mt_cbor_read_array(r, count, &got));
    MT_REQUIRE(got == count, MT_E_FORMAT, "an array of an auditors' list has the wrong length");
    return MT_OK;
}

static MT_ERR parse_payload(mt_bytes in, struct mt_auditors_list *out)
{
    struct mt_reader r = mt_reader_over(in);
    uint64_t version = 0;
    uint64_t count = 0;
    memset(out, 0, sizeof *out);
    MT_TRY(expect_array(&r, 5));
    MT_TRY(mt_cbor_read_uint(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_FORMAT, "an auditors' list of another version");
    MT_TRY(mt_cbor_read_uint(&r, &out->sequence));
    MT_TRY(mt_cbor_read_uint(&r, &out->not_before_ms));
    MT_TRY(mt_cbor_read_uint(&r, &out->not_after_ms));
    MT_TRY(mt_cbor_read_array(&r, MT_MEASUREMENTS_MAX, &count));
    for (uint64_t i = 0; i < count; i++) {
        mt_hash *m = &out->values[i].measurement;
        MT_TRY(expect_array(&r, 2));
        MT_TRY(mt_cbor_read_copy(&r, (mt_span){m->b, sizeof m->b}));
        MT_TRY(mt_cbor_read_text(&r, &out->values[i].name));
    }
    out->values_count = (size_t)count;
    return mt_read_end(&r);
}

MT_ERR mt_auditors_parse(mt_bytes in, struct mt_auditors_list *out, mt_bytes *payload,
                         struct mt_auditor_signature *signatures, size_t *count)
{
    struct mt_reader r = mt_reader_over(in);
    uint64_t n = 0;
    MT_TRY(expect_array(&r, 2));
    MT_TRY(mt_cbor_read_bytes(&r, payload));
    MT_TRY(mt_cbor_read_array(&r, MT_AUDITORS_MAX, &n));
    for (uint64_t i = 0; i < n; i++) {
        mt_bytes der;
        MT_TRY(expect_array(&r, 2));
        MT_TRY(mt_cbor_read_bytes(&r, &der));
        MT_TRY(mt_spki_parse(der, &signatures[i].key));
        MT_TRY(mt_cbor_read_copy(&r, (mt_span){signatures[i].signature, MT_SIGNATURE_LEN}));
    }
    MT_TRY(mt_read_end(&r));
    MT_TRY(parse_payload(*payload, out));
    *count = (size_t)n;
    return MT_OK;
}

static size_t index_of(const struct mt_auditors *a, const mt_spki *k)
{
    size_t i = 0;
    while (i < a->keys_count && !mt_bytes_equal(mt_spki_bytes(&a->keys[i]), mt_spki_bytes(k))) {
        i++;
    }
    return i;
}

/* Distinct auditors whose signature verifies: one who signs twice counts once (D1), a stranger not
 * at all. */
static MT_ERR count_auditors(const struct mt_auditors *a, mt_bytes payload,
                             const struct mt_auditor_signature *s, size_t count, uint64_t *out)
{
    bool has_signed[MT_AUDITORS_MAX] = {false};
    uint64_t n = 0;
    for (size_t i = 0; i < count; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(payload.len + TBS_EXTRA);
        mt_bytes tbs;
        size_t at = index_of(a, &s[i].key);
        if (at == a->keys_count || has_signed[at]) {
            continue;
        }
        MT_TRY(tbs_of(&s[i].key, payload, &room, &tbs));
        if (!mt_failed(mt_verify(&s[i].key, tbs, MT_BYTES_OF(s[i].signature)))) {
            has_signed[at] = true;
            n++;
        }
    }
    *out = n;
    return MT_OK;
}

MT_ERR mt_auditors_verify(mt_bytes in, const struct mt_auditors *a, uint64_t now_ms,
                          struct mt_auditors_list *out, struct mt_trace *trace)
{
    struct mt_auditor_signature signatures[MT_AUDITORS_MAX];
    mt_bytes payload = {NULL, 0};
    size_t count = 0;
    uint64_t good = 0;
    mt_err e = mt_auditors_parse(in, out, &payload, signatures, &count);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "auditors-format",
             "the auditors' list is well formed", "get the list again from your auditors");
    MT_TRY(count_auditors(a, payload, signatures, count, &good));
    MT_CHECK(trace, a->threshold > 0 && good >= a->threshold, MT_E_PROOF, "auditors-quorum",
             "as many distinct auditors as the policy demands have signed the list",
             "have more of the policy's auditors sign it: mesatee auditor sign");
    MT_CHECK(trace, now_ms >= out->not_before_ms && now_ms < out->not_after_ms, MT_E_STALE,
             "auditors-expired", "the auditors' list is valid now",
             "ask your auditors for a new list");
    MT_CHECK(trace, out->sequence >= a->minimum_sequence, MT_E_STALE, "auditors-sequence",
             "the auditors' list is not older than one that was seen before",
             "an old list was put back: get the newest from your auditors");
    return MT_OK;
}
