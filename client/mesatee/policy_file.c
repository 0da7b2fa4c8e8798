/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/policy_file.h"

#include "attest/signed.h"

void mt_identity_free(struct mt_key **k)
{
    mt_key_free(k);
}

const mt_spki *mt_identity_public(const struct mt_key *k)
{
    return mt_key_public(k);
}

void mt_identity_subject(const struct mt_key *k, mt_hash *out)
{
    mt_spki_hash(mt_key_public(k), out);
}

/* Base64 with padding, 64 characters a line: RFC 4648, section 4, as RFC 7468 wants it. */
static void write_base64_lines(struct mt_writer *w, mt_bytes in)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { LINE_BYTES = 48, SIX = 0x3f };
    for (size_t i = 0; i < in.len; i += 3) {
        uint32_t three = (uint32_t)in.ptr[i] << 16;
        three |= i + 1 < in.len ? (uint32_t)in.ptr[i + 1] << 8 : 0;
        three |= i + 2 < in.len ? (uint32_t)in.ptr[i + 2] : 0;
        mt_write_u8(w, (uint8_t)digits[three >> 18 & SIX]);
        mt_write_u8(w, (uint8_t)digits[three >> 12 & SIX]);
        mt_write_u8(w, i + 1 < in.len ? (uint8_t)digits[three >> 6 & SIX] : '=');
        mt_write_u8(w, i + 2 < in.len ? (uint8_t)digits[three & SIX] : '=');
        if (i + 3 >= in.len || (i + 3) % LINE_BYTES == 0) {
            mt_write_u8(w, '\n');
        }
    }
}

MT_ERR mt_identity_pem(const struct mt_key *k, struct mt_buf *out)
{
    struct mt_writer w = mt_writer_onto(out);
    mt_bytes text;
    mt_write_bytes(&w, MT_LITERAL("-----BEGIN PUBLIC KEY-----\n"));
    write_base64_lines(&w, mt_spki_bytes(mt_key_public(k)));
    mt_write_bytes(&w, MT_LITERAL("-----END PUBLIC KEY-----\n"));
    return mt_write_end(&w, &text);
}

void mt_policy_json(struct mt_writer *w, const struct mt_policy *p)
{
    mt_policy_write(w, p);
}

MT_ERR mt_policy_sign(const struct mt_key *k, const struct mt_policy *p, struct mt_buf *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf json = mt_buf_of_max(MT_POLICY_BYTES_MAX);
    struct mt_writer j = mt_writer_onto(&json);
    struct mt_writer w = mt_writer_onto(out);
    mt_bytes bytes;
    mt_policy_write(&j, p);
    MT_TRY(mt_write_end(&j, &bytes));
    mt_policy_file_write(&w, k, bytes);
    return mt_write_end(&w, &bytes);
}

MT_ERR mt_policy_load(mt_bytes file, mt_hash *signer, struct mt_policy *p)
{
    mt_spki key;
    MT_TRY(mt_policy_file_parse(file, &key, p));
    mt_spki_hash(&key, signer);
    return MT_OK;
}

/* `json` is the text itself, wherever it stood. */
static MT_ERR read_policy(mt_bytes file, struct mt_policy *p, mt_bytes *json)
{
    mt_spki signer;
    mt_err e = mt_signed_parse(file, MT_LABEL_POLICY, &signer, json);
    if (mt_failed(e) && e.fault->code == MT_E_PROOF) {
        return e; /* signed by somebody, and changed since: not what that somebody wrote */
    }
    *json = mt_failed(e) ? file : *json;
    return mt_policy_parse(*json, p);
}

MT_ERR mt_policy_read(mt_bytes file, struct mt_policy *p)
{
    mt_bytes json;
    return read_policy(file, p, &json);
}

MT_ERR mt_policy_adopt(const struct mt_key *k, mt_bytes file, struct mt_policy *p,
                       struct mt_buf *out)
{
    struct mt_writer w = mt_writer_onto(out);
    mt_bytes json;
    mt_bytes bytes;
    MT_TRY(read_policy(file, p, &json));
    mt_policy_file_write(&w, k, json);
    return mt_write_end(&w, &bytes);
}

MT_ERR mt_auditors_list_new(const struct mt_auditors_list *l, struct mt_buf *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf payload = mt_buf_of_max(MT_POLICY_BYTES_MAX);
    struct mt_writer p = mt_writer_onto(&payload);
    struct mt_writer w = mt_writer_onto(out);
    mt_bytes bytes;
    mt_auditors_payload_write(&p, l);
    MT_TRY(mt_write_end(&p, &bytes));
    mt_auditors_write(&w, bytes, NULL, 0);
    return mt_write_end(&w, &bytes);
}

MT_ERR mt_auditors_list_sign(const struct mt_key *k, mt_bytes file, struct mt_auditors_list *list,
                             struct mt_buf *out)
{
    struct mt_auditor_signature s[MT_AUDITORS_MAX + 1];
    struct mt_writer w = mt_writer_onto(out);
    size_t count = 0;
    mt_bytes payload;
    mt_bytes bytes;
    MT_TRY(mt_auditors_parse(file, list, &payload, s, &count));
    MT_REQUIRE(count < MT_AUDITORS_MAX, MT_E_LIMIT, "a list has room for 16 signatures");
    for (size_t i = 0; i < count; i++) {
        MT_REQUIRE(!mt_bytes_equal(mt_spki_bytes(&s[i].key), mt_spki_bytes(mt_key_public(k))),
                   MT_E_CONFLICT, "this auditor has signed the list already");
    }
    s[count].key = *mt_key_public(k);
    MT_TRY(mt_auditors_sign(k, payload, s[count].signature));
    mt_auditors_write(&w, payload, s, count + 1);
    return mt_write_end(&w, &bytes);
}

MT_ERR mt_auditors_list_show(mt_bytes file, struct mt_auditors_list *list, size_t *signatures)
{
    struct mt_auditor_signature s[MT_AUDITORS_MAX];
    mt_bytes payload;
    return mt_auditors_parse(file, list, &payload, s, signatures);
}
