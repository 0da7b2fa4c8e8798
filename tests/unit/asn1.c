/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/asn1.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/der.h"

enum { CONSTRUCTED = 0x20, SIBLINGS_MAX = 64, DEPTH_MAX = 16 };

/* Without recursion: what is open, and where each ends. */
struct open {
    size_t at[DEPTH_MAX];
    const uint8_t *end[DEPTH_MAX];
    size_t depth;
};

static bool is_der(mt_bytes in)
{
    struct mt_reader r = mt_reader_over(in);
    uint8_t tag = 0;
    mt_bytes content;
    while (r.rest.len > 0) {
        if (mt_failed(mt_der_read(&r, &tag, &content)) || (tag & 0x1f) > MT_DER_SET) {
            return false;
        }
    }
    return in.len > 0;
}

/* How many bytes of the content stand before items; the length of it if there are none. */
static size_t head_of(uint8_t tag, mt_bytes content)
{
    if ((tag & CONSTRUCTED) != 0) {
        return 0;
    }
    size_t skip = tag == MT_DER_BIT_STRING ? 1 : 0;
    bool may_wrap = tag == MT_DER_OCTETS || (tag == MT_DER_BIT_STRING && content.len > 1);
    const mt_bytes inner = {content.ptr + skip, content.len - skip};
    return may_wrap && is_der(inner) ? skip : content.len;
}

static void close_all(struct asn1_tree *t, struct open *o, const uint8_t *at)
{
    while (o->depth > 0 && o->end[o->depth - 1] == at) {
        t->items[o->at[--o->depth]].after = t->count;
    }
}

MT_ERR asn1_read(mt_bytes der, struct asn1_tree *out)
{
    struct open o = {.depth = 0};
    const uint8_t *at = der.ptr;
    const uint8_t *end = der.ptr + der.len;
    out->count = 0;
    while (at < end) {
        const uint8_t *limit = o.depth > 0 ? o.end[o.depth - 1] : end;
        struct mt_reader r = mt_reader_over((mt_bytes){at, (size_t)(limit - at)});
        MT_REQUIRE(out->count < ASN1_ITEMS_MAX && o.depth < DEPTH_MAX, MT_E_FORMAT, "many items");
        struct asn1_item *i = &out->items[out->count++];
        MT_TRY(mt_der_read(&r, &i->tag, &i->content));
        i->whole = (mt_bytes){at, (size_t)(r.rest.ptr - at)};
        i->head = head_of(i->tag, i->content);
        o.at[o.depth] = out->count - 1;
        o.end[o.depth++] = r.rest.ptr;
        at = i->content.ptr + i->head;
        close_all(out, &o, at);
    }
    return MT_OK;
}

size_t asn1_in(const struct asn1_tree *t, size_t parent, size_t n)
{
    size_t at = parent + 1;
    for (; n > 0; n--) {
        at = t->items[at].after;
    }
    MT_ASSERT(at < t->items[parent].after);
    return at;
}

/* Written from its end. */
struct pen {
    const struct asn1_tree *t;
    const struct asn1_change *changes;
    size_t count;
    uint8_t *start;
    uint8_t *at;
    bool is_full; /* and what is in it worth nothing */
};

static void put(struct pen *p, mt_bytes b)
{
    p->is_full = p->is_full || (size_t)(p->at - p->start) < b.len;
    if (b.len > 0 && !p->is_full) {
        p->at -= b.len;
        memmove(p->at, b.ptr, b.len);
    }
}

static void put_byte(struct pen *p, size_t byte)
{
    const uint8_t b = (uint8_t)byte;
    put(p, (mt_bytes){&b, 1});
}

static const struct asn1_change *change_of(const struct pen *p, size_t at, enum asn1_how how)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->changes[i].at == at && p->changes[i].how == how) {
            return &p->changes[i];
        }
    }
    return NULL;
}

static void put_item(struct pen *p, size_t at);

