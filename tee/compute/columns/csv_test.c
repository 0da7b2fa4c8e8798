/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/csv.h"

#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"

/* An input that is made as it is read: `text`, then `fill_len` times the byte `fill`, then `tail`.
 */
struct input {
    mt_bytes text;
    uint8_t fill;
    uint64_t fill_len;
    mt_bytes tail;
    size_t piece; /* 0: as much as there is room for */
    uint64_t given;
};

static mt_err read_input(void *context, mt_span out, size_t *got)
{
    struct input *in = context;
    size_t room = in->piece > 0 && in->piece < out.len ? in->piece : out.len;
    size_t len = 0;
    while (len < room) {
        uint64_t at = in->given;
        if (at < in->text.len) {
            out.ptr[len] = in->text.ptr[at];
        } else if (at - in->text.len < in->fill_len) {
            out.ptr[len] = in->fill;
        } else if (at - in->text.len - in->fill_len < in->tail.len) {
            out.ptr[len] = in->tail.ptr[at - in->text.len - in->fill_len];
        } else {
            break;
        }
        in->given++;
        len++;
    }
    *got = len;
    return MT_OK;
}

/* What became of an input. */
struct outcome {
    const char *what; /* NULL: well */
    enum mt_code code;
    struct mt_csv_place place;
    uint64_t rows;
    size_t memory_peak;
    uint8_t text[4096]; /* every row: fields in brackets, and a semicolon */
    size_t len;
};

static void show(struct outcome *o, mt_bytes field)
{
    struct mt_writer w = mt_writer_over((mt_span){o->text + o->len, sizeof o->text - o->len});
    mt_write_bytes(&w, MT_LITERAL("["));
    mt_write_bytes(&w, field);
    mt_write_bytes(&w, MT_LITERAL("]"));
    o->len += mt_failed(w.failed) ? 0 : w.used;
}

static mt_err read_rows(struct mt_csv *csv, struct outcome *o)
{
    const mt_bytes *fields = NULL;
    for (;;) {
        MT_TRY(mt_csv_next(csv, &fields));
        if (fields == NULL) {
            return MT_OK;
        }
        o->rows++;
        for (uint32_t i = 0; i < mt_csv_columns(csv); i++) {
            show(o, fields[i]);
        }
        if (o->len < sizeof o->text) {
            o->text[o->len++] = ';';
        }
    }
}

static struct outcome read_all(struct input in, bool is_prefix)
{
    struct outcome o = {.what = NULL};
    struct mt_job_memory memory;
    mt_job_memory_init(&memory, 4 * 1024 * 1024);
    MT_DEFER(mt_csv_free) struct mt_csv *csv = NULL;
    mt_err e =
        mt_csv_open(&memory, (struct mt_csv_source){read_input, &in}, is_prefix, &csv, &o.place);
    if (!mt_failed(e)) {
        e = read_rows(csv, &o);
        o.place = mt_csv_place_of_fault(csv);
    }
    if (mt_failed(e)) {
        MT_ASSERT(e.fault->code == MT_E_FORMAT || e.fault->code == MT_E_LIMIT);
        o.what = e.fault->what;
        o.code = e.fault->code;
    }
    mt_csv_free(&csv);
    MT_ASSERT(atomic_load(&memory.used) == 0);
    o.memory_peak = atomic_load(&memory.peak);
    return o;
}

static struct outcome read_text(mt_bytes text)
{
    return read_all((struct input){.text = text}, false);
}

#define READS(text_, rows_) MT_ASSERT(reads(MT_LITERAL(text_), MT_LITERAL(rows_)))

/* In every size of pieces. */
static bool reads(mt_bytes text, mt_bytes rows)
{
    bool is_good = true;
    for (size_t piece = 0; piece <= text.len; piece++) {
        struct outcome o = read_all((struct input){.text = text, .piece = piece}, false);
        is_good = is_good && o.what == NULL && mt_bytes_equal((mt_bytes){o.text, o.len}, rows);
    }
    return is_good;
}

/* Refused for this reason, at this place, in every size of pieces. */
static bool is_refused(mt_bytes text, const char *what, struct mt_csv_place place)
{
    bool is_good = true;
    for (size_t piece = 0; piece <= text.len; piece++) {
        struct outcome o = read_all((struct input){.text = text, .piece = piece}, false);
        is_good = is_good && o.what != NULL && strcmp(o.what, what) == 0 &&
                  o.place.row == place.row && o.place.column == place.column &&
                  o.place.offset == place.offset;
    }
    return is_good;
}

#define REFUSES(text_, what_, ...)                                                                 \
    MT_ASSERT(is_refused(MT_LITERAL(text_), what_, (struct mt_csv_place){__VA_ARGS__}))

