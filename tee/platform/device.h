/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_DEVICE_H
#define MT_PLATFORM_DEVICE_H

#include "attest/claims.h"
#include "base/bytes.h"

/*
 * What hardware does for a node that plain software cannot: evidence, a credential that only the
 * same code on the same machine gets again, a counter that never goes back. Probed, never guessed:
 * a device counts as there once it has shown evidence of itself. Single owner; calls may take
 * seconds and are made off the loop.
 */
enum { MT_DEVICE_SECRET_LEN = 32, MT_DEVICE_LEVEL_LEN_MAX = 32 };

/* Evidence as the device gives it; what a kind does not have stays empty. The buffers are made by
 * mt_device_evidence_init() and bounded. */
struct mt_device_evidence {
    enum mt_evidence_kind kind;
    struct mt_buf quote;     /* DCAP quote, SNP report, TPMS_ATTEST */
    struct mt_buf signature; /* TPMT_SIGNATURE */
    struct mt_buf pcrs;      /* values of the quoted SHA-256 bank, in order of their index */
    struct mt_buf event_log; /* TCG2 log or CCEL */
    struct mt_buf ak_public; /* TPMT_PUBLIC of the key that quotes */
    struct mt_buf vek;       /* of an SNP report: the certificate that the host handed over */
    struct mt_buf runtime;   /* of a composite: what `quote`, the hardware's, is about */
    struct mt_buf tpm_quote; /* and TPMS_ATTEST */
};
void mt_device_evidence_init(struct mt_device_evidence *e);
void mt_device_evidence_free(struct mt_device_evidence *e);

struct mt_device;

/* For makers: the table behind the functions below. NULL: the device cannot. */
struct mt_device_ops {
    mt_err (*evidence)(struct mt_device *d, const uint8_t report_data[MT_REPORT_DATA_LEN],
                       struct mt_device_evidence *out);
    mt_err (*level)(struct mt_device *d, struct mt_buf *out);
    mt_err (*derive)(struct mt_device *d, mt_bytes context, mt_bytes level, mt_span out);
    mt_err (*seal)(struct mt_device *d, mt_bytes secret, bool is_next, struct mt_buf *out);
    mt_err (*unseal)(struct mt_device *d, mt_bytes sealed, mt_span secret);
    mt_err (*is_current)(struct mt_device *d, mt_bytes kept, bool *out);
    mt_err (*retire)(struct mt_device *d, mt_bytes kept);
    mt_err (*count)(struct mt_device *d, bool is_step, uint64_t *out, mt_hash *whose);
    mt_err (*endorsement)(struct mt_device *d, struct mt_buf *certificate,
                          struct mt_buf *public_area);
    mt_err (*activate)(struct mt_device *d, mt_bytes blob, mt_bytes secret, mt_span out,
                       size_t *got);
    void (*close)(struct mt_device *d);
};

/* First member of every maker's own struct. */
struct mt_device {
    const struct mt_device_ops *ops;
    enum mt_evidence_kind kind;
};

/*
 * Evidence about these 64 bytes, and no others: what comes back is read again and compared. A TPM's
 * extraData is SHA-256 of them, since larger ones do not fit every TPM.
 */
MT_ERR mt_device_evidence(struct mt_device *d, const uint8_t report_data[MT_REPORT_DATA_LEN],
                          struct mt_device_evidence *out);
/* Whether it shows any, asked once about random bytes. */
MT_ERR mt_device_check(struct mt_device *d);

/* Whether what is mapped into this process is all in the measurement already, as in an enclave: a
 * whole machine's covers what was booted, and leaves its programs to be listed by themselves. */
bool mt_device_measures_process(const struct mt_device *d);

/* A credential for a key slot (32 bytes): either derived, the same each time for one `context`
 * (SNP, SGX), or sealed and unsealed (TPM). MT_E_ARG from a device that has the other kind. */
bool mt_device_derives(const struct mt_device *d);
bool mt_device_seals(const struct mt_device *d);
bool mt_device_keeps(const struct mt_device *d); /* one or the other */
/*
 * What firmware derives is of a level, of the firmware and of what runs. It derives for the level
 * that it has now, and for every one before: so who keeps the level beside what the key is for gets
 * the same key after an update, and not on a machine that was taken back to an older level
 * (MT_E_DENIED). Empty: of a device that knows no level, or has derived before levels were kept.
 */
MT_ERR mt_device_level(struct mt_device *d, struct mt_buf *out);
MT_ERR mt_device_derive(struct mt_device *d, mt_bytes context, mt_bytes level, mt_span out);
MT_ERR mt_device_seal(struct mt_device *d, mt_bytes secret, bool is_next, struct mt_buf *out);
MT_ERR mt_device_unseal(struct mt_device *d, mt_bytes sealed, mt_span secret);

/*
 * What was sealed opens to whatever has a copy of it and the right to start the image that it was
 * sealed for: that it is no longer on the disk helps nobody. So it is replaced. What is sealed
 * `is_next` opens before and after mt_device_retire() of it, which takes from everything else that
 * was sealed before, and is not itself the next, the power to open. Called again, it does nothing.
 * MT_OK from a device that cannot (spec/key-slot.md).
 */
MT_ERR mt_device_retire(struct mt_device *d, mt_bytes kept);
/* Whether the device would keep the same of it now (`kept`: what was sealed, or the level): not
 * after it opened to an image that an operator let in, or firmware was updated. */
MT_ERR mt_device_is_current(struct mt_device *d, mt_bytes kept, bool *out);

/* A counter that only grows, made at the first call; `is_step`: one more, then its value. `whose`,
 * which may be NULL: no other device gives this name, for it has proved to have a key of its own.
 */
bool mt_device_counts(const struct mt_device *d);
MT_ERR mt_device_count(struct mt_device *d, bool is_step, uint64_t *out, mt_hash *whose);

/* Of a TPM, for enrolment: the maker's certificate (DER; may be empty) and TPMT_PUBLIC of its
 * endorsement key; and the proof that the quoting key lives beside it (TPM2_ActivateCredential of
 * what mt_credential_make() in attest/credential.h wrote: TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET).
 */
bool mt_device_enrols(const struct mt_device *d);
MT_ERR mt_device_endorsement(struct mt_device *d, struct mt_buf *certificate,
                             struct mt_buf *public_area);
MT_ERR mt_device_activate(struct mt_device *d, mt_bytes blob, mt_bytes secret, mt_span out,
                          size_t *got);

void mt_device_close(struct mt_device **d);

#endif
