/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/again.h"

/*
 * Evidence once more, on a connection that is open: its peer sends a fresh nonce and judges anew
 * what is bound to it (spec/attest-round.md). Open to strangers, like the round itself.
 */

bool mt_again_is_ours(const struct mt_exchange *x)
{
    return x->match.service == &mt_system_service &&
           mt_bytes_equal(mt_bytes_of_text(x->match.route->action), MT_LITERAL("attestation.show"));
}

static void shown_again(struct mt_conn *c, mt_err e, struct mt_buf *evidence)
{
    c->x.evidence = *evidence;
    *evidence = mt_buf_of_max(0); /* given */
    mt_conn_go_on(c, mt_exchange_prepared, e);
}

MT_ERR mt_again_begin(struct mt_conn *c)
{
    static const char *const fields[] = {"nonce", NULL};
    const struct mt_json *json = c->x.request.json;
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    uint8_t report_data[MT_REPORT_DATA_LEN];
    MT_REQUIRE(json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(json, fields));
    MT_TRY(mt_json_hex(json, "nonce", (mt_span){nonce, sizeof nonce}));
    MT_TRY(mt_channel_bind_again(c->channel, nonce, report_data));
    MT_TRY(mt_showing_begin(c, report_data, shown_again));
    c->state = MT_CONN_SEALING;
    return MT_OK;
}

MT_ERR mt_again_call(struct mt_server *s, const struct mt_exchange *x, struct mt_reply *rp)
{
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    mt_json_put_text(j, "format", s->o.facts.format);
    mt_json_put_hex(j, "evidence", mt_buf_bytes(&x->evidence));
    mt_json_end_object(j);
    return rp->writer.failed;
}
