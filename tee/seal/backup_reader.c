/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/ct.h"
#include "seal/backup_inside.h"

struct mt_backup_reader {
    struct mt_fs *fs;
    struct mt_secret *secret;
    struct mt_credential credential;
    struct mt_backup_head head;
    struct mt_aead *cipher; /* NULL: the head has not come yet */
    struct mt_buf in;
    uint64_t frames;
    struct mt_secret *root_key; /* NULL: the first frame has not come yet */
    struct mt_secret *shred_keys;
    struct mt_secret *platform_key;
    struct mt_file *file;
    uint64_t at;
    uint64_t left;
    uint64_t files;
    uint64_t bytes;
    bool has_ended;
    uint8_t plain[MT_BACKUP_FRAME_MAX];
};

static MT_ERR make_places(struct mt_fs *fs)
{
    static const char *const dirs[] = {"ledger", "snapshot", "objects", "staging"};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        MT_TRY(mt_fs_make_dir(fs, dirs[i]));
    }
    return mt_fs_sync_dir(fs, ".");
}

MT_ERR mt_backup_reader_new(struct mt_fs *fs, const struct mt_credential *credential,
                            struct mt_backup_reader **out)
{
    MT_DEFER(mt_backup_reader_free) struct mt_backup_reader *r = NULL;
    MT_TRY(mt_credential_check(credential));
    MT_REQUIRE(credential->secret.len <= MT_SECRET_BYTES_MAX, MT_E_ARG,
               "the credential of a backup has at most 256 bytes");
    r = calloc(1, sizeof *r);
    MT_REQUIRE(r != NULL, MT_E_NOMEM, "no memory to read a backup");
    r->fs = fs;
    r->in = mt_buf_of_max(4 * (size_t)MT_BACKUP_FRAME_MAX);
    MT_TRY(mt_secret_copy(credential->secret, &r->secret));
    r->credential =
        (struct mt_credential){.kind = credential->kind, .secret = mt_secret_bytes(r->secret)};
    MT_TRY(make_places(fs));
    *out = r;
    r = NULL; /* given */
    return MT_OK;
}

static MT_ERR read_head(struct mt_backup_reader *r)
{
    struct mt_slot slot;
    const mt_bytes head = {r->in.ptr, MT_BACKUP_HEAD_LEN};
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(mt_backup_head_parse(head, &r->head));
    MT_TRY(mt_slot_parse((mt_bytes){r->head.slot, r->head.slot_len}, &slot));
    MT_REQUIRE(slot.purpose == MT_SLOT_FOR_BACKUP, MT_E_PROOF,
               "the key slot of a backup is for something else");
    MT_REQUIRE(slot.kind == r->credential.kind, MT_E_PROOF,
               "the backup is sealed under another kind of credential");
    MT_TRY(mt_secret_new(MT_SLOT_KEY_LEN, &key));
    MT_REQUIRE(!mt_failed(mt_slot_unseal(&slot, &r->credential, mt_secret_span(key))), MT_E_PROOF,
               "this is not the credential that the backup was made with, or it was changed");
    MT_TRY(mt_backup_cipher(key, head, &r->cipher));
    mt_buf_drop(&r->in, head.len);
    return MT_OK;
}

static MT_ERR take_secrets(struct mt_backup_reader *r, const struct mt_backup_frame *f)
{
    MT_ASSERT(r->root_key == NULL); /* they stand in the first frame, and in no other */
    MT_TRY(mt_secret_copy(f->root_key, &r->root_key));
    MT_TRY(mt_secret_copy(f->shred_keys, &r->shred_keys));
    return mt_secret_copy(f->platform_key, &r->platform_key);
}

static MT_ERR end_file(struct mt_backup_reader *r)
{
    if (r->file != NULL) {
        MT_TRY(mt_file_sync(r->file));
        mt_file_close(&r->file);
    }
    return MT_OK;
}

static MT_ERR take_file(struct mt_backup_reader *r, const struct mt_backup_frame *f)
{
    char name[MT_BACKUP_NAME_MAX] = {0};
    MT_ASSERT(f->name.len < sizeof name);
    MT_REQUIRE(r->left == 0, MT_E_PROOF, "a file of a backup is not complete");
    memcpy(name, f->name.ptr, f->name.len);
    MT_TRY(end_file(r));
    MT_TRY(mt_fs_open(r->fs, name, MT_FS_CREATE, &r->file));
    r->at = 0;
    r->left = f->size;
    r->files++;
    return MT_OK;
}

static MT_ERR take_data(struct mt_backup_reader *r, mt_bytes data)
{
    MT_REQUIRE(r->file != NULL && data.len <= r->left, MT_E_PROOF,
               "a file of a backup is longer than it says");
    MT_TRY(mt_file_write_at(r->file, r->at, data));
    r->at += data.len;
    r->left -= data.len;
    r->bytes += data.len;
    return MT_OK;
}

