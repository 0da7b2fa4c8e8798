/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/inside.h"
#include "unit/pki.h"
#include "unit/runner.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

static const uint64_t now_ms = 1800000000000; /* 2027 */
static const uint64_t day_ms = 24ULL * 60 * 60 * 1000;
static const char own_oid[] = "1.2.840.113741.1.13.1";

/* Root, authority, leaf; and a second root of the same name, for another leaf. */
static struct pki_cert root;
static struct pki_cert authority;
static struct pki_cert leaf;
static struct pki_cert false_root;
static struct pki_cert false_leaf;
static uint8_t root_crl_room[PKI_CRL_MAX];
static uint8_t authority_crl_room[PKI_CRL_MAX];
static mt_bytes root_crl;
static mt_bytes authority_crl;

static mt_bytes list_of(const struct pki_cert *issuer, const uint32_t *serials, size_t count,
                        uint8_t room[PKI_CRL_MAX])
{
    const struct pki_list list = {issuer, now_ms - day_ms, now_ms + day_ms, serials, count};
    return pki_crl(&list, (mt_span){room, PKI_CRL_MAX});
}

static void make_world(void)
{
    static const uint32_t others[] = {77, 78};
    const struct pki_extension own = {own_oid, MT_LITERAL("\x04\x02hi")};
    const struct pki_wish root_wish = {.name = "Root", .key = PKI_P384, .is_ca = true, .serial = 1};
    const struct pki_wish ca_wish = {.name = "CA", .key = PKI_P256, .is_ca = true, .serial = 2};
    const struct pki_wish leaf_wish = {.name = "Leaf",
                                       .key = PKI_P256,
                                       .serial = 0x1234,
                                       .not_before_ms = now_ms - 10 * day_ms,
                                       .not_after_ms = now_ms + 10 * day_ms,
                                       .extensions = &own,
                                       .extensions_count = 1};
    pki_make(&root_wish, NULL, &root);
    pki_make(&ca_wish, &root, &authority);
    pki_make(&leaf_wish, &authority, &leaf);
    pki_make(&root_wish, NULL, &false_root);
    pki_make(&leaf_wish, &false_root, &false_leaf);
    root_crl = list_of(&root, others, 2, root_crl_room);
    authority_crl = list_of(&authority, others, 2, authority_crl_room);
}

static void end_world(void)
{
    pki_done(&root);
    pki_done(&authority);
    pki_done(&leaf);
    pki_done(&false_root);
    pki_done(&false_leaf);
}

struct question {
    const struct pki_cert *certs[MT_X509_CHAIN_MAX];
    size_t count;
    const struct pki_cert *anchor;
    mt_bytes crls[2];
    size_t crls_count;
    bool needs_crls;
    uint64_t now_ms;
};

static struct question good(void)
{
    return (struct question){.certs = {&leaf, &authority, &root},
                             .count = 3,
                             .anchor = &root,
                             .crls = {root_crl, authority_crl},
                             .crls_count = 2,
                             .needs_crls = true,
                             .now_ms = now_ms};
}

static size_t quick_count; /* chains that took no OpenSSL to believe */

/* Whatever is believed in haste, OpenSSL believes too. */
static void compare_with_openssl(const struct mt_x509_chain *chain, struct mt_x509_trust trust)
{
    enum mt_x509_fault slow = MT_X509_MALFORMED;
    struct mt_x509_memo memo = {.count = 0};
    bool is_quick = mt_x509_is_quickly_sound(chain, &trust);
    MT_ASSERT(!is_quick || !mt_failed(mt_x509_verify_slowly(chain, &trust, &slow)));
    trust.memo = &memo;
    MT_ASSERT(mt_x509_is_quickly_sound(chain, &trust) == is_quick);
    MT_ASSERT(mt_x509_is_quickly_sound(chain, &trust) == is_quick);
    quick_count += is_quick ? 1 : 0;
}

