/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "platform/process.h"
#include "server/inside.h"
#include "server/keyslot.h"
#include "server/peers.h"
#include "server/version.h"
#include "wire/audit.h"

/*
 * Routes that are the node's own: what it is, the ledger's head and audit log, key slots, the
 * clock. Their handlers need more than a service may have, so they are called here, by action; the
 * gate decides on them like on any other.
 */
static const char *const head_query[] = {"from", NULL};
static const char *const audit_query[] = {"after", "limit", NULL};

static const struct mt_route routes[] = {
    {MT_GET, "/mesatee/v1/status", "node.status", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false,
     NULL, NULL},
    {MT_POST, "/mesatee/v1/claim", "admin.claim", MT_KIND_NONE, MT_RIGHT_USER, 1024, true, false,
     NULL, NULL},
    {MT_GET, "/mesatee/v1/ledger/head", "ledger.head", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false,
     NULL, head_query},
    {MT_GET, "/mesatee/v1/audit", "audit.read", MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, true, NULL,
     audit_query},
    {MT_GET, "/mesatee/v1/enrolment", "enrolment.show", MT_KIND_NONE, MT_RIGHT_USER, 0, false,
     false, NULL, NULL},
    {MT_POST, "/mesatee/v1/enrolment", "enrolment.answer", MT_KIND_NONE, MT_RIGHT_USER, 8192, false,
     false, NULL, NULL},
    {MT_POST, "/mesatee/v1/attestation", "attestation.show", MT_KIND_NONE, MT_RIGHT_USER, 1024,
     false, false, NULL, NULL},
    {MT_GET, "/mesatee/v1/keyslots", "keyslot.list", MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, false,
     NULL, NULL},
    {MT_POST, "/mesatee/v1/keyslots", "keyslot.add", MT_KIND_NONE, MT_RIGHT_ADMIN, 8192, true,
     false, NULL, NULL},
    {MT_DELETE, "/mesatee/v1/keyslots/{n}", "keyslot.remove", MT_KIND_NONE, MT_RIGHT_ADMIN, 0, true,
     false, NULL, NULL},
    {MT_GET, "/mesatee/v1/peers", "peer.list", MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, false, NULL,
     NULL},
    {MT_POST, "/mesatee/v1/peers", "peer.add", MT_KIND_NONE, MT_RIGHT_ADMIN, 20480, true, false,
     NULL, NULL},
    {MT_DELETE, "/mesatee/v1/peers/{id}", "peer.remove", MT_KIND_NONE, MT_RIGHT_ADMIN, 0, true,
     false, NULL, NULL},
    {MT_POST, "/mesatee/v1/handover", "handover.ask", MT_KIND_NONE, MT_RIGHT_USER, 0, false, false,
     NULL, NULL},
    {MT_POST, "/mesatee/v1/handover/{id}", "handover.take", MT_KIND_NONE, MT_RIGHT_USER,
     MT_ATTEST_MESSAGE_BYTES_MAX, false, false, NULL, NULL},
    {MT_POST, "/mesatee/v1/backup", "backup.get", MT_KIND_NONE, MT_RIGHT_ADMIN, 8192, false, true,
     NULL, NULL},
    {MT_GET, "/mesatee/v1/recovery", "recovery.show", MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, false,
     NULL, NULL},
    {MT_POST, "/mesatee/v1/recovery", "recovery.open", MT_KIND_NONE, MT_RIGHT_ADMIN, 8192, true,
     false, NULL, NULL},
    {MT_POST, "/mesatee/v1/time", "time.accept", MT_KIND_NONE, MT_RIGHT_ADMIN, 1024, true, false,
     NULL, NULL},
    {MT_GET, NULL, NULL, MT_KIND_NONE, MT_RIGHT_ADMIN, 0, false, false, NULL, NULL},
};

static const struct mt_map_def no_maps[] = {{NULL, false}};

const struct mt_service mt_system_service = {"system", mt_server_peers_maps, routes, NULL};

