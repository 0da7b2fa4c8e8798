/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/assert.h"
#include "crypto/kdf.h"
#include "seal/backup.h"
#include "seal/backup_inside.h"
#include "wire/cbor.h"

enum { VERSION = 1, LEDGER_DIGITS = 20, OBJECT_DIGITS = 32 };
static const char magic[8] = {'M', 'T', 'B', 'A', 'C', 'K', 'U', 'P'};

void mt_backup_head_write(const struct mt_backup_head *h, uint8_t out[MT_BACKUP_HEAD_LEN])
{
    mt_bytes all;
    uint8_t slot[sizeof h->slot] = {0};
    struct mt_writer w = mt_writer_over((mt_span){out, MT_BACKUP_HEAD_LEN});
    MT_ASSERT(h->slot_len <= sizeof h->slot);
    memcpy(slot, h->slot, h->slot_len);
    mt_write_bytes(&w, (mt_bytes){(const uint8_t *)magic, sizeof magic});
    mt_write_u32le(&w, VERSION);
    mt_write_u32le(&w, (uint32_t)h->slot_len);
    mt_write_bytes(&w, mt_hash_bytes(&h->cluster_id));
    mt_write_u64le(&w, h->transactions);
    mt_write_bytes(&w, mt_hash_bytes(&h->root));
    mt_write_bytes(&w, MT_BYTES_OF(slot));
    mt_err e = mt_write_end(&w, &all);
    MT_ASSERT(!mt_failed(e) && all.len == MT_BACKUP_HEAD_LEN);
}

