/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adversary/peer.h"
#include "adversary/tap.h"
#include "base/assert.h"
#include "mesatee/entropy.h"

/*
 * wire BUILD: whoever speaks to a node as nobody should. Every peer here has an attested channel as
 * a user that the node knows, or none at all, and means no good with it.
 */
static struct node node;

#define V1      "/mesatee/v1"
#define STATUS  "GET " V1 "/status HTTP/1.1\r\nhost: mesatee\r\n"
#define PUT     "POST " V1 "/data?name=smuggled HTTP/1.1\r\nhost: mesatee\r\n"
#define SESSION "00112233445566778899aabbccddeeff"

/* The node answers 200 to whoever behaves: asked after each attack. */
static bool is_well(void)
{
    struct peer p;
    bool ok = node_is_alive(&node) && peer_open(&p, &node, node.admin) &&
              peer_ask(&p, STATUS "\r\n") == 200;
    peer_close(&p);
    return ok;
}

static bool has_data(const char *name)
{
    struct peer p;
    char quoted[80];
    (void)snprintf(quoted, sizeof quoted, "\"name\":\"%s\"", name);
    MT_ASSERT(peer_open(&p, &node, node.admin));
    MT_ASSERT(peer_ask(&p, "GET " V1 "/data HTTP/1.1\r\nhost: mesatee\r\n\r\n") == 200);
    bool is_there = peer_has(&p, quoted);
    peer_close(&p);
    return is_there;
}

/* ---- messages that two readers read in two ways */

static const struct smuggled {
    const char *sentence;
    const char *text;
    size_t len; /* 0: to its NUL */
    const char *check;
} smuggled[] = {
    {"Transfer-Encoding beside Content-Length is refused",
     PUT "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 0,
     "HTTP: Transfer-Encoding beside Content-Length"},
    {"two Content-Lengths are refused", PUT "content-length: 4\r\ncontent-length: 5\r\n\r\na,b\n\n",
     0, "HTTP: a second Content-Length"},
    {"two equal Content-Lengths are refused",
     PUT "content-length: 4\r\nContent-Length: 4\r\n\r\na,b\n", 0, "HTTP: a second Content-Length"},
    {"a list of Content-Lengths is refused", PUT "content-length: 4, 4\r\n\r\na,b\n", 0,
     "HTTP: a Content-Length with something but digits"},
    {"a Content-Length with a plus sign is refused", PUT "content-length: +4\r\n\r\na,b\n", 0,
     "HTTP: a Content-Length with something but digits"},
    {"a Content-Length that begins with zero is refused", PUT "content-length: 04\r\n\r\na,b\n", 0,
     "HTTP: a Content-Length that begins with a needless zero"},
    {"Transfer-Encoding twice is refused",
     PUT "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n", 0,
     "HTTP: a second Transfer-Encoding"},
    {"another Transfer-Encoding is refused",
     PUT "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0,
     "HTTP: a Transfer-Encoding but chunked"},
    {"a bare line feed is refused", STATUS "x: y\n\r\n", 0, "HTTP: a bare line feed"},
    {"a folded header is refused", STATUS "x: y\r\n z: w\r\n\r\n", 0, "HTTP: a folded header"},
    {"a blank before a colon is refused", PUT "content-length : 4\r\n\r\na,b\n", 0,
     "HTTP: a blank in or behind a header's name"},
    {"a chunk extension is refused",
     PUT "transfer-encoding: chunked\r\n\r\n4;x=y\r\na,b\n\r\n0\r\n\r\n", 0,
     "HTTP: a chunk extension"},
    {"a chunk that is longer than its size is refused",
     PUT "transfer-encoding: chunked\r\n\r\n4\r\na,b\n1,2\n\r\n0\r\n\r\n", 0,
     "HTTP: a chunk is longer than its size"},
    {"trailers that are announced are refused",
     PUT "transfer-encoding: chunked\r\ntrailer: x\r\n\r\n0\r\nx: y\r\n\r\n", 0,
     "HTTP: trailers are announced"},
    {"trailers that are not announced are refused",
     PUT "transfer-encoding: chunked\r\n\r\n4\r\na,b\n\r\n0\r\nx: y\r\n\r\n", 0, "HTTP: a trailer"},
    {"a target in absolute form is refused",
     "GET http://other" V1 "/status HTTP/1.1\r\nhost: mesatee\r\n\r\n", 0,
     "HTTP: a target in absolute or authority form"},
    {"a target with an escaped NUL is refused",
     "GET " V1 "/status%00 HTTP/1.1\r\nhost: mesatee\r\n\r\n", 0, "HTTP: an escaped NUL"},
    {"a target with dot segments is refused",
     "GET " V1 "/data/../status HTTP/1.1\r\nhost: mesatee\r\n\r\n", 0,
     "HTTP: a dot segment in the path"},
    {"a NUL in a header is refused", STATUS "x: y\0z\r\n\r\n", sizeof STATUS "x: y\0z\r\n\r\n" - 1,
     NULL},
    {"a GET with a body is refused", STATUS "content-length: 4\r\n\r\nGET ", 0,
     "HTTP: a GET or HEAD with a body"},
    {"a second Host is refused", STATUS "host: other\r\n\r\n", 0, "HTTP: a second Host"},
    {"HTTP/1.0 is refused", "GET " V1 "/status HTTP/1.0\r\nhost: mesatee\r\n\r\n", 0,
     "HTTP: version 1.0"},
    {"another protocol is refused", STATUS "upgrade: h2c\r\n\r\n", 0,
     "HTTP: another protocol is asked for"},
    {"junk behind a whole request is refused, and the request served",
     STATUS "\r\n\x16\x03\x01junk\r\n\r\n", 0, NULL},
};

