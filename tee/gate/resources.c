/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gate/inside.h"
#include "wire/cbor.h"

/* gate.resources: id -> [kind, owner, made, has ended, shred epoch of its end] */

MT_ERR mt_gate_resource_get(struct mt_tx *tx, const mt_id *id, struct mt_resource *out)
{
    mt_bytes value;
    struct mt_resource res = {0};
    uint64_t count = 0;
    uint64_t kind = 0;
    MT_TRY(mt_tx_get(tx, &mt_gate_maps[MT_GATE_RESOURCES], mt_id_bytes(id), &value));
    struct mt_reader r = mt_reader_over(value);
    MT_TRY(mt_cbor_read_array(&r, 5, &count));
    MT_REQUIRE(count == 5, MT_E_FORMAT, "a resource's record has five fields");
    MT_TRY(mt_cbor_read_uint(&r, &kind));
    MT_REQUIRE(kind >= MT_KIND_DATA && kind <= MT_KIND_RESULT, MT_E_FORMAT,
               "a resource's kind is unknown");
    res.kind = (enum mt_kind)kind;
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){res.owner.b, sizeof res.owner.b}));
    MT_TRY(mt_cbor_read_uint(&r, &res.made_ms));
    MT_TRY(mt_cbor_read_bool(&r, &res.has_ended));
    MT_TRY(mt_cbor_read_uint(&r, &res.ended_epoch));
    MT_TRY(mt_read_end(&r));
    *out = res;
    return MT_OK;
}

MT_ERR mt_gate_resource_put(struct mt_tx *tx, const mt_id *id, const struct mt_resource *res)
{
    uint8_t room[80];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cbor_write_array(&w, 5);
    mt_cbor_write_uint(&w, (uint64_t)res->kind);
    mt_cbor_write_bytes(&w, mt_hash_bytes(&res->owner));
    mt_cbor_write_uint(&w, res->made_ms);
    mt_cbor_write_bool(&w, res->has_ended);
    mt_cbor_write_uint(&w, res->ended_epoch);
    return mt_tx_put(tx, &mt_gate_maps[MT_GATE_RESOURCES], mt_id_bytes(id), mt_write_done(&w));
}

static MT_ERR add_resource(struct mt_tx *tx, enum mt_kind kind, const mt_id *id,
                           const mt_hash *owner)
{
    const struct mt_resource res = {.kind = kind, .owner = *owner, .made_ms = mt_tx_now_ms(tx)};
    struct mt_reach_key k = mt_gate_reach_key(owner, kind, id, &mt_gate_no_grant);
    MT_REQUIRE(!mt_tx_has(tx, &mt_gate_maps[MT_GATE_RESOURCES], mt_id_bytes(id)), MT_E_CONFLICT,
               "this id is taken");
    MT_TRY(mt_gate_resource_put(tx, id, &res));
    return mt_tx_put(tx, &mt_gate_maps[MT_GATE_REACH], MT_BYTES_OF(k), (mt_bytes){NULL, 0});
}

MT_ERR mt_permit_own(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what)
{
    MT_GATE_REACHES(tx);
    MT_REQUIRE(what->kind != MT_KIND_NONE, MT_E_INTERNAL, "nothing cannot be owned");
    return add_resource(tx, what->kind, what->id, &p->subject);
}

MT_ERR mt_gate_owned(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                     struct mt_resource *out)
{
    struct mt_resource res;
    MT_TRY(mt_gate_resource_get(tx, what->id, &res));
    MT_REQUIRE(res.kind == what->kind && mt_hash_equal(&res.owner, &p->subject), MT_E_DENIED,
               "only its owner may do this");
    MT_REQUIRE(!res.has_ended, MT_E_CONFLICT, "it has been deleted");
    *out = res;
    return MT_OK;
}

MT_ERR mt_permit_disown(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    MT_TRY(mt_gate_owned(p, tx, what, &res));
    MT_TRY(mt_gate_grants_end(tx, what));
    MT_TRY(mt_gate_objects_end(p->gate, tx, what->id));
    res.has_ended = true;
    res.ended_epoch = mt_shred_epoch(p->gate->shred);
    return mt_gate_resource_put(tx, what->id, &res);
}

enum { ANY_OF_A_PERSON = 1U << MT_GRANT_SEE | 1U << MT_GRANT_USE | 1U << MT_GRANT_READ };

/* *grant is set if the subject is not the owner: one that gives a right of the query. */
static MT_ERR may(struct mt_tx *tx, const struct mt_grant_query *q, struct mt_resource *res,
                  struct mt_grant *grant)
{
    mt_err e = mt_gate_resource_get(tx, q->what.id, res);
    MT_REQUIRE(!mt_failed(e) && res->kind == q->what.kind, MT_E_NOTFOUND, MT_GATE_NOTHING);
    if (mt_hash_equal(&res->owner, q->grantee)) {
        MT_REQUIRE(!res->has_ended, MT_E_CONFLICT, "it has been deleted");
        return MT_OK;
    }
    struct mt_grant_query any = {q->grantee, q->what, ANY_OF_A_PERSON, {NULL, 0}};
    e = mt_gate_grant_find(tx, &any, grant); /* what has ended has no grants */
    MT_REQUIRE(!mt_failed(e), MT_E_NOTFOUND, MT_GATE_NOTHING);
    return mt_gate_grant_find(tx, q, grant);
}

