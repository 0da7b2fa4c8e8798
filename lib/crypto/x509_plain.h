/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_X509_PLAIN_H
#define MT_CRYPTO_X509_PLAIN_H

#include "crypto/pubkey.h"

/*
 * Certificates and revocation lists (RFC 5280) of the plain kind: those that makers of hardware
 * sign for its keys. Names of plain characters, P-256, P-384 or RSA, and of extensions only
 * those whose whole content is understood here, beside Intel's and AMD's own. Of everything else it
 * is said "not plain", MT_E_FORMAT, and OpenSSL has the word. Inside lib/crypto.
 */
struct mt_x509_plain { /* all of it borrows */
    mt_bytes tbs;      /* what is signed */
    enum mt_scheme scheme;
    mt_bytes signature;   /* as certificates hold it: see mt_pubkey_verify_held() */
    mt_bytes serial;      /* as an INTEGER's octets */
    mt_bytes issuer;      /* the whole name, */
    mt_bytes issuer_name; /* and the common name in it */
    mt_bytes subject;
    mt_bytes subject_name;
    uint64_t from_ms;  /* valid from here, */
    uint64_t until_ms; /* until before this */
    mt_bytes spki;
    mt_bytes extensions; /* one after another */
    bool is_ca;
    bool has_below_max;
    uint8_t below_max; /* authorities below this one */
    uint8_t usage;     /* the first byte of keyUsage; 0: there is none */
    mt_bytes key_id;   /* empty: not said */
    mt_bytes authority_id;
};
MT_ERR mt_x509_plain_read(mt_bytes der, struct mt_x509_plain *out);

/* Whether two names may be the same to who compares names as RFC 5280, 7.1, has it: then equal
 * bytes alone say which is meant. Never false of two that are. */
bool mt_x509_plain_is_alike(mt_bytes a, mt_bytes b);

/* What an extension holds. `oid` in DER, without tag and length. MT_E_NOTFOUND. */
MT_ERR mt_x509_plain_extension(const struct mt_x509_plain *c, mt_bytes oid, mt_bytes *out);

struct mt_x509_plain_list {
    mt_bytes tbs;
    enum mt_scheme scheme;
    mt_bytes signature;
    mt_bytes issuer;
    uint64_t from_ms;
    uint64_t until_ms;
    mt_bytes revoked; /* entries, one after another, each looked at */
    mt_bytes authority_id;
};
MT_ERR mt_x509_plain_list_read(mt_bytes der, struct mt_x509_plain_list *out);

/* Whether a serial number stands in it, whatever is said of it there. */
bool mt_x509_plain_list_has(const struct mt_x509_plain_list *l, mt_bytes serial);

#endif
