/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_RECEIPT_H
#define MT_ATTEST_RECEIPT_H

#include "attest/appraise.h"
#include "wire/receipt.h"

/*
 * Verifies a receipt offline: the service key's evidence against the verifier's own policy, the
 * signature over the root that leaf and path lead to, the shown items against the leaf
 * (spec/receipt.md). What the items say is for the caller to read, afterwards.
 */
struct mt_receipt_facts {
    struct mt_receipt_header header;
    struct mt_receipt_proof proof;
    mt_hash leaf;
    mt_hash root;
    struct mt_appraisal appraisal;
};

/* MT_E_PROOF: not genuine. MT_E_DENIED or MT_E_STALE: genuine, and refused by policy. Everything
 * else of `out` is then unverified. */
MT_ERR mt_receipt_verify(const struct mt_receipt *r, const struct mt_appraiser *a, uint64_t now_ms,
                         struct mt_receipt_facts *out);

/* Two verified receipts of one cluster: MT_E_PROOF if they cannot both be true (forked). */
MT_ERR mt_receipt_compare(const struct mt_receipt_facts *a, const struct mt_receipt_facts *b);

#endif
