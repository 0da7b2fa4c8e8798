/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "platform/log.h"
#include "platform/net.h"
#include "server/inside.h"

enum {
    READ_BYTES = 128 * 1024,
    WRITE_BYTES = 128 * 1024, /* encrypted at once, so that it stays near the processor */
    OUT_BYTES_HIGH = 128 * 1024,
    IN_BYTES_MAX = 128 * 1024,
    SENT_BYTES_MIN = 4 * 1024,          /* of what leaves, within one request timeout, */
    BODY_BYTES_MIN = 64 * 1024,         /* and of what comes in as a body */
    LINGER_BYTES_MAX = 16 * 1024 * 1024 /* read and forgotten behind a refusal */
};

static void free_conn(struct mt_conn *c)
{
    struct mt_server *s = c->server;
    mt_exchange_end(c);
    mt_channel_free(&c->channel);
    mt_buf_free(&c->in);
    mt_buf_free(&c->out);
    free(c);
    mt_server_conn_ended(s);
}

void mt_conn_close(struct mt_conn *c)
{
    struct mt_server *s = c->server;
    if (c->is_dead) {
        return;
    }
    c->is_dead = true;
    mt_timer_clear(s->o.loop, &c->timer);
    mt_watch_stop(c);
    mt_driver_release(s->o.driver, &c->x.hold);
    mt_watch_end(s->o.loop, &c->watch);
    mt_net_close(&c->fd);
    if (c->previous != NULL) {
        c->previous->next = c->next;
    } else {
        s->conns = c->next;
    }
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    s->conns_count--;
    if (c->works == 0 && !c->is_pumping) {
        free_conn(c);
    }
}

void mt_conn_work_begins(struct mt_conn *c)
{
    c->works++;
}

bool mt_conn_work_ends(struct mt_conn *c)
{
    MT_ASSERT(c->works > 0);
    c->works--;
    if (!c->is_dead) {
        return true;
    }
    if (c->works == 0 && !c->is_pumping) {
        free_conn(c);
    }
    return false;
}

static void timed_out(struct mt_timer *t)
{
    mt_conn_close(t->state);
}

static size_t unsent(const struct mt_conn *c)
{
    return c->out.len + mt_channel_output(c->channel).len;
}

/* The object thread has not written yet what came before: that is no fault of the sender. */
static bool waits_for_disk(const struct mt_conn *c)
{
    return c->state == MT_CONN_BODY && c->x.upload != NULL && mt_upload_room(c->x.upload).len == 0;
}

/* How long this may last, and what has to change for the time to begin anew. A slow sender is not
 * waited for, nor is a reader who does not read; a client that thinks is, and so is our own disk.
 */
static struct mt_patience patience_of(const struct mt_conn *c)
{
    const struct mt_server_options *o = &c->server->o;
    struct mt_patience p = {.ms = o->request_timeout_ms, .state = c->state, .mark = c->requests};
    switch (c->state) {
    case MT_CONN_HANDSHAKE:
    case MT_CONN_CLOSING:
        return p;
    case MT_CONN_HEAD:
        p.ms = c->in.len > 0 ? o->request_timeout_ms : o->idle_timeout_ms;
        p.mark = c->requests * 2 + (c->in.len > 0 ? 1 : 0);
        return p;
    case MT_CONN_BODY:
        p.ms = waits_for_disk(c) ? 0 : o->request_timeout_ms;
        p.mark = c->x.body_bytes / BODY_BYTES_MIN;
        return p;
    case MT_CONN_SENDING:
    case MT_CONN_DOWNLOAD:
    case MT_CONN_WATCH:
        p.ms = unsent(c) > 0 ? o->request_timeout_ms : 0;
        p.mark = c->sent / SENT_BYTES_MIN;
        return p;
    case MT_CONN_SEALING:
    case MT_CONN_HELD:
        p.ms = 0;
        return p;
    }
    return p;
}

static void set_timer(struct mt_conn *c)
{
    struct mt_patience p = patience_of(c);
    if (p.ms == c->patience.ms && p.state == c->patience.state && p.mark == c->patience.mark) {
        return;
    }
    c->patience = p;
    if (p.ms == 0) {
        mt_timer_clear(c->server->o.loop, &c->timer);
    } else {
        mt_timer_set(c->server->o.loop, &c->timer, p.ms);
    }
}

