/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/assert.h"
#include "crypto/ct.h"
#include "seal/object.h"
#include "server/inside.h"

/* One piece is read and verified by the object thread while the one before it leaves, straight from
 * where it was unsealed to. */
struct mt_download {
    struct mt_conn *conn;
    struct mt_secret *key;
    struct mt_object_handle handle;
    struct mt_object_reader *reader;
    struct mt_backup_writer *backup; /* instead */
    struct mt_work work;
    uint64_t at; /* of the next piece to be read */
    mt_bytes leaving;
    size_t got; /* read into the other piece */
    bool is_busy;
    size_t pieces_len;
    size_t room;      /* for one piece, or for all there is */
    uint8_t *reading; /* the other piece: there is one, or there are two */
    uint8_t pieces[];
};

static mt_err run_read(struct mt_work *w)
{
    struct mt_download *d = w->state;
    if (d->backup != NULL) {
        return mt_backup_writer_read(d->backup, (mt_span){d->reading, d->room}, &d->got);
    }
    if (d->reader == NULL) {
        MT_TRY(mt_object_reader_new(d->conn->server->o.fs, &d->handle, mt_secret_bytes(d->key),
                                    &d->reader));
    }
    return mt_object_reader_read_at(d->reader, d->at, (mt_span){d->reading, d->room}, &d->got);
}

static void read_done(struct mt_work *w, mt_err e)
{
    struct mt_download *d = w->state;
    struct mt_conn *c = d->conn;
    d->is_busy = false;
    if (!mt_conn_work_ends(c)) {
        return;
    }
    if (mt_failed(e) || d->got == 0) {
        /* The head has left with a length: what is missing must not look like an end. */
        mt_conn_close(c);
        return;
    }
    d->at += d->got;
    mt_conn_pump(c);
}

static struct mt_download *make(uint64_t size_bytes)
{
    bool is_one = size_bytes <= MT_TRANSFER_BYTES;
    size_t room = is_one ? (size_t)size_bytes : MT_TRANSFER_BYTES;
    struct mt_download *d = calloc(1, sizeof *d + (is_one ? room : 2 * room));
    if (d != NULL) {
        d->room = room;
        d->pieces_len = is_one ? room : 2 * room;
        d->reading = d->pieces;
    }
    return d;
}

MT_ERR mt_download_new(struct mt_conn *c, const struct mt_object_handle *h, struct mt_secret **key,
                       struct mt_download **out)
{
    struct mt_download *d = make(h->size_bytes);
    MT_REQUIRE(d != NULL, MT_E_NOMEM, "no memory for a download");
    d->conn = c;
    d->handle = *h;
    d->key = *key;
    *key = NULL; /* taken */
    *out = d;
    return MT_OK;
}

MT_ERR mt_download_backup(struct mt_conn *c, struct mt_backup_writer **w, struct mt_download **out)
{
    struct mt_download *d = make(mt_backup_writer_bytes(*w));
    MT_REQUIRE(d != NULL, MT_E_NOMEM, "no memory for a download");
    d->conn = c;
    d->backup = *w;
    *w = NULL; /* taken */
    d->handle.size_bytes = mt_backup_writer_bytes(d->backup);
    *out = d;
    return MT_OK;
}

void mt_download_pump(struct mt_download *d)
{
    struct mt_conn *c = d->conn;
    if (d->is_busy || c->x.is_head) {
        return;
    }
    if (d->got > 0 && d->leaving.len == 0) {
        d->leaving = (mt_bytes){d->reading, d->got};
        d->reading = d->reading == d->pieces ? d->pieces + d->room : d->pieces;
        d->got = 0;
    }
    if (d->got == 0 && d->at < d->handle.size_bytes) {
        d->work = (struct mt_work){.run = run_read, .done = read_done, .state = d};
        d->is_busy = true;
        mt_conn_work_begins(c);
        mt_err e = mt_pool_submit(c->server->o.object, &d->work);
        if (mt_failed(e)) {
            mt_loop_post(c->server->o.loop, &d->work, e);
        }
    }
}

mt_bytes mt_download_piece(const struct mt_download *d)
{
    return d->leaving;
}

void mt_download_sent(struct mt_download *d, size_t len)
{
    MT_ASSERT(len <= d->leaving.len);
    d->leaving = (mt_bytes){d->leaving.ptr + len, d->leaving.len - len};
}

bool mt_download_has_begun(const struct mt_download *d)
{
    return d->at > 0 || mt_download_is_done(d);
}

bool mt_download_is_done(const struct mt_download *d)
{
    return d->conn->x.is_head ||
           (!d->is_busy && d->got == 0 && d->leaving.len == 0 && d->at == d->handle.size_bytes);
}

void mt_download_free(struct mt_download **dp)
{
    struct mt_download *d = *dp;
    if (d == NULL) {
        return;
    }
    MT_ASSERT(!d->is_busy);
    mt_object_reader_free(&d->reader);
    mt_backup_writer_free(&d->backup);
    mt_secret_free(&d->key);
    mt_wipe((mt_span){d->pieces, d->pieces_len});
    free(d);
    *dp = NULL;
}
