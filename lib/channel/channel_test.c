/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/channel.h"

#include <openssl/err.h>

#include "channel/world_test.h"
#include "unit/scarce.h"

/* Two honest ends, and what happens to their bytes on the way. */

enum { NO_LIMIT = 1 << 20 };

static uint8_t plenty[200 * 1024];

static void talk(struct pair *p)
{
    send_all(p->client, MT_LITERAL("question"));
    send_all(p->node, MT_BYTES_OF(plenty));
    pair_run(p, NO_LIMIT);
    MT_ASSERT(is_read(p->node, MT_LITERAL("question")));
    MT_ASSERT(is_read(p->client, MT_BYTES_OF(plenty)));
}

static void a_client_that_is_satisfied_by_the_node_talks_to_it(void)
{
    const mt_hash node = subject_of(SERVICE);
    const mt_hash client = subject_of(OWNER);
    struct pair p = pair_of(node_options(), client_options());
    pair_run(&p, NO_LIMIT);
    MT_ASSERT(is_open(&p) && !mt_failed(p.node_err) && !mt_failed(p.client_err));
    const struct mt_channel_peer *peer = mt_channel_peer(p.client);
    MT_ASSERT(mt_hash_equal(&peer->subject, &node) && peer->has_evidence);
    MT_ASSERT(peer->appraisal->verdict.level == MT_LEVEL_SOFT);
    peer = mt_channel_peer(p.node);
    MT_ASSERT(mt_hash_equal(&peer->subject, &client) && !peer->has_evidence);
    MT_ASSERT(peer->appraisal == NULL);
    talk(&p);
    pair_free(&p);
}

static void two_nodes_appraise_each_other(void)
{
    struct mt_channel_options one = node_options();
    struct mt_channel_options other = client_options();
    one.appraiser = &world_appraiser;
    other.has_evidence = true;
    struct pair p = pair_of(one, other);
    pair_run(&p, NO_LIMIT);
    MT_ASSERT(is_open(&p));
    MT_ASSERT(mt_channel_peer(p.node)->appraisal->verdict.level == MT_LEVEL_SOFT);
    MT_ASSERT(mt_channel_peer(p.client)->appraisal->verdict.level == MT_LEVEL_SOFT);
    talk(&p);
    pair_free(&p);
}

static void a_client_without_evidence_is_refused_where_some_is_demanded(void)
{
    struct mt_channel_options demanding = node_options();
    demanding.appraiser = &world_appraiser;
    struct pair p = pair_of(demanding, client_options());
    pair_run(&p, NO_LIMIT);
    MT_ASSERT(is_refused(p.node_err, MT_E_PROOF, &mt_channel_peer(p.node)->appraisal->trace,
                         "evidence-kind"));
    MT_ASSERT(mt_channel_state(p.node) == MT_CHANNEL_CLOSED);
    pair_free(&p);
}

static void a_node_that_policy_refuses_reads_nothing(void)
{
    struct pair p = pair_of(node_options(), client_options());
    uint8_t room[16];
    size_t n = 1;
    world_policy.minimum_level = MT_LEVEL_TPM;
    pair_run(&p, NO_LIMIT);
    world_policy.minimum_level = MT_LEVEL_SOFT;
    MT_ASSERT(is_refused(p.client_err, MT_E_DENIED, &mt_channel_peer(p.client)->appraisal->trace,
                         "level-minimum"));
    MT_ASSERT(mt_channel_state(p.client) == MT_CHANNEL_CLOSED);
    MT_ASSERT(is_code(mt_channel_write(p.client, MT_LITERAL("secret"), &n), MT_E_CLOSED));
    OK(mt_channel_read(p.client, (mt_span){room, sizeof room}, &n));
    MT_ASSERT(n == 0);
    MT_ASSERT(is_code(mt_channel_feed(p.client, MT_LITERAL("more")), MT_E_CLOSED));
    pair_free(&p);
}

