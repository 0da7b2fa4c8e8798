/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json.h"

#include <jansson.h>
#include <stdalign.h>
#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/limits.h"
#include "wire/json_scan.h"

/*
 * A node is a json_t under another name. The tree never changes once mt_json_parse() gave it out,
 * so what jansson wants writable without writing may be borrowed from a const node.
 */
static json_t *of_node(const struct mt_json *node)
{
    const union {
        const struct mt_json *node;
        json_t *json;
    } same = {node};
    return same.json;
}

static const struct mt_json *to_node(const json_t *j)
{
    return (const struct mt_json *)j;
}

/*
 * Bodies carry secrets of users, and the tree holds copies of them: its memory remembers its size
 * and is wiped before it is given back.
 */
struct block {
    size_t len;
    alignas(max_align_t) uint8_t bytes[];
};

/* Since the thread began a tree: jansson does not look whether a byte of a text found room, and
 * goes on without it, to another name or number. */
static _Thread_local bool has_run_dry;

static void *get_block(size_t len)
{
    size_t all = 0;
    struct block *b = mt_failed(mt_add_size(sizeof *b, len, &all)) ? NULL : malloc(all);
    if (b == NULL) {
        has_run_dry = true;
        return NULL;
    }
    b->len = len;
    return b->bytes;
}

static void put_block(void *ptr)
{
    if (ptr == NULL) {
        return;
    }
    uint8_t *bytes = ptr;
    struct block *b = (struct block *)(void *)(bytes - offsetof(struct block, bytes));
    memset(b->bytes, 0, b->len);
    __asm__ volatile("" : : "r"(b->bytes) : "memory");
    free(b);
}

/*
 * Before main(), so that no thread ever sees jansson otherwise. The seed of its hash tables is a
 * constant, since it would read the kernel's generator for another: this folder does no I/O. Names
 * that collide on purpose cost little, for MT_JSON_MEMBERS_MAX bounds an object.
 */
__attribute__((constructor)) static void set_up(void)
{
    json_set_alloc_funcs(get_block, put_block);
    json_object_seed(1);
}

/* An array or object that is being walked: recursion would be as simple, but not on what a peer
 * nested. */
struct frame {
    const json_t *node;
    size_t index; /* of an array */
    void *member; /* of an object */
};

static struct frame frame_of(const json_t *node)
{
    void *member = json_is_object(node) ? json_object_iter(of_node(to_node(node))) : NULL;
    return (struct frame){node, 0, member};
}

/* The next item or member's value, NULL at the end; *name of a member, else NULL. */
static json_t *next_of(struct frame *f, mt_bytes *name)
{
    *name = (mt_bytes){NULL, 0};
    if (json_is_array(f->node)) {
        return json_array_get(f->node, f->index++);
    }
    if (f->member == NULL) {
        return NULL;
    }
    json_t *value = json_object_iter_value(f->member);
    *name = (mt_bytes){(const uint8_t *)json_object_iter_key(f->member),
                       json_object_iter_key_len(f->member)};
    f->member = json_object_iter_next(of_node(to_node(f->node)), f->member);
    return value;
}

static bool is_container(const json_t *j)
{
    return json_is_object(j) || json_is_array(j);
}

static bool is_in_order(const json_t *object)
{
    struct frame f = frame_of(object);
    mt_bytes before = {NULL, 0};
    mt_bytes name;
    while (next_of(&f, &name) != NULL) {
        if (before.ptr != NULL && mt_bytes_order(before, name) >= 0) {
            return false;
        }
        before = name;
    }
    return true;
}

static int order_of_members(const void *a, const void *b)
{
    const mt_bytes *left = a;
    const mt_bytes *right = b;
    return mt_bytes_order(*left, *right);
}

static void drop_json(json_t **j)
{
    json_decref(*j);
}

static void drop_names(mt_bytes **names)
{
    free(*names);
}

