/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_ARGS_H
#define MT_COMPUTE_COLUMNS_ARGS_H

#include "compute/columns/function.h"
#include "compute/columns/table.h"
#include "wire/json.h"

/*
 * The arguments of psi and private-join-and-compute, from JSON. Their meaning is docs/functions.md;
 * the schemas in function.c say the same for other readers.
 */
struct mt_args_input {
    mt_bytes name;
    mt_bytes key;
    enum mt_canonical canonical;
    bool may_repeat;
    /* The number columns that an output uses, in the order in which they are declared. */
    struct mt_table_value values[MT_TABLE_VALUES_MAX];
    uint32_t values_count;
};

enum mt_args_show {
    MT_SHOW_KEY, /* of psi alone */
    MT_SHOW_COUNT,
    MT_SHOW_GROUP,
    MT_SHOW_SUM,
    MT_SHOW_AVERAGE,
    MT_SHOW_MIN,
    MT_SHOW_MAX,
};

struct mt_args_column {
    enum mt_args_show show;
    mt_bytes as;    /* its name in the output */
    uint32_t input; /* from SUM on: which input's which value */
    uint32_t value;
};

struct mt_args_output {
    mt_bytes name;
    struct mt_args_column columns[MT_ARGS_OUTPUT_COLUMNS_MAX];
    uint32_t columns_count;
};

struct mt_args {
    struct mt_json *json; /* all texts borrow from it */
    struct mt_args_input inputs[MT_TASK_PARTIES_MAX];
    uint32_t inputs_count;
    bool is_left;
    bool has_group;
    uint32_t group_input;
    mt_bytes group_column;
    uint64_t minimum_group_size;
    struct mt_args_output outputs[MT_TASK_PARTIES_MAX];
    uint32_t outputs_count;
};

/* Of which function: they share the inputs. */
enum mt_args_kind { MT_ARGS_PSI, MT_ARGS_JOIN };

/* The caller owns `*out` and ends it with mt_args_free(). On MT_E_FORMAT and MT_E_LIMIT `fault`
 * names the field and says why. */
MT_ERR mt_args_parse(mt_bytes text, enum mt_args_kind kind, struct mt_args **out,
                     struct mt_function_fault *fault);
void mt_args_free(struct mt_args **args);

#endif
