/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * load KIND WHERE TRUST CONNECTIONS REQUESTS: keeps one request under way on each of so many
 * connections. KIND "node": WHERE is a home and TRUST its context, and the node is attested; "tls":
 * WHERE is an address and TRUST the certificate of its authority. The same loop drives both, with
 * the same suite and group. REQUESTS is a file: METHOD TARGET [BODY] to a line; the connections
 * take its lines in turn.
 *
 * Says "ready" once all are open. For each line of input, which is a number of milliseconds, it
 * works so long, waits for the last answers and says: answers, microseconds, and of one answer the
 * median and the 99th percentile in microseconds.
 */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "bench.h"
#include "channel/channel.h"
#include "crypto/context.h"
#include "mesatee/context.h"
#include "mesatee/socket.h"
#include "platform/process.h"
#include "wire/http.h"

enum { PIECE = 32 * 1024, LINE_MAX_BYTES = 4096, REQUESTS_MAX = 1024, EVENTS = 64, ID_HEX = 32 };

struct request {
    enum mt_http_method method;
    char *target;
    char *body;
};

struct link;

/* A connection's protection: cipher bytes on one side, plain bytes on the other. */
struct protection {
    void (*start)(struct link *k);
    bool (*is_open)(const struct link *k);
    void (*feed)(struct link *k, mt_bytes cipher);
    mt_bytes (*output)(const struct link *k);
    void (*sent)(struct link *k, size_t len);
    size_t (*read)(struct link *k, mt_span out);
    void (*write)(struct link *k, mt_bytes plain);
};

/* What all connections share. */
struct load {
    const struct protection *protection;
    const char *address;
    struct mt_context *context;
    struct mt_appraiser appraiser;
    struct mt_channel_identity *identity;
    SSL_CTX *tls;
    struct request requests[REQUESTS_MAX];
    size_t requests_count;
    struct link *links;
    size_t links_count;
    int epoll;
    uint32_t *took_us; /* of each answer of this turn */
    size_t took_count;
    size_t took_room;
};

struct link {
    struct load *load;
    int fd;
    struct mt_channel *channel;
    SSL *ssl;
    BIO *in; /* both are the SSL's */
    BIO *out;
    const struct request *request;
    char session[ID_HEX + 1];
    uint64_t number;
    uint64_t began_ns;
    struct mt_buf plain; /* of the answer, as far as it has come */
};

/* ---- attested */
static void channel_start(struct link *k)
{
    const struct load *l = k->load;
    const struct mt_channel_options o = {.identity = l->identity,
                                         .appraiser = &l->appraiser,
                                         .service = l->context->cluster,
                                         .now_ms = bench_now_ns(CLOCK_REALTIME) / 1000000};
    OK(mt_channel_new(&o, &k->channel));
    OK(mt_channel_start(k->channel));
}

static bool channel_is_open(const struct link *k)
{
    return mt_channel_state(k->channel) == MT_CHANNEL_OPEN;
}

static void channel_feed(struct link *k, mt_bytes cipher)
{
    OK(mt_channel_feed(k->channel, cipher));
}

static mt_bytes channel_output(const struct link *k)
{
    return mt_channel_output(k->channel);
}

static void channel_sent(struct link *k, size_t len)
{
    mt_channel_sent(k->channel, len);
}

static size_t channel_read(struct link *k, mt_span out)
{
    size_t got = 0;
    OK(mt_channel_read(k->channel, out, &got));
    return got;
}

static void channel_write(struct link *k, mt_bytes plain)
{
    size_t taken = 0;
    OK(mt_channel_write(k->channel, plain, &taken));
    MT_ASSERT(taken == plain.len);
}

static const struct protection attested = {channel_start,  channel_is_open, channel_feed,
                                           channel_output, channel_sent,    channel_read,
                                           channel_write};

/* ---- plain TLS, likewise over memory */
static void tls_start(struct link *k)
{
    k->ssl = SSL_new(k->load->tls);
    k->in = BIO_new(BIO_s_mem());
    k->out = BIO_new(BIO_s_mem());
    MT_ASSERT(k->ssl != NULL && k->in != NULL && k->out != NULL);
    (void)BIO_set_mem_eof_return(k->in, -1);
    (void)BIO_set_mem_eof_return(k->out, -1);
    SSL_set_bio(k->ssl, k->in, k->out);
    SSL_set_connect_state(k->ssl);
    (void)SSL_do_handshake(k->ssl);
}

static bool tls_is_open(const struct link *k)
{
    return SSL_is_init_finished(k->ssl) == 1;
}

static void tls_feed(struct link *k, mt_bytes cipher)
{
    MT_ASSERT(BIO_write(k->in, cipher.ptr, (int)cipher.len) == (int)cipher.len);
    if (!tls_is_open(k)) {
        int rc = SSL_do_handshake(k->ssl);
        MT_ASSERT(rc == 1 || SSL_get_error(k->ssl, rc) == SSL_ERROR_WANT_READ);
    }
}

