/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_CLIENT_TEST_H
#define MT_SERVER_CLIENT_TEST_H

#include "server/world_test.h"

/* Clients at the other ends of the server's lines, each behind a real attested channel. */

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

static bool client_has_evidence; /* the next one, and shows none in the round */

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

static inline void client_begin_on(struct client *c, enum person who, int fd)
{
    const struct mt_channel_options o = {.now_ms = now_ms,
                                         .service = *mt_ledger_cluster_id(ledger)};
    struct mt_channel_options mine = o;
    *c = (struct client){.fd = fd};
    c->in = mt_buf_of_max(SIZE_MAX / 4);
    c->body = mt_buf_of_max(SIZE_MAX / 4);
    OK(mt_channel_identity_new(people[who].key, MT_CHANNEL_CLIENT, &c->identity));
    mine.identity = c->identity;
    mine.has_evidence = client_has_evidence;
    OK(mt_channel_new(&mine, &c->channel));
    OK(mt_channel_start(c->channel));
    client_flush(c);
}

static inline void client_show_nothing(struct client *c)
{
    static const struct mt_shown nothing = {.format = {(const uint8_t *)"none", 4}};
    uint8_t report_data[MT_REPORT_DATA_LEN];
    if (mt_channel_wants_evidence(c->channel, report_data)) {
        OK(mt_channel_put_evidence(c->channel, &nothing));
        client_flush(c);
    }
}

/* Whether the channel opens; the server's device makes evidence if there is any to be made. */
static inline bool client_opens(struct client *c)
{
    for (int i = 0; i < 10 && mt_channel_state(c->channel) != MT_CHANNEL_OPEN; i++) {
        net_spin();
        (void)evidence_step();
        net_spin();
        client_listen(c);
        client_show_nothing(c);
    }
    net_spin();
    return mt_channel_state(c->channel) == MT_CHANNEL_OPEN;
}

static inline void client_open_on(struct client *c, enum person who, int fd)
{
    client_begin_on(c, who, fd);
    MT_ASSERT(client_opens(c));
}

static inline void client_begin(struct client *c, enum person who)
{
    int fd = net_dial();
    OK(mt_conn_new(server, fd));
    client_begin_on(c, who, fd);
}

static inline void client_open(struct client *c, enum person who)
{
    client_begin(c, who);
    MT_ASSERT(client_opens(c));
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
