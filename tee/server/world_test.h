/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_WORLD_TEST_H
#define MT_SERVER_WORLD_TEST_H

#include "server/inside.h"
#include "server/net_test.h"
#include "server/service_test.h"

/* A server with a service that does what a test says. */
enum { TEST_TIMEOUT_MS = 1000, TEST_IDLE_MS = 5000 };

static struct mt_server *server;
static struct mt_pool object_pool;
static struct mt_pool evidence_pool;
static struct mt_channel_identity *server_identity;
static bool is_device_broken;
static bool has_tpm;             /* of the next server */
static uint64_t strangers_per_s; /* of the next server */
static enum mt_collateral_state collateral;

static mt_err test_evidence(void *state, const uint8_t report_data[64], struct mt_writer *w)
{
    (void)state;
    MT_REQUIRE(!is_device_broken, MT_E_IO, "the device does not answer");
    mt_write_bytes(w, (mt_bytes){report_data, 64});
    return MT_OK;
}

/* A TPM that says what it was asked backwards. */
static mt_err test_activate(void *state, mt_bytes blob, mt_bytes secret, mt_span out, size_t *got)
{
    (void)state;
    MT_REQUIRE(!is_device_broken && secret.len > 0 && blob.len <= out.len, MT_E_PROOF,
               "the challenge is for other keys");
    for (size_t i = 0; i < blob.len; i++) {
        out.ptr[i] = blob.ptr[blob.len - 1 - i];
    }
    *got = blob.len;
    return MT_OK;
}

/* A slot for the machine, as far as the server can tell. */
static mt_err test_make_slot(void *state, uint64_t host_time_ms, struct mt_slot_made *out)
{
    (void)state;
    MT_REQUIRE(!is_device_broken, MT_E_IO, "the device does not answer");
    return mt_slot_make(root, &world_file, host_time_ms, out);
}

/* And one for a peer's key, which this is not. */
static struct mt_peer_wanted peer_wanted;
static mt_err test_make_peer_slot(void *state, const struct mt_peer_wanted *wanted,
                                  uint64_t host_time_ms, struct mt_slot_made *out)
{
    const struct mt_credential c = {
        .kind = MT_SLOT_PEER, .secret = world_file.secret, .peer = wanted->name};
    (void)state;
    peer_wanted = *wanted;
    return mt_slot_make(root, &c, host_time_ms, out);
}

static inline void server_begin_with(size_t connections_max)
{
    node_begin(test_services);
    pool_reset(&object_pool);
    pool_reset(&evidence_pool);
    memset(lines, 0, sizeof lines);
    net_calls = 0;
    net_has_no_descriptors = false;
    handled = 0;
    event_bytes = 100;
    OK(mt_channel_identity_new(people[ADMIN].key, MT_CHANNEL_SERVER, &server_identity));
    const struct mt_server_options o = {.loop = &loop,
                                        .object = &object_pool,
                                        .ledger = ledger,
                                        .driver = driver,
                                        .gate = gate,
                                        .jobs = jobs,
                                        .shred = shred,
                                        .root = root,
                                        .fs = fs,
                                        .services = test_services,
                                        .identity = server_identity,
                                        .tls_key = people[ADMIN].key,
                                        .service_key = people[ADMIN].key,
                                        .facts = {.format = MT_LITERAL("soft"),
                                                  .service_evidence = MT_LITERAL("evidence"),
                                                  .strangers_per_s = strangers_per_s,
                                                  .endorsement_public = MT_LITERAL("ek"),
                                                  .attestation_public = MT_LITERAL("ak")},
                                        .evidence_pool = &evidence_pool,
                                        .evidence = test_evidence,
                                        .activate = has_tpm ? test_activate : NULL,
                                        .handovers_per_s = 4,
                                        .collateral = &collateral,
                                        .make_slot = has_tpm ? test_make_slot : NULL,
                                        .make_peer_slot = has_tpm ? test_make_peer_slot : NULL,
                                        .connections_max = connections_max,
                                        .idle_timeout_ms = TEST_IDLE_MS,
                                        .request_timeout_ms = TEST_TIMEOUT_MS};
    OK(mt_server_new(&o, &server));
    turn();
}

static inline void server_begin(void)
{
    server_begin_with(100);
}

static inline bool pool_step(struct mt_pool *p)
{
    struct mt_work *w = pool_pop(p);
    if (w != NULL) {
        w->done(w, w->run(w));
    }
    return w != NULL;
}

/* What the object thread has to do, or the first of it. */
static inline bool object_step(void)
{
    return pool_step(&object_pool);
}

/* The same of the thread that makes evidence. */
static inline bool evidence_step(void)
{
    return pool_step(&evidence_pool);
}

/* Lines and objects, until nothing moves; the disk of the ledger stands still. */
static inline void spin_but_disk(void)
{
    do {
        net_spin();
    } while (object_step());
    loop.turn_end(loop.turn_end_state);
}

/* And the disk too. */
static inline void spin(void)
{
    spin_but_disk();
    turn();
    spin_but_disk();
    turn();
    net_spin();
}

static inline void pass(uint64_t ms)
{
    now_ms += ms;
    run_timers();
}

static inline void server_end(void)
{
    while (object_step() || evidence_step()) {
    }
    turn();
    turn();
    mt_server_free(&server);
    while (object_step()) {
    }
    for (int i = 0; i < LINES; i++) {
        net_forget(i);
    }
    mt_channel_identity_free(&server_identity);
    node_end();
}

#endif
