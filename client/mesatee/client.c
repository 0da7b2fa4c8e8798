/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "channel/channel.h"
#include "crypto/context.h"
#include "crypto/ct.h"
#include "crypto/merkle.h"
#include "mesatee/socket.h"
#include "wire/json.h"

enum {
    PIECE = 256 * 1024,
    IN_MAX = 1024 * 1024,
    ANSWER_MAX = 64 * 1024 * 1024,
    ANSWER_OK = 200,
    ANSWER_BUSY = 503,
    FORMAT_MAX = 32
};

struct mt_client {
    int fd;
    struct mt_channel_identity *identity;
    struct mt_channel *channel;
    struct mt_client_options o;
    struct mt_appraiser appraiser; /* the caller's may be gone by now; what it points to is not */
    struct mt_head head;
    struct mt_head seen;   /* before this connection */
    bool is_extended;      /* the node has proved that its ledger goes on from there */
    uint64_t appraised_ms; /* of a clock that nobody sets, and that goes on in sleep */
    mt_id session;
    uint64_t number;      /* of the last write */
    bool is_pending;      /* it has no answer yet */
    struct mt_buf in;     /* decrypted, not yet parsed */
    struct mt_buf events; /* of a stream, out of their chunks */
    struct mt_http_body_reader body;
    uint8_t piece[PIECE]; /* of a file, plain, on its way out or in */
};

static uint64_t now_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t ticks_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static MT_ERR flush(struct mt_client *c)
{
    for (mt_bytes out = mt_channel_output(c->channel); out.len > 0;
         out = mt_channel_output(c->channel)) {
        MT_TRY(mt_socket_write(c->fd, out));
        mt_channel_sent(c->channel, out.len);
    }
    return MT_OK;
}

static MT_ERR receive(struct mt_client *c)
{
    mt_span room;
    size_t got = 0;
    MT_TRY(mt_channel_room(c->channel, PIECE, &room));
    MT_TRY(mt_socket_read(c->fd, room, &got));
    MT_REQUIRE(got > 0, MT_E_CLOSED, "the node has closed the connection");
    mt_err e = mt_channel_arrived(c->channel, got);
    mt_err sent = flush(c);
    MT_TRY(e);
    return sent;
}

static MT_ERR connect_node(struct mt_client *c)
{
    MT_TRY(mt_random((mt_span){c->session.b, sizeof c->session.b}));
    MT_TRY(mt_channel_identity_new(c->o.key, MT_CHANNEL_CLIENT, &c->identity));
    const struct mt_channel_options o = {.identity = c->identity,
                                         .appraiser = c->o.appraiser,
                                         .service = c->o.cluster,
                                         .now_ms = now_ms()};
    MT_TRY(mt_channel_new(&o, &c->channel));
    MT_TRY(mt_socket_connect(c->o.address, &c->fd));
    MT_TRY(mt_channel_start(c->channel));
    MT_TRY(flush(c));
    while (mt_channel_state(c->channel) != MT_CHANNEL_OPEN) {
        MT_TRY(receive(c));
    }
    c->appraised_ms = ticks_ms();
    return MT_OK;
}

MT_ERR mt_client_open(const struct mt_client_options *o, struct mt_client **out)
{
    MT_REQUIRE(o->believes_nothing == (o->appraiser == NULL), MT_E_ARG,
               "a node is appraised before anything is sent to it");
    struct mt_client *c = calloc(1, sizeof *c);
    MT_REQUIRE(c != NULL, MT_E_NOMEM, "no memory for a connection");
    c->fd = -1;
    c->o = *o;
    if (o->appraiser != NULL) {
        c->appraiser = *o->appraiser;
        c->o.appraiser = &c->appraiser;
    }
    c->head = o->head;
    c->seen = o->head;
    c->is_extended = o->head.size == 0 || o->may_go_back;
    c->in = mt_buf_of_max(IN_MAX);
    c->events = mt_buf_of_max(IN_MAX);
    mt_err e = connect_node(c);
    if (mt_failed(e)) {
        mt_socket_close(&c->fd);
    }
    *out = c;
    return e;
}

void mt_client_close(struct mt_client **cp)
{
    struct mt_client *c = *cp;
    if (c != NULL) {
        mt_socket_close(&c->fd);
        mt_channel_free(&c->channel);
        mt_channel_identity_free(&c->identity);
        mt_buf_free(&c->in);
        mt_buf_free(&c->events);
        mt_wipe((mt_span){c->piece, sizeof c->piece});
        free(c);
        *cp = NULL;
    }
}

const struct mt_appraisal *mt_client_appraisal(const struct mt_client *c)
{
    return mt_channel_peer(c->channel)->appraisal;
}