static void rows_are_cut_into_fields(void)
{
    READS("a,b\n1,2\n3,4\n", "[1][2];[3][4];");
    READS("a,b\r\n1,2\r\n3,4\r\n", "[1][2];[3][4];");
    READS("a,b\n1,2\r\n3,4", "[1][2];[3][4];");
    READS("a,b\n,\n", "[][];");
    READS("a,b", "");
    READS("a,b\n", "");
    READS("a\nx\n", "[x];");
    READS("a\n\n", "[];");
    READS("a\n x \n", "[ x ];");
}

static void quotes_hide_commas_line_ends_and_quotes(void)
{
    READS("a,b\n\"1,2\",\"3\n4\"\n", "[1,2][3\n4];");
    READS("a,b\n\"x \"\"y\"\" z\",\"\"\n", "[x \"y\" z][];");
    READS("a,b\n\"\"\"\",\"\"\"\"\"\"", "[\"][\"\"];");
    READS("\"a \"\"1\"\"\",b\r\n\"1\r\n2\",\"3\"\r\n", "[1\r\n2][3];");
    READS("a\n\"1\"", "[1];");
    READS("a\n\"\"", "[];");
}

static void a_byte_order_mark_is_skipped(void)
{
    READS("\xef\xbb\xbf"
          "a,b\n1,2\n",
          "[1][2];");
    READS("\xef\xbb\xbf\"a\",b\n1,2\n", "[1][2];");
    REFUSES("\xef\xbb\xbf", "empty: a header row is required", 1, 0, 0);
}

static void an_empty_input_is_refused(void)
{
    REFUSES("", "empty: a header row is required", 1, 0, 0);
}

static void a_header_needs_distinct_names(void)
{
    REFUSES("a,,c\n1,2,3\n", "the header has a column without a name", 1, 2, 2);
    REFUSES("\n1\n", "the header has a column without a name", 1, 1, 0);
    REFUSES("a,b,a\n1,2,3\n", "the header has two columns of the same name", 1, 3, 4);
}

static void a_ragged_row_is_refused_with_row_and_column(void)
{
    REFUSES("a,b\n1,2\n3\n", "fewer fields than the header has", 3, 2, 9);
    REFUSES("a,b\n1,2\n\n", "fewer fields than the header has", 3, 2, 8);
    REFUSES("a,b\n1,2\n3,4,5\n", "more fields than the header has", 3, 3, 11);
    REFUSES("a,b\n1,2,", "more fields than the header has", 2, 3, 7);
}

static void bad_quoting_is_refused_with_row_and_column(void)
{
    REFUSES("a,b\n1,x\"y\n", "a quote inside a field that does not begin with one", 2, 2, 7);
    REFUSES("a,b\n1, \"y\"\n", "a quote inside a field that does not begin with one", 2, 2, 7);
    REFUSES("a,b\n1,\"x\"y\n", "something follows a closing quote", 2, 2, 9);
    REFUSES("a,b\n\"x\" ,1\n", "something follows a closing quote", 2, 1, 7);
    REFUSES("a,b\n1,\"xy\n2,3\n", "a quote is not closed", 2, 2, 6);
    REFUSES("a,b\n1,\"", "a quote is not closed", 2, 2, 6);
}

static void a_bare_carriage_return_is_refused(void)
{
    REFUSES("a,b\n1,x\ry\n", "a carriage return without a line feed, outside quotes", 2, 2, 7);
    REFUSES("a,b\n1,2\r", "a carriage return without a line feed, outside quotes", 2, 2, 7);
    REFUSES("a\n\"x\"\r\r\n", "a carriage return without a line feed, outside quotes", 2, 1, 5);
}

static void a_nul_is_refused_with_row_and_column(void)
{
    REFUSES("a,b\n1,x\0y\n", "a NUL byte", 2, 2, 7);
    REFUSES("a\0,b\n1,2\n", "a NUL byte", 1, 1, 1);
    REFUSES("a,b\n\"1\0\",2\n", "a NUL byte", 2, 1, 6);
}

