/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/task/store.h"

#include <string.h>

#include "wire/cbor.h"

enum { TASKS, APPROVALS, RUNS, ORDER };

const struct mt_map_def mt_task_maps[] = {
    [TASKS] = {"task.tasks", false},
    [APPROVALS] = {"task.approvals", false},
    [RUNS] = {"task.runs", false},
    [ORDER] = {"task.order", false},
    {NULL, false},
};

static MT_ERR put(struct mt_tx *tx, int map, mt_bytes key, const struct mt_writer *w)
{
    mt_bytes value;
    MT_TRY(mt_write_end(w, &value));
    return mt_tx_put(tx, &mt_task_maps[map], key, value);
}

static MT_ERR fields_of(struct mt_reader *r, uint64_t count)
{
    uint64_t got = 0;
    MT_TRY(mt_cbor_read_array(r, count, &got));
    MT_REQUIRE(got == count, MT_E_FORMAT,
               "a record of the task service has the wrong number of fields");
    return MT_OK;
}

MT_ERR mt_task_record_get(struct mt_tx *tx, const mt_id *id, struct mt_task_record *out)
{
    mt_bytes value;
    struct mt_task_record t = {.made_ms = 0};
    MT_TRY(mt_tx_get(tx, &mt_task_maps[TASKS], mt_id_bytes(id), &value));
    struct mt_reader r = mt_reader_over(value);
    MT_TRY(fields_of(&r, 6));
    MT_TRY(mt_cbor_read_bytes(&r, &t.definition));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){t.digest.b, sizeof t.digest.b}));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){t.creator.b, sizeof t.creator.b}));
    MT_TRY(mt_cbor_read_uint(&r, &t.made_ms));
    MT_TRY(mt_cbor_read_bool(&r, &t.is_cancelled));
    MT_TRY(mt_cbor_read_uint(&r, &t.runs_started));
    MT_TRY(mt_read_end(&r));
    *out = t;
    return MT_OK;
}

MT_ERR mt_task_record_put(struct mt_tx *tx, const mt_id *id, const struct mt_task_record *t)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_VALUE_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    mt_cbor_write_array(&w, 6);
    mt_cbor_write_bytes(&w, t->definition);
    mt_cbor_write_bytes(&w, mt_hash_bytes(&t->digest));
    mt_cbor_write_bytes(&w, mt_hash_bytes(&t->creator));
    mt_cbor_write_uint(&w, t->made_ms);
    mt_cbor_write_bool(&w, t->is_cancelled);
    mt_cbor_write_uint(&w, t->runs_started);
    return put(tx, TASKS, mt_id_bytes(id), &w);
}

struct approval_key {
    mt_id task;
    mt_hash owner;
};
_Static_assert(sizeof(struct approval_key) == 48, "an id, a hash and nothing between them");

MT_ERR mt_approval_get(struct mt_tx *tx, const mt_id *task, const mt_hash *owner,
                       struct mt_approval *out)
{
    const struct approval_key k = {*task, *owner};
    struct mt_approval a = {.state = MT_APPROVAL_PENDING};
    mt_bytes value;
    uint64_t state = 0;
    if (!mt_tx_has(tx, &mt_task_maps[APPROVALS], MT_BYTES_OF(k))) {
        *out = a;
        return MT_OK;
    }
    MT_TRY(mt_tx_get(tx, &mt_task_maps[APPROVALS], MT_BYTES_OF(k), &value));
    struct mt_reader r = mt_reader_over(value);
    MT_TRY(fields_of(&r, 4));
    MT_TRY(mt_cbor_read_uint(&r, &state));
    MT_REQUIRE(state <= MT_APPROVAL_WITHDRAWN, MT_E_FORMAT, "an approval's state is unknown");
    a.state = (enum mt_approval_state)state;
    MT_TRY(mt_cbor_read_uint(&r, &a.at_ms));
    MT_TRY(mt_cbor_read_bytes(&r, &a.statement));
    MT_TRY(mt_cbor_read_text(&r, &a.reason));
    MT_TRY(mt_read_end(&r));
    *out = a;
    return MT_OK;
}

MT_ERR mt_approval_put(struct mt_tx *tx, const mt_id *task, const mt_hash *owner,
                       const struct mt_approval *a)
{
    const struct approval_key k = {*task, *owner};
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_VALUE_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    mt_cbor_write_array(&w, 4);
    mt_cbor_write_uint(&w, (uint64_t)a->state);
    mt_cbor_write_uint(&w, a->at_ms);
    mt_cbor_write_bytes(&w, a->statement);
    mt_cbor_write_text(&w, a->reason);
    return put(tx, APPROVALS, MT_BYTES_OF(k), &w);
}

static MT_ERR read_results(struct mt_reader *r, struct mt_run *run)
{
    uint64_t count = 0;
    MT_TRY(mt_cbor_read_array(r, MT_TASK_PARTIES_MAX, &count));
    for (uint64_t i = 0; i < count; i++) {
        struct mt_run_result *o = &run->results[i];
        MT_TRY(fields_of(r, 4));
        MT_TRY(mt_cbor_read_text(r, &o->name));
        MT_TRY(mt_cbor_read_copy(r, (mt_span){o->result.b, sizeof o->result.b}));
        MT_TRY(mt_cbor_read_uint(r, &o->size_bytes));
        MT_TRY(mt_cbor_read_copy(r, (mt_span){o->commitment.b, sizeof o->commitment.b}));
    }
    run->results_count = (size_t)count;
    return MT_OK;
}

