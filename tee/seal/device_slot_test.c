/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/slot_world_test.h"
#include "unit/mangle.h"
#include "unit/scarce.h"

/*
 * Key slots of the machine itself, against devices as they are: a TPM that opens what it sealed
 * while the same is measured; firmware whose key is of chip, measurement and level.
 */
enum { NAME_LEN = 16, TPM_SEALED_LEN = 2 * NAME_LEN + MT_DEVICE_SECRET_LEN + 1 };

struct machine {
    struct mt_device device;
    uint8_t chip;       /* which one */
    uint8_t measured;   /* what runs, and on which level of firmware */
    uint8_t approved;   /* what an operator lets in */
    uint8_t retired[4]; /* counter of the TPM of each */
    bool is_busy;
    bool is_emptied; /* of what it opens with */
    size_t fails_in; /* at the n-th wish from now on, once; 0: never */
    bool forgets;    /* seals what it will not open */
    bool is_long;    /* what it seals is longer than any slot holds */
};

static struct machine *of(struct mt_device *d)
{
    return (struct machine *)(void *)d;
}

static MT_ERR listen(struct mt_device *d)
{
    struct machine *m = of(d);
    bool is_due = m->fails_in > 0 && --m->fails_in == 0;
    MT_REQUIRE(!m->is_busy && !is_due, MT_E_BUSY, "the device is busy");
    MT_REQUIRE(!m->is_emptied, MT_E_NOTFOUND, "the device has no such thing");
    return MT_OK;
}

static mt_err seal(struct mt_device *d, mt_bytes secret, bool is_next, struct mt_buf *out)
{
    const struct machine *m = of(d);
    uint8_t sealed[TPM_SEALED_LEN];
    uint8_t more[MT_SLOT_OWN_BYTES_MAX] = {0};
    MT_TRY(listen(d));
    memset(sealed, m->chip, NAME_LEN);
    memset(sealed + NAME_LEN, m->measured + (m->forgets ? 1 : 0), NAME_LEN);
    for (size_t i = 0; i < secret.len; i++) {
        sealed[2 * NAME_LEN + i] = secret.ptr[i] ^ m->chip;
    }
    sealed[TPM_SEALED_LEN - 1] = (uint8_t)(m->retired[m->chip] + (is_next ? 1 : 0));
    MT_TRY(m->is_long ? mt_buf_append(out, MT_BYTES_OF(more)) : MT_OK);
    return mt_buf_append(out, MT_BYTES_OF(sealed));
}

static mt_err unseal(struct mt_device *d, mt_bytes sealed, mt_span secret)
{
    const struct machine *m = of(d);
    MT_TRY(listen(d));
    MT_REQUIRE(sealed.len == TPM_SEALED_LEN && sealed.ptr[0] == m->chip, MT_E_PROOF,
               "this was made for another TPM, or changed");
    for (size_t i = 0; i < NAME_LEN; i++) {
        MT_REQUIRE(sealed.ptr[i] == m->chip, MT_E_PROOF, "this was changed");
        bool is_in = sealed.ptr[NAME_LEN + i] == m->measured || m->measured == m->approved;
        MT_REQUIRE(is_in, MT_E_DENIED, "the policy says no");
    }
    MT_REQUIRE(sealed.ptr[TPM_SEALED_LEN - 1] >= m->retired[m->chip], MT_E_DENIED,
               "it was replaced");
    for (size_t i = 0; i < secret.len; i++) {
        secret.ptr[i] = sealed.ptr[2 * NAME_LEN + i] ^ m->chip;
    }
    return MT_OK;
}

static mt_err derive(struct mt_device *d, mt_bytes context, mt_bytes level, mt_span out)
{
    const struct machine *m = of(d);
    MT_ASSERT(level.len == 0);
    MT_TRY(listen(d));
    for (size_t i = 0; i < out.len; i++) {
        out.ptr[i] = context.ptr[i] ^ m->chip ^ (uint8_t)(m->measured << 4);
    }
    return MT_OK;
}

static mt_err is_current(struct mt_device *d, mt_bytes kept, bool *out)
{
    MT_TRY(listen(d));
    *out = kept.ptr[NAME_LEN] == of(d)->measured;
    return MT_OK;
}

static mt_err retire(struct mt_device *d, mt_bytes kept)
{
    MT_TRY(listen(d));
    of(d)->retired[of(d)->chip] = kept.ptr[TPM_SEALED_LEN - 1];
    return MT_OK;
}

static const struct mt_device_ops tpm_ops = {
    .seal = seal, .unseal = unseal, .is_current = is_current, .retire = retire};
