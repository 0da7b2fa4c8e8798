/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/client_test.h"
#include "unit/runner.h"

/* How long a connection lives, how much it holds, and how it ends. */

#define QUICK "GET /t/quick HTTP/1.1\r\nhost: x\r\n\r\n"
#define WRITE "POST /t/write HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"

static void requests_in_one_breath_are_answered_in_order(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, WRITE QUICK WRITE "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n" QUICK);
    static const unsigned wanted[] = {201, 200, 201, 404, 200};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        spin();
        MT_ASSERT(client_hears(&c));
        MT_ASSERT(c.status == wanted[i]);
    }
    MT_ASSERT(!client_hears(&c));
    client_free(&c);
    server_end();
}

static void what_is_no_request_is_answered_and_nothing_after_it(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    MT_ASSERT(ask_server(&c, "GET /t/quick HTTP/1.1\nhost: x\n\n" QUICK) == 400);
    MT_ASSERT(c.closes);
    spin();
    MT_ASSERT(!client_hears(&c));
    MT_ASSERT(c.has_goodbye);
    client_hang_up(&c);
    MT_ASSERT(!is_open(&c));
    client_free(&c);
    server_end();
}

static void a_head_that_is_too_long_is_answered_431(void)
{
    static char text[MT_HTTP_HEAD_BYTES_MAX + 100] = "GET /";
    struct client c;
    memset(text + 5, 'a', sizeof text - 6);
    server_begin();
    client_open(&c, ALICE);
    MT_ASSERT(ask_server(&c, text) == 431);
    MT_ASSERT(answer_is(&c, "code", "limit"));
    client_free(&c);
    server_end();
}

static void a_closing_request_is_the_last(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    MT_ASSERT(
        ask_server(&c, "GET /t/quick HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" QUICK) ==
        200);
    MT_ASSERT(c.closes);
    MT_ASSERT(!client_hears(&c));
    MT_ASSERT(c.has_goodbye);
    MT_ASSERT(!is_open(&c));
    client_free(&c);
    server_end();
}

static void a_refused_body_is_read_for_a_while_and_forgotten(void)
{
    static uint8_t junk[64 * 1024];
    enum { ENOUGH = 16 * 1024 * 1024 / sizeof junk };
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    MT_ASSERT(ask_server(&c, "POST /t/write HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n") ==
              413);
    MT_ASSERT(answer_is(&c, "hint", "send less at once"));
    MT_ASSERT(lines[c.fd].has_ended);
    MT_ASSERT(is_open(&c));
    for (size_t i = 0; i + 1 < ENOUGH; i++) {
        OK(mt_buf_append(&lines[c.fd].to_server, MT_BYTES_OF(junk)));
        net_spin();
    }
    MT_ASSERT(is_open(&c));
    for (size_t i = 0; i < 2; i++) {
        OK(mt_buf_append(&lines[c.fd].to_server, MT_BYTES_OF(junk)));
        net_spin();
    }
    MT_ASSERT(!is_open(&c));
    client_free(&c);
    client_open(&c, ALICE);
    MT_ASSERT(ask_server(&c, "POST /t/write HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n") ==
              413);
    pass(TEST_TIMEOUT_MS);
    MT_ASSERT(!is_open(&c));
    client_free(&c);
    server_end();
}

static void a_body_in_chunks_has_the_bound_of_its_path(void)
{
    static char text[2048];
    struct client c;
    (void)snprintf(text, sizeof text,
                   "POST /t/write HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
                   "3e8\r\n{%998s}\r\n1\r\n \r\n0\r\n\r\n",
                   "");
    server_begin();
    client_open(&c, ALICE);
    MT_ASSERT(ask_server(&c, text) == 413);
    MT_ASSERT(answer_is(&c, "detail", "at most 1000 bytes"));
    client_free(&c);
    client_open(&c, ALICE);
    MT_ASSERT(ask_server(&c, "POST /t/write HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
                             "\r\n2\r\n{}\r\n0\r\n\r\n") == 201);
    MT_ASSERT(handled == 1);
    client_free(&c);
    server_end();
}

/* ---- time */

static void who_is_slow_with_a_head_is_cut_and_who_thinks_before_it_is_not(void)
{
    struct client slow;
    struct client thinks;
    server_begin();
    client_open(&slow, ALICE);
    client_open(&thinks, ALICE);
    pass(TEST_IDLE_MS - 1);
    client_say(&slow, "GET /t/quick");
    client_say(&thinks, QUICK);
    spin();
    MT_ASSERT(client_hears(&thinks));
    for (int i = 0; i < 3; i++) {
        pass(TEST_TIMEOUT_MS / 3);
        client_say(&slow, "x");
        net_spin();
        MT_ASSERT(is_open(&slow));
    }
    pass(TEST_TIMEOUT_MS / 3);
    MT_ASSERT(!is_open(&slow));
    MT_ASSERT(is_open(&thinks));
    pass(TEST_IDLE_MS);
    MT_ASSERT(!is_open(&thinks));
    client_free(&slow);
    client_free(&thinks);
    server_end();
}

