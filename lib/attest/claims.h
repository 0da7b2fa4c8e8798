/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_CLAIMS_H
#define MT_ATTEST_CLAIMS_H

#include "attest/verdict.h"
#include "base/id.h"

/*
 * Claims (RFC 9334): what verified evidence says of a party. Verifying makes them, appraising
 * judges them; by themselves they allow nothing.
 */
enum { MT_REPORT_DATA_LEN = 64 };

struct mt_claims {
    enum mt_level level;
    bool has_hardware_root;
    bool has_host_in_tcb;
    mt_hash measurement;   /* of the code: every executable file of the process */
    mt_hash configuration; /* of its configuration */
    mt_hash kernel;        /* of what it says of the kernel under it */
    mt_hash platform;      /* which machine: hash of the key that signed */
};

#endif
