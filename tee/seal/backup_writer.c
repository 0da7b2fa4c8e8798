/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/ct.h"
#include "seal/backup_inside.h"

enum { LEN_LEN = 4 }; /* what stands before each frame */

struct mt_backup_writer {
    struct mt_backup_options o;
    struct mt_secret *credential;
    struct mt_secret *shred_keys;
    struct mt_buf files;
    uint64_t bytes;
    struct mt_aead *cipher; /* NULL: nothing is written yet */
    uint64_t frames;
    struct mt_buf plain;
    struct mt_buf ready; /* sealed, not yet read */
    size_t next;         /* file */
    struct mt_file *file;
    uint64_t at;
    uint64_t left; /* of the file at hand */
    bool is_object;
    bool has_ended;
    uint8_t piece[MT_BACKUP_DATA_MAX];
};

static size_t count_of(const struct mt_backup_writer *w)
{
    return w->files.len / sizeof(struct mt_backup_file);
}

static struct mt_backup_file file_at(const struct mt_backup_writer *w, size_t i)
{
    struct mt_backup_file f;
    memcpy(&f, w->files.ptr + i * sizeof f, sizeof f);
    return f;
}

/* Length of a frame in the file, by writing all of it but the data. */
static uint64_t frame_len(const struct mt_backup_frame *f)
{
    uint8_t room[512];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_backup_frame empty = *f;
    uint64_t len_of_len = f->data.len < 24      ? 0
                          : f->data.len < 256   ? 1
                          : f->data.len < 65536 ? 2
                                                : 4;
    if (f->kind == MT_BACKUP_DATA) {
        empty.data.len = 0;
    }
    mt_backup_frame_write(&w, &empty);
    const mt_bytes head = mt_write_done(&w);
    uint64_t data = f->kind == MT_BACKUP_DATA ? len_of_len + f->data.len : 0;
    return LEN_LEN + head.len + data + MT_AEAD_TAG_LEN;
}

static uint64_t data_len(size_t len)
{
    const struct mt_backup_frame f = {.kind = MT_BACKUP_DATA, .data = {NULL, len}};
    return frame_len(&f);
}

static struct mt_backup_frame end_of(const struct mt_backup_writer *w)
{
    struct mt_backup_frame f = {.kind = MT_BACKUP_END, .files = count_of(w)};
    for (size_t i = 0; i < count_of(w); i++) {
        f.size += file_at(w, i).size_bytes;
    }
    return f;
}

static uint64_t length_of(const struct mt_backup_writer *w)
{
    static const uint8_t zeros[MT_SHRED_FILE_BYTES_MAX];
    const struct mt_backup_frame end = end_of(w);
    const struct mt_backup_frame secrets = {
        .kind = MT_BACKUP_SECRETS,
        .root_key = {zeros, MT_SLOT_KEY_LEN},
        .shred_keys = {zeros, mt_secret_bytes(w->shred_keys).len},
        .platform_key = {zeros, MT_PLATFORM_KEY_LEN},
    };
    uint64_t whole = data_len(MT_BACKUP_DATA_MAX);
    uint64_t bytes = MT_BACKUP_HEAD_LEN + frame_len(&secrets) + frame_len(&end);
    for (size_t i = 0; i < count_of(w); i++) {
        struct mt_backup_file file = file_at(w, i);
        const struct mt_backup_frame f = {
            .kind = MT_BACKUP_FILE, .name = mt_bytes_of_text(file.name), .size = file.size_bytes};
        size_t rest = (size_t)(file.size_bytes % MT_BACKUP_DATA_MAX);
        bytes += frame_len(&f) + file.size_bytes / MT_BACKUP_DATA_MAX * whole;
        bytes += rest > 0 ? data_len(rest) : 0;
    }
    return bytes;
}

MT_ERR mt_backup_writer_new(const struct mt_backup_options *o, struct mt_buf *files,
                            struct mt_backup_writer **out)
{
    MT_DEFER(mt_backup_writer_free) struct mt_backup_writer *w = NULL;
    MT_TRY(mt_credential_check(&o->credential));
    MT_REQUIRE(o->credential.secret.len <= MT_SECRET_BYTES_MAX, MT_E_ARG,
               "the credential of a backup has at most 256 bytes");
    w = calloc(1, sizeof *w);
    MT_REQUIRE(w != NULL, MT_E_NOMEM, "no memory for a backup");
    w->o = *o;
    w->plain = mt_buf_of_max(MT_BACKUP_FRAME_MAX);
    w->ready = mt_buf_of_max(2 * (size_t)MT_BACKUP_FRAME_MAX);
    MT_TRY(mt_secret_copy(o->credential.secret, &w->credential));
    w->o.credential.secret = mt_secret_bytes(w->credential);
    MT_TRY(mt_shred_export(o->shred, &w->shred_keys));
    w->files = *files;
    *files = mt_buf_of_max(0); /* taken */
    w->bytes = length_of(w);
    *out = w;
    w = NULL; /* given */
    return MT_OK;
}

uint64_t mt_backup_writer_bytes(const struct mt_backup_writer *w)
{
    return w->bytes;
}

