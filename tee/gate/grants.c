/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "gate/inside.h"
#include "wire/cbor.h"

/*
 * gate.grants: resource || grant id -> [right, grantee, function, not before, until, count, used]
 * gate.reach:  who || kind || resource || grant id -> nothing. Who owns has an entry with a grant
 * id of zeros; so one scan finds all that somebody may know of, and one all grants of somebody on
 * one resource.
 */
struct mt_reach_key mt_gate_reach_key(const mt_hash *who, enum mt_kind kind, const mt_id *resource,
                                      const mt_id *grant)
{
    struct mt_reach_key k = {{0}};
    memcpy(k.b, who->b, MT_REACH_WHO);
    k.b[MT_REACH_WHO] = (uint8_t)kind;
    memcpy(k.b + MT_REACH_KIND, resource->b, 16);
    memcpy(k.b + MT_REACH_RESOURCE, grant->b, 16);
    return k;
}

const mt_id mt_gate_no_grant = {{0}};

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
    MT_REQUIRE(g.function.len <= MT_NAME_BYTES_MAX, MT_E_FORMAT,
               "a grant's function has a name that is too long");
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
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cbor_write_array(&w, 7);
    mt_cbor_write_uint(&w, (uint64_t)g->right);
    mt_cbor_write_bytes(&w, mt_hash_bytes(&g->grantee));
    mt_cbor_write_text(&w, g->function);
    mt_cbor_write_uint(&w, g->not_before_ms);
    mt_cbor_write_uint(&w, g->until_ms);
    mt_cbor_write_uint(&w, g->count);
    mt_cbor_write_uint(&w, g->used);
    const struct mt_grant_key key = {*resource, g->id};
    struct mt_reach_key k = mt_gate_reach_key(&g->grantee, kind, resource, &g->id);
    MT_TRY(mt_tx_put(tx, &mt_gate_maps[MT_GATE_GRANTS], MT_BYTES_OF(key), mt_write_done(&w)));
    return mt_tx_put(tx, &mt_gate_maps[MT_GATE_REACH], MT_BYTES_OF(k), (mt_bytes){NULL, 0});
}

