/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/acts_test.h"

/* What an owner allows with data of theirs: to whom, in what, when, how often. */

static mt_id data;
static struct mt_object_handle handle;

static void begin(void)
{
    world_begin();
    world_populate();
    data = id_of(1);
    OK(put_data(ALICE, &data, MT_LITERAL("of alice"), &handle));
}

static struct mt_grant granting(enum mt_grant_right right, enum person to)
{
    return (struct mt_grant){.right = right, .grantee = people[to].subject};
}

static mt_err read_it(enum person who)
{
    return open_object(reading(ask_on(who, MT_RIGHT_READ, MT_KIND_DATA, &data)), &handle.id);
}

static void data_is_its_owners_alone(void)
{
    begin();
    OK(see(ALICE, &data));
    OK(read_it(ALICE));
    OK(use(ALICE, &data, "psi"));
    for (enum person who = ADMIN; who < PEOPLE; who++) {
        if (who != ALICE) {
            enum mt_code code = who == MALLORY ? MT_E_DENIED : MT_E_NOTFOUND;
            MT_ASSERT(is_code(see(who, &data), code));
            MT_ASSERT(is_code(read_it(who), code));
            MT_ASSERT(is_code(use(who, &data, "psi"), code));
            MT_ASSERT(is_code(end_data(who, &data), code));
        }
    }
    world_end();
}

static void an_administrator_can_neither_read_nor_grant_nor_delete_what_is_not_theirs(void)
{
    begin();
    struct mt_grant g = granting(MT_GRANT_READ, ADMIN);
    MT_ASSERT(is_code(grant(ADMIN, &data, &g), MT_E_NOTFOUND));
    /* Seeing it changes nothing of that. */
    g = granting(MT_GRANT_SEE, ADMIN);
    OK(grant(ALICE, &data, &g));
    OK(see(ADMIN, &data));
    MT_ASSERT(is_code(read_it(ADMIN), MT_E_DENIED));
    MT_ASSERT(is_code(use(ADMIN, &data, "psi"), MT_E_DENIED));
    g = granting(MT_GRANT_RUN, ADMIN);
    MT_ASSERT(is_code(grant(ADMIN, &data, &g), MT_E_DENIED));
    MT_ASSERT(is_code(end_data(ADMIN, &data), MT_E_DENIED));
    /* Not even past the route, with a permit for something else. */
    OK(enter(ask_of(ADMIN, MT_RIGHT_ADMIN)));
    g = granting(MT_GRANT_READ, ADMIN);
    MT_ASSERT(is_code(mt_permit_grant(permit, tx, MT_REF(MT_KIND_DATA, &data), &g), MT_E_DENIED));
    MT_ASSERT(
        is_code(mt_permit_revoke(permit, tx, MT_REF(MT_KIND_DATA, &data), &g.id), MT_E_DENIED));
    MT_ASSERT(is_code(mt_permit_disown(permit, tx, MT_REF(MT_KIND_DATA, &data)), MT_E_DENIED));
    abort_tx();
    world_end();
}

static void each_right_gives_what_it_says_and_no_more(void)
{
    begin();
    struct mt_grant to_see = granting(MT_GRANT_SEE, BOB);
    struct mt_grant to_use = granting(MT_GRANT_USE, CAROL);
    struct mt_grant to_read = granting(MT_GRANT_READ, DAVE);
    struct mt_grant to_run = granting(MT_GRANT_RUN, ADMIN);
    OK(grant(ALICE, &data, &to_see));
    OK(grant(ALICE, &data, &to_use));
    OK(grant(ALICE, &data, &to_read));
    OK(grant(ALICE, &data, &to_run));
    OK(see(BOB, &data));
    OK(see(CAROL, &data));
    OK(see(DAVE, &data));
    MT_ASSERT(is_code(see(ADMIN, &data), MT_E_NOTFOUND)); /* RUN is for tasks, not for people */
    MT_ASSERT(is_code(use(BOB, &data, "psi"), MT_E_DENIED));
    OK(use(CAROL, &data, "psi"));
    MT_ASSERT(is_code(use(DAVE, &data, "psi"), MT_E_DENIED));
    MT_ASSERT(is_code(read_it(BOB), MT_E_DENIED));
    MT_ASSERT(is_code(read_it(CAROL), MT_E_DENIED));
    OK(read_it(DAVE));
    for (enum person who = BOB; who <= DAVE; who++) {
        MT_ASSERT(is_code(check(ask_on(who, MT_RIGHT_OWNER, MT_KIND_DATA, &data)), MT_E_DENIED));
    }
    world_end();
}

