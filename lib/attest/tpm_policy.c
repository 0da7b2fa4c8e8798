/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/tpm_policy.h"

#include "crypto/hash.h"

enum { CC_POLICY_PCR = 0x17f, ALG_SHA256 = 0x0b, SELECTED_LEN = 3 };

void mt_tpm_policy_pcrs(uint32_t pcrs, mt_bytes values, mt_hash *out)
{
    mt_hash digest;
    uint8_t room[64];
    static const mt_hash none; /* of a session that has just begun */
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_u32be(&w, CC_POLICY_PCR);
    mt_write_u32be(&w, 1); /* banks */
    mt_write_u16be(&w, ALG_SHA256);
    mt_write_u8(&w, SELECTED_LEN);
    for (unsigned i = 0; i < SELECTED_LEN; i++) {
        mt_write_u8(&w, (uint8_t)(pcrs >> (8 * i)));
    }
    mt_sha256(&values, 1, &digest);
    const mt_bytes parts[] = {MT_BYTES_OF(none), mt_write_done(&w), MT_BYTES_OF(digest)};
    mt_sha256(parts, sizeof parts / sizeof parts[0], out);
}
