/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_FUNCTION_H
#define MT_COMPUTE_COLUMNS_FUNCTION_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/limits.h"

/*
 * The built-in functions: echo, psi, private-join-and-compute. Pure: bytes come and go through the
 * callbacks of a job, the only randomness is its seed, nothing is kept from one job to the next.
 * What each function means, and its arguments, is docs/functions.md.
 *
 * Not oblivious: which memory is touched depends on the data. Receipts must say so.
 */
struct mt_function {
    const char *name;
    uint32_t version;
    /* JSON Schema (draft 2020-12) of the arguments, one line. With name and version it is what an
     * approval binds: every change of meaning is a new version. */
    const char *schema;
    /* Called by mt_function_check() and mt_function_run() alone. */
    const struct mt_function_steps *steps;
};

/* NULL if there is none. */
const struct mt_function *mt_function_find(mt_bytes name, uint64_t version);

/* All of them, in the order of their names. */
const struct mt_function *mt_function_list(size_t *count);

/*
 * Why a job or its arguments were refused, for the parties: which input by the name that the
 * arguments give it, row and column by number, column names of the arguments. Never a cell. A NUL
 * ends `detail`, which is UTF-8.
 */
struct mt_function_fault {
    char detail[MT_FUNCTION_DETAIL_BYTES];
};

/* What the caller gives. Callbacks may block; they are called from the thread that runs the job. */
struct mt_function_job {
    mt_bytes arguments; /* JSON */
    size_t inputs_count;
    uint64_t input_bytes[MT_TASK_PARTIES_MAX]; /* sizes; a guess is enough, and only costs speed */
    size_t outputs_count;
    void *context;
    /* The next bytes of an input, as many as there are up to out.len; *got 0 at its end. */
    mt_err (*read)(void *context, size_t input, mt_span out, size_t *got);
    mt_err (*write)(void *context, size_t output, mt_bytes bytes);
    void (*progress)(void *context, uint64_t done, uint64_t all); /* NULL: nobody looks */
    const atomic_bool *is_cancelled;                              /* NULL: nobody may */
    uint64_t memory_max_bytes;
    uint8_t seed[32]; /* fresh and secret: it keeps crafted keys from colliding */
};

/* What a task says of its inputs and outputs. */
struct mt_function_task {
    mt_bytes arguments; /* JSON */
    size_t inputs_count;
    size_t outputs_count;
    const mt_bytes *input_names; /* in their order */
    const mt_bytes *output_names;
};

/*
 * Everything that can be said before there is data, for the service that takes the task: the
 * arguments are of the function's schema, and name exactly the task's inputs and outputs, in their
 * order. MT_E_FORMAT or MT_E_LIMIT with `fault` set.
 */
MT_ERR mt_function_check(const struct mt_function *f, const struct mt_function_task *task,
                         struct mt_function_fault *fault);

/*
 * Runs to the end, or fails: MT_E_FORMAT for an input, MT_E_LIMIT for memory, MT_E_CANCELLED, or
 * what a callback returned. Outputs are written after everything else has succeeded; when it fails
 * all the same, a part of them may have been. `fault` is set on every failure, and may be empty.
 * `memory_peak_bytes` is set on success and on failure, and may be NULL.
 */
MT_ERR mt_function_run(const struct mt_function *f, const struct mt_function_job *job,
                       uint64_t *memory_peak_bytes, struct mt_function_fault *fault);

#endif
