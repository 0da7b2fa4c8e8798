/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/function.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"
#include "wire/json.h"

enum { ENDS = 3 };

/* A job over texts. */
struct world {
    mt_bytes inputs[ENDS];
    size_t at[ENDS];
    struct mt_buf outputs[ENDS];
    size_t piece;
    size_t reads_until_cancel; /* SIZE_MAX: never */
    atomic_bool is_cancelled;
    uint64_t progress_done;
    uint64_t progress_all;
    uint64_t peak;
    struct mt_function_fault fault;
    uint8_t seed;
    uint64_t memory_max;
};

static mt_err read_world(void *context, size_t input, mt_span out, size_t *got)
{
    struct world *w = context;
    size_t left = w->inputs[input].len - w->at[input];
    size_t len = w->piece > 0 && w->piece < out.len ? w->piece : out.len;
    len = len < left ? len : left;
    MT_ASSERT(!atomic_load(&w->is_cancelled)); /* nothing is read after that */
    if (w->reads_until_cancel != SIZE_MAX && w->reads_until_cancel-- == 0) {
        atomic_store(&w->is_cancelled, true);
    }
    if (len > 0) {
        memcpy(out.ptr, w->inputs[input].ptr + w->at[input], len);
    }
    w->at[input] += len;
    *got = len;
    return MT_OK;
}

static mt_err write_world(void *context, size_t output, mt_bytes bytes)
{
    struct world *w = context;
    return mt_buf_append(&w->outputs[output], bytes);
}

static void watch_world(void *context, uint64_t done, uint64_t all)
{
    struct world *w = context;
    MT_ASSERT(done >= w->progress_done);
    MT_ASSERT(done <= all);
    w->progress_done = done;
    w->progress_all = all;
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->reads_until_cancel = SIZE_MAX;
    w->memory_max = 64 * 1024 * 1024;
    for (size_t i = 0; i < ENDS; i++) {
        w->outputs[i] = mt_buf_of_max(16 * 1024 * 1024);
    }
}

static void world_done(struct world *w)
{
    for (size_t i = 0; i < ENDS; i++) {
        mt_buf_free(&w->outputs[i]);
    }
}

static mt_err run(struct world *w, const char *name, const char *arguments, size_t ends[2])
{
    const struct mt_function *f = mt_function_find(mt_bytes_of_text(name), 1);
    MT_ASSERT(f != NULL);
    struct mt_function_job job = {
        .arguments = mt_bytes_of_text(arguments),
        .inputs_count = ends[0],
        .outputs_count = ends[1],
        .context = w,
        .read = read_world,
        .write = write_world,
        .progress = watch_world,
        .is_cancelled = &w->is_cancelled,
        .memory_max_bytes = w->memory_max,
        .seed = {w->seed},
    };
    for (size_t i = 0; i < ends[0]; i++) {
        w->at[i] = 0;
        job.input_bytes[i] = w->inputs[i].len;
    }
    for (size_t i = 0; i < ENDS; i++) {
        mt_buf_free(&w->outputs[i]);
    }
    w->progress_done = 0;
    return mt_function_run(f, &job, &w->peak, &w->fault);
}

static bool says(const struct world *w, mt_err e, const char *what, const char *detail)
{
    bool is_same =
        mt_failed(e) && strcmp(e.fault->what, what) == 0 && strcmp(w->fault.detail, detail) == 0;
    if (!is_same) {
        (void)fprintf(stderr, "# says \"%s\", \"%s\"\n", mt_failed(e) ? e.fault->what : "nothing",
                      w->fault.detail);
    }
    return is_same;
}

static bool has_written(const struct world *w, size_t output, const char *text)
{
    bool is_same = mt_bytes_equal(mt_buf_bytes(&w->outputs[output]), mt_bytes_of_text(text));
    if (!is_same) {
        (void)fprintf(stderr, "# has written \"%.*s\"\n", (int)w->outputs[output].len,
                      (const char *)w->outputs[output].ptr);
    }
    return is_same;
}

#define INPUT_A                                                                                    \
    "{\"name\":\"a\",\"key\":\"email\",\"canonical\":\"trim-lower-ascii\","                        \
    "\"duplicates\":\"refuse\",\"columns\":[{\"name\":\"spend\",\"type\":\"decimal\","             \
    "\"scale\":2}]}"
