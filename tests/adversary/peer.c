/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adversary/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "wire/http.h"
#include "wire/json.h"

enum { SILENCE_S = 60, PIECE = 8 * 1024, SAID_MAX = 8192 };

int peer_dial(uint16_t port, int room)
{
    static const struct timeval silence = {.tv_sec = SILENCE_S};
    static const int yes = 1;
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MT_ASSERT(fd >= 0);
    if (room > 0) {
        MT_ASSERT(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) == 0);
    }
    if (connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to) != 0) {
        (void)close(fd);
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof silence);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static bool flush(struct peer *p)
{
    for (mt_bytes out = mt_channel_output(p->channel); out.len > 0;
         out = mt_channel_output(p->channel)) {
        ssize_t n = 0;
        do { /* who was stopped for a while is interrupted, with a time limit as ours */
            n = send(p->fd, out.ptr, out.len, MSG_NOSIGNAL);
        } while (n < 0 && errno == EINTR);
        if (n <= 0) {
            return false;
        }
        mt_channel_sent(p->channel, (size_t)n);
    }
    return true;
}

/* Some bytes more from the socket into the channel: 1, 0 at its end, -1 if it is silent. */
static int receive(struct peer *p)
{
    uint8_t cipher[PIECE];
    ssize_t n = 0;
    do {
        n = recv(p->fd, cipher, sizeof cipher, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        return -1;
    }
    bool is_fed = n > 0 && !mt_failed(mt_channel_feed(p->channel, (mt_bytes){cipher, (size_t)n}));
    return is_fed && flush(p) ? 1 : 0;
}

bool peer_open_on(struct peer *p, const struct node *n, const struct mt_key *key, int fd)
{
    *p = (struct peer){.fd = fd, .appraiser = {.policy = &n->policy}};
    p->in = mt_buf_of_max((size_t)64 << 20);
    p->body = mt_buf_of_max((size_t)64 << 20);
    if (fd < 0) {
        return false;
    }
    MT_ASSERT(!mt_failed(mt_channel_identity_new(key, MT_CHANNEL_CLIENT, &p->identity)));
    const struct mt_channel_options o = {.identity = p->identity,
                                         .appraiser = &p->appraiser,
                                         .service = n->cluster,
                                         .now_ms = (uint64_t)time(NULL) * 1000};
    MT_ASSERT(!mt_failed(mt_channel_new(&o, &p->channel)));
    MT_ASSERT(!mt_failed(mt_channel_start(p->channel)));
    bool is_going = flush(p);
    while (is_going && mt_channel_state(p->channel) != MT_CHANNEL_OPEN) {
        is_going = receive(p) == 1;
    }
    return is_going;
}

bool peer_open(struct peer *p, const struct node *n, const struct mt_key *key)
{
    return peer_open_on(p, n, key, peer_dial(n->port, 0));
}

void peer_close(struct peer *p)
{
    if (p->fd >= 0) {
        (void)close(p->fd);
        p->fd = -1;
    }
    mt_channel_free(&p->channel);
    mt_channel_identity_free(&p->identity);
    mt_buf_free(&p->in);
    mt_buf_free(&p->body);
}

void peer_reset(struct peer *p)
{
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    peer_close(p);
}

bool peer_send(struct peer *p, mt_bytes plain)
{
    while (plain.len > 0) {
        size_t taken = 0;
        if (mt_failed(mt_channel_write(p->channel, plain, &taken)) || !flush(p)) {
            return false;
        }
        plain = (mt_bytes){plain.ptr + taken, plain.len - taken};
    }
    return true;
}

static bool send_text(struct peer *p, const char text[SAID_MAX], int len)
{
    MT_ASSERT(len >= 0);
    MT_ASSERT(len < SAID_MAX);
    return peer_send(p, (mt_bytes){(const uint8_t *)text, (size_t)len});
}

bool peer_say(struct peer *p, const char *format, ...)
{
    char text[SAID_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return send_text(p, text, len);
}

/* More plaintext into p->in: 1, 0 at the end, -1 if there is silence. */
static int take_plain(struct peer *p)
{
    for (;;) {
        mt_span room;
        size_t got = 0;
        MT_ASSERT(!mt_failed(mt_buf_reserve(&p->in, PIECE, &room)));
        if (mt_failed(mt_channel_read(p->channel, room, &got))) {
            return 0;
        }
        if (got > 0) {
            p->in.len += got;
            return 1;
        }
        int more = receive(p);
        if (more != 1) {
            return more;
        }
    }
}

static void take_text(const struct mt_json *j, const char *name, char out[PEER_TEXT_MAX])
{
    mt_bytes text;
    out[0] = '\0';
    if (!mt_failed(mt_json_text(j, name, &text)) && text.len < PEER_TEXT_MAX) {
        memcpy(out, text.ptr, text.len);
        out[text.len] = '\0';
    }
}

static void read_error(struct peer *p)
{
    static const char *const five[] = {"code", "check", "detail", "hint", "request_id", NULL};
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    uint8_t id[16];
    mt_bytes text;
    p->has_five = false;
    p->code[0] = '\0';
    p->check[0] = '\0';
    p->hint[0] = '\0';
    if (mt_failed(mt_json_parse(mt_buf_bytes(&p->body), &j, NULL))) {
        return;
    }
    take_text(j, "code", p->code);
    take_text(j, "check", p->check);
    take_text(j, "hint", p->hint);
    p->has_five = !mt_failed(mt_json_known(j, five)) && p->code[0] != '\0' && p->check[0] != '\0' &&
                  !mt_failed(mt_json_text(j, "detail", &text)) &&
                  !mt_failed(mt_json_text(j, "hint", &text)) &&
                  !mt_failed(mt_json_hex(j, "request_id", (mt_span){id, sizeof id}));
}

static bool read_body(struct peer *p, struct mt_http_body_reader *r)
{
    bool is_end = false;
    mt_buf_free(&p->body);
    while (!is_end) {
        mt_bytes in = mt_buf_bytes(&p->in);
        mt_bytes data = {NULL, 0};
        if (mt_failed(mt_http_body_read(r, &in, &data, &is_end))) {
            return false;
        }
        MT_ASSERT(!mt_failed(mt_buf_append(&p->body, data)));
        bool has_moved = in.len < p->in.len;
        mt_buf_drop(&p->in, p->in.len - in.len);
        if (!is_end && !has_moved && take_plain(p) != 1) {
            return false;
        }
    }
    return true;
}

unsigned peer_answer(struct peer *p)
{
    struct mt_http_head head;
    bool is_whole = false;
    while (!is_whole) {
        if (p->in.len > 0 &&
            mt_failed(mt_http_response_parse(mt_buf_bytes(&p->in), &head, &is_whole))) {
            return 0;
        }
        if (!is_whole && take_plain(p) != 1) {
            return 0;
        }
    }
    struct mt_http_body_reader r = mt_http_body_reader_of(&head);
    unsigned status = head.status;
    p->closes = head.closes;
    mt_buf_drop(&p->in, head.head_len);
    if (!read_body(p, &r)) {
        return 0;
    }
    if (status >= 400) {
        read_error(p);
    }
    return status;
}

unsigned peer_ask(struct peer *p, const char *format, ...)
{
    char text[SAID_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)send_text(p, text, len); /* what was cut while we were speaking may still have answered */
    return peer_answer(p);
}

bool peer_is_cut(struct peer *p)
{
    return p->in.len == 0 && take_plain(p) == 0;
}

uint64_t peer_number(const struct peer *p, const char *name)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    uint64_t value = 0;
    bool is_there = !mt_failed(mt_json_parse(mt_buf_bytes(&p->body), &j, NULL)) &&
                    !mt_failed(mt_json_uint(j, name, UINT64_MAX >> 1, &value));
    return is_there ? value : UINT64_MAX;
}

bool peer_has(const struct peer *p, const char *text)
{
    return p->body.len > 0 && memmem(p->body.ptr, p->body.len, text, strlen(text)) != NULL;
}
