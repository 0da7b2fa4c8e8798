/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/function.h"
#include "services/task/inside.h"
#include "services/task/world_test.h"
#include "vectors/wire_formats.h"

/* What a task may ask for, who sees it, which functions there are. */

static mt_err try_wish(const struct wish *w)
{
    return create(w);
}

static void what_a_task_asks_for_has_limits(void)
{
    tasks_begin();
    struct wish w = a_wish();
    w.time_ms = 0;
    MT_ASSERT(is_code(try_wish(&w), MT_E_ARG));
    w.time_ms = MT_TASK_TIME_MS_MAX + 1;
    MT_ASSERT(mt_failed(try_wish(&w)));
    w.time_ms = MT_TASK_TIME_MS_MAX;
    OK(try_wish(&w));
    w = a_wish();
    w.memory = 0;
    MT_ASSERT(is_code(try_wish(&w), MT_E_ARG));
    w.memory = ((uint64_t)1 << 40) + 1;
    MT_ASSERT(mt_failed(try_wish(&w)));
    w = a_wish();
    w.level = 3;
    MT_ASSERT(is_code(try_wish(&w), MT_E_DENIED)); /* more than this node has */
    w.level = 6;
    MT_ASSERT(mt_failed(try_wish(&w)));
    w = a_wish();
    w.runs = 0;
    MT_ASSERT(is_code(try_wish(&w), MT_E_ARG));
    w.runs = 1000001;
    MT_ASSERT(mt_failed(try_wish(&w)));
    w = a_wish();
    w.not_after = w.not_before;
    MT_ASSERT(is_code(try_wish(&w), MT_E_ARG));
    w = a_wish();
    w.policy = "aa";
    MT_ASSERT(is_code(try_wish(&w), MT_E_FORMAT));
    calls_end();
}

static void an_unknown_field_is_refused_wherever_it_stands(void)
{
    tasks_begin();
    struct wish w = a_wish();
    w.extra = ",\"else\":1";
    MT_ASSERT(is_code(try_wish(&w), MT_E_FORMAT));
    static const char *const places[] = {"\"version\":1},\"arg", "\"version\":1},{\"name\":\"b\"",
                                         "]},{\"name\":\"y\"", "},\"minimum_level\""};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char body[4096];
        w = a_wish();
        const char *good = body_of(&w);
        const char *at = strstr(good, places[i]);
        MT_ASSERT(at != NULL);
        at = strchr(at, '}');
        (void)snprintf(body, sizeof body, "%.*s,\"else\":1%s", (int)(at - good), good, at);
        MT_ASSERT(is_code(CALL(CAROL, "task.create", .body = body), MT_E_FORMAT));
    }
    MT_ASSERT(is_code(CALL(CAROL, "task.create"), MT_E_FORMAT));
    MT_ASSERT(is_code(CALL(CAROL, "task.create", .body = "[]"), MT_E_FORMAT));
    calls_end();
}

static void an_input_is_named_by_who_may_use_it_and_as_often(void)
{
    tasks_begin();
    char third[33];
    struct wish w = a_wish();
    put_set(DAVE, "name=third", "the rows of dave", third);
    w.other_data = third;
    MT_ASSERT(is_code(try_wish(&w), MT_E_NOTFOUND));
    allow(DAVE, third, CAROL, "see");
    MT_ASSERT(is_code(try_wish(&w), MT_E_DENIED));
    char body[256];
    (void)snprintf(body, sizeof body,
                   "{\"right\":\"use\",\"grantee\":\"%s\",\"count\":1,\"function\":\"echo\"}",
                   hex_of(CAROL));
    OK(CALL(DAVE, "data.grant", .args = {third}, .body = body));
    OK(try_wish(&w));
    MT_ASSERT(is_code(try_wish(&w), MT_E_DENIED)); /* that was its one use */
    OK(CALL(DAVE, "data.grant", .args = {third}, .body = body));
    w.data = third; /* twice in one task is one use */
    OK(try_wish(&w));
    MT_ASSERT(is_code(try_wish(&w), MT_E_DENIED));
    w = a_wish();
    w.data = "00000000000000000000000000000000";
    MT_ASSERT(is_code(try_wish(&w), MT_E_NOTFOUND));
    w = a_wish();
    w.version = 2;
    MT_ASSERT(is_code(try_wish(&w), MT_E_NOTFOUND));
    calls_end();
}