#define INPUT_B                                                                                    \
    "{\"name\":\"b\",\"key\":\"mail\",\"canonical\":\"trim-lower-ascii\","                         \
    "\"duplicates\":\"aggregate\",\"columns\":[{\"name\":\"visits\",\"type\":\"integer\"}]}"
#define OUTPUTS                                                                                    \
    "\"outputs\":[{\"name\":\"out\",\"columns\":[{\"group\":true,\"as\":\"segment\"},"             \
    "{\"count\":true,\"as\":\"people\"},{\"sum\":\"a.spend\",\"as\":\"total\"},"                   \
    "{\"average\":\"a.spend\",\"as\":\"mean\"},{\"sum\":\"b.visits\",\"as\":\"visits\"},"          \
    "{\"average\":\"b.visits\",\"as\":\"per visit\"},{\"min\":\"b.visits\",\"as\":\"least\"},"     \
    "{\"max\":\"b.visits\",\"as\":\"most\"}]}]"
#define GROUP_BY "\"group_by\":{\"input\":\"b\",\"column\":\"segment\"}"
#define JOIN(kind_, least_)                                                                        \
    "{\"inputs\":[" INPUT_A "," INPUT_B "],\"join\":\"" kind_ "\"," GROUP_BY                       \
    ",\"minimum_group_size\":" least_ "," OUTPUTS "}"
#define PSI_INPUT(name_, rule_)                                                                    \
    "{\"name\":\"" name_ "\",\"key\":\"id\",\"canonical\":\"none\",\"duplicates\":\"" rule_ "\"}"
#define PSI_OUTPUTS                                                                                \
    "\"outputs\":[{\"name\":\"keys\",\"columns\":[{\"key\":true,\"as\":\"common\"}]},"             \
    "{\"name\":\"size\",\"columns\":[{\"count\":true,\"as\":\"people\"}]}]"
#define PSI(rule_)                                                                                 \
    "{\"inputs\":[" PSI_INPUT("a", rule_) "," PSI_INPUT("b", rule_) "]," PSI_OUTPUTS "}"

#define JOINED_HEADER "segment,people,total,mean,visits,per visit,least,most\r\n"

static size_t two_to_one[2] = {2, 1};
static size_t two_to_two[2] = {2, 2};

static void a_join_sums_each_row_once(void)
{
    MT_DEFER(world_done) struct world w;
    world_init(&w);
    w.inputs[0] = MT_LITERAL("email,spend\nAnn@x.org,1.50\n bob@x.org ,2\ncid@x.org,-0.25\n"
                             "dan@x.org,9\n");
    w.inputs[1] = MT_LITERAL("mail,segment,visits\nann@x.org,north,3\nBOB@X.ORG,south,4\n"
                             "ann@x.org,north,6\ncid@x.org,north,10\neve@x.org,south,100\n");
    MT_ASSERT(!mt_failed(run(&w, "private-join-and-compute", JOIN("inner", "1"), two_to_one)));
    MT_ASSERT(has_written(&w, 0,
                          JOINED_HEADER "north,2,1.25,0.62500000,19,6.333333,3,10\r\n"
                                        "south,1,2.00,2.00000000,4,4.000000,4,4\r\n"));
    MT_ASSERT(!mt_failed(run(&w, "private-join-and-compute", JOIN("left", "1"), two_to_one)));
    MT_ASSERT(has_written(&w, 0,
                          JOINED_HEADER ",1,9.00,9.00000000,,,,\r\n"
                                        "north,2,1.25,0.62500000,19,6.333333,3,10\r\n"
                                        "south,1,2.00,2.00000000,4,4.000000,4,4\r\n"));
}

static void groups_below_the_minimum_leave_no_trace(void)
{
    MT_DEFER(world_done) struct world w;
    world_init(&w);
    w.inputs[0] = MT_LITERAL("email,spend\na,1\nb,2\nc,3\n");
    w.inputs[1] = MT_LITERAL("mail,segment,visits\na,x,1\nb,x,1\nb,x,1\nc,y,1\nc,y,1\nc,y,1\n");
    MT_ASSERT(!mt_failed(run(&w, "private-join-and-compute", JOIN("inner", "2"), two_to_one)));
    MT_ASSERT(has_written(&w, 0, JOINED_HEADER "x,2,3.00,1.50000000,3,1.000000,1,1\r\n"));
    MT_ASSERT(!mt_failed(run(&w, "private-join-and-compute", JOIN("inner", "3"), two_to_one)));
    MT_ASSERT(has_written(&w, 0, JOINED_HEADER));
}

