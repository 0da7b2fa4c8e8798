/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "attest/eventlog.h"
#include "attest/policy.h"
#include "attest/soft.h"
#include "seal/peers.h"
#include "server/client_test.h"
#include "unit/runner.h"
#include "wire/attest.h"

/* A key that is kept for another machine goes to that one, and to nobody who only looks like it. */

enum { RATE_MS = 250, AT_ONCE = 16, MESSAGE_MAX = 16 * 1024, SECOND_MS = 1000, MINUTE_MS = 60000 };

static struct client admin;
static struct mt_key *machine; /* that the policy names */
static mt_id kept;

static mt_hash hash_of(const struct mt_key *k)
{
    mt_hash h;
    mt_spki_hash(mt_key_public(k), &h);
    return h;
}

/* What runs there, as it says itself. */
static mt_bytes log_of(uint8_t code, struct mt_buf *room)
{
    const mt_bytes text = MT_LITERAL("facts");
    struct mt_event e = {MT_REGISTER_CODE, MT_EV_IPL, {{code}}, MT_LITERAL("/bin/node")};
    struct mt_writer w = mt_writer_onto(room);
    mt_bytes all;
    mt_eventlog_head_write(&w);
    mt_event_write(&w, &e);
    for (uint32_t i = MT_REGISTER_CONFIGURATION; i <= MT_REGISTER_KERNEL; i++) {
        e = (struct mt_event){.index = i, .type = MT_EV_ACTION, .data = text};
        mt_sha256(&text, 1, &e.digest);
        mt_event_write(&w, &e);
    }
    OK(mt_write_end(&w, &all));
    return all;
}

static mt_hash measurement_of(uint8_t code)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    mt_hash registers[MT_REGISTERS];
    OK(mt_eventlog_replay(log_of(code, &room), registers));
    return registers[MT_REGISTER_CODE];
}

struct wish {
    uint64_t level;
    size_t measurements;
    enum person signer;
    bool takes_hardware;
    size_t machines; /* named, of hardware */
};

static void write_file(const struct wish *wish, struct mt_writer *out)
{
    static struct mt_policy p;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MESSAGE_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    mt_bytes json;
    p = (struct mt_policy){.name = MT_LITERAL("peers"),
                           .minimum_level = wish->level,
                           .platforms = {hash_of(machine)},
                           .platforms_count = 1,
                           .measurements = {measurement_of(7)},
                           .measurements_count = wish->measurements,
                           .hardware = {.is_named = wish->takes_hardware,
                                        .kinds = 1U << MT_EVIDENCE_TPM,
                                        .tcb_statuses = 1U << MT_TCB_UNRATED,
                                        .platforms = {hash_of(machine)},
                                        .platforms_count = wish->machines}};
    mt_policy_write(&w, &p);
    OK(mt_write_end(&w, &json));
    mt_policy_file_write(out, people[wish->signer].key, json);
}

