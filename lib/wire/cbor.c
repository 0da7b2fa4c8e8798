/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cbor.h"

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"

/* RFC 8949, 3: the three high bits of a head. */
enum major {
    MAJOR_UINT,
    MAJOR_NEGATIVE,
    MAJOR_BYTES,
    MAJOR_TEXT,
    MAJOR_ARRAY,
    MAJOR_MAP,
    MAJOR_TAG,
    MAJOR_SIMPLE,
};

enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22, SIMPLE_UNDEFINED = 23 };
enum { INFO_U8 = 24, INFO_U16, INFO_U32, INFO_U64, INFO_INDEFINITE = 31 };
enum { TAG_BIGNUM = 2, TAG_NEGATIVE_BIGNUM = 3 };

struct head {
    enum major major;
    uint64_t value; /* the argument; of a simple value, its number */
};

/* As one piece: heads are most of what is written. */
static void write_head(struct mt_writer *w, enum major major, uint64_t value)
{
    uint8_t head[1 + 8];
    unsigned high = (unsigned)major << 5;
    unsigned info = value <= UINT8_MAX    ? INFO_U8
                    : value <= UINT16_MAX ? INFO_U16
                    : value <= UINT32_MAX ? INFO_U32
                                          : INFO_U64;
    if (value < INFO_U8) {
        mt_write_u8(w, (uint8_t)(high | (unsigned)value));
        return;
    }
    size_t len = (size_t)1 << (info - INFO_U8);
    head[0] = (uint8_t)(high | info);
    for (size_t i = 0; i < len; i++) {
        head[1 + i] = (uint8_t)(value >> (8 * (len - 1 - i)));
    }
    mt_write_bytes(w, (mt_bytes){head, 1 + len});
}

void mt_cbor_write_uint(struct mt_writer *w, uint64_t value)
{
    write_head(w, MAJOR_UINT, value);
}

void mt_cbor_write_int(struct mt_writer *w, int64_t value)
{
    if (value < 0) {
        write_head(w, MAJOR_NEGATIVE, ~(uint64_t)value); /* -1 - value, without overflow */
    } else {
        write_head(w, MAJOR_UINT, (uint64_t)value);
    }
}

void mt_cbor_write_bytes(struct mt_writer *w, mt_bytes bytes)
{
    write_head(w, MAJOR_BYTES, bytes.len);
    mt_write_bytes(w, bytes);
}

static MT_ERR check_text(mt_bytes text)
{
    MT_REQUIRE(mt_utf8_is_valid(text), MT_E_FORMAT, "CBOR: text is not UTF-8");
    return MT_OK;
}

void mt_cbor_write_text(struct mt_writer *w, mt_bytes text)
{
    mt_write_err(w, check_text(text)); /* else no reader would take it */
    write_head(w, MAJOR_TEXT, text.len);
    mt_write_bytes(w, text);
}

void mt_cbor_write_array(struct mt_writer *w, uint64_t count)
{
    write_head(w, MAJOR_ARRAY, count);
}

void mt_cbor_write_map(struct mt_writer *w, uint64_t count)
{
    write_head(w, MAJOR_MAP, count);
}

void mt_cbor_write_tag(struct mt_writer *w, uint64_t tag)
{
    write_head(w, MAJOR_TAG, tag);
}

