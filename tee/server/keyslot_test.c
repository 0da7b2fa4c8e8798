/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/client_test.h"
#include "unit/runner.h"

/* A key slot for the machine's device, which is asked beside the loop. */
#define DEVICE                                                                                     \
    "POST /mesatee/v1/keyslots HTTP/1.1\r\nhost: x\r\ncontent-length: 17\r\n\r\n"                  \
    "{\"kind\":\"device\"}"
#define MORE                                                                                       \
    "POST /mesatee/v1/keyslots HTTP/1.1\r\nhost: x\r\ncontent-length: 31\r\n\r\n"                  \
    "{\"kind\":\"device\",\"secret\":\"6b\"}"

static size_t slots(void)
{
    struct mt_slot_info info[8];
    size_t count = 0;
    OK(mt_slot_list(fs, info, 8, &count));
    return count;
}

static void begin(struct client *c, enum person who)
{
    has_tpm = true;
    server_begin();
    client_open(c, who);
}

static void end(struct client *c)
{
    has_tpm = false;
    is_device_broken = false;
    client_free(c);
    server_end();
}

static unsigned ask_for_slot(struct client *c)
{
    client_say(c, DEVICE);
    net_spin();
    while (evidence_step()) {
    }
    spin();
    return client_hears(c) ? c->status : 0;
}

static void a_slot_of_the_device_is_made_beside_the_loop(void)
{
    struct client c;
    struct client other;
    begin(&c, ADMIN);
    client_open(&other, BOB);
    client_say(&c, DEVICE);
    net_spin();
    MT_ASSERT(evidence_pool.first != NULL && slots() == 1); /* the device is at work */
    MT_ASSERT(ask_server(&other, "GET /t/quick HTTP/1.1\r\nhost: x\r\n\r\n") == 200);
    MT_ASSERT(evidence_step());
    spin();
    MT_ASSERT(client_hears(&c) && c.status == 201 && slots() == 2);
    MT_ASSERT(ask_for_slot(&c) == 201 && slots() == 3);
    client_free(&other);
    end(&c);
}

static void only_an_administrator_keeps_the_device_busy(void)
{
    static const enum person others[] = {ALICE, MALLORY};
    for (size_t i = 0; i < 2; i++) {
        struct client c;
        begin(&c, others[i]);
        MT_ASSERT(ask_server(&c, DEVICE) == 403 || c.status == 404);
        MT_ASSERT(evidence_pool.first == NULL && slots() == 1);
        end(&c);
    }
}

static void a_device_that_makes_none_leaves_none(void)
{
    struct client c;
    begin(&c, ADMIN);
    is_device_broken = true;
    MT_ASSERT(ask_for_slot(&c) == 500 && slots() == 1);
    is_device_broken = false;
    MT_ASSERT(ask_server(&c, MORE) == 400 && evidence_pool.first == NULL);
    evidence_pool.is_full = true;
    MT_ASSERT(ask_server(&c, DEVICE) == 503);
    evidence_pool.is_full = false;
    MT_ASSERT(ask_for_slot(&c) == 201 && slots() == 2);
    end(&c);
}

static void without_a_device_there_is_no_such_slot(void)
{
    struct client c;
    server_begin();
    client_open(&c, ADMIN);
    MT_ASSERT(ask_server(&c, DEVICE) == 400 && slots() == 1);
    end(&c);
}

static void who_leaves_meanwhile_gets_no_slot(void)
{
    struct client c;
    begin(&c, ADMIN);
    client_say(&c, DEVICE);
    net_spin();
    MT_ASSERT(evidence_pool.first != NULL);
    client_hang_up(&c);
    MT_ASSERT(evidence_step()); /* comes back to nobody */
    MT_ASSERT(slots() == 1);
    end(&c);
}

#define HASH "0707070707070707070707070707070707070707070707070707070707070707"
#define PEER                                                                                       \
    "POST /mesatee/v1/keyslots HTTP/1.1\r\nhost: x\r\ncontent-length: 210\r\n\r\n"                 \
    "{\"cluster\":\"" HASH "\",\"kind\":\"peer\",\"peer\":\"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\","   \
    "\"policy\":\"" HASH "\"}"

/* The other node is asked beside the loop, by the names that the administrator gave. */
static void a_slot_for_a_peer_is_made_beside_the_loop(void)
{
    struct client c;
    begin(&c, ADMIN);
    client_say(&c, PEER);
    net_spin();
    MT_ASSERT(evidence_pool.first != NULL && slots() == 1);
    while (evidence_step()) {
    }
    spin();
    MT_ASSERT(client_hears(&c) && c.status == 201 && slots() == 2);
    MT_ASSERT(peer_wanted.name.key.b[0] == 10 && peer_wanted.name.cluster.b[31] == 7);
    MT_ASSERT(peer_wanted.policy.b[0] == 7);
    MT_ASSERT(ask_server(&c, "GET /mesatee/v1/keyslots HTTP/1.1\r\nhost: x\r\n\r\n") == 200);
    const struct mt_json *list = NULL;
    size_t count = 0;
    mt_bytes kind;
    mt_bytes name;
    OK(mt_json_array(c.json, "keyslots", 8, &list, &count));
    OK(mt_json_text(mt_json_at(list, 1), "kind", &kind));
    OK(mt_json_text(mt_json_at(list, 1), "peer", &name));
    MT_ASSERT(mt_bytes_equal(kind, MT_LITERAL("peer")) && name.len == 32);
    end(&c);
}

static void who_may_not_add_a_slot_has_no_peer_asked(void)
{
    struct client c;
    begin(&c, ALICE);
    MT_ASSERT(ask_server(&c, PEER) == 403 && evidence_pool.first == NULL);
    end(&c);
    server_begin(); /* without a peer in the configuration */
    client_open(&c, ADMIN);
    MT_ASSERT(ask_server(&c, PEER) == 400 && evidence_pool.first == NULL && slots() == 1);
    end(&c);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_slot_of_the_device_is_made_beside_the_loop),
        MT_TEST(only_an_administrator_keeps_the_device_busy),
        MT_TEST(a_device_that_makes_none_leaves_none),
        MT_TEST(without_a_device_there_is_no_such_slot),
        MT_TEST(who_leaves_meanwhile_gets_no_slot),
        MT_TEST(a_slot_for_a_peer_is_made_beside_the_loop),
        MT_TEST(who_may_not_add_a_slot_has_no_peer_asked),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
