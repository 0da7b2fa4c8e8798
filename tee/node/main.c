/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "crypto/context.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "node/peer.h"
#include "platform/log.h"
#include "platform/net.h"
#include "platform/process.h"
#include "seal/object.h"
#include "server/version.h"
#include "services/access/access.h"
#include "services/data/data.h"
#include "services/task/task.h"

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 64,
    EXIT_IO = 74,
    CONFIG_BYTES_MAX = 64 * 1024,
    KEYFILE_BYTES_MAX = 64 * 1024,
    QUEUE_MAX = 4096,
    CLAIM_MS = 10 * 60 * 1000
};

static const struct mt_service *const services[] = {&mt_access_service, &mt_data_service,
                                                    &mt_task_service, NULL};

static void on_signal(struct mt_watch *w, unsigned events)
{
    struct mt_node *n = w->state;
    (void)events;
    mt_log("draining", NULL, 0);
    mt_watch_end(n->loop, w);
    mt_server_drain(n->server, n->config.drain_s * 1000, mt_node_end, n);
}

/* A write failed: what was not acknowledged may be lost, and nothing more may be said. */
static void on_dead(void *state, mt_err why)
{
    struct mt_node *n = state;
    mt_log_fault("ledger-dead", why);
    n->has_failed = true;
    mt_loop_stop(n->loop);
}

static void before_cut(void *state)
{
    (void)state;
}

static MT_ERR make_parts(struct mt_node *n)
{
    const struct mt_driver_options d = {n->loop, n->disk, n->ledger, before_cut, on_dead, n};
    MT_TRY(mt_driver_new(&d, &n->driver));
    const struct mt_gate_options g = {
        .ledger = n->ledger,
        .shred = n->shred,
        .administrator = n->config.administrator,
        .staging_quota_bytes = n->config.staging_quota_mib << 20,
        .staging_total_bytes = n->config.staging_total_mib << 20,
    };
    MT_TRY(mt_gate_new(&g, &n->gate));
    const struct mt_jobs_options j = {
        .loop = n->loop,
        .compute = n->compute,
        .ledger = n->ledger,
        .driver = n->driver,
        .gate = n->gate,
        .fs = n->fs,
        .services = services,
        .level = n->facts.level,
    };
    return mt_jobs_new(&j, &n->jobs);
}

static MT_ERR make_server(struct mt_node *n)
{
    const struct mt_server_options o = {
        .loop = n->loop,
        .object = n->object,
        .ledger = n->ledger,
        .driver = n->driver,
        .gate = n->gate,
        .jobs = n->jobs,
        .shred = n->shred,
        .root = n->root,
        .fs = n->fs,
        .services = services,
        .identity = n->identity,
        .tls_key = n->tls_key,
        .service_key = n->service_key,
        .facts = n->facts,
        .evidence_pool = n->evidence,
        .evidence = mt_node_evidence,
        .activate = n->device != NULL && mt_device_enrols(n->device) ? mt_node_activate : NULL,
        .make_slot = n->device != NULL && mt_device_keeps(n->device) ? mt_node_make_slot : NULL,
        .make_peer_slot = n->config.peer[0] != '\0' ? mt_node_make_peer_slot : NULL,
        .handovers_per_s = n->config.strangers_per_s,
        .evidence_state = n,
        .collateral = &n->collateral,
        .awaits_recovery = n->awaits_recovery,
        .recovered = mt_node_recovered,
        .connections_max = (size_t)n->config.connections_max,
        .idle_timeout_ms = n->config.idle_timeout_s * 1000,
        .request_timeout_ms = n->config.request_timeout_s * 1000,
    };
    MT_TRY(mt_server_new(&o, &n->server));
    MT_TRY(mt_server_listen(n->server, n->config.listen, &n->port));
    if (n->config.probes[0] != '\0') {
        MT_TRY(mt_server_listen_probes(n->server, n->config.probes, &n->probe_port));
    }
    return n->config.metrics[0] != '\0' ? mt_server_listen_metrics(n->server, n->config.metrics)
                                        : MT_OK;
}

