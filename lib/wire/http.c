/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/http.h"

#include <string.h>

#include "wire/http_chars.h"

/*
 * A head is read line by line, from the left: what a prefix is refused for, the whole is refused
 * for. Two readers of one message must never differ about where it ends or what it asks, so
 * whatever RFC 9112 lets a recipient repair is refused instead.
 */
enum seen {
    SEEN_HOST = 1,
    SEEN_LENGTH = 2,
    SEEN_CHUNKED = 4,
    SEEN_EXPECT = 8,
};

struct scan {
    mt_bytes in;
    size_t at;
    unsigned seen;
    bool is_request;
    struct mt_http_head *head;
};

struct line {
    mt_bytes text; /* without CR LF */
    bool is_there;
};

static mt_bytes part(mt_bytes b, size_t from, size_t to)
{
    return (mt_bytes){b.ptr + from, to - from};
}

/* `lower` in lower case. */
static bool is_name(mt_bytes text, const char *lower)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        uint8_t folded = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
        if (lower[i] == '\0' || folded != (uint8_t)lower[i]) {
            return false;
        }
    }
    return lower[text.len] == '\0';
}

static bool is_same_name(mt_bytes a, mt_bytes b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        uint8_t x = a.ptr[i];
        uint8_t y = b.ptr[i];
        x = x >= 'A' && x <= 'Z' ? (uint8_t)(x | 0x20) : x;
        y = y >= 'A' && y <= 'Z' ? (uint8_t)(y | 0x20) : y;
        if (x != y) {
            return false;
        }
    }
    return true;
}

/* RFC 9112, 2.2: "a recipient MAY recognize a single LF as a line terminator". We do not. */
static MT_ERR next_line(struct scan *s, struct line *out)
{
    const uint8_t *start = s->in.ptr + s->at;
    const uint8_t *lf = s->at < s->in.len ? memchr(start, '\n', s->in.len - s->at) : NULL;
    if (lf == NULL) {
        *out = (struct line){.is_there = false};
        return MT_OK;
    }
    size_t len = (size_t)(lf - start);
    MT_REQUIRE(len > 0 && start[len - 1] == '\r', MT_E_FORMAT, "HTTP: a bare line feed");
    *out = (struct line){{start, len - 1}, true};
    s->at += len + 1;
    return MT_OK;
}

static bool has_lower_case(mt_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] >= 'a' && text.ptr[i] <= 'z') {
            return true;
        }
    }
    return false;
}

static MT_ERR parse_method(mt_bytes text, enum mt_http_method *out)
{
    static const struct {
        const char *name;
        enum mt_http_method method;
    } methods[] = {
        {"get", MT_HTTP_GET},       {"put", MT_HTTP_PUT},   {"post", MT_HTTP_POST},
        {"delete", MT_HTTP_DELETE}, {"head", MT_HTTP_HEAD},
    };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (is_name(text, methods[i].name)) {
            MT_REQUIRE(!has_lower_case(text), MT_E_FORMAT,
                       "HTTP: a method that is not in upper case");
            *out = methods[i].method;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_FORMAT, "HTTP: a method but GET, PUT, POST, DELETE, HEAD");
}

/* Which escape stands where the path ends too early: each of these has fooled somebody's filter. */
static MT_ERR refuse_escape(mt_bytes rest)
{
    bool is_whole = rest.len >= 3;
    int high = is_whole ? mt_http_hex_digit(rest.ptr[1]) : -1;
    int low = is_whole ? mt_http_hex_digit(rest.ptr[2]) : -1;
    MT_REQUIRE(high >= 0 && low >= 0, MT_E_FORMAT, "HTTP: a percent sign without two digits");
    int byte = high * 16 + low;
    MT_REQUIRE(byte != 0, MT_E_FORMAT, "HTTP: an escaped NUL");
    MT_REQUIRE(byte != '/', MT_E_FORMAT, "HTTP: an escaped slash in the path");
    MT_REQUIRE(byte != '.', MT_E_FORMAT, "HTTP: an escaped dot in the path");
    MT_FAIL(MT_E_FORMAT, "HTTP: a percent sign in the path");
}

