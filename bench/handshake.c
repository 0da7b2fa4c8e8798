/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * handshake ROUNDS COUNT: CPU time of both ends of one connection, from nothing to open, in memory.
 * Turn by turn: our channel, where the server shows soft evidence with a log as long as a node's
 * and the client appraises it; mutual TLS 1.3 with the very same settings and pinned keys, without
 * the round of evidence; and mutual TLS 1.3 as it is usually set up, where each end verifies that
 * one authority signed the other's certificate. All with one OpenSSL, one suite, group and
 * signature. A line for each round: microseconds of each.
 */
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest/eventlog.h"
#include "attest/soft.h"
#include "bench.h"
#include "channel/identity.h"
#include "crypto/context.h"
#include "crypto/hash.h"
#include "platform/process.h"

enum { LOG_FILES = 4, LOG_BYTES_MAX = 8192 };

/* Ours. */
struct node {
    struct mt_key *keys[3]; /* server, client, platform */
    struct mt_channel_identity *server;
    struct mt_channel_identity *client;
    struct mt_buf log;
    struct mt_policy policy;
    struct mt_appraiser appraiser;
    mt_hash cluster;
    uint64_t now_ms;
};

static void write_evidence(const struct node *n, const uint8_t report_data[MT_REPORT_DATA_LEN],
                           struct mt_buf *out)
{
    mt_bytes evidence;
    struct mt_writer w = mt_writer_onto(out);
    mt_soft_evidence_write(&w, n->keys[2], mt_buf_bytes(&n->log), report_data);
    OK(mt_write_end(&w, &evidence));
}

/* A program, its loader and libraries; its configuration; what it says of the kernel. */
static void write_log(struct node *n)
{
    static const uint8_t configuration[420] = {'#'};
    static const uint8_t kernel[180] = {'#'};
    const mt_bytes texts[] = {MT_BYTES_OF(configuration), MT_BYTES_OF(kernel)};
    mt_bytes all;
    n->log = mt_buf_of_max(LOG_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&n->log);
    mt_eventlog_head_write(&w);
    for (int i = 0; i < LOG_FILES; i++) {
        struct mt_event e = {MT_REGISTER_CODE,
                             MT_EV_IPL,
                             {{(uint8_t)i}},
                             MT_LITERAL("/usr/lib/x86_64-linux-gnu/libc.so.6")};
        mt_event_write(&w, &e);
    }
    for (uint32_t i = 0; i < 2; i++) {
        struct mt_event e = {MT_REGISTER_CONFIGURATION + i, MT_EV_ACTION, {{0}}, texts[i]};
        mt_sha256(&texts[i], 1, &e.digest);
        mt_event_write(&w, &e);
    }
    OK(mt_write_end(&w, &all));
}

static void node_begin(struct node *n)
{
    static const uint8_t report_data[MT_REPORT_DATA_LEN] = {0};
    struct mt_buf evidence = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    struct mt_claims claims;
    for (size_t i = 0; i < 3; i++) {
        OK(mt_key_new(&n->keys[i]));
    }
    OK(mt_channel_identity_new(n->keys[0], MT_CHANNEL_SERVER, &n->server));
    OK(mt_channel_identity_new(n->keys[1], MT_CHANNEL_CLIENT, &n->client));
    write_log(n);
    write_evidence(n, report_data, &evidence);
    OK(mt_soft_evidence_show(mt_buf_bytes(&evidence), &claims));
    mt_buf_free(&evidence);
    n->policy = (struct mt_policy){.name = MT_LITERAL("bench"),
                                   .minimum_level = MT_LEVEL_SOFT,
                                   .platforms = {claims.platform},
                                   .platforms_count = 1,
                                   .measurements = {claims.measurement},
                                   .measurements_count = 1};
    n->appraiser = (struct mt_appraiser){.policy = &n->policy};
    n->cluster = (mt_hash){{7}};
    n->now_ms = bench_now_ns(CLOCK_REALTIME) / 1000000;
}

static void node_end(struct node *n)
{
    mt_channel_identity_free(&n->server);
    mt_channel_identity_free(&n->client);
    mt_buf_free(&n->log);
    for (size_t i = 0; i < 3; i++) {
        mt_key_free(&n->keys[i]);
    }
}

static bool carry(struct mt_channel *from, struct mt_channel *to)
{
    mt_bytes out = mt_channel_output(from);
    size_t len = out.len;
    if (len > 0) {
        OK(mt_channel_feed(to, out));
        mt_channel_sent(from, len);
    }
    return len > 0;
}

static void show(const struct node *n, struct mt_channel *c)
{
    uint8_t report_data[MT_REPORT_DATA_LEN];
    if (mt_channel_wants_evidence(c, report_data)) {
        struct mt_buf room = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
        write_evidence(n, report_data, &room);
        const struct mt_shown shown = {.format = MT_LITERAL("soft"),
                                       .evidence = mt_buf_bytes(&room)};
        OK(mt_channel_put_evidence(c, &shown));
        mt_buf_free(&room);
    }
}

