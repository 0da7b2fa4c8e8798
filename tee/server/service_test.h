/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_SERVICE_TEST_H
#define MT_SERVER_SERVICE_TEST_H

#include "server/inside.h"

/* A service that does what a test says. */
enum { BIG_BYTES_MAX = 4 * 1024 * 1024 };

static enum mt_code handler_code; /* what /fail fails with, and a deletion after it was done */
static size_t handled;
static size_t event_bytes;

static const struct mt_map_def test_maps[] = {{"test.things", false}, {NULL, false}};

static mt_err handle_quick(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *t,
                           struct mt_reply *rp)
{
    (void)p;
    (void)rq;
    mt_json_put_uint(mt_reply_json(rp, 200), "version", mt_tx_id(t));
    return MT_OK;
}

static mt_err handle_write(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *t,
                           struct mt_reply *rp)
{
    (void)p;
    (void)rq;
    handled++;
    MT_TRY(mt_tx_put(t, &test_maps[0], MT_LITERAL("key"), rq->body));
    mt_json_put_uint(mt_reply_json(rp, 201), "handled", handled);
    return MT_OK;
}

static mt_err handle_fail(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *t,
                          struct mt_reply *rp)
{
    static struct mt_fault fault;
    (void)p;
    (void)rq;
    (void)t;
    fault = (struct mt_fault){handler_code, __LINE__, __FILE__, "the test wants it"};
    mt_reply_detail(rp, "a detail");
    mt_reply_hint(rp, "a hint");
    return (mt_err){&fault};
}

static mt_err handle_big(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *t,
                         struct mt_reply *rp)
{
    mt_id id;
    MT_REQUIRE(rq->staged != NULL, MT_E_INTERNAL, "a large body is staged");
    MT_TRY(mt_tx_random(t, (mt_span){id.b, sizeof id.b}));
    MT_TRY(mt_permit_own(p, t, MT_REF(MT_KIND_DATA, &id)));
    MT_TRY(mt_permit_keep(p, t, rq->staged, MT_REF(MT_KIND_DATA, &id), 1));
    struct mt_json_writer *j = mt_reply_json(rp, 201);
    mt_json_put_hex(j, "id", mt_id_bytes(&id));
    mt_json_put_uint(j, "size", rq->staged->size_bytes);
    return MT_OK;
}

static mt_err handle_content(const struct mt_permit *p, const struct mt_request *rq,
                             struct mt_tx *t, struct mt_reply *rp)
{
    (void)rq;
    MT_TRY(mt_permit_object(p, t, MT_REF(MT_KIND_DATA, mt_permit_resource(p)), 1, &rp->object));
    rp->kind = MT_REPLY_OBJECT;
    return MT_OK;
}

static mt_err handle_delete(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *t,
                            struct mt_reply *rp)
{
    MT_TRY(mt_permit_disown(p, t, MT_REF(MT_KIND_DATA, mt_permit_resource(p))));
    mt_json_put_bool(mt_reply_json(rp, 200), "deleted", true);
    return handler_code == 0 ? MT_OK : handle_fail(p, rq, t, rp);
}

static mt_err handle_watch(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *t,
                           struct mt_reply *rp)
{
    (void)t;
    MT_TRY(mt_request_query_uint(rq, "after", 0, UINT32_MAX, &rp->after_txid));
    rp->kind = MT_REPLY_WATCH;
    rp->topic = *mt_permit_resource(p);
    return MT_OK;
}

static mt_err handle_emit(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *t,
                          struct mt_reply *rp)
{
    static const uint8_t event[16 * 1024] = {'e'};
    (void)rq;
    MT_TRY(mt_tx_put(t, &test_maps[0], MT_LITERAL("emitted"), MT_LITERAL("x")));
    MT_TRY(mt_tx_emit(t, mt_permit_resource(p), (mt_bytes){event, event_bytes}));
    mt_json_put_bool(mt_reply_json(rp, 200), "emitted", true);
    return MT_OK;
}

/* For the newest write: its audit record, which every write makes. */
static mt_err handle_receipt(const struct mt_permit *p, const struct mt_request *rq,
                             struct mt_tx *t, struct mt_reply *rp)
{
    (void)p;
    (void)rq;
    rp->kind = MT_REPLY_RECEIPT;
    rp->receipt_txid = mt_tx_id(t) - 1;
    return MT_OK;
}

static const char *const watch_query[] = {"after", NULL};
static const struct mt_route test_routes[] = {
    {MT_GET, "/t/quick", "t.quick", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false, handle_quick,
     NULL},
    {MT_POST, "/t/write", "t.write", MT_KIND_NONE, MT_RIGHT_USER, 1000, true, false, handle_write,
     NULL},
    {MT_GET, "/t/receipt", "t.receipt", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false,
     handle_receipt, NULL},
    {MT_GET, "/t/fail", "t.fail", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false, handle_fail, NULL},
    {MT_POST, "/t/big", "t.big", MT_KIND_NONE, MT_RIGHT_USER, BIG_BYTES_MAX, true, false,
     handle_big, NULL},
    {MT_GET, "/t/big/{id}", "t.content", MT_KIND_DATA, MT_RIGHT_READ, 0, false, true,
     handle_content, NULL},
    {MT_DELETE, "/t/big/{id}", "t.delete", MT_KIND_DATA, MT_RIGHT_OWNER, 0, true, false,
     handle_delete, NULL},
    {MT_GET, "/t/big/{id}/events", "t.watch", MT_KIND_DATA, MT_RIGHT_SEE, 0, false, false,
     handle_watch, watch_query},
    {MT_POST, "/t/big/{id}/events", "t.emit", MT_KIND_DATA, MT_RIGHT_OWNER, 0, true, false,
     handle_emit, NULL},
    {MT_GET, NULL, NULL, MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, false, NULL, NULL},
};
static const struct mt_service test_service = {"test", test_maps, test_routes, NULL};
static const struct mt_service *const test_services[] = {&test_service, NULL};

#endif
