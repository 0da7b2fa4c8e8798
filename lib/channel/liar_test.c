/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/x509.h>

#include "channel/liar_test.h"

/* One honest end, and a liar who holds whatever keys it needs. */

static const uint8_t sevens[MT_ATTEST_NONCE_BYTES] = {7, 7, 7};

/* TLS as the liar likes it. */
struct likes {
    bool is_server;
    bool has_no_certificate;
    bool has_two_certificates;
    const char *key; /* NULL: P-256 */
    int version;     /* 0: TLS 1.3 */
    const char *suite;
    char group[8];
};

static X509 *certificate_of(EVP_PKEY *key)
{
    const EVP_MD *md = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    X509 *x = X509_new_ex(mt_crypto_native(), NULL);
    MT_ASSERT(x != NULL && X509_set_version(x, 2) == 1 && X509_set_pubkey(x, key) == 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    MT_ASSERT(X509_sign(x, key, md) > 0);
    return x;
}

static EVP_PKEY *key_named(const char *name)
{
    EVP_PKEY *key = NULL;
    if (name == NULL) {
        name = "P-256";
    }
    if (strcmp(name, "RSA") == 0) {
        key = EVP_PKEY_Q_keygen(mt_crypto_native(), NULL, "RSA", (size_t)2048);
    } else if (strcmp(name, "ED25519") == 0) {
        key = EVP_PKEY_Q_keygen(mt_crypto_native(), NULL, "ED25519");
    } else {
        key = EVP_PKEY_Q_keygen(mt_crypto_native(), NULL, "EC", name);
    }
    MT_ASSERT(key != NULL);
    return key;
}

static int accept_all(X509_STORE_CTX *store, void *state)
{
    (void)store;
    (void)state;
    return 1;
}

static SSL_CTX *context_of(const struct likes *l)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(mt_crypto_native(), NULL, TLS_method());
    int version = l->version == 0 ? TLS1_3_VERSION : l->version;
    EVP_PKEY *key = key_named(l->key);
    X509 *x = certificate_of(key);
    char group[sizeof l->group]; /* OpenSSL takes what it only reads as writable */
    memcpy(group, l->group, sizeof group);
    MT_ASSERT(ctx != NULL && SSL_CTX_set_max_proto_version(ctx, version) == 1);
    if (!l->has_no_certificate) {
        MT_ASSERT(SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
    }
    if (l->has_two_certificates) {
        MT_ASSERT(SSL_CTX_add1_chain_cert(ctx, x) == 1);
    }
    MT_ASSERT(l->suite == NULL || SSL_CTX_set_ciphersuites(ctx, l->suite) == 1);
    MT_ASSERT(group[0] == '\0' || SSL_CTX_set1_groups_list(ctx, group) == 1);
    SSL_CTX_set_verify(ctx, l->is_server ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, accept_all, NULL);
    X509_free(x);
    EVP_PKEY_free(key);
    return ctx;
}

/* The handshake with an engine of the other role: its error, and that it has closed if there is
 * one. */
static mt_err shake_hands(const struct likes *l)
{
    SSL_CTX *ctx = context_of(l);
    struct liar liar = liar_of(ctx, l->is_server);
    struct mt_channel *c = channel_of(l->is_server ? client_options() : node_options());
    mt_err e = liar_shakes_hands(&liar, c);
    enum mt_channel_state state = mt_channel_state(c);
    MT_ASSERT(state == (mt_failed(e) ? MT_CHANNEL_CLOSED : MT_CHANNEL_ATTESTING));
    mt_channel_free(&c);
    liar_free(&liar);
    SSL_CTX_free(ctx);
    return e;
}

/* Whichever role the liar plays. */
static bool is_refused_in_both_roles(struct likes l)
{
    mt_err as_client = shake_hands(&l);
    l.is_server = true;
    mt_err as_server = shake_hands(&l);
    return is_code(as_client, MT_E_PROOF) && is_code(as_server, MT_E_PROOF);
}

static void plain_openssl_with_our_settings_may_shake_hands(void)
{
    OK(shake_hands(&(struct likes){.is_server = false}));
    OK(shake_hands(&(struct likes){.is_server = true}));
}

static void TLS_1_2_is_refused(void)
{
    MT_ASSERT(is_refused_in_both_roles((struct likes){.version = TLS1_2_VERSION}));
    MT_ASSERT(is_refused_in_both_roles((struct likes){.version = TLS1_1_VERSION}));
}

static void a_client_without_a_certificate_is_refused(void)
{
    MT_ASSERT(is_code(shake_hands(&(struct likes){.has_no_certificate = true}), MT_E_PROOF));
}

static void a_chain_of_certificates_is_refused(void)
{
    MT_ASSERT(is_refused_in_both_roles((struct likes){.has_two_certificates = true}));
}

static void a_key_that_is_not_on_p256_is_refused(void)
{
    MT_ASSERT(is_refused_in_both_roles((struct likes){.key = "P-384"}));
    MT_ASSERT(is_refused_in_both_roles((struct likes){.key = "ED25519"}));
    if (step == 1) { /* it takes long to make one */
        MT_ASSERT(is_refused_in_both_roles((struct likes){.key = "RSA"}));
    }
}

static void another_suite_and_another_group_are_refused(void)
{
    MT_ASSERT(is_refused_in_both_roles((struct likes){.suite = "TLS_AES_256_GCM_SHA384"}));
    MT_ASSERT(is_refused_in_both_roles((struct likes){.suite = "TLS_CHACHA20_POLY1305_SHA256"}));
    MT_ASSERT(is_refused_in_both_roles((struct likes){.group = "X25519"}));
    MT_ASSERT(is_refused_in_both_roles((struct likes){.group = "P-384"}));
}

static void what_is_no_TLS_is_refused(void)
{
    struct mt_channel *c = channel_of(node_options());
    mt_err e = mt_channel_feed(c, MT_LITERAL("GET / HTTP/1.1\r\nHost: node\r\n\r\n"));
    MT_ASSERT(is_code(e, MT_E_PROOF) && mt_channel_state(c) == MT_CHANNEL_CLOSED);
    mt_channel_free(&c);
}

/* The liar as a client that is honest so far: its question is asked and answered. */
struct guest {
    struct liar liar;
    struct mt_channel *node;
};

static struct guest guest_of(SSL_CTX *ctx)
{
    struct guest g = {liar_of(ctx, false), channel_of(node_options())};
    OK(liar_shakes_hands(&g.liar, g.node));
    return g;
}

static void guest_free(struct guest *g)
{
    liar_free(&g->liar);
    mt_channel_free(&g->node);
}

static void guest_enters(struct guest *g)
{
    uint8_t nonce[MT_ATTEST_NONCE_BYTES];
    OK(liar_asks(&g->liar, g->node, "soft", sevens));
    OK(show_evidence(g->node));
    OK(liar_shows(&g->liar, g->node, MT_LITERAL("none"), MT_LITERAL("")));
    liar_reads_request(&g->liar, g->node, nonce);
    (void)liar_reads(&g->liar, g->node);
    MT_ASSERT(mt_channel_state(g->node) == MT_CHANNEL_OPEN);
}

static void no_session_is_given_to_be_resumed_and_no_early_data_allowed(void)
{
    struct guest g = guest_of(identity_of_client->ctx);
    guest_enters(&g);
    const SSL_SESSION *s = SSL_get0_session(g.liar.ssl);
    MT_ASSERT(s != NULL && SSL_SESSION_is_resumable(s) == 0);
    MT_ASSERT(SSL_SESSION_get_max_early_data(s) == 0);
    guest_free(&g);
}

/* With tickets switched on by a mistake in the settings, there is still the second wall. */
static void a_session_that_is_resumed_all_the_same_is_refused(void)
{
    struct mt_channel_identity *careless = NULL;
    OK(mt_channel_identity_new(keys[SERVICE], MT_CHANNEL_SERVER, &careless));
    MT_ASSERT(SSL_CTX_set_num_tickets(careless->ctx, 1) == 1);
    (void)SSL_CTX_clear_options(careless->ctx, SSL_OP_NO_TICKET);
    MT_ASSERT(SSL_CTX_set_session_id_context(careless->ctx, sevens, 4) == 1);
    struct mt_channel_options o = node_options();
    o.identity = careless;
    SSL_CTX *ctx = context_of(&(struct likes){.is_server = false});
    struct guest first = {liar_of(ctx, false), channel_of(o)};
    OK(liar_shakes_hands(&first.liar, first.node));
    guest_enters(&first);
    SSL_SESSION *ticket = SSL_get1_session(first.liar.ssl);
    MT_ASSERT(SSL_SESSION_is_resumable(ticket) == 1);
    struct guest second = {liar_of(ctx, false), channel_of(o)};
    MT_ASSERT(SSL_set_session(second.liar.ssl, ticket) == 1);
    MT_ASSERT(is_code(liar_shakes_hands(&second.liar, second.node), MT_E_PROOF));
    MT_ASSERT(mt_channel_state(second.node) == MT_CHANNEL_CLOSED);
    SSL_SESSION_free(ticket);
    guest_free(&first);
    guest_free(&second);
    SSL_CTX_free(ctx);
    mt_channel_identity_free(&careless);
}

/* The liar as the node. */
struct host {
    struct liar liar;
    struct mt_channel *client;
    uint8_t nonce[MT_ATTEST_NONCE_BYTES]; /* the client's */
};

static struct host host_of(SSL_CTX *ctx, struct mt_channel_options client)
{
    struct host h = {.liar = liar_of(ctx, true), .client = channel_of(client)};
    OK(liar_shakes_hands(&h.liar, h.client));
    liar_reads_request(&h.liar, h.client, h.nonce);
    return h;
}

static void host_free(struct host *h)
{
    liar_free(&h->liar);
    mt_channel_free(&h->client);
}

/* The node's machine makes evidence for whatever binding the liar asks it for. */
static mt_bytes evidence_for(struct host *h, struct mt_buf *room, const struct mt_binding *b)
{
    uint8_t report_data[MT_REPORT_DATA_LEN];
    liar_binds(&h->liar, b, h->nonce, report_data);
    return world_evidence(room, PLATFORM, report_data);
}

static mt_err host_shows(struct host *h, mt_bytes evidence)
{
    return liar_shows(&h->liar, h->client, MT_LITERAL("soft"), evidence);
}

static bool is_unbound(const struct host *h, mt_err e)
{
    return is_refused(e, MT_E_PROOF, &mt_channel_peer(h->client)->appraisal->trace,
                      "report-data") &&
           mt_channel_state(h->client) == MT_CHANNEL_CLOSED;
}

static void each_connection_asks_with_a_nonce_of_its_own(void)
{
    struct host first = host_of(identity_of_node->ctx, client_options());
    struct host second = host_of(identity_of_node->ctx, client_options());
    MT_ASSERT(!mt_bytes_equal(MT_BYTES_OF(first.nonce), MT_BYTES_OF(second.nonce)));
    host_free(&first);
    host_free(&second);
}

static void a_host_that_tells_the_truth_is_believed(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    const struct mt_binding b = node_binding();
    struct host h = host_of(identity_of_node->ctx, client_options());
    OK(liar_asks(&h.liar, h.client, "none", sevens));
    OK(host_shows(&h, evidence_for(&h, &room, &b)));
    MT_ASSERT(mt_channel_state(h.client) == MT_CHANNEL_OPEN);
    host_free(&h);
}

static void evidence_bound_to_anything_else_is_refused(void)
{
    struct mt_binding wrong[5];
    for (size_t i = 0; i < 5; i++) {
        wrong[i] = node_binding();
    }
    wrong[0].role = MT_ROLE_CLIENT;
    wrong[1].own = subject_of(STRANGER);
    wrong[2].peer = subject_of(STRANGER);
    wrong[3].service.b[0] ^= 1;
    wrong[4].service = (mt_hash){{0}};
    for (size_t i = 0; i < 5; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
        struct host h = host_of(identity_of_node->ctx, client_options());
        OK(liar_asks(&h.liar, h.client, "none", sevens));
        MT_ASSERT(is_unbound(&h, host_shows(&h, evidence_for(&h, &room, &wrong[i]))));
        host_free(&h);
    }
}

static void evidence_for_another_nonce_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    const struct mt_binding b = node_binding();
    struct host h = host_of(identity_of_node->ctx, client_options());
    h.nonce[31] ^= 1;
    OK(liar_asks(&h.liar, h.client, "none", sevens));
    MT_ASSERT(is_unbound(&h, host_shows(&h, evidence_for(&h, &room, &b))));
    host_free(&h);
}

