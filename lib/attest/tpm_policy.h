/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_TPM_POLICY_H
#define MT_ATTEST_TPM_POLICY_H

#include "base/id.h"
#include "crypto/sign.h"

/*
 * What a TPM would compute for a policy (TPM 2.0 Library, Part 3, 23), without one: whoever knows
 * what an image measures knows the policy under which its secrets open.
 */

/* What an image measures, by bit: PCRs 0, 2, 4, 7, 9, 11, 12, 13. What a TPM seals opens under
 * their values. */
enum { MT_TPM_PCRS_SEALED = 0x3a95, MT_TPM_PCRS_SEALED_COUNT = 8 };

/* PolicyPCR alone, over PCRs of the SHA-256 bank, by bit; their values in order of the index. */
void mt_tpm_policy_pcrs(uint32_t pcrs, mt_bytes values, mt_hash *out);

/*
 * PolicyAuthorize: whatever policy the operator of this key signs. What is signed is the policy's
 * digest, then a label (the TPM's policyRef), with mt_sign().
 */
enum { MT_TPM_APPROVED_LEN = 64 };
void mt_tpm_policy_authorize(const mt_spki *operator_key, mt_hash *out);
mt_bytes mt_tpm_policy_approved(const mt_hash *policy, mt_span room);
/* The operator's key as a TPM loads it: TPMT_PUBLIC. */
void mt_tpm_policy_key(const mt_spki *operator_key, struct mt_writer *out);

/* PolicyOR of two. */
void mt_tpm_policy_either(const mt_hash *one, const mt_hash *other, mt_hash *out);

/*
 * `before`, then PolicyNV: as long as the counter of key slots is not above `until`. Its public
 * area is in its name, so in the policy: nothing else that stands at its number will do.
 */
enum {
    MT_TPM_SLOT_COUNTER = 0x01804d55, /* of the range that is the owner's */
    MT_TPM_COUNTER_LEN = 8,
    MT_TPM_COUNTER_ATTRIBUTES = 0x02040014, /* counter, authRead, authWrite, noDA */
    MT_TPM_COUNTER_WRITTEN = 0x20000000,
    MT_TPM_UNSIGNED_LE = 9,
};
void mt_tpm_policy_counted(const mt_hash *before, uint64_t until, mt_hash *out);

#endif
