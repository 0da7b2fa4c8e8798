/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVICES_DATA_STORE_H
#define MT_SERVICES_DATA_STORE_H

#include "api/service.h"

/*
 * data.sets:     id -> [name, versions]
 * data.names:    owner || name -> id
 * data.versions: id || version -> [made, schema]; the object itself is registered with the gate
 */
extern const struct mt_map_def mt_data_maps[];

struct mt_data_set {
    mt_bytes name;
    uint64_t versions; /* the newest; they count from 1 */
    bool is_deleted;
};

struct mt_data_version {
    uint64_t made_ms;
    mt_bytes schema; /* JSON; empty: not a table */
};

MT_ERR mt_data_set_get(struct mt_tx *tx, const mt_id *id, struct mt_data_set *out);
MT_ERR mt_data_set_put(struct mt_tx *tx, const mt_id *id, const struct mt_data_set *set);
MT_ERR mt_data_version_get(struct mt_tx *tx, const mt_id *id, uint64_t version,
                           struct mt_data_version *out);
MT_ERR mt_data_version_put(struct mt_tx *tx, const mt_id *id, uint64_t version,
                           const struct mt_data_version *v);
/* Of a set that has been deleted. */
MT_ERR mt_data_schemas_del(struct mt_tx *tx, const mt_id *id, uint64_t versions);
/* {"columns": [...]} in the request's arena, from the first bytes of a CSV: a proposal for people,
 * which binds nobody. Empty if that is no table, or one wider than what is shown. */
MT_ERR mt_data_schema_propose(const struct mt_request *rq, mt_bytes *out);
/* MT_E_NOTFOUND if the owner has no such name. */
MT_ERR mt_data_name_get(struct mt_tx *tx, const mt_hash *owner, mt_bytes name, mt_id *out);
MT_ERR mt_data_name_put(struct mt_tx *tx, const mt_hash *owner, mt_bytes name, const mt_id *id);
MT_ERR mt_data_name_del(struct mt_tx *tx, const mt_hash *owner, mt_bytes name);

#endif
