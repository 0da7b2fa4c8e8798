/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/inside.h"

static MT_ERR psi_write(struct mt_joined *j, uint32_t output)
{
    const struct mt_args_output *o = &j->args->outputs[output];
    struct mt_function_end end = {j->run, output};
    mt_csv_writer_init(j->writer, (struct mt_csv_sink){mt_function_end_write, &end});
    mt_joined_put_names(j->writer, o);
    if (o->columns[0].show == MT_SHOW_COUNT) {
        mt_joined_put_number(j->writer, (mt_int128)j->keys->count, 0);
        mt_csv_end_row(j->writer);
        return mt_csv_writer_end(j->writer);
    }
    for (size_t i = 0; i < j->keys->count; i++) {
        mt_csv_put(j->writer, j->keys->keys[j->order[i]]);
        mt_csv_end_row(j->writer);
    }
    return mt_csv_writer_end(j->writer);
}

static mt_err psi_check(const struct mt_function_task *task, struct mt_function_fault *fault)
{
    MT_DEFER(mt_args_free) struct mt_args *a = NULL;
    return mt_joined_check(task, MT_ARGS_PSI, fault, &a);
}

static bool shows_keys(const struct mt_args *a)
{
    for (uint32_t i = 0; i < a->outputs_count; i++) {
        if (a->outputs[i].columns[0].show == MT_SHOW_KEY) {
            return true;
        }
    }
    return false;
}

static mt_err psi_run(struct mt_function_under_way *r)
{
    MT_DEFER(mt_joined_done) struct mt_joined j = {.run = r};
    struct mt_join_fault at;
    MT_TRY(mt_joined_load(&j, MT_ARGS_PSI));
    const struct mt_join_spec spec = mt_joined_spec(&j);
    MT_TRY(mt_joined_blame(&j, &at, mt_join_keys(&spec, &j.keys, &at)));
    if (shows_keys(j.args)) {
        MT_TRY(mt_joined_sort(&j, j.keys->keys, j.keys->count));
    }
    MT_TRY(mt_joined_writer(&j));
    for (uint32_t i = 0; i < j.args->outputs_count; i++) {
        MT_TRY(psi_write(&j, i));
    }
    return MT_OK;
}

const struct mt_function_steps mt_function_psi_steps = {psi_check, psi_run};