static MT_ERR put_frame(struct mt_backup_writer *w, const struct mt_backup_frame *f)
{
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    mt_span room;
    struct mt_writer plain = mt_writer_onto(&w->plain);
    mt_backup_frame_write(&plain, f);
    MT_TRY(plain.failed);
    MT_TRY(mt_buf_reserve(&w->ready, LEN_LEN + w->plain.len + MT_AEAD_TAG_LEN, &room));
    struct mt_writer len = mt_writer_over((mt_span){room.ptr, LEN_LEN});
    mt_write_u32le(&len, (uint32_t)w->plain.len);
    mt_aead_nonce_of(w->frames++, nonce);
    MT_TRY(mt_aead_seal(w->cipher, MT_BYTES_OF(nonce), (mt_bytes){NULL, 0}, mt_buf_bytes(&w->plain),
                        (mt_span){room.ptr + mt_write_done(&len).len, room.len - LEN_LEN}));
    w->ready.len += room.len;
    mt_wipe((mt_span){w->plain.ptr, w->plain.len});
    mt_buf_drop(&w->plain, w->plain.len);
    return MT_OK;
}

/* Head and keys. */
static MT_ERR begin(struct mt_backup_writer *w)
{
    uint8_t head[MT_BACKUP_HEAD_LEN];
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf platform = mt_buf_of_max(MT_PLATFORM_KEY_LEN);
    struct mt_slot slot = {.purpose = MT_SLOT_FOR_BACKUP, .made_ms = w->o.host_time_ms};
    struct mt_backup_head h = {
        .cluster_id = w->o.cluster_id, .transactions = w->o.transactions, .root = w->o.tree_root};
    struct mt_writer s = mt_writer_over((mt_span){h.slot, sizeof h.slot});
    MT_TRY(mt_secret_random(MT_SLOT_KEY_LEN, &key));
    MT_TRY(mt_slot_seal(&slot, &w->o.credential, mt_secret_bytes(key)));
    mt_slot_write(&s, &slot);
    h.slot_len = mt_write_done(&s).len;
    mt_backup_head_write(&h, head);
    MT_TRY(mt_backup_cipher(key, MT_BYTES_OF(head), &w->cipher));
    MT_TRY(mt_buf_append(&w->ready, MT_BYTES_OF(head)));
    MT_TRY(mt_small_file_read(w->o.fs, w->o.root, "platform.mts", &platform));
    MT_REQUIRE(platform.len == MT_PLATFORM_KEY_LEN, MT_E_FORMAT, "the platform key is none");
    const struct mt_backup_frame f = {.kind = MT_BACKUP_SECRETS,
                                      .root_key = mt_root_key(w->o.root),
                                      .shred_keys = mt_secret_bytes(w->shred_keys),
                                      .platform_key = mt_buf_bytes(&platform)};
    return put_frame(w, &f);
}

static MT_ERR begin_file(struct mt_backup_writer *w)
{
    struct mt_backup_file file = file_at(w, w->next++);
    const struct mt_backup_frame f = {
        .kind = MT_BACKUP_FILE, .name = mt_bytes_of_text(file.name), .size = file.size_bytes};
    w->is_object = mt_backup_is_object(f.name);
    w->at = 0;
    w->left = file.size_bytes;
    mt_err e = mt_fs_open(w->o.fs, file.name, MT_FS_READ, &w->file);
    bool is_gone = mt_failed(e) && e.fault->code == MT_E_NOTFOUND && w->is_object;
    MT_REQUIRE(!mt_failed(e) || is_gone, MT_E_IO, "a file of the node cannot be opened");
    return put_frame(w, &f);
}

static MT_ERR put_piece(struct mt_backup_writer *w)
{
    size_t len = w->left < MT_BACKUP_DATA_MAX ? (size_t)w->left : MT_BACKUP_DATA_MAX;
    size_t got = 0;
    if (w->file != NULL) {
        MT_TRY(mt_file_read_at(w->file, w->at, (mt_span){w->piece, len}, &got));
    }
    MT_REQUIRE(got == len || w->is_object, MT_E_IO, "a file of the ledger became shorter");
    memset(w->piece + got, 0, len - got);
    w->at += len;
    w->left -= len;
    if (w->left == 0) {
        mt_file_close(&w->file);
    }
    const struct mt_backup_frame f = {.kind = MT_BACKUP_DATA, .data = {w->piece, len}};
    return put_frame(w, &f);
}

static MT_ERR put_next(struct mt_backup_writer *w)
{
    if (w->cipher == NULL) {
        return begin(w);
    }
    if (w->left > 0) {
        return put_piece(w);
    }
    mt_file_close(&w->file);
    if (w->next < count_of(w)) {
        return begin_file(w);
    }
    const struct mt_backup_frame f = end_of(w);
    w->has_ended = true;
    return put_frame(w, &f);
}

MT_ERR mt_backup_writer_read(struct mt_backup_writer *w, mt_span out, size_t *got)
{
    size_t done = 0;
    while (done < out.len) {
        if (w->ready.len == 0 && w->has_ended) {
            break;
        }
        if (w->ready.len == 0) {
            MT_TRY(put_next(w));
        }
        size_t n = w->ready.len < out.len - done ? w->ready.len : out.len - done;
        memcpy(out.ptr + done, w->ready.ptr, n);
        mt_buf_drop(&w->ready, n);
        done += n;
    }
    *got = done;
    return MT_OK;
}

void mt_backup_writer_free(struct mt_backup_writer **wp)
{
    struct mt_backup_writer *w = *wp;
    *wp = NULL;
    if (w == NULL) {
        return;
    }
    mt_file_close(&w->file);
    mt_aead_free(&w->cipher);
    mt_secret_free(&w->credential);
    mt_secret_free(&w->shred_keys);
    mt_buf_free(&w->files);
    mt_buf_free(&w->plain);
    mt_buf_free(&w->ready);
    free(w);
}
