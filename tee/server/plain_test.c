/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/client_test.h"
#include "unit/runner.h"

/* Probes and metrics: plain, small, and never more than a few at once. */

static void on_drained(void *state)
{
    (void)state;
}

/* One request on a line of its own; what comes back, until the next call. */
static const char *probe(bool is_metrics, const char *text)
{
    static char said[16 * 1024];
    int fd = net_dial();
    mt_plain_accept(server, fd, is_metrics);
    OK(mt_buf_append(&lines[fd].to_server, mt_bytes_of_text(text)));
    net_spin();
    const struct mt_buf *from = &lines[fd].from_server;
    (void)snprintf(said, sizeof said, "%.*s", (int)from->len,
                   from->len > 0 ? (const char *)from->ptr : "");
    MT_ASSERT(!lines[fd].is_open || said[0] == '\0');
    if (lines[fd].is_open) {
        lines[fd].is_gone = true;
        net_spin();
    }
    net_forget(fd);
    return said;
}

static bool is(const char *said, const char *first_line, const char *last_line)
{
    const char *body = strstr(said, "\r\n\r\n");
    return strncmp(said, first_line, strlen(first_line)) == 0 && body != NULL &&
           strcmp(body + 4, last_line) == 0;
}

static void a_node_that_turns_is_alive_and_ready(void)
{
    server_begin();
    MT_ASSERT(
        is(probe(false, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"), "HTTP/1.1 200 ", "alive\n"));
    MT_ASSERT(
        is(probe(false, "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n"), "HTTP/1.1 200 ", "ready\n"));
    server_end();
}

static void a_node_that_drains_is_alive_and_not_ready(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, "POST /t/write HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}");
    spin_but_disk();
    mt_server_drain(server, 1000, on_drained, NULL);
    MT_ASSERT(
        is(probe(false, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"), "HTTP/1.1 200 ", "alive\n"));
    MT_ASSERT(is(probe(false, "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n"), "HTTP/1.1 503 ",
                 "not ready\n"));
    client_free(&c);
    server_end();
}

static void a_node_whose_disk_has_failed_is_not_ready(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, "POST /t/write HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}");
    spin_but_disk();
    disk_fault(MT_SIM_ERROR, 0);
    turn();
    disk_heal();
    MT_ASSERT(is(probe(false, "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n"), "HTTP/1.1 503 ",
                 "not ready\n"));
    client_free(&c);
    server_end();
}

static void metrics_are_numbers_and_stand_where_no_probe_is(void)
{
    server_begin();
    const char *said = probe(true, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
    MT_ASSERT(strncmp(said, "HTTP/1.1 200 ", 13) == 0);
    MT_ASSERT(strstr(said, "\nmesatee_connections 0\n") != NULL);
    MT_ASSERT(strstr(said, "\n# TYPE mesatee_errors_total counter\n") != NULL);
    MT_ASSERT(strstr(said, "\nmesatee_resident_bytes ") != NULL);
    MT_ASSERT(strstr(said, "collateral") == NULL); /* this node is to hold none */
    collateral = MT_COLLATERAL_REFUSED;
    said = probe(true, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
    MT_ASSERT(strstr(said, "\nmesatee_collateral_good 0\n") != NULL);
    collateral = MT_COLLATERAL_GOOD;
    said = probe(true, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
    MT_ASSERT(strstr(said, "\nmesatee_collateral_good 1\n") != NULL);
    collateral = MT_COLLATERAL_NONE;
    MT_ASSERT(strncmp(probe(false, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"), "HTTP/1.1 404 ",
                      13) == 0);
    MT_ASSERT(
        strncmp(probe(true, "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n"), "HTTP/1.1 404 ", 13) == 0);
    server_end();
}

static void what_is_no_probe_hears_nothing(void)
{
    static const char *const wrong[] = {
        "POST /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx",
        "DELETE /livez HTTP/1.1\r\nhost: x\r\n\r\n",
        "HEAD /livez HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /livez HTTP/1.0\r\n\r\n",
        "\x16\x03\x01\x02",
        "GET /livez HTTP/1.1\r\nhost: x\r\n", /* and no more */
        ""};
    server_begin();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(probe(false, wrong[i])[0] == '\0');
    }
    MT_ASSERT(server->plains_count == 0);
    server_end();
}

static void a_probe_that_says_nothing_is_cut(void)
{
    server_begin();
    int fd = net_dial();
    mt_plain_accept(server, fd, false);
    pass(4999);
    MT_ASSERT(lines[fd].is_open);
    pass(1);
    MT_ASSERT(!lines[fd].is_open);
    server_end();
}

static void a_probe_that_is_reset_is_forgotten(void)
{
    server_begin();
    int fd = net_dial();
    mt_plain_accept(server, fd, false);
    lines[fd].is_reset = true;
    net_spin();
    MT_ASSERT(!lines[fd].is_open);
    MT_ASSERT(server->plains_count == 0);
    server_end();
}

static void a_probe_that_takes_its_answer_slowly_gets_it(void)
{
    server_begin();
    int fd = net_dial();
    mt_plain_accept(server, fd, false);
    lines[fd].room = 7;
    OK(mt_buf_append(&lines[fd].to_server, MT_LITERAL("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")));
    size_t got = 0;
    for (int i = 0; i < 100 && lines[fd].is_open; i++) {
        net_spin();
        got += lines[fd].from_server.len;
        mt_buf_drop(&lines[fd].from_server, lines[fd].from_server.len);
    }
    MT_ASSERT(!lines[fd].is_open);
    MT_ASSERT(got > 100);
    server_end();
}

static void there_are_only_so_many_probes_at_once(void)
{
    int first = NET_NOWHERE;
    server_begin();
    for (int i = 0; i < MT_PLAIN_CONNECTIONS_MAX; i++) {
        int fd = net_dial();
        first = i == 0 ? fd : first;
        mt_plain_accept(server, fd, false);
        MT_ASSERT(lines[fd].is_open);
    }
    int late = net_dial();
    mt_plain_accept(server, late, false);
    MT_ASSERT(!lines[late].is_open);
    lines[first].is_gone = true;
    net_spin();
    int later = net_dial();
    mt_plain_accept(server, later, false);
    MT_ASSERT(lines[later].is_open);
    server_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_node_that_turns_is_alive_and_ready),
        MT_TEST(a_node_that_drains_is_alive_and_not_ready),
        MT_TEST(a_node_whose_disk_has_failed_is_not_ready),
        MT_TEST(metrics_are_numbers_and_stand_where_no_probe_is),
        MT_TEST(what_is_no_probe_hears_nothing),
        MT_TEST(a_probe_that_says_nothing_is_cut),
        MT_TEST(a_probe_that_is_reset_is_forgotten),
        MT_TEST(a_probe_that_takes_its_answer_slowly_gets_it),
        MT_TEST(there_are_only_so_many_probes_at_once),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
