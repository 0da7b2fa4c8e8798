/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cbor.h"

#include "base/assert.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Writes again, by the kind of its first byte, the one item or container head that `r` stands at.
 */
static void rewrite_one(struct mt_reader *r, struct mt_writer *w)
{
    uint64_t number = 0;
    mt_bytes bytes;
    int64_t integer = 0;
    bool flag = false;
    struct mt_reader before = *r;
    if (!mt_failed(mt_cbor_read_uint(r, &number))) {
        mt_cbor_write_uint(w, number);
    } else if (!mt_failed(mt_cbor_read_int(r, &integer))) {
        mt_cbor_write_int(w, integer);
    } else if (!mt_failed(mt_cbor_read_bytes(r, &bytes))) {
        mt_cbor_write_bytes(w, bytes);
    } else if (!mt_failed(mt_cbor_read_text(r, &bytes))) {
        mt_cbor_write_text(w, bytes);
    } else if (!mt_failed(mt_cbor_read_array(r, UINT64_MAX, &number))) {
        mt_cbor_write_array(w, number);
    } else if (!mt_failed(mt_cbor_read_map(r, UINT64_MAX, &number))) {
        mt_cbor_write_map(w, number);
    } else if (!mt_failed(mt_cbor_read_bool(r, &flag))) {
        mt_cbor_write_bool(w, flag);
    } else if (!mt_failed(mt_cbor_read_null(r, &flag)) && flag) {
        mt_cbor_write_null(w);
    } else {
        /* A tag, of which readers take only the one they expect, or a negative integer beyond 64
         * bits, which no reader takes: copied, so that what stands inside is still looked at. */
        static const size_t more[] = {1, 2, 4, 8};
        unsigned info = before.rest.ptr[0] & 31;
        size_t head = info < 24 ? 1 : 1 + more[info - 24];
        MT_ASSERT(before.rest.ptr[0] >> 5 == 6 || before.rest.ptr[0] == 0x3b);
        MT_ASSERT(!mt_failed(mt_read_bytes(r, head, &bytes)));
        mt_write_bytes(w, bytes);
    }
}

/* Whatever is read as one item is, piece by piece, what the writers make of it: one encoding. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mt_reader r = mt_reader_over((mt_bytes){data, len});
    mt_bytes item;
    mt_bytes again;
    if (mt_failed(mt_cbor_read_item(&r, &item))) {
        return 0;
    }
    MT_ASSERT(item.ptr == data && item.len + r.rest.len == len);
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(len);
    struct mt_writer w = mt_writer_onto(&room);
    struct mt_reader walk = mt_reader_over(item);
    while (walk.rest.len > 0) {
        rewrite_one(&walk, &w);
    }
    MT_ASSERT(!mt_failed(mt_write_end(&w, &again)));
    MT_ASSERT(mt_bytes_equal(item, again));
    return 0;
}
