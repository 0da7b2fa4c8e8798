/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_UNIT_RESIGN_H
#define MT_UNIT_RESIGN_H

#include "crypto/x509.h"
#include "unit/asn1.h"
#include "unit/pki.h"

/*
 * A chain of three with its two lists, of which one part is changed and then signed again by who
 * signed it before: so nothing but the change decides whether it is believed.
 */
enum resign_part { RESIGN_LEAF, RESIGN_BELOW, RESIGN_ROOT, RESIGN_LIST, RESIGN_ROOT_LIST };
enum { RESIGN_PARTS = 5, RESIGN_CERTS = 3, RESIGN_MAX = 2048 };

enum resign_kind {
    RESIGN_FULL, /* elliptic, every extension that is plain */
    RESIGN_BARE, /* without any that can be missing */
    RESIGN_PSS,  /* RSASSA-PSS, as AMD's */
};

struct resign_world {
    enum resign_kind kind;
    struct pki_cert certs[RESIGN_CERTS];
    uint8_t rooms[RESIGN_PARTS][RESIGN_MAX];
    mt_bytes ders[RESIGN_PARTS];
    struct asn1_tree trees[RESIGN_PARTS];
    struct mt_x509 *read[RESIGN_CERTS];
    struct mt_x509_memo memo;
};
/* After mt_crypto_init(). Sound at resign_now_ms. */
extern const uint64_t resign_now_ms;
void resign_make(enum resign_kind kind, struct resign_world *w);
void resign_done(struct resign_world *w);

struct resign_change {
    enum resign_part part;
    const struct asn1_change *changes;
    size_t count;
    bool is_inner_alone; /* of algorithms, the outer one stays as it was */
    bool is_more;        /* the list comes beside the one that it was made of */
    bool has_no_lists;   /* lists are not asked for */
    uint64_t now_ms;
};
/* Asserts that whatever is read or believed without OpenSSL is read and believed by it too. Whether
 * it was believed without. Names of issuers follow a subject that changes. */
bool resign_ask(const struct resign_world *w, const struct resign_change *c);

/* What may stand in a certificate or list, and what may not. */
extern const mt_bytes resign_blobs[];
extern const size_t resign_blobs_count;

/* Where the subject of a certificate stands in its tree. */
size_t resign_subject(const struct resign_world *w, enum resign_part part);

#endif
