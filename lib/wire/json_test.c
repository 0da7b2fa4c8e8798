/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "unit/runner.h"
#include "wire/json_scan.h"

/* Linked with --wrap: the n-th allocation from now on fails, once; 0 means none. What is freed is
 * looked at: nothing of a document may be left in it. */
void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void __real_free(void *ptr);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void __wrap_free(void *ptr);
static size_t fail_at;
static size_t freed;
static size_t leaked;

static bool is_due(void)
{
    return fail_at > 0 && --fail_at == 0;
}

void *__wrap_malloc(size_t len)
{
    void *ptr = is_due() ? NULL : __real_malloc(len);
    if (ptr != NULL) {
        memset(ptr, 0xa5, malloc_usable_size(ptr)); /* defined, for it is looked at below */
    }
    return ptr;
}

void *__wrap_calloc(size_t count, size_t len)
{
    return is_due() ? NULL : __real_calloc(count, len);
}

static const char secret[] = "hunter2-hunter2";

void __wrap_free(void *ptr)
{
    if (ptr != NULL) {
        size_t len = malloc_usable_size(ptr);
        leaked += memmem(ptr, len, secret, sizeof secret - 1) != NULL ? 1 : 0;
        freed++;
    }
    __real_free(ptr);
}

static struct mt_json *parsed(const char *text)
{
    struct mt_json *root = NULL;
    MT_ASSERT(!mt_failed(mt_json_parse(mt_bytes_of_text(text), &root, NULL)));
    return root;
}

