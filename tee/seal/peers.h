/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_PEERS_H
#define MT_SEAL_PEERS_H

#include "seal/root.h"

/*
 * Keys that this node keeps for other nodes of its owner (spec/key-slot.md): each opens one slot of
 * one disk, and nothing without that disk. With each stands the appraisal policy for whoever asks
 * for it, canonical JSON, which is an administrator's word and not the host's. All lie in one small
 * sealed file, whose last version is overwritten: what was removed is gone.
 */
enum { MT_PEER_KEY_LEN = 32 };

struct mt_peer_key {
    mt_id id;
    mt_bytes key; /* a secret */
    uint64_t made_ms;
    mt_bytes policy;
};

struct mt_peers {
    struct mt_buf bytes;
    struct mt_peer_key keys[MT_PEER_KEYS_MAX]; /* borrow from them */
    size_t count;
};

/* None, if none was ever made. MT_E_PROOF: the file is not as it was written. */
MT_ERR mt_peers_read(struct mt_fs *fs, const struct mt_root *r, struct mt_peers *out);
void mt_peers_free(struct mt_peers *p);
/* NULL if there is none. */
const struct mt_peer_key *mt_peers_find(const struct mt_peers *p, const mt_id *id);

/* A fresh key. Durable on return. MT_E_LIMIT if there are too many, or the policy is too long. */
MT_ERR mt_peers_add(struct mt_fs *fs, const struct mt_root *r, mt_bytes policy,
                    uint64_t host_time_ms, mt_id *id);
/* MT_E_NOTFOUND. The key is gone on return. */
MT_ERR mt_peers_remove(struct mt_fs *fs, const struct mt_root *r, const mt_id *id);

/* The content of the file; borrows. */
void mt_peers_write(struct mt_writer *w, const struct mt_peers *p);
MT_ERR mt_peers_parse(mt_bytes in, struct mt_peers *out);

#endif
