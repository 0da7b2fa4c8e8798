/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "compute/columns/function.h"
#include "crypto/hash.h"
#include "services/task/inside.h"

/* Making a task: names and ids become a definition in which everything is pinned. */

enum { TASK_BYTES_MAX = 64 * 1024, RUNS_MAX = 1000000, LEVEL_MAX = 5 };
#define TIME_MAX (UINT64_MAX >> 11) /* JSON's exact integers */

void mt_task_digest(mt_bytes definition, mt_hash *out)
{
    mt_bytes label = mt_label_bytes(MT_LABEL_TASK_DIGEST);
    const uint8_t len = (uint8_t)label.len;
    const mt_bytes parts[] = {{&len, 1}, label, definition};
    mt_sha256(parts, 3, out);
}

static MT_ERR read_function(const struct mt_json *json, struct mt_task *t)
{
    static const char *const fields[] = {"name", "version", NULL};
    const struct mt_json *f = NULL;
    const struct mt_function *known = NULL;
    MT_TRY(mt_json_object(json, "function", &f));
    MT_TRY(mt_json_known(f, fields));
    MT_TRY(mt_json_text(f, "name", &t->function));
    MT_TRY(mt_json_uint(f, "version", UINT32_MAX, &t->function_version));
    known = mt_function_find(t->function, t->function_version);
    MT_REQUIRE(known != NULL, MT_E_NOTFOUND, "this node has no such function in this version");
    mt_task_function_digest(known, &t->function_digest);
    return MT_OK;
}

static MT_ERR read_name(const struct mt_json *node, mt_bytes *out)
{
    MT_TRY(mt_json_text(node, "name", out));
    MT_REQUIRE(out->len > 0 && out->len <= MT_NAME_BYTES_MAX, MT_E_ARG, "a name has 1 to 64 bytes");
    MT_REQUIRE(mt_text_is_plain(*out), MT_E_ARG, "a name has a character that hides");
    return MT_OK;
}

static MT_ERR read_input(const struct mt_permit *p, struct mt_tx *tx, const struct mt_json *node,
                         struct mt_task_input *in)
{
    static const char *const fields[] = {"name", "data", "version", NULL};
    struct mt_object_handle h;
    MT_TRY(mt_json_known(node, fields));
    MT_TRY(read_name(node, &in->name));
    MT_TRY(mt_json_hex(node, "data", (mt_span){in->data.b, sizeof in->data.b}));
    MT_TRY(mt_json_uint(node, "version", TIME_MAX, &in->version));
    MT_TRY(mt_permit_object(p, tx, MT_REF(MT_KIND_DATA, &in->data), in->version, &h));
    in->object = h.id;
    in->commitment = h.commitment;
    in->size_bytes = h.size_bytes;
    return MT_OK;
}

/* After all have been looked up, for the last use of a grant ends it. Data that is two inputs of a
 * task is used once. */
static MT_ERR use_inputs(const struct mt_permit *p, struct mt_tx *tx, struct mt_task *t)
{
    for (size_t i = 0; i < t->inputs_count; i++) {
        struct mt_task_input *in = &t->inputs[i];
        const struct mt_task_input *before = t->inputs;
        while (before < in && !mt_id_equal(&before->data, &in->data)) {
            before++;
        }
        if (before < in) {
            in->owner = before->owner;
        } else {
            MT_TRY(mt_permit_use(p, tx, MT_REF(MT_KIND_DATA, &in->data), t->function, &in->owner));
        }
    }
    return MT_OK;
}

static MT_ERR read_inputs(const struct mt_permit *p, struct mt_tx *tx, const struct mt_json *json,
                          struct mt_task *t)
{
    const struct mt_json *list = NULL;
    MT_TRY(mt_json_array(json, "inputs", MT_TASK_PARTIES_MAX, &list, &t->inputs_count));
    MT_REQUIRE(t->inputs_count > 0, MT_E_ARG, "a task has at least one input");
    for (size_t i = 0; i < t->inputs_count; i++) {
        MT_TRY(read_input(p, tx, mt_json_at(list, i), &t->inputs[i]));
        for (size_t j = 0; j < i; j++) {
            MT_REQUIRE(!mt_bytes_equal(t->inputs[i].name, t->inputs[j].name), MT_E_ARG,
                       "two inputs have the same name");
        }
    }
    return use_inputs(p, tx, t);
}

