/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/acts_test.h"

#define SECRET ((mt_bytes){world_secret, sizeof world_secret})

static bool has_admin(void)
{
    begin_tx();
    bool has = mt_gate_has_admin(gate, tx);
    abort_tx();
    return has;
}

static bool knows(enum person who)
{
    begin_tx();
    bool does = mt_gate_knows(gate, tx, &people[who].subject);
    abort_tx();
    return does;
}

static bool is_stranger(mt_err e)
{
    return is_code(e, MT_E_DENIED) && strcmp(e.fault->what, MT_GATE_STRANGER) == 0;
}

static void a_new_node_has_no_administrator_and_knows_nobody(void)
{
    world_begin();
    MT_ASSERT(!has_admin());
    for (enum person who = ADMIN; who < PEOPLE; who++) {
        MT_ASSERT(!knows(who));
        MT_ASSERT(is_stranger(enter(ask_of(who, MT_RIGHT_USER))));
        MT_ASSERT(is_stranger(enter(ask_of(who, MT_RIGHT_ADMIN))));
        MT_ASSERT(is_stranger(claim(who, SECRET))); /* none is offered */
    }
    world_end();
}

static void the_claim_makes_the_key_that_it_came_with_the_administrator(void)
{
    world_begin();
    offer_claim(now_ms + 1000);
    OK(claim(ADMIN, SECRET));
    MT_ASSERT(has_admin() && knows(ADMIN) && !knows(ALICE));
    OK(enter(ask_of(ADMIN, MT_RIGHT_ADMIN)));
    MT_ASSERT(mt_permit_role(permit) == MT_ROLE_ADMIN);
    MT_ASSERT(mt_hash_equal(mt_permit_subject(permit), &people[ADMIN].subject));
    MT_ASSERT(
        mt_bytes_equal(mt_spki_bytes(mt_permit_key(permit)), mt_spki_bytes(&people[ADMIN].spki)));
    abort_tx();
    world_end();
}

static void a_claim_is_good_once(void)
{
    world_begin();
    offer_claim(now_ms + 1000);
    OK(claim(ADMIN, SECRET));
    MT_ASSERT(is_stranger(claim(ADMIN, SECRET)));
    MT_ASSERT(is_stranger(claim(MALLORY, SECRET)));
    world_restart();
    offer_claim(now_ms + 1000); /* a node with an administrator offers none, but if it did */
    MT_ASSERT(is_stranger(claim(MALLORY, SECRET)) && !knows(MALLORY));
    world_end();
}

static void a_late_claim_is_refused_even_if_the_clock_is_set_back(void)
{
    world_begin();
    uint64_t until_ms = now_ms + 1000;
    offer_claim(until_ms);
    now_ms = until_ms;
    MT_ASSERT(is_stranger(claim(ADMIN, SECRET)));
    begin_tx(); /* the block time is now past the end of the claim */
    OK(leave(MT_OK));
    now_ms = WORLD_NOW_MS;
    MT_ASSERT(is_stranger(claim(ADMIN, SECRET)) && !has_admin());
    world_end();
}

static void the_last_moment_of_a_claim_is_good(void)
{
    world_begin();
    offer_claim(now_ms + 1000);
    now_ms += 999;
    OK(claim(ADMIN, SECRET));
    world_end();
}

static void a_claim_can_be_guessed_five_times(void)
{
    world_begin();
    uint8_t wrong[32];
    memcpy(wrong, world_secret, sizeof wrong);
    wrong[31] ^= 1;
    offer_claim(now_ms + 1000);
    for (int i = 0; i < 4; i++) {
        MT_ASSERT(is_stranger(claim(MALLORY, (mt_bytes){wrong, sizeof wrong})));
    }
    MT_ASSERT(is_stranger(claim(MALLORY, (mt_bytes){world_secret, 31})));
    MT_ASSERT(is_stranger(claim(ADMIN, SECRET))); /* right, and the sixth */
    MT_ASSERT(!has_admin());
    world_end();
}

static void the_fifth_guess_still_counts(void)
{
    world_begin();
    offer_claim(now_ms + 1000);
    for (int i = 0; i < 4; i++) {
        MT_ASSERT(is_stranger(claim(MALLORY, MT_LITERAL("a guess"))));
    }
    OK(claim(ADMIN, SECRET));
    MT_ASSERT(!knows(MALLORY));
    world_end();
}

