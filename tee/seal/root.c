/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/root.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "crypto/aead.h"
#include "crypto/context.h"
#include "crypto/kdf.h"
#include "wire/cbor.h"

/*
 * Key slots: slots/slot-N.mtk, CBOR [1, kind, made, salt, log2 cost, nonce || wrapped root key].
 * Each file has a salt of its own, so each wrapping key is used once, and the nonce is zero. The
 * head is AAD.
 */
enum {
    VERSION = 1,
    SLOTS_MAX = 8,
    SALT_LEN = 32,
    ROOT_LEN = 32,
    LOG2_COST = 15,
    SLOT_BYTES_MAX = 256,
    NAME_MAX_BYTES = 24,
    KEYFILE_MIN = 32
};

struct mt_root {
    struct mt_secret *key;
};

struct slot {
    enum mt_slot_kind kind;
    uint64_t made_ms;
    uint8_t salt[SALT_LEN];
    uint64_t log2_cost;
    uint8_t wrapped[ROOT_LEN + MT_AEAD_TAG_LEN];
};

static void slot_name(uint32_t number, char out[NAME_MAX_BYTES])
{
    static const char name[] = "slots/slot-0.mtk";
    MT_ASSERT(number < SLOTS_MAX);
    memcpy(out, name, sizeof name);
    out[11] = (char)('0' + number);
}

static MT_ERR write_head(const struct slot *s, struct mt_writer *w)
{
    mt_cbor_write_array(w, 6);
    mt_cbor_write_uint(w, VERSION);
    mt_cbor_write_uint(w, (uint64_t)s->kind);
    mt_cbor_write_uint(w, s->made_ms);
    mt_cbor_write_bytes(w, MT_BYTES_OF(s->salt));
    mt_cbor_write_uint(w, s->log2_cost);
    return w->failed;
}

static MT_ERR parse_slot(mt_bytes in, struct slot *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct slot s = {.made_ms = 0};
    uint64_t count = 0;
    uint64_t version = 0;
    uint64_t kind = 0;
    MT_TRY(mt_cbor_read_array(&r, 6, &count));
    MT_REQUIRE(count == 6, MT_E_FORMAT, "a key slot has six fields");
    MT_TRY(mt_cbor_read_uint(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_FORMAT, "a key slot of another version");
    MT_TRY(mt_cbor_read_uint(&r, &kind));
    MT_REQUIRE(kind == MT_SLOT_PASSPHRASE || kind == MT_SLOT_FILE, MT_E_FORMAT,
               "a key slot of an unknown kind");
    s.kind = (enum mt_slot_kind)kind;
    MT_TRY(mt_cbor_read_uint(&r, &s.made_ms));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){s.salt, sizeof s.salt}));
    MT_TRY(mt_cbor_read_uint(&r, &s.log2_cost));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){s.wrapped, sizeof s.wrapped}));
    MT_TRY(mt_read_end(&r));
    *out = s;
    return MT_OK;
}

static MT_ERR wrapping_key(const struct slot *s, const struct mt_credential *c,
                           struct mt_secret **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *stretched = NULL;
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(mt_secret_new(MT_AEAD_KEY_LEN, &key));
    if (s->kind == MT_SLOT_FILE) {
        MT_REQUIRE(c->secret.len >= KEYFILE_MIN, MT_E_ARG, "a key file has at least 32 bytes");
        MT_TRY(mt_kdf(c->secret, MT_LABEL_SLOT_FILE, MT_BYTES_OF(s->salt), mt_secret_span(key)));
    } else {
        MT_REQUIRE(c->secret.len > 0, MT_E_ARG, "a passphrase is not empty");
        MT_REQUIRE(s->log2_cost <= UINT32_MAX, MT_E_LIMIT, "scrypt's cost is out of its range");
        MT_TRY(mt_secret_new(ROOT_LEN, &stretched));
        MT_TRY(mt_kdf_passphrase(c->secret, MT_BYTES_OF(s->salt), (uint32_t)s->log2_cost,
                                 mt_secret_span(stretched)));
        MT_TRY(mt_kdf(mt_secret_bytes(stretched), MT_LABEL_SLOT_PASSPHRASE, MT_BYTES_OF(s->salt),
                      mt_secret_span(key)));
    }
    *out = key;
    key = NULL; /* given */
    return MT_OK;
}