static enum mt_x509_fault ask(const struct question *q)
{
    enum mt_x509_fault why = MT_X509_SOUND;
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain chain = {.count = 0};
    MT_DEFER(mt_x509_free) struct mt_x509 *anchor = NULL;
    for (size_t i = 0; i < q->count; i++) {
        OK(mt_x509_chain_add(&chain, pki_der(q->certs[i])));
    }
    OK(mt_x509_parse(pki_der(q->anchor), &anchor));
    const struct mt_x509 *const anchors[] = {anchor};
    const struct mt_x509_trust trust = {anchors,       1,         q->crls, q->crls_count,
                                        q->needs_crls, q->now_ms, NULL};
    mt_err e = mt_x509_verify(&chain, &trust, &why);
    MT_ASSERT(mt_failed(e) == (why != MT_X509_SOUND));
    compare_with_openssl(&chain, trust);
    return why;
}

static void a_chain_leads_to_the_anchor_that_was_given_and_to_no_other(void)
{
    struct question q = good();
    MT_ASSERT(ask(&q) == MT_X509_SOUND);
    q.count = 2; /* the anchor need not be in it */
    MT_ASSERT(ask(&q) == MT_X509_SOUND);
    q.count = 1;
    MT_ASSERT(ask(&q) == MT_X509_UNTRUSTED);
    q = good();
    q.anchor = &false_root;
    MT_ASSERT(ask(&q) == MT_X509_UNTRUSTED);
    q.certs[0] = &false_leaf;
    q.certs[1] = &false_root;
    q.count = 2;
    q.needs_crls = false;
    MT_ASSERT(ask(&q) == MT_X509_SOUND);
    q.anchor = &root;
    MT_ASSERT(ask(&q) == MT_X509_UNTRUSTED);
    q.anchor = &authority; /* no root */
    MT_ASSERT(ask(&q) == MT_X509_UNTRUSTED);
}

static void nothing_is_trusted_without_anchors_or_certificates(void)
{
    enum mt_x509_fault why = MT_X509_SOUND;
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain chain = {.count = 0};
    const struct mt_x509_trust trust = {.anchors_count = 0, .now_ms = now_ms};
    MT_ASSERT(mt_failed(mt_x509_verify(&chain, &trust, &why)) && why == MT_X509_MALFORMED);
    OK(mt_x509_chain_add(&chain, pki_der(&root)));
    MT_ASSERT(mt_failed(mt_x509_verify(&chain, &trust, &why)) && why == MT_X509_UNTRUSTED);
}

static void a_leaf_signs_no_certificates(void)
{
    struct pki_cert below;
    const struct pki_wish wish = {.name = "Below", .key = PKI_P256, .serial = 9};
    pki_make(&wish, &leaf, &below);
    struct question q = {
        .certs = {&below, &leaf, &authority, &root}, .count = 4, .anchor = &root, .now_ms = now_ms};
    MT_ASSERT(ask(&q) == MT_X509_UNTRUSTED);
    pki_done(&below);
}

static void an_authority_signs_no_more_of_its_kind_than_it_may(void)
{
    const struct pki_wish last = {.name = "Last", .key = PKI_P256, .is_last_ca = true, .serial = 3};
    const struct pki_wish ca = {.name = "Below", .key = PKI_P256, .is_ca = true, .serial = 4};
    const struct pki_wish end = {.name = "End", .key = PKI_P256, .serial = 5};
    static struct pki_cert certs[4];
    pki_make(&last, &root, &certs[0]);
    pki_make(&ca, &certs[0], &certs[1]);
    pki_make(&end, &certs[1], &certs[2]);
    pki_make(&end, &certs[0], &certs[3]);
    struct question q = {
        .certs = {&certs[3], &certs[0], &root}, .count = 3, .anchor = &root, .now_ms = now_ms};
    MT_ASSERT(ask(&q) == MT_X509_SOUND);
    q = (struct question){.certs = {&certs[2], &certs[1], &certs[0], &root},
                          .count = 4,
                          .anchor = &root,
                          .now_ms = now_ms};
    MT_ASSERT(ask(&q) == MT_X509_UNTRUSTED);
    for (size_t i = 0; i < 4; i++) {
        pki_done(&certs[i]);
    }
}

