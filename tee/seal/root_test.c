/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/root.h"

#include "seal/inside.h"
#include "seal/world_test.h"
#include "unit/mangle.h"

static const struct mt_credential world_words = {.kind = MT_SLOT_PASSPHRASE,
                                                 .secret = {(const uint8_t *)"correct horse", 13}};

/* What a root key is, in 32 bytes. */
static mt_hash meaning(const struct mt_root *r)
{
    MT_DEFER(mt_secret_free) struct mt_secret *s = NULL;
    mt_hash h;
    OK(mt_root_derive(r, MT_LABEL_LEDGER_SECRET, MT_LITERAL("test"), &s));
    memcpy(h.b, mt_secret_bytes(s).ptr, sizeof h.b);
    return h;
}

static mt_err opened(const struct mt_credential *c, mt_hash *out)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    MT_TRY(mt_root_open(fs, c, &r));
    *out = meaning(r);
    return MT_OK;
}

static bool opens(const struct mt_credential *c, const mt_hash *wanted)
{
    mt_hash h;
    mt_err e = opened(c, &h);
    MT_ASSERT(mt_failed(e) || mt_hash_equal(&h, wanted)); /* never another key */
    return !mt_failed(e);
}

static mt_hash begin(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    disk_begin();
    OK(mt_root_create(fs, &world_file, 1000, &r));
    return meaning(r);
}

static void a_root_key_opens_with_its_credential_and_no_other(void)
{
    mt_hash h = begin();
    const struct mt_credential same_words = {.kind = MT_SLOT_PASSPHRASE,
                                             .secret = world_file.secret};
    const struct mt_credential longer = {
        .kind = MT_SLOT_FILE, .secret = {(const uint8_t *)"the content of a key file: 32 by.", 33}};
    const struct mt_credential shorter = {.kind = MT_SLOT_FILE,
                                          .secret = {world_file.secret.ptr, 31}};
    MT_ASSERT(opens(&world_file, &h));
    MT_ASSERT(is_code(opened(&world_other_file, &h), MT_E_PROOF));
    MT_ASSERT(is_code(opened(&longer, &h), MT_E_PROOF));
    MT_ASSERT(is_code(opened(&same_words, &h), MT_E_PROOF));
    MT_ASSERT(is_code(opened(&shorter, &h), MT_E_ARG));
    disk_end();
}

static void there_is_one_root_key_and_it_is_never_made_over(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    mt_hash h = begin();
    MT_ASSERT(is_code(mt_root_create(fs, &world_other_file, 0, &r), MT_E_CONFLICT));
    file_flip(fs, "slots/slot-0.mtk", 0); /* not even when it is damaged */
    MT_ASSERT(is_code(mt_root_create(fs, &world_other_file, 0, &r), MT_E_CONFLICT));
    MT_ASSERT(r == NULL);
    file_flip(fs, "slots/slot-0.mtk", 0);
    MT_ASSERT(opens(&world_file, &h));
    disk_end();
    disk_begin();
    MT_ASSERT(is_code(opened(&world_file, &h), MT_E_NOTFOUND));
    OK(mt_fs_make_dir(fs, "slots"));
    MT_ASSERT(is_code(opened(&world_file, &h), MT_E_NOTFOUND));
    disk_end();
}

static void another_node_has_another_root_key(void)
{
    mt_hash a = begin();
    struct mt_buf slot_a = file_get(fs, "slots/slot-0.mtk");
    disk_end();
    mt_hash b = begin();
    struct mt_buf slot_b = file_get(fs, "slots/slot-0.mtk");
    MT_ASSERT(!mt_hash_equal(&a, &b));
    MT_ASSERT(!mt_bytes_equal(mt_buf_bytes(&slot_a), mt_buf_bytes(&slot_b)));
    mt_buf_free(&slot_a);
    mt_buf_free(&slot_b);
    disk_end();
}

