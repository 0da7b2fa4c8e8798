/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"

#include <string.h>

#include "base/assert.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool mt_hash_is_among(const mt_hash *h, const mt_hash *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (mt_hash_equal(h, &list[i])) {
            return true;
        }
    }
    return false;
}

/* A hash at a time, for most of what is written so is one. */
enum { PIECE = 32 };

void mt_hex_write(struct mt_writer *w, mt_bytes bytes)
{
    uint8_t digits[2 * PIECE];
    for (size_t done = 0; done < bytes.len;) {
        size_t len = bytes.len - done < PIECE ? bytes.len - done : PIECE;
        for (size_t i = 0; i < len; i++) {
            digits[2 * i] = (uint8_t)hex_digits[bytes.ptr[done + i] >> 4];
            digits[2 * i + 1] = (uint8_t)hex_digits[bytes.ptr[done + i] & 15];
        }
        mt_write_bytes(w, (mt_bytes){digits, 2 * len});
        done += len;
    }
    memset(digits, 0, sizeof digits); /* keys are written so as well */
    __asm__ volatile("" : : "r"(digits) : "memory");
}

static int hex_digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int digit_of(const char *digits, int count, uint8_t c)
{
    for (int i = 0; i < count; i++) {
        if ((uint8_t)digits[i] == c) {
            return i;
        }
    }
    return -1;
}

MT_ERR mt_hex_parse(mt_bytes text, mt_span out)
{
    MT_REQUIRE(text.len == 2 * out.len, MT_E_FORMAT, "hexadecimal text of the wrong length");
    for (size_t i = 0; i < out.len; i++) {
        int high = hex_digit_of(text.ptr[2 * i]);
        int low = hex_digit_of(text.ptr[2 * i + 1]);
        MT_REQUIRE(high >= 0 && low >= 0, MT_E_FORMAT, "not a lower-case hexadecimal digit");
        out.ptr[i] = (uint8_t)(high << 4 | low);
    }
    return MT_OK;
}

void mt_base64url_write(struct mt_writer *w, mt_bytes bytes)
{
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | bytes.ptr[i];
        for (have += 8; have >= 6; have -= 6) {
            mt_write_u8(w, (uint8_t)base64url_digits[bits >> (have - 6) & 63]);
        }
    }
    if (have > 0) {
        mt_write_u8(w, (uint8_t)base64url_digits[bits << (6 - have) & 63]);
    }
}

MT_ERR mt_base64url_parse(mt_bytes text, struct mt_buf *out)
{
    MT_REQUIRE(text.len % 4 != 1, MT_E_FORMAT, "base64url text of an impossible length");
    if (text.len == 0) {
        return MT_OK;
    }
    mt_span room;
    MT_TRY(mt_buf_reserve(out, text.len / 4 * 3 + text.len % 4 * 3 / 4, &room));
    uint32_t bits = 0;
    unsigned have = 0;
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(base64url_digits, 64, text.ptr[i]);
        MT_REQUIRE(digit >= 0, MT_E_FORMAT, "not a base64url digit");
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            room.ptr[used++] = (uint8_t)(bits >> have);
        }
    }
    MT_REQUIRE((bits & ((1U << have) - 1)) == 0, MT_E_FORMAT, "base64url text is not canonical");
    MT_ASSERT(used == room.len);
    out->len += used; /* now, so that a refused text leaves the buffer as it was */
    return MT_OK;
}