static bool is_live(void *state, const mt_id *object)
{
    void *const *both = state;
    return mt_gate_is_live(both[0], both[1], object);
}

/* Objects that no durable transaction names are what a crash left over. */
static MT_ERR sweep(struct mt_node *n)
{
    struct mt_tx *tx = NULL;
    MT_TRY(mt_ledger_begin(n->ledger, mt_gate_maps, mt_ledger_time_ms(n->ledger), &tx));
    void *both[] = {n->gate, tx};
    mt_err e = mt_object_sweep(n->fs, is_live, both);
    mt_ledger_abort(n->ledger, &tx);
    return e;
}

/* The secret goes into a file of mode 0600, never into a log; whoever reads the file is the
 * administrator of the machine. */
static MT_ERR open_claim(struct mt_node *n)
{
    uint8_t secret[32];
    uint8_t text[65];
    mt_hash hash;
    mt_bytes line;
    struct mt_tx *tx = NULL;
    struct mt_writer w = mt_writer_over((mt_span){text, sizeof text});
    if (n->config.claim_file[0] == '\0') {
        return MT_OK;
    }
    MT_TRY(mt_ledger_begin(n->ledger, mt_gate_maps, mt_ledger_time_ms(n->ledger), &tx));
    bool has_admin = mt_gate_has_admin(n->gate, tx);
    mt_ledger_abort(n->ledger, &tx);
    if (has_admin) {
        return MT_OK;
    }
    MT_TRY(mt_random((mt_span){secret, sizeof secret}));
    const mt_bytes part = {secret, sizeof secret};
    mt_sha256(&part, 1, &hash);
    mt_hex_write(&w, part);
    mt_write_u8(&w, '\n');
    MT_TRY(mt_write_end(&w, &line));
    mt_err e = mt_process_put_file(n->config.claim_file, line);
    uint64_t now_ms = mt_loop_host_time_ms(n->loop);
    uint64_t block_ms = mt_ledger_time_ms(n->ledger);
    mt_gate_offer_claim(n->gate, &hash, (now_ms > block_ms ? now_ms : block_ms) + CLAIM_MS);
    mt_wipe((mt_span){secret, sizeof secret});
    mt_wipe((mt_span){text, sizeof text});
    return e;
}

static MT_ERR start(struct mt_node *n, mt_bytes keyfile)
{
    int signals = -1;
    MT_TRY(mt_process_signal_fd(&signals));
    MT_TRY(mt_loop_new(&n->loop));
    n->signals = (struct mt_watch){.ready = on_signal, .state = n};
    MT_TRY(mt_watch_begin(n->loop, &n->signals, signals, MT_WATCH_READ));
    if (n->config.peer[0] != '\0' && n->device == NULL) {
        MT_TRY(mt_node_machine_key(keyfile, &n->machine_key));
    }
    MT_TRY(mt_node_open_disk(n, keyfile));
    MT_TRY(mt_pool_new(n->loop, "disk", 1, 16, &n->disk));
    MT_TRY(mt_pool_new(n->loop, "object", 1, QUEUE_MAX, &n->object));
    MT_TRY(mt_pool_new(n->loop, "compute", (size_t)n->config.workers, MT_JOBS_MAX, &n->compute));
    MT_TRY(mt_pool_new(n->loop, "snapshot", 1, 1, &n->snapshots));
    MT_TRY(mt_pool_new(n->loop, "evidence", 1, QUEUE_MAX, &n->evidence));
    MT_TRY(mt_node_measure(n));
    MT_TRY(make_parts(n));
    MT_TRY(sweep(n));
    MT_TRY(open_claim(n));
    MT_TRY(make_server(n));
    if (n->awaits_recovery) {
        mt_log("awaits-recovery", NULL, 0); /* and its jobs wait too */
    } else {
        MT_TRY(mt_jobs_recover(n->jobs, mt_ledger_time_ms(n->ledger)));
    }
    MT_TRY(mt_node_publish(n));
    mt_node_start_upkeep(n);
    mt_node_start_keeper(n);
    mt_node_start_counter(n);
    mt_node_start_collateral(n);
    const struct mt_log_field port = {.name = "port", .number = n->port};
    mt_log("ready", &port, 1);
    n->has_started = true;
    return mt_loop_run(n->loop);
}

