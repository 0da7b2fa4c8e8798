/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/claims.h"

#include <string.h>

#include "base/assert.h"

const char *mt_evidence_kind_name(enum mt_evidence_kind k)
{
    static const char *const names[MT_EVIDENCE_KINDS] = {
        [MT_EVIDENCE_NONE] = "none",   [MT_EVIDENCE_SOFT] = "soft", [MT_EVIDENCE_TPM] = "tpm",
        [MT_EVIDENCE_AZURE] = "azure", [MT_EVIDENCE_SNP] = "snp",   [MT_EVIDENCE_TDX] = "tdx",
        [MT_EVIDENCE_SGX] = "sgx"};
    return names[k];
}

const char *mt_tcb_status_name(enum mt_tcb_status s)
{
    static const char *const names[MT_TCB_STATUSES] = {
        [MT_TCB_UNRATED] = "Unrated",
        [MT_TCB_UP_TO_DATE] = "UpToDate",
        [MT_TCB_SW_HARDENING_NEEDED] = "SWHardeningNeeded",
        [MT_TCB_CONFIGURATION_NEEDED] = "ConfigurationNeeded",
        [MT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED] = "ConfigurationAndSWHardeningNeeded",
        [MT_TCB_OUT_OF_DATE] = "OutOfDate",
        [MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = "OutOfDateConfigurationNeeded",
        [MT_TCB_RELAUNCH_ADVISED] = "TDRelaunchAdvised",
        [MT_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] = "TDRelaunchAdvisedConfigurationNeeded",
        [MT_TCB_REVOKED] = "Revoked",
        [MT_TCB_NOT_SUPPORTED] = "NotSupported"};
    return names[s];
}

const char *mt_weakness_name(enum mt_weakness w)
{
    static const char *const names[MT_WEAKNESSES] = {[MT_WEAK_DEBUG] = "debug",
                                                     [MT_WEAK_MIGRATABLE] = "migratable",
                                                     [MT_WEAK_SERVICE_TD] = "service-td",
                                                     [MT_WEAK_SEPT_VE] = "sept-ve",
                                                     [MT_WEAK_RESERVED] = "reserved-attributes",
                                                     [MT_WEAK_PROVISIONAL_FIRMWARE] =
                                                         "provisional-firmware",
                                                     [MT_WEAK_VMPL] = "vmpl",
                                                     [MT_WEAK_UNCLEAN_STOP] = "unclean-stop"};
    return names[w];
}

unsigned mt_words_count(enum mt_words of)
{
    static const unsigned counts[] = {[MT_WORDS_KIND] = MT_EVIDENCE_KINDS,
                                      [MT_WORDS_TCB_STATUS] = MT_TCB_STATUSES,
                                      [MT_WORDS_WEAKNESS] = MT_WEAKNESSES};
    return counts[of];
}

const char *mt_words_at(enum mt_words of, unsigned at)
{
    MT_ASSERT(at < mt_words_count(of));
    switch (of) {
    case MT_WORDS_KIND:
        return mt_evidence_kind_name((enum mt_evidence_kind)at);
    case MT_WORDS_TCB_STATUS:
        return mt_tcb_status_name((enum mt_tcb_status)at);
    case MT_WORDS_WEAKNESS:
        break;
    }
    return mt_weakness_name((enum mt_weakness)at);
}

MT_ERR mt_words_find(enum mt_words of, mt_bytes text, unsigned *at)
{
    for (unsigned i = 0; i < mt_words_count(of); i++) {
        if (mt_bytes_equal(text, mt_bytes_of_text(mt_words_at(of, i)))) {
            *at = i;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_FORMAT, "no kind, status or weakness of hardware has this name");
}

void mt_claim_weakness(struct mt_claims *c, enum mt_weakness w)
{
    c->weaknesses |= UINT32_C(1) << w;
}

bool mt_claims_has(const struct mt_claims *c, enum mt_weakness w)
{
    return (c->weaknesses >> w & 1) == 1;
}

static struct mt_claimed *next_claimed(struct mt_claims *c, const char *name)
{
    MT_ASSERT(c->claimed_count < MT_CLAIMED_MAX); /* a verifier makes a fixed number of them */
    struct mt_claimed *x = &c->claimed[c->claimed_count++];
    *x = (struct mt_claimed){.name = name};
    return x;
}

void mt_claim_bytes(struct mt_claims *c, const char *name, mt_bytes value)
{
    struct mt_claimed *x = next_claimed(c, name);
    MT_ASSERT(value.len <= sizeof x->bytes);
    memcpy(x->bytes, value.ptr, value.len);
    x->len = value.len;
}

void mt_claim_text(struct mt_claims *c, const char *name, const char *value)
{
    mt_claim_bytes(c, name, mt_bytes_of_text(value));
    c->claimed[c->claimed_count - 1].is_text = true;
}

void mt_claim_number(struct mt_claims *c, const char *name, uint64_t value)
{
    struct mt_claimed *x = next_claimed(c, name);
    x->is_number = true;
    x->number = value;
}

const struct mt_claimed *mt_claimed(const struct mt_claims *c, mt_bytes name)
{
    for (size_t i = 0; i < c->claimed_count; i++) {
        if (mt_bytes_equal(mt_bytes_of_text(c->claimed[i].name), name)) {
            return &c->claimed[i];
        }
    }
    return NULL;
}