/* A host that asks for evidence bound to no cluster gets it, and still has to show evidence bound
 * to the client's own. */
static void a_host_cannot_talk_the_client_out_of_its_cluster(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    struct mt_binding b = node_binding();
    struct host h = host_of(identity_of_node->ctx, client_options());
    b.service = (mt_hash){{0}};
    OK(liar_asks(&h.liar, h.client, "soft-any", sevens));
    MT_ASSERT(is_unbound(&h, host_shows(&h, evidence_for(&h, &room, &b))));
    host_free(&h);
}

/* Whoever has both ends' keys, and the client's nonce, still lacks the other connection's secrets.
 */
static void evidence_of_a_second_connection_at_the_same_time_is_refused(void)
{
    struct host h = host_of(identity_of_node->ctx, client_options());
    struct guest g = guest_of(identity_of_client->ctx);
    uint8_t nonce[MT_ATTEST_NONCE_BYTES];
    struct mt_attest relayed;
    OK(liar_asks(&g.liar, g.node, "soft", h.nonce));
    OK(show_evidence(g.node));
    liar_reads_request(&g.liar, g.node, nonce);
    OK(mt_attest_parse(liar_reads(&g.liar, g.node), &relayed));
    OK(liar_asks(&h.liar, h.client, "none", nonce));
    MT_ASSERT(is_unbound(&h, host_shows(&h, relayed.evidence)));
    host_free(&h);
    guest_free(&g);
}

