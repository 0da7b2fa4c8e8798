/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/signed.h"

#include "attest/world_test.h"
#include "unit/mangle.h"
#include "unit/scarce.h"
#include "wire/cose.h"

static const mt_bytes payload = {(const uint8_t *)"I approve", 9};

static mt_err parse(mt_bytes in)
{
    mt_spki signer;
    mt_bytes got;
    return mt_signed_parse(in, MT_LABEL_APPROVAL, &signer, &got);
}

static void what_was_signed_is_read_back_with_its_signer(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(1024);
    const mt_spki owner = spki_of(OWNER);
    mt_spki signer;
    mt_bytes got;
    mt_bytes s = statement(&room, OWNER, MT_LABEL_APPROVAL, payload);
    OK(mt_signed_parse(s, MT_LABEL_APPROVAL, &signer, &got));
    MT_ASSERT(mt_bytes_equal(got, payload));
    MT_ASSERT(mt_bytes_equal(mt_spki_bytes(&signer), mt_spki_bytes(&owner)));
}

static bool is_good(const uint8_t *bytes, size_t len)
{
    return !mt_failed(parse((mt_bytes){bytes, len}));
}

static void every_truncation_and_every_flipped_bit_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(1024);
    mt_bytes s = statement(&room, OWNER, MT_LABEL_APPROVAL, payload);
    mt_mangle_length(is_good, s.ptr, s.len);
    MT_ASSERT(mt_mangle_some_bits(is_good, s.ptr, s.len, step) == 0);
}

static void a_statement_for_one_purpose_is_good_for_no_other(void)
{
    for (int i = 0; i < MT_LABEL_COUNT; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(1024);
        mt_err e = parse(statement(&room, OWNER, (enum mt_label)i, payload));
        MT_ASSERT(i == MT_LABEL_APPROVAL ? !mt_failed(e) : is_code(e, MT_E_PROOF));
    }
}

/* The parts of a statement, put together by hand. */
struct parts {
    uint64_t count;
    enum party carried; /* key */
    enum party named;   /* in the protected header */
    mt_bytes unprotected;
    bool is_detached;
};

static mt_bytes put_together(struct mt_buf *room, const struct parts *p)
{
    uint8_t head_room[64];
    uint8_t tbs_room[256];
    uint8_t message_room[512];
    uint8_t signature[MT_SIGNATURE_LEN];
    const mt_hash kid = subject_of(p->named);
    const mt_spki carried = spki_of(p->carried);
    struct mt_writer head = mt_writer_over((mt_span){head_room, sizeof head_room});
    struct mt_writer tbs = mt_writer_over((mt_span){tbs_room, sizeof tbs_room});
    struct mt_writer message = mt_writer_over((mt_span){message_room, sizeof message_room});
    struct mt_writer w = mt_writer_onto(room);
    mt_cose_protected_write(&head, mt_hash_bytes(&kid));
    mt_cose_tbs_write(&tbs, written(&head), mt_label_bytes(MT_LABEL_APPROVAL), payload);
    OK(mt_sign(keys[p->carried], written(&tbs), signature));
    const struct mt_cose_sign1 m = {written(&head), p->unprotected, payload, p->is_detached,
                                    MT_BYTES_OF(signature)};
    mt_cose_sign1_write(&message, &m);
    mt_cbor_write_array(&w, p->count);
    mt_cbor_write_bytes(&w, mt_spki_bytes(&carried));
    if (p->count == 2) {
        mt_cbor_write_bytes(&w, written(&message));
    }
    return written(&w);
}

static void parts_that_do_not_belong_together_are_refused(void)
{
    const mt_bytes none = MT_LITERAL("\xa0");
    const struct parts good = {2, OWNER, OWNER, none, false};
    const struct parts another_key_named = {2, STRANGER, OWNER, none, false};
    const struct parts a_note_beside = {2, OWNER, OWNER, MT_LITERAL("\xa1\x05\x40"), false};
    const struct parts detached = {2, OWNER, OWNER, none, true};
    const struct parts one_part = {1, OWNER, OWNER, none, false};
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(1024);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(1024);
    MT_DEFER(mt_buf_free) struct mt_buf c = mt_buf_of_max(1024);
    MT_DEFER(mt_buf_free) struct mt_buf d = mt_buf_of_max(1024);
    MT_DEFER(mt_buf_free) struct mt_buf e = mt_buf_of_max(1024);
    OK(parse(put_together(&a, &good)));
    MT_ASSERT(is_code(parse(put_together(&b, &another_key_named)), MT_E_PROOF));
    MT_ASSERT(is_code(parse(put_together(&c, &a_note_beside)), MT_E_FORMAT));
    MT_ASSERT(is_code(parse(put_together(&d, &detached)), MT_E_FORMAT));
    MT_ASSERT(is_code(parse(put_together(&e, &one_part)), MT_E_FORMAT));
}

/* Returns how many allocations were made to fail, one in each round. */
static size_t sign_in_scarcity(bool *has_signed)
{
    size_t n = 0;
    do {
        MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(1024);
        struct mt_writer w = mt_writer_onto(&room);
        mt_bytes got;
        scarce_in = ++n;
        mt_signed_write(&w, keys[OWNER], MT_LABEL_APPROVAL, payload);
        mt_err e = mt_write_end(&w, &got);
        *has_signed = !scarce_end();
        MT_ASSERT(mt_failed(e) || !mt_failed(parse(got)));
    } while (!*has_signed);
    return n;
}

static void without_memory_nothing_is_signed_and_nothing_believed(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(1024);
    mt_bytes s = statement(&room, OWNER, MT_LABEL_APPROVAL, payload);
    uint8_t *damaged = room.ptr + s.len - 1;
    bool is_done = false;
    MT_ASSERT(sign_in_scarcity(&is_done) > 3);
    *damaged ^= 1;
    is_done = false;
    for (size_t n = 1; !is_done; n++) {
        scarce_in = n;
        MT_ASSERT(mt_failed(parse(s)));
        is_done = !scarce_end();
    }
}

static void a_writer_that_has_failed_keeps_its_first_reason(void)
{
    static const struct mt_fault first = {MT_E_BUSY, 1, "here", "first"};
    uint8_t out[1];
    mt_bytes got;
    struct mt_writer w = mt_writer_over((mt_span){out, sizeof out});
    mt_write_err(&w, (mt_err){&first});
    scarce_in = 1;
    mt_signed_write(&w, keys[OWNER], MT_LABEL_APPROVAL, payload);
    MT_ASSERT(scarce_end() && is_code(mt_write_end(&w, &got), MT_E_BUSY));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(what_was_signed_is_read_back_with_its_signer),
        MT_TEST(every_truncation_and_every_flipped_bit_is_refused),
        MT_TEST(a_statement_for_one_purpose_is_good_for_no_other),
        MT_TEST(parts_that_do_not_belong_together_are_refused),
        MT_TEST(without_memory_nothing_is_signed_and_nothing_believed),
        MT_TEST(a_writer_that_has_failed_keeps_its_first_reason),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
