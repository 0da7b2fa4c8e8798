/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/assert.h"
#include "crypto/hash.h"
#include "server/again.h"
#include "server/enrol.h"
#include "server/inside.h"
#include "server/keyslot.h"
#include "server/peers.h"
#include "server/upkeep.h"

/* One request on its way: head -> gate -> body -> handler in a transaction -> held -> answered. */

/* Whatever is said was computed from the newest appended version: it waits until that is durable.
 */
static void hold(struct mt_conn *c, void (*may_leave)(struct mt_hold *))
{
    struct mt_server *s = c->server;
    c->state = MT_CONN_HELD;
    c->x.hold =
        (struct mt_hold){.version = mt_ledger_version(s->o.ledger), .run = may_leave, .state = c};
    mt_driver_hold(s->o.driver, &c->x.hold);
}

static MT_ERR parse_number(mt_bytes text, uint64_t *out)
{
    uint64_t value = 0;
    MT_REQUIRE(text.len > 0 && text.len <= 19 && (text.len == 1 || text.ptr[0] != '0'), MT_E_FORMAT,
               "mesatee-request: the number is not canonical");
    for (size_t i = 0; i < text.len; i++) {
        MT_REQUIRE(text.ptr[i] >= '0' && text.ptr[i] <= '9', MT_E_FORMAT,
                   "mesatee-request: the number is not canonical");
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *out = value;
    return MT_OK;
}

/* mesatee-request: SESSION-NUMBER, so that a client may ask again and be served once. */
static MT_ERR parse_request_number(const struct mt_http_head *head, struct mt_ask *ask)
{
    mt_bytes v = mt_http_header_get(head, "mesatee-request");
    if (v.ptr == NULL) {
        return MT_OK;
    }
    MT_REQUIRE(v.len > 33 && v.ptr[32] == '-', MT_E_FORMAT,
               "mesatee-request is 32 hexadecimal digits, '-' and a number");
    MT_TRY(mt_hex_parse((mt_bytes){v.ptr, 32}, (mt_span){ask->session.b, sizeof ask->session.b}));
    MT_TRY(parse_number((mt_bytes){v.ptr + 33, v.len - 33}, &ask->number));
    ask->is_numbered = true;
    return MT_OK;
}

static MT_ERR keep_target(struct mt_exchange *x, const struct mt_http_head *head)
{
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)x->target, sizeof x->target});
    mt_bytes all;
    mt_write_bytes(&w, head->path);
    x->path_len = w.used;
    mt_write_bytes(&w, head->query);
    MT_TRY(mt_write_end(&w, &all));
    x->target_len = all.len;
    return MT_OK;
}

static mt_bytes path_of(const struct mt_exchange *x)
{
    return (mt_bytes){(const uint8_t *)x->target, x->path_len};
}

static mt_bytes query_of(const struct mt_exchange *x)
{
    return (mt_bytes){(const uint8_t *)x->target + x->path_len, x->target_len - x->path_len};
}

static MT_ERR check_length(struct mt_exchange *x, uint64_t len)
{
    uint64_t max = x->match.route->body_max;
    if (len > max && max == 0) {
        mt_reply_hint(&x->reply, "send no body");
    } else if (len > max) {
        mt_reply_detail(&x->reply, "at most %llu bytes", (unsigned long long)max);
        mt_reply_hint(&x->reply, "send less at once");
    }
    MT_REQUIRE(len <= max, MT_E_LIMIT, "the body is larger than this path takes");
    return MT_OK;
}

static MT_ERR find_route(struct mt_conn *c, enum mt_http_method method)
{
    struct mt_exchange *x = &c->x;
    mt_err e = mt_route_find(c->server->services, method, path_of(x), &x->match);
    x->methods = mt_failed(e) ? mt_route_methods(c->server->services, path_of(x)) : 0;
    return e;
}

