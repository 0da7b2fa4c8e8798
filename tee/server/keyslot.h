/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_KEYSLOT_H
#define MT_SERVER_KEYSLOT_H

#include "server/inside.h"

/* Slots that open the root key. For one of the machine's device, the device has to be asked first:
 * mt_keyslot_begin(), which ends in mt_exchange_prepared(). */
bool mt_keyslot_is_due(const struct mt_exchange *x);
MT_ERR mt_keyslot_begin(struct mt_conn *c);
void mt_making_free(struct mt_making **m); /* what came of it, if nobody took it */

MT_ERR mt_keyslot_list(struct mt_server *s, struct mt_reply *rp);
MT_ERR mt_keyslot_add(struct mt_server *s, struct mt_exchange *x, struct mt_tx *tx);
MT_ERR mt_keyslot_remove(struct mt_server *s, const struct mt_request *rq, struct mt_reply *rp);

#endif