static void keys_of_the_tree_differ_by_label_and_by_context(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    struct mt_secret *keys[3] = {NULL};
    disk_begin();
    OK(mt_root_create(fs, &world_file, 0, &r));
    OK(mt_root_derive(r, MT_LABEL_LEDGER_SECRET, MT_LITERAL("a"), &keys[0]));
    OK(mt_root_derive(r, MT_LABEL_LEDGER_SECRET, MT_LITERAL("b"), &keys[1]));
    OK(mt_root_derive(r, MT_LABEL_SMALL_FILE, MT_LITERAL("a"), &keys[2]));
    for (size_t i = 0; i < 3; i++) {
        mt_bytes a = mt_secret_bytes(keys[i]);
        MT_ASSERT(a.len == 32 && !mt_bytes_equal(a, mt_root_key(r)));
        MT_ASSERT(!mt_bytes_equal(a, mt_secret_bytes(keys[(i + 1) % 3])));
    }
    for (size_t i = 0; i < 3; i++) {
        mt_secret_free(&keys[i]);
    }
    disk_end();
}

static void a_passphrase_opens_what_it_closed(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    struct mt_slot_info info[8];
    const struct mt_credential wrong = {.kind = MT_SLOT_PASSPHRASE,
                                        .secret = MT_LITERAL("correct Horse")};
    const struct mt_credential none = {.kind = MT_SLOT_PASSPHRASE, .secret = {NULL, 0}};
    uint32_t number = 0;
    size_t count = 0;
    mt_hash h = begin();
    OK(mt_root_open(fs, &world_file, &r));
    MT_ASSERT(is_code(mt_slot_add(fs, r, &none, 2000, &number), MT_E_ARG));
    OK(mt_slot_add(fs, r, &world_words, 2000, &number));
    OK(mt_slot_list(fs, info, 8, &count));
    MT_ASSERT(number == 1 && count == 2);
    MT_ASSERT(info[0].number == 0 && info[0].kind == MT_SLOT_FILE && info[0].made_ms == 1000);
    MT_ASSERT(info[1].number == 1 && info[1].kind == MT_SLOT_PASSPHRASE && info[1].made_ms == 2000);
    MT_ASSERT(opens(&world_words, &h));
    MT_ASSERT(is_code(opened(&wrong, &h), MT_E_PROOF));
    disk_end();
}

static void slots_come_and_go_but_the_last_one_stays(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    uint32_t number = 0;
    mt_hash h = begin();
    OK(mt_root_open(fs, &world_file, &r));
    MT_ASSERT(is_code(mt_slot_remove(fs, 0), MT_E_CONFLICT));
    MT_ASSERT(is_code(mt_slot_remove(fs, 1), MT_E_NOTFOUND));
    MT_ASSERT(is_code(mt_slot_remove(fs, 8), MT_E_NOTFOUND));
    for (uint32_t i = 1; i < 8; i++) {
        OK(mt_slot_add(fs, r, &world_other_file, 0, &number));
        MT_ASSERT(number == i);
    }
    MT_ASSERT(is_code(mt_slot_add(fs, r, &world_other_file, 0, &number), MT_E_LIMIT));
    struct mt_buf removed = file_get(fs, "slots/slot-0.mtk");
    OK(mt_slot_remove(fs, 0));
    MT_ASSERT(!disk_shows((mt_bytes){removed.ptr + removed.len - 48, 48}));
    MT_ASSERT(!opens(&world_file, &h) && opens(&world_other_file, &h));
    for (uint32_t i = 7; i > 1; i--) {
        OK(mt_slot_remove(fs, i));
    }
    MT_ASSERT(is_code(mt_slot_remove(fs, 1), MT_E_CONFLICT));
    MT_ASSERT(opens(&world_other_file, &h));
    mt_buf_free(&removed);
    disk_end();
}

