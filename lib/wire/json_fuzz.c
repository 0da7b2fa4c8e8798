/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json.h"

#include "base/assert.h"
#include "base/limits.h"
#include "wire/json_flat.h"
#include "wire/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is accepted has one canonical text, which is accepted as such and comes back unchanged. What
 * the grammar lets pass, jansson refuses for a repeated name alone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    mt_bytes in = {data, len};
    struct mt_text_place place = {0, 0, 0};
    size_t at = 0;
    MT_DEFER(mt_flat_free) struct mt_flat *flat = NULL;
    MT_DEFER(mt_json_free) struct mt_json *root = NULL;
    mt_err e = mt_json_parse(in, &root, &place);
    MT_ASSERT(mt_failed(mt_flat_read(in, &flat)) || !mt_failed(e));
    if (mt_failed(e)) {
        bool is_limit = e.fault->code == MT_E_LIMIT;
        MT_ASSERT(is_limit || e.fault->code == MT_E_FORMAT);
        MT_ASSERT(len > MT_JSON_BYTES_MAX || (place.line > 0 && place.column > 0));
        MT_ASSERT(place.offset <= len);
        if (!mt_failed(mt_json_scan(in, &at)) && !is_limit) {
            MT_ASSERT(mt_bytes_equal(mt_bytes_of_text(e.fault->what),
                                     MT_LITERAL("JSON: a name stands twice in an object")));
            MT_ASSERT(data[place.offset] == '"');
        }
        return 0;
    }
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(len);
    struct mt_writer w = mt_writer_onto(&room);
    mt_bytes text;
    MT_DEFER(mt_json_free) struct mt_json *again = NULL;
    mt_json_write(&w, root);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &text)));
    MT_ASSERT(!mt_failed(mt_json_parse_canonical(text, &again)));
    return 0;
}
