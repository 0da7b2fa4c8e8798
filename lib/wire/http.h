/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_HTTP_H
#define MT_WIRE_HTTP_H

#include "base/bytes.h"
#include "base/limits.h"

/*
 * HTTP/1.1 (RFC 9112), the unambiguous part. Refused, each with its own words: bare LF or CR,
 * obs-fold, white space before a colon, Transfer-Encoding beside Content-Length, Transfer-Encoding
 * other than exactly "chunked", a repeated Content-Length / Host / Transfer-Encoding, signs or
 * spaces in a length, chunk extensions, trailers, absolute or authority targets, percent signs in a
 * path (%00 %2f %2e above all), "//" and dot segments, upper case methods only from a fixed list,
 * HTTP/1.0, more than MT_HTTP_HEADERS_MAX headers, NUL or control bytes (tabs too), bytes above
 * 0x7e, missing Host; any header that stands twice, a GET or HEAD with a body, Upgrade, Connection
 * but "close" or "keep-alive", Expect but "100-continue", a response without a length.
 */
enum mt_http_method { MT_HTTP_GET = 1, MT_HTTP_PUT, MT_HTTP_POST, MT_HTTP_DELETE, MT_HTTP_HEAD };

struct mt_http_header {
    mt_bytes name;  /* as sent; names compare without case */
    mt_bytes value; /* without surrounding blanks */
};

enum { MT_HTTP_CHUNK_DIGITS_MAX = 15 };
enum mt_http_body { MT_HTTP_BODY_NONE, MT_HTTP_BODY_LENGTH, MT_HTTP_BODY_CHUNKED };

struct mt_http_head {
    enum mt_http_method method; /* request */
    mt_bytes path;  /* request: decoded is equal to encoded, for we refuse percent signs in paths */
    mt_bytes query; /* request: after '?', raw; empty if none */
    uint32_t status; /* response */
    struct mt_http_header headers[MT_HTTP_HEADERS_MAX];
    size_t headers_count;
    enum mt_http_body body;
    uint64_t body_len; /* MT_HTTP_BODY_LENGTH */
    bool closes;       /* Connection: close */
    bool expects_continue;
    size_t head_len; /* bytes consumed from the input, with the blank line */
};

/* *is_whole = false, and `out` untouched, while the head is not complete yet (and not yet wrong: a
 * line is judged once it is there). Borrows from `in`. MT_E_LIMIT beyond MT_HTTP_HEAD_BYTES_MAX.
 * The answer to a HEAD has the length of a body that does not come: that is for the caller to know.
 */
MT_ERR mt_http_request_parse(mt_bytes in, struct mt_http_head *out, bool *is_whole);
MT_ERR mt_http_response_parse(mt_bytes in, struct mt_http_head *out, bool *is_whole);

/* NULL-pointer bytes with len 0 if absent. `name` in lower case. */
mt_bytes mt_http_header_get(const struct mt_http_head *head, const char *name);

/* One value of a query of the form a=b&c=d, canonical percent encoding (RFC 3986 unreserved bytes
 * bare, all others %XX in upper case), decoded onto `out`; *is_there = false if absent; repeated is
 * MT_E_FORMAT. */
MT_ERR mt_http_query_get(mt_bytes query, const char *name, struct mt_buf *out, bool *is_there);
/* MT_E_FORMAT unless every name of the query is in the NULL-terminated list, of at most 64, and
 * stands there once. */
MT_ERR mt_http_query_known(mt_bytes query, const char *const *names);

/* Body bytes as they come, whatever the framing. */
struct mt_http_body_reader {
    enum mt_http_body kind;
    uint64_t left; /* of the length, or of the current chunk */
    uint8_t state;
    uint8_t line_len;
};
struct mt_http_body_reader mt_http_body_reader_of(const struct mt_http_head *head);
/* Consumes from `*in` and borrows up to one run of data from it; *is_end after the last byte. An
 * empty `data` with is_end false means: more input is needed. On failure nothing is consumed. */
MT_ERR mt_http_body_read(struct mt_http_body_reader *b, mt_bytes *in, mt_bytes *data, bool *is_end);

/* A target, host or value that a parser would refuse makes the writer fail. */
void mt_http_request_write(struct mt_writer *w, enum mt_http_method method, mt_bytes target,
                           mt_bytes host);
void mt_http_response_write(struct mt_writer *w, uint32_t status);
void mt_http_header_write(struct mt_writer *w, const char *name, mt_bytes value);
void mt_http_header_write_uint(struct mt_writer *w, const char *name, uint64_t value);
void mt_http_head_end(struct mt_writer *w);
/* One chunk of a chunked body; an empty one ends it. */
void mt_http_chunk_write(struct mt_writer *w, mt_bytes data);

#endif
