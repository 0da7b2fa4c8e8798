/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/channel.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "attest/binder.h"
#include "base/assert.h"
#include "channel/identity.h"
#include "crypto/context.h"
#include "wire/attest.h"

enum {
    EKM_LEN = 32,
    FRAMES_BYTES_MAX = 2 * (MT_ATTEST_MESSAGE_BYTES_MAX + 4),
    PIPE_BYTES_MAX = 16 * 1024 * 1024, /* far beyond what a caller lets wait */
    PIPE_BYTES_KEPT = 32 * 1024,       /* of an empty one, unless it was just full of more */
};

struct mt_channel {
    struct mt_channel_options o;
    enum mt_channel_state state;
    SSL *ssl;
    struct mt_buf in; /* cipher bytes that have arrived, */
    size_t taken;     /* so many of them TLS has read; */
    struct mt_buf out;
    size_t sent; /* and of those that are to leave */
    struct mt_channel_peer peer;
    uint8_t nonce[MT_ATTEST_NONCE_BYTES];      /* ours, for the peer's evidence */
    uint8_t peer_nonce[MT_ATTEST_NONCE_BYTES]; /* theirs, for ours */
    mt_hash bound_to; /* the service id in our evidence: what the peer asked for. In theirs, ours */
    struct mt_buf
        frames; /* what has arrived of the attest round; after it, the first application bytes */
    bool has_asked;
    bool has_been_asked;
    bool has_shown;
    bool has_seen;
    bool has_asked_again; /* and has not seen the answer */
};

/* What ciphers made is no secret, and is not wiped. The room of large pieces is kept while they go
 * on: for each of them the kernel would take its pages back and clear new ones. */
static void forget_all(struct mt_buf *b)
{
    bool is_wanted = b->room <= PIPE_BYTES_KEPT || b->len > PIPE_BYTES_KEPT;
    b->len = 0;
    if (!is_wanted) {
        mt_buf_free(b);
    }
}

static void give_back(struct mt_buf *b)
{
    if (b->len == 0 && b->room > PIPE_BYTES_KEPT) {
        mt_buf_free(b);
    }
}

/* What TLS reads from and writes to, in OpenSSL's words a BIO. Its own one for memory must be asked
 * what it holds, through four functions, and wipes all of its room whenever it is emptied. */
static int pipe_read(BIO *b, char *out, int len)
{
    struct mt_channel *c = BIO_get_data(b);
    size_t left = c->in.len - c->taken;
    BIO_clear_retry_flags(b);
    if (left == 0 || len <= 0) {
        BIO_set_retry_read(b);
        return -1;
    }
    size_t n = (size_t)len < left ? (size_t)len : left;
    memcpy(out, c->in.ptr + c->taken, n);
    c->taken += n;
    if (c->taken == c->in.len) {
        forget_all(&c->in);
        c->taken = 0;
    }
    return (int)n;
}

static int pipe_write(BIO *b, const char *in, int len)
{
    struct mt_channel *c = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    bool is_full = len > 0 && c->out.room - c->out.len < (size_t)len;
    if (is_full && c->sent > c->out.len / 2) { /* a slow peer's output is never empty */
        mt_buf_drop(&c->out, c->sent);
        c->sent = 0;
    }
    if (len < 0 ||
        mt_failed(mt_buf_append(&c->out, (mt_bytes){(const uint8_t *)in, (size_t)len}))) {
        return -1;
    }
    return len;
}

static long pipe_control(BIO *b, int command, long number, void *pointer)
{
    (void)b;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *mt_channel_pipe(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "channel");
    if (m != NULL && BIO_meth_set_read(m, pipe_read) == 1 &&
        BIO_meth_set_write(m, pipe_write) == 1 && BIO_meth_set_ctrl(m, pipe_control) == 1) {
        return m;
    }
    BIO_meth_free(m);
    return NULL;
}

