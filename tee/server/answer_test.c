/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/client_test.h"
#include "unit/runner.h"

/* When something leaves, and what it says. */

#define QUICK   "GET /t/quick HTTP/1.1\r\nhost: x\r\n\r\n"
#define WRITE   "POST /t/write HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
#define FAIL    "GET /t/fail HTTP/1.1\r\nhost: x\r\n\r\n"
#define SESSION "00112233445566778899aabbccddeeff"

static const char nobodys[] = "GET /t/big/" SESSION " HTTP/1.1\r\nhost: x\r\n\r\n";

static size_t heard(const struct client *c)
{
    return lines[c->fd].from_server.len;
}

static void a_read_of_what_is_durable_leaves_at_once(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, QUICK);
    net_spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 200);
    client_free(&c);
    server_end();
}

/* The disk takes a block and says nothing: an fsync that never returns. */
static void while_the_disk_is_silent_nothing_leaves(void)
{
    static const char *const asked[] = {
        WRITE,
        QUICK,
        FAIL,
        "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n",
        "no request\r\n\r\n",
        "POST /t/big HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n",
        "HEAD /t/quick HTTP/1.1\r\nhost: x\r\n\r\n"};
    enum { ASKED = sizeof asked / sizeof *asked };
    static const unsigned answers[ASKED] = {201, 200, 400, 404, 400, 100, 200};
    struct client c[ASKED];
    server_begin();
    handler_code = MT_E_ARG;
    for (size_t i = 0; i < ASKED; i++) {
        client_open(&c[i], ALICE);
    }
    for (size_t i = 0; i < ASKED; i++) {
        client_say(&c[i], asked[i]);
        spin_but_disk();
    }
    pass(10 * TEST_IDLE_MS);
    spin_but_disk();
    for (size_t i = 0; i < ASKED; i++) {
        MT_ASSERT(heard(&c[i]) == 0);
        MT_ASSERT(is_open(&c[i]));
    }
    turn();
    spin();
    for (size_t i = 0; i + 1 < ASKED; i++) {
        MT_ASSERT(client_hears(&c[i]));
        MT_ASSERT(c[i].status == answers[i]);
    }
    MT_ASSERT(heard(&c[ASKED - 1]) > 0);
    for (size_t i = 0; i < ASKED; i++) {
        client_free(&c[i]);
    }
    server_end();
}

static void when_the_disk_has_failed_nothing_leaves_any_more(void)
{
    struct client writer;
    struct client reader;
    server_begin();
    client_open(&writer, ALICE);
    client_open(&reader, BOB);
    client_say(&writer, WRITE);
    spin_but_disk();
    disk_fault(MT_SIM_ERROR, 0);
    turn();
    MT_ASSERT(is_dead);
    disk_heal();
    client_say(&reader, QUICK);
    spin();
    spin();
    MT_ASSERT(heard(&writer) == 0);
    MT_ASSERT(heard(&reader) == 0);
    client_free(&writer);
    client_free(&reader);
    server_end();
}

static void an_answer_whose_connection_has_died_goes_nowhere(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, WRITE);
    spin_but_disk();
    MT_ASSERT(handled == 1);
    client_hang_up(&c);
    MT_ASSERT(!is_open(&c));
    spin();
    MT_ASSERT(heard(&c) == 0);
    client_free(&c);
    server_end();
}

static const struct {
    enum mt_code code;
    unsigned status;
    const char *name;
} codes[] = {
    {MT_E_FORMAT, 400, "format"},
    {MT_E_ARG, 400, "arg"},
    {MT_E_DENIED, 403, "denied"},
    {MT_E_NOTFOUND, 404, "notfound"},
    {MT_E_CONFLICT, 409, "conflict"},
    {MT_E_CANCELLED, 409, "cancelled"},
    {MT_E_STALE, 410, "stale"},
    {MT_E_LIMIT, 413, "limit"},
    {MT_E_PROOF, 422, "proof"},
    {MT_E_BUSY, 503, "busy"},
    {MT_E_NOMEM, 503, "nomem"},
    {MT_E_CLOSED, 503, "closed"},
    {MT_E_UNKNOWN, 503, "unknown"},
    {MT_E_INTERNAL, 500, "internal"},
    {MT_E_IO, 500, "io"},
};

