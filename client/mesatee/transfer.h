/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_TRANSFER_H
#define MT_MESATEE_TRANSFER_H

#include "mesatee/session.h"

/* Big bytes between a file and a node. What the node commits to is compared with what was sent or
 * got. */

/* Whom to tell how far something is, if anybody: `all` is 0 while it is not known. */
struct mt_progress {
    void (*tell)(void *state, uint64_t done, uint64_t all);
    void *state;
};

/* A new version of NAME; *out is the node's answer. MT_E_PROOF if it committed to something else.
 */
MT_ERR mt_transfer_put(struct mt_session *s, const char *name, const char *path,
                       struct mt_progress progress, struct mt_json **out);
/* Any call whose answer is bytes: into PATH.part, synced, then renamed. On failure there is no
 * file, or the one of before: MT_E_PROOF if what came is not what the node committed to. */
MT_ERR mt_transfer_get(struct mt_session *s, const struct mt_call *call, const char *path,
                       struct mt_progress progress);

#endif
