/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVICES_ACCESS_ACCESS_H
#define MT_SERVICES_ACCESS_ACCESS_H

#include "api/service.h"

/* Who is known to the node: list, add, revoke. */
extern const struct mt_service mt_access_service;

#endif
