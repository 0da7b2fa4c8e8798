/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/context.h"
#include "server/inside.h"
#include "server/peers.h"
#include "server/receipt.h"

/* What leaves. Errors are mapped to a small public set; who may not know of a resource learns
 * nothing of it. */

static uint32_t status_of(enum mt_code code)
{
    switch (code) {
    case MT_E_FORMAT:
    case MT_E_ARG:
        return 400;
    case MT_E_DENIED:
        return 403;
    case MT_E_NOTFOUND:
        return 404;
    case MT_E_CONFLICT:
    case MT_E_CANCELLED:
        return 409;
    case MT_E_STALE:
        return 410;
    case MT_E_LIMIT:
        return 413;
    case MT_E_PROOF:
        return 422;
    case MT_E_BUSY:
    case MT_E_NOMEM:
    case MT_E_CLOSED:
    case MT_E_UNKNOWN:
        return 503;
    case MT_E_INTERNAL:
    case MT_E_IO:
        return 500;
    }
    return 500;
}

/* The newest durable head goes with every reply: a client that remembers it notices a node that has
 * gone back. */
static void write_common_headers(struct mt_conn *c, struct mt_writer *w)
{
    struct mt_server *s = c->server;
    uint8_t room[160];
    struct mt_writer v = mt_writer_over((mt_span){room, sizeof room});
    uint64_t size = 0;
    mt_hash root;
    mt_bytes value;
    mt_http_header_write(w, "cache-control", MT_LITERAL("no-store"));
    if (!mt_failed(mt_server_head(s, &size, &root))) {
        mt_write_number(&v, mt_ledger_recovery_epoch(s->o.ledger));
        mt_write_bytes(&v, MT_LITERAL(" "));
        mt_write_number(&v, size);
        mt_write_bytes(&v, MT_LITERAL(" "));
        mt_hex_write(&v, mt_hash_bytes(&root));
        if (!mt_failed(mt_write_end(&v, &value))) {
            mt_http_header_write(w, "mesatee-head", value);
        }
    }
    if (c->x.txid != 0) {
        mt_http_header_write_uint(w, "mesatee-transaction", c->x.txid);
    }
    if (c->x.closes) {
        mt_http_header_write(w, "connection", MT_LITERAL("close"));
    }
}

/* RFC 9110, 15.5.6: "The origin server MUST generate an Allow header field in a 405 response". */
static void write_allow(struct mt_writer *w, unsigned methods)
{
    static const struct {
        enum mt_method method;
        const char *names;
    } all[] = {{MT_GET, "GET, HEAD"}, {MT_PUT, "PUT"}, {MT_POST, "POST"}, {MT_DELETE, "DELETE"}};
    uint8_t room[32];
    struct mt_writer v = mt_writer_over((mt_span){room, sizeof room});
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if ((methods & 1U << all[i].method) != 0) {
            mt_write_bytes(&v, v.used > 0 ? MT_LITERAL(", ") : (mt_bytes){NULL, 0});
            mt_write_bytes(&v, mt_bytes_of_text(all[i].names));
        }
    }
    mt_http_header_write(w, "allow", mt_write_done(&v));
}

/* Room in c->out is bounded far above any reply; if it fails all the same the connection ends
 * rather than lie. */
static void send_reply(struct mt_conn *c, uint32_t status, const char *type, mt_bytes body)
{
    struct mt_writer w = mt_writer_onto(&c->out);
    mt_bytes done;
    mt_http_response_write(&w, status);
    mt_http_header_write(&w, "content-type", mt_bytes_of_text(type));
    mt_http_header_write_uint(&w, "content-length", body.len);
    if (status == 405) {
        write_allow(&w, c->x.methods);
    }
    if (status == 503) {
        mt_http_header_write(&w, "retry-after", MT_LITERAL("1"));
    }
    write_common_headers(c, &w);
    mt_http_head_end(&w);
    if (!c->x.is_head) {
        mt_write_bytes(&w, body);
    }
    c->state = MT_CONN_SENDING;
    if (mt_failed(mt_write_end(&w, &done))) {
        mt_conn_close(c);
    }
}

static void send_object(struct mt_conn *c)
{
    struct mt_exchange *x = &c->x;
    struct mt_writer w = mt_writer_onto(&c->out);
    uint8_t hex[64];
    mt_bytes value;
    mt_err e = mt_download_new(c, &x->reply.object, &x->key, &x->download);
    if (mt_failed(e)) {
        mt_answer_error(c, e);
        return;
    }
    mt_http_response_write(&w, 200);
    mt_http_header_write(&w, "content-type", MT_LITERAL("application/octet-stream"));
    mt_http_header_write_uint(&w, "content-length", x->reply.object.size_bytes);
    struct mt_writer salt = mt_writer_over((mt_span){hex, sizeof hex});
    mt_hex_write(&salt, mt_hash_bytes(&x->reply.object.salt));
    if (!mt_failed(mt_write_end(&salt, &value))) {
        mt_http_header_write(&w, "mesatee-salt", value);
    }
    struct mt_writer commitment = mt_writer_over((mt_span){hex, sizeof hex});
    mt_hex_write(&commitment, mt_hash_bytes(&x->reply.object.commitment));
    if (!mt_failed(mt_write_end(&commitment, &value))) {
        mt_http_header_write(&w, "mesatee-commitment", value);
    }
    write_common_headers(c, &w);
    mt_http_head_end(&w);
    c->state = MT_CONN_DOWNLOAD;
    if (mt_failed(mt_write_end(&w, &value))) {
        mt_conn_close(c);
    }
}

