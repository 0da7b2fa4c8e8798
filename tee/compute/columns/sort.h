/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_SORT_H
#define MT_COMPUTE_COLUMNS_SORT_H

#include "compute/columns/memory.h"

/*
 * The order of `count` texts, bytewise, a prefix before what it begins: sets order[i] to the index
 * of the text at place i. Equal texts keep their order. Needs 32 bytes a text of the job's memory
 * while it runs. What is beyond 2^32 - 1 texts is MT_E_LIMIT.
 */
MT_ERR mt_sort_texts(struct mt_job_memory *memory, const mt_bytes *texts, size_t count,
                     uint32_t *order);

#endif