/* Receivers in order and distinct: one definition for one meaning. */
static MT_ERR add_receiver(struct mt_task_output *out, const mt_hash *h)
{
    size_t at = out->receivers_count;
    while (at > 0 && mt_bytes_order(mt_hash_bytes(&out->receivers[at - 1]), mt_hash_bytes(h)) > 0) {
        out->receivers[at] = out->receivers[at - 1];
        at--;
    }
    MT_REQUIRE(at == 0 || !mt_hash_equal(&out->receivers[at - 1], h), MT_E_ARG,
               "a receiver is named twice");
    out->receivers[at] = *h;
    out->receivers_count++;
    return MT_OK;
}

static MT_ERR read_output(const struct mt_permit *p, struct mt_tx *tx, const struct mt_json *node,
                          struct mt_task_output *out)
{
    static const char *const fields[] = {"name", "receivers", NULL};
    const struct mt_json *list = NULL;
    size_t count = 0;
    MT_TRY(mt_json_known(node, fields));
    MT_TRY(read_name(node, &out->name));
    MT_TRY(mt_json_array(node, "receivers", MT_TASK_PARTIES_MAX, &list, &count));
    MT_REQUIRE(count > 0, MT_E_ARG, "an output has at least one receiver");
    for (size_t i = 0; i < count; i++) {
        mt_hash h;
        mt_bytes text;
        struct mt_user u;
        MT_TRY(mt_json_as_text(mt_json_at(list, i), &text));
        MT_TRY(mt_hex_parse(text, (mt_span){h.b, sizeof h.b}));
        MT_REQUIRE(!mt_failed(mt_permit_user(p, tx, &h, &u)), MT_E_NOTFOUND,
                   "this node knows nobody with a receiver's key");
        MT_TRY(add_receiver(out, &h));
    }
    return MT_OK;
}

static MT_ERR read_outputs(const struct mt_permit *p, struct mt_tx *tx, const struct mt_json *json,
                           struct mt_task *t)
{
    const struct mt_json *list = NULL;
    MT_TRY(mt_json_array(json, "outputs", MT_TASK_PARTIES_MAX, &list, &t->outputs_count));
    MT_REQUIRE(t->outputs_count > 0, MT_E_ARG, "a task has at least one output");
    for (size_t i = 0; i < t->outputs_count; i++) {
        MT_TRY(read_output(p, tx, mt_json_at(list, i), &t->outputs[i]));
        for (size_t j = 0; j < i; j++) {
            MT_REQUIRE(!mt_bytes_equal(t->outputs[i].name, t->outputs[j].name), MT_E_ARG,
                       "two outputs have the same name");
        }
    }
    return MT_OK;
}

static MT_ERR read_limits(const struct mt_json *json, uint64_t level, struct mt_task *t)
{
    static const char *const fields[] = {"time_ms", "memory_bytes", NULL};
    const struct mt_json *limits = NULL;
    MT_TRY(mt_json_object(json, "limits", &limits));
    MT_TRY(mt_json_known(limits, fields));
    MT_TRY(mt_json_uint(limits, "time_ms", MT_TASK_TIME_MS_MAX, &t->time_ms));
    MT_TRY(mt_json_uint(limits, "memory_bytes", (uint64_t)1 << 40, &t->memory_bytes));
    MT_REQUIRE(t->time_ms > 0 && t->memory_bytes > 0, MT_E_ARG, "a task's limits are above zero");
    MT_TRY(mt_json_uint(json, "minimum_level", LEVEL_MAX, &t->minimum_level));
    MT_REQUIRE(t->minimum_level <= level, MT_E_DENIED,
               "this node has a lower level than the task demands");
    MT_TRY(mt_json_hex(json, "policy", (mt_span){t->policy.b, sizeof t->policy.b}));
    MT_TRY(mt_json_uint(json, "not_before_ms", TIME_MAX, &t->not_before_ms));
    MT_TRY(mt_json_uint(json, "not_after_ms", TIME_MAX, &t->not_after_ms));
    MT_REQUIRE(t->not_before_ms < t->not_after_ms, MT_E_ARG,
               "the task's time ends before it begins");
    MT_TRY(mt_json_uint(json, "runs", RUNS_MAX, &t->runs));
    MT_REQUIRE(t->runs > 0, MT_E_ARG, "a task allows at least one run");
    return MT_OK;
}

