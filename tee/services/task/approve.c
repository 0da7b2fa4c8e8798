/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/signed.h"
#include "base/text.h"
#include "services/task/inside.h"

/* Approve, reject, withdraw: what an owner of an input says of a task, by its digest. */

static bool is_owner_of_input(const struct mt_task *t, const mt_hash *subject)
{
    for (size_t i = 0; i < t->inputs_count; i++) {
        if (mt_hash_equal(&t->inputs[i].owner, subject)) {
            return true;
        }
    }
    return false;
}

/* The statement is what a receipt shows later, so it must verify by itself: label, signer and
 * digest, nothing else. */
static MT_ERR check_statement(const struct mt_permit *p, mt_bytes statement, const mt_hash *digest)
{
    mt_spki signer;
    mt_bytes payload;
    MT_TRY(mt_signed_parse(statement, MT_LABEL_APPROVAL, &signer, &payload));
    MT_REQUIRE(mt_bytes_equal(mt_spki_bytes(&signer), mt_spki_bytes(mt_permit_key(p))), MT_E_PROOF,
               "the approval carries another key than the caller's");
    MT_REQUIRE(mt_bytes_equal(payload, mt_hash_bytes(digest)), MT_E_CONFLICT,
               "the approval is for another digest than this task has");
    return MT_OK;
}

struct run_grants {
    const mt_hash *digest;
    mt_id ids[MT_TASK_PARTIES_MAX];
    size_t count;
};

static mt_err collect_grant(void *state, const struct mt_grant *g)
{
    struct run_grants *r = state;
    if (g->right == MT_GRANT_RUN && mt_hash_equal(&g->grantee, r->digest) &&
        r->count < MT_TASK_PARTIES_MAX) {
        r->ids[r->count++] = g->id;
    }
    return MT_OK;
}

/* Ends what this owner's approval allowed, on every input of theirs. */
static MT_ERR revoke_grants(const struct mt_permit *p, struct mt_tx *tx,
                            const struct mt_task_view *v)
{
    for (size_t i = 0; i < v->task->inputs_count; i++) {
        const struct mt_task_input *in = &v->task->inputs[i];
        struct run_grants r = {.digest = &v->record.digest};
        if (!mt_hash_equal(&in->owner, mt_permit_subject(p))) {
            continue;
        }
        mt_err e = mt_permit_grants(p, tx, MT_REF(MT_KIND_DATA, &in->data), collect_grant, &r);
        if (mt_failed(e) && e.fault->code == MT_E_CONFLICT) {
            continue; /* deleted: its grants went with it */
        }
        MT_TRY(e);
        for (size_t j = 0; j < r.count; j++) {
            MT_TRY(mt_permit_revoke(p, tx, MT_REF(MT_KIND_DATA, &in->data), &r.ids[j]));
        }
    }
    return MT_OK;
}

static bool is_named_before(const struct mt_task *t, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (mt_id_equal(&t->inputs[j].data, &t->inputs[i].data)) {
            return true;
        }
    }
    return false;
}

static MT_ERR make_grants(const struct mt_permit *p, struct mt_tx *tx, const struct mt_task_view *v)
{
    const struct mt_task *t = v->task;
    for (size_t i = 0; i < t->inputs_count; i++) {
        struct mt_grant g = {
            .right = MT_GRANT_RUN,
            .grantee = v->record.digest,
            .function = t->function,
            .not_before_ms = t->not_before_ms,
            .until_ms = t->not_after_ms,
            .count = t->runs,
        };
        if (mt_hash_equal(&t->inputs[i].owner, mt_permit_subject(p)) && !is_named_before(t, i)) {
            MT_TRY(mt_permit_grant(p, tx, MT_REF(MT_KIND_DATA, &t->inputs[i].data), &g));
        }
    }
    return MT_OK;
}

static MT_ERR load_for_owner(const struct mt_permit *p, const struct mt_request *rq,
                             struct mt_tx *tx, struct mt_task_view *v)
{
    MT_TRY(mt_task_load(rq->arena, tx, mt_permit_resource(p), v));
    MT_REQUIRE(is_owner_of_input(v->task, mt_permit_subject(p)), MT_E_DENIED,
               "only the owner of an input has a say in this");
    MT_REQUIRE(!v->record.is_cancelled, MT_E_CONFLICT, "the task has been cancelled");
    return MT_OK;
}

