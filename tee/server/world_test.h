/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_WORLD_TEST_H
#define MT_SERVER_WORLD_TEST_H

#include "server/inside.h"
#include "server/net_test.h"

/* A server with a service that does what a test says. */
enum { TEST_TIMEOUT_MS = 1000, TEST_IDLE_MS = 5000, BIG_BYTES_MAX = 4 * 1024 * 1024 };

static struct mt_server *server;
static struct mt_pool object_pool;
static struct mt_pool evidence_pool;
static struct mt_channel_identity *server_identity;
static enum mt_code handler_code; /* what /fail fails with */
static size_t handled;
static size_t event_bytes;
static bool is_device_broken;
static bool has_tpm;             /* of the next server */
static uint64_t strangers_per_s; /* of the next server */

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

static const char *const watch_query[] = {"after", NULL};
static const struct mt_route test_routes[] = {
    {MT_GET, "/t/quick", "t.quick", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false, handle_quick,
     NULL},
    {MT_POST, "/t/write", "t.write", MT_KIND_NONE, MT_RIGHT_USER, 1000, true, false, handle_write,
     NULL},
    {MT_GET, "/t/fail", "t.fail", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false, handle_fail, NULL},
    {MT_POST, "/t/big", "t.big", MT_KIND_NONE, MT_RIGHT_USER, BIG_BYTES_MAX, true, false,
     handle_big, NULL},
    {MT_GET, "/t/big/{id}", "t.content", MT_KIND_DATA, MT_RIGHT_READ, 0, false, true,
     handle_content, NULL},
    {MT_GET, "/t/big/{id}/events", "t.watch", MT_KIND_DATA, MT_RIGHT_SEE, 0, false, false,
     handle_watch, watch_query},
    {MT_POST, "/t/big/{id}/events", "t.emit", MT_KIND_DATA, MT_RIGHT_OWNER, 0, true, false,
     handle_emit, NULL},
    {MT_GET, NULL, NULL, MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, false, NULL, NULL},
};
static const struct mt_service test_service = {"test", test_maps, test_routes, NULL};
static const struct mt_service *const test_services[] = {&test_service, NULL};

static mt_err test_evidence(void *state, const uint8_t report_data[64], struct mt_writer *w)
{
    (void)state;
    MT_REQUIRE(!is_device_broken, MT_E_IO, "the device does not answer");
    mt_write_bytes(w, (mt_bytes){report_data, 64});
    return MT_OK;
}

/* A TPM that says what it was asked backwards. */
static mt_err test_activate(void *state, mt_bytes blob, mt_bytes secret, mt_span out, size_t *got)
{
    (void)state;
    MT_REQUIRE(!is_device_broken && secret.len > 0 && blob.len <= out.len, MT_E_PROOF,
               "the challenge is for other keys");
    for (size_t i = 0; i < blob.len; i++) {
        out.ptr[i] = blob.ptr[blob.len - 1 - i];
    }
    *got = blob.len;
    return MT_OK;
}

static inline void server_begin_with(size_t connections_max)
{
    node_begin(test_services);
    pool_reset(&object_pool);
    pool_reset(&evidence_pool);
    memset(lines, 0, sizeof lines);
    net_calls = 0;
    net_has_no_descriptors = false;
    handled = 0;
    event_bytes = 100;
    OK(mt_channel_identity_new(people[ADMIN].key, MT_CHANNEL_SERVER, &server_identity));
    const struct mt_server_options o = {.loop = &loop,
                                        .object = &object_pool,
                                        .ledger = ledger,
                                        .driver = driver,
                                        .gate = gate,
                                        .jobs = jobs,
                                        .shred = shred,
                                        .root = root,
                                        .fs = fs,
                                        .services = test_services,
                                        .identity = server_identity,
                                        .tls_key = people[ADMIN].key,
                                        .service_key = people[ADMIN].key,
                                        .facts = {.format = MT_LITERAL("soft"),
                                                  .strangers_per_s = strangers_per_s,
                                                  .endorsement_public = MT_LITERAL("ek"),
                                                  .attestation_public = MT_LITERAL("ak")},
                                        .evidence_pool = &evidence_pool,
                                        .evidence = test_evidence,
                                        .activate = has_tpm ? test_activate : NULL,
                                        .connections_max = connections_max,
                                        .idle_timeout_ms = TEST_IDLE_MS,
                                        .request_timeout_ms = TEST_TIMEOUT_MS};
    OK(mt_server_new(&o, &server));
    turn();
}

static inline void server_begin(void)
{
    server_begin_with(100);
}

static inline bool pool_step(struct mt_pool *p)
{
    struct mt_work *w = pool_pop(p);
    if (w != NULL) {
        w->done(w, w->run(w));
    }
    return w != NULL;
}

/* What the object thread has to do, or the first of it. */
static inline bool object_step(void)
{
    return pool_step(&object_pool);
}

/* The same of the thread that makes evidence. */
static inline bool evidence_step(void)
{
    return pool_step(&evidence_pool);
}

/* Lines and objects, until nothing moves; the disk of the ledger stands still. */
static inline void spin_but_disk(void)
{
    do {
        net_spin();
    } while (object_step());
    loop.turn_end(loop.turn_end_state);
}

/* And the disk too. */
static inline void spin(void)
{
    spin_but_disk();
    turn();
    spin_but_disk();
    turn();
    net_spin();
}

static inline void pass(uint64_t ms)
{
    now_ms += ms;
    run_timers();
}

static inline void server_end(void)
{
    while (object_step() || evidence_step()) {
    }
    turn();
    turn();
    mt_server_free(&server);
    while (object_step()) {
    }
    for (int i = 0; i < LINES; i++) {
        net_forget(i);
    }
    mt_channel_identity_free(&server_identity);
    node_end();
}

#endif
