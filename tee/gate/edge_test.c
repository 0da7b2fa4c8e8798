/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/acts_test.h"
#include "gate/inside.h"
#include "unit/scarce.h"
#include "wire/cbor.h"

/*
 * The edges: records that are whole and say what no record says, questions about something else
 * than what the permit is for, and a gate that has no memory to begin with.
 */
enum { VALUE_MAX = 512 };

static mt_id data;
static mt_id ended;
static struct mt_object_handle handle;
static struct mt_grant for_bob;

static void begin(void)
{
    world_begin();
    world_populate();
    data = id_of(1);
    ended = id_of(2);
    OK(put_data(ALICE, &data, MT_LITERAL("of alice"), &handle));
    for_bob = (struct mt_grant){.right = MT_GRANT_USE, .grantee = people[BOB].subject};
    OK(grant(ALICE, &data, &for_bob));
    OK(enter(ask_of(ALICE, MT_RIGHT_USER)));
    OK(leave(mt_permit_own(permit, tx, MT_REF(MT_KIND_DATA, &ended))));
    OK(end_data(ALICE, &ended));
}

static mt_bytes name_of(size_t len)
{
    static uint8_t x[MT_NAME_BYTES_MAX + 1];
    memset(x, 'x', sizeof x);
    return (mt_bytes){x, len};
}

/* In the open transaction. */
static void put(uint32_t map, mt_bytes key, const struct mt_writer *w)
{
    MT_GATE_REACHES(tx);
    OK(mt_tx_put(tx, &mt_gate_maps[map], key, mt_write_done(w)));
}