static void evidence_of_an_earlier_connection_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    const struct mt_binding b = node_binding();
    struct host first = host_of(identity_of_node->ctx, client_options());
    mt_bytes evidence = evidence_for(&first, &room, &b);
    OK(liar_asks(&first.liar, first.client, "none", sevens));
    OK(host_shows(&first, evidence));
    struct host second = host_of(identity_of_node->ctx, client_options());
    OK(liar_asks(&second.liar, second.client, "none", sevens));
    MT_ASSERT(is_unbound(&second, host_shows(&second, evidence)));
    host_free(&first);
    host_free(&second);
}

/* Both show evidence; the liar has none, asks with the very nonce that it was asked with, and holds
 * up a mirror. Both ends even hold the same key. */
static void evidence_that_is_reflected_is_refused(void)
{
    static uint8_t copy[4096];
    struct mt_channel_identity *mirrored = NULL;
    struct mt_channel_options o = client_options();
    struct mt_attest reflected;
    OK(mt_channel_identity_new(keys[SERVICE], MT_CHANNEL_CLIENT, &mirrored));
    o.identity = mirrored;
    o.has_evidence = true;
    struct host h = host_of(identity_of_node->ctx, o);
    OK(liar_asks(&h.liar, h.client, "soft", h.nonce));
    OK(show_evidence(h.client));
    mt_bytes message = liar_reads(&h.liar, h.client);
    memcpy(copy, message.ptr, message.len);
    OK(mt_attest_parse((mt_bytes){copy, message.len}, &reflected));
    MT_ASSERT(is_unbound(&h, host_shows(&h, reflected.evidence)));
    host_free(&h);
    mt_channel_identity_free(&mirrored);
}