static const struct mt_device_ops firmware_ops = {.derive = derive};

static struct machine tpm = {.device = {&tpm_ops, MT_EVIDENCE_TPM}};
static struct machine firmware = {.device = {&firmware_ops, MT_EVIDENCE_SNP}};
static struct machine *const both[] = {&tpm, &firmware};

static void machine_begin(struct machine *m)
{
    *m = (struct machine){.device = m->device, .chip = 1, .measured = 1};
}

static struct mt_credential credential_of(struct machine *m)
{
    struct mt_credential c;
    OK(mt_credential_of_device(&m->device, &c));
    return c;
}

static mt_err fails_to_open(struct machine *m)
{
    mt_hash h;
    const struct mt_credential c = credential_of(m);
    mt_err e = opened(&c, &h);
    MT_ASSERT(mt_failed(e));
    return e;
}

static mt_hash begin(struct machine *m)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    disk_begin();
    machine_begin(m);
    const struct mt_credential c = credential_of(m);
    OK(mt_root_create(fs, &c, 1000, &r));
    return key_of(r);
}

static void a_disk_opens_with_its_machine_and_with_no_other(void)
{
    for (size_t i = 0; i < 2; i++) {
        struct machine *m = both[i];
        struct mt_slot_info info[8];
        size_t count = 0;
        mt_hash h = begin(m);
        const struct mt_credential c = credential_of(m);
        MT_ASSERT(opens(&c, &h) && opens(&c, &h));
        OK(mt_slot_list(fs, info, 8, &count));
        MT_ASSERT(count == 1 && info[0].kind == (m == &tpm ? MT_SLOT_TPM : MT_SLOT_DERIVED));
        m->chip = 2;
        MT_ASSERT(is_code(fails_to_open(m), MT_E_PROOF));
        m->chip = 1;
        m->measured = 2;
        MT_ASSERT(is_code(fails_to_open(m), m == &tpm ? MT_E_DENIED : MT_E_PROOF));
        m->measured = 1;
        m->is_busy = true;
        MT_ASSERT(is_code(fails_to_open(m), MT_E_BUSY)); /* no reason to think of a wrong one */
        m->is_busy = false;
        m->is_emptied = true;
        MT_ASSERT(is_code(fails_to_open(m), MT_E_IO)); /* nor that there are no slots */
        m->is_emptied = false;
        MT_ASSERT(!opens(&world_file, &h) && opens(&c, &h));
        disk_end();
    }
}

/* Neither the root key nor what opens it. */
static void nothing_on_the_disk_opens_it_alone(void)
{
    mt_hash h = begin(&tpm);
    struct mt_slot s;
    struct mt_buf file = file_get(fs, "slots/slot-0.mtk");
    uint8_t secret[MT_DEVICE_SECRET_LEN];
    OK(mt_slot_parse(mt_buf_bytes(&file), &s));
    OK(unseal(&tpm.device, (mt_bytes){s.own, s.own_len}, (mt_span){secret, sizeof secret}));
    MT_ASSERT(!disk_shows(mt_hash_bytes(&h)) && !disk_shows(MT_BYTES_OF(secret)));
    mt_buf_free(&file);
    disk_end();
}

static void each_slot_has_a_secret_of_its_own(void)
{
    for (size_t i = 0; i < 2; i++) {
        MT_DEFER(mt_root_free) struct mt_root *r = NULL;
        struct mt_slot_made made[2];
        mt_hash h = begin(both[i]);
        const struct mt_credential c = credential_of(both[i]);
        OK(mt_root_open(fs, &c, &r));
        for (size_t j = 0; j < 2; j++) {
            OK(mt_slot_make(r, &c, 1000, &made[j]));
        }
        MT_ASSERT(made[0].len == made[1].len);
        for (size_t at = 0; at + 16 <= made[0].len; at++) {
            bool is_wrapped = at >= made[0].len - 48;
            MT_ASSERT(!is_wrapped || !mt_bytes_equal((mt_bytes){made[0].bytes + at, 16},
                                                     (mt_bytes){made[1].bytes + at, 16}));
        }
        MT_ASSERT(opens(&c, &h));
        disk_end();
    }
}

static void a_device_that_keeps_no_key_makes_no_slot(void)
{
    static const struct mt_device_ops nothing = {.seal = seal};
    struct mt_device d = {&nothing, MT_EVIDENCE_TDX};
    struct mt_credential c;
    MT_ASSERT(is_code(mt_credential_of_device(&d, &c), MT_E_ARG));
}

