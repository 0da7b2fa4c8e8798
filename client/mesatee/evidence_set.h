/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_EVIDENCE_SET_H
#define MT_MESATEE_EVIDENCE_SET_H

#include "attest/appraise.h"
#include "attest/evidence.h"
#include "wire/json.h"

/*
 * Evidence of hardware as it lies on a disk: one file, or a folder with what belongs to it, by the
 * names that spec/evidence-files.md gives. No node, no context, no network is needed to judge it.
 */
enum { MT_EVIDENCE_FILES_MAX = 32 };

struct mt_evidence_set {
    struct mt_buf files[MT_EVIDENCE_FILES_MAX];
    size_t files_count;
    struct mt_evidence evidence; /* borrows from the files; `now_ms` is the caller's to set */
    enum mt_evidence_kind kind;  /* by its form; NONE: of none that is known */
};

/* `path`: the evidence itself, or a folder; `collateral`: a folder, or NULL. MT_E_NOTFOUND if there
 * is no evidence in the folder. Big: on the heap. */
MT_ERR mt_evidence_set_load(const char *path, const char *collateral, struct mt_evidence_set **out);
/* A folder of collateral, with or without evidence. */
MT_ERR mt_collateral_load(const char *folder, struct mt_evidence_set **out);
void mt_evidence_set_free(struct mt_evidence_set **s);

/* What it says of itself, unverified. MT_E_FORMAT, MT_E_PROOF: it is no evidence. */
MT_ERR mt_evidence_read(const char *path, const char *collateral, struct mt_claims *out);

struct mt_evidence_options {
    const char *path;
    const char *collateral;         /* NULL: what the folder of the evidence holds */
    const char *policy;             /* NULL: evidence can be genuine, and is never accepted */
    const char *auditors;           /* a list for the policy's auditors, or NULL */
    enum mt_evidence_kind expected; /* NONE: any */
    mt_bytes report_data;           /* what the evidence must be about; of a TPM its extraData */
    uint64_t now_ms;
};

struct mt_evidence_report {
    struct mt_evidence_set *set;
    struct mt_buf policy_file;
    struct mt_buf auditors_list;
    struct mt_appraisal appraisal;
    bool is_genuine;
    bool is_accepted;
    mt_hash policy; /* zeros: none was named */
};

/* MT_E_FORMAT and MT_E_PROOF: not genuine; MT_E_DENIED, MT_E_STALE: genuine and not accepted. *out
 * is set unless the files cannot be read. */
MT_ERR mt_evidence_check(const struct mt_evidence_options *o, struct mt_evidence_report **out);
void mt_evidence_report_free(struct mt_evidence_report **r);

/* The report as an EAT Attestation Result, signed by an identity, good for an hour (spec/ear.md).
 */
MT_ERR mt_evidence_token(const struct mt_evidence_options *o, const struct mt_evidence_report *r,
                         const struct mt_key *k, struct mt_buf *out);

/* "sgx", "tdx", ... ; false for other words. */
bool mt_evidence_kind_of_word(const char *word, enum mt_evidence_kind *out);

/* What evidence says, as members of an object: "kind", "tcb_status", "advisories", "debug", and
 * all else under "claims"; null, each of them, if there are no claims. */
void mt_evidence_claims_put(struct mt_json_writer *j, const struct mt_claims *c);
/* The same of claims that nobody has verified: "verified": false, "kind", and all else under
 * "says". No member has the name that a verified one has. */
void mt_evidence_said_put(struct mt_json_writer *j, const struct mt_claims *c);

#endif
