/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_EVIDENCE_H
#define MT_ATTEST_EVIDENCE_H

#include "attest/claims.h"

/*
 * What a verifier of hardware evidence is given. Everything is bytes that the caller has read:
 * verifying does no I/O, knows no clock and asks nobody. What is absent is empty, and a check that
 * needs it fails by name.
 */
struct mt_collateral {
    /* Intel: the exact bytes that were signed, r || s, and TCB signing certificate then root. */
    mt_bytes tcb_info;
    mt_bytes tcb_info_signature;
    mt_bytes tcb_info_chain;
    mt_bytes qe_identity;
    mt_bytes qe_identity_signature;
    mt_bytes qe_identity_chain;
    mt_bytes root_ca_crl; /* DER */
    mt_bytes pck_crl;     /* DER */
    mt_bytes pck_chain;   /* PEM, for quotes that do not carry it */
    /* AMD: the key of this chip at this firmware (VCEK) or of this cloud (VLEK), DER or PEM. */
    mt_bytes vek;
    mt_bytes amd_crl;
    /* TPM: the attestation key's certificates up to a root, PEM or DER, leaf first. */
    mt_bytes ak_chain;
};

struct mt_attest_roots;

struct mt_evidence {
    mt_bytes quote;               /* DCAP quote, SNP report, TPMS_ATTEST */
    mt_bytes signature;           /* of a TPM quote: TPMT_SIGNATURE */
    mt_bytes event_log;           /* TCG2 log or CCEL */
    mt_bytes runtime_data;        /* of a composite: the JSON that endorses the vTPM's key, */
    mt_bytes hcl_report;          /* or what the vTPM keeps, with that JSON in it; */
    mt_bytes tpm_quote;           /* and TPMS_ATTEST, for `quote` is the hardware's */
    mt_bytes pcrs;                /* of a TPM: the quoted values, in order of their index */
    mt_bytes ak_public;           /* of a TPM: TPMT_PUBLIC of the key that quoted */
    const mt_bytes *endorsements; /* platform certificates: an operator knows this machine's key */
    size_t endorsements_count;
    struct mt_collateral collateral;
    const struct mt_attest_roots *roots; /* whom the relying party believes; NULL: nobody */
    uint64_t now_ms;
};

#endif