static bool is_written_as(const struct mt_json *node, const char *text)
{
    static uint8_t room[MT_JSON_BYTES_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_bytes out;
    mt_json_write(&w, node);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    return mt_bytes_equal(out, mt_bytes_of_text(text));
}

static const struct {
    const char *text;
    const char *canonical;
} accepted[] = {
    {"null", "null"},
    {" true ", "true"},
    {"\t\r\nfalse", "false"},
    {"0", "0"},
    {"-1", "-1"},
    {"9007199254740991", "9007199254740991"},
    {"-9007199254740991", "-9007199254740991"},
    {"\"\"", "\"\""},
    {"[]", "[]"},
    {"{}", "{}"},
    {"[1,[2,[]],{}]", "[1,[2,[]],{}]"},
    {"{ \"b\" : 1 , \"a\" : [ true , null ] }", "{\"a\":[true,null],\"b\":1}"},
    {"{\"z\":{\"d\":1,\"c\":{\"b\":2,\"a\":3}}}", "{\"z\":{\"c\":{\"a\":3,\"b\":2},\"d\":1}}"},
    /* Bytewise: a prefix first, upper case before lower, U+FF61 before U+1F600 (not so in UTF-16).
     */
    {"{\"aa\":1,\"a\":2,\"B\":3,\"\":4}", "{\"\":4,\"B\":3,\"a\":2,\"aa\":1}"},
    {"{\"\xf0\x9f\x98\x80\":1,\"\xef\xbd\xa1\":2}", "{\"\xef\xbd\xa1\":2,\"\xf0\x9f\x98\x80\":1}"},
    {"\"\\u0041\\/\\u00e9\\ud83d\\ude00\"", "\"A/\xc3\xa9\xf0\x9f\x98\x80\""},
    {"\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001F\\u007f\"",
     "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
};

static void what_rfc_8259_allows_is_read_and_written_in_one_way(void)
{
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        MT_DEFER(mt_json_free) struct mt_json *root = parsed(accepted[i].text);
        MT_DEFER(mt_json_free) struct mt_json *again = parsed(accepted[i].canonical);
        MT_ASSERT(is_written_as(root, accepted[i].canonical));
        MT_ASSERT(is_written_as(again, accepted[i].canonical));
        MT_DEFER(mt_json_free) struct mt_json *same = NULL;
        mt_err e = mt_json_parse_canonical(mt_bytes_of_text(accepted[i].text), &same);
        bool is_canonical = strcmp(accepted[i].text, accepted[i].canonical) == 0;
        MT_ASSERT(mt_failed(e) != is_canonical && (same == NULL) != is_canonical);
    }
}

static const struct {
    const char *text;
    const char *what;
    uint32_t line, column;
    uint64_t offset;
} refused[] = {
    {"", "JSON: the text ends too early", 1, 1, 0},
    {" \n ", "JSON: the text ends too early", 2, 2, 3},
    {"[1,", "JSON: the text ends too early", 1, 4, 3},
    {"{\"a\"", "JSON: the text ends too early", 1, 5, 4},
    {"{\"a\":1", "JSON: the text ends too early", 1, 7, 6},
    {"{", "JSON: the text ends too early", 1, 2, 1},
    {"1 2", "JSON: something follows the value", 1, 3, 2},
    {"{}]", "JSON: something follows the value", 1, 3, 2},
    {"[1,]", "JSON: a value is due here", 1, 4, 3},
    {"[,1]", "JSON: a value is due here", 1, 2, 1},
    {"[1 2]", "JSON: a comma or a closing bracket is due here", 1, 4, 3},
    {"[1}", "JSON: a comma or a closing bracket is due here", 1, 3, 2},
    {"{\"a\":1,}", "JSON: a name in quotation marks is due here", 1, 8, 7},
    {"{a:1}", "JSON: a name in quotation marks is due here", 1, 2, 1},
    {"{'a':1}", "JSON: a name in quotation marks is due here", 1, 2, 1},
    {"{\"a\" 1}", "JSON: a colon is due here", 1, 6, 5},
    {"{\"a\":1,\n \"b\":2,\n \"\xc3\xa4\":3,  \"a\":4}", "JSON: a name stands twice in an object",
     3, 10, 26},
    {"{\"a\\\"\":1,\"a\\\"\":2}", "JSON: a name stands twice in an object", 1, 10, 9},
    {"{\"a\":1,\"\\u0061\":2}", "JSON: a name stands twice in an object", 1, 8, 7},
    {"{\"a\\\\\":{\"b\\\\\":1,\"b\\\\\":2}}", "JSON: a name stands twice in an object", 1, 17, 16},
    {"1.0", "JSON: a number that is no integer", 1, 2, 1},
    {"1e2", "JSON: a number that is no integer", 1, 2, 1},
    {"1E2", "JSON: a number that is no integer", 1, 2, 1},
    {"-0.5", "JSON: a number that is no integer", 1, 3, 2},
    {"[-0]", "JSON: a number begins with a needless zero, or is -0", 1, 2, 1},
    {"01", "JSON: a number begins with a needless zero, or is -0", 1, 1, 0},
    {"-", "JSON: a minus sign without a number", 1, 2, 1},
    {"+1", "JSON: a value is due here", 1, 1, 0},
    {".5", "JSON: a value is due here", 1, 1, 0},
    {"NaN", "JSON: a value is due here", 1, 1, 0},
    {"[9007199254740992]", "JSON: an integer beyond 53 bits", 1, 2, 1},
    {"-9007199254740992", "JSON: an integer beyond 53 bits", 1, 1, 0},
    {"99999999999999999999999999", "JSON: an integer beyond 53 bits", 1, 1, 0},
    {"tru", "JSON: a word but true, false, null", 1, 1, 0},
    {"nulL", "JSON: a word but true, false, null", 1, 1, 0},
    {"truex", "JSON: something follows the value", 1, 5, 4},
    {"\"a", "JSON: a string does not end", 1, 3, 2},
    {"\"a\nb\"", "JSON: a control character in a string", 1, 3, 2},
    {"\"\x1f\"", "JSON: a control character in a string", 1, 2, 1},
    {"\"\\x\"", "JSON: an unknown escape", 1, 3, 2},
    {"\"\\u12g4\"", "JSON: \\u needs four hexadecimal digits", 1, 4, 3},
    {"\"\\u12", "JSON: \\u needs four hexadecimal digits", 1, 4, 3},
    {"\"\\u0000\"", "JSON: a NUL in a string", 1, 4, 3},
    {"\"\\ud800\"", "JSON: half of a surrogate pair", 1, 4, 3},
    {"\"\\ud800\\u0041\"", "JSON: half of a surrogate pair", 1, 4, 3},
    {"\"\\ud800\\n1234\"", "JSON: half of a surrogate pair", 1, 4, 3},
    {"\"\\ud800xu1234\"", "JSON: half of a surrogate pair", 1, 4, 3},
    {"\"\\ud800\\u12\"", "JSON: \\u needs four hexadecimal digits", 1, 4, 3},
    {"\"\\udc00\\ud800\"", "JSON: half of a surrogate pair", 1, 4, 3},
    {"\"\xff\"", "JSON: not UTF-8", 1, 2, 1},
    {"\"\xc0\x80\"", "JSON: not UTF-8", 1, 2, 1},
    {"\"\xed\xa0\x80\"", "JSON: not UTF-8", 1, 2, 1},
    {"\"\xf4\x90\x80\x80\"", "JSON: not UTF-8", 1, 2, 1},
    {"\xef\xbb\xbf{}", "JSON: a value is due here", 1, 1, 0},
    {"/**/1", "JSON: a value is due here", 1, 1, 0},
    {"\f1", "JSON: a value is due here", 1, 1, 0},
};

static void all_else_is_refused_with_words_and_place(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct mt_json *root = NULL;
        struct mt_text_place place = {0, 0, 0};
        mt_err e = mt_json_parse(mt_bytes_of_text(refused[i].text), &root, &place);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_FORMAT && root == NULL);
        MT_ASSERT(strcmp(e.fault->what, refused[i].what) == 0);
        MT_ASSERT(place.line == refused[i].line && place.column == refused[i].column);
        MT_ASSERT(place.offset == refused[i].offset);
    }
}