/* What the level is worth, for whoever reads it. */
static const char *meaning_of(uint64_t level)
{
    switch (level) {
    case MT_LEVEL_TPM:
        return "measured boot: what runs is what a TPM saw start; protects from the network, other "
               "users, a stolen disk and a changed image, not from the hypervisor, nor from "
               "whoever "
               "opens the machine";
    case MT_LEVEL_CVM:
        return "a confidential virtual machine: protects also from the hypervisor and the operator "
               "of the machine, not from physical attacks on the processor's memory";
    case MT_LEVEL_SGX:
        return "an enclave: protects also from the operating system and the operator of the "
               "machine, not from physical attacks on the processor's memory";
    default:
        return "measured by software alone: protects from the network, other users and a stolen "
               "disk, not from root, hypervisor or operator of this machine";
    }
}

static const char *word_of(enum mt_collateral_state s)
{
    switch (s) {
    case MT_COLLATERAL_GOOD:
        return "good";
    case MT_COLLATERAL_REFUSED:
        return "refused";
    case MT_COLLATERAL_NONE:
        break;
    }
    return "none";
}

static MT_ERR status(struct mt_server *s, const struct mt_request *rq, struct mt_tx *tx,
                     struct mt_reply *rp)
{
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    const struct mt_server_facts *f = &s->o.facts;
    uint64_t resident = 0;
    (void)rq;
    (void)tx;
    MT_TRY(mt_process_resident_bytes(&resident));
    mt_json_put_literal(j, "version", MT_VERSION);
    mt_json_put_hex(j, "cluster_id", mt_hash_bytes(mt_ledger_cluster_id(s->o.ledger)));
    mt_json_put_uint(j, "recovery_epoch", mt_ledger_recovery_epoch(s->o.ledger));
    mt_json_put_uint(j, "level", f->level);
    mt_json_put_bool(j, "hardware_root", f->has_hardware_root);
    mt_json_put_bool(j, "host_in_tcb", f->has_host_in_tcb);
    mt_json_put_literal(j, "meaning", meaning_of(f->level));
    mt_json_put_literal(j, "collateral", word_of(*s->o.collateral));
    mt_json_put_hex(j, "measurement", mt_hash_bytes(&f->measurement));
    mt_json_put_hex(j, "configuration", mt_hash_bytes(&f->configuration));
    mt_json_put_hex(j, "platform", mt_hash_bytes(&f->platform));
    mt_json_put_uint(j, "started_ms", f->started_ms);
    mt_json_put_uint(j, "block_time_ms", mt_ledger_time_ms(s->o.ledger));
    mt_json_put_uint(j, "transactions", mt_ledger_version(s->o.ledger));
    mt_json_put_uint(j, "durable", mt_ledger_durable(s->o.ledger));
    mt_json_put_uint(j, "connections", s->conns_count);
    mt_json_put_uint(j, "runs", mt_jobs_count(s->o.jobs));
    mt_json_put_uint(j, "resident_bytes", resident);
    mt_json_put_bool(j, "limits_enforced_against_rollback", false);
    mt_json_put_uint(j, "requests", s->requests);
    mt_json_put_uint(j, "errors", s->errors);
    return MT_OK;
}

static MT_ERR head(struct mt_server *s, const struct mt_request *rq, struct mt_reply *rp)
{
    uint64_t from = 0;
    uint64_t size = 0;
    mt_hash root;
    mt_hash path[MT_MERKLE_PATH_MAX];
    size_t count = 0;
    MT_TRY(mt_request_query_uint(rq, "from", 0, UINT64_MAX >> 1, &from));
    MT_TRY(mt_server_head(s, &size, &root));
    MT_REQUIRE(from <= size, MT_E_STALE,
               "this ledger is shorter than the head you know: the node has gone back");
    MT_TRY(mt_ledger_consistency(s->o.ledger, from, size, path, &count));
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    mt_json_put_uint(j, "recovery_epoch", mt_ledger_recovery_epoch(s->o.ledger));
    mt_json_put_uint(j, "size", size);
    mt_json_put_hex(j, "root", mt_hash_bytes(&root));
    mt_json_put_uint(j, "time_ms", mt_ledger_time_ms(s->o.ledger));
    mt_json_begin_array(j, "consistency");
    for (size_t i = 0; i < count; i++) {
        mt_json_put_hex(j, NULL, mt_hash_bytes(&path[i]));
    }
    mt_json_end_array(j);
    return MT_OK;
}

