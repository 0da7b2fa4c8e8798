/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json_flat.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "wire/json_scan.h"

/* Its members or items follow it in the index, each with all that is in it. */
struct mt_flat_node {
    uint8_t kind;     /* '{', '[', '"', '0' of a number, '-', or the first letter of a word */
    bool is_last;     /* of its siblings */
    uint32_t members; /* of an object or array */
    uint32_t size;    /* nodes, itself and all in it */
    uint32_t last;    /* while it is built: how far behind it its newest item stands, */
    uint32_t up;      /* and how far before it what it is in; 0: nothing */
    mt_bytes name;    /* of a member */
    mt_bytes text;    /* of a string, without its quotation marks; of a number, its digits */
};

struct mt_flat {
    size_t count;
    struct mt_flat_node nodes[];
};

void mt_flat_free(struct mt_flat **f)
{
    free(*f);
    *f = NULL;
}

const struct mt_flat_node *mt_flat_root(const struct mt_flat *f)
{
    return f->nodes;
}

/* Never fewer than there are values: each but the first stands behind one of these, and the scan
 * lets no more pass. */
static size_t values_at_most(mt_bytes text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len && count < MT_JSON_VALUES_MAX; i++) {
        uint8_t c = text.ptr[i];
        count += c == ',' || c == '[' || c == '{' ? 1 : 0;
    }
    return count;
}

/* Where the index is built. The text was scanned: its grammar is beyond doubt. */
struct build {
    mt_bytes text;
    size_t at;
    struct mt_flat *flat;
    struct mt_flat_node *open; /* what the next value is in; NULL: nothing */
    mt_bytes name;
};

static void skip_to_token(struct build *b)
{
    while (b->at < b->text.len &&
           (b->text.ptr[b->at] <= ' ' || b->text.ptr[b->at] == ',' || b->text.ptr[b->at] == ':')) {
        b->at++;
    }
}

static MT_ERR take_string(struct build *b, mt_bytes *out)
{
    const uint8_t *start = b->text.ptr + b->at + 1;
    const uint8_t *end = memchr(start, '"', b->text.len - b->at - 1);
    MT_REQUIRE(end != NULL, MT_E_FORMAT, "JSON: a string does not end");
    size_t len = (size_t)(end - start);
    MT_REQUIRE(len == 0 || memchr(start, '\\', len) == NULL, MT_E_FORMAT,
               "JSON: an escape where none is needed");
    *out = (mt_bytes){start, len};
    b->at += len + 2;
    return MT_OK;
}

static bool is_name_due(const struct build *b)
{
    return b->open != NULL && b->name.ptr == NULL && b->open->kind == '{';
}

static MT_ERR check_new_name(const struct build *b, mt_bytes name)
{
    const struct mt_flat_node *o = b->open;
    MT_REQUIRE(o->members < MT_FLAT_MEMBERS_MAX, MT_E_LIMIT, "JSON: an object of many members");
    const struct mt_flat_node *n = o + 1;
    for (uint32_t i = 0; i < o->members; i++) {
        MT_REQUIRE(!mt_bytes_equal(n->name, name), MT_E_FORMAT,
                   "JSON: a name stands twice in an object");
        n += n->size;
    }
    return MT_OK;
}

static struct mt_flat_node *add_node(struct build *b, uint8_t kind)
{
    struct mt_flat_node *n = &b->flat->nodes[b->flat->count++];
    *n = (struct mt_flat_node){.kind = kind, .is_last = true, .size = 1, .name = b->name};
    if (b->open != NULL) {
        if (b->open->last > 0) {
            b->open[b->open->last].is_last = false;
        }
        b->open->last = (uint32_t)(n - b->open);
        b->open->members++;
        n->up = b->open->last;
    }
    b->name = (mt_bytes){NULL, 0};
    return n;
}

static void close_node(struct build *b)
{
    struct mt_flat_node *n = b->open;
    MT_ASSERT(n != NULL); /* the scan saw to it */
    n->size = (uint32_t)(b->flat->nodes + b->flat->count - n);
    b->open = n->up > 0 ? n - n->up : NULL;
    b->at++;
}

static void take_plain(struct build *b, struct mt_flat_node *n)
{
    size_t start = b->at;
    while (b->at < b->text.len && b->text.ptr[b->at] > ' ' && b->text.ptr[b->at] != ',' &&
           b->text.ptr[b->at] != ']' && b->text.ptr[b->at] != '}') {
        b->at++;
    }
    n->text = (mt_bytes){b->text.ptr + start, b->at - start};
}

static MT_ERR take_token(struct build *b)
{
    uint8_t c = b->text.ptr[b->at];
    mt_bytes text;
    if (c == '}' || c == ']') {
        close_node(b);
    } else if (c == '"' && is_name_due(b)) {
        MT_TRY(take_string(b, &text));
        MT_TRY(check_new_name(b, text));
        b->name = text;
    } else if (c == '"') {
        MT_TRY(take_string(b, &text));
        add_node(b, c)->text = text;
    } else if (c == '{' || c == '[') {
        b->open = add_node(b, c);
        b->at++;
    } else {
        take_plain(b, add_node(b, c >= '0' && c <= '9' ? '0' : c));
    }
    return MT_OK;
}

