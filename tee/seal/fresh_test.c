/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/fresh.h"
#include "seal/world_test.h"

/* A counter that never goes back, and a disk that can be put back. */
struct counter {
    struct mt_device device;
    uint64_t value;
    uint8_t machine;
    bool is_broken;
    bool is_stuck;   /* reads, and does not step */
    unsigned others; /* steps of another node's between two of ours */
};

static mt_err count(struct mt_device *d, bool is_step, uint64_t *out, mt_hash *whose)
{
    struct counter *c = (struct counter *)(void *)d;
    MT_REQUIRE(!c->is_broken, MT_E_IO, "the device does not answer");
    MT_REQUIRE(!c->is_stuck || !is_step, MT_E_IO, "the device does not step");
    c->value += is_step ? 1 + c->others : 0;
    *out = c->value;
    memset(whose->b, c->machine, sizeof whose->b);
    return MT_OK;
}

static const struct mt_device_ops ops = {.count = count};
static struct counter counter;
static struct mt_root *root;

static void begin(void)
{
    disk_begin();
    counter = (struct counter){.device = {&ops, MT_EVIDENCE_TPM}, .value = 7};
    OK(mt_root_create(fs, &world_file, 0, &root));
}

static void end(void)
{
    mt_root_free(&root);
    disk_end();
}

static mt_err start(bool is_first, uint64_t *transactions)
{
    return mt_fresh_open(fs, root, &counter.device, is_first, transactions);
}

static void each_start_goes_on_from_the_last(void)
{
    uint64_t transactions = 9;
    begin();
    OK(start(true, &transactions));
    MT_ASSERT(transactions == 0);
    OK(mt_fresh_step(fs, root, &counter.device, 1234));
    OK(start(false, &transactions));
    MT_ASSERT(transactions == 1234);
    OK(start(false, &transactions));
    MT_ASSERT(transactions == 1234);
    MT_ASSERT(counter.value == 11);
    end();
}

/* spec/sealed-object.md */
static void a_mark_is_written_as_its_page_says(void)
{
    static const uint8_t after[] = {0x84, 0x02, 0x09, 0x19, 0x04, 0xd2, 0x58, 0x20};
    uint64_t transactions = 0;
    begin();
    counter.machine = 0x2a;
    OK(start(true, &transactions));
    OK(mt_fresh_step(fs, root, &counter.device, 1234));
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(64);
    OK(mt_small_file_read(fs, root, "fresh.mts", &b));
    MT_ASSERT(b.len == sizeof after + sizeof(mt_hash));
    MT_ASSERT(mt_bytes_equal((mt_bytes){b.ptr, sizeof after}, MT_BYTES_OF(after)));
    for (size_t i = sizeof after; i < b.len; i++) {
        MT_ASSERT(b.ptr[i] == 0x2a);
    }
    end();
}

static void a_disk_that_was_put_back_is_refused(void)
{
    uint64_t transactions = 0;
    begin();
    OK(start(true, &transactions));
    MT_DEFER(mt_buf_free) struct mt_buf before = file_get(fs, "fresh.mts");
    OK(mt_fresh_step(fs, root, &counter.device, 5));
    file_put(fs, "fresh.mts", mt_buf_bytes(&before));
    MT_ASSERT(is_code(start(false, &transactions), MT_E_PROOF));
    end();
}

static void a_mark_that_is_gone_is_refused(void)
{
    uint64_t transactions = 0;
    begin();
    OK(start(true, &transactions));
    OK(mt_fs_remove(fs, "fresh.mts"));
    MT_ASSERT(is_code(start(false, &transactions), MT_E_PROOF));
    end();
}

static void a_counter_of_another_machine_is_refused(void)
{
    uint64_t transactions = 0;
    begin();
    OK(start(true, &transactions));
    counter.value -= 2; /* one less is what a crash leaves */
    MT_ASSERT(is_code(start(false, &transactions), MT_E_PROOF));
    counter.value += 1;
    OK(start(false, &transactions));
    end();
}

