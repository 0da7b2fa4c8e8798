/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/liar_test.h"

/* The round of attestation: one honest end, and a liar who holds whatever keys it needs. */

/* The node's machine makes evidence for whatever binding the liar asks it for. */
static mt_bytes evidence_for(struct host *h, struct mt_buf *room, const struct mt_binding *b)
{
    uint8_t report_data[MT_REPORT_DATA_LEN];
    liar_binds(&h->liar, b, h->nonce, report_data);
    return world_evidence(room, PLATFORM, report_data);
}

static mt_err host_shows(struct host *h, mt_bytes evidence)
{
    return liar_shows(&h->liar, h->client, MT_LITERAL("soft"), evidence);
}

static bool is_unbound(const struct host *h, mt_err e)
{
    return is_refused(e, MT_E_PROOF, &mt_channel_peer(h->client)->appraisal->trace,
                      "report-data") &&
           mt_channel_state(h->client) == MT_CHANNEL_CLOSED;
}

static void each_connection_asks_with_a_nonce_of_its_own(void)
{
    struct host first = host_of(identity_of_node->ctx, client_options());
    struct host second = host_of(identity_of_node->ctx, client_options());
    MT_ASSERT(!mt_bytes_equal(MT_BYTES_OF(first.nonce), MT_BYTES_OF(second.nonce)));
    host_free(&first);
    host_free(&second);
}

static void a_host_that_tells_the_truth_is_believed(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    const struct mt_binding b = node_binding();
    struct host h = host_of(identity_of_node->ctx, client_options());
    OK(liar_asks(&h.liar, h.client, "none", sevens));
    OK(host_shows(&h, evidence_for(&h, &room, &b)));
    MT_ASSERT(mt_channel_state(h.client) == MT_CHANNEL_OPEN);
    host_free(&h);
}

static void evidence_bound_to_anything_else_is_refused(void)
{
    struct mt_binding wrong[5];
    for (size_t i = 0; i < 5; i++) {
        wrong[i] = node_binding();
    }
    wrong[0].role = MT_ROLE_CLIENT;
    wrong[1].own = subject_of(STRANGER);
    wrong[2].peer = subject_of(STRANGER);
    wrong[3].service.b[0] ^= 1;
    wrong[4].service = (mt_hash){{0}};
    for (size_t i = 0; i < 5; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
        struct host h = host_of(identity_of_node->ctx, client_options());
        OK(liar_asks(&h.liar, h.client, "none", sevens));
        MT_ASSERT(is_unbound(&h, host_shows(&h, evidence_for(&h, &room, &wrong[i]))));
        host_free(&h);
    }
}

static void evidence_for_another_nonce_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    const struct mt_binding b = node_binding();
    struct host h = host_of(identity_of_node->ctx, client_options());
    h.nonce[31] ^= 1;
    OK(liar_asks(&h.liar, h.client, "none", sevens));
    MT_ASSERT(is_unbound(&h, host_shows(&h, evidence_for(&h, &room, &b))));
    host_free(&h);
}

/* A host that asks for evidence bound to no cluster gets it, and still has to show evidence bound
 * to the client's own. */
static void a_host_cannot_talk_the_client_out_of_its_cluster(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    struct mt_binding b = node_binding();
    struct host h = host_of(identity_of_node->ctx, client_options());
    b.service = (mt_hash){{0}};
    OK(liar_asks(&h.liar, h.client, "soft-any", sevens));
    MT_ASSERT(is_unbound(&h, host_shows(&h, evidence_for(&h, &room, &b))));
    host_free(&h);
}

/* Whoever has both ends' keys, and the client's nonce, still lacks the other connection's secrets.
 */
static void evidence_of_a_second_connection_at_the_same_time_is_refused(void)
{
    struct host h = host_of(identity_of_node->ctx, client_options());
    struct guest g = guest_of(identity_of_client->ctx);
    uint8_t nonce[MT_ATTEST_NONCE_BYTES];
    struct mt_attest relayed;
    OK(liar_asks(&g.liar, g.node, "soft", h.nonce));
    OK(show_evidence(g.node));
    liar_reads_request(&g.liar, g.node, nonce);
    OK(mt_attest_parse(liar_reads(&g.liar, g.node), &relayed));
    OK(liar_asks(&h.liar, h.client, "none", nonce));
    MT_ASSERT(is_unbound(&h, host_shows(&h, relayed.evidence)));
    host_free(&h);
    guest_free(&g);
}

static void evidence_of_an_earlier_connection_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    const struct mt_binding b = node_binding();
    struct host first = host_of(identity_of_node->ctx, client_options());
    mt_bytes evidence = evidence_for(&first, &room, &b);
    OK(liar_asks(&first.liar, first.client, "none", sevens));
    OK(host_shows(&first, evidence));
    struct host second = host_of(identity_of_node->ctx, client_options());
    OK(liar_asks(&second.liar, second.client, "none", sevens));
    MT_ASSERT(is_unbound(&second, host_shows(&second, evidence)));
    host_free(&first);
    host_free(&second);
}