MT_ERR mt_channel_new(const struct mt_channel_options *o, struct mt_channel **out)
{
    MT_DEFER(mt_channel_free) struct mt_channel *c = calloc(1, sizeof *c);
    MT_REQUIRE(c != NULL, MT_E_NOMEM, "no memory for a channel");
    c->o = *o;
    if (o->appraiser != NULL) {
        c->peer.appraisal = calloc(1, sizeof *c->peer.appraisal);
        MT_REQUIRE(c->peer.appraisal != NULL, MT_E_NOMEM, "no memory for an appraisal");
    }
    c->bound_to = o->service;
    c->frames = mt_buf_of_max(FRAMES_BYTES_MAX);
    c->ssl = SSL_new(o->identity->ctx);
    c->in = mt_buf_of_max(PIPE_BYTES_MAX);
    c->out = mt_buf_of_max(PIPE_BYTES_MAX);
    BIO *pipe = BIO_new(o->identity->pipe);
    if (c->ssl == NULL || pipe == NULL) {
        BIO_free(pipe);
        MT_FAIL(MT_E_NOMEM, "no memory for a channel");
    }
    BIO_set_data(pipe, c);
    BIO_set_init(pipe, 1);
    SSL_set_bio(c->ssl, pipe, pipe); /* it is the SSL's from now on */
    if (o->identity->role == MT_CHANNEL_SERVER) {
        SSL_set_accept_state(c->ssl);
    } else {
        SSL_set_connect_state(c->ssl);
    }
    MT_TRY(mt_random((mt_span){c->nonce, sizeof c->nonce}));
    *out = c;
    c = NULL; /* given */
    return MT_OK;
}

void mt_channel_free(struct mt_channel **cp)
{
    struct mt_channel *c = *cp;
    if (c != NULL) {
        SSL_free(c->ssl);
        mt_buf_free(&c->in);
        mt_buf_free(&c->out);
        mt_buf_free(&c->frames);
        free(c->peer.appraisal);
        free(c);
        *cp = NULL;
    }
}

enum mt_channel_state mt_channel_state(const struct mt_channel *c)
{
    return c->state;
}

const struct mt_channel_peer *mt_channel_peer(const struct mt_channel *c)
{
    return &c->peer;
}

mt_bytes mt_channel_output(const struct mt_channel *c)
{
    return (mt_bytes){c->out.len > 0 ? c->out.ptr + c->sent : NULL, c->out.len - c->sent};
}

void mt_channel_sent(struct mt_channel *c, size_t len)
{
    MT_ASSERT(len <= mt_channel_output(c).len);
    c->sent += len;
    if (c->sent == c->out.len) {
        forget_all(&c->out);
        c->sent = 0;
    }
}

void mt_channel_rest(struct mt_channel *c)
{
    give_back(&c->in);
    give_back(&c->out);
}

/* RFC 8446, 7.5; the label names the role of the party that shows evidence, for the exporter itself
 * is symmetric. */
static MT_ERR export_key(struct mt_channel *c, enum mt_role_byte role,
                         const uint8_t nonce[MT_ATTEST_NONCE_BYTES], uint8_t out[EKM_LEN])
{
    const char *label = role == MT_ROLE_SERVER ? "EXPORTER-mesatee-attest-server"
                                               : "EXPORTER-mesatee-attest-client";
    int ok = SSL_export_keying_material(c->ssl, out, EKM_LEN, label, strlen(label), nonce,
                                        MT_ATTEST_NONCE_BYTES, 1);
    MT_REQUIRE(ok == 1, MT_E_INTERNAL, "TLS exports no key");
    return MT_OK;
}

static MT_ERR bind_to(struct mt_channel *c, bool is_ours,
                      const uint8_t nonce[MT_ATTEST_NONCE_BYTES], uint8_t out[MT_REPORT_DATA_LEN])
{
    uint8_t ekm[EKM_LEN];
    bool is_server = (c->o.identity->role == MT_CHANNEL_SERVER) == is_ours;
    enum mt_role_byte role = is_server ? MT_ROLE_SERVER : MT_ROLE_CLIENT;
    MT_TRY(export_key(c, role, nonce, ekm));
    const struct mt_binding b = {
        .role = role,
        .ekm = MT_BYTES_OF(ekm),
        .own = is_ours ? c->o.identity->own : c->peer.subject,
        .peer = is_ours ? c->peer.subject : c->o.identity->own,
        .nonce = {nonce, MT_ATTEST_NONCE_BYTES},
        .service = is_ours ? c->bound_to : c->o.service,
    };
    mt_bind_channel(&b, out);
    return MT_OK;
}

static MT_ERR bind(struct mt_channel *c, bool is_ours, uint8_t out[MT_REPORT_DATA_LEN])
{
    return bind_to(c, is_ours, is_ours ? c->peer_nonce : c->nonce, out);
}

/* SSL_get_error() looks into the thread's queue of errors, where a signature that somebody else
 * showed may have left one: it is emptied before each step of TLS, and again behind it. */
static void before_step(void)
{
    ERR_clear_error();
}

static int why_not(const struct mt_channel *c, int rc)
{
    int why = SSL_get_error(c->ssl, rc);
    ERR_clear_error();
    return why;
}

