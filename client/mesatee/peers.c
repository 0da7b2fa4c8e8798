/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/peers.h"

#include <stdio.h>

static MT_ERR keep_key(struct mt_session *keeper, mt_bytes policy, mt_id *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf body = mt_buf_of_max(MT_JSON_BYTES_MAX);
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    mt_bytes all;
    struct mt_writer w = mt_writer_onto(&body);
    struct mt_json_writer o = mt_json_writer_over(&w);
    mt_json_begin_object(&o, NULL);
    mt_json_put_hex(&o, "policy", policy);
    mt_json_end_object(&o);
    MT_TRY(mt_write_end(&w, &all));
    const struct mt_call call = {.method = MT_HTTP_POST, .target = "/peers", .body = all};
    MT_TRY(mt_session_request(keeper, &call, &j));
    return mt_json_hex(j, "peer", (mt_span){out->b, sizeof out->b});
}

/* What cannot be taken back now is listed at the keeper, and opens nothing. */
static void take_back(struct mt_session *keeper, const mt_id *key)
{
    char target[64] = "/peers/";
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)target + 7, sizeof target - 8});
    mt_hex_write(&w, mt_id_bytes(key));
    const struct mt_call call = {.method = MT_HTTP_DELETE, .target = target};
    (void)mt_failed(mt_session_request(keeper, &call, &j));
}

static MT_ERR make_slot(struct mt_session *node, const struct mt_context *keeper, const mt_id *key,
                        uint64_t *number)
{
    uint8_t room[512];
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    mt_bytes all;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer o = mt_json_writer_over(&w);
    mt_json_begin_object(&o, NULL);
    mt_json_put_literal(&o, "kind", "peer");
    mt_json_put_hex(&o, "peer", mt_id_bytes(key));
    mt_json_put_hex(&o, "cluster", mt_hash_bytes(&keeper->cluster));
    mt_json_put_hex(&o, "policy", mt_hash_bytes(&keeper->policy->hash));
    mt_json_end_object(&o);
    MT_TRY(mt_write_end(&w, &all));
    const struct mt_call call = {.method = MT_HTTP_POST, .target = "/keyslots", .body = all};
    MT_TRY(mt_session_request(node, &call, &j));
    return mt_json_uint(j, "number", MT_KEY_SLOTS_MAX, number);
}

MT_ERR mt_peer_slot_add(struct mt_session *node, struct mt_session *keeper, mt_bytes policy,
                        struct mt_peer_slot *out, struct mt_session **at)
{
    struct mt_peer_slot made;
    *at = node;
    MT_TRY(mt_session_connect(node));
    *at = keeper;
    MT_TRY(mt_session_connect(keeper));
    MT_TRY(keep_key(keeper, policy, &made.peer));
    *at = node;
    mt_err e = make_slot(node, keeper->context, &made.peer, &made.slot);
    if (mt_failed(e) && node->complaint.status != 0) { /* the node said no */
        take_back(keeper, &made.peer);
    }
    MT_TRY(e);
    *out = made;
    return MT_OK;
}
