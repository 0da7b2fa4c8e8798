/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_INSIDE_H
#define MT_COMPUTE_COLUMNS_INSIDE_H

#include "compute/columns/args.h"
#include "compute/columns/function.h"
#include "compute/columns/join.h"

/* What the files of the functions share, and nobody else includes. */

/* A job under way. */
struct mt_function_under_way {
    const struct mt_function_job *job;
    struct mt_function_fault *fault;
    struct mt_job_memory memory;
    uint64_t bytes_done;
    uint64_t bytes_all;
};

struct mt_function_steps {
    mt_err (*check)(const struct mt_function_task *task, struct mt_function_fault *fault);
    mt_err (*run)(struct mt_function_under_way *r);
};
extern const struct mt_function_steps mt_function_echo_steps;
extern const struct mt_function_steps mt_function_psi_steps;
extern const struct mt_function_steps mt_function_join_steps;

/* The names are checked when the task is made; a job has none. */
struct mt_function_task mt_function_task_of(const struct mt_function_job *job);

/* The job's callback, with cancellation before it and progress behind it. */
MT_ERR mt_function_read(struct mt_function_under_way *r, size_t input, mt_span out, size_t *got);

/* One input or output of a job, for the CSV reader and writer. */
struct mt_function_end {
    struct mt_function_under_way *run;
    size_t index;
};
mt_err mt_function_end_read(void *context, mt_span out, size_t *got);
mt_err mt_function_end_write(void *context, mt_bytes bytes);

/* What psi and private-join-and-compute share. */
struct mt_joined {
    struct mt_function_under_way *run;
    struct mt_args *args;
    struct mt_table *tables[MT_TASK_PARTIES_MAX];
    bool may_repeat[MT_TASK_PARTIES_MAX];
    struct mt_join_groups *groups;
    struct mt_join_keys *keys;
    struct mt_csv_writer *writer;
    mt_bytes *names; /* of the groups */
    size_t names_count;
    uint32_t *order; /* of keys, or of groups */
    size_t order_count;
};
void mt_joined_done(struct mt_joined *j);

/* Parses the arguments and holds them against the task. */
MT_ERR mt_joined_check(const struct mt_function_task *task, enum mt_args_kind kind,
                       struct mt_function_fault *fault, struct mt_args **out);
/* Parses, and loads all tables. */
MT_ERR mt_joined_load(struct mt_joined *j, enum mt_args_kind kind);
/* Borrows from `j`. */
struct mt_join_spec mt_joined_spec(const struct mt_joined *j);
/* Passes `e` on, with the place in the input if one is to blame. */
mt_err mt_joined_blame(const struct mt_joined *j, const struct mt_join_fault *at, mt_err e);
/* Sets `order`. */
MT_ERR mt_joined_sort(struct mt_joined *j, const mt_bytes *texts, size_t count);
/* Sets `writer`. */
MT_ERR mt_joined_writer(struct mt_joined *j);
void mt_joined_put_names(struct mt_csv_writer *w, const struct mt_args_output *o);
void mt_joined_put_number(struct mt_csv_writer *w, mt_int128 value, uint32_t scale);

#endif
