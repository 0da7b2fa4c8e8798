/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "seal/backup.h"
#include "seal/inside.h"
#include "seal/object.h"
#include "seal/world_test.h"
#include "unit/scarce.h"

/*
 * Everything that this folder does, told as stories that can be told again: the n-th allocation
 * fails, or the n-th call to the disk, wish for random bytes or sealing, for every n. The story
 * fails then and says so, and whoever tells it again on the same disk gets to its end, with
 * everything that was there before.
 */
static size_t random_in; /* 0: there is as much as anybody wants */

static mt_err scarce_random(void *state, mt_span out)
{
    MT_REQUIRE(random_in == 0 || --random_in > 0, MT_E_IO, "no random bytes");
    return world_random(state, out);
}

static size_t seal_in; /* 0: the cipher does what it should */

mt_err __real_mt_aead_seal(struct mt_aead *a, mt_bytes nonce, mt_bytes aad, mt_bytes plain,
                           mt_span out);
mt_err __wrap_mt_aead_seal(struct mt_aead *a, mt_bytes nonce, mt_bytes aad, mt_bytes plain,
                           mt_span out);

mt_err __wrap_mt_aead_seal(struct mt_aead *a, mt_bytes nonce, mt_bytes aad, mt_bytes plain,
                           mt_span out)
{
    MT_REQUIRE(seal_in == 0 || --seal_in > 0, MT_E_INTERNAL, "sealing failed");
    return __real_mt_aead_seal(a, nonce, aad, plain, out);
}

static mt_err open_root(struct mt_root **out)
{
    mt_err e = mt_root_open(fs, &world_file, out);
    return is_code(e, MT_E_NOTFOUND) ? mt_root_create(fs, &world_file, 0, out) : e;
}

static mt_err a_root_key(void)
{
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(open_root(&root));
    return mt_root_derive(root, MT_LABEL_SMALL_FILE, MT_LITERAL("context"), &key);
}

static mt_err key_slots(void)
{
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    size_t count = 0;
    uint32_t number = 0;
    MT_TRY(open_root(&root));
    MT_TRY(mt_slot_list(fs, info, MT_KEY_SLOTS_MAX, &count));
    while (count > 1) { /* what a telling before this one has left */
        MT_TRY(mt_slot_remove(fs, info[--count].number));
    }
    MT_TRY(mt_slot_add(fs, root, &world_other_file, 1, &number));
    return mt_slot_remove(fs, number);
}

/* Of a node that two of two open; the set is made once, for it needs no disk. */
static struct mt_share_set set;
static struct mt_share shares[2];
static const uint8_t shared_key[MT_SHARE_KEY_LEN] = {5};

static void hand_out_shares(void)
{
    const uint8_t random[MT_SHARE_KEY_LEN] = {6};
    set = (struct mt_share_set){2, 2, {{{0}}}};
    OK(mt_share_split(MT_BYTES_OF(shared_key), MT_BYTES_OF(random), &set, shares));
}

static mt_err a_key_in_shares(void)
{
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    uint8_t room[MT_SHARE_SET_LEN_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    size_t at = 0;
    mt_share_set_write(&w, &set);
    const struct mt_credential c = {
        .kind = MT_SLOT_SHARES, .secret = MT_BYTES_OF(shared_key), .set = mt_write_done(&w)};
    mt_err e = mt_root_open_shares(fs, shares, 2, &root, &at);
    MT_ASSERT(!mt_failed(e) || at == 2); /* no holder is blamed for it */
    if (!is_code(e, MT_E_NOTFOUND)) {
        return e;
    }
    MT_TRY(mt_root_create(fs, &c, 0, &root));
    mt_root_free(&root);
    return mt_root_open_shares(fs, shares, 2, &root, &at);
}

mt_err __wrap_mt_kdf_passphrase(mt_bytes passphrase, mt_bytes salt, uint32_t log2_n, mt_span out);

/* The real one is dear on purpose, and needs no memory here that its cheap double does not. */
mt_err __wrap_mt_kdf_passphrase(mt_bytes passphrase, mt_bytes salt, uint32_t log2_n, mt_span out)
{
    MT_ASSERT(log2_n >= 14);
    return mt_kdf(passphrase, MT_LABEL_SLOT_PASSPHRASE, salt, out);
}

/* Not the slot's own. */
static mt_err a_passphrase(void)
{
    static const struct mt_slot slot = {MT_SLOT_FOR_ROOT, MT_SLOT_PASSPHRASE, .log2_cost = 14};
    const struct mt_credential c = {.kind = MT_SLOT_PASSPHRASE, .secret = MT_LITERAL("wrong")};
    uint8_t key[MT_SLOT_KEY_LEN];
    mt_err e = mt_slot_unseal(&slot, &c, (mt_span){key, sizeof key});
    return is_code(e, MT_E_PROOF) ? MT_OK : e;
}

static mt_err small_files(void)
{
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf back = mt_buf_of_max(64);
    MT_TRY(open_root(&root));
    MT_TRY(mt_small_file_write(fs, root, "a.mts", MT_LITERAL("content")));
    MT_TRY(mt_small_file_read(fs, root, "a.mts", &back));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&back), MT_LITERAL("content")));
    return MT_OK;
}