static void close_node(struct mt_node *n)
{
    mt_pool_free(&n->disk);
    mt_pool_free(&n->object);
    mt_pool_free(&n->compute);
    mt_pool_free(&n->snapshots);
    mt_pool_free(&n->evidence);
    mt_server_free(&n->server);
    mt_jobs_free(&n->jobs);
    mt_gate_free(&n->gate);
    mt_driver_free(&n->driver);
    mt_ledger_free(&n->ledger);
    mt_channel_identity_free(&n->identity);
    mt_key_free(&n->service_key);
    mt_key_free(&n->tls_key);
    mt_key_free(&n->platform_key);
    mt_key_free(&n->machine_key);
    mt_shred_free(&n->shred);
    mt_secret_free(&n->ledger_secret);
    mt_root_free(&n->root);
    mt_fs_close(&n->fs);
    mt_device_close(&n->device);
    mt_buf_free(&n->peer_policy);
    mt_buf_free(&n->endorsement_certificate);
    mt_buf_free(&n->endorsement_public);
    mt_node_close_collateral(n);
    mt_buf_free(&n->log);
    mt_buf_free(&n->service_evidence);
    mt_loop_free(&n->loop);
}

static void complain(const char *path, unsigned line, const char *why)
{
    char text[1024];
    int len = snprintf(text, sizeof text, "mesateed: %s:%u: %s\n", path, line, why);
    size_t room = len > 0 && (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    mt_process_say(true, (mt_bytes){(const uint8_t *)text, len > 0 ? room : 0});
}

static int load_config(const char *path, struct mt_config *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(CONFIG_BYTES_MAX);
    struct mt_config_fault fault;
    mt_err e = mt_process_read_file(path, CONFIG_BYTES_MAX, &text);
    if (mt_failed(e)) {
        complain(path, 0, e.fault->what);
        return EXIT_IO;
    }
    if (mt_failed(mt_config_parse(mt_buf_bytes(&text), out, &fault))) {
        complain(path, fault.line, fault.reason);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static void print_usage(bool is_error)
{
    static uint8_t room[8192];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(
        &w, MT_LITERAL("usage: mesateed --config FILE [--check] [--machine] [--operator KEY]\n"
                       "       mesateed --config FILE --restore BACKUP --secret FILE "
                       "[--passphrase]\n"
                       "       mesateed --config FILE --recover SHARE...\n"
                       "Runs a MesaTEE node. --check reads the configuration, says what "
                       "is wrong with it, and ends.\n--machine prints what a peer's "
                       "policy knows a machine without a device by, and ends.\n"
                       "--operator names the public key "
                       "whose word lets another image open what a TPM sealed for this "
                       "one.\n--restore makes a state directory "
                       "of a backup, which the content of FILE opens, and ends.\n"
                       "--recover opens the node with shares of a key, gives it a slot "
                       "for what opens it from now on, and ends.\n\n"
                       "The configuration has lines of the form \"name = value\":\n"));
    mt_config_describe(&w);
    if (!mt_failed(mt_write_end(&w, &text))) {
        mt_process_say(is_error, text);
    }
}

/* What the operator's files hold is read while we still may; everything else comes after. */
struct given {
    struct mt_buf keyfile;
    struct mt_buf secret; /* of a backup */
    struct mt_buf peer_policy;
    int backup;
    struct mt_device *device;
    struct mt_node_shares shares;
};

struct arguments {
    const char *config;
    const char *backup; /* --restore */
    const char *secret;
    const char *operator_key; /* --operator: not in the configuration, for that is the host's */
    bool is_passphrase;
    bool is_check;
    bool is_machine;
    const char *shares[MT_SHARES_MAX]; /* --recover */
    size_t shares_count;
};

/* With a device, a key file is for recovery, and mostly not there. */
static MT_ERR read_keyfile(const struct mt_config *config, struct mt_buf *out)
{
    mt_err e = mt_process_read_file(config->keyfile, KEYFILE_BYTES_MAX, out);
    bool is_missing = mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
    return is_missing && mt_config_is_device_root(config) ? MT_OK : e;
}

static MT_ERR open_device(const struct mt_config *config, const struct arguments *a,
                          struct mt_device **out)
{
    uint8_t der[MT_SPKI_LEN];
    mt_spki key;
    if (a->operator_key == NULL) {
        return mt_node_open_device(config, NULL, out);
    }
    MT_TRY(mt_hex_parse(mt_bytes_of_text(a->operator_key), (mt_span){der, sizeof der}));
    MT_TRY(mt_spki_parse(MT_BYTES_OF(der), &key));
    return mt_node_open_device(config, &key, out);
}

static MT_ERR prepare(const struct mt_config *config, const struct arguments *a, struct given *out)
{
    MT_TRY(mt_process_harden());
    MT_TRY(read_keyfile(config, &out->keyfile));
    if (config->peer[0] != '\0') {
        MT_TRY(mt_process_read_file(config->peer_policy, MT_POLICY_BYTES_MAX, &out->peer_policy));
    }
    if (a->backup != NULL) {
        MT_TRY(mt_process_read_file(a->secret, KEYFILE_BYTES_MAX, &out->secret));
        MT_TRY(mt_process_open_file(a->backup, &out->backup));
    }
    MT_TRY(mt_crypto_init(mt_process_entropy, NULL));
    bool is_offline = a->backup != NULL || a->shares_count > 0;
    if (!is_offline || mt_config_is_device_root(config)) {
        MT_TRY(open_device(config, a, &out->device));
    }
    MT_TRY(mt_node_read_shares(a->shares, a->shares_count, &out->shares));
    if (a->is_machine) {
        return mt_node_say_machine(out->device, mt_buf_bytes(&out->keyfile));
    }
    return mt_process_drop(config->user, config->state);
}

static int restore(const struct mt_config *config, const struct arguments *a, struct given *g)
{
    struct mt_restore r = {
        .backup = g->backup,
        .credential = {.kind = a->is_passphrase ? MT_SLOT_PASSPHRASE : MT_SLOT_FILE,
                       .secret = mt_buf_bytes(&g->secret)},
        .node = {.kind = MT_SLOT_FILE, .secret = mt_buf_bytes(&g->keyfile)},
        .host_time_ms = mt_process_host_time_ms(),
    };
    mt_err e = g->device != NULL ? mt_credential_of_device(g->device, &r.node) : MT_OK;
    e = mt_failed(e) ? e : mt_node_restore(&r, config);
    if (mt_failed(e)) {
        mt_log_fault("not-restored", e);
    }
    mt_crypto_done();
    return mt_failed(e) ? EXIT_FAILED : EXIT_DONE;
}

static int recover(const struct mt_config *config, const struct given *g)
{
    struct mt_credential c = {.kind = MT_SLOT_FILE, .secret = mt_buf_bytes(&g->keyfile)};
    mt_err e = g->device != NULL ? mt_credential_of_device(g->device, &c) : MT_OK;
    e = mt_failed(e) ? e : mt_node_recover(&g->shares, &c, config);
    if (mt_failed(e)) {
        mt_log_fault("not-recovered", e);
    }
    mt_crypto_done();
    return mt_failed(e) ? EXIT_FAILED : EXIT_DONE;
}

static int serve(const struct mt_config *config, struct given *g)
{
    static struct mt_node n;
    n.config = *config;
    n.device = g->device;
    g->device = NULL; /* given */
    n.endorsement_certificate = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    n.endorsement_public = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    n.log = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    n.service_evidence = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    n.holding.bytes = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    n.peer_policy = g->peer_policy;
    g->peer_policy = mt_buf_of_max(0); /* given */
    mt_err e = start(&n, mt_buf_bytes(&g->keyfile));
    if (mt_failed(e)) {
        mt_log_fault("stopped", e);
    }
    if (n.has_started && !n.is_quiet) {
        /* Threads still hold what would be freed, perhaps for hours: this is a crash by intent, and
         * the next start knows how to go on from one. */
        mt_log("ended", NULL, 0);
        mt_process_end(mt_failed(e) || n.has_failed ? EXIT_FAILED : EXIT_DONE);
    }
    close_node(&n);
    mt_crypto_done();
    mt_log("ended", NULL, 0);
    return mt_failed(e) || n.has_failed ? EXIT_FAILED : EXIT_DONE;
}

static void given_done(struct given *g)
{
    mt_buf_free(&g->keyfile);
    mt_buf_free(&g->secret);
    mt_buf_free(&g->peer_policy);
    mt_device_close(&g->device);
    mt_node_forget_shares(&g->shares);
}

static int run(const struct mt_config *config, const struct arguments *a)
{
    MT_DEFER(given_done)
    struct given g = {.keyfile = mt_buf_of_max(KEYFILE_BYTES_MAX),
                      .secret = mt_buf_of_max(KEYFILE_BYTES_MAX),
                      .peer_policy = mt_buf_of_max(MT_POLICY_BYTES_MAX),
                      .backup = -1};
    mt_err e = prepare(config, a, &g);
    if (mt_failed(e)) {
        mt_log_fault("not-started", e);
        return EXIT_FAILED;
    }
    if (a->is_machine) {
        mt_crypto_done();
        return EXIT_DONE;
    }
    if (a->shares_count > 0) {
        return recover(config, &g);
    }
    return a->backup != NULL ? restore(config, a, &g) : serve(config, &g);
}

/* All that follows and is no option: a file of such a name is ./-name. */
static bool take_shares(int argc, char **argv, int *i, struct arguments *out)
{
    while (*i + 1 < argc && argv[*i + 1][0] != '-') {
        if (out->shares_count == MT_SHARES_MAX) {
            return false;
        }
        out->shares[out->shares_count++] = argv[++*i];
    }
    return out->shares_count > 0;
}

static bool take_argument(int argc, char **argv, int *i, struct arguments *out)
{
    const char *word = argv[*i];
    bool has_value = *i + 1 < argc;
    if (strcmp(word, "--config") == 0 && has_value) {
        out->config = argv[++*i];
    } else if (strcmp(word, "--restore") == 0 && has_value) {
        out->backup = argv[++*i];
    } else if (strcmp(word, "--secret") == 0 && has_value) {
        out->secret = argv[++*i];
    } else if (strcmp(word, "--operator") == 0 && has_value) {
        out->operator_key = argv[++*i];
    } else if (strcmp(word, "--recover") == 0) {
        return take_shares(argc, argv, i, out);
    } else if (strcmp(word, "--passphrase") == 0) {
        out->is_passphrase = true;
    } else if (strcmp(word, "--check") == 0) {
        out->is_check = true;
    } else if (strcmp(word, "--machine") == 0) {
        out->is_machine = true;
    } else {
        return false;
    }
    return true;
}

int main(int argc, char **argv, char **environment)
{
    struct arguments a = {.config = NULL};
    struct mt_config config;
    environment[0] = NULL; /* the host's: TSS2_LOG alone would have a library print secrets */
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_usage(false);
            return EXIT_DONE;
        }
        if (strcmp(argv[i], "--version") == 0) {
            mt_process_say(false, MT_LITERAL("mesateed " MT_VERSION "\n"));
            return EXIT_DONE;
        }
        if (!take_argument(argc, argv, &i, &a)) {
            print_usage(true);
            return EXIT_USAGE;
        }
    }
    bool is_both = a.backup != NULL && a.shares_count > 0;
    if (a.config == NULL || (a.backup == NULL) != (a.secret == NULL) || is_both) {
        print_usage(true);
        return EXIT_USAGE;
    }
    int rc = load_config(a.config, &config);
    return rc != EXIT_DONE || a.is_check ? rc : run(&config, &a);
}
