/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/acts_test.h"
#include "gate/inside.h"

/* What a permit can do with sealed objects: which it keeps, whose keys it releases. */

static mt_id data;
static mt_id other;
static struct mt_object_handle handle;
static struct mt_object_handle other_handle;

static void begin(void)
{
    world_begin();
    world_populate();
    data = id_of(1);
    other = id_of(2);
    OK(put_data(ALICE, &data, MT_LITERAL("of alice"), &handle));
    OK(put_data(ALICE, &other, MT_LITERAL("more of alice"), &other_handle));
}

static struct mt_ask read_ask(enum person who, const mt_id *id)
{
    return reading(ask_on(who, MT_RIGHT_READ, MT_KIND_DATA, id));
}

static void a_permit_opens_the_objects_of_its_resource_alone(void)
{
    begin();
    OK(open_object(read_ask(ALICE, &data), &handle.id));
    OK(open_object(read_ask(ALICE, &other), &other_handle.id));
    MT_ASSERT(is_code(open_object(read_ask(ALICE, &data), &other_handle.id), MT_E_DENIED));
    MT_ASSERT(is_code(open_object(read_ask(ALICE, &data), &data), MT_E_NOTFOUND));
    MT_ASSERT(is_code(open_object(reading(ask_of(ALICE, MT_RIGHT_USER)), &handle.id), MT_E_DENIED));
    world_restart();
    OK(open_object(read_ask(ALICE, &data), &handle.id));
    world_end();
}

static void no_key_leaves_without_a_record_that_it_will(void)
{
    begin();
    struct mt_ask ask = looking(ask_on(ALICE, MT_RIGHT_READ, MT_KIND_DATA, &data));
    MT_ASSERT(is_code(open_object(ask, &handle.id), MT_E_DENIED));
    ask = ask_on(ALICE, MT_RIGHT_OWNER, MT_KIND_DATA, &data); /* a write is no reading */
    MT_ASSERT(is_code(open_object(ask, &handle.id), MT_E_DENIED));
    OK(enter(read_ask(ALICE, &data)));
    MT_ASSERT(mt_tx_has_writes(tx)); /* so that what follows is held until that is durable */
    abort_tx();
    world_end();
}

static void who_may_see_does_not_open(void)
{
    begin();
    struct mt_grant g = {.right = MT_GRANT_SEE, .grantee = people[BOB].subject};
    OK(grant(ALICE, &data, &g));
    struct mt_ask ask = reading(ask_on(BOB, MT_RIGHT_SEE, MT_KIND_DATA, &data));
    MT_ASSERT(is_code(open_object(ask, &handle.id), MT_E_DENIED));
    OK(enter(ask)); /* a handle it may have: that opens nothing */
    struct mt_object_handle h;
    OK(mt_permit_object(permit, tx, MT_REF(MT_KIND_DATA, &data), 1, &h));
    MT_ASSERT(mt_id_equal(&h.id, &handle.id) && mt_hash_equal(&h.commitment, &handle.commitment));
    MT_ASSERT(
        is_code(mt_permit_object(permit, tx, MT_REF(MT_KIND_DATA, &data), 2, &h), MT_E_NOTFOUND));
    MT_ASSERT(
        is_code(mt_permit_object(permit, tx, MT_REF(MT_KIND_DATA, &other), 1, &h), MT_E_NOTFOUND));
    abort_tx();
    world_end();
}

static void a_permit_that_is_left_is_wiped(void)
{
    begin();
    OK(enter(read_ask(ALICE, &data)));
    const struct mt_permit *p = permit;
    mt_gate_leave(&permit);
    MT_ASSERT(permit == NULL);
    for (size_t i = 0; i < sizeof *p; i++) {
        MT_ASSERT(((const uint8_t *)p)[i] == 0);
    }
    mt_gate_leave(&permit); /* again does nothing */
    abort_tx();
    world_end();
}