static unsigned add_by(struct client *c, const struct wish *wish)
{
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(MESSAGE_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(2 * MESSAGE_MAX);
    struct mt_writer f = mt_writer_onto(&file);
    struct mt_writer w = mt_writer_onto(&text);
    mt_bytes bytes;
    write_file(wish, &f);
    OK(mt_write_end(&f, &bytes));
    mt_write_bytes(&w,
                   MT_LITERAL("POST /mesatee/v1/peers HTTP/1.1\r\nhost: x\r\ncontent-length: "));
    mt_write_number(&w, 2 * bytes.len + 13);
    mt_write_bytes(&w, MT_LITERAL("\r\n\r\n{\"policy\":\""));
    mt_hex_write(&w, bytes);
    mt_write_bytes(&w, MT_LITERAL("\"}"));
    OK(mt_write_end(&w, &bytes));
    client_send(c, bytes);
    spin();
    spin();
    return client_hears(c) ? c->status : 0;
}

static const struct wish usual = {.level = MT_LEVEL_SOFT, .measurements = 1, .signer = ADMIN};

static void begin_with(uint64_t level)
{
    const uint8_t d[MT_PRIVATE_LEN] = {9, 9};
    const struct wish wish = {.level = level, .measurements = 1, .signer = ADMIN};
    OK(mt_key_of_private(MT_BYTES_OF(d), &machine));
    server_begin();
    client_open(&admin, ADMIN);
    MT_ASSERT(add_by(&admin, &wish) == 201);
    OK(mt_json_hex(admin.json, "peer", (mt_span){kept.b, sizeof kept.b}));
    client_has_evidence = true;
}

static void begin(void)
{
    begin_with(MT_LEVEL_SOFT);
}

static void end(void)
{
    client_has_evidence = false;
    client_free(&admin);
    server_end();
    mt_key_free(&machine);
}

struct nonce {
    uint8_t b[MT_CHANNEL_NONCE_LEN];
};

static struct nonce draw(struct client *c)
{
    struct nonce n;
    MT_ASSERT(ask_server(c, "POST /mesatee/v1/handover HTTP/1.1\r\nhost: x\r\n"
                            "content-length: 0\r\n\r\n") == 200);
    OK(mt_json_hex(c->json, "nonce", (mt_span){n.b, sizeof n.b}));
    return n;
}

/* A message of the attest round, with evidence that belongs to the connection `c`. */
static mt_bytes message_of(struct client *c, const struct nonce *n, const struct mt_key *signer,
                           uint8_t code, struct mt_buf *room)
{
    MT_DEFER(mt_buf_free) struct mt_buf log = mt_buf_of_max(4096);
    MT_DEFER(mt_buf_free) struct mt_buf evidence = mt_buf_of_max(MESSAGE_MAX);
    struct mt_writer e = mt_writer_onto(&evidence);
    struct mt_writer w = mt_writer_onto(room);
    struct mt_attest a = {.format = MT_LITERAL("soft")};
    uint8_t report_data[MT_REPORT_DATA_LEN];
    mt_bytes all;
    OK(mt_channel_bind_again(c->channel, n->b, report_data));
    mt_soft_evidence_write(&e, signer, log_of(code, &log), report_data);
    OK(mt_write_end(&e, &a.evidence));
    mt_attest_write(&w, &a);
    OK(mt_write_end(&w, &all));
    return all;
}

static void send_message(struct client *c, const mt_id *id, mt_bytes message)
{
    char head[160];
    char hex[33] = "";
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)hex, 32});
    mt_hex_write(&w, mt_id_bytes(id));
    (void)snprintf(
        head, sizeof head,
        "POST /mesatee/v1/handover/%s HTTP/1.1\r\nhost: x\r\ncontent-length: %zu\r\n\r\n", hex,
        message.len);
    client_say(c, head);
    client_send(c, message);
}

static unsigned show(struct client *c, const mt_id *id, mt_bytes message)
{
    send_message(c, id, message);
    spin();
    spin();
    return client_hears(c) ? c->status : 0;
}

static unsigned take_as(struct client *c, const struct mt_key *signer, uint8_t code)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MESSAGE_MAX);
    struct nonce n = draw(c);
    return show(c, &kept, message_of(c, &n, signer, code, &room));
}

/* What is refused names its rule, and gives no key. */
static bool is_refused(struct client *c, unsigned status, unsigned wanted, const char *rule)
{
    return status == wanted && answer_is(c, "check", rule) && !mt_json_has(c->json, "key");
}

static void a_machine_that_satisfies_the_policy_gets_its_key(void)
{
    struct client c;
    uint8_t first[MT_PEER_KEY_LEN];
    uint8_t again[MT_PEER_KEY_LEN];
    begin();
    client_open(&c, MALLORY); /* a key that nobody knows, as every machine's is */
    MT_ASSERT(take_as(&c, machine, 7) == 200);
    OK(mt_json_hex(c.json, "key", (mt_span){first, sizeof first}));
    MT_ASSERT(take_as(&c, machine, 7) == 200);
    OK(mt_json_hex(c.json, "key", (mt_span){again, sizeof again}));
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(first), MT_BYTES_OF(again)));
    client_free(&c);
    end();
}

static void the_key_leaves_when_the_audit_record_is_durable(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MESSAGE_MAX);
    struct client c;
    begin();
    client_open(&c, MALLORY);
    struct nonce n = draw(&c);
    uint64_t before = mt_ledger_version(ledger);
    send_message(&c, &kept, message_of(&c, &n, machine, 7, &room));
    spin_but_disk();
    spin_but_disk();
    MT_ASSERT(mt_ledger_version(ledger) == before + 1 && !client_hears(&c));
    spin();
    MT_ASSERT(client_hears(&c) && c.status == 200);
    MT_ASSERT(mt_ledger_durable(ledger) >= before + 1);
    client_free(&c);
    end();
}

