/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/backup_inside.h"
#include "seal/world_test.h"
#include "unit/mangle.h"

/* A backup gives back what the node had, to whoever has its credential, whole or not at all. */

#define LEDGER_FILE "ledger/ledger_00000000000000000001.mtl"
#define OBJECT_FILE "objects/0123456789abcdef0123456789abcdef.mto"

static const struct mt_credential own = {
    .kind = MT_SLOT_FILE, .secret = {(const uint8_t *)"the backup's own key, of 32 bytes", 33}};
static const struct mt_credential fresh = {
    .kind = MT_SLOT_FILE, .secret = {(const uint8_t *)"another key file for the next node", 34}};
static struct mt_root *root;
static struct mt_shred *shred;

static void put_file(struct mt_fs *to, const char *name, size_t len, uint8_t seed)
{
    struct mt_file *f = NULL;
    struct mt_buf b = mt_buf_of_max(len);
    mt_span room;
    OK(mt_buf_reserve(&b, len, &room));
    for (size_t i = 0; i < len; i++) {
        room.ptr[i] = (uint8_t)(i * 7 + seed);
    }
    OK(mt_fs_open(to, name, MT_FS_CREATE, &f));
    OK(mt_file_write_at(f, 0, mt_bytes_of(room)));
    mt_file_close(&f);
    mt_buf_free(&b);
}

static void begin(size_t ledger_len, size_t object_len)
{
    disk_begin();
    OK(mt_root_create(fs, &world_file, 0, &root));
    OK(mt_shred_open(fs, root, &shred));
    OK(mt_small_file_write(fs, root, "platform.mts",
                           MT_LITERAL("the platform key, 32 bytes of it")));
    OK(mt_fs_make_dir(fs, "ledger"));
    OK(mt_fs_make_dir(fs, "objects"));
    put_file(fs, LEDGER_FILE, ledger_len + 10, 1); /* the rest came later */
    put_file(fs, OBJECT_FILE, object_len, 2);
}

static void end(void)
{
    mt_shred_free(&shred);
    mt_root_free(&root);
    disk_end();
}

static void add_name(struct mt_buf *files, const char *name, uint64_t len)
{
    struct mt_backup_file f = {.size_bytes = len};
    memcpy(f.name, name, strlen(name) + 1);
    OK(mt_buf_append(files, MT_BYTES_OF(f)));
}

static mt_err open_writer(size_t ledger_len, size_t object_len, const struct mt_credential *c,
                          struct mt_backup_writer **out)
{
    MT_DEFER(mt_buf_free) struct mt_buf files = mt_buf_of_max(4096);
    const struct mt_backup_options o = {.fs = fs,
                                        .root = root,
                                        .shred = shred,
                                        .credential = *c,
                                        .cluster_id = {{7}},
                                        .transactions = 12,
                                        .tree_root = {{8}}};
    add_name(&files, LEDGER_FILE, ledger_len);
    add_name(&files, OBJECT_FILE, object_len);
    return mt_backup_writer_new(&o, &files, out);
}

static mt_err write_all(size_t ledger_len, size_t object_len, size_t piece, struct mt_buf *out)
{
    MT_DEFER(mt_backup_writer_free) struct mt_backup_writer *w = NULL;
    size_t got = 1;
    MT_TRY(open_writer(ledger_len, object_len, &own, &w));
    uint64_t promised = mt_backup_writer_bytes(w);
    while (got > 0) {
        mt_span room;
        OK(mt_buf_reserve(out, piece, &room));
        MT_TRY(mt_backup_writer_read(w, room, &got));
        out->len += got;
    }
    MT_ASSERT(out->len == promised);
    return MT_OK;
}

/* Into a disk of its own. */
static mt_err restore(mt_bytes backup, size_t piece, const struct mt_credential *c,
                      struct mt_fs *to)
{
    MT_DEFER(mt_backup_reader_free) struct mt_backup_reader *r = NULL;
    struct mt_backup_head head;
    MT_TRY(mt_backup_reader_new(to, c, &r));
    while (backup.len > 0) {
        size_t n = backup.len < piece ? backup.len : piece;
        MT_TRY(mt_backup_reader_add(r, (mt_bytes){backup.ptr, n}));
        backup = (mt_bytes){backup.ptr + n, backup.len - n};
    }
    MT_TRY(mt_backup_reader_end(r, &fresh, 5, &head));
    MT_ASSERT(head.transactions == 12 && head.cluster_id.b[0] == 7 && head.root.b[0] == 8);
    return MT_OK;
}

