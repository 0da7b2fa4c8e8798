/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_CBOR_H
#define MT_WIRE_CBOR_H

#include "base/bytes.h"

/*
 * Deterministically encoded CBOR (RFC 8949, 4.2.1): shortest heads, definite lengths, map keys in
 * bytewise order of their encoding. No floats, no undefined, no simple values but false, true,
 * null. The reader refuses all else, so a value has one encoding. Text is checked to be UTF-8.
 */
void mt_cbor_write_uint(struct mt_writer *w, uint64_t value);
void mt_cbor_write_int(struct mt_writer *w, int64_t value);
void mt_cbor_write_bytes(struct mt_writer *w, mt_bytes bytes);
void mt_cbor_write_text(struct mt_writer *w, mt_bytes text);
void mt_cbor_write_array(struct mt_writer *w, uint64_t count); /* head; the items follow */
void mt_cbor_write_map(struct mt_writer *w,
                       uint64_t count); /* head; keys in order are the caller's duty */
void mt_cbor_write_tag(struct mt_writer *w, uint64_t tag);
void mt_cbor_write_bool(struct mt_writer *w, bool value);
void mt_cbor_write_null(struct mt_writer *w);

MT_ERR mt_cbor_read_uint(struct mt_reader *r, uint64_t *out);
MT_ERR mt_cbor_read_int(struct mt_reader *r, int64_t *out);
MT_ERR mt_cbor_read_bytes(struct mt_reader *r, mt_bytes *out); /* borrows */
/* A byte string of exactly out.len bytes: ids, hashes. */
MT_ERR mt_cbor_read_copy(struct mt_reader *r, mt_span out);
MT_ERR mt_cbor_read_text(struct mt_reader *r, mt_bytes *out);
MT_ERR mt_cbor_read_array(struct mt_reader *r, uint64_t count_max, uint64_t *out);
MT_ERR mt_cbor_read_map(struct mt_reader *r, uint64_t count_max, uint64_t *out);
MT_ERR mt_cbor_read_tag(struct mt_reader *r, uint64_t tag); /* exactly this one */
MT_ERR mt_cbor_read_bool(struct mt_reader *r, bool *out);
/* Whether the next item is null; consumes it if so. */
MT_ERR mt_cbor_read_null(struct mt_reader *r, bool *is_null);
/* The next map key must be exactly this unsigned / negative integer: maps with fixed fields are
 * read in order. */
MT_ERR mt_cbor_read_key(struct mt_reader *r, int64_t key);
/* One whole item of any kind, as its bytes, checked to be deterministic and at most
 * MT_CBOR_DEPTH_MAX deep. */
MT_ERR mt_cbor_read_item(struct mt_reader *r, mt_bytes *out);

#endif