static void shake_ours(const struct node *n)
{
    const struct mt_channel_options server = {
        .identity = n->server, .has_evidence = true, .service = n->cluster, .now_ms = n->now_ms};
    const struct mt_channel_options client = {.identity = n->client,
                                              .appraiser = &n->appraiser,
                                              .service = n->cluster,
                                              .now_ms = n->now_ms};
    struct mt_channel *s = NULL;
    struct mt_channel *c = NULL;
    OK(mt_channel_new(&server, &s));
    OK(mt_channel_new(&client, &c));
    OK(mt_channel_start(c));
    bool moves = true;
    while (moves) {
        moves = carry(c, s);
        show(n, s);
        moves = carry(s, c) || moves;
    }
    MT_ASSERT(mt_channel_state(s) == MT_CHANNEL_OPEN && mt_channel_state(c) == MT_CHANNEL_OPEN);
    mt_channel_free(&s);
    mt_channel_free(&c);
}

/* The peer. */
struct tls {
    SSL_CTX *server;
    SSL_CTX *client;
};

static X509 *certify(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *x = X509_new();
    MT_ASSERT(x != NULL && X509_set_version(x, 2) == 1 && X509_set_pubkey(x, key) == 1);
    MT_ASSERT(ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    MT_ASSERT(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                         (const unsigned char *)name, -1, -1, 0) == 1);
    X509 *by = issuer == NULL ? x : issuer;
    MT_ASSERT(X509_set_issuer_name(x, X509_get_subject_name(by)) == 1);
    X509V3_CTX v3;
    X509V3_set_ctx(&v3, by, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &v3, NID_basic_constraints,
                                            issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    MT_ASSERT(e != NULL && X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
    MT_ASSERT(X509_sign(x, issuer_key, EVP_sha256()) > 0);
    return x;
}

static SSL_CTX *context(const SSL_METHOD *method, const char *name, X509 *ca, EVP_PKEY *ca_key)
{
    SSL_CTX *c = SSL_CTX_new(method);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = certify(key, name, ca, ca_key);
    MT_ASSERT(c != NULL && SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1);
    MT_ASSERT(SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256") == 1 &&
              SSL_CTX_set1_groups_list(c, "P-256") == 1 &&
              SSL_CTX_set1_sigalgs_list(c, "ECDSA+SHA256") == 1);
    MT_ASSERT(SSL_CTX_use_certificate(c, x) == 1 && SSL_CTX_use_PrivateKey(c, key) == 1);
    MT_ASSERT(X509_STORE_add_cert(SSL_CTX_get_cert_store(c), ca) == 1);
    MT_ASSERT(SSL_CTX_set_num_tickets(c, 0) == 1);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    X509_free(x);
    EVP_PKEY_free(key);
    return c;
}

static SSL *end(SSL_CTX *c, BIO *in, BIO *out)
{
    SSL *s = SSL_new(c);
    MT_ASSERT(s != NULL);
    MT_ASSERT(BIO_up_ref(in) == 1 && BIO_up_ref(out) == 1);
    SSL_set_bio(s, in, out);
    return s;
}

static void shake_peer(const struct tls *t)
{
    BIO *up = BIO_new(BIO_s_mem());
    BIO *down = BIO_new(BIO_s_mem());
    MT_ASSERT(up != NULL && down != NULL);
    (void)BIO_set_mem_eof_return(up, -1);
    (void)BIO_set_mem_eof_return(down, -1);
    SSL *s = end(t->server, up, down);
    SSL *c = end(t->client, down, up);
    SSL_set_accept_state(s);
    SSL_set_connect_state(c);
    for (int i = 0; i < 4; i++) {
        (void)SSL_do_handshake(c);
        (void)SSL_do_handshake(s);
    }
    MT_ASSERT(SSL_is_init_finished(s) == 1 && SSL_is_init_finished(c) == 1);
    MT_ASSERT(SSL_get_verify_result(s) == X509_V_OK && SSL_get_verify_result(c) == X509_V_OK);
    SSL_free(s);
    SSL_free(c);
    BIO_free(up);
    BIO_free(down);
}

static void tls_begin(struct tls *t)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = certify(key, "authority", NULL, key);
    t->server = context(TLS_server_method(), "server", ca, key);
    t->client = context(TLS_client_method(), "client", ca, key);
    X509_free(ca);
    EVP_PKEY_free(key);
}

static void lap(uint64_t *at, uint64_t *sum)
{
    uint64_t now = bench_now_ns(CLOCK_PROCESS_CPUTIME_ID);
    *sum += now - *at;
    *at = now;
}

int main(int argc, char **argv)
{
    static struct node n;
    struct tls t;
    MT_ASSERT(argc == 3);
    unsigned long rounds = strtoul(argv[1], NULL, 10);
    unsigned long count = strtoul(argv[2], NULL, 10);
    OK(mt_crypto_init(mt_process_entropy, NULL));
    node_begin(&n);
    tls_begin(&t);
    const struct tls pinned = {n.server->ctx, n.client->ctx};
    for (unsigned long r = 0; r < rounds; r++) {
        uint64_t took[3] = {0, 0, 0};
        for (unsigned long i = 0; i < count; i++) {
            uint64_t at = bench_now_ns(CLOCK_PROCESS_CPUTIME_ID);
            shake_ours(&n);
            lap(&at, &took[0]);
            shake_peer(&pinned);
            lap(&at, &took[1]);
            shake_peer(&t);
            lap(&at, &took[2]);
        }
        for (size_t i = 0; i < 3; i++) {
            (void)printf("%.1f%c", (double)took[i] / (double)count / 1000, i < 2 ? ' ' : '\n');
        }
        (void)fflush(stdout);
    }
    SSL_CTX_free(t.server);
    SSL_CTX_free(t.client);
    node_end(&n);
    mt_crypto_done();
    return 0;
}
