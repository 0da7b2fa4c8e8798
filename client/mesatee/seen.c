/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/seen.h"

#include "base/id.h"
#include "base/text.h"

void mt_seen_write(struct mt_writer *w, mt_bytes text)
{
    while (text.len > 0) {
        size_t len = mt_utf8_len(text);
        mt_bytes one = {text.ptr, len == 0 ? 1 : len};
        if (len > 0 && mt_text_is_plain(one)) {
            mt_write_bytes(w, one);
        } else {
            for (size_t i = 0; i < one.len; i++) {
                mt_write_bytes(w, MT_LITERAL("\\x"));
                mt_hex_write(w, (mt_bytes){one.ptr + i, 1});
            }
        }
        text = (mt_bytes){text.ptr + one.len, text.len - one.len};
    }
}