/* The same name and key, as an authority that renews its root: only the bytes differ. */
static void an_anchor_is_meant_by_its_bytes(void)
{
    MT_DEFER(mt_x509_free) struct mt_x509 *a = NULL;
    MT_DEFER(mt_x509_free) struct mt_x509 *b = NULL;
    struct pki_cert renewed = root;
    renewed.der[renewed.len - 1] ^= 1; /* of its signature, which nobody checks in an anchor */
    OK(mt_x509_parse(pki_der(&root), &a));
    OK(mt_x509_parse(pki_der(&renewed), &b));
    MT_ASSERT(mt_x509_equal(a, a) && !mt_x509_equal(a, b));
}

static void time_is_the_callers(void)
{
    struct question q = good();
    q.needs_crls = false;
    q.now_ms = now_ms - 10 * day_ms;
    MT_ASSERT(ask(&q) == MT_X509_SOUND);
    q.now_ms -= 1000;
    MT_ASSERT(ask(&q) == MT_X509_NOT_YET_VALID);
    q.now_ms = now_ms + 10 * day_ms - 1;
    MT_ASSERT(ask(&q) == MT_X509_SOUND);
    q.now_ms += 1;
    MT_ASSERT(ask(&q) == MT_X509_EXPIRED);
    q.now_ms = 0;
    MT_ASSERT(ask(&q) == MT_X509_NOT_YET_VALID);
}

static void what_is_revoked_is_refused_at_every_place_of_the_chain(void)
{
    static const uint32_t leafs[] = {77, 0x1234};
    static const uint32_t authorities[] = {2};
    uint8_t room[PKI_CRL_MAX];
    struct question q = good();
    q.crls[1] = list_of(&authority, leafs, 2, room);
    MT_ASSERT(ask(&q) == MT_X509_REVOKED);
    q.needs_crls = false;
    MT_ASSERT(ask(&q) == MT_X509_SOUND);
    q = good();
    q.crls[0] = list_of(&root, authorities, 1, room);
    MT_ASSERT(ask(&q) == MT_X509_REVOKED);
}

static void a_list_that_is_missing_forged_or_old_is_refused(void)
{
    uint8_t room[PKI_CRL_MAX];
    struct question q = good();
    q.crls_count = 1;
    MT_ASSERT(ask(&q) == MT_X509_CRL_MISSING);
    q.crls_count = 0;
    MT_ASSERT(ask(&q) == MT_X509_CRL_MISSING);
    q = good();
    q.crls[0] = list_of(&false_root, NULL, 0, room); /* of the same name */
    MT_ASSERT(ask(&q) == MT_X509_CRL_MISSING);
    q = good();
    const struct pki_list old = {&root, now_ms - 9 * day_ms, now_ms - day_ms, NULL, 0};
    q.crls[0] = pki_crl(&old, (mt_span){room, sizeof room});
    MT_ASSERT(ask(&q) == MT_X509_CRL_EXPIRED);
    const struct pki_list early = {&root, now_ms + day_ms, now_ms + 2 * day_ms, NULL, 0};
    q.crls[0] = pki_crl(&early, (mt_span){room, sizeof room});
    MT_ASSERT(ask(&q) == MT_X509_CRL_EXPIRED);
    const struct pki_list endless = {&root, now_ms - day_ms, 0, NULL, 0};
    q.crls[0] = pki_crl(&endless, (mt_span){room, sizeof room});
    MT_ASSERT(ask(&q) == MT_X509_MALFORMED);
}