static mt_err keep(enum person who, const mt_id *what, uint64_t version,
                   const struct mt_object_handle *h, const struct mt_object_writer *w)
{
    MT_TRY(enter(ask_of(who, MT_RIGHT_USER)));
    if (w != NULL) {
        mt_gate_put_staged(permit, mt_object_writer_id(w), mt_object_writer_key(w));
    }
    return leave(mt_permit_keep(permit, tx, h, MT_REF(MT_KIND_DATA, what), version));
}

static void only_what_came_with_the_request_is_kept(void)
{
    begin();
    struct mt_object_handle h;
    struct mt_object_writer *w = make_object(MT_LITERAL("new"), &h);
    MT_ASSERT(is_code(keep(ALICE, &data, 2, &h, NULL), MT_E_DENIED));
    MT_ASSERT(is_code(keep(ALICE, &data, 2, &handle, w), MT_E_DENIED)); /* an older object */
    MT_ASSERT(is_code(keep(ALICE, &data, 1, &h, w), MT_E_CONFLICT));
    MT_ASSERT(is_code(keep(BOB, &data, 2, &h, w), MT_E_DENIED));
    mt_id nothing = id_of(99);
    MT_ASSERT(is_code(keep(ALICE, &nothing, 2, &h, w), MT_E_NOTFOUND));
    OK(keep(ALICE, &data, 2, &h, w));
    OK(open_object(read_ask(ALICE, &data), &h.id));
    OK(end_data(ALICE, &other));
    MT_ASSERT(is_code(keep(ALICE, &other, 2, &h, w), MT_E_CONFLICT));
    mt_object_writer_free(&w);
    world_end();
}

static void a_permit_takes_no_more_staged_objects_than_a_task_has_parties(void)
{
    begin();
    struct mt_object_handle h;
    struct mt_object_writer *w = make_object(MT_LITERAL("new"), &h);
    OK(enter(ask_of(ALICE, MT_RIGHT_USER)));
    for (unsigned i = 0; i < MT_TASK_PARTIES_MAX; i++) {
        mt_id id = id_of((uint8_t)i);
        mt_gate_put_staged(permit, &id, mt_object_writer_key(w));
    }
    mt_gate_put_staged(permit, &h.id, mt_object_writer_key(w));
    MT_ASSERT(is_code(mt_permit_keep(permit, tx, &h, MT_REF(MT_KIND_DATA, &data), 2), MT_E_DENIED));
    abort_tx();
    mt_object_writer_free(&w);
    world_end();
}

static void what_the_ledger_names_is_live_until_it_is_deleted(void)
{
    begin();
    begin_tx();
    MT_ASSERT(mt_gate_is_live(gate, tx, &handle.id) && !mt_gate_is_live(gate, tx, &data));
    abort_tx();
    OK(end_data(ALICE, &data));
    begin_tx();
    MT_ASSERT(!mt_gate_is_live(gate, tx, &handle.id));
    MT_ASSERT(mt_gate_is_live(gate, tx, &other_handle.id));
    abort_tx();
    world_end();
}

static bool is_shredded(const mt_id *id)
{
    struct mt_resource_info info;
    OK(enter(looking(ask_on(ALICE, MT_RIGHT_SEE, MT_KIND_DATA, id))));
    OK(mt_permit_describe(permit, tx, MT_REF(MT_KIND_DATA, id), &info));
    abort_tx();
    return info.is_shredded;
}

static int rotate(void)
{
    int batches = 0;
    bool is_done = false;
    OK(mt_shred_begin(shred));
    while (!is_done) {
        begin_tx();
        OK(leave(mt_gate_rewrap(gate, tx, &is_done)));
        batches++;
        MT_ASSERT(!is_shredded(&data));
    }
    world_settle();
    OK(mt_shred_end(shred));
    return batches;
}

