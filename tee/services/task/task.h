/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVICES_TASK_TASK_H
#define MT_SERVICES_TASK_TASK_H

#include "api/service.h"

/*
 * Tasks: a function, its arguments, pinned inputs, outputs and their receivers, approved by every
 * owner of an input, by digest. An approval is the owner's RUN grant to that digest, so the gate
 * alone decides what a run may read.
 */
extern const struct mt_service mt_task_service;

#endif
