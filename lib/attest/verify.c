/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/verify.h"

#include "attest/azure.h"
#include "attest/dcap.h"
#include "attest/snp.h"
#include "attest/soft.h"
#include "attest/tcg_log.h"
#include "attest/tpm.h"

static uint32_t u32le_at(mt_bytes b, size_t at)
{
    return (uint32_t)b.ptr[at] | (uint32_t)b.ptr[at + 1] << 8 | (uint32_t)b.ptr[at + 2] << 16 |
           (uint32_t)b.ptr[at + 3] << 24;
}

/* A DCAP quote begins with version, kind of key, and type of TEE. */
static enum mt_evidence_kind kind_of_quote(mt_bytes quote)
{
    enum { HEAD = 48, VERSION_MIN = 3, VERSION_MAX = 5, TEE_SGX = 0, TEE_TDX = 0x81 };
    uint32_t version = quote.len >= HEAD ? u32le_at(quote, 0) & 0xffff : 0;
    if (version < VERSION_MIN || version > VERSION_MAX) {
        return MT_EVIDENCE_NONE;
    }
    uint32_t tee = u32le_at(quote, 4);
    return tee == TEE_SGX ? MT_EVIDENCE_SGX : tee == TEE_TDX ? MT_EVIDENCE_TDX : MT_EVIDENCE_NONE;
}

enum mt_evidence_kind mt_evidence_kind_of(const struct mt_evidence *in)
{
    if (in->hcl_report.len > 0 || in->runtime_data.len > 0) {
        return MT_EVIDENCE_AZURE; /* also where a part of it was left out: that is refused */
    }
    if (in->quote.len == MT_SNP_REPORT_LEN) {
        return MT_EVIDENCE_SNP; /* no DCAP quote is as short */
    }
    if (mt_tpm_is_generated(in->quote)) {
        return MT_EVIDENCE_TPM;
    }
    return kind_of_quote(in->quote);
}

static MT_ERR check_expected(enum mt_evidence_kind kind, mt_bytes expected, struct mt_trace *trace)
{
    bool is_tpm = kind == MT_EVIDENCE_TPM || kind == MT_EVIDENCE_AZURE;
    bool is_full = is_tpm ? expected.len > 0 && expected.len <= MT_TPM_DATA_MAX
                          : expected.len == MT_REPORT_DATA_LEN;
    MT_CHECK(trace, is_full, MT_E_PROOF, "report-data-length",
             "what the evidence must be about is given whole",
             "give all 64 bytes of report data, of a TPM all of its qualifying data: --report-data "
             "HEX");
    return MT_OK;
}

/* Whether the register of this number that the evidence claims holds what the log gives. A PCR that
 * the log does not mention is nothing to it; the registers of a guest begin with zeros. */
static bool is_explained(const struct mt_tcg_replay *r, enum mt_tcg_bank bank, uint32_t at,
                         const struct mt_claims *c)
{
    bool is_pcr = bank == MT_TCG_PCRS_SHA256;
    char name[] = {is_pcr ? 'P' : 'R', is_pcr ? 'C' : 'T', is_pcr ? 'R' : 'M', 0, 0, 0};
    size_t len = 3;
    if (!is_pcr) {
        name[len++] = 'R';
    }
    if (at >= 10) {
        name[len++] = (char)('0' + at / 10);
    }
    name[len++] = (char)('0' + at % 10);
    const struct mt_claimed *x = mt_claimed(c, (mt_bytes){(const uint8_t *)name, len});
    bool is_touched = (r->touched >> at & 1) == 1;
    return is_pcr && (x == NULL || !is_touched)
               ? true
               : x != NULL && mt_bytes_equal((mt_bytes){x->bytes, x->len},
                                             (mt_bytes){r->values[at], x->len});
}

/* A log is not needed, but one that is shown must explain what the hardware has signed. */
static MT_ERR check_log(mt_bytes log, enum mt_tcg_bank bank, const struct mt_claims *c,
                        struct mt_trace *trace)
{
    enum { RTMRS = 4 };
    struct mt_tcg_replay replay;
    bool is_same = true;
    if (log.len == 0) {
        return MT_OK;
    }
    mt_err e = mt_tcg_log_replay(log, bank, &replay);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "event-log-format",
             "the event log is one of the TCG, whole, with a digest of each event",
             "the log was cut or damaged: fetch it again");
    uint32_t count = bank == MT_TCG_PCRS_SHA256 ? MT_TCG_PCRS_MAX : RTMRS;
    for (uint32_t i = 0; i < count; i++) {
        is_same = is_same && is_explained(&replay, bank, i, c);
    }
    MT_CHECK(trace, is_same, MT_E_PROOF, "event-log",
             "replaying the event log gives the registers that the hardware has signed",
             "the log was changed, or is of another boot: do not trust what it says");
    return MT_OK;
}

