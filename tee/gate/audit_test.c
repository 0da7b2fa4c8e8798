/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/acts_test.h"
#include "gate/inside.h"
#include "wire/cbor.h"

/* What is written down of whom, and when; and what a repeated request is told. */

struct record {
    mt_hash subject;
    mt_bytes action;
    mt_bytes resource;
    uint64_t phase, outcome, count, first_ms;
};

enum { RECORDS_MAX = MT_GATE_NOTES_MAX + 2 };
static struct record records[RECORDS_MAX];
static struct mt_buf leaf_room;
static struct mt_ledger_leaf leaf;

static struct record read_record(struct mt_reader *r)
{
    struct record a = {.count = 0};
    uint64_t fields = 0;
    OK(mt_cbor_read_array(r, 7, &fields));
    MT_ASSERT(fields == 7);
    OK(mt_cbor_read_copy(r, (mt_span){a.subject.b, sizeof a.subject.b}));
    OK(mt_cbor_read_text(r, &a.action));
    if (r->rest.ptr[0] == 0xf6) { /* null */
        r->rest = (mt_bytes){r->rest.ptr + 1, r->rest.len - 1};
    } else {
        OK(mt_cbor_read_bytes(r, &a.resource));
    }
    OK(mt_cbor_read_uint(r, &a.phase));
    OK(mt_cbor_read_uint(r, &a.outcome));
    OK(mt_cbor_read_uint(r, &a.count));
    OK(mt_cbor_read_uint(r, &a.first_ms));
    return a;
}

/* The audit records of a durable transaction, as an auditor reads them. */
static size_t recorded(uint64_t txid)
{
    size_t count = 0;
    world_settle();
    mt_buf_free(&leaf_room);
    leaf_room = mt_buf_of_max(SIZE_MAX / 2);
    OK(mt_ledger_leaf(ledger, txid, &leaf_room, &leaf));
    for (uint32_t i = 0; i < leaf.items_count; i++) {
        struct mt_reader r = mt_reader_over(leaf.items[i]);
        uint64_t n = 0;
        mt_bytes kind;
        OK(mt_cbor_read_array(&r, 3, &n));
        OK(mt_cbor_read_text(&r, &kind));
        MT_ASSERT(n == 3 && mt_bytes_equal(kind, MT_LITERAL("audit")));
        OK(mt_cbor_read_uint(&r, &n));
        MT_ASSERT(n == 1);
        OK(mt_cbor_read_array(&r, RECORDS_MAX, &n));
        for (uint64_t k = 0; k < n; k++) {
            records[count++] = read_record(&r);
        }
        OK(mt_read_end(&r));
    }
    return count;
}

static void end(void)
{
    mt_buf_free(&leaf_room);
    world_end();
}

static void a_write_and_its_record_are_one_transaction(void)
{
    world_begin();
    world_populate();
    mt_id data = id_of(1);
    OK(enter(ask_of(ALICE, MT_RIGHT_USER)));
    OK(mt_permit_own(permit, tx, MT_REF(MT_KIND_DATA, &data)));
    uint64_t txid = commit_tx();
    MT_ASSERT(recorded(txid) == 1 && records[0].phase == MT_AUDIT_ACT && records[0].count == 1);
    MT_ASSERT(mt_hash_equal(&records[0].subject, &people[ALICE].subject));
    MT_ASSERT(mt_bytes_equal(records[0].action, MT_LITERAL("test.act")));
    MT_ASSERT(records[0].resource.len == 0 && records[0].first_ms == now_ms);
    OK(enter(ask_on(ALICE, MT_RIGHT_OWNER, MT_KIND_DATA, &data)));
    struct mt_grant g = {.right = MT_GRANT_SEE, .grantee = people[BOB].subject};
    OK(mt_permit_grant(permit, tx, MT_REF(MT_KIND_DATA, &data), &g));
    txid = commit_tx();
    MT_ASSERT(recorded(txid) == 1 && mt_bytes_equal(records[0].resource, mt_id_bytes(&data)));
    end();
}

static void a_claim_is_written_down_with_the_key_that_made_it(void)
{
    world_begin();
    offer_claim(now_ms + 1000);
    uint64_t before = mt_ledger_version(ledger);
    MT_ASSERT(mt_failed(claim(MALLORY, MT_LITERAL("wrong"))));
    MT_ASSERT(mt_ledger_version(ledger) == before);
    OK(claim(ADMIN, (mt_bytes){world_secret, sizeof world_secret}));
    MT_ASSERT(recorded(before + 1) == 1 && records[0].phase == MT_AUDIT_ACT);
    MT_ASSERT(mt_hash_equal(&records[0].subject, &people[ADMIN].subject));
    MT_ASSERT(mt_bytes_equal(records[0].action, MT_LITERAL("admin.claim")));
    end();
}

