/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/csv_text.h"

#include <emmintrin.h>
#include <string.h>

#include "base/text.h"

enum { BLOCK = 64, CHARACTER_MAX = 4 };

/* From `at` on past all blocks that are ASCII without NUL. */
static size_t skip_ascii(mt_bytes text, size_t at)
{
    const __m128i zero = _mm_setzero_si128();
    for (; text.len - at >= BLOCK; at += BLOCK) {
        const __m128i_u *p = (const __m128i_u *)(text.ptr + at);
        __m128i a = _mm_loadu_si128(p);
        __m128i b = _mm_loadu_si128(p + 1);
        __m128i c = _mm_loadu_si128(p + 2);
        __m128i d = _mm_loadu_si128(p + 3);
        /* The least byte is 0 if there is a NUL; the top bit of any is set if one is not ASCII. */
        __m128i least = _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d));
        __m128i any = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
        if (_mm_movemask_epi8(_mm_or_si128(any, _mm_cmpeq_epi8(least, zero))) != 0) {
            break;
        }
    }
    return at;
}

/* Continuation bytes run from 80 to BF, and where a first byte narrows the range of the second, one
 * of the two ends is left: so one of them completes whatever can be completed. */
static bool is_beginning(mt_bytes rest)
{
    for (uint32_t fill = 0x80; fill <= 0xbf && rest.len < CHARACTER_MAX; fill += 0xbf - 0x80) {
        uint8_t whole[CHARACTER_MAX];
        memset(whole, (uint8_t)fill, sizeof whole);
        memcpy(whole, rest.ptr, rest.len);
        if (mt_utf8_len((mt_bytes){whole, sizeof whole}) > rest.len) {
            return true;
        }
    }
    return false;
}

size_t mt_csv_text_count(mt_bytes text, bool *is_cut)
{
    size_t at = 0;
    size_t slow_until = 0;
    *is_cut = false;
    while (at < text.len) {
        if (at >= slow_until) {
            at = skip_ascii(text, at);
            slow_until = at + BLOCK; /* what ended the skip is in here */
            if (at == text.len) {
                break;
            }
        }
        if (text.ptr[at] == 0) {
            return at;
        }
        mt_bytes rest = {text.ptr + at, text.len - at};
        size_t len = rest.ptr[0] < 0x80 ? 1 : mt_utf8_len(rest);
        if (len == 0) {
            *is_cut = is_beginning(rest);
            return at;
        }
        at += len;
    }
    return at;
}
