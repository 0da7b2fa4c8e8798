/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/inside.h"
#include "crypto/x509_plain.h"

struct mt_x509 {
    X509 *x;                    /* NULL if it is plain: */
    struct mt_x509_plain plain; /* borrows from `der` */
    struct mt_pubkey *key;
    uint8_t *der;
    size_t len;
};

void mt_x509_free(struct mt_x509 **c)
{
    if (*c != NULL) {
        X509_free((*c)->x);
        mt_pubkey_free(&(*c)->key);
        free((*c)->der);
        free(*c);
        *c = NULL;
    }
}

/* OpenSSL reads some encodings that are not DER; what it would write itself is. */
static bool is_reencoded(const X509 *x, mt_bytes der)
{
    unsigned char *again = NULL;
    int len = i2d_X509(x, &again);
    bool is_same = len > 0 && mt_bytes_equal((mt_bytes){again, (size_t)len}, der);
    OPENSSL_free(again);
    return is_same;
}

static MT_ERR key_of(const X509 *x, struct mt_pubkey **out)
{
    unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
    MT_REQUIRE(len > 0, MT_E_FORMAT, "a certificate has no key");
    mt_err e = mt_pubkey_parse((mt_bytes){spki, (size_t)len}, out);
    OPENSSL_free(spki);
    return e;
}

static MT_ERR read_native(mt_bytes der, X509 **out)
{
    const uint8_t *at = der.ptr;
    X509 *x = X509_new_ex(mt_crypto.lib, NULL);
    MT_REQUIRE(x != NULL, MT_E_NOMEM, "no memory for a certificate");
    bool is_read = d2i_X509(&x, &at, (long)der.len) != NULL; /* frees it when it is malformed */
    bool is_whole = is_read && at == der.ptr + der.len && is_reencoded(x, der);
    if (is_read && !is_whole) {
        X509_free(x);
    }
    MT_REQUIRE(is_whole, MT_E_FORMAT,
               "a certificate is malformed, not in DER, or something follows it");
    *out = x;
    return MT_OK;
}

MT_ERR mt_x509_parse(mt_bytes der, struct mt_x509 **out)
{
    MT_REQUIRE(der.len > 0 && der.len <= MT_X509_BYTES_MAX, MT_E_FORMAT,
               "a certificate is empty or too long");
    MT_DEFER(mt_x509_free) struct mt_x509 *c = calloc(1, sizeof *c);
    MT_REQUIRE(c != NULL, MT_E_NOMEM, "no memory for a certificate");
    c->der = malloc(der.len);
    MT_REQUIRE(c->der != NULL, MT_E_NOMEM, "no memory for a certificate");
    memcpy(c->der, der.ptr, der.len);
    c->len = der.len;
    if (!mt_failed(mt_x509_plain_read(mt_x509_der(c), &c->plain))) {
        MT_TRY(mt_pubkey_parse(c->plain.spki, &c->key));
    } else {
        MT_TRY(read_native(der, &c->x));
        MT_TRY(key_of(c->x, &c->key));
    }
    *out = c;
    c = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_x509_native(const struct mt_x509 *c, X509 **out)
{
    if (c->x == NULL) {
        return read_native(mt_x509_der(c), out);
    }
    MT_REQUIRE(X509_up_ref(c->x) == 1, MT_E_INTERNAL, "OpenSSL does not share a certificate");
    *out = c->x;
    return MT_OK;
}

const struct mt_x509_plain *mt_x509_plain_of(const struct mt_x509 *c)
{
    return c->x == NULL ? &c->plain : NULL;
}

mt_bytes mt_x509_der(const struct mt_x509 *c)
{
    return (mt_bytes){c->der, c->len};
}

const struct mt_pubkey *mt_x509_key(const struct mt_x509 *c)
{
    return c->key;
}

bool mt_x509_equal(const struct mt_x509 *a, const struct mt_x509 *b)
{
    return mt_bytes_equal(mt_x509_der(a), mt_x509_der(b));
}

static mt_bytes bytes_of_string(const ASN1_STRING *s)
{
    return (mt_bytes){ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)};
}