/* Genuine evidence of the right machine, made for a connection to somebody else, or for another one
 * of its own. */
static void evidence_of_another_connection_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MESSAGE_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf more = mt_buf_of_max(MESSAGE_MAX);
    struct client victim;
    struct client thief;
    begin();
    client_open(&victim, BOB);
    client_open(&thief, MALLORY);
    struct nonce n = draw(&thief);
    mt_bytes relayed = message_of(&victim, &n, machine, 7, &room); /* for the thief's nonce */
    MT_ASSERT(is_refused(&thief, show(&thief, &kept, relayed), 422, "report-data"));
    (void)draw(&thief);
    n = draw(&victim);
    relayed = message_of(&victim, &n, machine, 7, &more);
    MT_ASSERT(is_refused(&thief, show(&thief, &kept, relayed), 422, "report-data"));
    MT_ASSERT(show(&victim, &kept, relayed) == 200);
    client_free(&victim);
    client_free(&thief);
    end();
}

static void a_nonce_is_good_for_one_hand_over(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MESSAGE_MAX);
    struct client c;
    begin();
    client_open(&c, MALLORY);
    struct nonce n = draw(&c);
    mt_bytes message = message_of(&c, &n, machine, 7, &room);
    MT_ASSERT(show(&c, &kept, message) == 200);
    MT_ASSERT(is_refused(&c, show(&c, &kept, message), 422, "nobody has asked for this evidence"));
    (void)draw(&c);
    MT_ASSERT(is_refused(&c, show(&c, &kept, message), 422, "report-data"));
    client_free(&c);
    end();
}

static void other_machines_and_other_programs_are_refused(void)
{
    struct client c;
    begin();
    client_open(&c, MALLORY);
    MT_ASSERT(is_refused(&c, take_as(&c, people[BOB].key, 7), 422, "platform-unknown"));
    MT_ASSERT(is_refused(&c, take_as(&c, machine, 8), 403, "measurement-unknown"));
    MT_ASSERT(mt_gate_has_notes(gate));        /* written down, for the key is one that there is */
    MT_ASSERT(take_as(&c, machine, 7) == 200); /* on the same connection: it was never believed */
    client_free(&c);
    end();
}

static void soft_evidence_does_not_do_where_hardware_is_demanded(void)
{
    struct client c;
    begin_with(MT_LEVEL_TPM);
    client_open(&c, MALLORY);
    MT_ASSERT(is_refused(&c, take_as(&c, machine, 7), 403, "level-minimum"));
    client_free(&c);
    end();
}

static void who_shows_nothing_gets_nothing(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MESSAGE_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    const struct mt_attest none = {.format = MT_LITERAL("none")};
    struct client c;
    mt_bytes message;
    begin();
    mt_attest_write(&w, &none);
    OK(mt_write_end(&w, &message));
    MT_ASSERT(is_refused(&admin, show(&admin, &kept, message), 422,
                         "nobody has asked for this evidence")); /* whoever it is */
    client_open(&c, MALLORY);
    (void)draw(&c);
    MT_ASSERT(is_refused(&c, show(&c, &kept, message), 422, "evidence-kind"));
    (void)draw(&c);
    message.len--;
    MT_ASSERT(show(&c, &kept, message) == 400);
    client_free(&c);
    end();
}

static void a_key_that_was_removed_is_gone(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MESSAGE_MAX);
    char text[128];
    char hex[33] = "";
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)hex, 32});
    struct client c;
    mt_id other;
    begin();
    other = kept;
    other.b[0] ^= 1;
    client_open(&c, MALLORY);
    struct nonce n = draw(&c);
    mt_bytes message = message_of(&c, &n, machine, 7, &room);
    MT_ASSERT(is_refused(&c, show(&c, &other, message), 404, "peer-key-unknown"));
    mt_hex_write(&w, mt_id_bytes(&kept));
    (void)snprintf(text, sizeof text, "DELETE /mesatee/v1/peers/%s HTTP/1.1\r\nhost: x\r\n\r\n",
                   hex);
    MT_ASSERT(ask_server(&c, text) == 403 && ask_server(&admin, text) == 200);
    MT_ASSERT(is_refused(&c, show(&c, &kept, message), 404, "peer-key-unknown"));
    MT_ASSERT(ask_server(&admin, text) == 404);
    client_free(&c);
    end();
}