struct other {
    struct mt_sim_disk *disk;
    struct mt_fs *fs;
};

static void other_begin(struct other *o)
{
    const struct mt_sim_options options = {0, true};
    OK(mt_sim_disk_new(&options, &o->disk));
    OK(mt_fs_open_sim(o->disk, &o->fs));
}

static void other_end(struct other *o)
{
    mt_fs_close(&o->fs);
    mt_sim_disk_free(&o->disk);
}

static bool is_file(struct mt_fs *at, const char *name, size_t len, uint8_t seed)
{
    MT_DEFER(mt_buf_free) struct mt_buf b = file_get(at, name);
    bool is = b.len == len;
    for (size_t i = 0; is && i < len; i++) {
        is = b.ptr[i] == (uint8_t)(i * 7 + seed);
    }
    return is;
}

static void is_the_node(struct mt_fs *at)
{
    MT_DEFER(mt_root_free) struct mt_root *back = NULL;
    MT_DEFER(mt_shred_free) struct mt_shred *keys = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf platform = mt_buf_of_max(64);
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    const mt_id object = {{3}};
    static const uint8_t object_key[32] = {9};
    struct mt_object_wrap wrap;
    MT_ASSERT(is_code(mt_root_open(at, &world_file, &back), MT_E_PROOF));
    OK(mt_root_open(at, &fresh, &back));
    OK(mt_shred_open(at, back, &keys));
    OK(mt_shred_wrap(shred, &object, MT_BYTES_OF(object_key), &wrap));
    OK(mt_shred_unwrap(keys, &object, &wrap, &key));
    OK(mt_small_file_read(at, back, "platform.mts", &platform));
    MT_ASSERT(
        mt_bytes_equal(mt_buf_bytes(&platform), MT_LITERAL("the platform key, 32 bytes of it")));
}

static void what_is_restored_is_what_was_backed_up(void)
{
    static const size_t sizes[] = {1, 24, 100, 256, 65535, 65536, 65537, 131072, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(SIZE_MAX / 2);
        struct other o;
        begin(sizes[i], sizes[sizeof sizes / sizeof *sizes - 1 - i]);
        OK(write_all(sizes[i], sizes[sizeof sizes / sizeof *sizes - 1 - i], 70000, &b));
        other_begin(&o);
        OK(restore(mt_buf_bytes(&b), 50001, &own, o.fs));
        MT_ASSERT(is_file(o.fs, LEDGER_FILE, sizes[i], 1));
        MT_ASSERT(is_file(o.fs, OBJECT_FILE, sizes[sizeof sizes / sizeof *sizes - 1 - i], 2));
        is_the_node(o.fs);
        other_end(&o);
        end();
    }
}

static bool shows(mt_bytes in, mt_bytes what)
{
    return memmem(in.ptr, in.len, what.ptr, what.len) != NULL;
}

static void a_backup_shows_nothing_and_two_of_them_share_no_key(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(SIZE_MAX / 2);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(SIZE_MAX / 2);
    begin(300, 50);
    OK(write_all(300, 50, 13, &a));
    OK(write_all(300, 50, 1000, &b));
    MT_ASSERT(a.len == b.len);
    MT_ASSERT(!shows(mt_buf_bytes(&a), MT_LITERAL("platform key")));
    MT_ASSERT(!shows(mt_buf_bytes(&a), mt_root_key(root)));
    MT_ASSERT(!shows(mt_buf_bytes(&a), own.secret));
    size_t same = 0;
    for (size_t i = MT_BACKUP_HEAD_LEN; i < a.len; i++) {
        same += a.ptr[i] == b.ptr[i] ? 1 : 0;
    }
    MT_ASSERT(same < (a.len - MT_BACKUP_HEAD_LEN) / 8);
    end();
}

