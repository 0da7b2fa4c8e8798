/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

/* The second byte carries what RFC 3629, section 4, narrows: no overlong form, no surrogate,
 * nothing beyond U+10FFFF. Further bytes are all 80 to bf. */
struct lead {
    uint8_t from, to; /* first bytes */
    uint8_t len;
    uint8_t second_from, second_to;
};

static const struct lead leads[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static bool is_sequence(const struct lead *l, mt_bytes text)
{
    if (text.len < l->len || text.ptr[1] < l->second_from || text.ptr[1] > l->second_to) {
        return false;
    }
    for (size_t i = 2; i < l->len; i++) {
        if ((text.ptr[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

size_t mt_utf8_len(mt_bytes text)
{
    if (text.len == 0) {
        return 0;
    }
    if (text.ptr[0] < 0x80) {
        return 1;
    }
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
        if (text.ptr[0] >= leads[i].from && text.ptr[0] <= leads[i].to) {
            return is_sequence(&leads[i], text) ? leads[i].len : 0;
        }
    }
    return 0;
}

bool mt_utf8_is_valid(mt_bytes text)
{
    size_t at = 0;
    while (at < text.len) {
        if (text.ptr[at] < 0x80) { /* most are */
            at++;
            continue;
        }
        size_t len = mt_utf8_len((mt_bytes){text.ptr + at, text.len - at});
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

static uint32_t code_of(mt_bytes sequence)
{
    static const uint8_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = sequence.ptr[0] & lead_bits[sequence.len];
    for (size_t i = 1; i < sequence.len; i++) {
        code = code << 6 | (sequence.ptr[i] & 0x3fU);
    }
    return code;
}

static bool is_hidden(uint32_t code)
{
    static const uint32_t hidden[][2] = {{0, 0x1f},        {0x7f, 0x9f},     {0x200b, 0x200f},
                                         {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        if (code >= hidden[i][0] && code <= hidden[i][1]) {
            return true;
        }
    }
    return false;
}

bool mt_text_is_plain(mt_bytes text)
{
    size_t at = 0;
    while (at < text.len) {
        if (text.ptr[at] >= ' ' && text.ptr[at] <= '~') {
            at++;
            continue;
        }
        size_t len = mt_utf8_len((mt_bytes){text.ptr + at, text.len - at});
        if (len == 0 || is_hidden(code_of((mt_bytes){text.ptr + at, len}))) {
            return false;
        }
        at += len;
    }
    return true;
}