static void no_application_byte_passes_before_the_channel_is_open(void)
{
    struct pair p = pair_of(node_options(), client_options());
    bool moves = true;
    OK(mt_channel_start(p.client));
    while (moves) {
        size_t n = 0;
        if (!is_open(&p)) {
            struct mt_channel *c =
                mt_channel_state(p.client) == MT_CHANNEL_OPEN ? p.node : p.client;
            MT_ASSERT(is_code(mt_channel_write(c, MT_LITERAL("early"), &n), MT_E_CLOSED));
        }
        moves = carry(p.client, p.node, 100, &p.node_err);
        OK(show_evidence(p.node));
        moves = carry(p.node, p.client, 100, &p.client_err) || moves;
    }
    MT_ASSERT(is_open(&p));
    pair_free(&p);
}

static void bytes_may_come_one_by_one(void)
{
    struct pair p = pair_of(node_options(), client_options());
    pair_run(&p, 1);
    MT_ASSERT(is_open(&p));
    send_all(p.client, MT_LITERAL("slowly"));
    pair_run(&p, 1);
    MT_ASSERT(is_read(p.node, MT_LITERAL("slowly")));
    pair_free(&p);
}

/* The client is open, and writes, before the node has been fed the end of the client's round. */
static void bytes_that_come_with_the_end_of_the_round_are_not_lost(void)
{
    struct pair p = pair_of(node_options(), client_options());
    uint8_t all[8192];
    size_t len = 0;
    OK(mt_channel_start(p.client));
    (void)carry(p.client, p.node, NO_LIMIT, &p.node_err);
    (void)carry(p.node, p.client, NO_LIMIT, &p.client_err);
    mt_bytes out = mt_channel_output(p.client); /* Finished, ATTEST_REQ, kept back ... */
    memcpy(all, out.ptr, out.len);
    len = out.len;
    mt_channel_sent(p.client, len);
    OK(mt_channel_feed(p.node, (mt_bytes){all, len}));
    OK(show_evidence(p.node));
    (void)carry(p.node, p.client, NO_LIMIT, &p.client_err);
    MT_ASSERT(mt_channel_state(p.client) == MT_CHANNEL_OPEN);
    MT_ASSERT(mt_channel_state(p.node) == MT_CHANNEL_ATTESTING);
    send_all(p.client, MT_LITERAL("question"));
    pair_run(&p, NO_LIMIT);
    uint8_t room[3];
    size_t got = 0;
    OK(mt_channel_read(p.node, (mt_span){room, 0}, &got));
    OK(mt_channel_read(p.node, (mt_span){room, sizeof room}, &got));
    MT_ASSERT(got == 3 && is_read(p.node, MT_LITERAL("stion")));
    pair_free(&p);
}

static void an_end_of_another_cluster_is_refused(void)
{
    struct mt_channel_options astray = client_options();
    astray.service.b[31] ^= 1;
    struct pair p = pair_of(node_options(), astray);
    pair_run(&p, NO_LIMIT);
    MT_ASSERT(is_refused(p.client_err, MT_E_PROOF, &mt_channel_peer(p.client)->appraisal->trace,
                         "report-data"));
    pair_free(&p);
}

static void a_client_that_knows_no_cluster_yet_is_shown_evidence_for_any(void)
{
    struct mt_channel_options new_here = client_options();
    new_here.service = (mt_hash){{0}};
    struct pair p = pair_of(node_options(), new_here);
    pair_run(&p, NO_LIMIT);
    MT_ASSERT(is_open(&p));
    pair_free(&p);
}

