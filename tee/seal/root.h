/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_ROOT_H
#define MT_SEAL_ROOT_H

#include "base/limits.h"
#include "crypto/labels.h"
#include "crypto/secret.h"
#include "crypto/share.h"
#include "platform/device.h"
#include "platform/fs.h"

/*
 * One root key per node, random, wrapped by one or more key slots (spec/sealed-object.md and
 * spec/key-slot.md): a passphrase (scrypt), a key file of 32 bytes or more, the machine itself:
 * a TPM that opens what it sealed, firmware that derives the same key again; a key that is nowhere
 * but in shares; or a key that another node keeps (seal/peers.h). What opens a slot is its
 * credential.
 */
enum mt_slot_kind {
    MT_SLOT_DAMAGED, /* what is listed so opens nothing; also left by a removal that was cut short
                      */
    MT_SLOT_PASSPHRASE,
    MT_SLOT_FILE,
    MT_SLOT_TPM,
    MT_SLOT_DERIVED, /* SEV-SNP, SGX */
    MT_SLOT_SHARES,  /* a key that holders have shares of */
    MT_SLOT_PEER,    /* a key that another node keeps */
};

/* Which key of which node opens a peer's slot: neither is a secret. */
struct mt_peer_name {
    mt_id key;
    mt_hash cluster; /* that node's */
};

struct mt_credential {
    enum mt_slot_kind kind;
    mt_bytes secret; /* the passphrase, the content of the key file, the key in shares, a peer's */
    struct mt_device *device; /* of a TPM's and a derived one; borrowed */
    mt_bytes set;             /* of a key in shares, to add a slot: what checks them */
    struct mt_peer_name peer; /* of a peer's key, to add a slot */
};

/* MT_E_ARG from a device that neither seals nor derives. */
MT_ERR mt_credential_of_device(struct mt_device *d, struct mt_credential *out);

struct mt_slot_info {
    uint32_t number; /* 0 to 7 */
    enum mt_slot_kind kind;
    uint64_t made_ms;         /* host-claimed */
    struct mt_share_set set;  /* of a key in shares */
    struct mt_peer_name peer; /* of a peer's key */
};

struct mt_root; /* owned; holds the root key in a secret */

/* Makes root key and first slot; MT_E_CONFLICT if there is one. Durable on return. */
MT_ERR mt_root_create(struct mt_fs *fs, const struct mt_credential *c, uint64_t host_time_ms,
                      struct mt_root **out);
/* Tries every slot of the kind: MT_E_PROOF if none opens, MT_E_DENIED if a device knows one and
 * says no, MT_E_NOTFOUND if there are no slots at all, MT_E_ARG for a secret that could open none.
 * A device takes its time. */
MT_ERR mt_root_open(struct mt_fs *fs, const struct mt_credential *c, struct mt_root **out);
/*
 * With shares of a key, each of which is checked before any are combined: MT_E_CONFLICT,
 * MT_E_PROOF, MT_E_ARG and MT_E_NOTFOUND as mt_share_combine() says, `at` being the share; `count`
 * for what is no share's fault.
 */
MT_ERR mt_root_open_shares(struct mt_fs *fs, const struct mt_share *shares, size_t count,
                           struct mt_root **out, size_t *at);
void mt_root_free(struct mt_root **r);

MT_ERR mt_slot_add(struct mt_fs *fs, struct mt_root *r, const struct mt_credential *c,
                   uint64_t host_time_ms, uint32_t *number);
/* The same in two steps, of which the first, that may take a second and asks the device, touches no
 * disk. */
struct mt_slot_made {
    uint8_t bytes[MT_KEY_SLOT_BYTES_MAX];
    size_t len;
};
MT_ERR mt_slot_make(const struct mt_root *r, const struct mt_credential *c, uint64_t host_time_ms,
                    struct mt_slot_made *out);
MT_ERR mt_slot_put(struct mt_fs *fs, const struct mt_slot_made *s, uint32_t *number);
/*
 * After an update of the image, of firmware or of the machine: a slot for the device as it is now,
 * in place of those that the same TPM made and now denies. Slots of other machines stay. `r` was
 * opened otherwise, and what opened it stays. What the same TPM has sealed before opens no more,
 * copies of it neither.
 */
MT_ERR mt_slot_renew(struct mt_fs *fs, struct mt_root *r, const struct mt_credential *c,
                     uint64_t host_time_ms, uint32_t *number);
/*
 * After `c`, a device's, has opened `r`: if it did so for another image than the one that the slot
 * was made for, since an operator let this one in, the slot is made anew for what runs now, under
 * the same number, and the image of before is shut out. At each point something stands there that
 * opens to what runs now. To be called at each start: it finishes, too, what a crash cut short.
 */
MT_ERR mt_slot_refresh(struct mt_fs *fs, const struct mt_root *r, const struct mt_credential *c,
                       uint64_t host_time_ms, bool *is_made);
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
