/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/decimal.h"

#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"

static bool fails_with(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

static bool writes(mt_int128 value, uint32_t scale, const char *expected)
{
    uint8_t room[MT_DECIMAL_TEXT_BYTES_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_decimal_write(&w, value, scale);
    return !mt_failed(w.failed) &&
           mt_bytes_equal((mt_bytes){room, w.used}, mt_bytes_of_text(expected));
}

/* What is read in this scale is written so. */
static bool reads_as(const char *text, uint32_t scale, const char *expected)
{
    mt_int128 value = 0;
    return !mt_failed(mt_decimal_parse(mt_bytes_of_text(text), scale, &value)) &&
           writes(value, scale, expected);
}

static bool is_refused(const char *text, uint32_t scale, enum mt_code code)
{
    mt_int128 value = 42;
    return fails_with(mt_decimal_parse(mt_bytes_of_text(text), scale, &value), code) && value == 42;
}

static void numbers_come_back_in_their_one_form(void)
{
    MT_ASSERT(reads_as("0", 0, "0"));
    MT_ASSERT(reads_as("-0", 0, "0"));
    MT_ASSERT(reads_as("-0.0", 2, "0.00"));
    MT_ASSERT(reads_as("7", 3, "7.000"));
    MT_ASSERT(reads_as("-12.34", 2, "-12.34"));
    MT_ASSERT(reads_as("0.05", 2, "0.05"));
    MT_ASSERT(reads_as("-0.5", 1, "-0.5"));
    MT_ASSERT(reads_as("00000000000000000000000000000000000000000000000000000012.5", 2, "12.50"));
    MT_ASSERT(reads_as("123456789012345678", 0, "123456789012345678"));
    MT_ASSERT(reads_as("1234567890123456789", 0, "1234567890123456789"));
    MT_ASSERT(reads_as("-12345678901234567890.123456789", 9, "-12345678901234567890.123456789"));
}

static void thirty_eight_digits_fit_and_thirty_nine_do_not(void)
{
    MT_ASSERT(reads_as("99999999999999999999999999999999999999", 0,
                       "99999999999999999999999999999999999999"));
    MT_ASSERT(reads_as("-0.99999999999999999999999999999999999999", 38,
                       "-0.99999999999999999999999999999999999999"));
    MT_ASSERT(reads_as("0.00000000000000000000000000000000000001", 38,
                       "0.00000000000000000000000000000000000001"));
    MT_ASSERT(is_refused("100000000000000000000000000000000000000", 0, MT_E_LIMIT));
    MT_ASSERT(is_refused("-100000000000000000000000000000000000000", 0, MT_E_LIMIT));
    MT_ASSERT(is_refused("340282366920938463463374607431768211456", 0, MT_E_LIMIT)); /* 2^128 */
    MT_ASSERT(is_refused("1", 38, MT_E_LIMIT));
    MT_ASSERT(is_refused("99999999999999999999", 19, MT_E_LIMIT));
    MT_ASSERT(reads_as("9999999999999999999", 19, "9999999999999999999.0000000000000000000"));
}

static void what_is_not_a_number_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "1e5",
        "1.",
        ".5",
        "-.5",
        "1.2.3",
        "a",
        "1,5",
        "0x10",
        "--1",
        "1-",
        "NaN",
        "inf",
        ".",
        "-1.",
        "1_000",
        "/",
        ":",
        "1:",
        "12a4",
        "\xc2\xb2",
        "1.5a",
        "1.-5",
        "12345678901234567890.",
        "x2345678901234567890",
        "1234567890.1234567890.1",
        "1000000000000000000000000000000000000000x",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        MT_ASSERT(is_refused(texts[i], 2, MT_E_FORMAT));
    }
}

static void digits_beyond_the_scale_are_refused_and_not_rounded(void)
{
    MT_ASSERT(is_refused("1.234", 2, MT_E_FORMAT));
    MT_ASSERT(is_refused("1.230", 2, MT_E_FORMAT));
    MT_ASSERT(is_refused("1.0", 0, MT_E_FORMAT));
    MT_ASSERT(is_refused("0.000000000000000000000000000000000000000", 38, MT_E_FORMAT));
}

/* Sums and averages that Python's decimal module made, from a seed. NULL: too large. */
struct sample {
    uint32_t scale;
    const char *values[9];
    const char *sum;
    const char *average;
};