static void every_error_has_its_status_and_five_fields(void)
{
    static const char *const five[] = {"code", "check", "detail", "hint", "request_id", NULL};
    struct client c;
    uint8_t id[16];
    server_begin();
    client_open(&c, ALICE);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        handler_code = codes[i].code;
        MT_ASSERT(ask_server(&c, FAIL) == codes[i].status);
        OK(mt_json_known(c.json, five));
        MT_ASSERT(answer_is(&c, "code", codes[i].name));
        MT_ASSERT(answer_is(&c, "check", "the test wants it"));
        MT_ASSERT(answer_is(&c, "detail", "a detail"));
        MT_ASSERT(answer_is(&c, "hint", "a hint"));
        OK(mt_json_hex(c.json, "request_id", (mt_span){id, sizeof id}));
        MT_ASSERT(!c.closes);
    }
    client_free(&c);
    server_end();
}

static void a_stranger_hears_one_answer(void)
{
    static const char *const asked[] = {QUICK,
                                        WRITE,
                                        "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n",
                                        "PUT /t/quick HTTP/1.1\r\nhost: x\r\n\r\n",
                                        nobodys,
                                        "GET /t/quick?a=b HTTP/1.1\r\nhost: x\r\n\r\n",
                                        FAIL,
                                        "nothing like it\r\n\r\n"};
    server_begin();
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct client c;
        client_open(&c, MALLORY);
        MT_ASSERT(ask_server(&c, asked[i]) == 403);
        MT_ASSERT(answer_is(&c, "code", "denied"));
        MT_ASSERT(answer_is(&c, "check", MT_GATE_STRANGER));
        MT_ASSERT(answer_is(&c, "detail", ""));
        MT_ASSERT(answer_is(&c, "hint", ""));
        client_free(&c);
    }
    MT_ASSERT(mt_gate_strangers(gate) == sizeof asked / sizeof *asked);
    MT_ASSERT(handled == 0);
    server_end();
}

static void what_is_not_yours_looks_like_what_is_not_there(void)
{
    struct client alice;
    struct client bob;
    struct mt_object_handle h;
    const mt_id id = id_of(9);
    char text[256];
    uint8_t hex[33] = {0};
    struct mt_writer w = mt_writer_over((mt_span){hex, 32});
    server_begin();
    OK(put_data(ALICE, &id, MT_LITERAL("secret"), &h));
    mt_hex_write(&w, mt_id_bytes(&id));
    (void)snprintf(text, sizeof text, "GET /t/big/%s HTTP/1.1\r\nhost: x\r\n\r\n",
                   (const char *)hex);
    client_open(&alice, ALICE);
    client_open(&bob, BOB);
    MT_ASSERT(ask_server(&alice, text) == 200);
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&alice.body), MT_LITERAL("secret")));
    MT_ASSERT(ask_server(&bob, text) == 404);
    MT_ASSERT(answer_is(&bob, "check", MT_GATE_NOTHING));
    MT_ASSERT(ask_server(&bob, nobodys) == 404);
    MT_ASSERT(answer_is(&bob, "check", MT_GATE_NOTHING));
    client_free(&alice);
    client_free(&bob);
    server_end();
}

static unsigned write_numbered(struct client *c, const char *number, const char *body)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "POST /t/write HTTP/1.1\r\nhost: x\r\nmesatee-request: " SESSION
                   "-%s\r\ncontent-length: %zu\r\n\r\n%s",
                   number, strlen(body), body);
    return ask_server(c, text);
}

static void a_request_with_a_number_is_done_once(void)
{
    struct client c;
    struct client other;
    server_begin();
    client_open(&c, ALICE);
    client_open(&other, BOB);
    MT_ASSERT(write_numbered(&c, "1", "{}") == 201);
    MT_ASSERT(write_numbered(&c, "1", "{}") == 201);
    MT_ASSERT(handled == 1);
    MT_ASSERT(write_numbered(&c, "1", "{\"a\":1}") == 409);
    MT_ASSERT(write_numbered(&c, "2", "{}") == 201);
    MT_ASSERT(write_numbered(&other, "1", "{}") == 201);
    MT_ASSERT(handled == 3);
    client_free(&c);
    client_free(&other);
    server_end();
}

