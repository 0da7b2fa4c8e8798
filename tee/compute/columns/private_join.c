/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "compute/columns/fault.h"
#include "compute/columns/inside.h"

/* Where an input's columns begin among all inputs'. */
static uint32_t first_value(const struct mt_args *a, uint32_t input)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < input; i++) {
        first += a->inputs[i].values_count;
    }
    return first;
}

static MT_ERR aggregate(const struct mt_aggregate *a, enum mt_args_show show, uint32_t scale,
                        mt_int128 *out)
{
    switch (show) {
    case MT_SHOW_SUM:
        return mt_decimal_sum_total(&a->sum, out);
    case MT_SHOW_AVERAGE:
        return mt_decimal_sum_average(&a->sum, scale, a->count, out);
    case MT_SHOW_MIN:
        *out = a->least;
        return MT_OK;
    case MT_SHOW_MAX:
        *out = a->most;
        return MT_OK;
    case MT_SHOW_KEY:
    case MT_SHOW_COUNT:
    case MT_SHOW_GROUP:
        break;
    }
    MT_ASSERT(false);
    MT_FAIL(MT_E_INTERNAL, "no aggregate");
}

static MT_ERR put_aggregate(const struct mt_joined *j, const struct mt_args_column *c,
                            uint32_t group)
{
    const struct mt_join_groups *g = j->groups;
    uint32_t scale = j->args->inputs[c->input].values[c->value].scale;
    size_t column = first_value(j->args, c->input) + c->value;
    const struct mt_aggregate *a = &g->columns_of[(size_t)group * g->columns + column];
    mt_int128 value = 0;
    if (a->count == 0) { /* nothing to say: the cell is empty, as SQL has it */
        mt_csv_put(j->writer, (mt_bytes){NULL, 0});
        return MT_OK;
    }
    MT_TRY(aggregate(a, c->show, scale, &value));
    mt_joined_put_number(j->writer, value,
                         c->show == MT_SHOW_AVERAGE ? mt_decimal_average_scale(scale) : scale);
    return MT_OK;
}

static MT_ERR put_group(const struct mt_joined *j, const struct mt_args_output *o, uint32_t group)
{
    for (uint32_t i = 0; i < o->columns_count; i++) {
        const struct mt_args_column *c = &o->columns[i];
        if (c->show == MT_SHOW_GROUP) {
            mt_csv_put(j->writer, j->names[group]);
        } else if (c->show == MT_SHOW_COUNT) {
            mt_joined_put_number(j->writer, (mt_int128)j->groups->keys[group], 0);
        } else {
            mt_err e = put_aggregate(j, c, group);
            if (mt_failed(e)) {
                mt_fault_of_output(j->run->fault, o->name, c->as);
                return e;
            }
        }
    }
    mt_csv_end_row(j->writer);
    return MT_OK;
}

/* Groups in the bytewise order of their names. Those that are too small leave no trace: neither
 * their number nor what they hold is told. */
static MT_ERR join_write(struct mt_joined *j, uint32_t output)
{
    const struct mt_args_output *o = &j->args->outputs[output];
    struct mt_function_end end = {j->run, output};
    mt_csv_writer_init(j->writer, (struct mt_csv_sink){mt_function_end_write, &end});
    mt_joined_put_names(j->writer, o);
    for (uint32_t i = 0; i < j->groups->count; i++) {
        uint32_t group = j->order[i];
        if (j->groups->keys[group] >= j->args->minimum_group_size) {
            MT_TRY(put_group(j, o, group));
        }
    }
    return mt_csv_writer_end(j->writer);
}

static MT_ERR name_groups(struct mt_joined *j)
{
    void *ptr = NULL;
    const struct mt_args *a = j->args;
    size_t count = j->groups->count;
    MT_TRY(mt_job_memory_get_array(&j->run->memory, count, sizeof *j->names, &ptr));
    j->names = ptr;
    j->names_count = count;
    for (uint32_t i = 0; i < count && a->has_group; i++) {
        j->names[i] = mt_table_group_name(j->tables[a->group_input], i);
    }
    return mt_joined_sort(j, j->names, count);
}

static mt_err join_check(const struct mt_function_task *task, struct mt_function_fault *fault)
{
    MT_DEFER(mt_args_free) struct mt_args *a = NULL;
    return mt_joined_check(task, MT_ARGS_JOIN, fault, &a);
}

static mt_err join_run(struct mt_function_under_way *r)
{
    MT_DEFER(mt_joined_done) struct mt_joined j = {.run = r};
    struct mt_join_fault at;
    MT_TRY(mt_joined_load(&j, MT_ARGS_JOIN));
    const struct mt_join_spec spec = mt_joined_spec(&j);
    MT_TRY(mt_joined_blame(&j, &at, mt_join_groups(&spec, &j.groups, &at)));
    MT_TRY(name_groups(&j));
    MT_TRY(mt_joined_writer(&j));
    for (uint32_t i = 0; i < j.args->outputs_count; i++) {
        MT_TRY(join_write(&j, i));
    }
    return MT_OK;
}

const struct mt_function_steps mt_function_join_steps = {join_check, join_run};