static void the_end_of_a_stream_is_told_from_its_being_cut_off(void)
{
    uint8_t room[64];
    mt_err e;
    struct pair p = pair_of(node_options(), client_options());
    pair_run(&p, NO_LIMIT);
    send_all(p.node, MT_LITERAL("answer"));
    (void)carry(p.node, p.client, NO_LIMIT, &p.client_err);
    mt_bytes got = read_all(p.client, (mt_span){room, sizeof room}, &e);
    MT_ASSERT(mt_bytes_equal(got, MT_LITERAL("answer")) && !mt_failed(e)); /* cut off: no end */
    mt_channel_close(p.node);
    MT_ASSERT(mt_channel_state(p.node) == MT_CHANNEL_CLOSED);
    mt_bytes goodbye = mt_channel_output(p.node);
    size_t len = goodbye.len;
    MT_ASSERT(len > 1);
    OK(mt_channel_feed(p.client, (mt_bytes){goodbye.ptr, len - 1}));
    (void)read_all(p.client, (mt_span){room, sizeof room}, &e);
    OK(e);
    OK(mt_channel_feed(p.client, (mt_bytes){goodbye.ptr + len - 1, 1}));
    (void)read_all(p.client, (mt_span){room, sizeof room}, &e);
    MT_ASSERT(is_code(e, MT_E_CLOSED));
    pair_free(&p);
}

static void a_peer_that_leaves_during_the_round_has_left(void)
{
    struct pair p = pair_of(node_options(), client_options());
    OK(mt_channel_start(p.client));
    (void)carry(p.client, p.node, NO_LIMIT, &p.node_err);
    (void)carry(p.node, p.client, NO_LIMIT, &p.client_err);
    mt_channel_close(p.client);
    (void)carry(p.client, p.node, NO_LIMIT, &p.node_err);
    MT_ASSERT(is_code(p.node_err, MT_E_CLOSED));
    MT_ASSERT(mt_channel_state(p.node) == MT_CHANNEL_CLOSED);
    pair_free(&p);
}

static void a_damaged_record_ends_an_open_channel_for_good(void)
{
    uint8_t room[64];
    mt_err e;
    size_t n = 0;
    struct pair p = pair_of(node_options(), client_options());
    pair_run(&p, NO_LIMIT);
    send_all(p.client, MT_LITERAL("question"));
    mt_bytes out = mt_channel_output(p.client);
    memcpy(room, out.ptr, out.len);
    room[out.len - 1] ^= 1;
    OK(mt_channel_feed(p.node, (mt_bytes){room, out.len}));
    (void)read_all(p.node, (mt_span){room, sizeof room}, &e);
    MT_ASSERT(is_code(e, MT_E_PROOF) && mt_channel_state(p.node) == MT_CHANNEL_CLOSED);
    MT_ASSERT(is_code(mt_channel_write(p.node, MT_LITERAL("x"), &n), MT_E_CLOSED));
    MT_ASSERT(is_code(mt_channel_feed(p.node, out), MT_E_CLOSED));
    pair_free(&p);
}

/* One connection, where bit `bit % 8` of byte `at` of everything that passes is flipped on its way.
 * False: so much does not pass. */
static bool run_damaged(size_t at, size_t bit, struct pair *p)
{
    static uint8_t room[16384];
    bool is_damaged = false;
    size_t passed = 0;
    OK(mt_channel_start(p->client));
    for (int turn = 0; turn < 10; turn++) {
        bool is_clients = turn % 2 == 0;
        struct mt_channel *from = is_clients ? p->client : p->node;
        struct mt_channel *to = is_clients ? p->node : p->client;
        mt_err *err = is_clients ? &p->node_err : &p->client_err;
        mt_bytes out = mt_channel_output(from);
        MT_ASSERT(out.len <= sizeof room);
        if (out.len > 0) {
            memcpy(room, out.ptr, out.len);
        }
        if (at >= passed && at < passed + out.len) {
            room[at - passed] ^= (uint8_t)(1U << (bit % 8));
            is_damaged = true;
        }
        passed += out.len;
        if (mt_channel_state(to) != MT_CHANNEL_CLOSED && out.len > 0) {
            mt_err e = mt_channel_feed(to, (mt_bytes){room, out.len});
            *err = mt_failed(*err) ? *err : e;
        }
        mt_channel_sent(from, out.len);
        OK(show_evidence(p->node));
    }
    return is_damaged;
}

