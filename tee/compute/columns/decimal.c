/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/decimal.h"

#include "base/assert.h"

enum { FAST_DIGITS = 18, WIDE_LIMBS = 7 };

#define TEN_TO_19       UINT64_C(10000000000000000000)
#define MAGNITUDE       ((mt_uint128)TEN_TO_19 * TEN_TO_19) /* 10^38: the first that is too large */
#define MAGNITUDE_TENTH ((mt_uint128)TEN_TO_19 * (TEN_TO_19 / 10))

static mt_uint128 power_of_ten(uint32_t exponent)
{
    static const uint64_t powers[] = {
        1,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
        TEN_TO_19,
    };
    MT_ASSERT(exponent <= MT_DECIMAL_DIGITS_MAX);
    return exponent < 20 ? powers[exponent] : (mt_uint128)powers[exponent - 19] * TEN_TO_19;
}

/* The digits of a number without its sign, and how many of them stand after the point. */
struct digits {
    mt_uint128 value;
    uint32_t after_point;
};

/* At most FAST_DIGITS characters, so that nothing overflows 64 bits. */
static bool read_short(mt_bytes text, struct digits *out)
{
    uint64_t value = 0;
    uint32_t after = 0;
    uint32_t step = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t digit = (uint32_t)text.ptr[i] - '0';
        if (digit <= 9) {
            value = value * 10 + digit;
            after += step;
        } else if (text.ptr[i] == '.' && step == 0 && i > 0 && i + 1 < text.len) {
            step = 1;
        } else {
            return false;
        }
    }
    *out = (struct digits){value, after};
    return text.len > 0;
}

static MT_ERR read_long(mt_bytes text, struct digits *out)
{
    mt_uint128 value = 0;
    uint32_t after = 0;
    uint32_t step = 0;
    bool is_too_large = false;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t digit = (uint32_t)text.ptr[i] - '0';
        if (digit <= 9) {
            after += step;
            is_too_large = is_too_large || value >= MAGNITUDE_TENTH;
            value = is_too_large ? 0 : value * 10 + digit;
        } else {
            MT_REQUIRE(text.ptr[i] == '.' && step == 0 && i > 0 && i + 1 < text.len, MT_E_FORMAT,
                       "not a number");
            step = 1;
        }
    }
    MT_REQUIRE(!is_too_large, MT_E_LIMIT, "a number has more than 38 digits");
    *out = (struct digits){value, after};
    return MT_OK;
}

MT_ERR mt_decimal_parse(mt_bytes text, uint32_t scale, mt_int128 *out)
{
    MT_ASSERT(scale <= MT_DECIMAL_DIGITS_MAX);
    bool is_negative = text.len > 0 && text.ptr[0] == '-';
    if (is_negative) {
        text = (mt_bytes){text.ptr + 1, text.len - 1};
    }
    struct digits d = {0, 0};
    if (text.len <= FAST_DIGITS) {
        MT_REQUIRE(read_short(text, &d), MT_E_FORMAT, "not a number");
    } else {
        MT_TRY(read_long(text, &d));
    }
    MT_REQUIRE(d.after_point <= scale, MT_E_FORMAT,
               "a number has more digits after the point than its column's scale");
    mt_uint128 value = d.value;
    if (d.after_point < scale) {
        bool is_over = __builtin_mul_overflow(d.value, power_of_ten(scale - d.after_point), &value);
        MT_REQUIRE(!is_over && value < MAGNITUDE, MT_E_LIMIT, "a number has more than 38 digits");
    }
    *out = is_negative ? -(mt_int128)value : (mt_int128)value;
    return MT_OK;
}

/* An unsigned number of 32-bit limbs, least first: long division needs no wider machine. */
struct wide {
    uint32_t limb[WIDE_LIMBS];
};

static uint32_t wide_divide(struct wide *n, uint32_t divisor)
{
    uint64_t rest = 0;
    for (size_t i = WIDE_LIMBS; i > 0; i--) {
        uint64_t part = rest << 32 | n->limb[i - 1];
        n->limb[i - 1] = (uint32_t)(part / divisor);
        rest = part % divisor;
    }
    return (uint32_t)rest;
}

