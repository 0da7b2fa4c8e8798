/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_UNIT_PKI_H
#define MT_UNIT_PKI_H

#include "base/bytes.h"
#include "crypto/sign.h"

/*
 * A certification authority of our own, for what no real vector shows: what is revoked, expired,
 * forged. Everything is made when the test runs, after mt_crypto_init(), and is nobody's.
 */
mt_err pki_random(void *state, mt_span out); /* the same at each run */

enum { PKI_DER_MAX = 4096, PKI_CRL_MAX = 1024, PKI_PEM_MAX = 8192 };

enum pki_key { PKI_P256, PKI_P384, PKI_RSA_2048, PKI_RSA_1024 };

struct pki_extension {
    const char *oid;
    mt_bytes value; /* what the extension holds */
};

struct pki_cert {
    void *key; /* EVP_PKEY */
    void *x;   /* X509 */
    uint8_t der[PKI_DER_MAX];
    size_t len;
};

struct pki_wish {
    const char *name; /* common name */
    enum pki_key key;
    bool is_ca;
    bool is_last_ca; /* and below it only leaves: path length 0 */
    bool is_pss;     /* signed with RSASSA-PSS and SHA-384 */
    bool is_sha1;    /* signed with SHA-1 */
    uint32_t serial;
    uint64_t not_before_ms; /* whole seconds; 0 and 0: 2020 to 2040 */
    uint64_t not_after_ms;
    const struct pki_extension *extensions;
    size_t extensions_count;
};

/* Signed by `issuer`; NULL: by itself. Released by pki_done(). */
void pki_make(const struct pki_wish *wish, const struct pki_cert *issuer, struct pki_cert *out);
void pki_done(struct pki_cert *c);

static inline mt_bytes pki_der(const struct pki_cert *c)
{
    return (mt_bytes){c->der, c->len};
}

/* The certificates one after another. */
mt_bytes pki_pem(const struct pki_cert *const *certs, size_t count, mt_span room);

struct pki_list {
    const struct pki_cert *issuer;
    uint64_t this_update_ms;
    uint64_t next_update_ms; /* 0: says none */
    const uint32_t *serials;
    size_t serials_count;
};
mt_bytes pki_crl(const struct pki_list *list, mt_span room);

/* Raw ECDSA, with SHA-256 or SHA-384 by the curve; or RSASSA, PSS or not, with the hash named. */
mt_bytes pki_sign(const struct pki_cert *by, mt_bytes message, mt_span room);
mt_bytes pki_sign_rsa(const struct pki_cert *by, const char *hash, bool is_pss, mt_bytes message,
                      mt_span room);

#endif
