/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/record.h"
#include "jobs/world_test.h"

/* The life of a job: queued, running, ended; and a crash at each of its moments. */

static mt_id data;
static struct mt_object_handle handle;
static const mt_hash digest = {"the digest of an approved task.."};
static const mt_id task = {"a task's id....."};
static struct mt_grant approval;

/* ---- What the job does, and what its service remembers of it. */

static const struct mt_map_def test_maps[] = {{"test.ends", false}, {NULL, false}};

enum plan { COPY, OVERFLOW, STUBBORN, SILENT, ENDLESS };
static enum plan plan;
static void (*meanwhile)(void); /* between two writes of the job */
static mt_err handler_says;     /* what the resume handler answers */
static int runs;                /* of the run function, of all incarnations */

static struct {
    int count;
    enum mt_code code; /* 0: done */
    size_t outputs;
    bool was_interrupted;
    uint64_t started_ms, ended_ms, level;
    char detail[64];
} last_end;
static const mt_id result_id = {"a result's id..."};

static mt_err copy(struct mt_job_context *c)
{
    uint8_t room[4];
    size_t got = 0;
    for (;;) {
        MT_TRY(mt_job_read(c, 0, (mt_span){room, sizeof room}, &got));
        if (got == 0) {
            return MT_OK;
        }
        MT_TRY(mt_job_write(c, 0, (mt_bytes){room, got}));
        mt_job_progress(c, 1, 2);
        if (meanwhile != NULL) {
            meanwhile();
        }
    }
}

static mt_err job_run(struct mt_job_context *c)
{
    uint8_t seed[32];
    runs++;
    MT_TRY(mt_job_seed(c, seed));
    MT_ASSERT(mt_job_inputs_count(c) == 1 && mt_job_outputs_count(c) == 1);
    MT_ASSERT(mt_job_input_size(c, 0) == handle.size_bytes);
    MT_ASSERT(mt_bytes_equal(mt_job_function(c), MT_LITERAL("test")));
    MT_ASSERT(mt_bytes_equal(mt_job_arguments(c), MT_LITERAL("{}")));
    MT_ASSERT(mt_job_function_version(c) == 3 && mt_job_memory_limit(c) == 1000);
    switch (plan) {
    case COPY:
        return copy(c);
    case OVERFLOW: /* late: a part of the output has been written */
        MT_TRY(copy(c));
        mt_job_detail(c, "row 7");
        MT_FAIL(MT_E_LIMIT, "a sum does not fit");
    case STUBBORN: /* looks at no flag, and claims to have succeeded */
        if (meanwhile != NULL) {
            meanwhile();
        }
        return MT_OK;
    case SILENT:
        return MT_OK;
    case ENDLESS:
        while (!atomic_load(mt_job_cancel_flag(c))) {
            meanwhile();
        }
        MT_FAIL(MT_E_INTERNAL, "gave up");
    }
    return MT_OK;
}

static mt_err job_resume(const struct mt_permit *p, const struct mt_job_end *end, struct mt_tx *t)
{
    const uint8_t mark = mt_failed(end->result) ? 2 : 1;
    last_end.count++;
    last_end.code = mt_failed(end->result) ? end->result.fault->code : 0;
    last_end.outputs = end->outputs_count;
    last_end.was_interrupted = end->was_interrupted;
    last_end.started_ms = end->started_ms;
    last_end.ended_ms = end->ended_ms;
    last_end.level = end->level;
    (void)snprintf(last_end.detail, sizeof last_end.detail, "%.*s", (int)end->detail.len,
                   end->detail.len > 0 ? (const char *)end->detail.ptr : "");
    MT_TRY(mt_tx_put(t, &test_maps[0], mt_id_bytes(&end->id), (mt_bytes){&mark, 1}));
    if (!mt_failed(end->result)) {
        const struct mt_kept_result r = {&result_id, &end->outputs[0], &people[CAROL].subject, 1};
        MT_TRY(mt_permit_keep_result(p, t, &r));
        return handler_says;
    }
    return MT_OK;
}

