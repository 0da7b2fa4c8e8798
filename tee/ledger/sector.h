/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_SECTOR_H
#define MT_LEDGER_SECTOR_H

#include "base/bytes.h"

/*
 * The smallest piece of a chunk file: 507 bytes of content, their CRC-32C, and a last byte that is
 * never zero. Free room is zero. So a sector tells by itself what has happened to it:
 *
 *   empty    512 zeros: never written
 *   whole    written, and as it was written
 *   partial  the last byte is still zero: a write that a crash cut short
 *   damaged  the last byte is there and the rest does not fit: nobody writes that
 *
 * Without this a flipped bit in the newest block would look like a torn write, and an acknowledged
 * transaction would be dropped with a shrug. spec/ledger-chunk.md.
 */
enum { MT_SECTOR_LEN = 512, MT_SECTOR_CONTENT = 507, MT_SECTOR_END = 0xa5 };

enum mt_sector { MT_SECTOR_EMPTY, MT_SECTOR_WHOLE, MT_SECTOR_PARTIAL, MT_SECTOR_DAMAGED };

/* Bytes on disk of content of `len` bytes: whole sectors. */
size_t mt_sector_room(size_t len);

/* Fills `out` (mt_sector_room(content.len) bytes); the last sector is padded with zeros. */
void mt_sectors_write(mt_bytes content, mt_span out);

enum mt_sector mt_sector_kind(const uint8_t sector[MT_SECTOR_LEN]);

/* The content of whole sectors: out.len bytes, from room of mt_sector_room(out.len). MT_E_PROOF
 * unless every sector is whole and the padding zero. */
MT_ERR mt_sectors_read(mt_bytes sectors, mt_span out);

#endif