/* jansson keeps members as they were inserted: taken out and put back in order, they stay so. */
static MT_ERR order_object(json_t *object)
{
    if (is_in_order(object)) {
        return MT_OK;
    }
    size_t count = json_object_size(object);
    MT_DEFER(drop_json) json_t *copy = json_copy(object); /* shallow: keeps names and values */
    MT_DEFER(drop_names) mt_bytes *names = calloc(count, sizeof *names);
    MT_REQUIRE(copy != NULL && names != NULL, MT_E_NOMEM, "no memory for a JSON tree");
    struct frame f = frame_of(copy);
    for (size_t i = 0; i < count; i++) {
        MT_REQUIRE(next_of(&f, &names[i]) != NULL, MT_E_NOMEM, "no memory for a JSON tree");
    }
    qsort(names, count, sizeof *names, order_of_members);
    (void)json_object_clear(object);
    for (size_t i = 0; i < count; i++) {
        const char *name = (const char *)names[i].ptr;
        json_t *value = json_object_getn(copy, name, names[i].len);
        int rc = json_object_setn_nocheck(object, name, names[i].len, value);
        MT_REQUIRE(rc == 0, MT_E_NOMEM, "no memory for a JSON tree");
    }
    return MT_OK;
}

static MT_ERR order_tree(json_t *root)
{
    struct frame open[MT_JSON_DEPTH_MAX];
    size_t depth = 0;
    json_t *j = root;
    mt_bytes name;
    for (;;) {
        if (is_container(j)) {
            if (json_is_object(j)) {
                MT_TRY(order_object(j));
            }
            MT_ASSERT(depth < MT_JSON_DEPTH_MAX); /* mt_json_scan() saw to it */
            open[depth++] = frame_of(j);
        }
        j = NULL;
        while (depth > 0 && j == NULL) {
            j = next_of(&open[depth - 1], &name);
            depth -= j == NULL ? 1 : 0;
        }
        if (j == NULL) {
            return MT_OK;
        }
    }
}

/* jansson stands behind the second of two equal names; its beginning is what an editor should show.
 */
static size_t start_of_name(mt_bytes text, size_t end)
{
    size_t at = end - 1; /* the closing quotation mark */
    bool is_open = false;
    while (!is_open && at > 0) {
        at--;
        size_t slashes = 0;
        while (text.ptr[at] == '"' && slashes < at && text.ptr[at - 1 - slashes] == '\\') {
            slashes++;
        }
        is_open = text.ptr[at] == '"' && slashes % 2 == 0;
    }
    return at;
}

