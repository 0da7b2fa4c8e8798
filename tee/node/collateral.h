/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_NODE_COLLATERAL_H
#define MT_NODE_COLLATERAL_H

#include "attest/bundle.h"
#include "attest/trace.h"
#include "seal/root.h"

/*
 * What the maker of the machine says of it, held by the node and shown with its evidence, so that
 * whoever verifies the node need ask nobody. Somebody else fetches it into a folder (`mesatee
 * collateral get`); the node believes nothing of that until it has verified it for its own
 * evidence, and seals the last that was good. Single owner.
 */
struct mt_held {
    struct mt_buf bytes;     /* a bundle: the evidence that it was verified for, and it */
    struct mt_bundle bundle; /* borrows from them; no quote: nothing is held */
};

/* What was good last. Nothing, if none ever was; what the disk changed is MT_E_PROOF. */
MT_ERR mt_held_open(struct mt_fs *fs, const struct mt_root *r, struct mt_held *out);
void mt_held_free(struct mt_held *h);

struct mt_held_order {
    struct mt_fs *fs;
    const struct mt_root *root;
    const char *folder;
    const struct mt_bundle *own; /* the node's evidence, as it is now */
    uint64_t now_ms;
};
/* What the folder holds, verified and sealed, in place of what was held. On failure that stays, and
 * the failed rule is in `trace`. */
MT_ERR mt_held_take(struct mt_held *h, const struct mt_held_order *o, struct mt_trace *trace);
/* What the folder holds, while the disk is closed and nothing can be sealed: not verified, so that
 * it is good for whoever verifies it himself. */
MT_ERR mt_held_offer(const char *folder, struct mt_held *out);
/* Whether what is held is still good for this evidence. */
MT_ERR mt_held_check(const struct mt_held *h, const struct mt_bundle *own, uint64_t now_ms,
                     struct mt_trace *trace);
/* Into evidence that is about to be shown: what it does not have of its own. Borrowed. */
void mt_held_lend(const struct mt_held *h, struct mt_collateral *to);

#endif
