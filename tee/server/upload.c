/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "seal/object.h"
#include "server/inside.h"

/*
 * Two buffers go round between the loop, which fills one, and the object thread, which seals and
 * writes the other. A connection that dies meanwhile is kept until the object thread has let go.
 */
struct mt_upload {
    struct mt_conn *conn;
    struct mt_server *server;
    struct mt_object_writer *writer;
    struct mt_work work;
    uint8_t *filling;
    uint8_t *writing;
    size_t filled;
    size_t to_write;
    bool is_busy;  /* the object thread has the writer */
    bool is_ended; /* no more bytes will come */
    bool is_sealed;
    bool is_kept;
    struct mt_object_handle handle;
    size_t head_len;
    uint8_t head[MT_BODY_INLINE_BYTES_MAX];
};

static void dispose(struct mt_upload *u)
{
    if (u->is_sealed && !u->is_kept) {
        (void)mt_failed(
            mt_object_remove(u->server->o.fs, &u->handle.id)); /* else swept at the next start */
    }
    mt_object_writer_free(&u->writer);
    free(u->filling);
    free(u->writing);
    free(u);
}

static mt_err run_write(struct mt_work *w)
{
    struct mt_upload *u = w->state;
    return mt_object_writer_add(u->writer, (mt_bytes){u->writing, u->to_write});
}

static mt_err run_end(struct mt_work *w)
{
    struct mt_upload *u = w->state;
    MT_TRY(mt_object_writer_end(u->writer, &u->handle));
    MT_TRY(mt_object_keep(u->server->o.fs, &u->handle.id));
    u->is_sealed = true;
    return MT_OK;
}

static void work_done(struct mt_work *w, mt_err e);

static void submit(struct mt_upload *u, mt_err (*run)(struct mt_work *))
{
    u->work = (struct mt_work){.run = run, .done = work_done, .state = u};
    u->is_busy = true;
    mt_conn_work_begins(u->conn);
    mt_err e = mt_pool_submit(u->server->o.object, &u->work);
    if (mt_failed(e)) {
        mt_loop_post(u->server->o.loop, &u->work, e);
    }
}

/* What was filled goes to the object thread; when all is written, the end. */
static void go_on(struct mt_upload *u)
{
    if (u->is_busy) {
        return;
    }
    if (u->filled == MT_TRANSFER_BYTES || (u->is_ended && u->filled > 0)) {
        uint8_t *full = u->filling;
        u->filling = u->writing;
        u->writing = full;
        u->to_write = u->filled;
        u->filled = 0;
        submit(u, run_write);
    } else if (u->is_ended) {
        submit(u, run_end);
    }
}

static void after_work(struct mt_conn *c, mt_err e)
{
    struct mt_upload *u = c->x.upload;
    bool is_wanted = c->state == MT_CONN_BODY || c->state == MT_CONN_SEALING;
    if (is_wanted && (mt_failed(e) || u->is_sealed)) {
        mt_exchange_body_done(c, e);
    } else if (is_wanted) {
        go_on(u);
    } /* else it was refused meanwhile, and its end is waited for */
}

static void work_done(struct mt_work *w, mt_err e)
{
    struct mt_upload *u = w->state;
    struct mt_conn *c = u->conn;
    u->is_busy = false;
    if (!mt_conn_work_ends(c)) {
        return; /* the connection died, and the upload with it */
    }
    mt_conn_go_on(c, after_work, e);
}

MT_ERR mt_upload_new(struct mt_conn *c, struct mt_upload **out)
{
    struct mt_upload *u = calloc(1, sizeof *u);
    MT_REQUIRE(u != NULL, MT_E_NOMEM, "no memory for an upload");
    u->conn = c;
    u->server = c->server;
    u->filling = malloc(MT_TRANSFER_BYTES);
    u->writing = malloc(MT_TRANSFER_BYTES);
    mt_err e = mt_object_writer_new(c->server->o.fs, &u->writer);
    if (mt_failed(e) || u->filling == NULL || u->writing == NULL) {
        dispose(u);
        MT_TRY(e);
        MT_FAIL(MT_E_NOMEM, "no memory for an upload");
    }
    *out = u;
    return MT_OK;
}

mt_span mt_upload_room(const struct mt_upload *u)
{
    return (mt_span){u->filling + u->filled, MT_TRANSFER_BYTES - u->filled};
}

void mt_upload_add(struct mt_upload *u, mt_bytes bytes)
{
    mt_span room = mt_upload_room(u);
    MT_ASSERT(bytes.len <= room.len);
    size_t head = sizeof u->head - u->head_len;
    head = head < bytes.len ? head : bytes.len;
    memcpy(u->head + u->head_len, bytes.ptr, head);
    u->head_len += head;
    if (bytes.ptr != room.ptr) {
        memcpy(room.ptr, bytes.ptr, bytes.len);
    }
    u->filled += bytes.len;
    go_on(u);
}

void mt_upload_end(struct mt_upload *u)
{
    u->is_ended = true;
    go_on(u);
}

const struct mt_object_handle *mt_upload_handle(const struct mt_upload *u)
{
    return &u->handle;
}

const mt_hash *mt_upload_hash(const struct mt_upload *u)
{
    return mt_object_writer_hash(u->writer);
}

const struct mt_secret *mt_upload_key(const struct mt_upload *u)
{
    return mt_object_writer_key(u->writer);
}

mt_bytes mt_upload_head(const struct mt_upload *u)
{
    return (mt_bytes){u->head, u->head_len};
}

void mt_upload_keep(struct mt_upload *u)
{
    u->is_kept = true;
}

void mt_upload_free(struct mt_upload **u)
{
    if (*u != NULL) {
        MT_ASSERT(!(*u)->is_busy); /* a connection is freed when its last work is back */
        dispose(*u);
        *u = NULL;
    }
}
