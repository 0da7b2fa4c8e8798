/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_STREAM_H
#define MT_SERVER_STREAM_H

#include "seal/backup.h"
#include "seal/object.h"

/* Large bodies on their way in and out, for the files of this folder alone. */

struct mt_conn;

/* ---- upload.c: a large body on its way into a staging object */
struct mt_upload;
MT_ERR mt_upload_new(struct mt_conn *c, struct mt_upload **out);
/* As much as mt_upload_add() takes now, and where: what is put there already is not copied. */
mt_span mt_upload_room(const struct mt_upload *u);
void mt_upload_add(struct mt_upload *u, mt_bytes bytes);
/* No more bytes: seals and syncs, then calls mt_exchange_body_done(). */
void mt_upload_end(struct mt_upload *u);
const struct mt_object_handle *mt_upload_handle(const struct mt_upload *u);
const mt_hash *mt_upload_hash(const struct mt_upload *u); /* SHA-256 of the plaintext */
const struct mt_secret *mt_upload_key(const struct mt_upload *u);
mt_bytes mt_upload_head(const struct mt_upload *u); /* its first bytes */
void mt_upload_keep(struct mt_upload *u);           /* the ledger names it now: the file stays */
/* Removes what was not kept; may end later, when the object thread has let go of it. */
void mt_upload_free(struct mt_upload **u);

/* ---- download.c: an object on its way out */
struct mt_download;
MT_ERR mt_download_new(struct mt_conn *c, const struct mt_object_handle *h, struct mt_secret **key,
                       struct mt_download **out); /* takes the key */
/* The same for a backup, which is taken. */
MT_ERR mt_download_backup(struct mt_conn *c, struct mt_backup_writer **w, struct mt_download **out);
/* Starts, and goes on whenever a piece has left. */
void mt_download_pump(struct mt_download *d);
mt_bytes mt_download_piece(const struct mt_download *d); /* to be sent, behind c->out */
void mt_download_sent(struct mt_download *d, size_t len);
bool mt_download_has_begun(const struct mt_download *d); /* a piece is there, or none will come */
bool mt_download_is_done(const struct mt_download *d);
void mt_download_free(struct mt_download **d);

#endif
