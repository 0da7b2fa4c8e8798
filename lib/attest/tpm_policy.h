/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_TPM_POLICY_H
#define MT_ATTEST_TPM_POLICY_H

#include "base/id.h"

/*
 * What a TPM would compute for a policy (TPM 2.0 Library, Part 3, 23), without one: whoever knows
 * what an image measures knows the policy under which its secrets open.
 */

/* PolicyPCR alone, over PCRs of the SHA-256 bank, by bit; their values in order of the index. */
void mt_tpm_policy_pcrs(uint32_t pcrs, mt_bytes values, mt_hash *out);

#endif