/* In the header of each end's very first record the minor version means nothing (RFC 8446, 5.1: it
 * "MUST be ignored"); all else is sealed or part of the transcript. */
static void no_flipped_bit_on_the_wire_goes_unnoticed(void)
{
    enum { MINOR_VERSION = 2 };
    bool is_there = true;
    struct pair first = pair_of(node_options(), client_options());
    OK(mt_channel_start(first.client));
    size_t hello = mt_channel_output(first.client).len;
    pair_free(&first);
    for (size_t at = 0; is_there; at += step) {
        struct pair p = pair_of(node_options(), client_options());
        is_there = run_damaged(at, at, &p);
        bool is_nobodys = at == MINOR_VERSION || at == hello + MINOR_VERSION;
        MT_ASSERT(is_open(&p) == (!is_there || is_nobodys));
        pair_free(&p);
    }
}

static void what_others_left_in_openssls_queue_of_errors_harms_no_channel(void)
{
    static const uint8_t forged[MT_SIGNATURE_LEN] = {1};
    uint8_t room[16];
    size_t n = 0;
    const mt_spki key = spki_of(OWNER);
    struct pair p = pair_of(node_options(), client_options());
    OK(mt_channel_start(p.client));
    MT_ASSERT(is_code(mt_verify(&key, MT_LITERAL("x"), MT_BYTES_OF(forged)), MT_E_PROOF));
    ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
    pair_run(&p, 50);
    MT_ASSERT(is_open(&p));
    OK(mt_channel_write(p.client, MT_LITERAL("in part"), &n));
    const mt_bytes record = mt_channel_output(p.client);
    OK(mt_channel_feed(p.node, (mt_bytes){record.ptr, 6}));
    mt_channel_sent(p.client, 6);
    ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
    OK(mt_channel_read(p.node, (mt_span){room, sizeof room}, &n));
    MT_ASSERT(n == 0);
    ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
    OK(mt_channel_write(p.node, MT_LITERAL("fine"), &n));
    MT_ASSERT(ERR_peek_error() == 0);
    pair_run(&p, NO_LIMIT);
    MT_ASSERT(is_read(p.client, MT_LITERAL("fine")));
    pair_free(&p);
}

/* However long a peer takes, the bytes that it has taken do not stay. */
static void what_has_been_sent_is_forgotten_though_more_always_waits(void)
{
    enum { ROUNDS = 400 };
    struct pair p = pair_of(node_options(), client_options());
    pair_run(&p, NO_LIMIT);
    scarce_largest = 0;
    for (int i = 0; i < ROUNDS; i++) {
        send_all(p.node, (mt_bytes){plenty, 4096});
        mt_channel_sent(p.node, mt_channel_output(p.node).len - (i == ROUNDS - 1 ? 0 : 1));
    }
    MT_ASSERT(mt_channel_output(p.node).len == 0 && scarce_largest < sizeof plenty);
    pair_free(&p);
}

/* As carry(), but the bytes are put where they are read from, and in two steps. */
static void carry_straight(struct mt_channel *from, struct mt_channel *to)
{
    mt_bytes out = mt_channel_output(from);
    for (size_t at = 0; at < out.len;) {
        size_t len = at == 0 ? out.len / 3 : out.len - at;
        mt_span room;
        OK(mt_channel_room(to, len + 7, &room)); /* more than will come */
        memcpy(room.ptr, out.ptr + at, len);
        OK(mt_channel_arrived(to, len));
        at += len;
    }
    mt_channel_sent(from, out.len);
}