/* The memory behind takes whatever TLS makes of it. */
static MT_ERR write_all(struct mt_channel *c, mt_bytes plain)
{
    size_t taken = 0;
    while (plain.len > 0) {
        MT_REQUIRE(SSL_write_ex(c->ssl, plain.ptr, plain.len, &taken) == 1, MT_E_INTERNAL,
                   "TLS takes no bytes");
        plain = (mt_bytes){plain.ptr + taken, plain.len - taken};
    }
    return MT_OK;
}

static MT_ERR send_message(struct mt_channel *c, const struct mt_writer *message)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_ATTEST_MESSAGE_BYTES_MAX + 4);
    struct mt_writer w = mt_writer_onto(&room);
    mt_bytes bytes;
    MT_TRY(mt_write_end(message, &bytes));
    mt_attest_frame_write(&w, bytes);
    MT_TRY(mt_write_end(&w, &bytes));
    return write_all(c, bytes);
}

/* Who does not know the cluster's id yet, and is about to pin it, asks for evidence that is bound
 * to none. */
static const mt_bytes soft_any = {(const uint8_t *)"soft-any", 8};

static bool is_service_known(const struct mt_channel *c)
{
    static const mt_hash unknown = {{0}};
    return !mt_hash_equal(&c->o.service, &unknown);
}

static MT_ERR ask(struct mt_channel *c)
{
    uint8_t room[256];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_attest_request q = {.formats_count = 1};
    memcpy(q.nonce, c->nonce, sizeof q.nonce);
    q.formats[0] = c->o.appraiser == NULL ? MT_LITERAL("none")
                   : is_service_known(c)  ? MT_LITERAL("soft")
                                          : soft_any;
    mt_attest_request_write(&w, &q);
    c->has_asked = true;
    return send_message(c, &w);
}

static MT_ERR show(struct mt_channel *c, const struct mt_shown *shown)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_ATTEST_MESSAGE_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    struct mt_attest a = {.format = shown->format,
                          .evidence = shown->evidence,
                          .endorsements_count = shown->endorsements_count};
    MT_REQUIRE(shown->endorsements_count <= MT_ENDORSEMENTS_MAX, MT_E_LIMIT,
               "too many endorsements");
    for (size_t i = 0; i < shown->endorsements_count; i++) {
        a.endorsements[i] = shown->endorsements[i];
    }
    mt_attest_write(&w, &a);
    c->has_shown = true;
    return send_message(c, &w);
}

static void open_if_done(struct mt_channel *c)
{
    if (c->has_asked && c->has_been_asked && c->has_shown && c->has_seen) {
        c->state = MT_CHANNEL_OPEN;
    }
}

bool mt_channel_wants_evidence(struct mt_channel *c, uint8_t report_data[MT_REPORT_DATA_LEN])
{
    bool is_waiting =
        c->state == MT_CHANNEL_ATTESTING && c->o.has_evidence && c->has_been_asked && !c->has_shown;
    return is_waiting && !mt_failed(bind(c, true, report_data));
}

static void close_for_good(struct mt_channel *c)
{
    if (c->state != MT_CHANNEL_CLOSED) {
        (void)SSL_shutdown(c->ssl);
        ERR_clear_error();
        c->state = MT_CHANNEL_CLOSED;
    }
}

MT_ERR mt_channel_put_evidence(struct mt_channel *c, const struct mt_shown *shown)
{
    MT_ASSERT(c->state == MT_CHANNEL_ATTESTING);
    MT_ASSERT(!c->has_shown);
    mt_err e = show(c, shown);
    if (mt_failed(e)) {
        close_for_good(c);
        return e;
    }
    open_if_done(c);
    return MT_OK;
}

static MT_ERR take_request(struct mt_channel *c, mt_bytes message)
{
    static const struct mt_shown nothing = {.format = {(const uint8_t *)"none", 4}};
    struct mt_attest_request q;
    MT_TRY(mt_attest_request_parse(message, &q));
    memcpy(c->peer_nonce, q.nonce, sizeof c->peer_nonce);
    if (mt_bytes_equal(q.formats[0], soft_any)) {
        memset(c->bound_to.b, 0, sizeof c->bound_to.b);
    }
    c->has_been_asked = true;
    return c->o.has_evidence ? MT_OK : show(c, &nothing);
}

static MT_ERR take_evidence(struct mt_channel *c, mt_bytes message)
{
    struct mt_attest a;
    uint8_t report_data[MT_REPORT_DATA_LEN];
    MT_TRY(mt_attest_parse(message, &a));
    c->peer.has_evidence = !mt_bytes_equal(a.format, MT_LITERAL("none"));
    c->has_seen = true;
    if (c->o.appraiser == NULL) {
        return MT_OK;
    }
    const struct mt_shown shown = {a.format, a.evidence, a.endorsements, a.endorsements_count};
    MT_TRY(bind(c, false, report_data));
    return mt_appraise_evidence(c->o.appraiser, &shown, report_data, c->o.now_ms,
                                c->peer.appraisal);
}