mt_bytes mt_x509_serial(const struct mt_x509 *c)
{
    mt_bytes serial =
        c->x == NULL ? c->plain.serial : bytes_of_string(X509_get0_serialNumber(c->x));
    while (serial.len > 0 && serial.ptr[0] == 0) {
        serial = (mt_bytes){serial.ptr + 1, serial.len - 1};
    }
    return serial;
}

static MT_ERR name_of(const X509_NAME *name, mt_bytes *out)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    MT_REQUIRE(at >= 0, MT_E_FORMAT, "a certificate names nobody");
    MT_REQUIRE(X509_NAME_get_index_by_NID(name, NID_commonName, at) < 0, MT_E_FORMAT,
               "a certificate has two common names");
    *out = bytes_of_string(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    return MT_OK;
}

MT_ERR mt_x509_subject_name(const struct mt_x509 *c, mt_bytes *out)
{
    if (c->x == NULL) {
        *out = c->plain.subject_name;
        return MT_OK;
    }
    return name_of(X509_get_subject_name(c->x), out);
}

MT_ERR mt_x509_issuer_name(const struct mt_x509 *c, mt_bytes *out)
{
    if (c->x == NULL) {
        *out = c->plain.issuer_name;
        return MT_OK;
    }
    return name_of(X509_get_issuer_name(c->x), out);
}

MT_ERR mt_x509_extension(const struct mt_x509 *c, const char *oid, mt_bytes *out)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    MT_REQUIRE(object != NULL, MT_E_NOMEM, "no memory for an object identifier");
    if (c->x == NULL) {
        const mt_bytes id = {OBJ_get0_data(object), OBJ_length(object)};
        mt_err e = mt_x509_plain_extension(&c->plain, id, out);
        ASN1_OBJECT_free(object);
        return e;
    }
    int at = X509_get_ext_by_OBJ(c->x, object, -1);
    int again = at >= 0 ? X509_get_ext_by_OBJ(c->x, object, at) : -1;
    ASN1_OBJECT_free(object);
    MT_REQUIRE(at >= 0, MT_E_NOTFOUND, "a certificate lacks an extension");
    MT_REQUIRE(again < 0, MT_E_FORMAT, "a certificate has an extension twice");
    *out = bytes_of_string(X509_EXTENSION_get_data(X509_get_ext(c->x, at)));
    return MT_OK;
}

/* ASN.1 times have years before 1970 too: those count as 0, which is earlier than any now. */
MT_ERR mt_x509_ms_of_time(const ASN1_TIME *t, uint64_t *out)
{
    enum { DAY_S = 24 * 60 * 60 };
    int days = 0;
    int seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    MT_REQUIRE(epoch != NULL, MT_E_NOMEM, "no memory for a time");
    int rc = ASN1_TIME_diff(&days, &seconds, epoch, t);
    ASN1_TIME_free(epoch);
    MT_REQUIRE(rc == 1, MT_E_FORMAT, "a certificate's time is malformed");
    int64_t s = (int64_t)days * DAY_S + seconds;
    *out = s > 0 ? (uint64_t)s * 1000 : 0;
    return MT_OK;
}

MT_ERR mt_x509_validity(const struct mt_x509 *c, struct mt_x509_validity *out)
{
    struct mt_x509_validity v = {c->plain.from_ms, c->plain.until_ms};
    if (c->x == NULL) {
        *out = v;
        return MT_OK;
    }
    MT_TRY(mt_x509_ms_of_time(X509_get0_notBefore(c->x), &v.not_before_ms));
    MT_TRY(mt_x509_ms_of_time(X509_get0_notAfter(c->x), &v.not_after_ms));
    *out = v;
    return MT_OK;
}

MT_ERR mt_x509_chain_add(struct mt_x509_chain *chain, mt_bytes der)
{
    MT_REQUIRE(chain->count < MT_X509_CHAIN_MAX, MT_E_FORMAT, "a chain has too many certificates");
    MT_TRY(mt_x509_parse(der, &chain->certs[chain->count]));
    chain->count++;
    return MT_OK;
}

void mt_x509_chain_free(struct mt_x509_chain *c)
{
    for (size_t i = 0; i < c->count; i++) {
        mt_x509_free(&c->certs[i]);
    }
    c->count = 0;
}

