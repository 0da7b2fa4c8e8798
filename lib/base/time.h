/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_BASE_TIME_H
#define MT_BASE_TIME_H

#include "base/bytes.h"

/*
 * Times as text: RFC 3339 in UTC, "2025-07-01T00:00:00Z" and nothing else (no fractions, offsets,
 * leap seconds). In numbers: milliseconds since 1970. Years 1970 to 9999.
 */
enum { MT_TIME_TEXT_LEN = 20 };

MT_ERR mt_time_parse(mt_bytes text, uint64_t *ms);
/* What is less than a second is left out. */
void mt_time_write(struct mt_writer *w, uint64_t ms);

#endif
