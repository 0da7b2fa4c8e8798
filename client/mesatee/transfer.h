/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_TRANSFER_H
#define MT_MESATEE_TRANSFER_H

#include "mesatee/client.h"

/* Big bytes between a file and a node, with a progress bar on a terminal. What the node commits to
 * is compared with what was sent or got. */
struct mt_transfer {
    int fd;
    uint64_t size_bytes;
    uint64_t done_bytes;
    uint64_t started_ms;
    uint64_t shown_ms;
    bool has_bar;
    struct mt_hasher *hasher;
};

MT_ERR mt_transfer_open(const char *path, bool has_bar, struct mt_transfer *out);
void mt_transfer_close(struct mt_transfer *t);
/* MT_E_PROOF if the node committed to something else. The caller frees `answer`. */
MT_ERR mt_transfer_put(struct mt_transfer *t, struct mt_client *c, const char *name,
                       struct mt_buf *answer, uint32_t *status);
/* Into PATH.part, synced, then renamed. MT_E_PROOF, and no file, if it is not what the node
 * committed to. The caller frees out->body. */
MT_ERR mt_transfer_get(struct mt_client *c, const char *target, const char *path, bool has_bar,
                       struct mt_answer *out);

/* The same for any call whose answer is bytes. */
MT_ERR mt_transfer_fetch(struct mt_client *c, const struct mt_call *call, const char *path,
                         bool has_bar, struct mt_answer *out);

#endif
