/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/fault.h"
#include "compute/columns/inside.h"

static mt_err echo_check(const struct mt_function_task *task, struct mt_function_fault *fault)
{
    static const char *const none[] = {NULL};
    MT_DEFER(mt_json_free) struct mt_json *json = NULL;
    struct mt_text_place place = {0, 0, 0};
    mt_err e = mt_json_parse(task->arguments, &json, &place);
    mt_fault_of_json(fault, place.line, place.column);
    MT_TRY(e);
    MT_REQUIRE(!mt_failed(mt_json_known(json, none)), MT_E_FORMAT, "echo takes no arguments: {}");
    MT_REQUIRE(task->inputs_count == task->outputs_count && task->inputs_count > 0, MT_E_FORMAT,
               "echo needs an output for each input");
    return MT_OK;
}

static MT_ERR echo_one(struct mt_function_under_way *r, size_t index, mt_span room)
{
    for (;;) {
        size_t got = 0;
        MT_TRY(mt_function_read(r, index, room, &got));
        if (got == 0) {
            return MT_OK;
        }
        MT_TRY(r->job->write(r->job->context, index, (mt_bytes){room.ptr, got}));
    }
}

static mt_err echo_run(struct mt_function_under_way *r)
{
    const struct mt_function_job *job = r->job;
    void *room = NULL;
    const struct mt_function_task task = mt_function_task_of(job);
    MT_TRY(echo_check(&task, r->fault));
    r->fault->detail[0] = '\0';
    MT_TRY(mt_job_memory_get(&r->memory, MT_CSV_PIECE_BYTES, &room));
    mt_err e = MT_OK;
    for (size_t i = 0; i < job->inputs_count && !mt_failed(e); i++) {
        e = echo_one(r, i, (mt_span){room, MT_CSV_PIECE_BYTES});
    }
    mt_job_memory_put(&r->memory, room, MT_CSV_PIECE_BYTES);
    return e;
}

const struct mt_function_steps mt_function_echo_steps = {echo_check, echo_run};
