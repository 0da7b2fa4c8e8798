/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_HASH_H
#define MT_CRYPTO_HASH_H

#include "base/id.h"
#include "crypto/labels.h"

enum { MT_SHA512_LEN = 64, MT_SHA384_LEN = 48 };

/* SHA-256 over the parts, one after another. Cannot fail once mt_crypto_init() succeeded: ends the
 * process else. */
void mt_sha256(const mt_bytes *parts, size_t count, mt_hash *out);
void mt_sha384(const mt_bytes *parts, size_t count, uint8_t out[MT_SHA384_LEN]);
void mt_sha512(const mt_bytes *parts, size_t count, uint8_t out[MT_SHA512_LEN]);

/* CT: leaks lengths. The key is a secret. */
void mt_hmac_sha256(mt_bytes key, const mt_bytes *parts, size_t count, mt_hash *out);

/* SHA-256 piece by piece. */
struct mt_hasher;
MT_ERR mt_hasher_new(struct mt_hasher **out); /* owned; ready to add */
void mt_hasher_add(struct mt_hasher *h, mt_bytes bytes);
void mt_hasher_end(struct mt_hasher *h, mt_hash *out); /* and starts anew */
void mt_hasher_free(struct mt_hasher **h);

/* The bytes of a label. */
mt_bytes mt_label_bytes(enum mt_label label);
/* SHA-256 over u8 length || label || parts (spec/labels.md). */
enum { MT_LABELLED_PARTS_MAX = 14 };
void mt_sha256_labelled(enum mt_label label, const mt_bytes *parts, size_t count, mt_hash *out);

#endif
