/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_ROOTS_H
#define MT_ATTEST_ROOTS_H

#include "attest/soft.h"

/*
 * Whom a relying party believes, beside the makers whose roots are pinned in this build. Evidence
 * that carries its own key (a TPM's) is genuine under these alone. All zero: nobody.
 */
struct mt_attest_roots {
    struct mt_soft_roots known; /* keys of platforms, and operators who certify them */
    const mt_hash *machines;    /* that are meant: to name a machine's key is to know it */
    size_t machines_count;
    const mt_hash *tpm_roots; /* SHA-256 of self-signed certificates (DER) that TPM keys lead to */
    size_t tpm_roots_count;
};

#endif