static mt_err user_of(uint64_t fields, size_t name_len, uint64_t role)
{
    uint8_t room[VALUE_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_ask ask = ask_of(ALICE, MT_RIGHT_USER);
    struct mt_user u;
    mt_cbor_write_array(&w, fields);
    mt_cbor_write_bytes(&w, mt_spki_bytes(&people[BOB].spki));
    mt_cbor_write_text(&w, name_of(name_len));
    mt_cbor_write_uint(&w, role);
    mt_cbor_write_bool(&w, false);
    mt_cbor_write_uint(&w, 1);
    OK(enter(ask));
    put(MT_GATE_USERS, mt_hash_bytes(&people[BOB].subject), &w);
    mt_err e = mt_permit_user(permit, tx, &people[BOB].subject, &u);
    MT_ASSERT(mt_failed(e) != mt_gate_knows(gate, tx, &people[BOB].subject));
    abort_tx();
    return e;
}

static void a_user_of_no_role_or_with_a_name_too_long_is_nobody(void)
{
    begin();
    OK(user_of(5, MT_NAME_BYTES_MAX, MT_ROLE_ADMIN));
    MT_ASSERT(is_code(user_of(4, 1, MT_ROLE_USER), MT_E_FORMAT));
    MT_ASSERT(is_code(user_of(5, MT_NAME_BYTES_MAX + 1, MT_ROLE_USER), MT_E_FORMAT));
    MT_ASSERT(is_code(user_of(5, 1, 0), MT_E_FORMAT));
    MT_ASSERT(is_code(user_of(5, 1, MT_ROLE_ADMIN + 1), MT_E_FORMAT));
    world_end();
}

static mt_err any_grant(void *state, const struct mt_grant *g)
{
    (void)state;
    (void)g;
    return MT_OK;
}

static mt_err grant_of(uint64_t fields, uint64_t right, size_t name_len)
{
    uint8_t room[VALUE_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    const struct mt_grant_key key = {data, for_bob.id};
    mt_cbor_write_array(&w, fields);
    mt_cbor_write_uint(&w, right);
    mt_cbor_write_bytes(&w, mt_hash_bytes(&people[BOB].subject));
    mt_cbor_write_text(&w, name_of(name_len));
    for (int i = 0; i < 4; i++) {
        mt_cbor_write_uint(&w, 0);
    }
    OK(enter(ask_on(ALICE, MT_RIGHT_OWNER, MT_KIND_DATA, &data)));
    put(MT_GATE_GRANTS, MT_BYTES_OF(key), &w);
    mt_err e = mt_permit_grants(permit, tx, MT_REF(MT_KIND_DATA, &data), any_grant, NULL);
    abort_tx();
    return e;
}

static void a_grant_of_no_right_or_for_a_name_too_long_is_none(void)
{
    begin();
    OK(grant_of(7, MT_GRANT_SEE, MT_NAME_BYTES_MAX));
    MT_ASSERT(is_code(grant_of(6, MT_GRANT_SEE, 1), MT_E_FORMAT));
    MT_ASSERT(is_code(grant_of(7, 0, 1), MT_E_FORMAT));
    MT_ASSERT(is_code(grant_of(7, MT_GRANT_RUN + 1, 1), MT_E_FORMAT));
    MT_ASSERT(is_code(grant_of(7, MT_GRANT_SEE, MT_NAME_BYTES_MAX + 1), MT_E_FORMAT));
    world_end();
}

static mt_err resource_of(uint64_t fields, uint64_t kind)
{
    uint8_t room[VALUE_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_resource res;
    mt_cbor_write_array(&w, fields);
    mt_cbor_write_uint(&w, kind);
    mt_cbor_write_bytes(&w, mt_hash_bytes(&people[ALICE].subject));
    mt_cbor_write_uint(&w, 1);
    mt_cbor_write_bool(&w, false);
    mt_cbor_write_uint(&w, 0);
    begin_tx();
    put(MT_GATE_RESOURCES, mt_id_bytes(&data), &w);
    MT_GATE_REACHES(tx);
    mt_err e = mt_gate_resource_get(tx, &data, &res);
    abort_tx();
    return e;
}

static void a_resource_of_no_kind_is_none(void)
{
    begin();
    OK(resource_of(5, MT_KIND_RESULT));
    MT_ASSERT(is_code(resource_of(4, MT_KIND_DATA), MT_E_FORMAT));
    MT_ASSERT(is_code(resource_of(5, MT_KIND_NONE), MT_E_FORMAT));
    MT_ASSERT(is_code(resource_of(5, MT_KIND_RESULT + 1), MT_E_FORMAT));
    world_end();
}

/* Their files that nobody is told of are swept when the node starts. */
static void what_has_more_objects_than_are_told_of_ends_with_all_of_them(void)
{
    const mt_id *told = NULL;
    uint8_t key[16 + 8] = {0};
    begin();
    memcpy(key, data.b, sizeof data.b);
    begin_tx();
    for (uint64_t i = 0; i < MT_GATE_ENDED_MAX; i++) { /* beside the one that it has */
        uint8_t object[16];
        struct mt_writer w = mt_writer_over((mt_span){object, sizeof object});
        struct mt_writer k = mt_writer_over((mt_span){key + 16, 8});
        mt_write_u64be(&k, 2 + i);
        mt_write_u64be(&w, 1);
        mt_write_u64be(&w, i);
        put(MT_GATE_OBJECTS, MT_BYTES_OF(key), &w);
        put(MT_GATE_WRAPS, (mt_bytes){object, 16}, &w);
    }
    (void)commit_tx();
    OK(end_data(ALICE, &data));
    MT_ASSERT(mt_gate_ended(gate, &told) == MT_GATE_ENDED_MAX);
    MT_ASSERT(mt_id_equal(&told[0], &handle.id));
    begin_tx();
    const mt_id last = {{0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 0xff}};
    MT_ASSERT(!mt_gate_is_live(gate, tx, &told[1]) && !mt_gate_is_live(gate, tx, &last));
    abort_tx();
    world_end();
}

static mt_err answer_of(uint64_t fields, uint64_t status)
{
    uint8_t room[VALUE_MAX];
    uint8_t key[32 + 16 + 8] = {0};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_ask ask = ask_of(ALICE, MT_RIGHT_USER);
    struct mt_recalled r;
    ask.is_numbered = true;
    memcpy(key, ask.subject.b, 32);
    mt_cbor_write_array(&w, fields);
    mt_cbor_write_bytes(&w, mt_hash_bytes(&ask.request_hash));
    mt_cbor_write_uint(&w, status);
    mt_cbor_write_bytes(&w, MT_LITERAL("answer"));
    mt_cbor_write_uint(&w, now_ms);
    begin_tx();
    put(MT_GATE_REQUESTS, MT_BYTES_OF(key), &w);
    mt_err e = mt_gate_recall(gate, tx, &ask, &r);
    MT_ASSERT(mt_failed(e) || (r.is_known && r.status == status));
    abort_tx();
    return e;
}

static void an_answer_of_no_status_is_not_given_again(void)
{
    begin();
    OK(answer_of(4, 999));
    MT_ASSERT(is_code(answer_of(3, 200), MT_E_FORMAT));
    MT_ASSERT(is_code(answer_of(4, 1000), MT_E_FORMAT));
    world_end();
}

static void the_owner_of_one_thing_is_asked_about_each_other(void)
{
    begin();
    static const uint8_t hidden[] = {'p', 's', 'i', 0xe2, 0x80, 0xae}; /* the rest runs backwards */
    const mt_id nothing = id_of(9);
    struct mt_grant g = {.right = MT_GRANT_SEE, .grantee = people[BOB].subject};
    OK(enter(ask_on(ALICE, MT_RIGHT_OWNER, MT_KIND_DATA, &data)));
    MT_ASSERT(mt_id_equal(mt_permit_resource(permit), &data) && mt_permit_is_owner(permit));
    MT_ASSERT(
        is_code(mt_permit_grant(permit, tx, MT_REF(MT_KIND_DATA, &nothing), &g), MT_E_NOTFOUND));
    MT_ASSERT(
        is_code(mt_permit_grant(permit, tx, MT_REF(MT_KIND_DATA, &ended), &g), MT_E_CONFLICT));
    MT_ASSERT(is_code(mt_permit_grant(permit, tx, MT_REF(MT_KIND_TASK, &data), &g), MT_E_DENIED));
    MT_ASSERT(
        is_code(mt_permit_keep(permit, tx, &handle, MT_REF(MT_KIND_TASK, &data), 2), MT_E_DENIED));
    g.function = MT_BYTES_OF(hidden);
    MT_ASSERT(is_code(mt_permit_grant(permit, tx, MT_REF(MT_KIND_DATA, &data), &g), MT_E_ARG));
    abort_tx();
    world_end();
}

static void a_grant_that_has_just_ended_is_kept(void)
{
    begin();
    struct mt_grant brief = {
        .right = MT_GRANT_SEE, .grantee = people[CAROL].subject, .until_ms = now_ms + 1000};
    struct mt_grant next = {.right = MT_GRANT_SEE, .grantee = people[DAVE].subject};
    OK(grant(ALICE, &data, &brief));
    world_sleep(WORLD_HOUR_MS);
    OK(grant(ALICE, &data, &next));
    OK(revoke(ALICE, &data, &brief.id)); /* it is there */
    world_end();
}

static void a_task_is_no_input_of_a_job(void)
{
    begin();
    const mt_hash digest = {{4}};
    const mt_id task = id_of(3);
    struct mt_job_ask ask = {.job = id_of(50),
                             .grantee = digest,
                             .inputs = &task,
                             .objects = &handle.id,
                             .inputs_count = 1};
    OK(enter(ask_of(ALICE, MT_RIGHT_USER)));
    OK(leave(mt_permit_own(permit, tx, MT_REF(MT_KIND_TASK, &task))));
    begin_tx();
    MT_ASSERT(is_code(mt_gate_admit_job(gate, tx, &ask, arena, &permit), MT_E_DENIED));
    ask.inputs = &ended;
    MT_ASSERT(is_code(mt_gate_admit_job(gate, tx, &ask, arena, &permit), MT_E_DENIED));
    abort_tx();
    world_end();
}

static void what_is_more_than_all_may_stage_is_refused_at_once(void)
{
    world_total_bytes = 100;
    world_begin();
    MT_ASSERT(is_code(mt_gate_stage(gate, &people[ALICE].subject, 101), MT_E_BUSY));
    OK(mt_gate_stage(gate, &people[ALICE].subject, 100));
    world_end();
    world_total_bytes = world_quota_bytes;
}

/* While it cannot be known that there is no administrator, nobody becomes one by a claim. */
static void a_damaged_record_is_taken_for_an_administrators(void)
{
    world_begin();
    offer_claim(now_ms + 1000);
    begin_tx();
    MT_ASSERT(!mt_gate_has_admin(gate, tx));
    {
        MT_GATE_REACHES(tx);
        OK(mt_tx_put(tx, &mt_gate_maps[MT_GATE_USERS], MT_LITERAL("key"), MT_LITERAL("value")));
    }
    MT_ASSERT(mt_gate_has_admin(gate, tx));
    MT_ASSERT(is_code(mt_gate_claim_admin(gate, tx, &people[MALLORY].spki,
                                          (mt_bytes){world_secret, sizeof world_secret}),
                      MT_E_DENIED));
    abort_tx();
    world_end();
}

static void without_memory_no_gate_opens_and_nobody_becomes_an_administrator(void)
{
    struct mt_gate *another = NULL;
    world_administrator = (mt_hash){{0}};
    world_begin();
    const struct mt_gate_options o = {.ledger = ledger, .shred = shred};
    scarce_in = 1;
    MT_ASSERT(is_code(mt_gate_new(&o, &another), MT_E_NOMEM) && another == NULL);
    MT_ASSERT(scarce_end());
    bool was_reached = true;
    for (size_t n = 1; was_reached; n++) {
        offer_claim(now_ms + 1000);
        begin_tx();
        scarce_in = n;
        mt_err e = mt_gate_claim_admin(gate, tx, &people[ADMIN].spki,
                                       (mt_bytes){world_secret, sizeof world_secret});
        was_reached = scarce_end();
        MT_ASSERT(was_reached || !mt_failed(e));
        abort_tx();
    }
    world_end();
    mt_spki_hash(&people[ADMIN].spki, &world_administrator);
    world_begin();
    was_reached = true;
    for (size_t n = 1; was_reached; n++) {
        const struct mt_ask ask = ask_of(ADMIN, MT_RIGHT_ADMIN);
        begin_tx();
        scarce_in = n;
        mt_err e = mt_gate_admit(gate, tx, &ask, &permit);
        was_reached = scarce_end();
        MT_ASSERT(was_reached || !mt_failed(e));
        abort_tx();
    }
    world_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_user_of_no_role_or_with_a_name_too_long_is_nobody),
        MT_TEST(a_grant_of_no_right_or_for_a_name_too_long_is_none),
        MT_TEST(a_resource_of_no_kind_is_none),
        MT_TEST(what_has_more_objects_than_are_told_of_ends_with_all_of_them),
        MT_TEST(an_answer_of_no_status_is_not_given_again),
        MT_TEST(the_owner_of_one_thing_is_asked_about_each_other),
        MT_TEST(a_grant_that_has_just_ended_is_kept),
        MT_TEST(a_task_is_no_input_of_a_job),
        MT_TEST(what_is_more_than_all_may_stage_is_refused_at_once),
        MT_TEST(a_damaged_record_is_taken_for_an_administrators),
        MT_TEST(without_memory_no_gate_opens_and_nobody_becomes_an_administrator),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
