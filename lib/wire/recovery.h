/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_RECOVERY_H
#define MT_WIRE_RECOVERY_H

#include "base/id.h"

/*
 * What an administrator signs (label MT_LABEL_RECOVERY) to open a recovery epoch after a restore:
 * of this cluster, this epoch goes on from this head, and whatever came behind it is given up.
 * spec/backup.md. Whoever verifies builds what is expected and compares all of it.
 */
struct mt_recovery {
    mt_hash cluster;
    uint64_t epoch;
    uint64_t size;
    mt_hash root;
};

void mt_recovery_write(struct mt_writer *w, const struct mt_recovery *r);

#endif
