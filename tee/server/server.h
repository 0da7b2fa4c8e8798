/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_SERVER_H
#define MT_SERVER_SERVER_H

#include "api/service.h"
#include "channel/channel.h"
#include "gate/gate.h"
#include "jobs/jobs.h"
#include "ledger/driver.h"
#include "seal/root.h"

/*
 * Listeners and connections: bytes become whole requests, requests go through the gate to a
 * handler, replies are held until what they were computed from is durable. Runs on the loop; big
 * bytes are moved by the object pool.
 */
struct mt_server;

/* What the node says of itself; values made at start, none secret. Borrowed as long as the server
 * lives. */
struct mt_server_facts {
    mt_hash measurement;
    mt_hash configuration;
    mt_hash platform;
    mt_bytes format; /* of its evidence: "soft", "tpm" (spec/evidence-*.md) */
    uint64_t level;  /* enum mt_level of it */
    bool has_hardware_root;
    bool has_host_in_tcb;
    mt_bytes endorsement_certificate; /* of a TPM, DER; with the next two, for enrolment */
    mt_bytes endorsement_public;      /* TPMT_PUBLIC */
    mt_bytes attestation_public;      /* of the key that quotes */
    uint64_t strangers_per_s;         /* evidence for those whom nobody knows; 0: for all who ask */
    mt_bytes service_evidence;        /* binder mesatee-service-key-v1 */
    uint64_t started_ms;
};

/* What the node holds of its maker's word, if it is told to hold any. */
enum mt_collateral_state { MT_COLLATERAL_NONE, MT_COLLATERAL_GOOD, MT_COLLATERAL_REFUSED };

/* What an administrator says of the node that keeps the key. */
struct mt_peer_wanted {
    struct mt_peer_name name;
    mt_hash policy; /* that it has to satisfy: SHA-256 of its JSON */
};

struct mt_server_options {
    struct mt_loop *loop;
    struct mt_pool *object; /* one thread, moves object bytes */
    struct mt_ledger *ledger;
    struct mt_driver *driver;
    struct mt_gate *gate;
    struct mt_jobs *jobs;
    struct mt_shred *shred;
    struct mt_root *root;
    struct mt_fs *fs;
    const struct mt_service *const *services;   /* ends with NULL */
    const struct mt_channel_identity *identity; /* of the TLS key */
    const struct mt_key *tls_key;               /* of this incarnation */
    const struct mt_key *service_key;
    struct mt_server_facts facts;
    struct mt_pool *evidence_pool; /* one thread, makes evidence */
    /* Evidence in the format of the facts, for one connection; called on that thread. */
    mt_err (*evidence)(void *state, const uint8_t report_data[64], struct mt_writer *w);
    /* The proof that endorsement and quoting key are in one TPM; NULL: the device has none. On
     * that thread, too. */
    mt_err (*activate)(void *state, mt_bytes blob, mt_bytes secret, mt_span out, size_t *got);
    /* A slot of the root key that the machine's device opens; NULL: the device keeps no key. On
     * that thread, too. */
    mt_err (*make_slot)(void *state, uint64_t host_time_ms, struct mt_slot_made *out);
    /* A slot that the key opens which another node keeps: it is asked for it, and may take its
     * time. NULL: the configuration names no peer. On that thread, too. */
    mt_err (*make_peer_slot)(void *state, const struct mt_peer_wanted *wanted,
                             uint64_t host_time_ms, struct mt_slot_made *out);
    uint64_t handovers_per_s; /* evidence of whoever asks for a key that is kept here; not 0 */
    void *evidence_state;
    const enum mt_collateral_state *collateral; /* as it is now */
    bool awaits_recovery; /* restored from a backup: serves nobody until an administrator signs */
    void (*recovered)(void *evidence_state); /* that is durable now */
    size_t connections_max;
    uint64_t idle_timeout_ms;
    uint64_t request_timeout_ms; /* for a whole head, and for each piece of a body */
};

MT_ERR mt_server_new(const struct mt_server_options *o, struct mt_server **out);
/* Closes every connection. The pools must have ended before. */
void mt_server_free(struct mt_server **s);

MT_ERR mt_server_listen(struct mt_server *s, const char *address, uint16_t *port);
/* Plain HTTP, no data: /livez, /readyz. */
MT_ERR mt_server_listen_probes(struct mt_server *s, const char *address, uint16_t *port);
/* Prometheus text on a Unix socket: /metrics. */
MT_ERR mt_server_listen_metrics(struct mt_server *s, const char *path);

/* Writes what the audit log has collected into the open block. */
void mt_server_flush(struct mt_server *s);

/* No new connections, /readyz says no; `done` is called once what is under way has been answered or
 * `within_ms` is over, when whoever still waits is cut off. It may be called more than once. */
void mt_server_drain(struct mt_server *s, uint64_t within_ms, void (*done)(void *state),
                     void *state);

#endif
