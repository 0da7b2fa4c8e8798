/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json_scan.h"

#include "base/limits.h"
#include "base/text.h"

/* What may come next. */
enum state {
    VALUE,          /* a value */
    FIRST_OR_CLOSE, /* directly behind [ */
    NAME,           /* behind a comma in an object */
    NAME_OR_CLOSE,  /* directly behind { */
    COLON,
    COMMA_OR_CLOSE,
    END,
};

struct scan {
    mt_bytes text;
    size_t at;
    enum state state;
    uint32_t depth;
    uint32_t values;
    bool is_object[MT_JSON_DEPTH_MAX];
    uint32_t members[MT_JSON_DEPTH_MAX];
};

static int peek(const struct scan *s)
{
    return s->at < s->text.len ? s->text.ptr[s->at] : -1;
}

static void skip_blanks(struct scan *s)
{
    int c = peek(s);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        s->at++;
        c = peek(s);
    }
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* Four hexadecimal digits at `at`. */
static MT_ERR read_u16(const struct scan *s, size_t at, uint32_t *out)
{
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; i++) {
        int c = i < s->text.len ? s->text.ptr[i] : -1;
        int lower = c | 0x20;
        MT_REQUIRE(is_digit(c) || (lower >= 'a' && lower <= 'f' && c > 0), MT_E_FORMAT,
                   "JSON: \\u needs four hexadecimal digits");
        value = value << 4 | (uint32_t)(is_digit(c) ? c - '0' : lower - 'a' + 10);
    }
    *out = value;
    return MT_OK;
}

/* Stands behind \u. A character beyond U+FFFF is a pair of surrogates, high and low, both escaped
 * (RFC 8259, 7). */
static MT_ERR scan_unicode(struct scan *s)
{
    uint32_t high = 0;
    uint32_t low = 0;
    MT_TRY(read_u16(s, s->at, &high));
    MT_REQUIRE(high != 0, MT_E_FORMAT, "JSON: a NUL in a string");
    if (high < 0xd800 || high > 0xdfff) {
        s->at += 4;
        return MT_OK;
    }
    bool is_pair = high < 0xdc00 && s->at + 6 <= s->text.len && s->text.ptr[s->at + 4] == '\\' &&
                   s->text.ptr[s->at + 5] == 'u';
    MT_REQUIRE(is_pair, MT_E_FORMAT, "JSON: half of a surrogate pair");
    MT_TRY(read_u16(s, s->at + 6, &low));
    MT_REQUIRE(low >= 0xdc00 && low <= 0xdfff, MT_E_FORMAT, "JSON: half of a surrogate pair");
    s->at += 10;
    return MT_OK;
}

static MT_ERR scan_escape(struct scan *s)
{
    s->at++;
    switch (peek(s)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        s->at++;
        return MT_OK;
    case 'u':
        s->at++;
        return scan_unicode(s);
    default:
        MT_FAIL(MT_E_FORMAT, "JSON: an unknown escape");
    }
}

static MT_ERR scan_string(struct scan *s)
{
    s->at++;
    for (;;) {
        int c = peek(s);
        MT_REQUIRE(c != -1, MT_E_FORMAT, "JSON: a string does not end");
        MT_REQUIRE(c >= 0x20, MT_E_FORMAT, "JSON: a control character in a string");
        if (c == '"') {
            s->at++;
            return MT_OK;
        }
        if (c == '\\') {
            MT_TRY(scan_escape(s));
            continue;
        }
        if (c < 0x80) {
            s->at++;
            continue;
        }
        size_t len = mt_utf8_len((mt_bytes){s->text.ptr + s->at, s->text.len - s->at});
        MT_REQUIRE(len > 0, MT_E_FORMAT, "JSON: not UTF-8");
        s->at += len;
    }
}

static MT_ERR scan_number(struct scan *s)
{
    size_t start = s->at;
    uint64_t value = 0;
    bool is_negative = peek(s) == '-';
    s->at += is_negative ? 1 : 0;
    MT_REQUIRE(is_digit(peek(s)), MT_E_FORMAT, "JSON: a minus sign without a number");
    bool is_zero_first = peek(s) == '0';
    size_t digits = s->at;
    for (int c = peek(s); is_digit(c); c = peek(s)) {
        value = value * 10 + (uint64_t)(c - '0');
        bool is_in_range = value <= MT_JSON_INTEGER_MAX;
        if (!is_in_range) {
            s->at = start;
        }
        MT_REQUIRE(is_in_range, MT_E_FORMAT, "JSON: an integer beyond 53 bits");
        s->at++;
    }
    int c = peek(s);
    MT_REQUIRE(c != '.' && c != 'e' && c != 'E', MT_E_FORMAT, "JSON: a number that is no integer");
    bool is_plain = !is_zero_first || (s->at == digits + 1 && !is_negative);
    if (!is_plain) {
        s->at = start;
    }
    MT_REQUIRE(is_plain, MT_E_FORMAT, "JSON: a number begins with a needless zero, or is -0");
    return MT_OK;
}

