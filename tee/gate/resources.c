/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gate/inside.h"
#include "wire/cbor.h"

/*
 * gate.resources: id -> [kind, owner, made, has ended, shred epoch of its end]
 * gate.grants:    resource || grant id -> [right, grantee, function, not before, until, count,
 * used] gate.reach:     who || kind || resource || grant id -> nothing. Who owns has an entry with
 * a grant id of zeros; so one scan finds all that somebody may know of, and one all grants of
 * somebody on one resource.
 */
enum {
    REACH_WHO = 32,
    REACH_KIND = REACH_WHO + 1,
    REACH_RESOURCE = REACH_KIND + 16,
    REACH_GRANT = REACH_RESOURCE + 16
};

struct reach_key {
    uint8_t b[REACH_GRANT];
};

static struct reach_key reach_key_of(const mt_hash *who, enum mt_kind kind, const mt_id *resource,
                                     const mt_id *grant)
{
    struct reach_key k = {{0}};
    memcpy(k.b, who->b, REACH_WHO);
    k.b[REACH_WHO] = (uint8_t)kind;
    memcpy(k.b + REACH_KIND, resource->b, 16);
    memcpy(k.b + REACH_RESOURCE, grant->b, 16);
    return k;
}

static const mt_id no_grant = {{0}};

struct grant_key {
    mt_id resource;
    mt_id grant;
};
_Static_assert(sizeof(struct grant_key) == 32, "two ids and nothing between them");

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
    mt_bytes value;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cbor_write_array(&w, 5);
    mt_cbor_write_uint(&w, (uint64_t)res->kind);
    mt_cbor_write_bytes(&w, mt_hash_bytes(&res->owner));
    mt_cbor_write_uint(&w, res->made_ms);
    mt_cbor_write_bool(&w, res->has_ended);
    mt_cbor_write_uint(&w, res->ended_epoch);
    MT_TRY(mt_write_end(&w, &value));
    return mt_tx_put(tx, &mt_gate_maps[MT_GATE_RESOURCES], mt_id_bytes(id), value);
}

static MT_ERR add_resource(struct mt_tx *tx, enum mt_kind kind, const mt_id *id,
                           const mt_hash *owner)
{
    const struct mt_resource res = {.kind = kind, .owner = *owner, .made_ms = mt_tx_now_ms(tx)};
    struct reach_key k = reach_key_of(owner, kind, id, &no_grant);
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

static MT_ERR parse_grant(const mt_id *id, mt_bytes value, struct mt_grant *out)
{
    struct mt_reader r = mt_reader_over(value);
    struct mt_grant g = {.id = *id};
    uint64_t count = 0;
    uint64_t right = 0;
    MT_TRY(mt_cbor_read_array(&r, 7, &count));
    MT_REQUIRE(count == 7, MT_E_FORMAT, "a grant's record has seven fields");
    MT_TRY(mt_cbor_read_uint(&r, &right));
    MT_REQUIRE(right >= MT_GRANT_SEE && right <= MT_GRANT_RUN, MT_E_FORMAT,
               "a grant's right is unknown");
    g.right = (enum mt_grant_right)right;
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){g.grantee.b, sizeof g.grantee.b}));
    MT_TRY(mt_cbor_read_text(&r, &g.function));
    MT_TRY(mt_cbor_read_uint(&r, &g.not_before_ms));
    MT_TRY(mt_cbor_read_uint(&r, &g.until_ms));
    MT_TRY(mt_cbor_read_uint(&r, &g.count));
    MT_TRY(mt_cbor_read_uint(&r, &g.used));
    MT_TRY(mt_read_end(&r));
    *out = g;
    return MT_OK;
}

MT_ERR mt_gate_grant_put(struct mt_tx *tx, enum mt_kind kind, const mt_id *resource,
                         const struct mt_grant *g)
{
    uint8_t room[MT_NAME_BYTES_MAX + 96];
    mt_bytes value;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cbor_write_array(&w, 7);
    mt_cbor_write_uint(&w, (uint64_t)g->right);
    mt_cbor_write_bytes(&w, mt_hash_bytes(&g->grantee));
    mt_cbor_write_text(&w, g->function);
    mt_cbor_write_uint(&w, g->not_before_ms);
    mt_cbor_write_uint(&w, g->until_ms);
    mt_cbor_write_uint(&w, g->count);
    mt_cbor_write_uint(&w, g->used);
    MT_TRY(mt_write_end(&w, &value));
    const struct grant_key key = {*resource, g->id};
    struct reach_key k = reach_key_of(&g->grantee, kind, resource, &g->id);
    MT_TRY(mt_tx_put(tx, &mt_gate_maps[MT_GATE_GRANTS], MT_BYTES_OF(key), value));
    return mt_tx_put(tx, &mt_gate_maps[MT_GATE_REACH], MT_BYTES_OF(k), (mt_bytes){NULL, 0});
}

