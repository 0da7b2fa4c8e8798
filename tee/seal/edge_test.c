/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "seal/backup_inside.h"
#include "seal/object.h"
#include "seal/world_test.h"

/* The edges: reads that come short, lengths one beyond what is allowed, things that are whole and
 * sealed and yet not what they should be. */
#define LEDGER_FILE "ledger/ledger_00000000000000000001.mtl"
#define C           MT_CHUNK_BYTES

enum { CHUNKS = MT_OBJECT_RUN_CHUNKS + 1 };

static struct mt_root *root;
static struct mt_shred *shred;
static uint8_t *plenty; /* CHUNKS of them */

/* The n-th read from now on: fails, or gives one byte less than there is. */
static size_t read_in;
static bool is_read_short;

mt_err __real_mt_file_read_at(struct mt_file *f, uint64_t at, mt_span out, size_t *got);
mt_err __wrap_mt_file_read_at(struct mt_file *f, uint64_t at, mt_span out, size_t *got);

mt_err __wrap_mt_file_read_at(struct mt_file *f, uint64_t at, mt_span out, size_t *got)
{
    bool is_due = read_in > 0 && --read_in == 0;
    MT_REQUIRE(!is_due || is_read_short, MT_E_IO, "the disk fails");
    MT_TRY(__real_mt_file_read_at(f, at, out, got));
    *got -= is_due ? 1 : 0;
    return MT_OK;
}

static void begin(void)
{
    disk_begin();
    OK(mt_root_create(fs, &world_file, 0, &root));
    OK(mt_shred_open(fs, root, &shred));
    OK(mt_fs_make_dir(fs, "ledger"));
    OK(mt_fs_make_dir(fs, "objects"));
    OK(mt_fs_make_dir(fs, "staging"));
}

static void end(void)
{
    mt_shred_free(&shred);
    mt_root_free(&root);
    disk_end();
}

static mt_err read_small(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(64);
    return mt_small_file_read(fs, root, "a.mts", &out);
}

static struct mt_object_handle handle;
static struct mt_secret *object_key;

static mt_err read_object(void)
{
    MT_DEFER(mt_object_reader_free) struct mt_object_reader *r = NULL;
    uint8_t byte = 0;
    size_t got = 0;
    MT_TRY(mt_object_reader_new(fs, &handle, mt_secret_bytes(object_key), &r));
    MT_TRY(mt_object_reader_read_at(r, (uint64_t)C * (CHUNKS - 1), (mt_span){&byte, 1}, &got));
    MT_TRY(mt_object_reader_read_at(r, 0, (mt_span){&byte, 1}, &got)); /* of another run */
    return MT_OK;
}

static void put_object(void)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *w = NULL;
    OK(mt_object_writer_new(fs, &w));
    OK(mt_object_writer_add(w, (mt_bytes){plenty, (size_t)C * CHUNKS}));
    OK(mt_object_writer_end(w, &handle));
    OK(mt_object_keep(fs, &handle.id));
    OK(mt_secret_copy(mt_secret_bytes(mt_object_writer_key(w)), &object_key));
}

static size_t fails_at_each_read(mt_err (*act)(void), enum mt_code code)
{
    for (size_t n = 1;; n++) {
        read_in = n;
        mt_err e = act();
        bool was_reached = read_in == 0;
        read_in = 0;
        MT_ASSERT(was_reached ? is_code(e, code) : !mt_failed(e));
        if (!was_reached) {
            return n - 1;
        }
    }
}

static void a_read_that_fails_or_comes_short_gives_nothing(void)
{
    begin();
    OK(mt_small_file_write(fs, root, "a.mts", MT_LITERAL("content")));
    put_object();
    for (int i = 0; i < 2; i++) {
        is_read_short = i == 1;
        enum mt_code code = is_read_short ? MT_E_PROOF : MT_E_IO;
        MT_ASSERT(fails_at_each_read(read_small, code) == 1);
        MT_ASSERT(fails_at_each_read(read_object, code) == 6); /* head, three tables, two chunks */
    }
    mt_secret_free(&object_key);
    end();
}

static void what_is_larger_than_it_may_be_is_refused(void)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *w = NULL;
    begin();
    OK(mt_object_writer_new(fs, &w));
    OK(mt_object_writer_add(w, MT_LITERAL("a")));
    /* Nobody looks at the bytes before at their number. */
    MT_ASSERT(
        is_code(mt_object_writer_add(w, (mt_bytes){plenty, MT_OBJECT_BYTES_MAX}), MT_E_LIMIT));
    mt_object_writer_free(&w);
    file_put(fs, "a.mts", (mt_bytes){plenty, MT_SMALL_FILE_BYTES_MAX + 4096});
    MT_ASSERT(is_code(read_small(), MT_E_PROOF));
    end();
}