/* A slot is written when the device has opened it, and not before. */
static void what_the_device_does_not_open_is_no_slot(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    struct mt_slot_info info[8];
    size_t count = 9;
    disk_begin();
    machine_begin(&tpm);
    const struct mt_credential c = credential_of(&tpm);
    tpm.forgets = true;
    MT_ASSERT(is_code(mt_root_create(fs, &c, 0, &r), MT_E_DENIED));
    tpm.forgets = false;
    tpm.is_long = true;
    MT_ASSERT(is_code(mt_root_create(fs, &c, 0, &r), MT_E_LIMIT));
    OK(mt_slot_list(fs, info, 8, &count));
    MT_ASSERT(count == 0 && r == NULL);
    disk_end();
}

static void a_backup_never_hangs_on_one_machine(void)
{
    struct mt_slot s = {.purpose = MT_SLOT_FOR_BACKUP};
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    machine_begin(&tpm);
    const struct mt_credential c = credential_of(&tpm);
    MT_ASSERT(
        is_code(mt_slot_seal(&s, &c, MT_LITERAL("a key of thirty-two bytes, to be")), MT_E_ARG));
    s.purpose = MT_SLOT_FOR_ROOT;
    OK(mt_slot_seal(&s, &c, MT_LITERAL("a key of thirty-two bytes, to be")));
    s.purpose = MT_SLOT_FOR_BACKUP;
    mt_slot_write(&w, &s);
    MT_ASSERT(is_code(mt_slot_parse(mt_write_done(&w), &s), MT_E_FORMAT));
}

static void every_flipped_bit_and_every_other_length_is_refused(void)
{
    static const char name[] = "slots/slot-0.mtk";
    for (size_t i = 0; i < 2; i++) {
        mt_hash h = begin(both[i]);
        const struct mt_credential c = credential_of(both[i]);
        struct mt_buf good = file_get(fs, name);
        for (size_t bit = 0; bit < good.len * 8; bit++) {
            file_flip(fs, name, bit);
            MT_ASSERT(!opens(&c, &h));
            file_flip(fs, name, bit);
        }
        for (size_t len = 0; len < good.len; len++) {
            file_put(fs, name, (mt_bytes){good.ptr, len});
            MT_ASSERT(!opens(&c, &h));
        }
        OK(mt_buf_append(&good, MT_LITERAL("x")));
        file_put(fs, name, mt_buf_bytes(&good));
        MT_ASSERT(!opens(&c, &h));
        mt_buf_free(&good);
        disk_end();
    }
}

/* Firmware, microcode, the image: something is measured otherwise. The key file in another slot
 * opens, and from then on the machine does again, without it. */
static void an_update_loses_nothing_and_shuts_the_old_image_out(void)
{
    for (size_t i = 0; i < 2; i++) {
        MT_DEFER(mt_root_free) struct mt_root *r = NULL;
        struct machine *m = both[i];
        uint32_t number = 0;
        mt_hash h = begin(m);
        const struct mt_credential c = credential_of(m);
        OK(mt_root_open(fs, &c, &r));
        OK(mt_slot_add(fs, r, &world_file, 0, &number));
        mt_root_free(&r);
        m->measured = 2;
        MT_ASSERT(!opens(&c, &h));
        OK(mt_root_open(fs, &world_file, &r));
        OK(mt_slot_renew(fs, r, &c, 0, &number));
        MT_ASSERT(opens(&c, &h) && opens(&world_file, &h));
        m->measured = 1;
        MT_ASSERT(opens(&c, &h) == (m == &firmware)); /* whose slots look alike */
        disk_end();
    }
}

/* An operator lets the next image in; from then on it needs nobody's word, and the one before is
 * refused, with the slot that it made too, of which the host has kept a copy. */
static void old_image_is_out(const struct mt_credential *c, const mt_hash *h,
                             const struct mt_buf *kept)
{
    struct mt_buf now = file_get(fs, slot_0);
    tpm.measured = 1;
    tpm.approved = 0;
    MT_ASSERT(is_code(fails_to_open(&tpm), MT_E_DENIED));
    file_put(fs, slot_0, mt_buf_bytes(kept));
    MT_ASSERT(is_code(fails_to_open(&tpm), MT_E_DENIED));
    file_put(fs, slot_0, mt_buf_bytes(&now));
    tpm.measured = 2;
    MT_ASSERT(opens(c, h));
    mt_buf_free(&now);
}

