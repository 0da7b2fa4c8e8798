/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/audit.h"

#include <string.h>

#include "base/assert.h"
#include "unit/mangle.h"
#include "unit/runner.h"
#include "vectors/wire_formats.h"
#include "wire/cbor.h"

enum { RECORDS = 2 };

static struct mt_audit_record record(size_t i)
{
    return i == 0
               ? (struct mt_audit_record){{{7}}, MT_LITERAL("data.put"), {{4}}, MT_AUDIT_ACT, 0,
                                          1,     1700000000000}
               : (struct mt_audit_record){
                     {{11}}, MT_LITERAL("task.run"), {{0}}, MT_AUDIT_REFUSED, 4, 3, 1700000001000};
}

static mt_bytes item_of(const struct mt_audit_record *r, size_t count, mt_span room)
{
    mt_bytes out;
    struct mt_writer w = mt_writer_over(room);
    mt_audit_item_write(&w, count);
    for (size_t i = 0; i < count; i++) {
        mt_audit_record_write(&w, &r[i]);
    }
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    return out;
}

static MT_ERR read_item(mt_bytes item, struct mt_audit_record *out, uint64_t *count)
{
    struct mt_reader r;
    MT_TRY(mt_audit_item_parse(item, &r, count));
    for (uint64_t i = 0; i < *count; i++) {
        MT_TRY(mt_audit_record_parse(&r, &out[i < RECORDS ? i : RECORDS - 1]));
    }
    return mt_read_end(&r);
}

/* The good item that all tests begin with. */
static mt_bytes good_item(mt_span room)
{
    const struct mt_audit_record two[RECORDS] = {record(0), record(1)};
    return item_of(two, RECORDS, room);
}

static void records_come_back_as_they_were_written(void)
{
    uint8_t room[512];
    struct mt_audit_record back[RECORDS];
    uint64_t count = 0;
    mt_bytes item = good_item((mt_span){room, sizeof room});
    MT_ASSERT(!mt_failed(read_item(item, back, &count)));
    MT_ASSERT(count == RECORDS);
    for (size_t i = 0; i < RECORDS; i++) {
        const struct mt_audit_record r = record(i);
        MT_ASSERT(mt_hash_equal(&back[i].subject, &r.subject));
        MT_ASSERT(mt_bytes_equal(back[i].action, r.action));
        MT_ASSERT(mt_id_equal(&back[i].resource, &r.resource));
        MT_ASSERT(back[i].phase == r.phase);
        MT_ASSERT(back[i].outcome == r.outcome && back[i].count == r.count);
        MT_ASSERT(back[i].first_ms == r.first_ms);
    }
}

static void the_vector_of_the_page_is_what_we_write(void)
{
    struct mt_audit_record like_page[RECORDS] = {record(0), record(1)};
    uint8_t room[512];
    uint8_t want[512];
    memset(like_page[0].subject.b, 7, sizeof like_page[0].subject.b);
    memset(like_page[0].resource.b, 4, sizeof like_page[0].resource.b);
    memset(like_page[1].subject.b, 11, sizeof like_page[1].subject.b);
    mt_span whole = {want, (sizeof MT_VECTOR_AUDIT_ITEM - 1) / 2};
    MT_ASSERT(!mt_failed(mt_hex_parse(MT_LITERAL(MT_VECTOR_AUDIT_ITEM), whole)));
    mt_bytes item = item_of(like_page, RECORDS, (mt_span){room, sizeof room});
    MT_ASSERT(mt_bytes_equal(item, mt_bytes_of(whole)));
}

static bool comes_back(const uint8_t *bytes, size_t len)
{
    struct mt_audit_record back[RECORDS];
    uint8_t room[512];
    uint64_t count = 0;
    if (mt_failed(read_item((mt_bytes){bytes, len}, back, &count)) || count > RECORDS) {
        return false;
    }
    mt_bytes out = item_of(back, (size_t)count, (mt_span){room, sizeof room});
    MT_ASSERT(mt_bytes_equal(out, (mt_bytes){bytes, len}));
    return true;
}

static void truncated_items_are_refused_and_changed_ones_are_other_items(void)
{
    uint8_t room[512];
    mt_bytes item = good_item((mt_span){room, sizeof room});
    mt_mangle_length(comes_back, item.ptr, item.len);
    MT_ASSERT(mt_mangle_bits(comes_back, item.ptr, item.len) > (size_t)8 * 32 * RECORDS);
}

static bool is_refused(size_t at, uint8_t byte)
{
    struct mt_audit_record back[RECORDS];
    uint8_t room[512];
    uint64_t count = 0;
    mt_bytes item = good_item((mt_span){room, sizeof room});
    room[at] = byte;
    return mt_failed(read_item(item, back, &count));
}

static void another_kind_version_or_phase_is_refused(void)
{
    enum { KIND = 2, VERSION = 7, PHASE = 70 };
    uint8_t room[512];
    (void)good_item((mt_span){room, sizeof room});
    MT_ASSERT(room[KIND] == 'a');
    MT_ASSERT(room[VERSION] == 1);
    MT_ASSERT(room[PHASE] == MT_AUDIT_ACT);
    MT_ASSERT(is_refused(KIND, 'b'));
    MT_ASSERT(is_refused(VERSION, 2));
    MT_ASSERT(is_refused(PHASE, 0));
    MT_ASSERT(is_refused(PHASE, MT_AUDIT_REFUSED + 1));
}

static void no_resource_is_written_in_one_way_only(void)
{
    struct mt_audit_record r;
    uint8_t room[512];
    uint64_t count = 0;
    mt_bytes item;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    static const uint8_t zeros[32] = {0};
    mt_audit_item_write(&w, 1);
    mt_cbor_write_array(&w, 7);
    mt_cbor_write_bytes(&w, (mt_bytes){zeros, 32});
    mt_cbor_write_text(&w, MT_LITERAL("x"));
    mt_cbor_write_bytes(&w, (mt_bytes){zeros, 16});
    for (uint64_t i = 1; i <= 4; i++) {
        mt_cbor_write_uint(&w, i);
    }
    MT_ASSERT(!mt_failed(mt_write_end(&w, &item)));
    MT_ASSERT(mt_failed(read_item(item, &r, &count)));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(records_come_back_as_they_were_written),
        MT_TEST(the_vector_of_the_page_is_what_we_write),
        MT_TEST(truncated_items_are_refused_and_changed_ones_are_other_items),
        MT_TEST(another_kind_version_or_phase_is_refused),
        MT_TEST(no_resource_is_written_in_one_way_only),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
