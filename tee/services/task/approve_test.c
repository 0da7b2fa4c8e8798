/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/task/world_test.h"

/* What is approved, by whom, and what an approval is good for. */

static void a_definition_pins_everything_that_will_happen(void)
{
    static struct mt_task t;
    uint8_t bytes[4096];
    mt_bytes text;
    mt_id id;
    tasks_begin();
    OK(CALL(DAVE, "task.show", .args = {task_id}));
    OK(mt_json_text(answer, "definition", &text));
    mt_span definition = {bytes, text.len / 2};
    OK(mt_hex_parse(text, definition));
    OK(mt_task_parse(mt_bytes_of(definition), &t));
    MT_ASSERT(mt_hash_equal(&t.cluster, mt_ledger_cluster_id(ledger)));
    OK(mt_hex_parse(mt_bytes_of_text(task_id), (mt_span){id.b, sizeof id.b}));
    MT_ASSERT(mt_id_equal(&t.nonce, &id));
    MT_ASSERT(mt_bytes_equal(t.function, MT_LITERAL("echo")) && t.function_version == 1);
    MT_ASSERT(mt_bytes_equal(t.arguments, MT_LITERAL("{}")));
    MT_ASSERT(t.inputs_count == 2 && t.inputs[0].version == 1 && t.inputs[0].size_bytes == 17);
    MT_ASSERT(mt_hash_equal(&t.inputs[0].owner, &people[ALICE].subject));
    MT_ASSERT(mt_hash_equal(&t.inputs[1].owner, &people[BOB].subject));
    MT_ASSERT(t.outputs_count == 2 && t.outputs[0].receivers_count == 1);
    MT_ASSERT(mt_hash_equal(&t.outputs[0].receivers[0], &people[CAROL].subject));
    MT_ASSERT(mt_hash_equal(&t.outputs[1].receivers[0], &people[DAVE].subject));
    MT_ASSERT(t.time_ms == 60000 && t.memory_bytes == 1 << 20 && t.runs == 2);
    MT_ASSERT(t.minimum_level == 2 && t.policy.b[31] == 0xaa);
    MT_ASSERT(t.not_before_ms == WORLD_NOW_MS && t.not_after_ms == WORLD_NOW_MS + WORLD_HOUR_MS);
    MT_ASSERT(says("state", "proposed") && says("creator", hex_of(CAROL)));
    calls_end();
}

/* Whatever of a task changes, the approval of the task before is good for nothing (D2). */
static void an_approval_is_for_exactly_what_was_approved(void)
{
    tasks_begin();
    char old_task[33];
    char new_data[33];
    copy_id(old_task, task_id);
    const struct statement s = statement_of(ALICE);
    char hex[4097];
    (void)snprintf(hex, sizeof hex, "%s", statement_hex(&s));
    put_set(ALICE, "name=of-alice", "other rows of alice", new_data); /* version 2 */
    put_set(ALICE, "name=another", "the rows of alice", new_data);
    allow(ALICE, new_data, CAROL, "use");
    struct wish wishes[11];
    for (size_t i = 0; i < 11; i++) {
        wishes[i] = a_wish();
    }
    char to_dave[128];
    (void)snprintf(to_dave, sizeof to_dave, "[\"%s\"]", hex_of(DAVE));
    wishes[1].version = 2;
    wishes[2].data = new_data;
    wishes[3].receivers = to_dave;
    wishes[4].policy = "00000000000000000000000000000000000000000000000000000000000000ab";
    wishes[5].time_ms++;
    wishes[6].memory++;
    wishes[7].level--;
    wishes[8].runs++;
    wishes[9].not_before++;
    wishes[10].not_after++;
    for (size_t i = 0; i < 11; i++) { /* the first is the same again: that is another task too */
        mt_hash before = task_digest;
        OK(create(&wishes[i]));
        MT_ASSERT(!mt_hash_equal(&before, &task_digest) && !is(task_id, old_task));
        MT_ASSERT(is_code(send_statement(ALICE, hex), MT_E_CONFLICT));
        MT_ASSERT(is_code(run_task(), i == 9 ? MT_E_STALE : MT_E_DENIED));
    }
    copy_id(task_id, old_task);
    OK(send_statement(ALICE, hex));
    calls_end();
}

