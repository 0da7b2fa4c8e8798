/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_KDF_H
#define MT_CRYPTO_KDF_H

#include "base/bytes.h"
#include "crypto/labels.h"

/*
 * HKDF-SHA256 (RFC 5869) without salt: info = u8 length of label || label || context. `key` and
 * `out` are secrets.
 */
MT_ERR mt_kdf(mt_bytes key, enum mt_label label, mt_bytes context, mt_span out);

/* scrypt (RFC 7914), N = 2^log2_n, r = 8, p = 1. MT_E_LIMIT outside 14 <= log2_n <= 20: the file
 * that names it lies. */
MT_ERR mt_kdf_passphrase(mt_bytes passphrase, mt_bytes salt, uint32_t log2_n, mt_span out);

#endif
