/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/data/data.h"

#include "services/data/store.h"

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static MT_ERR check_name(mt_bytes name)
{
    MT_REQUIRE(name.len > 0 && name.len <= MT_NAME_BYTES_MAX, MT_E_ARG,
               "a data set's name has 1 to 64 characters");
    for (size_t i = 0; i < name.len; i++) {
        MT_REQUIRE(is_name_byte(name.ptr[i]), MT_E_ARG,
                   "a data set's name is made of letters, digits, '-', '_' and '.'");
    }
    return MT_OK;
}

/* The set of that name, made if the subject has none. */
static MT_ERR open_set(const struct mt_permit *p, struct mt_tx *tx, mt_bytes name, mt_id *id,
                       struct mt_data_set *set)
{
    mt_err e = mt_data_name_get(tx, mt_permit_subject(p), name, id);
    if (!mt_failed(e)) {
        return mt_data_set_get(tx, id, set);
    }
    if (e.fault->code != MT_E_NOTFOUND) {
        return e;
    }
    MT_TRY(mt_tx_random(tx, (mt_span){id->b, sizeof id->b}));
    MT_TRY(mt_permit_own(p, tx, MT_REF(MT_KIND_DATA, id)));
    MT_TRY(mt_data_name_put(tx, mt_permit_subject(p), name, id));
    *set = (struct mt_data_set){.name = name};
    return MT_OK;
}

static void put_schema(struct mt_json_writer *j, mt_bytes schema)
{
    if (schema.len == 0) {
        mt_json_put_null(j, "schema");
    } else {
        mt_json_put_written(j, "schema", schema);
    }
}

static mt_err put(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                  struct mt_reply *rp)
{
    mt_bytes name;
    mt_id id;
    struct mt_data_set set;
    MT_REQUIRE(rq->staged != NULL, MT_E_INTERNAL, "a data version arrives as a staged object");
    MT_TRY(mt_request_query(rq, "name", &name));
    MT_TRY(check_name(name));
    MT_TRY(open_set(p, tx, name, &id, &set));
    MT_REQUIRE(set.versions < MT_DATA_VERSIONS_MAX, MT_E_LIMIT,
               "this data set has as many versions as one may have");
    set.name = name;
    set.versions++;
    MT_TRY(mt_permit_keep(p, tx, rq->staged, MT_REF(MT_KIND_DATA, &id), set.versions));
    struct mt_data_version v = {.made_ms = mt_tx_now_ms(tx)};
    MT_TRY(mt_data_schema_propose(rq, &v.schema));
    MT_TRY(mt_data_version_put(tx, &id, set.versions, &v));
    MT_TRY(mt_data_set_put(tx, &id, &set));

    struct mt_json_writer *j = mt_reply_json(rp, 201);
    mt_json_put_hex(j, "data", mt_id_bytes(&id));
    mt_json_put_text(j, "name", name);
    mt_json_put_uint(j, "version", set.versions);
    mt_json_put_hex(j, "object", mt_id_bytes(&rq->staged->id));
    mt_json_put_uint(j, "size_bytes", rq->staged->size_bytes);
    mt_json_put_hex(j, "salt", mt_hash_bytes(&rq->staged->salt));
    mt_json_put_hex(j, "commitment", mt_hash_bytes(&rq->staged->commitment));
    put_schema(j, v.schema);
    return MT_OK;
}

struct listing {
    const struct mt_permit *permit;
    struct mt_tx *tx;
    struct mt_json_writer *j;
    uint64_t left;
};

