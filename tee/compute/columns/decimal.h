/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_DECIMAL_H
#define MT_COMPUTE_COLUMNS_DECIMAL_H

#include "base/bytes.h"
#include "base/limits.h"

/*
 * Exact numbers: decimal(38, s) of SQL. A value is an integer counted in units of 10^-s, smaller
 * than 10^38 in magnitude; the scale s, 0 to 38, belongs to the column. Values of one scale are
 * compared as integers. Nothing here rounds but the average, and nothing wraps.
 */
__extension__ typedef __int128 mt_int128;
__extension__ typedef unsigned __int128 mt_uint128;

/*
 * An optional '-', one or more digits, and optionally '.' with one to `scale` digits. Zeros in
 * front mean nothing. No '+', no exponent, no spaces, no digits beyond the scale, not even zeros.
 * MT_E_FORMAT "not a number"; MT_E_LIMIT if it has more than 38 digits in units of 10^-scale.
 */
MT_ERR mt_decimal_parse(mt_bytes text, uint32_t scale, mt_int128 *out);

/* One text for each value: exactly `scale` digits after the point, at least one before it, no "-0".
 */
void mt_decimal_write(struct mt_writer *w, mt_int128 value, uint32_t scale);

/* A sum that cannot overflow while it is made, so that it does not depend on the order of its rows.
 * All zero is the empty sum. At most 2^32 - 1 values. */
struct mt_decimal_sum {
    mt_uint128 low; /* of the values' low 64 bits */
    mt_int128 high; /* of the rest */
};

static inline void mt_decimal_sum_add(struct mt_decimal_sum *s, mt_int128 value)
{
    s->low += (uint64_t)value;
    s->high += (int64_t)(value >> 64);
}

/* MT_E_LIMIT if the sum has more than 38 digits. */
MT_ERR mt_decimal_sum_total(const struct mt_decimal_sum *s, mt_int128 *out);

/* The scale of averages of a column: six more, at most 38. */
uint32_t mt_decimal_average_scale(uint32_t scale);

/* The exact sum divided by `count` (not 0), at the scale above, rounded half to even. MT_E_LIMIT if
 * it has more than 38 digits. */
MT_ERR mt_decimal_sum_average(const struct mt_decimal_sum *s, uint32_t scale, uint32_t count,
                              mt_int128 *out);

#endif