static MT_ERR check_path(mt_bytes path)
{
    size_t good = mt_http_run(&mt_http_path, path);
    if (good < path.len && path.ptr[good] == '%') {
        return refuse_escape(part(path, good, path.len));
    }
    MT_REQUIRE(good == path.len || path.ptr[good] != '#', MT_E_FORMAT,
               "HTTP: a fragment in the target");
    MT_REQUIRE(good == path.len, MT_E_FORMAT, "HTTP: a byte that no path may have");
    size_t start = 1; /* of a segment */
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/') {
            continue;
        }
        mt_bytes segment = part(path, start, i);
        bool is_dots =
            mt_bytes_equal(segment, MT_LITERAL(".")) || mt_bytes_equal(segment, MT_LITERAL(".."));
        MT_REQUIRE(!is_dots, MT_E_FORMAT, "HTTP: a dot segment in the path");
        MT_REQUIRE(segment.len > 0 || i == path.len, MT_E_FORMAT,
                   "HTTP: two slashes in a row in the path");
        start = i + 1;
    }
    return MT_OK;
}

/* Form alone: http_query.c says which of the forms is the one. */
static MT_ERR check_query(mt_bytes query)
{
    size_t good = mt_http_run(&mt_http_query, query);
    MT_REQUIRE(good == query.len || query.ptr[good] != '#', MT_E_FORMAT,
               "HTTP: a fragment in the target");
    MT_REQUIRE(good == query.len, MT_E_FORMAT, "HTTP: a byte that no query may have");
    for (size_t i = 0; i < query.len; i++) {
        if (query.ptr[i] != '%') {
            continue;
        }
        bool is_whole = i + 2 < query.len;
        int high = is_whole ? mt_http_hex_digit(query.ptr[i + 1]) : -1;
        int low = is_whole ? mt_http_hex_digit(query.ptr[i + 2]) : -1;
        MT_REQUIRE(high >= 0 && low >= 0, MT_E_FORMAT, "HTTP: a percent sign without two digits");
        MT_REQUIRE(high + low > 0, MT_E_FORMAT, "HTTP: an escaped NUL");
    }
    return MT_OK;
}

static MT_ERR parse_target(mt_bytes target, struct mt_http_head *head)
{
    MT_REQUIRE(target.len > 0, MT_E_FORMAT, "HTTP: more than one blank in the request line");
    MT_REQUIRE(target.len <= MT_HTTP_TARGET_BYTES_MAX, MT_E_LIMIT, "HTTP: the target is too long");
    MT_REQUIRE(target.ptr[0] != '*', MT_E_FORMAT, "HTTP: a target in asterisk form");
    MT_REQUIRE(target.ptr[0] == '/', MT_E_FORMAT, "HTTP: a target in absolute or authority form");
    const uint8_t *mark = memchr(target.ptr, '?', target.len);
    size_t path_len = mark != NULL ? (size_t)(mark - target.ptr) : target.len;
    size_t query_at = mark != NULL ? path_len + 1 : path_len;
    mt_bytes path = part(target, 0, path_len);
    mt_bytes query = part(target, query_at, target.len);
    MT_TRY(check_path(path));
    MT_TRY(check_query(query));
    head->path = path;
    head->query = query;
    return MT_OK;
}

static MT_ERR check_version(mt_bytes version)
{
    MT_REQUIRE(version.len == 0 || version.ptr[0] != ' ', MT_E_FORMAT,
               "HTTP: more than one blank in the request line");
    MT_REQUIRE(memchr(version.ptr, ' ', version.len) == NULL, MT_E_FORMAT,
               "HTTP: a blank behind the version");
    MT_REQUIRE(!mt_bytes_equal(version, MT_LITERAL("HTTP/1.0")), MT_E_FORMAT, "HTTP: version 1.0");
    MT_REQUIRE(mt_bytes_equal(version, MT_LITERAL("HTTP/1.1")), MT_E_FORMAT,
               "HTTP: a version but HTTP/1.1");
    return MT_OK;
}