static mt_err list_one(void *state, const mt_id *id, bool *is_enough)
{
    struct listing *l = state;
    struct mt_data_set set;
    struct mt_object_handle h;
    struct mt_resource_info info;
    MT_TRY(mt_data_set_get(l->tx, id, &set));
    MT_TRY(mt_permit_describe(l->permit, l->tx, MT_REF(MT_KIND_DATA, id), &info));
    mt_json_begin_object(l->j, NULL);
    mt_json_put_hex(l->j, "data", mt_id_bytes(id));
    mt_json_put_text(l->j, "name", set.name);
    mt_json_put_hex(l->j, "owner", mt_hash_bytes(&info.owner));
    mt_json_put_bool(l->j, "is_owner", info.is_owner);
    mt_json_put_literal(l->j, "state", set.is_deleted ? "deleted" : "live");
    if (!set.is_deleted) {
        MT_TRY(mt_permit_object(l->permit, l->tx, MT_REF(MT_KIND_DATA, id), set.versions, &h));
        mt_json_begin_object(l->j, "latest");
        mt_json_put_uint(l->j, "version", set.versions);
        mt_json_put_uint(l->j, "size_bytes", h.size_bytes);
        mt_json_put_hex(l->j, "commitment", mt_hash_bytes(&h.commitment));
        mt_json_end_object(l->j);
    }
    mt_json_end_object(l->j);
    *is_enough = --l->left == 0;
    return MT_OK;
}

static mt_err list(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                   struct mt_reply *rp)
{
    enum { LIST_MAX = 1000 };
    struct listing l = {.permit = p, .tx = tx};
    mt_id after = {{0}};
    mt_bytes text;
    MT_TRY(mt_request_query_uint(rq, "limit", LIST_MAX, LIST_MAX, &l.left));
    MT_REQUIRE(l.left > 0, MT_E_ARG, "limit is at least 1");
    MT_TRY(mt_request_query(rq, "after", &text));
    if (text.ptr != NULL) {
        MT_TRY(mt_hex_parse(text, (mt_span){after.b, sizeof after.b}));
    }
    l.j = mt_reply_json(rp, 200);
    mt_json_begin_array(l.j, "data");
    MT_TRY(mt_permit_list(p, tx, MT_REF(MT_KIND_DATA, &after), list_one, &l));
    mt_json_end_array(l.j);
    return MT_OK;
}

static const char *right_name(enum mt_grant_right right)
{
    switch (right) {
    case MT_GRANT_SEE:
        return "see";
    case MT_GRANT_USE:
        return "use";
    case MT_GRANT_READ:
        return "read";
    case MT_GRANT_RUN:
        return "run";
    }
    return "";
}

static mt_err put_grant(void *state, const struct mt_grant *g)
{
    struct mt_json_writer *j = state;
    mt_json_begin_object(j, NULL);
    mt_json_put_hex(j, "grant", mt_id_bytes(&g->id));
    mt_json_put_literal(j, "right", right_name(g->right));
    mt_json_put_hex(j, "grantee", mt_hash_bytes(&g->grantee));
    mt_json_put_text(j, "function", g->function);
    mt_json_put_uint(j, "not_before_ms", g->not_before_ms);
    mt_json_put_uint(j, "until_ms", g->until_ms);
    mt_json_put_uint(j, "count", g->count);
    mt_json_put_uint(j, "used", g->used);
    mt_json_end_object(j);
    return MT_OK;
}

static MT_ERR put_version(const struct mt_permit *p, struct mt_tx *tx, uint64_t n, bool is_deleted,
                          struct mt_json_writer *j)
{
    const mt_id *id = mt_permit_resource(p);
    struct mt_data_version v;
    struct mt_object_handle h;
    MT_TRY(mt_data_version_get(tx, id, n, &v));
    mt_json_begin_object(j, NULL);
    mt_json_put_uint(j, "version", n);
    mt_json_put_uint(j, "created_ms", v.made_ms);
    if (!is_deleted) {
        put_schema(j, v.schema);
        MT_TRY(mt_permit_object(p, tx, MT_REF(MT_KIND_DATA, id), n, &h));
        mt_json_put_hex(j, "object", mt_id_bytes(&h.id));
        mt_json_put_uint(j, "size_bytes", h.size_bytes);
        mt_json_put_hex(j, "commitment", mt_hash_bytes(&h.commitment));
        if (mt_permit_is_owner(p)) {
            mt_json_put_hex(j, "salt", mt_hash_bytes(&h.salt));
        }
    }
    mt_json_end_object(j);
    return MT_OK;
}

