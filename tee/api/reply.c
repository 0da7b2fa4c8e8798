/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "api/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "api/service.h"

struct mt_json_writer *mt_reply_json(struct mt_reply *rp, uint32_t status)
{
    rp->kind = MT_REPLY_JSON;
    rp->status = status;
    rp->writer = mt_writer_onto(&rp->body);
    rp->json = mt_json_writer_over(&rp->writer);
    mt_json_begin_object(&rp->json, NULL);
    return &rp->json;
}

void mt_reply_detail(struct mt_reply *rp, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(rp->detail, sizeof rp->detail, format, args);
    va_end(args);
}

void mt_reply_hint(struct mt_reply *rp, const char *hint)
{
    (void)snprintf(rp->hint, sizeof rp->hint, "%s", hint);
}

MT_ERR mt_handler_call(mt_handler *h, const struct mt_permit *p, const struct mt_request *rq,
                       struct mt_tx *tx, struct mt_reply *rp)
{
    return h(p, rq, tx, rp);
}
