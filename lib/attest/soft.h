/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_SOFT_H
#define MT_ATTEST_SOFT_H

#include "attest/claims.h"
#include "attest/trace.h"
#include "crypto/sign.h"

/*
 * Evidence "soft", level 2 (spec/evidence-soft.md): a measurement log and 64 bytes of report data,
 * signed by a platform key that the node keeps behind its key slot. Software measured itself: root,
 * hypervisor and operator of the machine can forge it, and every report says so. It proves that
 * whoever speaks holds the platform key of a machine that the verifier knows.
 */
void mt_soft_evidence_write(struct mt_writer *w, const struct mt_key *platform, mt_bytes log,
                            const uint8_t report_data[MT_REPORT_DATA_LEN]);

/* An operator says that a platform key is one of theirs. */
void mt_platform_certificate_write(struct mt_writer *w, const struct mt_key *operator_key,
                                   const mt_hash *platform, uint64_t not_before_ms,
                                   uint64_t not_after_ms);

/* The roots of trust of this kind: platform keys that are known, and operators whose certificates
 * are believed. */
struct mt_soft_roots {
    const mt_hash *platforms;
    size_t platforms_count;
    const mt_hash *operators;
    size_t operators_count;
};

struct mt_soft_input {
    mt_bytes evidence;
    const mt_bytes *endorsements; /* platform certificates */
    size_t endorsements_count;
    struct mt_soft_roots roots;
    uint64_t now_ms;
};

/* Whether a platform's key is known, or certified by an operator who is: of evidence of any kind.
 */
bool mt_platform_is_known(const struct mt_soft_input *in, const mt_hash *platform);

/* MT_E_FORMAT or MT_E_PROOF, with the failed rule in `trace`. All 64 bytes of report data are
 * compared; there is no way to leave them out. */
MT_ERR mt_soft_verify(const struct mt_soft_input *in, const uint8_t report_data[MT_REPORT_DATA_LEN],
                      struct mt_claims *out, struct mt_trace *trace);

/* What evidence says of itself, unverified, for people to read: never for a decision. */
MT_ERR mt_soft_evidence_show(mt_bytes evidence, struct mt_claims *out);

#endif
