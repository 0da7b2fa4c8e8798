/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"
#include "wire/http.h"

/* Bodies, queries, and what is written. */

struct outcome {
    char data[256];
    size_t data_len;
    size_t eaten;
    bool is_end;
    mt_err e;
};

static struct mt_http_body_reader reader_of(enum mt_http_body kind, uint64_t len)
{
    const struct mt_http_head head = {.body = kind, .body_len = len};
    return mt_http_body_reader_of(&head);
}

/* Feeds `in` in pieces of at most `step` bytes. */
static struct outcome read_body(struct mt_http_body_reader b, mt_bytes in, size_t step)
{
    struct outcome o = {.e = MT_OK};
    size_t given = 0;
    while (!mt_failed(o.e) && !o.is_end) {
        mt_bytes piece = {in.ptr + o.eaten, given - o.eaten};
        mt_bytes data = {NULL, 0};
        size_t before = piece.len;
        o.e = mt_http_body_read(&b, &piece, &data, &o.is_end);
        if (mt_failed(o.e)) {
            MT_ASSERT(piece.len == before && data.ptr == NULL);
            break;
        }
        o.eaten += before - piece.len;
        MT_ASSERT(o.data_len + data.len <= sizeof o.data);
        if (data.len > 0) {
            memcpy(o.data + o.data_len, data.ptr, data.len);
            o.data_len += data.len;
        } else if (!o.is_end && given == in.len) {
            break; /* more is needed, and there is no more */
        } else if (!o.is_end) {
            given = given + step < in.len ? given + step : in.len;
        }
    }
    return o;
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
    return a->e.fault == b->e.fault && a->is_end == b->is_end && a->eaten == b->eaten &&
           mt_bytes_equal((mt_bytes){(const uint8_t *)a->data, a->data_len},
                          (mt_bytes){(const uint8_t *)b->data, b->data_len});
}

