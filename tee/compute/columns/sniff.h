/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_SNIFF_H
#define MT_COMPUTE_COLUMNS_SNIFF_H

#include "wire/json.h"

/*
 * A guess at the columns of a CSV from its first bytes, as a proposal for people: what counts is
 * what a task declares, and what its run then finds. A column is a number if all its cells are,
 * none is empty, and none begins with a zero that a number would not have (those are codes: postal,
 * phone); its scale is that of the longest fraction. All else is text.
 *
 * Writes an array under `name` (NULL in an array), of {"name", "type": "text", "integer" or
 * "decimal", "scale" of a decimal}. `is_whole` says that `start` is all there is; else its last row
 * may be cut. On failure (MT_E_FORMAT: not CSV) nothing has been written.
 */
MT_ERR mt_sniff_write(mt_bytes start, bool is_whole, struct mt_json_writer *j, const char *name);

#endif
