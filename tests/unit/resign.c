/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/resign.h"

#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/inside.h"
#include "crypto/x509_plain.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

const uint64_t resign_now_ms = 1800000000000; /* 2027 */
static const uint64_t day_ms = 24ULL * 60 * 60 * 1000;

enum { CHANGES_MAX = 8, TBS = 1, SIGNATURE_MAX = 512 };
enum { ALGORITHM = 2, ISSUER = 3, SUBJECT = 5, LIST_ISSUER = 2 };

/* Who signs what. */
static const size_t signers[RESIGN_PARTS] = {RESIGN_BELOW, RESIGN_ROOT, RESIGN_ROOT, RESIGN_BELOW,
                                             RESIGN_ROOT};

static bool is_list(enum resign_part part)
{
    return part >= RESIGN_LIST;
}

static size_t in_tbs(const struct resign_world *w, enum resign_part part, size_t n)
{
    return asn1_in(&w->trees[part], TBS, n);
}

size_t resign_subject(const struct resign_world *w, enum resign_part part)
{
    return in_tbs(w, part, SUBJECT);
}

static size_t issuer_of(const struct resign_world *w, enum resign_part part)
{
    return in_tbs(w, part, is_list(part) ? LIST_ISSUER : ISSUER);
}

static mt_bytes sign(const struct resign_world *w, enum resign_part part, mt_bytes tbs,
                     uint8_t room[SIGNATURE_MAX])
{
    EVP_PKEY *key = w->certs[signers[part]].key;
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = SIGNATURE_MAX;
    const char *hash = w->kind == RESIGN_PSS ? "SHA2-384" : "SHA2-256";
    MT_ASSERT(EVP_DigestSignInit_ex(ctx, &pctx, hash, mt_crypto.lib, NULL, key, NULL) == 1);
    if (w->kind == RESIGN_PSS) {
        MT_ASSERT(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1);
        MT_ASSERT(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    MT_ASSERT(EVP_DigestSign(ctx, room, &len, tbs.ptr, tbs.len) == 1);
    EVP_MD_CTX_free(ctx);
    return (mt_bytes){room, len};
}

/* Both algorithms change together: one item for another at the same place in it. */
static size_t add_outer(const struct resign_world *w, const struct resign_change *c,
                        struct asn1_change *all, size_t count)
{
    const struct asn1_tree *t = &w->trees[c->part];
    size_t inner = in_tbs(w, c->part, is_list(c->part) ? 1 : ALGORITHM);
    size_t outer = asn1_in(t, 0, 1);
    for (size_t i = 0; i < c->count && !c->is_inner_alone; i++) {
        if (c->changes[i].at >= inner && c->changes[i].at < t->items[inner].after) {
            all[count] = c->changes[i];
            all[count++].at += outer - inner;
        }
    }
    return count;
}

static bool is_plain(enum resign_part part, mt_bytes der)
{
    struct mt_x509_plain c;
    struct mt_x509_plain_list l;
    return is_list(part) ? !mt_failed(mt_x509_plain_list_read(der, &l))
                         : !mt_failed(mt_x509_plain_read(der, &c));
}

/* Only if OpenSSL is not needed for it; else nothing can go wrong here, and nothing is signed. */
static bool change_and_sign(const struct resign_world *w, const struct resign_change *c,
                            mt_span room, mt_bytes *out)
{
    const struct asn1_tree *t = &w->trees[c->part];
    struct asn1_change all[2 * CHANGES_MAX + 1] = {{.at = 0}};
    uint8_t tbs_room[RESIGN_MAX];
    uint8_t signature[SIGNATURE_MAX + 8];
    MT_ASSERT(c->count <= CHANGES_MAX);
    if (c->count > 0) {
        memcpy(all, c->changes, c->count * sizeof *all);
    }
    size_t count = add_outer(w, c, all, c->count);
    mt_bytes der = asn1_write(t, 0, all, count, room);
    if (!is_plain(c->part, der)) {
        return false;
    }
    *out = der;
    if (c->count > 0 && c->changes[c->count - 1].at >= asn1_in(t, 0, 2)) {
        return true; /* of the signature itself */
    }
    mt_bytes tbs = asn1_write(t, TBS, all, count, (mt_span){tbs_room, sizeof tbs_room});
    mt_bytes bits = sign(w, c->part, tbs, signature + 5);
    const uint8_t head[] = {0x03, 0x82, (uint8_t)((bits.len + 1) >> 8), (uint8_t)(bits.len + 1), 0};
    mt_bytes whole = {signature, bits.len + sizeof head};
    memcpy(signature, head, sizeof head);
    if (bits.len < 0x7f) { /* as all of elliptic curves' */
        const uint8_t small[] = {0x03, (uint8_t)(bits.len + 1), 0};
        memcpy(signature + 2, small, sizeof small);
        whole = (mt_bytes){signature + 2, bits.len + sizeof small};
    }
    all[count++] = (struct asn1_change){.at = asn1_in(t, 0, 2), .how = ASN1_BECOME, .blob = whole};
    *out = asn1_write(t, 0, all, count, room);
    return true;
}

static mt_bytes text_of(const ASN1_STRING *s)
{
    return (mt_bytes){ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)};
}

static mt_bytes name_in(const X509_NAME *name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    MT_ASSERT(at >= 0 && X509_NAME_get_index_by_NID(name, NID_commonName, at) < 0);
    return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

/* What is read of a certificate without OpenSSL is what it reads. */
static void compare_reading(const struct mt_x509 *c)
{
    X509 *x = NULL;
    struct mt_x509_validity v;
    uint64_t from = 0;
    uint64_t until = 0;
    mt_bytes subject;
    mt_bytes issuer;
    OK(mt_x509_native(c, &x));
    OK(mt_x509_validity(c, &v));
    OK(mt_x509_ms_of_time(X509_get0_notBefore(x), &from));
    OK(mt_x509_ms_of_time(X509_get0_notAfter(x), &until));
    MT_ASSERT(from == v.not_before_ms && until == v.not_after_ms);
    OK(mt_x509_subject_name(c, &subject));
    OK(mt_x509_issuer_name(c, &issuer));
    MT_ASSERT(mt_bytes_equal(subject, name_in(X509_get_subject_name(x))));
    MT_ASSERT(mt_bytes_equal(issuer, name_in(X509_get_issuer_name(x))));
    mt_bytes serial = mt_x509_serial(c);
    mt_bytes same = text_of(X509_get0_serialNumber(x));
    MT_ASSERT(mt_bytes_equal(serial, same) || (serial.len == 0 && same.len <= 1));
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        char oid[64];
        mt_bytes value;
        X509_EXTENSION *e = X509_get_ext(x, i);
        MT_ASSERT(OBJ_obj2txt(oid, sizeof oid, X509_EXTENSION_get_object(e), 1) > 0);
        OK(mt_x509_extension(c, oid, &value));
        MT_ASSERT(mt_bytes_equal(value, text_of(X509_EXTENSION_get_data(e))));
    }
    X509_free(x);
}

struct question {
    mt_bytes ders[RESIGN_PARTS];
    mt_bytes more;
    bool needs_lists;
    uint64_t now_ms;
};

/* What has not changed was read before. */
static bool ask(const struct resign_world *w, const struct question *q)
{
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain changed = {.count = 0};
    struct mt_x509_chain chain = {.count = RESIGN_CERTS};
    enum mt_x509_fault why = MT_X509_MALFORMED;
    for (size_t i = 0; i < RESIGN_CERTS; i++) {
        chain.certs[i] = w->read[i];
        if (q->ders[i].ptr == w->ders[i].ptr) {
            continue;
        }
        if (mt_failed(mt_x509_chain_add(&changed, q->ders[i]))) {
            return false;
        }
        chain.certs[i] = changed.certs[changed.count - 1];
        MT_ASSERT(mt_x509_plain_of(chain.certs[i]) != NULL);
        compare_reading(chain.certs[i]);
    }
    const struct mt_x509 *const anchors[] = {chain.certs[RESIGN_ROOT]};
    const mt_bytes lists[] = {q->ders[RESIGN_LIST], q->ders[RESIGN_ROOT_LIST], q->more};
    struct mt_x509_memo memo = w->memo;
    const struct mt_x509_trust trust = {anchors,        1,         lists, q->more.len > 0 ? 3 : 2,
                                        q->needs_lists, q->now_ms, &memo};
    bool is_quick = mt_x509_is_quickly_sound(&chain, &trust);
    MT_ASSERT(!is_quick || !mt_failed(mt_x509_verify_slowly(&chain, &trust, &why)));
    return is_quick;
}

/* The parts that name the subject of another as their issuer. */
static const struct {
    enum resign_part subject;
    enum resign_part issuer;
} namings[] = {{RESIGN_BELOW, RESIGN_LEAF},
               {RESIGN_BELOW, RESIGN_LIST},
               {RESIGN_ROOT, RESIGN_BELOW},
               {RESIGN_ROOT, RESIGN_ROOT_LIST}};
enum { NAMINGS = sizeof namings / sizeof *namings };

static bool is_renamed(const struct resign_world *w, const struct resign_change *c)
{
    if (is_list(c->part) || c->part == RESIGN_LEAF) {
        return false;
    }
    size_t subject = resign_subject(w, c->part);
    return c->count == 1 && c->changes[0].at >= subject &&
           c->changes[0].at < w->trees[c->part].items[subject].after;
}

bool resign_ask(const struct resign_world *w, const struct resign_change *c)
{
    static uint8_t rooms[NAMINGS + 1][RESIGN_MAX];
    uint8_t name_room[RESIGN_MAX];
    struct asn1_change own[CHANGES_MAX] = {{.at = 0}};
    struct resign_change changed = *c;
    struct question q = {.needs_lists = !c->has_no_lists, .now_ms = c->now_ms};
    memcpy(q.ders, w->ders, sizeof q.ders);
    mt_bytes *to = c->is_more ? &q.more : &q.ders[c->part];
    mt_bytes name = {NULL, 0};
    MT_ASSERT(c->count < CHANGES_MAX && (is_list(c->part) || !c->is_more));
    if (c->count > 0) {
        memcpy(own, c->changes, c->count * sizeof *own);
    }
    changed.changes = own;
    if (is_renamed(w, c)) {
        size_t subject = resign_subject(w, c->part);
        name =
            asn1_write(&w->trees[c->part], subject, own, 1, (mt_span){name_room, sizeof name_room});
        if (c->part == RESIGN_ROOT) {
            own[changed.count++] = (struct asn1_change){
                .at = issuer_of(w, RESIGN_ROOT), .how = ASN1_BECOME, .blob = name};
        }
    }
    if (!change_and_sign(w, &changed, (mt_span){rooms[NAMINGS], RESIGN_MAX}, to)) {
        return false;
    }
    for (size_t i = 0; i < NAMINGS && name.len > 0; i++) {
        const enum resign_part part = namings[i].issuer;
        const struct asn1_change issuer = {
            .at = issuer_of(w, part), .how = ASN1_BECOME, .blob = name};
        const struct resign_change follow = {.part = part, .changes = &issuer, .count = 1};
        if (namings[i].subject == c->part &&
            !change_and_sign(w, &follow, (mt_span){rooms[i], RESIGN_MAX}, &q.ders[part])) {
            return false;
        }
    }
    return ask(w, &q);
}

static const struct pki_extension full[RESIGN_CERTS][6] = {
    {{"2.5.29.35",
      {(const uint8_t *)"\x30\x07\x80\x05"
                        "below",
       9}},
     {"2.5.29.14", {(const uint8_t *)"\x04\x04leaf", 6}},
     {"2.5.29.15", {(const uint8_t *)"\x03\x02\x06\xc0", 4}},
     {"2.5.29.19", {(const uint8_t *)"\x30\x00", 2}},
     {"2.5.29.31", {(const uint8_t *)"\x30\x0b\x30\x09\xa0\x07\xa0\x05\x86\x03URI", 13}},
     {"1.2.840.113741.1.13.1", {(const uint8_t *)"\x30\x03\x02\x01\x05", 5}}},
    {{"2.5.29.35", {(const uint8_t *)"\x30\x06\x80\x04root", 8}},
     {"2.5.29.14",
      {(const uint8_t *)"\x04\x05"
                        "below",
       7}},
     {"2.5.29.31", {(const uint8_t *)"\x30\x0b\x30\x09\xa0\x07\xa0\x05\x86\x03URI", 13}}},
    {{"2.5.29.35", {(const uint8_t *)"\x30\x06\x80\x04root", 8}},
     {"2.5.29.14", {(const uint8_t *)"\x04\x04root", 6}},
     {"1.3.6.1.4.1.3704.1.1", {(const uint8_t *)"\x02\x01\x05", 3}}},
};

static void make_certs(struct resign_world *w)
{
    static const size_t counts[] = {6, 3, 3};
    static const char *const names[] = {"Some Leaf", "Below", "Some Root"};
    for (size_t i = RESIGN_CERTS; i-- > 0;) {
        const struct pki_wish wish = {
            .name = names[i],
            .key = w->kind == RESIGN_PSS ? PKI_RSA_2048 : PKI_P256,
            .is_ca = i == RESIGN_ROOT,
            .is_last_ca = i == RESIGN_BELOW,
            .is_pss = w->kind == RESIGN_PSS,
            .serial = 0x8001 + (uint32_t)i,
            .not_before_ms = resign_now_ms - (i + 2) * day_ms,
            .not_after_ms = resign_now_ms + (i + 2) * day_ms,
            .extensions = full[i],
            .extensions_count = w->kind == RESIGN_BARE ? 0 : counts[i],
        };
        pki_make(&wish, i == RESIGN_ROOT ? NULL : &w->certs[i + 1], &w->certs[i]);
        w->ders[i] = pki_der(&w->certs[i]);
        OK(asn1_read(w->ders[i], &w->trees[i]));
        OK(mt_x509_parse(w->ders[i], &w->read[i]));
    }
}

/* What pki_crl() leaves out: a reason in its first entry, and extensions. */
static void make_list(struct resign_world *w, enum resign_part part, mt_bytes extensions)
{
    static const uint32_t serials[] = {0x8009, 0x7000};
    uint8_t first[PKI_CRL_MAX];
    struct asn1_tree *t = &w->trees[part];
    const struct pki_list list = {&w->certs[signers[part]], resign_now_ms - day_ms,
                                  resign_now_ms + day_ms, serials, 2};
    w->ders[part] = pki_crl(&list, (mt_span){first, sizeof first});
    OK(asn1_read(w->ders[part], t));
    size_t entries = in_tbs(w, part, 5);
    const struct asn1_tree *of_leaf = &w->trees[RESIGN_LEAF];
    const struct asn1_change more[] = {
        {asn1_in(t, asn1_in(t, entries, 0), 1), ASN1_BEHIND, 0,
         MT_LITERAL("\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01")},
        {entries, ASN1_BEHIND, 0, extensions},
        {in_tbs(w, part, 1), ASN1_BECOME, 0, of_leaf->items[asn1_in(of_leaf, 0, 1)].whole},
    };
    const struct resign_change c = {
        .part = part, .changes = more, .count = w->kind == RESIGN_PSS ? 3 : 2};
    if (w->kind != RESIGN_BARE) {
        MT_ASSERT(change_and_sign(w, &c, (mt_span){w->rooms[part], RESIGN_MAX}, &w->ders[part]));
    } else {
        memcpy(w->rooms[part], w->ders[part].ptr, w->ders[part].len);
        w->ders[part].ptr = w->rooms[part];
    }
    OK(asn1_read(w->ders[part], t));
}

/* The signatures of what is not changed, for the sake of time. */
static void remember(struct resign_world *w)
{
    const struct mt_x509 *const anchors[] = {w->read[RESIGN_ROOT]};
    const mt_bytes lists[] = {w->ders[RESIGN_LIST], w->ders[RESIGN_ROOT_LIST]};
    const struct mt_x509_trust trust = {anchors, 1, lists, 2, true, resign_now_ms, &w->memo};
    struct mt_x509_chain chain = {.count = RESIGN_CERTS};
    memcpy(chain.certs, w->read, sizeof w->read);
    w->memo.count = 0;
    MT_ASSERT(mt_x509_is_quickly_sound(&chain, &trust) && w->memo.count == 4);
}

void resign_make(enum resign_kind kind, struct resign_world *w)
{
    w->kind = kind;
    make_certs(w);
    make_list(w, RESIGN_LIST,
              MT_LITERAL("\xa0\x20\x30\x1e\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02"
                         "\x01\x07\x30\x10\x06\x03\x55\x1d\x23\x04\x09\x30\x07\x80"
                         "\x05"
                         "below"));
    make_list(w, RESIGN_ROOT_LIST,
              MT_LITERAL("\xa0\x0e\x30\x0c\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x07"));
    remember(w);
}

void resign_done(struct resign_world *w)
{
    for (size_t i = 0; i < RESIGN_CERTS; i++) {
        pki_done(&w->certs[i]);
        mt_x509_free(&w->read[i]);
    }
}