static MT_ERR get_grant(struct mt_tx *tx, const mt_id *resource, const mt_id *grant,
                        struct mt_grant *out)
{
    const struct grant_key key = {*resource, *grant};
    mt_bytes value;
    MT_TRY(mt_tx_get(tx, &mt_gate_maps[MT_GATE_GRANTS], MT_BYTES_OF(key), &value));
    return parse_grant(grant, value, out);
}

struct search {
    struct mt_tx *tx;
    const mt_id *resource;
    unsigned rights;
    mt_bytes function;
    bool is_any; /* whatever its time, count and function */
    bool is_found;
    struct mt_grant found;
};

static bool holds(const struct search *s, const struct mt_grant *g)
{
    uint64_t now_ms = mt_tx_now_ms(s->tx);
    bool is_in_time = g->not_before_ms <= now_ms && (g->until_ms == 0 || now_ms < g->until_ms);
    bool is_left = g->count == 0 || g->used < g->count;
    bool is_for_it =
        g->function.len == 0 || s->function.len == 0 || mt_bytes_equal(g->function, s->function);
    return (s->rights >> g->right & 1U) != 0 && (s->is_any || (is_in_time && is_left && is_for_it));
}

static mt_err search_grant(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct search *s = state;
    mt_id id;
    struct mt_grant g;
    (void)value;
    MT_REQUIRE(key.len == REACH_GRANT, MT_E_FORMAT, "an entry of gate.reach has the wrong length");
    memcpy(id.b, key.ptr + REACH_RESOURCE, sizeof id.b);
    if (mt_id_equal(&id, &no_grant)) {
        return MT_OK;
    }
    MT_TRY(get_grant(s->tx, s->resource, &id, &g));
    if (holds(s, &g)) {
        s->found = g;
        s->is_found = true;
        *is_enough = true;
    }
    return MT_OK;
}

MT_ERR mt_gate_grant_find(struct mt_tx *tx, const struct mt_grant_query *q, struct mt_grant *out)
{
    struct search s = {
        .tx = tx, .resource = q->what.id, .rights = q->rights, .function = q->function};
    struct reach_key k = reach_key_of(q->grantee, q->what.kind, q->what.id, &no_grant);
    MT_TRY(mt_tx_scan(tx, &mt_gate_maps[MT_GATE_REACH],
                      MT_ALL_OF(((mt_bytes){k.b, REACH_RESOURCE})), search_grant, &s));
    MT_REQUIRE(s.is_found, MT_E_DENIED, "no grant allows it now");
    *out = s.found;
    return MT_OK;
}

bool mt_gate_grant_exists(struct mt_tx *tx, const mt_hash *grantee, const mt_id *resource)
{
    struct search s = {
        .tx = tx, .resource = resource, .rights = 1U << MT_GRANT_RUN, .is_any = true};
    struct reach_key k = reach_key_of(grantee, MT_KIND_DATA, resource, &no_grant);
    mt_err e = mt_tx_scan(tx, &mt_gate_maps[MT_GATE_REACH],
                          MT_ALL_OF(((mt_bytes){k.b, REACH_RESOURCE})), search_grant, &s);
    return !mt_failed(e) && s.is_found;
}

static MT_ERR owned(const struct mt_permit *p, struct mt_tx *tx, enum mt_kind kind, const mt_id *id,
                    struct mt_resource *out)
{
    struct mt_resource res;
    MT_TRY(mt_gate_resource_get(tx, id, &res));
    MT_REQUIRE(res.kind == kind && mt_hash_equal(&res.owner, &p->subject), MT_E_DENIED,
               "only its owner may do this");
    MT_REQUIRE(!res.has_ended, MT_E_CONFLICT, "it has been deleted");
    *out = res;
    return MT_OK;
}

MT_ERR mt_permit_grant(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                       struct mt_grant *grant)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    MT_TRY(owned(p, tx, what->kind, what->id, &res));
    MT_REQUIRE(grant->function.len <= MT_NAME_BYTES_MAX, MT_E_LIMIT,
               "a function's name is too long");
    MT_REQUIRE(grant->until_ms == 0 || grant->until_ms > grant->not_before_ms, MT_E_ARG,
               "a grant ends before it begins");
    MT_REQUIRE(grant->used == 0, MT_E_ARG, "a new grant has not been used");
    MT_TRY(mt_tx_random(tx, (mt_span){grant->id.b, sizeof grant->id.b}));
    return mt_gate_grant_put(tx, what->kind, what->id, grant);
}