static void a_host_without_evidence_is_refused(void)
{
    struct host h = host_of(identity_of_node->ctx, client_options());
    OK(liar_asks(&h.liar, h.client, "none", sevens));
    mt_err e = liar_shows(&h.liar, h.client, MT_LITERAL("none"), MT_LITERAL(""));
    MT_ASSERT(
        is_refused(e, MT_E_PROOF, &mt_channel_peer(h.client)->appraisal->trace, "evidence-kind"));
    host_free(&h);
}

/* ATTEST with one flipped bit, or cut, in a frame of its own. */
static mt_err host_shows_damaged(size_t at, bool is_cut, size_t *len)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    MT_DEFER(mt_buf_free) struct mt_buf message = mt_buf_of_max(4096);
    MT_DEFER(mt_buf_free) struct mt_buf frame = mt_buf_of_max(4096);
    const struct mt_binding b = node_binding();
    struct host h = host_of(identity_of_node->ctx, client_options());
    OK(liar_asks(&h.liar, h.client, "none", sevens));
    mt_bytes m = attest_message(&message, MT_LITERAL("soft"), evidence_for(&h, &room, &b));
    *len = m.len;
    if (at < m.len) {
        message.ptr[at] ^= (uint8_t)(is_cut ? 0 : 1U << (at % 8));
        m.len = is_cut ? at : m.len;
    }
    mt_err e = liar_says(&h.liar, h.client, framed(&frame, m));
    enum mt_channel_state state = mt_channel_state(h.client);
    MT_ASSERT(state == (mt_failed(e) ? MT_CHANNEL_CLOSED : MT_CHANNEL_OPEN));
    host_free(&h);
    return e;
}