static void other_arguments_are_another_task(void)
{
    static const char psi[] =
        "{\"inputs\":[{\"name\":\"a\",\"key\":\"%s\",\"canonical\":\"none\","
        "\"duplicates\":\"refuse\"},{\"name\":\"b\",\"key\":\"k\",\"canonical"
        "\":\"none\",\"duplicates\":\"refuse\"}],\"outputs\":[{\"name\":\"x\","
        "\"columns\":[{\"count\":true,\"as\":\"n\"}]},{\"name\":\"y\","
        "\"columns\":[{\"count\":true,\"as\":\"n\"}]}]}";
    char first[1024];
    char second[1024];
    tasks_begin();
    (void)snprintf(first, sizeof first, psi, "k");
    (void)snprintf(second, sizeof second, psi, "j");
    struct wish w = a_wish();
    w.function = "psi";
    w.arguments = first;
    OK(create(&w));
    OK(approve(ALICE));
    const struct statement s = statement_of(BOB);
    char hex[4097];
    (void)snprintf(hex, sizeof hex, "%s", statement_hex(&s));
    w.arguments = second;
    OK(create(&w));
    MT_ASSERT(is_code(send_statement(BOB, hex), MT_E_CONFLICT));
    calls_end();
}

static void an_approval_of_another_cluster_is_none(void)
{
    tasks_begin();
    struct statement s = statement_of(ALICE);
    static struct mt_task t;
    uint8_t bytes[4096];
    mt_bytes text;
    OK(CALL(CAROL, "task.show", .args = {task_id}));
    OK(mt_json_text(answer, "definition", &text));
    mt_span definition = {bytes, text.len / 2};
    OK(mt_hex_parse(text, definition));
    OK(mt_task_parse(mt_bytes_of(definition), &t));
    t.cluster.b[0] ^= 1; /* the same task, on the cluster of somebody else */
    static uint8_t other[4096];
    mt_bytes label = mt_label_bytes(MT_LABEL_TASK_DIGEST);
    const uint8_t len = (uint8_t)label.len;
    struct mt_writer w = mt_writer_over((mt_span){other, sizeof other});
    mt_task_write(&w, &t);
    OK(mt_write_end(&w, &text));
    const mt_bytes parts[] = {{&len, 1}, label, text};
    mt_sha256(parts, 3, &s.digest);
    MT_ASSERT(is_code(send_statement(ALICE, statement_hex(&s)), MT_E_CONFLICT));
    t.cluster.b[0] ^= 1; /* and this is how the real one is made */
    w = mt_writer_over((mt_span){other, sizeof other});
    mt_task_write(&w, &t);
    OK(mt_write_end(&w, &text));
    const mt_bytes real[] = {{&len, 1}, label, text};
    mt_sha256(real, 3, &s.digest);
    OK(send_statement(ALICE, statement_hex(&s)));
    calls_end();
}

static void an_approval_is_signed_by_who_sends_it_and_says_what_it_is(void)
{
    tasks_begin();
    struct statement forged[7];
    static const enum mt_code codes[7] = {MT_E_PROOF,  MT_E_PROOF,  MT_E_PROOF, MT_E_PROOF,
                                          MT_E_FORMAT, MT_E_FORMAT, MT_E_PROOF};
    for (size_t i = 0; i < 7; i++) {
        forged[i] = statement_of(ALICE);
    }
    forged[0].signer = MALLORY;
    forged[1].kid = BOB;
    forged[2].key = BOB;
    forged[3].label = MT_LABEL_RECEIPT; /* a signature for another purpose */
    forged[4].is_detached = true;
    forged[5].has_header = true;
    forged[6] = statement_of(BOB); /* Bob's own, sent by Alice */
    for (size_t i = 0; i < 7; i++) {
        MT_ASSERT(is_code(send_statement(ALICE, statement_hex(&forged[i])), codes[i]));
    }
    OK(approve(BOB));
    MT_ASSERT(is_code(run_task(), MT_E_DENIED));
    calls_end();
}

static void a_broken_statement_is_refused(void)
{
    tasks_begin();
    const struct statement s = statement_of(ALICE);
    char hex[4097];
    (void)snprintf(hex, sizeof hex, "%s", statement_hex(&s));
    size_t len = strlen(hex);
    for (size_t i = 0; i < len; i += 2) {
        char broken[4097];
        memcpy(broken, hex, len + 1);
        broken[i] = '\0'; /* cut here */
        MT_ASSERT(mt_failed(send_statement(ALICE, broken)));
        memcpy(broken, hex, len + 1);
        broken[i] = broken[i] == '0' ? '1' : '0'; /* or a digit changed */
        MT_ASSERT(mt_failed(send_statement(ALICE, broken)));
    }
    MT_ASSERT(is_code(send_statement(ALICE, "zz"), MT_E_FORMAT));
    OK(send_statement(ALICE, hex));
    calls_end();
}

