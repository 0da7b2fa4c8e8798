/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_ENROL_H
#define MT_MESATEE_ENROL_H

#include "attest/trace.h"
#include "base/id.h"
#include "crypto/sign.h"

/*
 * Enrolment of a machine with a TPM: its maker's certificate says that the endorsement key is a
 * TPM's, and the TPM proves that the key which quotes lives beside it. What comes of it is the
 * quoting key's name, for the platforms of a policy. The node itself is not believed, and need not
 * be.
 */
struct mt_enrol_options {
    const char *address;
    const struct mt_key *key; /* as whom we call; any */
    mt_bytes root; /* of the TPM's maker: issuers, then the root, PEM; or that alone, DER */
    uint64_t now_ms;
};

/* MT_E_PROOF, with the failed rule in `trace`: it is not shown to be a TPM of that maker. */
MT_ERR mt_enrol(const struct mt_enrol_options *o, mt_hash *platform, struct mt_trace *trace);

#endif