static const uint8_t object_key[MT_AEAD_KEY_LEN] = {9};
static const mt_id object = {{3}};

static mt_err rotate(struct mt_shred *s)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    struct mt_object_wrap wrap;
    if (!mt_shred_is_rotating(s)) {
        MT_TRY(mt_shred_begin(s));
    }
    MT_TRY(mt_shred_wrap(s, &object, MT_BYTES_OF(object_key), &wrap));
    MT_TRY(mt_shred_end(s));
    MT_TRY(mt_shred_unwrap(s, &object, &wrap, &key));
    MT_ASSERT(mt_bytes_equal(mt_secret_bytes(key), MT_BYTES_OF(object_key)));
    return MT_OK;
}

static mt_err shred_keys(void)
{
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    MT_DEFER(mt_shred_free) struct mt_shred *s = NULL;
    MT_DEFER(mt_shred_free) struct mt_shred *again = NULL;
    MT_TRY(open_root(&root));
    MT_TRY(mt_shred_open(fs, root, &s));
    MT_TRY(rotate(s));
    return mt_shred_open(fs, root, &again);
}

static uint8_t content[2 * MT_CHUNK_BYTES + 5];

static mt_err seal_object(struct mt_object_handle *h, struct mt_secret **key)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *w = NULL;
    const mt_bytes all = MT_BYTES_OF(content);
    mt_hash hash;
    MT_TRY(mt_object_writer_new(fs, &w));
    MT_TRY(mt_object_writer_add(w, (mt_bytes){content, 5}));
    MT_TRY(mt_object_writer_add(w, (mt_bytes){content + 5, MT_CHUNK_BYTES - 5}));
    MT_TRY(mt_object_writer_add(
        w, (mt_bytes){content + MT_CHUNK_BYTES, sizeof content - MT_CHUNK_BYTES}));
    MT_TRY(mt_object_writer_end(w, h));
    mt_sha256(&all, 1, &hash);
    MT_ASSERT(mt_hash_equal(mt_object_writer_hash(w), &hash));
    MT_TRY(mt_object_keep(fs, &h->id));
    return mt_secret_copy(mt_secret_bytes(mt_object_writer_key(w)), key);
}

static bool nobody(void *state, const mt_id *id)
{
    (void)state;
    (void)id;
    return false;
}

static mt_err objects(void)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_DEFER(mt_object_reader_free) struct mt_object_reader *r = NULL;
    static uint8_t back[sizeof content];
    struct mt_object_handle h;
    size_t got = 0;
    MT_TRY(mt_object_sweep(fs, nobody, NULL));
    MT_TRY(seal_object(&h, &key));
    MT_TRY(mt_object_reader_new(fs, &h, mt_secret_bytes(key), &r));
    MT_TRY(mt_object_reader_read_at(r, 1, (mt_span){back, sizeof back - 1}, &got));
    MT_ASSERT(mt_bytes_equal((mt_bytes){back, got}, (mt_bytes){content + 1, sizeof content - 1}));
    return mt_object_remove(fs, &h.id);
}

