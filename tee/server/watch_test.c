/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/client_test.h"
#include "unit/runner.h"

/* Streams of events: what they say and when, and what ends them. */

static const char hex_id[] = "09696400000000000000000000000000";
static struct client owner;
static struct client watcher;
static struct mt_http_body_reader stream;

static void on_drained(void *state)
{
    (void)state;
}

static void begin(enum person who)
{
    const mt_id id = id_of(9);
    struct mt_object_handle h;
    server_begin();
    OK(put_data(ALICE, &id, MT_LITERAL("x"), &h));
    client_open(&owner, ALICE);
    client_open(&watcher, who);
    spin();
}

static void end(void)
{
    client_free(&owner);
    client_free(&watcher);
    server_end();
}

static void watch(const char *query)
{
    char text[256];
    (void)snprintf(text, sizeof text, "GET /t/big/%s/events%s HTTP/1.1\r\nhost: x\r\n\r\n", hex_id,
                   query);
    client_say(&watcher, text);
    spin();
}

static void hear_head(void)
{
    struct mt_http_head head;
    bool is_whole = false;
    client_listen(&watcher);
    OK(mt_http_response_parse(mt_buf_bytes(&watcher.in), &head, &is_whole));
    MT_ASSERT(is_whole);
    MT_ASSERT(head.status == 200);
    stream = mt_http_body_reader_of(&head);
    mt_buf_drop(&watcher.in, head.head_len);
}

/* Chunks that have come, put together. */
static void hear_events(void)
{
    bool is_end = false;
    mt_bytes data = {NULL, 1};
    client_listen(&watcher);
    while (data.len > 0) {
        mt_bytes in = mt_buf_bytes(&watcher.in);
        OK(mt_http_body_read(&stream, &in, &data, &is_end));
        OK(mt_buf_append(&watcher.body, data));
        mt_buf_drop(&watcher.in, watcher.in.len - in.len);
    }
    MT_ASSERT(!is_end);
}

static bool hears(const char *text)
{
    hear_events();
    bool is_there = watcher.body.len > 0 &&
                    memmem(watcher.body.ptr, watcher.body.len, text, strlen(text)) != NULL;
    mt_buf_free(&watcher.body);
    return is_there;
}

static uint64_t emit(void)
{
    char text[256];
    (void)snprintf(text, sizeof text, "POST /t/big/%s/events HTTP/1.1\r\nhost: x\r\n\r\n", hex_id);
    MT_ASSERT(ask_server(&owner, text) == 200);
    return mt_ledger_version(ledger);
}

static const char *id_line(uint64_t txid)
{
    static char text[64];
    (void)snprintf(text, sizeof text, "id: %llu\ndata: e", (unsigned long long)txid);
    return text;
}

static void an_event_arrives_when_it_is_durable_with_its_transaction_as_id(void)
{
    char text[256];
    begin(ALICE);
    watch("");
    hear_head();
    (void)snprintf(text, sizeof text, "POST /t/big/%s/events HTTP/1.1\r\nhost: x\r\n\r\n", hex_id);
    client_say(&owner, text);
    spin_but_disk();
    spin_but_disk();
    MT_ASSERT(lines[watcher.fd].from_server.len == 0);
    spin();
    MT_ASSERT(hears(id_line(mt_ledger_version(ledger))));
    MT_ASSERT(hears(id_line(emit())));
    end();
}

static void who_comes_back_goes_on_where_it_was(void)
{
    char query[64];
    begin(ALICE);
    uint64_t first = emit();
    uint64_t second = emit();
    watch("");
    hear_head();
    hear_events();
    MT_ASSERT(memmem(watcher.body.ptr, watcher.body.len, id_line(first), strlen(id_line(first))) !=
              NULL);
    MT_ASSERT(hears(id_line(second)));
    client_hang_up(&watcher);
    MT_ASSERT(!is_open(&watcher));
    client_free(&watcher);
    client_open(&watcher, ALICE);
    (void)snprintf(query, sizeof query, "?after=%llu", (unsigned long long)first);
    watch(query);
    hear_head();
    hear_events();
    MT_ASSERT(memmem(watcher.body.ptr, watcher.body.len, id_line(first), strlen(id_line(first))) ==
              NULL);
    MT_ASSERT(hears(id_line(second)));
    end();
}

