/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/shred.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "seal/inside.h"

static const char file_name[] = "shred.mts";
enum { EPOCH_LEN = 8 };

struct shred_key {
    uint64_t epoch;
    struct mt_secret *key;
};

struct mt_shred {
    struct mt_fs *fs;
    const struct mt_root *root;
    struct shred_key keys[MT_SHRED_KEYS_MAX];
    size_t count;
};

static MT_ERR write_content(const struct mt_shred *s, struct mt_buf *room, mt_bytes *out)
{
    struct mt_writer w = mt_writer_onto(room);
    struct mt_shred_keys keys = {.count = s->count};
    for (size_t i = 0; i < s->count; i++) {
        keys.keys[i].epoch = s->keys[i].epoch;
        keys.keys[i].key = mt_secret_bytes(s->keys[i].key);
    }
    mt_shred_keys_write(&w, &keys);
    return mt_write_end(&w, out);
}

static MT_ERR store(struct mt_shred *s)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_SHRED_FILE_BYTES_MAX);
    mt_bytes content;
    MT_TRY(write_content(s, &room, &content));
    return mt_small_file_write(s->fs, s->root, file_name, content);
}

MT_ERR mt_shred_export(const struct mt_shred *s, struct mt_secret **out)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_SHRED_FILE_BYTES_MAX);
    mt_bytes content;
    MT_TRY(write_content(s, &room, &content));
    return mt_secret_copy(content, out);
}

static MT_ERR load(struct mt_shred *s, mt_bytes content)
{
    struct mt_shred_keys keys;
    MT_TRY(mt_shred_keys_parse(content, &keys));
    for (size_t i = 0; i < keys.count; i++) {
        MT_TRY(mt_secret_copy(keys.keys[i].key, &s->keys[i].key));
        s->keys[i].epoch = keys.keys[i].epoch;
        s->count++;
    }
    return MT_OK;
}

static MT_ERR add_key(struct mt_shred *s, uint64_t epoch)
{
    MT_ASSERT(s->count < MT_SHRED_KEYS_MAX);
    MT_TRY(mt_secret_random(MT_AEAD_KEY_LEN, &s->keys[s->count].key));
    s->keys[s->count++].epoch = epoch;
    mt_err e = store(s);
    if (mt_failed(e)) {
        mt_secret_free(&s->keys[--s->count].key);
    }
    return e;
}

MT_ERR mt_shred_open(struct mt_fs *fs, const struct mt_root *r, struct mt_shred **out)
{
    MT_DEFER(mt_shred_free) struct mt_shred *s = calloc(1, sizeof *s);
    MT_DEFER(mt_buf_free) struct mt_buf content = mt_buf_of_max(MT_SHRED_FILE_BYTES_MAX);
    MT_REQUIRE(s != NULL, MT_E_NOMEM, "no memory for the shred keys");
    s->fs = fs;
    s->root = r;
    mt_err e = mt_small_file_read(fs, r, file_name, &content);
    if (mt_failed(e) && e.fault->code == MT_E_NOTFOUND) {
        MT_TRY(add_key(s, 1));
    } else {
        MT_TRY(e);
        MT_TRY(load(s, mt_buf_bytes(&content)));
    }
    *out = s;
    s = NULL; /* given */
    return MT_OK;
}

void mt_shred_free(struct mt_shred **sp)
{
    if (*sp != NULL) {
        for (size_t i = 0; i < MT_SHRED_KEYS_MAX; i++) {
            mt_secret_free(&(*sp)->keys[i].key);
        }
        free(*sp);
        *sp = NULL;
    }
}

uint64_t mt_shred_epoch(const struct mt_shred *s)
{
    return s->keys[s->count - 1].epoch;
}

bool mt_shred_is_rotating(const struct mt_shred *s)
{
    return s->count > 1;
}

uint64_t mt_shred_wrap_epoch(const struct mt_object_wrap *w)
{
    struct mt_reader r = mt_reader_over((mt_bytes){w->b, EPOCH_LEN});
    uint64_t epoch = 0;
    mt_err e = mt_read_u64be(&r, &epoch);
    MT_ASSERT(!mt_failed(e));
    return epoch;
}

