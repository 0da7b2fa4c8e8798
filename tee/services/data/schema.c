/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "compute/columns/sniff.h"
#include "services/data/store.h"

/*
 * Column names lie in the ledger, as they do in the arguments of tasks, and who may see the data
 * sees them. So the first line of what is no table must not pass for names: a table has a second
 * line, and its names are made of what names are made of.
 */
static bool is_name(mt_bytes name)
{
    static const char others[] = " _-./()%#&+";
    if (name.len == 0 || name.len > MT_ARGS_COLUMN_NAME_BYTES_MAX || !mt_text_is_plain(name)) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && c < 0x80 && memchr(others, c, sizeof others - 1) == NULL) {
            return false;
        }
    }
    return true;
}

static bool are_names(mt_bytes schema)
{
    MT_DEFER(mt_json_free) struct mt_json *json = NULL;
    const struct mt_json *columns = NULL;
    size_t count = 0;
    bool are = !mt_failed(mt_json_parse(schema, &json, NULL)) &&
               !mt_failed(mt_json_array(json, "columns", MT_CSV_COLUMNS_MAX, &columns, &count));
    for (size_t i = 0; i < count && are; i++) {
        mt_bytes name;
        are = !mt_failed(mt_json_text(mt_json_at(columns, i), "name", &name)) && is_name(name);
    }
    return are;
}

static bool has_second_line(mt_bytes text)
{
    const uint8_t *end = text.len > 0 ? memchr(text.ptr, '\n', text.len) : NULL;
    return end != NULL && end + 1 < text.ptr + text.len;
}

MT_ERR mt_data_schema_propose(const struct mt_request *rq, mt_bytes *out)
{
    mt_span room;
    mt_bytes schema;
    MT_TRY(mt_arena_get(rq->arena, MT_DATA_SCHEMA_BYTES_MAX, &room));
    struct mt_writer w = mt_writer_over(room);
    struct mt_json_writer j = mt_json_writer_over(&w);
    bool is_whole = rq->staged->size_bytes == rq->staged_head.len;
    mt_json_begin_object(&j, NULL);
    bool is_table = has_second_line(rq->staged_head) &&
                    !mt_failed(mt_sniff_write(rq->staged_head, is_whole, &j, "columns"));
    mt_json_end_object(&j);
    if (is_table && !mt_failed(mt_write_end(&w, &schema)) && are_names(schema)) {
        *out = schema;
    } else {
        *out = (mt_bytes){NULL, 0};
    }
    return MT_OK;
}

MT_ERR mt_data_schemas_del(struct mt_tx *tx, const mt_id *id, uint64_t versions)
{
    for (uint64_t n = 1; n <= versions; n++) {
        struct mt_data_version v;
        MT_TRY(mt_data_version_get(tx, id, n, &v));
        if (v.schema.len > 0) {
            v.schema = (mt_bytes){NULL, 0};
            MT_TRY(mt_data_version_put(tx, id, n, &v));
        }
    }
    return MT_OK;
}
