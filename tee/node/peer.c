/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "attest/soft.h"
#include "crypto/context.h"
#include "crypto/kdf.h"
#include "node/peer.h"
#include "platform/log.h"
#include "platform/net.h"
#include "platform/process.h"
#include "seal/peers.h"
#include "wire/attest.h"
#include "wire/http.h"
#include "wire/json.h"

/*
 * Asking another node for the key to one of our slots (spec/hand-over.md). It is judged first, in
 * the attest round, by our own policy for it; then we show what we are, for its nonce and on this
 * very connection; and only then a key comes. Nothing that leaves here is a secret. Blocking, on
 * whatever thread has the device to itself.
 */
enum { PATIENCE_MS = 10 * 1000, ANSWER_BYTES_MAX = 64 * 1024, PIECE = 4096, OK = 200 };

struct asking {
    const struct mt_node *node;
    const struct mt_peer_name *name;
    struct mt_policy policy;
    struct mt_appraiser appraiser;
    struct mt_key *key; /* of this connection alone */
    struct mt_channel_identity *identity;
    struct mt_channel *channel;
    int fd;
    uint64_t until_ms;
    struct mt_buf in;
    struct mt_json *answer;
};

static void asking_free(struct asking **xp)
{
    struct asking *x = *xp;
    if (x != NULL) {
        mt_json_free(&x->answer);
        mt_buf_free(&x->in);
        mt_channel_free(&x->channel);
        mt_channel_identity_free(&x->identity);
        mt_key_free(&x->key);
        mt_net_close(&x->fd);
        free(x);
        *xp = NULL;
    }
}

static uint64_t left_ms(const struct asking *x)
{
    uint64_t now_ms = mt_process_ticks_ms();
    return x->until_ms > now_ms ? x->until_ms - now_ms : 0;
}

static MT_ERR flush(struct asking *x)
{
    for (mt_bytes out = mt_channel_output(x->channel); out.len > 0;
         out = mt_channel_output(x->channel)) {
        size_t taken = 0;
        mt_err e = mt_net_write(x->fd, out, &taken);
        if (mt_failed(e) && e.fault->code == MT_E_BUSY) {
            MT_TRY(mt_net_wait(x->fd, true, left_ms(x)));
            continue;
        }
        MT_TRY(e);
        mt_channel_sent(x->channel, taken);
    }
    return MT_OK;
}

static MT_ERR receive(struct asking *x)
{
    uint8_t room[PIECE];
    size_t got = 0;
    MT_TRY(flush(x));
    MT_TRY(mt_net_wait(x->fd, false, left_ms(x)));
    mt_err e = mt_net_read(x->fd, (mt_span){room, sizeof room}, &got);
    if (mt_failed(e)) {
        return e.fault->code == MT_E_BUSY ? MT_OK : e;
    }
    MT_REQUIRE(got > 0, MT_E_CLOSED, "the peer has hung up");
    e = mt_channel_feed(x->channel, (mt_bytes){room, got});
    mt_err sent = flush(x);
    MT_TRY(e);
    return sent;
}

/* Ours is asked for later, by whoever has been believed. */
static MT_ERR show_nothing(struct asking *x)
{
    static const struct mt_shown nothing = {.format = {(const uint8_t *)"none", 4}};
    uint8_t report_data[MT_REPORT_DATA_LEN];
    if (!mt_channel_wants_evidence(x->channel, report_data)) {
        return MT_OK;
    }
    return mt_channel_put_evidence(x->channel, &nothing);
}

static MT_ERR open_channel(struct asking *x)
{
    MT_TRY(mt_key_new(&x->key));
    MT_TRY(mt_channel_identity_new(x->key, MT_CHANNEL_CLIENT, &x->identity));
    const struct mt_channel_options o = {.identity = x->identity,
                                         .has_evidence = true,
                                         .appraiser = &x->appraiser,
                                         .service = x->name->cluster,
                                         .now_ms = mt_process_host_time_ms()};
    MT_TRY(mt_channel_new(&o, &x->channel));
    MT_TRY(mt_net_connect(x->node->config.peer, left_ms(x), &x->fd));
    MT_TRY(mt_channel_start(x->channel));
    while (mt_channel_state(x->channel) != MT_CHANNEL_OPEN) {
        MT_TRY(receive(x));
        MT_TRY(show_nothing(x));
    }
    return flush(x);
}

