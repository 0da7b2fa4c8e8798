/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/data/data.h"

#include "jobs/call_test.h"

/* Data sets: versions, names, schemas, grants, the end. */

static const struct mt_service *const services[] = {&mt_data_service, NULL};
static char id[33];

static void begin(void)
{
    node_begin(services);
}

static const char *hex_of(enum person who)
{
    static char out[65];
    mt_bytes done;
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)out, 64});
    mt_hex_write(&w, mt_hash_bytes(&people[who].subject));
    OK(mt_write_end(&w, &done));
    return out;
}

static mt_err put(enum person who, const char *query, const char *bytes)
{
    MT_TRY(CALL(who, "data.put", .query = query, .upload = bytes));
    (void)snprintf(id, sizeof id, "%s", text_of(answer, "data"));
    return MT_OK;
}

static mt_err show(enum person who)
{
    return CALL(who, "data.show", .args = {id});
}

static mt_err read_version(enum person who, const char *version)
{
    return CALL(who, "data.read", .args = {id, version});
}

static mt_err allow(enum person owner, enum person who, const char *rest)
{
    char body[512];
    (void)snprintf(body, sizeof body, "{\"grantee\":\"%s\",%s}", hex_of(who), rest);
    return CALL(owner, "data.grant", .args = {id}, .body = body);
}

static const struct mt_json *list_of(const char *name, size_t *count)
{
    const struct mt_json *list = NULL;
    OK(mt_json_array(answer, name, 2000, &list, count));
    return list;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void the_same_name_again_is_the_next_version_and_the_first_stays(void)
{
    char first[33];
    begin();
    OK(put(ALICE, "name=rows", "one"));
    MT_ASSERT(reply.status == 201 && number_of(answer, "version") == 1);
    MT_ASSERT(number_of(answer, "size_bytes") == 3 && says("name", "rows"));
    memcpy(first, id, sizeof first);
    OK(put(ALICE, "name=rows", "second"));
    MT_ASSERT(is(first, id) && number_of(answer, "version") == 2);
    OK(put(ALICE, "name=Rows", "another"));
    MT_ASSERT(!is(first, id));
    OK(put(BOB, "name=rows", "of bob")); /* a name belongs to its owner */
    MT_ASSERT(!is(first, id) && number_of(answer, "version") == 1);
    memcpy(id, first, sizeof id);
    turn();
    OK(node_crash());
    OK(read_version(ALICE, "1"));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&content), MT_LITERAL("one")));
    OK(read_version(ALICE, "2"));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&content), MT_LITERAL("second")));
    MT_ASSERT(is_code(read_version(ALICE, "3"), MT_E_NOTFOUND));
    MT_ASSERT(is_code(read_version(ALICE, "0"), MT_E_NOTFOUND));
    MT_ASSERT(is_code(read_version(ALICE, "01"), MT_E_FORMAT));
    MT_ASSERT(is_code(read_version(ALICE, "99999999999999999999"), MT_E_FORMAT));
    MT_ASSERT(is_code(read_version(BOB, "1"), MT_E_NOTFOUND));
    calls_end();
}

static void names_with_other_characters_are_refused(void)
{
    static const char *const bad[] = {
        "name=",
        "name=a%2Fb",
        "name=..%2F..%2Fetc",
        "name=a%00b",
        "name=a%0Ab",
        "name=%1B%5B2J",
        "name=a%20b",
        "name=%C3%A4",
        "name=%FF",
        "name=a%22b",
        "name=%3Cb%3E",
        "name=a%3Bb",
        "name=%E2%80%AE",
        "name=a+b",
        "name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mt_err e = put(ALICE, bad[i], "x");
        MT_ASSERT(is_code(e, MT_E_ARG) || is_code(e, MT_E_FORMAT));
    }
    MT_ASSERT(mt_failed(put(ALICE, "", "x")));
    OK(CALL(ALICE, "data.list"));
    size_t count = 0;
    (void)list_of("data", &count);
    MT_ASSERT(count == 0);
    OK(put(ALICE, "name=A-z_0.9", "x"));
    OK(put(ALICE, "name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x"));
    calls_end();
}

