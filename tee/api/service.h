/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_API_SERVICE_H
#define MT_API_SERVICE_H

#include "api/reply.h"
#include "api/request.h"
#include "gate/permit.h"
#include "ledger/tx.h"

/*
 * A service is a table (design: one const struct per service; the node lists them, nobody else
 * knows them). A handler is a pure function: it reads through the transaction, writes into it,
 * fills a reply. It cannot wait, open, send, log or know the time: time and randomness come from
 * the transaction. On failure the transaction's writes are undone and the error is the reply.
 */
typedef mt_err mt_handler(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                          struct mt_reply *rp);

enum mt_method { MT_GET = 1, MT_PUT, MT_POST, MT_DELETE };

struct mt_route {
    enum mt_method method;
    const char *path; /* "/mesatee/v1/data/{id}/grants/{grant}": at most 3 placeholders, each 32 or
                         64 hexadecimal digits or a name */
    const char *action; /* "data.grant": what the audit log says */
    enum mt_kind kind;  /* of the first placeholder, which is then an id; or none */
    enum mt_right right;
    uint64_t body_max; /* above MT_BODY_INLINE_BYTES_MAX: streamed into a staging object */
    bool is_write;  /* has effects: deduped, audited in its transaction. A read of bytes or a key is
                       audited as intent first */
    bool is_intent; /* a read whose audit record must be durable before anything leaves */
    mt_handler *handler;
    const char *const *query; /* allowed names, NULL-terminated; NULL: none */
};

/* How a kind of job goes on when its work has ended: runs as a transaction, without a request. See
 * api/job.h. */
struct mt_job_row;

struct mt_service {
    const char *name;
    const struct mt_map_def *maps; /* ends with a NULL name; its transactions reach no others */
    const struct mt_route *routes; /* ends with a NULL path */
    const struct mt_job_row *jobs; /* ends with a NULL name; or NULL */
};

/* The only caller of handlers (a function pointer loses warn_unused_result). */
MT_ERR mt_handler_call(mt_handler *h, const struct mt_permit *p, const struct mt_request *rq,
                       struct mt_tx *tx, struct mt_reply *rp);

#endif