static void only_owners_of_inputs_approve(void)
{
    tasks_begin();
    MT_ASSERT(is_code(approve(CAROL), MT_E_DENIED)); /* who made it */
    MT_ASSERT(is_code(approve(DAVE), MT_E_DENIED));  /* who receives */
    MT_ASSERT(is_code(approve(ADMIN), MT_E_NOTFOUND));
    MT_ASSERT(is_code(approve(MALLORY), MT_E_DENIED));
    MT_ASSERT(is_code(CALL(CAROL, "task.reject", .args = {task_id}), MT_E_DENIED));
    MT_ASSERT(is_code(CALL(CAROL, "task.withdraw", .args = {task_id}), MT_E_DENIED));
    MT_ASSERT(is_code(CALL(ADMIN, "task.reject", .args = {task_id}), MT_E_NOTFOUND));
    calls_end();
}

static void all_owners_must_approve_and_each_once(void)
{
    tasks_begin();
    MT_ASSERT(is_code(run_task(), MT_E_DENIED));
    OK(approve(ALICE));
    MT_ASSERT(is(task_state(), "proposed"));
    MT_ASSERT(is_code(run_task(), MT_E_DENIED));
    MT_ASSERT(strstr(refusal_detail, "owner 2 of 2") != NULL);
    MT_ASSERT(is_code(approve(ALICE), MT_E_CONFLICT));
    OK(approve(BOB));
    MT_ASSERT(is(task_state(), "approved"));
    turn();
    OK(node_crash());
    MT_ASSERT(is(task_state(), "approved"));
    MT_ASSERT(is_code(approve(ALICE), MT_E_CONFLICT));
    OK(run_task());
    calls_end();
}

static void who_rejects_stops_it_and_may_change_their_mind(void)
{
    tasks_begin();
    OK(approve(ALICE));
    OK(approve(BOB));
    OK(CALL(BOB, "task.reject", .args = {task_id}, .body = "{\"reason\":\"too much\"}"));
    MT_ASSERT(is(task_state(), "rejected"));
    const struct mt_json *list = NULL;
    size_t count = 0;
    OK(mt_json_array(answer, "approvals", 16, &list, &count));
    MT_ASSERT(count == 2 && is(text_of(mt_json_at(list, 1), "reason"), "too much"));
    MT_ASSERT(is(text_of(mt_json_at(list, 1), "state"), "rejected"));
    MT_ASSERT(is_code(run_task(), MT_E_DENIED));
    OK(approve(BOB));
    OK(run_task());
    calls_end();
}

static void a_reason_is_short_and_hides_nothing(void)
{
    tasks_begin();
    char body[700];
    MT_ASSERT(
        is_code(CALL(BOB, "task.reject", .args = {task_id}, .body = "{\"reason\":\"\\u001b[2J\"}"),
                MT_E_ARG));
    MT_ASSERT(is_code(CALL(BOB, "task.reject", .args = {task_id}, .body = "{\"why\":\"x\"}"),
                      MT_E_FORMAT));
    MT_ASSERT(is_code(CALL(BOB, "task.reject", .args = {task_id}, .body = "{}"), MT_E_FORMAT));
    (void)snprintf(body, sizeof body, "{\"reason\":\"%0513d\"}", 0);
    MT_ASSERT(is_code(CALL(BOB, "task.reject", .args = {task_id}, .body = body), MT_E_LIMIT));
    (void)snprintf(body, sizeof body, "{\"reason\":\"%0512d\"}", 0);
    OK(CALL(BOB, "task.reject", .args = {task_id}, .body = body));
    OK(CALL(ALICE, "task.reject", .args = {task_id})); /* without one */
    calls_end();
}

static void who_withdraws_stops_it(void)
{
    tasks_begin();
    MT_ASSERT(is_code(CALL(ALICE, "task.withdraw", .args = {task_id}), MT_E_CONFLICT));
    OK(approve(ALICE));
    OK(approve(BOB));
    OK(CALL(ALICE, "task.withdraw", .args = {task_id}));
    MT_ASSERT(is(task_state(), "proposed"));
    MT_ASSERT(is_code(run_task(), MT_E_DENIED));
    MT_ASSERT(is_code(CALL(ALICE, "task.withdraw", .args = {task_id}), MT_E_CONFLICT));
    /* The gate's own grant is gone too, not the record alone. */
    OK(CALL(ALICE, "data.show", .args = {alice_data}));
    const struct mt_json *list = NULL;
    size_t count = 0;
    OK(mt_json_array(answer, "grants", 16, &list, &count));
    MT_ASSERT(count == 1 && is(text_of(mt_json_at(list, 0), "right"), "use"));
    calls_end();
}

static void withdrawing_and_approving_again_gives_no_run_more(void)
{
    tasks_begin();
    OK(approve(ALICE));
    OK(approve(BOB));
    for (int i = 0; i < 2; i++) {
        OK(run_task());
        turn();
        work_all();
        OK(CALL(ALICE, "task.withdraw", .args = {task_id}));
        OK(approve(ALICE));
    }
    MT_ASSERT(is_code(run_task(), MT_E_CONFLICT));
    MT_ASSERT(is(task_state(), "exhausted"));
    calls_end();
}

