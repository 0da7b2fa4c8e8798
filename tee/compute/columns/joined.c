/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/fault.h"
#include "compute/columns/inside.h"
#include "compute/columns/sort.h"

void mt_joined_done(struct mt_joined *j)
{
    struct mt_job_memory *memory = &j->run->memory;
    mt_job_memory_put(memory, j->order, j->order_count * sizeof *j->order);
    mt_job_memory_put(memory, j->names, j->names_count * sizeof *j->names);
    mt_job_memory_put(memory, j->writer, sizeof *j->writer);
    mt_join_keys_free(&j->keys);
    mt_join_groups_free(&j->groups);
    for (size_t i = 0; i < MT_TASK_PARTIES_MAX; i++) {
        mt_table_free(&j->tables[i]);
    }
    mt_args_free(&j->args);
}

/* That the arguments speak of the task's inputs and outputs, and in its order. */
static MT_ERR check_ends(const struct mt_args *a, const struct mt_function_task *task,
                         struct mt_function_fault *fault)
{
    struct mt_fault_path path = {.len = 0};
    mt_fault_of_field(fault, &path, "inputs");
    MT_REQUIRE(a->inputs_count == task->inputs_count, MT_E_FORMAT,
               "the task has another number of inputs");
    mt_fault_of_field(fault, &path, "outputs");
    MT_REQUIRE(a->outputs_count == task->outputs_count, MT_E_FORMAT,
               "the task has another number of outputs");
    for (uint32_t i = 0; i < a->inputs_count && task->input_names != NULL; i++) {
        size_t before = mt_fault_path_enter(&path, "inputs", i);
        mt_fault_of_field(fault, &path, "name");
        MT_REQUIRE(mt_bytes_equal(a->inputs[i].name, task->input_names[i]), MT_E_FORMAT,
                   "the task's input has another name");
        path.len = before;
    }
    for (uint32_t i = 0; i < a->outputs_count && task->output_names != NULL; i++) {
        size_t before = mt_fault_path_enter(&path, "outputs", i);
        mt_fault_of_field(fault, &path, "name");
        MT_REQUIRE(mt_bytes_equal(a->outputs[i].name, task->output_names[i]), MT_E_FORMAT,
                   "the task's output has another name");
        path.len = before;
    }
    return MT_OK;
}

MT_ERR mt_joined_check(const struct mt_function_task *task, enum mt_args_kind kind,
                       struct mt_function_fault *fault, struct mt_args **out)
{
    MT_DEFER(mt_args_free) struct mt_args *a = NULL;
    MT_TRY(mt_args_parse(task->arguments, kind, &a, fault));
    MT_TRY(check_ends(a, task, fault));
    *out = a;
    a = NULL; /* given */
    return MT_OK;
}

static MT_ERR load_table(struct mt_joined *j, uint32_t input, uint32_t partition_bits)
{
    struct mt_function_under_way *r = j->run;
    const struct mt_args_input *in = &j->args->inputs[input];
    bool has_group = j->args->has_group && j->args->group_input == input;
    const struct mt_table_spec spec = {
        .key = in->key,
        .canonical = in->canonical,
        .group = has_group ? j->args->group_column : (mt_bytes){NULL, 0},
        .values = in->values,
        .values_count = in->values_count,
        .partition_bits = partition_bits,
        .hash = mt_keyhash_of(r->job->seed),
    };
    struct mt_function_end end = {r, input};
    struct mt_table_fault where;
    mt_err e = mt_table_load(&r->memory, &spec, (struct mt_csv_source){mt_function_end_read, &end},
                             &j->tables[input], &where);
    if (mt_failed(e) && where.place.row > 0) {
        mt_fault_of_table(r->fault, in->name, &where);
    }
    return e;
}

MT_ERR mt_joined_load(struct mt_joined *j, enum mt_args_kind kind)
{
    struct mt_function_under_way *r = j->run;
    const struct mt_function_task task = mt_function_task_of(r->job);
    MT_TRY(mt_joined_check(&task, kind, r->fault, &j->args));
    r->fault->detail[0] = '\0';
    uint32_t bits = mt_table_partition_bits(r->bytes_all);
    for (uint32_t i = 0; i < j->args->inputs_count; i++) {
        j->may_repeat[i] = j->args->inputs[i].may_repeat;
        MT_TRY(load_table(j, i, bits));
    }
    return MT_OK;
}

struct mt_join_spec mt_joined_spec(const struct mt_joined *j)
{
    return (struct mt_join_spec){
        .tables = (const struct mt_table *const *)j->tables,
        .may_repeat = j->may_repeat,
        .count = j->args->inputs_count,
        .is_left = j->args->is_left,
        .group_table = j->args->has_group ? j->args->group_input : UINT32_MAX,
        .memory = &j->run->memory,
        .is_cancelled = j->run->job->is_cancelled,
    };
}

mt_err mt_joined_blame(const struct mt_joined *j, const struct mt_join_fault *at, mt_err e)
{
    if (mt_failed(e) && at->row > 0) {
        const struct mt_table *t = j->tables[at->table];
        const struct mt_args_input *in = &j->args->inputs[at->table];
        struct mt_table_fault where = {{.row = at->row, .column = t->key_column}, in->key};
        if (at->is_of_group) {
            where.place.column = t->group_column;
            where.name = j->args->group_column;
        }
        mt_fault_of_table(j->run->fault, in->name, &where);
    }
    return e;
}

MT_ERR mt_joined_writer(struct mt_joined *j)
{
    void *ptr = NULL;
    MT_TRY(mt_job_memory_get(&j->run->memory, sizeof *j->writer, &ptr));
    j->writer = ptr;
    return MT_OK;
}

MT_ERR mt_joined_sort(struct mt_joined *j, const mt_bytes *texts, size_t count)
{
    void *ptr = NULL;
    if (count > 0) {
        MT_TRY(mt_job_memory_get(&j->run->memory, count * sizeof *j->order, &ptr));
        j->order = ptr;
        j->order_count = count;
    }
    return mt_sort_texts(&j->run->memory, texts, count, j->order);
}

void mt_joined_put_number(struct mt_csv_writer *w, mt_int128 value, uint32_t scale)
{
    uint8_t room[MT_DECIMAL_TEXT_BYTES_MAX];
    struct mt_writer text = mt_writer_over((mt_span){room, sizeof room});
    mt_decimal_write(&text, value, scale);
    mt_csv_put(w, (mt_bytes){room, text.used});
}

void mt_joined_put_names(struct mt_csv_writer *w, const struct mt_args_output *o)
{
    for (uint32_t c = 0; c < o->columns_count; c++) {
        mt_csv_put(w, o->columns[c].as);
    }
    mt_csv_end_row(w);
}