static void another_credential_opens_nothing(void)
{
    static const struct mt_credential phrase = {
        .kind = MT_SLOT_PASSPHRASE,
        .secret = {(const uint8_t *)"the backup's own key, of 32 bytes", 33}};
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(SIZE_MAX / 2);
    struct other o;
    begin(30, 5);
    OK(write_all(30, 5, 100, &b));
    other_begin(&o);
    MT_ASSERT(is_code(restore(mt_buf_bytes(&b), 100, &fresh, o.fs), MT_E_PROOF));
    MT_ASSERT(is_code(restore(mt_buf_bytes(&b), 100, &phrase, o.fs), MT_E_PROOF));
    other_end(&o);
    end();
}

/* Neither keys nor a slot: nothing that would start. */
static bool is_no_node(struct mt_fs *at)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    return is_code(mt_root_open(at, &fresh, &r), MT_E_NOTFOUND);
}

static void every_truncation_and_every_flipped_bit_is_refused_and_leaves_no_node(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(SIZE_MAX / 2);
    struct other o;
    begin(30, 5);
    OK(write_all(30, 5, 100, &b));
    for (size_t len = 0; len < b.len; len++) {
        other_begin(&o);
        mt_err e = restore((mt_bytes){b.ptr, len}, 1000, &own, o.fs);
        MT_ASSERT(is_code(e, MT_E_PROOF) && is_no_node(o.fs));
        other_end(&o);
    }
    for (size_t bit = 0; bit < 8 * b.len; bit++) {
        b.ptr[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        other_begin(&o);
        mt_err e = restore(mt_buf_bytes(&b), 1000, &own, o.fs);
        MT_ASSERT(is_code(e, MT_E_PROOF) || is_code(e, MT_E_FORMAT) ||
                  is_code(e, MT_E_CONFLICT)); /* a slot of another version */
        MT_ASSERT(is_no_node(o.fs));
        other_end(&o);
        b.ptr[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    OK(mt_buf_append(&b, MT_LITERAL("x")));
    other_begin(&o);
    MT_ASSERT(is_code(restore(mt_buf_bytes(&b), 1000, &own, o.fs), MT_E_PROOF));
    other_end(&o);
    end();
}

static void frames_of_two_backups_do_not_mix(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(SIZE_MAX / 2);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(SIZE_MAX / 2);
    struct other o;
    begin(300, 50);
    OK(write_all(300, 50, 1000, &a));
    OK(write_all(300, 50, 1000, &b));
    memcpy(a.ptr + a.len - 100, b.ptr + b.len - 100, 100);
    other_begin(&o);
    MT_ASSERT(is_code(restore(mt_buf_bytes(&a), 1000, &own, o.fs), MT_E_PROOF));
    MT_ASSERT(is_no_node(o.fs));
    other_end(&o);
    end();
}

static void an_object_that_is_gone_is_zeros_and_a_ledger_that_is_gone_is_a_fault(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(SIZE_MAX / 2);
    MT_DEFER(mt_buf_free) struct mt_buf none = mt_buf_of_max(SIZE_MAX / 2);
    struct other o;
    begin(100, 5);
    OK(mt_fs_remove(fs, OBJECT_FILE));
    OK(write_all(100, 5, 1000, &b));
    other_begin(&o);
    OK(restore(mt_buf_bytes(&b), 1000, &own, o.fs));
    struct mt_buf zeros = file_get(o.fs, OBJECT_FILE);
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&zeros), MT_LITERAL("\0\0\0\0\0")));
    mt_buf_free(&zeros);
    other_end(&o);
    OK(mt_fs_remove(fs, LEDGER_FILE));
    MT_ASSERT(is_code(write_all(100, 5, 1000, &none), MT_E_IO));
    end();
}

static bool head_comes_back(const uint8_t *bytes, size_t len)
{
    struct mt_backup_head h;
    uint8_t again[MT_BACKUP_HEAD_LEN];
    if (mt_failed(mt_backup_head_parse((mt_bytes){bytes, len}, &h))) {
        return false;
    }
    mt_backup_head_write(&h, again);
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(again), (mt_bytes){bytes, len}));
    return true;
}

static bool frame_comes_back(const uint8_t *bytes, size_t len)
{
    struct mt_backup_frame f;
    uint8_t room[512];
    mt_bytes again;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (mt_failed(mt_backup_frame_parse((mt_bytes){bytes, len}, &f))) {
        return false;
    }
    mt_backup_frame_write(&w, &f);
    OK(mt_write_end(&w, &again));
    MT_ASSERT(mt_bytes_equal(again, (mt_bytes){bytes, len}));
    return true;
}