static void the_configured_administrator_is_one_without_a_record_and_gets_one_with_a_write(void)
{
    world_begin();
    world_close();
    world_administrator = people[ADMIN].subject;
    world_open(false);
    offer_claim(now_ms + 1000);
    MT_ASSERT(has_admin() && knows(ADMIN));
    MT_ASSERT(is_stranger(claim(MALLORY, SECRET))); /* who is configured is no longer claimed */
    OK(check(ask_of(ADMIN, MT_RIGHT_ADMIN)));
    OK(enter(looking(ask_of(ADMIN, MT_RIGHT_ADMIN))));
    struct mt_user u;
    MT_ASSERT(is_code(mt_permit_user(permit, tx, &people[ADMIN].subject, &u), MT_E_NOTFOUND));
    abort_tx();
    OK(enter(ask_of(ADMIN, MT_RIGHT_ADMIN)));
    OK(mt_permit_user(permit, tx, &people[ADMIN].subject, &u));
    MT_ASSERT(u.role == MT_ROLE_ADMIN && !u.is_revoked);
    OK(leave(MT_OK));
    /* The record has the last word: revoked is revoked, whatever the configuration says. */
    OK(add_user(ADMIN, BOB, "bob", MT_ROLE_ADMIN));
    OK(revoke_user(BOB, ADMIN));
    MT_ASSERT(is_stranger(enter(ask_of(ADMIN, MT_RIGHT_USER))) && !knows(ADMIN));
    world_end();
}

static void a_configuration_that_is_changed_names_no_further_administrator(void)
{
    world_begin();
    world_populate();
    world_settle();
    world_close();
    world_administrator = people[MALLORY].subject; /* by the host, before a start */
    world_open(false);
    MT_ASSERT(is_stranger(check(ask_of(MALLORY, MT_RIGHT_ADMIN))) && !knows(MALLORY));
    MT_ASSERT(is_stranger(enter(ask_of(MALLORY, MT_RIGHT_ADMIN))));
    OK(check(ask_of(ADMIN, MT_RIGHT_ADMIN)));
    world_end();
}

static void an_unset_configuration_makes_nobody_an_administrator(void)
{
    world_begin();
    struct mt_ask a = ask_of(MALLORY, MT_RIGHT_ADMIN);
    memset(&a.subject, 0, sizeof a.subject); /* no key hashes to this; if one did */
    MT_ASSERT(is_stranger(enter(a)));
    world_end();
}

static void a_user_is_no_administrator(void)
{
    world_begin();
    world_populate();
    OK(check(ask_of(ALICE, MT_RIGHT_USER)));
    MT_ASSERT(is_code(enter(ask_of(ALICE, MT_RIGHT_ADMIN)), MT_E_DENIED));
    MT_ASSERT(is_code(add_user(ALICE, MALLORY, "mallory", MT_ROLE_USER), MT_E_DENIED));
    /* Not even with a permit of another route. */
    OK(enter(ask_of(ALICE, MT_RIGHT_USER)));
    MT_ASSERT(is_code(
        mt_permit_user_add(permit, tx, &people[MALLORY].spki, MT_LITERAL("m"), MT_ROLE_USER),
        MT_E_DENIED));
    MT_ASSERT(is_code(mt_permit_user_revoke(permit, tx, &people[BOB].subject), MT_E_DENIED));
    abort_tx();
    MT_ASSERT(!knows(MALLORY) && knows(BOB));
    world_end();
}

static void a_key_is_added_once_and_never_changed(void)
{
    world_begin();
    world_populate();
    MT_ASSERT(is_code(add_user(ADMIN, ALICE, "alice", MT_ROLE_ADMIN), MT_E_CONFLICT));
    MT_ASSERT(is_code(add_user(ADMIN, ALICE, "another name", MT_ROLE_USER), MT_E_CONFLICT));
    OK(revoke_user(ADMIN, ALICE));
    MT_ASSERT(is_code(add_user(ADMIN, ALICE, "alice", MT_ROLE_USER), MT_E_CONFLICT));
    MT_ASSERT(!knows(ALICE));
    world_end();
}

static void another_key_of_a_known_name_is_another_person(void)
{
    world_begin();
    world_populate();
    mt_id data = id_of(1);
    struct mt_object_handle h;
    OK(put_data(ALICE, &data, MT_LITERAL("of alice"), &h));
    OK(add_user(ADMIN, MALLORY, "alice", MT_ROLE_USER)); /* the administrator tries to re-key her */
    MT_ASSERT(is_code(see(MALLORY, &data), MT_E_NOTFOUND));
    MT_ASSERT(is_code(check(ask_on(MALLORY, MT_RIGHT_READ, MT_KIND_DATA, &data)), MT_E_NOTFOUND));
    OK(see(ALICE, &data));
    world_end();
}

static void names_have_a_length_and_no_hidden_characters(void)
{
    /* U+202E and U+2066, byte by byte: as literals a linter takes them for an attack. */
    static const char rlo[] = {'\xe2', '\x80', '\xae', 'x', '\0'};
    static const char lri[] = {'\xe2', '\x81', '\xa6', 'a', '\0'};
    static const char *const bad[] = {"",         "a\nb", "\x1b[2J", "a\x7f",
                                      "\xc2\x9b", rlo,    lri,       "\xef\xbb\xbf"};
    char longest[MT_NAME_BYTES_MAX + 2];
    world_begin();
    world_populate();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        MT_ASSERT(is_code(add_user(ADMIN, MALLORY, bad[i], MT_ROLE_USER), MT_E_ARG));
    }
    memset(longest, 'x', sizeof longest);
    longest[MT_NAME_BYTES_MAX + 1] = '\0';
    MT_ASSERT(is_code(add_user(ADMIN, MALLORY, longest, MT_ROLE_USER), MT_E_ARG));
    MT_ASSERT(!knows(MALLORY));
    OK(add_user(ADMIN, MALLORY, "M\xc3\xa4llory O'X \xe2\x82\xac", MT_ROLE_USER));
    world_end();
}