struct wrap_aad {
    uint8_t b[EPOCH_LEN + 16];
};

static struct wrap_aad aad_of(const uint8_t epoch[EPOCH_LEN], const mt_id *object)
{
    struct wrap_aad a;
    memcpy(a.b, epoch, EPOCH_LEN);
    memcpy(a.b + EPOCH_LEN, object->b, sizeof object->b);
    return a;
}

/* Layout: epoch, random nonce, key, tag. A shred key wraps at most a few million keys in its life:
 * random 96-bit nonces do. */
MT_ERR mt_shred_wrap(struct mt_shred *s, const mt_id *object, mt_bytes key,
                     struct mt_object_wrap *out)
{
    const struct shred_key *newest = &s->keys[s->count - 1];
    struct mt_object_wrap wrap;
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    uint8_t *nonce = wrap.b + EPOCH_LEN;
    MT_ASSERT(key.len == MT_AEAD_KEY_LEN);
    for (size_t i = 0; i < EPOCH_LEN; i++) {
        wrap.b[i] = (uint8_t)(newest->epoch >> (56 - 8 * i));
    }
    MT_TRY(mt_random((mt_span){nonce, MT_AEAD_NONCE_LEN}));
    MT_TRY(mt_aead_new(mt_secret_bytes(newest->key), &aead));
    const struct wrap_aad aad = aad_of(wrap.b, object);
    MT_TRY(mt_aead_seal(aead, (mt_bytes){nonce, MT_AEAD_NONCE_LEN}, MT_BYTES_OF(aad), key,
                        (mt_span){nonce + MT_AEAD_NONCE_LEN, MT_AEAD_KEY_LEN + MT_AEAD_TAG_LEN}));
    *out = wrap;
    return MT_OK;
}

MT_ERR mt_shred_unwrap(struct mt_shred *s, const mt_id *object, const struct mt_object_wrap *w,
                       struct mt_secret **key)
{
    uint64_t epoch = mt_shred_wrap_epoch(w);
    const struct shred_key *with = NULL;
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    MT_DEFER(mt_secret_free) struct mt_secret *out = NULL;
    for (size_t i = 0; i < s->count; i++) {
        with = s->keys[i].epoch == epoch ? &s->keys[i] : with;
    }
    MT_REQUIRE(with != NULL, MT_E_NOTFOUND, "the object has been shredded");
    MT_TRY(mt_secret_new(MT_AEAD_KEY_LEN, &out));
    MT_TRY(mt_aead_new(mt_secret_bytes(with->key), &aead));
    const struct wrap_aad aad = aad_of(w->b, object);
    const uint8_t *nonce = w->b + EPOCH_LEN;
    MT_TRY(mt_aead_unseal(aead, (mt_bytes){nonce, MT_AEAD_NONCE_LEN}, MT_BYTES_OF(aad),
                          (mt_bytes){nonce + MT_AEAD_NONCE_LEN, MT_AEAD_KEY_LEN + MT_AEAD_TAG_LEN},
                          mt_secret_span(out)));
    *key = out;
    out = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_shred_begin(struct mt_shred *s)
{
    MT_REQUIRE(s->count == 1, MT_E_CONFLICT, "a rotation is under way");
    return add_key(s, s->keys[0].epoch + 1);
}

MT_ERR mt_shred_end(struct mt_shred *s)
{
    MT_REQUIRE(s->count == 2, MT_E_CONFLICT, "no rotation is under way");
    struct shred_key old = s->keys[0];
    s->keys[0] = s->keys[1];
    s->keys[1] = (struct shred_key){.epoch = 0};
    s->count = 1;
    mt_err e = store(s);
    if (mt_failed(e)) { /* the file may still have both: so has memory, until it is sure */
        s->keys[1] = s->keys[0];
        s->keys[0] = old;
        s->count = 2;
        return e;
    }
    mt_secret_free(&old.key);
    return MT_OK;
}
