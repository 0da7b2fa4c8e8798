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
    MT_CLAIMED_MAX = 80, /* what SNP and the PCRs under it say */
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
    MT_TCB_STATUSES,
};

/* One thing that evidence says by a name of its specification: "MRTD", "PCR4", "guest_policy". */
struct mt_claimed {
    const char *name; /* a literal of ours */
    bool is_number;
    bool is_text; /* printable ASCII */
    uint64_t number;
    uint8_t bytes[MT_REGISTER_LEN_MAX]; /* unless it is a number */
    size_t len;
};

/* What verified evidence admits that nobody should overlook: refused unless a policy names it. */
enum mt_weakness {
    MT_WEAK_DEBUG,                /* whoever runs it may read its memory: SGX, TDX, SNP */
    MT_WEAK_MIGRATABLE,           /* may move to another machine: TDX, SNP */
    MT_WEAK_SERVICE_TD,           /* a service TD is bound to it: TDX 1.5 */
    MT_WEAK_SEPT_VE,              /* #VE by the host is not disabled: TDX */
    MT_WEAK_RESERVED,             /* an attribute is set that this verifier does not know */
    MT_WEAK_PROVISIONAL_FIRMWARE, /* runs firmware that can be taken back: SNP */
    MT_WEAK_VMPL,                 /* the report was asked for from below privilege level 0: SNP */
    MT_WEAK_UNCLEAN_STOP,         /* the TPM was not shut down in order: its clock may repeat */
    MT_WEAKNESSES,
};

enum mt_evidence_kind {
    MT_EVIDENCE_NONE,
    MT_EVIDENCE_SOFT,
    MT_EVIDENCE_TPM,
    MT_EVIDENCE_AZURE, /* a vTPM that an SNP or TDX report endorses */
    MT_EVIDENCE_SNP,
    MT_EVIDENCE_TDX,
    MT_EVIDENCE_SGX,
    MT_EVIDENCE_KINDS,
};

struct mt_claims {
    enum mt_evidence_kind kind;
    enum mt_level level;
    bool has_hardware_root;
    bool has_host_in_tcb;
    uint32_t weaknesses; /* a bit for each */
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

/* As policies and reports write them: "tdx", "UpToDate", "debug"; NULL for none. */
const char *mt_evidence_kind_name(enum mt_evidence_kind k);
const char *mt_tcb_status_name(enum mt_tcb_status s);
const char *mt_weakness_name(enum mt_weakness w);

/* The same three as tables, for texts that name one of them. */
enum mt_words { MT_WORDS_KIND, MT_WORDS_TCB_STATUS, MT_WORDS_WEAKNESS };
unsigned mt_words_count(enum mt_words of);
const char *mt_words_at(enum mt_words of, unsigned at);
/* MT_E_FORMAT if none is `text`. */
MT_ERR mt_words_find(enum mt_words of, mt_bytes text, unsigned *at);

void mt_claim_weakness(struct mt_claims *c, enum mt_weakness w);
bool mt_claims_has(const struct mt_claims *c, enum mt_weakness w);
/* At most MT_REGISTER_LEN_MAX bytes, as they stand in the evidence. */
void mt_claim_bytes(struct mt_claims *c, const char *name, mt_bytes value);
void mt_claim_text(struct mt_claims *c, const char *name, const char *value); /* of ours */
void mt_claim_number(struct mt_claims *c, const char *name, uint64_t value);
/* NULL if there is none of that name. */
const struct mt_claimed *mt_claimed(const struct mt_claims *c, mt_bytes name);

#endif