/* Both show evidence; the liar has none, asks with the very nonce that it was asked with, and holds
 * up a mirror. Both ends even hold the same key. */
static void evidence_that_is_reflected_is_refused(void)
{
    static uint8_t copy[4096];
    struct mt_channel_identity *mirrored = NULL;
    struct mt_channel_options o = client_options();
    struct mt_attest reflected;
    OK(mt_channel_identity_new(keys[SERVICE], MT_CHANNEL_CLIENT, &mirrored));
    o.identity = mirrored;
    o.has_evidence = true;
    struct host h = host_of(identity_of_node->ctx, o);
    OK(liar_asks(&h.liar, h.client, "soft", h.nonce));
    OK(show_evidence(h.client));
    mt_bytes message = liar_reads(&h.liar, h.client);
    memcpy(copy, message.ptr, message.len);
    OK(mt_attest_parse((mt_bytes){copy, message.len}, &reflected));
    MT_ASSERT(is_unbound(&h, host_shows(&h, reflected.evidence)));
    host_free(&h);
    mt_channel_identity_free(&mirrored);
}

static void a_host_without_evidence_is_refused(void)
{
    struct host h = host_of(identity_of_node->ctx, client_options());
    OK(liar_asks(&h.liar, h.client, "none", sevens));
    mt_err e = liar_shows(&h.liar, h.client, MT_LITERAL("none"), MT_LITERAL(""));
    MT_ASSERT(
        is_refused(e, MT_E_PROOF, &mt_channel_peer(h.client)->appraisal->trace, "evidence-kind"));
    host_free(&h);
}

/* ATTEST with one flipped bit, or cut, in a frame of its own. */
static mt_err host_shows_damaged(size_t at, bool is_cut, size_t *len)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    MT_DEFER(mt_buf_free) struct mt_buf message = mt_buf_of_max(4096);
    MT_DEFER(mt_buf_free) struct mt_buf frame = mt_buf_of_max(4096);
    const struct mt_binding b = node_binding();
    struct host h = host_of(identity_of_node->ctx, client_options());
    OK(liar_asks(&h.liar, h.client, "none", sevens));
    mt_bytes m = attest_message(&message, MT_LITERAL("soft"), evidence_for(&h, &room, &b));
    *len = m.len;
    if (at < m.len) {
        message.ptr[at] ^= (uint8_t)(is_cut ? 0 : 1U << (at % 8));
        m.len = is_cut ? at : m.len;
    }
    mt_err e = liar_says(&h.liar, h.client, framed(&frame, m));
    enum mt_channel_state state = mt_channel_state(h.client);
    MT_ASSERT(state == (mt_failed(e) ? MT_CHANNEL_CLOSED : MT_CHANNEL_OPEN));
    host_free(&h);
    return e;
}

static void damaged_evidence_opens_no_channel(void)
{
    size_t len = 1;
    for (size_t at = 0; at < len; at += step) {
        mt_err e = host_shows_damaged(at, false, &len);
        MT_ASSERT(is_code(e, MT_E_FORMAT) || is_code(e, MT_E_PROOF) || is_code(e, MT_E_LIMIT));
    }
    for (size_t at = 1; at < len; at += 5 * step) {
        MT_ASSERT(is_code(host_shows_damaged(at, true, &len), MT_E_FORMAT));
    }
    OK(host_shows_damaged(len, false, &len));
}

/* What a client says first, instead of its ATTEST_REQ. */
static mt_err guest_says(mt_bytes plain)
{
    struct guest g = guest_of(identity_of_client->ctx);
    mt_err e = liar_says(&g.liar, g.node, plain);
    enum mt_channel_state state = mt_channel_state(g.node);
    MT_ASSERT(state == (mt_failed(e) ? MT_CHANNEL_CLOSED : MT_CHANNEL_ATTESTING));
    guest_free(&g);
    return e;
}

static void application_bytes_before_the_round_end_the_channel(void)
{
    MT_ASSERT(is_code(guest_says(MT_LITERAL("GET /mesatee/v1/data HTTP/1.1\r\n")), MT_E_LIMIT));
}

static void a_message_that_is_too_long_is_refused_by_its_length_alone(void)
{
    static const uint8_t longest[] = {0, 1, 0, 0};
    static const uint8_t longer[] = {0, 1, 0, 1};
    static const uint8_t empty[] = {0, 0, 0, 0};
    OK(guest_says(MT_BYTES_OF(longest))); /* waited for */
    MT_ASSERT(is_code(guest_says(MT_BYTES_OF(longer)), MT_E_LIMIT));
    MT_ASSERT(is_code(guest_says(MT_BYTES_OF(empty)), MT_E_FORMAT));
}