/* Behind each stands a request that a more forgiving reader would serve: nobody answers it. */
static void refuse_smuggled(const struct smuggled *s)
{
    struct peer p;
    size_t len = s->len > 0 ? s->len : strlen(s->text);
    bool is_junk_behind = strstr(s->sentence, "junk") != NULL;
    MT_ASSERT(peer_open(&p, &node, node.admin));
    bool ok = peer_send(&p, (mt_bytes){(const uint8_t *)s->text, len});
    (void)peer_say(&p, STATUS "\r\n");
    unsigned served = is_junk_behind ? peer_answer(&p) : 200;
    unsigned status = peer_answer(&p);
    ok = ok && served == 200 && status == 400 && strcmp(p.code, "format") == 0 && p.has_five;
    ok = ok && p.closes && (s->check == NULL || strcmp(p.check, s->check) == 0) && peer_is_cut(&p);
    (void)tap_ok(ok, s->sentence, "%u, then %u, %s: %s", served, status, p.code, p.check);
    peer_close(&p);
}

static void smuggle(void)
{
    for (size_t i = 0; i < sizeof smuggled / sizeof *smuggled; i++) {
        refuse_smuggled(&smuggled[i]);
    }
    (void)tap_ok(!has_data("smuggled"), "nothing of it was kept", "a data set is there");
    (void)tap_ok(is_well(), "and the node serves on", "it does not");
}

/* ---- what is too much */

/* Sends `piece` until the node cuts or `bytes` are sent. */
static uint64_t pour(struct peer *p, mt_bytes piece, uint64_t bytes)
{
    uint64_t sent = 0;
    while (sent < bytes && peer_send(p, piece)) {
        sent += piece.len;
    }
    return sent;
}

static void pour_a_head(void)
{
    static uint8_t piece[64 * 1024];
    const uint64_t all = UINT64_C(1) << 30;
    struct peer p;
    memset(piece, 'a', sizeof piece);
    MT_ASSERT(peer_open(&p, &node, node.admin));
    MT_ASSERT(peer_say(&p, "GET /"));
    uint64_t before = node_resident_bytes(&node);
    uint64_t sent = pour(&p, MT_BYTES_OF(piece), all);
    unsigned status = peer_answer(&p);
    uint64_t grown = node_resident_bytes(&node) - before;
    grown = grown > INT64_MAX ? 0 : grown;
    (void)tap_ok(sent < all && (status == 431 || status == 0),
                 "a head line of 1 GiB is refused with 431, or cut, long before its end",
                 "status %u, %llu bytes taken", status, (unsigned long long)sent);
    (void)tap_ok(grown < (uint64_t)NODE_MEMORY_SLACK * 4 << 20, "and costs the node no memory",
                 "%llu bytes", (unsigned long long)grown);
    peer_close(&p);
    MT_ASSERT(peer_open(&p, &node, node.admin));
    memset(piece, 'a', 20000);
    MT_ASSERT(peer_say(&p, "GET /"));
    (void)peer_send(&p, (mt_bytes){piece, 20000});
    status = peer_answer(&p);
    (void)tap_ok(status == 431 && strcmp(p.code, "limit") == 0 && p.has_five,
                 "a head of 20,000 bytes is answered 431", "%u %s", status, p.check);
    peer_close(&p);
}