/* Decrypted bytes into c->in, as long as the state wants them. */
static MT_ERR take_plain(struct mt_conn *c, bool *has_moved)
{
    for (;;) {
        mt_span room;
        size_t got = 0;
        size_t want = c->in.len < IN_BYTES_MAX ? IN_BYTES_MAX - c->in.len : 0;
        want = want < READ_BYTES ? want : READ_BYTES;
        if (want == 0) {
            return MT_OK;
        }
        MT_TRY(mt_buf_reserve(&c->in, want, &room));
        MT_TRY(mt_channel_read(c->channel, room, &got));
        if (got == 0) {
            c->undecrypted = 0; /* but for a part of a record */
            return MT_OK;
        }
        c->in.len += got;
        *has_moved = true;
    }
}

static MT_ERR parse_head(struct mt_conn *c, bool *has_moved)
{
    struct mt_http_head head;
    bool is_whole = false;
    if (c->in.len == 0) {
        return MT_OK;
    }
    mt_err e = mt_http_request_parse(mt_buf_bytes(&c->in), &head, &is_whole);
    if (mt_failed(e)) {
        /* Whoever sends what can be read in two ways gets one answer and no second request. */
        mt_buf_drop(&c->in, c->in.len);
        mt_exchange_refuse(c, e);
        *has_moved = true;
        return MT_OK;
    }
    if (!is_whole) {
        return MT_OK;
    }
    c->requests++;
    c->server->requests++;
    size_t head_len = head.head_len;
    c->state = MT_CONN_BODY;
    mt_exchange_begin(c, &head);
    mt_buf_drop(&c->in, head_len);
    *has_moved = true;
    return MT_OK;
}

static MT_ERR take_straight(struct mt_conn *c, bool *has_moved)
{
    mt_span room = mt_exchange_room(c);
    size_t got = room.len; /* nothing, if it is full */
    size_t all = 0;
    while (got > 0 && all < room.len) {
        MT_TRY(mt_channel_read(c->channel, (mt_span){room.ptr + all, room.len - all}, &got));
        all += got;
    }
    if (got == 0 && room.len > 0) {
        c->undecrypted = 0; /* as in take_plain() */
    }
    if (all > 0) {
        mt_exchange_came(c, all);
        *has_moved = true;
    }
    return MT_OK;
}

static MT_ERR take_body(struct mt_conn *c, bool *has_moved)
{
    if (mt_exchange_is_straight(c)) {
        return take_straight(c, has_moved);
    }
    MT_TRY(take_plain(c, has_moved));
    size_t before = c->in.len;
    mt_exchange_take_body(c);
    *has_moved = *has_moved || c->in.len != before;
    return MT_OK;
}

/* Says goodbye, so that nobody takes a cut for an end. Behind a refusal the peer may still be
 * sending: what the kernel has for us when we close would make it forget our answer (RFC
 * 9112, 9.6), so that is read, for a while, and forgotten. */
static MT_ERR leave(struct mt_conn *c, bool *has_moved)
{
    if (unsent(c) > 0) {
        return MT_OK;
    }
    if (!c->has_left) {
        mt_channel_close(c->channel);
        c->has_left = true;
        *has_moved = true;
        return MT_OK;
    }
    MT_REQUIRE(c->lingers && c->discarded < LINGER_BYTES_MAX, MT_E_CLOSED,
               "the connection has done its work");
    mt_net_end(c->fd);
    return MT_OK;
}

