/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/sniff.h"

#include <stdio.h>

#include "base/assert.h"
#include "unit/runner.h"

static mt_err sniff(mt_bytes text, bool is_whole, struct mt_buf *out)
{
    struct mt_writer w = mt_writer_onto(out);
    struct mt_json_writer j = mt_json_writer_over(&w);
    MT_TRY(mt_sniff_write(text, is_whole, &j, NULL));
    return w.failed;
}

static bool proposes(mt_bytes text, const char *expected)
{
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(4096);
    mt_err e = sniff(text, true, &out);
    bool is_same = !mt_failed(e) && mt_bytes_equal(mt_buf_bytes(&out), mt_bytes_of_text(expected));
    if (!is_same) {
        (void)fprintf(stderr, "# proposes %.*s\n", (int)out.len, (const char *)out.ptr);
    }
    return is_same;
}

static void columns_are_text_integer_or_decimal(void)
{
    MT_ASSERT(proposes(MT_LITERAL("name,age,spend\nann,30,1.5\nbob,-4,12.25\ncid,0,-3\n"),
                       "[{\"name\":\"name\",\"type\":\"text\"},{\"name\":\"age\",\"type\":"
                       "\"integer\"},{\"name\":\"spend\",\"scale\":2,\"type\":\"decimal\"}]"));
}

static void what_only_looks_like_a_number_is_text(void)
{
    static const char *const cells[] = {"007", "-01",  "1e5", "+1", "1.",    ".5",  "",   "-",
                                        "1,5", "00.5", " 1",  "1 ", "1.2.3", "0x1", "1-2"};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "a,b\n1,\"%s\"\n2,7\n", cells[i]);
        MT_ASSERT(proposes(mt_bytes_of_text(text),
                           "[{\"name\":\"a\",\"type\":\"integer\"},{\"name\":\"b\",\"type\":"
                           "\"text\"}]"));
    }
}

static void what_does_not_fit_thirty_eight_digits_is_text(void)
{
    MT_ASSERT(proposes(MT_LITERAL("a\n99999999999999999999999999999999999999\n"),
                       "[{\"name\":\"a\",\"type\":\"integer\"}]"));
    MT_ASSERT(proposes(MT_LITERAL("a\n199999999999999999999999999999999999999\n"),
                       "[{\"name\":\"a\",\"type\":\"text\"}]"));
    MT_ASSERT(proposes(MT_LITERAL("a\n99999999999999999999999999999999999999\n0.5\n"),
                       "[{\"name\":\"a\",\"type\":\"text\"}]"));
    MT_ASSERT(proposes(MT_LITERAL("a\n0.5\n-9999999999999999999999999999999999999\n"),
                       "[{\"name\":\"a\",\"scale\":1,\"type\":\"decimal\"}]"));
}

static void without_rows_all_is_text(void)
{
    MT_ASSERT(proposes(MT_LITERAL("a,b\n"),
                       "[{\"name\":\"a\",\"type\":\"text\"},{\"name\":\"b\",\"type\":\"text\"}]"));
}

static void the_beginning_of_a_table_is_enough(void)
{
    mt_bytes whole = MT_LITERAL("a,b\n1,x\n2,y\n");
    for (size_t len = 4; len <= whole.len; len++) {
        MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(4096);
        MT_ASSERT(!mt_failed(sniff((mt_bytes){whole.ptr, len}, false, &out)));
        MT_ASSERT(out.len > 0);
    }
}

static void what_is_no_csv_is_refused_with_nothing_written(void)
{
    static const char *const texts[] = {"", "a,b\n1\n", "a,a\n", "\x89PNG\r\n\x1a\n",
                                        "a,b\n\"1,2\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(4096);
        mt_err e = sniff(mt_bytes_of_text(texts[i]), true, &out);
        MT_ASSERT(mt_failed(e));
        MT_ASSERT(e.fault->code == MT_E_FORMAT);
        MT_ASSERT(out.len == 0);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(columns_are_text_integer_or_decimal),
        MT_TEST(what_only_looks_like_a_number_is_text),
        MT_TEST(what_does_not_fit_thirty_eight_digits_is_text),
        MT_TEST(without_rows_all_is_text),
        MT_TEST(the_beginning_of_a_table_is_enough),
        MT_TEST(what_is_no_csv_is_refused_with_nothing_written),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