static const struct mt_job_row rows[] = {
    {"test.again", 1, true, job_run, job_resume},
    {"test.once", 1, false, job_run, job_resume},
    {NULL, 0, false, NULL, NULL},
};
static const struct mt_route no_routes[] = {
    {MT_GET, NULL, NULL, MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, false, NULL, NULL}};
static const struct mt_service without_jobs = {"idle", test_maps, no_routes, NULL};
static const struct mt_service service = {"test", test_maps, no_routes, rows};
static const struct mt_service *const services[] = {&without_jobs, &service, NULL};
static const struct mt_service *const fewer_services[] = {&without_jobs, NULL};

/* ---- */

static mt_err no_fault(void)
{
    return MT_OK;
}

static void begin(uint64_t count)
{
    node_begin(services);
    plan = COPY;
    meanwhile = NULL;
    handler_says = no_fault();
    runs = 0;
    memset(&last_end, 0, sizeof last_end);
    data = id_of(1);
    OK(put_data(ALICE, &data, MT_LITERAL("of alice, long enough"), &handle));
    approval = (struct mt_grant){.right = MT_GRANT_RUN, .grantee = digest, .count = count};
    OK(grant(ALICE, &data, &approval));
    turn();
}

static struct mt_job_start start_of(const char *row, uint8_t n)
{
    struct mt_job_start s = {.row = row,
                             .id = id_of(n),
                             .task = task,
                             .grantee = digest,
                             .function = MT_LITERAL("test"),
                             .function_version = 3,
                             .arguments = MT_LITERAL("{}"),
                             .inputs_count = 1,
                             .outputs_count = 1,
                             .time_limit_ms = 1000,
                             .memory_limit_bytes = 1000};
    s.inputs[0] = (struct mt_job_input){data, handle};
    return s;
}

/* In a transaction of its own; held until the next turn. */
static mt_err start(const char *row, uint8_t n)
{
    const struct mt_job_start s = start_of(row, n);
    uint64_t version = 0;
    begin_tx();
    mt_err e = mt_jobs_start(jobs, tx, &s);
    if (mt_failed(e)) {
        abort_tx();
        return e;
    }
    OK(mt_ledger_commit(ledger, &tx, &version));
    mt_jobs_go(jobs, &s.id, version);
    return MT_OK;
}

/* What the ledger says of the job: 0 nothing, 1 done, 2 not. */
static int end_in_ledger(uint8_t n)
{
    mt_id id = id_of(n);
    mt_bytes value;
    int is = 0;
    OK(mt_ledger_begin(ledger, test_maps, now_ms, &tx));
    if (!mt_failed(mt_tx_get(tx, &test_maps[0], mt_id_bytes(&id), &value))) {
        is = value.ptr[0];
    }
    abort_tx();
    return is;
}

static bool has_record(uint8_t n)
{
    mt_id id = id_of(n);
    OK(mt_ledger_begin(ledger, mt_jobs_maps, now_ms, &tx));
    bool has = mt_tx_has(tx, &mt_jobs_maps[0], mt_id_bytes(&id));
    abort_tx();
    return has;
}

struct files {
    size_t count;
};

static mt_err count_file(void *state, const char *name)
{
    struct files *f = state;
    (void)name;
    f->count++;
    return MT_OK;
}

static size_t files_in(const char *dir)
{
    struct files f = {0};
    OK(mt_fs_list(fs, dir, count_file, &f));
    return f.count;
}

/* Nothing of any output is left on the disk: the input is. */
static void assert_no_output(void)
{
    MT_ASSERT(files_in("objects") == 1 && files_in("staging") == 0);
}