static void damaged_evidence_opens_no_channel(void)
{
    size_t len = 1;
    for (size_t at = 0; at < len; at += step) {
        mt_err e = host_shows_damaged(at, false, &len);
        MT_ASSERT(is_code(e, MT_E_FORMAT) || is_code(e, MT_E_PROOF) || is_code(e, MT_E_LIMIT));
    }
    for (size_t at = 1; at < len; at += 5 * step) {
        MT_ASSERT(is_code(host_shows_damaged(at, true, &len), MT_E_FORMAT));
    }
    OK(host_shows_damaged(len, false, &len));
}

/* What a client says first, instead of its ATTEST_REQ. */
static mt_err guest_says(mt_bytes plain)
{
    struct guest g = guest_of(identity_of_client->ctx);
    mt_err e = liar_says(&g.liar, g.node, plain);
    enum mt_channel_state state = mt_channel_state(g.node);
    MT_ASSERT(state == (mt_failed(e) ? MT_CHANNEL_CLOSED : MT_CHANNEL_ATTESTING));
    guest_free(&g);
    return e;
}

static void application_bytes_before_the_round_end_the_channel(void)
{
    MT_ASSERT(is_code(guest_says(MT_LITERAL("GET /mesatee/v1/data HTTP/1.1\r\n")), MT_E_LIMIT));
}

static void a_message_that_is_too_long_is_refused_by_its_length_alone(void)
{
    static const uint8_t longest[] = {0, 1, 0, 0};
    static const uint8_t longer[] = {0, 1, 0, 1};
    static const uint8_t empty[] = {0, 0, 0, 0};
    OK(guest_says(MT_BYTES_OF(longest))); /* waited for */
    MT_ASSERT(is_code(guest_says(MT_BYTES_OF(longer)), MT_E_LIMIT));
    MT_ASSERT(is_code(guest_says(MT_BYTES_OF(empty)), MT_E_FORMAT));
}

