/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/attest.h"

#include "base/assert.h"
#include "wire/cbor.h"

enum { ATTEST_VERSION = 1, REQUEST_FIELDS = 4, ATTEST_FIELDS = 5 };
enum kind { KIND_REQUEST = 1, KIND_ATTEST = 2 };

static MT_ERR check_format(mt_bytes format)
{
    MT_REQUIRE(format.len > 0 && format.len <= MT_ATTEST_FORMAT_BYTES_MAX, MT_E_FORMAT,
               "ATTEST: the name of a format has 1 to 32 bytes");
    for (size_t i = 0; i < format.len; i++) {
        uint8_t c = format.ptr[i];
        MT_REQUIRE((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-', MT_E_FORMAT,
                   "ATTEST: the name of a format has letters, digits and '-' alone");
    }
    return MT_OK;
}

static MT_ERR check_request(const struct mt_attest_request *q)
{
    MT_REQUIRE(q->formats_count > 0, MT_E_FORMAT, "ATTEST: a request accepts no format");
    for (size_t i = 0; i < q->formats_count; i++) {
        MT_TRY(check_format(q->formats[i]));
        for (size_t j = 0; j < i; j++) {
            MT_REQUIRE(!mt_bytes_equal(q->formats[i], q->formats[j]), MT_E_FORMAT,
                       "ATTEST: a request names a format twice");
        }
    }
    return MT_OK;
}

static MT_ERR check_fields(const struct mt_attest *a)
{
    bool is_none = mt_bytes_equal(a->format, MT_LITERAL("none"));
    MT_TRY(check_format(a->format));
    MT_REQUIRE(a->evidence.len <= MT_EVIDENCE_BYTES_MAX, MT_E_LIMIT,
               "ATTEST: the evidence is too long");
    MT_REQUIRE(is_none == (a->evidence.len == 0), MT_E_FORMAT,
               "ATTEST: evidence is empty if, and only if, its format is none");
    MT_REQUIRE(!is_none || a->endorsements_count == 0, MT_E_FORMAT,
               "ATTEST: no evidence, and yet it is endorsed");
    return MT_OK;
}

static void write_head(struct mt_writer *w, uint64_t fields, enum kind kind)
{
    mt_cbor_write_array(w, fields);
    mt_cbor_write_uint(w, ATTEST_VERSION);
    mt_cbor_write_uint(w, (uint64_t)kind);
}

static MT_ERR read_head(struct mt_reader *r, uint64_t fields, enum kind kind)
{
    uint64_t count = 0;
    uint64_t version = 0;
    uint64_t number = 0;
    MT_TRY(mt_cbor_read_array(r, UINT64_MAX, &count));
    MT_TRY(mt_cbor_read_uint(r, &version));
    MT_REQUIRE(version == ATTEST_VERSION, MT_E_FORMAT, "ATTEST: another version");
    MT_TRY(mt_cbor_read_uint(r, &number));
    MT_REQUIRE(number == (uint64_t)kind, MT_E_FORMAT, "ATTEST: another message was due");
    MT_REQUIRE(count == fields, MT_E_FORMAT, "ATTEST: too many or too few fields");
    return MT_OK;
}

void mt_attest_request_write(struct mt_writer *w, const struct mt_attest_request *q)
{
    MT_ASSERT(q->formats_count <= MT_ATTEST_FORMATS_MAX);
    mt_write_err(w, check_request(q));
    write_head(w, REQUEST_FIELDS, KIND_REQUEST);
    mt_cbor_write_bytes(w, MT_BYTES_OF(q->nonce));
    mt_cbor_write_array(w, q->formats_count);
    for (size_t i = 0; i < q->formats_count; i++) {
        mt_cbor_write_text(w, q->formats[i]);
    }
}

MT_ERR mt_attest_request_parse(mt_bytes in, struct mt_attest_request *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_attest_request q = {.formats_count = 0};
    uint64_t count = 0;
    MT_TRY(read_head(&r, REQUEST_FIELDS, KIND_REQUEST));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){q.nonce, sizeof q.nonce}));
    MT_TRY(mt_cbor_read_array(&r, MT_ATTEST_FORMATS_MAX, &count));
    while (q.formats_count < count) {
        MT_TRY(mt_cbor_read_text(&r, &q.formats[q.formats_count]));
        q.formats_count++;
    }
    MT_TRY(mt_read_end(&r));
    MT_TRY(check_request(&q));
    *out = q;
    return MT_OK;
}

void mt_attest_fields_write(struct mt_writer *w, const struct mt_attest *a)
{
    MT_ASSERT(a->endorsements_count <= MT_ENDORSEMENTS_MAX);
    mt_write_err(w, check_fields(a));
    mt_cbor_write_text(w, a->format);
    mt_cbor_write_bytes(w, a->evidence);
    mt_cbor_write_array(w, a->endorsements_count);
    for (size_t i = 0; i < a->endorsements_count; i++) {
        mt_cbor_write_bytes(w, a->endorsements[i]);
    }
}

MT_ERR mt_attest_fields_read(struct mt_reader *r, struct mt_attest *out)
{
    struct mt_reader at = *r;
    struct mt_attest a = {.endorsements_count = 0};
    uint64_t count = 0;
    MT_TRY(mt_cbor_read_text(&at, &a.format));
    MT_TRY(mt_cbor_read_bytes(&at, &a.evidence));
    MT_TRY(mt_cbor_read_array(&at, MT_ENDORSEMENTS_MAX, &count));
    while (a.endorsements_count < count) {
        MT_TRY(mt_cbor_read_bytes(&at, &a.endorsements[a.endorsements_count]));
        a.endorsements_count++;
    }
    MT_TRY(check_fields(&a));
    *r = at;
    *out = a;
    return MT_OK;
}

void mt_attest_write(struct mt_writer *w, const struct mt_attest *a)
{
    write_head(w, ATTEST_FIELDS, KIND_ATTEST);
    mt_attest_fields_write(w, a);
}

MT_ERR mt_attest_parse(mt_bytes in, struct mt_attest *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_attest a;
    MT_TRY(read_head(&r, ATTEST_FIELDS, KIND_ATTEST));
    MT_TRY(mt_attest_fields_read(&r, &a));
    MT_TRY(mt_read_end(&r));
    *out = a;
    return MT_OK;
}

static MT_ERR check_length(uint64_t len)
{
    MT_REQUIRE(len > 0, MT_E_FORMAT, "ATTEST: an empty message");
    MT_REQUIRE(len <= MT_ATTEST_MESSAGE_BYTES_MAX, MT_E_LIMIT, "ATTEST: a message is too long");
    return MT_OK;
}

void mt_attest_frame_write(struct mt_writer *w, mt_bytes message)
{
    mt_write_err(w, check_length(message.len));
    mt_write_u32be(w, (uint32_t)message.len);
    mt_write_bytes(w, message);
}

MT_ERR mt_attest_frame_read(mt_bytes *in, mt_bytes *message, bool *is_whole)
{
    struct mt_reader r = mt_reader_over(*in);
    uint32_t len = 0;
    mt_bytes m;
    if (in->len < sizeof len) {
        *is_whole = false;
        return MT_OK;
    }
    MT_TRY(mt_read_u32be(&r, &len));
    MT_TRY(check_length(len));
    if (r.rest.len < len) {
        *is_whole = false;
        return MT_OK;
    }
    MT_TRY(mt_read_bytes(&r, len, &m));
    *in = r.rest;
    *message = m;
    *is_whole = true;
    return MT_OK;
}