static void without_group_by_all_is_one_group(void)
{
    static const char arguments[] =
        "{\"inputs\":[" INPUT_A "," INPUT_B "],\"join\":\"inner\",\"minimum_group_size\":2,"
        "\"outputs\":[{\"name\":\"out\",\"columns\":[{\"max\":\"a.spend\",\"as\":\"most\"}]},"
        "{\"name\":\"n\",\"columns\":[{\"count\":true,\"as\":\"n\"}]}]}";
    MT_DEFER(world_done) struct world w;
    world_init(&w);
    w.inputs[0] = MT_LITERAL("email,spend\na,1\nb,-2\nc,3\n");
    w.inputs[1] = MT_LITERAL("mail,segment\na,x\nb,y\n");
    MT_ASSERT(!mt_failed(run(&w, "private-join-and-compute", arguments, two_to_two)));
    MT_ASSERT(has_written(&w, 0, "most\r\n1.00\r\n"));
    MT_ASSERT(has_written(&w, 1, "n\r\n2\r\n"));
    w.inputs[1] = MT_LITERAL("mail\na\n");
    MT_ASSERT(!mt_failed(run(&w, "private-join-and-compute", arguments, two_to_two)));
    MT_ASSERT(has_written(&w, 0, "most\r\n"));
}

static void psi_gives_common_keys_in_bytewise_order(void)
{
    MT_DEFER(world_done) struct world w;
    world_init(&w);
    w.inputs[0] = MT_LITERAL("id\nzoe\n\"a,b\"\nann\n\xc3\xa9mile\nAnn\nbob\n");
    w.inputs[1] = MT_LITERAL("other,id\n1,ann\n2,\xc3\xa9mile\n3,\"a,b\"\n4,zoe\n5,Bob\n");
    MT_ASSERT(!mt_failed(run(&w, "psi", PSI("refuse"), two_to_two)));
    MT_ASSERT(has_written(&w, 0, "common\r\n\"a,b\"\r\nann\r\nzoe\r\n\xc3\xa9mile\r\n"));
    MT_ASSERT(has_written(&w, 1, "people\r\n4\r\n"));
    w.inputs[1] = MT_LITERAL("id\n");
    MT_ASSERT(!mt_failed(run(&w, "psi", PSI("refuse"), two_to_two)));
    MT_ASSERT(has_written(&w, 0, "common\r\n"));
    MT_ASSERT(has_written(&w, 1, "people\r\n0\r\n"));
}

static void keys_are_canonical_only_as_declared(void)
{
    static const char *const words[] = {"none", "trim", "lower-ascii", "trim-lower-ascii"};
    static const char *const results[] = {
        "common\r\nann smith-and-long \xc3\x89\r\n",
        "common\r\nann smith-and-long \xc3\x89\r\n",
        "common\r\n tab\t\r\nann smith-and-long \xc3\x89\r\nbob\r\n",
        "common\r\nann smith-and-long \xc3\x89\r\nbob\r\ntab\r\n",
    };
    for (size_t i = 0; i < 4; i++) {
        char arguments[1024];
        MT_DEFER(world_done) struct world w;
        world_init(&w);
        (void)snprintf(arguments, sizeof arguments,
                       "{\"inputs\":[{\"name\":\"a\",\"key\":\"id\",\"canonical\":\"%s\","
                       "\"duplicates\":\"refuse\"},{\"name\":\"b\",\"key\":\"id\","
                       "\"canonical\":\"%s\",\"duplicates\":\"refuse\"}]," PSI_OUTPUTS "}",
                       words[i], words[i]);
        w.inputs[0] = MT_LITERAL("id\nann smith-and-long \xc3\x89\nBob\n\" Tab\t\"\n@[`{\n");
        w.inputs[1] = MT_LITERAL("id\nann smith-and-long \xc3\x89\nbob\n\" tAB\t\"\n`{@[\n");
        MT_ASSERT(!mt_failed(run(&w, "psi", arguments, two_to_two)));
        MT_ASSERT(has_written(&w, 0, results[i]));
    }
}