static void a_raw_nul_is_refused_everywhere(void)
{
    static const char good[] = "{\"a\":[1,true,\"x\"],\"b\":null}";
    char text[sizeof good];
    for (size_t i = 0; i <= sizeof good - 1; i++) {
        struct mt_json *root = NULL;
        memcpy(text, good, i);
        text[i] = '\0';
        memcpy(text + i + 1, good + i, sizeof good - 1 - i);
        MT_ASSERT(
            mt_failed(mt_json_parse((mt_bytes){(const uint8_t *)text, sizeof good}, &root, NULL)));
    }
}

static const char document[] =
    "{\"list\":[0,-5,{}],\"name\":\"\xc3\xa9\\n\\u0001\",\"on\":true,\"z\":null}";

static void every_truncation_is_refused(void)
{
    for (size_t len = 0; len < sizeof document - 1; len++) {
        struct mt_json *root = NULL;
        struct mt_text_place place = {0, 0, 0};
        mt_bytes in = {(const uint8_t *)document, len};
        mt_err e = mt_json_parse(in, &root, &place);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_FORMAT && place.line == 1);
    }
}

static void every_flipped_bit_is_refused_or_another_canonical_text(void)
{
    char text[sizeof document];
    memcpy(text, document, sizeof text);
    mt_bytes in = {(const uint8_t *)text, sizeof text - 1};
    size_t kept = 0;
    for (size_t bit = 0; bit < 8 * in.len; bit++) {
        MT_DEFER(mt_json_free) struct mt_json *root = NULL;
        text[bit / 8] = (char)(text[bit / 8] ^ (char)(1 << (bit % 8)));
        if (!mt_failed(mt_json_parse_canonical(in, &root))) {
            MT_ASSERT(is_written_as(root, text));
            kept++;
        }
        text[bit / 8] = (char)(text[bit / 8] ^ (char)(1 << (bit % 8)));
    }
    MT_ASSERT(kept > 0 && kept < 8 * in.len / 2);
}