/* method SP request-target SP HTTP-version (RFC 9112, 3), one SP each. */
static MT_ERR parse_request_line(struct scan *s, mt_bytes line)
{
    MT_REQUIRE(line.len > 0, MT_E_FORMAT, "HTTP: an empty line before the request line");
    const uint8_t *blank = memchr(line.ptr, ' ', line.len);
    MT_REQUIRE(blank != NULL, MT_E_FORMAT, "HTTP: a request line without a target");
    size_t method_len = (size_t)(blank - line.ptr);
    MT_TRY(parse_method(part(line, 0, method_len), &s->head->method));
    mt_bytes rest = part(line, method_len + 1, line.len);
    blank = rest.len > 0 ? memchr(rest.ptr, ' ', rest.len) : NULL;
    MT_REQUIRE(blank != NULL, MT_E_FORMAT, "HTTP: a request line without a version");
    size_t target_len = (size_t)(blank - rest.ptr);
    MT_TRY(parse_target(part(rest, 0, target_len), s->head));
    return check_version(part(rest, target_len + 1, rest.len));
}

/* HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112, 4). */
static MT_ERR parse_status_line(struct scan *s, mt_bytes line)
{
    MT_REQUIRE(line.len > 0, MT_E_FORMAT, "HTTP: an empty line before the status line");
    MT_REQUIRE(mt_bytes_start_with(line, MT_LITERAL("HTTP/1.1 ")), MT_E_FORMAT,
               "HTTP: a version but HTTP/1.1");
    mt_bytes rest = part(line, 9, line.len);
    MT_REQUIRE(rest.len >= 4 && rest.ptr[3] == ' ', MT_E_FORMAT,
               "HTTP: a status that is not three digits and a blank");
    uint32_t status = 0;
    for (size_t i = 0; i < 3; i++) {
        MT_REQUIRE(rest.ptr[i] >= '0' && rest.ptr[i] <= '9', MT_E_FORMAT,
                   "HTTP: a status that is not three digits and a blank");
        status = status * 10 + (uint32_t)(rest.ptr[i] - '0');
    }
    MT_REQUIRE(status >= 100 && status <= 599, MT_E_FORMAT, "HTTP: a status outside 100 to 599");
    MT_REQUIRE(status != 101, MT_E_FORMAT, "HTTP: another protocol that nobody asked for");
    s->head->status = status;
    return MT_OK;
}

static MT_ERR take_length(struct scan *s, mt_bytes value)
{
    uint64_t len = 0;
    MT_REQUIRE(value.len > 0, MT_E_FORMAT, "HTTP: an empty Content-Length");
    MT_REQUIRE(value.len == 1 || value.ptr[0] != '0', MT_E_FORMAT,
               "HTTP: a Content-Length that begins with a needless zero");
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        MT_REQUIRE(c >= '0' && c <= '9', MT_E_FORMAT,
                   "HTTP: a Content-Length with something but digits");
        MT_REQUIRE(i < 18, MT_E_FORMAT, "HTTP: a Content-Length beyond 18 digits");
        len = len * 10 + (uint64_t)(c - '0');
    }
    s->head->body_len = len;
    s->seen |= SEEN_LENGTH;
    return MT_OK;
}

static MT_ERR take_encoding(struct scan *s, mt_bytes value)
{
    MT_REQUIRE(mt_bytes_equal(value, MT_LITERAL("chunked")), MT_E_FORMAT,
               "HTTP: a Transfer-Encoding but chunked");
    s->seen |= SEEN_CHUNKED;
    return MT_OK;
}

static MT_ERR take_host(struct scan *s, mt_bytes value)
{
    MT_REQUIRE(value.len > 0, MT_E_FORMAT, "HTTP: an empty Host");
    MT_REQUIRE(mt_http_run(&mt_http_host, value) == value.len, MT_E_FORMAT,
               "HTTP: a byte that no Host may have");
    s->seen |= SEEN_HOST;
    return MT_OK;
}

/* Options would name headers to be dropped on the way, or ask for another protocol. */
static MT_ERR take_connection(struct scan *s, mt_bytes value)
{
    bool is_close = is_name(value, "close");
    MT_REQUIRE(is_close || is_name(value, "keep-alive"), MT_E_FORMAT,
               "HTTP: a Connection but close or keep-alive");
    s->head->closes = is_close;
    return MT_OK;
}

static MT_ERR take_expect(struct scan *s, mt_bytes value)
{
    MT_REQUIRE(is_name(value, "100-continue"), MT_E_FORMAT, "HTTP: an Expect but 100-continue");
    s->seen |= SEEN_EXPECT;
    return MT_OK;
}