static void a_task_whose_time_is_over_is_not_approved_any_more(void)
{
    tasks_begin();
    OK(approve(ALICE));
    world_sleep(WORLD_HOUR_MS - 1);
    OK(CALL(CAROL, "task.list"));
    OK(approve(BOB));
    OK(CALL(BOB, "task.withdraw", .args = {task_id}));
    world_sleep(1);
    MT_ASSERT(is_code(approve(BOB), MT_E_STALE));
    MT_ASSERT(is(task_state(), "expired"));
    calls_end();
}

static void a_cancelled_task_is_over(void)
{
    tasks_begin();
    OK(approve(ALICE));
    MT_ASSERT(is_code(CALL(ALICE, "task.cancel", .args = {task_id}), MT_E_DENIED));
    OK(CALL(CAROL, "task.cancel", .args = {task_id}));
    MT_ASSERT(is(task_state(), "cancelled"));
    MT_ASSERT(is_code(CALL(CAROL, "task.cancel", .args = {task_id}), MT_E_CONFLICT));
    MT_ASSERT(is_code(approve(BOB), MT_E_CONFLICT));
    MT_ASSERT(is_code(CALL(ALICE, "task.withdraw", .args = {task_id}), MT_E_CONFLICT));
    MT_ASSERT(is_code(run_task(), MT_E_CONFLICT));
    calls_end();
}

static void a_deleted_input_cannot_be_approved(void)
{
    tasks_begin();
    OK(CALL(ALICE, "data.delete", .args = {alice_data}));
    MT_ASSERT(is_code(approve(ALICE), MT_E_CONFLICT));
    calls_end();
}

static void an_approval_after_an_input_was_deleted_can_be_withdrawn(void)
{
    tasks_begin();
    OK(approve(ALICE));
    OK(CALL(ALICE, "data.delete", .args = {alice_data}));
    OK(CALL(ALICE, "task.withdraw", .args = {task_id}));
    calls_end();
}

static void owners_may_not_be_read_from_the_body(void)
{
    tasks_begin();
    MT_ASSERT(is_code(CALL(ALICE, "task.approve", .args = {task_id}), MT_E_FORMAT));
    MT_ASSERT(is_code(CALL(ALICE, "task.approve", .args = {task_id},
                           .body = "{\"statement\":\"00\",\"subject\":\"00\"}"),
                      MT_E_FORMAT));
    calls_end();
}

static void one_owner_of_two_inputs_approves_both_at_once(void)
{
    tasks_begin();
    char second[33];
    put_set(ALICE, "name=second", "more rows of alice", second);
    allow(ALICE, second, CAROL, "use");
    struct wish w = a_wish();
    w.other_data = second;
    OK(create(&w));
    OK(approve(ALICE));
    MT_ASSERT(is(task_state(), "approved"));
    OK(run_task());
    turn();
    OK(CALL(ALICE, "task.withdraw", .args = {task_id})); /* and withdraws both */
    for (int i = 0; i < 2; i++) {
        OK(CALL(ALICE, "data.show", .args = {i == 0 ? alice_data : second}));
        const struct mt_json *list = NULL;
        size_t count = 0;
        OK(mt_json_array(answer, "grants", 16, &list, &count));
        MT_ASSERT(count == 1);
    }
    calls_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_definition_pins_everything_that_will_happen),
        MT_TEST(an_approval_is_for_exactly_what_was_approved),
        MT_TEST(other_arguments_are_another_task),
        MT_TEST(an_approval_of_another_cluster_is_none),
        MT_TEST(an_approval_is_signed_by_who_sends_it_and_says_what_it_is),
        MT_TEST(a_broken_statement_is_refused),
        MT_TEST(only_owners_of_inputs_approve),
        MT_TEST(all_owners_must_approve_and_each_once),
        MT_TEST(who_rejects_stops_it_and_may_change_their_mind),
        MT_TEST(a_reason_is_short_and_hides_nothing),
        MT_TEST(who_withdraws_stops_it),
        MT_TEST(withdrawing_and_approving_again_gives_no_run_more),
        MT_TEST(a_task_whose_time_is_over_is_not_approved_any_more),
        MT_TEST(a_cancelled_task_is_over),
        MT_TEST(a_deleted_input_cannot_be_approved),
        MT_TEST(an_approval_after_an_input_was_deleted_can_be_withdrawn),
        MT_TEST(owners_may_not_be_read_from_the_body),
        MT_TEST(one_owner_of_two_inputs_approves_both_at_once),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
