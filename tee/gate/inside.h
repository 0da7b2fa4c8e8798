/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_GATE_INSIDE_H
#define MT_GATE_INSIDE_H

#include "base/limits.h"
#include "gate/gate.h"
#include "wire/audit.h"

/* What the files of this folder share, and nobody else includes. */

enum {
    MT_GATE_USERS,
    MT_GATE_RESOURCES,
    MT_GATE_GRANTS,
    MT_GATE_REACH,
    MT_GATE_WRAPS,
    MT_GATE_OBJECTS,
    MT_GATE_REQUESTS,
    MT_GATE_ORDER
};

struct mt_staged {
    mt_id object;
    const struct mt_secret *key;
};

struct mt_permit {
    struct mt_gate *gate;
    mt_hash subject;
    mt_spki key;
    enum mt_role role;
    enum mt_kind kind;
    mt_id resource;
    bool is_owner;
    bool has_ended;     /* the resource: there is nothing any more to be done with it */
    bool may_read;      /* the bytes of the resource's objects */
    bool is_intent;     /* and that they will be read is in the audit log */
    bool is_configured; /* the configuration's administrator, whom no record names yet */
    bool is_job;
    struct mt_staged staged[MT_TASK_PARTIES_MAX];
    size_t staged_count;
    mt_id objects[MT_TASK_PARTIES_MAX]; /* of a job: exactly these */
    size_t objects_count;
};

/* One line of the audit log that is not written yet; equal ones are counted together. */
struct mt_note {
    mt_hash subject;
    const char *action;
    mt_id resource;
    uint32_t outcome; /* enum mt_code, or 0 */
    uint64_t count;
    uint64_t first_ms;
};

struct mt_stager {
    mt_hash subject;
    uint64_t bytes;
};

struct mt_gate {
    struct mt_ledger *ledger;
    struct mt_shred *shred;
    mt_hash administrator; /* of the configuration; all zero: none */
    uint64_t staging_quota_bytes;
    uint64_t staging_total_bytes;
    uint64_t staged_bytes;
    struct mt_stager stagers[MT_GATE_STAGERS_MAX];
    struct mt_note notes[MT_GATE_NOTES_MAX];
    size_t notes_count;
    uint64_t unlisted; /* refusals for which the notes had no room */
    uint64_t unlisted_first_ms;
    bool is_behind; /* the notes could not be written */
    uint64_t strangers;
    mt_hash claim; /* SHA-256 of the one-time secret; all zero: no claim is open */
    uint64_t claim_until_ms;
    uint32_t claim_tries;
    mt_id ended[MT_GATE_ENDED_MAX]; /* objects that the request under way has ended */
    size_t ended_count;
};

/* The gate's own maps, reached for the length of a block: MT_GATE_REACHES(tx). */
struct mt_reached {
    struct mt_tx *tx;
    const struct mt_map_def *before;
};
struct mt_reached mt_gate_reach(struct mt_tx *tx);
void mt_gate_unreach(struct mt_reached *r);
#define MT_GATE_REACHES(tx_)                                                                       \
    MT_DEFER(mt_gate_unreach) struct mt_reached reached_ = mt_gate_reach(tx_);                     \
    (void)reached_

struct mt_resource {
    enum mt_kind kind;
    mt_hash owner;
    uint64_t made_ms;
    bool has_ended;       /* a tombstone: its owner may still see it */
    uint64_t ended_epoch; /* the newest shred key then; its keys are gone when that one is */
};

/* In gate.reach: who || kind || resource || grant. */
enum {
    MT_REACH_WHO = 32,
    MT_REACH_KIND = MT_REACH_WHO + 1,
    MT_REACH_RESOURCE = MT_REACH_KIND + 16,
    MT_REACH_GRANT = MT_REACH_RESOURCE + 16
};
struct mt_reach_key {
    uint8_t b[MT_REACH_GRANT];
};
extern const mt_id mt_gate_no_grant; /* the owner's own entry */
struct mt_reach_key mt_gate_reach_key(const mt_hash *who, enum mt_kind kind, const mt_id *resource,
                                      const mt_id *grant);

/* In gate.grants. */
struct mt_grant_key {
    mt_id resource;
    mt_id grant;
};
_Static_assert(sizeof(struct mt_grant_key) == 32, "two ids and nothing between them");

MT_ERR mt_gate_user_get(struct mt_tx *tx, const mt_hash *subject, struct mt_user *out);
/* MT_E_CONFLICT if the key is known. */
/* Whom the configuration names, while no record is an administrator's. */
bool mt_gate_is_first_admin(const struct mt_gate *g, struct mt_tx *tx, const mt_hash *subject);
MT_ERR mt_gate_user_add(struct mt_tx *tx, const mt_spki *key, mt_bytes name, enum mt_role role);
MT_ERR mt_gate_user_put(struct mt_tx *tx, const struct mt_user *u);
MT_ERR mt_gate_resource_get(struct mt_tx *tx, const mt_id *id, struct mt_resource *out);
MT_ERR mt_gate_resource_put(struct mt_tx *tx, const mt_id *id, const struct mt_resource *r);
/* A resource of the permit's subject, which has not ended. */
MT_ERR mt_gate_owned(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                     struct mt_resource *out);

/* A grant of the grantee on the resource that holds now and has any right of the set (bits 1 <<
 * right). MT_E_DENIED if none. */
struct mt_grant_query {
    const mt_hash *grantee;
    struct mt_ref what;
    unsigned rights;
    mt_bytes function; /* empty: whichever */
};
MT_ERR mt_gate_grant_find(struct mt_tx *tx, const struct mt_grant_query *q, struct mt_grant *out);
/* Whether a RUN grant of the grantee on the data is still there, used up or not. */
bool mt_gate_grant_exists(struct mt_tx *tx, const mt_hash *grantee, const mt_id *resource);
MT_ERR mt_gate_grant_put(struct mt_tx *tx, enum mt_kind kind, const mt_id *resource,
                         const struct mt_grant *g);

/* All grants on a resource, all objects of it. */
MT_ERR mt_gate_grants_end(struct mt_tx *tx, const struct mt_ref *what);
MT_ERR mt_gate_objects_end(struct mt_gate *g, struct mt_tx *tx, const mt_id *resource);

MT_ERR mt_gate_resource_of(struct mt_tx *tx, const mt_id *object, mt_id *resource);

MT_ERR mt_gate_audit(struct mt_tx *tx, const mt_hash *subject, const char *action,
                     const mt_id *resource, enum mt_audit_phase phase);

#endif
