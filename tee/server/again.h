/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_AGAIN_H
#define MT_SERVER_AGAIN_H

#include "server/inside.h"

/* Evidence once more, for who asks on an open connection; as for enrolment, the device is asked
 * first: mt_again_begin() ends in mt_exchange_prepared(). */
bool mt_again_is_ours(const struct mt_exchange *x);
MT_ERR mt_again_begin(struct mt_conn *c);
MT_ERR mt_again_call(struct mt_server *s, const struct mt_exchange *x, struct mt_reply *rp);

#endif
