/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/http.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"
#include "wire/http_chars.h"

static const char good[] = "POST /mesatee/v1/data/a-b_c~?name=x%20y&n=1 HTTP/1.1\r\n"
                           "Host: node.example:8443\r\n"
                           "content-LENGTH:   12  \r\n"
                           "X-Empty:\r\n"
                           "Connection: close\r\n"
                           "Expect: 100-continue\r\n"
                           "\r\n"
                           "hello, world";

static const char good_response[] = "HTTP/1.1 404 Not Found\r\n"
                                    "content-type: application/json\r\n"
                                    "transfer-encoding: chunked\r\n"
                                    "\r\n";

static mt_bytes bytes_of(const char *text, size_t len)
{
    return (mt_bytes){(const uint8_t *)text, len};
}

static bool is(mt_bytes b, const char *text)
{
    return mt_bytes_equal(b, mt_bytes_of_text(text));
}

static void a_request_is_read_whole(void)
{
    struct mt_http_head h;
    bool is_whole = false;
    MT_ASSERT(!mt_failed(mt_http_request_parse(bytes_of(good, sizeof good - 1), &h, &is_whole)));
    MT_ASSERT(is_whole && h.method == MT_HTTP_POST && h.head_len == sizeof good - 1 - 12);
    MT_ASSERT(is(h.path, "/mesatee/v1/data/a-b_c~") && is(h.query, "name=x%20y&n=1"));
    MT_ASSERT(h.headers_count == 5 && is(h.headers[1].name, "content-LENGTH"));
    MT_ASSERT(h.body == MT_HTTP_BODY_LENGTH && h.body_len == 12);
    MT_ASSERT(h.closes && h.expects_continue);
    MT_ASSERT(is(mt_http_header_get(&h, "host"), "node.example:8443"));
    MT_ASSERT(is(mt_http_header_get(&h, "content-length"), "12"));
    mt_bytes empty = mt_http_header_get(&h, "x-empty");
    MT_ASSERT(empty.ptr != NULL && empty.len == 0);
    MT_ASSERT(mt_http_header_get(&h, "x-absent").ptr == NULL);
    MT_ASSERT(mt_http_header_get(&h, "hos").ptr == NULL);
}

static void a_response_is_read_whole(void)
{
    struct mt_http_head h;
    bool is_whole = false;
    mt_bytes in = bytes_of(good_response, sizeof good_response - 1);
    MT_ASSERT(!mt_failed(mt_http_response_parse(in, &h, &is_whole)));
    MT_ASSERT(is_whole && h.status == 404 && h.body == MT_HTTP_BODY_CHUNKED && !h.closes);
    MT_ASSERT(h.head_len == in.len && h.headers_count == 2);
}

