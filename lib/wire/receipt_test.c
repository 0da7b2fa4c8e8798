/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/receipt.h"

#include <string.h>

#include "base/assert.h"
#include "unit/mangle.h"
#include "unit/runner.h"
#include "vectors/wire_formats.h"
#include "wire/cose.h"

static uint8_t room[8192];

static mt_hash hash_of(uint8_t first)
{
    mt_hash h;
    memset(h.b, first, sizeof h.b);
    return h;
}

static mt_bytes written(struct mt_writer *w)
{
    mt_bytes out;
    MT_ASSERT(!mt_failed(mt_write_end(w, &out)));
    return out;
}

static const struct mt_receipt *good_receipt(void)
{
    static const uint8_t key[MT_RECEIPT_SPKI_BYTES] = {0x30, 0x59};
    static struct mt_receipt r;
    r = (struct mt_receipt){.signed_ = MT_LITERAL("signed"),
                            .entry = {.txid = 18, .write_set_hash = hash_of(1)},
                            .item_hashes = {hash_of(2), hash_of(3), hash_of(4)},
                            .item_hashes_count = 3,
                            .shown = {{.index = 0, .item = MT_LITERAL("first")},
                                      {.index = 2, .item = MT_LITERAL("third")}},
                            .shown_count = 2,
                            .service_key = MT_BYTES_OF(key),
                            .incarnation = hash_of(5),
                            .format = MT_LITERAL("soft"),
                            .evidence = MT_LITERAL("evidence"),
                            .endorsements = {MT_LITERAL("endorsed")},
                            .endorsements_count = 1,
                            .configuration = hash_of(6)};
    return &r;
}

static bool receipt_comes_back(const uint8_t *bytes, size_t len)
{
    struct mt_receipt r;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (mt_failed(mt_receipt_parse((mt_bytes){bytes, len}, &r))) {
        return false;
    }
    mt_receipt_write(&w, &r);
    MT_ASSERT(mt_bytes_equal(written(&w), (mt_bytes){bytes, len}));
    return true;
}

static void a_receipt_comes_back(void)
{
    uint8_t own[2048];
    struct mt_receipt r;
    struct mt_writer w = mt_writer_over((mt_span){own, sizeof own});
    mt_receipt_write(&w, good_receipt());
    mt_bytes out = written(&w);
    MT_ASSERT(!mt_failed(mt_receipt_parse(out, &r)));
    MT_ASSERT(r.entry.txid == 18 && r.item_hashes_count == 3 && r.shown_count == 2);
    MT_ASSERT(r.shown[1].index == 2 && mt_bytes_equal(r.shown[1].item, MT_LITERAL("third")));
    MT_ASSERT(mt_bytes_equal(r.format, MT_LITERAL("soft")) && r.endorsements_count == 1);
    mt_mangle_length(receipt_comes_back, out.ptr, out.len);
    MT_ASSERT(mt_mangle_bits(receipt_comes_back, out.ptr, out.len) > (size_t)8 * 32 * 6);
}

static mt_err try_write(const struct mt_receipt *r)
{
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_receipt_write(&w, r);
    return mt_write_end(&w, &out);
}

static void what_no_parser_takes_is_not_written(void)
{
    struct mt_receipt r = *good_receipt();
    MT_ASSERT(!mt_failed(try_write(&r)));
    r.entry.txid = 0;
    MT_ASSERT(mt_failed(try_write(&r)));
    r = *good_receipt();
    r.service_key.len--;
    MT_ASSERT(mt_failed(try_write(&r)));
    r = *good_receipt();
    r.shown[1].index = 0; /* twice */
    MT_ASSERT(mt_failed(try_write(&r)));
    r = *good_receipt();
    r.shown[0].index = 2; /* not in order */
    r.shown[1].index = 1;
    MT_ASSERT(mt_failed(try_write(&r)));
    r = *good_receipt();
    r.shown[1].index = 3; /* not there */
    MT_ASSERT(mt_failed(try_write(&r)));
    r = *good_receipt();
    r.format = MT_LITERAL("Soft");
    MT_ASSERT(mt_failed(try_write(&r)));
}

