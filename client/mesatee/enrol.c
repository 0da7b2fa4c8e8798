/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/enrol.h"

#include "attest/credential.h"
#include "crypto/context.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "mesatee/client.h"
#include "wire/json.h"

enum { KEY_MAX = 1024, CERTIFICATE_MAX = 8192, CHALLENGE_MAX = 1024, ANSWER_OK = 200 };

/* What the node says of its TPM. */
struct keys {
    uint8_t certificate[CERTIFICATE_MAX];
    uint8_t endorsement[KEY_MAX];
    uint8_t attestation[KEY_MAX];
    mt_bytes certificate_bytes;
    mt_bytes endorsement_bytes;
    mt_bytes attestation_bytes;
};

static MT_ERR take(const struct mt_json *json, const char *name, mt_span room, mt_bytes *out)
{
    mt_bytes digits;
    MT_TRY(mt_json_text(json, name, &digits));
    MT_REQUIRE(digits.len / 2 <= room.len, MT_E_LIMIT, "a part of the node's answer is too long");
    MT_TRY(mt_hex_parse(digits, (mt_span){room.ptr, digits.len / 2}));
    *out = (mt_bytes){room.ptr, digits.len / 2};
    return MT_OK;
}

static MT_ERR call(struct mt_client *c, enum mt_http_method method, mt_bytes body,
                   struct mt_json **out)
{
    const struct mt_call what = {.method = method, .target = "/enrolment", .body = body};
    struct mt_answer a = {.status = 0};
    mt_err e = mt_client_call(c, &what, &a);
    if (!mt_failed(e)) {
        e = mt_json_parse(mt_buf_bytes(&a.body), out, NULL);
    }
    mt_buf_free(&a.body);
    MT_TRY(e);
    MT_REQUIRE(a.status == ANSWER_OK, MT_E_DENIED,
               "the node does not enrol: it has no TPM, or too many ask at once");
    return MT_OK;
}

static MT_ERR fetch_keys(struct mt_client *c, struct keys *out)
{
    MT_DEFER(mt_json_free) struct mt_json *json = NULL;
    MT_TRY(call(c, MT_HTTP_GET, (mt_bytes){NULL, 0}, &json));
    MT_TRY(take(json, "endorsement_certificate",
                (mt_span){out->certificate, sizeof out->certificate}, &out->certificate_bytes));
    MT_TRY(take(json, "endorsement_public", (mt_span){out->endorsement, sizeof out->endorsement},
                &out->endorsement_bytes));
    return take(json, "attestation_public", (mt_span){out->attestation, sizeof out->attestation},
                &out->attestation_bytes);
}

/* Issuers first, the root last. */
static MT_ERR read_maker(mt_bytes in, struct mt_x509_chain *out)
{
    return in.len > 0 && in.ptr[0] == '-' ? mt_x509_chain_parse(in, out)
                                          : mt_x509_chain_add(out, in);
}

/* The endorsement key's certificate, then the maker's below its root. */
static MT_ERR make_chain(mt_bytes leaf, const struct mt_x509_chain *maker,
                         struct mt_x509_chain *out)
{
    MT_TRY(mt_x509_chain_add(out, leaf));
    for (size_t i = 0; i + 1 < maker->count; i++) {
        MT_TRY(mt_x509_chain_add(out, mt_x509_der(maker->certs[i])));
    }
    return MT_OK;
}

/* A TPM's memory may hold more than the certificate, which says how long it is. */
static mt_bytes one_certificate(mt_bytes in)
{
    enum { HEAD = 4, SEQUENCE = 0x30, LONG_LENGTH = 0x82 };
    if (in.len < HEAD || in.ptr[0] != SEQUENCE || in.ptr[1] != LONG_LENGTH) {
        return in;
    }
    size_t len = HEAD + ((size_t)in.ptr[2] << 8 | in.ptr[3]);
    return len < in.len ? (mt_bytes){in.ptr, len} : in;
}

