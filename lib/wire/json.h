/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_JSON_H
#define MT_WIRE_JSON_H

#include "base/bytes.h"

/*
 * Strict JSON (RFC 8259) over jansson: UTF-8, no duplicate names, no NUL, no trailing bytes, no
 * reals, no -0, integers within 53 bits (so that JavaScript reads what we mean). At most
 * MT_JSON_BYTES_MAX, MT_JSON_DEPTH_MAX, MT_JSON_MEMBERS_MAX and MT_JSON_VALUES_MAX: MT_E_LIMIT. Any
 * value may stand at the top. Unknown fields are refused by mt_json_known(). A parsed document is
 * owned by its root; its memory is wiped when it is freed.
 */
#define MT_JSON_INTEGER_MAX ((UINT64_C(1) << 53) - 1)

struct mt_json; /* a node; borrowed from its document unless said otherwise */

/* Where a text is wrong. Lines and columns count from 1, the offset from 0. */
struct mt_text_place {
    uint32_t line;
    uint32_t column;
    uint64_t offset;
};

/* The caller owns `*out` and ends it with mt_json_free(). `place` may be NULL; it is set when the
 * text is to blame (MT_E_FORMAT, or MT_E_LIMIT for depth, members and values). */
MT_ERR mt_json_parse(mt_bytes text, struct mt_json **out, struct mt_text_place *place);
void mt_json_free(struct mt_json **root);

/* MT_E_FORMAT unless `object` is an object whose every name is in `names` (NULL-terminated list of
 * NUL-terminated literals). */
MT_ERR mt_json_known(const struct mt_json *object, const char *const *names);

/* NULL if absent. */
const struct mt_json *mt_json_get(const struct mt_json *object, const char *name);
/* Fields that must be there, with their kind: MT_E_FORMAT else. */
MT_ERR mt_json_text(const struct mt_json *object, const char *name, mt_bytes *out);
MT_ERR mt_json_uint(const struct mt_json *object, const char *name, uint64_t max, uint64_t *out);
MT_ERR mt_json_bool(const struct mt_json *object, const char *name, bool *out);
/* Lower case, two digits a byte of `out`, which is in no particular state after a failure. */
MT_ERR mt_json_hex(const struct mt_json *object, const char *name, mt_span out);
MT_ERR mt_json_array(const struct mt_json *object, const char *name, size_t max,
                     const struct mt_json **out, size_t *count);
MT_ERR mt_json_object(const struct mt_json *object, const char *name, const struct mt_json **out);
bool mt_json_has(const struct mt_json *object, const char *name);
/* An array's items; an object's members in the order of their names (bytewise). */
const struct mt_json *mt_json_at(const struct mt_json *array, size_t index);
size_t mt_json_count(const struct mt_json *array_or_object);
MT_ERR mt_json_member(const struct mt_json *object, size_t index, mt_bytes *name,
                      const struct mt_json **value);
/* A node's own value: MT_E_FORMAT if it is of another kind. */
MT_ERR mt_json_as_text(const struct mt_json *node, mt_bytes *out);
MT_ERR mt_json_as_uint(const struct mt_json *node, uint64_t max, uint64_t *out);
bool mt_json_is_object(const struct mt_json *node);
bool mt_json_is_array(const struct mt_json *node);
bool mt_json_is_null(const struct mt_json *node);

/* A text with its quotation marks. Escaped is only what must be; what is not UTF-8, and NUL,
 * becomes U+FFFD, so that mt_json_parse() takes whatever was written. */
void mt_json_write_text(struct mt_writer *w, mt_bytes text);
/* A node, compact, names in bytewise order: one text per value. */
void mt_json_write(struct mt_writer *w, const struct mt_json *node);
/* MT_E_FORMAT unless `text` is exactly what mt_json_write() makes of it: for what is signed or
 * hashed. */
MT_ERR mt_json_parse_canonical(mt_bytes text, struct mt_json **out);

/*
 * Writing without a tree, commas minded by the writer: begin, fields, end. Misuse is an assertion.
 */
struct mt_json_writer {
    struct mt_writer *w;
    uint32_t depth;
    uint32_t has_member; /* one bit a level */
    uint32_t is_object;  /* one bit a level */
};

struct mt_json_writer mt_json_writer_over(struct mt_writer *w);
void mt_json_begin_object(struct mt_json_writer *j,
                          const char *name); /* name NULL inside an array or at the top */
void mt_json_end_object(struct mt_json_writer *j);
void mt_json_begin_array(struct mt_json_writer *j, const char *name);
void mt_json_end_array(struct mt_json_writer *j);
void mt_json_put_text(struct mt_json_writer *j, const char *name,
                      mt_bytes value); /* as mt_json_write_text() */
void mt_json_put_literal(struct mt_json_writer *j, const char *name, const char *value);
/* Beyond 53 bits the writer fails with MT_E_LIMIT. */
void mt_json_put_uint(struct mt_json_writer *j, const char *name, uint64_t value);
void mt_json_put_bool(struct mt_json_writer *j, const char *name, bool value);
void mt_json_put_hex(struct mt_json_writer *j, const char *name, mt_bytes value);
void mt_json_put_node(struct mt_json_writer *j, const char *name, const struct mt_json *node);
/* A whole value that such a writer has made before, as it is. */
void mt_json_put_written(struct mt_json_writer *j, const char *name, mt_bytes value);
void mt_json_put_null(struct mt_json_writer *j, const char *name);

#endif
