/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/fault.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"

/* What of a column's name is shown, so that the rest of the detail has its place. */
enum { SHOWN_MAX = 48 };

static void put_text(struct mt_writer *w, const char *text)
{
    mt_write_bytes(w, mt_bytes_of_text(text));
}

static void put_number(struct mt_writer *w, uint64_t number)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    mt_write_bytes(w, (mt_bytes){digits + at, sizeof digits - at});
}

/* Whole characters. */
static void put_name(struct mt_writer *w, mt_bytes name)
{
    size_t len = 0;
    while (len < name.len) {
        size_t step = mt_utf8_len((mt_bytes){name.ptr + len, name.len - len});
        if (step == 0 || len + step > SHOWN_MAX) {
            break;
        }
        len += step;
    }
    mt_write_bytes(w, (mt_bytes){name.ptr, len});
    if (len < name.len) {
        put_text(w, "...");
    }
}

static struct mt_writer detail_begin(struct mt_function_fault *fault)
{
    memset(fault->detail, 0, sizeof fault->detail);
    return mt_writer_over((mt_span){(uint8_t *)fault->detail, sizeof fault->detail - 1});
}

/* The parts are bounded so that they fit; if ever they do not, what is there ends with its NUL. */
static void detail_end(const struct mt_writer *w)
{
    MT_ASSERT(!mt_failed(w->failed));
}

static void extend(struct mt_fault_path *path, const char *text)
{
    mt_bytes bytes = mt_bytes_of_text(text);
    MT_ASSERT(bytes.len <= sizeof path->text - path->len);
    memcpy(path->text + path->len, bytes.ptr, bytes.len);
    path->len += bytes.len;
}

size_t mt_fault_path_enter_field(struct mt_fault_path *path, const char *field)
{
    size_t before = path->len;
    extend(path, before > 0 ? "." : "");
    extend(path, field);
    return before;
}

size_t mt_fault_path_enter(struct mt_fault_path *path, const char *list, uint32_t index)
{
    size_t before = mt_fault_path_enter_field(path, list);
    struct mt_writer w =
        mt_writer_over((mt_span){path->text + path->len, sizeof path->text - path->len});
    put_text(&w, "[");
    put_number(&w, index);
    put_text(&w, "]");
    MT_ASSERT(!mt_failed(w.failed));
    path->len += w.used;
    return before;
}

void mt_fault_of_field(struct mt_function_fault *fault, const struct mt_fault_path *path,
                       const char *field)
{
    struct mt_writer w = detail_begin(fault);
    put_text(&w, "arguments");
    put_text(&w, path->len > 0 || field != NULL ? ": " : "");
    mt_write_bytes(&w, (mt_bytes){path->text, path->len});
    put_text(&w, path->len > 0 && field != NULL ? "." : "");
    put_text(&w, field != NULL ? field : "");
    detail_end(&w);
}

void mt_fault_of_json(struct mt_function_fault *fault, uint32_t line, uint32_t column)
{
    struct mt_writer w = detail_begin(fault);
    put_text(&w, "arguments");
    if (line > 0) {
        put_text(&w, ": line ");
        put_number(&w, line);
        put_text(&w, ", column ");
        put_number(&w, column);
    }
    detail_end(&w);
}

void mt_fault_of_table(struct mt_function_fault *fault, mt_bytes input,
                       const struct mt_table_fault *where)
{
    struct mt_writer w = detail_begin(fault);
    put_text(&w, "input ");
    mt_write_bytes(&w, input);
    if (where->place.row > 0) {
        put_text(&w, ", row ");
        put_number(&w, where->place.row);
    }
    if (where->place.column > 0 || where->name.len > 0) {
        put_text(&w, ", column ");
    }
    if (where->place.column > 0) {
        put_number(&w, where->place.column);
    }
    if (where->name.len > 0) {
        put_text(&w, where->place.column > 0 ? " (" : "(");
        put_name(&w, where->name);
        put_text(&w, ")");
    }
    detail_end(&w);
}

void mt_fault_of_output(struct mt_function_fault *fault, mt_bytes output, mt_bytes column)
{
    struct mt_writer w = detail_begin(fault);
    put_text(&w, "output ");
    mt_write_bytes(&w, output);
    put_text(&w, ", column (");
    put_name(&w, column);
    put_text(&w, ")");
    detail_end(&w);
}
