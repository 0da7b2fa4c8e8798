/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_EAR_H
#define MT_ATTEST_EAR_H

#include "attest/claims.h"
#include "attest/trace.h"
#include "crypto/sign.h"

/*
 * The result of an appraisal as a token for others (EAT Attestation Result, draft-ietf-rats-ear,
 * an EAT of RFC 9711): a JWS of RFC 7515 with ES256, whose trustworthiness vector is that of AR4SI
 * (draft-ietf-rats-ar4si). spec/ear.md says which check gives which number.
 */
struct mt_ear {
    const struct mt_claims *claims; /* NULL: the evidence is not genuine */
    const struct mt_trace *trace;
    bool is_accepted;
    const mt_hash *policy; /* NULL: there was none */
    mt_bytes nonce;        /* what the evidence had to be about, at most MT_REPORT_DATA_LEN */
    uint64_t now_ms;
    uint64_t valid_ms; /* how long relying parties may go by it */
};

MT_ERR mt_ear_write(struct mt_writer *w, const struct mt_key *k, const struct mt_ear *e);

#endif