static mt_err open_result(enum person who)
{
    struct mt_object_handle h;
    MT_TRY(enter(reading(ask_on(who, MT_RIGHT_READ, MT_KIND_RESULT, &result_id))));
    mt_err e = mt_permit_object(permit, tx, MT_REF(MT_KIND_RESULT, &result_id), 1, &h);
    if (!mt_failed(e)) {
        MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
        e = mt_gate_unwrap(gate, permit, tx, &h.id, &key);
    }
    return leave(e);
}

/* ---- */

static void a_job_waits_until_its_start_is_durable_and_its_end_is_a_transaction(void)
{
    begin(1);
    uint64_t done = 0;
    uint64_t all = 0;
    OK(start("test.again", 10));
    mt_id id = id_of(10);
    MT_ASSERT(mt_jobs_count(jobs) == 1 && has_record(10));
    MT_ASSERT(!work()); /* held */
    MT_ASSERT(!mt_jobs_progress(jobs, &id, &done, &all));
    now_ms += 5;
    turn();
    MT_ASSERT(mt_jobs_progress(jobs, &id, &done, &all) && done == 0);
    MT_ASSERT(work());
    MT_ASSERT(mt_jobs_progress(jobs, &id, &done, &all) && done == 1 && all == 2);
    MT_ASSERT(last_end.count == 0 && end_in_ledger(10) == 0);
    now_ms += 5;
    work_done();
    MT_ASSERT(last_end.count == 1 && last_end.code == 0 && last_end.outputs == 1);
    MT_ASSERT(last_end.started_ms == WORLD_NOW_MS + 5 && last_end.ended_ms == WORLD_NOW_MS + 10);
    MT_ASSERT(last_end.level == 2 && !last_end.was_interrupted);
    MT_ASSERT(mt_jobs_count(jobs) == 0 && !has_record(10) && end_in_ledger(10) == 1);
    MT_ASSERT(!mt_jobs_progress(jobs, &id, &done, &all));
    MT_ASSERT(files_in("objects") == 2 && files_in("staging") == 0);
    OK(open_result(CAROL));
    MT_ASSERT(is_code(open_result(ALICE), MT_E_NOTFOUND));
    OK(node_crash());
    OK(open_result(CAROL));
    MT_ASSERT(runs == 1);
    node_end();
}

static void an_output_that_nobody_wrote_is_empty_and_there(void)
{
    begin(1);
    plan = SILENT;
    OK(start("test.again", 10));
    turn();
    work_all();
    MT_ASSERT(end_in_ledger(10) == 1 && files_in("objects") == 2);
    OK(open_result(CAROL));
    node_end();
}

static void an_output_begun_before_a_late_failure_is_discarded(void)
{
    begin(1);
    plan = OVERFLOW;
    OK(start("test.again", 10));
    turn();
    MT_ASSERT(work());
    MT_ASSERT(files_in("staging") == 1); /* it has been begun */
    work_done();
    MT_ASSERT(last_end.code == MT_E_LIMIT && last_end.outputs == 0);
    MT_ASSERT(strcmp(last_end.detail, "row 7") == 0);
    MT_ASSERT(end_in_ledger(10) == 2 && !has_record(10));
    assert_no_output();
    MT_ASSERT(is_code(open_result(CAROL), MT_E_NOTFOUND));
    node_end();
}

static void a_result_that_the_service_refuses_is_never_published(void)
{
    begin(1);
    handler_says = (mt_err){&(const struct mt_fault){MT_E_CONFLICT, 1, "test", "no, thanks"}};
    OK(start("test.again", 10));
    turn();
    MT_ASSERT(work());
    MT_ASSERT(files_in("objects") == 2); /* sealed, durable, and nobody's */
    work_done();
    MT_ASSERT(last_end.count == 2 && last_end.code == MT_E_CONFLICT); /* told of its own refusal */
    MT_ASSERT(end_in_ledger(10) == 2 && !has_record(10));
    assert_no_output();
    MT_ASSERT(is_code(open_result(CAROL), MT_E_NOTFOUND));
    node_end();
}

static void withdraw(void)
{
    OK(revoke(ALICE, &data, &approval.id));
    meanwhile = NULL;
}

