/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "wire/json.h"

/* Else a reader would refuse it, or round it. */
static MT_ERR check_53_bits(uint64_t value)
{
    MT_REQUIRE(value <= MT_JSON_INTEGER_MAX, MT_E_LIMIT, "JSON: an integer beyond 53 bits");
    return MT_OK;
}

struct mt_json_writer mt_json_writer_over(struct mt_writer *w)
{
    return (struct mt_json_writer){.w = w};
}

/* U+FFFD, RFC 3629: what stands for bytes that are no character, and for NUL, which no reader of
 * ours takes. */
static void write_replacement(struct mt_writer *w)
{
    mt_write_bytes(w, MT_LITERAL("\xef\xbf\xbd"));
}

/* The escapes that RFC 8259, 7, demands, the short one where there is one: one text per string. */
static void write_control(struct mt_writer *w, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    static const char shorts[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    mt_write_u8(w, '\\');
    if (c < sizeof shorts && shorts[c] != 0) {
        mt_write_u8(w, (uint8_t)shorts[c]);
        return;
    }
    mt_write_bytes(w, MT_LITERAL("u00"));
    mt_write_u8(w, (uint8_t)digits[c >> 4]);
    mt_write_u8(w, (uint8_t)digits[c & 15]);
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* One character at least; runs of plain ones at once. Returns the bytes consumed. */
static size_t write_some(struct mt_writer *w, mt_bytes rest)
{
    size_t run = 0;
    while (run < rest.len && is_plain(rest.ptr[run])) {
        run++;
    }
    if (run > 0) {
        mt_write_bytes(w, (mt_bytes){rest.ptr, run});
        return run;
    }
    uint8_t c = rest.ptr[0];
    size_t len = mt_utf8_len(rest);
    if (c == 0 || len == 0) {
        write_replacement(w);
        return 1;
    }
    if (c == '"' || c == '\\') {
        mt_write_u8(w, '\\');
        mt_write_u8(w, c);
    } else if (c < 0x20) {
        write_control(w, c);
    } else {
        mt_write_bytes(w, (mt_bytes){rest.ptr, len});
    }
    return len;
}

void mt_json_write_text(struct mt_writer *w, mt_bytes text)
{
    mt_write_u8(w, '"');
    size_t at = 0;
    while (at < text.len) {
        at += write_some(w, (mt_bytes){text.ptr + at, text.len - at});
    }
    mt_write_u8(w, '"');
}

static uint32_t level_bit(const struct mt_json_writer *j)
{
    return 1U << j->depth;
}

/* The comma and the name before a value. */
static void before_value(struct mt_json_writer *j, const char *name)
{
    bool is_in_object = j->depth > 0 && (j->is_object & level_bit(j)) != 0;
    MT_ASSERT((name != NULL) == is_in_object);
    if ((j->has_member & level_bit(j)) != 0) {
        MT_ASSERT(j->depth > 0); /* one value at the top */
        mt_write_u8(j->w, ',');
    }
    j->has_member |= level_bit(j);
    if (name != NULL) {
        mt_json_write_text(j->w, mt_bytes_of_text(name));
        mt_write_u8(j->w, ':');
    }
}

static void begin(struct mt_json_writer *j, const char *name, bool is_object)
{
    before_value(j, name);
    mt_write_u8(j->w, is_object ? '{' : '[');
    MT_ASSERT(j->depth < MT_JSON_DEPTH_MAX);
    j->depth++;
    j->has_member &= ~level_bit(j);
    j->is_object = is_object ? j->is_object | level_bit(j) : j->is_object & ~level_bit(j);
}

static void end(struct mt_json_writer *j, bool is_object)
{
    MT_ASSERT(j->depth > 0);
    MT_ASSERT(((j->is_object & level_bit(j)) != 0) == is_object);
    mt_write_u8(j->w, is_object ? '}' : ']');
    j->depth--;
}

void mt_json_begin_object(struct mt_json_writer *j, const char *name)
{
    begin(j, name, true);
}

void mt_json_end_object(struct mt_json_writer *j)
{
    end(j, true);
}

void mt_json_begin_array(struct mt_json_writer *j, const char *name)
{
    begin(j, name, false);
}

void mt_json_end_array(struct mt_json_writer *j)
{
    end(j, false);
}

void mt_json_put_text(struct mt_json_writer *j, const char *name, mt_bytes value)
{
    before_value(j, name);
    mt_json_write_text(j->w, value);
}

void mt_json_put_literal(struct mt_json_writer *j, const char *name, const char *value)
{
    mt_json_put_text(j, name, mt_bytes_of_text(value));
}

void mt_json_put_uint(struct mt_json_writer *j, const char *name, uint64_t value)
{
    before_value(j, name);
    mt_write_err(j->w, check_53_bits(value));
    mt_write_number(j->w, value);
}

void mt_json_put_bool(struct mt_json_writer *j, const char *name, bool value)
{
    before_value(j, name);
    mt_write_bytes(j->w, value ? MT_LITERAL("true") : MT_LITERAL("false"));
}

void mt_json_put_hex(struct mt_json_writer *j, const char *name, mt_bytes value)
{
    before_value(j, name);
    mt_write_u8(j->w, '"');
    mt_hex_write(j->w, value);
    mt_write_u8(j->w, '"');
}

void mt_json_put_node(struct mt_json_writer *j, const char *name, const struct mt_json *node)
{
    before_value(j, name);
    mt_json_write(j->w, node);
}

void mt_json_put_written(struct mt_json_writer *j, const char *name, mt_bytes value)
{
    before_value(j, name);
    mt_write_bytes(j->w, value);
}

void mt_json_put_null(struct mt_json_writer *j, const char *name)
{
    before_value(j, name);
    mt_write_bytes(j->w, MT_LITERAL("null"));
}
