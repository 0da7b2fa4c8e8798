/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/snp_report.h"
#include "platform/makers.h"
#include "platform/sim/machine.h"
#include "seal/slot_world_test.h"

/*
 * Key slots of a guest of SEV-SNP, whose firmware derives a key of chip, measurement and level. Its
 * report is one that nobody signed: it is asked for its level alone.
 */
static uint8_t report[MT_SNP_REPORT_LEN] = {[0] = 2, [10] = 2, [0x34] = 1};
static struct mt_sim_machine *machine;
static struct mt_sim_world *world;
static struct mt_device *guest;

static struct mt_credential guest_begin(void)
{
    struct mt_credential c;
    machine = mt_sim_machine_new();
    world = mt_sim_machine_world(machine);
    *world = (struct mt_sim_world){
        .has_sev_guest = true,
        .snp = {.quote = MT_BYTES_OF(report), .report_data_at = 0x50},
        .committed_tcb = {3, [6] = 5, [7] = 10},
        .guest_svn = 2,
    };
    OK(mt_sev_guest_new(mt_sim_machine_io(machine), &guest));
    OK(mt_credential_of_device(guest, &c));
    disk_begin();
    return c;
}

static void guest_end(void)
{
    mt_device_close(&guest);
    mt_sim_machine_free(&machine);
    disk_end();
}

static mt_hash guest_root(const struct mt_credential *c)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    OK(mt_root_create(fs, c, 0, &r));
    return key_of(r);
}

static bool guest_opens(const struct mt_credential *c, const mt_hash *h, enum mt_code otherwise)
{
    mt_hash now;
    mt_err e = opened(c, &now);
    MT_ASSERT(!mt_failed(e) || e.fault->code == otherwise);
    MT_ASSERT(mt_failed(e) || mt_hash_equal(&now, h));
    return !mt_failed(e);
}

/* The host starts something else, or the chip is another one: the key file helps. */
static void a_guest_of_sev_opens_its_disk_again_after_its_image_was_updated(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    uint32_t number = 0;
    const struct mt_credential c = guest_begin();
    OK(mt_root_create(fs, &c, 0, &r));
    mt_hash h = key_of(r);
    OK(mt_slot_add(fs, r, &world_file, 0, &number));
    world->measurement++;
    MT_ASSERT(!opens(&c, &h));
    world->measurement--;
    MT_ASSERT(opens(&c, &h));
    world->chip++;
    MT_ASSERT(!opens(&c, &h) && opens(&world_file, &h));
    OK(mt_slot_renew(fs, r, &c, 0, &number));
    MT_ASSERT(opens(&c, &h));
    guest_end();
}

/* Nothing but the firmware opens this disk. What is above the level of a slot opens it; the start
 * after that lifts all of them, and what is below that level opens none any more. */
static void an_update_of_firmware_loses_nothing_and_shuts_the_older_one_out(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    bool is_made = false;
    uint32_t number = 0;
    const struct mt_credential c = guest_begin();
    mt_hash h = guest_root(&c);
    OK(mt_root_open(fs, &c, &r));
    OK(mt_slot_add(fs, r, &c, 0, &number));
    for (unsigned step = 0; step < 3; step++) {
        world->committed_tcb[0] = (uint8_t)(world->committed_tcb[0] + (step == 0 ? 1 : 0));
        world->committed_tcb[7] = (uint8_t)(world->committed_tcb[7] + (step == 1 ? 1 : 0));
        world->guest_svn += step == 2 ? 1 : 0;
        MT_ASSERT(guest_opens(&c, &h, MT_E_DENIED));
        OK(open_and_refresh(&c, &is_made));
        MT_ASSERT(is_made && guest_opens(&c, &h, MT_E_DENIED));
        OK(open_and_refresh(&c, &is_made));
        MT_ASSERT(!is_made);
    }
    const struct mt_sim_world now = *world;
    world->committed_tcb[0]--;
    MT_ASSERT(!guest_opens(&c, &h, MT_E_DENIED));
    *world = now;
    world->committed_tcb[7]--;
    world->committed_tcb[6]++; /* one part is newer, another one older */
    MT_ASSERT(!guest_opens(&c, &h, MT_E_DENIED));
    *world = now;
    world->guest_svn--;
    MT_ASSERT(!guest_opens(&c, &h, MT_E_DENIED));
    *world = now;
    MT_ASSERT(guest_opens(&c, &h, MT_E_DENIED) && slots_of(MT_SLOT_DERIVED) == 2);
    guest_end();
}