/* Who is not there, or hangs up, was not judged: that is no refusal. */
static void log_unmet(const struct asking *x, mt_err e)
{
    const struct mt_check *why = mt_trace_failed(&mt_channel_peer(x->channel)->appraisal->trace);
    bool is_absent = why == NULL && e.fault->code == MT_E_CLOSED;
    const struct mt_log_field fields[] = {
        {.name = "rule", .literal = why == NULL ? e.fault->what : why->rule},
        {.name = "mend",
         .literal = why != NULL ? why->mend
                    : is_absent ? "start the node at the address in peer, and see that this "
                                  "machine can reach it; then start again"
                                : "look after the address in peer, and the node there"}};
    mt_log(is_absent ? "peer-unreachable" : "peer-refused", fields, sizeof fields / sizeof *fields);
}

static MT_ERR meet(struct asking *x)
{
    mt_err e = open_channel(x);
    if (mt_failed(e) && x->channel != NULL) {
        log_unmet(x, e);
    }
    return e;
}

static MT_ERR say(struct asking *x, mt_bytes plain)
{
    while (plain.len > 0) {
        size_t taken = 0;
        MT_TRY(mt_channel_write(x->channel, plain, &taken));
        plain = (mt_bytes){plain.ptr + taken, plain.len - taken};
    }
    return flush(x);
}

static MT_ERR hear_more(struct asking *x)
{
    mt_span room;
    size_t got = 0;
    MT_TRY(mt_buf_reserve(&x->in, PIECE, &room));
    MT_TRY(mt_channel_read(x->channel, room, &got));
    x->in.len += got;
    return got > 0 ? MT_OK : receive(x);
}

static MT_ERR hear(struct asking *x, uint32_t *status)
{
    MT_DEFER(mt_buf_free) struct mt_buf body = mt_buf_of_max(ANSWER_BYTES_MAX);
    struct mt_http_head head;
    bool is_whole = false;
    bool is_end = false;
    while (!is_whole) {
        MT_TRY(hear_more(x));
        MT_TRY(mt_http_response_parse(mt_buf_bytes(&x->in), &head, &is_whole));
    }
    *status = head.status;
    struct mt_http_body_reader r = mt_http_body_reader_of(&head);
    mt_buf_drop(&x->in, head.head_len);
    while (!is_end) {
        mt_bytes in = mt_buf_bytes(&x->in);
        mt_bytes data = {NULL, 0};
        MT_TRY(mt_http_body_read(&r, &in, &data, &is_end));
        MT_TRY(mt_buf_append(&body, data));
        bool has_moved = in.len < x->in.len;
        mt_buf_drop(&x->in, x->in.len - in.len);
        MT_TRY(is_end || has_moved ? MT_OK : hear_more(x));
    }
    mt_json_free(&x->answer);
    return mt_json_parse(mt_buf_bytes(&body), &x->answer, NULL);
}

static MT_ERR post(struct asking *x, const mt_id *key, mt_bytes body, uint32_t *status)
{
    uint8_t room[512];
    uint8_t target_room[128];
    mt_bytes head;
    mt_bytes target;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_writer t = mt_writer_over((mt_span){target_room, sizeof target_room});
    mt_write_bytes(&t, MT_LITERAL("/mesatee/v1/handover"));
    if (key != NULL) {
        mt_write_u8(&t, '/');
        mt_hex_write(&t, mt_id_bytes(key));
    }
    MT_TRY(mt_write_end(&t, &target));
    mt_http_request_write(&w, MT_HTTP_POST, target, MT_LITERAL("mesatee"));
    mt_http_header_write_uint(&w, "content-length", body.len);
    mt_http_head_end(&w);
    MT_TRY(mt_write_end(&w, &head));
    MT_TRY(say(x, head));
    MT_TRY(say(x, body));
    return hear(x, status);
}

/* What we are: the device's word, or the software's, signed by the key that the key file makes. */
static MT_ERR write_evidence(const struct mt_node *n, const uint8_t report_data[MT_REPORT_DATA_LEN],
                             struct mt_writer *w)
{
    if (n->device != NULL) {
        return mt_node_device_evidence(n, report_data, w);
    }
    mt_soft_evidence_write(w, n->machine_key, mt_buf_bytes(&n->log), report_data);
    return w->failed;
}