static mt_err show(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                   struct mt_reply *rp)
{
    const mt_id *id = mt_permit_resource(p);
    struct mt_data_set set;
    struct mt_resource_info info;
    uint64_t before = 0;
    MT_TRY(mt_data_set_get(tx, id, &set));
    MT_TRY(mt_request_query_uint(rq, "before", set.versions + 1, UINT64_MAX >> 11, &before));
    MT_TRY(mt_permit_describe(p, tx, MT_REF(MT_KIND_DATA, id), &info));
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    mt_json_put_hex(j, "data", mt_id_bytes(id));
    mt_json_put_text(j, "name", set.name);
    mt_json_put_hex(j, "owner", mt_hash_bytes(&info.owner));
    mt_json_put_bool(j, "is_owner", info.is_owner);
    mt_json_put_literal(j, "state",
                        !set.is_deleted    ? "live"
                        : info.is_shredded ? "shredded"
                                           : "deleted");
    mt_json_put_uint(j, "versions_made", set.versions);
    mt_json_begin_array(j, "versions");
    uint64_t end = before <= set.versions ? before : set.versions + 1;
    uint64_t first = end > MT_DATA_VERSIONS_SHOWN ? end - MT_DATA_VERSIONS_SHOWN : 1;
    for (uint64_t n = first; n < end; n++) {
        MT_TRY(put_version(p, tx, n, set.is_deleted, j));
    }
    mt_json_end_array(j);
    if (info.is_owner && !set.is_deleted) {
        mt_json_begin_array(j, "grants");
        MT_TRY(mt_permit_grants(p, tx, MT_REF(MT_KIND_DATA, id), put_grant, j));
        mt_json_end_array(j);
    }
    return MT_OK;
}

static mt_err content(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                      struct mt_reply *rp)
{
    uint64_t version = 0;
    MT_TRY(mt_request_number(rq, 1, &version));
    MT_TRY(
        mt_permit_object(p, tx, MT_REF(MT_KIND_DATA, mt_permit_resource(p)), version, &rp->object));
    rp->kind = MT_REPLY_OBJECT;
    return MT_OK;
}

static MT_ERR optional_uint(const struct mt_json *json, const char *name, uint64_t *out)
{
    return mt_json_has(json, name) ? mt_json_uint(json, name, UINT64_MAX >> 11, out) : MT_OK;
}

static mt_err grant(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                    struct mt_reply *rp)
{
    static const char *const fields[] = {"right",    "grantee", "function", "not_before_ms",
                                         "until_ms", "count",   NULL};
    struct mt_grant g = {.right = MT_GRANT_SEE};
    struct mt_user u;
    mt_bytes right;
    MT_REQUIRE(rq->json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(rq->json, fields));
    MT_TRY(mt_json_text(rq->json, "right", &right));
    bool is_use = mt_bytes_equal(right, MT_LITERAL("use"));
    MT_REQUIRE(is_use || mt_bytes_equal(right, MT_LITERAL("see")), MT_E_ARG,
               "a right is \"see\" or \"use\"");
    g.right = is_use ? MT_GRANT_USE : MT_GRANT_SEE;
    MT_TRY(mt_json_hex(rq->json, "grantee", (mt_span){g.grantee.b, sizeof g.grantee.b}));
    MT_REQUIRE(!mt_failed(mt_permit_user(p, tx, &g.grantee, &u)), MT_E_NOTFOUND,
               "this node knows nobody with the grantee's key");
    if (mt_json_has(rq->json, "function")) {
        MT_TRY(mt_json_text(rq->json, "function", &g.function));
    }
    MT_TRY(optional_uint(rq->json, "not_before_ms", &g.not_before_ms));
    MT_TRY(optional_uint(rq->json, "until_ms", &g.until_ms));
    MT_TRY(optional_uint(rq->json, "count", &g.count));
    MT_TRY(mt_permit_grant(p, tx, MT_REF(MT_KIND_DATA, mt_permit_resource(p)), &g));
    mt_json_put_hex(mt_reply_json(rp, 201), "grant", mt_id_bytes(&g.id));
    return MT_OK;
}

