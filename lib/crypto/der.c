/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/der.h"

MT_ERR mt_der_read(struct mt_reader *r, uint8_t *tag, mt_bytes *content)
{
    uint8_t first = 0;
    size_t len = 0;
    MT_TRY(mt_read_u8(r, tag));
    MT_TRY(mt_read_u8(r, &first));
    len = first;
    if (first == 0x81) {
        uint8_t more = 0;
        MT_TRY(mt_read_u8(r, &more));
        MT_REQUIRE(more >= 0x80, MT_E_FORMAT, "DER: a length is not in its shortest form");
        len = more;
    } else if (first == 0x82) {
        uint16_t more = 0;
        MT_TRY(mt_read_u16be(r, &more));
        MT_REQUIRE(more >= 0x100, MT_E_FORMAT, "DER: a length is not in its shortest form");
        len = more;
    } else {
        MT_REQUIRE(first < 0x80, MT_E_FORMAT, "DER: a length is too long");
    }
    return mt_read_bytes(r, len, content);
}

MT_ERR mt_der_read_tagged(struct mt_reader *r, uint8_t want, mt_bytes *content)
{
    uint8_t tag = 0;
    MT_TRY(mt_der_read(r, &tag, content));
    MT_REQUIRE(tag == want, MT_E_FORMAT, "DER: another type was expected");
    return MT_OK;
}

MT_ERR mt_der_read_whole(struct mt_reader *r, uint8_t want, mt_bytes *whole)
{
    const uint8_t *start = r->rest.ptr;
    mt_bytes content;
    MT_TRY(mt_der_read_tagged(r, want, &content));
    *whole = (mt_bytes){start, (size_t)(r->rest.ptr - start)};
    return MT_OK;
}

MT_ERR mt_der_read_integer(struct mt_reader *r, mt_bytes *content)
{
    mt_bytes c;
    MT_TRY(mt_der_read_tagged(r, MT_DER_INTEGER, &c));
    MT_REQUIRE(c.len > 0 && c.ptr[0] < 0x80, MT_E_FORMAT, "DER: an integer is empty or negative");
    MT_REQUIRE(c.len == 1 || c.ptr[0] != 0 || c.ptr[1] >= 0x80, MT_E_FORMAT,
               "DER: an integer is not in its shortest form");
    *content = c;
    return MT_OK;
}

MT_ERR mt_der_read_object_id(struct mt_reader *r, mt_bytes *content)
{
    mt_bytes c;
    bool is_first = true; /* byte of a number */
    MT_TRY(mt_der_read_tagged(r, MT_DER_OBJECT_ID, &c));
    for (size_t i = 0; i < c.len; i++) {
        MT_REQUIRE(!is_first || c.ptr[i] != 0x80, MT_E_FORMAT,
                   "DER: an object identifier is not in its shortest form");
        is_first = c.ptr[i] < 0x80;
    }
    MT_REQUIRE(c.len > 0 && is_first, MT_E_FORMAT, "DER: an object identifier is cut off");
    *content = c;
    return MT_OK;
}

MT_ERR mt_der_read_bits(struct mt_reader *r, mt_bytes *content)
{
    mt_bytes c;
    MT_TRY(mt_der_read_tagged(r, MT_DER_BIT_STRING, &c));
    MT_REQUIRE(c.len > 0 && c.ptr[0] == 0, MT_E_FORMAT, "DER: bits that are no bytes");
    *content = (mt_bytes){c.ptr + 1, c.len - 1};
    return MT_OK;
}
