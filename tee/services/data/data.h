/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVICES_DATA_DATA_H
#define MT_SERVICES_DATA_DATA_H

#include "api/service.h"

/*
 * Named data sets of immutable versions. A name belongs to its owner: two owners may use the same
 * one, and tasks name data by id. What may be done with a set beyond its owner is a matter of
 * grants, which the gate keeps.
 */
extern const struct mt_service mt_data_service;

#endif