/* The host lowers the level that a slot says it is of. */
static void a_level_that_was_changed_opens_nothing(void)
{
    struct mt_slot s;
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    const struct mt_credential c = guest_begin();
    mt_hash h = guest_root(&c);
    struct mt_buf file = file_get(fs, slot_0);
    OK(mt_slot_parse(mt_buf_bytes(&file), &s));
    MT_ASSERT(s.own_len == 12 && s.own[7] == 10 && s.own[8] == 2);
    s.own[7]--;
    mt_slot_write(&w, &s);
    file_put(fs, slot_0, mt_write_done(&w));
    MT_ASSERT(!guest_opens(&c, &h, MT_E_PROOF));
    mt_buf_free(&file);
    guest_end();
}

static void a_slot_from_before_levels_were_kept_gets_one(void)
{
    bool is_made = false;
    const struct mt_credential c = guest_begin();
    const struct mt_device_ops *ops = guest->ops;
    struct mt_device_ops before = *ops;
    before.level = NULL;
    guest->ops = &before;
    mt_hash h = guest_root(&c);
    guest->ops = ops;
    world->committed_tcb[7]++;
    OK(open_and_refresh(&c, &is_made));
    MT_ASSERT(is_made);
    world->committed_tcb[7]--;
    MT_ASSERT(!guest_opens(&c, &h, MT_E_DENIED));
    guest_end();
}

static mt_err no_level(struct mt_device *d, struct mt_buf *out)
{
    (void)d;
    (void)out;
    MT_FAIL(MT_E_BUSY, "the firmware does not say");
}

static void a_level_that_is_not_known_makes_no_slot(void)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    uint32_t number = 0;
    const struct mt_credential c = guest_begin();
    mt_hash h = guest_root(&c);
    OK(mt_root_open(fs, &c, &r));
    const struct mt_device_ops *ops = guest->ops;
    struct mt_device_ops silent = *ops;
    silent.level = no_level;
    guest->ops = &silent;
    MT_ASSERT(is_code(mt_slot_add(fs, r, &c, 0, &number), MT_E_BUSY));
    guest->ops = ops;
    MT_ASSERT(slots_of(MT_SLOT_DERIVED) == 1 && guest_opens(&c, &h, MT_E_DENIED));
    guest_end();
}

static bool lift_with_a_fault(enum mt_sim_fault fault, uint64_t n, uint64_t seed)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    bool is_made = false;
    const struct mt_credential c = guest_begin();
    mt_hash h = guest_root(&c);
    world->committed_tcb[7]++;
    OK(mt_root_open(fs, &c, &r));
    disk_fault(fault, n);
    bool has_failed = mt_failed(mt_slot_refresh(fs, r, &c, 2000, &is_made));
    if (fault == MT_SIM_POWER) {
        mt_sim_disk_restart(disk, seed);
    }
    disk_heal();
    MT_ASSERT(guest_opens(&c, &h, MT_E_DENIED));
    OK(open_and_refresh(&c, &is_made));
    world->committed_tcb[7]--;
    MT_ASSERT(!guest_opens(&c, &h, MT_E_DENIED));
    guest_end();
    return has_failed;
}

static void faults_while_a_level_is_lifted_lock_nobody_out(void)
{
    for (uint64_t n = 0; lift_with_a_fault(MT_SIM_ERROR, n, 0); n++) {
    }
    for (uint64_t seed = 0; seed < 5; seed++) {
        for (uint64_t n = 0; lift_with_a_fault(MT_SIM_POWER, n, seed); n++) {
        }
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_guest_of_sev_opens_its_disk_again_after_its_image_was_updated),
        MT_TEST(an_update_of_firmware_loses_nothing_and_shuts_the_older_one_out),
        MT_TEST(a_level_that_was_changed_opens_nothing),
        MT_TEST(a_slot_from_before_levels_were_kept_gets_one),
        MT_TEST(a_level_that_is_not_known_makes_no_slot),
        MT_TEST(faults_while_a_level_is_lifted_lock_nobody_out),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
