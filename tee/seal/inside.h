/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_INSIDE_H
#define MT_SEAL_INSIDE_H

#include "crypto/aead.h"
#include "seal/root.h"

/* What the files of this folder share and nobody else should need: formats of
 * spec/sealed-object.md, and how something is destroyed. */

/*
 * Key slots. One wraps one key under one credential: the root key of a node, or the key of a
 * backup. The purpose is under the seal, so that neither passes for the other.
 */
enum mt_slot_purpose { MT_SLOT_FOR_ROOT = 1, MT_SLOT_FOR_BACKUP };

enum { MT_SLOT_SALT_LEN = 32, MT_SLOT_KEY_LEN = 32 };

struct mt_slot {
    enum mt_slot_purpose purpose;
    enum mt_slot_kind kind;
    uint64_t made_ms;
    uint8_t salt[MT_SLOT_SALT_LEN];
    uint32_t log2_cost;                 /* of scrypt; 0 for all other kinds */
    uint8_t own[MT_SLOT_OWN_BYTES_MAX]; /* what the kind alone needs: what a TPM has sealed */
    size_t own_len;
    uint8_t wrapped[MT_SLOT_KEY_LEN + MT_AEAD_TAG_LEN];
    bool is_next; /* in memory alone: of a device's that is being made to replace another */
};

void mt_slot_write(struct mt_writer *w, const struct mt_slot *s);
MT_ERR mt_slot_parse(mt_bytes in, struct mt_slot *out);

/* Of a peer's slot. */
void mt_slot_peer(const struct mt_slot *s, struct mt_peer_name *out);

/* MT_E_ARG for an empty passphrase or a key file that is too short. */
MT_ERR mt_credential_check(const struct mt_credential *c);
/* `out` has purpose, time of making and `is_next` set, and gets the rest. What seals is asked to
 * open at once.
 */
MT_ERR mt_slot_seal(struct mt_slot *out, const struct mt_credential *c, mt_bytes key);
/* MT_E_PROOF if the credential is not the slot's; of a device, what it says. */
MT_ERR mt_slot_unseal(const struct mt_slot *s, const struct mt_credential *c, mt_span key);

/* The root key itself, for a backup; and a node's first slot from one, for a restore. */
mt_bytes mt_root_key(const struct mt_root *r);
MT_ERR mt_root_create_with(struct mt_fs *fs, const struct mt_credential *c, uint64_t host_time_ms,
                           mt_bytes key);

/* Content of the shred file: one key, or two while a rotation is under way, newest last. Borrows.
 */
enum { MT_SHRED_KEYS_MAX = 2 };

struct mt_shred_keys {
    struct {
        uint64_t epoch;
        mt_bytes key;
    } keys[MT_SHRED_KEYS_MAX];
    size_t count;
};

void mt_shred_keys_write(struct mt_writer *w, const struct mt_shred_keys *k);
MT_ERR mt_shred_keys_parse(mt_bytes in, struct mt_shred_keys *out);

/* Overwrites a small file, makes that durable, then removes it; MT_OK if there is none. */
MT_ERR mt_seal_destroy(struct mt_fs *fs, const char *name);

#endif
