/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "compute/columns/fault.h"

/* Parsing, with the path of the field under way: "outputs[1].columns[0].sum". */
struct parse {
    struct mt_args *args;
    enum mt_args_kind kind;
    struct mt_function_fault *fault;
    struct mt_fault_path path;
    /* Columns as they are declared; those that an output uses are kept in args. */
    struct mt_table_value declared[MT_TASK_PARTIES_MAX][MT_TABLE_VALUES_MAX];
    uint32_t declared_count[MT_TASK_PARTIES_MAX];
    bool is_used[MT_TASK_PARTIES_MAX][MT_TABLE_VALUES_MAX];
};

/* Passes `e` on; if it is a failure, the detail names the field of this name in the path, or what
 * the path leads to if it is NULL. */
static mt_err blame(struct parse *p, const char *field, mt_err e)
{
    if (mt_failed(e)) {
        mt_fault_of_field(p->fault, &p->path, field);
    }
    return e;
}

static MT_ERR need(const struct mt_json *object, const char *name)
{
    MT_REQUIRE(mt_json_is_object(object), MT_E_FORMAT, "not an object");
    MT_REQUIRE(mt_json_has(object, name), MT_E_FORMAT, "is missing");
    return MT_OK;
}

static MT_ERR not_unknown(const struct mt_json *object, const char *const *names)
{
    MT_REQUIRE(mt_json_is_object(object), MT_E_FORMAT, "not an object");
    MT_REQUIRE(!mt_failed(mt_json_known(object, names)), MT_E_FORMAT, "has an unknown field");
    return MT_OK;
}

/* Names of inputs and outputs appear in paths, details and references. */
static MT_ERR check_name(mt_bytes name)
{
    MT_REQUIRE(name.len > 0, MT_E_FORMAT, "is empty");
    MT_REQUIRE(name.len <= MT_NAME_BYTES_MAX, MT_E_FORMAT, "is longer than 64 bytes");
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        bool is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        MT_REQUIRE(is_good, MT_E_FORMAT, "has a character that is not one of a-z 0-9 - _");
    }
    return MT_OK;
}

/* Column names are what a header says: any text, but none that could disturb a line of a log. */
static MT_ERR check_column(mt_bytes name)
{
    MT_REQUIRE(name.len > 0, MT_E_FORMAT, "is empty");
    MT_REQUIRE(name.len <= MT_ARGS_COLUMN_NAME_BYTES_MAX, MT_E_FORMAT, "is longer than 128 bytes");
    for (size_t i = 0; i < name.len; i++) {
        MT_REQUIRE(name.ptr[i] >= ' ' && name.ptr[i] != 0x7f, MT_E_FORMAT,
                   "has a control character");
    }
    return MT_OK;
}

static MT_ERR text_field(struct parse *p, const struct mt_json *object, const char *name,
                         mt_bytes *out)
{
    MT_TRY(blame(p, name, need(object, name)));
    return blame(p, name, mt_json_text(object, name, out));
}

static MT_ERR name_field(struct parse *p, const struct mt_json *object, mt_bytes *out)
{
    MT_TRY(text_field(p, object, "name", out));
    return blame(p, "name", check_name(*out));
}

static MT_ERR column_field(struct parse *p, const struct mt_json *object, const char *name,
                           mt_bytes *out)
{
    MT_TRY(text_field(p, object, name, out));
    return blame(p, name, check_column(*out));
}

struct word {
    const char *text;
    uint32_t value;
};

