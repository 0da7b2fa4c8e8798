/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "compute/columns/csv.h"

static mt_err sink_write(const struct mt_csv_sink *s, mt_bytes bytes)
{
    return s->write(s->context, bytes);
}

static void flush(struct mt_csv_writer *w)
{
    if (!mt_failed(w->failed) && w->used > 0) {
        w->failed = sink_write(&w->sink, (mt_bytes){w->room, w->used});
    }
    w->used = 0;
}

static void put(struct mt_csv_writer *w, mt_bytes bytes)
{
    while (bytes.len > 0) {
        if (w->used == sizeof w->room) {
            flush(w);
        }
        size_t len = sizeof w->room - w->used;
        len = len < bytes.len ? len : bytes.len;
        memcpy(w->room + w->used, bytes.ptr, len);
        w->used += len;
        bytes = (mt_bytes){bytes.ptr + len, bytes.len - len};
    }
}

void mt_csv_writer_init(struct mt_csv_writer *w, struct mt_csv_sink sink)
{
    w->sink = sink;
    w->failed = MT_OK;
    w->used = 0;
    w->fields = 0;
    w->is_blank = true;
}

/* A byte order mark at the beginning would be taken for the file's, were it not quoted. */
static bool needs_quotes(mt_bytes field)
{
    if (mt_bytes_start_with(field, MT_LITERAL("\xef\xbb\xbf"))) {
        return true;
    }
    for (size_t i = 0; i < field.len; i++) {
        uint8_t c = field.ptr[i];
        if (c == ',' || c == '"' || c == '\r' || c == '\n') {
            return true;
        }
    }
    return false;
}

static void put_quoted(struct mt_csv_writer *w, mt_bytes field)
{
    put(w, MT_LITERAL("\""));
    for (size_t i = 0; i < field.len; i++) {
        if (field.ptr[i] == '"') {
            put(w, MT_LITERAL("\""));
        }
        put(w, (mt_bytes){field.ptr + i, 1});
    }
    put(w, MT_LITERAL("\""));
}

void mt_csv_put(struct mt_csv_writer *w, mt_bytes field)
{
    if (w->fields > 0) {
        put(w, MT_LITERAL(","));
    }
    w->fields++;
    w->is_blank = w->fields == 1 && field.len == 0;
    if (needs_quotes(field)) {
        put_quoted(w, field);
    } else {
        put(w, field);
    }
}

void mt_csv_end_row(struct mt_csv_writer *w)
{
    if (w->is_blank) { /* an empty line is read as no row by many */
        put(w, MT_LITERAL("\"\""));
    }
    w->fields = 0;
    w->is_blank = true;
    put(w, MT_LITERAL("\r\n"));
}

MT_ERR mt_csv_writer_end(struct mt_csv_writer *w)
{
    flush(w);
    return w->failed;
}