static void a_repeated_upload_makes_one_version(void)
{
    begin();
    struct call c = {
        .who = ALICE, .action = "data.put", .query = "name=rows", .upload = "x", .number = 5};
    OK(call(&c));
    OK(call(&c));
    MT_ASSERT(number_of(answer, "version") == 1 && reply.status == 201);
    c.query = "name=other";
    MT_ASSERT(is_code(call(&c), MT_E_CONFLICT));
    calls_end();
}

static void a_table_shows_its_columns(void)
{
    begin();
    OK(put(ALICE, "name=rows", "email,spend,visits\na@x,10.50,3\nb@x,2.25,4\n"));
    for (int i = 0; i < 3; i++) {
        const struct mt_json *at = answer;
        if (i > 0) {
            OK(show(i == 1 ? ALICE : BOB));
            size_t count = 0;
            at = mt_json_at(list_of("versions", &count), 0);
            MT_ASSERT(count == 1);
        }
        const struct mt_json *schema = NULL;
        const struct mt_json *columns = NULL;
        size_t count = 0;
        OK(mt_json_object(at, "schema", &schema));
        OK(mt_json_array(schema, "columns", 10, &columns, &count));
        MT_ASSERT(count == 3);
        MT_ASSERT(is(text_of(mt_json_at(columns, 0), "name"), "email"));
        MT_ASSERT(is(text_of(mt_json_at(columns, 0), "type"), "text"));
        MT_ASSERT(is(text_of(mt_json_at(columns, 1), "type"), "decimal"));
        MT_ASSERT(number_of(mt_json_at(columns, 1), "scale") == 2);
        MT_ASSERT(is(text_of(mt_json_at(columns, 2), "type"), "integer"));
        if (i == 0) {
            OK(allow(ALICE, BOB, "\"right\":\"see\""));
            turn();
            OK(node_crash());
        }
    }
    calls_end();
}

static bool has_schema(const char *bytes)
{
    OK(put(ALICE, "name=rows", bytes));
    const struct mt_json *schema = mt_json_get(answer, "schema");
    MT_ASSERT(schema != NULL);
    return !mt_json_is_null(schema);
}

/* The first line of what is no table may be the secret itself. */
static void what_is_no_table_shows_nothing(void)
{
    static char wide[MT_BODY_INLINE_BYTES_MAX];
    begin();
    MT_ASSERT(has_schema("email\na@x\n"));
    MT_ASSERT(has_schema("Gr\xc3\xb6\xc3\x9f"
                         "e (cm),anteil-%\n1,2"));
    MT_ASSERT(!has_schema("the secret"));
    MT_ASSERT(!has_schema("the secret\n"));
    MT_ASSERT(!has_schema(""));
    MT_ASSERT(!has_schema("PASSWORD=secret\nUSER=me\n"));
    MT_ASSERT(!has_schema("{\"token\": 5}\n{}\n"));
    MT_ASSERT(!has_schema("a,a\n1,2\n"));
    MT_ASSERT(!has_schema("a,b\n1\n"));
    MT_ASSERT(!has_schema("\x7f"
                          "ELF\n\n"));
    MT_ASSERT(!has_schema("a\x1b[2J,b\n1,2\n"));
    size_t len = 0;
    for (int i = 0; i < 900; i++) { /* a header that is longer than what is shown */
        len +=
            (size_t)snprintf(wide + len, sizeof wide - len, "%sa-column-%d", i > 0 ? "," : "", i);
    }
    (void)snprintf(wide + len, sizeof wide - len, "\n1\n");
    MT_ASSERT(!has_schema(wide));
    calls_end();
}

static void columns_are_found_in_the_first_bytes_of_much_data(void)
{
    static char much[3 * MT_BODY_INLINE_BYTES_MAX];
    begin();
    size_t len = (size_t)snprintf(much, sizeof much, "number,text\n");
    while (len + 20 < sizeof much) {
        len += (size_t)snprintf(much + len, sizeof much - len, "%zu,abc\n", len);
    }
    MT_ASSERT(has_schema(much));
    calls_end();
}

