/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_UNIT_MANGLE_H
#define MT_UNIT_MANGLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What every parser of a canonical format is put through. `comes_back` parses the bytes; if that
 * succeeds it writes the value again, asserts that the same bytes come out, and returns true.
 */
typedef bool mt_comes_back(const uint8_t *bytes, size_t len);

/* The good message comes back; every truncation is refused, and so is one byte more. Each input
 * lies in memory of exactly its size, so that a sanitizer sees the first byte too many. */
void mt_mangle_length(mt_comes_back *comes_back, const uint8_t *good, size_t len);
/* Each `step`-th of them, and the last. */
void mt_mangle_some_lengths(mt_comes_back *comes_back, const uint8_t *good, size_t len,
                            size_t step);

/* Every single flipped bit is refused, or is another message that comes back. Returns how many of
 * them are. */
size_t mt_mangle_bits(mt_comes_back *comes_back, const uint8_t *good, size_t len);
/* Each `step`-th of them alone. */
size_t mt_mangle_some_bits(mt_comes_back *comes_back, const uint8_t *good, size_t len, size_t step);

#endif
