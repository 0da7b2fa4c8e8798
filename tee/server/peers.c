/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/peers.h"

#include <stdlib.h>
#include <string.h>

#include "attest/policy.h"
#include "attest/signed.h"
#include "crypto/hash.h"
#include "seal/peers.h"

/*
 * What has to be true of a machine that asks for a key is said when the key is made, by the
 * administrator who has it made, and sealed with it: neither a file nor a setting of the host's can
 * say otherwise later. The keys lie in a file, and which of them are kept says the ledger: a file
 * can be saved and put back when a key was removed, the ledger not without the heads that clients
 * remember.
 */
const struct mt_map_def mt_server_peers_maps[] = {{"peers.kept", false}, {NULL, false}};

bool mt_server_peers_has(struct mt_tx *tx, const mt_id *id)
{
    return mt_tx_has(tx, &mt_server_peers_maps[0], mt_id_bytes(id));
}

static void free_policy(struct mt_policy **p)
{
    free(*p);
    *p = NULL;
}

MT_ERR mt_server_peers_list(struct mt_server *s, struct mt_tx *tx, struct mt_reply *rp)
{
    MT_DEFER(mt_peers_free) struct mt_peers p;
    MT_TRY(mt_peers_read(s->o.fs, s->o.root, &p));
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    mt_json_begin_array(j, "peers");
    for (size_t i = 0; i < p.count; i++) {
        mt_hash policy;
        if (!mt_server_peers_has(tx, &p.keys[i].id)) {
            continue;
        }
        mt_sha256(&p.keys[i].policy, 1, &policy);
        mt_json_begin_object(j, NULL);
        mt_json_put_hex(j, "peer", mt_id_bytes(&p.keys[i].id));
        mt_json_put_uint(j, "made_ms", p.keys[i].made_ms);
        mt_json_put_hex(j, "policy", mt_hash_bytes(&policy));
        mt_json_end_object(j);
    }
    mt_json_end_array(j);
    return MT_OK;
}

struct first {
    mt_id id;
    bool is_there;
};

static mt_err note_first(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    struct first *f = state;
    (void)value;
    MT_REQUIRE(key.len == sizeof f->id.b, MT_E_FORMAT, "the name of a kept key has 16 bytes");
    memcpy(f->id.b, key.ptr, sizeof f->id.b);
    f->is_there = true;
    *is_enough = true;
    return MT_OK;
}

MT_ERR mt_server_peers_forget(struct mt_tx *tx)
{
    struct first f;
    do {
        f.is_there = false;
        MT_TRY(mt_tx_scan(tx, &mt_server_peers_maps[0], MT_ALL, note_first, &f));
        MT_TRY(f.is_there ? mt_tx_del(tx, &mt_server_peers_maps[0], mt_id_bytes(&f.id)) : MT_OK);
    } while (f.is_there);
    return MT_OK;
}

/* The policy's JSON, out of a file that whoever asks has signed. */
static MT_ERR read_policy(struct mt_exchange *x, mt_bytes *json)
{
    static const char *const fields[] = {"policy", NULL};
    MT_DEFER(free_policy) struct mt_policy *p = NULL;
    const struct mt_request *rq = &x->request;
    mt_bytes hex;
    mt_span file;
    mt_spki signer;
    mt_hash hash;
    MT_REQUIRE(rq->json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(rq->json, fields));
    MT_TRY(mt_json_text(rq->json, "policy", &hex));
    MT_TRY(mt_arena_get(rq->arena, hex.len / 2, &file));
    MT_TRY(mt_hex_parse(hex, file));
    MT_TRY(mt_signed_parse(mt_bytes_of(file), MT_LABEL_POLICY, &signer, json));
    mt_spki_hash(&signer, &hash);
    MT_REQUIRE(mt_hash_equal(&hash, &x->ask.subject), MT_E_DENIED,
               "the policy for a peer is signed by the administrator who asks");
    p = calloc(1, sizeof *p);
    MT_REQUIRE(p != NULL, MT_E_NOMEM, "no memory for a policy");
    MT_TRY(mt_policy_parse(*json, p));
    MT_REQUIRE(p->measurements_count > 0, MT_E_ARG,
               "the policy for a peer names measurements itself: no auditors' list is kept");
    if (p->hardware.is_named && p->hardware.platforms_count == 0) {
        mt_reply_hint(&x->reply, "mesatee policy new --machine HASH: the platform that the node's "
                                 "public.json names, and verify");
        MT_FAIL(MT_E_ARG, "peer-policy-machines"); /* else any genuine machine, an attacker's too */
    }
    return MT_OK;
}

/* What the ledger does not have: a crash came between the two, or the host has put a file back. */
static MT_ERR drop_unkept(struct mt_server *s, struct mt_tx *tx)
{
    MT_DEFER(mt_peers_free) struct mt_peers p;
    MT_TRY(mt_peers_read(s->o.fs, s->o.root, &p));
    for (size_t i = 0; i < p.count; i++) {
        if (!mt_server_peers_has(tx, &p.keys[i].id)) {
            MT_TRY(mt_peers_remove(s->o.fs, s->o.root, &p.keys[i].id));
        }
    }
    return MT_OK;
}

MT_ERR mt_server_peers_add(struct mt_server *s, struct mt_exchange *x, struct mt_tx *tx)
{
    mt_bytes json;
    mt_id id;
    MT_TRY(read_policy(x, &json));
    MT_TRY(drop_unkept(s, tx));
    MT_TRY(mt_peers_add(s->o.fs, s->o.root, json, mt_tx_now_ms(tx), &id));
    MT_TRY(mt_tx_put(tx, &mt_server_peers_maps[0], mt_id_bytes(&id), (mt_bytes){NULL, 0}));
    mt_json_put_hex(mt_reply_json(&x->reply, 201), "peer", mt_id_bytes(&id));
    return MT_OK;
}

MT_ERR mt_server_peers_remove(struct mt_server *s, const struct mt_request *rq, struct mt_tx *tx,
                              struct mt_reply *rp)
{
    mt_id id;
    MT_TRY(mt_request_id(rq, 0, &id));
    MT_REQUIRE(mt_server_peers_has(tx, &id), MT_E_NOTFOUND, "no key is kept under this name");
    mt_err e = mt_peers_remove(s->o.fs, s->o.root, &id);
    MT_TRY(mt_failed(e) && e.fault->code != MT_E_NOTFOUND ? e
                                                          : MT_OK); /* from the file it is gone */
    MT_TRY(mt_tx_del(tx, &mt_server_peers_maps[0], mt_id_bytes(&id)));
    mt_json_put_bool(mt_reply_json(rp, 200), "removed", true);
    return MT_OK;
}
