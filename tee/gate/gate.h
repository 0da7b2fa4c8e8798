/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_GATE_GATE_H
#define MT_GATE_GATE_H

#include "base/arena.h"
#include "gate/permit.h"
#include "ledger/ledger.h"
#include "seal/shred.h"

/*
 * The one door: who (the key of the attested channel) -> may they (role, owner, grant) -> how much
 * (quota) -> written down (audit) -> a permit. It decides from its own maps with (subject, action,
 * resource) alone. Words that are never mixed: appraisal policy, auditors' list, role, grant.
 */
struct mt_gate;

extern const struct mt_map_def
    mt_gate_maps[]; /* gate.users gate.resources gate.grants gate.wraps gate.requests */

struct mt_gate_options {
    struct mt_ledger *ledger;
    struct mt_shred *shred;
    mt_hash administrator; /* key hash from the configuration, which is measured; all zero: none */
    uint64_t staging_quota_bytes; /* per subject, of bodies not yet kept */
    uint64_t staging_total_bytes; /* of the node */
};
MT_ERR mt_gate_new(const struct mt_gate_options *o, struct mt_gate **out);
void mt_gate_free(struct mt_gate **g);

/* What a stranger is told, whatever was asked; and what anybody is told of what is not for them. */
#define MT_GATE_STRANGER "this node does not know you"
#define MT_GATE_NOTHING  "there is no such thing, or you may not know of it"

/* Who asks, for what: values that the server took from the channel and the route table. */
struct mt_ask {
    const mt_spki *key;
    mt_hash subject;
    const char *action; /* of the route: a literal */
    enum mt_right right;
    enum mt_kind kind;
    mt_id resource; /* all zero for MT_KIND_NONE */
    bool is_write;  /* audited in its transaction, deduped */
    bool is_intent; /* a read whose audit record must be durable before anything leaves */
    struct mt_arena *arena;
    /* retries: is_numbered when the client sent a session and number */
    bool is_numbered;
    mt_id session;
    uint64_t number;
    mt_hash
        request_hash; /* SHA-256 over method, target and body (a staged body: its plaintext hash) */
};

/* Decides from the newest appended state and, for writes and intents, writes the audit record into
 * `tx`. The caller ends *out with mt_gate_leave(). To a stranger every refusal is MT_E_NOTFOUND or
 * MT_E_DENIED by route alone: no oracle on what exists. */
MT_ERR mt_gate_admit(struct mt_gate *g, struct mt_tx *tx, const struct mt_ask *ask,
                     struct mt_permit **out);
/* The same question without record or permit: before a large body is let in, before each batch of a
 * watch, before the answer to an earlier request is repeated. It is about the subject: that the
 * resource has ended since, as a repeated deletion finds it, is for mt_gate_admit() to say. */
MT_ERR mt_gate_check(struct mt_gate *g, struct mt_tx *tx, const struct mt_ask *ask);
/* Whether the subject is anybody here: else it is a stranger, to whom every refusal is the same. */
bool mt_gate_knows(struct mt_gate *g, struct mt_tx *tx, const mt_hash *subject);
/* Wipes the permit; its keys die. */
void mt_gate_leave(struct mt_permit **p);

/* The answer to an earlier request with this session and number: *is_known with status and body (in
 * ask->arena). MT_E_CONFLICT if the request hash differs. */
struct mt_recalled {
    bool is_known;
    uint32_t status;
    mt_bytes body;
};
MT_ERR mt_gate_recall(struct mt_gate *g, struct mt_tx *tx, const struct mt_ask *ask,
                      struct mt_recalled *out);
MT_ERR mt_gate_remember(struct mt_gate *g, struct mt_tx *tx, const struct mt_ask *ask,
                        uint32_t status, mt_bytes body);

/*
 * Refusals and plain reads: collected, and written as one record at most a second later; never
 * dropped. mt_gate_flush() writes them into a transaction; how that ended mt_gate_flushed() learns,
 * and only then they are forgotten. While they cannot be written, or are full, mt_gate_admit() says
 * MT_E_BUSY; refusals that find no room are counted in a line of their own.
 */
