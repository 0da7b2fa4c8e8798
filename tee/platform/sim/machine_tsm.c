/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "platform/sim/machine_inside.h"

/* drivers/virt/coco/guest/report.c of Linux, as far as a process can tell. */

static struct mt_sim_report *find(struct mt_sim_machine *m, mt_bytes name)
{
    for (size_t i = 0; i < MT_SIM_REPORTS_MAX; i++) {
        struct mt_sim_report *r = &m->reports[i];
        if (r->is_there && mt_bytes_equal(mt_bytes_of_text(r->name), name)) {
            return r;
        }
    }
    return NULL;
}

mt_err mt_sim_tsm_make(struct mt_sim_machine *m, const char *name)
{
    mt_bytes text = mt_bytes_of_text(name);
    MT_REQUIRE(m->world.tsm_provider != NULL, MT_E_NOTFOUND, "ENXIO");
    MT_REQUIRE(find(m, text) == NULL, MT_E_CONFLICT, "EEXIST");
    for (size_t i = 0; i < MT_SIM_REPORTS_MAX; i++) {
        struct mt_sim_report *r = &m->reports[i];
        if (!r->is_there && text.len < sizeof r->name) {
            *r = (struct mt_sim_report){.is_there = true,
                                        .out = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX)};
            memcpy(r->name, text.ptr, text.len);
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_IO, "ENOSPC");
}

mt_err mt_sim_tsm_remove(struct mt_sim_machine *m, const char *name)
{
    struct mt_sim_report *r = find(m, mt_bytes_of_text(name));
    MT_REQUIRE(r != NULL, MT_E_NOTFOUND, "ENOENT");
    mt_buf_free(&r->out);
    r->is_there = false;
    return MT_OK;
}

mt_err mt_sim_tsm_open(struct mt_sim_machine *m, const char *name, struct mt_sim_fd *f)
{
    static const struct {
        const char *name;
        enum mt_sim_file file;
    } files[] = {{"provider", MT_SIM_FILE_PROVIDER},
                 {"generation", MT_SIM_FILE_GENERATION},
                 {"inblob", MT_SIM_FILE_INBLOB},
                 {"outblob", MT_SIM_FILE_OUTBLOB},
                 {"auxblob", MT_SIM_FILE_AUXBLOB}};
    const char *slash = strchr(name, '/');
    MT_REQUIRE(slash != NULL && m->world.tsm_provider != NULL, MT_E_NOTFOUND, "ENOENT");
    struct mt_sim_report *r = find(m, (mt_bytes){(const uint8_t *)name, (size_t)(slash - name)});
    MT_REQUIRE(r != NULL, MT_E_NOTFOUND, "ENOENT");
    bool is_snp = strcmp(m->world.tsm_provider, "sev_guest") == 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        bool is_it = strcmp(files[i].name, slash + 1) == 0;
        if (is_it && (is_snp || files[i].file != MT_SIM_FILE_AUXBLOB)) {
            f->file = files[i].file;
            f->report = r;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_NOTFOUND, "ENOENT");
}

/* A report is made when it is read and something was written since the last one. */
static mt_err make_report(struct mt_sim_machine *m, struct mt_sim_report *r)
{
    MT_REQUIRE(r->in_len == MT_REPORT_DATA_LEN, MT_E_ARG, "EINVAL");
    if (r->out.len == 0 || r->read != r->written) {
        MT_TRY(mt_sim_quote(m, &m->world.tsm, r->in, &r->out));
        r->read = r->written;
    }
    return MT_OK;
}

/* Somebody with the same rights writes, and their write counts as ours would. */
static void rival(struct mt_sim_machine *m, struct mt_sim_report *r)
{
    if (m->world.rivals > 0) {
        m->world.rivals--;
        r->written++;
    }
}

/* The first read of a descriptor: later ones see what this one saw (fs/configfs/file.c). */
mt_err mt_sim_tsm_fill(struct mt_sim_machine *m, struct mt_sim_fd *f)
{
    struct mt_writer w = mt_writer_onto(&f->bytes);
    if (f->file == MT_SIM_FILE_PROVIDER || f->file == MT_SIM_FILE_GENERATION) {
        if (f->file == MT_SIM_FILE_PROVIDER) {
            mt_write_bytes(&w, mt_bytes_of_text(m->world.tsm_provider));
        } else {
            mt_write_number(&w, f->report->written);
        }
        mt_write_u8(&w, '\n');
        return w.failed;
    }
    MT_REQUIRE(f->file == MT_SIM_FILE_OUTBLOB || f->file == MT_SIM_FILE_AUXBLOB, MT_E_DENIED,
               "EACCES");
    MT_TRY(make_report(m, f->report));
    if (f->file == MT_SIM_FILE_AUXBLOB) {
        return mt_buf_append(&f->bytes, m->world.tsm.certs);
    }
    MT_TRY(mt_buf_append(&f->bytes, mt_buf_bytes(&f->report->out)));
    rival(m, f->report);
    return MT_OK;
}

/* The last close() of a descriptor that was written to: whatever comes of it, nobody hears. */
void mt_sim_tsm_commit(struct mt_sim_machine *m, struct mt_sim_fd *f)
{
    if (m->world.loses_commits > 0) { /* EBUSY */
        m->world.loses_commits--;
        return;
    }
    memcpy(f->report->in, f->bytes.ptr, f->bytes.len);
    f->report->in_len = f->bytes.len;
    f->report->written++;
}