static MT_ERR show(struct asking *x, const uint8_t nonce[MT_CHANNEL_NONCE_LEN], struct mt_buf *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    struct mt_writer e = mt_writer_onto(&room);
    struct mt_writer w = mt_writer_onto(out);
    struct mt_attest a = {.endorsements_count = 0};
    uint8_t report_data[MT_REPORT_DATA_LEN];
    MT_TRY(mt_channel_bind_again(x->channel, nonce, report_data));
    MT_TRY(write_evidence(x->node, report_data, &e));
    MT_TRY(mt_write_end(&e, &a.evidence));
    MT_TRY(mt_node_evidence_format(x->node, a.evidence, &a.format));
    mt_attest_write(&w, &a);
    return w.failed;
}

/* The log leaves the machine, so the peer's word is found among ours, or not said. */
static const char *rule_of(const struct mt_json *answer)
{
    static const char *const known[] = {"platform-unknown",
                                        "platform-foreign",
                                        "platform-believed",
                                        "measurement-unknown",
                                        "level-minimum",
                                        "kind-unnamed",
                                        "configuration-unknown",
                                        "report-data",
                                        "evidence-kind",
                                        "evidence-signature",
                                        "vek-product",
                                        "vek-root",
                                        "vek-chain",
                                        "vek-chip",
                                        "vek-tcb",
                                        "vek-cloud",
                                        "vek-validity",
                                        "tcb-level",
                                        "tcb-status",
                                        "tcb-advisory",
                                        "tcb-date",
                                        "minimum-version",
                                        "unclean-stop",
                                        "peer-key-unknown",
                                        "too many ask for keys"};
    mt_bytes check;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!mt_failed(mt_json_text(answer, "check", &check)) &&
            mt_bytes_equal(check, mt_bytes_of_text(known[i]))) {
            return known[i];
        }
    }
    return "the peer's log names it";
}

static MT_ERR check_answer(const struct asking *x, uint32_t status)
{
    const struct mt_log_field fields[] = {
        {.name = "status", .number = status},
        {.name = "rule", .literal = rule_of(x->answer)},
        {.name = "mend",
         .literal =
             "an administrator has the peer keep a key for this machine and what runs on it: "
             "mesatee keyslot add --peer"}};
    if (status != OK) {
        mt_log("peer-denies", fields, sizeof fields / sizeof *fields);
    }
    MT_REQUIRE(status == OK, MT_E_DENIED, "the peer does not hand the key over");
    return MT_OK;
}

static MT_ERR ask(struct asking *x, struct mt_secret **out)
{
    MT_DEFER(mt_buf_free) struct mt_buf body = mt_buf_of_max(MT_ATTEST_MESSAGE_BYTES_MAX);
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    uint32_t status = 0;
    MT_TRY(meet(x));
    MT_TRY(post(x, NULL, (mt_bytes){NULL, 0}, &status));
    MT_TRY(check_answer(x, status));
    MT_TRY(mt_json_hex(x->answer, "nonce", (mt_span){nonce, sizeof nonce}));
    MT_TRY(show(x, nonce, &body));
    MT_TRY(post(x, &x->name->key, mt_buf_bytes(&body), &status));
    MT_TRY(check_answer(x, status));
    MT_TRY(mt_secret_new(MT_PEER_KEY_LEN, &key));
    MT_TRY(mt_json_hex(x->answer, "key", mt_secret_span(key)));
    *out = key;
    key = NULL; /* given */
    return MT_OK;
}

/* Whose policy it is does not matter to a slot that an administrator has made: nothing that leaves
 * is a secret, and another node's key opens nothing of it. A host may write slot and policy
 * himself, around a root key of his own; so evidence shows what the policy was (spec/hand-over.md).
 * Before a slot is made an administrator has to name it. */
static MT_ERR ask_peer(const struct mt_node *n, const struct mt_peer_name *name,
                       const mt_hash *policy, struct mt_secret **out)
{
    MT_DEFER(asking_free) struct asking *x = calloc(1, sizeof *x);
    mt_spki signer;
    MT_REQUIRE(x != NULL, MT_E_NOMEM, "no memory to ask a peer");
    x->node = n;
    x->name = name;
    x->fd = -1;
    x->until_ms = mt_process_ticks_ms() + PATIENCE_MS;
    x->in = mt_buf_of_max(ANSWER_BYTES_MAX);
    MT_TRY(mt_policy_file_parse(mt_buf_bytes(&n->peer_policy), &signer, &x->policy));
    MT_REQUIRE(policy == NULL || mt_hash_equal(policy, &x->policy.hash), MT_E_CONFLICT,
               "the policy for the peer that this node was started with is another one");
    x->appraiser.policy = &x->policy;
    return ask(x, out);
}