static void every_truncation_of_a_request_is_refused(void)
{
    uint8_t room[256];
    struct mt_attest_request q = {.formats = {MT_LITERAL("soft")}, .formats_count = 1};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_attest_request_write(&w, &q);
    mt_bytes message = written(&w);
    for (size_t len = 1; len <= message.len; len++) {
        MT_DEFER(mt_buf_free) struct mt_buf frame = mt_buf_of_max(512);
        mt_err e = guest_says(framed(&frame, (mt_bytes){message.ptr, len}));
        MT_ASSERT(len == message.len ? !mt_failed(e) : is_code(e, MT_E_FORMAT));
    }
}

static void messages_out_of_their_order_end_the_channel(void)
{
    struct guest g = guest_of(identity_of_client->ctx);
    mt_err e = liar_shows(&g.liar, g.node, MT_LITERAL("none"), MT_LITERAL(""));
    MT_ASSERT(is_code(e, MT_E_FORMAT) && mt_channel_state(g.node) == MT_CHANNEL_CLOSED);
    guest_free(&g);
    g = guest_of(identity_of_client->ctx);
    OK(liar_asks(&g.liar, g.node, "soft", sevens));
    e = liar_asks(&g.liar, g.node, "soft", sevens);
    MT_ASSERT(is_code(e, MT_E_FORMAT) && mt_channel_state(g.node) == MT_CHANNEL_CLOSED);
    guest_free(&g);
    g = guest_of(identity_of_client->ctx);
    OK(liar_asks(&g.liar, g.node, "soft", sevens));
    e = liar_says(&g.liar, g.node, MT_LITERAL("GET / HTTP/1.1\r\n"));
    MT_ASSERT(is_code(e, MT_E_LIMIT) && mt_channel_state(g.node) == MT_CHANNEL_CLOSED);
    guest_free(&g);
}

/* Before the node has shown its own evidence, whoever hurries has so much room and no more. */
static void a_flood_before_the_channel_is_open_is_refused(void)
{
    static const uint8_t flood[16 * 1024];
    struct guest g = guest_of(identity_of_client->ctx);
    OK(liar_asks(&g.liar, g.node, "soft", sevens));
    OK(liar_shows(&g.liar, g.node, MT_LITERAL("none"), MT_LITERAL("")));
    mt_err e = MT_OK;
    int rounds = 0;
    while (!mt_failed(e) && rounds < 16) {
        e = liar_says(&g.liar, g.node, MT_BYTES_OF(flood));
        rounds++;
    }
    MT_ASSERT(is_code(e, MT_E_LIMIT) && rounds > 1 && rounds < 16);
    MT_ASSERT(mt_channel_state(g.node) == MT_CHANNEL_CLOSED);
    guest_free(&g);
}

static void a_damaged_record_during_the_round_is_not_a_farewell(void)
{
    struct guest g = guest_of(identity_of_client->ctx);
    size_t taken = 0;
    char *data = NULL;
    uint8_t room[256];
    MT_ASSERT(SSL_write_ex(g.liar.ssl, "hello", 5, &taken) == 1);
    long len = BIO_get_mem_data(g.liar.out, &data);
    MT_ASSERT(len > 0 && (size_t)len <= sizeof room);
    memcpy(room, data, (size_t)len);
    room[len - 1] ^= 1;
    MT_ASSERT(is_code(mt_channel_feed(g.node, (mt_bytes){room, (size_t)len}), MT_E_PROOF));
    MT_ASSERT(mt_channel_state(g.node) == MT_CHANNEL_CLOSED);
    guest_free(&g);
}

static bool liar_hears(struct guest *g, mt_bytes expected)
{
    uint8_t room[64];
    size_t got = 0;
    liar_hear(&g->liar, g->node);
    return SSL_read_ex(g->liar.ssl, room, sizeof room, &got) == 1 &&
           mt_bytes_equal((mt_bytes){room, got}, expected);
}