static const struct {
    const char *in;
    const char *data;
    const char *what;  /* NULL: good */
    const char *after; /* what is left behind the end */
} chunked[] = {
    {"0\r\n\r\n", "", NULL, ""},
    {"5\r\nhello\r\n0\r\n\r\n", "hello", NULL, ""},
    {"5\r\nhello\r\n2\r\n, \r\na\r\n0123456789\r\n0\r\n\r\nGET /", "hello, 0123456789", NULL,
     "GET /"},
    {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", NULL, ""},
    {"1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", "\r\n", NULL, ""},
    {"5;a=b\r\nhello\r\n0\r\n\r\n", "", "HTTP: a chunk extension", NULL},
    {"5\r\nhello\r\n0;x\r\n\r\n", "hello", "HTTP: a chunk extension", NULL},
    {"5 \r\nhello\r\n0\r\n\r\n", "", "HTTP: a blank in a chunk's size", NULL},
    {" 5\r\nhello\r\n0\r\n\r\n", "", "HTTP: a blank in a chunk's size", NULL},
    {"5\t\r\nhello\r\n0\r\n\r\n", "", "HTTP: a blank in a chunk's size", NULL},
    {"+5\r\nhello\r\n0\r\n\r\n", "", "HTTP: a chunk's size with something but digits", NULL},
    {"-1\r\nhello\r\n0\r\n\r\n", "", "HTTP: a chunk's size with something but digits", NULL},
    {"0x5\r\nhello\r\n0\r\n\r\n", "", "HTTP: a chunk's size with something but digits", NULL},
    {"5g\r\nhello\r\n0\r\n\r\n", "", "HTTP: a chunk's size with something but digits", NULL},
    {"05\r\nhello\r\n0\r\n\r\n", "", "HTTP: a chunk's size that begins with a needless zero", NULL},
    {"00\r\n\r\n", "", "HTTP: a chunk's size that begins with a needless zero", NULL},
    {"\r\n", "", "HTTP: a chunk without a size", NULL},
    {"1000000000000000\r\n", "", "HTTP: a chunk's size beyond 15 digits", NULL},
    {"10000000000000005\r\nhello", "", "HTTP: a chunk's size beyond 15 digits", NULL},
    {"5\nhello\r\n0\r\n\r\n", "", "HTTP: a bare line feed behind a chunk's size", NULL},
    {"5\rhello\r\n0\r\n\r\n", "", "HTTP: a carriage return that ends no line", NULL},
    {"5\r\nhello\n0\r\n\r\n", "hello", "HTTP: a chunk is longer than its size", NULL},
    {"5\r\nhello!\r\n0\r\n\r\n", "hello", "HTTP: a chunk is longer than its size", NULL},
    {"5\r\nhello\r0\r\n\r\n", "hello", "HTTP: a carriage return that ends no line", NULL},
    {"0\r\nX-Trailer: 1\r\n\r\n", "", "HTTP: a trailer", NULL},
    {"0\r\n\n", "", "HTTP: a trailer", NULL},
    {"0\r\n\rx", "", "HTTP: a carriage return that ends no line", NULL},
};

static void chunks_are_read_in_one_form_however_they_come(void)
{
    for (size_t i = 0; i < sizeof chunked / sizeof *chunked; i++) {
        mt_bytes in = mt_bytes_of_text(chunked[i].in);
        struct outcome whole = read_body(reader_of(MT_HTTP_BODY_CHUNKED, 0), in, in.len);
        MT_ASSERT(mt_failed(whole.e) == (chunked[i].what != NULL));
        MT_ASSERT(chunked[i].what == NULL || strcmp(whole.e.fault->what, chunked[i].what) == 0);
        MT_ASSERT(mt_bytes_equal((mt_bytes){(const uint8_t *)whole.data, whole.data_len},
                                 mt_bytes_of_text(chunked[i].data)));
        MT_ASSERT(mt_failed(whole.e) ||
                  (whole.is_end && strcmp(chunked[i].in + whole.eaten, chunked[i].after) == 0));
        for (size_t step = 1; step < in.len; step++) {
            struct outcome slow = read_body(reader_of(MT_HTTP_BODY_CHUNKED, 0), in, step);
            MT_ASSERT(mt_failed(whole.e) ? slow.e.fault == whole.e.fault : is_same(&slow, &whole));
        }
    }
}

static void every_truncation_of_a_body_asks_for_more(void)
{
    mt_bytes in = MT_LITERAL("5\r\nhello\r\nb\r\n, big world\r\n0\r\n\r\n");
    for (size_t len = 0; len < in.len; len++) {
        struct outcome o =
            read_body(reader_of(MT_HTTP_BODY_CHUNKED, 0), (mt_bytes){in.ptr, len}, 7);
        MT_ASSERT(!mt_failed(o.e) && !o.is_end && o.eaten == len);
        o = read_body(reader_of(MT_HTTP_BODY_LENGTH, in.len), (mt_bytes){in.ptr, len}, 7);
        MT_ASSERT(!mt_failed(o.e) && !o.is_end && o.eaten == len && o.data_len == len);
    }
}

static void a_flipped_bit_in_the_framing_is_refused_or_changes_a_length(void)
{
    char text[] = "5\r\nhello\r\n0\r\n\r\n";
    mt_bytes in = mt_bytes_of_text(text);
    for (size_t bit = 0; bit < 8 * in.len; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ (char)(1 << (bit % 8)));
        struct outcome o = read_body(reader_of(MT_HTTP_BODY_CHUNKED, 0), in, in.len);
        bool is_data = bit / 8 >= 3 && bit / 8 < 8;
        MT_ASSERT(is_data ? o.is_end && o.data_len == 5 : mt_failed(o.e) || !o.is_end);
        text[bit / 8] = (char)(text[bit / 8] ^ (char)(1 << (bit % 8)));
    }
}

static void a_length_is_kept_to_the_byte(void)
{
    struct outcome o = read_body(reader_of(MT_HTTP_BODY_LENGTH, 5), MT_LITERAL("helloGET /"), 10);
    MT_ASSERT(!mt_failed(o.e) && o.is_end && o.eaten == 5 && o.data_len == 5);
    o = read_body(reader_of(MT_HTTP_BODY_LENGTH, 0), MT_LITERAL("GET /"), 5);
    MT_ASSERT(!mt_failed(o.e) && o.is_end && o.eaten == 0);
    o = read_body(reader_of(MT_HTTP_BODY_NONE, 0), MT_LITERAL("GET /"), 5);
    MT_ASSERT(!mt_failed(o.e) && o.is_end && o.eaten == 0);
}

static bool gets(const char *query, const char *name, const char *value)
{
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(256);
    bool is_there = false;
    MT_ASSERT(!mt_failed(mt_http_query_get(mt_bytes_of_text(query), name, &out, &is_there)));
    return is_there == (value != NULL) &&
           mt_bytes_equal(mt_buf_bytes(&out), mt_bytes_of_text(value != NULL ? value : ""));
}

