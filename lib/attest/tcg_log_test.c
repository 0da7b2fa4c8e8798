/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Logs of real machines (tests/vectors/eventlogs, the program's argument) give what others say they
 * give.
 */
#include "attest/tcg_log.h"

#include "attest/files_test.h"
#include "attest/world_test.h"
#include "base/id.h"
#include "crypto/context.h"

static struct file f;
static struct mt_tcg_replay replay;

static bool holds(uint32_t at, size_t len, const char *hex)
{
    uint8_t digits[2 * MT_TCG_DIGEST_MAX];
    struct mt_writer w = mt_writer_over((mt_span){digits, sizeof digits});
    mt_hex_write(&w, (mt_bytes){replay.values[at], len});
    return mt_bytes_equal(written(&w), mt_bytes_of_text(hex));
}

static mt_err replay_of(const char *name, enum mt_tcg_bank bank)
{
    return mt_tcg_log_replay(file_read("logs", name, &f), bank, &replay);
}

/* What tpm2_eventlog prints of them. */
static void logs_of_firmware_give_the_values_of_their_pcrs(void)
{
    OK(replay_of("event-sd-boot-fedora37.bin", MT_TCG_PCRS_SHA256));
    MT_ASSERT(holds(0, 32, "464a812afa3f88d8a5f1fe7e71df41951435ebd05edb742db8c2c0d67d62c0d1"));
    MT_ASSERT(holds(4, 32, "7a94ffe8a7729a566d3d3c577fcb4b6b1e671f31540375f80eae6382ab785e35"));
    MT_ASSERT(holds(7, 32, "b5710bf57d25623e4019027da116821fa99f5c81e9e38b87671cc574f9281439"));
    MT_ASSERT(holds(9, 32, "2913f6478fa2d1954ece3b40efc111c18f3feb29204e49f627aa0ca493801eeb"));
    MT_ASSERT(holds(12, 32, "73b2090e3e72430531e7bc7d63e88826891ef4e04d6c1e250dc5c52db24f2f48"));
    MT_ASSERT((replay.touched >> 8 & 1) == 0);
    OK(replay_of("event-bootorder.bin", MT_TCG_PCRS_SHA256));
    MT_ASSERT(holds(0, 32, "804c3cb76b471627372c8e5ebd068d1f8f8af088af43dc9de620af652f11116f"));
    MT_ASSERT(holds(8, 32, "f5ce9866af7ad692ed3afe642b65992d6f5d93389ddb119b49eef3a9fe54a1c1"));
    OK(replay_of("crypto_agile_eventlog.bin", MT_TCG_PCRS_SHA256));
}

static void a_ccel_gives_the_registers_of_its_guest(void)
{
    OK(replay_of("ccel.bin", MT_TCG_RTMRS_SHA384));
    MT_ASSERT(replay.events == 43);
    MT_ASSERT(holds(0, 48,
                    "3fa2f61f395b7f5feefb4ec2df61297f109ad8abcd6410c1b7df60f21f37b19297fc35e5"
                    "44039c7e1edece752afd17f6"));
    MT_ASSERT(holds(1, 48,
                    "f62dbc072bd5d3f3438b7b35c39a727f5aea2ffc2473f43723953f530daf62504f0a7944"
                    "aa62c41a86e8a878c2b122c1"));
    MT_ASSERT(holds(2, 48,
                    "4969684dc87381fc3b3134176c8d8806eaf0a901859f5f70cfae8d17714b46c10a8de219"
                    "048c9fc09f11f381a6fbe7c1"));
    MT_ASSERT(replay.touched == 7);
}

static void events_that_are_repeated_give_other_values(void)
{
    OK(replay_of("ccel_dupe_separator.bin", MT_TCG_RTMRS_SHA384));
    MT_ASSERT(!holds(0, 48,
                     "3fa2f61f395b7f5feefb4ec2df61297f109ad8abcd6410c1b7df60f21f37b19297fc35"
                     "e544039c7e1edece752afd17f6"));
}

static void a_bank_that_the_log_does_not_have_is_refused(void)
{
    MT_ASSERT(is_code(replay_of("ccel.bin", MT_TCG_PCRS_SHA256), MT_E_FORMAT));
}

static void every_truncation_is_refused_or_ends_at_an_event(void)
{
    size_t whole = 0;
    mt_bytes log = file_read("logs", "event-sd-boot-fedora37.bin", &f);
    OK(mt_tcg_log_replay(log, MT_TCG_PCRS_SHA256, &replay));
    size_t events = replay.events;
    for (size_t len = 0; len < log.len; len++) {
        whole += mt_failed(mt_tcg_log_replay((mt_bytes){log.ptr, len}, MT_TCG_PCRS_SHA256, &replay))
                     ? 0
                     : 1;
    }
    MT_ASSERT(whole == events); /* after the head, and after each event but the last */
}

/* A log of one event, with what a test puts into it. */
struct event {
    uint32_t index;
    uint32_t type;
    mt_bytes data;
};

static mt_err replay_events(const struct event *events, size_t count)
{
    static const uint8_t spec[] = "Spec ID Event03\0\0\0\0\0\0\2\0\2\1\0\0\0\x0b\0\x20\0";
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    static const uint8_t zeros[32];
    struct mt_writer w = mt_writer_onto(&room);
    mt_write_u32le(&w, 0);
    mt_write_u32le(&w, 3);
    mt_write_bytes(&w, (mt_bytes){zeros, 20});
    mt_write_u32le(&w, sizeof spec);
    mt_write_bytes(&w, MT_BYTES_OF(spec)); /* the last byte: no vendor information */
    for (size_t i = 0; i < count; i++) {
        mt_write_u32le(&w, events[i].index);
        mt_write_u32le(&w, events[i].type);
        mt_write_u32le(&w, 1);
        mt_write_u16le(&w, 0x0b);
        mt_write_bytes(&w, (mt_bytes){zeros, 32});
        mt_write_u32le(&w, (uint32_t)events[i].data.len);
        mt_write_bytes(&w, events[i].data);
    }
    return mt_tcg_log_replay(written(&w), MT_TCG_PCRS_SHA256, &replay);
}

static void the_locality_of_the_start_is_where_pcr_0_begins(void)
{
    static const uint8_t locality[] = {'S', 't', 'a', 'r', 't', 'u', 'p', 'L', 'o',
                                       'c', 'a', 'l', 'i', 't', 'y', 0,   3};
    const struct event start = {0, 3, MT_BYTES_OF(locality)};
    const struct event first = {0, 1, MT_LITERAL("x")};
    const struct event late[] = {first, start};
    OK(replay_events(&start, 1));
    MT_ASSERT(holds(0, 32, "0000000000000000000000000000000000000000000000000000000000000003"));
    MT_ASSERT(is_code(replay_events(late, 2), MT_E_FORMAT));
}

static void what_is_no_action_extends_nothing(void)
{
    const struct event remarks[] = {{5, 3, MT_LITERAL("a remark")},
                                    {0, 3, MT_LITERAL("of seventeen byte")}};
    OK(replay_events(remarks, 2));
    MT_ASSERT(replay.touched == 0);
}

static void a_register_that_there_is_not_is_refused(void)
{
    const struct event e = {24, 1, MT_LITERAL("x")};
    MT_ASSERT(is_code(replay_events(&e, 1), MT_E_FORMAT));
}

/* The record that a log begins with, cut, with its own length put right. */
struct head {
    uint32_t type;
    const char *name;
    uint32_t count;
    uint16_t algs[9][2]; /* and how long their digests are */
    size_t cut;
};
static const struct head plain = {3, "Spec ID Event03", 2, {{4, 20}, {0x0b, 32}}, 0};

static void put_head(struct mt_writer *w, const struct head *h)
{
    uint8_t room[128];
    static const uint8_t zeros[20];
    struct mt_writer data = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&data, (mt_bytes){(const uint8_t *)h->name, 16});
    mt_write_bytes(&data, (mt_bytes){zeros, 8});
    mt_write_u32le(&data, h->count);
    for (uint32_t i = 0; i < h->count; i++) {
        mt_write_u16le(&data, h->algs[i][0]);
        mt_write_u16le(&data, h->algs[i][1]);
    }
    mt_write_u8(&data, 2);
    mt_write_bytes(&data, MT_LITERAL("us"));
    mt_bytes all = mt_write_done(&data);
    all.len -= h->cut;
    mt_write_u32le(w, 0);
    mt_write_u32le(w, h->type);
    mt_write_bytes(w, (mt_bytes){zeros, 20});
    mt_write_u32le(w, (uint32_t)all.len);
    mt_write_bytes(w, all);
}