static mt_err empty_objects(void)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *w = NULL;
    MT_DEFER(mt_object_reader_free) struct mt_object_reader *r = NULL;
    struct mt_object_handle h;
    uint8_t byte = 0;
    size_t got = 0;
    MT_TRY(mt_object_sweep(fs, nobody, NULL));
    MT_TRY(mt_object_writer_new(fs, &w));
    MT_TRY(mt_object_writer_end(w, &h));
    MT_TRY(mt_object_keep(fs, &h.id));
    MT_TRY(mt_object_reader_new(fs, &h, mt_secret_bytes(mt_object_writer_key(w)), &r));
    MT_TRY(mt_object_reader_read_at(r, 0, (mt_span){&byte, 1}, &got));
    MT_ASSERT(got == 0);
    return MT_OK;
}

static const struct mt_credential own = {
    .kind = MT_SLOT_FILE, .secret = {(const uint8_t *)"the backup's own key, of 32 bytes", 33}};

static mt_err write_backup(struct mt_root *root, struct mt_shred *shred, struct mt_buf *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf files = mt_buf_of_max(4096);
    MT_DEFER(mt_backup_writer_free) struct mt_backup_writer *w = NULL;
    const struct mt_backup_options o = {
        .fs = fs, .root = root, .shred = shred, .credential = own, .transactions = 1};
    static const struct mt_backup_file ledger = {"ledger/ledger_00000000000000000001.mtl", 100};
    static const struct mt_backup_file gone = {"objects/0123456789abcdef0123456789abcdef.mto", 9};
    size_t got = 1;
    MT_TRY(mt_buf_append(&files, MT_BYTES_OF(ledger)));
    MT_TRY(mt_buf_append(&files, MT_BYTES_OF(gone)));
    MT_TRY(mt_backup_writer_new(&o, &files, &w));
    while (got > 0) {
        mt_span room;
        MT_TRY(mt_buf_reserve(out, 1000, &room));
        MT_TRY(mt_backup_writer_read(w, room, &got));
        out->len += got;
    }
    return MT_OK;
}

/* Whatever a telling before this one has left there goes first. */
static mt_err make_source(struct mt_root *root)
{
    MT_TRY(mt_fs_make_dir(fs, "ledger"));
    MT_TRY(mt_fs_make_dir(fs, "objects"));
    MT_TRY(mt_small_file_write(fs, root, "platform.mts",
                               MT_LITERAL("the platform key, 32 bytes of it")));
    mt_err e = mt_fs_remove(fs, "ledger/ledger_00000000000000000001.mtl");
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    if (mt_failed(e) && !is_code(e, MT_E_NOTFOUND)) {
        return e;
    }
    MT_TRY(mt_fs_open(fs, "ledger/ledger_00000000000000000001.mtl", MT_FS_CREATE, &f));
    return mt_file_write_at(f, 0, (mt_bytes){content, 100});
}

/* A backup from one node is restored to the disk of another: the one that fails is the other's. */
static struct mt_buf backup;

static mt_err a_backup(void)
{
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    MT_DEFER(mt_shred_free) struct mt_shred *shred = NULL;
    MT_TRY(open_root(&root));
    MT_TRY(mt_shred_open(fs, root, &shred));
    MT_TRY(make_source(root));
    mt_buf_free(&backup);
    backup = mt_buf_of_max(1024 * 1024);
    return write_backup(root, shred, &backup);
}

/* A restore begins on an empty disk: what a failed one has left is no node, and is not made one. */
static mt_err a_restore(void)
{
    MT_DEFER(mt_backup_reader_free) struct mt_backup_reader *r = NULL;
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    struct mt_backup_head head;
    MT_TRY(mt_backup_reader_new(fs, &own, &r));
    MT_TRY(mt_backup_reader_add(r, mt_buf_bytes(&backup)));
    MT_TRY(mt_backup_reader_end(r, &world_file, 5, &head));
    return mt_root_open(fs, &world_file, &root);
}

typedef mt_err story(void);

static mt_err tell(story *s)
{
    return s();
}