static void a_grant_for_one_function_is_for_no_other(void)
{
    begin();
    struct mt_grant g = granting(MT_GRANT_USE, BOB);
    g.function = MT_LITERAL("psi");
    OK(grant(ALICE, &data, &g));
    OK(use(BOB, &data, "psi"));
    MT_ASSERT(is_code(use(BOB, &data, "echo"), MT_E_DENIED));
    MT_ASSERT(is_code(use(BOB, &data, "ps"), MT_E_DENIED));
    MT_ASSERT(is_code(use(BOB, &data, "psi2"), MT_E_DENIED));
    world_end();
}

static void a_grant_holds_between_its_times(void)
{
    begin();
    struct mt_grant g = granting(MT_GRANT_USE, BOB);
    g.not_before_ms = now_ms + 1000;
    g.until_ms = now_ms + 2000;
    OK(grant(ALICE, &data, &g));
    now_ms += 999;
    MT_ASSERT(is_code(see(BOB, &data), MT_E_NOTFOUND));
    MT_ASSERT(is_code(use(BOB, &data, "psi"), MT_E_NOTFOUND));
    now_ms += 1;
    OK(see(BOB, &data));
    OK(use(BOB, &data, "psi"));
    now_ms += 999;
    OK(use(BOB, &data, "psi"));
    now_ms += 1;
    MT_ASSERT(is_code(see(BOB, &data), MT_E_NOTFOUND));
    MT_ASSERT(is_code(use(BOB, &data, "psi"), MT_E_NOTFOUND));
    world_end();
}

static void an_expired_grant_stays_expired_when_the_clock_is_set_back_and_the_node_restarted(void)
{
    begin();
    struct mt_grant g = granting(MT_GRANT_USE, BOB);
    g.until_ms = now_ms + 1000;
    OK(grant(ALICE, &data, &g));
    now_ms += 1000;
    begin_tx(); /* a block of that time */
    OK(leave(MT_OK));
    now_ms = WORLD_NOW_MS;
    MT_ASSERT(is_code(use(BOB, &data, "psi"), MT_E_NOTFOUND));
    world_restart();
    now_ms = WORLD_NOW_MS - 5000;
    MT_ASSERT(is_code(use(BOB, &data, "psi"), MT_E_NOTFOUND));
    MT_ASSERT(is_code(see(BOB, &data), MT_E_NOTFOUND));
    world_end();
}

static void a_use_that_is_counted_is_used_up(void)
{
    begin();
    struct mt_grant g = granting(MT_GRANT_USE, BOB);
    g.count = 2;
    OK(grant(ALICE, &data, &g));
    OK(use(BOB, &data, "psi"));
    world_restart();
    OK(use(BOB, &data, "psi"));
    MT_ASSERT(is_code(use(BOB, &data, "psi"), MT_E_NOTFOUND));
    world_restart();
    MT_ASSERT(is_code(use(BOB, &data, "psi"), MT_E_NOTFOUND));
    world_end();
}

static void a_use_that_is_undone_is_not_counted(void)
{
    begin();
    struct mt_grant g = granting(MT_GRANT_USE, BOB);
    mt_hash owner;
    g.count = 1;
    OK(grant(ALICE, &data, &g));
    OK(enter(ask_of(BOB, MT_RIGHT_USER)));
    OK(mt_permit_use(permit, tx, MT_REF(MT_KIND_DATA, &data), MT_LITERAL("psi"), &owner));
    MT_ASSERT(mt_hash_equal(&owner, &people[ALICE].subject));
    abort_tx();
    OK(use(BOB, &data, "psi"));
    MT_ASSERT(is_code(use(BOB, &data, "psi"), MT_E_NOTFOUND));
    world_end();
}

static void the_owners_own_uses_are_not_counted(void)
{
    begin();
    struct mt_grant g = granting(MT_GRANT_USE, ALICE); /* to herself */
    g.count = 1;
    OK(grant(ALICE, &data, &g));
    OK(use(ALICE, &data, "psi"));
    OK(use(ALICE, &data, "psi"));
    world_end();
}

