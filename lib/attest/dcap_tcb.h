/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_DCAP_TCB_H
#define MT_ATTEST_DCAP_TCB_H

#include "attest/claims.h"
#include "wire/json_flat.h"

/*
 * Intel's lists of what is up to date: TCB info (versions 2 and 3) and the quoting enclave's
 * identity (version 2), as JSON whose bytes Intel signed (spec/evidence-dcap.md). Fields that we do
 * not know are refused, arrays have their length. Levels stand from new to old.
 */
enum { MT_TCB_COMPONENTS = 16, MT_TCB_LEVELS_MAX = 128, MT_TDX_MODULES_MAX = 16 };

struct mt_tcb_level {
    uint8_t sgx[MT_TCB_COMPONENTS];
    uint8_t tdx[MT_TCB_COMPONENTS];
    uint16_t svn; /* of the PCE; of a module or a QE: its own */
    enum mt_tcb_status status;
    uint64_t date_ms;
    const struct mt_flat_node *advisories; /* NULL: none */
};

struct mt_tcb_levels {
    struct mt_tcb_level *at; /* owned */
    size_t count;
};

struct mt_tdx_module {
    uint8_t version; /* TDX_%02X; of the module without a name: 0 */
    uint8_t mr_signer[48];
    uint8_t attributes[8];
    uint8_t attributes_mask[8];
    struct mt_tcb_levels levels;
};

/* What both lists begin with. */
struct mt_tcb_head {
    bool is_tdx;
    uint64_t issue_ms;
    uint64_t next_ms;
    uint64_t evaluation; /* tcbEvaluationDataNumber */
};

struct mt_tcb_info {
    struct mt_flat *root;
    struct mt_tcb_head head;
    uint8_t fmspc[6];
    uint8_t pce_id[2];
    struct mt_tcb_levels levels;
    struct mt_tdx_module modules[1 + MT_TDX_MODULES_MAX]; /* the first has no name */
    size_t modules_count;
};

struct mt_qe_identity {
    struct mt_flat *root;
    struct mt_tcb_head head;
    uint8_t misc_select[4];
    uint8_t misc_select_mask[4];
    uint8_t attributes[16];
    uint8_t attributes_mask[16];
    uint8_t mr_signer[32];
    uint64_t isv_prod_id;
    struct mt_tcb_levels levels;
};

/* Zero them before; ended by the free of the name, also after a failure. */
MT_ERR mt_tcb_info_parse(mt_bytes text, struct mt_tcb_info *out);
void mt_tcb_info_free(struct mt_tcb_info *i);
MT_ERR mt_qe_identity_parse(mt_bytes text, struct mt_qe_identity *out);
void mt_qe_identity_free(struct mt_qe_identity *i);

/* What a platform has. `tdx` is empty for SGX. */
struct mt_tcb_have {
    const uint8_t *sgx; /* MT_TCB_COMPONENTS */
    uint16_t pce_svn;
    mt_bytes tdx;
};
/* The first level that is reached; NULL if none. */
const struct mt_tcb_level *mt_tcb_level_of(const struct mt_tcb_levels *l,
                                           const struct mt_tcb_have *have);
const struct mt_tcb_level *mt_tcb_level_of_svn(const struct mt_tcb_levels *l, uint16_t svn);

/* The platform's status and a part's (module, QE) together. */
enum mt_tcb_status mt_tcb_converge(enum mt_tcb_status platform, enum mt_tcb_status part);
/* Launched with the first, running on the second now. */
enum mt_tcb_status mt_tcb_relaunch(enum mt_tcb_status launched, enum mt_tcb_status current);

#endif