/* Everything that can be said of a request before its body: the match, the question to the gate. */
static MT_ERR read_head(struct mt_conn *c, const struct mt_http_head *head)
{
    static const char *const no_names[] = {NULL};
    struct mt_exchange *x = &c->x;
    x->closes = head->closes;
    x->is_head = head->method == MT_HTTP_HEAD;
    x->body_reader = mt_http_body_reader_of(head);
    MT_TRY(keep_target(x, head));
    MT_TRY(parse_request_number(head, &x->ask));
    MT_TRY(find_route(c, head->method));
    const struct mt_route *r = x->match.route;
    MT_REQUIRE(
        mt_system_may_serve(c->server, r), MT_E_CLOSED,
        "this node was restored from a backup and serves nobody until an administrator opens "
        "its next epoch: mesatee restore");
    MT_TRY(mt_http_query_known(query_of(x), r->query != NULL ? r->query : no_names));
    x->ask.action = r->action;
    x->ask.right = r->right;
    x->ask.kind = r->kind;
    x->ask.is_write = r->is_write;
    x->ask.is_intent = r->is_intent;
    x->request = (struct mt_request){.arena = c->arena,
                                     .action = r->action,
                                     .query = query_of(x),
                                     .cluster = mt_ledger_cluster_id(c->server->o.ledger),
                                     .level = c->server->o.facts.level,
                                     .progress = mt_jobs_progress,
                                     .jobs = c->server->o.jobs};
    memcpy(x->request.arguments, x->match.arguments, sizeof x->request.arguments);
    if (r->kind != MT_KIND_NONE) {
        MT_TRY(mt_request_id(&x->request, 0, &x->ask.resource));
    }
    return head->body == MT_HTTP_BODY_LENGTH ? check_length(x, head->body_len) : MT_OK;
}

static bool is_claim(const struct mt_exchange *x)
{
    return x->match.service == &mt_system_service &&
           mt_bytes_equal(mt_bytes_of_text(x->match.route->action), MT_LITERAL("admin.claim"));
}

/* The gate is asked again when the handler runs: this spares a body that is not let in, or a
 * device.
 */
MT_ERR mt_exchange_check(struct mt_conn *c)
{
    struct mt_server *s = c->server;
    struct mt_tx *tx = NULL;
    MT_TRY(mt_ledger_begin(s->o.ledger, c->x.match.service->maps, mt_loop_host_time_ms(s->o.loop),
                           &tx));
    mt_err e = mt_gate_check(s->o.gate, tx, &c->x.ask);
    mt_ledger_abort(s->o.ledger, &tx);
    return e;
}

/* That the body is wanted is an answer too, and waits like one. */
static void may_continue(struct mt_hold *h)
{
    struct mt_conn *c = h->state;
    c->state = MT_CONN_BODY;
    if (mt_failed(mt_buf_append(&c->out, MT_LITERAL("HTTP/1.1 100 Continue\r\n\r\n")))) {
        mt_conn_close(c);
        return;
    }
    mt_conn_pump(c);
}

static MT_ERR begin(struct mt_conn *c, const struct mt_http_head *head)
{
    struct mt_exchange *x = &c->x;
    MT_TRY(mt_server_take_arena(c->server, &c->arena));
    x->ask.arena = c->arena;
    MT_TRY(read_head(c, head));
    bool is_large = x->match.route->body_max > MT_BODY_INLINE_BYTES_MAX;
    if (is_large) {
        MT_TRY(mt_exchange_check(c));
        MT_TRY(mt_upload_new(c, &x->upload));
    }
    if (head->expects_continue) {
        hold(c, may_continue);
    }
    return MT_OK;
}

/* Nothing is known of it but who asks. */
static void reset(struct mt_conn *c)
{
    const struct mt_channel_peer *peer = mt_channel_peer(c->channel);
    c->x = (struct mt_exchange){.body = mt_buf_of_max(MT_BODY_INLINE_BYTES_MAX)};
    c->x.reply.body = mt_buf_of_max((size_t)MT_JSON_BYTES_MAX * 2);
    c->x.ask = (struct mt_ask){.key = &peer->key, .subject = peer->subject, .action = "unknown"};
}

void mt_exchange_refuse(struct mt_conn *c, mt_err e)
{
    reset(c);
    c->x.closes = true;
    c->x.is_no_request = true;
    c->lingers = true;
    mt_answer_error(c, e);
}

void mt_exchange_begin(struct mt_conn *c, const struct mt_http_head *head)
{
    reset(c);
    mt_err e = begin(c, head);
    if (mt_failed(e)) {
        /* The body, if any, is not read: the connection cannot go on. */
        c->lingers = head->body != MT_HTTP_BODY_NONE;
        c->x.closes = c->x.closes || c->lingers;
        mt_answer_error(c, e);
    }
}

