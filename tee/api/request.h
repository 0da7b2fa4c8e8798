/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_API_REQUEST_H
#define MT_API_REQUEST_H

#include "base/arena.h"
#include "seal/handle.h"
#include "wire/json.h"

/* How far a job has come; false if it does not run. Progress is ephemeral: it is nowhere but in
 * tee/jobs. */
typedef bool mt_progress_of(const void *jobs, const mt_id *job, uint64_t *done, uint64_t *all);

/* A whole request, as a value: everything borrows from the request's arena. */
enum { MT_PATH_ARGUMENTS_MAX = 3 };

struct mt_request {
    struct mt_arena *arena;
    const char *action;                        /* of the route */
    mt_bytes arguments[MT_PATH_ARGUMENTS_MAX]; /* what stood for the placeholders, as text */
    mt_bytes query;                            /* raw; see mt_request_query() */
    mt_bytes body;                             /* inline body; empty if staged or none */
    const struct mt_json *json; /* the inline body, parsed by the server; NULL if there is none */
    const struct mt_object_handle *staged; /* the streamed body; NULL if inline */
    const mt_hash *cluster;                /* this cluster's id */
    uint64_t level;                        /* of this node's evidence, see attest/verdict.h */
    mt_progress_of *progress;
    const void *jobs;     /* for progress() */
    mt_bytes staged_head; /* its first bytes, at most 64 KiB: for sniffing */
};

/* A query argument; *out has a NULL pointer if absent. In the arena. */
MT_ERR mt_request_query(const struct mt_request *rq, const char *name, mt_bytes *out);
MT_ERR mt_request_query_uint(const struct mt_request *rq, const char *name, uint64_t otherwise,
                             uint64_t max, uint64_t *out);
/* The n-th path argument as an id. */
MT_ERR mt_request_id(const struct mt_request *rq, size_t n, mt_id *out);
MT_ERR mt_request_number(const struct mt_request *rq, size_t n, uint64_t *out);
MT_ERR mt_request_hash(const struct mt_request *rq, size_t n, mt_hash *out);

#endif
