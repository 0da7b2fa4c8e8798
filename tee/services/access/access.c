/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/access/access.h"

static void put_user(struct mt_json_writer *j, const struct mt_user *u)
{
    mt_json_begin_object(j, NULL);
    mt_json_put_hex(j, "subject", mt_hash_bytes(&u->subject));
    mt_json_put_hex(j, "key", mt_spki_bytes(&u->key));
    mt_json_put_text(j, "name", u->name);
    mt_json_put_literal(j, "role", u->role == MT_ROLE_ADMIN ? "admin" : "user");
    mt_json_put_bool(j, "revoked", u->is_revoked);
    mt_json_put_uint(j, "added_ms", u->added_ms);
    mt_json_end_object(j);
}

static mt_err list_user(void *state, const struct mt_user *u)
{
    put_user(state, u);
    return MT_OK;
}

static mt_err list(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                   struct mt_reply *rp)
{
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    (void)rq;
    mt_json_begin_array(j, "users");
    MT_TRY(mt_permit_users(p, tx, list_user, j));
    mt_json_end_array(j);
    return MT_OK;
}

static mt_err add(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                  struct mt_reply *rp)
{
    static const char *const fields[] = {"key", "name", "role", NULL};
    uint8_t der[MT_SPKI_LEN];
    mt_spki key;
    mt_hash subject;
    mt_bytes name;
    mt_bytes role;
    MT_REQUIRE(rq->json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(rq->json, fields));
    MT_TRY(mt_json_hex(rq->json, "key", (mt_span){der, sizeof der}));
    MT_TRY(mt_spki_parse((mt_bytes){der, sizeof der}, &key));
    MT_TRY(mt_json_text(rq->json, "name", &name));
    MT_TRY(mt_json_text(rq->json, "role", &role));
    bool is_admin = mt_bytes_equal(role, MT_LITERAL("admin"));
    MT_REQUIRE(is_admin || mt_bytes_equal(role, MT_LITERAL("user")), MT_E_ARG,
               "a role is \"user\" or \"admin\"");
    MT_TRY(mt_permit_user_add(p, tx, &key, name, is_admin ? MT_ROLE_ADMIN : MT_ROLE_USER));
    mt_spki_hash(&key, &subject);
    mt_json_put_hex(mt_reply_json(rp, 201), "subject", mt_hash_bytes(&subject));
    return MT_OK;
}

static mt_err revoke(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                     struct mt_reply *rp)
{
    mt_hash subject;
    MT_TRY(mt_request_hash(rq, 0, &subject));
    MT_TRY(mt_permit_user_revoke(p, tx, &subject));
    mt_json_put_bool(mt_reply_json(rp, 200), "revoked", true);
    return MT_OK;
}

static const struct mt_map_def maps[] = {{NULL, false}};

static const struct mt_route routes[] = {
    {MT_GET, "/mesatee/v1/users", "user.list", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false, list,
     NULL},
    {MT_POST, "/mesatee/v1/users", "user.add", MT_KIND_NONE, MT_RIGHT_ADMIN, 4096, true, false, add,
     NULL},
    {MT_DELETE, "/mesatee/v1/users/{subject}", "user.revoke", MT_KIND_NONE, MT_RIGHT_ADMIN, 0, true,
     false, revoke, NULL},
    {MT_GET, NULL, NULL, MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, false, NULL, NULL},
};

const struct mt_service mt_access_service = {"access", maps, routes, NULL};
