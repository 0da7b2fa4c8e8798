/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/keyhash.h"

#include <string.h>

/* The machine's order is the algorithm's: little endian, as all of MesaTEE's targets are. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read as they lie");

static inline uint64_t word_at(const uint8_t *p)
{
    uint64_t word = 0;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint64_t turn(uint64_t x, uint32_t by)
{
    return x << by | x >> (64 - by);
}

static inline void round_of(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turn(v[1], 13) ^ v[0];
    v[3] = turn(v[3], 16) ^ v[2];
    v[0] = turn(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turn(v[1], 17) ^ v[2];
    v[3] = turn(v[3], 21) ^ v[0];
    v[2] = turn(v[2], 32);
}

struct mt_keyhash mt_keyhash_of(const uint8_t seed[16])
{
    return (struct mt_keyhash){word_at(seed), word_at(seed + 8)};
}

uint64_t mt_keyhash_get(const struct mt_keyhash *key, mt_bytes bytes)
{
    /* The paper's constants: "somepseudorandomlygeneratedbytes". */
    uint64_t v[4] = {
        key->k0 ^ UINT64_C(0x736f6d6570736575),
        key->k1 ^ UINT64_C(0x646f72616e646f6d),
        key->k0 ^ UINT64_C(0x6c7967656e657261),
        key->k1 ^ UINT64_C(0x7465646279746573),
    };
    size_t at = 0;
    for (; at + 8 <= bytes.len; at += 8) {
        uint64_t word = word_at(bytes.ptr + at);
        v[3] ^= word;
        round_of(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)bytes.len << 56;
    for (size_t i = 0; at + i < bytes.len; i++) {
        last |= (uint64_t)bytes.ptr[at + i] << (8 * i);
    }
    v[3] ^= last;
    round_of(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    round_of(v);
    round_of(v);
    round_of(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
