/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_POLICY_H
#define MT_ATTEST_POLICY_H

#include "attest/auditors.h"
#include "attest/claims.h"
#include "attest/hardware.h"
#include "attest/roots.h"

/*
 * The appraisal policy: what a relying party trusts (spec/appraisal-policy.md). Canonical JSON,
 * signed by the relying party's own identity (label MT_LABEL_POLICY). Default deny: what is not
 * named is refused, and soft evidence must be named like any other kind.
 */
enum { MT_POLICY_HASHES_MAX = 32 };

struct mt_policy {
    mt_bytes name;
    uint64_t minimum_level;
    mt_hash platforms[MT_POLICY_HASHES_MAX]; /* keys of machines: soft evidence, TPMs */
    size_t platforms_count;
    mt_hash operators[MT_POLICY_HASHES_MAX];
    size_t operators_count;
    mt_hash measurements[MT_POLICY_HASHES_MAX]; /* beside what auditors list */
    size_t measurements_count;
    mt_hash configurations[MT_POLICY_HASHES_MAX];
    size_t configurations_count; /* none: any configuration */
    struct mt_auditors auditors; /* threshold 0: none */
    struct mt_hardware_policy hardware;
    mt_hash tpm_roots[MT_POLICY_HASHES_MAX]; /* of certificates that keys of TPMs lead to */
    size_t tpm_roots_count;
    mt_hash hash; /* SHA-256 of the canonical JSON */
};

/* Canonical JSON. `p->name` borrows from `in`. */
MT_ERR mt_policy_parse(mt_bytes in, struct mt_policy *out);
void mt_policy_write(struct mt_writer *w, const struct mt_policy *p);

/* Whom the policy believes: borrows from it. */
struct mt_attest_roots mt_policy_roots(const struct mt_policy *p);

/* A signed policy file; `signer` must be asked for by the caller: whoever may set policy is not in
 * the file. */
MT_ERR mt_policy_file_parse(mt_bytes in, mt_spki *signer, struct mt_policy *out);
void mt_policy_file_write(struct mt_writer *w, const struct mt_key *k, mt_bytes json);

#endif
