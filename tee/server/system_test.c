/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "attest/signed.h"
#include "server/client_test.h"
#include "server/peers.h"
#include "server/upkeep.h"
#include "unit/runner.h"
#include "wire/recovery.h"

/* The routes that are the node's own: what each takes, and what it refuses in which words. */
#define V1     "/mesatee/v1/"
#define KEY    "6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b" /* 32 bytes */
#define FILED  "{\"kind\":\"file\",\"secret\":\"" KEY "\"}"
#define PHRASE "{\"kind\":\"passphrase\",\"secret\":\"6b6b\"}"

static unsigned send_to(struct client *c, const char *method, const char *path, const char *body)
{
    static char text[8192];
    int len = snprintf(text, sizeof text,
                       "%s " V1 "%s HTTP/1.1\r\nhost: x\r\ncontent-length: %zu\r\n\r\n%s", method,
                       path, strlen(body), body);
    MT_ASSERT(len > 0 && (size_t)len < sizeof text);
    return ask_server(c, text);
}

static unsigned get(struct client *c, const char *path)
{
    static char text[256];
    int len = snprintf(text, sizeof text, "GET " V1 "%s HTTP/1.1\r\nhost: x\r\n\r\n", path);
    MT_ASSERT(len > 0 && (size_t)len < sizeof text);
    return ask_server(c, text);
}

static uint64_t number_of(const struct client *c, const char *name)
{
    uint64_t n = 0;
    OK(mt_json_uint(c->json, name, UINT64_MAX >> 1, &n));
    return n;
}

static void status_and_head_are_for_everybody_and_the_audit_log_for_administrators(void)
{
    struct client alice;
    struct client admin;
    server_begin();
    client_open(&alice, ALICE);
    client_open(&admin, ADMIN);
    MT_ASSERT(get(&alice, "status") == 200 && number_of(&alice, "connections") == 2);
    MT_ASSERT(answer_is(&alice, "collateral", "none"));
    collateral = MT_COLLATERAL_REFUSED; /* it changes while the node runs */
    MT_ASSERT(get(&alice, "status") == 200 && answer_is(&alice, "collateral", "refused"));
    collateral = MT_COLLATERAL_GOOD;
    MT_ASSERT(get(&alice, "status") == 200 && answer_is(&alice, "collateral", "good"));
    collateral = MT_COLLATERAL_NONE;
    MT_ASSERT(get(&alice, "ledger/head") == 200 && number_of(&alice, "size") > 0);
    MT_ASSERT(get(&alice, "ledger/head?from=1") == 200);
    MT_ASSERT(get(&alice, "ledger/head?from=x") == 400);
    MT_ASSERT(get(&alice, "ledger/head?from=100000") == 410);
    MT_ASSERT(get(&alice, "audit") == 403);
    MT_ASSERT(get(&admin, "audit?limit=2") == 200 && number_of(&admin, "size") > 2);
    MT_ASSERT(get(&admin, "audit?after=1") == 200);
    MT_ASSERT(get(&admin, "audit?after=100000") == 200);
    MT_ASSERT(get(&admin, "audit?after=x") == 400);
    MT_ASSERT(get(&admin, "audit?limit=501") == 413);
    client_free(&alice);
    client_free(&admin);
    server_end();
}

/* Of every body that takes a credential, or some other field. */
static void refuses_malformed(struct client *c, const char *path)
{
    static const char *const wrong[] = {
        "",
        "{}",
        "{\"kind\":\"file\"}",
        "{\"kind\":\"file\",\"secret\":7}",
        "{\"kind\":\"file\",\"secret\":\"6B\"}",
        "{\"kind\":\"file\",\"secret\":\"6b6\"}",
        "{\"kind\":\"stone\",\"secret\":\"6b\"}",
        "{\"kind\":\"file\",\"secret\":\"6b\"}",
        "{\"kind\":\"passphrase\",\"secret\":\"\"}",
        "{\"kind\":\"file\",\"secret\":\"6b\",\"more\":1}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(send_to(c, "POST", path, wrong[i]) == 400);
    }
}

static void key_slots_come_and_go_by_an_administrator_and_the_last_one_stays(void)
{
    struct client c;
    server_begin();
    client_open(&c, ADMIN);
    MT_ASSERT(get(&c, "keyslots") == 200);
    refuses_malformed(&c, "keyslots");
    MT_ASSERT(send_to(&c, "POST", "keyslots", FILED) == 201 && number_of(&c, "number") == 1);
    MT_ASSERT(send_to(&c, "POST", "keyslots", PHRASE) == 201 && number_of(&c, "number") == 2);
    MT_ASSERT(get(&c, "keyslots") == 200);
    MT_ASSERT(send_to(&c, "DELETE", "keyslots/8", "") == 404);
    MT_ASSERT(send_to(&c, "DELETE", "keyslots/x", "") == 404);
    MT_ASSERT(send_to(&c, "DELETE", "keyslots/-", "") == 404);
    MT_ASSERT(send_to(&c, "DELETE", "keyslots/11", "") == 404);
    MT_ASSERT(send_to(&c, "DELETE", "keyslots/7", "") == 404);
    MT_ASSERT(send_to(&c, "DELETE", "keyslots/2", "") == 200);
    MT_ASSERT(send_to(&c, "DELETE", "keyslots/1", "") == 200);
    MT_ASSERT(send_to(&c, "DELETE", "keyslots/0", "") == 409);
    client_free(&c);
    server_end();
}