static void who_is_revoked_is_a_stranger(void)
{
    world_begin();
    world_populate();
    mt_id data = id_of(1);
    struct mt_object_handle h;
    OK(put_data(ALICE, &data, MT_LITERAL("of alice"), &h));
    OK(revoke_user(ADMIN, ALICE));
    MT_ASSERT(is_stranger(enter(ask_of(ALICE, MT_RIGHT_USER))));
    MT_ASSERT(is_stranger(enter(ask_on(ALICE, MT_RIGHT_OWNER, MT_KIND_DATA, &data))));
    MT_ASSERT(is_stranger(
        open_object(reading(ask_on(ALICE, MT_RIGHT_READ, MT_KIND_DATA, &data)), &h.id)));
    world_end();
}

static void the_last_administrator_stays(void)
{
    world_begin();
    world_populate();
    MT_ASSERT(is_code(revoke_user(ADMIN, ADMIN), MT_E_CONFLICT));
    MT_ASSERT(is_code(revoke_user(ADMIN, MALLORY), MT_E_NOTFOUND));
    OK(add_user(ADMIN, MALLORY, "second", MT_ROLE_ADMIN));
    OK(revoke_user(MALLORY, ADMIN));
    OK(revoke_user(MALLORY, ADMIN)); /* again changes nothing */
    MT_ASSERT(is_code(revoke_user(MALLORY, MALLORY), MT_E_CONFLICT));
    MT_ASSERT(knows(MALLORY));
    world_end();
}

static mt_err count_user(void *state, const struct mt_user *u)
{
    size_t *count = state;
    (void)u;
    ++*count;
    return MT_OK;
}

static void users_and_roles_are_still_there_after_a_restart(void)
{
    world_begin();
    world_populate();
    OK(revoke_user(ADMIN, CAROL));
    world_restart();
    MT_ASSERT(has_admin() && knows(ADMIN) && knows(ALICE) && !knows(CAROL) && !knows(MALLORY));
    OK(check(ask_of(ADMIN, MT_RIGHT_ADMIN)));
    MT_ASSERT(is_code(check(ask_of(ALICE, MT_RIGHT_ADMIN)), MT_E_DENIED));
    size_t count = 0;
    OK(enter(ask_of(ALICE, MT_RIGHT_USER)));
    OK(mt_permit_users(permit, tx, count_user, &count));
    struct mt_user u;
    OK(mt_permit_user(permit, tx, &people[CAROL].subject, &u));
    MT_ASSERT(u.is_revoked && mt_bytes_equal(u.name, MT_LITERAL("carol")));
    MT_ASSERT(u.added_ms == WORLD_NOW_MS);
    abort_tx();
    MT_ASSERT(count == 5);
    world_end();
}

static void routes_of_the_wrong_kind_are_our_own_mistake(void)
{
    world_begin();
    world_populate();
    mt_id data = id_of(1);
    struct mt_object_handle h;
    OK(put_data(ALICE, &data, MT_LITERAL("of alice"), &h));
    MT_ASSERT(is_code(check(ask_of(ALICE, MT_RIGHT_OWNER)), MT_E_INTERNAL));
    MT_ASSERT(is_code(check(ask_on(ALICE, MT_RIGHT_USER, MT_KIND_DATA, &data)), MT_E_INTERNAL));
    MT_ASSERT(is_code(check(ask_on(ALICE, MT_RIGHT_ADMIN, MT_KIND_DATA, &data)), MT_E_INTERNAL));
    world_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_new_node_has_no_administrator_and_knows_nobody),
        MT_TEST(the_claim_makes_the_key_that_it_came_with_the_administrator),
        MT_TEST(a_claim_is_good_once),
        MT_TEST(a_late_claim_is_refused_even_if_the_clock_is_set_back),
        MT_TEST(the_last_moment_of_a_claim_is_good),
        MT_TEST(a_claim_can_be_guessed_five_times),
        MT_TEST(the_fifth_guess_still_counts),
        MT_TEST(the_configured_administrator_is_one_without_a_record_and_gets_one_with_a_write),
        MT_TEST(a_configuration_that_is_changed_names_no_further_administrator),
        MT_TEST(an_unset_configuration_makes_nobody_an_administrator),
        MT_TEST(a_user_is_no_administrator),
        MT_TEST(a_key_is_added_once_and_never_changed),
        MT_TEST(another_key_of_a_known_name_is_another_person),
        MT_TEST(names_have_a_length_and_no_hidden_characters),
        MT_TEST(who_is_revoked_is_a_stranger),
        MT_TEST(the_last_administrator_stays),
        MT_TEST(users_and_roles_are_still_there_after_a_restart),
        MT_TEST(routes_of_the_wrong_kind_are_our_own_mistake),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
