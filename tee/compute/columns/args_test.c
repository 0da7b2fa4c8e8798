/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/args.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"

static const char good_join[] =
    "{\"inputs\":[{\"name\":\"shop\",\"key\":\"email\",\"canonical\":\"trim-lower-ascii\","
    "\"duplicates\":\"refuse\",\"columns\":[{\"name\":\"unused\",\"type\":\"integer\"},"
    "{\"name\":\"net.spend\",\"type\":\"decimal\",\"scale\":2}]},"
    "{\"name\":\"club\",\"key\":\"mail\",\"canonical\":\"trim\",\"duplicates\":\"aggregate\","
    "\"columns\":[{\"name\":\"visits\",\"type\":\"integer\"}]}],\"join\":\"left\","
    "\"group_by\":{\"input\":\"club\",\"column\":\"segment\"},\"minimum_group_size\":10,"
    "\"outputs\":[{\"name\":\"totals\",\"columns\":[{\"group\":true,\"as\":\"segment\"},"
    "{\"count\":true,\"as\":\"people\"},{\"sum\":\"shop.net.spend\",\"as\":\"total\"},"
    "{\"average\":\"club.visits\",\"as\":\"mean\"}]},"
    "{\"name\":\"size\",\"columns\":[{\"min\":\"shop.net.spend\",\"as\":\"least\"}]}]}";

static const char good_psi[] =
    "{\"inputs\":[{\"name\":\"a\",\"key\":\"id\",\"canonical\":\"none\",\"duplicates\":\"refuse\"},"
    "{\"name\":\"b\",\"key\":\"id\",\"canonical\":\"lower-ascii\",\"duplicates\":\"aggregate\"}],"
    "\"outputs\":[{\"name\":\"keys\",\"columns\":[{\"key\":true,\"as\":\"id\"}]},"
    "{\"name\":\"size\",\"columns\":[{\"count\":true,\"as\":\"people\"}]}]}";

static bool is_text(mt_bytes a, const char *b)
{
    return mt_bytes_equal(a, mt_bytes_of_text(b));
}

static void a_join_is_read_whole(void)
{
    struct mt_function_fault fault;
    MT_DEFER(mt_args_free) struct mt_args *a = NULL;
    MT_ASSERT(!mt_failed(mt_args_parse(mt_bytes_of_text(good_join), MT_ARGS_JOIN, &a, &fault)));
    MT_ASSERT(a->inputs_count == 2);
    MT_ASSERT(is_text(a->inputs[0].name, "shop"));
    MT_ASSERT(is_text(a->inputs[0].key, "email"));
    MT_ASSERT(a->inputs[0].canonical == MT_CANONICAL_TRIM_LOWER_ASCII);
    MT_ASSERT(!a->inputs[0].may_repeat);
    MT_ASSERT(a->inputs[1].canonical == MT_CANONICAL_TRIM);
    MT_ASSERT(a->inputs[1].may_repeat);
    MT_ASSERT(a->is_left);
    MT_ASSERT(a->has_group);
    MT_ASSERT(a->group_input == 1);
    MT_ASSERT(is_text(a->group_column, "segment"));
    MT_ASSERT(a->minimum_group_size == 10);
    MT_ASSERT(a->outputs_count == 2);
    MT_ASSERT(is_text(a->outputs[0].name, "totals"));
    MT_ASSERT(a->outputs[0].columns_count == 4);
    MT_ASSERT(a->outputs[0].columns[0].show == MT_SHOW_GROUP);
    MT_ASSERT(a->outputs[0].columns[1].show == MT_SHOW_COUNT);
    MT_ASSERT(a->outputs[0].columns[3].show == MT_SHOW_AVERAGE);
    MT_ASSERT(a->outputs[0].columns[3].input == 1);
    MT_ASSERT(is_text(a->outputs[0].columns[3].as, "mean"));
    MT_ASSERT(a->outputs[1].columns[0].show == MT_SHOW_MIN);
}

static void columns_that_no_output_uses_are_not_read(void)
{
    struct mt_function_fault fault;
    MT_DEFER(mt_args_free) struct mt_args *a = NULL;
    MT_ASSERT(!mt_failed(mt_args_parse(mt_bytes_of_text(good_join), MT_ARGS_JOIN, &a, &fault)));
    MT_ASSERT(a->inputs[0].values_count == 1);
    MT_ASSERT(is_text(a->inputs[0].values[0].name, "net.spend"));
    MT_ASSERT(a->inputs[0].values[0].scale == 2);
    MT_ASSERT(a->outputs[0].columns[2].input == 0);
    MT_ASSERT(a->outputs[0].columns[2].value == 0);
    MT_ASSERT(a->outputs[1].columns[0].value == 0);
    MT_ASSERT(a->inputs[1].values_count == 1);
    MT_ASSERT(a->inputs[1].values[0].scale == 0);
}