static void every_flipped_bit_and_every_other_length_of_a_slot_is_refused(void)
{
    static const char name[] = "slots/slot-0.mtk";
    mt_hash h = begin();
    struct mt_buf good = file_get(fs, name);
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        file_flip(fs, name, bit);
        mt_err e = opened(&world_file, &h);
        MT_ASSERT(is_code(e, MT_E_PROOF) ||
                  (is_code(e, MT_E_CONFLICT) && bit / 8 == 1)); /* another version */
        file_flip(fs, name, bit);
    }
    for (size_t len = 0; len < good.len; len++) {
        file_put(fs, name, (mt_bytes){good.ptr, len});
        MT_ASSERT(is_code(opened(&world_file, &h), MT_E_PROOF));
    }
    OK(mt_buf_append(&good, MT_LITERAL("x")));
    file_put(fs, name, mt_buf_bytes(&good));
    MT_ASSERT(is_code(opened(&world_file, &h), MT_E_PROOF));
    mt_buf_free(&good);
    disk_end();
}

static void a_damaged_slot_is_listed_and_can_be_removed_if_another_stays(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    struct mt_slot_info info[8];
    uint32_t number = 0;
    size_t count = 0;
    mt_hash h = begin();
    OK(mt_root_open(fs, &world_file, &r));
    OK(mt_slot_add(fs, r, &world_other_file, 0, &number));
    file_flip(fs, "slots/slot-1.mtk", 0);
    OK(mt_slot_list(fs, info, 8, &count));
    MT_ASSERT(count == 2 && info[1].kind == MT_SLOT_DAMAGED && info[1].number == 1);
    MT_ASSERT(is_code(mt_slot_remove(fs, 0), MT_E_CONFLICT));
    OK(mt_slot_remove(fs, 1));
    MT_ASSERT(opens(&world_file, &h));
    disk_end();
}

static bool slot_comes_back(const uint8_t *bytes, size_t len)
{
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    struct mt_slot s;
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (mt_failed(mt_slot_parse((mt_bytes){bytes, len}, &s))) {
        return false;
    }
    mt_slot_write(&w, &s);
    OK(mt_write_end(&w, &out));
    MT_ASSERT(mt_bytes_equal(out, (mt_bytes){bytes, len}));
    return true;
}

static void a_slot_has_one_encoding(void)
{
    struct mt_slot s = {.purpose = MT_SLOT_FOR_BACKUP, .made_ms = 1700000000000};
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    OK(mt_slot_seal(&s, &world_file, MT_LITERAL("a key of thirty-two bytes, to be")));
    s.kind = MT_SLOT_PASSPHRASE;
    s.log2_cost = 17;
    mt_slot_write(&w, &s);
    OK(mt_write_end(&w, &out));
    mt_mangle_length(slot_comes_back, out.ptr, out.len);
    /* All of salt and wrapped key, and most of the time, may change; the rest hardly. */
    size_t kept = mt_mangle_bits(slot_comes_back, out.ptr, out.len);
    MT_ASSERT(kept > 8 * (32 + 48) && kept < 8 * (32 + 48 + 8) + 8);
}

static void a_slot_of_a_backup_is_none_of_a_node(void)
{
    struct mt_slot s = {.purpose = MT_SLOT_FOR_BACKUP};
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    mt_bytes out;
    mt_hash h = begin();
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    OK(mt_slot_seal(&s, &world_other_file, MT_LITERAL("a key of thirty-two bytes, to be")));
    mt_slot_write(&w, &s);
    OK(mt_write_end(&w, &out));
    file_put(fs, "slots/slot-1.mtk", out);
    MT_ASSERT(!opens(&world_other_file, &h));
    room[2] = MT_SLOT_FOR_ROOT; /* nor if it says that it is */
    file_put(fs, "slots/slot-1.mtk", out);
    MT_ASSERT(!opens(&world_other_file, &h) && opens(&world_file, &h));
    disk_end();
}

/* Adds a slot (or removes it), with a fault at call n. */
struct step {
    bool adds;
    mt_err (*run)(struct mt_root *r);
};

static mt_err add_other(struct mt_root *r)
{
    uint32_t number = 0;
    return mt_slot_add(fs, r, &world_other_file, 0, &number);
}

static mt_err remove_other(struct mt_root *r)
{
    (void)r;
    return mt_slot_remove(fs, 1);
}