MT_ERR mt_permit_revoke(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                        const mt_id *grant)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    struct mt_grant g;
    MT_TRY(owned(p, tx, what->kind, what->id, &res));
    MT_TRY(get_grant(tx, what->id, grant, &g));
    const struct grant_key key = {*what->id, *grant};
    struct reach_key k = reach_key_of(&g.grantee, what->kind, what->id, grant);
    MT_TRY(mt_tx_del(tx, &mt_gate_maps[MT_GATE_REACH], MT_BYTES_OF(k)));
    return mt_tx_del(tx, &mt_gate_maps[MT_GATE_GRANTS], MT_BYTES_OF(key));
}

struct each_grant {
    mt_grant_each *each;
    void *state;
};

static mt_err give_grant(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    const struct each_grant *e = state;
    mt_id id;
    struct mt_grant g;
    (void)is_enough;
    MT_REQUIRE(key.len == sizeof(struct grant_key), MT_E_FORMAT,
               "an entry of gate.grants has the wrong length");
    memcpy(id.b, key.ptr + sizeof id.b, sizeof id.b);
    MT_TRY(parse_grant(&id, value, &g));
    return e->each(e->state, &g);
}

MT_ERR mt_permit_grants(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                        mt_grant_each *each, void *state)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    struct each_grant e = {each, state};
    MT_TRY(owned(p, tx, what->kind, what->id, &res));
    return mt_tx_scan(tx, &mt_gate_maps[MT_GATE_GRANTS], MT_ALL_OF((mt_id_bytes(what->id))),
                      give_grant, &e);
}

/* One entry of a scan that is about to be removed: a scan and a write to its map do not mix. */
struct first_entry {
    uint8_t key[32];
    size_t key_len;
    mt_id object; /* the value, where it is one */
};

static mt_err take_first(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct first_entry *f = state;
    MT_REQUIRE(key.len <= sizeof f->key, MT_E_FORMAT,
               "an entry of the gate's maps has the wrong length");
    memcpy(f->key, key.ptr, key.len);
    f->key_len = key.len;
    if (value.len == sizeof f->object.b) {
        memcpy(f->object.b, value.ptr, value.len);
    }
    *is_enough = true;
    return MT_OK;
}

static MT_ERR end_grants(struct mt_tx *tx, enum mt_kind kind, const mt_id *id)
{
    for (;;) {
        struct first_entry f = {.key_len = 0};
        struct mt_grant g;
        mt_id grant;
        MT_TRY(mt_tx_scan(tx, &mt_gate_maps[MT_GATE_GRANTS], MT_ALL_OF((mt_id_bytes(id))),
                          take_first, &f));
        if (f.key_len == 0) {
            return MT_OK;
        }
        memcpy(grant.b, f.key + sizeof grant.b, sizeof grant.b);
        MT_TRY(get_grant(tx, id, &grant, &g));
        struct reach_key k = reach_key_of(&g.grantee, kind, id, &grant);
        MT_TRY(mt_tx_del(tx, &mt_gate_maps[MT_GATE_REACH], MT_BYTES_OF(k)));
        MT_TRY(mt_tx_del(tx, &mt_gate_maps[MT_GATE_GRANTS], (mt_bytes){f.key, f.key_len}));
    }
}

static MT_ERR end_objects(struct mt_tx *tx, const mt_id *id)
{
    for (;;) {
        struct first_entry f = {.key_len = 0};
        MT_TRY(mt_tx_scan(tx, &mt_gate_maps[MT_GATE_OBJECTS], MT_ALL_OF((mt_id_bytes(id))),
                          take_first, &f));
        if (f.key_len == 0) {
            return MT_OK;
        }
        MT_TRY(mt_tx_del(tx, &mt_gate_maps[MT_GATE_WRAPS], mt_id_bytes(&f.object)));
        MT_TRY(mt_tx_del(tx, &mt_gate_maps[MT_GATE_OBJECTS], (mt_bytes){f.key, f.key_len}));
    }
}

MT_ERR mt_permit_disown(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    MT_TRY(owned(p, tx, what->kind, what->id, &res));
    MT_TRY(end_grants(tx, what->kind, what->id));
    MT_TRY(end_objects(tx, what->id));
    res.has_ended = true;
    res.ended_epoch = mt_shred_epoch(p->gate->shred);
    return mt_gate_resource_put(tx, what->id, &res);
}

enum { ANY_OF_A_PERSON = 1U << MT_GRANT_SEE | 1U << MT_GRANT_USE | 1U << MT_GRANT_READ };

