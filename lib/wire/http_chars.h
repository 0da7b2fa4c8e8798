/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_HTTP_CHARS_H
#define MT_WIRE_HTTP_CHARS_H

#include "base/bytes.h"

/* Which bytes may stand where in HTTP, as the RFCs name them; one bit for each ASCII character. */
struct mt_http_chars {
    uint32_t bits[4];
};

extern const struct mt_http_chars mt_http_token;      /* RFC 9110, 5.6.2 */
extern const struct mt_http_chars mt_http_path;       /* RFC 3986, 3.3, without '%'; and '/' */
extern const struct mt_http_chars mt_http_query;      /* RFC 3986, 3.4 */
extern const struct mt_http_chars mt_http_host;       /* letters digits - . _ : [ ] */
extern const struct mt_http_chars mt_http_unreserved; /* RFC 3986, 2.3 */

static inline bool mt_http_is_in(const struct mt_http_chars *set, uint8_t c)
{
    return c < 128 && (set->bits[c >> 5] >> (c & 31) & 1) != 0;
}

/* How many bytes at the beginning of `text` are in the set. */
size_t mt_http_run(const struct mt_http_chars *set, mt_bytes text);

/* Visible ASCII and blanks, nothing else: lines and header values. MT_E_FORMAT with words for the
 * first byte that is not. */
MT_ERR mt_http_check_text(mt_bytes text);

/* The value of a hexadecimal digit, -1 if it is none. */
int mt_http_hex_digit(uint8_t c);

#endif
