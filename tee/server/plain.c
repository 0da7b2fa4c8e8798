/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "platform/net.h"
#include "platform/process.h"
#include "server/inside.h"

/*
 * Probes and metrics: plain HTTP/1.1, one request a connection, no data of anybody. Probes on a
 * port of their own, metrics on a Unix socket.
 */
enum { PLAIN_TIMEOUT_MS = 5000 };

struct mt_plain {
    struct mt_server *server;
    struct mt_plain *next;
    struct mt_plain *previous;
    int fd;
    bool is_metrics;
    bool is_answered;
    struct mt_watch watch;
    struct mt_timer timer;
    struct mt_buf in;
    struct mt_buf out;
};

static void end_plain(struct mt_plain *p)
{
    struct mt_plain **at = p->previous != NULL ? &p->previous->next : &p->server->plains;
    *at = p->next;
    if (p->next != NULL) {
        p->next->previous = p->previous;
    }
    p->server->plains_count--;
    mt_timer_clear(p->server->o.loop, &p->timer);
    mt_watch_end(p->server->o.loop, &p->watch);
    mt_net_close(&p->fd);
    mt_buf_free(&p->in);
    mt_buf_free(&p->out);
    free(p);
}

static void put_metric(struct mt_writer *w, const char *name, const char *type, const char *help,
                       uint64_t value)
{
    mt_write_bytes(w, MT_LITERAL("# HELP mesatee_"));
    mt_write_bytes(w, mt_bytes_of_text(name));
    mt_write_bytes(w, MT_LITERAL(" "));
    mt_write_bytes(w, mt_bytes_of_text(help));
    mt_write_bytes(w, MT_LITERAL("\n# TYPE mesatee_"));
    mt_write_bytes(w, mt_bytes_of_text(name));
    mt_write_bytes(w, MT_LITERAL(" "));
    mt_write_bytes(w, mt_bytes_of_text(type));
    mt_write_bytes(w, MT_LITERAL("\nmesatee_"));
    mt_write_bytes(w, mt_bytes_of_text(name));
    mt_write_bytes(w, MT_LITERAL(" "));
    mt_write_number(w, value);
    mt_write_bytes(w, MT_LITERAL("\n"));
}

static void put_metrics(struct mt_server *s, struct mt_writer *w)
{
    uint64_t resident = 0;
    put_metric(w, "connections", "gauge", "Attested connections open now.", s->conns_count);
    put_metric(w, "connections_accepted_total", "counter", "Connections accepted.", s->accepted);
    put_metric(w, "connections_refused_total", "counter",
               "Connections refused because the node was full.", s->refused_full);
    put_metric(w, "handshakes_failed_total", "counter",
               "Connections that did not become an attested channel.", s->handshakes_failed);
    put_metric(w, "requests_total", "counter", "Requests read.", s->requests);
    put_metric(w, "errors_total", "counter", "Requests answered with an error.", s->errors);
    put_metric(w, "strangers_total", "counter", "Requests of keys that this node does not know.",
               mt_gate_strangers(s->o.gate));
    put_metric(w, "transactions", "gauge", "Transactions appended to the ledger.",
               mt_ledger_version(s->o.ledger));
    put_metric(w, "transactions_durable", "gauge", "Transactions durable.",
               mt_ledger_durable(s->o.ledger));
    put_metric(w, "runs", "gauge", "Runs waiting or under way.", mt_jobs_count(s->o.jobs));
    if (*s->o.collateral != MT_COLLATERAL_NONE) {
        put_metric(w, "collateral_good", "gauge",
                   "1 while what the maker says of the machine holds, 0 once clients refuse it.",
                   *s->o.collateral == MT_COLLATERAL_GOOD ? 1 : 0);
    }
    if (!mt_failed(mt_process_resident_bytes(&resident))) {
        put_metric(w, "resident_bytes", "gauge", "Memory resident now.", resident);
    }
}

static uint32_t answer_of(struct mt_plain *p, mt_bytes path, struct mt_writer *body)
{
    struct mt_server *s = p->server;
    if (p->is_metrics && mt_bytes_equal(path, MT_LITERAL("/metrics"))) {
        put_metrics(s, body);
        return 200;
    }
    if (!p->is_metrics && mt_bytes_equal(path, MT_LITERAL("/livez"))) {
        mt_write_bytes(body, MT_LITERAL("alive\n")); /* the loop turns: it has just said so */
        return 200;
    }
    if (!p->is_metrics && mt_bytes_equal(path, MT_LITERAL("/readyz"))) {
        bool is_ready = !s->is_draining && !mt_driver_is_dead(s->o.driver);
        mt_write_bytes(body, is_ready ? MT_LITERAL("ready\n") : MT_LITERAL("not ready\n"));
        return is_ready ? 200 : 503;
    }
    mt_write_bytes(body, MT_LITERAL("nothing here\n"));
    return 404;
}

