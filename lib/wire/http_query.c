/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "wire/http.h"
#include "wire/http_chars.h"

/* A query is name=value pairs, '&' between them. Names need no escape. In values, unreserved
 * characters (RFC 3986, 2.3) stand for themselves and every other byte is %XX in upper case: one
 * text for a value. */
struct pair {
    mt_bytes name;
    mt_bytes value; /* still escaped */
};

static int upper_hex_digit(uint8_t c)
{
    return c >= 'a' && c <= 'f' ? -1 : mt_http_hex_digit(c);
}

static MT_ERR check_value(mt_bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (mt_http_is_in(&mt_http_unreserved, value.ptr[i])) {
            continue;
        }
        MT_REQUIRE(value.ptr[i] != '+', MT_E_FORMAT,
                   "HTTP: a plus sign in a query (write %20 or %2B)");
        MT_REQUIRE(value.ptr[i] == '%', MT_E_FORMAT,
                   "HTTP: a byte in a query's value that must be escaped");
        bool is_whole = i + 2 < value.len;
        int high = is_whole ? upper_hex_digit(value.ptr[i + 1]) : -1;
        int low = is_whole ? upper_hex_digit(value.ptr[i + 2]) : -1;
        MT_REQUIRE(high >= 0 && low >= 0, MT_E_FORMAT,
                   "HTTP: a percent sign without two upper-case digits");
        int byte = high * 16 + low;
        MT_REQUIRE(byte != 0, MT_E_FORMAT, "HTTP: an escaped NUL");
        MT_REQUIRE(!mt_http_is_in(&mt_http_unreserved, (uint8_t)byte), MT_E_FORMAT,
                   "HTTP: a needless escape in a query");
        i += 2;
    }
    return MT_OK;
}

/* Moves `*rest` behind the next pair. */
static MT_ERR next_pair(mt_bytes *rest, struct pair *out)
{
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != '&') {
        len++;
    }
    MT_REQUIRE(len + 1 != rest->len, MT_E_FORMAT, "HTTP: a query ends with '&'");
    size_t name_len = mt_http_run(&mt_http_unreserved, (mt_bytes){rest->ptr, len});
    MT_REQUIRE(name_len > 0 && name_len < len && rest->ptr[name_len] == '=', MT_E_FORMAT,
               "HTTP: a query that is not of the form name=value&name=value");
    struct pair p = {{rest->ptr, name_len}, {rest->ptr + name_len + 1, len - name_len - 1}};
    MT_TRY(check_value(p.value));
    size_t eaten = len < rest->len ? len + 1 : len;
    *rest = (mt_bytes){rest->ptr + eaten, rest->len - eaten};
    *out = p;
    return MT_OK;
}

static MT_ERR decode(mt_bytes value, struct mt_buf *out)
{
    mt_span room;
    MT_TRY(mt_buf_reserve(out, value.len, &room));
    size_t used = 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        if (c == '%') {
            int high = mt_http_hex_digit(value.ptr[i + 1]);
            int low = mt_http_hex_digit(value.ptr[i + 2]);
            c = (uint8_t)(high * 16 + low);
            i += 2;
        }
        room.ptr[used++] = c;
    }
    out->len += used;
    return MT_OK;
}

MT_ERR mt_http_query_get(mt_bytes query, const char *name, struct mt_buf *out, bool *is_there)
{
    mt_bytes wanted = mt_bytes_of_text(name);
    mt_bytes found = {NULL, 0};
    while (query.len > 0) {
        struct pair p;
        MT_TRY(next_pair(&query, &p));
        if (mt_bytes_equal(p.name, wanted)) {
            MT_REQUIRE(found.ptr == NULL, MT_E_FORMAT, "HTTP: a name stands twice in a query");
            found = p.value;
        }
    }
    if (found.ptr != NULL && found.len > 0) {
        MT_TRY(decode(found, out));
    }
    *is_there = found.ptr != NULL;
    return MT_OK;
}

MT_ERR mt_http_query_known(mt_bytes query, const char *const *names)
{
    uint64_t seen = 0;
    while (query.len > 0) {
        struct pair p;
        size_t i = 0;
        MT_TRY(next_pair(&query, &p));
        while (names[i] != NULL && !mt_bytes_equal(p.name, mt_bytes_of_text(names[i]))) {
            i++;
        }
        MT_REQUIRE(names[i] != NULL, MT_E_FORMAT, "HTTP: an unknown name in the query");
        MT_ASSERT(i < 64); /* a bit for each of the caller's names */
        MT_REQUIRE((seen >> i & 1) == 0, MT_E_FORMAT, "HTTP: a name stands twice in a query");
        seen |= UINT64_C(1) << i;
    }
    return MT_OK;
}
