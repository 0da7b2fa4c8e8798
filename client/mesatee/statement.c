/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/statement.h"

#include "attest/signed.h"
#include "crypto/hash.h"

void mt_task_digest_of(mt_bytes definition, mt_hash *out)
{
    mt_bytes label = mt_label_bytes(MT_LABEL_TASK_DIGEST);
    const uint8_t len = (uint8_t)label.len;
    const mt_bytes parts[] = {{&len, 1}, label, definition};
    mt_sha256(parts, 3, out);
}

MT_ERR mt_approval_write(struct mt_writer *w, const struct mt_key *k, const mt_hash *digest)
{
    mt_signed_write(w, k, MT_LABEL_APPROVAL, mt_hash_bytes(digest));
    return w->failed;
}

MT_ERR mt_recovery_sign(struct mt_writer *w, const struct mt_key *k, const struct mt_recovery *r)
{
    uint8_t room[256];
    mt_bytes payload;
    struct mt_writer p = mt_writer_over((mt_span){room, sizeof room});
    mt_recovery_write(&p, r);
    MT_TRY(mt_write_end(&p, &payload));
    mt_signed_write(w, k, MT_LABEL_RECOVERY, payload);
    return w->failed;
}

static bool has_approved(const struct mt_run_receipt *r, const mt_hash *owner)
{
    for (size_t i = 0; i < r->claim.approvals_count; i++) {
        mt_spki signer;
        mt_hash who;
        mt_bytes payload;
        if (mt_failed(
                mt_signed_parse(r->claim.approvals[i], MT_LABEL_APPROVAL, &signer, &payload))) {
            continue;
        }
        mt_spki_hash(&signer, &who);
        if (mt_hash_equal(&who, owner) && mt_bytes_equal(payload, mt_hash_bytes(&r->digest))) {
            return true;
        }
    }
    return false;
}

static MT_ERR check_claim(struct mt_run_receipt *r)
{
    struct mt_trace *t = &r->facts.appraisal.trace;
    mt_err e = r->receipt.shown_count == 1 ? mt_run_claim_parse(r->receipt.shown[0].item, &r->claim)
                                           : mt_run_claim_parse((mt_bytes){NULL, 0}, &r->claim);
    if (!mt_failed(e)) {
        e = mt_task_parse(r->claim.definition, &r->task);
    }
    MT_CHECK(t, !mt_failed(e), MT_E_PROOF, "run-claim", "the receipt shows what was run",
             "this is a receipt for something else than a run");
    MT_CHECK(t, mt_hash_equal(&r->task.cluster, &r->facts.header.cluster), MT_E_PROOF,
             "run-cluster", "the task was made for the cluster that ran it",
             "a task of another cluster is shown: do not trust whoever gave the receipt");
    mt_task_digest_of(r->claim.definition, &r->digest);
    bool are_all = true;
    for (size_t i = 0; i < r->task.inputs_count; i++) {
        are_all = are_all && has_approved(r, &r->task.inputs[i].owner);
    }
    MT_CHECK(t, are_all, MT_E_PROOF, "run-approvals",
             "every owner of an input has signed exactly this task",
             "an owner's approval is missing: the computation was not allowed");
    return MT_OK;
}

MT_ERR mt_run_receipt_verify(mt_bytes file, const struct mt_appraiser *a, uint64_t now_ms,
                             struct mt_run_receipt *out)
{
    struct mt_trace *t = &out->facts.appraisal.trace;
    mt_err e = mt_receipt_parse(file, &out->receipt);
    MT_CHECK(t, !mt_failed(e), MT_E_FORMAT, "receipt-file", "the file is a receipt",
             "the file is damaged, or no receipt: fetch it again");
    MT_TRY(mt_receipt_verify(&out->receipt, a, now_ms, &out->facts));
    return check_claim(out);
}

MT_ERR mt_run_receipts_agree(const struct mt_run_receipt *a, const struct mt_run_receipt *b)
{
    return mt_receipt_compare(&a->facts, &b->facts);
}

bool mt_commitment_holds(const mt_hash *salt, uint64_t size_bytes, const mt_hash *plain,
                         const mt_hash *commitment)
{
    mt_bytes label = mt_label_bytes(MT_LABEL_COMMITMENT);
    const uint8_t len = (uint8_t)label.len;
    uint8_t be[8];
    mt_hash got;
    for (size_t i = 0; i < 8; i++) {
        be[i] = (uint8_t)(size_bytes >> (56 - 8 * i));
    }
    const mt_bytes parts[] = {
        {&len, 1}, label, mt_hash_bytes(salt), {be, sizeof be}, mt_hash_bytes(plain)};
    mt_sha256(parts, 5, &got);
    return mt_hash_equal(&got, commitment);
}
