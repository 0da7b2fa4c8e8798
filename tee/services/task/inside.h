/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVICES_TASK_INSIDE_H
#define MT_SERVICES_TASK_INSIDE_H

#include "services/task/store.h"

/* What the files of this folder share, and nobody else includes. */

mt_handler mt_task_create, mt_task_list, mt_task_show, mt_task_cancel, mt_task_events;
mt_handler mt_task_approve, mt_task_withdraw, mt_task_reject;
mt_handler mt_task_run, mt_task_run_show, mt_task_run_cancel, mt_task_receipt, mt_task_result;
mt_handler mt_task_functions, mt_task_function;
mt_job_run mt_task_job_run;
mt_job_resume mt_task_job_resume;

/* Definition and record of a task, parsed into the request's arena. */
struct mt_task_view {
    struct mt_task_record record; /* its bytes are the arena's */
    struct mt_task *task;
};
MT_ERR mt_task_load(struct mt_arena *arena, struct mt_tx *tx, const mt_id *id,
                    struct mt_task_view *out);

/* Distinct owners of the inputs, in the order of the inputs. */
size_t mt_task_owners(const struct mt_task *t, mt_hash owners[MT_TASK_PARTIES_MAX]);

/* {"event":NAME, "subject"?, "run"?} for those who watch the task. */
MT_ERR mt_task_emit(struct mt_tx *tx, const mt_id *task, const char *event, const mt_hash *subject,
                    const mt_id *run);

/* Everything that the function itself can say of the arguments before it runs; the detail goes into
 * the reply. */
MT_ERR mt_task_check_arguments(const struct mt_task *t, struct mt_reply *rp);
struct mt_function;
/* SHA-256(u8 len || label || schema || name || version): a built-in function is what its schema
 * says. */
void mt_task_function_digest(const struct mt_function *f, mt_hash *out);

/* SHA-256(u8 len || label || definition). */
void mt_task_digest(mt_bytes definition, mt_hash *out);

#endif