static void every_truncation_of_a_request_is_refused(void)
{
    uint8_t room[256];
    struct mt_attest_request q = {.formats = {MT_LITERAL("soft")}, .formats_count = 1};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_attest_request_write(&w, &q);
    mt_bytes message = written(&w);
    for (size_t len = 1; len <= message.len; len++) {
        MT_DEFER(mt_buf_free) struct mt_buf frame = mt_buf_of_max(512);
        mt_err e = guest_says(framed(&frame, (mt_bytes){message.ptr, len}));
        MT_ASSERT(len == message.len ? !mt_failed(e) : is_code(e, MT_E_FORMAT));
    }
}

static void messages_out_of_their_order_end_the_channel(void)
{
    struct guest g = guest_of(identity_of_client->ctx);
    mt_err e = liar_shows(&g.liar, g.node, MT_LITERAL("none"), MT_LITERAL(""));
    MT_ASSERT(is_code(e, MT_E_FORMAT) && mt_channel_state(g.node) == MT_CHANNEL_CLOSED);
    guest_free(&g);
    g = guest_of(identity_of_client->ctx);
    OK(liar_asks(&g.liar, g.node, "soft", sevens));
    e = liar_asks(&g.liar, g.node, "soft", sevens);
    MT_ASSERT(is_code(e, MT_E_FORMAT) && mt_channel_state(g.node) == MT_CHANNEL_CLOSED);
    guest_free(&g);
    g = guest_of(identity_of_client->ctx);
    OK(liar_asks(&g.liar, g.node, "soft", sevens));
    e = liar_says(&g.liar, g.node, MT_LITERAL("GET / HTTP/1.1\r\n"));
    MT_ASSERT(is_code(e, MT_E_LIMIT) && mt_channel_state(g.node) == MT_CHANNEL_CLOSED);
    guest_free(&g);
}

/* Before the node has shown its own evidence, whoever hurries has so much room and no more. */
static void a_flood_before_the_channel_is_open_is_refused(void)
{
    static const uint8_t flood[16 * 1024];
    struct guest g = guest_of(identity_of_client->ctx);
    OK(liar_asks(&g.liar, g.node, "soft", sevens));
    OK(liar_shows(&g.liar, g.node, MT_LITERAL("none"), MT_LITERAL("")));
    mt_err e = MT_OK;
    int rounds = 0;
    while (!mt_failed(e) && rounds < 16) {
        e = liar_says(&g.liar, g.node, MT_BYTES_OF(flood));
        rounds++;
    }
    MT_ASSERT(is_code(e, MT_E_LIMIT) && rounds > 1 && rounds < 16);
    MT_ASSERT(mt_channel_state(g.node) == MT_CHANNEL_CLOSED);
    guest_free(&g);
}

static void a_damaged_record_during_the_round_is_not_a_farewell(void)
{
    struct guest g = guest_of(identity_of_client->ctx);
    size_t taken = 0;
    char *data = NULL;
    uint8_t room[256];
    MT_ASSERT(SSL_write_ex(g.liar.ssl, "hello", 5, &taken) == 1);
    long len = BIO_get_mem_data(g.liar.out, &data);
    MT_ASSERT(len > 0 && (size_t)len <= sizeof room);
    memcpy(room, data, (size_t)len);
    room[len - 1] ^= 1;
    MT_ASSERT(is_code(mt_channel_feed(g.node, (mt_bytes){room, (size_t)len}), MT_E_PROOF));
    MT_ASSERT(mt_channel_state(g.node) == MT_CHANNEL_CLOSED);
    guest_free(&g);
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(each_connection_asks_with_a_nonce_of_its_own),
        MT_TEST(a_host_that_tells_the_truth_is_believed),
        MT_TEST(evidence_bound_to_anything_else_is_refused),
        MT_TEST(evidence_for_another_nonce_is_refused),
        MT_TEST(a_host_cannot_talk_the_client_out_of_its_cluster),
        MT_TEST(evidence_of_a_second_connection_at_the_same_time_is_refused),
        MT_TEST(evidence_of_an_earlier_connection_is_refused),
        MT_TEST(evidence_that_is_reflected_is_refused),
        MT_TEST(a_host_without_evidence_is_refused),
        MT_TEST(damaged_evidence_opens_no_channel),
        MT_TEST(application_bytes_before_the_round_end_the_channel),
        MT_TEST(a_message_that_is_too_long_is_refused_by_its_length_alone),
        MT_TEST(every_truncation_of_a_request_is_refused),
        MT_TEST(messages_out_of_their_order_end_the_channel),
        MT_TEST(a_flood_before_the_channel_is_open_is_refused),
        MT_TEST(a_damaged_record_during_the_round_is_not_a_farewell),
    };
    channel_world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    channel_world_end();
    return rc;
}
