/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_SHRED_H
#define MT_SEAL_SHRED_H

#include "seal/handle.h"
#include "seal/root.h"

/*
 * Shredding. Object keys are wrapped under a shred key, which lies in one small rewritable sealed
 * file and never enters the ledger. To delete for good: mt_shred_begin() makes the next key, every
 * live wrap is wrapped anew (a transaction of the gate), and once that is durable mt_shred_end()
 * destroys the old key: from then on the root key and all old ledger chunks together open no
 * deleted object. Between the two both keys are in the file, so a crash at any point loses nothing
 * live.
 */
struct mt_shred;

MT_ERR mt_shred_open(struct mt_fs *fs, const struct mt_root *r,
                     struct mt_shred **out); /* makes the file the first time */
void mt_shred_free(struct mt_shred **s);
uint64_t mt_shred_epoch(const struct mt_shred *s);   /* newest */
bool mt_shred_is_rotating(const struct mt_shred *s); /* two keys present */
MT_ERR mt_shred_wrap(struct mt_shred *s, const mt_id *object, mt_bytes key,
                     struct mt_object_wrap *out); /* newest epoch; the id is AAD */
MT_ERR mt_shred_unwrap(struct mt_shred *s, const mt_id *object, const struct mt_object_wrap *w,
                       struct mt_secret **key); /* MT_E_NOTFOUND: that epoch is gone, shredded */
uint64_t mt_shred_wrap_epoch(const struct mt_object_wrap *w);
MT_ERR mt_shred_begin(struct mt_shred *s); /* MT_E_CONFLICT while rotating */
/* MT_E_CONFLICT unless rotating. On success the old key is destroyed, in memory and on the disk; on
 * failure repeat it, or open anew. */
MT_ERR mt_shred_end(struct mt_shred *s);

/* The keys as they are now, for a backup: what the file holds. */
MT_ERR mt_shred_export(const struct mt_shred *s, struct mt_secret **out);

#endif
