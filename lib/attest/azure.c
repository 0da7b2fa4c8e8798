/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/azure.h"

#include "attest/dcap.h"
#include "attest/dcap_quote.h"
#include "attest/hcl.h"
#include "attest/snp.h"
#include "attest/tpm.h"
#include "crypto/hash.h"

/* What is known so far. */
struct step {
    struct mt_evidence hardware;
    bool is_snp;
    mt_bytes td_report; /* of an HCL report: what the quote must be of */
    mt_bytes runtime;
};

/* Parts that stand both in the HCL report and beside it. */
static bool is_same_or_absent(mt_bytes beside, mt_bytes within)
{
    return beside.len == 0 || mt_bytes_equal(beside, within);
}

static MT_ERR take_parts(const struct mt_evidence *in, struct step *s)
{
    struct mt_hcl_report h = {.kind = MT_HCL_SNP};
    s->hardware = *in;
    s->hardware.hcl_report = (mt_bytes){NULL, 0};
    s->hardware.runtime_data = (mt_bytes){NULL, 0};
    s->runtime = in->runtime_data;
    if (in->hcl_report.len > 0) {
        MT_TRY(mt_hcl_report_parse(in->hcl_report, &h));
        MT_REQUIRE(is_same_or_absent(in->runtime_data, h.runtime), MT_E_FORMAT,
                   "runtime claims are not those of the HCL report");
        s->runtime = h.runtime;
        if (h.kind == MT_HCL_SNP) {
            MT_REQUIRE(is_same_or_absent(in->quote, h.hardware), MT_E_FORMAT,
                       "a report is not that of the HCL report");
            s->hardware.quote = h.hardware;
        } else {
            s->td_report = h.hardware;
        }
    }
    s->is_snp = s->hardware.quote.len == MT_SNP_REPORT_LEN;
    MT_REQUIRE(!s->is_snp || s->td_report.len == 0, MT_E_FORMAT,
               "a report is of other hardware than the HCL report");
    MT_REQUIRE(s->runtime.len > 0 && s->hardware.quote.len > 0, MT_E_FORMAT,
               "a report of the hardware, or what it is about, is missing");
    return MT_OK;
}

MT_ERR mt_azure_hardware(const struct mt_evidence *in, struct mt_evidence *out)
{
    struct step s = {.is_snp = false};
    MT_TRY(take_parts(in, &s));
    *out = s.hardware; /* perhaps over what was read */
    return MT_OK;
}

/* The registers as they follow one another in a TD's report. */
static bool are_registers(const struct mt_td_report *q, mt_bytes registers)
{
    const mt_bytes parts[] = {q->mr_td,   q->mr_config_id, q->mr_owner, q->mr_owner_config,
                              q->rtmr[0], q->rtmr[1],      q->rtmr[2],  q->rtmr[3]};
    size_t at = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!mt_bytes_equal(parts[i], (mt_bytes){registers.ptr + at, parts[i].len})) {
            return false;
        }
        at += parts[i].len;
    }
    return at == registers.len;
}

/* The quote is of this report: the machine's own quoting enclave has seen to the MAC. */
static bool is_quoted(const struct mt_td_report *q, mt_bytes td_report)
{
    struct mt_hcl_td_report t;
    return !mt_failed(mt_hcl_td_report_parse(td_report, &t)) &&
           mt_bytes_equal(q->report_data, t.report_data) &&
           mt_bytes_equal(q->tee_tcb_svn, t.tee_tcb_svn) && mt_bytes_equal(q->mr_seam, t.mr_seam) &&
           mt_bytes_equal(q->mr_signer_seam, t.mr_signer_seam) &&
           mt_bytes_equal(q->seam_attributes, t.seam_attributes) &&
           mt_bytes_equal(q->td_attributes, t.td_attributes) && mt_bytes_equal(q->xfam, t.xfam) &&
           are_registers(q, t.registers);
}

bool mt_azure_is_quote_of(mt_bytes quote, mt_bytes td_report)
{
    struct mt_dcap_quote q = {.body = MT_DCAP_SGX};
    return !mt_failed(mt_dcap_quote_parse(quote, &q)) && q.body != MT_DCAP_SGX &&
           is_quoted(&q.td, td_report);
}

/* What the hardware's report is about, unverified so far. */
static MT_ERR read_report_data(const struct step *s, mt_bytes *out, struct mt_trace *trace)
{
    struct mt_snp_report report;
    struct mt_dcap_quote quote = {.body = MT_DCAP_SGX};
    mt_err e = s->is_snp ? mt_snp_report_parse(s->hardware.quote, &report)
                         : mt_dcap_quote_parse(s->hardware.quote, &quote);
    MT_CHECK(trace, !mt_failed(e) && (s->is_snp || quote.body != MT_DCAP_SGX), MT_E_FORMAT,
             "azure-hardware", "the hardware shows a report of SEV-SNP or a quote of TDX",
             "the report was damaged, or is of hardware that has no paravisor");
    MT_CHECK(trace, s->td_report.len == 0 || is_quoted(&quote.td, s->td_report), MT_E_PROOF,
             "td-report", "the quote is of the very report in the HCL report, if there is one",
             "give the quote and the HCL report of one virtual machine and one start");
    *out = s->is_snp ? report.report_data : quote.td.report_data;
    return MT_OK;
}