static void who_is_slow_with_a_body_is_cut_however_steadily_it_trickles(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, "POST /t/big HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n");
    net_spin();
    for (int i = 0; i < 9; i++) {
        pass(TEST_TIMEOUT_MS / 10);
        client_say(&c, "x");
        net_spin();
        MT_ASSERT(is_open(&c));
    }
    pass(TEST_TIMEOUT_MS / 10);
    MT_ASSERT(!is_open(&c));
    client_free(&c);
    server_end();
}

static void a_body_that_moves_is_waited_for(void)
{
    static uint8_t piece[64 * 1024];
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, "POST /t/big HTTP/1.1\r\nhost: x\r\ncontent-length: 1310720\r\n\r\n");
    for (int i = 0; i < 20; i++) {
        client_send(&c, MT_BYTES_OF(piece));
        spin();
        MT_ASSERT(is_open(&c));
        pass(TEST_TIMEOUT_MS - 1);
    }
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 201);
    client_free(&c);
    server_end();
}

static void who_shakes_no_hands_is_cut(void)
{
    int fd = NET_NOWHERE;
    server_begin();
    fd = net_dial();
    OK(mt_conn_new(server, fd));
    pass(TEST_TIMEOUT_MS - 1);
    OK(mt_buf_append(&lines[fd].to_server, MT_LITERAL("\x16\x03\x01")));
    net_spin();
    MT_ASSERT(lines[fd].is_open);
    pass(1);
    MT_ASSERT(!lines[fd].is_open);
    server_end();
}

static void what_is_no_tls_is_cut_and_counted(void)
{
    int fd = NET_NOWHERE;
    server_begin();
    fd = net_dial();
    OK(mt_conn_new(server, fd));
    OK(mt_buf_append(&lines[fd].to_server, MT_LITERAL(QUICK)));
    net_spin();
    MT_ASSERT(!lines[fd].is_open);
    MT_ASSERT(server->handshakes_failed == 1);
    MT_ASSERT(server->requests == 0);
    server_end();
}

static void who_does_not_take_its_answer_is_cut(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    lines[c.fd].room = 10;
    client_say(&c, QUICK);
    spin();
    pass(TEST_TIMEOUT_MS);
    MT_ASSERT(!is_open(&c));
    client_free(&c);
    server_end();
}

static void nobody_is_cut_while_it_is_us_who_are_slow(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, WRITE);
    spin_but_disk();
    pass(100 * TEST_IDLE_MS);
    MT_ASSERT(is_open(&c));
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 201);
    client_free(&c);
    server_end();
}

/* ---- room */

static void who_sends_on_while_its_answer_is_held_is_not_listened_to_for_ever(void)
{
    static uint8_t junk[32 * 1024];
    enum { FLOOD = 64 };
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, WRITE);
    spin_but_disk();
    for (int i = 0; i < FLOOD; i++) {
        client_send(&c, MT_BYTES_OF(junk));
        net_spin();
    }
    MT_ASSERT(lines[c.fd].to_server.len > (FLOOD - 9) * sizeof junk);
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 201);
    spin();
    MT_ASSERT(client_hears(&c)); /* and then the flood is read, and is no request */
    MT_ASSERT(c.status == 431);
    client_free(&c);
    server_end();
}

static void a_reset_is_seen_by_those_too_who_ask_for_no_input(void)
{
    static uint8_t junk[32 * 1024];
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, WRITE);
    spin_but_disk();
    for (int i = 0; i < 16; i++) {
        client_send(&c, MT_BYTES_OF(junk));
        net_spin();
    }
    lines[c.fd].is_reset = true;
    net_spin(); /* which says so if it never comes to rest */
    MT_ASSERT(!is_open(&c));
    client_free(&c);
    server_end();
}

/* ---- the door */

static void call_at(const struct mt_watch *listener)
{
    net_calling[net_calls++] = net_dial();
    lines[listener->fd].watch->ready(lines[listener->fd].watch, MT_WATCH_READ);
}

static void whoever_comes_when_all_places_are_taken_is_refused_at_once(void)
{
    struct client c[2];
    uint16_t port = 0;
    server_begin_with(2);
    OK(mt_server_listen(server, "here", &port));
    for (int i = 0; i < 3; i++) {
        call_at(&server->listener);
    }
    MT_ASSERT(server->conns_count == 2);
    MT_ASSERT(server->refused_full == 1);
    MT_ASSERT(net_calls == 0);
    MT_ASSERT(lines[1].is_open);
    MT_ASSERT(lines[2].is_open);
    MT_ASSERT(!lines[3].is_open);
    MT_ASSERT(lines[3].from_server.len == 0);
    client_open_on(&c[0], ALICE, 1);
    MT_ASSERT(ask_server(&c[0], QUICK) == 200);
    client_hang_up(&c[0]);
    call_at(&server->listener);
    MT_ASSERT(server->conns_count == 2);
    client_free(&c[0]);
    server_end();
}

