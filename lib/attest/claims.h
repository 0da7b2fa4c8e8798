/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_CLAIMS_H
#define MT_ATTEST_CLAIMS_H

#include "attest/verdict.h"
#include "base/id.h"

/*
 * Claims (RFC 9334): what verified evidence says of a party, one type for every kind. Verifying
 * makes them, appraising judges them; by themselves they allow nothing.
 */
enum {
    MT_REPORT_DATA_LEN = 64,
    MT_REGISTER_LEN_MAX = 64,
    MT_CLAIMED_MAX = 32,
    MT_ADVISORIES_MAX = 64
};

/* Where a platform's firmware stands against its maker's list, in the maker's words (Intel DCAP).
 * Kinds without such a list are MT_TCB_UNRATED; lower is not worse. */
enum mt_tcb_status {
    MT_TCB_UNRATED,
    MT_TCB_UP_TO_DATE,
    MT_TCB_SW_HARDENING_NEEDED,
    MT_TCB_CONFIGURATION_NEEDED,
    MT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    MT_TCB_OUT_OF_DATE,
    MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    MT_TCB_RELAUNCH_ADVISED,
    MT_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    MT_TCB_REVOKED,
    MT_TCB_NOT_SUPPORTED,
};

/* One thing that evidence says by a name of its specification: "MRTD", "PCR4", "guest_policy". */
struct mt_claimed {
    const char *name; /* a literal of ours */
    uint8_t bytes[MT_REGISTER_LEN_MAX];
    size_t len;
};

struct mt_claims {
    enum mt_level level;
    bool has_hardware_root;
    bool has_host_in_tcb;
    bool is_debug;       /* the maker's debug switch: whoever runs it can read its memory */
    mt_hash measurement; /* of the code: what an auditors' list names; spec/evidence.md per kind */
    mt_hash configuration; /* of its configuration */
    mt_hash kernel;        /* of what it says of the kernel under it */
    mt_hash platform;      /* which machine: hash of its key or of its maker's name for it */
    enum mt_tcb_status tcb_status;
    uint64_t tcb_date_ms;                   /* of the status; 0: none is known */
    mt_bytes advisories[MT_ADVISORIES_MAX]; /* "INTEL-SA-00615"; borrowed from the collateral */
    size_t advisories_count;
    struct mt_claimed claimed[MT_CLAIMED_MAX]; /* for people and for rules of a policy */
    size_t claimed_count;
};

#endif
