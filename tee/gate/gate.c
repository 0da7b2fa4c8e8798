/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/ct.h"
#include "gate/inside.h"

const struct mt_map_def mt_gate_maps[] = {
    [MT_GATE_USERS] = {"gate.users", false},
    [MT_GATE_RESOURCES] = {"gate.resources", false},
    [MT_GATE_GRANTS] = {"gate.grants", false},
    [MT_GATE_REACH] = {"gate.reach", false},
    [MT_GATE_WRAPS] = {"gate.wraps", false},
    [MT_GATE_OBJECTS] = {"gate.objects", false},
    [MT_GATE_REQUESTS] = {"gate.requests", false},
    [MT_GATE_ORDER] = {"gate.order", false},
    {NULL, false},
};

struct mt_reached mt_gate_reach(struct mt_tx *tx)
{
    return (struct mt_reached){tx, mt_tx_reach(tx, mt_gate_maps)};
}

void mt_gate_unreach(struct mt_reached *r)
{
    (void)mt_tx_reach(r->tx, r->before);
}

MT_ERR mt_gate_new(const struct mt_gate_options *o, struct mt_gate **out)
{
    struct mt_gate *g = calloc(1, sizeof *g);
    MT_REQUIRE(g != NULL, MT_E_NOMEM, "no memory for the gate");
    g->ledger = o->ledger;
    g->shred = o->shred;
    g->administrator = o->administrator;
    g->staging_quota_bytes = o->staging_quota_bytes;
    g->staging_total_bytes = o->staging_total_bytes;
    *out = g;
    return MT_OK;
}

void mt_gate_free(struct mt_gate **g)
{
    free(*g);
    *g = NULL;
}

/* Whether this user may see the resource at all; else it does not exist for them. */
static MT_ERR may_see(struct mt_tx *tx, const struct mt_ask *ask, const struct mt_resource *r)
{
    enum { ANY = 1U << MT_GRANT_SEE | 1U << MT_GRANT_USE | 1U << MT_GRANT_READ };
    struct mt_grant g;
    if (mt_hash_equal(&r->owner, &ask->subject)) {
        return MT_OK;
    }
    MT_REQUIRE(!r->has_ended, MT_E_NOTFOUND, MT_GATE_NOTHING);
    if (mt_failed(mt_gate_grant_find(
            tx,
            &(const struct mt_grant_query){
                &ask->subject, {r->kind, &ask->resource}, ANY, (mt_bytes){NULL, 0}},
            &g))) {
        MT_FAIL(MT_E_NOTFOUND, MT_GATE_NOTHING);
    }
    return MT_OK;
}

static MT_ERR decide_on_resource(struct mt_tx *tx, const struct mt_ask *ask, struct mt_permit *p)
{
    struct mt_resource r;
    struct mt_grant g;
    mt_err e = mt_gate_resource_get(tx, &ask->resource, &r);
    MT_REQUIRE(!mt_failed(e) || e.fault->code == MT_E_NOTFOUND, MT_E_INTERNAL,
               "a resource cannot be read");
    MT_REQUIRE(!mt_failed(e) && r.kind == ask->kind, MT_E_NOTFOUND, MT_GATE_NOTHING);
    MT_TRY(may_see(tx, ask, &r));

    p->is_owner = mt_hash_equal(&r.owner, &ask->subject);
    p->has_ended = r.has_ended;
    bool is_reader = !mt_failed(mt_gate_grant_find(
        tx,
        &(const struct mt_grant_query){
            &ask->subject, {r.kind, &ask->resource}, 1U << MT_GRANT_READ, (mt_bytes){NULL, 0}},
        &g));
    p->may_read = is_reader || p->is_owner; /* a result has readers alone: nobody owns it */
    switch (ask->right) {
    case MT_RIGHT_SEE:
        return MT_OK;
    case MT_RIGHT_READ:
        MT_REQUIRE(p->may_read, MT_E_DENIED, "you are not among those who may read it");
        return MT_OK;
    case MT_RIGHT_OWNER:
        MT_REQUIRE(p->is_owner, MT_E_DENIED, "only its owner may do this");
        return MT_OK;
    case MT_RIGHT_ADMIN:
    case MT_RIGHT_USER:
    default:
        break;
    }
    MT_FAIL(MT_E_INTERNAL, "a route names a resource and a right that has none");
}

static MT_ERR decide(struct mt_tx *tx, const struct mt_ask *ask, struct mt_permit *p)
{
    struct mt_user u;
    mt_err e = mt_gate_user_get(tx, &ask->subject, &u);
    p->is_configured = mt_failed(e) && e.fault->code == MT_E_NOTFOUND &&
                       mt_gate_is_first_admin(p->gate, tx, &ask->subject);
    if (p->is_configured) {
        u = (struct mt_user){.subject = ask->subject, .key = *ask->key, .role = MT_ROLE_ADMIN};
    } else {
        MT_REQUIRE(!mt_failed(e) && !u.is_revoked, MT_E_DENIED, MT_GATE_STRANGER);
    }
    p->subject = ask->subject;
    p->key = u.key;
    p->role = u.role;
    p->kind = ask->kind;
    p->resource = ask->resource;
    if (ask->kind != MT_KIND_NONE) {
        return decide_on_resource(tx, ask, p);
    }
    MT_REQUIRE(ask->right == MT_RIGHT_USER || ask->right == MT_RIGHT_ADMIN, MT_E_INTERNAL,
               "a route without a resource demands a right on one");
    MT_REQUIRE(ask->right != MT_RIGHT_ADMIN || u.role == MT_ROLE_ADMIN, MT_E_DENIED,
               "only an administrator may do this");
    return MT_OK;
}

