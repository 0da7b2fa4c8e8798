/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_BASE_ID_H
#define MT_BASE_ID_H

#include "base/bytes.h"

/* A SHA-256 value. As the hash of a public key (SPKI, DER) it is a subject: who someone is. */
typedef struct mt_hash {
    uint8_t b[32];
} mt_hash;

/* Sixteen random bytes that name an object, a task, a job. */
typedef struct mt_id {
    uint8_t b[16];
} mt_id;

static inline mt_bytes mt_hash_bytes(const mt_hash *h)
{
    return (mt_bytes){h->b, sizeof h->b};
}

static inline mt_bytes mt_id_bytes(const mt_id *id)
{
    return (mt_bytes){id->b, sizeof id->b};
}

static inline bool mt_hash_equal(const mt_hash *a, const mt_hash *b)
{
    return mt_bytes_equal(mt_hash_bytes(a), mt_hash_bytes(b));
}

static inline bool mt_id_equal(const mt_id *a, const mt_id *b)
{
    return mt_bytes_equal(mt_id_bytes(a), mt_id_bytes(b));
}

/* Not for secrets: it ends with the first that is equal. */
bool mt_hash_is_among(const mt_hash *h, const mt_hash *list, size_t count);

/* Lower-case hexadecimal, two digits a byte. */
void mt_hex_write(struct mt_writer *w, mt_bytes bytes);

/* Exactly 2 * out.len lower-case digits; MT_E_FORMAT else, with `out` in no particular state. */
MT_ERR mt_hex_parse(mt_bytes text, mt_span out);

/* RFC 4648 base64url without padding. The parser appends, and accepts canonical text alone. */
void mt_base64url_write(struct mt_writer *w, mt_bytes bytes);
MT_ERR mt_base64url_parse(mt_bytes text, struct mt_buf *out);

#endif
