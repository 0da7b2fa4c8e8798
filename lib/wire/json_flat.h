/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_JSON_FLAT_H
#define MT_WIRE_JSON_FLAT_H

#include "base/bytes.h"

/*
 * JSON as json.h accepts it, of texts that machines write and sign: an index into the bytes as they
 * came instead of a tree, one allocation instead of hundreds. Refused beside what json.h refuses:
 * escapes in strings, and objects of more than MT_FLAT_MEMBERS_MAX members. Nothing is wiped: what
 * is public alone is read so.
 */
enum { MT_FLAT_MEMBERS_MAX = 32, MT_FLAT_BYTES_MAX = 256 * 1024 };

struct mt_flat;      /* owned: the index; borrows the text */
struct mt_flat_node; /* a value; borrowed from its index */

MT_ERR mt_flat_read(mt_bytes text, struct mt_flat **out);
void mt_flat_free(struct mt_flat **f);
const struct mt_flat_node *mt_flat_root(const struct mt_flat *f);

/* As the functions of json.h with these names. Texts borrow from the text. */
MT_ERR mt_flat_known(const struct mt_flat_node *object, const char *const *names);
bool mt_flat_has(const struct mt_flat_node *object, const char *name);
MT_ERR mt_flat_text(const struct mt_flat_node *object, const char *name, mt_bytes *out);
MT_ERR mt_flat_uint(const struct mt_flat_node *object, const char *name, uint64_t max,
                    uint64_t *out);
MT_ERR mt_flat_object(const struct mt_flat_node *object, const char *name,
                      const struct mt_flat_node **out);
MT_ERR mt_flat_array(const struct mt_flat_node *object, const char *name, size_t max,
                     const struct mt_flat_node **out, size_t *count);
size_t mt_flat_count(const struct mt_flat_node *array_or_object);
MT_ERR mt_flat_as_text(const struct mt_flat_node *node, mt_bytes *out);
/* The items of an array, one after another; NULL behind the last. */
const struct mt_flat_node *mt_flat_first(const struct mt_flat_node *array);
const struct mt_flat_node *mt_flat_next(const struct mt_flat_node *item);

#endif
