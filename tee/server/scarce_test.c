/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/client_test.h"
#include "server/upkeep.h"
#include "unit/runner.h"
#include "unit/scarce.h"

/*
 * What a node does for those who come, told again and again: the n-th allocation fails, for every
 * n. The answer is as ever, or an error that says so, or the connection ends, or the node stops
 * because its disk has failed it. Whoever comes afterwards finds everything in order.
 */
#define V1      "/mesatee/v1/"
#define HOST    " HTTP/1.1\r\nhost: x\r\n"
#define KEY     "6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b" /* 32 bytes */
#define FILED   "{\"kind\":\"file\",\"secret\":\"" KEY "\"}"
#define DATA_ID "09696400000000000000000000000000"

static struct client neighbour;
static struct client visitor; /* as long as the line holds */
static bool has_visitor;

static void begin(void)
{
    const mt_id id = id_of(9);
    struct mt_object_handle h;
    has_tpm = true;
    server_begin();
    OK(mt_small_file_write(fs, root, "platform.mts",
                           MT_LITERAL("the platform key, 32 bytes of it")));
    OK(put_data(ALICE, &id, MT_LITERAL("content"), &h));
    spin();
    client_open(&neighbour, ALICE);
}

static void part(struct client *c)
{
    client_hang_up(c);
    net_forget(c->fd);
    client_free(c);
}

static void visitor_parts(void)
{
    if (has_visitor) {
        part(&visitor);
        has_visitor = false;
    }
}

static void end(void)
{
    visitor_parts();
    part(&neighbour);
    server_end();
    has_tpm = false;
}

/* All that moves. */
static void spin_all(void)
{
    for (int i = 0; i < 3; i++) {
        spin();
        while (evidence_step()) {
        }
    }
}

/* Nothing is left of the story, and the node serves, or has stopped for good. */
static void look_around(void)
{
    spin_all();
    pass(500); /* what the audit log lacks is written, and nobody comes in before */
    spin_all();
    if (has_visitor && !is_open(&visitor)) {
        visitor_parts();
    }
    if (!is_open(&neighbour)) { /* it has said nothing for a long time */
        part(&neighbour);
        client_open(&neighbour, ALICE);
    }
    MT_ASSERT(server->conns_count == (has_visitor ? 2 : 1) && server->backups == 0);
    MT_ASSERT(server->plains_count == 0);
    if (is_dead) {
        end();
        begin();
    }
    MT_ASSERT(ask_server(&neighbour, "GET /t/big/" DATA_ID HOST "\r\n") == 200);
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&neighbour.body), MT_LITERAL("content")));
}

/* For every n, until there is no n-th allocation; beyond our own, which come first, some of
 * OpenSSL's, of which a channel's test misses none. */
static size_t tell(bool (*story)(void))
{
    for (size_t n = 1;; n += n < 60 ? 1 : 5) {
        scarce_in = n;
        bool is_well = story();
        bool was_reached = scarce_end();
        MT_ASSERT(is_well || was_reached);
        look_around();
        if (!was_reached) {
            return n;
        }
    }
}

static const char *question;
static unsigned answer;
static enum person asker;

/* A whole answer; a part of one is there only if the line broke behind it. */
static bool is_answered(struct client *c)
{
    static const char go_on[25] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct mt_http_head head;
    bool is_whole = false;
    client_listen(c);
    if (mt_bytes_start_with(mt_buf_bytes(&c->in), MT_BYTES_OF(go_on))) {
        mt_buf_drop(&c->in, sizeof go_on);
    }
    if (c->in.len > 0) {
        OK(mt_http_response_parse(mt_buf_bytes(&c->in), &head, &is_whole));
        is_whole = is_whole && c->in.len == head.head_len + head.body_len;
    }
    if (!is_whole) {
        MT_ASSERT(!is_open(c) || is_dead);
        return false;
    }
    MT_ASSERT(head.status == answer || head.status == 503 || head.status == 500);
    return head.status == answer;
}

static bool ask(void)
{
    scarce_pauses++;
    if (!has_visitor) {
        client_open(&visitor, asker);
        has_visitor = true;
    }
    client_say(&visitor, question);
    scarce_pauses--;
    spin_all();
    scarce_pauses++;
    bool is = is_answered(&visitor);
    mt_buf_drop(&visitor.in, visitor.in.len);
    if (!is_open(&visitor) || visitor.has_goodbye) {
        visitor_parts();
    }
    scarce_pauses--;
    return is;
}

