/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/appraise.h"

#include <stdlib.h>

static void free_list(struct mt_auditors_list **l)
{
    free(*l);
    *l = NULL;
}

/* The measurement must be named: by the policy itself, or by enough of its auditors. */
static MT_ERR check_measurement(const struct mt_appraiser *a, const struct mt_claims *c,
                                uint64_t now_ms, struct mt_trace *trace)
{
    const struct mt_policy *p = a->policy;
    bool is_known = mt_hash_is_among(&c->measurement, p->measurements, p->measurements_count);
    if (!is_known && p->auditors.threshold > 0) {
        MT_DEFER(free_list) struct mt_auditors_list *list = calloc(1, sizeof *list);
        MT_REQUIRE(list != NULL, MT_E_NOMEM, "no memory for an auditors' list");
        MT_CHECK(trace, a->auditors_list.len > 0, MT_E_DENIED, "auditors-missing",
                 "the policy's auditors have given a list",
                 "add the list: mesatee context add --auditors FILE");
        mt_err e = mt_auditors_verify(a->auditors_list, &p->auditors, now_ms, list, trace);
        if (mt_failed(e)) {
            return e;
        }
        for (size_t i = 0; i < list->values_count && !is_known; i++) {
            is_known = mt_hash_equal(&c->measurement, &list->values[i].measurement);
        }
    }
    MT_CHECK(trace, is_known, MT_E_DENIED, "measurement-unknown",
             "the measured code is one that the policy or its auditors name",
             "the node runs other code than was approved; after an update, have the new "
             "measurement signed: mesatee auditor new");
    return MT_OK;
}

MT_ERR mt_appraise(const struct mt_appraiser *a, const struct mt_claims *c, uint64_t now_ms,
                   struct mt_verdict *out, struct mt_trace *trace)
{
    const struct mt_policy *p = a->policy;
    MT_CHECK(trace, (uint64_t)c->level >= p->minimum_level, MT_E_DENIED, "level-minimum",
             "the evidence reaches the level that the policy demands",
             "use a node of a higher level, or lower minimum_level in your policy, knowing what "
             "that gives up");
    if (c->kind != MT_EVIDENCE_SOFT) {
        MT_TRY(mt_hardware_appraise(&p->hardware, c, trace));
    }
    MT_TRY(check_measurement(a, c, now_ms, trace));
    MT_CHECK(
        trace,
        p->configurations_count == 0 ||
            mt_hash_is_among(&c->configuration, p->configurations, p->configurations_count),
        MT_E_DENIED, "configuration-unknown",
        "the node's configuration is one that the policy names, or the policy names none",
        "the operator has changed the configuration: compare it, then add its hash to the policy");
    *out = (struct mt_verdict){.level = c->level};
    return MT_OK;
}
