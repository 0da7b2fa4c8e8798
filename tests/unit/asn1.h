/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_UNIT_ASN1_H
#define MT_UNIT_ASN1_H

#include "base/bytes.h"

/*
 * DER taken apart into its items, and put together again with some of them changed: lengths follow.
 * Strings of octets and bits that hold DER are taken apart too.
 */
enum { ASN1_ITEMS_MAX = 256 };

struct asn1_item {
    uint8_t tag;
    size_t head;      /* bytes of the content before the items in it */
    mt_bytes whole;   /* with tag and length; borrows */
    mt_bytes content; /* without */
    size_t after;     /* the item behind it and all that is in it */
};
struct asn1_tree {
    struct asn1_item items[ASN1_ITEMS_MAX];
    size_t count;
};

/* MT_E_FORMAT if it is not whole DER, or has too many items. */
MT_ERR asn1_read(mt_bytes der, struct asn1_tree *out);

/* The n-th item in that at `parent`, from 0. It must be there. */
size_t asn1_in(const struct asn1_tree *t, size_t parent, size_t n);

enum asn1_how {
    ASN1_DROP,    /* it is not there */
    ASN1_TWICE,   /* or is there again */
    ASN1_SWAP,    /* and the next one change places */
    ASN1_TAG,     /* has another type: `arg` */
    ASN1_EMPTY,   /* nothing is in it */
    ASN1_LONG,    /* its length has a zero in front */
    ASN1_ENDLESS, /* its length is not said */
    ASN1_FLIP,    /* the bit `arg` of its content is another */
    ASN1_CHOP,    /* the last byte of its content is missing */
    ASN1_PAD,     /* a zero stands before its content, */
    ASN1_MORE,    /* or behind it */
    ASN1_BECOME,  /* `blob` stands in its place, */
    ASN1_BEFORE,  /* before it, */
    ASN1_BEHIND,  /* or behind it */
    ASN1_HOWS,
};

struct asn1_change {
    size_t at;
    enum asn1_how how;
    size_t arg;
    mt_bytes blob;
};

/* The item at `at` with changes, at the end of `room`; empty if that is too small. */
mt_bytes asn1_write(const struct asn1_tree *t, size_t at, const struct asn1_change *changes,
                    size_t count, mt_span room);

#endif
