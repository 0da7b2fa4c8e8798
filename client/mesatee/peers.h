/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_PEERS_H
#define MT_MESATEE_PEERS_H

#include "mesatee/session.h"

/* A key slot of one node that another one of the same owner opens (spec/hand-over.md). */
struct mt_peer_slot {
    mt_id peer;    /* the key's name, at the node that keeps it */
    uint64_t slot; /* of the node that it opens */
};

/*
 * Has `keeper` keep a key for whoever satisfies `policy`, signed by the administrator that both
 * know, and has `node` make a slot for it: the node asks the keeper for the key as it will at a
 * start, so nobody here sees it, and a slot that would not open is not made. The keeper has to
 * satisfy the policy of its own context, which is the one that the node was started with. A key
 * that no slot came of is taken back. A failure at the keeper is in the keeper's session, `at`
 * being that one.
 */
MT_ERR mt_peer_slot_add(struct mt_session *node, struct mt_session *keeper, mt_bytes policy,
                        struct mt_peer_slot *out, struct mt_session **at);

#endif