static void a_damaged_list_is_refused(void)
{
    uint8_t room[PKI_CRL_MAX + 1];
    struct question q = good();
    memcpy(room, root_crl.ptr, root_crl.len);
    room[root_crl.len] = 0;
    for (size_t len = 0; len < root_crl.len; len += 7) {
        q.crls[0] = (mt_bytes){room, len};
        MT_ASSERT(ask(&q) == MT_X509_MALFORMED);
    }
    q.crls[0] = (mt_bytes){room, root_crl.len + 1};
    MT_ASSERT(ask(&q) == MT_X509_MALFORMED);
    q.crls[0].len = root_crl.len;
    for (size_t i = 0; i < root_crl.len; i++) {
        room[i] ^= 1;
        MT_ASSERT(ask(&q) != MT_X509_SOUND);
        room[i] ^= 1;
    }
    MT_ASSERT(ask(&q) == MT_X509_SOUND);
}

static void weak_keys_and_hashes_are_untrusted(void)
{
    struct pki_cert weak;
    struct mt_x509 *c = NULL;
    const struct pki_wish sha1 = {.name = "Old", .key = PKI_P256, .is_sha1 = true, .serial = 4};
    const struct pki_wish rsa = {.name = "Short", .key = PKI_RSA_1024, .serial = 5};
    pki_make(&sha1, &root, &weak);
    struct question q = {.certs = {&weak, &root}, .count = 2, .anchor = &root, .now_ms = now_ms};
    MT_ASSERT(ask(&q) == MT_X509_UNTRUSTED);
    pki_done(&weak);
    pki_make(&rsa, &root, &weak);
    MT_ASSERT(mt_failed(mt_x509_parse(pki_der(&weak), &c)) && c == NULL);
    pki_done(&weak);
}

static void a_chain_signed_with_pss_is_verified(void)
{
    struct pki_cert maker;
    struct pki_cert chip;
    const struct pki_wish ca = {
        .name = "Maker", .key = PKI_RSA_2048, .is_ca = true, .is_pss = true, .serial = 1};
    const struct pki_wish vek = {.name = "Chip", .key = PKI_P384, .is_pss = true, .serial = 0};
    pki_make(&ca, NULL, &maker);
    pki_make(&vek, &maker, &chip);
    struct question q = {.certs = {&chip, &maker}, .count = 2, .anchor = &maker, .now_ms = now_ms};
    MT_ASSERT(ask(&q) == MT_X509_SOUND);
    chip.der[chip.len - 1] ^= 1; /* of the signature */
    MT_ASSERT(ask(&q) == MT_X509_UNTRUSTED);
    pki_done(&maker);
    pki_done(&chip);
}

/* One more extension in an authority and in its leaf; some make the chain worthless, some are for
 * OpenSSL to judge, and a few are understood in haste. */
static void ask_with(const char *oid, mt_bytes value, uint32_t serial)
{
    static struct pki_cert certs[2];
    const struct pki_extension more = {oid, value};
    bool is_constraint = strcmp(oid, "2.5.29.19") == 0 || strcmp(oid, "2.5.29.15") == 0;
    const struct pki_wish ca = {.name = "Below",
                                .key = PKI_P256,
                                .is_ca = !is_constraint,
                                .serial = serial,
                                .extensions = &more,
                                .extensions_count = 1};
    const struct pki_wish end = {.name = "End",
                                 .key = PKI_P256,
                                 .serial = serial,
                                 .extensions = &more,
                                 .extensions_count = 1};
    pki_make(&ca, &root, &certs[0]);
    pki_make(&end, &certs[0], &certs[1]);
    struct question q = {
        .certs = {&certs[1], &certs[0], &root}, .count = 3, .anchor = &root, .now_ms = now_ms};
    (void)ask(&q);
    q.certs[0] = &certs[0];
    q.certs[1] = &root;
    q.count = 2;
    (void)ask(&q);
    pki_done(&certs[0]);
    pki_done(&certs[1]);
}

