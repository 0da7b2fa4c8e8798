/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/mangle.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static bool exactly(mt_comes_back *comes_back, const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    MT_ASSERT(exact != NULL);
    memcpy(exact, bytes, len);
    bool is_good = comes_back(exact, len);
    free(exact);
    return is_good;
}

void mt_mangle_length(mt_comes_back *comes_back, const uint8_t *good, size_t len)
{
    mt_mangle_some_lengths(comes_back, good, len, 1);
}

void mt_mangle_some_lengths(mt_comes_back *comes_back, const uint8_t *good, size_t len, size_t step)
{
    uint8_t *longer = malloc(len + 1);
    MT_ASSERT(longer != NULL);
    memcpy(longer, good, len);
    longer[len] = 0;
    MT_ASSERT(exactly(comes_back, good, len));
    MT_ASSERT(!exactly(comes_back, longer, len + 1));
    for (size_t i = 0; i < len; i += step) {
        MT_ASSERT(!exactly(comes_back, good, i));
    }
    MT_ASSERT(len == 0 || !exactly(comes_back, good, len - 1));
    free(longer);
}

size_t mt_mangle_bits(mt_comes_back *comes_back, const uint8_t *good, size_t len)
{
    return mt_mangle_some_bits(comes_back, good, len, 1);
}

size_t mt_mangle_some_bits(mt_comes_back *comes_back, const uint8_t *good, size_t len, size_t step)
{
    uint8_t *flipped = malloc(len);
    size_t kept = 0;
    MT_ASSERT(flipped != NULL);
    memcpy(flipped, good, len);
    for (size_t bit = 0; bit < 8 * len; bit += step) {
        uint8_t mask = (uint8_t)(1U << (bit % 8));
        flipped[bit / 8] ^= mask;
        kept += exactly(comes_back, flipped, len) ? 1 : 0;
        flipped[bit / 8] ^= mask;
    }
    free(flipped);
    return kept;
}