_Static_assert((size_t)MT_CHANNEL_NONCE_LEN == (size_t)MT_ATTEST_NONCE_BYTES,
               "two names, one nonce");

MT_ERR mt_channel_ask_again(struct mt_channel *c, uint8_t nonce[MT_CHANNEL_NONCE_LEN])
{
    MT_REQUIRE(c->state == MT_CHANNEL_OPEN, MT_E_CLOSED, "the channel is not open");
    MT_TRY(mt_random((mt_span){c->nonce, sizeof c->nonce}));
    memcpy(nonce, c->nonce, sizeof c->nonce);
    c->has_asked_again = true;
    return MT_OK;
}

MT_ERR mt_channel_bind_again(struct mt_channel *c, const uint8_t nonce[MT_CHANNEL_NONCE_LEN],
                             uint8_t report_data[MT_REPORT_DATA_LEN])
{
    MT_REQUIRE(c->state == MT_CHANNEL_OPEN, MT_E_CLOSED, "the channel is not open");
    MT_REQUIRE(c->o.has_evidence, MT_E_NOTFOUND, "this end has no evidence to show");
    return bind_to(c, true, nonce, report_data);
}

bool mt_channel_is_asked(const struct mt_channel *c)
{
    return c->state == MT_CHANNEL_OPEN && c->has_asked_again;
}

MT_ERR mt_channel_see_asked(struct mt_channel *c, const struct mt_shown *shown,
                            const struct mt_appraiser *appraiser, uint64_t now_ms,
                            struct mt_appraisal *out)
{
    uint8_t report_data[MT_REPORT_DATA_LEN];
    MT_REQUIRE(c->state == MT_CHANNEL_OPEN, MT_E_CLOSED, "the channel is not open");
    MT_REQUIRE(c->has_asked_again, MT_E_PROOF, "nobody has asked for this evidence");
    c->has_asked_again = false;
    memset(out, 0, sizeof *out);
    MT_TRY(bind(c, false, report_data));
    return mt_appraise_evidence(appraiser, shown, report_data, now_ms, out);
}

MT_ERR mt_channel_see_again(struct mt_channel *c, const struct mt_shown *shown,
                            const struct mt_appraiser *appraiser, uint64_t now_ms)
{
    MT_REQUIRE(c->state == MT_CHANNEL_OPEN, MT_E_CLOSED, "the channel is not open");
    MT_REQUIRE(c->has_asked_again, MT_E_PROOF, "nobody has asked for this evidence");
    MT_REQUIRE(c->peer.appraisal != NULL, MT_E_ARG, "this end has judged nobody");
    mt_err e = mt_channel_see_asked(c, shown, appraiser, now_ms, c->peer.appraisal);
    if (mt_failed(e)) {
        close_for_good(c);
    }
    return e;
}

/* ATTEST_REQ, then ATTEST, then application bytes: nothing else and in no other order. */
static MT_ERR take_frames(struct mt_channel *c)
{
    mt_bytes rest = mt_buf_bytes(&c->frames);
    bool is_whole = true;
    while (is_whole && !c->has_seen) {
        mt_bytes message;
        MT_TRY(mt_attest_frame_read(&rest, &message, &is_whole));
        if (!is_whole) {
            break;
        }
        MT_TRY(c->has_been_asked ? take_evidence(c, message) : take_request(c, message));
    }
    mt_buf_drop(&c->frames, c->frames.len - rest.len);
    open_if_done(c);
    return MT_OK;
}

static MT_ERR shake_hands(struct mt_channel *c)
{
    before_step();
    int rc = SSL_do_handshake(c->ssl);
    if (rc != 1) {
        int why = why_not(c, rc);
        MT_REQUIRE(why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE, MT_E_PROOF,
                   "the TLS handshake failed");
        return MT_OK;
    }
    MT_REQUIRE(SSL_session_reused(c->ssl) == 0, MT_E_PROOF, "a TLS session was resumed");
    MT_TRY(mt_channel_peer_key(c->ssl, &c->peer.key));
    mt_spki_hash(&c->peer.key, &c->peer.subject);
    c->state = MT_CHANNEL_ATTESTING;
    return ask(c);
}

/* During the round a peer that has been satisfied may already send application bytes: they stay in
 * the buffer behind the frames. */