static MT_ERR scan_word(struct scan *s, mt_bytes word)
{
    mt_bytes rest = {s->text.ptr + s->at, s->text.len - s->at};
    MT_REQUIRE(mt_bytes_start_with(rest, word), MT_E_FORMAT, "JSON: a word but true, false, null");
    s->at += word.len;
    return MT_OK;
}

static MT_ERR open_level(struct scan *s, bool is_object)
{
    MT_REQUIRE(s->depth < MT_JSON_DEPTH_MAX, MT_E_LIMIT, "JSON: nested too deep");
    s->is_object[s->depth] = is_object;
    s->members[s->depth] = 0;
    s->depth++;
    s->at++;
    s->state = is_object ? NAME_OR_CLOSE : FIRST_OR_CLOSE;
    return MT_OK;
}

static void value_done(struct scan *s)
{
    s->state = s->depth > 0 ? COMMA_OR_CLOSE : END;
}

static void close_level(struct scan *s)
{
    s->depth--;
    s->at++;
    value_done(s);
}

static MT_ERR scan_value(struct scan *s)
{
    int c = peek(s);
    MT_REQUIRE(c != -1, MT_E_FORMAT, "JSON: the text ends too early");
    MT_REQUIRE(s->values < MT_JSON_VALUES_MAX, MT_E_LIMIT, "JSON: too many values");
    s->values++;
    if (c == '{' || c == '[') {
        return open_level(s, c == '{');
    }
    if (c == '"') {
        MT_TRY(scan_string(s));
    } else if (c == '-' || is_digit(c)) {
        MT_TRY(scan_number(s));
    } else if (c == 't') {
        MT_TRY(scan_word(s, MT_LITERAL("true")));
    } else if (c == 'f') {
        MT_TRY(scan_word(s, MT_LITERAL("false")));
    } else if (c == 'n') {
        MT_TRY(scan_word(s, MT_LITERAL("null")));
    } else {
        MT_FAIL(MT_E_FORMAT, "JSON: a value is due here");
    }
    value_done(s);
    return MT_OK;
}

static MT_ERR scan_name(struct scan *s)
{
    uint32_t *members = &s->members[s->depth - 1];
    MT_REQUIRE(peek(s) != -1, MT_E_FORMAT, "JSON: the text ends too early");
    MT_REQUIRE(peek(s) == '"', MT_E_FORMAT, "JSON: a name in quotation marks is due here");
    MT_REQUIRE(*members < MT_JSON_MEMBERS_MAX, MT_E_LIMIT, "JSON: an object has too many members");
    ++*members;
    s->state = COLON;
    return scan_string(s);
}

static MT_ERR scan_colon(struct scan *s)
{
    MT_REQUIRE(peek(s) != -1, MT_E_FORMAT, "JSON: the text ends too early");
    MT_REQUIRE(peek(s) == ':', MT_E_FORMAT, "JSON: a colon is due here");
    s->at++;
    s->state = VALUE;
    return MT_OK;
}

static MT_ERR scan_comma(struct scan *s)
{
    bool is_object = s->is_object[s->depth - 1];
    int c = peek(s);
    MT_REQUIRE(c != -1, MT_E_FORMAT, "JSON: the text ends too early");
    if (c == (is_object ? '}' : ']')) {
        close_level(s);
        return MT_OK;
    }
    MT_REQUIRE(c == ',', MT_E_FORMAT, "JSON: a comma or a closing bracket is due here");
    s->at++;
    s->state = is_object ? NAME : VALUE;
    return MT_OK;
}

static MT_ERR scan_one(struct scan *s)
{
    int c = peek(s);
    switch (s->state) {
    case FIRST_OR_CLOSE:
    case NAME_OR_CLOSE:
        if (c == (s->state == FIRST_OR_CLOSE ? ']' : '}')) {
            close_level(s);
            return MT_OK;
        }
        return s->state == FIRST_OR_CLOSE ? scan_value(s) : scan_name(s);
    case VALUE:
        return scan_value(s);
    case NAME:
        return scan_name(s);
    case COLON:
        return scan_colon(s);
    case COMMA_OR_CLOSE:
        return scan_comma(s);
    case END:
        break;
    }
    return MT_OK;
}

MT_ERR mt_json_scan(mt_bytes text, size_t *at)
{
    struct scan s = {.text = text, .state = VALUE};
    mt_err e = MT_OK;
    while (!mt_failed(e) && s.state != END) {
        skip_blanks(&s);
        e = scan_one(&s);
    }
    if (!mt_failed(e)) {
        skip_blanks(&s);
    }
    *at = s.at;
    MT_TRY(e);
    MT_REQUIRE(s.at == text.len, MT_E_FORMAT, "JSON: something follows the value");
    return MT_OK;
}

struct mt_text_place mt_json_place(mt_bytes text, size_t at)
{
    struct mt_text_place p = {1, 1, at};
    for (size_t i = 0; i < at && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            p.line++;
            p.column = 1;
        } else if ((text.ptr[i] & 0xc0) != 0x80) {
            p.column++;
        }
    }
    return p;
}