/* Without its end, which is \n, \r\n, or where the text ends. */
static mt_bytes take_line(struct mt_reader *r)
{
    const uint8_t *end = r->rest.len > 0 ? memchr(r->rest.ptr, '\n', r->rest.len) : NULL;
    size_t len = end != NULL ? (size_t)(end - r->rest.ptr) : r->rest.len;
    mt_bytes line = {r->rest.ptr, len};
    size_t used = end != NULL ? len + 1 : len;
    r->rest = (mt_bytes){r->rest.ptr + used, r->rest.len - used};
    if (end != NULL && line.len > 0 && line.ptr[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

/* Padding bits that say nothing, and spaces that OpenSSL skips, would be a second text for the same
 * bytes. */
static MT_ERR add_base64(struct mt_x509_chain *chain, mt_bytes text)
{
    MT_DEFER(mt_buf_free) struct mt_buf der = mt_buf_of_max(MT_X509_BYTES_MAX + 4);
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max(text.len + 1);
    mt_span room;
    mt_span room_again;
    MT_REQUIRE(text.len > 0 && text.len % 4 == 0, MT_E_FORMAT, "PEM: not base64");
    MT_TRY(mt_buf_reserve(&der, text.len / 4 * 3, &room));
    MT_TRY(mt_buf_reserve(&again, text.len + 1, &room_again));
    int len = EVP_DecodeBlock(room.ptr, text.ptr, (int)text.len);
    MT_REQUIRE(len == (int)(text.len / 4 * 3), MT_E_FORMAT, "PEM: not base64");
    len -= text.ptr[text.len - 1] == '=' ? 1 : 0;
    len -= text.ptr[text.len - 2] == '=' ? 1 : 0;
    int len_again = EVP_EncodeBlock(room_again.ptr, room.ptr, len);
    MT_REQUIRE(mt_bytes_equal((mt_bytes){room_again.ptr, (size_t)len_again}, text), MT_E_FORMAT,
               "PEM: base64 is not canonical");
    return mt_x509_chain_add(chain, (mt_bytes){room.ptr, (size_t)len});
}

static MT_ERR add_pem(struct mt_x509_chain *chain, struct mt_reader *r)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(MT_X509_BYTES_MAX / 3 * 4 + 4);
    MT_REQUIRE(mt_bytes_equal(take_line(r), MT_LITERAL("-----BEGIN CERTIFICATE-----")), MT_E_FORMAT,
               "PEM: no certificate begins");
    for (;;) {
        MT_REQUIRE(r->rest.len > 0, MT_E_FORMAT, "PEM: a certificate does not end");
        mt_bytes line = take_line(r);
        if (mt_bytes_equal(line, MT_LITERAL("-----END CERTIFICATE-----"))) {
            return add_base64(chain, mt_buf_bytes(&text));
        }
        MT_REQUIRE(line.len > 0, MT_E_FORMAT, "PEM: an empty line inside a certificate");
        mt_err e = mt_buf_append(&text, line);
        MT_REQUIRE(!mt_failed(e) || e.fault->code != MT_E_LIMIT, MT_E_FORMAT,
                   "PEM: a certificate is too long");
        MT_TRY(e);
    }
}

static bool is_blank(mt_bytes rest)
{
    struct mt_reader r = mt_reader_over(rest);
    while (r.rest.len > 0) {
        if (take_line(&r).len > 0) {
            return false;
        }
    }
    return true;
}

static MT_ERR parse_chain(mt_bytes pem, struct mt_x509_chain *out)
{
    struct mt_reader r = mt_reader_over(pem);
    if (pem.len > 0 && pem.ptr[pem.len - 1] == 0) {
        r.rest.len--;
    }
    do {
        MT_TRY(add_pem(out, &r));
    } while (!is_blank(r.rest));
    return MT_OK;
}

MT_ERR mt_x509_chain_parse(mt_bytes pem, struct mt_x509_chain *out)
{
    out->count = 0;
    mt_err e = parse_chain(pem, out);
    if (mt_failed(e)) {
        mt_x509_chain_free(out);
    }
    return e;
}