static MT_ERR cipher_of(const struct slot *s, const struct mt_credential *c, struct mt_aead **aead,
                        mt_span room, mt_bytes *head)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    struct mt_writer w = mt_writer_over(room);
    MT_TRY(write_head(s, &w));
    MT_TRY(mt_write_end(&w, head));
    MT_TRY(wrapping_key(s, c, &key));
    return mt_aead_new(mt_secret_bytes(key), aead);
}

static MT_ERR put_slot(struct mt_fs *fs, uint32_t number, const struct slot *s)
{
    uint8_t room[SLOT_BYTES_MAX];
    char name[NAME_MAX_BYTES];
    mt_bytes bytes;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    MT_TRY(write_head(s, &w));
    mt_cbor_write_bytes(&w, MT_BYTES_OF(s->wrapped));
    MT_TRY(mt_write_end(&w, &bytes));
    slot_name(number, name);
    mt_err e = mt_fs_remove(fs, "slots/new"); /* of an earlier try that a crash cut short */
    MT_REQUIRE(!mt_failed(e) || e.fault->code == MT_E_NOTFOUND, MT_E_IO,
               "an unfinished key slot cannot be removed");
    MT_TRY(mt_fs_open(fs, "slots/new", MT_FS_CREATE, &f));
    MT_TRY(mt_file_write_at(f, 0, bytes));
    MT_TRY(mt_file_sync(f));
    MT_TRY(mt_fs_rename(fs, "slots/new", name));
    return mt_fs_sync_dir(fs, "slots");
}

static MT_ERR get_slot(struct mt_fs *fs, uint32_t number, struct slot *out)
{
    uint8_t room[SLOT_BYTES_MAX];
    char name[NAME_MAX_BYTES];
    size_t got = 0;
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    slot_name(number, name);
    MT_TRY(mt_fs_open(fs, name, MT_FS_READ, &f));
    MT_TRY(mt_file_read_at(f, 0, (mt_span){room, sizeof room}, &got));
    return parse_slot((mt_bytes){room, got}, out);
}

static MT_ERR make_slot(struct mt_fs *fs, uint32_t number, struct mt_root *r,
                        const struct mt_credential *c, uint64_t host_time_ms)
{
    static const uint8_t nonce[MT_AEAD_NONCE_LEN];
    struct slot s = {.kind = c->kind,
                     .made_ms = host_time_ms,
                     .log2_cost = c->kind == MT_SLOT_PASSPHRASE ? LOG2_COST : 0};
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    uint8_t room[SLOT_BYTES_MAX];
    mt_bytes head;
    MT_TRY(mt_random((mt_span){s.salt, sizeof s.salt}));
    MT_TRY(cipher_of(&s, c, &aead, (mt_span){room, sizeof room}, &head));
    MT_TRY(mt_aead_seal(aead, MT_BYTES_OF(nonce), head, mt_secret_bytes(r->key),
                        (mt_span){s.wrapped, sizeof s.wrapped}));
    return put_slot(fs, number, &s);
}

static MT_ERR try_slot(const struct slot *s, const struct mt_credential *c, struct mt_root *r)
{
    static const uint8_t nonce[MT_AEAD_NONCE_LEN];
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    uint8_t room[SLOT_BYTES_MAX];
    mt_bytes head;
    MT_TRY(cipher_of(s, c, &aead, (mt_span){room, sizeof room}, &head));
    return mt_aead_unseal(aead, MT_BYTES_OF(nonce), head, MT_BYTES_OF(s->wrapped),
                          mt_secret_span(r->key));
}

static MT_ERR new_root(struct mt_root **out)
{
    struct mt_root *r = calloc(1, sizeof *r);
    MT_REQUIRE(r != NULL, MT_E_NOMEM, "no memory for the root key");
    mt_err e = mt_secret_new(ROOT_LEN, &r->key);
    if (mt_failed(e)) {
        free(r);
        return e;
    }
    *out = r;
    return MT_OK;
}

void mt_root_free(struct mt_root **r)
{
    if (*r != NULL) {
        mt_secret_free(&(*r)->key);
        free(*r);
        *r = NULL;
    }
}