MT_ERR mt_run_get(struct mt_tx *tx, const mt_id *id, struct mt_run *out)
{
    mt_bytes value;
    struct mt_run run;
    uint64_t state = 0;
    memset(&run, 0, sizeof run);
    MT_TRY(mt_tx_get(tx, &mt_task_maps[RUNS], mt_id_bytes(id), &value));
    struct mt_reader r = mt_reader_over(value);
    MT_TRY(fields_of(&r, 11));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){run.task.b, sizeof run.task.b}));
    MT_TRY(mt_cbor_read_uint(&r, &run.number));
    MT_TRY(mt_cbor_read_uint(&r, &state));
    MT_REQUIRE(state >= MT_RUN_QUEUED && state <= MT_RUN_CANCELLED, MT_E_FORMAT,
               "a run's state is unknown");
    run.state = (enum mt_run_state)state;
    MT_TRY(mt_cbor_read_uint(&r, &run.started_ms));
    MT_TRY(mt_cbor_read_uint(&r, &run.ended_ms));
    MT_TRY(read_results(&r, &run));
    MT_TRY(mt_cbor_read_uint(&r, &run.code));
    MT_TRY(mt_cbor_read_text(&r, &run.check));
    MT_TRY(mt_cbor_read_text(&r, &run.detail));
    MT_TRY(mt_cbor_read_uint(&r, &run.txid));
    MT_TRY(mt_cbor_read_uint(&r, &run.claim_item));
    MT_TRY(mt_read_end(&r));
    *out = run;
    return MT_OK;
}

MT_ERR mt_run_put(struct mt_tx *tx, const mt_id *id, const struct mt_run *run)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_VALUE_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    mt_cbor_write_array(&w, 11);
    mt_cbor_write_bytes(&w, mt_id_bytes(&run->task));
    mt_cbor_write_uint(&w, run->number);
    mt_cbor_write_uint(&w, (uint64_t)run->state);
    mt_cbor_write_uint(&w, run->started_ms);
    mt_cbor_write_uint(&w, run->ended_ms);
    mt_cbor_write_array(&w, run->results_count);
    for (size_t i = 0; i < run->results_count; i++) {
        const struct mt_run_result *o = &run->results[i];
        mt_cbor_write_array(&w, 4);
        mt_cbor_write_text(&w, o->name);
        mt_cbor_write_bytes(&w, mt_id_bytes(&o->result));
        mt_cbor_write_uint(&w, o->size_bytes);
        mt_cbor_write_bytes(&w, mt_hash_bytes(&o->commitment));
    }
    mt_cbor_write_uint(&w, run->code);
    mt_cbor_write_text(&w, run->check);
    mt_cbor_write_text(&w, run->detail);
    mt_cbor_write_uint(&w, run->txid);
    mt_cbor_write_uint(&w, run->claim_item);
    return put(tx, RUNS, mt_id_bytes(id), &w);
}

enum { ORDER_KEY = 16 + 8 };

static MT_ERR order_key_of(const mt_id *task, uint64_t number, uint8_t room[ORDER_KEY],
                           mt_bytes *out)
{
    struct mt_writer w = mt_writer_over((mt_span){room, ORDER_KEY});
    mt_write_bytes(&w, mt_id_bytes(task));
    mt_write_u64be(&w, number);
    return mt_write_end(&w, out);
}

MT_ERR mt_run_order_put(struct mt_tx *tx, const mt_id *task, uint64_t number, const mt_id *run)
{
    uint8_t room[ORDER_KEY];
    mt_bytes key;
    MT_TRY(order_key_of(task, number, room, &key));
    return mt_tx_put(tx, &mt_task_maps[ORDER], key, mt_id_bytes(run));
}

struct each_run {
    mt_run_each *each;
    void *state;
    uint64_t left;
};

static mt_err give_run(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct each_run *e = state;
    mt_id run;
    (void)key;
    MT_REQUIRE(value.len == sizeof run.b, MT_E_FORMAT,
               "an entry of task.order has the wrong length");
    memcpy(run.b, value.ptr, sizeof run.b);
    *is_enough = --e->left == 0;
    return e->each(e->state, &run);
}

MT_ERR mt_run_order_each(struct mt_tx *tx, const mt_id *task, uint64_t before, mt_run_each *each,
                         void *state)
{
    uint8_t room[ORDER_KEY];
    mt_bytes after;
    uint64_t last = before > 0 ? before - 1 : 0; /* numbers have no gaps */
    uint64_t passed = last > MT_TASK_RUNS_SHOWN ? last - MT_TASK_RUNS_SHOWN : 0;
    struct each_run e = {each, state, last - passed};
    if (e.left == 0) {
        return MT_OK;
    }
    MT_TRY(order_key_of(task, passed, room, &after));
    return mt_tx_scan(tx, &mt_task_maps[ORDER], MT_RANGE((mt_id_bytes(task)), after), give_run, &e);
}
