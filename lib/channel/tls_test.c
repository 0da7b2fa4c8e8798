/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/x509.h>

#include "channel/liar_test.h"

/* The TLS below the channel: one honest end, and plain OpenSSL with other settings. */

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
        MT_TEST(keys_may_be_updated_and_nothing_else_renegotiated),
    };
    channel_world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    channel_world_end();
    return rc;
}
