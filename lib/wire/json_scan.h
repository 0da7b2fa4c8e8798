/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_JSON_SCAN_H
#define MT_WIRE_JSON_SCAN_H

#include "wire/json.h"

/*
 * The grammar of RFC 8259, narrowed to what json.h accepts, over the bytes alone: no tree, no
 * allocation, no recursion. What passes here is given to jansson, which then has nothing left to
 * refuse but a repeated name. `*at` is how far it came: on failure, the offset where the text is
 * wrong.
 */
MT_ERR mt_json_scan(mt_bytes text, size_t *at);

/* Line and column (in characters) of an offset. */
struct mt_text_place mt_json_place(mt_bytes text, size_t at);

#endif