static void an_intent_is_written_before_a_key_is_released_and_a_job_starts(void)
{
    world_begin();
    world_populate();
    mt_id data = id_of(1);
    mt_id job = id_of(2);
    mt_hash digest = {{4}};
    struct mt_object_handle h;
    OK(put_data(ALICE, &data, MT_LITERAL("of alice"), &h));
    OK(open_object(reading(ask_on(ALICE, MT_RIGHT_READ, MT_KIND_DATA, &data)), &h.id));
    MT_ASSERT(recorded(mt_ledger_version(ledger)) == 1 && records[0].phase == MT_AUDIT_INTENT);
    MT_ASSERT(mt_bytes_equal(records[0].resource, mt_id_bytes(&data)));

    struct mt_grant g = {.right = MT_GRANT_RUN, .grantee = digest};
    OK(grant(ALICE, &data, &g));
    const struct mt_job_ask ask = {
        .job = job, .grantee = digest, .inputs = &data, .objects = &h.id, .inputs_count = 1};
    begin_tx();
    OK(mt_gate_admit_job(gate, tx, &ask, arena, &permit));
    uint64_t txid = commit_tx();
    MT_ASSERT(recorded(txid) == 1 && records[0].phase == MT_AUDIT_INTENT);
    MT_ASSERT(mt_bytes_equal(records[0].action, MT_LITERAL("job.start")));
    MT_ASSERT(mt_hash_equal(&records[0].subject, &digest));
    MT_ASSERT(mt_bytes_equal(records[0].resource, mt_id_bytes(&job)));
    end();
}

static void flush(void)
{
    begin_tx();
    OK(mt_gate_flush(gate, tx));
    (void)commit_tx();
    mt_gate_flushed(gate, MT_OK);
}

static mt_err refusal(void)
{
    MT_FAIL(MT_E_DENIED, "refused, says the test");
}

static void reads_and_refusals_are_collected_and_written_together(void)
{
    world_begin();
    world_populate();
    mt_id data = id_of(1);
    struct mt_ask a = looking(ask_of(ALICE, MT_RIGHT_USER));
    struct mt_ask b = looking(ask_on(BOB, MT_RIGHT_SEE, MT_KIND_DATA, &data));
    struct mt_ask c = b;
    c.action = "test.other";
    MT_ASSERT(!mt_gate_has_notes(gate));
    mt_gate_note(gate, &a, MT_OK);
    mt_gate_note(gate, &b, refusal());
    mt_gate_note(gate, &a, MT_OK);
    mt_gate_note(gate, &b, MT_OK);
    mt_gate_note(gate, &c, MT_OK);
    MT_ASSERT(mt_gate_has_notes(gate) && !mt_gate_is_full(gate));
    flush();
    MT_ASSERT(!mt_gate_has_notes(gate));
    MT_ASSERT(recorded(mt_ledger_version(ledger)) == 4);
    MT_ASSERT(records[0].phase == MT_AUDIT_READ && records[0].count == 2);
    MT_ASSERT(records[1].phase == MT_AUDIT_REFUSED && records[1].outcome == MT_E_DENIED);
    MT_ASSERT(records[1].count == 1 && mt_bytes_equal(records[1].resource, mt_id_bytes(&data)));
    MT_ASSERT(records[2].phase == MT_AUDIT_READ && records[2].outcome == 0);
    MT_ASSERT(mt_bytes_equal(records[3].action, MT_LITERAL("test.other")));
    uint64_t before = mt_ledger_version(ledger);
    begin_tx();
    OK(mt_gate_flush(gate, tx)); /* nothing to write */
    MT_ASSERT(!mt_tx_has_writes(tx));
    abort_tx();
    MT_ASSERT(mt_ledger_version(ledger) == before);
    end();
}

static void what_could_not_be_written_is_kept_and_nobody_is_let_in_meanwhile(void)
{
    world_begin();
    world_populate();
    struct mt_ask a = looking(ask_of(ALICE, MT_RIGHT_USER));
    mt_gate_note(gate, &a, MT_OK);
    begin_tx();
    OK(mt_gate_flush(gate, tx));
    abort_tx(); /* as if the ledger had refused it */
    mt_gate_flushed(gate, refusal());
    MT_ASSERT(mt_gate_has_notes(gate));
    MT_ASSERT(is_code(enter(ask_of(ALICE, MT_RIGHT_USER)), MT_E_BUSY));
    MT_ASSERT(is_code(enter(a), MT_E_BUSY));
    flush();
    MT_ASSERT(recorded(mt_ledger_version(ledger)) == 1 && records[0].count == 1);
    OK(enter(a));
    abort_tx();
    end();
}

