/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/shred.h"

#include "seal/inside.h"
#include "seal/world_test.h"
#include "unit/mangle.h"

static struct mt_root *root;
static struct mt_shred *shred;

static const mt_id first_id = {"the first object"};
static const mt_id second_id = {"another object.."};
#define KEY  MT_LITERAL("the key of an object, 32 bytes..")
#define LIVE MT_LITERAL("the key of one that goes on liv.")

static void begin(void)
{
    disk_begin();
    OK(mt_root_create(fs, &world_file, 0, &root));
    OK(mt_shred_open(fs, root, &shred));
}

static void end(void)
{
    mt_shred_free(&shred);
    mt_root_free(&root);
    disk_end();
}

static mt_err reopen(void)
{
    mt_shred_free(&shred);
    return mt_shred_open(fs, root, &shred);
}

static struct mt_object_wrap wrapped(const mt_id *id, mt_bytes key)
{
    struct mt_object_wrap w;
    OK(mt_shred_wrap(shred, id, key, &w));
    return w;
}

static mt_err unwrapped(const mt_id *id, const struct mt_object_wrap *w, mt_bytes wanted)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(mt_shred_unwrap(shred, id, w, &key));
    MT_ASSERT(mt_bytes_equal(mt_secret_bytes(key), wanted));
    return MT_OK;
}

static void a_key_comes_out_of_its_wrap_for_its_object_alone(void)
{
    begin();
    struct mt_object_wrap w = wrapped(&first_id, KEY);
    struct mt_object_wrap again = wrapped(&first_id, KEY);
    MT_ASSERT(mt_shred_epoch(shred) == 1 && mt_shred_wrap_epoch(&w) == 1);
    MT_ASSERT(!mt_bytes_equal(MT_BYTES_OF(w), MT_BYTES_OF(again)));
    OK(unwrapped(&first_id, &w, KEY));
    MT_ASSERT(is_code(unwrapped(&second_id, &w, KEY), MT_E_PROOF));
    OK(reopen());
    OK(unwrapped(&first_id, &w, KEY));
    OK(unwrapped(&first_id, &again, KEY));
    end();
}