static void echo_gives_back_every_byte(void)
{
    MT_DEFER(world_done) struct world w;
    size_t ends[2] = {2, 2};
    world_init(&w);
    w.inputs[0] = MT_LITERAL("not,csv\0\xff");
    w.inputs[1] = MT_LITERAL("");
    MT_ASSERT(!mt_failed(run(&w, "echo", "{}", ends)));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&w.outputs[0]), w.inputs[0]));
    MT_ASSERT(w.outputs[1].len == 0);
    MT_ASSERT(w.progress_done == w.progress_all);
    ends[1] = 1;
    MT_ASSERT(
        says(&w, run(&w, "echo", "{}", ends), "echo needs an output for each input", "arguments"));
    MT_ASSERT(says(&w, run(&w, "echo", "{\"x\":1}", two_to_two), "echo takes no arguments: {}",
                   "arguments"));
}

/* What is wrong with the first input, as a join of it says. */
static bool input_fails(mt_bytes input, const char *what, const char *detail)
{
    MT_DEFER(world_done) struct world w;
    world_init(&w);
    w.inputs[0] = input;
    w.inputs[1] = MT_LITERAL("mail,segment,visits\na,x,1\n");
    mt_err e = run(&w, "private-join-and-compute", JOIN("inner", "1"), two_to_one);
    return says(&w, e, what, detail) && w.outputs[0].len == 0;
}

#define FAILS(text_, what_, detail_)                                                               \
    MT_ASSERT(input_fails(MT_LITERAL(text_), what_, "input a" detail_))

static void faults_of_csv_name_row_and_column(void)
{
    FAILS("", "empty: a header row is required", ", row 1");
    FAILS("1,2\na,3\n", "the header has no column of this name", ", row 1, column (email)");
    FAILS("email,spent\na,3\n", "the header has no column of this name", ", row 1, column (spend)");
    FAILS("email,spend\na,3\nb\n", "fewer fields than the header has", ", row 3, column 2");
    FAILS("email,spend\na,3,4\n", "more fields than the header has", ", row 2, column 3");
    FAILS("email,spend\na,\"3\n", "a quote is not closed", ", row 2, column 2");
    FAILS("email,spend\na,\"3\"x\n", "something follows a closing quote", ", row 2, column 2");
    FAILS("email,spend\na,\0\n", "a NUL byte", ", row 2, column 2");
    FAILS("email,spend\n\xff,1\n", "not UTF-8", ", row 2, column 1");
    FAILS("email,x,email\n", "the header has two columns of the same name", ", row 1, column 3");
}

static void faults_of_cells_name_row_and_column(void)
{
    FAILS("x,spend,email\n1,3,a\n2,4,\n", "the key is missing", ", row 3, column 3 (email)");
    FAILS("email,spend\n \" \",1\n", "a quote inside a field that does not begin with one",
          ", row 2, column 1");
    FAILS("email,spend\n  ,1\n", "the key is missing", ", row 2, column 1 (email)");
    FAILS("email,spend\na,1\nb,\n", "not a number", ", row 3, column 2 (spend)");
    FAILS("email,spend\na,1\nb,12 EUR\n", "not a number", ", row 3, column 2 (spend)");
    FAILS("email,spend\na,1.005\n",
          "a number has more digits after the point than its column's scale",
          ", row 2, column 2 (spend)");
    FAILS("email,spend\na,1234567890123456789012345678901234567\n",
          "a number has more than 38 digits", ", row 2, column 2 (spend)");
}

static void a_key_may_be_four_kibibytes_long(void)
{
    uint8_t text[8192];
    for (size_t over = 0; over <= 1; over++) {
        MT_DEFER(world_done) struct world w;
        struct mt_writer t = mt_writer_over((mt_span){text, sizeof text});
        world_init(&w);
        mt_write_bytes(&t, MT_LITERAL("id\n"));
        for (size_t i = 0; i < MT_TABLE_KEY_BYTES_MAX + over; i++) {
            mt_write_u8(&t, 'k');
        }
        w.inputs[0] = (mt_bytes){text, t.used};
        w.inputs[1] = w.inputs[0];
        mt_err e = run(&w, "psi", PSI("refuse"), two_to_two);
        MT_ASSERT(over == 1
                      ? says(&w, e, "a key is longer than 4 KiB", "input a, row 2, column 1 (id)")
                      : has_written(&w, 1, "people\r\n1\r\n"));
    }
}