static bool is_audit_item(mt_bytes item)
{
    struct mt_reader records;
    uint64_t count = 0;
    return !mt_failed(mt_audit_item_parse(item, &records, &count));
}

static MT_ERR put_leaf(struct mt_server *s, uint64_t txid, struct mt_json_writer *j)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_BLOCK_BYTES_MAX * (size_t)2);
    struct mt_ledger_leaf leaf;
    MT_TRY(mt_ledger_leaf(s->o.ledger, txid, &room, &leaf));
    mt_json_begin_object(j, NULL);
    mt_json_put_uint(j, "txid", leaf.txid);
    mt_json_put_hex(j, "write_set_hash", mt_hash_bytes(&leaf.write_set_hash));
    mt_json_put_hex(j, "nonce", mt_id_bytes(&leaf.nonce));
    mt_json_begin_array(j, "item_hashes");
    for (uint32_t i = 0; i < leaf.items_count; i++) {
        mt_json_put_hex(j, NULL, mt_hash_bytes(&leaf.item_hashes[i]));
    }
    mt_json_end_array(j);
    mt_json_begin_array(j, "records");
    for (uint32_t i = 0; i < leaf.items_count; i++) {
        if (is_audit_item(leaf.items[i])) {
            mt_json_begin_object(j, NULL);
            mt_json_put_uint(j, "index", i);
            mt_json_put_hex(j, "salt", mt_id_bytes(&leaf.salts[i]));
            mt_json_put_hex(j, "item", leaf.items[i]);
            mt_json_end_object(j);
        }
    }
    mt_json_end_array(j);
    mt_json_end_object(j);
    return MT_OK;
}

/* All leaves, with the audit items of each: the reader rebuilds the whole tree, so no record can be
 * left out. */
static MT_ERR audit(struct mt_server *s, const struct mt_request *rq, struct mt_reply *rp)
{
    enum { LEAVES_MAX = 500, REPLY_BYTES = 1024 * 1024 };
    uint64_t after = 0;
    uint64_t limit = 0;
    uint64_t size = 0;
    mt_hash root;
    MT_TRY(mt_request_query_uint(rq, "after", 0, UINT64_MAX >> 1, &after));
    MT_TRY(mt_request_query_uint(rq, "limit", LEAVES_MAX, LEAVES_MAX, &limit));
    MT_TRY(mt_server_head(s, &size, &root));
    struct mt_json_writer *j = mt_reply_json(rp, 200);
    mt_json_put_uint(j, "size", size);
    mt_json_put_hex(j, "root", mt_hash_bytes(&root));
    mt_json_begin_array(j, "leaves");
    for (uint64_t txid = after + 1;
         txid <= size && txid <= after + limit && rp->body.len < REPLY_BYTES; txid++) {
        MT_TRY(put_leaf(s, txid, j));
    }
    mt_json_end_array(j);
    return MT_OK;
}

