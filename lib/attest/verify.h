/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_VERIFY_H
#define MT_ATTEST_VERIFY_H

#include "attest/evidence.h"
#include "attest/roots.h"
#include "attest/trace.h"

/* The one door to the verifiers of hardware evidence, with the roots that are pinned in this build
 * (spec/evidence-*.md). */

/* By its form alone; what it is in truth is for its verifier to say. NONE: of no known form. */
enum mt_evidence_kind mt_evidence_kind_of(const struct mt_evidence *in);

/* MT_E_FORMAT or MT_E_PROOF, with the failed rule in `trace`. `expected` is what the evidence must
 * be about, every byte of it: 64 of report data, of a TPM quote its qualifying data. Time,
 * endorsements and roots (mt_policy_roots()) in `in` are the caller's to set. */
MT_ERR mt_evidence_verify(enum mt_evidence_kind kind, const struct mt_evidence *in,
                          mt_bytes expected, struct mt_claims *out, struct mt_trace *trace);

/* Of a composite, the evidence of its hardware; all other evidence is that itself. MT_E_FORMAT. */
MT_ERR mt_evidence_hardware(const struct mt_evidence *in, struct mt_evidence *out);

/* Whether the collateral is its maker's, for this platform, at this time: all that verifying asks
 * of it. Of the evidence itself nothing is believed. */
MT_ERR mt_evidence_collateral_verify(const struct mt_evidence *in, struct mt_trace *trace);

/* What evidence of any kind, soft too, says of itself, unverified: for people to read, and to know
 * what to ask its maker for. Never for a decision. MT_E_FORMAT if it is of no form that is known.
 */
MT_ERR mt_evidence_show(const struct mt_evidence *in, struct mt_claims *out);

#endif