static void a_number_that_is_not_canonical_is_refused(void)
{
    static const char *const wrong[] = {"", "01", "1a", "+1", "99999999999999999999", "-1"};
    struct client c;
    server_begin();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        client_open(&c, ALICE);
        MT_ASSERT(write_numbered(&c, wrong[i], "{}") == 400);
        client_free(&c);
    }
    client_open(&c, ALICE);
    MT_ASSERT(ask_server(&c, "POST /t/write HTTP/1.1\r\nhost: x\r\nmesatee-request: 12-1\r\n"
                             "content-length: 2\r\n\r\n{}") == 400);
    client_free(&c);
    client_open(&c, ALICE);
    MT_ASSERT(ask_server(&c, "POST /t/write HTTP/1.1\r\nhost: x\r\nmesatee-request: " SESSION
                             "_1\r\ncontent-length: 2\r\n\r\n{}") == 400);
    MT_ASSERT(handled == 0);
    client_free(&c);
    server_end();
}

static void a_body_that_is_no_json_is_refused_by_line_and_column(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    MT_ASSERT(ask_server(&c, "POST /t/write HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n"
                             "{\n  x") == 400);
    MT_ASSERT(answer_is(&c, "detail", "line 2, column 3 of the body"));
    MT_ASSERT(!c.closes);
    MT_ASSERT(ask_server(&c, QUICK) == 200);
    client_free(&c);
    server_end();
}

static bool is_allowed(struct client *c, const char *request, const char *methods)
{
    client_say(c, request);
    spin();
    client_listen(c);
    bool is = memmem(c->in.ptr, c->in.len, methods, strlen(methods)) != NULL;
    MT_ASSERT(client_hears(c));
    return c->status == 405 && is;
}

static void another_method_is_answered_with_those_that_the_path_takes(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    MT_ASSERT(
        is_allowed(&c, "DELETE /t/quick HTTP/1.1\r\nhost: x\r\n\r\n", "\r\nallow: GET, HEAD\r\n"));
    MT_ASSERT(is_allowed(&c, "GET /t/write HTTP/1.1\r\nhost: x\r\n\r\n", "\r\nallow: POST\r\n"));
    MT_ASSERT(is_allowed(&c, "DELETE /mesatee/v1/time HTTP/1.1\r\nhost: x\r\n\r\n", "\r\nallow: "));
    client_free(&c);
    client_open(&c, MALLORY);
    MT_ASSERT(ask_server(&c, "DELETE /t/quick HTTP/1.1\r\nhost: x\r\n\r\n") == 403);
    client_free(&c);
    server_end();
}

static void the_answer_to_a_head_has_no_body(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, "HEAD /t/quick HTTP/1.1\r\nhost: x\r\n\r\n" QUICK);
    spin();
    client_listen(&c);
    const uint8_t *end = memmem(c.in.ptr, c.in.len, "\r\n\r\n", 4);
    MT_ASSERT(end != NULL);
    mt_buf_drop(&c.in, (size_t)(end - c.in.ptr) + 4);
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 200);
    MT_ASSERT(c.json != NULL);
    client_free(&c);
    server_end();
}

static void a_refusal_of_somebody_known_is_written_down(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    handler_code = MT_E_DENIED;
    MT_ASSERT(ask_server(&c, FAIL) == 403);
    MT_ASSERT(mt_gate_has_notes(gate));
    pass(TEST_TIMEOUT_MS);
    MT_ASSERT(!mt_gate_has_notes(gate));
    client_free(&c);
    server_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_read_of_what_is_durable_leaves_at_once),
        MT_TEST(while_the_disk_is_silent_nothing_leaves),
        MT_TEST(when_the_disk_has_failed_nothing_leaves_any_more),
        MT_TEST(an_answer_whose_connection_has_died_goes_nowhere),
        MT_TEST(every_error_has_its_status_and_five_fields),
        MT_TEST(a_stranger_hears_one_answer),
        MT_TEST(what_is_not_yours_looks_like_what_is_not_there),
        MT_TEST(a_request_with_a_number_is_done_once),
        MT_TEST(a_number_that_is_not_canonical_is_refused),
        MT_TEST(a_body_that_is_no_json_is_refused_by_line_and_column),
        MT_TEST(another_method_is_answered_with_those_that_the_path_takes),
        MT_TEST(the_answer_to_a_head_has_no_body),
        MT_TEST(a_refusal_of_somebody_known_is_written_down),
    };
    OK(mt_crypto_init(world_random, NULL));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
