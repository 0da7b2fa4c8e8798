/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <tss2/tss2_mu.h>

#include "base/limits.h"
#include "crypto/hash.h"
#include "platform/tpm/inside.h"

enum {
    PCRS = 24,
    ROUNDS_MAX = 8,  /* a TPM gives some PCRs at a time */
    ATTEMPTS_MAX = 4 /* to find the PCRs at rest */
};

void mt_tpm_selection(uint32_t pcrs, TPML_PCR_SELECTION *out)
{
    *out = (TPML_PCR_SELECTION){
        .count = 1, .pcrSelections = {{.hash = TPM2_ALG_SHA256, .sizeofSelect = PCRS / 8}}};
    for (size_t i = 0; i < PCRS / 8; i++) {
        out->pcrSelections[0].pcrSelect[i] = (uint8_t)(pcrs >> (8 * i));
    }
}

struct pcrs {
    uint8_t value[PCRS][sizeof(mt_hash)];
    uint32_t wanted; /* by bit */
    uint32_t got;
    uint32_t counter; /* of the TPM: how often any was extended */
};

/* One answer: which it gives, the TPM chooses; those that were not asked for are refused. */
static MT_ERR take_values(struct pcrs *p, const TPML_PCR_SELECTION *which,
                          const TPML_DIGEST *values)
{
    uint32_t next = 0;
    const TPMS_PCR_SELECTION *s = &which->pcrSelections[0];
    MT_REQUIRE(which->count == 1 && s->hash == TPM2_ALG_SHA256 && s->sizeofSelect <= PCRS / 8,
               MT_E_FORMAT, "a TPM gives PCRs of another bank");
    for (uint32_t i = 0; i < s->sizeofSelect * 8U; i++) {
        if ((s->pcrSelect[i / 8] >> (i % 8) & 1) == 0) {
            continue;
        }
        const uint32_t bit = UINT32_C(1) << i;
        MT_REQUIRE((p->wanted & bit) != 0 && (p->got & bit) == 0, MT_E_FORMAT,
                   "a TPM gives a PCR that nobody asked for");
        MT_REQUIRE(next < values->count && values->digests[next].size == sizeof(mt_hash),
                   MT_E_FORMAT, "a TPM gives no value for a PCR");
        memcpy(p->value[i], values->digests[next].buffer, sizeof(mt_hash));
        p->got |= bit;
        next++;
    }
    MT_REQUIRE(next > 0 && next == values->count, MT_E_FORMAT,
               "a TPM gives other PCRs than it says");
    return MT_OK;
}

/* MT_E_BUSY if one was extended between two answers. */
static MT_ERR read_once(struct mt_tpm *t, struct pcrs *p)
{
    for (size_t round = 0; p->got != p->wanted; round++) {
        UINT32 counter = 0;
        TPML_PCR_SELECTION in;
        MT_DEFER(mt_tpm_release) TPML_PCR_SELECTION *which = NULL;
        MT_DEFER(mt_tpm_release) TPML_DIGEST *values = NULL;
        MT_REQUIRE(round < ROUNDS_MAX, MT_E_FORMAT, "a TPM gives PCRs too slowly");
        mt_tpm_selection(p->wanted & ~p->got, &in);
        MT_TRY(mt_tpm_said(Esys_PCR_Read(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &in,
                                         &counter, &which, &values)));
        MT_REQUIRE(round == 0 || counter == p->counter, MT_E_BUSY, "PCRs do not stand still");
        p->counter = counter;
        MT_TRY(take_values(p, which, values));
    }
    return MT_OK;
}

MT_ERR mt_tpm_read_pcrs(struct mt_tpm *t, uint32_t pcrs, struct mt_buf *out)
{
    struct pcrs p = {.wanted = pcrs};
    mt_err e = read_once(t, &p);
    for (size_t i = 1; i < ATTEMPTS_MAX && mt_failed(e) && e.fault->code == MT_E_BUSY; i++) {
        p = (struct pcrs){.wanted = pcrs};
        e = read_once(t, &p);
    }
    MT_TRY(e);
    for (size_t i = 0; i < PCRS; i++) {
        if ((pcrs >> i & 1) != 0) {
            MT_TRY(mt_buf_append(out, MT_BYTES_OF(p.value[i])));
        }
    }
    return MT_OK;
}