static void a_new_grant_must_make_sense(void)
{
    begin();
    char longest[MT_NAME_BYTES_MAX + 2];
    struct mt_grant g = granting(MT_GRANT_USE, BOB);
    g.until_ms = 5;
    g.not_before_ms = 5;
    MT_ASSERT(is_code(grant(ALICE, &data, &g), MT_E_ARG));
    g = granting(MT_GRANT_USE, BOB);
    g.used = 1;
    MT_ASSERT(is_code(grant(ALICE, &data, &g), MT_E_ARG));
    g = granting(MT_GRANT_USE, BOB);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    g.function = mt_bytes_of_text(longest);
    MT_ASSERT(is_code(grant(ALICE, &data, &g), MT_E_LIMIT));
    g = granting(MT_GRANT_SEE, BOB);
    g.count = 1; /* nobody would count it */
    MT_ASSERT(is_code(grant(ALICE, &data, &g), MT_E_ARG));
    g.right = MT_GRANT_READ;
    MT_ASSERT(is_code(grant(ALICE, &data, &g), MT_E_ARG));
    MT_ASSERT(is_code(see(BOB, &data), MT_E_NOTFOUND));
    world_end();
}

static void what_is_revoked_no_longer_holds(void)
{
    begin();
    struct mt_grant first = granting(MT_GRANT_USE, BOB);
    struct mt_grant second = granting(MT_GRANT_USE, BOB);
    OK(grant(ALICE, &data, &first));
    OK(grant(ALICE, &data, &second));
    MT_ASSERT(!mt_id_equal(&first.id, &second.id));
    OK(revoke(ALICE, &data, &first.id));
    OK(use(BOB, &data, "psi"));
    MT_ASSERT(is_code(revoke(ALICE, &data, &first.id), MT_E_NOTFOUND));
    MT_ASSERT(is_code(revoke(BOB, &data, &second.id), MT_E_DENIED));
    OK(revoke(ALICE, &data, &second.id));
    MT_ASSERT(is_code(use(BOB, &data, "psi"), MT_E_NOTFOUND));
    world_restart();
    MT_ASSERT(is_code(see(BOB, &data), MT_E_NOTFOUND));
    world_end();
}

struct found {
    struct mt_grant last;
    size_t count;
    bool reaches_own_maps;
};

static mt_err take_grant(void *state, const struct mt_grant *g)
{
    struct found *f = state;
    f->last = *g;
    f->count++;
    return MT_OK;
}

static void the_owner_sees_every_grant_and_nobody_else_does(void)
{
    begin();
    struct mt_grant g = granting(MT_GRANT_USE, BOB);
    struct found f = {.count = 0};
    g.function = MT_LITERAL("psi");
    g.not_before_ms = 1;
    g.until_ms = now_ms * 2;
    g.count = 7;
    OK(grant(ALICE, &data, &g));
    OK(use(BOB, &data, "psi"));
    world_restart();
    OK(enter(ask_on(ALICE, MT_RIGHT_OWNER, MT_KIND_DATA, &data)));
    OK(mt_permit_grants(permit, tx, MT_REF(MT_KIND_DATA, &data), take_grant, &f));
    MT_ASSERT(f.count == 1 && f.last.right == MT_GRANT_USE && f.last.not_before_ms == 1);
    MT_ASSERT(f.last.until_ms == WORLD_NOW_MS * UINT64_C(2) && f.last.count == 7 &&
              f.last.used == 1);
    MT_ASSERT(mt_hash_equal(&f.last.grantee, &people[BOB].subject));
    abort_tx();
    OK(enter(ask_on(BOB, MT_RIGHT_SEE, MT_KIND_DATA, &data)));
    MT_ASSERT(is_code(mt_permit_grants(permit, tx, MT_REF(MT_KIND_DATA, &data), take_grant, &f),
                      MT_E_DENIED));
    abort_tx();
    world_end();
}

static mt_err take_id(void *state, const mt_id *id, bool *is_enough)
{
    struct found *f = state;
    f->last.id = *id;
    *is_enough = ++f->count == 2;
    return MT_OK;
}

static size_t listed(enum person who, const mt_id *after, mt_id *last)
{
    struct found f = {.count = 0};
    OK(enter(looking(ask_of(who, MT_RIGHT_USER))));
    OK(mt_permit_list(permit, tx, MT_REF(MT_KIND_DATA, after), take_id, &f));
    abort_tx();
    *last = f.last.id;
    return f.count;
}

