/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509_plain.h"

#include <string.h>

#include "base/limits.h"
#include "base/time.h"
#include "crypto/der.h"

enum { CONTEXT_0 = 0xa0, CONTEXT_3 = 0xa3, PRIMITIVE_0 = 0x80, URI = 0x86, ID_MAX = 32 };
enum { UTF8 = 0x0c, PRINTABLE = 0x13, IA5 = 0x16 };
enum { EXTENSIONS_MAX = 32, NAME_PARTS_MAX = 16, SERIAL_LEN_MAX = 21 };

/* The whole AlgorithmIdentifier: of parameters, only these. */
static const uint8_t ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t ecdsa_sha384[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
/* RFC 4055: SHA-384 twice, a salt of 48 bytes; and again with the trailer that is the default, as
 * AMD writes it. */
static const uint8_t pss_sha384[] = {
    0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30,
    0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
    0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
    0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30};
static const uint8_t pss_sha384_amd[] = {
    0x30, 0x46, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x39,
    0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
    0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
    0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
    0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30, 0xa3, 0x03, 0x02, 0x01, 0x01};

static const struct {
    mt_bytes algorithm;
    enum mt_scheme scheme;
} algorithms[] = {
    {{ecdsa_sha256, sizeof ecdsa_sha256}, MT_ECDSA_P256_SHA256},
    {{ecdsa_sha384, sizeof ecdsa_sha384}, MT_ECDSA_P384_SHA384},
    {{pss_sha384, sizeof pss_sha384}, MT_RSA_PSS_SHA384},
    {{pss_sha384_amd, sizeof pss_sha384_amd}, MT_RSA_PSS_SHA384},
};

static const uint8_t version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};
static const uint8_t version_2[] = {0x02, 0x01, 0x01}; /* of a list */
static const uint8_t is_true[] = {0x01, 0x01, 0xff};
static const uint8_t reason_head[] = {0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
                                      0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};
enum { REASON_MAX = 10 };

/* Intel's 1.2.840.113741.1.13.1 and AMD's 1.3.6.1.4.1.3704.1: whoever looks for them reads them. */
static const uint8_t intel_own[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
static const uint8_t amd_own[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01};

/* id-ce, 2.5.29.N */
static const uint8_t common[] = {0x55, 0x1d};
enum {
    SUBJECT_KEY_ID = 14,
    KEY_USAGE = 15,
    BASIC_CONSTRAINTS = 19,
    CRL_NUMBER = 20,
    CRL_PLACES = 31,
    AUTHORITY_KEY_ID = 35,
};

static bool take(struct mt_reader *r, mt_bytes start)
{
    bool is_there = mt_bytes_start_with(r->rest, start);
    if (is_there) {
        r->rest = (mt_bytes){r->rest.ptr + start.len, r->rest.len - start.len};
    }
    return is_there;
}

static MT_ERR scheme_of(mt_bytes algorithm, enum mt_scheme *out)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        if (mt_bytes_equal(algorithm, algorithms[i].algorithm)) {
            *out = algorithms[i].scheme;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_FORMAT, "not plain: another algorithm");
}

/* What is signed, how, and the signature: certificates and lists have the same frame. */
static MT_ERR read_signed(mt_bytes der, mt_bytes *tbs, mt_bytes *algorithm, mt_bytes *signature)
{
    struct mt_reader whole = mt_reader_over(der);
    mt_bytes all;
    MT_TRY(mt_der_read_tagged(&whole, MT_DER_SEQUENCE, &all));
    MT_TRY(mt_read_end(&whole));
    struct mt_reader r = mt_reader_over(all);
    MT_TRY(mt_der_read_whole(&r, MT_DER_SEQUENCE, tbs));
    MT_TRY(mt_der_read_whole(&r, MT_DER_SEQUENCE, algorithm));
    MT_TRY(mt_der_read_bits(&r, signature));
    return mt_read_end(&r);
}

/* RFC 5280: "the same algorithm identifier as the signatureAlgorithm field", byte for byte. */
static MT_ERR read_same_algorithm(struct mt_reader *r, mt_bytes outer, enum mt_scheme *out)
{
    mt_bytes inner;
    MT_TRY(mt_der_read_whole(r, MT_DER_SEQUENCE, &inner));
    MT_REQUIRE(mt_bytes_equal(inner, outer), MT_E_FORMAT, "not plain: two algorithms");
    return scheme_of(inner, out);
}

