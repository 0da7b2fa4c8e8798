/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/dcap_claims.h"

#include "crypto/hash.h"

static uint64_t number_of(mt_bytes little_endian)
{
    uint64_t n = 0;
    for (size_t i = 8; i-- > 0;) {
        n = n << 8 | little_endian.ptr[i];
    }
    return n;
}

#define BIT(n_) (UINT64_C(1) << (n_))

/* INIT, DEBUG, MODE64BIT, PROVISIONKEY, EINITTOKEN_KEY, CET, KSS, AEXNOTIFY. */
static const uint64_t sgx_known =
    BIT(0) | BIT(1) | BIT(2) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(10);
/* DEBUG, SEPT_VE_DISABLE, MIGRATABLE, PKS, KL, PERFMON. */
static const uint64_t tdx_known = BIT(0) | BIT(28) | BIT(29) | BIT(30) | BIT(31) | BIT(63);

static void claim_sgx(const struct mt_sgx_report *r, struct mt_claims *c)
{
    static const uint8_t kind = 0;
    const mt_bytes parts[] = {MT_BYTES_OF(kind), r->mr_enclave};
    uint64_t flags = number_of(r->attributes);
    mt_sha256_labelled(MT_LABEL_DCAP_MEASUREMENT, parts, sizeof parts / sizeof *parts,
                       &c->measurement);
    c->kind = MT_EVIDENCE_SGX;
    c->level = MT_LEVEL_SGX;
    if ((flags & BIT(1)) != 0) {
        mt_claim_weakness(c, MT_WEAK_DEBUG);
    }
    if ((flags & ~sgx_known) != 0) {
        mt_claim_weakness(c, MT_WEAK_RESERVED);
    }
    mt_claim_bytes(c, "MRENCLAVE", r->mr_enclave);
    mt_claim_bytes(c, "MRSIGNER", r->mr_signer);
    mt_claim_bytes(c, "ATTRIBUTES", r->attributes);
    mt_claim_number(c, "isv_prod_id", r->isv_prod_id);
    mt_claim_number(c, "isv_svn", r->isv_svn);
}

static void claim_td_weaknesses(const struct mt_td_report *t, struct mt_claims *c)
{
    static const uint8_t zeros[48];
    uint64_t flags = number_of(t->td_attributes);
    if ((flags & BIT(0)) != 0) {
        mt_claim_weakness(c, MT_WEAK_DEBUG);
    }
    if ((flags & BIT(28)) == 0) {
        mt_claim_weakness(c, MT_WEAK_SEPT_VE);
    }
    if ((flags & BIT(29)) != 0) {
        mt_claim_weakness(c, MT_WEAK_MIGRATABLE);
    }
    if ((flags & ~tdx_known) != 0) {
        mt_claim_weakness(c, MT_WEAK_RESERVED);
    }
    if (t->mr_service_td.len > 0 && !mt_bytes_equal(t->mr_service_td, MT_BYTES_OF(zeros))) {
        mt_claim_weakness(c, MT_WEAK_SERVICE_TD);
    }
}

static void claim_td(const struct mt_td_report *t, struct mt_claims *c)
{
    static const char *const names[] = {"RTMR0", "RTMR1", "RTMR2", "RTMR3"};
    static const uint8_t kind = 0x81;
    const mt_bytes parts[] = {MT_BYTES_OF(kind),  t->mr_td,         t->rtmr[0],      t->rtmr[1],
                              t->rtmr[2],         t->rtmr[3],       t->mr_config_id, t->mr_owner,
                              t->mr_owner_config, t->td_attributes, t->xfam};
    mt_sha256_labelled(MT_LABEL_DCAP_MEASUREMENT, parts, sizeof parts / sizeof *parts,
                       &c->measurement);
    c->kind = MT_EVIDENCE_TDX;
    c->level = MT_LEVEL_CVM;
    claim_td_weaknesses(t, c);
    mt_claim_bytes(c, "MRTD", t->mr_td);
    for (size_t i = 0; i < 4; i++) {
        mt_claim_bytes(c, names[i], t->rtmr[i]);
    }
    mt_claim_bytes(c, "MRCONFIGID", t->mr_config_id);
    mt_claim_bytes(c, "MROWNER", t->mr_owner);
    mt_claim_bytes(c, "MROWNERCONFIG", t->mr_owner_config);
    mt_claim_bytes(c, "TDATTRIBUTES", t->td_attributes);
    mt_claim_bytes(c, "XFAM", t->xfam);
    mt_claim_bytes(c, "MRSEAM", t->mr_seam);
    mt_claim_bytes(c, "TEE_TCB_SVN", t->tee_tcb_svn);
    if (t->mr_service_td.len > 0) {
        mt_claim_bytes(c, "MRSERVICETD", t->mr_service_td);
    }
}

void mt_dcap_claim_report(const struct mt_dcap_quote *q, struct mt_claims *c)
{
    if (q->body == MT_DCAP_SGX) {
        claim_sgx(&q->sgx, c);
    } else {
        claim_td(&q->td, c);
    }
}

void mt_dcap_claim_platform(const struct mt_dcap_pck *p, struct mt_claims *c)
{
    const mt_bytes parts[] = {p->ppid, p->platform_instance_id};
    mt_sha256_labelled(MT_LABEL_DCAP_PLATFORM, parts, 2, &c->platform);
    mt_claim_bytes(c, "FMSPC", p->fmspc);
    mt_claim_number(c, "pce_svn", p->pce_svn);
}
