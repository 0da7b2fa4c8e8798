/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_SHARES_H
#define MT_MESATEE_SHARES_H

#include "mesatee/session.h"

/*
 * Key slots whose key is nowhere but in shares (spec/share.md). The key is made and cut here, and
 * is nowhere but in the request: what a node replies is kept until it is acknowledged, and shares
 * shall be nowhere but with their holders.
 */
struct mt_shares {
    uint64_t slot;
    mt_id set;
    uint8_t threshold;
    uint8_t count;
    uint8_t index; /* of the one that was checked */
};

/* "2/3": threshold and count. MT_E_ARG. */
MT_ERR mt_shares_numbers(const char *text, struct mt_shares *out);

/* The file of a share: "DIR/share-1-of-3". */
MT_ERR mt_shares_path(const char *dir, size_t index, size_t count, char out[MT_PATH_MAX]);

/* Adds a slot; `s` is connected. `made` has the numbers, and gets the rest. Files are written
 * first, all or none, and taken away again if the node refuses: MT_E_CONFLICT if one is there. */
MT_ERR mt_shares_add(struct mt_session *s, const char *dir, struct mt_shares *made);

/* Whether the share in a file is one of a slot's. With the complaint set: MT_E_FORMAT, MT_E_PROOF,
 * MT_E_CONFLICT as lib/crypto/share.h says. */
MT_ERR mt_shares_check(struct mt_session *s, const char *path, struct mt_shares *out);

#endif
