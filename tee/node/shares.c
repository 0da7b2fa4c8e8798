/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "node/node.h"
#include "platform/log.h"
#include "platform/posix/fs.h"
#include "platform/process.h"
#include "seal/fresh.h"

/*
 * mesateed --recover: who has lost the key file, or the machine whose device opened the node, opens
 * it with shares of a key (spec/share.md), each by its name on the command line, and gives it a
 * slot for what opens it from now on: the key file of the configuration, or the device. Shares are
 * read while we still may, and are secrets.
 */

/* What helps, by what is wrong with a share that was read. */
static const char *mend_of(mt_err e)
{
    if (e.fault->code == MT_E_PROOF) {
        return "ask its holder for what he was handed out, or bring another share in its place";
    }
    if (e.fault->code == MT_E_ARG) {
        return "bring the share of another holder in its place";
    }
    return "bring shares of one set that a key slot of this node has";
}

/* The path is the operator's own word; of a share nothing is shown but its numbers. */
static void complain(const char *path, const struct mt_share *s, mt_err e, const char *mend)
{
    char text[1024];
    char number[64] = "";
    if (s != NULL) {
        (void)snprintf(number, sizeof number, "share %u of %u: ", s->index, s->count);
    }
    int len = snprintf(text, sizeof text, "mesateed: %.400s: %s%s\n  mend: %s\n", path, number,
                       e.fault->what, mend);
    if (len > 0 && (size_t)len < sizeof text) {
        mt_process_say(true, (mt_bytes){(const uint8_t *)text, (size_t)len});
    }
}

static MT_ERR read_share(const char *path, struct mt_share *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(MT_SHARE_TEXT_MAX);
    MT_TRY(mt_process_read_file(path, MT_SHARE_TEXT_MAX, &text));
    return mt_share_parse(mt_buf_bytes(&text), out);
}

MT_ERR mt_node_read_shares(const char *const *paths, size_t count, struct mt_node_shares *out)
{
    for (size_t i = 0; i < count; i++) {
        mt_err e = read_share(paths[i], &out->shares[i]);
        if (mt_failed(e)) {
            complain(paths[i], NULL, e,
                     "name the file of a share, and compare it with what its holder has");
            return e;
        }
        out->paths[i] = paths[i];
        out->count = i + 1;
    }
    return MT_OK;
}

/* A machine that took the place of another one has a counter of its own, which would call the disk
 * one that was put back. The holders have said that it is not. */
static MT_ERR take_up_counter(struct mt_fs *fs, const struct mt_root *root,
                              struct mt_device *device)
{
    bool is_taken_up = false;
    if (device == NULL || !mt_device_counts(device)) {
        return MT_OK;
    }
    MT_TRY(mt_fresh_take_up(fs, root, device, &is_taken_up));
    if (is_taken_up) {
        const struct mt_log_field mend = {
            .name = "mend",
            .literal =
                "have a client of before connect: it notices a disk that was put back, which "
                "this machine's counter cannot"};
        mt_log("counter-taken-up", &mend, 1);
    }
    return MT_OK;
}

MT_ERR mt_node_recover(const struct mt_node_shares *s, const struct mt_credential *node,
                       const struct mt_config *config)
{
    MT_DEFER(mt_fs_close) struct mt_fs *fs = NULL;
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    uint32_t number = 0;
    size_t at = s->count;
    MT_TRY(mt_fs_open_posix(config->state, &fs));
    mt_err e = mt_root_open_shares(fs, s->shares, s->count, &root, &at);
    if (mt_failed(e) && at < s->count) {
        complain(s->paths[at], &s->shares[at], e, mend_of(e));
    }
    MT_TRY(e);
    MT_TRY(take_up_counter(fs, root, node->device));
    MT_TRY(mt_slot_renew(fs, root, node, mt_process_host_time_ms(), &number));
    const struct mt_log_field field = {.name = "slot", .number = number};
    mt_log("recovered", &field, 1);
    return MT_OK;
}

void mt_node_forget_shares(struct mt_node_shares *s)
{
    for (size_t i = 0; i < s->count; i++) {
        mt_share_wipe(&s->shares[i]);
    }
}
