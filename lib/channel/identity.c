/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/identity.h"

#include <openssl/x509.h>
#include <stdlib.h>

/*
 * The certificate is an envelope for the key: self-signed, valid for ever, named after nothing.
 * Possession of the key is what TLS proves, and who may have it is what the evidence and the gate
 * say.
 */
static void free_x509(X509 **x)
{
    X509_free(*x);
    *x = NULL;
}

static MT_ERR make_certificate(const struct mt_key *key, X509 **out)
{
    static const unsigned char name[] = "MesaTEE";
    enum { SERIAL = 1, VERSION_3 = 2 };
    EVP_PKEY *pkey = mt_key_native(key);
    MT_DEFER(free_x509) X509 *x = X509_new_ex(mt_crypto_native(), NULL);
    MT_REQUIRE(x != NULL, MT_E_NOMEM, "no memory for a certificate");
    X509_NAME *subject = X509_get_subject_name(x);
    bool ok = X509_set_version(x, VERSION_3) == 1 &&
              ASN1_INTEGER_set(X509_get_serialNumber(x), SERIAL) == 1;
    ok = ok && ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "20200101000000Z") == 1;
    ok = ok && ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "99991231235959Z") == 1;
    ok = ok && X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) == 1;
    ok = ok && X509_set_issuer_name(x, subject) == 1 && X509_set_pubkey(x, pkey) == 1 &&
         X509_sign(x, pkey, EVP_sha256()) > 0;
    MT_REQUIRE(ok, MT_E_INTERNAL, "a certificate cannot be made");
    *out = x;
    x = NULL; /* given */
    return MT_OK;
}

/* One certificate and nothing beside it. That it holds a P-256 key is looked at when the handshake
 * is done: here the exporter is not there yet, and TLS has not proved possession. */
static int accept_one_certificate(X509_STORE_CTX *store, void *state)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);
    (void)state;
    if (chain == NULL || sk_X509_num(chain) != 1) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
        return 0;
    }
    return 1;
}

static MT_ERR set_up(SSL_CTX *ctx, const struct mt_key *key)
{
    char groups[] = "P-256"; /* OpenSSL takes what it only reads as writable */
    char algorithms[] = "ECDSA+SHA256";
    MT_DEFER(free_x509) X509 *x = NULL;
    MT_TRY(make_certificate(key, &x));
    bool ok = SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1;
    /* P-256 has 128 bits of strength, and so has the cipher: a longer key would cost and protect
     * nothing more. */
    ok = ok && SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") == 1 &&
         SSL_CTX_set1_groups_list(ctx, groups) == 1;
    ok = ok && SSL_CTX_set1_sigalgs_list(ctx, algorithms) == 1;
    ok = ok && SSL_CTX_use_certificate(ctx, x) == 1 &&
         SSL_CTX_use_PrivateKey(ctx, mt_key_native(key)) == 1;
    ok = ok && SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_max_early_data(ctx, 0) == 1;
    MT_REQUIRE(ok, MT_E_INTERNAL, "TLS cannot be set up");
    (void)SSL_CTX_set_options(ctx,
                              SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, accept_one_certificate, NULL);
    return MT_OK;
}

MT_ERR mt_channel_identity_new(const struct mt_key *key, enum mt_channel_role role,
                               struct mt_channel_identity **out)
{
    MT_DEFER(mt_channel_identity_free) struct mt_channel_identity *i = calloc(1, sizeof *i);
    MT_REQUIRE(i != NULL, MT_E_NOMEM, "no memory for a channel's identity");
    i->role = role;
    mt_spki_hash(mt_key_public(key), &i->own);
    i->ctx = SSL_CTX_new_ex(mt_crypto_native(), NULL,
                            role == MT_CHANNEL_SERVER ? TLS_server_method() : TLS_client_method());
    i->pipe = mt_channel_pipe();
    MT_REQUIRE(i->ctx != NULL && i->pipe != NULL, MT_E_NOMEM, "no memory for TLS");
    MT_TRY(set_up(i->ctx, key));
    *out = i;
    i = NULL; /* given */
    return MT_OK;
}

void mt_channel_identity_free(struct mt_channel_identity **i)
{
    if (*i != NULL) {
        SSL_CTX_free((*i)->ctx);
        BIO_meth_free((*i)->pipe);
        free(*i);
        *i = NULL;
    }
}

MT_ERR mt_channel_peer_key(SSL *ssl, mt_spki *out)
{
    X509 *x = SSL_get0_peer_certificate(ssl);
    unsigned char *der = NULL;
    MT_REQUIRE(x != NULL, MT_E_PROOF, "the peer has shown no certificate");
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    MT_REQUIRE(len > 0, MT_E_PROOF, "the peer's key cannot be read");
    mt_err e = mt_spki_parse((mt_bytes){der, (size_t)len}, out);
    OPENSSL_free(der);
    MT_REQUIRE(!mt_failed(e), MT_E_PROOF, "the peer's key is not on P-256");
    return MT_OK;
}