static void sweeping_leaves_what_only_looks_like_an_object(void)
{
    static const char *const names[] = {"objects/0123456789abcdef0123456789abcdef.mtx",
                                        "objects/0123456789abcdef0123456789abcdeg.mto",
                                        "objects/0123456789abcdef0123456789abcde.mto"};
    begin();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        file_put(fs, names[i], MT_LITERAL("x"));
    }
    OK(mt_object_sweep(fs, NULL, NULL));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        OK(mt_fs_remove(fs, names[i]));
    }
    end();
}

static void a_credential_of_no_kind_or_too_long_opens_nothing(void)
{
    const struct mt_credential wrong[] = {
        {.kind = MT_SLOT_DAMAGED, .secret = {plenty, 32}},
        {.kind = (enum mt_slot_kind)7, .secret = {plenty, 32}},
        {.kind = MT_SLOT_PASSPHRASE, .secret = {plenty, 0}},
        {.kind = MT_SLOT_FILE, .secret = {plenty, 31}},
        {.kind = MT_SLOT_FILE, .secret = {plenty, MT_CREDENTIAL_BYTES_MAX + 1}},
    };
    struct mt_slot s = {.purpose = MT_SLOT_FOR_ROOT};
    uint8_t key[MT_SLOT_KEY_LEN];
    OK(mt_slot_seal(&s, &world_file, (mt_bytes){plenty, sizeof key}));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(is_code(mt_slot_unseal(&s, &wrong[i], (mt_span){key, sizeof key}), MT_E_ARG));
    }
    OK(mt_slot_unseal(&s, &world_file, (mt_span){key, sizeof key}));
}

/* CBOR [2, purpose, kind, made, salt, cost, own, wrapped key], of a TPM. */
static void a_slot_of_a_tpm_without_what_it_has_sealed_is_none(void)
{
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    struct mt_slot s = {.purpose = MT_SLOT_FOR_ROOT, .kind = MT_SLOT_TPM, .own_len = 1};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_slot_write(&w, &s);
    OK(mt_slot_parse(mt_write_done(&w), &s));
    s.own_len = 0;
    w = mt_writer_over((mt_span){room, sizeof room});
    mt_slot_write(&w, &s);
    MT_ASSERT(is_code(mt_slot_parse(mt_write_done(&w), &s), MT_E_FORMAT));
}

static void slots_that_nobody_can_read_are_listed_and_keep_their_places(void)
{
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    size_t count = 0;
    uint32_t number = 0;
    begin();
    OK(mt_slot_add(fs, root, &world_other_file, 0, &number));
    OK(mt_slot_list(fs, info, 1, &count));
    MT_ASSERT(number == 1 && count == 1 && info[0].number == 0);
    file_put(fs, "slots/slot-1.mtk", MT_LITERAL("\x88\x03")); /* of the next version */
    file_flip(fs, "slots/slot-0.mtk", 0);
    OK(mt_slot_list(fs, info, MT_KEY_SLOTS_MAX, &count));
    MT_ASSERT(count == 2 && info[0].kind == MT_SLOT_DAMAGED && info[1].kind == MT_SLOT_DAMAGED);
    OK(mt_slot_add(fs, root, &world_file, 0, &number));
    MT_ASSERT(number == 2);
    end();
}

static mt_err shred_of(mt_bytes content)
{
    OK(mt_small_file_write(fs, root, "shred.mts", content));
    return mt_shred_open(fs, root, &shred);
}

static void a_sealed_shred_file_that_is_none_is_refused_and_not_made_anew(void)
{
    uint8_t file[8 + MT_AEAD_KEY_LEN] = "\x82\x01\x81\x82\x01\x58\x20"; /* one key, of epoch 1 */
    const mt_bytes all = {file, 7 + MT_AEAD_KEY_LEN};
    begin();
    mt_shred_free(&shred);
    MT_ASSERT(is_code(shred_of(MT_LITERAL("no keys")), MT_E_FORMAT));
    file[4] = 0; /* before the first epoch */
    MT_ASSERT(is_code(shred_of(all), MT_E_FORMAT));
    file[4] = 1;
    OK(shred_of(all));
    end();
}

