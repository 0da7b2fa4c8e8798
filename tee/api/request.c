/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "api/request.h"

#include "wire/http.h"

MT_ERR mt_request_query(const struct mt_request *rq, const char *name, mt_bytes *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf value = mt_buf_of_max(MT_HTTP_TARGET_BYTES_MAX);
    bool is_there = false;
    MT_TRY(mt_http_query_get(rq->query, name, &value, &is_there));
    if (!is_there) {
        *out = (mt_bytes){NULL, 0};
        return MT_OK;
    }
    return mt_arena_copy(rq->arena, mt_buf_bytes(&value), out);
}

static MT_ERR parse_number(mt_bytes text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    MT_REQUIRE(text.len > 0 && text.len <= 19 && (text.len == 1 || text.ptr[0] != '0'), MT_E_FORMAT,
               "a number in the target is not canonical");
    for (size_t i = 0; i < text.len; i++) {
        MT_REQUIRE(text.ptr[i] >= '0' && text.ptr[i] <= '9', MT_E_FORMAT,
                   "a number in the target has something but digits");
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    MT_REQUIRE(value <= max, MT_E_LIMIT, "a number in the target is too large");
    *out = value;
    return MT_OK;
}

MT_ERR mt_request_query_uint(const struct mt_request *rq, const char *name, uint64_t otherwise,
                             uint64_t max, uint64_t *out)
{
    mt_bytes text;
    MT_TRY(mt_request_query(rq, name, &text));
    if (text.ptr == NULL) {
        *out = otherwise;
        return MT_OK;
    }
    return parse_number(text, max, out);
}

MT_ERR mt_request_number(const struct mt_request *rq, size_t n, uint64_t *out)
{
    return parse_number(rq->arguments[n], UINT64_MAX >> 1, out);
}

MT_ERR mt_request_id(const struct mt_request *rq, size_t n, mt_id *out)
{
    mt_id id;
    MT_TRY(mt_hex_parse(rq->arguments[n], (mt_span){id.b, sizeof id.b}));
    *out = id;
    return MT_OK;
}

MT_ERR mt_request_hash(const struct mt_request *rq, size_t n, mt_hash *out)
{
    mt_hash h;
    MT_TRY(mt_hex_parse(rq->arguments[n], (mt_span){h.b, sizeof h.b}));
    *out = h;
    return MT_OK;
}
