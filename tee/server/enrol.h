/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_ENROL_H
#define MT_SERVER_ENROL_H

#include "server/inside.h"

/* A TPM proves that its keys belong together. The device has to be asked first: mt_enrol_begin(),
 * which ends in mt_exchange_prepared(). */
bool mt_enrol_is_ours(const struct mt_exchange *x);
bool mt_enrol_is_due(const struct mt_exchange *x);
MT_ERR mt_enrol_begin(struct mt_conn *c);
MT_ERR mt_enrol_call(struct mt_server *s, const struct mt_exchange *x, struct mt_reply *rp);

#endif
