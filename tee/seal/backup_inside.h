/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_BACKUP_INSIDE_H
#define MT_SEAL_BACKUP_INSIDE_H

#include "seal/backup.h"
#include "seal/inside.h"

/* What writer and reader of a backup share. */
enum { MT_PLATFORM_KEY_LEN = 32 };

bool mt_backup_is_ledger(mt_bytes name);
bool mt_backup_is_object(mt_bytes name);

/* Frames are sealed under HKDF(key of the backup, label, head), the number of each as nonce. */
MT_ERR mt_backup_cipher(const struct mt_secret *key, mt_bytes head, struct mt_aead **out);

#endif
