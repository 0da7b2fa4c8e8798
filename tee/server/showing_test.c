/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/client_test.h"
#include "unit/runner.h"

/* Evidence for connections: made on its own thread, and for strangers no more than can be spared.
 */

enum { AT_ONCE = 16, RATE = 4 };

static void evidence_is_made_beside_the_loop(void)
{
    struct client slow;
    struct client c;
    server_begin();
    client_begin(&slow, ALICE);
    net_spin();
    client_listen(&slow);
    net_spin();
    MT_ASSERT(evidence_pool.first != NULL); /* the device is at work */
    MT_ASSERT(mt_channel_state(slow.channel) != MT_CHANNEL_OPEN);
    client_open(&c, BOB); /* and others come after it */
    MT_ASSERT(client_opens(&slow));
    MT_ASSERT(ask_server(&slow, "GET /t/quick HTTP/1.1\r\nhost: x\r\n\r\n") == 200);
    client_free(&slow);
    client_free(&c);
    server_end();
}

static void who_leaves_meanwhile_is_forgotten(void)
{
    struct client c;
    server_begin();
    client_begin(&c, ALICE);
    net_spin();
    client_listen(&c);
    net_spin();
    MT_ASSERT(evidence_pool.first != NULL);
    client_hang_up(&c);
    MT_ASSERT(!is_open(&c));
    MT_ASSERT(evidence_step()); /* comes back to nobody */
    client_free(&c);
    server_end();
}

static void without_evidence_nothing_opens(void)
{
    struct client c;
    server_begin();
    is_device_broken = true;
    client_begin(&c, ALICE);
    MT_ASSERT(!client_opens(&c));
    MT_ASSERT(!is_open(&c));
    MT_ASSERT(server->handshakes_failed == 1);
    is_device_broken = false;
    client_free(&c);
    server_end();
}

static void a_full_queue_refuses(void)
{
    struct client c;
    server_begin();
    evidence_pool.is_full = true;
    client_begin(&c, ALICE);
    MT_ASSERT(!client_opens(&c));
    MT_ASSERT(!is_open(&c));
    evidence_pool.is_full = false;
    client_free(&c);
    server_end();
}

static bool stranger_opens(void)
{
    struct client c;
    client_begin(&c, MALLORY);
    bool opens = client_opens(&c);
    client_hang_up(&c);
    client_free(&c);
    return opens;
}

static void strangers_share_what_the_device_can_spare(void)
{
    struct client c;
    strangers_per_s = RATE;
    server_begin();
    for (size_t i = 0; i < AT_ONCE; i++) {
        MT_ASSERT(stranger_opens());
    }
    MT_ASSERT(!stranger_opens());
    client_open(&c, ALICE); /* whoever is known does not wait for them */
    pass(1000 / RATE - 1);
    MT_ASSERT(!stranger_opens());
    pass(1);
    MT_ASSERT(stranger_opens());
    MT_ASSERT(!stranger_opens());
    strangers_per_s = 0;
    client_free(&c);
    server_end();
}

static void without_a_limit_strangers_are_not_counted(void)
{
    server_begin();
    for (size_t i = 0; i < AT_ONCE * 2; i++) {
        MT_ASSERT(stranger_opens());
    }
    server_end();
}

#define CHALLENGE                                                                                  \
    "POST /mesatee/v1/enrolment HTTP/1.1\r\nhost: x\r\ncontent-length: 44\r\n\r\n"                 \
    "{\"credential_blob\":\"0102ff\",\"secret\":\"aa00\"}"
#define KEYS "GET /mesatee/v1/enrolment HTTP/1.1\r\nhost: x\r\n\r\n"

static unsigned challenge(struct client *c)
{
    client_say(c, CHALLENGE);
    net_spin();
    while (evidence_step()) {
    }
    spin();
    return client_hears(c) ? c->status : 0;
}

static void a_stranger_may_have_a_tpm_prove_itself(void)
{
    struct client c;
    has_tpm = true;
    server_begin();
    client_open(&c, MALLORY);
    MT_ASSERT(ask_server(&c, KEYS) == 200);
    MT_ASSERT(answer_is(&c, "endorsement_certificate", ""));
    MT_ASSERT(answer_is(&c, "endorsement_public", "656b"));
    MT_ASSERT(answer_is(&c, "attestation_public", "616b"));
    MT_ASSERT(challenge(&c) == 200);
    MT_ASSERT(answer_is(&c, "answer", "ff0201"));
    is_device_broken = true;
    MT_ASSERT(challenge(&c) == 403); /* strangers hear one answer */
    is_device_broken = false;
    has_tpm = false;
    client_free(&c);
    server_end();
}

static void a_challenge_that_is_none_does_not_reach_the_device(void)
{
    static const char *const bodies[] = {"{}", "{\"credential_blob\":\"0102\"}",
                                         "{\"credential_blob\":\"01\",\"secret\":\"0\"}",
                                         "{\"credential_blob\":\"01\",\"secret\":\"01\",\"x\":1}"};
    struct client c;
    has_tpm = true;
    server_begin();
    client_open(&c, ALICE);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char text[256];
        (void)snprintf(
            text, sizeof text,
            "POST /mesatee/v1/enrolment HTTP/1.1\r\nhost: x\r\ncontent-length: %zu\r\n\r\n%s",
            strlen(bodies[i]), bodies[i]);
        MT_ASSERT(ask_server(&c, text) == 400);
        MT_ASSERT(evidence_pool.first == NULL);
    }
    has_tpm = false;
    client_free(&c);
    server_end();
}