const struct mt_trace *mt_client_trace(const struct mt_client *c)
{
    static const struct mt_trace nothing = {.count = 0};
    bool is_appraised = c->channel != NULL && c->o.appraiser != NULL;
    return is_appraised ? &mt_client_appraisal(c)->trace : &nothing;
}

const struct mt_check *mt_client_failed(const struct mt_client *c)
{
    return mt_trace_failed(mt_client_trace(c));
}

const mt_hash *mt_client_node(const struct mt_client *c)
{
    return &mt_channel_peer(c->channel)->subject;
}

const struct mt_head *mt_client_head(const struct mt_client *c)
{
    return &c->head;
}

static MT_ERR send_plain(struct mt_client *c, mt_bytes plain)
{
    while (plain.len > 0) {
        size_t taken = 0;
        MT_TRY(mt_channel_write(c->channel, plain, &taken));
        plain = (mt_bytes){plain.ptr + taken, plain.len - taken};
    }
    return flush(c);
}

static MT_ERR send_head(struct mt_client *c, const struct mt_call *call)
{
    uint8_t room[4096];
    uint8_t target_room[MT_HTTP_TARGET_BYTES_MAX];
    uint8_t number_room[64];
    mt_bytes target;
    mt_bytes number;
    mt_bytes head;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_writer t = mt_writer_over((mt_span){target_room, sizeof target_room});
    struct mt_writer n = mt_writer_over((mt_span){number_room, sizeof number_room});
    mt_write_bytes(&t, MT_LITERAL("/mesatee/v1"));
    mt_write_bytes(&t, mt_bytes_of_text(call->target));
    MT_TRY(mt_write_end(&t, &target));
    mt_http_request_write(&w, call->method, target, MT_LITERAL("mesatee"));
    if (call->method != MT_HTTP_GET) {
        mt_hex_write(&n, mt_id_bytes(&c->session));
        mt_write_u8(&n, '-');
        mt_write_number(&n, ++c->number);
        c->is_pending = true;
        MT_TRY(mt_write_end(&n, &number));
        mt_http_header_write(&w, "mesatee-request", number);
        mt_http_header_write_uint(&w, "content-length",
                                  call->source != NULL ? call->source_len : call->body.len);
    }
    mt_http_head_end(&w);
    MT_TRY(mt_write_end(&w, &head));
    return send_plain(c, head);
}

static MT_ERR send_body(struct mt_client *c, const struct mt_call *call)
{
    uint64_t left = call->source_len;
    if (call->source == NULL) {
        return send_plain(c, call->body);
    }
    while (left > 0) {
        size_t got = 0;
        MT_TRY(call->source(call->source_state,
                            (mt_span){c->piece, left < PIECE ? (size_t)left : PIECE}, &got));
        MT_REQUIRE(got > 0, MT_E_IO, "the file became shorter while it was read");
        left -= got;
        MT_TRY(send_plain(c, (mt_bytes){c->piece, got}));
    }
    return MT_OK;
}

/* More decrypted bytes into c->in: all that one look at the socket has brought, so that files are
 * written in large pieces. What ends the channel is told when they have been taken. */
static MT_ERR take_plain(struct mt_client *c)
{
    size_t before = c->in.len;
    while (c->in.len - before < PIECE) {
        mt_span room;
        size_t got = 0;
        MT_TRY(mt_buf_reserve(&c->in, PIECE, &room));
        mt_err e = mt_channel_read(c->channel, room, &got);
        c->in.len += got;
        if (got == 0 && c->in.len > before) {
            return MT_OK;
        }
        MT_TRY(e);
        if (got == 0) {
            MT_TRY(receive(c));
        }
    }
    return MT_OK;
}

static MT_ERR parse_number(mt_bytes *text, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;
    for (; i < text->len && i < 19 && text->ptr[i] >= '0' && text->ptr[i] <= '9'; i++) {
        v = v * 10 + (uint64_t)(text->ptr[i] - '0');
    }
    MT_REQUIRE(i > 0, MT_E_FORMAT, "the node sends a number that is none");
    size_t eaten = i < text->len && text->ptr[i] == ' ' ? i + 1 : i;
    *text = (mt_bytes){text->ptr + eaten, text->len - eaten};
    *out = v;
    return MT_OK;
}