static void remove_kept(void)
{
    char text[128];
    char hex[33] = "";
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)hex, 32});
    mt_hex_write(&w, mt_id_bytes(&kept));
    (void)snprintf(text, sizeof text, "DELETE /mesatee/v1/peers/%s HTTP/1.1\r\nhost: x\r\n\r\n",
                   hex);
    MT_ASSERT(ask_server(&admin, text) == 200);
}

static size_t listed(void)
{
    const struct mt_json *list = NULL;
    size_t count = 0;
    MT_ASSERT(ask_server(&admin, "GET /mesatee/v1/peers HTTP/1.1\r\nhost: x\r\n\r\n") == 200);
    OK(mt_json_array(admin.json, "peers", MT_PEER_KEYS_MAX, &list, &count));
    return count;
}

static size_t in_file(void)
{
    MT_DEFER(mt_peers_free) struct mt_peers p;
    OK(mt_peers_read(fs, root, &p));
    return p.count;
}

static struct mt_buf saved(void)
{
    struct mt_buf b = mt_buf_of_max(MESSAGE_MAX);
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    mt_span room;
    OK(mt_fs_open(fs, "peers.mts", MT_FS_READ, &f));
    OK(mt_buf_reserve(&b, MESSAGE_MAX, &room));
    OK(mt_file_read_at(f, 0, room, &b.len));
    return b;
}

static void put_back(const struct mt_buf *b)
{
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    mt_err e = mt_fs_remove(fs, "peers.mts");
    MT_ASSERT(!mt_failed(e) || e.fault->code == MT_E_NOTFOUND);
    OK(mt_fs_open(fs, "peers.mts", MT_FS_CREATE, &f));
    OK(mt_file_write_at(f, 0, mt_buf_bytes(b)));
}

/* A host can save one file and put it back. */
static void an_old_file_brings_no_removed_key_back(void)
{
    struct client c;
    begin();
    client_open(&c, MALLORY);
    MT_DEFER(mt_buf_free) struct mt_buf old = saved();
    remove_kept();
    put_back(&old);
    MT_ASSERT(in_file() == 1 && listed() == 0);
    MT_ASSERT(is_refused(&c, take_as(&c, machine, 7), 404, "peer-key-unknown"));
    MT_ASSERT(add_by(&admin, &usual) == 201); /* which leaves what is kept, and nothing else */
    MT_ASSERT(in_file() == 1 && listed() == 1);
    MT_ASSERT(is_refused(&c, take_as(&c, machine, 7), 404, "peer-key-unknown"));
    client_free(&c);
    end();
}

/* Nor does a lost one keep a name. */
static void a_key_whose_file_is_lost_can_be_removed(void)
{
    begin();
    MT_DEFER(mt_buf_free) struct mt_buf one = saved();
    OK(mt_fs_remove(fs, "peers.mts"));
    MT_ASSERT(listed() == 0);
    remove_kept();
    put_back(&one);
    MT_ASSERT(listed() == 0);
    end();
}

static void so_many_ask_as_can_be_looked_at(void)
{
    struct client c;
    begin();
    client_open(&c, MALLORY);
    for (size_t i = 0; i < AT_ONCE; i++) {
        MT_ASSERT(take_as(&c, people[BOB].key, 7) == 422);
    }
    MT_ASSERT(is_refused(&c, take_as(&c, machine, 7), 503, "too many ask for keys"));
    pass(RATE_MS);
    MT_ASSERT(take_as(&c, machine, 7) == 200);
    MT_ASSERT(take_as(&c, machine, 7) == 503);
    client_free(&c);
    end();
}

/* Who has neither a key's name nor a nonce costs nobody a turn. */
static void what_nobody_looks_at_takes_nobodys_turn(void)
{
    static const uint8_t junk[64];
    struct client thief;
    struct client c;
    begin();
    mt_id other = kept;
    other.b[0] ^= 1;
    client_open(&thief, MALLORY);
    client_open(&c, BOB);
    for (size_t i = 0; i < AT_ONCE; i++) {
        MT_ASSERT(show(&thief, &kept, MT_BYTES_OF(junk)) == 422);
    }
    (void)draw(&thief);
    for (size_t i = 0; i < AT_ONCE; i++) {
        MT_ASSERT(show(&thief, &other, MT_BYTES_OF(junk)) == 404);
        MT_ASSERT(show(&thief, &kept, MT_BYTES_OF(junk)) == 400);
    }
    MT_ASSERT(take_as(&c, machine, 7) == 200);
    client_free(&thief);
    client_free(&c);
    end();
}