static MT_ERR take_piece(struct mt_conn *c, mt_bytes data)
{
    struct mt_exchange *x = &c->x;
    x->body_bytes += data.len;
    MT_TRY(check_length(x, x->body_bytes));
    if (x->upload == NULL) {
        return mt_buf_append(&x->body, data);
    }
    mt_err e = mt_gate_stage(c->server->o.gate, &x->ask.subject, data.len);
    if (mt_failed(e)) {
        mt_reply_hint(&x->reply, "wait until other uploads have ended, or let the operator raise "
                                 "staging_quota_mib or staging_total_mib");
        return e;
    }
    x->staged_bytes += data.len;
    mt_upload_add(x->upload, data);
    return MT_OK;
}

static mt_err take_bytes(struct mt_conn *c, mt_bytes *in, bool *is_end)
{
    struct mt_exchange *x = &c->x;
    for (;;) {
        mt_bytes data = {NULL, 0};
        mt_bytes now = *in;
        if (x->upload != NULL) {
            size_t room = mt_upload_room(x->upload).len;
            if (room == 0) {
                return MT_OK;
            }
            now.len = now.len < room ? now.len : room;
        }
        size_t offered = now.len;
        MT_TRY(mt_http_body_read(&x->body_reader, &now, &data, is_end));
        size_t eaten = offered - now.len;
        *in = (mt_bytes){in->ptr + eaten, in->len - eaten};
        if (data.len > 0) {
            MT_TRY(take_piece(c, data));
        }
        if (*is_end || (data.len == 0 && eaten == 0)) {
            return MT_OK;
        }
    }
}

static void go_on(struct mt_conn *c, mt_err e, bool is_end)
{
    struct mt_exchange *x = &c->x;
    if (mt_failed(e)) {
        x->closes = true;
        c->lingers = true;
        mt_answer_error(c, e);
    } else if (is_end && x->upload != NULL) {
        c->state = MT_CONN_SEALING;
        mt_upload_end(x->upload);
    } else if (is_end) {
        mt_exchange_body_done(c, MT_OK);
    }
}

void mt_exchange_take_body(struct mt_conn *c)
{
    mt_bytes in = mt_buf_bytes(&c->in);
    bool is_end = false;
    mt_err e = take_bytes(c, &in, &is_end);
    mt_buf_drop(&c->in, c->in.len - in.len);
    go_on(c, e, is_end);
}

bool mt_exchange_is_straight(const struct mt_conn *c)
{
    const struct mt_exchange *x = &c->x;
    return c->state == MT_CONN_BODY && x->upload != NULL && c->in.len == 0 &&
           x->body_reader.kind == MT_HTTP_BODY_LENGTH && x->body_reader.left > 0;
}

mt_span mt_exchange_room(const struct mt_conn *c)
{
    mt_span room = mt_upload_room(c->x.upload);
    uint64_t left = c->x.body_reader.left; /* what follows is another request */
    return (mt_span){room.ptr, room.len < left ? room.len : (size_t)left};
}

void mt_exchange_came(struct mt_conn *c, size_t len)
{
    mt_bytes in = {mt_upload_room(c->x.upload).ptr, len};
    bool is_end = false;
    mt_err e = take_bytes(c, &in, &is_end);
    go_on(c, e, is_end);
}

static void hash_request(struct mt_conn *c)
{
    struct mt_exchange *x = &c->x;
    const uint8_t method = (uint8_t)x->match.route->method;
    mt_hash body;
    if (x->upload != NULL) {
        body = *mt_upload_hash(x->upload);
    } else {
        const mt_bytes inline_body = mt_buf_bytes(&x->body);
        mt_sha256(&inline_body, 1, &body);
    }
    const mt_bytes parts[] = {
        {&method, 1}, {(const uint8_t *)x->target, x->target_len}, mt_hash_bytes(&body)};
    mt_sha256(parts, 3, &x->ask.request_hash);
}

