/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/tpm_policy.h"

#include "crypto/hash.h"

enum {
    CC_POLICY_NV = 0x149,
    CC_POLICY_AUTHORIZE = 0x16a,
    CC_POLICY_OR = 0x171,
    CC_POLICY_PCR = 0x17f,
    ALG_SHA256 = 0x0b,
    SELECTED_LEN = 3
};

static const mt_hash none; /* the policy of a session that has just begun */

void mt_tpm_policy_pcrs(uint32_t pcrs, mt_bytes values, mt_hash *out)
{
    mt_hash digest;
    uint8_t room[64];
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

void mt_tpm_policy_key(const mt_spki *operator_key, struct mt_writer *out)
{
    enum {
        ALG_ECC = 0x23,
        ALG_NULL = 0x10,
        ALG_ECDSA = 0x18,
        CURVE_P256 = 3,
        SIGNS_WITH_AUTH = 0x40040, /* sign, userWithAuth */
        X_AT = MT_SPKI_LEN - 64,
        Y_AT = MT_SPKI_LEN - 32,
    };
    mt_write_u16be(out, ALG_ECC);
    mt_write_u16be(out, ALG_SHA256);
    mt_write_u32be(out, SIGNS_WITH_AUTH);
    mt_write_u16be(out, 0); /* no policy of its own */
    mt_write_u16be(out, ALG_NULL);
    mt_write_u16be(out, ALG_ECDSA);
    mt_write_u16be(out, ALG_SHA256);
    mt_write_u16be(out, CURVE_P256);
    mt_write_u16be(out, ALG_NULL);
    mt_write_u16be(out, 32);
    mt_write_bytes(out, (mt_bytes){operator_key->b + X_AT, 32});
    mt_write_u16be(out, 32);
    mt_write_bytes(out, (mt_bytes){operator_key->b + Y_AT, 32});
}

void mt_tpm_policy_authorize(const mt_spki *operator_key, mt_hash *out)
{
    mt_hash name;
    mt_hash once;
    uint8_t room[128];
    static const uint8_t code[] = {0, 0, CC_POLICY_AUTHORIZE >> 8, CC_POLICY_AUTHORIZE & 0xff};
    static const uint8_t name_of_sha256[] = {0, ALG_SHA256};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_tpm_policy_key(operator_key, &w);
    const mt_bytes area = mt_write_done(&w);
    mt_sha256(&area, 1, &name);
    const mt_bytes first[] = {MT_BYTES_OF(none), MT_BYTES_OF(code), MT_BYTES_OF(name_of_sha256),
                              MT_BYTES_OF(name)};
    mt_sha256(first, sizeof first / sizeof first[0], &once);
    const mt_bytes second[] = {MT_BYTES_OF(once), mt_label_bytes(MT_LABEL_TPM_POLICY)};
    mt_sha256(second, sizeof second / sizeof second[0], out);
}

mt_bytes mt_tpm_policy_approved(const mt_hash *policy, mt_span room)
{
    struct mt_writer w = mt_writer_over(room);
    mt_write_bytes(&w, MT_BYTES_OF(*policy));
    mt_write_bytes(&w, mt_label_bytes(MT_LABEL_TPM_POLICY));
    return mt_write_done(&w);
}

void mt_tpm_policy_counted(const mt_hash *before, uint64_t until, mt_hash *out)
{
    mt_hash compared;
    mt_hash name;
    uint8_t room[64];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_u64be(&w, until);
    mt_write_u16be(&w, 0); /* from the counter's first byte on */
    mt_write_u16be(&w, MT_TPM_UNSIGNED_LE);
    mt_bytes written = mt_write_done(&w);
    mt_sha256(&written, 1, &compared);
    w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_u32be(&w, MT_TPM_SLOT_COUNTER);
    mt_write_u16be(&w, ALG_SHA256);
    mt_write_u32be(&w, MT_TPM_COUNTER_ATTRIBUTES | MT_TPM_COUNTER_WRITTEN);
    mt_write_u16be(&w, 0); /* no policy of its own */
    mt_write_u16be(&w, MT_TPM_COUNTER_LEN);
    written = mt_write_done(&w);
    mt_sha256(&written, 1, &name);
    static const uint8_t code[] = {0, 0, CC_POLICY_NV >> 8, CC_POLICY_NV & 0xff};
    static const uint8_t name_of_sha256[] = {0, ALG_SHA256};
    const mt_bytes parts[] = {MT_BYTES_OF(*before), MT_BYTES_OF(code), MT_BYTES_OF(compared),
                              MT_BYTES_OF(name_of_sha256), MT_BYTES_OF(name)};
    mt_sha256(parts, sizeof parts / sizeof parts[0], out);
}

void mt_tpm_policy_either(const mt_hash *one, const mt_hash *other, mt_hash *out)
{
    static const uint8_t code[] = {0, 0, CC_POLICY_OR >> 8, CC_POLICY_OR & 0xff};
    const mt_bytes parts[] = {MT_BYTES_OF(none), MT_BYTES_OF(code), MT_BYTES_OF(*one),
                              MT_BYTES_OF(*other)};
    mt_sha256(parts, sizeof parts / sizeof parts[0], out);
}
