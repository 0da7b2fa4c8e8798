/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/sector.h"

#include <string.h>

#include "base/assert.h"
#include "ledger/crc32c.h"
#include "unit/runner.h"

static void crc32c_gives_the_values_of_rfc_3720(void)
{
    uint8_t b[32] = {0};
    MT_ASSERT(mt_crc32c(MT_BYTES_OF(b)) == 0x8a9136aa);
    memset(b, 0xff, sizeof b);
    MT_ASSERT(mt_crc32c(MT_BYTES_OF(b)) == 0x62a8ab43);
    for (size_t i = 0; i < sizeof b; i++) {
        b[i] = (uint8_t)i;
    }
    MT_ASSERT(mt_crc32c(MT_BYTES_OF(b)) == 0x46dd794e);
    MT_ASSERT(mt_crc32c(MT_LITERAL("123456789")) == 0xe3069283);
}

static void instruction_and_table_agree(void)
{
    uint8_t b[600];
    for (size_t i = 0; i < sizeof b; i++) {
        b[i] = (uint8_t)(i * i + 7);
    }
    for (size_t len = 0; len < sizeof b; len++) {
        mt_bytes part = {b + len % 8, len > 8 ? len - 8 : len};
        MT_ASSERT(mt_crc32c(part) == mt_crc32c_by_table(part));
    }
}

static void content_of_any_length_comes_back(void)
{
    uint8_t content[1600];
    uint8_t sectors[4 * MT_SECTOR_LEN];
    uint8_t back[1600];
    for (size_t i = 0; i < sizeof content; i++) {
        content[i] = (uint8_t)(i * 31 + 1);
    }
    for (size_t len = 1; len < sizeof content; len++) {
        mt_span room = {sectors, mt_sector_room(len)};
        mt_sectors_write((mt_bytes){content, len}, room);
        for (size_t at = 0; at < room.len; at += MT_SECTOR_LEN) {
            MT_ASSERT(mt_sector_kind(sectors + at) == MT_SECTOR_WHOLE);
        }
        mt_err e = mt_sectors_read(mt_bytes_of(room), (mt_span){back, len});
        MT_ASSERT(!mt_failed(e));
        MT_ASSERT(mt_bytes_equal((mt_bytes){content, len}, (mt_bytes){back, len}));
    }
}

static void every_flipped_bit_of_a_whole_sector_is_damage(void)
{
    uint8_t sector[MT_SECTOR_LEN];
    mt_sectors_write(MT_LITERAL("a few words, then zeros"), (mt_span){sector, sizeof sector});
    for (size_t bit = 0; bit < 8 * (size_t)MT_SECTOR_LEN; bit++) {
        sector[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        MT_ASSERT(mt_sector_kind(sector) == MT_SECTOR_DAMAGED);
        sector[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    MT_ASSERT(mt_sector_kind(sector) == MT_SECTOR_WHOLE);
}

static void every_prefix_of_a_sector_is_partial_and_none_is_damage(void)
{
    uint8_t sector[MT_SECTOR_LEN];
    uint8_t torn[MT_SECTOR_LEN] = {0};
    mt_sectors_write(MT_LITERAL("a few words, then zeros"), (mt_span){sector, sizeof sector});
    MT_ASSERT(mt_sector_kind(torn) == MT_SECTOR_EMPTY);
    for (size_t len = 1; len < MT_SECTOR_LEN; len++) {
        torn[len - 1] = sector[len - 1];
        MT_ASSERT(mt_sector_kind(torn) == MT_SECTOR_PARTIAL);
    }
}

static void padding_that_is_not_zero_is_refused(void)
{
    uint8_t content[MT_SECTOR_CONTENT] = {1, 2, 3, 4};
    uint8_t sector[MT_SECTOR_LEN];
    uint8_t back[3];
    mt_sectors_write(MT_BYTES_OF(content), (mt_span){sector, sizeof sector});
    mt_err e = mt_sectors_read((mt_bytes){sector, sizeof sector}, (mt_span){back, sizeof back});
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_PROOF);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(crc32c_gives_the_values_of_rfc_3720),
        MT_TEST(instruction_and_table_agree),
        MT_TEST(content_of_any_length_comes_back),
        MT_TEST(every_flipped_bit_of_a_whole_sector_is_damage),
        MT_TEST(every_prefix_of_a_sector_is_partial_and_none_is_damage),
        MT_TEST(padding_that_is_not_zero_is_refused),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
