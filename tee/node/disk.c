/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node.h"

#include "platform/log.h"
#include "platform/posix/fs.h"

static MT_ERR open_root(struct mt_node *n, mt_bytes keyfile)
{
    const struct mt_credential c = {MT_SLOT_FILE, keyfile};
    mt_err e = mt_root_open(n->fs, &c, &n->root);
    if (mt_failed(e) && e.fault->code == MT_E_NOTFOUND) {
        mt_log("root-key-made", NULL, 0);
        return mt_root_create(n->fs, &c, mt_loop_host_time_ms(n->loop), &n->root);
    }
    return e;
}

/* The platform key says which machine this is: made once, and behind the key slot ever after. */
static MT_ERR open_platform_key(struct mt_node *n)
{
    MT_DEFER(mt_buf_free) struct mt_buf d = mt_buf_of_max(MT_PRIVATE_LEN);
    mt_err e = mt_small_file_read(n->fs, n->root, "platform.mts", &d);
    if (!mt_failed(e)) {
        return mt_key_of_private(mt_buf_bytes(&d), &n->platform_key);
    }
    if (e.fault->code != MT_E_NOTFOUND) {
        return e;
    }
    mt_span room;
    MT_TRY(mt_key_new(&n->platform_key));
    MT_TRY(mt_buf_reserve(&d, MT_PRIVATE_LEN, &room));
    MT_TRY(mt_key_private(n->platform_key, room));
    d.len = room.len;
    return mt_small_file_write(n->fs, n->root, "platform.mts", mt_buf_bytes(&d));
}

static MT_ERR open_ledger(struct mt_node *n)
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
    if (mt_failed(e) && e.fault->code == MT_E_NOTFOUND) {
        return mt_ledger_create(&o, &n->ledger);
    }
    if (mt_failed(e)) {
        const struct mt_log_field where[] = {{.name = "block", .number = damage.block},
                                             {.name = "chunk", .number = damage.chunk},
                                             {.name = "offset", .number = damage.offset}};
        mt_log("ledger-damaged", where, sizeof where / sizeof *where);
        return e;
    }
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

MT_ERR mt_node_open_disk(struct mt_node *n, mt_bytes keyfile)
{
    MT_TRY(mt_fs_open_posix(n->config.state, &n->fs));
    MT_TRY(open_root(n, keyfile));
    MT_TRY(mt_root_derive(n->root, MT_LABEL_LEDGER_SECRET, (mt_bytes){NULL, 0}, &n->ledger_secret));
    MT_TRY(mt_shred_open(n->fs, n->root, &n->shred));
    MT_TRY(open_platform_key(n));
    MT_TRY(mt_key_new(&n->tls_key));
    MT_TRY(mt_key_new(&n->service_key));
    MT_TRY(mt_channel_identity_new(n->tls_key, MT_CHANNEL_SERVER, &n->identity));
    return open_ledger(n);
}