static void a_function_must_be_there_in_that_version_and_like_its_arguments(void)
{
    tasks_begin();
    struct wish w = a_wish();
    w.function = "ech";
    MT_ASSERT(is_code(try_wish(&w), MT_E_NOTFOUND));
    w = a_wish();
    w.function_version = 2;
    MT_ASSERT(is_code(try_wish(&w), MT_E_NOTFOUND));
    w = a_wish();
    w.arguments = "{\"x\":1}";
    MT_ASSERT(is_code(try_wish(&w), MT_E_FORMAT));
    w = a_wish();
    w.arguments = "[]";
    MT_ASSERT(is_code(try_wish(&w), MT_E_FORMAT));
    calls_end();
}

static void receivers_are_known_and_named_once(void)
{
    tasks_begin();
    char receivers[512];
    struct wish w = a_wish();
    w.receivers = receivers;
    (void)snprintf(receivers, sizeof receivers, "[\"%s\"]", hex_of(MALLORY));
    MT_ASSERT(is_code(try_wish(&w), MT_E_NOTFOUND));
    (void)snprintf(receivers, sizeof receivers, "[\"%s\",\"%s\"]", hex_of(BOB), hex_of(BOB));
    MT_ASSERT(is_code(try_wish(&w), MT_E_ARG));
    (void)snprintf(receivers, sizeof receivers, "[]");
    MT_ASSERT(is_code(try_wish(&w), MT_E_ARG));
    (void)snprintf(receivers, sizeof receivers, "[1]");
    MT_ASSERT(is_code(try_wish(&w), MT_E_FORMAT));
    (void)snprintf(receivers, sizeof receivers, "[\"%s\",\"%s\",\"%s\"]", hex_of(DAVE),
                   hex_of(ALICE), hex_of(BOB));
    OK(try_wish(&w));
    calls_end();
}

/* One name in the body, everything else as it should be. */
static mt_err try_body(const char *inputs, const char *outputs)
{
    char body[4096];
    struct wish w = a_wish();
    const char *good = body_of(&w);
    const char *from = strstr(good, "\"inputs\":");
    const char *to = strstr(good, "\"limits\":");
    (void)snprintf(body, sizeof body, "%.*s\"inputs\":%s,\"outputs\":%s,%s", (int)(from - good),
                   good, inputs, outputs, to);
    return CALL(CAROL, "task.create", .body = body);
}

static void names_of_inputs_and_outputs_are_distinct_and_plain(void)
{
    tasks_begin();
    char one[512];
    char two[1100];
    char out[512];
    (void)snprintf(one, sizeof one, "{\"name\":\"a\",\"data\":\"%s\",\"version\":1}", alice_data);
    (void)snprintf(out, sizeof out, "{\"name\":\"x\",\"receivers\":[\"%s\"]}", hex_of(CAROL));
    char inputs[1200];
    char outputs[1200];
    (void)snprintf(inputs, sizeof inputs, "[%s]", one);
    (void)snprintf(outputs, sizeof outputs, "[%s]", out);
    OK(try_body(inputs, outputs));
    (void)snprintf(two, sizeof two, "[%s,%s]", one, one);
    MT_ASSERT(is_code(try_body(two, outputs), MT_E_ARG));
    (void)snprintf(two, sizeof two, "[%s,%s]", out, out);
    MT_ASSERT(is_code(try_body(inputs, two), MT_E_ARG));
    MT_ASSERT(is_code(try_body("[]", outputs), MT_E_ARG));
    MT_ASSERT(is_code(try_body(inputs, "[]"), MT_E_ARG));
    static const char *const bad[] = {
        "", "\\u001b[2J", "\\u202e", "a\\nb",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 65 */};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        (void)snprintf(two, sizeof two, "[{\"name\":\"%s\",\"data\":\"%s\",\"version\":1}]", bad[i],
                       alice_data);
        MT_ASSERT(is_code(try_body(two, outputs), MT_E_ARG));
    }
    calls_end();
}

static void parties_see_a_task_and_nobody_else_does(void)
{
    tasks_begin();
    for (enum person who = ALICE; who <= DAVE; who++) {
        OK(CALL(who, "task.show", .args = {task_id}));
        OK(CALL(who, "task.list"));
        const struct mt_json *list = NULL;
        size_t count = 0;
        OK(mt_json_array(answer, "tasks", 1000, &list, &count));
        MT_ASSERT(count == 1 && is(text_of(mt_json_at(list, 0), "task"), task_id));
    }
    MT_ASSERT(is_code(CALL(ADMIN, "task.show", .args = {task_id}), MT_E_NOTFOUND));
    MT_ASSERT(is_code(CALL(MALLORY, "task.show", .args = {task_id}), MT_E_DENIED));
    OK(CALL(ADMIN, "task.list"));
    const struct mt_json *list = NULL;
    size_t count = 0;
    OK(mt_json_array(answer, "tasks", 1000, &list, &count));
    MT_ASSERT(count == 0);
    calls_end();
}

