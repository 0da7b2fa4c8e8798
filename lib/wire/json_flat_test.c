/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json_flat.h"

#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"
#include "wire/json.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

static const char sample[] = "{ \"id\":\"TDX\", \"levels\":[ {\"svn\":7, \"ids\":[\"A-1\",\"\"]}, "
                             "{\"svn\":0,\"ids\":[]},[-1]],"
                             "\"more\":{\"deep\":{\"x\":true,\"y\":null}},\"\":\"\xc3\xa4\" }\n";

/* Both readers take the same texts, but for escapes. */
static bool is_taken(mt_bytes text)
{
    MT_DEFER(mt_flat_free) struct mt_flat *flat = NULL;
    MT_DEFER(mt_json_free) struct mt_json *tree = NULL;
    bool is_flat = !mt_failed(mt_flat_read(text, &flat));
    bool is_tree = !mt_failed(mt_json_parse(text, &tree, NULL));
    bool has_escape = text.len > 0 && memchr(text.ptr, '\\', text.len) != NULL;
    MT_ASSERT(is_flat == (is_tree && !has_escape));
    return is_flat;
}

static void what_is_read_flat_is_what_a_tree_reads(void)
{
    static const char *const good[] = {"0", "[]", "{}", "\"\"", "null", " [ [ ] , { } ] ", "-12"};
    static const char *const bad[] = {"",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":{\"b\":1,\"b\":1}}",
                                      "\"\\u0041\"",
                                      "[1.5]",
                                      "[1,]",
                                      "{\"a\"}",
                                      "[] []",
                                      "[",
                                      "{\"a\\u0062\":1}",
                                      "\"\\\"\"",
                                      "01",
                                      "-0",
                                      "\"a",
                                      "[9007199254740992]"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        MT_ASSERT(is_taken(mt_bytes_of_text(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        MT_ASSERT(!is_taken(mt_bytes_of_text(bad[i])));
    }
}

static void every_truncation_and_every_flipped_bit_is_read_alike(void)
{
    uint8_t room[sizeof sample];
    const size_t len = sizeof sample - 1;
    memcpy(room, sample, sizeof sample);
    MT_ASSERT(is_taken((mt_bytes){room, len}));
    for (size_t end = 0; end + 1 < len; end++) {
        MT_ASSERT(!is_taken((mt_bytes){room, end}));
    }
    for (size_t i = 0; i < 8 * len; i++) {
        room[i / 8] ^= (uint8_t)(1U << i % 8);
        (void)is_taken((mt_bytes){room, len});
        room[i / 8] ^= (uint8_t)(1U << i % 8);
    }
}

static void fields_are_there_and_of_their_kind(void)
{
    static const char *const known[] = {"id", "levels", "more", "", NULL};
    static const char *const fewer[] = {"id", "levels", "more", NULL};
    MT_DEFER(mt_flat_free) struct mt_flat *flat = NULL;
    const struct mt_flat_node *levels = NULL;
    const struct mt_flat_node *deep = NULL;
    const struct mt_flat_node *ids = NULL;
    size_t count = 0;
    uint64_t svn = 0;
    mt_bytes text;
    OK(mt_flat_read(mt_bytes_of_text(sample), &flat));
    const struct mt_flat_node *root = mt_flat_root(flat);
    OK(mt_flat_known(root, known));
    MT_ASSERT(mt_failed(mt_flat_known(root, fewer)));
    OK(mt_flat_text(root, "id", &text));
    MT_ASSERT(mt_bytes_equal(text, MT_LITERAL("TDX")));
    OK(mt_flat_text(root, "", &text));
    MT_ASSERT(mt_bytes_equal(text, MT_LITERAL("\xc3\xa4")));
    MT_ASSERT(mt_failed(mt_flat_text(root, "svn", &text)) && !mt_flat_has(root, "svn"));
    MT_ASSERT(mt_failed(mt_flat_text(root, "levels", &text)) && mt_flat_has(root, "levels"));
    MT_ASSERT(mt_failed(mt_flat_array(root, "levels", 2, &levels, &count)));
    OK(mt_flat_array(root, "levels", 3, &levels, &count));
    const struct mt_flat_node *first = mt_flat_first(levels);
    const struct mt_flat_node *second = mt_flat_next(first);
    MT_ASSERT(count == 3 && mt_flat_next(mt_flat_next(second)) == NULL);
    MT_ASSERT(mt_failed(mt_flat_known(mt_flat_next(second), known)));
    OK(mt_flat_uint(first, "svn", 7, &svn));
    MT_ASSERT(svn == 7 && mt_failed(mt_flat_uint(first, "svn", 6, &svn)));
    OK(mt_flat_array(first, "ids", 2, &ids, &count));
    OK(mt_flat_as_text(mt_flat_next(mt_flat_first(ids)), &text));
    MT_ASSERT(text.len == 0 && mt_failed(mt_flat_as_text(ids, &text)));
    OK(mt_flat_array(second, "ids", 2, &ids, &count));
    MT_ASSERT(count == 0 && mt_flat_first(ids) == NULL);
    OK(mt_flat_object(root, "more", &deep));
    OK(mt_flat_object(deep, "deep", &deep));
    MT_ASSERT(mt_flat_count(deep) == 2 && mt_failed(mt_flat_object(deep, "x", &deep)));
}

static void an_object_has_its_limit(void)
{
    char text[MT_FLAT_MEMBERS_MAX * 8 + 16] = "{\"aa\":1";
    size_t len = strlen(text);
    MT_DEFER(mt_flat_free) struct mt_flat *flat = NULL;
    for (size_t i = 1; i <= MT_FLAT_MEMBERS_MAX; i++) {
        text[len] = '}';
        mt_flat_free(&flat);
        OK(mt_flat_read((mt_bytes){(const uint8_t *)text, len + 1}, &flat));
        const char more[] = {',', '"', (char)('a' + i / 26), (char)('a' + i % 26), '"', ':', '1'};
        memcpy(text + len, more, sizeof more);
        len += sizeof more;
    }
    text[len] = '}';
    mt_err e = mt_flat_read((mt_bytes){(const uint8_t *)text, len + 1}, &flat);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(what_is_read_flat_is_what_a_tree_reads),
        MT_TEST(every_truncation_and_every_flipped_bit_is_read_alike),
        MT_TEST(fields_are_there_and_of_their_kind),
        MT_TEST(an_object_has_its_limit),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
