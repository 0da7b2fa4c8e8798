/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_SIM_FS_H
#define MT_PLATFORM_SIM_FS_H

#include "platform/fs.h"

/*
 * A disk in memory, for tests and the simulator: it loses power, fails and is full when told to,
 * and shows what a thief would find on it. Single owner.
 *
 * What power loss does. Bytes are safe after mt_file_sync(); of those that were not synced each
 * sector of 512 bytes is as before or as written. Names are safe after mt_fs_sync_dir() of a
 * directory that the change touched; changes of names happen in order and each whole, so some first
 * part of the unsynced ones survives (that is what file systems with a journal promise). What a
 * failed sync has not written no later sync writes, though it says that all is well: only writing
 * it again does.
 */
struct mt_sim_disk;

struct mt_sim_options {
    uint64_t bytes_max; /* room for content; 0: no bound */
    bool keeps_remains; /* content that was removed or cut off stays, for mt_sim_disk_remains() */
};

MT_ERR mt_sim_disk_new(const struct mt_sim_options *o, struct mt_sim_disk **out);
void mt_sim_disk_free(struct mt_sim_disk **d);

/* The file system on it. Closing leaves the disk as it is; one is open at a time. */
MT_ERR mt_fs_open_sim(struct mt_sim_disk *d, struct mt_fs **out);

enum mt_sim_fault {
    MT_SIM_NOTHING,
    MT_SIM_ERROR, /* that call fails: EIO; a write has written its first half */
    MT_SIM_FULL,  /* from that call on whatever needs room fails: ENOSPC */
    MT_SIM_POWER, /* that call and all later ones fail, until mt_sim_disk_restart() */
};

/* Calls that reached the disk since mt_sim_disk_new(), closing apart. */
uint64_t mt_sim_disk_calls(const struct mt_sim_disk *d);
/* Arms one fault, at the call number `at` (the first is 0), instead of the one before. */
void mt_sim_disk_fault(struct mt_sim_disk *d, enum mt_sim_fault fault, uint64_t at);

/* Power off, power on. `seed` decides what of the unsynced survives: 0 nothing, UINT64_MAX all, any
 * other number some. Files that are open are dead; faults are disarmed. */
void mt_sim_disk_restart(struct mt_sim_disk *d, uint64_t seed);

/* Every stretch of content that lies on the disk or in its cache: files, and with keeps_remains
 * what was removed or cut off and not overwritten before. */
void mt_sim_disk_remains(const struct mt_sim_disk *d, void (*each)(void *state, mt_bytes content),
                         void *state);

#endif