MT_ERR mt_gate_check(struct mt_gate *g, struct mt_tx *tx, const struct mt_ask *ask)
{
    MT_GATE_REACHES(tx);
    struct mt_permit p = {.gate = g};
    return decide(tx, ask, &p);
}

MT_ERR mt_gate_admit(struct mt_gate *g, struct mt_tx *tx, const struct mt_ask *ask,
                     struct mt_permit **out)
{
    MT_GATE_REACHES(tx);
    mt_span room;
    g->ended_count = 0;
    MT_REQUIRE(g->notes_count < MT_GATE_NOTES_MAX && !g->is_behind, MT_E_BUSY,
               "the audit log has to be written first");
    MT_TRY(mt_arena_get(ask->arena, sizeof(struct mt_permit), &room));
    struct mt_permit *p = (struct mt_permit *)(void *)room.ptr;
    p->gate = g;
    MT_TRY(decide(tx, ask, p));
    MT_REQUIRE(ask->right != MT_RIGHT_OWNER || !p->has_ended, MT_E_CONFLICT, "it has been deleted");
    p->is_intent = ask->is_intent;
    if (p->is_configured && ask->is_write) {
        MT_TRY(mt_gate_user_add(tx, ask->key, MT_LITERAL("administrator"), MT_ROLE_ADMIN));
    }
    if (ask->is_write || ask->is_intent) {
        enum mt_audit_phase phase = ask->is_write ? MT_AUDIT_ACT : MT_AUDIT_INTENT;
        MT_TRY(mt_gate_audit(tx, &ask->subject, ask->action, &ask->resource, phase));
    }
    *out = p;
    return MT_OK;
}

bool mt_gate_knows(struct mt_gate *g, struct mt_tx *tx, const mt_hash *subject)
{
    MT_GATE_REACHES(tx);
    struct mt_user u;
    mt_err e = mt_gate_user_get(tx, subject, &u);
    return mt_failed(e) ? mt_gate_is_first_admin(g, tx, subject) : !u.is_revoked;
}

void mt_gate_leave(struct mt_permit **p)
{
    if (*p != NULL) {
        mt_wipe((mt_span){(uint8_t *)*p, sizeof **p});
        *p = NULL;
    }
}

const mt_hash *mt_permit_subject(const struct mt_permit *p)
{
    return &p->subject;
}

const mt_spki *mt_permit_key(const struct mt_permit *p)
{
    return &p->key;
}

enum mt_role mt_permit_role(const struct mt_permit *p)
{
    return p->role;
}

const mt_id *mt_permit_resource(const struct mt_permit *p)
{
    return &p->resource;
}

bool mt_permit_is_owner(const struct mt_permit *p)
{
    return p->is_owner;
}

static struct mt_stager *stager_of(struct mt_gate *g, const mt_hash *subject)
{
    struct mt_stager *free_one = NULL;
    for (size_t i = 0; i < MT_GATE_STAGERS_MAX; i++) {
        if (g->stagers[i].bytes > 0 && mt_hash_equal(&g->stagers[i].subject, subject)) {
            return &g->stagers[i];
        }
        if (g->stagers[i].bytes == 0 && free_one == NULL) {
            free_one = &g->stagers[i];
        }
    }
    if (free_one != NULL) {
        free_one->subject = *subject;
    }
    return free_one;
}

MT_ERR mt_gate_stage(struct mt_gate *g, const mt_hash *subject, uint64_t bytes)
{
    struct mt_stager *s = stager_of(g, subject);
    MT_REQUIRE(s != NULL, MT_E_BUSY, "too many subjects are uploading at once");
    MT_REQUIRE(bytes <= g->staging_quota_bytes && s->bytes <= g->staging_quota_bytes - bytes,
               MT_E_LIMIT, "your staging quota is used up");
    MT_REQUIRE(bytes <= g->staging_total_bytes && g->staged_bytes <= g->staging_total_bytes - bytes,
               MT_E_BUSY, "the node's staging room is used up");
    s->bytes += bytes;
    g->staged_bytes += bytes;
    return MT_OK;
}

void mt_gate_unstage(struct mt_gate *g, const mt_hash *subject, uint64_t bytes)
{
    if (bytes == 0) {
        return;
    }
    struct mt_stager *s = stager_of(g, subject);
    MT_ASSERT(s != NULL);
    MT_ASSERT(s->bytes >= bytes);
    MT_ASSERT(g->staged_bytes >= bytes);
    s->bytes -= bytes;
    g->staged_bytes -= bytes;
}

uint64_t mt_gate_strangers(const struct mt_gate *g)
{
    return g->strangers;
}