static MT_ERR step(struct mt_conn *c, bool *has_moved)
{
    enum mt_conn_state before = c->state;
    switch (c->state) {
    case MT_CONN_HANDSHAKE:
        MT_TRY(mt_showing_to_channel(c));
        if (mt_channel_state(c->channel) == MT_CHANNEL_OPEN) {
            c->state = MT_CONN_HEAD;
        }
        break;
    case MT_CONN_HEAD:
        MT_TRY(take_plain(c, has_moved));
        MT_TRY(parse_head(c, has_moved));
        break;
    case MT_CONN_BODY:
        MT_TRY(take_body(c, has_moved));
        break;
    case MT_CONN_SENDING:
        if (unsent(c) == 0 && c->works == 0) { /* what was refused may still be being written */
            c->state = c->x.closes || c->server->is_draining ? MT_CONN_CLOSING : MT_CONN_HEAD;
            mt_exchange_end(c);
        }
        break;
    case MT_CONN_DOWNLOAD:
        mt_download_pump(c->x.download);
        if (mt_download_is_done(c->x.download)) {
            c->state = MT_CONN_SENDING;
        }
        break;
    case MT_CONN_CLOSING:
        MT_TRY(leave(c, has_moved));
        break;
    case MT_CONN_SEALING:
    case MT_CONN_HELD:
    case MT_CONN_WATCH:
        break;
    }
    *has_moved = *has_moved || c->state != before;
    return MT_OK;
}

/* A head alone would cost a record and a packet of its own: it leaves with the first piece. */
static bool is_worth_sending(const struct mt_conn *c)
{
    return c->state != MT_CONN_DOWNLOAD || mt_download_has_begun(c->x.download);
}

static MT_ERR encrypt_piece(struct mt_conn *c, mt_bytes plain, size_t *all)
{
    *all = 0;
    while (*all < plain.len && mt_channel_output(c->channel).len < OUT_BYTES_HIGH) {
        size_t taken = 0;
        size_t len = plain.len - *all;
        len = len < WRITE_BYTES ? len : WRITE_BYTES;
        MT_TRY(mt_channel_write(c->channel, (mt_bytes){plain.ptr + *all, len}, &taken));
        MT_ASSERT(taken > 0);
        *all += taken;
    }
    return MT_OK;
}

/* What cannot leave yet waits here: the channel gets more only when all that it holds has left. */
static MT_ERR fill_channel(struct mt_conn *c)
{
    size_t taken = 0;
    MT_TRY(encrypt_piece(c, mt_buf_bytes(&c->out), &taken));
    mt_buf_drop(&c->out, taken);
    if (c->out.len == 0 && c->x.download != NULL) {
        MT_TRY(encrypt_piece(c, mt_download_piece(c->x.download), &taken));
        mt_download_sent(c->x.download, taken);
    }
    return MT_OK;
}

static MT_ERR send_out(struct mt_conn *c, bool *has_moved)
{
    for (;;) {
        if (mt_channel_output(c->channel).len == 0 && is_worth_sending(c)) {
            MT_TRY(fill_channel(c));
        }
        mt_bytes cipher = mt_channel_output(c->channel);
        size_t taken = 0;
        if (cipher.len == 0) {
            return MT_OK;
        }
        mt_err e = mt_net_write(c->fd, cipher, &taken);
        if (mt_failed(e)) {
            return e.fault->code == MT_E_BUSY ? MT_OK : e;
        }
        mt_channel_sent(c->channel, taken);
        c->sent += taken;
        *has_moved = true;
    }
}

static MT_ERR pump(struct mt_conn *c)
{
    bool has_moved = true;
    while (has_moved && !c->is_dead) {
        has_moved = false;
        MT_TRY(step(c, &has_moved));
        if (!c->is_dead) {
            MT_TRY(send_out(c, &has_moved));
        }
    }
    return MT_OK;
}

/* What is not decrypted yet counts too: while a reply is held, or events are watched, the peer may
 * send on, and nobody reads. */
static bool wants_input(const struct mt_conn *c)
{
    if (c->state == MT_CONN_CLOSING) {
        return c->lingers;
    }
    return c->in.len < IN_BYTES_MAX && c->undecrypted < IN_BYTES_MAX && !waits_for_disk(c);
}

void mt_conn_pump(struct mt_conn *c)
{
    if (c->is_dead || c->is_pumping) {
        return;
    }
    c->is_pumping = true;
    mt_err e = pump(c);
    c->is_pumping = false;
    if (!c->is_dead && !mt_failed(e)) {
        unsigned events = (wants_input(c) ? MT_WATCH_READ : 0U) |
                          (mt_channel_output(c->channel).len > 0 ? MT_WATCH_WRITE : 0U);
        e = mt_watch_change(c->server->o.loop, &c->watch, events);
        set_timer(c);
    }
    if (c->is_dead) {
        if (c->works == 0) {
            free_conn(c);
        }
        return;
    }
    if (mt_failed(e)) {
        if (c->state == MT_CONN_HANDSHAKE) {
            c->server->handshakes_failed++;
        }
        mt_conn_close(c);
    }
}