static void nothing_is_overlooked_in_haste(void)
{
    static const struct {
        const char *oid;
        mt_bytes value;
    } more[] = {
        {"2.5.29.14", {(const uint8_t *)"\x04\x02id", 4}},
        {"2.5.29.15", {(const uint8_t *)"\x03\x02\x01\x06", 4}},
        {"2.5.29.19", {(const uint8_t *)"\x30\x06\x01\x01\xff\x02\x01\x00", 8}},
        {"2.5.29.31", {(const uint8_t *)"\x30\x09\x30\x07\xa0\x05\xa0\x03\x86\x01/", 11}},
        {"2.5.29.35", {(const uint8_t *)"\x30\x04\x80\x02id", 6}},
        {"2.5.29.30", {(const uint8_t *)"\x30\x07\xa0\x05\x30\x03\x82\x01x", 9}},
        {"2.5.29.37", {(const uint8_t *)"\x30\x04\x06\x02\x2a\x03", 6}},
        {"1.3.6.1.4.1.3704.1.1", {(const uint8_t *)"\x02\x01\x00", 3}},
        {"1.3.6.1.4.1.3705.1.1", {(const uint8_t *)"\x02\x01\x00", 3}},
    };
    size_t before = quick_count;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        uint8_t room[32];
        const mt_bytes value = more[i].value;
        memcpy(room, value.ptr, value.len);
        ask_with(more[i].oid, (mt_bytes){room, value.len}, 0);
        for (size_t at = 0; at < value.len; at++) {
            uint8_t flip = (uint8_t)(1U << (at + i) % 8);
            room[at] ^= flip;
            ask_with(more[i].oid, (mt_bytes){room, value.len}, (uint32_t)at);
            room[at] ^= flip;
        }
    }
    MT_ASSERT(quick_count > before + 10);
}

static void what_is_plain_takes_no_openssl(void)
{
    struct question q = good();
    size_t before = quick_count;
    MT_ASSERT(ask(&q) == MT_X509_SOUND && quick_count == before + 1);
    q.count = 2; /* the way is not all there: OpenSSL finds it */
    MT_ASSERT(ask(&q) == MT_X509_SOUND && quick_count == before + 1);
}

/* Two authorities of one name: what one has signed is remembered, and for the other means nothing.
 */
static void a_signature_is_remembered_for_its_key_alone(void)
{
    const struct pki_cert *const roots[] = {&root, &false_root};
    struct mt_x509_memo memo = {.count = 0};
    for (size_t i = 0; i < 2; i++) {
        MT_DEFER(mt_x509_chain_free) struct mt_x509_chain chain = {.count = 0};
        OK(mt_x509_chain_add(&chain, pki_der(&authority)));
        OK(mt_x509_chain_add(&chain, pki_der(roots[i])));
        const struct mt_x509 *const anchors[] = {chain.certs[1]};
        const struct mt_x509_trust trust = {anchors, 1, NULL, 0, false, now_ms, &memo};
        MT_ASSERT(mt_x509_is_quickly_sound(&chain, &trust) == (i == 0) && memo.count == 1);
    }
}

static void a_certificate_says_what_is_in_it(void)
{
    MT_DEFER(mt_x509_free) struct mt_x509 *c = NULL;
    struct mt_x509_validity v;
    mt_bytes got;
    OK(mt_x509_parse(pki_der(&leaf), &c));
    MT_ASSERT(mt_bytes_equal(mt_x509_der(c), pki_der(&leaf)));
    MT_ASSERT(mt_bytes_equal(mt_x509_serial(c), MT_LITERAL("\x12\x34")));
    OK(mt_x509_subject_name(c, &got));
    MT_ASSERT(mt_bytes_equal(got, MT_LITERAL("Leaf")));
    OK(mt_x509_issuer_name(c, &got));
    MT_ASSERT(mt_bytes_equal(got, MT_LITERAL("CA")));
    OK(mt_x509_extension(c, own_oid, &got));
    MT_ASSERT(mt_bytes_equal(got, MT_LITERAL("\x04\x02hi")));
    mt_err e = mt_x509_extension(c, "1.2.840.113741.1.13.2", &got);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_NOTFOUND);
    OK(mt_x509_validity(c, &v));
    MT_ASSERT(v.not_before_ms == now_ms - 10 * day_ms && v.not_after_ms == now_ms + 10 * day_ms);
    const struct mt_pubkey *key = mt_x509_key(c);
    MT_ASSERT(mt_pubkey_kind(key) == MT_PUBKEY_P256 && mt_pubkey_bits(key) == 256);
}