static void put_items(struct pen *p, size_t parent)
{
    size_t in[SIBLINGS_MAX];
    size_t count = 0;
    for (size_t i = parent + 1; i < p->t->items[parent].after; i = p->t->items[i].after) {
        MT_ASSERT(count < SIBLINGS_MAX);
        in[count++] = i;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        if (change_of(p, in[i], ASN1_SWAP) != NULL) {
            size_t first = in[i];
            in[i] = in[i + 1];
            in[i + 1] = first;
            break;
        }
    }
    for (; count > 0; count--) {
        put_item(p, in[count - 1]);
    }
}

static void put_content(struct pen *p, size_t at)
{
    const struct asn1_item *i = &p->t->items[at];
    const struct asn1_change *flip = change_of(p, at, ASN1_FLIP);
    if (change_of(p, at, ASN1_EMPTY) != NULL) {
        return;
    }
    if (change_of(p, at, ASN1_MORE) != NULL) {
        put_byte(p, 0);
    }
    uint8_t *end = p->at;
    put_items(p, at);
    put(p, (mt_bytes){i->content.ptr, i->head});
    size_t len = (size_t)(end - p->at);
    if (flip != NULL && len > 0) {
        p->at[flip->arg / 8 % len] ^= (uint8_t)(1U << flip->arg % 8);
    }
    if (change_of(p, at, ASN1_CHOP) != NULL && len > 0) {
        memmove(p->at + 1, p->at, len - 1);
        p->at++;
    }
    if (change_of(p, at, ASN1_PAD) != NULL) {
        put_byte(p, 0);
    }
}

static void put_length(struct pen *p, size_t len, bool is_long)
{
    size_t bytes = 0;
    if (len < 0x80 && !is_long) {
        put_byte(p, len);
        return;
    }
    for (; len > 0; len /= 0x100) {
        put_byte(p, len % 0x100);
        bytes++;
    }
    if (is_long) {
        put_byte(p, 0);
        bytes++;
    }
    put_byte(p, 0x80 | bytes);
}

static void put_item(struct pen *p, size_t at)
{
    const struct asn1_change *become = change_of(p, at, ASN1_BECOME);
    const struct asn1_change *before = change_of(p, at, ASN1_BEFORE);
    const struct asn1_change *behind = change_of(p, at, ASN1_BEHIND);
    const struct asn1_change *tag = change_of(p, at, ASN1_TAG);
    put(p, behind != NULL ? behind->blob : (mt_bytes){NULL, 0});
    uint8_t *end = p->at;
    if (become != NULL) {
        put(p, become->blob);
    } else if (change_of(p, at, ASN1_ENDLESS) != NULL) {
        put(p, MT_LITERAL("\0\0"));
        put_content(p, at);
        put_byte(p, 0x80);
        put_byte(p, p->t->items[at].tag);
    } else {
        uint8_t *content_end = p->at;
        put_content(p, at);
        put_length(p, (size_t)(content_end - p->at), change_of(p, at, ASN1_LONG) != NULL);
        put_byte(p, tag != NULL ? tag->arg : p->t->items[at].tag);
    }
    if (change_of(p, at, ASN1_DROP) != NULL) {
        p->at = end;
    }
    if (change_of(p, at, ASN1_TWICE) != NULL) {
        put(p, (mt_bytes){p->at, (size_t)(end - p->at)});
    }
    put(p, before != NULL ? before->blob : (mt_bytes){NULL, 0});
}

mt_bytes asn1_write(const struct asn1_tree *t, size_t at, const struct asn1_change *changes,
                    size_t count, mt_span room)
{
    struct pen p = {t, changes, count, room.ptr, room.ptr + room.len, false};
    put_item(&p, at);
    if (p.is_full) {
        return (mt_bytes){room.ptr, 0};
    }
    return (mt_bytes){p.at, (size_t)(room.ptr + room.len - p.at)};
}