static void a_full_collection_lets_nobody_in_and_counts_who_came(void)
{
    world_begin();
    world_populate();
    struct mt_ask a = looking(ask_on(ALICE, MT_RIGHT_SEE, MT_KIND_DATA, &(mt_id){{0}}));
    for (size_t i = 0; i < MT_GATE_NOTES_MAX; i++) {
        MT_ASSERT(!mt_gate_is_full(gate));
        a.resource.b[0] = (uint8_t)i;
        a.resource.b[1] = (uint8_t)(i >> 8);
        mt_gate_note(gate, &a, refusal());
    }
    MT_ASSERT(mt_gate_is_full(gate));
    MT_ASSERT(is_code(enter(ask_of(ALICE, MT_RIGHT_USER)), MT_E_BUSY));
    begin_tx(); /* nor is a key handed over that nobody would read of */
    MT_ASSERT(is_code(mt_gate_hand_over(gate, tx, &a), MT_E_BUSY));
    abort_tx();
    mt_gate_note(gate, &a, refusal()); /* known already: counted where it is */
    struct mt_ask b = ask_of(BOB, MT_RIGHT_USER);
    mt_gate_note(gate, &b, refusal());
    mt_gate_note(gate, &b, refusal());
    flush();
    MT_ASSERT(recorded(mt_ledger_version(ledger)) == MT_GATE_NOTES_MAX + 1);
    MT_ASSERT(records[MT_GATE_NOTES_MAX - 1].count == 2);
    MT_ASSERT(mt_bytes_equal(records[MT_GATE_NOTES_MAX].action, MT_LITERAL("gate.unlisted")));
    MT_ASSERT(records[MT_GATE_NOTES_MAX].count == 2);
    MT_ASSERT(records[MT_GATE_NOTES_MAX].outcome == MT_E_BUSY);
    OK(enter(ask_of(ALICE, MT_RIGHT_USER)));
    gate->is_behind = true; /* what was refused could not be written */
    MT_ASSERT(is_code(mt_gate_hand_over(gate, tx, &a), MT_E_BUSY));
    gate->is_behind = false;
    OK(mt_gate_hand_over(gate, tx, &a));
    abort_tx();
    flush(); /* and the count has begun anew */
    mt_gate_note(gate, &b, MT_OK);
    flush();
    MT_ASSERT(recorded(mt_ledger_version(ledger)) == 1);
    end();
}

static void strangers_are_counted_and_not_written(void)
{
    world_begin();
    world_populate();
    for (int i = 0; i < 5; i++) {
        MT_ASSERT(is_code(enter(ask_of(MALLORY, MT_RIGHT_USER)), MT_E_DENIED));
        mt_gate_note_stranger(gate);
    }
    MT_ASSERT(mt_gate_strangers(gate) == 5 && !mt_gate_has_notes(gate));
    end();
}

/* ---- Retries. */

static struct mt_ask numbered(enum person who, uint64_t number, uint8_t body)
{
    struct mt_ask a = ask_of(who, MT_RIGHT_USER);
    a.is_numbered = true;
    a.session = id_of(7);
    a.number = number;
    a.request_hash.b[0] = body;
    return a;
}

static mt_err remember(const struct mt_ask *a, mt_bytes body)
{
    MT_TRY(enter(*a));
    return leave(mt_gate_remember(gate, tx, a, 201, body));
}

static mt_err recall(const struct mt_ask *a, struct mt_recalled *out)
{
    begin_tx();
    mt_err e = mt_gate_recall(gate, tx, a, out);
    if (!mt_failed(e) && out->is_known) {
        MT_ASSERT(out->status == 201 && mt_bytes_equal(out->body, MT_LITERAL("answer")));
    }
    abort_tx();
    return e;
}

static void a_repeated_request_gets_the_same_answer_after_a_restart_too(void)
{
    world_begin();
    world_populate();
    struct mt_recalled was;
    struct mt_ask a = numbered(ALICE, 1, 1);
    OK(recall(&a, &was));
    MT_ASSERT(!was.is_known);
    OK(remember(&a, MT_LITERAL("answer")));
    OK(recall(&a, &was));
    MT_ASSERT(was.is_known);
    world_restart();
    OK(recall(&a, &was));
    MT_ASSERT(was.is_known);
    end();
}