static void large_pieces_keep_their_room_until_there_are_none(void)
{
    struct pair p = pair_of(node_options(), client_options());
    pair_run(&p, NO_LIMIT);
    for (int i = 0; i < 4; i++) {
        scarce_largest = 0;
        send_all(p.client, MT_BYTES_OF(plenty));
        carry_straight(p.client, p.node);
        MT_ASSERT(is_read(p.node, MT_BYTES_OF(plenty)));
        MT_ASSERT((scarce_largest < sizeof plenty) == (i == 1 || i == 2));
        if (i == 2) {
            mt_channel_rest(p.client);
            mt_channel_rest(p.node);
        }
    }
    send_all(p.client, MT_LITERAL("little"));
    mt_channel_rest(p.client); /* which takes nothing away that is on its way */
    carry_straight(p.client, p.node);
    MT_ASSERT(is_read(p.node, MT_LITERAL("little")));
    mt_channel_close(p.node);
    mt_span room;
    MT_ASSERT(is_code(mt_channel_room(p.node, 1, &room), MT_E_CLOSED));
    MT_ASSERT(is_code(mt_channel_arrived(p.node, 0), MT_E_CLOSED));
    pair_free(&p);
}

static void evidence_that_cannot_be_shown_ends_the_channel(void)
{
    static const mt_bytes endorsements[MT_ENDORSEMENTS_MAX + 1];
    struct mt_shown many = {MT_LITERAL("soft"), MT_LITERAL("evidence"), endorsements,
                            MT_ENDORSEMENTS_MAX + 1};
    uint8_t report_data[MT_REPORT_DATA_LEN];
    for (int i = 0; i < 2; i++) {
        struct pair p = pair_of(node_options(), client_options());
        OK(mt_channel_start(p.client));
        for (int turn = 0; turn < 2; turn++) {
            (void)carry(p.client, p.node, NO_LIMIT, &p.node_err);
            (void)carry(p.node, p.client, NO_LIMIT, &p.client_err);
        }
        MT_ASSERT(mt_channel_wants_evidence(p.node, report_data));
        MT_ASSERT(!mt_channel_wants_evidence(p.client, report_data));
        mt_err e = mt_channel_put_evidence(p.node, &many);
        MT_ASSERT(is_code(e, i == 0 ? MT_E_LIMIT : MT_E_FORMAT));
        MT_ASSERT(mt_channel_state(p.node) == MT_CHANNEL_CLOSED);
        pair_free(&p);
        many = (struct mt_shown){.format = MT_LITERAL("no such"), .evidence = many.evidence};
    }
}

static void writing_nothing_writes_nothing(void)
{
    size_t n = 7;
    struct pair p = pair_of(node_options(), client_options());
    pair_run(&p, NO_LIMIT);
    OK(mt_channel_write(p.client, MT_LITERAL(""), &n));
    MT_ASSERT(n == 0 && mt_channel_output(p.client).len == 0);
    pair_free(&p);
}

static void what_a_certificate_says_beside_its_key_is_nothing(void)
{
    struct mt_channel_identity *another = NULL;
    const mt_hash owner = subject_of(OWNER);
    const mt_hash stranger = subject_of(STRANGER);
    OK(mt_channel_identity_new(keys[STRANGER], MT_CHANNEL_CLIENT, &another));
    struct mt_channel_options o = client_options();
    struct pair first = pair_of(node_options(), o);
    o.identity = another; /* a second certificate for the same name: every one names MesaTEE */
    struct pair second = pair_of(node_options(), o);
    pair_run(&first, NO_LIMIT);
    pair_run(&second, NO_LIMIT);
    MT_ASSERT(mt_hash_equal(&mt_channel_peer(first.node)->subject, &owner));
    MT_ASSERT(mt_hash_equal(&mt_channel_peer(second.node)->subject, &stranger));
    pair_free(&first);
    pair_free(&second);
    mt_channel_identity_free(&another);
}

