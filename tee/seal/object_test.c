/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/object.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "seal/object_format.h"
#include "seal/world_test.h"

enum { BYTES_MAX = 17 * 1024 * 1024, C = MT_CHUNK_BYTES };

static uint8_t *plain; /* BYTES_MAX random bytes */
static uint8_t *room;  /* as many, to read into */

/* An object that was sealed and kept, with what opens it. */
struct sealed {
    struct mt_object_handle handle;
    struct mt_secret *key;
    char name[MT_OBJECT_NAME_MAX];
};

static bool nobody(void *state, const mt_id *id)
{
    (void)state;
    (void)id;
    return false;
}

static void begin(void)
{
    disk_begin();
    OK(mt_object_sweep(fs, nobody, NULL));
}

static mt_err seal(mt_bytes content, size_t step, struct sealed *out)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *w = NULL;
    MT_TRY(mt_object_writer_new(fs, &w));
    for (size_t at = 0; at < content.len; at += step) {
        size_t n = content.len - at < step ? content.len - at : step;
        MT_TRY(mt_object_writer_add(w, (mt_bytes){content.ptr + at, n}));
    }
    MT_TRY(mt_object_writer_end(w, &out->handle));
    MT_TRY(mt_object_keep(fs, mt_object_writer_id(w)));
    mt_object_name("objects", &out->handle.id, out->name);
    return mt_secret_copy(mt_secret_bytes(mt_object_writer_key(w)), &out->key);
}

static struct sealed sealed_of(size_t len)
{
    struct sealed s = {.key = NULL};
    OK(seal((mt_bytes){plain, len}, 100000, &s));
    return s;
}

static mt_err read_with(const struct mt_object_handle *h, mt_bytes key, size_t step)
{
    MT_DEFER(mt_object_reader_free) struct mt_object_reader *r = NULL;
    uint64_t at = 0;
    size_t got = step;
    MT_TRY(mt_object_reader_new(fs, h, key, &r));
    while (got == step) {
        MT_TRY(mt_object_reader_read_at(r, at, (mt_span){room + at, step}, &got));
        at += got;
    }
    MT_ASSERT(at == h->size_bytes);
    return MT_OK;
}

static mt_err read_back(const struct sealed *s)
{
    return read_with(&s->handle, mt_secret_bytes(s->key), 4 * C);
}

static void an_object_comes_back_whatever_its_size_and_the_pieces_it_came_in(void)
{
    static const size_t sizes[] = {0,         1,       C - 1,      C,      C + 1,
                                   2 * C - 1, 2 * C,   2 * C + 1,  16 * C, 16 * C + 1,
                                   17 * C,    256 * C, 256 * C + 1};
    static const size_t steps[] = {C, 4 * C, 999, 7 * C + 1, BYTES_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
            struct sealed s = {.key = NULL};
            if (sizes[i] > 17 * C && steps[k] != 7 * C + 1) {
                continue;
            }
            begin();
            OK(seal((mt_bytes){plain, sizes[i]}, steps[k], &s));
            MT_ASSERT(s.handle.size_bytes == sizes[i]);
            memset(room, 0, sizes[i]);
            OK(read_with(&s.handle, mt_secret_bytes(s.key),
                         steps[4 - k] > 8 * C ? 8 * C : steps[4 - k]));
            MT_ASSERT(mt_bytes_equal((mt_bytes){room, sizes[i]}, (mt_bytes){plain, sizes[i]}));
            mt_secret_free(&s.key);
            disk_end();
        }
    }
}

