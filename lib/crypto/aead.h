/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_AEAD_H
#define MT_CRYPTO_AEAD_H

#include "base/bytes.h"

/*
 * AES-256-GCM (SP 800-38D), 12-byte nonces, 16-byte tags. One object per key; single owner, may
 * move between threads. A nonce is used once per key: every caller says in its own header where its
 * nonces come from.
 */
enum { MT_AEAD_KEY_LEN = 32, MT_AEAD_NONCE_LEN = 12, MT_AEAD_TAG_LEN = 16 };

struct mt_aead;

MT_ERR mt_aead_new(mt_bytes key, struct mt_aead **out); /* copies the key into OpenSSL's context */
void mt_aead_free(struct mt_aead **a);

/* Big endian number in the last eight bytes, the first four zero. */
void mt_aead_nonce_of(uint64_t number, uint8_t out[MT_AEAD_NONCE_LEN]);

/* `out` has plain.len + 16 bytes: ciphertext, then tag; it may start where `plain` starts. */
MT_ERR mt_aead_seal(struct mt_aead *a, mt_bytes nonce, mt_bytes aad, mt_bytes plain, mt_span out);

/* `sealed` is ciphertext, then tag; `out` has sealed.len - 16 bytes and may start where it starts.
 * MT_E_PROOF if the tag is wrong; `out` is then zeroed. */
MT_ERR mt_aead_unseal(struct mt_aead *a, mt_bytes nonce, mt_bytes aad, mt_bytes sealed,
                      mt_span out);

#endif