/* Without spaces that comparing skips: at an end, or behind another. */
static bool is_plain_text(uint8_t tag, mt_bytes text)
{
    bool is_plain = (tag == UTF8 || tag == PRINTABLE || tag == IA5) && text.len > 0;
    uint8_t before = ' ';
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        is_plain = is_plain && c >= ' ' && c <= '~' && (c != ' ' || before != ' ');
        before = c;
    }
    return is_plain && before != ' ';
}

/* What differs only in the case of letters or the type of a text becomes the same; of what is no
 * text, such as lengths, too much does. */
static uint8_t fold(uint8_t c)
{
    if (c == PRINTABLE || c == IA5) {
        return UTF8;
    }
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

bool mt_x509_plain_is_alike(mt_bytes a, mt_bytes b)
{
    bool is_alike = a.len == b.len;
    for (size_t i = 0; is_alike && i < a.len; i++) {
        is_alike = fold(a.ptr[i]) == fold(b.ptr[i]);
    }
    return is_alike;
}

/* One part in each set, and one common name among them. */
static MT_ERR read_name(struct mt_reader *r, mt_bytes *whole, mt_bytes *common_name)
{
    static const uint8_t id[] = {0x55, 0x04, 0x03};
    mt_bytes sets;
    mt_bytes found = {NULL, 0};
    struct mt_reader again = *r;
    MT_TRY(mt_der_read_whole(r, MT_DER_SEQUENCE, whole));
    MT_TRY(mt_der_read_tagged(&again, MT_DER_SEQUENCE, &sets));
    struct mt_reader in = mt_reader_over(sets);
    for (size_t i = 0; in.rest.len > 0; i++) {
        mt_bytes set;
        mt_bytes part;
        mt_bytes type;
        mt_bytes text;
        uint8_t tag = 0;
        MT_REQUIRE(i < NAME_PARTS_MAX, MT_E_FORMAT, "not plain: a long name");
        MT_TRY(mt_der_read_tagged(&in, MT_DER_SET, &set));
        struct mt_reader of_set = mt_reader_over(set);
        MT_TRY(mt_der_read_tagged(&of_set, MT_DER_SEQUENCE, &part));
        MT_TRY(mt_read_end(&of_set));
        struct mt_reader of_part = mt_reader_over(part);
        MT_TRY(mt_der_read_object_id(&of_part, &type));
        MT_TRY(mt_der_read(&of_part, &tag, &text));
        MT_TRY(mt_read_end(&of_part));
        MT_REQUIRE(type.len == sizeof id && type.ptr[0] == id[0] && type.ptr[1] == id[1] &&
                       is_plain_text(tag, text),
                   MT_E_FORMAT, "not plain: a name with strange parts");
        if (mt_bytes_equal(type, MT_BYTES_OF(id))) {
            MT_REQUIRE(found.ptr == NULL, MT_E_FORMAT, "not plain: two common names");
            found = text;
        }
    }
    MT_REQUIRE(found.ptr != NULL, MT_E_FORMAT, "not plain: no common name");
    *common_name = found;
    return MT_OK;
}

/* 250206232551Z until 2049, 20500206232551Z after: RFC 5280, 4.1.2.5. As text of ours. */
static MT_ERR read_time(struct mt_reader *r, uint64_t *ms)
{
    static const uint8_t separators[] = {0, '-', '-', 'T', ':', ':', 'Z'};
    enum { SHORT = 13, LONG = 15 };
    uint8_t text[MT_TIME_TEXT_LEN] = {'2', '0'};
    uint8_t tag = 0;
    mt_bytes t;
    MT_TRY(mt_der_read(r, &tag, &t));
    bool is_short = tag == MT_DER_UTC_TIME && t.len == SHORT;
    MT_REQUIRE(is_short || (tag == MT_DER_TIME && t.len == LONG), MT_E_FORMAT,
               "not plain: a strange time");
    if (is_short && t.ptr[0] >= '5') { /* 50 to 99 */
        text[0] = '1';
        text[1] = '9';
    } else if (!is_short) {
        memcpy(text, t.ptr, 2);
    }
    const uint8_t *from = is_short ? t.ptr : t.ptr + 2;
    MT_REQUIRE(from[SHORT - 1] == 'Z', MT_E_FORMAT, "not plain: a time of some zone");
    for (size_t i = 0, at = 2; i < 6; i++) { /* year, month, day, hour, minute, second */
        text[at] = from[2 * i];
        text[at + 1] = from[2 * i + 1];
        text[at + 2] = separators[i + 1];
        at += 3;
    }
    return mt_time_parse(MT_BYTES_OF(text), ms);
}

static MT_ERR read_serial(struct mt_reader *r, mt_bytes *out)
{
    MT_TRY(mt_der_read_integer(r, out));
    MT_REQUIRE(out->len <= SERIAL_LEN_MAX, MT_E_FORMAT, "not plain: a long serial number");
    return MT_OK;
}

struct extension {
    mt_bytes oid;
    bool is_critical;
    mt_bytes value;
};

static MT_ERR read_extension(struct mt_reader *r, struct extension *out)
{
    mt_bytes all;
    MT_TRY(mt_der_read_tagged(r, MT_DER_SEQUENCE, &all));
    struct mt_reader in = mt_reader_over(all);
    MT_TRY(mt_der_read_object_id(&in, &out->oid));
    out->is_critical = take(&in, MT_BYTES_OF(is_true));
    MT_TRY(mt_der_read_tagged(&in, MT_DER_OCTETS, &out->value));
    return mt_read_end(&in);
}

/* The number of a common extension, -1 of others. */
static int number_of(const struct extension *e)
{
    bool is_common =
        e->oid.len == sizeof common + 1 && mt_bytes_start_with(e->oid, MT_BYTES_OF(common));
    return is_common ? e->oid.ptr[sizeof common] : -1;
}

static MT_ERR take_constraints(mt_bytes value, struct mt_x509_plain *c)
{
    struct mt_reader whole = mt_reader_over(value);
    mt_bytes all;
    mt_bytes max = {NULL, 0};
    MT_TRY(mt_der_read_tagged(&whole, MT_DER_SEQUENCE, &all));
    MT_TRY(mt_read_end(&whole));
    struct mt_reader r = mt_reader_over(all);
    c->is_ca = take(&r, MT_BYTES_OF(is_true));
    if (c->is_ca && r.rest.len > 0) {
        MT_TRY(mt_der_read_integer(&r, &max));
        MT_REQUIRE(max.len == 1, MT_E_FORMAT, "not plain: a long path");
        c->has_below_max = true;
        c->below_max = max.ptr[0];
    }
    return mt_read_end(&r);
}

/* A BIT STRING of one byte; bits that are not used are 0. */
static MT_ERR take_usage(mt_bytes value, struct mt_x509_plain *c)
{
    bool is_byte = value.len == 4 && value.ptr[0] == MT_DER_BIT_STRING && value.ptr[1] == 2 &&
                   value.ptr[2] < 8 && value.ptr[3] != 0 &&
                   (value.ptr[3] & ((1U << value.ptr[2]) - 1)) == 0;
    MT_REQUIRE(is_byte, MT_E_FORMAT, "not plain: a strange key usage");
    c->usage = value.ptr[3];
    return MT_OK;
}

static MT_ERR read_id(struct mt_reader *r, uint8_t tag, mt_bytes *out)
{
    MT_TRY(mt_der_read_tagged(r, tag, out));
    MT_REQUIRE(out->len > 0 && out->len <= ID_MAX, MT_E_FORMAT, "not plain: a key's name is long");
    return mt_read_end(r);
}

/* By the key's name alone; an issuer's name and number are not plain. */
static MT_ERR take_authority_id(mt_bytes value, mt_bytes *out)
{
    struct mt_reader whole = mt_reader_over(value);
    mt_bytes all;
    MT_TRY(mt_der_read_tagged(&whole, MT_DER_SEQUENCE, &all));
    MT_TRY(mt_read_end(&whole));
    struct mt_reader r = mt_reader_over(all);
    return read_id(&r, PRIMITIVE_0, out);
}

/* One place, by its address: a list of certain reasons, or of another issuer, is not plain. */
static MT_ERR check_places(mt_bytes value)
{
    static const uint8_t tags[] = {MT_DER_SEQUENCE, MT_DER_SEQUENCE, CONTEXT_0, CONTEXT_0, URI};
    for (size_t i = 0; i < sizeof tags; i++) {
        struct mt_reader r = mt_reader_over(value);
        MT_TRY(mt_der_read_tagged(&r, tags[i], &value));
        MT_TRY(mt_read_end(&r));
    }
    MT_REQUIRE(is_plain_text(IA5, value), MT_E_FORMAT, "not plain: a strange address");
    return MT_OK;
}

static MT_ERR take_common(const struct extension *e, struct mt_x509_plain *c)
{
    int number = number_of(e);
    MT_REQUIRE(!e->is_critical || number == BASIC_CONSTRAINTS || number == KEY_USAGE, MT_E_FORMAT,
               "not plain: a critical extension");
    struct mt_reader r = mt_reader_over(e->value);
    switch (number) {
    case SUBJECT_KEY_ID:
        return read_id(&r, MT_DER_OCTETS, &c->key_id);
    case KEY_USAGE:
        return take_usage(e->value, c);
    case BASIC_CONSTRAINTS:
        return take_constraints(e->value, c);
    case CRL_PLACES:
        return check_places(e->value);
    case AUTHORITY_KEY_ID:
        return take_authority_id(e->value, &c->authority_id);
    default:
        break;
    }
    bool is_own = mt_bytes_equal(e->oid, MT_BYTES_OF(intel_own)) ||
                  mt_bytes_start_with(e->oid, MT_BYTES_OF(amd_own));
    MT_REQUIRE(is_own, MT_E_FORMAT, "not plain: an unknown extension");
    return MT_OK;
}

MT_ERR mt_x509_plain_extension(const struct mt_x509_plain *c, mt_bytes oid, mt_bytes *out)
{
    struct mt_reader r = mt_reader_over(c->extensions);
    while (r.rest.len > 0) {
        struct extension e;
        MT_TRY(read_extension(&r, &e));
        if (mt_bytes_equal(e.oid, oid)) {
            *out = e.value;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_NOTFOUND, "a certificate lacks an extension");
}

static bool is_twice(const mt_bytes *oids, size_t count, mt_bytes oid)
{
    for (size_t i = 0; i < count; i++) {
        if (mt_bytes_equal(oids[i], oid)) {
            return true;
        }
    }
    return false;
}

/* [3] or, of a list, [0]: a SEQUENCE that is not empty. */
static MT_ERR open_extensions(struct mt_reader *r, uint8_t tag, mt_bytes *out)
{
    mt_bytes explicit;
    mt_bytes all;
    MT_TRY(mt_der_read_tagged(r, tag, &explicit));
    struct mt_reader in = mt_reader_over(explicit);
    MT_TRY(mt_der_read_tagged(&in, MT_DER_SEQUENCE, &all));
    MT_TRY(mt_read_end(&in));
    MT_REQUIRE(all.len > 0, MT_E_FORMAT, "not plain: no extensions where some begin");
    *out = all;
    return MT_OK;
}

static MT_ERR read_extensions(struct mt_reader *r, struct mt_x509_plain *c)
{
    mt_bytes oids[EXTENSIONS_MAX];
    size_t count = 0;
    if (r->rest.len == 0) {
        return MT_OK;
    }
    MT_TRY(open_extensions(r, CONTEXT_3, &c->extensions));
    struct mt_reader in = mt_reader_over(c->extensions);
    while (in.rest.len > 0) {
        struct extension e;
        MT_TRY(read_extension(&in, &e));
        MT_REQUIRE(count < EXTENSIONS_MAX && !is_twice(oids, count, e.oid), MT_E_FORMAT,
                   "not plain: an extension twice, or very many");
        oids[count++] = e.oid;
        MT_TRY(take_common(&e, c));
    }
    return MT_OK;
}

static MT_ERR read_certificate(mt_bytes der, struct mt_x509_plain *c)
{
    mt_bytes all;
    mt_bytes times;
    mt_bytes algorithm;
    MT_TRY(read_signed(der, &c->tbs, &algorithm, &c->signature));
    struct mt_reader whole = mt_reader_over(c->tbs);
    MT_TRY(mt_der_read_tagged(&whole, MT_DER_SEQUENCE, &all));
    struct mt_reader r = mt_reader_over(all);
    MT_REQUIRE(take(&r, MT_BYTES_OF(version_3)), MT_E_FORMAT, "not plain: another version");
    MT_TRY(read_serial(&r, &c->serial));
    MT_TRY(read_same_algorithm(&r, algorithm, &c->scheme));
    MT_TRY(read_name(&r, &c->issuer, &c->issuer_name));
    MT_TRY(mt_der_read_tagged(&r, MT_DER_SEQUENCE, &times));
    MT_TRY(read_name(&r, &c->subject, &c->subject_name));
    MT_TRY(mt_der_read_whole(&r, MT_DER_SEQUENCE, &c->spki));
    MT_TRY(read_extensions(&r, c));
    MT_TRY(mt_read_end(&r));
    struct mt_reader of_times = mt_reader_over(times);
    MT_TRY(read_time(&of_times, &c->from_ms));
    MT_TRY(read_time(&of_times, &c->until_ms));
    return mt_read_end(&of_times);
}

MT_ERR mt_x509_plain_read(mt_bytes der, struct mt_x509_plain *out)
{
    struct mt_x509_plain c = {.is_ca = false};
    MT_TRY(read_certificate(der, &c));
    *out = c;
    return MT_OK;
}

/* Serial number, when, and at most why: an entry of another issuer, or a critical word, is not
 * plain. */
static MT_ERR read_entry(struct mt_reader *r, mt_bytes *serial)
{
    mt_bytes all;
    uint64_t when_ms = 0;
    MT_TRY(mt_der_read_tagged(r, MT_DER_SEQUENCE, &all));
    struct mt_reader in = mt_reader_over(all);
    MT_TRY(read_serial(&in, serial));
    MT_TRY(read_time(&in, &when_ms));
    if (take(&in, MT_BYTES_OF(reason_head))) {
        uint8_t reason = 0;
        MT_TRY(mt_read_u8(&in, &reason));
        MT_REQUIRE(reason <= REASON_MAX, MT_E_FORMAT, "not plain: a strange reason");
    }
    return mt_read_end(&in);
}

static MT_ERR read_entries(struct mt_reader *r, mt_bytes *out)
{
    mt_bytes serial;
    if (!mt_der_is_next(r, MT_DER_SEQUENCE)) {
        return MT_OK;
    }
    MT_TRY(mt_der_read_tagged(r, MT_DER_SEQUENCE, out));
    struct mt_reader in = mt_reader_over(*out);
    while (in.rest.len > 0) {
        MT_TRY(read_entry(&in, &serial));
    }
    return MT_OK;
}

/* A number and the issuer's key, each once. */
static MT_ERR read_list_extensions(struct mt_reader *r, struct mt_x509_plain_list *l)
{
    mt_bytes all;
    mt_bytes number = {NULL, 0};
    if (r->rest.len == 0) {
        return MT_OK;
    }
    MT_TRY(open_extensions(r, CONTEXT_0, &all));
    struct mt_reader in = mt_reader_over(all);
    while (in.rest.len > 0) {
        struct extension e;
        MT_TRY(read_extension(&in, &e));
        MT_REQUIRE(!e.is_critical, MT_E_FORMAT, "not plain: a critical extension");
        if (number_of(&e) == CRL_NUMBER && number.ptr == NULL) {
            struct mt_reader of_number = mt_reader_over(e.value);
            MT_TRY(read_serial(&of_number, &number));
            MT_TRY(mt_read_end(&of_number));
        } else {
            MT_REQUIRE(number_of(&e) == AUTHORITY_KEY_ID && l->authority_id.ptr == NULL,
                       MT_E_FORMAT, "not plain: an unknown extension, or one twice");
            MT_TRY(take_authority_id(e.value, &l->authority_id));
        }
    }
    return MT_OK;
}

static MT_ERR read_list(mt_bytes der, struct mt_x509_plain_list *l)
{
    mt_bytes all;
    mt_bytes name;
    mt_bytes algorithm;
    MT_TRY(read_signed(der, &l->tbs, &algorithm, &l->signature));
    struct mt_reader whole = mt_reader_over(l->tbs);
    MT_TRY(mt_der_read_tagged(&whole, MT_DER_SEQUENCE, &all));
    struct mt_reader r = mt_reader_over(all);
    MT_REQUIRE(take(&r, MT_BYTES_OF(version_2)), MT_E_FORMAT, "not plain: another version");
    MT_TRY(read_same_algorithm(&r, algorithm, &l->scheme));
    MT_TRY(read_name(&r, &l->issuer, &name));
    MT_TRY(read_time(&r, &l->from_ms));
    MT_TRY(read_time(&r, &l->until_ms)); /* a list that is good for ever has none */
    MT_TRY(read_entries(&r, &l->revoked));
    MT_TRY(read_list_extensions(&r, l));
    return mt_read_end(&r);
}

MT_ERR mt_x509_plain_list_read(mt_bytes der, struct mt_x509_plain_list *out)
{
    struct mt_x509_plain_list l = {.from_ms = 0};
    MT_TRY(read_list(der, &l));
    *out = l;
    return MT_OK;
}

bool mt_x509_plain_list_has(const struct mt_x509_plain_list *l, mt_bytes serial)
{
    struct mt_reader r = mt_reader_over(l->revoked);
    while (r.rest.len > 0) {
        mt_bytes found;
        if (mt_failed(read_entry(&r, &found)) || mt_bytes_equal(found, serial)) {
            return true;
        }
    }
    return false;
}