/* Handler and gate in one transaction. On failure everything but the error is undone. */
static MT_ERR call(struct mt_conn *c, struct mt_tx *tx)
{
    struct mt_server *s = c->server;
    struct mt_exchange *x = &c->x;
    MT_DEFER(mt_gate_leave) struct mt_permit *permit = NULL;
    MT_TRY(mt_gate_admit(s->o.gate, tx, &x->ask, &permit));
    if (x->upload != NULL) {
        mt_gate_put_staged(permit, &mt_upload_handle(x->upload)->id, mt_upload_key(x->upload));
    }
    if (x->match.service == &mt_system_service) {
        MT_TRY(mt_system_call(s, permit, x, tx));
        if (x->reply.kind == MT_REPLY_BACKUP) {
            MT_TRY(mt_system_backup(s, &x->request, tx, &x->backup));
            x->is_backup = true;
            mt_reclaim_backup_begins(s);
        }
    } else {
        MT_TRY(mt_handler_call(x->match.route->handler, permit, &x->request, tx, &x->reply));
    }
    if (x->reply.kind == MT_REPLY_JSON) {
        mt_bytes body;
        mt_json_end_object(&x->reply.json);
        MT_TRY(mt_write_end(&x->reply.writer, &body));
    }
    if (x->reply.kind == MT_REPLY_OBJECT) {
        MT_TRY(mt_gate_unwrap(s->o.gate, permit, tx, &x->reply.object.id, &x->key));
    }
    if (x->reply.job != NULL) {
        MT_TRY(mt_jobs_start(s->o.jobs, tx, x->reply.job));
    }
    x->ended_count = mt_gate_ended(s->o.gate, &x->ended);
    if (x->ask.is_write) {
        return mt_gate_remember(s->o.gate, tx, &x->ask, x->reply.status,
                                mt_buf_bytes(&x->reply.body));
    }
    mt_gate_note(s->o.gate, &x->ask, MT_OK);
    return MT_OK;
}

/* What the reply starts, now that its transaction is appended. */
static void follow_up(struct mt_conn *c, uint64_t version)
{
    struct mt_server *s = c->server;
    struct mt_exchange *x = &c->x;
    if (x->reply.job != NULL) {
        mt_jobs_go(s->o.jobs, &x->reply.job->id, version);
    }
    if (x->reply.cancels) {
        mt_jobs_cancel(s->o.jobs, &x->reply.cancelled_job);
    }
    if (x->reply.cancels_task) {
        mt_jobs_cancel_task(s->o.jobs, &x->reply.cancelled_task);
    }
    if (x->upload != NULL) {
        mt_upload_keep(x->upload);
    }
    if (x->ended_count > 0) {
        mt_reclaim_add(s, x->ended, x->ended_count);
    }
    if (x->reply.shreds) {
        mt_server_shred_now(s);
    }
    if (mt_bytes_equal(mt_bytes_of_text(x->ask.action), MT_LITERAL("recovery.open"))) {
        mt_system_recovered(s, version);
    }
}

static MT_ERR run(struct mt_conn *c, struct mt_tx **tx)
{
    struct mt_server *s = c->server;
    struct mt_exchange *x = &c->x;
    struct mt_recalled was = {.is_known = false};
    if (is_claim(x)) {
        return mt_system_claim(s, &x->ask, &x->request, *tx, &x->reply);
    }
    if (mt_enrol_is_ours(x)) {
        return mt_enrol_call(s, x, &x->reply);
    }
    if (mt_again_is_ours(x)) {
        return mt_again_call(s, x, &x->reply);
    }
    if (mt_handover_is_ours(x)) {
        return mt_handover_call(c, *tx);
    }
    if (x->ask.is_write && x->ask.is_numbered) {
        /* Authorised again before anything is replayed. */
        MT_TRY(mt_gate_check(s->o.gate, *tx, &x->ask));
        hash_request(c);
        MT_TRY(mt_gate_recall(s->o.gate, *tx, &x->ask, &was));
    }
    if (!was.is_known) {
        return call(c, *tx);
    }
    x->reply.kind = MT_REPLY_JSON;
    x->reply.status = was.status;
    return mt_buf_append(&x->reply.body, was.body);
}