static void an_approval_withdrawn_while_the_job_runs_takes_its_result_away(void)
{
    begin(1);
    meanwhile = withdraw;
    OK(start("test.again", 10));
    turn();
    work_all();
    MT_ASSERT(runs == 1 && last_end.code == MT_E_CANCELLED && end_in_ledger(10) == 2);
    assert_no_output();
    MT_ASSERT(is_code(open_result(CAROL), MT_E_NOTFOUND));
    node_end();
}

static void delete_data(void)
{
    OK(end_data(ALICE, &data));
    meanwhile = NULL;
}

static void an_input_deleted_while_the_job_runs_takes_its_result_away(void)
{
    begin(1);
    meanwhile = delete_data;
    OK(start("test.again", 10));
    turn();
    work_all();
    MT_ASSERT(last_end.code == MT_E_CANCELLED && end_in_ledger(10) == 2);
    assert_no_output();
    node_end();
}

static void cancel_it(void)
{
    mt_id id = id_of(10);
    mt_jobs_cancel(jobs, &id);
}

static void cancel_its_task(void)
{
    mt_jobs_cancel_task(jobs, &task);
}

static void cancel_another_task(void)
{
    mt_id other = id_of(99);
    mt_jobs_cancel_task(jobs, &other);
    mt_jobs_cancel(jobs, &other);
}

static enum mt_code run_with(enum plan how, void (*what)(void))
{
    begin(1);
    plan = how;
    meanwhile = what;
    OK(start("test.again", 10));
    turn();
    work_all();
    enum mt_code code = last_end.code;
    MT_ASSERT(last_end.count == 1 && !has_record(10) && mt_jobs_count(jobs) == 0);
    if (code != 0) {
        assert_no_output();
    }
    node_end();
    return code;
}

static void who_cancels_a_job_gets_no_result_of_it(void)
{
    MT_ASSERT(run_with(COPY, cancel_it) == MT_E_CANCELLED);
    MT_ASSERT(run_with(COPY, cancel_its_task) == MT_E_CANCELLED);
    MT_ASSERT(run_with(ENDLESS, cancel_it) == MT_E_CANCELLED);
    MT_ASSERT(run_with(STUBBORN, cancel_it) == MT_E_CANCELLED); /* whatever the function says */
    MT_ASSERT(run_with(COPY, cancel_another_task) == 0);
}

static void a_job_cancelled_before_it_began_ends_as_soon_as_it_may(void)
{
    begin(1);
    OK(start("test.again", 10));
    cancel_it();
    turn();
    work_all();
    MT_ASSERT(last_end.code == MT_E_CANCELLED && end_in_ledger(10) == 2);
    assert_no_output();
    node_end();
}

static void a_job_cancelled_after_its_work_and_before_its_end_has_no_result(void)
{
    begin(1);
    OK(start("test.again", 10));
    turn();
    MT_ASSERT(work());
    cancel_it();
    work_done();
    MT_ASSERT(last_end.code == MT_E_CANCELLED && end_in_ledger(10) == 2);
    assert_no_output();
    node_end();
}

static void let_time_pass(void)
{
    now_ms += 1000;
    run_timers();
}

static void let_less_time_pass(void)
{
    now_ms += 999;
    run_timers();
    meanwhile = NULL;
}

static void a_job_ends_at_its_time_limit(void)
{
    MT_ASSERT(run_with(COPY, let_time_pass) == MT_E_LIMIT);
    MT_ASSERT(run_with(ENDLESS, let_time_pass) == MT_E_LIMIT);
    MT_ASSERT(run_with(STUBBORN, let_time_pass) == MT_E_LIMIT);
    MT_ASSERT(run_with(COPY, let_less_time_pass) == 0);
}

