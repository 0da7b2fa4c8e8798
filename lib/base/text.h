/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_BASE_TEXT_H
#define MT_BASE_TEXT_H

#include "base/bytes.h"

/* Bytes of the UTF-8 sequence (RFC 3629) that `text` begins with, 1 to 4; 0 if it begins with none:
 * empty, truncated, overlong, a surrogate, or beyond U+10FFFF. */
size_t mt_utf8_len(mt_bytes text);

/* Whether all of `text` is UTF-8. A NUL is a character like others. */
bool mt_utf8_is_valid(mt_bytes text);

/* Whether all of `text` is UTF-8 that looks like what it is: no control characters (a terminal
 * would obey them), and nothing that is invisible or turns the direction of writing (general
 * punctuation U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F, and U+FEFF). For names that
 * people read. */
bool mt_text_is_plain(mt_bytes text);

#endif
