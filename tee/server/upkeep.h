/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_UPKEEP_H
#define MT_SERVER_UPKEEP_H

#include "server/server.h"

/* Rotates the shred key, so that whatever was deleted before is beyond recovery afterwards. Goes on
 * in the background. */
void mt_server_shred_now(struct mt_server *s);

#endif