static const struct sample samples[] = {
    {30,
     {"-0.000025860686139372989794492048", "0.000080364153731109447762765842"},
     "0.000054503467591736457968273794",
     "0.000027251733795868228984136897000000"},
    {6, {"-0.090579"}, "-0.090579", "-0.090579000000"},
    {2, {"1556.30", "-2920.12"}, "-1363.82", "-681.91000000"},
    {2,
     {"992494219301341340614242141525936081.06", "-280495784360048038448496060407993710.41"},
     "711998434941293302165746081117942370.65",
     NULL},
    {2,
     {"-1770901362222770244889165.67", "-1862116054932028295097920.91",
      "-5348538625207265554368789.98"},
     "-8981556042362064094355876.56",
     "-2993852014120688031451958.85333333"},
    {2,
     {"479.46", "622.70", "33.48", "393.88", "-176.48", "535.02", "-52.13", "-348.76"},
     "1487.17",
     "185.89625000"},
    {6, {"8612116133238057690918558523887.263830"}, "8612116133238057690918558523887.263830", NULL},
    {38,
     {"-0.00000000000000000000000000000000017263", "0.00000000000000000000000000000000009609",
      "0.00000000000000000000000000000000098480"},
     "0.00000000000000000000000000000000090826",
     "0.00000000000000000000000000000000030275"},
    {2,
     {"6544223436928811819436269.04", "4187435057755158505059068.47",
      "-166250380047920679625502.00", "9730089699912531550230334.20",
      "-7682675397860680550405604.30", "6443612263326997066451850.66",
      "7368101286002198120984760.44"},
     "26424535966017095832131176.51",
     "3774933709431013690304453.78714286"},
    {38,
     {"0.00000000000003424113825273671394333321", "0.00000000000003751355247450488671459382",
      "0.00000000000009098820190007301318719801"},
     "0.00000000000016274289262731461384512504",
     "0.00000000000005424763087577153794837501"},
    {2,
     {"351946760533982831478672712.64", "-934252750419445201774993387.52"},
     "-582305989885462370296320674.88",
     "-291152994942731185148160337.44000000"},
    {10, {"0.8979230704"}, "0.8979230704", "0.8979230704000000"},
};

static struct mt_decimal_sum sum_of(const struct sample *s, uint32_t *count)
{
    struct mt_decimal_sum sum = {0, 0};
    *count = 0;
    while (s->values[*count] != NULL) {
        mt_int128 value = 0;
        mt_bytes text = mt_bytes_of_text(s->values[*count]);
        MT_ASSERT(!mt_failed(mt_decimal_parse(text, s->scale, &value)));
        mt_decimal_sum_add(&sum, value);
        (*count)++;
    }
    return sum;
}

static void sums_and_averages_are_those_of_another_implementation(void)
{
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const struct sample *s = &samples[i];
        uint32_t count = 0;
        mt_int128 value = 0;
        struct mt_decimal_sum sum = sum_of(s, &count);
        mt_err e = mt_decimal_sum_total(&sum, &value);
        MT_ASSERT(s->sum == NULL ? fails_with(e, MT_E_LIMIT) : writes(value, s->scale, s->sum));
        e = mt_decimal_sum_average(&sum, s->scale, count, &value);
        uint32_t scale = mt_decimal_average_scale(s->scale);
        MT_ASSERT(s->average == NULL ? fails_with(e, MT_E_LIMIT)
                                     : writes(value, scale, s->average));
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 16;
}

/* By the definition: twice the remainder is at most the divisor, and a tie means an even quotient.
 */
static void averages_are_rounded_half_to_even(void)
{
    uint64_t state = 1;
    uint32_t ties = 0;
    for (int i = 0; i < 20000; i++) {
        uint32_t count = (uint32_t)(next_random(&state) % 64) + 1;
        count = i % 2 == 0 ? count * 1000000 : count; /* so that the digits run out */
        mt_int128 total = (mt_int128)(next_random(&state) % 100000) - 50000;
        struct mt_decimal_sum sum = {0, 0};
        mt_decimal_sum_add(&sum, total);
        mt_int128 q = 0;
        MT_ASSERT(!mt_failed(mt_decimal_sum_average(&sum, 2, count, &q)));
        mt_int128 rest = total * 1000000 - q * count;
        mt_int128 twice = 2 * (rest < 0 ? -rest : rest);
        MT_ASSERT(twice <= count);
        MT_ASSERT(twice < count || q % 2 == 0);
        ties += twice == count;
    }
    MT_ASSERT(ties > 100);
}