void mt_cbor_write_bool(struct mt_writer *w, bool value)
{
    write_head(w, MAJOR_SIMPLE, value ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void mt_cbor_write_null(struct mt_writer *w)
{
    write_head(w, MAJOR_SIMPLE, SIMPLE_NULL);
}

/* RFC 8949, 4.2.1: "0 to 23 ... MUST be expressed in the same byte as the major type; 24 to 255 ...
 * only with an additional uint8_t" and so on. */
static MT_ERR read_argument(struct mt_reader *r, unsigned info, uint64_t *out)
{
    static const uint64_t least[] = {INFO_U8, UINT8_MAX + 1, UINT16_MAX + 1, UINT32_MAX + 1ULL};
    uint64_t value = 0;
    mt_bytes b;
    MT_REQUIRE(info != INFO_INDEFINITE, MT_E_FORMAT, "CBOR: an indefinite length");
    MT_REQUIRE(info <= INFO_U64, MT_E_FORMAT, "CBOR: a reserved head");
    MT_TRY(mt_read_bytes(r, (size_t)1 << (info - INFO_U8), &b));
    for (size_t i = 0; i < b.len; i++) {
        value = value << 8 | b.ptr[i];
    }
    MT_REQUIRE(value >= least[info - INFO_U8], MT_E_FORMAT, "CBOR: a head is not the shortest");
    *out = value;
    return MT_OK;
}

static MT_ERR check_simple(unsigned info)
{
    MT_REQUIRE(info != INFO_U16 && info != INFO_U32 && info != INFO_U64, MT_E_FORMAT,
               "CBOR: a floating-point number");
    MT_REQUIRE(info != SIMPLE_UNDEFINED, MT_E_FORMAT, "CBOR: undefined");
    MT_REQUIRE(info != INFO_INDEFINITE, MT_E_FORMAT, "CBOR: a break outside of anything");
    MT_REQUIRE(info >= SIMPLE_FALSE && info <= SIMPLE_NULL, MT_E_FORMAT,
               "CBOR: a simple value but false, true, null");
    return MT_OK;
}

/* On success alone does `r` move on. */
static MT_ERR read_head(struct mt_reader *r, struct head *out)
{
    struct mt_reader at = *r;
    uint8_t first = 0;
    MT_TRY(mt_read_u8(&at, &first));
    unsigned info = first & 31;
    struct head h = {(enum major)(first >> 5), info};
    if (h.major == MAJOR_SIMPLE) {
        MT_TRY(check_simple(info));
    } else if (info >= INFO_U8) {
        MT_TRY(read_argument(&at, info, &h.value));
    }
    *r = at;
    *out = h;
    return MT_OK;
}

MT_ERR mt_cbor_read_uint(struct mt_reader *r, uint64_t *out)
{
    struct mt_reader at = *r;
    struct head h;
    MT_TRY(read_head(&at, &h));
    MT_REQUIRE(h.major == MAJOR_UINT, MT_E_FORMAT, "CBOR: not an unsigned integer");
    *r = at;
    *out = h.value;
    return MT_OK;
}

MT_ERR mt_cbor_read_int(struct mt_reader *r, int64_t *out)
{
    struct mt_reader at = *r;
    struct head h;
    MT_TRY(read_head(&at, &h));
    MT_REQUIRE(h.major == MAJOR_UINT || h.major == MAJOR_NEGATIVE, MT_E_FORMAT,
               "CBOR: not an integer");
    MT_REQUIRE(h.value <= INT64_MAX, MT_E_FORMAT, "CBOR: an integer beyond 64 bits");
    *r = at;
    *out = h.major == MAJOR_UINT ? (int64_t)h.value : -1 - (int64_t)h.value;
    return MT_OK;
}

/* The bytes of a string, whose head is read. */
static MT_ERR read_string(struct mt_reader *r, const struct head *h, mt_bytes *out)
{
    MT_REQUIRE(h->value <= r->rest.len, MT_E_FORMAT, "truncated");
    mt_bytes b;
    MT_TRY(mt_read_bytes(r, (size_t)h->value, &b));
    if (h->major == MAJOR_TEXT) {
        MT_TRY(check_text(b));
    }
    *out = b;
    return MT_OK;
}

MT_ERR mt_cbor_read_bytes(struct mt_reader *r, mt_bytes *out)
{
    struct mt_reader at = *r;
    struct head h;
    MT_TRY(read_head(&at, &h));
    MT_REQUIRE(h.major == MAJOR_BYTES, MT_E_FORMAT, "CBOR: not a byte string");
    MT_TRY(read_string(&at, &h, out));
    *r = at;
    return MT_OK;
}

MT_ERR mt_cbor_read_copy(struct mt_reader *r, mt_span out)
{
    struct mt_reader at = *r;
    mt_bytes b;
    MT_TRY(mt_cbor_read_bytes(&at, &b));
    MT_REQUIRE(b.len == out.len, MT_E_FORMAT, "CBOR: a byte string of the wrong length");
    struct mt_reader copy = mt_reader_over(b);
    MT_TRY(mt_read_copy(&copy, out));
    *r = at;
    return MT_OK;
}

MT_ERR mt_cbor_read_text(struct mt_reader *r, mt_bytes *out)
{
    struct mt_reader at = *r;
    struct head h;
    MT_TRY(read_head(&at, &h));
    MT_REQUIRE(h.major == MAJOR_TEXT, MT_E_FORMAT, "CBOR: not a text");
    MT_TRY(read_string(&at, &h, out));
    *r = at;
    return MT_OK;
}

MT_ERR mt_cbor_read_array(struct mt_reader *r, uint64_t count_max, uint64_t *out)
{
    struct mt_reader at = *r;
    struct head h;
    MT_TRY(read_head(&at, &h));
    MT_REQUIRE(h.major == MAJOR_ARRAY, MT_E_FORMAT, "CBOR: not an array");
    MT_REQUIRE(h.value <= count_max, MT_E_LIMIT, "CBOR: an array has too many items");
    *r = at;
    *out = h.value;
    return MT_OK;
}

MT_ERR mt_cbor_read_map(struct mt_reader *r, uint64_t count_max, uint64_t *out)
{
    struct mt_reader at = *r;
    struct head h;
    MT_TRY(read_head(&at, &h));
    MT_REQUIRE(h.major == MAJOR_MAP, MT_E_FORMAT, "CBOR: not a map");
    MT_REQUIRE(h.value <= count_max, MT_E_LIMIT, "CBOR: a map has too many members");
    *r = at;
    *out = h.value;
    return MT_OK;
}

MT_ERR mt_cbor_read_tag(struct mt_reader *r, uint64_t tag)
{
    struct mt_reader at = *r;
    struct head h;
    MT_TRY(read_head(&at, &h));
    MT_REQUIRE(h.major == MAJOR_TAG, MT_E_FORMAT, "CBOR: not a tag");
    MT_REQUIRE(h.value == tag, MT_E_FORMAT, "CBOR: another tag");
    *r = at;
    return MT_OK;
}

MT_ERR mt_cbor_read_bool(struct mt_reader *r, bool *out)
{
    struct mt_reader at = *r;
    struct head h;
    MT_TRY(read_head(&at, &h));
    MT_REQUIRE(h.major == MAJOR_SIMPLE && h.value != SIMPLE_NULL, MT_E_FORMAT,
               "CBOR: neither false nor true");
    *r = at;
    *out = h.value == SIMPLE_TRUE;
    return MT_OK;
}

MT_ERR mt_cbor_read_null(struct mt_reader *r, bool *is_null)
{
    struct mt_reader at = *r;
    struct head h;
    MT_TRY(read_head(&at, &h));
    *is_null = h.major == MAJOR_SIMPLE && h.value == SIMPLE_NULL;
    if (*is_null) {
        *r = at;
    }
    return MT_OK;
}

MT_ERR mt_cbor_read_key(struct mt_reader *r, int64_t key)
{
    struct mt_reader at = *r;
    int64_t found = 0;
    MT_TRY(mt_cbor_read_int(&at, &found));
    MT_REQUIRE(found == key, MT_E_FORMAT, "CBOR: another map key than the one due here");
    *r = at;
    return MT_OK;
}

/*
 * One item whole. Containers and tags that are still open stand on a stack of our own, since
 * recursion over what a peer nested would let it choose how much stack we use.
 */
struct frame {
    uint64_t left; /* items still to come */
    bool is_map;
    const uint8_t *key_start; /* of the key under way; NULL while a value is */
    mt_bytes key_before;
};

struct walk {
    struct mt_reader r;
    struct frame frames[MT_CBOR_DEPTH_MAX];
    size_t depth;
};

static MT_ERR open_frame(struct walk *k, uint64_t items, bool is_map)
{
    MT_REQUIRE(k->depth < MT_CBOR_DEPTH_MAX, MT_E_LIMIT, "CBOR: nested too deep");
    k->frames[k->depth++] = (struct frame){.left = items, .is_map = is_map};
    return MT_OK;
}

/* Every item takes a byte at least, so a count beyond the rest is a truncation, said before any
 * arithmetic with it. */
static MT_ERR open_container(struct walk *k, const struct head *h)
{
    uint64_t items = h->value;
    MT_REQUIRE(items <= k->r.rest.len, MT_E_FORMAT, "truncated");
    if (h->major == MAJOR_MAP) {
        items *= 2;
    }
    return open_frame(k, items, h->major == MAJOR_MAP);
}

static MT_ERR enter_item(struct walk *k)
{
    struct head h = {MAJOR_UINT, 0};
    mt_bytes ignored;
    MT_TRY(read_head(&k->r, &h));
    switch (h.major) {
    case MAJOR_BYTES:
    case MAJOR_TEXT:
        return read_string(&k->r, &h, &ignored);
    case MAJOR_ARRAY:
    case MAJOR_MAP:
        return open_container(k, &h);
    case MAJOR_TAG:
        /* RFC 8949, 3.4.3: small bignums would be second encodings of integers. */
        MT_REQUIRE(h.value != TAG_BIGNUM && h.value != TAG_NEGATIVE_BIGNUM, MT_E_FORMAT,
                   "CBOR: a bignum");
        return open_frame(k, 1, false);
    case MAJOR_UINT:
    case MAJOR_NEGATIVE:
    case MAJOR_SIMPLE:
        break;
    }
    return MT_OK;
}

static MT_ERR check_key(struct frame *f, const uint8_t *end)
{
    mt_bytes key = {f->key_start, (size_t)(end - f->key_start)};
    if (f->key_before.ptr != NULL) {
        int order = mt_bytes_order(f->key_before, key);
        MT_REQUIRE(order != 0, MT_E_FORMAT, "CBOR: a map key stands twice");
        MT_REQUIRE(order < 0, MT_E_FORMAT, "CBOR: map keys are not in order");
    }
    f->key_before = key;
    f->key_start = NULL;
    return MT_OK;
}

/* Closes whatever the item just read completes. */
static MT_ERR close_frames(struct walk *k)
{
    while (k->depth > 0) {
        struct frame *f = &k->frames[k->depth - 1];
        if (f->key_start != NULL) {
            MT_TRY(check_key(f, k->r.rest.ptr));
        }
        if (f->left > 0) {
            return MT_OK;
        }
        k->depth--;
    }
    return MT_OK;
}

MT_ERR mt_cbor_read_item(struct mt_reader *r, mt_bytes *out)
{
    struct walk k = {.r = *r};
    do {
        if (k.depth > 0) {
            struct frame *f = &k.frames[k.depth - 1];
            MT_ASSERT(f->left > 0);
            f->key_start = f->is_map && f->left % 2 == 0 ? k.r.rest.ptr : NULL;
            f->left--;
        }
        MT_TRY(enter_item(&k));
        MT_TRY(close_frames(&k));
    } while (k.depth > 0);
    *out = (mt_bytes){r->rest.ptr, r->rest.len - k.r.rest.len};
    *r = k.r;
    return MT_OK;
}