static void every_flipped_bit_of_a_wrap_is_refused(void)
{
    begin();
    struct mt_object_wrap w = wrapped(&first_id, KEY);
    for (size_t bit = 0; bit < 8 * sizeof w.b; bit++) {
        w.b[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        enum mt_code code = bit < 64 ? MT_E_NOTFOUND : MT_E_PROOF; /* another epoch, or damage */
        MT_ASSERT(is_code(unwrapped(&first_id, &w, KEY), code));
        w.b[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    OK(mt_shred_begin(shred)); /* an epoch that exists is not taken for another one either */
    w.b[7] = 2;
    MT_ASSERT(is_code(unwrapped(&first_id, &w, KEY), MT_E_PROOF));
    end();
}

static void a_rotation_has_both_keys_until_it_ends(void)
{
    begin();
    struct mt_object_wrap old = wrapped(&first_id, KEY);
    MT_ASSERT(!mt_shred_is_rotating(shred) && is_code(mt_shred_end(shred), MT_E_CONFLICT));
    OK(mt_shred_begin(shred));
    MT_ASSERT(mt_shred_is_rotating(shred) && is_code(mt_shred_begin(shred), MT_E_CONFLICT));
    struct mt_object_wrap new = wrapped(&first_id, KEY);
    MT_ASSERT(mt_shred_wrap_epoch(&new) == 2);
    OK(reopen());
    MT_ASSERT(mt_shred_is_rotating(shred) && mt_shred_epoch(shred) == 2);
    OK(unwrapped(&first_id, &old, KEY));
    OK(unwrapped(&first_id, &new, KEY));
    OK(mt_shred_end(shred));
    MT_ASSERT(is_code(unwrapped(&first_id, &old, KEY), MT_E_NOTFOUND));
    OK(unwrapped(&first_id, &new, KEY));
    OK(reopen());
    MT_ASSERT(!mt_shred_is_rotating(shred) && mt_shred_epoch(shred) == 2);
    MT_ASSERT(is_code(unwrapped(&first_id, &old, KEY), MT_E_NOTFOUND));
    OK(unwrapped(&first_id, &new, KEY));
    end();
}

/* A thief who has the root key, an old ledger (hence the old wrap) and all that lies on the disk or
 * ever lay there and was not overwritten. */
struct thief {
    const struct mt_object_wrap *wrap;
    size_t opened; /* shred files that could be read */
    bool has_key;
};

static void try_as_shred_file(struct thief *t, mt_bytes sealed)
{
    const struct mt_sim_options o = {0, false};
    MT_DEFER(mt_sim_disk_free) struct mt_sim_disk *own = NULL;
    MT_DEFER(mt_fs_close) struct mt_fs *own_fs = NULL;
    MT_DEFER(mt_shred_free) struct mt_shred *s = NULL;
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    OK(mt_sim_disk_new(&o, &own));
    OK(mt_fs_open_sim(own, &own_fs));
    file_put(own_fs, "shred.mts", sealed);
    if (!mt_failed(mt_shred_open(own_fs, root, &s))) {
        t->opened++;
        t->has_key = t->has_key || !mt_failed(mt_shred_unwrap(s, &first_id, t->wrap, &key));
    }
}

static void steal(void *state, mt_bytes content)
{
    /* Fixed part, salt, tag, and CBOR of one key or of two. */
    static const size_t lengths[] = {12 + 32 + 16 + 3 + 36, 12 + 32 + 16 + 3 + 72};
    for (size_t i = 0; i < 2; i++) {
        for (size_t at = 0; at + lengths[i] <= content.len && at < 600; at++) {
            mt_bytes part = {content.ptr + at, lengths[i]};
            if (mt_bytes_start_with(part, MT_LITERAL("MTSMALL1"))) {
                try_as_shred_file(state, part);
            }
        }
    }
}

static bool can_be_stolen(const struct mt_object_wrap *w)
{
    struct thief t = {w, 0, false};
    mt_sim_disk_remains(disk, steal, &t);
    MT_ASSERT(t.opened > 0); /* the thief is a good one: the file that is there opens */
    return t.has_key;
}

static void after_a_rotation_root_key_and_all_that_the_disk_remembers_open_nothing_deleted(void)
{
    begin();
    struct mt_object_wrap deleted = wrapped(&first_id, KEY);
    MT_ASSERT(can_be_stolen(&deleted));
    for (size_t i = 0; i < 3; i++) {
        OK(mt_shred_begin(shred));
        MT_ASSERT(can_be_stolen(&deleted) == (i == 0));
        OK(mt_shred_end(shred));
        MT_ASSERT(!can_be_stolen(&deleted));
    }
    end();
}

static mt_err rotate(const mt_id *live, struct mt_object_wrap *wrap)
{
    if (!mt_shred_is_rotating(shred)) {
        MT_TRY(mt_shred_begin(shred));
    }
    if (mt_shred_wrap_epoch(wrap) != mt_shred_epoch(shred)) {
        struct mt_object_wrap fresh;
        MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
        MT_TRY(mt_shred_unwrap(shred, live, wrap, &key));
        MT_TRY(mt_shred_wrap(shred, live, mt_secret_bytes(key), &fresh));
        *wrap = fresh; /* durable, as far as this test goes */
    }
    return mt_shred_end(shred);
}

/* Rotates with a fault at call n; starts again; rotates until it goes through. What lives can be
 * opened at every step, what was deleted by nobody at the end. */
static bool faulted(enum mt_sim_fault fault, uint64_t n, uint64_t seed)
{
    begin();
    struct mt_object_wrap deleted = wrapped(&first_id, KEY);
    struct mt_object_wrap live = wrapped(&second_id, LIVE);
    disk_fault(fault, n);
    bool has_failed = mt_failed(rotate(&second_id, &live));
    if (fault == MT_SIM_POWER) {
        mt_sim_disk_restart(disk, seed);
        OK(reopen());
    }
    disk_heal();
    OK(unwrapped(&second_id, &live, LIVE));
    if (has_failed) {
        OK(rotate(&second_id, &live));
    }
    OK(unwrapped(&second_id, &live, LIVE));
    MT_ASSERT(mt_failed(unwrapped(&first_id, &deleted, KEY)));
    MT_ASSERT(!can_be_stolen(&deleted));
    OK(reopen());
    OK(unwrapped(&second_id, &live, LIVE));
    end();
    return has_failed;
}

static void faults_at_any_call_of_a_rotation_lose_nothing_live_and_keep_nothing_deleted(void)
{
    static const uint64_t seeds[] = {0, UINT64_MAX, 1, 2, 3, 4, 5, 6};
    for (uint64_t n = 0; faulted(MT_SIM_ERROR, n, 0); n++) {
    }
    for (uint64_t n = 0; faulted(MT_SIM_FULL, n, 0); n++) {
    }
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        for (uint64_t n = 0; faulted(MT_SIM_POWER, n, seeds[i]); n++) {
        }
    }
}

static void a_start_after_power_loss_finishes_what_the_end_of_a_rotation_began(void)
{
    static const uint64_t seeds[] = {0, UINT64_MAX, 1, 2, 3, 4};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        bool has_failed = true;
        for (uint64_t n = 0; has_failed; n++) {
            begin();
            struct mt_object_wrap deleted = wrapped(&first_id, KEY);
            OK(mt_shred_begin(shred));
            disk_fault(MT_SIM_POWER, n);
            has_failed = mt_failed(mt_shred_end(shred));
            mt_sim_disk_restart(disk, seeds[i]);
            OK(reopen());
            MT_ASSERT(mt_shred_epoch(shred) == 2);
            MT_ASSERT(can_be_stolen(&deleted) == mt_shred_is_rotating(shred));
            end();
        }
    }
}

static bool keys_come_back(const uint8_t *bytes, size_t len)
{
    struct mt_shred_keys k;
    uint8_t room[MT_SHRED_FILE_BYTES_MAX];
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (mt_failed(mt_shred_keys_parse((mt_bytes){bytes, len}, &k))) {
        return false;
    }
    mt_shred_keys_write(&w, &k);
    OK(mt_write_end(&w, &out));
    MT_ASSERT(mt_bytes_equal(out, (mt_bytes){bytes, len}));
    return true;
}

static void the_content_of_the_shred_file_has_one_encoding(void)
{
    uint8_t room[MT_SHRED_FILE_BYTES_MAX];
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_shred_keys k = {.keys = {{5, KEY}, {6, LIVE}}, .count = 2};
    mt_shred_keys_write(&w, &k);
    OK(mt_write_end(&w, &out));
    mt_mangle_length(keys_come_back, out.ptr, out.len);
    MT_ASSERT(mt_mangle_bits(keys_come_back, out.ptr, out.len) == 8 * 64); /* the keys alone */
    w.used = 0;
    k.keys[1].epoch = 5;
    mt_shred_keys_write(&w, &k);
    OK(mt_write_end(&w, &out));
    MT_ASSERT(is_code(mt_shred_keys_parse(out, &k), MT_E_FORMAT));
}

static void a_damaged_shred_file_is_refused_and_not_made_anew(void)
{
    begin();
    struct mt_object_wrap w = wrapped(&first_id, KEY);
    struct mt_buf good = file_get(fs, "shred.mts");
    for (size_t bit = 0; bit < good.len * 8; bit += 7) {
        file_flip(fs, "shred.mts", bit);
        MT_ASSERT(is_code(reopen(), MT_E_PROOF));
        file_flip(fs, "shred.mts", bit);
    }
    OK(reopen());
    OK(unwrapped(&first_id, &w, KEY));
    mt_buf_free(&good);
    end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_key_comes_out_of_its_wrap_for_its_object_alone),
        MT_TEST(every_flipped_bit_of_a_wrap_is_refused),
        MT_TEST(a_rotation_has_both_keys_until_it_ends),
        MT_TEST(after_a_rotation_root_key_and_all_that_the_disk_remembers_open_nothing_deleted),
        MT_TEST(faults_at_any_call_of_a_rotation_lose_nothing_live_and_keep_nothing_deleted),
        MT_TEST(a_start_after_power_loss_finishes_what_the_end_of_a_rotation_began),
        MT_TEST(the_content_of_the_shred_file_has_one_encoding),
        MT_TEST(a_damaged_shred_file_is_refused_and_not_made_anew),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