static void a_psi_is_read_whole(void)
{
    struct mt_function_fault fault;
    MT_DEFER(mt_args_free) struct mt_args *a = NULL;
    MT_ASSERT(!mt_failed(mt_args_parse(mt_bytes_of_text(good_psi), MT_ARGS_PSI, &a, &fault)));
    MT_ASSERT(a->inputs_count == 2);
    MT_ASSERT(!a->has_group);
    MT_ASSERT(!a->is_left);
    MT_ASSERT(a->outputs[0].columns[0].show == MT_SHOW_KEY);
    MT_ASSERT(a->outputs[1].columns[0].show == MT_SHOW_COUNT);
}

/* A good text in which the first `from` is replaced, and what is then said. */
struct change {
    const char *from;
    const char *to;
    const char *what;
    const char *detail;
};

static void check_changes(const char *good, enum mt_args_kind kind, const struct change *changes)
{
    for (const struct change *c = changes; c->from != NULL; c++) {
        char text[4096];
        const char *at = strstr(good, c->from);
        MT_ASSERT(at != NULL);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, c->to,
                       at + strlen(c->from));
        struct mt_function_fault fault;
        MT_DEFER(mt_args_free) struct mt_args *a = NULL;
        mt_err e = mt_args_parse(mt_bytes_of_text(text), kind, &a, &fault);
        bool is_same = mt_failed(e) && strcmp(e.fault->what, c->what) == 0 &&
                       strcmp(fault.detail, c->detail) == 0;
        if (!is_same) {
            (void)fprintf(stderr, "# \"%s\" for \"%s\" says \"%s\", \"%s\"\n", c->to, c->from,
                          mt_failed(e) ? e.fault->what : "nothing", fault.detail);
        }
        MT_ASSERT(is_same);
        MT_ASSERT(a == NULL);
    }
}

static const char words[] = "is not one of the words that the schema lists";

static void a_wrong_field_of_a_join_is_named(void)
{
    static const struct change changes[] = {
        {"{\"inputs\"", "[\"inputs\"", "JSON: a comma or a closing bracket is due here",
         "arguments: line 1, column 10"},
        {"\"join\":\"left\",", "", "is missing", "arguments: join"},
        {"\"left\"", "\"outer\"", words, "arguments: join"},
        {"\"left\"", "1", "JSON: not a text", "arguments: join"},
        {"\"join\"", "\"jion\"", "has an unknown field", "arguments"},
        {"\"minimum_group_size\":10,", "", "is missing", "arguments: minimum_group_size"},
        {":10,", ":0,", "is not an integer from 1 on", "arguments: minimum_group_size"},
        {":10,", ":\"10\",", "is not an integer from 1 on", "arguments: minimum_group_size"},
        {"\"shop\"", "\"\"", "is empty", "arguments: inputs[0].name"},
        {"\"shop\"", "\"Shop\"", "has a character that is not one of a-z 0-9 - _",
         "arguments: inputs[0].name"},
        {"\"shop\"", "\"a.b\"", "has a character that is not one of a-z 0-9 - _",
         "arguments: inputs[0].name"},
        {"\"club\"", "\"shop\"", "stands twice", "arguments: inputs[1].name"},
        {"\"shop\"", "\"0123456789012345678901234567890123456789012345678901234567890123x\"",
         "is longer than 64 bytes", "arguments: inputs[0].name"},
        {"\"email\"", "\"\"", "is empty", "arguments: inputs[0].key"},
        {"\"email\"", "\"e\\u0007\"", "has a control character", "arguments: inputs[0].key"},
        {"\"trim\"", "\"upper\"", words, "arguments: inputs[1].canonical"},
        {"\"refuse\"", "true", "JSON: not a text", "arguments: inputs[0].duplicates"},
        {"\"duplicates\":\"refuse\",", "", "is missing", "arguments: inputs[0].duplicates"},
        {"\"integer\"", "\"text\"", words, "arguments: inputs[0].columns[0].type"},
        {"\"integer\"}", "\"integer\",\"scale\":0}", "an integer has none",
         "arguments: inputs[0].columns[0].scale"},
        {",\"scale\":2", "", "is missing", "arguments: inputs[0].columns[1].scale"},
        {"\"scale\":2", "\"scale\":39", "is not an integer from 0 to 38",
         "arguments: inputs[0].columns[1].scale"},
        {"\"unused\"", "\"net.spend\"", "stands twice", "arguments: inputs[0].columns[1].name"},
        {"{\"name\":\"unused\",\"type\":\"integer\"}", "7", "not an object",
         "arguments: inputs[0].columns[0]"},
        {"{\"input\":\"club\"", "{\"input\":\"clubs\"", "names no input",
         "arguments: group_by.input"},
        {",\"column\":\"segment\"", "", "is missing", "arguments: group_by.column"},
        {"\"group_by\":{\"input\":\"club\",\"column\":\"segment\"},", "", "there is no group_by",
         "arguments: outputs[0].columns[0].group"},
        {"\"group\":true", "\"group\":false", "is not true",
         "arguments: outputs[0].columns[0].group"},
        {"\"group\":true", "\"key\":true", "keys are never shown",
         "arguments: outputs[0].columns[0]"},
        {"\"group\":true", "\"group\":true,\"count\":true", "is not \"as\" with one thing to show",
         "arguments: outputs[0].columns[0]"},
        {"\"group\":true,", "", "is not \"as\" with one thing to show",
         "arguments: outputs[0].columns[0]"},
        {"\"sum\":\"shop.net.spend\"", "\"median\":\"shop.net.spend\"",
         "is not \"as\" with one thing to show", "arguments: outputs[0].columns[2]"},
        {"\"shop.net.spend\"", "\"spend\"", "is not of the form input.column",
         "arguments: outputs[0].columns[2].sum"},
        {"\"shop.net.spend\"", "\"shops.net.spend\"", "names no input",
         "arguments: outputs[0].columns[2].sum"},
        {"\"shop.net.spend\"", "\"shop.spend\"", "names no declared column of its input",
         "arguments: outputs[0].columns[2].sum"},
        {"\"shop.net.spend\"", "[]", "JSON: not a text", "arguments: outputs[0].columns[2].sum"},
        {"\"people\"", "\"segment\"", "stands twice", "arguments: outputs[0].columns[1].as"},
        {"\"size\"", "\"totals\"", "stands twice", "arguments: outputs[1].name"},
        {"[{\"min\":\"shop.net.spend\",\"as\":\"least\"}]", "[]", "has too few items",
         "arguments: outputs[1].columns"},
        {"[{\"min\":\"shop.net.spend\",\"as\":\"least\"}]", "{}", "not an array",
         "arguments: outputs[1].columns"},
        {NULL, NULL, NULL, NULL},
    };
    check_changes(good_join, MT_ARGS_JOIN, changes);
}