static void repeated_keys_are_refused_where_declared_whatever_the_others_hold(void)
{
    MT_DEFER(world_done) struct world w;
    world_init(&w);
    w.inputs[0] = MT_LITERAL("id\na\nb\n");
    w.inputs[1] = MT_LITERAL("id\nx\ny\nz\nz\ny\n");
    for (uint8_t seed = 0; seed < 50; seed++) {
        w.seed = seed;
        mt_err e = run(&w, "psi", PSI("refuse"), two_to_two);
        MT_ASSERT(says(&w, e, "a key that was there before", "input b, row 5, column 1 (id)"));
        MT_ASSERT(w.outputs[1].len == 0);
    }
    MT_ASSERT(!mt_failed(run(&w, "psi", PSI("aggregate"), two_to_two)));
    MT_ASSERT(has_written(&w, 1, "people\r\n0\r\n"));
}

static void rows_of_one_key_must_be_of_one_group(void)
{
    MT_DEFER(world_done) struct world w;
    world_init(&w);
    w.inputs[0] = MT_LITERAL("email,spend\na,1\n");
    w.inputs[1] = MT_LITERAL("mail,segment,visits\na,x,1\nb,y,1\na,x,1\nb,x,1\n");
    mt_err e = run(&w, "private-join-and-compute", JOIN("inner", "1"), two_to_one);
    MT_ASSERT(says(&w, e, "another group than in an earlier row of the same key",
                   "input b, row 5, column 2 (segment)"));
}

static void a_sum_that_is_too_large_names_output_and_column(void)
{
    MT_DEFER(world_done) struct world w;
    world_init(&w);
    w.inputs[0] = MT_LITERAL("email,spend\na,999999999999999999999999999999999999.99\nb,0.01\n");
    w.inputs[1] = MT_LITERAL("mail,segment,visits\na,x,1\nb,x,1\n");
    mt_err e = run(&w, "private-join-and-compute", JOIN("inner", "1"), two_to_one);
    MT_ASSERT(says(&w, e, "a result has more than 38 digits", "output out, column (total)"));
    MT_ASSERT(e.fault->code == MT_E_LIMIT);
}

static void a_cancelled_job_stops_with_nothing_written(void)
{
    for (size_t reads = 0; reads < 6; reads++) {
        MT_DEFER(world_done) struct world w;
        world_init(&w);
        w.inputs[0] = MT_LITERAL("id\na\nb\n");
        w.inputs[1] = MT_LITERAL("id\na\nb\n");
        w.piece = 4;
        w.reads_until_cancel = reads;
        mt_err e = run(&w, "psi", PSI("refuse"), two_to_two);
        MT_ASSERT(says(&w, e, "cancelled", ""));
        MT_ASSERT(e.fault->code == MT_E_CANCELLED);
        MT_ASSERT(w.outputs[0].len == 0);
    }
}

/* At every limit: either the result, or an error that says so. */
static void a_job_keeps_to_its_memory_limit(void)
{
    size_t failures = 0;
    uint64_t needed = 0;
    for (uint64_t max = 0; max < 700000; max += 3001) {
        MT_DEFER(world_done) struct world w;
        world_init(&w);
        w.inputs[0] = MT_LITERAL("email,spend\na,1\nb,-2\nc,3\n");
        w.inputs[1] = MT_LITERAL("mail,segment,visits\na,x,1\nb,y,1\n");
        w.memory_max = max;
        mt_err e = run(&w, "private-join-and-compute", JOIN("inner", "1"), two_to_one);
        MT_ASSERT(w.peak <= max);
        if (mt_failed(e)) {
            MT_ASSERT(says(&w, e, "the job's memory limit is reached", ""));
            MT_ASSERT(e.fault->code == MT_E_LIMIT);
            failures++;
        } else {
            needed = w.peak;
        }
    }
    MT_ASSERT(failures > 0);
    MT_ASSERT(needed > 0);
    MT_ASSERT(needed < 512 * 1024);
}

