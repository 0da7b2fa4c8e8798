/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_ATTEST_H
#define MT_WIRE_ATTEST_H

#include "base/bytes.h"
#include "base/limits.h"

/*
 * The two messages of the attest round, which each end sends once directly after the TLS handshake
 * and before anything else (spec/attest-round.md). Format alone: lib/channel computes the binder,
 * lib/attest verifies the evidence. Words of RFC 9334.
 */
enum { MT_ATTEST_NONCE_BYTES = 32 };

/* What an end wants to see. */
struct mt_attest_request {
    uint8_t nonce[MT_ATTEST_NONCE_BYTES];
    mt_bytes formats[MT_ATTEST_FORMATS_MAX]; /* distinct, one at least; the dearest first */
    size_t formats_count;
};

/* What an end shows. A party without evidence says "none", with empty evidence and no endorsements.
 */
struct mt_attest {
    mt_bytes format; /* 1 to MT_ATTEST_FORMAT_BYTES_MAX of a-z 0-9 - */
    mt_bytes evidence;
    mt_bytes endorsements[MT_ENDORSEMENTS_MAX];
    size_t endorsements_count;
};

/* Parsers borrow from `in`, take a whole message and leave `out` alone on failure. What the writers
 * refuse (MT_E_FORMAT, in the writer), the parsers would refuse. */
void mt_attest_request_write(struct mt_writer *w, const struct mt_attest_request *q);
MT_ERR mt_attest_request_parse(mt_bytes in, struct mt_attest_request *out);

void mt_attest_write(struct mt_writer *w, const struct mt_attest *a);
MT_ERR mt_attest_parse(mt_bytes in, struct mt_attest *out);

/* The three fields of mt_attest, one after another: as they stand in a receipt, too. */
void mt_attest_fields_write(struct mt_writer *w, const struct mt_attest *a);
MT_ERR mt_attest_fields_read(struct mt_reader *r, struct mt_attest *out);

/* A message on the wire: u32 big endian length, then its bytes. MT_E_LIMIT beyond
 * MT_ATTEST_MESSAGE_BYTES_MAX, known as soon as the length is there; MT_E_FORMAT if it is 0. */
void mt_attest_frame_write(struct mt_writer *w, mt_bytes message);
/* Moves `*in` behind the frame and borrows its message; *is_whole = false, and nothing moved, while
 * bytes are missing. */
MT_ERR mt_attest_frame_read(mt_bytes *in, mt_bytes *message, bool *is_whole);

#endif