static mt_err log_of(const struct head *h, mt_bytes events)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(512 * 1024);
    struct mt_writer w = mt_writer_onto(&room);
    put_head(&w, h);
    mt_write_bytes(&w, events);
    return mt_tcg_log_replay(written(&w), MT_TCG_PCRS_SHA256, &replay);
}

static void a_log_says_what_it_is_and_names_each_hash_once(void)
{
    const mt_bytes none = {NULL, 0};
    const struct head wrong[] = {
        {4, plain.name, 2, {{4, 20}, {0x0b, 32}}, 0},
        {3, "Spec ID Event02", 2, {{4, 20}, {0x0b, 32}}, 0},
        {3, plain.name, 0, {{0}}, 0},
        {3, plain.name, 9, {{1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}}, 0},
        {3, plain.name, 2, {{4, 20}, {0x0b, 20}}, 0}, /* SHA-256 */
        {3, plain.name, 2, {{4, 20}, {0x0c, 32}}, 0}, /* SHA-384 */
        {3, plain.name, 2, {{4, 0}, {0x0b, 32}}, 0},
        {3, plain.name, 2, {{4, 65}, {0x0b, 32}}, 0},
        {3, plain.name, 2, {{0x0b, 32}, {0x0b, 32}}, 0},
    };
    OK(log_of(&plain, none));
    OK(log_of(&(struct head){3, plain.name, 1, {{0x0c, 48}}, 0}, none));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(is_code(log_of(&wrong[i], none), MT_E_FORMAT));
    }
    for (size_t cut = 1; cut <= 16 + 8 + 4 + 8 + 3; cut++) {
        struct head h = plain;
        h.cut = cut;
        MT_ASSERT(is_code(log_of(&h, none), MT_E_FORMAT));
    }
}