static void grants_are_shown_to_the_owner_and_to_nobody_else(void)
{
    begin();
    OK(put(ALICE, "name=rows", "x"));
    OK(allow(ALICE, BOB,
             "\"right\":\"use\",\"function\":\"psi\",\"not_before_ms\":1,\"until_ms\":"
             "2000000000,\"count\":3"));
    OK(allow(ALICE, CAROL, "\"right\":\"see\""));
    size_t count = 0;
    OK(show(ALICE));
    const struct mt_json *list = list_of("grants", &count);
    MT_ASSERT(count == 2);
    const struct mt_json *g = mt_json_at(list, 0);
    g = is(text_of(g, "right"), "use") ? g : mt_json_at(list, 1);
    MT_ASSERT(is(text_of(g, "function"), "psi") && number_of(g, "not_before_ms") == 1);
    MT_ASSERT(number_of(g, "until_ms") == 2000000000 && number_of(g, "count") == 3);
    MT_ASSERT(number_of(g, "used") == 0 && is(text_of(g, "grantee"), hex_of(BOB)));
    const struct mt_json *versions = list_of("versions", &count);
    MT_ASSERT(mt_json_has(mt_json_at(versions, 0), "salt"));
    static const enum person others[] = {BOB, CAROL};
    for (size_t i = 0; i < 2; i++) {
        OK(show(others[i]));
        MT_ASSERT(!mt_json_has(answer, "grants"));
        versions = list_of("versions", &count);
        MT_ASSERT(count == 1 && !mt_json_has(mt_json_at(versions, 0), "salt"));
        MT_ASSERT(is_code(read_version(others[i], "1"), MT_E_DENIED));
        MT_ASSERT(is_code(allow(others[i], DAVE, "\"right\":\"see\""), MT_E_DENIED));
        MT_ASSERT(is_code(CALL(others[i], "data.delete", .args = {id}), MT_E_DENIED));
    }
    MT_ASSERT(is_code(show(DAVE), MT_E_NOTFOUND));
    MT_ASSERT(is_code(show(ADMIN), MT_E_NOTFOUND));
    MT_ASSERT(is_code(show(MALLORY), MT_E_DENIED));
    calls_end();
}

static void a_grant_is_revoked_by_its_owner(void)
{
    begin();
    char grant_id[33];
    OK(put(ALICE, "name=rows", "x"));
    OK(allow(ALICE, BOB, "\"right\":\"see\""));
    (void)snprintf(grant_id, sizeof grant_id, "%s", text_of(answer, "grant"));
    MT_ASSERT(is_code(CALL(BOB, "data.revoke", .args = {id, grant_id}), MT_E_DENIED));
    OK(CALL(ALICE, "data.revoke", .args = {id, grant_id}));
    MT_ASSERT(is_code(show(BOB), MT_E_NOTFOUND));
    MT_ASSERT(is_code(CALL(ALICE, "data.revoke", .args = {id, grant_id}), MT_E_NOTFOUND));
    MT_ASSERT(is_code(CALL(ALICE, "data.revoke", .args = {id, "xx"}), MT_E_FORMAT));
    calls_end();
}

