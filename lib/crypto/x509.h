/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_X509_H
#define MT_CRYPTO_X509_H

#include "base/id.h"
#include "base/limits.h"
#include "crypto/pubkey.h"

/*
 * Certificates (RFC 5280) of those who make hardware. Trust comes from the anchors that the caller
 * gives, time from the caller, revocation lists from the caller: no store of the system, no clock,
 * no network. Not for TLS, whose certificates here carry no chain (lib/channel).
 */
struct mt_x509; /* owned, opaque; read by one thread at a time */

/* One certificate in DER and not a byte more; at most MT_X509_BYTES_MAX. */
MT_ERR mt_x509_parse(mt_bytes der, struct mt_x509 **out);
void mt_x509_free(struct mt_x509 **c);

/* All of these borrow from the certificate. */
mt_bytes mt_x509_der(const struct mt_x509 *c);
const struct mt_pubkey *mt_x509_key(const struct mt_x509 *c);
/* The serial number's octets, big endian, without sign or leading zeros; empty for 0. */
mt_bytes mt_x509_serial(const struct mt_x509 *c);
/* The one common name. MT_E_FORMAT if there is none, or more. */
MT_ERR mt_x509_subject_name(const struct mt_x509 *c, mt_bytes *out);
MT_ERR mt_x509_issuer_name(const struct mt_x509 *c, mt_bytes *out);
/* What an extension holds, by its OID in digits and dots. MT_E_NOTFOUND; MT_E_FORMAT if it is there
 * twice. */
MT_ERR mt_x509_extension(const struct mt_x509 *c, const char *oid, mt_bytes *out);

/* Milliseconds since 1970: valid from the first, until the second. */
struct mt_x509_validity {
    uint64_t not_before_ms;
    uint64_t not_after_ms;
};
MT_ERR mt_x509_validity(const struct mt_x509 *c, struct mt_x509_validity *out);

/* Whether two are the same certificate, byte for byte. */
bool mt_x509_equal(const struct mt_x509 *a, const struct mt_x509 *b);

/* Several, leaf first. Zero it before; ended by mt_x509_chain_free(). */
struct mt_x509_chain {
    struct mt_x509 *certs[MT_X509_CHAIN_MAX];
    size_t count;
};

/* PEM (RFC 7468): at least one certificate, nothing before or between them; after the last only
 * empty lines, then at most one NUL. Base64 must be canonical. On failure `out` is empty. */
MT_ERR mt_x509_chain_parse(mt_bytes pem, struct mt_x509_chain *out);
/* One in DER at the end: for chains that do not come as PEM. */
MT_ERR mt_x509_chain_add(struct mt_x509_chain *chain, mt_bytes der);
void mt_x509_chain_free(struct mt_x509_chain *c);

/* What a revocation list says of itself, unverified: for people, and to know when the next is due.
 * mt_x509_verify() looks at all of it. */
struct mt_x509_list {
    char issuer[64]; /* its common name */
    uint64_t this_ms;
    uint64_t next_ms;
    size_t revoked_count;
};
MT_ERR mt_x509_list_show(mt_bytes der, struct mt_x509_list *out);

/* Why a chain is not believed. */
enum mt_x509_fault {
    MT_X509_SOUND,
    MT_X509_MALFORMED, /* the chain or a list cannot be read, or no memory */
    MT_X509_UNTRUSTED, /* no way to an anchor, or a signature is wrong */
    MT_X509_NOT_YET_VALID,
    MT_X509_EXPIRED,
    MT_X509_REVOKED,
    MT_X509_CRL_MISSING, /* or not signed by the issuer */
    MT_X509_CRL_EXPIRED, /* or not valid yet */
};

/* Signatures that were found good already, each by a hash of key, scheme, what is signed and the
 * signature: for chains and lists that share some. It holds no opinion of time, names or
 * revocation. Zero it before; it belongs to who verifies, never to who is verified. */
enum { MT_X509_MEMO_MAX = 8 };
struct mt_x509_memo {
    mt_hash good[MT_X509_MEMO_MAX];
    size_t count;
};

struct mt_x509_trust {
    const struct mt_x509 *const *anchors; /* self-signed; compared by their bytes */
    size_t anchors_count;
    const mt_bytes *crls; /* DER, each at most MT_X509_CRL_BYTES_MAX */
    size_t crls_count;
    bool needs_crls; /* for every certificate of the chain; else lists are not looked at */
    uint64_t now_ms;
    struct mt_x509_memo *memo; /* of this and other calls; NULL: of this one alone */
};

/* From the first certificate, by way of the others, to an anchor. MT_E_PROOF with the reason in
 * `why`. Any purpose: what a certificate is for stands in its names and extensions, which the
 * caller checks. SHA-1 and keys below 112 bits of strength are untrusted. */
MT_ERR mt_x509_verify(const struct mt_x509_chain *chain, const struct mt_x509_trust *trust,
                      enum mt_x509_fault *why);

#endif
