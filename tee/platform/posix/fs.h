/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_POSIX_FS_H
#define MT_PLATFORM_POSIX_FS_H

#include "platform/fs.h"

/* The directory must exist, belong to us and be closed to others (0700): MT_E_DENIED else. Takes a
 * lock on it that lives as long as the object: MT_E_BUSY if another process has it. */
MT_ERR mt_fs_open_posix(const char *path, struct mt_fs **out);

#endif
