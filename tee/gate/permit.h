/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_GATE_PERMIT_H
#define MT_GATE_PERMIT_H

#include "crypto/sign.h"
#include "ledger/tx.h"
#include "seal/handle.h"

/*
 * Proof that one request was authenticated, authorised, counted against its quota and written to
 * the audit log. Only the gate makes one, and every service entry takes one: there is no other way
 * in. It is a capability: it names a subject, an action and one resource, and what it can do is
 * below. It is valid until the handler returns.
 */
struct mt_permit;

/* What can be owned. Ids are 16 random bytes, unique over all kinds. */
enum mt_kind {
    MT_KIND_NONE = 0, /* the route names no resource */
    MT_KIND_DATA,     /* a named data set with its versions */
    MT_KIND_TASK,
    MT_KIND_RESULT, /* one output of one run */
};

enum mt_role { MT_ROLE_USER = 1, MT_ROLE_ADMIN };

/* Who may: what a route demands, checked before its handler runs. */
enum mt_right {
    MT_RIGHT_ADMIN = 1, /* an administrator */
    MT_RIGHT_USER,      /* anyone whose key the node knows; the route names no resource */
    MT_RIGHT_SEE,       /* owner of the resource, or any grant on it */
    MT_RIGHT_READ,  /* owner of the resource, or a READ grant on it; of a RESULT: a READ grant alone
                     */
    MT_RIGHT_OWNER, /* owner of the resource */
};

/* One resource: of which kind, and its id. */
struct mt_ref {
    enum mt_kind kind;
    const mt_id *id;
};
#define MT_REF(kind_, id_) (&(const struct mt_ref){(kind_), (id_)})

/* What an owner allows with one resource. A grantee is a subject (hash of a public key) or a task
 * (its digest). */
enum mt_grant_right {
    MT_GRANT_SEE = 1, /* a person: see it and its description */
    MT_GRANT_USE,     /* a person: see it, and name it as an input of tasks */
    MT_GRANT_READ,    /* a person: read its bytes (a result's receiver) */
    MT_GRANT_RUN,     /* a task: have its bytes as an input of a run */
};

struct mt_grant {
    mt_id id;
    enum mt_grant_right right;
    mt_hash grantee;
    mt_bytes function;      /* empty: in any; else the function's name */
    uint64_t not_before_ms; /* 0: from now */
    uint64_t until_ms;      /* 0: without end */
    uint64_t count;         /* uses allowed, of USE and RUN; 0: without limit */
    uint64_t used;          /* so far; of a new grant 0 */
};

const mt_hash *mt_permit_subject(const struct mt_permit *p);
const mt_spki *mt_permit_key(const struct mt_permit *p); /* the subject's public key */
enum mt_role mt_permit_role(const struct mt_permit *p);
const mt_id *mt_permit_resource(const struct mt_permit *p); /* all zero for MT_KIND_NONE */
bool mt_permit_is_owner(const struct mt_permit *p);         /* of that resource */

/* The subject becomes the owner of a new resource. MT_E_CONFLICT if the id is taken. */
MT_ERR mt_permit_own(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what);
/* Ends a resource that the subject owns, with its grants and the keys of its objects. `each` learns
 * which objects these were. */
MT_ERR mt_permit_disown(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what);

/* On a resource that the subject owns; grant.id is chosen here. */
MT_ERR mt_permit_grant(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                       struct mt_grant *grant);
MT_ERR mt_permit_revoke(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                        const mt_id *grant);
/* Grants of a resource that the subject owns, in order of their ids. */
typedef mt_err mt_grant_each(void *state, const struct mt_grant *g);
MT_ERR mt_permit_grants(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                        mt_grant_each *each, void *state);

/* The subject names this resource as an input of `function`: as its owner, or by a USE grant, of
 * which that is one use. MT_E_NOTFOUND if it does not exist or may not even be seen; MT_E_DENIED
 * otherwise. */
MT_ERR mt_permit_use(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                     mt_bytes function, mt_hash *owner);
/* Whether the subject may see it at all. */
MT_ERR mt_permit_may_see(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what);
/* Of a resource that the subject may see. */
struct mt_resource_info {
    mt_hash owner;
    bool is_owner;
    bool has_ended;
    bool is_shredded; /* ended, and the keys of its objects are gone for good */
};
MT_ERR mt_permit_describe(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                          struct mt_resource_info *out);
/* Ids of all resources of a kind that the subject owns or may see now, bytewise, after the id in
 * `after`. */
typedef mt_err mt_resource_each(void *state, const mt_id *id, bool *is_enough);
MT_ERR mt_permit_list(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *after,
                      mt_resource_each *each, void *state);

/* The staged object that came with this request becomes a durable part of a resource that the
 * subject owns, under this version number; a number is used once. */
MT_ERR mt_permit_keep(const struct mt_permit *p, struct mt_tx *tx,
                      const struct mt_object_handle *staged, const struct mt_ref *what,
                      uint64_t version);
/* The handle of a version of a resource that the subject may see. MT_E_NOTFOUND. It opens nothing
 * by itself. */
MT_ERR mt_permit_object(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                        uint64_t version, struct mt_object_handle *out);

/* The same for an input of the task that the permit is for, whose owner's RUN grant makes it known:
 * a handle opens nothing. MT_E_DENIED if nobody has granted that data to the task. */
MT_ERR mt_permit_input(struct mt_tx *tx, const mt_hash *task_digest, const mt_id *data,
                       uint64_t version, struct mt_object_handle *out);

/* A person known to the node, by key hash. MT_E_NOTFOUND. `name` is for display, valid until the
 * transaction ends. */
struct mt_user {
    mt_hash subject;
    mt_spki key;
    mt_bytes name;
    enum mt_role role;
    bool is_revoked;
    uint64_t added_ms;
};
MT_ERR mt_permit_user(const struct mt_permit *p, struct mt_tx *tx, const mt_hash *subject,
                      struct mt_user *out);
typedef mt_err mt_user_each(void *state, const struct mt_user *u);
MT_ERR mt_permit_users(const struct mt_permit *p, struct mt_tx *tx, mt_user_each *each,
                       void *state);
/* Administrators alone. A key is added once and never changed: MT_E_CONFLICT. The last
 * administrator cannot be revoked. */
MT_ERR mt_permit_user_add(const struct mt_permit *p, struct mt_tx *tx, const mt_spki *key,
                          mt_bytes name, enum mt_role role);
MT_ERR mt_permit_user_revoke(const struct mt_permit *p, struct mt_tx *tx, const mt_hash *subject);

/* For a job's resume handler: its output becomes a RESULT resource whose receivers get READ grants.
 */
struct mt_kept_result {
    const mt_id *result;
    const struct mt_object_handle *output;
    const mt_hash *receivers;
    size_t receivers_count;
};
MT_ERR mt_permit_keep_result(const struct mt_permit *p, struct mt_tx *tx,
                             const struct mt_kept_result *r);

#endif
