/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_TPM_H
#define MT_PLATFORM_TPM_H

#include "attest/image_approval.h"
#include "platform/device.h"

/*
 * A TPM 2.0 as a device. `where` is "device:/dev/tpmrm0" or "swtpm:path=/run/tpm.sock". To be
 * opened while we still may: the firmware's log is read now. That a TPM is there at all, evidence
 * shows.
 *
 * What carries secrets runs in sessions that are salted with a key of the TPM, their parameters
 * encrypted: whoever listens on the bus learns nothing. Whoever may change what runs over the bus
 * can also reset the TPM and extend what he likes: against him, measured boot proves nothing.
 * Answers are a stranger's bytes.
 *
 * Sealed secrets open while PCRs 0, 2, 4, 7, 9, 11, 12 and 13 are as they were when they were
 * sealed.
 *
 * MT_E_BUSY: the TPM asks to come later, others fill its memory, or PCRs did not stand still.
 * MT_E_DENIED: it is locked out, or its policy says no. MT_E_CLOSED: it does not answer any more;
 * it is opened again before the next call, which fails too if that does not help.
 */
MT_ERR mt_tpm_open(const char *where, struct mt_device **out);

/*
 * The vTPM of a confidential virtual machine on Azure as a device, if it is one: evidence is the
 * hardware's word for the vTPM's key, and that key's quote (spec/evidence-azure.md). `td_quote`: of
 * TDX, the quote that somebody had made of the TD's report; else it is empty. MT_E_NOTFOUND: this
 * TPM is another. It seals as every TPM does. It does not count: what a vTPM stores lies with the
 * host, who may put an old state back.
 */
MT_ERR mt_tpm_open_azure(const char *where, mt_bytes td_quote, struct mt_device **out);

/*
 * Whose word opens what is sealed from now on to another image as well (NULL: nobody's), and what
 * operators have said so far. What was sealed says itself whose word it takes; where he has not
 * approved what runs now, it stays closed. He cannot take it back: an image that was approved once
 * opens what this key may open for ever. `d` is of one of the two above.
 */
void mt_tpm_operator(struct mt_device *d, const mt_spki *operator_key,
                     const struct mt_image_approvals *approvals);

#endif