static void tasks_are_listed_page_by_page(void)
{
    tasks_begin();
    enum { TASKS = 120 };
    const struct wish w = a_wish();
    for (int i = 1; i < TASKS; i++) {
        OK(create(&w));
    }
    const struct mt_json *list = NULL;
    size_t count = 0;
    OK(CALL(CAROL, "task.list"));
    OK(mt_json_array(answer, "tasks", 1000, &list, &count));
    MT_ASSERT(count == TASKS);
    size_t seen = 0;
    char query[128] = "limit=50";
    do {
        OK(CALL(CAROL, "task.list", .query = query));
        OK(mt_json_array(answer, "tasks", 1000, &list, &count));
        seen += count;
        if (count > 0) {
            (void)snprintf(query, sizeof query, "limit=50&after=%s",
                           text_of(mt_json_at(list, count - 1), "task"));
        }
    } while (count > 0);
    MT_ASSERT(seen == TASKS);
    MT_ASSERT(is_code(CALL(CAROL, "task.list", .query = "limit=0"), MT_E_ARG));
    MT_ASSERT(is_code(CALL(CAROL, "task.list", .query = "limit=1001"), MT_E_LIMIT));
    MT_ASSERT(is_code(CALL(CAROL, "task.list", .query = "limit=x"), MT_E_FORMAT));
    MT_ASSERT(is_code(CALL(CAROL, "task.list", .query = "after=x"), MT_E_FORMAT));
    calls_end();
}

static void a_repeated_creation_makes_one_task(void)
{
    tasks_begin();
    const struct wish w = a_wish();
    const struct call c = {.who = CAROL, .action = "task.create", .body = body_of(&w), .number = 3};
    OK(call(&c));
    copy_id(task_id, text_of(answer, "task"));
    OK(call(&c));
    MT_ASSERT(says("task", task_id) && reply.status == 201);
    struct call other = c;
    other.body = "{\"function\":{}}";
    MT_ASSERT(is_code(call(&other), MT_E_CONFLICT));
    calls_end();
}

static void functions_are_there_for_whom_the_node_knows(void)
{
    tasks_begin();
    const struct mt_json *list = NULL;
    size_t count = 0;
    OK(CALL(ALICE, "function.list"));
    OK(mt_json_array(answer, "functions", 100, &list, &count));
    MT_ASSERT(count >= 3);
    OK(CALL(ALICE, "function.show", .args = {"psi"}));
    MT_ASSERT(says("name", "psi") && mt_json_has(answer, "schema") &&
              mt_json_has(answer, "digest"));
    MT_ASSERT(is_code(CALL(ALICE, "function.show", .args = {"psy"}), MT_E_NOTFOUND));
    MT_ASSERT(is_code(CALL(MALLORY, "function.list"), MT_E_DENIED));
    calls_end();
}

/* spec/task.md */
static void a_function_is_named_by_schema_name_and_version(void)
{
    const struct mt_function f = {.name = "psi", .version = 1, .schema = "{\"type\":\"object\"}"};
    mt_hash want;
    mt_hash got;
    OK(mt_hex_parse(MT_LITERAL(MT_VECTOR_FUNCTION_DIGEST), (mt_span){want.b, sizeof want.b}));
    mt_task_function_digest(&f, &got);
    MT_ASSERT(mt_hash_equal(&got, &want));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(what_a_task_asks_for_has_limits),
        MT_TEST(an_unknown_field_is_refused_wherever_it_stands),
        MT_TEST(an_input_is_named_by_who_may_use_it_and_as_often),
        MT_TEST(a_function_is_named_by_schema_name_and_version),
        MT_TEST(a_function_must_be_there_in_that_version_and_like_its_arguments),
        MT_TEST(receivers_are_known_and_named_once),
        MT_TEST(names_of_inputs_and_outputs_are_distinct_and_plain),
        MT_TEST(parties_see_a_task_and_nobody_else_does),
        MT_TEST(tasks_are_listed_page_by_page),
        MT_TEST(a_repeated_creation_makes_one_task),
        MT_TEST(functions_are_there_for_whom_the_node_knows),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
