/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_TPM_INSIDE_H
#define MT_PLATFORM_TPM_INSIDE_H

#include <tss2/tss2_esys.h>

#include "attest/image_approval.h"
#include "attest/tpm_policy.h"
#include "platform/device.h"

/* What the files of this folder share, and nobody else includes. */

struct mt_tpm_transport;

struct mt_tpm {
    struct mt_device device;
    TSS2_TCTI_CONTEXT *tcti; /* owned */
    ESYS_CONTEXT *esys;
    const struct mt_tpm_transport *by; /* to be reached again; NULL: it is not */
    char where[512];
    struct mt_buf event_log;
    struct mt_buf td_quote; /* on Azure, of a TD's report */
    bool has_operator;
    mt_spki operator_key;
    struct mt_image_approvals approvals;
};

/* Over a transport that is ready; takes it, whatever becomes of the call. */
MT_ERR mt_tpm_new(TSS2_TCTI_CONTEXT *tcti, struct mt_tpm **out);

/* Before each call: a TPM that has stopped answering is opened once more. Asked beforehand, and not
 * done again afterwards: a counter whose answer was lost may have been stepped. */
MT_ERR mt_tpm_ready(struct mt_tpm *t);

/* An answer's code as an error of ours. */
MT_ERR mt_tpm_said(TSS2_RC rc);

/* For MT_DEFER: what ESAPI allocated; and the same of a secret, wiped first. */
void mt_tpm_release(void *pointer);
void mt_tpm_release_secret(TPM2B_SENSITIVE_DATA **secret);
void mt_tpm_release_digest(TPM2B_DIGEST **secret);

/* A key or session in the TPM, which has room for three of each. */
struct mt_tpm_object {
    struct mt_tpm *t;
    ESYS_TR at; /* ESYS_TR_NONE: none */
};
void mt_tpm_flush(struct mt_tpm_object *o);

/* Primary keys from fixed templates: the same at each boot, nothing is stored. `public_area`, which
 * may be NULL, is ESAPI's. */
enum mt_tpm_key {
    MT_TPM_EK,      /* RSA-2048, the template that its maker certified (TCG EK profile, L-1) */
    MT_TPM_AK,      /* P-256: signs what the TPM says of itself, and nothing else */
    MT_TPM_STORAGE, /* P-256: parent of what is sealed, and salt of sessions */
};
MT_ERR mt_tpm_primary(struct mt_tpm_object *o, enum mt_tpm_key key, TPM2B_PUBLIC **public_area);

/* TPM2_SE_HMAC or TPM2_SE_POLICY, salted with `salt`; first parameters are encrypted as said. */
MT_ERR mt_tpm_session(struct mt_tpm_object *o, const struct mt_tpm_object *salt, TPM2_SE type,
                      TPMA_SESSION encrypted);

/* PCRs of the SHA-256 bank, by bit; those that secrets are sealed to are of attest/tpm_policy.h. */
enum {
    MT_TPM_PCRS_QUOTED = 0xfbff, /* 0 to 15 except 10, which the kernel extends as it runs */
};
void mt_tpm_selection(uint32_t pcrs, TPML_PCR_SELECTION *out);
/* Their values, in order of the index, all of one moment. */
MT_ERR mt_tpm_read_pcrs(struct mt_tpm *t, uint32_t pcrs, struct mt_buf *out);

/* A quote of theirs by `key` into `quoted`, its signature and their values: an extend may come
 * between the two. */
MT_ERR mt_tpm_quote(struct mt_tpm *t, ESYS_TR key, const uint8_t report_data[MT_REPORT_DATA_LEN],
                    struct mt_buf *quoted, struct mt_device_evidence *out);

/* All that is stored at an index; `by` may read it (ESYS_TR_NONE: whoever reads with no password).
 * MT_E_NOTFOUND. */
MT_ERR mt_tpm_read_nv(struct mt_tpm *t, TPM2_HANDLE index, ESYS_TR by, size_t max,
                      struct mt_buf *out);

void mt_tpm_close(struct mt_device *d);
mt_err mt_tpm_evidence(struct mt_device *d, const uint8_t report_data[MT_REPORT_DATA_LEN],
                       struct mt_device_evidence *out);
mt_err mt_tpm_endorsement(struct mt_device *d, struct mt_buf *certificate,
                          struct mt_buf *public_area);
mt_err mt_tpm_activate(struct mt_device *d, mt_bytes blob, mt_bytes secret, mt_span out,
                       size_t *got);
mt_err mt_tpm_count(struct mt_device *d, bool is_step, uint64_t *out, mt_hash *whose);
mt_err mt_tpm_seal(struct mt_device *d, mt_bytes secret, bool is_next, struct mt_buf *out);
mt_err mt_tpm_unseal(struct mt_device *d, mt_bytes sealed, mt_span secret);
mt_err mt_tpm_is_current(struct mt_device *d, mt_bytes sealed, bool *out);
mt_err mt_tpm_retire(struct mt_device *d, mt_bytes sealed);

/* How often sealed secrets were replaced: the counter that their policies name. */
MT_ERR mt_tpm_count_slots(struct mt_tpm *t, bool is_step, uint64_t *out);
/* In a policy session: that it is not above `until`. */
MT_ERR mt_tpm_policy_slots(const struct mt_tpm_object *policy, uint64_t until);

static inline struct mt_tpm *mt_tpm_of(struct mt_device *d)
{
    return (struct mt_tpm *)(void *)d;
}

#endif
