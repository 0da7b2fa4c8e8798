/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/assert.h"
#include "platform/log.h"
#include "platform/net.h"
#include "server/inside.h"

enum { FLUSH_MS = 500, ACCEPTS_PER_TURN = 64, BREATH_MS = 100 };

void mt_server_flush(struct mt_server *s)
{
    static const struct mt_map_def no_maps[] = {{NULL, false}};
    struct mt_tx *tx = NULL;
    uint64_t version = 0;
    if (!mt_gate_has_notes(s->o.gate) || mt_driver_is_dead(s->o.driver)) {
        return;
    }
    mt_err e = mt_ledger_begin(s->o.ledger, no_maps, mt_ledger_time_ms(s->o.ledger), &tx);
    if (mt_failed(e)) {
        mt_gate_flushed(s->o.gate, e);
        mt_log_fault("audit-not-written", e);
        return;
    }
    e = mt_gate_flush(s->o.gate, tx);
    if (mt_failed(e)) {
        mt_ledger_abort(s->o.ledger, &tx);
    } else {
        e = mt_ledger_commit(s->o.ledger, &tx, &version);
    }
    mt_gate_flushed(s->o.gate, e); /* after a failure it lets nobody in until one succeeds */
    if (mt_failed(e)) {
        mt_log_fault("audit-not-written", e);
    }
}

static void on_flush(struct mt_timer *t)
{
    struct mt_server *s = t->state;
    mt_server_flush(s);
    mt_timer_set(s->o.loop, t, FLUSH_MS);
}

/* Watches the listeners, or does not for a while. */
static void listen_again(struct mt_server *s, unsigned events)
{
    struct mt_watch *const all[] = {&s->listener, &s->probes, &s->metrics};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i]->fd >= 0 && mt_failed(mt_watch_change(s->o.loop, all[i], events))) {
            mt_log("not-listening", NULL, 0);
        }
    }
}

static void breathed(struct mt_timer *t)
{
    listen_again(t->state, MT_WATCH_READ);
}

MT_ERR mt_server_new(const struct mt_server_options *o, struct mt_server **out)
{
    struct mt_server *s = calloc(1, sizeof *s);
    MT_REQUIRE(s != NULL, MT_E_NOMEM, "no memory for the server");
    s->o = *o;
    s->listener.fd = -1;
    s->probes.fd = -1;
    s->metrics.fd = -1;
    s->services[0] = &mt_system_service;
    for (size_t i = 0; o->services[i] != NULL; i++) {
        MT_ASSERT(i < MT_SERVICES_MAX);
        s->services[i + 1] = o->services[i];
    }
    s->awaits_recovery = o->awaits_recovery;
    mt_err e = mt_ledger_head(o->ledger, &s->restored_size, &s->restored_root);
    if (mt_failed(e)) {
        free(s);
        return e;
    }
    s->flush = (struct mt_timer){.run = on_flush, .state = s};
    s->breath = (struct mt_timer){.run = breathed, .state = s};
    mt_timer_set(o->loop, &s->flush, FLUSH_MS);
    *out = s;
    return MT_OK;
}

MT_ERR mt_server_take_arena(struct mt_server *s, struct mt_arena **out)
{
    if (s->spare_arenas_count == 0) {
        return mt_arena_new(MT_REQUEST_ARENA_BYTES, out);
    }
    struct mt_arena *arena = s->spare_arenas[--s->spare_arenas_count];
    MT_ASSERT(mt_arena_used(arena) == 0);
    *out = arena;
    return MT_OK;
}

void mt_server_give_arena(struct mt_server *s, struct mt_arena **arena)
{
    if (*arena != NULL && s->spare_arenas_count < MT_SPARE_ARENAS_MAX) {
        mt_arena_reset(*arena);
        s->spare_arenas[s->spare_arenas_count++] = *arena;
        *arena = NULL;
    }
    mt_arena_free(arena);
}

static void stop_listening(struct mt_server *s, struct mt_watch *w)
{
    if (w->fd >= 0) {
        mt_watch_end(s->o.loop, w);
        mt_net_close(&w->fd);
        w->fd = -1;
    }
}

void mt_server_free(struct mt_server **sp)
{
    struct mt_server *s = *sp;
    if (s == NULL) {
        return;
    }
    mt_reclaim_stop(s);
    mt_timer_clear(s->o.loop, &s->flush);
    mt_timer_clear(s->o.loop, &s->drain);
    stop_listening(s, &s->listener);
    stop_listening(s, &s->probes);
    stop_listening(s, &s->metrics);
    mt_timer_clear(s->o.loop, &s->breath);
    mt_plain_end_all(s);
    while (s->conns != NULL) {
        mt_conn_close(s->conns);
    }
    while (s->spare_arenas_count > 0) {
        mt_arena_free(&s->spare_arenas[--s->spare_arenas_count]);
    }
    free(s);
    *sp = NULL;
}