static void the_seed_changes_nothing_that_can_be_seen(void)
{
    MT_DEFER(world_done) struct world w;
    MT_DEFER(mt_buf_free) struct mt_buf first = mt_buf_of_max(1 << 20);
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(1 << 20);
    struct mt_writer t = mt_writer_onto(&text);
    world_init(&w);
    mt_write_bytes(&t, MT_LITERAL("id\n"));
    for (uint32_t i = 0; i < 5000; i++) {
        uint8_t id[4] = {(uint8_t)('a' + i % 26), (uint8_t)('a' + i / 26 % 26),
                         (uint8_t)('a' + i / 676), '\n'};
        mt_write_bytes(&t, (mt_bytes){id, sizeof id});
    }
    w.inputs[0] = mt_buf_bytes(&text);
    w.inputs[1] = mt_buf_bytes(&text);
    for (uint8_t seed = 0; seed < 4; seed++) {
        w.seed = seed;
        MT_ASSERT(!mt_failed(run(&w, "psi", PSI("refuse"), two_to_two)));
        if (seed == 0) {
            MT_ASSERT(!mt_failed(mt_buf_append(&first, mt_buf_bytes(&w.outputs[0]))));
        }
        MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&first), mt_buf_bytes(&w.outputs[0])));
    }
}

static void functions_are_found_by_name_and_version(void)
{
    size_t count = 0;
    const struct mt_function *all = mt_function_list(&count);
    MT_ASSERT(count == 3);
    for (size_t i = 0; i < count; i++) {
        mt_bytes name = mt_bytes_of_text(all[i].name);
        MT_ASSERT(mt_function_find(name, all[i].version) == &all[i]);
        MT_ASSERT(mt_function_find(name, 2) == NULL);
        MT_ASSERT(mt_function_find(name, UINT64_C(1) << 32 | 1) == NULL);
        MT_ASSERT(i == 0 || mt_bytes_order(mt_bytes_of_text(all[i - 1].name), name) < 0);
        MT_DEFER(mt_json_free) struct mt_json *schema = NULL;
        MT_ASSERT(!mt_failed(mt_json_parse(mt_bytes_of_text(all[i].schema), &schema, NULL)));
    }
    MT_ASSERT(mt_function_find(MT_LITERAL("ps"), 1) == NULL);
    MT_ASSERT(mt_function_find(MT_LITERAL(""), 1) == NULL);
}

static void a_task_must_name_the_inputs_and_outputs_of_its_arguments(void)
{
    const struct mt_function *f = mt_function_find(MT_LITERAL("psi"), 1);
    const mt_bytes inputs[] = {MT_LITERAL("a"), MT_LITERAL("b")};
    const mt_bytes swapped[] = {MT_LITERAL("b"), MT_LITERAL("a")};
    const mt_bytes outputs[] = {MT_LITERAL("keys"), MT_LITERAL("size")};
    struct world w;
    struct mt_function_task task = {mt_bytes_of_text(PSI("refuse")), 2, 2, inputs, outputs};
    MT_ASSERT(!mt_failed(mt_function_check(f, &task, &w.fault)));
    task.input_names = swapped;
    MT_ASSERT(says(&w, mt_function_check(f, &task, &w.fault), "the task's input has another name",
                   "arguments: inputs[0].name"));
    task.input_names = inputs;
    task.output_names = inputs;
    MT_ASSERT(says(&w, mt_function_check(f, &task, &w.fault), "the task's output has another name",
                   "arguments: outputs[0].name"));
    task.outputs_count = 1;
    MT_ASSERT(says(&w, mt_function_check(f, &task, &w.fault),
                   "the task has another number of outputs", "arguments: outputs"));
    task.inputs_count = 1;
    MT_ASSERT(says(&w, mt_function_check(f, &task, &w.fault),
                   "the task has another number of inputs", "arguments: inputs"));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_join_sums_each_row_once),
        MT_TEST(groups_below_the_minimum_leave_no_trace),
        MT_TEST(without_group_by_all_is_one_group),
        MT_TEST(psi_gives_common_keys_in_bytewise_order),
        MT_TEST(keys_are_canonical_only_as_declared),
        MT_TEST(echo_gives_back_every_byte),
        MT_TEST(faults_of_csv_name_row_and_column),
        MT_TEST(faults_of_cells_name_row_and_column),
        MT_TEST(a_key_may_be_four_kibibytes_long),
        MT_TEST(repeated_keys_are_refused_where_declared_whatever_the_others_hold),
        MT_TEST(rows_of_one_key_must_be_of_one_group),
        MT_TEST(a_sum_that_is_too_large_names_output_and_column),
        MT_TEST(a_cancelled_job_stops_with_nothing_written),
        MT_TEST(a_job_keeps_to_its_memory_limit),
        MT_TEST(the_seed_changes_nothing_that_can_be_seen),
        MT_TEST(functions_are_found_by_name_and_version),
        MT_TEST(a_task_must_name_the_inputs_and_outputs_of_its_arguments),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