static void text_that_is_not_utf_8_is_refused_with_row_and_column(void)
{
    static const char *const good[] = {"\xc3\xa9",     "\xe2\x82\xac",     "\xf0\x9f\x98\x80",
                                       "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc3",
                                      "\xc3(",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xff",
                                      "\xe2\x82",
                                      "\xf0\x9f\x98"};
    uint8_t room[256];
    for (size_t filler = 0; filler < 130; filler += 13) { /* in and between blocks */
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
            struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
            mt_write_bytes(&w, MT_LITERAL("a,b\n1,"));
            for (size_t f = 0; f < filler; f++) {
                mt_write_u8(&w, 'x');
            }
            mt_write_bytes(&w, mt_bytes_of_text(good[i]));
            mt_write_bytes(&w, MT_LITERAL("\n"));
            struct outcome o = read_text((mt_bytes){room, w.used});
            MT_ASSERT(o.what == NULL);
            MT_ASSERT(o.rows == 1);
        }
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
            mt_write_bytes(&w, MT_LITERAL("a,b\n1,"));
            for (size_t f = 0; f < filler; f++) {
                mt_write_u8(&w, 'x');
            }
            mt_write_bytes(&w, mt_bytes_of_text(bad[i]));
            MT_ASSERT(is_refused((mt_bytes){room, w.used}, "not UTF-8",
                                 (struct mt_csv_place){2, 2, 6 + filler}));
            mt_write_bytes(&w, MT_LITERAL("\n2,3\n"));
            MT_ASSERT(is_refused((mt_bytes){room, w.used}, "not UTF-8",
                                 (struct mt_csv_place){2, 2, 6 + filler}));
        }
    }
}

static void the_first_wrong_byte_of_a_row_is_the_one_that_is_named(void)
{
    REFUSES("a,b\n\xff,x\"y\n", "not UTF-8", 2, 1, 4);
    REFUSES("a,b\nx\"y,\xff\n", "a quote inside a field that does not begin with one", 2, 1, 5);
    REFUSES("a,b\n\xff\n", "not UTF-8", 2, 1, 4);
    REFUSES("a,b\n1,2\n3,\"4\xff", "not UTF-8", 3, 2, 12);
}

static void a_gibibyte_without_a_line_end_is_refused_in_bounded_memory(void)
{
    static const char *const starts[] = {"a,b\n1,", "a,b\n1,\"", ""};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct input in = {
            .text = mt_bytes_of_text(starts[i]), .fill = 'x', .fill_len = UINT64_C(1) << 30};
        struct outcome o = read_all(in, false);
        MT_ASSERT(o.what != NULL);
        MT_ASSERT(o.code == MT_E_LIMIT);
        MT_ASSERT(strcmp(o.what, "a row is longer than 1 MiB") == 0);
        MT_ASSERT(o.place.row == (i == 2 ? 1 : 2));
        MT_ASSERT(o.place.column == (i == 2 ? 1 : 2));
        MT_ASSERT(o.memory_peak <= 3 * MT_CSV_RECORD_BYTES_MAX);
    }
}

static void a_row_may_be_as_long_as_the_limit_and_not_longer(void)
{
    for (size_t over = 0; over <= 1; over++) {
        for (size_t piece = 0; piece <= 50021; piece += 50021) {
            struct input in = {.text = MT_LITERAL("a,b\n1,"),
                               .fill = 'x',
                               .fill_len = MT_CSV_RECORD_BYTES_MAX - 3 + over,
                               .tail = MT_LITERAL("\n3,4\n"),
                               .piece = piece};
            struct outcome o = read_all(in, false);
            MT_ASSERT((o.what == NULL) == (over == 0));
            MT_ASSERT(o.rows == (over == 0 ? 2 : 0));
        }
    }
}

static void many_columns_are_refused(void)
{
    struct input in = {
        .text = MT_LITERAL("a"), .fill = ',', .fill_len = 100000, .tail = MT_LITERAL("b\n")};
    struct outcome o = read_all(in, false);
    MT_ASSERT(o.code == MT_E_LIMIT);
    MT_ASSERT(o.place.row == 1);
    MT_ASSERT(o.place.column == MT_CSV_COLUMNS_MAX + 1);
}

static void a_prefix_may_end_anywhere(void)
{
    mt_bytes whole = MT_LITERAL("n\xc3\xa4me,b\r\n\"1 \"\"x\"\"\",2\r\n\xe2\x82\xac,\"4\r\n\"\r\n");
    for (size_t len = 0; len <= whole.len; len++) {
        struct outcome o = read_all((struct input){.text = {whole.ptr, len}}, true);
        bool has_header = len >= 9;
        MT_ASSERT((o.what == NULL) == has_header);
        MT_ASSERT(o.rows == (len == whole.len ? 2U : len >= 22 ? 1U : 0U));
    }
}

static mt_err keep(void *context, mt_bytes bytes)
{
    return mt_buf_append(context, bytes);
}

static mt_err fail(void *context, mt_bytes bytes)
{
    (void)context;
    (void)bytes;
    MT_FAIL(MT_E_IO, "no");
}

