/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_PEERS_H
#define MT_SERVER_PEERS_H

#include "server/inside.h"

/* Keys that this node keeps for others of its owner: what administrators do with them. */
MT_ERR mt_server_peers_list(struct mt_server *s, struct mt_tx *tx, struct mt_reply *rp);
MT_ERR mt_server_peers_add(struct mt_server *s, struct mt_exchange *x, struct mt_tx *tx);
MT_ERR mt_server_peers_remove(struct mt_server *s, const struct mt_request *rq, struct mt_tx *tx,
                              struct mt_reply *rp);
/* Whether the ledger still has this name: the file alone would do as its host likes, who can put an
 * older one back. */
extern const struct mt_map_def mt_server_peers_maps[];
bool mt_server_peers_has(struct mt_tx *tx, const mt_id *id);
/* None is kept any more. */
MT_ERR mt_server_peers_forget(struct mt_tx *tx);

/* ---- handover.c: one of them goes to a machine that has shown what it is */
bool mt_handover_is_ours(const struct mt_exchange *x);
/* Whether the body is a message of the attest round, and no JSON. */
bool mt_handover_is_due(const struct mt_exchange *x);
MT_ERR mt_handover_call(struct mt_conn *c, struct mt_tx *tx);
/* showing.c: whether evidence of somebody is looked at, which costs too: MT_E_BUSY. */
MT_ERR mt_showing_admit_asker(struct mt_server *s);

#endif
