/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/root.h"
#include "seal/world_test.h"

static struct mt_root *root;

enum { OVERHEAD = 12 + 32 + 16 };

static void begin(void)
{
    disk_begin();
    OK(mt_root_create(fs, &world_file, 0, &root));
}

static void end(void)
{
    mt_root_free(&root);
    disk_end();
}

static mt_err put(const char *name, mt_bytes content)
{
    return mt_small_file_write(fs, root, name, content);
}

/* The first byte of the content, 0 if there is no such file. */
static mt_err get(const char *name, uint8_t *first)
{
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(MT_SMALL_FILE_BYTES_MAX);
    mt_err e = mt_small_file_read(fs, root, name, &b);
    MT_TRY(mt_failed(e) && e.fault->code != MT_E_NOTFOUND ? e : MT_OK);
    *first = b.len == 0 ? 0 : b.ptr[0];
    return MT_OK;
}

static bool has(const char *name, mt_bytes content)
{
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(MT_SMALL_FILE_BYTES_MAX);
    OK(mt_small_file_read(fs, root, name, &b));
    return mt_bytes_equal(mt_buf_bytes(&b), content);
}

static void content_comes_back_and_is_not_seen_on_the_disk(void)
{
    static uint8_t large[MT_SMALL_FILE_BYTES_MAX + 1];
    uint8_t first = 9;
    begin();
    OK(world_random(NULL, (mt_span){large, sizeof large}));
    OK(get("f", &first));
    MT_ASSERT(first == 0);
    OK(put("f", MT_LITERAL("some secret content")));
    MT_ASSERT(has("f", MT_LITERAL("some secret content")));
    MT_ASSERT(!disk_shows(MT_LITERAL("secret")));
    OK(put("f", (mt_bytes){NULL, 0}));
    MT_ASSERT(has("f", (mt_bytes){NULL, 0}));
    OK(put("f", (mt_bytes){large, sizeof large - 1}));
    MT_ASSERT(has("f", (mt_bytes){large, sizeof large - 1}));
    MT_ASSERT(is_code(put("f", MT_BYTES_OF(large)), MT_E_LIMIT));
    end();
}

static void every_flipped_bit_and_every_other_length_is_refused(void)
{
    uint8_t first = 0;
    begin();
    OK(put("f", MT_LITERAL("content")));
    struct mt_buf good = file_get(fs, "f");
    MT_ASSERT(good.len == OVERHEAD + 7);
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        file_flip(fs, "f", bit);
        MT_ASSERT(is_code(get("f", &first), MT_E_PROOF));
        file_flip(fs, "f", bit);
    }
    for (size_t len = 0; len < good.len; len++) {
        file_put(fs, "f", (mt_bytes){good.ptr, len});
        MT_ASSERT(is_code(get("f", &first), MT_E_PROOF));
    }
    OK(mt_buf_append(&good, MT_LITERAL("x")));
    file_put(fs, "f", mt_buf_bytes(&good));
    MT_ASSERT(is_code(get("f", &first), MT_E_PROOF));
    mt_buf_free(&good);
    end();
}

static void a_file_is_refused_under_another_name_and_with_another_root(void)
{
    uint8_t first = 0;
    begin();
    OK(put("a", MT_LITERAL("content of a")));
    OK(put("b", MT_LITERAL("content of b")));
    struct mt_buf a = file_get(fs, "a");
    file_put(fs, "b", mt_buf_bytes(&a));
    MT_ASSERT(is_code(get("b", &first), MT_E_PROOF));
    end();
    begin(); /* another node */
    file_put(fs, "a", mt_buf_bytes(&a));
    MT_ASSERT(is_code(get("a", &first), MT_E_PROOF));
    mt_buf_free(&a);
    end();
}

static void one_content_is_sealed_anew_each_time(void)
{
    begin();
    OK(put("f", MT_LITERAL("content")));
    struct mt_buf a = file_get(fs, "f");
    OK(put("f", MT_LITERAL("content")));
    struct mt_buf b = file_get(fs, "f");
    for (size_t at = 12; at + 4 <= a.len; at++) {
        MT_ASSERT(!mt_bytes_equal((mt_bytes){a.ptr + at, 4}, (mt_bytes){b.ptr + at, 4}));
    }
    mt_buf_free(&a);
    mt_buf_free(&b);
    end();
}