static void who_may_not_see_may_not_watch(void)
{
    begin(BOB);
    char text[256];
    (void)snprintf(text, sizeof text, "GET /t/big/%s/events HTTP/1.1\r\nhost: x\r\n\r\n", hex_id);
    MT_ASSERT(ask_server(&watcher, text) == 404);
    end();
}

static void who_loses_the_right_to_see_loses_the_stream_before_the_next_event(void)
{
    const mt_id id = id_of(9);
    struct mt_grant g = {.right = MT_GRANT_SEE};
    begin(BOB);
    g.grantee = people[BOB].subject;
    OK(grant(ALICE, &id, &g));
    spin();
    watch("");
    hear_head();
    MT_ASSERT(hears(id_line(emit())));
    OK(revoke(ALICE, &id, &g.id));
    uint64_t unseen = emit();
    MT_ASSERT(!is_open(&watcher));
    MT_ASSERT(!hears(id_line(unseen)));
    end();
}

static void a_watcher_who_does_not_read_is_cut_after_a_while(void)
{
    begin(ALICE);
    lines[watcher.fd].room = 700; /* the head goes out */
    watch("");
    for (int i = 0; i < 9; i++) {
        (void)emit();
    }
    MT_ASSERT(is_open(&watcher));
    pass(TEST_TIMEOUT_MS);
    MT_ASSERT(!is_open(&watcher));
    end();
}

static void a_watcher_who_does_not_read_holds_no_more_than_is_allowed(void)
{
    begin(ALICE);
    lines[watcher.fd].room = 700;
    event_bytes = 16 * 1024;
    watch("");
    size_t most = 0;
    for (int i = 0; i < 60 && is_open(&watcher); i++) {
        (void)emit();
        for (const struct mt_conn *c = server->conns; c != NULL; c = c->next) {
            most = most > c->out.len ? most : c->out.len;
        }
    }
    MT_ASSERT(!is_open(&watcher));
    MT_ASSERT(most < 160 * 1024);
    end();
}

static void a_watcher_who_reads_is_never_cut(void)
{
    begin(ALICE);
    watch("");
    hear_head();
    for (int i = 0; i < 10; i++) {
        pass(15 * 1000);
        spin();
        MT_ASSERT(is_open(&watcher));
        MT_ASSERT(hears(": still here\n\n"));
    }
    end();
}

static void who_watches_and_talks_is_not_listened_to(void)
{
    static uint8_t junk[32 * 1024];
    begin(ALICE);
    watch("");
    hear_head();
    for (int i = 0; i < 32; i++) {
        client_send(&watcher, MT_BYTES_OF(junk));
        net_spin();
    }
    MT_ASSERT(lines[watcher.fd].to_server.len > 20 * sizeof junk);
    MT_ASSERT(hears(id_line(emit())));
    end();
}

static void the_head_of_a_stream_is_no_stream(void)
{
    char text[256];
    begin(ALICE);
    (void)snprintf(text, sizeof text, "HEAD /t/big/%s/events HTTP/1.1\r\nhost: x\r\n\r\n", hex_id);
    client_say(&watcher, text);
    spin();
    hear_head();
    (void)emit();
    client_listen(&watcher);
    MT_ASSERT(watcher.in.len == 0);
    MT_ASSERT(watcher.has_goodbye);
    end();
}

static void watchers_go_first_when_the_node_drains(void)
{
    begin(ALICE);
    watch("");
    hear_head();
    mt_server_drain(server, 1000, on_drained, NULL);
    MT_ASSERT(!is_open(&watcher));
    end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(an_event_arrives_when_it_is_durable_with_its_transaction_as_id),
        MT_TEST(who_comes_back_goes_on_where_it_was),
        MT_TEST(who_may_not_see_may_not_watch),
        MT_TEST(who_loses_the_right_to_see_loses_the_stream_before_the_next_event),
        MT_TEST(a_watcher_who_does_not_read_is_cut_after_a_while),
        MT_TEST(a_watcher_who_does_not_read_holds_no_more_than_is_allowed),
        MT_TEST(a_watcher_who_reads_is_never_cut),
        MT_TEST(who_watches_and_talks_is_not_listened_to),
        MT_TEST(the_head_of_a_stream_is_no_stream),
        MT_TEST(watchers_go_first_when_the_node_drains),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
