/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "wire/http.h"
#include "wire/http_chars.h"

/* What a caller passes on from elsewhere must not begin a header of its own: the writer fails
 * instead, and nothing is sent. */
static MT_ERR check_target(mt_bytes target)
{
    bool is_good = target.len > 0 && target.len <= MT_HTTP_TARGET_BYTES_MAX &&
                   target.ptr[0] == '/' && mt_http_run(&mt_http_query, target) == target.len;
    MT_REQUIRE(is_good, MT_E_ARG, "HTTP: not a target to send");
    return MT_OK;
}

static MT_ERR check_host(mt_bytes host)
{
    MT_REQUIRE(host.len > 0 && mt_http_run(&mt_http_host, host) == host.len, MT_E_ARG,
               "HTTP: not a Host to send");
    return MT_OK;
}

static mt_bytes method_name(enum mt_http_method method)
{
    switch (method) {
    case MT_HTTP_GET:
        return MT_LITERAL("GET ");
    case MT_HTTP_PUT:
        return MT_LITERAL("PUT ");
    case MT_HTTP_POST:
        return MT_LITERAL("POST ");
    case MT_HTTP_DELETE:
        return MT_LITERAL("DELETE ");
    case MT_HTTP_HEAD:
        return MT_LITERAL("HEAD ");
    }
    MT_ASSERT(false);
    return (mt_bytes){NULL, 0};
}

void mt_http_request_write(struct mt_writer *w, enum mt_http_method method, mt_bytes target,
                           mt_bytes host)
{
    mt_write_err(w, check_target(target));
    mt_write_err(w, check_host(host));
    mt_write_bytes(w, method_name(method));
    mt_write_bytes(w, target);
    mt_write_bytes(w, MT_LITERAL(" HTTP/1.1\r\n"));
    mt_http_header_write(w, "host", host);
}

/* For people who read a trace: RFC 9110, 15. An unknown one is empty. */
static const char *reason_of(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "";
}

void mt_http_response_write(struct mt_writer *w, uint32_t status)
{
    MT_ASSERT(status >= 100 && status <= 599);
    mt_write_bytes(w, MT_LITERAL("HTTP/1.1 "));
    mt_write_number(w, status);
    mt_write_bytes(w, MT_LITERAL(" "));
    mt_write_bytes(w, mt_bytes_of_text(reason_of(status)));
    mt_write_bytes(w, MT_LITERAL("\r\n"));
}

void mt_http_header_write(struct mt_writer *w, const char *name, mt_bytes value)
{
    mt_bytes n = mt_bytes_of_text(name);
    MT_ASSERT(n.len > 0);
    MT_ASSERT(mt_http_run(&mt_http_token, n) == n.len);
    mt_write_err(w, mt_http_check_text(value));
    mt_write_bytes(w, n);
    mt_write_bytes(w, MT_LITERAL(": "));
    mt_write_bytes(w, value);
    mt_write_bytes(w, MT_LITERAL("\r\n"));
}

void mt_http_header_write_uint(struct mt_writer *w, const char *name, uint64_t value)
{
    uint8_t digits[20];
    mt_bytes text = {NULL, 0};
    struct mt_writer d = mt_writer_over((mt_span){digits, sizeof digits});
    mt_write_number(&d, value);
    mt_write_err(w, mt_write_end(&d, &text));
    mt_http_header_write(w, name, text);
}

void mt_http_head_end(struct mt_writer *w)
{
    mt_write_bytes(w, MT_LITERAL("\r\n"));
}

void mt_http_chunk_write(struct mt_writer *w, mt_bytes data)
{
    static const char digits[] = "0123456789abcdef";
    int shift = 0;
    while (shift < 60 && data.len >> (shift + 4) != 0) {
        shift += 4;
    }
    for (; shift >= 0; shift -= 4) {
        mt_write_u8(w, (uint8_t)digits[data.len >> shift & 15]);
    }
    mt_write_bytes(w, MT_LITERAL("\r\n"));
    mt_write_bytes(w, data);
    mt_write_bytes(w, MT_LITERAL("\r\n"));
}