static void what_was_replaced_is_gone_from_the_disk(void)
{
    begin();
    OK(put("f", MT_LITERAL("old")));
    struct mt_buf old = file_get(fs, "f");
    const mt_bytes sealed = {old.ptr + 12, old.len - 12}; /* what is fixed is in the new one too */
    MT_ASSERT(disk_shows(sealed));
    OK(put("f", MT_LITERAL("new")));
    MT_ASSERT(!disk_shows(sealed));
    mt_buf_free(&old);
    end();
}

static void count_files(void *state, mt_bytes content)
{
    size_t *count = state;
    *count += mt_bytes_start_with(content, MT_LITERAL("MTSMALL1")) ? 1 : 0;
}

/* Whole or torn, with or without a name; a node that is safe and not rewritten shows twice. */
static bool has_remains_of_one_file_at_most(void)
{
    size_t count = 0;
    mt_sim_disk_remains(disk, count_files, &count);
    return count <= 2;
}

/* Writes "new" (over "old", if there is one) with a fault at call n. Afterwards either can be
 * read, the other is gone from the disk, and writing goes on. */
static bool faulted(bool has_old, enum mt_sim_fault fault, uint64_t n, uint64_t seed)
{
    uint8_t first = 0;
    begin();
    if (has_old) {
        OK(put("f", MT_LITERAL("old")));
    }
    disk_fault(fault, n);
    bool has_failed = mt_failed(put("f", MT_LITERAL("new")));
    if (fault == MT_SIM_POWER) {
        mt_sim_disk_restart(disk, seed);
    }
    disk_heal();
    OK(get("f", &first));
    MT_ASSERT(first == 'n' || (has_failed && first == (has_old ? 'o' : 0)));
    MT_ASSERT(has_remains_of_one_file_at_most());
    OK(put("f", MT_LITERAL("last")));
    MT_ASSERT(has("f", MT_LITERAL("last")) && has_remains_of_one_file_at_most());
    end();
    return has_failed;
}

static void faults_at_any_call_leave_the_old_or_the_new_content(void)
{
    static const uint64_t seeds[] = {0, UINT64_MAX, 1, 2, 3, 4, 5, 6};
    for (size_t old = 0; old < 2; old++) {
        for (uint64_t n = 0; faulted(old == 1, MT_SIM_ERROR, n, 0); n++) {
        }
        for (uint64_t n = 0; faulted(old == 1, MT_SIM_FULL, n, 0); n++) {
        }
        for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
            for (uint64_t n = 0; faulted(old == 1, MT_SIM_POWER, n, seeds[i]); n++) {
            }
        }
    }
}

/* Power goes while it is being taken up after power went. */
static void power_loss_twice_loses_nothing_either(void)
{
    for (uint64_t n = 0; n < 20; n++) {
        for (uint64_t m = 0; m < 10; m++) {
            uint8_t first = 0;
            begin();
            OK(put("f", MT_LITERAL("old")));
            disk_fault(MT_SIM_POWER, n);
            bool has_failed = mt_failed(put("f", MT_LITERAL("new")));
            mt_sim_disk_restart(disk, n + m);
            disk_fault(MT_SIM_POWER, m);
            bool has_failed_again = mt_failed(get("f", &first));
            mt_sim_disk_restart(disk, n * m);
            OK(get("f", &first));
            MT_ASSERT(first == 'n' || (first == 'o' && has_failed));
            MT_ASSERT(has_remains_of_one_file_at_most());
            (void)has_failed_again;
            end();
        }
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(content_comes_back_and_is_not_seen_on_the_disk),
        MT_TEST(every_flipped_bit_and_every_other_length_is_refused),
        MT_TEST(a_file_is_refused_under_another_name_and_with_another_root),
        MT_TEST(one_content_is_sealed_anew_each_time),
        MT_TEST(what_was_replaced_is_gone_from_the_disk),
        MT_TEST(faults_at_any_call_leave_the_old_or_the_new_content),
        MT_TEST(power_loss_twice_loses_nothing_either),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
