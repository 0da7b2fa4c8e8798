/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/csv.h"

#include <string.h>

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A text that is read in pieces of the same size. */
struct pieces {
    mt_bytes rest;
    size_t piece;
};

static mt_err read_piece(void *context, mt_span out, size_t *got)
{
    struct pieces *p = context;
    size_t len = p->piece < out.len ? p->piece : out.len;
    len = len < p->rest.len ? len : p->rest.len;
    if (len > 0) {
        memcpy(out.ptr, p->rest.ptr, len);
    }
    p->rest = (mt_bytes){p->rest.ptr + len, p->rest.len - len};
    *got = len;
    return MT_OK;
}

static mt_err keep(void *context, mt_bytes bytes)
{
    return mt_buf_append(context, bytes);
}

/* How reading a text ended, and all its rows, written anew. */
struct outcome {
    const char *what; /* NULL: well */
    struct mt_csv_place place;
    struct mt_buf rows;
};

static void outcome_done(struct outcome *o)
{
    mt_buf_free(&o->rows);
}

static mt_err read_rows(struct mt_csv *csv, struct mt_csv_writer *w)
{
    const mt_bytes *fields = NULL;
    for (uint32_t i = 0; i < mt_csv_columns(csv); i++) {
        mt_csv_put(w, mt_csv_name(csv, i));
    }
    mt_csv_end_row(w);
    for (;;) {
        MT_TRY(mt_csv_next(csv, &fields));
        if (fields == NULL) {
            return MT_OK;
        }
        for (uint32_t i = 0; i < mt_csv_columns(csv); i++) {
            mt_csv_put(w, fields[i]);
        }
        mt_csv_end_row(w);
    }
}

static struct outcome read_all(mt_bytes text, size_t piece, bool is_prefix)
{
    static struct mt_csv_writer w; /* large */
    struct outcome o = {.rows = mt_buf_of_max(SIZE_MAX / 2)};
    struct pieces pieces = {text, piece};
    struct mt_job_memory memory;
    mt_job_memory_init(&memory, 16 * 1024 * 1024);
    {
        MT_DEFER(mt_csv_free) struct mt_csv *csv = NULL;
        mt_err e = mt_csv_open(&memory, (struct mt_csv_source){read_piece, &pieces}, is_prefix,
                               &csv, &o.place);
        mt_csv_writer_init(&w, (struct mt_csv_sink){keep, &o.rows});
        if (!mt_failed(e)) {
            e = read_rows(csv, &w);
            o.place = mt_failed(e) ? mt_csv_place_of_fault(csv) : (struct mt_csv_place){0, 0, 0};
        }
        MT_ASSERT(!mt_failed(mt_csv_writer_end(&w)));
        o.what = mt_failed(e) ? e.fault->what : NULL;
    }
    MT_ASSERT(atomic_load(&memory.used) == 0);
    return o;
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    MT_ASSERT((a->what == NULL) == (b->what == NULL));
    MT_ASSERT(a->what == NULL || strcmp(a->what, b->what) == 0);
    MT_ASSERT(a->place.row == b->place.row);
    MT_ASSERT(a->place.column == b->place.column);
    MT_ASSERT(a->place.offset == b->place.offset);
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&a->rows), mt_buf_bytes(&b->rows)));
}

/* However it is cut into pieces, a text reads the same, faults and their places included; what is
 * read well reads the same when it is written anew; a prefix of a good text is a good prefix. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0) {
        return 0;
    }
    mt_bytes text = {data + 1, len - 1};
    size_t piece = (size_t)data[0] % 80 + 1;
    MT_DEFER(outcome_done) struct outcome whole = read_all(text, SIZE_MAX, false);
    MT_DEFER(outcome_done) struct outcome pieces = read_all(text, piece, false);
    check_same(&whole, &pieces);
    MT_ASSERT(whole.what == NULL || whole.place.row > 0);
    MT_ASSERT(whole.place.offset <= text.len);
    MT_DEFER(outcome_done) struct outcome prefix = read_all(text, SIZE_MAX, true);
    MT_DEFER(outcome_done) struct outcome prefix_pieces = read_all(text, piece, true);
    check_same(&prefix, &prefix_pieces);
    if (whole.what == NULL) {
        struct outcome again = read_all(mt_buf_bytes(&whole.rows), SIZE_MAX, false);
        check_same(&whole, &again);
        outcome_done(&again);
        MT_ASSERT(prefix.what == NULL || mt_bytes_equal(mt_bytes_of_text(prefix.what),
                                                        MT_LITERAL("the header does not end")));
    }
    return 0;
}