static void an_extension_that_stands_twice_is_none(void)
{
    struct pki_cert twice;
    MT_DEFER(mt_x509_free) struct mt_x509 *c = NULL;
    mt_bytes got;
    const struct pki_extension both[] = {{own_oid, MT_LITERAL("a")}, {own_oid, MT_LITERAL("b")}};
    const struct pki_wish wish = {
        .name = "Twice", .key = PKI_P256, .serial = 3, .extensions = both, .extensions_count = 2};
    pki_make(&wish, &root, &twice);
    OK(mt_x509_parse(pki_der(&twice), &c));
    mt_err e = mt_x509_extension(c, own_oid, &got);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_FORMAT);
    pki_done(&twice);
}

static void a_certificate_has_one_encoding(void)
{
    uint8_t room[PKI_DER_MAX];
    struct mt_x509 *c = NULL;
    memcpy(room, leaf.der, leaf.len);
    room[leaf.len] = 0;
    for (size_t len = 0; len <= leaf.len + 1; len++) {
        if (len != leaf.len) {
            MT_ASSERT(mt_failed(mt_x509_parse((mt_bytes){room, len}, &c)) && c == NULL);
        }
    }
    struct question q = good();
    struct pki_cert flipped = leaf;
    q.certs[0] = &flipped;
    for (size_t i = 0; i < leaf.len; i++) {
        flipped.der[i] ^= 1;
        if (!mt_failed(mt_x509_parse(pki_der(&flipped), &c))) {
            mt_x509_free(&c);
            MT_ASSERT(ask(&q) != MT_X509_SOUND);
        }
        flipped.der[i] ^= 1;
    }
}

static bool is_read(mt_bytes pem, size_t count)
{
    struct mt_x509_chain chain = {.count = 0};
    mt_err e = mt_x509_chain_parse(pem, &chain);
    bool is_good = !mt_failed(e);
    MT_ASSERT(is_good ? chain.count > 0 : chain.count == 0);
    is_good = is_good && chain.count == count;
    mt_x509_chain_free(&chain);
    return is_good;
}

static mt_bytes joined(mt_bytes a, mt_bytes b, mt_bytes c)
{
    static uint8_t room[3 * PKI_PEM_MAX];
    mt_bytes all;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, a);
    mt_write_bytes(&w, b);
    mt_write_bytes(&w, c);
    OK(mt_write_end(&w, &all));
    return all;
}

static void pem_is_certificates_and_nothing_else(void)
{
    const struct pki_cert *const all[] = {&leaf, &authority, &root};
    static uint8_t room[PKI_PEM_MAX];
    const mt_bytes none = {NULL, 0};
    const mt_bytes pem = pki_pem(all, 3, (mt_span){room, sizeof room});
    MT_ASSERT(is_read(pem, 3));
    MT_ASSERT(is_read((mt_bytes){pem.ptr, pem.len - 1}, 3)); /* no line end */
    MT_ASSERT(is_read(joined(pem, MT_LITERAL("\n\r\n\n"), none), 3));
    MT_ASSERT(is_read(joined(pem, MT_LITERAL("\0"), none), 3));
    MT_ASSERT(is_read(joined(pem, MT_LITERAL("\n\0"), none), 3));
    MT_ASSERT(!is_read(joined(pem, MT_LITERAL("\0\0"), none), 3));
    MT_ASSERT(!is_read(joined(pem, MT_LITERAL("\0\n"), none), 3));
    MT_ASSERT(!is_read(joined(pem, MT_LITERAL(" \n"), none), 3));
    MT_ASSERT(!is_read(joined(pem, MT_LITERAL("x"), none), 3));
    MT_ASSERT(!is_read(joined(MT_LITERAL("\n"), pem, none), 3));
    MT_ASSERT(!is_read(joined(pem, MT_LITERAL("\n"), pem), 6));
    MT_ASSERT(is_read(joined(pem, pem, none), 6));
    MT_ASSERT(!is_read(joined(pem, pem, pem), 9)); /* more than a chain holds */
    MT_ASSERT(!is_read(none, 0));
    MT_ASSERT(!is_read(MT_LITERAL("\0"), 0));
}

