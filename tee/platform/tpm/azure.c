/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <tss2/tss2_mu.h>

#include "attest/azure.h"
#include "attest/hcl.h"
#include "attest/tpm_ak.h"
#include "platform/tpm.h"
#include "platform/tpm/inside.h"

/*
 * The vTPM of a confidential virtual machine on Azure, whose paravisor keeps in it what the
 * hardware says (spec/evidence-azure.md). Reading the report's beginning has the paravisor ask the
 * hardware anew, at most once in two seconds, whoever reads. It is not told what to ask about
 * (index 0x01400002): that others may write as well, and what is fresh is the quote.
 */
enum {
    HCL_REPORT = 0x01400001,
    ATTEMPTS_MAX = 4 /* to read a report in one piece */
};
static const TPM2_HANDLE attestation_key = 0x81000003;

static MT_ERR read_report(struct mt_tpm *t, struct mt_buf *room, struct mt_hcl_report *out)
{
    mt_err e = MT_OK;
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        mt_buf_drop(room, room->len);
        /* The index has a password that the paravisor alone knows; the owner's is empty. */
        MT_TRY(mt_tpm_read_nv(t, HCL_REPORT, ESYS_TR_RH_OWNER, MT_HCL_REPORT_LEN, room));
        e = mt_hcl_report_parse(mt_buf_bytes(room), out);
        if (!mt_failed(e) && mt_hcl_is_about_claims(out)) {
            return MT_OK;
        }
    }
    MT_TRY(e);
    MT_FAIL(MT_E_PROOF, "the hardware's report in a vTPM is not about the claims beside it");
}

/* A TD's report counts on its machine alone; who made a quote of it has asked Azure's service. */
static MT_ERR take_hardware(const struct mt_tpm *t, const struct mt_hcl_report *h,
                            struct mt_device_evidence *out)
{
    const mt_bytes quote = mt_buf_bytes(&t->td_quote);
    bool is_snp = h->kind == MT_HCL_SNP;
    MT_REQUIRE(is_snp || quote.len > 0, MT_E_NOTFOUND,
               "a TD on Azure has no quote of its report: td_quote in the configuration");
    MT_REQUIRE(is_snp || mt_azure_is_quote_of(quote, h->hardware), MT_E_PROOF,
               "the file td_quote is of another TD, or of another start");
    MT_TRY(mt_buf_append(&out->quote, is_snp ? h->hardware : quote));
    return mt_buf_append(&out->runtime, h->runtime);
}

/* What a verifier cannot see in the claims: that the key signs nothing but what its TPM has made.
 */
static MT_ERR check_ak(const TPM2B_PUBLIC *area, mt_bytes runtime)
{
    uint8_t bytes[sizeof(TPMT_PUBLIC)];
    size_t len = 0;
    struct mt_trace trace = {.count = 0};
    MT_DEFER(mt_tpm_ak_done) struct mt_tpm_ak ak = {.key = NULL};
    MT_DEFER(mt_hcl_claims_done) struct mt_hcl_claims named = {.ak = NULL};
    MT_TRY(mt_tpm_said(Tss2_MU_TPMT_PUBLIC_Marshal(&area->publicArea, bytes, sizeof bytes, &len)));
    MT_TRY(mt_tpm_ak_of((mt_bytes){bytes, len}, &ak, &trace));
    MT_TRY(mt_hcl_claims_parse(runtime, &named));
    MT_REQUIRE(mt_bytes_equal(mt_pubkey_spki(ak.key), mt_pubkey_spki(named.ak)), MT_E_PROOF,
               "the hardware vouches for another key than this vTPM has");
    return MT_OK;
}

static MT_ERR quote_by_ak(struct mt_tpm *t, mt_bytes runtime,
                          const uint8_t report_data[MT_REPORT_DATA_LEN],
                          struct mt_device_evidence *out)
{
    ESYS_TR key = ESYS_TR_NONE;
    MT_DEFER(mt_tpm_release) TPM2B_PUBLIC *area = NULL;
    MT_TRY(mt_tpm_said(Esys_TR_FromTPMPublic(t->esys, attestation_key, ESYS_TR_NONE, ESYS_TR_NONE,
                                             ESYS_TR_NONE, &key)));
    mt_err e = mt_tpm_said(
        Esys_ReadPublic(t->esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, NULL, NULL));
    e = mt_failed(e) ? e : check_ak(area, runtime);
    e = mt_failed(e) ? e : mt_tpm_quote(t, key, report_data, &out->tpm_quote, out);
    MT_TRY(mt_tpm_said(Esys_TR_Close(t->esys, &key)));
    return e;
}

static mt_err evidence(struct mt_device *d, const uint8_t report_data[MT_REPORT_DATA_LEN],
                       struct mt_device_evidence *out)
{
    struct mt_tpm *t = mt_tpm_of(d);
    struct mt_hcl_report h;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_HCL_REPORT_LEN);
    MT_TRY(mt_tpm_ready(t));
    MT_TRY(read_report(t, &room, &h));
    MT_TRY(take_hardware(t, &h, out));
    MT_TRY(quote_by_ak(t, h.runtime, report_data, out));
    MT_TRY(mt_buf_append(&out->event_log, mt_buf_bytes(&t->event_log)));
    out->kind = MT_EVIDENCE_AZURE;
    return MT_OK;
}

MT_ERR mt_tpm_open_azure(const char *where, mt_bytes td_quote, struct mt_device **out)
{
    static const struct mt_device_ops ops = {
        .evidence = evidence,
        .seal = mt_tpm_seal,
        .unseal = mt_tpm_unseal,
        .is_current = mt_tpm_is_current,
        .retire = mt_tpm_retire,
        .close = mt_tpm_close,
    };
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    MT_TRY(mt_tpm_open(where, &d));
    d->ops = &ops;
    d->kind = MT_EVIDENCE_AZURE;
    MT_TRY(mt_buf_append(&mt_tpm_of(d)->td_quote, td_quote));
    MT_TRY(mt_device_check(d));
    *out = d;
    d = NULL; /* given */
    return MT_OK;
}