static MT_ERR read_round(struct mt_channel *c)
{
    enum { PIECE = 4096 };
    while (c->state == MT_CHANNEL_ATTESTING) {
        mt_span room;
        size_t got = 0;
        MT_TRY(mt_buf_reserve(&c->frames, PIECE, &room));
        before_step();
        int rc = SSL_read_ex(c->ssl, room.ptr, room.len, &got);
        if (rc != 1) {
            int why = why_not(c, rc);
            MT_REQUIRE(why != SSL_ERROR_ZERO_RETURN, MT_E_CLOSED,
                       "the peer left during the attest round");
            MT_REQUIRE(why == SSL_ERROR_WANT_READ, MT_E_PROOF, "a record does not verify");
            return MT_OK;
        }
        c->frames.len += got;
        MT_TRY(take_frames(c));
    }
    return MT_OK;
}

static MT_ERR advance(struct mt_channel *c)
{
    if (c->state == MT_CHANNEL_HANDSHAKE) {
        MT_TRY(shake_hands(c));
    }
    return c->state == MT_CHANNEL_ATTESTING ? read_round(c) : MT_OK;
}

static MT_ERR advance_or_close(struct mt_channel *c)
{
    mt_err e = advance(c);
    if (mt_failed(e)) {
        close_for_good(c);
    }
    return e;
}

MT_ERR mt_channel_start(struct mt_channel *c)
{
    return advance_or_close(c);
}

MT_ERR mt_channel_room(struct mt_channel *c, size_t len, mt_span *out)
{
    MT_REQUIRE(c->state != MT_CHANNEL_CLOSED, MT_E_CLOSED, "the channel is closed");
    mt_buf_drop(&c->in, c->taken);
    c->taken = 0;
    if (mt_failed(mt_buf_reserve(&c->in, len, out))) {
        close_for_good(c);
        MT_FAIL(MT_E_NOMEM, "no memory for what has arrived");
    }
    return MT_OK;
}

MT_ERR mt_channel_arrived(struct mt_channel *c, size_t len)
{
    MT_REQUIRE(c->state != MT_CHANNEL_CLOSED, MT_E_CLOSED, "the channel is closed");
    MT_ASSERT(len <= c->in.room - c->in.len);
    c->in.len += len;
    return advance_or_close(c);
}

MT_ERR mt_channel_feed(struct mt_channel *c, mt_bytes cipher)
{
    mt_span room;
    MT_TRY(mt_channel_room(c, cipher.len, &room));
    if (cipher.len > 0) {
        memcpy(room.ptr, cipher.ptr, cipher.len);
    }
    return mt_channel_arrived(c, cipher.len);
}

/* Nor has the peer said goodbye: what TLS would find out with much ado. */
static bool has_nothing(const struct mt_channel *c)
{
    return c->in.len == 0 && SSL_has_pending(c->ssl) == 0 &&
           (SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN) == 0;
}

MT_ERR mt_channel_read(struct mt_channel *c, mt_span out, size_t *got)
{
    size_t n = 0;
    *got = 0;
    if (c->state != MT_CHANNEL_OPEN || out.len == 0) {
        return MT_OK;
    }
    if (c->frames.len > 0) {
        n = out.len < c->frames.len ? out.len : c->frames.len;
        memcpy(out.ptr, c->frames.ptr, n);
        mt_buf_drop(&c->frames, n);
        if (c->frames.len == 0) {
            mt_buf_free(&c->frames);
        }
        *got = n;
        return MT_OK;
    }
    if (has_nothing(c)) {
        return MT_OK;
    }
    before_step();
    int rc = SSL_read_ex(c->ssl, out.ptr, out.len, &n);
    if (rc == 1) {
        *got = n;
        return MT_OK;
    }
    int why = why_not(c, rc);
    MT_REQUIRE(why != SSL_ERROR_ZERO_RETURN, MT_E_CLOSED, "the peer has closed the channel");
    if (why != SSL_ERROR_WANT_READ) {
        close_for_good(c);
        MT_FAIL(MT_E_PROOF, "a record does not verify");
    }
    return MT_OK;
}

MT_ERR mt_channel_write(struct mt_channel *c, mt_bytes plain, size_t *taken)
{
    MT_REQUIRE(c->state == MT_CHANNEL_OPEN, MT_E_CLOSED, "the channel is not open");
    *taken = 0;
    if (plain.len == 0) {
        return MT_OK;
    }
    int rc = SSL_write_ex(c->ssl, plain.ptr, plain.len, taken);
    ERR_clear_error();
    if (rc != 1) {
        close_for_good(c);
        MT_FAIL(MT_E_INTERNAL, "TLS takes no bytes");
    }
    return MT_OK;
}

void mt_channel_close(struct mt_channel *c)
{
    close_for_good(c);
}