static void keys_may_be_updated_and_nothing_else_renegotiated(void)
{
    struct guest g = guest_of(identity_of_client->ctx);
    guest_enters(&g);
    for (int i = 0; i < 3; i++) {
        size_t taken = 0;
        MT_ASSERT(SSL_key_update(g.liar.ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
        OK(liar_says(&g.liar, g.node, MT_LITERAL("with a new key")));
        MT_ASSERT(is_read(g.node, MT_LITERAL("with a new key")));
        OK(mt_channel_write(g.node, MT_LITERAL("likewise"), &taken));
        MT_ASSERT(liar_hears(&g, MT_LITERAL("likewise")));
    }
    MT_ASSERT(SSL_renegotiate(g.liar.ssl) == 0);
    guest_free(&g);
}

static bool has_offered_session;

static int look_at_hello(SSL *ssl, int *alert, void *state)
{
    const unsigned char *out = NULL;
    size_t len = 0;
    (void)alert;
    (void)state;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &out, &len) == 1 ||
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_early_data, &out, &len) == 1) {
        has_offered_session = true;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static void a_client_takes_no_ticket_from_a_host_that_gives_some(void)
{
    SSL_CTX *ctx = context_of(&(struct likes){.is_server = true});
    MT_ASSERT(SSL_CTX_set_num_tickets(ctx, 2) == 1);
    SSL_CTX_set_client_hello_cb(ctx, look_at_hello, NULL);
    for (int i = 0; i < 2; i++) {
        struct host h = host_of(ctx, client_options());
        OK(liar_asks(&h.liar, h.client, "none", sevens));
        host_free(&h);
    }
    MT_ASSERT(!has_offered_session);
    SSL_CTX_free(ctx);
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(plain_openssl_with_our_settings_may_shake_hands),
        MT_TEST(TLS_1_2_is_refused),
        MT_TEST(a_client_without_a_certificate_is_refused),
        MT_TEST(a_chain_of_certificates_is_refused),
        MT_TEST(a_key_that_is_not_on_p256_is_refused),
        MT_TEST(another_suite_and_another_group_are_refused),
        MT_TEST(what_is_no_TLS_is_refused),
        MT_TEST(no_session_is_given_to_be_resumed_and_no_early_data_allowed),
        MT_TEST(a_session_that_is_resumed_all_the_same_is_refused),
        MT_TEST(a_client_takes_no_ticket_from_a_host_that_gives_some),
        MT_TEST(each_connection_asks_with_a_nonce_of_its_own),
        MT_TEST(a_host_that_tells_the_truth_is_believed),
        MT_TEST(evidence_bound_to_anything_else_is_refused),
        MT_TEST(evidence_for_another_nonce_is_refused),
        MT_TEST(a_host_cannot_talk_the_client_out_of_its_cluster),
        MT_TEST(evidence_of_a_second_connection_at_the_same_time_is_refused),
        MT_TEST(evidence_of_an_earlier_connection_is_refused),
        MT_TEST(evidence_that_is_reflected_is_refused),
        MT_TEST(a_host_without_evidence_is_refused),
        MT_TEST(damaged_evidence_opens_no_channel),
        MT_TEST(application_bytes_before_the_round_end_the_channel),
        MT_TEST(a_message_that_is_too_long_is_refused_by_its_length_alone),
        MT_TEST(every_truncation_of_a_request_is_refused),
        MT_TEST(messages_out_of_their_order_end_the_channel),
        MT_TEST(a_flood_before_the_channel_is_open_is_refused),
        MT_TEST(a_damaged_record_during_the_round_is_not_a_farewell),
        MT_TEST(keys_may_be_updated_and_nothing_else_renegotiated),
    };
    channel_world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    channel_world_end();
    return rc;
}