static void depth_members_and_length_have_their_limits(void)
{
    static char text[MT_JSON_BYTES_MAX + 2];
    struct mt_json *root = NULL;
    struct mt_text_place place = {0, 0, 0};
    for (size_t depth = MT_JSON_DEPTH_MAX; depth <= MT_JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        mt_err e = mt_json_parse((mt_bytes){(const uint8_t *)text, 2 * depth}, &root, &place);
        MT_ASSERT(mt_failed(e) == (depth > MT_JSON_DEPTH_MAX));
        MT_ASSERT(!mt_failed(e) || (e.fault->code == MT_E_LIMIT && place.offset == depth - 1));
        mt_json_free(&root);
    }
    for (size_t members = MT_JSON_MEMBERS_MAX; members <= MT_JSON_MEMBERS_MAX + 1; members++) {
        size_t len = 0;
        for (size_t i = 0; i < members; i++) {
            len += (size_t)snprintf(text + len, 32, "%c\"%zx\":0", i == 0 ? '{' : ',', members - i);
        }
        text[len++] = '}';
        mt_err e = mt_json_parse((mt_bytes){(const uint8_t *)text, len}, &root, NULL);
        MT_ASSERT(mt_failed(e) == (members > MT_JSON_MEMBERS_MAX));
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_LIMIT);
        mt_json_free(&root);
    }
    for (size_t values = MT_JSON_VALUES_MAX; values <= MT_JSON_VALUES_MAX + 1; values++) {
        memset(text, ',', 2 * values); /* [0,0,0], which is one value more than it has zeros */
        for (size_t i = 0; i < values - 1; i++) {
            text[1 + 2 * i] = '0';
        }
        text[0] = '[';
        text[2 * values - 2] = ']';
        mt_err e = mt_json_parse((mt_bytes){(const uint8_t *)text, 2 * values - 1}, &root, NULL);
        MT_ASSERT(mt_failed(e) == (values > MT_JSON_VALUES_MAX));
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_LIMIT);
        mt_json_free(&root);
    }
    memset(text, ' ', sizeof text);
    text[0] = '1';
    MT_ASSERT(!mt_failed(
        mt_json_parse((mt_bytes){(const uint8_t *)text, MT_JSON_BYTES_MAX}, &root, NULL)));
    mt_json_free(&root);
    mt_err e = mt_json_parse((mt_bytes){(const uint8_t *)text, MT_JSON_BYTES_MAX + 1}, &root, NULL);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT);
}

static void fields_are_there_and_of_their_kind_or_refused(void)
{
    static const char *const all[] = {"t", "n", "b", "h", "a", "o", "m", NULL};
    static const char *const some[] = {"t", "n", NULL};
    MT_DEFER(mt_json_free)
    struct mt_json *o = parsed("{\"t\":\"x\",\"n\":7,\"b\":true,\"h\":\"00ff\",\"a\":[1,2],"
                               "\"o\":{\"k\":null},\"m\":-1}");
    mt_bytes text = {NULL, 9};
    uint64_t n = 9;
    bool b = false;
    uint8_t two[2] = {9, 9};
    const struct mt_json *node = NULL;
    size_t count = 9;
    MT_ASSERT(!mt_failed(mt_json_known(o, all)) && mt_failed(mt_json_known(o, some)));
    MT_ASSERT(mt_failed(mt_json_known(mt_json_get(o, "a"), all)) &&
              mt_failed(mt_json_known(NULL, all)));
    MT_ASSERT(mt_failed(mt_json_text(o, "n", &text)) && mt_failed(mt_json_text(o, "q", &text)));
    MT_ASSERT(text.len == 9);
    MT_ASSERT(!mt_failed(mt_json_text(o, "t", &text)) && mt_bytes_equal(text, MT_LITERAL("x")));
    MT_ASSERT(mt_failed(mt_json_uint(o, "n", 6, &n)) && mt_failed(mt_json_uint(o, "m", 6, &n)));
    MT_ASSERT(mt_failed(mt_json_uint(o, "t", 6, &n)) && n == 9);
    MT_ASSERT(!mt_failed(mt_json_uint(o, "n", 7, &n)) && n == 7);
    MT_ASSERT(mt_failed(mt_json_bool(o, "q", &b)) &&
              mt_failed(mt_json_hex(o, "q", (mt_span){two, 2})));
    MT_ASSERT(mt_failed(mt_json_array(o, "q", 1, &node, &count)));
    MT_ASSERT(mt_failed(mt_json_object(o, "q", &node)) && mt_failed(mt_json_uint(o, "q", 1, &n)));
    MT_ASSERT(mt_failed(mt_json_bool(o, "n", &b)) && !mt_failed(mt_json_bool(o, "b", &b)) && b);
    MT_ASSERT(mt_failed(mt_json_hex(o, "t", (mt_span){two, 2})));
    MT_ASSERT(mt_failed(mt_json_hex(o, "h", (mt_span){two, 1})));
    MT_ASSERT(!mt_failed(mt_json_hex(o, "h", (mt_span){two, 2})) && two[0] == 0 && two[1] == 0xff);
    MT_ASSERT(mt_failed(mt_json_array(o, "a", 1, &node, &count)));
    MT_ASSERT(mt_failed(mt_json_array(o, "o", 1, &node, &count)) && node == NULL && count == 9);
    MT_ASSERT(!mt_failed(mt_json_array(o, "a", 2, &node, &count)) && count == 2);
    MT_ASSERT(!mt_failed(mt_json_as_uint(mt_json_at(node, 1), 2, &n)) && n == 2);
    MT_ASSERT(mt_json_at(node, 2) == NULL && mt_json_count(node) == 2);
    MT_ASSERT(mt_failed(mt_json_object(o, "a", &node)));
    MT_ASSERT(!mt_failed(mt_json_object(o, "o", &node)) && mt_json_is_object(node));
    MT_ASSERT(mt_json_is_null(mt_json_get(node, "k")) && !mt_json_is_array(node));
    MT_ASSERT(mt_json_has(o, "m") && !mt_json_has(o, "k") && mt_json_get(NULL, "k") == NULL);
    MT_ASSERT(mt_failed(mt_json_text(NULL, "k", &text)));
}

