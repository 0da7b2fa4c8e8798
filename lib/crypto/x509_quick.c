/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "crypto/hash.h"
#include "crypto/inside.h"
#include "crypto/x509.h"
#include "crypto/x509_plain.h"

/*
 * RFC 5280, section 6, for chains of plain certificates that already stand in order and end with
 * the anchor. It can only say yes: where it does not, OpenSSL is asked, which is ten times slower
 * and has the last word. So whatever is doubtful here is false.
 */
enum { MAY_SIGN_CERTIFICATES = 0x04, MAY_SIGN_LISTS = 0x02 };

struct way {
    const struct mt_x509_trust *trust;
    const struct mt_x509_chain *chain;
    const struct mt_x509_plain *certs[MT_X509_CHAIN_MAX];
    size_t count;
    uint64_t now_ms; /* whole seconds */
    struct mt_x509_plain_list lists[MT_X509_CRLS_MAX];
};

/* All that the verdict depends on; each part but the last says how long it is. */
static void name_of_signature(const struct mt_pubkey *key, uint8_t scheme, mt_bytes tbs,
                              mt_bytes signature, mt_hash *out)
{
    const mt_bytes parts[] = {mt_pubkey_spki(key), MT_BYTES_OF(scheme), tbs, signature};
    mt_sha256(parts, sizeof parts / sizeof *parts, out);
}

static bool is_known(const struct mt_x509_memo *m, const mt_hash *name)
{
    for (size_t i = 0; m != NULL && i < m->count; i++) {
        if (mt_hash_equal(&m->good[i], name)) {
            return true;
        }
    }
    return false;
}

static bool is_signed(const struct way *w, size_t by, enum mt_scheme scheme, mt_bytes tbs,
                      mt_bytes signature)
{
    const struct mt_pubkey *key = mt_x509_key(w->chain->certs[by]);
    struct mt_x509_memo *m = w->trust->memo;
    mt_hash name;
    name_of_signature(key, (uint8_t)scheme, tbs, signature, &name);
    if (is_known(m, &name)) {
        return true;
    }
    if (mt_failed(mt_pubkey_verify_held(key, scheme, tbs, signature))) {
        return false;
    }
    if (m != NULL && m->count < MT_X509_MEMO_MAX) {
        m->good[m->count++] = name;
    }
    return true;
}

static bool is_current(const struct way *w, uint64_t from_ms, uint64_t until_ms)
{
    return from_ms <= w->now_ms && w->now_ms < until_ms;
}

static bool is_key_of(mt_bytes authority_id, const struct mt_x509_plain *issuer)
{
    return authority_id.len == 0 || mt_bytes_equal(authority_id, issuer->key_id);
}

/* Names are bytes here: which certificate is whose is beyond doubt if no two are alike. */
static bool is_named_once(const struct way *w, size_t at)
{
    for (size_t i = at + 1; i < w->count; i++) {
        if (mt_x509_plain_is_alike(w->certs[at]->subject, w->certs[i]->subject)) {
            return false;
        }
    }
    return true;
}

/* The certificate at `at` is that of an authority, with `at - 1` authorities below. */
static bool may_sign(const struct way *w, size_t at)
{
    const struct mt_x509_plain *c = w->certs[at];
    return c->is_ca && (c->usage & MAY_SIGN_CERTIFICATES) != 0 &&
           (!c->has_below_max || at - 1 <= c->below_max);
}

static bool is_issued(const struct way *w, size_t at)
{
    const struct mt_x509_plain *c = w->certs[at];
    const struct mt_x509_plain *by = w->certs[at + 1];
    return mt_bytes_equal(c->issuer, by->subject) && is_named_once(w, at) &&
           is_key_of(c->authority_id, by) && may_sign(w, at + 1) &&
           is_current(w, c->from_ms, c->until_ms) &&
           is_signed(w, at + 1, c->scheme, c->tbs, c->signature);
}

/* Its own signature says nothing: its bytes are what the caller trusts. */
static bool is_anchored(const struct way *w)
{
    const struct mt_x509 *last = w->chain->certs[w->count - 1];
    const struct mt_x509_plain *c = w->certs[w->count - 1];
    return w->trust->anchors_count == 1 && mt_x509_equal(last, w->trust->anchors[0]) &&
           mt_bytes_equal(c->issuer, c->subject) && is_key_of(c->authority_id, c) &&
           mt_pubkey_kind(mt_x509_key(last)) == mt_pubkey_kind_of(c->scheme) &&
           is_current(w, c->from_ms, c->until_ms);
}

/* Of the authority at `at`, which is in the chain. */
static bool is_list_good(const struct way *w, const struct mt_x509_plain_list *l, size_t at)
{
    const struct mt_x509_plain *by = w->certs[at];
    return (by->usage & MAY_SIGN_LISTS) != 0 && is_key_of(l->authority_id, by) &&
           is_current(w, l->from_ms, l->until_ms) &&
           is_signed(w, at, l->scheme, l->tbs, l->signature);
}

/* There is one list of the issuer of the certificate at `at`, and the certificate is not in it. */
static bool is_listed_nowhere(const struct way *w, size_t at)
{
    const struct mt_x509_plain *c = w->certs[at];
    const struct mt_x509_plain_list *found = NULL;
    for (size_t i = 0; i < w->trust->crls_count; i++) {
        if (mt_x509_plain_is_alike(w->lists[i].issuer, c->issuer)) {
            if (found != NULL) {
                return false;
            }
            found = &w->lists[i];
        }
    }
    size_t by = at + 1 < w->count ? at + 1 : at;
    return found != NULL && mt_bytes_equal(found->issuer, c->issuer) &&
           is_list_good(w, found, by) && !mt_x509_plain_list_has(found, c->serial);
}

static bool read_all(struct way *w)
{
    w->count = w->chain->count;
    for (size_t i = 0; i < w->count; i++) {
        w->certs[i] = mt_x509_plain_of(w->chain->certs[i]);
        if (w->certs[i] == NULL) {
            return false;
        }
    }
    for (size_t i = 0; w->trust->needs_crls && i < w->trust->crls_count; i++) {
        if (mt_failed(mt_x509_plain_list_read(w->trust->crls[i], &w->lists[i]))) {
            return false;
        }
    }
    return true;
}

bool mt_x509_is_quickly_sound(const struct mt_x509_chain *chain, const struct mt_x509_trust *trust)
{
    enum { SECOND_MS = 1000 };
    struct mt_x509_memo own = {.count = 0};
    struct mt_x509_trust remembered = *trust;
    remembered.memo = trust->memo != NULL ? trust->memo : &own;
    struct way w = {.trust = &remembered, .chain = chain};
    w.now_ms = trust->now_ms / SECOND_MS * SECOND_MS;
    if (chain->count < 2 || trust->crls_count > MT_X509_CRLS_MAX || !read_all(&w)) {
        return false;
    }
    bool is_sound = is_anchored(&w);
    for (size_t i = 0; is_sound && i + 1 < w.count; i++) {
        is_sound = is_issued(&w, i);
    }
    for (size_t i = 0; is_sound && trust->needs_crls && i < w.count; i++) {
        is_sound = is_listed_nowhere(&w, i);
    }
    return is_sound;
}
