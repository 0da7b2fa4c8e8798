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

static const char *const names[] = {"a", "b", "id", "", "\xc3\xa4", NULL};

static bool is_same_text(mt_err e, mt_bytes flat, mt_err f, mt_bytes tree)
{
    return mt_failed(e) == mt_failed(f) && (mt_failed(e) || mt_bytes_equal(flat, tree));
}

/* As deep as what the test wrote. */
static void compare(const struct mt_flat_node *flat, const struct mt_json *tree)
{
    MT_ASSERT(mt_failed(mt_flat_known(flat, names)) == mt_failed(mt_json_known(tree, names)));
    if (!mt_json_is_object(tree)) {
        return;
    }
    MT_ASSERT(mt_flat_count(flat) == mt_json_count(tree));
    for (size_t i = 0; names[i] != NULL; i++) {
        static const uint64_t limits[] = {0, 7, 1ULL << 53};
        const struct mt_flat_node *all = NULL;
        const struct mt_json *items = NULL;
        size_t count = 0;
        size_t same = 0;
        mt_bytes text;
        mt_bytes again;
        MT_ASSERT(mt_flat_has(flat, names[i]) == mt_json_has(tree, names[i]));
        MT_ASSERT(is_same_text(mt_flat_text(flat, names[i], &text), text,
                               mt_json_text(tree, names[i], &again), again));
        for (size_t n = 0; n < 3; n++) {
            uint64_t number = 0;
            uint64_t other = 0;
            bool is_none = mt_failed(mt_flat_uint(flat, names[i], limits[n], &number));
            MT_ASSERT(is_none == mt_failed(mt_json_uint(tree, names[i], limits[n], &other)));
            MT_ASSERT(number == other);
        }
        bool is_object = !mt_failed(mt_flat_object(flat, names[i], &all));
        MT_ASSERT(is_object == !mt_failed(mt_json_object(tree, names[i], &items)));
        if (is_object) {
            compare(all, items);
        }
        bool is_array = !mt_failed(mt_flat_array(flat, names[i], 2, &all, &count));
        MT_ASSERT(is_array == !mt_failed(mt_json_array(tree, names[i], 2, &items, &same)));
        if (!is_array) {
            continue;
        }
        MT_ASSERT(count == same);
        all = mt_flat_first(all);
        for (size_t n = 0; n < count; n++, all = mt_flat_next(all)) {
            const struct mt_json *item = mt_json_at(items, n);
            MT_ASSERT(is_same_text(mt_flat_as_text(all, &text), text, mt_json_as_text(item, &again),
                                   again));
            compare(all, item);
        }
        MT_ASSERT(all == NULL);
    }
}

static uint64_t next(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (*seed >> 33) % below;
}

static size_t put(char *to, size_t at, const char *text)
{
    const mt_bytes b = mt_bytes_of_text(text);
    memcpy(to + at, b.ptr, b.len);
    return at + b.len;
}

/* One value, of pieces that may follow each other, and now and then of some that may not; no
 * deeper than `depth`. */
static size_t write_value(char *to, size_t depth, uint64_t *seed)
{
    static const char *const plain[] = {"0",
                                        "7",
                                        "8",
                                        "-1",
                                        "\"\"",
                                        "\"a\"",
                                        "\"{,:]\"",
                                        "\"\xc3\xa4\"",
                                        "true",
                                        "false",
                                        "null",
                                        "9007199254740991",
                                        "9007199254740992",
                                        "01",
                                        "\"\\n\"",
                                        "\"\\\\\"",
                                        "1.0"};
    static const char *const blanks[] = {"", "", "", " ", "\n\t"};
    uint64_t kind = next(seed, 8);
    size_t len = 0;
    if (depth == 0 || kind < 3) {
        size_t count = sizeof plain / sizeof *plain;
        const char *text = plain[next(seed, next(seed, 16) == 0 ? count : count - 5)];
        return put(to, 0, text);
    }
    bool is_object = kind < 7;
    to[len++] = is_object ? '{' : '[';
    size_t count = (size_t)next(seed, 4);
    for (size_t i = 0; i < count; i++) {
        const char *blank = blanks[next(seed, 5)];
        len = put(to, len, blank);
        if (is_object) {
            const char *name = names[(i + next(seed, 16) / 12) % 5];
            to[len++] = '"';
            len = put(to, len, name);
            to[len++] = '"';
            to[len++] = ':';
        }
        len += write_value(to + len, depth - 1, seed);
        if (i + 1 < count) {
            to[len++] = ',';
        }
    }
    to[len++] = is_object ? '}' : ']';
    return len;
}

static void texts_of_chance_are_read_alike_down_to_their_last_value(void)
{
    uint64_t seed = 1;
    size_t taken = 0;
    for (size_t i = 0; i < 20000; i++) {
        static char room[8192];
        MT_DEFER(mt_flat_free) struct mt_flat *flat = NULL;
        MT_DEFER(mt_json_free) struct mt_json *tree = NULL;
        size_t len = write_value(room, 4, &seed);
        if (next(&seed, 4) == 0) {
            room[next(&seed, len)] = "{}[],:\"\\0 a\n"[next(&seed, 13)];
        }
        const mt_bytes text = {(const uint8_t *)room, len};
        if (is_taken(text)) {
            OK(mt_flat_read(text, &flat));
            OK(mt_json_parse(text, &tree, NULL));
            compare(mt_flat_root(flat), tree);
            taken++;
        }
    }
    MT_ASSERT(taken > 5000);
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
        MT_TEST(texts_of_chance_are_read_alike_down_to_their_last_value),
        MT_TEST(fields_are_there_and_of_their_kind),
        MT_TEST(an_object_has_its_limit),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
