/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/task/world_test.h"
#include "wire/run.h"

/* Runs of an approved task: how many, when, what comes out and who gets it. */

static void begin(void)
{
    tasks_begin();
    OK(approve(ALICE));
    OK(approve(BOB));
    turn();
}

static mt_err read_result(enum person who, int output)
{
    return CALL(who, "result.read", .args = {result_ids[output]});
}

static bool got(const char *text)
{
    return mt_bytes_equal(mt_buf_bytes(&content), mt_bytes_of_text(text));
}

static void a_run_gives_each_output_to_its_receivers_alone(void)
{
    begin();
    OK(run_task());
    MT_ASSERT(is(run_state(), "queued"));
    turn();
    MT_ASSERT(is(run_state(), "running"));
    work_all();
    MT_ASSERT(is(run_state(), "done"));
    OK(read_result(CAROL, 0));
    MT_ASSERT(got("the rows of alice"));
    OK(read_result(DAVE, 1));
    MT_ASSERT(got("the rows of bob"));
    static const enum person others[] = {ADMIN, ALICE, BOB};
    for (size_t i = 0; i < 3; i++) {
        MT_ASSERT(is_code(read_result(others[i], 0), MT_E_NOTFOUND));
        MT_ASSERT(is_code(read_result(others[i], 1), MT_E_NOTFOUND));
    }
    MT_ASSERT(is_code(read_result(CAROL, 1), MT_E_NOTFOUND)); /* not even who started it */
    MT_ASSERT(is_code(read_result(DAVE, 0), MT_E_NOTFOUND));
    MT_ASSERT(is_code(read_result(MALLORY, 0), MT_E_DENIED));
    turn();
    OK(node_crash());
    OK(read_result(DAVE, 1));
    MT_ASSERT(got("the rows of bob"));
    calls_end();
}

static void only_who_made_the_task_runs_it(void)
{
    begin();
    static const enum person others[] = {ALICE, BOB, DAVE};
    for (size_t i = 0; i < 3; i++) {
        MT_ASSERT(is_code(CALL(others[i], "task.run", .args = {task_id}), MT_E_DENIED));
    }
    MT_ASSERT(is_code(CALL(ADMIN, "task.run", .args = {task_id}), MT_E_NOTFOUND));
    MT_ASSERT(
        is_code(CALL(CAROL, "task.run", .args = {task_id}, .body = "{\"runs\":9}"), MT_E_FORMAT));
    OK(CALL(CAROL, "task.run", .args = {task_id}));
    calls_end();
}

static void of_two_requests_for_the_last_run_one_gets_it(void)
{
    begin();
    OK(run_task());
    OK(run_task()); /* the second of two, and both are still under way */
    MT_ASSERT(is_code(run_task(), MT_E_CONFLICT));
    MT_ASSERT(mt_jobs_count(jobs) == 2);
    turn();
    work_all();
    MT_ASSERT(is_code(run_task(), MT_E_CONFLICT));
    OK(node_crash());
    MT_ASSERT(is_code(run_task(), MT_E_CONFLICT));
    MT_ASSERT(is(task_state(), "exhausted") && number_of(answer, "runs_left") == 0);
    calls_end();
}

static void a_repeated_request_starts_one_run(void)
{
    begin();
    char first[33];
    const struct call c = {
        .who = CAROL, .action = "task.run", .args = {task_id}, .body = "{}", .number = 7};
    OK(call(&c));
    copy_id(first, text_of(answer, "run"));
    OK(call(&c));
    MT_ASSERT(is(text_of(answer, "run"), first) && mt_jobs_count(jobs) == 1);
    turn();
    OK(node_crash());
    OK(call(&c));
    MT_ASSERT(is(text_of(answer, "run"), first) && mt_jobs_count(jobs) == 1);
    MT_ASSERT(is(task_state(), "approved") && number_of(answer, "runs_left") == 1);
    OK(revoke_user(ADMIN, CAROL)); /* asked again who it is, before any answer */
    MT_ASSERT(is_code(call(&c), MT_E_DENIED));
    calls_end();
}

static void a_task_runs_between_its_times_whatever_the_clock_says_later(void)
{
    begin();
    struct wish w = a_wish();
    w.not_before = now_ms + 1000;
    w.not_after = now_ms + 2000;
    OK(create(&w));
    OK(approve(ALICE));
    OK(approve(BOB));
    world_sleep(999);
    MT_ASSERT(is_code(run_task(), MT_E_STALE));
    world_sleep(1);
    OK(run_task());
    world_sleep(1000);
    MT_ASSERT(is_code(run_task(), MT_E_STALE));
    MT_ASSERT(is_code(approve(ALICE), MT_E_STALE));
    OK(CALL(CAROL, "data.put", .query = "name=n", .upload = "a write: the block has that time"));
    turn();
    now_ms = WORLD_NOW_MS + 1500; /* set back into the good time */
    MT_ASSERT(is_code(run_task(), MT_E_STALE));
    OK(node_crash());
    MT_ASSERT(is_code(run_task(), MT_E_STALE));
    MT_ASSERT(is(task_state(), "expired"));
    calls_end();
}

