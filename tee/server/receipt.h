/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_RECEIPT_H
#define MT_SERVER_RECEIPT_H

#include "server/server.h"

/* The receipt file (spec/receipt.md) for a durable transaction, showing one claim item of it. Reads
 * one block. */
MT_ERR mt_server_receipt(const struct mt_server_options *o, uint64_t txid, uint32_t item,
                         struct mt_buf *out);

#endif
