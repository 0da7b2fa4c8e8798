/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/http.h"

#include <string.h>

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { PREFIXES_LEN_MAX = 1024 };

typedef mt_err parse_head(mt_bytes in, struct mt_http_head *out, bool *is_whole);

/* However the bytes come, the verdict is the same. */
static void check_prefixes(parse_head *parse, mt_bytes in)
{
    static struct mt_http_head whole;
    static struct mt_http_head head;
    bool is_whole = false;
    bool is_due = false;
    mt_err e = parse(in, &whole, &is_due);
    mt_err slowly = MT_OK;
    for (size_t len = 0; len <= in.len && !mt_failed(slowly) && !is_whole; len++) {
        slowly = parse((mt_bytes){in.ptr, len}, &head, &is_whole);
    }
    MT_ASSERT(slowly.fault == e.fault);
    MT_ASSERT(mt_failed(e) || is_whole == is_due);
    MT_ASSERT(mt_failed(e) || !is_whole || head.head_len == whole.head_len);
}

static void write_headers(struct mt_writer *w, const struct mt_http_head *h)
{
    static char name[MT_HTTP_HEAD_BYTES_MAX + 1];
    for (size_t i = 0; i < h->headers_count; i++) {
        memcpy(name, h->headers[i].name.ptr, h->headers[i].name.len);
        name[h->headers[i].name.len] = '\0';
        if (strcasecmp(name, "host") != 0) {
            mt_http_header_write(w, name, h->headers[i].value);
        }
    }
    mt_http_head_end(w);
}

/* A request that we understood, written by us, is understood to be the same. */
static void check_rewritten(const struct mt_http_head *h)
{
    static uint8_t room[2 * MT_HTTP_HEAD_BYTES_MAX];
    static struct mt_http_head again;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    size_t target_len = h->path.len + (h->query.ptr > h->path.ptr + h->path.len ? 1 : 0);
    mt_bytes target = {h->path.ptr, target_len + h->query.len};
    mt_bytes out;
    bool is_whole = false;
    mt_http_request_write(&w, h->method, target, mt_http_header_get(h, "host"));
    write_headers(&w, h);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    mt_err e = mt_http_request_parse(out, &again, &is_whole);
    if (out.len > MT_HTTP_HEAD_BYTES_MAX) {
        return; /* blanks that we add may make it too long */
    }
    MT_ASSERT(!mt_failed(e) && is_whole);
    MT_ASSERT(again.method == h->method && again.body == h->body && again.body_len == h->body_len);
    MT_ASSERT(again.closes == h->closes && again.expects_continue == h->expects_continue);
    MT_ASSERT(mt_bytes_equal(again.path, h->path) && mt_bytes_equal(again.query, h->query));
    MT_ASSERT(again.headers_count == h->headers_count);
}

static void check_query(mt_bytes query)
{
    static const char *const names[] = {"a", "b", "name", NULL};
    MT_DEFER(mt_buf_free) struct mt_buf value = mt_buf_of_max(MT_HTTP_TARGET_BYTES_MAX);
    bool is_there = false;
    bool is_known = !mt_failed(mt_http_query_known(query, names));
    mt_err e = mt_http_query_get(query, "name", &value, &is_there);
    MT_ASSERT(!is_known || !mt_failed(e));
    MT_ASSERT(is_there || value.len == 0);
}

struct sum {
    mt_err e;
    bool is_end;
    size_t data_len;
    uint64_t hash; /* FNV-1a of the data */
};

static struct sum sum_body(struct mt_http_body_reader b, mt_bytes in, size_t step)
{
    struct sum s = {MT_OK, false, 0, 14695981039346656037U};
    size_t given = 0;
    size_t eaten = 0;
    while (!s.is_end) {
        mt_bytes piece = {in.ptr + eaten, given - eaten};
        mt_bytes run = {NULL, 0};
        size_t before = piece.len;
        s.e = mt_http_body_read(&b, &piece, &run, &s.is_end);
        if (mt_failed(s.e)) {
            return s;
        }
        eaten += before - piece.len;
        for (size_t i = 0; i < run.len; i++) {
            s.hash = (s.hash ^ run.ptr[i]) * 1099511628211U;
        }
        s.data_len += run.len;
        if (run.len == 0 && !s.is_end) {
            if (given == in.len) {
                return s;
            }
            given = in.len - given < step ? in.len : given + step;
        }
    }
    return s;
}

static void check_body(struct mt_http_body_reader b, mt_bytes in)
{
    struct sum whole = sum_body(b, in, in.len);
    struct sum slow = sum_body(b, in, 1);
    struct sum odd = sum_body(b, in, 7);
    MT_ASSERT(slow.e.fault == whole.e.fault && odd.e.fault == whole.e.fault);
    MT_ASSERT(slow.is_end == whole.is_end && odd.is_end == whole.is_end);
    MT_ASSERT(slow.data_len == whole.data_len && odd.data_len == whole.data_len);
    MT_ASSERT(slow.hash == whole.hash && odd.hash == whole.hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct mt_http_head head;
    mt_bytes in = {data, len};
    bool is_whole = false;
    if (!mt_failed(mt_http_request_parse(in, &head, &is_whole)) && is_whole) {
        check_rewritten(&head);
        check_query(head.query);
        check_body(mt_http_body_reader_of(&head),
                   (mt_bytes){data + head.head_len, len - head.head_len});
    }
    if (!mt_failed(mt_http_response_parse(in, &head, &is_whole)) && is_whole) {
        check_body(mt_http_body_reader_of(&head),
                   (mt_bytes){data + head.head_len, len - head.head_len});
    }
    head = (struct mt_http_head){.body = MT_HTTP_BODY_CHUNKED};
    check_body(mt_http_body_reader_of(&head), in);
    if (len <= PREFIXES_LEN_MAX) {
        check_prefixes(mt_http_request_parse, in);
        check_prefixes(mt_http_response_parse, in);
        check_query(in);
    }
    return 0;
}