/* The same checks, met by the parser: each field of a written receipt is changed in place. */
static void what_no_writer_makes_is_refused_with_its_words(void)
{
    static const struct {
        const char *from;
        const char *to;
        size_t len;
        const char *what;
    } changes[] = {
        {"\x01\x01\x02\x46", "\x01\x02\x02\x46", 4, "this receipt is of another version"},
        {"\x03\x83\x12\x58", "\x03\x83\x00\x58", 4,
         "a receipt for no transaction: they count from 1"},
        {"\x83\x02\x50", "\x83\x03\x50", 3, "a receipt shows an item that the transaction has not"},
        {"\x83\x02\x50", "\x83\x17\x50", 3, "a receipt shows an item that the transaction has not"},
        {"\x83\x02\x50", "\x83\x00\x50", 3, "the items that a receipt shows are not in order"},
        {"\xa9\x01", "\xa8\x01", 2, "a receipt has nine fields"},
        {"\x83\x64soft", "\x82\x64soft", 6, "an array in a receipt has the wrong length"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        uint8_t own[2048];
        struct mt_receipt r = {.shown_count = 7};
        struct mt_writer w = mt_writer_over((mt_span){own, sizeof own});
        mt_receipt_write(&w, good_receipt());
        mt_bytes out = written(&w);
        uint8_t *at = memmem(own, out.len, changes[i].from, changes[i].len);
        MT_ASSERT(at != NULL);
        memcpy(at, changes[i].to, changes[i].len);
        mt_err e = mt_receipt_parse(out, &r);
        MT_ASSERT(mt_failed(e) && strcmp(e.fault->what, changes[i].what) == 0);
        MT_ASSERT(r.shown_count == 7);
    }
}

static void a_receipt_beyond_its_limit_is_refused_unread(void)
{
    static uint8_t big[MT_RECEIPT_BYTES_MAX + 1];
    struct mt_receipt r = {.shown_count = 7};
    mt_err e = mt_receipt_parse(MT_BYTES_OF(big), &r);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT && r.shown_count == 7);
}

static bool header_comes_back(const uint8_t *bytes, size_t len)
{
    struct mt_receipt_header h;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (mt_failed(mt_receipt_header_parse((mt_bytes){bytes, len}, &h))) {
        return false;
    }
    mt_receipt_header_write(&w, &h);
    MT_ASSERT(mt_bytes_equal(written(&w), (mt_bytes){bytes, len}));
    return true;
}

static void the_protected_header_says_what_the_root_stands_for(void)
{
    uint8_t own[256];
    const struct mt_receipt_header h = {hash_of(1), hash_of(2), 3, 1000, 1700000000000};
    struct mt_receipt_header back;
    struct mt_writer w = mt_writer_over((mt_span){own, sizeof own});
    mt_receipt_header_write(&w, &h);
    mt_bytes out = written(&w);
    /* {1: -7, 4: ..., 15: {-65537: ...}, ... 395: 1} */
    MT_ASSERT(mt_bytes_start_with(out, MT_LITERAL("\xa4\x01\x26\x04\x58\x20\x01")));
    MT_ASSERT(memmem(own, out.len, "\x0f\xa4\x3a\x00\x01\x00\x00\x58\x20\x02", 10) == own + 38);
    MT_ASSERT(mt_bytes_equal((mt_bytes){own + out.len - 4, 4}, MT_LITERAL("\x19\x01\x8b\x01")));
    MT_ASSERT(!mt_failed(mt_receipt_header_parse(out, &back)));
    MT_ASSERT(back.recovery_epoch == 3 && back.tree_size == 1000 && back.time_ms == h.time_ms);
    MT_ASSERT(mt_hash_equal(&back.kid, &h.kid) && mt_hash_equal(&back.cluster, &h.cluster));
    mt_mangle_length(header_comes_back, out.ptr, out.len);
    MT_ASSERT(mt_mangle_bits(header_comes_back, out.ptr, out.len) >= (size_t)8 * 64);
}

static bool proof_comes_back(const uint8_t *bytes, size_t len)
{
    static struct mt_receipt_proof p;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (mt_failed(mt_receipt_proof_parse((mt_bytes){bytes, len}, &p))) {
        return false;
    }
    mt_receipt_proof_write(&w, &p);
    MT_ASSERT(mt_bytes_equal(written(&w), (mt_bytes){bytes, len}));
    return true;
}

static void a_proof_of_every_length_comes_back(void)
{
    static struct mt_receipt_proof p;
    static struct mt_receipt_proof back;
    static uint8_t own[4096];
    for (size_t count = 0; count <= MT_RECEIPT_PATH_MAX; count++) {
        p = (struct mt_receipt_proof){
            .tree_size = UINT64_MAX, .leaf_index = UINT64_MAX - 1, .path_count = count};
        for (size_t i = 0; i < count; i++) {
            p.path[i] = hash_of((uint8_t)i);
        }
        struct mt_writer w = mt_writer_over((mt_span){own, sizeof own});
        mt_receipt_proof_write(&w, &p);
        mt_bytes out = written(&w);
        MT_ASSERT(!mt_failed(mt_receipt_proof_parse(out, &back)) && back.path_count == count);
        MT_ASSERT(count == 0 || mt_hash_equal(&back.path[count - 1], &p.path[count - 1]));
        if (count < 4) {
            mt_mangle_length(proof_comes_back, out.ptr, out.len);
            MT_ASSERT(mt_mangle_bits(proof_comes_back, out.ptr, out.len) >= 256 * count);
        }
    }
}

