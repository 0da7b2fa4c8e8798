/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/tpm_ak.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/x509.h"

enum { COORDINATE_MAX = 48 };

void mt_tpm_ak_done(struct mt_tpm_ak *ak)
{
    mt_pubkey_free(&ak->key);
}

/* Big endian, with the zeros in front that a TPM may leave out. */
static void put_padded(mt_bytes number, uint8_t *out, size_t len)
{
    memset(out, 0, len);
    memcpy(out + len - number.len, number.ptr, number.len);
}

static MT_ERR key_of(const struct mt_tpm_public *p, struct mt_pubkey **out)
{
    if (p->type == MT_TPM_RSA) {
        const uint8_t e[] = {(uint8_t)(p->exponent >> 24), (uint8_t)(p->exponent >> 16),
                             (uint8_t)(p->exponent >> 8), (uint8_t)p->exponent};
        return mt_pubkey_of_rsa(p->n, MT_BYTES_OF(e), out);
    }
    uint8_t xy[2 * COORDINATE_MAX];
    size_t len = p->curve == MT_TPM_CURVE_P256 ? 32 : COORDINATE_MAX;
    put_padded(p->x, xy, len);
    put_padded(p->y, xy + len, len);
    return mt_pubkey_of_point((mt_bytes){xy, 2 * len}, out);
}

MT_ERR mt_tpm_ak_of(mt_bytes public, struct mt_tpm_ak *out, struct mt_trace *trace)
{
    enum {
        DEMANDED = MT_TPM_FIXED_TPM | MT_TPM_FIXED_PARENT | MT_TPM_SENSITIVE_DATA_ORIGIN |
                   MT_TPM_RESTRICTED | MT_TPM_SIGN,
        LOOKED_AT = DEMANDED | MT_TPM_DECRYPT
    };
    struct mt_tpm_public p = {.scheme = MT_TPM_NULL};
    struct mt_pubkey *key = NULL;
    mt_err e = mt_tpm_public_parse(public, &p);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "ak-format",
             "the key that quotes is given as the TPM describes it (TPMT_PUBLIC)",
             "give the public part of the attestation key: ak_pub.tpmt");
    MT_CHECK(trace, (p.attributes & LOOKED_AT) == DEMANDED, MT_E_PROOF, "ak-attributes",
             "the key was born in its TPM, never leaves it, and signs what the TPM itself has made "
             "and nothing else",
             "with a key that is not restricted anybody can sign a forged quote: make an "
             "attestation key of a proper template");
    e = key_of(&p, &key);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "ak-key",
             "the key is one that can be verified with: RSA from 2048 bits, P-256 or P-384",
             "make an attestation key of a proper template");
    *out = (struct mt_tpm_ak){.key = key, .scheme = p.scheme, .hash = p.scheme_hash};
    mt_sha256(&public, 1, &out->name);
    return MT_OK;
}

/* Certificates in DER, one after another; a TPM's memory gives them with zeros behind. */
static MT_ERR add_each(struct mt_x509_chain *chain, mt_bytes in)
{
    enum { SEQUENCE = 0x30, LONG_LENGTH = 0x82 };
    struct mt_reader r = mt_reader_over(in);
    while (r.rest.len > 0 && r.rest.ptr[0] != 0) {
        struct mt_reader head = r;
        uint16_t tag = 0;
        uint16_t len = 0;
        mt_bytes der;
        MT_TRY(mt_read_u16be(&head, &tag));
        MT_TRY(mt_read_u16be(&head, &len));
        MT_REQUIRE(tag == (SEQUENCE << 8 | LONG_LENGTH), MT_E_FORMAT,
                   "certificates of a key are neither PEM nor DER");
        MT_TRY(mt_read_bytes(&r, (size_t)len + 4, &der));
        MT_TRY(mt_x509_chain_add(chain, der));
    }
    for (size_t i = 0; i < r.rest.len; i++) {
        MT_REQUIRE(r.rest.ptr[i] == 0, MT_E_FORMAT, "something stands behind certificates");
    }
    return MT_OK;
}

/* The certificates that decide: those of the evidence, then what the build knows. */
struct way {
    struct mt_x509_chain chain;
    struct mt_x509_chain pinned;
    const struct mt_x509 *anchors[MT_TPM_ROOTS + MT_X509_CHAIN_MAX];
    size_t anchors_count;
};

