/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_IMAGE_APPROVAL_H
#define MT_ATTEST_IMAGE_APPROVAL_H

#include "attest/tpm_policy.h"
#include "base/limits.h"

/*
 * The operator's word that an image may open what the ones before it sealed
 * (spec/image-approval.md): a policy of a TPM, and a signature over it. It lies on the host's disk
 * and nobody believes it for that: the TPM checks the signature before it opens anything.
 */
enum { MT_IMAGE_APPROVAL_LEN = 102, MT_IMAGE_APPROVALS_MAX = 64 };

struct mt_image_approval {
    mt_hash policy;
    uint8_t signature[MT_SIGNATURE_LEN];
};

/* A file of them, one after another: two files joined are one, and an empty one approves nothing.
 */
struct mt_image_approvals {
    struct mt_image_approval list[MT_IMAGE_APPROVALS_MAX];
    size_t count;
};

MT_ERR mt_image_approval_sign(const struct mt_key *operator_key, const mt_hash *policy,
                              struct mt_image_approval *out);
void mt_image_approval_write(struct mt_writer *w, const struct mt_image_approval *a);
MT_ERR mt_image_approvals_parse(mt_bytes in, struct mt_image_approvals *out);
/* The first for this policy; NULL: there is none. */
const struct mt_image_approval *mt_image_approvals_find(const struct mt_image_approvals *all,
                                                        const mt_hash *policy);

#endif
