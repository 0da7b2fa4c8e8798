/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_BASE_BYTES_H
#define MT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A borrowed, read-only view. It never owns: whoever made the bytes frees them. Text is bytes too.
 */
typedef struct mt_bytes {
    const uint8_t *ptr;
    size_t len;
} mt_bytes;

/* A borrowed view that may be written. */
typedef struct mt_span {
    uint8_t *ptr;
    size_t len;
} mt_span;

static inline mt_bytes mt_bytes_of(mt_span s)
{
    return (mt_bytes){s.ptr, s.len};
}

/* The bytes of a string literal, without its NUL. */
#define MT_LITERAL(text_) ((mt_bytes){(const uint8_t *)("" text_), sizeof(text_) - 1})

/* The bytes of an array or of a value such as mt_hash. Never of a pointer. */
#define MT_BYTES_OF(object_) ((mt_bytes){(const uint8_t *)&(object_), sizeof(object_)})

/* Borrows; the string must end with a NUL, and comes from argv, a constant or tee/platform. */
mt_bytes mt_bytes_of_text(const char *text);

/* Stops at the first difference. Secrets are compared by mt_ct_equal(). */
bool mt_bytes_equal(mt_bytes a, mt_bytes b);

/* Bytewise, a prefix before what it begins: negative, zero or positive as a is before, at or after
 * b. */
int mt_bytes_order(mt_bytes a, mt_bytes b);

bool mt_bytes_start_with(mt_bytes whole, mt_bytes start);

/* Sizes that others chose are added and multiplied by these alone. */
MT_ERR mt_add_size(size_t a, size_t b, size_t *out);
MT_ERR mt_mul_size(size_t a, size_t b, size_t *out);

/* A cursor over bytes we do not trust. Every read is bounded; nothing is copied. */
struct mt_reader {
    mt_bytes rest;
};

static inline struct mt_reader mt_reader_over(mt_bytes b)
{
    return (struct mt_reader){b};
}

MT_ERR mt_read_u8(struct mt_reader *r, uint8_t *out);
MT_ERR mt_read_u16le(struct mt_reader *r, uint16_t *out);
MT_ERR mt_read_u32le(struct mt_reader *r, uint32_t *out);
MT_ERR mt_read_u64le(struct mt_reader *r, uint64_t *out);
MT_ERR mt_read_u16be(struct mt_reader *r, uint16_t *out);
MT_ERR mt_read_u32be(struct mt_reader *r, uint32_t *out);
MT_ERR mt_read_u64be(struct mt_reader *r, uint64_t *out);

/* `out` borrows from the bytes under `r`. */
MT_ERR mt_read_bytes(struct mt_reader *r, size_t len, mt_bytes *out);

/* Fills `out` whole: for hashes and ids, which are values. */
MT_ERR mt_read_copy(struct mt_reader *r, mt_span out);

/* The same of bytes whose number has been checked: that there are too few is a mistake of ours. */
mt_bytes mt_take_bytes(struct mt_reader *r, size_t len);
uint16_t mt_take_u16le(struct mt_reader *r);
uint32_t mt_take_u32le(struct mt_reader *r);
uint64_t mt_take_u64le(struct mt_reader *r);

/* Trailing bytes are an error: what we do not understand, we refuse. */
MT_ERR mt_read_end(const struct mt_reader *r);

/* Bytes that grow, owned, up to a maximum given at birth. Wiped when released. */
struct mt_buf {
    uint8_t *ptr;
    size_t len;
    size_t room;
    size_t max;
};

static inline struct mt_buf mt_buf_of_max(size_t max)
{
    return (struct mt_buf){.max = max};
}

/* MT_E_LIMIT beyond the maximum, MT_E_NOMEM without memory; the buffer is then as before. */
MT_ERR mt_buf_append(struct mt_buf *b, mt_bytes bytes);

/* Room for `len` more bytes at the end; `out` is valid until the next call. Not yet counted in len.
 */
MT_ERR mt_buf_reserve(struct mt_buf *b, size_t len, mt_span *out);

/* Forgets the first `len` bytes. */
void mt_buf_drop(struct mt_buf *b, size_t len);

void mt_buf_free(struct mt_buf *b);

static inline mt_bytes mt_buf_bytes(const struct mt_buf *b)
{
    return (mt_bytes){b->ptr, b->len};
}

/*
 * A cursor over room of fixed size, or at the end of a buffer. The first failure is remembered:
 * write on, and ask once at the end.
 */
struct mt_writer {
    mt_span room;
    size_t used;
    struct mt_buf *buf; /* NULL: the room is all there is */
    mt_err failed;
};

static inline struct mt_writer mt_writer_over(mt_span room)
{
    return (struct mt_writer){.room = room};
}

static inline struct mt_writer mt_writer_onto(struct mt_buf *buf)
{
    return (struct mt_writer){.buf = buf};
}

void mt_write_u8(struct mt_writer *w, uint8_t value);
void mt_write_u16le(struct mt_writer *w, uint16_t value);
void mt_write_u32le(struct mt_writer *w, uint32_t value);
void mt_write_u64le(struct mt_writer *w, uint64_t value);
void mt_write_u16be(struct mt_writer *w, uint16_t value);
void mt_write_u32be(struct mt_writer *w, uint32_t value);
void mt_write_u64be(struct mt_writer *w, uint64_t value);
void mt_write_bytes(struct mt_writer *w, mt_bytes bytes);

/* Makes the writer fail, if `e` is a failure and the first: for what must not be written at all. */
void mt_write_err(struct mt_writer *w, mt_err e);

/* Decimal digits. */
void mt_write_number(struct mt_writer *w, uint64_t value);

/* `out` borrows what was written: from the room, or from the buffer until it grows. */
MT_ERR mt_write_end(const struct mt_writer *w, mt_bytes *out);

/* The same of room that was made for all that can be written there: that it does not fit is a
 * mistake of ours. */
mt_bytes mt_write_done(const struct mt_writer *w);

#endif
