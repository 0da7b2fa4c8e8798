/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node/peer.h"
#include "platform/log.h"
#include "platform/posix/fs.h"

/*
 * What makes a node is made once: in an empty state directory, between the writing and the removing
 * of a mark. Later, whatever is missing has been lost or taken away, and making it anew would be
 * worse than stopping: another root key, another cluster, or a shred key that opens no object.
 */
static const char unfinished[] = "unfinished";

static mt_err look_at_name(void *state, const char *name)
{
    bool *is_empty = state;
    mt_bytes n = mt_bytes_of_text(name);
    *is_empty = *is_empty && mt_bytes_equal(n, MT_LITERAL("lock"));
    return MT_OK;
}

static MT_ERR is_new(struct mt_fs *fs, bool *out)
{
    MT_DEFER(mt_file_close) struct mt_file *mark = NULL;
    bool is_empty = true;
    mt_err e = mt_fs_open(fs, unfinished, MT_FS_READ, &mark);
    if (!mt_failed(e)) {
        *out = true; /* an earlier first start was cut short; nobody was told of anything */
        return MT_OK;
    }
    if (e.fault->code != MT_E_NOTFOUND) {
        return e;
    }
    MT_TRY(mt_fs_list(fs, ".", look_at_name, &is_empty));
    if (is_empty) {
        MT_TRY(mt_fs_open(fs, unfinished, MT_FS_CREATE, &mark));
        MT_TRY(mt_fs_sync_dir(fs, "."));
    }
    *out = is_empty;
    return MT_OK;
}

static MT_ERR is_whole_now(struct mt_fs *fs)
{
    MT_TRY(mt_fs_remove(fs, unfinished));
    return mt_fs_sync_dir(fs, ".");
}

/* A first start that was cut short has told nobody of anything, and its ledger holds nothing but
 * starts. Whoever puts the mark of one beside another ledger would have an old disk taken for new.
 */
static MT_ERR check_first(const struct mt_node *n, bool is_first)
{
    MT_REQUIRE(!is_first || mt_ledger_is_unused(n->ledger), MT_E_PROOF,
               "a disk that is in use is marked as new");
    return MT_OK;
}

static bool is_missing(mt_err e)
{
    return mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
}

/* A key file beside a device is for recovery: it opens what the device does not open any more, and
 * the device gets a slot for how the machine is now. */
static MT_ERR recover_root(struct mt_node *n, mt_bytes keyfile, const struct mt_credential *device)
{
    const struct mt_credential c = {.kind = MT_SLOT_FILE, .secret = keyfile};
    uint32_t number = 0;
    MT_TRY(mt_root_open(n->fs, &c, &n->root));
    mt_err e = mt_slot_renew(n->fs, n->root, device, mt_loop_host_time_ms(n->loop), &number);
    if (mt_failed(e)) { /* the next start needs the key file again, and this one has it */
        const struct mt_log_field mend = {
            .name = "mend",
            .literal = "remove a slot that nobody needs if all are taken, then start again with "
                       "the key file, or add one: mesatee keyslot add --device"};
        mt_log_fault("device-slot-not-renewed", e);
        mt_log("device-slot-stale", &mend, 1);
        return MT_OK;
    }
    const struct mt_log_field fields[] = {
        {.name = "number", .number = number},
        {.name = "mend", .literal = "take the key file away again: the device opens the disk"}};
    mt_log("device-slot-renewed", fields, sizeof fields / sizeof *fields);
    return MT_OK;
}

/* The image that an operator let in has a slot of its own from now on, and the one before none. If
 * that fails the disk is open all the same, and the next start tries again. */
static void refresh_root(struct mt_node *n, const struct mt_credential *device)
{
    bool is_made = false;
    mt_err e = mt_slot_refresh(n->fs, n->root, device, mt_loop_host_time_ms(n->loop), &is_made);
    if (mt_failed(e)) {
        const struct mt_log_field mend = {
            .name = "mend",
            .literal =
                "look after the device and start again: until then the image of before still "
                "opens the disk"};
        mt_log_fault("device-slot-not-renewed", e);
        mt_log("device-slot-stale", &mend, 1);
    } else if (is_made) {
        mt_log("device-slot-renewed", NULL, 0);
    }
}