static void an_administrator_moves_the_clock_to_where_the_host_says_it_is(void)
{
    static char body[64];
    struct client admin;
    struct client alice;
    server_begin();
    client_open(&admin, ADMIN);
    client_open(&alice, ALICE);
    (void)snprintf(body, sizeof body, "{\"time_ms\":%llu}", (unsigned long long)now_ms);
    MT_ASSERT(send_to(&alice, "POST", "time", body) == 403);
    MT_ASSERT(send_to(&admin, "POST", "time", "") == 400);
    MT_ASSERT(send_to(&admin, "POST", "time", "{}") == 400);
    MT_ASSERT(send_to(&admin, "POST", "time", "{\"time_ms\":1,\"more\":1}") == 400);
    MT_ASSERT(send_to(&admin, "POST", "time", "{\"time_ms\":1}") == 409);
    MT_ASSERT(send_to(&admin, "POST", "time", "{\"time_ms\":4611686018427387904}") >= 400);
    MT_ASSERT(send_to(&admin, "POST", "time", body) == 200);
    client_free(&admin);
    client_free(&alice);
    server_end();
}

static void a_claim_has_a_secret_of_32_bytes_and_tells_a_stranger_nothing(void)
{
    static const struct {
        const char *body;
        unsigned status; /* for who is known here */
    } claims[] = {{"", 400},
                  {"{}", 400},
                  {"{\"more\":1}", 400},
                  {"{\"secret\":\"6b\"}", 400},
                  {"{\"secret\":\"" KEY "\"}", 403}};
    struct client alice;
    struct client stranger;
    server_begin();
    client_open(&alice, ALICE);
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        MT_ASSERT(send_to(&alice, "POST", "claim", claims[i].body) == claims[i].status);
        client_open(&stranger, MALLORY);
        MT_ASSERT(send_to(&stranger, "POST", "claim", claims[i].body) == 403);
        client_free(&stranger);
    }
    client_free(&alice);
    server_end();
}

static void a_backup_is_an_administrators_and_sealed_under_what_they_say(void)
{
    struct client c;
    server_begin();
    OK(mt_small_file_write(fs, root, "platform.mts",
                           MT_LITERAL("the platform key, 32 bytes of it")));
    client_open(&c, ALICE);
    MT_ASSERT(send_to(&c, "POST", "backup", FILED) == 403);
    client_free(&c);
    client_open(&c, ADMIN);
    refuses_malformed(&c, "backup");
    MT_ASSERT(send_to(&c, "POST", "backup", FILED) == 200);
    MT_ASSERT(mt_bytes_start_with(mt_buf_bytes(&c.body), MT_LITERAL("MTBACKUP")));
    client_free(&c);
    server_end();
}

static size_t recovered;

static void count_recovered(void *state)
{
    (void)state;
    recovered++;
}

/* As after a restore. */
static void await_recovery(void)
{
    server->awaits_recovery = true;
    server->o.recovered = count_recovered;
    recovered = 0;
    OK(mt_server_head(server, &server->restored_size, &server->restored_root));
}

static unsigned open_epoch(struct client *c, enum person signer, uint64_t size_more)
{
    MT_DEFER(mt_buf_free) struct mt_buf statement = mt_buf_of_max(1024);
    static char body[4096];
    uint8_t room[256];
    uint8_t hex_room[2048];
    const struct mt_recovery r = {.cluster = *mt_ledger_cluster_id(ledger),
                                  .epoch = mt_ledger_recovery_epoch(ledger) + 1,
                                  .size = server->restored_size + size_more,
                                  .root = server->restored_root};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_writer s = mt_writer_onto(&statement);
    struct mt_writer hex = mt_writer_over((mt_span){hex_room, sizeof hex_room});
    mt_recovery_write(&w, &r);
    mt_signed_write(&s, people[signer].key, MT_LABEL_RECOVERY, mt_write_done(&w));
    OK(s.failed);
    mt_hex_write(&hex, mt_buf_bytes(&statement));
    mt_bytes text = mt_write_done(&hex);
    (void)snprintf(body, sizeof body, "{\"statement\":\"%.*s\"}", (int)text.len,
                   (const char *)text.ptr);
    return send_to(c, "POST", "recovery", body);
}

