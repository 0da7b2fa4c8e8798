/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gate/inside.h"

/*
 * gate.wraps:   object -> resource || wrap of the object's key || handle
 * gate.objects: resource || version -> object
 */
enum { WRAP_VALUE_MIN = 16 + MT_OBJECT_WRAP_LEN, HANDLE_BYTES_MAX = 192 };

struct object_record {
    mt_id resource;
    struct mt_object_wrap wrap;
    struct mt_object_handle handle;
};

static MT_ERR get_object(struct mt_tx *tx, const mt_id *object, struct object_record *out)
{
    mt_bytes value;
    MT_TRY(mt_tx_get(tx, &mt_gate_maps[MT_GATE_WRAPS], mt_id_bytes(object), &value));
    struct mt_reader r = mt_reader_over(value);
    MT_TRY(mt_read_copy(&r, (mt_span){out->resource.b, sizeof out->resource.b}));
    MT_TRY(mt_read_copy(&r, (mt_span){out->wrap.b, sizeof out->wrap.b}));
    MT_TRY(mt_object_handle_parse(&r, &out->handle));
    return mt_read_end(&r);
}

/* Wraps the key under the newest shred key. */
static MT_ERR put_object(struct mt_gate *g, struct mt_tx *tx, const mt_id *resource,
                         const struct mt_object_handle *handle, mt_bytes key)
{
    uint8_t room[WRAP_VALUE_MIN + HANDLE_BYTES_MAX];
    struct mt_object_wrap wrap;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    MT_TRY(mt_shred_wrap(g->shred, &handle->id, key, &wrap));
    mt_write_bytes(&w, mt_id_bytes(resource));
    mt_write_bytes(&w, (mt_bytes){wrap.b, sizeof wrap.b});
    mt_object_handle_write(&w, handle);
    return mt_tx_put(tx, &mt_gate_maps[MT_GATE_WRAPS], mt_id_bytes(&handle->id), mt_write_done(&w));
}

struct version_key {
    uint8_t b[16 + 8];
};

static struct version_key version_key_of(const mt_id *resource, uint64_t version)
{
    struct version_key k;
    memcpy(k.b, resource->b, sizeof resource->b);
    for (size_t i = 0; i < 8; i++) {
        k.b[16 + i] = (uint8_t)(version >> (56 - 8 * i));
    }
    return k;
}

MT_ERR mt_gate_resource_of(struct mt_tx *tx, const mt_id *object, mt_id *resource)
{
    struct object_record rec;
    MT_TRY(get_object(tx, object, &rec));
    *resource = rec.resource;
    return MT_OK;
}

static MT_ERR get_version(struct mt_tx *tx, const mt_id *id, uint64_t version,
                          struct mt_object_handle *out)
{
    struct version_key k = version_key_of(id, version);
    mt_bytes value;
    mt_id object;
    struct object_record rec;
    MT_TRY(mt_tx_get(tx, &mt_gate_maps[MT_GATE_OBJECTS], MT_BYTES_OF(k), &value));
    MT_REQUIRE(value.len == sizeof object.b, MT_E_FORMAT,
               "an entry of gate.objects has the wrong length");
    memcpy(object.b, value.ptr, sizeof object.b);
    MT_TRY(get_object(tx, &object, &rec));
    *out = rec.handle;
    return MT_OK;
}

MT_ERR mt_permit_object(const struct mt_permit *p, struct mt_tx *tx, const struct mt_ref *what,
                        uint64_t version, struct mt_object_handle *out)
{
    MT_TRY(mt_permit_may_see(p, tx, what));
    MT_GATE_REACHES(tx);
    return get_version(tx, what->id, version, out);
}

MT_ERR mt_permit_input(struct mt_tx *tx, const mt_hash *task_digest, const mt_id *data,
                       uint64_t version, struct mt_object_handle *out)
{
    MT_GATE_REACHES(tx);
    MT_REQUIRE(mt_gate_grant_exists(tx, task_digest, data), MT_E_DENIED,
               "an owner's approval is missing");
    return get_version(tx, data, version, out);
}

void mt_gate_put_staged(struct mt_permit *p, const mt_id *object, const struct mt_secret *key)
{
    if (p->staged_count < MT_TASK_PARTIES_MAX) {
        p->staged[p->staged_count++] = (struct mt_staged){*object, key};
    }
}

