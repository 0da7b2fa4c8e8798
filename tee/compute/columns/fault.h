/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_FAULT_H
#define MT_COMPUTE_COLUMNS_FAULT_H

#include "compute/columns/function.h"
#include "compute/columns/table.h"

/*
 * Where a job went wrong, as text for its parties: the `detail` of a mt_function_fault. What went
 * wrong is the error's own text. Only names that stand in the arguments and numbers appear here.
 */

/* The way to a field of the arguments: "outputs[1].columns[0]". */
struct mt_fault_path {
    uint8_t text[64];
    size_t len;
};

/* Adds "list[index]" and returns the length before, to which the path is cut when the item is done.
 */
size_t mt_fault_path_enter(struct mt_fault_path *path, const char *list, uint32_t index);

/* The same without an index. */
size_t mt_fault_path_enter_field(struct mt_fault_path *path, const char *field);

/* "arguments: outputs[1].columns[0].sum"; a field of NULL is what the path leads to. */
void mt_fault_of_field(struct mt_function_fault *fault, const struct mt_fault_path *path,
                       const char *field);

/* "arguments: line 3, column 7". */
void mt_fault_of_json(struct mt_function_fault *fault, uint32_t line, uint32_t column);

/* "input a, row 17, column 3 (spend)", or as much of it as is known. */
void mt_fault_of_table(struct mt_function_fault *fault, mt_bytes input,
                       const struct mt_table_fault *where);

/* "output totals, column (mean)"; which group is not told: its name is a cell. */
void mt_fault_of_output(struct mt_function_fault *fault, mt_bytes output, mt_bytes column);

#endif