MT_ERR mt_system_call(struct mt_server *s, const struct mt_permit *p, struct mt_exchange *x,
                      struct mt_tx *tx)
{
    const struct mt_request *rq = &x->request;
    struct mt_reply *rp = &x->reply;
    mt_bytes a = mt_bytes_of_text(rq->action);
    if (mt_bytes_equal(a, MT_LITERAL("node.status"))) {
        return status(s, rq, tx, rp);
    }
    if (mt_bytes_equal(a, MT_LITERAL("ledger.head"))) {
        return head(s, rq, rp);
    }
    if (mt_bytes_equal(a, MT_LITERAL("audit.read"))) {
        return audit(s, rq, rp);
    }
    if (mt_bytes_equal(a, MT_LITERAL("keyslot.list"))) {
        return mt_keyslot_list(s, rp);
    }
    if (mt_bytes_equal(a, MT_LITERAL("keyslot.add"))) {
        return mt_keyslot_add(s, x, tx);
    }
    if (mt_bytes_equal(a, MT_LITERAL("keyslot.remove"))) {
        return mt_keyslot_remove(s, rq, rp);
    }
    if (mt_bytes_equal(a, MT_LITERAL("peer.list"))) {
        return mt_server_peers_list(s, tx, rp);
    }
    if (mt_bytes_equal(a, MT_LITERAL("peer.add"))) {
        return mt_server_peers_add(s, x, tx);
    }
    if (mt_bytes_equal(a, MT_LITERAL("peer.remove"))) {
        return mt_server_peers_remove(s, rq, tx, rp);
    }
    if (mt_bytes_equal(a, MT_LITERAL("backup.get"))) {
        rp->kind = MT_REPLY_BACKUP; /* what it needs is taken when this is admitted */
        return MT_OK;
    }
    if (mt_bytes_equal(a, MT_LITERAL("recovery.show"))) {
        return mt_system_recovery_show(s, rp);
    }
    if (mt_bytes_equal(a, MT_LITERAL("recovery.open"))) {
        return mt_system_recovery_open(s, p, rq, tx, rp);
    }
    if (mt_bytes_equal(a, MT_LITERAL("time.accept"))) {
        mt_json_put_uint(mt_reply_json(rp, 200), "time_ms", mt_ledger_time_ms(s->o.ledger));
        return MT_OK;
    }
    MT_FAIL(MT_E_INTERNAL, "a route of the node has no handler");
}

MT_ERR mt_system_accept_time(struct mt_server *s, const struct mt_exchange *x)
{
    static const char *const fields[] = {"time_ms", NULL};
    enum { MINUTE_MS = 60 * 1000 };
    struct mt_tx *tx = NULL;
    uint64_t time_ms = 0;
    if (x->match.service != &mt_system_service ||
        !mt_bytes_equal(mt_bytes_of_text(x->ask.action), MT_LITERAL("time.accept"))) {
        return MT_OK;
    }
    MT_REQUIRE(x->request.json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(x->request.json, fields));
    MT_TRY(mt_json_uint(x->request.json, "time_ms", UINT64_MAX >> 1, &time_ms));
    uint64_t host_ms = mt_loop_host_time_ms(s->o.loop);
    bool is_near = time_ms <= host_ms + MINUTE_MS && host_ms <= time_ms + MINUTE_MS;
    MT_REQUIRE(is_near, MT_E_CONFLICT,
               "the time to accept is not within a minute of what the host claims");
    /* Asked at the old time: whoever is no administrator moves no clock. */
    MT_TRY(mt_ledger_begin(s->o.ledger, no_maps, mt_ledger_time_ms(s->o.ledger), &tx));
    mt_err e = mt_gate_check(s->o.gate, tx, &x->ask);
    mt_ledger_abort(s->o.ledger, &tx);
    MT_TRY(e);
    mt_ledger_accept_time(s->o.ledger, host_ms);
    return MT_OK;
}

MT_ERR mt_system_claim(struct mt_server *s, const struct mt_ask *ask, const struct mt_request *rq,
                       struct mt_tx *tx, struct mt_reply *rp)
{
    static const char *const fields[] = {"secret", NULL};
    uint8_t secret[32];
    MT_REQUIRE(rq->json != NULL, MT_E_FORMAT, "the body must be a JSON object");
    MT_TRY(mt_json_known(rq->json, fields));
    MT_TRY(mt_json_hex(rq->json, "secret", (mt_span){secret, sizeof secret}));
    mt_err e = mt_gate_claim_admin(s->o.gate, tx, ask->key, (mt_bytes){secret, sizeof secret});
    mt_wipe((mt_span){secret, sizeof secret});
    MT_TRY(e);
    struct mt_json_writer *j = mt_reply_json(rp, 201);
    mt_json_put_hex(j, "administrator", mt_hash_bytes(&ask->subject));
    mt_json_end_object(j);
    return rp->writer.failed;
}