static MT_ERR find_word(mt_bytes text, const struct word *words, uint32_t *value)
{
    for (; words->text != NULL; words++) {
        if (mt_bytes_equal(text, mt_bytes_of_text(words->text))) {
            *value = words->value;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_FORMAT, "is not one of the words that the schema lists");
}

static MT_ERR word_field(struct parse *p, const struct mt_json *object, const char *name,
                         const struct word *words, uint32_t *value)
{
    mt_bytes text;
    MT_TRY(text_field(p, object, name, &text));
    return blame(p, name, find_word(text, words, value));
}

struct list {
    const struct mt_json *items;
    uint32_t count;
};

static MT_ERR check_list(const struct mt_json *object, const char *name, size_t least, size_t most,
                         struct list *out)
{
    size_t count = 0;
    MT_TRY(need(object, name));
    MT_REQUIRE(mt_json_is_array(mt_json_get(object, name)), MT_E_FORMAT, "not an array");
    MT_TRY(mt_json_array(object, name, SIZE_MAX, &out->items, &count));
    MT_REQUIRE(count >= least, MT_E_FORMAT, "has too few items");
    MT_REQUIRE(count <= most, MT_E_FORMAT, "has too many items");
    out->count = (uint32_t)count;
    return MT_OK;
}

static MT_ERR check_distinct(mt_bytes name, mt_bytes other)
{
    MT_REQUIRE(!mt_bytes_equal(name, other), MT_E_FORMAT, "stands twice");
    return MT_OK;
}

enum { TYPE_INTEGER, TYPE_DECIMAL };

static MT_ERR check_scale(const struct mt_json *json, uint32_t type, uint32_t *scale)
{
    uint64_t value = 0;
    if (type == TYPE_DECIMAL) {
        MT_TRY(need(json, "scale"));
        MT_REQUIRE(!mt_failed(mt_json_uint(json, "scale", MT_DECIMAL_DIGITS_MAX, &value)),
                   MT_E_FORMAT, "is not an integer from 0 to 38");
    }
    MT_REQUIRE(type == TYPE_DECIMAL || !mt_json_has(json, "scale"), MT_E_FORMAT,
               "an integer has none");
    *scale = (uint32_t)value;
    return MT_OK;
}

static MT_ERR read_value(struct parse *p, const struct mt_json *json, struct mt_table_value *out)
{
    static const char *const fields[] = {"name", "scale", "type", NULL};
    static const struct word types[] = {
        {"integer", TYPE_INTEGER}, {"decimal", TYPE_DECIMAL}, {NULL, 0}};
    uint32_t type = 0;
    MT_TRY(blame(p, NULL, not_unknown(json, fields)));
    MT_TRY(column_field(p, json, "name", &out->name));
    MT_TRY(word_field(p, json, "type", types, &type));
    return blame(p, "scale", check_scale(json, type, &out->scale));
}

static MT_ERR read_values(struct parse *p, const struct mt_json *json, uint32_t input)
{
    struct list list = {NULL, 0};
    if (!mt_json_has(json, "columns")) {
        return MT_OK;
    }
    MT_TRY(blame(p, "columns", check_list(json, "columns", 1, MT_TABLE_VALUES_MAX, &list)));
    for (uint32_t i = 0; i < list.count; i++) {
        struct mt_table_value *value = &p->declared[input][i];
        size_t before = mt_fault_path_enter(&p->path, "columns", i);
        MT_TRY(read_value(p, mt_json_at(list.items, i), value));
        for (uint32_t j = 0; j < i; j++) {
            MT_TRY(blame(p, "name", check_distinct(value->name, p->declared[input][j].name)));
        }
        p->path.len = before;
    }
    p->declared_count[input] = list.count;
    return MT_OK;
}

static MT_ERR read_input(struct parse *p, const struct mt_json *json, uint32_t input)
{
    static const char *const join_fields[] = {"canonical", "columns", "duplicates",
                                              "key",       "name",    NULL};
    static const char *const psi_fields[] = {"canonical", "duplicates", "key", "name", NULL};
    static const struct word canonicals[] = {
        {"none", MT_CANONICAL_NONE},
        {"trim", MT_CANONICAL_TRIM},
        {"lower-ascii", MT_CANONICAL_LOWER_ASCII},
        {"trim-lower-ascii", MT_CANONICAL_TRIM_LOWER_ASCII},
        {NULL, 0},
    };
    static const struct word duplicates[] = {{"refuse", 0}, {"aggregate", 1}, {NULL, 0}};
    struct mt_args_input *out = &p->args->inputs[input];
    uint32_t canonical = 0;
    uint32_t may_repeat = 0;
    MT_TRY(blame(p, NULL, not_unknown(json, p->kind == MT_ARGS_PSI ? psi_fields : join_fields)));
    MT_TRY(name_field(p, json, &out->name));
    MT_TRY(column_field(p, json, "key", &out->key));
    MT_TRY(word_field(p, json, "canonical", canonicals, &canonical));
    MT_TRY(word_field(p, json, "duplicates", duplicates, &may_repeat));
    out->canonical = (enum mt_canonical)canonical;
    out->may_repeat = may_repeat == 1;
    return p->kind == MT_ARGS_JOIN ? read_values(p, json, input) : MT_OK;
}

static MT_ERR read_inputs(struct parse *p, const struct mt_json *json)
{
    struct mt_args *a = p->args;
    struct list list = {NULL, 0};
    MT_TRY(blame(p, "inputs", check_list(json, "inputs", 2, MT_TASK_PARTIES_MAX, &list)));
    for (uint32_t i = 0; i < list.count; i++) {
        size_t before = mt_fault_path_enter(&p->path, "inputs", i);
        MT_TRY(read_input(p, mt_json_at(list.items, i), i));
        for (uint32_t j = 0; j < i; j++) {
            MT_TRY(blame(p, "name", check_distinct(a->inputs[i].name, a->inputs[j].name)));
        }
        p->path.len = before;
    }
    a->inputs_count = list.count;
    return MT_OK;
}

static MT_ERR find_input(const struct mt_args *a, mt_bytes name, uint32_t *input)
{
    for (uint32_t i = 0; i < a->inputs_count; i++) {
        if (mt_bytes_equal(a->inputs[i].name, name)) {
            *input = i;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_FORMAT, "names no input");
}

/* "input.column": names of inputs have no dots, so the first one divides. */
static MT_ERR find_value(struct parse *p, mt_bytes reference, struct mt_args_column *out)
{
    mt_bytes input = {reference.ptr, 0};
    while (input.len < reference.len && reference.ptr[input.len] != '.') {
        input.len++;
    }
    MT_REQUIRE(input.len < reference.len, MT_E_FORMAT, "is not of the form input.column");
    MT_TRY(find_input(p->args, input, &out->input));
    mt_bytes column = {reference.ptr + input.len + 1, reference.len - input.len - 1};
    for (uint32_t i = 0; i < p->declared_count[out->input]; i++) {
        if (mt_bytes_equal(p->declared[out->input][i].name, column)) {
            p->is_used[out->input][i] = true;
            out->value = i;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_FORMAT, "names no declared column of its input");
}

/* An output column is {"as": its name, WORD: what it shows}. */
static const struct word show_words[] = {
    {"key", MT_SHOW_KEY},         {"count", MT_SHOW_COUNT},
    {"group", MT_SHOW_GROUP},     {"sum", MT_SHOW_SUM},
    {"average", MT_SHOW_AVERAGE}, {"min", MT_SHOW_MIN},
    {"max", MT_SHOW_MAX},         {NULL, 0},
};

static MT_ERR find_show(const struct parse *p, const struct mt_json *json, const struct word **out)
{
    const struct word *found = NULL;
    MT_REQUIRE(mt_json_is_object(json), MT_E_FORMAT, "not an object");
    for (const struct word *w = show_words; w->text != NULL; w++) {
        if (mt_json_has(json, w->text)) {
            found = w;
        }
    }
    MT_REQUIRE(found != NULL && mt_json_has(json, "as") && mt_json_count(json) == 2, MT_E_FORMAT,
               "is not \"as\" with one thing to show");
    bool is_psi = p->kind == MT_ARGS_PSI;
    MT_REQUIRE(!is_psi || found->value <= MT_SHOW_COUNT, MT_E_FORMAT,
               "psi shows \"key\" and \"count\" alone");
    MT_REQUIRE(is_psi || found->value != MT_SHOW_KEY, MT_E_FORMAT, "keys are never shown");
    *out = found;
    return MT_OK;
}

static MT_ERR check_true(const struct mt_json *json, const char *name)
{
    bool value = false;
    MT_REQUIRE(!mt_failed(mt_json_bool(json, name, &value)) && value, MT_E_FORMAT, "is not true");
    return MT_OK;
}

static MT_ERR check_grouped(const struct mt_args *a)
{
    MT_REQUIRE(a->has_group, MT_E_FORMAT, "there is no group_by");
    return MT_OK;
}

static MT_ERR read_column(struct parse *p, const struct mt_json *json, struct mt_args_column *out)
{
    const struct word *word = NULL;
    mt_bytes reference;
    MT_TRY(blame(p, NULL, find_show(p, json, &word)));
    out->show = (enum mt_args_show)word->value;
    MT_TRY(column_field(p, json, "as", &out->as));
    if (out->show <= MT_SHOW_GROUP) {
        MT_TRY(blame(p, word->text, check_true(json, word->text)));
        return out->show == MT_SHOW_GROUP ? blame(p, word->text, check_grouped(p->args)) : MT_OK;
    }
    MT_TRY(text_field(p, json, word->text, &reference));
    return blame(p, word->text, find_value(p, reference, out));
}

static MT_ERR read_output(struct parse *p, const struct mt_json *json, struct mt_args_output *out)
{
    static const char *const fields[] = {"columns", "name", NULL};
    struct list list = {NULL, 0};
    size_t most = p->kind == MT_ARGS_PSI ? 1 : MT_ARGS_OUTPUT_COLUMNS_MAX;
    MT_TRY(blame(p, NULL, not_unknown(json, fields)));
    MT_TRY(name_field(p, json, &out->name));
    MT_TRY(blame(p, "columns", check_list(json, "columns", 1, most, &list)));
    for (uint32_t i = 0; i < list.count; i++) {
        size_t before = mt_fault_path_enter(&p->path, "columns", i);
        MT_TRY(read_column(p, mt_json_at(list.items, i), &out->columns[i]));
        for (uint32_t j = 0; j < i; j++) {
            MT_TRY(blame(p, "as", check_distinct(out->columns[i].as, out->columns[j].as)));
        }
        p->path.len = before;
    }
    out->columns_count = list.count;
    return MT_OK;
}

static MT_ERR read_outputs(struct parse *p, const struct mt_json *json)
{
    struct mt_args *a = p->args;
    struct list list = {NULL, 0};
    MT_TRY(blame(p, "outputs", check_list(json, "outputs", 1, MT_TASK_PARTIES_MAX, &list)));
    for (uint32_t i = 0; i < list.count; i++) {
        size_t before = mt_fault_path_enter(&p->path, "outputs", i);
        MT_TRY(read_output(p, mt_json_at(list.items, i), &a->outputs[i]));
        for (uint32_t j = 0; j < i; j++) {
            MT_TRY(blame(p, "name", check_distinct(a->outputs[i].name, a->outputs[j].name)));
        }
        p->path.len = before;
    }
    a->outputs_count = list.count;
    return MT_OK;
}

static MT_ERR read_group_by(struct parse *p, const struct mt_json *json)
{
    static const char *const fields[] = {"column", "input", NULL};
    struct mt_args *a = p->args;
    const struct mt_json *by = mt_json_get(json, "group_by");
    mt_bytes input;
    if (by == NULL) {
        return MT_OK;
    }
    size_t before = mt_fault_path_enter_field(&p->path, "group_by");
    MT_TRY(blame(p, NULL, not_unknown(by, fields)));
    MT_TRY(text_field(p, by, "input", &input));
    MT_TRY(blame(p, "input", find_input(a, input, &a->group_input)));
    MT_TRY(column_field(p, by, "column", &a->group_column));
    a->has_group = true;
    p->path.len = before;
    return MT_OK;
}

static MT_ERR check_minimum(const struct mt_json *json, uint64_t *out)
{
    uint64_t value = 0;
    MT_TRY(need(json, "minimum_group_size"));
    MT_REQUIRE(!mt_failed(mt_json_uint(json, "minimum_group_size", MT_JSON_INTEGER_MAX, &value)) &&
                   value > 0,
               MT_E_FORMAT, "is not an integer from 1 on");
    *out = value;
    return MT_OK;
}

/* Of each input's columns, those that an output uses, and outputs that point to them. */
static void keep_used(struct parse *p)
{
    struct mt_args *a = p->args;
    uint32_t kept_at[MT_TASK_PARTIES_MAX][MT_TABLE_VALUES_MAX] = {{0}};
    for (uint32_t i = 0; i < a->inputs_count; i++) {
        struct mt_args_input *input = &a->inputs[i];
        for (uint32_t v = 0; v < p->declared_count[i]; v++) {
            if (p->is_used[i][v]) {
                kept_at[i][v] = input->values_count;
                input->values[input->values_count++] = p->declared[i][v];
            }
        }
    }
    for (uint32_t o = 0; o < a->outputs_count; o++) {
        for (uint32_t c = 0; c < a->outputs[o].columns_count; c++) {
            struct mt_args_column *column = &a->outputs[o].columns[c];
            column->value = kept_at[column->input][column->value];
        }
    }
}

static MT_ERR read_psi(struct parse *p, const struct mt_json *json)
{
    static const char *const fields[] = {"inputs", "outputs", NULL};
    MT_TRY(blame(p, NULL, not_unknown(json, fields)));
    MT_TRY(read_inputs(p, json));
    return read_outputs(p, json);
}

static MT_ERR read_join(struct parse *p, const struct mt_json *json)
{
    static const char *const fields[] = {"group_by",           "inputs",  "join",
                                         "minimum_group_size", "outputs", NULL};
    static const struct word joins[] = {{"inner", 0}, {"left", 1}, {NULL, 0}};
    uint32_t is_left = 0;
    MT_TRY(blame(p, NULL, not_unknown(json, fields)));
    MT_TRY(read_inputs(p, json));
    MT_TRY(word_field(p, json, "join", joins, &is_left));
    p->args->is_left = is_left == 1;
    MT_TRY(read_group_by(p, json));
    MT_TRY(blame(p, "minimum_group_size", check_minimum(json, &p->args->minimum_group_size)));
    MT_TRY(read_outputs(p, json));
    keep_used(p);
    return MT_OK;
}

static void parse_free(struct parse **parse)
{
    if (*parse != NULL) {
        mt_args_free(&(*parse)->args);
        free(*parse);
        *parse = NULL;
    }
}

MT_ERR mt_args_parse(mt_bytes text, enum mt_args_kind kind, struct mt_args **out,
                     struct mt_function_fault *fault)
{
    MT_DEFER(parse_free) struct parse *p = calloc(1, sizeof *p);
    struct mt_text_place place = {0, 0, 0};
    MT_REQUIRE(p != NULL, MT_E_NOMEM, "no memory for arguments");
    p->args = calloc(1, sizeof *p->args);
    MT_REQUIRE(p->args != NULL, MT_E_NOMEM, "no memory for arguments");
    p->kind = kind;
    p->fault = fault;
    mt_fault_of_json(fault, 0, 0);
    mt_err e = mt_json_parse(text, &p->args->json, &place);
    if (mt_failed(e)) {
        mt_fault_of_json(fault, place.line, place.column);
        return e;
    }
    MT_TRY(kind == MT_ARGS_PSI ? read_psi(p, p->args->json) : read_join(p, p->args->json));
    *out = p->args;
    p->args = NULL; /* given */
    return MT_OK;
}

void mt_args_free(struct mt_args **args)
{
    if (*args != NULL) {
        mt_json_free(&(*args)->json);
        free(*args);
        *args = NULL;
    }
}
