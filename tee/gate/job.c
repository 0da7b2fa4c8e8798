/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gate/inside.h"

static MT_ERR check_object(struct mt_tx *tx, const struct mt_job_ask *ask, size_t i)
{
    struct mt_resource res;
    mt_id parent;
    mt_err e = mt_gate_resource_get(tx, &ask->inputs[i], &res);
    MT_REQUIRE(!mt_failed(e) && res.kind == MT_KIND_DATA && !res.has_ended, MT_E_DENIED,
               "an input of the task has been deleted");
    e = mt_gate_resource_of(tx, &ask->objects[i], &parent);
    MT_REQUIRE(!mt_failed(e) && mt_id_equal(&parent, &ask->inputs[i]), MT_E_DENIED,
               "an object does not belong to the input it is named with");
    return MT_OK;
}

static MT_ERR use_up(struct mt_tx *tx, const struct mt_job_ask *ask, size_t i)
{
    struct mt_grant g;
    if (ask->is_repeat) {
        MT_REQUIRE(mt_gate_grant_exists(tx, &ask->grantee, &ask->inputs[i]), MT_E_DENIED,
                   "an approval was withdrawn");
        return MT_OK;
    }
    mt_err e = mt_gate_grant_find(
        tx,
        &(const struct mt_grant_query){
            &ask->grantee, {MT_KIND_DATA, &ask->inputs[i]}, 1U << MT_GRANT_RUN, ask->function},
        &g);
    MT_REQUIRE(!mt_failed(e), MT_E_DENIED,
               "an owner's approval is missing, not yet valid, expired, used up or withdrawn");
    g.used++;
    return mt_gate_grant_put(tx, MT_KIND_DATA, &ask->inputs[i], &g);
}

static bool is_named_before(const struct mt_job_ask *ask, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (mt_id_equal(&ask->inputs[j], &ask->inputs[i])) {
            return true;
        }
    }
    return false;
}

MT_ERR mt_gate_admit_job(struct mt_gate *g, struct mt_tx *tx, const struct mt_job_ask *ask,
                         struct mt_arena *arena, struct mt_permit **out)
{
    MT_GATE_REACHES(tx);
    mt_span room;
    MT_REQUIRE(ask->inputs_count <= MT_TASK_PARTIES_MAX, MT_E_LIMIT, "a job has too many inputs");
    MT_TRY(mt_arena_get(arena, sizeof(struct mt_permit), &room));
    struct mt_permit *p = (struct mt_permit *)(void *)room.ptr;
    p->gate = g;
    p->is_job = true;
    p->subject = ask->grantee;
    for (size_t i = 0; i < ask->inputs_count; i++) {
        MT_TRY(check_object(tx, ask, i));
        p->objects[p->objects_count++] = ask->objects[i];
        if (!is_named_before(ask, i)) { /* data that is two inputs of a run is used once */
            MT_TRY(use_up(tx, ask, i));
        }
    }
    MT_TRY(mt_gate_audit(tx, &ask->grantee, "job.start", &ask->job, MT_AUDIT_INTENT));
    *out = p;
    return MT_OK;
}

MT_ERR mt_gate_admit_nothing(struct mt_gate *g, const mt_hash *grantee, struct mt_arena *arena,
                             struct mt_permit **out)
{
    mt_span room;
    MT_TRY(mt_arena_get(arena, sizeof(struct mt_permit), &room));
    struct mt_permit *p = (struct mt_permit *)(void *)room.ptr;
    p->gate = g;
    p->is_job = true;
    p->subject = *grantee;
    *out = p;
    return MT_OK;
}

/* A grant whose last use is this very run is used up by now, and may have expired: it counts as
 * long as it has not been withdrawn. */
MT_ERR mt_gate_check_job(struct mt_gate *g, struct mt_tx *tx, const struct mt_job_ask *ask)
{
    MT_GATE_REACHES(tx);
    (void)g;
    for (size_t i = 0; i < ask->inputs_count; i++) {
        struct mt_resource res;
        mt_err e = mt_gate_resource_get(tx, &ask->inputs[i], &res);
        MT_REQUIRE(!mt_failed(e) && !res.has_ended, MT_E_CANCELLED,
                   "an input was deleted while the job ran");
        MT_REQUIRE(mt_gate_grant_exists(tx, &ask->grantee, &ask->inputs[i]), MT_E_CANCELLED,
                   "an approval was withdrawn while the job ran");
    }
    return MT_OK;
}