static void query_values_are_found_and_decoded(void)
{
    MT_ASSERT(gets("", "a", NULL));
    MT_ASSERT(gets("a=1", "a", "1") && gets("a=1", "b", NULL) && gets("aa=1", "a", NULL));
    MT_ASSERT(gets("a=&b=2", "a", "") && gets("a=&b=2", "b", "2"));
    uint8_t byte = 7;
    MT_DEFER(mt_buf_free) struct mt_buf small = mt_buf_of_max(1);
    bool is_there = false;
    MT_ASSERT(!mt_failed(mt_buf_append(&small, (mt_bytes){&byte, 1})));
    mt_err e = mt_http_query_get(MT_LITERAL("a=1"), "a", &small, &is_there);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT && !is_there && small.len == 1);
    MT_ASSERT(gets("a=x%20%2F%C3%A9~-._", "a", "x /\xc3\xa9~-._"));
}

static const struct {
    const char *query;
    const char *what;
} bad_queries[] = {
    {"a=1&a=2", "HTTP: a name stands twice in a query"},
    {"a=1&b=2&a=1", "HTTP: a name stands twice in a query"},
    {"a", "HTTP: a query that is not of the form name=value&name=value"},
    {"=1", "HTTP: a query that is not of the form name=value&name=value"},
    {"a=1&&b=2", "HTTP: a query that is not of the form name=value&name=value"},
    {"&a=1", "HTTP: a query that is not of the form name=value&name=value"},
    {"%61=1", "HTTP: a query that is not of the form name=value&name=value"},
    {"a=1&", "HTTP: a query ends with '&'"},
    {"&", "HTTP: a query ends with '&'"},
    {"a=1+2", "HTTP: a plus sign in a query (write %20 or %2B)"},
    {"a=b=c", "HTTP: a byte in a query's value that must be escaped"},
    {"a=b;c", "HTTP: a byte in a query's value that must be escaped"},
    {"a=%2f", "HTTP: a percent sign without two upper-case digits"},
    {"a=%2x", "HTTP: a percent sign without two upper-case digits"},
    {"a=%2", "HTTP: a percent sign without two upper-case digits"},
    {"a=%", "HTTP: a percent sign without two upper-case digits"},
    {"a=%00", "HTTP: an escaped NUL"},
    {"a=%2E%2E", "HTTP: a needless escape in a query"},
    {"a=%41", "HTTP: a needless escape in a query"},
};

static void a_query_in_any_other_form_is_refused(void)
{
    static const char *const names[] = {"a", "b", NULL};
    for (size_t i = 0; i < sizeof bad_queries / sizeof *bad_queries; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(256);
        bool is_there = true;
        mt_bytes query = mt_bytes_of_text(bad_queries[i].query);
        mt_err e = mt_http_query_get(query, "a", &out, &is_there);
        MT_ASSERT(mt_failed(e) && strcmp(e.fault->what, bad_queries[i].what) == 0);
        MT_ASSERT(is_there && out.len == 0);
        e = mt_http_query_known(query, names);
        MT_ASSERT(mt_failed(e) && strcmp(e.fault->what, bad_queries[i].what) == 0);
    }
    MT_ASSERT(!mt_failed(mt_http_query_known(MT_LITERAL("b=1&a=2"), names)));
    MT_ASSERT(!mt_failed(mt_http_query_known(MT_LITERAL(""), names)));
    mt_err e = mt_http_query_known(MT_LITERAL("a=1&c=2"), names);
    MT_ASSERT(mt_failed(e) && strcmp(e.fault->what, "HTTP: an unknown name in the query") == 0);
    e = mt_http_query_known(MT_LITERAL("b=1&b=2"), names);
    MT_ASSERT(mt_failed(e) && strcmp(e.fault->what, "HTTP: a name stands twice in a query") == 0);
}

