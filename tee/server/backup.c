/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "attest/signed.h"
#include "seal/object_format.h"
#include "server/inside.h"
#include "server/peers.h"
#include "wire/recovery.h"

/*
 * Backup: what is durable now, and every object that is live now, sealed under the credential that
 * came with the request. Recovery: a node that was restored serves nobody until an administrator
 * has signed where it goes on.
 */
static const char *const backup_fields[] = {"kind", "secret", NULL};

static enum mt_slot_kind kind_of(mt_bytes name)
{
    if (mt_bytes_equal(name, MT_LITERAL("passphrase"))) {
        return MT_SLOT_PASSPHRASE;
    }
    if (mt_bytes_equal(name, MT_LITERAL("shares"))) {
        return MT_SLOT_SHARES;
    }
    return mt_bytes_equal(name, MT_LITERAL("file")) ? MT_SLOT_FILE : MT_SLOT_DAMAGED;
}

MT_ERR mt_system_credential(const struct mt_request *rq, const char *const *fields,
                            struct mt_credential *out)
{
    mt_bytes kind;
    mt_bytes hex;
    mt_span secret;
    MT_REQUIRE(rq->json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(rq->json, fields));
    MT_TRY(mt_json_text(rq->json, "kind", &kind));
    MT_TRY(mt_json_text(rq->json, "secret", &hex));
    const enum mt_slot_kind k = kind_of(kind);
    MT_REQUIRE(k != MT_SLOT_DAMAGED, MT_E_ARG,
               "kind is \"passphrase\" or \"file\", or of a key slot \"shares\"");
    MT_TRY(mt_arena_get(rq->arena, hex.len / 2, &secret));
    MT_TRY(mt_hex_parse(hex, secret));
    *out = (struct mt_credential){.kind = k, .secret = mt_bytes_of(secret)};
    return MT_OK;
}

static mt_err add_file(void *state, const char *name, uint64_t bytes)
{
    struct mt_backup_file f = {.size_bytes = bytes};
    size_t len = strlen(name);
    MT_REQUIRE(len < sizeof f.name, MT_E_INTERNAL, "a file's name is too long for a backup");
    memcpy(f.name, name, len + 1);
    return mt_buf_append(state, MT_BYTES_OF(f));
}

static mt_err add_object(void *state, const struct mt_object_handle *h)
{
    char name[MT_OBJECT_NAME_MAX];
    mt_object_name("objects", &h->id, name);
    return add_file(state, name, mt_object_file_bytes(h->size_bytes));
}

/* In the request's transaction: what is durable now, keys as they are now, and every object that is
 * live by now, which are all that the durable part names and perhaps some more. */
MT_ERR mt_system_backup(struct mt_server *s, const struct mt_request *rq, struct mt_tx *tx,
                        struct mt_backup_writer **out)
{
    enum { FILES_BYTES_MAX = 64 * 1024 * 1024 };
    MT_DEFER(mt_buf_free) struct mt_buf files = mt_buf_of_max(FILES_BYTES_MAX);
    struct mt_backup_options o = {
        .fs = s->o.fs,
        .root = s->o.root,
        .shred = s->o.shred,
        .cluster_id = *mt_ledger_cluster_id(s->o.ledger),
        .host_time_ms = mt_loop_host_time_ms(s->o.loop),
    };
    MT_TRY(mt_system_credential(rq, backup_fields, &o.credential));
    MT_TRY(mt_server_head(s, &o.transactions, &o.tree_root));
    MT_TRY(mt_ledger_files(s->o.ledger, add_file, &files));
    MT_TRY(mt_gate_each_live(s->o.gate, tx, add_object, &files));
    return mt_backup_writer_new(&o, &files, out);
}

bool mt_system_may_serve(const struct mt_server *s, const struct mt_route *r)
{
    static const char *const allowed[] = {"node.status",   "ledger.head", "recovery.show",
                                          "recovery.open", "time.accept", "attestation.show"};
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (strcmp(r->action, allowed[i]) == 0) {
            return true;
        }
    }
    return !s->awaits_recovery;
}

static struct mt_recovery expected(const struct mt_server *s)
{
    return (struct mt_recovery){.cluster = *mt_ledger_cluster_id(s->o.ledger),
                                .epoch = mt_ledger_recovery_epoch(s->o.ledger) + 1,
                                .size = s->restored_size,
                                .root = s->restored_root};
}

MT_ERR mt_system_recovery_show(struct mt_server *s, struct mt_reply *rp)
{
    const struct mt_recovery r = expected(s);
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    mt_json_put_bool(j, "awaits_recovery", s->awaits_recovery);
    mt_json_put_hex(j, "cluster_id", mt_hash_bytes(&r.cluster));
    mt_json_put_uint(j, "next_epoch", r.epoch);
    mt_json_put_uint(j, "size", r.size);
    mt_json_put_hex(j, "root", mt_hash_bytes(&r.root));
    return MT_OK;
}

MT_ERR mt_system_recovery_open(struct mt_server *s, const struct mt_permit *p,
                               const struct mt_request *rq, struct mt_tx *tx, struct mt_reply *rp)
{
    static const char *const fields[] = {"statement", NULL};
    enum { STATEMENT_MAX = 1024 };
    uint8_t room[256];
    mt_bytes hex;
    mt_bytes want;
    mt_bytes payload;
    mt_span statement;
    mt_spki signer;
    const struct mt_recovery r = expected(s);
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    MT_REQUIRE(s->awaits_recovery, MT_E_CONFLICT, "this node was not restored from a backup");
    MT_REQUIRE(rq->json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(rq->json, fields));
    MT_TRY(mt_json_text(rq->json, "statement", &hex));
    MT_REQUIRE(hex.len <= 2 * (size_t)STATEMENT_MAX, MT_E_FORMAT, "the statement is too long");
    MT_TRY(mt_arena_get(rq->arena, hex.len / 2, &statement));
    MT_TRY(mt_hex_parse(hex, statement));
    MT_TRY(mt_signed_parse(mt_bytes_of(statement), MT_LABEL_RECOVERY, &signer, &payload));
    MT_REQUIRE(mt_bytes_equal(mt_spki_bytes(&signer), mt_spki_bytes(mt_permit_key(p))), MT_E_PROOF,
               "the statement is signed by another key than the caller's");
    mt_recovery_write(&w, &r);
    MT_TRY(mt_write_end(&w, &want));
    MT_REQUIRE(mt_bytes_equal(payload, want), MT_E_CONFLICT,
               "the statement is about another cluster, epoch or head than this node's");
    MT_TRY(mt_server_peers_forget(tx)); /* some were removed since, perhaps */
    MT_TRY(mt_ledger_begin_epoch(tx, mt_bytes_of(statement)));
    mt_json_put_uint(mt_reply_json(rp, 201), "recovery_epoch", r.epoch);
    return MT_OK;
}

static void is_durable(struct mt_hold *h)
{
    struct mt_server *s = h->state;
    s->o.recovered(s->o.evidence_state);
}

void mt_system_recovered(struct mt_server *s, uint64_t version)
{
    s->awaits_recovery = false;
    s->recovery_hold = (struct mt_hold){.version = version, .run = is_durable, .state = s};
    mt_driver_hold(s->o.driver, &s->recovery_hold);
}