static void ask_oversize(const char *sentence, const char *framing, size_t body)
{
    static uint8_t piece[16 * 1024];
    struct peer p;
    memset(piece, ' ', sizeof piece);
    MT_ASSERT(body <= sizeof piece);
    MT_ASSERT(peer_open(&p, &node, node.admin));
    MT_ASSERT(peer_say(&p, "POST " V1 "/users HTTP/1.1\r\nhost: mesatee\r\n%s\r\n\r\n", framing));
    (void)peer_send(&p, (mt_bytes){piece, body});
    unsigned status = peer_answer(&p);
    (void)tap_ok(status == 413 && p.has_five && p.hint[0] != '\0' && peer_is_cut(&p), sentence,
                 "%u %s: %s (%s)", status, p.code, p.check, p.hint);
    peer_close(&p);
}

static void oversize(void)
{
    pour_a_head();
    ask_oversize("a body that is announced too long is refused with 413 and a hint",
                 "content-length: 5000", 5000);
    ask_oversize("and so is one whose length nobody would believe",
                 "content-length: 999999999999999999", 5000);
    ask_oversize("and one that grows too long in chunks", "transfer-encoding: chunked\r\n\r\n1500",
                 5400);
    struct peer p;
    MT_ASSERT(peer_open(&p, &node, node.admin));
    unsigned status =
        peer_ask(&p, "DELETE " V1 "/users/" SESSION SESSION " HTTP/1.1\r\nhost: mesatee\r\n"
                     "transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    (void)tap_ok(status == 413, "where no body is wanted, none is taken", "%u %s", status, p.check);
    peer_close(&p);
}

/* ---- bodies that are no JSON, or not the one that is wanted */

static const struct body {
    const char *sentence;
    const char *body;
    const char *code;
} bodies[] = {
    {"an unknown field is refused by name",
     "{\"key\":\"00\",\"name\":\"x\",\"role\":\"user\",\"rolle\":\"admin\"}", "format"},
    {"a key that stands twice is refused", "{\"name\":\"x\",\"name\":\"y\"}", "format"},
    {"a number where a text belongs is refused", "{\"key\":1,\"name\":\"x\",\"role\":\"user\"}",
     "format"},
    {"bytes behind the document are refused", "{} {}", "format"},
    {"a body that is cut in the middle of a text is refused", "{\"name\":\"x", "format"},
    {"a lone surrogate is refused", "{\"name\":\"\\ud800\"}", "format"},
    {"an escaped NUL is refused", "{\"name\":\"a\\u0000b\"}", "format"},
    {"bytes that are no UTF-8 are refused", "{\"name\":\"\xff\xfe\"}", "format"},
    {"an empty body is refused where one is wanted", "", "format"},
};

static void bad_bodies(void)
{
    struct peer p;
    char deep[2048];
    MT_ASSERT(peer_open(&p, &node, node.admin));
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        unsigned status = peer_ask(
            &p, "POST " V1 "/users HTTP/1.1\r\nhost: mesatee\r\ncontent-length: %zu\r\n\r\n%s",
            strlen(bodies[i].body), bodies[i].body);
        (void)tap_ok(status == 400 && strcmp(p.code, bodies[i].code) == 0 && p.has_five &&
                         !p.closes,
                     bodies[i].sentence, "%u %s: %s", status, p.code, p.check);
    }
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    deep[2000] = '\0';
    unsigned status = peer_ask(
        &p, "POST " V1 "/users HTTP/1.1\r\nhost: mesatee\r\ncontent-length: 2000\r\n\r\n%s", deep);
    (void)tap_ok(status >= 400 && status < 500 && p.has_five,
                 "a thousand brackets in each other are refused", "%u %s", status, p.check);
    status = peer_ask(&p, STATUS "\r\n");
    (void)tap_ok(status == 200, "and the connection, which was no part of it, goes on", "%u",
                 status);
    peer_close(&p);
}

/* ---- every error answer is one object of five fields */