/* "epoch size root": never back, and never another root for a size that was seen. */
static MT_ERR check_head(struct mt_client *c, const struct mt_http_head *head)
{
    mt_bytes text = mt_http_header_get(head, "mesatee-head");
    struct mt_head h;
    if (text.ptr == NULL) {
        return MT_OK;
    }
    MT_TRY(parse_number(&text, &h.epoch));
    MT_TRY(parse_number(&text, &h.size));
    MT_TRY(mt_hex_parse(text, (mt_span){h.root.b, sizeof h.root.b}));
    bool is_back = h.epoch < c->head.epoch || (h.epoch == c->head.epoch && h.size < c->head.size);
    MT_REQUIRE(!is_back || c->o.may_go_back, MT_E_PROOF,
               "ledger-rolled-back: the node's ledger is older than one that you have seen");
    bool is_other = h.epoch == c->head.epoch && h.size == c->head.size && h.size > 0 &&
                    !mt_hash_equal(&h.root, &c->head.root);
    MT_REQUIRE(!is_other || c->o.may_go_back, MT_E_PROOF,
               "ledger-forked: the node's ledger is another than the one that you have seen");
    c->head = h;
    return MT_OK;
}

static MT_ERR read_headers(struct mt_client *c, const struct mt_http_head *head,
                           struct mt_answer *out)
{
    mt_bytes txid = mt_http_header_get(head, "mesatee-transaction");
    mt_bytes salt = mt_http_header_get(head, "mesatee-salt");
    mt_bytes commitment = mt_http_header_get(head, "mesatee-commitment");
    MT_TRY(check_head(c, head));
    out->status = head->status;
    out->body_len = head->body == MT_HTTP_BODY_LENGTH ? head->body_len : 0;
    if (txid.ptr != NULL) {
        MT_TRY(parse_number(&txid, &out->txid));
    }
    if (salt.ptr != NULL && commitment.ptr != NULL) {
        MT_TRY(mt_hex_parse(salt, (mt_span){out->salt.b, sizeof out->salt.b}));
        MT_TRY(mt_hex_parse(commitment, (mt_span){out->commitment.b, sizeof out->commitment.b}));
        out->has_object = true;
    }
    return MT_OK;
}

static MT_ERR read_head(struct mt_client *c, struct mt_answer *out, bool *is_stream)
{
    struct mt_http_head head;
    bool is_whole = false;
    for (;;) {
        if (c->in.len > 0) {
            MT_TRY(mt_http_response_parse(mt_buf_bytes(&c->in), &head, &is_whole));
        }
        if (is_whole && head.status != 100) {
            break;
        }
        if (is_whole) {
            mt_buf_drop(&c->in, head.head_len);
            is_whole = false;
            continue;
        }
        MT_TRY(take_plain(c));
    }
    MT_TRY(read_headers(c, &head, out));
    *is_stream =
        mt_bytes_equal(mt_http_header_get(&head, "content-type"), MT_LITERAL("text/event-stream"));
    c->body = mt_http_body_reader_of(&head);
    mt_buf_drop(&c->in, head.head_len);
    return MT_OK;
}

/* A piece of a large body, decrypted to where the sink reads it: what is in c->in has been taken.
 */
static MT_ERR read_piece(struct mt_client *c, const struct mt_call *call, bool *is_end)
{
    size_t want = c->body.left < PIECE ? (size_t)c->body.left : PIECE;
    size_t all = 0;
    while (all < want) {
        size_t got = 0;
        MT_TRY(mt_channel_read(c->channel, (mt_span){c->piece + all, want - all}, &got));
        if (got == 0) {
            MT_TRY(receive(c));
        }
        all += got;
    }
    mt_bytes in = {c->piece, all};
    mt_bytes data;
    MT_TRY(mt_http_body_read(&c->body, &in, &data, is_end));
    return call->sink(call->sink_state, data);
}

static bool is_straight(const struct mt_client *c)
{
    return c->in.len == 0 && c->body.kind == MT_HTTP_BODY_LENGTH && c->body.left > 0;
}

static MT_ERR read_body(struct mt_client *c, const struct mt_call *call, struct mt_answer *out)
{
    bool is_end = false;
    while (!is_end) {
        if (call->sink != NULL && out->status == 200 && is_straight(c)) {
            MT_TRY(read_piece(c, call, &is_end));
            continue;
        }
        mt_bytes in = mt_buf_bytes(&c->in);
        mt_bytes data = {NULL, 0};
        MT_TRY(mt_http_body_read(&c->body, &in, &data, &is_end));
        if (data.len > 0 && call->sink != NULL && out->status == 200) {
            MT_TRY(call->sink(call->sink_state, data));
        } else if (data.len > 0) {
            MT_TRY(mt_buf_append(&out->body, data));
        }
        bool has_moved = in.len < c->in.len;
        mt_buf_drop(&c->in, c->in.len - in.len);
        if (!is_end && !has_moved) {
            MT_TRY(take_plain(c));
        }
    }
    return MT_OK;
}

