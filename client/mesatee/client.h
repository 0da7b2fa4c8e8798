/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_CLIENT_H
#define MT_MESATEE_CLIENT_H

#include "attest/appraise.h"
#include "crypto/sign.h"
#include "wire/http.h"

/*
 * One attested connection to a node, blocking. The node is appraised before the first byte of a
 * request leaves; requests go one after another. For libmesatee and the CLI; the public API is
 * mesatee.h.
 */
struct mt_client;

/* Where a ledger was last seen: a client refuses a node that has gone back. */
struct mt_head {
    uint64_t epoch;
    uint64_t size;
    mt_hash root;
};

struct mt_client_options {
    const char *address;      /* "127.0.0.1:7700" */
    const struct mt_key *key; /* who we are */
    const struct mt_appraiser *appraiser;
    bool believes_nothing; /* there is no appraiser, and whatever the node says is proved otherwise:
                              mt_enrol() alone */
    mt_hash cluster;       /* zeros: not known yet, about to be pinned */
    struct mt_head head;   /* size 0: none seen */
    bool may_go_back;      /* an administrator looks at a node that was restored from a backup */
};

/* MT_E_CLOSED: cannot be reached. MT_E_PROOF, MT_E_DENIED: refused, see mt_client_appraisal(). *out
 * is set on these too, closed. */
MT_ERR mt_client_open(const struct mt_client_options *o, struct mt_client **out);
void mt_client_close(struct mt_client **c);
/* Of one that has an appraiser. */
const struct mt_appraisal *mt_client_appraisal(const struct mt_client *c);
const struct mt_trace *mt_client_trace(const struct mt_client *c); /* its chain of checks */
/* The first check that failed; NULL: none. */
const struct mt_check *mt_client_failed(const struct mt_client *c);
const mt_hash *mt_client_node(const struct mt_client *c); /* hash of the node's TLS key */
/* The newest head seen, verified not to have gone back. */
const struct mt_head *mt_client_head(const struct mt_client *c);

/* Judges the node anew: fresh evidence, bound to this connection, by `appraiser`, which may be
 * another than before. MT_E_PROOF, MT_E_DENIED: the verdict has turned, see mt_client_failed(), and
 * nothing leaves on this connection any more. Not while a stream is read. */
MT_ERR mt_client_renew(struct mt_client *c, const struct mt_appraiser *appraiser);
/* Whether the last verdict is older than that. */
bool mt_client_is_stale(const struct mt_client *c, uint64_t ms);

/* Bytes of a body on their way: *got 0 at the end. */
typedef mt_err mt_client_source(void *state, mt_span out, size_t *got);
typedef mt_err mt_client_sink(void *state, mt_bytes bytes);

struct mt_call {
    enum mt_http_method method;
    const char *target;       /* below /mesatee/v1 */
    mt_bytes body;            /* sent whole, as JSON; or */
    mt_client_source *source; /* streamed */
    void *source_state;
    uint64_t source_len;
    mt_client_sink *sink; /* takes the body of a 200; NULL: it is collected */
    void *sink_state;
};

struct mt_answer {
    uint32_t status;
    struct mt_buf body;
    uint64_t body_len; /* as announced, also while a sink takes it; 0: not known */
    uint64_t txid;
    mt_hash salt;       /* of an object */
    mt_hash commitment; /* of an object */
    bool has_object;
};

/* Any status is an answer. The caller frees answer->body. MT_E_PROOF: the node's ledger has gone
 * back. */
MT_ERR mt_client_call(struct mt_client *c, const struct mt_call *call, struct mt_answer *out);
/* Whether a write was sent whose answer has not come: nobody here knows what became of it. */
bool mt_client_is_pending(const struct mt_client *c);
/* Goes on with the request numbers of a connection that broke: a write that was pending there gets
 * its number again, and the node, which serves a number once, says what became of it. */
void mt_client_resume(struct mt_client *c, const struct mt_client *broken);
/* Reads on, after a call whose answer is text/event-stream: one event's data and id; empty
 * data is a sign of life, which the node gives at least four times a minute. MT_E_CLOSED at the
 * end. */
MT_ERR mt_client_next_event(struct mt_client *c, struct mt_buf *data, uint64_t *txid);

#endif