/* Whoever may open the disk on more than one machine has copies of many numbers to choose from. */
static void a_counter_of_another_machine_that_stands_there_too_is_refused(void)
{
    uint64_t transactions = 9;
    bool is_taken_up = false;
    begin();
    OK(start(true, &transactions));
    OK(mt_fresh_step(fs, root, &counter.device, 1234));
    counter.machine = 1;
    transactions = 9;
    MT_ASSERT(is_code(start(false, &transactions), MT_E_PROOF) && transactions == 9);
    counter.value--;
    MT_ASSERT(is_code(start(false, &transactions), MT_E_PROOF) && transactions == 9);
    OK(mt_fresh_take_up(fs, root, &counter.device, &is_taken_up));
    MT_ASSERT(is_taken_up);
    OK(start(false, &transactions));
    MT_ASSERT(transactions == 1234);
    counter.machine = 0;
    counter.value++; /* and no more beside the old one */
    MT_ASSERT(is_code(start(false, &transactions), MT_E_PROOF));
    end();
}

/* Of a release before marks had names: as good as it was, and named from the first start on. */
static void a_mark_without_a_name_gets_one(void)
{
    uint64_t transactions = 0;
    begin();
    OK(mt_small_file_write(fs, root, "fresh.mts", MT_LITERAL("\x83\x01\x07\x05")));
    OK(start(false, &transactions));
    MT_ASSERT(transactions == 5 && counter.value == 8);
    counter.machine = 1;
    MT_ASSERT(is_code(start(false, &transactions), MT_E_PROOF));
    counter.machine = 0;
    OK(start(false, &transactions));
    end();
}

/* Holders of shares have opened it there: the number is that machine's from then on, and how long
 * the ledger was is not forgotten. */
static void a_disk_whose_machine_was_replaced_goes_on_from_the_new_counter(void)
{
    uint64_t transactions = 0;
    bool is_taken_up = true;
    begin();
    OK(start(true, &transactions));
    OK(mt_fresh_step(fs, root, &counter.device, 1234));
    OK(mt_fresh_take_up(fs, root, &counter.device, &is_taken_up));
    MT_ASSERT(!is_taken_up); /* the same one */
    MT_DEFER(mt_buf_free) struct mt_buf before = file_get(fs, "fresh.mts");
    for (uint64_t i = 0; i < 2; i++) {
        counter.value = i == 0 ? 3 : 300;
        MT_ASSERT(is_code(start(false, &transactions), MT_E_PROOF));
        OK(mt_fresh_take_up(fs, root, &counter.device, &is_taken_up));
        MT_ASSERT(is_taken_up);
        OK(start(false, &transactions));
        MT_ASSERT(transactions == 1234);
        OK(mt_fresh_step(fs, root, &counter.device, 1234));
    }
    file_put(fs, "fresh.mts", mt_buf_bytes(&before));
    MT_ASSERT(is_code(start(false, &transactions), MT_E_PROOF));
    counter.is_broken = true;
    MT_ASSERT(is_code(mt_fresh_take_up(fs, root, &counter.device, &is_taken_up), MT_E_IO));
    counter.is_broken = false;
    disk_fault(MT_SIM_ERROR, 0);
    MT_ASSERT(mt_failed(mt_fresh_take_up(fs, root, &counter.device, &is_taken_up)));
    disk_heal();
    OK(mt_fs_remove(fs, "fresh.mts")); /* of a machine that had no counter */
    OK(mt_fresh_take_up(fs, root, &counter.device, &is_taken_up));
    MT_ASSERT(is_taken_up);
    OK(start(false, &transactions));
    MT_ASSERT(transactions == 0);
    file_put(fs, "fresh.mts", mt_buf_bytes(&before));
    file_flip(fs, "fresh.mts", 400);
    MT_ASSERT(is_code(mt_fresh_take_up(fs, root, &counter.device, &is_taken_up), MT_E_PROOF));
    end();
}

