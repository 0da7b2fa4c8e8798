/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "mesatee/session.h"

static MT_ERR target_of(const mt_id *data, char target[64])
{
    mt_bytes done;
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)target, 63});
    mt_write_bytes(&w, MT_LITERAL("/data/"));
    mt_hex_write(&w, mt_id_bytes(data));
    mt_write_bytes(&w, MT_LITERAL("/grants"));
    MT_TRY(mt_write_end(&w, &done));
    target[done.len] = '\0';
    return MT_OK;
}

MT_ERR mt_session_grant(struct mt_session *s, const char *data, const char *who,
                        const struct mt_grant_wanted *wanted, struct mt_json **out)
{
    uint8_t room[1024];
    char target[64];
    mt_id id;
    mt_hash grantee;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    struct mt_call call = {.method = MT_HTTP_POST, .target = target};
    MT_TRY(mt_session_data(s, mt_bytes_of_text(data), &id));
    MT_TRY(mt_session_subject(s, mt_bytes_of_text(who), &grantee));
    MT_TRY(target_of(&id, target));
    mt_json_begin_object(&j, NULL);
    if (wanted->count != NULL) {
        mt_json_put_uint(&j, "count", *wanted->count);
    }
    if (wanted->until_ms != NULL) {
        mt_json_put_uint(&j, "until_ms", *wanted->until_ms);
    }
    if (wanted->function != NULL) {
        mt_json_put_text(&j, "function", mt_bytes_of_text(wanted->function));
    }
    mt_json_put_hex(&j, "grantee", mt_hash_bytes(&grantee));
    mt_json_put_text(&j, "right", mt_bytes_of_text(wanted->right == NULL ? "use" : wanted->right));
    mt_json_end_object(&j);
    MT_TRY(mt_write_end(&w, &call.body));
    return mt_session_request(s, &call, out);
}