static void before_its_time_a_task_does_not_run_after_a_restart_either(void)
{
    begin();
    struct wish w = a_wish();
    w.not_before = now_ms + 1000;
    OK(create(&w));
    OK(approve(ALICE));
    OK(approve(BOB));
    turn();
    OK(node_crash());
    MT_ASSERT(is_code(run_task(), MT_E_STALE));
    calls_end();
}

static void a_deleted_input_ends_the_tasks_runs(void)
{
    begin();
    OK(run_task());
    turn();
    OK(CALL(BOB, "data.delete", .args = {bob_data}));
    turn();
    work_all();
    MT_ASSERT(is(run_state(), "cancelled"));
    MT_ASSERT(is_code(run_task(), MT_E_DENIED));
    calls_end();
}

static void a_new_version_does_not_change_what_runs(void)
{
    char same[33];
    begin();
    put_set(ALICE, "name=of-alice", "quite other rows", same);
    MT_ASSERT(is(same, alice_data));
    OK(run_task());
    turn();
    work_all();
    MT_ASSERT(is(run_state(), "done"));
    OK(read_result(CAROL, 0));
    MT_ASSERT(got("the rows of alice"));
    calls_end();
}

static void an_approval_withdrawn_stops_what_is_queued_and_what_runs(void)
{
    begin();
    OK(run_task());
    OK(CALL(ALICE, "task.withdraw", .args = {task_id})); /* queued: its start is not durable yet */
    OK(approve(ALICE)); /* that she approves again does not bring this run back */
    turn();
    work_all();
    MT_ASSERT(is(run_state(), "cancelled"));
    OK(run_task());
    turn();
    MT_ASSERT(work());
    OK(CALL(BOB, "task.reject", .args = {task_id})); /* all work is done, and nothing published */
    work_done();
    MT_ASSERT(is(run_state(), "cancelled"));
    MT_ASSERT(is_code(CALL(CAROL, "receipt.get", .args = {task_id, run_id}), MT_E_CONFLICT));
    calls_end();
}

/* The owner takes the gate's grant itself away, without a word to the task service. */
static void a_grant_revoked_while_the_run_is_under_way_takes_the_result_away(void)
{
    begin();
    OK(run_task());
    turn();
    OK(CALL(ALICE, "data.show", .args = {alice_data}));
    const struct mt_json *list = NULL;
    size_t count = 0;
    char id[33] = "";
    OK(mt_json_array(answer, "grants", 16, &list, &count));
    for (size_t i = 0; i < count; i++) {
        if (is(text_of(mt_json_at(list, i), "right"), "run")) {
            copy_id(id, text_of(mt_json_at(list, i), "grant"));
        }
    }
    OK(CALL(ALICE, "data.revoke", .args = {alice_data, id}));
    work_all();
    MT_ASSERT(is(run_state(), "cancelled"));
    MT_ASSERT(is_code(run_task(), MT_E_DENIED)); /* although the task calls itself approved */
    calls_end();
}

static void a_cancelled_task_gives_nothing_out_any_more(void)
{
    begin();
    OK(run_task());
    turn();
    MT_ASSERT(work());
    OK(CALL(CAROL, "task.cancel", .args = {task_id}));
    work_done();
    MT_ASSERT(is(run_state(), "cancelled"));
    calls_end();
}

static void a_cancelled_task_does_not_come_back_with_a_crash(void)
{
    begin();
    OK(run_task());
    turn();
    OK(CALL(CAROL, "task.cancel", .args = {task_id}));
    turn();
    OK(node_crash());
    work_all();
    MT_ASSERT(is(run_state(), "cancelled"));
    calls_end();
}

static void a_cancelled_run_gives_nothing_out_and_does_not_come_back_with_a_crash(void)
{
    begin();
    OK(run_task());
    turn();
    OK(CALL(CAROL, "run.cancel", .args = {task_id, run_id}));
    MT_ASSERT(reply.status == 202);
    MT_ASSERT(is(run_state(), "running") && !mt_json_has(answer, "error"));
    turn();
    OK(node_crash()); /* before it noticed */
    work_all();
    MT_ASSERT(is(run_state(), "cancelled"));
    MT_ASSERT(is_code(CALL(CAROL, "run.cancel", .args = {task_id, run_id}), MT_E_CONFLICT));
    OK(run_task()); /* without a crash */
    turn();
    OK(CALL(DAVE, "run.cancel", .args = {task_id, run_id}));
    work_all();
    MT_ASSERT(is(run_state(), "cancelled"));
    calls_end();
}

