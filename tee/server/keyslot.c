/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/keyslot.h"

#include <stdlib.h>

/*
 * The slots that open the node's root key. One for the machine's device, or for a key that another
 * node keeps, is made on the thread that has the device to itself; the handler writes it, as it
 * writes every other.
 */
struct mt_making {
    struct mt_work work;
    struct mt_conn *conn;
    uint64_t host_time_ms;
    bool is_peer;
    struct mt_peer_wanted wanted;
    struct mt_slot_made slot;
};

void mt_making_free(struct mt_making **m)
{
    free(*m);
    *m = NULL;
}

static bool is_of_kind(const struct mt_json *json, mt_bytes wanted)
{
    mt_bytes kind;
    return json != NULL && !mt_failed(mt_json_text(json, "kind", &kind)) &&
           mt_bytes_equal(kind, wanted);
}

bool mt_keyslot_is_due(const struct mt_exchange *x)
{
    return x->match.service == &mt_system_service &&
           mt_bytes_equal(mt_bytes_of_text(x->match.route->action), MT_LITERAL("keyslot.add")) &&
           (is_of_kind(x->request.json, MT_LITERAL("device")) ||
            is_of_kind(x->request.json, MT_LITERAL("peer")));
}

static mt_err run(struct mt_work *w)
{
    struct mt_making *m = w->state;
    const struct mt_server_options *o = &m->conn->server->o;
    if (m->is_peer) {
        return o->make_peer_slot(o->evidence_state, &m->wanted, m->host_time_ms, &m->slot);
    }
    return o->make_slot(o->evidence_state, m->host_time_ms, &m->slot);
}

static void done(struct mt_work *w, mt_err e)
{
    MT_DEFER(mt_making_free) struct mt_making *m = w->state;
    struct mt_conn *c = m->conn;
    if (!mt_conn_work_ends(c)) {
        return;
    }
    c->x.making = m;
    m = NULL; /* given */
    mt_conn_go_on(c, mt_exchange_prepared, e);
}

static MT_ERR read_order(const struct mt_server_options *o, const struct mt_json *json,
                         struct mt_making *m)
{
    static const char *const fields[] = {"kind", NULL};
    static const char *const peer_fields[] = {"kind", "peer", "cluster", "policy", NULL};
    struct mt_peer_wanted *w = &m->wanted;
    m->is_peer = is_of_kind(json, MT_LITERAL("peer"));
    MT_TRY(mt_json_known(json, m->is_peer ? peer_fields : fields));
    MT_REQUIRE(m->is_peer || o->make_slot != NULL, MT_E_ARG,
               "the node's machine has no device that keeps a key");
    if (!m->is_peer) {
        return MT_OK;
    }
    MT_REQUIRE(o->make_peer_slot != NULL, MT_E_ARG,
               "the node's configuration names no peer: set peer and peer_policy");
    MT_TRY(mt_json_hex(json, "peer", (mt_span){w->name.key.b, sizeof w->name.key.b}));
    MT_TRY(mt_json_hex(json, "cluster", (mt_span){w->name.cluster.b, sizeof w->name.cluster.b}));
    return mt_json_hex(json, "policy", (mt_span){w->policy.b, sizeof w->policy.b});
}

MT_ERR mt_keyslot_begin(struct mt_conn *c)
{
    MT_DEFER(mt_making_free) struct mt_making *m = calloc(1, sizeof *m);
    MT_REQUIRE(m != NULL, MT_E_NOMEM, "no memory for a key slot");
    MT_TRY(mt_exchange_check(c)); /* who may not, does not keep the device busy */
    MT_TRY(read_order(&c->server->o, c->x.request.json, m));
    m->work = (struct mt_work){.run = run, .done = done, .state = m};
    m->conn = c;
    m->host_time_ms = mt_loop_host_time_ms(c->server->o.loop);
    MT_TRY(mt_pool_submit(c->server->o.evidence_pool, &m->work));
    mt_conn_work_begins(c);
    c->state = MT_CONN_SEALING;
    m = NULL; /* it comes back to done() */
    return MT_OK;
}