/* Halfway sums are far beyond 38 digits and beyond 128 bits: only what comes out counts. */
static void a_sum_does_not_depend_on_the_order_of_its_rows(void)
{
    mt_int128 most = 0;
    mt_int128 total = 0;
    mt_bytes nines = mt_bytes_of_text("99999999999999999999999999999999999999");
    MT_ASSERT(!mt_failed(mt_decimal_parse(nines, 0, &most)));
    struct mt_decimal_sum sum = {0, 0};
    for (int i = 0; i < 1000; i++) {
        mt_decimal_sum_add(&sum, most);
    }
    MT_ASSERT(fails_with(mt_decimal_sum_total(&sum, &total), MT_E_LIMIT));
    for (int i = 0; i < 1000; i++) {
        mt_decimal_sum_add(&sum, -most);
    }
    mt_decimal_sum_add(&sum, -7);
    MT_ASSERT(!mt_failed(mt_decimal_sum_total(&sum, &total)));
    MT_ASSERT(total == -7);
    for (int i = 0; i < 1000; i++) {
        mt_decimal_sum_add(&sum, -most);
    }
    MT_ASSERT(fails_with(mt_decimal_sum_total(&sum, &total), MT_E_LIMIT));
    MT_ASSERT(total == -7);
}

static void the_limit_of_a_sum_is_exact(void)
{
    mt_int128 most = 0;
    mt_int128 total = 0;
    mt_bytes nines = mt_bytes_of_text("99999999999999999999999999999999999999");
    MT_ASSERT(!mt_failed(mt_decimal_parse(nines, 0, &most)));
    for (int sign = -1; sign <= 1; sign += 2) {
        struct mt_decimal_sum sum = {0, 0};
        mt_decimal_sum_add(&sum, most * sign);
        MT_ASSERT(!mt_failed(mt_decimal_sum_total(&sum, &total)));
        MT_ASSERT(total == most * sign);
        mt_decimal_sum_add(&sum, sign);
        MT_ASSERT(fails_with(mt_decimal_sum_total(&sum, &total), MT_E_LIMIT));
    }
}

static void an_average_may_be_small_where_its_sum_is_too_large(void)
{
    mt_int128 value = 0;
    mt_bytes large = mt_bytes_of_text("0.90000000000000000000000000000000000000");
    MT_ASSERT(!mt_failed(mt_decimal_parse(large, 38, &value)));
    struct mt_decimal_sum sum = {0, 0};
    for (int i = 0; i < 3; i++) {
        mt_decimal_sum_add(&sum, value);
    }
    mt_int128 out = 0;
    MT_ASSERT(fails_with(mt_decimal_sum_total(&sum, &out), MT_E_LIMIT));
    MT_ASSERT(!mt_failed(mt_decimal_sum_average(&sum, 38, 3, &out)));
    MT_ASSERT(out == value);
}

static void averages_have_six_more_digits_up_to_thirty_eight(void)
{
    MT_ASSERT(mt_decimal_average_scale(0) == 6);
    MT_ASSERT(mt_decimal_average_scale(32) == 38);
    MT_ASSERT(mt_decimal_average_scale(33) == 38);
    MT_ASSERT(mt_decimal_average_scale(38) == 38);
}

static void truncations_and_flips_are_numbers_or_refused(void)
{
    static const char good[] = "-12345678901234567890.123456789";
    size_t len = strlen(good);
    for (size_t i = 0; i < len; i++) {
        mt_int128 value = 42;
        mt_err e = mt_decimal_parse((mt_bytes){(const uint8_t *)good, i}, 9, &value);
        bool is_number = i > 1 && good[i - 1] != '.';
        MT_ASSERT(is_number ? !mt_failed(e) : fails_with(e, MT_E_FORMAT));
    }
    for (size_t bit = 0; bit < len * 8; bit++) {
        uint8_t flipped[sizeof good];
        memcpy(flipped, good, sizeof good);
        flipped[bit / 8] ^= (uint8_t)(1U << bit % 8);
        mt_int128 value = 42;
        mt_err e = mt_decimal_parse((mt_bytes){flipped, len}, 9, &value);
        uint8_t c = flipped[bit / 8];
        bool is_digit = c >= '0' && c <= '9';
        MT_ASSERT(mt_failed(e) != is_digit);
        MT_ASSERT(is_digit || value == 42);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(numbers_come_back_in_their_one_form),
        MT_TEST(thirty_eight_digits_fit_and_thirty_nine_do_not),
        MT_TEST(what_is_not_a_number_is_refused),
        MT_TEST(digits_beyond_the_scale_are_refused_and_not_rounded),
        MT_TEST(sums_and_averages_are_those_of_another_implementation),
        MT_TEST(averages_are_rounded_half_to_even),
        MT_TEST(a_sum_does_not_depend_on_the_order_of_its_rows),
        MT_TEST(the_limit_of_a_sum_is_exact),
        MT_TEST(an_average_may_be_small_where_its_sum_is_too_large),
        MT_TEST(averages_have_six_more_digits_up_to_thirty_eight),
        MT_TEST(truncations_and_flips_are_numbers_or_refused),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