static mt_bytes tls_output(const struct link *k)
{
    char *data = NULL;
    long len = BIO_get_mem_data(k->out, &data);
    return (mt_bytes){(const uint8_t *)data, (size_t)len};
}

static void tls_sent(struct link *k, size_t len)
{
    MT_ASSERT(len == tls_output(k).len); /* mt_socket_write() sends all there is */
    (void)BIO_reset(k->out);
}

static size_t tls_read(struct link *k, mt_span out)
{
    size_t got = 0;
    int rc = SSL_read_ex(k->ssl, out.ptr, out.len, &got);
    MT_ASSERT(rc == 1 || SSL_get_error(k->ssl, rc) == SSL_ERROR_WANT_READ);
    return rc == 1 ? got : 0;
}

static void tls_write(struct link *k, mt_bytes plain)
{
    size_t taken = 0;
    MT_ASSERT(SSL_write_ex(k->ssl, plain.ptr, plain.len, &taken) == 1 && taken == plain.len);
}

static const struct protection only_tls = {tls_start, tls_is_open, tls_feed, tls_output,
                                           tls_sent,  tls_read,    tls_write};

/* ---- requests and answers */
static void flush(struct link *k)
{
    mt_bytes out = k->load->protection->output(k);
    if (out.len > 0) {
        OK(mt_socket_write(k->fd, out));
        k->load->protection->sent(k, out.len);
    }
}

static void ask(struct link *k)
{
    uint8_t room[2 * LINE_MAX_BYTES];
    char number[ID_HEX + 24];
    mt_bytes bytes;
    const struct request *q = k->request;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_http_request_write(&w, q->method, mt_bytes_of_text(q->target), MT_LITERAL("mesatee"));
    if (q->method != MT_HTTP_GET) {
        (void)snprintf(number, sizeof number, "%s-%llu", k->session,
                       (unsigned long long)++k->number);
        mt_http_header_write(&w, "mesatee-request", mt_bytes_of_text(number));
        mt_http_header_write_uint(&w, "content-length", strlen(q->body));
    }
    mt_http_head_end(&w);
    mt_write_bytes(&w, mt_bytes_of_text(q->body));
    OK(mt_write_end(&w, &bytes));
    k->began_ns = bench_now_ns(CLOCK_MONOTONIC);
    k->load->protection->write(k, bytes);
    flush(k);
}

/* Whether the answer in k->plain is whole; it is then forgotten. */
static bool take_answer(struct link *k)
{
    struct mt_http_head head;
    bool is_whole = false;
    OK(mt_http_response_parse(mt_buf_bytes(&k->plain), &head, &is_whole));
    if (!is_whole) {
        return false;
    }
    if (head.status >= 400) {
        (void)fprintf(stderr, "%.*s\n", (int)k->plain.len, (const char *)k->plain.ptr);
        abort();
    }
    MT_ASSERT(head.body == MT_HTTP_BODY_LENGTH);
    if (k->plain.len - head.head_len < head.body_len) {
        return false;
    }
    mt_buf_drop(&k->plain, head.head_len + (size_t)head.body_len);
    MT_ASSERT(k->plain.len == 0);
    return true;
}

static void note(struct load *l, uint64_t took_ns)
{
    if (l->took_count == l->took_room) {
        l->took_room = l->took_room == 0 ? 65536 : 2 * l->took_room;
        l->took_us = reallocarray(l->took_us, l->took_room, sizeof *l->took_us);
        MT_ASSERT(l->took_us != NULL);
    }
    l->took_us[l->took_count++] = (uint32_t)(took_ns / 1000);
}

/* Whether a whole answer has come. */
static bool receive(struct link *k)
{
    static uint8_t cipher[PIECE];
    const struct protection *p = k->load->protection;
    ssize_t got = recv(k->fd, cipher, sizeof cipher, 0);
    MT_ASSERT(got > 0);
    p->feed(k, (mt_bytes){cipher, (size_t)got});
    for (;;) {
        mt_span room;
        OK(mt_buf_reserve(&k->plain, PIECE, &room));
        size_t n = p->read(k, room);
        if (n == 0) {
            break;
        }
        k->plain.len += n;
    }
    return k->plain.len > 0 && take_answer(k);
}

static int by_size(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;
    return *x < *y ? -1 : *x > *y ? 1 : 0;
}

