/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "wire/http.h"
#include "wire/http_chars.h"

/*
 * A body as a machine over bytes: it may be fed in pieces of any size and gives the same data and
 * the same end. Chunks (RFC 9112, 7.1) are taken in the one form that needs no interpretation.
 */
enum state {
    DATA,    /* `left` bytes of the body or of a chunk */
    SIZE,    /* digits of a chunk's size; line_len of them are there */
    SIZE_LF, /* behind the CR of a size */
    DATA_CR, /* behind a chunk's data */
    DATA_LF,
    LAST_CR, /* behind the line of the last chunk */
    LAST_LF,
    END,
};

struct mt_http_body_reader mt_http_body_reader_of(const struct mt_http_head *head)
{
    struct mt_http_body_reader b = {.kind = head->body, .state = END};
    switch (head->body) {
    case MT_HTTP_BODY_NONE:
        break;
    case MT_HTTP_BODY_LENGTH:
        b.left = head->body_len;
        b.state = b.left > 0 ? DATA : END;
        break;
    case MT_HTTP_BODY_CHUNKED:
        b.state = SIZE;
        break;
    }
    return b;
}

static MT_ERR take_size_byte(struct mt_http_body_reader *b, uint8_t c)
{
    if (c == '\r') {
        MT_REQUIRE(b->line_len > 0, MT_E_FORMAT, "HTTP: a chunk without a size");
        b->state = SIZE_LF;
        return MT_OK;
    }
    MT_REQUIRE(c != ';', MT_E_FORMAT, "HTTP: a chunk extension");
    MT_REQUIRE(c != ' ' && c != '\t', MT_E_FORMAT, "HTTP: a blank in a chunk's size");
    MT_REQUIRE(c != '\n', MT_E_FORMAT, "HTTP: a bare line feed behind a chunk's size");
    int digit = mt_http_hex_digit(c);
    MT_REQUIRE(digit >= 0, MT_E_FORMAT, "HTTP: a chunk's size with something but digits");
    MT_REQUIRE(b->line_len == 0 || b->left > 0, MT_E_FORMAT,
               "HTTP: a chunk's size that begins with a needless zero");
    MT_REQUIRE(b->line_len < MT_HTTP_CHUNK_DIGITS_MAX, MT_E_FORMAT,
               "HTTP: a chunk's size beyond 15 digits");
    b->left = b->left << 4 | (uint64_t)digit;
    b->line_len++;
    return MT_OK;
}

static MT_ERR take_frame_byte(struct mt_http_body_reader *b, uint8_t c)
{
    switch ((enum state)b->state) {
    case SIZE:
        return take_size_byte(b, c);
    case SIZE_LF:
        MT_REQUIRE(c == '\n', MT_E_FORMAT, "HTTP: a carriage return that ends no line");
        b->state = b->left > 0 ? DATA : LAST_CR;
        return MT_OK;
    case DATA_CR:
        MT_REQUIRE(c == '\r', MT_E_FORMAT, "HTTP: a chunk is longer than its size");
        b->state = DATA_LF;
        return MT_OK;
    case DATA_LF:
        MT_REQUIRE(c == '\n', MT_E_FORMAT, "HTTP: a carriage return that ends no line");
        b->state = SIZE;
        b->line_len = 0;
        return MT_OK;
    case LAST_CR:
        MT_REQUIRE(c == '\r', MT_E_FORMAT, "HTTP: a trailer");
        b->state = LAST_LF;
        return MT_OK;
    case LAST_LF:
        MT_REQUIRE(c == '\n', MT_E_FORMAT, "HTTP: a carriage return that ends no line");
        b->state = END;
        return MT_OK;
    case DATA:
    case END:
        break;
    }
    MT_ASSERT(false); /* the caller minds these two */
    return MT_OK;
}

static mt_bytes take_data(struct mt_http_body_reader *b, mt_bytes *in)
{
    size_t len = b->left < in->len ? (size_t)b->left : in->len;
    mt_bytes data = {in->ptr, len};
    *in = (mt_bytes){in->ptr + len, in->len - len};
    b->left -= len;
    if (b->left == 0) {
        b->state = b->kind == MT_HTTP_BODY_CHUNKED ? DATA_CR : END;
    }
    return data;
}

MT_ERR mt_http_body_read(struct mt_http_body_reader *b, mt_bytes *in, mt_bytes *data, bool *is_end)
{
    struct mt_http_body_reader next = *b;
    mt_bytes rest = *in;
    mt_bytes run = {NULL, 0};
    while (rest.len > 0 && next.state != DATA && next.state != END) {
        MT_TRY(take_frame_byte(&next, rest.ptr[0]));
        rest = (mt_bytes){rest.ptr + 1, rest.len - 1};
    }
    if (rest.len > 0 && next.state == DATA) {
        run = take_data(&next, &rest);
    }
    *b = next;
    *in = rest;
    *data = run;
    *is_end = next.state == END;
    return MT_OK;
}
