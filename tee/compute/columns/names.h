/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_NAMES_H
#define MT_COMPUTE_COLUMNS_NAMES_H

#include "compute/columns/keyhash.h"
#include "compute/columns/memory.h"

/* A dictionary: texts to numbers from 0 on, in the order in which they first came. The empty text
 * is always 0. Copies what it is given. */
struct mt_names;

MT_ERR mt_names_new(struct mt_job_memory *memory, const struct mt_keyhash *hash,
                    struct mt_names **out);
void mt_names_free(struct mt_names **names);

/* The number of a text, a new one if it is new. */
MT_ERR mt_names_put(struct mt_names *names, mt_bytes text, uint32_t *number);

uint32_t mt_names_count(const struct mt_names *names);
mt_bytes mt_names_get(const struct mt_names *names, uint32_t number);

#endif
