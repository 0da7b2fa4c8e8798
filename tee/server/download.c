/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/assert.h"
#include "crypto/ct.h"
#include "seal/object.h"
#include "server/inside.h"

/* One piece is read and verified by the object thread while the one before it leaves. */
struct mt_download {
    struct mt_conn *conn;
    struct mt_secret *key;
    struct mt_object_handle handle;
    struct mt_object_reader *reader;
    struct mt_backup_writer *backup; /* instead */
    struct mt_work work;
    uint64_t at; /* of the next piece to be read */
    size_t got;  /* read, not yet in the connection's output */
    bool is_busy;
    size_t room; /* for one piece, or for all there is */
    uint8_t piece[];
};

static mt_err run_read(struct mt_work *w)
{
    struct mt_download *d = w->state;
    if (d->backup != NULL) {
        return mt_backup_writer_read(d->backup, (mt_span){d->piece, d->room}, &d->got);
    }
    if (d->reader == NULL) {
        MT_TRY(mt_object_reader_new(d->conn->server->o.fs, &d->handle, mt_secret_bytes(d->key),
                                    &d->reader));
    }
    return mt_object_reader_read_at(d->reader, d->at, (mt_span){d->piece, d->room}, &d->got);
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
    size_t room = size_bytes < MT_TRANSFER_BYTES ? (size_t)size_bytes : MT_TRANSFER_BYTES;
    struct mt_download *d = calloc(1, sizeof *d + room);
    if (d != NULL) {
        d->room = room;
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
    if (d->got > 0 && mt_conn_out_room(c) > 0) {
        if (mt_failed(mt_buf_append(&c->out, (mt_bytes){d->piece, d->got}))) {
            mt_conn_close(c);
            return;
        }
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

bool mt_download_has_begun(const struct mt_download *d)
{
    return d->at > 0 || mt_download_is_done(d);
}

bool mt_download_is_done(const struct mt_download *d)
{
    return d->conn->x.is_head || (!d->is_busy && d->got == 0 && d->at == d->handle.size_bytes);
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
    mt_wipe((mt_span){d->piece, d->room});
    free(d);
    *dp = NULL;
}