static void what_is_written_is_quoted_where_it_must_be(void)
{
    static struct mt_csv_writer w;
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(4096);
    mt_csv_writer_init(&w, (struct mt_csv_sink){keep, &out});
    mt_csv_put(&w, MT_LITERAL("plain"));
    mt_csv_put(&w, MT_LITERAL("a,b"));
    mt_csv_put(&w, MT_LITERAL("say \"x\""));
    mt_csv_put(&w, MT_LITERAL("two\nlines"));
    mt_csv_put(&w, MT_LITERAL("\r"));
    mt_csv_put(&w, MT_LITERAL(""));
    mt_csv_end_row(&w);
    mt_csv_put(&w, MT_LITERAL(""));
    mt_csv_end_row(&w);
    mt_csv_put(&w, MT_LITERAL(""));
    mt_csv_put(&w, MT_LITERAL(""));
    mt_csv_end_row(&w);
    MT_ASSERT(!mt_failed(mt_csv_writer_end(&w)));
    MT_ASSERT(mt_bytes_equal(
        mt_buf_bytes(&out),
        MT_LITERAL("plain,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\"\r\",\r\n\"\"\r\n,\r\n")));
}

static void a_writer_remembers_its_first_failure(void)
{
    static struct mt_csv_writer w;
    mt_csv_writer_init(&w, (struct mt_csv_sink){fail, NULL});
    for (int i = 0; i < 50000; i++) {
        mt_csv_put(&w, MT_LITERAL("xxxx"));
        mt_csv_end_row(&w);
    }
    mt_err e = mt_csv_writer_end(&w);
    MT_ASSERT(mt_failed(e));
    MT_ASSERT(e.fault->code == MT_E_IO);
}

static mt_err fail_to_read(void *context, mt_span out, size_t *got)
{
    uint32_t *left = context;
    MT_REQUIRE(*left > 0, MT_E_IO, "the disk says no");
    (*left)--;
    memset(out.ptr, 'x', 10);
    *got = 10;
    return MT_OK;
}

static void a_failure_of_the_source_comes_through(void)
{
    for (uint32_t reads = 0; reads < 5; reads++) {
        uint32_t left = reads;
        struct mt_job_memory memory;
        struct mt_csv_place place = {0, 0, 0};
        mt_job_memory_init(&memory, 1 << 20);
        struct mt_csv *csv = NULL;
        mt_err e =
            mt_csv_open(&memory, (struct mt_csv_source){fail_to_read, &left}, false, &csv, &place);
        MT_ASSERT(mt_failed(e));
        MT_ASSERT(e.fault->code == MT_E_IO);
        MT_ASSERT(csv == NULL);
        MT_ASSERT(atomic_load(&memory.used) == 0);
    }
}

static void the_reader_keeps_to_the_jobs_memory(void)
{
    for (size_t max = 0; max < 300000; max += 4999) {
        struct mt_job_memory memory;
        struct mt_csv_place place = {0, 0, 0};
        struct input in = {.text = MT_LITERAL("a\n1\n")};
        mt_job_memory_init(&memory, max);
        MT_DEFER(mt_csv_free) struct mt_csv *csv = NULL;
        mt_err e =
            mt_csv_open(&memory, (struct mt_csv_source){read_input, &in}, false, &csv, &place);
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_LIMIT);
        MT_ASSERT(mt_failed(e) == (max < 180000));
        MT_ASSERT(atomic_load(&memory.peak) <= max);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(rows_are_cut_into_fields),
        MT_TEST(quotes_hide_commas_line_ends_and_quotes),
        MT_TEST(a_byte_order_mark_is_skipped),
        MT_TEST(an_empty_input_is_refused),
        MT_TEST(a_header_needs_distinct_names),
        MT_TEST(a_ragged_row_is_refused_with_row_and_column),
        MT_TEST(bad_quoting_is_refused_with_row_and_column),
        MT_TEST(a_bare_carriage_return_is_refused),
        MT_TEST(a_nul_is_refused_with_row_and_column),
        MT_TEST(text_that_is_not_utf_8_is_refused_with_row_and_column),
        MT_TEST(the_first_wrong_byte_of_a_row_is_the_one_that_is_named),
        MT_TEST(a_gibibyte_without_a_line_end_is_refused_in_bounded_memory),
        MT_TEST(a_row_may_be_as_long_as_the_limit_and_not_longer),
        MT_TEST(many_columns_are_refused),
        MT_TEST(a_prefix_may_end_anywhere),
        MT_TEST(what_is_written_is_quoted_where_it_must_be),
        MT_TEST(a_writer_remembers_its_first_failure),
        MT_TEST(a_failure_of_the_source_comes_through),
        MT_TEST(the_reader_keeps_to_the_jobs_memory),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