static MT_ERR answer(struct mt_plain *p)
{
    struct mt_http_head head;
    bool is_whole = false;
    MT_DEFER(mt_buf_free) struct mt_buf body = mt_buf_of_max(MT_BODY_INLINE_BYTES_MAX);
    struct mt_writer b = mt_writer_onto(&body);
    struct mt_writer w = mt_writer_onto(&p->out);
    mt_bytes done;
    MT_TRY(mt_http_request_parse(mt_buf_bytes(&p->in), &head, &is_whole));
    if (!is_whole) {
        return MT_OK;
    }
    MT_REQUIRE(head.method == MT_HTTP_GET && head.body == MT_HTTP_BODY_NONE, MT_E_ARG,
               "probes are read, nothing else");
    uint32_t status = answer_of(p, head.path, &b);
    MT_TRY(mt_write_end(&b, &done));
    mt_http_response_write(&w, status);
    mt_http_header_write(&w, "content-type", MT_LITERAL("text/plain; version=0.0.4"));
    mt_http_header_write_uint(&w, "content-length", done.len);
    mt_http_header_write(&w, "connection", MT_LITERAL("close"));
    mt_http_head_end(&w);
    mt_write_bytes(&w, done);
    p->is_answered = true;
    return mt_write_end(&w, &done);
}

static MT_ERR receive(struct mt_plain *p)
{
    uint8_t room[1024];
    size_t got = 0;
    mt_err e = mt_net_read(p->fd, (mt_span){room, sizeof room}, &got);
    if (mt_failed(e)) {
        return e.fault->code == MT_E_BUSY ? MT_OK : e;
    }
    MT_REQUIRE(got > 0, MT_E_CLOSED, "the peer has hung up");
    MT_TRY(mt_buf_append(&p->in, (mt_bytes){room, got}));
    return answer(p);
}

static MT_ERR transmit(struct mt_plain *p)
{
    size_t taken = 0;
    mt_err e = mt_net_write(p->fd, mt_buf_bytes(&p->out), &taken);
    if (mt_failed(e)) {
        return e.fault->code == MT_E_BUSY ? MT_OK : e;
    }
    mt_buf_drop(&p->out, taken);
    MT_REQUIRE(p->out.len > 0, MT_E_CLOSED, "all is said");
    return MT_OK;
}

static void ready(struct mt_watch *w, unsigned events)
{
    struct mt_plain *p = w->state;
    mt_err e = MT_OK;
    if (!p->is_answered && (events & MT_WATCH_READ) != 0) {
        e = receive(p);
    }
    if (!mt_failed(e) && p->is_answered) {
        e = transmit(p);
    }
    if (!mt_failed(e)) {
        e = mt_watch_change(p->server->o.loop, w, p->is_answered ? MT_WATCH_WRITE : MT_WATCH_READ);
    }
    if (mt_failed(e)) {
        end_plain(p);
    }
}

static void timed_out(struct mt_timer *t)
{
    end_plain(t->state);
}

void mt_plain_accept(struct mt_server *s, int fd, bool is_metrics)
{
    struct mt_plain *p = s->plains_count < MT_PLAIN_CONNECTIONS_MAX ? calloc(1, sizeof *p) : NULL;
    if (p == NULL) {
        mt_net_close(&fd);
        return;
    }
    p->server = s;
    p->fd = fd;
    p->is_metrics = is_metrics;
    p->in = mt_buf_of_max(MT_HTTP_HEAD_BYTES_MAX);
    p->out = mt_buf_of_max(MT_BODY_INLINE_BYTES_MAX * (size_t)2);
    p->watch = (struct mt_watch){.ready = ready, .state = p};
    p->timer = (struct mt_timer){.run = timed_out, .state = p};
    if (mt_failed(mt_watch_begin(s->o.loop, &p->watch, fd, MT_WATCH_READ))) {
        mt_net_close(&p->fd);
        free(p);
        return;
    }
    p->next = s->plains;
    if (p->next != NULL) {
        p->next->previous = p;
    }
    s->plains = p;
    s->plains_count++;
    mt_timer_set(s->o.loop, &p->timer, PLAIN_TIMEOUT_MS);
}

void mt_plain_end_all(struct mt_server *s)
{
    while (s->plains != NULL) {
        end_plain(s->plains);
    }
}
