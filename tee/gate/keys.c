/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gate/inside.h"

/*
 * gate.wraps:   object -> resource || wrap of the object's key
 * gate.objects: resource || object -> nothing
 */
enum { WRAP_VALUE = 16 + MT_OBJECT_WRAP_LEN };

static MT_ERR get_wrap(struct mt_tx *tx, const mt_id *object, mt_id *resource,
                       struct mt_object_wrap *wrap)
{
    mt_bytes value;
    MT_TRY(mt_tx_get(tx, &mt_gate_maps[MT_GATE_WRAPS], mt_id_bytes(object), &value));
    MT_REQUIRE(value.len == WRAP_VALUE, MT_E_FORMAT, "an entry of gate.wraps has the wrong length");
    memcpy(resource->b, value.ptr, sizeof resource->b);
    memcpy(wrap->b, value.ptr + sizeof resource->b, sizeof wrap->b);
    return MT_OK;
}

MT_ERR mt_gate_wrap(struct mt_gate *g, struct mt_tx *tx, const mt_id *resource, const mt_id *object,
                    mt_bytes key)
{
    uint8_t value[WRAP_VALUE];
    uint8_t pair[32];
    struct mt_object_wrap wrap;
    MT_TRY(mt_shred_wrap(g->shred, object, key, &wrap));
    memcpy(value, resource->b, sizeof resource->b);
    memcpy(value + sizeof resource->b, wrap.b, sizeof wrap.b);
    memcpy(pair, resource->b, 16);
    memcpy(pair + 16, object->b, 16);
    MT_TRY(mt_tx_put(tx, &mt_gate_maps[MT_GATE_OBJECTS], (mt_bytes){pair, sizeof pair},
                     (mt_bytes){NULL, 0}));
    return mt_tx_put(tx, &mt_gate_maps[MT_GATE_WRAPS], mt_id_bytes(object),
                     (mt_bytes){value, sizeof value});
}

MT_ERR mt_gate_resource_of(struct mt_tx *tx, const mt_id *object, mt_id *resource)
{
    struct mt_object_wrap wrap;
    return get_wrap(tx, object, resource, &wrap);
}

void mt_gate_put_staged(struct mt_permit *p, const mt_id *object, const struct mt_secret *key)
{
    if (p->staged_count < MT_TASK_PARTIES_MAX) {
        p->staged[p->staged_count++] = (struct mt_staged){*object, key};
    }
}

MT_ERR mt_permit_keep(const struct mt_permit *p, struct mt_tx *tx,
                      const struct mt_object_handle *staged, enum mt_kind kind, const mt_id *id)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    MT_TRY(mt_gate_resource_get(tx, id, &res));
    bool is_owner = mt_hash_equal(&res.owner, &p->subject) || (p->is_job && kind == MT_KIND_RESULT);
    MT_REQUIRE(res.kind == kind && is_owner, MT_E_DENIED, "only its owner may do this");
    MT_REQUIRE(!res.has_ended, MT_E_CONFLICT, "it has been deleted");
    for (size_t i = 0; i < p->staged_count; i++) {
        if (mt_id_equal(&p->staged[i].object, &staged->id)) {
            return mt_gate_wrap(p->gate, tx, id, &staged->id, mt_secret_bytes(p->staged[i].key));
        }
    }
    MT_FAIL(MT_E_DENIED, "this object did not come with this request");
}

/* No permit, no key: the object must belong to the permit's own resource, which it may read, or be
 * an input of the job. */
static bool is_covered(const struct mt_permit *p, const mt_id *object, const mt_id *resource)
{
    if (!p->is_job) {
        return p->may_read && mt_id_equal(resource, &p->resource);
    }
    for (size_t i = 0; i < p->objects_count; i++) {
        if (mt_id_equal(&p->objects[i], object)) {
            return true;
        }
    }
    return false;
}

MT_ERR mt_gate_unwrap(struct mt_gate *g, const struct mt_permit *p, struct mt_tx *tx,
                      const mt_id *object, struct mt_secret **key)
{
    MT_GATE_REACHES(tx);
    mt_id resource;
    struct mt_object_wrap wrap;
    MT_TRY(get_wrap(tx, object, &resource, &wrap));
    MT_REQUIRE(is_covered(p, object, &resource), MT_E_DENIED,
               "the permit does not cover this object");
    return mt_shred_unwrap(g->shred, object, &wrap, key);
}

bool mt_gate_is_live(struct mt_gate *g, struct mt_tx *tx, const mt_id *object)
{
    MT_GATE_REACHES(tx);
    (void)g;
    return mt_tx_has(tx, &mt_gate_maps[MT_GATE_WRAPS], mt_id_bytes(object));
}

struct old_wraps {
    uint64_t epoch;
    mt_id objects[MT_GATE_REWRAP_BATCH];
    size_t count;
};

static mt_err collect_old(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct old_wraps *o = state;
    struct mt_object_wrap wrap;
    MT_REQUIRE(key.len == 16 && value.len == WRAP_VALUE, MT_E_FORMAT,
               "an entry of gate.wraps has the wrong length");
    memcpy(wrap.b, value.ptr + 16, sizeof wrap.b);
    if (mt_shred_wrap_epoch(&wrap) != o->epoch) {
        memcpy(o->objects[o->count++].b, key.ptr, 16);
    }
    *is_enough = o->count == MT_GATE_REWRAP_BATCH;
    return MT_OK;
}

MT_ERR mt_gate_rewrap(struct mt_gate *g, struct mt_tx *tx, bool *is_done)
{
    MT_GATE_REACHES(tx);
    struct old_wraps old = {.epoch = mt_shred_epoch(g->shred)};
    MT_TRY(mt_tx_scan(tx, &mt_gate_maps[MT_GATE_WRAPS], (mt_bytes){NULL, 0}, (mt_bytes){NULL, 0},
                      collect_old, &old));
    for (size_t i = 0; i < old.count; i++) {
        MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
        mt_id resource;
        struct mt_object_wrap wrap;
        MT_TRY(get_wrap(tx, &old.objects[i], &resource, &wrap));
        MT_TRY(mt_shred_unwrap(g->shred, &old.objects[i], &wrap, &key));
        MT_TRY(mt_gate_wrap(g, tx, &resource, &old.objects[i], mt_secret_bytes(key)));
    }
    *is_done = old.count < MT_GATE_REWRAP_BATCH;
    return MT_OK;
}