/* With a key of its own each time, whoever has a disk would write the ledger full. */
static void refusals_of_whoever_comes_are_one_line_in_a_minute(void)
{
    struct client c;
    begin();
    pass(MINUTE_MS);
    turn();
    uint64_t before = mt_ledger_version(ledger);
    for (enum person who = BOB; who <= MALLORY; who++) {
        client_open(&c, who);
        MT_ASSERT(take_as(&c, people[BOB].key, 7) == 422);
        pass(SECOND_MS);
        turn();
        MT_ASSERT(mt_ledger_version(ledger) == before + 1);
        client_free(&c);
    }
    pass(MINUTE_MS);
    client_open(&c, MALLORY);
    MT_ASSERT(take_as(&c, people[BOB].key, 7) == 422);
    pass(SECOND_MS);
    turn();
    MT_ASSERT(mt_ledger_version(ledger) == before + 2);
    client_free(&c);
    end();
}

static void a_policy_for_hardware_names_the_machines(void)
{
    struct wish wish = usual;
    begin();
    wish.takes_hardware = true;
    MT_ASSERT(add_by(&admin, &wish) == 400 && answer_is(&admin, "check", "peer-policy-machines"));
    MT_ASSERT(in_file() == 1 && mt_json_has(admin.json, "hint"));
    wish.machines = 1;
    MT_ASSERT(add_by(&admin, &wish) == 201);
    end();
}

static void a_policy_is_an_administrators_word(void)
{
    const struct wish of_another = {.level = MT_LEVEL_SOFT, .measurements = 1, .signer = ALICE};
    const struct wish of_nothing = {.level = MT_LEVEL_SOFT, .measurements = 0, .signer = ADMIN};
    struct client alice;
    begin();
    MT_ASSERT(add_by(&admin, &of_another) == 403);
    MT_ASSERT(add_by(&admin, &of_nothing) == 400);
    MT_ASSERT(ask_server(&admin, "POST /mesatee/v1/peers HTTP/1.1\r\nhost: x\r\n"
                                 "content-length: 13\r\n\r\n{\"policy\":\"\"}") == 400);
    client_open(&alice, ALICE);
    MT_ASSERT(add_by(&alice, &of_another) == 403 && add_by(&alice, &usual) == 403);
    MT_ASSERT(ask_server(&alice, "GET /mesatee/v1/peers HTTP/1.1\r\nhost: x\r\n\r\n") == 403);
    MT_ASSERT(ask_server(&admin, "GET /mesatee/v1/peers HTTP/1.1\r\nhost: x\r\n\r\n") == 200);
    const struct mt_json *list = NULL;
    size_t count = 0;
    OK(mt_json_array(admin.json, "peers", MT_PEER_KEYS_MAX, &list, &count));
    MT_ASSERT(count == 1 && !mt_json_has(mt_json_at(list, 0), "key"));
    client_free(&alice);
    end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_machine_that_satisfies_the_policy_gets_its_key),
        MT_TEST(the_key_leaves_when_the_audit_record_is_durable),
        MT_TEST(evidence_of_another_connection_is_refused),
        MT_TEST(a_nonce_is_good_for_one_hand_over),
        MT_TEST(other_machines_and_other_programs_are_refused),
        MT_TEST(soft_evidence_does_not_do_where_hardware_is_demanded),
        MT_TEST(who_shows_nothing_gets_nothing),
        MT_TEST(a_key_that_was_removed_is_gone),
        MT_TEST(an_old_file_brings_no_removed_key_back),
        MT_TEST(a_key_whose_file_is_lost_can_be_removed),
        MT_TEST(so_many_ask_as_can_be_looked_at),
        MT_TEST(what_nobody_looks_at_takes_nobodys_turn),
        MT_TEST(refusals_of_whoever_comes_are_one_line_in_a_minute),
        MT_TEST(a_policy_for_hardware_names_the_machines),
        MT_TEST(a_policy_is_an_administrators_word),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
