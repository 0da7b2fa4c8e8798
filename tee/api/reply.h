/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_API_REPLY_H
#define MT_API_REPLY_H

#include "api/job.h"
#include "base/arena.h"
#include "seal/handle.h"
#include "wire/json.h"

/*
 * What a handler answers: bytes, or an object whose key the permit covers, or a topic to watch;
 * and, beside it, work to be started once the transaction is durable. Whatever it is, it is held
 * until the version it was computed from is durable.
 */
enum mt_reply_kind {
    MT_REPLY_JSON = 1,
    MT_REPLY_OBJECT,
    MT_REPLY_WATCH,
    MT_REPLY_RECEIPT,
    MT_REPLY_BACKUP, /* the node's own */
};

struct mt_reply {
    enum mt_reply_kind kind;
    uint32_t status;            /* 200, 201, 202 */
    struct mt_buf body;         /* MT_REPLY_JSON */
    struct mt_writer writer;    /* onto body */
    struct mt_json_writer json; /* over writer */
    struct mt_object_handle object;
    mt_id topic; /* MT_REPLY_WATCH: events of this topic */
    uint64_t after_txid;
    uint64_t
        receipt_txid; /* MT_REPLY_RECEIPT: for this transaction, showing this claim item of it */
    uint32_t receipt_item;
    struct mt_job_start *job; /* in the arena; NULL: none */
    bool cancels;             /* the job with this id */
    mt_id cancelled_job;
    bool cancels_task; /* every job of the task with this id */
    mt_id cancelled_task;
    bool shreds;      /* rotate the shred key now */
    char detail[256]; /* of an error: our words and the caller's own field names, positions; for
                         those who may see the resource */
    char hint[256];   /* what to do about it */
};

/* Begins a JSON object as the body. */
struct mt_json_writer *mt_reply_json(struct mt_reply *rp, uint32_t status);
/* The error's detail, printf-like over our own format; keep foreign text to names that the caller
 * sent. */
void mt_reply_detail(struct mt_reply *rp, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void mt_reply_hint(struct mt_reply *rp, const char *hint);

#endif