static MT_ERR take_end(struct mt_backup_reader *r, const struct mt_backup_frame *f)
{
    MT_REQUIRE(r->left == 0 && f->files == r->files && f->size == r->bytes, MT_E_PROOF,
               "a backup does not end where it says");
    MT_TRY(end_file(r));
    r->has_ended = true;
    return MT_OK;
}

static MT_ERR take_frame(struct mt_backup_reader *r, mt_bytes sealed)
{
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    struct mt_backup_frame f;
    size_t len = sealed.len - MT_AEAD_TAG_LEN;
    mt_aead_nonce_of(r->frames++, nonce);
    MT_REQUIRE(!mt_failed(mt_aead_unseal(r->cipher, MT_BYTES_OF(nonce), (mt_bytes){NULL, 0}, sealed,
                                         (mt_span){r->plain, len})),
               MT_E_PROOF, "the backup is not as it was written");
    MT_TRY(mt_backup_frame_parse((mt_bytes){r->plain, len}, &f));
    MT_REQUIRE((f.kind == MT_BACKUP_SECRETS) == (r->frames == 1), MT_E_PROOF,
               "the keys do not stand first in a backup");
    switch (f.kind) {
    case MT_BACKUP_END:
        return take_end(r, &f);
    case MT_BACKUP_SECRETS:
        return take_secrets(r, &f);
    case MT_BACKUP_FILE:
        return take_file(r, &f);
    case MT_BACKUP_DATA:
    default:
        break;
    }
    MT_ASSERT(f.kind == MT_BACKUP_DATA);
    return take_data(r, f.data);
}

/* *is_whole: a frame was taken, look for the next. */
static MT_ERR try_frame(struct mt_backup_reader *r, bool *is_whole)
{
    struct mt_reader in = mt_reader_over(mt_buf_bytes(&r->in));
    uint32_t len = 0;
    *is_whole = false;
    if (mt_failed(mt_read_u32le(&in, &len))) {
        return MT_OK;
    }
    MT_REQUIRE(len <= MT_BACKUP_FRAME_MAX, MT_E_PROOF, "a frame of a backup is too long");
    size_t sealed = (size_t)len + MT_AEAD_TAG_LEN;
    if (in.rest.len < sealed) {
        return MT_OK;
    }
    MT_REQUIRE(!r->has_ended, MT_E_PROOF, "something stands behind the end of a backup");
    MT_TRY(take_frame(r, (mt_bytes){in.rest.ptr, sealed}));
    mt_buf_drop(&r->in, 4 + sealed);
    *is_whole = true;
    return MT_OK;
}

static MT_ERR take_all(struct mt_backup_reader *r)
{
    bool is_whole = true;
    if (r->cipher == NULL && r->in.len < MT_BACKUP_HEAD_LEN) {
        return MT_OK;
    }
    if (r->cipher == NULL) {
        MT_TRY(read_head(r));
    }
    while (is_whole) {
        MT_TRY(try_frame(r, &is_whole));
    }
    return MT_OK;
}

MT_ERR mt_backup_reader_add(struct mt_backup_reader *r, mt_bytes piece)
{
    while (piece.len > 0) {
        size_t n = piece.len < MT_BACKUP_DATA_MAX ? piece.len : MT_BACKUP_DATA_MAX;
        MT_TRY(mt_buf_append(&r->in, (mt_bytes){piece.ptr, n}));
        piece = (mt_bytes){piece.ptr + n, piece.len - n};
        MT_TRY(take_all(r));
    }
    return MT_OK;
}

MT_ERR mt_backup_reader_end(struct mt_backup_reader *r, const struct mt_credential *node,
                            uint64_t host_time_ms, struct mt_backup_head *out)
{
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    MT_REQUIRE(r->has_ended && r->in.len == 0, MT_E_PROOF, "the backup is cut off");
    MT_TRY(mt_fs_sync_dir(r->fs, "ledger"));
    MT_TRY(mt_fs_sync_dir(r->fs, "objects"));
    MT_TRY(mt_root_create_with(r->fs, node, host_time_ms, mt_secret_bytes(r->root_key)));
    MT_TRY(mt_root_open(r->fs, node, &root));
    MT_TRY(mt_small_file_write(r->fs, root, "shred.mts", mt_secret_bytes(r->shred_keys)));
    MT_TRY(mt_small_file_write(r->fs, root, "platform.mts", mt_secret_bytes(r->platform_key)));
    *out = r->head;
    return MT_OK;
}

void mt_backup_reader_free(struct mt_backup_reader **rp)
{
    struct mt_backup_reader *r = *rp;
    *rp = NULL;
    if (r == NULL) {
        return;
    }
    mt_file_close(&r->file);
    mt_aead_free(&r->cipher);
    mt_secret_free(&r->secret);
    mt_secret_free(&r->root_key);
    mt_secret_free(&r->shred_keys);
    mt_secret_free(&r->platform_key);
    mt_buf_free(&r->in);
    mt_wipe((mt_span){r->plain, sizeof r->plain});
    free(r);
}