static MT_ERR exchange(struct mt_client *c, const struct mt_call *call, struct mt_answer *out)
{
    bool is_stream = false;
    *out = (struct mt_answer){.body = mt_buf_of_max(ANSWER_MAX)};
    MT_REQUIRE(c->fd >= 0, MT_E_CLOSED, "the connection is closed");
    MT_TRY(send_head(c, call));
    /* A node that refuses a body may answer before it has read it. */
    mt_err sent = send_body(c, call);
    mt_err e = read_head(c, out, &is_stream);
    if (mt_failed(e)) {
        return mt_failed(sent) ? sent : e;
    }
    MT_TRY(is_stream ? MT_OK : read_body(c, call, out));
    c->is_pending = false;
    return MT_OK;
}

bool mt_client_is_pending(const struct mt_client *c)
{
    return c->is_pending;
}

void mt_client_resume(struct mt_client *c, const struct mt_client *broken)
{
    c->session = broken->session;
    c->number = broken->number - (broken->is_pending ? 1 : 0);
}

static MT_ERR check_extends(const struct mt_head *seen, const struct mt_json *j)
{
    mt_hash path[MT_MERKLE_PATH_MAX];
    struct mt_merkle_head to;
    uint64_t epoch = 0;
    size_t count = 0;
    const struct mt_json *hashes = NULL;
    MT_TRY(mt_json_uint(j, "recovery_epoch", UINT64_MAX, &epoch));
    MT_TRY(mt_json_uint(j, "size", UINT64_MAX, &to.size));
    MT_TRY(mt_json_hex(j, "root", (mt_span){to.root.b, sizeof to.root.b}));
    MT_TRY(mt_json_array(j, "consistency", MT_MERKLE_PATH_MAX, &hashes, &count));
    for (size_t i = 0; i < count; i++) {
        mt_bytes text;
        MT_TRY(mt_json_as_text(mt_json_at(hashes, i), &text));
        MT_TRY(mt_hex_parse(text, (mt_span){path[i].b, sizeof path[i].b}));
    }
    if (epoch > seen->epoch) { /* restored from a backup: another tree, of which clients are told */
        return MT_OK;
    }
    const struct mt_merkle_head from = {seen->size, seen->root};
    MT_REQUIRE(!mt_failed(mt_merkle_check_consistency(&from, &to, path, count)), MT_E_PROOF,
               "ledger-forked: the node's ledger does not go on from the one that you have seen");
    return MT_OK;
}

/* That a ledger is longer does not say that it is the same one: let the node prove it, once for
 * each connection. Strangers are told nothing. */
static MT_ERR prove(struct mt_client *c)
{
    char target[64];
    struct mt_answer a;
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    (void)snprintf(target, sizeof target, "/ledger/head?from=%llu",
                   (unsigned long long)c->seen.size);
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    mt_err e = exchange(c, &call, &a);
    if (!mt_failed(e) && a.status == 200) {
        e = mt_json_parse(mt_buf_bytes(&a.body), &j, NULL);
        e = mt_failed(e) ? e : check_extends(&c->seen, j);
        c->is_extended = !mt_failed(e);
    }
    mt_buf_free(&a.body);
    /* Restored from a backup, perhaps to less than was seen: an administrator has signed that, and
     * whoever asks is told of the new epoch. */
    c->is_extended = c->is_extended || (!mt_failed(e) && c->head.epoch > c->seen.epoch);
    return e;
}

MT_ERR mt_client_call(struct mt_client *c, const struct mt_call *call, struct mt_answer *out)
{
    *out = (struct mt_answer){.status = 0};
    if (!c->is_extended) {
        MT_TRY(prove(c));
    }
    MT_TRY(exchange(c, call, out));
    if (!c->is_extended && out->status < 400) { /* a stranger before, known now */
        MT_TRY(prove(c));
        MT_REQUIRE(c->is_extended, MT_E_PROOF,
                   "ledger-unproved: the node does not show that its ledger goes on from the one "
                   "that you have seen");
    }
    return MT_OK;
}