void mt_gate_note(struct mt_gate *g, const struct mt_ask *ask, mt_err outcome);
bool mt_gate_has_notes(const struct mt_gate *g);
bool mt_gate_is_full(const struct mt_gate *g);
MT_ERR mt_gate_flush(struct mt_gate *g, struct mt_tx *tx);
void mt_gate_flushed(struct mt_gate *g, mt_err e);
/* A key that is kept for a peer goes to a machine that has shown evidence which its policy takes,
 * and is nobody's user: written into `tx`, so that it is durable before the key leaves. MT_E_BUSY
 * as mt_gate_admit(). */
MT_ERR mt_gate_hand_over(struct mt_gate *g, struct mt_tx *tx, const struct mt_ask *ask);
/* A refusal of somebody the node does not know: counted only. */
void mt_gate_note_stranger(struct mt_gate *g);
uint64_t mt_gate_strangers(const struct mt_gate *g);

/* Staging quota: MT_E_LIMIT names whose. */
MT_ERR mt_gate_stage(struct mt_gate *g, const mt_hash *subject, uint64_t bytes);
void mt_gate_unstage(struct mt_gate *g, const mt_hash *subject, uint64_t bytes);

/* The object's key, if the permit covers it: an object of the permit's own resource (read), or an
 * input of the job. */
MT_ERR mt_gate_unwrap(struct mt_gate *g, const struct mt_permit *p, struct mt_tx *tx,
                      const mt_id *object, struct mt_secret **key);
/* Announces the key of the object that was staged with this request, so that mt_permit_keep() can
 * wrap it. Borrowed until leave. */
void mt_gate_put_staged(struct mt_permit *p, const mt_id *object, const struct mt_secret *key);

/* What a job asks for. */
struct mt_job_ask {
    mt_id job;
    mt_hash grantee;      /* the task digest, holder of the RUN grants */
    mt_bytes function;    /* the name that the grants may be bound to */
    const mt_id *inputs;  /* MT_KIND_DATA resources */
    const mt_id *objects; /* of each input, the object that will be read */
    size_t inputs_count;
    bool is_repeat; /* after a crash: the use was counted the first time */
};

/* A job's permit: every input has a RUN grant for the grantee, valid now, with count left, one of
 * which is used up here, and every object belongs to its input's resource; audit in `tx`. The
 * permit unwraps these objects, nothing else. It lives as long as the job; `arena` too. */
MT_ERR mt_gate_admit_job(struct mt_gate *g, struct mt_tx *tx, const struct mt_job_ask *ask,
                         struct mt_arena *arena, struct mt_permit **out);
/* A permit that covers nothing: for telling a service that a run, interrupted by a crash, has
 * failed. */
MT_ERR mt_gate_admit_nothing(struct mt_gate *g, const mt_hash *grantee, struct mt_arena *arena,
                             struct mt_permit **out);
/* The same inputs once more, without counting: after the run, before its results are kept. */
MT_ERR mt_gate_check_job(struct mt_gate *g, struct mt_tx *tx, const struct mt_job_ask *ask);

/* The one-time claim: until then, and with five guesses, whoever knows the secret becomes the first
 * administrator, with the key they came with. To a wrong, late or sixth guess there is one answer,
 * which is a stranger's. */
void mt_gate_offer_claim(struct mt_gate *g, const mt_hash *secret_hash, uint64_t until_ms);
MT_ERR mt_gate_claim_admin(struct mt_gate *g, struct mt_tx *tx, const mt_spki *key,
                           mt_bytes secret);
bool mt_gate_has_admin(struct mt_gate *g, struct mt_tx *tx);

/* Rotation of the shred key: wraps anew, batch by batch, until *is_done; each call in a transaction
 * of its own. */
MT_ERR mt_gate_rewrap(struct mt_gate *g, struct mt_tx *tx, bool *is_done);
/* The objects that the request admitted last has ended, as far as there was room: their files are
 * of no use once its transaction is durable. Borrowed until the next mt_gate_admit(). */
enum { MT_GATE_ENDED_MAX = 1024 };
size_t mt_gate_ended(const struct mt_gate *g, const mt_id **objects);
/* Whether the object is named by the durable state; for mt_object_sweep(). */
bool mt_gate_is_live(struct mt_gate *g, struct mt_tx *tx, const mt_id *object);

/* Every live object, for a backup. */
typedef mt_err mt_object_each(void *state, const struct mt_object_handle *h);
MT_ERR mt_gate_each_live(struct mt_gate *g, struct mt_tx *tx, mt_object_each *each, void *state);

#endif
