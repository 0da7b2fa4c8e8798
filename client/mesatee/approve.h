/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_APPROVE_H
#define MT_MESATEE_APPROVE_H

#include "base/id.h"
#include "crypto/sign.h"

/* The operator's word that an image may open what a TPM sealed for the ones before it: without a
 * TPM, from what the image will measure. */
struct mt_approved_image {
    mt_hash measurement; /* as claims and auditors name it */
    mt_hash policy;      /* as a TPM does */
};

/* `values` is a file of lines "INDEX VALUE", one for each PCR that an image measures, in their
 * order, as tools/measure.py --pcrs prints it; the approval goes to `out`. */
MT_ERR mt_approve_image(const struct mt_key *operator_key, const char *values, const char *out,
                        struct mt_approved_image *image);

#endif
