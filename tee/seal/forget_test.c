/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdlib.h>

#include "seal/inside.h"
#include "seal/object.h"
#include "seal/shred.h"
#include "seal/world_test.h"

/* Every block of memory that is given back is looked through for what should not be in it. */
void *__real_malloc(size_t len);
void __real_free(void *p);
void *__wrap_malloc(size_t len);
void *__wrap_realloc(void *p, size_t len);
void __wrap_free(void *p);

enum { SECRETS_MAX = 8, SECRET_LEN = 32 };
static uint8_t secrets[SECRETS_MAX][SECRET_LEN];
static size_t secrets_count;
static size_t blocks;
static size_t betrayed;

void *__wrap_malloc(size_t len)
{
    return calloc(1, len); /* so that looking at it reads nothing that was never written */
}

void __wrap_free(void *p)
{
    size_t len = p == NULL ? 0 : malloc_usable_size(p);
    blocks += len > 0 ? 1 : 0;
    for (size_t i = 0; len > 0 && i < secrets_count; i++) {
        betrayed += memmem(p, len, secrets[i], SECRET_LEN) != NULL ? 1 : 0;
    }
    __real_free(p);
}

void *__wrap_realloc(void *p, size_t len)
{
    size_t before = p == NULL ? 0 : malloc_usable_size(p);
    void *grown = calloc(1, len);
    if (before > 0 && grown != NULL) {
        memcpy(grown, p, before < len ? before : len);
    }
    __wrap_free(p);
    return grown;
}

static void watch(mt_bytes secret)
{
    MT_ASSERT(secret.len == SECRET_LEN && secrets_count < SECRETS_MAX);
    memcpy(secrets[secrets_count++], secret.ptr, SECRET_LEN);
}

static void begin(void)
{
    secrets_count = 0;
    blocks = 0;
    betrayed = 0;
    disk_begin();
}

static void nothing_was_betrayed(void)
{
    disk_end();
    MT_ASSERT(blocks > 10 && betrayed == 0);
}

static void a_secret_that_is_given_back_unwiped_is_noticed(void)
{
    begin();
    watch(MT_LITERAL("thirty-two bytes that are secret"));
    struct mt_buf b = mt_buf_of_max(100);
    OK(mt_buf_append(&b, MT_LITERAL("thirty-two bytes that are secret")));
    free(b.ptr);
    MT_ASSERT(betrayed == 1);
    disk_end();
}

static void opening_a_root_key_leaves_none_behind(void)
{
    static const struct mt_credential words = {.kind = MT_SLOT_PASSPHRASE,
                                               .secret = {(const uint8_t *)"correct horse", 13}};
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    struct mt_secret *key = NULL;
    uint32_t number = 0;
    begin();
    OK(mt_root_create(fs, &world_file, 0, &r));
    watch(mt_root_key(r));
    watch((mt_bytes){world_file.secret.ptr, SECRET_LEN});
    OK(mt_slot_add(fs, r, &words, 0, &number));
    mt_root_free(&r);
    OK(mt_root_open(fs, &words, &r));
    OK(mt_root_derive(r, MT_LABEL_LEDGER_SECRET, MT_LITERAL(""), &key));
    watch(mt_secret_bytes(key));
    mt_secret_free(&key);
    mt_root_free(&r);
    MT_ASSERT(mt_failed(mt_root_open(fs, &world_other_file, &r)));
    nothing_was_betrayed();
}

static void small_files_leave_no_content_behind(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    struct mt_buf b = mt_buf_of_max(4096);
    begin();
    OK(mt_root_create(fs, &world_file, 0, &r));
    watch(mt_root_key(r));
    watch(MT_LITERAL("content of thirty-two bytes, whi"));
    OK(mt_small_file_write(fs, r, "f", MT_LITERAL("content of thirty-two bytes, whi")));
    OK(mt_small_file_read(fs, r, "f", &b));
    OK(mt_small_file_read(fs, r, "f", &b)); /* appended: the buffer grows */
    mt_buf_free(&b);
    file_flip(fs, "f", 400);
    MT_ASSERT(mt_failed(mt_small_file_read(fs, r, "f", &b)));
    mt_buf_free(&b);
    mt_root_free(&r);
    nothing_was_betrayed();
}

static void shredding_leaves_neither_kind_of_key_behind(void)
{
    static const mt_id id = {"an object's id.."};
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    MT_DEFER(mt_shred_free) struct mt_shred *s = NULL;
    struct mt_secret *key = NULL;
    struct mt_object_wrap w;
    struct mt_shred_keys keys;
    struct mt_buf b = mt_buf_of_max(4096);
    begin();
    OK(mt_root_create(fs, &world_file, 0, &r));
    OK(mt_shred_open(fs, r, &s));
    OK(mt_small_file_read(fs, r, "shred.mts", &b));
    OK(mt_shred_keys_parse(mt_buf_bytes(&b), &keys));
    watch(keys.keys[0].key);
    watch(MT_LITERAL("key of the object: thirty-two by"));
    mt_buf_free(&b);
    OK(mt_shred_wrap(s, &id, MT_LITERAL("key of the object: thirty-two by"), &w));
    OK(mt_shred_unwrap(s, &id, &w, &key));
    mt_secret_free(&key);
    w.b[20] ^= 1;
    MT_ASSERT(mt_failed(mt_shred_unwrap(s, &id, &w, &key)));
    OK(mt_shred_begin(s));
    OK(mt_shred_end(s));
    mt_shred_free(&s);
    OK(mt_shred_open(fs, r, &s));
    mt_shred_free(&s);
    mt_root_free(&r);
    nothing_was_betrayed();
}

static bool nobody(void *state, const mt_id *id)
{
    (void)state;
    (void)id;
    return false;
}

static void objects_leave_neither_key_nor_content_behind(void)
{
    static const char text[] = "the content: thirty-two bytes...";
    static uint8_t plain[3 * MT_CHUNK_BYTES];
    static uint8_t room[3 * MT_CHUNK_BYTES];
    struct mt_object_writer *w = NULL;
    struct mt_object_reader *r = NULL;
    struct mt_object_handle h;
    size_t got = 0;
    begin();
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)text[i % SECRET_LEN];
    }
    OK(mt_object_sweep(fs, nobody, NULL));
    OK(mt_object_writer_new(fs, &w));
    watch(mt_secret_bytes(mt_object_writer_key(w)));
    for (size_t i = 0; i < 4; i++) { /* a boundary of a block is no hiding place */
        watch((mt_bytes){plain + 8 * i, SECRET_LEN});
    }
    OK(mt_object_writer_add(w, (mt_bytes){plain, sizeof plain - 1000}));
    OK(mt_object_writer_end(w, &h));
    OK(mt_object_keep(fs, &h.id));
    OK(mt_object_reader_new(fs, &h, mt_secret_bytes(mt_object_writer_key(w)), &r));
    mt_object_writer_free(&w);
    OK(mt_object_reader_read_at(r, 5, (mt_span){room, sizeof room}, &got));
    mt_object_reader_free(&r);
    OK(mt_object_writer_new(fs, &w)); /* one that is given up half-way */
    OK(mt_object_writer_add(w, (mt_bytes){plain, 1000}));
    mt_object_writer_free(&w);
    nothing_was_betrayed();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_secret_that_is_given_back_unwiped_is_noticed),
        MT_TEST(opening_a_root_key_leaves_none_behind),
        MT_TEST(small_files_leave_no_content_behind),
        MT_TEST(shredding_leaves_neither_kind_of_key_behind),
        MT_TEST(objects_leave_neither_key_nor_content_behind),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