MT_ERR mt_flat_read(mt_bytes text, struct mt_flat **out)
{
    size_t at = 0;
    size_t bytes = 0;
    MT_REQUIRE(text.len <= MT_FLAT_BYTES_MAX, MT_E_LIMIT, "JSON: the text is too long");
    MT_TRY(mt_json_scan(text, &at));
    MT_TRY(mt_mul_size(values_at_most(text), sizeof(struct mt_flat_node), &bytes));
    MT_TRY(mt_add_size(bytes, sizeof(struct mt_flat), &bytes));
    MT_DEFER(mt_flat_free) struct mt_flat *f = malloc(bytes);
    MT_REQUIRE(f != NULL, MT_E_NOMEM, "no memory for an index of JSON");
    f->count = 0;
    struct build b = {.text = text, .flat = f};
    skip_to_token(&b);
    while (b.at < text.len) {
        MT_TRY(take_token(&b));
        skip_to_token(&b);
    }
    *out = f;
    f = NULL; /* given */
    return MT_OK;
}

const struct mt_flat_node *mt_flat_first(const struct mt_flat_node *array)
{
    return array->members > 0 ? array + 1 : NULL;
}

const struct mt_flat_node *mt_flat_next(const struct mt_flat_node *item)
{
    return item->is_last ? NULL : item + item->size;
}

static const struct mt_flat_node *find(const struct mt_flat_node *object, mt_bytes name)
{
    const struct mt_flat_node *n = object->kind == '{' ? mt_flat_first(object) : NULL;
    while (n != NULL && !mt_bytes_equal(n->name, name)) {
        n = mt_flat_next(n);
    }
    return n;
}

static MT_ERR field(const struct mt_flat_node *object, const char *name, uint8_t kind,
                    const struct mt_flat_node **out)
{
    const struct mt_flat_node *n = find(object, mt_bytes_of_text(name));
    MT_REQUIRE(n != NULL, MT_E_FORMAT, "JSON: a field is missing");
    MT_REQUIRE(n->kind == kind, MT_E_FORMAT, "JSON: a field is of another kind");
    *out = n;
    return MT_OK;
}

MT_ERR mt_flat_known(const struct mt_flat_node *object, const char *const *names)
{
    MT_REQUIRE(object->kind == '{', MT_E_FORMAT, "JSON: not an object");
    for (const struct mt_flat_node *n = mt_flat_first(object); n != NULL; n = mt_flat_next(n)) {
        size_t i = 0;
        while (names[i] != NULL && !mt_bytes_equal(n->name, mt_bytes_of_text(names[i]))) {
            i++;
        }
        MT_REQUIRE(names[i] != NULL, MT_E_FORMAT, "JSON: an unknown field");
    }
    return MT_OK;
}

bool mt_flat_has(const struct mt_flat_node *object, const char *name)
{
    return find(object, mt_bytes_of_text(name)) != NULL;
}

MT_ERR mt_flat_text(const struct mt_flat_node *object, const char *name, mt_bytes *out)
{
    const struct mt_flat_node *n = NULL;
    MT_TRY(field(object, name, '"', &n));
    *out = n->text;
    return MT_OK;
}

MT_ERR mt_flat_uint(const struct mt_flat_node *object, const char *name, uint64_t max,
                    uint64_t *out)
{
    const struct mt_flat_node *n = NULL;
    uint64_t value = 0;
    MT_TRY(field(object, name, '0', &n));
    for (size_t i = 0; i < n->text.len; i++) { /* 53 bits: the scan saw to it */
        value = value * 10 + (uint64_t)(n->text.ptr[i] - '0');
    }
    MT_REQUIRE(value <= max, MT_E_FORMAT, "JSON: a number is too large");
    *out = value;
    return MT_OK;
}

MT_ERR mt_flat_object(const struct mt_flat_node *object, const char *name,
                      const struct mt_flat_node **out)
{
    return field(object, name, '{', out);
}

MT_ERR mt_flat_array(const struct mt_flat_node *object, const char *name, size_t max,
                     const struct mt_flat_node **out, size_t *count)
{
    const struct mt_flat_node *n = NULL;
    MT_TRY(field(object, name, '[', &n));
    MT_REQUIRE(n->members <= max, MT_E_FORMAT, "JSON: an array has too many items");
    *out = n;
    *count = n->members;
    return MT_OK;
}

size_t mt_flat_count(const struct mt_flat_node *array_or_object)
{
    return array_or_object->members;
}

MT_ERR mt_flat_as_text(const struct mt_flat_node *node, mt_bytes *out)
{
    MT_REQUIRE(node->kind == '"', MT_E_FORMAT, "JSON: not a text");
    *out = node->text;
    return MT_OK;
}
