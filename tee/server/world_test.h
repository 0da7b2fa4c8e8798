/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_WORLD_TEST_H
#define MT_SERVER_WORLD_TEST_H

#include "server/inside.h"
#include "server/net_test.h"

/* A server with a service that does what a test says, and clients at the other ends of its lines,
 * each behind a real attested channel. */
enum { TEST_TIMEOUT_MS = 1000, TEST_IDLE_MS = 5000, BIG_BYTES_MAX = 4 * 1024 * 1024 };

static struct mt_server *server;
static struct mt_pool object_pool;
static struct mt_channel_identity *server_identity;
static enum mt_code handler_code; /* what /fail fails with */
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
    mt_write_bytes(w, (mt_bytes){report_data, 64});
    return MT_OK;
}

static inline void server_begin_with(size_t connections_max)
{
    node_begin(test_services);
    pool_reset(&object_pool);
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
                                        .evidence = test_evidence,
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

/* What the object thread has to do, or the first of it. */
static inline bool object_step(void)
{
    struct mt_work *w = pool_pop(&object_pool);
    if (w != NULL) {
        w->done(w, w->run(w));
    }
    return w != NULL;
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
    while (object_step()) {
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

/* ---- clients */

struct client {
    int fd;
    struct mt_channel_identity *identity;
    struct mt_channel *channel;
    struct mt_buf in;
    bool has_goodbye; /* close_notify has come */
    unsigned status;  /* of the last answer */
    struct mt_buf body;
    bool closes;
    struct mt_json *json;
};

static inline void client_flush(struct client *c)
{
    mt_bytes out = mt_channel_output(c->channel);
    OK(mt_buf_append(&lines[c->fd].to_server, out));
    mt_channel_sent(c->channel, out.len);
}

/* Whatever has left the server becomes plaintext here. */
static inline void client_listen(struct client *c)
{
    struct mt_buf *from = &lines[c->fd].from_server;
    bool is_more = true;
    (void)mt_failed(mt_channel_feed(c->channel, mt_buf_bytes(from)));
    mt_buf_drop(from, from->len);
    client_flush(c);
    while (is_more) {
        mt_span room;
        size_t got = 0;
        OK(mt_buf_reserve(&c->in, 4096, &room));
        mt_err e = mt_channel_read(c->channel, room, &got);
        c->has_goodbye = c->has_goodbye || is_code(e, MT_E_CLOSED);
        c->in.len += got;
        is_more = got > 0;
    }
}

static inline void client_open_on(struct client *c, enum person who, int fd)
{
    const struct mt_channel_options o = {.now_ms = now_ms,
                                         .service = *mt_ledger_cluster_id(ledger)};
    struct mt_channel_options mine = o;
    *c = (struct client){.fd = fd};
    c->in = mt_buf_of_max(SIZE_MAX / 4);
    c->body = mt_buf_of_max(SIZE_MAX / 4);
    OK(mt_channel_identity_new(people[who].key, MT_CHANNEL_CLIENT, &c->identity));
    mine.identity = c->identity;
    OK(mt_channel_new(&mine, &c->channel));
    OK(mt_channel_start(c->channel));
    client_flush(c);
    for (int i = 0; i < 10 && mt_channel_state(c->channel) != MT_CHANNEL_OPEN; i++) {
        net_spin();
        client_listen(c);
    }
    MT_ASSERT(mt_channel_state(c->channel) == MT_CHANNEL_OPEN);
    net_spin();
}

static inline void client_open(struct client *c, enum person who)
{
    int fd = net_dial();
    OK(mt_conn_new(server, fd));
    client_open_on(c, who, fd);
}

static inline void client_send(struct client *c, mt_bytes plain)
{
    while (plain.len > 0) {
        size_t taken = 0;
        OK(mt_channel_write(c->channel, plain, &taken));
        plain = (mt_bytes){plain.ptr + taken, plain.len - taken};
    }
    client_flush(c);
}

static inline void client_say(struct client *c, const char *text)
{
    client_send(c, mt_bytes_of_text(text));
}

static inline bool is_open(const struct client *c)
{
    return lines[c->fd].is_open;
}

/* Takes one whole answer out of what has come; false if there is none. */
static inline bool client_hears(struct client *c)
{
    struct mt_http_head head;
    bool is_whole = false;
    bool is_end = false;
    client_listen(c);
    if (c->in.len > 0) {
        OK(mt_http_response_parse(mt_buf_bytes(&c->in), &head, &is_whole));
    }
    if (!is_whole) {
        return false;
    }
    struct mt_http_body_reader r = mt_http_body_reader_of(&head);
    mt_bytes in = {c->in.ptr + head.head_len, c->in.len - head.head_len};
    c->status = head.status;
    c->closes = head.closes;
    mt_buf_free(&c->body);
    mt_json_free(&c->json);
    while (!is_end) {
        mt_bytes data = {NULL, 0};
        OK(mt_http_body_read(&r, &in, &data, &is_end));
        MT_ASSERT(is_end || data.len > 0); /* it is all there, or was not promised */
        OK(mt_buf_append(&c->body, data));
    }
    mt_buf_drop(&c->in, c->in.len - in.len);
    if (c->status >= 400 || (c->body.len > 0 && c->body.ptr[0] == '{')) {
        OK(mt_json_parse(mt_buf_bytes(&c->body), &c->json, NULL));
    }
    return true;
}

/* Says it, lets everything move, and wants one answer. */
static inline unsigned ask_server(struct client *c, const char *text)
{
    client_say(c, text);
    spin();
    spin();
    return client_hears(c) ? c->status : 0;
}

static inline bool answer_is(const struct client *c, const char *name, const char *wanted)
{
    mt_bytes text;
    return !mt_failed(mt_json_text(c->json, name, &text)) &&
           mt_bytes_equal(text, mt_bytes_of_text(wanted));
}

static inline void client_free(struct client *c)
{
    mt_json_free(&c->json);
    mt_buf_free(&c->in);
    mt_buf_free(&c->body);
    mt_channel_free(&c->channel);
    mt_channel_identity_free(&c->identity);
}

/* The line breaks. */
static inline void client_hang_up(struct client *c)
{
    lines[c->fd].is_gone = true;
    net_spin();
}

#endif