static void members_come_in_the_order_of_their_names(void)
{
    static const char *const names[] = {"", "B", "a", "aa", "b"};
    MT_DEFER(mt_json_free)
    struct mt_json *o = parsed("{\"b\":4,\"aa\":3,\"\":0,\"a\":2,\"B\":1}");
    mt_bytes name = {NULL, 0};
    const struct mt_json *value = NULL;
    MT_ASSERT(mt_json_count(o) == 5);
    for (size_t i = 0; i < 5; i++) {
        uint64_t n = 9;
        MT_ASSERT(!mt_failed(mt_json_member(o, i, &name, &value)));
        MT_ASSERT(mt_bytes_equal(name, mt_bytes_of_text(names[i])));
        MT_ASSERT(!mt_failed(mt_json_as_uint(value, 9, &n)) && n == i);
    }
    MT_ASSERT(mt_failed(mt_json_member(o, 5, &name, &value)));
    MT_ASSERT(mt_failed(mt_json_member(value, 0, &name, &value)));
}

static void the_writer_minds_commas_names_and_escapes(void)
{
    uint8_t room[512];
    mt_bytes out;
    MT_DEFER(mt_json_free) struct mt_json *node = parsed("{\"q\":[1]}");
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_json_begin_object(&j, NULL);
    mt_json_put_text(&j, "text", MT_LITERAL("a\"\\\n\x1f\x7f\xc3\xa9"));
    mt_json_put_literal(&j, "literal", "x");
    mt_json_begin_array(&j, "array");
    mt_json_put_uint(&j, NULL, 0);
    mt_json_put_bool(&j, NULL, false);
    mt_json_begin_object(&j, NULL);
    mt_json_end_object(&j);
    mt_json_begin_array(&j, NULL);
    mt_json_end_array(&j);
    mt_json_end_array(&j);
    mt_json_put_hex(&j, "hex", MT_LITERAL("\x01\xff"));
    mt_json_put_node(&j, "node", node);
    mt_json_put_written(&j, "written", MT_LITERAL("{\"r\":2}"));
    mt_json_begin_object(&j, "o");
    mt_json_put_null(&j, "n");
    mt_json_put_bool(&j, "b", true);
    mt_json_end_object(&j);
    mt_json_put_uint(&j, "last", MT_JSON_INTEGER_MAX);
    mt_json_end_object(&j);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    MT_ASSERT(mt_bytes_equal(
        out,
        MT_LITERAL("{\"text\":\"a\\\"\\\\\\n\\u001f\x7f\xc3\xa9\",\"literal\":\"x\",\"array\":[0,"
                   "false,{},[]],\"hex\":\"01ff\",\"node\":{\"q\":[1]},\"written\":{\"r\":2},\"o\":"
                   "{\"n\":null,\"b\":true},\"last\":9007199254740991}")));
}

static void what_is_no_text_is_replaced_and_read_back(void)
{
    uint8_t room[64];
    mt_bytes out;
    MT_DEFER(mt_json_free) struct mt_json *root = NULL;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_json_put_text(&j, NULL,
                     MT_LITERAL("a\0b\xff"
                                "c\xc3"));
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    MT_ASSERT(mt_bytes_equal(out, MT_LITERAL("\"a\xef\xbf\xbd"
                                             "b\xef\xbf\xbd"
                                             "c\xef\xbf\xbd\"")));
    MT_ASSERT(!mt_failed(mt_json_parse_canonical(out, &root)));
}

