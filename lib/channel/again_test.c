/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/world_test.h"
#include "unit/runner.h"

/* Evidence once more, on a channel that is open: honest ends, and ends that lie. */
static mt_err show_again(struct mt_channel *node, struct mt_channel *client, enum party machine,
                         const uint8_t nonce[MT_CHANNEL_NONCE_LEN])
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    uint8_t report_data[MT_REPORT_DATA_LEN];
    OK(mt_channel_bind_again(node, nonce, report_data));
    const struct mt_shown shown = {.format = MT_LITERAL("soft"),
                                   .evidence = world_evidence(&room, machine, report_data)};
    return mt_channel_see_again(client, &shown, &world_appraiser, NOW_MS);
}

static struct pair open_pair(void)
{
    struct pair p = pair_of(node_options(), client_options());
    pair_run(&p, SIZE_MAX);
    MT_ASSERT(is_open(&p));
    return p;
}

static void evidence_is_shown_again_on_an_open_channel(void)
{
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    uint8_t before[MT_CHANNEL_NONCE_LEN] = {0};
    struct pair p = open_pair();
    for (int i = 0; i < 3; i++) {
        OK(mt_channel_ask_again(p.client, nonce));
        MT_ASSERT(!mt_bytes_equal(MT_BYTES_OF(nonce), MT_BYTES_OF(before)));
        memcpy(before, nonce, sizeof nonce);
        OK(show_again(p.node, p.client, PLATFORM, nonce));
        MT_ASSERT(is_open(&p));
        MT_ASSERT(mt_channel_peer(p.client)->appraisal->verdict.level == MT_LEVEL_SOFT);
    }
    send_all(p.client, MT_LITERAL("and on"));
    pair_run(&p, SIZE_MAX);
    MT_ASSERT(is_read(p.node, MT_LITERAL("and on")));
    pair_free(&p);
}

/* It is closed, so that nothing of ours leaves any more, and the rule stays to be told. */
static void a_verdict_that_turns_closes_the_channel(void)
{
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    size_t taken = 0;
    struct pair p = open_pair();
    const struct mt_policy trusted = world_policy;
    world_policy.measurements[0].b[0] ^= 1;
    OK(mt_channel_ask_again(p.client, nonce));
    MT_ASSERT(is_code(show_again(p.node, p.client, PLATFORM, nonce), MT_E_DENIED));
    world_policy = trusted;
    MT_ASSERT(mt_channel_state(p.client) == MT_CHANNEL_CLOSED);
    MT_ASSERT(is_code(mt_channel_write(p.client, MT_LITERAL("x"), &taken), MT_E_CLOSED));
    const struct mt_check *why = mt_trace_failed(&mt_channel_peer(p.client)->appraisal->trace);
    MT_ASSERT(why != NULL && strcmp(why->rule, "measurement-unknown") == 0);
    pair_free(&p);
}

static void evidence_of_before_is_not_evidence_again(void)
{
    uint8_t first[MT_CHANNEL_NONCE_LEN];
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    struct pair p = open_pair();
    OK(mt_channel_ask_again(p.client, first));
    OK(show_again(p.node, p.client, PLATFORM, first));
    OK(mt_channel_ask_again(p.client, nonce));
    MT_ASSERT(is_code(show_again(p.node, p.client, PLATFORM, first), MT_E_PROOF));
    MT_ASSERT(mt_channel_state(p.client) == MT_CHANNEL_CLOSED);
    pair_free(&p);
}

static void evidence_that_nobody_asked_for_is_refused(void)
{
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    struct pair p = open_pair();
    OK(mt_channel_ask_again(p.client, nonce));
    OK(show_again(p.node, p.client, PLATFORM, nonce));
    MT_ASSERT(is_code(show_again(p.node, p.client, PLATFORM, nonce), MT_E_PROOF));
    pair_free(&p);
}

static void evidence_of_another_connection_is_not_evidence_again(void)
{
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    struct pair p = open_pair();
    struct pair other = open_pair();
    OK(mt_channel_ask_again(p.client, nonce));
    MT_ASSERT(is_code(show_again(other.node, p.client, PLATFORM, nonce), MT_E_PROOF));
    MT_ASSERT(mt_channel_state(p.client) == MT_CHANNEL_CLOSED);
    pair_free(&p);
    pair_free(&other);
}

static void another_machine_is_not_shown_again(void)
{
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    struct pair p = open_pair();
    OK(mt_channel_ask_again(p.client, nonce));
    MT_ASSERT(is_code(show_again(p.node, p.client, FRESH_PLATFORM, nonce), MT_E_PROOF));
    pair_free(&p);
}

static void nothing_is_asked_again_before_the_channel_is_open_or_of_who_has_nothing(void)
{
    uint8_t nonce[MT_CHANNEL_NONCE_LEN] = {0};
    uint8_t report_data[MT_REPORT_DATA_LEN];
    struct mt_channel *early = channel_of(client_options());
    MT_ASSERT(is_code(mt_channel_ask_again(early, nonce), MT_E_CLOSED));
    MT_ASSERT(is_code(mt_channel_bind_again(early, nonce, report_data), MT_E_CLOSED));
    mt_channel_free(&early);
    struct pair p = open_pair();
    MT_ASSERT(is_code(mt_channel_bind_again(p.client, nonce, report_data), MT_E_NOTFOUND));
    pair_free(&p);
}

/* A node that judges nobody in the round asks a client later, for one purpose. */
static void a_peer_that_nobody_judged_can_be_asked(void)
{
    static struct mt_appraisal a;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    uint8_t nonce[MT_CHANNEL_NONCE_LEN];
    uint8_t report_data[MT_REPORT_DATA_LEN];
    struct mt_channel_options client = client_options();
    client.has_evidence = true;
    struct pair p = pair_of(node_options(), client);
    pair_run(&p, SIZE_MAX);
    MT_ASSERT(is_open(&p) && !mt_channel_is_asked(p.node));
    OK(mt_channel_ask_again(p.node, nonce));
    MT_ASSERT(mt_channel_is_asked(p.node));
    OK(mt_channel_bind_again(p.client, nonce, report_data));
    const struct mt_shown shown = {.format = MT_LITERAL("soft"),
                                   .evidence = world_evidence(&room, PLATFORM, report_data)};
    OK(mt_channel_see_asked(p.node, &shown, &world_appraiser, NOW_MS, &a));
    MT_ASSERT(a.verdict.level == MT_LEVEL_SOFT && !mt_channel_is_asked(p.node));
    MT_ASSERT(is_code(mt_channel_see_asked(p.node, &shown, &world_appraiser, NOW_MS, &a),
                      MT_E_PROOF)); /* the nonce is used */
    OK(mt_channel_ask_again(p.node, nonce));
    MT_ASSERT(
        is_code(mt_channel_see_asked(p.node, &shown, &world_appraiser, NOW_MS, &a), MT_E_PROOF) &&
        a.verdict.level == 0);
    MT_ASSERT(is_open(&p));
    pair_free(&p);
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(a_peer_that_nobody_judged_can_be_asked),
        MT_TEST(evidence_is_shown_again_on_an_open_channel),
        MT_TEST(a_verdict_that_turns_closes_the_channel),
        MT_TEST(evidence_of_before_is_not_evidence_again),
        MT_TEST(evidence_that_nobody_asked_for_is_refused),
        MT_TEST(evidence_of_another_connection_is_not_evidence_again),
        MT_TEST(another_machine_is_not_shown_again),
        MT_TEST(nothing_is_asked_again_before_the_channel_is_open_or_of_who_has_nothing),
    };
    channel_world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    channel_world_end();
    return rc;
}