static void a_job_without_a_time_limit_has_no_timer(void)
{
    begin(1);
    struct mt_job_start s = start_of("test.again", 10);
    uint64_t version = 0;
    s.time_limit_ms = 0;
    meanwhile = let_less_time_pass;
    begin_tx();
    OK(mt_jobs_start(jobs, tx, &s));
    OK(mt_ledger_commit(ledger, &tx, &version));
    mt_jobs_go(jobs, &s.id, version);
    turn();
    MT_ASSERT(loop.timers == NULL);
    work_all();
    MT_ASSERT(end_in_ledger(10) == 1);
    node_end();
}

static void a_start_that_is_undone_never_was(void)
{
    begin(1);
    const struct mt_job_start s = start_of("test.again", 10);
    begin_tx();
    OK(mt_jobs_start(jobs, tx, &s));
    MT_ASSERT(mt_jobs_count(jobs) == 1);
    abort_tx();
    mt_jobs_drop(jobs, &s.id);
    mt_jobs_drop(jobs, &s.id); /* again: it is gone */
    MT_ASSERT(mt_jobs_count(jobs) == 0 && !has_record(10));
    OK(start("test.again", 10)); /* and its one run is still there */
    node_end();
}

static void a_job_that_may_not_start_leaves_nothing(void)
{
    begin(1);
    OK(revoke(ALICE, &data, &approval.id));
    MT_ASSERT(is_code(start("test.again", 10), MT_E_DENIED));
    MT_ASSERT(is_code(start("test.unknown", 10), MT_E_NOTFOUND));
    MT_ASSERT(mt_jobs_count(jobs) == 0 && !has_record(10));
    node_end();
}

static void more_jobs_than_places_wait_for_another_day(void)
{
    begin(0);
    for (unsigned i = 0; i < MT_JOBS_MAX; i++) {
        OK(start("test.once", (uint8_t)(10 + i)));
    }
    MT_ASSERT(is_code(start("test.once", 200), MT_E_BUSY));
    MT_ASSERT(mt_jobs_count(jobs) == MT_JOBS_MAX && !has_record(200));
    plan = OVERFLOW;
    turn();
    MT_ASSERT(work());
    work_done();
    OK(start("test.once", 200));
    node_stop();
    node_start();
    node_end();
}

static void a_full_pool_ends_the_job_instead_of_losing_it(void)
{
    begin(1);
    compute_pool.is_full = true;
    OK(start("test.again", 10));
    turn();
    turn();
    MT_ASSERT(runs == 0 && last_end.code == MT_E_BUSY && end_in_ledger(10) == 2);
    MT_ASSERT(mt_jobs_count(jobs) == 0 && !has_record(10));
    node_end();
}

static void an_end_is_written_although_the_hosts_clock_has_jumped(void)
{
    begin(1);
    OK(start("test.again", 10));
    turn();
    MT_ASSERT(work());
    now_ms += 2 * (uint64_t)WORLD_HOUR_MS; /* no administrator has accepted that yet */
    work_done();
    MT_ASSERT(last_end.code == 0 && last_end.ended_ms < now_ms);
    world_sleep(0);
    MT_ASSERT(end_in_ledger(10) == 1 && !has_record(10));
    node_end();
}

/* ---- Crashes. */

static void a_job_whose_start_was_not_durable_never_was(void)
{
    begin(1);
    OK(start("test.again", 10));
    OK(node_crash()); /* nothing of it reached the disk */
    MT_ASSERT(mt_jobs_count(jobs) == 0 && !has_record(10) && runs == 0);
    OK(start("test.again", 10)); /* the use was not counted */
    turn();
    work_all();
    MT_ASSERT(end_in_ledger(10) == 1);
    node_end();
}

static void a_queued_job_runs_after_a_crash_and_is_counted_once(void)
{
    begin(1);
    OK(start("test.again", 10));
    turn();
    OK(node_crash());
    MT_ASSERT(mt_jobs_count(jobs) == 1);
    work_all();
    MT_ASSERT(runs == 1 && last_end.code == 0 && end_in_ledger(10) == 1);
    MT_ASSERT(is_code(start("test.again", 11), MT_E_DENIED)); /* its one run is used up */
    node_end();
}