MT_ERR mt_backup_head_parse(mt_bytes in, struct mt_backup_head *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_backup_head h = {.transactions = 0};
    mt_bytes name;
    uint32_t version = 0;
    uint32_t slot_len = 0;
    MT_TRY(mt_read_bytes(&r, sizeof magic, &name));
    MT_REQUIRE(mt_bytes_equal(name, (mt_bytes){(const uint8_t *)magic, sizeof magic}), MT_E_FORMAT,
               "this is no backup of a node");
    MT_TRY(mt_read_u32le(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_FORMAT, "a backup of another version");
    MT_TRY(mt_read_u32le(&r, &slot_len));
    MT_REQUIRE(slot_len <= sizeof h.slot, MT_E_FORMAT, "the key slot of a backup is too long");
    h.slot_len = slot_len;
    MT_TRY(mt_read_copy(&r, (mt_span){h.cluster_id.b, sizeof h.cluster_id.b}));
    MT_TRY(mt_read_u64le(&r, &h.transactions));
    MT_TRY(mt_read_copy(&r, (mt_span){h.root.b, sizeof h.root.b}));
    MT_TRY(mt_read_copy(&r, (mt_span){h.slot, sizeof h.slot}));
    MT_TRY(mt_read_end(&r));
    for (size_t i = h.slot_len; i < sizeof h.slot; i++) {
        MT_REQUIRE(h.slot[i] == 0, MT_E_FORMAT, "something stands behind the key slot of a backup");
    }
    *out = h;
    return MT_OK;
}

static bool is_named(mt_bytes name, mt_bytes dir, size_t digits, mt_bytes end)
{
    bool is = name.len == dir.len + digits + end.len && mt_bytes_start_with(name, dir) &&
              mt_bytes_equal((mt_bytes){name.ptr + dir.len + digits, end.len}, end);
    for (size_t i = dir.len; is && i < dir.len + digits; i++) {
        uint8_t c = name.ptr[i];
        is = (c >= '0' && c <= '9') || (digits == OBJECT_DIGITS && c >= 'a' && c <= 'f');
    }
    return is;
}

bool mt_backup_is_ledger(mt_bytes name)
{
    return is_named(name, MT_LITERAL("ledger/ledger_"), LEDGER_DIGITS, MT_LITERAL(".mtl"));
}

bool mt_backup_is_object(mt_bytes name)
{
    return is_named(name, MT_LITERAL("objects/"), OBJECT_DIGITS, MT_LITERAL(".mto"));
}

void mt_backup_frame_write(struct mt_writer *w, const struct mt_backup_frame *f)
{
    switch (f->kind) {
    case MT_BACKUP_END:
        mt_cbor_write_array(w, 3);
        mt_cbor_write_uint(w, MT_BACKUP_END);
        mt_cbor_write_uint(w, f->files);
        mt_cbor_write_uint(w, f->size);
        return;
    case MT_BACKUP_SECRETS:
        mt_cbor_write_array(w, 4);
        mt_cbor_write_uint(w, MT_BACKUP_SECRETS);
        mt_cbor_write_bytes(w, f->root_key);
        mt_cbor_write_bytes(w, f->shred_keys);
        mt_cbor_write_bytes(w, f->platform_key);
        return;
    case MT_BACKUP_FILE:
        mt_cbor_write_array(w, 3);
        mt_cbor_write_uint(w, MT_BACKUP_FILE);
        mt_cbor_write_text(w, f->name);
        mt_cbor_write_uint(w, f->size);
        return;
    case MT_BACKUP_DATA:
    default:
        break;
    }
    MT_ASSERT(f->kind == MT_BACKUP_DATA);
    mt_cbor_write_array(w, 2);
    mt_cbor_write_uint(w, MT_BACKUP_DATA);
    mt_cbor_write_bytes(w, f->data);
}

static MT_ERR parse_secrets(struct mt_reader *r, struct mt_backup_frame *f)
{
    MT_TRY(mt_cbor_read_bytes(r, &f->root_key));
    MT_TRY(mt_cbor_read_bytes(r, &f->shred_keys));
    MT_TRY(mt_cbor_read_bytes(r, &f->platform_key));
    bool is_good = f->root_key.len == MT_SLOT_KEY_LEN &&
                   f->shred_keys.len <= MT_SHRED_FILE_BYTES_MAX &&
                   f->platform_key.len == MT_PLATFORM_KEY_LEN;
    MT_REQUIRE(is_good, MT_E_FORMAT, "a key of a backup has the wrong length");
    return MT_OK;
}

static MT_ERR parse_fields(struct mt_reader *r, struct mt_backup_frame *f)
{
    switch (f->kind) {
    case MT_BACKUP_END:
        MT_TRY(mt_cbor_read_uint(r, &f->files));
        return mt_cbor_read_uint(r, &f->size);
    case MT_BACKUP_SECRETS:
        return parse_secrets(r, f);
    case MT_BACKUP_FILE:
        MT_TRY(mt_cbor_read_text(r, &f->name));
        MT_REQUIRE(mt_backup_is_ledger(f->name) || mt_backup_is_object(f->name), MT_E_FORMAT,
                   "a file has no place in a backup");
        return mt_cbor_read_uint(r, &f->size);
    case MT_BACKUP_DATA:
    default:
        break;
    }
    MT_ASSERT(f->kind == MT_BACKUP_DATA); /* the caller knows the kind */
    MT_TRY(mt_cbor_read_bytes(r, &f->data));
    MT_REQUIRE(f->data.len > 0 && f->data.len <= MT_BACKUP_DATA_MAX, MT_E_FORMAT,
               "a piece of a backup is too long, or empty");
    return MT_OK;
}

MT_ERR mt_backup_frame_parse(mt_bytes in, struct mt_backup_frame *out)
{
    static const uint64_t fields[] = {
        [MT_BACKUP_END] = 3, [MT_BACKUP_SECRETS] = 4, [MT_BACKUP_FILE] = 3, [MT_BACKUP_DATA] = 2};
    struct mt_reader r = mt_reader_over(in);
    struct mt_backup_frame f = {.size = 0};
    uint64_t count = 0;
    uint64_t kind = 0;
    MT_TRY(mt_cbor_read_array(&r, 4, &count));
    MT_TRY(mt_cbor_read_uint(&r, &kind));
    MT_REQUIRE(kind <= MT_BACKUP_DATA && count == fields[kind], MT_E_FORMAT,
               "a frame of a backup is of no known kind");
    f.kind = (enum mt_backup_kind)kind;
    MT_TRY(parse_fields(&r, &f));
    MT_TRY(mt_read_end(&r));
    *out = f;
    return MT_OK;
}

MT_ERR mt_backup_cipher(const struct mt_secret *key, mt_bytes head, struct mt_aead **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *frame_key = NULL;
    MT_TRY(mt_secret_new(MT_AEAD_KEY_LEN, &frame_key));
    MT_TRY(mt_kdf(mt_secret_bytes(key), MT_LABEL_BACKUP, head, mt_secret_span(frame_key)));
    return mt_aead_new(mt_secret_bytes(frame_key), out);
}