static void a_crash_between_file_and_counter_loses_nothing(void)
{
    uint64_t transactions = 0;
    begin();
    OK(start(true, &transactions));
    for (size_t i = 0; i < 3; i++) {
        counter.value--; /* the file was written, and then the power failed */
        OK(start(false, &transactions));
    }
    counter.is_broken = true;
    MT_ASSERT(is_code(mt_fresh_step(fs, root, &counter.device, 9), MT_E_IO));
    MT_ASSERT(is_code(start(false, &transactions), MT_E_IO));
    counter.is_broken = false;
    OK(start(false, &transactions));
    end();
}

static void a_disk_that_fails_does_not_step_the_counter(void)
{
    uint64_t transactions = 0;
    begin();
    OK(start(true, &transactions));
    uint64_t before = counter.value;
    disk_fault(MT_SIM_ERROR, 1);
    MT_ASSERT(mt_failed(mt_fresh_step(fs, root, &counter.device, 9)));
    MT_ASSERT(counter.value == before);
    disk_heal();
    end();
}

/* Sealed under this root, and no mark: another release's, or a fault of ours. */
static void a_mark_of_another_form_is_refused(void)
{
    static const struct {
        const char *content;
        size_t len;
    } others[] = {
        {"\x83\x03\x08\x00", 4},         /* version 3 */
        {"\x83\x02\x08\x00", 4},         /* 2, of three fields */
        {"\x84\x02\x08\x00\x41\x01", 6}, /* another name */
        {"\x82\x01\x08", 3},             /* two fields */
        {"\x84\x01\x08\x00\x00", 5},     /* four */
        {"\x83\x01\x08", 3},             /* cut */
        {"\x83\x01", 2},
        {"\x83", 1},
        {"\x83\x01\x08\x00\x00", 5}, /* something behind */
        {"\x83\x01\x41\x08\x00", 5}, /* bytes for a number */
    };
    uint64_t transactions = 9;
    begin();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const mt_bytes content = {(const uint8_t *)others[i].content, others[i].len};
        OK(mt_small_file_write(fs, root, "fresh.mts", content));
        MT_ASSERT(mt_failed(start(false, &transactions)));
        MT_ASSERT(mt_failed(start(true, &transactions)));
        MT_ASSERT(transactions == 9 && counter.value == 7);
    }
    end();
}

static void a_counter_that_another_node_steps_is_refused(void)
{
    uint64_t transactions = 0;
    begin();
    OK(start(true, &transactions));
    counter.others = 1;
    MT_ASSERT(is_code(mt_fresh_step(fs, root, &counter.device, 9), MT_E_PROOF));
    MT_ASSERT(is_code(start(false, &transactions), MT_E_PROOF));
    end();
}

static void a_counter_that_reads_and_does_not_step_opens_nothing(void)
{
    uint64_t transactions = 9;
    begin();
    counter.is_stuck = true;
    MT_ASSERT(is_code(start(true, &transactions), MT_E_IO));
    MT_ASSERT(transactions == 9);
    counter.is_stuck = false;
    OK(start(false, &transactions)); /* the file was one ahead */
    end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(each_start_goes_on_from_the_last),
        MT_TEST(a_mark_is_written_as_its_page_says),
        MT_TEST(a_disk_that_was_put_back_is_refused),
        MT_TEST(a_mark_that_is_gone_is_refused),
        MT_TEST(a_counter_of_another_machine_is_refused),
        MT_TEST(a_counter_of_another_machine_that_stands_there_too_is_refused),
        MT_TEST(a_mark_without_a_name_gets_one),
        MT_TEST(a_disk_whose_machine_was_replaced_goes_on_from_the_new_counter),
        MT_TEST(a_crash_between_file_and_counter_loses_nothing),
        MT_TEST(a_disk_that_fails_does_not_step_the_counter),
        MT_TEST(a_mark_of_another_form_is_refused),
        MT_TEST(a_counter_that_another_node_steps_is_refused),
        MT_TEST(a_counter_that_reads_and_does_not_step_opens_nothing),
    };
    OK(mt_crypto_init(world_random, NULL));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
