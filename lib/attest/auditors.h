/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_AUDITORS_H
#define MT_ATTEST_AUDITORS_H

#include "attest/trace.h"
#include "base/limits.h"
#include "crypto/sign.h"

/*
 * The auditors' list: reference values, signed by k of n distinct auditors, with a validity and a
 * sequence number that never goes back (spec/auditors-list.md). [payload, [[SPKI, signature]...]],
 * payload = [1, sequence, not before, not after, [[measurement, name]...]].
 */
struct mt_reference_value {
    mt_hash measurement;
    mt_bytes name;
};

struct mt_auditors_list {
    uint64_t sequence;
    uint64_t not_before_ms;
    uint64_t not_after_ms;
    struct mt_reference_value values[MT_MEASUREMENTS_MAX];
    size_t values_count;
};

/* Whom a policy believes, and how many of them it takes. */
struct mt_auditors {
    mt_spki keys[MT_AUDITORS_MAX];
    size_t keys_count;
    uint64_t threshold;
    uint64_t minimum_sequence; /* the newest list seen: an older one is a rollback */
};

void mt_auditors_payload_write(struct mt_writer *w, const struct mt_auditors_list *l);
/* Signature of one auditor over the payload, 64 bytes. */
MT_ERR mt_auditors_sign(const struct mt_key *k, mt_bytes payload, uint8_t out[MT_SIGNATURE_LEN]);
/* The file, with `count` signatures. */
struct mt_auditor_signature {
    mt_spki key;
    uint8_t signature[MT_SIGNATURE_LEN];
};
void mt_auditors_write(struct mt_writer *w, mt_bytes payload, const struct mt_auditor_signature *s,
                       size_t count);
/* Format alone; nothing is believed. `payload` borrows from `in`. */
MT_ERR mt_auditors_parse(mt_bytes in, struct mt_auditors_list *out, mt_bytes *payload,
                         struct mt_auditor_signature *signatures, size_t *count);

/* The list, if threshold distinct auditors of `a` have signed it, and it holds at `now_ms`.
 * MT_E_PROOF or MT_E_STALE, rule in `trace`. */
MT_ERR mt_auditors_verify(mt_bytes in, const struct mt_auditors *a, uint64_t now_ms,
                          struct mt_auditors_list *out, struct mt_trace *trace);

#endif