MT_ERR mt_evidence_verify(enum mt_evidence_kind kind, const struct mt_evidence *in,
                          mt_bytes expected, struct mt_claims *out, struct mt_trace *trace)
{
    static const struct mt_attest_roots nobody;
    const struct mt_attest_roots *roots = in->roots == NULL ? &nobody : in->roots;
    MT_TRY(check_expected(kind, expected, trace));
    switch (kind) {
    case MT_EVIDENCE_SNP:
        return mt_snp_verify(in, mt_snp_roots_amd(), expected.ptr, out, trace);
    case MT_EVIDENCE_SGX:
        return mt_dcap_verify(in, mt_dcap_intel_roots(), expected.ptr, out, trace);
    case MT_EVIDENCE_TDX:
        MT_TRY(mt_dcap_verify(in, mt_dcap_intel_roots(), expected.ptr, out, trace));
        return check_log(in->event_log, MT_TCG_RTMRS_SHA384, out, trace);
    case MT_EVIDENCE_TPM:
        MT_TRY(mt_tpm_verify(in, roots, expected, out, trace));
        return check_log(in->event_log, MT_TCG_PCRS_SHA256, out, trace);
    case MT_EVIDENCE_AZURE:
        MT_TRY(mt_azure_verify(in, roots, expected, out, trace));
        return check_log(in->event_log, MT_TCG_PCRS_SHA256, out, trace);
    case MT_EVIDENCE_NONE:
    case MT_EVIDENCE_SOFT:
    case MT_EVIDENCE_KINDS:
        break;
    }
    mt_trace_fail(trace, "evidence-kind", "the evidence is of a kind that hardware makes",
                  "give a DCAP quote, an SNP report, a TPM's quote, or a folder with one");
    MT_FAIL(MT_E_FORMAT, "evidence-kind");
}

MT_ERR mt_evidence_hardware(const struct mt_evidence *in, struct mt_evidence *out)
{
    if (mt_evidence_kind_of(in) == MT_EVIDENCE_AZURE) {
        return mt_azure_hardware(in, out);
    }
    *out = *in;
    return MT_OK;
}

MT_ERR mt_evidence_collateral_verify(const struct mt_evidence *in, struct mt_trace *trace)
{
    MT_DEFER(mt_dcap_trust_free) struct mt_dcap_trust *believed = NULL;
    struct mt_evidence hardware;
    MT_TRY(mt_evidence_hardware(in, &hardware));
    switch (mt_evidence_kind_of(&hardware)) {
    case MT_EVIDENCE_SNP:
        return mt_snp_collateral_verify(&hardware, mt_snp_roots_amd(), trace);
    case MT_EVIDENCE_SGX:
    case MT_EVIDENCE_TDX:
        return mt_dcap_trust_new(&hardware, mt_dcap_intel_roots(), &believed, trace);
    case MT_EVIDENCE_NONE:
    case MT_EVIDENCE_SOFT:
    case MT_EVIDENCE_TPM:
    case MT_EVIDENCE_AZURE:
    case MT_EVIDENCE_KINDS:
        break;
    }
    MT_FAIL(MT_E_FORMAT, "evidence of a kind that has no collateral of its maker");
}

MT_ERR mt_evidence_show(const struct mt_evidence *in, struct mt_claims *out)
{
    switch (mt_evidence_kind_of(in)) {
    case MT_EVIDENCE_SNP:
        return mt_snp_show(in, out);
    case MT_EVIDENCE_SGX:
    case MT_EVIDENCE_TDX:
        return mt_dcap_show(in, out);
    case MT_EVIDENCE_TPM:
        return mt_tpm_show(in, out);
    case MT_EVIDENCE_AZURE:
        return mt_azure_show(in, out);
    case MT_EVIDENCE_NONE:
    case MT_EVIDENCE_SOFT:
    case MT_EVIDENCE_KINDS:
        break;
    }
    return mt_soft_evidence_show(in->quote, out); /* which is told by its signature */
}