static void a_number_that_javascript_would_round_is_not_written(void)
{
    uint8_t room[64];
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_json_put_uint(&j, NULL, MT_JSON_INTEGER_MAX + 1);
    mt_err e = mt_write_end(&w, &out);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT);
}

static void every_allocation_may_fail(void)
{
    mt_bytes in = MT_LITERAL("{\"b\":{\"d\":[\"x\",1,{\"z\":1,\"y\":{}}],\"c\":\"y\"},\"a\":null}");
    size_t n = 0;
    bool is_done = false;
    while (!is_done) {
        MT_DEFER(mt_json_free) struct mt_json *root = NULL;
        fail_at = ++n;
        mt_err e = mt_json_parse(in, &root, NULL);
        is_done = fail_at > 0; /* more were allowed than it needed */
        fail_at = 0;
        MT_ASSERT(mt_failed(e) != is_done && (root == NULL) != is_done);
        MT_ASSERT(is_done || e.fault->code == MT_E_NOMEM);
    }
    MT_ASSERT(n > 20);
    n = 0;
    is_done = false;
    while (!is_done) {
        MT_DEFER(mt_json_free) struct mt_json *root = NULL;
        fail_at = ++n;
        mt_err e = mt_json_parse_canonical(MT_LITERAL("{\"a\":null,\"b\":{}}"), &root);
        is_done = fail_at > 0;
        fail_at = 0;
        MT_ASSERT(mt_failed(e) != is_done && (root == NULL) != is_done);
        MT_ASSERT(is_done || e.fault->code == MT_E_NOMEM);
    }
}

static void a_text_without_room_is_refused_and_not_shortened(void)
{
    static const char text[] = "{\"a name of many bytes\":\"a value of many bytes\","
                               "\"a number\":1234567890123456}";
    bool is_done = false;
    for (size_t n = 1; !is_done; n++) {
        MT_DEFER(mt_json_free) struct mt_json *root = NULL;
        mt_bytes value;
        uint64_t number = 0;
        fail_at = n;
        mt_err e = mt_json_parse(mt_bytes_of_text(text), &root, NULL);
        is_done = fail_at > 0;
        fail_at = 0;
        MT_ASSERT(mt_failed(e) ? e.fault->code == MT_E_NOMEM : root != NULL);
        if (!mt_failed(e)) {
            MT_ASSERT(!mt_failed(mt_json_text(root, "a name of many bytes", &value)));
            MT_ASSERT(mt_bytes_equal(value, MT_LITERAL("a value of many bytes")));
            MT_ASSERT(!mt_failed(mt_json_uint(root, "a number", UINT64_MAX >> 1, &number)));
            MT_ASSERT(number == 1234567890123456);
        }
    }
}

static void a_tree_leaves_nothing_of_its_text_behind(void)
{
    struct mt_json *root =
        parsed("{\"z\":\"hunter2-hunter2\",\"hunter2-hunter2\":[\"say hunter2-hunter2\"]}");
    MT_ASSERT(mt_json_count(root) == 2);
    freed = 0;
    mt_json_free(&root);
    MT_ASSERT(root == NULL && freed > 5 && leaked == 0);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(what_rfc_8259_allows_is_read_and_written_in_one_way),
        MT_TEST(all_else_is_refused_with_words_and_place),
        MT_TEST(a_raw_nul_is_refused_everywhere),
        MT_TEST(every_truncation_is_refused),
        MT_TEST(every_flipped_bit_is_refused_or_another_canonical_text),
        MT_TEST(depth_members_and_length_have_their_limits),
        MT_TEST(fields_are_there_and_of_their_kind_or_refused),
        MT_TEST(members_come_in_the_order_of_their_names),
        MT_TEST(the_writer_minds_commas_names_and_escapes),
        MT_TEST(what_is_no_text_is_replaced_and_read_back),
        MT_TEST(a_number_that_javascript_would_round_is_not_written),
        MT_TEST(every_allocation_may_fail),
        MT_TEST(a_text_without_room_is_refused_and_not_shortened),
        MT_TEST(a_tree_leaves_nothing_of_its_text_behind),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
