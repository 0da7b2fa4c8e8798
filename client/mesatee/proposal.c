/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/tasks.h"

/* Proposing a task: names become ids, and what is left out gets a default. */

enum { DAY_MS = 24 * 60 * 60 * 1000, MINUTE_MS = 60 * 1000, TASK_FILE_MAX = 64 * 1024 };

static MT_ERR put_input(struct mt_session *s, const struct mt_json *in, struct mt_json_writer *j)
{
    mt_bytes name;
    mt_bytes data;
    mt_id id;
    uint64_t version = 0;
    MT_TRY(mt_json_text(in, "name", &name));
    MT_TRY(mt_json_text(in, "data", &data));
    if (mt_json_has(in, "version")) {
        MT_TRY(mt_json_uint(in, "version", UINT32_MAX, &version));
    }
    MT_TRY(mt_session_data(s, data, &id));
    if (version == 0) {
        MT_TRY(mt_session_newest(s, &id, &version)); /* and it is pinned */
    }
    mt_json_begin_object(j, NULL);
    mt_json_put_hex(j, "data", mt_id_bytes(&id));
    mt_json_put_text(j, "name", name);
    mt_json_put_uint(j, "version", version);
    mt_json_end_object(j);
    return MT_OK;
}

static MT_ERR put_inputs(struct mt_session *s, const struct mt_json *file, struct mt_json_writer *j)
{
    const struct mt_json *list = NULL;
    size_t count = 0;
    MT_TRY(mt_json_array(file, "inputs", MT_TASK_PARTIES_MAX, &list, &count));
    mt_json_begin_array(j, "inputs");
    for (size_t i = 0; i < count; i++) {
        MT_TRY(put_input(s, mt_json_at(list, i), j));
    }
    mt_json_end_array(j);
    return MT_OK;
}

static MT_ERR put_receivers(struct mt_session *s, const struct mt_json *output,
                            struct mt_json_writer *j)
{
    const struct mt_json *list = NULL;
    size_t count = 0;
    MT_TRY(mt_json_array(output, "receivers", MT_TASK_PARTIES_MAX, &list, &count));
    mt_json_begin_array(j, "receivers");
    for (size_t i = 0; i < count; i++) {
        mt_bytes who;
        mt_hash h;
        MT_TRY(mt_json_as_text(mt_json_at(list, i), &who));
        MT_TRY(mt_session_subject(s, who, &h));
        mt_json_put_hex(j, NULL, mt_hash_bytes(&h));
    }
    mt_json_end_array(j);
    return MT_OK;
}

static MT_ERR put_outputs(struct mt_session *s, const struct mt_json *file,
                          struct mt_json_writer *j)
{
    const struct mt_json *list = NULL;
    size_t count = 0;
    MT_TRY(mt_json_array(file, "outputs", MT_TASK_PARTIES_MAX, &list, &count));
    mt_json_begin_array(j, "outputs");
    for (size_t i = 0; i < count; i++) {
        mt_bytes name;
        MT_TRY(mt_json_text(mt_json_at(list, i), "name", &name));
        mt_json_begin_object(j, NULL);
        mt_json_put_text(j, "name", name);
        MT_TRY(put_receivers(s, mt_json_at(list, i), j));
        mt_json_end_object(j);
    }
    mt_json_end_array(j);
    return MT_OK;
}

static void put_or(const struct mt_json *file, const char *name, uint64_t otherwise,
                   struct mt_json_writer *j)
{
    const struct mt_json *given = mt_json_get(file, name);
    if (given != NULL) {
        mt_json_put_node(j, name, given);
    } else {
        mt_json_put_uint(j, name, otherwise);
    }
}

static void put_limits(const struct mt_json *file, struct mt_json_writer *j)
{
    const struct mt_json *given = mt_json_get(file, "limits");
    if (given != NULL) {
        mt_json_put_node(j, "limits", given);
        return;
    }
    mt_json_begin_object(j, "limits");
    mt_json_put_uint(j, "memory_bytes", (uint64_t)4 << 30);
    mt_json_put_uint(j, "time_ms", (uint64_t)10 * MINUTE_MS);
    mt_json_end_object(j);
}

static MT_ERR put_task(struct mt_session *s, const struct mt_json *file, struct mt_json_writer *j)
{
    const struct mt_json *function = mt_json_get(file, "function");
    const struct mt_json *arguments = mt_json_get(file, "arguments");
    MT_REQUIRE(function != NULL && arguments != NULL, MT_E_FORMAT,
               "a task has function, arguments, inputs and outputs: see docs/tutorial.md");
    mt_json_begin_object(j, NULL);
    mt_json_put_node(j, "arguments", arguments);
    mt_json_put_node(j, "function", function);
    MT_TRY(put_inputs(s, file, j));
    MT_TRY(put_outputs(s, file, j));
    put_limits(file, j);
    put_or(file, "minimum_level", 2, j);
    put_or(file, "not_after_ms", mt_now_ms() + 7 * (uint64_t)DAY_MS, j);
    put_or(file, "not_before_ms", 0, j);
    mt_json_put_hex(j, "policy", mt_hash_bytes(&s->context->policy->hash));
    put_or(file, "runs", 1, j);
    mt_json_end_object(j);
    return MT_OK;
}

MT_ERR mt_tasks_create(struct mt_session *s, mt_bytes text, struct mt_json **out)
{
    static const char *const fields[] = {
        "function",      "arguments",     "inputs",       "outputs", "limits",
        "minimum_level", "not_before_ms", "not_after_ms", "runs",    NULL};
    MT_DEFER(mt_json_free) struct mt_json *file = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(TASK_FILE_MAX);
    struct mt_text_place place = {0};
    struct mt_writer w = mt_writer_onto(&room);
    struct mt_json_writer j = mt_json_writer_over(&w);
    struct mt_call call = {.method = MT_HTTP_POST, .target = "/tasks"};
    mt_err e = mt_json_parse(text, &file, &place);
    if (mt_failed(e)) {
        return mt_session_explain(s, e, "a task is JSON: see docs/tutorial.md", "%u:%u: %s",
                                  place.line, place.column, e.fault->what);
    }
    MT_TRY(mt_json_known(file, fields));
    MT_TRY(mt_session_connect(s));
    MT_TRY(put_task(s, file, &j));
    MT_TRY(mt_write_end(&w, &call.body));
    return mt_session_request(s, &call, out);
}