static void any_part_of_an_object_can_be_read(void)
{
    enum { SIZE = 3 * C + 1000 };
    begin();
    struct sealed s = sealed_of(SIZE);
    MT_DEFER(mt_object_reader_free) struct mt_object_reader *r = NULL;
    size_t got = 0;
    OK(mt_object_reader_new(fs, &s.handle, mt_secret_bytes(s.key), &r));
    for (size_t i = 0; i < 200; i++) {
        size_t at = (size_t)world_random_byte() * 900 + world_random_byte();
        size_t len = (size_t)world_random_byte() * 400;
        size_t left = at < SIZE ? SIZE - at : 0;
        OK(mt_object_reader_read_at(r, at, (mt_span){room, len}, &got));
        MT_ASSERT(got == (len < left ? len : left));
        MT_ASSERT(mt_bytes_equal((mt_bytes){room, got}, (mt_bytes){plain + at, got}));
    }
    OK(mt_object_reader_read_at(r, UINT64_MAX, (mt_span){room, 9}, &got));
    MT_ASSERT(got == 0);
    mt_object_reader_free(&r);
    mt_secret_free(&s.key);
    disk_end();
}

static void the_commitment_is_what_the_page_says(void)
{
    static const uint8_t label[] = "\x1c"
                                   "mesatee-object-commitment-v1";
    static const uint8_t size_be[] = {0, 0, 0, 0, 0, 0, 0x03, 0xe8};
    mt_hash content;
    mt_hash wanted;
    struct sealed s = {.key = NULL};
    begin();
    OK(seal((mt_bytes){plain, 1000}, 999, &s));
    const mt_bytes all = {plain, 1000};
    mt_sha256(&all, 1, &content);
    const mt_bytes parts[] = {{label, sizeof label - 1},
                              mt_hash_bytes(&s.handle.salt),
                              {size_be, sizeof size_be},
                              mt_hash_bytes(&content)};
    mt_sha256(parts, 4, &wanted);
    MT_ASSERT(mt_hash_equal(&wanted, &s.handle.commitment));
    mt_secret_free(&s.key);
    disk_end();
}

static void two_objects_of_one_content_have_nothing_in_common(void)
{
    begin();
    struct sealed a = sealed_of(C);
    struct sealed b = sealed_of(C);
    struct mt_buf fa = file_get(fs, a.name);
    MT_ASSERT(!mt_id_equal(&a.handle.id, &b.handle.id));
    MT_ASSERT(!mt_hash_equal(&a.handle.commitment, &b.handle.commitment));
    MT_ASSERT(!mt_hash_equal(&a.handle.root, &b.handle.root));
    MT_ASSERT(is_code(read_with(&a.handle, mt_secret_bytes(b.key), C), MT_E_PROOF));
    MT_ASSERT(!disk_shows((mt_bytes){plain, 16}));
    MT_ASSERT(!disk_shows(mt_secret_bytes(a.key)));
    mt_buf_free(&fa);
    mt_secret_free(&a.key);
    mt_secret_free(&b.key);
    disk_end();
}

static void every_flipped_bit_is_refused(void)
{
    begin();
    struct sealed s = sealed_of(40);
    uint64_t bits = mt_object_file_bytes(40) * 8;
    for (uint64_t bit = 0; bit < bits; bit++) {
        file_flip(fs, s.name, bit);
        MT_ASSERT(is_code(read_back(&s), MT_E_PROOF));
        file_flip(fs, s.name, bit);
    }
    OK(read_back(&s));
    mt_secret_free(&s.key);
    s = sealed_of(2 * C + 100);
    bits = mt_object_file_bytes(2 * C + 100) * 8;
    for (uint64_t bit = 0; bit < bits; bit += 4999) {
        file_flip(fs, s.name, bit);
        MT_ASSERT(is_code(read_back(&s), MT_E_PROOF));
        file_flip(fs, s.name, bit);
    }
    mt_secret_free(&s.key);
    disk_end();
}