static void after_a_rotation_the_deleted_is_shredded_and_the_living_opens(void)
{
    begin();
    enum { MANY = MT_GATE_REWRAP_BATCH + 3 };
    static struct mt_object_handle many[MANY];
    for (size_t i = 0; i < MANY; i++) {
        mt_id id = {{9, (uint8_t)i, (uint8_t)(i >> 8)}};
        OK(put_data(BOB, &id, MT_LITERAL("x"), &many[i]));
    }
    OK(end_data(ALICE, &data));
    MT_ASSERT(!is_shredded(&data));
    MT_ASSERT(rotate() == 2);
    MT_ASSERT(is_shredded(&data));
    world_restart();
    MT_ASSERT(is_shredded(&data));
    OK(open_object(read_ask(ALICE, &other), &other_handle.id));
    mt_id last = {{9, (uint8_t)(MANY - 1), (uint8_t)((MANY - 1) >> 8)}};
    OK(open_object(read_ask(BOB, &last), &many[MANY - 1].id));
    /* What is deleted now lives until the next rotation. */
    OK(end_data(ALICE, &other));
    MT_ASSERT(!is_shredded(&other));
    world_end();
}

static void nobody_stages_beyond_their_quota_nor_all_beyond_the_room(void)
{
    world_quota_bytes = 100;
    world_total_bytes = 150;
    begin();
    const mt_hash *alice = &people[ALICE].subject;
    const mt_hash *bob = &people[BOB].subject;
    OK(mt_gate_stage(gate, alice, 60));
    OK(mt_gate_stage(gate, alice, 40));
    MT_ASSERT(is_code(mt_gate_stage(gate, alice, 1), MT_E_LIMIT));
    MT_ASSERT(is_code(mt_gate_stage(gate, bob, 101), MT_E_LIMIT));
    MT_ASSERT(is_code(mt_gate_stage(gate, bob, UINT64_MAX), MT_E_LIMIT));
    MT_ASSERT(is_code(mt_gate_stage(gate, bob, 51), MT_E_BUSY));
    OK(mt_gate_stage(gate, bob, 50));
    mt_gate_unstage(gate, alice, 100);
    mt_gate_unstage(gate, alice, 0);
    OK(mt_gate_stage(gate, bob, 50));
    MT_ASSERT(is_code(mt_gate_stage(gate, alice, 51), MT_E_BUSY));
    OK(mt_gate_stage(gate, alice, 50));
    mt_gate_unstage(gate, alice, 50);
    mt_gate_unstage(gate, bob, 100);
    world_end();
    world_quota_bytes = UINT64_C(1) << 40;
    world_total_bytes = world_quota_bytes;
}

static void more_subjects_than_places_upload_later(void)
{
    begin();
    mt_hash who = {{0}};
    for (size_t i = 0; i < MT_GATE_STAGERS_MAX; i++) {
        who.b[0] = (uint8_t)i;
        who.b[1] = (uint8_t)(i >> 8);
        OK(mt_gate_stage(gate, &who, 1));
    }
    MT_ASSERT(is_code(mt_gate_stage(gate, &people[ALICE].subject, 1), MT_E_BUSY));
    mt_gate_unstage(gate, &who, 1);
    OK(mt_gate_stage(gate, &people[ALICE].subject, 1));
    world_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_permit_opens_the_objects_of_its_resource_alone),
        MT_TEST(no_key_leaves_without_a_record_that_it_will),
        MT_TEST(who_may_see_does_not_open),
        MT_TEST(a_permit_that_is_left_is_wiped),
        MT_TEST(only_what_came_with_the_request_is_kept),
        MT_TEST(a_permit_takes_no_more_staged_objects_than_a_task_has_parties),
        MT_TEST(what_the_ledger_names_is_live_until_it_is_deleted),
        MT_TEST(after_a_rotation_the_deleted_is_shredded_and_the_living_opens),
        MT_TEST(nobody_stages_beyond_their_quota_nor_all_beyond_the_room),
        MT_TEST(more_subjects_than_places_upload_later),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