static void errors(void)
{
    static const struct {
        unsigned status;
        const char *line;
    } asked[] = {
        {404, "GET " V1 "/nowhere"},
        {404, "GET /"},
        {405, "PUT " V1 "/status"},
        {400, "GET " V1 "/status?x=y"},
        {400, "GET " V1 "/data/xyz"},
        {404, "GET " V1 "/data/" SESSION},
        {404, "GET " V1 "/results/" SESSION},
        {410, "GET " V1 "/ledger/head?from=999999999"},
        {413, "GET " V1 "/audit?limit=100000"},
        {404, "DELETE " V1 "/keyslots/9"},
    };
    struct peer p;
    MT_ASSERT(peer_open(&p, &node, node.admin));
    bool ok = true;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        unsigned status = peer_ask(&p, "%s HTTP/1.1\r\nhost: mesatee\r\n\r\n", asked[i].line);
        if (status != asked[i].status || !p.has_five) {
            (void)printf("# %s: %u %s\n", asked[i].line, status, p.check);
            ok = false;
        }
    }
    (void)tap_ok(ok, "every error is code, check, detail, hint and request_id, and no more",
                 "see above");
    peer_close(&p);
}

/* ---- strangers */

static void strangers(void)
{
    static const char *const asked[] = {
        "GET " V1 "/status HTTP/1.1\r\nhost: mesatee\r\n\r\n",
        "GET " V1 "/nowhere HTTP/1.1\r\nhost: mesatee\r\n\r\n",
        "PUT " V1 "/status HTTP/1.1\r\nhost: mesatee\r\n\r\n",
        "GET " V1 "/data/" SESSION " HTTP/1.1\r\nhost: mesatee\r\n\r\n",
        "POST " V1 "/users HTTP/1.1\r\nhost: mesatee\r\ncontent-length: 5000\r\n\r\n",
        "GET /\n\n",
    };
    struct mt_key *key = NULL;
    char first[PEER_TEXT_MAX] = "";
    bool ok = true;
    MT_ASSERT(!mt_failed(mt_key_new(&key)));
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct peer p;
        MT_ASSERT(peer_open(&p, &node, key));
        unsigned status = peer_ask(&p, "%s", asked[i]);
        ok = ok && status == 403 && p.has_five && p.hint[0] == '\0' &&
             (i == 0 || strcmp(first, p.check) == 0);
        (void)snprintf(first, sizeof first, "%s", p.check);
        peer_close(&p);
    }
    (void)tap_ok(ok, "a stranger hears one answer, whatever is asked and however badly", "%s",
                 first);
    mt_key_free(&key);
}

/* ---- those who say it slowly, or stop in the middle */

static void slowly_but_surely(void)
{
    static const char text[] = STATUS "\r\n";
    struct peer p;
    MT_ASSERT(peer_open(&p, &node, node.admin));
    bool is_sent = true;
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        is_sent = is_sent && peer_send(&p, (mt_bytes){(const uint8_t *)text + i, 1});
    }
    (void)tap_ok(is_sent && peer_answer(&p) == 200,
                 "who sends byte by byte, each in a record of its own, is served", "no answer");
    peer_close(&p);
}

static void stop_in_the_middle(void)
{
    static uint8_t half[300 * 1024];
    struct peer p;
    memset(half, '1', sizeof half);
    MT_ASSERT(peer_open(&p, &node, node.admin));
    MT_ASSERT(peer_say(&p, "POST " V1 "/data?name=truncated HTTP/1.1\r\nhost: mesatee\r\n"
                           "content-length: 1000000\r\n\r\n"));
    MT_ASSERT(peer_send(&p, MT_BYTES_OF(half)));
    peer_close(&p);
    MT_ASSERT(peer_open(&p, &node, node.admin));
    MT_ASSERT(peer_say(&p, "POST " V1 "/data?name=reset HTTP/1.1\r\nhost: mesatee\r\n"
                           "transfer-encoding: chunked\r\n\r\nf0000\r\n"));
    MT_ASSERT(peer_send(&p, MT_BYTES_OF(half)));
    peer_reset(&p);
    MT_ASSERT(peer_open(&p, &node, node.admin));
    MT_ASSERT(peer_say(&p, "POST " V1 "/data?name=halved HTTP/1.1\r\nhost: mesatee\r\n"
                           "content-length: 1000000\r\n\r\n"));
    MT_ASSERT(peer_send(&p, MT_BYTES_OF(half)));
    MT_ASSERT(shutdown(p.fd, SHUT_WR) == 0);
    (void)tap_ok(peer_is_cut(&p), "who closes half of a connection loses all of it", "it goes on");
    peer_close(&p);
    bool is_clean = node_stages_nothing(&node);
    (void)tap_ok(!has_data("truncated") && !has_data("reset") && !has_data("halved"),
                 "of a body that ends early, is reset or half closed, nothing is committed",
                 "a data set is there");
    (void)tap_ok(is_clean, "nor left in staging", "%zu files", node_staged_files(&node));
}

