/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/again.h"

#include <stdlib.h>

/*
 * Evidence once more, on a connection that is open: its peer sends a fresh nonce and judges anew
 * what is bound to it (spec/attest-round.md). Open to strangers, like the round itself, and they
 * share what the device can spare.
 */
struct showing_again {
    struct mt_work work;
    struct mt_conn *conn;
    uint8_t report_data[MT_REPORT_DATA_LEN];
    struct mt_buf room;
};

bool mt_again_is_ours(const struct mt_exchange *x)
{
    return x->match.service == &mt_system_service &&
           mt_bytes_equal(mt_bytes_of_text(x->match.route->action), MT_LITERAL("attestation.show"));
}

static mt_err run(struct mt_work *w)
{
    struct showing_again *x = w->state;
    const struct mt_server_options *o = &x->conn->server->o;
    mt_bytes evidence;
    struct mt_writer writer = mt_writer_onto(&x->room);
    MT_TRY(o->evidence(o->evidence_state, x->report_data, &writer));
    return mt_write_end(&writer, &evidence);
}

static void showing_again_free(struct showing_again **x)
{
    if (*x != NULL) {
        mt_buf_free(&(*x)->room);
        free(*x);
        *x = NULL;
    }
}

static void done(struct mt_work *w, mt_err e)
{
    MT_DEFER(showing_again_free) struct showing_again *x = w->state;
    struct mt_conn *c = x->conn;
    if (!mt_conn_work_ends(c)) {
        return;
    }
    c->x.evidence = x->room;
    x->room = mt_buf_of_max(0); /* given */
    mt_conn_go_on(c, mt_exchange_prepared, e);
}

MT_ERR mt_again_begin(struct mt_conn *c)
{
    static const char *const fields[] = {"nonce", NULL};
    MT_DEFER(showing_again_free) struct showing_again *x = NULL;
    const struct mt_json *json = c->x.request.json;
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    MT_REQUIRE(json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(json, fields));
    MT_TRY(mt_json_hex(json, "nonce", (mt_span){nonce, sizeof nonce}));
    MT_TRY(mt_showing_admit(c));
    x = calloc(1, sizeof *x);
    MT_REQUIRE(x != NULL, MT_E_NOMEM, "no memory for evidence");
    x->work = (struct mt_work){.run = run, .done = done, .state = x};
    x->conn = c;
    x->room = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    MT_TRY(mt_channel_bind_again(c->channel, nonce, x->report_data));
    MT_TRY(mt_pool_submit(c->server->o.evidence_pool, &x->work));
    mt_conn_work_begins(c);
    c->state = MT_CONN_SEALING;
    x = NULL; /* it comes back to done() */
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
