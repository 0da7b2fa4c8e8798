/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/eventlog.h"

#include "attest/world_test.h"
#include "unit/mangle.h"

/* Where the fields of the first event stand: behind the head of 65 bytes. */
enum { INDEX = 65, TYPE = 69, BANKS = 73, ALGORITHM = 77, DIGEST = 79, LENGTH = 111 };

static struct mt_eventlog parsed;
static uint8_t room[64 * 1024];

static mt_bytes events(const struct mt_event *e, size_t count)
{
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_eventlog_head_write(&w);
    for (size_t i = 0; i < count; i++) {
        mt_event_write(&w, e);
    }
    return written(&w);
}

static bool comes_back(const uint8_t *bytes, size_t len)
{
    static uint8_t again_room[4096];
    struct mt_writer w = mt_writer_over((mt_span){again_room, sizeof again_room});
    if (mt_failed(mt_eventlog_parse((mt_bytes){bytes, len}, &parsed))) {
        return false;
    }
    mt_eventlog_head_write(&w);
    for (size_t i = 0; i < parsed.count; i++) {
        mt_event_write(&w, &parsed.events[i]);
    }
    MT_ASSERT(mt_bytes_equal(written(&w), (mt_bytes){bytes, len}));
    return true;
}

static void a_log_is_replayed_into_its_registers(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf log = mt_buf_of_max(4096);
    const mt_hash code = world_measurement();
    const mt_hash configuration = world_configuration();
    OK(mt_eventlog_parse(world_log(&log), &parsed));
    MT_ASSERT(parsed.count == 3);
    MT_ASSERT(mt_hash_equal(&parsed.registers[MT_REGISTER_CODE], &code));
    MT_ASSERT(mt_hash_equal(&parsed.registers[MT_REGISTER_CONFIGURATION], &configuration));
}

static void events_of_one_register_count_in_their_order(void)
{
    const struct mt_event a = {MT_REGISTER_CODE, MT_EV_IPL, {{1}}, MT_LITERAL("a")};
    const struct mt_event b = {MT_REGISTER_CODE, MT_EV_IPL, {{2}}, MT_LITERAL("b")};
    mt_hash forth;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_eventlog_head_write(&w);
    mt_event_write(&w, &a);
    mt_event_write(&w, &b);
    OK(mt_eventlog_parse(written(&w), &parsed));
    forth = parsed.registers[MT_REGISTER_CODE];
    const mt_hash first = world_register(&a.digest);
    const mt_bytes parts[] = {mt_hash_bytes(&first), mt_hash_bytes(&b.digest)};
    mt_hash expected;
    mt_sha256(parts, 2, &expected);
    MT_ASSERT(mt_hash_equal(&forth, &expected));
}

static void every_truncation_is_refused_and_every_bit_counts(void)
{
    const struct mt_event e = {MT_REGISTER_KERNEL, MT_EV_IPL, {{3}}, MT_LITERAL("kernel")};
    uint8_t good[256];
    mt_bytes log = events(&e, 1);
    memcpy(good, room, log.len);
    /* A log may end behind each of its events, so cuts at the head's end are logs, too. */
    for (size_t i = 0; i < log.len; i++) {
        MT_ASSERT(comes_back(good, i) == (i == INDEX));
    }
    /* Register 2 becomes 0, 13 has no neighbour; digest and data are anybody's to choose. */
    MT_ASSERT(mt_mangle_bits(comes_back, good, log.len) == 1 + 8 * (sizeof(mt_hash) + 6));
}

static void what_is_not_our_kind_of_log_is_refused(void)
{
    static const struct {
        size_t at;
        uint8_t value;
        enum mt_code code;
    } wrong[] = {{0, 1, MT_E_FORMAT},         {INDEX, MT_REGISTERS, MT_E_FORMAT},
                 {TYPE, 3, MT_E_FORMAT},      {BANKS, 2, MT_E_FORMAT},
                 {ALGORITHM, 4, MT_E_FORMAT}, {LENGTH + 1, 0x11, MT_E_LIMIT},
                 {LENGTH, 0xff, MT_E_FORMAT}};
    const struct mt_event e = {MT_REGISTER_CODE, MT_EV_IPL, {{3}}, MT_LITERAL("code")};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        mt_bytes log = events(&e, 1);
        room[wrong[i].at] = wrong[i].value;
        MT_ASSERT(is_code(mt_eventlog_parse(log, &parsed), wrong[i].code));
    }
}

static void an_action_is_what_its_digest_says(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf log = mt_buf_of_max(4096);
    mt_bytes all = world_log(&log);
    size_t last = all.len - 1; /* of what the kernel says */
    log.ptr[last] ^= 1;
    MT_ASSERT(is_code(mt_eventlog_parse(all, &parsed), MT_E_PROOF));
    log.ptr[last] ^= 1;
    OK(mt_eventlog_parse(all, &parsed));
}

static void a_log_has_at_most_256_events(void)
{
    const struct mt_event e = {MT_REGISTER_CODE, MT_EV_IPL, {{3}}, MT_LITERAL("code")};
    OK(mt_eventlog_parse(events(&e, MT_EVENTS_MAX), &parsed));
    MT_ASSERT(is_code(mt_eventlog_parse(events(&e, MT_EVENTS_MAX + 1), &parsed), MT_E_LIMIT));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(a_log_is_replayed_into_its_registers),
        MT_TEST(events_of_one_register_count_in_their_order),
        MT_TEST(every_truncation_is_refused_and_every_bit_counts),
        MT_TEST(what_is_not_our_kind_of_log_is_refused),
        MT_TEST(an_action_is_what_its_digest_says),
        MT_TEST(a_log_has_at_most_256_events),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
