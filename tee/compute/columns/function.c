/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/function.h"

#include <string.h>

#include "base/assert.h"
#include "compute/columns/args.h"
#include "compute/columns/fault.h"
#include "compute/columns/join.h"
#include "compute/columns/schema.h"
#include "compute/columns/sort.h"

/* A job under way. */
struct run {
    const struct mt_function_job *job;
    struct mt_function_fault *fault;
    struct mt_job_memory memory;
    uint64_t bytes_done;
    uint64_t bytes_all;
};

struct mt_function_steps {
    mt_err (*check)(const struct mt_function_task *task, struct mt_function_fault *fault);
    mt_err (*run)(struct run *r);
};

static MT_ERR read_input(struct run *r, size_t input, mt_span out, size_t *got)
{
    const struct mt_function_job *job = r->job;
    MT_REQUIRE(job->is_cancelled == NULL || !atomic_load(job->is_cancelled), MT_E_CANCELLED,
               "cancelled");
    MT_TRY(job->read(job->context, input, out, got));
    r->bytes_done += *got;
    if (job->progress != NULL) {
        uint64_t done = r->bytes_done < r->bytes_all ? r->bytes_done : r->bytes_all;
        job->progress(job->context, done, r->bytes_all);
    }
    return MT_OK;
}

/* One input or output of a run, for the CSV reader and writer. */
struct end {
    struct run *run;
    size_t index;
};

static mt_err end_read(void *context, mt_span out, size_t *got)
{
    const struct end *e = context;
    return read_input(e->run, e->index, out, got);
}

static mt_err end_write(void *context, mt_bytes bytes)
{
    const struct end *e = context;
    return e->run->job->write(e->run->job->context, e->index, bytes);
}

/* The names are checked when the task is made; a job has none. */
static struct mt_function_task task_of(const struct mt_function_job *job)
{
    return (struct mt_function_task){job->arguments, job->inputs_count, job->outputs_count, NULL,
                                     NULL};
}

/* echo */

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

static MT_ERR echo_one(struct run *r, size_t index, mt_span room)
{
    for (;;) {
        size_t got = 0;
        MT_TRY(read_input(r, index, room, &got));
        if (got == 0) {
            return MT_OK;
        }
        MT_TRY(r->job->write(r->job->context, index, (mt_bytes){room.ptr, got}));
    }
}

