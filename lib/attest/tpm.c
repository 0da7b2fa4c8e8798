/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/tpm.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/ct.h"
#include "crypto/hash.h"

enum {
    COORDINATE_MAX = 48,
    VALUES_MAX = MT_TPM_BANKS_MAX * MT_TPM_PCRS * MT_TPM_DIGEST_MAX,
};

/* Those that say which code was started, and with which command line: firmware, drivers, boot
 * loader, Secure Boot, and what systemd's stub measures. */
static const uint8_t measured[] = {0, 2, 4, 7, 9, 11, 12, 13};

static bool scheme_of(const struct mt_tpm_signature *s, enum mt_pubkey_kind kind,
                      enum mt_scheme *out)
{
    static const struct {
        uint16_t scheme;
        uint16_t hash;
        enum mt_pubkey_kind kind;
        enum mt_scheme is;
    } known[] = {
        {MT_TPM_RSASSA, MT_TPM_SHA256, MT_PUBKEY_RSA, MT_RSA_PKCS1_SHA256},
        {MT_TPM_RSASSA, MT_TPM_SHA384, MT_PUBKEY_RSA, MT_RSA_PKCS1_SHA384},
        {MT_TPM_RSASSA, MT_TPM_SHA512, MT_PUBKEY_RSA, MT_RSA_PKCS1_SHA512},
        {MT_TPM_RSAPSS, MT_TPM_SHA256, MT_PUBKEY_RSA, MT_RSA_PSS_SHA256},
        {MT_TPM_RSAPSS, MT_TPM_SHA384, MT_PUBKEY_RSA, MT_RSA_PSS_SHA384},
        {MT_TPM_ECDSA, MT_TPM_SHA256, MT_PUBKEY_P256, MT_ECDSA_P256_SHA256},
        {MT_TPM_ECDSA, MT_TPM_SHA384, MT_PUBKEY_P384, MT_ECDSA_P384_SHA384},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].scheme == s->scheme && known[i].hash == s->hash && known[i].kind == kind) {
            *out = known[i].is;
            return true;
        }
    }
    return false;
}

/* The bytes that lib/crypto takes: r || s, each as long as the curve's order. */
static MT_ERR raw_of(const struct mt_tpm_signature *s, enum mt_pubkey_kind kind,
                     uint8_t room[2 * COORDINATE_MAX], mt_bytes *out)
{
    size_t len = kind == MT_PUBKEY_P256 ? 32 : COORDINATE_MAX;
    if (s->scheme != MT_TPM_ECDSA) {
        *out = s->rsa;
        return MT_OK;
    }
    MT_REQUIRE(s->r.len <= len && s->s.len <= len, MT_E_PROOF, "a signature is too long");
    memset(room, 0, 2 * len);
    memcpy(room + len - s->r.len, s->r.ptr, s->r.len);
    memcpy(room + 2 * len - s->s.len, s->s.ptr, s->s.len);
    *out = (mt_bytes){room, 2 * len};
    return MT_OK;
}

static MT_ERR check_signature(const struct mt_tpm_shown *in, const struct mt_tpm_ak *ak,
                              struct mt_tpm_signature *s, struct mt_trace *trace)
{
    uint8_t room[2 * COORDINATE_MAX];
    mt_bytes raw = {NULL, 0};
    enum mt_pubkey_kind kind = mt_pubkey_kind(ak->key);
    enum mt_scheme scheme = MT_RSA_PKCS1_SHA256;
    mt_err e = mt_tpm_signature_parse(in->signature, s);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "tpm-signature-format",
             "a signature as a TPM writes it is given (TPMT_SIGNATURE)",
             "give the quote's signature: quote.sig");
    bool is_own = ak->scheme == MT_TPM_NULL || (ak->scheme == s->scheme && ak->hash == s->hash);
    MT_CHECK(trace, scheme_of(s, kind, &scheme) && is_own, MT_E_PROOF, "tpm-signature-scheme",
             "the quote is signed by the key's own scheme, with SHA-256 or better",
             "SHA-1 proves nothing: make an attestation key that signs with SHA-256");
    e = raw_of(s, kind, room, &raw);
    e = mt_failed(e) ? e : mt_pubkey_verify(ak->key, scheme, in->quote, raw);
    MT_CHECK(trace, !mt_failed(e), MT_E_PROOF, "tpm-signature",
             "the quote's own bytes are signed by the key that is given",
             "the quote was changed, or is of another key");
    return MT_OK;
}

static size_t count_of(uint32_t pcrs)
{
    size_t count = 0;
    for (; pcrs != 0; pcrs &= pcrs - 1) {
        count++;
    }
    return count;
}

