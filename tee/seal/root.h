/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_ROOT_H
#define MT_SEAL_ROOT_H

#include "crypto/labels.h"
#include "crypto/secret.h"
#include "platform/fs.h"

/*
 * One root key per node, random, wrapped by one or more key slots (spec/sealed-object.md): a
 * passphrase (scrypt) or a key file of 32 bytes or more. What opens a slot is its credential. Later
 * slots (TPM, SNP, SGX, peer, shares) have the same shape.
 */
enum mt_slot_kind {
    MT_SLOT_PASSPHRASE = 1,
    MT_SLOT_FILE,
    MT_SLOT_DAMAGED, /* what is listed so opens nothing; also left by a removal that was cut short
                      */
};

struct mt_credential {
    enum mt_slot_kind kind;
    mt_bytes secret; /* the passphrase, or the content of the key file */
};

struct mt_slot_info {
    uint32_t number; /* 0 to 7 */
    enum mt_slot_kind kind;
    uint64_t made_ms; /* host-claimed */
};

struct mt_root; /* owned; holds the root key in a secret */

/* Makes root key and first slot; MT_E_CONFLICT if there is one. Durable on return. */
MT_ERR mt_root_create(struct mt_fs *fs, const struct mt_credential *c, uint64_t host_time_ms,
                      struct mt_root **out);
/* Tries every slot of the kind: MT_E_PROOF if none opens, MT_E_NOTFOUND if there are no slots at
 * all, MT_E_ARG for a secret that could open none. */
MT_ERR mt_root_open(struct mt_fs *fs, const struct mt_credential *c, struct mt_root **out);
void mt_root_free(struct mt_root **r);

MT_ERR mt_slot_add(struct mt_fs *fs, struct mt_root *r, const struct mt_credential *c,
                   uint64_t host_time_ms, uint32_t *number);
/* MT_E_CONFLICT unless an undamaged one stays. The file is overwritten, then removed. */
MT_ERR mt_slot_remove(struct mt_fs *fs, uint32_t number);
MT_ERR mt_slot_list(struct mt_fs *fs, struct mt_slot_info *out, size_t max, size_t *count);

/* A key of the tree: HKDF(root, label, context), 32 bytes. */
MT_ERR mt_root_derive(const struct mt_root *r, enum mt_label label, mt_bytes context,
                      struct mt_secret **out);

/*
 * A small rewritable sealed file in the top directory (platform key, shred keys, genesis): a key
 * for each writing, derived from the root, the name and a fresh salt; name and version as AAD. The
 * next version is durable before the one before it is touched, and that one is overwritten before
 * mt_small_file_write() returns: success means that it is gone, failure that the file holds one of
 * the two. Reading takes up what a crash cut short. Bounded by MT_SMALL_FILE_BYTES_MAX. MT_E_PROOF
 * if anything is not as written; MT_E_NOTFOUND.
 */
MT_ERR mt_small_file_write(struct mt_fs *fs, const struct mt_root *r, const char *name,
                           mt_bytes content);
MT_ERR mt_small_file_read(struct mt_fs *fs, const struct mt_root *r, const char *name,
                          struct mt_buf *out);

#endif