static void head_and_frames_are_read_in_one_way_only(void)
{
    static const uint8_t key[32] = {1};
    const struct mt_backup_head h = {.transactions = 3, .slot = {1, 2, 3}, .slot_len = 3};
    const struct mt_backup_frame frames[] = {
        {.kind = MT_BACKUP_END, .files = 3, .size = 300},
        {.kind = MT_BACKUP_SECRETS,
         .root_key = MT_BYTES_OF(key),
         .shred_keys = MT_LITERAL("s"),
         .platform_key = MT_BYTES_OF(key)},
        {.kind = MT_BACKUP_FILE, .name = mt_bytes_of_text(OBJECT_FILE), .size = 70000},
        {.kind = MT_BACKUP_DATA, .data = MT_LITERAL("bytes")},
    };
    uint8_t head[MT_BACKUP_HEAD_LEN];
    mt_backup_head_write(&h, head);
    mt_mangle_length(head_comes_back, head, sizeof head);
    MT_ASSERT(mt_mangle_bits(head_comes_back, head, sizeof head) > 0);
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        uint8_t room[512];
        mt_bytes frame;
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        mt_backup_frame_write(&w, &frames[i]);
        OK(mt_write_end(&w, &frame));
        mt_mangle_length(frame_comes_back, frame.ptr, frame.len);
        (void)mt_mangle_bits(frame_comes_back, frame.ptr, frame.len);
    }
}

static void names_outside_of_their_place_are_refused(void)
{
    static const char *const names[] = {"slots/slot-0.mtk",
                                        "../ledger/ledger_00000000000000000001.mtl",
                                        "ledger/ledger_0000000000000000001.mtl",
                                        "ledger/ledger_0000000000000000000a.mtl",
                                        "objects/0123456789ABCDEF0123456789abcdef.mto",
                                        "objects/0123456789abcdef0123456789abcdef.mto/",
                                        "shred.mts",
                                        ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct mt_backup_frame f = {.kind = MT_BACKUP_FILE,
                                          .name = mt_bytes_of_text(names[i])};
        struct mt_backup_frame back;
        uint8_t room[512];
        mt_bytes frame;
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        mt_backup_frame_write(&w, &f);
        OK(mt_write_end(&w, &frame));
        MT_ASSERT(is_code(mt_backup_frame_parse(frame, &back), MT_E_FORMAT));
    }
}

static void a_credential_that_is_none_or_too_long_is_refused(void)
{
    static const uint8_t bytes[MT_SECRET_BYTES_MAX + 1];
    const struct mt_credential long_one = {.kind = MT_SLOT_FILE, .secret = MT_BYTES_OF(bytes)};
    const struct mt_credential short_one = {.kind = MT_SLOT_FILE, .secret = {bytes, 31}};
    const struct mt_credential none = {.kind = MT_SLOT_PASSPHRASE, .secret = {bytes, 0}};
    struct mt_backup_writer *w = NULL;
    begin(1, 1);
    MT_ASSERT(is_code(open_writer(1, 1, &long_one, &w), MT_E_ARG));
    MT_ASSERT(is_code(open_writer(1, 1, &short_one, &w), MT_E_ARG));
    MT_ASSERT(is_code(open_writer(1, 1, &none, &w), MT_E_ARG));
    end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(what_is_restored_is_what_was_backed_up),
        MT_TEST(a_backup_shows_nothing_and_two_of_them_share_no_key),
        MT_TEST(another_credential_opens_nothing),
        MT_TEST(every_truncation_and_every_flipped_bit_is_refused_and_leaves_no_node),
        MT_TEST(frames_of_two_backups_do_not_mix),
        MT_TEST(an_object_that_is_gone_is_zeros_and_a_ledger_that_is_gone_is_a_fault),
        MT_TEST(head_and_frames_are_read_in_one_way_only),
        MT_TEST(names_outside_of_their_place_are_refused),
        MT_TEST(a_credential_that_is_none_or_too_long_is_refused),
    };
    OK(mt_crypto_init(world_random, NULL));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
