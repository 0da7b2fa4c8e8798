/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/tpm.h"

#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_tcti_device.h>
#include <tss2/tss2_tcti_swtpm.h>

#include "base/limits.h"
#include "platform/process.h"
#include "platform/tpm/inside.h"

static void disconnect(struct mt_tpm *t)
{
    Esys_Finalize(&t->esys);
    Tss2_Tcti_Finalize(t->tcti);
    free(t->tcti);
    t->tcti = NULL;
}

void mt_tpm_close(struct mt_device *d)
{
    struct mt_tpm *t = mt_tpm_of(d);
    disconnect(t);
    mt_buf_free(&t->event_log);
    mt_buf_free(&t->td_quote);
    free(t);
}

static const struct mt_device_ops ops = {
    .evidence = mt_tpm_evidence,
    .seal = mt_tpm_seal,
    .unseal = mt_tpm_unseal,
    .is_current = mt_tpm_is_current,
    .retire = mt_tpm_retire,
    .count = mt_tpm_count,
    .endorsement = mt_tpm_endorsement,
    .activate = mt_tpm_activate,
    .close = mt_tpm_close,
};

MT_ERR mt_tpm_new(TSS2_TCTI_CONTEXT *tcti, struct mt_tpm **out)
{
    struct mt_tpm *t = calloc(1, sizeof *t);
    mt_err e = MT_OK;
    if (t != NULL) {
        t->device = (struct mt_device){&ops, MT_EVIDENCE_TPM};
        t->event_log = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
        t->td_quote = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
        /* A transport of ours: given none, the library would look for one and load it. */
        e = mt_tpm_said(Esys_Initialize(&t->esys, tcti, NULL));
    }
    if (t == NULL || mt_failed(e)) {
        Tss2_Tcti_Finalize(tcti);
        free(tcti);
        free(t);
        MT_TRY(e);
        MT_FAIL(MT_E_NOMEM, "no memory for a TPM");
    }
    t->tcti = tcti;
    *out = t;
    return MT_OK;
}

struct mt_tpm_transport {
    mt_bytes name;
    TSS2_RC (*init)(TSS2_TCTI_CONTEXT *, size_t *, const char *);
    const char *event_log; /* of the firmware that this TPM has measured */
};
static const struct mt_tpm_transport transports[] = {
    {{(const uint8_t *)"device:", 7},
     Tss2_Tcti_Device_Init,
     "/sys/kernel/security/tpm0/binary_bios_measurements"},
    {{(const uint8_t *)"swtpm:", 6}, Tss2_Tcti_Swtpm_Init, NULL},
};

static MT_ERR connect_to(const struct mt_tpm_transport *by, const char *where,
                         TSS2_TCTI_CONTEXT **out)
{
    size_t size = 0;
    MT_TRY(mt_tpm_said(by->init(NULL, &size, where)));
    TSS2_TCTI_CONTEXT *tcti = calloc(1, size);
    MT_REQUIRE(tcti != NULL, MT_E_NOMEM, "no memory for a TPM");
    if (by->init(tcti, &size, where) != TSS2_RC_SUCCESS) {
        free(tcti);
        MT_FAIL(MT_E_NOTFOUND, "there is no TPM where it should be");
    }
    *out = tcti;
    return MT_OK;
}

static bool is_lost(struct mt_tpm *t)
{
    MT_DEFER(mt_tpm_release) TPMS_TIME_INFO *now = NULL;
    if (t->esys == NULL) {
        return true;
    }
    mt_err e = mt_tpm_said(Esys_ReadClock(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &now));
    return mt_failed(e) && e.fault->code == MT_E_CLOSED;
}

MT_ERR mt_tpm_ready(struct mt_tpm *t)
{
    if (t->by == NULL || !is_lost(t)) {
        return MT_OK;
    }
    disconnect(t);
    mt_err e = connect_to(t->by, t->where, &t->tcti);
    if (!mt_failed(e)) {
        e = mt_tpm_said(Esys_Initialize(&t->esys, t->tcti, NULL));
    }
    MT_REQUIRE(!mt_failed(e), MT_E_CLOSED, "the TPM does not answer any more");
    return MT_OK;
}

/* One that is not there, or too long for evidence, stays away: the PCRs are proof without it. */
static void read_log(const char *path, struct mt_buf *out)
{
    if (path == NULL) {
        return;
    }
    mt_err e = mt_process_read_file(path, MT_EVIDENCE_BYTES_MAX, out);
    if (mt_failed(e)) {
        mt_buf_free(out);
        *out = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    }
}

MT_ERR mt_tpm_open(const char *where, struct mt_device **out)
{
    TSS2_TCTI_CONTEXT *tcti = NULL;
    struct mt_tpm *t = NULL;
    MT_REQUIRE(strlen(where) < sizeof t->where, MT_E_ARG, "the name of a TPM is too long");
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++) {
        const struct mt_tpm_transport *by = &transports[i];
        if (!mt_bytes_start_with(mt_bytes_of_text(where), by->name)) {
            continue;
        }
        MT_TRY(connect_to(by, where + by->name.len, &tcti));
        MT_TRY(mt_tpm_new(tcti, &t));
        t->by = by;
        memcpy(t->where, where + by->name.len, strlen(where + by->name.len) + 1);
        read_log(by->event_log, &t->event_log);
        *out = &t->device;
        return MT_OK;
    }
    MT_FAIL(MT_E_ARG, "a TPM is named device:... or swtpm:...");
}