static mt_err back_up(uint64_t ledger_bytes)
{
    MT_DEFER(mt_buf_free) struct mt_buf files = mt_buf_of_max(4096);
    MT_DEFER(mt_backup_writer_free) struct mt_backup_writer *w = NULL;
    const struct mt_backup_options o = {
        .fs = fs, .root = root, .shred = shred, .credential = world_other_file};
    const struct mt_backup_file ledger = {LEDGER_FILE, ledger_bytes};
    size_t got = 1;
    OK(mt_buf_append(&files, MT_BYTES_OF(ledger)));
    OK(mt_backup_writer_new(&o, &files, &w));
    while (got > 0) {
        MT_TRY(mt_backup_writer_read(w, (mt_span){plenty, C}, &got));
    }
    return MT_OK;
}

static void a_backup_of_a_node_that_is_not_whole_is_not_made(void)
{
    begin();
    file_put(fs, LEDGER_FILE, (mt_bytes){plenty, 100});
    MT_ASSERT(is_code(back_up(100), MT_E_NOTFOUND)); /* no platform key */
    OK(mt_small_file_write(fs, root, "platform.mts",
                           MT_LITERAL("31 bytes of what should have 32")));
    MT_ASSERT(is_code(back_up(100), MT_E_FORMAT));
    OK(mt_small_file_write(fs, root, "platform.mts", (mt_bytes){plenty, MT_PLATFORM_KEY_LEN}));
    OK(back_up(100));
    MT_ASSERT(is_code(back_up(101), MT_E_IO)); /* the ledger became shorter */
    end();
}

static mt_err frame_back(const struct mt_backup_frame *f)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4 * (size_t)MT_BACKUP_FRAME_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    struct mt_backup_frame back;
    mt_backup_frame_write(&w, f);
    OK(w.failed);
    return mt_backup_frame_parse(mt_buf_bytes(&room), &back);
}

static void parts_of_a_backup_are_no_longer_than_they_may_be(void)
{
    struct mt_backup_frame data = {.kind = MT_BACKUP_DATA, .data = {plenty, MT_BACKUP_DATA_MAX}};
    const struct mt_backup_frame keys = {.kind = MT_BACKUP_SECRETS,
                                         .root_key = {plenty, MT_SLOT_KEY_LEN},
                                         .shred_keys = {plenty, MT_SHRED_FILE_BYTES_MAX},
                                         .platform_key = {plenty, MT_PLATFORM_KEY_LEN}};
    struct mt_backup_reader *r = NULL;
    const struct mt_credential long_one = {.kind = MT_SLOT_FILE,
                                           .secret = {plenty, MT_SECRET_BYTES_MAX + 1}};
    const struct mt_credential short_one = {.kind = MT_SLOT_FILE, .secret = {plenty, 31}};
    OK(frame_back(&data));
    OK(frame_back(&keys));
    data.data.len++;
    MT_ASSERT(is_code(frame_back(&data), MT_E_FORMAT));
    data.data.len = 0;
    MT_ASSERT(is_code(frame_back(&data), MT_E_FORMAT));
    for (size_t i = 0; i < 3; i++) {
        struct mt_backup_frame wrong = keys;
        mt_bytes *const parts[] = {&wrong.root_key, &wrong.shred_keys, &wrong.platform_key};
        parts[i]->len++;
        MT_ASSERT(is_code(frame_back(&wrong), MT_E_FORMAT));
    }
    disk_begin();
    MT_ASSERT(is_code(mt_backup_reader_new(fs, &long_one, &r), MT_E_ARG));
    MT_ASSERT(is_code(mt_backup_reader_new(fs, &short_one, &r), MT_E_ARG));
    disk_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_read_that_fails_or_comes_short_gives_nothing),
        MT_TEST(what_is_larger_than_it_may_be_is_refused),
        MT_TEST(sweeping_leaves_what_only_looks_like_an_object),
        MT_TEST(a_credential_of_no_kind_or_too_long_opens_nothing),
        MT_TEST(a_slot_of_a_tpm_without_what_it_has_sealed_is_none),
        MT_TEST(slots_that_nobody_can_read_are_listed_and_keep_their_places),
        MT_TEST(a_sealed_shred_file_that_is_none_is_refused_and_not_made_anew),
        MT_TEST(a_backup_of_a_node_that_is_not_whole_is_not_made),
        MT_TEST(parts_of_a_backup_are_no_longer_than_they_may_be),
    };
    OK(mt_crypto_init(world_random, NULL));
    plenty = calloc(CHUNKS, C);
    MT_ASSERT(plenty != NULL);
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    free(plenty);
    mt_crypto_done();
    return result;
}