static void end_way(struct way *w)
{
    mt_x509_chain_free(&w->chain);
    mt_x509_chain_free(&w->pinned);
}

static MT_ERR add_pem(struct mt_x509_chain *to, mt_bytes pem)
{
    struct mt_x509_chain one = {.count = 0};
    MT_TRY(mt_x509_chain_parse(pem, &one));
    mt_err e = mt_x509_chain_add(to, mt_x509_der(one.certs[0]));
    mt_x509_chain_free(&one);
    return e;
}

static MT_ERR read_way(mt_bytes given, const struct mt_attest_roots *roots, struct way *w)
{
    const struct mt_tpm_roots *known = mt_tpm_roots_pinned();
    MT_TRY(mt_bytes_start_with(given, MT_LITERAL("-----")) ? mt_x509_chain_parse(given, &w->chain)
                                                           : add_each(&w->chain, given));
    for (size_t i = 0; i < w->chain.count; i++) {
        const mt_bytes der = mt_x509_der(w->chain.certs[i]);
        mt_hash hash;
        mt_sha256(&der, 1, &hash);
        if (mt_hash_is_among(&hash, roots->tpm_roots, roots->tpm_roots_count)) {
            w->anchors[w->anchors_count++] = w->chain.certs[i];
        }
    }
    for (size_t i = 0; i < MT_TPM_ROOTS; i++) {
        MT_TRY(add_pem(&w->pinned, known->roots[i]));
        w->anchors[w->anchors_count++] = w->pinned.certs[i];
    }
    for (size_t i = 0; i < MT_TPM_SIGNERS; i++) {
        MT_TRY(add_pem(&w->chain, known->signers[i]));
    }
    return MT_OK;
}

MT_ERR mt_tpm_ak_chain_check(const struct mt_tpm_ak *ak, const struct mt_evidence *in,
                             const struct mt_attest_roots *roots, struct mt_trace *trace)
{
    MT_DEFER(end_way) struct way w = {.anchors_count = 0};
    enum mt_x509_fault why = MT_X509_MALFORMED;
    mt_err e = read_way(in->collateral.ak_chain, roots, &w);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "ak-chain-format",
             "the certificates of the key that quotes can be read",
             "give them leaf first, all as PEM or all as DER");
    MT_CHECK(trace,
             mt_bytes_equal(mt_pubkey_spki(mt_x509_key(w.chain.certs[0])), mt_pubkey_spki(ak->key)),
             MT_E_PROOF, "ak-certificate", "the certificate is of the key that quotes",
             "give the certificate of this very key");
    const struct mt_x509_trust trust = {
        .anchors = w.anchors, .anchors_count = w.anchors_count, .now_ms = in->now_ms};
    e = mt_x509_verify(&w.chain, &trust, &why);
    MT_CHECK(trace, why != MT_X509_EXPIRED && why != MT_X509_NOT_YET_VALID, MT_E_PROOF,
             "ak-validity", "the certificates of the key that quotes hold at this time",
             "have the key certified again; if that does not help, look at this machine's clock");
    MT_CHECK(trace, !mt_failed(e), MT_E_PROOF, "platform-unknown",
             "the certificates of the key that quotes lead to a root that the policy names or "
             "this build knows",
             "give the certificates between; if you trust whoever issued them, name their root: "
             "mesatee policy new --tpm-root HASH");
    return MT_OK;
}

MT_ERR mt_tpm_ak_check(const struct mt_tpm_ak *ak, const struct mt_evidence *in,
                       const struct mt_attest_roots *roots, struct mt_trace *trace)
{
    const struct mt_soft_input known = {.endorsements = in->endorsements,
                                        .endorsements_count = in->endorsements_count,
                                        .roots = roots->known,
                                        .now_ms = in->now_ms};
    bool is_known = mt_platform_is_known(&known, &ak->name) ||
                    mt_hash_is_among(&ak->name, roots->machines, roots->machines_count);
    if (!is_known && in->collateral.ak_chain.len > 0) {
        return mt_tpm_ak_chain_check(ak, in, roots, trace);
    }
    MT_CHECK(trace, is_known, MT_E_PROOF, "platform-unknown",
             "the key that quotes is known, or certified by somebody who is",
             "anybody can make a TPM in software: if this machine is yours, name its key in your "
             "policy: mesatee policy new --platform HASH");
    return MT_OK;
}