static void send_backup(struct mt_conn *c)
{
    struct mt_exchange *x = &c->x;
    struct mt_writer w = mt_writer_onto(&c->out);
    mt_bytes head;
    uint64_t bytes = mt_backup_writer_bytes(x->backup);
    mt_err e = mt_download_backup(c, &x->backup, &x->download);
    if (mt_failed(e)) {
        mt_answer_error(c, e);
        return;
    }
    mt_http_response_write(&w, 200);
    mt_http_header_write(&w, "content-type", MT_LITERAL("application/octet-stream"));
    mt_http_header_write_uint(&w, "content-length", bytes);
    write_common_headers(c, &w);
    mt_http_head_end(&w);
    c->state = MT_CONN_DOWNLOAD;
    if (mt_failed(mt_write_end(&w, &head))) {
        mt_conn_close(c);
    }
}

static void send_receipt(struct mt_conn *c)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_JSON_BYTES_MAX);
    mt_err e =
        mt_server_receipt(&c->server->o, c->x.reply.receipt_txid, c->x.reply.receipt_item, &room);
    if (mt_failed(e)) {
        mt_answer_error(c, e);
        return;
    }
    send_reply(c, 200, "application/cbor", mt_buf_bytes(&room));
}

void mt_answer(struct mt_conn *c)
{
    switch (c->x.reply.kind) {
    case MT_REPLY_JSON:
        send_reply(c, c->x.reply.status, "application/json", mt_buf_bytes(&c->x.reply.body));
        return;
    case MT_REPLY_OBJECT:
        send_object(c);
        return;
    case MT_REPLY_WATCH:
        mt_watch_start(c);
        return;
    case MT_REPLY_RECEIPT:
        send_receipt(c);
        return;
    case MT_REPLY_BACKUP:
        send_backup(c);
        return;
    }
}

static bool is_known(struct mt_conn *c)
{
    struct mt_server *s = c->server;
    struct mt_tx *tx = NULL;
    if (mt_failed(
            mt_ledger_begin(s->o.ledger, mt_gate_maps, mt_ledger_time_ms(s->o.ledger), &tx))) {
        return true; /* the ledger is dead, and nothing leaves any more */
    }
    bool is = mt_gate_knows(s->o.gate, tx, &c->x.ask.subject);
    mt_ledger_abort(s->o.ledger, &tx);
    return is;
}

/* A stranger is counted, and told one thing, whatever was asked and whatever is wrong with it; else
 * keys that cost nothing would learn what there is, and write the audit log full. What others are
 * refused is written down. */
static mt_err judge_refusal(struct mt_conn *c, mt_err e)
{
    static const struct mt_fault stranger = {MT_E_DENIED, __LINE__, __FILE__, MT_GATE_STRANGER};
    struct mt_exchange *x = &c->x;
    if (x->ask.key == NULL) {
        return e;
    }
    if (mt_handover_is_ours(x)) { /* whose key is nobody's: counted, and told which check it was */
        mt_gate_note_stranger(c->server->o.gate);
        return e;
    }
    if (!is_known(c)) {
        mt_gate_note_stranger(c->server->o.gate);
        x->reply.detail[0] = '\0';
        x->reply.hint[0] = '\0';
        return (mt_err){&stranger};
    }
    if (x->match.route != NULL) {
        mt_gate_note(c->server->o.gate, &x->ask, e);
        if (mt_gate_is_full(c->server->o.gate)) {
            mt_server_flush(c->server);
        }
    }
    return e;
}

void mt_answer_error(struct mt_conn *c, mt_err e)
{
    struct mt_exchange *x = &c->x;
    struct mt_reply *rp = &x->reply;
    struct mt_json_writer j;
    struct mt_writer w;
    uint8_t id[16];
    mt_bytes body;
    c->server->errors++;
    e = judge_refusal(c, e);
    mt_buf_free(&rp->body);
    rp->body = mt_buf_of_max(MT_JSON_BYTES_MAX);
    rp->kind = MT_REPLY_JSON;
    rp->status = status_of(e.fault->code);
    if (x->is_no_request && rp->status == 413) {
        rp->status = 431; /* the head is what is too long (RFC 6585, 5) */
    }
    if (x->methods != 0 && e.fault->code == MT_E_ARG) { /* not to a stranger */
        rp->status = 405;
    }
    w = mt_writer_onto(&rp->body);
    j = mt_json_writer_over(&w);
    mt_json_begin_object(&j, NULL);
    mt_json_put_literal(&j, "code", mt_code_name(e.fault->code));
    mt_json_put_literal(&j, "check", e.fault->what);
    mt_json_put_text(&j, "detail", mt_bytes_of_text(rp->detail));
    mt_json_put_text(&j, "hint", mt_bytes_of_text(rp->hint));
    if (mt_failed(mt_random((mt_span){id, sizeof id}))) {
        mt_conn_close(c);
        return;
    }
    mt_json_put_hex(&j, "request_id", (mt_bytes){id, sizeof id});
    mt_json_end_object(&j);
    if (mt_failed(mt_write_end(&w, &body))) {
        mt_conn_close(c);
        return;
    }
    mt_exchange_hold(c);
}
