/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CHANNEL_LIAR_TEST_H
#define MT_CHANNEL_LIAR_TEST_H

#include <openssl/err.h>

#include "attest/binder.h"
#include "channel/world_test.h"
#include "wire/attest.h"

static const uint8_t sevens[MT_ATTEST_NONCE_BYTES] = {7, 7, 7};

/* The keys of the world in the hands of plain OpenSSL, which says whatever a test wants it to say.
 */
struct liar {
    SSL *ssl;
    BIO *in;
    BIO *out;
};

static inline struct liar liar_of(SSL_CTX *ctx, bool is_server)
{
    struct liar l = {SSL_new(ctx), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())};
    MT_ASSERT(l.ssl != NULL && l.in != NULL && l.out != NULL);
    SSL_set_bio(l.ssl, l.in, l.out);
    if (is_server) {
        SSL_set_accept_state(l.ssl);
    } else {
        SSL_set_connect_state(l.ssl);
    }
    return l;
}

static inline void liar_free(struct liar *l)
{
    SSL_free(l->ssl);
}

/* What the liar has written goes to the engine. */
static inline mt_err liar_tell(struct liar *l, struct mt_channel *c)
{
    char *data = NULL;
    long len = BIO_get_mem_data(l->out, &data);
    mt_err e = MT_OK;
    if (len > 0 && mt_channel_state(c) != MT_CHANNEL_CLOSED) {
        e = mt_channel_feed(c, (mt_bytes){(const uint8_t *)data, (size_t)len});
    }
    (void)BIO_reset(l->out);
    return e;
}

static inline void liar_hear(struct liar *l, struct mt_channel *c)
{
    mt_bytes out = mt_channel_output(c);
    if (out.len > 0) {
        MT_ASSERT(BIO_write(l->in, out.ptr, (int)out.len) == (int)out.len);
        mt_channel_sent(c, out.len);
    }
}

/* The handshake, as far as it goes; the engine's first error. */
static inline mt_err liar_shakes_hands(struct liar *l, struct mt_channel *c)
{
    mt_err e = MT_OK;
    if (SSL_is_server(l->ssl) == 1) {
        e = mt_channel_start(c);
    }
    for (int i = 0; i < 4 && !mt_failed(e); i++) {
        liar_hear(l, c);
        (void)SSL_do_handshake(l->ssl);
        e = liar_tell(l, c);
    }
    liar_hear(l, c);
    return e;
}

static inline mt_err liar_says(struct liar *l, struct mt_channel *c, mt_bytes plain)
{
    size_t taken = 0;
    ERR_clear_error();
    MT_ASSERT(SSL_write_ex(l->ssl, plain.ptr, plain.len, &taken) == 1 && taken == plain.len);
    return liar_tell(l, c);
}

static inline mt_bytes framed(struct mt_buf *room, mt_bytes message)
{
    struct mt_writer w = mt_writer_onto(room);
    mt_attest_frame_write(&w, message);
    return written(&w);
}

/* An ATTEST_REQ for one format, with nonce 7, 7, ... */
static inline mt_err liar_asks(struct liar *l, struct mt_channel *c, const char *format,
                               const uint8_t nonce[MT_ATTEST_NONCE_BYTES])
{
    uint8_t room[256];
    MT_DEFER(mt_buf_free) struct mt_buf frame = mt_buf_of_max(512);
    struct mt_attest_request q = {.formats = {mt_bytes_of_text(format)}, .formats_count = 1};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    memcpy(q.nonce, nonce, sizeof q.nonce);
    mt_attest_request_write(&w, &q);
    return liar_says(l, c, framed(&frame, written(&w)));
}

static inline mt_bytes attest_message(struct mt_buf *room, mt_bytes format, mt_bytes evidence)
{
    struct mt_writer w = mt_writer_onto(room);
    const struct mt_attest a = {.format = format, .evidence = evidence};
    mt_attest_write(&w, &a);
    return written(&w);
}