static bool faulted(const struct step *step, enum mt_sim_fault fault, uint64_t n, uint64_t seed)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    mt_hash h = begin();
    OK(mt_root_open(fs, &world_file, &r));
    if (!step->adds) {
        OK(add_other(r));
    }
    disk_fault(fault, n);
    bool has_failed = mt_failed(step->run(r));
    if (fault == MT_SIM_POWER) {
        mt_sim_disk_restart(disk, seed);
    }
    disk_heal();
    MT_ASSERT(opens(&world_file, &h));
    bool other = opens(&world_other_file, &h);
    MT_ASSERT(has_failed || other == step->adds);
    /* And then it goes through. */
    if (other != step->adds) {
        mt_err e = step->run(r);
        MT_ASSERT(!mt_failed(e) || (!step->adds && e.fault->code == MT_E_NOTFOUND));
    }
    MT_ASSERT(opens(&world_file, &h) && opens(&world_other_file, &h) == step->adds);
    disk_end();
    return has_failed;
}

static void faults_at_any_call_leave_a_slot_or_none_and_never_lock_anybody_out(void)
{
    static const struct step steps[] = {{true, add_other}, {false, remove_other}};
    static const uint64_t seeds[] = {0, UINT64_MAX, 1, 2, 3, 4};
    for (size_t s = 0; s < 2; s++) {
        for (uint64_t n = 0; faulted(&steps[s], MT_SIM_ERROR, n, 0); n++) {
        }
        for (uint64_t n = 0; faulted(&steps[s], MT_SIM_FULL, n, 0); n++) {
        }
        for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
            for (uint64_t n = 0; faulted(&steps[s], MT_SIM_POWER, n, seeds[i]); n++) {
            }
        }
    }
}

static void power_loss_while_a_root_key_is_made_leaves_one_or_none(void)
{
    static const uint64_t seeds[] = {0, UINT64_MAX, 1, 2, 3, 4};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        bool has_failed = true;
        for (uint64_t n = 0; has_failed; n++) {
            MT_DEFER(mt_root_free) struct mt_root *r = NULL;
            mt_hash h;
            mt_hash again;
            disk_begin();
            disk_fault(MT_SIM_POWER, n);
            has_failed = mt_failed(mt_root_create(fs, &world_file, 0, &r));
            mt_sim_disk_restart(disk, seeds[i]);
            mt_err e = opened(&world_file, &h);
            MT_ASSERT(!mt_failed(e) || (has_failed && e.fault->code == MT_E_NOTFOUND));
            if (mt_failed(e)) {
                OK(mt_root_create(fs, &world_file, 0, &r));
                h = meaning(r);
            }
            OK(opened(&world_file, &again));
            MT_ASSERT(mt_hash_equal(&h, &again));
            MT_ASSERT(has_failed || mt_hash_equal(&h, &(mt_hash){0}) == false);
            disk_end();
        }
    }
}

static void a_failing_disk_is_not_taken_for_a_wrong_credential(void)
{
    mt_hash h = begin();
    for (uint64_t n = 0; n < 4; n++) {
        disk_fault(MT_SIM_ERROR, n);
        mt_err e = opened(&world_file, &h);
        MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_IO);
        disk_heal();
    }
    disk_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_root_key_opens_with_its_credential_and_no_other),
        MT_TEST(there_is_one_root_key_and_it_is_never_made_over),
        MT_TEST(another_node_has_another_root_key),
        MT_TEST(keys_of_the_tree_differ_by_label_and_by_context),
        MT_TEST(a_passphrase_opens_what_it_closed),
        MT_TEST(slots_come_and_go_but_the_last_one_stays),
        MT_TEST(every_flipped_bit_and_every_other_length_of_a_slot_is_refused),
        MT_TEST(a_damaged_slot_is_listed_and_can_be_removed_if_another_stays),
        MT_TEST(a_slot_has_one_encoding),
        MT_TEST(a_slot_of_a_backup_is_none_of_a_node),
        MT_TEST(faults_at_any_call_leave_a_slot_or_none_and_never_lock_anybody_out),
        MT_TEST(power_loss_while_a_root_key_is_made_leaves_one_or_none),
        MT_TEST(a_failing_disk_is_not_taken_for_a_wrong_credential),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