static void a_run_of_another_task_is_not_there(void)
{
    begin();
    OK(run_task());
    const struct wish w = a_wish();
    OK(create(&w));
    MT_ASSERT(is_code(CALL(CAROL, "run.show", .args = {task_id, run_id}), MT_E_NOTFOUND));
    MT_ASSERT(is_code(CALL(CAROL, "run.cancel", .args = {task_id, run_id}), MT_E_NOTFOUND));
    MT_ASSERT(is_code(CALL(CAROL, "receipt.get", .args = {task_id, run_id}), MT_E_NOTFOUND));
    MT_ASSERT(is_code(CALL(ADMIN, "run.show", .args = {task_id, run_id}), MT_E_NOTFOUND));
    calls_end();
}

static void a_failed_run_says_why_and_gives_nothing(void)
{
    begin();
    static const char psi[] =
        "{\"inputs\":[{\"name\":\"a\",\"key\":\"k\",\"canonical\":\"none\","
        "\"duplicates\":\"refuse\"},{\"name\":\"b\",\"key\":\"k\",\"canonical"
        "\":\"none\",\"duplicates\":\"refuse\"}],\"outputs\":[{\"name\":\"x\","
        "\"columns\":[{\"count\":true,\"as\":\"n\"}]},{\"name\":\"y\","
        "\"columns\":[{\"count\":true,\"as\":\"n\"}]}]}";
    struct wish w = a_wish();
    w.function = "psi";
    w.arguments = psi;
    OK(create(&w));
    OK(approve(ALICE));
    OK(approve(BOB));
    OK(run_task());
    turn();
    work_all();
    MT_ASSERT(is(run_state(), "failed"));
    const struct mt_json *error = NULL;
    OK(mt_json_object(answer, "error", &error));
    MT_ASSERT(is(text_of(error, "code"), "format"));
    MT_ASSERT(strstr(text_of(error, "detail"), "rows") == NULL); /* never what the data says */
    calls_end();
}

static void memory_beyond_the_tasks_limit_fails_the_run(void)
{
    begin();
    struct wish w = a_wish();
    w.memory = 1;
    OK(create(&w));
    OK(approve(ALICE));
    OK(approve(BOB));
    OK(run_task());
    turn();
    work_all();
    MT_ASSERT(is(run_state(), "failed"));
    const struct mt_json *error = NULL;
    OK(mt_json_object(answer, "error", &error));
    MT_ASSERT(is(text_of(error, "code"), "limit"));
    calls_end();
}

static void a_crash_between_start_and_end_repeats_the_run_and_counts_it_once(void)
{
    begin();
    OK(run_task());
    turn();
    MT_ASSERT(work());
    OK(node_crash());
    MT_ASSERT(is(run_state(), "running"));
    work_all();
    MT_ASSERT(is(run_state(), "done"));
    MT_ASSERT(is(task_state(), "approved") && number_of(answer, "runs_left") == 1);
    OK(read_result(CAROL, 0));
    calls_end();
}

/* The claim in the transaction that ended the run: what a receipt shows. */
static void a_done_run_claims_what_ran_and_at_which_level(void)
{
    static struct mt_run_claim c;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(SIZE_MAX / 2);
    struct mt_ledger_leaf leaf;
    begin();
    OK(run_task());
    turn();
    work_all();
    OK(CALL(ALICE, "receipt.get", .args = {task_id, run_id}));
    MT_ASSERT(reply.kind == MT_REPLY_RECEIPT);
    OK(mt_ledger_leaf(ledger, reply.receipt_txid, &room, &leaf));
    MT_ASSERT(reply.receipt_item < leaf.items_count);
    OK(mt_run_claim_parse(leaf.items[reply.receipt_item], &c));
    mt_id id;
    OK(mt_hex_parse(mt_bytes_of_text(run_id), (mt_span){id.b, sizeof id.b}));
    MT_ASSERT(mt_id_equal(&c.run, &id) && c.number == 1 && c.level == 2);
    MT_ASSERT(c.approvals_count == 2 && c.outputs_count == 2);
    MT_ASSERT(mt_bytes_equal(c.outputs[0].name, MT_LITERAL("x")) && c.outputs[0].size_bytes == 17);
    MT_ASSERT(!c.is_oblivious && !c.are_limits_enforced);
    calls_end();
}

struct events {
    char text[1024];
};

static mt_err take_event(void *state, uint64_t txid, mt_bytes event, bool *is_enough)
{
    struct events *e = state;
    size_t len = strlen(e->text);
    (void)txid;
    (void)is_enough;
    (void)snprintf(e->text + len, sizeof e->text - len, "%.*s", (int)event.len,
                   (const char *)event.ptr);
    return MT_OK;
}