MT_ERR mt_slot_list(struct mt_fs *fs, struct mt_slot_info *out, size_t max, size_t *count)
{
    size_t n = 0;
    for (uint32_t i = 0; i < SLOTS_MAX && n < max; i++) {
        struct slot s;
        mt_err e = get_slot(fs, i, &s);
        if (mt_failed(e) && e.fault->code == MT_E_NOTFOUND) {
            continue;
        }
        MT_TRY(e);
        out[n++] = (struct mt_slot_info){i, s.kind, s.made_ms};
    }
    *count = n;
    return MT_OK;
}

MT_ERR mt_root_create(struct mt_fs *fs, const struct mt_credential *c, uint64_t host_time_ms,
                      struct mt_root **out)
{
    struct mt_slot_info info[SLOTS_MAX];
    size_t count = 0;
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    MT_TRY(mt_fs_make_dir(fs, "slots"));
    MT_TRY(mt_fs_sync_dir(fs, "."));
    MT_TRY(mt_slot_list(fs, info, SLOTS_MAX, &count));
    MT_REQUIRE(count == 0, MT_E_CONFLICT, "there is a root key already");
    MT_TRY(new_root(&r));
    MT_TRY(mt_random(mt_secret_span(r->key)));
    MT_TRY(make_slot(fs, 0, r, c, host_time_ms));
    *out = r;
    r = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_root_open(struct mt_fs *fs, const struct mt_credential *c, struct mt_root **out)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    size_t tried = 0;
    MT_TRY(new_root(&r));
    for (uint32_t i = 0; i < SLOTS_MAX; i++) {
        struct slot s;
        mt_err e = get_slot(fs, i, &s);
        if (mt_failed(e) && e.fault->code == MT_E_NOTFOUND) {
            continue;
        }
        tried++;
        if (mt_failed(e) || s.kind != c->kind || mt_failed(try_slot(&s, c, r))) {
            continue;
        }
        *out = r;
        r = NULL; /* given */
        return MT_OK;
    }
    MT_REQUIRE(tried > 0, MT_E_NOTFOUND, "there is no key slot");
    MT_FAIL(MT_E_PROOF, "no key slot opens: wrong key file or passphrase, or a damaged slot");
}

MT_ERR mt_slot_add(struct mt_fs *fs, struct mt_root *r, const struct mt_credential *c,
                   uint64_t host_time_ms, uint32_t *number)
{
    for (uint32_t i = 0; i < SLOTS_MAX; i++) {
        struct slot s;
        mt_err e = get_slot(fs, i, &s);
        if (mt_failed(e) && e.fault->code == MT_E_NOTFOUND) {
            MT_TRY(make_slot(fs, i, r, c, host_time_ms));
            *number = i;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_LIMIT, "all eight key slots are taken");
}

MT_ERR mt_slot_remove(struct mt_fs *fs, uint32_t number)
{
    static const uint8_t zeros[SLOT_BYTES_MAX];
    struct mt_slot_info info[SLOTS_MAX];
    char name[NAME_MAX_BYTES];
    size_t count = 0;
    uint64_t size = 0;
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    MT_REQUIRE(number < SLOTS_MAX, MT_E_NOTFOUND, "there is no such key slot");
    MT_TRY(mt_slot_list(fs, info, SLOTS_MAX, &count));
    slot_name(number, name);
    MT_TRY(mt_fs_open(fs, name, MT_FS_WRITE, &f));
    MT_REQUIRE(count > 1, MT_E_CONFLICT,
               "the last key slot cannot be removed: nobody could open the node again");
    MT_TRY(mt_file_size(f, &size));
    MT_TRY(mt_file_write_at(f, 0,
                            (mt_bytes){zeros, size < sizeof zeros ? (size_t)size : sizeof zeros}));
    MT_TRY(mt_file_sync(f));
    MT_TRY(mt_fs_remove(fs, name));
    return mt_fs_sync_dir(fs, "slots");
}

MT_ERR mt_root_derive(const struct mt_root *r, enum mt_label label, mt_bytes context,
                      struct mt_secret **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *s = NULL;
    MT_TRY(mt_secret_new(MT_AEAD_KEY_LEN, &s));
    MT_TRY(mt_kdf(mt_secret_bytes(r->key), label, context, mt_secret_span(s)));
    *out = s;
    s = NULL; /* given */
    return MT_OK;
}
