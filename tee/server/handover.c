/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "attest/policy.h"
#include "platform/log.h"
#include "seal/peers.h"
#include "server/peers.h"
#include "wire/attest.h"

/*
 * A machine of the same owner whose disk does not open asks for the key of one of its slots
 * (spec/hand-over.md). It is nobody's user and its TLS key was made a moment ago: all that speaks
 * for it is its evidence, which is for a nonce of ours, is bound to this very connection, and has
 * to satisfy the policy that was sealed with the key. The line in the audit log is durable before
 * the key leaves.
 */
enum { REFUSALS_APART_MS = 60 * 1000 };

struct judgement {
    struct mt_policy policy;
    struct mt_appraisal appraisal;
};

static void free_judgement(struct judgement **j)
{
    free(*j);
    *j = NULL;
}

static bool is_action(const struct mt_exchange *x, mt_bytes action)
{
    return x->match.service == &mt_system_service &&
           mt_bytes_equal(mt_bytes_of_text(x->match.route->action), action);
}

bool mt_handover_is_due(const struct mt_exchange *x)
{
    return is_action(x, MT_LITERAL("handover.take"));
}

bool mt_handover_is_ours(const struct mt_exchange *x)
{
    return is_action(x, MT_LITERAL("handover.ask")) || mt_handover_is_due(x);
}

static MT_ERR draw_nonce(struct mt_conn *c)
{
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    MT_TRY(mt_channel_ask_again(c->channel, nonce));
    struct mt_json_writer *j = mt_reply_json(&c->x.reply, 200);
    mt_json_put_hex(j, "nonce", MT_BYTES_OF(nonce));
    mt_json_end_object(j);
    return c->x.reply.writer.failed;
}

/* That somebody asked for a key that there is and was refused stands in the audit log, under
 * nobody's name: the key of his connection was made a moment ago, and would be another one each
 * time. One in a while, for whoever has a disk can ask for ever. */
static void note(struct mt_conn *c, mt_err e)
{
    struct mt_server *s = c->server;
    struct mt_ask ask = c->x.ask;
    uint64_t now_ms = mt_loop_ticks_ms(s->o.loop);
    if (now_ms >= s->refusals_ms) {
        s->refusals_ms = now_ms + REFUSALS_APART_MS;
        ask.subject = (mt_hash){{0}};
        mt_gate_note(s->o.gate, &ask, e);
    }
}

/* Whoever asks is told the rule: it is about his own machine. */
static mt_err refuse(struct mt_conn *c, const struct judgement *j, mt_err e)
{
    const struct mt_check *why = mt_trace_failed(&j->appraisal.trace);
    const struct mt_log_field rule = {.name = "rule",
                                      .literal = why == NULL ? e.fault->what : why->rule};
    mt_log("handover-refused", &rule, 1);
    note(c, e);
    if (why != NULL) {
        mt_reply_detail(&c->x.reply, "not so that %s", why->meaning);
        mt_reply_hint(&c->x.reply, why->mend);
    }
    return e;
}

static MT_ERR judge(struct mt_conn *c, const struct mt_attest *a, const struct mt_peer_key *k,
                    struct judgement *j)
{
    const struct mt_shown shown = {a->format, a->evidence, a->endorsements, a->endorsements_count};
    const struct mt_appraiser appraiser = {.policy = &j->policy};
    MT_TRY(mt_policy_parse(k->policy, &j->policy));
    return mt_channel_see_asked(c->channel, &shown, &appraiser,
                                mt_loop_host_time_ms(c->server->o.loop), &j->appraisal);
}

static MT_ERR take(struct mt_conn *c, struct mt_tx *tx)
{
    struct mt_server *s = c->server;
    struct mt_exchange *x = &c->x;
    MT_DEFER(mt_peers_free) struct mt_peers peers = {.count = 0};
    MT_DEFER(free_judgement) struct judgement *j = calloc(1, sizeof *j);
    struct mt_attest a;
    struct mt_ask ask;
    MT_REQUIRE(j != NULL, MT_E_NOMEM, "no memory for a judgement");
    MT_TRY(mt_request_id(&x->request, 0, &x->ask.resource));
    MT_REQUIRE(mt_channel_is_asked(c->channel), MT_E_PROOF, "nobody has asked for this evidence");
    MT_REQUIRE(mt_server_peers_has(tx, &x->ask.resource), MT_E_NOTFOUND, "peer-key-unknown");
    MT_TRY(mt_attest_parse(x->request.body, &a));
    MT_TRY(mt_peers_read(s->o.fs, s->o.root, &peers));
    const struct mt_peer_key *k = mt_peers_find(&peers, &x->ask.resource);
    MT_REQUIRE(k != NULL, MT_E_NOTFOUND, "peer-key-unknown");
    MT_TRY(mt_showing_admit_asker(s)); /* what has no name and no nonce takes nobody's turn */
    mt_err e = judge(c, &a, k, j);
    if (mt_failed(e)) {
        return refuse(c, j, e);
    }
    ask = x->ask; /* its key says nothing: what is written down is which machine it was */
    ask.subject = j->appraisal.claims.platform;
    MT_TRY(mt_gate_hand_over(s->o.gate, tx, &ask));
    mt_log("handed-over", NULL, 0);
    struct mt_json_writer *w = mt_reply_json(&x->reply, 200);
    mt_json_put_hex(w, "key", k->key);
    mt_json_end_object(w);
    return x->reply.writer.failed;
}

MT_ERR mt_handover_call(struct mt_conn *c, struct mt_tx *tx)
{
    return mt_handover_is_due(&c->x) ? take(c, tx) : draw_nonce(c);
}