static void a_grant_says_what_it_means_or_is_refused(void)
{
    static const struct {
        const char *rest;
        enum mt_code code;
    } bad[] = {
        {"\"right\":\"read\"", MT_E_ARG}, /* bytes are never granted to people */
        {"\"right\":\"run\"", MT_E_ARG},
        {"\"right\":\"\"", MT_E_ARG},
        {"\"right\":1", MT_E_FORMAT},
        {"\"right\":\"see\",\"owner\":1", MT_E_FORMAT},
        {"\"right\":\"see\",\"count\":1", MT_E_ARG},
        {"\"right\":\"use\",\"not_before_ms\":5,\"until_ms\":5", MT_E_ARG},
        {"\"right\":\"use\",\"count\":-1", MT_E_FORMAT},
        {"\"right\":\"use\",\"function\":7", MT_E_FORMAT},
        {"\"right\":\"use\",\"function\":\"\\u001b[2J\"", MT_E_ARG},
    };
    begin();
    OK(put(ALICE, "name=rows", "x"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        MT_ASSERT(is_code(allow(ALICE, BOB, bad[i].rest), bad[i].code));
    }
    MT_ASSERT(is_code(allow(ALICE, MALLORY, "\"right\":\"see\""), MT_E_NOTFOUND));
    MT_ASSERT(is_code(CALL(ALICE, "data.grant", .args = {id}), MT_E_FORMAT));
    MT_ASSERT(is_code(show(BOB), MT_E_NOTFOUND));
    calls_end();
}

static void deleted_is_not_yet_shredded_and_then_it_is(void)
{
    begin();
    OK(put(ALICE, "name=rows", "a,b\n1,2\n"));
    OK(allow(ALICE, BOB, "\"right\":\"see\""));
    OK(CALL(ALICE, "data.delete", .args = {id}));
    MT_ASSERT(says("state", "deleted") && !reply.shreds);
    MT_ASSERT(is_code(read_version(ALICE, "1"), MT_E_CONFLICT));
    MT_ASSERT(is_code(show(BOB), MT_E_NOTFOUND));
    MT_ASSERT(is_code(CALL(ALICE, "data.delete", .args = {id}), MT_E_CONFLICT));
    MT_ASSERT(is_code(allow(ALICE, BOB, "\"right\":\"see\""), MT_E_CONFLICT));
    OK(show(ALICE));
    size_t count = 0;
    const struct mt_json *v = mt_json_at(list_of("versions", &count), 0);
    MT_ASSERT(says("state", "deleted") && count == 1 && !mt_json_has(v, "schema"));
    MT_ASSERT(!mt_json_has(v, "commitment") && !mt_json_has(answer, "grants"));
    bool is_done = false;
    OK(mt_shred_begin(shred));
    begin_tx();
    OK(leave(mt_gate_rewrap(gate, tx, &is_done)));
    turn();
    OK(mt_shred_end(shred));
    OK(node_crash());
    OK(show(ALICE));
    MT_ASSERT(says("state", "shredded"));
    OK(CALL(ALICE, "data.list"));
    MT_ASSERT(is(text_of(mt_json_at(list_of("data", &count), 0), "state"), "deleted") &&
              count == 1);
    char old[33];
    memcpy(old, id, sizeof old);
    OK(put(ALICE, "name=rows", "new")); /* the name is free again, for another set */
    MT_ASSERT(!is(old, id) && number_of(answer, "version") == 1);
    calls_end();
}

static void delete_now_asks_for_a_rotation_and_takes_no_other_word(void)
{
    begin();
    OK(put(ALICE, "name=rows", "x"));
    MT_ASSERT(is_code(CALL(ALICE, "data.delete", .args = {id}, .query = "now=yes"), MT_E_ARG));
    OK(CALL(ALICE, "data.delete", .args = {id}, .query = "now=true"));
    MT_ASSERT(reply.shreds);
    OK(put(ALICE, "name=rows", "x"));
    OK(CALL(ALICE, "data.delete", .args = {id}, .query = "now=false"));
    MT_ASSERT(!reply.shreds);
    calls_end();
}

static void a_repeated_deletion_is_told_the_same(void)
{
    begin();
    OK(put(ALICE, "name=rows", "x"));
    const struct call c = {.who = ALICE, .action = "data.delete", .args = {id}, .number = 9};
    OK(call(&c));
    OK(call(&c));
    MT_ASSERT(says("state", "deleted") && reply.status == 200);
    calls_end();
}

static void a_list_goes_page_by_page(void)
{
    begin();
    char query[64];
    for (int i = 0; i < 25; i++) {
        (void)snprintf(query, sizeof query, "name=set-%d", i);
        OK(put(ALICE, query, "x"));
    }
    size_t seen = 0;
    size_t count = 0;
    (void)snprintf(query, sizeof query, "limit=10");
    do {
        OK(CALL(ALICE, "data.list", .query = query));
        const struct mt_json *list = list_of("data", &count);
        seen += count;
        if (count > 0) {
            (void)snprintf(query, sizeof query, "limit=10&after=%s",
                           text_of(mt_json_at(list, count - 1), "data"));
        }
    } while (count > 0);
    MT_ASSERT(seen == 25);
    MT_ASSERT(is_code(CALL(ALICE, "data.list", .query = "limit=0"), MT_E_ARG));
    MT_ASSERT(is_code(CALL(ALICE, "data.list", .query = "limit=1001"), MT_E_LIMIT));
    MT_ASSERT(is_code(CALL(ALICE, "data.list", .query = "after=zz"), MT_E_FORMAT));
    calls_end();
}

static void an_expired_grant_does_not_break_the_list(void)
{
    begin();
    OK(put(BOB, "name=mine", "x"));
    OK(put(ALICE, "name=rows", "x"));
    OK(allow(ALICE, BOB, "\"right\":\"see\",\"until_ms\":1700000001"));
    size_t count = 0;
    OK(CALL(BOB, "data.list"));
    (void)list_of("data", &count);
    MT_ASSERT(count == 2);
    now_ms += 1;
    OK(CALL(BOB, "data.list"));
    (void)list_of("data", &count);
    MT_ASSERT(count == 1);
    calls_end();
}

static void a_set_has_so_many_versions_and_all_go_at_once(void)
{
    begin();
    for (int i = 0; i < MT_DATA_VERSIONS_MAX; i++) {
        OK(put(ALICE, "name=rows", "a,b\n1,2\n"));
    }
    MT_ASSERT(is_code(put(ALICE, "name=rows", "one too many"), MT_E_LIMIT));
    OK(show(ALICE));
    size_t count = 0;
    const struct mt_json *list = list_of("versions", &count);
    MT_ASSERT(count == MT_DATA_VERSIONS_SHOWN);
    MT_ASSERT(number_of(mt_json_at(list, count - 1), "version") == MT_DATA_VERSIONS_MAX);
    MT_ASSERT(number_of(answer, "versions_made") == MT_DATA_VERSIONS_MAX);
    OK(CALL(ALICE, "data.show", .args = {id}, .query = "before=3"));
    list = list_of("versions", &count);
    MT_ASSERT(count == 2);
    MT_ASSERT(number_of(mt_json_at(list, 0), "version") == 1);
    OK(CALL(ALICE, "data.show", .args = {id}, .query = "before=0"));
    (void)list_of("versions", &count);
    MT_ASSERT(count == 0);
    OK(CALL(ALICE, "data.delete", .args = {id}));
    OK(show(ALICE));
    calls_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(the_same_name_again_is_the_next_version_and_the_first_stays),
        MT_TEST(names_with_other_characters_are_refused),
        MT_TEST(a_repeated_upload_makes_one_version),
        MT_TEST(a_table_shows_its_columns),
        MT_TEST(what_is_no_table_shows_nothing),
        MT_TEST(columns_are_found_in_the_first_bytes_of_much_data),
        MT_TEST(grants_are_shown_to_the_owner_and_to_nobody_else),
        MT_TEST(a_grant_is_revoked_by_its_owner),
        MT_TEST(a_grant_says_what_it_means_or_is_refused),
        MT_TEST(deleted_is_not_yet_shredded_and_then_it_is),
        MT_TEST(delete_now_asks_for_a_rotation_and_takes_no_other_word),
        MT_TEST(a_repeated_deletion_is_told_the_same),
        MT_TEST(a_list_goes_page_by_page),
        MT_TEST(an_expired_grant_does_not_break_the_list),
        MT_TEST(a_set_has_so_many_versions_and_all_go_at_once),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