void mt_conn_go_on(struct mt_conn *c, void (*next)(struct mt_conn *, mt_err), mt_err e)
{
    mt_conn_work_begins(c); /* so that it is still there when that returns */
    next(c, e);
    if (mt_conn_work_ends(c)) {
        mt_conn_pump(c);
    }
}

static MT_ERR receive(struct mt_conn *c)
{
    static uint8_t cipher[READ_BYTES]; /* the loop's thread alone comes here */
    bool is_large = mt_exchange_is_straight(c);
    for (int i = 0; i < 4 && wants_input(c); i++) {
        mt_span room = {cipher, sizeof cipher};
        size_t got = 0;
        if (is_large) { /* much will come: not copied */
            MT_TRY(mt_channel_room(c->channel, READ_BYTES, &room));
        }
        mt_err e = mt_net_read(c->fd, room, &got);
        if (mt_failed(e)) {
            return e.fault->code == MT_E_BUSY ? MT_OK : e;
        }
        MT_REQUIRE(got > 0, MT_E_CLOSED, "the peer has hung up");
        if (c->state == MT_CONN_CLOSING) {
            c->discarded += got;
        } else {
            MT_TRY(is_large ? mt_channel_arrived(c->channel, got)
                            : mt_channel_feed(c->channel, (mt_bytes){cipher, got}));
            c->undecrypted += got;
        }
        if (got < sizeof cipher) {
            return MT_OK;
        }
    }
    return MT_OK;
}

static void ready(struct mt_watch *w, unsigned events)
{
    struct mt_conn *c = w->state;
    if ((events & MT_WATCH_READ) != 0) {
        /* Nobody has asked for input, and yet there is an event: the connection is gone. */
        static const struct mt_fault gone = {MT_E_CLOSED, __LINE__, __FILE__, "the peer is gone"};
        mt_err e = wants_input(c) ? receive(c) : (mt_err){&gone};
        if (mt_failed(e)) {
            if (c->state == MT_CONN_HANDSHAKE) {
                c->server->handshakes_failed++;
            }
            /* An alert may still be waiting to leave. */
            bool has_moved = false;
            (void)mt_failed(send_out(c, &has_moved));
            mt_conn_close(c);
            return;
        }
    }
    mt_conn_pump(c);
}

static MT_ERR new_channel(struct mt_server *s, struct mt_channel **out)
{
    const struct mt_channel_options o = {
        .identity = s->o.identity,
        .has_evidence = true,
        .service = *mt_ledger_cluster_id(s->o.ledger),
        .now_ms = mt_loop_host_time_ms(s->o.loop),
    };
    return mt_channel_new(&o, out);
}

MT_ERR mt_conn_new(struct mt_server *s, int fd)
{
    struct mt_conn *c = calloc(1, sizeof *c);
    MT_REQUIRE(c != NULL, MT_E_NOMEM, "no memory for a connection");
    c->server = s;
    c->fd = fd;
    c->in = mt_buf_of_max(IN_BYTES_MAX);
    c->out = mt_buf_of_max((size_t)MT_JSON_BYTES_MAX * 4);
    c->timer = (struct mt_timer){.run = timed_out, .state = c};
    c->watch = (struct mt_watch){.ready = ready, .state = c};
    mt_err e = new_channel(s, &c->channel);
    if (!mt_failed(e)) {
        e = mt_watch_begin(s->o.loop, &c->watch, fd, MT_WATCH_READ);
    }
    if (mt_failed(e)) {
        mt_channel_free(&c->channel);
        free(c);
        return e;
    }
    c->next = s->conns;
    if (s->conns != NULL) {
        s->conns->previous = c;
    }
    s->conns = c;
    s->conns_count++;
    set_timer(c);
    return MT_OK;
}
