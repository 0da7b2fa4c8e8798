/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_LOG_H
#define MT_PLATFORM_LOG_H

#include "base/bytes.h"

/*
 * The operational log leaves the TEE, so it is public by construction: JSON lines on standard error
 * made of an event name and field names that are literals of ours, integers, faults (file, line,
 * our own words) and nothing else. There is no way to log foreign text; ids are logged as the first
 * eight hexadecimal digits only.
 */
struct mt_log_field {
    const char *name;
    uint64_t number;
    const char *literal; /* a string constant of ours; wins over number when set */
};

void mt_log(const char *event, const struct mt_log_field *fields, size_t count);
void mt_log_fault(const char *event, mt_err e);

#endif
