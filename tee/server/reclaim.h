/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_RECLAIM_H
#define MT_SERVER_RECLAIM_H

#include "base/id.h"
#include "ledger/driver.h"
#include "platform/loop.h"

/* Files of objects that were deleted, which go while the server runs; for the files of this folder
 * alone. */

struct mt_server;

enum { MT_RECLAIM_MAX = 4096 };
struct mt_reclaim {
    mt_id objects[MT_RECLAIM_MAX]; /* oldest first */
    size_t count;
    size_t held_count;    /* of the first: as soon as their end is durable */
    size_t durable_count; /* of the first: their end is */
    struct mt_hold hold;
    struct mt_work work;
    bool is_busy; /* the object thread removes the first */
};
/* Their end is in a transaction that has just been appended. */
void mt_reclaim_add(struct mt_server *s, const mt_id *objects, size_t count);
void mt_reclaim_backup_begins(struct mt_server *s);
void mt_reclaim_backup_ends(struct mt_server *s);
void mt_reclaim_stop(struct mt_server *s); /* nothing is removed any more */

#endif