static MT_ERR check_hardware(const struct step *s, struct mt_claims *out, struct mt_trace *trace)
{
    uint8_t wanted[MT_REPORT_DATA_LEN];
    mt_bytes said = {NULL, 0};
    MT_TRY(read_report_data(s, &said, trace));
    mt_hcl_report_data(s->runtime, wanted);
    MT_CHECK(trace, mt_bytes_equal(said, MT_BYTES_OF(wanted)), MT_E_PROOF, "runtime-claims-hash",
             "the hardware's report is about these runtime claims, and nothing else",
             "claims or report are of another machine or another start: do not trust them");
    if (!s->is_snp) {
        return mt_dcap_verify(&s->hardware, mt_dcap_intel_roots(), wanted, out, trace);
    }
    MT_TRY(mt_snp_verify(&s->hardware, mt_snp_roots_amd(), wanted, out, trace));
    /* What runs above the paravisor has keys of its own to the firmware, and may ask for a report
     * about any claims it likes; the firmware says at which VMPL it was asked. */
    MT_CHECK(trace, !mt_claims_has(out, MT_WEAK_VMPL), MT_E_PROOF, "azure-vmpl",
             "the paravisor itself, at VMPL 0, has asked the hardware for its report",
             "the guest above the paravisor made these claims up: do not trust them");
    return MT_OK;
}

static void claim_machine(const struct step *s, const struct mt_hcl_claims *h,
                          const struct mt_tpm_ak *ak, struct mt_claims *c)
{
    mt_claim_text(c, "hardware", s->is_snp ? "snp" : "tdx");
    mt_claim_bytes(c, "attestation_key", mt_hash_bytes(&ak->name));
    if (h->has_user_data) {
        mt_claim_bytes(c, "user_data", MT_BYTES_OF(h->user_data));
    }
    if (h->has_secure_boot) {
        mt_claim_number(c, "secure_boot", h->is_secure_boot ? 1 : 0);
    }
}

/* The paravisor vouches for the PCRs, and only the hardware for the paravisor: one without the
 * other says nothing of the code. */
static void claim_code(const struct mt_tpm_said *said, struct mt_claims *c)
{
    mt_hash started;
    const mt_hash paravisor = c->measurement;
    mt_tpm_measurement(said, &started);
    const mt_bytes both[] = {mt_hash_bytes(&paravisor), mt_hash_bytes(&started)};
    mt_sha256_labelled(MT_LABEL_AZURE_MEASUREMENT, both, 2, &c->measurement);
    c->kernel = started;
    mt_claim_bytes(c, "paravisor_measurement", both[0]);
    mt_claim_bytes(c, "tpm_measurement", both[1]);
}

/* The key as the runtime claims name it. Its attributes are the paravisor's to keep: it is measured
 * code, and makes no key of this name that signs anything but what its vTPM has made. */
static MT_ERR check_ak(mt_bytes runtime, struct mt_hcl_claims *h, struct mt_tpm_ak *ak,
                       struct mt_trace *trace)
{
    mt_err e = mt_hcl_claims_parse(runtime, h);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "runtime-claims",
             "the runtime claims name one key that quotes: RSA from 2048 bits, for signing alone",
             "the paravisor is newer than this verifier, or none of Azure's: update the verifier");
    *ak = (struct mt_tpm_ak){.key = h->ak, .scheme = MT_TPM_NULL};
    const mt_bytes spki = mt_pubkey_spki(h->ak);
    mt_sha256(&spki, 1, &ak->name);
    return MT_OK;
}

MT_ERR mt_azure_verify(const struct mt_evidence *in, const struct mt_attest_roots *roots,
                       mt_bytes expected, struct mt_claims *out, struct mt_trace *trace)
{
    const struct mt_tpm_shown shown = {in->tpm_quote, in->signature, in->pcrs};
    MT_DEFER(mt_hcl_claims_done) struct mt_hcl_claims h = {.ak = NULL};
    struct step s = {.is_snp = false};
    struct mt_claims c;
    struct mt_tpm_ak ak;
    struct mt_tpm_said said;
    mt_err e = take_parts(in, &s);
    MT_CHECK(
        trace, !mt_failed(e), MT_E_FORMAT, "hcl-report",
        "the hardware's report and the runtime claims are there, in the HCL report or beside "
        "it, and agree where they are in both",
        "read the vTPM's NV index 0x01400001 again; of a TD give its quote as well: quote.bin");
    MT_TRY(check_hardware(&s, &c, trace));
    MT_TRY(check_ak(s.runtime, &h, &ak, trace));
    if (in->collateral.ak_chain.len > 0) { /* not needed; but what is shown must hold */
        MT_TRY(mt_tpm_ak_chain_check(&ak, in, roots, trace));
    }
    MT_TRY(mt_tpm_quote_verify(&shown, &ak, expected, &said, trace));
    c.kind = MT_EVIDENCE_AZURE;
    claim_code(&said, &c);
    claim_machine(&s, &h, &ak, &c);
    mt_tpm_claim(&said, &c);
    *out = c;
    return MT_OK;
}

MT_ERR mt_azure_show(const struct mt_evidence *in, struct mt_claims *out)
{
    struct step s = {.is_snp = false};
    const struct mt_tpm_shown shown = {in->tpm_quote, in->signature, in->pcrs};
    struct mt_claims c;
    struct mt_tpm_said said;
    MT_TRY(take_parts(in, &s));
    MT_TRY(s.is_snp ? mt_snp_show(&s.hardware, &c) : mt_dcap_show(&s.hardware, &c));
    MT_TRY(mt_tpm_quote_show(&shown, &said));
    c.kind = MT_EVIDENCE_AZURE;
    c.claimed[c.claimed_count - 1].name = "hardware_report_data"; /* comes last of what it shows */
    claim_code(&said, &c);
    mt_tpm_claim_quote(&said.quote, &c);
    mt_claim_bytes(&c, "report_data", said.quote.extra_data);
    *out = c;
    return MT_OK;
}
