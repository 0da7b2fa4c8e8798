/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_HARDWARE_H
#define MT_ATTEST_HARDWARE_H

#include "attest/claims.h"
#include "attest/trace.h"
#include "wire/json.h"

/*
 * The part of an appraisal policy that is about hardware (spec/policy.md): which kinds of evidence
 * count, how old a platform may be, what may be said against it, and which machines are meant.
 * Default deny: a policy without this part accepts no hardware evidence at all.
 */
enum { MT_POLICY_PLATFORMS_MAX = 32, MT_POLICY_MINIMUMS_MAX = 16, MT_POLICY_WORD_MAX = 31 };

struct mt_policy_minimum {
    char name[MT_POLICY_WORD_MAX + 1]; /* of a claimed number: "isv_svn" */
    uint64_t value;
};

struct mt_hardware_policy {
    bool is_named;
    uint32_t kinds;                                             /* a bit for each accepted */
    uint32_t tcb_statuses;                                      /* likewise */
    uint32_t weaknesses;                                        /* likewise: tolerated */
    char advisories[MT_ADVISORIES_MAX][MT_POLICY_WORD_MAX + 1]; /* tolerated */
    size_t advisories_count;
    uint64_t minimum_tcb_date_ms;
    struct mt_policy_minimum minimums[MT_POLICY_MINIMUMS_MAX];
    size_t minimums_count;
    mt_hash platforms[MT_POLICY_PLATFORMS_MAX]; /* none: any genuine machine */
    size_t platforms_count;
};

/* The member "hardware" of the policy `root`, if it is there. */
MT_ERR mt_hardware_policy_get(const struct mt_json *root, struct mt_hardware_policy *out);
void mt_hardware_policy_put(struct mt_json_writer *j, const struct mt_hardware_policy *p);

/* Judges claims of a hardware kind; the first rule that fails ends it and names itself. */
MT_ERR mt_hardware_appraise(const struct mt_hardware_policy *p, const struct mt_claims *c,
                            struct mt_trace *trace);

#endif