/* Request heads with their refusal. H stands for what every one of them needs. */
#define H "Host: a\r\n"
#define P "POST / HTTP/1.1\r\n" H
static const struct {
    const char *what;
    const char *head;
} refused[] = {
    /* Where the message ends: TE.CL, CL.TE, CL.CL and their kin. */
    {"HTTP: Transfer-Encoding beside Content-Length",
     P "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"},
    {"HTTP: Transfer-Encoding beside Content-Length",
     P "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"HTTP: a second Content-Length", P "Content-Length: 4\r\ncontent-length: 4\r\n\r\n"},
    {"HTTP: a second Content-Length", P "Content-Length: 4\r\nContent-Length: 5\r\n\r\n"},
    {"HTTP: a second Transfer-Encoding",
     P "Transfer-Encoding: chunked\r\nTransfer-encoding: chunked\r\n\r\n"},
    {"HTTP: a Content-Length with something but digits", P "Content-Length: 4, 4\r\n\r\n"},
    {"HTTP: a Content-Length with something but digits", P "Content-Length: +4\r\n\r\n"},
    {"HTTP: a Content-Length with something but digits", P "Content-Length: -4\r\n\r\n"},
    {"HTTP: a Content-Length with something but digits", P "Content-Length: 4 4\r\n\r\n"},
    {"HTTP: a Content-Length with something but digits", P "Content-Length: 4x\r\n\r\n"},
    {"HTTP: a Content-Length with something but digits", P "Content-Length: 1_0\r\n\r\n"},
    {"HTTP: a Content-Length that begins with a needless zero", P "Content-Length: 0x4\r\n\r\n"},
    {"HTTP: a Content-Length that begins with a needless zero", P "Content-Length: 04\r\n\r\n"},
    {"HTTP: an empty Content-Length", P "Content-Length: \r\n\r\n"},
    {"HTTP: a Content-Length beyond 18 digits", P "Content-Length: 1000000000000000000\r\n\r\n"},
    {"HTTP: a Content-Length beyond 18 digits", P "Content-Length: 18446744073709551620\r\n\r\n"},
    {"HTTP: a Transfer-Encoding but chunked", P "Transfer-Encoding: Chunked\r\n\r\n"},
    {"HTTP: a Transfer-Encoding but chunked", P "Transfer-Encoding: gzip, chunked\r\n\r\n"},
    {"HTTP: a Transfer-Encoding but chunked", P "Transfer-Encoding: chunked, identity\r\n\r\n"},
    {"HTTP: a Transfer-Encoding but chunked", P "Transfer-Encoding: xchunked\r\n\r\n"},
    {"HTTP: a Transfer-Encoding but chunked", P "Transfer-Encoding: identity\r\n\r\n"},
    {"HTTP: a Transfer-Encoding but chunked", P "Transfer-Encoding:\r\n\r\n"},
    {"HTTP: a control byte", P "Transfer-Encoding:\x0b"
                               "chunked\r\n\r\n"},
    {"HTTP: a tab", P "Transfer-Encoding:\tchunked\r\n\r\n"},
    {"HTTP: a blank in or behind a header's name", P "Transfer-Encoding : chunked\r\n\r\n"},
    {"HTTP: a blank in or behind a header's name", P "Content Length: 4\r\n\r\n"},
    {"HTTP: a byte above 7e", P "Content-Length\xff: 4\r\n\r\n"},
    {"HTTP: a byte that no header's name may have", P "\"Content-Length\": 4\r\n\r\n"},
    {"HTTP: a GET or HEAD with a body", "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n"},
    {"HTTP: a GET or HEAD with a body",
     "HEAD / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"},
    {"HTTP: trailers are announced", P "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"},
    /* Where a line ends. */
    {"HTTP: a bare line feed", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
    {"HTTP: a bare line feed", "GET / HTTP/1.1\r\nHost: a\n\r\n"},
    {"HTTP: a bare line feed", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
    {"HTTP: a carriage return that ends no line", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"},
    {"HTTP: a carriage return that ends no line", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"},
    {"HTTP: a carriage return that ends no line", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n"},
    {"HTTP: a folded header", P "X: a\r\n b\r\n\r\n"},
    {"HTTP: a folded header", P "X: a\r\n\tb\r\n\r\n"},
    {"HTTP: a folded header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
    {"HTTP: an empty line before the request line", "\r\nGET / HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a header without a colon", P "Content-Length\r\n\r\n"},
    {"HTTP: a header without a name", P ": 4\r\n\r\n"},
    /* Who it is for. */
    {"HTTP: no Host", "GET / HTTP/1.1\r\n\r\n"},
    {"HTTP: a second Host", "GET / HTTP/1.1\r\n" H "host: b\r\n\r\n"},
    {"HTTP: an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
    {"HTTP: a byte that no Host may have", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"},
    {"HTTP: a byte that no Host may have", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
    {"HTTP: a byte that no Host may have", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {"HTTP: a header stands twice", P "Authorization: a\r\nauthorization: b\r\n\r\n"},
    {"HTTP: a Connection but close or keep-alive", P "Connection: X-Real, close\r\n\r\n"},
    {"HTTP: a Connection but close or keep-alive", P "Connection: Upgrade\r\n\r\n"},
    {"HTTP: another protocol is asked for", P "Upgrade: h2c\r\n\r\n"},
    {"HTTP: an Expect but 100-continue", P "Expect: 200-ok\r\n\r\n"},
    {"HTTP: a body is announced by Expect, and there is none", P "Expect: 100-continue\r\n\r\n"},
    /* What it asks. */
    {"HTTP: a method that is not in upper case", "get / HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a method that is not in upper case", "Post / HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a method but GET, PUT, POST, DELETE, HEAD", "CONNECT / HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a method but GET, PUT, POST, DELETE, HEAD", "TRACE / HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a method but GET, PUT, POST, DELETE, HEAD", "GETX / HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a method but GET, PUT, POST, DELETE, HEAD", " GET / HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a request line without a target", "GET\r\n" H "\r\n"},
    {"HTTP: a request line without a version", "GET /\r\n" H "\r\n"},
    {"HTTP: version 1.0", "GET / HTTP/1.0\r\n" H "\r\n"},
    {"HTTP: a version but HTTP/1.1", "GET / HTTP/2.0\r\n" H "\r\n"},
    {"HTTP: a version but HTTP/1.1", "GET / http/1.1\r\n" H "\r\n"},
    {"HTTP: a version but HTTP/1.1", "GET / HTTP/1.10\r\n" H "\r\n"},
    {"HTTP: a version but HTTP/1.1", "GET / \r\n" H "\r\n"},
    {"HTTP: a blank behind the version", "GET / HTTP/1.1 \r\n" H "\r\n"},
    {"HTTP: a blank behind the version", "GET /a b HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: more than one blank in the request line", "GET  / HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: more than one blank in the request line", "GET /  HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a tab", "GET\t/ HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a target in absolute or authority form", "GET http://a/ HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a target in absolute or authority form", "GET a:443 HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a target in asterisk form", "GET * HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: two slashes in a row in the path", "GET //a HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: two slashes in a row in the path", "GET /a//b HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: two slashes in a row in the path", "GET // HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a dot segment in the path", "GET /. HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a dot segment in the path", "GET /a/../b HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a dot segment in the path", "GET /a/.. HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a dot segment in the path", "GET /a/./b?x=1 HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: an escaped NUL", "GET /a%00b HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: an escaped slash in the path", "GET /a%2fb HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: an escaped slash in the path", "GET /a%2Fb HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: an escaped dot in the path", "GET /%2e%2e/b HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: an escaped dot in the path", "GET /%2E. HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a percent sign in the path", "GET /a%41 HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a percent sign in the path", "GET /%252e HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a percent sign without two digits", "GET /a% HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a percent sign without two digits", "GET /a%4 HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a percent sign without two digits", "GET /a%0g HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a percent sign without two digits", "GET /?a=%4 HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a percent sign without two digits", "GET /?a=%u0041 HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: an escaped NUL", "GET /?a=%00 HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a fragment in the target", "GET /a#b HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a fragment in the target", "GET /a?b#c HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a byte that no path may have", "GET /a\\b HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a byte that no path may have", "GET /a\"b HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a byte that no query may have", "GET /?a=<b> HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a byte above 7e", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n"},
    {"HTTP: a byte above 7e", P "X: \xc3\xa9\r\n\r\n"},
    {"HTTP: a control byte", P "X: a\x7f\r\n\r\n"},
    {"HTTP: a control byte", P "X: a\x1b[0m\r\n\r\n"},
};

/* Whether the head gives the same result fed byte by byte as it gives at once. */
static mt_err parse_as_it_comes(mt_bytes in, bool is_request, bool *is_whole)
{
    static struct mt_http_head h;
    mt_err e = MT_OK;
    *is_whole = false;
    for (size_t len = 0; len <= in.len && !mt_failed(e) && !*is_whole; len++) {
        mt_bytes prefix = {in.ptr, len};
        e = is_request ? mt_http_request_parse(prefix, &h, is_whole)
                       : mt_http_response_parse(prefix, &h, is_whole);
        MT_ASSERT(!*is_whole || h.head_len == len);
    }
    return e;
}

static void all_else_is_refused_with_its_own_words_however_it_comes(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct mt_http_head h = {.status = 7};
        bool is_whole = true;
        mt_bytes in = mt_bytes_of_text(refused[i].head);
        mt_err e = mt_http_request_parse(in, &h, &is_whole);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_FORMAT);
        if (strcmp(e.fault->what, refused[i].what) != 0) {
            (void)fprintf(stderr, "%s\nis refused for: %s\n", refused[i].head, e.fault->what);
        }
        MT_ASSERT(strcmp(e.fault->what, refused[i].what) == 0);
        MT_ASSERT(h.status == 7 && is_whole);
        mt_err slowly = parse_as_it_comes(in, true, &is_whole);
        MT_ASSERT(slowly.fault == e.fault);
    }
}

static void a_raw_nul_is_refused_in_every_place(void)
{
    static char text[sizeof good];
    const size_t head_len = sizeof good - 1 - 12;
    for (size_t at = 0; at < head_len; at++) {
        struct mt_http_head h;
        bool is_whole = false;
        memcpy(text, good, sizeof good);
        text[at] = '\0';
        mt_err e = mt_http_request_parse(bytes_of(text, sizeof good - 1), &h, &is_whole);
        bool is_last_line_feed = at == head_len - 1; /* without it the last line is not there yet */
        MT_ASSERT(mt_failed(e) != is_last_line_feed && !is_whole);
    }
}

static void good_heads_give_the_same_however_they_come(void)
{
    bool is_whole = false;
    MT_ASSERT(!mt_failed(parse_as_it_comes(bytes_of(good, sizeof good - 1), true, &is_whole)));
    MT_ASSERT(is_whole);
    mt_bytes in = bytes_of(good_response, sizeof good_response - 1);
    MT_ASSERT(!mt_failed(parse_as_it_comes(in, false, &is_whole)) && is_whole);
}

static void a_truncated_head_is_not_whole_and_nothing_is_said_of_it(void)
{
    for (size_t len = 0; len < sizeof good - 1 - 12; len++) {
        struct mt_http_head h = {.status = 7};
        bool is_whole = true;
        MT_ASSERT(!mt_failed(mt_http_request_parse(bytes_of(good, len), &h, &is_whole)));
        MT_ASSERT(!is_whole && h.status == 7);
    }
    for (size_t len = 0; len < sizeof good_response - 1; len++) {
        struct mt_http_head h = {.status = 7};
        bool is_whole = true;
        MT_ASSERT(!mt_failed(mt_http_response_parse(bytes_of(good_response, len), &h, &is_whole)));
        MT_ASSERT(!is_whole && h.status == 7);
    }
}

/* A flipped bit may turn one good head into another; never may it change where the head ends, since
 * both its lines' ends and its length are checked. */
static void a_flipped_bit_never_moves_the_end_of_the_head(void)
{
    static char text[sizeof good];
    memcpy(text, good, sizeof good);
    for (size_t bit = 0; bit < 8 * (sizeof good - 1 - 12); bit++) {
        struct mt_http_head h;
        bool is_whole = false;
        text[bit / 8] = (char)(text[bit / 8] ^ (char)(1 << (bit % 8)));
        mt_err e = mt_http_request_parse(bytes_of(text, sizeof good - 1), &h, &is_whole);
        MT_ASSERT(mt_failed(e) || !is_whole || h.head_len == sizeof good - 1 - 12);
        text[bit / 8] = (char)(text[bit / 8] ^ (char)(1 << (bit % 8)));
    }
}

/* Bytes alone, without a NUL behind them. Returns the offset behind the piece. */
static size_t put(char *text, size_t at, const char *piece)
{
    for (size_t i = 0; piece[i] != '\0'; i++) {
        text[at++] = piece[i];
    }
    return at;
}

static void a_head_has_its_limit(void)
{
    static char text[MT_HTTP_HEAD_BYTES_MAX + 64];
    struct mt_http_head h;
    bool is_whole = false;
    memset(text, 'a', sizeof text);
    (void)put(text, 0, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    (void)put(text, MT_HTTP_HEAD_BYTES_MAX - 4, "\r\n\r\n");
    mt_bytes in = bytes_of(text, MT_HTTP_HEAD_BYTES_MAX);
    MT_ASSERT(!mt_failed(mt_http_request_parse(in, &h, &is_whole)) && is_whole);
    (void)put(text, MT_HTTP_HEAD_BYTES_MAX - 4, "a\r\n\r\n");
    for (size_t more = 0; more < 8; more++) {
        in = bytes_of(text, MT_HTTP_HEAD_BYTES_MAX + more);
        mt_err e = mt_http_request_parse(in, &h, &is_whole);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT);
    }
}

static void headers_have_their_limit(void)
{
    static char text[MT_HTTP_HEAD_BYTES_MAX];
    struct mt_http_head h;
    bool is_whole = false;
    for (size_t count = MT_HTTP_HEADERS_MAX; count <= MT_HTTP_HEADERS_MAX + 1; count++) {
        size_t at = put(text, 0, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (size_t i = 1; i < count; i++) {
            at += (size_t)snprintf(text + at, sizeof text - at, "X-%zu: %zu\r\n", i, i);
        }
        at = put(text, at, "\r\n");
        mt_err e = mt_http_request_parse(bytes_of(text, at), &h, &is_whole);
        MT_ASSERT(mt_failed(e) == (count > MT_HTTP_HEADERS_MAX));
        MT_ASSERT(mt_failed(e) ? e.fault->code == MT_E_LIMIT : h.headers_count == count);
    }
}

static void a_target_has_its_limit(void)
{
    static char text[MT_HTTP_HEAD_BYTES_MAX];
    struct mt_http_head h;
    bool is_whole = false;
    for (size_t len = MT_HTTP_TARGET_BYTES_MAX; len <= MT_HTTP_TARGET_BYTES_MAX + 1; len++) {
        memset(text, 'a', sizeof text);
        (void)put(text, 0, "GET /");
        size_t end = put(text, 4 + len, " HTTP/1.1\r\n" H "\r\n");
        mt_err e = mt_http_request_parse(bytes_of(text, end), &h, &is_whole);
        MT_ASSERT(mt_failed(e) == (len > MT_HTTP_TARGET_BYTES_MAX));
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_LIMIT);
    }
}

static const struct {
    const char *what; /* NULL: good */
    const char *head;
} responses[] = {
    {NULL, "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"},
    {NULL, "HTTP/1.1 100 Continue\r\n\r\n"},
    {NULL, "HTTP/1.1 204 No Content\r\n\r\n"},
    {NULL, "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"},
    {"HTTP: a response without a length", "HTTP/1.1 200 OK\r\n\r\n"},
    {"HTTP: a length in a response that has no body",
     "HTTP/1.1 204 x\r\nContent-Length: 4\r\n\r\n"},
    {"HTTP: a length in a response that has no body",
     "HTTP/1.1 100 x\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"HTTP: Transfer-Encoding beside Content-Length",
     "HTTP/1.1 200 x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"HTTP: a version but HTTP/1.1", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"HTTP: a version but HTTP/1.1", "ICY 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"HTTP: a status that is not three digits and a blank",
     "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"},
    {"HTTP: a status that is not three digits and a blank",
     "HTTP/1.1 2000 x\r\nContent-Length: 0\r\n\r\n"},
    {"HTTP: a status that is not three digits and a blank",
     "HTTP/1.1 -20 x\r\nContent-Length: 0\r\n\r\n"},
    {"HTTP: a status outside 100 to 599", "HTTP/1.1 600 x\r\nContent-Length: 0\r\n\r\n"},
    {"HTTP: a status outside 100 to 599", "HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n"},
    {"HTTP: another protocol that nobody asked for", "HTTP/1.1 101 x\r\n\r\n"},
    {"HTTP: an empty line before the status line", "\r\nHTTP/1.1 200 OK\r\n\r\n"},
    {"HTTP: a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"},
};

static void responses_are_judged_alike(void)
{
    for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
        struct mt_http_head h = {.headers_count = 0};
        bool is_whole = false;
        mt_bytes in = mt_bytes_of_text(responses[i].head);
        mt_err e = mt_http_response_parse(in, &h, &is_whole);
        MT_ASSERT(mt_failed(e) == (responses[i].what != NULL));
        MT_ASSERT(responses[i].what == NULL || strcmp(e.fault->what, responses[i].what) == 0);
        MT_ASSERT(mt_failed(e) || (is_whole && h.body_len == 0 && h.head_len == in.len));
        mt_err slowly = parse_as_it_comes(in, false, &is_whole);
        MT_ASSERT(slowly.fault == e.fault);
    }
}

static void the_character_classes_are_those_of_the_rfcs(void)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const struct {
        const struct mt_http_chars *set;
        const char *beside;
    } sets[] = {
        {&mt_http_token, "!#$%&'*+-.^_`|~"},
        {&mt_http_path, "-._~!$&'()*+,;=:@/"},
        {&mt_http_query, "-._~!$&'()*+,;=:@/?%"},
        {&mt_http_host, "-._:[]"},
        {&mt_http_unreserved, "-._~"},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        for (int c = 0; c < 256; c++) {
            bool is_in =
                c != 0 && (strchr(letters, c) != NULL || strchr(sets[i].beside, c) != NULL);
            MT_ASSERT(mt_http_is_in(sets[i].set, (uint8_t)c) == is_in);
        }
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_request_is_read_whole),
        MT_TEST(a_response_is_read_whole),
        MT_TEST(all_else_is_refused_with_its_own_words_however_it_comes),
        MT_TEST(a_raw_nul_is_refused_in_every_place),
        MT_TEST(good_heads_give_the_same_however_they_come),
        MT_TEST(a_truncated_head_is_not_whole_and_nothing_is_said_of_it),
        MT_TEST(a_flipped_bit_never_moves_the_end_of_the_head),
        MT_TEST(a_head_has_its_limit),
        MT_TEST(headers_have_their_limit),
        MT_TEST(a_target_has_its_limit),
        MT_TEST(responses_are_judged_alike),
        MT_TEST(the_character_classes_are_those_of_the_rfcs),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
