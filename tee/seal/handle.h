/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_HANDLE_H
#define MT_SEAL_HANDLE_H

#include "base/id.h"

/*
 * What a service knows of a sealed object: a value, public or private as its map says. The bytes
 * stay in tee/seal, and the key opens through a permit alone.
 */
struct mt_object_handle {
    mt_id id;
    uint64_t size_bytes; /* of the plaintext */
    mt_hash root;        /* over the sealed chunks, see spec/sealed-object.md */
    mt_hash salt;        /* secret: makes the commitment say nothing of low-entropy content */
    mt_hash commitment;  /* SHA-256(u8 len || label || salt || u64be size || SHA-256(plaintext)) */
};

enum { MT_OBJECT_WRAP_LEN = 8 + 12 + 32 + 16 }; /* shred epoch, nonce, key, tag */

/* An object key, wrapped under the shred key. A value that may lie in the ledger: it opens nothing
 * without tee/seal's small file. */
struct mt_object_wrap {
    uint8_t b[MT_OBJECT_WRAP_LEN];
};

/* Handle as CBOR in a map's value: one encoding, in spec/sealed-object.md. The parser reads one
 * handle from whatever stands there; what follows it is the caller's. */
void mt_object_handle_write(struct mt_writer *w, const struct mt_object_handle *h);
MT_ERR mt_object_handle_parse(struct mt_reader *r, struct mt_object_handle *out);

#endif