static void a_restored_node_serves_nobody_until_an_administrator_signs_where_it_goes_on(void)
{
    static char long_one[2 * 1024 + 64];
    struct client c;
    server_begin();
    client_open(&c, ADMIN);
    MT_ASSERT(get(&c, "recovery") == 200);
    MT_ASSERT(open_epoch(&c, ADMIN, 0) == 409); /* it was not restored */
    await_recovery();
    MT_ASSERT(get(&c, "status") == 200 && get(&c, "keyslots") >= 400);
    MT_ASSERT(get(&c, "recovery") == 200 && number_of(&c, "next_epoch") == 1);
    MT_ASSERT(send_to(&c, "POST", "recovery", "") == 400);
    MT_ASSERT(send_to(&c, "POST", "recovery", "{\"more\":1}") == 400);
    MT_ASSERT(send_to(&c, "POST", "recovery", "{}") == 400);
    MT_ASSERT(send_to(&c, "POST", "recovery", "{\"statement\":\"6B\"}") == 400);
    MT_ASSERT(send_to(&c, "POST", "recovery", "{\"statement\":\"6b\"}") >= 400);
    (void)snprintf(long_one, sizeof long_one, "{\"statement\":\"%0*d\"}", 2 * 1024 + 2, 0);
    MT_ASSERT(send_to(&c, "POST", "recovery", long_one) == 400);
    MT_ASSERT(open_epoch(&c, ALICE, 0) == 422);
    MT_ASSERT(open_epoch(&c, ADMIN, 1) == 409);
    MT_ASSERT(recovered == 0 && server->awaits_recovery);
    MT_ASSERT(open_epoch(&c, ADMIN, 0) == 201);
    MT_ASSERT(recovered == 1 && !server->awaits_recovery);
    MT_ASSERT(get(&c, "keyslots") == 200);
    client_free(&c);
    server_end();
}

/* The ledger of the backup names keys that were removed since; their file the host may have. */
static void a_restored_node_hands_out_no_key_of_before(void)
{
    const mt_id kept[] = {{{1}}, {{2}}};
    struct mt_tx *t = NULL;
    struct client c;
    uint64_t version = 0;
    server_begin();
    client_open(&c, ADMIN);
    OK(mt_ledger_begin(ledger, mt_server_peers_maps, now_ms, &t));
    for (size_t i = 0; i < 2; i++) {
        OK(mt_tx_put(t, &mt_server_peers_maps[0], mt_id_bytes(&kept[i]), (mt_bytes){NULL, 0}));
    }
    OK(mt_ledger_commit(ledger, &t, &version));
    spin();
    await_recovery();
    MT_ASSERT(open_epoch(&c, ADMIN, 0) == 201);
    OK(mt_ledger_begin(ledger, mt_server_peers_maps, now_ms, &t));
    MT_ASSERT(!mt_server_peers_has(t, &kept[0]) && !mt_server_peers_has(t, &kept[1]));
    mt_ledger_abort(ledger, &t);
    client_free(&c);
    server_end();
}

static void a_rotation_that_is_asked_for_again_begins_again_and_one_that_fails_goes_on_later(void)
{
    server_begin();
    uint64_t epoch = mt_shred_epoch(shred);
    mt_server_shred_now(server);
    mt_server_shred_now(server);
    for (int i = 0; i < 6; i++) {
        spin();
    }
    MT_ASSERT(mt_shred_epoch(shred) == epoch + 2 && !mt_shred_is_rotating(shred));
    disk_fault(MT_SIM_ERROR, 0);
    mt_server_shred_now(server); /* no new key */
    disk_heal();
    MT_ASSERT(mt_shred_epoch(shred) == epoch + 2 && !server->is_shredding);
    OK(mt_shred_begin(shred)); /* what a crash has interrupted */
    mt_server_shred_now(server);
    for (int i = 0; i < 6; i++) {
        spin();
    }
    MT_ASSERT(mt_shred_epoch(shred) == epoch + 3 && !mt_shred_is_rotating(shred));
    server_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(status_and_head_are_for_everybody_and_the_audit_log_for_administrators),
        MT_TEST(key_slots_come_and_go_by_an_administrator_and_the_last_one_stays),
        MT_TEST(an_administrator_moves_the_clock_to_where_the_host_says_it_is),
        MT_TEST(a_claim_has_a_secret_of_32_bytes_and_tells_a_stranger_nothing),
        MT_TEST(a_backup_is_an_administrators_and_sealed_under_what_they_say),
        MT_TEST(a_restored_node_serves_nobody_until_an_administrator_signs_where_it_goes_on),
        MT_TEST(a_restored_node_hands_out_no_key_of_before),
        MT_TEST(a_rotation_that_is_asked_for_again_begins_again_and_one_that_fails_goes_on_later),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
