/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node.h"
#include "platform/log.h"
#include "platform/posix/fs.h"
#include "platform/process.h"
#include "seal/backup.h"

/*
 * mesateed --restore: a backup becomes a state directory, which must be empty. The node that is
 * started on it afterwards waits for an administrator: spec/backup.md. A mark says so until that
 * has happened. Taking the mark away makes the node a rolled-back one: beside a counter it does not
 * start, without one its clients notice.
 */
static const char restored[] = "restored";

MT_ERR mt_node_is_restored(struct mt_fs *fs, bool *out)
{
    MT_DEFER(mt_file_close) struct mt_file *mark = NULL;
    mt_err e = mt_fs_open(fs, restored, MT_FS_READ, &mark);
    if (mt_failed(e) && e.fault->code != MT_E_NOTFOUND) {
        return e;
    }
    *out = !mt_failed(e);
    return MT_OK;
}

void mt_node_recovered(void *state)
{
    struct mt_node *n = state;
    mt_err e = mt_node_mark_recovered(n);
    e = mt_failed(e) ? e : mt_fs_remove(n->fs, restored);
    e = mt_failed(e) ? e : mt_fs_sync_dir(n->fs, ".");
    if (mt_failed(e)) {
        mt_log_fault("recovery-mark-stays", e); /* the next start will ask for one more epoch */
    }
    mt_log("recovery-epoch-opened", NULL, 0);
    e = mt_jobs_recover(n->jobs, mt_ledger_time_ms(n->ledger));
    if (mt_failed(e)) {
        mt_log_fault("jobs-not-recovered", e);
    }
}

static mt_err look_at_name(void *state, const char *name)
{
    bool *is_empty = state;
    *is_empty = *is_empty && mt_bytes_equal(mt_bytes_of_text(name), MT_LITERAL("lock"));
    return MT_OK;
}

static mt_err take_piece(void *state, mt_bytes piece)
{
    return mt_backup_reader_add(state, piece);
}

static MT_ERR put_mark(struct mt_fs *fs)
{
    MT_DEFER(mt_file_close) struct mt_file *mark = NULL;
    MT_TRY(mt_fs_open(fs, restored, MT_FS_CREATE, &mark));
    return mt_fs_sync_dir(fs, ".");
}

MT_ERR mt_node_restore(const struct mt_restore *r, const struct mt_config *config)
{
    struct mt_backup_head head;
    bool is_empty = true;
    MT_DEFER(mt_fs_close) struct mt_fs *fs = NULL;
    MT_DEFER(mt_backup_reader_free) struct mt_backup_reader *reader = NULL;
    MT_TRY(mt_fs_open_posix(config->state, &fs));
    MT_TRY(mt_fs_list(fs, ".", look_at_name, &is_empty));
    MT_REQUIRE(is_empty, MT_E_CONFLICT,
               "the state directory is not empty: a backup is restored into an empty one");
    MT_TRY(mt_backup_reader_new(fs, &r->credential, &reader));
    MT_TRY(put_mark(fs));
    MT_TRY(mt_process_each_piece(r->backup, take_piece, reader));
    MT_TRY(mt_backup_reader_end(reader, &r->node, r->host_time_ms, &head));
    const struct mt_log_field fields[] = {{.name = "transactions", .number = head.transactions}};
    mt_log("restored", fields, sizeof fields / sizeof *fields);
    return MT_OK;
}