static void every_truncation_of_pem_is_refused_or_a_shorter_chain(void)
{
    const struct pki_cert *const all[] = {&leaf, &root};
    static uint8_t room[PKI_PEM_MAX];
    const mt_bytes pem = pki_pem(all, 2, (mt_span){room, sizeof room});
    const uint8_t *second = memmem(pem.ptr + 1, pem.len - 1, "-----BEGIN", 10);
    size_t first_len = (size_t)(second - pem.ptr);
    for (size_t len = 0; len < pem.len - 1; len++) {
        bool is_first = len == first_len || len == first_len - 1;
        MT_ASSERT(is_read((mt_bytes){pem.ptr, len}, 1) == is_first);
    }
}

/* Base64 has bits that say nothing, and so has its layout: no other text gives the same chain. */
static void every_flipped_bit_of_pem_is_refused_or_another_certificate(void)
{
    const struct pki_cert *const all[] = {&leaf, &root};
    static uint8_t room[PKI_PEM_MAX];
    const mt_bytes pem = pki_pem(all, 2, (mt_span){room, sizeof room});
    for (size_t bit = 0; bit < pem.len * 8; bit++) {
        struct mt_x509_chain chain = {.count = 0};
        room[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        if (!mt_failed(mt_x509_chain_parse(pem, &chain))) {
            MT_ASSERT(chain.count == 2);
            MT_ASSERT(!mt_bytes_equal(mt_x509_der(chain.certs[0]), pki_der(&leaf)) ||
                      !mt_bytes_equal(mt_x509_der(chain.certs[1]), pki_der(&root)));
        }
        mt_x509_chain_free(&chain);
        room[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_chain_leads_to_the_anchor_that_was_given_and_to_no_other),
        MT_TEST(nothing_is_trusted_without_anchors_or_certificates),
        MT_TEST(a_leaf_signs_no_certificates),
        MT_TEST(an_authority_signs_no_more_of_its_kind_than_it_may),
        MT_TEST(nothing_is_overlooked_in_haste),
        MT_TEST(what_is_plain_takes_no_openssl),
        MT_TEST(a_signature_is_remembered_for_its_key_alone),
        MT_TEST(an_anchor_is_meant_by_its_bytes),
        MT_TEST(time_is_the_callers),
        MT_TEST(what_is_revoked_is_refused_at_every_place_of_the_chain),
        MT_TEST(a_list_that_is_missing_forged_or_old_is_refused),
        MT_TEST(a_damaged_list_is_refused),
        MT_TEST(weak_keys_and_hashes_are_untrusted),
        MT_TEST(a_chain_signed_with_pss_is_verified),
        MT_TEST(a_certificate_says_what_is_in_it),
        MT_TEST(an_extension_that_stands_twice_is_none),
        MT_TEST(a_certificate_has_one_encoding),
        MT_TEST(pem_is_certificates_and_nothing_else),
        MT_TEST(every_truncation_of_pem_is_refused_or_a_shorter_chain),
        MT_TEST(every_flipped_bit_of_pem_is_refused_or_another_certificate),
    };
    OK(mt_crypto_init(pki_random, NULL));
    make_world();
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    end_world();
    mt_crypto_done();
    return rc;
}