static inline mt_err liar_shows(struct liar *l, struct mt_channel *c, mt_bytes format,
                                mt_bytes evidence)
{
    MT_DEFER(mt_buf_free) struct mt_buf message = mt_buf_of_max(MT_ATTEST_MESSAGE_BYTES_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf frame = mt_buf_of_max(MT_ATTEST_MESSAGE_BYTES_MAX + 4);
    return liar_says(l, c, framed(&frame, attest_message(&message, format, evidence)));
}

/* The next message of the engine's, which stays valid until the next one. */
static inline mt_bytes liar_reads(struct liar *l, struct mt_channel *c)
{
    static uint8_t room[MT_ATTEST_MESSAGE_BYTES_MAX + 4];
    size_t len = 0;
    size_t got = 0;
    mt_bytes message = {NULL, 0};
    bool is_whole = false;
    liar_hear(l, c);
    while (!is_whole) { /* byte by byte: nothing of the message behind it is taken */
        mt_bytes in = {room, len + 1};
        MT_ASSERT(SSL_read_ex(l->ssl, room + len, 1, &got) == 1);
        len++;
        OK(mt_attest_frame_read(&in, &message, &is_whole));
    }
    return message;
}

static inline void liar_reads_request(struct liar *l, struct mt_channel *c,
                                      uint8_t nonce[MT_ATTEST_NONCE_BYTES])
{
    struct mt_attest_request q;
    OK(mt_attest_request_parse(liar_reads(l, c), &q));
    memcpy(nonce, q.nonce, sizeof q.nonce);
}

/* The report data that an honest end with the liar's connection would be bound to. */
static inline void liar_binds(struct liar *l, const struct mt_binding *b,
                              const uint8_t nonce[MT_ATTEST_NONCE_BYTES],
                              uint8_t out[MT_REPORT_DATA_LEN])
{
    uint8_t ekm[32];
    struct mt_binding full = *b;
    const char *label = b->role == MT_ROLE_SERVER ? "EXPORTER-mesatee-attest-server"
                                                  : "EXPORTER-mesatee-attest-client";
    MT_ASSERT(SSL_export_keying_material(l->ssl, ekm, sizeof ekm, label, strlen(label), nonce,
                                         MT_ATTEST_NONCE_BYTES, 1) == 1);
    full.ekm = MT_BYTES_OF(ekm);
    full.nonce = (mt_bytes){nonce, MT_ATTEST_NONCE_BYTES};
    mt_bind_channel(&full, out);
}

/* The node's part in the binder. */
static inline struct mt_binding node_binding(void)
{
    return (struct mt_binding){.role = MT_ROLE_SERVER,
                               .own = subject_of(SERVICE),
                               .peer = subject_of(OWNER),
                               .service = world_cluster};
}

/* The liar as a client that is honest so far: its question is asked and answered. */
struct guest {
    struct liar liar;
    struct mt_channel *node;
};

static inline struct guest guest_of(SSL_CTX *ctx)
{
    struct guest g = {liar_of(ctx, false), channel_of(node_options())};
    OK(liar_shakes_hands(&g.liar, g.node));
    return g;
}

static inline void guest_free(struct guest *g)
{
    liar_free(&g->liar);
    mt_channel_free(&g->node);
}

static inline void guest_enters(struct guest *g)
{
    uint8_t nonce[MT_ATTEST_NONCE_BYTES];
    OK(liar_asks(&g->liar, g->node, "soft", sevens));
    OK(show_evidence(g->node));
    OK(liar_shows(&g->liar, g->node, MT_LITERAL("none"), MT_LITERAL("")));
    liar_reads_request(&g->liar, g->node, nonce);
    (void)liar_reads(&g->liar, g->node);
    MT_ASSERT(mt_channel_state(g->node) == MT_CHANNEL_OPEN);
}

/* The liar as the node. */
struct host {
    struct liar liar;
    struct mt_channel *client;
    uint8_t nonce[MT_ATTEST_NONCE_BYTES]; /* the client's */
};

static inline struct host host_of(SSL_CTX *ctx, struct mt_channel_options client)
{
    struct host h = {.liar = liar_of(ctx, true), .client = channel_of(client)};
    OK(liar_shakes_hands(&h.liar, h.client));
    liar_reads_request(&h.liar, h.client, h.nonce);
    return h;
}

static inline void host_free(struct host *h)
{
    liar_free(&h->liar);
    mt_channel_free(&h->client);
}

#endif