/* ---- retries */

static unsigned put_numbered(struct peer *p, unsigned number, const char *name, const char *body)
{
    return peer_ask(p,
                    "POST " V1 "/data?name=%s HTTP/1.1\r\nhost: mesatee\r\n"
                    "mesatee-request: " SESSION "-%u\r\ncontent-length: %zu\r\n\r\n%s",
                    name, number, strlen(body), body);
}

static void repeat(void)
{
    struct peer p;
    char first[1024] = "";
    MT_ASSERT(peer_open(&p, &node, node.admin));
    unsigned status = put_numbered(&p, 1, "once", "a,b\n1,2\n");
    (void)snprintf(first, sizeof first, "%.*s", (int)p.body.len, (const char *)p.body.ptr);
    unsigned again = put_numbered(&p, 1, "once", "a,b\n1,2\n");
    (void)tap_ok(status == 201 && again == 201 && peer_has(&p, first) &&
                     peer_number(&p, "version") == 1,
                 "a request that is repeated with its number is answered as before, and done once",
                 "%u, %u %s", status, again, p.check);
    unsigned other = put_numbered(&p, 1, "once", "a,b\n1,3\n");
    (void)tap_ok(other == 409 && p.has_five, "another body under the number is a conflict", "%u %s",
                 other, p.check);
    other = put_numbered(&p, 1, "twice", "a,b\n1,2\n");
    (void)tap_ok(other == 409, "and so is another target", "%u %s", other, p.check);
    other = put_numbered(&p, 2, "once", "a,b\n1,2\n");
    (void)tap_ok(other == 201 && peer_number(&p, "version") == 2,
                 "under another number it is another request", "%u %s", other, p.check);
    peer_close(&p);
}

static bool has_user(const char *name)
{
    struct peer p;
    MT_ASSERT(peer_open(&p, &node, node.admin));
    MT_ASSERT(peer_ask(&p, "GET " V1 "/users HTTP/1.1\r\nhost: mesatee\r\n\r\n") == 200);
    bool is_there = peer_has(&p, name);
    peer_close(&p);
    return is_there;
}

static bool add_unheard(struct peer *p, const char *key)
{
    char body[512];
    int len =
        snprintf(body, sizeof body, "{\"key\":\"%s\",\"name\":\"unheard\",\"role\":\"user\"}", key);
    return peer_say(p,
                    "POST " V1 "/users HTTP/1.1\r\nhost: mesatee\r\n"
                    "mesatee-request: " SESSION "-77\r\ncontent-length: %d\r\n\r\n%s",
                    len, body);
}

/* Whoever hears no answer asks again with the same number: somebody is added only once, so anything
 * but the first answer would show. */
static void outcome_unknown(void)
{
    struct peer p;
    struct mt_key *key = NULL;
    uint8_t hex[2 * MT_SPKI_LEN + 1] = {0};
    struct mt_writer w = mt_writer_over((mt_span){hex, sizeof hex - 1});
    MT_ASSERT(!mt_failed(mt_key_new(&key)));
    mt_hex_write(&w, mt_spki_bytes(mt_key_public(key)));
    mt_key_free(&key);
    MT_ASSERT(peer_open(&p, &node, node.admin));
    MT_ASSERT(add_unheard(&p, (const char *)hex));
    peer_close(&p);
    bool is_done = false;
    for (int i = 0; i < NODE_LOOKS && !is_done; i++) {
        is_done = has_user("\"unheard\"");
        node_pause(is_done ? 0 : NODE_STEP_MS);
    }
    MT_ASSERT(peer_open(&p, &node, node.admin));
    MT_ASSERT(add_unheard(&p, (const char *)hex));
    unsigned status = peer_answer(&p);
    (void)tap_ok(is_done && status == 201 && peer_has(&p, "subject"),
                 "a connection that dies before the reply: repeating the request tells its outcome",
                 "done %d, %u %s", is_done, status, p.check);
    peer_close(&p);
}

/* ---- those who do not even speak TLS 1.3 */

