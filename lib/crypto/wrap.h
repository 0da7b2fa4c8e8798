/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_WRAP_H
#define MT_CRYPTO_WRAP_H

#include "crypto/pubkey.h"

/*
 * The two ciphers by which a TPM is told a secret. Neither authenticates: TPM 2.0 puts a MAC of its
 * own around them. Nothing of ours is encrypted so.
 */
enum { MT_AES_128_LEN = 16 };

/* AES-128 in CFB mode from a zero IV, for a key that is used once; `out` is as long as `plain`. */
MT_ERR mt_wrap_cfb(mt_bytes key, mt_bytes plain, mt_span out);

/* RSAES-OAEP with SHA-256 (RFC 8017, 7.1.1); `out` is as long as the modulus. MT_E_ARG for a key
 * that is not RSA. */
MT_ERR mt_wrap_rsa(const struct mt_pubkey *k, mt_bytes label, mt_bytes plain, mt_span out);

#endif