mt_err mt_task_approve(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                       struct mt_reply *rp)
{
    static const char *const fields[] = {"statement", NULL};
    struct mt_task_view v;
    struct mt_approval a;
    mt_bytes hex;
    mt_span statement;
    MT_REQUIRE(rq->json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(rq->json, fields));
    MT_TRY(mt_json_text(rq->json, "statement", &hex));
    MT_TRY(mt_arena_get(rq->arena, hex.len / 2, &statement));
    MT_TRY(mt_hex_parse(hex, statement));
    MT_TRY(load_for_owner(p, rq, tx, &v));
    MT_TRY(check_statement(p, mt_bytes_of(statement), &v.record.digest));
    MT_REQUIRE(mt_tx_now_ms(tx) < v.task->not_after_ms, MT_E_STALE, "the task's time is over");
    MT_TRY(mt_approval_get(tx, mt_permit_resource(p), mt_permit_subject(p), &a));
    MT_REQUIRE(a.state != MT_APPROVAL_APPROVED, MT_E_CONFLICT,
               "you have approved this task already");
    a = (struct mt_approval){.state = MT_APPROVAL_APPROVED,
                             .at_ms = mt_tx_now_ms(tx),
                             .statement = mt_bytes_of(statement)};
    MT_TRY(make_grants(p, tx, &v));
    MT_TRY(mt_approval_put(tx, mt_permit_resource(p), mt_permit_subject(p), &a));
    MT_TRY(mt_task_emit(tx, mt_permit_resource(p), "approved", mt_permit_subject(p), NULL));
    mt_json_put_literal(mt_reply_json(rp, 201), "state", "approved");
    return MT_OK;
}

static MT_ERR end_approval(const struct mt_permit *p, struct mt_tx *tx,
                           const struct mt_task_view *v, const struct mt_approval *a)
{
    MT_TRY(revoke_grants(p, tx, v));
    return mt_approval_put(tx, mt_permit_resource(p), mt_permit_subject(p), a);
}

mt_err mt_task_withdraw(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                        struct mt_reply *rp)
{
    struct mt_task_view v;
    struct mt_approval a;
    MT_TRY(load_for_owner(p, rq, tx, &v));
    MT_TRY(mt_approval_get(tx, mt_permit_resource(p), mt_permit_subject(p), &a));
    MT_REQUIRE(a.state == MT_APPROVAL_APPROVED, MT_E_CONFLICT,
               "there is no approval of yours to withdraw");
    a = (struct mt_approval){.state = MT_APPROVAL_WITHDRAWN, .at_ms = mt_tx_now_ms(tx)};
    MT_TRY(end_approval(p, tx, &v, &a));
    MT_TRY(mt_task_emit(tx, mt_permit_resource(p), "withdrawn", mt_permit_subject(p), NULL));
    rp->cancels_task = true; /* what runs on an approval ends with it */
    rp->cancelled_task = *mt_permit_resource(p);
    mt_json_put_literal(mt_reply_json(rp, 200), "state", "withdrawn");
    return MT_OK;
}

mt_err mt_task_reject(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                      struct mt_reply *rp)
{
    static const char *const fields[] = {"reason", NULL};
    enum { REASON_MAX = 512 };
    struct mt_task_view v;
    mt_bytes reason = {NULL, 0};
    if (rq->json != NULL) {
        MT_TRY(mt_json_known(rq->json, fields));
        MT_TRY(mt_json_text(rq->json, "reason", &reason));
        MT_REQUIRE(reason.len <= REASON_MAX, MT_E_LIMIT, "a reason has at most 512 bytes");
        MT_REQUIRE(mt_text_is_plain(reason), MT_E_ARG, "a reason has a character that hides");
    }
    MT_TRY(load_for_owner(p, rq, tx, &v));
    const struct mt_approval a = {
        .state = MT_APPROVAL_REJECTED, .at_ms = mt_tx_now_ms(tx), .reason = reason};
    MT_TRY(end_approval(p, tx, &v, &a));
    MT_TRY(mt_task_emit(tx, mt_permit_resource(p), "rejected", mt_permit_subject(p), NULL));
    rp->cancels_task = true;
    rp->cancelled_task = *mt_permit_resource(p);
    mt_json_put_literal(mt_reply_json(rp, 201), "state", "rejected");
    return MT_OK;
}
