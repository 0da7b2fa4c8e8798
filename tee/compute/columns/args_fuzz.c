/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/assert.h"
#include "compute/columns/args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_columns(const struct mt_args *a, const struct mt_args_output *o)
{
    MT_ASSERT(o->columns_count > 0);
    for (uint32_t i = 0; i < o->columns_count; i++) {
        const struct mt_args_column *c = &o->columns[i];
        MT_ASSERT(c->as.len > 0);
        if (c->show >= MT_SHOW_SUM) {
            MT_ASSERT(c->input < a->inputs_count);
            MT_ASSERT(c->value < a->inputs[c->input].values_count);
        }
        MT_ASSERT(c->show != MT_SHOW_GROUP || a->has_group);
    }
}

static void check(mt_bytes text, enum mt_args_kind kind)
{
    struct mt_function_fault fault;
    MT_DEFER(mt_args_free) struct mt_args *a = NULL;
    mt_err e = mt_args_parse(text, kind, &a, &fault);
    if (mt_failed(e)) {
        MT_ASSERT(a == NULL);
        MT_ASSERT(strlen(fault.detail) >= strlen("arguments"));
        return;
    }
    MT_ASSERT(a->inputs_count >= 2);
    MT_ASSERT(a->outputs_count >= 1);
    MT_ASSERT(kind == MT_ARGS_PSI || a->minimum_group_size > 0);
    for (uint32_t i = 0; i < a->outputs_count; i++) {
        check_columns(a, &a->outputs[i]);
    }
}

/* Whatever is accepted refers to nothing that is not there; whatever is not has a detail. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    check((mt_bytes){data, len}, MT_ARGS_PSI);
    check((mt_bytes){data, len}, MT_ARGS_JOIN);
    return 0;
}