static void turn(struct load *l, uint64_t ms)
{
    struct epoll_event events[EVENTS];
    size_t waiting = l->links_count;
    uint64_t began = bench_now_ns(CLOCK_MONOTONIC);
    uint64_t until = began + ms * 1000000;
    l->took_count = 0;
    for (size_t i = 0; i < l->links_count; i++) {
        ask(&l->links[i]);
    }
    while (waiting > 0) {
        int count = epoll_wait(l->epoll, events, EVENTS, -1);
        MT_ASSERT(count > 0);
        for (int i = 0; i < count; i++) {
            struct link *k = events[i].data.ptr;
            if (!receive(k)) {
                continue;
            }
            uint64_t now = bench_now_ns(CLOCK_MONOTONIC);
            note(l, now - k->began_ns);
            if (now < until) {
                ask(k);
            } else {
                waiting--;
            }
        }
    }
    uint64_t took_ns = bench_now_ns(CLOCK_MONOTONIC) - began;
    qsort(l->took_us, l->took_count, sizeof *l->took_us, by_size);
    (void)printf("%zu %.0f %u %u\n", l->took_count, (double)took_ns / 1000,
                 l->took_us[l->took_count / 2], l->took_us[l->took_count * 99 / 100]);
    (void)fflush(stdout);
}

/* ---- getting ready */
static void open_link(struct link *k)
{
    struct load *l = k->load;
    uint8_t session[ID_HEX / 2];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = k};
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)k->session, ID_HEX});
    k->plain = mt_buf_of_max((size_t)4 * 1024 * 1024);
    OK(mt_random((mt_span){session, sizeof session}));
    mt_hex_write(&w, MT_BYTES_OF(session));
    OK(mt_socket_connect(l->address, &k->fd));
    l->protection->start(k);
    flush(k);
    while (!l->protection->is_open(k)) {
        MT_ASSERT(!receive(k));
        flush(k);
    }
    flush(k);
    MT_ASSERT(epoll_ctl(l->epoll, EPOLL_CTL_ADD, k->fd, &event) == 0);
}

static void trust_node(struct load *l, const char *where, const char *trust)
{
    struct mt_home home;
    OK(mt_home_open(where, &home));
    OK(mt_context_load(&home, trust, &l->context));
    OK(mt_channel_identity_new(l->context->key, MT_CHANNEL_CLIENT, &l->identity));
    l->appraiser = (struct mt_appraiser){l->context->policy, mt_buf_bytes(&l->context->auditors)};
    l->address = l->context->address;
    l->protection = &attested;
}

static void trust_authority(struct load *l, const char *where, const char *trust)
{
    l->tls = SSL_CTX_new(TLS_client_method());
    MT_ASSERT(l->tls != NULL && SSL_CTX_set_min_proto_version(l->tls, TLS1_3_VERSION) == 1);
    MT_ASSERT(SSL_CTX_set_ciphersuites(l->tls, "TLS_AES_128_GCM_SHA256") == 1 &&
              SSL_CTX_set1_groups_list(l->tls, "P-256") == 1 &&
              SSL_CTX_load_verify_file(l->tls, trust) == 1);
    SSL_CTX_set_verify(l->tls, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_mode(l->tls, SSL_MODE_RELEASE_BUFFERS);
    l->address = where;
    l->protection = &only_tls;
}

static enum mt_http_method method_of(const char *word)
{
    if (strcmp(word, "GET") == 0) {
        return MT_HTTP_GET;
    }
    return strcmp(word, "DELETE") == 0 ? MT_HTTP_DELETE : MT_HTTP_POST;
}

static void read_requests(struct load *l, const char *path)
{
    char line[LINE_MAX_BYTES];
    char method[16];
    char target[1024];
    FILE *f = fopen(path, "re");
    MT_ASSERT(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        int body_at = 0;
        MT_ASSERT(sscanf(line, "%15s %1023s %n", method, target, &body_at) == 2);
        line[strcspn(line, "\n")] = '\0';
        MT_ASSERT(l->requests_count < REQUESTS_MAX);
        l->requests[l->requests_count++] =
            (struct request){method_of(method), strdup(target),
                             strdup((size_t)body_at < strlen(line) ? line + body_at : "")};
    }
    MT_ASSERT(fclose(f) == 0 && l->requests_count > 0);
}

static void open_links(struct load *l, size_t count)
{
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->links = calloc(count, sizeof *l->links);
    MT_ASSERT(l->epoll >= 0 && l->links != NULL);
    for (; l->links_count < count; l->links_count++) {
        struct link *k = &l->links[l->links_count];
        k->load = l;
        k->request = &l->requests[l->links_count % l->requests_count];
        open_link(k);
    }
}

int main(int argc, char **argv)
{
    static struct load l;
    char line[64];
    MT_ASSERT(argc == 6);
    OK(mt_crypto_init(mt_process_entropy, NULL));
    if (strcmp(argv[1], "node") == 0) {
        trust_node(&l, argv[2], argv[3]);
    } else {
        trust_authority(&l, argv[2], argv[3]);
    }
    read_requests(&l, argv[5]);
    open_links(&l, strtoul(argv[4], NULL, 10));
    (void)puts("ready");
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        turn(&l, strtoul(line, NULL, 10));
    }
    return 0; /* the kernel takes back what a benchmark held */
}
