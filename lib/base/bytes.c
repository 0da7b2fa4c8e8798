/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

mt_bytes mt_bytes_of_text(const char *text)
{
    return (mt_bytes){(const uint8_t *)text, strlen(text)};
}

int mt_bytes_order(mt_bytes a, mt_bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    size_t i = 0;
    uint64_t x = 0;
    uint64_t y = 0;
    for (; common - i >= sizeof x && x == y; i += sizeof x) {
        memcpy(&x, a.ptr + i, sizeof x);
        memcpy(&y, b.ptr + i, sizeof y);
    }
    i -= x == y ? 0 : sizeof x; /* where they differ, byte for byte */
    for (; i < common; i++) {
        if (a.ptr[i] != b.ptr[i]) {
            return a.ptr[i] < b.ptr[i] ? -1 : 1;
        }
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool mt_bytes_equal(mt_bytes a, mt_bytes b)
{
    return a.len == b.len && mt_bytes_order(a, b) == 0;
}

bool mt_bytes_start_with(mt_bytes whole, mt_bytes start)
{
    return whole.len >= start.len && mt_bytes_equal((mt_bytes){whole.ptr, start.len}, start);
}

MT_ERR mt_add_size(size_t a, size_t b, size_t *out)
{
    size_t sum = 0;
    MT_REQUIRE(!__builtin_add_overflow(a, b, &sum), MT_E_LIMIT, "a size is too large");
    *out = sum;
    return MT_OK;
}

MT_ERR mt_mul_size(size_t a, size_t b, size_t *out)
{
    size_t product = 0;
    MT_REQUIRE(!__builtin_mul_overflow(a, b, &product), MT_E_LIMIT, "a size is too large");
    *out = product;
    return MT_OK;
}

MT_ERR mt_read_bytes(struct mt_reader *r, size_t len, mt_bytes *out)
{
    MT_REQUIRE(len <= r->rest.len, MT_E_FORMAT, "truncated");
    *out = (mt_bytes){r->rest.ptr, len};
    if (len > 0) { /* NULL + 0 is undefined in C17 */
        r->rest.ptr += len;
        r->rest.len -= len;
    }
    return MT_OK;
}

MT_ERR mt_read_copy(struct mt_reader *r, mt_span out)
{
    mt_bytes b;
    MT_TRY(mt_read_bytes(r, out.len, &b));
    if (b.len > 0) {
        memcpy(out.ptr, b.ptr, b.len);
    }
    return MT_OK;
}

static MT_ERR read_le(struct mt_reader *r, size_t len, uint64_t *out)
{
    mt_bytes b;
    MT_TRY(mt_read_bytes(r, len, &b));
    uint64_t value = 0;
    for (size_t i = len; i > 0; i--) {
        value = value << 8 | b.ptr[i - 1];
    }
    *out = value;
    return MT_OK;
}

static MT_ERR read_be(struct mt_reader *r, size_t len, uint64_t *out)
{
    mt_bytes b;
    MT_TRY(mt_read_bytes(r, len, &b));
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value << 8 | b.ptr[i];
    }
    *out = value;
    return MT_OK;
}

MT_ERR mt_read_u8(struct mt_reader *r, uint8_t *out)
{
    uint64_t value = 0;
    MT_TRY(read_be(r, sizeof *out, &value));
    *out = (uint8_t)value;
    return MT_OK;
}

MT_ERR mt_read_u16le(struct mt_reader *r, uint16_t *out)
{
    uint64_t value = 0;
    MT_TRY(read_le(r, sizeof *out, &value));
    *out = (uint16_t)value;
    return MT_OK;
}

MT_ERR mt_read_u32le(struct mt_reader *r, uint32_t *out)
{
    uint64_t value = 0;
    MT_TRY(read_le(r, sizeof *out, &value));
    *out = (uint32_t)value;
    return MT_OK;
}

MT_ERR mt_read_u64le(struct mt_reader *r, uint64_t *out)
{
    return read_le(r, sizeof *out, out);
}

MT_ERR mt_read_u16be(struct mt_reader *r, uint16_t *out)
{
    uint64_t value = 0;
    MT_TRY(read_be(r, sizeof *out, &value));
    *out = (uint16_t)value;
    return MT_OK;
}

MT_ERR mt_read_u32be(struct mt_reader *r, uint32_t *out)
{
    uint64_t value = 0;
    MT_TRY(read_be(r, sizeof *out, &value));
    *out = (uint32_t)value;
    return MT_OK;
}

MT_ERR mt_read_u64be(struct mt_reader *r, uint64_t *out)
{
    return read_be(r, sizeof *out, out);
}

mt_bytes mt_take_bytes(struct mt_reader *r, size_t len)
{
    mt_bytes out = {NULL, 0};
    mt_err e = mt_read_bytes(r, len, &out);
    MT_ASSERT(!mt_failed(e));
    return out;
}

static uint64_t take_le(struct mt_reader *r, size_t len)
{
    uint64_t value = 0;
    mt_err e = read_le(r, len, &value);
    MT_ASSERT(!mt_failed(e));
    return value;
}

uint16_t mt_take_u16le(struct mt_reader *r)
{
    return (uint16_t)take_le(r, sizeof(uint16_t));
}

uint32_t mt_take_u32le(struct mt_reader *r)
{
    return (uint32_t)take_le(r, sizeof(uint32_t));
}

uint64_t mt_take_u64le(struct mt_reader *r)
{
    return take_le(r, sizeof(uint64_t));
}

MT_ERR mt_read_end(const struct mt_reader *r)
{
    MT_REQUIRE(r->rest.len == 0, MT_E_FORMAT, "trailing bytes");
    return MT_OK;
}

/* A buffer may hold a secret for a moment: what it leaves behind is zero. */
static void wipe(uint8_t *ptr, size_t len)
{
    if (ptr != NULL) {
        memset(ptr, 0, len);
        __asm__ volatile("" : : "r"(ptr) : "memory");
    }
}

MT_ERR mt_buf_reserve(struct mt_buf *b, size_t len, mt_span *out)
{
    size_t need = 0;
    MT_TRY(mt_add_size(b->len, len, &need));
    MT_REQUIRE(need <= b->max, MT_E_LIMIT, "a buffer has reached its maximum");
    if (need > b->room) {
        size_t room = b->room < 256 ? 256 : b->room;
        while (room < need) {
            room = room > b->max / 2 ? b->max : room * 2;
        }
        uint8_t *grown = malloc(room);
        MT_REQUIRE(grown != NULL, MT_E_NOMEM, "no memory for a buffer");
        if (b->len > 0) {
            memcpy(grown, b->ptr, b->len);
        }
        wipe(b->ptr, b->len);
        free(b->ptr);
        b->ptr = grown;
        b->room = room;
    }
    *out = (mt_span){need > 0 ? b->ptr + b->len : NULL, len};
    return MT_OK;
}

MT_ERR mt_buf_append(struct mt_buf *b, mt_bytes bytes)
{
    mt_span room;
    if (bytes.len == 0) {
        return MT_OK;
    }
    if (bytes.len > b->room - b->len) { /* mostly there is room: texts are written piece by piece */
        MT_TRY(mt_buf_reserve(b, bytes.len, &room));
    }
    memcpy(b->ptr + b->len, bytes.ptr, bytes.len);
    b->len += bytes.len;
    return MT_OK;
}

void mt_buf_drop(struct mt_buf *b, size_t len)
{
    MT_ASSERT(len <= b->len);
    if (len > 0) {
        memmove(b->ptr, b->ptr + len, b->len - len);
        wipe(b->ptr + b->len - len, len);
        b->len -= len;
    }
}

void mt_buf_free(struct mt_buf *b)
{
    wipe(b->ptr, b->len);
    free(b->ptr);
    *b = (struct mt_buf){.max = b->max};
}

void mt_write_err(struct mt_writer *w, mt_err e)
{
    if (mt_failed(e) && !mt_failed(w->failed)) {
        w->failed = e;
    }
}

static MT_ERR append_to_room(struct mt_writer *w, mt_bytes bytes)
{
    MT_REQUIRE(bytes.len <= w->room.len - w->used, MT_E_LIMIT, "no room left to write");
    if (bytes.len > 0) { /* memcpy(_, NULL, 0) is undefined in C17 */
        memcpy(w->room.ptr + w->used, bytes.ptr, bytes.len);
    }
    w->used += bytes.len;
    return MT_OK;
}

void mt_write_bytes(struct mt_writer *w, mt_bytes bytes)
{
    if (mt_failed(w->failed)) {
        return;
    }
    if (w->buf == NULL) {
        mt_write_err(w, append_to_room(w, bytes));
        return;
    }
    mt_err e = mt_buf_append(w->buf, bytes);
    if (!mt_failed(e)) {
        w->used += bytes.len;
    }
    mt_write_err(w, e);
}

void mt_write_u8(struct mt_writer *w, uint8_t value)
{
    mt_write_bytes(w, (mt_bytes){&value, 1});
}

void mt_write_u16le(struct mt_writer *w, uint16_t value)
{
    uint8_t b[] = {(uint8_t)value, (uint8_t)(value >> 8)};
    mt_write_bytes(w, (mt_bytes){b, sizeof b});
}

void mt_write_u32le(struct mt_writer *w, uint32_t value)
{
    mt_write_u16le(w, (uint16_t)value);
    mt_write_u16le(w, (uint16_t)(value >> 16));
}

void mt_write_u64le(struct mt_writer *w, uint64_t value)
{
    mt_write_u32le(w, (uint32_t)value);
    mt_write_u32le(w, (uint32_t)(value >> 32));
}

void mt_write_u16be(struct mt_writer *w, uint16_t value)
{
    uint8_t b[] = {(uint8_t)(value >> 8), (uint8_t)value};
    mt_write_bytes(w, (mt_bytes){b, sizeof b});
}

void mt_write_u32be(struct mt_writer *w, uint32_t value)
{
    mt_write_u16be(w, (uint16_t)(value >> 16));
    mt_write_u16be(w, (uint16_t)value);
}

void mt_write_u64be(struct mt_writer *w, uint64_t value)
{
    mt_write_u32be(w, (uint32_t)(value >> 32));
    mt_write_u32be(w, (uint32_t)value);
}

void mt_write_number(struct mt_writer *w, uint64_t value)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    mt_write_bytes(w, (mt_bytes){digits + at, sizeof digits - at});
}

MT_ERR mt_write_end(const struct mt_writer *w, mt_bytes *out)
{
    MT_TRY(w->failed);
    if (w->buf == NULL || w->used == 0) {
        *out = (mt_bytes){w->room.ptr, w->used};
    } else {
        *out = (mt_bytes){w->buf->ptr + w->buf->len - w->used, w->used};
    }
    return MT_OK;
}

mt_bytes mt_write_done(const struct mt_writer *w)
{
    mt_bytes out = {NULL, 0};
    mt_err e = mt_write_end(w, &out);
    MT_ASSERT(!mt_failed(e));
    return out;
}