/* q->what.kind is not looked at: the resource says what it is. */
static MT_ERR may(struct mt_tx *tx, const struct mt_grant_query *q, struct mt_resource *res)
{
    struct mt_grant g;
    mt_err e = mt_gate_resource_get(tx, q->what.id, res);
    MT_REQUIRE(!mt_failed(e), MT_E_NOTFOUND, "there is no such thing, or you may not know of it");
    bool is_owner = mt_hash_equal(&res->owner, q->grantee);
    MT_REQUIRE(is_owner || !res->has_ended, MT_E_NOTFOUND,
               "there is no such thing, or you may not know of it");
    if (is_owner) {
        MT_REQUIRE(!res->has_ended, MT_E_CONFLICT, "it has been deleted");
        return MT_OK;
    }
    struct mt_grant_query any = {q->grantee, {res->kind, q->what.id}, ANY_OF_A_PERSON, {NULL, 0}};
    e = mt_gate_grant_find(tx, &any, &g);
    MT_REQUIRE(!mt_failed(e), MT_E_NOTFOUND, "there is no such thing, or you may not know of it");
    any.rights = q->rights;
    any.function = q->function;
    return mt_gate_grant_find(tx, &any, &g);
}

MT_ERR mt_permit_may_use(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                         mt_bytes function, mt_hash *owner)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    MT_TRY(may(tx, &(const struct mt_grant_query){&p->subject, *what, 1U << MT_GRANT_USE, function},
               &res));
    MT_REQUIRE(res.kind == what->kind, MT_E_NOTFOUND,
               "there is no such thing, or you may not know of it");
    if (owner != NULL) {
        *owner = res.owner;
    }
    return MT_OK;
}

MT_ERR mt_permit_may_see(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    MT_TRY(may(tx, &(const struct mt_grant_query){&p->subject, *what, ANY_OF_A_PERSON, {NULL, 0}},
               &res));
    MT_REQUIRE(res.kind == what->kind, MT_E_NOTFOUND,
               "there is no such thing, or you may not know of it");
    return MT_OK;
}

MT_ERR mt_permit_describe(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                          struct mt_resource_info *out)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    MT_TRY(mt_gate_resource_get(tx, what->id, &res));
    bool is_owner = mt_hash_equal(&res.owner, &p->subject);
    MT_REQUIRE(res.kind == what->kind, MT_E_NOTFOUND,
               "there is no such thing, or you may not know of it");
    if (!is_owner) {
        MT_TRY(may(tx,
                   &(const struct mt_grant_query){&p->subject, *what, ANY_OF_A_PERSON, {NULL, 0}},
                   &res));
    }
    *out = (struct mt_resource_info){
        .owner = res.owner,
        .is_owner = is_owner,
        .has_ended = res.has_ended,
        .is_shredded = res.has_ended && mt_shred_epoch(p->gate->shred) > res.ended_epoch &&
                       !mt_shred_is_rotating(p->gate->shred),
    };
    return MT_OK;
}

struct listing {
    mt_resource_each *each;
    void *state;
    const struct mt_reached *reached; /* the callback is the service's: it reaches its own maps */
    mt_id last;
    bool has_last;
};

static mt_err list_reach(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct listing *l = state;
    mt_id id;
    (void)value;
    MT_REQUIRE(key.len == REACH_GRANT, MT_E_FORMAT, "an entry of gate.reach has the wrong length");
    memcpy(id.b, key.ptr + REACH_KIND, sizeof id.b);
    if (l->has_last && mt_id_equal(&l->last, &id)) {
        return MT_OK;
    }
    l->last = id;
    l->has_last = true;
    (void)mt_tx_reach(l->reached->tx, l->reached->before);
    mt_err e = l->each(l->state, &id, is_enough);
    (void)mt_tx_reach(l->reached->tx, mt_gate_maps);
    return e;
}

MT_ERR mt_permit_list(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *after,
                      mt_resource_each *each, void *state)
{
    MT_GATE_REACHES(tx);
    struct listing l = {.reached = &reached_,
                        .each = each,
                        .state = state,
                        .last = *after->id,
                        .has_last = !mt_id_equal(after->id, &no_grant)};
    struct reach_key k = reach_key_of(&p->subject, after->kind, after->id, &no_grant);
    mt_bytes from = l.has_last ? (mt_bytes){k.b, REACH_RESOURCE} : (mt_bytes){NULL, 0};
    return mt_tx_scan(tx, &mt_gate_maps[MT_GATE_REACH],
                      MT_RANGE(((mt_bytes){k.b, REACH_KIND}), from), list_reach, &l);
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
