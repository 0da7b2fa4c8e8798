/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/sector.h"

#include <string.h>

#include "base/assert.h"
#include "ledger/crc32c.h"

size_t mt_sector_room(size_t len)
{
    return (len + MT_SECTOR_CONTENT - 1) / MT_SECTOR_CONTENT * MT_SECTOR_LEN;
}

static void write_check(uint32_t crc, uint8_t *at)
{
    struct mt_writer w = mt_writer_over((mt_span){at, 5});
    mt_write_u32le(&w, crc);
    mt_write_u8(&w, MT_SECTOR_END);
}

void mt_sectors_write(mt_bytes content, mt_span out)
{
    MT_ASSERT(out.len == mt_sector_room(content.len));
    size_t done = 0;
    for (uint8_t *at = out.ptr; at < out.ptr + out.len; at += MT_SECTOR_LEN) {
        size_t left = content.len - done;
        size_t len = left < MT_SECTOR_CONTENT ? left : MT_SECTOR_CONTENT;
        memcpy(at, content.ptr + done, len);
        memset(at + len, 0, MT_SECTOR_CONTENT - len);
        write_check(mt_crc32c((mt_bytes){at, MT_SECTOR_CONTENT}), at + MT_SECTOR_CONTENT);
        done += len;
    }
}

static bool is_zero(mt_bytes b)
{
    uint64_t any = 0;
    size_t i = 0;
    for (; b.len - i >= 8; i += 8) {
        uint64_t word = 0;
        memcpy(&word, b.ptr + i, sizeof word);
        any |= word;
    }
    for (; i < b.len; i++) {
        any |= b.ptr[i];
    }
    return any == 0;
}

enum mt_sector mt_sector_kind(const uint8_t sector[MT_SECTOR_LEN])
{
    uint8_t check[5];
    uint8_t end = sector[MT_SECTOR_LEN - 1];
    if (end == 0) {
        return is_zero((mt_bytes){sector, MT_SECTOR_LEN}) ? MT_SECTOR_EMPTY : MT_SECTOR_PARTIAL;
    }
    write_check(mt_crc32c((mt_bytes){sector, MT_SECTOR_CONTENT}), check);
    bool is_whole = mt_bytes_equal((mt_bytes){sector + MT_SECTOR_CONTENT, sizeof check},
                                   (mt_bytes){check, sizeof check});
    return is_whole ? MT_SECTOR_WHOLE : MT_SECTOR_DAMAGED;
}

MT_ERR mt_sectors_read(mt_bytes sectors, mt_span out)
{
    MT_ASSERT(sectors.len == mt_sector_room(out.len));
    size_t done = 0;
    for (const uint8_t *at = sectors.ptr; done < out.len; at += MT_SECTOR_LEN) {
        size_t left = out.len - done;
        size_t len = left < MT_SECTOR_CONTENT ? left : MT_SECTOR_CONTENT;
        MT_REQUIRE(mt_sector_kind(at) == MT_SECTOR_WHOLE, MT_E_PROOF,
                   "a sector of the ledger is not as it was written");
        MT_REQUIRE(is_zero((mt_bytes){at + len, MT_SECTOR_CONTENT - len}), MT_E_PROOF,
                   "a sector of the ledger is not padded with zeros");
        memcpy(out.ptr + done, at, len);
        done += len;
    }
    return MT_OK;
}