static void who_watches_a_task_learns_what_becomes_of_it(void)
{
    static const char *const wanted[] = {"created",  "approved",  "approved", "run-queued",
                                         "run-done", "withdrawn", "rejected", "cancelled"};
    begin();
    OK(run_task());
    turn();
    work_all();
    OK(CALL(ALICE, "task.withdraw", .args = {task_id}));
    OK(CALL(ALICE, "task.reject", .args = {task_id}));
    OK(CALL(CAROL, "task.cancel", .args = {task_id}));
    turn();
    OK(CALL(BOB, "task.watch", .args = {task_id}, .query = "after=3"));
    MT_ASSERT(reply.kind == MT_REPLY_WATCH && reply.after_txid == 3);
    MT_ASSERT(is_code(CALL(ADMIN, "task.watch", .args = {task_id}), MT_E_NOTFOUND));
    struct events e = {""};
    mt_id topic;
    OK(mt_hex_parse(mt_bytes_of_text(task_id), (mt_span){topic.b, sizeof topic.b}));
    OK(mt_ledger_events(ledger, &topic, 0, take_event, &e));
    const char *at = e.text;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "\"event\":\"%s\"", wanted[i]);
        at = strstr(at, name);
        MT_ASSERT(at != NULL);
        at++;
    }
    calls_end();
}

static void a_task_with_many_runs_shows_the_newest_and_older_ones_if_asked(void)
{
    begin();
    struct wish w = a_wish();
    w.runs = MT_TASK_RUNS_SHOWN + 5;
    OK(create(&w));
    OK(approve(ALICE));
    OK(approve(BOB));
    for (uint64_t i = 0; i < w.runs; i++) {
        OK(run_task());
        turn();
        work_all();
    }
    MT_ASSERT(is(task_state(), "exhausted"));
    const struct mt_json *list = NULL;
    size_t count = 0;
    OK(mt_json_array(answer, "runs", 1000, &list, &count));
    MT_ASSERT(count == MT_TASK_RUNS_SHOWN);
    MT_ASSERT(number_of(mt_json_at(list, 0), "number") == 6);
    MT_ASSERT(number_of(mt_json_at(list, count - 1), "number") == w.runs);
    MT_ASSERT(number_of(answer, "runs_started") == w.runs);
    OK(CALL(CAROL, "task.show", .args = {task_id}, .query = "before=6"));
    OK(mt_json_array(answer, "runs", 1000, &list, &count));
    MT_ASSERT(count == 5);
    MT_ASSERT(number_of(mt_json_at(list, 0), "number") == 1);
    MT_ASSERT(number_of(mt_json_at(list, 4), "number") == 5);
    for (size_t i = 0; i < 2; i++) {
        OK(CALL(CAROL, "task.show", .args = {task_id}, .query = i == 0 ? "before=1" : "before=0"));
        OK(mt_json_array(answer, "runs", 1000, &list, &count));
        MT_ASSERT(count == 0);
    }
    MT_ASSERT(
        is_code(CALL(CAROL, "task.show", .args = {task_id}, .query = "before=x"), MT_E_FORMAT));
    calls_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_run_gives_each_output_to_its_receivers_alone),
        MT_TEST(only_who_made_the_task_runs_it),
        MT_TEST(of_two_requests_for_the_last_run_one_gets_it),
        MT_TEST(a_repeated_request_starts_one_run),
        MT_TEST(a_task_runs_between_its_times_whatever_the_clock_says_later),
        MT_TEST(before_its_time_a_task_does_not_run_after_a_restart_either),
        MT_TEST(a_deleted_input_ends_the_tasks_runs),
        MT_TEST(a_new_version_does_not_change_what_runs),
        MT_TEST(an_approval_withdrawn_stops_what_is_queued_and_what_runs),
        MT_TEST(a_grant_revoked_while_the_run_is_under_way_takes_the_result_away),
        MT_TEST(a_cancelled_task_gives_nothing_out_any_more),
        MT_TEST(a_cancelled_task_does_not_come_back_with_a_crash),
        MT_TEST(a_cancelled_run_gives_nothing_out_and_does_not_come_back_with_a_crash),
        MT_TEST(a_run_of_another_task_is_not_there),
        MT_TEST(a_failed_run_says_why_and_gives_nothing),
        MT_TEST(memory_beyond_the_tasks_limit_fails_the_run),
        MT_TEST(a_crash_between_start_and_end_repeats_the_run_and_counts_it_once),
        MT_TEST(a_done_run_claims_what_ran_and_at_which_level),
        MT_TEST(who_watches_a_task_learns_what_becomes_of_it),
        MT_TEST(a_task_with_many_runs_shows_the_newest_and_older_ones_if_asked),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
