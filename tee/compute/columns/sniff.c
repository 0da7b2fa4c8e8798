/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/sniff.h"

#include <string.h>

#include "base/limits.h"
#include "compute/columns/csv.h"
#include "compute/columns/decimal.h"

/* What the cells of a column have been so far. */
struct guess {
    uint32_t whole_digits;
    uint32_t scale;
    bool is_text;
};

struct sniff {
    struct mt_job_memory memory;
    struct mt_csv *csv;
    mt_bytes rest;
    uint64_t rows;
    struct guess guesses[MT_CSV_COLUMNS_MAX];
};

static void sniff_done(struct sniff *s)
{
    mt_csv_free(&s->csv);
}

static mt_err read_rest(void *context, mt_span out, size_t *got)
{
    mt_bytes *rest = context;
    size_t len = rest->len < out.len ? rest->len : out.len;
    if (len > 0) {
        memcpy(out.ptr, rest->ptr, len);
        *rest = (mt_bytes){rest->ptr + len, rest->len - len};
    }
    *got = len;
    return MT_OK;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static void look(struct guess *g, mt_bytes cell)
{
    size_t at = cell.len > 0 && cell.ptr[0] == '-';
    size_t whole = at;
    while (whole < cell.len && is_digit(cell.ptr[whole])) {
        whole++;
    }
    size_t end = whole < cell.len && cell.ptr[whole] == '.' ? whole + 1 : whole;
    size_t fraction = end;
    while (end < cell.len && is_digit(cell.ptr[end])) {
        end++;
    }
    bool has_zero_before = whole - at > 1 && cell.ptr[at] == '0';
    bool is_number = end == cell.len && whole > at && (fraction == whole || end > fraction);
    if (!is_number || has_zero_before || end - at > MT_DECIMAL_DIGITS_MAX + 1) {
        g->is_text = true;
        return;
    }
    uint32_t whole_digits = (uint32_t)(whole - at);
    uint32_t scale = (uint32_t)(end - fraction);
    g->whole_digits = whole_digits > g->whole_digits ? whole_digits : g->whole_digits;
    g->scale = scale > g->scale ? scale : g->scale;
}

static MT_ERR look_at_rows(struct sniff *s)
{
    const mt_bytes *fields = NULL;
    for (;;) {
        MT_TRY(mt_csv_next(s->csv, &fields));
        if (fields == NULL) {
            return MT_OK;
        }
        s->rows++;
        for (uint32_t i = 0; i < mt_csv_columns(s->csv); i++) {
            look(&s->guesses[i], fields[i]);
        }
    }
}

static void write_column(const struct sniff *s, uint32_t column, struct mt_json_writer *j)
{
    const struct guess *g = &s->guesses[column];
    bool is_text = s->rows == 0 || g->is_text || g->whole_digits + g->scale > MT_DECIMAL_DIGITS_MAX;
    mt_json_begin_object(j, NULL);
    mt_json_put_text(j, "name", mt_csv_name(s->csv, column));
    if (!is_text && g->scale > 0) {
        mt_json_put_uint(j, "scale", g->scale);
    }
    mt_json_put_literal(j, "type", is_text ? "text" : g->scale > 0 ? "decimal" : "integer");
    mt_json_end_object(j);
}

MT_ERR mt_sniff_write(mt_bytes start, bool is_whole, struct mt_json_writer *j, const char *name)
{
    MT_DEFER(sniff_done) struct sniff s = {.rest = start};
    struct mt_csv_place place;
    mt_job_memory_init(&s.memory, MT_SNIFF_MEMORY_BYTES);
    MT_TRY(mt_csv_open(&s.memory, (struct mt_csv_source){read_rest, &s.rest}, !is_whole, &s.csv,
                       &place));
    MT_TRY(look_at_rows(&s));
    mt_json_begin_array(j, name);
    for (uint32_t i = 0; i < mt_csv_columns(s.csv); i++) {
        write_column(&s, i, j);
    }
    mt_json_end_array(j);
    return MT_OK;
}
