/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_KEYHASH_H
#define MT_COMPUTE_COLUMNS_KEYHASH_H

#include "base/bytes.h"

/*
 * SipHash-1-3 (J.-P. Aumasson, D. J. Bernstein: SipHash, a fast short-input PRF, 2012; one round a
 * word and three at the end, as hash tables of language runtimes use it). Who does not know the key
 * cannot make keys of a table collide. Not for signatures, MACs or commitments: lib/crypto.
 */
struct mt_keyhash {
    uint64_t k0;
    uint64_t k1;
};

/* From 16 bytes of a job's seed. */
struct mt_keyhash mt_keyhash_of(const uint8_t seed[16]);

uint64_t mt_keyhash_get(const struct mt_keyhash *key, mt_bytes bytes);

#endif
