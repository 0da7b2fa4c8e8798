/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_SEEN_H
#define MT_MESATEE_SEEN_H

#include "base/bytes.h"

/* A text of somebody else's, for a terminal: what would move the cursor, hide, or turn the
 * direction of writing stands there as \xNN. */
void mt_seen_write(struct mt_writer *w, mt_bytes text);

#endif