static void every_truncation_and_every_extension_is_refused(void)
{
    begin();
    struct sealed s = sealed_of(40);
    struct mt_buf good = file_get(fs, s.name);
    OK(mt_buf_append(&good, MT_LITERAL("0123456789abcdef0123456789abcdef")));
    size_t len = (size_t)mt_object_file_bytes(40);
    for (size_t i = 0; i <= good.len; i++) {
        file_put(fs, s.name, (mt_bytes){good.ptr, i});
        mt_err e = read_back(&s);
        MT_ASSERT(i == len ? !mt_failed(e) : is_code(e, MT_E_PROOF));
    }
    mt_buf_free(&good);
    mt_secret_free(&s.key);
    disk_end();
}

/* Makes table and root of a handle fit what lies in the file: what an attacker could do who may
 * write the ledger too, and has no key. */
static void forge(const struct mt_buf *file, struct mt_object_handle *h)
{
    struct mt_object_tree tree = {.count = 0};
    uint64_t chunks = mt_object_chunks(h->size_bytes);
    for (uint64_t i = 0; i < chunks; i++) {
        mt_hash leaf;
        uint64_t end =
            i + 1 == chunks ? mt_object_table_at(0, h->size_bytes) : mt_object_chunk_at(i + 1);
        uint8_t *table = file->ptr + mt_object_table_at(0, h->size_bytes);
        memcpy(table + i * MT_AEAD_TAG_LEN, file->ptr + end - MT_AEAD_TAG_LEN, MT_AEAD_TAG_LEN);
        mt_object_leaf(i, (mt_bytes){table + i * MT_AEAD_TAG_LEN, MT_AEAD_TAG_LEN}, &leaf);
        mt_object_tree_add(&tree, &leaf);
    }
    mt_object_tree_root(&tree, &h->root);
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

static void swapped_chunks_are_refused_even_if_the_root_is_forged(void)
{
    begin();
    struct sealed s = sealed_of(3 * C);
    struct mt_buf f = file_get(fs, s.name);
    forge(&f, &s.handle); /* which changes nothing yet */
    file_put(fs, s.name, mt_buf_bytes(&f));
    OK(read_back(&s));
    swap(f.ptr + mt_object_chunk_at(0), f.ptr + mt_object_chunk_at(1), MT_OBJECT_SEALED_CHUNK);
    file_put(fs, s.name, mt_buf_bytes(&f));
    MT_ASSERT(is_code(read_back(&s), MT_E_PROOF));
    forge(&f, &s.handle);
    file_put(fs, s.name, mt_buf_bytes(&f));
    MT_ASSERT(is_code(read_back(&s), MT_E_PROOF));
    mt_buf_free(&f);
    mt_secret_free(&s.key);
    disk_end();
}

/* Who has stolen the key, but may not write the ledger, seals something else in its place. */
static void other_content_under_the_same_key_is_refused(void)
{
    begin();
    struct sealed s = sealed_of(40);
    struct mt_buf f = file_get(fs, s.name);
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    struct mt_object_handle forged = s.handle;
    struct mt_object_head head;
    struct mt_chunk_aad aad;
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    OK(mt_aead_new(mt_secret_bytes(s.key), &aead));
    mt_object_head_of(&s.handle.id, &head);
    mt_chunk_aad_of(&head, 0, true, &aad);
    mt_aead_nonce_of(0, nonce);
    OK(mt_aead_seal(aead, MT_BYTES_OF(nonce), MT_BYTES_OF(aad), (mt_bytes){plain + 1000, 40},
                    (mt_span){f.ptr + mt_object_chunk_at(0), 40 + MT_AEAD_TAG_LEN}));
    forge(&f, &forged);
    file_put(fs, s.name, mt_buf_bytes(&f));
    MT_ASSERT(is_code(read_back(&s), MT_E_PROOF));
    mt_buf_free(&f);
    mt_secret_free(&s.key);
    disk_end();
}

static void a_missing_end_is_refused_even_if_the_root_is_forged(void)
{
    begin();
    struct sealed s = sealed_of(3 * C);
    struct mt_buf f = file_get(fs, s.name);
    s.handle.size_bytes = 2 * C;
    f.len = (size_t)mt_object_file_bytes(2 * C);
    forge(&f, &s.handle);
    file_put(fs, s.name, mt_buf_bytes(&f));
    MT_ASSERT(is_code(read_back(&s), MT_E_PROOF));
    mt_buf_free(&f);
    mt_secret_free(&s.key);
    disk_end();
}

static void a_file_under_another_name_is_refused_even_if_the_handle_is_forged(void)
{
    begin();
    struct sealed s = sealed_of(2 * C);
    struct mt_buf f = file_get(fs, s.name);
    struct mt_object_head head;
    s.handle.id.b[0] ^= 1;
    mt_object_name("objects", &s.handle.id, s.name);
    file_put(fs, s.name, mt_buf_bytes(&f));
    MT_ASSERT(is_code(read_back(&s), MT_E_PROOF));
    mt_object_head_of(&s.handle.id, &head);
    memcpy(f.ptr, head.b, sizeof head.b);
    file_put(fs, s.name, mt_buf_bytes(&f));
    MT_ASSERT(is_code(read_back(&s), MT_E_PROOF));
    mt_buf_free(&f);
    mt_secret_free(&s.key);
    disk_end();
}

static void chunks_of_one_object_are_refused_in_another(void)
{
    begin();
    struct sealed a = sealed_of(2 * C);
    struct sealed b = sealed_of(2 * C);
    struct mt_buf fa = file_get(fs, a.name);
    struct mt_buf fb = file_get(fs, b.name);
    swap(fa.ptr + mt_object_chunk_at(1), fb.ptr + mt_object_chunk_at(1), MT_OBJECT_SEALED_CHUNK);
    file_put(fs, a.name, mt_buf_bytes(&fa));
    MT_ASSERT(is_code(read_back(&a), MT_E_PROOF));
    forge(&fa, &a.handle);
    file_put(fs, a.name, mt_buf_bytes(&fa));
    MT_ASSERT(is_code(read_back(&a), MT_E_PROOF));
    mt_buf_free(&fa);
    mt_buf_free(&fb);
    mt_secret_free(&a.key);
    mt_secret_free(&b.key);
    disk_end();
}

static void a_table_that_changes_under_an_open_reader_is_refused(void)
{
    enum { SIZE = 257 * C };
    MT_DEFER(mt_object_reader_free) struct mt_object_reader *r = NULL;
    size_t got = 0;
    begin();
    struct sealed s = sealed_of(SIZE);
    OK(mt_object_reader_new(fs, &s.handle, mt_secret_bytes(s.key), &r));
    file_flip(fs, s.name, mt_object_table_at(0, SIZE) * 8);
    MT_ASSERT(is_code(mt_object_reader_read_at(r, 5 * C, (mt_span){room, 1}, &got), MT_E_PROOF));
    OK(mt_object_reader_read_at(r, 256 * C, (mt_span){room, 1}, &got));
    file_flip(fs, s.name, mt_object_table_at(0, SIZE) * 8);
    OK(mt_object_reader_read_at(r, 5 * C, (mt_span){room, 1}, &got));
    MT_ASSERT(room[0] == plain[5 * C]);
    mt_secret_free(&s.key);
    mt_object_reader_free(&r);
    disk_end();
}

static void what_is_not_there_or_too_large_has_its_own_answer(void)
{
    begin();
    struct sealed s = sealed_of(10);
    OK(mt_object_remove(fs, &s.handle.id));
    MT_ASSERT(is_code(read_back(&s), MT_E_NOTFOUND));
    MT_ASSERT(is_code(mt_object_remove(fs, &s.handle.id), MT_E_NOTFOUND));
    MT_ASSERT(is_code(mt_object_keep(fs, &s.handle.id), MT_E_NOTFOUND));
    s.handle.size_bytes = MT_OBJECT_BYTES_MAX + 1;
    MT_ASSERT(is_code(read_back(&s), MT_E_LIMIT));
    mt_secret_free(&s.key);
    disk_end();
}

static void layout_and_tree_agree_with_their_definitions_over_many_runs(void)
{
    enum { RUN = MT_OBJECT_RUN_CHUNKS, CHUNKS = 5 * RUN + 3 };
    MT_DEFER(mt_merkle_free) struct mt_merkle *whole = NULL;
    struct mt_object_tree tree = {.count = 0};
    OK(mt_merkle_new(&whole));
    for (uint64_t n = 1; n <= CHUNKS; n++) {
        static struct mt_object_tree top;
        mt_hash leaf = {{(uint8_t)n, (uint8_t)(n >> 8)}};
        mt_hash wanted;
        mt_hash got;
        OK(mt_merkle_append(whole, &leaf));
        mt_object_tree_add(&tree, &leaf);
        OK(mt_merkle_root(whole, n, &wanted));
        struct mt_object_tree up = top;
        mt_object_tree_root(&tree, &got);
        mt_object_tree_add(&up, &got);
        mt_object_tree_root(&up, &got);
        MT_ASSERT(mt_hash_equal(&wanted, &got));
        uint64_t size = n * C - 7;
        uint64_t run = (n - 1) / RUN;
        MT_ASSERT(mt_object_chunks(size) == n);
        MT_ASSERT(mt_object_table_at(run, size) + ((n - 1) % RUN + 1) * 16 ==
                  mt_object_file_bytes(size));
        if (n % RUN == 0) { /* a run is whole: from here on it is one leaf of the tree above */
            top = up;
            tree = (struct mt_object_tree){.count = 0};
            MT_ASSERT(mt_object_table_at(run, size + C) + MT_OBJECT_TABLE_LEN ==
                      mt_object_chunk_at(n));
        }
    }
}

static size_t files_in(const char *dir);

static void a_failing_call_leaves_nothing_half_done(void)
{
    static const enum mt_sim_fault faults[] = {MT_SIM_ERROR, MT_SIM_FULL};
    for (size_t f = 0; f < 2; f++) {
        bool has_failed = true;
        for (uint64_t n = 0; has_failed; n++) {
            struct sealed s = {.key = NULL};
            begin();
            disk_fault(faults[f], n);
            has_failed = mt_failed(seal((mt_bytes){plain, 18 * C}, 5 * C, &s));
            disk_heal();
            /* Only the removal itself may have failed; and what was kept is whole. */
            MT_ASSERT(files_in("staging") + files_in("objects") <= 1);
            if (!has_failed) {
                OK(read_back(&s));
            }
            OK(mt_object_sweep(fs, nobody, NULL));
            MT_ASSERT(files_in("staging") + files_in("objects") == 0);
            mt_secret_free(&s.key);
            disk_end();
        }
    }
}

static void a_writer_that_has_failed_stays_failed(void)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *w = NULL;
    struct mt_object_handle h;
    begin();
    OK(mt_object_writer_new(fs, &w));
    disk_fault(MT_SIM_ERROR, 0);
    MT_ASSERT(is_code(mt_object_writer_add(w, (mt_bytes){plain, 20 * C}), MT_E_IO));
    for (size_t i = 0; i < 20; i++) {
        MT_ASSERT(is_code(mt_object_writer_add(w, (mt_bytes){plain, C}), MT_E_IO));
    }
    MT_ASSERT(is_code(mt_object_writer_end(w, &h), MT_E_IO));
    mt_object_writer_free(&w);
    MT_ASSERT(files_in("staging") == 0);
    disk_end();
}

