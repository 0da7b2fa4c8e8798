/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_NODE_NODE_H
#define MT_NODE_NODE_H

#include "crypto/share.h"
#include "node/collateral.h"
#include "node/config.h"
#include "platform/device.h"
#include "server/server.h"

/* keep.c */
struct mt_keeper {
    struct mt_timer look;
    struct mt_work work;
    struct mt_ledger_snapshot *snapshot; /* under way */
    uint64_t saved_bytes;                /* of the ledger, that a snapshot holds */
    uint64_t file_bytes;                 /* of the last snapshot of this start; 0: none yet */
    uint64_t late_ms;                    /* the end is not put off beyond this */
    bool has_failed;                     /* the last one */
    bool is_ending;
};

/* device.c: steps of the counter while it runs */
struct mt_freshness {
    struct mt_timer turn;
    struct mt_work work;
    uint64_t transactions; /* that the last step spoke of */
    bool is_under_way;
    bool waits_for_epoch; /* of recovery: the disk came from a backup, without a mark */
};

/* hold.c: what the machine's maker says of it */
struct mt_holding {
    struct mt_held held;
    struct mt_buf bytes;  /* the node's evidence, with nothing but its own, */
    struct mt_bundle own; /* in them */
    struct mt_trace trace;
    struct mt_timer turn;
    struct mt_work work;
    uint64_t now_ms;
    bool is_good;
    bool is_under_way;
};

/*
 * The node as its parts, wired: opened in order, freed in the other. Nothing but configuration and
 * wiring.
 */
struct mt_node {
    struct mt_config config;
    struct mt_loop *loop;
    struct mt_fs *fs;
    struct mt_root *root;
    struct mt_secret *ledger_secret;
    struct mt_shred *shred;
    struct mt_key *platform_key; /* signs evidence; kept behind the key slot */
    struct mt_key *tls_key;      /* of this start */
    struct mt_key *service_key;  /* of this start: signs receipts */
    struct mt_channel_identity *identity;
    struct mt_ledger *ledger;
    struct mt_pool *disk;
    struct mt_pool *object;
    struct mt_pool *compute;
    struct mt_pool *snapshots;
    struct mt_pool *evidence;
    struct mt_driver *driver;
    struct mt_gate *gate;
    struct mt_jobs *jobs;
    struct mt_server *server;
    struct mt_device *device; /* NULL: none, evidence is soft */
    struct mt_freshness fresh;
    struct mt_holding holding;
    enum mt_collateral_state collateral; /* for whoever asks; the loop's */
    struct mt_buf peer_policy;           /* file: what the peer of the configuration has to be */
    struct mt_key *machine_key; /* what the peer knows this machine by, if it has no device */
    struct mt_buf endorsement_certificate;
    struct mt_buf endorsement_public;
    struct mt_buf log;              /* the measurement log */
    struct mt_buf service_evidence; /* binder mesatee-service-key-v1 */
    struct mt_server_facts facts;
    struct mt_watch signals;
    struct mt_timer shredding;
    struct mt_timer upkeep; /* the clock */
    struct mt_keeper keeper;
    uint16_t port;
    uint16_t probe_port;
    bool awaits_recovery; /* restored from a backup */
    bool has_started;
    bool has_failed;
    bool is_quiet; /* ended with nothing under way on any thread */
};

/* disk.c: state directory, key slot, shred and platform keys, ledger; `keyfile` is the content of a
 * key file, and may be empty if the device opens the disk. */
MT_ERR mt_node_open_disk(struct mt_node *n, mt_bytes keyfile);
/* restore.c: a backup into an empty state directory; what a restored node waits for. */
struct mt_restore {
    int backup;
    struct mt_credential credential; /* of the backup */
    struct mt_credential node;       /* what will open the node */
    uint64_t host_time_ms;
};
MT_ERR mt_node_restore(const struct mt_restore *r, const struct mt_config *config);
MT_ERR mt_node_is_restored(struct mt_fs *fs, bool *out);
void mt_node_recovered(void *state); /* an administrator's statement is durable */
/* shares.c: a node whose key file or device is lost, opened by shares of a key; it gets a slot for
 * `node`. What is wrong with one of them is said with its path. */
struct mt_node_shares {
    const char *paths[MT_SHARES_MAX];
    size_t count;
    struct mt_share shares[MT_SHARES_MAX]; /* secrets */
};
MT_ERR mt_node_read_shares(const char *const *paths, size_t count, struct mt_node_shares *out);
MT_ERR mt_node_recover(const struct mt_node_shares *s, const struct mt_credential *node,
                       const struct mt_config *config);
void mt_node_forget_shares(struct mt_node_shares *s);
/* device.c: what the machine shows of itself, and counts. Opened before privileges are dropped.
 * `operator_key`: whose word lets another image open what this one seals; NULL: nobody's. */
MT_ERR mt_node_open_device(const struct mt_config *c, const mt_spki *operator_key,
                           struct mt_device **out);
mt_err mt_node_device_evidence(const struct mt_node *n, const uint8_t report_data[64],
                               struct mt_writer *w);
MT_ERR mt_node_device_claims(struct mt_node *n, mt_bytes evidence, const uint8_t report_data[64],
                             struct mt_claims *out);
MT_ERR mt_node_device_facts(struct mt_node *n);
mt_err mt_node_activate(void *state, mt_bytes blob, mt_bytes secret, mt_span out, size_t *got);
mt_err mt_node_make_slot(void *state, uint64_t host_time_ms, struct mt_slot_made *out);
/* *transactions: how many the ledger has at least, or the disk was put back. */
MT_ERR mt_node_open_fresh(struct mt_node *n, bool is_first, uint64_t *transactions);
MT_ERR mt_node_mark_recovered(struct mt_node *n);
void mt_node_start_counter(struct mt_node *n);
/* hold.c: the node's evidence is shown with what is held from then on */
MT_ERR mt_node_open_collateral(struct mt_node *n, const uint8_t report_data[64]);
void mt_node_start_collateral(struct mt_node *n);
void mt_node_close_collateral(struct mt_node *n);
/* measure.c: after everything is loaded and bound: the log, its registers, the service key's
 * evidence. */
MT_ERR mt_node_measure(struct mt_node *n);
MT_ERR mt_node_write_log(struct mt_node *n); /* before that, for who is asked to open the disk */
/* Of evidence that this node has made: "soft", "tpm". */
MT_ERR mt_node_evidence_format(const struct mt_node *n, mt_bytes evidence, mt_bytes *out);
mt_err mt_node_evidence(void *state, const uint8_t report_data[64], struct mt_writer *w);
/* public.json in the state directory: what an operator on this machine may read and pin. */
MT_ERR mt_node_publish(struct mt_node *n);
/* upkeep.c: shredding by the clock, the idle commit that keeps block time near. */
void mt_node_start_upkeep(struct mt_node *n);
/* keep.c: snapshots while it runs; and the end, of a node that is drained: `state` is the node. */
void mt_node_start_keeper(struct mt_node *n);
void mt_node_end(void *state);

#endif