static MT_ERR warn_if_alone(const struct mt_node *n)
{
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    size_t count = 0;
    MT_TRY(mt_slot_list(n->fs, info, MT_KEY_SLOTS_MAX, &count));
    if (count == 1) {
        const struct mt_log_field mend = {
            .name = "mend",
            .literal = "add a slot for recovery (mesatee keyslot add): without one, the data is "
                       "lost with this machine, or with an update that nobody approved"};
        mt_log("device-slot-alone", &mend, 1);
    }
    return MT_OK;
}

/*
 * By what stands in for the device or the key file, whatever kept that from opening: a device that
 * fails is no better than one that says no. Why each did not open is said as it is tried, and at
 * the end it is the node's own that has to be mended.
 */
static MT_ERR open_otherwise(struct mt_node *n, mt_bytes keyfile, const struct mt_credential *own,
                             mt_err refused)
{
    bool is_device = own->device != NULL;
    bool has_other = n->config.peer[0] != '\0' || (is_device && keyfile.len > 0);
    if (has_other) {
        mt_log_fault(is_device ? "device-slot-refused" : "file-slot-refused", refused);
    }
    if (is_device && keyfile.len > 0) {
        mt_err e = recover_root(n, keyfile, own);
        if (!mt_failed(e)) {
            return MT_OK;
        }
        mt_log_fault("recovery-slot-refused", e);
    }
    return mt_node_open_by_peer(n) ? MT_OK : refused;
}

static MT_ERR open_root(struct mt_node *n, mt_bytes keyfile, bool is_first)
{
    struct mt_credential c = {.kind = MT_SLOT_FILE, .secret = keyfile};
    bool is_device = mt_config_is_device_root(&n->config);
    if (is_device) {
        MT_TRY(mt_credential_of_device(n->device, &c));
    }
    mt_err e = mt_root_open(n->fs, &c, &n->root);
    MT_REQUIRE(is_first || !is_missing(e), MT_E_PROOF, "the key slots are gone");
    if (is_missing(e)) {
        mt_log("root-key-made", NULL, 0);
        e = mt_root_create(n->fs, &c, mt_loop_host_time_ms(n->loop), &n->root);
    } else if (mt_failed(e)) {
        e = open_otherwise(n, keyfile, &c, e);
    } else if (is_device && !mt_failed(e)) {
        refresh_root(n, &c);
    }
    return mt_failed(e) || !is_device ? e : warn_if_alone(n);
}

static MT_ERR open_shred(struct mt_node *n, bool is_first)
{
    MT_DEFER(mt_buf_free) struct mt_buf content = mt_buf_of_max(MT_SHRED_FILE_BYTES_MAX);
    MT_REQUIRE(is_first || !is_missing(mt_small_file_read(n->fs, n->root, "shred.mts", &content)),
               MT_E_PROOF, "the shred keys are gone, and with them every object");
    return mt_shred_open(n->fs, n->root, &n->shred);
}

/* The platform key says which machine this is: made once, and behind the key slot ever after. */
static MT_ERR open_platform_key(struct mt_node *n, bool is_first)
{
    MT_DEFER(mt_buf_free) struct mt_buf d = mt_buf_of_max(MT_PRIVATE_LEN);
    mt_err e = mt_small_file_read(n->fs, n->root, "platform.mts", &d);
    if (!mt_failed(e)) {
        return mt_key_of_private(mt_buf_bytes(&d), &n->platform_key);
    }
    MT_REQUIRE(is_first || !is_missing(e), MT_E_PROOF,
               "the platform key is gone, and no client would know this node");
    if (!is_missing(e)) {
        return e;
    }
    mt_span room;
    MT_TRY(mt_key_new(&n->platform_key));
    MT_TRY(mt_buf_reserve(&d, MT_PRIVATE_LEN, &room));
    MT_TRY(mt_key_private(n->platform_key, room));
    d.len = room.len;
    return mt_small_file_write(n->fs, n->root, "platform.mts", mt_buf_bytes(&d));
}

