/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/task/task.h"

#include "services/task/inside.h"

static const char *const list_query[] = {"after", "limit", NULL};
static const char *const show_query[] = {"before", NULL};
static const char *const events_query[] = {"after", NULL};

enum { TASK_BODY_MAX = MT_BODY_INLINE_BYTES_MAX, SMALL_BODY_MAX = 8 * 1024 };

static const struct mt_route routes[] = {
    {MT_GET, "/mesatee/v1/functions", "function.list", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false,
     mt_task_functions, NULL},
    {MT_GET, "/mesatee/v1/functions/{name}", "function.show", MT_KIND_NONE, MT_RIGHT_USER, 0, false,
     false, mt_task_function, NULL},
    {MT_POST, "/mesatee/v1/tasks", "task.create", MT_KIND_NONE, MT_RIGHT_USER, TASK_BODY_MAX, true,
     false, mt_task_create, NULL},
    {MT_GET, "/mesatee/v1/tasks", "task.list", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false,
     mt_task_list, list_query},
    {MT_GET, "/mesatee/v1/tasks/{task}", "task.show", MT_KIND_TASK, MT_RIGHT_SEE, 0, false, false,
     mt_task_show, show_query},
    {MT_DELETE, "/mesatee/v1/tasks/{task}", "task.cancel", MT_KIND_TASK, MT_RIGHT_OWNER, 0, true,
     false, mt_task_cancel, NULL},
    {MT_POST, "/mesatee/v1/tasks/{task}/approvals", "task.approve", MT_KIND_TASK, MT_RIGHT_SEE,
     SMALL_BODY_MAX, true, false, mt_task_approve, NULL},
    {MT_DELETE, "/mesatee/v1/tasks/{task}/approvals", "task.withdraw", MT_KIND_TASK, MT_RIGHT_SEE,
     0, true, false, mt_task_withdraw, NULL},
    {MT_POST, "/mesatee/v1/tasks/{task}/rejections", "task.reject", MT_KIND_TASK, MT_RIGHT_SEE,
     SMALL_BODY_MAX, true, false, mt_task_reject, NULL},
    {MT_POST, "/mesatee/v1/tasks/{task}/runs", "task.run", MT_KIND_TASK, MT_RIGHT_OWNER,
     SMALL_BODY_MAX, true, false, mt_task_run, NULL},
    {MT_GET, "/mesatee/v1/tasks/{task}/runs/{run}", "run.show", MT_KIND_TASK, MT_RIGHT_SEE, 0,
     false, false, mt_task_run_show, NULL},
    {MT_DELETE, "/mesatee/v1/tasks/{task}/runs/{run}", "run.cancel", MT_KIND_TASK, MT_RIGHT_SEE, 0,
     true, false, mt_task_run_cancel, NULL},
    {MT_GET, "/mesatee/v1/tasks/{task}/runs/{run}/receipt", "receipt.get", MT_KIND_TASK,
     MT_RIGHT_SEE, 0, false, false, mt_task_receipt, NULL},
    {MT_GET, "/mesatee/v1/tasks/{task}/events", "task.watch", MT_KIND_TASK, MT_RIGHT_SEE, 0, false,
     false, mt_task_events, events_query},
    {MT_GET, "/mesatee/v1/results/{result}", "result.read", MT_KIND_RESULT, MT_RIGHT_READ, 0, false,
     true, mt_task_result, NULL},
    {MT_GET, NULL, NULL, MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, false, NULL, NULL},
};

/* A built-in function has no effect but its outputs, so a run that a crash interrupted may simply
 * run again. */
static const struct mt_job_row jobs[] = {
    {"task.run", 1, true, mt_task_job_run, mt_task_job_resume},
    {NULL, 0, false, NULL, NULL},
};

const struct mt_service mt_task_service = {"task", mt_task_maps, routes, jobs};
