/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/time.h"
#include "mesatee/policy_file.h"

/* What a person says of hardware, word by word, into the part of a policy that is about it. */

static MT_ERR set_bit(const char *value, enum mt_words of, unsigned from, uint32_t *bits)
{
    unsigned at = 0;
    mt_err e = mt_words_find(of, mt_bytes_of_text(value), &at);
    MT_REQUIRE(!mt_failed(e) && at >= from, MT_E_ARG,
               "no kind, status or weakness of hardware has this name: see spec/policy.md");
    *bits |= UINT32_C(1) << at;
    return MT_OK;
}

static MT_ERR add_advisory(struct mt_hardware_policy *h, const char *value)
{
    size_t len = strlen(value);
    MT_REQUIRE(h->advisories_count < MT_ADVISORIES_MAX && len > 0 && len <= MT_POLICY_WORD_MAX,
               MT_E_ARG, "a policy names up to 64 advisories of up to 31 characters");
    memcpy(h->advisories[h->advisories_count++], value, len + 1);
    return MT_OK;
}

/* "NAME=N", to its place in bytewise order. */
static MT_ERR add_minimum(struct mt_hardware_policy *h, const char *value)
{
    struct mt_policy_minimum m = {.value = 0};
    const char *equal = strchr(value, '=');
    size_t len = equal == NULL ? 0 : (size_t)(equal - value);
    size_t digits = equal == NULL ? 0 : strlen(equal + 1);
    size_t at = h->minimums_count;
    MT_REQUIRE(len > 0 && len <= MT_POLICY_WORD_MAX && digits > 0 && digits <= 15 &&
                   strspn(equal + 1, "0123456789") == digits && at < MT_POLICY_MINIMUMS_MAX,
               MT_E_ARG, "a minimum is NAME=N; a policy has up to 16");
    memcpy(m.name, value, len);
    for (size_t i = 0; i < digits; i++) {
        m.value = m.value * 10 + (uint64_t)(equal[1 + i] - '0');
    }
    for (; at > 0 && strcmp(h->minimums[at - 1].name, m.name) > 0; at--) {
        h->minimums[at] = h->minimums[at - 1];
    }
    h->minimums[at] = m;
    h->minimums_count++;
    return MT_OK;
}

static MT_ERR add_machine(struct mt_hardware_policy *h, const char *value)
{
    MT_REQUIRE(h->platforms_count < MT_POLICY_PLATFORMS_MAX, MT_E_ARG,
               "a policy names up to 32 machines");
    mt_span to = {h->platforms[h->platforms_count].b, sizeof h->platforms->b};
    mt_err e = mt_hex_parse(mt_bytes_of_text(value), to);
    MT_REQUIRE(!mt_failed(e), MT_E_ARG, "a machine is named by the 64 digits that verify prints");
    h->platforms_count++;
    return MT_OK;
}

MT_ERR mt_policy_accept(struct mt_policy *p, const char *what, const char *value)
{
    struct mt_hardware_policy *h = &p->hardware;
    h->is_named = true;
    if (strcmp(what, "kind") == 0) {
        return set_bit(value, MT_WORDS_KIND, MT_EVIDENCE_SOFT + 1, &h->kinds);
    }
    if (strcmp(what, "tcb-status") == 0) {
        return set_bit(value, MT_WORDS_TCB_STATUS, 0, &h->tcb_statuses);
    }
    if (strcmp(what, "allow") == 0) {
        return set_bit(value, MT_WORDS_WEAKNESS, 0, &h->weaknesses);
    }
    if (strcmp(what, "advisory") == 0) {
        return add_advisory(h, value);
    }
    if (strcmp(what, "minimum") == 0) {
        return add_minimum(h, value);
    }
    if (strcmp(what, "machine") == 0) {
        return add_machine(h, value);
    }
    mt_err e = mt_time_parse(mt_bytes_of_text(value), &h->minimum_tcb_date_ms);
    MT_REQUIRE(!mt_failed(e), MT_E_ARG, "a date is a time in UTC, as 2025-07-01T00:00:00Z");
    return MT_OK;
}

void mt_policy_accept_default(struct mt_policy *p)
{
    enum {
        RATED = 1 << MT_EVIDENCE_TDX | 1 << MT_EVIDENCE_SGX | 1 << MT_EVIDENCE_AZURE,
        UNRATED = 1 << MT_EVIDENCE_TPM | 1 << MT_EVIDENCE_SNP | 1 << MT_EVIDENCE_AZURE
    };
    struct mt_hardware_policy *h = &p->hardware;
    if (h->tcb_statuses == 0) {
        h->tcb_statuses |= (h->kinds & RATED) != 0 ? 1U << MT_TCB_UP_TO_DATE : 0;
        h->tcb_statuses |= (h->kinds & UNRATED) != 0 ? 1U << MT_TCB_UNRATED : 0;
    }
}