static void power_loss_at_any_call_loses_nothing_that_was_kept(void)
{
    static const uint64_t seeds[] = {0, UINT64_MAX, 1, 2, 3};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        bool has_failed = true;
        for (uint64_t n = 0; has_failed; n++) {
            struct sealed before = {.key = NULL};
            struct sealed s = {.key = NULL};
            begin();
            OK(seal((mt_bytes){plain, 100}, C, &before));
            disk_fault(MT_SIM_POWER, n);
            has_failed = mt_failed(seal((mt_bytes){plain, 3 * C}, C, &s));
            mt_sim_disk_restart(disk, seeds[i]);
            OK(read_back(&before));
            MT_ASSERT(files_in("objects") <= 2); /* the second: kept, and not answered */
            if (!has_failed) {
                OK(read_back(&s));
            }
            OK(mt_object_sweep(fs, nobody, NULL));
            MT_ASSERT(files_in("staging") + files_in("objects") == 0);
            mt_secret_free(&before.key);
            mt_secret_free(&s.key);
            disk_end();
        }
    }
}

static mt_err count_one(void *state, const char *name)
{
    (void)name;
    ++*(size_t *)state;
    return MT_OK;
}

static size_t files_in(const char *dir)
{
    size_t count = 0;
    OK(mt_fs_list(fs, dir, count_one, &count));
    return count;
}

