/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/acts_test.h"

/* What a run may have: what every owner allowed to that task, by its digest, and nothing else. */

static mt_id first;
static mt_id second;
static struct mt_object_handle first_handle;
static struct mt_object_handle second_handle;
static const mt_hash digest = {"the digest of an approved task.."};
static const mt_hash other_digest = {"the digest of another task......"};
static mt_id inputs[MT_TASK_PARTIES_MAX + 1];
static mt_id objects[MT_TASK_PARTIES_MAX + 1];

static struct mt_job_ask job(size_t count)
{
    inputs[0] = first;
    objects[0] = first_handle.id;
    inputs[1] = second;
    objects[1] = second_handle.id;
    return (struct mt_job_ask){.job = id_of(50),
                               .grantee = digest,
                               .function = MT_LITERAL("psi"),
                               .inputs = inputs,
                               .objects = objects,
                               .inputs_count = count};
}

static struct mt_grant run_grant(uint64_t count)
{
    return (struct mt_grant){
        .right = MT_GRANT_RUN, .grantee = digest, .function = MT_LITERAL("psi"), .count = count};
}

static struct mt_grant of_alice;
static struct mt_grant of_bob;

/* Alice and Bob own an input each, and have allowed the task so many runs. */
static void begin(uint64_t count)
{
    world_begin();
    world_populate();
    first = id_of(1);
    second = id_of(2);
    OK(put_data(ALICE, &first, MT_LITERAL("of alice"), &first_handle));
    OK(put_data(BOB, &second, MT_LITERAL("of bob"), &second_handle));
    of_alice = run_grant(count);
    of_bob = run_grant(count);
    OK(grant(ALICE, &first, &of_alice));
    OK(grant(BOB, &second, &of_bob));
}

static mt_err start(const struct mt_job_ask *ask)
{
    begin_tx();
    mt_err e = mt_gate_admit_job(gate, tx, ask, arena, &permit);
    if (mt_failed(e)) {
        abort_tx();
    }
    return e;
}

static mt_err run_once(const struct mt_job_ask *ask)
{
    MT_TRY(start(ask));
    return leave(MT_OK);
}

static mt_err unwrap(const mt_id *object)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    return mt_gate_unwrap(gate, permit, tx, object, &key);
}

static void a_job_opens_exactly_its_objects(void)
{
    begin(1);
    mt_id third = id_of(3);
    struct mt_object_handle third_handle;
    OK(put_data(ALICE, &third, MT_LITERAL("not for this"), &third_handle));
    struct mt_grant g = run_grant(1);
    OK(grant(ALICE, &third, &g)); /* allowed, but no input of this run */
    struct mt_job_ask ask = job(2);
    OK(start(&ask));
    OK(unwrap(&first_handle.id));
    OK(unwrap(&second_handle.id));
    MT_ASSERT(is_code(unwrap(&third_handle.id), MT_E_DENIED));
    MT_ASSERT(mt_hash_equal(mt_permit_subject(permit), &digest));
    MT_ASSERT(!mt_permit_is_owner(permit));
    OK(leave(MT_OK));
    world_end();
}

static void a_missing_approval_stops_a_job(void)
{
    begin(1);
    OK(revoke(BOB, &second, &of_bob.id));
    struct mt_job_ask ask = job(2);
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    ask = job(1);
    OK(run_once(&ask)); /* what is refused whole uses nothing up */
    world_end();
}

static void an_approval_is_for_one_digest(void)
{
    begin(1);
    struct mt_job_ask ask = job(2);
    struct mt_object_handle h;
    ask.grantee = other_digest;
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    begin_tx();
    MT_ASSERT(is_code(mt_permit_input(tx, &other_digest, &first, 1, &h), MT_E_DENIED));
    OK(mt_permit_input(tx, &digest, &first, 1, &h));
    MT_ASSERT(mt_id_equal(&h.id, &first_handle.id));
    MT_ASSERT(is_code(mt_permit_input(tx, &digest, &first, 2, &h), MT_E_NOTFOUND));
    abort_tx();
    world_end();
}

static void grants_to_people_start_no_job(void)
{
    begin(1);
    OK(revoke(BOB, &second, &of_bob.id));
    for (enum mt_grant_right right = MT_GRANT_SEE; right < MT_GRANT_RUN; right++) {
        struct mt_grant g = {.right = right, .grantee = digest};
        OK(grant(BOB, &second, &g));
    }
    struct mt_job_ask ask = job(2);
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    world_end();
}

