/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/log.h"

#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

/* Literals of ours are plain ASCII without quotes or backslashes; whatever is not is left out
 * rather than escaped. */
static void put_literal(struct mt_writer *w, const char *text)
{
    mt_write_u8(w, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c >= 0x20 && *c < 0x7f && *c != '"' && *c != '\\') {
            mt_write_u8(w, (uint8_t)*c);
        }
    }
    mt_write_u8(w, '"');
}

static void put_field(struct mt_writer *w, const struct mt_log_field *f)
{
    mt_write_bytes(w, MT_LITERAL(","));
    put_literal(w, f->name);
    mt_write_bytes(w, MT_LITERAL(":"));
    if (f->literal != NULL) {
        put_literal(w, f->literal);
    } else {
        mt_write_number(w, f->number);
    }
}

void mt_log(const char *event, const struct mt_log_field *fields, size_t count)
{
    uint8_t line[LINE_MAX_BYTES];
    struct timespec t = {0};
    struct mt_writer w = mt_writer_over((mt_span){line, sizeof line});
    mt_bytes all;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    mt_write_bytes(&w, MT_LITERAL("{\"time_ms\":"));
    mt_write_number(&w, (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000);
    mt_write_bytes(&w, MT_LITERAL(",\"event\":"));
    put_literal(&w, event);
    for (size_t i = 0; i < count; i++) {
        put_field(&w, &fields[i]);
    }
    mt_write_bytes(&w, MT_LITERAL("}\n"));
    if (!mt_failed(mt_write_end(&w, &all))) {
        ssize_t n = write(STDERR_FILENO, all.ptr, all.len);
        (void)n; /* nobody is left to tell */
    }
}

void mt_log_fault(const char *event, mt_err e)
{
    const struct mt_log_field fields[] = {
        {.name = "code", .literal = mt_code_name(e.fault->code)},
        {.name = "what", .literal = e.fault->what},
        {.name = "file", .literal = e.fault->file},
        {.name = "line", .number = (uint64_t)e.fault->line},
    };
    mt_log(event, fields, sizeof fields / sizeof *fields);
}