static MT_ERR open_ledger(struct mt_node *n, bool is_first)
{
    struct mt_ledger_position damage = {0};
    struct mt_ledger_recovery report = {0};
    const struct mt_ledger_options o = {
        .fs = n->fs,
        .secret = mt_secret_bytes(n->ledger_secret),
        .incarnation = *mt_key_public(n->tls_key),
        .host_time_ms = mt_loop_host_time_ms(n->loop),
        .damage = &damage,
    };
    mt_err e = mt_ledger_open(&o, &n->ledger, &report);
    MT_REQUIRE(is_first || !is_missing(e), MT_E_PROOF, "the ledger is gone");
    if (is_missing(e)) {
        return mt_ledger_create(&o, &n->ledger);
    }
    if (mt_failed(e) && e.fault->code == MT_E_PROOF) {
        const struct mt_log_field where[] = {{.name = "block", .number = damage.block},
                                             {.name = "chunk", .number = damage.chunk},
                                             {.name = "offset", .number = damage.offset}};
        mt_log("ledger-damaged", where, sizeof where / sizeof *where);
    }
    MT_TRY(e);
    const struct mt_log_field fields[] = {
        {.name = "transactions", .number = report.transactions},
        {.name = "blocks", .number = report.blocks},
        {.name = "torn_bytes", .number = report.torn_bytes},
        {.name = "snapshot", .number = report.snapshot_txid},
        {.name = "replayed_bytes", .number = report.replayed_bytes},
        {.name = "snapshot_refused", .number = report.snapshot_refused ? 1 : 0},
    };
    mt_log("ledger-recovered", fields, sizeof fields / sizeof *fields);
    n->keeper.saved_bytes = mt_ledger_bytes(n->ledger) - report.replayed_bytes;
    return MT_OK;
}

/* What the operator has to look at, and what helps. */
static void log_refused(const char *file, const char *mend)
{
    const struct mt_log_field fields[] = {{.name = "file", .literal = file},
                                          {.name = "mend", .literal = mend}};
    mt_log("disk-refused", fields, sizeof fields / sizeof *fields);
}

static mt_err name_it(mt_err e, const char *file)
{
    const char *mend = "restore a backup";
    if (!mt_failed(e)) {
        return e;
    }
    if (e.fault->code == MT_E_PROOF) {
        mend = "bring the file back as the node left it, or restore a backup";
    } else if (e.fault->code == MT_E_CONFLICT) {
        mend =
            "run the program that wrote it, which is another version of this, or restore a backup";
    } else if (e.fault->code == MT_E_IO) {
        mend = "look after the disk: it is full, failing, or not ours";
    }
    log_refused(file, mend);
    return e;
}

static mt_err name_slots(const struct mt_node *n, mt_err e)
{
    if (!mt_failed(e) || !mt_config_is_device_root(&n->config)) {
        return name_it(e, "slots");
    }
    switch ((int)e.fault->code) {
    case MT_E_DENIED:
        log_refused("slots", "start what made the slot, or what its operator has signed; or name a "
                             "recovery key file as keyfile");
        return e;
    case MT_E_PROOF:
        log_refused("slots", "start it on the machine whose device made the slot, or restore a "
                             "backup on this one");
        return e;
    case MT_E_BUSY:
    case MT_E_CLOSED:
    case MT_E_IO:
        log_refused("slots", "look after the device, and if its answers are good after the disk, "
                             "and start again");
        return e;
    default:
        return name_it(e, "slots");
    }
}

MT_ERR mt_node_open_disk(struct mt_node *n, mt_bytes keyfile)
{
    bool is_first = false;
    uint64_t transactions = 0;
    MT_TRY(mt_fs_open_posix(n->config.state, &n->fs));
    MT_TRY(name_it(is_new(n->fs, &is_first), "."));
    MT_TRY(name_it(mt_node_is_restored(n->fs, &n->awaits_recovery), "restored"));
    MT_TRY(name_slots(n, open_root(n, keyfile, is_first)));
    MT_TRY(mt_root_derive(n->root, MT_LABEL_LEDGER_SECRET, (mt_bytes){NULL, 0}, &n->ledger_secret));
    MT_TRY(name_it(open_shred(n, is_first), "shred.mts"));
    MT_TRY(name_it(open_platform_key(n, is_first), "platform.mts"));
    MT_TRY(mt_key_new(&n->tls_key));
    MT_TRY(mt_key_new(&n->service_key));
    MT_TRY(mt_channel_identity_new(n->tls_key, MT_CHANNEL_SERVER, &n->identity));
    MT_TRY(name_it(open_ledger(n, is_first), "ledger"));
    MT_TRY(name_it(check_first(n, is_first), unfinished)); /* before it gets a mark of freshness */
    MT_TRY(name_it(mt_node_open_fresh(n, is_first, &transactions), "fresh.mts"));
    MT_REQUIRE(mt_ledger_durable(n->ledger) >= transactions, MT_E_PROOF,
               "the ledger is shorter than the machine's counter says: the disk was put back");
    return is_first ? is_whole_now(n->fs) : MT_OK;
}