static MT_ERR get_grant(struct mt_tx *tx, const mt_id *resource, const mt_id *grant,
                        struct mt_grant *out)
{
    const struct mt_grant_key key = {*resource, *grant};
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
    MT_REQUIRE(key.len == MT_REACH_GRANT, MT_E_FORMAT,
               "an entry of gate.reach has the wrong length");
    memcpy(id.b, key.ptr + MT_REACH_RESOURCE, sizeof id.b);
    if (mt_id_equal(&id, &mt_gate_no_grant)) {
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
    struct mt_reach_key k =
        mt_gate_reach_key(q->grantee, q->what.kind, q->what.id, &mt_gate_no_grant);
    MT_TRY(mt_tx_scan(tx, &mt_gate_maps[MT_GATE_REACH],
                      MT_ALL_OF(((mt_bytes){k.b, MT_REACH_RESOURCE})), search_grant, &s));
    MT_REQUIRE(s.is_found, MT_E_DENIED, "no grant allows it now");
    *out = s.found;
    return MT_OK;
}

bool mt_gate_grant_exists(struct mt_tx *tx, const mt_hash *grantee, const mt_id *resource)
{
    struct search s = {
        .tx = tx, .resource = resource, .rights = 1U << MT_GRANT_RUN, .is_any = true};
    struct mt_reach_key k = mt_gate_reach_key(grantee, MT_KIND_DATA, resource, &mt_gate_no_grant);
    mt_err e = mt_tx_scan(tx, &mt_gate_maps[MT_GATE_REACH],
                          MT_ALL_OF(((mt_bytes){k.b, MT_REACH_RESOURCE})), search_grant, &s);
    return !mt_failed(e) && s.is_found;
}

static MT_ERR del_grant(struct mt_tx *tx, enum mt_kind kind, const struct mt_grant_key *key,
                        const mt_hash *grantee)
{
    struct mt_reach_key k = mt_gate_reach_key(grantee, kind, &key->resource, &key->grant);
    MT_TRY(mt_tx_del(tx, &mt_gate_maps[MT_GATE_REACH], MT_BYTES_OF(k)));
    return mt_tx_del(tx, &mt_gate_maps[MT_GATE_GRANTS], MT_BYTES_OF(*key));
}

enum { STALE_MS = 7 * 24 * 60 * 60 * 1000 };

struct census {
    uint64_t now_ms;
    size_t count;
    bool has_stale;
    struct mt_grant_key stale; /* over for so long that no run under way can rest on it */
    mt_hash stale_grantee;
};

static mt_err count_grant(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct census *c = state;
    struct mt_grant g;
    (void)is_enough;
    MT_REQUIRE(key.len == sizeof c->stale, MT_E_FORMAT,
               "an entry of gate.grants has the wrong length");
    MT_TRY(parse_grant(&mt_gate_no_grant, value, &g));
    c->count++;
    if (g.until_ms != 0 && g.until_ms < c->now_ms && c->now_ms - g.until_ms > STALE_MS) {
        memcpy(&c->stale, key.ptr, key.len);
        c->stale_grantee = g.grantee;
        c->has_stale = true;
    }
    return MT_OK;
}

/* A resource ends in one transaction, with all its grants: so they are bounded, and what is long
 * over makes room. */
static MT_ERR make_room(struct mt_tx *tx, const struct mt_ref *what)
{
    struct census c = {.now_ms = mt_tx_now_ms(tx)};
    MT_TRY(mt_tx_scan(tx, &mt_gate_maps[MT_GATE_GRANTS], MT_ALL_OF((mt_id_bytes(what->id))),
                      count_grant, &c));
    if (c.count < MT_GATE_GRANTS_MAX) {
        return MT_OK;
    }
    MT_REQUIRE(c.has_stale, MT_E_LIMIT, "there are as many grants on it as there may be");
    return del_grant(tx, what->kind, &c.stale, &c.stale_grantee);
}

MT_ERR mt_permit_grant(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                       struct mt_grant *grant)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    MT_TRY(mt_gate_owned(p, tx, what, &res));
    MT_REQUIRE(grant->function.len <= MT_NAME_BYTES_MAX, MT_E_LIMIT,
               "a function's name is too long");
    MT_REQUIRE(mt_text_is_plain(grant->function), MT_E_ARG,
               "a function's name has a character that hides");
    MT_REQUIRE(grant->until_ms == 0 || grant->until_ms > grant->not_before_ms, MT_E_ARG,
               "a grant ends before it begins");
    bool is_counted = grant->right == MT_GRANT_USE || grant->right == MT_GRANT_RUN;
    MT_REQUIRE(grant->count == 0 || is_counted, MT_E_ARG,
               "seeing and reading are not counted: such a grant has no count");
    MT_REQUIRE(grant->used == 0, MT_E_ARG, "a new grant has not been used");
    MT_TRY(make_room(tx, what));
    MT_TRY(mt_tx_random(tx, (mt_span){grant->id.b, sizeof grant->id.b}));
    return mt_gate_grant_put(tx, what->kind, what->id, grant);
}

MT_ERR mt_permit_revoke(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                        const mt_id *grant)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    struct mt_grant g;
    MT_TRY(mt_gate_owned(p, tx, what, &res));
    MT_TRY(get_grant(tx, what->id, grant, &g));
    const struct mt_grant_key key = {*what->id, *grant};
    return del_grant(tx, what->kind, &key, &g.grantee);
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
    MT_REQUIRE(key.len == sizeof(struct mt_grant_key), MT_E_FORMAT,
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
    MT_TRY(mt_gate_owned(p, tx, what, &res));
    return mt_tx_scan(tx, &mt_gate_maps[MT_GATE_GRANTS], MT_ALL_OF((mt_id_bytes(what->id))),
                      give_grant, &e);
}

/* A scan and a write to its map do not mix: one grant a scan. */
struct first_grant {
    struct mt_grant_key key;
    mt_hash grantee;
    bool is_there;
};

static mt_err take_first(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct first_grant *f = state;
    struct mt_grant g;
    MT_REQUIRE(key.len == sizeof f->key, MT_E_FORMAT,
               "an entry of gate.grants has the wrong length");
    memcpy(&f->key, key.ptr, key.len);
    MT_TRY(parse_grant(&f->key.grant, value, &g));
    f->grantee = g.grantee;
    f->is_there = true;
    *is_enough = true;
    return MT_OK;
}

MT_ERR mt_gate_grants_end(struct mt_tx *tx, const struct mt_ref *what)
{
    for (;;) {
        struct first_grant f = {.is_there = false};
        MT_TRY(mt_tx_scan(tx, &mt_gate_maps[MT_GATE_GRANTS], MT_ALL_OF((mt_id_bytes(what->id))),
                          take_first, &f));
        if (!f.is_there) {
            return MT_OK;
        }
        MT_TRY(del_grant(tx, what->kind, &f.key, &f.grantee));
    }
}
