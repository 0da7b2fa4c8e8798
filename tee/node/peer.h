/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_NODE_PEER_H
#define MT_NODE_PEER_H

#include "node/node.h"

/* Another node of the same owner keeps the key to a slot of ours: peer.c. */

/* A disk that opens by nothing of its own: by the peer of the configuration, if there is one and
 * the disk has a slot for it. Why not is in the log. */
bool mt_node_open_by_peer(struct mt_node *n);
/* For a slot that an administrator wants; on the thread that has the device. */
mt_err mt_node_make_peer_slot(void *state, const struct mt_peer_wanted *wanted,
                              uint64_t host_time_ms, struct mt_slot_made *out);
/* What a machine without a device is known by, made of its key file. */
MT_ERR mt_node_machine_key(mt_bytes keyfile, struct mt_key **out);
/* Prints the hash of that, which policies name. MT_E_ARG for a machine with a device. */
MT_ERR mt_node_say_machine(struct mt_device *device, mt_bytes keyfile);

#endif