MT_ERR mt_permit_keep(const struct mt_permit *p, struct mt_tx *tx,
                      const struct mt_object_handle *staged, const struct mt_ref *what,
                      uint64_t version)
{
    MT_GATE_REACHES(tx);
    struct mt_resource res;
    struct version_key k = version_key_of(what->id, version);
    MT_TRY(mt_gate_resource_get(tx, what->id, &res));
    bool is_owner =
        mt_hash_equal(&res.owner, &p->subject) || (p->is_job && what->kind == MT_KIND_RESULT);
    MT_REQUIRE(res.kind == what->kind && is_owner, MT_E_DENIED, "only its owner may do this");
    MT_REQUIRE(!res.has_ended, MT_E_CONFLICT, "it has been deleted");
    MT_REQUIRE(!mt_tx_has(tx, &mt_gate_maps[MT_GATE_OBJECTS], MT_BYTES_OF(k)), MT_E_CONFLICT,
               "this version exists");
    for (size_t i = 0; i < p->staged_count; i++) {
        if (mt_id_equal(&p->staged[i].object, &staged->id)) {
            MT_TRY(mt_tx_put(tx, &mt_gate_maps[MT_GATE_OBJECTS], MT_BYTES_OF(k),
                             mt_id_bytes(&staged->id)));
            return put_object(p->gate, tx, what->id, staged, mt_secret_bytes(p->staged[i].key));
        }
    }
    MT_FAIL(MT_E_DENIED, "this object did not come with this request");
}

/* No permit, no key: the object must belong to the permit's own resource, which it may read and
 * whose reading is written down, or be an input of the job. */
static bool is_covered(const struct mt_permit *p, const mt_id *object, const mt_id *resource)
{
    if (!p->is_job) {
        return p->may_read && p->is_intent && mt_id_equal(resource, &p->resource);
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
    struct object_record rec;
    MT_TRY(get_object(tx, object, &rec));
    MT_REQUIRE(is_covered(p, object, &rec.resource), MT_E_DENIED,
               "the permit does not cover this object");
    return mt_shred_unwrap(g->shred, object, &rec.wrap, key);
}

bool mt_gate_is_live(struct mt_gate *g, struct mt_tx *tx, const mt_id *object)
{
    MT_GATE_REACHES(tx);
    (void)g;
    return mt_tx_has(tx, &mt_gate_maps[MT_GATE_WRAPS], mt_id_bytes(object));
}

/* A scan and a write to its map do not mix: one object a scan. */
struct first_object {
    struct version_key key;
    mt_id object;
    bool is_there;
};

static mt_err take_first(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct first_object *f = state;
    MT_REQUIRE(key.len == sizeof f->key && value.len == sizeof f->object, MT_E_FORMAT,
               "an entry of gate.objects has the wrong length");
    memcpy(f->key.b, key.ptr, key.len);
    memcpy(f->object.b, value.ptr, value.len);
    f->is_there = true;
    *is_enough = true;
    return MT_OK;
}

size_t mt_gate_ended(const struct mt_gate *g, const mt_id **objects)
{
    *objects = g->ended;
    return g->ended_count;
}

MT_ERR mt_gate_objects_end(struct mt_gate *g, struct mt_tx *tx, const mt_id *resource)
{
    for (;;) {
        struct first_object f = {.is_there = false};
        MT_TRY(mt_tx_scan(tx, &mt_gate_maps[MT_GATE_OBJECTS], MT_ALL_OF((mt_id_bytes(resource))),
                          take_first, &f));
        if (!f.is_there) {
            return MT_OK;
        }
        MT_TRY(mt_tx_del(tx, &mt_gate_maps[MT_GATE_WRAPS], mt_id_bytes(&f.object)));
        MT_TRY(mt_tx_del(tx, &mt_gate_maps[MT_GATE_OBJECTS], MT_BYTES_OF(f.key)));
        if (g->ended_count < MT_GATE_ENDED_MAX) {
            g->ended[g->ended_count++] = f.object;
        }
    }
}

struct live {
    mt_object_each *each;
    void *state;
};

static mt_err show_live(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    const struct live *l = state;
    struct mt_object_handle h;
    (void)key;
    (void)is_enough;
    MT_REQUIRE(value.len > WRAP_VALUE_MIN, MT_E_FORMAT,
               "an entry of gate.wraps has the wrong length");
    struct mt_reader r =
        mt_reader_over((mt_bytes){value.ptr + WRAP_VALUE_MIN, value.len - WRAP_VALUE_MIN});
    MT_TRY(mt_object_handle_parse(&r, &h));
    return l->each(l->state, &h);
}

MT_ERR mt_gate_each_live(struct mt_gate *g, struct mt_tx *tx, mt_object_each *each, void *state)
{
    MT_GATE_REACHES(tx);
    struct live l = {each, state};
    (void)g;
    return mt_tx_scan(tx, &mt_gate_maps[MT_GATE_WRAPS], MT_ALL_OF(((mt_bytes){NULL, 0})), show_live,
                      &l);
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
    MT_REQUIRE(key.len == 16 && value.len > WRAP_VALUE_MIN, MT_E_FORMAT,
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
    MT_TRY(mt_tx_scan(tx, &mt_gate_maps[MT_GATE_WRAPS], MT_ALL, collect_old, &old));
    for (size_t i = 0; i < old.count; i++) {
        MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
        struct object_record rec;
        MT_TRY(get_object(tx, &old.objects[i], &rec));
        MT_TRY(mt_shred_unwrap(g->shred, &old.objects[i], &rec.wrap, &key));
        MT_TRY(put_object(g, tx, &rec.resource, &rec.handle, mt_secret_bytes(key)));
    }
    *is_done = old.count < MT_GATE_REWRAP_BATCH;
    return MT_OK;
}