/* What the quote selects, one after another. Whoever reads PCRs may give all there are of the one
 * bank that is quoted; then those that are not quoted are left out. */
static MT_ERR collect(const struct mt_tpm_quote *q, mt_bytes given, struct mt_buf *out)
{
    size_t wanted = 0;
    size_t len = mt_tpm_digest_len(q->banks[0].hash);
    for (size_t i = 0; i < q->banks_count; i++) {
        wanted += count_of(q->banks[i].pcrs) * mt_tpm_digest_len(q->banks[i].hash);
    }
    if (given.len == wanted) {
        return mt_buf_append(out, given);
    }
    MT_REQUIRE(q->banks_count == 1 && given.len == MT_TPM_PCRS * len, MT_E_FORMAT,
               "the values of PCRs are not those of the quoted ones");
    for (size_t i = 0; i < MT_TPM_PCRS; i++) {
        if ((q->banks[0].pcrs >> i & 1) != 0) {
            MT_TRY(mt_buf_append(out, (mt_bytes){given.ptr + i * len, len}));
        }
    }
    return MT_OK;
}

/* The values of the bank that the measurement is made of. */
static bool take_bank(const struct mt_tpm_quote *q, mt_bytes values, struct mt_tpm_said *out)
{
    const uint8_t *at = values.ptr;
    for (size_t i = 0; i < q->banks_count; i++) {
        const struct mt_tpm_selection *b = &q->banks[i];
        size_t len = mt_tpm_digest_len(b->hash);
        for (size_t n = 0; b->hash == MT_TPM_SHA256 && n < MT_TPM_PCRS; n++) {
            if ((b->pcrs >> n & 1) != 0) {
                memcpy(out->values[n].b, at, len);
                at += len;
            }
        }
        if (b->hash == MT_TPM_SHA256) {
            out->pcrs = b->pcrs;
            return b->pcrs != 0;
        }
        at += count_of(b->pcrs) * len;
    }
    return false;
}

/* The digest is of the hash of the signature, whatever the banks' (TPM 2.0 Library, Part 3,
 * TPM2_Quote). */
static bool is_digest_of(mt_bytes digest, uint16_t hash, mt_bytes values)
{
    uint8_t room[MT_SHA512_LEN];
    mt_hash h;
    if (hash == MT_TPM_SHA384) {
        mt_sha384(&values, 1, room);
        return mt_bytes_equal(digest, (mt_bytes){room, MT_SHA384_LEN});
    }
    if (hash == MT_TPM_SHA512) {
        mt_sha512(&values, 1, room);
        return mt_bytes_equal(digest, MT_BYTES_OF(room));
    }
    mt_sha256(&values, 1, &h);
    return mt_bytes_equal(digest, mt_hash_bytes(&h));
}

static MT_ERR check_pcrs(mt_bytes given, uint16_t hash, struct mt_tpm_said *out,
                         struct mt_trace *trace)
{
    MT_DEFER(mt_buf_free) struct mt_buf values = mt_buf_of_max(VALUES_MAX);
    const struct mt_tpm_quote *q = &out->quote;
    mt_err e = collect(q, given, &values);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "pcr-values",
             "the values of the quoted PCRs are given, all of them and no others",
             "give them one after another, in order of the index: pcrs_sha256.bin");
    MT_CHECK(trace, is_digest_of(q->pcr_digest, hash, mt_buf_bytes(&values)), MT_E_PROOF,
             "pcr-digest", "the quote is about these values of PCRs",
             "the values were changed, or are of another time: read them and quote again");
    MT_CHECK(trace, take_bank(q, mt_buf_bytes(&values), out), MT_E_PROOF, "pcr-bank",
             "PCRs of the SHA-256 bank are quoted",
             "a bank of SHA-1 proves nothing, and others are not measured here: quote the SHA-256 "
             "bank");
    return MT_OK;
}

MT_ERR mt_tpm_quote_verify(const struct mt_tpm_shown *in, const struct mt_tpm_ak *ak,
                           mt_bytes expected, struct mt_tpm_said *out, struct mt_trace *trace)
{
    struct mt_tpm_said s = {.pcrs = 0};
    struct mt_tpm_signature signature = {.hash = 0};
    mt_err e = mt_tpm_quote_parse(in->quote, &s.quote);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "tpm-quote-format",
             "a TPM has made these bytes, they are a quote, and nothing stands behind it",
             "give the quote as the TPM wrote it (TPMS_ATTEST): quote.msg");
    MT_TRY(check_signature(in, ak, &signature, trace));
    MT_CHECK(trace, expected.len > 0 && mt_ct_equal(s.quote.extra_data, expected), MT_E_PROOF,
             "report-data",
             "the evidence was made for this very connection or key, and for nothing else",
             "evidence of another connection was shown: replayed, relayed or reflected; do not "
             "trust whoever sent it");
    MT_TRY(check_pcrs(in->pcrs, signature.hash, &s, trace));
    *out = s;
    return MT_OK;
}

