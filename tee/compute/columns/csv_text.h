/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_CSV_TEXT_H
#define MT_COMPUTE_COLUMNS_CSV_TEXT_H

#include "base/bytes.h"

/*
 * How many bytes, from the first on, are whole characters of UTF-8 other than NUL. If that is not
 * all of them, `is_cut` says whether the rest is a character's beginning, which more bytes could
 * complete, and no fault yet.
 */
size_t mt_csv_text_count(mt_bytes text, bool *is_cut);

#endif
