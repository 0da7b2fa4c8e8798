/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/inside.h"
#include "crypto/x509.h"

/* What one verification borrows from OpenSSL. */
struct check {
    X509_STORE *store;
    X509_STORE_CTX *ctx;
    X509 *leaf;
    STACK_OF(X509) * others;
    STACK_OF(X509) * anchors;
    STACK_OF(X509_CRL) * crls;
};

static void end_check(struct check *c)
{
    X509_STORE_CTX_free(c->ctx);
    X509_STORE_free(c->store);
    X509_free(c->leaf);
    sk_X509_pop_free(c->others, X509_free);
    sk_X509_pop_free(c->anchors, X509_free);
    sk_X509_CRL_pop_free(c->crls, X509_CRL_free);
}

static enum mt_x509_fault fault_of(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return MT_X509_NOT_YET_VALID;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return MT_X509_EXPIRED;
    case X509_V_ERR_CERT_REVOKED:
        return MT_X509_REVOKED;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
        return MT_X509_CRL_MISSING;
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
        return MT_X509_CRL_EXPIRED;
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_OUT_OF_MEM:
    case X509_V_ERR_UNSPECIFIED:
        return MT_X509_MALFORMED;
    default:
        return MT_X509_UNTRUSTED;
    }
}

static MT_ERR push_cert(STACK_OF(X509) * to, const struct mt_x509 *from)
{
    X509 *x = NULL;
    MT_TRY(mt_x509_native(from, &x));
    if (sk_X509_push(to, x) > 0) {
        return MT_OK;
    }
    X509_free(x);
    MT_FAIL(MT_E_NOMEM, "no memory to verify a certificate");
}

static MT_ERR push_crl(STACK_OF(X509_CRL) * to, mt_bytes der)
{
    X509_CRL *crl = NULL;
    MT_TRY(mt_x509_list_read(der, &crl));
    if (sk_X509_CRL_push(to, crl) > 0) {
        return MT_OK;
    }
    X509_CRL_free(crl);
    MT_FAIL(MT_E_NOMEM, "no memory for a revocation list");
}

static MT_ERR fill(struct check *c, const struct mt_x509_chain *chain,
                   const struct mt_x509_trust *trust)
{
    c->store = X509_STORE_new(); /* empty: nothing of the system's */
    c->ctx = X509_STORE_CTX_new_ex(mt_crypto.lib, NULL);
    c->others = sk_X509_new_null();
    c->anchors = sk_X509_new_null();
    c->crls = sk_X509_CRL_new_null();
    MT_REQUIRE(c->store != NULL && c->ctx != NULL && c->others != NULL && c->anchors != NULL &&
                   c->crls != NULL,
               MT_E_NOMEM, "no memory to verify a certificate");
    for (size_t i = 0; i < trust->anchors_count; i++) {
        MT_TRY(push_cert(c->anchors, trust->anchors[i]));
        MT_REQUIRE(X509_STORE_add_cert(c->store, sk_X509_value(c->anchors, (int)i)) == 1,
                   MT_E_NOMEM, "no memory to verify a certificate");
    }
    MT_TRY(mt_x509_native(chain->certs[0], &c->leaf));
    for (size_t i = 1; i < chain->count; i++) {
        MT_TRY(push_cert(c->others, chain->certs[i]));
    }
    MT_REQUIRE(trust->crls_count <= MT_X509_CRLS_MAX, MT_E_FORMAT, "too many revocation lists");
    for (size_t i = 0; trust->needs_crls && i < trust->crls_count; i++) {
        MT_TRY(push_crl(c->crls, trust->crls[i]));
    }
    return MT_OK;
}

static MT_ERR start(struct check *c, uint64_t now_ms, unsigned long flags)
{
    enum { STRENGTH_112_BITS = 2 }; /* no SHA-1, no RSA below 2048 bits */
    X509_STORE_CTX_cleanup(c->ctx);
    MT_REQUIRE(X509_STORE_CTX_init(c->ctx, c->store, c->leaf, c->others) == 1, MT_E_NOMEM,
               "no memory to verify a certificate");
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(c->ctx);
    bool ok = X509_VERIFY_PARAM_set_flags(param, flags) == 1 &&
              X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY) == 1;
    MT_REQUIRE(ok, MT_E_INTERNAL, "OpenSSL refuses how a certificate is verified");
    X509_VERIFY_PARAM_set_depth(param, MT_X509_CHAIN_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, STRENGTH_112_BITS);
    X509_VERIFY_PARAM_set_time(param, (time_t)(now_ms / 1000));
    X509_STORE_CTX_set0_crls(c->ctx, c->crls);
    return MT_OK;
}

/* OpenSSL found a way; it must end in bytes that the caller gave as an anchor. */
static bool is_anchored(const struct check *c)
{
    const STACK_OF(X509) *way = X509_STORE_CTX_get0_chain(c->ctx);
    int count = sk_X509_num(way);
    for (int i = 0; count > 0 && i < sk_X509_num(c->anchors); i++) {
        if (X509_cmp(sk_X509_value(way, count - 1), sk_X509_value(c->anchors, i)) == 0) {
            return true;
        }
    }
    return false;
}

/* OpenSSL looks at lists before it looks at signatures: without a second pass that asks for none, a
 * forged chain would be called one whose list is missing. */
static MT_ERR pass(struct check *c, uint64_t now_ms, unsigned long flags, enum mt_x509_fault *why)
{
    MT_TRY(start(c, now_ms, flags));
    if (X509_verify_cert(c->ctx) != 1) {
        *why = fault_of(X509_STORE_CTX_get_error(c->ctx));
        MT_FAIL(MT_E_PROOF, "a certificate is not believed");
    }
    return MT_OK;
}

MT_ERR mt_x509_verify_slowly(const struct mt_x509_chain *chain, const struct mt_x509_trust *trust,
                             enum mt_x509_fault *why)
{
    MT_DEFER(end_check) struct check c = {.store = NULL};
    *why = MT_X509_MALFORMED;
    MT_REQUIRE(chain->count > 0, MT_E_PROOF, "a chain is empty");
    MT_TRY(fill(&c, chain, trust));
    unsigned long flags = X509_V_FLAG_TRUSTED_FIRST;
    flags |= trust->needs_crls ? X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL : 0;
    mt_err e = pass(&c, trust->now_ms, flags, why);
    if (mt_failed(e) && trust->needs_crls) {
        enum mt_x509_fault first = *why;
        MT_TRY(pass(&c, trust->now_ms, X509_V_FLAG_TRUSTED_FIRST, why));
        *why = first;
    }
    MT_TRY(e);
    *why = MT_X509_UNTRUSTED;
    MT_REQUIRE(is_anchored(&c), MT_E_PROOF, "a certificate leads to no anchor");
    *why = MT_X509_SOUND;
    return MT_OK;
}

MT_ERR mt_x509_verify(const struct mt_x509_chain *chain, const struct mt_x509_trust *trust,
                      enum mt_x509_fault *why)
{
    if (mt_x509_is_quickly_sound(chain, trust)) {
        *why = MT_X509_SOUND;
        return MT_OK;
    }
    return mt_x509_verify_slowly(chain, trust, why);
}