/* The certificate is by this maker, and of this very key. */
static MT_ERR check_endorsement(const struct mt_enrol_options *o, const struct keys *k,
                                struct mt_trace *trace)
{
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain chain = {.count = 0};
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain maker = {.count = 0};
    MT_DEFER(mt_pubkey_free) struct mt_pubkey *key = NULL;
    enum mt_x509_fault why = MT_X509_SOUND;
    mt_err e = read_maker(o->root, &maker);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "endorsement-root",
             "the certificates of the TPM's maker can be read",
             "give them as PEM, those that sign first and the root last: --root FILE");
    e = make_chain(one_certificate(k->certificate_bytes), &maker, &chain);
    const struct mt_x509 *anchor = maker.certs[maker.count - 1];
    const struct mt_x509_trust trust = {
        .anchors = &anchor, .anchors_count = 1, .now_ms = o->now_ms};
    MT_CHECK(trace, !mt_failed(e) && !mt_failed(mt_x509_verify(&chain, &trust, &why)), MT_E_PROOF,
             "endorsement-certificate", "the TPM's maker has certified its endorsement key",
             "this TPM is not of that maker, or has no certificate: do not enrol it");
    e = mt_credential_ek(k->endorsement_bytes, &key);
    MT_CHECK(trace,
             !mt_failed(e) &&
                 mt_bytes_equal(mt_pubkey_spki(key), mt_pubkey_spki(mt_x509_key(chain.certs[0]))),
             MT_E_PROOF, "endorsement-key", "the certificate is of the key that is shown",
             "the node shows another TPM's certificate: do not trust it");
    return MT_OK;
}

static MT_ERR make_challenge(const struct keys *k, mt_bytes secret, struct mt_buf *out)
{
    uint8_t seed[MT_CREDENTIAL_SEED_LEN];
    uint8_t blob[CHALLENGE_MAX];
    uint8_t wrapped[CHALLENGE_MAX];
    struct mt_writer bw = mt_writer_over((mt_span){blob, sizeof blob});
    struct mt_writer ww = mt_writer_over((mt_span){wrapped, sizeof wrapped});
    struct mt_writer w = mt_writer_onto(out);
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_bytes part;
    MT_TRY(mt_random((mt_span){seed, sizeof seed}));
    const struct mt_credential_wish wish = {k->endorsement_bytes, k->attestation_bytes,
                                            MT_BYTES_OF(seed), secret};
    MT_TRY(mt_credential_make(&wish, &bw, &ww));
    mt_json_begin_object(&j, NULL);
    MT_TRY(mt_write_end(&bw, &part));
    mt_json_put_hex(&j, "credential_blob", part);
    MT_TRY(mt_write_end(&ww, &part));
    mt_json_put_hex(&j, "secret", part);
    mt_json_end_object(&j);
    return mt_write_end(&w, &part);
}

static MT_ERR check_beside(struct mt_client *c, const struct keys *k, struct mt_trace *trace)
{
    uint8_t secret[MT_CREDENTIAL_SECRET_LEN];
    uint8_t answer[MT_CREDENTIAL_SECRET_LEN];
    mt_bytes said = {NULL, 0};
    MT_DEFER(mt_buf_free) struct mt_buf body = mt_buf_of_max((size_t)8 * CHALLENGE_MAX);
    MT_DEFER(mt_json_free) struct mt_json *json = NULL;
    MT_TRY(mt_random((mt_span){secret, sizeof secret}));
    mt_err e = make_challenge(k, MT_BYTES_OF(secret), &body);
    e = mt_failed(e) ? e : call(c, MT_HTTP_POST, mt_buf_bytes(&body), &json);
    e = mt_failed(e) ? e : take(json, "answer", (mt_span){answer, sizeof answer}, &said);
    MT_CHECK(trace, !mt_failed(e) && mt_ct_equal(said, MT_BYTES_OF(secret)), MT_E_PROOF,
             "credential-activation",
             "the TPM with the certified endorsement key holds the key that quotes, too",
             "the quoting key is not of this TPM, or too many ask at once: try again in a while");
    return MT_OK;
}

MT_ERR mt_enrol(const struct mt_enrol_options *o, mt_hash *platform, struct mt_trace *trace)
{
    MT_DEFER(mt_client_close) struct mt_client *c = NULL;
    struct keys k;
    const struct mt_client_options co = {
        .address = o->address, .key = o->key, .believes_nothing = true};
    MT_TRY(mt_client_open(&co, &c));
    MT_TRY(fetch_keys(c, &k));
    MT_TRY(check_endorsement(o, &k, trace));
    MT_TRY(check_beside(c, &k, trace));
    mt_sha256(&k.attestation_bytes, 1, platform);
    return MT_OK;
}
