/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/http_chars.h"

/* The test spells them out. */
const struct mt_http_chars mt_http_token = {{0x00000000, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff}};
const struct mt_http_chars mt_http_path = {{0x00000000, 0x2fffffd2, 0x87ffffff, 0x47fffffe}};
const struct mt_http_chars mt_http_query = {{0x00000000, 0xaffffff2, 0x87ffffff, 0x47fffffe}};
const struct mt_http_chars mt_http_host = {{0x00000000, 0x07ff6000, 0xaffffffe, 0x07fffffe}};
const struct mt_http_chars mt_http_unreserved = {{0x00000000, 0x03ff6000, 0x87fffffe, 0x47fffffe}};

size_t mt_http_run(const struct mt_http_chars *set, mt_bytes text)
{
    size_t i = 0;
    while (i < text.len && mt_http_is_in(set, text.ptr[i])) {
        i++;
    }
    return i;
}

static MT_ERR check_byte(uint8_t c)
{
    MT_REQUIRE(c != 0, MT_E_FORMAT, "HTTP: a NUL byte");
    MT_REQUIRE(c != '\r', MT_E_FORMAT, "HTTP: a carriage return that ends no line");
    MT_REQUIRE(c != '\t', MT_E_FORMAT, "HTTP: a tab");
    MT_REQUIRE(c >= 0x20 && c != 0x7f, MT_E_FORMAT, "HTTP: a control byte");
    MT_REQUIRE(c <= 0x7e, MT_E_FORMAT, "HTTP: a byte above 7e");
    return MT_OK;
}

MT_ERR mt_http_check_text(mt_bytes text)
{
    bool is_plain = true;
    for (size_t i = 0; i < text.len; i++) {
        is_plain &= text.ptr[i] >= 0x20 && text.ptr[i] <= 0x7e;
    }
    for (size_t i = 0; !is_plain && i < text.len; i++) {
        MT_TRY(check_byte(text.ptr[i]));
    }
    return MT_OK;
}

int mt_http_hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
