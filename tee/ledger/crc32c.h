/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_CRC32C_H
#define MT_LEDGER_CRC32C_H

#include "base/bytes.h"

/* CRC-32C (Castagnoli) as in RFC 3720, B.4: tells accidents, proves nothing. */
uint32_t mt_crc32c(mt_bytes bytes);

/* The same without the instruction of the processor, for machines that lack it. */
uint32_t mt_crc32c_by_table(mt_bytes bytes);

#endif