MT_ERR mt_permit_use(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                     mt_bytes function, mt_hash *owner)
{
    MT_GATE_REACHES(tx);
    const struct mt_grant_query q = {&p->subject, *what, 1U << MT_GRANT_USE, function};
    struct mt_resource res;
    struct mt_grant g = {.used = 0};
    MT_TRY(may(tx, &q, &res, &g));
    if (!mt_hash_equal(&res.owner, &p->subject)) {
        g.used++;
        MT_TRY(mt_gate_grant_put(tx, res.kind, what->id, &g));
    }
    *owner = res.owner;
    return MT_OK;
}

MT_ERR mt_permit_may_see(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what)
{
    MT_GATE_REACHES(tx);
    const struct mt_grant_query q = {&p->subject, *what, ANY_OF_A_PERSON, {NULL, 0}};
    struct mt_resource res;
    struct mt_grant g;
    return may(tx, &q, &res, &g);
}

MT_ERR mt_permit_describe(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                          struct mt_resource_info *out)
{
    MT_GATE_REACHES(tx);
    const struct mt_grant_query q = {&p->subject, *what, ANY_OF_A_PERSON, {NULL, 0}};
    struct mt_resource res;
    struct mt_grant g;
    mt_err e = may(tx, &q, &res, &g);
    /* Its owner may look at what has ended. */
    if (mt_failed(e) && e.fault->code != MT_E_CONFLICT) {
        return e;
    }
    *out = (struct mt_resource_info){
        .owner = res.owner,
        .is_owner = mt_hash_equal(&res.owner, &p->subject),
        .has_ended = res.has_ended,
        .is_shredded = res.has_ended && mt_shred_epoch(p->gate->shred) > res.ended_epoch &&
                       !mt_shred_is_rotating(p->gate->shred),
    };
    return MT_OK;
}

struct listing {
    mt_resource_each *each;
    void *state;
    const struct mt_permit *permit;
    enum mt_kind kind;
    const struct mt_reached *reached; /* the callback is the service's: it reaches its own maps */
    mt_id last;
    bool has_last;
};

static mt_err list_reach(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct listing *l = state;
    mt_id id;
    (void)value;
    MT_REQUIRE(key.len == MT_REACH_GRANT, MT_E_FORMAT,
               "an entry of gate.reach has the wrong length");
    memcpy(id.b, key.ptr + MT_REACH_KIND, sizeof id.b);
    if (l->has_last && mt_id_equal(&l->last, &id)) {
        return MT_OK;
    }
    l->last = id;
    l->has_last = true;
    struct mt_resource_info info;
    if (mt_failed(mt_permit_describe(l->permit, l->reached->tx, MT_REF(l->kind, &id), &info))) {
        return MT_OK; /* a grant that does not hold now: nothing may be known of it */
    }
    (void)mt_tx_reach(l->reached->tx, l->reached->before);
    mt_err e = l->each(l->state, &id, is_enough);
    (void)mt_tx_reach(l->reached->tx, mt_gate_maps);
    return e;
}

MT_ERR mt_permit_list(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *after,
                      mt_resource_each *each, void *state)
{
    MT_GATE_REACHES(tx);
    struct listing l = {.permit = p,
                        .kind = after->kind,
                        .reached = &reached_,
                        .each = each,
                        .state = state,
                        .last = *after->id,
                        .has_last = !mt_id_equal(after->id, &mt_gate_no_grant)};
    struct mt_reach_key k =
        mt_gate_reach_key(&p->subject, after->kind, after->id, &mt_gate_no_grant);
    mt_bytes from = l.has_last ? (mt_bytes){k.b, MT_REACH_RESOURCE} : (mt_bytes){NULL, 0};
    return mt_tx_scan(tx, &mt_gate_maps[MT_GATE_REACH],
                      MT_RANGE(((mt_bytes){k.b, MT_REACH_KIND}), from), list_reach, &l);
}

MT_ERR mt_permit_keep_result(const struct mt_permit *p, struct mt_tx *tx,
                             const struct mt_kept_result *r)
{
    static const mt_hash nobody = {{0}};
    {
        MT_GATE_REACHES(tx);
        MT_REQUIRE(p->is_job, MT_E_DENIED, "only a job has results");
        MT_TRY(add_resource(tx, MT_KIND_RESULT, r->result, &nobody));
        for (size_t i = 0; i < r->receivers_count; i++) {
            struct mt_grant g = {.right = MT_GRANT_READ, .grantee = r->receivers[i]};
            MT_TRY(mt_tx_random(tx, (mt_span){g.id.b, sizeof g.id.b}));
            MT_TRY(mt_gate_grant_put(tx, MT_KIND_RESULT, r->result, &g));
        }
    }
    return mt_permit_keep(p, tx, r->output, MT_REF(MT_KIND_RESULT, r->result), 1);
}