static void a_running_job_runs_again_after_a_crash_and_its_first_output_is_swept(void)
{
    begin(1);
    OK(start("test.again", 10));
    turn();
    MT_ASSERT(work()); /* all work is done, its output lies there, and nobody was told */
    MT_ASSERT(files_in("objects") == 2);
    OK(node_crash());
    assert_no_output();
    work_all();
    MT_ASSERT(runs == 2 && last_end.count == 1 && last_end.code == 0 && end_in_ledger(10) == 1);
    OK(open_result(CAROL));
    MT_ASSERT(files_in("objects") == 2);
    node_end();
}

static void an_end_that_was_not_durable_is_reached_again(void)
{
    begin(1);
    OK(start("test.again", 10));
    turn();
    MT_ASSERT(work());
    struct mt_work *w = working;
    working = NULL;
    w->done(w, w->result); /* committed, and not yet written */
    MT_ASSERT(last_end.count == 1 && !has_record(10));
    OK(node_crash());
    MT_ASSERT(has_record(10) && end_in_ledger(10) == 0);
    MT_ASSERT(is_code(open_result(CAROL), MT_E_NOTFOUND));
    work_all();
    MT_ASSERT(runs == 2 && end_in_ledger(10) == 1);
    OK(open_result(CAROL));
    node_end();
}

static void a_job_that_is_not_repeated_fails_after_a_crash(void)
{
    begin(1);
    OK(start("test.once", 10));
    turn();
    MT_ASSERT(work());
    OK(node_crash());
    MT_ASSERT(mt_jobs_count(jobs) == 0 && runs == 1 && !has_record(10));
    MT_ASSERT(last_end.count == 1 && last_end.code == MT_E_CANCELLED && last_end.was_interrupted);
    MT_ASSERT(last_end.level == 2 && end_in_ledger(10) == 2);
    assert_no_output();
    OK(node_crash()); /* and that was the end of it */
    MT_ASSERT(last_end.count == 1 && end_in_ledger(10) == 2);
    node_end();
}

static void a_job_that_brings_the_node_down_is_tried_three_times(void)
{
    begin(1);
    OK(start("test.again", 10));
    turn();
    for (int i = 0; i < 2; i++) {
        MT_ASSERT(work());
        OK(node_crash());
        MT_ASSERT(mt_jobs_count(jobs) == 1);
    }
    MT_ASSERT(work());
    OK(node_crash());
    MT_ASSERT(runs == 3 && mt_jobs_count(jobs) == 0 && !has_record(10));
    MT_ASSERT(last_end.was_interrupted && end_in_ledger(10) == 2);
    node_end();
}

static void a_job_whose_approval_is_gone_is_not_started_again(void)
{
    begin(1);
    OK(start("test.again", 10));
    turn();
    OK(revoke(ALICE, &data, &approval.id));
    turn();
    OK(node_crash());
    MT_ASSERT(mt_jobs_count(jobs) == 0 && runs == 0 && !has_record(10));
    MT_ASSERT(last_end.code == MT_E_DENIED && end_in_ledger(10) == 2);
    node_end();
}

static void a_job_that_this_program_does_not_know_is_kept_for_one_that_does(void)
{
    begin(1);
    OK(start("test.again", 10));
    turn();
    node_services = fewer_services;
    OK(node_crash());
    MT_ASSERT(mt_jobs_count(jobs) == 0 && has_record(10) && last_end.count == 0);
    node_services = services;
    OK(node_crash());
    work_all();
    MT_ASSERT(end_in_ledger(10) == 1 && !has_record(10));
    node_end();
}