static mt_err revoke(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                     struct mt_reply *rp)
{
    mt_id id;
    MT_TRY(mt_request_id(rq, 1, &id));
    MT_TRY(mt_permit_revoke(p, tx, MT_REF(MT_KIND_DATA, mt_permit_resource(p)), &id));
    mt_json_put_bool(mt_reply_json(rp, 200), "revoked", true);
    return MT_OK;
}

static mt_err delete (const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                      struct mt_reply *rp)
{
    const mt_id *id = mt_permit_resource(p);
    struct mt_data_set set;
    mt_bytes now;
    mt_bytes name;
    MT_TRY(mt_request_query(rq, "now", &now));
    MT_REQUIRE(now.ptr == NULL || mt_bytes_equal(now, MT_LITERAL("true")) ||
                   mt_bytes_equal(now, MT_LITERAL("false")),
               MT_E_ARG, "now is true or false");
    MT_TRY(mt_data_set_get(tx, id, &set));
    MT_TRY(mt_arena_copy(rq->arena, set.name, &name));
    set.name = name;
    set.is_deleted = true;
    MT_TRY(mt_permit_disown(p, tx, MT_REF(MT_KIND_DATA, id)));
    MT_TRY(mt_data_schemas_del(tx, id, set.versions));
    MT_TRY(mt_data_name_del(tx, mt_permit_subject(p), name));
    MT_TRY(mt_data_set_put(tx, id, &set));
    rp->shreds = mt_bytes_equal(now, MT_LITERAL("true"));
    mt_json_put_literal(mt_reply_json(rp, 200), "state", "deleted");
    return MT_OK;
}

static const char *const put_query[] = {"name", NULL};
static const char *const list_query[] = {"after", "limit", NULL};
static const char *const show_query[] = {"before", NULL};
static const char *const delete_query[] = {"now", NULL};

enum { DATA_BYTES_MAX_GIB = 64 };
#define DATA_BYTES_MAX ((uint64_t)DATA_BYTES_MAX_GIB << 30)

static const struct mt_route routes[] = {
    {MT_POST, "/mesatee/v1/data", "data.put", MT_KIND_NONE, MT_RIGHT_USER, DATA_BYTES_MAX, true,
     false, put, put_query},
    {MT_GET, "/mesatee/v1/data", "data.list", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false, list,
     list_query},
    {MT_GET, "/mesatee/v1/data/{data}", "data.show", MT_KIND_DATA, MT_RIGHT_SEE, 0, false, false,
     show, show_query},
    {MT_GET, "/mesatee/v1/data/{data}/versions/{version}/content", "data.read", MT_KIND_DATA,
     MT_RIGHT_READ, 0, false, true, content, NULL},
    {MT_POST, "/mesatee/v1/data/{data}/grants", "data.grant", MT_KIND_DATA, MT_RIGHT_OWNER, 4096,
     true, false, grant, NULL},
    {MT_DELETE, "/mesatee/v1/data/{data}/grants/{grant}", "data.revoke", MT_KIND_DATA,
     MT_RIGHT_OWNER, 0, true, false, revoke, NULL},
    {MT_DELETE, "/mesatee/v1/data/{data}", "data.delete", MT_KIND_DATA, MT_RIGHT_OWNER, 0, true,
     false, delete, delete_query},
    {MT_GET, NULL, NULL, MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, false, NULL, NULL},
};

const struct mt_service mt_data_service = {"data", mt_data_maps, routes, NULL};