/* What whoever holds a share can check it by: no secret (spec/share.md). */
static void put_set(struct mt_json_writer *j, const struct mt_share_set *set)
{
    uint8_t room[MT_SHARE_SET_LEN_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_id name;
    mt_share_set_name(set, &name);
    mt_share_set_write(&w, set);
    mt_json_put_hex(j, "shares_of", mt_id_bytes(&name));
    mt_json_put_uint(j, "threshold", set->threshold);
    mt_json_put_uint(j, "count", set->count);
    mt_json_put_hex(j, "set", mt_write_done(&w));
}

MT_ERR mt_keyslot_list(struct mt_server *s, struct mt_reply *rp)
{
    static const char *const kinds[] = {[MT_SLOT_DAMAGED] = "damaged",
                                        [MT_SLOT_PASSPHRASE] = "passphrase",
                                        [MT_SLOT_FILE] = "file",
                                        [MT_SLOT_TPM] = "device-tpm",
                                        [MT_SLOT_DERIVED] = "device-derived",
                                        [MT_SLOT_SHARES] = "shares",
                                        [MT_SLOT_PEER] = "peer"};
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    size_t count = 0;
    MT_TRY(mt_slot_list(s->o.fs, info, sizeof info / sizeof *info, &count));
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    mt_json_begin_array(j, "keyslots");
    for (size_t i = 0; i < count; i++) {
        mt_json_begin_object(j, NULL);
        mt_json_put_uint(j, "number", info[i].number);
        mt_json_put_literal(j, "kind", kinds[info[i].kind]);
        mt_json_put_uint(j, "made_ms", info[i].made_ms);
        if (info[i].kind == MT_SLOT_SHARES) {
            put_set(j, &info[i].set);
        } else if (info[i].kind == MT_SLOT_PEER) {
            mt_json_put_hex(j, "peer", mt_id_bytes(&info[i].peer.key));
            mt_json_put_hex(j, "cluster", mt_hash_bytes(&info[i].peer.cluster));
        }
        mt_json_end_object(j);
    }
    mt_json_end_array(j);
    return MT_OK;
}

/* The one kind that comes with more than a secret. */
static MT_ERR read_set(const struct mt_request *rq, struct mt_credential *c)
{
    mt_bytes hex;
    mt_span set;
    MT_REQUIRE((c->kind == MT_SLOT_SHARES) == mt_json_has(rq->json, "set"), MT_E_ARG,
               "a set is for a key in shares, and there is none without");
    if (c->kind != MT_SLOT_SHARES) {
        return MT_OK;
    }
    MT_TRY(mt_json_text(rq->json, "set", &hex));
    MT_TRY(mt_arena_get(rq->arena, hex.len / 2, &set));
    MT_TRY(mt_hex_parse(hex, set));
    c->set = mt_bytes_of(set);
    return MT_OK;
}

MT_ERR mt_keyslot_add(struct mt_server *s, struct mt_exchange *x, struct mt_tx *tx)
{
    static const char *const fields[] = {"kind", "secret", "set", NULL};
    struct mt_credential c;
    uint32_t number = 0;
    if (x->making != NULL) {
        MT_TRY(mt_slot_put(s->o.fs, &x->making->slot, &number));
    } else {
        MT_TRY(mt_system_credential(&x->request, fields, &c));
        MT_TRY(read_set(&x->request, &c));
        MT_TRY(mt_slot_add(s->o.fs, s->o.root, &c, mt_tx_now_ms(tx), &number));
    }
    mt_json_put_uint(mt_reply_json(&x->reply, 201), "number", number);
    return MT_OK;
}

MT_ERR mt_keyslot_remove(struct mt_server *s, const struct mt_request *rq, struct mt_reply *rp)
{
    mt_bytes n = rq->arguments[0];
    MT_REQUIRE(n.len == 1 && n.ptr[0] >= '0' && n.ptr[0] <= '7', MT_E_NOTFOUND,
               "there is no such key slot");
    MT_TRY(mt_slot_remove(s->o.fs, (uint32_t)(n.ptr[0] - '0')));
    mt_json_put_bool(mt_reply_json(rp, 200), "removed", true);
    return MT_OK;
}