static void a_record_gives_back_what_it_was_made_of_and_takes_nothing_else(void)
{
    begin(1);
    uint8_t room[1024];
    mt_bytes good;
    struct mt_job_record rec;
    const struct mt_job_start s = start_of("test.again", 10);
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_job_record_write(&w, &s, 2);
    OK(mt_write_end(&w, &good));
    OK(mt_job_record_parse(good, &rec));
    MT_ASSERT(rec.attempt == 2 && mt_bytes_equal(rec.row, MT_LITERAL("test.again")));
    MT_ASSERT(mt_id_equal(&rec.start.id, &s.id) && mt_id_equal(&rec.start.task, &task));
    MT_ASSERT(mt_hash_equal(&rec.start.grantee, &digest) && rec.start.function_version == 3);
    MT_ASSERT(rec.start.inputs_count == 1 && rec.start.outputs_count == 1);
    MT_ASSERT(mt_id_equal(&rec.start.inputs[0].object.id, &handle.id));
    MT_ASSERT(rec.start.time_limit_ms == 1000 && rec.start.memory_limit_bytes == 1000);
    for (size_t len = 0; len < good.len; len++) {
        MT_ASSERT(mt_failed(mt_job_record_parse((mt_bytes){good.ptr, len}, &rec)));
    }
    room[good.len] = 0;
    MT_ASSERT(mt_failed(mt_job_record_parse((mt_bytes){room, good.len + 1}, &rec)));
    for (size_t bit = 0; bit < good.len * 8; bit++) { /* another record or none, but one encoding */
        uint8_t again[1024];
        mt_bytes out;
        room[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (!mt_failed(mt_job_record_parse(good, &rec))) {
            char row[64];
            (void)snprintf(row, sizeof row, "%.*s", (int)rec.row.len, (const char *)rec.row.ptr);
            rec.start.row = row;
            struct mt_writer v = mt_writer_over((mt_span){again, sizeof again});
            mt_job_record_write(&v, &rec.start, rec.attempt);
            OK(mt_write_end(&v, &out));
            MT_ASSERT(mt_bytes_equal(out, good));
        }
        room[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    node_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_job_waits_until_its_start_is_durable_and_its_end_is_a_transaction),
        MT_TEST(an_output_that_nobody_wrote_is_empty_and_there),
        MT_TEST(an_output_begun_before_a_late_failure_is_discarded),
        MT_TEST(a_result_that_the_service_refuses_is_never_published),
        MT_TEST(an_approval_withdrawn_while_the_job_runs_takes_its_result_away),
        MT_TEST(an_input_deleted_while_the_job_runs_takes_its_result_away),
        MT_TEST(who_cancels_a_job_gets_no_result_of_it),
        MT_TEST(a_job_cancelled_before_it_began_ends_as_soon_as_it_may),
        MT_TEST(a_job_cancelled_after_its_work_and_before_its_end_has_no_result),
        MT_TEST(a_job_ends_at_its_time_limit),
        MT_TEST(a_job_without_a_time_limit_has_no_timer),
        MT_TEST(a_start_that_is_undone_never_was),
        MT_TEST(a_job_that_may_not_start_leaves_nothing),
        MT_TEST(more_jobs_than_places_wait_for_another_day),
        MT_TEST(a_full_pool_ends_the_job_instead_of_losing_it),
        MT_TEST(an_end_is_written_although_the_hosts_clock_has_jumped),
        MT_TEST(a_job_whose_start_was_not_durable_never_was),
        MT_TEST(a_queued_job_runs_after_a_crash_and_is_counted_once),
        MT_TEST(a_running_job_runs_again_after_a_crash_and_its_first_output_is_swept),
        MT_TEST(an_end_that_was_not_durable_is_reached_again),
        MT_TEST(a_job_that_is_not_repeated_fails_after_a_crash),
        MT_TEST(a_job_that_brings_the_node_down_is_tried_three_times),
        MT_TEST(a_job_whose_approval_is_gone_is_not_started_again),
        MT_TEST(a_job_that_this_program_does_not_know_is_kept_for_one_that_does),
        MT_TEST(a_record_gives_back_what_it_was_made_of_and_takes_nothing_else),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