MT_ERR mt_tpm_quote_show(const struct mt_tpm_shown *in, struct mt_tpm_said *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf values = mt_buf_of_max(VALUES_MAX);
    struct mt_tpm_said s = {.pcrs = 0};
    MT_TRY(mt_tpm_quote_parse(in->quote, &s.quote));
    MT_TRY(collect(&s.quote, in->pcrs, &values));
    MT_REQUIRE(take_bank(&s.quote, mt_buf_bytes(&values), &s), MT_E_FORMAT,
               "no PCRs of the SHA-256 bank are quoted");
    *out = s;
    return MT_OK;
}

void mt_tpm_measurement(const struct mt_tpm_said *s, mt_hash *out)
{
    enum { EACH = 4 + sizeof(mt_hash) };
    uint8_t room[4 + sizeof measured * EACH];
    uint32_t count = 0;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    for (size_t i = 0; i < sizeof measured; i++) {
        count += s->pcrs >> measured[i] & 1;
    }
    mt_write_u32be(&w, count);
    for (size_t i = 0; i < sizeof measured; i++) {
        if ((s->pcrs >> measured[i] & 1) != 0) {
            mt_write_u32be(&w, measured[i]);
            mt_write_bytes(&w, mt_hash_bytes(&s->values[measured[i]]));
        }
    }
    const mt_bytes all = mt_write_done(&w);
    mt_sha256_labelled(MT_LABEL_TPM_MEASUREMENT, &all, 1, out);
}

void mt_tpm_claim_quote(const struct mt_tpm_quote *q, struct mt_claims *c)
{
    if (!q->is_safe) {
        mt_claim_weakness(c, MT_WEAK_UNCLEAN_STOP);
    }
    mt_claim_number(c, "clock", q->clock);
    mt_claim_number(c, "reset_count", q->reset_count);
    mt_claim_number(c, "restart_count", q->restart_count);
    mt_claim_bytes(c, "firmware_version", q->firmware_version);
}

void mt_tpm_claim(const struct mt_tpm_said *s, struct mt_claims *c)
{
    static const char *const names[MT_TPM_PCRS] = {
        "PCR0",  "PCR1",  "PCR2",  "PCR3",  "PCR4",  "PCR5",  "PCR6",  "PCR7",
        "PCR8",  "PCR9",  "PCR10", "PCR11", "PCR12", "PCR13", "PCR14", "PCR15",
        "PCR16", "PCR17", "PCR18", "PCR19", "PCR20", "PCR21", "PCR22", "PCR23"};
    mt_tpm_claim_quote(&s->quote, c);
    for (size_t i = 0; i < MT_TPM_PCRS; i++) {
        if ((s->pcrs >> i & 1) != 0) {
            mt_claim_bytes(c, names[i], mt_hash_bytes(&s->values[i]));
        }
    }
}

MT_ERR mt_tpm_verify(const struct mt_evidence *in, const struct mt_attest_roots *roots,
                     mt_bytes expected, struct mt_claims *out, struct mt_trace *trace)
{
    const struct mt_tpm_shown shown = {in->quote, in->signature, in->pcrs};
    MT_DEFER(mt_tpm_ak_done) struct mt_tpm_ak ak = {.key = NULL};
    struct mt_tpm_said said;
    MT_TRY(mt_tpm_ak_of(in->ak_public, &ak, trace));
    MT_TRY(mt_tpm_quote_verify(&shown, &ak, expected, &said, trace));
    MT_TRY(mt_tpm_ak_check(&ak, in, roots, trace));
    *out = (struct mt_claims){.kind = MT_EVIDENCE_TPM,
                              .level = MT_LEVEL_TPM,
                              .has_hardware_root = true,
                              .has_host_in_tcb = true,
                              .platform = ak.name};
    mt_tpm_measurement(&said, &out->measurement);
    mt_tpm_claim(&said, out);
    return MT_OK;
}

MT_ERR mt_tpm_show(const struct mt_evidence *in, struct mt_claims *out)
{
    struct mt_tpm_quote q;
    MT_TRY(mt_tpm_quote_parse(in->quote, &q));
    *out = (struct mt_claims){.kind = MT_EVIDENCE_TPM, .level = MT_LEVEL_TPM};
    mt_tpm_claim_quote(&q, out);
    mt_claim_bytes(out, "report_data", q.extra_data);
    return MT_OK;
}