static void another_request_with_the_same_number_is_refused(void)
{
    world_begin();
    world_populate();
    struct mt_recalled was;
    struct mt_ask a = numbered(ALICE, 1, 1);
    OK(remember(&a, MT_LITERAL("answer")));
    a = numbered(ALICE, 1, 2);
    MT_ASSERT(is_code(recall(&a, &was), MT_E_CONFLICT));
    a = numbered(BOB, 1, 2); /* of another subject, session or number: another request */
    OK(recall(&a, &was));
    MT_ASSERT(!was.is_known);
    a = numbered(ALICE, 2, 2);
    OK(recall(&a, &was));
    MT_ASSERT(!was.is_known);
    a = numbered(ALICE, 1, 2);
    a.session = id_of(8);
    OK(recall(&a, &was));
    MT_ASSERT(!was.is_known);
    end();
}

static void a_request_without_a_number_is_never_remembered(void)
{
    world_begin();
    world_populate();
    struct mt_recalled was;
    struct mt_ask a = numbered(ALICE, 1, 1);
    a.is_numbered = false;
    OK(remember(&a, MT_LITERAL("answer")));
    OK(recall(&a, &was));
    MT_ASSERT(!was.is_known);
    a.is_numbered = true;
    OK(recall(&a, &was));
    MT_ASSERT(!was.is_known);
    end();
}

static void an_answer_is_remembered_for_a_day(void)
{
    world_begin();
    world_populate();
    struct mt_recalled was;
    struct mt_ask a = numbered(ALICE, 1, 1);
    OK(remember(&a, MT_LITERAL("answer")));
    world_sleep(24 * (uint64_t)WORLD_HOUR_MS);
    OK(recall(&a, &was));
    MT_ASSERT(was.is_known);
    world_sleep(1);
    OK(recall(&a, &was));
    MT_ASSERT(!was.is_known);
    end();
}

static void the_newest_answers_of_each_subject_are_kept(void)
{
    world_begin();
    world_populate();
    struct mt_recalled was;
    struct mt_ask of_bob = numbered(BOB, 0, 1);
    OK(remember(&of_bob, MT_LITERAL("answer")));
    for (uint64_t n = 0; n <= MT_DEDUPE_PER_SUBJECT_MAX; n++) {
        struct mt_ask a = numbered(ALICE, n, 1);
        OK(remember(&a, MT_LITERAL("answer")));
    }
    struct mt_ask oldest = numbered(ALICE, 0, 1);
    struct mt_ask next = numbered(ALICE, 1, 1);
    struct mt_ask newest = numbered(ALICE, MT_DEDUPE_PER_SUBJECT_MAX, 1);
    OK(recall(&oldest, &was));
    MT_ASSERT(!was.is_known);
    OK(recall(&next, &was));
    MT_ASSERT(was.is_known);
    OK(recall(&newest, &was));
    MT_ASSERT(was.is_known);
    OK(recall(&of_bob, &was));
    MT_ASSERT(was.is_known);
    end();
}

static void who_deletes_twice_with_one_number_is_asked_again_who_they_are_and_not_what_is_left(void)
{
    world_begin();
    world_populate();
    mt_id data = id_of(1);
    struct mt_object_handle h;
    struct mt_ask a = ask_on(ALICE, MT_RIGHT_OWNER, MT_KIND_DATA, &data);
    OK(put_data(ALICE, &data, MT_LITERAL("of alice"), &h));
    OK(end_data(ALICE, &data));
    OK(check(a)); /* what comes before an answer is repeated */
    MT_ASSERT(is_code(enter(a), MT_E_CONFLICT));
    OK(revoke_user(ADMIN, ALICE));
    MT_ASSERT(is_code(check(a), MT_E_DENIED));
    end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_write_and_its_record_are_one_transaction),
        MT_TEST(a_claim_is_written_down_with_the_key_that_made_it),
        MT_TEST(an_intent_is_written_before_a_key_is_released_and_a_job_starts),
        MT_TEST(reads_and_refusals_are_collected_and_written_together),
        MT_TEST(what_could_not_be_written_is_kept_and_nobody_is_let_in_meanwhile),
        MT_TEST(a_full_collection_lets_nobody_in_and_counts_who_came),
        MT_TEST(strangers_are_counted_and_not_written),
        MT_TEST(a_repeated_request_gets_the_same_answer_after_a_restart_too),
        MT_TEST(another_request_with_the_same_number_is_refused),
        MT_TEST(a_request_without_a_number_is_never_remembered),
        MT_TEST(an_answer_is_remembered_for_a_day),
        MT_TEST(the_newest_answers_of_each_subject_are_kept),
        MT_TEST(who_deletes_twice_with_one_number_is_asked_again_who_they_are_and_not_what_is_left),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