static void raw(const char *sentence, mt_bytes bytes)
{
    uint8_t heard[4096];
    ssize_t n = 1;
    size_t all = 0;
    int fd = peer_dial(node.port, 0);
    MT_ASSERT(fd >= 0);
    (void)send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    while (n > 0 && all < sizeof heard) {
        n = recv(fd, heard + all, sizeof heard - all, 0);
        all += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    /* At most an alert: type 21, and no handshake message (22) that would say who we are. */
    bool is_mute = all == 0 || (all <= 7 && heard[0] == 21);
    (void)tap_ok(n <= 0 && is_mute, sentence, "%zu bytes, first %02x", all,
                 all > 0 ? heard[0] : 0U);
}

static void no_tls(void)
{
    /* A ClientHello of TLS 1.2 as browsers of 2015 sent it: P-256, ECDSA, AES-128-GCM. */
    static const uint8_t hello_12[] = {
        0x16, 0x03, 0x01, 0x00, 0x4b, 0x01, 0x00, 0x00, 0x47, 0x03, 0x03, 1,    2,    3,
        4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,   16,   17,
        18,   19,   20,   21,   22,   23,   24,   25,   26,   27,   28,   29,   30,   31,
        32,   0x00, 0x00, 0x02, 0xc0, 0x2b, 0x01, 0x00, 0x00, 0x1c, 0x00, 0x0a, 0x00, 0x04,
        0x00, 0x02, 0x00, 0x17, 0x00, 0x0b, 0x00, 0x02, 0x01, 0x00, 0x00, 0x0d, 0x00, 0x06,
        0x00, 0x04, 0x04, 0x03, 0x08, 0x04, 0x00, 0x17, 0x00, 0x00};
    static uint8_t noise[8192];
    uint64_t state = 88172645463325252U;
    for (size_t i = 0; i < sizeof noise; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise[i] = (uint8_t)state;
    }
    raw("plain HTTP to the channel's port is told nothing", MT_LITERAL(STATUS "\r\n"));
    raw("noise is told nothing", MT_BYTES_OF(noise));
    raw("a ClientHello of TLS 1.2 gets an alert and no more", MT_BYTES_OF(hello_12));
    raw("a record that claims 64 KiB is told nothing", MT_LITERAL("\x16\x03\x01\xff\xff"
                                                                  "xxxxxxxx"));
    (void)tap_ok(is_well(), "and the node serves on after all that", "it does not");
}

/* ---- large bodies stream */

static void stream(void)
{
    static uint8_t piece[256 * 1024];
    enum { PIECES = 256 };
    struct peer p;
    memset(piece, '7', sizeof piece);
    piece[0] = 'a';
    piece[1] = '\n';
    for (size_t i = 99; i < sizeof piece; i += 100) {
        piece[i] = '\n';
    }
    MT_ASSERT(peer_open(&p, &node, node.admin));
    uint64_t before = node_resident_bytes(&node);
    uint64_t most = before;
    MT_ASSERT(peer_say(&p,
                       "POST " V1 "/data?name=large HTTP/1.1\r\nhost: mesatee\r\n"
                       "expect: 100-continue\r\ncontent-length: %zu\r\n\r\n",
                       sizeof piece * PIECES));
    bool is_wanted = peer_answer(&p) == 100;
    for (int i = 0; i < PIECES && is_wanted; i++) {
        is_wanted = peer_send(&p, MT_BYTES_OF(piece));
        uint64_t now = node_resident_bytes(&node);
        most = now > most ? now : most;
    }
    unsigned status = is_wanted ? peer_answer(&p) : 0;
    (void)tap_ok(status == 201 && peer_number(&p, "size_bytes") == sizeof piece * PIECES,
                 "a body of 64 MiB goes in, asked for by 100 Continue", "%u %s", status, p.check);
    (void)tap_ok(most - before < (uint64_t)NODE_MEMORY_SLACK * 8 << 20,
                 "and streams: it never lies in memory", "%llu bytes more",
                 (unsigned long long)(most - before));
    peer_close(&p);
}

int main(int argc, char **argv)
{
    MT_ASSERT(argc == 2);
    MT_ASSERT(!mt_failed(mt_entropy_open()));
    node_begin(&node, argv[1]);
    node_start(&node, "");
    MT_ASSERT(is_well());
    smuggle();
    oversize();
    bad_bodies();
    errors();
    strangers();
    slowly_but_surely();
    stop_in_the_middle();
    repeat();
    outcome_unknown();
    no_tls();
    stream();
    (void)tap_ok(is_well() && node_stop(&node) == 0, "in the end the node stops as it should",
                 "it does not");
    node_end(&node);
    mt_entropy_close();
    return tap_done();
}