static MT_ERR parse_shown(const struct mt_answer *a, char format[FORMAT_MAX],
                          struct mt_buf *evidence, struct mt_shown *out)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    mt_bytes text;
    mt_bytes digits;
    mt_span room;
    MT_REQUIRE(a->status != ANSWER_BUSY, MT_E_BUSY, "the node has no time to show its evidence");
    MT_REQUIRE(a->status == ANSWER_OK, MT_E_PROOF,
               "evidence-again: the node does not show its evidence again");
    MT_TRY(mt_json_parse(mt_buf_bytes(&a->body), &j, NULL));
    MT_TRY(mt_json_text(j, "format", &text));
    MT_TRY(mt_json_text(j, "evidence", &digits));
    MT_REQUIRE(text.len <= FORMAT_MAX, MT_E_FORMAT, "a format's name is too long");
    memcpy(format, text.ptr, text.len);
    MT_TRY(mt_buf_reserve(evidence, digits.len / 2, &room));
    room.len = digits.len / 2;
    MT_TRY(mt_hex_parse(digits, room));
    evidence->len = room.len;
    *out = (struct mt_shown){.format = {(const uint8_t *)format, text.len},
                             .evidence = mt_buf_bytes(evidence)};
    return MT_OK;
}

static MT_ERR see_again(struct mt_client *c, const struct mt_appraiser *appraiser)
{
    MT_DEFER(mt_buf_free) struct mt_buf evidence = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    char format[FORMAT_MAX];
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    uint8_t room[128];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_call call = {.method = MT_HTTP_POST, .target = "/attestation"};
    struct mt_answer a = {.status = 0};
    struct mt_shown shown;
    MT_TRY(mt_channel_ask_again(c->channel, nonce));
    mt_write_bytes(&w, MT_LITERAL("{\"nonce\":\""));
    mt_hex_write(&w, MT_BYTES_OF(nonce));
    mt_write_bytes(&w, MT_LITERAL("\"}"));
    MT_TRY(mt_write_end(&w, &call.body));
    mt_err e = exchange(c, &call, &a);
    e = mt_failed(e) ? e : parse_shown(&a, format, &evidence, &shown);
    mt_buf_free(&a.body);
    MT_TRY(e);
    return mt_channel_see_again(c->channel, &shown, appraiser, now_ms());
}

MT_ERR mt_client_renew(struct mt_client *c, const struct mt_appraiser *appraiser)
{
    MT_REQUIRE(c->o.appraiser != NULL, MT_E_ARG, "nothing was believed that could be renewed");
    c->appraiser = *appraiser;
    mt_err e = see_again(c, appraiser);
    if (mt_failed(e)) {
        mt_socket_close(&c->fd);
        return e;
    }
    c->appraised_ms = ticks_ms();
    return MT_OK;
}

bool mt_client_is_stale(const struct mt_client *c, uint64_t ms)
{
    return ticks_ms() - c->appraised_ms >= ms;
}

static size_t event_end(mt_bytes in)
{
    const void *at = in.len == 0 ? NULL : memmem(in.ptr, in.len, "\n\n", 2);
    return at == NULL ? 0 : (size_t)((const uint8_t *)at - in.ptr) + 2;
}

static MT_ERR parse_event(mt_bytes event, struct mt_buf *data, uint64_t *txid)
{
    while (event.len > 0) {
        size_t len = 0;
        while (len < event.len && event.ptr[len] != '\n') {
            len++;
        }
        mt_bytes line = {event.ptr, len};
        if (mt_bytes_start_with(line, MT_LITERAL("id: "))) {
            mt_bytes number = {line.ptr + 4, line.len - 4};
            MT_TRY(parse_number(&number, txid));
        } else if (mt_bytes_start_with(line, MT_LITERAL("data: "))) {
            MT_TRY(mt_buf_append(data, (mt_bytes){line.ptr + 6, line.len - 6}));
        }
        size_t eaten = len < event.len ? len + 1 : len;
        event = (mt_bytes){event.ptr + eaten, event.len - eaten};
    }
    return MT_OK;
}

static MT_ERR take_events(struct mt_client *c)
{
    mt_bytes in = mt_buf_bytes(&c->in);
    mt_bytes data = {NULL, 0};
    bool is_end = false;
    MT_TRY(mt_http_body_read(&c->body, &in, &data, &is_end));
    mt_err e = mt_buf_append(&c->events, data);
    bool has_moved = in.len < c->in.len;
    mt_buf_drop(&c->in, c->in.len - in.len);
    MT_TRY(e);
    MT_REQUIRE(!is_end, MT_E_CLOSED, "the node has ended the stream");
    return has_moved ? MT_OK : take_plain(c);
}

MT_ERR mt_client_next_event(struct mt_client *c, struct mt_buf *data, uint64_t *txid)
{
    size_t end = 0;
    mt_buf_free(data);
    while ((end = event_end(mt_buf_bytes(&c->events))) == 0) {
        MT_TRY(take_events(c));
    }
    MT_TRY(parse_event((mt_bytes){c->events.ptr, end}, data, txid));
    mt_buf_drop(&c->events, end);
    return MT_OK;
}
