/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/inside.h"

/*
 * text/event-stream (WHATWG HTML, 9.2), a chunk for each event: a stream without the last chunk was
 * cut. An event's id is the transaction that made it, so a client that comes back says where it
 * was. The gate is asked again for every batch: who has lost the right to see loses the stream. Who
 * does not read is cut.
 */
enum { HEARTBEAT_MS = 15 * 1000, UNREAD_BYTES_MAX = 128 * 1024 };

static void hold_next(struct mt_conn *c);

static MT_ERR still_may(struct mt_conn *c)
{
    struct mt_server *s = c->server;
    struct mt_tx *tx = NULL;
    MT_TRY(mt_ledger_begin(s->o.ledger, c->x.match.service->maps, mt_loop_host_time_ms(s->o.loop),
                           &tx));
    mt_err e = mt_gate_check(s->o.gate, tx, &c->x.ask);
    mt_ledger_abort(s->o.ledger, &tx);
    return e;
}

static MT_ERR put_chunk(struct mt_conn *c, mt_bytes text)
{
    struct mt_writer w = mt_writer_onto(&c->out);
    mt_bytes done;
    mt_http_chunk_write(&w, text);
    return mt_write_end(&w, &done);
}

static mt_err write_event(void *state, uint64_t txid, mt_bytes event, bool *is_enough)
{
    struct mt_conn *c = state;
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(MT_JSON_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&text);
    mt_bytes done;
    (void)is_enough;
    mt_write_bytes(&w, MT_LITERAL("id: "));
    mt_write_number(&w, txid);
    mt_write_bytes(&w, MT_LITERAL("\ndata: "));
    mt_write_bytes(&w, event);
    mt_write_bytes(&w, MT_LITERAL("\n\n"));
    MT_TRY(mt_write_end(&w, &done));
    c->x.watched_txid = txid;
    return put_chunk(c, done);
}

static void send_batch(struct mt_conn *c)
{
    struct mt_server *s = c->server;
    if (mt_failed(still_may(c)) || c->out.len > UNREAD_BYTES_MAX ||
        mt_failed(
            mt_ledger_events(s->o.ledger, &c->x.reply.topic, c->x.watched_txid, write_event, c))) {
        mt_conn_close(c);
        return;
    }
    hold_next(c);
    mt_conn_pump(c);
}

static void more_is_durable(struct mt_hold *h)
{
    send_batch(h->state);
}

static void hold_next(struct mt_conn *c)
{
    struct mt_server *s = c->server;
    c->x.hold = (struct mt_hold){
        .version = mt_ledger_durable(s->o.ledger) + 1, .run = more_is_durable, .state = c};
    mt_driver_hold(s->o.driver, &c->x.hold);
}

static void beat(struct mt_timer *t)
{
    struct mt_conn *c = t->state;
    if (c->out.len > UNREAD_BYTES_MAX || mt_failed(put_chunk(c, MT_LITERAL(": still here\n\n")))) {
        mt_conn_close(c);
        return;
    }
    mt_timer_set(c->server->o.loop, t, HEARTBEAT_MS);
    mt_conn_pump(c);
}

void mt_watch_start(struct mt_conn *c)
{
    struct mt_writer w = mt_writer_onto(&c->out);
    mt_bytes done;
    mt_http_response_write(&w, 200);
    mt_http_header_write(&w, "content-type", MT_LITERAL("text/event-stream"));
    mt_http_header_write(&w, "transfer-encoding", MT_LITERAL("chunked"));
    mt_http_header_write(&w, "cache-control", MT_LITERAL("no-store"));
    mt_http_header_write(&w, "connection", MT_LITERAL("close"));
    mt_http_head_end(&w);
    c->x.closes = true;
    c->state = c->x.is_head ? MT_CONN_SENDING : MT_CONN_WATCH;
    if (mt_failed(mt_write_end(&w, &done))) {
        mt_conn_close(c);
        return;
    }
    if (c->x.is_head) {
        return;
    }
    c->x.watched_txid = c->x.reply.after_txid;
    c->x.heartbeat = (struct mt_timer){.run = beat, .state = c};
    mt_timer_set(c->server->o.loop, &c->x.heartbeat, HEARTBEAT_MS);
    send_batch(c);
}

void mt_watch_stop(struct mt_conn *c)
{
    if (c->state == MT_CONN_WATCH) {
        mt_timer_clear(c->server->o.loop, &c->x.heartbeat);
    }
}
