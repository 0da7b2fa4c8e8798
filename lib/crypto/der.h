/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_DER_H
#define MT_CRYPTO_DER_H

#include "base/bytes.h"

/*
 * Reading DER (X.690), the part of it that certificates of hardware need: tags of one byte, lengths
 * up to 65535 in their shortest form. Whoever needs more is told MT_E_FORMAT.
 */
enum mt_der_tag {
    MT_DER_BOOLEAN = 0x01,
    MT_DER_INTEGER = 0x02,
    MT_DER_BIT_STRING = 0x03,
    MT_DER_OCTETS = 0x04,
    MT_DER_OBJECT_ID = 0x06,
    MT_DER_ENUMERATED = 0x0a,
    MT_DER_UTC_TIME = 0x17,
    MT_DER_TIME = 0x18,
    MT_DER_SEQUENCE = 0x30,
    MT_DER_SET = 0x31,
};

/* The next item, of any type. `content` borrows. */
MT_ERR mt_der_read(struct mt_reader *r, uint8_t *tag, mt_bytes *content);
/* Of this type alone. */
MT_ERR mt_der_read_tagged(struct mt_reader *r, uint8_t want, mt_bytes *content);
/* The same, with its tag and length. */
MT_ERR mt_der_read_whole(struct mt_reader *r, uint8_t want, mt_bytes *whole);
/* An integer that is not negative, in its shortest form: the octets, with the zero before a high
 * bit. */
MT_ERR mt_der_read_integer(struct mt_reader *r, mt_bytes *content);
/* An object identifier: none of its numbers is cut off or begins with a needless zero. */
MT_ERR mt_der_read_object_id(struct mt_reader *r, mt_bytes *content);
/* A bit string of whole bytes. */
MT_ERR mt_der_read_bits(struct mt_reader *r, mt_bytes *content);

static inline bool mt_der_is_next(const struct mt_reader *r, uint8_t tag)
{
    return r->rest.len > 0 && r->rest.ptr[0] == tag;
}

#endif