static mt_err echo_run(struct run *r)
{
    const struct mt_function_job *job = r->job;
    void *room = NULL;
    const struct mt_function_task task = task_of(job);
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

/* What psi and private-join-and-compute share */

struct joined {
    struct run *run;
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

static void joined_done(struct joined *j)
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

static MT_ERR check_args(const struct mt_function_task *task, enum mt_args_kind kind,
                         struct mt_function_fault *fault, struct mt_args **out)
{
    MT_DEFER(mt_args_free) struct mt_args *a = NULL;
    MT_TRY(mt_args_parse(task->arguments, kind, &a, fault));
    MT_TRY(check_ends(a, task, fault));
    *out = a;
    a = NULL; /* given */
    return MT_OK;
}

static MT_ERR load_table(struct joined *j, uint32_t input, uint32_t partition_bits)
{
    struct run *r = j->run;
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
    struct end end = {r, input};
    struct mt_table_fault where;
    mt_err e = mt_table_load(&r->memory, &spec, (struct mt_csv_source){end_read, &end},
                             &j->tables[input], &where);
    if (mt_failed(e) && where.place.row > 0) {
        mt_fault_of_table(r->fault, in->name, &where);
    }
    return e;
}

static MT_ERR load_tables(struct joined *j)
{
    uint32_t bits = mt_table_partition_bits(j->run->bytes_all);
    for (uint32_t i = 0; i < j->args->inputs_count; i++) {
        j->may_repeat[i] = j->args->inputs[i].may_repeat;
        MT_TRY(load_table(j, i, bits));
    }
    return MT_OK;
}

static struct mt_join_spec join_spec(const struct joined *j)
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

/* Passes `e` on, with the place in the input if one is to blame. */
static MT_ERR blame_table(const struct joined *j, const struct mt_join_fault *at, mt_err e)
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

static MT_ERR writer_new(struct joined *j)
{
    void *ptr = NULL;
    MT_TRY(mt_job_memory_get(&j->run->memory, sizeof *j->writer, &ptr));
    j->writer = ptr;
    return MT_OK;
}

static MT_ERR sort(struct joined *j, const mt_bytes *texts, size_t count)
{
    void *ptr = NULL;
    if (count > 0) {
        MT_TRY(mt_job_memory_get(&j->run->memory, count * sizeof *j->order, &ptr));
        j->order = ptr;
        j->order_count = count;
    }
    return mt_sort_texts(&j->run->memory, texts, count, j->order);
}

static void put_number(struct mt_csv_writer *w, mt_int128 value, uint32_t scale)
{
    uint8_t room[MT_DECIMAL_TEXT_BYTES_MAX];
    struct mt_writer text = mt_writer_over((mt_span){room, sizeof room});
    mt_decimal_write(&text, value, scale);
    mt_csv_put(w, (mt_bytes){room, text.used});
}

static void put_names(struct mt_csv_writer *w, const struct mt_args_output *o)
{
    for (uint32_t c = 0; c < o->columns_count; c++) {
        mt_csv_put(w, o->columns[c].as);
    }
    mt_csv_end_row(w);
}

/* psi */

static MT_ERR psi_write(struct joined *j, uint32_t output)
{
    const struct mt_args_output *o = &j->args->outputs[output];
    struct end end = {j->run, output};
    mt_csv_writer_init(j->writer, (struct mt_csv_sink){end_write, &end});
    put_names(j->writer, o);
    if (o->columns[0].show == MT_SHOW_COUNT) {
        put_number(j->writer, (mt_int128)j->keys->count, 0);
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
    return check_args(task, MT_ARGS_PSI, fault, &a);
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

static mt_err psi_run(struct run *r)
{
    MT_DEFER(joined_done) struct joined j = {.run = r};
    const struct mt_function_task task = task_of(r->job);
    struct mt_join_fault at;
    MT_TRY(check_args(&task, MT_ARGS_PSI, r->fault, &j.args));
    r->fault->detail[0] = '\0';
    MT_TRY(load_tables(&j));
    const struct mt_join_spec spec = join_spec(&j);
    MT_TRY(blame_table(&j, &at, mt_join_keys(&spec, &j.keys, &at)));
    if (shows_keys(j.args)) {
        MT_TRY(sort(&j, j.keys->keys, j.keys->count));
    }
    MT_TRY(writer_new(&j));
    for (uint32_t i = 0; i < j.args->outputs_count; i++) {
        MT_TRY(psi_write(&j, i));
    }
    return MT_OK;
}

/* private-join-and-compute */

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

static MT_ERR put_aggregate(const struct joined *j, const struct mt_args_column *c, uint32_t group)
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
    put_number(j->writer, value,
               c->show == MT_SHOW_AVERAGE ? mt_decimal_average_scale(scale) : scale);
    return MT_OK;
}

static MT_ERR put_group(const struct joined *j, const struct mt_args_output *o, uint32_t group)
{
    for (uint32_t i = 0; i < o->columns_count; i++) {
        const struct mt_args_column *c = &o->columns[i];
        if (c->show == MT_SHOW_GROUP) {
            mt_csv_put(j->writer, j->names[group]);
        } else if (c->show == MT_SHOW_COUNT) {
            put_number(j->writer, (mt_int128)j->groups->keys[group], 0);
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
static MT_ERR join_write(struct joined *j, uint32_t output)
{
    const struct mt_args_output *o = &j->args->outputs[output];
    struct end end = {j->run, output};
    mt_csv_writer_init(j->writer, (struct mt_csv_sink){end_write, &end});
    put_names(j->writer, o);
    for (uint32_t i = 0; i < j->groups->count; i++) {
        uint32_t group = j->order[i];
        if (j->groups->keys[group] >= j->args->minimum_group_size) {
            MT_TRY(put_group(j, o, group));
        }
    }
    return mt_csv_writer_end(j->writer);
}

static MT_ERR name_groups(struct joined *j)
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
    return sort(j, j->names, count);
}

static mt_err join_check(const struct mt_function_task *task, struct mt_function_fault *fault)
{
    MT_DEFER(mt_args_free) struct mt_args *a = NULL;
    return check_args(task, MT_ARGS_JOIN, fault, &a);
}

static mt_err join_run(struct run *r)
{
    MT_DEFER(joined_done) struct joined j = {.run = r};
    const struct mt_function_task task = task_of(r->job);
    struct mt_join_fault at;
    MT_TRY(check_args(&task, MT_ARGS_JOIN, r->fault, &j.args));
    r->fault->detail[0] = '\0';
    MT_TRY(load_tables(&j));
    const struct mt_join_spec spec = join_spec(&j);
    MT_TRY(blame_table(&j, &at, mt_join_groups(&spec, &j.groups, &at)));
    MT_TRY(name_groups(&j));
    MT_TRY(writer_new(&j));
    for (uint32_t i = 0; i < j.args->outputs_count; i++) {
        MT_TRY(join_write(&j, i));
    }
    return MT_OK;
}

/* The table of functions */

static const struct mt_function_steps echo_steps = {echo_check, echo_run};
static const struct mt_function_steps psi_steps = {psi_check, psi_run};
static const struct mt_function_steps join_steps = {join_check, join_run};

static const struct mt_function functions[] = {
    {"echo", 1, MT_SCHEMA_ECHO, &echo_steps},
    {"private-join-and-compute", 1, MT_SCHEMA_JOIN, &join_steps},
    {"psi", 1, MT_SCHEMA_PSI, &psi_steps},
};

const struct mt_function *mt_function_list(size_t *count)
{
    *count = sizeof functions / sizeof functions[0];
    return functions;
}

const struct mt_function *mt_function_find(mt_bytes name, uint64_t version)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        const struct mt_function *f = &functions[i];
        if (f->version == version && mt_bytes_equal(name, mt_bytes_of_text(f->name))) {
            return f;
        }
    }
    return NULL;
}

MT_ERR mt_function_check(const struct mt_function *f, const struct mt_function_task *task,
                         struct mt_function_fault *fault)
{
    fault->detail[0] = '\0';
    return f->steps->check(task, fault);
}

MT_ERR mt_function_run(const struct mt_function *f, const struct mt_function_job *job,
                       uint64_t *memory_peak_bytes, struct mt_function_fault *fault)
{
    struct run r = {.job = job, .fault = fault};
    MT_ASSERT(job->inputs_count <= MT_TASK_PARTIES_MAX);
    MT_ASSERT(job->outputs_count <= MT_TASK_PARTIES_MAX);
    mt_job_memory_init(&r.memory, job->memory_max_bytes);
    for (size_t i = 0; i < job->inputs_count; i++) {
        /* Sizes are hints: a sum that wraps would only be a bad one. */
        r.bytes_all += job->input_bytes[i];
    }
    fault->detail[0] = '\0';
    mt_err e = f->steps->run(&r);
    MT_ASSERT(atomic_load(&r.memory.used) == 0);
    if (memory_peak_bytes != NULL) {
        *memory_peak_bytes = atomic_load(&r.memory.peak);
    }
    return e;
}