static MT_ERR read_arguments(struct mt_arena *arena, const struct mt_json *json, struct mt_task *t)
{
    const struct mt_json *args = NULL;
    mt_span room;
    MT_TRY(mt_json_object(json, "arguments", &args));
    MT_TRY(mt_arena_get(arena, MT_TASK_ARGUMENT_BYTES_MAX, &room));
    struct mt_writer w = mt_writer_over(room);
    mt_json_write(&w, args);
    return mt_write_end(&w, &t->arguments);
}

/* Everybody who has a part in it may see it: owners of inputs and receivers. The creator owns it.
 */
static MT_ERR share(const struct mt_permit *p, struct mt_tx *tx, const struct mt_task *t)
{
    mt_hash parties[MT_TASK_PARTIES_MAX * (MT_TASK_PARTIES_MAX + 1)];
    size_t count = 0;
    for (size_t i = 0; i < t->inputs_count; i++) {
        parties[count++] = t->inputs[i].owner;
    }
    for (size_t i = 0; i < t->outputs_count; i++) {
        for (size_t j = 0; j < t->outputs[i].receivers_count; j++) {
            parties[count++] = t->outputs[i].receivers[j];
        }
    }
    for (size_t i = 0; i < count; i++) {
        bool is_new = !mt_hash_equal(&parties[i], mt_permit_subject(p));
        for (size_t j = 0; j < i && is_new; j++) {
            is_new = !mt_hash_equal(&parties[i], &parties[j]);
        }
        struct mt_grant g = {.right = MT_GRANT_SEE, .grantee = parties[i]};
        if (is_new) {
            MT_TRY(mt_permit_grant(p, tx, MT_REF(MT_KIND_TASK, &t->nonce), &g));
        }
    }
    return MT_OK;
}

static MT_ERR read_task(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                        struct mt_task *t)
{
    static const char *const fields[] = {"function",     "arguments",     "inputs", "outputs",
                                         "limits",       "minimum_level", "policy", "not_before_ms",
                                         "not_after_ms", "runs",          NULL};
    MT_REQUIRE(rq->json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(rq->json, fields));
    MT_TRY(read_function(rq->json, t));
    MT_TRY(read_arguments(rq->arena, rq->json, t));
    MT_TRY(read_inputs(p, tx, rq->json, t));
    MT_TRY(read_outputs(p, tx, rq->json, t));
    return read_limits(rq->json, rq->level, t);
}

mt_err mt_task_create(const struct mt_permit *p, const struct mt_request *rq, struct mt_tx *tx,
                      struct mt_reply *rp)
{
    mt_span room;
    mt_span text;
    struct mt_task_record rec = {.creator = *mt_permit_subject(p), .made_ms = mt_tx_now_ms(tx)};
    MT_TRY(mt_arena_get(rq->arena, sizeof(struct mt_task), &room));
    struct mt_task *t = (struct mt_task *)(void *)room.ptr;
    MT_TRY(read_task(p, rq, tx, t));
    MT_TRY(mt_task_check_arguments(t, rp));
    t->cluster = *rq->cluster;
    MT_TRY(mt_tx_random(tx, (mt_span){t->nonce.b, sizeof t->nonce.b}));
    MT_TRY(mt_arena_get(rq->arena, TASK_BYTES_MAX, &text));
    struct mt_writer w = mt_writer_over(text);
    mt_task_write(&w, t);
    MT_TRY(mt_write_end(&w, &rec.definition));
    mt_task_digest(rec.definition, &rec.digest);
    MT_TRY(mt_permit_own(p, tx, MT_REF(MT_KIND_TASK, &t->nonce)));
    MT_TRY(share(p, tx, t));
    MT_TRY(mt_task_record_put(tx, &t->nonce, &rec));
    MT_TRY(mt_task_emit(tx, &t->nonce, "created", mt_permit_subject(p), NULL));
    struct mt_json_writer *j = mt_reply_json(rp, 201);
    mt_json_put_hex(j, "task", mt_id_bytes(&t->nonce));
    mt_json_put_hex(j, "digest", mt_hash_bytes(&rec.digest));
    mt_json_put_hex(j, "definition", rec.definition);
    return MT_OK;
}