/* Without a descriptor to spare, who waits stays in the kernel's queue: a loop that asks again at
 * once would do nothing else. */
static MT_ERR accept_one(struct mt_server *s, const struct mt_watch *w, int *fd)
{
    mt_err e = mt_net_accept(w->fd, fd);
    if (mt_failed(e) && e.fault->code == MT_E_LIMIT) {
        listen_again(s, 0);
        mt_timer_set(s->o.loop, &s->breath, BREATH_MS);
    }
    return e;
}

static void accept_some(struct mt_watch *w, unsigned events)
{
    struct mt_server *s = w->state;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = -1;
        mt_err e = accept_one(s, w, &fd);
        if (mt_failed(e)) {
            return;
        }
        if (s->conns_count >= s->o.connections_max) {
            s->refused_full++;
            mt_net_close(&fd);
            continue;
        }
        s->accepted++;
        e = mt_conn_new(s, fd);
        if (mt_failed(e)) {
            mt_net_close(&fd);
        }
    }
}

static void accept_probe(struct mt_watch *w, unsigned events)
{
    int fd = -1;
    (void)events;
    if (!mt_failed(accept_one(w->state, w, &fd))) {
        mt_plain_accept(w->state, fd, false);
    }
}

static void accept_metrics(struct mt_watch *w, unsigned events)
{
    int fd = -1;
    (void)events;
    if (!mt_failed(accept_one(w->state, w, &fd))) {
        mt_plain_accept(w->state, fd, true);
    }
}

static MT_ERR begin_listening(struct mt_server *s, struct mt_watch *w, int fd,
                              void (*ready)(struct mt_watch *, unsigned))
{
    *w = (struct mt_watch){.ready = ready, .state = s, .fd = -1};
    mt_err e = mt_watch_begin(s->o.loop, w, fd, MT_WATCH_READ);
    if (mt_failed(e)) {
        mt_net_close(&fd);
        w->fd = -1;
    }
    return e;
}

MT_ERR mt_server_listen(struct mt_server *s, const char *address, uint16_t *port)
{
    int fd = -1;
    MT_TRY(mt_net_listen(address, &fd));
    MT_TRY(mt_net_port(fd, port));
    return begin_listening(s, &s->listener, fd, accept_some);
}

MT_ERR mt_server_listen_probes(struct mt_server *s, const char *address, uint16_t *port)
{
    int fd = -1;
    MT_TRY(mt_net_listen(address, &fd));
    MT_TRY(mt_net_port(fd, port));
    return begin_listening(s, &s->probes, fd, accept_probe);
}

MT_ERR mt_server_listen_metrics(struct mt_server *s, const char *path)
{
    int fd = -1;
    MT_TRY(mt_net_listen_unix(path, &fd));
    return begin_listening(s, &s->metrics, fd, accept_metrics);
}

MT_ERR mt_server_head(struct mt_server *s, uint64_t *size, mt_hash *root)
{
    uint64_t durable = mt_ledger_durable(s->o.ledger);
    if (s->head_size != durable || durable == 0) {
        MT_TRY(mt_ledger_head(s->o.ledger, &s->head_size, &s->head_root));
    }
    *size = s->head_size;
    *root = s->head_root;
    return MT_OK;
}

static void drained(struct mt_timer *t)
{
    struct mt_server *s = t->state;
    while (s->conns != NULL) {
        mt_conn_close(s->conns);
    }
    s->drained(s->drained_state);
}

void mt_server_conn_ended(struct mt_server *s)
{
    if (s->is_draining && s->conns_count == 0 && mt_jobs_count(s->o.jobs) == 0) {
        mt_timer_set(s->o.loop, &s->drain, 0);
    }
}

void mt_server_drain(struct mt_server *s, uint64_t within_ms, void (*done)(void *state),
                     void *state)
{
    struct mt_conn *next = NULL;
    s->is_draining = true;
    s->drained = done;
    s->drained_state = state;
    stop_listening(s, &s->listener);
    s->drain = (struct mt_timer){.run = drained, .state = s};
    mt_timer_set(s->o.loop, &s->drain, within_ms);
    for (struct mt_conn *c = s->conns; c != NULL; c = next) {
        next = c->next;
        /* Who waits for nothing goes now; watchers too, for they would wait for ever. */
        if (c->state == MT_CONN_HANDSHAKE || c->state == MT_CONN_HEAD ||
            c->state == MT_CONN_WATCH) {
            mt_conn_close(c);
        }
    }
    mt_server_conn_ended(s);
}
