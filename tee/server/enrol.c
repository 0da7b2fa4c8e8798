/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/enrol.h"

#include <stdlib.h>

/*
 * Enrolment of a TPM (TCG, credential activation): whoever wants to know this machine by its
 * maker's certificate gets the endorsement key's and the quoting key's public parts, wraps a secret
 * so that only a TPM that holds both can unwrap it, and is told the secret. Open to strangers, who
 * share what the device can spare: it proves something to them and gives nothing away.
 */
struct enrolling {
    struct mt_work work;
    struct mt_conn *conn;
    uint8_t blob[MT_ENROL_BYTES_MAX];
    uint8_t secret[MT_ENROL_BYTES_MAX];
    mt_bytes blob_bytes;
    mt_bytes secret_bytes;
    struct mt_enrol_answer answer;
};

static bool is_action(const struct mt_exchange *x, const char *action)
{
    return x->match.service == &mt_system_service &&
           mt_bytes_equal(mt_bytes_of_text(x->match.route->action), mt_bytes_of_text(action));
}

bool mt_enrol_is_ours(const struct mt_exchange *x)
{
    return is_action(x, "enrolment.show") || is_action(x, "enrolment.answer");
}

bool mt_enrol_is_due(const struct mt_exchange *x)
{
    return is_action(x, "enrolment.answer");
}

static mt_err run(struct mt_work *w)
{
    struct enrolling *x = w->state;
    const struct mt_server_options *o = &x->conn->server->o;
    mt_span room = {x->answer.bytes, sizeof x->answer.bytes};
    return o->activate(o->evidence_state, x->blob_bytes, x->secret_bytes, room, &x->answer.len);
}

static void enrolling_free(struct enrolling **x)
{
    free(*x);
    *x = NULL;
}

static void done(struct mt_work *w, mt_err e)
{
    MT_DEFER(enrolling_free) struct enrolling *x = w->state;
    struct mt_conn *c = x->conn;
    if (!mt_conn_work_ends(c)) {
        return;
    }
    c->x.enrol_answer = x->answer;
    mt_conn_go_on(c, mt_exchange_prepared, e);
}

static MT_ERR take_field(const struct mt_json *json, const char *name, mt_span room, mt_bytes *out)
{
    mt_bytes digits;
    MT_TRY(mt_json_text(json, name, &digits));
    MT_REQUIRE(digits.len <= 2 * room.len, MT_E_LIMIT, "a part of a challenge is too long");
    MT_TRY(mt_hex_parse(digits, (mt_span){room.ptr, digits.len / 2}));
    *out = (mt_bytes){room.ptr, digits.len / 2};
    return MT_OK;
}

MT_ERR mt_enrol_begin(struct mt_conn *c)
{
    static const char *const fields[] = {"credential_blob", "secret", NULL};
    MT_DEFER(enrolling_free) struct enrolling *x = NULL;
    const struct mt_json *json = c->x.request.json;
    MT_REQUIRE(c->server->o.activate != NULL, MT_E_NOTFOUND,
               "this node's machine is not known by enrolment");
    MT_REQUIRE(json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(json, fields));
    MT_TRY(mt_showing_admit(c));
    x = calloc(1, sizeof *x);
    MT_REQUIRE(x != NULL, MT_E_NOMEM, "no memory for a challenge");
    x->work = (struct mt_work){.run = run, .done = done, .state = x};
    x->conn = c;
    MT_TRY(take_field(json, "credential_blob", (mt_span){x->blob, sizeof x->blob}, &x->blob_bytes));
    MT_TRY(take_field(json, "secret", (mt_span){x->secret, sizeof x->secret}, &x->secret_bytes));
    MT_TRY(mt_pool_submit(c->server->o.evidence_pool, &x->work));
    mt_conn_work_begins(c);
    c->state = MT_CONN_SEALING;
    x = NULL; /* it comes back to done() */
    return MT_OK;
}

MT_ERR mt_enrol_call(struct mt_server *s, const struct mt_exchange *x, struct mt_reply *rp)
{
    const struct mt_server_facts *f = &s->o.facts;
    MT_REQUIRE(s->o.activate != NULL, MT_E_NOTFOUND,
               "this node's machine is not known by enrolment");
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    if (mt_enrol_is_due(x)) {
        mt_json_put_hex(j, "answer", (mt_bytes){x->enrol_answer.bytes, x->enrol_answer.len});
    } else {
        mt_json_put_hex(j, "endorsement_certificate", f->endorsement_certificate);
        mt_json_put_hex(j, "endorsement_public", f->endorsement_public);
        mt_json_put_hex(j, "attestation_public", f->attestation_public);
    }
    mt_json_end_object(j);
    return rp->writer.failed;
}