static void a_machine_without_a_tpm_has_nothing_to_enrol(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    MT_ASSERT(ask_server(&c, KEYS) == 404);
    MT_ASSERT(ask_server(&c, CHALLENGE) == 404);
    client_free(&c);
    server_end();
}

static void challenges_count_against_strangers_too(void)
{
    struct client c;
    has_tpm = true;
    strangers_per_s = RATE;
    server_begin();
    client_open(&c, MALLORY);
    for (size_t i = 1; i < AT_ONCE; i++) {
        MT_ASSERT(challenge(&c) == 200);
    }
    MT_ASSERT(challenge(&c) != 200);
    MT_ASSERT(evidence_pool.first == NULL);
    strangers_per_s = 0;
    has_tpm = false;
    client_free(&c);
    server_end();
}

/* ---- once more, on an open connection */
#define AGAIN                                                                                      \
    "POST /mesatee/v1/attestation HTTP/1.1\r\nhost: x\r\ncontent-length: 76\r\n\r\n"               \
    "{\"nonce\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}"

static unsigned ask_again(struct client *c)
{
    client_say(c, AGAIN);
    net_spin();
    while (evidence_step()) {
    }
    spin();
    return client_hears(c) ? c->status : 0;
}

/* The world's device shows the report data itself. */
static bool is_evidence_of(const struct client *c, const char *last)
{
    mt_bytes text;
    return answer_is(c, "format", "soft") && !mt_failed(mt_json_text(c->json, "evidence", &text)) &&
           text.len == 128 && !mt_bytes_equal(text, mt_bytes_of_text(last));
}

static void evidence_is_shown_once_more_on_an_open_connection(void)
{
    char first[129] = "";
    struct client c;
    struct client other;
    server_begin();
    client_open(&c, MALLORY);
    client_open(&other, MALLORY);
    MT_ASSERT(ask_again(&c) == 200);
    MT_ASSERT(is_evidence_of(&c, first));
    mt_bytes text;
    OK(mt_json_text(c.json, "evidence", &text));
    memcpy(first, text.ptr, 128);
    MT_ASSERT(ask_again(&other) == 200);
    MT_ASSERT(is_evidence_of(&other, first)); /* the same nonce, another connection */
    MT_ASSERT(ask_server(&c, "GET /t/quick HTTP/1.1\r\nhost: x\r\n\r\n") != 0); /* and on */
    MT_ASSERT(is_open(&c));
    client_free(&c);
    client_free(&other);
    server_end();
}

static void a_question_for_evidence_that_is_none_does_not_reach_the_device(void)
{
    static const char *const bodies[] = {"{}", "{\"nonce\":\"00\"}", "{\"nonce\":1}", "[]"};
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char text[256];
        (void)snprintf(
            text, sizeof text,
            "POST /mesatee/v1/attestation HTTP/1.1\r\nhost: x\r\ncontent-length: %zu\r\n\r\n%s",
            strlen(bodies[i]), bodies[i]);
        MT_ASSERT(ask_server(&c, text) == 400);
        MT_ASSERT(evidence_pool.first == NULL);
    }
    client_free(&c);
    server_end();
}

static void a_device_that_fails_meanwhile_is_no_evidence(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    is_device_broken = true;
    MT_ASSERT(ask_again(&c) == 500);
    is_device_broken = false;
    MT_ASSERT(ask_again(&c) == 200);
    evidence_pool.is_full = true;
    MT_ASSERT(ask_again(&c) != 200);
    evidence_pool.is_full = false;
    client_free(&c);
    server_end();
}

static void who_asks_once_more_and_leaves_is_forgotten(void)
{
    struct client c;
    server_begin();
    client_open(&c, ALICE);
    client_say(&c, AGAIN);
    net_spin();
    MT_ASSERT(evidence_pool.first != NULL);
    client_hang_up(&c);
    MT_ASSERT(evidence_step());
    client_free(&c);
    server_end();
}

static void questions_once_more_count_against_strangers_too(void)
{
    struct client c;
    strangers_per_s = RATE;
    server_begin();
    client_open(&c, MALLORY);
    for (size_t i = 1; i < AT_ONCE; i++) {
        MT_ASSERT(ask_again(&c) == 200);
    }
    MT_ASSERT(ask_again(&c) != 200);
    MT_ASSERT(evidence_pool.first == NULL);
    strangers_per_s = 0;
    client_free(&c);
    server_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(evidence_is_made_beside_the_loop),
        MT_TEST(who_leaves_meanwhile_is_forgotten),
        MT_TEST(without_evidence_nothing_opens),
        MT_TEST(a_full_queue_refuses),
        MT_TEST(strangers_share_what_the_device_can_spare),
        MT_TEST(without_a_limit_strangers_are_not_counted),
        MT_TEST(a_stranger_may_have_a_tpm_prove_itself),
        MT_TEST(a_challenge_that_is_none_does_not_reach_the_device),
        MT_TEST(a_machine_without_a_tpm_has_nothing_to_enrol),
        MT_TEST(challenges_count_against_strangers_too),
        MT_TEST(evidence_is_shown_once_more_on_an_open_connection),
        MT_TEST(a_question_for_evidence_that_is_none_does_not_reach_the_device),
        MT_TEST(a_device_that_fails_meanwhile_is_no_evidence),
        MT_TEST(who_asks_once_more_and_leaves_is_forgotten),
        MT_TEST(questions_once_more_count_against_strangers_too),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