static void a_proof_for_a_leaf_outside_of_the_tree_is_refused(void)
{
    const struct mt_receipt_proof p = {.tree_size = 7, .leaf_index = 7};
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_receipt_proof_write(&w, &p);
    MT_ASSERT(mt_failed(mt_write_end(&w, &out)));
    static struct mt_receipt_proof back;
    mt_err e = mt_receipt_proof_parse(
        MT_LITERAL("\xa1\x19\x01\x8c\xa1\x20\x81\x44\x83\x07\x07\x80"), &back);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_FORMAT);
    MT_ASSERT(!mt_failed(mt_receipt_proof_parse(
        MT_LITERAL("\xa1\x19\x01\x8c\xa1\x20\x81\x44\x83\x07\x06\x80"), &back)));
    MT_ASSERT(back.tree_size == 7 && back.leaf_index == 6);
}

static bool is_hex(mt_bytes b, const char *hex)
{
    static uint8_t digits[8192];
    struct mt_writer w = mt_writer_over((mt_span){digits, sizeof digits});
    mt_hex_write(&w, b);
    return mt_bytes_equal(written(&w), mt_bytes_of_text(hex));
}

/* spec/receipt.md; the bytes come from a program that shares nothing with us. */
static void the_example_of_the_specification_is_read(void)
{
    static uint8_t bytes[(sizeof MT_VECTOR_RECEIPT - 1) / 2];
    static struct mt_receipt r;
    static struct mt_receipt_proof p;
    struct mt_receipt_header h;
    struct mt_cose_sign1 m;
    mt_hash claims;
    const mt_span in = {bytes, sizeof bytes};
    MT_ASSERT(!mt_failed(mt_hex_parse(MT_LITERAL(MT_VECTOR_RECEIPT), in)));
    MT_ASSERT(receipt_comes_back(bytes, sizeof bytes));
    MT_ASSERT(!mt_failed(mt_receipt_parse(mt_bytes_of(in), &r)));
    MT_ASSERT(r.item_hashes_count == 2 && r.shown_count == 1 && r.shown[0].index == 1);
    MT_ASSERT(is_hex(mt_hash_bytes(&r.item_hashes[1]), MT_VECTOR_ITEM_HASH));
    MT_ASSERT(is_hex(r.shown[0].item, MT_VECTOR_RUN_CLAIM));
    MT_ASSERT(!mt_failed(mt_cose_sign1_parse(r.signed_, &m)) && m.is_detached);
    MT_ASSERT(is_hex(m.protected_, MT_VECTOR_RECEIPT_HEADER));
    MT_ASSERT(is_hex(m.unprotected, MT_VECTOR_RECEIPT_PROOF));
    MT_ASSERT(!mt_failed(mt_receipt_header_parse(m.protected_, &h)) && h.tree_size == 3);
    MT_ASSERT(!mt_failed(mt_receipt_proof_parse(m.unprotected, &p)) && p.leaf_index == 2);
    MT_ASSERT(!mt_failed(
        mt_hex_parse(MT_LITERAL(MT_VECTOR_CLAIMS), (mt_span){claims.b, sizeof claims.b})));
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_receipt_entry_write(&w, &r.entry, &claims);
    MT_ASSERT(is_hex(written(&w), MT_VECTOR_ENTRY));
    mt_hash root;
    MT_ASSERT(
        !mt_failed(mt_hex_parse(MT_LITERAL(MT_VECTOR_ROOT), (mt_span){root.b, sizeof root.b})));
    w = mt_writer_over((mt_span){room, sizeof room});
    mt_cose_tbs_write(&w, m.protected_, MT_LITERAL("mesatee-receipt-v1"), mt_hash_bytes(&root));
    MT_ASSERT(is_hex(written(&w), MT_VECTOR_RECEIPT_TBS));
}

static void an_entry_has_its_eighty_eight_bytes_in_order(void)
{
    struct mt_receipt_entry e = {.txid = 0x0102030405060708, .write_set_hash = hash_of(0xaa)};
    const mt_hash claims = hash_of(0xcc);
    memset(e.nonce.b, 0xbb, sizeof e.nonce.b);
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_receipt_entry_write(&w, &e, &claims);
    mt_bytes out = written(&w);
    MT_ASSERT(out.len == 88);
    MT_ASSERT(mt_bytes_start_with(out, MT_LITERAL("\1\2\3\4\5\6\7\x08\xaa")));
    MT_ASSERT(out.ptr[39] == 0xaa && out.ptr[40] == 0xbb && out.ptr[55] == 0xbb);
    MT_ASSERT(out.ptr[56] == 0xcc && out.ptr[87] == 0xcc);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_receipt_comes_back),
        MT_TEST(what_no_parser_takes_is_not_written),
        MT_TEST(what_no_writer_makes_is_refused_with_its_words),
        MT_TEST(a_receipt_beyond_its_limit_is_refused_unread),
        MT_TEST(the_protected_header_says_what_the_root_stands_for),
        MT_TEST(a_proof_of_every_length_comes_back),
        MT_TEST(a_proof_for_a_leaf_outside_of_the_tree_is_refused),
        MT_TEST(the_example_of_the_specification_is_read),
        MT_TEST(an_entry_has_its_eighty_eight_bytes_in_order),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
