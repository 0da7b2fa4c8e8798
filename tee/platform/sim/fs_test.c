/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/sim/fs.h"

#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

static struct mt_sim_disk *disk;
static struct mt_fs *fs;

static void begin(uint64_t bytes_max, bool keeps_remains)
{
    const struct mt_sim_options o = {bytes_max, keeps_remains};
    OK(mt_sim_disk_new(&o, &disk));
    OK(mt_fs_open_sim(disk, &fs));
}

static void end(void)
{
    mt_fs_close(&fs);
    mt_sim_disk_free(&disk);
}

static bool is_code(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

static void put(const char *name, enum mt_fs_mode mode, mt_bytes content, bool is_synced)
{
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    OK(mt_fs_open(fs, name, mode, &f));
    OK(mt_file_write_at(f, 0, content));
    if (is_synced) {
        OK(mt_file_sync(f));
    }
}

static bool has(const char *name, mt_bytes content)
{
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    static uint8_t room[8192];
    size_t got = 0;
    if (mt_failed(mt_fs_open(fs, name, MT_FS_READ, &f))) {
        return false;
    }
    OK(mt_file_read_at(f, 0, (mt_span){room, sizeof room}, &got));
    return mt_bytes_equal((mt_bytes){room, got}, content);
}

static mt_err gather(void *state, const char *name)
{
    struct mt_writer *w = state;
    mt_write_bytes(w, mt_bytes_of_text(name));
    mt_write_u8(w, ' ');
    return MT_OK;
}

static void files_are_made_read_listed_renamed_and_removed(void)
{
    uint8_t all[128];
    mt_bytes names;
    struct mt_writer w = mt_writer_over((mt_span){all, sizeof all});
    struct mt_file *f = NULL;
    uint64_t size = 0;
    begin(0, false);
    OK(mt_fs_make_dir(fs, "d"));
    OK(mt_fs_make_dir(fs, "d"));
    put("d/b", MT_FS_CREATE, MT_LITERAL("bee"), false);
    put("d/a", MT_FS_CREATE, MT_LITERAL("ay"), false);
    put("top", MT_FS_CREATE, MT_LITERAL("top"), false);
    MT_ASSERT(is_code(mt_fs_open(fs, "top", MT_FS_CREATE, &f), MT_E_CONFLICT));
    MT_ASSERT(is_code(mt_fs_open(fs, "none", MT_FS_READ, &f), MT_E_NOTFOUND));
    MT_ASSERT(is_code(mt_fs_open(fs, "e/x", MT_FS_CREATE, &f), MT_E_NOTFOUND));
    MT_ASSERT(is_code(mt_fs_rename(fs, "none", "top"), MT_E_NOTFOUND));
    OK(mt_fs_list(fs, "d", gather, &w));
    OK(mt_fs_list(fs, ".", gather, &w));
    OK(mt_write_end(&w, &names));
    MT_ASSERT(mt_bytes_equal(names, MT_LITERAL("a b d top ")));
    OK(mt_fs_rename(fs, "d/a", "top"));
    MT_ASSERT(has("top", MT_LITERAL("ay")) && !has("d/a", MT_LITERAL("ay")));
    OK(mt_fs_open(fs, "d/b", MT_FS_WRITE, &f));
    OK(mt_fs_remove(fs, "d/b"));
    OK(mt_file_truncate(f, 1));
    OK(mt_file_allocate(f, 5)); /* open files outlive their names */
    OK(mt_file_size(f, &size));
    MT_ASSERT(size == 5 && is_code(mt_fs_remove(fs, "d/b"), MT_E_NOTFOUND));
    mt_file_close(&f);
    end();
}

static void power_loss_takes_what_was_not_synced(void)
{
    begin(0, false);
    put("kept", MT_FS_CREATE, MT_LITERAL("kept"), true);
    put("content", MT_FS_CREATE, MT_LITERAL("content"), false);
    OK(mt_fs_sync_dir(fs, "."));
    put("kept", MT_FS_WRITE, MT_LITERAL("over"), false);
    put("name", MT_FS_CREATE, MT_LITERAL("name"), true);
    mt_sim_disk_restart(disk, 0);
    MT_ASSERT(has("kept", MT_LITERAL("kept")) && has("content", MT_LITERAL("")));
    MT_ASSERT(!has("name", MT_LITERAL("name")));
    end();
}

static void power_loss_may_leave_everything_too(void)
{
    begin(0, false);
    OK(mt_fs_make_dir(fs, "d"));
    put("d/a", MT_FS_CREATE, MT_LITERAL("a"), false);
    OK(mt_fs_rename(fs, "d/a", "d/b"));
    mt_sim_disk_restart(disk, UINT64_MAX);
    MT_ASSERT(has("d/b", MT_LITERAL("a")) && !has("d/a", MT_LITERAL("a")));
    end();
}

static void unsynced_sectors_survive_one_by_one_and_names_in_order(void)
{
    static uint8_t ones[4096];
    bool has_torn = false;
    bool has_some_names = false;
    memset(ones, 1, sizeof ones);
    for (uint64_t seed = 1; seed < 64; seed++) {
        uint8_t room[4096];
        size_t got = 0;
        size_t changed = 0;
        struct mt_file *f = NULL;
        begin(0, false);
        OK(mt_fs_open(fs, "f", MT_FS_CREATE, &f));
        OK(mt_file_allocate(f, sizeof ones));
        OK(mt_file_sync(f));
        OK(mt_fs_sync_dir(fs, "."));
        OK(mt_file_write_at(f, 0, MT_BYTES_OF(ones)));
        put("first", MT_FS_CREATE, MT_LITERAL(""), false);
        put("second", MT_FS_CREATE, MT_LITERAL(""), false);
        mt_sim_disk_restart(disk, seed);
        MT_ASSERT(is_code(mt_file_sync(f), MT_E_IO)); /* of an earlier life */
        mt_file_close(&f);
        OK(mt_fs_open(fs, "f", MT_FS_READ, &f));
        OK(mt_file_read_at(f, 0, (mt_span){room, sizeof room}, &got));
        MT_ASSERT(got == sizeof room);
        for (size_t i = 0; i < got; i++) {
            MT_ASSERT(room[i] == room[i - i % 512]);
            changed += room[i];
        }
        mt_file_close(&f);
        MT_ASSERT(has("first", MT_LITERAL("")) || !has("second", MT_LITERAL("")));
        has_torn = has_torn || (changed > 0 && changed < sizeof room);
        has_some_names =
            has_some_names || (has("first", MT_LITERAL("")) && !has("second", MT_LITERAL("")));
        end();
    }
    MT_ASSERT(has_torn && has_some_names);
}

static void syncing_a_directory_keeps_the_changes_that_touch_it_alone(void)
{
    begin(0, false);
    OK(mt_fs_make_dir(fs, "a"));
    OK(mt_fs_make_dir(fs, "b"));
    OK(mt_fs_sync_dir(fs, "."));
    put("a/x", MT_FS_CREATE, MT_LITERAL("x"), true);
    OK(mt_fs_sync_dir(fs, "a"));
    OK(mt_fs_rename(fs, "a/x", "b/x"));
    put("a/y", MT_FS_CREATE, MT_LITERAL("y"), true);
    OK(mt_fs_sync_dir(fs, "b"));
    mt_sim_disk_restart(disk, 0);
    MT_ASSERT(has("b/x", MT_LITERAL("x")) && !has("a/x", MT_LITERAL("x")));
    MT_ASSERT(!has("a/y", MT_LITERAL("y")));
    end();
}

static void a_call_fails_when_told_to(void)
{
    struct mt_file *f = NULL;
    uint8_t room[8];
    size_t got = 0;
    begin(0, false);
    OK(mt_fs_open(fs, "f", MT_FS_CREATE, &f));
    mt_sim_disk_fault(disk, MT_SIM_ERROR, mt_sim_disk_calls(disk));
    MT_ASSERT(is_code(mt_file_write_at(f, 0, MT_LITERAL("12345678")), MT_E_IO));
    OK(mt_file_read_at(f, 0, (mt_span){room, sizeof room}, &got));
    MT_ASSERT(got == 4);
    OK(mt_file_write_at(f, 0, MT_LITERAL("12345678")));
    mt_sim_disk_fault(disk, MT_SIM_FULL, mt_sim_disk_calls(disk));
    MT_ASSERT(is_code(mt_fs_make_dir(fs, "d"), MT_E_IO));
    OK(mt_file_sync(f));
    mt_sim_disk_fault(disk, MT_SIM_POWER, mt_sim_disk_calls(disk) + 1);
    OK(mt_file_sync(f));
    MT_ASSERT(is_code(mt_file_sync(f), MT_E_IO) && is_code(mt_file_sync(f), MT_E_IO));
    mt_file_close(&f);
    end();
}

static void a_full_disk_takes_no_more(void)
{
    uint64_t left = 0;
    struct mt_file *f = NULL;
    begin(1000, false);
    put("f", MT_FS_CREATE, MT_LITERAL("12345678"), false);
    OK(mt_fs_free_bytes(fs, &left));
    MT_ASSERT(left == 992);
    OK(mt_fs_open(fs, "f", MT_FS_WRITE, &f));
    MT_ASSERT(is_code(mt_file_allocate(f, 1001), MT_E_IO));
    MT_ASSERT(is_code(mt_file_write_at(f, 995, MT_LITERAL("123456")), MT_E_IO));
    OK(mt_file_write_at(f, 994, MT_LITERAL("123456")));
    mt_file_close(&f);
    end();
}

static void what_a_failed_sync_has_lost_no_later_sync_brings_back(void)
{
    struct mt_file *f = NULL;
    begin(0, false);
    OK(mt_fs_open(fs, "f", MT_FS_CREATE, &f));
    OK(mt_fs_sync_dir(fs, "."));
    OK(mt_file_write_at(f, 0, MT_LITERAL("lost")));
    mt_sim_disk_fault(disk, MT_SIM_ERROR, mt_sim_disk_calls(disk));
    MT_ASSERT(is_code(mt_file_sync(f), MT_E_IO));
    OK(mt_file_sync(f));
    mt_sim_disk_restart(disk, 0);
    mt_file_close(&f);
    MT_ASSERT(!has("f", MT_LITERAL("lost")));
    OK(mt_fs_open(fs, "f", MT_FS_WRITE, &f));
    OK(mt_file_write_at(f, 0, MT_LITERAL("lost")));
    mt_sim_disk_fault(disk, MT_SIM_ERROR, mt_sim_disk_calls(disk));
    MT_ASSERT(is_code(mt_file_sync(f), MT_E_IO));
    OK(mt_file_write_at(f, 0, MT_LITERAL("kept")));
    OK(mt_file_sync(f));
    mt_sim_disk_restart(disk, 0);
    mt_file_close(&f);
    MT_ASSERT(has("f", MT_LITERAL("kept")));
    end();
}

static void look(void *state, mt_bytes content)
{
    static const uint8_t secret[] = {'k', 'e', 'y'};
    if (content.len >= sizeof secret) {
        *(bool *)state = *(bool *)state || memmem(content.ptr, content.len, secret, 3) != NULL;
    }
}

static bool is_found(void)
{
    bool found = false;
    mt_sim_disk_remains(disk, look, &found);
    return found;
}

static void a_thief_finds_what_was_removed_or_cut_off_but_not_what_was_overwritten(void)
{
    struct mt_file *f = NULL;
    begin(0, true);
    put("f", MT_FS_CREATE, MT_LITERAL("a key"), true);
    OK(mt_fs_open(fs, "f", MT_FS_WRITE, &f));
    OK(mt_file_write_at(f, 0, MT_LITERAL("#####")));
    MT_ASSERT(is_found()); /* until it is synced */
    OK(mt_file_sync(f));
    MT_ASSERT(!is_found());
    OK(mt_file_write_at(f, 0, MT_LITERAL("a key")));
    OK(mt_file_truncate(f, 2));
    OK(mt_file_sync(f));
    MT_ASSERT(is_found());
    mt_file_close(&f);
    end();
    begin(0, true);
    put("f", MT_FS_CREATE, MT_LITERAL("a key"), true);
    OK(mt_fs_remove(fs, "f"));
    OK(mt_fs_sync_dir(fs, "."));
    mt_sim_disk_restart(disk, 0);
    MT_ASSERT(is_found());
    end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(files_are_made_read_listed_renamed_and_removed),
        MT_TEST(power_loss_takes_what_was_not_synced),
        MT_TEST(power_loss_may_leave_everything_too),
        MT_TEST(unsynced_sectors_survive_one_by_one_and_names_in_order),
        MT_TEST(syncing_a_directory_keeps_the_changes_that_touch_it_alone),
        MT_TEST(a_call_fails_when_told_to),
        MT_TEST(a_full_disk_takes_no_more),
        MT_TEST(what_a_failed_sync_has_lost_no_later_sync_brings_back),
        MT_TEST(a_thief_finds_what_was_removed_or_cut_off_but_not_what_was_overwritten),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