static void an_approval_for_one_function_runs_no_other(void)
{
    begin(1);
    struct mt_job_ask ask = job(2);
    ask.function = MT_LITERAL("echo");
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    world_end();
}

static void an_object_counts_for_the_input_that_it_belongs_to(void)
{
    begin(1);
    struct mt_job_ask ask = job(2);
    objects[1] = first_handle.id; /* approved, but not that */
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    mt_id third = id_of(3);
    struct mt_object_handle third_handle;
    OK(put_data(CAROL, &third, MT_LITERAL("of carol"), &third_handle));
    ask = job(2);
    objects[1] = third_handle.id;
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    ask = job(2);
    objects[1] = id_of(77);
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    ask = job(2);
    inputs[1] = id_of(77);
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    world_end();
}

static void a_deleted_input_stops_a_job(void)
{
    begin(2);
    struct mt_job_ask ask = job(2);
    OK(end_data(BOB, &second));
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    ask.is_repeat = true;
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    begin_tx();
    MT_ASSERT(is_code(mt_gate_check_job(gate, tx, &ask), MT_E_CANCELLED));
    abort_tx();
    world_end();
}

static void runs_are_counted_and_never_come_back(void)
{
    begin(2);
    struct mt_job_ask ask = job(2);
    OK(run_once(&ask));
    world_restart();
    OK(run_once(&ask));
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    world_restart();
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    world_end();
}

static void an_aborted_start_uses_nothing_up(void)
{
    begin(1);
    struct mt_job_ask ask = job(2);
    OK(start(&ask));
    abort_tx();
    OK(run_once(&ask));
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    world_end();
}

static void data_that_is_two_inputs_is_used_once(void)
{
    begin(1);
    struct mt_job_ask ask = job(2);
    inputs[1] = first;
    objects[1] = first_handle.id;
    OK(run_once(&ask));
    world_end();
}

static void a_repeat_after_a_crash_is_not_counted_but_needs_the_approval(void)
{
    begin(1);
    struct mt_job_ask ask = job(2);
    OK(run_once(&ask));
    ask.is_repeat = true;
    OK(run_once(&ask));
    OK(run_once(&ask));
    OK(revoke(BOB, &second, &of_bob.id));
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    world_end();
}

static void a_withdrawal_while_the_job_runs_is_noticed_at_its_end(void)
{
    begin(1);
    struct mt_job_ask ask = job(2);
    OK(run_once(&ask));
    now_ms += 1000;
    begin_tx(); /* used up, and still there: fine */
    OK(mt_gate_check_job(gate, tx, &ask));
    abort_tx();
    OK(revoke(ALICE, &first, &of_alice.id));
    begin_tx();
    MT_ASSERT(is_code(mt_gate_check_job(gate, tx, &ask), MT_E_CANCELLED));
    abort_tx();
    world_end();
}

static void an_approval_holds_between_its_times_whatever_the_clock_says_later(void)
{
    world_begin();
    world_populate();
    first = id_of(1);
    OK(put_data(ALICE, &first, MT_LITERAL("of alice"), &first_handle));
    struct mt_grant g = run_grant(0);
    g.not_before_ms = now_ms + 1000;
    g.until_ms = now_ms + 2000;
    OK(grant(ALICE, &first, &g));
    struct mt_job_ask ask = job(1);
    now_ms += 999;
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    now_ms += 1;
    OK(run_once(&ask));
    now_ms += 1000;
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    begin_tx();
    OK(leave(MT_OK));
    world_restart();
    now_ms -= 500; /* set back into the good time */
    MT_ASSERT(is_code(start(&ask), MT_E_DENIED));
    world_end();
}

static void a_job_has_at_most_as_many_inputs_as_a_task(void)
{
    begin(0);
    struct mt_job_ask ask = job(MT_TASK_PARTIES_MAX + 1);
    MT_ASSERT(is_code(start(&ask), MT_E_LIMIT));
    world_end();
}