static void an_image_that_was_let_in_shuts_the_one_before_out(void)
{
    bool is_made = false;
    uint32_t number = 0;
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    mt_hash h = begin(&tpm);
    const struct mt_credential c = credential_of(&tpm);
    struct mt_buf kept = file_get(fs, slot_0);
    OK(mt_root_open(fs, &c, &r));
    OK(mt_slot_add(fs, r, &c, 0, &number));
    tpm.measured = tpm.approved = 2;
    OK(open_and_refresh(&c, &is_made));
    MT_ASSERT(is_made && slots_of(MT_SLOT_TPM) == 1); /* the other one is of no use any more */
    old_image_is_out(&c, &h, &kept);
    OK(open_and_refresh(&c, &is_made));
    MT_ASSERT(!is_made && tpm.retired[1] == 1);
    mt_buf_free(&kept);
    disk_end();
}

/* At the n-th chance: the disk fails or loses power, or `what`, the device or memory, fails once.
 */
struct trouble {
    enum mt_sim_fault fault;
    size_t *what; /* NULL: the disk */
    uint64_t n;
    uint64_t seed;
};

static void trouble_begin(const struct trouble *t)
{
    if (t->what != NULL) {
        *t->what = t->n;
    } else {
        disk_fault(t->fault, t->n);
    }
}

/* Returns whether it came to pass, so that a later one may. */
static bool trouble_end(const struct trouble *t, bool has_failed)
{
    if (t->what != NULL) {
        bool was_reached = *t->what == 0;
        *t->what = 0;
        MT_ASSERT(was_reached || !has_failed);
        return was_reached;
    }
    if (t->fault == MT_SIM_POWER) {
        mt_sim_disk_restart(disk, t->seed);
    }
    disk_heal();
    return has_failed;
}

/* Nothing else opens this disk: whatever goes wrong, the new image does. */
static bool refresh_in(struct trouble t)
{
    bool is_made = false;
    mt_hash h = begin(&tpm);
    const struct mt_credential c = credential_of(&tpm);
    struct mt_buf kept = file_get(fs, slot_0);
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    tpm.measured = tpm.approved = 2;
    OK(mt_root_open(fs, &c, &r));
    trouble_begin(&t);
    bool has_come = trouble_end(&t, mt_failed(mt_slot_refresh(fs, r, &c, 2000, &is_made)));
    MT_ASSERT(opens(&c, &h));
    OK(open_and_refresh(&c, &is_made));
    old_image_is_out(&c, &h, &kept);
    mt_buf_free(&kept);
    disk_end();
    return has_come;
}

static void faults_while_the_one_before_is_shut_out_lock_nobody_out(void)
{
    for (uint64_t n = 0; refresh_in((struct trouble){MT_SIM_ERROR, NULL, n, 0}); n++) {
    }
    for (uint64_t seed = 0; seed < 5; seed++) {
        for (uint64_t n = 0; refresh_in((struct trouble){MT_SIM_POWER, NULL, n, seed}); n++) {
        }
    }
}

/* The slot is written, and the TPM has not been told: the next start does it. */
static void what_a_crash_left_undone_the_next_start_does(void)
{
    bool is_made = true;
    mt_hash h = begin(&tpm);
    const struct mt_credential c = credential_of(&tpm);
    struct mt_buf kept = file_get(fs, slot_0);
    tpm.measured = tpm.approved = 2;
    OK(open_and_refresh(&c, &is_made));
    tpm.retired[1] = 0;
    OK(open_and_refresh(&c, &is_made));
    MT_ASSERT(!is_made);
    old_image_is_out(&c, &h, &kept);
    mt_buf_free(&kept);
    disk_end();
}

static void a_slot_of_another_machine_stays(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    uint32_t number = 0;
    mt_hash h = begin(&tpm);
    const struct mt_credential c = credential_of(&tpm);
    OK(mt_root_open(fs, &c, &r));
    OK(mt_slot_add(fs, r, &world_file, 0, &number));
    tpm.chip = 2;
    OK(mt_slot_renew(fs, r, &c, 0, &number));
    MT_ASSERT(opens(&c, &h) && slots_of(MT_SLOT_TPM) == 2);
    tpm.chip = 1;
    MT_ASSERT(opens(&c, &h));
    disk_end();
}

static void a_key_file_gets_a_slot_by_a_renewal_too(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    uint32_t number = 0;
    mt_hash h = begin(&tpm);
    const struct mt_credential c = credential_of(&tpm);
    OK(mt_root_open(fs, &c, &r));
    OK(mt_slot_renew(fs, r, &world_file, 0, &number));
    MT_ASSERT(opens(&world_file, &h) && opens(&c, &h) && tpm.retired[1] == 0);
    disk_end();
}

