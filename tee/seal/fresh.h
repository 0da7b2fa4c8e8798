/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_FRESH_H
#define MT_SEAL_FRESH_H

#include "platform/device.h"
#include "seal/root.h"

/*
 * Against a disk that was put back to an earlier state: a device's counter, which never goes back,
 * and the sealed file fresh.mts, which says whose counter it is, what it was and how long the
 * ledger was then (spec/sealed-object.md). Both go one step further at each start, and now and then
 * in between; the file first, so that a crash between the two leaves it one ahead. What was written
 * since the last step can still be taken back: the counter of a TPM is too slow, and wears out too
 * soon, for one step a commit.
 */

/* Whether the mark is there; anything else about it is for mt_fresh_open() to say. */
MT_ERR mt_fresh_is_marked(struct mt_fs *fs, const struct mt_root *r, bool *out);

/* `is_first`: of a state directory that is being made. MT_E_PROOF if the file is gone, of
 * another machine's counter, behind it, or further ahead of it than a crash explains.
 * *transactions: how many the ledger must have at least. Ends with a step. */
MT_ERR mt_fresh_open(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d, bool is_first,
                     uint64_t *transactions);

/*
 * Somebody who may has opened the disk beside another machine, whose counter has another number:
 * from here on it is that one. `is_taken_up`: it was not so before. Whether the disk had been put
 * back nobody can say now but the clients, who remember its heads.
 */
MT_ERR mt_fresh_take_up(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d,
                        bool *is_taken_up);

/* The ledger has so many durable transactions now. May be called off the loop, from one thread. */
MT_ERR mt_fresh_step(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d,
                     uint64_t transactions);

#endif