static void without_descriptors_the_door_waits_and_opens_again(void)
{
    uint16_t port = 0;
    server_begin();
    OK(mt_server_listen(server, "here", &port));
    OK(mt_server_listen_probes(server, "there", &port));
    net_has_no_descriptors = true;
    call_at(&server->listener);
    MT_ASSERT(server->listener.wanted == 0);
    MT_ASSERT(server->probes.wanted == 0);
    net_has_no_descriptors = false;
    pass(100);
    MT_ASSERT(server->listener.wanted == MT_WATCH_READ);
    lines[server->listener.fd].watch->ready(&server->listener, MT_WATCH_READ);
    MT_ASSERT(server->conns_count == 1);
    server_end();
}

static void an_address_that_is_none_is_refused(void)
{
    uint16_t port = 0;
    server_begin();
    MT_ASSERT(is_code(mt_server_listen(server, "x", &port), MT_E_ARG));
    MT_ASSERT(is_code(mt_server_listen_probes(server, "x", &port), MT_E_ARG));
    MT_ASSERT(is_code(mt_server_listen_metrics(server, "x"), MT_E_ARG));
    server_end();
}

/* ---- the end */

static size_t drained;

static void on_drained(void *state)
{
    (void)state;
    drained++;
}

static void who_is_being_served_when_the_node_drains_is_served(void)
{
    static uint8_t half[50000];
    struct client idle;
    struct client uploads;
    uint16_t port = 0;
    server_begin();
    drained = 0;
    OK(mt_server_listen(server, "here", &port));
    client_open(&idle, ALICE);
    client_open(&uploads, BOB);
    client_say(&uploads, "POST /t/big HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n");
    client_send(&uploads, MT_BYTES_OF(half));
    spin();
    mt_server_drain(server, 60000, on_drained, NULL);
    MT_ASSERT(!is_open(&idle));
    MT_ASSERT(server->listener.fd < 0);
    pass(TEST_TIMEOUT_MS - 1);
    MT_ASSERT(drained == 0);
    client_send(&uploads, MT_BYTES_OF(half));
    spin();
    MT_ASSERT(client_hears(&uploads));
    MT_ASSERT(uploads.status == 201);
    spin();
    MT_ASSERT(!is_open(&uploads));
    pass(0);
    MT_ASSERT(drained == 1);
    client_free(&idle);
    client_free(&uploads);
    server_end();
}

static void who_takes_longer_than_the_drain_is_cut(void)
{
    struct client c;
    server_begin();
    drained = 0;
    client_open(&c, ALICE);
    client_say(&c, WRITE);
    spin_but_disk();
    mt_server_drain(server, 500, on_drained, NULL);
    pass(499);
    MT_ASSERT(is_open(&c));
    pass(1);
    MT_ASSERT(!is_open(&c));
    MT_ASSERT(drained > 0);
    client_free(&c);
    server_end();
}

static void a_node_without_connections_drains_at_once(void)
{
    server_begin();
    drained = 0;
    mt_server_drain(server, 60000, on_drained, NULL);
    pass(0);
    MT_ASSERT(drained == 1);
    server_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(requests_in_one_breath_are_answered_in_order),
        MT_TEST(what_is_no_request_is_answered_and_nothing_after_it),
        MT_TEST(a_head_that_is_too_long_is_answered_431),
        MT_TEST(a_closing_request_is_the_last),
        MT_TEST(a_refused_body_is_read_for_a_while_and_forgotten),
        MT_TEST(a_body_in_chunks_has_the_bound_of_its_path),
        MT_TEST(who_is_slow_with_a_head_is_cut_and_who_thinks_before_it_is_not),
        MT_TEST(who_is_slow_with_a_body_is_cut_however_steadily_it_trickles),
        MT_TEST(a_body_that_moves_is_waited_for),
        MT_TEST(who_shakes_no_hands_is_cut),
        MT_TEST(what_is_no_tls_is_cut_and_counted),
        MT_TEST(who_does_not_take_its_answer_is_cut),
        MT_TEST(nobody_is_cut_while_it_is_us_who_are_slow),
        MT_TEST(who_sends_on_while_its_answer_is_held_is_not_listened_to_for_ever),
        MT_TEST(a_reset_is_seen_by_those_too_who_ask_for_no_input),
        MT_TEST(whoever_comes_when_all_places_are_taken_is_refused_at_once),
        MT_TEST(without_descriptors_the_door_waits_and_opens_again),
        MT_TEST(an_address_that_is_none_is_refused),
        MT_TEST(who_is_being_served_when_the_node_drains_is_served),
        MT_TEST(who_takes_longer_than_the_drain_is_cut),
        MT_TEST(a_node_without_connections_drains_at_once),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
