/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_OBJECT_H
#define MT_SEAL_OBJECT_H

#include "crypto/secret.h"
#include "platform/fs.h"
#include "seal/handle.h"

/*
 * Sealed objects: big bytes, encrypted chunk by chunk, written once. Header (format, object id,
 * chunk size) | chunks AES-256-GCM, 64 KiB of plaintext each, nonce = chunk number under a key used
 * for one object | leaf table (the tags), one behind every 256 chunks | the Merkle root of all
 * tags is in the handle, hence in the ledger. Random access; 1.2 MiB of memory to write, 0.2 MiB to
 * read, whatever the size. Blocking: used on a pool thread; single owner.
 *
 * A new object lies in staging/ with a key that exists in memory alone, until mt_object_keep();
 * staging/ is emptied at start.
 */
struct mt_object_writer;
MT_ERR mt_object_writer_new(struct mt_fs *fs,
                            struct mt_object_writer **out); /* random id, key, salt */
/* Any length. After a failure the object cannot be ended any more. */
MT_ERR mt_object_writer_add(struct mt_object_writer *w, mt_bytes plain);
/* Writes the leaf table and syncs the file and its directory: after it the object is durable in
 * staging/. */
MT_ERR mt_object_writer_end(struct mt_object_writer *w, struct mt_object_handle *out);
const mt_id *mt_object_writer_id(const struct mt_object_writer *w);
/* The object's key, for mt_shred_wrap(). Borrows. */
const struct mt_secret *mt_object_writer_key(const struct mt_object_writer *w);
/* SHA-256 of the plaintext; set by mt_object_writer_end(). */
const mt_hash *mt_object_writer_hash(const struct mt_object_writer *w);
/* Moves it from staging/ to objects/, durably. Before the transaction that names it is cut. */
MT_ERR mt_object_keep(struct mt_fs *fs, const mt_id *id);
/* Without mt_object_keep(): removes the file. Wipes the key. */
void mt_object_writer_free(struct mt_object_writer **w);

struct mt_object_reader;
/* Verifies header and leaf table against the handle: MT_E_PROOF else, MT_E_NOTFOUND if the file is
 * gone. Copies the key. */
MT_ERR mt_object_reader_new(struct mt_fs *fs, const struct mt_object_handle *h, mt_bytes key,
                            struct mt_object_reader **out);
/* Plaintext at `at`; *got < out.len only at the end. MT_E_PROOF for any byte that is not what was
 * sealed. */
MT_ERR mt_object_reader_read_at(struct mt_object_reader *r, uint64_t at, mt_span out, size_t *got);
void mt_object_reader_free(struct mt_object_reader **r);

MT_ERR mt_object_remove(struct mt_fs *fs,
                        const mt_id *id); /* the file; its key dies with the shred key */
/* At start: empties staging/, and removes every object of objects/ for which `is_live` says false
 * (crash between keep and commit). */
MT_ERR mt_object_sweep(struct mt_fs *fs, bool (*is_live)(void *state, const mt_id *id),
                       void *state);

#endif