/* One connection with the n-th allocation failing: not open, or open and satisfied. */
static bool run_scarce(size_t n)
{
    struct mt_channel_options no = node_options();
    struct mt_channel_options co = client_options();
    struct pair p = {.node = NULL};
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    uint8_t report_data[MT_REPORT_DATA_LEN];
    scarce_in = n;
    p.node_err = mt_channel_new(&no, &p.node);
    p.client_err = mt_channel_new(&co, &p.client);
    bool moves = p.node != NULL && p.client != NULL && !mt_failed(mt_channel_start(p.client));
    while (moves) {
        moves = carry(p.client, p.node, NO_LIMIT, &p.node_err);
        if (mt_channel_wants_evidence(p.node, report_data)) {
            scarce_pauses++;
            const struct mt_shown shown = {.format = MT_LITERAL("soft"),
                                           .evidence =
                                               world_evidence(&room, PLATFORM, report_data)};
            scarce_pauses--;
            p.node_err = mt_channel_put_evidence(p.node, &shown);
        }
        moves = carry(p.node, p.client, NO_LIMIT, &p.client_err) || moves;
    }
    bool was_reached = scarce_end();
    bool is_satisfied = p.client != NULL && mt_channel_state(p.client) == MT_CHANNEL_OPEN;
    MT_ASSERT(!is_satisfied ||
              mt_channel_peer(p.client)->appraisal->verdict.level == MT_LEVEL_SOFT);
    MT_ASSERT(was_reached || is_open(&p));
    pair_free(&p);
    return was_reached;
}

static void in_scarcity_of_memory_a_channel_opens_rightly_or_not_at_all(void)
{
    size_t n = 1;
    while (run_scarce(n)) {
        n += n < 40 ? 1 : step;
    }
    MT_ASSERT(n > 200); /* OpenSSL's allocations are among them */
}

static void in_scarcity_of_memory_an_identity_is_whole_or_not_there(void)
{
    bool was_reached = true;
    for (size_t n = 1; was_reached; n += n < 40 ? 1 : step) {
        struct mt_channel_identity *i = NULL;
        scarce_in = n;
        mt_err e = mt_channel_identity_new(keys[OWNER], MT_CHANNEL_CLIENT, &i);
        was_reached = scarce_end();
        MT_ASSERT(mt_failed(e) == (i == NULL) && (was_reached || i != NULL));
        mt_channel_identity_free(&i);
    }
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(a_client_that_is_satisfied_by_the_node_talks_to_it),
        MT_TEST(two_nodes_appraise_each_other),
        MT_TEST(a_client_without_evidence_is_refused_where_some_is_demanded),
        MT_TEST(a_node_that_policy_refuses_reads_nothing),
        MT_TEST(no_application_byte_passes_before_the_channel_is_open),
        MT_TEST(bytes_may_come_one_by_one),
        MT_TEST(bytes_that_come_with_the_end_of_the_round_are_not_lost),
        MT_TEST(an_end_of_another_cluster_is_refused),
        MT_TEST(a_client_that_knows_no_cluster_yet_is_shown_evidence_for_any),
        MT_TEST(the_end_of_a_stream_is_told_from_its_being_cut_off),
        MT_TEST(a_peer_that_leaves_during_the_round_has_left),
        MT_TEST(a_damaged_record_ends_an_open_channel_for_good),
        MT_TEST(no_flipped_bit_on_the_wire_goes_unnoticed),
        MT_TEST(what_others_left_in_openssls_queue_of_errors_harms_no_channel),
        MT_TEST(what_has_been_sent_is_forgotten_though_more_always_waits),
        MT_TEST(large_pieces_keep_their_room_until_there_are_none),
        MT_TEST(evidence_that_cannot_be_shown_ends_the_channel),
        MT_TEST(writing_nothing_writes_nothing),
        MT_TEST(what_a_certificate_says_beside_its_key_is_nothing),
        MT_TEST(in_scarcity_of_memory_a_channel_opens_rightly_or_not_at_all),
        MT_TEST(in_scarcity_of_memory_an_identity_is_whole_or_not_there),
    };
    channel_world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    channel_world_end();
    return rc;
}