static void a_permit_for_nothing_opens_and_keeps_nothing(void)
{
    begin(1);
    struct mt_object_handle h;
    struct mt_object_writer *w = make_object(MT_LITERAL("result"), &h);
    begin_tx();
    OK(mt_gate_admit_nothing(gate, &digest, arena, &permit));
    MT_ASSERT(is_code(unwrap(&first_handle.id), MT_E_DENIED));
    mt_id result = id_of(60);
    const struct mt_kept_result r = {&result, &h, &people[CAROL].subject, 1};
    MT_ASSERT(is_code(mt_permit_keep_result(permit, tx, &r), MT_E_DENIED)); /* nothing was staged */
    abort_tx();
    mt_object_writer_free(&w);
    world_end();
}

static void a_result_is_its_receivers_alone(void)
{
    begin(1);
    struct mt_object_handle h;
    struct mt_object_writer *w = make_object(MT_LITERAL("result"), &h);
    struct mt_job_ask ask = job(2);
    mt_id result = id_of(60);
    const mt_hash receivers[] = {people[BOB].subject, people[CAROL].subject};
    const struct mt_kept_result r = {&result, &h, receivers, 2};
    OK(start(&ask));
    mt_gate_put_staged(permit, &h.id, mt_object_writer_key(w));
    OK(leave(mt_permit_keep_result(permit, tx, &r)));
    world_restart();
    for (enum person who = ADMIN; who < PEOPLE; who++) {
        mt_err e = open_object(reading(ask_on(who, MT_RIGHT_READ, MT_KIND_RESULT, &result)), &h.id);
        if (who == BOB || who == CAROL) {
            OK(e);
        } else {
            MT_ASSERT(is_code(e, who == MALLORY ? MT_E_DENIED : MT_E_NOTFOUND));
        }
        MT_ASSERT(mt_failed(check(ask_on(who, MT_RIGHT_OWNER, MT_KIND_RESULT, &result))));
    }
    mt_object_writer_free(&w);
    world_end();
}

static void only_a_job_has_results(void)
{
    begin(1);
    struct mt_object_handle h;
    struct mt_object_writer *w = make_object(MT_LITERAL("result"), &h);
    mt_id result = id_of(60);
    const struct mt_kept_result r = {&result, &h, &people[CAROL].subject, 1};
    OK(enter(ask_of(ALICE, MT_RIGHT_USER)));
    mt_gate_put_staged(permit, &h.id, mt_object_writer_key(w));
    MT_ASSERT(is_code(mt_permit_keep_result(permit, tx, &r), MT_E_DENIED));
    abort_tx();
    mt_object_writer_free(&w);
    world_end();
}

static void a_job_puts_nothing_into_somebodys_data(void)
{
    begin(1);
    struct mt_object_handle h;
    struct mt_object_writer *w = make_object(MT_LITERAL("injected"), &h);
    struct mt_job_ask ask = job(2);
    OK(start(&ask));
    mt_gate_put_staged(permit, &h.id, mt_object_writer_key(w));
    MT_ASSERT(
        is_code(mt_permit_keep(permit, tx, &h, MT_REF(MT_KIND_DATA, &first), 2), MT_E_DENIED));
    abort_tx();
    mt_object_writer_free(&w);
    world_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_job_opens_exactly_its_objects),
        MT_TEST(a_missing_approval_stops_a_job),
        MT_TEST(an_approval_is_for_one_digest),
        MT_TEST(grants_to_people_start_no_job),
        MT_TEST(an_approval_for_one_function_runs_no_other),
        MT_TEST(an_object_counts_for_the_input_that_it_belongs_to),
        MT_TEST(a_deleted_input_stops_a_job),
        MT_TEST(runs_are_counted_and_never_come_back),
        MT_TEST(an_aborted_start_uses_nothing_up),
        MT_TEST(data_that_is_two_inputs_is_used_once),
        MT_TEST(a_repeat_after_a_crash_is_not_counted_but_needs_the_approval),
        MT_TEST(a_withdrawal_while_the_job_runs_is_noticed_at_its_end),
        MT_TEST(an_approval_holds_between_its_times_whatever_the_clock_says_later),
        MT_TEST(a_job_has_at_most_as_many_inputs_as_a_task),
        MT_TEST(a_permit_for_nothing_opens_and_keeps_nothing),
        MT_TEST(a_result_is_its_receivers_alone),
        MT_TEST(only_a_job_has_results),
        MT_TEST(a_job_puts_nothing_into_somebodys_data),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