static void wide_multiply(struct wide *n, uint32_t factor, uint32_t plus)
{
    uint64_t carry = plus;
    for (size_t i = 0; i < WIDE_LIMBS; i++) {
        carry += (uint64_t)n->limb[i] * factor;
        n->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    MT_ASSERT(carry == 0);
}

static struct wide wide_of(mt_uint128 high, uint64_t low)
{
    struct wide n = {{(uint32_t)low, (uint32_t)(low >> 32)}};
    for (size_t i = 2; i < WIDE_LIMBS - 1; i++) {
        n.limb[i] = (uint32_t)(high >> (32 * (i - 2)));
    }
    return n;
}

/* MT_E_LIMIT from 10^38 on. */
static MT_ERR narrow(const struct wide *n, bool is_negative, mt_int128 *out)
{
    mt_uint128 value = 0;
    for (size_t i = 4; i > 0; i--) {
        value = value << 32 | n->limb[i - 1];
    }
    bool is_over = value >= MAGNITUDE;
    for (size_t i = 4; i < WIDE_LIMBS; i++) {
        is_over = is_over || n->limb[i] != 0;
    }
    MT_REQUIRE(!is_over, MT_E_LIMIT, "a result has more than 38 digits");
    *out = is_negative ? -(mt_int128)value : (mt_int128)value;
    return MT_OK;
}

void mt_decimal_write(struct mt_writer *w, mt_int128 value, uint32_t scale)
{
    MT_ASSERT(scale <= MT_DECIMAL_DIGITS_MAX);
    uint8_t text[MT_DECIMAL_TEXT_BYTES_MAX];
    size_t at = sizeof text;
    mt_uint128 magnitude = value < 0 ? -(mt_uint128)value : (mt_uint128)value;
    MT_ASSERT(magnitude < MAGNITUDE);
    struct wide n = wide_of(magnitude >> 64, (uint64_t)magnitude);
    uint32_t nine = 0; /* nine digits at a time */
    for (uint32_t digits = 0; digits <= MT_DECIMAL_DIGITS_MAX; digits++) {
        nine = digits % 9 == 0 ? wide_divide(&n, 1000000000) : nine / 10;
        if (digits == scale && scale > 0) {
            text[--at] = '.';
        }
        text[--at] = (uint8_t)('0' + nine % 10);
    }
    /* Now all 39 digits are there: drop the zeros in front, but for the one before the point. */
    size_t whole_end = sizeof text - (scale > 0 ? scale + 1 : 0);
    while (at + 1 < whole_end && text[at] == '0') {
        at++;
    }
    if (value < 0) {
        text[--at] = '-';
    }
    mt_write_bytes(w, (mt_bytes){text + at, sizeof text - at});
}

/* The sum's sign, and its magnitude of 192 bits. */
static bool split(const struct mt_decimal_sum *s, struct wide *magnitude)
{
    uint64_t low = (uint64_t)s->low;
    mt_int128 high = s->high + (mt_int128)(s->low >> 64);
    bool is_negative = high < 0;
    if (is_negative) { /* two's complement over both parts */
        low = -low;
        high = ~high + (low == 0);
    }
    *magnitude = wide_of((mt_uint128)high, low);
    return is_negative;
}

MT_ERR mt_decimal_sum_total(const struct mt_decimal_sum *s, mt_int128 *out)
{
    struct wide n;
    bool is_negative = split(s, &n);
    return narrow(&n, is_negative, out);
}

uint32_t mt_decimal_average_scale(uint32_t scale)
{
    uint32_t wanted = scale + MT_DECIMAL_AVERAGE_SCALE;
    return wanted < MT_DECIMAL_DIGITS_MAX ? wanted : MT_DECIMAL_DIGITS_MAX;
}

MT_ERR mt_decimal_sum_average(const struct mt_decimal_sum *s, uint32_t scale, uint32_t count,
                              mt_int128 *out)
{
    MT_ASSERT(count > 0);
    struct wide n;
    bool is_negative = split(s, &n);
    uint32_t factor = (uint32_t)power_of_ten(mt_decimal_average_scale(scale) - scale);
    wide_multiply(&n, factor, 0);
    uint64_t twice = 2 * (uint64_t)wide_divide(&n, count);
    if (twice > count || (twice == count && (n.limb[0] & 1) == 1)) {
        wide_multiply(&n, 1, 1);
    }
    return narrow(&n, is_negative, out);
}