static void what_is_written_is_read_back(void)
{
    uint8_t room[512];
    mt_bytes out;
    struct mt_http_head h;
    bool is_whole = false;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_http_request_write(&w, MT_HTTP_DELETE, MT_LITERAL("/a/b?c=%20"), MT_LITERAL("[::1]:1"));
    mt_http_header_write(&w, "x-a", MT_LITERAL("b c"));
    mt_http_header_write_uint(&w, "x-b", UINT64_MAX);
    mt_http_head_end(&w);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    MT_ASSERT(mt_bytes_equal(out, MT_LITERAL("DELETE /a/b?c=%20 HTTP/1.1\r\nhost: [::1]:1\r\n"
                                             "x-a: b c\r\nx-b: 18446744073709551615\r\n\r\n")));
    MT_ASSERT(!mt_failed(mt_http_request_parse(out, &h, &is_whole)) && is_whole);
    for (enum mt_http_method m = MT_HTTP_GET; m <= MT_HTTP_HEAD; m++) {
        w = mt_writer_over((mt_span){room, sizeof room});
        mt_http_request_write(&w, m, MT_LITERAL("/"), MT_LITERAL("a"));
        mt_http_header_write(&w, "connection", MT_LITERAL("Keep-Alive"));
        mt_http_head_end(&w);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
        MT_ASSERT(!mt_failed(mt_http_request_parse(out, &h, &is_whole)) && is_whole);
        MT_ASSERT(h.method == m && !h.closes);
    }
    w = mt_writer_over((mt_span){room, sizeof room});
    mt_http_response_write(&w, 431);
    mt_http_header_write(&w, "transfer-encoding", MT_LITERAL("chunked"));
    mt_http_head_end(&w);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    MT_ASSERT(!mt_failed(mt_http_response_parse(out, &h, &is_whole)) && is_whole);
    MT_ASSERT(h.status == 431 && h.body == MT_HTTP_BODY_CHUNKED);
    w = mt_writer_over((mt_span){room, sizeof room});
    mt_http_response_write(&w, 599);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    MT_ASSERT(mt_bytes_equal(out, MT_LITERAL("HTTP/1.1 599 \r\n")));
}

static void chunks_are_written_with_their_length(void)
{
    static const uint8_t zeros[300];
    uint8_t room[512];
    mt_bytes out;
    for (size_t len = 0; len < sizeof zeros; len++) {
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        if (len > 0) {
            mt_http_chunk_write(&w, (mt_bytes){zeros, len < 200 ? len : 200});
        }
        mt_http_chunk_write(&w, (mt_bytes){NULL, 0});
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
        struct outcome o = read_body(reader_of(MT_HTTP_BODY_CHUNKED, 0), out, out.len);
        MT_ASSERT(!mt_failed(o.e) && o.is_end && o.eaten == out.len);
        MT_ASSERT(o.data_len == (len < 200 ? len : 200));
    }
}

static mt_err written(mt_bytes target, mt_bytes host, mt_bytes value)
{
    uint8_t room[256];
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_http_request_write(&w, MT_HTTP_GET, target, host);
    mt_http_header_write(&w, "x", value);
    return mt_write_end(&w, &out);
}

static void nothing_foreign_begins_a_header_of_its_own(void)
{
    mt_bytes t = MT_LITERAL("/");
    mt_bytes h = MT_LITERAL("a");
    MT_ASSERT(!mt_failed(written(t, h, MT_LITERAL("x"))));
    MT_ASSERT(mt_failed(written(t, h, MT_LITERAL("x\r\nY: z"))));
    MT_ASSERT(mt_failed(written(t, h, MT_LITERAL("x\nY: z"))));
    MT_ASSERT(mt_failed(written(t, h, MT_LITERAL("x\0"))));
    MT_ASSERT(mt_failed(written(MT_LITERAL("/ HTTP/1.1\r\nX: y"), h, t)));
    MT_ASSERT(mt_failed(written(MT_LITERAL("/a b"), h, t)));
    MT_ASSERT(mt_failed(written(MT_LITERAL(""), h, t)));
    MT_ASSERT(mt_failed(written(MT_LITERAL("http://a/"), h, t)));
    MT_ASSERT(mt_failed(written(t, MT_LITERAL("a\r\nX: y"), t)));
    MT_ASSERT(mt_failed(written(t, MT_LITERAL(""), t)));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(chunks_are_read_in_one_form_however_they_come),
        MT_TEST(every_truncation_of_a_body_asks_for_more),
        MT_TEST(a_flipped_bit_in_the_framing_is_refused_or_changes_a_length),
        MT_TEST(a_length_is_kept_to_the_byte),
        MT_TEST(query_values_are_found_and_decoded),
        MT_TEST(a_query_in_any_other_form_is_refused),
        MT_TEST(what_is_written_is_read_back),
        MT_TEST(chunks_are_written_with_their_length),
        MT_TEST(nothing_foreign_begins_a_header_of_its_own),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