static void a_renewal_that_finds_no_room_takes_nothing_away(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    uint32_t number = 0;
    mt_hash h = begin(&tpm);
    const struct mt_credential c = credential_of(&tpm);
    OK(mt_root_open(fs, &c, &r));
    for (uint32_t i = 1; i < MT_KEY_SLOTS_MAX; i++) {
        OK(mt_slot_add(fs, r, &world_file, 0, &number));
    }
    tpm.chip = 2;
    MT_ASSERT(is_code(mt_slot_renew(fs, r, &c, 0, &number), MT_E_LIMIT));
    MT_ASSERT(slots_of(MT_SLOT_TPM) == 1 && slots_of(MT_SLOT_FILE) == 7 && opens(&world_file, &h));
    tpm.chip = 1;
    MT_ASSERT(opens(&c, &h));
    tpm.measured = 2; /* its own slot makes room */
    OK(mt_slot_renew(fs, r, &c, 0, &number));
    MT_ASSERT(opens(&c, &h) && slots_of(MT_SLOT_TPM) == 1);
    disk_end();
}

/* Whatever goes wrong while it is renewed, the key file opens, and it goes through then. */
static bool renewal_in(struct trouble t)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    uint32_t number = 0;
    mt_hash h = begin(&tpm);
    const struct mt_credential c = credential_of(&tpm);
    OK(mt_root_open(fs, &c, &r));
    OK(mt_slot_add(fs, r, &world_file, 0, &number));
    tpm.measured = 2;
    trouble_begin(&t);
    bool has_failed = mt_failed(mt_slot_renew(fs, r, &c, 0, &number));
    bool has_come = trouble_end(&t, has_failed);
    MT_ASSERT(opens(&world_file, &h));
    if (!opens(&c, &h)) {
        MT_ASSERT(has_failed);
        OK(mt_slot_renew(fs, r, &c, 0, &number));
    }
    MT_ASSERT(opens(&world_file, &h) && opens(&c, &h));
    disk_end();
    return has_come;
}

static void faults_while_it_is_renewed_lock_nobody_out(void)
{
    for (uint64_t n = 0; renewal_in((struct trouble){MT_SIM_ERROR, NULL, n, 0}); n++) {
    }
    for (uint64_t seed = 0; seed < 5; seed++) {
        for (uint64_t n = 0; renewal_in((struct trouble){MT_SIM_POWER, NULL, n, seed}); n++) {
        }
    }
    tpm.is_busy = true;
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    uint32_t number = 0;
    tpm.is_busy = false;
    mt_hash h = begin(&tpm);
    const struct mt_credential c = credential_of(&tpm);
    OK(mt_root_open(fs, &c, &r));
    OK(mt_slot_add(fs, r, &world_file, 0, &number));
    tpm.is_busy = true; /* a device that cannot now is no reason to take its slots */
    MT_ASSERT(is_code(mt_slot_renew(fs, r, &c, 0, &number), MT_E_BUSY));
    tpm.is_busy = false;
    MT_ASSERT(opens(&c, &h) && slots_of(MT_SLOT_TPM) == 1);
    disk_end();
}

static void a_device_or_memory_that_fails_once_locks_nobody_out(void)
{
    size_t *const both_of_them[] = {&tpm.fails_in, &scarce_in};
    for (size_t i = 0; i < 2; i++) {
        for (size_t n = 1; refresh_in((struct trouble){MT_SIM_ERROR, both_of_them[i], n, 0}); n++) {
        }
        for (size_t n = 1; renewal_in((struct trouble){MT_SIM_ERROR, both_of_them[i], n, 0}); n++) {
        }
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_disk_opens_with_its_machine_and_with_no_other),
        MT_TEST(nothing_on_the_disk_opens_it_alone),
        MT_TEST(each_slot_has_a_secret_of_its_own),
        MT_TEST(a_device_that_keeps_no_key_makes_no_slot),
        MT_TEST(what_the_device_does_not_open_is_no_slot),
        MT_TEST(a_backup_never_hangs_on_one_machine),
        MT_TEST(every_flipped_bit_and_every_other_length_is_refused),
        MT_TEST(an_update_loses_nothing_and_shuts_the_old_image_out),
        MT_TEST(an_image_that_was_let_in_shuts_the_one_before_out),
        MT_TEST(faults_while_the_one_before_is_shut_out_lock_nobody_out),
        MT_TEST(what_a_crash_left_undone_the_next_start_does),
        MT_TEST(a_slot_of_another_machine_stays),
        MT_TEST(a_key_file_gets_a_slot_by_a_renewal_too),
        MT_TEST(a_renewal_that_finds_no_room_takes_nothing_away),
        MT_TEST(faults_while_it_is_renewed_lock_nobody_out),
        MT_TEST(a_device_or_memory_that_fails_once_locks_nobody_out),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