static MT_ERR take_trailer(struct scan *s, mt_bytes value)
{
    (void)s;
    (void)value;
    MT_FAIL(MT_E_FORMAT, "HTTP: trailers are announced");
}

static MT_ERR take_upgrade(struct scan *s, mt_bytes value)
{
    (void)s;
    (void)value;
    MT_FAIL(MT_E_FORMAT, "HTTP: another protocol is asked for");
}

/* The headers that say where a message ends or who it is for. */
static MT_ERR take_header(struct scan *s, const struct mt_http_header *h)
{
    switch (h->name.len) {
    case 4:
        return is_name(h->name, "host") ? take_host(s, h->value) : MT_OK;
    case 6:
        return is_name(h->name, "expect") ? take_expect(s, h->value) : MT_OK;
    case 7:
        if (is_name(h->name, "upgrade")) {
            return take_upgrade(s, h->value);
        }
        return is_name(h->name, "trailer") ? take_trailer(s, h->value) : MT_OK;
    case 10:
        return is_name(h->name, "connection") ? take_connection(s, h->value) : MT_OK;
    case 14:
        return is_name(h->name, "content-length") ? take_length(s, h->value) : MT_OK;
    case 17:
        return is_name(h->name, "transfer-encoding") ? take_encoding(s, h->value) : MT_OK;
    default:
        return MT_OK;
    }
}

/* A list header may be repeated (RFC 9110, 5.3); none of ours is one, and of two values each reader
 * takes another. */
static MT_ERR check_first(const struct scan *s, mt_bytes name)
{
    const struct mt_http_head *head = s->head;
    for (size_t i = 0; i < head->headers_count; i++) {
        if (!is_same_name(head->headers[i].name, name)) {
            continue;
        }
        MT_REQUIRE(!is_name(name, "content-length"), MT_E_FORMAT, "HTTP: a second Content-Length");
        MT_REQUIRE(!is_name(name, "transfer-encoding"), MT_E_FORMAT,
                   "HTTP: a second Transfer-Encoding");
        MT_REQUIRE(!is_name(name, "host"), MT_E_FORMAT, "HTTP: a second Host");
        MT_FAIL(MT_E_FORMAT, "HTTP: a header stands twice");
    }
    return MT_OK;
}

static mt_bytes without_blanks(mt_bytes b)
{
    while (b.len > 0 && b.ptr[0] == ' ') {
        b = part(b, 1, b.len);
    }
    while (b.len > 0 && b.ptr[b.len - 1] == ' ') {
        b.len--;
    }
    return b;
}

/* field-name ":" OWS field-value OWS (RFC 9112, 5). */
static MT_ERR parse_header(struct scan *s, mt_bytes line)
{
    struct mt_http_head *head = s->head;
    size_t name_len = mt_http_run(&mt_http_token, line);
    bool is_name_whole = name_len < line.len && line.ptr[name_len] == ':';
    MT_REQUIRE(is_name_whole || name_len == line.len || line.ptr[name_len] != ' ', MT_E_FORMAT,
               "HTTP: a blank in or behind a header's name");
    MT_REQUIRE(is_name_whole || name_len < line.len, MT_E_FORMAT, "HTTP: a header without a colon");
    MT_REQUIRE(is_name_whole, MT_E_FORMAT, "HTTP: a byte that no header's name may have");
    MT_REQUIRE(name_len > 0, MT_E_FORMAT, "HTTP: a header without a name");
    MT_REQUIRE(head->headers_count < MT_HTTP_HEADERS_MAX, MT_E_LIMIT, "HTTP: too many headers");
    struct mt_http_header h = {part(line, 0, name_len),
                               without_blanks(part(line, name_len + 1, line.len))};
    MT_TRY(check_first(s, h.name));
    MT_TRY(take_header(s, &h));
    head->headers[head->headers_count++] = h;
    return MT_OK;
}

static MT_ERR check_line(mt_bytes line, bool is_header)
{
    bool is_fold = is_header && line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
    MT_REQUIRE(!is_fold, MT_E_FORMAT, "HTTP: a folded header");
    return mt_http_check_text(line);
}