static void a_wrong_field_of_a_psi_is_named(void)
{
    static const struct change changes[] = {
        {"\"outputs\"", "\"join\":\"inner\",\"outputs\"", "has an unknown field", "arguments"},
        {"\"duplicates\":\"refuse\"", "\"duplicates\":\"refuse\",\"columns\":[]",
         "has an unknown field", "arguments: inputs[0]"},
        {"\"key\":true", "\"sum\":\"a.id\"", "psi shows \"key\" and \"count\" alone",
         "arguments: outputs[0].columns[0]"},
        {"{\"key\":true,\"as\":\"id\"}",
         "{\"key\":true,\"as\":\"id\"},{\"count\":true,\"as\":\"n\"}", "has too many items",
         "arguments: outputs[0].columns"},
        {",{\"name\":\"b\",\"key\":\"id\",\"canonical\":\"lower-ascii\","
         "\"duplicates\":\"aggregate\"}",
         "", "has too few items", "arguments: inputs"},
        {NULL, NULL, NULL, NULL},
    };
    check_changes(good_psi, MT_ARGS_PSI, changes);
}

static void a_text_of_the_other_function_is_refused(void)
{
    struct mt_function_fault fault;
    struct mt_args *a = NULL;
    MT_ASSERT(mt_failed(mt_args_parse(mt_bytes_of_text(good_psi), MT_ARGS_JOIN, &a, &fault)));
    MT_ASSERT(mt_failed(mt_args_parse(mt_bytes_of_text(good_join), MT_ARGS_PSI, &a, &fault)));
    MT_ASSERT(a == NULL);
}

static void every_truncation_is_refused_and_every_flip_is_refused_or_read(void)
{
    uint8_t text[sizeof good_join];
    size_t len = sizeof good_join - 1;
    for (size_t i = 0; i < len; i++) {
        struct mt_function_fault fault;
        struct mt_args *a = NULL;
        mt_bytes cut = {(const uint8_t *)good_join, i};
        MT_ASSERT(mt_failed(mt_args_parse(cut, MT_ARGS_JOIN, &a, &fault)));
        MT_ASSERT(a == NULL);
    }
    memcpy(text, good_join, sizeof good_join);
    for (size_t bit = 0; bit < len * 8; bit++) {
        struct mt_function_fault fault;
        MT_DEFER(mt_args_free) struct mt_args *a = NULL;
        text[bit / 8] ^= (uint8_t)(1U << bit % 8);
        mt_err e = mt_args_parse((mt_bytes){text, len}, MT_ARGS_JOIN, &a, &fault);
        MT_ASSERT(mt_failed(e) == (a == NULL));
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_FORMAT);
        text[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_join_is_read_whole),
        MT_TEST(columns_that_no_output_uses_are_not_read),
        MT_TEST(a_psi_is_read_whole),
        MT_TEST(a_wrong_field_of_a_join_is_named),
        MT_TEST(a_wrong_field_of_a_psi_is_named),
        MT_TEST(a_text_of_the_other_function_is_refused),
        MT_TEST(every_truncation_is_refused_and_every_flip_is_refused_or_read),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