/* Each told with a fault that comes later and later, until it comes too late. */
static void survives_scarce_memory(story *s, bool is_told_again)
{
    for (size_t n = 1;; n++) {
        disk_begin();
        scarce_in = n;
        mt_err e = tell(s);
        bool was_reached = scarce_end();
        MT_ASSERT(was_reached || !mt_failed(e));
        if (is_told_again) {
            OK(tell(s));
        }
        disk_end();
        if (!was_reached) {
            return;
        }
    }
}

/* No random bytes, or no sealing: `in` says when. */
static void survives_without(size_t *in, story *s, bool is_told_again)
{
    for (size_t n = 1;; n++) {
        disk_begin();
        *in = n;
        mt_err e = tell(s);
        bool was_reached = *in == 0;
        *in = 0;
        MT_ASSERT(was_reached == mt_failed(e)); /* nothing goes on without */
        if (is_told_again) {
            OK(tell(s));
        }
        disk_end();
        if (!was_reached) {
            return;
        }
    }
}

static void survives_a_failing_disk(story *s, enum mt_sim_fault fault, bool is_told_again)
{
    disk_begin();
    uint64_t calls = mt_sim_disk_calls(disk);
    OK(tell(s));
    calls = mt_sim_disk_calls(disk) - calls;
    disk_end();
    for (uint64_t n = 0; n < calls; n++) {
        disk_begin();
        disk_fault(fault, n);
        (void)mt_failed(tell(s)); /* some calls may fail unnoticed: those that only tidy up */
        disk_heal();
        if (fault == MT_SIM_POWER) {
            mt_fs_close(&fs);
            mt_sim_disk_restart(disk, n);
            OK(mt_fs_open_sim(disk, &fs));
        }
        if (is_told_again) {
            OK(tell(s));
        }
        disk_end();
    }
}

static story *const stories[] = {a_root_key, key_slots, a_passphrase,  a_key_in_shares, small_files,
                                 shred_keys, objects,   empty_objects, a_backup};
enum { STORIES = sizeof stories / sizeof *stories };

static void every_allocation_may_fail_and_the_next_try_succeeds(void)
{
    for (size_t i = 0; i < STORIES; i++) {
        survives_scarce_memory(stories[i], true);
    }
    survives_scarce_memory(a_restore, false);
}

static void every_wish_for_random_bytes_may_fail_and_nothing_is_sealed_without(void)
{
    for (size_t i = 0; i < STORIES; i++) {
        survives_without(&random_in, stories[i], true);
    }
    survives_without(&random_in, a_restore, false);
}

static void every_sealing_may_fail_and_nothing_goes_on_without(void)
{
    for (size_t i = 0; i < STORIES; i++) {
        survives_without(&seal_in, stories[i], true);
    }
    survives_without(&seal_in, a_restore, false);
}

static void every_call_to_the_disk_may_fail_and_the_next_try_succeeds(void)
{
    for (size_t i = 0; i < STORIES; i++) {
        survives_a_failing_disk(stories[i], MT_SIM_ERROR, true);
    }
    survives_a_failing_disk(a_restore, MT_SIM_ERROR, false);
}

static void every_call_to_the_disk_may_be_the_last_before_power_is_lost(void)
{
    for (size_t i = 0; i < STORIES; i++) {
        survives_a_failing_disk(stories[i], MT_SIM_POWER, true);
    }
    survives_a_failing_disk(a_restore, MT_SIM_POWER, false);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(every_allocation_may_fail_and_the_next_try_succeeds),
        MT_TEST(every_wish_for_random_bytes_may_fail_and_nothing_is_sealed_without),
        MT_TEST(every_sealing_may_fail_and_nothing_goes_on_without),
        MT_TEST(every_call_to_the_disk_may_fail_and_the_next_try_succeeds),
        MT_TEST(every_call_to_the_disk_may_be_the_last_before_power_is_lost),
    };
    OK(mt_crypto_init(scarce_random, NULL));
    for (size_t i = 0; i < sizeof content; i++) {
        content[i] = world_random_byte();
    }
    hand_out_shares();
    disk_begin();
    OK(a_backup()); /* for those that restore */
    disk_end();
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_buf_free(&backup);
    mt_crypto_done();
    return result;
}