static bool is_the_one(void *state, const mt_id *id)
{
    return mt_id_equal(state, id);
}

static void sweeping_removes_what_nobody_knows_and_leaves_what_is_none_of_ours(void)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *w = NULL;
    begin();
    struct sealed live = sealed_of(10);
    struct sealed dead = sealed_of(10);
    OK(mt_object_writer_new(fs, &w));
    file_put(fs, "objects/README", MT_LITERAL("hello"));
    MT_ASSERT(files_in("staging") == 1 && files_in("objects") == 3);
    OK(mt_object_sweep(fs, is_the_one, &live.handle.id));
    MT_ASSERT(files_in("staging") == 0 && files_in("objects") == 2);
    OK(read_back(&live));
    MT_ASSERT(is_code(read_back(&dead), MT_E_NOTFOUND));
    mt_object_writer_free(&w);
    mt_secret_free(&live.key);
    mt_secret_free(&dead.key);
    disk_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(an_object_comes_back_whatever_its_size_and_the_pieces_it_came_in),
        MT_TEST(any_part_of_an_object_can_be_read),
        MT_TEST(the_commitment_is_what_the_page_says),
        MT_TEST(two_objects_of_one_content_have_nothing_in_common),
        MT_TEST(every_flipped_bit_is_refused),
        MT_TEST(every_truncation_and_every_extension_is_refused),
        MT_TEST(swapped_chunks_are_refused_even_if_the_root_is_forged),
        MT_TEST(other_content_under_the_same_key_is_refused),
        MT_TEST(a_missing_end_is_refused_even_if_the_root_is_forged),
        MT_TEST(a_file_under_another_name_is_refused_even_if_the_handle_is_forged),
        MT_TEST(chunks_of_one_object_are_refused_in_another),
        MT_TEST(a_table_that_changes_under_an_open_reader_is_refused),
        MT_TEST(what_is_not_there_or_too_large_has_its_own_answer),
        MT_TEST(layout_and_tree_agree_with_their_definitions_over_many_runs),
        MT_TEST(a_failing_call_leaves_nothing_half_done),
        MT_TEST(a_writer_that_has_failed_stays_failed),
        MT_TEST(power_loss_at_any_call_loses_nothing_that_was_kept),
        MT_TEST(sweeping_removes_what_nobody_knows_and_leaves_what_is_none_of_ours),
    };
    OK(mt_crypto_init(world_random, NULL));
    plain = malloc(BYTES_MAX);
    room = malloc(BYTES_MAX);
    MT_ASSERT(plain != NULL && room != NULL);
    for (uint64_t i = 0; i < BYTES_MAX / 8; i++) { /* no eight bytes of it come twice */
        uint64_t word = i * 0x9e3779b97f4a7c15U;
        memcpy(plain + 8 * i, &word, 8);
    }
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    free(plain);
    free(room);
    mt_crypto_done();
    return result;
}