static MT_ERR build(mt_bytes text, json_t **out, size_t *at)
{
    json_error_t error = {.position = 0};
    has_run_dry = false;
    MT_DEFER(drop_json)
    json_t *root = json_loadb((const char *)text.ptr, text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    MT_REQUIRE(!has_run_dry, MT_E_NOMEM, "no memory for a JSON tree");
    if (root == NULL && json_error_code(&error) == json_error_duplicate_key) {
        *at = start_of_name(text, (size_t)error.position);
        MT_FAIL(MT_E_FORMAT, "JSON: a name stands twice in an object");
    }
    MT_REQUIRE(root != NULL, MT_E_INTERNAL, "JSON: a text that was scanned cannot be read");
    *out = root;
    root = NULL; /* given */
    return MT_OK;
}

static MT_ERR parse(mt_bytes text, json_t **out, size_t *at)
{
    MT_DEFER(drop_json) json_t *root = NULL;
    MT_TRY(mt_json_scan(text, at));
    MT_TRY(build(text, &root, at));
    MT_TRY(order_tree(root));
    *out = root;
    root = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_json_parse(mt_bytes text, struct mt_json **out, struct mt_text_place *place)
{
    size_t at = 0;
    json_t *root = NULL;
    MT_REQUIRE(text.len <= MT_JSON_BYTES_MAX, MT_E_LIMIT, "JSON: the text is too long");
    mt_err e = parse(text, &root, &at);
    if (mt_failed(e) && place != NULL && e.fault->code != MT_E_NOMEM) {
        *place = mt_json_place(text, at);
    }
    MT_TRY(e);
    *out = (struct mt_json *)root;
    return MT_OK;
}

void mt_json_free(struct mt_json **root)
{
    json_decref(of_node(*root));
    *root = NULL;
}

static bool is_known(mt_bytes name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (mt_bytes_equal(name, mt_bytes_of_text(names[i]))) {
            return true;
        }
    }
    return false;
}

MT_ERR mt_json_known(const struct mt_json *object, const char *const *names)
{
    mt_bytes name;
    MT_REQUIRE(mt_json_is_object(object), MT_E_FORMAT, "JSON: not an object");
    struct frame f = frame_of(of_node(object));
    while (next_of(&f, &name) != NULL) {
        MT_REQUIRE(is_known(name, names), MT_E_FORMAT, "JSON: an unknown field");
    }
    return MT_OK;
}

const struct mt_json *mt_json_get(const struct mt_json *object, const char *name)
{
    return to_node(json_object_get(of_node(object), name));
}

static MT_ERR field(const struct mt_json *object, const char *name, const struct mt_json **out)
{
    MT_REQUIRE(mt_json_is_object(object), MT_E_FORMAT, "JSON: not an object");
    const struct mt_json *value = mt_json_get(object, name);
    MT_REQUIRE(value != NULL, MT_E_FORMAT, "JSON: a field is missing");
    *out = value;
    return MT_OK;
}

MT_ERR mt_json_text(const struct mt_json *object, const char *name, mt_bytes *out)
{
    const struct mt_json *value = NULL;
    MT_TRY(field(object, name, &value));
    return mt_json_as_text(value, out);
}

MT_ERR mt_json_uint(const struct mt_json *object, const char *name, uint64_t max, uint64_t *out)
{
    const struct mt_json *value = NULL;
    MT_TRY(field(object, name, &value));
    return mt_json_as_uint(value, max, out);
}

MT_ERR mt_json_bool(const struct mt_json *object, const char *name, bool *out)
{
    const struct mt_json *value = NULL;
    MT_TRY(field(object, name, &value));
    MT_REQUIRE(json_is_boolean(of_node(value)), MT_E_FORMAT, "JSON: not true or false");
    *out = json_is_true(of_node(value));
    return MT_OK;
}

MT_ERR mt_json_hex(const struct mt_json *object, const char *name, mt_span out)
{
    mt_bytes text;
    MT_TRY(mt_json_text(object, name, &text));
    return mt_hex_parse(text, out);
}

MT_ERR mt_json_array(const struct mt_json *object, const char *name, size_t max,
                     const struct mt_json **out, size_t *count)
{
    const struct mt_json *value = NULL;
    MT_TRY(field(object, name, &value));
    MT_REQUIRE(mt_json_is_array(value), MT_E_FORMAT, "JSON: not an array");
    MT_REQUIRE(mt_json_count(value) <= max, MT_E_FORMAT, "JSON: an array has too many items");
    *out = value;
    *count = mt_json_count(value);
    return MT_OK;
}

MT_ERR mt_json_object(const struct mt_json *object, const char *name, const struct mt_json **out)
{
    const struct mt_json *value = NULL;
    MT_TRY(field(object, name, &value));
    MT_REQUIRE(mt_json_is_object(value), MT_E_FORMAT, "JSON: not an object");
    *out = value;
    return MT_OK;
}

bool mt_json_has(const struct mt_json *object, const char *name)
{
    return mt_json_get(object, name) != NULL;
}

const struct mt_json *mt_json_at(const struct mt_json *array, size_t index)
{
    return to_node(json_array_get(of_node(array), index));
}

size_t mt_json_count(const struct mt_json *array_or_object)
{
    const json_t *j = of_node(array_or_object);
    return json_is_array(j) ? json_array_size(j) : json_object_size(j);
}

MT_ERR mt_json_member(const struct mt_json *object, size_t index, mt_bytes *name,
                      const struct mt_json **value)
{
    MT_REQUIRE(mt_json_is_object(object), MT_E_FORMAT, "JSON: not an object");
    MT_REQUIRE(index < mt_json_count(object), MT_E_NOTFOUND, "JSON: no member of this number");
    struct frame f = frame_of(of_node(object));
    mt_bytes found;
    const json_t *j = next_of(&f, &found);
    for (size_t i = 0; i < index; i++) {
        j = next_of(&f, &found);
    }
    *name = found;
    *value = to_node(j);
    return MT_OK;
}

MT_ERR mt_json_as_text(const struct mt_json *node, mt_bytes *out)
{
    const json_t *j = of_node(node);
    MT_REQUIRE(json_is_string(j), MT_E_FORMAT, "JSON: not a text");
    *out = (mt_bytes){(const uint8_t *)json_string_value(j), json_string_length(j)};
    return MT_OK;
}

MT_ERR mt_json_as_uint(const struct mt_json *node, uint64_t max, uint64_t *out)
{
    const json_t *j = of_node(node);
    MT_REQUIRE(json_is_integer(j), MT_E_FORMAT, "JSON: not an integer");
    json_int_t value = json_integer_value(j);
    MT_REQUIRE(value >= 0, MT_E_FORMAT, "JSON: a negative number");
    MT_REQUIRE((uint64_t)value <= max, MT_E_FORMAT, "JSON: a number is too large");
    *out = (uint64_t)value;
    return MT_OK;
}

bool mt_json_is_object(const struct mt_json *node)
{
    return json_is_object(of_node(node));
}

bool mt_json_is_array(const struct mt_json *node)
{
    return json_is_array(of_node(node));
}

bool mt_json_is_null(const struct mt_json *node)
{
    return json_is_null(of_node(node));
}

static void write_integer(struct mt_writer *w, json_int_t value)
{
    if (value < 0) {
        mt_write_u8(w, '-');
        value = -value; /* 53 bits: it has a positive twin */
    }
    mt_write_number(w, (uint64_t)value);
}

static void write_leaf(struct mt_writer *w, const json_t *j)
{
    switch (json_typeof(j)) {
    case JSON_STRING:
        mt_json_write_text(
            w, (mt_bytes){(const uint8_t *)json_string_value(j), json_string_length(j)});
        return;
    case JSON_INTEGER:
        write_integer(w, json_integer_value(j));
        return;
    case JSON_TRUE:
        mt_write_bytes(w, MT_LITERAL("true"));
        return;
    case JSON_FALSE:
        mt_write_bytes(w, MT_LITERAL("false"));
        return;
    case JSON_NULL:
        mt_write_bytes(w, MT_LITERAL("null"));
        return;
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_REAL:
        break;
    }
    MT_ASSERT(false); /* containers are not leaves, and the parser makes no real */
}

/* Goes to the next value at this depth or above, closing what ends; NULL when all is written. */
static const json_t *write_between(struct mt_writer *w, struct frame *open, size_t *depth)
{
    while (*depth > 0) {
        struct frame *f = &open[*depth - 1];
        bool is_object = json_is_object(f->node);
        bool is_first =
            is_object ? f->member == json_object_iter(of_node(to_node(f->node))) : f->index == 0;
        mt_bytes name;
        const json_t *j = next_of(f, &name);
        if (j != NULL) {
            if (!is_first) {
                mt_write_u8(w, ',');
            }
            if (is_object) {
                mt_json_write_text(w, name);
                mt_write_u8(w, ':');
            }
            return j;
        }
        mt_write_u8(w, is_object ? '}' : ']');
        --*depth;
    }
    return NULL;
}

void mt_json_write(struct mt_writer *w, const struct mt_json *node)
{
    struct frame open[MT_JSON_DEPTH_MAX];
    size_t depth = 0;
    for (const json_t *j = of_node(node); j != NULL; j = write_between(w, open, &depth)) {
        if (is_container(j)) {
            MT_ASSERT(depth < MT_JSON_DEPTH_MAX);
            mt_write_u8(w, json_is_object(j) ? '{' : '[');
            open[depth++] = frame_of(j);
        } else {
            write_leaf(w, j);
        }
    }
}

MT_ERR mt_json_parse_canonical(mt_bytes text, struct mt_json **out)
{
    MT_DEFER(mt_json_free) struct mt_json *root = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max(text.len); /* never longer */
    mt_bytes written;
    MT_TRY(mt_json_parse(text, &root, NULL));
    struct mt_writer w = mt_writer_onto(&again);
    mt_json_write(&w, root);
    MT_TRY(mt_write_end(&w, &written));
    MT_REQUIRE(mt_bytes_equal(written, text), MT_E_FORMAT, "JSON: not in canonical form");
    *out = root;
    root = NULL; /* given */
    return MT_OK;
}