static MT_ERR execute(struct mt_conn *c)
{
    struct mt_server *s = c->server;
    struct mt_exchange *x = &c->x;
    struct mt_tx *tx = NULL;
    uint64_t version = 0;
    MT_TRY(mt_system_accept_time(s, x));
    MT_TRY(
        mt_ledger_begin(s->o.ledger, x->match.service->maps, mt_loop_host_time_ms(s->o.loop), &tx));
    mt_err e = run(c, &tx);
    if (mt_failed(e) || !mt_tx_has_writes(tx)) {
        mt_ledger_abort(s->o.ledger, &tx);
        if (x->reply.job != NULL && mt_failed(e)) {
            mt_jobs_drop(s->o.jobs, &x->reply.job->id);
        }
        return e;
    }
    e = mt_ledger_commit(s->o.ledger, &tx, &version);
    if (mt_failed(e)) {
        if (x->reply.job != NULL) {
            mt_jobs_drop(s->o.jobs, &x->reply.job->id);
        }
        return e;
    }
    x->txid = version;
    follow_up(c, version);
    return MT_OK;
}

static MT_ERR read_body(struct mt_exchange *x)
{
    struct mt_text_place place = {0};
    if (x->upload != NULL) {
        x->request.staged = mt_upload_handle(x->upload);
        x->request.staged_head = mt_upload_head(x->upload);
        return MT_OK;
    }
    x->request.body = mt_buf_bytes(&x->body);
    if (x->body.len == 0 || mt_handover_is_due(x)) {
        return MT_OK;
    }
    mt_err e = mt_json_parse(x->request.body, &x->json, &place);
    if (mt_failed(e) && place.line > 0) {
        mt_reply_detail(&x->reply, "line %u, column %u of the body", place.line, place.column);
    }
    MT_TRY(e);
    x->request.json = x->json;
    return MT_OK;
}

static void may_leave(struct mt_hold *h)
{
    struct mt_conn *c = h->state;
    mt_conn_work_begins(c); /* so that it is still there if the answer has to end it */
    mt_answer(c);
    if (mt_conn_work_ends(c)) {
        mt_conn_pump(c);
    }
}

void mt_exchange_body_done(struct mt_conn *c, mt_err e)
{
    struct mt_exchange *x = &c->x;
    x->reply.kind = MT_REPLY_JSON;
    x->reply.status = 200;
    if (mt_failed(e) && c->state == MT_CONN_BODY) {
        x->closes = true; /* the rest of it is no request */
        c->lingers = true;
    }
    if (!mt_failed(e)) {
        e = read_body(x);
    }
    mt_err (*before)(struct mt_conn *) = mt_enrol_is_due(x)     ? mt_enrol_begin
                                         : mt_keyslot_is_due(x) ? mt_keyslot_begin
                                         : mt_again_is_ours(x)  ? mt_again_begin
                                                                : NULL;
    if (!mt_failed(e) && before != NULL) {
        e = before(c);
        if (!mt_failed(e)) {
            return; /* it comes back */
        }
    }
    mt_exchange_prepared(c, e);
}

void mt_exchange_prepared(struct mt_conn *c, mt_err e)
{
    if (!mt_failed(e)) {
        e = execute(c);
    }
    if (mt_failed(e)) {
        mt_answer_error(c, e);
    } else {
        mt_exchange_hold(c);
    }
}

/* What the handler alone needed. */
static void forget_request(struct mt_conn *c)
{
    struct mt_exchange *x = &c->x;
    mt_json_free(&x->json);
    mt_buf_free(&x->body);
    x->request = (struct mt_request){.json = NULL};
    x->ask.arena = NULL;
    mt_server_give_arena(c->server, &c->arena);
}

/* A reply that is whole waits for the disk without its request: hundreds may wait at once, and each
 * would keep from the caches what the next one works with. */
void mt_exchange_hold(struct mt_conn *c)
{
    if (c->x.reply.kind == MT_REPLY_JSON) {
        forget_request(c);
    }
    hold(c, may_leave);
}

void mt_exchange_end(struct mt_conn *c)
{
    struct mt_exchange *x = &c->x;
    mt_driver_release(c->server->o.driver, &x->hold);
    if (x->staged_bytes > 0) {
        mt_gate_unstage(c->server->o.gate, &x->ask.subject, x->staged_bytes);
        x->staged_bytes = 0;
    }
    mt_upload_free(&x->upload);
    mt_download_free(&x->download);
    mt_secret_free(&x->key);
    mt_backup_writer_free(&x->backup);
    mt_making_free(&x->making);
    if (x->is_backup) {
        x->is_backup = false;
        mt_reclaim_backup_ends(c->server);
    }
    mt_buf_free(&x->reply.body);
    mt_buf_free(&x->evidence);
    forget_request(c);
    mt_channel_rest(c->channel);
}