static void a_list_has_what_is_owned_or_may_be_seen_now_once_each_page_by_page(void)
{
    begin();
    static const mt_id first = {{0}};
    mt_id other = id_of(2);
    mt_id third = id_of(3);
    mt_id task = id_of(4);
    mt_id last;
    struct mt_object_handle h;
    OK(put_data(ALICE, &other, MT_LITERAL("two"), &h));
    OK(put_data(BOB, &third, MT_LITERAL("three"), &h));
    OK(enter(ask_of(BOB, MT_RIGHT_USER)));
    OK(leave(mt_permit_own(permit, tx, MT_REF(MT_KIND_TASK, &task))));
    struct mt_grant g = granting(MT_GRANT_SEE, BOB);
    OK(grant(ALICE, &data, &g));
    g = granting(MT_GRANT_USE, BOB); /* twice on the same */
    OK(grant(ALICE, &data, &g));
    g = granting(MT_GRANT_SEE, BOB);
    g.until_ms = now_ms + 10;
    OK(grant(ALICE, &other, &g));
    MT_ASSERT(listed(BOB, &first, &last) == 2 && mt_id_equal(&last, &other));
    MT_ASSERT(listed(BOB, &last, &last) == 1 && mt_id_equal(&last, &third));
    MT_ASSERT(listed(BOB, &last, &last) == 0);
    now_ms += 10; /* one grant has expired: the rest is still there */
    MT_ASSERT(listed(BOB, &first, &last) == 2 && mt_id_equal(&last, &third));
    MT_ASSERT(listed(CAROL, &first, &last) == 0);
    OK(end_data(ALICE, &data));
    MT_ASSERT(listed(BOB, &first, &last) == 1 && mt_id_equal(&last, &third));
    MT_ASSERT(listed(ALICE, &first, &last) == 2); /* her own, deleted or not */
    world_end();
}

static void an_id_is_taken_once_whatever_its_kind(void)
{
    begin();
    OK(enter(ask_of(BOB, MT_RIGHT_USER)));
    MT_ASSERT(is_code(mt_permit_own(permit, tx, MT_REF(MT_KIND_DATA, &data)), MT_E_CONFLICT));
    MT_ASSERT(is_code(mt_permit_own(permit, tx, MT_REF(MT_KIND_TASK, &data)), MT_E_CONFLICT));
    MT_ASSERT(is_code(mt_permit_own(permit, tx, MT_REF(MT_KIND_NONE, &data)), MT_E_INTERNAL));
    abort_tx();
    OK(end_data(ALICE, &data));
    OK(enter(ask_of(BOB, MT_RIGHT_USER))); /* not even what has been deleted */
    MT_ASSERT(is_code(mt_permit_own(permit, tx, MT_REF(MT_KIND_DATA, &data)), MT_E_CONFLICT));
    abort_tx();
    world_end();
}

static void a_resource_of_another_kind_is_not_there(void)
{
    begin();
    mt_hash owner;
    struct mt_resource_info info;
    MT_ASSERT(is_code(check(ask_on(ALICE, MT_RIGHT_SEE, MT_KIND_TASK, &data)), MT_E_NOTFOUND));
    OK(enter(ask_of(ALICE, MT_RIGHT_USER)));
    const struct mt_ref wrong = {MT_KIND_TASK, &data};
    MT_ASSERT(is_code(mt_permit_may_see(permit, tx, &wrong), MT_E_NOTFOUND));
    MT_ASSERT(is_code(mt_permit_describe(permit, tx, &wrong, &info), MT_E_NOTFOUND));
    MT_ASSERT(is_code(mt_permit_use(permit, tx, &wrong, MT_LITERAL("psi"), &owner), MT_E_NOTFOUND));
    MT_ASSERT(is_code(mt_permit_disown(permit, tx, &wrong), MT_E_DENIED));
    abort_tx();
    world_end();
}

