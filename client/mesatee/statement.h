/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_STATEMENT_H
#define MT_MESATEE_STATEMENT_H

#include "attest/receipt.h"
#include "wire/recovery.h"
#include "wire/run.h"
#include "wire/task.h"

/* What a client signs and verifies on its own machine. */

/* SHA-256(u8 len || label || definition): what an approval is about. */
void mt_task_digest_of(mt_bytes definition, mt_hash *out);
/* An approval of that digest. */
MT_ERR mt_approval_write(struct mt_writer *w, const struct mt_key *k, const mt_hash *digest);

/* A receipt's file, verified to the end: the receipt, and what it claims of a run: the digest of
 * the definition, an approval by every owner of an input. Big: keep it on the heap. */
struct mt_run_receipt {
    struct mt_receipt receipt;
    struct mt_receipt_facts facts;
    struct mt_run_claim claim;
    struct mt_task task;
    mt_hash digest;
};
MT_ERR mt_run_receipt_verify(mt_bytes file, const struct mt_appraiser *a, uint64_t now_ms,
                             struct mt_run_receipt *out);

/* MT_E_PROOF if two verified receipts cannot both be true of one ledger. */
MT_ERR mt_run_receipts_agree(const struct mt_run_receipt *a, const struct mt_run_receipt *b);

/* Whether this plaintext hash is what was committed to. */
bool mt_commitment_holds(const mt_hash *salt, uint64_t size_bytes, const mt_hash *plain,
                         const mt_hash *commitment);

/* That a restored node goes on from there; see wire/recovery.h. */
MT_ERR mt_recovery_sign(struct mt_writer *w, const struct mt_key *k, const struct mt_recovery *r);

#endif