/* An event of PCR 1 with digests of these hashes. */
static mt_err event_of(uint32_t count, const uint16_t ids[3])
{
    uint8_t room[256];
    static const uint8_t zeros[32];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_u32le(&w, 1);
    mt_write_u32le(&w, 1);
    mt_write_u32le(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        mt_write_u16le(&w, ids[i]);
        mt_write_bytes(&w, (mt_bytes){zeros, ids[i] == 4 ? 20 : 32});
    }
    mt_write_u32le(&w, 0);
    return log_of(&plain, mt_write_done(&w));
}

static void an_event_has_one_digest_of_each_hash_that_the_log_names(void)
{
    OK(event_of(2, (const uint16_t[]){4, 0x0b, 0}));
    MT_ASSERT(is_code(event_of(2, (const uint16_t[]){4, 4, 0}), MT_E_FORMAT)); /* not of the bank */
    MT_ASSERT(is_code(event_of(2, (const uint16_t[]){0x0b, 0x0b, 0}), MT_E_FORMAT));
    MT_ASSERT(is_code(event_of(2, (const uint16_t[]){4, 0x12, 0}), MT_E_FORMAT));
    MT_ASSERT(is_code(event_of(3, (const uint16_t[]){4, 0x0b, 4}), MT_E_FORMAT));
}

static void a_log_has_no_more_events_than_it_may(void)
{
    static uint8_t remarks[(MT_TCG_EVENTS_MAX + 1) * 16];
    struct mt_writer w = mt_writer_over((mt_span){remarks, sizeof remarks});
    for (size_t i = 0; i <= MT_TCG_EVENTS_MAX; i++) {
        mt_write_u64le(&w, UINT64_C(3) << 32);
        mt_write_u64le(&w, 0);
    }
    OK(log_of(&plain, (mt_bytes){remarks, sizeof remarks - 16}));
    MT_ASSERT(is_code(log_of(&plain, MT_BYTES_OF(remarks)), MT_E_FORMAT));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(logs_of_firmware_give_the_values_of_their_pcrs),
        MT_TEST(a_ccel_gives_the_registers_of_its_guest),
        MT_TEST(events_that_are_repeated_give_other_values),
        MT_TEST(a_bank_that_the_log_does_not_have_is_refused),
        MT_TEST(every_truncation_is_refused_or_ends_at_an_event),
        MT_TEST(the_locality_of_the_start_is_where_pcr_0_begins),
        MT_TEST(what_is_no_action_extends_nothing),
        MT_TEST(a_register_that_there_is_not_is_refused),
        MT_TEST(a_log_says_what_it_is_and_names_each_hash_once),
        MT_TEST(an_event_has_one_digest_of_each_hash_that_the_log_names),
        MT_TEST(a_log_has_no_more_events_than_it_may),
    };
    MT_ASSERT(argc > 1);
    files_folder = argv[1];
    world_begin(argc - 1, argv + 1);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