static MT_ERR finish_request(struct scan *s)
{
    struct mt_http_head *head = s->head;
    bool has_body = head->body == MT_HTTP_BODY_CHUNKED || head->body_len > 0;
    bool is_read = head->method == MT_HTTP_GET || head->method == MT_HTTP_HEAD;
    MT_REQUIRE((s->seen & SEEN_HOST) != 0, MT_E_FORMAT, "HTTP: no Host");
    /* RFC 9110, 9.3.1: content in a GET "has no generally defined semantics" and is used for
     * request smuggling. */
    MT_REQUIRE(!is_read || !has_body, MT_E_FORMAT, "HTTP: a GET or HEAD with a body");
    head->expects_continue = (s->seen & SEEN_EXPECT) != 0;
    MT_REQUIRE(!head->expects_continue || has_body, MT_E_FORMAT,
               "HTTP: a body is announced by Expect, and there is none");
    return MT_OK;
}

/* RFC 9112, 6.3: without a length a response ends with its connection, and a truncated one looks
 * whole. */
static MT_ERR finish_response(struct scan *s)
{
    struct mt_http_head *head = s->head;
    bool is_bodiless = head->status < 200 || head->status == 204 || head->status == 304;
    MT_REQUIRE(is_bodiless || head->body != MT_HTTP_BODY_NONE, MT_E_FORMAT,
               "HTTP: a response without a length");
    MT_REQUIRE(!is_bodiless || head->body == MT_HTTP_BODY_NONE || head->status == 304, MT_E_FORMAT,
               "HTTP: a length in a response that has no body");
    if (is_bodiless) {
        head->body = MT_HTTP_BODY_NONE;
        head->body_len = 0;
    }
    return MT_OK;
}

static MT_ERR finish(struct scan *s)
{
    bool has_length = (s->seen & SEEN_LENGTH) != 0;
    bool is_chunked = (s->seen & SEEN_CHUNKED) != 0;
    MT_REQUIRE(!has_length || !is_chunked, MT_E_FORMAT,
               "HTTP: Transfer-Encoding beside Content-Length");
    s->head->head_len = s->at;
    if (is_chunked) {
        s->head->body = MT_HTTP_BODY_CHUNKED;
    } else if (has_length) {
        s->head->body = MT_HTTP_BODY_LENGTH;
    }
    return s->is_request ? finish_request(s) : finish_response(s);
}

static MT_ERR parse_lines(struct scan *s, bool *is_whole)
{
    struct line line;
    bool is_first = true;
    for (;;) {
        MT_TRY(next_line(s, &line));
        if (!line.is_there) {
            MT_REQUIRE(s->in.len < MT_HTTP_HEAD_BYTES_MAX, MT_E_LIMIT,
                       "HTTP: the head is too long");
            *is_whole = false;
            return MT_OK;
        }
        MT_TRY(check_line(line.text, !is_first));
        if (is_first) {
            MT_TRY(s->is_request ? parse_request_line(s, line.text)
                                 : parse_status_line(s, line.text));
        } else if (line.text.len == 0) {
            *is_whole = true;
            return finish(s);
        } else {
            MT_TRY(parse_header(s, line.text));
        }
        is_first = false;
    }
}

static MT_ERR parse_head(mt_bytes in, bool is_request, struct mt_http_head *out, bool *is_whole)
{
    struct mt_http_head head = {.headers_count = 0};
    struct scan s = {.in = in, .is_request = is_request, .head = &head};
    bool is_all = false;
    if (in.len > MT_HTTP_HEAD_BYTES_MAX) {
        s.in.len = MT_HTTP_HEAD_BYTES_MAX;
    }
    MT_TRY(parse_lines(&s, &is_all));
    if (is_all) {
        *out = head;
    }
    *is_whole = is_all;
    return MT_OK;
}

MT_ERR mt_http_request_parse(mt_bytes in, struct mt_http_head *out, bool *is_whole)
{
    return parse_head(in, true, out, is_whole);
}

MT_ERR mt_http_response_parse(mt_bytes in, struct mt_http_head *out, bool *is_whole)
{
    return parse_head(in, false, out, is_whole);
}

mt_bytes mt_http_header_get(const struct mt_http_head *head, const char *name)
{
    for (size_t i = 0; i < head->headers_count; i++) {
        if (is_name(head->headers[i].name, name)) {
            return head->headers[i].value;
        }
    }
    return (mt_bytes){NULL, 0};
}
