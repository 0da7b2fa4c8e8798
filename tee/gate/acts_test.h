/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_GATE_ACTS_TEST_H
#define MT_GATE_ACTS_TEST_H

#include "gate/world_test.h"

/* What the people of the test's world do, one transaction each. */

static const uint8_t world_secret[32] = "what the claim's file says";

static inline mt_err claim(enum person who, mt_bytes secret)
{
    begin_tx();
    return leave(mt_gate_claim_admin(gate, tx, &people[who].spki, secret));
}

static inline void offer_claim(uint64_t until_ms)
{
    mt_hash h;
    const mt_bytes secret = {world_secret, sizeof world_secret};
    mt_sha256(&secret, 1, &h);
    mt_gate_offer_claim(gate, &h, until_ms);
}

static inline mt_err add_user(enum person by, enum person who, const char *name, enum mt_role role)
{
    MT_TRY(enter(ask_of(by, MT_RIGHT_ADMIN)));
    return leave(mt_permit_user_add(permit, tx, &people[who].spki, mt_bytes_of_text(name), role));
}

static inline mt_err revoke_user(enum person by, enum person who)
{
    MT_TRY(enter(ask_of(by, MT_RIGHT_ADMIN)));
    return leave(mt_permit_user_revoke(permit, tx, &people[who].subject));
}

/* An administrator and everybody else but Mallory, whom the node does not know. */
static inline void world_populate(void)
{
    offer_claim(now_ms + 1000);
    OK(claim(ADMIN, (mt_bytes){world_secret, sizeof world_secret}));
    OK(add_user(ADMIN, ALICE, "alice", MT_ROLE_USER));
    OK(add_user(ADMIN, BOB, "bob", MT_ROLE_USER));
    OK(add_user(ADMIN, CAROL, "carol", MT_ROLE_USER));
    OK(add_user(ADMIN, DAVE, "dave", MT_ROLE_USER));
}

/* A sealed object that lies in objects/, as after an upload; the writer has its key. */
static inline struct mt_object_writer *make_object(mt_bytes content, struct mt_object_handle *h)
{
    struct mt_object_writer *w = NULL;
    OK(mt_object_writer_new(fs, &w));
    OK(mt_object_writer_add(w, content));
    OK(mt_object_writer_end(w, h));
    OK(mt_object_keep(fs, &h->id));
    return w;
}

static inline mt_id id_of(uint8_t n)
{
    return (mt_id){{n, 'i', 'd'}};
}

/* Data of one version. */
static inline mt_err put_data(enum person who, const mt_id *id, mt_bytes content,
                              struct mt_object_handle *h)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *w = make_object(content, h);
    MT_TRY(enter(ask_of(who, MT_RIGHT_USER)));
    mt_gate_put_staged(permit, &h->id, mt_object_writer_key(w));
    mt_err e = mt_permit_own(permit, tx, MT_REF(MT_KIND_DATA, id));
    if (!mt_failed(e)) {
        e = mt_permit_keep(permit, tx, h, MT_REF(MT_KIND_DATA, id), 1);
    }
    return leave(e);
}

/* *g gets its id. */
static inline mt_err grant(enum person owner, const mt_id *data, struct mt_grant *g)
{
    MT_TRY(enter(ask_on(owner, MT_RIGHT_OWNER, MT_KIND_DATA, data)));
    return leave(mt_permit_grant(permit, tx, MT_REF(MT_KIND_DATA, data), g));
}

static inline mt_err revoke(enum person owner, const mt_id *data, const mt_id *g)
{
    MT_TRY(enter(ask_on(owner, MT_RIGHT_OWNER, MT_KIND_DATA, data)));
    return leave(mt_permit_revoke(permit, tx, MT_REF(MT_KIND_DATA, data), g));
}

static inline mt_err use(enum person who, const mt_id *data, const char *function)
{
    mt_hash owner;
    MT_TRY(enter(ask_of(who, MT_RIGHT_USER)));
    return leave(
        mt_permit_use(permit, tx, MT_REF(MT_KIND_DATA, data), mt_bytes_of_text(function), &owner));
}

static inline mt_err see(enum person who, const mt_id *data)
{
    return check(ask_on(who, MT_RIGHT_SEE, MT_KIND_DATA, data));
}

static inline mt_err end_data(enum person who, const mt_id *data)
{
    MT_TRY(enter(ask_on(who, MT_RIGHT_OWNER, MT_KIND_DATA, data)));
    return leave(mt_permit_disown(permit, tx, MT_REF(MT_KIND_DATA, data)));
}

/* The key of an object, for somebody who asks to read this resource. */
static inline mt_err open_object(struct mt_ask ask, const mt_id *object)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(enter(ask));
    return leave(mt_gate_unwrap(gate, permit, tx, object, &key));
}

#endif