static void what_is_deleted_has_no_grants_and_is_a_tombstone_for_its_owner(void)
{
    begin();
    struct mt_grant g = granting(MT_GRANT_READ, BOB);
    struct mt_resource_info info;
    for (int i = 0; i < 3; i++) {
        OK(grant(ALICE, &data, &g));
        g = granting(MT_GRANT_USE, CAROL);
    }
    OK(end_data(ALICE, &data));
    MT_ASSERT(is_code(see(BOB, &data), MT_E_NOTFOUND));
    MT_ASSERT(is_code(read_it(BOB), MT_E_NOTFOUND));
    MT_ASSERT(is_code(use(CAROL, &data, "psi"), MT_E_NOTFOUND));
    MT_ASSERT(is_code(use(ALICE, &data, "psi"), MT_E_CONFLICT));
    MT_ASSERT(is_code(grant(ALICE, &data, &g), MT_E_CONFLICT));
    MT_ASSERT(is_code(end_data(ALICE, &data), MT_E_CONFLICT));
    MT_ASSERT(is_code(read_it(ALICE), MT_E_NOTFOUND)); /* its key is gone */
    world_restart();
    OK(see(ALICE, &data));
    OK(enter(looking(ask_on(ALICE, MT_RIGHT_SEE, MT_KIND_DATA, &data))));
    MT_ASSERT(mt_permit_is_owner(permit));
    OK(mt_permit_describe(permit, tx, MT_REF(MT_KIND_DATA, &data), &info));
    MT_ASSERT(info.is_owner && info.has_ended && !info.is_shredded);
    abort_tx();
    world_end();
}

static void strangers_cannot_tell_what_exists(void)
{
    begin();
    mt_id nothing = id_of(99);
    static const enum mt_right rights[] = {MT_RIGHT_SEE, MT_RIGHT_READ, MT_RIGHT_OWNER};
    OK(end_data(ALICE, &data));
    mt_id live = id_of(5);
    OK(put_data(ALICE, &live, MT_LITERAL("live"), &handle));
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        for (enum person who = BOB; who <= MALLORY; who += MALLORY - BOB) {
            mt_err a = enter(ask_on(who, rights[i], MT_KIND_DATA, &live));
            mt_err b = enter(ask_on(who, rights[i], MT_KIND_DATA, &nothing));
            mt_err c = enter(ask_on(who, rights[i], MT_KIND_DATA, &data));
            MT_ASSERT(mt_failed(a) && mt_failed(b) && mt_failed(c));
            MT_ASSERT(a.fault->code == b.fault->code && a.fault->code == c.fault->code);
            MT_ASSERT(strcmp(a.fault->what, b.fault->what) == 0);
            MT_ASSERT(strcmp(a.fault->what, c.fault->what) == 0);
        }
    }
    world_end();
}

static mt_err only_one(struct mt_ask ask, const char *function)
{
    mt_hash owner;
    MT_TRY(enter(ask));
    return leave(
        mt_permit_use(permit, tx, MT_REF(MT_KIND_DATA, &data), mt_bytes_of_text(function), &owner));
}

static void of_a_hundred_that_want_the_last_use_one_gets_it(void)
{
    begin();
    struct mt_grant g = granting(MT_GRANT_USE, BOB);
    int served = 0;
    g.count = 1;
    OK(grant(ALICE, &data, &g));
    for (int i = 0; i < 100; i++) {
        served += mt_failed(only_one(ask_of(BOB, MT_RIGHT_USER), "psi")) ? 0 : 1;
        if (i == 50) {
            world_restart();
        }
    }
    MT_ASSERT(served == 1);
    world_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(data_is_its_owners_alone),
        MT_TEST(an_administrator_can_neither_read_nor_grant_nor_delete_what_is_not_theirs),
        MT_TEST(each_right_gives_what_it_says_and_no_more),
        MT_TEST(a_grant_for_one_function_is_for_no_other),
        MT_TEST(a_grant_holds_between_its_times),
        MT_TEST(an_expired_grant_stays_expired_when_the_clock_is_set_back_and_the_node_restarted),
        MT_TEST(a_use_that_is_counted_is_used_up),
        MT_TEST(a_use_that_is_undone_is_not_counted),
        MT_TEST(the_owners_own_uses_are_not_counted),
        MT_TEST(a_new_grant_must_make_sense),
        MT_TEST(what_is_revoked_no_longer_holds),
        MT_TEST(the_owner_sees_every_grant_and_nobody_else_does),
        MT_TEST(a_list_has_what_is_owned_or_may_be_seen_now_once_each_page_by_page),
        MT_TEST(an_id_is_taken_once_whatever_its_kind),
        MT_TEST(a_resource_of_another_kind_is_not_there),
        MT_TEST(what_is_deleted_has_no_grants_and_is_a_tombstone_for_its_owner),
        MT_TEST(strangers_cannot_tell_what_exists),
        MT_TEST(of_a_hundred_that_want_the_last_use_one_gets_it),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