/* Whether the quote is of these values; an error if it is about anything else than we asked. */
static MT_ERR check_quote(const TPM2B_ATTEST *quote, const mt_hash *extra,
                          const TPML_PCR_SELECTION *selection, mt_bytes values, bool *is_of_values)
{
    size_t at = 0;
    TPMS_ATTEST said;
    mt_hash digest;
    uint8_t wanted[sizeof(TPML_PCR_SELECTION)];
    uint8_t given[sizeof(TPML_PCR_SELECTION)];
    size_t wanted_len = 0;
    size_t given_len = 0;
    MT_TRY(mt_tpm_said(
        Tss2_MU_TPMS_ATTEST_Unmarshal(quote->attestationData, quote->size, &at, &said)));
    MT_REQUIRE(at == quote->size && said.magic == TPM2_GENERATED_VALUE &&
                   said.type == TPM2_ST_ATTEST_QUOTE,
               MT_E_FORMAT, "what a TPM gives is no quote");
    MT_REQUIRE(
        mt_bytes_equal((mt_bytes){said.extraData.buffer, said.extraData.size}, MT_BYTES_OF(*extra)),
        MT_E_PROOF, "a TPM quotes something else than it was asked");
    MT_TRY(mt_tpm_said(
        Tss2_MU_TPML_PCR_SELECTION_Marshal(selection, wanted, sizeof wanted, &wanted_len)));
    MT_TRY(mt_tpm_said(Tss2_MU_TPML_PCR_SELECTION_Marshal(&said.attested.quote.pcrSelect, given,
                                                          sizeof given, &given_len)));
    MT_REQUIRE(mt_bytes_equal((mt_bytes){wanted, wanted_len}, (mt_bytes){given, given_len}),
               MT_E_PROOF, "a TPM quotes other PCRs than it was asked");
    mt_sha256(&values, 1, &digest);
    *is_of_values = mt_bytes_equal(
        (mt_bytes){said.attested.quote.pcrDigest.buffer, said.attested.quote.pcrDigest.size},
        MT_BYTES_OF(digest));
    return MT_OK;
}

MT_ERR mt_tpm_quote(struct mt_tpm *t, ESYS_TR key, const uint8_t report_data[MT_REPORT_DATA_LEN],
                    struct mt_buf *quoted, struct mt_device_evidence *out)
{
    static const TPMT_SIG_SCHEME of_the_key = {.scheme = TPM2_ALG_NULL};
    const mt_bytes asked = {report_data, MT_REPORT_DATA_LEN};
    mt_hash extra;
    TPML_PCR_SELECTION selection;
    TPM2B_DATA about = {.size = sizeof extra.b};
    mt_sha256(&asked, 1, &extra);
    memcpy(about.buffer, extra.b, sizeof extra.b);
    mt_tpm_selection(MT_TPM_PCRS_QUOTED, &selection);
    for (size_t attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        bool is_of_values = false;
        uint8_t bytes[sizeof(TPMT_SIGNATURE)];
        size_t len = 0;
        MT_DEFER(mt_tpm_release) TPM2B_ATTEST *quote = NULL;
        MT_DEFER(mt_tpm_release) TPMT_SIGNATURE *signature = NULL;
        mt_buf_drop(&out->pcrs, out->pcrs.len);
        MT_TRY(mt_tpm_read_pcrs(t, MT_TPM_PCRS_QUOTED, &out->pcrs));
        MT_TRY(mt_tpm_said(Esys_Quote(t->esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                      &about, &of_the_key, &selection, &quote, &signature)));
        MT_TRY(check_quote(quote, &extra, &selection, mt_buf_bytes(&out->pcrs), &is_of_values));
        if (is_of_values) {
            MT_TRY(
                mt_tpm_said(Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof bytes, &len)));
            MT_TRY(mt_buf_append(quoted, (mt_bytes){quote->attestationData, quote->size}));
            return mt_buf_append(&out->signature, (mt_bytes){bytes, len});
        }
    }
    MT_FAIL(MT_E_BUSY, "PCRs do not stand still");
}

mt_err mt_tpm_evidence(struct mt_device *d, const uint8_t report_data[MT_REPORT_DATA_LEN],
                       struct mt_device_evidence *out)
{
    uint8_t bytes[sizeof(TPMT_PUBLIC)];
    size_t len = 0;
    struct mt_tpm *t = mt_tpm_of(d);
    MT_DEFER(mt_tpm_release) TPM2B_PUBLIC *public_area = NULL;
    MT_DEFER(mt_tpm_flush) struct mt_tpm_object ak = {t, ESYS_TR_NONE};
    MT_TRY(mt_tpm_ready(t));
    MT_TRY(mt_tpm_primary(&ak, MT_TPM_AK, &public_area));
    MT_TRY(mt_tpm_said(
        Tss2_MU_TPMT_PUBLIC_Marshal(&public_area->publicArea, bytes, sizeof bytes, &len)));
    MT_TRY(mt_tpm_quote(t, ak.at, report_data, &out->quote, out));
    MT_TRY(mt_buf_append(&out->ak_public, (mt_bytes){bytes, len}));
    MT_TRY(mt_buf_append(&out->event_log, mt_buf_bytes(&t->event_log)));
    out->kind = MT_EVIDENCE_TPM;
    return MT_OK;
}