mt_err mt_node_make_peer_slot(void *state, const struct mt_peer_wanted *wanted,
                              uint64_t host_time_ms, struct mt_slot_made *out)
{
    const struct mt_node *n = state;
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(ask_peer(n, &wanted->name, &wanted->policy, &key));
    const struct mt_credential c = {
        .kind = MT_SLOT_PEER, .secret = mt_secret_bytes(key), .peer = wanted->name};
    return mt_slot_make(n->root, &c, host_time_ms, out);
}

static MT_ERR open_slot(struct mt_node *n, const struct mt_peer_name *name)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(ask_peer(n, name, NULL, &key));
    const struct mt_credential c = {.kind = MT_SLOT_PEER, .secret = mt_secret_bytes(key)};
    return mt_root_open(n->fs, &c, &n->root);
}

/* Why a slot did not open is said here. */
static MT_ERR ask_for_each(struct mt_node *n)
{
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    size_t count = 0;
    size_t asked = 0;
    MT_TRY(mt_slot_list(n->fs, info, MT_KEY_SLOTS_MAX, &count));
    MT_TRY(mt_node_write_log(n));
    for (size_t i = 0; i < count && n->root == NULL; i++) {
        if (info[i].kind != MT_SLOT_PEER) {
            continue;
        }
        mt_err e = open_slot(n, &info[i].peer);
        const struct mt_log_field slot = {.name = "slot", .number = info[i].number};
        asked++;
        if (mt_failed(e)) {
            mt_log_fault("peer-opens-nothing", e);
        } else {
            mt_log("opened-by-peer", &slot, 1);
        }
    }
    MT_REQUIRE(asked > 0, MT_E_NOTFOUND, "no key slot is for a peer");
    return MT_OK;
}

/* What the machine's maker says of it is behind the disk that is closed: the keeper is shown what
 * the folder holds. */
bool mt_node_open_by_peer(struct mt_node *n)
{
    mt_err e = MT_OK;
    if (n->config.peer[0] == '\0') {
        return false;
    }
    if (n->config.collateral[0] != '\0') {
        e = mt_held_offer(n->config.collateral, &n->holding.held);
    }
    e = mt_failed(e) ? e : ask_for_each(n);
    mt_held_free(&n->holding.held);
    if (mt_failed(e)) {
        mt_log_fault("peer-opens-nothing", e);
    }
    return n->root != NULL;
}

/* A machine without a device is known by its key file, which is not on the disk. */
MT_ERR mt_node_machine_key(mt_bytes keyfile, struct mt_key **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *d = NULL;
    mt_err e;
    uint8_t turn = 0;
    MT_REQUIRE(keyfile.len >= MT_KEY_FILE_BYTES_MIN, MT_E_ARG, "a key file has at least 32 bytes");
    MT_TRY(mt_secret_new(MT_PRIVATE_LEN, &d));
    do { /* one value in four thousand million is no private key */
        MT_TRY(mt_kdf(keyfile, MT_LABEL_MACHINE, (mt_bytes){&turn, 1}, mt_secret_span(d)));
        e = mt_key_of_private(mt_secret_bytes(d), out);
    } while (mt_failed(e) && e.fault->code == MT_E_FORMAT && turn++ < UINT8_MAX);
    return e;
}

MT_ERR mt_node_say_machine(struct mt_device *device, mt_bytes keyfile)
{
    MT_DEFER(mt_key_free) struct mt_key *key = NULL;
    uint8_t room[2 * sizeof(mt_hash) + 1];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_hash name;
    MT_REQUIRE(device == NULL, MT_E_ARG,
               "a machine with a device is known by that: its node says so, in public.json");
    MT_TRY(mt_node_machine_key(keyfile, &key));
    mt_spki_hash(mt_key_public(key), &name);
    mt_hex_write(&w, mt_hash_bytes(&name));
    mt_write_bytes(&w, MT_LITERAL("\n"));
    mt_process_say(false, mt_write_done(&w));
    return MT_OK;
}