static void a_request_is_answered_rightly_or_with_an_error(void)
{
    static const struct {
        enum person who;
        const char *text;
        unsigned status;
    } questions[] = {
        /* first, for the clock moves on */
        {ADMIN, "POST " V1 "time" HOST "content-length: 22\r\n\r\n{\"time_ms\":1700000000}", 200},
        {ALICE, "GET /t/quick" HOST "\r\n", 200},
        {ALICE, "POST /t/write" HOST "content-length: 2\r\n\r\n{}", 201},
        {ALICE, "POST /t/write" HOST "content-length: 2\r\nexpect: 100-continue\r\n\r\n{}", 201},
        {ALICE, "GET /t/big/" DATA_ID HOST "\r\n", 200},
        {ALICE, "POST /t/big" HOST "content-length: 5\r\n\r\nhello", 201},
        {ALICE, "GET /t/receipt" HOST "\r\n", 200},
        {ALICE, "PUT /t/quick" HOST "\r\n", 405},
        {MALLORY, "GET /t/quick" HOST "\r\n", 403},
        {ADMIN, "GET " V1 "status" HOST "\r\n", 200},
        {ADMIN, "GET " V1 "audit?limit=3" HOST "\r\n", 200},
        {ADMIN, "GET " V1 "keyslots" HOST "\r\n", 200},
        {ADMIN, "POST " V1 "backup" HOST "content-length: 91\r\n\r\n" FILED, 200},
        {ALICE, "GET " V1 "ledger/head?from=1" HOST "\r\n", 200},
        {ALICE, "GET " V1 "enrolment" HOST "\r\n", 200},
        {ALICE,
         "POST " V1 "enrolment" HOST
         "content-length: 44\r\n\r\n{\"credential_blob\":\"0102ff\",\"secret\":\"aa00\"}",
         200},
    };
    begin();
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        question = questions[i].text;
        answer = questions[i].status;
        asker = questions[i].who;
        MT_ASSERT(tell(ask) > 3);
        visitor_parts();
    }
    end();
}

static bool open_channel(void)
{
    struct client c = {.fd = net_dial()};
    mt_err e = mt_conn_new(server, c.fd);
    if (mt_failed(e)) {
        MT_ASSERT(is_code(e, MT_E_NOMEM));
        net_forget(c.fd);
        return false;
    }
    scarce_pauses++;
    client_begin_on(&c, BOB, c.fd);
    for (int i = 0; i < 5; i++) {
        scarce_pauses--;
        net_spin();
        (void)evidence_step();
        net_spin();
        scarce_pauses++;
        client_listen(&c);
    }
    bool is = mt_channel_state(c.channel) == MT_CHANNEL_OPEN && is_open(&c);
    part(&c);
    scarce_pauses--;
    return is;
}

static void a_channel_opens_or_the_line_is_closed(void)
{
    begin();
    MT_ASSERT(tell(open_channel) > 20);
    end();
}

/* Events that are made while somebody watches come whole and in order, or the stream ends. */
static bool watch(void)
{
    static const char wanted[] = "\0\0\n\n\r\n"; /* the end of handle_emit()'s */
    struct client c;
    struct client owner;
    scarce_pauses++;
    event_bytes = 100;
    client_open(&c, ALICE);
    client_open(&owner, ALICE);
    client_say(&c, "GET /t/big/" DATA_ID "/events" HOST "\r\n");
    scarce_pauses--;
    spin_all();
    scarce_pauses++;
    client_say(&owner, "POST /t/big/" DATA_ID "/events" HOST "content-length: 0\r\n\r\n");
    scarce_pauses--;
    spin_all();
    pass(15 * 1000);
    spin_all();
    scarce_pauses++;
    client_listen(&c);
    bool is = is_open(&c) && c.in.len > 0 &&
              memmem(c.in.ptr, c.in.len, wanted, sizeof wanted - 1) != NULL &&
              memmem(c.in.ptr, c.in.len, ": still here", 12) != NULL;
    bool is_refused = mt_bytes_start_with(mt_buf_bytes(&c.in), MT_LITERAL("HTTP/1.1 503"));
    answer = 200;
    bool is_made = is_answered(&owner);
    MT_ASSERT(is || is_refused || !is_open(&c) || !is_made || is_dead);
    part(&c);
    part(&owner);
    scarce_pauses--;
    return is && is_made;
}

static void an_event_comes_or_the_stream_ends(void)
{
    begin();
    MT_ASSERT(tell(watch) > 20);
    end();
}

static bool probe(void)
{
    int fd = net_dial();
    scarce_pauses++;
    OK(mt_buf_append(&lines[fd].to_server, MT_LITERAL("GET /metrics" HOST "\r\n")));
    scarce_pauses--;
    mt_plain_accept(server, fd, true);
    net_spin();
    const mt_bytes said = mt_buf_bytes(&lines[fd].from_server);
    bool is = mt_bytes_start_with(said, MT_LITERAL("HTTP/1.1 200 "));
    MT_ASSERT(!lines[fd].is_open && (is || said.len == 0));
    scarce_pauses++;
    net_forget(fd);
    scarce_pauses--;
    return is;
}

static void a_probe_hears_all_or_nothing(void)
{
    begin();
    MT_ASSERT(tell(probe) > 2);
    end();
}

/* A rotation of the key that wraps objects' keys; one that fails goes on the next time. */
static bool shred_old(void)
{
    bool is_resumed = mt_shred_is_rotating(shred);
    uint64_t wanted = mt_shred_epoch(shred) + (is_resumed ? 0 : 1);
    mt_server_shred_now(server);
    for (int i = 0; i < 3; i++) {
        spin_all();
    }
    MT_ASSERT(is_dead || !server->is_shredding);
    return mt_shred_epoch(shred) == wanted && !mt_shred_is_rotating(shred);
}

static void a_rotation_loses_no_key(void)
{
    begin();
    MT_ASSERT(tell(shred_old) > 5);
    end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_request_is_answered_rightly_or_with_an_error),
        MT_TEST(a_channel_opens_or_the_line_is_closed),
        MT_TEST(an_event_comes_or_the_stream_ends),
        MT_TEST(a_probe_hears_all_or_nothing),
        MT_TEST(a_rotation_loses_no_key),
    };
    OK(mt_crypto_init(world_random, NULL));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
